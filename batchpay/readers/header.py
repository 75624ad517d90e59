"""The header row: every column a field reads stands there exactly once, and every column has a name
of its own.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from batchpay.domain.alike import differences, looks
from batchpay.domain.errors import FileRefused
from batchpay.domain.secrets import secret_in
from batchpay.domain.text import told
from batchpay.messages import headers, noticed, texts
from batchpay.messages.message import Message
from batchpay.readers.comeback import restored_header
from batchpay.readers.looking import Groups

COLUMN_LIMIT = 1000
# how a text was written, and how a spreadsheet program without being told reads it
_MISREADINGS = [
    (written, read)
    for written in ("utf-8", "cp932", "cp874")
    for read in ("cp1252", "cp932", "cp874", "mac_roman", "latin-1")
    if written != read
]
# bytes that are no character there: programs leave them out, or put one of these
_HOLES = re.compile("[\\ufffd\\x7f-\\xa0\\xad\\u30fb\\uf8f0-\\uf8ff?\\s]")
_COLUMNS_APART = re.compile(r" {2,}")
NAMED_CELLS = 40  # of a header, in a sentence
SEPARATORS = {
    ";": "';'",
    "\t": "a tab",
    ",": "','",
    "|": "'|'",
}


# the mark of UTF-8, read as cp1252, cp874 and by an old Macintosh
_MISREAD = ("\u00ef\u00bb\u00bf", "\u0e4f\u0e1b\u0e1f", "\u00d4\u00aa\u00f8")

# refusals that say that this is no header: it may be elsewhere
_NOT_HERE = frozenset(
    {
        headers.NO_HEADER.code,
        headers.BLANK_HEADER.code,
        headers.HEADER_QUOTE.code,
        headers.HEADER_SECRET.code,
        headers.NO_NAMES.code,
        texts.QUOTE_OPEN.code,
        headers.COLUMN_MISSING.code,
        headers.NO_COLUMN_FOUND.code,
        texts.NO_LINE_END_HEADER.code,
        headers.MISREAD.code,
    }
)


def is_of_header(refused: FileRefused) -> bool:
    """Is a file refused because its header is not where it was looked for?"""
    return any(said.code in _NOT_HERE for said in refused.said)


def check_header(
    path: Path,
    cells: Sequence[str],
    wanted: Collection[str],
    row: int,
    aliases: Sequence[tuple[str, ...]] = (),
) -> tuple[tuple[str, ...], list[Message]]:
    """The names of all columns, made distinct, and notes about them. Raises FileRefused.

    `aliases`: names that are wanted, of which exactly one must be there.
    """
    cells = restored_header(cells, wanted)
    where = str(path)
    wanted = _present(where, cells, wanted, row, aliases)
    if len(cells) > COLUMN_LIMIT:
        raise FileRefused(
            headers.TOO_MANY_COLUMNS(
                path=where,
                row=row,
                columns=len(cells),
                limit=COLUMN_LIMIT,
            )
        )
    if not any(cell.strip() for cell in cells):
        raise FileRefused(headers.BLANK_HEADER(path=where, row=row))
    for number, cell in enumerate(cells, 1):
        if secret := secret_in(cell):
            raise FileRefused(
                headers.HEADER_SECRET(
                    path=where,
                    row=row,
                    column=number,
                    secret=secret,
                )
            )
        if any(map(_is_control, cell)):
            if misread := _misread(where, cells, wanted, row):
                raise FileRefused(misread)
            raise FileRefused(
                headers.HEADER_CONTROL(
                    path=where,
                    row=row,
                    column=number,
                    cell=told(cell),
                )
            )
    counts = Counter(cells)
    missing = [name for name in wanted if name not in counts]
    if missing:
        raise FileRefused(
            _missing(where, cells, missing, row, len(set(wanted)), aliases)
        )
    twice = [name for name in wanted if counts[name] > 1]
    if twice:
        listed = ", ".join(f"'{told(name)}'" for name in twice)
        raise FileRefused(headers.COLUMN_TWICE(path=where, row=row, names=listed))
    return _distinct(cells)


def _present(
    path: str,
    cells: Sequence[str],
    wanted: Collection[str],
    row: int,
    aliases: Sequence[tuple[str, ...]],
) -> list[str]:
    """The wanted names with one of each column's: the one that is there. Raises FileRefused where
    several are.
    """
    left = list(wanted)
    for group in aliases:
        there = [name for name in group if name in cells]
        if len(there) > 1:
            names = ", ".join(f"'{told(name)}'" for name in there)
            raise FileRefused(headers.ALIASES_TWICE(path=path, row=row, names=names))
        kept = there or group[:1]
        left = [name for name in left if name in kept or name not in group]
    return left


def _is_control(character: str) -> bool:
    if character < " ":
        return character not in "\t\n"
    return "\x7f" <= character <= "\x9f" or character in "\u2028\u2029"


def _missing(
    path: str,
    cells: Sequence[str],
    missing: Sequence[str],
    row: int,
    wanted: int,
    aliases: Sequence[tuple[str, ...]],
) -> Message:
    if cells[0].startswith(_MISREAD):
        return headers.MARK_MISREAD(path=path, row=row, cell=told(cells[0]))
    if _are_spaced(cells, missing):
        return headers.SPACED(path=path, row=row)
    if misread := _misread(path, cells, missing, row):
        return misread
    if _are_in_single_quotes(cells, missing):
        return headers.SINGLE_QUOTES(path=path, row=row)
    if _are_in_drawn_quotes(cells, missing):
        return headers.DRAWN_QUOTES(path=path, row=row)
    if _is_in_blanks(cells, missing):
        return headers.FIXED_WIDTH(path=path, row=row)
    groups = {group[0]: group for group in aliases}
    absent = tuple(_absent(groups.get(name, (name,)), cells) for name in missing)
    found = _listed(cells)
    if all(one.code == headers.ABSENT.code for one in absent) and len(absent) == wanted:
        if are_data(cells):
            return no_names(path, row, cells, missing)
        return headers.NO_COLUMN_FOUND(path=path, row=row, absent=absent, found=found)
    return headers.COLUMN_MISSING(path=path, row=row, absent=absent, found=found)


def are_data(cells: Sequence[str]) -> bool:
    """Does a row look like one of orders, and not like the names of columns?"""
    if any(_GATEWAYS_ID.fullmatch(cell) for cell in cells):
        return True
    filled = list(filter(None, cells))
    return len(filled) > 1 and any(_FIGURE.fullmatch(cell) for cell in filled)


_GATEWAYS_ID = re.compile(r"(?:recp|cust|card|src)_[0-9A-Za-z_]+")
_FIGURE = re.compile(r"\W{0,3}\d[\d,.]*\W{0,2}")


def no_names(
    path: str, row: int, cells: Sequence[str], names: Sequence[str]
) -> Message:
    """That a file has no header, and which names one would have to have."""
    return headers.NO_NAMES(
        path=path, row=row, found=_listed(cells), names=_listed(names)
    )


def _listed(cells: Sequence[str]) -> str:
    found = ", ".join(f"'{_in_toml(cell)}'" for cell in cells[:NAMED_CELLS])
    if len(cells) > NAMED_CELLS:
        found += ", …"
    return found


def absent_from(cells: Sequence[str], groups: Groups) -> tuple[Message, ...]:
    """Of each wanted column that a header lacks, that it does, and what it has instead."""
    there = set(cells)
    lacking = [tuple(group) for group in groups if there.isdisjoint(group)]
    return tuple(_absent(names, cells) for names in lacking)


def _absent(names: Sequence[str], cells: Sequence[str]) -> Message:
    """That none of a column's names is there, and the cell that may be one of them."""
    plain = {looks(cell): cell for cell in cells}
    shown = "' or '".join(map(told, names))
    for name in names:
        if cell := plain.get(looks(name)):
            differs = differences(cell, name)
            return headers.ABSENT_ALIKE(
                name=shown, near=_in_toml(cell), differs=differs
            )
    for name in names:
        near = difflib.get_close_matches(looks(name), plain, n=1, cutoff=0.6)
        if near:
            return headers.ABSENT_NEAR(name=shown, near=_in_toml(plain[near[0]]))
    return headers.ABSENT(name=shown)


def _are_spaced(cells: Sequence[str], missing: Sequence[str]) -> bool:
    """Would all be there but for a blank before each cell but the first?"""
    bare = {cell.removeprefix(" ") for cell in cells}
    is_spaced = len(cells) > 1 and all(cell.startswith(" ") for cell in cells[1:])
    return is_spaced and bare.issuperset(missing)


def _misread(
    path: str, cells: Sequence[str], missing: Sequence[str], row: int
) -> Message | None:
    """That the header was read in another encoding than it was written in; what that could not
    show is passed over.
    """
    bare = {_without_holes(cell): cell for cell in cells if not cell.isascii()}
    for name in missing:
        if name.isascii() or name in cells or not bare:
            continue
        for written, read in _MISREADINGS:
            shown = name.encode(written, "ignore").decode(read, "replace")
            near = difflib.get_close_matches(_without_holes(shown), bare, n=1)
            if near and near[0]:
                return headers.MISREAD(
                    path=path,
                    row=row,
                    cell=told(bare[near[0]]),
                    name=told(name),
                    written=written,
                )
    return None


def _without_holes(text: str) -> str:
    return _HOLES.sub("", text)


def _are_in_single_quotes(cells: Sequence[str], missing: Sequence[str]) -> bool:
    """Would all be there but for the apostrophes around each cell?"""
    bare = {cell[1:-1] for cell in cells if in_single_quotes(cell)}
    return bare.issuperset(missing)


def in_single_quotes(cell: str) -> bool:
    """Does a cell stand between apostrophes?"""
    return len(cell) > 1 and cell[0] == cell[-1] == "'"


def _are_in_drawn_quotes(cells: Sequence[str], missing: Sequence[str]) -> bool:
    """Would all be there but for curly quotes around each cell?"""
    bare = {cell[1:-1] for cell in cells if cell[:1] in _DRAWN and cell[-1:] in _DRAWN}
    return "" not in cells and bare.issuperset(missing)


_DRAWN = tuple("\u201c\u201d\u201e\u201f\xab\xbb")


def _is_in_blanks(cells: Sequence[str], missing: Sequence[str]) -> bool:
    """Is a row one cell, in which blanks keep the names apart?"""
    parts = _COLUMNS_APART.split(cells[0].strip())
    return len(cells) == 1 and len(parts) > 1 and set(parts).issuperset(missing)


def _in_toml(cell: str) -> str:
    """A name as it is shown, fit to be copied into the job: TOML has no \\x."""
    return re.sub(r"\\x([0-9a-f]{2})", r"\\u00\1", told(cell))


def _distinct(cells: Sequence[str]) -> tuple[tuple[str, ...], list[Message]]:
    """Columns no field reads may lack a name or share one: they get one to be kept under."""
    names: dict[str, None] = {}
    notes: list[Message] = []
    taken = set(cells)
    for number, cell in enumerate(cells, 1):
        base = name = cell or f"(column {number})"
        copy = 1
        while name in names or (name != cell and name in taken):
            copy += 1
            name = f"{base} ({copy})"
        names[name] = None
        if not cell:
            notes.append(noticed.NO_NAME(column=number))
        elif name != cell:
            notes.append(
                noticed.NAME_TWICE(
                    column=told(cell),
                    copy=copy,
                    name=told(name),
                )
            )
    return tuple(names), notes
