"""What many tests share."""

from __future__ import annotations

import gc
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx._transports.default as transports
import pytest
from hypothesis import settings

from batchpay.readers import apart
from batchpay.sandbox import SandboxServer
from tests import ready
from tests.fakes import MEMORY
from tests.world import Market, order

settings.register_profile("house", deadline=None)  # nothing here is a timed test
settings.load_profile("house")

# Under nohup, or behind a shell's `&`, these are ignored, and so they would be by every run.
for ignored in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)

# Parsers of what is read in this process are forked, unless a test looks at the process itself.
if ready.FORKS:
    apart.subprocess = ready.PARSERS  # type: ignore[attr-defined]

# Every client of httpx reads the authorities' certificates anew, before it says a word over plain
# HTTP: more work than most of what these tests ask it for.
transports.create_ssl_context = cache(transports.create_ssl_context)

# the most work: no worker is to begin with one of them at the end
LONGEST = (
    "test_sale.py",
    "test_next_steps.py",
    "test_losses.py",
    "test_simulation.py",
    "test_pipeline.py",
    "test_plan_is_run.py",
    "test_parquet.py",
    "test_coming_back.py",
    "test_mutants.py",
    "test_doors.py",
    "test_resolving.py",
    "test_rejects.py",
    "test_archiving.py",
    "test_verifying.py",
    "test_mutation.py",
    "test_journal_migration.py",
    "test_doctoring.py",
    "test_demo.py",
    "test_auditing_refunds.py",
)


# Of what is imported and collected nothing is garbage.
gc.disable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers have their runs forked from one process."""
    if ready.FORKS:
        node.workerinput["door"] = ready.shared()


def pytest_configure(config: pytest.Config) -> None:
    """A worker takes what it is given."""
    if door := getattr(config, "workerinput", {}).get("door"):
        ready.share(door)


def pytest_runtestloop() -> None:
    """The tests begin, and with them the garbage; what was collected is looked through no more."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others as they come."""
    rank = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONGEST)))


@pytest.fixture
def market(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway that does not know idempotency; the program in a process of its own,
    unless the file of the test has another kind of MARKET.
    """
    kind = getattr(request.module, "MARKET", Market)
    with SandboxServer() as sandbox:
        yield kind(tmp_path, sandbox)


@pytest.fixture
def three(market: Market) -> Market:
    """Three orders and a job for them."""
    market.job()
    market.orders([order(1), order(2), order(3)])
    return market


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder on no disk, for what writes much and depends on nothing that a disk does."""
    with tempfile.TemporaryDirectory(prefix="batchpay-test-", dir=MEMORY) as folder:
        yield Path(folder)
