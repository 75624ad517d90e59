"""What the rows of a batch come to: pivot tables over all findings, in one pass, exact.

Money is Python integers of the smallest unit in columns of objects: pandas adds them up and no
float is ever built. `checks` holds every sum against the totals that the journal noted, which were
counted another way; what differs is shown in the reports, never passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from batchpay.domain.exits import NOBODY
from batchpay.domain.model import MONEY_MOVED, Finding, Outcome, StoredChunk
from batchpay.lifecycle.after import Stands
from batchpay.readers.cells import decode_cells
from batchpay.reconciliation.totals import Totals, codes_of

if TYPE_CHECKING:
    import pandas as pd

MOST = 5_000  # rows that need action, and are kept in memory for the page
LATE = 200  # rows that ended on a later day, likewise

_COUNTED = ("rows", "amount", "charged", "platform_fee", "recipient_amount", "settled")
_STUCK = (Stands.FAILED.value, Stands.DELETED.value)
_UNTOLD = ("untold", "untold_rows")  # shares of which no transfer was told
_TO_RECIPIENTS = (*_COUNTED, "bank_amount", "arrived", *_STUCK, *_UNTOLD)
_NAMES = 3  # that a file gives one recipient, and are told
_FEES = ("fee", "fee_vat", "net")


@dataclass(slots=True)
class Coded:
    """Rows that were not charged for one reason, and the first of them. Each row that was not
    charged is counted once, under its first reason.
    """

    outcome: str
    code: str
    first: Finding
    rows: int = 0
    # by currency: rows, and what those ask for of which an amount could be read
    rows_in: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Pivots:
    """The pivots, and the few rows that are shown whole above them."""

    outcomes: pd.DataFrame  # (currency, outcome) -> rows and sums
    # (currency, destination) -> rows and sums of what moved money
    recipients: pd.DataFrame
    fees: pd.DataFrame  # (currency, fee_currency) -> rows, fee, fee_vat, net
    codes: list[Coded]  # the most frequent first
    action: list[Finding]  # the first MOST rows that somebody must act about
    to_act: int  # all of them
    # the first LATE rows of which something was heard on a later day
    late: list[Finding]
    # the first LATE rows that were charged, and have something to tell of it
    storied: list[Finding]
    sent: Counter[str]  # by the second in which they were sent, UTC: rows
    runs: Counter[str]  # by the run that sent them: rows
    waits: Counter[int]  # by the seconds that their end took, begun ones counted: rows
    unsettled: int  # rows that did not simply succeed
    # recipient -> its name and what the file calls it, where a table makes ids of that
    names: dict[str, str]
    # recipients of which no order moved money: why not; a duplicate is told where its order is
    without: dict[str, list[Coded]]


def load_tables() -> None:
    """What the tables of sums are made with, into memory."""
    import pandas  # noqa: F401


def pivots_of(
    found: Iterable[tuple[StoredChunk, Sequence[Finding]]],
    sellers: Collection[str] = (),
    called: Mapping[str, str] | None = None,
) -> Pivots:
    """Every chunk of findings read once. `sellers`: the columns that name recipients; `called`:
    their names in the job's own table, which stand first.
    """
    gathered = _Gathered(called or {})
    for chunk, lines in found:
        findings = list(lines)
        gathered.add(findings)
        if sellers:
            gathered.add_names(chunk, findings, sellers)
    return gathered.whole()


def is_late(finding: Finding) -> bool:
    """Did it end on a later day than it was sent on, or did anything happen to its charge since?"""
    return finding.has_later or finding.settled_at[:10] > finding.sent_at[:10]


def _seconds(begun: str, ended: str) -> int:
    """Whole seconds between two instants, the begun one counted."""
    if begun == ended:
        return 1
    waited = datetime.fromisoformat(ended) - datetime.fromisoformat(begun)
    return int(waited.total_seconds()) + 1


def is_storied(finding: Finding) -> bool:
    """Was a charged row not simply charged: looked up, adopted, sent again, settled by a person?"""
    return bool(finding.reasons or finding.attempts > 1)


def why_not_charged(finding: Finding) -> tuple[str, str]:
    """The first reason of a row: its code; and its words where it has no code of its own, as what
    an earlier version kept.
    """
    codes = codes_of(finding)
    if codes:
        return codes[0], ""
    if not finding.reasons:
        return finding.outcome.value, ""
    first = finding.reasons[0]
    if first.code:
        return first.code, ""
    return finding.outcome.value, str(first)


class _Gathered:
    def __init__(self, called: Mapping[str, str]) -> None:
        self._called = called
        self._outcomes: list[pd.DataFrame] = []
        self._recipients: list[pd.DataFrame] = []
        self._fees: list[pd.DataFrame] = []
        self._codes: dict[tuple[str, ...], Coded] = {}
        self._action: list[Finding] = []
        self._to_act = 0
        self._late: list[Finding] = []
        self._storied: list[Finding] = []
        self._sent: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()
        self._waits: Counter[int] = Counter()
        self._unsettled = 0
        self._names: dict[str, dict[str, None]] = {}
        self._paid: set[str] = set()
        self._without: dict[str, dict[tuple[str, str, str], Coded]] = {}

    def add(self, findings: list[Finding]) -> None:
        frame = _frame(findings)
        self._outcomes.append(_pivot(frame, ["currency", "outcome"], _COUNTED))
        moved = frame[frame["moved"]]
        took = frame[frame["took"]]
        self._recipients.append(
            _pivot(took, ["currency", "destination"], _TO_RECIPIENTS)
        )
        self._fees.append(_pivot(moved, ["currency", "fee_currency"], ("rows", *_FEES)))
        for finding in findings:
            self._look_at(finding)

    def add_names(
        self, chunk: StoredChunk, findings: list[Finding], sellers: Collection[str]
    ) -> None:
        """What the file calls the recipients; a chunk without a new one is not looked at."""
        if all(one.destination in self._names for one in findings if one.destination):
            return
        cells = decode_cells(chunk.cells)
        for name in sellers:
            if name not in cells.columns:
                continue
            for text, finding in zip(cells.texts(name), findings, strict=True):
                if finding.destination and text:
                    self._names_of(finding.destination)[text] = None

    def _names_of(self, recipient: str) -> dict[str, None]:
        """All that it is called; first its name in the job's table."""
        if recipient not in self._names:
            name = self._called.get(recipient)
            self._names[recipient] = {name: None} if name else {}
        return self._names[recipient]

    def _look_at(self, finding: Finding) -> None:
        if finding.who_acts != NOBODY:
            self._to_act += 1
            if len(self._action) < MOST:
                self._action.append(finding)
        self._look_at_recipient(finding)
        if finding.outcome is not Outcome.SUCCEEDED:
            self._unsettled += 1
        elif is_storied(finding) and len(self._storied) < LATE:
            self._storied.append(finding)
        if finding.outcome not in MONEY_MOVED:
            self._add_code(finding)
        if not finding.sent_at:
            return
        self._sent[finding.sent_at] += 1
        self._runs[finding.run_id] += 1
        if finding.settled_at:
            self._waits[_seconds(finding.sent_at, finding.settled_at)] += 1
        if is_late(finding) and len(self._late) < LATE:
            self._late.append(finding)

    def _look_at_recipient(self, finding: Finding) -> None:
        """Was any order of it charged, and why not?"""
        recipient = finding.destination
        if finding.took_money:
            self._paid.add(recipient)
            self._without.pop(recipient, None)
        elif (
            recipient
            and recipient not in self._paid
            and finding.outcome is not Outcome.DUPLICATE
        ):
            outcome = finding.outcome.value
            key = (outcome, *why_not_charged(finding))
            whys = self._without.setdefault(recipient, {})
            whys.setdefault(key, Coded(outcome, key[1], finding)).rows += 1

    def _add_code(self, finding: Finding) -> None:
        code, untold = why_not_charged(finding)
        outcome = finding.outcome.value
        key = (outcome, code, untold, finding.who_acts)
        coded = self._codes.get(key)
        if coded is None:
            coded = self._codes[key] = Coded(outcome, code, finding)
        coded.rows += 1
        coded.rows_in[finding.currency] += 1
        coded.amounts[finding.currency] += finding.amount or 0

    def whole(self) -> Pivots:
        codes = sorted(
            self._codes.values(), key=lambda one: (-one.rows, one.outcome, one.code)
        )
        told = {one: ", ".join([*names][:_NAMES]) for one, names in self._names.items()}
        return Pivots(
            outcomes=_joined(self._outcomes, ["currency", "outcome"], _COUNTED),
            recipients=_joined(
                self._recipients, ["currency", "destination"], _TO_RECIPIENTS
            ),
            fees=_joined(self._fees, ["currency", "fee_currency"], ("rows", *_FEES)),
            codes=codes,
            action=self._action,
            to_act=self._to_act,
            late=self._late,
            storied=self._storied,
            sent=self._sent,
            runs=self._runs,
            waits=self._waits,
            unsettled=self._unsettled,
            names={**self._called, **told},
            without={one: [*whys.values()] for one, whys in self._without.items()},
        )


def _frame(findings: list[Finding]) -> pd.DataFrame:
    """Some findings as columns of objects: an amount that is not known adds nothing."""
    import pandas as pd

    moved = [one.outcome in MONEY_MOVED for one in findings]
    columns: dict[str, list[Any]] = {
        "currency": [one.currency for one in findings],
        "outcome": [one.outcome.value for one in findings],
        "destination": [one.destination for one in findings],
        "fee_currency": [one.fee_currency for one in findings],
        "rows": [1] * len(findings),
        "amount": [one.amount or 0 for one in findings],
        "charged": [one.charged_amount or 0 for one in findings],
        "settled": [int(bool(one.settled_by)) for one in findings],
        "bank_amount": [one.bank_amount or 0 for one in findings],
        "arrived": [int(one.transfer_status == Stands.PAID.value) for one in findings],
    }
    untold = [one.share_untold for one in findings]
    columns["untold_rows"] = list(map(int, untold))
    columns["untold"] = [
        (one.recipient_amount or 0) if is_so else 0
        for one, is_so in zip(findings, untold, strict=True)
    ]
    for name in _STUCK:
        columns[name] = [int(one.transfer_status == name) for one in findings]
    for name in ("platform_fee", "recipient_amount", *_FEES):
        columns[name] = [getattr(one, name) or 0 for one in findings]
    frame = pd.DataFrame(columns, dtype=object)
    frame["moved"] = pd.Series(moved, dtype=bool)
    frame["took"] = pd.Series([one.took_money for one in findings], dtype=bool)
    return frame


def _pivot(
    frame: pd.DataFrame, index: list[str], values: tuple[str, ...]
) -> pd.DataFrame:
    """Sums of `values` by `index`: integers, as large as they come."""
    if frame.empty:
        return frame[[*index, *values]]
    table = frame.pivot_table(
        index=index, values=list(values), aggfunc="sum", sort=True
    )
    return table.reset_index()[[*index, *values]]


def _joined(
    parts: list[pd.DataFrame], index: list[str], values: tuple[str, ...]
) -> pd.DataFrame:
    """The pivots of all chunks as one."""
    import pandas as pd

    there = [part for part in parts if not part.empty]
    if not there:
        return pd.DataFrame(columns=[*index, *values], dtype=object)
    return _pivot(pd.concat(there, ignore_index=True).astype(object), index, values)


# --- checked against our own sums


@dataclass(frozen=True, slots=True)
class Check:
    """One sum of the pivots beside the one that the journal noted."""

    # rows, amount, charged, platform_fee, recipient_amount, fee, fee_vat or net
    name: str
    currency: str  # of the rows
    in_currency: str  # of the sum; empty: a number of rows
    pivot: int
    noted: int

    @property
    def holds(self) -> bool:
        """Are they the same?"""
        return self.pivot == self.noted


def checks(pivots: Pivots, totals: Totals) -> Iterator[Check]:
    """Rows and amounts by currency, money that moved, fees and shares."""
    for currency in sorted(totals.rows.keys() | set(pivots.outcomes["currency"])):
        own = pivots.outcomes[pivots.outcomes["currency"] == currency]
        asked = sum(
            minor for (code, _), minor in totals.sums.items() if code == currency
        )
        yield Check("rows", currency, "", _sum(own, "rows"), totals.rows[currency])
        yield Check("amount", currency, currency, _sum(own, "amount"), asked)
        whys = sum(coded.rows_in[currency] for coded in pivots.codes)
        charged = sum(totals.count(one, currency) for one in MONEY_MOVED)
        yield Check("rows", currency, "", whys, totals.rows[currency] - charged)
        shares = {"platform_fee": "platform", "recipient_amount": "recipient"}
        moved = own[own["outcome"].isin([one.value for one in MONEY_MOVED])]
        for name, key in shares.items():
            noted = totals.shares[currency, key]
            yield Check(name, currency, currency, _sum(moved, name), noted)
    yield from _of_fees(pivots, totals)


def _of_fees(pivots: Pivots, totals: Totals) -> Iterator[Check]:
    names = {"fee": "fee", "fee_vat": "vat", "net": "net"}
    by_place = {
        (row["currency"], row["fee_currency"]): row
        for row in pivots.fees.to_dict("records")
    }
    noted = {(code, counted_in) for code, counted_in, _ in totals.fees}
    for currency, counted_in in sorted(noted | by_place.keys()):
        row = by_place.get((currency, counted_in), {})
        for name, key in names.items():
            told = totals.fees[currency, counted_in, key]
            yield Check(name, currency, counted_in, int(row.get(name, 0)), told)


def _sum(frame: pd.DataFrame, name: str) -> int:
    return sum(int(value) for value in frame[name])
