"""Parquet: every type as exact text, every page against its check sum, every bomb in a process of
its own.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import resource
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from batchpay.domain.errors import FileRefused, TryLater
from batchpay.job.job import Input, Roles
from batchpay.readers import apart, open_snapshot, read
from batchpay.readers.pieces import Notes
from tests.doses import SWEEP
from tests.readers.files import CARD, HEADER, Looked, job, look, row


def table(*rows: dict[str, Any], **columns: pa.Array) -> pa.Table:
    """Rows of text, with some columns of another type."""
    arrays = {
        name: pa.array([cells.get(name) for cells in rows], pa.string())
        for name in HEADER
    }
    return pa.table({**arrays, **columns})


def packed(of: pa.Table, **how: Any) -> bytes:
    """The bytes of a Parquet file with page check sums."""
    sink = io.BytesIO()
    pq.write_table(of, sink, **{"write_page_checksum": True, **how})
    return sink.getvalue()


def look_at(folder: Path, of: pa.Table, **how: Any) -> Looked:
    """What becomes of the table."""
    return look(folder, "orders.parquet", packed(of), **how)


# --- types

STAMP = dt.datetime(2026, 11, 24, 13, 5)
TYPES: list[tuple[pa.Array, list[str]]] = [
    (pa.array(["0001", None, "x\ny"], pa.large_string()), ["0001", "", "x\ny"]),
    (pa.array(["a", None, "a"]).dictionary_encode(), ["a", "", "a"]),
    (pa.array([1, None, -(2**63)], pa.int64()), ["1", "", str(-(2**63))]),
    (pa.array([0, None, 2**64 - 1], pa.uint64()), ["0", "", str(2**64 - 1)]),
    (pa.array([True, None, False]), ["true", "", "false"]),
    (pa.array([1.0, None, 0.07], pa.float64()), ["1", "", "0.07"]),
    (pa.array([0.5, None, 19.99], pa.float32()), ["0.5", "", "19.99"]),
    (
        pa.array([1e22, float("nan"), float("-inf")]),
        ["10000000000000000000000", "NaN", "-Infinity"],
    ),
    (
        pa.array([Decimal("10.50"), None, Decimal("-0.07")], pa.decimal128(9, 2)),
        ["10.5", "", "-0.07"],
    ),
    (
        pa.array([Decimal("100"), None, Decimal("0")], pa.decimal128(38, 18)),
        ["100", "", "0"],
    ),
    (
        pa.array([Decimal(10) ** 40, None, Decimal(1)], pa.decimal256(60, 5)),
        ["1" + "0" * 40, "", "1"],
    ),
    (
        pa.array([dt.date(2026, 11, 24), None, dt.date(1, 1, 1)]),
        ["2026-11-24", "", "0001-01-01"],
    ),
    (
        pa.array([STAMP, None, STAMP], pa.timestamp("us")),
        ["2026-11-24T13:05:00", "", "2026-11-24T13:05:00"],
    ),
    (
        pa.array([STAMP, None, STAMP], pa.timestamp("ms", "Asia/Bangkok")),
        ["2026-11-24T13:05:00Z", "", "2026-11-24T13:05:00Z"],
    ),
    (
        pa.array([dt.time(13, 5), None, dt.time(0)], pa.time64("us")),
        ["13:05:00", "", "00:00:00"],
    ),
    (pa.array([None, None, None], pa.null()), ["", "", ""]),
    (pa.array([[1, 2], None, []]), ["[1, 2]", "", "[]"]),
    (pa.array([{"a": "ก"}, None, {"a": None}]), ['{"a": "ก"}', "", '{"a": null}']),
    (pa.array([b"\x00\xff", None, b""]), ["", "", ""]),
]


@pytest.mark.fault("X15", "X18")
def test_every_type_has_its_text(tmp_path: Path) -> None:
    """Exact: no exponent, no rounding, zeros of a text kept, zeros that only fill up a decimal's
    type left away.
    """
    columns = {f"x{number}": array for number, (array, _) in enumerate(TYPES)}
    looked = look_at(tmp_path, table(row(1), row(2), row(3), **columns))
    assert looked.problems == {}
    for number, (array, texts) in enumerate(TYPES):
        assert looked.cells[f"x{number}"] == texts, array.type


@pytest.mark.fault("X15", "X12", "X09")
@pytest.mark.parametrize(
    ("array", "rules"),
    [
        (pa.array([10, 0]), [None, "amount-not-positive"]),
        (pa.array([10.0, 10.5]), [None, None]),
        (pa.array([0.1 + 0.2, 1e22]), [None, "number-not-exact"]),
        (pa.array([float("nan"), float("inf")]), ["not-a-number", "not-a-number"]),
        (pa.array([19.99, 12345.678], pa.float32()), [None, "number-not-exact"]),
        (pa.array([True, False]), ["number-format", "number-format"]),
        (pa.array([None, "1.0"]), ["required", None]),
        (
            pa.array([Decimal("10.5000"), Decimal("1.0050")], pa.decimal128(18, 4)),
            [None, "too-many-decimals"],
        ),
        (pa.array([dt.date(2026, 11, 24), None]), ["number-format", "required"]),
        (pa.array(["10", "1e1"]).dictionary_encode(), [None, "number-format"]),
    ],
)
def test_amounts_of_any_type_are_exact_or_rejected(
    tmp_path: Path, array: pa.Array, rules: list[str | None]
) -> None:
    """true is not 1, a float of more digits than it keeps is nobody's amount but for the noise of a
    sum, a decimal is what it says.
    """
    looked = look_at(tmp_path, table(row(1), row(2), amount=array))
    for number, rule in zip((2, 3), rules, strict=True):
        assert [found[1] for found in looked.rules.get(number, [])][:1] == (
            [rule] if rule else []
        ), number
    for document in looked.documents:
        assert type(document.get("amount", 0)) is int


@pytest.mark.fault("X15", "X18")
@pytest.mark.parametrize(
    "array", [pa.array([[1]]), pa.array([{"a": 1}]), pa.array([b"x"])]
)
def test_a_field_cannot_be_made_of_what_has_no_text(
    tmp_path: Path, array: pa.Array
) -> None:
    """Lists, structures and bytes: the file is refused, naming the column and its type."""
    refusal = look_at(tmp_path, table(row(1), order_id=array)).refusal
    assert "column 'order_id' is of type" in refusal
    assert str(array.type).partition("<")[0] in refusal


@pytest.mark.fault("X26")
@pytest.mark.parametrize(
    "array",
    [
        pa.array([int(CARD)]),
        pa.array([float(CARD)]),
        pa.array([CARD]),
        pa.array([[int(CARD)]]),
        pa.array([Decimal(CARD)]),
        pa.array([CARD]).dictionary_encode(),
    ],
)
def test_card_numbers_of_any_type_are_masked(tmp_path: Path, array: pa.Array) -> None:
    """Also inside of lists and in what is said of a float."""
    columns = (
        ["extra"] if pa.types.is_nested(array.type) else ["extra", "order_id", "amount"]
    )
    for column in columns:
        looked = look_at(tmp_path, table(row(1), **{column: array}))
        assert (column, "card-number") in looked.rules[2]
        assert CARD not in str(looked)


@pytest.mark.fault("X02", "X06", "X15")
def test_rows_and_columns_are_told_as_in_any_file(tmp_path: Path) -> None:
    """The first row is row 2; two columns of one name, or one too few, refuse the file; empty rows
    are counted.
    """
    looked = look_at(tmp_path, table(row(1), {}, row(3, note="a\x00b")))
    assert (looked.rows, looked.rules) == ([2, 4], {4: [("note", "control-character")]})
    assert "1 blank row skipped" in looked.notes
    twice = table(row(1)).append_column("amount", pa.array(["1"]))
    assert "more than one column is called 'amount'" in look_at(tmp_path, twice).refusal
    unused = look_at(tmp_path, table(row(1)).append_column("extra", pa.array(["1"])))
    assert (unused.problems, unused.cells["extra (2)"]) == ({}, ["1"])
    assert (
        "no column 'amount'"
        in look_at(tmp_path, table(row(1)).drop_columns(["amount"])).refusal
    )
    empty = look_at(tmp_path, table())
    assert (empty.refused, empty.rows) == ([], [])


# --- damage


@pytest.mark.fault("X18", "E07")
def test_a_file_cut_or_with_a_wrong_footer_is_refused(tmp_path: Path) -> None:
    """Without its footer, with a footer of another length, in the middle."""
    whole = packed(table(row(1), row(2)))
    for cut in (4, 12, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        assert look(tmp_path, "orders.parquet", whole[:cut]).refused, cut
    for length in (0, 1, len(whole), 2**31 - 1, 2**32 - 1):
        data = whole[:-8] + length.to_bytes(4, "little") + b"PAR1"
        assert look(tmp_path, "orders.parquet", data).refused, length
    assert (
        "encrypted"
        in look(tmp_path, "orders.parquet", b"PARE" + whole[4:-4] + b"PARE").refusal
    )


@pytest.mark.fault("X18")
def test_a_flipped_bit_in_a_page_is_found_by_its_check_sum(tmp_path: Path) -> None:
    """A bit of a value, which would decode to another amount without any error."""
    whole = packed(
        table(row(1, amount="1000000001"), row(2)),
        compression="none",
        use_dictionary=False,
        write_statistics=False,
    )
    data = bytearray(whole)
    data[whole.index(b"1000000001") + 9] ^= 1
    assert "cut or damaged" in look(tmp_path, "orders.parquet", bytes(data)).refusal
    bare = packed(table(row(1)), write_page_checksum=False)
    # `check` warns that there are no control totals
    assert look(tmp_path, "orders.parquet", bare).refused == []


@pytest.mark.fault("X18")
def test_flipped_bits_anywhere_are_refused_or_change_no_cell(tmp_path: Path) -> None:
    """Whatever a broken footer or page header makes of the library, it is one sentence in the
    end.
    """
    whole = packed(
        table(row(1), row(2)).select(
            ["order_id", "amount", "currency", "recipient", "customer"]
        )
    )
    five = {"description": "", "metadata": ""}
    clean = look(tmp_path, "orders.parquet", whole, **five)
    for at in range(5, len(whole), len(whole) // 14):
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        looked = look(tmp_path, "orders.parquet", bytes(data), **five)
        assert looked.refused or (looked.documents, looked.problems) == (
            clean.documents,
            clean.problems,
        ), at


@pytest.mark.usefixtures("own_process")
@pytest.mark.fault("X18", "D15")
def test_a_small_file_of_huge_values_ends_in_its_own_process(tmp_path: Path) -> None:
    """A dictionary of one long text that every row points at: hundreds of gigabytes out of some
    kilobytes.
    """
    indices = pa.array([0] * 100_000, pa.int32())
    bomb = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 4 * 2**20]))
    rows = {name: pa.array([row()[name]] * 100_000) for name in HEADER}
    looked = look_at(tmp_path, pa.table({**rows, "extra": bomb}))
    assert "unpacks to more than 100 times its size" in looked.refusal


@pytest.mark.fault("J25", "X18")
@pytest.mark.parametrize(
    "kind",
    [
        *("rows", "texts", "packed"),
        *(
            pytest.param(kind, marks=SWEEP)
            for kind in ("differences", "nothing", "lists")
        ),
    ],
)
def test_a_small_file_of_many_rows_costs_neither_memory_nor_time(
    tmp_path: Path, kind: str
) -> None:
    """The same over and over, however it is packed: 65 within some megabytes of it, in a process
    that stays small.
    """
    count = 40_000
    made = {name: pa.array([row()[name]] * count) for name in HEADER}
    how: dict[str, Any] = {"compression": "zstd"}
    if kind == "texts":
        made["extra"] = pa.array(["x" * 10_000] * count)
    elif kind == "packed":
        made["extra"], how["use_dictionary"] = pa.array(["x" * 10_000] * count), False
    elif kind == "differences":
        made["extra"], how["use_dictionary"] = pa.array(["x" * 10_000] * count), False
        how["column_encoding"] = {"extra": "DELTA_BYTE_ARRAY"}
    elif kind == "nothing":
        made = {name: pa.nulls(count * 100, pa.string()) for name in HEADER}
    elif kind == "lists":
        made["extra"] = pa.array([[1] * 300] * count)
    else:
        made = {name: pa.array([row()[name]] * count * 10) for name in HEADER}
    data = packed(pa.table(made), **how)
    assert len(data) < 300_000
    (tmp_path / "orders.parquet").write_bytes(data)
    job(tmp_path, "orders.parquet")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "unpacks to more than 100 times its size" in done.stderr
    code, kilobytes = map(int, done.stdout.split()[-2:])
    assert code == 65
    assert kilobytes < 300 * 1024


# Of a process that this one starts, the kernel would count this one's memory too.
MEASURED = """
import resource, subprocess, sys
words = ["check", "job.toml", "--input", "orders.parquet"]
done = subprocess.run([sys.executable, "-m", "batchpay", *words])
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.fault("J25")
def test_many_different_rows_are_a_file_of_orders(tmp_path: Path) -> None:
    """In one row group or in many, whatever the packing: every row once, in order."""
    rows = table(*(row(number, note="n" * (number % 50)) for number in range(20_000)))
    for how in (
        {},
        {"use_dictionary": False},
        {"row_group_size": 999},
        {"compression": "zstd"},
        {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"},
    ):
        looked = look(tmp_path, "orders.parquet", packed(rows, **how))
        assert (looked.refused, looked.rows) == ([], list(range(2, 20_002)))
        assert looked.documents[12_345]["description"] == "n" * (12_345 % 50)


@pytest.mark.fault("X18")
def test_a_footer_that_claims_more_rows_than_there_are_is_refused(
    tmp_path: Path,
) -> None:
    """100 rows are written as C8 01 in its count; FE 7F would be 8191 of them."""
    whole = packed(table(*(row(number) for number in range(100))))
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    at = whole.index(b"\x16\xc8\x01", footer) + 1
    claiming = whole[:at] + b"\xfe\x7f" + whole[at + 2 :]
    assert pq.read_metadata(io.BytesIO(claiming)).num_rows == 8191
    assert look(tmp_path, "orders.parquet", claiming).refused


# --- round trips

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.none()


# a process each
@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=20, max_size=60),
    st.sampled_from(["zstd", "snappy", "none"]),
    st.booleans(),
    st.integers(1, 70),
    st.sampled_from(["1.0", "2.0"]),
)
def test_any_text_reads_back_cell_for_cell(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[tuple[str | None, str | None]],
    compression: str,
    dictionary: bool,
    group: int,
    version: str,
) -> None:
    """Whatever the packing, the row groups and the page version."""
    path = tmp_path_factory.getbasetemp() / "round.parquet"
    of = pa.table(
        {"one": [one for one, _ in cells], "two": [two for _, two in cells]},
        pa.schema([("one", pa.string()), ("two", pa.string())]),
    )
    path.write_bytes(
        packed(
            of,
            compression=compression,
            use_dictionary=dictionary,
            row_group_size=group,
            data_page_version=version,
        )
    )
    found: dict[int, tuple[str, str]] = {}
    with open_snapshot(path) as snapshot:
        for chunk in read(snapshot, Input(str(path)), ("one", "two")).chunks():
            found |= dict(
                zip(
                    chunk.rows,
                    zip(chunk.texts("one"), chunk.texts("two"), strict=True),
                    strict=True,
                )
            )
    assert found == {
        at: (one or "", two or "")
        for at, (one, two) in enumerate(cells, 2)
        if one or two
    }


# --- the process


@pytest.mark.usefixtures("own_process")
@pytest.mark.fault("X17", "X18", "I16")
def test_a_table_that_nobody_reads_leaves_no_process(tmp_path: Path) -> None:
    """Read twice, read in part, not read at all: every child is gone with its table."""
    path = tmp_path / "orders.parquet"
    path.write_bytes(packed(table(*(row(number) for number in range(20_000)))))

    def children() -> list[str]:
        return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()

    before = children()
    with open_snapshot(path) as snapshot:
        whole = read(snapshot, Input(str(path)), HEADER)
        assert len(children()) == len(before) + 1
        once = [list(chunk.rows) for chunk in whole.chunks()]
        assert [list(chunk.rows) for chunk in whole.chunks()] == once
        chunks = whole.chunks()
        next(chunks)
        chunks.close()
        read(snapshot, Input(str(path)), HEADER)
    assert children() == before


@pytest.mark.usefixtures("own_process")
@pytest.mark.fault("X17", "X18", "H06")
def test_the_process_knows_no_secret_and_obeys_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key stays with the parent; memory and cores are bounded, and a signal to the group is the
    parent's affair.
    """
    monkeypatch.setenv("OMISE_SECRET_KEY", "skey_test_0123456789abcdef")
    path = tmp_path / "orders.parquet"
    path.write_bytes(packed(table(*(row(number) for number in range(200_000)))))
    with open_snapshot(path) as snapshot:
        child = apart._Child(snapshot, Input(str(path)), HEADER, Roles())
        process = Path("/proc") / str(child._process.pid)
        assert (
            b"skey_"
            not in (process / "environ").read_bytes()
            + (process / "cmdline").read_bytes()
        )
        limits = (process / "limits").read_text()
        assert f"Max address space         {apart.MEMORY}" in limits
        assert "Max core file size        0" in limits
        ignored = int(
            (process / "status").read_text().partition("SigIgn:")[2].split()[0], 16
        )
        assert all(ignored >> number - 1 & 1 for number in (1, 2, 15))
        child.end()


@pytest.mark.usefixtures("own_process")
@pytest.mark.fault("X17", "X18", "D15")
@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGSEGV, "ended with SIGSEGV"),
        (signal.SIGKILL, "ended with SIGKILL"),
        (signal.SIGXCPU, "took more than"),
    ],
)
def test_a_parser_that_dies_is_a_refused_file(
    tmp_path: Path, number: signal.Signals, told: str
) -> None:
    """Of a crash, of the kernel's hand, of its time: one sentence, and the run goes on to the next
    file.
    """
    path = tmp_path / "orders.parquet"
    path.write_bytes(packed(table(*(row(number) for number in range(100_000)))))
    with open_snapshot(path) as snapshot:
        child = apart._Child(
            snapshot, Input(str(path)), HEADER, Roles()
        )  # it waits for us to read on
        os.kill(child._process.pid, number)
        with pytest.raises(FileRefused, match=told):
            list(child.pieces(Notes()))
        assert child._process.returncode == -number


@pytest.mark.usefixtures("own_process")
@pytest.mark.fault("D16", "X18")
def test_no_process_to_be_had_is_75(tmp_path: Path) -> None:
    """No descriptor is left for the pipe: try later, nothing is wrong with the file."""
    path = tmp_path / "orders.parquet"
    path.write_bytes(packed(table(row())))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open_snapshot(path) as snapshot:
        resource.setrlimit(resource.RLIMIT_NOFILE, (snapshot.fd + 1, before[1]))
        try:
            with pytest.raises(TryLater, match="no process"):
                read(snapshot, Input(str(path)), HEADER)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
