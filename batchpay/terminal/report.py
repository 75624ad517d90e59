"""REPORT --AT: where the reports of then lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json

if TYPE_CHECKING:
    from batchpay.commands.again import Again


def again(made: Again, *, as_json: bool) -> None:
    """Where an old report lies, and whether it is to the byte what it was."""
    same = made.kept is not None and not made.differs
    if as_json:
        told = {
            "batch": made.batch_id,
            "seq": made.seq,
            "files": [str(path) for path in made.files],
            "manifest": None,
            "same": same,
            "differs": list(made.differs),
            "exit_code": made.exit_code,
        }
        if made.kept is not None:
            told["manifest"] = str(made.kept)
        write_json(told)
        return
    say(f"batch {made.batch_id} as of event {made.seq}: {made.directory}")
    if made.kept is None:
        say("no manifest of then is kept: nothing says what the files were")
    elif same:
        say(f"every file is to the byte what {made.kept.name} says it was")
    else:
        names = ", ".join(made.differs)
        say(
            f"not what {made.kept.name} says: {names}. A job file or a program that was changed"
            " since writes otherwise: take those of then"
        )
