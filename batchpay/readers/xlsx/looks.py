"""How a sheet looks, for the rows of it that are sent back: its styles cleaned of all that leads
out of it, its widths, the rows above its header.

Colours of a theme become colours: a workbook needs no theme then. What a name or a number format
may hide, a key or a card number, is left out.
"""

from __future__ import annotations

import colorsys
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from batchpay.domain.secrets import masked
from batchpay.readers.looks import BOOLEAN, DATE, NUMBER, TEXT, TIME, RowLook, SheetLook
from batchpay.readers.xlsx.book import Book, Values, text_of
from batchpay.readers.xlsx.formats import Zeros

STYLES_LIMIT = 512 * 1024  # characters of them as XML
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KEPT = (
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "colors",
)
_NAMES = ("formatCode", "name", "val")  # attributes with words of people
# the order in which a sheet counts the colours of its theme, and those of Office's own (ECMA-376,
# 20.1.6.2)
_THEME = {
    "lt1": "FFFFFF",
    "dk1": "000000",
    "lt2": "EEECE1",
    "dk2": "1F497D",
    "accent1": "4F81BD",
    "accent2": "C0504D",
    "accent3": "9BBB59",
    "accent4": "8064A2",
    "accent5": "4BACC6",
    "accent6": "F79646",
    "hlink": "0000FF",
    "folHlink": "800080",
}
_LETTERS = {
    int: NUMBER,
    float: NUMBER,
    bool: BOOLEAN,
    dt.date: DATE,
    dt.datetime: DATE,
    dt.time: TIME,
}


def sheet_look(
    book: Book,
    above: Sequence[Values],
    names: Sequence[str],
    before: int,
) -> SheetLook:
    """The sheet without its orders. `above`: the rows above the header; `before`: the columns left
    of the table.
    """
    facts = book.facts
    seen = RowsSeen(book, before)
    head = []
    for row, values in enumerate(above, 1):
        texts = tuple(masked(text_of(value)) for value in values[before:])
        head.append((seen.of(row, values[before:]), texts))
    head.append((seen.of(len(above) + 1, names), tuple(names)))
    widths = []
    for first, last, width, hidden in facts.widths:
        for column in range(first, min(last, before + len(names)) + 1):
            if column > before:
                widths.append((column - before - 1, width, hidden))
    merged: list[str] = []
    if not before:
        merged = [one for one in facts.first_merged if _is_within(one, len(above))]
    return SheetLook(
        book.sheet.name,
        _cleaned(book.package.styles(), _colours(book.package.theme())),
        book.package.from_1904,
        tuple(widths),
        tuple(head),
        tuple(merged),
    )


class RowsSeen:
    """What is kept of each row of a sheet."""

    def __init__(self, book: Book, before: int) -> None:
        self._facts = book.facts
        self._zeros = book.zeros
        self._before = before
        self._known: dict[tuple[tuple[type, ...], object], RowLook] = {}

    def of(self, row: int, values: Values) -> RowLook:
        """One row, by the values of the table's columns."""
        look = self._facts.look_of(row)
        key = (tuple(map(type, values)), look)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._made(values, *look)
        return known

    def _made(self, values: Values, height: str, styles: tuple[int, ...]) -> RowLook:
        of_table = styles[self._before : self._before + len(values)]
        kinds = []
        for at, value in enumerate(values):
            kind = _LETTERS.get(type(value), TEXT)
            is_shown = at < len(of_table) and isinstance(
                self._zeros.get(of_table[at]), Zeros
            )
            if kind == NUMBER and is_shown:
                kind = TEXT  # it was read as it is shown
            kinds.append(kind)
        return RowLook(height, "".join(kinds).rstrip(TEXT), of_table)


def _is_within(merged: str, rows: int) -> bool:
    """Does a range lie in the first rows?"""
    last = merged.rpartition(":")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return last.isdecimal() and int(last) <= rows


# --- styles


def _cleaned(root: ElementTree.Element | None, theme: Sequence[str]) -> str:
    """The styles of cells and what they are made of, as XML; empty where they are endless."""
    if root is None:
        return ""
    kept = {element.tag.rpartition("}")[2]: element for element in root}
    clean = ElementTree.Element("styleSheet", {"xmlns": _MAIN})
    for name in _KEPT:
        if name in kept:
            clean.append(_copy(kept[name], theme))
    text = ElementTree.tostring(clean, "unicode")
    if len(text) > STYLES_LIMIT:
        return ""
    return text


def _copy(element: ElementTree.Element, theme: Sequence[str]) -> ElementTree.Element:
    name = element.tag.rpartition("}")[2]
    attributes = {key: text for key, text in element.attrib.items() if key[0] != "{"}
    if "theme" in attributes:
        attributes = _plain_colour(attributes, theme)
    for key in _NAMES:
        if key in attributes and masked(attributes[key]) != attributes[key]:
            attributes[key] = "General"
    made = ElementTree.Element(name, attributes)
    for child in element:
        if child.tag.rpartition("}")[2] not in ("extLst", "scheme"):
            made.append(_copy(child, theme))
    return made


def _plain_colour(colour: Mapping[str, str], theme: Sequence[str]) -> dict[str, str]:
    """A colour of the theme, lighter or darker, by its parts."""
    try:
        base = theme[int(colour["theme"])]
        tint = float(colour.get("tint", "0"))
        parts = [int(base[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    except (ValueError, IndexError):
        return {"auto": "1"}
    hue, light, full = colorsys.rgb_to_hls(*parts)
    if tint < 0:
        light *= 1 + max(tint, -1.0)
    else:
        light += (1 - light) * min(tint, 1.0)
    made = colorsys.hls_to_rgb(hue, light, full)
    return {"rgb": "FF" + "".join(f"{round(part * 255):02X}" for part in made)}


def _colours(theme: ElementTree.Element | None) -> list[str]:
    """Six digits for each colour of the theme."""
    found = dict(_THEME)
    if theme is not None:
        for element in theme.iter():
            name = element.tag.rpartition("}")[2]
            if name in found and len(element):
                colour: Any = element[0]
                found[name] = colour.get("lastClr") or colour.get("val") or found[name]
    return list(found.values())
