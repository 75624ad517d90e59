"""What a person sends and what they must get, a folder per case: see tests/cases/__init__.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import cases, outcome_of


@pytest.mark.fault(
    "E03",
    "E04",
    "E08",
    "E10",
    "H01",
    "H04",
    "X01",
    "X05",
    "X06",
    "X09",
    "X10",
    "X11",
    "X12",
    "X13",
    "X17",
    "X19",
    "X25",
    "X26",
    "X28",
)
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_case(case: Path) -> None:
    """Exit codes, rows and charges are those that a person read and committed; no file is missing
    or left over.
    """
    expected = {
        path.name: path.read_text("utf-8") for path in (case / "expected").iterdir()
    }
    assert outcome_of(case) == expected


def test_there_are_cases() -> None:
    """A folder without a job would be skipped in silence."""
    folders = {
        path.name
        for path in Path(__file__).with_name("cases").iterdir()
        if path.is_dir()
    } - {"__pycache__"}
    assert folders == {case.name for case in cases()}
    assert len(folders) >= 12
