"""The catalogue of messages: whole, true, and what the program says."""

from __future__ import annotations

import ast
import csv
import gettext
import io
import json
import re
import struct
import tomllib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from openpyxl.styles import Font

import batchpay
from batchpay.commands.check import check
from batchpay.commands.explain import entries_of, explained
from batchpay.domain.errors import Usage
from batchpay.domain.model import Outcome, Problem, Repeat
from batchpay.job.load import load_job
from batchpay.job.packaged import data_path
from batchpay.messages import FAMILIES
from batchpay.messages.message import BY_CODE, Entry, Message, plain, read, worded
from batchpay.messages.problems import RAGGED_LINE, YES_OR_NO
from batchpay.messages.steps import ASK_EARLIER
from tests import catalogue

ROOT = Path(batchpay.__file__).parent
ENTRIES = {name: list(entries_of(name)) for name in FAMILIES}
# their sentence is the remedy, or needs none
SELF_EXPLAINING = {"steps", "exits", "labels", "helping", "screens"}


# --- the catalogue is whole


def test_every_entry_belongs_to_one_family() -> None:
    """And every module of the room is the machinery or a family."""
    listed = [entry.code for entries in ENTRIES.values() for entry in entries]
    assert sorted(listed) == sorted(BY_CODE)
    modules = {path.stem for path in (ROOT / "messages").glob("*.py")}
    assert modules == {"__init__", "message", *FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_entry_says_what_it_means_and_what_to_do(family: str) -> None:
    """With an example; a next step is its own remedy."""
    for entry in ENTRIES[family]:
        assert entry.means.endswith(".") and entry.means[0].isupper(), entry.code
        assert entry.example, entry.code
        assert entry.remedy or family in SELF_EXPLAINING, entry.code
        assert bool(entry.one) == bool(entry.count), entry.code


def test_no_message_is_made_but_by_an_entry_of_the_catalogue() -> None:
    """Outside of its room nobody writes a code by hand."""
    for path in ROOT.rglob("*.py"):
        if path.parent.name == "messages":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        made = {_name_of(node.func) for node in calls} & {"Message", "Entry", "entry"}
        assert not made & _from_message(tree), path


def _from_message(tree: ast.AST) -> set[str]:
    """What a module takes from the machinery."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    own = [node for node in froms if node.module == "batchpay.messages.message"]
    return {alias.name for node in own for alias in node.names}


def test_every_entry_is_used_and_called_with_its_fields() -> None:
    """Neither one too many nor one too few; what spreads a mapping is seen where it runs."""
    used: set[str] = set()
    wrong = []
    for path in ROOT.rglob("*.py"):
        if path.parent.name == "messages":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        for node, entry in _entries_in(tree, _imported(tree)):
            used.add(entry.code)
            if not isinstance(node, ast.Call) or any(
                one.arg is None for one in node.keywords
            ):
                continue
            if {one.arg for one in node.keywords} != entry.names:
                wrong.append(f"{path.name}:{node.lineno}: {entry.code}")
    for entry, fields in _said_in_templates():
        used.add(entry.code)
        if fields != entry.names:
            wrong.append(f"a template: {entry.code}")
    assert wrong == []
    assert set(BY_CODE) - used == set()


def _said_in_templates() -> Iterator[tuple[Entry, set[str]]]:
    """Each entry that a template of a page says, as `say.NAME`, and the fields that it gives it."""
    for path in ROOT.rglob("*.jinja"):
        for found in re.finditer(
            r"\bsay\.([A-Z0-9_]+)(\(.*?\)\)?)?", path.read_text("utf-8")
        ):
            fields = set(re.findall(r"\b([a-z]+)=", found[2] or ""))
            yield getattr(FAMILIES["labels"], found[1]), fields


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return ""


Known = Mapping[str, Any]


def _imported(tree: ast.AST) -> Known:
    """Name in a module -> a family, an entry or a pair of entries of the catalogue."""
    known: dict[str, Any] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        for alias in node.names:
            name = alias.asname or alias.name
            if node.module == "batchpay.messages" and alias.name in FAMILIES:
                known[name] = FAMILIES[alias.name]
            elif node.module.removeprefix("batchpay.messages.") in FAMILIES:
                family = FAMILIES[node.module.removeprefix("batchpay.messages.")]
                known[name] = getattr(family, alias.name)
    return known


def _entries_in(tree: ast.AST, known: Known) -> Iterator[tuple[ast.AST, Entry]]:
    """Each mention of an entry; of a call the whole call."""
    called = {
        id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)
    }
    for node in ast.walk(tree):
        value = None
        if isinstance(node, ast.Name):
            value = known.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            value = getattr(known.get(node.value.id), node.attr, None)
        for entry in value if isinstance(value, tuple) else (value,):
            if isinstance(entry, Entry):
                yield called.get(id(node), node), entry


# --- messages


def test_a_message_comes_back_from_the_journal_as_it_went() -> None:
    """Code, numbers, texts, and messages inside of it."""
    said = Message(
        "x",
        (
            ("count", 2),
            ("places", (YES_OR_NO(), ASK_EARLIER(order="1"))),
            ("step", ASK_EARLIER(order="A")),
        ),
    )
    assert read(json.loads(json.dumps(said.to_json()))) == said
    assert read(YES_OR_NO().to_json()) == YES_OR_NO()
    assert hash(read(said.to_json())) == hash(said)


def test_what_an_earlier_version_kept_is_shown_as_it_is() -> None:
    """A sentence without a code."""
    assert str(read("Fill it in, {please}.")) == "Fill it in, {please}."
    assert read(plain("as it is").to_json()) == plain("as it is")


def test_problems_and_repeats_come_back_and_so_do_those_of_an_earlier_version() -> None:
    """Code and fields beside the words; the words alone where there was nothing else."""
    problem = Problem("Amount", "x", YES_OR_NO(), "payment-group")
    assert Problem.from_json(json.loads(json.dumps(problem.to_json()))) == problem
    kept = {
        "column": "Amount",
        "value": "x",
        "rule": "number-format",
        "remedy": "write 12",
    }
    assert Problem.from_json(kept) == Problem(
        "Amount", "x", plain("write 12"), "number-format"
    )
    inner = Repeat(Outcome.DUPLICATE, YES_OR_NO(), "", 2)
    outer = Repeat(
        Outcome.CONFLICT,
        ASK_EARLIER(order="1"),
        alone=True,
        looks_like="1",
        by_itself=inner,
    )
    for repeat in (inner, outer, replace(outer, by_itself=None)):
        assert Repeat.from_json(json.loads(json.dumps(repeat.to_json()))) == repeat
    assert Repeat.from_json(["duplicate", "as row 2", "", 2, False]) == Repeat(
        Outcome.DUPLICATE, plain("as row 2"), "", 2
    )
    assert Repeat.from_json(
        ["conflict", "x", "", 0, True, "1", ["duplicate", "y", "", 2]]
    ) == (
        Repeat(
            Outcome.CONFLICT,
            plain("x"),
            alone=True,
            looks_like="1",
            by_itself=Repeat(Outcome.DUPLICATE, plain("y"), "", 2),
        )
    )


def test_what_a_later_version_said_is_shown_without_a_sentence() -> None:
    """Nothing is lost, and nothing raises."""
    assert str(Message("later", (("count", 2), ("of", YES_OR_NO())))) == (
        "later: count 2, of write yes, no or nothing"
    )
    assert str(Message("later")) == "later"
    assert "ragged-row" in str(Message("ragged-row", (("cells", "two"),)))
    assert "ragged-row" in str(Message("ragged-row", (("cells", 2),)))


def test_a_count_chooses_its_form_and_a_command_quotes_its_words() -> None:
    """English has two forms; numbers have commas unless they number something."""
    told = [str(RAGGED_LINE(line=1200, cells=cells, width=1000)) for cells in (1, 1200)]
    assert [text.partition(";")[0] for text in told] == [
        "line 1200: 1 cell where the header has 1000",
        "line 1200: 1,200 cells where the header has 1000",
    ]
    assert str(ASK_EARLIER(order="-5")).endswith("-- -5")
    assert worded([YES_OR_NO(), plain("then run again")]) == (
        "write yes, no or nothing; then run again"
    )


def test_another_language_words_the_same_message() -> None:
    """By gettext: the code is the context, and Japanese has one form whatever the count."""
    japanese = _translations(
        {
            "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=1; plural=0;\n",
            f"yes-or-no\4{YES_OR_NO.text}": "yes か no と書いてください",
            f"ragged-row\4{RAGGED_LINE.one}\0{RAGGED_LINE.text}": "{line:d} 行目: {cells} 個",
        }
    )
    assert YES_OR_NO().worded(japanese) == "yes か no と書いてください"
    assert RAGGED_LINE(line=3, cells=1, width=2).worded(japanese) == "3 行目: 1 個"
    assert (
        worded([YES_OR_NO(), plain("x")], japanese) == "yes か no と書いてください; x"
    )
    assert ASK_EARLIER(order="1").worded(japanese) == str(ASK_EARLIER(order="1"))


def _translations(texts: Mapping[str, str]) -> gettext.GNUTranslations:
    """A catalogue as msgfmt writes one (GNU gettext manual, 10.3)."""
    pairs = sorted((key.encode(), value.encode()) for key, value in texts.items())
    head, body = 28, b""
    start = head + 16 * len(pairs)
    tables: list[list[int]] = [[], []]
    for which in (0, 1):
        for pair in pairs:
            tables[which] += [len(pair[which]), start + len(body)]
            body += pair[which] + b"\0"
    numbers = [0x950412DE, 0, len(pairs), head, head + 8 * len(pairs), 0, 0]
    packed = struct.pack(f"<{7 + 4 * len(pairs)}I", *numbers, *tables[0], *tables[1])
    return gettext.GNUTranslations(io.BytesIO(packed + body))


# --- explain, and the page


@pytest.mark.parametrize("family", FAMILIES)
def test_explain_shows_every_code(family: str) -> None:
    """With all that the catalogue has of it; a rule shows each of its sentences."""
    for entry in ENTRIES[family]:
        found = {one["code"]: one for one in explained(entry.code)}
        assert found[entry.code]["says"] == entry.text
        assert found[entry.code]["means"] == entry.means
        assert entry.code in {
            one["code"] for one in explained(entry.code.partition(".")[0])
        }


def test_explain_suggests_what_is_near() -> None:
    """And is a usage error for what no message has."""
    with pytest.raises(Usage, match="near it: number-format"):
        explained("number-fromat")
    with pytest.raises(Usage, match="lists them all"):
        explained("zzzzzz")
    assert {one["code"] for one in explained("")} == set(BY_CODE)
    assert explained(" (yes-or-no) ")[0]["code"] == "yes-or-no"
    assert explained("insufficient_fund")[0]["code"] == "failure.insufficient_fund"


def test_the_page_and_the_template_are_what_the_catalogue_says() -> None:
    """`make messages` writes both anew."""
    assert catalogue.PAGE.read_text("utf-8") == catalogue.page()
    assert catalogue.TEMPLATE.read_text("utf-8") == catalogue.template()


# --- every problem is provoked by its example

CELLS = {
    "order_id": "A1",
    "amount": "100.00",
    "currency": "THB",
    "recipient": "recp_test_1",
    "customer": "cust_test_1",
    "description": "",
    "note": "",
    "shop": "one",
}
COLUMNS: dict[str, Any] = {
    "order_id": "order_id",
    "amount": {"column": "amount", "unit": "major"},
    "currency": "currency",
    "destination": "recipient",
    "customer": "customer",
    "description": "description",
}
SHOPS = (
    "shop,recipient\none,recp_test_1\ntwo,recp_test_1\ntwo,recp_test_2\nempty,\n"
    "spaced, recp_test_3\n"
)


def given(folder: Path, example: Mapping[str, Any], file: str = "orders.csv") -> None:
    """A job and its one row, changed as an example says."""
    texts = {name: value for name, value in example.items() if isinstance(value, str)}
    line = texts.pop("line", None)
    cells = {**CELLS, **{name: _many(text) for name, text in texts.items()}}
    _write_orders(folder, cells, line)
    (folder / "shops.csv").write_text(SHOPS, "utf-8")
    columns = {**COLUMNS, **example.get("columns", {})}
    for name, source in columns.items():
        if isinstance(source, str) and "{" in source:
            columns[name] = {"template": source}
    job: dict[str, Any] = {
        "name": "night",
        "schema": "order.schema.json",
        "input": {"file": file},
        "columns": columns,
        "controls": example.get("controls", {}),
    }
    if "fee" in example:
        job["fee"] = example["fee"]
    (folder / "job.toml").write_text(_toml(job), "utf-8")
    schema = _schema(example.get("schema", {}), next(iter(texts), ""))
    (folder / "order.schema.json").write_text(json.dumps(schema), "utf-8")


def _many(text: str) -> str:
    """`x*3` is xxx."""
    letter, star, number = text.partition("*")
    if star and number.isdecimal():
        return letter * int(number)
    return text


def _write_orders(folder: Path, cells: Mapping[str, str], line: str | None) -> None:
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(cells)
        if line is None:
            writer.writerow(cells.values())
        else:
            file.write(f"{line}\r\n")


def _schema(told: Mapping[str, Any], cell: str) -> dict[str, Any]:
    """The packaged order schema; `told` is the schema of the field of a cell, of the metadata or
    of the order.
    """
    schema: dict[str, Any] = json.loads(
        data_path("schemas/order.schema.json").read_text("utf-8")
    )
    own = {
        name: value for name, value in told.items() if name not in ("order", "metadata")
    }
    if own:
        schema["properties"][cell] = own
    if "metadata" in told:
        schema["properties"]["metadata"] = told["metadata"]
    if "order" in told:
        if {"additionalProperties", "unevaluatedProperties"} & told["order"].keys():
            del schema["properties"][cell], schema["additionalProperties"]
        schema = {**schema, **deepcopy(told["order"])}
    return schema


def _toml(job: Mapping[str, Any]) -> str:
    lines = [f"{name} = {_value(job[name])}" for name in ("name", "schema")]
    for table in ("input", "columns", "controls", "fee"):
        if job.get(table):
            lines.append(f"[{table}]")
            lines += [f"{name} = {_value(value)}" for name, value in job[table].items()]
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {_value(one)}' for name, one in value.items())} }}"
    return json.dumps(value)


def codes_of(folder: Path) -> set[str]:
    """What `batchpay check` says of the only row."""
    found: set[str] = set()
    checked = check(
        load_job(folder / "job.toml"),
        lambda *told: found.update(_codes_in(told[-1].said)),
    )
    assert not checked.refusals
    return found


def _codes_in(message: Message) -> Iterator[str]:
    """Its own and those of the messages that stand in it."""
    yield message.code
    for _, field in message.fields:
        if isinstance(field, Message):
            yield from _codes_in(field)


PROVOKED = [
    entry
    for family in ("problems", "schemas")
    for entry in ENTRIES[family]
    if catalogue.is_input(entry.example)
    and entry.code not in ("problem", "problem.empty", "schema.keyword.described")
]


@pytest.mark.parametrize("entry", PROVOKED, ids=lambda entry: entry.code)
def test_a_problem_is_provoked_by_its_example(entry: Entry, tmp_path: Path) -> None:
    """The true program says it of the very input that its page shows."""
    given(tmp_path, tomllib.loads(entry.example))
    assert entry.code in codes_of(tmp_path)


# --- those that only a sheet or a Parquet file can provoke


def sheet(folder: Path, change: Callable[[Any], None]) -> None:
    """The same row as an Excel file, changed."""
    book = openpyxl.Workbook()
    page = book.active
    page.append(list(CELLS))
    page.append(list(CELLS.values()))
    change(page)
    book.save(folder / "orders.xlsx")


def cell(name: str, value: Any, form: str = "General") -> Callable[[Any], None]:
    """One cell of the row, and how it is shown."""

    def change(page: Any) -> None:
        found = page.cell(2, list(CELLS).index(name) + 1)
        found.value, found.number_format = value, form

    return change


SHEETS: dict[str, Callable[[Any], None]] = {
    "ragged-row.beyond": lambda page: page.cell(2, len(CELLS) + 1, "see below"),
    "number-not-exact": cell("order_id", 12345678901234567),
    "error-cell.sheet": cell("amount", "#REF!"),
    "formula-without-value": cell("amount", "=1+1"),
    "struck-through": lambda page: setattr(page["A2"], "font", Font(strike=True)),
    "exponent-cell": cell("order_id", 800000, "0.00E+00"),
    "fraction-cell": cell("order_id", 0.5, "# ?/?"),
    "percent-cell": cell("order_id", 0.05, "0%"),
    "labelled-cell": cell("order_id", 7, '"No "0'),
    "boolean-cell": cell("order_id", True),
    "number-format.date": cell("amount", date(2026, 1, 5), "yyyy-mm-dd"),
    "number-format.percent": cell("amount", 0.05, "0%"),
    "number-format.rescaled": cell("amount", 50000, "#,##0.00,"),
}
ELSEWHERE = {
    "total-row.sum",  # below other rows: tests/test_noorders.py
    "total-row.last",
    "total-row.named",
    "further-line",
    "not-text",  # no reader makes one: tests/test_validation.py
    "unseen-fault",  # a row that came back as it was: tests/readers/test_comeback.py
    "formula-without-value.again",
    "number-format.two-ways",  # beside another row: tests/test_mapping.py
    "number-format.unquoted",
    "struck-through.again",
    "same-id.again",  # an id that came back as it was: tests/test_coming_back.py
    "merged-lines.again",
    "merged-lines",  # of several rows: tests/test_merged.py
    "merged-lines.amount",
    "lost-id",  # a row that came back: tests/test_provenance.py
    "another-row",
    "moved-cells",
    "moved-cells.in-place",  # beside an earlier file: tests/test_in_place.py
    "changed-currency",
    "rescaled-amount",  # tests/test_coming_back.py
    "rescaled-amount.read",
    "lost-letters",
    "other-jobs-row",  # of another job: tests/test_doors.py
    # an empty cell leaves its field out: tests/test_validation.py words it
    "minLength.empty",
    "minLength.empty.described",
    "schema",  # the engine would have to say nothing of what it refuses
    # as schema.keyword, by a keyword whose description is not enough
    "schema.keyword.described",
    "problem.row",  # a row of which the journal knows: tests/test_repeats.py
}


@pytest.mark.parametrize("code", SHEETS)
def test_a_problem_is_provoked_by_a_sheet(code: str, tmp_path: Path) -> None:
    """As its example tells in words."""
    given(tmp_path, {}, "orders.xlsx")
    sheet(tmp_path, SHEETS[code])
    assert code in codes_of(tmp_path)


def test_a_problem_is_provoked_by_a_parquet_file(tmp_path: Path) -> None:
    """A number that is none."""
    given(tmp_path, {}, "orders.parquet")
    columns = {
        **{name: [text] for name, text in CELLS.items()},
        "amount": [float("nan")],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "orders.parquet")
    assert "not-a-number.number" in codes_of(tmp_path)


def test_no_problem_is_left_out() -> None:
    """Each is provoked by its example, by a sheet, or told why not."""
    known = {
        entry.code for family in ("problems", "schemas") for entry in ENTRIES[family]
    }
    tried = {entry.code for entry in PROVOKED} | set(SHEETS) | {"not-a-number.number"}
    assert known - tried - {"problem", "problem.empty"} == ELSEWHERE
