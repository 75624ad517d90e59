"""The header of a sheet, when it is not where the job says: in another row, in another sheet, or
twice side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from batchpay.domain.errors import FileRefused
from batchpay.domain.text import told
from batchpay.messages import headers, sheets
from batchpay.messages.message import Message
from batchpay.readers.header import absent_from
from batchpay.readers.looking import (
    LOOKED_AT,
    Groups,
    Place,
    best_place,
    held_by,
    in_two_rows,
)
from batchpay.readers.snapshot import Snapshot
from batchpay.readers.xlsx.area import Area
from batchpay.readers.xlsx.book import Book, Values, cells_of
from batchpay.readers.xlsx.package import Package, Sheet
from batchpay.readers.xlsx.sheet import column_name

_SHEETS = 20  # of a workbook that are looked at
_NAMED = 5  # cells of a row that are shown


def other_row(
    book: Book,
    shown: Sequence[Values],
    row: int,
    area: Area | None,
    groups: Groups,
) -> Message | None:
    """What the job would have to say for its columns to be found in this workbook; None where
    nothing would help. `shown` are the first rows of the sheet, `row` is where the header was to
    be.
    """
    rows = [cells_of(values) for values in shown]
    place = best_place(rows, groups)
    here: Sequence[str] = ()
    if row <= len(rows):
        here = rows[row - 1]
    is_better = (
        place is not None and place.row != row and place.held > held_by(here, groups)
    )
    if area is None and (upper := in_two_rows(rows, groups)):
        return headers.HEADER_IN_TWO_ROWS(
            path=str(book.package.snapshot.path),
            row=upper,
            below=upper + 1,
            change=f"header_row = {upper + 1}",
        )
    if place is not None and is_better and 2 * place.held >= len(groups):
        return _said(book, place, row, here, area, groups)
    return _in_another(book, row, groups)


def _said(
    book: Book,
    place: Place,
    row: int,
    here: Sequence[str],
    area: Area | None,
    groups: Groups,
) -> Message:
    path = str(book.package.snapshot.path)
    change = f"header_row = {place.row}"
    if area is not None:
        last = column_name(max(area.last_column, len(place.cells)))
        change = f'range = "{column_name(area.first_column)}{place.row}:{last}"'
    if place.held == len(groups):
        return headers.HEADER_ELSEWHERE(
            path=path,
            row=row,
            found=_quoted(here),
            at=place.row,
            change=change,
        )
    return headers.HEADER_NEARLY(
        path=path,
        row=row,
        found=_quoted(here),
        at=place.row,
        change=change,
        absent=absent_from(place.cells, groups),
    )


def _quoted(cells: Sequence[str]) -> str:
    listed = ", ".join(f"'{told(cell)}'" for cell in cells[:_NAMED])
    if len(cells) > _NAMED:
        listed += ", …"
    return listed or "blank"


def _in_another(book: Book, row: int, groups: Groups) -> Message | None:
    path = str(book.package.snapshot.path)
    for sheet, place in _holding(book.package, groups, but=book.sheet):
        return sheets.SHEET_ELSEWHERE(
            path=path,
            sheet=told(book.sheet.name),
            other=told(sheet.name),
            at=place.row,
            change=_change(sheet, place, row),
        )
    return None


def which_sheet(
    snapshot: Snapshot,
    stated: str | None,
    row: int,
    groups: Groups,
) -> Message | None:
    """The one visible sheet that holds all the columns or, where none does, the one that holds
    most of them; None where there are several such.
    """
    package = Package.open(snapshot, snapshot.stream())
    found = [one for one in _places(package, groups) if one[0].visible]
    most = max((place.held for _, place in found), default=0)
    found = [(sheet, place) for sheet, place in found if place.held == most]
    if len(found) != 1 or 2 * most < len(groups):
        return None
    sheet, place = found[0]
    path = str(snapshot.path)
    names = ", ".join(f"'{told(one.name)}'" for one in package.sheets)
    if most < len(groups):
        return sheets.SHEET_NEARLY(
            path=path,
            names=names,
            other=told(sheet.name),
            at=place.row,
            absent=absent_from(place.cells, groups),
            change=_change(sheet, place, row),
        )
    change = _change(sheet, place, row)
    other = told(sheet.name)
    if stated is None:
        return sheets.SHEET_HOLDS(
            path=path,
            names=names,
            other=other,
            at=place.row,
            change=change,
        )
    return sheets.NO_SHEET_HOLDS(
        path=path,
        sheet=told(stated),
        names=names,
        other=other,
        at=place.row,
        change=change,
    )


def _change(sheet: Sheet, place: Place, row: int) -> str:
    name = sheet.name.replace("\\", "\\\\").replace('"', '\\"')
    change = f'sheet = "{told(name)}"'
    if place.row != row:
        change += f" and header_row = {place.row}"
    return change


def _holding(
    package: Package,
    groups: Groups,
    but: Sheet | None = None,
) -> Iterator[tuple[Sheet, Place]]:
    """Other sheets that hold all the columns, each with the row."""
    for sheet, place in _places(package, groups, but):
        if place.held == len(groups):
            yield sheet, place


def _places(
    package: Package,
    groups: Groups,
    but: Sheet | None = None,
) -> Iterator[tuple[Sheet, Place]]:
    """Other sheets that hold some of the columns, each with the row that holds most of them."""
    if not package.small:
        return
    for sheet in package.sheets[:_SHEETS]:
        if sheet == but:
            continue
        try:
            other = Book.open(package.snapshot, sheet.name)
            rows = [cells_of(values) for values in islice(other.rows(), LOOKED_AT)]
        except FileRefused:
            continue
        place = best_place(rows, groups)
        if place is not None:
            yield sheet, place


def side_by_side(
    book: Book,
    header: Sequence[str],
    row: int,
    groups: Groups,
) -> Message | None:
    """Two tables in one header, kept apart by a column without a name: the first that holds all
    the columns once.
    """
    for first, names in _blocks(header):
        if held_by(names, groups) < len(groups) or len(set(names)) < len(names):
            continue
        area = Area(first, row, first + len(names) - 1)
        return sheets.SIDE_BY_SIDE(
            path=str(book.package.snapshot.path),
            sheet=told(book.sheet.name),
            row=row,
            range=str(area),
        )
    return None


def _blocks(header: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Names side by side without a gap, with the number of the first column."""
    block: list[str] = []
    for number, name in enumerate([*header, ""], 1):
        if name.strip():
            block.append(name)
        elif block:
            yield number - len(block), block
            block = []
