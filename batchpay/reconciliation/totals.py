"""TOTALS: findings become counts and sums that must close, who must act, and the exit code.

Every number here is counted from findings; its equations hold two counts of different origin
against each other, so that a lost row, a row counted twice or an amount that differs from what was
charged is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import compress
from typing import Any, NamedTuple

from batchpay.domain.exits import A_PERSON, ACCOUNTANT, NOBODY, Acts
from batchpay.domain.model import (
    MONEY_MOVED,
    OPEN,
    SENT,
    Finding,
    Further,
    Outcome,
    Read,
)
from batchpay.domain.money import major_text, money_text
from batchpay.lifecycle.after import ENDED, FOR_A_PERSON
from batchpay.lifecycle.places import by_order
from batchpay.messages import nights as said
from batchpay.messages.message import Message, plain
from batchpay.messages.problems import TOTAL_ROW
from batchpay.messages.standing import NEAR_ONE
from batchpay.reconciliation.findings import (
    DISPUTE_OPEN,
    MAY_BE_SETTLED,
)
from batchpay.reconciliation.iso20022 import status_of, status_of_plain
from batchpay.reconciliation.lines import Lines, PlainLines

ROWS_READ = "rows read = rejected + duplicate + conflict + held + sent"
ASKED_CHARGED = "amounts asked = amounts charged"
ASKED_CHARGED_BUT = (
    "amounts asked = amounts charged + differences that a person knows of"
)
SUMS_READ = "amounts read = amounts of the rows reported"
SENT_ENDED = "rows with a send = sum of the outcomes of sent rows"
IN_FILE = "rows in the file = rows reported"
MATTERS = 10_000  # of a batch that are told apart when it is counted who must act
# ... of which a later row of the same sale may speak instead; and those of them that stand in a
# rejects file
TAKEN_ON = "taken on"
IN_REJECTS = "in rejects"
# ... and which a later run sees to by itself, once somebody has acted: it asks, or it sends
ASKED = "asked"
SENT_LATER = "sent later"
OF_A_RUN = frozenset({ASKED, SENT_LATER})
SEEN_TO = "seen to"  # transfers that do not arrive, of which a person said so
DIFFERS = "differs"  # transfers that are not the recipient's share
UNTOLD = "untold"  # shares of which the gateway has told no transfer
NOT_AS_ASKED = "unproven"  # rows that are not as they were asked, and have a share
REFUNDED = "refunded"  # given back since
CONTRADICTED = "refund contradicted"  # as the gateway tells, and cannot be
# charges of which fee, VAT or net cannot be what the gateway tells, or cannot be read: these are in
# no sum
ODD_COSTS = "odd costs"
CHARGED_UNREAD = "charged unread"  # ... of which nobody can read how much they took
INTEREST = "interest"  # of instalments, among the fees
NAMED = 10  # further charges that a line names
# how a further charge stands whose order has paid twice
LEFT = frozenset({"open", "noted"})


# of plain lines: what they are counted apart by, and what of them is added up


class _Kind(NamedTuple):
    currency: str
    charged_currency: str
    fee_currency: str
    transfer_status: str


_APART_BY = _Kind._fields
_OF_TRANSFERS = {
    "amount": "transfer_amount",
    "fee": "transfer_fee",
    "bank": "bank_amount",
}
_ADDED_UP = (
    "destination",
    "amount",
    "charged_amount",
    "fee",
    "fee_vat",
    "net",
    "platform_fee",
    "recipient_amount",
    *_OF_TRANSFERS.values(),
)


def unknown(name: str) -> str:
    """By what it is counted of how many transfers amount, fee or bank is not known: what is not is
    in no sum.
    """
    return f"{name} unknown"


def _told(column: Iterable[int | None]) -> list[int]:
    return [cell for cell in column if cell is not None]


@dataclass(frozen=True, slots=True)
class Equation:
    """Two counts of different origin that must agree."""

    currency: str  # empty: over all
    name: str
    left: int
    right: int

    @property
    def closes(self) -> bool:
        """Do they?"""
        return self.left == self.right


@dataclass(slots=True)
class Totals:
    """Counts and sums of a batch, in smallest units, by upper-case currency (empty: unknown)."""

    rows_read: int = 0
    with_intent: int = 0
    # (currency, outcome) -> rows, and what they ask for.
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Currency -> rows, counted apart from outcomes.
    rows: Counter[str] = field(default_factory=Counter)
    # By the currency that the row says, as it was read: rows without a send, rows with one, and
    # sums of what the rows say.
    unsent: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    # What the gateway says it took, by its own currency.
    charged: Counter[str] = field(default_factory=Counter)
    # Asked less charged of what a person took note of.
    differs: Counter[str] = field(default_factory=Counter)
    # Outcomes that duplicates name, and those of attempts that a person took note of.
    named: Counter[str] = field(default_factory=Counter)
    named_accepted: Counter[str] = field(default_factory=Counter)
    # Outcomes that a person took note of, and of rows that were settled elsewhere.
    accepted: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)
    # (outcome, code) -> rows.
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    # (recipient, currency) -> sum succeeded, and rows.
    recipients: Counter[tuple[str, str]] = field(default_factory=Counter)
    recipient_counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    # (currency, fee currency, fee | vat | net | interest) -> sum.
    fees: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    # (currency, platform | recipient) -> sum; (currency, known | unknown) -> charges, by whether a
    # share can be told; (currency, odd costs | charged unread) -> charges.
    shares: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Who must act -> rows.
    acts: Counter[str] = field(default_factory=Counter)
    # Run that sent them, or empty -> rows with a warning.
    warned: Counter[str] = field(default_factory=Counter)
    # ... and of these, rows that resemble an order of the last days.
    alike: Counter[str] = field(default_factory=Counter)
    # (who must act, may a later row of its sale take it on?, digest of the sale) -> rows; of the
    # first MATTERS sales.
    matters: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    # (currency, order, charge, how that stands) -> sum of what further charges of an order took,
    # beside `charged`.
    further: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    # (order, how that stands: open or noted) -> rows of orders of which two attempts took money;
    # each has its own row.
    paid_apart: Counter[tuple[str, str]] = field(default_factory=Counter)
    # How it stands (open or noted) -> rows that succeeded, and whose charge the gateway knows no
    # more.
    gone: Counter[str] = field(default_factory=Counter)
    # (currency, where transfers are, or differs | untold; rows | amount | fee | bank) -> how
    # much; of how many of them one of these is unknown, by the name that `unknown` makes of it.
    payouts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    # (currency, refunded) -> sum given back since; (currency, dispute's status) -> charges.
    later: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Outcome -> rows that came back for an earlier row, or after an earlier attempt.
    came_back: Counter[str] = field(default_factory=Counter)
    # ISO 20022 status -> rows.
    iso20022: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count one row."""
        currency = finding.currency
        outcome = finding.outcome
        self.rows_read += 1
        self.rows[currency] += 1
        self.counts[currency, outcome.value] += 1
        self.iso20022[status_of(finding).code] += 1
        self.sums[currency, outcome.value] += finding.amount or 0
        if finding.warnings:
            self.warned[finding.run_id] += 1
            if any(one.rule == NEAR_ONE.code for one in finding.warnings):
                self.alike[finding.run_id] += 1
        if finding.corrects:
            self.came_back[outcome.value] += 1
        self._add_read(finding)
        self._add_noted(finding)
        if finding.who_acts != NOBODY:
            sale = finding.sale or by_order(finding.order_id)
            self._add_matter(finding.who_acts, _kind_of(finding), sale)
        self._add_further(finding.order_id, finding.further)
        if finding.gone:
            self.gone[finding.gone] += 1
        if finding.paid_apart:
            self.paid_apart[finding.order_id, finding.paid_apart] += 1
        if outcome in MONEY_MOVED:
            self._add_charged(finding)
            self._add_shares(finding)
            self._add_payout(finding)
        if finding.took_money:
            self.recipients[finding.destination, currency] += finding.amount or 0
            self.recipient_counts[finding.destination, currency] += 1
        for code in codes_of(finding):
            self.codes[outcome.value, code] += 1

    def add_lines(self, lines: Lines) -> None:
        """Count all lines of a chunk."""
        for finding in lines.apart.values():
            self.add(finding)
        if lines.plain is not None:
            self._add_plain(lines.plain)

    def _add_plain(self, lines: PlainLines) -> None:
        """Count rows that succeeded and of which there is nothing to tell, as `add` would each of
        them.
        """
        columns = {name: lines.cells(name) for name in (*_APART_BY, *_ADDED_UP)}
        kinds = list(zip(*map(columns.__getitem__, _APART_BY), strict=True))
        for kind in dict.fromkeys(kinds):
            added = columns
            if kinds.count(kind) < len(kinds):
                which = [one == kind for one in kinds]
                added = {one: list(compress(columns[one], which)) for one in columns}
            self._add_of_kind(_Kind(*kind), added)

    def _add_of_kind(self, kind: _Kind, cells: Mapping[str, list[Any]]) -> None:
        currency, charged_in, fee_currency, stands = kind
        rows = len(cells["amount"])
        succeeded = (currency, Outcome.SUCCEEDED.value)
        asked = sum(cells["amount"])
        self.rows_read += rows
        self.with_intent += rows
        self.rows[currency] += rows
        self.sent[currency] += rows
        self.counts[succeeded] += rows
        self.sums[succeeded] += asked
        self.iso20022[status_of_plain(stands).code] += rows
        if currency:
            self.asked[currency] += asked
        self.charged[charged_in or currency] += sum(cells["charged_amount"])
        for name, column in (("fee", "fee"), ("vat", "fee_vat"), ("net", "net")):
            if told := _told(cells[column]):
                self.fees[currency, fee_currency, name] += sum(told)
        self._add_shares_of(currency, cells)
        if stands:
            self.payouts[currency, stands, "rows"] += rows
            for name, column in _OF_TRANSFERS.items():
                told = _told(cells[column])
                self.payouts[currency, stands, name] += sum(told)
                if len(told) < rows:
                    self.payouts[currency, stands, unknown(name)] += rows - len(told)
        else:
            self.payouts[currency, UNTOLD, "rows"] += rows
            shares = sum(_told(cells["recipient_amount"]))
            self.payouts[currency, UNTOLD, "amount"] += shares
        for to, amount in zip(cells["destination"], cells["amount"], strict=True):
            self.recipients[to, currency] += amount
        for to, times in Counter(cells["destination"]).items():
            self.recipient_counts[to, currency] += times

    def _add_shares_of(self, currency: str, cells: Mapping[str, list[Any]]) -> None:
        if commissions := _told(cells["platform_fee"]):
            self.shares[currency, "platform"] += sum(commissions)
        shares = _told(cells["recipient_amount"])
        if len(shares) < len(cells["recipient_amount"]):
            unknown = len(cells["recipient_amount"]) - len(shares)
            self.shares[currency, "unknown"] += unknown
        if shares:
            self.shares[currency, "recipient"] += sum(shares)
            self.shares[currency, "known"] += len(shares)

    def _add_read(self, finding: Finding) -> None:
        """What the row says by itself, and whether it was sent."""
        outcome = finding.outcome
        currency = finding.read_currency
        with_send = bool(finding.idempotency_key) and outcome is not Outcome.HELD
        if with_send:
            self.with_intent += 1
            self.sent[currency] += 1
        elif outcome not in SENT:
            self.unsent[currency] += 1
        if currency:
            self.asked[currency] += finding.read_amount or 0

    def _add_noted(self, finding: Finding) -> None:
        """What a duplicate names; what a person took note of; what was settled elsewhere."""
        outcome = finding.outcome.value
        names = finding.counts_as.value
        if finding.outcome is Outcome.DUPLICATE:
            self.named[names] += 1
            if finding.accepted:
                self.named_accepted[names] += 1
        elif finding.accepted:
            self.accepted[outcome] += 1
        if finding.settled_by:
            self.settled[outcome] += 1

    def _add_matter(self, party: str, kind: str, sale: str) -> None:
        self.acts[party] += 1
        digest = sha256(sale.encode("utf-8", "replace")).hexdigest()[:12]
        key = (party, kind, digest)
        if key in self.matters or len(self.matters) < MATTERS:
            self.matters[key] += 1

    def _add_further(self, order_id: str, charges: Iterable[Further]) -> None:
        for one in charges:
            self.further[one.currency, order_id, one.charge_id, one.stands] += (
                one.amount
            )

    def _add_charged(self, finding: Finding) -> None:
        """What was charged; and how that differs from what was asked where no money moved, or a
        person took note of it: the two are different columns, and only what nobody knows of opens
        an equation.
        """
        currency = finding.currency
        charged_in = finding.charged_currency or currency
        charged = finding.charged_amount or 0
        self.charged[charged_in] += charged
        if finding.accepted or not finding.took_money:
            self.differs[currency] += finding.amount or 0
            self.differs[charged_in] -= charged

    def _add_shares(self, finding: Finding) -> None:
        """Who got what of a charge, as far as the gateway tells."""
        currency = finding.currency
        fees = {
            "fee": finding.fee,
            "vat": finding.fee_vat,
            "net": finding.net,
            INTEREST: finding.interest,
        }
        for name, amount in fees.items():
            if amount is not None:
                self.fees[currency, finding.fee_currency, name] += amount
        if finding.costs_contradicted:
            self.shares[currency, ODD_COSTS] += 1
        if finding.charged_unread:
            self.shares[currency, CHARGED_UNREAD] += 1
        if finding.platform_fee is not None:
            self.shares[currency, "platform"] += finding.platform_fee
        if finding.recipient_amount is None:
            self.shares[currency, "unknown"] += 1
        else:
            self.shares[currency, "recipient"] += finding.recipient_amount
            self.shares[currency, "known"] += 1

    def _add_payout(self, finding: Finding) -> None:
        """Where the recipient's share is, and what happened to the charge since."""
        currency = finding.currency
        if finding.earns and finding.outcome is Outcome.UNPROVEN:
            self.shares[currency, NOT_AS_ASKED] += 1
        if finding.transfer_status:
            stands = finding.transfer_status
            self.payouts[currency, stands, "rows"] += 1
            self.payouts[currency, stands, "amount"] += finding.transfer_amount or 0
            self.payouts[currency, stands, "fee"] += finding.transfer_fee or 0
            self.payouts[currency, stands, "bank"] += finding.bank_amount or 0
            for name, column in _OF_TRANSFERS.items():
                if getattr(finding, column) is None:
                    self.payouts[currency, stands, unknown(name)] += 1
            if finding.transfer_left:
                self.payouts[currency, SEEN_TO, "rows"] += 1
            # a row that a person has accepted as it is raises no alarm any more
            if finding.transfer_differs and not finding.accepted:
                self.payouts[currency, DIFFERS, "rows"] += 1
        elif finding.share_untold:
            self.payouts[currency, UNTOLD, "rows"] += 1
            self.payouts[currency, UNTOLD, "amount"] += finding.recipient_amount or 0
        if finding.refunded_amount:
            self.later[currency, REFUNDED] += finding.refunded_amount
        if finding.refund_contradicted:
            self.later[currency, CONTRADICTED] += 1
        if finding.dispute:
            self.later[currency, finding.dispute] += 1

    def transfers(self, stands: str) -> int:
        """How many transfers are there."""
        return sum(
            number
            for (_, where, what), number in self.payouts.items()
            if where == stands and what == "rows"
        )

    @property
    def is_disputed(self) -> bool:
        """Does the gateway wait for an answer to a payer's bank?"""
        return any(
            status in DISPUTE_OPEN and n for (_, status), n in self.later.items()
        )

    @property
    def has_later(self) -> bool:
        """Did anything happen to a charge after its run that a person should hear of?"""
        return bool(self.later) or any(
            self.transfers(one.value) for one in FOR_A_PERSON
        )

    @property
    def wants_a_look(self) -> bool:
        """Must somebody see to what became of a charge since: its transfer failed, its payer's bank
        disputes it, what is told of its refunds cannot be?
        """
        stuck = sum(self.transfers(one.value) for one in FOR_A_PERSON)
        odd = any(what == CONTRADICTED and n for (_, what), n in self.later.items())
        return self.is_disputed or odd or stuck > self.transfers(SEEN_TO)

    def waits_for(self) -> dict[str, int]:
        """What must still happen until nothing of the batch moves by itself; empty: it is final."""
        waits = {}
        for outcome in (
            Outcome.HELD,
            Outcome.IN_DOUBT,
            Outcome.PENDING,
            Outcome.UNPROVEN,
        ):
            rows = (
                self.count(outcome)
                - self.accepted[outcome.value]
                - self.settled[outcome.value]
            )
            if rows > 0:
                waits[outcome.value] = rows
        over = sum(self.transfers(stands.value) for stands in ENDED)
        unproven = sum(
            n for (_, what), n in self.shares.items() if what == NOT_AS_ASKED
        )
        moving = self.count(Outcome.SUCCEEDED) + unproven - over
        if moving > 0:
            waits["transfers"] = moving
        return waits

    @property
    def waits_to_be_sent(self) -> bool:
        """Is anything held that a later run sends by itself?"""
        return any(kind == SENT_LATER for _, kind, _ in self.matters)

    @property
    def rests_on_itself(self) -> bool:
        """Is every open row one that the gateway, or a person, decides by its own attempt?"""
        by_others = {Outcome.HELD, Outcome.IN_DOUBT}
        named = {Outcome(name) for name, rows in self.named.items() if rows} & OPEN
        return not (self.charged_twice or named or any(map(self.count, by_others)))

    @property
    def charged_twice(self) -> bool:
        """Is there an order of which a second charge is neither given back nor taken note of?"""
        return any(stands == "open" for *_, stands in (*self.further, *self.paid_apart))

    @property
    def is_a_persons(self) -> bool:
        """Did money move otherwise than was asked, on a row that is over, and did nobody say yet
        that it is seen to? Each run tells it until somebody does.
        """
        return bool(self.charged_twice or self.gone["open"] or self.transfers(DIFFERS))

    @property
    def left_charged_twice(self) -> bool:
        """The same, or one that a person took note of."""
        return any(stands in LEFT for *_, stands in (*self.further, *self.paid_apart))

    def count(self, outcome: Outcome, currency: str | None = None) -> int:
        """Rows that ended so, of one currency or of all."""
        if currency is not None:
            return self.counts[currency, outcome.value]
        return sum(
            rows for (_, name), rows in self.counts.items() if name == outcome.value
        )

    def outcomes(self) -> dict[str, int]:
        """Outcome -> rows, in the README's order, without those that did not happen."""
        counts = {outcome.value: self.count(outcome) for outcome in Outcome}
        return {name: rows for name, rows in counts.items() if rows}

    def money_moved(self) -> dict[str, int]:
        """Currency -> what the gateway says it charged."""
        return {
            currency: total for currency, total in sorted(self.charged.items()) if total
        }

    def stands(self) -> set[Outcome]:
        """Every outcome that some row has and that was not settled elsewhere, or that a duplicate
        names.
        """
        over = self.settled + self.accepted
        found = {
            outcome for outcome in Outcome if self.count(outcome) > over[outcome.value]
        }
        for name, rows in self.named.items():
            if rows > self.named_accepted[name]:
                found.add(Outcome(name))
        return found

    def equations(
        self, rows_in_file: int | None = None, read: Iterable[Read] = ()
    ) -> list[Equation]:
        """What must be equal (README.md, "Where a row ends"): rows, sent, and the money asked and
        charged.

        `read`: what the reader counted, each left side that is about the file. The right sides are
        findings, by the currency that a row itself says: a job that was changed since may read it
        otherwise than it was sent.
        """
        equations = self._of_what_was_read({one.currency: one for one in read})
        sent = sum(self.count(outcome) for outcome in SENT)
        equations.append(Equation("", SENT_ENDED, self.with_intent, sent))
        if rows_in_file is not None:
            equations.append(Equation("", IN_FILE, rows_in_file, self.rows_read))
        for currency in sorted(self.charged.keys() | self.differs.keys()):
            equations.append(self._of_money(currency))
        return equations

    def _of_money(self, currency: str) -> Equation:
        succeeded = self.sums[currency, Outcome.SUCCEEDED.value]
        unproven = self.sums[currency, Outcome.UNPROVEN.value]
        known = self.differs[currency]
        name = ASKED_CHARGED
        if known:
            name = ASKED_CHARGED_BUT
        return Equation(
            currency, name, succeeded + unproven, self.charged[currency] + known
        )

    def _of_what_was_read(self, read: Mapping[str, Read]) -> list[Equation]:
        """None for a batch of which nobody kept what was read."""
        if not read:
            return []
        equations = []
        for currency in sorted(read.keys() | self.unsent.keys() | self.sent.keys()):
            one = read.get(currency, Read(currency, 0, 0))
            placed = self.unsent[currency] + self.sent[currency]
            equations.append(Equation(currency, ROWS_READ, one.rows, placed))
            if currency:
                equations.append(
                    Equation(currency, SUMS_READ, one.sum, self.asked[currency])
                )
        return equations

    def to_json(self) -> dict[str, Any]:
        """For the journal: plain lists, always in the same order."""
        told: dict[str, Any] = {
            "rows_read": self.rows_read,
            "with_intent": self.with_intent,
        }
        for name in _PAIRED:
            counter = getattr(self, name)
            told[name] = [[*key, number] for key, number in sorted(counter.items())]
        for name in _PLAIN:
            counter = getattr(self, name)
            told[name] = [[key, number] for key, number in sorted(counter.items())]
        for name in _LATER:
            counter = getattr(self, name)
            if counter:
                told[name] = [[*key, number] for key, number in sorted(counter.items())]
        for name in _LATER_PLAIN:
            counter = getattr(self, name)
            if counter:
                told[name] = [[key, number] for key, number in sorted(counter.items())]
        return told

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Totals:
        """The same totals back."""
        totals = cls(rows_read=data["rows_read"], with_intent=data["with_intent"])
        for name in (*_PAIRED, *_LATER):
            counter = getattr(totals, name)
            for *key, number in data.get(name, ()):
                counter[tuple(key)] = number
        for name in (*_PLAIN, *_LATER_PLAIN):
            counter = getattr(totals, name)
            for key, number in data.get(name, ()):
                counter[key] = number
        return totals


_PAIRED = (
    "counts",
    "sums",
    "codes",
    "recipients",
    "recipient_counts",
    "fees",
    "shares",
    "further",
    "paid_apart",
    "matters",
)
# that earlier versions did not count: left out while empty
_LATER = ("payouts", "later")
_LATER_PLAIN = ("came_back", "iso20022", "alike")  # likewise
_PLAIN = (
    "rows",
    "charged",
    "differs",
    "named",
    "named_accepted",
    "settled",
    "accepted",
    "unsent",
    "sent",
    "asked",
    "acts",
    "warned",
    "gone",
)


def _kind_of(finding: Finding) -> str:
    """Of what kind the matter is that a row leaves to somebody (Totals.matters)."""
    if finding.counts_as is Outcome.HELD and finding.who_acts != ACCOUNTANT:
        return SENT_LATER
    if finding.counts_as is Outcome.PENDING and finding.who_acts != A_PERSON:
        return ASKED
    if finding.counts_as not in MAY_BE_SETTLED:
        return ""
    if finding.whole_refused:
        return TAKEN_ON
    return IN_REJECTS


def codes_of(finding: Finding) -> list[str]:
    """Why it failed: each rule that a rejected row broke, or what the gateway said. A total row is
    no order: what its amount breaks beside that is no fault of an order.
    """
    if finding.outcome is Outcome.REJECTED and finding.problems:
        rules = [problem.rule for problem in finding.problems]
        return [TOTAL_ROW.code] if TOTAL_ROW.code in rules else rules
    return [code for code in (finding.failure_code, finding.error_code) if code]


# --- over several batches


def must_act(
    every: Sequence[Totals], given: Sequence[str] = (), *, stopped: bool = True
) -> Acts:
    """Who must act -> about how many orders: one sale is one matter, in however many rows and
    batches it stands.

    `every`: oldest batch first. `given`: files of held orders that the job itself does not name.
    What ended without money, or broke a rule, is taken on by the latest row of its sale that
    anybody must act about. Rows that are not told apart, of very many or of an earlier version,
    count as they are. `stopped`: is a stop in force?
    """
    latest = {
        sale: at for at, totals in enumerate(every) for _, _, sale in totals.matters
    }
    found: dict[tuple[str, str], str] = {}
    for at, totals in enumerate(every):
        for party, kind, sale in totals.matters:
            is_open = not kind or kind in OF_A_RUN
            if is_open or latest[sale] == at:
                found[party, sale] = kind
    acts = Counter(party for party, _ in found)
    in_rejects = Counter(
        party for (party, _), kind in found.items() if kind == IN_REJECTS
    )
    for totals in every:
        acts += _not_told_apart(totals)
    again = not OF_A_RUN.isdisjoint(found.values())
    return Acts(
        dict(sorted(acts.items())), dict(in_rejects), again, tuple(given), stopped
    )


def _not_told_apart(totals: Totals) -> Counter[str]:
    """Who must act -> rows that are no matter of `matters`."""
    told_apart = Counter[str]()
    for (party, _, _), rows in totals.matters.items():
        told_apart[party] += rows
    return totals.acts - told_apart


def exit_code(
    all_totals: Iterable[Totals],
    *,
    stopped: bool,
    open_equation: bool = False,
    ended: bool = True,
) -> int:
    """12, 11, 10 or 0, over this run's batches and every older one with an open row (README.md,
    "Exit codes"). `ended`: do rows that ended without money make a 10? Not for `status`, which
    asks what is open.
    """
    every = list(all_totals)
    stands: set[Outcome] = set()
    for totals in every:
        stands |= totals.stands()
    stands.discard(Outcome.DUPLICATE)
    differs = any(totals.transfers(DIFFERS) for totals in every)
    if stopped or open_equation or differs or Outcome.UNPROVEN in stands:
        return 12
    if stands & OPEN:
        return 11
    has_ended = ended and bool(stands - {Outcome.SUCCEEDED})
    if has_ended or any(_noted(totals) for totals in every):
        return 10
    return 0


def _noted(totals: Totals) -> bool:
    """Did a person take note of something that is not as it should be, or must one look at what
    became of a charge since?
    """
    if totals.accepted.total() or totals.named_accepted.total():
        return True
    if totals.wants_a_look:
        return True
    return totals.left_charged_twice or bool(totals.gone)


# --- what is in no sum


def unread_told(totals: Totals) -> Iterator[Message]:
    """By currency, of how many charges nobody can read how much they took."""
    for (currency, what), count in sorted(totals.shares.items()):
        if what == CHARGED_UNREAD and count:
            yield said.CHARGED_UNREAD(count=count, currency=currency)


# --- charged twice


def further_json(totals: Totals) -> list[dict[str, Any]]:
    """By currency: what further charges of orders took, that no sum of a report has; empty when
    none did.
    """
    charges: dict[str, list[dict[str, Any]]] = {}
    for (currency, order_id, charge_id, stands), amount in sorted(
        totals.further.items()
    ):
        told = {
            "order_id": order_id,
            "charge_id": charge_id,
            "amount_minor": amount,
            "stands": stands,
        }
        charges.setdefault(currency, []).append(told)
    return [_further_in(currency, mine) for currency, mine in charges.items()]


def _further_in(currency: str, charges: list[dict[str, Any]]) -> dict[str, Any]:
    whole = sum(charge["amount_minor"] for charge in charges)
    return {
        "currency": currency,
        "orders": len({charge["order_id"] for charge in charges}),
        "count": len(charges),
        "sum_minor": whole,
        "sum": major_text(whole, currency),
        "charges": charges,
    }


def further_lines(further: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """`charged twice: 1 order, 120.00 THB more at the gateway (chrg_test_2)`, for a person."""
    return map(str, further_told(further))


def further_told(further: Iterable[Mapping[str, Any]]) -> Iterator[Message]:
    """The same, to be worded where it is shown."""
    for one in further:
        names = [_further_named(charge) for charge in one["charges"][:NAMED]]
        if one["count"] > NAMED:
            names.append(said.AND_MORE(more=one["count"] - NAMED))
        money = money_text({one["currency"]: one["sum_minor"]})
        yield said.CHARGED_TWICE(count=one["orders"], money=money, charges=tuple(names))


def _further_named(charge: Mapping[str, Any]) -> Message:
    name = str(charge["charge_id"])
    if charge["stands"] in _STANDS:
        return _STANDS[charge["stands"]](charge=name)
    return plain(name)


_STANDS = {
    "given back": said.CHARGE_GIVEN_BACK,
    "noted": said.CHARGE_NOTED,
    "kept": said.CHARGE_KEPT,
}
