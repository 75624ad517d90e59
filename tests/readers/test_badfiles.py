"""Every refusal of the corpus of bad files is the right one, and doing what it says is success."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.badfiles import HEADER, NOTES, ROWS, Bad, all_of_them, book_of, text_of
from tests.readers.files import look

BAD = all_of_them()
_SETTING = r'(header_row = \d+|(?:delimiter|encoding|sheet|range) = "[^"]+")'


def test_the_corpus_is_no_smaller_than_it_was() -> None:
    """And holds each kind that is told of."""
    assert len(BAD) >= 300
    assert len({bad.kind for bad in BAD}) >= 40


@pytest.mark.fault("X01", "X06", "X19")
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.kind}-{bad.name}")
def test_what_a_refusal_says_is_done_and_leads_to_success(
    tmp_path: Path, bad: Bad
) -> None:
    """By one who has nothing but the sentence."""
    how = {"input": bad.input, "order_id": f'"{bad.order_id}"'}
    refusal = look(tmp_path, bad.name, bad.data, **how).refusal
    assert bad.says in refusal, refusal
    assert done(tmp_path, bad, refusal) == ROWS


def done(folder: Path, bad: Bad, refusal: str) -> int:
    """Rows without a problem after what the sentence says."""
    name, data, how = bad.name, bad.data, bad.input
    settings = re.findall(
        r'(header_row = \d+|(?:delimiter|encoding|sheet|range) = "[^"]+")', refusal
    )
    if found := re.search(r"give it the name ([^ ,;]+)", refusal):
        name = found[1]
    for setting in settings:
        key = setting.partition(" ")[0]
        kept = [line for line in how.splitlines() if not line.startswith(f"{key} ")]
        how = "\n".join([*kept, setting])
    if "press Enter behind it" in refusal:
        data += b"\n"
    if "replace ', ' by ','" in refusal:
        data = data.replace(b", ", b",")
    if "replace ' by \"" in refusal:
        data = data.replace(b"'", b'"')
    if "in Excel as CSV UTF-8" in refusal:
        data = text_of("x").encode("utf-8-sig")
    if not settings and name == bad.name and data == bad.data:
        # what another program does: it is opened there and saved, exported, or unpacked
        note = NOTES[bad.kind.rpartition("-")[2]]
        if "unpack it" in refusal or ".csv or .xlsx" in refusal:
            name, data = "orders.csv", text_of(note).encode()
        else:
            assert ".xlsx" in refusal, refusal
            name, data = "orders.xlsx", book_of(note, named(bad.order_id))
    looked = look(folder, name, data, input=how, order_id=f'"{bad.order_id}"')
    assert looked.refused == [], looked.refused
    assert {*HEADER[1:], bad.order_id} <= set(looked.cells)
    return len(looked.rows) - len(looked.problems)


def named(order_id: str) -> Callable[[Any], None]:
    """A change of a sheet that gives its first column this name."""

    def change(sheet: Any) -> None:
        sheet["A1"] = order_id

    return change
