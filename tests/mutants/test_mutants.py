"""One mutant of each law in every test run; `make mutants` tries them all."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.mutants.__main__ import ROOT
from tests.mutants.laws import MUTANTS, quick

QUICK = {mutant.law: mutant for mutant in quick()}


@pytest.fixture(scope="module")
def fared() -> dict[str, Any]:
    """Law -> how its mutant fared."""
    words = [
        sys.executable,
        "-m",
        "tests.mutants",
        "--quick",
        "--json",
        "--processes",
        "2",
    ]
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(QUICK), done.stderr
    return {one["law"]: one for one in told}


@pytest.mark.parametrize(
    "law", [pytest.param(law, marks=pytest.mark.fault(law)) for law in sorted(QUICK)]
)
def test_a_broken_law_is_noticed(fared: dict[str, Any], law: str) -> None:
    """The test that must fail does."""
    assert fared[law]["caught"], fared[law]


def test_every_law_is_broken_on_purpose() -> None:
    """No law without a mutant, and a quick one for each."""
    assert (
        {f"L{number}" for number in range(1, 14)}
        <= set(QUICK)
        <= {m.law for m in MUTANTS.values()}
    )


def test_every_mutant_names_a_test_that_there_is() -> None:
    """A test that was renamed would catch nothing any more."""
    for one in MUTANTS.values():
        file, _, name = one.caught_by.partition("::")
        text = (ROOT / "tests" / file).read_text("utf-8")
        assert f"def {name.partition('[')[0]}(" in text, one.caught_by
