"""CSV and TSV: every cell where the file has it, every fault with its line, two readers of one
mind.
"""

from __future__ import annotations

import csv
import gzip
import io
from itertools import repeat
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchpay import readers
from batchpay.domain.errors import FileRefused
from batchpay.job.job import Input
from batchpay.readers.delimited import text
from batchpay.readers.delimited.plain import plain_rows
from batchpay.readers.delimited.records import records_of
from tests.doses import dose
from tests.readers.files import HEADER, look, look_at, row, text_of

# --- the header


@pytest.mark.fault("X06")
@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            "order_id,amount,currency,recipient,customer,note,invoice,amount",
            "more than one column is called 'amount'",
        ),
        (
            "order_id,,currency,recipient,customer,note,invoice,extra",
            "no column 'amount'",
        ),
        (
            "order_id,Amount ,currency,recipient,customer,note,invoice,extra",
            "it has 'Amount '; the difference: a blank at its beginning or end, capital",
        ),
        (
            "Order ID,amount,currency,recipient,customer,note,invoice,extra",
            "did you mean 'Order ID'?",
        ),
        (
            "order_id,a\u200bmount,currency,recipient,customer,note,invoice",
            r"it has 'a\u200bmount'; the difference: a character that leaves no mark",
        ),
        (
            "order_id;amount;currency;recipient;customer;note;invoice",
            'say delimiter = ";" in [input]',
        ),
        (
            "order_id\tamount\tcurrency\trecipient\tcustomer\tnote\tinvoice",
            r'say delimiter = "\t" in [input]',
        ),
        ("A00001,10.00,THB,recp_test_1,cust_test_1,,,", "write a row with the names"),
        (
            "order_id,amount,currency,recipient,customer,note,invoice,a\rb",
            "lone CR in the header",
        ),
        (
            "order_id, amount, currency, recipient, customer, note, invoice",
            "have it exported without blanks, or replace ', ' by ','",
        ),
        (
            "order_id,amount\u00a0,currency,recipient,customer,note,invoice",
            r"it has 'amount\u00a0'; the difference: a blank at its beginning or end",
        ),
        (
            "order_id,amount,currency,recipient,customer,note,invoice,a\x00",
            r"control character in the header 'a\x00': type the name again without it",
        ),
        (
            'order_id,amount,currency,recipient,customer,note,invoice,"a"b',
            "text after a closing quote in the header",
        ),
        (
            'order_id,amount,currency,recipient,customer,note,invoice,"a',
            "quote opened at line 1 is never closed",
        ),
        (
            "order_id,amount,currency,recipient,customer,note,invoice,4242 4242 4242 4242",
            "card number in the header",
        ),
        ("", "row 1 is blank"),
        (" , ,", "row 1 is blank"),
    ],
)
def test_a_header_that_cannot_be_trusted_refuses_the_file(
    tmp_path: Path, header: str, told: str
) -> None:
    """Columns that a field reads stand there once each, under exactly their names; the sentence
    says what to do.
    """
    refusal = look(
        tmp_path, "orders.csv", header + "\n" + text_of([row()]).partition("\n")[2]
    ).refusal
    assert told in refusal
    assert "4242 4242" not in refusal


@pytest.mark.fault("X06")
def test_other_columns_may_stand_anywhere_under_any_name_or_none(
    tmp_path: Path,
) -> None:
    """Reordered, without a name, called the same: kept under names of their own and told."""
    header = (
        "x",
        "note",
        "invoice",
        "customer",
        "recipient",
        "",
        "currency",
        "amount",
        "order_id",
        "x",
        "",
        "x (2)",
    )
    cells = (
        "1",
        "n",
        "i",
        "cust_test_1",
        "recp_test_1",
        "2",
        "THB",
        "10",
        "A1",
        "3",
        "4",
        "5",
    )
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows([header, cells])
    looked = look(tmp_path, "orders.csv", sink.getvalue())
    assert (looked.refused, looked.problems) == ([], {})
    assert looked.documents == [
        {
            "order_id": "A1",
            "amount": 1000,
            "currency": "thb",
            "destination": "recp_test_1",
            "customer": "cust_test_1",
            "description": "n",
            "metadata": {"invoice": "i"},
        }
    ]
    extra = {name: cells for name, cells in looked.cells.items() if name not in HEADER}
    assert extra == {
        "x": ["1"],
        "(column 6)": ["2"],
        "x (3)": ["3"],
        "(column 11)": ["4"],
        "x (2)": ["5"],
    }
    assert looked.notes == [
        "column 6 has no name",
        "column 'x' stands there more than once; copy 3 is kept as 'x (3)'",
        "column 11 has no name",
    ]


@pytest.mark.fault("X06")
@pytest.mark.parametrize(
    "above", ["Orders of the night,,,\n\n", '"two\nlines",\n,\n', "\n\n"]
)
def test_a_header_below_other_rows(tmp_path: Path, above: str) -> None:
    """header_row counts rows as a spreadsheet does: blank ones count, a line break in quotes does
    not.
    """
    looked = look(
        tmp_path, "orders.csv", above + text_of([row(), row(2)]), input="header_row = 3"
    )
    assert (looked.refused, looked.rows) == ([], [4, 5])
    assert (
        "row 1 holds all of the columns that the job reads: say header_row = 1"
        in look(
            tmp_path, "orders.csv", text_of([row()]), input="header_row = 9"
        ).refusal
    )


# --- rows

GOOD = "A1,10.00,THB,recp_test_1,cust_test_1,,,"
FAULTY = {
    "too few": (
        "A1,10.00,THB,recp_test_1",
        "ragged-row",
        "4 cells where the header has 8",
    ),
    "too many": (GOOD + ",", "ragged-row", "9 cells where the header has 8"),
    "unquoted comma": (
        GOOD.replace("10.00", "1,000.00"),
        "ragged-row",
        "quote cells that hold the delimiter",
    ),
    "one cell": ("A1", "ragged-row", "1 cell"),
    "quote closed early": (
        GOOD.replace("A1", '"A"1'),
        "quote",
        "write those inside it twice",
    ),
    "blank after a quote": (
        GOOD.replace("A1", '"A1" '),
        "quote",
        "text after a closing quote",
    ),
}


@pytest.mark.fault("X07")
@pytest.mark.parametrize("name", FAULTY)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_that_is_no_row_is_rejected_with_its_line(
    tmp_path: Path, name: str, end: str
) -> None:
    """The rows around it go on; what was found is shown."""
    line, rule, told = FAULTY[name]
    lines = [
        ",".join(HEADER),
        GOOD,
        '"two' + end + 'lines",10.00,THB,recp_test_1,cust_test_1,,,',
        line,
        GOOD,
    ]
    looked = look(tmp_path, "orders.csv", "".join(text + end for text in lines))
    assert looked.rows == [2, 3, 4, 5]
    assert looked.rules[4][0] == ("row", rule)
    problem = looked.problems[4][0]
    assert told in problem.remedy
    assert "line 5" in problem.remedy
    assert problem.value.startswith(line.replace(chr(34), "")[:7])
    assert set(looked.problems) == {3, 4}  # a line break is none of an id's characters


@pytest.mark.fault("X07")
def test_a_quote_inside_a_cell_is_a_character(tmp_path: Path) -> None:
    """As in every spreadsheet: only a quote at the start of a cell opens one."""
    lines = [",".join(HEADER), GOOD.replace(",,,", ',12" nails,a""b,"""c"""')]
    looked = look(tmp_path, "orders.csv", "\n".join(lines) + "\n")
    assert looked.problems == {}
    assert looked.documents[0]["description"] == '12" nails'
    assert (looked.cells["invoice"], looked.cells["extra"]) == (['a""b'], ['"c"'])


@pytest.mark.fault("X07")
def test_blank_rows_are_skipped_and_counted(tmp_path: Path) -> None:
    """Nothing, delimiters alone or empty quotes; the rows below keep their numbers."""
    lines = [
        ",".join(HEADER),
        GOOD,
        "",
        ",,,,,,,",
        ",,",
        '""',
        GOOD.replace("A1", "A2"),
    ]
    looked = look(tmp_path, "orders.csv", "\n".join(lines) + "\n")
    assert (looked.rows, looked.problems) == ([2, 7], {})
    assert looked.notes == ["4 blank rows skipped"]


@pytest.mark.fault("X07")
@pytest.mark.parametrize("before", [0, 3, 30_000])
@pytest.mark.parametrize("after", [0, 3, 30_000])
def test_an_unclosed_quote_is_refused_with_the_line_where_it_opened(
    tmp_path: Path, before: int, after: int
) -> None:
    """However much it swallows, over any number of blocks, and behind a cell of two lines."""
    opening = '"A\n1",10.00,THB,recp_test_1,cust_test_1,"open,,'
    lines = [",".join(HEADER), *[GOOD] * before, opening, *[GOOD] * after]
    refusal = look(tmp_path, "orders.csv", "\n".join(lines) + "\n").refusal
    assert f"the quote opened at line {before + 3} is never closed" in refusal


@pytest.mark.fault("X07")
def test_a_quote_that_another_rows_quote_seems_to_close_is_refused(
    tmp_path: Path,
) -> None:
    """Rows inside it could not be told apart."""
    lines = [
        ",".join(HEADER),
        GOOD,
        GOOD.replace("A1", '"A1'),
        GOOD,
        GOOD.replace("THB", '"THB"'),
    ]
    refusal = look(tmp_path, "orders.csv", "\n".join(lines) + "\n").refusal
    assert "a quote opened at line 3" in refusal
    assert "at line 5" in refusal


@pytest.mark.fault("X07")
def test_swallowed_rows_show_as_a_ragged_row_of_many_lines(tmp_path: Path) -> None:
    """A quote that closes by chance makes a row too short, which says so."""
    lines = [",".join(HEADER), GOOD, GOOD.replace("A1", '"A1'), GOOD, '",10.00', GOOD]
    looked = look(tmp_path, "orders.csv", "\n".join(lines) + "\n")
    assert looked.rules[3][0] == ("row", "ragged-row")
    assert "lines 3 to 5" in looked.problems[3][0].remedy
    assert "quote that is not closed" in looked.problems[3][0].remedy


# --- rows that only lack empty cells, or have some too many


@pytest.mark.fault("X07")
def test_cells_that_are_missing_at_the_end_are_empty(tmp_path: Path) -> None:
    """As Excel writes them; told once a file, and no row is lost."""
    lines = [
        ",".join(HEADER),
        GOOD,
        *[f"A{at},10.00,THB,recp_test_1,cust_test_1" for at in "234"],
    ]
    looked = look(tmp_path, "orders.csv", "\n".join(lines) + "\n")
    assert (looked.rows, looked.problems) == ([2, 3, 4, 5], {})
    assert looked.notes == [
        "3 rows end before the last column, the first of them row 3: the cells that are missing are"
        " read as empty"
    ]


@pytest.mark.fault("X07")
@pytest.mark.parametrize("surplus", [",", ",,,"])
def test_empty_cells_behind_the_last_column_are_no_data(
    tmp_path: Path, surplus: str
) -> None:
    """Each row ends with the delimiter, the header does not."""
    lines = [",".join(HEADER), GOOD + surplus, GOOD.replace("A1", "A2") + surplus]
    looked = look(tmp_path, "orders.csv", "\n".join(lines) + "\n")
    assert (looked.rows, looked.problems) == ([2, 3], {})
    assert "2 rows go on behind the last column with empty cells" in looked.notes[0]


MOVED = {
    "thousands, note left out": "A2,recp_test_1,cust_test_1,1,200.00",
    "thousands, surplus": "A2,recp_test_1,cust_test_1,1,200.00,,",
    "a decimal comma": "A2,recp_test_1,cust_test_1,12,50",
    "a comma in a name": "A2,recp_test_1, Ltd,cust_test_1",
    "one row with too many": "A2,recp_test_1,cust_test_1,10.00,,,",
    "another delimiter": "A2;recp_test_1;cust_test_1;10.00;;",
    "over lines": '"A2\n",recp_test_1,cust_test_1,10.00',
}


@pytest.mark.fault("X07")
@pytest.mark.parametrize("name", MOVED)
def test_a_row_whose_cells_may_have_moved_is_not_believed(
    tmp_path: Path, name: str
) -> None:
    """A comma that is not quoted makes another amount, or another recipient."""
    header = "order_id,recipient,customer,amount,note,invoice"
    lines = [header, "A1,recp_test_1,cust_test_1,10.00,,", MOVED[name]]
    looked = look(
        tmp_path, "orders.csv", "\n".join(lines) + "\n", currency='{ value = "THB" }'
    )
    assert looked.rules == {3: [("row", "ragged-row")]}


# --- the header elsewhere, and what the job would have to say

ELSEWHERE = {
    "a title": ("Orders of the night\n\n{}", ",", "say header_row = 3 in [input]"),
    "semicolons": ("{}", ";", 'say delimiter = ";" in [input]'),
    "tabs below a title": (
        "Night\n{}",
        "\t",
        r'say delimiter = "\t" and header_row = 2 in',
    ),
    "bars": ("{}", "|", 'say delimiter = "|" in [input]'),
    "a semicolon in the title": (
        "Branch: 5; printed today\n{}",
        ",",
        "say header_row = 2 in",
    ),
    "the line for Excel": (
        "sep=;\n{}",
        ";",
        'say delimiter = ";" and header_row = 2 in',
    ),
    "the line for Excel, quoted": ('"sep=,"\n{}', ",", "say header_row = 2 in [input]"),
}


@pytest.mark.fault("X06")
@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_header_that_is_elsewhere_is_found_and_told(
    tmp_path: Path, name: str
) -> None:
    """Doing what the message says leads to success, and it is never done unasked."""
    above, delimiter, remedy = ELSEWHERE[name]
    data = above.format(text_of([row(1), row(2)], delimiter=delimiter))
    refusal = look(tmp_path, "orders.csv", data).refusal
    assert remedy in refusal
    settings = (
        refusal.partition("say ")[2].partition(" in [input]")[0].replace(" and ", "\n")
    )
    mended = look(tmp_path, "orders.csv", data, input=settings)
    assert (len(mended.rows), mended.problems, mended.refused) == (2, {}, [])


@pytest.mark.fault("X06")
def test_a_header_that_is_nearly_one_is_told_with_what_it_lacks(tmp_path: Path) -> None:
    """One name in other words keeps no one from finding the row."""
    data = "Night\n" + text_of([row()]).replace("amount", "Amount")
    refusal = look(tmp_path, "orders.csv", data).refusal
    assert "row 2 is nearly one: say header_row = 2 in [input]" in refusal
    assert "it has 'Amount'; the difference: capital and small letters" in refusal


# --- the last line


@pytest.mark.fault("X09")
def test_a_last_line_without_its_end_is_read_where_totals_prove_it(
    tmp_path: Path,
) -> None:
    """Count and total of the sender, both, and right ones; a row that lacks cells is not proven."""
    data = text_of([row(1), row(2)])[:-1]
    totals = tmp_path / "orders.csv.totals.json"
    assert "press Enter behind it" in look(tmp_path, "orders.csv", data).refusal
    for declared in ('{"count": 2}', '{"count": 3, "total": {"THB": "20.00"}}'):
        totals.write_text(declared)
        assert "no line end" in look(tmp_path, "orders.csv", data).refusal
    totals.write_text('{"count": 2, "total": {"THB": "20.00"}}')
    looked = look(tmp_path, "orders.csv", data)
    assert (looked.rows, looked.problems, looked.refused) == ([2, 3], {}, [])
    assert "the sender's count and total agree" in looked.notes[-1]
    assert "no line end" in look(tmp_path, "orders.csv", data.rstrip(",")).refusal


@pytest.mark.fault("X09")
def test_a_last_line_of_a_packed_file_needs_no_end(tmp_path: Path) -> None:
    """Its trailer has been read, length and check sum."""
    data = gzip.compress(text_of([row(1), row(2)])[:-1].encode())
    looked = look(tmp_path, "orders.csv.gz", data)
    assert (looked.rows, looked.problems, looked.refused) == ([2, 3], {}, [])
    assert "whole by its own check sum" in looked.notes[0]


# --- sizes


@pytest.mark.fault("X08")
def test_small_files(tmp_path: Path) -> None:
    """No byte is 65, a header alone is no row and a note, one row is one."""
    assert "0 bytes" in look(tmp_path, "orders.csv", b"").refusal
    assert "has no row 1" in look(tmp_path, "orders.csv", b"\xef\xbb\xbf").refusal
    assert "row 1 is blank" in look(tmp_path, "orders.csv", b"\n").refusal
    only = look_at(tmp_path)
    assert (only.refused, only.rows, only.notes) == (
        [],
        [],
        ["no rows below the header"],
    )
    one = look_at(tmp_path, row())
    assert (one.refused, one.rows, one.problems) == ([], [2], {})
    old = look(tmp_path, "orders.csv", text_of([row()]).replace("\n", "\r"))
    assert "lone CR in the header" in old.refusal


@pytest.mark.fault("X08")
def test_what_ends_a_file_of_dos_is_no_line(tmp_path: Path) -> None:
    """Behind the last line end; without one nothing proves that the line is whole."""
    text = text_of([row()])
    ended = look(tmp_path, "orders.csv", f"{text}\x1a")
    assert (ended.refused, ended.rows, ended.problems) == ([], [2], {})
    assert "file may have been cut" in look(tmp_path, "orders.csv", text[:-1]).refusal
    assert look(tmp_path, "orders.csv", f"{text[:-1]}\x1a").refused


@pytest.mark.fault("X08")
def test_limits(tmp_path: Path) -> None:
    """A thousand columns, 64 KiB a cell; a longer cell rejects its row only, a longer record the
    file.
    """
    wide = ("x",) * (1000 - len(HEADER))
    widest = text_of(
        [row()], (*HEADER, *(f"x{number}" for number in range(1000 - len(HEADER))))
    )
    assert look(tmp_path, "orders.csv", widest).rows == [2]
    assert (
        "1001 columns"
        in look(tmp_path, "orders.csv", ",".join((*HEADER, *wide, "y")) + "\n").refusal
    )
    assert (
        "100008 columns"
        in look(
            tmp_path, "orders.csv", ",".join((*HEADER, *["x"] * 100_000)) + "\n"
        ).refusal
    )
    long = look_at(
        tmp_path, row(1, extra="x" * 65536), row(2, extra="ก" * 10**6), row(3)
    )
    assert long.rules == {3: [("extra", "cell-too-long")]}
    assert len(long.problems[3][0].value) < 100
    for cell in ("x" * 9 * 2**20, "x\n" * 5 * 2**20):
        assert look(tmp_path, "orders.csv", text_of([row(1, extra=cell)])).refusal


@pytest.mark.fault("X08")
def test_a_file_of_blank_lines_is_read_in_bounded_time(tmp_path: Path) -> None:
    """Ten million of them in ten kilobytes."""
    data = gzip.compress(
        text_of([row()]).encode()
        + b"\n" * 10**7
        + GOOD.replace("A1", "A2").encode()
        + b"\n"
    )
    looked = look(tmp_path, "orders.csv.gz", data)
    assert (looked.rows, looked.notes) == (
        [2, 10**7 + 3],
        ["10000000 blank rows skipped"],
    )


# --- cut


@pytest.mark.fault("E07")
def test_a_file_cut_inside_a_line_is_refused_at_every_byte(tmp_path: Path) -> None:
    """In the header too; cut at a line end it holds fewer rows, which only control totals can
    show.
    """
    rows = [row(1, note='a "b"\nc,'), row(2, note="ก"), row(3, extra="x")]
    parts = [text_of(rows[:count]).replace("\n", "\r\n").encode() for count in range(4)]
    whole, ends = parts[-1], {len(part): count for count, part in enumerate(parts)}
    for cut in range(1, len(whole) + 1):
        looked = look(tmp_path, "orders.csv", whole[:cut])
        if cut in ends:
            assert (looked.refused, len(looked.rows), looked.problems) == (
                [],
                ends[cut],
                {},
            ), cut
        else:
            assert looked.refused, cut


# --- round trips

CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8
) | st.sampled_from(
    [
        "",
        '"',
        '""',
        ",",
        "\n",
        "\n\n",
        '",\n"',
        "a\nb",
        "=1",
        "'",
        " ",
        "\ufeff",
        "๑",
        "\U000f0000\ue000",
    ]
)
DELIMITERS = st.sampled_from([",", ";", "\t", "|", "§"])


@st.composite
def written(draw: st.DrawFn) -> tuple[list[list[str]], bytes, str, str]:
    """A table, and one of the legal ways to write it: delimiter, line ends, quotes where none are
    needed.
    """
    width = draw(st.integers(1, 4))
    table = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=12))
    delimiter, end = draw(DELIMITERS), draw(st.sampled_from(["\n", "\r\n"]))
    quoted = draw(st.randoms(use_true_random=False))

    def cell(value: str) -> str:
        needed = (
            any(character in value for character in ('"', "\n", delimiter))
            or value == ""
        )
        return (
            '"' + value.replace('"', '""') + '"'
            if needed or quoted.random() < 0.3
            else value
        )

    lines = [delimiter.join(map(cell, cells)) + end for cells in table]
    return table, "".join(lines).encode(), delimiter, end


def looks_like_rows(cells: list[str], delimiter: str) -> bool:
    """Does a cell with a line break hold what stands between two cells, too?"""
    return any("\n" in cell and delimiter in cell for cell in cells)


@settings(deadline=None)
@given(written(), st.integers(0, 80), st.booleans())
def test_any_table_reads_back_cell_for_cell(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[list[list[str]], bytes, str, str],
    after: int,
    packed: bool,
) -> None:
    """Through the whole reader, plain or packed, wherever in the table a block ends: a long row
    pushes it there.
    """
    table, body, delimiter, end = case
    names = [f"c{number}" for number in range(len(table[0]) if table else 1)]
    header = (delimiter.join(names) + end).encode()
    edges = (delimiter * (len(names) - 1) + end).encode()
    data = (
        header + b"x" * (text.BLOCK - len(header) - len(edges) - after) + edges + body
    )
    path = tmp_path_factory.getbasetemp() / ("round.csv.gz" if packed else "round.csv")
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    found: dict[int, list[str]] = {}
    try:
        with readers.open_snapshot(path) as snapshot:
            read = readers.read(snapshot, Input(str(path), delimiter=delimiter), names)
            for chunk in read.chunks():
                for number, cells in zip(
                    chunk.rows, zip(*map(chunk.texts, names), strict=True), strict=True
                ):
                    found[number] = list(cells)
    except FileRefused as refused:  # a cell of several lines may look like rows
        assert "the quotes in lines" in str(refused)
        assert any(map(looks_like_rows, table, repeat(delimiter)))
        return
    assert len(found.pop(2)[0]) > text.BLOCK // 2
    assert found == {
        number: cells for number, cells in enumerate(table, 3) if any(cells)
    }


@settings(deadline=None)
@given(written())
def test_the_fast_reader_and_the_strict_one_agree_on_legal_text(
    case: tuple[list[list[str]], bytes, str, str],
) -> None:
    """Whenever the fast one takes a block at all, which it does for one-byte delimiters without
    blank rows.
    """
    table, data, delimiter, _ = case
    strict = [record.cells for record in records_of(data.decode(), delimiter).records]
    assert strict == table
    names = [f"c{number}" for number in range(len(table[0]) if table else 1)]
    plain = plain_rows(data, delimiter, names)
    if plain is None:
        assert (
            not table or not delimiter.isascii() or data.startswith("\ufeff".encode())
        )
    else:
        assert _cells(plain.batch) == table


def _cells(batch: pa.RecordBatch) -> list[list[str]]:
    return [
        list(cells)
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]


@settings(max_examples=dose(150, 400), deadline=None)
@given(st.text(st.sampled_from('ab,"\n\r;ก\0 '), max_size=40), st.integers(1, 3))
@example('"a"\n"b\n', 1)
@example('a"\n"b"\n', 1)
@example('"a""\n', 1)
@example('"a\r\n\r\nb"\r\n', 1)
@example('""",\n', 1)
@example('"a",""b\n', 2)
@example('"""a"\n', 1)
def test_what_the_fast_reader_takes_the_strict_one_reads_the_same(
    data: str, width: int
) -> None:
    """On any text at all: the fast one declines, or finds exactly the records of the strict one."""
    plain = plain_rows(data.encode(), ",", [f"c{number}" for number in range(width)])
    if plain is not None:
        found = records_of(data, ",")
        assert found.rest == ""
        assert not any(record.broken for record in found.records)
        assert _cells(plain.batch) == [
            record.cells for record in found.records if record.cells
        ]
        assert list(plain.rows_from(0)) == [
            at for at, record in enumerate(found.records) if record.cells
        ]
        assert plain.batch.num_rows + plain.blank == len(found.records)


@settings(max_examples=dose(100, 300), deadline=None)
@given(
    st.text(
        st.sampled_from('ab,"\n\r;ก\0 ') | st.characters(exclude_categories=["Cs"]),
        max_size=60,
    )
)
@example("a\rb" + "\ue000\uf8ff\U000f0000\U0010fffd")
def test_no_text_makes_the_strict_reader_fail(data: str) -> None:
    """Every character is in some record or in the rest, and lines add up."""
    found = records_of(data, ",")
    assert sum(record.lines for record in found.records) == found.lines
    read = data[: len(data) - len(found.rest)]
    assert found.lines == read.count("\n") + (
        1 if read and not read.endswith("\n") else 0
    )
    if not any(record.broken for record in found.records):
        kept = "".join(cell for record in found.records for cell in record.cells)
        assert (
            sorted(kept.replace('"', "").replace("\n", "").replace(",", ""))
            == sorted(
                read.replace('"', "")
                .replace("\n", "")
                .replace(",", "")
                .replace("\r\n", "")
            )
            or "\r" in read
        )


# --- rows that quotes have swallowed


@pytest.mark.fault("X06", "X20")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("between", [0, 2])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_quotes_that_make_one_row_of_several_refuse_the_file(
    tmp_path: Path, end: str, between: int, delimiter: str
) -> None:
    """A cell begins with a quote and one of a later row ends with one: by the rules of CSV a sound
    row, with the order id of the first and, where the amount stands behind, that of the last.
    """
    names = ["order_id", "note", *HEADER[1:5], *HEADER[6:]]
    notes = ['"5 ft pole', *["rope"] * between, '6 ft pole"']
    lines = [names]
    for number, note in enumerate(["tea", *notes, "tea"], 1):
        cells = row(number, amount=f"{number}00.00", note=note)
        lines.append([cells[name] for name in names])
    text = "".join(delimiter.join(cells) + end for cells in lines)
    how = {"input": f'delimiter = "{delimiter}"'.replace("\t", "\\t")}
    (refusal,) = look(tmp_path, "orders.csv", text, **how).refused
    assert f"the quotes in lines 3 to {4 + between} make one row of what" in refusal
    right = text.replace('"5', '"""5').replace(' pole"', ' pole"""')
    mended = right.replace("5 ft pole", '5 ft pole"').replace("6 ft", '"6 ft')
    looked = look(tmp_path, "orders.csv", mended, **how)
    assert (looked.refused, looked.problems) == ([], {})
    amounts = [document["amount"] for document in looked.documents]
    assert amounts == [number * 10_000 for number in range(1, 5 + between)]


@pytest.mark.fault("X20")
@pytest.mark.parametrize(
    "note",
    [
        "Hello\nred, green, blue, and, five, six",
        "1 Rama IV Road,\nKhlong Toei,,,\n10110",
        ",,\n,,,,,",
        "a,b,c\nA2,n/a,THB,recp_test_1,cust_test_2,b",
        "small, medium, large\n40, 41, 42, 43, 44, 45",
        "a,b,c\n5 boxes,40 boxes,41,42,43,44",
        "a,b,c\nand what else they asked for\n40,41,42,43,44,45",
        'he said "a,b,c\nd"',
        "\n\n",
    ],
)
def test_a_cell_of_several_lines_is_one_cell(tmp_path: Path, note: str) -> None:
    """An address, a list, a remark: its lines are no rows of orders."""
    looked = look_at(tmp_path, row(1, note=note), row(2))
    assert (looked.refused, looked.problems) == ([], {})
    assert looked.cells["note"][0] == note
