"""TAKEN BACK: rejected rows that stand against the other rows of their order id.

A row that asks for nothing, or less, takes the others back, as books do; one whose id was merged
over several rows is one order with them. Its id may have been refused, too: a blank behind it, or
quotes around it, do not make it another order's.

    >>> takes_back("80.00-"), takes_back("CR 70.00"), takes_back("70.00 Cr."), takes_back("1-5")
    (True, True, True, False)
    >>> bare_of("K6␠"), bare_of(r"\\xa0K7"), bare_of('="0008"'), bare_of("«K9»")
    ('K6', 'K7', '0008', 'K9')
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from batchpay.domain.model import Judged, Problem, StoredChunk
from batchpay.domain.text import folded
from batchpay.intake import damage
from batchpay.messages import problems

# beside an amount, as books say that it is the customer's
_WORDS = (
    "cr",
    "credit",
    "creditnote",
    "refund",
    "refunded",
    "reversal",
    "haben",
    "gutschrift",
    "貸",
    "貸方",
    "返金",
    "คืนเงิน",
    "เครดิต",
)
_MINUS = re.compile(r"[^\d]*[-(▲△][^\d]*\d.*|.*\d[^\w]*-[^\w]*", re.DOTALL)
_WORD = rf"(?:{'|'.join(_WORDS)})"
_CREDIT = re.compile(rf"[^\w]*{_WORD}[^\w]*\d.*|.*\d[^\w]*{_WORD}[^\w]*", re.DOTALL)
_LESS = frozenset({problems.AMOUNT_NOT_POSITIVE.code, problems.NEGATIVE.code})
_NO_NUMBER = frozenset(
    {
        problems.NUMBER_FORMAT.code,
        problems.OTHER_SIGN.code,
        problems.TOO_MANY_DECIMALS.code,
        problems.NOT_WHOLE.code,
    }
)
_NO_ID = damage.FAULTS | {
    problems.CONTROL_CHARACTER.code,
    problems.INVISIBLE_CHARACTER.code,
    problems.SURROUNDING_BLANKS.code,
}
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])|␠")
_AROUND = " \t\"'`´={}%$฿£€¥«»‹›\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f"


def contradicting(chunk: Judged | StoredChunk) -> Iterator[tuple[int, str]]:
    """Position and order id of the rejected rows that contradict the others of their order id."""
    for at, found in chunk.problems.items():
        if not any(map(_contradicts, found)):
            continue
        order_id = chunk.documents[at].get("order_id")
        if order_id:
            yield at, str(order_id)
            continue
        for problem in found:
            if problem.said.code in _NO_ID and (bare := bare_of(problem.value)):
                yield at, bare


def _contradicts(problem: Problem) -> bool:
    if problem.said.code in _LESS or problem.said.rule == problems.MERGED_ID.code:
        return True
    return problem.said.rule in _NO_NUMBER and takes_back(problem.value)


def takes_back(cell: str) -> bool:
    """Does a cell that is no amount say in some way of books that it is less than 0?"""
    text = "".join(folded(cell).replace("␠", "").split())
    return bool(_MINUS.fullmatch(text) or _CREDIT.fullmatch(text))


def is_credit(cell: str) -> bool:
    """Does it say so by a minus behind the number, or a word beside it? A minus behind a price in
    yen ends the number.

    >>> is_credit("80,00-"), is_credit("70.00 CR"), is_credit("¥4,000-"), is_credit("(80.00)")
    (True, True, False, False)
    """
    text = "".join(folded(cell).split())
    if text[-1:] == "-" and any(sign in text for sign in "¥円\\"):
        return False
    return (text[-1:] == "-" and takes_back(text)) or bool(_CREDIT.fullmatch(text))


def bare_of(shown: str) -> str:
    """A refused id, as its problem shows it, without what made it no id."""
    return _ESCAPE.sub("", shown).strip(_AROUND)
