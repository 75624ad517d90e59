"""Files that cannot be read as the job says, each with what must be said of it, by the hundred.

Made from one good table: its rows by writer, below titles, between other characters, in other
encodings, under other names. `python -m tests.badfiles DIRECTORY` writes them all, to be looked at.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet
from openpyxl.utils import get_column_letter as column_name

HEADER = (
    "order_id",
    "amount",
    "currency",
    "recipient",
    "customer",
    "note",
    "invoice",
    "extra",
)
NOTES = {"th": "ร้านสีลม", "ja": "高島屋ガラスの工房", "en": "Silom Silk"}
ROWS = 3


@dataclass(frozen=True)
class Bad:
    """One file and the job that reads it; `says` is part of its refusal."""

    kind: str
    name: str
    content: bytes | Callable[[], bytes]
    says: str
    input: str = ""
    # the name of its first column in the job
    order_id: str = "order_id"

    @cached_property
    def data(self) -> bytes:
        """What stands in it; a workbook is written where it is wanted, and not to be counted."""
        return self.content if isinstance(self.content, bytes) else self.content()


def rows_of(note: str) -> list[list[str]]:
    """Good rows, the last cell empty."""
    return [
        [
            f"A{at:04d}",
            f"{at}0.50",
            "THB",
            "recp_test_1",
            f"cust_test_{at}",
            note,
            "",
            "",
        ]
        for at in range(1, ROWS + 1)
    ]


def text_of(note: str, delimiter: str = ",", header: tuple[str, ...] = HEADER) -> str:
    """The table as text."""
    lines = [header, *rows_of(note)]
    return "".join(delimiter.join(cells) + "\n" for cells in lines)


def book_of(note: str, change: Callable[[Any], None] = lambda _: None) -> bytes:
    """The table as a workbook, changed."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Orders"
    sheet.append(HEADER)
    for cells in rows_of(note):
        sheet.append([*cells[:1], float(cells[1]), *cells[2:]])
    change(sheet)
    sink = io.BytesIO()
    workbook.save(sink)
    return sink.getvalue()


def parquet_of(note: str) -> bytes:
    """The table as Parquet."""
    columns = dict(
        zip(HEADER, map(list, zip(*rows_of(note), strict=True)), strict=True)
    )
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


TITLES = (
    "Night",
    "Orders; printed today",
    '"Orders, of the night"',
    "รายการ\n",
    "日次\n\nBranch 5",
)
BETWEEN = {";": 'delimiter = ";"', "\t": r'delimiter = "\t"', "|": 'delimiter = "|"'}
SELDOM = ("^", "~")
WRITTEN = {
    "th": ("cp874", "utf-8", "utf-16"),
    "ja": ("cp932", "euc_jp", "utf-8", "utf-16"),
}
STATED = (
    "utf-8",
    "cp932",
    "cp874",
    "shift_jis",
    "tis-620",
    "utf-16",
    "ascii",
    "euc_jp",
)


def headers() -> Iterator[Bad]:
    """The header is elsewhere, or between other characters."""
    for language, note in NOTES.items():
        for title in TITLES:
            row = title.count("\n") + 2
            for delimiter in (",", *BETWEEN):
                change = f"header_row = {row}"
                if delimiter in BETWEEN:
                    change = f"{BETWEEN[delimiter]} and {change}"
                data = f"{title}\n{text_of(note, delimiter)}".encode()
                yield Bad(f"title-{language}", "orders.csv", data, f"say {change} in")
        for delimiter, change in BETWEEN.items():
            data = text_of(note, delimiter).encode()
            yield Bad(f"delimiter-{language}", "orders.csv", data, f"say {change} in")
            sep = f"sep={delimiter}\n".encode()
            says = f"say {change} and header_row = 2 in"
            yield Bad(f"sep-{language}", "orders.csv", sep + data, says)
            quoted = re.sub(
                rb"order_id|A\d+", lambda found: b'"' + found[0] + b'"', data
            )
            yield Bad(f"quoted-{language}", "orders.csv", quoted, f"say {change} in")
        high = text_of(note).encode()
        yield Bad(
            f"too-low-{language}",
            "orders.csv",
            high,
            "header_row = 1",
            "header_row = 9",
        )
        yield Bad(
            f"commas-in-tsv-{language}", "orders.tsv", high, "the name orders.csv"
        )


def headless() -> Iterator[Bad]:
    """There is no header, or an order stands where the job says that it is."""
    for language, note in NOTES.items():
        text = text_of(note)
        rows = text.partition("\n")[2]
        says = "write a row with the names of its columns above it"
        yield Bad(f"headless-{language}", "orders.csv", rows.encode(), says)
        book = partial(book_of, note, lambda sheet: sheet.delete_rows(1))
        yield Bad(f"headless-{language}", "orders.xlsx", book, says)


def in_two_rows() -> Iterator[Bad]:
    """The names stand in two rows, as an export of a sheet with merged cells has them."""
    for language, note in NOTES.items():
        rows = text_of(note).partition("\n")[2]
        header = "order_id,Money,,recipient,customer,note,invoice,extra\n,amount,currency,,,,,\n"
        says = "say header_row = 2 in"
        yield Bad(f"two-{language}", "orders.csv", (header + rows).encode(), says)


def broken() -> Iterator[Bad]:
    """A name goes on in the next line of its cell."""
    words = (("Order", "No"), ("注文", "番号"), ("เลขที่", "ใบสั่งซื้อ"))
    for (first, last), language in zip(words, ("en", "ja", "th"), strict=True):
        for gap in (" ", ""):
            says = f"it has '{first}\\n{last}'; the difference: a line break"
            for end in ("\n", "\r\n"):
                cell = f'"{first}{end}{last}"'
                text = text_of("x").replace("order_id", cell, 1)
                data = text.encode()
                kind = f"broken-{language}"
                name = f"{first}{gap}{last}"
                yield Bad(kind, "orders.csv", data, says, order_id=name)

            def titled(sheet: Any, cell: str = f"{first}\n{last}") -> None:
                sheet["A1"] = cell

            book = partial(book_of, "x", titled)
            yield Bad(kind, "orders.xlsx", book, says, order_id=name)


def ends() -> Iterator[Bad]:
    """Lines and cells end otherwise, or the first of them begins so."""
    for language, note in NOTES.items():
        text = text_of(note)
        mac = text.replace("\n", "\r").encode()
        yield Bad(f"mac-{language}", "orders.csv", mac, "save it anew")
        spaced = text.replace(",", ", ").encode()
        yield Bad(f"spaced-{language}", "orders.csv", spaced, "replace ', ' by ','")
        for between in SELDOM:
            says = f'say delimiter = "{between}" in'
            seldom = text_of(note, between).encode()
            yield Bad(f"seldom-{language}", "orders.csv", seldom, says)
        header, _, rows = text.partition("\n")
        apart = re.sub(r"[^,\n]+", lambda found: f"'{found[0]}'", rows)
        all_ = re.sub(r"[^,\n]+", lambda found: f"'{found[0]}'", text)
        for single in (f"{header}\n{apart}", all_):
            says = "replace ' by \""
            yield Bad(f"single-{language}", "orders.csv", single.encode(), says)
        curly = re.sub(r"[^,\n]+", lambda found: f"“{found[0]}”", text)
        yield Bad(f"curly-{language}", "orders.csv", curly.encode(), "replace “ and ”")
        for inner in (text, re.sub(r"[^,\n]+", lambda found: f'""{found[0]}""', text)):
            whole = "".join(f'"{line}"\n' for line in inner.splitlines())
            says = 'the first and the last " off'
            yield Bad(f"whole-{language}", "orders.csv", whole.encode(), says)
        lines = (line.split(",") for line in text.splitlines())
        fixed = "".join("".join(f"{c:16}" for c in cells) + "\n" for cells in lines)
        yield Bad(f"fixed-{language}", "orders.csv", fixed.encode(), "fixed width")
        for stated in ("cp1252", "cp874"):
            yield Bad(
                f"mark-{stated}-{language}",
                "orders.csv",
                text_of("x").encode("utf-8-sig"),
                'say encoding = "utf-8"',
                f'encoding = "{stated}"',
            )


def encodings() -> Iterator[Bad]:
    """Written in one encoding, stated in another in which it is wrong."""
    for language, encodings_ in WRITTEN.items():
        for written in encodings_:
            data = text_of(NOTES[language]).encode(written)
            for stated in STATED:
                if not _is_wrong(data, stated):
                    continue
                says = f'say encoding = "{written}'
                yield Bad(
                    f"{written}-as-{stated}",
                    "orders.csv",
                    data,
                    says,
                    f'encoding = "{stated}"',
                )
                packed = gzip.compress(data)
                yield Bad(
                    f"{written}-packed-as-{stated}",
                    "orders.csv.gz",
                    packed,
                    says,
                    f'encoding = "{stated}"',
                )


def punctuated() -> Iterator[Bad]:
    """Nothing but a quote or three points is beyond ASCII, as where Excel saved English text."""
    for note in ("Jane’s shop", "and so on…"):
        data = text_of(note).encode("cp1252")
        yield Bad("cp1252-en", "orders.csv", data, 'say encoding = "cp1252"')


def _is_wrong(data: bytes, stated: str) -> bool:
    try:
        text = data.decode(stated)
    except UnicodeError:
        return True
    return "\0" in text[:2] or any("\x80" <= one < "\xa0" for one in text)


def names() -> Iterator[Bad]:
    """The name says another kind than the content."""
    for language, note in NOTES.items():
        text, book = text_of(note).encode(), partial(book_of, note)
        parquet = partial(parquet_of, note)
        page = f"<html><meta charset=utf-8><table><tr><td>{note}</table>".encode()
        locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage\0".encode(
            "utf-16-le"
        )
        old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook\0".encode("utf-16-le")
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as folder:
            folder.writestr("orders.csv", text)
            folder.writestr("__MACOSX/._orders.csv", b"x")
        ods = io.BytesIO()
        with zipfile.ZipFile(ods, "w") as folder:
            folder.writestr(
                "mimetype", "application/vnd.oasis.opendocument.spreadsheet"
            )
            folder.writestr("content.xml", "<x/>")
        for name in ("orders.xlsx", "orders.parquet", "orders.txt", "orders.xls"):
            yield Bad(f"text-{language}", name, text, "the name orders.csv")
        for name in ("orders.csv", "orders.parquet", "orders.xls", "orders.zip"):
            yield Bad(f"book-{language}", name, book, "the name orders.xlsx")
        for name in ("orders.csv", "orders.xlsx", "orders"):
            yield Bad(f"parquet-{language}", name, parquet, "the name orders.parquet")
        for name in ("orders.csv", "orders.xlsx", "orders.xls", "orders.parquet"):
            yield Bad(f"page-{language}", name, page, "a web page (HTML): open it in")
        for name in ("orders.csv", "orders.xlsx", "orders.xls"):
            yield Bad(f"old-{language}", name, old, "an old workbook (.xls")
            yield Bad(f"locked-{language}", name, locked, "take the password off")
        sylk = b"ID;PWXL;N;E\r\nC;Y1;X1;K" + note.encode() + b"\r\nE\r\n"
        dif = b'TABLE\r\n0,1\r\n"EXCEL"\r\n' + note.encode() + b"\r\nEOD\r\n"
        early = b"\x09\x00\x04\x00\x02\x00\x10\x00" + note.encode()
        for name in ("orders.csv", "orders.xlsx"):
            yield Bad(f"sylk-{language}", name, sylk, "a SYLK file")
            yield Bad(f"dif-{language}", name, dif, "a DIF file")
            yield Bad(f"early-{language}", name, early, "an old workbook (.xls")
        for name in ("orders.csv", "orders.xlsx", "orders.zip"):
            yield Bad(
                f"zip-{language}",
                name,
                zipped.getvalue(),
                "a zip: 'orders.csv': unpack it",
            )
            yield Bad(f"ods-{language}", name, ods.getvalue(), "OpenDocument")
        yield Bad(
            f"gzip-{language}",
            "orders.csv",
            gzip.compress(text),
            "the name orders.csv.gz",
        )
        semicolons = text_of(note, ";").encode()
        says = 'the name orders.csv, and say delimiter = ";"'
        yield Bad(f"semicolons-{language}", "orders.xlsx", semicolons, says)
        for name in ("orders.csv", "orders.xlsx"):
            yield Bad(
                f"pdf-{language}",
                name,
                b"%PDF-1.7\n" + text,
                "a PDF, which holds no table",
            )
            document = json.dumps([{"note": note}]).encode()
            yield Bad(f"json-{language}", name, document, "JSON, which holds no table")
        yield Bad(f"cut-{language}", "orders.csv", text[:-1], "press Enter behind it")


def sheets() -> Iterator[Bad]:
    """The header is in another row, another sheet, or there twice; two tables; no range."""

    def titled(sheet: Any) -> None:
        sheet.insert_rows(1, 2)
        sheet["A1"] = "Orders"

    def covered(sheet: Any) -> None:
        sheet.parent.create_sheet("Cover", 0)["A1"] = "Cover"

    def twice(sheet: Any) -> None:
        for at, name in enumerate(HEADER, 10):
            sheet.cell(1, at, name)

    def second(sheet: Any) -> None:
        for at, name in enumerate(HEADER, 1):
            sheet.cell(7, at, name)

    def merged(sheet: Any) -> None:
        sheet.insert_rows(2)
        for column, name in enumerate(HEADER, 1):
            if name in ("amount", "currency"):
                sheet.cell(1, column, {"amount": "Money"}.get(name))
                sheet.cell(2, column, name)
            else:
                sheet.merge_cells(f"{column_name(column)}1:{column_name(column)}2")
        sheet.merge_cells("B1:C1")

    for language, note in NOTES.items():
        kinds = (
            ("merged", merged, "say header_row = 2 in", ""),
            ("row", titled, "say header_row = 3 in", ""),
            ("sheet", covered, 'say sheet = "Orders" in', ""),
            ("named", lambda _: None, 'say sheet = "Orders" in', 'sheet = "Order"'),
            ("side", twice, 'say range = "A1:H" in', ""),
            ("below", second, 'say range = "A1:H4" in', ""),
            ("range", titled, 'say range = "A3:H" in', 'range = "A1:H"'),
        )
        for kind, change, says, how in kinds:
            book = partial(book_of, note, change)
            yield Bad(f"{kind}-{language}", "orders.xlsx", book, says, how)


def misplaced() -> Iterator[Bad]:
    """Rows that would be read as others: below a header in another order, or swallowed by quotes;
    and a sheet that nearly fits beside another one.
    """
    other = ["extra" if name == "amount" else name for name in HEADER]
    other[-1] = "amount"

    def below(sheet: Any) -> None:
        sheet.append(other)
        sheet.append([*rows_of("x")[0][:1], "", *rows_of("x")[0][2:7], 5])

    def near(sheet: Any) -> None:
        sheet["B1"] = "amuont"
        sheet.parent.create_sheet("Cover", 0)["A1"] = "Cover"

    for language, note in NOTES.items():
        says = "row 5 is another header, with 'extra' where the first one has 'amount'"
        lines = [*text_of(note).splitlines(), ",".join(other), "A0009,,THB,r,c,,,5.00"]
        text = "".join(f"{line}\n" for line in lines).encode()
        yield Bad(f"swapped-{language}", "orders.csv", text, says)
        book = partial(book_of, note, below)
        yield Bad(f"swapped-{language}", "orders.xlsx", book, says)
        first, last = (f"A{at:04d}," for at in (1, ROWS))
        swallowed = "".join(
            line.replace(note, f'"{note}' if line.startswith(first) else note).replace(
                note, f'{note}"' if line.startswith(last) else note
            )
            for line in text_of(note).splitlines(keepends=True)
        ).encode()
        says = f"the quotes in lines 2 to {ROWS + 1} make one row of what looks like"
        yield Bad(f"swallowed-{language}", "orders.csv", swallowed, says)
        says = "row 1 of 'Orders' is nearly their header: no column 'amount'"
        book = partial(book_of, note, near)
        yield Bad(f"near-sheet-{language}", "orders.xlsx", book, says)


NAMED = {"ja": "注文番号", "th": "เลขที่ใบสั่งซื้อ"}
READ = (
    ("utf-8", "cp1252"),
    ("utf-8", "latin-1"),
    ("utf-8", "cp874"),
    ("utf-8", "cp932"),
    ("cp932", "cp1252"),
    ("cp874", "cp1252"),
    ("cp874", "mac_roman"),
)


def misread() -> Iterator[Bad]:
    """Workbooks that a program made of a text in another encoding than it took it for."""
    for language, name in NAMED.items():
        for written, read in READ:
            shown = name.encode(written, "ignore").decode(read, "ignore")
            if not shown or written == read:
                continue

            def titled(sheet: Any, shown: str = shown) -> None:
                sheet["A1"] = shown

            says = f"is '{name}', written in {written}"
            book = partial(book_of, NOTES[language], titled)
            kind = f"misread-{written}-{read}-{language}"
            yield Bad(kind, "orders.xlsx", book, says, order_id=name)


def all_of_them() -> list[Bad]:
    """Every file, in a steady order."""
    return [
        *headers(),
        *headless(),
        *broken(),
        *in_two_rows(),
        *ends(),
        *encodings(),
        *punctuated(),
        *names(),
        *sheets(),
        *misplaced(),
        *misread(),
    ]


if __name__ == "__main__":
    for number, bad in enumerate(all_of_them()):
        folder_ = Path(sys.argv[1]) / f"{number:03d}-{bad.kind}"
        folder_.mkdir(parents=True)
        (folder_ / bad.name).write_bytes(bad.data)
