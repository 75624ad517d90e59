"""SINCE: what changed of a batch since its last report, and what was heard of its rows on a later
day than theirs; the same for the page and for the workbook.
"""

from __future__ import annotations

from collections.abc import Iterator

from batchpay.domain.model import Outcome
from batchpay.lifecycle.after import Stands
from batchpay.messages import labels
from batchpay.reconciliation.totals import REFUNDED, Totals
from batchpay.reports.facts import known_last
from batchpay.reports.pivots import Pivots
from batchpay.reports.table import Inputs
from batchpay.reports.tales import shown
from batchpay.reports.words import Words


def since_last(inputs: Inputs, words: Words) -> list[str]:
    """What the report before this one had otherwise; nothing where this is the first."""
    if inputs.before is None:
        return []
    at = words.instant(inputs.before_at)
    changes = list(_changes(inputs.before, inputs.totals, words))
    if not changes:
        return [words.say(labels.SAME_AS_BEFORE(at=at))]
    return [words.say(labels.SINCE_REPORT(at=at)), *changes]


def _changes(before: Totals, now: Totals, words: Words) -> Iterator[str]:
    for outcome in Outcome:
        counts = before.count(outcome), now.count(outcome)
        if counts[0] != counts[1]:
            name = words.outcome(outcome.value)
            yield _changed(words, name, *map(words.number, counts))
    for stands in Stands:
        counts = before.transfers(stands.value), now.transfers(stands.value)
        if counts[0] != counts[1]:
            name = f"{words.column('transfer_status')}: {words.transfer(stands.value)}"
            yield _changed(words, name, *map(words.number, counts))
    for currency in known_last(before.charged.keys() | now.charged.keys()):
        sums = before.charged[currency], now.charged[currency]
        if sums[0] != sums[1]:
            told = [words.money(minor, currency) for minor in sums]
            yield _changed(words, words.column("charged_amount"), *told)
        back = before.later[currency, REFUNDED], now.later[currency, REFUNDED]
        if back[0] != back[1]:
            told = [words.money(minor, currency) for minor in back]
            yield _changed(words, words.word(labels.REFUNDED_SUM), *told)


def _changed(words: Words, name: str, before: str, now: str) -> str:
    return words.say(labels.CHANGED(name=name, before=before, now=now))


def late(inputs: Inputs, pivots: Pivots, words: Words) -> list[str]:
    """Rows that ended on a later day than they were sent on, and stops that were lifted."""
    found = []
    for one in pivots.late:
        if one.has_later:
            why = shown(words.whole(one))
            found.append(words.say(labels.LATER(order=shown(one.order_id), what=why)))
            continue
        told = labels.LATE(
            order=shown(one.order_id),
            outcome=words.outcome(one.outcome.value),
            day=words.day(one.settled_at),
            sent=words.day(one.sent_at),
        )
        found.append(words.say(told))
    for lift in inputs.lifted:
        told = labels.LIFTED(
            by=shown(lift["by"]),
            day=words.instant(lift["at"]),
            reason=shown(lift["reason"]),
            stop=shown(words.again(lift["stop"])),
        )
        found.append(words.say(told))
    return found
