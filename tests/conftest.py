"""What many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchpay.sandbox import SandboxServer
from tests.world import Market


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway that does not know idempotency."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)
