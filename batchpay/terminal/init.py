"""INIT: which files were written."""

from __future__ import annotations

from pathlib import Path

from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json


def started(files: list[Path], *, as_json: bool) -> None:
    """What `init` wrote, and what to do next."""
    if as_json:
        write_json({"written": [str(path) for path in files]})
        return
    for path in files:
        say(f"written: {path}")
    say(f"next: put your own orders in place, then batchpay check {files[0]}")


def proposed(files: list[Path], *, as_json: bool) -> None:
    """What `init --from` wrote, and what to do next."""
    if as_json:
        write_json({"written": [str(path) for path in files]})
        return
    for path in files:
        say(f"written: {path}")
    for path in files:  # the lookup files
        if path.name == "recipients.csv":
            say(f"next: write the recipient (recp_…) of each shop into {path}")
        if path.name == "currencies.csv":
            say(f"next: look at the code (THB, JPY, …) of each word in {path}")
    say(
        f"next: look at each guess in {files[0]}, take it out of to_confirm, then batchpay check"
        f" {files[0]}"
    )
