"""`python -m batchpay`, and the command of that name: a signal that comes while the program is
still being loaded ends it as one that comes later does.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 75  # nothing is lost: the same command goes on (README.md, "Exit codes")


def main() -> None:
    """Entry point. Until a command has handlers of its own, a request to end is an interruption."""
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, _interrupt)
        from batchpay.cli import main as run  # takes a while

        run()
    except KeyboardInterrupt:
        sys.stderr.write("batchpay: interrupted; run the same command again\n")
        sys.stderr.flush()
        os._exit(INTERRUPTED)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
