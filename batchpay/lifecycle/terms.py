"""TERMS: do a row and an attempt ask for the same: whose money, how much of it, for whom?"""

from __future__ import annotations

from batchpay.domain.model import Document, Intent
from batchpay.domain.money import money_told
from batchpay.domain.text import told
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.plan import content_of, fitting_terms, may_pay, payer_of, single_use_of
from batchpay.messages import standing as said
from batchpay.messages.message import Message


def asks_the_same(document: Document, attempt: Attempt, extras_from: str) -> bool:
    """Does a row ask for what the attempt asked, so far as its sender made it?

    `extras_from`: by which part of the job it got its description and the like (Job.extras_from).
    Where the attempt got them by another, or nobody kept by which, that they differ is no change
    of the row: the money tells. So do the terms of an adopted charge, of which no more is known.
    """
    if is_to_the_letter(document, attempt):
        return True
    asked = attempt.intent
    is_made_alike = asked.extras_from == extras_from != ""
    if asked.content and is_made_alike:
        return False
    return _asks_for_its_money(document, attempt)


def is_to_the_letter(document: Document, attempt: Attempt) -> bool:
    """Would the row send today what the attempt sent? Of an adopted charge its terms tell."""
    if attempt.intent.content:
        return content_of(document) == attempt.intent.content
    return _asks_for_its_money(document, attempt)


def _asks_for_its_money(document: Document, attempt: Attempt) -> bool:
    asked = attempt.intent
    terms = (document["amount"], document["currency"], document["destination"])
    if terms != (asked.amount, asked.currency, asked.destination):
        return False
    if asked.content:  # it kept the payer as its row named it
        return payer_of(document) == asked.payer
    return may_pay(payer_of(document), asked.payer)


def differs(document: Document, attempt: Attempt) -> Message:
    """What a row asks for that an attempt did not ask for. It must not ask for the same."""
    asked = attempt.intent
    amount, currency = document["amount"], str(document["currency"])
    recipient = document["destination"]
    what: list[Message] = []
    if (amount, currency.lower()) != (asked.amount, asked.currency.lower()):
        mine, theirs = money_told(amount, currency), money_told(asked.amount, asked.currency)
        what.append(said.DIFFERS_AMOUNT(mine=mine, theirs=theirs))
    if recipient != asked.destination:
        what.append(said.DIFFERS_RECIPIENT(mine=told(recipient), theirs=told(asked.destination)))
    if not _pays_alike(payer_of(document), asked):
        what.append(said.DIFFERS_PAYER())
    if not what:
        what.append(said.DIFFERS_REST())
    return said.DIFFERS(what=tuple(what))


def _pays_alike(payer: str, asked: Intent) -> bool:
    """Of an adopted charge only what it tells of its payer is known."""
    if asked.content:
        return payer == asked.payer
    return may_pay(payer, asked.payer)


def same_terms(document: Document, attempt: Attempt) -> bool:
    """Does a row ask for what an attempt of another order asked: payer, recipient, amount and
    currency?
    """
    asked = attempt.intent
    currency = str(document.get("currency", "")).lower()
    terms = (document.get("destination"), document.get("amount"), currency)
    if terms != (asked.destination, asked.amount, asked.currency.lower()):
        return False
    return may_pay(payer_of(document), asked.payer)


def contradicts(document: Document, attempt: Attempt) -> bool:
    """Does a row, as far as it could be read, tell of other money, another recipient or payer than
    an attempt's?
    """
    asked = attempt.intent
    terms = {"amount": asked.amount, "currency": asked.currency, "destination": asked.destination}
    for name, term in terms.items():
        if document.get(name, term) != term:
            return True
    payer = payer_of(document)
    return bool(payer) and not may_pay(payer, asked.payer)


def is_a_strangers(document: Document, attempt: Attempt) -> bool:
    """Did another payer ask for other money? Of a token only the recipient tells who may have
    paid.
    """
    asked = attempt.intent
    if "amount" not in document:
        return False
    currency = str(document.get("currency", "")).lower()
    if (document["amount"], currency) == (asked.amount, asked.currency.lower()):
        return False
    if single_use_of(document) or asked.single_use:
        return document.get("destination") != asked.destination
    return not may_pay(payer_of(document), asked.payer)


def are_strangers(one: Document, other: Document) -> bool:
    """Do other payers ask for other money?"""
    if "amount" not in one or "amount" not in other or one["amount"] == other["amount"]:
        return False
    payer, other_payer = payer_of(one), payer_of(other)
    return bool(payer and other_payer) and not may_pay(payer, other_payer)


def fitting_terms_of(document: Document) -> tuple[str, ...]:
    """What the terms of charges begin with that may be a row's by payer, recipient and amount; its
    own first.
    """
    return fitting_terms(
        payer_of(document), document["destination"], document["amount"], document["currency"]
    )
