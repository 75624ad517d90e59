"""Who may know whom: the picture in the README, held by a test. A new room must enter it."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import batchpay

ROOT = Path(batchpay.__file__).parent

# The ring of each room, from the words outwards; a module that stands nearer to the words than its
# room says so.
ROOMS = {
    "domain": "words",
    "messages": "words",
    "lifecycle": "pure",
    "intake": "pure",
    "reconciliation": "pure",
    "readers": "edge",
    "gateways": "edge",
    "journals": "edge",
    "reports": "edge",
    "sandbox": "edge",
    "settlement": "loop",
    "job": "contents",
    "batches": "contents",
    "commands": "contents",
    "api": "contents",
    "terminal": "shell",
    "cli": "shell",
    "__main__": "shell",
    "__init__": "words",
}
OWN_RING = {
    "job/job": "words",
    "job/packaged": "words",
    "job/schema": "pure",
    "job/lint": "pure",
    "settlement/pacing": "pure",
    "batches/clock": "edge",
    "batches/signals": "edge",
    "intake/take_in": "contents",
    "domain/oserrors": "contents",
    "commands/demo": "shell",
}
INWARD = {
    "words": {"words"},
    "pure": {"words", "pure"},
    "edge": {"words"},  # and its own room
    "loop": {"words", "loop"},  # and the few below
    "contents": {"words", "pure", "edge", "loop", "contents"},
    "shell": {"words", "pure", "edge", "loop", "contents", "shell"},
}
# The life of one attempt, which the loop and the journals follow.
# how things are named, for ever
NAMED = {
    "lifecycle/keys",
    "lifecycle/order_ids",
    "lifecycle/payers",
    "lifecycle/places",
    "lifecycle/request",
    "lifecycle/sale_terms",
}
ATTEMPTS = {
    "lifecycle/attempt",
    "lifecycle/charge",
    "lifecycle/doubt",
    "lifecycle/folding",
    "lifecycle/paid",
    "lifecycle/proof",
}
# What a room may know beside that.
ALSO = {
    # what came of attempts
    "journals": {*NAMED, "lifecycle/after", *ATTEMPTS},
    "readers": {"readers"},
    "reports": {
        "lifecycle/after",
        "readers/cells",
        "readers/looks",
        "readers/typed",
        "reconciliation",
    },
    "settlement": {
        "lifecycle/after",
        *ATTEMPTS,
        *NAMED,
        "lifecycle/elsewhere",
        "lifecycle/listing",
        "lifecycle/unclaimed",
        "settlement",
    },
}

# the package's own files; the one way to make a name last
TOUCH_THE_DISK = {"job/packaged", "domain/durable"}
# lazily, where a library decides better than we do
PURE_OUTSIDE = {"jsonschema_rs", "numpy"}
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


@cache
def modules() -> dict[str, Path]:
    """`room/module`, or `module` at the top, -> its file; of a room in a room the outer one
    counts.
    """
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] != "_data":
            found["/".join(parts)] = path
    return found


def ring_of(module: str) -> str:
    """The ring of `room/module`."""
    return OWN_RING.get(module) or ROOMS[module.partition("/")[0]]


@cache
def imports(path: Path) -> tuple[str, ...]:
    """`room/module` of ours, anything else by its first name; inside functions and for types only
    counts too.
    """
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    there = modules()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            yield _module_in("/".join(rest), there) if first == "batchpay" else first


def _module_in(path: str, there: dict[str, Path]) -> str:
    """The module of ours that a dotted name, written with slashes, is or is in."""
    while path and path not in there and f"{path}/__init__" not in there:
        path = path.rpartition("/")[0]
    return path if path in there else f"{path}/__init__".removeprefix("/")


def may_import(module: str, imported: str) -> bool:
    """Does the picture have this arrow?"""
    room, its_room = module.partition("/")[0], imported.partition("/")[0]
    if ring_of(imported) in INWARD[ring_of(module)]:
        return True
    if ring_of(module) == ring_of(imported) == "edge" and room == its_room:
        return True
    return any(imported == one or its_room == one for one in ALSO.get(room, ()))


def test_every_room_has_its_ring() -> None:
    """A new one must enter a ring, which is the moment to think where it belongs."""
    assert {module.partition("/")[0] for module in modules()} == set(ROOMS)
    assert set(OWN_RING) <= set(modules())


def test_imports_go_one_way() -> None:
    """Words know nothing; the core knows words; edges know words and their own room; nobody knows
    the shell.
    """
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules().items()
        for imported in imports(path)
        if (imported in modules()) and not may_import(module, imported)
    ]
    assert wrong == []


def test_no_module_knows_itself_by_way_of_others() -> None:
    """No import cycle, function-level imports counted: nothing is left when all that imports
    nothing more goes.
    """
    left = {
        module: {i for i in imports(path) if i in modules() and i != module}
        for module, path in modules().items()
    }
    while done := {module for module, known in left.items() if not known}:
        left = {
            module: known - done for module, known in left.items() if module not in done
        }
    assert left == {}


def test_the_core_touches_no_world() -> None:
    """No clock, disk, network, chance or heavy library in what must be callable alone."""
    core = [
        name
        for name in modules()
        if ring_of(name) in ("words", "pure") and name not in TOUCH_THE_DISK
    ]
    wrong = [
        f"{name} imports {imported}"
        for name in core
        for imported in set(imports(modules()[name])) - PURE_OUTSIDE - set(modules())
        if imported in WORLD or imported not in sys.stdlib_module_names
    ]
    assert wrong == []


def test_only_the_gateway_speaks_http() -> None:
    """One place to look when a request is wrong."""
    speakers = {
        name.rpartition("/")[0]
        for name, path in modules().items()
        if "httpx" in imports(path)
    }
    assert speakers == {"gateways/omise"}


def test_no_float_for_money() -> None:
    """The word float stands only where seconds do, and where a spreadsheet's number is turned into
    text.
    """
    allowed_in = {
        "readers",
        "settlement",
        "gateways",
        "sandbox",
        "journals",
        "batches/clock",
        "batches/session",
        "job/load",
        "job/job",
        "domain/events/attempts",
        "domain/events/forms",
        "domain/ports",
        "domain/strictjson",
        "batches/night",
        "lifecycle/doubt",
        "lifecycle/folding",
        "lifecycle/listing",
        "intake/damage",
        "terminal/bars",
        "terminal/flags",
    }
    for module, path in modules().items():
        tree = ast.walk(ast.parse(path.read_text("utf-8")))
        uses = any(isinstance(node, ast.Name) and node.id == "float" for node in tree)
        assert (
            not uses or module in allowed_in or module.partition("/")[0] in allowed_in
        ), path


def test_no_class_of_the_rooms_of_money_means_two_things() -> None:
    """A name that is read in one of them is the same thing in the next."""
    rooms = {"domain", "intake", "lifecycle", "settlement", "batches", "commands"}
    named: dict[str, list[str]] = {}
    for module in sorted(modules()):
        if module.partition("/")[0] in rooms:
            for name in classes(module):
                if not name.startswith("_"):
                    named.setdefault(name, []).append(module)
    twice = {name: places for name, places in named.items() if len(places) > 1}
    # of a cell that could be read in two ways; of a charge that may be an attempt's
    assert twice == {"Unclear": ["domain/events/attempts", "domain/figures"]}


# --- the gateway's documents stay at the border


def annotations(tree: ast.AST) -> Iterator[str]:
    """What every argument, result and field of a piece of source is said to be."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield ast.unparse(node.annotation)
        elif (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.returns is not None
        ):
            yield ast.unparse(node.returns)


def classes(module: str) -> dict[str, ast.ClassDef]:
    """The classes of a module, by name."""
    body = ast.parse(modules()[module].read_text("utf-8")).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


# `module.name` as comments write it; what else has this form is a file, or a word of the gateway's
NAMED_IN_TEXT = re.compile(r"(?<![\w./~])([a-z_]\w*)\.([A-Za-z]\w*)")
NO_NAMES = {"css", "csv", "db", "html", "js", "json", "org", "parquet", "py", "sql"}
NO_NAMES |= {"toml", "xlsx"}
OF_THE_GATEWAY = {"charge.captured", "charge.create"}


def test_what_comments_name_is_where_they_say() -> None:
    """Whoever moves a function mends the comments that name it by its module."""
    names: dict[str, set[str]] = defaultdict(set)
    for module in modules():
        parts = ("batchpay", *module.removesuffix("/__init__").split("/"))
        names[parts[-1]].update(_names_in(module))
        for room, inner in pairwise(parts):
            names[room].add(inner)
    wrong = [
        f"{module}: {said[0]}"
        for module, path in modules().items()
        for text in (*_told_in(path), *_comments(path.read_text("utf-8")))
        for said in NAMED_IN_TEXT.finditer(text)
        if said[1] in names and said[2] not in names[said[1]] | NO_NAMES
        if said[0] not in OF_THE_GATEWAY
    ]
    assert wrong == []


def _names_in(module: str) -> Iterator[str]:
    """What it defines, at the top and in its classes, and what it hands on."""
    for node in ast.walk(ast.parse(modules()[module].read_text("utf-8"))):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.Assign(targets=[ast.Name("__all__")], value=given):
                yield from ast.literal_eval(given)


def _told_in(path: Path) -> Iterator[str]:
    """Its docstrings, those of values too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


def _comments(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def test_no_document_goes_through_the_gateways_port() -> None:
    """What an answer says is typed to the last field: there is nothing to take apart. mypy does the
    rest.
    """
    port, model = classes("domain/ports")["Gateway"], classes("domain/model")
    parts = [port, model["Answer"], model["Page"], *classes("domain/books").values()]
    loose = [
        (part.name, said)
        for part in parts
        for said in annotations(part)
        if {"Any", "dict", "object", "Mapping"}
        & {*said.replace("[", " ").replace("]", " ").split()}
    ]
    assert loose == []


def test_nobody_else_takes_a_gateways_document_apart() -> None:
    """No other room knows the adapter, or asks a document of what kind it is."""
    wrong = []
    for module, path in modules().items():
        if module.partition("/")[0] in ("gateways", "sandbox"):
            continue
        wrong += [
            f"{module} imports {name}"
            for name in imports(path)
            if name.startswith("gateways/omise")
        ]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if asks_of_what_kind(node):
                wrong.append(f"{module}: {ast.unparse(node)}")
    assert wrong == []


def asks_of_what_kind(node: ast.AST) -> bool:
    """`document["object"]` or `document.get("object")`: how every document of the gateway is
    known.
    """
    match node:
        case ast.Subscript(slice=ast.Constant(value="object")):
            return True
        case ast.Call(
            func=ast.Attribute(attr="get"), args=[ast.Constant(value="object"), *_]
        ):
            return True
    return False
