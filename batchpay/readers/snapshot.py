"""One input file, opened once: all is read through that one descriptor."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, cast

from batchpay.domain.errors import (
    FileRefused,
    InputMissing,
    InputOutput,
    Misconfigured,
    TryLater,
)
from batchpay.domain.text import line
from batchpay.messages import contents, files
from batchpay.messages.message import Message
from batchpay.readers import kinds
from batchpay.readers.leftovers import is_no_input, owned_by

Format = Literal["csv", "tsv", "parquet", "xlsx"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
SIZE_LIMIT = 2 * 1024**3  # bytes of an input file, packed or unpacked
_BLOCK = 1024 * 1024


class Unread(InputOutput):
    """One input file cannot be read: nothing is known of the others."""


class StillWritten(TryLater):
    """One input file was being written to: its own night has not come."""


class NotRegular(Misconfigured):
    """A folder, pipe, device or socket where a file was expected."""


# one bad file of a glob stops no other
OF_ONE_FILE = (
    FileRefused,
    InputMissing,
    Unread,
    StillWritten,
    NotRegular,
)


@dataclass(slots=True)
class Snapshot:
    """The bytes of one input file as they were when it was opened. Use as a context manager."""

    path: Path
    sha256: str
    size: int
    format: Format
    gzipped: bool
    fd: int = field(repr=False)
    mtime_ns: int = field(repr=False)

    @property
    def name(self) -> str:
        """The file's name, without its directory, as it may be shown and kept."""
        return line(self.path.name)

    def stream(self) -> BinaryIO:
        """A new seekable reader from the first byte on; any number of them may be open."""
        return cast(BinaryIO, io.BufferedReader(_Through(self.fd), _BLOCK))

    def verify_unchanged(self) -> None:
        """Raises TryLater when the file was written to since it was opened."""
        now = os.fstat(self.fd)
        if (now.st_size, now.st_mtime_ns) != (self.size, self.mtime_ns):
            raise StillWritten(
                f"{self.path}: still being written: it changed while it was read; nothing was done"
                " with it, run again when its sender has finished"
            )

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Through(io.RawIOBase):
    """Reads through a descriptor at a position of its own and leaves the descriptor open."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            count = os.preadv(self._fd, [buffer], self._at)
        except OSError as error:
            raise Unread(files.READ_FAILED(wrong=str(error.strerror))) from error
        self._at += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            base = 0
        elif whence == os.SEEK_CUR:
            base = self._at
        else:
            base = os.fstat(self._fd).st_size
        target = base + offset
        if target < 0:
            raise ValueError("a position before the first byte")
        self._at = target
        return target

    def tell(self) -> int:
        return self._at


def open_snapshot(path: Path) -> Snapshot:
    """Open a file, digest it, and learn its format from name and content, which must agree.

    Raises InputMissing, Unread, NotRegular, FileRefused and StillWritten.
    """
    try:
        require_regular(path, path.stat())
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError as error:
        raise InputMissing(files.NO_FILE(path=str(path))) from error
    except OSError as error:
        wrong = files.NOT_OPENED(path=str(path), wrong=str(error.strerror))
        raise Unread(wrong) from error
    try:
        return _snapshot(path, fd)
    except BaseException:
        os.close(fd)
        raise


def _snapshot(path: Path, fd: int) -> Snapshot:
    found = os.fstat(fd)
    require_regular(path, found)
    format_, gzipped = _format_of(path, fd)
    if found.st_size > SIZE_LIMIT:
        raise FileRefused(
            files.TOO_LARGE(
                path=str(path),
                size=found.st_size,
                limit=SIZE_LIMIT,
            )
        )
    snapshot = Snapshot(
        path, "", found.st_size, format_, gzipped, fd, found.st_mtime_ns
    )
    digest = hashlib.sha256()
    with snapshot.stream() as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    snapshot.verify_unchanged()
    snapshot.sha256 = digest.hexdigest()
    _check_content(snapshot)
    return snapshot


def require_regular(path: Path, found: os.stat_result) -> None:
    """Raises NotRegular for directories, FIFOs, sockets and devices."""
    kind = kind_of(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        held = Counter(filter(None, map(_suffix_of, _listed(path))))
        for suffix, count in held.most_common(1):
            glob = f"{path}/*{suffix}"
            said = files.IS_FOLDER(
                path=str(path), files=count, suffix=suffix, glob=glob
            )
            raise NotRegular(said)
    if kind:
        raise NotRegular(files.NOT_REGULAR(path=str(path), kind=kind))


def _listed(path: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in path.iterdir())
    except OSError:
        return []


def _suffix_of(name: str) -> str:
    """The end of a name that says a kind that is read; empty for any other."""
    if is_no_input(name):
        return ""
    return next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")


def kind_of(mode: int) -> str:
    """What has this mode, when it is no regular file; else nothing."""
    if stat.S_ISREG(mode):
        return ""
    return next((kind for kind, is_a in _KINDS.items() if is_a(mode)), "not a file")


_KINDS = {
    "a folder": stat.S_ISDIR,
    "a named pipe": stat.S_ISFIFO,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
    "a socket": stat.S_ISSOCK,
}


def _format_of(path: Path, fd: int) -> tuple[Format, bool]:
    name = path.name.lower()
    gzipped = name.endswith(".gz")
    unpacked = Path(name.removesuffix(".gz"))
    format_ = SUFFIXES.get(unpacked.suffix)
    if owned := owned_by(path.name):
        raise FileRefused(contents.IS_OWNER_FILE(path=str(path), name=owned))
    if format_ is None or (gzipped and format_ not in ("csv", "tsv")):
        raise FileRefused(_why_unknown(path, fd))
    return format_, gzipped


def _why_unknown(path: Path, fd: int) -> Message:
    """What a file is whose name says nothing that is read."""
    with io.BufferedReader(_Through(fd), _BLOCK) as stream:
        kind = kinds.kind_of(cast(BinaryIO, stream))
        if kind:
            return kinds.remedy_for(path, "", kind, cast(BinaryIO, stream))
    return files.UNKNOWN_KIND(path=str(path), known=", ".join(_SUFFIXES))


def _check_content(snapshot: Snapshot) -> None:
    """The content must be of the kind that the name promises."""
    if snapshot.size == 0:
        raise FileRefused(files.EMPTY_FILE(path=str(snapshot.path)))
    expected = _EXPECTED[snapshot.format]
    if snapshot.gzipped:
        expected = "gzip"
    with snapshot.stream() as stream:
        if expected == "workbook" and kinds.is_zip(stream):
            return  # its parts are looked at where it is parsed
        found = kinds.kind_of(stream)
        if found == expected or (expected == "text" and not found):
            return  # whoever reads a text says what is wrong with it
        raise FileRefused(kinds.remedy_for(snapshot.path, expected, found, stream))


_SUFFIXES = (*SUFFIXES, ".csv.gz", ".tsv.gz")
_EXPECTED = {"csv": "text", "tsv": "text", "parquet": "parquet", "xlsx": "workbook"}
