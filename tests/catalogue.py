"""The catalogue of messages as people read it: `make messages` writes docs/messages.md, with an
example of each, po/batchpay.pot, from which a translator begins, and every po/<language>.po anew;
and the same of what `batchpay explain` says of each, po/explain.pot and po/explain-<language>.po.

A translation keeps what a translator wrote. Where the English sentence is another one since, its
translation is marked `fuzzy`: it is not used before somebody has read it again and takes the mark
off. What has none is said in English.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

from batchpay.commands.explain import ABOUT, entries_of
from batchpay.messages import FAMILIES
from batchpay.messages.message import Entry

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "messages.md"
TEMPLATE = ROOT / "po" / "batchpay.pot"
EXPLAINED = ROOT / "po" / "explain.pot"
LANGUAGES = {"ja": "Japanese", "th": "Thai"}

_HEAD = """# Messages

Written by `make messages` from the catalogue in `batchpay/messages/`. Whatever is said about a row,
a file or a run has a code, which stays as it is when a sentence is worded better, or in another
language. `batchpay explain CODE` prints what stands here.

In a sentence, `{name}` stands for what was found. An example in a frame is TOML: what the cells of
a right row are changed to, and, below a name in brackets, what the job or its schema says beside;
`line` is a whole line of the file, `x*1001` a text of so many x. Every example of *problems* and of
*schemas* that is in a frame is given to `batchpay check` by a test.
"""

_POT_HEAD = r"""# Messages of batchpay. The context of each is its code.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"""


def is_input(example: str) -> bool:
    """Is an example one that a program can be given? Else it is told in words."""
    try:
        return bool(tomllib.loads(example))
    except tomllib.TOMLDecodeError:
        return False


def about(family: str) -> str:
    """The first paragraph of a family's module, without its name in front."""
    paragraph = " ".join(
        (FAMILIES[family].__doc__ or "").strip().split("\n\n")[0].split()
    )
    return paragraph.partition(": ")[2]


def page() -> str:
    """The whole of docs/messages.md."""
    parts = [_HEAD]
    for family in FAMILIES:
        parts.append(f"## {family}\n\n{_sentence(about(family))}\n")
        parts.extend(_section(entry) for entry in entries_of(family))
    return "\n".join(parts)


def _section(entry: Entry) -> str:
    lines = [f"### {entry.code}", "", f"> {_quoted(entry.text)}"]
    if entry.one:
        lines += [">", f"> {_quoted(entry.one)}"]
    lines += ["", entry.means, ""]
    if is_input(entry.example):
        lines += ["```toml", entry.example, "```"]
    else:
        lines.append(f"Example: {entry.example}.")
    if entry.remedy:
        lines += ["", f"What to do: {entry.remedy}"]
    return "\n".join((*lines, ""))


def _quoted(text: str) -> str:
    """A sentence as Markdown shows it, character by character."""
    return "".join(
        f"\\{letter}" if letter in r"\`*_<>[]#|" else letter for letter in text
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def template() -> str:
    """The whole of po/batchpay.pot."""
    parts = [_POT_HEAD]
    for family in FAMILIES:
        parts.extend(
            "\n".join((*_translated(entry), "")) for entry in entries_of(family)
        )
    return "\n".join(parts)


def _translated(entry: Entry) -> Iterator[str]:
    yield from _identity(entry)
    if entry.count:
        yield 'msgstr[0] ""'
        yield 'msgstr[1] ""'
    else:
        yield 'msgstr ""'


def _identity(entry: Entry) -> Iterator[str]:
    yield f"#. {entry.means}"
    yield f"msgctxt {_text(entry.code)}"
    if entry.count:
        yield f"msgid {_text(entry.one)}"
        yield f"msgid_plural {_text(entry.text)}"
    else:
        yield f"msgid {_text(entry.text)}"


_PO_HEAD = r"""# Messages of batchpay in %(name)s. The context of each is its code.
# Not read by a native speaker yet.
msgid ""
msgstr ""
"Language: %(language)s\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"""


def translations() -> dict[Path, str]:
    """The whole of each po/<language>.po, with what it has of the catalogue now."""
    return {po_of(language): _translation(language) for language in LANGUAGES}


def abouts() -> dict[str, str]:
    """What `batchpay explain` says of the sentences, in words: each text once, and what it is of.
    An example that a program can be given, or that is the sentence itself, is in every language.
    """
    found: dict[str, str] = {}
    for family in FAMILIES:
        for entry in entries_of(family):
            found.setdefault(entry.means, f"{entry.code}: what it means")
            if not (
                is_input(entry.example) or entry.example in (entry.text, entry.one)
            ):
                found.setdefault(entry.example, f"{entry.code}: an example")
            if entry.remedy:
                found.setdefault(entry.remedy, f"{entry.code}: what to do")
    return found


def abouts_of(language: str) -> Path:
    """Where these are in a language."""
    return EXPLAINED.with_name(f"explain-{language}.po")


def kept_abouts(language: str) -> dict[str, str]:
    """What a translation has of them, by the English text."""
    path = abouts_of(language)
    if not path.exists():
        return {}
    with path.open("rb") as file:
        found = read_po(file, locale=language)
    return {str(one.id): str(one.string) for one in found if one.context == ABOUT}


def _abouts(head: str, known: Mapping[str, str]) -> str:
    parts = [head]
    for text, what in abouts().items():
        said = known.get(text, "")
        lines = [
            f"#. {what}",
            f"msgctxt {_text(ABOUT)}",
            f"msgid {_text(text)}",
            f"msgstr {_text(said)}",
            "",
        ]
        parts.append("\n".join(lines))
    return "\n".join(parts)


def explanations() -> dict[Path, str]:
    """The whole of po/explain.pot, and of it in each language."""
    found = {EXPLAINED: _abouts(_POT_HEAD, {})}
    for language, name in LANGUAGES.items():
        head = _PO_HEAD % {"language": language, "name": name}
        found[abouts_of(language)] = _abouts(head, kept_abouts(language))
    return found


def po_of(language: str) -> Path:
    """Where the translation of a language is."""
    return TEMPLATE.with_name(f"{language}.po")


def kept(language: str) -> dict[str, Any]:
    """What a translation has, by code."""
    path = po_of(language)
    if not path.exists():
        return {}
    with path.open("rb") as file:
        found = read_po(file, locale=language)
    return {str(one.context): one for one in found if one.context}


def _translation(language: str) -> str:
    known = kept(language)
    parts = [_PO_HEAD % {"language": language, "name": LANGUAGES[language]}]
    for family in FAMILIES:
        for entry in entries_of(family):
            parts.append("\n".join((*_said_in(entry, known), "")))
    return "\n".join(parts)


def _said_in(entry: Entry, known: Mapping[str, Any]) -> Iterator[str]:
    """An entry with its translation, the one form that these languages have."""
    old = known.get(entry.code)
    said = ""
    if old is not None:
        said = old.string[0] if isinstance(old.string, tuple) else old.string
        english = (entry.one, entry.text) if entry.count else entry.text
        if said and (old.fuzzy or old.id != english):
            yield "#, fuzzy"
    yield from _identity(entry)
    if entry.count:
        yield f"msgstr[0] {_text(said)}"
    else:
        yield f"msgstr {_text(said)}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def main() -> int:
    """Write all files."""
    TEMPLATE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
    TEMPLATE.write_text(template(), "utf-8")
    for path, text in {**translations(), **explanations()}.items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
