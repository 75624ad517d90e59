"""Bytes of a text file as blocks of valid UTF-8 that end at a line end, whatever the file is
encoded in or packed with.

The stated encoding is the only one tried: a byte that is wrong in it refuses the file, with its
offset and line.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from batchpay.domain.errors import FileRefused, Misconfigured
from batchpay.messages import files
from batchpay.readers.snapshot import SIZE_LIMIT, Snapshot

BLOCK = 1024 * 1024
LINE_LIMIT = 8 * BLOCK  # bytes of one record, line ends in quotes included
_BOM = "\ufeff".encode()


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, except at the end of a file whose last line has no line end."""

    data: bytes
    line: int  # number of its first line, from 1


def blocks(snapshot: Snapshot, encoding: str) -> Iterator[Block]:
    """The file's text. Raises FileRefused for wrong bytes, broken gzip and too much of it."""
    codec = _codec(encoding)
    with snapshot.stream() as raw:
        if snapshot.gzipped:
            pieces = _unpacked(snapshot, raw)
        else:
            pieces = iter(lambda: raw.read(BLOCK), b"")
        if codec.name != "utf-8":
            pieces = _recoded(snapshot, pieces, codec)
        yield from _checked(snapshot, _whole_lines(snapshot, pieces))


def _codec(encoding: str) -> codecs.CodecInfo:
    if encoding.lower().replace("_", "-") in ("utf-8-sig", "utf8-sig"):
        name = "utf-8"
    else:
        name = encoding
    try:
        codec = codecs.lookup(name)
        "".encode(name)  # refuses codecs that do not make text of bytes
    except (LookupError, ValueError) as error:
        raise Misconfigured(files.UNKNOWN_ENCODING(encoding=repr(encoding))) from error
    return codec


def _unpacked(snapshot: Snapshot, raw: BinaryIO) -> Iterator[bytes]:
    """All members of a gzip file, never more than the limit."""
    total = 0
    try:
        with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
            while block := unpacked.read(BLOCK):
                total += len(block)
                if total > SIZE_LIMIT:
                    large = files.UNPACKS_TOO_LARGE(path=str(snapshot.path), limit=SIZE_LIMIT)
                    raise FileRefused(large)
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        wrong = files.DAMAGED(path=str(snapshot.path), wrong=str(error))
        raise FileRefused(wrong) from error


def _recoded(
    snapshot: Snapshot, pieces: Iterator[bytes], codec: codecs.CodecInfo
) -> Iterator[bytes]:
    """The same text in UTF-8."""
    path = str(snapshot.path)
    assert codec.incrementaldecoder is not None
    decoder = codec.incrementaldecoder("strict")
    read = 0
    lines = 1
    for piece, last in _marking_last(pieces):
        read += len(piece)
        try:
            text = decoder.decode(piece, last)
        except UnicodeDecodeError as error:
            offset = read - len(error.object) + error.start
            # bytes of this piece that are
            right = max(error.start - len(error.object) + len(piece), 0)
            line = lines + decoder.decode(piece[:right]).count("\n")
            wrong = error.object[error.start : error.start + 4]
            raise _wrong_bytes(snapshot, codec.name, wrong, offset, line) from error
        except UnicodeError as error:  # utf-16 says no more when its first bytes are wrong
            said = files.NOT_ENCODED(
                path=path,
                encoding=codec.name,
                wrong=str(error),
            )
            raise FileRefused(said) from error
        lines += text.count("\n")
        try:
            yield text.encode()
        except UnicodeEncodeError as error:
            raise FileRefused(files.HALF_CHARACTER(path=path, line=lines)) from error


def _marking_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    for piece in pieces:
        yield piece, False
    yield b"", True


def _whole_lines(snapshot: Snapshot, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after line ends; without a byte order mark."""
    kept = b""
    first = True
    for piece in pieces:
        data = kept + piece
        if first and len(data) >= len(_BOM):
            data = data.removeprefix(_BOM)
            first = False
        end = data.rfind(b"\n") + 1
        if end:
            yield data[:end] if end < len(data) else data
        kept = data[end:]
        if len(kept) > LINE_LIMIT:
            raise FileRefused(files.LONG_LINE(path=str(snapshot.path), limit=LINE_LIMIT))
    if kept:
        yield kept


def _checked(snapshot: Snapshot, pieces: Iterator[bytes]) -> Iterator[Block]:
    """The same as blocks of proven UTF-8 with their line numbers."""
    line = 1
    offset = 0
    for data in pieces:
        if not offset and b"\0" in data[:2]:
            if data.startswith(b"\0"):
                end = "be"
            else:
                end = "le"
            raise FileRefused(files.LOOKS_UTF_16(path=str(snapshot.path), end=end))
        if not data.isascii():
            if not offset and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise FileRefused(files.MARKED_UTF_16(path=str(snapshot.path)))
            try:
                data.decode()
            except UnicodeDecodeError as error:
                at_line = line + data.count(b"\n", 0, error.start)
                wrong = data[error.start : error.end]
                if not starts_with_bom(snapshot):
                    bom = 0
                else:
                    bom = len(_BOM)
                raise _wrong_bytes(
                    snapshot, "utf-8", wrong, offset + bom + error.start, at_line
                ) from error
        yield Block(data, line)
        line += data.count(b"\n")
        offset += len(data)


def starts_with_bom(snapshot: Snapshot) -> bool:
    """Does the text begin with the mark of UTF-8?"""
    with snapshot.stream() as stream:
        if snapshot.gzipped:
            raw = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
        else:
            raw = stream
        try:
            return raw.read(len(_BOM)) == _BOM
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return False


def _wrong_bytes(
    snapshot: Snapshot,
    encoding: str,
    wrong: bytes,
    offset: int,
    line: int,
) -> FileRefused:
    path = str(snapshot.path)
    found = wrong.hex(" ")
    return FileRefused(
        files.NOT_ENCODED_AT(
            path=path,
            line=line,
            byte=offset,
            found=found,
            encoding=encoding,
        )
    )
