"""`init --from FILE`: a job for a real file, refused until its guesses are confirmed, and right
then.
"""

from __future__ import annotations

import gzip
import re
import tomllib
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from batchpay.commands.check import check
from batchpay.commands.proposing import propose
from batchpay.domain.errors import FileRefused, InputMissing, Misconfigured, Usage
from batchpay.job.load import load_job

HEADER = ["Order No", "Amount", "Currency", "Recipient", "Customer", "Note"]
ROWS = [
    ["A1", "1,200.50", "THB", "recp_test_1", "cust_test_1", "lunch"],
    ["A2", "80.00", "THB", "recp_test_2", "cust_test_2", ""],
    ["A3", "99.00", "THB", "recp_test_1", "cust_test_3", "tea"],
]
JAPANESE = ["注文番号", "金額", "通貨", "受取人", "顧客", "備考"]
GERMAN = ["Bestell-Nr.", "Gesamtbetrag", "Währung", "Empfänger", "Kunde", "Bemerkung"]
FRENCH = ["N° de commande", "Montant", "Devise", "Bénéficiaire", "Client", "Libellé"]
SPANISH = ["Nº de pedido", "Importe", "Moneda", "Vendedor", "Cliente", "Concepto"]
THAI = ["เลขที่ใบสั่งซื้อ", "จำนวนเงิน", "สกุลเงิน", "ผู้รับเงิน", "ลูกค้า", "หมายเหตุ"]


def text_of(rows: list[list[str]], between: str = ",") -> str:
    """Rows as a text, cells with a delimiter or a comma in quotes."""
    lines = [[f'"{cell}"' if "," in cell else cell for cell in row] for row in rows]
    return "".join(between.join(line) + "\n" for line in lines)


def confirmed(folder: Path) -> Path:
    """The job that was written, once every guess has been taken out of the list."""
    job = folder / "job.toml"
    with pytest.raises(Misconfigured, match="to_confirm: 'name'"):
        load_job(job)
    text = job.read_text("utf-8")
    job.write_text(re.sub(r"(?m)^to_confirm = .*$", "to_confirm = []", text), "utf-8")
    return job


def proven(folder: Path, rows: int = 3) -> dict[str, object]:
    """That every row is right by the confirmed job; its document."""
    job = confirmed(folder)
    checked = check(load_job(job))
    assert checked.problems == () and checked.refusals == ()
    assert checked.exit_code == 0 and checked.files[0]["rows"] == rows
    return tomllib.loads(job.read_text("utf-8"))


@pytest.mark.parametrize(
    "header",
    [HEADER, JAPANESE, THAI, GERMAN, FRENCH, SPANISH],
    ids=["en", "ja", "th", "de", "fr", "es"],
)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp932", "cp874", "cp1252", "utf-16"]
)
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_text_is_told_how_it_is_read(
    tmp_path: Path, header: list[str], encoding: str, between: str
) -> None:
    """Encoding, delimiter and columns, by six languages' names."""
    try:
        data = text_of([header, *ROWS], between).encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("not a text of this encoding")
    (tmp_path / "orders.csv").write_bytes(data)
    propose(tmp_path, tmp_path / "orders.csv", None)
    columns = proven(tmp_path)["columns"]
    assert isinstance(columns, dict)
    assert (columns["order_id"], columns["destination"]) == (header[0], header[3])
    assert columns["amount"] == {"column": header[1], "unit": "major"}


def test_a_german_export_is_read_as_german_machines_write(tmp_path: Path) -> None:
    """Semicolons, cp1252, decimal commas and days with points."""
    rows = [
        [*ROWS[0][:1], "1.200,50", *ROWS[0][2:5], "Stühle", "20.11.2026"],
        [*ROWS[1][:1], "80,00", *ROWS[1][2:5], "Tische", "1.12.2026"],
    ]
    text = text_of([[*GERMAN, "Datum"], *rows], ";")
    (tmp_path / "orders.csv").write_bytes(text.encode("cp1252"))
    propose(tmp_path, tmp_path / "orders.csv", None)
    columns = proven(tmp_path, 2)["columns"]
    assert isinstance(columns, dict)
    assert columns["amount"]["format"] == "1.234,56"
    job = (tmp_path / "job.toml").read_text("utf-8")
    assert '{ column = "Datum", format = "31.12.2024" }' in job


def test_a_title_above_the_header_and_decimal_commas(tmp_path: Path) -> None:
    """The row that holds the names is the header; the cells say the form of amounts."""
    rows = [
        [row[0], row[1].translate(str.maketrans(",.", ".,")), *row[2:]] for row in ROWS
    ]
    text = "October's orders\n\n" + text_of([HEADER, *rows], ";")
    (tmp_path / "orders.csv").write_text(text, "utf-8")
    propose(tmp_path, tmp_path / "orders.csv", None)
    job = proven(tmp_path)
    assert job["input"]["header_row"] == 3  # type: ignore[index]
    assert job["columns"]["amount"]["format"] == "1.234,56"  # type: ignore[index]


def test_a_row_without_an_id_is_none_of_the_ids_that_are_counted(
    tmp_path: Path,
) -> None:
    """As a total row has none."""
    total = ["", "500.00", "THB", *[""] * (len(HEADER) - 3)]
    (tmp_path / "orders.csv").write_text(text_of([HEADER, *ROWS, total]), "utf-8")
    propose(tmp_path, tmp_path / "orders.csv", None)
    text = (tmp_path / "job.toml").read_text("utf-8")
    assert f"{len(ROWS)} different ids in {len(ROWS) + 1} rows" in text


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "csv.gz", "tsv"])
def test_every_format_is_looked_at(tmp_path: Path, kind: str) -> None:
    """A sheet below its title, numbers as numbers."""
    path = tmp_path / f"orders.{kind}"
    typed = [[row[0], float(row[1].replace(",", "")), *row[2:]] for row in ROWS]
    if kind == "xlsx":
        book = openpyxl.Workbook()
        page = book.active
        page.title = "Orders"
        page.append(["October's orders"])
        for row in ([], HEADER, *typed):
            page.append(row)
        book.create_sheet("Empty")
        book.save(path)
    elif kind == "parquet":
        columns = {name: [row[at] for row in typed] for at, name in enumerate(HEADER)}
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    elif kind == "tsv":
        path.write_text(text_of([HEADER, *ROWS], "\t"), "utf-8")
    else:
        path.write_bytes(gzip.compress(text_of([HEADER, *ROWS]).encode()))
    propose(tmp_path, path, None)
    job = proven(tmp_path)
    if kind == "xlsx":
        assert (job["input"]["sheet"], job["input"]["header_row"]) == ("Orders", 3)  # type: ignore[index]
        text = (tmp_path / "job.toml").read_text("utf-8")
        assert "leave it out where each file calls its one otherwise" in text
        (tmp_path / "job.toml").write_text(re.sub("(?m)^sheet = .*$", "", text))
        page.title = "December"
        book.save(path)
        assert check(load_job(tmp_path / "job.toml")).files[0]["rows"] == 3


def test_a_file_of_shops_is_found_beside_it(tmp_path: Path) -> None:
    """By the names in it; the job lies in another folder."""
    rows = [[*row[:3], shop, *row[4:]] for row, shop in zip(ROWS, "ABA", strict=True)]
    header = ["Order No", "Amount", "Currency", "Branch", "Customer", "Note"]
    (tmp_path / "orders.csv").write_text(text_of([header, *rows]), "utf-8")
    (tmp_path / "whose.csv").write_text(
        "shop,id\nA,recp_test_1\nB,recp_test_2\nC,recp_test_3\n"
    )
    propose(tmp_path / "job", tmp_path / "orders.csv", None)
    assert "2 of 2 different cells stand in ../whose.csv" in (
        tmp_path / "job" / "job.toml"
    ).read_text("utf-8")
    columns = proven(tmp_path / "job")["columns"]
    assert columns["destination"] == {  # type: ignore[index]
        "column": "Branch",
        "lookup": "../whose.csv",
        "key": "shop",
        "value": "id",
    }


def test_a_file_of_shops_is_made_to_be_filled_in(tmp_path: Path) -> None:
    """Each shop once; filled in, every row is right."""
    rows = [[*row[:3], shop, *row[4:]] for row, shop in zip(ROWS, "ABA", strict=True)]
    header = [*HEADER[:3], "Shop", *HEADER[4:]]
    (tmp_path / "orders.csv").write_text(text_of([header, *rows]), "utf-8")
    propose(tmp_path, tmp_path / "orders.csv", None)
    shops = tmp_path / "recipients.csv"
    assert shops.read_text() == "shop,recipient_id\nA,\nB,\n"
    shops.write_text("shop,recipient_id\nA,recp_test_1\nB,recp_test_2\n")
    proven(tmp_path)


def test_the_currency_may_stand_beside_the_amounts(tmp_path: Path) -> None:
    """And dates have their form, as a proposal that is a comment."""
    rows = [[row[0], f"฿{row[1]}", "25/2/2568", *row[3:]] for row in ROWS]
    header = ["Order No", "Amount", "Paid", *HEADER[3:]]
    (tmp_path / "orders.csv").write_text(text_of([header, *rows]), "utf-8")
    propose(tmp_path, tmp_path / "orders.csv", None)
    text = (tmp_path / "job.toml").read_text("utf-8")
    assert '# metadata.date1 = { column = "Paid", format = "31/12/2567" }' in text
    job = proven(tmp_path)
    assert job["columns"]["currency"] == {"value": "THB"}  # type: ignore[index]
    uncommented = re.sub(
        "(?m)^# metadata", "metadata", (tmp_path / "job.toml").read_text("utf-8")
    )
    (tmp_path / "job.toml").write_text(uncommented, "utf-8")
    assert check(load_job(tmp_path / "job.toml")).problems == ()


@pytest.mark.parametrize(
    ("amounts", "form"),
    [
        (("1.234", "80", "12.345"), None),
        (("1.234", "99.50", "80,00"), None),
        (("1.234", "80,00", "12.345"), "1.234,56"),
        (("1.234.567", "80", "1.234"), "1.234,56"),
        (("12,5", "80", "7"), "1.234,56"),
    ],
)
def test_a_form_that_no_cell_proves_is_not_proposed(
    tmp_path: Path, amounts: tuple[str, ...], form: str | None
) -> None:
    """Nor a day before a month that may be one before a day, nor a currency that nothing shows."""
    rows = [
        [row[0], amount, "5/2/2568", *row[3:]]
        for row, amount in zip(ROWS, amounts, strict=True)
    ]
    header = ["Order No", "Amount", "Paid", *HEADER[3:]]
    (tmp_path / "orders.csv").write_text(text_of([header, *rows]), "utf-8")
    propose(tmp_path, tmp_path / "orders.csv", None)
    text = (tmp_path / "job.toml").read_text("utf-8")
    columns = tomllib.loads(text)["columns"]
    assert columns["amount"].get("format") == form
    assert ("1.234 reads two ways and no cell shows which" in text) == (form is None)
    if form is not None and "." not in "".join(amounts):
        assert "none has decimals" not in text
    assert columns["currency"] == {"value": "…"}
    assert "metadata.date1" not in text


def test_only_amounts_prove_a_form_and_yen_have_none_behind_a_comma(
    tmp_path: Path,
) -> None:
    """Four digits behind a comma are no amount; 円 says that three are thousands."""
    for number, (cell, form) in enumerate((("1,1015", None), ("12,000円", "1,234円"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        rows = [[row[0], cell, *row[2:]] for row in ROWS]
        (folder / "orders.csv").write_text(text_of([HEADER, *rows]), "utf-8")
        propose(folder, folder / "orders.csv", None)
        columns = tomllib.loads((folder / "job.toml").read_text("utf-8"))["columns"]
        assert columns["amount"].get("format") == form


@pytest.mark.parametrize(
    ("sign", "encoding"),
    [("\\", "cp932"), ("\\", "utf-8"), ("¥", "utf-8"), ("￥", "cp932")],
)
@pytest.mark.parametrize("cell", ["1,250", "980", "12,500,000"])
def test_yen_of_a_japanese_program_are_yen(
    tmp_path: Path, sign: str, encoding: str, cell: str
) -> None:
    """Shift_JIS has the yen sign where ASCII has a backslash; no cell has decimals."""
    header = ["注文番号", "金額", "店舗", "顧客"]
    rows = [[row[0], f"{sign}{cell}", *row[3:5]] for row in ROWS]
    text = text_of([header, *rows])
    if encoding == "utf-8":
        text = text.replace("金額", "Amount")
    (tmp_path / "orders.csv").write_bytes(text.encode(encoding))
    propose(tmp_path, tmp_path / "orders.csv", None)
    columns = proven(tmp_path)["columns"]
    assert columns["currency"] == {"value": "JPY"}  # type: ignore[index]
    form = columns["amount"]["format"]  # type: ignore[index]
    assert form.replace("￥", "¥") == "¥1,234"
    assert "satang" not in (tmp_path / "job.toml").read_text("utf-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_proposed(tmp_path: Path, encoding: str) -> None:
    """And a tab as people write one."""
    text = text_of([JAPANESE, *ROWS], "\t")
    (tmp_path / "orders.csv").write_bytes(text.encode(encoding))
    propose(tmp_path, tmp_path / "orders.csv", None)
    proven(tmp_path)
    text = (tmp_path / "job.toml").read_text("utf-8")
    assert f'encoding = "{encoding}"' in text and r'delimiter = "\t"' in text


def test_a_day_is_no_order_and_of_several_amounts_a_person_chooses(
    tmp_path: Path,
) -> None:
    """Where no name tells."""
    header = ["day", "no", "net", "gross", "Recipient", "Customer"]
    rows = [
        [f"2026-11-0{at}", row[0], f"{at}0.00", f"{at}0.70", *row[3:5]]
        for at, row in enumerate(ROWS, 1)
    ]
    (tmp_path / "orders.csv").write_text(text_of([header, *rows]), "utf-8")
    propose(tmp_path, tmp_path / "orders.csv", None)
    text = (tmp_path / "job.toml").read_text("utf-8")
    columns = tomllib.loads(text)["columns"]
    assert columns["order_id"] == "no"
    assert columns["amount"]["column"] == "net"
    assert 'so are those of "gross": which is charged?' in text


@pytest.mark.fault("X13")
def test_a_column_of_currencies_in_words_is_never_passed_over(tmp_path: Path) -> None:
    """A sign beside the amounts says nothing of the other rows: each word's code stands in a second
    file, empty where it may be several.
    """
    words = ["円", "日本円", "บาท"]
    amounts = ["¥3400", "¥1200", "500"]
    rows = [
        [row[0], amount, word, *row[3:]]
        for row, amount, word in zip(ROWS, amounts, words, strict=True)
    ]
    orders = tmp_path / "orders.csv"
    orders.write_text(text_of([HEADER, *rows]), "utf-8")
    propose(tmp_path, orders, None)
    codes = tmp_path / "currencies.csv"
    assert codes.read_text("utf-8") == "word,code\n円,JPY\n日本円,JPY\nบาท,THB\n"
    checked = check(load_job(confirmed(tmp_path)))
    assert [one.problem.rule for one in checked.problems] == ["other-currency"]
    orders.write_text(text_of([HEADER, *[[*rows[0][:2], "¥", *rows[0][3:]]]]), "utf-8")
    propose(tmp_path / "sign", orders, None)
    assert (tmp_path / "sign" / "currencies.csv").read_text("utf-8").endswith("¥,\n")


@pytest.mark.fault("X06")
def test_all_columns_that_could_be_charged_are_named(tmp_path: Path) -> None:
    """A person chooses."""
    header = ["Order No", "Net amount", "VAT", "Amount due", "Points", *HEADER[2:]]
    rows = [[row[0], "100", "7", "107", "Gold", *row[2:]] for row in ROWS]
    (tmp_path / "orders.csv").write_text(text_of([header, *rows]), "utf-8")
    propose(tmp_path, tmp_path / "orders.csv", None)
    text = (tmp_path / "job.toml").read_text("utf-8")
    assert 'also possible: "VAT", "Amount due": which is charged?' in text
    assert '"amount"' in re.search("(?m)^to_confirm = .*$", text)[0]  # type: ignore[index]


@pytest.mark.fault("X06")
@pytest.mark.parametrize("money", ["Refund", "送料", "k"])
def test_money_is_no_order_id_and_a_name_that_stands_twice_is_told(
    tmp_path: Path, money: str
) -> None:
    header = [
        "Order No",
        money,
        "Amount",
        "Recipient",
        "Customer",
        "Order No",
        "Amount",
    ]
    rows = [
        [row[0], f"{at}0.50", row[1], *row[3:5], row[0], row[1]]
        for at, row in enumerate(ROWS)
    ]
    book = openpyxl.Workbook()
    for cells in (header, *rows):
        book.active.append(cells)
    book.save(tmp_path / "orders.xlsx")
    propose(tmp_path, tmp_path / "orders.xlsx", None)
    text = (tmp_path / "job.toml").read_text("utf-8")
    columns = tomllib.loads(text)["columns"]
    assert columns["order_id"] == "…"
    assert '"Order No" stands more than once in the header: rename all but one' in text
    assert '"Amount" stands more than once in the header: rename all but one' in text


@pytest.mark.parametrize("kind", ["csv", "cp932", "xlsx", "tokens"])
def test_a_file_without_a_header_is_told_what_it_lacks(
    tmp_path: Path, kind: str
) -> None:
    """Its first order is no header; with the row that is asked for above it, it is proposed."""
    path = tmp_path / "orders.csv"
    header = ["order_id", "amount", "currency", "recipient", "customer", "note"]
    rows = [row.copy() for row in ROWS]
    if kind == "cp932":
        rows = [[*row[:5], "備考"] for row in rows]
    if kind == "tokens":
        header[4] = "card"
        rows = [
            [*row[:4], f"tokn_test_5xuy4w91xqz7d1w9u{at}", ""]
            for at, row in enumerate(rows)
        ]
    for lines in (rows, [header, *rows]):
        if kind == "xlsx":
            path = tmp_path / "orders.xlsx"
            book = openpyxl.Workbook()
            for row in lines:
                book.active.append(row)
            book.save(path)
        else:
            path.write_bytes(
                text_of(lines).encode("cp932" if kind == "cp932" else "utf-8")
            )
        if lines is rows:
            with pytest.raises(FileRefused, match="write a row with the names"):
                propose(tmp_path, path, None)
            assert not (tmp_path / "job.toml").exists()
    propose(tmp_path, path, None)
    proven(tmp_path)


def test_a_sheet_that_begins_with_a_blank_row_or_has_a_name_twice_is_looked_at(
    tmp_path: Path,
) -> None:
    """The header is where the names are; what is called alike is no field's."""
    book = openpyxl.Workbook()
    for cells in ([], [*HEADER, "Note"], *([*row, "x"] for row in ROWS)):
        book.active.append(cells)
    book.save(tmp_path / "orders.xlsx")
    propose(tmp_path, tmp_path / "orders.xlsx", None)
    job = proven(tmp_path)
    assert job["input"]["header_row"] == 2  # type: ignore[index]
    assert "description" not in job["columns"]  # type: ignore[operator]
    book.create_sheet("Other").append(HEADER)
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(FileRefused, match="init --sheet NAME"):
        propose(tmp_path / "two", tmp_path / "two.xlsx", None)


def test_nothing_is_overwritten_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """All or nothing."""
    orders = tmp_path / "orders.csv"
    with pytest.raises(InputMissing, match="there is no such file"):
        propose(tmp_path, orders, None)
    orders.write_bytes(b"a,b\n\xff\xfe\xfd,\x80\x81\n")
    with pytest.raises(FileRefused, match="no other encoding"):
        propose(tmp_path, orders, None)
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]
    orders.write_text(text_of([HEADER, *ROWS]), "utf-8")
    propose(tmp_path, orders, None)
    with pytest.raises(Usage, match="left alone"):
        propose(tmp_path, orders, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "x,y\n",
        "x,y\n1,2\n",
        '"a""b",c\\d\n1,2\n',
        "Amount,Amount\n1,2\n",
        "\n\n\n",
    ],
)
def test_a_poor_file_makes_a_job_or_a_sentence(tmp_path: Path, text: str) -> None:
    """What no column shows stands as a gap that a person sees."""
    orders = tmp_path / "o\"r'd.csv"
    orders.write_text(text, "utf-8")
    try:
        propose(tmp_path, orders, None)
    except FileRefused:
        return
    told = tomllib.loads((tmp_path / "job.toml").read_text("utf-8"))
    assert set(told["columns"]) >= {"order_id", "amount", "currency", "destination"}
    with pytest.raises(Misconfigured, match="to_confirm"):
        load_job(tmp_path / "job.toml")
