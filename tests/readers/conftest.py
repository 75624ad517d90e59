"""What the tests of the readers share."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from batchpay.readers import apart
from tests import ready


@pytest.fixture(autouse=ready.FORKS)
def _parsers_are_forked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is read in this process, unless a test looks at the parser's process itself
    (`own_process`).
    """
    if "own_process" in request.fixturenames:
        return
    ready_made = SimpleNamespace(
        Popen=ready.Parser, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL
    )
    monkeypatch.setattr(apart, "subprocess", ready_made)


@pytest.fixture
def own_process() -> None:
    """The parser is started as the program starts it."""
