"""A folder of files that are each there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from batchpay.domain.durable import sync_folder
from batchpay.domain.errors import NO_MORE, BatchpayError, CannotWrite, TryLater


def refuse_unwritable(directory: Path) -> None:
    """Raises CannotWrite where no report could be written, before anything is sent."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    trouble = 0
    if not there.is_dir():
        trouble = errno.ENOTDIR
    elif not os.access(there, os.W_OK | os.X_OK):
        trouble = errno.EACCES
    if trouble:
        error = OSError(trouble, os.strerror(trouble), str(there))
        told = f"{directory}: reports cannot be written there: {error.strerror}; nothing was sent"
        remedy, _, _ = _remedy(directory, error).partition(", then")
        raise CannotWrite(f"{told}; {remedy}, then run again") from error


class Directory:
    """One batch's folder; remembers what was written into it."""

    def __init__(self, path: Path, mode: int = 0o600, *, shared_by: str = "") -> None:
        """Make the folder. `mode`: of its files, whatever the umask says; who may read those may
        enter it. `shared_by`: the job that writes, where others do at the same moment: then only
        what it left half written goes away.
        """
        self._part = ".part"
        if shared_by:
            self._part = f".{shared_by}.part"
        self.path = path
        self.mode = mode
        self.written: list[Path] = []
        try:
            _make(path, folder_mode(mode))
            for stale in path.glob(f".*{self._part}"):  # a writer that was killed
                stale.unlink()
        except OSError as error:
            told = f"{path}: cannot make the report folder: {error.strerror}"
            raise _ended(told, path, error) from error

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """A file under a temporary name; at the end durable and renamed, or gone on failure."""
        final = self.path / name
        temporary = self.path / f".{name}{self._part}"
        try:
            handle = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(handle, "wb") as file:
                yield file
                os.fchmod(file.fileno(), self.mode)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(final)
            sync_folder(self.path)
        except OSError as error:
            told = f"{final}: cannot be written: {error.strerror or error}"
            raise _ended(told, self.path, error) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        self.written.append(final)

    @contextmanager
    def text(self, name: str, encoding: str, errors: str) -> Iterator[io.TextIOWrapper]:
        """The same for text; line ends are written as given."""
        with self.file(name) as file:
            wrapper = io.TextIOWrapper(file, encoding, errors, newline="")
            try:
                yield wrapper
                wrapper.flush()
            finally:
                wrapper.detach()

    def remove(self, name: str) -> None:
        """A file of an earlier writing that this one does not have."""
        with suppress(OSError):
            (self.path / name).unlink(missing_ok=True)

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file written so far, by name."""
        return {path.name: _sha256(path) for path in sorted(self.written)}


def own_folder(
    parent: Path,
    name: str,
    job: str,
    told_in: str,
    mode: int,
) -> Path:
    """A job's folder of that name, or, where it is another job's, one with the job's own name
    behind it (J17).

    `told_in`: the JSON file in it whose `job` says whose it is. Whoever makes the folder has it: of
    two jobs at the same moment one does. The name is a job's, so that it is a file's too
    (job.schema.json).
    """
    folder = parent / name
    try:
        _make(parent, folder_mode(mode))
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if _told_job(folder / told_in) == job:
            return folder
        return parent / f"{name}-{job}"
    except OSError:
        return folder  # it cannot be made: whoever writes into it says why
    return folder


def has_own_folder(parent: Path, name: str, job: str, told_in: str) -> bool:
    """Did the job ever write into its folder of that name?"""
    return bool(made_folder(parent, name, job, told_in))


def made_folder(parent: Path, name: str, job: str, told_in: str) -> str:
    """What the job's folder of that name is called; empty where it is not there."""
    for one in (name, f"{name}-{job}"):
        if _told_job(parent / one / told_in) == job:
            return one
    return ""


def own_file(parent: Path, name: str, job: str) -> str:
    """`run.json`, or `run-night.json` where the former is another job's; a JSON file."""
    if (parent / name).exists() and _told_job(parent / name) != job:
        stem, _, form = name.partition(".")
        return f"{stem}-{job}.{form}"
    return name


def _told_job(path: Path) -> str:
    try:
        return str(json.loads(path.read_bytes())["job"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def folder_mode(mode: int) -> int:
    """The mode of a folder whose files have `mode`: who may read them may enter it.

    >>> oct(folder_mode(0o640))
    '0o750'
    """
    return mode | (mode & 0o444) >> 2


def _ended(told: str, folder: Path, error: OSError) -> BatchpayError:
    """What ends the run: the folder, or a machine that has no more to give (D16)."""
    kind: type[BatchpayError] = CannotWrite
    if error.errno in NO_MORE:
        kind = TryLater
    return kind(f"{told}; {_remedy(folder, error)}")


def _remedy(folder: Path, error: OSError) -> str:
    """What to do about a report folder that takes no file; what was charged is in the journal,
    whatever it takes.
    """
    then = (
        "then batchpay report JOB writes the reports: what was sent is in the journal; what was"
        " not, the same run again sends"
    )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        there = next(
            (one for one in (folder, *folder.parents) if os.path.lexists(one)), folder
        )
        return (
            f"give this user the right to write in {there}, or name another [report] directory,"
            f" {then}"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"make room there, or name another [report] directory, {then}"
    if error.errno in NO_MORE:
        return f"raise the limit (ulimit) or end other programs, {then}"
    return f"move away what stands there, or name another [report] directory, {then}"


def _make(path: Path, mode: int) -> None:
    """The folder and those above it that are missing: durable, and for nobody else whatever the
    umask says.
    """
    for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        missing.chmod(mode)
        sync_folder(missing.parent)
    path.mkdir(exist_ok=True)  # raises when something that is no folder has the name
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)  # the job has changed its mind


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
