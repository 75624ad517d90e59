"""What the tests of the readers share."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from batchpay.readers import apart
from tests import ready


@pytest.fixture(autouse=ready.FORKS)
def _parsers_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is read in this process; what the program reads starts its parser itself."""
    ready_made = SimpleNamespace(Popen=ready.Parser, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(apart, "subprocess", ready_made)
