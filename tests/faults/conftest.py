"""The adversary, on a stage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adversary import Adversary
from tests.faults.stage import Stage, stage


@pytest.fixture
def gateway() -> Iterator[Adversary]:
    """A gateway that does what a test says."""
    with Adversary() as adversary:
        yield adversary


@pytest.fixture
def night(tmp_path: Path, gateway: Adversary) -> Stage:
    """A folder with a job beside it."""
    return stage(tmp_path, gateway)
