"""VERIFY: is the journal whole, and are the files?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchpay.domain.exits import NEXT_STEP
from batchpay.domain.text import many
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json

if TYPE_CHECKING:
    from batchpay.commands.verify import Verified


def verified(made: Verified, *, as_json: bool) -> None:
    """What was looked at, every difference, what to do."""
    if as_json:
        write_json(_verified_json(made))
        return
    events = many(made.events, "event")
    say(f"{made.journal}: {events}, the hash chain verifies; its head is {made.digest}")
    manifests = many(len(made.manifests), "manifest")
    files = many(made.files, "file")
    say(f"{manifests} and {files} beside them looked at")
    for one in made.differences:
        say(f"different: {one.path}: {one.told}")
    for note in made.notes:
        say(f"note: {note}")
    step = NEXT_STEP[0]
    if made.differences and made.older:
        step = (
            "batchpay run JOB asks the gateway and takes over what the older copy lacks; verify"
            " again then, and look at what differs still"
        )
    elif made.differences:
        step = (
            "keep a copy of what you have and find out who changed it. batchpay report JOB writes"
            " the reports of batches again from the journal, batchpay audit its own; what differs"
            " after that, move out of the report folder"
        )
    say(f"exit {made.exit_code}: {step}")


def _verified_json(made: Verified) -> dict[str, Any]:
    return {
        "journal": {
            "path": str(made.journal),
            "events": made.events,
            "digest": made.digest,
        },
        "manifests": [str(path) for path in made.manifests],
        "files": made.files,
        "differences": [
            {"path": one.path, "told": one.told} for one in made.differences
        ],
        "notes": made.notes,
        "older": made.older,
        "exit_code": made.exit_code,
    }
