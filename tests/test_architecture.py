"""Who may know whom: the picture in the README, held by a test. A new module must enter it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import batchpay

ROOT = Path(batchpay.__file__).parent

WORDS = {
    "cards",
    "data",
    "documents",
    "errors",
    "exits",
    "job",
    "lineage",
    "model",
    "money",
    "protocols",
    "secrets",
    "steps",
    "text",
    "times",
    "__init__",
}
PURE = {
    "mapping", "damage", "validation", "schemas", "linting", "strictjson", "controls", "repeats", "planning",
    "lifecycle", "likeness", "listing", "pacing", "reconciliation", "matching", "standing", "kinship", "unclaimed",
    "refunds", "noting", "bounds", "totalrows",
    "provenance", "sheetdates",
}  # fmt: skip
EDGES = {"readers", "gateways", "journals", "reports", "sandbox", "cells", "clock", "signals", "spool"}
LOOP = {"settlement"}
CONTENTS = {
    "config", "intake", "accounts", "candidates", "desk", "publish", "runs", "stories", "session", "pipeline",
    "checking", "resolving", "doctoring", "probing", "auditing", "starting", "verifying", "writing", "oserrors",
    "wholeness", "renaming",
}  # fmt: skip
SHELL = {"cli", "flags", "saying", "streams", "demonstration", "__main__"}

PURE_OUTSIDE = {"jsonschema_rs", "numpy"}  # lazily, where a library decides better than we do
WORLD = {
    "os",
    "time",
    "random",
    "sqlite3",
    "socket",
    "asyncio",
    "subprocess",
    "threading",
    "httpx",
    "pyarrow",
    "pandas",
}
# What an edge may know beside the words and its own family.
EDGE_MAY = {"journals": {"planning"}, "readers": {"cells"}, "reports": {"cells", "reconciliation"}}


def modules() -> dict[str, list[Path]]:
    """First name under batchpay -> its files."""
    found: dict[str, list[Path]] = {}
    for path in ROOT.rglob("*.py"):
        first = path.relative_to(ROOT).parts[0].removesuffix(".py")
        found.setdefault(first, []).append(path)
    return found


def imports(path: Path) -> set[str]:
    """`batchpay.x` as `batchpay/x`, anything else by its first name; what is imported for types only counts too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"batchpay.{a.name}" for a in node.names] if node.module == "batchpay" else [node.module]
        else:
            continue
        for name in names:
            parts = name.split(".")
            found.add(f"batchpay/{parts[1]}" if parts[0] == "batchpay" and len(parts) > 1 else parts[0])
    return found


def allowed(name: str) -> set[str]:
    """The first names under batchpay that a module may import."""
    if name in WORDS:
        return WORDS
    if name in PURE:
        return WORDS | PURE
    if name in EDGES:
        return WORDS | {name} | EDGE_MAY.get(name, set())
    if name in LOOP:
        return WORDS | LOOP | {"lifecycle", "pacing", "planning", "listing", "unclaimed"}
    if name in CONTENTS:
        return WORDS | PURE | EDGES | LOOP | CONTENTS
    return WORDS | PURE | EDGES | LOOP | CONTENTS | SHELL


def test_every_module_has_its_place() -> None:
    """A new module must enter one of the rings, which is the moment to think where it belongs."""
    known = WORDS | PURE | EDGES | LOOP | CONTENTS | SHELL
    assert set(modules()) - {"_data", "py"} <= known, set(modules()) - known


def test_imports_go_one_way() -> None:
    """Words know nothing; the core knows words; edges know words and their own family; nobody knows the shell."""
    wrong = []
    for name, paths in modules().items():
        for path in paths:
            for imported in imports(path):
                inside = imported.removeprefix("batchpay/")
                if imported.startswith("batchpay/") and inside not in allowed(name) | {"__version__"}:
                    wrong.append(f"{path.relative_to(ROOT)} imports {inside}")
    assert wrong == []


def test_the_core_touches_no_world() -> None:
    """No clock, disk, network, chance or heavy library in what must be callable alone."""
    wrong = []
    for name in PURE | (WORDS - {"data", "protocols"}):
        for path in modules().get(name, []):
            for imported in imports(path) - PURE_OUTSIDE:
                if imported in WORLD or not (imported.startswith("batchpay") or imported in sys.stdlib_module_names):
                    wrong.append(f"{path.relative_to(ROOT)} imports {imported}")
    assert wrong == []


def test_only_the_gateway_speaks_http() -> None:
    """One place to look when a request is wrong."""
    speakers = {name for name, paths in modules().items() if any("httpx" in imports(path) for path in paths)}
    assert speakers == {"gateways"}


def test_no_float_for_money() -> None:
    """The word float stands only where seconds do, and where a spreadsheet's number is turned into text."""
    allowed_in = {"readers", "clock", "pacing", "settlement", "gateways", "sandbox", "config", "job", "protocols",
                  "pipeline", "session", "lifecycle", "listing", "journals", "strictjson", "damage",
                  "flags"}  # fmt: skip
    for name, paths in modules().items():
        for path in paths:
            uses = [
                n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Name) and n.id == "float"
            ]
            assert not uses or name in allowed_in, path
