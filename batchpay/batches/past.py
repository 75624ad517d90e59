"""What recipients, payers and tokens were asked for before a file came: what is far outside of that
is told before it is sent.

Only what was asked before the file was first received counts, so that a row is judged alike
whenever it is looked at; and only the last MOST attempts of the journal are looked through.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchpay.domain.model import Document
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.payers import payer_of, single_use_of, who_pays
from batchpay.lifecycle.rows import Near, Past
from batchpay.lifecycle.sale_terms import terms_in

MOST = 100_000  # attempts


class _Ask(NamedTuple):
    """One attempt of an earlier file; money in the smallest unit."""

    at_ns: int
    amount: int
    payer: str  # payers.who_pays; empty where nobody can tell
    order_id: str
    batch_id: str


@dataclass(slots=True)
class _Asks:
    """Of the last attempts of a journal those that rows had to do with until now, oldest first."""

    head: int  # of the journal when they were read
    until_ns: int  # they began before then
    recipients: set[str] = field(default_factory=set)  # that were looked for
    of_recipients: dict[tuple[str, str], list[_Ask]] = field(default_factory=dict)
    of_tokens: dict[str, list[Near]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Before:
    """What the past tells of some rows."""

    # Recipient and lower-case currency -> what was asked for it.
    past: dict[tuple[str, str], Past] = field(default_factory=dict)
    # terms_of -> the order that asked for a hundredth of it for the same payer and recipient, none
    # of whose orders asked for all of it.
    hundredth: dict[str, Near] = field(default_factory=dict)
    # Token -> the attempts of it.
    tokens: dict[str, tuple[Near, ...]] = field(default_factory=dict)


def before(
    journal: SqliteJournal,
    documents: Sequence[Document],
    received_ns: int,
    *,
    tokens: bool = True,
) -> Before:
    """What the journal tells of the recipients, payers and tokens of rows that broke no rule;
    without `tokens` of the others alone.
    """
    asks = _asks_of(journal, documents, received_ns, tokens=tokens)
    found = Before()
    earlier: dict[tuple[str, str], list[_Ask]] = {}
    for document in documents:
        recipient = document["destination"], str(document["currency"]).lower()
        if recipient not in earlier:
            of_recipient = asks.of_recipients.get(recipient, [])
            end = bisect_left(of_recipient, received_ns, key=lambda ask: ask.at_ns)
            earlier[recipient] = of_recipient[:end]
            _add_past(found, recipient, earlier[recipient])
        if earlier[recipient]:
            _add_hundredth(found, document, earlier[recipient])
        if not tokens:
            continue
        token = single_use_of(document)
        spent = [
            one for one in asks.of_tokens.get(token, ()) if one.at_ns < received_ns
        ]
        if spent:
            found.tokens[token] = tuple(spent)
    return found


def _add_past(found: Before, recipient: tuple[str, str], asks: Sequence[_Ask]) -> None:
    amounts = [ask.amount for ask in asks]
    if amounts:
        found.past[recipient] = Past(len(amounts), min(amounts), max(amounts))


def _add_hundredth(found: Before, document: Document, asks: Sequence[_Ask]) -> None:
    payer = who_pays(payer_of(document))
    part, rest = divmod(document["amount"], 100)
    if not payer or rest:
        return
    own = [ask for ask in asks if ask.payer == payer]
    if any(ask.amount == document["amount"] for ask in own):
        return
    for ask in own:
        if ask.amount == part:
            found.hundredth[terms_in(document)] = Near(
                ask.order_id, ask.batch_id, ask.at_ns
            )


def _asks_of(
    journal: SqliteJournal,
    documents: Sequence[Document],
    until_ns: int,
    *,
    tokens: bool,
) -> _Asks:
    """What the journal's last attempts before a time asked of the recipients and tokens of some
    rows, each read once while no other attempt begins.
    """
    head = journal.last_asked()
    kept = journal.kept(_Asks)
    if kept is None or kept.head != head or kept.until_ns < until_ns:
        kept = _Asks(head, until_ns)
        journal.keep(kept)
    names = {document["destination"] for document in documents} - kept.recipients
    spent = set[str]()
    if tokens:
        spent = set(filter(None, map(single_use_of, documents)))
        spent -= kept.of_tokens.keys()
    if not (head and (names or spent)):
        return kept
    kept.recipients |= names
    kept.of_tokens.update((token, []) for token in spent)
    fresh: dict[tuple[str, str], list[_Ask]] = defaultdict(list)
    asked = journal.asked_of(names, spent, kept.until_ns, MOST)
    for at_ns, order_id, batch_id, intent in asked:
        if intent.destination in names:
            ask = _Ask(at_ns, intent.amount, who_pays(intent.payer), order_id, batch_id)
            fresh[intent.destination, intent.currency.lower()].append(ask)
        if intent.single_use in spent:
            kept.of_tokens[intent.single_use].append(Near(order_id, batch_id, at_ns))
    for asks in fresh.values():
        asks.sort()
    kept.of_recipients.update(fresh)
    return kept
