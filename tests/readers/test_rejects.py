"""A corrected rejects file comes back as input: our columns are ignored, defused cells are what
they were.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import quoteattr

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.colors import Color

from batchpay.domain.errors import Misconfigured
from batchpay.readers.looks import stored
from batchpay.reports.sendback import PLAIN, WRONG, Styles
from tests.badfiles import HEADER
from tests.doses import SWEEP
from tests.inside import Inside
from tests.readers.files import CARD, job, look, look_at, row, text_of
from tests.readers.test_parquet import packed
from tests.world import KEY, Market, order

MARKET = Inside

MARKED = (
    *HEADER,
    "batchpay_row",
    "batchpay_retry",
    "batchpay_defused",
)


def marked(*rows: dict[str, str]) -> str:
    """A rejects file as the accountant sends it back."""
    return text_of(rows, MARKED)


@pytest.mark.fault("X05")
def test_the_apostrophe_we_put_is_taken_off_again(tmp_path: Path) -> None:
    """Only where we put one, and where it still stands; a cell that was corrected is taken as it
    is.
    """
    names = json.dumps(["order_id", "note", "amount"])
    looked = look(
        tmp_path,
        "rejects.csv",
        marked(
            row(1, order_id="'-A1", note="'+66 2", amount="10", batchpay_defused=names),
            row(2, order_id="'-A2", note="'+66 2"),
            row(3, order_id="A3", note="fine", batchpay_defused=""),
            row(4, note="''x", batchpay_defused='["note"]'),
            row(5, note="'x", batchpay_defused='["nobody"]'),
        ),
    )
    assert looked.problems == {}
    assert [document["order_id"] for document in looked.documents[:3]] == [
        "-A1",
        "'-A2",
        "A3",
    ]
    assert [document["description"] for document in looked.documents] == [
        "+66 2",
        "'+66 2",
        "fine",
        "'x",
        "'x",
    ]
    assert looked.documents[0]["amount"] == 1000


@pytest.mark.fault("X05", "X16")
@pytest.mark.parametrize(
    "mark", ["order_id", "[1]", '{"a": 1}', '["order_id"', "[" * 50_000, "NaN", "'[]"]
)
def test_a_mark_that_cannot_be_read_rejects_its_row(tmp_path: Path, mark: str) -> None:
    """Whether an id begins with an apostrophe is not guessed."""
    looked = look(
        tmp_path,
        "rejects.csv",
        marked(row(1, order_id="'=A1", batchpay_defused=mark), row(2)),
    )
    assert set(looked.problems) == {2}
    assert ("batchpay_defused", "not-a-mark") in looked.rules[2]


@pytest.mark.fault("X05", "X26")
def test_what_stands_behind_the_apostrophe_is_looked_at_like_any_cell(
    tmp_path: Path,
) -> None:
    """A card number, a control character."""
    looked = look(
        tmp_path,
        "rejects.csv",
        marked(row(1, note=f"'={CARD}", batchpay_defused='["note"]')),
    )
    assert ("note", "card-number") in looked.rules[2]
    assert CARD not in str(looked)


@pytest.mark.fault("X05", "X07", "X12", "H06")
@pytest.mark.parametrize("name", ["orders.csv", "orders.tsv", "orders.parquet"])
def test_rejected_rows_come_back_corrected_through_the_program(
    market: Market, name: str
) -> None:
    """Three rows go wrong, one of them declined; the file that names them is corrected, sent back,
    and all is paid.
    """
    rows = [
        order(1),
        order(2, amount="100.255", invoice="=SUM(A1)"),
        order(3, recipient="acct_1", order_id="-3"),
        order(4, card="tokn_test_sandbox000040011"),
        order(5, invoice="plain"),
    ]
    _write(market.folder / name, rows)
    market.job(file=name)
    first = market.run()
    assert first.returncode == 10, first.stderr
    assert market.outcomes() == {"succeeded": 2, "rejected": 2, "declined": 1}
    (rejects,) = (market.folder / "reports").glob("*/rejects.*")
    back = _read(rejects)
    assert [cells["order_id"].lstrip("'") for cells in back] == ["00002", "-3", "00004"]
    if not name.endswith("parquet"):
        assert back[0]["invoice"] == "'=SUM(A1)"
        assert back[1]["order_id"] == "'-3"
    back[0]["amount"] = "100.25"
    back[1]["recipient"] = "recp_test_sandbox1"
    back[2]["card"] = "tokn_test_sandbox000044242"
    _write(market.folder / f"again-{rejects.name}", back)
    again = market.run("--input", f"again-{rejects.name}")
    assert (again.returncode, again.stderr) == (0, ""), again.stdout
    assert market.money() == dict.fromkeys(
        ["00001", "00002", "-3", "00004", "00005"], 1
    )
    invoices = {
        c["metadata"]["order_id"]: c["metadata"]["invoice"]
        for c in market.sandbox.charges()
    }
    assert invoices["00002"] == "=SUM(A1)"
    once_more = market.run("--input", f"again-{rejects.name}")
    assert (once_more.returncode, market.posts()) == (0, 6)


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    if path.suffix == ".parquet":
        path.write_bytes(packed(pa.Table.from_pylist(rows)))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ","
        )
        writer.writeheader()
        writer.writerows(rows)


def _read(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    text = path.read_text("utf-8-sig")
    return list(
        csv.DictReader(
            io.StringIO(text, newline=""),
            delimiter="\t" if path.suffix == ".tsv" else ",",
        )
    )


# --- nothing of a card stays


@pytest.mark.fault("X26", "I12", "H06")
@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_no_file_of_ours_ever_holds_a_card_number(market: Market, name: str) -> None:
    """Neither journal, report, manifest, log nor screen, whichever column it stood in; nor the
    key.
    """
    rows = [
        order(1),
        *(
            order(n, **{column: CARD})
            for n, column in enumerate(("invoice", "order_id", "card", "amount"), 2)
        ),
    ]
    rows.append(order(9, invoice="4242 4242 4242 4242"))
    _write(market.folder / name, rows)
    market.job(file=name)
    result = market.run("--summary")
    checked = market.run(verb="check")
    assert (result.returncode, checked.returncode) == (10, 10)
    assert market.money() == {"00001": 1}
    said = result.stdout + result.stderr + checked.stdout + checked.stderr
    files = {
        path.name: path.read_bytes()
        for path in market.folder.rglob("*")
        if path.is_file() and path.name != name
    }
    assert any(file.endswith(".db") for file in files)
    for what, data in {"screen": said.encode(), **files}.items():
        assert CARD.encode() not in data.replace(b" ", b""), what
        assert KEY.encode() not in data, what


# --- lookups

LOOKED_UP = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'


@pytest.mark.fault("X28", "X13")
def test_lookup_files(tmp_path: Path) -> None:
    """A shop without a line, with two, without a recipient or with one of the other mode: its rows
    are rejected.
    """
    (tmp_path / "shops.csv").write_text(
        "shop,id\nNorth,recp_test_1\nTwice,recp_test_2\nTwice,recp_test_3\nBare,\nLive,recp_4\nร้าน,recp_test_5\nShort\n",
        "utf-8-sig",
    )
    shops = ("North", "Twice", "Bare", "Live", "ร้าน", "Nobody", "north", "Short")
    looked = look_at(
        tmp_path,
        *(row(number, recipient=shop) for number, shop in enumerate(shops)),
        destination=LOOKED_UP,
    )
    rules = [looked.rules.get(number, [("", "")])[0][1] for number in range(2, 10)]
    assert rules == [
        "",
        "lookup-ambiguous",
        "lookup-empty",
        "other-mode",
        "",
        "lookup-missing",
        "lookup-missing",
        "lookup-empty",
    ]
    assert looked.documents[4]["destination"] == "recp_test_5"


@pytest.mark.fault("X28", "X26")
@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"shop\nNorth\n",
        b"shop,id,id\n",
        b"shop,id\nN\xff,x\n",
        b'shop,id\n"N,x\n',
        f"shop,id\nNorth,{CARD}\n".encode(),
        f"shop,id\n{CARD},recp_test_1\n".encode(),
    ],
)
def test_lookup_files_that_cannot_be_trusted(
    tmp_path: Path, data: bytes | None
) -> None:
    """Missing, empty, without the column, with two of it, no text, a quote that never closes, a
    card number: 78.
    """
    if data is not None:
        (tmp_path / "shops.csv").write_bytes(data)
    with pytest.raises(Misconfigured, match=r"shops\.csv") as caught:
        look_at(tmp_path, row(), destination=LOOKED_UP)
    assert CARD not in str(caught.value)


@pytest.mark.fault("X28")
def test_a_lookup_file_is_part_of_the_plan(market: Market) -> None:
    """Edited between `plan` and `run`: another hash, and the row goes where the file now says."""
    (market.folder / "shops.csv").write_text("shop,id\nA,recp_test_sandbox1\n")
    market.orders([order(1, recipient="A")])
    path = market.job()
    text = path.read_text().replace(
        '"recipient"',
        '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }',
    )
    path.write_text(text)
    first = json.loads(market.run("--json", verb="plan").stdout)["plan_hash"]
    assert json.loads(market.run("--json", verb="plan").stdout)["plan_hash"] == first
    (market.folder / "shops.csv").write_text("shop,id\nA,recp_test_sandbox2\n")
    assert json.loads(market.run("--json", verb="plan").stdout)["plan_hash"] != first
    assert market.run().returncode == 0
    assert market.sandbox.charges()[0]["destination"] == "recp_test_sandbox2"


# --- very many


# the program, which tells at its end how large it was: what a parent sees of that begins with its
# own size
TELLS = """
import atexit, pathlib
from batchpay.cli import main
tell = lambda: pathlib.Path("status").write_text(pathlib.Path("/proc/self/status").read_text())
atexit.register(tell)
"""
SMALL = "import batchpay.readers.delimited.text as text; text.BLOCK = 1 << 16\n"


@pytest.mark.fault("X29")
@pytest.mark.parametrize(
    ("blocks", "few", "many"),
    [
        (SMALL, 2_000, 10_000),
        pytest.param(
            "",
            *(50_000, 100_000),
            marks=SWEEP,
        ),
    ],
    ids=["ten thousand", "a hundred thousand"],
)
def test_very_many_bad_rows_are_all_told_in_bounded_memory(
    tmp_path: Path, blocks: str, few: int, many: int
) -> None:
    """Many times as many, in small blocks or as blocks are, take no more memory: nothing is kept of
    a row but its place in the report, in less than a kilobyte.
    """
    program = f"{TELLS}{blocks}main()"

    def peak_kb(count: int) -> int:
        bad = "".join(
            f"A{n},1e{n},XXX,acct_{n},cust_{n},\x01,{CARD},x\n" for n in range(count)
        )
        (tmp_path / "orders.csv").write_text(text_of([]) + bad)
        job(tmp_path, "orders.csv", input='max_rejects = "5%"')
        words = [sys.executable, "-c", program, "check", "job.toml", "--json"]
        with (tmp_path / "said").open("w") as said:
            done = subprocess.run(words, stdout=said, cwd=tmp_path, check=False)
        assert done.returncode == 65
        told = (tmp_path / "said").read_text()
        rules = Counter(one["rule"] for one in json.loads(told)["problems"])
        for rule in ("control-character", "card-number", "unknown-currency"):
            assert rules[rule] == count
        assert CARD not in told
        (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", (tmp_path / "status").read_text())
        return int(peak)

    before = peak_kb(few)
    assert peak_kb(many) - before < many - few


# --- schemas of the job


@pytest.mark.fault("X22", "X23")
@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "{url}/order.json"}, "only references inside the file"),
        (
            {"properties": {"amount": {"$ref": "file:///etc/hostname"}}},
            "only references inside the file",
        ),
        (
            {"properties": {"order_id": {"pattern": "^(?=a)(a+)+$"}}},
            "cannot be matched in linear time",
        ),
        (
            {"$schema": "{url}/mine.json"},
            "only https://json-schema.org/draft/2020-12/schema",
        ),
    ],
)
def test_a_schema_of_the_job_reaches_nobody(
    market: Market, schema: dict[str, object], told: str
) -> None:
    """78 through the program, and not one request has reached the address that it names."""
    market.orders([order(1)])
    path = market.job()
    path.write_text('schema = "mine.json"\n' + path.read_text())
    text = json.dumps(schema).replace("{url}", market.sandbox.url)
    (market.folder / "mine.json").write_text(text)
    result = market.run(verb="check")
    assert (result.returncode, result.stdout) == (78, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert market.sandbox.requests() == []


# --- as the sheet was


def _book(folder: Path) -> Path:
    """A sheet as people make them: titles, colours, numbers, days, zeros that are only shown."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "ご注文"
    sheet["A1"] = "ยอดขาย 日次売上"
    sheet["A1"].font = Font(bold=True, size=16, color=Color(theme=4))
    sheet.merge_cells("A1:D1")
    names = [
        "order_id",
        "amount",
        "currency",
        "recipient",
        "card",
        "invoice",
        "day",
        "gift",
    ]
    sheet.append([])
    sheet.append(names)
    sheet["A3"].fill = PatternFill("solid", fgColor=Color(theme=5, tint=-0.25))
    day = dt.date(2026, 11, 24)
    for number, (amount, shop) in enumerate(
        ((1, 1), (100.255, 2), (1234.5, 3), (60, 4)), 1
    ):
        recipient = "acct_1" if number == 3 else f"recp_test_sandbox{shop}"
        token = f"tokn_test_sandbox{number:05d}4242"
        if number == 4:
            token = "tokn_test_sandbox000040011"
        sheet.append(
            [number, 100 + amount, "THB", recipient, token, "-ร้าน", day, number == 2],
        )
        for column, form in ((1, "0000000"), (2, "#,##0.00"), (7, "d mmm yyyy")):
            sheet.cell(number + 3, column).number_format = form
        sheet.cell(number + 3, 6).fill = PatternFill("solid", fgColor="FFE2EFDA")
    sheet.column_dimensions["F"].width = 33
    sheet.row_dimensions[5].height = 30
    path = folder / "orders.xlsx"
    book.save(path)
    return path


def _rejects_of(market: Market, batch: str = "*") -> Path:
    (path,) = (market.folder / "reports").glob(f"{batch}/rejects.xlsx")
    return path


@pytest.mark.fault("X05", "X07", "X12", "X17", "H06")
def test_a_workbook_comes_back_as_it_was(market: Market) -> None:
    """Titles, widths, styles and kinds of cells; ids as texts; what is wrong in colour, with a
    note. Unchanged it is the same rejects; corrected, of that row alone a charge is made.
    """
    _book(market.folder)
    market.job(file="orders.xlsx", input="header_row = 3", metadata='{ day = "day" }')
    assert market.run().returncode == 10
    assert market.outcomes() == {"succeeded": 1, "rejected": 2, "declined": 1}
    first = _rejects_of(market)
    sheet = openpyxl.load_workbook(first).active
    assert (sheet.title, sheet["A1"].value, sheet["A1"].font.sz) == (
        "ご注文",
        "ยอดขาย 日次売上",
        16,
    )
    assert [str(one) for one in sheet.merged_cells.ranges] == ["A1:D1"]
    assert sheet["A1"].font.color.rgb == "FF4F81BD"
    assert sheet["A3"].fill.fgColor.rgb == "FF953735"
    assert sheet.column_dimensions["F"].width == 33
    assert (sheet.row_dimensions[4].height, sheet.row_dimensions[5].height) == (
        30,
        None,
    )
    row = sheet[4]
    assert [(cell.value, cell.data_type) for cell in row[:3]] == [
        ("0000002", "s"),
        (200.255, "n"),
        ("THB", "s"),
    ]
    assert row[1].number_format == "General", "100.255 is not shown as 100.26"
    assert sheet["B5"].number_format == "#,##0.00"
    assert row[6].number_format == "d mmm yyyy"
    assert (row[5].value, row[5].data_type, row[5].fill.fgColor.rgb) == (
        "-ร้าน",
        "s",
        "FFE2EFDA",
    )
    assert (row[6].value, row[7].value) == (dt.datetime(2026, 11, 24), True)
    wrong = {
        cell.coordinate: cell.comment and cell.comment.text
        for line in sheet.iter_rows(min_row=4)
        for cell in line
        if cell.fill.fgColor.rgb == WRONG
    }
    assert set(wrong) == {"B4", "D5", "E6"}
    assert "THB has 2 decimals" in wrong["B4"]
    assert "insufficient" in wrong["E6"]
    again = market.run("--input", str(first))
    assert again.returncode == 10, again.stderr
    second = [
        path for path in first.parent.parent.glob("*/rejects.xlsx") if path != first
    ]
    assert market.posts() == 2
    assert _own_cells(second[0]) == _own_cells(first)[:2]
    book = openpyxl.load_workbook(second[0])
    book.active["B4"] = 200.25
    book.save(market.folder / "back.xlsx")
    market.run("--input", "back.xlsx")
    assert market.money() == {"0000001": 1, "0000002": 1}
    third = set(first.parent.parent.glob("*/rejects.xlsx")) - {first, *second}
    (left,) = [openpyxl.load_workbook(path).active for path in third]
    coloured = [
        c.coordinate for r in left.iter_rows() for c in r if c.fill.fgColor.rgb == WRONG
    ]
    assert coloured == ["D4"]


def test_a_number_that_is_written_where_an_amount_was_a_date_is_a_number(
    market: Market,
) -> None:
    """The cell comes back as the text of that date, without its format, which would make a date of
    the amount; unchanged it is refused again. A date elsewhere in the row stays one.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    names = ["order_id", "amount", "currency", "recipient", "card", "invoice", "day"]
    sheet.append(names)
    day = dt.datetime(2026, 1, 5)
    sheet.append([*order(1).values(), day])
    sheet["B2"] = day
    book.save(market.folder / "orders.xlsx")
    market.job(file="orders.xlsx", metadata='{ day = "day" }')
    assert market.run().returncode == 10
    first = _rejects_of(market)
    sheet = openpyxl.load_workbook(first).active
    wrong = sheet["B2"]
    assert (wrong.value, wrong.number_format) == ("2026-01-05", "General")
    assert wrong.fill.fgColor.rgb == WRONG and "is a date" in wrong.comment.text
    assert sheet["G2"].value == day
    again = market.run("--input", str(first))
    assert (again.returncode, market.posts()) == (10, 0)
    book = openpyxl.load_workbook(first)
    book.active["B2"] = 105
    book.save(market.folder / "back.xlsx")
    assert market.run("--input", "back.xlsx").returncode == 0
    assert market.money() == {"00001": 1}


@pytest.mark.fault("X05", "X17")
def test_a_row_comes_back_struck_through_and_goes_once_the_strike_is_gone(
    market: Market,
) -> None:
    """As it came it is rejected again; as text, too, until somebody says yes."""
    book = openpyxl.Workbook()
    rows = [order(1), order(2), order(3)]
    for cells in (list(rows[0]), *(list(one.values()) for one in rows)):
        book.active.append(cells)
    for cell in (*book.active[3], *book.active[4]):
        cell.font = Font(strike=True)
    book.save(market.folder / "orders.xlsx")
    market.job(file="orders.xlsx")
    assert market.run().returncode == 10
    assert market.outcomes() == {"succeeded": 1, "rejected": 2}
    first = _rejects_of(market)
    sent = openpyxl.load_workbook(first)
    assert [sent.active[cell].font.strike for cell in ("A2", "B2", "A3")] == [True] * 3
    assert "struck through in A3, B3" in sent.active["A2"].comment.text
    assert market.run("--input", str(first)).returncode == 10
    lines = [[cell.value for cell in line] for line in sent.active]
    with (market.folder / "back.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    assert market.run("--input", "back.csv").returncode == 10
    assert market.money() == {"00001": 1}
    for cell in sent.active[2]:
        cell.font = Font()
    sent.save(market.folder / "back.xlsx")
    market.run("--input", "back.xlsx")
    assert market.money() == {"00001": 1, "00002": 1}
    lines[2][lines[0].index("batchpay_retry")] = "yes"
    with (market.folder / "said.csv").open("w", newline="") as file:
        csv.writer(file).writerows([lines[0], lines[2]])
    market.run("--input", "said.csv")
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}


def test_a_cell_to_the_right_is_told_where_it_stands_now(market: Market) -> None:
    """It is in the last column of the rows that come back, which is in colour."""
    book = openpyxl.Workbook()
    rows = [order(1, amount="1.005"), order(2)]
    for cells in (list(rows[0]), *(list(one.values()) for one in rows)):
        book.active.append(cells)
    book.active["I2"] = "checked by K."
    book.save(market.folder / "orders.xlsx")
    more = '[report]\nformats = ["csv", "xlsx"]'
    market.job(file="orders.xlsx", more=more)
    assert market.run().returncode == 10
    sheet = openpyxl.load_workbook(_rejects_of(market)).active
    wrong = {
        cell.coordinate: (cell.value, cell.comment.text)
        for cell in sheet[2]
        if cell.fill.fgColor.rgb == WRONG and cell.comment
    }
    assert set(wrong) == {"B2", "F2", "L2"}  # the last asks for yes
    assert wrong["F2"][0].endswith("checked by K.") and "cell I2 is" in wrong["F2"][1]


def _own_cells(path: Path) -> list[list[object]]:
    """The cells of the input's own columns, below the header."""
    sheet = openpyxl.load_workbook(path).active
    return [[cell.value for cell in line[:8]] for line in sheet.iter_rows(min_row=4)]


@pytest.mark.fault("X12", "X07")
def test_a_parquet_file_comes_back_with_its_types(market: Market) -> None:
    """But for the column in which a cell is none: a card number was masked there."""
    table = pa.table(
        {
            "order_id": ["001", "002", "003"],
            "amount": pa.array(
                [Decimal("100.25"), Decimal("100.255"), None], pa.decimal128(9, 3)
            ),
            "currency": pa.array(["THB"] * 3).dictionary_encode(),
            "recipient": ["recp_test_sandbox1"] * 3,
            "card": [f"tokn_test_sandbox{number:05d}4242" for number in range(3)],
            "invoice": pa.array([1, 2, int(CARD)], pa.int64()),
            "day": pa.array([dt.date(2026, 11, 24)] * 3),
            "at": pa.array(
                [dt.datetime(2026, 11, 24, 1, 2, 3)] * 3, pa.timestamp("us", "UTC")
            ),
            "part": pa.array([0.1, 1.5, None], pa.float32()),
        }
    )
    (market.folder / "orders.parquet").write_bytes(packed(table))
    more = '[report]\nformats = ["json", "xlsx"]'
    market.job(file="orders.parquet", more=more)
    assert market.run().returncode == 10
    (rejects,) = (market.folder / "reports").glob("*/rejects.parquet")
    back = pq.read_table(rejects)
    of = {name: str(back.schema.field(name).type) for name in table.column_names}
    assert of == {
        "order_id": "string",
        "amount": "decimal128(9, 3)",
        "currency": "string",
        "recipient": "string",
        "card": "string",
        "invoice": "string",
        "day": "date32[day]",
        "at": "timestamp[us, tz=UTC]",
        "part": "float",
    }
    assert back["amount"].to_pylist() == [Decimal("100.255"), None]
    sheet = openpyxl.load_workbook(_rejects_of(market)).active
    amount, day = sheet["B2"], sheet["G2"]
    assert (amount.value, amount.data_type, sheet["A2"].value) == (100.255, "n", "002")
    assert day.value == dt.datetime(2026, 11, 24)
    for path in (rejects, _rejects_of(market)):
        assert market.run("--input", str(path)).returncode == 10
    assert market.posts() == 1


@pytest.mark.fault("X26", "X05")
def test_a_masked_card_number_is_still_one_when_it_comes_back(tmp_path: Path) -> None:
    """Until it is removed; a mask that stood in the file itself, in a row that went, is a text."""
    mask = "************4242"
    why = f"note: found '{mask}' (card-number); remove it"
    rows = [
        row(
            1,
            note=mask,
            batchpay_reason=why,
            batchpay_outcome="rejected",
            batchpay_row="2",
        ),
        row(
            2,
            note="",
            batchpay_reason=why,
            batchpay_outcome="rejected",
            batchpay_row="3",
        ),
        row(3, note=mask, batchpay_outcome="declined", batchpay_row="4"),
    ]
    names = (*MARKED, "batchpay_outcome", "batchpay_reason")
    looked = look(tmp_path, "rejects.csv", text_of(rows, names))
    assert looked.rules == {2: [("note", "card-number")]}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("30.3", "n", ("n", "30.3")),
        ("0030", "n", None),
        ("1e5", "n", None),
        ("0.1000", "n", None),  # it would be read as 0.1
        ("12345678901234567890", "n", None),
        ("12345678901234600000", "n", ("n", "12345678901234600000")),
        ("************4242", "n", None),
        ("1900-01-05", "d", None),  # Excel counts those days otherwise
        ("2026-11-24T12:00:00", "d", ("n", "46350.5")),
        ("2026-13-24", "d", None),
        ("12:00:00", "c", ("n", "0.5")),
        ("#N/A", "e", ("e", "#N/A")),
        ("=cmd()", "e", None),
        ("=1", "t", None),
    ],
)
def test_a_cell_is_what_it_was_only_where_it_is_read_as_the_same_text(
    text: str, kind: str, value: tuple[str, str] | None
) -> None:
    """Anything else is a text."""
    assert stored(text, kind) == value


def test_days_of_a_workbook_that_counts_from_1904() -> None:
    """1462 days less."""
    assert stored("2026-11-24", "d", from_1904=True) == ("n", str(46350 - 1462))


@pytest.mark.fault("X05", "J07")
def test_what_a_row_came_back_for_and_what_changed_is_told(market: Market) -> None:
    """A corrected amount that could not be read before; another token and amount for a declined
    order, by the rejects file and by a plain one under the old id.
    """
    declined = ("tokn_test_sandbox000040011", "tokn_test_sandbox000030011")
    rows = [order(1, amount="100.255")]
    rows += [order(number, card=card) for number, card in enumerate(declined, 2)]
    market.orders(rows)
    market.job()
    assert market.run().returncode == 10
    (rejects,) = (market.folder / "reports").glob("*/rejects.csv")
    back = _read(rejects)[:2]
    back[0]["amount"] = "100.25"
    back[1] |= {"card": "tokn_test_sandbox000044242", "amount": "90"}
    _write(market.folder / "back.csv", back)
    market.run("--input", "back.csv")
    market.orders(
        [order(3, amount="80.00", card="tokn_test_sandbox000054242")], "plain.csv"
    )
    market.run("--input", "plain.csv")
    batch = rejects.parent.name
    told = {}
    for path in (market.folder / "reports").glob("*/results.csv"):
        for line in _read(path):
            if line["corrects"]:
                at = (line["order_id"], line["attempts"], line["outcome"])
                told[at] = (line["corrects"], line["changed"])
    assert told == {
        ("00001", "1", "succeeded"): (
            f"batch {batch} row 2",
            "amount: - -> 100.25 THB",
        ),
        ("00002", "2", "succeeded"): (
            f"batch {batch} row 3",
            "amount: 102.25 THB -> 90.00 THB; payer: card *0011 -> card *4242",
        ),
        ("00003", "2", "succeeded"): (
            f"batch {batch} row 4",
            "amount: 103.25 THB -> 80.00 THB; payer: card *0011 -> card *4242",
        ),
    }
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}


@pytest.mark.parametrize(
    ("code", "text", "hidden"),
    [
        ("General", "0.123456", False),
        ("0", "100.5", True),
        ("#,##0.00", "100.25", False),
        ("#,##0.00", "100.255", True),
        ("#,##0.00;[Red]-#,##0.000", "100.255", True),
        ('"1.00 "0.0', "1.25", True),
        ("0.00%", "0.1234", False),
        ("0%", "0.125", True),
        ("0,", "1500", True),
        ("#,##0", "1500", False),
        ("0.00E+00", "100.255", False),  # that an id is shown so is itself the fault
        ("# ?/?", "0.125", False),
        ("yyyy-mm-dd", "46350.5", False),
    ],
)
def test_a_format_that_hides_digits_is_known(
    code: str, text: str, hidden: bool
) -> None:
    """By the decimals of its first part."""
    number_format = (
        f'<numFmts count="1"><numFmt numFmtId="164" formatCode={quoteattr(code)}/>'
    )
    styles = PLAIN.replace("<fonts", f"{number_format}</numFmts><fonts", 1)
    styles = styles.replace(
        '<cellXfs count="1"><xf numFmtId="0"', '<cellXfs><xf numFmtId="164"'
    )
    assert Styles(styles).hides(0, text) is hidden


@pytest.mark.fault("X05", "J08", "X25")
@pytest.mark.parametrize("made", ["{}", "No. {} of {}", "{}{}"])
def test_words_that_a_program_changed_are_no_correction(
    market: Market, made: str
) -> None:
    """A declined row whose invoice lost its zeros is as it was: no other attempt. A row that is
    corrected beside is charged with its zeros; what a person wrote stays. So are words that a
    template makes of cells.
    """
    rows = [
        order(1, invoice="0071", card="tokn_test_sandbox000140011"),
        order(2, invoice="2026-11-02", recipient="acct_1"),
        order(3, invoice="0073", recipient="acct_1"),
    ]
    market.orders(rows)
    template = made.format("{invoice}", "{order_id}")
    market.job(metadata=f'{{ invoice = {{ template = "{template}" }} }}')
    assert market.run().returncode == 10
    (rejects,) = (market.folder / "reports").glob("*/rejects.csv")
    back = _read(rejects)
    changes = (
        {"invoice": "71"},
        {"invoice": "2/11/2026", "recipient": "recp_test_sandbox1"},
        {"invoice": "B73", "recipient": "recp_test_sandbox1"},
    )
    for cells, change in zip(back, changes, strict=True):
        cells |= change
    _write(market.folder / "back.csv", back)
    result = market.run("--input", "back.csv")
    assert "2 rows, the first of them row 2, came back with a desc" in result.stdout
    assert market.posts() == 3
    charges = market.sandbox.charges()
    invoices = {c["metadata"]["order_id"]: c["metadata"]["invoice"] for c in charges}
    words = {"00001": "0071", "00002": "2026-11-02", "00003": "B73"}
    assert invoices == {own: made.format(word, own) for own, word in words.items()}


@pytest.mark.fault("X05")
def test_a_reason_is_told_in_the_letters_of_the_file(market: Market) -> None:
    """A blank has a sign that no encoding of Thai has: not a ?, which would be taken for one."""
    rows = [order(1, invoice="ใบ 1"), order(2, recipient="recp_test_sandbox1 ")]
    path = market.orders(rows)
    path.write_bytes(path.read_bytes().decode().encode("cp874"))
    market.job(input='encoding = "cp874"')
    assert market.run().returncode == 10
    (rejects,) = (market.folder / "reports").glob("*/rejects.csv")
    (back,) = csv.DictReader(rejects.read_bytes().decode("cp874").splitlines())
    assert r"found 'recp_test_sandbox1\x20'" in back["batchpay_reason"]


@pytest.mark.fault("X05")
def test_letters_that_a_program_lost_are_no_correction(market: Market) -> None:
    """A declined row that comes back with ? for its Thai, else unchanged: no other attempt."""
    market.orders([order(1, invoice="ร้าน 7?", card="tokn_test_sandbox000040011")])
    market.job()
    assert market.run().returncode == 10
    (rejects,) = (market.folder / "reports").glob("*/rejects.csv")
    back = _read(rejects)
    back[0]["invoice"] = "???? 7?"
    _write(market.folder / "back.csv", back)
    result = market.run("--input", "back.csv", verb="check")
    assert "lost-letters" in result.stdout
    assert market.run("--input", "back.csv").returncode == 10
    assert market.posts() == 1
    back[0] |= {"invoice": "ร้าน 7?", "card": "tokn_test_sandbox000054242"}
    _write(market.folder / "right.csv", back)
    market.run("--input", "right.csv")
    assert market.money() == {"00001": 1}
