"""What one run did, and to which batch, added up from its events alone (law L9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from batchpay.batches.clock import iso
from batchpay.domain.model import MONEY_MOVED, Done, Event, Outcome, RunDone
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import fold, money_of

_MONEY = frozenset(outcome.value for outcome in MONEY_MOVED)
_UNSENT = frozenset({Outcome.HELD.value, "withdrawn"})
_LOOKED = frozenset({"found", "absent", "missing", "unclear", "untold"})


@dataclass(slots=True)
class _Attempt:
    """What a run wrote about one attempt."""

    batch: str
    began_here: bool = False
    intent: bool = False
    adopted: bool = False
    looked_up: bool = False
    state: str = ""
    amount: int = 0
    currency: str = ""

    def add(self, done: Done) -> None:
        self.intent = self.intent or done.kind == "intent"
        self.adopted = self.adopted or done.kind == "adopted"
        self.began_here = (
            self.began_here or done.kind == "adopted" or (done.kind == "intent" and done.send <= 1)
        )
        self.looked_up = self.looked_up or done.kind in _LOOKED
        self.state = done.state or self.state
        if done.currency:
            self.amount, self.currency = done.amount, done.currency.upper()


class Runs:
    """The runs of a journal that is not written to meanwhile; each is read once."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self._read: dict[str, dict[tuple[str, int], _Attempt]] = {}

    @cached_property
    def _started(self) -> dict[str, Event]:
        return {event.run_id: event for event in self._journal.events(["run.started"])}

    @cached_property
    def _until(self) -> dict[str, int]:
        """Run -> number of the event with which the next run of this job began."""
        return {one.run_id: after.seq for one, after in pairwise(self._started.values())}

    @cached_property
    def _ended(self) -> dict[str, Event]:
        return {event.run_id: event for event in self._journal.events(["run.counted"])}

    @cached_property
    def _restored(self) -> dict[str, bool]:
        """Run that found the journal older than it had been, or dealt with that -> did it know no
        order at all?
        """
        found: dict[str, bool] = {}
        for event in self._journal.events(["restored", "recovered"]):
            found[event.run_id] = found.get(event.run_id, False) or bool(event.data.get("empty"))
        return found

    @cached_property
    def _holds(self) -> dict[tuple[str, str], str]:
        return {
            (e.run_id, e.batch_id[-12:]): str(e.data["reason"])
            for e in self._journal.events(["held"])
        }

    def of_batch(self, batch_id: str) -> RunDone | None:
        """The last run that changed a batch, and what it did to it; None when no run did."""
        run_id = self._journal.last_run_of(batch_id)
        if run_id not in self._started:
            return None
        return self._told(run_id, batch_id[-12:])

    def whole(self, run_id: str) -> RunDone | None:
        """A run, over all batches; None for what was no run."""
        if run_id in self._started:
            return self._told(run_id, "")
        return None

    def in_hand(self, run_id: str) -> frozenset[tuple[str, int]]:
        """Order id and attempt of all that a run has asked for itself."""
        if run_id not in self._started:
            return frozenset()
        return frozenset(at for at, one in self._attempts(run_id).items() if one.intent)

    def _told(self, run_id: str, batch: str) -> RunDone:
        attempts = self._attempts(run_id)
        mine = {at: one for at, one in attempts.items() if not batch or one.batch == batch}
        self._take_no_money(run_id, mine)
        made = {at: one for at, one in mine.items() if not one.adopted}
        adopted = {at: one for at, one in mine.items() if one.adopted}
        several = self._of_several(run_id, mine)
        newly = {
            at: one for at, one in self._newly_charged(run_id, made).items() if at not in several
        }
        found = {
            at: one for at, one in adopted.items() if one.state in _MONEY and at not in several
        }
        ended = self._ended.get(run_id)
        holds = {
            why: None
            for (run, of), why in self._holds.items()
            if run == run_id and batch in ("", of)
        }
        return RunDone(
            id=run_id,
            started=iso(self._started[run_id].at_ns),
            ended=iso(ended.at_ns) if ended else "",
            exit_code=int(ended.data["exit_code"]) if ended else None,
            sent=sum(one.intent and one.state not in _UNSENT for one in made.values()),
            charged=_sums(newly.values(), (sums for at, sums in several.items() if at in made)),
            adopted=len(adopted),
            adopted_sums=_sums(
                found.values(), (sums for at, sums in several.items() if at in adopted)
            ),
            looked_up=sum(one.looked_up for one in mine.values()),
            restored=run_id in self._restored,
            lost=self._restored.get(run_id, False),
            held=" ".join(holds),
        )

    def _attempts(self, run_id: str) -> dict[tuple[str, int], _Attempt]:
        """By order id and attempt."""
        if run_id not in self._read:
            found: dict[tuple[str, int], _Attempt] = {}
            for done in self._journal.done_in(
                run_id, self._started[run_id].seq, self._until.get(run_id)
            ):
                at = (done.order_id, done.attempt)
                if at not in found:
                    found[at] = _Attempt(done.batch_id[-12:])
                found[at].add(done)
            self._read[run_id] = found
        return self._read[run_id]

    def _of_several(
        self, run_id: str, mine: Mapping[tuple[str, int], _Attempt]
    ) -> dict[tuple[str, int], Counter[str]]:
        """Attempts under whose key more than one charge took money (B31), each a stop -> what of
        that is news of a run.

        All of it moved, though a row of a report is about one charge.
        """
        stops = {str(event.data.get("order", "")) for event in self._journal.events(["stop"])}
        until, start = self._until.get(run_id), self._started[run_id].seq
        found = {}
        for order_id, events in self._journal.histories(
            sorted(stops & {order_id for order_id, _ in mine})
        ).items():
            known = {
                charge.id
                for a in fold(event for event in events if event.seq < start)
                for charge in money_of(a)
            }
            for attempt in fold(event for event in events if until is None or event.seq < until):
                money, at = money_of(attempt), (order_id, attempt.intent.attempt)
                if len(money) > 1 and at in mine:
                    found[at] = Counter[str]()
                    for charge in money:
                        if charge.id in known:
                            found[at][charge.currency.upper()] += 0
                        else:
                            found[at][charge.currency.upper()] += charge.amount
        return found

    def _newly_charged(
        self, run_id: str, made: Mapping[tuple[str, int], _Attempt]
    ) -> dict[tuple[str, int], _Attempt]:
        """Those that took money by the end of the run and were not known to have done so before
        it.
        """
        moved = {at: one for at, one in made.items() if one.state in _MONEY}
        older = [order_id for (order_id, _), one in moved.items() if not one.began_here]
        before = self._moved_before(older, self._started[run_id].seq)
        return {at: one for at, one in moved.items() if at not in before}

    def _take_no_money(self, run_id: str, mine: Mapping[tuple[str, int], _Attempt]) -> None:
        """An unproven charge may have taken none, or be another order's: then its amount is no
        money.
        """
        unproven = {
            order_id for (order_id, _), one in mine.items() if one.state == Outcome.UNPROVEN.value
        }
        until = self._until.get(run_id)
        for order_id, events in self._journal.histories(sorted(unproven)).items():
            for attempt in fold(event for event in events if until is None or event.seq < until):
                one = mine.get((order_id, attempt.intent.attempt))
                if (
                    one is not None
                    and one.state == Outcome.UNPROVEN.value
                    and attempt.money is None
                ):
                    one.amount = 0

    def _moved_before(self, order_ids: list[str], seq: int) -> set[tuple[str, int]]:
        moved = set()
        for order_id, events in self._journal.histories(order_ids).items():
            for attempt in fold(event for event in events if event.seq < seq):
                if attempt.money is not None:
                    moved.add((order_id, attempt.intent.attempt))
        return moved


def _sums(attempts: Iterable[_Attempt], more: Iterable[Counter[str]] = ()) -> dict[str, int]:
    """By currency."""
    sums: Counter[str] = Counter()
    for one in attempts:
        sums[one.currency] += one.amount
    for further in more:
        for currency, amount in further.items():
            sums[currency] += amount
    return dict(sorted(sums.items()))
