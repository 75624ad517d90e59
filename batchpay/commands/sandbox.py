"""SANDBOX: serve an imitation of the gateway on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from batchpay.domain.errors import Usage

MAX_SCRIPT_BYTES = 1 << 20
LEDGER_START = b'[["'  # how the first line of every ledger begins


def sandbox(
    port: int,
    script: Path | None,
    ledger: Path | None,
    idempotency: str,
    on_ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` is told the address. Raises Usage for a ledger file
    that no sandbox wrote.
    """
    from batchpay.sandbox import serve

    if ledger is not None:
        _refuse_stranger(ledger)
    if script is not None and not (
        script.is_file() and script.stat().st_size <= MAX_SCRIPT_BYTES
    ):
        raise Usage(
            f"--script {script}: is no plain file of at most {MAX_SCRIPT_BYTES >> 20} MiB"
        )
    serve(
        port,
        script=script,
        idempotency=idempotency,
        ledger_path=ledger,
        on_ready=on_ready,
    )


def _refuse_stranger(ledger: Path) -> None:
    """The ledger is written to, and its torn last line cut off: both only where a sandbox wrote
    it.
    """
    if not os.path.lexists(ledger):
        return
    if not ledger.is_file():
        raise Usage(
            f"--ledger {ledger}: is no plain file; name one, or one that is not there yet"
        )
    with ledger.open("rb") as file:
        start = file.read(len(LEDGER_START))
    if start not in (b"", LEDGER_START):
        raise Usage(
            f"--ledger {ledger}: was not written by a sandbox and is left alone; name another file"
        )
