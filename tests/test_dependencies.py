"""What the package imports is what pyproject.toml says it needs, no more and no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def declared(requirements: list[str]) -> set[str]:
    """The names of requirements."""
    return {
        plain(re.split(r"[^A-Za-z0-9_.-]", one, maxsplit=1)[0]) for one in requirements
    }


def plain(name: str) -> str:
    """A name as the index compares it."""
    return name.lower().replace("_", "-")


def imported(folder: Path, *, but: str = "") -> set[str]:
    """The distributions of what is imported anywhere in a folder, at the top of a module or within
    a function.
    """
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        if but and but in path.relative_to(folder).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add((node.module or "").partition(".")[0])
    ours = names - set(sys.stdlib_module_names) - {"batchpay", "tests", ""}
    comes_with = packages_distributions()
    return {plain(comes_with[name][0]) for name in ours}


def test_what_is_imported_is_declared_and_the_reverse() -> None:
    """A library that comes with another one is not there for good."""
    assert imported(ROOT / "batchpay", but="sandbox") == declared(
        PROJECT["dependencies"]
    )


def test_the_sandbox_needs_its_extra_and_nothing_else() -> None:
    """Beside what the program itself has."""
    extra = declared(PROJECT["optional-dependencies"]["sandbox"])
    assert (
        imported(ROOT / "batchpay" / "sandbox") - declared(PROJECT["dependencies"])
        == extra
    )


@pytest.mark.parametrize("place", ["dependencies", "sandbox"])
def test_every_dependency_has_its_reason_beside_it(place: str) -> None:
    """Half a sentence after the name."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lines = text[text.index(f"\n{place} = [\n") :].split("\n]")[0].splitlines()[2:]
    assert [line for line in lines if not re.search(r'",\s+# \w.*\w', line)] == []


def test_what_make_setup_installs_has_each_declared_dependency() -> None:
    """It installs the pinned list and nothing else: what is declared and not pinned is missing."""
    pinned = re.findall(
        r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text("utf-8")
    )
    extras = PROJECT["optional-dependencies"]
    wanted = declared(PROJECT["dependencies"] + extras["sandbox"] + extras["dev"])
    assert wanted - {"batchpay"} - set(pinned) == set()
