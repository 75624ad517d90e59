"""Which files an `[input]` section means: each one once, in the order of their names.

`optional` is about the file that the job waits for every night. One that `--input` names, without a
wildcard, is there or misspelt.
"""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from batchpay.domain.errors import InputMissing
from batchpay.domain.text import told
from batchpay.job.job import Input
from batchpay.messages import files
from batchpay.messages.message import Message
from batchpay.readers.leftovers import FOLDERS, is_no_input

_NAMED = 5  # files in a sentence
_HELD_AGAINST = 1000  # names of a folder
_LIKE = 0.8  # as difflib counts it
TOTALS = ".totals.json"  # control totals beside an input are no input


def find_files(job_input: Input, own: Iterable[Path] = ()) -> list[Path]:
    """The files of a path or glob; one reached by several names counts once, under the first.
    `own`: what a wildcard never means: files that the job is made of, folders that it writes.

    Whether each can be read is found out when it is opened. Raises InputMissing when there is none
    and the job does not call that fine.
    """
    found: dict[tuple[int, int] | Path, Path] = {}
    not_meant = _ids_of(job_input, own)
    left = []
    for path in _matches(job_input.pattern):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # gone since it was listed, or a link to nothing
        except OSError:
            found[path] = path
            continue
        if _is_among(path, not_meant):
            left.append(path)
        else:
            found.setdefault((status.st_dev, status.st_ino), path)
    if not found and _is_typed(job_input):
        raise InputMissing(_why_not_there(Path(job_input.pattern)))
    if not found and not job_input.optional:
        raise InputMissing(_why_none(job_input.pattern, left))
    return list(found.values())


def own_among(job_input: Input, own: Iterable[Path]) -> list[Path]:
    """The files of the job itself that its `[input] file` fits, too, and those that it wrote."""
    if not_meant := _ids_of(job_input, own):
        return [one for one in _matches(job_input.pattern) if _is_among(one, not_meant)]
    return []


_Ids = set[tuple[int, int]]


def _ids_of(job_input: Input, own: Iterable[Path]) -> _Ids:
    """By which these are known under any name; but for a folder that the job names as the place of
    its input, and none where it names one file.
    """
    if os.path.lexists(job_input.pattern):
        return set()
    found = set(chain.from_iterable(map(_ids_at, own)))
    return found.difference(*map(_ids_at, _plain_part(job_input.pattern)))


def _is_among(path: Path, some: _Ids) -> bool:
    """Is it one of these, or in one?"""
    if not some:
        return False
    return any(not some.isdisjoint(_ids_at(one)) for one in (path, *path.parents))


def _ids_at(path: Path) -> _Ids:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return set()
    return {(status.st_dev, status.st_ino)}


def _plain_part(pattern: str) -> Iterator[Path]:
    """The folders that a pattern names before its first wildcard."""
    path = Path()
    for part in Path(pattern).parts:
        if glob.has_magic(part):
            return
        path /= part
        yield path


def _matches(pattern: str) -> list[Path]:
    if os.path.lexists(pattern):  # a name may hold [ or *
        return [Path(pattern)]
    return [path for path in _all_matches(pattern) if not _is_left_over(path)]


def _all_matches(pattern: str) -> list[Path]:
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    return [Path(name) for name in names if not name.endswith(TOTALS)]


def _is_left_over(path: Path) -> bool:
    return is_no_input(path.name) or not FOLDERS.isdisjoint(path.parts)


def _is_typed(job_input: Input) -> bool:
    """Does `--input` name one file?"""
    return bool(job_input.named_by_job) and not glob.has_magic(job_input.pattern)


def _why_not_there(path: Path) -> Message:
    """Beside it, the file that may be meant: it is held against what its folder holds."""
    try:
        names = [one.name for one in islice(path.parent.iterdir(), _HELD_AGAINST)]
    except OSError:
        names = []
    near = difflib.get_close_matches(path.name, sorted(names), n=1, cutoff=_LIKE)
    # typed without its end, as Explorer shows it
    near = [name for name in sorted(names) if Path(name).stem == path.name][:1] or near
    if near:
        return files.NO_FILE_BUT(path=str(path), near=told(near[0]))
    return files.NO_FILE(path=str(path))


def _why_none(pattern: str, own: Sequence[Path]) -> Message:
    """Nothing fits the pattern, or nothing but what programs left, or what the job is made of."""
    if own:
        return files.ONLY_OWN(path=str(pattern), names=names_of(own))
    others = _all_matches(pattern)
    if not others:
        return files.NONE_FITS(path=str(pattern))
    return files.ONLY_NO_INPUT(path=str(pattern), names=names_of(others))


def names_of(paths: Sequence[Path]) -> str:
    """The first of them, as a sentence names files."""
    names = ", ".join(f"'{told(path.name)}'" for path in paths[:_NAMED])
    if len(paths) > _NAMED:
        names += ", …"
    return names
