"""ARCHIVE: the file of a finished batch: its events with their part of the chain, its rows as they
were read, its reports.

A zip that any program opens. `archive.json` says what it is of and the SHA-256 of every other
member; docs/journal.md has the rest. The same batch gives the same bytes. A file of another name or
content is never written over.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from batchpay.domain.durable import sync_folder
from batchpay.domain.errors import CannotWrite, InputOutput
from batchpay.domain.model import Batch, StoredChunk
from batchpay.domain.text import json_text
from batchpay.messages import archives as said

ARCHIVES = "archive"  # the folder beside the journal
FORM = 1  # of the file
ABOUT = "archive.json"
EVENTS = "events.jsonl"
ROWS = "rows.jsonl"
_ONE_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_BLOCK = 1 << 20
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)

Line = tuple[str, tuple[Any, ...]]
"""The digest before an event, and its line, its own digest last."""


@dataclass(frozen=True, slots=True)
class Content:
    """What goes into the file; whatever can be called is read more than once."""

    job: str
    journal: str  # its id
    batch: Batch
    last: int  # number of the batch's last event
    version: str  # of the program
    lines: Callable[[], Iterable[Line]]
    chunks: Callable[[], Iterable[StoredChunk]]
    reports: Mapping[str, Path]  # name -> where it lies

    @property
    def name(self) -> str:
        """Of the file: a batch that changed after all has another one."""
        return f"{self.batch.id}-{self.last}.zip"


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was read back."""

    path: Path
    sha256: str
    size: int  # bytes
    events: int


def keep(folder: Path, content: Content) -> Written:
    """Write the archive of a batch into a folder, durably, and read it back; one that is there
    already, as after a crash, is read alone. Raises CannotWrite and InputOutput.
    """
    path = folder / content.name
    try:
        _make(folder)
        if not os.path.lexists(path):
            _write(path, content)
        return _read_back(path, content)
    except OSError as error:
        why = error.strerror or str(error)
        raise CannotWrite(said.NOT_WRITTEN(path=str(path), why=why)) from error


def digest_of(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make(folder: Path) -> None:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_folder(one.parent)


def _write(path: Path, content: Content) -> None:
    """Whole or not at all: under a name of its own, synced, then named."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with suppress(FileNotFoundError):  # of a process that was killed
            temporary.unlink()
        handle = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(handle, "wb") as file:
            _fill(file, content)
            file.flush()
            os.fsync(file.fileno())
        _name(temporary, path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _name(temporary: Path, path: Path) -> None:
    """Give a file its name, unless something has it by now."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS or os.path.lexists(path):
            raise
        temporary.rename(path)


class _Pack:
    """The zip while it is written, and the digest of each member."""

    def __init__(self, file: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.members: dict[str, str] = {}

    def add(self, name: str, parts: Iterable[bytes]) -> int:
        """A member; returns of how many parts."""
        about = zipfile.ZipInfo(name, _ONE_TIME)
        about.compress_type = zipfile.ZIP_DEFLATED
        about.external_attr = (stat.S_IFREG | 0o600) << 16
        digest = hashlib.sha256()
        count = 0
        with self.zip.open(about, "w", force_zip64=True) as member:
            for part in parts:
                digest.update(part)
                member.write(part)
                count += 1
        self.members[name] = digest.hexdigest()
        return count


def _fill(file: IO[bytes], content: Content) -> None:
    pack = _Pack(file)
    with pack.zip:
        events = pack.add(EVENTS, map(line_text, content.lines()))
        pack.add(ROWS, map(_rows_text, content.chunks()))
        for chunk in content.chunks():
            if chunk.cells:
                pack.add(f"cells/{chunk.number}.arrow", [chunk.cells])
        for name, path in sorted(content.reports.items()):
            pack.add(f"reports/{name}", _blocks(path))
        about = {**_about(content), "events": events, "members": dict(pack.members)}
        pack.add(ABOUT, [f"{json_text(about)}\n".encode()])


def _about(content: Content) -> dict[str, Any]:
    batch = content.batch
    return {
        "form": FORM,
        "job": content.job,
        "journal": content.journal,
        "batch": batch.id,
        "file": batch.file,
        "sha256": batch.sha256,
        "mode": batch.mode,
        "last": content.last,
        "versions": {"batchpay": content.version},
    }


def line_text(line: Line) -> bytes:
    """An event in the file: the digest before it, its twelve columns, its digest."""
    before, (*columns, digest) = line
    text = json.dumps([before, columns, digest], ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def _rows_text(chunk: StoredChunk) -> bytes:
    """A piece of the input as it was read: cells lie beside it."""
    wrong = {at: [one.to_json() for one in some] for at, some in chunk.problems.items()}
    told = {
        "number": chunk.number,
        "sheet": chunk.sheet,
        "rows": list(chunk.rows),
        "documents": chunk.documents,
        "problems": wrong,
        "comeback": sorted(chunk.comeback),
        "corrects": dict(chunk.corrects),
        "earlier": {at: list(ids) for at, ids in chunk.earlier.items()},
        "asked": {at: list(some) for at, some in chunk.asked.items()},
    }
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


# --- read back


def _read_back(path: Path, content: Content) -> Written:
    """Is a file the archive of this batch? Raises InputOutput where it is not."""
    try:
        with zipfile.ZipFile(path) as pack:
            events = _verified(pack, content)
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError) as error:
        raise InputOutput(said.IS_OTHER(path=str(path))) from error
    return Written(path, digest_of(path), path.stat().st_size, events)


def _verified(pack: zipfile.ZipFile, content: Content) -> int:
    """How many events it holds. Raises ValueError or KeyError where it is not what it says, or not
    of this batch.
    """
    about = json.loads(pack.read(ABOUT))
    wanted = _about(content)
    if {name: about[name] for name in wanted if name != "versions"} != {
        name: value for name, value in wanted.items() if name != "versions"
    }:
        raise ValueError("it is of another batch")
    if {*about["members"], ABOUT} != set(pack.namelist()):
        raise ValueError("it has other members than it says")
    for name, sha256 in about["members"].items():
        with pack.open(name) as member:
            if _digest(member) != sha256:
                raise ValueError(f"{name} is not what it was")
    return _same_events(pack, content)


def _digest(member: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := member.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _same_events(pack: zipfile.ZipFile, content: Content) -> int:
    count = 0
    with pack.open(EVENTS) as member:
        for line in content.lines():
            if member.readline() != line_text(line):
                raise ValueError("an event is not that of the journal")
            count += 1
        if member.readline():
            raise ValueError("it has more events than the journal")
    return count
