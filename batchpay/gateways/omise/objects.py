"""OBJECTS: the gateway's documents, taken apart: the only place that knows their names.

Whatever a document is, nothing here raises. What is not as documented is said of what was read, in
`ChargeSeen.unread` say, or makes it nothing: unclear proves nothing, and goes on as evidence.
(docs/gateway.md, 3, 4 and 7.) What the account's ledger lists is read in `books`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, TypeVar

from batchpay.domain.books import Account, Capability, Customer, Recipient
from batchpay.domain.model import (
    Answer,
    ChargeSeen,
    ChargeWithoutId,
    OddEntry,
    Page,
    UnreadablePage,
)
from batchpay.domain.secrets import masked
from batchpay.domain.text import told as in_short
from batchpay.gateways.omise.documents import (
    LARGEST,
    inside,
    listed,
    money,
    shown,
    text,
    whole,
)

T = TypeVar("T")

LONGEST_NAME = 60  # characters of what an entry of a list tells of itself
LONGEST_EVIDENCE = 4000  # characters of an answer that is not what was asked for


def told(answer: Answer[Any], read: Callable[[Any], T | None]) -> Answer[T]:
    """The same answer with its document read, which it then no longer has."""
    document = answer.said
    if document is None:
        return answer
    code, message = error_in(document)
    return Answer(  # dataclasses.replace takes as long as reading a charge does
        out=answer.out,
        status=answer.status,
        said=read(document),
        kind=text(document, "object"),
        code=code,
        message=message,
        evidence=partial(_as_it_came, document),
        withheld=answer.withheld,
        trouble=answer.trouble,
        too_long=answer.too_long,
        excerpt=answer.excerpt,
        retry_after=answer.retry_after,
        date=answer.date,
        remaining=answer.remaining,
        reset=answer.reset,
    )


def _as_it_came(document: Any) -> str:
    return masked(
        json.dumps(document, ensure_ascii=False, default=str)[:LONGEST_EVIDENCE]
    )


def error_in(document: Any) -> tuple[str, str]:
    """Code and message of the gateway's error object (docs/gateway.md, 4.1); empty when it is
    something else.

    Both may echo what was sent, so they are masked before anybody writes them down.
    """
    if inside(document, "object") != "error":
        return "", ""
    return masked(text(document, "code")), masked(text(document, "message"))


# --- charges


# of every charge, and of what type
_WANTED = (
    ("id", str),
    ("status", str),
    ("currency", str),
    ("livemode", bool),
    ("paid", bool),
)
_NEVER_EMPTY = ("id", "status", "currency")


def charge_answered(document: Any) -> ChargeSeen | ChargeWithoutId | None:
    """A charge object as far as it can be read (docs/gateway.md, 3.1); None when it says that it is
    something else.
    """
    if inside(document, "object") != "charge":
        return None
    flaws = [
        (name, f"is not a {kind.__name__}")
        for name, kind in _WANTED
        if type(document.get(name)) is not kind
    ]
    flaws += [
        (name, "is empty") for name in _NEVER_EMPTY if _is_blank(document.get(name))
    ]
    if _names_none(document):
        return ChargeWithoutId(tuple(map(" ".join, flaws)))
    if not isinstance(document.get("metadata"), dict):
        flaws.append(("metadata", "is not an object"))
    proving, costs = _proving(document), _costs(document)
    flaws += cannot_be_read(proving)
    sums = {name: read for name, (read, _) in (proving | costs).items()}
    return _seen(document, sums, flaws, "; ".join(map(" ".join, cannot_be_read(costs))))


Sums = dict[str, tuple[int | None, str]]
"""By the name under which it is told: a sum, and what stands where nobody can read one."""


def _proving(document: Mapping[str, Any]) -> Sums:
    """What a charge says of money that its proof hangs on (law L7)."""
    amount = money(document, "amount")
    if amount == (None, ""):
        amount = None, "null"
    sums = {"amount": amount}
    # what a person captured of it; of others it tells nothing (docs/gateway.md, 3.1)
    if document.get("status") == "successful":
        sums["captured_amount"] = money(document, "captured_amount")
    commission = document.get("platform_fee")
    if commission is not None and not isinstance(commission, dict):
        return sums | {"platform_fee": (None, shown(commission))}
    percentage = inside(commission, "percentage")
    if percentage is not None and _percentage_of(percentage) is None:
        sums["platform_fee[percentage]"] = None, shown(percentage)
    for part in ("fixed", "amount"):
        sums[f"platform_fee[{part}]"] = money(commission, part)
    return sums


def _costs(document: Mapping[str, Any]) -> Sums:
    """What it says that the gateway kept of it (docs/gateway.md, 3.4); what is below zero is judged
    beside the others (reconciliation/costs).
    """
    sums = {
        name: money(document, name, least=1 - LARGEST)
        for name in ("fee", "fee_vat", "net", "interest", "interest_vat")
    }
    return sums | {"funding_amount": money(document, "funding_amount")}


def cannot_be_read(sums: Sums) -> list[tuple[str, str]]:
    """The names of those that nobody can read, and how they are told."""
    return [
        (name, f"cannot be read: {instead}")
        for name, (_, instead) in sums.items()
        if instead
    ]


def charge_in(document: Any) -> ChargeSeen | None:
    """The same where it has an id; None for anything else."""
    charge = charge_answered(document)
    if isinstance(charge, ChargeSeen):
        return charge
    return None


def _seen(
    document: Mapping[str, Any],
    sums: Mapping[str, int | None],
    flaws: Sequence[tuple[str, str]],
    unread_costs: str,
) -> ChargeSeen:
    """`sums`: what it says of money; `flaws`: which fields are not as documented, and how."""
    told = document.get
    status = _text(told("status")) or ""
    captured = sums.get("captured_amount")
    if captured == sums["amount"]:
        captured = None
    return ChargeSeen(
        id=document["id"],
        status=status,
        paid=told("paid") is True,
        amount=sums["amount"] or 0,
        currency=(_text(told("currency")) or "").lower(),
        livemode=told("livemode") is True,
        created_at=_text(told("created_at")) or "",
        destination=_id_of(told("destination")),
        chain=_id_of(told("chain")),
        transfer=_id_of(told("transfer")),
        metadata=_texts(told("metadata")),
        failure_code=_masked(told("failure_code")),
        failure_message=_masked(told("failure_message")),
        authorize_uri=_text(told("authorize_uri")),
        fee=sums["fee"],
        fee_vat=sums["fee_vat"],
        net=sums["net"],
        platform_fee=sums.get("platform_fee[amount]"),
        payer=_id_of(told("customer")) or _id_of(told("source")),
        platform_fee_fixed=sums.get("platform_fee[fixed]"),
        platform_fee_percentage=_percentage_of(
            inside(document, "platform_fee", "percentage")
        ),
        funding_amount=sums["funding_amount"],
        funding_currency=(_text(told("funding_currency")) or "").upper() or None,
        unread="; ".join(map(" ".join, flaws)),
        unread_fields=tuple(dict.fromkeys(name for name, _ in flaws)),
        refunded=given_back_in(document)[0] or None,
        captured=captured,
        interest=(sums["interest"] or 0) + (sums["interest_vat"] or 0) or None,
        unread_costs=unread_costs,
        expires_at=_if_it_waits(document, "expires_at"),
        qr_uri=_if_it_waits(
            document, "source", "scannable_code", "image", "download_uri"
        ),
    )


def given_back_in(document: Any) -> tuple[int, str]:
    """What a charge says was given back of it in all, before 2019-05-29 by another name; and what
    of that cannot be read.
    """
    name = "refunded_amount"
    if inside(document, name) is None:
        name = "refunded"
    said, instead = money(document, name)
    came = inside(document, name)
    # an empty text or `false` says that nothing was
    if instead and came:
        return 0, f"refunded_amount is {came!r:.40}"
    return said or 0, ""


def _if_it_waits(document: Mapping[str, Any], *path: str) -> str:
    """What the payer of a charge that waits must know: until when, and which code to scan
    (docs/gateway.md, 3.1; a source's `scannable_code` is as the official SDKs have it).
    """
    if text(document, "status") != "pending":
        return ""
    return text(document, *path)


def page_in(document: Any) -> Page | UnreadablePage | None:
    """A list object of charges (docs/gateway.md, 7.8); None when it is anything else."""
    data, total = inside(document, "data"), inside(document, "total")
    if not isinstance(data, list):
        return None
    charges = []
    odd = []
    for at, item in enumerate(data, 1):
        charge = charge_in(item)
        if charge is not None:
            charges.append(charge)
        elif _nobody_can_name(item):
            return UnreadablePage(at, _names_of(item))
        else:
            odd.append(OddEntry(at, item["id"], _names_of(item)))
    if inside(document, "object") != "list" or type(total) is not int or total < 0:
        return None
    ids = tuple(item["id"] for item in data)
    return Page(
        tuple(charges),
        ids,
        total,
        size_told(document),
        tuple(odd),
    )


def _nobody_can_name(item: Any) -> bool:
    """Is it an entry that is no charge, with an id that nobody can ask for?"""
    return _names_none(item) or _NAME.fullmatch(item["id"]) is None


_NAME = re.compile(r"[!-~]{1,100}")


def _names_none(document: Any) -> bool:
    """Is its id no text, or a blank one? Then it may be any charge, also one that is known."""
    name = inside(document, "id")
    return type(name) is not str or _is_blank(name)


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _names_of(item: Any) -> str:
    """What an entry tells of itself."""
    if not isinstance(item, dict):
        return f"it is {in_short(json.dumps(item, default=str), LONGEST_NAME)}"
    names = [name for name in ("object", "id", "created_at") if item.get(name)]
    known = [f"{name} {in_short(str(item[name]), LONGEST_NAME)}" for name in names]
    return ", ".join(known) or "it names nothing of itself"


def newest_in(document: Any) -> str:
    """The id of the one charge on a page of the youngest; empty when there is none, it cannot be
    read, or it is no page.
    """
    if inside(document, "object") != "list" or isinstance(
        page_in(document), UnreadablePage
    ):
        return ""
    match document.get("data"):
        case [{"id": str(charge_id)}, *_]:
            return charge_id
    return ""


def size_told(document: Any) -> int:
    """How many objects the gateway says it puts on a page at most; 0 when it does not say."""
    limit = inside(document, "limit")
    if type(limit) is int and limit > 0:
        return limit
    return 0


# --- who may be charged, and paid


def account_in(document: Any) -> Account | None:
    """What `GET /account` tells (docs/gateway.md, 7.4); None when it is no account."""
    if inside(document, "object") != "account":
        return None
    taken = inside(document, "supported_currencies")
    if not isinstance(taken, list):
        taken = []
    return Account(
        id=text(document, "id")[:80],
        currency=text(document, "currency").upper(),
        live=_flag(document, "livemode"),
        currencies=frozenset(code.upper() for code in taken if isinstance(code, str)),
    )


def capability_in(document: Any) -> Capability | None:
    """What `GET /capability` tells (docs/gateway.md, 2.3); None when it is no capability."""
    if inside(document, "object") != "capability":
        return None
    return Capability(
        least_charge=whole(document, "limits", "charge_amount", "min"),
        most_charge=whole(document, "limits", "charge_amount", "max"),
        smallest_transfer=whole(document, "limits", "transfer_amount", "min"),
    )


def recipient_in(document: Any) -> Recipient | None:
    """What `GET /recipients/:id` tells (docs/gateway.md, 7.3); None when it is no recipient."""
    if inside(document, "object") != "recipient":
        return None
    return _recipient(document)


def recipients_in(document: Any) -> tuple[Recipient, ...]:
    """Those of a list that name themselves; none when it is no list."""
    return tuple(_recipient(item) for item in listed(document) if text(item, "id"))


def _recipient(document: Mapping[str, Any]) -> Recipient:
    return Recipient(
        id=text(document, "id"),
        deleted=_flag(document, "deleted"),
        verified=_flag(document, "verified"),
        active=_flag(document, "active"),
        failure_code=_text(inside(document, "failure_code")),
    )


def customers_in(document: Any) -> tuple[Customer, ...]:
    """The same of customers."""
    return tuple(
        Customer(text(item, "id"), has_card=bool(item.get("default_card")))
        for item in listed(document)
        if text(item, "id")
    )


# --- one value


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return None


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {name: item for name, item in value.items() if isinstance(item, str)}


def _masked(value: Any) -> str | None:
    words = _text(value)
    if words is None:
        return None
    return masked(words)


def _flag(document: Any, name: str) -> bool | None:
    value = inside(document, name)
    if isinstance(value, bool):
        return value
    return None


def _id_of(value: Any) -> str | None:
    """An id, or the id of an expanded object."""
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, str) and value:
        return value
    return None


def _percentage_of(value: Any) -> str | None:
    """A percentage as the gateway may write one, whole, decimal or as text; None for anything
    else.
    """
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return str(value)[:40] if number.is_finite() else None
