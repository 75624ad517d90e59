"""LIFE OF A CHARGE: the proof table and the state table; history goes in, state and verdicts come
out.

Nothing here knows a clock, a disk or a network. It decides:

- `verdict`: what one answer proves about one request (fault-matrix, section 3);
- `fold`: what the events of one attempt add up to;
- `DoubtRules`: when the absence of a charge is proven (law L5).

What a row of a file means, given the attempts its order already had, is decided in `standing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from operator import attrgetter
from typing import Any

from batchpay.domain.events import (
    Absent,
    Adopted,
    Answered,
    Evidence,
    Found,
    Intended,
    Missing,
    Resolved,
    Told,
    TransferSeen,
    Unclear,
    Untold,
    Voided,
    Withdrawn,
    kinds,
    of,
)
from batchpay.domain.model import (
    MONEY_MOVED,
    NO_MONEY,
    Answer,
    ChargeSeen,
    ChargeWithoutId,
    Event,
    Intent,
    Outcome,
)
from batchpay.domain.money import EXPONENTS, major_text
from batchpay.domain.times import is_instant

# --- the proof table


class Proof(StrEnum):
    """What one answer proves about the request it answers."""

    NOT_SENT = "not_sent"  # no byte left this machine
    CHARGE = "charge"  # a charge exists and is the one that was asked for
    UNPROVEN = "unproven"  # a charge exists and is not what was asked for: a person, stop
    REFUSED = "refused"  # nothing was charged and the gateway says why
    THROTTLED = "throttled"  # nothing was charged: too many requests
    KEY_REFUSED = "key_refused"  # nothing was charged: the secret key is wrong for everybody
    NOT_HERE = "not_here"  # nothing was charged: this is not where charges are made
    KEY_REUSED = "key_reused"  # our key discipline is broken: stop
    IN_DOUBT = "in_doubt"  # everything else


NOT_CHARGED = frozenset({Proof.NOT_SENT, Proof.THROTTLED, Proof.KEY_REFUSED, Proof.NOT_HERE})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A proof with what it rests on."""

    proof: Proof
    charge: ChargeSeen | None = (
        None  # that it proves; with IN_DOUBT one that it speaks of and does not prove
    )
    flaws: tuple[str, ...] = ()  # how the charge differs from what was asked
    code: str = ""
    message: str = ""
    spent: bool = False  # the token is used up after a doubt: look up for ever, never send again


_NAMES_AN_ID = re.compile(
    r"\b(?:recp|cust|card|tokn|src)_[\w*]+|\b(?:customer|card|token|source|recipient) \S+ was not"
)
_UNCLEAR_4XX = frozenset({408, 409, 425, 499})
_NOT_CHARGED_4XX = frozenset({404, 405, 410, 413, 414, 431})


def verdict(
    answer: Answer[ChargeSeen | ChargeWithoutId],
    intent: Intent,
    *,
    live: bool,
    doubted: bool,
    trust_429: bool = True,
) -> Verdict:
    """What an answer to `POST /charges` proves. `doubted`: was any earlier send of this order ever
    in doubt?

    `trust_429`: False for a gateway that was once seen to charge behind a 429.

    One row of the proof table (fault-matrix, section 3) per branch; what no branch names is in
    doubt.
    """
    status = answer.status
    code = answer.code
    message = answer.message
    if not answer.out:
        return Verdict(Proof.NOT_SENT, message=answer.trouble)
    if status is None:
        return Verdict(Proof.IN_DOUBT, message=answer.trouble)
    if 200 <= status <= 299:
        return _success(answer, intent, live)
    if answer.said is not None:  # whatever the status says, somebody charged: look at its id
        told = f"status {status} with a charge"
        return Verdict(
            Proof.IN_DOUBT,
            charge=_with_id(answer.said),
            code=code,
            message=told,
        )
    if status == 429 and trust_429:
        return Verdict(Proof.THROTTLED, code=code, message=message)
    if status == 429:
        return Verdict(Proof.IN_DOUBT, code=code, message=message)
    if status in (401, 403):
        return Verdict(Proof.KEY_REFUSED, code=code or str(status), message=message)
    if not 400 <= status <= 499:
        return Verdict(Proof.IN_DOUBT, code=code, message=message or f"status {status}")
    if status in (409, 422) and _speaks_of_reused_key(code, message):
        return Verdict(Proof.KEY_REUSED, code=code, message=message)
    if status in _UNCLEAR_4XX or code == "backend_error":
        return Verdict(Proof.IN_DOUBT, code=code, message=message or f"status {status}")
    if (
        not code
        or status in (405, 410)
        or (status == 404 and not _is_about_the_order(code, message))
    ):
        if status in _NOT_CHARGED_4XX:
            proof = Proof.NOT_HERE
        else:
            proof = Proof.IN_DOUBT
        return Verdict(
            proof,
            code=code,
            message=message or f"status {status} without the gateway's error object",
        )
    if code == "used_token" and doubted:
        return Verdict(
            Proof.IN_DOUBT,
            code=code,
            message=message,
            spent=True,
        )
    return Verdict(Proof.REFUSED, code=code, message=message)


def _success(answer: Answer[ChargeSeen | ChargeWithoutId], intent: Intent, live: bool) -> Verdict:
    match answer.said:
        case None:
            told = answer.message or "a success status without a charge object"
            return Verdict(Proof.IN_DOUBT, code=answer.code, message=told)
        case ChargeWithoutId(flaws):
            return Verdict(Proof.UNPROVEN, flaws=flaws)
        case charge:
            flaws = flaws_of(charge, intent, live)
            return Verdict(Proof.UNPROVEN if flaws else Proof.CHARGE, charge=charge, flaws=flaws)


def _with_id(charge: ChargeSeen | ChargeWithoutId) -> ChargeSeen | None:
    if isinstance(charge, ChargeSeen):
        return charge
    return None


def _is_about_the_order(code: str, message: str) -> bool:
    return (
        code not in ("not_found", "service_not_found") or _NAMES_AN_ID.search(message) is not None
    )


def _speaks_of_reused_key(code: str, message: str) -> bool:
    text = f"{code} {message}".lower()
    return "idempot" in text and any(
        word in text for word in ("reuse", "different", "mismatch", "other param")
    )


def is_unknown(answer: Answer[Any]) -> bool:
    """Does it say that there is no charge of the id that was asked for? By the gateway's own code:
    a 404 of something in between says nothing (omise-api.md, 1.6).
    """
    return answer.status == 404 and answer.code == "not_found"


# --- a charge as the gateway shows it

CHARGE_ID = re.compile(r"chrg_(?!test_\Z)(?:test_)?[0-9A-Za-z_]{1,64}")


def can_be_asked_for(charge_id: str) -> bool:
    """Is it the id of a charge, by which the gateway can be asked for it?

    Any other text may stand in an answer for a charge that has an id of its own: it is evidence, so
    its charge is unproven, but it never makes a charge another one than one that is known.
    """
    return CHARGE_ID.fullmatch(charge_id) is not None


_KNOWN_STATUS = {
    "successful": Outcome.SUCCEEDED,
    "pending": Outcome.PENDING,
    "failed": Outcome.DECLINED,
    "expired": Outcome.EXPIRED,
    "reversed": Outcome.REVERSED,
}


def flaws_of(charge: ChargeSeen, intent: Intent, live: bool) -> tuple[str, ...]:
    """How a charge differs from what was asked (law L7); the chain is judged apart (`outcome`)."""
    prefix_fits = (
        CHARGE_ID.fullmatch(charge.id) is not None
        and charge.id.startswith("chrg_test_") is not live
    )
    mode = "a test charge"
    its_mode = charge.id
    if live:
        mode = "a live charge"
    if prefix_fits:
        its_mode = "as asked"
    pairs = (
        ("id", mode, its_mode, prefix_fits),
        ("livemode", live, charge.livemode, charge.livemode is live),
        (
            "amount",
            _money(intent.amount, intent.currency),
            _money(charge.amount, charge.currency),
            charge.amount == intent.amount,
        ),
        ("currency", intent.currency, charge.currency, charge.currency == intent.currency),
        (
            "destination",
            intent.destination,
            charge.destination,
            charge.destination == intent.destination,
        ),
        ("metadata[batchpay_key]", intent.key, key_in(charge), key_in(charge) == intent.key),
        (
            "paid",
            "true for a successful charge",
            charge.paid,
            charge.status != "successful" or charge.paid,
        ),
    )
    flaws = [f"{name}: asked {asked}, got {got}" for name, asked, got, fits in pairs if not fits]
    if charge.unread:
        flaws.insert(0, charge.unread)
    return (*flaws, *fee_flaws_of(charge, intent))


def _money(minor: int, currency: str) -> str:
    """`408.00 THB`; of a charge that names no currency, the smallest units as they are."""
    code = currency.upper()
    return f"{major_text(minor, code)} {code}".rstrip()


def fee_flaws_of(charge: ChargeSeen, intent: Intent) -> tuple[str, ...]:
    """How the platform's commission differs from what was asked (law L7, fault-matrix J15).

    Fixed part and percentage as asked; the amount within the rounding of both. A charge that took
    no money may leave them out, but not say something else.
    """
    fixed = Decimal(intent.fee_fixed or 0)
    percentage = Decimal(intent.fee_percentage or 0)
    exact = fixed + intent.amount * percentage / 100
    pairs = (
        ("fixed", fixed, charge.platform_fee_fixed),
        ("percentage", percentage, _decimal(charge.platform_fee_percentage)),
        ("amount", exact, charge.platform_fee),
    )
    flaws = []
    for name, asked, got in pairs:
        if got is None:
            fits = asked == 0 or charge.status != "successful"
        else:
            fits = asked == got or (name == "amount" and abs(asked - got) < 1)
        if not fits:
            told = "none"
            if got is not None:
                told = _of_fee(name, Decimal(got), charge.currency)
            wanted = _of_fee(name, asked, intent.currency)
            flaws.append(f"platform_fee[{name}]: asked {wanted}, got {told}")
    return tuple(flaws)


def _of_fee(name: str, value: Decimal, currency: str) -> str:
    """A part of a commission as people read it: `10.5 %`, `5.00 THB`. `value`: per cent, or in the
    smallest unit, exact.
    """
    if name == "percentage":
        return f"{value:f} %"
    if value == value.to_integral_value():
        return _money(int(value), currency)
    exact = value.scaleb(-EXPONENTS.get(currency.upper(), 0))
    return f"{exact:f} {currency.upper()}"


def could_be(charge: ChargeSeen, intent: Intent, since: str) -> bool:
    """Could a charge of which nobody can tell whose it is be this attempt's, with what names it
    lost or unreadable?

    `since`: ISO 8601 UTC, when the attempt was first sent, with a margin. What cannot be read may
    be anything.
    """
    if is_instant(charge.created_at) and charge.created_at < since:
        return False
    named = charge.metadata.get("order_id", "").strip() or intent.order_id
    its_payer = bool(charge.payer) and charge.payer == intent.payer.partition(":")[0]
    terms = (
        (charge.amount, intent.amount, "amount" in charge.unread_fields),
        (charge.currency.lower(), intent.currency.lower(), "currency" in charge.unread_fields),
        (
            charge.destination,
            intent.destination,
            charge.destination is None and (its_payer or bool(charge.unread)),
        ),
    )
    return named == intent.order_id and all(got == asked or unread for got, asked, unread in terms)


def took_nothing(charge: ChargeSeen, intent: Intent, *, answered: bool) -> bool:
    """Is it certain that this very charge is the attempt's and took no money, whatever else of it
    is not as asked?

    It is the attempt's when it carries its key, or when it was `answered` to our own request and
    merely names nobody, with amount, currency and recipient as asked: then its id is the evidence,
    and before anybody asks again every charge of the order is read by its id and looked for by its
    key.
    """
    test = charge.id.startswith("chrg_test_")
    in_mode = CHARGE_ID.fullmatch(charge.id) is not None and test is not charge.livemode
    if intent.mode:
        in_mode = in_mode and charge.livemode is (intent.mode == "live")
    ended = charge.ended_without_money and not charge.paid and _says_enough(charge)
    return (
        ended
        and in_mode
        and (key_in(charge) == intent.key or (answered and could_be(charge, intent, "")))
    )


def _says_enough(charge: ChargeSeen) -> bool:
    """Is all of it as documented, but for whom it names?"""
    return set(charge.unread_fields) <= {"metadata"}


def has_key(charge: ChargeSeen) -> bool:
    """Does it carry a well-formed batchpay_key, of whichever order and job?"""
    return _WELL_FORMED_KEY.fullmatch(key_in(charge) or "") is not None


_WELL_FORMED_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def outcome_of(charge: ChargeSeen) -> Outcome:
    """Outcome by `status` alone, never by flags (omise-api.md, 3.2); a status nobody knows is still
    pending.
    """
    return _KNOWN_STATUS.get(charge.status, Outcome.PENDING)


def key_in(charge: ChargeSeen) -> str | None:
    """The batchpay_key that it carries, whatever it looks like."""
    return charge.metadata.get("batchpay_key")


def _decimal(text: str | None) -> Decimal | None:
    """Exact; what is no number is told as minus one, which nobody asks for."""
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal(-1)
    if number.is_finite():
        return number
    return Decimal(-1)


@dataclass(frozen=True, slots=True)
class Shown:
    """One charge of an attempt as the gateway last showed it, with how it differs from what was
    asked.
    """

    charge: ChargeSeen
    flaws: tuple[str, ...] = ()

    @property
    def weight(self) -> tuple[int, bool]:
        """By what the one that is reported is chosen: it took money, or may, or took none; then
        that it is as asked.
        """
        return self.charge.took_money + self.charge.takes_money, not self.flaws


# --- what the events of an attempt add up to


# what a person may say that closes one
CANCELLED = "cancelled"
DENIED = "not-charged"


@dataclass(frozen=True, slots=True)
class Doubt:
    """The last send whose answer nobody knows, and the look-ups that did not find it."""

    boot_id: str
    boot_s: float  # CLOCK_BOOTTIME of its intent's commit
    # (boot id, CLOCK_BOOTTIME) of complete look-ups after the period
    absents: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a charge: the sum of its events."""

    intent: Intent
    adopted: bool  # found at the gateway, not made by this journal
    sends: int = 0
    never_left: int = 0  # of these, those of which not a byte left this machine
    sent_in: str = ""  # the run of its last send
    sent_ns: int = 0  # wall clock of the first send's intent
    settled_ns: int = 0  # wall clock of the evidence that decided it
    unclear: frozenset[int] = frozenset()  # sends without proof
    doubt: Doubt | None = None
    doubted: bool = False
    spent: bool = False
    # the gateway knows its key with another body: this one never goes again
    reused: bool = False
    charge: ChargeSeen | None = None
    flaws: tuple[str, ...] = ()
    reread: bool = False  # the charge was read again because its chain was missing
    code: str = ""  # why it was refused
    message: str = ""
    refused: bool = False
    odd: str = ""  # what the gateway said of its charge, once that was proven, and no outcome names
    # a charge that an answer spoke of without proving it: to be asked for by its id
    hinted: str = ""
    throttled: bool = False  # its last answer was a 429
    # proven not charged, and never to be sent: its order was planned anew (J13)
    withdrawn: bool = False
    accepted: str = ""  # who took note of an unproven charge, or of a second one, when, and why
    by_hand: str = ""  # who said what became of it, when, and why
    # by what word of a person it was closed, cancelled or not-charged, and why in that person's own
    closed_as: str = ""
    closed_why: str = ""
    # a person said, after a look-up, that it took no money; no answer takes that word back
    denied: bool = False
    may_be: str = ""  # id of a listed charge that carries no key and may be this attempt's
    # wall clock of the first time that the gateway no longer knew its charge; 0: it knows it
    missing_ns: int = 0
    # ids that were told for it, and of which the gateway, asked, knows no charge
    unknown: frozenset[str] = frozenset()
    twins: frozenset[str] = frozenset()  # every charge id ever seen for this key
    others: tuple[Shown, ...] = ()  # those of them that are not `charge`
    # `charge` is another order's, told for this one: no money of this order (J11)
    anothers: bool = False
    # ids of all charges of other orders that were ever told for this one
    strangers: frozenset[str] = frozenset()
    # id of its charge that the gateway, asked again, did not show: no next attempt until it does
    untold: str = ""
    # its recipient's share on the way; None: nobody asked, or the gateway does not tell
    transfer: TransferSeen | None = None

    @property
    def outcome(self) -> Outcome:
        """Where it stands now."""
        if self.charge is not None or self.flaws:
            return self._charged()
        if self.unclear:
            return Outcome.IN_DOUBT
        if self.refused:
            return Outcome.REFUSED
        return Outcome.HELD

    def _charged(self) -> Outcome:
        if self.flaws or self.charge is None:
            return Outcome.UNPROVEN
        outcome = outcome_of(self.charge)
        if outcome is Outcome.SUCCEEDED and self.charge.chain is None:
            if self.reread:
                return Outcome.UNPROVEN
            return Outcome.PENDING
        return outcome

    @property
    def cancelled(self) -> str | None:
        """Why a person said never to send its order; None: nobody did. A gateway that refuses with
        this very code says nothing of the kind.
        """
        if self.refused and self.closed_as == CANCELLED:
            return self.closed_why
        return None

    @property
    def placed(self) -> bool:
        """Is it known which row caused it? Charges of earlier versions did not tell theirs."""
        return self.intent.row > 0

    @property
    def wants_chain(self) -> bool:
        """Paid, but the split is not proven and has not been asked for a second time."""
        charge = self.charge
        return bool(charge and not self.flaws and not self.reread) and self._split_missing()

    def _split_missing(self) -> bool:
        return bool(
            self.charge
            and outcome_of(self.charge) is Outcome.SUCCEEDED
            and self.charge.chain is None
        )

    @property
    def why_unproven(self) -> str:
        """The flaws as one phrase."""
        if self.flaws:
            return "; ".join(self.flaws)
        return "no chain on a paid charge: nothing proves that the recipient gets the share"

    @property
    def closed(self) -> bool:
        """Proven that it took no money, so that another attempt may follow (law L3); a twin may
        have taken some.
        """
        return (self.set_aside or self.outcome in NO_MONEY) and not any(
            s.charge.takes_money for s in self.others
        )

    @property
    def stands(self) -> bool:
        """Did it take money, or may it yet? It is neither over nor free to be sent anew."""
        return not (self.closed or self.ready)

    @property
    def money(self) -> ChargeSeen | None:
        """The charge that took this order's money, if one did: what it says of amounts and fees is
        money.

        An unproven one whose status nobody can read is taken to have done so; one that waits or
        failed is not.
        """
        charge = self.charge
        if charge is None or self.anothers or self.outcome not in MONEY_MOVED:
            return None
        waits = charge.ended_without_money or (charge.status == "pending" and not charge.paid)
        if waits:
            return None
        return charge

    @property
    def further(self) -> tuple[ChargeSeen, ...]:
        """Every other charge of it that took money (B31): its row is about one charge, and no sum
        there has these.
        """
        return tuple(one.charge for one in self.others if one.charge.took_money)

    @property
    def doubled(self) -> bool:
        """Did two of its charges take money, of which neither was given back, and did no person
        take note of it?
        """
        own: tuple[ChargeSeen, ...] = ()
        if self.charge is not None and self.charge.took_money:
            own = (self.charge,)
        return (
            not self.accepted and sum(not charge.given_back for charge in (*own, *self.further)) > 1
        )

    def is_known_as_anothers(self, charge_id: str) -> bool:
        """Was it told, as what is wrong with this attempt, that this charge is another order's?"""
        is_shown = self.charge is not None and self.charge.id == charge_id
        return is_shown and bool(self.flaws) and charge_id in self.strangers

    @property
    def set_aside(self) -> bool:
        """Withdrawn, and nothing that was seen since says that it was charged after all."""
        return self.withdrawn and self.outcome is Outcome.HELD

    @property
    def ready(self) -> bool:
        """Proven that nothing was charged and nothing is on its way."""
        return self.outcome is Outcome.HELD and not self.withdrawn

    @property
    def resends(self) -> bool:
        """May the same key and body go (again) now? Not where the gateway knows the key with
        another body: it refuses this one every time, and the next attempt has another key.
        """
        return self.ready and not self.reused

    @property
    def may_go_again(self) -> bool:
        """Not charged, or not known to be: with its row present it may be sent again once that is
        proven.

        Never where a token was used up: that may have been by the very request that nobody
        answered; nor where its key was (`resends`).
        """
        in_vain = self.spent or self.reused
        return self.resends or (self.outcome is Outcome.IN_DOUBT and not in_vain)

    @property
    def unaccounted(self) -> bool:
        """Did it end without money, and does the gateway no longer know the charge that says so?
        Then a person must.
        """
        return self.outcome in NO_MONEY and bool(self.missing_ns) and not self.denied

    @property
    def vanished(self) -> bool:
        """Did its charge succeed, and does the gateway know no such charge any more? A person says
        what is so.
        """
        return self.outcome is Outcome.SUCCEEDED and bool(self.missing_ns) and not self.accepted

    @property
    def said_uncharged(self) -> bool:
        """Did it leave, and is it said, by an answer or by lists, that nothing was charged?

        Whatever said so (a refusal, a 429, a look-up), and whatever the attempt is now (to go
        again, withdrawn, over): a charge that names nobody may be its own after all, and beside
        that nothing more of its order is sent.
        """
        went = self.outcome is Outcome.HELD and self.sends > self.never_left
        return self.refused or went

    @property
    def state(self) -> str:
        """What the journal keeps of it beside each event: its outcome, or that it was withdrawn."""
        if self.set_aside:
            return Withdrawn.kind
        return self.outcome.value

    def owned_by(self, batch_id: str, sheet: str, row: int) -> bool:
        """Did this row cause the attempt? An adopted charge knows its batch by its digest; its row,
        if it told that.
        """
        if self.set_aside:
            return False  # as if it had never been
        if self.adopted:
            its_row = not self.placed or (self.intent.sheet, self.intent.row) == (sheet, row)
            return its_row and self.intent.batch_id[-12:] == batch_id[-12:]
        mine = (self.intent.batch_id, self.intent.sheet, self.intent.row)
        return mine == (batch_id, sheet, row)


def fold(events: Iterable[Event]) -> tuple[Attempt, ...]:
    """All attempts of one order, first to last, from its events in the journal's order."""
    attempts: dict[int, Attempt] = {}
    for event in events:
        if event.kind in _KINDS:
            before = attempts.get(event.attempt)
            attempts[event.attempt] = advance(before, event)
    return tuple(attempts[number] for number in sorted(attempts))


def advance(attempt: Attempt | None, event: Event, told: Told | None = None) -> Attempt:
    """One more event of an attempt; its first event brings the intent. `told`: what the event
    tells, where that is at hand.
    """
    if told is None:
        told = of(event)
    if attempt is None:
        attempt = _begun(event, told)
    return _STEPS[type(told)](attempt, event, told)


def _begun(event: Event, told: Told) -> Attempt:
    """Raises KeyError for an event by which no attempt begins."""
    if not isinstance(told, Intended | Adopted) or told.intent is None:
        raise KeyError(f"attempt {event.attempt} of order {event.order_id} never began")
    return Attempt(intent=told.intent, adopted=isinstance(told, Adopted))


def _intended(state: Attempt, event: Event, told: Intended) -> Attempt:
    return _but(
        state,
        sends=state.sends + 1,
        unclear=state.unclear | {event.send},
        doubt=Doubt(told.boot_id, told.boot_s),
        sent_ns=state.sent_ns or event.at_ns,
        sent_in=event.run_id,
    )


def _voided(state: Attempt, event: Event, _: Told) -> Attempt:
    return _but(
        state,
        unclear=state.unclear - {event.send},
        never_left=state.never_left + 1,
    )


def _answered(state: Attempt, event: Event, told: Answered) -> Attempt:
    proof = Proof(told.verdict)
    if proof in (Proof.CHARGE, Proof.UNPROVEN):
        return _evidence(state, event, told)
    if proof in NOT_CHARGED:
        return _but(
            state,
            unclear=state.unclear - {event.send},
            never_left=state.never_left + (proof is Proof.NOT_SENT),
            throttled=proof is Proof.THROTTLED,
            code=told.code,
            message=told.message,
        )
    if proof is Proof.REFUSED:
        return _but(
            state,
            unclear=state.unclear - {event.send},
            refused=True,
            settled_ns=event.at_ns,
            code=told.code,
            message=told.message,
        )
    doubt = state.doubt
    if doubt is not None and told.left_s is not None:  # later than the commit, so the safer start
        doubt = replace(doubt, boot_s=max(doubt.boot_s, float(told.left_s)))
    hinted = state.hinted
    if told.charge is not None and (can_be_asked_for(told.charge.id) or not hinted):
        hinted = told.charge.id
    return _but(
        state,
        doubt=doubt,
        doubted=True,
        hinted=hinted,
        spent=state.spent or told.spent,
        reused=state.reused or proof is Proof.KEY_REUSED,
        code=told.code,
        message=told.message,
    )


def _evidence(state: Attempt, event: Event, told: Evidence) -> Attempt:
    """A charge was seen, by an answer or by a look-up: it ends every doubt about this attempt."""
    found = told.charge
    known = state.charge
    by_id = isinstance(told, Found) and told.by_id
    reread = isinstance(told, Found) and told.reread
    flaws = _flaws_that_count(state, told)
    if found and not flaws and (odd := _oddity(state, found, by_id=by_id)):
        return _but(state, odd=odd, settled_ns=event.at_ns)
    carries_its_key = found is not None and key_in(found) == state.intent.key
    seen_now = _seen_now(state, event, by_id=by_id)
    mine = not told.anothers and (carries_its_key or _is_by_hand(told))
    if found is not None and mine and can_be_asked_for(found.id):
        seen_now["twins"] = state.twins | {found.id}
    if found is not None and found.id in state.unknown:
        seen_now["unknown"] = state.unknown - {found.id}
    if found is not None and told.anothers:
        seen_now["strangers"] = state.strangers | {found.id}
    verdict_now = {
        "flaws": flaws,
        "anothers": told.anothers and (not carries_its_key or bool(told.theirs)),
        "reread": state.reread or reread,
    }
    if found is None or known is None:
        return _but(state, **seen_now, **verdict_now, charge=found or known)
    if found.id != known.id:
        if mine and known.id in state.unknown:  # that id was a false one
            seen_now["twins"] = (state.twins | {found.id}) - {known.id}
            seen_now["missing_ns"] = 0
            return _but(state, **seen_now, **verdict_now, charge=found, accepted="")
        if mine and known.id in state.twins:
            return _with_a_twin(_but(state, **seen_now), state, Shown(found, flaws))
        if _is_known_better(found, known):
            return _but(state, **seen_now)
        if not state.flaws:  # a charge of another order, told for this one: ours stays
            return _but(state, **seen_now)
        return _but(
            state,
            **seen_now,
            **verdict_now,
            charge=found,
            accepted="",
        )
    if not flaws and not state.flaws and _is_staler(found, known, by_id=by_id):
        found = known  # a page from before the answer: it takes nothing back
    elif not (_is_taken_back(state, found) or _both_took_nothing(found, known)):
        # the gateway contradicts itself about one charge: that is for a person
        verdict_now["flaws"] = flaws or state.flaws
    now = _but(state, **seen_now, **verdict_now, charge=found)
    if state.accepted and (now.closed or not _accepts(state, now)):
        now = _but(now, accepted="")
    return _weighed(now)


def _both_took_nothing(found: ChargeSeen, known: ChargeSeen) -> bool:
    return found.ended_without_money and known.ended_without_money


def _is_taken_back(state: Attempt, found: ChargeSeen) -> bool:
    """Was a charge that a person took as it is reversed since? Nothing is left to look at."""
    return bool(state.accepted) and outcome_of(found) is Outcome.REVERSED and not found.paid


def _is_known_better(found: ChargeSeen, known: ChargeSeen) -> bool:
    """Is it under an id that names no charge, and does what is known tell as much of the money?"""
    if can_be_asked_for(found.id):
        return False
    return can_be_asked_for(known.id) or Shown(found).weight[0] <= Shown(known).weight[0]


def _is_by_hand(told: Evidence) -> bool:
    """Does a person say whose the charge is?"""
    return isinstance(told, Resolved) or (isinstance(told, Adopted) and told.word is not None)


def _flaws_that_count(state: Attempt, told: Evidence) -> tuple[str, ...]:
    """What is not as asked of a charge without money is nobody's money."""
    found = told.charge
    known = state.charge
    if not told.flaws or found is None or told.anothers or _is_by_hand(told):
        return told.flaws
    settled = False
    if known is not None and known.id == found.id:
        settled = known.ended_without_money or bool(state.accepted)
    answered = isinstance(told, Answered) or settled
    if took_nothing(found, state.intent, answered=answered):
        return ()
    return told.flaws


def _seen_now(state: Attempt, event: Event, *, by_id: bool) -> dict[str, Any]:
    """What any charge that is shown makes of an attempt."""
    now: dict[str, Any] = {
        "unclear": frozenset(),
        "settled_ns": event.at_ns,
        "refused": False,
        "closed_as": "",
        "closed_why": "",
        "code": "",
        "message": "",
        "may_be": "",
    }
    if by_id:
        now["untold"] = ""
    # a list may be a copy from before: that a charge which took nothing is not known by its id any
    # more stays told
    if by_id or state.outcome not in NO_MONEY:
        now["missing_ns"] = 0
    if state.refused:
        now["by_hand"] = ""
    return now


def _with_a_twin(now: Attempt, before: Attempt, twin: Shown) -> Attempt:
    """A second charge under its key was shown."""
    more = _but(now, others=_with(now.others, twin))
    if not _takes_no_more(before, more):
        more = _but(more, accepted="")
    return _weighed(more)


def _with(others: tuple[Shown, ...], seen_now: Shown) -> tuple[Shown, ...]:
    """The same with what was seen of one of them now."""
    before = next((one for one in others if one.charge.id == seen_now.charge.id), None)
    if before is None:
        return (*others, seen_now)
    stale = not (before.flaws or seen_now.flaws) and _is_staler(
        seen_now.charge, before.charge, by_id=False
    )
    if stale:
        return others
    return tuple(seen_now if one is before else one for one in others)


def _weighed(state: Attempt) -> Attempt:
    """Of several charges under one key the one that took money, or else may, is the one that is
    reported, whichever was seen first; a twin of the same weight changes nothing.
    """
    if not state.others or state.charge is None:
        return state
    shown = (Shown(state.charge, state.flaws), *state.others)
    first = max(shown, key=lambda one: one.weight)  # the first of equals
    if first is shown[0]:
        return state
    return _but(
        state,
        charge=first.charge,
        flaws=first.flaws,
        others=tuple(one for one in shown if one is not first),
        reread=False,
        anothers=False,
        accepted="",
    )


_terms_of = attrgetter("id", "amount", "currency", "destination", "livemode")


def _accepts(before: Attempt, after: Attempt) -> bool:
    """Is what a person took note of still what it was? Acceptance is of one charge as it stood;
    that it was reversed since is less than that.
    """
    old = before.charge
    new = after.charge
    if old is None or new is None:
        return False
    if _terms_of(old) != _terms_of(new):
        return False
    if old.took_money != new.took_money and not _is_taken_back(before, new):
        return False
    return set(after.flaws) <= set(before.flaws)


def _takes_no_more(before: Attempt, after: Attempt) -> bool:
    """Did no charge beside the reported one take money since? A person took note of those that
    had.
    """
    return {charge.id for charge in after.further} <= {charge.id for charge in before.further}


def _oddity(state: Attempt, found: ChargeSeen, *, by_id: bool) -> str:
    """What is said of a charge that took its money, and that no outcome names: it is told, and
    stays what it was.

    A list may be a copy from before the chain was made; what is asked for by its id is not.
    """
    known = state.charge
    if known is None or found.id != known.id or state.outcome is not Outcome.SUCCEEDED:
        return ""
    if found.status not in _KNOWN_STATUS:
        return f"status {found.status!r}"
    if by_id and found.status == known.status and not found.chain:
        return "no chain any more"
    return ""


def _is_staler(found: ChargeSeen, known: ChargeSeen, *, by_id: bool) -> bool:
    """Does it show a charge, the very one that is known, as it was before what is known already?

    A list may be a copy from before; what is asked for by its id is not, but for a charge that is
    known to be paid.
    """
    was = outcome_of(known)
    now = _KNOWN_STATUS.get(found.status)
    if was is Outcome.SUCCEEDED and now is Outcome.SUCCEEDED:
        return bool(known.chain) and not found.chain
    if now is not Outcome.PENDING:
        return False
    return was is Outcome.SUCCEEDED or (was in NO_MONEY and not by_id)


def _absent(state: Attempt, _: Event, told: Absent) -> Attempt:
    """One more complete look-up after the doubt period did not show it. The one that closes, a gap
    after another, proves that the request never became a charge (law L5).
    """
    if state.doubt is None or not state.unclear:
        return state
    look = (told.boot_id, told.boot_s)
    doubt = replace(state.doubt, absents=(*state.doubt.absents, look))
    if told.closes and not state.spent:
        return _but(
            state,
            doubt=doubt,
            doubted=True,
            unclear=frozenset(),
            may_be="",
        )
    return _but(state, doubt=doubt, doubted=True)


def _withdrawn(state: Attempt, *_: object) -> Attempt:
    """Nothing was charged and nothing is on its way; its order was planned anew, so this request
    never goes again.
    """
    return _but(state, withdrawn=True)


def _unclear(state: Attempt, _: Event, told: Unclear) -> Attempt:
    """A list shows a charge that may be this one's, and nothing tells: no look-up will, so that is
    for a person.
    """
    return _but(state, may_be=told.charge_id)


def _missing(state: Attempt, event: Event, told: Missing) -> Attempt:
    """The gateway answered for its charge's id that there is none: that is for a person, never a
    failure (J27). Of several under its key, one of which has its money, that one was none.
    """
    if state.charge is None:
        return _but(state, missing_ns=state.missing_ns or event.at_ns)
    gone = told.charge_id or state.charge.id
    unknown = state.unknown | {gone}
    shown = (Shown(state.charge, state.flaws), *state.others)
    stay = [one for one in shown if one.charge.id != gone]
    if len(stay) == len(shown):
        return _but(state, unknown=unknown)
    if not any(one.charge.takes_money for one in stay):
        return _but(state, unknown=unknown, missing_ns=state.missing_ns or event.at_ns)
    first = max(stay, key=lambda one: one.weight)
    return _but(
        state,
        unknown=unknown,
        twins=state.twins - {gone},
        charge=first.charge,
        flaws=first.flaws,
        others=tuple(one for one in stay if one is not first),
        reread=state.reread and first is shown[0],
    )


def _untold(state: Attempt, _: Event, told: Untold) -> Attempt:
    """Asked for its charge by its id before a next attempt, the gateway showed none: silence proves
    nothing (J04).
    """
    return _but(state, untold=told.charge_id)


def _adopted(state: Attempt, event: Event, told: Adopted) -> Attempt:
    """A charge that this journal did not make; of one that names nobody a person said whose it is,
    and takes it so.
    """
    now = _evidence(state, event, told)
    if told.word is None:
        return now
    word = word_of(told.word.by, told.word.reason, event.at_ns)
    if now.flaws:
        return _but(now, accepted=word, by_hand=word)
    return _but(now, accepted="", by_hand=word)


def word_of(by: str, reason: str, at_ns: int) -> str:
    """A person's word: whose, when and why."""
    at = datetime.fromtimestamp(at_ns // 10**9, UTC)
    return f"{by or 'a person'} on {at:%Y-%m-%dT%H:%M:%SZ}: {reason}"


def _resolved(state: Attempt, event: Event, told: Resolved) -> Attempt:
    """A person said what became of it, after a look-up that did not say otherwise."""
    word = word_of(told.by, told.reason, event.at_ns)
    if told.said == "accepted":
        return _but(state, accepted=word)
    if told.charge is not None:
        now = _evidence(_unnamed(state, told.charge.id), event, told)
        if told.flaws or now.further:  # else it is what was asked, and all that there is
            return _but(now, accepted=word, by_hand=word)
        return _but(now, accepted=state.accepted, by_hand=word)
    return _but(
        state,
        unclear=frozenset(),
        refused=True,
        settled_ns=event.at_ns,
        code=told.said.replace("-", "_"),
        message=f"settled by hand: {told.reason}",
        closed_as=told.said,
        closed_why=told.reason,
        may_be="",
        denied=told.said == DENIED,
        by_hand=word,
        charge=None,
        flaws=(),
        anothers=False,
        untold="",
    )


def _unnamed(state: Attempt, charge_id: str) -> Attempt:
    """The attempt as it is but for the charge that a person is about to name; one of its own stays
    beside that.
    """
    known = state.charge
    others = tuple(one for one in state.others if one.charge.id != charge_id)
    if known is not None and known.id in state.twins and known.id != charge_id:
        others = (*others, Shown(known, state.flaws))
    return _but(
        state,
        charge=None,
        flaws=(),
        others=others,
        missing_ns=0,
    )


_ATTEMPT_FIELDS = tuple(f.name for f in fields(Attempt))
_values_of = attrgetter(*_ATTEMPT_FIELDS)
# field -> what sets it, frozen or not
_PUT = {name: getattr(Attempt, name).__set__ for name in _ATTEMPT_FIELDS}
_PUTS = tuple(_PUT.values())


def _transfer_seen(state: Attempt, _: Event, told: TransferSeen) -> Attempt:
    return _but(state, transfer=told)


def _but(state: Attempt, **changes: Any) -> Attempt:
    """`dataclasses.replace` in a sixth of its time: this is what folding a million histories is
    made of. Nobody has the new one yet, so that filling it in breaks no promise.
    """
    new = object.__new__(Attempt)
    for put, value in zip(_PUTS, _values_of(state), strict=True):
        put(new, value)
    for name, value in changes.items():
        _PUT[name](new, value)
    return new


# each takes an event of its own class only
_STEPS: Mapping[type[Told], Callable[[Attempt, Event, Any], Attempt]] = {
    Intended: _intended,
    Voided: _voided,
    Answered: _answered,
    Found: _evidence,
    Adopted: _adopted,
    Absent: _absent,
    Resolved: _resolved,
    Withdrawn: _withdrawn,
    Missing: _missing,
    Unclear: _unclear,
    Untold: _untold,
    TransferSeen: _transfer_seen,
}
_KINDS = frozenset(kinds(*_STEPS))

# Which outcome may follow which (fault-matrix I8); evidence that says otherwise is recorded, and a
# stop.
NEXT: Mapping[Outcome, frozenset[Outcome]] = {
    Outcome.HELD: frozenset(Outcome),
    Outcome.IN_DOUBT: frozenset(Outcome),
    Outcome.PENDING: frozenset(
        {Outcome.SUCCEEDED, Outcome.UNPROVEN, Outcome.DECLINED, Outcome.EXPIRED, Outcome.REVERSED}
    ),
    Outcome.UNPROVEN: frozenset({Outcome.SUCCEEDED, Outcome.REVERSED}),
    Outcome.SUCCEEDED: frozenset({Outcome.REVERSED}),
    Outcome.DECLINED: frozenset(),
    Outcome.EXPIRED: frozenset(),
    Outcome.REVERSED: frozenset(),
    Outcome.REFUSED: frozenset(),
}


def impossible(before: Outcome, after: Outcome) -> bool:
    """Does new evidence contradict what was proven before?"""
    return after is not before and after not in NEXT[before]


# --- when may a doubtful attempt be asked about, and sent again


@dataclass(frozen=True, slots=True)
class DoubtRules:
    """The periods of law L5, in seconds, and the machine they are counted on."""

    period_s: float
    gap_s: float
    boot_id: str
    run_start_s: float  # CLOCK_BOOTTIME at the start of this run

    def due_s(self, doubt: Doubt) -> float:
        """CLOCK_BOOTTIME from which the next look-up may prove absence."""
        absents = self.absents(doubt)
        if absents:
            return absents[-1] + self.gap_s
        return self._start_s(doubt) + self.period_s

    def closes(self, doubt: Doubt) -> bool:
        """Would one more complete look-up without a trace prove absence?"""
        return len(self.absents(doubt)) >= 1

    def absents(self, doubt: Doubt) -> list[float]:
        """The look-ups of this boot; those of another boot prove nothing, their clock is gone."""
        return [boot_s for boot_id, boot_s in doubt.absents if boot_id == self.boot_id]

    def _start_s(self, doubt: Doubt) -> float:
        if doubt.boot_id == self.boot_id:
            return doubt.boot_s
        return self.run_start_s


# --- all attempts of an order


def beside(attempt: Attempt, attempts: Sequence[Attempt]) -> Attempt | None:
    """Another attempt of the same order that has, or may have, its money: this one is never sent
    again.
    """
    return next((other for other in attempts if other is not attempt and not other.closed), None)


def money_charges(attempts: Sequence[Attempt]) -> list[str]:
    """Ids of every charge of an order that took money or may yet: more than one breaks the first
    promise.
    """
    ids: dict[str, None] = {}
    for attempt in attempts:
        if attempt.charge and attempt.charge.takes_money and attempt.charge.id in attempt.twins:
            ids[attempt.charge.id] = None
        ids.update(dict.fromkeys(one.charge.id for one in attempt.others if one.charge.takes_money))
    return list(ids)


def paid_apart(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """The attempts of an order that each have its money, where that is more than one: a person
    gives one back, which a later look at it shows, or says that it stays so.
    """
    paid = tuple(
        attempt
        for attempt in attempts
        if any(not charge.given_back for charge in money_of(attempt))
    )
    if len(paid) > 1:
        return paid
    return ()


def money_of(attempt: Attempt) -> tuple[ChargeSeen, ...]:
    """Every charge of an attempt that took money of its order, whether or not it was given back."""
    charge = attempt.charge
    if charge is None or attempt.anothers or not charge.took_money:
        return attempt.further
    return (charge, *attempt.further)
