"""The exit codes, each with its name and what to do, and which one is told when several hold
(contract, section 6).

0 well                  10, 11, 12 how a finished run stands
64 to 78                why it could not go on: the classes of batchpay.domain.errors, numbered as
  in sysexits.h
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from batchpay.domain.steps import KEY_SOURCES
from batchpay.domain.text import many


@dataclass(frozen=True, slots=True)
class Exit:
    """One exit code."""

    code: int
    name: str
    remedy: str  # what to do next, and who


TABLE = (
    Exit(0, "well", "nothing to do"),
    Exit(
        10,
        "rows to correct",
        "the accountant: correct the rows in the rejects file and send it as a new file",
    ),
    Exit(
        11,
        "a later run is needed",
        "start the run again later: it asks about what is pending or in doubt and sends what was"
        " held",
    ),
    Exit(
        12,
        "does not add up",
        "a person must look before anything is sent again: each reason, and the STOP, says what"
        " to do",
    ),
    Exit(64, "usage", "look at the command with --help and say it again"),
    Exit(
        65,
        "the file is refused",
        "do what is said about the file, then run again: nothing more of it was sent",
    ),
    Exit(66, "the input is missing", "put the file where [input] file, or --input, says"),
    Exit(69, "the gateway is silent", "check the network and [gateway] url, then run again"),
    Exit(70, "a bug", "report it; nothing that was sent is lost"),
    Exit(
        73, "cannot write", "make room, or give this user the right to write there, then run again"
    ),
    Exit(74, "input or output failed", "check the disk, then run again"),
    Exit(75, "try later", "run the same command again"),
    Exit(77, "not allowed", f"check {KEY_SOURCES}, then run again"),
    Exit(78, "wrongly set up", "correct the job file or the environment, then run again"),
)
NEXT_STEP = {one.code: one.remedy for one in TABLE}
OF_ROWS = frozenset({0, 10, 11, 12})  # how a finished run stands
# When several hold, the first of these is told. The contract orders 12, 78, 77, 75, 69, 11, 10;
# what keeps a whole file
# or its reports from being right comes between what stops all and what the next run mends.
PRIORITY = (70, 12, 78, 73, 74, 64, 65, 66, 77, 75, 69, 11, 10, 0)


# who must act -> what about
BY_NAME = {
    "a person": "must look, the reason says what to do",
    "engineer": "whose setting or account needs mending, as the reason says",
    "accountant": "to see to as the reason says",
    "payer": "to authorise or to pay, as the reason says (authorize_uri)",
    "next run": "to ask about or to send: start the run again later",
}
# ... where its rows stand in a rejects file
FROM_REJECTS = {
    "accountant": (
        "to see to as the reason says, and to send back, from the rejects file, as a new file"
    ),
    "payer": "to pay again, as the reason says, from the rejects file",
}
SEEN_TO = "nothing to do: a person has cancelled, or taken as it is, what is not as it was asked"


@dataclass(frozen=True, slots=True)
class Acts:
    """Who must act, and about how many orders; how many of those stand in a rejects file, to be
    sent back.
    """

    orders: Mapping[str, int] = field(default_factory=dict)
    in_rejects: Mapping[str, int] = field(default_factory=dict)


def sentence(code: int, told: Acts) -> str:
    """What stands beside an exit code: its own next step, or every party that must act, and about
    how many orders.

    >>> sentence(10, Acts({"payer": 2, "accountant": 1}, {"payer": 1}))  # doctest: +ELLIPSIS
    'the accountant: 1 order to see to as the reason says; the payer: 2 orders, 1 to ...'
    """
    acts = told.orders
    parties = [f"{_party(name)}: {_matters(name, told)}" for name in BY_NAME if acts.get(name)]
    own = NEXT_STEP.get(code, "see the message")
    if code == 12 or code not in OF_ROWS:
        return "; ".join([own, *parties])
    if code == 11 and not acts.get("next run"):
        return "; ".join([*parties, own])  # what a person settles, a run then finds
    return "; ".join(parties) or (SEEN_TO if code == 10 else own)


def _matters(name: str, told: Acts) -> str:
    """`2 orders to authorise`, or each kind of them with its number."""
    number = told.orders[name]
    if name in FROM_REJECTS:
        back = min(number, told.in_rejects.get(name, 0))
    else:
        back = 0
    if not back:
        return f"{many(number, 'order')} {BY_NAME[name]}"
    if back == number:
        return f"{many(number, 'order')} {FROM_REJECTS[name]}"
    return (
        f"{many(number, 'order')}, {number - back:,} {BY_NAME[name]}, {back:,} {FROM_REJECTS[name]}"
    )


def _party(name: str) -> str:
    if name.startswith("a "):
        return name
    return f"the {name}"


def worst(codes: Iterable[int]) -> int:
    """The one to exit with; 0 when there is none.

    >>> worst([0, 11, 78, 10])
    78
    """
    found = set(codes)
    return next((code for code in PRIORITY if code in found), 0)
