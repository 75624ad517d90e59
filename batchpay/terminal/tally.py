"""`run --summary`: one table of what this run did, and what its batches came to over all runs; in
the language of the reports, in English with the words that programs have, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from batchpay.domain.model import Outcome
from batchpay.domain.money import grouped_text
from batchpay.lifecycle.after import Stands
from batchpay.messages import labels
from batchpay.reconciliation.totals import REFUNDED, Totals, unknown
from batchpay.terminal.speech import ENGLISH, Speech

if TYPE_CHECKING:
    from batchpay.batches.night import Result
    from batchpay.domain.model import RunDone

Line = tuple[str, str, str]  # what, this run, all runs
FEES = {
    "gateway's fees": ("fee", "fee"),
    "VAT on them": ("vat", "fee_vat"),
    "interest with VAT": ("interest", "interest"),
    "net of fees": ("net", "net"),
}
Name = Callable[[str, str], str]
"""What a line is called: in English, and by which word of the reports in another language."""


def table_lines(made: Result, speech: Speech) -> Iterator[str]:
    """The table, in columns that stand under one another; nothing where there is no batch."""
    if not made.published:
        return

    def name(english: str, code: str) -> str:
        return speech.label(code, english)

    totals = [published.totals for published in made.published]
    heading = name("the batch, all runs", "tally.batch")
    if len(totals) > 1:
        batches = labels.TALLY_BATCHES(count=len(totals))
        heading = speech.say(batches)
    lines: list[Line] = [
        ("", name("this run", "tally.this-run"), heading),
        *_counts(made.run, totals, name),
    ]
    for currency in sorted(
        {code for one in totals for code in one.rows | one.charged if code}
    ):
        lines += _money(currency, made.run, totals, name)
    width = len if speech.language == ENGLISH else cell_len
    widths = [max(width(line[at]) for line in lines) for at in range(3)]
    yield ""
    for what, now, ever in lines:
        gaps = [
            " " * (most - width(text))
            for most, text in zip(widths, (what, now, ever), strict=True)
        ]
        yield f"{what}{gaps[0]}  {gaps[1]}{now}  {gaps[2]}{ever}".rstrip()
    yield ""


def cell_len(text: str) -> int:
    """How many columns a text fills on a terminal: some letters are two wide, some marks none."""
    from rich.cells import cell_len as wide

    return wide(text)


def _counts(
    run: RunDone | None, totals: Sequence[Totals], name: Name
) -> Iterator[Line]:
    """Rows and where they ended; of this run what it sent."""
    sent = ""
    now: Mapping[str, int] = {}
    if run is not None:
        sent = f"{run.sent:,}"
        now = run.outcomes
    yield name("rows read", "page.all"), "", f"{sum(one.rows_read for one in totals):,}"
    yield name("sent", "page.sent"), sent, f"{sum(one.with_intent for one in totals):,}"
    for outcome in Outcome:
        ever = sum(one.count(outcome) for one in totals)
        mine = now.get(outcome.value, 0)
        if ever or mine:
            called = name(outcome.value, f"outcome.{outcome.value}")
            yield f"  {called}", _number(mine), f"{ever:,}"


def _money(
    currency: str,
    run: RunDone | None,
    totals: Sequence[Totals],
    name: Name,
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
    charged += sum(_further(currency, totals).values())
    yield f"{currency} {name('asked for', 'page.asked')}", "", told(asked)
    mine = ""
    if now:
        mine = told(now)
    yield f"{currency} {name('charged', 'column.charged_amount')}", mine, told(charged)
    for what, key, column in (
        ("platform's fees", "platform", "platform_fee"),
        ("recipients' shares", "recipient", "recipient_amount"),
    ):
        minor = sum(one.shares[currency, key] for one in totals)
        if minor:
            yield f"  {name(what, f'column.{column}')}", "", told(minor)
    yield from _payouts(currency, totals, name)
    for what, (key, column) in FEES.items():
        called = name(what, f"column.{column}")
        yield from _fees(called, key, currency, totals)


def _further(currency: str, totals: Sequence[Totals]) -> dict[str, int]:
    """Charge -> what it took beside the one that its row is about: money that moved, as a run's."""
    return {
        charge_id: minor
        for one in totals
        for (code, _, charge_id, _), minor in one.further.items()
        if code == currency
    }


def _payouts(currency: str, totals: Sequence[Totals], name: Name) -> Iterator[Line]:
    for stands in Stands:
        count = sum(one.payouts[currency, stands.value, "rows"] for one in totals)
        minor = sum(one.payouts[currency, stands.value, "amount"] for one in totals)
        missing = sum(
            one.payouts[currency, stands.value, unknown("amount")] for one in totals
        )
        if count:
            called = name(stands.value, f"transfer-at.{stands.value}")
            told = f"    {called} ({count:,})"
            more = f" + {missing:,} × ?" if missing else ""
            yield told, "", f"{grouped_text(minor, currency)}{more}"
    back = sum(one.later[currency, REFUNDED] for one in totals)
    if back:
        called = name("given back since", "column.refunded_amount")
        yield f"  {called}", "", grouped_text(back, currency)


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
