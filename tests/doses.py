"""How much of a test every run does, and how much more of it `make sweep` does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from typing import TypeVar

import pytest

FULL = os.environ.get("BATCHPAY_SWEEP") == "1"
SWEEP = pytest.mark.skipif(not FULL, reason="only in `make sweep`")

One = TypeVar("One")
Other = TypeVar("Other")


def dose(every_run: int, sweep: int) -> int:
    """How many examples."""
    return sweep if FULL else every_run


def pairs(
    ones: Sequence[One], others: Sequence[Other], each: int = 1
) -> list[tuple[One, Other]]:
    """Every one with every other in a sweep; else every one with `each` of the others in turn, and
    so every other with some.
    """
    if FULL:
        return list(product(ones, others))
    return [
        (one, others[(at * each + more) % len(others)])
        for at, one in enumerate(ones)
        for more in range(min(each, len(others)))
    ]
