"""MATCH: this job's journal and the gateway's own ledger, held against each other both ways.

Charges are matched by their key, credits by the charge they come from, transfers by the id that a
run found at the end of a chain. Of charges whose chain told none, by recipient and amount, of which
as many must be there as were earned: a transfer does not say which charge it belongs to
(docs/gateway.md, 7.1 and 7.9).
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
from batchpay.domain.times import day_told, is_instant
from batchpay.lifecycle.after import earns
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import flaws_of, key_in, outcome_of
from batchpay.lifecycle.keys import place_in
from batchpay.lifecycle.paid import Charged, Paid, charged_by, paid_by
from batchpay.messages import screens, steps

UNKNOWN_TO_JOURNAL = "unknown-to-journal"  # a kind of difference
DISPUTE_WON = "won"  # the payer's bank gave the money back

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
    # Smallest unit: of the charge, the refunds, the credit or the transfers that it is about.
    amount: int = 0
    currency: str = ""  # upper case
    # What a person should give back, if anything; smallest unit.
    refund_minor: int = 0
    # What else would make it another difference: a note is of the difference as it was.
    state: str = ""
    # What it is about where that is not the charge.
    about: str = ""
    over: bool = False  # it ended well: nobody needs to look

    @property
    def id(self) -> str:
        """What a person takes note of it by: the same at every audit, in plain letters."""
        about = self.about or self.charge_id or self.order_id
        if not _PLAIN.fullmatch(about):
            about = _digest(about)
        return f"{self.kind}:{about}"


@dataclass(frozen=True, slots=True)
class Timeless:
    """A charge of the journal that the gateway gives no time for."""

    order_id: str
    charge_id: str
    amount: int  # smallest unit
    currency: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Several:
    """More than one charge of an order that took money: `doubles` tells what is too much of it."""

    paid: Paid
    # What is told of these where nothing is too much and nothing was given back.
    twins: tuple[Difference, ...] = ()


@dataclass(slots=True)
class Match:
    """What an audit found."""

    # Currency -> what the journal, and what the gateway, says was charged; smallest unit.
    ours: Counter[str] = field(default_factory=Counter)
    theirs: Counter[str] = field(default_factory=Counter)
    # Currency -> how many charges these sums are of.
    ours_count: Counter[str] = field(default_factory=Counter)
    theirs_count: Counter[str] = field(default_factory=Counter)
    # Charge id -> order id, of every listed charge of this job; and those that these sums are of.
    placed: dict[str, str] = field(default_factory=dict)
    summed: set[str] = field(default_factory=set)
    # ... and those of which nobody can read how much that is.
    unread: set[str] = field(default_factory=set)
    # Charges that are the same on both sides, whatever became of them; no difference names them.
    matched: int = 0
    others: int = 0  # charges of the account that are not this job's
    differences: list[Difference] = field(default_factory=list)
    # Order id -> its charges, where more than one took money.
    several: dict[str, Several] = field(default_factory=dict)
    # Ours, in no list, and of a day that nobody tells.
    without_time: list[Timeless] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, found: Iterable[Difference]) -> None:
        """More differences."""
        self.differences.extend(found)


def apart(differences: Sequence[Difference]) -> list[Difference]:
    """The same, each with an id of its own: what would share one is named by its order too."""
    shared = Counter(one.id for one in differences)
    found = []
    for one in differences:
        if shared[one.id] > 1:
            about = f"{one.about or one.charge_id}-{_digest(one.order_id)}"
            found.append(replace(one, about=about))
        else:
            found.append(one)
    return found


# --- charges


def match_charges(
    job: str,
    attempts: Sequence[Attempt],
    charges: Sequence[Booked],
    *,
    live: bool,
    zone: str = "UTC",
) -> Match:
    """Both ways over the charges of one period: `attempts` are those whose charge was made in it,
    or may have been. `zone`: of the days that people type.

    What tells no time and is not in the list may be of another day: it is told apart, and counts on
    no side (J36).
    """
    match = Match()
    of_orders = _match_theirs(match, job, attempts, charges, live, zone)
    listed = {charge.id for some in of_orders.values() for charge, _ in some}
    _match_ours(match, attempts, listed)
    twins = {one.charge.id: attempt for attempt in attempts for one in attempt.others}
    further: set[str] = set()
    for order_id, some in of_orders.items():
        told = list(_twins(twins, order_id, some))
        several = _several(some, told)
        if several is not None:
            match.several[order_id] = several
            further.update(charge.id for charge in several.paid.charges[1:])
        of_these = several.twins if several else ()
        match.add(one for one in told if one not in of_these)
    match.matched = len(listed - further - {one.charge_id for one in match.differences})
    match.add(_unexplained(match))
    if match.unread:
        ids = ", ".join(sorted(match.unread))
        match.notes.append(f"in no sum, for nobody can read how much it took: {ids}")
    return match


def _match_theirs(
    match: Match,
    job: str,
    attempts: Sequence[Attempt],
    charges: Sequence[Booked],
    live: bool,
    zone: str,
) -> dict[str, list[Charged]]:
    """Every charge of the list; returns those of this job, by order id."""
    known = _Known(attempts)
    of_orders: dict[str, list[Charged]] = defaultdict(list)
    for booked in charges:
        charge = booked.charge
        if charge is None:
            match.others += 1
            continue
        attempt = known.attempt_of(charge)
        order_id = order_of(job, charge, attempt)
        if order_id is None:
            match.others += 1
            continue
        of_orders[order_id].append((charge, attempt))
        match.placed[charge.id] = order_id
        if charge.took_money:
            match.theirs[charge.currency.upper()] += charge.summed
            match.theirs_count[charge.currency.upper()] += 1
            match.summed.add(charge.id)
            if charge.taken is None:
                match.unread.add(charge.id)
        step = _look_again(charge, zone)
        match.add(_of_charge(charge, booked.dispute, order_id, attempt, live, step))
    return of_orders


def _match_ours(
    match: Match, attempts: Sequence[Attempt], listed: Collection[str]
) -> None:
    """Every attempt, against the ids of the charges that are in the list."""
    for attempt in attempts:
        timeless = _timeless(attempt, listed)
        if timeless is not None:
            match.without_time.append(timeless)
            continue
        match.add(_of_attempt(attempt, listed))
        if attempt.money is not None:
            match.ours[attempt.money.currency.upper()] += attempt.money.summed
            match.ours_count[attempt.money.currency.upper()] += 1


class _Known:
    """Attempts by their charge, and by their key."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self._by_key = {attempt.intent.key: attempt for attempt in attempts}
        self._by_id: dict[str, Attempt] = {}
        for attempt in attempts:
            if attempt.charge is not None and not attempt.anothers:
                self._by_id[attempt.charge.id] = attempt

    def attempt_of(self, charge: ChargeSeen) -> Attempt | None:
        """The attempt that shows this charge, or whose key it carries."""
        shown = self._by_id.get(charge.id)
        if shown is not None:
            return shown
        return self._by_key.get(key_in(charge) or "")


def order_of(
    job: str, charge: ChargeSeen, attempt: Attempt | None = None
) -> str | None:
    """The order of a charge of this job, by its attempt or by what it says; None: it is none."""
    if attempt is not None:
        return attempt.intent.order_id
    place = place_in(job, charge.metadata)
    if place is None:
        return None
    return place[0]


# Kinds of difference by which the two sums may differ.
_OF_SUMS = frozenset(
    {
        UNKNOWN_TO_JOURNAL,
        "other-charge",
        "false-success",
        "unknown-to-gateway",
        "status",
        "amount",
    }
)


def _twins(
    twins: Mapping[str, Attempt], order_id: str, charged: Iterable[Charged]
) -> Iterator[Difference]:
    """Every further charge that the gateway made under one key, whatever became of it."""
    for charge, _ in charged:
        attempt = twins.get(charge.id)
        if attempt is None:
            continue
        mine = attempt.outcome.value
        if attempt.charge:
            mine = f"{attempt.charge.id}, {attempt.charge.status}"
        told = (
            f"the gateway made this one too, {charge.status}, under the key of {mine}, as"
            " reported"
        )
        yield difference_about(charge, "other-charge", order_id, told, charge.status)


def _several(charged: Iterable[Charged], twins: Iterable[Difference]) -> Several | None:
    """None: no more than one of an order's charges took money."""
    took = {pair[0].id: pair for pair in charged if pair[0].took_money}
    if len(took) < 2:
        return None
    told = tuple(one for one in twins if one.charge_id in took)
    return Several(paid_by(sorted(took.values(), key=_number)), told)


def _number(charged: Charged) -> int:
    """Of the attempt; one that nobody knows is before all others."""
    _, attempt = charged
    if attempt is None:
        return 0
    return attempt.intent.attempt


def _unexplained(match: Match) -> Iterator[Difference]:
    """Two sums that differ with nothing that says why: that is a difference of its own."""
    explained = {one.currency for one in match.differences if one.kind in _OF_SUMS}
    for several in match.several.values():
        explained |= {one.currency.upper() for one in several.paid.charges}
    for currency in sorted(match.ours.keys() | match.theirs.keys()):
        ours = match.ours[currency]
        theirs = match.theirs[currency]
        if ours == theirs or currency in explained:
            continue
        mine = both_units(ours, currency)
        listed = both_units(theirs, currency)
        yield Difference(
            "sums",
            order_id="",
            charge_id="",
            told=f"the journal says {mine}, the gateway {listed}",
            amount=theirs - ours,
            currency=currency,
            state=f"{ours}/{theirs}",
            about=currency,
        )


def _timeless(attempt: Attempt, listed: Collection[str]) -> Timeless | None:
    """A charge that no instant and no list puts into the period."""
    charge = attempt.charge
    if charge is None or charge.id in listed or is_instant(charge.created_at):
        return None
    return Timeless(
        attempt.intent.order_id,
        charge.id,
        charge.summed,
        charge.currency.upper(),
        attempt.outcome.value,
    )


def _of_charge(
    charge: ChargeSeen,
    dispute: str | None,
    order_id: str,
    attempt: Attempt | None,
    live: bool,
    step: str,
) -> Iterator[Difference]:
    """A charge of this job against the attempt that asked for it. What was given back of it is told
    by `refunds`.
    """
    if attempt is None:
        told = f"the gateway has it, {charge.status}; the journal does not{step}"
        yield difference_about(
            charge, UNKNOWN_TO_JOURNAL, order_id, told, charge.status
        )
        return
    if attempt.charge is None or attempt.charge.id != charge.id:
        yield from _beside_its_own(charge, order_id, attempt, step)
        return
    yield from _of_status(charge, order_id, attempt, step)
    yield from _of_money(charge, order_id, attempt.charge)
    flaws = "; ".join(flaws_of(charge, attempt.intent, live))
    if flaws:
        yield difference_about(charge, "terms", order_id, flaws, flaws)
    if dispute is not None:
        stands = str(screens.DISPUTED(status=dispute or "its status is untold"))
        found = difference_about(charge, "disputed", order_id, stands, dispute)
        yield replace(found, over=dispute == DISPUTE_WON)


def _look_again(charge: ChargeSeen, zone: str) -> str:
    """How a difference ends that a run settles which reads the list of that day once more; a charge
    that tells no time has no day.
    """
    if not is_instant(charge.created_at):
        return ""
    return f": {steps.LOOK_SINCE(day=day_told(charge.created_at, zone))}"


def _beside_its_own(
    charge: ChargeSeen, order_id: str, attempt: Attempt, step: str
) -> Iterator[Difference]:
    """A charge under the key of an attempt that shows another one, or none."""
    if charge.id in attempt.twins:
        return
    known = attempt.outcome.value
    if attempt.charge:
        known = attempt.charge.id
    told = f"the journal says {known} for the same key{step}"
    yield difference_about(charge, "other-charge", order_id, told, known)


def _of_status(
    charge: ChargeSeen, order_id: str, attempt: Attempt, step: str
) -> Iterator[Difference]:
    theirs = outcome_of(charge)
    ours = attempt.outcome
    both = f"the journal says {ours.value}, the gateway {charge.status}"
    state = f"{ours.value}/{charge.status}"
    is_charged = theirs is Outcome.SUCCEEDED
    if ours is Outcome.SUCCEEDED and not (is_charged and charge.paid):
        yield difference_about(charge, "false-success", order_id, both, state)
    elif theirs is not ours and not (ours is Outcome.UNPROVEN and is_charged):
        yield difference_about(charge, "status", order_id, f"{both}{step}", state)


def _of_money(
    charge: ChargeSeen, order_id: str, known: ChargeSeen
) -> Iterator[Difference]:
    if (known.amount, known.currency) == (charge.amount, charge.currency):
        return
    mine, listed = (sum_told(_minor_of(one), one.currency) for one in (known, charge))
    told = f"the journal was told {mine}, the gateway lists {listed}"
    yield difference_about(
        charge, "amount", order_id, told, f"{known.amount} {known.currency}"
    )


def _minor_of(charge: ChargeSeen) -> Minor:
    if "amount" in charge.unread_fields:
        return None
    return charge.amount


def difference_about(
    charge: ChargeSeen,
    kind: str,
    order_id: str,
    told: str,
    state: str,
) -> Difference:
    return Difference(
        kind,
        order_id,
        charge.id,
        told,
        charge.summed,
        charge.currency.upper(),
        state=state,
    )


def _of_attempt(attempt: Attempt, listed: Collection[str]) -> Iterator[Difference]:
    """An attempt whose charge the gateway does not list."""
    charge = attempt.charge
    outcome = attempt.outcome
    if charge is None or charge.id in listed or attempt.anothers:
        return
    kind = "unknown-to-gateway"
    if outcome is Outcome.SUCCEEDED:
        kind = "false-success"
    told = f"the journal says {outcome.value}; the gateway does not list it"
    yield difference_about(
        charge, kind, attempt.intent.order_id, told, f"{outcome.value}/"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


# --- credits and transfers


def match_credits(
    attempts: Sequence[Attempt],
    charges: Sequence[Booked],
    transactions: Sequence[Transaction],
) -> list[Difference]:
    """Each charge that took money has one credit of its net (docs/gateway.md, 7.5)."""
    credits: dict[str, list[Transaction]] = defaultdict(list)
    for entry in transactions:
        if entry.direction == "credit":
            credits[entry.origin].append(entry)
    shown = {booked.id: booked for booked in charges}
    found: list[Difference] = []
    for charge, of in charged_by(attempts):
        if of is not None and charge.id in shown:
            mine = credits.get(charge.id, [])
            found += _of_credits(charge, shown[charge.id], of.intent.order_id, mine)
    return found


def _of_credits(
    charge: ChargeSeen,
    shown: Booked,
    order_id: str,
    mine: Sequence[Transaction],
) -> Iterator[Difference]:
    """`mine`: the credits that come from this charge."""
    if not mine:
        told = "the account's ledger has no credit for it"
        yield difference_about(charge, "no-credit", order_id, told, "")
        return
    if len(mine) > 1:
        told = f"{len(mine)} credits in the account's ledger"
        yield difference_about(charge, "two-credits", order_id, told, str(len(mine)))
        return
    net = shown.net
    got = mine[0].amount
    currency = shown.funding_currency or charge.currency
    if got != net:
        credited = sum_told(got, mine[0].currency or currency)
        told = f"credited {credited}, its net is {sum_told(net, currency)}"
        yield difference_about(charge, "credit-differs", order_id, told, f"{got}/{net}")


def sum_told(minor: Minor, currency: str) -> str:
    """A sum as a ledger gives it, for people."""
    if isinstance(minor, int):
        return both_units(minor, currency)
    return "nothing that can be read"


def match_transfers(
    attempts: Sequence[Attempt], transfers: Sequence[Transfer]
) -> list[Difference]:
    """Of each charge whose transfer is known by its id that one, and none that failed. Of the rest,
    for each recipient and amount as many transfers as charges that earned one.
    """
    earned = [one for one in attempts if earns(one) and one.charge]
    known = {one.transfer.id: one for one in earned if one.transfer is not None}
    there = {transfer.id: transfer for transfer in transfers}
    found = []
    for name, attempt in known.items():
        transfer = there.get(name)
        if transfer is None or transfer.deleted:
            found.append(_gone(name, attempt))
        elif transfer.failure_code:
            found.append(_failure(transfer, attempt))
    rest = [one for one in earned if one.transfer is None]
    unclaimed = [transfer for transfer in transfers if transfer.id not in known]
    return found + _match_by_amount(rest, unclaimed)


def _gone(name: str, attempt: Attempt) -> Difference:
    """A transfer that the journal has seen, and that is no more."""
    seen = attempt.transfer
    amount = None
    if seen is not None:
        amount = seen.amount
    code = attempt.intent.currency.upper()
    to = attempt.intent.destination
    told = (
        f"transfer {name} of {sum_told(amount, code)} to {to} is missing at the gateway"
    )
    order_id = attempt.intent.order_id
    return Difference(
        "transfer-missing", order_id, _id(attempt), told, amount or 0, code, about=name
    )


def _match_by_amount(
    attempts: Sequence[Attempt], transfers: Sequence[Transfer]
) -> list[Difference]:
    """For each recipient and amount: as many transfers as charges that earned one; and none that
    failed.
    """
    wanted: dict[tuple[str, int], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.charge is not None:
            share = attempt.charge.summed - (attempt.charge.platform_fee or 0)
            wanted[attempt.intent.destination, share].append(attempt)
    there = Counter[tuple[str, int]]()
    for transfer in transfers:
        if not transfer.deleted:
            there[_whom_and_how_much(transfer)] += 1
    found = []
    for (recipient, amount), some in sorted(wanted.items()):
        missing = len(some) - there[recipient, amount]
        if missing > 0:
            found.append(_missing(recipient, amount, some, missing))
    for transfer in transfers:
        earners = wanted.get(_whom_and_how_much(transfer))
        if earners and transfer.failure_code:
            found.append(_failure(transfer, earners[0], proven=False))
    return found


def _whom_and_how_much(transfer: Transfer) -> tuple[str, int]:
    """What cannot be read is nobody's: no charge earns less than nothing."""
    if transfer.amount is None:
        return transfer.recipient, -1
    return transfer.recipient, transfer.amount


def _failure(
    transfer: Transfer, attempt: Attempt, *, proven: bool = True
) -> Difference:
    """`proven`: it is known to be of this very charge."""
    name = transfer.id
    failure = transfer.failure_code
    amount = transfer.amount
    code = (transfer.currency or attempt.intent.currency).upper()
    whole = sum_told(amount, code)
    told = f"transfer {name} of {whole} to {transfer.recipient} failed: {failure}"
    order_id = ""
    charge_id = ""
    if proven:
        order_id = attempt.intent.order_id
        charge_id = _id(attempt)
    return Difference(
        "transfer-failed",
        order_id,
        charge_id,
        told,
        amount or 0,
        code,
        state=failure,
        about=name,
    )


def _missing(
    recipient: str,
    amount: int,
    some: Sequence[Attempt],
    missing: int,
) -> Difference:
    """So many transfers of an amount, of which too few are there; the last order stands for
    them.
    """
    last = some[-1]
    code = last.intent.currency.upper()
    are = "are"
    if missing == 1:
        are = "is"
    transfers = many(len(some), "transfer")
    each = both_units(amount, code)
    ids = sorted(_id(attempt) for attempt in some)
    return Difference(
        "transfer-missing",
        last.intent.order_id,
        _id(last),
        f"{missing} of {transfers} of {each} to {recipient} {are} missing at the gateway",
        missing * amount,
        code,
        state=_digest(",".join(ids)),
        about=f"{recipient}-{amount}",
    )


def _id(attempt: Attempt) -> str:
    if attempt.charge:
        return attempt.charge.id
    return ""
