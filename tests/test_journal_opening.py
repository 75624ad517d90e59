"""What stands in the way of a journal: told by its own code, with whose it is and what to do, and
left as it was.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchpay.domain.errors import (
    BatchpayError,
    Bug,
    CannotWrite,
    InputOutput,
    Misconfigured,
)
from batchpay.domain.model import Event
from batchpay.journals.lock import RunLock
from batchpay.journals.place import why_closed
from batchpay.journals.sqlite.opening import Translated
from batchpay.journals.sqlite.store import SqliteJournal

NOBODY = 65534
as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become another user"
)


def made(path: Path) -> Path:
    journal = SqliteJournal(path, "night")
    journal.append([Event("run.started")])
    journal.close()
    return path


def write(path: Path) -> None:
    SqliteJournal(path, "night").close()


def read(path: Path) -> None:
    SqliteJournal(path, "night", read_only=True).close()


def lock(path: Path) -> None:
    RunLock(path, "night", 5, {"started": "noon"}).close()


WAYS: list[Callable[[Path], None]] = [write, read, lock]


def as_nobody(act: Callable[[Path], None], path: Path) -> tuple[int, str]:
    """What another user of this machine is told, and with which code."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        code, said = 0, ""
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            act(path)
        except BatchpayError as error:
            code, said = error.exit_code, str(error)
        except BaseException as error:
            code, said = 70, repr(error)
        os.write(writer, f"{code}\t{said}".encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        code, _, said = answer.read().partition("\t")
    return int(code), said


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user of this machine may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.fault("J22")
@as_root
@pytest.mark.parametrize("act", WAYS)
def test_another_users_journal_says_whose_it_is(
    shared: Path, act: Callable[[Path], None]
) -> None:
    """A private file in a folder that everybody may see: 78, and no word of a bug or a backup."""
    path = made(shared / "state" / "j.db")
    lock(path)
    before = path.read_bytes()
    path.parent.chmod(0o755)
    code, said = as_nobody(act, path)
    assert code == 78, said
    assert "belongs to user root and is closed to user" in said, said
    assert "run batchpay as root" in said
    assert "restore" not in said
    assert path.read_bytes() == before


@pytest.mark.fault("J22")
@as_root
@pytest.mark.parametrize("act", WAYS)
def test_another_users_folder_says_whose_it_is(
    shared: Path, act: Callable[[Path], None]
) -> None:
    """Not even the file's being there can be seen: never taken for a journal that is not there
    yet.
    """
    path = made(shared / "state" / "deep" / "j.db")
    path.parent.chmod(0o755)
    path.parent.parent.chmod(0o700)
    code, said = as_nobody(act, path)
    assert code == 78, said
    assert (
        f"{path.parent.parent}: the folder of this job's state belongs to user root"
        in said
    ), said


@pytest.mark.fault("J22")
@as_root
@pytest.mark.parametrize("act", [write, lock])
def test_a_folder_that_is_not_ours_to_write_says_whose_it_is(
    shared: Path, act: Callable[[Path], None]
) -> None:
    """There is no journal yet, and this user cannot make one there."""
    (shared / "state").mkdir(mode=0o755)
    code, said = as_nobody(act, shared / "state" / "j.db")
    assert code == 78, said
    assert "belongs to user root" in said, said


@pytest.mark.fault("J22")
@as_root
def test_a_file_that_others_may_write_is_still_its_owners(shared: Path) -> None:
    """The state is private to one user; whoever else opens it leaves it as it is."""
    path = made(shared / "state" / "j.db")
    path.parent.chmod(0o777)
    path.chmod(0o666)
    code, said = as_nobody(write, path)
    assert code == 78, said
    assert "belongs to user root" in said
    assert path.stat().st_mode & 0o777 == 0o666


@pytest.mark.fault("J22")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")
@pytest.mark.parametrize("act", WAYS)
def test_our_own_file_that_we_closed_is_73(
    tmp_path: Path, act: Callable[[Path], None]
) -> None:
    """Its owner is told what to see to."""
    path = made(tmp_path / "state" / "j.db")
    lock(path)
    for there in path.parent.iterdir():
        there.chmod(0)
    with pytest.raises(
        CannotWrite, match="see that this user may write the file and its folder"
    ):
        act(path)


def linked(path: Path) -> Path:
    link = path.with_name("link.db")
    link.symlink_to(made(path))
    return link


def doubly_named(path: Path) -> Path:
    os.link(made(path), path.with_name("other.db"))
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def under_a_file(path: Path) -> Path:
    path.write_text("a file")
    return path / "deep" / "j.db"


NAMES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a symbolic link": (linked, "one name on the disk: name the file itself"),
    "a hard link": (doubly_named, "has 2 names"),
    "a folder": (folder, "not a regular file"),
    "a pipe": (pipe, "not a regular file"),
    "under a file": (under_a_file, "name another file"),
    "a name that is too long": (
        lambda path: path.with_name("j" * 300),
        "name another file",
    ),
    "a NUL in the name": (
        lambda path: path.with_name("j\0.db"),
        "no file can have this name",
    ),
}


@pytest.mark.fault("J22", "X20")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("act", [write, read])
def test_what_is_no_file_for_a_journal_is_78(
    tmp_path: Path, name: str, act: Callable[[Path], None]
) -> None:
    """For a run and for a plan alike."""
    make, said = NAMES[name]
    with pytest.raises(Misconfigured, match=said):
        act(make(tmp_path / "j.db"))


@pytest.mark.fault("D12")
@pytest.mark.parametrize(
    "tables",
    [
        "CREATE TABLE customers (name)",
        "CREATE TABLE meta (a); CREATE TABLE events (b)",
        "CREATE TABLE meta (name, value); CREATE TABLE events (b)",
    ],
)
@pytest.mark.parametrize("act", [write, read])
def test_another_programs_database_is_left_alone(
    tmp_path: Path, tables: str, act: Callable[[Path], None]
) -> None:
    """Not a byte, nor its mode: it is not made ours before it is known to be."""
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(tables)
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(
        Misconfigured, match="not a batchpay journal; name another file"
    ):
        act(path)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_empty_file_is_a_journal_not_yet_made(tmp_path: Path) -> None:
    """A run that died at once leaves one: it is read as nothing, and made by the next."""
    path = tmp_path / "j.db"
    path.touch()
    journal = SqliteJournal(path, "night", read_only=True)
    assert list(journal.events()) == []
    journal.close()
    assert path.stat().st_size == 0
    write(path)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("database is locked", 75, "run again later"),
        ("database or disk is full", 73, "free some space"),
        (
            "attempt to write a readonly database",
            73,
            "may write the file and its folder",
        ),
        ("unable to open database file", 73, "may write the file and its folder"),
        ("disk I/O error", 74, "check the disk and run again"),
        ("database disk image is malformed", 74, "restore the last good copy"),
        ("no such table: events", 74, "restore the last good copy"),
        ("file is not a database", 74, "if it is this job's journal, it is damaged"),
    ],
)
def test_a_backup_is_named_only_where_the_journal_is_damaged(
    tmp_path: Path, text: str, code: int, said: str
) -> None:
    """Whatever SQLite says gets the advice that helps."""
    with (
        pytest.raises(BatchpayError, match=said) as raised,
        Translated(tmp_path / "j.db"),
    ):
        raise sqlite3.OperationalError(text)
    assert raised.value.exit_code == code
    assert ("restore" in str(raised.value)) == ("damaged" in str(raised.value))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, 73),
        (errno.EROFS, 73),
        (errno.EMFILE, 75),
        (errno.EIO, 73),
        (errno.ELOOP, 78),
    ],
)
def test_what_the_system_says_of_a_file_has_its_code(
    tmp_path: Path, number: int, code: int
) -> None:
    """With the system's own words."""
    error = why_closed(tmp_path / "j.db", OSError(number, os.strerror(number)))
    assert error.exit_code == code
    assert (
        "full" in str(error)
        if number == errno.ENOSPC
        else os.strerror(number) in str(error)
    )


def test_a_file_where_the_folder_belongs_is_named_itself(tmp_path: Path) -> None:
    """Not what should lie in it, which nobody could move away."""
    (tmp_path / "state").touch()
    error = why_closed(tmp_path / "state/j.db", NotADirectoryError())
    assert str(error).startswith(f"{tmp_path / 'state'}: a file")


def test_what_cannot_be_written_blames_no_disk(tmp_path: Path) -> None:
    """An event that holds what JSON or SQLite cannot is ours to mend; the journal is as it was and
    goes on.
    """
    journal = SqliteJournal(tmp_path / "j.db", "night")
    for odd in (Event("x", 2**70), Event("x", data={"a": object()}), Event("\ud800")):
        with pytest.raises(Bug, match="cannot be written"):
            journal.append([Event("y"), odd])
    journal.append([Event("z")])
    assert [event.kind for event in journal.events()] == ["z"]
    journal.close()


@pytest.mark.fault("D06")
@pytest.mark.parametrize("data", ["{", "[1]", "null", '"x"', "{}"])
def test_a_damaged_line_is_74_for_who_only_reads(tmp_path: Path, data: Any) -> None:
    """`status` verifies nothing first; it ends with a sentence, too."""
    path = made(tmp_path / "j.db")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER events_stay")
        raw.execute(
            "UPDATE events SET kind = 'batch.planned', batch_id = 'b', data = ?",
            (data,),
        )
        raw.commit()
    journal = SqliteJournal(path, "night", read_only=True)
    for ask in (
        journal.batches,
        lambda: journal.repeats("b"),
        lambda: list(journal.chunks("b")),
    ):
        with pytest.raises(InputOutput, match="damaged"):
            ask()
    journal.close()
