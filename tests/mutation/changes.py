"""The changes of a module: one small one each, found in its syntax tree.

Not changed: docstrings, texts of more than a word (messages), the texts of f-strings, annotations,
decorators, types, `__all__`, assertions (they catch bugs, and weaker ones are no behaviour) and
what stands under `if TYPE_CHECKING`.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

Step = tuple[str, int | None]
"""A field of a node, and the place in it where the field is a list."""

E = TypeVar("E", bound=ast.AST)


@dataclass(frozen=True)
class Change:
    """One changed place of a module."""

    module: str  # path of the file, from the root of the project
    line: int
    # first and last of what is done at that place: a test must have come by to see it
    lines: tuple[int, int]
    within: str  # function, as `Class.method`; empty at the top
    source: str  # the line's text
    told: str  # `a < b -> a <= b`, numbered where the line has several
    imported: bool  # done once, when the module is imported
    path: tuple[Step, ...]
    node: ast.AST

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it although lines move."""
        return self.module, self.within, self.source, self.told


@dataclass(frozen=True)
class _Spot:
    """Where the walk is."""

    path: tuple[Step, ...] = ()
    within: str = ""
    statement: ast.stmt | None = None
    imported: bool = True  # no function's body
    texts: bool = True  # its short texts may change
    tuples: bool = True  # items of its tuple may be dropped


def changes_of(root: Path, module: str) -> list[Change]:
    """Every change of a file, in the order of its lines."""
    text = (root / module).read_text("utf-8")
    lines, counted, found = text.splitlines(), Counter[tuple[str, str, str]](), []
    for spot, node, made in _walk(ast.parse(text), _Spot()):
        assert spot.statement is not None
        at = node if hasattr(node, "lineno") else spot.statement
        told = f"{_brief(node)} -> {_brief(made)}"
        source = lines[at.lineno - 1].strip()
        counted[spot.within, source, told] += 1
        if (number := counted[spot.within, source, told]) > 1:
            told += f" #{number}"
        place = (spot.statement.lineno, max(at.lineno, _end(spot.statement)))
        found.append(
            Change(
                module,
                at.lineno,
                place,
                spot.within,
                source,
                told,
                spot.imported,
                spot.path,
                made,
            )
        )
    return sorted(found, key=lambda change: (change.line, change.within, change.told))


def changed(text: str, change: Change) -> ast.Module:
    """The tree of a module's text with the change in it."""
    tree = ast.parse(text)
    _put(tree, change.path, change.node)
    return ast.fix_missing_locations(tree)


def _put(tree: ast.AST, path: Sequence[Step], made: ast.AST) -> None:
    owner: ast.AST = tree
    for name, at in path[:-1]:
        owner = getattr(owner, name) if at is None else getattr(owner, name)[at]
    name, at = path[-1]
    if at is None:
        setattr(owner, name, made)
    else:
        getattr(owner, name)[at] = made


# --- the walk


def _walk(node: ast.AST, spot: _Spot) -> Iterator[tuple[_Spot, ast.AST, ast.AST]]:
    """Every node with everything it may become."""
    if _is_left_alone(node):
        return
    if isinstance(node, ast.stmt):
        spot = replace(spot, statement=node)
    for made in _of_node(node, spot):
        yield spot, node, made
    for name, value in ast.iter_fields(node):
        if name in (
            "annotation",
            "returns",
            "decorator_list",
            "type_comment",
            "format_spec",
        ):
            continue
        for at, child in (
            enumerate(value) if isinstance(value, list) else [(None, value)]
        ):
            if isinstance(child, ast.AST) and not _is_docstring(node, name, at, child):
                yield from _walk(child, _below(node, name, at, spot))


def _below(node: ast.AST, name: str, at: int | None, spot: _Spot) -> _Spot:
    inside = (
        f"{spot.within}.{node.name}".lstrip(".")
        if _is_named(node) and name == "body"
        else spot.within
    )
    imported = spot.imported
    if (
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        and name == "body"
    ):
        imported = False
    return replace(
        spot,
        path=(*spot.path, (name, at)),
        within=inside,
        imported=imported,
        texts=not isinstance(node, ast.JoinedStr),
        tuples=_keeps_length_free(node, name),
    )


def _is_named(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _keeps_length_free(node: ast.AST, name: str) -> bool:
    """May a tuple here be shorter? Not one that is unpacked, compared, returned, or names types."""
    if isinstance(
        node,
        ast.Return
        | ast.Yield
        | ast.Subscript
        | ast.Compare
        | ast.Starred
        | ast.DictComp,
    ):
        return (
            isinstance(node, ast.Compare)
            and name == "comparators"
            and isinstance(node.ops[0], ast.In | ast.NotIn)
        )
    return not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple))


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(
        node, ast.Assert | ast.Import | ast.ImportFrom | ast.arg | ast.expr_context
    ):
        return True
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("TypeVar", "cast", "NewType")
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) in ("__all__", "__slots__") or _is_type(
            node.value
        )
    return False


def _is_type(node: ast.expr) -> bool:
    """`Callable[[Chunk], None]` and the like: a name for a type."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr) and (
            _is_type(node.left) or _is_type(node.right)
        )
    plain = ("tuple", "dict", "list", "set", "frozenset", "type")
    named = isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
    return named and (
        node.value.id in plain
        or (node.value.id[:1].isupper() and not node.value.id.isupper())
    )


def _is_docstring(node: ast.AST, name: str, at: int | None, child: ast.AST) -> bool:
    """A text that stands as a statement, first or not."""
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


# --- what a node may become

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
_SQL = re.compile(r"\b(?:SELECT|UPDATE|INSERT|DELETE|WHERE|FROM)\b")
_IN_SQL = (
    (re.compile(r" = "), " <> "),
    (re.compile(r" <> "), " = "),
    (re.compile(r" AND "), " OR "),
    (re.compile(r" > "), " >= "),
    (re.compile(r" < "), " <= "),
    (re.compile(r" >= "), " > "),
    (re.compile(r" <= "), " < "),
    (re.compile(r" DESC\b"), ""),
    (re.compile(r"\bmax\(", re.IGNORECASE), "min("),
    (re.compile(r"\bmin\(", re.IGNORECASE), "max("),
    (re.compile(r" IS NOT NULL"), " IS NULL"),
    (re.compile(r" NOT IN "), " IN "),
)


def _of_node(node: ast.AST, spot: _Spot) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.BoolOp):
        yield _but(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        yield from _with_one_less(node, "values", at_least=2)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        if isinstance(node.op, ast.Not) or not isinstance(node.operand, ast.Constant):
            yield node.operand
    elif isinstance(node, ast.BinOp):
        yield from _of_arithmetic(node)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node, spot)
    elif isinstance(node, ast.List | ast.Set | ast.Tuple) and isinstance(
        getattr(node, "ctx", ast.Load()), ast.Load
    ):
        if spot.tuples or not isinstance(node, ast.Tuple):
            yield from _with_one_less(
                node, "elts", at_least=1 + isinstance(node, ast.Set)
            )
    elif isinstance(node, ast.Dict):
        for at in range(len(node.keys)):
            yield _but(
                node, keys=_without(node.keys, at), values=_without(node.values, at)
            )
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield from _of_condition(node)
    elif isinstance(node, ast.comprehension):
        for at in range(len(node.ifs)):
            yield _but(node, ifs=_without(node.ifs, at))
    elif isinstance(node, ast.stmt):
        yield from _of_statement(node)


def _of_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for at, op in enumerate(node.ops):
        for other in _COMPARED[type(op)]:
            yield _but(node, ops=[*node.ops[:at], other(), *node.ops[at + 1 :]])
    left, right = node.left, node.comparators[0]
    if (
        isinstance(left, ast.Tuple)
        and isinstance(right, ast.Tuple)
        and len(left.elts) == len(right.elts) > 1
    ):
        for at in range(len(left.elts)):
            short = (_but(side, elts=_without(side.elts, at)) for side in (left, right))
            yield _but(node, left=next(short), comparators=[next(short)])


def _of_arithmetic(node: ast.BinOp) -> Iterator[ast.AST]:
    texts = any(
        isinstance(side, ast.JoinedStr) or _is_text(side)
        for side in (node.left, node.right)
    )
    if type(node.op) in _COMPUTED and not texts:
        yield _but(node, op=_COMPUTED[type(node.op)]())


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _of_constant(node: ast.Constant, spot: _Spot) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield _but(node, value=not value)
    elif isinstance(value, int):
        yield _but(node, value=value + 1)
        yield _but(node, value=value - 1)
    elif isinstance(value, float):
        yield _but(node, value=value * 1.5 or 1.5)
    elif isinstance(value, str):
        if spot.texts and len(value) <= 20 and not re.search(r"\s", value):
            yield _but(node, value=f"X{value}")
        if _SQL.search(value):
            for pattern, other in _IN_SQL:
                for match in pattern.finditer(value):
                    yield _but(
                        node,
                        value=value[: match.start()] + other + value[match.end() :],
                    )


def _of_call(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and (other := _CALLED.get(node.func.id)):
        yield _but(
            node,
            func=ast.Name(other, ast.Load()),
            keywords=[] if other == "list" else node.keywords,
        )
    for at in range(len(node.keywords)):
        if node.keywords[at].arg is not None:
            yield _but(node, keywords=_without(node.keywords, at))
    if _is_of_any_order(node.func):
        return
    for at in range(len(node.args) - 1):
        one, two = node.args[at : at + 2]
        if not any(isinstance(some, ast.Starred) for some in (one, two)) and ast.dump(
            one
        ) != ast.dump(two):
            yield _but(node, args=[*node.args[:at], two, one, *node.args[at + 2 :]])


def _is_of_any_order(called: ast.expr) -> bool:
    """The smaller of two is the same in either order."""
    return isinstance(called, ast.Name) and called.id in ("min", "max")


def _of_condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    yield _but(node, test=ast.Constant(False))
    if not isinstance(node, ast.While):
        yield _but(node, test=ast.Constant(True))
    if not isinstance(node.test, ast.Compare | ast.Constant) and not _is_not(node.test):
        yield _but(node, test=ast.UnaryOp(ast.Not(), node.test))


def _is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _of_statement(node: ast.stmt) -> Iterator[ast.AST]:
    if _can_be_left_out(node):
        yield ast.Pass()
    if (
        isinstance(node, ast.Return)
        and node.value is not None
        and not _is_nothing(node.value)
    ):
        yield _but(node, value=ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif (
        isinstance(node, ast.AugAssign)
        and isinstance(node.op, ast.Add | ast.Sub)
        and not _is_list(node.value)
    ):
        yield _but(node, op=_COMPUTED[type(node.op)]())


def _can_be_left_out(node: ast.stmt) -> bool:
    """Without it the function still is one: a call for its effect, a raise, what is kept in an
    object.
    """
    if isinstance(
        node, ast.Break | ast.Continue | ast.Raise | ast.Delete | ast.AugAssign
    ):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None and not isinstance(node.target, ast.Name)
    return isinstance(node, ast.Assign) and all(
        isinstance(t, ast.Attribute | ast.Subscript) for t in node.targets
    )


def _is_nothing(node: ast.AST) -> bool:
    """None, or what is as false: a caller could hardly tell, and the constant itself is changed
    anyway.
    """
    return isinstance(node, ast.Constant) and not node.value


def _is_list(node: ast.AST | None) -> bool:
    return isinstance(node, ast.List | ast.ListComp | ast.JoinedStr) or (
        node is not None and _is_text(node)
    )


def _with_one_less(node: E, name: str, *, at_least: int) -> Iterator[ast.AST]:
    items = getattr(node, name)
    if len(items) < at_least:
        return
    for at in range(len(items)):
        rest = _without(items, at)
        yield (
            rest[0]
            if isinstance(node, ast.BoolOp) and len(rest) == 1
            else _but(node, **{name: rest})
        )


def _without(items: Sequence[E], at: int) -> list[E]:
    return [*items[:at], *items[at + 1 :]]


def _but(node: E, **changes: object) -> E:
    """A copy with other fields; what it holds is shared, and nobody writes to it."""
    made = copy.copy(node)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


# --- for people


def _end(statement: ast.stmt) -> int:
    """The last line of what a statement does itself: a compound one without its body."""
    for name in ("test", "iter", "subject"):
        if isinstance(part := getattr(statement, name, None), ast.expr):
            return part.end_lineno or statement.lineno
    if isinstance(statement, ast.With | ast.AsyncWith):
        return statement.items[-1].context_expr.end_lineno or statement.lineno
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.body[0].lineno - 1
    return statement.end_lineno or statement.lineno


def _brief(node: ast.AST) -> str:
    """A node's source on one line, without the body of a compound statement."""
    if isinstance(node, ast.comprehension):
        node = ast.GeneratorExp(ast.Name("_"), [node])
    node = copy.copy(node)
    for name in ("body", "orelse", "handlers", "finalbody"):
        if isinstance(node, ast.stmt) and isinstance(getattr(node, name, None), list):
            setattr(node, name, [])
    return re.sub(r"\s*\n\s*", " ", ast.unparse(node))


def shown(text: str, change: Change) -> str:
    """The statement before and after, as much of it as differs and a little more."""
    tree = ast.parse(text)
    depth = max(
        at
        for at in range(len(change.path) + 1)
        if isinstance(_at(tree, change.path[:at]), ast.stmt)
    )
    before = _brief(_at(tree, change.path[:depth]))
    _put(tree, change.path, change.node)
    after = _brief(_at(tree, change.path[:depth]))
    start, end, shortest = 0, 0, min(len(before), len(after))
    while start < shortest and before[start] == after[start]:
        start += 1
    while end < shortest - start and before[-1 - end] == after[-1 - end]:
        end += 1
    from_ = max(0, start - 30)
    return f"`{before[from_ : len(before) - end + 30]}` -> `{after[from_ : len(after) - end + 30]}`"


def _at(tree: ast.AST, steps: Sequence[Step]) -> ast.AST:
    node = tree
    for name, at in steps:
        node = getattr(node, name) if at is None else getattr(node, name)[at]
    return node
