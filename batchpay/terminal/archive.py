"""ARCHIVE: which batches lie in a file of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchpay.domain.exits import NEXT_STEP
from batchpay.domain.text import many
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json

if TYPE_CHECKING:
    from batchpay.commands.archive import Archives


def archived(made: Archives, *, as_json: bool) -> None:
    """What was archived, or would be, and what stays as it is and why."""
    if as_json:
        write_json(_archived_json(made))
        return
    what = "would be archived" if made.only_listed else "archived"
    for at, one in enumerate(made.chosen):
        batch = one.batch
        told = f"{what}: {batch.id} ({batch.file}, {many(batch.rows_read, 'row')})"
        if made.written:
            file = made.written[at]
            told += f": {file.path}, {many(file.events, 'event')}, {file.size:,} bytes"
        say(told)
    for kept in made.stay:
        say(f"stays: {kept.batch.id} ({kept.batch.file}): {kept.why}")
    if not made.chosen:
        say(f"no batch to archive before {made.before}")
    if made.written:
        say(
            f"the journal had {made.bytes_before:,} bytes, and has {made.bytes_after:,}"
        )
    if not made.is_shrunk:
        say(
            "note: the journal's file could not be written anew, because another program reads"
            " it or the disk is full: the next batchpay archive makes it smaller"
        )
    say(f"exit {made.exit_code}: {NEXT_STEP[made.exit_code]}")


def _archived_json(made: Archives) -> dict[str, Any]:
    files: list[dict[str, Any]] = [
        {
            "file": str(one.path),
            "sha256": one.sha256,
            "bytes": one.size,
            "events": one.events,
        }
        for one in made.written
    ]
    return {
        "before": made.before.isoformat(),
        "only_listed": made.only_listed,
        "folder": str(made.folder),
        "batches": [
            {"batch": one.batch.id, "file": one.batch.file, "rows": one.batch.rows_read}
            for one in made.chosen
        ],
        "files": files,
        "stay": [
            {"batch": one.batch.id, "code": one.why.code, "why": str(one.why)}
            for one in made.stay
        ],
        "journal_bytes": {"before": made.bytes_before, "after": made.bytes_after},
        "shrunk": made.is_shrunk,
        "exit_code": made.exit_code,
    }
