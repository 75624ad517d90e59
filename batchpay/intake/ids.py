"""IDS: cells that are ids are taken as they stand, or refused: what programs made of them, blanks
around them, characters that nobody sees, tokens where they do not belong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from batchpay.domain.model import Chunk, Problem
from batchpay.domain.money import CODES, EXPONENTS
from batchpay.domain.secrets import secret_in
from batchpay.domain.text import told
from batchpay.intake import damage
from batchpay.intake.refusals import Cells, Refusals, Values, quoted
from batchpay.intake.sources import IDENTIFIERS, blamed_for, in_lookup, needed_by
from batchpay.job.job import Columns, FromLookup, FromTemplate, Source
from batchpay.messages import problems
from batchpay.messages.message import Message

_WIRE = {form: code.lower() for code in EXPONENTS for form in (code, code.lower())}
_VISIBLE = bytes(range(0x21, 0x7F))
_BLANKS = " \t\n\r\u3000"
# Control, format and other characters that leave no mark on paper: two ids that look alike must be
# alike.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


def odd_cells(
    chunk: Chunk, columns: Columns, found: Refusals, *, accept: bool = False
) -> dict[str, set[int]]:
    """Where a cell is no id, by field: cells that order ids are made of, and keys by which others
    are looked up. `accept`: what programs write may be ids of this source.

    A column is blamed once, whatever number of fields it feeds, and not where its reader has blamed
    the cell.
    """
    odd: dict[str, set[int]] = {}
    blamed: set[tuple[int, str]] = set()
    for name, source in columns.fields.items():
        is_key = name in IDENTIFIERS and isinstance(source, FromLookup)
        if name != "order_id" and not is_key:
            continue
        is_made = isinstance(source, FromTemplate)
        for column in dict.fromkeys(needed_by(source)):
            faults = {} if accept else _faults(chunk, column, is_key=is_key)
            if is_made:
                faults = {**_blank_ends(chunk, column), **faults}
            for at, (text, fault) in faults.items():
                problem = Problem(column, quoted(text), fault)
                if (at, column) in blamed:
                    found.unmapped.setdefault(at, set()).add(name)
                else:
                    found.refuse(at, name, problem)
                blamed.add((at, column))
                odd.setdefault(name, set()).add(at)
    return odd


def _faults(
    chunk: Chunk, column: str, *, is_key: bool
) -> dict[int, tuple[str, Message]]:
    """Position -> text and fault of each cell of a column that is no id. The keys of a lookup may
    stand in quotes: they are names of people's own.
    """
    texts = chunk.texts(column)
    typed = chunk.typed.get(column, {})
    if not typed and not damage.suspicious(texts):
        return {}
    faults = {}
    for at, text in enumerate(texts):
        if at in typed and typed[at] != "number":
            fault = damage.fault_of_type(typed[at])
        else:
            fault = damage.fault_of(text)
        if fault is None or (is_key and fault.code == problems.QUOTED_ID.code):
            continue
        blamed = {problem.column for problem in chunk.problems.get(at, ())}
        if column not in blamed:
            faults[at] = (text, fault)
    return faults


def _blank_ends(chunk: Chunk, column: str) -> dict[int, tuple[str, Message]]:
    """The same of a cell that a template makes ids of: blanks at its ends stand within the id,
    where nobody sees them.
    """
    texts = chunk.texts(column)
    if _plain(texts):
        return {}
    return {
        at: (text, problems.SURROUNDING_BLANKS())
        for at, text in enumerate(texts)
        if text and (text[0] in _BLANKS or text[-1] in _BLANKS)
    }


def without_tokens(
    texts: Values,
    source: Source,
    name: str,
    found: Refusals,
) -> Cells:
    """A token stays in the field that pays; anywhere else it would be shown."""
    kept = cast("Cells", list(texts))
    if None in kept:
        kept = [text or "" for text in kept]
    if "tokn_" not in "|".join(kept):
        return kept
    column = blamed_for(source, name)
    for at, text in enumerate(kept):
        if "tokn_" in text and (secret := secret_in(text)):
            said = problems.SECRET(secret=secret, field=name)
            found.refuse(at, name, Problem(column, told(text), said))
            kept[at] = ""
    return kept


def identifiers_of(
    texts: Cells,
    source: Source,
    name: str,
    found: Refusals,
) -> Values:
    """Identifiers as they stand; refused are blanks around and invisible characters inside."""
    if _plain(texts):
        return texts
    return _screened(texts, _identifier_fault, source, name, found)


def _plain(texts: Cells) -> bool:
    """Is the whole column visible ASCII without blanks? Then no cell needs a look of its own."""
    joined = "|".join(texts)
    return joined.isascii() and not joined.encode().translate(None, _VISIBLE)


def _identifier_fault(text: str) -> Message | None:
    if _HIDDEN.search(text):
        return problems.INVISIBLE_CHARACTER()
    if text[:1] in _BLANKS or text[-1:] in _BLANKS:
        return problems.SURROUNDING_BLANKS()
    return None


def _screened(
    texts: Cells,
    fault_of: Callable[[str], Message | None],
    source: Source,
    name: str,
    found: Refusals,
) -> list[str | None]:
    """The texts without those at fault; empty ones are nobody's fault."""
    kept: list[str | None] = list(texts)
    column = blamed_for(source, name)
    for at, text in enumerate(texts):
        if text and (fault := fault_of(text)):
            problem = Problem(column, quoted(text), fault)
            found.refuse(at, name, in_lookup(source, text, problem))
            kept[at] = None
    return kept


def currencies_of(texts: Cells, source: Source, found: Refusals) -> Values:
    """Known codes in lower case, as they travel; anything else is refused."""
    wire = list(map(_WIRE.get, texts))
    if None in wire:
        pairs = zip(texts, wire, strict=True)
        unknown = ["" if known else text for text, known in pairs]
        _screened(unknown, _currency_fault, source, "currency", found)
    return wire


def _currency_fault(text: str) -> Message:
    return _identifier_fault(text) or problems.UNKNOWN_CURRENCY(codes=CODES)
