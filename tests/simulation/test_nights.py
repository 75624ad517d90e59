"""Three hundred nights of weather, deaths, restored journals, reboots and suspensions; each judged."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.__main__ import played

BATCHES = 10


@pytest.mark.fault(
    "A02", "A04", "A07", "A08", "A10", "A12", "A15", "B02", "B07", "B12", "B17", "B18", "B19", "B23", "B26", "B32",
    "B33", "B35", "C02", "C05", "D09", "E01", "F05", "F06", "I1", "I2", "I4", "I5", "I6", "I7", "I11", "I15",
)  # fmt: skip
@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_night_charges_twice_or_loses_an_outcome(batch: int) -> None:
    """And every kind of fault did happen."""
    faults: Counter[str] = Counter()
    for seed in range(batch * 30, batch * 30 + 30):
        _, wrong, some, _ = played(seed)
        assert wrong == [], f"python -m tests.simulation --seed {seed}"
        faults.update(some)
    assert len(faults) > 15, faults
