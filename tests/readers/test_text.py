"""CSV and TSV: a row is right, or rejected with its place, rule and remedy; or the file is refused with its line."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchpay.readers import text
from tests.readers.kit import HEADER, cells_of, csv_text, row, said

GOOD = csv_text(row(1), row(2))


@pytest.mark.fault("X01")
@pytest.mark.parametrize(
    "encoding, more",
    [("utf-8", ""), ("utf-8-sig", ""), ("cp874", 'encoding = "cp874"'), ("cp932", 'encoding = "cp932"'),
     ("utf-16", 'encoding = "utf-16"'),
     ("utf-16-le", 'encoding = "utf-16-le"'), ("utf-16-be", 'encoding = "utf-16-be"')],
)  # fmt: skip
def test_the_stated_encoding_is_read(tmp_path: Path, encoding: str, more: str) -> None:
    """With or without a byte order mark, which is never part of the first header."""
    note = "ペン" if "932" in encoding else "ปากกา"
    found = said(tmp_path, csv_text(row(1, note=note)).encode(encoding), more=more)
    assert (found.exit_code, found.rows) == (0, 1), found.refusal


@pytest.mark.fault("X01")
@pytest.mark.parametrize(
    "wrong, more", [(b"\xff\xe0", ""), (b"\x81", 'encoding = "cp932"'), (b"\xdb", 'encoding = "ascii"')]
)
def test_a_byte_that_is_wrong_in_it_refuses_the_file(tmp_path: Path, wrong: bytes, more: str) -> None:
    """65 with the byte and the line; never a replacement character."""
    data = (
        csv_text(row(1)).encode()
        + csv_text(row(2, note="x"))[len(",".join(HEADER)) + 1 :].encode()[:-1]
        + wrong
        + b"\n"
    )
    found = said(tmp_path, data, more=more)
    assert found.exit_code == 65
    assert "byte" in found.refusal and "line 3" in found.refusal


@pytest.mark.fault("X02")
@pytest.mark.parametrize("mark", ["\0", "\x01", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("column", ["order_id", "note"])
def test_control_characters_reject_the_row(tmp_path: Path, mark: str, column: str) -> None:
    """Shown as escapes; the rows beside it go on, and none of these is a line break."""
    found = said(tmp_path, csv_text(row(1), row(2, **{column: f"a{mark}b"}), row(3)))
    assert (found.exit_code, found.rows, list(found.problems)) == (10, 3, [3])
    problem = found.problems[3][0]
    assert (problem.column, problem.rule) == (column, "control-character") and "\\" in problem.value


@pytest.mark.fault("X02")
def test_a_lone_carriage_return_rejects_its_row(tmp_path: Path) -> None:
    """It is no line end, also in quotes."""
    for cell in ("a\rb", '"a\rb"'):
        found = said(tmp_path, csv_text(row(1, note=cell), row(2)))
        assert (found.rows, list(found.problems)) == (2, [2]), cell


@pytest.mark.fault("X03")
@pytest.mark.parametrize("mark", ["\u200b", "\u00a0", "\u00ad", "\ufeff", "\u202e", "\u2066"])
def test_invisible_characters_reject_an_id_and_stay_in_a_note(tmp_path: Path, mark: str) -> None:
    """Ids: rejected and shown as escapes; free text: kept."""
    found = said(tmp_path, csv_text(row(1, order_id=f"A{mark}1"), row(2, note=f"a{mark}b")))
    assert list(found.problems) == [2]
    assert mark not in found.problems[2][0].value and "\\" in found.problems[2][0].value


@pytest.mark.fault("X04")
def test_two_ids_equal_after_normalisation_both_conflict(tmp_path: Path) -> None:
    """Emoji, Thai and combining marks are kept byte for byte; NFC twins are for a person."""
    found = said(
        tmp_path, csv_text(row(1, order_id="caf\u00e9"), row(2, order_id="cafe\u0301"), row(3, note="สวัสดี🎉é"))
    )
    assert found.rules() == {2: ["conflict"], 3: ["conflict"]}
    assert any("NFC" in warning for warning in found.warnings)


@pytest.mark.fault("X06")
@pytest.mark.parametrize(
    "header, word",
    [(("order_id", "amount", "currency", "recipient", "customer", "customer"), "customer"),
     (("order_id", "amount", "", "recipient", "customer", "note"), "currency"),
     (("Order_Id", "amount", "currency", "recipient", "customer", "note"), "order_id"),
     (("order_id ", "amount", "currency", "recipient", "customer", "note"), "order_id"),
     (("order_id", "amount", "currency", "recipient", "customer"), "note")],
)  # fmt: skip
def test_a_header_that_does_not_fit_refuses_the_file(tmp_path: Path, header: tuple[str, ...], word: str) -> None:
    """Twice, empty, otherwise written or missing: the column is named."""
    found = said(tmp_path, csv_text(row(1)[: len(header)], header=header))
    assert found.exit_code == 65 and word in found.refusal


@pytest.mark.fault("X06")
def test_order_is_irrelevant_and_extra_columns_are_listed(tmp_path: Path) -> None:
    """What no field uses may even stand there twice."""
    header = (*reversed(HEADER), "extra", "extra", "")
    found = said(tmp_path, csv_text([*reversed(row(1)), "a", "b", "c"], header=header))
    assert found.exit_code == 0 and any("extra" in warning for warning in found.warnings)


@pytest.mark.fault("X07")
@pytest.mark.parametrize("line", ["0002,20.00,THB", "0002,20.00,THB,recp_test_1,cust_test_2,,,x", "0002;20.00;THB"])
def test_a_ragged_row_is_rejected_with_its_line(tmp_path: Path, line: str) -> None:
    """The rows around it go on."""
    found = said(tmp_path, csv_text(row(1)) + line + "\n" + ",".join(row(3)) + "\n")
    assert (found.rows, list(found.problems), found.rules()[3][0]) == (3, [3], "ragged-row")
    assert "line 3" in found.problems[3][0].remedy


@pytest.mark.fault("X07")
def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    """They keep their row numbers."""
    found = said(tmp_path, csv_text(row(1)) + "\n\n" + ",".join(row(2, amount="x")) + "\n\n")
    assert (found.rows, list(found.problems)) == (2, [5])
    assert any("3 blank rows skipped" in warning for warning in found.warnings)


@pytest.mark.fault("X07")
def test_an_unclosed_quote_refuses_the_file_and_names_its_line(tmp_path: Path) -> None:
    """It would swallow every row after it."""
    rest = "".join(",".join(row(n)) + "\n" for n in range(3, 3000))
    found = said(tmp_path, csv_text(row(1)) + '0002,20.00,THB,recp_test_1,cust_test_2,"open\n' + rest)
    assert found.exit_code == 65 and "line 3" in found.refusal


@pytest.mark.fault("X07")
def test_quotes_inside_cells(tmp_path: Path) -> None:
    """Doubled ones are one; one in the middle of a plain cell is a character; text after a closing one is an error."""
    lines = csv_text(row(1, note='"say ""hi"""'), row(2, note='5" pipe'), row(3, note='"a"b'))
    found = said(tmp_path, lines)
    assert found.rules() == {4: ["quote"]}


@pytest.mark.fault("X07")
def test_the_wrong_delimiter_is_said_in_words(tmp_path: Path) -> None:
    """A file with semicolons under a job with commas."""
    found = said(tmp_path, csv_text(row(1), delimiter=";"))
    assert found.exit_code == 65 and "';'" in found.refusal
    assert said(tmp_path, csv_text(row(1), delimiter=";"), more='delimiter = ";"').exit_code == 0


@pytest.mark.fault("X08")
def test_small_and_large_files(tmp_path: Path) -> None:
    """0 bytes: 65; a header alone: 0 with a warning; a huge cell: rejected; too many columns: 65; blanks: counted."""
    assert said(tmp_path, b"").exit_code == 65
    only = said(tmp_path, csv_text())
    assert (only.exit_code, only.rows) == (0, 0) and any("no rows" in warning for warning in only.warnings)
    assert said(tmp_path, csv_text(row(1))).rows == 1
    long = said(tmp_path, csv_text(row(1, note="x" * 10**6), row(2)))
    assert "cell-too-long" in long.rules()[2] and 3 not in long.problems
    wide = ",".join([*HEADER, *(f"c{n}" for n in range(10**5))]) + "\n"
    assert said(tmp_path, wide).exit_code == 65
    assert said(tmp_path, csv_text() + " " * 3_000_000 + "\n").rows <= 1


@pytest.mark.fault("X09", "X10", "X11", "X12")
@pytest.mark.parametrize("amount", [
    "1.234,50", "1 234", "THB 100", "(100)", "1e3", "0x10", "1_000", " 7 ", "+5", "-0", ".5", "5.", "1,23.00",
    "１２３", "๑๒๓", "٣", "2²", "-5", "0", "0.00", "NaN", "inf", "1e400", "9007199254740993", "9223372036854775808",
    "1" + "0" * 30,     "20.005", "20.0000", "",
])  # fmt: skip
def test_what_is_no_amount_is_rejected(tmp_path: Path, amount: str) -> None:
    """With the column and a remedy; never rounded, never guessed."""
    cell = f'"{amount}"' if "," in amount else amount
    found = said(tmp_path, csv_text(row(1, amount=cell), row(2)))
    assert list(found.problems) == [2], found.problems
    assert found.problems[2][0].column == "amount" and found.problems[2][0].remedy


@pytest.mark.fault("X09", "I17")
def test_amounts_that_are_right(tmp_path: Path) -> None:
    """Thousands groups, and ids that keep their zeros."""
    amounts = ["1,234.50", "1234.5", "20", "19.99", "1,000,000.00"]
    found = said(tmp_path, csv_text(*(row(n, amount=f'"{a}"') for n, a in enumerate(amounts))))
    assert found.exit_code == 0, found.problems


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    "code, right", [("thb", True), ("THB", True), ("Thb", False), ("XXX", False), ("DEM", False), ("", False)]
)
def test_currencies(tmp_path: Path, code: str, right: bool) -> None:
    """Small letters or capitals; unknown, historic and empty ones are rejected."""
    found = said(tmp_path, csv_text(row(1, currency=code)))
    assert (found.exit_code == 0) is right


@pytest.mark.fault("X14")
@pytest.mark.parametrize("order_id", ["", "x" * 10_000, " a", "a "])
def test_order_ids_have_limits(tmp_path: Path, order_id: str) -> None:
    """Empty, endless or with blanks at the ends."""
    assert said(tmp_path, csv_text(row(1, order_id=order_id))).exit_code == 10


@pytest.mark.fault("X14", "X20")
def test_order_ids_are_never_paths(tmp_path: Path) -> None:
    """Slashes, dots and colons are characters; ids that differ in case are two orders, told."""
    found = said(
        tmp_path, csv_text(row(1, order_id="../../etc/passwd"), row(2, order_id="a:b"), row(3, order_id="A:b"))
    )
    assert found.exit_code in (0, 10) and any("case" in warning for warning in found.warnings)


@pytest.mark.fault("X19")
def test_gzip(tmp_path: Path) -> None:
    """All members are read; cut, damaged, oversized and misnamed files are refused."""
    first, second = GOOD.encode(), (",".join(row(3)) + "\n").encode()
    packed = gzip.compress(first) + gzip.compress(second)
    assert said(tmp_path, packed, "orders.csv.gz").rows == 3
    assert said(tmp_path, packed[:-9], "orders.csv.gz").exit_code == 65
    assert said(tmp_path, packed[:30] + b"\xff\xff" + packed[32:], "orders.csv.gz").exit_code == 65
    assert said(tmp_path, packed, "orders.csv").exit_code == 65
    assert said(tmp_path, GOOD, "orders.csv.gz").exit_code == 65


@pytest.mark.fault("X19")
def test_a_gzip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it unpacks to, while it is read."""
    monkeypatch.setattr(text, "SIZE_LIMIT", 10_000_000)
    found = said(tmp_path, gzip.compress((csv_text() + ",".join(row(1)) + "\n").encode() * 200_000), "orders.csv.gz")
    assert found.exit_code == 65 and "unpacks" in found.refusal


@pytest.mark.fault("E07")
def test_a_file_cut_anywhere_is_noticed_or_warned_about(tmp_path: Path) -> None:
    """Inside a line: 65. At a line end: only control totals could tell, and `check` says so."""
    whole = csv_text(*(row(n) for n in range(1, 4))).encode()
    starts = whole.index(b"\n") + 1
    for cut in range(starts + 1, len(whole)):
        found = said(tmp_path, whole[:cut])
        if whole[cut - 1 : cut] == b"\n":
            assert found.exit_code == 0 and any("control totals" in warning for warning in found.warnings)
        else:
            assert found.exit_code == 65, cut


@pytest.mark.fault("X26", "I12")
@pytest.mark.parametrize(
    "number", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005"]
)
@pytest.mark.parametrize("column", ["order_id", "note", "customer"])
def test_a_card_number_rejects_its_row_and_is_masked(tmp_path: Path, number: str, column: str) -> None:
    """In any cell; nothing that is told holds it."""
    found = said(tmp_path, csv_text(row(1, **{column: number}), row(2)))
    assert "card-number" in found.rules()[2]
    shown = "".join(f"{p.value}{p.remedy}" for p in found.problems[2])
    assert number not in shown and "4242424242" not in shown.replace(" ", "").replace("-", "")


@pytest.mark.fault("X26")
@pytest.mark.parametrize(
    "number", ["1101700230708", "8850999320014", "20261124153000", "4242424242424241", "tokn_test_4242424242424242"]
)
def test_what_only_looks_like_a_card_number(tmp_path: Path, number: str) -> None:
    """Thai tax ids, EANs, time stamps, wrong check digits and tokens are left alone."""
    assert said(tmp_path, csv_text(row(1, note=number))).exit_code == 0


@pytest.mark.fault("X26")
def test_columns_known_not_to_hold_cards(tmp_path: Path) -> None:
    """`not_cards` names them."""
    found = said(tmp_path, csv_text(row(1, note="4242424242424242")), more='not_cards = ["note"]')
    assert found.exit_code == 0


@pytest.mark.fault("X29")
def test_fifty_thousand_bad_rows_are_all_told(tmp_path: Path) -> None:
    """And `max_rejects` refuses the batch."""
    lines = csv_text(*(row(n, amount="x") for n in range(50_000)))
    found = said(tmp_path, lines, more='max_rejects = "5%"')
    assert len(found.problems) == 50_000 and found.exit_code == 65


# --- round trips ------------------------------------------------------------------------------------------------

CELL = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029"), max_size=12)
LINES = st.lists(st.sampled_from(["", "a", '"', ",", "\n", " ", "ก", "'", ";", '""']), max_size=4).map("".join)


@pytest.mark.fault("X05", "X07")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(CELL | LINES, min_size=3, max_size=3), min_size=1, max_size=30),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_writer_wrote_is_read_back_cell_for_cell(
    tmp_path: Path, rows: list[list[str]], end: str, quoting: int
) -> None:
    """By the fast reader or the strict one, whichever takes the block."""
    rows = [["k", *cells] for cells in rows]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([["key", "a", "b", "c"], *rows])
    read = cells_of(tmp_path, out.getvalue().encode(), "t.csv", ["key", "a", "b", "c"])
    assert read == rows


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL | LINES, min_size=2, max_size=2), min_size=20, max_size=60), st.integers(40, 400))
def test_blocks_may_end_anywhere(tmp_path: Path, rows: list[list[str]], size: int) -> None:
    """Small blocks give the same rows as one."""
    rows = [["k", *cells] for cells in rows]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["key", "a", "b"], *rows])
    before = text.BLOCK
    try:
        text.BLOCK = size
        assert cells_of(tmp_path, out.getvalue().encode(), "t.csv", ["key", "a", "b"]) == rows
    finally:
        text.BLOCK = before
