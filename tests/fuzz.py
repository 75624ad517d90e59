"""`python -m tests.fuzz --seconds 60`: broken files for readers and mapping, and for what `init
--from` proposes, as long as it is told.

Good files of every kind are cut, flipped, doubled and mixed. Whatever comes of it is rows, problems
or a refusal in words: no other exception, and no order whose id or amount the file does not hold.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from batchpay.commands.proposing import propose
from batchpay.domain.errors import BatchpayError
from batchpay.domain.money import NotMoney, to_minor
from tests.badfiles import NOTES, all_of_them, book_of, parquet_of, text_of
from tests.readers.files import Looked, look

NAMES = ("orders.csv", "orders.tsv", "orders.csv.gz", "orders.parquet", "orders.xlsx")
PIECES = (
    b",",
    b"\n",
    b'"',
    b";",
    b"\t",
    b"\r\n",
    b"\0",
    b"\xff",
    b"1,200.00",
    b"12,50",
    b"Total",
)
SETTINGS = (
    "",
    "header_row = 2",
    'encoding = "cp874"',
    'total_rows = "skip"',
    'struck_rows = "accept"',
    'range = "A1:H"',
)

FORMS = (
    "",
    "",
    ', format = "1.234,56"',
    ', format = "¤1,234.00"',
    ', format = ["(1,234.56)", "1,234"]',
)

SEEDS = [bad.data for bad in all_of_them()[::7]]
SEEDS += [text_of(note).encode() for note in NOTES.values()]
SEEDS += [book_of("x"), parquet_of("x")]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A good file with some pieces cut out, put in or changed."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 8))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=4))
        data = data[:at] + piece + data[at + cut :]
    return data


def held(data: bytes, looked: Looked) -> None:
    """Every order of a text holds an id and an amount that stand side by side in one of its lines.

    The judge reads the file on its own; what it cannot read it does not judge.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    cells = set()
    for delimiter in ",;\t|":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            cells.update((row[at], _minor(row[at + 1])) for at in range(len(row) - 1))
    for at, document in enumerate(looked.documents):
        if looked.rows[at] not in looked.problems:
            assert (document["order_id"], document["amount"]) in cells, (data, document)


def _minor(text: str) -> int | None:
    try:
        return to_minor(text, "THB")
    except NotMoney:
        return None


def once(folder: Path, name: str, data: bytes, how: str, form: str) -> None:
    """One file, to its end; where no form is declared, each order is held against its text."""
    told = f'{{ column = "amount", unit = "major"{form} }}'
    try:
        looked = look(folder, name, data, input=how, amount=told)
    except BatchpayError:
        return
    if name == "orders.csv" and not form:
        held(data, looked)


def proposed(folder: Path, name: str, data: bytes) -> None:
    """A job for the file, which is TOML, or a refusal."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = Path(made) / name
        path.write_bytes(data)
        try:
            propose(Path(made), path, None)
        except BatchpayError:
            return
        told = tomllib.loads((Path(made) / "job.toml").read_text("utf-8"))
        assert told["to_confirm"], data


def main() -> None:
    """Until the time is up, or something breaks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    end = time.monotonic() + parser.parse_args().seconds
    tried = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)

        @settings(
            max_examples=200,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            st.sampled_from(NAMES),
            broken(),
            st.sampled_from(SETTINGS),
            st.sampled_from(FORMS),
        )
        def some(name: str, data: bytes, how: str, form: str) -> None:
            nonlocal tried
            if time.monotonic() > end:
                return
            tried += 1
            once(folder, name, data, how, form)
            if tried % 8 == 0:
                proposed(folder, name, data)

        while time.monotonic() < end:
            some()
    sys.stdout.write(f"{tried} files: nothing but rows, problems and refusals\n")


if __name__ == "__main__":
    main()
