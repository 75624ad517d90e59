"""What is a card number, a key or a token in a text, and what only looks like one: a corpus of
both.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchpay.domain import cards
from batchpay.domain.secrets import masked, secret_in, without_keys
from batchpay.domain.text import told
from batchpay.readers import screen
from tests.doses import dose

CARD = "4242424242424242"
MASTER = "5555555555554444"
AMEX = "378282246310005"

CARDS = {
    "plain": CARD,
    "master": MASTER,
    "amex": AMEX,
    "jcb": "3530111333300000",
    "unionpay": "6200000000000005",
    "discover": "6011111111111117",
    "diners": "30569309025904",
    "19 digits": "4000000000000000006",
    "2-series": "2223003122003222",
    "13 digits": "4222222222222",
    "blanks": "4242 4242 4242 4242",
    "dashes": "4242-4242-4242-4242",
    "amex cut": "3782 822463 10005",
    "diners cut": "3056-930902-5904",
    "points": "4242.4242.4242.4242",
    "slashes": "4242/4242/4242/4242",
    "low lines": "4242_4242_4242_4242",
    "colons": "4242:4242:4242:4242",
    "stars": "4242*4242*4242*4242",
    "double stars": "4242**4242**4242**4242",
    "commas": "4242,4242,4242,4242",
    "semicolons": "4242;4242;4242;4242",
    "bars": "4242|4242|4242|4242",
    "pluses": "4242+4242+4242+4242",
    "hashes": "4242#4242#4242#4242",
    "tildes": "4242~4242~4242~4242",
    "quotes": "4242'4242'4242'4242",
    "brackets": "4242)(4242)(4242)(4242",
    "points and blanks": "4242. 4242. 4242. 4242",
    "spaced dashes": "4242 - 4242 - 4242 - 4242",
    "letters": "4242x4242x4242x4242",
    "several letters": "4242abc4242abc4242abc4242",
    "other letters": "4242a4242b4242c4242",
    "thai letters": "4242ก4242ก4242ก4242",
    "line breaks": "4242\n4242\n4242\n4242",
    "line ends": "4242\r\n4242\r\n4242\r\n4242",
    "two lines": "4242 4242\n4242 4242",
    "broken once": "4242424242\n424242",
    "tab": "4242\t424242424242",
    "mixed": "4242-4242.4242/4242",
    "digit by digit": " ".join(CARD),
    "digit by point": ".".join(CARD),
    "pairs": "42.42.42.42.42.42.42.42",
    "halves": "42424242 42424242",
    "bin first": "424242-4242424242",
    "bin first, with its date": "424242-4242424242 12/27",
    "broken once, with its date": "4242424242\n424242 12/27",
    "odd groups": "42 424 2424 2 42424 2",
    "full width": "４２４２４２４２４２４２４２４２",
    "thai": "๔๒๔๒๔๒๔๒๔๒๔๒๔๒๔๒",
    "thai cut": "๔๒๔๒/๔๒๔๒/๔๒๔๒/๔๒๔๒",
    "arabic": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
    "no-break": "4242\xa04242\xa04242\xa04242",
    "en dash": "4242–4242–4242–4242",
    "zero width": "4242\u200b4242\u200b4242\u200b4242",
    "soft hyphen": "4242\xad4242\xad4242\xad4242",
    "in a sentence": f"card {CARD}, please",
    "in brackets": f"({CARD})",
    "in thai": f"บัตร{CARD}ครับ",
    "in quotes": f'"{CARD}"',
    "in an address": f"https://shop.example/pay?pan={CARD}&x=1",
    "with a word": f"card{CARD}",
    "with a name": f"VISA{CARD}",
    "named": f"PAN_{CARD}",
    "with its date": f"{CARD} 12/27 123",
    "with its date, bars": f"{CARD}|12|27|123",
    "with its date, cut": "4242 4242 4242 4242 12 27 123",
    "date behind": f"{CARD}exp1227",
    "two": f"{CARD} {MASTER}",
    "two cut": "4242 4242 4242 4242 5555 5555 5555 4444",
    "behind a number": f"7 {CARD}",
    "behind an id": f"INV-12 {CARD}",
    "in a list": f"1,{CARD},3",
    "json": f'{{"pan":"{CARD}"}}',
    "a letter behind dashes": "4242-4242-4242-4242x",
    "a letter behind colons": "4242:4242:4242:4242x",
    "a letter before colons": "x4242:4242:4242:4242",
    "letters around": "AB4242 4242 4242 4242CD",
    "amex, a letter behind": "3782-822463-10005x",
    "said, colons, a letter behind": "card:4242:4242:4242:4242x",
    "said, points, a letter behind": "card:4242.4242.4242.4242x",
    "said, a letter behind": f"card:{CARD}x",
    "said with number": f"Card No. {CARD}A",
    "said in json": f'{{"card":"{CARD}x"}}',
    "said, any cut": "visa 424242-4242424242x",
    "behind a number, a letter behind": "7, 4242-4242-4242-4242x",
    "key and value": f"pan={CARD};cvc=123",
}

NOT_CARDS = {
    "wrong check digit": "4242424242424241",
    "no scheme": "9999999999999995",
    "too long": "42" * 10,
    "short": "424242424242",
    "token": f"tokn_test_{CARD}",
    "charge": f"chrg_test_{CARD}",
    "id": f"A{CARD}",
    "order id": f"ORD{CARD}",
    "invoice id": f"INV_{CARD}",
    "letters behind": f"{CARD}x",
    "order number, a letter behind": f"Order No: {CARD}x",
    "discarded": f"discard {CARD}x",
    "letters between and behind": "A4242x4242x4242x4242x",
    "hex": "a4242424242424242f0c1d2e3b4a59687",
    "sha-256": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d76a27fb57e9",
    "uuid": "42424242-4242-4242-8242-42424242424a",
    "uuid with a number": "3f9a4242-4242-4242-8242-4242b2424242",
    "uuid of a key": "0b8e5c1e-6d0f-5b57-9d52-446655440000",
    "ean 13": "4006381333931",
    "ean of japan": "4901234567894",
    "two eans": "4901234567894 4006381333931",
    "thai tax id": "4101200008061",
    "thai tax id cut": "4-1012-00008-06-1",
    "time stamp": "20261124120000",
    "time stamp with ms": "20261124120000123",
    "buddhist time stamp": "2569112412304512",
    "day first": "30112026120000",
    "iso time": "2026-11-24T12:30:45.123456Z",
    "log time": "30/11/2026 12:30:45.1234",
    "short day": "4/12/2026 12:30:45.1234",
    "epoch ms": "1764030645123",
    "epoch us": "1764030645123456",
    "epoch ns": "1764030645123456789",
    "two thai mobiles": "081-234-5678 / 089-876-5432",
    "two thai mobiles, plain": "0812345678,0898765432",
    "two without zero": "812345678 898765432",
    "two with country": "+66 81 234 5678, +66 89 876 5432",
    "two of singapore": "+65 8123 4567 / +65 9123 4567",
    "two of hong kong": "5123 4567 / 6123 4567",
    "two of japan": "+81 90-1234-5678 / +81 80-8765-4321",
    "two in parts": "64 639 3265 74 085 5261",
    "indonesia": "62345678 61234567",
    "phone and fax": "tel 4123 4567 fax 4123 4568",
    "amount": "4,242,424,242,424,242.00",
    "amounts": "4,500.00 3,200.00 1,100.00 2,200.00",
    "big sum": "4,242,424,242,424,242",
    "sum of switzerland": "4'242'424'242'424'242",
    "numbers of orders": "4001, 4002, 4003, 4004",
    "numbers by line": "4001\n4002\n4003\n4004",
    "long list": "4001,4005,4012,4020,4033,4040",
    "list of lengths": "500,1200,350,4500,12",
    "coordinates": "13.756331, 100.501765",
    "addresses": "52.12.34.56 52.12.34.57",
    "with port": "192.168.100.200:5432",
    "ipv6": "2001:db8:4242:4242::4242:4242",
    "version": "4.2.42-rc1+build.4242",
    "mac": "42:42:42:42:42:42",
    "bank account": "123-4-56789-0",
    "two accounts": "123-4-56789-0 / 987-6-54321-0",
    "swift": "BKKBTHBK 0123456789012",
    "postal": "10110 กรุงเทพ 10330",
    "thai words": "ห้อง 42 ชั้น 4 ถนน 2424 แขวง 42",
    "iban": "DE42424242424242424242",
    "already masked": "************4242",
    "two masked": "************4242 ************4444",
    "sizes": "40x40x40 cm, 42x42x42 cm",
    "screen": "3840x2160 2560x1440",
    "parts": "4500-12-3, 4500-12-4",
    "isbn": "978-4-2424-2424-2",
    "tracking": "TH4242424242424B",
    "jan list": "4901234567894\n4901234567900",
}


def quick_look(text: str) -> bool:
    """Would the reader look closely at a block with this text in it?"""
    looks = (screen.FIRST_LOOK, screen.CARD)
    return all(
        pc.match_substring_regex(pa.array([text]), look)[0].as_py() for look in looks
    )


@pytest.mark.fault("J21", "X26", "I12")
@pytest.mark.parametrize("name", CARDS)
def test_a_card_number_is_found_however_it_stands(name: str) -> None:
    """Any mark, letter or line end between its digits; what is shown holds the last four at
    most.
    """
    text = CARDS[name]
    kept = masked(text)
    assert quick_look(text)
    assert len(re.findall(r"\d", kept)) < len(re.findall(r"\d", text)) - 8, kept
    assert not list(cards.find(kept)) and masked(kept) == kept
    assert secret_in(text) == "a card number"
    assert told(text) == told(kept)


@pytest.mark.fault("J21", "X26")
@pytest.mark.parametrize("name", NOT_CARDS)
def test_what_only_looks_like_one_is_left_alone(name: str) -> None:
    """Ids, sums, moments, telephone and article numbers."""
    assert list(cards.find(NOT_CARDS[name])) == []
    assert cards.without_cards(NOT_CARDS[name]) == NOT_CARDS[name]
    for digits in re.findall(r"\d+", NOT_CARDS[name]):
        assert digits in cards.without_cards(NOT_CARDS[name])


@pytest.mark.fault("J21", "X26")
@settings(max_examples=dose(500, 1500), deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                CARD,
                "4242",
                "42",
                "2",
                "4",
                "3782",
                "822463",
                "10005",
                "๔๒๔๒",
                "４２",
                "A",
                "_",
                "ก",
                ",",
                "x4",
                "card",
                "card:",
                "x.",
            ]
        )
        | st.sampled_from(list(" -\t\n\xa0\xad\u200b\u2013\u3000./:*;|'")),
        max_size=18,
    ).map("".join)
)
@example("A1 4242 4242 4242 4242")
@example("1-4242424242424242")
@example("4–242–424–242–424–242")
@example("4–2424–2424–2424–242")
@example("424242424242424244 4 4242424242424242")
def test_the_quick_look_misses_nothing_that_the_close_one_finds(text: str) -> None:
    """A block is looked at closely only where one RE2 pattern matches; masking twice changes
    nothing more.
    """
    kept = cards.without_cards(text)
    if kept != text:
        assert quick_look(text)
        assert cards.without_cards(kept) == kept


@pytest.mark.fault("J21", "X26")
@settings(max_examples=dose(200, 600), deadline=None)
@given(
    st.lists(st.sampled_from("./_:*-# \nxab"), min_size=1, max_size=3).map("".join),
    st.data(),
)
def test_any_mark_between_printed_groups_is_seen_through(
    mark: str, data: st.DataObject
) -> None:
    """Up to three of them, the same each time."""
    groups = data.draw(
        st.sampled_from(
            [
                ["4242"] * 4,
                ["3782", "822463", "10005"],
                ["5555", "5555", "5555", "4444"],
            ]
        )
    )
    text = mark.join(groups)
    assert list(cards.find(text)), text
    assert quick_look(text)


# --- keys and tokens

KEY_TAIL = "5xuy4w91xqz7d1w9u0t"
KEYS = {
    "secret": f"skey_test_{KEY_TAIL}",
    "live": f"skey_{KEY_TAIL}",
    "said live": f"skey_live_{KEY_TAIL}",
    "short": "skey_test_123456789",  # as short as the program takes one
    "public": f"pkey_test_{KEY_TAIL}",
    "chain": f"ckey_test_{KEY_TAIL}",
    "live chain": f"chain_{KEY_TAIL}",
    "test chain": f"chain_test_{KEY_TAIL}",
    "in text": f"the key skey_test_{KEY_TAIL}, see",
    "in json": f'{{"k":"skey_{KEY_TAIL}"}}',
    "in an address": f"https://skey_test_{KEY_TAIL}:@api.omise.co",
    "behind a line": f"OMISE_skey_test_{KEY_TAIL}",
    "base64": "Basic c2tleV90ZXN0XzV4dXk0dzkxeHF6N2QxdzkwdA==",
    "assigned chain": f"OMISE_chain_{KEY_TAIL}",
    "assigned": f"OMISE_SECRET_KEY=skey_{KEY_TAIL}",
    "public in base64": "cGtleV90ZXN0XzV4dXk0dzkxeHF6N2QxdzkwdA==",
}
NOT_KEYS = (
    "OMISE_SECRET_KEY",
    "one that begins with skey_",
    "any skey_test_...",
    "monkey_business_is_1_word",
    "chain_id",
    "acch_test_5xuy4w91xqz7d1w9u0t",
    "chrg_test_5xuy4w91xqz7d1w9u0t",
    "recp_test_5xuy4w91xqz7d1w9u0t",
    "cust_test_5xuy4w91xqz7d1w9u0t",
    "supply_chain_management",
    "supply_chain_reconciliationsystem",
    "whiskey_collection",
    "hockey_tournament2026",
    "passkey_enrollments",
    "card_holder_name",
    "src_file",
    "tokn_…",
    "skey_***",
)


@pytest.mark.fault("J21", "I12")
@pytest.mark.parametrize("name", KEYS)
def test_nothing_of_a_key_is_shown(name: str) -> None:
    """Of any kind, plain or in base64, whatever stands around it."""
    for kept in (masked(KEYS[name]), without_keys(KEYS[name])):
        assert KEY_TAIL[:6] not in kept and "ZXN0" not in kept
        assert "***" in kept and masked(kept) == kept
    assert secret_in(KEYS[name]) == "a key of the gateway"


@pytest.mark.fault("J21")
@pytest.mark.parametrize("text", NOT_KEYS)
def test_words_that_only_begin_like_one_stand(text: str) -> None:
    """Names of variables and columns, and the ids of what cannot pay."""
    assert masked(text) == without_keys(text) == text
    assert secret_in(text) == ""


@pytest.mark.fault("J21", "I12")
@pytest.mark.parametrize(
    "kind",
    ["tokn_", "tokn_test_", "src_", "src_test_", "card_", "card_test_", "card_live_"],
)
def test_of_what_can_pay_the_last_four_characters_are_shown(kind: str) -> None:
    """In a sentence, in JSON, with an invisible character inside."""
    for text in (
        f"{kind}{KEY_TAIL}",
        f"token {kind}{KEY_TAIL}, please",
        f'{{"card":"{kind}{KEY_TAIL}"}}',
    ):
        kept = masked(text)
        assert f"{kind}…" in kept
        assert KEY_TAIL[:5] not in kept and masked(kept) == kept
    hidden = told(f"tokn_test_{KEY_TAIL[:9]}\u200b{KEY_TAIL[9:]}")
    assert (
        KEY_TAIL[:5] not in hidden
        and KEY_TAIL[9:14] not in hidden
        and "\\u200b" in hidden
    )
