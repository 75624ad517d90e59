"""CHARGE: what the gateway shows of one; is it the one that was asked for, could it be, did it take
nothing?
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from batchpay.domain.model import ChargeSeen, Intent, Outcome
from batchpay.domain.money import EXPONENTS, major_text
from batchpay.domain.times import instant_ns
from batchpay.lifecycle.payers import payer_fits, payment_method

CHARGE_ID = re.compile(r"chrg_(?!test_\Z)(?:test_)?[0-9A-Za-z_]{1,64}")


def can_be_asked_for(charge_id: str) -> bool:
    """Is it the id of a charge, by which the gateway can be asked for it?

    Any other text may stand in an answer for a charge that has an id of its own: it is evidence, so
    its charge is unproven, but it never makes a charge another one than one that is known.
    """
    return CHARGE_ID.fullmatch(charge_id) is not None


KNOWN_STATUS = {
    "successful": Outcome.SUCCEEDED,
    "pending": Outcome.PENDING,
    "failed": Outcome.DECLINED,
    "expired": Outcome.EXPIRED,
    "reversed": Outcome.REVERSED,
}


def flaws_of(charge: ChargeSeen, intent: Intent, live: bool) -> tuple[str, ...]:
    """How a charge differs from what was asked (law L7); the chain is judged apart (`outcome`).

    Of what cannot be read nobody knows how it differs: it is a flaw by itself.
    """
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
        (
            "captured_amount",
            _money(intent.amount, intent.currency),
            _money(charge.summed, charge.currency),
            charge.captured in (None, intent.amount),
        ),
        (
            "currency",
            intent.currency,
            charge.currency,
            charge.currency == intent.currency,
        ),
        (
            "destination",
            intent.destination,
            charge.destination,
            charge.destination == intent.destination,
        ),
        (
            "payer",
            payment_method(intent.payer),
            payment_method(charge.payer or ""),
            payer_fits(intent.payer, charge.payer or "") is not False,
        ),
        (
            "metadata[batchpay_key]",
            intent.key,
            key_in(charge),
            key_in(charge) == intent.key,
        ),
        ("paid", *_paid_of(charge)),
    )
    flaws = [
        f"{name}: asked {asked}, got {got}"
        for name, asked, got, fits in pairs
        if not fits and name not in charge.unread_fields
    ]
    if charge.unread:
        flaws.insert(0, charge.unread)
    return (*flaws, *fee_flaws_of(charge, intent))


def _paid_of(charge: ChargeSeen) -> tuple[str, bool, bool]:
    """`paid`: as its status wants it, as it is, and whether these agree (docs/gateway.md, 3.2). Of
    a status that nobody knows it says nothing.
    """
    if charge.status == "successful":
        return "true for a successful charge", charge.paid, charge.paid
    fits = not charge.paid or has_unknown_status(charge)
    return f"false for a {charge.status} charge", charge.paid, fits


def _money(minor: int, currency: str) -> str:
    """`408.00 THB`; of a charge that names no currency, the smallest units as they are."""
    code = currency.upper()
    return f"{major_text(minor, code)} {code}".rstrip()


def fee_flaws_of(charge: ChargeSeen, intent: Intent) -> tuple[str, ...]:
    """How the platform's commission differs from what was asked (law L7, docs/faults.md, J15).

    Fixed part and percentage as asked; the amount within the rounding of both. A charge that took
    no money may leave them out, but not say something else. What nobody can read of it is told
    already.
    """
    if "platform_fee" in charge.unread_fields:
        return ()
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
        if not fits and f"platform_fee[{name}]" not in charge.unread_fields:
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


def could_be(charge: ChargeSeen, intent: Intent, since_ns: int = 0) -> bool:
    """Could a charge of which nobody can tell whose it is be this attempt's, with what names it
    lost or unreadable?

    `since_ns`: before that its charge was not made (Attempt.charged_since_ns). What cannot be read
    may be anything; one that names no recipient must name the payer, and one of another payer is
    another's.
    """
    made_ns = instant_ns(charge.created_at)
    if made_ns is not None and made_ns < since_ns:
        return False
    fits = payer_fits(intent.payer, charge.payer or "")
    named = charge.metadata.get("order_id", "").strip() or intent.order_id
    terms = (
        (charge.amount, intent.amount, "amount" in charge.unread_fields),
        (
            charge.currency.lower(),
            intent.currency.lower(),
            "currency" in charge.unread_fields,
        ),
        (
            charge.destination,
            intent.destination,
            charge.destination is None and (fits or bool(charge.unread)),
        ),
    )
    return (
        fits is not False
        and named == intent.order_id
        and all(got == asked or unread for got, asked, unread in terms)
    )


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
    ended = charge.ended_without_money and _says_enough(charge)
    return (
        ended
        and in_mode
        and (key_in(charge) == intent.key or (answered and could_be(charge, intent)))
    )


def _says_enough(charge: ChargeSeen) -> bool:
    """Is all of it as documented, but for whom it names, and a commission of nothing?"""
    return all(
        name == "metadata" or name.startswith("platform_fee")
        for name in charge.unread_fields
    )


def has_key(charge: ChargeSeen) -> bool:
    """Does it carry a well-formed batchpay_key, of whichever order and job?"""
    return _WELL_FORMED_KEY.fullmatch(key_in(charge) or "") is not None


_WELL_FORMED_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def outcome_of(charge: ChargeSeen) -> Outcome:
    """Outcome by `status` alone, never by flags (docs/gateway.md, 3.2); a status nobody knows is
    still pending.
    """
    return KNOWN_STATUS.get(charge.status, Outcome.PENDING)


def has_unknown_status(charge: ChargeSeen) -> bool:
    """Is it in a status that no document names? What becomes of it nobody can tell."""
    return charge.status not in KNOWN_STATUS


def key_in(charge: ChargeSeen) -> str | None:
    """The batchpay_key that it carries, whatever it looks like."""
    return charge.metadata.get("batchpay_key")


def _decimal(text: str | None) -> Decimal | None:
    """Exact; what is no number, as an earlier version kept it, is told as minus one, which nobody
    asks for.
    """
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
