"""The exit codes, each with its name and what to do, and which one is told when several hold
(README.md, "Exit codes").

0 well                  10, 11, 12 how a finished run stands
64 to 78                why it could not go on: the classes of batchpay.domain.errors, numbered as
  in sysexits.h
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from batchpay.domain.text import told as shown
from batchpay.messages import exits as said
from batchpay.messages.message import Entry, Message, worded


@dataclass(frozen=True, slots=True)
class Exit:
    """One exit code."""

    code: int
    name: str
    entry: Entry  # what to do next, and who

    @property
    def remedy(self) -> str:
        """What to do next, in English."""
        return str(self.entry())


TABLE = (
    Exit(0, "well", said.WELL),
    Exit(10, "rows to correct", said.ROWS),
    Exit(11, "a later run is needed", said.LATER),
    Exit(12, "does not add up", said.NOT_ADDING_UP),
    Exit(64, "usage", said.USAGE),
    Exit(65, "the file is refused", said.REFUSED),
    Exit(66, "the input is missing", said.MISSING),
    Exit(69, "the gateway is silent", said.SILENT),
    Exit(70, "a bug", said.BUG),
    Exit(73, "cannot write", said.NO_WRITING),
    Exit(74, "input or output failed", said.DISK),
    Exit(75, "try later", said.AGAIN),
    Exit(77, "not allowed", said.FORBIDDEN),
    Exit(78, "wrongly set up", said.SET_UP),
)
BY_CODE = {one.code: one for one in TABLE}
NEXT_STEP = {one.code: one.remedy for one in TABLE}
OF_ROWS = frozenset({0, 10, 11, 12})  # how a finished run stands
# When several hold, the first of these is told. That 12, 78, 77, 75, 69, 11, 10 come in this order
# is promised; what keeps a whole file or its reports from being right comes between what stops all
# and what the next run mends.
PRIORITY = (70, 12, 78, 73, 74, 64, 65, 66, 77, 75, 69, 11, 10, 0)


# who must act, as reports and journals name them
A_PERSON = "a person"
ENGINEER = "engineer"
ACCOUNTANT = "accountant"
PAYER = "payer"
NEXT_RUN = "next run"
NOBODY = "-"
# ... and what about
BY_NAME = {
    A_PERSON: said.A_PERSON,
    ENGINEER: said.ENGINEER,
    ACCOUNTANT: said.ACCOUNTANT,
    PAYER: said.PAYER,
    NEXT_RUN: said.NEXT_RUN,
}
# ... where its rows stand in a rejects file
FROM_REJECTS = {ACCOUNTANT: said.ACCOUNTANT_REJECTS, PAYER: said.PAYER_REJECTS}
SEEN_TO = str(said.SEEN_TO())


@dataclass(frozen=True, slots=True)
class Acts:
    """Who must act, and about how many orders; how many of those stand in a rejects file, to be
    sent back; and whether nothing is sent before a person has looked.
    """

    orders: Mapping[str, int] = field(default_factory=dict)
    in_rejects: Mapping[str, int] = field(default_factory=dict)
    # Would a later run see to any of them by itself, once those who are named have acted?
    again: bool = False
    # Files of held orders that a run of the job alone does not read.
    given: tuple[str, ...] = ()
    stopped: bool = True  # is a stop in force, or may one be?


def sentence(code: int, told: Acts) -> str:
    """What stands beside an exit code, in English.

    >>> sentence(10, Acts({"payer": 2, "accountant": 1}, {"payer": 1}))  # doctest: +ELLIPSIS
    'the accountant: 1 order to see to as the reason says; the payer: 2 orders, 1 to ...'
    """
    return worded(messages(code, told))


def messages(code: int, told: Acts) -> tuple[Message, ...]:
    """What stands beside an exit code: its own next step, or every party that must act, and about
    how many orders.
    """
    parties = tuple(_parties(told))
    own = _own(code)
    if code == 12 and not told.stopped:
        own = said.NO_STOP()
    if code == 12 or code not in OF_ROWS:
        return (own, *parties)
    given = tuple(_given(told))
    if code == 0 and parties:
        return (said.NOTHING_OPEN(), *parties)
    if code == 11 and told.again and not told.orders.get(NEXT_RUN):
        return (*parties, own, *given)  # what a person settles, a run then finds
    if parties:
        return (*parties, *given)
    if code == 10:
        return (said.SEEN_TO(),)
    return (own,)


def sentence_after(last: int | None, code: int, told: Acts) -> str:
    """The same where the last run ended with `last`: what kept it from going on keeps the next one,
    too, so whoever must see to that comes first. None: no run has ended.

    >>> sentence_after(78, 11, Acts({"next run": 1}))  # doctest: +ELLIPSIS
    'the last run ended with 78: correct the job file or the environment, then run again; the ...'
    """
    if last is None or last in OF_ROWS:
        return sentence(code, told)
    return worded((said.LAST_RUN(code=last, step=_own(last)), *messages(code, told)))


def _given(told: Acts) -> Iterator[Message]:
    """A next run that sends what is held is told its file, where the job does not name it."""
    if told.given:
        files = ", ".join(shown(name) for name in told.given)
        yield said.GIVEN(files=files, number=len(told.given))


def _own(code: int) -> Message:
    known = BY_CODE.get(code)
    if known is None:
        return said.UNKNOWN()
    return known.entry()


def _parties(told: Acts) -> Iterator[Message]:
    """Every party that must act, with the number of its orders, or of each kind of them."""
    for name, of_all in BY_NAME.items():
        number = told.orders.get(name, 0)
        if not number:
            continue
        back = min(number, told.in_rejects.get(name, 0))
        if not back or name not in FROM_REJECTS:
            yield of_all(orders=number)
        elif back == number:
            yield FROM_REJECTS[name](orders=number)
        else:
            yield _of_both(name, number, back)


def _of_both(name: str, number: int, back: int) -> Message:
    if name == PAYER:
        return said.PAYER_BOTH(orders=number, own=number - back, back=back)
    return said.ACCOUNTANT_BOTH(orders=number, back=back)


def worst(codes: Iterable[int]) -> int:
    """The one to exit with; 0 when there is none.

    >>> worst([0, 11, 78, 10])
    78
    """
    found = set(codes)
    return next((code for code in PRIORITY if code in found), 0)
