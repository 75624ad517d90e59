"""`python -m batchpay.sandbox`: the sandbox in a process of its own; prints one JSON line with its
URL.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from batchpay.domain.errors import BatchpayError
from batchpay.sandbox.server import serve


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m batchpay.sandbox", description=__doc__
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--idempotency", choices=("off", "on"), default="off")
    parser.add_argument("--rate", help="8/s, 900/min")
    given = parser.parse_args()
    try:
        serve(
            given.port,
            script=given.script,
            idempotency=given.idempotency,
            ledger_path=given.ledger,
            rate=given.rate,
            on_ready=_announce,
        )
    except BatchpayError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
