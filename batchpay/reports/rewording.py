"""A sentence that a journal keeps in English, in another language: found again in the catalogue by
its form.

Notes about a file, why one is refused and what stopped a run are kept as they were said. What
stands in the gaps of such a sentence is taken out of it, a next step in it found again the same
way. What no entry says, because a person or an earlier version did, stays as it is.

>>> found_again("3 blank rows skipped")
Message(code='note.blank-rows', fields=(('rows', 3),))
>>> found_again("a person's own words")
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from string import Formatter

import batchpay.messages  # noqa: F401 - all entries
from batchpay.messages.message import BY_CODE, Entry, Field, Message

# letters and signs that an entry says itself; one with less fits anything
LEAST_SAID = 12
# ... unless it is looked for where such a one stands: which kinds of entry, and in which gaps
WITHIN = frozenset(
    {"at-batch", "number-format", "order-at", "required", "row", "unknown-currency"}
)
AROUND = frozenset({"other", "place", "places", "remedy", "row", "wrong"})
# ... or a gap of it is a sentence that says enough
BY_ITS_GAP = {"held.recipient": "why"}
# What fills a gap where that is not the least that fits: a step has colons of its own, and what is
# said in brackets beside it may be nothing.
FILLS = {"step": ".+", "also": r"(?: \(.+?\))?"}
_NUMBER = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+")


def found_again(text: str, *, within: bool = False) -> Message | None:
    """The message that a sentence was, by the entry that says most of it; None for no entry's.
    `within`: in a gap of another one, where short ones stand, too.
    """
    for form, entry in _forms(within=within):
        match = form.fullmatch(text)
        if match is None:
            continue
        told = match.groupdict()
        if all(_fits(name, value, entry) for name, value in told.items()):
            fields = {name: _filled(name, value, entry) for name, value in told.items()}
            gap = BY_ITS_GAP.get(entry.code)
            if gap is not None and not isinstance(fields[gap], Message):
                continue
            if entry.count:
                fields.setdefault(entry.count, 1)
            return entry(**fields)
    return None


def _filled(name: str, value: str, entry: Entry) -> Field:
    """What stood in a gap."""
    if name in _numbers(entry) and _NUMBER.fullmatch(value):
        return int(value.replace(",", ""))
    if name == "outcome":
        return outcome_told(value)
    return found_again(value, within=name in AROUND) or value


def outcome_told(name: str) -> Field:
    """The word that people read for an outcome; of no outcome what it is.

    >>> outcome_told("in_doubt").worded(None)
    'in doubt'
    """
    entry = BY_CODE.get(f"outcome.{name}")
    return entry() if entry is not None else name


def _fits(name: str, value: str, entry: Entry) -> bool:
    return name not in _numbers(entry) or _NUMBER.fullmatch(value) is not None


@cache
def _numbers(entry: Entry) -> frozenset[str]:
    """Which gaps are numbers; 00001 in any other is an id, say, which is shown as it stands."""
    found = {entry.count}
    for text in filter(None, (entry.text, entry.one)):
        found |= {
            str(name) for _, name, form, _ in Formatter().parse(text) if form == "d"
        }
    return frozenset(found)


@cache
def _forms(*, within: bool) -> list[tuple[re.Pattern[str], Entry]]:
    """Of every entry that says enough of its own, those that say most first."""
    found = []
    for entry in BY_CODE.values():
        short = entry.code in BY_ITS_GAP or (
            within and entry.code.partition(".")[0] in WITHIN
        )
        for text in filter(None, (entry.text, entry.one)):
            said = sum(len(literal.strip()) for literal, *_ in Formatter().parse(text))
            if said >= LEAST_SAID or short:
                found.append((said, entry.code, text, entry))
    found.sort(key=lambda one: (-one[0], one[1]))
    return [(re.compile(_form(text), re.DOTALL), entry) for _, _, text, entry in found]


def _form(text: str) -> str:
    """A sentence with a group for each of its gaps."""
    parts = []
    seen: Counter[str] = Counter()
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(re.escape(literal))
        if name:
            seen[name] += 1
            fills = FILLS.get(name, ".+?")
            parts.append(f"(?P={name})" if seen[name] > 1 else f"(?P<{name}>{fills})")
    return "".join(parts)
