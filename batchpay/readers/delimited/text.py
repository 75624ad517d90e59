"""Bytes of a text file as blocks of valid UTF-8 that end at a line end, whatever the file is
encoded in or packed with.

The stated encoding is the only one tried: a byte that is wrong in it refuses the file, with its
offset and line.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from batchpay.domain.encodings import codec_name, meant
from batchpay.domain.errors import FileRefused, Misconfigured
from batchpay.domain.text import told
from batchpay.messages import files, texts
from batchpay.readers.delimited.fitting import excerpt, fitting, telling_line
from batchpay.readers.snapshot import SIZE_LIMIT, Snapshot

BLOCK = 1024 * 1024
LINE_LIMIT = 8 * BLOCK  # bytes of one record, line ends in quotes included
# bytes of a text by which its encoding and its header are looked for
SAMPLE = 64 * 1024
_DOS_END = b"\x1a"
_LF = 0x0A
_BOM = "\ufeff".encode()
# bytes of a text in UTF-16 without its mark that are 0, those of its delimiters and digits
_ONE_OF_SO_MANY = 20
_CONTROLS = re.compile("[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, except at the end of a file whose last line has no line end."""

    data: bytes
    line: int  # number of its first line, from 1


def blocks(
    snapshot: Snapshot,
    encoding: str,
    wanted: Collection[str] = (),
) -> Iterator[Block]:
    """The file's text. Raises FileRefused for wrong bytes, with the encoding in which they are
    right, most of all where the wanted names stand in it; for broken gzip and too much of it.
    """
    codec = codec_of(encoding)
    with snapshot.stream() as raw:
        if snapshot.gzipped:
            pieces = _unpacked(snapshot, raw)
        else:
            pieces = iter(lambda: raw.read(BLOCK), b"")
        if codec.name != "utf-8":
            pieces = _recoded(snapshot, pieces, codec, wanted)
        yield from _checked(snapshot, _whole_lines(snapshot, pieces), wanted)


def codec_of(encoding: str) -> codecs.CodecInfo:
    """How text is read in an encoding. Raises Misconfigured for what is none."""
    name = codec_name(encoding)
    if not name:
        said = texts.UNKNOWN_ENCODING(encoding=repr(encoding))
        if near := meant(encoding):
            listed = " or ".join(near)
            said = texts.UNKNOWN_ENCODING_NEAR(encoding=repr(encoding), near=listed)
        raise Misconfigured(said)
    return codecs.lookup(name)


def beginning(snapshot: Snapshot, size: int = SAMPLE, start: int = 0) -> bytes:
    """The first bytes of the text, unpacked; of what is cut, as much as there is."""
    with snapshot.stream() as stream:
        if not snapshot.gzipped:
            stream.seek(start)
            return stream.read(size)
        try:
            return gzip.GzipFile(fileobj=stream).read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return b""


def _unpacked(snapshot: Snapshot, raw: BinaryIO) -> Iterator[bytes]:
    """All members of a gzip file, never more than the limit."""
    total = 0
    try:
        with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
            while block := unpacked.read(BLOCK):
                total += len(block)
                if total > SIZE_LIMIT:
                    large = files.UNPACKS_TOO_LARGE(
                        path=str(snapshot.path), limit=SIZE_LIMIT
                    )
                    raise FileRefused(large)
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        wrong = files.DAMAGED(path=str(snapshot.path), wrong=str(error))
        raise FileRefused(wrong) from error


def _recoded(
    snapshot: Snapshot,
    pieces: Iterator[bytes],
    codec: codecs.CodecInfo,
    wanted: Collection[str],
) -> Iterator[bytes]:
    """The same text in UTF-8."""
    path = str(snapshot.path)
    assert codec.incrementaldecoder is not None
    decoder = codec.incrementaldecoder("strict")
    is_wide = codec.name.startswith(("utf-16", "utf-32"))
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
            raise _wrong_bytes(
                snapshot, codec.name, wrong, offset, line, wanted
            ) from error
        # utf-16 says no more when its first bytes are wrong
        except UnicodeError as error:
            raise _wrong_whole(snapshot, codec.name, str(error), wanted) from error
        if not is_wide and (found := _CONTROLS.search(text)):
            # many encodings have control characters where Windows writes quotes and the euro
            line = lines + text.count("\n", 0, found.start())
            offset = read - len(text[found.start() :].encode(codec.name))
            if proposal := _proposed(snapshot, codec.name, wanted, offset, line):
                wrong = found[0].encode(codec.name)
                raise _fits(snapshot, codec.name, wrong, offset, line, proposal)
        lines += text.count("\n")
        try:
            yield text.encode()
        except UnicodeEncodeError as error:
            raise FileRefused(texts.HALF_CHARACTER(path=path, line=lines)) from error


def _marking_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    for piece in pieces:
        yield piece, False
    yield b"", True


def _whole_lines(snapshot: Snapshot, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after line ends; without a byte order mark, and without the character by
    which DOS ends a file.
    """
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
            raise FileRefused(
                texts.LONG_LINE(path=str(snapshot.path), limit=LINE_LIMIT)
            )
    if kept and kept != _DOS_END:
        yield kept


def _checked(
    snapshot: Snapshot,
    pieces: Iterator[bytes],
    wanted: Collection[str],
) -> Iterator[Block]:
    """The same as blocks of proven UTF-8 with their line numbers."""
    line = 1
    offset = 0
    for data in pieces:
        if not offset and (end := _end_of_utf_16(data[:SAMPLE])):
            raise FileRefused(texts.LOOKS_UTF_16(path=str(snapshot.path), end=end))
        if not data.isascii():
            if not offset and data.startswith(
                (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            ):
                raise FileRefused(texts.MARKED_UTF_16(path=str(snapshot.path)))
            try:
                data.decode()
            except UnicodeDecodeError as error:
                at_line = line + data.count(b"\n", 0, error.start)
                wrong = data[error.start : error.end]
                at = offset + error.start
                if starts_with_bom(snapshot):
                    at += len(_BOM)
                raise _wrong_bytes(
                    snapshot, "utf-8", wrong, at, at_line, wanted
                ) from error
        yield Block(data, line)
        line += line_ends(data)
        offset += len(data)


def line_ends(data: bytes) -> int:
    """How many there are; six times faster than `bytes.count`, where lines are short."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _LF))


def _end_of_utf_16(data: bytes) -> str:
    """`le` or `be` where the bytes that are 0 stand as in UTF-16, whose marks and delimiters have
    one each; empty where they do not.
    """
    places = [at for at, byte in enumerate(data) if not byte]
    ends = {at % 2 for at in places}
    is_wide = len(places) * _ONE_OF_SO_MANY > len(data) or b"\0" in data[:2]
    if not is_wide or len(ends) != 1:
        return ""
    return "le" if ends.pop() else "be"


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


# --- what is wrong with them, and what would be right


@dataclass(frozen=True, slots=True)
class _Proposed:
    """An encoding that fits, and a line that shows it."""

    encoding: str
    line: int
    text: str


def _proposed(
    snapshot: Snapshot,
    encoding: str,
    wanted: Collection[str],
    offset: int = 0,
    line: int = 1,
) -> _Proposed | None:
    """By the beginning of the file, and by what stands around a wrong byte far behind it, whose
    line is known.
    """
    data = beginning(snapshot)
    is_cut = len(data) == SAMPLE
    around = b""
    if is_cut:
        data = data[: data.rfind(b"\n") + 1]
        if offset >= len(data) and not snapshot.gzipped:
            around = _lines_around(snapshot, offset)
    fits = fitting(data + around, encoding, wanted)
    if not fits:
        return None
    if around and data.isascii():
        start = max(0, offset - SAMPLE // 4)
        wrong = beginning(snapshot, SAMPLE // 4, start)[: offset - start]
        text = around[around.find(wrong[wrong.rfind(b"\n") + 1 :]) :].partition(b"\n")[
            0
        ]
        return _Proposed(
            fits, line, told(excerpt(text.decode(fits, "ignore").strip("\r")))
        )
    lines = data.decode(fits, "ignore").removeprefix("\ufeff").split("\n")
    number, shown = telling_line(lines)
    return _Proposed(fits, number, told(shown.strip("\r")))


def _lines_around(snapshot: Snapshot, offset: int) -> bytes:
    """Whole lines, some before and some behind a byte of the file."""
    around = beginning(snapshot, SAMPLE // 2, max(0, offset - SAMPLE // 4))
    first = around.find(b"\n") + 1
    return around[first : around.rfind(b"\n") + 1]


def _wrong_whole(
    snapshot: Snapshot,
    encoding: str,
    wrong: str,
    wanted: Collection[str],
) -> FileRefused:
    path = str(snapshot.path)
    proposal = _proposed(snapshot, encoding, wanted)
    if proposal is None:
        return FileRefused(texts.NOT_ENCODED(path=path, encoding=encoding, wrong=wrong))
    return FileRefused(
        texts.FITS_WHOLE(
            path=path,
            encoding=encoding,
            wrong=wrong,
            fits=proposal.encoding,
            at=proposal.line,
            text=proposal.text,
        )
    )


def _wrong_bytes(
    snapshot: Snapshot,
    encoding: str,
    wrong: bytes,
    offset: int,
    line: int,
    wanted: Collection[str],
) -> FileRefused:
    proposal = _proposed(snapshot, encoding, wanted, offset, line)
    if proposal is not None:
        return _fits(snapshot, encoding, wrong, offset, line, proposal)
    return FileRefused(
        texts.NOT_ENCODED_AT(
            path=str(snapshot.path),
            line=line,
            byte=offset,
            found=wrong.hex(" "),
            encoding=encoding,
        )
    )


def _fits(
    snapshot: Snapshot,
    encoding: str,
    wrong: bytes,
    offset: int,
    line: int,
    proposal: _Proposed,
) -> FileRefused:
    return FileRefused(
        texts.FITS(
            path=str(snapshot.path),
            line=line,
            byte=offset,
            found=wrong.hex(" "),
            encoding=encoding,
            fits=proposal.encoding,
            at=proposal.line,
            text=proposal.text,
        )
    )
