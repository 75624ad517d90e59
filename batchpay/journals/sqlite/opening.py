"""The way to the file: made, recognised, brought to today's version, or refused with the reason and
the remedy.

Whatever is not a journal that this program may write is left as it was, to the byte.
"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from batchpay.domain.errors import (
    BatchpayError,
    CannotWrite,
    InputOutput,
    Misconfigured,
    Taken,
    TryLater,
)
from batchpay.journals.lock import OtherRuns
from batchpay.journals.place import closed_to_us, why_closed
from batchpay.journals.sqlite.many import STATEMENTS
from batchpay.journals.sqlite.migration import (
    OLDER,
    SCHEMA_VERSION,
    migrate,
    schema,
)
from batchpay.journals.sqlite.packed import teach
from batchpay.journals.sqlite.soundness import statements

# less than this, and what SQLite calls an I/O error is a full disk
LEAST_FREE_BYTES = 1 << 20
GROWS_BYTES = 64 << 10  # by which SQLite may make a file longer at once
KNOWN = frozenset({*OLDER, SCHEMA_VERSION})  # versions
BESIDE = ("-wal", "-shm", "-journal")  # SQLite's own files
RESTORE = "restore the last good copy: charges made since are found at the gateway and adopted"


def open_to_write(
    path: Path, locked_wait_s: float, connect: Callable[..., sqlite3.Connection]
) -> sqlite3.Connection:
    """Open or make the file, private to its owner. Raises Misconfigured, CannotWrite, InputOutput
    or TryLater.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    except (OSError, ValueError) as error:
        raise why_closed(path, error) from error
    with Translated(path):
        connection = connect(
            path,
            timeout=locked_wait_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
        try:
            teach(connection)
            _recognise(connection, path)
            _make_private(path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -16000")
        except BaseException:
            connection.close()
            raise
    return connection


def _make(path: Path) -> None:
    try:
        os.close(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        )
    except FileExistsError:
        # looked at, not opened: closing it would let go of SQLite's own locks in this process
        _refuse_what_is_no_file(path, os.R_OK | os.W_OK)


def _make_private(path: Path) -> None:
    try:
        path.chmod(0o600)
    except OSError as error:
        raise why_closed(path, error) from error


def _refuse_what_is_no_file(path: Path, rights: int) -> None:
    """Raises FileNotFoundError, another OSError or Misconfigured."""
    about = path.lstat()
    for beside in (path.with_name(f"{path.name}{end}") for end in BESIDE):
        if os.path.lexists(beside) and not stat.S_ISREG(beside.lstat().st_mode):
            raise Misconfigured(
                f"{beside}: not a regular file, which what lies beside a journal is; move it away"
            )
    if stat.S_ISLNK(about.st_mode):
        raise Misconfigured(
            f"{path}: a symbolic link, but a journal has one name on the disk: name the file itself"
            " in [state] url"
        )
    if not stat.S_ISREG(about.st_mode):
        raise Misconfigured(
            f"{path}: not a regular file, which the state must be; name another file in [state] url"
        )
    if about.st_nlink > 1:
        raise Misconfigured(
            f"{path}: this file has {about.st_nlink} names (hard links), but a journal has one name"
            " on the disk: remove the others, or copy it and name the copy in [state] url"
        )
    if not os.access(path, rights):
        raise PermissionError(f"{path} is not open to this user")


def open_to_read(path: Path, locked_wait_s: float) -> sqlite3.Connection:
    """Open without writing anything; where there is no journal yet, an empty one in memory.

    A journal of an earlier version is read through a temporary copy in today's form: the file
    itself is migrated by the next `run` or `settle`. All is read as it stood at one moment: a run
    that writes meanwhile would make columns and events of two moments contradict each other.
    Raises as `open_to_write`.
    """
    try:
        _refuse_what_is_no_file(path, os.R_OK)
    except FileNotFoundError:
        return _connected(":memory:")
    except (OSError, ValueError) as error:
        raise why_closed(path, error) from error
    with Translated(path, reading=True):
        connection = _connected(f"{path.absolute().as_uri()}?mode=ro", locked_wait_s)
        try:
            found = _recognise(connection, path)
        except BaseException:
            connection.close()
            raise
        if found == SCHEMA_VERSION:
            connection.execute("BEGIN")
            return connection
        if found is None:
            connection.close()
            return _connected(":memory:")
        return moved_aside(connection)


def moved_aside(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A temporary copy that nobody else can open, in the place of a connection that is closed.
    Raises sqlite3.Error.
    """
    copy = _connected("")
    try:
        connection.backup(copy)
    except BaseException:
        copy.close()
        raise
    connection.close()
    return copy


def is_journal(path: Path) -> bool:
    """Is a file a journal, of whatever version? Nothing is locked, and nothing made beside it. One
    whose tables were never moved out of its WAL is not told.
    """
    try:
        connection = _connected(f"{path.absolute().as_uri()}?mode=ro&immutable=1")
    except sqlite3.Error:
        return False
    try:
        return "journal_id" in _meta(connection)
    except (sqlite3.Error, ValueError):
        return False
    finally:
        connection.close()


def open_beside(path: Path, locked_wait_s: float) -> sqlite3.Connection:
    """One more connection to a journal that this process has open to write, to read by. Raises
    sqlite3.Error.
    """
    return _connected(f"{path.absolute().as_uri()}?mode=ro", locked_wait_s)


def _connected(place: str, locked_wait_s: float = 0.0) -> sqlite3.Connection:
    uri = place.startswith("file:")
    connection = sqlite3.connect(
        place,
        locked_wait_s,
        isolation_level=None,
        check_same_thread=False,
        uri=uri,
    )
    teach(connection)
    return connection


def _recognise(connection: sqlite3.Connection, path: Path) -> str | None:
    """The version of the journal in a file, today's also of one with packed events, None in an
    empty file. Raises Misconfigured for anything else.
    """
    tables = {
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
    }
    if not tables:
        return None
    if {"meta", "events"} <= tables:
        found = _meta(connection)
    else:
        found = {}
    if "journal_id" not in found or "schema_version" not in found:
        raise Misconfigured(
            f"{path}: this SQLite file is not a batchpay journal; name another file in [state] url"
        )
    version = found["schema_version"]
    if version not in KNOWN:
        known = ", ".join(sorted(KNOWN, key=int))
        raise Misconfigured(
            f"{path}: written by another version of batchpay (journal version {version}, this"
            f" program knows {known}); it was left untouched: use the program that wrote it"
        )
    return version


def _meta(connection: sqlite3.Connection) -> dict[str, str]:
    columns = {
        row[1] for row in connection.execute("PRAGMA table_info(meta)").fetchall()
    }
    if not {"name", "value"} <= columns:
        return {}
    return {
        str(name): str(value)
        for name, value in connection.execute("SELECT name, value FROM meta").fetchall()
    }


def prepare(connection: sqlite3.Connection, path: Path, job: str | None) -> str:
    """Make the tables of a new file, or bring an old one to today's version; returns the journal's
    own id.

    `job`: who opens it; None for what is not the file itself but a copy in memory. Raises
    Misconfigured, or TryLater while another job's run is under way on a file that must be migrated:
    it may be that of an earlier program, which does not know what it would have to write from now
    on.
    """
    if _recognise(connection, path) != SCHEMA_VERSION:
        connection.execute("BEGIN IMMEDIATE")
        try:
            _make_or_migrate(connection, path, job)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has rolled back by itself
                connection.execute("ROLLBACK")
            raise
    return _meta(connection)["journal_id"]


def _make_or_migrate(
    connection: sqlite3.Connection, path: Path, job: str | None
) -> None:
    # again: another process may have been faster
    version = _recognise(connection, path)
    if version is None:
        for statement in statements(schema()):
            connection.execute(statement)
        meta = (("schema_version", SCHEMA_VERSION), ("journal_id", uuid.uuid4().hex))
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
    elif job is None:
        migrate(connection)
    elif version != SCHEMA_VERSION:
        with OtherRuns(path, job) as others:
            others.refuse()
            migrate(connection)
            others.refuse()  # those that began meanwhile


class Translated:
    """SQLite's errors as ours, with the place and the remedy. `reading`: nothing is written
    here. Every question to a journal stands in one.
    """

    __slots__ = ("_path", "_reading")

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self._path = path
        self._reading = reading

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            raise Taken(f"{self._path}: {error}") from error
        if isinstance(error, sqlite3.DatabaseError):
            raise _translated(self._path, str(error), reading=self._reading) from error
        if isinstance(error, ValueError | KeyError | TypeError | zlib.error):
            raise InputOutput(
                f"{self._path}: a line of the journal is damaged: {error!r}; {RESTORE}"
            ) from error


def _translated(path: Path, text: str, *, reading: bool) -> BatchpayError:
    if "locked" in text or "busy" in text:
        return TryLater(f"{path}: another program keeps it locked; run again later")
    if "full" in text:
        if reading:
            place = "the disk of temporary files"
        else:
            place = "the disk"
        return CannotWrite(
            f"{path}: {place} is full; free some space and run again, nothing is lost"
        )
    if "readonly" in text or "unable to open" in text:
        what = f"cannot open the journal and what lies beside it ({path.name}-wal, {path.name}-shm)"
        return closed_to_us(path) or CannotWrite(
            f"{path}: {what}: {text}; see that this user may write the file and its folder, and"
            " that the disk is not mounted read-only"
        )
    if "not a database" in text:
        return InputOutput(
            f"{path}: not a SQLite file; if it is this job's journal, it is damaged: {RESTORE}. If"
            " not, name another file in [state] url"
        )
    if "malformed" in text or "no such" in text:
        return InputOutput(f"{path}: the journal is damaged: {text}; {RESTORE}")
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not reading and _may_not_grow(path, most):
        return CannotWrite(
            f"{path}: cannot use the journal: {text}; no file may grow beyond {most >> 10} KiB"
            " here: raise the limit (ulimit -f) and run again, nothing is lost"
        )
    if (free := _free_bytes(path)) is not None and free < LEAST_FREE_BYTES:
        place = f"the disk is all but full ({free >> 10} KiB free)"
        return CannotWrite(
            f"{path}: cannot use the journal: {text}; {place}: free some space and run again"
        )
    return InputOutput(
        f"{path}: cannot use the journal: {text}; check the disk and run again"
    )


def _may_not_grow(path: Path, most: int) -> bool:
    """Is the journal, or a file of SQLite beside it, as large as this process may make one?"""
    if most == resource.RLIM_INFINITY:
        return False
    files = (path.with_name(f"{path.name}{end}") for end in ("", *BESIDE))
    sizes = (file.stat().st_size for file in files if file.exists())
    return any(size + GROWS_BYTES > most for size in sizes)


def _free_bytes(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return None
