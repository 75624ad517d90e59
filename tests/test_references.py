"""What code, tests and pages point at is there: pages, their sections and titles, laws, invariants,
faults, files and tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from batchpay.domain.model import Outcome
from batchpay.lifecycle.attempt import NEXT
from batchpay.lifecycle.proof import Proof
from tests.matrix import IDS, ROOT

LAWS = ROOT / "docs" / "laws.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
ITEM = r'(?:\d+(?:\.\d+)?|[A-Z]\d+|"[^"]+")'
REFERENCE = re.compile(
    rf"\b((?:docs/[\w/-]+|README|CONTRIBUTING)\.md), ({ITEM}(?:(?:, | and | to ){ITEM})*)"
)


def texts() -> Iterator[tuple[str, str]]:
    """Path and text of whatever may point at a page, each paragraph in one line."""
    for folder in ("batchpay", "benchmarks", "docs", "samples", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".md", ".py", ".sql") and path.name != "messages.md":
                yield str(path.relative_to(ROOT)), flat(path.read_text("utf-8"))
    for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", "Makefile"):
        yield name, flat((ROOT / name).read_text("utf-8"))


def flat(text: str) -> str:
    """Without the line breaks of docstrings and comments."""
    return re.sub(r"\n[ \t]*(?:(?:#|--) ?)?", " ", text)


@cache
def anchors(page: str) -> frozenset[str]:
    """What may be named of a page: its titles, the numbers before them, the ids in its tables."""
    text = (ROOT / page).read_text("utf-8")
    titles = re.findall(r"^#{2,4} (.+)$", text, re.MULTILINE)
    numbers = {title.partition(" ")[0] for title in titles}
    ids = re.findall(r"^\| ([A-Z]\d+) \|", text, re.MULTILINE)
    return frozenset({*titles, *numbers, *ids})


def missing(text: str) -> Iterator[str]:
    """The references of a text that lead nowhere."""
    for page, items in REFERENCE.findall(text):
        for item in re.findall(ITEM, items):
            if not (ROOT / page).exists() or item.strip('"') not in anchors(page):
                yield f"{page}, {item}"


def test_a_reference_that_leads_nowhere_is_seen() -> None:
    """A section, a title and an id that are not there, also behind others and over two lines."""
    told = flat(
        '"""One fact (docs/gateway.md, 3.1 and\n    3.99) and (docs/laws.md, I8, I77).\n'
        '# (README.md, "Exit\n# codes"), README.md, "Way in", docs/contract.md, 5; law L5\n'
    )
    assert list(missing(told)) == [
        "docs/gateway.md, 3.99",
        "docs/laws.md, I77",
        'README.md, "Way in"',
        "docs/contract.md, 5",
    ]


def test_every_reference_names_what_is_there() -> None:
    """Each section, title and id that code, tests and pages name of a page."""
    here = Path(__file__).name
    found = [
        f"{path}: {what}"
        for path, text in texts()
        if not path.endswith(here)
        for what in missing(text)
    ]
    assert found == []


def test_every_page_that_is_named_is_there() -> None:
    """No word sends anybody to a document that this repository has not."""
    lost = []
    for path, text in texts():
        for name in re.findall(r"(?<![\w*/.-])([\w/.-]*[\w-]\.md)\b", text):
            places = (ROOT, ROOT / "docs", (ROOT / path).parent)
            if not any((place / name).exists() for place in places):
                lost.append(f"{path}: {name}")
    assert [one for one in lost if Path(__file__).name not in one] == []


def test_no_section_is_named_without_its_page() -> None:
    """Whoever reads `contract, 6` has no page to open; that of a standard is found elsewhere."""
    found = [
        f"{path}: {match[0]}"
        for path, text in texts()
        for match in re.finditer(r".{20}\b(?:sections?|contract),? \d", text)
        if "RFC" not in match[0] and Path(__file__).name not in path
    ]
    assert found == []


def test_every_law_that_is_cited_has_its_heading() -> None:
    """In docs/laws.md, in their order: the laws as titles, the invariants in their table; the code
    cites no other, and no fault that docs/faults.md has not.
    """
    laws = re.findall(r"^### (L\d+) \w", LAWS.read_text("utf-8"), re.MULTILINE)
    assert laws == [name for name in IDS if name.startswith("L")]
    invariants = re.findall(r"^\| (I\d+) \|", LAWS.read_text("utf-8"), re.MULTILINE)
    assert invariants == [name for name in IDS if name.startswith("I")]
    for path, text in texts():
        cited = re.findall(r"\blaws? (L\d+)\b", text)
        if path.startswith("batchpay/"):
            cited += re.findall(r"\bL\d+\b", text)
        assert set(cited) <= set(laws), path
        assert set(re.findall(r"\(([A-JX]\d\d)\)", text)) <= set(IDS), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_and_tests_that_a_page_names_are_there(page: Path) -> None:
    """Paths in backticks, names `in` or `of` them, and tests."""
    text = re.sub(r"\s+", " ", page.read_text("utf-8"))
    for path in re.findall(r"`((?:batchpay|tests)/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path
    named = re.findall(
        r"`([\w.]+)` (?:of|in|\() ?`((?:batchpay|tests)/[\w/]+\.py)`", text
    )
    for name, path in named:
        last = name.rpartition(".")[2]
        assert re.search(rf"\b{last}\b", (ROOT / path).read_text("utf-8")), name
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert (ROOT / path).exists(), path
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), name


def test_every_page_is_told_of_in_the_readme() -> None:
    """Whoever reads it finds all the others."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [page.name for page in PAGES if f"docs/{page.name}" not in readme] == []


def rows(title: str, header: str) -> list[list[str]]:
    """The cells of a table of docs/laws.md below its title."""
    text = LAWS.read_text("utf-8")
    part = text[text.index(title) :]
    table = part[part.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def outcomes(cell: str) -> set[str]:
    """Those that a cell names."""
    if cell == "anything":
        return set(Outcome)
    if cell == "nothing":
        return set()
    return {name.replace(" ", "_") for name in cell.split(", ")}


def test_the_moves_of_outcomes_are_those_of_the_code() -> None:
    """The table of docs/laws.md is NEXT, written for people."""
    told = {}
    for before, after in rows("The moves of I8", "| From"):
        told |= dict.fromkeys(outcomes(before), outcomes(after))
    assert told == {before: set(after) for before, after in NEXT.items()}


WORDS = {
    Proof.NOT_SENT: "not sent",
    Proof.CHARGE: "charge",
    Proof.UNPROVEN: "unproven",
    Proof.REFUSED: "refused",
    Proof.THROTTLED: "not charged, too many requests",
    Proof.KEY_REFUSED: "not charged, the key is refused",
    Proof.NOT_HERE: "not charged, not here",
    Proof.KEY_REUSED: "key reused",
    Proof.IN_DOUBT: "in doubt",
}


def test_the_proof_table_has_every_verdict_and_no_other() -> None:
    """By its third column; a doubt may say more of itself."""
    verdicts = {cells[2] for cells in rows("## The proof table", "| Seen")}
    assert {one.removesuffix(", the token is spent") for one in verdicts} == {
        *WORDS.values()
    }
    assert set(WORDS) == set(Proof)
