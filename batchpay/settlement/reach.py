"""REACH: what was asked for before goes again, under the same key or the next one, only after a
list of this run has reached back to its first request.

That nothing was charged an answer says (a refusal, a 401, a 429), or lists that did not show a
charge, or a person. Each of them may have been wrong: a list that shows late is right on the next
night, when the list before the first send begins where the last one ended, and shows nothing of
the night before any more. So each run reads, beside that list, the hours around the requests of
every order that is to go again. What is shown becomes the order's own, and it goes no more.

Such a window begins where every look-up of those requests begins (`charged_since`), and ends behind
the last of them: a charge says of itself when it was made, and none is made later than a request
can live, which is what a doubt period stands for; as much as clocks may have been off is added on
both ends. What lies between two windows, and up to now, is not read. A gateway that does not tell
its time has no windows: then everything is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from batchpay.domain.events import LookedAgain
from batchpay.domain.times import ONCE_OFF_S, SKEW_S
from batchpay.lifecycle.attempt import Attempt
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.messages.message import Entry
from batchpay.settlement.cases import Case
from batchpay.settlement.lists import Lists
from batchpay.settlement.means import Means
from batchpay.settlement.reading import (
    LONGEST_GAP_S,
    MOST_INCOMPLETE,
    incomplete,
    lacks,
)
from batchpay.settlement.since import EVERYTHING, OVERLAP, charged_since, iso

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
# two windows that lie so near to each other are read as one
NEAR = timedelta(hours=1)
# how far the gateway's time and ours lie apart at most, with the margin of every list
OFF = OVERLAP + timedelta(seconds=SKEW_S)
DAY_NS = 86_400 * 10**9
# How old the last request of an order that was sent again is when the hours around its requests are
# read once more. Nights come a day apart, and not to the minute.
LATER_NS = tuple(int(days * DAY_NS) for days in (0.5, 1.5, 3.5, 7.5, 15.5, 29.5))
REMEMBERED_NS = 31 * DAY_NS
NOTHING_DONE = LookedAgain()


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """What must be read, in the gateway's time."""

    since: datetime
    until: datetime

    def covers(self, other: Window) -> bool:
        """Is the other one a part of it?"""
        return self.since <= other.since and other.until <= self.until


def window_of(attempt: Attempt, period_s: float, *, dated: bool) -> Window:
    """When the requests of an attempt may have been charged, for all that is known later."""
    if not dated:
        return Window(charged_since([attempt], dated=False), FOREVER)
    last = datetime.fromtimestamp(attempt.went_ns // 10**9, UTC)
    lives_s = period_s + ONCE_OFF_S
    return Window(
        charged_since([attempt], dated=True), last + timedelta(seconds=lives_s)
    )


def narrow_window_of(attempt: Attempt, period_s: float, *, dated: bool) -> Window:
    """The same where no clock was further off than a run allows: it is read again and again, in
    search of what it may not hold.
    """
    if not dated:
        return window_of(attempt, period_s, dated=False)
    first = datetime.fromtimestamp(attempt.sent_ns // 10**9, UTC)
    last = datetime.fromtimestamp(attempt.went_ns // 10**9, UTC)
    return Window(first - OFF, last + OFF + timedelta(seconds=period_s))


def window_of_loss(since: datetime, until: datetime) -> Window:
    """What a list that made a loss good had to show: all that the journal no longer knew of."""
    return Window(max(EVERYTHING, since - OVERLAP), until + OFF)


def merged(windows: Iterable[Window]) -> list[Window]:
    """The same, oldest first, those as one that touch each other."""
    whole: list[Window] = []
    for window in sorted(windows):
        if whole and window.since <= whole[-1].until + NEAR:
            last = whole.pop()
            whole.append(Window(last.since, max(last.until, window.until)))
        else:
            whole.append(window)
    return whole


def went_again(
    attempts: Sequence[Attempt],
    of_its_sale: Sequence[Attempt] = (),
    *,
    under_others: bool = False,
) -> Iterator[Attempt]:
    """Those of an order's attempts behind which a further request of it went, although no charge
    explains them: one that is shown late is a second one. `of_its_sale`: the attempts of orders
    that came to correct it; one that went is a further request of it. `under_others`: one may have
    gone under an id that nothing links to it.
    """
    is_followed = under_others
    is_followed |= any(other.sends or other.twins for other in of_its_sale)
    for attempt in attempts:
        if not attempt.sends_without_charge:
            continue
        is_last = not is_followed and not any(
            other.intent.attempt > attempt.intent.attempt and other.sends
            for other in attempts
        )
        if attempt.sends - attempt.never_left > 1 or not is_last:
            yield attempt


def is_due(attempts: Sequence[Attempt], looked_ns: int, now_ns: int) -> bool:
    """Is it time to read the hours around them again? `looked_ns`: when a run did last."""
    last_ns = max(attempt.went_ns for attempt in attempts)
    return falls_due(last_ns, looked_ns, now_ns)


def falls_due(last_ns: int, looked_ns: int, now_ns: int) -> bool:
    """The same of anything that happened then."""
    return any(looked_ns < last_ns + later_ns <= now_ns for later_ns in LATER_NS)


def _day_before(at: datetime) -> str:
    """A day that has begun by then in every time zone."""
    return f"{at - timedelta(days=1):%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class LateLook:
    """What a run looks at once more, some nights after it was told."""

    # attempts of orders that were sent again: were they charged twice?
    went_again: Sequence[Attempt] = ()
    # the times of losses of the journal: did a list hide then what was charged before?
    lost: Sequence[Window] = ()
    # orders of which a person said what became of a charge: is it so?
    said_of: Sequence[str] = ()
    done: LookedAgain = NOTHING_DONE  # what is written down once it was done

    @property
    def is_anything(self) -> bool:
        """Is there anything to ask the gateway about?"""
        return bool(self.went_again or self.lost or self.said_of)

    def done_of(self, *, charges: bool, words: bool) -> LookedAgain | None:
        """What was done of it; None: nothing that fell due."""
        done = self.done
        if not charges:
            done = replace(done, charges_ns=None)
        if not words:
            done = replace(done, words_ns=None)
        if done == NOTHING_DONE:
            return None
        return done


NO_LATE_LOOK = LateLook()


class Reach:
    """Reads the windows of what is to go again, once a run; nothing goes that it did not reach."""

    def __init__(self, means: Means, lists: Lists) -> None:
        self._means = means
        self._lists = lists
        self._period_s = means.settings.doubt_period_s
        self._gap_s = min(means.settings.lookup_gap_s, LONGEST_GAP_S)
        # by key: was a list of this run read back to its first request?
        self._reached: dict[str, bool] = {}
        # one list serves all that wait for it
        self._reading = asyncio.Lock()
        self.why_held = ""  # why something does not go again in this run

    async def reaches(self, case: Case) -> bool:
        """May a case go, as far as its earlier requests are concerned? Those of this very run are
        not: who answered them is asked again by the list that each of them waits for.
        """
        before = [*case.others]
        if case.withdraw is not None:
            before.append(case.withdraw)
        if case.attempt is not None and case.attempt.sends > case.sends_in_run:
            before.append(case.attempt)
        return await self.read(before)

    async def read(self, attempts: Iterable[Attempt]) -> bool:
        """Has a list of this run shown what it has of these, or was it read for them now?"""
        wanted = [attempt for attempt in attempts if attempt.wants_a_list]
        async with self._reading:
            fresh = [one for one in wanted if one.intent.key not in self._reached]
            if fresh:
                await self._read(fresh)
        return all(self._reached[one.intent.key] for one in wanted)

    async def _read(self, attempts: Sequence[Attempt]) -> None:
        dated = self._means.channel.dated
        windows: dict[str, Window] = {}
        for attempt in attempts:
            windows[attempt.intent.key] = window_of(
                attempt, self._period_s, dated=dated
            )
        await self._read_all(attempts, windows.values(), said.NOT_REACHED)
        for key, window in windows.items():
            self._reached[key] = self._is_covered(window)

    async def read_again(
        self, attempts: Sequence[Attempt], lost: Sequence[Window] = ()
    ) -> bool:
        """What was sent again some nights ago: does a list show by now that it was charged twice?
        What it shows is a stop, as any second charge is. Was all of it read? `lost`: times of which
        a journal that was lost had to know all from a list.
        """
        dated = self._means.channel.dated
        windows = [
            narrow_window_of(one, self._period_s, dated=dated) for one in attempts
        ]
        windows += lost
        if lost and not dated:
            windows.append(Window(EVERYTHING, FOREVER))
        await self._read_all(attempts, windows, said.NOT_READ_AGAIN)
        return all(map(self._is_covered, windows))

    async def _read_all(
        self,
        attempts: Iterable[Attempt],
        windows: Iterable[Window],
        sentence: Entry,
    ) -> None:
        """Read what was not read yet of the windows of some attempts: a charge in them that names
        nobody may be theirs. `sentence`: what a person should hear of one that could not be read.
        """
        for attempt in attempts:
            self._means.recorder.expected.doubt(attempt)
        missing = (one for one in windows if not self._is_covered(one))
        for window in merged(missing):
            why = await self._read_window(window)
            if why and not self._means.channel.closed:
                since, until = iso(window.since), iso(window.until)
                told = sentence(why=why, since=since, until=until)
                note = f"{told}; {steps.LOOK_SINCE(day=_day_before(window.since))}"
                self._lists.notes.append(note)
                if sentence is said.NOT_READ_AGAIN:
                    self._lists.owed.append(note)
                else:
                    self.why_held = self.why_held or note

    def _is_covered(self, window: Window) -> bool:
        return any(
            Window(since, until or FOREVER).covers(window)
            for since, until in self._lists.reading.covered
        )

    async def _read_window(self, window: Window) -> str:
        """Why it could not be read; empty when it was."""
        channel = self._means.channel
        why = ""
        until = None
        if window.until != FOREVER:
            until = window.until
        for _ in range(MOST_INCOMPLETE):
            met = self._lists.first_look.met_unknown
            listing = await self._lists.reading.read(
                window.since, self._lists.first_look.absorb_old, until=until
            )
            if self._lists.first_look.met_unknown and not met:
                return await self._lists.first_look.look_again(window.since)
            if self._is_covered(window):
                return ""
            why = incomplete(listing)
            if listing is not None and (
                lacking := self._lists.witnesses.lacking(listing)
            ):
                why = lacks(lacking[0])
            if channel.closed:
                return channel.closed
            await channel.rest(self._gap_s)
        return why
