"""The header row: every column a field reads stands there exactly once, and every column has a name
of its own.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from batchpay.domain.errors import FileRefused
from batchpay.domain.secrets import secret_in
from batchpay.domain.text import told
from batchpay.readers.comeback import restored_header

COLUMN_LIMIT = 1000
_SEPARATORS = {";": "';'", "\t": "a tab", ",": "','", "|": "'|'"}


def check_header(
    path: Path, cells: Sequence[str], wanted: Collection[str], row: int
) -> tuple[tuple[str, ...], list[str]]:
    """The names of all columns, made distinct, and notes about them. Raises FileRefused."""
    cells = restored_header(cells, wanted)
    if len(cells) > COLUMN_LIMIT:
        raise FileRefused(
            f"{path}: row {row} has {len(cells)} columns; at most {COLUMN_LIMIT} are read"
        )
    if not any(cell.strip() for cell in cells):
        raise FileRefused(
            f"{path}: row {row} is blank, a header was expected; [input] header_row says where"
            " it is"
        )
    for number, cell in enumerate(cells, 1):
        if secret := secret_in(cell):
            raise FileRefused(
                f"{path}: row {row}, column {number}: {secret} in the header; is the header"
                " missing?"
            )
        if any(
            (ch < " " and ch not in "\t\n") or "\x7f" <= ch <= "\x9f" or ch in "\u2028\u2029"
            for ch in cell
        ):
            raise FileRefused(
                f"{path}: row {row}, column {number}: a control character in the header"
                f" '{told(cell)}'"
            )
    counts = Counter(cells)
    missing = [name for name in wanted if name not in counts]
    if missing:
        raise FileRefused(f"{path}: {_missing(cells, missing, row)}")
    twice = [name for name in wanted if counts[name] > 1]
    if twice:
        listed = ", ".join(f"'{told(name)}'" for name in twice)
        raise FileRefused(
            f"{path}: row {row}: more than one column is called {listed}; keep one or rename the"
            " others"
        )
    return _distinct(cells)


def _missing(cells: Sequence[str], missing: Sequence[str], row: int) -> str:
    if len(cells) == 1:
        for separator, named in _SEPARATORS.items():
            if separator in cells[0]:
                return (
                    f"row {row} is one column '{told(cells[0])}' that holds {named}: "
                    f"say delimiter = {_toml(separator)} in [input]"
                )
    absent = "; ".join(f"no column '{told(name)}'{_nearest(name, cells)}" for name in missing)
    found = ", ".join(f"'{told(cell)}'" for cell in cells[:40]) + (", …" if len(cells) > 40 else "")
    return f"row {row}: {absent}; found {found}. Correct [columns] in the job, or the header"


def _toml(separator: str) -> str:
    if separator == "\t":
        return '"\\t"'
    return f'"{separator}"'


def _nearest(name: str, cells: Sequence[str]) -> str:
    plain = {"".join(cell.casefold().split()): cell for cell in cells}
    near = difflib.get_close_matches("".join(name.casefold().split()), plain, n=1, cutoff=0.6)
    if near:
        return f" (did you mean '{told(plain[near[0]])}'?)"
    return ""


def _distinct(cells: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Columns no field reads may lack a name or share one: they get one to be kept under."""
    names: dict[str, None] = {}
    notes: list[str] = []
    taken = set(cells)
    for number, cell in enumerate(cells, 1):
        base = name = cell or f"(column {number})"
        copy = 1
        while name in names or (name != cell and name in taken):
            copy += 1
            name = f"{base} ({copy})"
        names[name] = None
        if not cell:
            notes.append(f"column {number} has no name")
        elif name != cell:
            notes.append(
                f"column '{told(cell)}' stands there more than once; copy {copy} is kept as"
                f" '{told(name)}'"
            )
    return tuple(names), notes
