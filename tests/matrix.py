"""Which faults, invariants and laws are covered by which test: `make matrix`.

The ids are those of docs/faults.md, each with a name to recognise it by; the coverage is read from
the markers of the collected tests (`@pytest.mark.fault("B07", "I1")`).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

IDS: dict[str, str] = {
    # death of the process at every point of a charge
    "A01": "dies while reading",
    "A02": "dies after the plan",
    "A03": "dies in the intent's commit",
    "A04": "dies before the first byte",
    "A05": "dies while connecting",
    "A06": "dies in mid-request",
    "A07": "dies while the gateway works",
    "A08": "dies before the answer",
    "A09": "dies before the answer is kept",
    "A10": "dies after the answer is kept",
    "A11": "dies while reporting",
    "A12": "dies in a look-up",
    "A13": "dies in an upgrade",
    "A14": "dies while moving input",
    "A15": "dies again and again",
    # network and gateway
    "B01": "no name",
    "B02": "refused",
    "B03": "black hole",
    "B04": "bad certificate",
    "B05": "reset at accept",
    "B06": "reset in mid-request",
    "B07": "reset after the request",
    "B08": "stale connection",
    "B09": "answer too late",
    "B10": "answer in drips",
    "B11": "answer cut",
    "B12": "no clean JSON",
    "B13": "other JSON",
    "B14": "error under 200",
    "B15": "another order's charge",
    "B16": "no split",
    "B17": "5xx, not charged",
    "B18": "5xx, charged",
    "B19": "429",
    "B20": "key revoked",
    "B21": "not here",
    "B22": "refused with a code",
    "B23": "409 in progress",
    "B24": "key reused",
    "B25": "token used",
    "B26": "redirect",
    "B27": "endless answer",
    "B28": "malformed HTTP",
    "B29": "captive portal",
    "B30": "answers shifted",
    "B31": "charged twice by the gateway",
    "B32": "lying list",
    "B33": "pending for days",
    "B34": "late ends",
    "B35": "gateway down",
    "B36": "slow day",
    "B37": "wrong host",
    # clocks
    "C01": "clock jumps",
    "C02": "suspended",
    "C03": "summer time",
    "C04": "clock wrong",
    "C05": "resumed much later",
    "C06": "over midnight",
    "C07": "deadline",
    # storage
    "D01": "journal's disk full",
    "D02": "reports' disk full",
    "D03": "fsync fails once",
    "D04": "cannot read",
    "D05": "journal locked",
    "D06": "bit flipped",
    "D07": "write-ahead log lost",
    "D08": "journal cut",
    "D09": "old journal restored",
    "D10": "journal lost",
    "D11": "network file system",
    "D12": "newer journal",
    "D13": "power cut",
    "D14": "journal edited",
    "D15": "out of memory",
    "D16": "out of descriptors",
    # doubles
    "E01": "started twice",
    "E02": "two jobs, one token",
    "E03": "same file again",
    "E04": "same rows, other bytes",
    "E05": "edited between runs",
    "E06": "edited while read",
    "E07": "still being written",
    "E08": "twice in a file",
    "E09": "twice in two files",
    "E10": "one token, two orders",
    "E11": "one file, two paths",
    "E12": "two machines, two journals",
    "E13": "job renamed",
    "E14": "charged by hand",
    # signals and surroundings
    "F01": "SIGTERM",
    "F02": "SIGINT",
    "F03": "SIGHUP",
    "F04": "output gone",
    "F05": "SIGKILL",
    "F06": "SIGSTOP",
    "F07": "upgraded in mid-run",
    "F08": "power loss",
    "F09": "cron's surroundings",
    # several machines
    "G01": "machine dies",
    "G02": "machine freezes",
    "G03": "database out of reach",
    "G04": "gateway out of reach",
    "G05": "database restarts",
    "G06": "failover loses commits",
    "G07": "task lost",
    "G08": "task twice",
    "G09": "permits' holder dies",
    "G10": "two versions",
    "G11": "clocks apart",
    "G12": "links cut at random",
    # people and limits
    "H01": "control totals",
    "H02": "approval",
    "H03": "live and test mixed",
    "H04": "limits",
    "H05": "wrong resolve",
    "H06": "secrets in output",
    # bad inputs
    "X01": "encodings",
    "X02": "control characters",
    "X03": "invisible characters",
    "X04": "look-alike text",
    "X05": "formulas",
    "X06": "headers",
    "X07": "ragged rows",
    "X08": "sizes",
    "X09": "number formats",
    "X10": "other digits",
    "X11": "absurd amounts",
    "X12": "decimals",
    "X13": "currencies",
    "X14": "order ids",
    "X15": "types",
    "X16": "hostile JSON and TOML",
    "X17": "hostile xlsx",
    "X18": "hostile Parquet",
    "X19": "hostile gzip",
    "X20": "paths",
    "X21": "job files",
    "X22": "schema references",
    "X23": "slow patterns",
    "X24": "schema corners",
    "X25": "templates",
    "X26": "card numbers",
    "X27": "metadata",
    "X28": "lookup files",
    "X29": "all rows bad",
    # doors that no guard watched
    "J01": "--since on a lost journal",
    "J02": "state put back in mid-request",
    "J03": "another account's key",
    "J04": "an ended charge comes alive",
    "J05": "a stale list",
    "J06": "renamed job's second night",
    "J07": "guards of a first attempt only",
    "J08": "damaged ids",
    "J09": "rows not handed on",
    "J10": "test charges told as live",
    "J11": "one charge, two orders",
    "J12": "answers too long",
    "J13": "held for ever",
    "J14": "plan is not run",
    "J15": "commission not taken",
    "J16": "fees' currency",
    "J17": "two jobs, one report",
    "J18": "one counter twice",
    "J19": "evidence that cannot be kept",
    "J20": "foreign text",
    "J21": "secrets by side ways",
    "J22": "a bug that is none",
    "J23": "recipients untold",
    "J24": "overwritten files",
    "J25": "small Parquet, large rows",
    "J26": "a web page at the sandbox",
    "J27": "forgotten pending charge",
    "J28": "one fee, many currencies",
    "J29": "shares too small",
    "J30": "whose day",
    "J31": "later refunds",
    "J32": "adopted and unseen",
    "J33": "earlier journals",
    "J34": "Retry-After as a date",
    "J35": "recipients asked in vain",
    "J36": "charges without a time",
    # what must hold afterwards
    "I1": "charged once",
    "I2": "one sum everywhere",
    "I3": "every row once",
    "I4": "intent before POST",
    "I5": "no hidden retry",
    "I6": "no POST in doubt",
    "I7": "one open attempt",
    "I8": "lawful moves",
    "I9": "unbroken chain",
    "I10": "same bytes again",
    "I11": "rate",
    "I12": "no secrets",
    "I13": "input untouched",
    "I14": "exit code",
    "I15": "comes to rest",
    "I16": "bounded",
    "I17": "whole money",
    "I18": "shares add up",
    "I19": "reasons",
    "I20": "fenced",
    # laws
    "L1": "intent before byte",
    "L2": "stale intent",
    "L3": "one open attempt",
    "L4": "proof",
    "L5": "doubt's period",
    "L6": "evidence kept",
    "L7": "answer checked",
    "L8": "one retry layer",
    "L9": "journal shown",
    "L10": "stop stays",
    "L11": "look first",
    "L12": "queue is a hint",
    "L13": "undelivered is discarded",
}


GROUPS: dict[str, str] = {
    "A": "death of the process at every point of a charge",
    "B": "network and gateway",
    "C": "clocks",
    "D": "storage",
    "E": "the same order from two sides",
    "F": "signals and surroundings",
    "G": "several machines",
    "H": "people and limits",
    "J": "doors that no guard watched",
    "X": "bad inputs",
    "I": "what must hold after all of it",
    "L": "laws, broken on purpose",
}
_ONE = "there is no shared journal yet: one machine at a time, held by its lock"
WHY: dict[str, str] = {
    "A14": "batchpay neither moves nor archives an input: there is no moment to die in",
    "H02": "approvals come with a later version; a job that asks for one is refused (78)",
    **dict.fromkeys(("G01", "G02", "G03", "G04", "G05", "G11", "G12"), _ONE),
}


class Collector:
    """A pytest plugin that keeps what was collected."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Called once, with every test."""
        self.items = list(session.items)


def covered(items: Iterable[pytest.Item]) -> dict[str, dict[str, str]]:
    """Id -> test functions that carry it, with what is to be said of each: nothing, or "sweep", or
    "fails today".
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for item in items:
        sweep = any(
            "sweep" in str(mark.kwargs.get("reason", ""))
            for mark in item.iter_markers("skipif")
        )
        fails = any(True for _ in item.iter_markers("xfail"))
        note = "fails today" if fails else "sweep" if sweep else ""
        test = item.nodeid.split("[")[0].removeprefix("tests/")
        for mark in item.iter_markers("fault"):
            for name in mark.args:
                found[name][test] = found[name].get(test, note) and note
    return found


def unknown(found: Mapping[str, Any]) -> list[str]:
    """Ids in markers that no list knows."""
    return sorted(set(found) - set(IDS))


def collect(*paths: str) -> list[pytest.Item]:
    """Every test of these paths, without running one."""
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main(
            ["--collect-only", "-q", "--assert=plain", *paths], plugins=[collector]
        )
    if code != pytest.ExitCode.OK:
        print(said.getvalue())
    return collector.items


def not_covered(found: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Ids without a test that passes today."""
    return [
        name
        for name in IDS
        if all(note == "fails today" for note in found.get(name, {}).values())
    ]


def _as_told(found: Mapping[str, Mapping[str, str]], name: str) -> str:
    tests = sorted(found.get(name, {}).items())
    return ", ".join(test + (f" ({note})" if note else "") for test, note in tests)


def document(found: Mapping[str, Mapping[str, str]]) -> str:
    """docs/faults.md: every id with every test of it."""
    missing = not_covered(found)
    lines = [
        "# Every fault, and the tests that make it happen",
        "",
        (
            "Written by `make matrix`; a test sees to it that it is what the tests' markers say. A"
            " name is a file under"
        ),
        "`tests/` and a test in it; *sweep* means that it runs in `make sweep` only.",
        "",
        f"{len(IDS) - len(missing)} of {len(IDS)} are covered.",
    ]
    for letter, words in GROUPS.items():
        lines += [
            "",
            f"## {letter}: {words}",
            "",
            "| id | what | tests |",
            "| --- | --- | --- |",
        ]
        for name in (name for name in IDS if name[0] == letter):
            told = (
                _as_told(found, name)
                if name not in missing
                else f"*not covered: {WHY[name]}*"
            )
            lines.append(f"| {name} | {IDS[name]} | {told} |")
    return "\n".join([*lines, ""])


def table(found: Mapping[str, Mapping[str, str]]) -> str:
    """The README's table: a line for each series, and what is not covered."""
    missing = not_covered(found)
    lines = [
        "| ids | what befalls it | covered | tests under `tests/` |",
        "| --- | --- | --- | --- |",
    ]
    for letter, words in GROUPS.items():
        names = [name for name in IDS if name[0] == letter]
        files = Counter(
            test.split("::")[0] for name in names for test in found.get(name, {})
        )
        most = ", ".join(
            f"`{file.removesuffix('.py')}`"
            for file, _ in sorted(files.items(), key=_by_weight)[:4]
        )
        there = len([name for name in names if name not in missing])
        lines.append(
            f"| {names[0]}-{names[-1]} | {words} | {there} of {len(names)} | {most} |"
        )
    reasons: dict[str, list[str]] = defaultdict(list)
    for name in missing:
        reasons[WHY[name]].append(name)
    told = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
    lines += ["", f"Not covered: {told}."]
    return "\n".join(lines)


def _by_weight(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


README_BEGIN, README_END = "<!-- make matrix -->\n", "\n<!-- end -->"


def written(readme: str, found: Mapping[str, Mapping[str, str]]) -> str:
    """The README with the table as it is now."""
    before, rest = readme.split(README_BEGIN)
    return (
        before + README_BEGIN + table(found) + README_END + rest.split(README_END, 1)[1]
    )


def main() -> int:
    """Print the matrix and write it down; 1 when a marker carries an id that nobody knows."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument(
        "paths", nargs="*", default=["tests"], help="where to look for tests"
    )
    parser.add_argument(
        "--json", action="store_true", help="what was found, for a program"
    )
    asked = parser.parse_args()
    found = covered(collect(*asked.paths))
    if asked.json:
        print(json.dumps(found))
        return 0
    missing = not_covered(found)
    for name, words in IDS.items():
        print(
            f"{name:4} {words:32} {_as_told(found, name) or f'- not covered: {WHY[name]} -'}"
        )
    print(
        f"\n{len(IDS) - len(missing)} of {len(IDS)} covered; not covered:"
        f" {' '.join(missing) or 'none'}"
    )
    if strange := unknown(found):
        print(f"unknown ids in markers: {' '.join(strange)}")
        return 1
    (ROOT / "docs" / "faults.md").write_text(document(found), "utf-8")
    readme = ROOT / "README.md"
    readme.write_text(written(readme.read_text("utf-8"), found), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
