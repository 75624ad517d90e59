"""What a file is by its content, whatever its name says, and the one thing to do about it."""

from __future__ import annotations

import codecs
import os
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from batchpay.domain.text import told
from batchpay.messages import contents
from batchpay.messages.message import Entry, Message

HEAD = 8192  # bytes by which a kind is told
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# bytes of an OLE file in which the names of its streams are looked for
_DIRECTORY = 1 << 20
_NAMED = 5  # files of a zip, in a sentence
_ZIP_TAIL = 66_000  # bytes in which a zip says where its table of contents is
_LONGEST_CONTENTS = 4 << 20  # bytes of it; a workbook of 10,000 parts has 1 MB
_SAID_ELSEWHERE = 0xFFFFFFFF  # a length of zip64
# first bytes -> kind; a longer beginning stands before a shorter one
_MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    _OLE: "ole",
    b"\x1f\x8b": "gzip",
    b"PAR1": "parquet",
    b"PARE": "encrypted",
    b"%PDF": "pdf",
    b"{\\rtf": "rtf",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"GIF8": "picture",
    b"7z\xbc\xaf\x27\x1c": "archive",
    b"Rar!": "archive",
    b"BZh": "archive",
    b"\xfd7zXZ": "archive",
    b"\x28\xb5\x2f\xfd": "archive",
    b"ARROW1": "arrow",
    b"SQLite format 3": "database",
    b"ID;P": "sylk",
    b"TABLE\r\n0,1": "dif",
    b"\x09\x00\x04\x00": "xls",  # of Excel before 1993, without OLE
    b"\x09\x02\x06\x00": "xls",
    b"\x09\x04\x06\x00": "xls",
}
_ZIPPED = {  # a part of a zip -> what the zip is
    "xl/workbook.xml": "workbook",
    "xl/workbook.bin": "xlsb",
    "word/document.xml": "document",
    "ppt/presentation.xml": "document",
    "index/document.iwa": "numbers",
    "index.zip": "numbers",
}
_STREAMS = {  # a stream of an OLE file -> what the file is; the first that is there
    "EncryptedPackage": "locked",
    "Workbook": "xls",
    "Book": "xls",
    "WordDocument": "document",
}
_PAGE = (
    b"<!doctype html",
    b"<html",
    b"<table",
    b"<head",
    b"<meta",
    b"<body",
    b"<style",
    b"<div",
)
_TEXT_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 26, 27}
_BETWEEN = {
    ",": "",
    ";": 'delimiter = ";"',
    "\t": 'delimiter = "\\t"',
    "|": 'delimiter = "|"',
}
_SHEETS: dict[str, Entry] = {
    "xls": contents.KIND_XLS,
    "ole": contents.KIND_OFFICE,
    "xlsb": contents.KIND_XLSB,
    "ods": contents.KIND_ODS,
    "numbers": contents.KIND_NUMBERS,
    "page": contents.KIND_PAGE,
    "xml": contents.KIND_XML,
    "sylk": contents.KIND_SYLK,
    "dif": contents.KIND_DIF,
}
_OTHERS: dict[str, Entry] = {
    "pdf": contents.KIND_PDF,
    "rtf": contents.KIND_DOCUMENT,
    "document": contents.KIND_DOCUMENT,
    "picture": contents.KIND_PICTURE,
    "json": contents.KIND_JSON,
    "arrow": contents.KIND_ARROW,
    "database": contents.KIND_DATABASE,
}
_READ: dict[str, tuple[Entry, str]] = {
    "workbook": (contents.KIND_WORKBOOK, ".xlsx"),
    "parquet": (contents.KIND_PARQUET, ".parquet"),
}


def kind_of(stream: BinaryIO) -> str:
    """What the bytes are: `text`, `workbook`, `parquet`, `gzip`, or a kind that nobody reads here;
    empty when it is none that is known.
    """
    head = stream.read(HEAD)
    for magic, kind in _MAGIC.items():
        if not head.startswith(magic):
            continue
        stream.seek(0)
        if kind == "zip":
            return _kind_of_zip(stream)
        if kind == "ole":
            return _kind_of_ole(stream)
        return kind
    return _kind_of_text(head)


def is_zip(stream: BinaryIO) -> bool:
    """Does it begin like a zip? The stream stays where it was."""
    start = stream.read(4)
    stream.seek(0)
    return _MAGIC.get(start) == "zip"


def _kind_of_zip(stream: BinaryIO) -> str:
    if _contents_bytes(stream) > _LONGEST_CONTENTS:
        return "zip"
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as found:
            names = _names(found.namelist())
            for part, kind in _ZIPPED.items():
                if part in names:
                    return kind
            if "mimetype" in names and "content.xml" in names:
                return "ods"
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return "broken zip"
    return "zip"


def _contents_bytes(stream: BinaryIO) -> int:
    """How long the table of contents at the end of a zip is, as it says; 0 where it says nothing.

    It is read whole, and an entry of 50 bytes becomes an object of 500.
    """
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _ZIP_TAIL))
    tail = stream.read(_ZIP_TAIL)
    found = []
    for magic, at, kind in ((b"PK\5\6", 12, "<L"), (b"PK\6\6", 40, "<Q")):
        size = tail[tail.rfind(magic) + at :][: struct.calcsize(kind)]
        if magic in tail and len(size) == struct.calcsize(kind):
            found.append(struct.unpack(kind, size)[0])
    known = [size for size in found if size != _SAID_ELSEWHERE]
    return max(known, default=0)


def _names(names: Iterable[str]) -> set[str]:
    return {name.replace("\\", "/").casefold() for name in names}


def _kind_of_ole(stream: BinaryIO) -> str:
    """By the names of its streams, which an OLE file keeps in UTF-16."""
    data = stream.read(_DIRECTORY)
    for name, kind in _STREAMS.items():
        if f"{name}\0".encode("utf-16-le") in data:
            return kind
    return "ole"


def _kind_of_text(head: bytes) -> str:
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text"
    if start.startswith(_PAGE):
        return "page"
    if start.startswith(b"<?xml"):
        return "xml"
    if start.startswith((b'{"', b"[{", b"{\n", b"{\r\n")):
        return "json"
    strange = sum(byte in _TEXT_CONTROLS for byte in head)
    zeros = head.count(0)
    if zeros and abs(2 * zeros - len(head)) <= len(head) // 4:
        return "text"  # UTF-16 without its mark
    if strange > len(head) // 100:
        return ""
    return "text"


def remedy_for(path: Path, expected: str, kind: str, stream: BinaryIO) -> Message:
    """Why a file of this kind is not read under its name, and what makes it readable."""
    where = str(path)
    if kind in _SHEETS:
        return contents.SAVE_AS_XLSX(path=where, kind=_SHEETS[kind]())
    if kind in _OTHERS:
        return contents.EXPORT_ORDERS(path=where, kind=_OTHERS[kind]())
    if kind in _READ:
        said, suffix = _READ[kind]
        return contents.RENAME(path=where, kind=said(), name=named(path, suffix))
    if kind == "locked":
        return contents.LOCKED(path=where)
    if kind == "encrypted":
        return contents.ENCRYPTED(path=where)
    if kind == "gzip":
        return _packed(path)
    if kind in ("zip", "archive"):
        return _unpack(where, kind, stream)
    if kind == "text":
        return _text(path, stream)
    if kind == "broken zip":
        return contents.CUT_ZIP(path=where)
    return contents.IS_OTHER(path=where, expected=expected)


def named(path: Path, suffix: str) -> str:
    """The name that fits, where a known ending gives way to another."""
    name = path.name
    for known in (
        ".gz",
        ".bz2",
        ".xz",
        ".zip",
        ".csv",
        ".tsv",
        ".txt",
        ".xlsx",
        ".xls",
        ".xlsm",
        ".parquet",
        ".ods",
    ):
        if name.lower().endswith(known):
            name = name[: -len(known)]
    return f"{name}{suffix}"


def _packed(path: Path) -> Message:
    if path.name.lower().endswith((".csv", ".tsv")):
        name = f"{path.name}.gz"
        return contents.RENAME(path=str(path), kind=contents.KIND_GZIP(), name=name)
    return contents.UNPACK(path=str(path), kind=contents.KIND_GZIP(), names="")


def _unpack(where: str, kind: str, stream: BinaryIO) -> Message:
    if kind == "archive":
        return contents.UNPACK(path=where, kind=contents.KIND_ARCHIVE(), names="")
    if _contents_bytes(stream) > _LONGEST_CONTENTS:
        return contents.UNPACK(path=where, kind=contents.KIND_ZIP(), names="")
    stream.seek(0)
    with zipfile.ZipFile(stream) as found:
        names = [name for name in found.namelist() if not name.startswith("__MACOSX/")]
    listed = ", ".join(f"'{told(name)}'" for name in names[:_NAMED])
    if len(names) > _NAMED:
        listed += ", …"
    if listed:
        listed = f": {listed}"
    return contents.UNPACK(path=where, kind=contents.KIND_ZIP(), names=listed)


def _text(path: Path, stream: BinaryIO) -> Message:
    """A table of text under another name: the name that fits, and what stands between its cells."""
    stream.seek(0)
    line = stream.read(HEAD).partition(b"\n")[0].decode("utf-8", "replace")
    between = max(_BETWEEN, key=line.count)
    said = contents.KIND_TEXT(line=told(line.strip("\ufeff\r\n")))
    if between == "\t":
        return contents.RENAME(path=str(path), kind=said, name=named(path, ".tsv"))
    name = named(path, ".csv")
    if not line.count(between) or not _BETWEEN[between]:
        return contents.RENAME(path=str(path), kind=said, name=name)
    return contents.RENAME_AND_SAY(
        path=str(path),
        kind=said,
        name=name,
        change=_BETWEEN[between],
    )
