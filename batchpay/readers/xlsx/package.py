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
from typing import BinaryIO
from xml.etree import ElementTree

from batchpay.domain.errors import FileRefused
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


# Libraries look for some parts by their names, letter by letter.
_STANDARD = {
    "[content_types].xml": "[Content_Types].xml",
    "xl/sharedstrings.xml": "xl/sharedStrings.xml",
    "docprops/app.xml": "docProps/app.xml",
}


def _plain(name: str) -> str:
    """The name of a part as programs compare it: some write backslashes, or capital letters."""
    return name.replace("\\", "/").casefold()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet of a workbook."""

    name: str
    part: str
    visible: bool


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
    _styles: str = ""
    _theme: str = ""
    _parts: dict[str, bytes] = field(default_factory=dict, repr=False)
    # by plain name
    _infos: dict[str, zipfile.ZipInfo] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, snapshot: Snapshot, stream: BinaryIO) -> Package:
        """Weigh, then unpack what is XML. Raises FileRefused, and what zipfile and ElementTree
        raise.
        """
        package = cls(snapshot, zipfile.ZipFile(stream))
        infos = package.zip.infolist()
        package._weigh(infos)
        package._infos = {_plain(info.filename): info for info in infos}
        if "xl/workbook.xml" not in package._infos:
            kind = kinds.kind_of(stream)
            if kind != "zip" or not package._has("_rels/.rels"):
                raise FileRefused(
                    kinds.remedy_for(snapshot.path, "workbook", kind, stream)
                )
        xml = [
            info
            for info in infos
            if info.filename.lower().endswith((".xml", ".rels", ".vml"))
        ]
        size = sum(info.file_size for info in xml)
        package.small = size <= MEMORY_LIMIT
        if not package.small and any("\\" in info.filename for info in infos):
            raise package._refused(
                "has parts with backslashes in their names; save it anew"
            )
        for info in xml:
            package._check_xml(info)
        package.has_macros = any(
            "vbaproject" in info.filename.lower() for info in infos
        )
        package.sheets = package._find_sheets()
        return package

    def _refused(self, what: str) -> FileRefused:
        return FileRefused(f"{self.snapshot.path}: {what}")

    def _weigh(self, infos: list[zipfile.ZipInfo]) -> None:
        names = [_plain(info.filename) for info in infos]
        if len(names) > _PARTS or len(set(names)) < len(names):
            raise self._refused("holds too many parts, or one twice; save it anew")
        total = sum(info.file_size for info in infos)
        if total > TOTAL_LIMIT:
            raise self._refused(
                f"unpacks to {total} bytes, at most {TOTAL_LIMIT}: split it, or send CSV"
            )
        for info in infos:
            if info.flag_bits & 1:
                raise self._refused("is encrypted; save it without a password")
            steps = info.filename.replace("\\", "/").split("/")
            if not steps[0] or ".." in steps or steps[0].endswith(":"):
                raise self._refused(
                    "holds a part with a path out of the workbook; no spreadsheet writes that"
                )
            credible = max(1024**2, RATIO_LIMIT * info.compress_size)
            if info.file_size > credible:
                raise self._refused(
                    f"a part unpacks to more than {RATIO_LIMIT} times its size: looks like a zip"
                    " bomb"
                )

    def _check_xml(self, info: zipfile.ZipInfo) -> None:
        """No declarations and no other encoding, behind which some could hide."""
        kept: list[bytes] = []
        before = b""
        with self.zip.open(info) as part:
            while window := part.read(_WINDOW):
                if not before:
                    self._check_encoding(window[:200])
                if _DECLARATION.search(before + window):
                    raise self._refused(
                        "declares a document type or entities; no spreadsheet writes that"
                    )
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
            raise self._refused("holds XML that is not UTF-8; save it anew")

    def windows(self, name: str) -> Iterator[bytes]:
        """The bytes of a part in windows of some megabytes."""
        if _plain(name) in self._parts:
            yield self._parts[_plain(name)]
            return
        with self.zip.open(self._infos[_plain(name)]) as part:
            while window := part.read(_WINDOW):
                yield window

    def stored(self) -> BinaryIO:
        """Only the checked XML, as a zip that cannot unpack to more than it is. Small packages
        only, and once.
        """
        assert self.small
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as zipped:
            for name in list(self._parts):
                written = self._infos[name].filename.replace("\\", "/")
                zipped.writestr(_STANDARD.get(name, written), self._parts.pop(name))
        sink.seek(0)
        return sink

    def _has(self, name: str) -> bool:
        return _plain(name) in self._infos

    # --- what the workbook says of its sheets

    def _xml(self, name: str) -> ElementTree.Element:
        if not self._has(name):
            raise self._refused("is a zip file without a workbook; save it as .xlsx")
        return ElementTree.fromstring(b"".join(self.windows(name)))  # noqa: S314  (no declarations: checked)

    def _targets(self, part: str, kind: str) -> dict[str, str]:
        """The parts of one kind that a part refers to, by the id it uses."""
        folder, name = posixpath.split(part)
        rels = self._xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        targets = {}
        for rel in rels:
            is_of_kind = rel.get("Type", "").endswith(f"/{kind}")
            if not is_of_kind or rel.get("TargetMode") == "External":
                continue
            target = posixpath.join("/", folder, rel.get("Target", ""))
            targets[rel.get("Id", "")] = posixpath.normpath(target).lstrip("/")
        return targets

    def styles(self) -> ElementTree.Element | None:
        """The styles of its cells, if it has any."""
        if self._has(self._styles):
            return self._xml(self._styles)
        return None

    def theme(self) -> ElementTree.Element | None:
        """Its theme, if it has one."""
        if self._has(self._theme):
            return self._xml(self._theme)
        return None

    def _find_sheets(self) -> list[Sheet]:
        books = list(self._targets("", "officeDocument").values())
        if not books or not books[0].endswith(".xml"):
            raise self._refused("is a zip file without a workbook; save it as .xlsx")
        parts = self._targets(books[0], "worksheet")
        styles = list(self._targets(books[0], "styles").values())
        if styles:
            self._styles = styles[0]
        else:
            self._styles = ""
        self._theme = next(iter(self._targets(books[0], "theme").values()), "")
        found = []
        for element in self._xml(books[0]).iter():
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
            if ids and self._has(parts.get(ids[0], "")):
                name = element.get("name", "")
                visible = element.get("state", "visible") == "visible"
                found.append(Sheet(name, parts[ids[0]], visible))
        return found
