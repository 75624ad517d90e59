"""SIGTERM, SIGINT and SIGHUP: ask a run to end well; a second SIGINT ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from batchpay.domain.errors import TryLater

_ASK = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
AT_ONCE = 75
_LEFT = (
    b"\nbatchpay: ended at once by a second SIGINT; what was on its way is in doubt until the next"
    b" run has looked it up: run the same command again\n"
)


class Signals:
    """Installed while entered. Before the gateway is reached a signal raises TryLater; then it
    calls who asked for it; after that it is remembered, so that the reports are still written.

    Outside the main thread nothing is installed: there Python takes no handler, and signals are
    those of whoever started the thread.
    """

    def __init__(self) -> None:
        self.received = ""
        self._call: Callable[[str], None] | None = None
        self._reached = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in _ASK:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if (
            self.received
            and not self._reached
            and isinstance(error, Exception)
            and not isinstance(error, TryLater)
        ):
            # a library was interrupted and called it an error of its own
            raise self._early() from error

    def call(self, who: Callable[[str], None] | None) -> None:
        """From now on tell `who`, and at once when a library has swallowed what was raised; None:
        nobody any more.
        """
        self._call = who
        self._reached = True
        if who is not None and self.received:
            who(self.received)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again = self.received
        self.received = signal.Signals(number).name
        if number == signal.SIGINT and again:
            _end_at_once()
        if self._call is not None:
            self._call(self.received)
        elif not self._reached:
            raise self._early()

    def _early(self) -> TryLater:
        return TryLater(
            f"interrupted by {self.received} before anything was sent; run the same command again"
        )


def _end_at_once() -> None:
    """What is in flight is in doubt by law L1. Says so where somebody reads, and waits for nobody
    who does not.
    """
    with suppress(OSError):
        os.set_blocking(2, False)
        os.write(2, _LEFT)
    os._exit(AT_ONCE)
