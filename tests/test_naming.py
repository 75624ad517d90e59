"""Planning: keys, bodies and digests that are the same on every machine and for ever."""

from __future__ import annotations

import doctest
import hashlib
import json
import sys
import unicodedata
import uuid
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchpay.domain.text import in_ascii_digits
from batchpay.job.job import Fee
from batchpay.lifecycle import keys, order_ids, payers, places, sale_terms
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.order_ids import alike, kept_as
from batchpay.lifecycle.payers import content_of, payer_of, single_use_of
from batchpay.lifecycle.places import (
    LONGEST_VALUE,
    MOST_KEYS,
    batch_id_of,
    sale_told,
    told_sale,
)
from batchpay.lifecycle.request import form_encoded, intent_of

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
ORDER = {
    "order_id": "0001",
    "amount": 123450,
    "currency": "thb",
    "destination": "recp_test_1",
    "customer": "cust_test_1",
}


def intent(document=ORDER, *, attempt=1, fee=None, run_id="run-1"):
    """An intent of the fixed test job."""
    return intent_of(
        document,
        job="j",
        attempt=attempt,
        fee=fee,
        batch_id="2025-01-01-abc",
        sheet="",
        row=2,
        run_id=run_id,
        journal_id="journal-1",
    )


def test_the_examples_of_the_module_hold():
    """What the docstring shows is what happens."""
    for module in (keys, order_ids, payers, places, sale_terms):
        assert doctest.testmod(module).attempted
        assert doctest.testmod(module).failed == 0


def test_keys_never_change():
    """Frozen: a changed key would charge everybody again."""
    assert (
        key_of("bangkok-nightly", "0001", 1) == "85cb9887-611a-5161-8f3c-79ab33493863"
    )
    assert uuid.UUID(key_of("ร้าน", "注文 1", 20)).version == 5


@given(st.sets(st.tuples(text, text, st.integers(1, 20)), min_size=2))
def test_keys_are_told_apart(orders):
    """Another job, order or attempt is another key; no two texts run together."""
    assert len({key_of(*order) for order in orders}) == len(orders)


def test_an_intent_says_for_which_mode_it_was_made_and_which_row_it_corrects():
    """As it was told; most correct none, and old journals told no mode."""
    told = intent_of(
        ORDER,
        job="j",
        attempt=1,
        fee=None,
        batch_id="b",
        sheet="",
        row=2,
        run_id="r",
        journal_id="j1",
        mode="live",
        corrects="place",
    )
    assert (told.mode, told.corrects) == ("live", "place")
    assert (intent().mode, intent().corrects) == ("", "")


def test_batch_ids_are_dated_in_utc():
    """A file received after midnight in Bangkok belongs to the UTC date; the same bytes of two jobs
    are two batches.
    """
    bangkok = timezone(timedelta(hours=7))
    digest = hashlib.sha256(b"night\n" + b"f" * 64).hexdigest()[:12]
    assert (
        batch_id_of(datetime(2025, 1, 2, 3, tzinfo=bangkok), "night", "f" * 64)
        == f"2025-01-01-{digest}"
    )
    assert (
        batch_id_of(datetime(2025, 1, 2, 3, tzinfo=UTC), "night", "f" * 64)
        == f"2025-01-02-{digest}"
    )
    assert (
        batch_id_of(datetime(2025, 1, 2, 3, tzinfo=UTC), "day", "f" * 64)
        != f"2025-01-02-{digest}"
    )


@given(text, text, st.dictionaries(text, text, max_size=4))
def test_the_body_reads_back_as_it_was(order_id, description, metadata):
    """Whatever stands in a text, the gateway's form parser sees exactly it."""
    body = intent(
        {
            **ORDER,
            "order_id": order_id,
            "description": description,
            "metadata": metadata,
        }
    ).body
    assert body.isascii()
    fields = dict(
        parse_qsl(body, keep_blank_values=True, strict_parsing=True, max_num_fields=100)
    )
    assert fields["amount"] == "123450"
    assert fields["description"] == description
    assert fields["metadata[order_id]"] == order_id
    own = {
        name: value
        for name, value in metadata.items()
        if name != "order_id" and not name.startswith("batchpay_")
    }
    assert {name: fields[f"metadata[{name}]"] for name in own} == own


def test_the_body_holds_what_the_contract_lists():
    """Names and order of the fields, with fee and return address."""
    document = {**ORDER, "card": "card_test_1", "return_uri": "https://a.example/?x=1"}
    fields = parse_qsl(
        form_encoded(document, {"order_id": "0001"}, Fee({"THB": 500}, "10.5"))
    )
    assert fields == [
        ("amount", "123450"),
        ("currency", "thb"),
        ("destination", "recp_test_1"),
        ("customer", "cust_test_1"),
        ("card", "card_test_1"),
        ("return_uri", "https://a.example/?x=1"),
        ("platform_fee[fixed]", "500"),
        ("platform_fee[percentage]", "10.5"),
        ("metadata[order_id]", "0001"),
    ]


@pytest.mark.fault("J28")
def test_a_fixed_fee_is_that_of_the_orders_own_currency():
    """Of the others nothing is taken: 30 satang for 30 yen would be a hundredth, 500 yen for 5 baht
    a hundredfold.
    """
    fee = Fee({"THB": 500, "JPY": 30}, None)
    for currency, fixed in (("THB", "500"), ("JPY", "30"), ("SGD", None)):
        fields = dict(
            parse_qsl(
                form_encoded({**ORDER, "currency": currency}, {"order_id": "0001"}, fee)
            )
        )
        assert fields.get("platform_fee[fixed]") == fixed


def test_our_own_metadata_wins():
    """A row cannot pass for another order by its metadata."""
    fields = dict(
        parse_qsl(
            intent({**ORDER, "metadata": {"batchpay_key": "x", "order_id": "y"}}).body
        )
    )
    assert fields["metadata[order_id]"] == "0001"
    assert fields["metadata[batchpay_key]"] == key_of("j", "0001", 1)
    names = {name for name in fields if name.startswith("metadata[")}
    assert names == {
        f"metadata[{name}]"
        for name in (
            "order_id",
            "batchpay_key",
            "batchpay_batch",
            "batchpay_row",
            "batchpay_job",
            "batchpay_run",
            "batchpay_journal",
        )
    }


def test_content_ignores_the_order_of_fields_and_nothing_else():
    """The same order written in another order of columns is the same content."""
    assert content_of(dict(reversed(ORDER.items()))) == content_of(ORDER)
    changed = [
        {**ORDER, "amount": 123451},
        {**ORDER, "description": "x"},
        {**ORDER, "metadata": {"a": "b"}},
    ]
    assert len({content_of(document) for document in [ORDER, *changed]}) == 4


@pytest.mark.parametrize(
    ("fields", "payer", "token"),
    [
        ({"card": "tokn_1"}, "tokn_1", "tokn_1"),
        ({"source": "src_1"}, "src_1", ""),
        ({"customer": "cust_1"}, "cust_1", ""),
        ({"customer": "cust_1", "card": "card_1"}, "cust_1:card_1", ""),
    ],
)
def test_who_pays_and_what_is_spent(fields, payer, token):
    """A token pays once; customers, their cards and sources may be asked again."""
    assert (payer_of(fields), single_use_of(fields)) == (payer, token)


@pytest.mark.fault("X04", "X14")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0000001", "1"),
        ("A 12", "a12"),
        ("００12", "12"),
        ("cafe\u0301", "caf\u00e9"),
        ("ａｂｃ", "ABC"),
        ("๐๐๐๐๐๐๑", "1"),
        ("A-١٢", "a-12"),
        ("१२.०", "12"),
        ("۸٫۰۰E+۰۵", "800000"),
        ("٨٠٠٬٠٠٠", "800000"),
    ],
)
def test_look_alikes(one, other):
    """What a spreadsheet does to an id does not hide it."""
    assert alike(one) == alike(other)


def test_other_ids_stay_apart():
    """Only leading zeros fall, and no digit inside; words of numbers are no digits."""
    ids = ("1", "10", "101", "A1", "A01", "๒", "A-๑", "๑๐๐", "一", "注文๑")
    assert len({alike(name) for name in ids}) == len(ids)


@pytest.mark.fault("X14", "J07")
def test_what_journals_keep_tells_where_it_is_not_what_an_id_looks_like():
    """There it has a digit of another script, or a sign of Arabic numbers: of all characters that
    Unicode has.
    """
    for character in map(chr, range(sys.maxunicode + 1)):
        is_plain = unicodedata.normalize("NFKC", character) == character
        if is_plain and unicodedata.category(character) not in ("Nd", "Po"):
            continue
        order_id = f"a{character}0"
        kept = kept_as(order_id)
        if in_ascii_digits(kept) == kept:
            assert kept == alike(order_id), ascii(character)
        assert in_ascii_digits(alike(order_id)) == alike(order_id), ascii(character)


KEY_OF_A_SALE = st.text('aé"', min_size=1, max_size=120)


@given(st.lists(KEY_OF_A_SALE, max_size=MOST_KEYS, unique=True))
@example(["a", "b" * 250, "c"])
@example(["b" * 250, "a", "c"])
def test_what_a_sale_is_known_by_comes_back_in_values_that_a_gateway_keeps(keys):
    """Each value is short enough, and no more of them are told than it takes in this order."""
    told = told_sale(keys)
    assert sale_told(told) == tuple(keys)
    values = list(told.values())
    assert all(len(value) <= LONGEST_VALUE for value in values)
    for one, after in pairwise(map(json.loads, values)):
        assert len(json.dumps([*one, after[0]], ensure_ascii=False)) > LONGEST_VALUE
