"""TERMS: do a row and an attempt ask for the same: whose money, how much of it, for whom?

What a job makes of a row is not the row's own: an edit of the job, or of a lookup file, tells no
other sale. Where ids, jobs or metadata do not tell whether a row was charged, its recipient does
not either, but where nobody knows who pays (`Asked.may_be_sale_of`, `fitting_terms`); and a
row stands for all that it asked for since its file came, however the job read it
(`Row.ever_asked`).
"""

from __future__ import annotations

from dataclasses import dataclass

from batchpay.domain.model import Document, Intent
from batchpay.domain.money import money_told
from batchpay.domain.text import told
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.payers import (
    content_of,
    payer_fits,
    payer_of,
    single_use_of,
)
from batchpay.messages import standing as said
from batchpay.messages.message import Message


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to pay how much to whom, as far as it is known; None: it is not."""

    payer: str  # empty: not known
    destination: str | None
    amount: int | None  # smallest unit
    currency: str | None  # lower case
    pays_once: bool = False  # its payer is a token: that tells nothing of who it is

    def same(self, other: Asked) -> bool:
        """Do both ask for the same? Either may not say who pays."""
        mine = (self.destination, self.amount, self.currency)
        if mine != (other.destination, other.amount, other.currency):
            return False
        return payer_fits(self.payer, other.payer) is not False

    def contradicts(self, other: Asked) -> bool:
        """Does this one, as far as it is known, ask for other money, of or for somebody else?"""
        pairs = (
            (self.destination, other.destination),
            (self.amount, other.amount),
            (self.currency, other.currency),
        )
        for mine, theirs in pairs:
            if mine is not None and mine != theirs:
                return True
        return payer_fits(self.payer, other.payer) is False

    def may_be_sale_of(self, other: Asked) -> bool:
        """May both be one sale, by what no edit of a job changes: who pays how much? To whom
        tells only where it is not known who pays.
        """
        for mine, theirs in (
            (self.amount, other.amount),
            (self.currency, other.currency),
        ):
            if mine is not None and mine != theirs:
                return False
        fits = payer_fits(self.payer, other.payer)
        if fits is None:
            return self.destination is None or self.destination == other.destination
        return fits

    def stranger_to(self, other: Asked) -> bool:
        """Do other payers ask for other money? Of a token, and of a source beside a customer, only
        the recipient tells who may have paid. What is not known makes nobody a stranger.
        """
        if self.amount is None or other.amount is None:
            return False
        same_currency = (
            None in (self.currency, other.currency) or self.currency == other.currency
        )
        if self.amount == other.amount and same_currency:
            return False
        fits = payer_fits(self.payer, other.payer)
        are_named = bool(self.payer and other.payer)
        if self.pays_once or other.pays_once or (are_named and fits is None):
            recipients = {self.destination, other.destination} - {None, ""}
            return len(recipients) > 1
        return fits is False


def asked_in(document: Document) -> Asked:
    """What a row asks for."""
    currency = document.get("currency")
    if currency is not None:
        currency = str(currency).lower()
    return Asked(
        payer_of(document),
        document.get("destination"),
        document.get("amount"),
        currency,
        pays_once=bool(single_use_of(document)),
    )


def terms_alone(document: Document) -> Document:
    """Of a row only who is to pay how much to whom."""
    return {name: document[name] for name in _TERMS if name in document}


_TERMS = ("amount", "currency", "destination", "customer", "source", "card")


def asked_by(asked: Intent) -> Asked:
    """What an attempt asked for."""
    return Asked(
        asked.payer,
        asked.destination,
        asked.amount,
        asked.currency.lower(),
        pays_once=bool(asked.single_use),
    )


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
    mine = asked_in(document)
    theirs = asked_by(attempt.intent)
    if attempt.intent.content and mine.payer != theirs.payer:
        return False  # it kept the payer as its row named it
    return mine.same(theirs)


def differs(document: Document, attempt: Attempt) -> Message:
    """What a row asks for that an attempt did not ask for. It must not ask for the same."""
    asked = attempt.intent
    amount = document["amount"]
    currency = str(document["currency"])
    recipient = document["destination"]
    what: list[Message] = []
    if (amount, currency.lower()) != (asked.amount, asked.currency.lower()):
        mine = money_told(amount, currency)
        theirs = money_told(asked.amount, asked.currency)
        what.append(said.DIFFERS_AMOUNT(mine=mine, theirs=theirs))
    if recipient != asked.destination:
        what.append(
            said.DIFFERS_RECIPIENT(mine=told(recipient), theirs=told(asked.destination))
        )
    if not _pays_alike(payer_of(document), asked):
        what.append(said.DIFFERS_PAYER())
    if not what:
        what.append(said.DIFFERS_REST())
    return said.DIFFERS(what=tuple(what))


def _pays_alike(payer: str, asked: Intent) -> bool:
    """Of an adopted charge only what it tells of its payer is known."""
    if asked.content:
        return payer == asked.payer
    return payer_fits(payer, asked.payer) is not False


def same_terms(document: Document, attempt: Attempt) -> bool:
    """Does a row ask for what an attempt of another order asked: payer, recipient, amount and
    currency?
    """
    return asked_in(document).same(asked_by(attempt.intent))


def contradicts(document: Document, attempt: Attempt) -> bool:
    """Does a row, as far as it could be read, tell of other money, another recipient or payer than
    an attempt's?
    """
    return asked_in(document).contradicts(asked_by(attempt.intent))


def is_a_strangers(document: Document, attempt: Attempt) -> bool:
    """Did another payer ask for other money than a row?"""
    return asked_in(document).stranger_to(asked_by(attempt.intent))


def are_strangers(one: Document, other: Document) -> bool:
    """Do two rows of other payers ask for other money?"""
    return asked_in(one).stranger_to(asked_in(other))
