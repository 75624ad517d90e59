"""The list of faults and the markers of the tests speak of the same ids."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tests.matrix import (
    GROUPS,
    IDS,
    ROOT,
    WHY,
    covered,
    document,
    not_covered,
    unknown,
    written,
)


def item(name: str, *marks: pytest.MarkDecorator) -> Any:
    """Something like a collected test."""
    kept = [decorator.mark for decorator in marks]
    return SimpleNamespace(
        nodeid=name, iter_markers=lambda wanted: (m for m in kept if m.name == wanted)
    )


def test_no_marker_carries_an_unknown_id(request: pytest.FixtureRequest) -> None:
    """Every id in a marker of this session's tests is in the list."""
    assert unknown(covered(request.session.items)) == []


def test_an_unknown_id_is_seen() -> None:
    """B99 is none; a parametrised test counts once."""
    marks = pytest.mark.fault("B07", "B99"), pytest.mark.fault("I1")
    found = covered(
        [
            item("tests/test_a.py::test_b[1]", *marks),
            item("tests/test_a.py::test_b[2]", *marks),
        ]
    )
    assert unknown(found) == ["B99"]
    assert found["I1"] == {"test_a.py::test_b": ""}


def test_what_runs_only_in_the_sweep_is_told_apart() -> None:
    """A test is in the sweep only when all its cases are; one that is known to fail covers
    nothing.
    """
    sweep = pytest.mark.skipif(True, reason="only in `make sweep`")
    mark = pytest.mark.fault("B04")
    found = covered(
        [
            item("tests/t.py::a[1]", mark, sweep),
            item("tests/t.py::b[1]", mark, sweep),
            item("tests/t.py::b[2]", mark),
            item("tests/t.py::c", mark, pytest.mark.xfail),
        ]
    )
    assert found["B04"] == {"t.py::a": "sweep", "t.py::b": "", "t.py::c": "fails today"}


def test_the_list_is_whole() -> None:
    """Every series without a hole."""
    sizes = {
        "A": 15,
        "B": 37,
        "C": 7,
        "D": 16,
        "E": 14,
        "F": 9,
        "G": 12,
        "H": 6,
        "X": 29,
        "J": 36,
    }
    wanted = [
        f"{letter}{number:02d}"
        for letter, size in sizes.items()
        for number in range(1, size + 1)
    ]
    wanted += [f"I{number}" for number in range(1, 21)] + [
        f"L{number}" for number in range(1, 14)
    ]
    assert list(IDS) == wanted
    assert all(IDS.values())


def found_everywhere(session: pytest.Session) -> dict[str, dict[str, str]]:
    """What the markers of all tests say: of those that this session has collected, and of those
    that it was told to leave out. A session of some tests knows nothing of the others.
    """
    config = session.config
    whole = [(ROOT / path).resolve() for path in config.args] == [ROOT / "tests"]
    chosen = ("keyword", "markexpr", "deselect")
    if not whole or any(config.getoption(choice) for choice in chosen):
        return found_in("tests")
    found = covered(session.items)
    if left_out := config.getoption("ignore"):
        for name, tests in found_in(*map(str, left_out)).items():
            found.setdefault(name, {}).update(tests)
    return found


def found_in(*paths: str) -> dict[str, dict[str, str]]:
    """What the markers under these paths say."""
    command = [sys.executable, "-m", "tests.matrix", "--json", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def test_the_published_matrix_is_what_the_markers_say(
    request: pytest.FixtureRequest,
) -> None:
    """docs/faults.md and the README's table, to the letter; whatever is not covered says why."""
    found = found_everywhere(request.session)
    assert set(not_covered(found)) == set(WHY)
    assert (ROOT / "docs" / "faults.md").read_text("utf-8") == document(found), (
        "run make matrix"
    )
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme == written(readme, found), "run make matrix"


def test_nearly_all_that_is_not_for_several_machines_is_covered() -> None:
    """At least 95 % of the series A to F and H."""
    names = [name for name in IDS if name[0] in "ABCDEFH"]
    missing = [name for name in WHY if name in names]
    assert len(missing) <= len(names) * 0.05
    assert {name[0] for name in IDS} == set(GROUPS)
