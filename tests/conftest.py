"""What many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from batchpay.sandbox import SandboxServer
from tests.world import Market

settings.register_profile("house", deadline=None)  # nothing here is a timed test
settings.load_profile("house")


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway that does not know idempotency."""
    with SandboxServer() as sandbox:
        yield Market(tmp_path, sandbox)
