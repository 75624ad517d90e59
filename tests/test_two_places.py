"""One rejected row, corrected in two places: in the rejects file that we sent back, and in the file
in which it stood. It is one row, and one sale.

Each test is a story of nights of the true program over real HTTP.
"""

from __future__ import annotations

import csv
import shutil

import pytest

from batchpay.commands.plan import plan
from batchpay.job.load import load_job
from tests.test_coming_back import found, rejected
from tests.test_sale import inbox, job, night, once, sale
from tests.world import Market

# --- what is refused is no rival of its own correction

NOTHING = "0.00"
LESS = "-100.00"


@pytest.mark.fault("J07", "E09")
@pytest.mark.parametrize("amount", [NOTHING, LESS])
@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize("new_id", ["00001", "R-1"])
def test_a_row_that_asked_for_nothing_is_no_rival_of_its_correction(
    market: Market, amount: str, names: str, new_id: str
) -> None:
    """Also where it is read beside it each night, whichever of the two files comes first."""
    original, back = names
    job(market)
    inbox(market, **{original: [sale(1, amount=amount), sale(2)]})
    assert night(market) == 10
    (told,) = rejected(market, original)
    inbox(market, **{back: [told | {"amount": "100.00", "order_id": new_id}]})
    night(market)
    once(market, 1, 2)
    (row,) = found(market, back)
    assert row["outcome"] == "succeeded", row
    night(market)
    once(market, 1, 2)
    assert found(market, original)[0]["settled_by"] != ""


@pytest.mark.fault("J07", "E09")
@pytest.mark.parametrize("amount", ["100.00", "90.00"])
@pytest.mark.parametrize("together", [True, False])
def test_it_is_a_rival_again_once_it_is_corrected_too(
    market: Market, amount: str, *, together: bool
) -> None:
    """With the same amount it is the same order, with another one the order is contested."""
    job(market)
    inbox(market, a=[sale(1, amount=NOTHING), sale(2)])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    back = told | {"amount": "100.00"}
    corrected = [sale(1, amount=amount), sale(2)]
    if together:
        inbox(market, a=corrected, b=[back])
    else:
        inbox(market, b=[back])
        night(market)
        inbox(market, a=corrected)
    night(market)
    once(market, *((2,) if together and amount == "90.00" else (1, 2)))
    outcomes = {row["outcome"] for name in "ab" for row in found(market, name)}
    assert ("conflict" in outcomes) == (amount == "90.00")


@pytest.mark.fault("J07", "E09")
def test_it_stays_the_rival_of_the_other_rows_of_its_file(market: Market) -> None:
    """What it came back as stands in the place of both, and goes once."""
    job(market)
    inbox(market, a=[sale(1), sale(1, amount=LESS), sale(2)])
    assert night(market) == 10
    (told,) = [row for row in rejected(market, "a") if row["batchpay_row"] == "3"]
    inbox(market, b=[told | {"amount": "100.00"}])
    for _ in range(2):
        night(market)
        once(market, 1, 2)
        assert found(market, "a")[0]["outcome"] == "conflict"


@pytest.mark.fault("J07", "E09")
@pytest.mark.parametrize("amount", [NOTHING, LESS])
def test_it_is_none_in_the_next_export_either(market: Market, amount: str) -> None:
    """A file that grows has the row that it always had; what only takes back a charge of a file
    that is gone is another row.
    """
    job(market)
    refused = sale(1, amount=amount)
    inbox(market, a=[refused, sale(2)])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    inbox(market, a=[refused, sale(2), sale(3)])
    inbox(market, b=[told | {"amount": "100.00"}])
    night(market)
    once(market, 1, 2, 3)


@pytest.mark.fault("J07", "E09")
def test_what_another_file_takes_back_is_contested(market: Market) -> None:
    """The row that takes it back is none that came back."""
    job(market)
    inbox(market, a=[sale(1, amount=NOTHING), sale(2)])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    inbox(market, b=[told | {"amount": "100.00"}], c=[sale(1, amount="-100.00")])
    assert night(market) == 10
    once(market, 2)


# --- one row under two ids

REFUSED = {"nothing": "", "a number of a program": "1.00E+03", "control": "A\u200b7"}


def first_night(market: Market, id_of: str) -> dict[str, str]:
    """The row that came back of a file with one of which nobody knows the id."""
    inbox(market, a=[sale(1, order_id=id_of), sale(2)])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    return told


@pytest.mark.fault("J07", "I1")
@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("grown", ["", "below", "above"])
def test_a_row_without_an_id_is_corrected_in_two_places(
    market: Market, refused: str, first: str, grown: str
) -> None:
    """In the rejects file and in its own file, under two ids: once, whichever comes first, also
    where its own file has grown since.
    """
    job(market)
    told = first_night(market, REFUSED[refused])
    own = [sale(1, order_id="1002"), sale(2)]
    lines = {"": own, "below": [*own, sale(3), sale(2)], "above": [sale(3), *own]}
    files = {
        "a": lines[grown],
        "b": [told | {"order_id": "A1002"}],
    }
    inbox(market, **{first: files.pop(first)})
    night(market)
    ((second, lines),) = files.items()
    inbox(market, **{second: lines})
    paid = [1, 2, 3] if grown else [1, 2]
    for _ in range(2):
        night(market)
        once(market, *paid)
    (row,) = [row for row in found(market, second) if row["order_id"].endswith("1002")]
    assert row["outcome"] == "duplicate", row


@pytest.mark.fault("J07", "I1")
@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.parametrize("names", ["ab", "ba"])
def test_both_corrections_in_one_run_are_a_conflict(
    market: Market, refused: str, names: str
) -> None:
    """As any two ids of one row; one of them goes when the other is taken away."""
    own, back = names
    job(market)
    inbox(market, **{own: [sale(1, order_id=REFUSED[refused]), sale(2)]})
    assert night(market) == 10
    (told,) = rejected(market, own)
    inbox(market, **{own: [sale(1, order_id="1002"), sale(2)]})
    inbox(market, **{back: [told | {"order_id": "A1002"}]})
    planned = plan(load_job(market.folder / "job.toml"))
    assert planned.outcomes["conflict"] == 2
    assert night(market) == 10
    once(market, 2)
    inbox(market, **{back: None})
    night(market)
    once(market, 1, 2)
    inbox(market, **{back: [told | {"order_id": "A1002"}]})
    night(market)
    once(market, 1, 2)


@pytest.mark.fault("J07", "J02", "I1")
@pytest.mark.parametrize("first", ["a", "b"])
def test_it_is_one_row_for_a_journal_that_was_restored(
    market: Market, first: str
) -> None:
    """The charge itself tells which row it corrects."""
    job(market)
    told = first_night(market, "")
    for name in ("state", "reports"):
        shutil.copytree(market.folder / name, market.folder / f"{name} of before")
    files = {
        "a": [sale(1, order_id="1002"), sale(2)],
        "b": [told | {"order_id": "A1002"}],
    }
    inbox(market, **{first: files.pop(first)})
    night(market)
    for name in ("state", "reports"):
        shutil.rmtree(market.folder / name)
        shutil.copytree(market.folder / f"{name} of before", market.folder / name)
    inbox(market, **files)
    night(market)
    night(market)
    once(market, 1, 2)


@pytest.mark.fault("J07", "I1")
def test_a_row_that_is_rejected_in_every_export_came_back_for_all_of_them(
    market: Market,
) -> None:
    """The rejects file of any of them is of the one row; who corrected it once is asked no more."""
    job(market)
    first = first_night(market, "")
    refused = sale(1, order_id="")
    inbox(market, a=[refused, sale(2), sale(3)])
    assert night(market) == 10
    (told,) = rejected_now(market)
    inbox(market, b=[first | {"order_id": "A1002"}])
    assert night(market) == 0
    once(market, 1, 2, 3)
    inbox(market, b=[told | {"order_id": "B1002"}])
    night(market)
    inbox(market, a=[sale(1, order_id="1002"), sale(2), sale(3), sale(4)])
    night(market)
    once(market, 1, 2, 3, 4)


@pytest.mark.fault("J07", "I1", "I3")
@pytest.mark.parametrize("invoice", ["INV-1", "INV-7"])
@pytest.mark.parametrize("first", ["a", "b"])
def test_a_file_of_that_row_alone_is_known_by_all_its_cells(
    market: Market, first: str, invoice: str
) -> None:
    """Also by those that the job does not read: a file of the same name with another order goes."""
    job(market, metadata="")
    inbox(market, a=[sale(1, order_id="")])
    assert night(market) == 10
    (told,) = rejected(market, "a")
    files = {
        "a": [sale(1, order_id="1002", invoice=invoice)],
        "b": [told | {"order_id": "A1002"}],
    }
    inbox(market, **{first: files.pop(first)})
    night(market, yes=True)
    inbox(market, **files)
    night(market, yes=True)
    assert sum(market.money().values()) == (1 if invoice == "INV-1" else 2)


def rejected_now(market: Market) -> list[dict[str, str]]:
    """The rows of the youngest rejects file."""
    paths = (market.folder / "reports").glob("*/rejects.csv")
    youngest = max(paths, key=lambda path: path.stat().st_mtime_ns)
    with youngest.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


# --- honest nights


@pytest.mark.fault("J07", "I3")
@pytest.mark.parametrize(
    "other", ["moved", "before it", "written anew", "equal", "in the original"]
)
def test_what_is_another_row_goes(market: Market, other: str) -> None:
    """Another order in its place, also one that asks for the same; a file of the same name with
    other orders, of the same payers for the same money; two equal orders with own ids; and a row
    that nobody sends back.
    """
    job(market, metadata="")
    told = first_night(market, "")
    same = sale(1, order_id="1002")
    lines = {
        "moved": [sale(3), same | {"amount": "55.00"}, sale(2)],
        "before it": [same, sale(1, order_id=""), sale(2)],
        "written anew": [same, sale(2, order_id="00012")],
        "equal": [sale(1, order_id=""), sale(2), same, same | {"order_id": "1003"}],
        "in the original": [same, sale(2)],
    }[other]
    if other != "in the original":
        inbox(market, b=[told | {"order_id": "A1002"}])
    inbox(market, a=lines)
    night(market, yes=True)
    wanted = {line["order_id"] for line in lines} - {""} | {"00002"}
    if other != "in the original":
        wanted.add("A1002")
    assert market.money() == dict.fromkeys(wanted, 1)
