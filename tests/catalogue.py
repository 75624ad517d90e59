"""The catalogue of messages as people read it: `make messages` writes docs/messages.md, with an
example of each, and po/batchpay.pot, from which a translator begins.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from batchpay.commands.explain import entries_of
from batchpay.messages import FAMILIES
from batchpay.messages.message import Entry

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "messages.md"
TEMPLATE = ROOT / "po" / "batchpay.pot"

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
    paragraph = " ".join((FAMILIES[family].__doc__ or "").strip().split("\n\n")[0].split())
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
    return "".join(f"\\{letter}" if letter in r"\`*_<>[]#|" else letter for letter in text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def template() -> str:
    """The whole of po/batchpay.pot."""
    parts = [_POT_HEAD]
    for family in FAMILIES:
        parts.extend("\n".join((*_translated(entry), "")) for entry in entries_of(family))
    return "\n".join(parts)


def _translated(entry: Entry) -> Iterator[str]:
    yield f"#. {entry.means}"
    yield f"msgctxt {_text(entry.code)}"
    if entry.count:
        yield f"msgid {_text(entry.one)}"
        yield f"msgid_plural {_text(entry.text)}"
        yield 'msgstr[0] ""'
        yield 'msgstr[1] ""'
    else:
        yield f"msgid {_text(entry.text)}"
        yield 'msgstr ""'


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def main() -> int:
    """Write both files."""
    TEMPLATE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
    TEMPLATE.write_text(template(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
