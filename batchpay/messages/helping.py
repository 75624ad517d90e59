"""HELPING: the first line of the help of every command, as the command line itself says it.

>>> str(ALL())
'A file of orders in, every order charged once, a report that adds up.'
"""

from __future__ import annotations

from batchpay.messages.message import Entry, entry


def _first(name: str, text: str) -> Entry:
    return entry(
        f"help.{name}", text, means="The first line of a command's help.", example=text
    )


ALL = _first(
    "batchpay", "A file of orders in, every order charged once, a report that adds up."
)
COMMANDS = (
    _first("init", "Write a job, a schema and orders to start from."),
    _first("explain", "Say what a code means, with an example and the remedy."),
    _first("check", "Read, map and validate every row; send nothing."),
    _first("plan", "Show what `run` would send, and send nothing."),
    _first("run", "Charge every new valid order once; run again to resume."),
    _first("settle", "Only ask about open charges; rewrite the reports."),
    _first("status", "Show every batch and what waits, from the journal alone."),
    _first("report", "Write the reports again, from the journal alone."),
    _first("resolve", "Settle one order by hand, or lift a stop."),
    _first("doctor", "Look for what would go wrong tonight; charge nothing."),
    _first("verify", "Check the journal and every report against what was written."),
    _first("audit", "Match our journal and the gateway's ledger both ways."),
    _first("archive", "Write finished batches into a file each; pack the journal."),
    _first("demo", "The main job, whole, without account or network."),
    _first("sandbox", "Serve an imitation of the gateway on 127.0.0.1 until stopped."),
    _first("schema", "Print a JSON Schema: job, order or report."),
    _first("completion", "Print the completion script of bash, zsh or fish."),
)
