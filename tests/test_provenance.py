"""A row that came back is given an id only if it stands beside its own `batchpay_` columns; and ids
that a program damaged, a person corrected or history knows are told apart, against the true program
over real HTTP (J07, J08).
"""

from __future__ import annotations

import csv
from itertools import permutations
from typing import Any

import pytest

from batchpay.domain.lineage import told_id
from batchpay.domain.model import Document
from batchpay.intake.mapping import Mapped, map_chunk
from batchpay.intake.moved import moved_in
from batchpay.intake.provenance import held_against, unknown
from batchpay.job.job import Columns, FromColumn
from batchpay.lifecycle.places import place_of
from tests.inside import Inside
from tests.test_doors import night, rows, write
from tests.test_mapping import TextChunk
from tests.world import Market, order

MARKET = Inside

BATCH = "2025-11-24-0123456789ab"
COLUMNS = Columns(
    {
        "order_id": FromColumn("No"),
        "amount": FromColumn("Amount", "major"),
        "currency": FromColumn("Cur"),
        "destination": FromColumn("Shop"),
        "customer": FromColumn("Who"),
    },
    {},
)
# a spreadsheet makes one number of them
LONG = [f"20251124000001234{n}" for n in range(3)]


def cells(own: str, row: int, **changes: str) -> dict[str, str]:
    """A row as it was told: of each row another payer and amount."""
    told = {
        "batchpay_batch": BATCH,
        "batchpay_row": str(row),
        "batchpay_id": told_id(own, BATCH, "", row),
    }
    return (
        {
            "No": own,
            "Amount": f"{row}00.00",
            "Cur": "THB",
            "Shop": "recp_1",
            "Who": f"cust_{row}",
        }
        | told
        | changes
    )


def judged(first: list[dict[str, str]], back: list[dict[str, str]]) -> Mapped:
    """What came back, held against what was there first."""
    documents = map_chunk(TextChunk(first), COLUMNS).documents
    known = {
        place_of(BATCH, "", int(row["batchpay_row"])): d
        for row, d in zip(first, documents, strict=True)
    }
    return held_against(map_chunk(TextChunk(back), COLUMNS), COLUMNS, known.get)


def moved(told: list[dict[str, str]], order_: tuple[int, ...]) -> list[dict[str, str]]:
    """The rows sorted in another order, the columns of ours left where they were."""
    ours = ("batchpay_batch", "batchpay_row", "batchpay_id")
    return [
        told[at] | {name: told[to][name] for name in ours}
        for to, at in enumerate(order_)
    ]


def rules(mapped: Mapped) -> list[list[str]]:
    return [
        [problem.rule for problem in mapped.problems.get(at, ())]
        for at in range(len(mapped.documents))
    ]


def ids(mapped: Mapped) -> list[Any]:
    return [document.get("order_id") for document in mapped.documents]


# --- sorted without our columns


@pytest.mark.fault("J08")
@pytest.mark.parametrize("cell", ["", "#REF!", "202511240000012000", "2.02511E+17"])
@pytest.mark.parametrize("order_", list(permutations(range(3)))[1:])
def test_a_lost_id_is_not_taken_from_beside_another_row(
    cell: str, order_: tuple[int, ...]
) -> None:
    """All ids are lost and the rows stand elsewhere: those that moved have no id, and correct
    nobody.
    """
    told = [cells(own, 2 + n) for n, own in enumerate(LONG)]
    back = judged(told, [row | {"No": cell} for row in moved(told, order_)])
    stayed = [to == at for to, at in enumerate(order_)]
    assert ids(back) == [
        own if same else None for own, same in zip(LONG, stayed, strict=True)
    ]
    assert rules(back) == [[] if same else ["lost-id"] for same in stayed]
    assert (
        set(back.corrects)
        == {at for at, same in enumerate(stayed) if same}
        == set(back.restored)
    )
    assert all(
        "write the order id itself" in p.remedy
        for some in back.problems.values()
        for p in some
    )


@pytest.mark.fault("J08")
@pytest.mark.parametrize("order_", list(permutations(range(3)))[1:])
def test_whole_ids_beside_the_columns_of_other_rows(order_: tuple[int, ...]) -> None:
    """1001-2 beside the columns of 1001-1 is no correction of it."""
    told = [cells(f"1001-{n}", 1 + n) for n in (1, 2, 3)]
    back = judged(told, moved(told, order_))
    stayed = [to == at for to, at in enumerate(order_)]
    assert ids(back) == [told[at]["No"] for at in order_]
    assert rules(back) == [[] if same else ["another-row"] for same in stayed]
    assert set(back.corrects) == {at for at, same in enumerate(stayed) if same}


@pytest.mark.fault("J08")
def test_a_date_that_could_be_two_ids_is_not_swapped() -> None:
    """1-Mar is 3-1 in one country and 1-3 in another: the other cells say which."""
    told = [cells("3-1", 2), cells("1-3", 3)]
    assert ids(judged(told, [row | {"No": "1-Mar"} for row in told])) == ["3-1", "1-3"]
    swapped = judged(told, [row | {"No": "1-Mar"} for row in moved(told, (1, 0))])
    assert rules(swapped) == [["another-row"], ["another-row"]]


# --- corrected in place


@pytest.mark.fault("J08")
@pytest.mark.parametrize(
    "changes", [{"Who": "cust_9"}, {"Amount": "9.00"}, {"Shop": "recp_9"}]
)
def test_a_corrected_row_keeps_its_lost_id(changes: dict[str, str]) -> None:
    """One cell corrected, the others say which row it is."""
    told = [cells(own, 2 + n) for n, own in enumerate(LONG)]
    for cell in ("", "202511240000012000"):
        back = judged(told, [row | {"No": cell, **changes} for row in told])
        assert (ids(back), rules(back)) == (LONG, [[], [], []])


@pytest.mark.fault("J08")
def test_an_id_that_the_cell_tells_is_given_back_whatever_else_was_corrected() -> None:
    """Zeros lost, payer and amount corrected, even to those of another row."""
    told = [cells("0000001", 2), cells("0000002", 3)]
    back = [
        told[0] | {"No": "1", "Who": "cust_3", "Amount": "9.00"},
        told[1] | {"No": "2", "Who": "cust_8"},
    ]
    assert (ids(judged(told, back)), rules(judged(told, back))) == (
        ["0000001", "0000002"],
        [[], []],
    )
    whole = [
        told[0] | {"Who": "cust_8", "Amount": "9.00"},
        told[1] | {"Who": "cust_2", "Amount": "200.00"},
    ]
    assert rules(judged(told, whole)) == [[], []]


@pytest.mark.fault("J08")
def test_what_nothing_tells_is_asked_for() -> None:
    """Of the row everything else was corrected too, or nothing could be read of it, or its place is
    gone.
    """
    told = [cells("A1", 2, Amount="x", Cur="", Shop="", Who=""), cells("A2", 3)]
    lost = [
        told[0] | {"No": "", "Who": "cust_9"},
        told[1] | {"No": "", "Who": "cust_8", "Amount": "8.00"},
    ]
    assert (
        rules(judged(told, lost))[0][-1]
        == rules(judged(told, lost))[1][-1]
        == "lost-id"
    )
    alone = judged(told[1:], [told[1] | {"No": "", "Who": "cust_8"}])
    assert (ids(alone), rules(alone)) == (["A2"], [[]])
    displaced = judged(told[1:], [told[1] | {"No": "#N/A", "batchpay_row": "4"}])
    assert (ids(displaced), rules(displaced)) == ([None], [["torn-row", "lost-id"]])


@pytest.mark.fault("J08")
def test_a_correction_of_the_id_alone_is_one() -> None:
    """Another id, or one where there was none, beside the same cells."""
    told = [cells("1001-1", 2), cells("1001-1", 3), cells("", 4)]
    back = judged(
        told,
        [
            told[0],
            told[1] | {"No": "1001-2"},
            told[2] | {"No": "1001-3", "Amount": "1.00"},
        ],
    )
    assert (ids(back), rules(back)) == (["1001-1", "1001-2", "1001-3"], [[], [], []])
    assert set(back.corrects) == {0, 1, 2}


def test_without_a_journal_what_came_back_is_taken_as_it_stands() -> None:
    """There is nothing to hold it against; and a file without our columns is left alone."""
    told = [cells("A1", 2)]
    mapped = map_chunk(TextChunk([told[0] | {"No": ""}]), COLUMNS)
    assert held_against(mapped, COLUMNS, unknown) is mapped
    plain: list[Document] = map_chunk(
        TextChunk([{k: told[0][k] for k in list(told[0])[:5]}]), COLUMNS
    ).documents
    assert plain[0]["order_id"] == "A1"


# --- through the program


def rejects(market: Market) -> list[dict[str, str]]:
    """The rows that the last night sent back."""
    newest = max(
        (market.folder / "reports").glob("*/rejects.csv"),
        key=lambda path: path.stat().st_mtime_ns,
    )
    with newest.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def send(market: Market, name: str, lines: list[dict[str, str]]) -> int:
    """One night with one file of these rows."""
    write(market, name, lines)
    market.job(file=name)
    return night(market)


@pytest.mark.fault("J08")
def test_an_id_that_a_person_corrected_is_not_turned_back(market: Market) -> None:
    """Two rows carry 1001-1 by a typing error: the second comes back as 1001-2 and is charged as
    that.
    """
    twice = [order(1, order_id="1001-1"), order(2, order_id="1001-1")]
    assert send(market, "a.csv", twice) == 10
    back = rejects(market)
    assert send(market, "b.csv", [back[1] | {"order_id": "1001-2"}]) == 0
    assert market.money() == {"1001-2": 1}


@pytest.mark.fault("J08", "J07")
def test_a_rejects_file_sorted_without_our_columns_charges_no_order_for_another(
    market: Market,
) -> None:
    """Told as rejected with a remedy; done as it says, each order is charged what its row asks
    for.
    """
    given = [order(n, order_id=f"1001-{n}", amount="1,2,3") for n in (1, 2)]
    assert send(market, "a.csv", given) == 10
    first, second = (
        line | {"amount": f"{n}00.00"} for n, line in enumerate(rejects(market), 1)
    )
    own = list(order(1))
    mixed = [
        {name: (a if name in own else b)[name] for name in a}
        for a, b in ((second, first), (first, second))
    ]
    assert send(market, "b.csv", mixed) == 10
    assert market.money() == {}
    assert {row["outcome"] for row in rows(market).values()} == {"rejected"}
    assert "sorted without" in rejects(market)[0]["batchpay_reason"]
    cleared = [
        line | {name: "" for name in line if name.startswith("batchpay_")}
        for line in mixed
    ]
    assert send(market, "c.csv", cleared) == 0
    assert {c["metadata"]["order_id"]: c["amount"] for c in market.own_charges()} == {
        "1001-1": 10000,
        "1001-2": 20000,
    }


@pytest.mark.fault("J07", "J08")
def test_history_says_which_of_two_look_alikes_is_right(market: Market) -> None:
    """0000001 was charged: beside a file with 1 it is still itself, and 1 is told to write it."""
    assert send(market, "a.csv", [order(1, order_id="0000001"), order(2)]) == 0
    write(market, "b-1.csv", [order(5, order_id="1"), order(3)])
    write(
        market,
        "b-2.csv",
        [order(1, order_id="0000001"), order(6, order_id="0000001"), order(4)],
    )
    market.job(file="b-*.csv")
    assert night(market) == 10
    found = {(row["file"], row["row"]): row for row in market.results()}
    right, other, wrong = (
        found["b-2.csv", "2"],
        found["b-2.csv", "3"],
        found["b-1.csv", "2"],
    )
    assert (right["outcome"], other["outcome"], wrong["outcome"]) == (
        "conflict",
        "conflict",
        "conflict",
    )
    assert "stands in row 3" in right["reason"] and "other content" in other["reason"]
    assert "order 0000001" in wrong["reason"] and "write 0000001" in wrong["reason"]
    write(market, "b-2.csv", [order(1, order_id="0000001"), order(4)])
    assert night(market) == 10
    found = {
        (row["batch_id"], row["row"]): row
        for row in market.results()
        if row["file"] == "b-2.csv"
    }
    assert [
        row["outcome"] for row in found.values() if row["order_id"] == "0000001"
    ].count("duplicate") == 1
    market.agree()
    assert market.money() == {"0000001": 1, "00002": 1, "00003": 1, "00004": 1}


@pytest.mark.fault("J07")
def test_a_conflict_that_comes_after_a_charge_is_not_settled_by_it(
    market: Market,
) -> None:
    """Declined, corrected and charged; then the same order id for another sum: it is open, and the
    night is 10.
    """
    declined = order(1, card="tokn_test_sandbox000040011")
    assert send(market, "a.csv", [declined]) == 10
    assert send(market, "b.csv", [rejects(market)[0] | {"card": order(1)["card"]}]) == 0
    assert (
        send(
            market,
            "c.csv",
            [order(1, amount="250.00", card=order(7)["card"]), order(2)],
        )
        == 10
    )
    (late,) = (
        row
        for row in market.results()
        if row["file"] == "c.csv" and row["order_id"] == "00001"
    )
    assert (late["outcome"], late["settled_by"]) == ("conflict", "")
    market.job(file="a.csv")
    assert night(market) == 0
    (first,) = (row for row in market.results() if row["file"] == "a.csv")
    assert first["outcome"] == "declined" and "succeeded" in first["settled_by"]


# --- one column without the rest


def paid_by(*payers: str) -> list[bool]:
    """What is told of rows of which the payers alone came back as these; -: the row did not."""
    told = [cells(f"A-{n}", n) for n in range(2, 2 + len(payers))]
    both = zip(told, payers, strict=True)
    mapped = judged(told, [row | {"Who": who} for row, who in both if who != "-"])
    return ["moved-cells" in some for some in rules(mapped)]


@pytest.mark.fault("J14", "E05")
@pytest.mark.parametrize(
    ("payers", "moved"),
    [
        # sorted, and one of them corrected
        (("cust_5", "cust_4", "cust_9", "cust_2"), [True] * 4),
        # a cell deleted, and the rest shifted up; one put in, and the rest shifted down
        (("cust_3", "cust_4", "cust_5", ""), [True, True, True, False]),
        (("", "cust_2", "cust_3", "cust_4"), [False, True, True, True]),
        # a row deleted, and the column sorted
        (("-", "cust_5", "cust_4", "cust_3", "cust_2"), [True, False, True, True]),
        # filled down, and one of them corrected
        (
            ("cust_2", "cust_2", "cust_2", "cust_2", "cust_9"),
            [False, *[True] * 3, False],
        ),
        # as it was; some corrected; one that has another's
        (("cust_2", "cust_3", "cust_4", "cust_5"), [False] * 4),
        (("cust_7", "cust_8", "cust_4", "cust_5"), [False] * 4),
        (("cust_3", "cust_3", "cust_4", "cust_9"), [False] * 4),
    ],
)
def test_cells_of_one_column_that_moved_are_told_whatever_else_was_changed(
    payers: tuple[str, ...], moved: list[bool]
) -> None:
    """As soon as two hold what others have lost."""
    assert paid_by(*payers) == moved


@pytest.mark.fault("J14", "E05")
def test_a_column_that_moved_in_one_chunk_has_moved_in_the_next() -> None:
    """The values of its cells may stand in another chunk."""
    told = [cells(f"A-{n}", n) for n in (2, 3)]
    held = {
        place_of(BATCH, "", int(row["batchpay_row"])): d
        for row, d in zip(
            told, map_chunk(TextChunk(told), COLUMNS).documents, strict=True
        )
    }
    chunk = TextChunk([told[0] | {"Who": "cust_99"}, told[1]])
    for known, found in (((), [[], []]), ({"Who"}, [["moved-cells"], []])):
        mapped = map_chunk(chunk, COLUMNS)
        back = held_against(mapped, COLUMNS, held.get, known_moved=known)
        assert rules(back) == found
        assert moved_in(back) == set(known)


# --- words that are sent beside the money

WORDED = Columns({**COLUMNS.fields}, {"ref": FromColumn("Ref")})


def ref_of(was: str, cell: str) -> Any:
    """What is sent as `ref` of a row that had one word and comes back with another."""
    first = map_chunk(TextChunk([cells("A-1", 2) | {"Ref": was}]), WORDED)
    known = {place_of(BATCH, "", 2): first.documents[0]}
    back = map_chunk(TextChunk([cells("A-1", 2) | {"Ref": cell}]), WORDED)
    mapped = held_against(back, WORDED, known.get)
    (document,) = mapped.documents
    assert document.get("metadata") is None or set(document["metadata"]) <= {"ref"}
    return (document.get("metadata") or {}).get("ref", "")


@pytest.mark.fault("J07")
@pytest.mark.parametrize(
    ("was", "cell"),
    [
        ("007", "7"),
        ("12345678901234567890", "1.23457E+19"),
        ("12345678901234567890", "1.2345678901234567e+19"),
        ("1234567890123456", "1234567890123450"),
        ("1e5", "1.00E+05"),
        ("", "nan"),
        ("", "<NA>"),
        ("", "None"),
        ("N/A", ""),
        ("NULL", ""),
        ("é", "Ã©"),
        ("=a", "#NAME?"),
        ("x\ny", "x y"),
        ("\u201cq\u201d", '"q"'),
    ],
)
def test_a_word_that_only_programs_changed_is_the_one_that_stood_there(
    was: str, cell: str
) -> None:
    """Nobody meant it: it would ask a declined card again, and be sent damaged."""
    assert ref_of(was, cell) == was


@pytest.mark.fault("J07")
@pytest.mark.parametrize(
    ("was", "cell"),
    [("gift", ""), ("", "gift"), ("gift", "present"), ("7", "8"), ("N/A", "gift")],
)
def test_a_word_that_a_person_changed_stays_changed(was: str, cell: str) -> None:
    """Taken out, written in, or another one."""
    assert ref_of(was, cell) == cell
