"""SALE TERMS: who pays whom how much as one text, by which a journal finds the orders that may be
one sale. What is held against what, value by value, is `terms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from batchpay.domain.documents import values_of
from batchpay.domain.model import Document, Intent
from batchpay.lifecycle.payers import first_payers_of, payer_of, who_pays

# How long a request is looked for that only its terms link to what came later: what was asked in
# vain, under an id that the job makes no more, may have been charged after all.
BY_TERMS_NS = 31 * 86_400 * 10**9


def terms_of(
    payer: str,
    destination: str,
    amount_minor: int,
    currency: str,
) -> str:
    """What makes two orders look like one: who pays whom how much, a customer with whichever card.

    In front stands what `fitting_terms` looks for: 8 digits of how much, whether it is known who
    pays, and 16 digits of the payer; where nobody knows that, of the recipient. The recipient of a
    customer's order stands last: an edited job, or lookup file, gives the same order another one.

    >>> terms_of("cust_1:card_2", "recp_1", 5, "THB") == terms_of("cust_1", "recp_1", 5, "thb")
    True
    >>> terms_of("tokn_1", "recp_1", 5, "THB") == terms_of("tokn_2", "recp_1", 5, "THB")
    False
    """
    money = _money(destination, amount_minor, currency)
    paid = _digest(money).hex()
    customer = who_pays(payer)
    if customer:
        return _of_customer(customer, amount_minor, currency) + paid
    return (
        _of_nobody(paid, amount_minor, currency) + _digest(_whose(payer, money)).hex()
    )


def _of_customer(customer: str, amount_minor: int, currency: str) -> str:
    return f"{_how_much(amount_minor, currency)}+{_digest(customer).hex()}"


def _of_nobody(paid: str, amount_minor: int, currency: str) -> str:
    return f"{_how_much(amount_minor, currency)}-{paid}"


def _how_much(amount_minor: int, currency: str) -> str:
    return _digest(f"{amount_minor}\n{currency.lower()}").hex()[:8]


def has_terms(document: Document) -> bool:
    """Does a row say who is paid how much, as far as it could be read?"""
    return all(name in document for name in ("destination", "amount", "currency"))


def terms_in(document: Document) -> str:
    """`terms_of` what a row asks for that broke no rule."""
    return _terms_once(
        payer_of(document),
        document["destination"],
        document["amount"],
        document["currency"],
    )


# a run asks for those of a row from several sides
_terms_once = lru_cache(8192)(terms_of)


def number_of_terms(document: Document) -> int:
    """A digest of who pays whom how much, a customer with whichever card, as a number, as journals
    of every version keep it: what is made of every row of a file. Where nobody knows who pays, it
    is the end of the terms.

    >>> asks = {"card": "tokn_1", "destination": "recp_1", "amount": 5, "currency": "thb"}
    >>> f"{number_of_terms(asks):016x}" == terms_in(asks)[-16:]
    True
    """
    money = _money(document["destination"], document["amount"], document["currency"])
    return int.from_bytes(_digest(_whose(payer_of(document), money)))


def number_of(asked: Intent) -> int:
    """The same of what an attempt asked for."""
    money = _money(asked.destination, asked.amount, asked.currency)
    return int.from_bytes(_digest(_whose(asked.payer, money)))


def digests_of_terms(documents: Sequence[Document]) -> bytes:
    """The same of many rows, 8 bytes each.

    >>> asks = {"card": "tokn_1", "destination": "recp_1", "amount": 5, "currency": "thb"}
    >>> digests_of_terms([asks]) == number_of_terms(asks).to_bytes(8)
    True
    """
    texts = [
        f"{payer.partition(':')[0]}\n{destination}\n{amount}\n{currency.lower()}"
        for payer, destination, amount, currency in zip(
            first_payers_of(documents),
            values_of(documents, "destination"),
            values_of(documents, "amount"),
            values_of(documents, "currency"),
            strict=True,
        )
    ]
    digests = []
    begun = blake2b(digest_size=8)  # a copy costs less than another one
    for text in texts:
        digest = begun.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        digests.append(digest.digest())
    return b"".join(digests)


def _money(destination: str, amount_minor: int, currency: str) -> str:
    return f"{destination}\n{amount_minor}\n{currency.lower()}"


def _whose(payer: str, money: str) -> str:
    return f"{payer.partition(':')[0]}\n{money}"


def fitting_terms(
    payer: str,
    destination: str,
    amount_minor: int,
    currency: str,
) -> tuple[str, ...]:
    """What the terms of a charge are like (`are_like`) that may be the same sale by them (as
    `payer_fits` has it): a customer's are its own, for whichever recipient, or those of nobody
    knows whom for its recipient; where nobody knows who pays, any of the same money for its
    recipient.

    >>> payers = ("cust_1:card_1", "cust_2", "tokn_1", "")
    >>> def fits(terms, payer, recipient="recp_1"):
    ...     wanted = fitting_terms(payer, recipient, 5, "THB")
    ...     return [any(are_like(one, some) for some in wanted) for one in terms]
    >>> terms = [terms_of(payer, "recp_1", 5, "THB") for payer in payers]
    >>> fits(terms, "cust_1"), fits(terms, "cust_1", "recp_2")
    ([True, False, True, True], [True, False, False, False])
    >>> fits(terms, "tokn_2"), fits(terms, "tokn_2", "recp_2")
    ([True, True, True, True], [False, False, False, False])
    """
    paid = _digest(_money(destination, amount_minor, currency)).hex()
    of_nobody = _of_nobody(paid, amount_minor, currency)
    customer = who_pays(payer)
    if customer:
        return (_of_customer(customer, amount_minor, currency), of_nobody)
    return (of_nobody, f"{_how_much(amount_minor, currency)}+*{paid}")


def are_like(terms: str, fitting: str) -> bool:
    """Have terms the beginning, and behind a `*` the end, of one of `fitting_terms`?"""
    beginning, _, end = fitting.partition("*")
    return terms.startswith(beginning) and terms.endswith(end)


def same_sale_terms(document: Document) -> str:
    """What the terms of attempts begin with that ask for what a row asks, for whichever recipient
    where it is known who pays.
    """
    if who_pays(payer_of(document)):
        return fitting_terms_in(document)[0]
    return terms_in(document)


def fitting_terms_in(document: Document) -> tuple[str, ...]:
    """`fitting_terms` of what a row asks for that broke no rule."""
    return fitting_terms(
        payer_of(document),
        document["destination"],
        document["amount"],
        document["currency"],
    )


def words_terms(document: Document) -> tuple[str, ...]:
    """By which terms a person's word about a row's order is kept: as it is today, and as it was up
    to version 8 of the journal.
    """
    payer = payer_of(document)
    money = _money(document["destination"], document["amount"], document["currency"])
    before = _digest(money).hex()
    if who_pays(payer):
        before = f"{before}+{_digest(_whose(payer, money)).hex()}"
    return (fitting_terms_in(document)[0], before)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
