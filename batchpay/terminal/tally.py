"""`run --summary`: one table of what this run did, and what its batches came to over all runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from batchpay.domain.model import Outcome
from batchpay.domain.money import grouped_text
from batchpay.lifecycle.after import Stands
from batchpay.reconciliation.totals import REFUNDED, Totals

if TYPE_CHECKING:
    from batchpay.batches.night import Result
    from batchpay.domain.model import RunDone

Line = tuple[str, str, str]  # what, this run, all runs
FEES = {"gateway's fees": "fee", "VAT on them": "vat", "net of fees": "net"}


def table_lines(made: Result) -> Iterator[str]:
    """The table, in columns that stand under one another; nothing where there is no batch."""
    if not made.published:
        return
    totals = [published.totals for published in made.published]
    heading = "the batch, all runs"
    if len(totals) > 1:
        heading = f"{len(totals)} batches, all runs"
    lines: list[Line] = [("", "this run", heading), *_counts(made.run, totals)]
    for currency in sorted(
        {code for one in totals for code in one.rows | one.charged if code}
    ):
        lines += _money(currency, made.run, totals)
    widths = [max(len(line[at]) for line in lines) for at in range(3)]
    yield ""
    for what, now, ever in lines:
        yield f"{what:<{widths[0]}}  {now:>{widths[1]}}  {ever:>{widths[2]}}".rstrip()
    yield ""


def _counts(run: RunDone | None, totals: Sequence[Totals]) -> Iterator[Line]:
    """Rows and where they ended; of this run what it sent."""
    sent = ""
    now: Mapping[str, int] = {}
    if run is not None:
        sent = f"{run.sent:,}"
        now = run.outcomes
    yield "rows read", "", f"{sum(one.rows_read for one in totals):,}"
    yield "sent", sent, f"{sum(one.with_intent for one in totals):,}"
    for outcome in Outcome:
        ever = sum(one.count(outcome) for one in totals)
        mine = now.get(outcome.value, 0)
        if ever or mine:
            yield f"  {outcome.value}", _number(mine), f"{ever:,}"


def _money(
    currency: str, run: RunDone | None, totals: Sequence[Totals]
) -> Iterator[Line]:
    """One currency: what was asked, what was charged, and who gets it."""

    def told(minor: int) -> str:
        return grouped_text(minor, currency)

    yield "", "", ""
    now = 0
    if run is not None:
        now = run.charged.get(currency, 0)
    asked = sum(
        minor
        for one in totals
        for (code, _), minor in one.sums.items()
        if code == currency
    )
    charged = sum(one.charged[currency] for one in totals)
    yield f"{currency} asked for", "", told(asked)
    mine = ""
    if now:
        mine = told(now)
    yield f"{currency} charged", mine, told(charged)
    for what, key in (
        ("platform's fees", "platform"),
        ("recipients' shares", "recipient"),
    ):
        minor = sum(one.shares[currency, key] for one in totals)
        if minor:
            yield f"  {what}", "", told(minor)
    yield from _payouts(currency, totals)
    for what, key in FEES.items():
        yield from _fees(what, key, currency, totals)


def _payouts(currency: str, totals: Sequence[Totals]) -> Iterator[Line]:
    for stands in Stands:
        count = sum(one.payouts[currency, stands.value, "rows"] for one in totals)
        minor = sum(one.payouts[currency, stands.value, "amount"] for one in totals)
        if count:
            yield f"    {stands.value} ({count:,})", "", grouped_text(minor, currency)
    back = sum(one.later[currency, REFUNDED] for one in totals)
    if back:
        yield "  given back since", "", grouped_text(back, currency)


def _fees(
    what: str, key: str, currency: str, totals: Sequence[Totals]
) -> Iterator[Line]:
    """Each in the currency that the gateway counts it in."""
    sums = Counter[str]()
    for one in totals:
        for (code, fee_currency, name), minor in one.fees.items():
            if code == currency and name == key:
                sums[fee_currency] += minor
    for fee_currency, minor in sorted(sums.items()):
        unit = ""
        if fee_currency != currency:
            unit = f" ({fee_currency})"
        yield f"  {what}{unit}", "", grouped_text(minor, fee_currency)


def _number(count: int) -> str:
    if not count:
        return ""
    return f"{count:,}"
