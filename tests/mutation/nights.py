"""A few nights of the simulator, one a test: run for changes, not collected by name."""

from __future__ import annotations

import pytest

from tests.simulation.story import tell


@pytest.mark.parametrize("seed", range(20))
def test_a_night_breaks_no_invariant(seed: int) -> None:
    """What the simulator says of one seed."""
    assert tell(seed).violations == []
