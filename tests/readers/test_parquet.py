"""Parquet: exact text of every type, or a refusal; damage is found or warned about."""

from __future__ import annotations

import decimal
import io
import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.readers.kit import HEADER, cells_of, row, said


def parquet(columns: dict[str, Any], **how: Any) -> bytes:
    """A table as a file."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **{"write_page_checksum": True, **how})
    return out.getvalue()


def orders(count: int = 3, **columns: Any) -> dict[str, Any]:
    """Rows that break no rule, with some columns replaced."""
    rows = [row(n) for n in range(1, count + 1)]
    return {**{name: [cells[at] for cells in rows] for at, name in enumerate(HEADER)}, **columns}


def test_rows_below_the_names_begin_with_two(tmp_path: Path) -> None:
    """As in a spreadsheet; across row groups."""
    found = said(tmp_path, parquet(orders(7, amount=["20"] * 6 + ["x"]), row_group_size=2), "orders.parquet")
    assert (found.rows, list(found.problems)) == (7, [8])


@pytest.mark.fault("X09", "X12", "X15", "X18")
@pytest.mark.parametrize(
    "amounts, rules",
    [
        (pa.array([decimal.Decimal("20.00"), decimal.Decimal("1234.50"), None]), [[], [], ["required"]]),
        (pa.array([20, 21, 22], pa.int32()), [[], [], []]),
        (pa.array([20.5, 19.99, 1.005]), [[], [], ["too-many-decimals"]]),
        (pa.array([float("nan"), float("inf"), 2.0**60]), [["not-a-number"], ["not-a-number"], ["number-not-exact"]]),
        (pa.array([True, False, None]), [["number-format"], ["number-format"], ["required"]]),
        (pa.array(["20.00", "1,234.50", "1e3"]).dictionary_encode(), [[], [], ["number-format"]]),
    ],
)
def test_amounts_of_every_type(tmp_path: Path, amounts: pa.Array, rules: list[list[str]]) -> None:
    """Decimals and whole numbers are exact; a float only as far as it is; true is not 1."""
    found = said(tmp_path, parquet(orders(3, amount=amounts)), "orders.parquet")
    for at, expected in enumerate(rules):
        assert [r for r in found.rules().get(at + 2, []) if r in expected] == expected, found.problems
        assert bool(found.problems.get(at + 2)) is bool(expected), found.problems


@pytest.mark.fault("X15", "X18")
@pytest.mark.parametrize("note", [pa.array([[1], [2], [3]]), pa.array([{"a": 1}] * 3), pa.array([b"x"] * 3)])
def test_a_field_of_a_nested_type_refuses_the_file(tmp_path: Path, note: pa.Array) -> None:
    """The column and what to do; a column that no field uses may be of any type."""
    found = said(tmp_path, parquet(orders(3, note=note)), "orders.parquet")
    assert found.exit_code == 65 and "note" in found.refusal
    assert said(tmp_path, parquet(orders(3, extra=note)), "orders.parquet").exit_code == 0


def test_dates_times_and_numbers_as_text(tmp_path: Path) -> None:
    """ISO 8601, UTC; no exponent, no .0."""
    table = {
        "d": pa.array([date(2026, 2, 28)]), "t": pa.array([datetime(2026, 2, 28, 1, 2, 3, tzinfo=UTC)]),
        "n": pa.array([datetime(2026, 2, 28, 1, 2, 3, 500_000)]), "f": pa.array([1e-7]), "w": pa.array([100.0]),
        "s": pa.array([0.1], pa.float32()), "i": pa.array([2**62]),
    }  # fmt: skip
    (cells,) = cells_of(tmp_path, parquet(table), "t.parquet", list(table))
    assert cells == [
        "2026-02-28", "2026-02-28T01:02:03Z", "2026-02-28T01:02:03.500000", "0.0000001", "100", "0.1", str(2**62),
    ]  # fmt: skip


@pytest.mark.fault("X18", "E07")
def test_a_cut_or_misnamed_file_is_refused(tmp_path: Path) -> None:
    """Without its footer it is nothing."""
    data = parquet(orders(50))
    for cut in (1, 8, 100, len(data) // 2, len(data) - 1):
        assert said(tmp_path, data[:cut], "orders.parquet").exit_code == 65, cut
    wrong_footer = data[:-8] + (10**6).to_bytes(4, "little") + data[-4:]
    assert said(tmp_path, wrong_footer, "orders.parquet").exit_code == 65
    assert said(tmp_path, data, "orders.csv").exit_code == 65


@pytest.mark.fault("X18")
def test_a_flipped_bit_is_found_by_its_page_checksum(tmp_path: Path) -> None:
    """No flip gives other values in silence; without checksums only control totals could tell, and `check` warns."""
    data = parquet(orders(200), compression="none")
    good = cells_of(tmp_path, data, "orders.parquet", HEADER)
    dice = random.Random(7)
    for _ in range(150):
        at = dice.randrange(len(data))
        flipped = data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
        found = said(tmp_path, flipped, "orders.parquet")
        if found.exit_code == 0:
            assert cells_of(tmp_path, flipped, "orders.parquet", HEADER) == good, at
    found = said(tmp_path, data, "orders.parquet")
    assert any("control totals" in warning for warning in found.warnings)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc"],
                blacklist_characters="\u2028\u2029"), max_size=10), min_size=2, max_size=2), max_size=20),
       st.integers(1, 7))  # fmt: skip
def test_text_is_read_back_cell_for_cell(tmp_path: Path, rows: list[list[str]], group: int) -> None:
    """Whatever the row groups."""
    rows = [["k", *cells] for cells in rows]
    table = {name: pa.array([cells[at] for cells in rows], pa.string()) for at, name in enumerate("kab")}
    assert cells_of(tmp_path, parquet(table, row_group_size=group), "t.parquet", list("kab")) == rows
