"""Which files are meant, each read once and as one snapshot, whatever happens to it meanwhile."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from batchpay.domain.errors import BatchpayError, InputMissing, Misconfigured, TryLater
from batchpay.domain.model import Judged
from batchpay.intake.take_in import Source, take_in
from batchpay.readers import find_files, kinds, open_snapshot, read
from batchpay.readers.snapshot import SIZE_LIMIT
from tests.readers.files import HEADER, job, look, row, text_of
from tests.readers.test_parquet import packed, table
from tests.readers.test_xlsx import book, good
from tests.world import Market, order

# --- one file, once


@pytest.mark.fault("E11", "X20")
def test_a_file_of_many_names_is_read_once(tmp_path: Path) -> None:
    """A glob, a symlink, a hard link, a folder that is a link: by device and inode; other bytes are
    another batch.
    """
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    first = inbox / "a.csv"
    first.write_text(text_of([row(1)]))
    (inbox / "b.csv").symlink_to(first)
    (inbox / "c.csv").hardlink_to(first)
    (inbox / "d.csv").symlink_to(inbox / "gone.csv")
    (inbox / "e.csv").write_bytes(first.read_bytes())
    (inbox / "f.csv").write_text(text_of([row(2)]))
    (inbox / "a.csv.totals.json").write_text("{}")
    (tmp_path / "link").symlink_to(inbox)
    found = find_files(job(tmp_path, "*/*.csv*").input)
    assert [path.name for path in found] == ["a.csv", "e.csv", "f.csv"]
    # e.csv is the same bytes, the same batch
    assert look(tmp_path, "*/[a-e].csv").rows == [2]


@pytest.mark.fault("X20")
def test_files_of_the_job_itself_are_no_orders(market: Market) -> None:
    """A wildcard that fits the lookup file, too: it is left out, under any name, and told once."""
    for number in (1, 2):
        market.orders([order(number, recipient="shop")], f"orders-{number}.csv")
    lookup = '{ column = "recipient", lookup = "shops.csv", key = "a", value = "b" }'
    path = market.folder / "shops.csv"
    path.write_text("a,b\nshop,recp_test_sandbox1\n")
    (market.folder / "link.csv").symlink_to(path)
    market.job(file="*.csv", destination=lookup)
    checked = market.run(verb="check")
    assert checked.returncode == 0, checked.stderr
    told = checked.stdout + checked.stderr
    assert told.count("not read as orders: 'link.csv', 'shops.csv', which") == 1
    assert market.run().returncode == 0
    assert market.money() == {"00001": 1, "00002": 1}
    for name in ("orders-1.csv", "orders-2.csv"):
        (market.folder / name).unlink()
    missing = market.run(verb="check")
    assert missing.returncode == 66
    assert "only 'link.csv', 'shops.csv' is there, of which the job is made" in (
        missing.stderr
    )
    market.job(file="*.csv", destination=lookup, input="optional = true")
    assert market.run().returncode == 0


@pytest.mark.fault("X20", "E11")
def test_reports_of_the_job_itself_are_no_orders(market: Market) -> None:
    """A wildcard that reaches into the folder of its reports means none of them, under any name; a
    path into it does.
    """
    bad = order(2, amount="x")
    (market.folder / "inbox").mkdir()
    market.orders([order(1), bad], "inbox/orders.csv")
    (market.folder / "elsewhere").symlink_to(market.folder / "reports")
    for _ in range(2):
        market.job(file="**/*.csv")
        assert market.run().returncode == 10
        assert market.posts() == 1
    checked = market.run(verb="check")
    told = checked.stdout + checked.stderr
    assert checked.returncode == 10 and "not read as orders: 'rejects.csv'" in told
    assert market.run("--input", "reports/2*/rejects.csv").returncode == 10
    (market.folder / "inbox" / "orders.csv").unlink()
    missing = market.run(verb="check")
    assert missing.returncode == 66 and "or which it wrote" in missing.stderr


@pytest.mark.fault("E11")
def test_a_link_is_charged_once(market: Market) -> None:
    """End to end: three names, one file, every order once."""
    rows = [order(number) for number in range(3)]
    path = market.orders(rows, "orders-1.csv")
    (market.folder / "orders-2.csv").symlink_to(path)
    (market.folder / "orders-3.csv").hardlink_to(path)
    market.job(file="orders-*.csv")
    result = market.run()
    assert (result.returncode, result.stderr) == (0, "")
    assert market.posts() == 3
    market.agree(rows)


@pytest.mark.fault("X20")
def test_only_regular_files_are_input(tmp_path: Path) -> None:
    """Folders, pipes, devices and sockets are 78 at once; nothing waits for a pipe's other end."""
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "sock.csv"))
        for name, kind in (
            ("folder", "folder"),
            ("pipe", "named pipe"),
            ("null", "device"),
            ("sock", "socket"),
        ):
            with pytest.raises(Misconfigured, match=kind):
                look(tmp_path, f"{name}.csv")
    with pytest.raises(InputMissing):
        look(tmp_path, "nobody-*.csv")
    assert look(tmp_path, "nobody-*.csv", input="optional = true").rows == []
    with pytest.raises(InputMissing, match=r"nobody\.csv: there is no such file$"):
        look(tmp_path, "nobody.csv", input="optional = true")
    (tmp_path / "nobodys.csv").touch()
    with pytest.raises(InputMissing, match=r"beside it is 'nobodys\.csv'"):
        look(tmp_path, "nobody.csv", input="optional = true")
    (tmp_path / "november.xlsx").touch()
    with pytest.raises(InputMissing, match=r"beside it is 'november\.xlsx'"):
        look(tmp_path, "november")


@pytest.mark.fault("X08")
def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    """Two gigabytes and a byte, all of it a hole."""
    with (tmp_path / "orders.csv").open("wb") as file:
        file.truncate(SIZE_LIMIT + 1)
    assert "split the file" in look(tmp_path, "orders.csv").refusal


@pytest.mark.fault("X20")
def test_names_of_any_kind_are_names(tmp_path: Path) -> None:
    """Brackets and stars, other scripts, bytes that are no text."""
    for name in ("orders[1]*.csv", "คำสั่ง 1.csv", os.fsdecode(b"o\xff.csv"), "-rf.csv"):
        (tmp_path / name).write_text(text_of([row(1)]))
        with open_snapshot(tmp_path / name) as snapshot:
            assert [
                list(c.rows)
                for c in read(snapshot, job(tmp_path, "x.csv").input, HEADER).chunks()
            ] == [[2]]
    (tmp_path / "orders[1]*.csv").write_text(text_of([row(5)]))
    assert look(tmp_path, "orders[1]*.csv").documents[0]["order_id"] == "A00005"


# --- one snapshot


def _touched(tmp_path: Path, name: str, data: bytes, change: bytes, when: int) -> None:
    """Take the file in, and write to it when its n-th chunk comes."""
    path = tmp_path / name
    path.write_bytes(data)

    def keep(source: Source, chunks: Iterator[Judged]) -> None:
        for number, _ in enumerate(chunks):
            if number == when:
                os.utime(path, ns=(0, 1))
                with path.open("r+b") as file:
                    file.seek(0, os.SEEK_END if change else os.SEEK_SET)
                    file.write(change)

    with ExitStack() as stack:
        take_in(job(tmp_path, name), stack, lambda sha256: sha256, keep)


FILES = {
    "orders.csv": cache(
        lambda: text_of([row(number) for number in range(30_000)]).encode()
    ),
    "orders.parquet": cache(
        lambda: packed(table(*(row(number) for number in range(30_000))))
    ),
    "orders.xlsx": cache(lambda: book(*(good(number) for number in range(9_000)))),
}


@pytest.mark.fault("E06", "E07")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", [b"", b"x" * 10])
def test_a_file_that_changes_while_it_is_read_is_left_for_later(
    tmp_path: Path, name: str, change: bytes
) -> None:
    """75: longer, or only touched, after the first chunk."""
    with pytest.raises(TryLater, match="still being written"):
        _touched(tmp_path, name, FILES[name](), change, 0)


@pytest.mark.fault("E06", "E07")
@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet", "orders.xlsx"])
def test_a_file_that_breaks_while_it_is_read_is_75_and_not_65(
    tmp_path: Path, name: str
) -> None:
    """Cut between opening and reading: it is not damaged, it is not finished."""
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    with open_snapshot(path) as snapshot, pytest.raises(TryLater):
        os.truncate(path, 20)
        for _ in read(snapshot, job(tmp_path, name).input, HEADER).chunks():
            pass


@pytest.mark.fault("E06")
def test_a_file_that_is_replaced_by_name_is_read_as_it_was_opened(
    tmp_path: Path,
) -> None:
    """mv over it is the right way to hand over a file: the descriptor keeps what was digested."""
    path = tmp_path / "orders.csv"
    path.write_text(text_of([row(1)]))
    with open_snapshot(path) as snapshot:
        (tmp_path / "new.csv").write_text(text_of([row(2), row(3)]))
        (tmp_path / "new.csv").replace(path)
        chunks = list(
            read(snapshot, job(tmp_path, "orders.csv").input, HEADER).chunks()
        )
        snapshot.verify_unchanged()
    assert [chunk.texts("order_id") for chunk in chunks] == [["A00001"]]


@pytest.mark.fault("E06", "E07", "I13")
def test_a_slow_writer_is_75_or_a_whole_line_and_never_half_of_one(
    market: Market,
) -> None:
    """A thread appends half lines while the program runs: nothing is charged that a whole line does
    not ask for.
    """
    rows = [order(number) for number in range(400)]
    whole = market.orders(rows).read_bytes()
    market.job(more="[controls]\ncount = 400")
    path = market.folder / "orders.csv"
    path.write_bytes(whole[:1000])

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            for at in range(1000, len(whole), 97):
                file.write(whole[at : at + 97])
                time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    codes = []
    for _ in range(20):
        codes.append(market.run().returncode)
        assert codes[-1] in (0, 65, 75)
        assert codes[-1] == 0 or market.posts() == 0
        if codes[-1] == 0:
            break
        writer.join(0.5)
    writer.join()
    assert codes[-1] == 0
    assert path.read_bytes() == whole
    market.agree(rows)


def test_every_refusal_is_one_of_ours(tmp_path: Path) -> None:
    """A file nobody may read is 74, not a traceback."""
    path = tmp_path / "orders.csv"
    path.write_text(text_of([row(1)]))
    path.chmod(0)
    if os.access(path, os.R_OK):
        return  # root reads everything
    with pytest.raises(BatchpayError) as caught:
        look(tmp_path, "orders.csv")
    assert caught.value.exit_code == 74


# --- one bad file of a glob


@pytest.mark.fault("J22", "X20")
def test_one_bad_file_of_a_glob_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, a pipe, a socket, a file that cannot be read, one that is no text, one without a
    name, bad totals.
    """
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number, name in enumerate(("a.csv", "m.csv", "z.csv")):
        (inbox / name).write_text(text_of([row(number)]))
    (inbox / "b.csv").mkdir()
    os.mkfifo(inbox / "c.csv")
    (inbox / "d.csv").write_bytes(b"\xff\xfe")
    (inbox / os.fsdecode(b"e\xff.csv")).write_text(text_of([row(8)]))
    (inbox / "f.csv").write_text(text_of([row(9)]))
    (inbox / "f.csv.totals.json").mkdir()
    (inbox / "g.csv").symlink_to("g.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(inbox)
        listening.bind("h.csv")
        looked = look(tmp_path, "inbox/*.csv")
    assert [
        document["order_id"]
        for document in looked.documents
        if document["order_id"] != "A00009"
    ] == [
        "A00000",
        "A00001",
        "A00002",
    ]
    told = "\n".join(looked.refused)
    for words in (
        "b.csv: is a folder",
        "c.csv: is a named pipe",
        "d.csv: ",
        "e\\xff.csv: the name of this file is not",
        "f.csv.totals.json: cannot read",
        "g.csv: cannot be opened",
        "h.csv: is a socket",
    ):
        assert words in told
    assert len(looked.refused) == 7


@pytest.mark.fault("J22")
def test_a_night_with_a_bad_file_charges_the_others(market: Market) -> None:
    """Through the program: the good files are charged and reported, the code is the worst, no
    traceback.
    """
    market.orders([order(1)], "orders-1.csv")
    market.orders([order(2)], "orders-9.csv")
    (market.folder / "orders-2.csv").mkdir()
    (market.folder / os.fsdecode(b"orders-3\xff.csv")).write_text("x")
    market.job(file="orders-*.csv")
    for verb in ("check", "plan", "run"):
        result = market.run(verb=verb)
        assert "orders-2.csv: is a folder" in result.stderr
        assert "orders-3\\xff.csv" in result.stderr
        assert "Traceback" not in result.stderr
        assert "bug" not in result.stderr
        assert result.returncode in (65, 78)
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("J22")
@pytest.mark.parametrize("number", [1, 2])
def test_a_file_that_still_grows_waits_and_the_others_do_not(
    tmp_path: Path, number: int
) -> None:
    """One alone is 75; one of several is told, and the rest is read."""
    for at in range(number):
        (tmp_path / f"orders-{at}.csv").write_text(text_of([row(at)]))
    growing = tmp_path / f"orders-{number - 1}.csv"
    seen = []

    def keep(source: Source, chunks: Iterator[Judged]) -> None:
        for judged in chunks:
            seen.append(judged.documents[0]["order_id"])
        if source.snapshot.path == growing:
            with growing.open("ab") as file:
                file.write(b"x")

    with ExitStack() as stack:
        if number == 1:
            with pytest.raises(TryLater, match="still being written"):
                take_in(
                    job(tmp_path, "orders-*.csv"), stack, lambda sha256: sha256, keep
                )
        else:
            intakes = take_in(
                job(tmp_path, "orders-*.csv"), stack, lambda sha256: sha256, keep
            )
            assert [type(error).exit_code for error in intakes.refused] == [75]
            assert [intake.snapshot.name for intake in intakes.files] == [
                "orders-0.csv"
            ]


# --- what programs leave beside files


@pytest.mark.fault("X19")
def test_what_programs_leave_is_no_input(tmp_path: Path) -> None:
    """Owner files, marks of finished folders, of Finder; who has the file open is told."""
    inbox = tmp_path / "inbox"
    (inbox / "__MACOSX").mkdir(parents=True)
    (inbox / "orders.csv").write_text(text_of([row(1)]))
    (inbox / "__MACOSX" / "orders.csv").write_text("junk")
    mark = (
        b"\x06Noklek"
        + b" " * 49
        + b"\x06\0"
        + "Noklek".encode("utf-16-le")
        + b"\0" * 90
    )
    (inbox / "~$orders.csv").write_bytes(mark[:1] + mark[1:])
    looked = look(tmp_path, "inbox/**/*.csv")
    assert (looked.rows, looked.refused) == ([2], [])
    assert looked.notes[0].startswith("Noklek has it open")
    (inbox / "orders.csv").unlink()
    with pytest.raises(InputMissing, match=r"only '~.orders\.csv' is there"):
        look(tmp_path, "inbox/*.csv")
    assert (
        "say orders.csv in [input] file" in look(tmp_path, "inbox/~$orders.csv").refusal
    )


@pytest.mark.fault("X19")
def test_a_folder_is_told_with_the_files_in_it(tmp_path: Path) -> None:
    """As programs write a Parquet file in parts."""
    parts = tmp_path / "orders.parquet"
    parts.mkdir()
    (parts / "_SUCCESS").write_bytes(b"")
    (parts / "part-0.parquet").write_bytes(packed(table(row(1))))
    with pytest.raises(
        Misconfigured, match=r'1 .parquet file: say file = "'
    ) as refused:
        look(tmp_path, "orders.parquet")
    glob = str(refused.value).partition('"')[2].partition('"')[0]
    assert look(tmp_path, glob).rows == [2]


def _zip_of(parts: int, version: bytes = b"") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        for number in range(parts):
            packed.writestr(f"{number:0200d}", b"")
    data = sink.getvalue()
    start = data.find(b"PK\x01\x02")
    return (
        data[: start + 6] + (version or data[start + 6 : start + 8]) + data[start + 8 :]
    )


@pytest.mark.fault("X08")
def test_a_zip_is_known_whatever_its_table_of_contents_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a version to come, or so long that reading it would take memory."""
    assert "'0000" in look(tmp_path, "orders.csv", _zip_of(9)).refusal
    later = look(tmp_path, "orders.csv", _zip_of(1, b"\x74\x00"))
    assert "zip" in later.refusal
    monkeypatch.setattr(kinds, "_LONGEST_CONTENTS", 1000)
    assert "a zip: unpack it" in look(tmp_path, "orders.csv", _zip_of(9)).refusal
