"""What many tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from batchpay.sandbox import SandboxServer
from tests.fakes import MEMORY
from tests.world import Market

settings.register_profile("house", deadline=None)  # nothing here is a timed test
settings.load_profile("house")

# a minute each: no worker is to begin with them at the end
LONGEST = (
    "test_simulation.py",
    "test_plan_is_run.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others as they come."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway that does not know idempotency."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder on no disk, for what writes much and depends on nothing that a disk does."""
    with tempfile.TemporaryDirectory(prefix="batchpay-test-", dir=MEMORY) as folder:
        yield Path(folder)
