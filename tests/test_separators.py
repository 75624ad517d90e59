"""Amounts that could be a thousand times what was meant: their file goes only where it, or the job,
says which.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readers.files import Looked, look, row, text_of
from tests.readers.test_xlsx import book, good

COMMA = '"1.234,56"'
EITHER = '["1.234,56", "1.234"]'
POINT = '"1,234.56"'


def looked_at(folder: Path, form: str, *amounts: str, **changes: str) -> Looked:
    """A file with these amounts, in a job that declares a form for them, or none."""
    rows = [row(at, amount=amount, **changes) for at, amount in enumerate(amounts, 1)]
    return look(folder, "orders.csv", text_of(rows), amount=declared(form))


def declared(form: str) -> str:
    """The job's `amount`."""
    told = f", format = {form}" if form else ""
    return f'{{ column = "amount", unit = "major"{told} }}'


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    ("form", "amounts", "whole"),
    [
        (COMMA, ("1.234", "12.345", "80"), EITHER),
        ('"฿1.234,56"', ("฿1.234", "80"), '["฿1.234,56", "1.234"]'),
        (POINT, ("1,234", "2,000"), '["1,234.56", "1,234"]'),
    ],
)
def test_a_file_that_proves_no_separator_is_refused_until_the_job_says_which(
    tmp_path: Path, form: str, amounts: tuple[str, ...], whole: str
) -> None:
    """What the sentence says to write leads to success."""
    (refusal,) = looked_at(tmp_path, form, *amounts).unsent
    assert "is 1234; where it was written by another machine it is 1.234" in refusal
    assert f"say format = {whole} in [columns]" in refusal
    looked = looked_at(tmp_path, whole, *amounts)
    assert (looked.unsent, looked.problems) == ([], {})
    assert looked.documents[0]["amount"] == 123400


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    ("form", "amounts"),
    [
        (COMMA, ("1.500", "80,00")),
        (COMMA, ("1.500", "1.500.000")),
        (COMMA, ("80,00", "80", "1500")),
        ('"1.234"', ("1.500", "2.000")),
        (POINT, ("1,500", "80.00")),
        ("", ("1,500", "2,000")),
        ("", ("1,500", "80.50")),
        ("'1 234,56'", ("1 500", "2 000")),
    ],
)
def test_a_file_that_proves_its_separators_is_read(
    tmp_path: Path, form: str, amounts: tuple[str, ...]
) -> None:
    """So is one whose form leaves nothing open, or is the usual one."""
    looked = looked_at(tmp_path, form, *amounts)
    assert (looked.unsent, looked.problems) == ([], {})


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    ("form", "amounts", "mended"),
    [
        (COMMA, ("1.234", "99.50", "80,00"), "99,50"),
        (EITHER, ("1.234", "99.50"), "99,50"),
    ],
)
def test_a_file_of_two_kinds_is_refused_until_its_cells_are_alike(
    tmp_path: Path, form: str, amounts: tuple[str, ...], mended: str
) -> None:
    """Both cells are named."""
    looked = looked_at(tmp_path, form, *amounts)
    (refusal,) = looked.unsent
    assert f"'{amounts[1]}' in row 3" in refusal
    assert f"'{amounts[0]}' could be 1234 or 1.234 (rows 2)" in refusal
    assert set(looked.problems) == {3}
    looked = looked_at(tmp_path, form, amounts[0], mended, *amounts[2:])
    assert (looked.unsent, looked.problems) == ([], {})


@pytest.mark.fault("X09")
@pytest.mark.parametrize("odd", ["99,50", "1.234.567", "1.234,50", "1 234"])
def test_where_nothing_is_declared_each_row_is_judged_by_itself(
    tmp_path: Path, odd: str
) -> None:
    """There is one form then: what is not written by it is rejected, with what reads both ways
    beside one that proves the other, and the others go.
    """
    looked = looked_at(tmp_path, "", "1,234", odd, "80.00")
    assert looked.unsent == []
    assert set(looked.problems) == ({3} if odd == "1 234" else {2, 3})


@pytest.mark.fault("X09")
def test_what_has_no_decimals_leaves_nothing_open(tmp_path: Path) -> None:
    """Yen, the smallest unit, cells that hold numbers, and rows that do not go."""
    assert looked_at(tmp_path, COMMA, "1.234", "2.000", currency="JPY").unsent == []
    # it does not go
    assert looked_at(tmp_path, COMMA, "1.234", recipient="").unsent == []
    satang = '{ column = "amount", unit = "minor", format = "1.234" }'
    rows = [row(1, amount="1.234")]
    assert look(tmp_path, "orders.csv", text_of(rows), amount=satang).unsent == []
    cells = good(1)
    cells[1] = 1234
    looked = look(tmp_path, "orders.xlsx", book(cells), amount=declared(COMMA))
    assert (looked.unsent, looked.problems) == ([], {})


@pytest.mark.fault("X09")
def test_each_part_of_a_sum_proves_itself(tmp_path: Path) -> None:
    """Goods of one machine, postage of another."""
    rows = [
        row(1, amount="1.234,00", extra="1.234"),
        row(2, amount="5,00", extra="2.000"),
    ]
    parts = f'{{ sum = ["amount", "extra"], unit = "major", format = {COMMA} }}'
    (refusal,) = look(tmp_path, "orders.csv", text_of(rows), amount=parts).unsent
    assert refusal.startswith("Column 'extra'")


# --- a hundredfold of all


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    ("currency", "amounts", "usual"),
    [
        ("JPY", ("300000", "1280000", "98000"), ("3000", "12800", "9800")),
        ("THB", ("25900", "39000", "12900"), ("500", "1200", "3500")),
    ],
)
def test_a_file_of_large_whole_hundreds_is_asked_about_until_a_limit_is_declared(
    tmp_path: Path, currency: str, amounts: tuple[str, ...], usual: tuple[str, ...]
) -> None:
    """Nothing of it is held: round prices and dear goods are usual, too."""

    def notes(amounts: tuple[str, ...], **how: str) -> str:
        rows = [
            row(at, amount=amount, currency=currency)
            for at, amount in enumerate(amounts)
        ]
        looked = look(tmp_path, "orders.csv", text_of(rows), **how)
        assert (looked.problems, looked.unsent) == ({}, [])
        return " ".join(note for note in looked.notes if "whole hundred" in note)

    asked = notes(amounts * 4)
    assert f"each of the 12 amounts of {currency} is a whole hundred" in asked
    limit = f"max_amount = {{ {currency} = "
    assert limit in asked
    assert not notes(amounts * 4, more=f'[controls]\n{limit}"9999999" }}')
    assert not notes((*amounts * 4, "1980"))  # one price that is none
    assert not notes(amounts * 3)  # too few to say anything
    assert not notes(usual * 4)
