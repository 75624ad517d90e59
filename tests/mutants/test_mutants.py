"""One mutant of each law in every test run; `make mutants` tries them all."""

from __future__ import annotations

import pytest

from tests.mutants.__main__ import trial
from tests.mutants.laws import MUTANTS, SIMULATION

QUICK = {m.law: m for m in reversed(MUTANTS.values()) if m.caught_by != SIMULATION}  # the first of each


@pytest.mark.parametrize("law", [pytest.param(law, marks=pytest.mark.fault(law)) for law in sorted(QUICK)])
def test_a_broken_law_is_noticed(law: str) -> None:
    """The test that must fail does."""
    done = trial(QUICK[law])
    assert done.caught, (QUICK[law].name, done.how)


def test_every_law_is_broken_on_purpose() -> None:
    """No law without a mutant, and a quick one for each."""
    assert {f"L{number}" for number in range(1, 14)} <= set(QUICK) <= {m.law for m in MUTANTS.values()}
