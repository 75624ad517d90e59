"""EXPLAIN: what the code of a message means, an example and the remedy, by the catalogue alone."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from batchpay.domain.errors import Usage
from batchpay.domain.text import told
from batchpay.messages import FAMILIES, screens
from batchpay.messages.message import Entry, Language, Message
from batchpay.messages.usage import UNKNOWN_CODE, UNKNOWN_CODE_NEAR

NEAR = 5  # codes that are suggested for one that nobody knows
# the context of what the catalogue says of its sentences, in the languages' files of these
ABOUT = "explain"


def explained(
    code: str, language: Language | None = None, about: Language | None = None
) -> list[dict[str, str]]:
    """Every sentence of a code, or of a rule that has several, as it is said in a language; all
    there are for no code. Raises Usage for a code that no message has. `about`: what they mean, in
    that language.
    """
    everything = list(_everything(language, about))
    if not code:
        return everything
    wanted = _spelled(code)
    found = [
        one
        for one in everything
        if wanted in (one["code"], one["code"].partition(".")[0])
    ]
    if not found:  # as the reports show what the gateway said
        found = [one for one in everything if one["code"].endswith(f".{wanted}")]
    if not found:
        raise _unknown(code, {one["code"] for one in everything})
    return found


def entries_of(family: str) -> Iterator[Entry]:
    """The entries of a family, in the order of its module."""
    for value in vars(FAMILIES[family]).values():
        if isinstance(value, Entry):
            yield value
        # a sentence without and with somebody's description
        elif isinstance(value, tuple):
            yield from (one for one in value if isinstance(one, Entry))


def lines_of(
    found: list[dict[str, str]], say: Callable[[Message], str], *, whole: bool
) -> Iterator[str]:
    """For a person: each of them whole, or one line each."""
    family = ""
    for one in found:
        if whole:
            yield from _page(one, say)
            continue
        if one["family"] != family:
            family = one["family"]
            yield f"{family}:"
        yield f"  {one['code']}: {one['says']}"


def _everything(
    language: Language | None, about: Language | None
) -> Iterator[dict[str, str]]:
    for family in FAMILIES:
        for entry in entries_of(family):
            yield _document(family, entry, language, about)


def _document(
    family: str, entry: Entry, language: Language | None, about: Language | None
) -> dict[str, str]:
    """An example that is the sentence itself, or its remedy, is in the language of that."""
    says = entry.form_of({entry.count: 2}, language)
    found = {"code": entry.code, "family": family, "says": says}
    if entry.one:
        found["says_of_one"] = entry.form_of({entry.count: 1}, language)
    found["means"] = _in(about, entry.means)
    found["example"] = _in(about, entry.example)
    if entry.example in (entry.text, entry.one):
        found["example"] = says
    found["remedy"] = says
    if entry.remedy:
        found["remedy"] = _in(about, entry.remedy)
    return found


def _in(about: Language | None, text: str) -> str:
    if about is None:
        return text
    return about.pgettext(ABOUT, text)


def _page(one: Mapping[str, Any], say: Callable[[Message], str]) -> Iterator[str]:
    yield one["code"]
    lines = {
        screens.SAYS: one["says"],
        screens.MEANS: one["means"],
        screens.EXAMPLE: one["example"],
        screens.REMEDY: one["remedy"],
    }
    for name, text in lines.items():
        first, *others = text.split("\n")
        before = f"{say(name())}:"
        yield f"  {before:<8} {first}"
        yield from (f"           {line}" for line in others)


def _spelled(code: str) -> str:
    """The code of `10` or `exit 10`; any other as it is typed, or as it stands in brackets."""
    plain = code.strip().strip("()").replace("exit ", "")
    if plain.isdecimal():
        return f"exit-{plain}"
    return plain


def _unknown(code: str, known: set[str]) -> Usage:
    near = difflib.get_close_matches(_spelled(code), sorted(known), NEAR, 0.5)
    if near:
        return Usage(str(UNKNOWN_CODE_NEAR(code=told(code), near=", ".join(near))))
    return Usage(str(UNKNOWN_CODE(code=told(code))))
