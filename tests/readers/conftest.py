"""What the tests of the readers share."""

from __future__ import annotations

import subprocess

import pytest

from batchpay.readers import apart


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser is started as the program starts it."""
    monkeypatch.setattr(apart, "subprocess", subprocess)
