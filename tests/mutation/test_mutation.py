"""The tool itself, on a planted module: what is tested is killed, what is not survives, and no file
changes.
"""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.__main__ import (
    HERE,
    ROOT,
    Plan,
    chosen_for,
    drawn,
    equivalent,
    plan_of,
)
from tests.mutation.changes import changed, changes_of
from tests.mutation.cover import Seen

PLANTED = '''
"""A planted module: not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    WIDTH = 7

__all__ = ["bigger", "biggest"]
LIMIT = 3
Pair = tuple[int, str]


def bigger(one: int, two: int = 2) -> bool:
    """Not changed: 1 < 2."""
    assert one != 12, "not changed"
    return one > two


def told(one: int) -> str:
    return f"not changed {one + 1}"


def elsewhere() -> int:
    return 40 + 2


def endless(number: int) -> int:
    while number < LIMIT:
        number += 1
    return number


def untested(one: int) -> int:
    if one == 1:
        raise ValueError("a text of several words is not changed")
    return min(one, 2)
'''
TESTS = """
import subprocess
import sys

from planted import LIMIT, bigger, endless, told


def test_bigger():
    assert bigger(3) and not bigger(2) and not bigger(1)


def test_told():
    assert told(1) == "not changed 2"


def test_endless():
    assert endless(0) == LIMIT == 3


def test_elsewhere(tmp_path):
    words = [sys.executable, "-c", "from planted import elsewhere; assert elsewhere() == 42"]
    assert subprocess.run(words, cwd={folder!r}, env={{}}, check=False).returncode == 0


def test_that_fails_anyway():
    assert False
"""
PLAN = """
modules = ["planted.py"]
tests = ["test_*.py"]
without = []
share = 1.0
more = {}
patience_s = 1.0
least = 1
bar = 90
bar_module = 85
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A project of one module and one test file."""
    (tmp_path / "planted.py").write_text(PLANTED, "utf-8")
    (tmp_path / "test_planted.py").write_text(
        TESTS.format(folder=str(tmp_path)), "utf-8"
    )
    (tmp_path / "modules.toml").write_text(PLAN, "utf-8")
    (tmp_path / "equivalent.toml").write_text("", "utf-8")
    return tmp_path


def digests(*folders: Path) -> dict[str, str]:
    """Every file but what Python compiles on its own."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if "__pycache__" not in path.parts
    }


def run(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """The tool as a person starts it."""
    words = [
        sys.executable,
        "-m",
        "tests.mutation",
        "--root",
        str(folder),
        "--processes",
        "2",
        *flags,
    ]
    return subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_what_is_tested_is_killed_and_what_is_not_survives(planted: Path) -> None:
    """In this process and in one that a test starts; no file changes; a test that fails anyway
    counts for nothing.
    """
    before = digests(planted, ROOT / "batchpay", ROOT / "tests")
    done = run(planted, "--all")
    assert digests(planted, ROOT / "batchpay", ROOT / "tests") == before
    assert (done.returncode, done.stderr) == (1, ""), done
    assert (
        "left out, it fails without any change: test_planted.py::test_that_fails_anyway"
        in done.stdout
    )
    survivors = [
        line for line in done.stdout.splitlines() if line.startswith("planted.py:")
    ]
    untested = PLANTED[: PLANTED.index("def untested")].count("\n") + 1
    assert survivors
    assert all(int(line.split(":")[1].split()[0]) >= untested for line in survivors), (
        survivors
    )
    assert all("[no test passes by]" in line for line in survivors), survivors
    assert len(survivors) == sum(
        change.within == "untested" for change in changes_of(planted, "planted.py")
    )
    assert "below 90 %" in done.stdout


def test_a_loop_without_end_is_killed(planted: Path) -> None:
    """A test that takes far longer than it did is a test that failed."""
    found = next(
        c for c in changes_of(planted, "planted.py") if c.told == "number += 1 -> pass"
    )
    done = run(planted, "--all", "--verbose", "--line", str(found.line))
    assert "number += 1 -> pass: it never ended" in done.stdout


def test_what_is_left_alone(planted: Path) -> None:
    """Docstrings, messages, annotations, names of types, `__all__`, assertions and what is for
    types only.
    """
    changes = changes_of(planted, "planted.py")
    lines = {change.source for change in changes}
    assert {
        "LIMIT = 3",
        "def bigger(one: int, two: int = 2) -> bool:",
        "return one > two",
    } <= lines
    for source in ("WIDTH = 7", "__all__", "Pair =", "assert", '"""'):
        assert not any(source in line for line in lines), source
    assert not any(
        "several words" in change.told.partition(" -> ")[2]
        for change in changes
        if "raise" not in change.told
    )


def test_every_change_is_one_that_python_can_read(planted: Path) -> None:
    """And each is another text than what stands there."""
    text = (planted / "planted.py").read_text("utf-8")
    made = [
        ast.unparse(changed(text, change))
        for change in changes_of(planted, "planted.py")
    ]
    assert ast.unparse(ast.parse(text)) not in made
    assert len(set(made)) == len(made)
    for one in made:
        compile(one, "planted.py", "exec")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a == b", "a != b"),
        ("a < b", "a <= b"),
        ("a < b", "a >= b"),
        ("a is None", "a is not None"),
        ("a in b", "a not in b"),
        ("a and b", "a or b"),
        ("a and b", "b"),
        ("not a", "a"),
        ("1", "2"),
        ("1", "0"),
        ("1.0", "1.5"),
        ("'a'", "'Xa'"),
        ("True", "False"),
        ("[a, b]", "[a]"),
        ("f(a, b)", "f(b, a)"),
        ("f(a, b=c)", "f(a)"),
        ("{a: b, c: d}", "{a: b}"),
        ("min(a, b)", "max(a, b)"),
        ("any(a)", "all(a)"),
        ("sorted(a)", "list(a)"),
        ("a + b", "a - b"),
        ("a // b", "a * b"),
        ("a if b else c", "a if True else c"),
        ("a if b else c", "a if not b else c"),
        ("(a, b) == (c, d)", "(a,) == (c,)"),
        ("[a for a in b if c]", "_"),
        ("'SELECT 1 WHERE a = ? AND b > ?'", "'SELECT 1 WHERE a <> ? AND b > ?'"),
        ("'SELECT 1 WHERE a = ? AND b > ?'", "'SELECT 1 WHERE a = ? AND b >= ?'"),
    ],
)
def test_every_kind_of_expression(tmp_path: Path, text: str, told: str) -> None:
    """One small change for each thing that people get wrong."""
    (tmp_path / "one.py").write_text(
        f"def f():\n    x = {text}\n    return x\n", "utf-8"
    )
    assert any(
        told in change.told.partition(" -> ")[2]
        for change in changes_of(tmp_path, "one.py")
    )


@pytest.mark.parametrize("called", ["min", "max"])
def test_the_smaller_of_two_is_the_same_in_either_order(
    tmp_path: Path, called: str
) -> None:
    """It becomes the larger one, and nothing else."""
    (tmp_path / "one.py").write_text(f"def f(a, b):\n    {called}(a, b)\n", "utf-8")
    made = {
        change.told.partition(" -> ")[2] for change in changes_of(tmp_path, "one.py")
    }
    other = {"min": "max", "max": "min"}[called]
    assert made == {"pass", f"{other}(a, b)"}


def test_what_only_declares_is_seen_by_the_tests_of_its_room(tmp_path: Path) -> None:
    """No line of it runs in a test: whoever uses the room's other modules uses it."""
    (tmp_path / "room").mkdir()
    declares = "class Kind:\n    name = 'a'\n"
    uses = "LEAST = 3\ndef use():\n    return 1\n"
    for name, text in (("kinds", declares), ("using", uses), ("far", uses)):
        (tmp_path / "room" / f"{name}.py").write_text(text, "utf-8")
    (tmp_path / "far.py").write_text(uses, "utf-8")
    seen = Seen(
        took_s=dict.fromkeys(
            ("tests/test_b.py::b", "tests/test_room.py::c", "x::d"), 1.0
        ),
        bodies={
            "room/kinds.py": frozenset(),
            "room/using.py": frozenset({3}),
            "far.py": frozenset({3}),
        },
    )
    seen.add("room/using.py", 3, ["tests/test_b.py::b", "tests/test_room.py::c"])
    seen.add("far.py", 3, ["x::d"])
    plan = Plan([], [], 1.0, {}, 1.0, 1, 90, 85)
    (declared, *_) = changes_of(tmp_path, "room/kinds.py")
    assert chosen_for(declared, seen, plan) == [
        "tests/test_room.py::c",
        "tests/test_b.py::b",
    ]
    (constant, *_) = changes_of(tmp_path, "far.py")
    assert chosen_for(constant, seen, plan) == ["x::d"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("if a: b()", "if False:"),
        ("if a: b()", "if True:"),
        ("while a: b()", "while False:"),
        ("b()", "pass"),
        ("while a: break", "pass"),
        ("while a: continue", "break"),
        ("return a", "return None"),
        ("raise a", "pass"),
        ("a.b = 1", "pass"),
        ("a += 1", "a -= 1"),
        ("a += 1", "pass"),
        ("await b()", "pass"),
        ("del a[0]", "pass"),
    ],
)
def test_every_kind_of_statement(tmp_path: Path, text: str, told: str) -> None:
    """The same for statements."""
    (tmp_path / "one.py").write_text(f"async def f(a, b):\n    {text}\n", "utf-8")
    assert any(
        change.told.endswith(f"-> {told}") for change in changes_of(tmp_path, "one.py")
    )


def test_a_draw_is_fair_and_the_same_again(planted: Path) -> None:
    """The same seed draws the same; every module has its least."""
    some = changes_of(planted, "planted.py")
    all_ = {"a": some, "b": some[:4], "c": some[:1]}
    one, two = (drawn(all_, 10, 3, 1) for _ in range(2))
    assert [c.key for c in one] == [c.key for c in two]
    assert [c.key for c in one] != [c.key for c in drawn(all_, 10, 3, 2)]
    assert len(drawn(all_, 10**9, 3, 1)) == len(some) + 5
    assert 3 + 1 + 5 <= len(one) <= 14


def test_an_equivalent_change_that_is_gone_is_told(planted: Path) -> None:
    """It names a change by the text of its line, and moves with it."""
    some = changes_of(planted, "planted.py")
    named = next(change for change in some if change.within == "untested")
    entry = "\n".join(
        f"{name} = {getattr(named, name)!r}"
        for name in ("module", "within", "source", "told")
    )
    text = f"[[change]]\n{entry}\nreason = 'for the test'\n"
    assert equivalent(text, some) == {named.key}
    with pytest.raises(SystemExit, match="no change is like"):
        equivalent(text, [change for change in some if change.key != named.key])
    with pytest.raises(SystemExit, match=r"no file is called gone\.py"):
        plan_of(PLAN.replace("planted.py", "gone.py"), planted)


def test_the_project_is_what_the_tool_takes_it_for() -> None:
    """A module that was renamed, or an equivalent change that is gone, is told here and not at the
    next long run.
    """
    plan = plan_of((HERE / "modules.toml").read_text("utf-8"), ROOT)
    text = (HERE / "equivalent.toml").read_text("utf-8")
    named = [module for module in plan.modules if f'"{module}"' in text]
    equivalent(
        text, [change for module in named for change in changes_of(ROOT, module)]
    )
