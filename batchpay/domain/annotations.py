"""What words beside an amount say of it: its currency, that it stands in thousands, that its order
was called off. In names of columns, formats of cells, and columns that nobody reads.

>>> sorted(currencies_in("Amount (JPY)")), sorted(currencies_in("ยอดเงิน (บาท)"))
(['JPY'], ['THB'])
>>> scale_in("金額（千円）"), scale_in("Amount (THB thousand)"), scale_in("Thousand Oaks total")
('千円', 'thousand', 'thousand')
>>> calls_off("ยกเลิกแล้ว"), calls_off("Partially Refunded"), calls_off("non-refundable")
('ยกเลิก', 'refunded', '')
>>> calls_off("not cancelled"), calls_off("キャンセル不可")
('', '')
"""

from __future__ import annotations

import re
import unicodedata

from batchpay.domain.figures import SIGNS
from batchpay.domain.money import EXPONENTS
from batchpay.domain.text import folded

_WORDS = re.compile(r"[A-Za-z]+")
# 元 also means "original"
_SIGNS = tuple(sign for sign in SIGNS if not sign.isascii() and sign != "元")
_DOLLARS = ("US$", "A$", "C$", "HK$", "S$", "$")
_NAMES = {"baht": "THB", "yen": "JPY", "euro": "EUR", "euros": "EUR", "yuan": "CNY"}


def currencies_in(name: str) -> frozenset[str]:
    """The currencies that a name of a column may say; none where it says nothing of it."""
    text = unicodedata.normalize("NFKC", name)
    said: set[str] = set()
    for word in _WORDS.findall(text):
        if word.upper() in EXPONENTS:
            said.add(word.upper())
        elif word.casefold() in _NAMES:
            said.add(_NAMES[word.casefold()])
    for sign in _SIGNS:
        if sign in text:
            said |= SIGNS[sign]
    dollars = next((sign for sign in _DOLLARS if sign in text), "")
    return frozenset(said | SIGNS.get(dollars, frozenset()))


_SCALE = re.compile(
    r"(?<![a-z])(?:thousands?|millions?|tausend|tsd|millionen|mio|lakhs?|crores?|milliers?|t(?:eur|€)"
    r"|[km](?:thb|jpy|usd|eur))(?![a-z])"
    r"|\((?:k|m|千|万|百万|พัน|ล้าน)\)|['’]000|000s"
    r"|[千万億]円|百万円?|千元|万元|(?:พัน|หมื่น|แสน|ล้าน)บาท"
)
_ALONE = re.compile(r"[km]|千|万|百万|億|พัน|หมื่น|แสน|ล้าน")
_SMALLEST = re.compile(
    r"(?<![a-z])(?:satangs?|cents?|sen|pence|minor units?)(?![a-z])|สตางค์|สต\.|[(\[]銭"
)


def scale_in(name: str) -> str:
    """The word by which a name of a column says that its numbers are thousands or more; empty
    where none does.
    """
    found = _SCALE.search(folded(name))
    return found[0] if found else ""


def scale_beside(literal: str) -> str:
    """The same of what the format of a cell puts beside a number.

    >>> scale_beside(" พัน"), scale_beside("K"), scale_beside("kg")
    ('พัน', 'k', '')
    """
    text = folded(literal).strip()
    return text if _ALONE.fullmatch(text) else scale_in(literal)


def smallest_in(name: str) -> str:
    """The word by which a name says that its numbers are the smallest unit."""
    found = _SMALLEST.search(folded(name))
    return found[0] if found else ""


_OFF_LATIN = (
    r"cancell?ed|cancell?ations?|cancel|refund(?:ed|s)?|charge[ -]?backs?|returned|voided|void"
    r"|reversed|storniert|storno|stornierung|(?:rück)?erstattet|gutschrift|annulée?|remboursée?|cancelad[oa]"
    r"|anulad[oa]|reembolsad[oa]|devuelt[oa]"
)
_OFF = r"ยกเลิก|คืนเงิน|คืนสินค้า|キャンセル|返品|返金|取消|取り消し|チャージバック"
_CALLED_OFF = re.compile(rf"(?<![a-z])(?:{_OFF_LATIN})(?![a-z])|{_OFF}")
_DENIED = re.compile(
    rf"(?<![a-z])(?:not?|non|never|nicht|keine?|sans|sin)[ -]+(?:yet +)?(?:{_OFF_LATIN})"
    rf"|(?:ไม่(?:มีการ|มี|ได้|ถูก|สามารถ)?|未)(?:{_OFF})|(?:{_OFF})[はを]?(?:不可|なし|無し)"
)


def calls_off(text: str) -> str:
    """The word by which a text says that an order was cancelled, refunded or charged back; empty
    where none does.
    """
    plain = folded(text)
    found = _CALLED_OFF.search(plain)
    if found is None or _DENIED.search(plain):
        return ""
    return found[0]
