"""PLAN: what an order becomes on the wire, named so that it is the same on every machine and for
ever.

>>> key_of("bangkok-nightly", "0001", 1) == key_of("bangkok-nightly", "0001", 1)
True
>>> key_of("bangkok-nightly", "0001", 1) == key_of("bangkok-nightly", "0001", 2)
False
>>> alike("００0012 ａ") == alike("12A")
True
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, sha1
from itertools import repeat
from urllib.parse import quote_plus

from batchpay.domain.model import Document, Intent
from batchpay.job.job import MAX_ATTEMPTS, Fee

# Keys are UUIDv5 under this name space; changing it would forget every key ever made.
KEY_NAMESPACE = uuid.UUID("5d0b4d9e-5a0c-5d6f-9f0e-6d2b2a1f7c31")


# --- batches, and the places of rows


def batch_id_of(first_received: datetime, job_name: str, sha256: str) -> str:
    """`<UTC date of first receipt>-<12 hex over job name, line feed and the file's digest>`
    (contract, section 1).
    """
    return f"{first_received.astimezone(UTC):%Y-%m-%d}-{tail_of(job_name, sha256)}"


def tail_of(job_name: str, sha256: str) -> str:
    """The part of a batch id that says which job and which file it is of, whatever the day."""
    return hashlib.sha256(f"{job_name}\n{sha256}".encode()).hexdigest()[:12]


def place_of(batch_id: str, sheet: str, row: int) -> str:
    """A row's place as a corrected row names it: batch, sheet and row number in one text."""
    return f"{batch_id[-12:]}\t{row}\t{sheet}"


def row_at(place: str) -> tuple[str, str, int] | None:
    """The last 12 digits of the batch, the sheet and the row back; None for what is no place.

    >>> row_at(place_of("2026-11-24-0123456789ab", "Orders", 7)), row_at(by_order("0001"))
    (('0123456789ab', 'Orders', 7), None)
    """
    tail, _, rest = place.partition("\t")
    row, _, sheet = rest.partition("\t")
    if order_in(place) or not row.isdecimal():
        return None
    return (tail, sheet, int(row))


def by_order(order_id: str) -> str:
    """An order as the sale of a corrected row is known by it, beside the places of its rows."""
    return f"{_ORDER}{order_id}"


def order_in(key: str) -> str:
    """The order id back; empty where such a key is a place."""
    if key.startswith(_ORDER):
        return key.removeprefix(_ORDER)
    return ""


_ORDER = "order\t"  # no place begins like this: it begins with 12 hexadecimal digits


def places_of(asked: Intent) -> tuple[str, ...]:
    """The row that caused an attempt, and those that it goes back to."""
    own = place_of(asked.batch_id, asked.sheet, asked.row)
    back = [key for key in (asked.corrects, *asked.sale) if key and not order_in(key)]
    return tuple(dict.fromkeys((own, *back)))


def told_row(sheet: str, row: int) -> str:
    """A row's place inside its file as `metadata[batchpay_row]` tells it.

    >>> told_row("", 7), told_row("Sheet 1!", 7)
    ('7', 'Sheet 1!!7')
    """
    if sheet:
        return f"{sheet}!{row}"
    return str(row)


def row_told(text: str) -> tuple[str, int]:
    """Sheet and row of such a text; ("", 0), which is no row, for anything else.

    >>> row_told("7"), row_told("Sheet 1!!7"), row_told("Sheet 1"), row_told("0")
    (('', 7), ('Sheet 1!', 7), ('', 0), ('', 0))
    """
    sheet, _, number = text.rpartition("!")
    if _ROW.fullmatch(number):
        return (sheet, int(number))
    return ("", 0)


# --- what the gateway keeps of a correction


def told_sale(keys: Sequence[str]) -> dict[str, str]:
    """What a correction's sale is known by (`Ancestry.keys`) as `metadata[batchpay_corrects]` tells
    it, with `batchpay_corrects_2` and so on: how long a value the gateway keeps is told
    nowhere, and one that it cuts must not take the others with it.
    """
    half = MOST_KEYS // 2
    nearest = keys[:half]
    first = keys[half:][-half:]
    parts: list[list[str]] = []
    for key in (*nearest, *first):
        if parts and len(_listed([*parts[-1], key])) <= LONGEST_VALUE:
            parts[-1].append(key)
        else:
            parts.append([key])
    return {_part_name(number): _listed(part) for number, part in enumerate(parts, 1)}


def sale_told(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The same back; of a value that was cut all that came through whole.

    >>> sale_told({"batchpay_corrects": '["A", "B"]', "batchpay_corrects_2": '["C", "D'})
    ('A', 'B', 'C')
    """
    found: list[str] = []
    for number in range(1, MOST_KEYS + 1):
        text = metadata.get(_part_name(number), "")
        if text.startswith("["):
            found += _texts_in(text)
    return tuple(dict.fromkeys(found))


def _part_name(number: int) -> str:
    if number == 1:
        return "batchpay_corrects"
    return f"batchpay_corrects_{number}"


def _listed(keys: Sequence[str]) -> str:
    return json.dumps(keys, ensure_ascii=False)


def _texts_in(text: str) -> list[str]:
    """The texts of a JSON list of them, the end of which may be gone."""
    try:
        return [json.loads(found) for found in _JSON_TEXT.findall(text)]
    except ValueError:
        return []


# characters of a value that any gateway keeps; as long as a description
LONGEST_VALUE = 255
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
MOST_KEYS = 12  # told to the gateway: the nearest and the first of them
_ROW = re.compile(r"[1-9][0-9]{0,9}")


# --- keys, and whose a charge is by its own


@lru_cache(maxsize=4096)  # each charge of a list is asked several times whose it is
def key_of(job_name: str, order_id: str, attempt: int) -> str:
    """The Idempotency-Key of an attempt: UUIDv5 of job name, order id and attempt number."""
    return _uuid5(f"[{_in_json(job_name)}, {_in_json(order_id)}, {attempt:d}]".encode())


def keys_of(
    job_name: str, order_ids: Iterable[str], attempts: Iterable[int]
) -> Iterator[str]:
    """The keys of many, of which none is asked for twice."""
    return map(key_of.__wrapped__, repeat(job_name), order_ids, attempts)


def _uuid5(name: bytes) -> str:
    """uuid.uuid5 in the namespace of the keys, as text and nothing else: a third of its cost, for
    each row of a report (RFC 9562, 5.5: version and variant take the place of some bits).

    >>> _uuid5(b"name") == str(uuid.uuid5(KEY_NAMESPACE, "name"))
    True
    """
    digits = sha1(KEY_NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


_VARIANTS = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


# a text as JSON, quotes included
_in_json = json.encoder.encode_basestring
# made once: json.dumps makes one for every text that it is to write in a form of its own
_CONTENT = json.JSONEncoder(
    ensure_ascii=False,
    sort_keys=True,
    separators=(",", ":"),
)


def place_in(
    job_name: str, metadata: Mapping[str, str]
) -> tuple[str, int | None] | None:
    """Order id and attempt of a charge of this job, by what it says itself; None: it is none of
    this job's.

    The key says whose a charge is, whatever else was lost or changed (contract, section 7). Without
    a number: it carries the job's name, and a key that this job would not make.
    """
    order_id = metadata.get("order_id", "")
    key = metadata.get("batchpay_key", "")
    named = metadata.get("batchpay_job", "")
    number = number_of(named, order_id, key)
    if number is not None and named != job_name:
        return None  # another job's, to the letter
    if number is None:
        number = number_of(job_name, order_id, key)
    if number is not None or named == job_name:
        return (order_id, number)
    return None


def number_of(job_name: str, order_id: str, key: str) -> int | None:
    """The attempt of this order whose key this is; None: the job would make it for none."""
    if not (order_id and key):
        return None
    for number in range(1, MAX_ATTEMPTS + 1):
        if key_of(job_name, order_id, number) == key:
            return number
    return None


def explains_itself(metadata: Mapping[str, str]) -> bool:
    """Does its key fit the job and the order that it names itself, whichever they are?"""
    job = metadata.get("batchpay_job", "")
    order_id = metadata.get("order_id", "")
    return number_of(job, order_id, metadata.get("batchpay_key", "")) is not None


# --- what a row asks for, and who pays


def content_of(document: Document) -> str:
    """Digest of everything the order asks for: two rows of one order id with one digest ask the
    same.
    """
    text = _CONTENT.encode(document)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def payer_of(document: Mapping[str, object]) -> str:
    """Who pays: the customer (with its card, if named), the source or the card."""
    return ":".join([str(document[kind]) for kind in _PAYERS if kind in document])


_PAYERS = ("customer", "source", "card")


def payment_method(payer: str) -> str:
    """Kind and last four characters only: `customer *4242`."""
    if not payer:
        return ""
    kinds = {"cust": "customer", "src": "source"}
    kind = kinds.get(payer.partition("_")[0], "card")
    return f"{kind} *{payer.partition(':')[0][-4:]}"


def may_pay(payer: str, told: str) -> bool:
    """May the payer that a charge names be the one of a row? A charge names no token, and no card
    of a customer.
    """
    mine = payer.partition(":")[0]
    if not told or mine.startswith(("tokn_", "card_")):
        return True
    return mine == told.partition(":")[0]


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


def single_use_of(document: Mapping[str, object]) -> str:
    """The card token that only one charge can ever spend; empty when there is none (omise-api.md,
    2.1).
    """
    card = str(document.get("card", ""))
    if card.startswith("tokn_"):
        return card
    return ""


# --- ids that look alike


@lru_cache(maxsize=8192)  # asked of the orders of a chunk of rows, again and again
def alike(order_id: str) -> str:
    """The id without what programs do to ids: leading zeros, spaces, case, width (NFKC), a trailing
    `.0` or point, a spreadsheet's mark of text before it, and the exponent or the commas of a
    number that a spreadsheet writes out. 1.1 and 1.10 are two ids: lines of one order.

    >>> alike("0001003.0") == alike("1003") != alike("1003.05")
    True
    >>> alike("8E5") == alike("800000") == alike("8.00E+05") == alike("800,000") == alike("+800000")
    True
    >>> alike("'0017") == alike("17.") == alike("17")
    True
    >>> alike("1.10") != alike("1.1") != alike("A1.1") != alike("A1.10")
    True
    """
    text = order_id
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    bare = "".join(text.split()).casefold().lstrip("'")
    if not bare.isdecimal():
        number = _NUMBER.fullmatch(bare)
        if number:
            bare = _written_out(*number.groups(""))
    return _POINT_ZERO.sub("", bare).lstrip("0")


_POINT_ZERO = re.compile(r"\.0*$")
_NUMBER = re.compile(
    r"\+?([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?(?:e\+?([0-9]{1,3}))?"
)


def _written_out(whole: str, decimals: str, exponent: str) -> str:
    """Digits alone, with the point where it belongs: 8E5 is 800000, and 8.50E0 is 8.5."""
    power = int(exponent or 0)
    integer = whole.replace(",", "")
    digits = integer + decimals.ljust(power, "0")
    point = len(integer) + power
    rest = digits[point:]
    if exponent:
        rest = rest.rstrip("0")
    if rest:
        return f"{digits[:point]}.{rest}"
    return digits[:point]


# --- terms: what makes two orders look like one


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
    """The same of what a row asks for that broke no rule."""
    return _terms_once(
        payer_of(document),
        document["destination"],
        document["amount"],
        document["currency"],
    )


# a run asks for those of a row from several sides
_terms_once = lru_cache(8192)(terms_of)


def number_of_terms(document: Document) -> int:
    """The same as a number, as journals of every version keep it: what is made of every row of a
    file.

    >>> asks = {"card": "tokn_1", "destination": "recp_1", "amount": 5, "currency": "thb"}
    >>> f"{number_of_terms(asks):016x}" == terms_in(asks)[-16:]
    True
    """
    money = _money(document["destination"], document["amount"], document["currency"])
    return int.from_bytes(_digest(_whose(payer_of(document), money)))


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
    """What the terms of a charge are like (`are_like`) that may be the same sale by them (like
    `may_pay`, in both directions): a customer's are its own, for whichever recipient, or those of
    nobody knows whom for its recipient; where nobody knows who pays, any of the same money for its
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


# --- the request


def intent_of(
    document: Document,
    *,
    job: str,
    attempt: int,
    fee: Fee | None,
    batch_id: str,
    sheet: str,
    row: int,
    run_id: str,
    journal_id: str,
    mode: str = "",
    corrects: str = "",
    sale: Sequence[str] = (),
    ids_from: str = "",
    extras_from: str = "",
) -> Intent:
    """The frozen request of an attempt: key, exact body and what an answer must agree with."""
    order_id = str(document["order_id"])
    key = key_of(job, order_id, attempt)
    metadata = {
        **document.get("metadata", {}),
        "order_id": order_id,
        "batchpay_key": key,
        "batchpay_batch": batch_id,
        "batchpay_row": told_row(sheet, row),
        "batchpay_job": job,
        "batchpay_run": run_id,
        "batchpay_journal": journal_id,
    }
    if ids_from:
        metadata["batchpay_ids"] = ids_from
    metadata |= told_sale(sale)
    body = form_encoded(document, metadata, fee)
    currency = str(document["currency"])
    fixed, percentage = _commission_in(fee, currency)
    return Intent(
        order_id=order_id,
        attempt=attempt,
        key=key,
        body=body,
        body_sha256=hashlib.sha256(body.encode()).hexdigest(),
        content=content_of(document),
        amount=int(document["amount"]),
        currency=currency,
        destination=str(document["destination"]),
        payer=payer_of(document),
        batch_id=batch_id,
        sheet=sheet,
        row=row,
        run_id=run_id,
        alike=alike(order_id),
        single_use=single_use_of(document),
        mode=mode,
        fee_fixed=fixed,
        fee_percentage=percentage,
        corrects=corrects,
        sale=tuple(sale),
        ids_from=ids_from,
        extras_from=extras_from,
    )


def form_encoded(
    document: Document, metadata: Mapping[str, str], fee: Fee | None
) -> str:
    """The body of `POST /charges` as application/x-www-form-urlencoded (omise-api.md, 1.4 and
    2.1).
    """
    fields = [("amount", str(document["amount"]))]
    for name in SENT_AS_THEY_ARE:
        if name in document:
            fields.append((name, str(document[name])))
    fixed, percentage = _commission_in(fee, str(document["currency"]))
    if fixed is not None:
        fields.append(("platform_fee[fixed]", str(fixed)))
    if percentage is not None:
        fields.append(("platform_fee[percentage]", percentage))
    for name, value in metadata.items():
        fields.append((f"metadata[{name}]", value))
    return "&".join(f"{_quoted_name(name)}={_quoted(value)}" for name, value in fields)


SENT_AS_THEY_ARE = (
    "currency",
    "destination",
    "customer",
    "card",
    "source",
    "description",
    "return_uri",
)


def _commission_in(fee: Fee | None, currency: str) -> tuple[int | None, str | None]:
    """Fixed, in smallest units, and percentage."""
    if fee is None:
        return None, None
    return fee.fixed_in(currency), fee.percentage


_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
# A job has a few names, each of them in every order.
_quoted_name = lru_cache(maxsize=1024)(quote_plus)


def _quoted(value: str) -> str:
    """`quote_plus`, which is slow to find out that most values need nothing."""
    if _PLAIN.fullmatch(value):
        return value
    return quote_plus(value)
