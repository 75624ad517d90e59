"""A file that a person names for us to write: whole or not at all, and never over what we did not
write there.

Not even `--force` overwrites what a job lives on: the job file, its inputs and control totals,
lookup files, schema, key file, journal and reports; nor any other journal.
"""

from __future__ import annotations

import fnmatch
import os
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from batchpay.domain.durable import sync_folder
from batchpay.domain.errors import BatchpayError, CannotWrite, Usage
from batchpay.job.job import Job
from batchpay.journals.sqlite.opening import is_journal
from batchpay.readers import find_files
from batchpay.readers.find import TOTALS

OF_REPORTS = ("manifest.json", "audit.json")  # a folder with one of these is a report's
BESIDE_REPORTS = (
    "index*.html",
    "latest",
    "run*.json",
)  # what lies beside these folders


def refuse_overwriting(flag: str, path: Path, *, force: bool) -> None:
    """Raises Usage when something has that name and `force` does not allow it, or it is no plain
    file.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        raise CannotWrite(f"{flag} {path}: cannot be written: {error}") from error
    if not stat.S_ISREG(found.st_mode):
        raise Usage(
            f"{flag} {path}: is no plain file; name a file that is not there yet"
        )
    if not force:
        raise Usage(
            f"{flag} {path}: is there already and is left alone; name another file, or add --force"
        )


def refuse_what_a_job_lives_on(
    flag: str,
    path: Path,
    job: Job,
    environ: Mapping[str, str],
) -> None:
    """Raises Usage when the name is that of something the job needs, by whatever way it is
    reached.
    """
    real = _real(path)
    for kept, what in _kept(job, environ):
        if real == _real(kept) or _same(path, kept):
            raise Usage(
                f"{flag} {path}: is {what}; nothing overwrites it, name another file"
            )
    if fnmatch.fnmatch(str(real), os.path.realpath(job.input.pattern)):
        raise Usage(
            f"{flag} {path}: would be read as an input by the next run; name another file"
        )
    state = _real(job.state_path)
    reports = _real(job.report.directory)
    if state.is_relative_to(real) or reports.is_relative_to(real):
        raise Usage(
            f"{flag} {path}: is where the job keeps its journal or its reports; name another file"
        )
    if real.parent == state.parent and real.name.startswith(state.name):
        raise Usage(f"{flag} {path}: belongs to the journal; name another file")
    if is_journal(path):
        raise Usage(f"{flag} {path}: is a journal; name another file")
    if _is_among(real, reports, _real(job.path)):
        raise Usage(f"{flag} {path}: lies among the reports; name a file elsewhere")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_among(real: Path, reports: Path, job: Path) -> bool:
    """Does a file lie where reports do? In a folder that holds the job, too: in the folder of a
    report, or as one beside them that every run writes?
    """
    if not real.is_relative_to(reports):
        return False
    if not job.is_relative_to(reports):
        return True
    inside = real.relative_to(reports).parts
    if any(fnmatch.fnmatch(inside[0], name) for name in BESIDE_REPORTS):
        return True
    if len(inside) < 2:
        return False
    return any((reports / inside[0] / name).exists() for name in OF_REPORTS)


def write_whole(path: Path, data: bytes, *, force: bool = False) -> None:
    """The file under its name with all of `data` in it, on the disk; without `force` only where
    nothing had the name.

    Raises CannotWrite; then nothing has changed.
    """
    temporary = path.with_name(f".batchpay-{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "xb", opener=_opener) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if force:
            temporary.replace(path)
        else:
            _take_name(temporary, path)
        sync_folder(path.parent)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CannotWrite(f"{path}: cannot be written: {why}") from error
    finally:
        with suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)


def _kept(job: Job, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Every file the job needs, and what it is to it."""
    yield from job.own_files()
    if key_file := environ.get("OMISE_SECRET_KEY_FILE"):
        yield Path(key_file), "the file of the secret key"
    with suppress(BatchpayError):  # no input now: the plan will say so
        for file in find_files(job.input):
            yield file, "an input file"
            yield (
                file.with_name(f"{file.name}{TOTALS}"),
                "the control totals of an input",
            )


def _same(path: Path, kept: Path) -> bool:
    try:
        return path.samefile(kept)
    except (OSError, ValueError):
        return False


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def _take_name(temporary: Path, path: Path) -> None:
    """Rename, but fail when the name is taken: a link does, where the file system has links."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise
        temporary.rename(path)
