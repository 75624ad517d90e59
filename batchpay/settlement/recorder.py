"""What is known of each order in this run, and how it is written down: the only writer of intents
and evidence.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from batchpay.domain.errors import Taken
from batchpay.domain.model import ChargeSeen, Event, Intent, Outcome
from batchpay.domain.ports import Clock, Journal
from batchpay.job.job import MAX_ATTEMPTS, Fee
from batchpay.lifecycle.attempt import (
    Attempt,
    Verdict,
    advance,
    flaws_of,
    fold,
    has_key,
    impossible,
    key_in,
    money_charges,
    paid_apart,
)
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
from batchpay.lifecycle.unclaimed import KINDS, Nameless, fits, nameless_of, unclaimed_in
from batchpay.lifecycle.unclaimed import told_of as told_of_nameless
from batchpay.settlement.others import doubles, orders_of, told_of

LONGEST_SILENCE_NS = 35 * 86_400 * 10**9  # how far back a charge is looked for that lists must show
REFUSED_BEFORE_NS = (
    900 * 10**9
)  # lists begin ten minutes before their bound, and our clock may be five off
_ROW_FIELDS = (
    "order_id",
    "attempt",
    "batch_id",
    "sheet",
    "row",
)  # columns of their own in the journal
_KEPT_FIELDS = tuple(f.name for f in fields(Intent) if f.name not in _ROW_FIELDS)


@dataclass(slots=True, eq=False)
class Case:
    """One order in this run: its open attempt and what this run did for it."""

    intent: Intent
    attempt: Attempt | None = None  # None: nothing was written yet
    others: tuple[
        Attempt, ...
    ] = ()  # the order's other attempts: closed, unless a list showed one that we lost
    withdraw: Attempt | None = (
        None  # one that was never charged and must give way before this one is sent
    )
    sends_in_run: int = 0
    present: bool = True  # is its row in an input of this run?
    ask_at_s: float = 0.0  # when to look it up next
    writing: asyncio.Lock = field(
        default_factory=asyncio.Lock, repr=False
    )  # one writer at a time: none goes lost

    @property
    def doubted(self) -> bool:
        """Was any send of this order, with this token, ever in doubt? Then `used_token` may be our
        own doing.
        """
        attempts = (*self.others, *((self.attempt,) if self.attempt else ()))
        return any(a.doubted for a in attempts if a.intent.single_use == self.intent.single_use)


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
    ) -> None:
        """`fee`: the commission that a charge is held against when nobody knows what was asked for
        it. `belongs`: what others tell of the account, where the journal does not
        (wholeness.whose_reports).
        """
        self._fee = fee
        self._belongs = belongs or {}
        self._journal = journal
        self._clock = clock
        self._job = job
        self._run_id = run_id
        self._live = live
        self.stopped = stop_in_force(journal.events(["stop", "lifted"]))
        self.trust_429 = next(journal.events(["throttle.distrusted"]), None) is None
        self.adopted = 0  # charges, in this run
        self._called_unproven: frozenset[str] | None = None  # read when it is first asked for
        self._undecided: dict[str, Case] = {}  # by key: sent in this run and not decided yet
        self._refused: dict[
            str, Attempt
        ] = {}  # by key: said to have charged nothing, where a list may say otherwise
        self._orders: dict[
            str, tuple[str, int]
        ] = {}  # charge id -> order and attempt, of those seen in this run
        # charge id -> created_at, and CLOCK_BOOTTIME of its proof, of those that lists should show
        self.known: dict[str, tuple[str, float]] = {}
        # order -> charge id -> other jobs' charges that lists showed in this run
        self._elsewhere: dict[str, dict[str, ChargeSeen]] = {}
        # charges that a stop told of, and those of them whose stop a person has lifted
        self.told_of, self._lifted = _told_of(journal.events(["stop", "lifted"]))
        # charges of which nobody can tell whose they are, but a person: they are not this job's
        told = list(journal.events(KINDS))
        self.disowned = {str(event.data["charge_id"]) for event in told if event.kind == "disowned"}
        self._traced: dict[
            str, tuple[str, int] | None
        ] = {}  # key -> the journal's attempt that it is of, if any is
        self._unclaimed = unclaimed_in(told)  # charges that nothing tells whose they are
        self._fresh: dict[
            str, tuple[str, ChargeSeen]
        ] = {}  # charge id -> key and charge: strays not written down yet

    # --- writing

    async def intend(self, case: Case, boot_s: float) -> None:
        """The intent of the next send, durable when this returns (law L1). Raises errors.Taken."""
        if case.attempt:
            send = case.attempt.sends + 1
        else:
            send = 1
        data: dict[str, Any] = {
            "boot_id": self._clock.boot_id,
            "boot_s": boot_s,
            "sha256": case.intent.body_sha256,
        }
        if send == 1:
            data["intent"] = _kept(case.intent)
        self._undecided[case.intent.key] = case
        await self._write(case, "intent", data, send)

    async def void(self, case: Case) -> None:
        """The last intent was not sent: not a byte left (law L2)."""
        await self._write(case, "voided", {}, case.attempt.sends if case.attempt else 0)

    async def answered(
        self, case: Case, verdict: Verdict, status: int | None, excerpt: str, left_s: float | None
    ) -> None:
        """What came back for the last send, and what it proves."""
        data = {
            "verdict": verdict.proof.value,
            "status": status,
            "code": verdict.code,
            "message": verdict.message[:300],
            "charge": verdict.charge.to_json() if verdict.charge else None,
            "flaws": list(verdict.flaws),
            "spent": verdict.spent,
            "excerpt": excerpt,
            "left_s": left_s,
        }
        kept = {name: value for name, value in data.items() if value not in (None, "", [], False)}
        await self._write(case, "answer", kept, case.attempt.sends if case.attempt else 0)
        if status == 429 and verdict.charge is not None and self.trust_429:
            self.trust_429 = False
            await self.note(
                "throttle.distrusted", {"order": case.intent.order_id, "charge": verdict.charge.id}
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
        if not reread and case.attempt and _known_already(case.attempt, charge):
            self._prove(charge)
            return
        flaws = flaws_of(charge, case.intent, self._live)
        data: dict[str, Any] = {"charge": charge.to_json()}
        if flaws:
            data |= {"flaws": list(flaws)}
        else:
            data |= {}
        if reread:
            data |= {"reread": True}
        else:
            data |= {}
        if by_id:
            data |= {"by_id": True}
        else:
            data |= {}
        before = case.attempt
        marked, _ = self._marked(data, case.intent)
        after = advance(before, Event("found", attempt=case.intent.attempt, data=marked))
        apart = any(
            not other.closed for other in case.others
        )  # another attempt has its money, or may
        if before and _same_evidence(before, after) and not (apart and _is_refund(before, after)):
            return
        case.others = self._others(case.intent)  # the same page may have brought another one
        await self._write(case, "found", data, 0)

    async def absent(self, case: Case, boot_s: float, *, closes: bool) -> None:
        """A complete look-up after the doubt period did not show it."""
        data = {"boot_id": self._clock.boot_id, "boot_s": boot_s, "closes": closes}
        await self._write(case, "absent", data, case.attempt.sends if case.attempt else 0)

    async def adopt(
        self,
        charge: ChargeSeen,
        number: int,
        asked: Intent | None = None,
        word: Mapping[str, str] | None = None,
    ) -> Case:
        """A charge of this job that this journal did not make, or no longer knows it made (law
        L11).

        `asked`: what the order asks for, where its row is at hand and the charge itself does not
        name it. `word`: of a person who says that it is this order's, with `by` and `reason`.
        """
        metadata = charge.metadata
        order_id = metadata.get("order_id", "")
        sheet, row = row_told(metadata.get("batchpay_row", ""))
        sale = sale_told(metadata)
        intent = asked or Intent(
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
            fee_fixed=self._fee.fixed_in(charge.currency) if self._fee else None,
            fee_percentage=self._fee.percentage if self._fee else None,
            corrects=sale[0] if sale else "",
            sale=sale,
            ids_from=metadata.get("batchpay_ids", ""),
        )
        case = Case(intent, others=self._others(intent))
        flaws = [
            *flaws_of(charge, intent, self._live),
            *(() if charge.destination else ("no destination",)),
        ]
        flaws += ("a report of before the loss of a journal calls it unproven",) * (
            charge.id in self._unproven()
        )
        data: dict[str, Any] = {"intent": _kept(intent), "charge": charge.to_json(), "flaws": flaws}
        if word is not None:
            data |= {"word": dict(word)}
        else:
            data |= {}
        if not all(other.closed for other in case.others):
            data["beside"] = True  # another attempt of the order is not over
        await self._write(case, "adopted", data, 0)
        self.adopted += 1
        await self._stop_for_doubles([intent.order_id])
        return case

    def _unproven(self) -> frozenset[str]:
        """Charges that reports of before a loss call unproven (wholeness)."""
        if self._called_unproven is None:
            told = (event.data.get("unproven", ()) for event in self._journal.events(["restored"]))
            self._called_unproven = frozenset(str(one) for ids in told for one in ids)
        return self._called_unproven

    async def withdraw(self, attempt: Attempt) -> None:
        """An attempt that was never charged gives way to the next one of its order. Raises
        errors.Taken.
        """
        case = self._undecided.get(attempt.intent.key) or Case(attempt.intent, attempt)
        if case.attempt is None or not case.attempt.ready:
            raise Taken(f"order {attempt.intent.order_id} is not held by now")
        await self._write(case, "withdrawn", {}, 0)

    async def missing(self, case: Case) -> None:
        """The gateway answered that it knows no charge of this id (J27); written once."""
        if case.attempt is not None and not case.attempt.missing_ns:
            await self._write(case, "missing", {}, 0)

    async def unclear(self, case: Case, charge: ChargeSeen) -> None:
        """A list shows a charge without a key that may be this attempt's; written once for each."""
        if case.attempt is not None and case.attempt.may_be != charge.id:
            await self._write(case, "unclear", {"charge_id": charge.id}, 0)

    async def unreadable(self, charge_id: str, why: str) -> None:
        """The same where any order may be meant: nothing is sent before a person has told; written
        once a reason.
        """
        if unreadable_in(self._journal.events(UNREADABLE)) != why:
            await self.note("unreadable", {"charge_id": charge_id, "reason": why})

    async def untold(self, case: Case, charge_id: str) -> None:
        """Asked for this charge of an earlier attempt by its id, the gateway did not show it;
        written once.
        """
        if case.attempt is not None and not case.attempt.untold:
            await self._write(case, "untold", {"charge_id": charge_id}, 0)

    async def untold_account(self, case: Case) -> None:
        """It was sent before anybody told whose account the key was of, and the account that is
        told now shows nothing of that time: that proves nothing; written once.
        """
        if case.attempt is not None and not case.attempt.untold:
            account = str(self.account().get("account", ""))
            await self._write(case, "untold", {"charge_id": account, "account": True}, 0)

    async def elsewhere(self, charges: Iterable[ChargeSeen]) -> None:
        """Charges that other jobs of this account made, kept for as long as their orders may come
        here (J06).

        One that asks what an attempt of this job took, or may have taken, is a stop: nobody can
        take it back any more.
        """
        others = {charge.id: charge for charge in charges if self._is_anothers(charge)}
        if not others:
            return
        pairs = [
            (charge, order_id)
            for charge in others.values()
            for order_id in orders_of(charge, self._journal)
        ]
        for (
            charge,
            order_id,
        ) in pairs:  # before anything is awaited: no worker may begin with its order from now on
            self._elsewhere.setdefault(order_id, {})[charge.id] = charge
        orders, told = (
            list(dict.fromkeys(order_id for _, order_id in pairs)),
            dict[tuple[str, str], bool](),
        )
        for order_id, events in self._journal.histories(orders).items():
            kept = (event.data for event in events if event.kind == "elsewhere")
            told |= {(order_id, one["charge_id"]): one["takes_money"] for one in kept}
        news = [
            self._event("elsewhere", told_of(charge), order_id=order_id)
            for charge, order_id in pairs
            if told.get((order_id, charge.id), False) != charge.takes_money
        ]
        if news:
            await self._journal.write(news)
        await self._stop_for_doubles(orders)

    def charged_elsewhere(self, intent: Intent) -> ChargeSeen | None:
        """Another job's charge, seen in this run, of what this attempt is about to ask for."""
        ids = (intent.order_id, *filter(None, map(order_in, intent.sale)))
        seen = (charge for order_id in ids for charge in self._elsewhere.get(order_id, {}).values())
        return next(
            (charge for charge in seen if charge.takes_money and is_one_sale(charge, intent)), None
        )

    def _is_anothers(self, charge: ChargeSeen) -> bool:
        job = charge.metadata.get("batchpay_job", "")
        named = bool(charge.metadata.get("order_id") and job) and job != self._job
        return named and self._place(charge) is None

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
        data: dict[str, Any] = {"as": as_, "reason": reason, "by": by}
        if charge:
            data |= {"charge": charge.to_json()}
        else:
            data |= {}
        if flaws:
            data |= {"flaws": list(flaws)}
        else:
            data |= {}
        await self._write(case, "resolved", data, 0)

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
        await self._journal.write(
            [self._event("stop", {"reason": reason, "order": "", "charge": charge_id})]
        )

    async def note(self, kind: str, data: Mapping[str, Any], batch_id: str = "") -> None:
        """An event about the run or a batch, not about one order."""
        await self._journal.write([self._event(kind, data, batch_id=batch_id)])

    async def _write(self, case: Case, kind: str, data: dict[str, Any], send: int) -> None:
        async with case.writing:
            intent = case.intent
            data, anothers = self._marked(data, intent)
            event = self._event(
                kind,
                data,
                batch_id=intent.batch_id,
                sheet=intent.sheet,
                row=intent.row,
                order_id=intent.order_id,
                attempt=intent.attempt,
                send=send,
            )
            before = case.attempt
            if kind == "intent" and before is not None and not before.ready:
                raise Taken(f"order {intent.order_id} is {before.outcome.value} by now")
            after = advance(before, event)
            data["state"] = after.state  # nobody else has seen this event yet
            events = [event]
            reason = _why_stop(case, before, after, by_hand=kind == "resolved")
            if before is not None and anothers in before.flaws:
                anothers = ""  # that was told, and a stop then
            if reason := anothers or reason:
                events.append(self._stop_event(reason, case))
            if (
                self.trust_429
                and before is not None
                and before.throttled
                and before.ready
                and after.charge is not None
            ):
                self.trust_429 = False
                events.append(
                    self._event(
                        "throttle.distrusted", {"order": intent.order_id, "charge": after.charge.id}
                    )
                )
            await self._journal.write(events)
            case.attempt = after
            if after.outcome not in (Outcome.HELD, Outcome.IN_DOUBT):
                self._undecided.pop(intent.key, None)
            self._refused.pop(intent.key, None)
            if after.outcome is Outcome.REFUSED:
                self._refused[intent.key] = after

    def remember(self, since_ns: int) -> None:
        """Charges that this journal has had proof of since then, or else the last one before: lists
        must show them. And what was refused since then, with a margin: lists may show that it was
        charged all the same.
        """
        for events in self._journal.histories(
            self._journal.refused_since(since_ns - REFUSED_BEFORE_NS)
        ).values():
            for attempt in fold(events):
                if attempt.refused and not attempt.by_hand:
                    self._refused.setdefault(attempt.intent.key, attempt)
        known = self._journal.charges_known(since_ns)
        if not known:
            earlier = self._journal.charges_known(since_ns - LONGEST_SILENCE_NS)
            youngest = max(earlier, key=lambda charge_id: earlier[charge_id], default="")
            if youngest:
                known = {youngest: earlier[youngest]}
            else:
                known = {}
        for charge_id, created_at in known.items():
            if charge_id not in self._lifted:
                self.known.setdefault(charge_id, (created_at, float("-inf")))

    def _prove(self, charge: ChargeSeen) -> None:
        if charge.id not in self._lifted:
            self.known.setdefault(charge.id, (charge.created_at, self._clock.elapsed_s()))

    def _marked(self, data: Mapping[str, Any], intent: Intent) -> tuple[dict[str, Any], str]:
        """What an event is to keep, marked when its charge is another order's; and that in words,
        or "".
        """
        anothers = self._anothers_charge(data, intent)
        if not anothers:
            return dict(data), ""
        theirs = self._carries_their_key(str(data["charge"]["id"]))
        return {
            **data,
            "flaws": [*data.get("flaws", ()), anothers],
            "anothers": True,
            "theirs": theirs,
        }, anothers

    def _carries_their_key(self, charge_id: str) -> bool:
        """Did the first order that a charge was told for see it with its own key? Two answers may
        have been exchanged: then each order was told the other's charge, and that its own carries
        its key is what counts.
        """
        first = self._journal.order_of_charge(charge_id)
        if first is None or first[0] != self._job:
            return first is not None
        attempts = fold(self._journal.histories([first[1]]).get(first[1], []))
        return any(
            charge_id in attempt.twins for attempt in attempts if attempt.intent.attempt == first[2]
        )

    def is_anothers(self, charge_id: str, intent: Intent) -> bool:
        """Does this journal know it as the charge of another order, attempt or job?"""
        known = self._journal.order_of_charge(charge_id)
        return known is not None and known != (self._job, intent.order_id, intent.attempt)

    def _anothers_charge(self, data: Mapping[str, Any], intent: Intent) -> str:
        """Is the charge that is told of one of another order or attempt? A charge belongs to one
        (J11).
        """
        charge, mine = data.get("charge"), (intent.order_id, intent.attempt)
        if not isinstance(charge, Mapping) or not charge.get("id"):
            return ""
        charge_id = str(charge["id"])
        if charge_id not in self._orders:
            earlier = self._journal.order_of_charge(charge_id)
            if earlier is not None and earlier[0] != self._job:
                return (
                    f"{charge_id} was answered for order {mine[0]}; it is order {earlier[1]}'s of"
                    f" job {earlier[0]}"
                )
            if earlier:
                self._orders[charge_id] = (earlier[1], earlier[2])
            else:
                self._orders[charge_id] = mine
        first = self._orders[charge_id]
        if first == mine:
            self._prove(ChargeSeen.from_json(charge))
            return ""
        return (
            f"{charge_id} was answered for order {mine[0]}; it is order {first[0]}'s (attempt"
            f" {first[1]})"
        )

    def _stop_event(self, reason: str, case: Case | None) -> Event:
        self.stopped = self.stopped or reason
        if case:
            order_id = case.intent.order_id
        else:
            order_id = ""
        return self._event("stop", {"reason": reason, "order": order_id})

    def _event(self, kind: str, data: Mapping[str, Any], **where: Any) -> Event:
        return Event(kind=kind, at_ns=self._clock.now_ns(), run_id=self._run_id, data=data, **where)

    def hold(self, case: Case) -> None:
        """This is the one Case of its attempt: whoever finds evidence of it writes here."""
        self._undecided[case.intent.key] = case

    # --- reading

    def account(self) -> dict[str, Any]:
        """The account, mode and address that this journal belongs to; empty when no run wrote them
        down yet.
        """
        return whose_journal(self._journal.accounts())

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
        told = (event.at_ns for event in self._journal.accounts() if event.data.get("account"))
        return min(told, default=0)

    def youngest_before(self, at_ns: int) -> str:
        """The youngest charge of which this journal had proof before then; empty: of none."""
        every, since = self._journal.charges_known(0), self._journal.charges_known(at_ns)
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
                        others = tuple(other for other in attempts if other is not attempt)
                        cases.append(Case(attempt.intent, attempt, others, present=False))
        return cases

    def is_anything_open(self) -> bool:
        """Is there an order of an earlier run that the gateway must be asked about?"""
        return bool(self._journal.open_orders() or self.doubled_cases())

    def doubled_cases(self) -> list[Case]:
        """Every order that was charged twice, until the further charge is given back or a person
        took note of it.
        """
        told = dict.fromkeys(
            str(event.data.get("order", "")) for event in self._journal.events(["stop"])
        )
        cases = []
        for events in self._journal.histories([order_id for order_id in told if order_id]).values():
            attempts = fold(events)
            apart = paid_apart(attempts)
            if any(attempt.accepted for attempt in apart):
                apart = ()
            for attempt in attempts:
                if attempt.doubled or attempt in apart:
                    others = tuple(other for other in attempts if other is not attempt)
                    cases.append(Case(attempt.intent, attempt, others, present=False))
        return cases

    def match(self, charges: Sequence[ChargeSeen]) -> list[tuple[ChargeSeen, Case | int | None]]:
        """Charges of this job with what the journal knows of them.

        A Case: an attempt of the journal, the very one that a worker holds if one does, so that
        evidence reaches it. A number: an attempt that only the gateway knows. None: a key that this
        job would never make.
        """
        self.trace(charges)
        ours = [(charge, place) for charge in charges if (place := self._place(charge)) is not None]
        histories = self._journal.histories([order_id for _, (order_id, _) in ours])
        matched: list[tuple[ChargeSeen, Case | int | None]] = []
        cases: dict[str, Case] = {}
        for charge, (order_id, number) in ours:
            key = key_in(charge) or ""
            attempts = fold(histories.get(order_id, []))
            known = next((a for a in attempts if a.intent.key == key), None)
            if key in self._undecided and self._undecided[key].attempt:
                matched.append((charge, self._undecided[key]))
            elif known:
                case = cases.setdefault(key, Case(known.intent, known, present=False))
                matched.append((charge, case))
            else:
                matched.append((charge, self._proven_by(charge.id) if number is None else number))
        return matched

    def is_unclear(self, charge: ChargeSeen) -> bool:
        """Can nobody tell whose charge this is? Then it may be any order's that it fits."""
        if charge.id in self.disowned or explains_itself(charge.metadata):
            return False
        place = self._place(charge)
        return (place is None or place[1] is None) and self._proven_by(charge.id) is None

    def trace(self, charges: Iterable[ChargeSeen]) -> None:
        """Look for the attempts of keys that say no more: one walk through all that began, for all
        of them together.
        """
        keys = {
            key
            for charge in charges
            if has_key(charge)
            and (key := key_in(charge) or "") not in self._traced
            and not explains_itself(charge.metadata)
        }
        if keys:
            made = ((key_of(self._job, *begun), begun) for begun in self._journal.begun())
            self._traced |= dict.fromkeys(keys) | {key: begun for key, begun in made if key in keys}

    # --- charges that nothing tells whose they are

    def strays_of(self, order_id: str) -> list[tuple[int, ChargeSeen]]:
        """Attempt and charge: what carries a key of this order, named no order, and no event tells
        of as one's own.
        """
        strays = self._unclaimed.strays
        keys = (
            (number, key_of(self._job, order_id, number))
            for number in range(1, MAX_ATTEMPTS + 1)
            if strays
        )
        return [
            (number, charge)
            for number, key in keys
            for charge in strays.get(key, {}).values()
            if self._journal.order_of_charge(charge.id) is None
        ]

    async def keep_strays(self) -> None:
        """Those that lists showed just now, once each: their orders may come in a file of a later
        run.
        """
        fresh, self._fresh = self._fresh, {}
        news = [
            self._event("stray", {"key": key, "charge": one.to_json()})
            for key, one in fresh.values()
        ]
        if news:
            await self._journal.write(news)

    async def keep_nameless(self, charges: Iterable[ChargeSeen]) -> None:
        """The same of charges with no key, or none that tells: any order of their terms may be
        theirs.
        """
        kept = self._unclaimed
        wanted = (nameless_of(one) for one in charges if one.destination and one.takes_money)
        news = {
            one.charge_id: one
            for one in wanted
            if one.charge_id not in self.disowned and not kept.has(one)
        }
        for one in news.values():
            kept.add_nameless(one)
        some = list(news.values())
        for start in range(0, len(some), 500):
            await self.note("nameless", told_of_nameless(some[start : start + 500]))

    def may_be_charged(self, intent: Intent) -> Nameless | None:
        """A charge that names nobody, and that may be what is about to be asked for."""
        terms = (intent.destination, intent.amount, intent.currency)
        found = fits(self._unclaimed.nameless, terms, intent.order_id, intent.payer, self._job)
        return next(
            (one for one in found if self._journal.order_of_charge(one.charge_id) is None), None
        )

    def said_uncharged(self) -> list[Attempt]:
        """Attempts that were sent since the last complete list, and that the gateway said it had
        not charged.
        """
        ready = (case.attempt for case in self._undecided.values() if case.attempt is not None)
        return [*self._refused.values(), *(one for one in ready if one.ready and one.sends)]

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
        if known is None and key in self._refused:
            known = self._refused[key].intent.order_id, self._refused[key].intent.attempt
        if known is None:
            if charge.id not in self._unclaimed.strays.get(key, {}):
                self._fresh[charge.id] = key, charge
            self._unclaimed.add_stray(key, charge)
        return known or place

    def _known_by_id(self, charge_id: str, key: str) -> tuple[str, int] | None:
        known = self._journal.order_of_charge(charge_id)
        mine = known is not None and known[0] == self._job and key_of(*known) == key
        if known is not None and mine:
            return (known[1], known[2])
        return None

    def _proven_by(self, charge_id: str) -> Case | None:
        """The attempt of which the journal has kept this very charge as its own."""
        case = self.case_of(charge_id)
        if case is not None:
            attempt = case.attempt
        else:
            attempt = None
        own = attempt is not None and attempt.charge is not None and attempt.charge.id == charge_id
        return case if own else None

    def case_of(self, charge_id: str) -> Case | None:
        """The attempt whose charge this is, the very one that a worker holds if one does."""
        known = self._journal.order_of_charge(charge_id)
        if known is None or known[0] != self._job:
            return None
        attempts = fold(self._journal.histories([known[1]]).get(known[1], []))
        attempt = next((a for a in attempts if a.intent.attempt == known[2]), None)
        if attempt is None:
            return None
        others = tuple(other for other in attempts if other is not attempt)
        return self._undecided.get(attempt.intent.key) or Case(
            attempt.intent, attempt, others, present=False
        )

    def _others(self, intent: Intent) -> tuple[Attempt, ...]:
        attempts = fold(self._journal.histories([intent.order_id]).get(intent.order_id, []))
        return tuple(other for other in attempts if other.intent.attempt != intent.attempt)


UNREADABLE = ("unreadable", "disowned", "listing")


def unreadable_in(events: Iterable[Event]) -> str:
    """Why nothing is sent beside a charge that may be any order's, by events of the kinds
    UNREADABLE; empty: it is.
    """
    told: Event | None = None
    for event in events:
        if event.kind == "unreadable":
            told = event
        elif told is not None and (
            event.kind == "listing" or event.data["charge_id"] == told.data["charge_id"]
        ):
            told = None
    if told is not None:
        return str(told.data["reason"])
    return ""


def whose_journal(events: Iterable[Event]) -> dict[str, Any]:
    """Whose a journal is, by its `account` events: the last word, and the last account that was
    told at all.
    """
    kept: dict[str, Any] = {}
    for event in events:
        kept = {**event.data, "account": event.data.get("account") or kept.get("account", "")}
    return kept


def stop_in_force(events: Iterable[Event]) -> str:
    """The reasons of all stops that no person has lifted, as one text; empty when there is none."""
    return next(iter(deque(stops_told(events), maxlen=1)), "")


def stops_told(events: Iterable[Event]) -> Iterator[str]:
    """What is told of the stops in force after each event of a stop or of its end."""
    reasons: dict[str, None] = {}
    for event in events:
        if event.kind == "stop":
            reasons[str(event.data.get("reason", ""))] = None
        else:
            reasons = {}
        yield AND_ALSO.join(reasons)


AND_ALSO = "; and also: "  # between the reasons of several stops


def _kept(intent: Intent) -> dict[str, Any]:
    return {name: getattr(intent, name) for name in _KEPT_FIELDS}


def _known_already(attempt: Attempt, charge: ChargeSeen) -> bool:
    """Is this to the letter the one charge that proved the attempt? The usual case, told without
    folding anything.
    """
    plain = not (
        attempt.flaws or attempt.unclear or attempt.refused or attempt.missing_ns or attempt.untold
    )
    return plain and attempt.charge == charge and attempt.twins == {charge.id}


def _is_refund(before: Attempt, after: Attempt) -> bool:
    """Was something given back since? Where an order was charged twice that may end it; else an
    audit tells it.
    """
    charges = (before.charge, after.charge)
    return all(charges) and len({charge.refunded for charge in charges if charge}) > 1


def _same_evidence(before: Attempt, after: Attempt) -> bool:
    """Does a look-up say what was known already?"""
    return _evidence(before) == _evidence(after)


def _evidence(attempt: Attempt) -> tuple[object, ...]:
    charge = attempt.charge
    terms = charge and (
        charge.id,
        charge.status,
        charge.chain,
        charge.amount,
        charge.currency,
        charge.destination,
        charge.livemode,
    )
    others = [
        (one.charge.id, one.charge.status, one.charge.refunded, one.flaws) for one in attempt.others
    ]
    given_back = (
        charge.refunded if charge is not None and others else None
    )  # of a lone charge an audit tells it
    told = (
        attempt.outcome,
        attempt.twins,
        attempt.flaws,
        attempt.reread,
        attempt.missing_ns,
        attempt.untold,
    )
    return *told, attempt.odd, terms, others, given_back


def _took_money(attempt: Attempt) -> set[str]:
    """Ids of its charges that took money."""
    if attempt.charge and attempt.charge.id in attempt.twins:
        mine = [attempt.charge]
    else:
        mine = []
    return {
        charge.id
        for charge in (*mine, *(one.charge for one in attempt.others))
        if charge.took_money
    }


def _told_of(events: Iterable[Event]) -> tuple[set[str], set[str]]:
    """Charges that stops are about, and those of them that stood before a person lifted what was in
    force.
    """
    told: set[str] = set()
    lifted: set[str] = set()
    for event in events:
        if event.kind == "lifted":
            lifted |= told
        elif charge_id := event.data.get("charge"):
            told.add(str(charge_id))
    return told, lifted


def _but_refunds(charge: ChargeSeen | None) -> ChargeSeen | None:
    """The same; that it was given back, in part or whole, is no news of what it took."""
    return charge and replace(charge, refunded=None)


def _why_stop(case: Case, before: Attempt | None, after: Attempt, *, by_hand: bool) -> str:
    """Does this evidence break a promise, or contradict what was proven (law L10)? A person may
    contradict.
    """
    order = f"order {after.intent.order_id}"
    if before:
        was = before.outcome
    else:
        was = None
    is_new = was is not Outcome.UNPROVEN or (before is not None and bool(before.accepted))
    if after.outcome is Outcome.UNPROVEN and is_new and not after.accepted:
        if after.charge:
            charge = after.charge.id
        else:
            charge = "a charge"
        return f"{order}: {charge} is not proven to be what was asked: {after.why_unproven}"
    if len(after.twins) > 1 and (before is None or after.twins != before.twins):
        return f"{order}: two charges carry one key: {', '.join(sorted(after.twins))}"
    if len(both := _took_money(after)) > 1 and (before is None or both != _took_money(before)):
        return f"{order}: two charges of one key took money: {', '.join(sorted(both))}"
    as_a_person_said = before is not None and before.denied and after.closed
    if was is not None and not by_hand and not as_a_person_said and impossible(was, after.outcome):
        return f"{order}: was {was.value}, is now {after.outcome.value}"
    if after.odd and (before is None or after.odd != before.odd):
        if after.charge:
            charge = after.charge.id
        else:
            charge = "its charge"
        return f"{order}: {charge} succeeded, and the gateway now says of it: {after.odd}"
    charges = money_charges((*case.others, after))
    if len(charges) > 1 and (
        before is None or _but_refunds(after.charge) != _but_refunds(before.charge)
    ):
        return f"{order}: two attempts took money: {', '.join(charges)}"
    return ""
