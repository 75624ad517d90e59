"""Is this journal whole, and since when may something be missing? The one place that says so (laws
L5, L11).

A journal can be lost, or an older copy can be put in its place; it does not know that itself.
Beside it lie things that do: the lock knows the last event that was durable, and every report's
manifest names the event it was made from. Each is asked after by its digest, never by its number
alone: another job, or another copy of the same journal, may have written past that number.

    nothing speaks against it            it is whole: a run lists on from the bound of the last
      complete list
    it knows orders, and lacks events    an older copy is back: wait until nothing can land any
      more, then list
    it knows no order, and lacks events  it was lost: 78 until a person says --adopt; then wait, and
      list all there is

What was found is an event (`restored`), and so is its end (`recovered`): a complete list after the
wait. So each loss is dealt with once, however long the reports go on telling of what was before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from batchpay.batches import words
from batchpay.domain.errors import Misconfigured
from batchpay.domain.events import Listed, OfLoss, Recovered, Restored, kinds, of
from batchpay.domain.model import Witnessed
from batchpay.domain.text import told
from batchpay.job.job import Job
from batchpay.journals.lock import lock_path
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import CANCELLED
from batchpay.lifecycle.places import place_of
from batchpay.messages import nights, steps
from batchpay.messages.message import Message
from batchpay.reports.manifest import (
    SHORT,
    Head,
    Said,
    every_head,
    newest_heads,
    telling_heads,
)

T = TypeVar("T", bound=OfLoss)
NAMED = 10  # orders that a sentence names


@dataclass(frozen=True, slots=True)
class LostWord:
    """A person's word that an order is not to be sent, which only a report still tells."""

    order_id: str  # empty: it is of rows alone
    said: str = CANCELLED
    reason: str = ""
    keys: tuple[str, ...] = ()  # all that its sale is known by
    attempt: int = 0  # of which it was said; 0: of the order
    path: Path = Path()  # of the manifest that tells it
    by: str = ""  # whose word it was; empty: the manifest does not tell
    at: str = ""  # when it was said, UTC, ISO 8601; likewise
    event: str = ""  # by which it was said, as manifests name it

    @property
    def whose(self) -> str:
        """Whose word it is, for the journal that is told it again."""
        report = nights.REPORT_BEFORE(report=self.path.parent.name)
        if not self.by:
            return str(report)
        return str(nights.WHOSE(by=self.by, at=self.at, report=report))

    @property
    def why(self) -> str:
        """The reason, and what was said where it is not that it is cancelled."""
        if self.said == CANCELLED:
            return self.reason
        return f"settled as not charged: {self.reason}"


@dataclass(frozen=True, slots=True)
class Loss:
    """What a journal no longer knows, as far as others tell."""

    evidence: str  # who tells of it, and what
    # did it know no order when that was found? Then nothing bounds how old what it lost may be
    empty: bool
    # does it still know none? Then a person must say that it is to be taken over
    unowned: bool
    had: int = 0  # number of the last event that others know of
    has: int = 0
    noted: bool = False  # by an earlier run, which did not come to its end
    # of people, that the reports still tell; once it is noted they are in the journal
    words: tuple[LostWord, ...] = ()
    stops: tuple[Mapping[str, str], ...] = ()  # likewise, that nobody lifted
    unproven: tuple[str, ...] = ()  # ids of charges that the reports call unproven
    # events that it lacks and manifests were made from, as a manifest names events
    heads: tuple[str, ...] = ()

    def as_told(self, kind: type[T]) -> T:
        """As the journal keeps it."""
        return kind(
            evidence=self.evidence,
            empty=self.empty,
            had=self.had,
            has=self.has,
            cancelled=tuple(
                dict.fromkeys(word.order_id for word in self.words if word.order_id)
            ),
            unproven=self.unproven,
        )

    def as_restored(self, met: Restored | None = None) -> Restored:
        """The same, with all that the manifests told of it: it is dealt with once. `met`: what the
        gateway's list told.
        """
        taken = (word.event for word in self.words)
        stopped = (stop["event"] for stop in self.stops)
        names = tuple(dict.fromkeys(filter(None, (*taken, *stopped))))
        told = replace(self.as_told(Restored), heads=self.heads, taken=names)
        if met is None:
            return told
        return replace(told, met=met.met, shown=met.shown)

    @property
    def told(self) -> tuple[str, ...]:
        """What nobody but the people themselves can put right, and what of it the reports did."""
        cancelled = self._orders(cancelled=True)
        by_hand = self._orders(cancelled=False)
        parts = []
        if cancelled:
            named = _named(cancelled)
            parts.append(nights.KEPT_CANCELLED(count=len(cancelled), orders=named))
        if by_hand:
            named = _named(by_hand)
            parts.append(nights.KEPT_UNCHARGED(count=len(by_hand), orders=named))
        if rows := sum(len(word.keys) for word in self.words if not word.order_id):
            parts.append(nights.KEPT_ROWS(count=rows))
        if self.stops:
            parts.append(nights.KEPT_STOP())
        return tuple(map(str, (steps.SAY_AGAIN(), *(parts or [nights.KEPT_NONE()]))))

    def _orders(self, *, cancelled: bool) -> list[str]:
        """Orders of which the reports tell that they are cancelled; or something else."""
        some = [word for word in self.words if (word.said == CANCELLED) is cancelled]
        return list(dict.fromkeys(word.order_id for word in some if word.order_id))


def _named(orders: Sequence[str]) -> str:
    return ", ".join(map(told, orders[:NAMED])) + ", …" * (len(orders) > NAMED)


def loss_of(job: Job, journal: SqliteJournal, witnessed: Witnessed) -> Loss | None:
    """What this journal has lost and no run has dealt with yet; None for one that is whole, as far
    as anybody knows.

    `witnessed`: what the lock says, read before the journal is asked for anything: it may be
    written to meanwhile.
    """
    heads = telling_heads(job.report.directory, job.name, job.gateway.mode)
    earlier, dealt_with, dealt_with_ns = _noted(journal)
    seq, _ = journal.head()
    unknown = [
        head
        for head in heads
        if _name(head) not in dealt_with
        and head.at_ns > dealt_with_ns
        and not is_of(journal, head)
    ]
    if not unknown and _has(journal, witnessed):
        return earlier
    if unknown:
        head = unknown[0]
        evidence = nights.MADE_FROM(
            path=str(head.path),
            seq=head.seq,
            journal=head.journal_id[:12],
            has=seq,
        )
    else:
        evidence = _seen(job, witnessed, seq)
    is_empty = not journal.knows_orders()
    return Loss(
        evidence=str(evidence),
        empty=is_empty or (earlier is not None and earlier.empty),
        unowned=is_empty,
        had=max([witnessed.seq, *(head.seq for head in unknown)]),
        has=seq,
        **_gone(job, journal),
    )


def loss_met(job: Job, journal: SqliteJournal, met: Restored) -> Loss:
    """The same where the gateway's list is what told of it: reports may tell of words all the
    same.
    """
    return Loss(
        evidence=_shown(met.met),
        empty=met.empty,
        unowned=not journal.knows_orders(),
        has=journal.head()[0],
        **_gone(job, journal),
    )


def older_copy(loss: Loss | None) -> str:
    """What is said of a journal of which an older copy was put back, until a run has dealt with it;
    empty for any other.
    """
    if loss is None or loss.unowned:
        return ""
    return str(steps.OLDER_COPY(evidence=loss.evidence))


def _gone(job: Job, journal: SqliteJournal) -> dict[str, Any]:
    """People's words, stops and unproven charges of which reports tell that were made from events
    this journal lacks.

    An order that goes out against a person's word is money moved, and a cancellation is for ever:
    it counts whichever manifest tells of it. That an order is settled as not charged, and a stop,
    may be over since: it counts unless this journal, or any manifest, says so of its very event.
    Which manifest was made last says nothing: two copies may have gone on apart.
    """
    every = every_head(job.report.directory, job.name, job.gateway.mode)
    heads = [head for head in every if not is_of(journal, head)]
    said = words.said_in(journal)
    stopped = words.stops_in_force(journal)
    over = set(words.over_in(journal, said, stopped))
    for head in heads:
        over.update(head.over)
    holds = partial(_holds, over=over, last=_last_of(heads))
    return {
        "words": _words_gone(heads, said, holds),
        "stops": _stops_gone(heads, stopped, holds),
        "heads": tuple(dict.fromkeys(map(_name, heads))),
        "unproven": _called_unproven(heads),
    }


def _holds(head: Head, event: str, *, over: Collection[str], last: Head | None) -> bool:
    """Is what a manifest tells of still so, for all that is known? `over`: events that are not."""
    if event:
        return event not in over
    return head is last  # an earlier version's


def _words_gone(
    heads: Sequence[Head], said: Iterable[Said], holds: Callable[[Head, str], bool]
) -> tuple[LostWord, ...]:
    """Of two words about one attempt the first is kept: that it is never sent."""
    known: dict[str, list[Said]] = {}
    for word in said:
        known.setdefault(word.order_id, []).append(word)
    gone: dict[tuple[str, str, tuple[str, ...]], LostWord] = {}
    for head in heads:
        for one in head.words:
            keys = one.keys
            if one.place[1]:
                keys = (place_of(head.batch, *one.place),)
            counts = one.said == CANCELLED or holds(head, one.event)
            if counts and not _is_said(one, keys, known.get(one.order_id, ())):
                lost = LostWord(
                    one.order_id,
                    one.said,
                    one.reason,
                    keys,
                    one.attempt,
                    head.path,
                    one.by,
                    one.at,
                    one.event,
                )
                gone.setdefault((one.said, one.order_id, keys), lost)
    return tuple(sorted(gone.values(), key=lambda lost: lost.said != CANCELLED))


def _stops_gone(
    heads: Sequence[Head],
    stopped: Iterable[Mapping[str, str]],
    holds: Callable[[Head, str], bool],
) -> tuple[Mapping[str, str], ...]:
    """By its reason, each once."""
    in_force = {one["reason"] for one in stopped}
    stops: dict[str, Mapping[str, str]] = {}
    for head in heads:
        for stop in head.stops:
            if holds(head, stop["event"]) and stop["reason"] not in in_force:
                stops.setdefault(stop["reason"], stop)
    return tuple(stops.values())


def _called_unproven(heads: Iterable[Head]) -> tuple[str, ...]:
    """Charges that the newest manifests of their folders call so."""
    unproven: set[str] = set()
    for head in heads:
        if head.path.name == "manifest.json":
            unproven.update(head.unproven)
    return tuple(sorted(unproven))


def _is_said(word: Said, keys: Sequence[str], known: Sequence[Said]) -> bool:
    """Do the journal's own words about an order say as much, of all that its sale is known by? That
    an attempt is not charged says neither that the order is never sent nor anything of a later one.
    """
    told_of: set[str] = set()
    is_said = False
    for one in known:
        if one.said == CANCELLED or (
            word.said != CANCELLED and one.attempt >= word.attempt
        ):
            is_said = True
            told_of.update(one.keys)
    return is_said and told_of.issuperset(keys)


def _last_of(heads: Sequence[Head]) -> Head | None:
    """Made from the last event, of the journal whose report was written last: as far as can be
    told where an earlier version wrote the manifests.
    """
    newest = max(heads, key=lambda head: head.at_ns, default=None)
    if newest is None:
        return None
    mine = [head for head in heads if head.journal_id == newest.journal_id]
    return max(mine, key=lambda head: head.seq)


def refuse_lost(loss: Loss | None, *, adopt: bool = False) -> None:
    """Raises Misconfigured for a journal that is known to have been lost, until a person says to go
    on without it.
    """
    if loss is not None and loss.unowned and not adopt:
        lost = nights.LOST(evidence=loss.evidence, step=steps.ADOPT())
        raise Misconfigured(str(lost))


def refuse_behind(loss: Loss | None) -> None:
    """Raises Misconfigured for a journal that lacks what no run has dealt with yet: an order may be
    charged of which it says that nothing was sent, and good reports tell it.
    """
    refuse_lost(loss)
    if loss is not None:
        behind = nights.BEHIND(evidence=loss.evidence, step=steps.CATCH_UP())
        raise Misconfigured(str(behind))


def whose_before(
    job: Job, journal: SqliteJournal, told_lock: Mapping[str, str]
) -> dict[str, Any]:
    """Whose money a journal was about that stood here before this one, by the reports, or else by
    what its lock was told; empty where nobody says so (J03).
    """
    told = whose_reports(job, journal)
    if told or not told_lock.get("account") or told_lock["mode"] != job.gateway.mode:
        return told
    path = lock_path(job.state_path, job.name)
    return {
        **told_lock,
        "by": f"{path}, which knew a journal that is not here any more,",
    }


def whose_reports(job: Job, journal: SqliteJournal) -> dict[str, Any]:
    """Of which account and address the reports are that another journal of this job and mode wrote,
    or an older state of this one, by the newest that says so (J03); empty where none does.
    """
    for head in newest_heads(job.report.directory, job.name, job.gateway.mode):
        if (head.account or head.url) and not is_of(journal, head):
            told = {
                "account": head.account,
                "mode": job.gateway.mode,
                "url": head.url,
            }
            return {
                **told,
                "by": f"{head.path}, written from a journal that is not here any more,",
            }
    return {}


def _noted(journal: SqliteJournal) -> tuple[Loss | None, set[str], int]:
    """The loss that an earlier run noted and did not come to the end of; from which events the
    manifests were made that were dealt with; and up to when, where an earlier version noted it.
    """
    found: Loss | None = None
    dealt_with: set[str] = set()
    manifests_ns = 0
    for event in journal.events(kinds(Restored, Listed, Recovered)):
        told = of(event)
        if not isinstance(told, Restored):
            found = None
            continue
        dealt_with.update(told.heads)
        # one may say that it is of tomorrow
        looked_ns = min(told.manifests_ns or 0, event.at_ns)
        manifests_ns = max(manifests_ns, looked_ns)
        found = Loss(
            evidence=told.evidence or _shown(told.met),
            empty=told.empty or (found is not None and found.empty),
            unowned=False,
            had=told.had or 0,
            has=told.has or 0,
            noted=True,
            words=tuple(LostWord(order_id) for order_id in told.cancelled or ()),
        )
    if found is not None and not journal.knows_orders():
        found = replace(found, empty=True, unowned=True)
    return found, dealt_with, manifests_ns


def _shown(charge_id: str) -> str:
    return f"the gateway's list showed {charge_id or 'a charge'}, which it lacks"


def _seen(job: Job, witnessed: Witnessed, has: int) -> Message:
    path = str(lock_path(job.state_path, job.name))
    if witnessed.seq > has:
        return nights.HAS_SEEN(path=path, seq=witnessed.seq, has=has)
    return nights.HAS_SEEN_OTHER(
        path=path, seq=witnessed.seq, journal=witnessed.journal_id[:12]
    )


def _name(head: Head) -> str:
    """The event that a report was made from, as manifests name events."""
    return head.digest[:SHORT]


def _has(journal: SqliteJournal, witnessed: Witnessed) -> bool:
    """Is what the lock knows of in this journal?"""
    if witnessed.seq and witnessed.journal_id:
        return is_of(journal, witnessed)
    return witnessed.seq <= journal.head()[0]


def is_of(journal: SqliteJournal, head: Head | Witnessed) -> bool:
    """Was it made from an event that this very journal still has?"""
    return head.journal_id == journal.id and journal.digest_of(head.seq) == head.digest
