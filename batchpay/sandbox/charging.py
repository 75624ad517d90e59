"""Charges: made, captured, reversed, expired and, in test mode, decided by hand (docs/gateway.md,
2.5 and 3.2).
"""

from __future__ import annotations

from dataclasses import replace

from batchpay.domain.money import EXPONENTS
from batchpay.sandbox import (
    arithmetic,
    cards,
    names,
    objects,
    params,
    payers,
    recipients,
    refunds,
    transfers,
)
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.payers import Payer
from batchpay.sandbox.problems import Problem, bad_request
from batchpay.sandbox.records import (
    Chain,
    Charge,
    Dispute,
    Record,
    Transaction,
    Transfer,
)

WEEK_S = 7 * 86400
# what a charge becomes -> how its dispute stands then
DISPUTES = {"disputed": "open", "dispute_won": "won", "dispute_lost": "lost"}


def create(ledger: Ledger, call: Call) -> Thing:
    """POST /charges: everything is checked in the documented order before anything happens."""
    charge, payer = _wanted(ledger, call)
    records = _decided(ledger, charge, payer.outcome)
    ledger.commit(*records, things=payers.spent(payer))
    return render(ledger, charge)


def again(ledger: Ledger, charge_id: str) -> str:
    """A second charge for the same request: what a gateway without idempotency does to a hasty
    client.
    """
    first: Charge = ledger.find("charge", charge_id)
    twin = replace(
        first,
        id=ledger.mint("chrg", first.livemode),
        chain=None,
        transaction=None,
    )
    if twin.status == "successful":
        records = _settle(ledger, twin)
    else:
        records = []
    ledger.commit(twin, *records)
    return twin.id


def strangers(ledger: Ledger, count: int, livemode: bool) -> None:
    """Charges of somebody else on the same account, made while a client reads a list."""
    for _ in range(count):
        name = ledger.mint("chrg", livemode)
        now = ledger.now()
        charge = Charge(
            name,
            livemode,
            now,
            10000,
            "THB",
            captured_amount=10000,
            description="somebody else's",
        )
        ledger.commit(charge, *_settle(ledger, charge))


def become(ledger: Ledger, charge: Charge, end: str) -> None:
    """From now on the charge is something else, whatever it was: no document lets a gateway do so,
    and it may.

    The books follow: what was paid and is no more is a debit, what is paid now a credit, a transfer
    and a chain.
    """
    if charge.deleted or charge.status == end:
        return
    if end == "refunded":
        left = charge.captured_amount - charge.refunded
        if charge.status == "successful" and left:
            refunds.give_back(ledger, charge, left, {})
        return
    if end in DISPUTES:
        if charge.dispute is not None:
            _dispute_over(ledger, charge, DISPUTES[end])
        elif charge.status == "successful" and end == "disputed":
            _disputed(ledger, charge)
        return
    if end in transfers.ENDS:
        transfers.become(ledger, charge, end)
        return
    if end == "forgotten":
        charge.deleted = True
        ledger.commit(charge, news="charge.update")
        return
    if charge.status == "successful":
        records = _undone(ledger, charge)
    else:
        records = []
    charge.status = end
    if end == "failed":
        charge.failure_code = charge.failure_code or "failed_processing"
    else:
        charge.failure_code = None
    if end == "expired":
        charge.expired = ledger.now()
    else:
        charge.expired = None
    if end == "reversed":
        charge.reversed = ledger.now()
    else:
        charge.reversed = None
    if end == "successful":
        charge.captured_amount = charge.amount
        records = _settle(ledger, charge)
    ledger.commit(charge, *records, news="charge.update")


def _disputed(ledger: Ledger, charge: Charge) -> None:
    """Its payer's bank takes the money back for now (docs/gateway.md, 7.5)."""
    debit = Transaction(
        id=ledger.mint("trxn", charge.livemode),
        livemode=charge.livemode,
        created=ledger.now(),
        amount=arithmetic.funding_of(charge.captured_amount, charge.currency),
        currency=arithmetic.FUNDING_CURRENCY,
        direction="debit",
        key="dispute.started.debit",
        origin=ledger.mint("dspt", charge.livemode),
    )
    dispute = Dispute(
        id=debit.origin,
        livemode=charge.livemode,
        created=debit.created,
        amount=charge.captured_amount,
        currency=charge.currency,
        charge=charge.id,
        transaction=debit.id,
    )
    charge.dispute = dispute.id
    ledger.commit(dispute, debit, charge)


def _dispute_over(ledger: Ledger, charge: Charge, how: str) -> None:
    """Closed: won, the money comes back."""
    dispute = ledger.find("dispute", charge.dispute or "")
    if dispute.status != "open" or how == "open":
        return
    dispute.status = how
    back = []
    if how == "won":
        debit = ledger.find("transaction", dispute.transaction)
        credit = replace(
            debit,
            id=ledger.mint("trxn", charge.livemode),
            created=ledger.now(),
            direction="credit",
            key="dispute.won.credit",
        )
        back.append(credit)
    ledger.commit(dispute, *back, news="dispute.close")


def _undone(ledger: Ledger, charge: Charge) -> list[Record]:
    """The money of a charge that was paid goes back; the debit's key is ours, for none was
    recorded.
    """
    charge.paid = None
    debit = Transaction(
        id=ledger.mint("trxn", charge.livemode),
        livemode=charge.livemode,
        created=ledger.now(),
        amount=arithmetic.fees_of(
            arithmetic.funding_of(charge.captured_amount, charge.currency)
        ).net,
        currency=arithmetic.FUNDING_CURRENCY,
        direction="debit",
        key="charge.reversed.debit",
        origin=charge.id,
    )
    return [debit]


def lapse(ledger: Ledger) -> None:
    """Pending charges whose time is over expire, before anybody can look at them."""
    for charge in ledger.due():
        charge.status = "expired"
        charge.expired = charge.expires
        ledger.commit(charge, news="charge.expire")


def update(ledger: Ledger, call: Call) -> Thing:
    """PATCH /charges/:id: description and metadata."""
    charge = _charge(ledger, call)
    if "description" in call.params:
        charge.description = params.text(call.params, "description")
    if "metadata" in call.params:
        charge.metadata = params.mapping(call.params, "metadata")
    ledger.commit(charge, news="charge.update")
    return render(ledger, charge)


def capture(ledger: Ledger, call: Call) -> Thing:
    """POST /charges/:id/capture; `capture_amount` takes a part of a pre-authorisation."""
    charge = _charge(ledger, call)
    if charge.status == "expired":
        raise Problem(400, "expired_charge", "charge expired")
    if charge.status != "pending" or not charge.authorized:
        raise Problem(
            400,
            "failed_capture",
            "capture failed: the charge is not authorised or was captured before",
        )
    part = params.whole(call.params, "capture_amount")
    if part is not None and (
        charge.authorization_type != "pre_auth" or not 0 < part <= charge.amount
    ):
        raise bad_request(
            "capture_amount must be at most the amount of a pre_auth charge"
        )
    charge.captured_amount = part or charge.amount
    ledger.commit(charge, *_settle(ledger, charge), news="charge.capture")
    return render(ledger, charge)


def reverse(ledger: Ledger, call: Call) -> Thing:
    """POST /charges/:id/reverse: lets go of an authorised, uncaptured charge."""
    charge = _charge(ledger, call)
    if charge.status != "pending" or not charge.authorized:
        raise Problem(
            400,
            "failed_reverse",
            "only an authorised, uncaptured charge can be reversed",
        )
    charge.status = "reversed"
    charge.reversed = ledger.now()
    ledger.commit(charge, news="charge.reverse")
    return render(ledger, charge)


def expire(ledger: Ledger, call: Call) -> Thing:
    """POST /charges/:id/expire: ends a pending charge."""
    charge = _charge(ledger, call)
    if charge.status != "pending":
        raise Problem(400, "failed_expire", "expire failed: the charge is not pending")
    charge.status = "expired"
    charge.expired = ledger.now()
    ledger.commit(charge, news="charge.expire")
    return render(ledger, charge)


def mark_as_paid(ledger: Ledger, call: Call) -> Thing:
    """POST /charges/:id/mark_as_paid, test mode only: the payer paid; transfer and chain are made
    now.
    """
    charge = _pending_test_charge(ledger, call)
    charge.captured_amount = charge.amount
    ledger.commit(charge, *_settle(ledger, charge), news="charge.complete")
    return render(ledger, charge)


def mark_as_failed(ledger: Ledger, call: Call) -> Thing:
    """POST /charges/:id/mark_as_failed, test mode only: the payer gave up."""
    charge = _pending_test_charge(ledger, call)
    charge.status = "failed"
    charge.failure_code = (
        params.text(call.params, "failure_code") or "failed_processing"
    )
    ledger.commit(charge, news="charge.complete")
    return render(ledger, charge)


def render(ledger: Ledger, charge: Charge) -> Thing:
    """The charge's JSON with its card or source in it."""
    card = cards.shown(ledger, charge.card, charge.livemode)
    source = payers.source_json(ledger, charge.source, charge.livemode)
    if source is not None and source["type"] == "promptpay":
        source = source | {"scannable_code": objects.scannable(charge)}
    disputed = None
    if charge.dispute:
        disputed = objects.dispute(ledger.find("dispute", charge.dispute))
    refunds_of = [objects.refund(ledger.find("refund", one)) for one in charge.refunds]
    return objects.charge(charge, card, source, refunds_of, disputed)


def _wanted(ledger: Ledger, call: Call) -> tuple[Charge, Payer]:
    """The charge that the request asks for; raises Problem in the order of docs/gateway.md, 2.5."""
    given = call.params
    amount = params.whole(given, "amount")
    currency = params.required(given, "currency").upper()
    if amount is None:
        raise bad_request("amount is required")
    if currency not in EXPONENTS:
        raise bad_request(f"currency {currency} is not supported")
    if (
        not ledger.terms.charge_min
        <= arithmetic.funding_of(amount, currency)
        <= ledger.terms.charge_max
    ):
        raise Problem(
            400,
            "invalid_amount",
            "amount must be between the limits of GET /capability",
        )
    payer = payers.chosen(ledger, call)
    destination = params.text(given, "destination")
    if destination is None and ledger.terms.chained_only:
        raise bad_request("destination is required")
    if destination is not None:
        recipients.payable(ledger, destination, call.livemode)
    platform = params.mapping(given, "platform_fee")
    fixed = params.whole(platform, "fixed")
    share = params.percentage(platform, "percentage")
    commission = arithmetic.commission_of(amount, fixed, share)
    if (fixed or 0) < 0 or commission > amount:
        raise bad_request("platform_fee must be between 0 and the amount")
    expires = params.moment(given, "expires_at") or call.now + WEEK_S
    if expires <= call.now:
        raise bad_request("expires_at must be in the future")
    return (
        Charge(
            id=ledger.mint("chrg", call.livemode),
            livemode=call.livemode,
            created=call.now,
            amount=amount,
            currency=currency,
            captured_amount=amount,
            destination=destination,
            card=payer.card,
            customer=payer.customer,
            source=payer.source,
            description=params.text(given, "description"),
            metadata=params.mapping(given, "metadata"),
            fixed=fixed,
            percentage=None if share is None else str(share),
            commission=commission
            if platform and (fixed, share) != (None, None)
            else None,
            capture=params.flag(given, "capture", default=True),
            authorization_type=params.text(given, "authorization_type"),
            return_uri=params.text(given, "return_uri"),
            ip=params.text(given, "ip"),
            expires=expires,
        ),
        payer,
    )


def _decided(ledger: Ledger, charge: Charge, outcome: str) -> list[Record]:
    """What the payment method does with it; the records to commit."""
    if outcome == names.PENDING:
        charge.captured_amount = 0
        charge.authorize_uri = f"https://pay.omise.co/payments/{charge.id}/authorize"
        return [charge]
    if outcome != names.SUCCESS:
        charge.status = "failed"
        charge.failure_code = outcome
        return [charge]
    charge.authorized = True
    charge.authorized_at = charge.created
    if not charge.capture:
        charge.captured_amount = 0
        return [charge]
    return [charge, *_settle(ledger, charge)]


def _settle(ledger: Ledger, charge: Charge) -> list[Record]:
    """The charge succeeds: a credit of its net, and with a destination one transfer and the chain
    to it.
    """
    now = ledger.now()
    charge.status = "successful"
    charge.authorized = True
    charge.paid = now
    charge.authorized_at = charge.authorized_at or now
    net = arithmetic.fees_of(
        arithmetic.funding_of(charge.captured_amount, charge.currency)
    ).net
    credit = Transaction(
        ledger.mint("trxn", charge.livemode),
        charge.livemode,
        now,
        net,
        arithmetic.FUNDING_CURRENCY,
        "credit",
        "charge.captured.net",
        charge.id,
    )
    charge.transaction = credit.id
    if charge.destination is None:
        return [credit]
    transfer = Transfer(
        ledger.mint("trsf", charge.livemode),
        charge.livemode,
        now,
        max(0, charge.captured_amount - (charge.commission or 0)),
        charge.currency,
        charge.destination,
    )
    chain = Chain(
        ledger.mint("acch", charge.livemode),
        charge.livemode,
        now,
        charge.id,
        transfer.id,
    )
    charge.chain = transfer.chain = chain.id
    return [credit, transfer, chain]


def _charge(ledger: Ledger, call: Call) -> Charge:
    charge: Charge = ledger.get("charge", call.ids[0], call.livemode)
    return charge


def _pending_test_charge(ledger: Ledger, call: Call) -> Charge:
    charge = _charge(ledger, call)
    if charge.livemode or charge.status != "pending":
        raise bad_request("only a pending charge of test mode can be marked")
    return charge
