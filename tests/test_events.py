"""What each kind of event tells is written and read in one place, and stays what old journals have,
to the byte.
"""

from __future__ import annotations

import ast
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from batchpay.domain import events
from batchpay.domain.events import (
    BY_KIND,
    Audited,
    Intended,
    RecipientsAsked,
    Unknown,
    line,
    of,
)
from batchpay.domain.model import Event
from batchpay.journals.attempts import keep_asked, keep_came_to, keep_open
from batchpay.journals.guard import follow
from batchpay.journals.sqlite.lines import any_of, line_of
from batchpay.journals.sqlite.migration import SCHEMA_VERSION, schema
from batchpay.journals.sqlite.packed import teach
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.folding import fold
from tests import nights
from tests.test_architecture import modules
from tests.test_lifecycle import INTENT

OLD = Path(__file__).parent / "old"


def old(name: str) -> list[Any]:
    """Lines as version 4 wrote them before its events had classes."""
    return [json.loads(one) for one in (OLD / name).read_text("utf-8").splitlines()]


def old_events() -> Iterator[Event]:
    """One of each kind and each set of keys, and all of two nights."""
    for *columns, data in old("lines-4.jsonl"):
        yield Event(*columns, data=data)
    for seq, _, *columns, data, digest in old("nights-4.jsonl"):
        yield Event(*columns, data=json.loads(data), seq=seq, digest=digest)


@pytest.mark.parametrize("event", list(old_events()), ids=lambda event: event.kind)
def test_what_an_event_tells_is_written_as_it_was_read(event: Event) -> None:
    """The same keys, the same values, the same bytes."""
    told = of(event)
    assert not isinstance(told, Unknown) and told.kind == event.kind
    again = line(
        told,
        event.at_ns,
        event.run_id,
        batch_id=event.batch_id,
        sheet=event.sheet,
        row=event.row,
        order_id=event.order_id,
        attempt=event.attempt,
        send=event.send,
    )
    assert line_of(7, "night", again) == line_of(7, "night", event)
    assert of(again) == told


def test_every_kind_was_among_them() -> None:
    assert {event.kind for event in old_events()} == set(BY_KIND)


@pytest.mark.parametrize("event", list(old_events()), ids=lambda event: event.kind)
def test_a_key_of_a_later_version_is_passed_over(event: Event) -> None:
    """Where the keys are names of the kind's own, and not what was found."""
    if event.kind in ("probe", "totals", "batch.planned"):
        return
    assert of(replace(event, data={**event.data, "of a later version": 1})) == of(event)


def test_a_kind_that_nobody_knows_tells_nothing() -> None:
    """It is no part of any attempt."""
    later = Event(
        "of.a.later.version", order_id="1", data={"state": "held", "by": "kim"}
    )
    assert of(later) == Unknown() and fold([later]) == ()
    assert (events.state_of(later), events.who_said(later)) == ("held", "kim")


def test_an_event_that_lacks_what_its_kind_has_is_no_event() -> None:
    with pytest.raises(TypeError, match="boot_id"):
        of(Event("intent", data={"boot_s": 1.0}))
    with pytest.raises(KeyError, match="never began"):
        fold([Event("found", order_id="1", attempt=1, data={})])


def test_what_an_attempt_asked_for_comes_back_as_it_was() -> None:
    """With all that its sale is known by, in the form in which it was."""
    asked = replace(INTENT, sale=("order 0001", "a place"), extras_from="a part")
    told = Intended(boot_id="b", boot_s=1.0, intent=asked)
    event = events.line_of(told, asked, 7, "r1", 1)
    kept = json.loads(json.dumps(event.data))
    assert of(replace(event, data=kept)) == replace(told, boot_s=1.0)


@pytest.mark.parametrize(
    "told",
    [
        RecipientsAsked(
            barred=MappingProxyType({"recp_test_1": "is deleted"}),
            smallest_share=MappingProxyType({"THB": 1}),
            least_charge=MappingProxyType({"THB": 2}),
            most_charge=MappingProxyType({"THB": 3}),
        ),
        Audited(
            first="2026-11-01",
            last="2026-11-30",
            differences=0,
            open=0,
            closing=MappingProxyType({"THB": 4}),
        ),
    ],
)
def test_whatever_kind_of_mapping_was_told_is_kept_as_one_of_json(
    told: events.Told,
) -> None:
    """What nobody can change is as good as a dict."""
    kept = json.loads(json.dumps(told.data()))
    assert of(Event(told.kind, data=kept)) == told
    assert {key for key, value in kept.items() if value == {}} == set()


# --- a journal that is there already
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The first of two nights, as it was written then."""
    path = tmp_path / "journal.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    teach(connection)
    connection.executescript(schema())
    meta = [("schema_version", SCHEMA_VERSION), ("journal_id", "0" * 32)]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
    for row in old("nights-4.jsonl")[:15]:
        seq, job, *columns, data, _ = row
        event = Event(*columns, data=json.loads(data), seq=seq)
        if event.order_id:
            keep_open(connection, follow, job, [event])
        connection.execute(f"INSERT INTO events VALUES ({','.join('?' * 13)})", row)
        if event.order_id:
            keep_asked(connection, job, [event])
            keep_came_to(connection, job, [event])
    connection.close()
    return path


def rows_of(path: Path) -> list[Any]:
    """All that is kept."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT * FROM plain_events ORDER BY seq").fetchall()
    connection.close()
    return [list(row) for row in rows]


def test_a_journal_is_read_and_gone_on_with_to_the_byte(journal: Path) -> None:
    """What the second night writes is what it wrote then, digests and all."""
    reader = SqliteJournal(journal, "night", read_only=True)
    reader.verify()
    reader.close()
    nights.run(journal, nights.second)
    assert rows_of(journal) == old("nights-4.jsonl")


def test_a_new_journal_says_the_same_as_then(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    nights.run(path, nights.first)
    nights.run(path, nights.second)
    assert rows_of(path) == old("nights-4.jsonl")


# --- in one place
# --------------------------------------------------------------------------------------------------

IN_SQL = re.compile(r"\bkind\s*(?:=|<>|IN)\s*\(?\s*'\w")
TAKES_KINDS = frozenset({"events", "note", "_event", "Event", "line"})
# rooms in which `kind` is that of an event; a difference of an audit and a Python type have one too
KEEPS_EVENTS = (
    "lifecycle/",
    "settlement/",
    "journals/",
    "batches/",
    "commands/",
    "reports/",
)


def kind_literals(tree: ast.AST) -> Iterator[str]:
    """Kinds of events that a module names by their text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if IN_SQL.search(node.value):
                yield node.value
        elif isinstance(node, ast.Compare) and any(
            map(is_kind, (node.left, *node.comparators))
        ):
            yield from texts(node)
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in TAKES_KINDS:
                for argument in node.args:
                    yield from own_texts(argument)


def is_kind(node: ast.AST) -> bool:
    """Is it `kind`, or `event.kind`?"""
    return "kind" in (getattr(node, "attr", ""), getattr(node, "id", ""))


def own_texts(node: ast.AST) -> Iterator[str]:
    """A text, or those of a list of them."""
    if isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Set):
        yield from texts(node)


def texts(node: ast.AST) -> Iterator[str]:
    """Kinds among all texts within."""
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and one.value in BY_KIND:
            yield str(one.value)


def payload_reads(tree: ast.AST) -> Iterator[int]:
    """Lines that look into the `data` of an event, or take it elsewhere than to a function."""
    handed_on = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            handed_on |= {id(argument) for argument in node.args}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "data"
            and id(node) not in handed_on
        ):
            yield node.lineno


def test_nobody_else_knows_kinds_or_keys() -> None:
    """A module that wants to know asks `domain/events`; the journals hand `data` on as it is."""
    for module, path in modules().items():
        if not module.startswith(KEEPS_EVENTS):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        assert not list(kind_literals(tree)), module
        if module.startswith("journals/"):
            assert not list(payload_reads(tree)), module
        else:
            attributes = [
                node for node in ast.walk(tree) if isinstance(node, ast.Attribute)
            ]
            assert not [one.lineno for one in attributes if one.attr == "data"], module


@pytest.mark.parametrize(
    "text",
    [
        "if event.kind == 'stop': pass",
        "journal.events(['stop', 'lifted'])",
        "opened.note('held', {})",
        "Event('intent')",
        "query = \"SELECT 1 FROM events WHERE kind IN ('intent', 'adopted')\"",
        "kind in ('found', 'absent')",
    ],
)
def test_a_kind_that_is_named_by_its_text_is_noticed(text: str) -> None:
    assert list(kind_literals(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["event.data['state']", "event.data.get('by')", "x = event.data"]
)
def test_a_look_into_an_event_is_noticed(text: str) -> None:
    assert list(payload_reads(ast.parse(text)))


def test_the_tables_of_the_file_are_made_for_the_same_kinds() -> None:
    """Indexes are of use only where a query says the very same."""
    text = schema()
    for kinds in (events.BEGINNINGS, events.CHARGES):
        assert f"kind IN {any_of(kinds)}" in text
    assert f"json_extract(data, '{events.CHARGE_ID_AT}')" in text


def test_every_kind_is_told_of_where_the_tables_are_made() -> None:
    told, _, _ = schema().partition("CREATE TABLE")
    for kind in BY_KIND:
        if kind != Intended.kind:
            assert re.search(rf"(--|,)\s+{re.escape(kind)}\b", told), kind


@pytest.mark.parametrize(
    ("text", "kept"),
    [("é", '"é"'), ("\ud800", '"\\ud800"'), ("a\ud800é", '"a\\ud800\\u00e9"')],
)
def test_what_is_no_text_for_the_file_is_escaped_in_the_same_form(
    text: str, kept: str
) -> None:
    """Keys in their order and no blank, as the chain has every line."""
    event = Event("inputs", 1, data={"b": text, "a": [1, 2]})
    assert line_of(1, "night", event)[-1] == f'{{"a":[1,2],"b":{kept}}}'
