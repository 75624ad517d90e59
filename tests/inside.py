"""The true command line in this process: real files, real HTTP, what it prints and its code. For
tests whose subject is no process: of a small run half the work is to be one.
"""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout

import pytest

from batchpay.cli import main
from batchpay.terminal import streams
from tests import ready
from tests.world import KEY, Market


def program(market: Market, *words: str, **environ: str) -> ready.Ended:
    """Run it with these words to its end, with the variables that a process of its own is given."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    for kept in (streams._lost, streams._printed, streams._job):
        kept.clear()
    streams.speak("en")
    given = {**ready.given(os.environ), "OMISE_SECRET_KEY": KEY, **environ}
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.chdir(market.folder)
        for name in os.environ.keys() - {"LC_CTYPE"}:
            patch.delenv(name)
        for name, value in given.items():
            patch.setenv(name, value)
        try:
            main(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
    assert "a bug in" not in err.getvalue(), err.getvalue()
    return ready.Ended(list(words), code, out.getvalue(), err.getvalue())


class Inside(Market):
    """A market whose program is run in this process, but where a test looks at it or kills it, and
    where every run is started anew (BATCHPAY_FORKS=0).
    """

    def program(self, *words: str, **environ: str) -> ready.Ended:
        """The command line to its end."""
        if not ready.FORKS:
            return super().program(*words, **environ)
        return program(self, *words, **environ)
