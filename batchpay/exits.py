"""The exit codes, each with its name and what to do, and which one is told when several hold (contract, section 6).

0 well                  10, 11, 12 how a finished run stands
64 to 78                why it could not go on: the classes of batchpay.errors, numbered as in sysexits.h
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batchpay.text import many


@dataclass(frozen=True, slots=True)
class Exit:
    """One exit code."""

    code: int
    name: str
    remedy: str  # what to do next, and who


TABLE = (
    Exit(0, "well", "nothing to do"),
    Exit(10, "rows to correct", "the accountant: correct the rows in the rejects file and send it as a new file"),
    Exit(
        11,
        "a later run is needed",
        "start the run again later: it asks about what is pending or in doubt and sends what was held",
    ),
    Exit(
        12,
        "does not add up",
        "a person must look before anything is sent again: each reason, and the STOP, says what to do",
    ),
    Exit(64, "usage", "look at the command with --help and say it again"),
    Exit(65, "the file is refused", "correct the file and run again: nothing of it was sent"),
    Exit(66, "the input is missing", "put the file where [input] file says"),
    Exit(69, "the gateway is silent", "check the network and [gateway] url, then run again"),
    Exit(70, "a bug", "report it; nothing that was sent is lost"),
    Exit(73, "cannot write", "make room, or give this user the right to write there, then run again"),
    Exit(74, "input or output failed", "check the disk, then run again"),
    Exit(75, "try later", "run the same command again"),
    Exit(77, "not allowed", "check OMISE_SECRET_KEY, then run again"),
    Exit(78, "wrongly set up", "correct the job file or the environment, then run again"),
)
NEXT_STEP = {one.code: one.remedy for one in TABLE}
OF_ROWS = frozenset({0, 10, 11, 12})  # how a finished run stands
# When several hold, the first of these is told. The contract orders 12, 78, 77, 75, 69, 11, 10; what keeps a whole file
# or its reports from being right comes between what stops all and what the next run mends.
PRIORITY = (70, 12, 78, 73, 74, 64, 65, 66, 77, 75, 69, 11, 10, 0)


BY_NAME = {
    "a person": "must look, the reason says what to do",
    "engineer": "the setting or the account needs mending, as the reason says",
    "accountant": "to see to as the reason says; what stands in the rejects file goes back as a new file",
    "payer": "to authorise (authorize_uri), or to pay again: from the rejects file, changed or with "
    "batchpay_retry = yes",
    "next run": "start the run again later",
}  # who must act -> what about
SEEN_TO = "nothing to do: a person has cancelled, or taken as it is, what is not as it was asked"


def sentence(code: int, acts: Mapping[str, int]) -> str:
    """What stands beside an exit code: its own next step, or every party that must act, and about how many orders.

    >>> sentence(10, {"payer": 2, "accountant": 1})  # doctest: +ELLIPSIS
    'the accountant: 1 order to see to ...; the payer: 2 orders to authorise ...'
    """
    parties = [f"{_party(name)}: {many(acts[name], 'order')} {what}" for name, what in BY_NAME.items() if acts.get(name)]
    own = NEXT_STEP.get(code, "see the message")
    if code == 12 or code not in OF_ROWS:
        return "; ".join([own, *parties])
    if code == 11 and not acts.get("next run"):
        return "; ".join([*parties, own])  # what a person settles, a run then finds
    return "; ".join(parties) or (SEEN_TO if code == 10 else own)


def _party(name: str) -> str:
    return name if name.startswith("a ") else f"the {name}"


def worst(codes: Iterable[int]) -> int:
    """The one to exit with; 0 when there is none.

    >>> worst([0, 11, 78, 10])
    78
    """
    found = set(codes)
    return next((code for code in PRIORITY if code in found), 0)
