"""Bytes become text in the stated encoding or not at all; gzip is unpacked whole or not at all."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import openpyxl
import pytest

from tests.readers.files import look, row, text_of

THAI, JAPANESE = "เก้าอี้ไม้ ๑๒", "椅子　ｱｲｳ"


def noted(note: str, before: int = 0) -> str:
    """A CSV whose last row has this note, on line `before` + 2."""
    return text_of([*(row(number) for number in range(before)), row(before, note=note)])


@pytest.mark.fault("X01")
@pytest.mark.parametrize(
    ("stated", "written", "note"),
    [
        ("utf-8", "utf-8", THAI),
        ("utf-8", "utf-8-sig", THAI),
        ("utf-8-sig", "utf-8", JAPANESE),
        ("UTF8", "utf-8-sig", JAPANESE),
        ("utf-16", "utf-16", THAI),
        ("utf-16-le", "utf-16-le", THAI),
        ("utf-16-be", "utf-16-be", JAPANESE),
        ("utf-32", "utf-32", THAI),
        ("cp874", "cp874", THAI),
        ("tis-620", "tis-620", THAI),
        ("cp932", "cp932", JAPANESE),
        ("latin-1", "latin-1", "é"),
    ],
)
def test_a_stated_encoding_is_read_character_for_character(
    tmp_path: Path, stated: str, written: str, note: str
) -> None:
    """With a byte order mark or without, which is never part of the first column's name."""
    looked = look(
        tmp_path,
        "orders.csv",
        noted(note, 3).encode(written),
        input=f'encoding = "{stated}"',
    )
    assert (looked.refused, looked.problems) == ([], {})
    assert looked.documents[3]["description"] == note
    assert next(iter(looked.cells)) == "order_id"


@pytest.mark.fault("X01")
@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_a_mark_of_utf_16_with_an_end_stated_is_no_part_of_the_header(
    tmp_path: Path, mark: bytes
) -> None:
    """utf-16-le and utf-16-be keep the mark as a character; we do not."""
    stated = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    looked = look(
        tmp_path,
        "orders.csv",
        mark + noted(THAI).encode(stated),
        input=f'encoding = "{stated}"',
    )
    assert (looked.refused, next(iter(looked.cells))) == ([], "order_id")


@pytest.mark.fault("X01")
@pytest.mark.parametrize(
    ("stated", "written", "note"),
    [
        ("utf-8", "cp874", THAI),
        ("utf-8", "cp932", JAPANESE),
        ("utf-8", "latin-1", "é"),
        ("cp874", "utf-8", "กข\u0e01\u0e41"),
        ("cp932", "cp874", "ก\u0e5b,"),
    ],
)
def test_another_encoding_is_refused_with_byte_and_line(
    tmp_path: Path, stated: str, written: str, note: str
) -> None:
    """The offset is that of the first wrong byte in the file, the line is its own; nothing is
    replaced.
    """
    for before in (0, 5, 20_000):  # the last one reaches over more than one block
        data = noted(note, before).encode(written)
        with pytest.raises(UnicodeDecodeError) as wrong:
            data.decode(stated)
        refusal = look(
            tmp_path, "orders.csv", data, input=f'encoding = "{stated}"'
        ).refusal
        assert f"line {before + 2}, byte {wrong.value.start}:" in refusal
        assert f"is not {stated}" in refusal
        assert "[input]" in refusal


@pytest.mark.fault("X01")
@pytest.mark.parametrize(
    ("stated", "written", "note", "fits"),
    [
        ("utf-8", "cp874", "น้ำทิพย์ “สีลม”", "cp874"),
        ("tis-620", "cp874", "น้ำทิพย์ “สีลม”", "cp874"),
        ("iso-8859-11", "cp874", "ราคา 5 €…", "cp874"),
        ("utf-8", "cp932", "髙島屋 ①号店", "cp932"),
        ("shift_jis", "cp932", "髙島屋 ①号店", "cp932"),
        ("utf-8", "euc_jp", "ガラスの工房", "euc_jp"),
        ("utf-8", "euc_jp", "請求書 送料", "euc_jp"),  # Thai letters, but no Thai
        ("utf-8", "cp874", "กฎหมาย", "cp874"),
        ("cp932", "cp874", "ร้านดอกไม้", "cp874"),
        ("cp874", "utf-8", "ガラスの工房", "utf-8"),
        ("cp932", "utf-8-sig", "ガラスの工房", "utf-8"),
        ("cp932", "utf-16", "ガラスの工房", "utf-16"),
        ("utf-8", "cp932", "ｼﾛﾑ ｷﾇ", "cp932"),
        ("utf-8", "cp1252", "Café Müller", "cp1252"),
    ],
)
def test_the_encoding_that_fits_is_told_with_a_line_as_proof(
    tmp_path: Path, stated: str, written: str, note: str, fits: str
) -> None:
    """Nobody has to know its name: the line that is shown can be read, or not."""
    data = noted(note).encode(written)
    refusal = look(tmp_path, "orders.csv", data, input=f'encoding = "{stated}"').refusal
    assert f'say encoding = "{fits}" in [input]' in refusal
    assert note[:8] in refusal
    mended = look(tmp_path, "orders.csv", data, input=f'encoding = "{fits}"')
    assert (mended.problems, mended.refused) == ({}, [])
    assert note in mended.cells["note"]


@pytest.mark.fault("X01")
@pytest.mark.parametrize(
    ("name", "written"),
    [("windows-31j", "cp932"), ("Windows-874", "cp874"), ("csWindows31J", "cp932")],
)
def test_the_names_of_iana_are_known(tmp_path: Path, name: str, written: str) -> None:
    """Also those that Python has not."""
    note = {"cp932": "髙島屋", "cp874": "สีลม"}[written]
    data = noted(note).encode(written)
    assert (
        note
        in look(tmp_path, "orders.csv", data, input=f'encoding = "{name}"').cells[
            "note"
        ]
    )


@pytest.mark.fault("X01")
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_two_encodings_in_one_file_are_refused_where_the_second_begins(
    tmp_path: Path, mark: bytes
) -> None:
    """A mark at the start counts as bytes of the file."""
    good = mark + text_of([row(1, note=THAI), row(2, note=JAPANESE)]).encode()
    bad = text_of([row(3, note="x" + THAI)]).splitlines()[1].encode("cp874") + b"\n"
    refusal = look(tmp_path, "orders.csv", good + bad).refusal
    assert f"line 4, byte {len(good) + bad.index(b'x') + 1}:" in refusal


@pytest.mark.fault("X01")
@pytest.mark.parametrize("written", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_that_nobody_stated_is_refused_with_the_remedy(
    tmp_path: Path, written: str
) -> None:
    """Not read as text full of NUL."""
    refusal = look(tmp_path, "orders.csv", noted("").encode(written)).refusal
    assert 'encoding = "utf-16' in refusal


@pytest.mark.fault("X01")
@pytest.mark.parametrize("end", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("wrong", [b"\x00\xd8", b"\xd8"])
def test_broken_utf_16_is_refused_with_its_line(
    tmp_path: Path, end: str, wrong: bytes
) -> None:
    """Half a surrogate pair, or a byte too few, in either byte order."""
    mark = b"\xff\xfe" if end == "utf-16-le" else b"\xfe\xff"
    half = wrong if end == "utf-16-le" else wrong[::-1]
    for before in (6, 20_000):  # the second reaches over more than one block
        good = mark + noted("", before).encode(end)
        data = good + half + "\n".encode(end) * (len(half) - 1)
        refusal = look(
            tmp_path, "orders.csv", data, input='encoding = "utf-16"'
        ).refusal
        assert f"line {before + 3}, byte {len(good)}:" in refusal


def test_what_is_no_encoding_is_refused_by_the_job(tmp_path: Path) -> None:
    """rot13 makes text of text, not of bytes."""
    from batchpay.domain.errors import Misconfigured

    for name in (
        "rot13",
        "base64",
        "utf-9",
        "idna",
        "unicode_escape",
        "raw_unicode_escape",
        "punycode",
    ):
        with pytest.raises(Misconfigured, match="encoding"):
            look(tmp_path, "orders.csv", noted(""), input=f'encoding = "{name}"')


# --- gzip


@pytest.mark.fault("X19")
def test_all_members_of_a_gzip_file_are_read(tmp_path: Path) -> None:
    """Concatenated members are one text, wherever they are cut; zeros at the end are padding."""
    text = text_of([row(number, note=THAI) for number in range(400)]).encode()
    for cut in (1, 40, len(text) // 2):
        data = (
            gzip.compress(text[:cut])
            + gzip.compress(b"")
            + gzip.compress(text[cut:])
            + bytes(512)
        )
        looked = look(tmp_path, "orders.csv.gz", data)
        assert (looked.refused, looked.problems, len(looked.documents)) == ([], {}, 400)


@pytest.mark.fault("X19", "E07")
def test_a_gzip_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """At every byte of a small file."""
    whole = gzip.compress(
        text_of([row(number) for number in range(5)]).encode(), mtime=0
    )
    for cut in range(len(whole)):
        assert look(tmp_path, "orders.csv.gz", whole[:cut]).refused, cut


@pytest.mark.fault("X19")
def test_a_gzip_file_with_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    """The check sum of each member covers its text; what it does not cover (name, time, system)
    changes nothing.
    """
    whole = gzip.compress(
        text_of([row(number) for number in range(5)]).encode(), mtime=0
    )
    good = look(tmp_path, "orders.csv.gz", whole).documents
    for bit in range(0, 8 * len(whole), 3):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        looked = look(tmp_path, "orders.csv.gz", bytes(data))
        assert looked.refused or looked.documents == good, bit


@pytest.mark.fault("X19")
@pytest.mark.parametrize("junk", [b"junk", b"\x1f\x8b\x08", text_of([row()]).encode()])
def test_anything_behind_a_gzip_file_is_refused(tmp_path: Path, junk: bytes) -> None:
    """Bytes that belong to nothing are not passed over."""
    assert (
        "cut or damaged"
        in look(
            tmp_path, "orders.csv.gz", gzip.compress(text_of([row()]).encode()) + junk
        ).refusal
    )


@pytest.mark.fault("X19")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("orders.csv", gzip.compress(text_of([row()]).encode())),
        ("orders.csv.gz", text_of([row()]).encode()),
        ("orders.csv", b"PK\x03\x04rest"),
        ("orders.parquet", text_of([row()]).encode()),
        ("orders.xlsx", text_of([row()]).encode()),
        ("orders.csv", b"PAR1"),
        ("orders.xlsx", b"PAR1"),
        ("orders.csv.gz", zlib.compress(b"order_id\n")),
    ],
)
def test_content_and_name_must_agree(tmp_path: Path, name: str, data: bytes) -> None:
    """Neither the name nor the first bytes alone are believed; what it is, is said."""
    refusal = look(tmp_path, name, data).refusal
    assert any(
        words in refusal
        for words in ("give it the name", "it was cut", "exported again")
    ), refusal


@pytest.mark.fault("X19")
@pytest.mark.parametrize(
    "name", ["orders.txt", "orders", "orders.csv.bz2", "orders.xlsm"]
)
def test_a_file_of_another_name_is_told_the_one_that_fits(
    tmp_path: Path, name: str
) -> None:
    """By its content; under that name it is read."""
    assert (
        "give it the name orders.csv" in look(tmp_path, name, text_of([row()])).refusal
    )
    assert look(tmp_path, "orders.csv", text_of([row()])).rows == [2]


@pytest.mark.fault("X19")
def test_bytes_of_no_kind_are_refused_with_the_kinds_that_are_read(
    tmp_path: Path,
) -> None:
    """Neither the name nor the content says anything."""
    assert ".csv.gz" in look(tmp_path, "orders.dat", bytes(range(32)) * 9).refusal


@pytest.mark.fault("X08", "X19")
def test_a_gzip_bomb_of_blanks_is_refused_early_in_little_memory(
    tmp_path: Path,
) -> None:
    """A quarter of a gigabyte in some hundred kilobytes: refused at the first 8 MiB, by the length
    of its line.
    """
    packer = zlib.compressobj(1, wbits=31)
    data = packer.compress(text_of([row()]).encode())
    data += b"".join(packer.compress(b" " * 2**24) for _ in range(16)) + packer.flush()
    assert len(data) < 2**21
    assert "line of more than" in look(tmp_path, "orders.csv.gz", data).refusal


@pytest.mark.parametrize("encoding", ["cp1252", "cp874"])
def test_the_mark_of_utf_8_read_as_another_encoding_is_known(
    tmp_path: Path, encoding: str
) -> None:
    """Its letters are part of the first name then; a sheet that was made of it has them, too."""
    data = text_of([row(1)]).encode("utf-8-sig")
    how = f'encoding = "{encoding}"'
    refused = look(tmp_path, "orders.csv", data, input=how).refusal
    assert 'say encoding = "utf-8" in [input]' in refused
    assert look(tmp_path, "orders.csv", data, input='encoding = "utf-8"').rows == [2]
    rows = [text.split(",") for text in data.decode(encoding).splitlines()]
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    book.save(tmp_path / "orders.xlsx")
    assert "open the text there anew, as UTF-8" in look(tmp_path, "orders.xlsx").refusal


@pytest.mark.fault("X01")
@pytest.mark.parametrize("end", ["le", "be"])
@pytest.mark.parametrize("name", ["เลขที่", "注文番号", "No", "Händler"])
def test_utf_16_without_its_mark_is_known_in_any_language(
    tmp_path: Path, name: str, end: str
) -> None:
    """The bytes of Thai alone look like ASCII; doing what is said is success."""
    data = text_of([row(1), row(2)]).replace("order_id", name).encode(f"utf-16-{end}")
    how = {"order_id": f'"{name}"'}
    refusal = look(tmp_path, "orders.csv", data, **how).refusal
    says = f'encoding = "utf-16-{end}"'
    assert f"looks like UTF-16; if it is, say {says} in [input]" in refusal
    looked = look(tmp_path, "orders.csv", data, input=says, **how)
    assert (looked.refused, looked.problems, len(looked.rows)) == ([], {}, 2)
