"""A disk in memory under the true SQLite journal: what was not synced is lost or torn when the
power goes.

SQLite's VFS cannot be written with the standard library's sqlite3, so the journal's connection
comes from apsw through the `connect` port of SqliteJournal. A trace of system calls (strace) would
show a missing fsync as well, but not within a seed: here a crash between any two writes costs
microseconds, and the next run opens what is left.
"""

from __future__ import annotations

import random
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

apsw.shutdown()
apsw.config(apsw.SQLITE_CONFIG_MEMSTATUS, 0)  # nobody asks how much memory it takes
apsw.initialize()
SECTOR = 512
_INTO = re.compile(r"(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM) (\w+)")
STATEMENTS = 512  # that stay compiled
_DISKS: dict[str, Disk] = {}  # by the folder in a file's name


@dataclass
class _Stored:
    """One file: as the running machine sees it, and what of it is on the platter."""

    cache: bytearray = field(default_factory=bytearray)
    durable: bytearray | None = None  # None: not even its name is
    # (offset, data) or (new size, None)
    unsynced: list[tuple[int, bytes | None]] = field(default_factory=list)
    deleted: bool = False  # by name only: a power cut may bring it back


class Disk:
    """The files of one machine. `cut` is a power cut; `revoke` makes a dead process's handles
    worthless.
    """

    def __init__(self, name: str, dice: random.Random) -> None:
        self.name = name
        self.files: dict[str, _Stored] = {}
        self.generation = 0
        self.full = False
        self.failing_syncs = 0  # how many of the next syncs fail
        self.before_write: Callable[[], None] = lambda: None  # may kill the process
        self.closing_the_dead = False
        self.connections: list[Connection] = []
        # statement -> what a broken harness does instead
        self.pragmas: dict[str, str] = {}
        self.syncs = self.lost_writes = self.torn_writes = 0
        self._dice = dice
        _DISKS[name] = self

    # --- the port

    def connect(self, path: Path | str, *_: Any, **__: Any) -> Connection:
        """The `connect` of SqliteJournal."""
        return Connection(self, f"/{self.name}/{Path(path).name}")

    def sync_folder(self) -> None:
        """Like SQLite's unix VFS: the first sync of a new log also syncs the folder, with every
        name in it.
        """
        self.files = {
            name: stored for name, stored in self.files.items() if not stored.deleted
        }
        for stored in self.files.values():
            stored.durable = bytearray() if stored.durable is None else stored.durable

    # --- accidents

    def revoke(self) -> None:
        """The process is gone: what it still tries to write reaches nobody."""
        self.generation += 1

    def cut(self) -> None:
        """The power goes: un-synced writes are kept, dropped or torn, each for itself, or all of
        them dropped.
        """
        self.revoke()
        all_lost = self._dice.random() < 0.5
        for name, stored in list(self.files.items()):
            if stored.deleted and (stored.durable is None or self._dice.random() < 0.5):
                del self.files[name]
                continue
            if stored.durable is None and (all_lost or self._dice.random() < 0.5):
                self.lost_writes += len(stored.unsynced)
                del self.files[name]
                continue
            stored.deleted = False
            stored.durable = (
                stored.durable if stored.durable is not None else bytearray()
            )
            for offset, data in stored.unsynced:
                self._perhaps(stored.durable, offset, data, all_lost)
            stored.unsynced.clear()
            stored.cache = bytearray(stored.durable)

    def _perhaps(
        self, image: bytearray, offset: int, data: bytes | None, all_lost: bool
    ) -> None:
        fate = 0.0 if all_lost else self._dice.random()
        if fate < 0.4:
            self.lost_writes += 1
        elif data is None:
            _resize(image, offset)
        elif fate < 0.6:
            self.torn_writes += 1
            for start in range(0, len(data), SECTOR):
                if self._dice.random() < 0.5:
                    _write(image, offset + start, data[start : start + SECTOR])
        else:
            _write(image, offset, data)

    def snapshot(self) -> dict[str, bytes]:
        """A backup of every file, as a copy would see it."""
        return {
            name: bytes(stored.cache)
            for name, stored in self.files.items()
            if not stored.deleted
        }

    def restore(self, files: dict[str, bytes]) -> None:
        """Put a backup back; nothing of what came after stays."""
        self.revoke()
        self.files = {
            name: _Stored(bytearray(data), bytearray(data))
            for name, data in files.items()
        }

    def copy(self, name: str) -> Disk:
        """Another disk with the same files."""
        other = Disk(name, random.Random(0))
        other.restore(
            {
                f"/{name}/{Path(path).name}": data
                for path, data in self.snapshot().items()
            }
        )
        return other

    def forget(self) -> None:
        """The seed is over."""
        self.revoke()
        for connection in self.connections:
            connection.close()
        _DISKS.pop(self.name, None)


def _resize(image: bytearray, size: int) -> None:
    del image[size:]
    image.extend(bytes(size - len(image)))


def _write(image: bytearray, offset: int, data: bytes) -> None:
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


@contextmanager
def silence() -> Iterator[None]:
    """An error of the disk that SQLite ignores, apsw prints: a dead process's closing, mostly."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = hook


# --- SQLite's view


class _Handle:
    """An open file, of one generation of processes."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name, self._generation = disk, name, disk.generation
        self._stored = disk.files[name]

    def _change(self) -> None:
        if self._generation == self._disk.generation:
            self._disk.before_write()
        if self._generation != self._disk.generation:
            raise apsw.IOError("the process is dead")

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._stored.cache[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._change()
        if self._disk.full:
            raise apsw.FullError("database or disk is full")
        data = bytes(data)
        _write(self._stored.cache, offset, data)
        self._stored.unsynced.append((offset, data))

    def xTruncate(self, size: int) -> None:
        self._change()
        _resize(self._stored.cache, size)
        self._stored.unsynced.append((size, None))

    def xSync(self, flags: int) -> None:
        self._change()
        if self._disk.failing_syncs:
            self._disk.failing_syncs -= 1
            raise apsw.IOError("fsync failed")
        self._disk.syncs += 1
        if self._stored.durable is None and self._name.endswith(("-wal", "-journal")):
            self._disk.sync_folder()
        self._stored.durable = bytearray(self._stored.cache)
        self._stored.unsynced.clear()

    def xFileSize(self) -> int:
        return len(self._stored.cache)

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE  # as SQLite's own unix VFS says

    def xClose(self) -> None:
        pass


class _Vfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("simulated", base="")

    def xOpen(self, name: Any, flags: list[int]) -> _Handle:  # type: ignore[override]
        text = name.filename() if isinstance(name, apsw.URIFilename) else name
        disk = _DISKS[text.split("/")[1]]
        stored = disk.files.get(text)
        if stored is None or stored.deleted:
            disk.files[text] = _Stored()
        flags[1] = flags[0]
        return _Handle(disk, text)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        disk = _DISKS[name.split("/")[1]]
        if disk.closing_the_dead:
            raise apsw.IOError("the process is dead")
        disk.before_write()
        if name in disk.files:
            disk.files[name].deleted = True
            if sync_folder:
                del disk.files[name]

    def xAccess(self, name: str, flags: int) -> bool:
        stored = _DISKS[name.split("/")[1]].files.get(name)
        return stored is not None and not stored.deleted

    def xFullPathname(self, name: str) -> str:
        return name


_VFS = _Vfs()


class Connection:
    """What the journal uses of sqlite3.Connection, over apsw; its errors are those of sqlite3."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._generation = disk, disk.generation
        self._read: dict[tuple[str, tuple[Any, ...]], list[Any]] = {}
        disk.connections.append(self)
        try:
            self._apsw = apsw.Connection(
                name, vfs="simulated", statementcachesize=STATEMENTS
            )
            # a statement stays compiled whatever values it is given
            self._apsw.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
            # Shared memory needs a real file system: the only process there is locks the file
            # whole.
            self._apsw.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._apsw.execute("PRAGMA temp_store = MEMORY")
        except apsw.Error as error:
            raise _of_sqlite3(error) from error

    @property
    def in_transaction(self) -> bool:
        return self._apsw.in_transaction

    def execute(self, statement: str, values: Sequence[Any] = ()) -> _Rows:
        """All rows at once. This connection has the file for itself: what it read of a table stays
        so until it writes into that table.
        """
        is_read = statement.startswith("SELECT")
        asked = (statement, tuple(values))
        if is_read and asked in self._read:
            return _Rows(self._read[asked])
        statement = self._disk.pragmas.get(statement, statement)
        try:
            found = self._apsw.execute(statement, asked[1]).fetchall()
        except apsw.Error as error:
            raise _of_sqlite3(error) from error
        if is_read:
            self._read[asked] = found
        else:
            self._forget_read(statement)
        return _Rows(found)

    def _forget_read(self, statement: str) -> None:
        if statement in ("BEGIN IMMEDIATE", "COMMIT"):
            return
        written = _INTO.match(statement)
        kept = {}
        if written:
            kept = {a: rows for a, rows in self._read.items() if written[1] not in a[0]}
        self._read = kept

    def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> None:
        self._read.clear()
        try:
            self._apsw.executemany(statement, many)
        except apsw.Error as error:
            raise _of_sqlite3(error) from error

    def create_function(
        self, name: str, values: int, made: Callable[..., Any], **how: bool
    ) -> None:
        """A function of SQL, as sqlite3 takes it."""
        self._apsw.create_scalar_function(name, made, values, **how)

    def close(self) -> None:
        """Never fails: sqlite3_close() ignores a checkpoint that could not be written."""
        self._disk.closing_the_dead = self._generation != self._disk.generation
        try:
            self._apsw.close()
        except apsw.Error:
            self._apsw.close(True)
        finally:
            self._disk.closing_the_dead = False


class _Rows:
    """What a statement found, as a cursor gives it."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


def _of_sqlite3(error: apsw.Error) -> sqlite3.Error:
    """The error that sqlite3 would have raised."""
    if isinstance(error, apsw.ConstraintError):
        return sqlite3.IntegrityError(str(error))
    if isinstance(error, apsw.FullError):
        return sqlite3.OperationalError("database or disk is full")
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return sqlite3.DatabaseError(str(error))
    if isinstance(error, apsw.SQLError):  # of the statement, not of the disk
        return sqlite3.OperationalError(str(error))
    return sqlite3.OperationalError(f"disk I/O error: {error}")
