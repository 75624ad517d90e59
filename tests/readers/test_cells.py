"""What stands in a cell: kept as it is, or its row rejected with column, value, rule and remedy.
Never repaired.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from batchpay.domain.secrets import masked
from tests.jobs import MAJOR, MINOR
from tests.readers.files import CARD, HEADER, Looked, look, look_at, row, text_of

AMOUNT = {"major": MAJOR, "minor": MINOR}


def only(looked: Looked, number: int = 2) -> tuple[str, str]:
    """Column and rule of the one problem of the one bad row, which says what to do and shows
    nothing unseen.
    """
    assert looked.refused == []
    assert set(looked.problems) == {number}
    (problem,) = looked.problems[number]
    assert problem.remedy
    assert problem.value.isprintable()
    return problem.column, problem.rule


# --- characters

CONTROL = [
    "\x00",
    "\x01",
    "\x07",
    "\x0b",
    "\x0c",
    "\x1b",
    "\x7f",
    "\x85",
    "\x9b",
    "\u2028",
    "\u2029",
    "\r",
]


@pytest.mark.fault("X02")
@pytest.mark.parametrize("character", CONTROL)
@pytest.mark.parametrize("place", ["{}ab", "a{}b", "ab{}"])
@pytest.mark.parametrize("column", ["order_id", "note", "extra"])
def test_control_characters_reject_their_row(
    tmp_path: Path, character: str, place: str, column: str
) -> None:
    """In any column, also where the CSV library lets them pass; none of them ends a cell or a
    row.
    """
    looked = look_at(tmp_path, row(1, **{column: place.format(character)}), row(2))
    assert only(looked) == (column, "control-character")
    assert looked.cells[column][0] == place.format(character)
    assert looked.rows == [2, 3]
    if (character, place, column) != (
        "\r",
        "ab{}",
        "extra",
    ):  # which without quotes is half of the line's end
        bare = text_of([row(1, **{column: "@"}), row(2)]).replace(
            "@", place.format(character)
        )
        assert only(look(tmp_path, "orders.csv", bare)) == (column, "control-character")


@pytest.mark.fault("X02")
def test_line_breaks_and_tabs_in_quotes_stay_in_free_text(tmp_path: Path) -> None:
    """LF, CR LF and tab; an id has none of them."""
    looked = look_at(
        tmp_path,
        row(1, note="a\nb\r\nc\td"),
        row(2, order_id="a\nb"),
        row(3, order_id="a\tb"),
    )
    assert looked.documents[0]["description"] == "a\nb\r\nc\td"
    assert looked.rules == {
        number: [("order_id", "invisible-character")] for number in (3, 4)
    }


INVISIBLE = [
    "\u200b",
    "\u200d",
    "\xa0",
    "\xad",
    "\ufeff",
    "\u2060",
    "\u202e",
    "\u2066",
    "\u061c",
    "\u3164",
]


@pytest.mark.fault("X03")
@pytest.mark.parametrize("character", INVISIBLE)
@pytest.mark.parametrize("at", [0, 1, 6])
def test_what_cannot_be_seen_is_rejected_in_ids_and_kept_in_texts(
    tmp_path: Path, character: str, at: int
) -> None:
    """In the first row too, where a byte order mark is easily taken off."""
    text = f"{'A00001'[:at]}{character}{'A00001'[at:]}"
    for column in ("order_id", "recipient", "customer"):
        looked = look_at(
            tmp_path,
            row(
                1,
                **{
                    column: (
                        row()[column].replace("A00001", text)
                        if column == "order_id"
                        else f"{row()[column]}{character}"
                    )
                },
            ),
            row(2),
        )
        assert only(looked) == (column, "invisible-character")
        assert f"\\x{ord(character):02x}" in looked.problems[2][
            0
        ].value or f"\\u{ord(character):04x}" in (looked.problems[2][0].value)
    looked = look_at(tmp_path, row(1, note=text, invoice=text, extra=text))
    assert looked.problems == {}
    assert (
        looked.documents[0]["description"]
        == looked.documents[0]["metadata"]["invoice"]
        == text
    )
    assert looked.cells["extra"] == [text]


@pytest.mark.fault("X04")
@pytest.mark.parametrize(
    "text",
    [
        "😀👩‍👩‍👧",
        "e\u0301",
        "เก้าอี้ไม้สักทองหนึ่งตัว",
        "ｶﾞ",
        "\U0001d11e",
        "עברית",
        "=1+1",
        "'=1",
    ],
)
def test_free_text_is_kept_byte_for_byte(tmp_path: Path, text: str) -> None:
    """Emoji, combining marks, Thai without blanks, half width, formulas."""
    looked = look_at(tmp_path, row(1, note=text, invoice=text, extra=text))
    assert looked.problems == {}
    assert looked.documents[0]["description"] == text
    assert looked.documents[0]["metadata"] == {"invoice": text}
    assert looked.cells["extra"] == [text]


@pytest.mark.fault("X04")
def test_ids_that_are_equal_only_after_normalisation_conflict(tmp_path: Path) -> None:
    """Neither is sent, and the file as a whole is warned of."""
    looked = look_at(
        tmp_path, row(1, order_id="caf\xe9"), row(2), row(3, order_id="cafe\u0301")
    )
    assert looked.repeats == {2: "conflict", 4: "conflict"}
    assert any("NFC" in note for note in looked.notes)


@pytest.mark.fault("X05")
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_formulas_are_text(tmp_path: Path, start: str) -> None:
    """Kept as they stand, as no program ran them; only reports defuse them. What no id can be is
    another matter.
    """
    looked = look_at(
        tmp_path,
        row(1, note=f"{start}cmd()", invoice=f"{start}cmd()", extra=f"{start}cmd()"),
    )
    assert looked.problems == {}
    assert (
        looked.documents[0]["metadata"]["invoice"]
        == looked.documents[0]["description"]
        == f"{start}cmd()"
    )


# --- numbers


@pytest.mark.fault("X09", "X10", "X11", "X12")
@pytest.mark.parametrize(
    ("amount", "currency", "unit", "rule"),
    [
        *(
            (text, "THB", "major", "number-format")
            for text in (
                "1.234,50",
                "1 234",
                "1\u202f234",
                "THB 100",
                "100 THB",
                "(100)",
                "1e3",
                "1E3",
                "0x10",
                "1_000",
                " 7 ",
                "7 ",
                "+5",
                ".5",
                "5.",
                "12,34",
                "1,2345",
                "1,,000",
                ",100",
                "100,",
                "--5",
                "-",
                "1.2.3",
                "NaN",
                "nan",
                "inf",
                "-Infinity",
                "1e400",
                "１２３",
                "๑๒๓",
                "٣",
                "5²",
                "½",
                "五",
                "'10",
                "=10",
                "ten",
            )
        ),
        *(
            (text, "THB", "major", "amount-not-positive")
            for text in ("-5", "-1,000.00", "0", "0.00", "-0")
        ),
        *(
            (text, "THB", "major", "amount-too-large")
            for text in (str(2**53 + 1), str(2**63), "1" + "0" * 30)
        ),
        ("10000000000.01", "THB", "major", "maximum"),
        ("1.005", "THB", "major", "too-many-decimals"),
        ("10.5", "JPY", "major", "too-many-decimals"),
        ("10.5", "THB", "minor", "not-whole"),
        ("1.234", "KWD", "major", "unknown-currency"),
        ("10", "Thb", "major", "unknown-currency"),
        ("10", "DEM", "major", "unknown-currency"),
        ("10", "", "major", "required"),
    ],
)
def test_what_is_no_amount_is_rejected(
    tmp_path: Path, amount: str, currency: str, unit: str, rule: str
) -> None:
    """Never guessed, never rounded, and no float is ever built."""
    looked = look_at(
        tmp_path,
        row(1, amount=amount, currency=currency),
        row(2, amount="7"),
        amount=AMOUNT[unit],
    )
    column = "currency" if rule in ("unknown-currency", "required") else "amount"
    found = looked.rules
    assert set(found) == {2}
    assert found[2][0] == (column, rule) or (
        rule == "maximum" and found[2] == [(column, rule)]
    )
    assert looked.documents[1]["amount"] == (7 if unit == "minor" else 700)
    if not amount.isascii() and amount[0] not in "五1":
        assert looked.problems[2][0].remedy.startswith("use 0-9")


@pytest.mark.fault("X09", "X11", "X12")
@pytest.mark.parametrize(
    ("amount", "currency", "unit", "minor"),
    [
        ("1,234.50", "THB", "major", 123450),
        ("1234.5", "thb", "major", 123450),
        ("0.07", "THB", "major", 7),
        ("19.99", "USD", "major", 1999),
        ("8.41", "THB", "major", 841),
        ("500", "JPY", "major", 500),
        ("10000000000", "THB", "major", 10**12),
        ("1,234", "THB", "minor", 1234),
        ("007.10", "THB", "major", 710),
    ],
)
def test_what_is_an_amount_is_exact(
    tmp_path: Path, amount: str, currency: str, unit: str, minor: int
) -> None:
    """Plain digits, or commas in threes, with a point."""
    looked = look_at(
        tmp_path, row(1, amount=amount, currency=currency), amount=AMOUNT[unit]
    )
    assert (looked.problems, looked.documents[0]["amount"]) == ({}, minor)
    assert looked.documents[0]["currency"] == currency.lower()


@pytest.mark.fault("X09", "X14")
@pytest.mark.parametrize(
    "text",
    [
        "0000001",
        "1e3",
        "0x10",
        "-0",
        "1.0",
        "TRUE",
        "../../x",
        "a/b:c",
        'it\'s "so"',
        "x" * 100,
    ],
)
def test_ids_stay_text(tmp_path: Path, text: str) -> None:
    """Zeros, points and exponents included."""
    looked = look_at(tmp_path, row(1, order_id=text))
    assert (looked.problems, looked.documents[0]["order_id"]) == ({}, text)


@pytest.mark.fault("X14")
def test_ids_have_limits(tmp_path: Path) -> None:
    """Empty, too long, with blanks around: rejected. Other case: neither is sent, as either may be
    the other's.
    """
    assert only(look_at(tmp_path, row(1, order_id=""))) == ("order_id", "required")
    assert only(look_at(tmp_path, row(1, order_id="x" * 10_000)))[0] == "order_id"
    assert only(look_at(tmp_path, row(1, order_id=" A1"))) == (
        "order_id",
        "surrounding-blanks",
    )
    looked = look_at(tmp_path, row(1, order_id="a1"), row(2, order_id="A1"))
    assert (looked.problems, looked.repeats) == ({}, {2: "conflict", 3: "conflict"})


@pytest.mark.fault("X13")
@pytest.mark.parametrize(
    "recipient", ["", "acct_1", "recp_1", "recp_test_A", "RECP_TEST_1", "recp_test_1 x"]
)
def test_recipients_are_of_one_form_and_of_the_jobs_mode(
    tmp_path: Path, recipient: str
) -> None:
    """recp_test_… in a test job."""
    found = look_at(tmp_path, row(1, recipient=recipient)).problems
    assert {problem.column for problem in found[2]} == {"recipient"}


@pytest.mark.fault("X27")
def test_metadata_has_limits(tmp_path: Path) -> None:
    """500 characters a text; reserved and too many keys are the job's fault, 78."""
    from batchpay.domain.errors import Misconfigured

    assert only(look_at(tmp_path, row(1, invoice="x" * 501))) == (
        "invoice",
        "maxLength",
    )
    assert look_at(tmp_path, row(1, invoice="ก" * 500)).problems == {}
    for keys in (
        ["order_id"],
        ["batchpay_key"],
        [f"k{number}" for number in range(200)],
    ):
        more = "".join(
            f'\n[columns.metadata]\n{key} = "extra"' if not at else f'\n{key} = "extra"'
            for at, key in enumerate(keys)
        )
        with pytest.raises(Misconfigured):
            look_at(tmp_path, row(), metadata="", more=more)


# --- cards

CARDS = {
    "plain": CARD,
    "blanks": "4242 4242 4242 4242",
    "dashes": "4242-4242-4242-4242",
    "amex": "3782 822463 10005",
    "full width": "４２４２４２４２４２４２４２４２",
    "thai": "๔๒๔๒๔๒๔๒๔๒๔๒๔๒๔๒",
    "odd groups": "42 424 2424 2 42424 2",
    "no-break": "4242\xa04242\xa04242\xa04242",
    "dash": "4242–4242–4242–4242",
    "in text": f"card {CARD}, please",
    "in thai text": f"บัตร{CARD}ครับ",
    "two": f"{CARD} {CARD}",
    "behind a number": f"7 {CARD}",
    "tab": "4242\t424242424242",
    "unionpay": "6200000000000005",
    "jcb": "3530111333300000",
    "19 digits": "4000000000000000006",
}


@pytest.mark.fault("X26")
@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("column", HEADER)
def test_a_card_number_rejects_its_row_and_is_gone(
    tmp_path: Path, name: str, column: str
) -> None:
    """In any column, in any script and form: neither cells nor documents nor messages hold it."""
    looked = look_at(tmp_path, row(1, **{column: CARDS[name]}), row(2))
    assert (column, "card-number") in looked.rules[2]
    assert set(looked.problems) == {2}
    told = "".join(problem.sentence() for problem in looked.problems[2])
    for text in (told, looked.cells[column][0], str(looked.documents)):
        assert masked(text) == text
        assert "4242424242" not in re.sub(r"[^0-9]", "", text)


NOT_CARDS = {
    "wrong check digit": "4242424242424241",
    "id": f"A{CARD}",
    "behind": f"{CARD}x",
    "ean": "4006381333931",
    "thai tax id": "4101200008061",
    "time stamp": "20261124120000",
    "long": "42" * 10,
    "no scheme": "9999999999999995",
    "amount": "4,242,424,242,424,242.00",
}


@pytest.mark.fault("X26")
@pytest.mark.parametrize("name", NOT_CARDS)
def test_other_digits_are_left_alone(tmp_path: Path, name: str) -> None:
    """Tokens, article numbers, tax ids, time stamps, and whatever fails the check."""
    looked = look_at(tmp_path, row(1, note=NOT_CARDS[name], extra=NOT_CARDS[name]))
    assert looked.problems == {}
    assert looked.cells["extra"] == [NOT_CARDS[name]]


@pytest.mark.fault("X26")
def test_a_column_known_to_hold_no_cards_is_not_looked_at(tmp_path: Path) -> None:
    """not_cards names it; the others stay watched."""
    looked = look_at(
        tmp_path, row(1, extra=CARD), row(2, note=CARD), input='not_cards = ["extra"]'
    )
    assert looked.rules == {3: [("note", "card-number")]}
    assert looked.cells["extra"][0] == CARD


@pytest.mark.fault("X26")
@pytest.mark.parametrize(
    "line",
    [f"A1,10,{CARD}", f"A1,10,THB,recp_test_1,cust_test_1,,,,{CARD}", f'"A1"{CARD},1'],
)
def test_rows_that_are_no_rows_hide_card_numbers_too(tmp_path: Path, line: str) -> None:
    """Ragged, or with a broken quote."""
    looked = look(tmp_path, "orders.csv", ",".join(HEADER) + "\n" + line + "\n")
    assert CARD not in str(looked)
    assert looked.problems
