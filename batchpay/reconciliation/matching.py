"""MATCH: this job's journal and the gateway's own ledger, held against each other both ways.

Charges are matched by their key, credits by the charge they come from, transfers by recipient and
amount, of which as many must be there as were earned: a transfer does not say which charge it
belongs to (omise-api.md, 7.1 and 7.9).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from batchpay.domain.books import Booked, Minor, Transaction, Transfer
from batchpay.domain.model import ChargeSeen, Outcome
from batchpay.domain.money import both_units
from batchpay.domain.text import many
from batchpay.domain.times import is_instant
from batchpay.lifecycle.attempt import Attempt, flaws_of, key_in, outcome_of
from batchpay.lifecycle.plan import is_one_sale, place_in

GIVE_BACK = ": give this one back"
"""How a difference ends that asks for a refund of a double charge."""

Attempts = Mapping[str, Sequence[Attempt]]
"""What this job did, by order id."""


_PLAIN = re.compile(r"[0-9A-Za-z_.-]{1,100}")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that one side has and the other has not, or has otherwise."""

    kind: str  # stable, for programs
    order_id: str
    charge_id: str
    told: str
    amount: int = (
        0  # smallest unit: of the charge, the refunds, the credit or the transfers that it is about
    )
    currency: str = ""  # upper case
    refund_minor: int = 0  # what a person should give back, if anything
    state: str = (
        ""  # what else would make it another difference: a note is of the difference as it was
    )
    about: str = ""  # what it is about where that is not the charge

    @property
    def id(self) -> str:
        """What a person takes note of it by: the same at every audit, in plain letters."""
        about = self.about or self.charge_id or self.order_id
        return f"{self.kind}:{about if _PLAIN.fullmatch(about) else _digest(about)}"


@dataclass(frozen=True, slots=True)
class Timeless:
    """A charge of the journal that the gateway gives no time for."""

    order_id: str
    charge_id: str
    amount: int  # smallest unit
    currency: str
    outcome: str


@dataclass(slots=True)
class Match:
    """What an audit found."""

    ours: Counter[str] = field(
        default_factory=Counter
    )  # currency -> what the journal says was charged
    theirs: Counter[str] = field(
        default_factory=Counter
    )  # currency -> what the gateway says was charged
    matched: int = 0  # charges that are the same on both sides
    others: int = 0  # charges of the account that are not this job's
    differences: list[Difference] = field(default_factory=list)
    without_time: list[Timeless] = field(
        default_factory=list
    )  # ours, in no list, and of a day that nobody tells
    notes: list[str] = field(default_factory=list)

    def add(self, found: Iterable[Difference]) -> None:
        """More differences."""
        self.differences.extend(found)


def apart(differences: Sequence[Difference]) -> list[Difference]:
    """The same, each with an id of its own: what would share one is named by its order too."""
    shared = Counter(one.id for one in differences)
    return [
        (
            replace(one, about=f"{one.about or one.charge_id}-{_digest(one.order_id)}")
            if shared[one.id] > 1
            else one
        )
        for one in differences
    ]


def match_charges(
    job: str, attempts: Sequence[Attempt], charges: Sequence[Booked], *, live: bool
) -> Match:
    """Both ways over the charges of one period: `attempts` are those whose charge was made in it,
    or may have been.

    What tells no time and is not in the list may be of another day: it is told apart, and counts on
    no side (J36).
    """
    match = Match()
    by_key = {attempt.intent.key: attempt for attempt in attempts}
    by_id = {
        attempt.charge.id: attempt
        for attempt in attempts
        if attempt.charge is not None and not attempt.anothers
    }
    of_orders: dict[str, list[ChargeSeen]] = defaultdict(list)
    found: set[str] = set()
    for booked in charges:
        charge = booked.charge
        if charge is not None:
            attempt = by_id.get(charge.id) or by_key.get(key_in(charge) or "")
        else:
            attempt = None
        if charge is not None and attempt is None:
            place = place_in(job, charge.metadata)
        else:
            place = None
        if charge is None or (attempt is None and place is None):
            match.others += 1
            continue
        found.add(charge.id)
        if attempt is not None:
            order_id = attempt.intent.order_id
        elif place is not None:
            order_id = place[0]
        else:
            order_id = ""
        of_orders[order_id].append(charge)
        if outcome_of(charge) is Outcome.SUCCEEDED:
            match.theirs[charge.currency.upper()] += charge.amount
        differences = list(_of_charge(charge, booked.dispute, order_id, attempt, live))
        match.matched += not differences
        match.add(differences)
    for attempt in attempts:
        if (timeless := _timeless(attempt, found)) is not None:
            match.without_time.append(timeless)
            continue
        match.add(_of_attempt(attempt, found))
        if attempt.money is not None:
            match.ours[attempt.money.currency.upper()] += attempt.money.amount
    reported = {attempt.charge.id for attempt in attempts if attempt.charge is not None}
    for order_id, some in of_orders.items():
        match.add(_doubles(order_id, some, reported))
    twins = {one.charge.id: attempt for attempt in attempts for one in attempt.others}
    match.add(
        _twins(
            twins, of_orders, {one.charge_id for one in match.differences if one.kind == "double"}
        )
    )
    match.add(_unexplained(match))
    return match


_OF_SUMS = frozenset(
    {
        "unknown-to-journal",
        "other-charge",
        "false-success",
        "unknown-to-gateway",
        "status",
        "amount",
        "double",
    }
)  # kinds of difference by which the two sums may differ


def _twins(
    twins: Mapping[str, Attempt],
    of_orders: Mapping[str, Sequence[ChargeSeen]],
    told: Collection[str],
) -> Iterator[Difference]:
    """Every further charge that the gateway made under one key, whatever became of it, but those to
    be given back.
    """
    for order_id, charges in of_orders.items():
        for charge in charges:
            attempt = twins.get(charge.id)
            if attempt is not None and charge.id not in told:
                if attempt.charge:
                    mine = f"{attempt.charge.id}, {attempt.charge.status}"
                else:
                    mine = attempt.outcome.value
                told_beside = (
                    f"the gateway made this one too, {charge.status}, under the key of {mine}, as"
                    " reported"
                )
                yield _about(charge, "other-charge", order_id, told_beside, charge.status)


def _unexplained(match: Match) -> Iterator[Difference]:
    """Two sums that differ with nothing that says why: that is a difference of its own."""
    explained = {one.currency for one in match.differences if one.kind in _OF_SUMS}
    for currency in sorted(match.ours.keys() | match.theirs.keys()):
        ours, theirs = match.ours[currency], match.theirs[currency]
        if ours != theirs and currency not in explained:
            told = (
                f"the journal says {both_units(ours, currency)}, the gateway"
                f" {both_units(theirs, currency)}"
            )
            yield Difference(
                "sums",
                "",
                "",
                told,
                theirs - ours,
                currency,
                state=f"{ours}/{theirs}",
                about=currency,
            )


def _timeless(attempt: Attempt, found: Collection[str]) -> Timeless | None:
    """A charge that no instant and no list puts into the period."""
    charge = attempt.charge
    if charge is None or charge.id in found or is_instant(charge.created_at):
        return None
    return Timeless(
        attempt.intent.order_id,
        charge.id,
        charge.amount,
        charge.currency.upper(),
        attempt.outcome.value,
    )


def _of_charge(
    charge: ChargeSeen, dispute: str | None, order_id: str, attempt: Attempt | None, live: bool
) -> Iterator[Difference]:
    """A charge of this job against the attempt that asked for it. What was given back of it is told
    by `refunds`.
    """
    if attempt is None:
        yield _about(
            charge,
            "unknown-to-journal",
            order_id,
            f"the gateway has it, {charge.status}; the journal does "
            "not: run the job, which adopts it before it sends anything",
            charge.status,
        )
        return
    if attempt.charge is None or attempt.charge.id != charge.id:
        if attempt.charge:
            known = attempt.charge.id
        else:
            known = attempt.outcome.value
        if charge.id not in attempt.twins:
            yield _about(
                charge,
                "other-charge",
                order_id,
                f"the journal says {known} for the same key",
                known,
            )
        return
    theirs, ours = outcome_of(charge), attempt.outcome
    stand = f"{ours.value}/{charge.status}"
    if ours is Outcome.SUCCEEDED and (theirs is not Outcome.SUCCEEDED or not charge.paid):
        yield _about(
            charge,
            "false-success",
            order_id,
            f"the journal says succeeded, the gateway {charge.status}",
            stand,
        )
    elif theirs is not ours and not (ours is Outcome.UNPROVEN and theirs is Outcome.SUCCEEDED):
        told = (
            f"the journal says {ours.value}, the gateway {charge.status}: batchpay settle asks"
            " again"
        )
        yield _about(charge, "status", order_id, told, stand)
    if (attempt.charge.amount, attempt.charge.currency) != (charge.amount, charge.currency):
        mine = both_units(attempt.charge.amount, attempt.charge.currency)
        told = (
            f"the journal was told {mine}, the gateway lists"
            f" {both_units(charge.amount, charge.currency)}"
        )
        yield _about(
            charge, "amount", order_id, told, f"{attempt.charge.amount} {attempt.charge.currency}"
        )
    if flaws := flaws_of(charge, attempt.intent, live):
        yield _about(charge, "terms", order_id, "; ".join(flaws), "; ".join(flaws))
    if dispute is not None:
        yield _about(charge, "disputed", order_id, "the payer disputes it", dispute)


def _about(charge: ChargeSeen, kind: str, order_id: str, told: str, state: str) -> Difference:
    return Difference(
        kind, order_id, charge.id, told, charge.amount, charge.currency.upper(), state=state
    )


def _of_attempt(attempt: Attempt, found: set[str]) -> Iterator[Difference]:
    """An attempt whose charge the gateway does not list."""
    charge = attempt.charge
    if charge is not None and charge.id not in found and not attempt.anothers:
        told = f"the journal says {attempt.outcome.value}; the gateway does not list it"
        if attempt.outcome is Outcome.SUCCEEDED:
            kind = "false-success"
        else:
            kind = "unknown-to-gateway"
        yield _about(charge, kind, attempt.intent.order_id, told, f"{attempt.outcome.value}/")


def _doubles(
    order_id: str, charges: Sequence[ChargeSeen], reported: set[str]
) -> Iterator[Difference]:
    """More than one charge of an order that took money: all but the one in our reports are to be
    given back.
    """
    taking = [charge for charge in charges if outcome_of(charge) is Outcome.SUCCEEDED]
    if len(taking) < 2:
        return
    kept = next((charge for charge in taking if charge.id in reported), taking[0])
    for charge in taking:
        if charge is not kept:
            told = f"the order was charged by {kept.id} too{GIVE_BACK}"
            yield replace(
                _about(charge, "double", order_id, told, kept.id), refund_minor=charge.amount
            )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def order_elsewhere(job: str, charge: ChargeSeen | None) -> str:
    """The order id of a charge that another job made; empty for any other charge."""
    if (
        charge is None
        or not charge.metadata.get("batchpay_job")
        or place_in(job, charge.metadata) is not None
    ):
        return ""
    return charge.metadata.get("order_id", "")


def match_elsewhere(job: str, ours: Attempts, charges: Sequence[Booked]) -> Iterator[Difference]:
    """Charges of our very orders, for the same payer, recipient and amount, that another job made
    beside ours (J06).

    Which of the two is to be given back is for a person: the other job's audit tells the same. One
    that was given back whole is none any more.
    """
    given_back = {booked.id for booked in charges if booked.given_back}
    for charge in (booked.charge for booked in charges):
        order_id = order_elsewhere(job, charge)
        if not order_id or charge is None or not charge.takes_money or charge.id in given_back:
            continue
        for attempt in ours.get(order_id, ()):
            mine = attempt.charge
            if (
                mine is None
                or attempt.closed
                or mine.id in given_back
                or not is_one_sale(charge, attempt.intent)
            ):
                continue
            other = charge.metadata["batchpay_job"]
            told = (
                f"job {other} charged the same order, which {mine.id} charged too: give one of the"
                " two back"
            )
            yield _about(charge, "charged-by-another-job", order_id, told, mine.id)


def match_credits(
    attempts: Sequence[Attempt], charges: Sequence[Booked], transactions: Sequence[Transaction]
) -> list[Difference]:
    """Each charge that succeeded has one credit of its net (omise-api.md, 7.5)."""
    credits: dict[str, list[Transaction]] = defaultdict(list)
    for entry in transactions:
        if entry.direction == "credit":
            credits[entry.origin].append(entry)
    shown = {booked.id: booked for booked in charges}
    found: list[Difference] = []
    for attempt in attempts:
        charge = attempt.charge
        if charge is None or attempt.outcome is not Outcome.SUCCEEDED or charge.id not in shown:
            continue
        net = shown[charge.id].net
        code = shown[charge.id].funding_currency or charge.currency
        order_id, mine = attempt.intent.order_id, credits.get(charge.id, [])
        if not mine:
            found.append(
                _about(
                    charge, "no-credit", order_id, "the account's ledger has no credit for it", ""
                )
            )
        elif len(mine) > 1:
            told = f"{len(mine)} credits in the account's ledger"
            found.append(_about(charge, "two-credits", order_id, told, str(len(mine))))
        elif (got := mine[0].amount) != net:
            credited = _sum_told(got, mine[0].currency or code)
            told = f"credited {credited}, its net is {_sum_told(net, code)}"
            found.append(_about(charge, "credit-differs", order_id, told, f"{got}/{net}"))
    return found


def _sum_told(minor: Minor, currency: str) -> str:
    if isinstance(minor, int):
        return both_units(minor, currency)
    return "nothing that can be read"


def match_transfers(attempts: Sequence[Attempt], transfers: Sequence[Transfer]) -> list[Difference]:
    """For each recipient and amount: as many transfers as charges that earned one; and none that
    failed.
    """
    wanted: dict[tuple[str, int], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        charge = attempt.charge
        if charge is not None and attempt.outcome is Outcome.SUCCEEDED:
            wanted[attempt.intent.destination, charge.amount - (charge.platform_fee or 0)].append(
                attempt
            )
    there = Counter(_whom_and_how_much(transfer) for transfer in transfers if not transfer.deleted)
    found = []
    for (recipient, amount), some in sorted(wanted.items()):
        if (missing := len(some) - there[recipient, amount]) > 0:
            found.append(_missing(recipient, amount, some, missing))
    for transfer in transfers:
        earners = wanted.get(_whom_and_how_much(transfer))
        if earners and transfer.failure_code:
            found.append(_failure(transfer, earners[0].intent.currency))
    return found


def _whom_and_how_much(transfer: Transfer) -> tuple[str, int]:
    """What cannot be read is nobody's: no charge earns less than nothing."""
    if transfer.amount is None:
        return transfer.recipient, -1
    return transfer.recipient, transfer.amount


def _failure(transfer: Transfer, currency: str) -> Difference:
    code, amount = (transfer.currency or currency).upper(), transfer.amount or 0
    told = (
        f"transfer {transfer.id} of {both_units(amount, code)} to {transfer.recipient} failed:"
        f" {transfer.failure_code}"
    )
    return Difference(
        "transfer-failed",
        "",
        "",
        told,
        amount,
        code,
        state=transfer.failure_code,
        about=transfer.id,
    )


def _missing(recipient: str, amount: int, some: Sequence[Attempt], missing: int) -> Difference:
    """So many transfers of an amount, of which too few are there; the last order stands for
    them.
    """
    last, code = some[-1], some[-1].intent.currency.upper()
    which = (
        f"{missing} of {many(len(some), 'transfer')} of {both_units(amount, code)} to {recipient}"
    )
    told = f"{which} {'is' if missing == 1 else 'are'} missing at the gateway"
    earned_by = _digest(",".join(sorted(_id(attempt) for attempt in some)))
    return Difference(
        "transfer-missing",
        last.intent.order_id,
        _id(last),
        told,
        missing * amount,
        code,
        state=earned_by,
        about=f"{recipient}-{amount}",
    )


def _id(attempt: Attempt) -> str:
    if attempt.charge:
        return attempt.charge.id
    return ""
