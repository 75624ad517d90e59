"""The stories in report.html: of one order its rows, attempts, requests, answers, look-ups,
transfers, and who decided what; the same as `status JOB ORDER_ID` tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchpay.domain.secrets import masked
from batchpay.domain.text import visible
from batchpay.lifecycle.after import ARRIVES
from batchpay.messages import labels
from batchpay.reports.pivots import Pivots
from batchpay.reports.table import Story
from batchpay.reports.words import Words

STORIES = 100  # orders that are told


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: its number, and names with values."""

    number: int
    facts: list[tuple[str, str]]
    links: list[tuple[str, str]]  # name, address


@dataclass(frozen=True, slots=True)
class Tale:
    """All that happened to one order, oldest first."""

    anchor: str  # by which the tables lead to it
    order: str
    attempts: list[Try]
    events: list[tuple[str, list[str]]]  # of a run: what it is called, what happened
    # the rows of this batch that ask for it, as the page shows them
    rows: list[Any] = field(default_factory=list)


def wanted(pivots: Pivots, slowed: Iterable[str]) -> list[str]:
    """The first orders that somebody must act about, that were heard of late, or that were charged
    on a way of which there is something to tell; last, those that were `slowed` by a 429.
    """
    told = (*pivots.action, *pivots.late, *pivots.storied)
    ids = [one.order_id for one in told if one.attempts]
    return list(dict.fromkeys([*ids, *slowed]))[:STORIES]


def tale(
    number: int,
    order_id: str,
    story: Story,
    words: Words,
    names: Mapping[str, str],
) -> Tale:
    """One story in the words of a language. `names`: what the file calls recipients."""
    return Tale(
        anchor=f"order-{number}",
        order=shown(order_id),
        attempts=[_try(one, words, names) for one in story.attempts],
        events=list(_by_run(story.events, words)),
    )


def shown(text: str) -> str:
    """What somebody else wrote, on one line, without tokens and keys."""
    return visible(masked(text, cards=False))


# --- attempts


def _try(one: Mapping[str, Any], words: Words, names: Mapping[str, str]) -> Try:
    facts = [(name, shown(value)) for name, value in _facts(one, words, names)]
    charge = one["charge"] or {}
    links = []
    for name in ("authorize_uri", "qr_uri"):
        address = charge.get(name) or ""
        if charge.get("status") == "pending" and address.startswith("https://"):
            links.append((words.column(name), address))
    return Try(one["attempt"], [pair for pair in facts if pair[1]], links)


def _facts(
    one: Mapping[str, Any], words: Words, names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What was asked, what was charged, where the share is."""
    currency = one["currency"]
    yield words.column("amount"), words.money(one["amount"], currency)
    recipient = one["destination"]
    called = filter(None, [names.get(recipient), recipient])
    yield words.column("destination"), " · ".join(called)
    yield words.column("payment_method"), one["payment_method"] or ""
    yield words.column("sends"), words.number(one["sends"])
    yield words.column("idempotency_key"), one["key"]
    if one["charge"] is not None:
        yield from _charge(one["charge"], words)
    if one["transfer"] is not None:
        yield from _transfer(one["transfer"], currency, words)
    if one["refunded"]:
        yield words.column("refunded_amount"), words.money(one["refunded"], currency)
    yield words.column("dispute"), one["dispute"]


def _charge(charge: Mapping[str, Any], words: Words) -> Iterator[tuple[str, str]]:
    status = charge["status"]
    if charge["failure_code"]:
        status = f"{status}, {charge['failure_code']}"
    yield words.column("charge_id"), f"{charge['id']} ({status})"
    currency = charge["currency"]
    if charge["status"] == "pending":
        yield words.column("expires_at"), words.instant(charge["expires_at"] or "")
    if charge["status"] != "successful":
        return
    if charge["amount"] is not None:
        yield words.column("charged_amount"), words.money(charge["amount"], currency)
    unit = charge["fee_currency"] or currency
    for name in ("fee", "fee_vat", "net"):
        if charge[name] is not None:
            yield words.column(name), words.money(charge[name], unit)
    for name in ("platform_fee", "recipient_amount"):
        if charge[name] is not None:
            yield words.column(name), words.money(charge[name], currency)


def _transfer(
    transfer: Mapping[str, Any], currency: str, words: Words
) -> Iterator[tuple[str, str]]:
    stands = words.transfer(transfer["stands"])
    yield words.column("transfer_id"), f"{transfer['id']} ({stands})"
    if transfer["amount"] is not None:
        yield words.column("transfer_amount"), words.money(transfer["amount"], currency)
    if transfer["net"] is not None and transfer["stands"] in ARRIVES:
        yield words.column("bank_amount"), words.money(transfer["net"], currency)
    failed = [transfer["code"], transfer["message"], *transfer["flaws"]]
    yield words.column("transfer_code"), ", ".join(filter(None, failed))


# --- what happened


def _by_run(
    events: Sequence[Mapping[str, Any]], words: Words
) -> Iterator[tuple[str, list[str]]]:
    """By run and day, so that each line has its time and what happened alone."""
    above = ""
    lines: list[str] = []
    for event in events:
        here = (
            f"{words.day(event['at'])} · {words.word(labels.FACT_RUN)} {event['run']}"
        )
        if here != above:
            if lines:
                yield above, lines
            above, lines = here, []
        lines.append(_happened(event, words))
    if lines:
        yield above, lines


def _happened(event: Mapping[str, Any], words: Words) -> str:
    """What happened, what the order is since, and by whom."""
    said = f"{words.clock(event['at'])}  {words.sentence(event['told'])}"
    if event["state"]:
        said = f"{said} → {words.outcome(event['state'])}"
    if event["who"]:
        said = f"{said} ({event['who']})"
    return shown(said)
