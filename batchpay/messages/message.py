"""MESSAGE: what is said to a person, as a code with its fields; worded only where it is shown.

    >>> ask = BY_CODE["ask-earlier"](order="A 1")
    >>> ask
    Message(code='ask-earlier', fields=(('order', 'A 1'),))
    >>> str(ask).partition("then: ")[2]
    "batchpay resolve JOB --as not-charged --reason TEXT 'A 1'"
    >>> read(ask.to_json()) == ask, str(read("kept by an earlier version"))
    (True, 'kept by an earlier version')

A sentence stands once, whole, as an `Entry` of a family module beside this one: English, with what
it means, an example and the remedy for `batchpay explain`. In a text `{name}` is a field as it is,
a whole number with commas between thousands; `{row:d}` is one without; `{order:word}` is one word
of a command, quoted for a shell. A field may be a message itself (a next step, a place), or several
(places, side by side with commas), which are worded in the same language. Foreign text comes into a
field as `domain.text.told` shows it.

Another language is a gettext catalogue: the context of a sentence is its code, and the forms that a
count has are chosen as that language wants them. What the journal keeps is the JSON form; the plain
sentences that earlier versions kept are shown as they are.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Protocol

from batchpay.domain.text import told

# characters of an order id that a command repeats; longer ones no gateway takes
LONGEST_ID = 300
# the code of a sentence that somebody else wrote, or an earlier version kept
PLAIN = ""

BY_CODE: dict[str, Entry] = {}
"""Every entry of the catalogue: `batchpay.messages` imports all families, which fill it."""


class Language(Protocol):
    """What wording needs of `gettext.NullTranslations`."""

    def pgettext(self, context: str, message: str) -> str:
        """The sentence of a context in this language; the English one where it has none."""

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """The same in the form that `n` things ask for."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to say: a code of the catalogue and what stands in its gaps, by name."""

    code: str
    fields: tuple[tuple[str, Field], ...] = ()

    @property
    def rule(self) -> str:
        """The code up to a dot: several sentences may tell of one rule."""
        return self.code.partition(".")[0]

    def __str__(self) -> str:
        return self.worded()

    def worded(self, language: Language | None = None) -> str:
        """The sentence; in English without a language. Never raises: what no entry words, because
        a later version said it, is shown as code and fields.
        """
        fields = dict(self.fields)
        if self.code == PLAIN:
            return str(fields.get("text", ""))
        entry = BY_CODE.get(self.code)
        if entry is None:
            return _unknown(self)
        try:
            form = entry.form_of(fields, language)
            return form.format_map(_shown(fields, language, quoted=":word" in form))
        except (LookupError, TypeError, ValueError):
            return _unknown(self)

    def to_json(self) -> dict[str, Any]:
        """`{"code": …, "with": {…}}`, without what is empty."""
        if not self.fields:
            return {"code": self.code}
        return {
            "code": self.code,
            "with": {name: _to_json(field) for name, field in self.fields},
        }


Field = str | int | Message | tuple[Message, ...]
"""What may stand in a gap."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One sentence of the catalogue. Called with its fields it is a `Message`."""

    code: str
    text: str
    one: str = ""  # the form for one of what `count` counts
    # the field by which a form is chosen; empty: there is one form only
    count: str = ""
    means: str = ""
    example: str = ""
    remedy: str = ""

    def __call__(self, **fields: Field) -> Message:
        return Message(self.code, _in_order(fields))

    @property
    def names(self) -> frozenset[str]:
        """The fields that its sentence has."""
        parts = [*Formatter().parse(self.text), *Formatter().parse(self.one)]
        named = {name for _, name, _, _ in parts if name}
        if self.count:
            named.add(self.count)
        return frozenset(named)

    def form_of(self, fields: Mapping[str, Field], language: Language | None) -> str:
        """The sentence with its gaps, in the form that its count asks for."""
        if not self.count:
            if language is None:
                return self.text
            return language.pgettext(self.code, self.text)
        number = fields[self.count]
        if not isinstance(number, int):
            raise TypeError(f"{self.count} of {self.code} is no number")
        if language is not None:
            return language.npgettext(self.code, self.one, self.text, number)
        if number == 1:
            return self.one
        return self.text


def entry(
    code: str,
    text: str,
    *,
    one: str = "",
    count: str = "",
    means: str = "",
    example: str = "",
    remedy: str = "",
) -> Entry:
    """A new entry of the catalogue. Raises ValueError for a code that it has already."""
    if code in BY_CODE:
        raise ValueError(f"two entries with the code {code}")
    new = BY_CODE[code] = Entry(code, text, one, count, means, example, remedy)
    return new


def plain(text: str) -> Message:
    """A sentence that is no entry: somebody else wrote it, or an earlier version kept it."""
    return Message(PLAIN, (("text", text),))


def read(kept: Any) -> Message:
    """A message back from its JSON form, or from the sentence that an earlier version kept; a
    message is itself.
    """
    if isinstance(kept, Message):
        return kept
    if not isinstance(kept, dict):
        return plain(str(kept))
    fields = kept.get("with") or {}
    there = [(str(name), _field(fields[name])) for name in sorted(fields)]
    return Message(str(kept.get("code", PLAIN)), tuple(there))


def _in_order(fields: Mapping[str, Field]) -> tuple[tuple[str, Field], ...]:
    return tuple((name, fields[name]) for name in sorted(fields))


def _to_json(field: Field) -> Any:
    if isinstance(field, Message):
        return field.to_json()
    if isinstance(field, tuple):
        return [one.to_json() for one in field]
    return field


def _field(kept: Any) -> Field:
    if isinstance(kept, str | int):
        return kept
    if isinstance(kept, dict):
        return read(kept)
    if isinstance(kept, list):
        return tuple(map(read, kept))
    return str(kept)


def worded(messages: Iterable[Message], language: Language | None = None) -> str:
    """Several messages side by side, as people read them: `this; that`."""
    return "; ".join([message.worded(language) for message in messages])


# --- how a field is shown


class _Word(str):
    """A text that may be asked for as one word of a command: `{order:word}`."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec == "word":
            return _word(self)
        return format(str(self), spec)


class _Number(int):
    """A whole number: `1,200`, or as its `{rows:d}` says."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return format(int(self), spec or ",")


def _shown(
    fields: Mapping[str, Field], language: Language | None, *, quoted: bool
) -> dict[str, str | _Number]:
    """`quoted`: the sentence has a gap for a word of a command; without one a text is as it is,
    which is what most of a million rows need.
    """
    shown: dict[str, str | _Number] = {}
    for name, field in fields.items():
        text = _one_shown(field, language)
        if quoted and isinstance(text, str):
            text = _Word(text)
        shown[name] = text
    return shown


def _one_shown(field: Field, language: Language | None) -> str | _Number:
    if isinstance(field, str):
        return field
    if isinstance(field, int):
        return _Number(field)
    if isinstance(field, Message):
        return field.worded(language)
    return ", ".join([one.worded(language) for one in field])


def _word(text: str) -> str:
    """One word of a command: quoted where a shell would take it apart, and never taken for a
    flag.
    """
    quoted = shlex.quote(told(text, LONGEST_ID))
    if text.startswith("-"):
        return f"-- {quoted}"
    return quoted


def _unknown(message: Message) -> str:
    shown = _shown(dict(message.fields), None, quoted=False)
    if not shown:
        return message.code
    told = ", ".join(f"{name} {value}" for name, value in shown.items())
    return f"{message.code}: {told}"
