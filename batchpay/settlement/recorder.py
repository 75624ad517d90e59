"""What is known of each order in this run, and how it is written down: all that a run writes of
intents and evidence is written here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from batchpay.domain.errors import Taken
from batchpay.domain.events import (
    STOPS,
    Absent,
    Adopted,
    Answered,
    BelongsTo,
    ChargedElsewhere,
    Disbelieved,
    Evidence,
    Found,
    Intended,
    Missing,
    OfAttempt,
    Resolved,
    Restored,
    Stop,
    Stray,
    ThrottleDistrusted,
    Told,
    TransferSeen,
    Unclear,
    Unreadable,
    Untold,
    Voided,
    Withdrawn,
    Word,
    at_state,
    line,
    line_of,
    told_by,
    told_in,
)
from batchpay.domain.model import ChargeSeen, Event, Intent, OnItsWay, Outcome
from batchpay.domain.ports import Clock, Journal
from batchpay.job.job import MAX_ATTEMPTS, Fee
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import can_be_asked_for, flaws_of, has_key, key_in
from batchpay.lifecycle.folding import advance, fold
from batchpay.lifecycle.paid import paid_apart
from batchpay.lifecycle.plan import (
    alike,
    explains_itself,
    is_one_sale,
    key_of,
    order_in,
    place_in,
    row_told,
    sale_told,
)
from batchpay.lifecycle.proof import Verdict
from batchpay.lifecycle.unclaimed import (
    KINDS,
    Nameless,
    disowned_in,
    fits,
    nameless_of,
    unclaimed_in,
    unclear_among,
)
from batchpay.lifecycle.unclaimed import told_of as told_of_nameless
from batchpay.settlement.evidence import (
    is_known_already,
    is_refund,
    is_same,
    looks,
    why_stop,
)
from batchpay.settlement.in_force import (
    UNREADABLE,
    charges_told,
    stop_in_force,
    unreadable_told,
    whose_journal,
)
from batchpay.settlement.others import doubles, orders_of, told_of

LONGEST_SILENCE_NS = 35 * 86_400 * 10**9  # how far back a charge is looked for that lists must show
# lists begin ten minutes before their bound, and our clock may be five off
UNCHARGED_BEFORE_NS = 900 * 10**9
SLICE = 500  # orders that are read at once
CALLED_UNPROVEN = "a report of before the loss of a journal calls it unproven"
T = TypeVar("T", bound=Told)


@dataclass(slots=True, eq=False)
class Case:
    """One order in this run: its open attempt and what this run did for it."""

    intent: Intent
    attempt: Attempt | None = None  # None: nothing was written yet
    # the order's other attempts: closed, unless a list showed one that we lost
    others: tuple[Attempt, ...] = ()
    # one that was never charged and must give way before this one is sent
    withdraw: Attempt | None = None
    sends_in_run: int = 0
    present: bool = True  # is its row in an input of this run?
    ask_at_s: float = 0.0  # when to look it up next
    # one writer at a time: none goes lost
    writing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def doubted(self) -> bool:
        """Was any send of this order, with this token, ever in doubt? Then `used_token` may be our
        own doing.
        """
        attempts = [*self.others]
        if self.attempt is not None:
            attempts.append(self.attempt)
        token = self.intent.single_use
        return any(one.doubted for one in attempts if one.intent.single_use == token)

    @property
    def sends(self) -> int:
        """How often it was sent, or meant to be."""
        if self.attempt is None:
            return 0
        return self.attempt.sends


class Recorder:
    """Writes events through the journal and keeps each case in step with what was written."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        job: str,
        run_id: str,
        *,
        live: bool,
        fee: Fee | None = None,
        belongs: Mapping[str, Any] | None = None,
        keep_whose: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        """`fee`: the commission that a charge is held against when nobody knows what was asked for
        it. `belongs`: what others tell of the account, where the journal does not
        (wholeness.whose_before). `keep_whose`: keeps what the journal is told of it beside the
        journal.
        """
        self._fee = fee
        self._belongs = belongs or {}
        self._keep_whose = keep_whose
        self._journal = journal
        self._clock = clock
        self._job = job
        self._run_id = run_id
        self._live = live
        self.stopped = stop_in_force(journal.events(STOPS))
        self.trust_429 = next(told_in(journal, ThrottleDistrusted), None) is None
        self.adopted = 0  # charges, in this run
        self._called_unproven: frozenset[str] | None = None  # read when it is first asked for
        self._undecided: dict[str, Case] = {}  # by key: sent in this run and not decided yet
        # by key: said to have charged nothing, where a list may say otherwise
        self._uncharged: dict[str, Attempt] = {}
        # charge id -> order and attempt, of those seen in this run
        self._orders: dict[str, tuple[str, int]] = {}
        # charge id -> created_at, and CLOCK_BOOTTIME of its proof, of those that lists should show
        self.known: dict[str, tuple[str, float]] = {}
        # charge id -> how it looked when it proved an attempt in this run: see news_of
        self._looked: dict[str, int] = {}
        # order -> charge id -> other jobs' charges that lists showed in this run
        self._elsewhere: dict[str, dict[str, ChargeSeen]] = {}
        # charges that a stop told of, and those of them whose stop a person has lifted
        self.told_of, self._lifted = charges_told(journal.events(STOPS))
        # charges of which nobody can tell whose they are, but a person: they are not this job's
        told = list(journal.events(KINDS))
        self.disowned = disowned_in(told)
        # key -> the journal's attempt that it is of, if any is
        self._traced: dict[str, tuple[str, int] | None] = {}
        self._unclaimed = unclaimed_in(told)  # charges that nothing tells whose they are
        # charge id -> key and charge: strays not written down yet
        self._fresh: dict[str, tuple[str, ChargeSeen]] = {}

    # --- writing

    async def intend(self, case: Case, boot_s: float) -> None:
        """The intent of the next send, durable when this returns (law L1). Raises errors.Taken."""
        send = case.sends + 1
        intent = case.intent
        asked = None
        if send == 1:
            asked = intent
        told = Intended(
            boot_id=self._clock.boot_id,
            boot_s=boot_s,
            sha256=intent.body_sha256,
            intent=asked,
        )
        self._undecided[intent.key] = case
        await self._write(case, told, send)

    async def void(self, case: Case) -> None:
        """The last intent was not sent: not a byte left (law L2)."""
        await self._write(case, Voided(), case.sends)

    async def answered(
        self,
        case: Case,
        verdict: Verdict,
        status: int | None,
        excerpt: str,
        left_s: float | None,
    ) -> None:
        """What came back for the last send, and what it proves."""
        told = Answered(
            verdict=verdict.proof.value,
            status=status,
            code=verdict.code,
            message=verdict.message[:300],
            charge=verdict.charge,
            flaws=verdict.flaws,
            spent=verdict.spent,
            excerpt=excerpt,
            left_s=left_s,
        )
        await self._write(case, told, case.sends)
        if status == 429 and verdict.charge is not None and self.trust_429:
            self.trust_429 = False
            await self.note(
                ThrottleDistrusted(order=case.intent.order_id, charge=verdict.charge.id)
            )

    async def found(
        self,
        case: Case,
        charge: ChargeSeen,
        *,
        reread: bool = False,
        by_id: bool = False,
    ) -> None:
        """A look-up showed a charge of this attempt; written when it says anything new.

        `by_id`: it was asked for by its id, not listed.
        """
        if not reread and case.attempt and is_known_already(case.attempt, charge):
            self._prove(charge)
            return
        told = Found(
            charge=charge,
            flaws=flaws_of(charge, case.intent, self._live),
            reread=reread,
            by_id=by_id,
        )
        before = case.attempt
        if before is not None and self._is_no_news(case, before, told):
            return
        case.others = self._others(case.intent)  # the same page may have brought another one
        await self._write(case, told)

    def _is_no_news(self, case: Case, before: Attempt, told: Found) -> bool:
        """Does a look-up say what the journal has already?"""
        marked, _ = self._marked(told, case.intent, before)
        event = line(marked, 0, attempt=case.intent.attempt)
        after = advance(before, event)
        if not is_same(before, after):
            return False
        # where another attempt has its money, or may, a refund is news
        apart = any(not other.closed for other in case.others)
        return not (apart and is_refund(before, after))

    async def absent(self, case: Case, boot_s: float, *, closes: bool) -> None:
        """A complete look-up after the doubt period did not show it."""
        told = Absent(
            boot_id=self._clock.boot_id,
            boot_s=boot_s,
            closes=closes,
        )
        await self._write(case, told, case.sends)

    async def adopt(
        self,
        charge: ChargeSeen,
        number: int,
        asked: Intent | None = None,
        word: Word | None = None,
    ) -> Case:
        """A charge of this job that this journal did not make, or no longer knows it made (law
        L11).

        `asked`: what the order asks for, where its row is at hand and the charge itself does not
        name it. `word`: of a person who says that it is this order's.
        """
        intent = asked or self._asked_by(charge, number)
        case = Case(intent, others=self._others(intent))
        flaws = list(flaws_of(charge, intent, self._live))
        if not charge.destination:
            flaws.append("no destination")
        if charge.id in self._unproven():
            flaws.append(CALLED_UNPROVEN)
        told = Adopted(
            intent=intent,
            charge=charge,
            flaws=tuple(flaws),
            word=word,
            beside=not all(other.closed for other in case.others),
        )
        await self._write(case, told)
        self.adopted += 1
        await self._stop_for_doubles([intent.order_id])
        return case

    def _asked_by(self, charge: ChargeSeen, number: int) -> Intent:
        """What the attempt asked for, as far as its charge tells."""
        metadata = charge.metadata
        order_id = metadata.get("order_id", "")
        sheet, row = row_told(metadata.get("batchpay_row", ""))
        sale = sale_told(metadata)
        intent = Intent(
            order_id=order_id,
            attempt=number,
            key=metadata["batchpay_key"],
            body="",
            body_sha256="",
            content="",
            amount=charge.amount,
            currency=charge.currency,
            destination=charge.destination or "",
            payer=charge.payer or "",
            batch_id=self._journal.batch_named(metadata.get("batchpay_batch", "")),
            sheet=sheet,
            row=row,
            run_id=metadata.get("batchpay_run", ""),
            alike=alike(order_id),
            mode="live" if self._live else "test",
            corrects=next(iter(sale), ""),
            sale=sale,
            ids_from=metadata.get("batchpay_ids", ""),
        )
        if self._fee is None:
            return intent
        fixed = self._fee.fixed_in(charge.currency)
        return replace(intent, fee_fixed=fixed, fee_percentage=self._fee.percentage)

    def _unproven(self) -> frozenset[str]:
        """Charges that reports of before a loss call unproven (wholeness)."""
        if self._called_unproven is None:
            losses = [told for _, told in told_in(self._journal, Restored)]
            self._called_unproven = frozenset(one for loss in losses for one in loss.unproven)
        return self._called_unproven

    async def withdraw(self, attempt: Attempt) -> None:
        """An attempt that was never charged gives way to the next one of its order. Raises
        errors.Taken.
        """
        case = self._undecided.get(attempt.intent.key)
        if case is None:
            case = Case(attempt.intent, attempt)
        if case.attempt is None or not case.attempt.ready:
            raise Taken(f"order {attempt.intent.order_id} is not held by now")
        await self._write(case, Withdrawn())

    async def missing(self, case: Case, charge_id: str = "") -> None:
        """The gateway answered that it knows no charge of this id (J27), by default of the one that
        is reported; written once.
        """
        attempt = case.attempt
        if attempt is None:
            return
        reported = ""
        if attempt.charge is not None:
            reported = attempt.charge.id
        if (charge_id or reported) in attempt.unknown:
            return
        if charge_id == reported:
            charge_id = ""
        await self._write(case, Missing(charge_id=charge_id))

    async def believe_no_more(self, case: Case) -> None:
        """The 429 that its last send was answered with proves nothing of this gateway."""
        await self._write(case, Disbelieved(), case.sends)

    async def unclear(self, case: Case, charge: ChargeSeen) -> None:
        """A list shows a charge without a key that may be this attempt's; written once for each."""
        if case.attempt is not None and case.attempt.may_be != charge.id:
            await self._write(case, Unclear(charge_id=charge.id))

    async def unreadable(self, charge_id: str, why: str) -> None:
        """The same where any order may be meant: nothing is sent before a person has told; written
        once a reason.
        """
        told = unreadable_told(self._journal.events(UNREADABLE))
        if told.get(charge_id) != why:
            await self.note(Unreadable(charge_id=charge_id, reason=why))

    def is_unreadable(self, charge_id: str) -> bool:
        """Does the journal wait for a person's word about this very entry of the gateway's list?"""
        return charge_id in unreadable_told(self._journal.events(UNREADABLE))

    def is_known(self, charge_id: str) -> bool:
        """Does an event tell of it as an order's charge, of this job or another one?"""
        return self._journal.order_of_charge(charge_id) is not None

    async def untold(self, case: Case, charge_id: str) -> None:
        """Asked for this charge of an earlier attempt by its id, the gateway did not show it;
        written once.
        """
        if case.attempt is not None and not case.attempt.untold:
            await self._write(case, Untold(charge_id=charge_id))

    async def untold_account(self, case: Case) -> None:
        """It was sent before anybody told whose account the key was of, and the account that is
        told now shows nothing of that time: that proves nothing; written once.
        """
        if case.attempt is not None and not case.attempt.untold:
            account = str(self.account().get("account", ""))
            await self._write(case, Untold(charge_id=account, account=True))

    async def elsewhere(self, charges: Iterable[ChargeSeen]) -> None:
        """Charges that other jobs of this account made, kept for as long as their orders may come
        here (J06).

        One that asks what an attempt of this job took, or may have taken, is a stop: nobody can
        take it back any more.
        """
        others = {charge.id: charge for charge in charges if self._is_another_jobs(charge)}
        if not others:
            return
        pairs = []
        for charge in others.values():
            pairs += [(charge, order_id) for order_id in orders_of(charge, self._journal)]
        # before anything is awaited: no worker may begin with its order from now on
        for charge, order_id in pairs:
            self._elsewhere.setdefault(order_id, {})[charge.id] = charge
        orders = list(dict.fromkeys(order_id for _, order_id in pairs))
        known = self._known_elsewhere(orders)
        news = [
            self._event(told_of(charge), order_id=order_id)
            for charge, order_id in pairs
            if known.get((order_id, charge.id), False) != charge.takes_money
        ]
        if news:
            await self._journal.write(news)
        await self._stop_for_doubles(orders)

    def _known_elsewhere(self, orders: Sequence[str]) -> dict[tuple[str, str], bool]:
        """Order and charge of another job -> did it take money, or may it, when last told of?"""
        known = {}
        for order_id, events in self._journal.histories(orders).items():
            for _, told in told_by(events, ChargedElsewhere):
                known[order_id, told.charge_id] = told.takes_money
        return known

    def charged_elsewhere(self, intent: Intent) -> ChargeSeen | None:
        """Another job's charge, seen in this run, of what this attempt is about to ask for."""
        ids = (intent.order_id, *filter(None, map(order_in, intent.sale)))
        for order_id in ids:
            for charge in self._elsewhere.get(order_id, {}).values():
                if charge.takes_money and is_one_sale(charge, intent):
                    return charge
        return None

    def _is_another_jobs(self, charge: ChargeSeen) -> bool:
        job = charge.metadata.get("batchpay_job", "")
        if not charge.metadata.get("order_id") or job in ("", self._job):
            return False
        return self._place(charge) is None

    async def _stop_for_doubles(self, order_ids: Sequence[str]) -> None:
        for events in self._journal.histories(order_ids).values():
            for charge_id, reason in doubles(events):
                await self.stop_for_charge(charge_id, reason)

    async def resolve(
        self,
        case: Case,
        as_: str,
        reason: str,
        by: str,
        charge: ChargeSeen | None = None,
        flaws: Sequence[str] = (),
    ) -> None:
        """A person's word on an attempt: charged (by this charge, with these flaws), accepted as it
        is, not-charged or cancelled.
        """
        told = Resolved(
            said=as_,
            reason=reason,
            by=by,
            charge=charge,
            flaws=tuple(flaws),
        )
        await self._write(case, told)

    async def stop(self, reason: str, case: Case | None = None) -> None:
        """Nothing is sent any more, in this run or a later one, until a person lifts it (law
        L10).
        """
        await self._journal.write([self._stop_event(reason, case)])

    async def stop_for_charge(self, charge_id: str, reason: str) -> None:
        """The same about a charge, once: what a person has lifted is not brought up again.

        Until then lists should show it all the same: one that does not may lack others too (J05).
        """
        if charge_id in self.told_of:
            return
        self.told_of.add(charge_id)
        self.stopped = self.stopped or reason
        await self.note(Stop(reason=reason, charge=charge_id))

    async def note(self, told: Told, batch_id: str = "") -> None:
        """An event about the run or a batch, not about one order."""
        await self._journal.write([self._event(told, batch_id=batch_id)])

    async def transfers_seen(
        self, found: Sequence[tuple[Attempt, TransferSeen]]
    ) -> dict[str, Attempt]:
        """Where recipients' shares are, as news of their attempts; by key, the attempts with it."""
        now_ns = self._clock.now_ns()
        after: dict[str, Attempt] = {}
        lines: list[Event] = []
        for attempt, told in found:
            event = line_of(told, attempt.intent, now_ns, self._run_id)
            lines.append(event)
            after[attempt.intent.key] = advance(attempt, event)
        for start in range(0, len(lines), 500):
            await self._journal.write(lines[start : start + 500])
        return after

    async def _write(self, case: Case, told: OfAttempt, send: int = 0) -> None:
        async with case.writing:
            intent = case.intent
            before = case.attempt
            told, anothers = self._marked(told, intent, before)
            if isinstance(told, Intended) and before is not None and not before.resends:
                raise Taken(f"order {intent.order_id} is {before.outcome.value} by now")
            event = line_of(told, intent, self._clock.now_ns(), self._run_id, send)
            after = advance(before, event, told)
            events = [at_state(event, after.state)]
            by_hand = isinstance(told, Resolved)
            reason = anothers or why_stop(case.others, before, after, by_hand=by_hand)
            if reason:
                events.append(self._stop_event(reason, case))
            if before is not None and after.charge is not None and self._belies_429(before):
                self.trust_429 = False
                distrusted = ThrottleDistrusted(order=intent.order_id, charge=after.charge.id)
                events.append(self._event(distrusted))
            await self._journal.write(events)
            case.attempt = after
            self._follow(after)

    def _belies_429(self, before: Attempt) -> bool:
        """Was it said to have charged nothing because of too many requests?"""
        return self.trust_429 and before.is_told_429

    def _follow(self, after: Attempt) -> None:
        """What was written of an attempt is what this run knows of it."""
        key = after.intent.key
        if after.outcome not in (Outcome.HELD, Outcome.IN_DOUBT):
            self._undecided.pop(key, None)
        self._uncharged.pop(key, None)
        if after.outcome in (Outcome.REFUSED, Outcome.HELD) and after.said_uncharged:
            self._uncharged[key] = after
        charge = after.charge
        for charge_id in after.twins:
            self._looked.pop(charge_id, None)
        if charge is not None and is_known_already(after, charge):
            self._looked[charge.id] = looks(charge)

    def news_of(self, charges: Iterable[ChargeSeen]) -> tuple[ChargeSeen, ...]:
        """Those of a list's page that say anything that this run did not write down itself: of the
        others, which are nearly all of them after a run, `match` and `found` would say so one by
        one, from the journal.
        """
        looked = self._looked
        return tuple(one for one in charges if looked.get(one.id) != looks(one))

    def remember(self, since_ns: int) -> None:
        """Charges that this journal has had proof of since then, or else the last one before: lists
        must show them. And what is said since then to have charged nothing, with a margin: lists
        may show that it was charged all the same.
        """
        ids = self._journal.uncharged_since(since_ns - UNCHARGED_BEFORE_NS)
        for start in range(0, len(ids), 500):
            for events in self._journal.histories(ids[start : start + 500]).values():
                for attempt in fold(events):
                    if attempt.said_uncharged and not attempt.by_hand:
                        self._uncharged.setdefault(attempt.intent.key, attempt)
        for charge_id, created_at in self._known_since(since_ns).items():
            if charge_id not in self._lifted and can_be_asked_for(charge_id):
                self.known.setdefault(charge_id, (created_at, float("-inf")))

    def _known_since(self, since_ns: int) -> Mapping[str, str]:
        known = self._journal.charges_known(since_ns)
        if known:
            return known
        youngest = self._journal.youngest_charge(since_ns - LONGEST_SILENCE_NS)
        if youngest is None:
            return {}
        return dict([youngest])

    def _prove(self, charge: ChargeSeen) -> None:
        if charge.id not in self._lifted:
            self.known.setdefault(charge.id, (charge.created_at, self._clock.elapsed_s()))

    def _marked(self, told: T, intent: Intent, before: Attempt | None) -> tuple[T, str]:
        """What an event is to tell, marked when its charge is another order's; and that in words,
        or "" where there is nothing to tell, or the attempt told it before, with a stop.
        """
        if not isinstance(told, Evidence) or told.charge is None:
            return told, ""
        if not can_be_asked_for(told.charge.id):
            return told, ""
        anothers = self._anothers_charge(told.charge, intent)
        if not anothers:
            return told, ""
        theirs = self._carries_their_key(told.charge.id)
        marked = told.as_anothers(anothers, theirs=theirs)
        if before is not None and before.is_known_as_anothers(told.charge.id):
            return marked, ""
        return marked, anothers

    def _carries_their_key(self, charge_id: str) -> bool:
        """Did the first order that a charge was told for see it with its own key? Two answers may
        have been exchanged: then each order was told the other's charge, and that its own carries
        its key is what counts.
        """
        first = self._journal.order_of_charge(charge_id)
        if first is None or first[0] != self._job:
            return first is not None
        _, order_id, number = first
        attempts = self._attempts(order_id)
        return any(charge_id in one.twins for one in attempts if one.intent.attempt == number)

    def is_anothers(self, charge_id: str, intent: Intent) -> bool:
        """Does this journal know it as the charge of another order, attempt or job?"""
        known = self._journal.order_of_charge(charge_id)
        return known is not None and known != (self._job, intent.order_id, intent.attempt)

    def _anothers_charge(self, charge: ChargeSeen, intent: Intent) -> str:
        """Is the charge that is told of one of another order or attempt? A charge belongs to one
        (J11).
        """
        mine = (intent.order_id, intent.attempt)
        told = f"{charge.id} was answered for order {intent.order_id}; it is order"
        if charge.id not in self._orders:
            earlier = self._journal.order_of_charge(charge.id)
            if earlier is None:
                self._orders[charge.id] = mine
            elif earlier[0] == self._job:
                self._orders[charge.id] = (earlier[1], earlier[2])
            else:
                return f"{told} {earlier[1]}'s of job {earlier[0]}"
        first = self._orders[charge.id]
        if first == mine:
            self._prove(charge)
            return ""
        return f"{told} {first[0]}'s (attempt {first[1]})"

    def _stop_event(self, reason: str, case: Case | None) -> Event:
        self.stopped = self.stopped or reason
        order_id = ""
        if case is not None:
            order_id = case.intent.order_id
        return self._event(Stop(reason=reason, order=order_id))

    def _event(self, told: Told, **where: Any) -> Event:
        return line(told, self._clock.now_ns(), self._run_id, **where)

    def register(self, case: Case) -> None:
        """This is the one Case of its attempt: whoever finds evidence of it writes here."""
        self._undecided[case.intent.key] = case
        if case.attempt is not None and case.attempt.said_uncharged:
            self._uncharged.setdefault(case.intent.key, case.attempt)

    # --- reading

    def lost_events(self) -> bool:
        """Was this journal ever lost or put back, so that requests were made which it does not
        know?
        """
        return next(told_in(self._journal, Restored), None) is not None

    def account(self) -> dict[str, Any]:
        """The account, mode and address that this journal belongs to; empty when no run wrote them
        down yet.
        """
        return whose_journal(self._journal.accounts())

    async def belong(self, told: BelongsTo) -> None:
        """Write down whose this journal is, where it does not say so already, and beside it."""
        whose = asdict(told)
        if whose != self.account():
            await self.note(told)
        self._keep_whose(whose)

    def belongs_to(self) -> dict[str, Any]:
        """The same, by whoever tells: a journal that does not say may stand where one was lost that
        did (J03).
        """
        kept = self.account()
        if kept.get("account") or not self._belongs:
            return kept
        return {**kept, **self._belongs}

    def account_told_ns(self) -> int:
        """Wall clock (UTC ns) at which the journal was first told its account; 0: never."""
        told = told_by(self._journal.accounts(), BelongsTo)
        return min((event.at_ns for event, one in told if one.account), default=0)

    def youngest_before(self, at_ns: int) -> str:
        """The youngest charge of which this journal had proof before then; empty: of none."""
        every = self._journal.charges_known(0)
        since = self._journal.charges_known(at_ns)
        before = {charge_id: at for charge_id, at in every.items() if charge_id not in since}
        return max(before, key=lambda charge_id: before[charge_id], default="")

    def open_cases(self) -> list[Case]:
        """Every order of an earlier run that did not end yet."""
        cases = []
        ids = self._journal.open_orders()
        for start in range(0, len(ids), 500):
            histories = self._journal.histories(ids[start : start + 500])
            for events in histories.values():
                attempts = fold(events)
                for attempt in attempts:
                    if not (attempt.closed or attempt.outcome is Outcome.SUCCEEDED):
                        cases.append(_absent_case(attempt, attempts))
        return cases

    def on_their_way(
        self,
        since_ns: int,
        also: Collection[str],
        after: str,
        at_most: int,
        wanted: Callable[[OnItsWay], bool],
    ) -> tuple[list[OnItsWay], str]:
        """The attempts with a share on its way that are `wanted`, of these orders and of those that
        changed since then, by our wall clock (UTC nanoseconds): `at_most`, and the rest of the last
        one's order, for a night may have a million.

        `after`: the order behind which it begins, and goes round. Returns with them the last order
        that was looked at where there are more; empty: that was all.
        """
        found: list[OnItsWay] = []
        last = ""
        for page in self._pages(since_ns, also, after, at_most):
            if len(found) >= at_most:
                return found, last
            found += filter(wanted, page)
            last = page[-1].order_id
        return found, ""

    def _pages(
        self, since_ns: int, also: Collection[str], after: str, at_most: int
    ) -> Iterator[list[OnItsWay]]:
        """To the end, and round to where it began; none is empty."""
        turns = [(after, "")]
        if after:
            turns.append(("", after))
        for at, until in turns:
            begin = at
            while page := self._journal.on_their_way(since_ns, also, begin, until, at_most):
                yield page
                if len(page) < at_most:
                    break
                begin = page[-1].order_id

    def attempts_of(self, order_ids: Iterable[str]) -> Iterator[Attempt]:
        """All attempts of some orders."""
        ids = list(dict.fromkeys(order_ids))
        for start in range(0, len(ids), SLICE):
            for events in self._journal.histories(ids[start : start + SLICE]).values():
                yield from fold(events)

    def is_anything_open(self) -> bool:
        """Is there an order of an earlier run that the gateway must be asked about?"""
        return bool(self._journal.open_orders() or self.doubled_cases())

    def doubled_cases(self) -> list[Case]:
        """Every order that was charged twice, until the further charge is given back or a person
        took note of it; and every one whose charge the gateway knows no more, until it does or a
        person has told.
        """
        stops = [told for _, told in told_in(self._journal, Stop)]
        orders = list(dict.fromkeys(filter(None, map(self._order_of_stop, stops))))
        cases = []
        for events in self._journal.histories(orders).values():
            attempts = fold(events)
            apart = paid_apart(attempts)
            if any(attempt.accepted for attempt in apart):
                apart = ()
            for attempt in attempts:
                if attempt.doubled or attempt.vanished or attempt in apart:
                    cases.append(_absent_case(attempt, attempts))
        return cases

    def _order_of_stop(self, stop: Stop) -> str:
        """The order that a stop is about, itself or by its charge; empty: none of this job's."""
        if stop.order or not stop.charge:
            return stop.order
        known = self._journal.order_of_charge(stop.charge)
        if known is None or known[0] != self._job:
            return ""
        return known[1]

    def match(self, charges: Sequence[ChargeSeen]) -> list[tuple[ChargeSeen, Case | int | None]]:
        """Charges of this job with what the journal knows of them.

        A Case: an attempt of the journal, the very one that a worker holds if one does, so that
        evidence reaches it. A number: an attempt that only the gateway knows. None: a key that this
        job would never make.
        """
        self.trace(charges)
        places = [(charge, self._place(charge)) for charge in charges]
        ours = [(charge, place) for charge, place in places if place is not None]
        histories = self._journal.histories([order_id for _, (order_id, _) in ours])
        matched: list[tuple[ChargeSeen, Case | int | None]] = []
        cases: dict[str, Case] = {}
        for charge, (order_id, number) in ours:
            key = key_in(charge) or ""
            attempts = fold(histories.get(order_id, []))
            known = next((one for one in attempts if one.intent.key == key), None)
            held = self._undecided.get(key)
            if held is not None and held.attempt:
                matched.append((charge, held))
            elif known is not None:
                case = cases.setdefault(key, Case(known.intent, known, present=False))
                matched.append((charge, case))
            elif number is None:
                matched.append((charge, self._proven_by(charge.id)))
            else:
                matched.append((charge, number))
        return matched

    def is_unclear(self, charge: ChargeSeen) -> bool:
        """Can nobody tell whose charge this is? Then it may be any order's that it fits."""
        if charge.id in self.disowned or explains_itself(charge.metadata):
            return False
        place = self._place(charge)
        if place is not None and place[1] is not None:
            return False
        return self._proven_by(charge.id) is None

    def trace(self, charges: Iterable[ChargeSeen]) -> None:
        """Look for the attempts of keys that say no more: one walk through all that began, for all
        of them together.
        """
        keys: set[str] = set()
        for charge in charges:
            key = key_in(charge) or ""
            tells_no_more = has_key(charge) and not explains_itself(charge.metadata)
            if tells_no_more and key not in self._traced:
                keys.add(key)
        if not keys:
            return
        self._traced |= dict.fromkeys(keys)
        for order_id, number in self._journal.begun():
            key = key_of(self._job, order_id, number)
            if key in keys:
                self._traced[key] = (order_id, number)

    # --- charges that nothing tells whose they are

    def strays_of(self, order_id: str) -> list[tuple[int, ChargeSeen]]:
        """Attempt and charge: what carries a key of this order, named no order, and no event tells
        of as one's own.
        """
        strays = self._unclaimed.strays
        if not strays:
            return []
        found = []
        for number in range(1, MAX_ATTEMPTS + 1):
            for charge in strays.get(key_of(self._job, order_id, number), {}).values():
                if self._journal.order_of_charge(charge.id) is None:
                    found.append((number, charge))
        return found

    async def keep_strays(self) -> None:
        """Those that lists showed just now, once each: their orders may come in a file of a later
        run.
        """
        fresh = self._fresh
        self._fresh = {}
        news = [self._event(Stray(key=key, charge=charge)) for key, charge in fresh.values()]
        if news:
            await self._journal.write(news)

    async def keep_nameless(self, charges: Iterable[ChargeSeen]) -> None:
        """The same of charges with no key, or none that tells: any order of their terms may be
        theirs. One that tells neither recipient nor payer fits none.
        """
        news: dict[str, Nameless] = {}
        for charge in charges:
            if not (charge.destination or charge.payer) or not charge.takes_money:
                continue
            one = nameless_of(charge)
            if one.charge_id not in self.disowned and not self._unclaimed.has(one):
                news[one.charge_id] = one
        for one in news.values():
            self._unclaimed.add_nameless(one)
        some = list(news.values())
        for start in range(0, len(some), 500):
            await self.note(told_of_nameless(some[start : start + 500]))

    def may_be_charged(self, intent: Intent) -> Nameless | None:
        """A charge that names nobody, and that may be what is about to be asked for."""
        terms = (intent.destination, intent.amount, intent.currency)
        kept = self._unclaimed.nameless
        job = self._job
        for one in fits(kept, terms, intent.order_id, intent.payer, job):
            if self._journal.order_of_charge(one.charge_id) is None:
                return one
        return None

    def is_unclear_beside(self, case: Case) -> bool:
        """Has any list shown a charge that names nobody, and that may be what a case is about to
        ask for, or that of an earlier attempt of its order?
        """
        if self.may_be_charged(case.intent) is not None:
            return True
        return next(self.unclear_beside(case.others), None) is not None

    def unclear_beside(self, attempts: Iterable[Attempt]) -> Iterator[tuple[Attempt, Nameless]]:
        """Those of some attempts that are said to have charged nothing, each with a charge that
        names nobody and may be its own.
        """
        for attempt, one in unclear_among(attempts, self._unclaimed.nameless, self._job):
            if self._journal.order_of_charge(one.charge_id) is None:
                yield attempt, one

    def said_uncharged(self) -> list[Attempt]:
        """Attempts that were sent since the last complete list, and that somebody said had charged
        nothing.
        """
        return list(self._uncharged.values())

    def _place(self, charge: ChargeSeen) -> tuple[str, int | None] | None:
        """Order id and attempt of a charge of this job: the one place that says whose a charge is.

        By its key first, held against what it says itself, what is under way and what is open; by
        the job's name only then (contract, section 7). Without a number: the name is this job's,
        the key is not. None: not this job's.
        """
        key = key_in(charge) or ""
        if key in self._undecided:
            intent = self._undecided[key].intent
            return intent.order_id, intent.attempt
        place = place_in(self._job, charge.metadata)
        if (
            (place is not None and place[1] is not None)
            or not has_key(charge)
            or explains_itself(charge.metadata)
        ):
            return place
        self.trace([charge])
        known = self._traced[key] or self._known_by_id(charge.id, key)
        if known is None and key in self._uncharged:
            asked = self._uncharged[key].intent
            known = asked.order_id, asked.attempt
        if known is not None:
            return known
        if charge.id not in self._unclaimed.strays.get(key, {}):
            self._fresh[charge.id] = key, charge
        self._unclaimed.add_stray(key, charge)
        return place

    def _known_by_id(self, charge_id: str, key: str) -> tuple[str, int] | None:
        known = self._journal.order_of_charge(charge_id)
        if known is None or known[0] != self._job or key_of(*known) != key:
            return None
        return (known[1], known[2])

    def _proven_by(self, charge_id: str) -> Case | None:
        """The attempt of which the journal has kept this very charge as its own."""
        case = self.case_of(charge_id)
        if case is None or case.attempt is None or case.attempt.charge is None:
            return None
        if case.attempt.charge.id != charge_id:
            return None
        return case

    def case_of(self, charge_id: str) -> Case | None:
        """The attempt whose charge this is, the very one that a worker holds if one does."""
        known = self._journal.order_of_charge(charge_id)
        if known is None or known[0] != self._job:
            return None
        _, order_id, number = known
        attempts = self._attempts(order_id)
        attempt = next((one for one in attempts if one.intent.attempt == number), None)
        if attempt is None:
            return None
        held = self._undecided.get(attempt.intent.key)
        return held or _absent_case(attempt, attempts)

    def _attempts(self, order_id: str) -> tuple[Attempt, ...]:
        return fold(self._journal.histories([order_id]).get(order_id, []))

    def _others(self, intent: Intent) -> tuple[Attempt, ...]:
        attempts = self._attempts(intent.order_id)
        return tuple(other for other in attempts if other.intent.attempt != intent.attempt)


def _absent_case(attempt: Attempt, attempts: Sequence[Attempt]) -> Case:
    """An attempt of an earlier run, whose row may not be here."""
    others = tuple(other for other in attempts if other is not attempt)
    return Case(attempt.intent, attempt, others, present=False)
