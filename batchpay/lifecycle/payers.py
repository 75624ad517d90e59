"""PAYERS: who pays for a row, and the digest of all that it asks for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from batchpay.domain.documents import values_of
from batchpay.domain.model import Document


def content_of(document: Document) -> str:
    """Digest of everything the order asks for: two rows of one order id with one digest ask the
    same.
    """
    text = _CONTENT.encode(document)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# made once: json.dumps makes one for every text that it is to write in a form of its own
_CONTENT = json.JSONEncoder(
    ensure_ascii=False,
    sort_keys=True,
    separators=(",", ":"),
)


def payer_of(document: Mapping[str, object]) -> str:
    """Who pays: the customer (with its card, if named), the source or the card."""
    return ":".join([str(document[kind]) for kind in _PAYERS if kind in document])


_PAYERS = ("customer", "source", "card")


def first_payers_of(documents: Sequence[Document]) -> list[str]:
    """The first of them of each row, without its card."""
    columns = (values_of(documents, kind) for kind in _PAYERS)
    return [
        one or other or last or "" for one, other, last in zip(*columns, strict=True)
    ]


def payment_method(payer: str) -> str:
    """Kind and last four characters only: `customer *4242`."""
    if not payer:
        return ""
    kinds = {"cust": "customer", "src": "source"}
    kind = kinds.get(payer.partition("_")[0], "card")
    return f"{kind} *{payer.partition(':')[0][-4:]}"


def payer_fits(asked: str, told: str) -> bool | None:
    """Is who pays, as it is told, who was asked to pay? The one place that says so, of a charge at
    the gateway and of what was asked for. None: nothing tells.

    A customer is told, whichever card of it, and a source is; neither tells anything of the other.
    A charge names no token, and no card.

    >>> asked = ("cust_1:card_2", "src_1", "tokn_1", "")
    >>> [payer_fits(one, "cust_1") for one in asked]
    [True, None, None, None]
    >>> [payer_fits(one, "cust_2") for one in asked]
    [False, None, None, None]
    >>> [payer_fits(one, "src_2") for one in asked]
    [None, False, None, None]
    >>> [payer_fits(one, "") for one in asked]
    [None, None, None, None]
    """
    mine = asked.partition(":")[0]
    theirs = told.partition(":")[0]
    if mine == theirs:
        return bool(mine) or None
    kind = mine.partition("_")[0]
    if kind in _TOLD and kind == theirs.partition("_")[0]:
        return False
    return None


_TOLD = ("cust", "src")


def who_pays(payer: str) -> str:
    """The customer, whatever card of it; empty where nobody can tell: tokens, cards and sources are
    new for each sale.

    >>> who_pays("cust_1:card_2"), who_pays("tokn_1"), who_pays("")
    ('cust_1', '', '')
    """
    if payer.startswith(_OF_NOBODY):
        return ""
    return payer.partition(":")[0]


_OF_NOBODY = ("tokn_", "card_", "src_")


def single_uses_of(documents: Sequence[Document]) -> list[str]:
    """`single_use_of` each of them."""
    cards = values_of(documents, "card")
    return [card if card and card.startswith("tokn_") else "" for card in cards]


def single_use_of(document: Mapping[str, object]) -> str:
    """The card token that only one charge can ever spend; empty when there is none
    (docs/gateway.md, 2.1).
    """
    card = str(document.get("card", ""))
    if card.startswith("tokn_"):
        return card
    return ""
