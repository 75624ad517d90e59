"""Mapping: what comes out is exactly what went in, or a problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain.figures import form_of
from batchpay.domain.lineage import told_id
from batchpay.domain.model import Problem
from batchpay.domain.money import EXPONENTS, major_text
from batchpay.domain.text import told
from batchpay.intake.cameback import with_own_ids as _with_own_ids
from batchpay.intake.mapping import map_chunk
from batchpay.intake.sources import column_of
from batchpay.job.job import Columns, FromColumn, FromLookup, FromTemplate, FromValue
from batchpay.lifecycle.places import place_of
from batchpay.messages.message import plain

CORE = {
    "order_id": FromColumn("No"),
    "amount": FromColumn("Amount", "major"),
    "currency": FromColumn("Cur"),
    "destination": FromColumn("Shop"),
}
GOOD = {"No": "A1", "Amount": "10.00", "Cur": "THB", "Shop": "recp_test_1"}


@dataclass
class TextChunk:
    """Rows given as dicts of cells."""

    cells_: list[dict[str, str]]
    problems: dict[int, tuple[Problem, ...]] = field(default_factory=dict)
    sheet: str = ""
    typed: dict[str, dict[int, str]] = field(default_factory=dict)

    @property
    def columns(self):
        return tuple(self.cells_[0]) if self.cells_ else ()

    @property
    def rows(self):
        return range(2, 2 + len(self.cells_))

    def texts(self, column):
        return [row[column] for row in self.cells_]

    def cell(self, column, at):
        return self.cells_[at][column]

    def cells(self):
        return b""


def mapped(*rows, fields=None, metadata=None, problems=None):
    """Map rows that differ from a good one in the cells given."""
    columns = Columns({**CORE, **(fields or {})}, metadata or {})
    return map_chunk(
        TextChunk([{**GOOD, **row} for row in rows], problems or {}), columns
    )


def rules(result, at=0):
    """(column, rule) of each problem of a row."""
    return [(problem.column, problem.rule) for problem in result.problems.get(at, ())]


# --- what goes in comes out

visible = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "S"]),
    min_size=1,
    max_size=20,
)
minor = st.integers(1, 10**12)
rows = st.lists(
    st.tuples(
        visible,
        minor,
        st.sampled_from(sorted(EXPONENTS)),
        visible,
        st.one_of(st.just(""), visible),
        st.booleans(),
    )
)


@given(rows)
def test_what_goes_in_comes_out(orders):
    """Ids, money and texts arrive as they were written; an empty cell leaves its key out; nothing
    is lost or moved.
    """
    cells = [
        {
            "No": no,
            "Amount": major_text(amount, code),
            "Cur": code if upper else code.lower(),
            "Shop": shop,
            "Note": note,
        }
        for no, amount, code, shop, note, upper in orders
    ]
    result = map_chunk(
        TextChunk(cells),
        Columns(
            {**CORE, "description": FromColumn("Note")}, {"note": FromColumn("Note")}
        ),
        "accept",
    )
    assert not result.problems
    assert not result.incomplete
    assert result.documents == [
        {
            "order_id": no,
            "amount": amount,
            "currency": code.lower(),
            "destination": shop,
        }
        | ({"description": note, "metadata": {"note": note}} if note else {})
        for no, amount, code, shop, note, _ in orders
    ]


@given(
    st.lists(
        st.dictionaries(st.sampled_from(list(GOOD)), st.text(max_size=12)), max_size=6
    )
)
def test_any_text_is_mapped_or_refused_and_never_repaired(changes):
    """No text makes mapping fail; each field is the cell itself, or absent with a reason."""
    result = mapped(*changes)
    for at, change in enumerate(changes):
        cells = {**GOOD, **change}
        document = result.documents[at]
        for name, column in (("order_id", "No"), ("destination", "Shop")):
            assert (
                document.get(
                    name, cells[column] if name in result.unmapped.get(at, ()) else ""
                )
                == cells[column]
            )
        assert document.get("currency", cells["Cur"].lower()) == cells["Cur"].lower()
        assert type(document.get("amount", 1)) is int
        assert document.get("amount", 1) > 0
        reported = {problem.column for problem in result.problems.get(at, ())}
        for name in result.unmapped.get(at, ()):
            assert CORE[name].column in reported or (
                name == "amount" and "currency" not in document
            )


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_free_text_is_kept_character_for_character(text):
    """Emoji, combining marks, Thai, invisible characters: descriptions and metadata keep them."""
    result = mapped(
        {"Note": text},
        fields={"description": FromColumn("Note")},
        metadata={"m": FromColumn("Note")},
    )
    assert result.documents[0].get("description", "") == text
    assert result.documents[0].get("metadata", {}).get("m", "") == text
    assert not result.problems


# --- amounts


@pytest.mark.fault("X09")
@pytest.mark.parametrize(
    "text",
    [
        "1.234,50",
        "1 234",
        "THB 100",
        "(100)",
        "1e3",
        "0x10",
        "1_000",
        " 7 ",
        "+5",
        ".5",
        "5.",
        "100-",
        "฿5",
        "5\n",
    ],
)
def test_what_is_no_amount_is_rejected(text):
    """The row says column, value and rule; the good rows around it go on."""
    result = mapped({}, {"Amount": text}, {"Amount": "1,234.50"}, {"Amount": "7"})
    assert rules(result, 1) == [("Amount", "number-format")]
    assert "amount" not in result.documents[1]
    assert [result.documents[at]["amount"] for at in (0, 2, 3)] == [1000, 123450, 700]


@pytest.mark.fault("X09")
@pytest.mark.parametrize("proof", ["99,50", "1.234,50", "1.500.000"])
def test_a_comma_is_unclear_beside_one_before_decimals(proof):
    """Nothing is declared, and 1,500 would be charged a thousand times; what reads one way only
    goes, and so does an amount of a currency without decimals.
    """
    texts = ["1,500", "1,234.50", "1,234,500", "12", proof]
    result = mapped(
        *({"Amount": text} for text in texts), {"Amount": "1,500", "Cur": "JPY"}
    )
    assert [rules(result, at) for at in range(6)] == [
        [("Amount", "number-format")],
        *([], [], []),
        [("Amount", "number-format")],
        [],
    ]
    (problem,) = result.problems[0]
    assert problem.remedy.startswith(f"1500, or 1.500, as {proof} in the same column")
    assert "amount" not in result.documents[0]
    assert result.documents[5]["amount"] == 1500
    without = mapped(*({"Amount": text} for text in texts[:-1]))
    assert without.problems == {}
    form = form_of("1.234,56")
    declared = {"amount": FromColumn("Amount", "major", form=form)}
    assert (
        mapped({"Amount": "99,50"}, {"Amount": "1,5"}, fields=declared).problems == {}
    )


COLUMNS_WRITTEN = {
    "signs of one currency": (["฿31.00", "THB 30.00"], "THB", "¤1,234.56"),
    "on either side": (["฿31.00", "30.00 บาท"], "THB", "¤1,234.56¤"),
    "in two widths": (["１，２３４", "３００円", "1,500円"], "JPY", "１,２３４.５６円"),
    "with commas and none": (["1.234,50", "€99,50"], "EUR", "€1.234,56"),
}


@pytest.mark.fault("X09")
@pytest.mark.parametrize("kind", COLUMNS_WRITTEN)
def test_the_format_that_is_proposed_reads_the_column(kind):
    """Once it is declared every cell is an amount. Neither the sign of another currency nor a
    negative amount keeps it from being found.
    """
    texts, currency, example = COLUMNS_WRITTEN[kind]
    rows = [{"Amount": text, "Cur": currency} for text in texts]
    odd = [{"Amount": text} for text in ("(5.00)", "5.00-", "25.005")]
    result = mapped(*rows, {"Amount": "$5.00"}, *odd)
    for at in range(len(rows)):
        assert f'format = "{example}"' in result.problems[at][0].remedy
    form = FromColumn("Amount", "major", form=form_of(example))
    assert mapped(*rows, fields={"amount": form}).problems == {}
    assert rules(result, len(rows)) == [("Amount", "other-currency")]


@pytest.mark.fault("X09")
def test_ids_stay_text():
    """Leading zeros and texts that look like numbers stay as they are."""
    result = mapped({"No": "000123"}, {"No": "1e3"}, {"No": "-0"})
    assert [document["order_id"] for document in result.documents] == [
        "000123",
        "1e3",
        "-0",
    ]


@pytest.mark.fault("X10")
@pytest.mark.parametrize("text", ["１２３", "๑๒๓", "٣", "5²"])
def test_other_scripts_have_their_remedy(text):
    """`use 0-9`."""
    assert mapped({"Amount": text}).problems[0][0].remedy.startswith("use 0-9")


@pytest.mark.fault("X09", "X11")
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("0", "amount-not-positive"),
        ("-0", "amount-not-positive"),
        ("0.00", "amount-not-positive"),
        ("-5.00", "amount-not-positive"),
        ("NaN", "number-format"),
        ("inf", "number-format"),
        ("1e400", "number-format"),
        ("90071992547409.93", "amount-too-large"),
        (str(2**63), "amount-too-large"),
        ("1" + "0" * 30, "amount-too-large"),
    ],
)
def test_amounts_out_of_range(text, rule):
    """Nothing, less than nothing and more than is exact are all rejected."""
    assert rules(mapped({"Amount": text})) == [("Amount", rule)]


@pytest.mark.fault("X12")
@pytest.mark.parametrize(
    ("text", "currency", "unit", "rule"),
    [
        ("10.5", "JPY", "major", "too-many-decimals"),
        ("1.005", "THB", "major", "too-many-decimals"),
        ("10.5", "THB", "minor", "not-whole"),
    ],
)
def test_surplus_decimals(text, currency, unit, rule):
    """Never rounded."""
    result = mapped(
        {"Amount": text, "Cur": currency}, fields={"amount": FromColumn("Amount", unit)}
    )
    assert rules(result) == [("Amount", rule)]


def test_units_and_mixed_currencies():
    """Every row by the decimals of its own currency; minor units are whole already."""
    rows = [{"Amount": "5", "Cur": code} for code in ("THB", "jpy", "idr", "JPY")]
    assert [document["amount"] for document in mapped(*rows).documents] == [
        500,
        5,
        500,
        5,
    ]
    minor_units = mapped(*rows, fields={"amount": FromColumn("Amount", "minor")})
    assert [document["amount"] for document in minor_units.documents] == [5, 5, 5, 5]
    assert (
        mapped({}, fields={"amount": FromValue("19.99", "major")}).documents[0][
            "amount"
        ]
        == 1999
    )


@pytest.mark.fault("X13")
@pytest.mark.parametrize("text", ["Thb", "KWD", "DEM", "baht", "฿", "ＴＨＢ"])
def test_unknown_currencies(text):
    """Only a known code, in capitals or small letters; the amount is not blamed for it."""
    result = mapped({"Cur": text})
    assert rules(result) == [("Cur", "unknown-currency")]
    assert result.unmapped[0] == {"currency", "amount"}
    assert result.incomplete == {0}


@pytest.mark.fault("X13")
def test_currency_travels_in_small_letters():
    """And an empty one is left to the schema, while a bad amount beside it is told at once."""
    result = mapped(
        {"Cur": "THB"}, {"Cur": "thb"}, {"Cur": ""}, {"Cur": "", "Amount": "x"}
    )
    assert [document.get("currency") for document in result.documents] == [
        "thb",
        "thb",
        None,
        None,
    ]
    assert [rules(result, at) for at in range(4)] == [
        [],
        [],
        [],
        [("Amount", "number-format")],
    ]


# --- identifiers

HIDDEN = [
    "\u200b",
    "\u200d",
    "\u00a0",
    "\u00ad",
    "\ufeff",
    "\u202e",
    "\u2066",
    "\u0000",
    "\t",
    "\u2028",
    "\u0085",
    "\u3164",
    "\u2060",
    "\U000e0041",
    "\ufe0f",
]


@pytest.mark.fault("X03")
@pytest.mark.parametrize("character", HIDDEN)
@pytest.mark.parametrize("column", ["No", "Shop", "Cust"])
def test_invisible_characters_in_ids(column, character):
    """Rejected, and shown as an escape that a person can see."""
    result = mapped(
        {"Cust": "cust_1"},
        {"Cust": "cust_1", column: f"A{character}1"},
        fields={"customer": FromColumn("Cust")},
    )
    assert rules(result, 1) == [(column, "invisible-character")]
    value = result.problems[1][0].value
    assert character not in value
    assert value.isascii()
    assert 0 not in result.problems


@pytest.mark.fault("X03", "X09")
@pytest.mark.parametrize("text", [" A1", "A1 ", "  ", "\u3000A1"])
def test_blanks_around_ids(text):
    """Never silently stripped, and made visible in the message."""
    result = mapped({"No": text})
    assert rules(result) == [("No", "surrounding-blanks")]
    assert " " not in result.problems[0][0].value


@pytest.mark.fault("X04", "X14")
@pytest.mark.parametrize(
    "text", ["a/b", "../..", "C:\\x", 'it\'s "so"', "cafe\u0301", "ร้าน 12", "😀", "A B"]
)
def test_odd_ids_are_ids(text):
    """Visible characters of any script stand as they are."""
    result = mapped({"No": text})
    assert result.documents[0]["order_id"] == text
    assert not result.problems


@pytest.mark.fault("H06")
def test_what_can_pay_is_never_shown_whole():
    """A message shows the last four characters of a token."""
    result = mapped(
        {"Card": "tokn_test_5abcdefghij\u200bklmnop"},
        fields={"card": FromColumn("Card")},
    )
    shown = result.problems[0][0].sentence()
    assert "5abc" not in shown
    assert "tokn_test_" in shown
    assert "\\u200b" in shown
    assert told("for src_test_5xyzxyzxyzxyz9876 now") == "for src_test_…9876 now"


# --- where texts come from

LOOKUP = FromLookup(
    "Shop",
    Path("/x/recipients.csv"),
    "shop",
    "recipient_id",
    {"North": "recp_1", "Twice": "recp_2", "Bare": "", "Odd": "recp_\u200b3"},
    frozenset({"Twice"}),
)


@pytest.mark.fault("X28")
@pytest.mark.parametrize(
    ("shop", "rule"),
    [
        ("North", None),
        ("", None),
        ("north", "lookup-missing"),
        ("North ", "lookup-missing"),
        ("Twice", "lookup-ambiguous"),
        ("Bare", "lookup-empty"),
        ("Odd", "invisible-character"),
    ],
)
def test_lookups_are_exact(shop, rule):
    """A key that is missing, ambiguous or without a value rejects the row and names the file."""
    result = mapped({"Shop": shop}, fields={"destination": LOOKUP})
    assert rules(result) == ([("Shop", rule)] if rule else [])
    assert result.documents[0].get("destination") == (
        "recp_1" if shop == "North" else None
    )
    if rule and rule.startswith("lookup"):
        assert "recipients.csv" in result.problems[0][0].remedy


@pytest.mark.fault("X25")
def test_templates_are_nothing_but_joined_cells():
    """No attribute, no index, no second pass over what a cell holds."""
    template = FromTemplate(("Order ", "No", " for ", "Shop", ""))
    result = mapped(
        {"No": "{Shop}", "Shop": "{0.__class__}"}, fields={"description": template}
    )
    assert result.documents[0]["description"] == "Order {Shop} for {0.__class__}"


@pytest.mark.fault("X25")
def test_templates_with_gaps():
    """All cells empty: no text. A gap in free text stays; a gap in an id is refused, as it may be
    another order's.
    """
    template = FromTemplate(("", "Shop", "-", "Branch", ""))
    rows = [
        {"Shop": "", "Branch": ""},
        {"Shop": "N", "Branch": ""},
        {"Shop": "N", "Branch": "2"},
    ]
    fields = {
        "order_id": template,
        "description": template,
        "destination": FromValue("recp_1"),
    }
    result = mapped(*rows, fields=fields)
    assert [document.get("order_id") for document in result.documents] == [
        None,
        None,
        "N-2",
    ]
    assert [document.get("description") for document in result.documents] == [
        None,
        "N-",
        "N-2",
    ]
    assert [rules(result, at) for at in range(3)] == [
        [],
        [("Branch", "template-empty")],
        [],
    ]


@pytest.mark.fault("X25")
def test_templates_have_a_limit():
    """A huge cell does not make a huge text."""
    template = FromTemplate(("", "Note", "", "Note", ""))
    result = mapped(
        {"Note": "x" * 600}, {"Note": "x"}, fields={"description": template}
    )
    assert rules(result) == [("Note", "template-too-long")]
    assert len(result.problems[0][0].value) < 100
    assert result.documents[1]["description"] == "xx"


def test_values_are_the_same_in_every_row():
    """A fixed currency needs no column."""
    result = mapped({}, {}, fields={"currency": FromValue("THB")})
    assert [document["currency"] for document in result.documents] == ["thb", "thb"]


def test_column_of_names_whom_to_blame():
    """The one column behind a field, or the field."""
    columns = Columns(
        {
            "order_id": FromColumn("No"),
            "currency": FromValue("THB"),
            "destination": LOOKUP,
            "description": FromTemplate(("", "A", "", "B", "")),
            "source": FromTemplate(("src_", "A", "")),
        },
        {"invoice": FromColumn("Inv")},
    )
    names = [
        "order_id",
        "currency",
        "destination",
        "description",
        "source",
        "metadata.invoice",
        "metadata.x",
        "card",
    ]
    assert [column_of(columns, name) for name in names] == [
        "No",
        "currency",
        "Shop",
        "description",
        "A",
        "Inv",
        "metadata.x",
        "card",
    ]


# --- beside the order


def test_what_the_reader_refused_is_told_once():
    """The reader's problem stays; the field behind it is left out and not blamed again."""
    problem = Problem("Amount", "1\\x00", plain("remove it"), "control-character")
    result = mapped({"Amount": "1\x00"}, {}, problems={0: (problem,)})
    assert result.problems == {0: (problem,)}
    assert "amount" not in result.documents[0]
    assert result.unmapped == {0: {"amount"}}
    assert result.documents[1]["amount"] == 1000


def test_coming_back_is_said_in_so_many_words():
    """yes, no or nothing; our other columns are ignored."""
    words = ["yes", "YES", "no", "", "y"]
    result = mapped(
        *({"batchpay_retry": word, "batchpay_reason": "x"} for word in words)
    )
    assert result.comeback == {0, 1}
    assert {at: rules(result, at) for at in result.problems} == {
        4: [("batchpay_retry", "yes-or-no")]
    }


def test_an_unknown_currency_alone_is_to_blame_for_decimals():
    """How many it has, nobody can say."""
    assert rules(mapped({"Cur": "XXX", "Amount": "1.555"})) == [
        ("Cur", "unknown-currency")
    ]


def test_a_column_of_empty_answers_and_a_lookup_without_gaps():
    """Nobody asked to come back; every key is known; an order without an amount is for the schema
    to judge.
    """
    lookup = FromLookup(
        "Shop", Path("shops.csv"), "shop", "id", {"recp_test_1": "recp_test_9"}
    )
    result = mapped({"batchpay_retry": ""}, fields={"destination": lookup})
    assert (
        result.comeback == frozenset()
        and result.documents[0]["destination"] == "recp_test_9"
    )
    bare = {name: source for name, source in CORE.items() if name != "amount"}
    (document,) = map_chunk(TextChunk([GOOD]), Columns(bare, {})).documents
    assert "amount" not in document


def test_an_empty_chunk_is_no_trouble():
    """Nothing in, nothing out."""
    chunk = TextChunk([])
    chunk.texts = lambda column: []
    result = map_chunk(chunk, Columns(CORE, {}))
    assert (result.documents, result.problems) == ([], {})


# --- ids that programs damaged, and rows that come back


def chunk(*rows, typed=None, problems=None):
    """A chunk of rows that differ from a good one."""
    return TextChunk(
        [{**GOOD, **row} for row in rows], problems or {}, typed=typed or {}
    )


@pytest.mark.fault("J08")
def test_what_no_id_can_be_is_refused_unless_the_job_accepts_it():
    """By its text or its type; a cell that the reader has blamed is told once."""
    blamed = {
        3: (Problem("No", "#REF!", plain("x"), "error-cell"),),
        4: (Problem("Note", "x", plain("x"), "x"),),
    }
    some = chunk(
        {},
        {"No": "nan"},
        {"No": "2025-03-01"},
        {"No": "#REF!"},
        {"No": "null"},
        {"No": ""},
        {"No": "A7"},
        typed={"No": {2: "date", 6: "unknown"}},
        problems=blamed,
    )
    result = map_chunk(some, Columns(CORE, {}))
    assert [rules(result, at) for at in range(7)] == [
        [],
        [("No", "not-a-number")],
        [("No", "date-cell")],
        [("No", "error-cell")],
        [("Note", "x"), ("No", "no-value")],
        [],
        [],
    ]
    assert [document.get("order_id") for document in result.documents] == [
        "A1",
        *[None] * 5,
        "A7",
    ]
    taken = map_chunk(some, Columns(CORE, {}), "accept")
    assert [document.get("order_id") for document in taken.documents] == [
        "A1",
        "nan",
        "2025-03-01",
        None,
        "null",
        None,
        "A7",
    ]


@pytest.mark.fault("J08")
def test_a_cell_that_feeds_two_fields_is_blamed_once():
    """The order id and the key of a lookup, from one column."""
    fields = {
        "order_id": FromTemplate(("", "Shop", "-", "No", "")),
        "destination": LOOKUP,
    }
    result = mapped({"Shop": "nan"}, {"Shop": "North"}, fields=fields)
    assert rules(result) == [("Shop", "not-a-number")]
    assert result.unmapped[0] == {"order_id", "destination"}
    assert result.documents[1]["order_id"] == "North-A1"


BATCH = "2025-11-24-0123456789ab"


def back(own, cell, row=7, **changes):
    """A row that comes back."""
    ours = {
        "batchpay_batch": BATCH,
        "batchpay_row": str(row),
        "batchpay_id": told_id(own, BATCH, "", row),
    }
    return {"No": cell, **ours, **changes}


@pytest.mark.fault("J08")
def test_rows_that_come_back_have_their_own_ids():
    """Damaged ones are mended with what the reader held against them; another id, or a damaged
    batchpay_id, stays.
    """
    problems = {
        1: (
            Problem("No", "1e18", plain("x"), "number-not-exact"),
            Problem("Note", "x", plain("x"), "x"),
        ),
        2: (Problem("No", "x", plain("x"), "number-not-exact"),),
        3: (Problem("No", "x", plain("x"), "control-character"),),
    }
    given = chunk(
        back("007", "7"),
        back("123456789012345678", "123456789012345000"),
        back("A3", "A3"),
        back("A4", "A4 "),
        back("A5", "B5"),
        back("A6", "6", batchpay_id="id:A6:0000"),
        back("3-1", "2025-03-01"),
        back("", "A8"),
        typed={"No": {6: "date"}},
        problems=problems,
    )
    result = map_chunk(given, Columns(CORE, {"note": FromColumn("No")}))
    ids = [document.get("order_id") for document in result.documents]
    assert ids == ["007", "123456789012345678", "A3", None, "B5", "6", "3-1", "A8"]
    assert result.documents[0]["metadata"] == {"note": "007"}
    assert result.restored == (0, 1, 3, 6)
    assert [rules(result, at) for at in range(4)] == [
        [],
        [("Note", "x")],
        [],
        [("No", "control-character")],
    ]
    assert result.chunk is given
    assert result.doubtful == {1}
    mended, *_ = _with_own_ids(given, CORE["order_id"])
    assert (mended.sheet, mended.columns, mended.rows) == (
        given.sheet,
        given.columns,
        given.rows,
    )
    assert mended.cells() == given.cells()
    assert (
        map_chunk(given, Columns({**CORE, "order_id": FromValue("A")}, {})).restored
        == ()
    )


def test_rows_that_come_back_say_which_they_correct():
    """Where all that names it is as it was told."""
    given = chunk(
        back("A1", "A1"), back("A2", "A2", batchpay_row="8"), back("A3", "A3", 9)
    )
    result = map_chunk(given, Columns(CORE, {}))
    assert result.corrects == {0: place_of(BATCH, "", 7), 2: place_of(BATCH, "", 9)}
    sheets = [{**row, "batchpay_sheet": "S"} for row in (back("A1", "A1"),)]
    assert map_chunk(chunk(*sheets), Columns(CORE, {})).corrects == {}
    assert mapped({}).corrects == {}


@pytest.mark.fault("X07", "X09")
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # amount, and the cell behind it, which nobody reads
        ([("45", "200.00"), ("99.50", ""), ("1200.00", "gift")], {0}),
        ([("45", "200.00"), ("1", "250.5"), ("7.00", "12")], {0, 1}),
        ([("45", "200.00"), ("99.50", "7.00")], set()),  # a column of money
        ([("45", "200.00"), ("99", "")], set()),  # whose amounts are whole
        ([("45", "200.00")], set()),
        ([("45", "200"), ("99.50", "")], set()),
        ([("4500", "200.00"), ("99.50", "")], set()),
    ],
)
def test_an_amount_whose_thousands_fell_into_the_next_cell_is_not_charged(
    rows: list[tuple[str, str]], expected: set[int]
) -> None:
    """45,200.00 without quotes, in a line whose last cell was left off, is no 45 baht."""
    cells = [
        {
            "No": f"A{at}",
            "Cur": "THB",
            "Shop": "recp_test_1",
            "Amount": amount,
            "Note": note,
        }
        for at, (amount, note) in enumerate(rows)
    ]
    found = map_chunk(TextChunk(cells), Columns(CORE, {}))
    assert found.problems.keys() == expected
    for at in expected:
        (problem,) = found.problems[at]
        assert problem.rule == "number-format"
        assert f'"{",".join(rows[at])}"' in str(problem.said)
    # as the reason says
    for at in expected:
        cells[at].update(Amount=",".join(rows[at]), Note="")
    assert not map_chunk(TextChunk(cells), Columns(CORE, {})).problems
    for at in expected:
        amount, note = rows[at]
        cells[at].update(Amount=f"{amount}.00", Note=note)
    assert not map_chunk(TextChunk(cells), Columns(CORE, {})).problems
