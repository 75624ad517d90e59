"""RECORDER: all that a run writes of intents and evidence is written here, and nowhere else, but
for words of persons that a loss took and that are noted again (`open_job`); what evidence is of an
attempt, `weighing` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from batchpay.domain.errors import Taken
from batchpay.domain.events import (
    STOPS,
    Absent,
    Adopted,
    Answered,
    Disbelieved,
    Found,
    Intended,
    Missing,
    OfAttempt,
    OrderCancelled,
    Resolved,
    Restored,
    Stop,
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
    line_of,
    told_by,
    told_in,
)
from batchpay.domain.model import ChargeSeen, Event, Intent
from batchpay.domain.ports import Clock, Journal
from batchpay.job.job import Fee
from batchpay.lifecycle.attempt import Attempt, word_of
from batchpay.lifecycle.folding import advance
from batchpay.lifecycle.proof import Verdict
from batchpay.messages import nights
from batchpay.settlement.belonging import Belonging
from batchpay.settlement.cases import Case, Cases
from batchpay.settlement.entries import Entries
from batchpay.settlement.evidence import (
    doubled_with,
    is_known_already,
    sale_charged_twice,
)
from batchpay.settlement.expected import Expected
from batchpay.settlement.in_force import (
    UNREADABLE,
    charges_told,
    stop_in_force,
    unreadable_told,
)
from batchpay.settlement.others import OtherJobs
from batchpay.settlement.still_paid import StillPaid
from batchpay.settlement.strays import Strays
from batchpay.settlement.weighing import Weighing
from batchpay.settlement.whose import Whose


class Recorder:
    """Writes events through the journal and keeps each case in step with what was written, but for
    news of a transfer, by which nothing is sent.

    What it goes by has parts of its own: `cases`, the orders of this run; `whose` a charge is;
    `strays`, of which nothing tells; what lists are `expected` to show; `others`, the other jobs'
    charges; `belonging`, the account.
    """

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
        taking_over: Callable[[Restored], Sequence[Event]] | None = None,
    ) -> None:
        """`fee`: the commission that a charge is held against when nobody knows what was asked for
        it. `belongs`: what others tell of the account, where the journal does not
        (wholeness.whose_before). `keep_whose`: keeps what the journal is told of it beside the
        journal. `taking_over`: a loss, and all that others tell of what was lost, as it is to be
        written (wholeness.loss_met).
        """
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._taking_over = taking_over or (lambda told: [self._entries.line(told)])
        self.stopped = stop_in_force(journal.events(STOPS))
        self.trust_429 = next(told_in(journal, ThrottleDistrusted), None) is None
        self.adopted = 0  # charges, in this run
        # charge -> what it says itself was given back of it, smallest unit, as this run saw it
        self.refunded: dict[str, int] = {}
        # charges that a stop told of, and those of them whose stop a person has lifted
        self.stopped_for, lifted = charges_told(journal.events(STOPS))
        self._entries = Entries(journal, clock, run_id)
        self.cases = Cases(journal, job)
        self.still_paid = StillPaid(self.cases)
        self.expected = Expected(journal, clock, lifted)
        self.strays = Strays(self._entries, journal, job)
        self.whose = Whose(journal, job, self.cases, self.expected, self.strays)
        self._weighing = Weighing(journal, self.cases, self.whose, live=live, fee=fee)
        self.others = OtherJobs(
            self._entries,
            journal,
            job,
            self.whose,
            self._stop_for_charges,
            self._ask_for,
        )
        self.belonging = Belonging(self._entries, journal, belongs or {}, keep_whose)

    async def lost(self, told: Restored) -> None:
        """The journal lost events, by what the gateway's list shows: that is written before
        anything else is done about it, with people's words and stops that reports still tell.
        """
        events = self._taking_over(told)
        await self._journal.write(events)
        self._weighing.forget_unproven()
        self.stopped = stop_in_force(self._journal.events(STOPS))
        self.stopped_for |= charges_told(self._journal.events(STOPS))[0]
        for event in events:
            case = self.cases.case_at(event.order_id, event.attempt)
            if event.attempt and case is not None:
                self._refresh_itself(case)

    def called_unproven(self) -> frozenset[str]:
        """Charges that reports of before a loss call unproven: an order of this job has each."""
        return self._weighing.called_unproven()

    def _refresh_itself(self, case: Case) -> None:
        """It was written about beside the worker that may hold it."""
        intent = case.intent
        for one in self.cases.attempts(intent.order_id):
            if one.intent.attempt == intent.attempt:
                case.attempt = one
                self.cases.follow(one)
                self.expected.follow(one)

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
        self.cases.register(case)
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
        stop: str = "",
    ) -> None:
        """What came back for the last send, and what it proves. `stop`: why it is a stop."""
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
        await self._write(case, told, case.sends, stop=stop)

    async def found(
        self,
        case: Case,
        charge: ChargeSeen,
        *,
        reread: bool = False,
        by_id: bool = False,
        beside: bool = False,
    ) -> None:
        """A look-up showed a charge of this attempt; written when it says anything new.

        `by_id`: it was asked for by its id, not listed. `beside`: as one of those beside another.
        """
        self._hear(charge)
        if not reread and case.attempt and is_known_already(case.attempt, charge):
            self.expected.prove(charge)
            return
        told = Found(
            charge=charge,
            flaws=self._weighing.flaws_of(charge, case.intent),
            reread=reread,
            by_id=by_id,
        )
        before = case.attempt
        if before is not None and self._weighing.is_no_news(case, before, told):
            return
        if lost := self.whose.who_lost(charge.id):
            await self.found(lost, charge, by_id=by_id)
        self._refresh(case)
        meets = before is None or before.charge is None
        if not beside:
            await self._ask_for_doubled(case, told, meets=meets)
        await self._write(case, told, meets=meets)

    async def _ask_for_doubled(
        self, case: Case, told: Found | Adopted, *, meets: bool
    ) -> None:
        """What a charge would be called a double of is asked for before that is said. Of an answer
        it was, before its request left (Doubts.clears).
        """
        after = self._weighing.after(case, told)
        others = [*doubled_with(case.others, case.attempt, after)]
        if meets:
            others += self._weighing.charged_twice(case.attempt, after)
        await self._ask_for(others)
        if isinstance(told, Adopted):
            theirs = [charge_id for charge_id, _ in self.others.doubles_of(after)]
            await self.others.keep(await self.still_paid.read(theirs))
        if others:  # much may have been written meanwhile
            self._refresh(case)

    async def _ask_for(self, attempts: Iterable[Attempt]) -> None:
        """Do they have their money still? What the gateway says of their charges is written."""
        for case, charge in await self.still_paid.shown(attempts):
            await self.found(case, charge, by_id=True, beside=True)

    def _refresh(self, case: Case) -> None:
        """The same page may have brought another charge of its order, or of itself."""
        intent = case.intent
        attempts = self.cases.attempts(intent.order_id)
        case.others = tuple(
            one for one in attempts if one.intent.attempt != intent.attempt
        )
        if self.cases.at_work(intent.key) is None:
            own = (one for one in attempts if one.intent.attempt == intent.attempt)
            case.attempt = next(own, case.attempt)

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
        stop: str = "",
    ) -> Case:
        """A charge of this job that this journal did not make, or no longer knows it made (law
        L11).

        `asked`: what the order asks for, where its row is at hand and the charge itself does not
        name it. `word`: of a person who says that it is this order's. `stop`: why it is a stop.
        """
        self._hear(charge)
        intent = asked or self._weighing.asked_by(charge, number)
        case = Case(intent, others=self.cases.others(intent))
        told = Adopted(
            intent=intent,
            charge=charge,
            flaws=self._weighing.flaws_of_adopted(charge, intent),
            word=word,
        )
        if not stop:  # else others are being sent, and it holds them up at once
            await self._ask_for_doubled(case, told, meets=True)
        beside = not all(other.closed for other in case.others)
        await self._write(case, replace(told, beside=beside), meets=True, stop=stop)
        self.adopted += 1
        return case

    def _hear(self, charge: ChargeSeen) -> None:
        if charge.refunded:
            self.refunded[charge.id] = charge.refunded

    async def withdraw(self, attempt: Attempt) -> None:
        """An attempt that was never charged gives way to the next one of its order. Raises
        errors.Taken.
        """
        case = self.cases.at_work(attempt.intent.key)
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

    async def unclear(self, case: Case, charge_id: str) -> None:
        """A list shows a charge without a key that may be this attempt's; written once for each."""
        if case.attempt is not None and case.attempt.may_be != charge_id:
            await self._write(case, Unclear(charge_id=charge_id))

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
        if case.attempt is not None and not case.attempt.unshown_in:
            account = str(self.belonging.account().get("account", ""))
            await self._write(case, Untold(charge_id=account, account=True))

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

    async def stop_for_charge(self, charge_id: str, reason: str) -> None:
        """Nothing is sent any more, in this run or a later one, until a person lifts it (law L10).
        Once for each charge: what a person has lifted is not brought up again.

        Until then lists should show it all the same: one that does not may lack others too (J05).
        """
        await self._stop_for_charges([(charge_id, reason)])

    async def _stop_for_charges(
        self, told: Iterable[tuple[str, str]], brought_by: Sequence[Event] = ()
    ) -> None:
        stops = self._not_told_yet(told)
        self._stopped_by(stops)
        lines = [*brought_by, *map(self._entries.line, stops)]
        if lines:
            await self._entries.write(lines)

    def _not_told_yet(self, told: Iterable[tuple[str, str]]) -> list[Stop]:
        stops: dict[str, Stop] = {}
        for charge_id, reason in told:
            if charge_id not in self.stopped_for:
                stops.setdefault(charge_id, Stop(reason=reason, charge=charge_id))
        return list(stops.values())

    async def note(self, told: Told, batch_id: str = "") -> None:
        """An event about the run or a batch, not about one order."""
        await self._entries.note(told, batch_id)

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

    def register(self, case: Case) -> None:
        """This is the one Case of its attempt: whoever finds evidence of it writes here."""
        self.cases.register(case)
        self.expected.doubt(case.attempt)

    def take_up(self, case: Case) -> None:
        """The same of one that may lie since a list decided it: what was written of it since, by
        whoever found more, is what it is now.
        """
        if self.cases.at_work(case.intent.key) is None:
            self._refresh(case)
        self.register(case)

    async def _write(
        self,
        case: Case,
        told: OfAttempt,
        send: int = 0,
        *,
        meets: bool = False,
        stop: str = "",
    ) -> None:
        """Evidence, and in the same commit the stops that it brings: whoever died between the two
        would know the one already, and nothing would ask for the other again.

        `meets`: a charge is met that others may have for the same sale. `stop`: why it is a stop
        whatever it makes of its attempt.
        """
        async with case.writing:
            intent = case.intent
            told, anothers = self._weighing.marked(told, intent, case.attempt)
            event = line_of(told, intent, self._clock.now_ns(), self._run_id, send)
            before = case.attempt
            weighed = self._weighing.weigh(case, event, told, anothers)
            after = weighed.after
            events = [at_state(event, after.state)]
            if weighed.stop:
                own = Stop(reason=weighed.stop, order=intent.order_id)
                self._stopped_by([own])
                events.append(self._entries.line(own))
            if self.trust_429 and weighed.belies_429:
                self.trust_429 = False
                distrusted = ThrottleDistrusted(
                    order=intent.order_id, charge=weighed.belies_429
                )
                events.append(self._entries.line(distrusted))
            stops: list[Stop] = []
            if meets:
                stops += self._stops_beside(told, before, after)
            if stop:
                stops.append(Stop(reason=stop, order=intent.order_id))
            await self._journal.write([*events, *map(self._entries.line, stops)])
            self._stopped_by(stops)
            case.attempt = after
            self.cases.follow(after)
            self.expected.follow(after)
            if meets:
                await self._stop_for_what_came(told, before, after, stops)

    def _stops_beside(
        self, told: OfAttempt, before: Attempt | None, mine: Attempt
    ) -> list[Stop]:
        """A charge is met: another job has one of its order, or its sale has, or may have, money
        under another id.
        """
        stops: list[Stop] = []
        if isinstance(told, Adopted):
            stops += self._not_told_yet(self.others.doubles_of(mine))
            stops += self._charged_although(mine)
        for other in self._weighing.charged_twice(before, mine):
            reason = sale_charged_twice(mine, other)
            stops.append(Stop(reason=reason, order=mine.intent.order_id))
        return stops

    def _charged_although(self, mine: Attempt) -> Iterator[Stop]:
        """It has money, or may, and a person had said of its order that it is never to be sent."""
        order_id = mine.intent.order_id
        if mine.charge is None or not mine.stands:
            return
        events = self._journal.histories([order_id]).get(order_id, ())
        for event, told in told_by(events, OrderCancelled):
            reason = nights.STOP_CANCELLED(
                order=order_id,
                charge=mine.charge.id,
                word=word_of(told.by, told.reason, event.at_ns),
            )
            yield Stop(reason=str(reason), order=order_id, charge=mine.charge.id)

    async def _stop_for_what_came(
        self,
        told: OfAttempt,
        before: Attempt | None,
        mine: Attempt,
        written: Sequence[Stop],
    ) -> None:
        """The same for what was written of others while this was on its way to the disk."""
        stops = self._stops_beside(told, before, mine)
        news = [one for one in stops if one not in written]
        self._stopped_by(news)
        if news:
            await self._entries.write(list(map(self._entries.line, news)))

    def _stopped_by(self, stops: Iterable[Stop]) -> None:
        for one in stops:
            self.stopped = self.stopped or one.reason
            if one.charge:
                self.stopped_for.add(one.charge)
