"""Makes the sample orders, always the same: python samples/make.py

A marketplace's night in Bangkok: some 200 orders of ten shops in baht, and a few in yen, with every
kind of trouble a night can bring. The same rows are written as CSV, Parquet and Excel. Ids are
those of the sandbox.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = [
    "Order No",
    "Shop",
    "Amount",
    "Currency",
    "Token",
    "Customer",
    "Source",
    "Item",
    "Invoice No",
    "Ordered at",
]
SHOPS = [
    "Chatuchak Ceramics",
    "Thonglor Tea",
    "Ratchada Records",
    "Silom Silk",
    "ร้านบ้านไม้",
    "Ari Audio",
    "Bang Rak Books",
    "Ekkamai Eyewear",
    "江戸文具店",
    "Lat Phrao Lamps",
]
UNVERIFIED = "Pop-up Plants"
ITEMS = [
    "mug",
    "tea set",
    "vinyl record",
    "scarf",
    "เก้าอี้ไม้",
    "headphones",
    "novel",
    "glasses",
    "万年筆",
    "lamp",
]


def orders() -> list[list[str]]:
    """The rows, header excluded."""
    dice = random.Random(20261124)
    rows = [_order(dice, number) for number in range(1, 201)]
    for number, trouble in TROUBLE.items():
        trouble(rows[number - 1])
    rows.append([*rows[11]])  # one order twice, same content
    # one order id twice, other amount
    rows.append([*rows[12][:2], "1.00", *rows[12][3:]])
    return rows


def _order(dice: random.Random, number: int) -> list[str]:
    shop = dice.randrange(len(SHOPS))
    yen = SHOPS[shop] == "江戸文具店"
    amount = (
        f"{dice.randrange(300, 48_000)}"
        if yen
        else f"{dice.randrange(2_500, 900_000) / 100:,.2f}"
    )
    token, customer = f"tokn_test_sandbox{number:04d}4242", ""
    if number % 3 == 0:
        token, customer = "", f"cust_test_sandbox{dice.randrange(60):04d}4242"
    at = datetime(
        2026, 11, 23, dice.randrange(8, 23), dice.randrange(60), dice.randrange(60)
    )
    return [
        f"{number:07d}",
        SHOPS[shop],
        amount,
        "JPY" if yen else "THB",
        token,
        customer,
        "",
        ITEMS[shop],
        f"INV-{number:05d}",
        f"{at:%Y-%m-%d %H:%M:%S}",
    ]


def _set(column: str, value: str):
    def change(row: list[str]) -> None:
        row[HEADER.index(column)] = value

    return change


def _pays_with(column: str, value: str):
    def change(row: list[str]) -> None:
        for name in ("Token", "Customer", "Source"):
            row[HEADER.index(name)] = value if name == column else ""

    return change


def _all(*changes):
    def change(row: list[str]) -> None:
        for one in changes:
            one(row)

    return change


THB = _all(
    _set("Shop", SHOPS[0]),
    _set("Currency", "THB"),
    _set("Amount", "1,250.00"),
    _set("Item", "mug"),
)
TROUBLE = {
    5: _set("Amount", "1.234,50"),
    17: _set("Amount", "THB 100"),
    23: _all(THB, _set("Amount", "99.999")),
    31: _set("Amount", "๑๒๓"),
    38: _set("Shop", "Nobody's Shop"),
    44: _pays_with("Token", ""),
    52: _all(
        THB,
        _set("Customer", "cust_test_sandbox00014242"),
        _set("Token", "tokn_test_sandbox00524242"),
    ),
    58: _set("Currency", "BTC"),
    63: _set("Item", "paid with 4242 4242 4242 4242"),
    70: _all(THB, _set("Shop", UNVERIFIED)),
    71: _all(THB, _set("Shop", UNVERIFIED)),
    82: _all(THB, _pays_with("Token", "tokn_test_sandbox00820011")),
    95: _all(THB, _pays_with("Token", "tokn_test_sandbox00950012")),
    103: _all(THB, _pays_with("Token", "tokn_test_sandbox01030014")),
    111: _all(THB, _pays_with("Token", "tokn_test_sandbox01110016")),
    120: _all(THB, _pays_with("Source", "src_test_sandbox0120promptpay")),
    149: _set("Item", '=HYPERLINK("http://example.com","a gift")'),
    150: _set("Item", "a mug,\nwrapped as a gift"),
}


def main() -> None:
    """Write every file of this folder that is made."""
    rows = orders()
    with (HERE / "orders.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    with (HERE / "recipients.csv").open("w", encoding="utf-8", newline="") as file:
        names = [
            (shop, f"recp_test_sandbox{number:04d}")
            for number, shop in enumerate(SHOPS)
        ]
        csv.writer(file).writerows(
            [
                ("shop", "recipient_id"),
                *names,
                (UNVERIFIED, "recp_test_sandboxunverified1"),
            ]
        )
    _parquet(rows)
    _xlsx(rows)


def _parquet(rows: list[list[str]]) -> None:
    import pyarrow
    import pyarrow.parquet

    columns = list(zip(*rows, strict=True))
    table = pyarrow.table(
        {
            name: pyarrow.array(column)
            for name, column in zip(HEADER, columns, strict=True)
        }
    )
    pyarrow.parquet.write_table(
        table, HERE / "orders.parquet", write_page_checksum=True
    )


def _xlsx(rows: list[list[str]]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = datetime(2026, 11, 24)
    sheet = book.active
    sheet.title = "Orders"
    for row in [HEADER, *rows]:
        sheet.append(row)
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.data_type, cell.number_format = "s" if cell.value else "n", "@"
    sheet.freeze_panes = "A2"
    made = io.BytesIO()
    book.save(made)
    _without_the_clock(made, HERE / "orders.xlsx")


def _without_the_clock(made: io.BytesIO, path: Path) -> None:
    """The same workbook with the time it was made taken out, so that making it again gives the same
    bytes.
    """
    with (
        zipfile.ZipFile(made) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            data = re.sub(
                rb"(<dcterms:modified[^>]*>)[^<]*",
                rb"\g<1>2026-11-24T00:00:00Z",
                old.read(entry),
            )
            new.writestr(
                zipfile.ZipInfo(entry.filename, (2026, 11, 24, 0, 0, 0)),
                data,
                zipfile.ZIP_DEFLATED,
            )


if __name__ == "__main__":
    main()
