"""The workbook of rows that are sent back: the sheet as it was, with what must be corrected in
colour and a note on each such cell.

It is written cell by cell, because no library keeps the styles of one workbook in another. A text
is an inline text whatever it looks like: nothing here is a formula or a link. What was a number, a
date or an error is one again only where it is read as the same text (looks.py); ids are texts.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import BinaryIO
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from batchpay.domain.text import FORMULA_STARTS, short_cell
from batchpay.readers.looks import (
    DATE,
    NUMBER,
    PLAIN_ROW,
    TEXT,
    RowLook,
    SheetLook,
    stored,
)
from batchpay.reports.sheets import MEASURED, WIDEST, width_of

NOTES_LIMIT = 5_000  # cells with a note; of the others the column of reasons tells
WRONG = "FFFFC9C4"  # the colour of a wrong cell
LAST_ROW = 1_048_576
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# characters that XML cannot hold, and what would be read as one of them (ECMA-376, 22.4.2.4)
_UNWRITABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
)
# formats that every program knows (ECMA-376, 18.8.30)
_GENERAL, _TEXT_FORMAT, _DAY_FORMAT, _MOMENT_FORMAT = "0", "49", "14", "22"
# ... and the decimals of a number that they show; a percentage two more
_DECIMALS = {
    **dict.fromkeys(("1", "3", "5", "6", "37", "38", "41", "42"), 0),
    **dict.fromkeys(("2", "4", "7", "8", "9", "39", "40", "43", "44"), 2),
    "10": 4,
}
_BARE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')  # what in a format is no digit
# dates, fractions, exponents: they are seen to be none
_OTHERWISE = re.compile(r"[A-Za-z/@]")
_IN_THOUSANDS = re.compile(r"[0#?],+(?![0#?,])")
_MOST = 99

# Of a sheet that is no workbook's own: texts, and a header that is seen.
PLAIN = f"""<styleSheet xmlns="{_MAIN}">
<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill
 patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its cells, how they stood, and what is wrong with which of them, by column."""

    cells: Sequence[str]
    look: RowLook = PLAIN_ROW
    # column from 0 -> note; may be empty
    wrong: Mapping[int, str] = field(default_factory=dict)
    # columns of amounts whose cell is a date: the number that is written there must not become one
    undated: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Form:
    """What all rows have in common."""

    title: str
    names: Sequence[str]  # of all columns
    own: int  # how many of them, from the first, the input has
    ids: frozenset[int]  # columns of order ids, from 0
    sheet: SheetLook | None = None  # of the workbook that they came in


def write_sheet(file: BinaryIO, form: Form, lines: Iterable[Line]) -> None:
    """The workbook, into a file that is open to be written. Raises OSError."""
    styles = Styles(form.sheet.styles if form.sheet else "")
    notes = _Notes()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        with book.open(
            _entry("xl/worksheets/sheet1.xml"), "w", force_zip64=True
        ) as part:
            for text in _sheet(form, lines, styles, notes):
                part.write(text.encode("utf-8", "replace"))
        parts = {
            "xl/styles.xml": styles.xml(),
            "xl/comments1.xml": notes.comments(),
            "xl/drawings/vmlDrawing1.vml": notes.shapes(),
            **_frame(form),
        }
        for name, text in parts.items():
            book.writestr(_entry(name), text.encode("utf-8", "replace"))


def _entry(name: str) -> zipfile.ZipInfo:
    """The same bytes whenever it is made."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


# --- the sheet


def _sheet(
    form: Form, lines: Iterable[Line], styles: Styles, notes: _Notes
) -> Iterator[str]:
    rows = iter(lines)
    first = list(islice(rows, MEASURED))
    head = _head(form)
    top = len(head)
    yield f'{_XML}<worksheet xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    yield '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews>'
    yield '<sheetView workbookViewId="0">'
    yield f'<pane ySplit="{top}" topLeftCell="A{top + 1}" activePane="bottomLeft" state="frozen"/>'
    yield '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>'
    hidden = _columns_hidden(form, first)
    for column, width in enumerate(_widths(form, first), 1):
        shown = ' hidden="1"' if column - 1 in hidden else ""
        yield f'<col min="{column}" max="{column}" width="{width}" customWidth="1"{shown}/>'
    yield "</cols><sheetData>"
    for number, (look, texts) in enumerate(head, 1):
        yield _head_row(number, look, texts, form, styles, is_last=number == top)
    number = top
    for number, line in enumerate(islice(chain(first, rows), LAST_ROW - top), top + 1):
        yield _row(number, line, form, styles, notes)
    yield "</sheetData>"
    last = f"{column_letters(len(form.names))}{number}"
    yield f'<autoFilter ref="A{top}:{last}"/>'
    merged = form.sheet.merged if form.sheet else ()
    if merged:
        cells = "".join(f"<mergeCell ref={quoteattr(one)}/>" for one in merged)
        yield f'<mergeCells count="{len(merged)}">{cells}</mergeCells>'
    yield '<pageMargins left="0.4" right="0.4" top="0.8" bottom="0.6" header="0.3" footer="0.3"/>'
    yield '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
    yield '<legacyDrawing r:id="rId1"/></worksheet>'


def _head(form: Form) -> list[tuple[RowLook, Sequence[str]]]:
    """The rows above the header, and the header with our columns."""
    if form.sheet is None or not form.sheet.head:
        return [(PLAIN_ROW, form.names)]
    *above, (look, _) = form.sheet.head
    return [*above, (look, form.names)]


def _head_row(
    number: int,
    look: RowLook,
    texts: Sequence[str],
    form: Form,
    styles: Styles,
    *,
    is_last: bool,
) -> str:
    cells = []
    was_plain = form.sheet is None
    for column, text in enumerate(texts):
        if is_last and (was_plain or column >= form.own):
            style = styles.head()
        else:
            style = styles.same(look.style(column))
        place = f"{column_letters(column + 1)}{number}"
        cells.append(_cell(place, text, look.kind(column), style, form))
    return _row_of(number, look.height, cells)


def _row(number: int, line: Line, form: Form, styles: Styles, notes: _Notes) -> str:
    cells = []
    for column, text in enumerate(line.cells):
        is_wrong = column in line.wrong
        kind = line.look.kind(column)
        style = line.look.style(column)
        if column >= form.own or form.sheet is None:
            style = -1
        if kind == NUMBER and column in form.ids and not is_wrong:
            kind = TEXT
        if column in line.undated:
            kind = TEXT
        value = stored(text, kind, from_1904=_from_1904(form))
        number_format = ""
        if column in line.undated:
            number_format = _GENERAL
        elif value is None and _is_told(text, column, form):
            number_format = _TEXT_FORMAT
        elif value is not None and kind == DATE and style < 0:
            number_format = _DAY_FORMAT if text.count(":") == 0 else _MOMENT_FORMAT
        elif value is not None and kind == NUMBER and styles.hides(style, text):
            number_format = _GENERAL
        place = f"{column_letters(column + 1)}{number}"
        used = styles.of(style, number_format, is_wrong=is_wrong)
        if is_wrong and line.wrong[column]:
            notes.add(number, column, line.wrong[column])
        cells.append(_cell(place, text, kind, used, form))
    return _row_of(number, line.look.height, cells)


def _is_told(text: str, column: int, form: Form) -> bool:
    """Must a cell say that it is a text? Ids, and what a program takes for something else."""
    if not text:
        return False
    if form.sheet is None or column >= form.own or column in form.ids:
        return True
    return text[0].isdigit() or text.startswith(FORMULA_STARTS)


def _from_1904(form: Form) -> bool:
    return form.sheet is not None and form.sheet.from_1904


def _row_of(number: int, height: str, cells: Sequence[str]) -> str:
    tall = ""
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", height):
        tall = f' ht="{height}" customHeight="1"'
    return f'<row r="{number}"{tall}>{"".join(cells)}</row>'


def _cell(place: str, text: str, kind: str, style: int, form: Form) -> str:
    if not text:
        if not style:
            return ""
        return f'<c r="{place}" s="{style}"/>'
    value = stored(text, kind, from_1904=_from_1904(form))
    if value is not None:
        return (
            f'<c r="{place}" s="{style}" t="{value[0]}"><v>{escape(value[1])}</v></c>'
        )
    return f'<c r="{place}" s="{style}" t="inlineStr"><is>{_text(text)}</is></c>'


def _text(text: str) -> str:
    held = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", short_cell(text))
    return f'<t xml:space="preserve">{escape(held)}</t>'


def _widths(form: Form, first: Sequence[Line]) -> list[str]:
    """As the sheet had them; what it did not say, and our columns, by what stands in them."""
    widths = []
    known = {}
    if form.sheet is not None:
        known = {
            column: width for column, width, _ in form.sheet.widths if _is_width(width)
        }
    for column, name in enumerate(form.names):
        if column in known and column < form.own:
            widths.append(known[column])
            continue
        most = max((width_of(line.cells[column]) for line in first), default=0)
        widths.append(str(min(max(most, width_of(name), 8), WIDEST) + 2))
    return widths


def _is_width(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", text) is not None


def _columns_hidden(form: Form, first: Sequence[Line]) -> set[int]:
    """Those that the sheet hid, but for those in which something must be corrected."""
    if form.sheet is None:
        return set()
    hidden = {column for column, _, is_hidden in form.sheet.widths if is_hidden}
    return hidden.difference(*(line.wrong for line in first))


def column_letters(number: int) -> str:
    """28 is AB."""
    name = ""
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


# --- styles


class Styles:
    """The styles that the sheet had, and behind them the same for texts and for wrong cells."""

    def __init__(self, text: str) -> None:
        self._root = ElementTree.fromstring(text or PLAIN)  # noqa: S314  (made by us)
        self._had = self._list("cellXfs")
        self._count = len(self._had)
        self._made: dict[tuple[int, str, bool], int] = {}
        self._head = 0
        self._fill = 0
        self._fills_of_ours = self._ours()
        formats = self._root.iterfind(f"{{{_MAIN}}}numFmts/{{{_MAIN}}}numFmt")
        self._codes = {
            one.get("numFmtId", ""): one.get("formatCode", "") for one in formats
        }

    def same(self, style: int) -> int:
        """A style of the sheet; the first one for a number that it does not have."""
        return style if 0 <= style < self._count else 0

    def of(self, style: int, number_format: str, *, is_wrong: bool) -> int:
        """A style of the sheet, -1 for none, with another format of numbers where one is given, in
        colour where wrong.
        """
        base = self._base(style)
        is_coloured = base.get("fillId") in self._fills_of_ours
        number_format = number_format or base.get("numFmtId", "0")
        is_same = number_format == base.get("numFmtId", "0")
        if is_same and not is_wrong and not is_coloured:
            return self.same(style)
        key = (self.same(style), number_format, is_wrong)
        if key not in self._made:
            self._made[key] = self._variant(base, number_format, is_wrong=is_wrong)
        return self._made[key]

    def hides(self, style: int, text: str) -> bool:
        """Does a style show less of a number than is there? Whoever saves the sheet as CSV saves
        what is shown: 100.255 must not come back as 100.26.
        """
        shown = self._decimals(self._base(style).get("numFmtId", _GENERAL))
        return len(text.partition(".")[2]) > shown

    def _decimals(self, number_format: str) -> int:
        """How many decimals a format shows; -1 where it shows thousands."""
        code = self._codes.get(number_format)
        if code is None:
            return _DECIMALS.get(number_format, _MOST)
        bare = _BARE.sub("", code).partition(";")[0]
        if _OTHERWISE.search(bare) or not re.search(r"[0#?]", bare):
            return _MOST
        if _IN_THOUSANDS.search(bare):
            return -1
        places = len(re.sub(r"[^0#?]", "", bare.partition(".")[2]))
        return places + 2 * ("%" in bare)

    def head(self) -> int:
        """That of a heading of ours."""
        if not self._head:
            font = self._added("fonts", _HEAD_FONT)
            fill = self._added("fills", _filled("FF1F3A5F"))
            made = self._copied(self._had[0])
            made.attrib |= {
                "fontId": str(font),
                "fillId": str(fill),
                "numFmtId": _TEXT_FORMAT,
            }
            made.attrib |= {
                "applyFont": "1",
                "applyFill": "1",
                "applyNumberFormat": "1",
            }
            self._head = self._placed(made)
        return self._head

    def xml(self) -> str:
        """All of them."""
        for element in self._root:
            if "count" in element.attrib:
                element.set("count", str(len(element)))
        self._root.set("xmlns", _MAIN)
        for element in self._root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return _XML + ElementTree.tostring(self._root, "unicode")

    def _base(self, style: int) -> ElementTree.Element:
        return self._had[self.same(style)]

    def _list(self, name: str) -> ElementTree.Element:
        """The list of that name; one entry at least, which a plain sheet has."""
        found = self._root.find(f"{{{_MAIN}}}{name}")
        if found is None or not len(found):
            plain = ElementTree.fromstring(PLAIN)  # noqa: S314
            made = plain.find(f"{{{_MAIN}}}{name}")
            assert made is not None
            if found is None:
                self._root.append(made)
                return made
            found.extend(made)
        return found

    def _variant(
        self, base: ElementTree.Element, number_format: str, *, is_wrong: bool
    ) -> int:
        made = self._copied(base)
        made.attrib |= {"numFmtId": number_format, "applyNumberFormat": "1"}
        if is_wrong:
            self._fill = self._fill or self._added("fills", _filled(WRONG))
            made.attrib |= {"fillId": str(self._fill), "applyFill": "1"}
        elif made.get("fillId") in self._fills_of_ours:
            # it was wrong when it went out, and is not any more
            made.set("fillId", "0")
        return self._placed(made)

    def _copied(self, style: ElementTree.Element) -> ElementTree.Element:
        made = ElementTree.Element(style.tag, dict(style.attrib))
        made.extend(style)
        made.attrib.pop("quotePrefix", None)
        return made

    def _placed(self, style: ElementTree.Element) -> int:
        self._had.append(style)
        return len(self._had) - 1

    def _added(self, name: str, text: str) -> int:
        parts = self._list(name)
        parts.append(ElementTree.fromstring(text))  # noqa: S314  (made by us)
        return len(parts) - 1

    def _ours(self) -> set[str]:
        """The fills by which we coloured an earlier file of rejects."""
        found = set()
        for at, fill in enumerate(self._list("fills")):
            if any(part.get("rgb", "").upper() == WRONG for part in fill.iter()):
                found.add(str(at))
        return found


_HEAD_FONT = (
    '<font><b/><sz val="11"/><color rgb="FFFFFFFF"/><name val="Calibri"/></font>'
)


def _filled(colour: str) -> str:
    return (
        f'<fill><patternFill patternType="solid"><fgColor rgb="{colour}"/>'
        f'<bgColor indexed="64"/></patternFill></fill>'
    )


# --- notes


class _Notes:
    """A note on a cell is a text in one part and a box in another."""

    def __init__(self) -> None:
        self._all: list[tuple[int, int, str]] = []  # row from 1, column from 0, text

    def add(self, row: int, column: int, text: str) -> None:
        """One more, as long as programs can show them."""
        if len(self._all) < NOTES_LIMIT:
            self._all.append((row, column, text))

    def comments(self) -> str:
        """What they say."""
        told = []
        for row, column, text in self._all:
            place = f"{column_letters(column + 1)}{row}"
            told.append(
                f'<comment ref="{place}" authorId="0"><text>{_text(text)}</text></comment>'
            )
        return (
            f'{_XML}<comments xmlns="{_MAIN}"><authors><author>batchpay</author></authors>'
            f"<commentList>{''.join(told)}</commentList></comments>"
        )

    def shapes(self) -> str:
        """Where their boxes stand: beside their cells, high enough for what they say."""
        boxes = [_box(number, *one) for number, one in enumerate(self._all, 1025)]
        return (
            '<xml xmlns:v="urn:schemas-microsoft-com:vml"'
            ' xmlns:o="urn:schemas-microsoft-com:office:office"'
            ' xmlns:x="urn:schemas-microsoft-com:office:excel">'
            '<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>'
            '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202"'
            ' path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
            '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
            f"{''.join(boxes)}</xml>"
        )


_NOTE_COLUMNS = 4
_LETTERS_A_LINE = 44


def _box(number: int, row: int, column: int, text: str) -> str:
    lines = sum(
        -(-max(width_of(line), 1) // _LETTERS_A_LINE) for line in text.split("\n")
    )
    end = row + min(lines, 20) + 1
    anchor = (
        f"{column + 1}, 15, {row - 1}, 4, {column + 1 + _NOTE_COLUMNS}, 15, {end}, 4"
    )
    return (
        f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;'
        'visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>'
        '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"/><x:ClientData ObjectType="Note">'
        f"<x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>"
        f"<x:AutoFill>False</x:AutoFill><x:Row>{row - 1}</x:Row><x:Column>{column}</x:Column>"
        "</x:ClientData></v:shape>"
    )


# --- the parts around the sheet


def _frame(form: Form) -> dict[str, str]:
    name = form.sheet.name if form.sheet else "Rejects"
    dates = ' date1904="1"' if _from_1904(form) else ""
    types = f"{_PACKAGE}/content-types"
    rels = f"{_PACKAGE}/relationships"
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return {
        "xl/workbook.xml": (
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr{dates}/>'
            f"<bookViews><workbookView/></bookViews><sheets><sheet name={quoteattr(name)}"
            ' sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _rels(
            rels,
            ("worksheet", "worksheets/sheet1.xml"),
            ("styles", "styles.xml"),
        ),
        "xl/worksheets/_rels/sheet1.xml.rels": _rels(
            rels,
            ("vmlDrawing", "../drawings/vmlDrawing1.vml"),
            ("comments", "../comments1.xml"),
        ),
        "_rels/.rels": (
            f'{_XML}<Relationships xmlns="{rels}"><Relationship Id="rId1"'
            f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/><Relationship Id="rId2"'
            f' Type="{rels}/metadata/core-properties" Target="docProps/core.xml"/></Relationships>'
        ),
        "docProps/core.xml": (
            f'{_XML}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
            f"><dc:title>{escape(form.title)}</dc:title><dc:creator>batchpay</dc:creator>"
            "</cp:coreProperties>"
        ),
        "[Content_Types].xml": (
            f'{_XML}<Types xmlns="{types}"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="vml"'
            ' ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{sheet_type}.sheet.main+xml"/>'
            '<Override PartName="/xl/worksheets/sheet1.xml"'
            f' ContentType="{sheet_type}.worksheet+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{sheet_type}.styles+xml"/>'
            f'<Override PartName="/xl/comments1.xml" ContentType="{sheet_type}.comments+xml"/>'
            '<Override PartName="/docProps/core.xml" ContentType='
            '"application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
        ),
    }


def _rels(namespace: str, *targets: tuple[str, str]) -> str:
    told = []
    for number, (kind, target) in enumerate(targets, 1):
        told.append(
            f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        )
    return f'{_XML}<Relationships xmlns="{namespace}">{"".join(told)}</Relationships>'
