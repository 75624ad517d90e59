"""The zip inside an .xlsx, weighed before it is unpacked; no declarations in its XML, its macros
never touched.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from batchpay.domain.errors import FileRefused
from batchpay.domain.text import told
from batchpay.messages import packages
from batchpay.readers import kinds
from batchpay.readers.snapshot import Snapshot

TOTAL_LIMIT = 512 * 1024**2  # bytes of all parts, unpacked
RATIO_LIMIT = 100  # unpacked to packed, of parts above a megabyte
MEMORY_LIMIT = 64 * 1024**2  # bytes of XML up to which a workbook is read at once
_PARTS = 10_000
_WINDOW = 4 * 1024**2
_OVERLAP = 16
_DECLARATION = re.compile(
    rb"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE
)
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*\bencoding\s*=\s*["']([^"']*)""")


_LIST = "[Content_Types].xml"
_ROOT = "_rels/.rels"
_BOOK = "xl/workbook.xml"
# Libraries look for some parts by these names, whatever the workbook calls them.
_NAMES = {
    "styles": "xl/styles.xml",
    "sharedStrings": "xl/sharedStrings.xml",
    "theme": "xl/theme/theme1.xml",
}
_NO_CELLS = "chartsheets"  # where sheets lie that have none
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    "{}</Relationships>"
)
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def _plain(name: str) -> str:
    """The name of a part as programs compare it: some write backslashes, or capital letters."""
    return name.replace("\\", "/").casefold()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet of a workbook."""

    name: str
    part: str
    visible: bool


class _Relation(NamedTuple):
    """What a part says of another one."""

    id: str
    kind: str
    part: str  # its path in the workbook
    is_plain: bool  # told as every program tells it


@dataclass(slots=True)
class Package:
    """The parts of one workbook, all XML checked. Its stream stays open as long as it does."""

    snapshot: Snapshot
    zip: zipfile.ZipFile
    small: bool = False
    sheets: list[Sheet] = field(default_factory=list)
    has_macros: bool = False
    from_1904: bool = False  # its dates count from there
    # who wrote it left its formulas to whoever opens it: a 0 beside one is no value
    uncalculated: bool = False
    _book: str = _BOOK
    _relations: list[_Relation] = field(default_factory=list, repr=False)  # the book's
    _parts: dict[str, bytes] = field(default_factory=dict, repr=False)
    # of parts that are XML, by plain name
    _infos: dict[str, zipfile.ZipInfo] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, snapshot: Snapshot, stream: BinaryIO) -> Package:
        """Weigh, then unpack what is XML. Raises FileRefused, and what zipfile and ElementTree
        raise.
        """
        package = cls(snapshot, zipfile.ZipFile(stream))
        infos = package.zip.infolist()
        package._weigh(infos)
        xml = [
            info
            for info in infos
            if info.filename.lower().endswith((".xml", ".rels", ".vml"))
        ]
        package._infos = {_plain(info.filename): info for info in xml}
        if not package._has(_BOOK):
            kind = kinds.kind_of(stream)
            if kind != "zip" or not package._has(_ROOT):
                raise FileRefused(
                    kinds.remedy_for(snapshot.path, "workbook", kind, stream)
                )
        size = sum(info.file_size for info in xml)
        package.small = size <= MEMORY_LIMIT
        for info in xml:
            package._check_xml(info)
        package.has_macros = any(
            "vbaproject" in info.filename.lower() for info in infos
        )
        package.sheets = package._find_sheets()
        if not package.small and not package._is_plain():
            raise FileRefused(packages.ODD_PARTS(path=package._path))
        return package

    @property
    def _path(self) -> str:
        return str(self.snapshot.path)

    def _weigh(self, infos: list[zipfile.ZipInfo]) -> None:
        path = self._path
        names = [_plain(info.filename) for info in infos]
        if len(names) > _PARTS or len(set(names)) < len(names):
            raise FileRefused(packages.TOO_MANY_PARTS(path=path))
        total = sum(info.file_size for info in infos)
        if total > TOTAL_LIMIT:
            raise FileRefused(
                packages.UNPACKS_TO_TOO_MUCH(path=path, size=total, limit=TOTAL_LIMIT)
            )
        for info in infos:
            if info.flag_bits & 1:
                raise FileRefused(packages.ENCRYPTED_PART(path=path))
            steps = info.filename.replace("\\", "/").split("/")
            if not steps[0] or ".." in steps or steps[0].endswith(":"):
                raise FileRefused(packages.PART_OUTSIDE(path=path))
            credible = max(1024**2, RATIO_LIMIT * info.compress_size)
            if info.file_size > credible:
                raise FileRefused(packages.TOO_ALIKE_PART(path=path, times=RATIO_LIMIT))

    def _check_xml(self, info: zipfile.ZipInfo) -> None:
        """No declarations and no other encoding, behind which some could hide."""
        kept: list[bytes] = []
        before = b""
        with self.zip.open(info) as part:
            while window := part.read(_WINDOW):
                if not before:
                    self._check_encoding(window[:200])
                if _DECLARATION.search(before + window):
                    raise FileRefused(packages.DECLARATION(path=self._path))
                before = window[-_OVERLAP:]
                if self.small:
                    kept.append(window)
        if self.small:
            self._parts[_plain(info.filename)] = b"".join(kept)

    def _check_encoding(self, start: bytes) -> None:
        declared = _ENCODING.match(start.removeprefix(b"\xef\xbb\xbf"))
        is_other = b"\0" in start
        if declared:
            is_other |= declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")
        if is_other:
            raise FileRefused(packages.NOT_UTF8(path=self._path))

    def windows(self, name: str) -> Iterator[bytes]:
        """The bytes of a part in windows of some megabytes."""
        if _plain(name) in self._parts:
            yield self._parts[_plain(name)]
            return
        with self.zip.open(self._infos[_plain(name)]) as part:
            while window := part.read(_WINDOW):
                yield window

    def stored(self) -> BinaryIO:
        """Only the checked XML of its cells, as a zip that cannot unpack to more than it is, under
        the names by which libraries look for it. Small packages only, and once.
        """
        assert self.small
        names = {_plain(self._book): _BOOK}
        relations = []
        for number, one in enumerate(self._relations, 1):
            folder = "worksheets" if one.kind == "worksheet" else _NO_CELLS
            name = _NAMES.get(one.kind, f"xl/{folder}/part{number}.xml")
            if name not in names.values() and self._has(one.part):
                name = names.setdefault(_plain(one.part), name)
            relations.append(_relation(one.id, one.kind, name.removeprefix("xl/")))
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as zipped:
            zipped.writestr(_LIST, _TYPES)
            root = _relation("rId1", "officeDocument", _BOOK)
            zipped.writestr(_ROOT, _RELATIONS.format(root))
            written = _RELATIONS.format("".join(relations))
            zipped.writestr("xl/_rels/workbook.xml.rels", written)
            for plain, name in names.items():
                zipped.writestr(name, self._parts.pop(plain))
        self._parts.clear()
        sink.seek(0)
        return sink

    def _has(self, name: str) -> bool:
        return _plain(name) in self._infos

    def _is_plain(self) -> bool:
        """Would another library find all parts, too, by what is said of them?"""
        if not self._has(_LIST) or not self._has(_ROOT):
            return False
        listed = b"".join(self.windows(_LIST)).decode("utf-8", "replace")
        by_list = [self._part("sharedStrings"), self._book]
        for one in self._relations:
            if (one.kind == "worksheet" or one.kind in _NAMES) and self._has(one.part):
                is_there = self._infos[_plain(one.part)].filename == one.part
                if not (one.is_plain and is_there):
                    return False
        return all(
            not self._has(part) or part == _BOOK or f'"/{part}"' in listed
            for part in by_list
        )

    # --- what the workbook says of its sheets

    def _xml(self, name: str) -> ElementTree.Element:
        if not self._has(name):
            raise FileRefused(packages.PART_MISSING(path=self._path, part=told(name)))
        return ElementTree.fromstring(b"".join(self.windows(name)))  # noqa: S314  (no declarations: checked)

    def _related(self, part: str) -> Iterator[_Relation]:
        """What a part refers to inside the workbook."""
        folder, name = posixpath.split(part)
        for rel in self._xml(posixpath.join(folder, "_rels", f"{name}.rels")):
            target = rel.get("Target", "")
            if rel.get("TargetMode") == "External":
                continue
            plain = unquote(target).replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", folder, plain)).lstrip("/")
            leads_out = posixpath.normpath(posixpath.join(folder, plain)).startswith(
                "../"
            )
            yield _Relation(
                rel.get("Id", ""),
                rel.get("Type", "").rpartition("/")[2],
                path,
                plain == target and not leads_out,
            )

    def _part(self, kind: str) -> str:
        """The part of the book that is of a kind; empty without one."""
        parts = (one.part for one in self._relations if one.kind == kind)
        return next(parts, "")

    def styles(self) -> ElementTree.Element | None:
        """The styles of its cells, if it has any."""
        if self._has(self._part("styles")):
            return self._xml(self._part("styles"))
        return None

    def theme(self) -> ElementTree.Element | None:
        """Its theme, if it has one."""
        if self._has(self._part("theme")):
            return self._xml(self._part("theme"))
        return None

    def comments(self, sheet: Sheet) -> list[str]:
        """The parts with a sheet's comments."""
        folder, name = posixpath.split(sheet.part)
        if not self._has(posixpath.join(folder, "_rels", f"{name}.rels")):
            return []
        related = self._related(sheet.part)
        parts = [one.part for one in related if one.kind == "comments"]
        return list(filter(self._has, parts))

    def _find_book(self) -> str:
        if not self._has(_ROOT):
            return _BOOK
        books = (one.part for one in self._related("") if one.kind == "officeDocument")
        book = next(books, "")
        if not book.lower().endswith(".xml"):
            raise FileRefused(packages.NO_WORKBOOK(path=self._path))
        return book

    def _find_sheets(self) -> list[Sheet]:
        self._book = self._find_book()
        self._relations = list(self._related(self._book))
        parts = {one.id: one.part for one in self._relations if one.kind == "worksheet"}
        found = []
        for element in self._xml(self._book).iter():
            kind = element.tag.rpartition("}")[2]
            if kind == "workbookPr":
                self.from_1904 = element.get("date1904", "") in ("1", "true")
            if kind == "calcPr":
                self.uncalculated = element.get("fullCalcOnLoad", "") in ("1", "true")
            if kind != "sheet":
                continue
            ids = [
                value for key, value in element.attrib.items() if key.endswith("}id")
            ]
            if not ids or ids[0] not in parts:
                continue
            part = parts[ids[0]]
            if not self._has(part):
                raise FileRefused(
                    packages.PART_MISSING(path=self._path, part=told(part))
                )
            name = element.get("name", "")
            visible = element.get("state", "visible") == "visible"
            found.append(Sheet(name, part, visible))
        return found


def _relation(id_: str, kind: str, target: str) -> str:
    """What one part says of another, as XML."""
    told_type = quoteattr(f"{_OFFICE}/{kind}")
    return f'<Relationship Id={quoteattr(id_)} Type={told_type} Target="{target}"/>'
