"""README, CHANGELOG, schemas and `--help` tell one story, and it is what the program does."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

import batchpay
from batchpay.cli import cli
from batchpay.commands.schema import SCHEMAS
from batchpay.domain import errors
from batchpay.domain.model import Outcome
from batchpay.job.job import Job
from batchpay.job.load import load_job
from batchpay.job.packaged import data_path
from batchpay.reports.table import COLUMNS, LAST_COLUMNS
from tests.world import Market

ROOT = Path(batchpay.__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def table(title: str) -> list[list[str]]:
    """The cells of the README's table whose header begins so; `\\|` is a bar inside a cell."""
    lines = README[README.index(f"| {title}") :].split("\n\n")[0].splitlines()[2:]
    return [
        [
            cell.strip().replace(r"\|", "|")
            for cell in re.split(r"(?<!\\)\|", line)[1:-1]
        ]
        for line in lines
    ]


def blocks(language: str) -> list[str]:
    """The README's code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


# --- commands and flags


def told() -> dict[str, set[str]]:
    """Command -> flags, as the README's table has them."""
    found: dict[str, set[str]] = {}
    for usage, _ in table("Command"):
        _, name, *_ = usage.strip("`").split()
        found.setdefault(name, set()).update(re.findall(r"--[a-z-]+", usage))
    return found


def test_every_command_is_in_the_readme_and_nothing_else() -> None:
    """The table of commands is the list of commands."""
    assert set(told()) == set(cli.commands)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_flag_is_in_the_readme_and_in_help(name: str) -> None:
    """The same flags in both; --json wherever a result is printed for people."""
    command = cli.commands[name]
    options = {
        opt for p in command.params if isinstance(p, click.Option) for opt in p.opts
    }
    assert ("--json" in options) is (name not in ("sandbox", "schema", "completion"))
    assert told()[name] == options - {"--json"}
    said = command.get_help(click.Context(command, info_name=name))
    assert all(option in said for option in options)
    assert all(p.help for p in command.params if isinstance(p, click.Option))


def test_help_cuts_no_sentence() -> None:
    """Each command's line in `batchpay --help` fits 80 columns whole."""
    said = cli.get_help(click.Context(cli, info_name="batchpay", terminal_width=80))
    lines = said[said.index("Commands:") :].splitlines()[1:]
    assert len(lines) == len(cli.commands)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


# --- codes and outcomes


def families() -> Iterator[type[errors.BatchpayError]]:
    """Every way not to go on."""
    waiting = [errors.BatchpayError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        yield kind


def test_the_exit_codes_are_those_of_the_errors() -> None:
    """0, 10 and 11 are ends of a finished run; every other code belongs to an exception, and the
    reverse.
    """
    codes = [int(code) for cell, _ in table("Exit code") for code in cell.split(", ")]
    assert codes == sorted(set(codes))
    assert set(codes) == {0, 10, 11} | {kind.exit_code for kind in families()}
    listed = dict(re.findall(r"^ +(\w+) +(\d+) ", errors.__doc__ or "", re.MULTILINE))
    here = [kind for kind in families() if kind.__module__ == errors.__name__]
    assert listed == {
        kind.__name__: str(kind.exit_code)
        for kind in here
        if kind is not errors.BatchpayError
    }


def test_the_outcomes_are_those_of_the_model() -> None:
    """One line an outcome; the equations name each of them once."""
    names = [
        name for cell, *_ in table("outcome") for name in re.findall(r"`(\w+)`", cell)
    ]
    assert sorted(names) == sorted(Outcome)
    sums = re.search(r"rows read = (.*)\n +sent +=(.*)\n", README)
    assert sums is not None
    parts = [part.strip() for side in sums.groups() for part in side.split("+")]
    assert sorted(parts) == sorted([*Outcome, "sent"])


def test_every_column_of_the_results_has_its_unit() -> None:
    """docs/reports.md has them all, in their order; whole numbers of money say of which
    currency.
    """
    text = (ROOT / "docs" / "reports.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    columns = {name: kind for name, (kind, _) in (COLUMNS | LAST_COLUMNS).items()}
    assert [name for name, _ in rows] == list(columns)
    for name, unit in rows:
        kind = columns[name]
        assert (kind == "int") is unit.startswith(("smallest unit of", "number")), (
            name,
            unit,
        )
        assert (kind == "time") is unit.startswith("UTC"), (name, unit)


# --- code blocks


def test_the_smallest_job_checks(market: Market) -> None:
    """As it stands, with a file of its columns beside it."""
    (job,) = blocks("toml")
    (market.folder / "job.toml").write_text(job)
    (market.folder / "orders.csv").write_text(
        'order_id,amount,currency,recipient,customer\n0001,"1,234.50",THB,recp_test_1,cust_test_1\n'
    )
    done = market.run(verb="check")
    assert (done.returncode, done.stdout) == (
        0,
        "orders.csv: 1 row, 0 rejected, 0 repeated; 1 order, 1,234.50 THB\n",
    )


def test_the_commands_of_the_second_block_work_in_their_order(market: Market) -> None:
    """init, check, plan, run: typed as they stand, against a sandbox instead of the test mode."""
    lines = [
        line
        for line in blocks("console")[1].splitlines()
        if line.startswith("$ batchpay ")
    ]
    assert [line.split()[2] for line in lines] == ["init", "check", "plan", "run"]
    for line in lines:
        done = market.program(*line.split("#")[0].split()[2:])
        # one row shows what an error is
        assert done.returncode == (0 if "init" in line else 10), (
            line,
            done.stderr,
        )
        if "init" in line:
            job = market.folder / "job.toml"
            job.write_text(
                job.read_text().replace(
                    "[gateway]\n", f'[gateway]\nurl = "{market.sandbox.url}"\n'
                )
            )
    assert market.posts() == 2
    assert market.outcomes() == {"succeeded": 2, "rejected": 1}


def test_what_the_readme_names_is_there() -> None:
    """Links, files, folders and the words of make."""
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / link).exists(), link
    for name in re.findall(r"`((?:samples|schemas|docs|tests)/[\w./-]+)`", README):
        assert (ROOT / name).exists(), name
    words = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )
    assert set(re.findall(r"\bmake ([a-z-]+)\b", README)) <= words


def test_what_contributing_names_is_there() -> None:
    """Files, functions of them that are named, and the words of make."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"`((?:batchpay|tests|docs)/[\w./]+)`", text))
    assert len(named) > 20
    for name in named:
        assert (ROOT / name).exists(), name
    words = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )
    assert set(re.findall(r"\bmake ([a-z-]+)\b", text)) <= words


def test_how_it_is_built_is_the_packages_listing() -> None:
    """Every room and every module stands in the picture, and nothing that is not there."""
    picture = README[README.index("    batchpay/\n") :].split("\n\n")[0]
    drawn, room = set(), ""
    for line in picture.splitlines()[1:]:
        names, _, told = line.strip().partition("  ")
        if len(line) - len(line.lstrip()) == 6:
            room = names if names.endswith("/") else ""
            drawn.add(names)
        elif names.endswith("/"):
            drawn |= {
                f"{room}{names}",
                *(f"{room}{names}{name}.py" for name in told.split()),
            }
        else:
            drawn |= {f"{room}{name}.py" for name in names.split()}
    package = Path(batchpay.__file__).parent
    files = {
        path.relative_to(package)
        for path in package.rglob("*.py")
        if not path.name.startswith("__")
    }
    files = {path for path in files if path.parts[0] != "sandbox"}
    rooms = {f"{room}/" for path in files for room in path.parents if room.name}
    assert drawn == {str(path) for path in files} | rooms | {"sandbox/"}


# --- schemas and changelog


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_of_2020_12(name: str) -> None:
    """By the meta-schema of the draft they name."""
    schema = json.loads(data_path(f"schemas/{name}.schema.json").read_text("utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Table, key and schema of each key of a job file that stands in a table."""
    schema = json.loads(data_path("schemas/job.schema.json").read_text("utf-8"))
    for name, one in schema["properties"].items():
        for key, inner in one.get("properties", {}).items():
            yield name, key, inner


DEFAULTS = [
    (name, key, inner["default"])
    for name, key, inner in properties()
    if "default" in inner
]


@pytest.mark.parametrize(("name", "key", "default"), DEFAULTS)
def test_a_default_that_is_written_out_changes_nothing(
    tmp_path: Path, name: str, key: str, default: Any
) -> None:
    """What the schema calls a default is what the program takes when the key is missing."""
    (smallest,) = blocks("toml")
    told = tomllib.loads(smallest)
    assert key not in told.get(name, {})
    line = f"{key} = {json.dumps(default)}\n"
    spelled = (
        smallest.replace(f"[{name}]\n", f"[{name}]\n{line}")
        if name in told
        else f"{smallest}[{name}]\n{line}"
    )
    assert line in spelled
    assert without_digest(tmp_path, spelled) == without_digest(tmp_path, smallest)


def without_digest(folder: Path, text: str) -> Job:
    """The job of a text, but for what is different because the text is."""
    path = folder / "job.toml"
    path.write_text(text, "utf-8")
    return dataclasses.replace(load_job(path), sha256="")


def test_a_default_is_told_in_words_where_it_is_one() -> None:
    """The list of defaults, whole, and no `default` that its description keeps to
    itself.
    """
    assert {(name, key) for name, key, _ in DEFAULTS} == {
        ("input", "encoding"),
        ("input", "header_row"),
        ("input", "on_reject"),
        ("input", "optional"),
        ("input", "not_cards"),
        ("input", "odd_ids"),
        ("input", "alike_ids"),
        ("input", "total_rows"),
        ("input", "struck_rows"),
        *(
            ("gateway", key)
            for key in (
                "kind",
                "url",
                "mode",
                "version",
                "rate",
                "burst",
                "concurrency",
                "timeout",
                "send_window",
                "doubt_period",
                "lookup_gap",
                "pause",
                "follow",
            )
        ),
        ("controls", "time_zone"),
        ("controls", "approval"),
        ("report", "directory"),
        ("report", "formats"),
        ("controls", "min_share"),
        ("controls", "near_duplicates"),
        ("controls", "history"),
        ("report", "mode"),
        ("report", "language"),
        ("state", "url"),
    }
    for name, key, inner in properties():
        assert "default" not in inner or "efault" in inner["description"], (name, key)


def test_the_changelog_has_this_version() -> None:
    """The newest entry is the version that `--version` says."""
    newest = re.search(
        r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert newest is not None and newest[1] == batchpay.__version__


def test_a_report_is_what_its_schema_says(market: Market) -> None:
    """report.json of a night with every ending that is easily had."""
    shutil.copyfile(
        data_path("samples/recipients.csv"), market.folder / "recipients.csv"
    )
    rows = data_path("samples/orders.csv").read_text("utf-8-sig").splitlines()[:60]
    (market.folder / "orders.csv").write_text("\n".join(rows) + "\n", "utf-8")
    job = (
        data_path("samples/job.toml")
        .read_text("utf-8")
        .replace("http://127.0.0.1:8787", market.sandbox.url)
    )
    (market.folder / "job.toml").write_text(job.replace('"40/s"', '"400/s"'))
    assert market.run().returncode == 10
    schema = json.loads(data_path("schemas/report.schema.json").read_text("utf-8"))
    (report,) = market.reports()
    jsonschema.Draft202012Validator(schema).validate(report)


@pytest.mark.parametrize(
    "page", sorted(path.name for path in (ROOT / "docs").glob("*.md"))
)
def test_what_a_page_links_to_is_there(page: str) -> None:
    """Every file of the repository that a page of docs names by a link."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (ROOT / "docs" / target).exists(), (page, target)
