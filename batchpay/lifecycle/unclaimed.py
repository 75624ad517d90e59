"""UNCLAIMED: charges in the gateway's lists of which nothing tells whose they are, kept until
something does.

A list is read once: what it showed, later ones do not show again. The order whose charge it is may
come in a file of a later run. So what no journal could place is written down when it is seen, and
held against every order before it is sent:

    stray      it kept its batchpay_key, and neither job nor order: the order that makes this very
      key is its own
    nameless   it kept no key, or one that fits nothing that it names: any order with its payer,
      recipient, amount and currency may be its own, where a journal has lost events, or an order
      was sent and is said to have charged nothing. The order that makes its key takes it up
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from batchpay.domain.events import Disowned, NamelessListed, Stray, kinds, of, told_by
from batchpay.domain.model import ChargeSeen, Document, Event, Intent
from batchpay.domain.times import instant_ns
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.elsewhere import asked_for
from batchpay.lifecycle.keys import number_of
from batchpay.lifecycle.payers import payer_fits, who_pays
from batchpay.lifecycle.places import order_in
from batchpay.lifecycle.terms import Asked, asked_by

KINDS = kinds(Stray, NamelessListed, Disowned)  # of the events that tell of them
# payer or recipient, amount in the smallest unit, lower-case currency
Terms = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Nameless:
    """A charge without a key that fits, as far as it is needed to know whose it may be."""

    charge_id: str
    payer: str  # empty: not told
    destination: str  # empty: not told; then its payer is
    amount: int
    currency: str  # lower case
    created_at: str  # ISO 8601 UTC; empty: not told
    # that it names itself; of one that kept a key nothing else is believed
    order_id: str = ""
    key: str = ""  # that it kept, and that no journal knows

    @property
    def terms(self) -> Terms:
        """By what it is looked for: its recipient, how much."""
        return self.destination, self.amount, self.currency

    @property
    def found_by(self) -> tuple[Terms, ...]:
        """The same, and by its payer where that is known."""
        customer = who_pays(self.payer)
        if not customer:
            return (self.terms,)
        return (self.terms, (customer, self.amount, self.currency))

    def may_be_to(self, destination: str | None) -> bool:
        """Is it for this recipient, or does it tell none?"""
        return self.destination in ("", destination)

    def may_be_of(self, ids: Collection[str], payer: str) -> bool:
        """Of a sale with the same terms: may it be this one's, and does nothing tell? Where it
        tells no recipient its payer must be the sale's. `ids`: all order ids that this has, or had.
        """
        fits = payer_fits(payer, self.payer)
        if fits is False or not (self.destination or fits):
            return False
        return self.order_id in ("", *ids)

    def is_by_key_of(self, job: str, order_id: str) -> bool:
        """Does this order of the job make its key?"""
        return bool(self.key) and number_of(job, order_id, self.key) is not None

    def may_be_made_since(self, at_ns: int) -> bool:
        """Was it made since then, by the gateway's clock, or does nobody tell when?"""
        made_ns = instant_ns(self.created_at)
        return made_ns is None or made_ns >= at_ns


def nameless_of(charge: ChargeSeen) -> Nameless:
    """What is kept of a charge."""
    key = charge.metadata.get("batchpay_key", "")
    order_id = charge.metadata.get("order_id", "")
    if key:
        order_id = ""
    return Nameless(
        charge.id,
        charge.payer or "",
        charge.destination or "",
        charge.amount,
        charge.currency.lower(),
        charge.created_at,
        order_id,
        key,
    )


@dataclass(slots=True)
class Unclaimed:
    """What the journal has kept of such charges, but for the nameless that a person said are none
    of this job's.
    """

    # By key, then by charge id.
    strays: dict[str, dict[str, ChargeSeen]] = field(default_factory=dict)
    # By terms, then by charge id.
    nameless: dict[Terms, dict[str, Nameless]] = field(default_factory=dict)

    def add_stray(self, key: str, charge: ChargeSeen) -> None:
        """One more, or what a list shows of it now."""
        self.strays.setdefault(key, {})[charge.id] = charge

    def add_nameless(self, one: Nameless) -> None:
        """One more."""
        for terms in one.found_by:
            self.nameless.setdefault(terms, {})[one.charge_id] = one

    def has(self, one: Nameless) -> bool:
        """Is it kept already?"""
        return one.charge_id in self.nameless.get(one.terms, {})


def unclaimed_in(events: Iterable[Event]) -> Unclaimed:
    """The same, from events of the kinds KINDS. A stray is its order's by its key, whatever anybody
    says.
    """
    found = Unclaimed()
    disowned: set[str] = set()
    for event in events:
        told = of(event)
        if isinstance(told, Stray):
            found.add_stray(told.key, told.charge)
        elif isinstance(told, NamelessListed):
            for kept in told.charges:
                found.add_nameless(Nameless(**kept))
        elif isinstance(told, Disowned):
            disowned.add(told.charge_id)
    for some in found.nameless.values():
        for charge_id in disowned & some.keys():
            del some[charge_id]
    return found


def disowned_in(events: Iterable[Event]) -> set[str]:
    """Ids of charges that a person said are none of this job's."""
    return {told.charge_id for _, told in told_by(events, Disowned)}


def nameless_told(some: Iterable[Nameless]) -> NamelessListed:
    """What the journal keeps of them."""
    return NamelessListed(charges=tuple(asdict(one) for one in some))


def fits(
    nameless: Mapping[Terms, Mapping[str, Nameless]],
    asked: Asked,
    ids: Sequence[str],
    job: str,
) -> list[Nameless]:
    """The kept charges that may be of an order that asks for this, and are not by their keys; none
    where not all of it is known. `ids`: its own id, and the others of its sale; `job`: the name of
    its job.
    """
    found: dict[str, Nameless] = {}
    amount = asked.amount
    currency = asked.currency
    if asked.destination is None or amount is None or currency is None:
        return []
    for told in dict.fromkeys((asked.destination, "", who_pays(asked.payer))):
        for one in nameless.get((told, amount, currency), {}).values():
            if one.may_be_of(ids, asked.payer) and not one.is_by_key_of(job, ids[0]):
                found[one.charge_id] = one
    return list(found.values())


def fits_sale(
    nameless: Mapping[Terms, Mapping[str, Nameless]],
    documents: Iterable[Document],
    intents: Sequence[Intent],
    job: str,
) -> Iterator[Nameless]:
    """Those that may be of a sale, by what that asks for or ever asked for (`elsewhere.asked_for`).

    `intents`: its attempts, first the one that is about to be asked for.
    """
    ids: list[str] = []
    for intent in intents:
        ids += (intent.order_id, *filter(None, map(order_in, intent.sale)))
    for asked in asked_for(documents, intents):
        yield from fits(nameless, asked, ids, job)


def may_be_charge_of(
    attempt: Attempt, nameless: Mapping[Terms, Mapping[str, Nameless]], job: str
) -> Iterator[Nameless]:
    """The same of an attempt that was sent: those that were made since, or whose time is not
    told.
    """
    asked = attempt.intent
    for charge in fits(nameless, asked_by(asked), [asked.order_id], job):
        is_since = charge.may_be_made_since(attempt.charged_since_ns)
        if is_since and charge.may_be_to(asked.destination):
            yield charge


def maybe_charged_among(
    attempts: Iterable[Attempt],
    nameless: Mapping[Terms, Mapping[str, Nameless]],
    job: str,
) -> Iterator[tuple[Attempt, Nameless]]:
    """Attempts that are said to have charged nothing, each with a charge that may be its own after
    all: beside one of them nothing more of its order is sent.
    """
    for attempt in attempts:
        if attempt.said_uncharged:
            for charge in may_be_charge_of(attempt, nameless, job):
                yield attempt, charge
