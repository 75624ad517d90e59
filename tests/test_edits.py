"""An edit of the job, or of a lookup file, answers no question and tells no other sale
(never-twice.md): where ids, jobs or metadata do not tell whether a row was charged, neither does
what today's job makes of the row.

Each test is a story of nights of the true program over real HTTP. The rows do not change by a byte.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

import pytest

from batchpay.commands import cancel as cancelling
from batchpay.commands import resolve as resolving
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from tests.doses import pairs
from tests.test_doors import night as without_plan
from tests.test_doors import read, rows
from tests.test_sale import A, R, inbox, job, night, once, sale
from tests.world import KEY, Market

SHOPS = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
# what the night's job says of rows from now on
EDITS = {
    "lookup": {},
    "constant": {"destination": '{ value = "recp_test_sandbox6" }'},
    "amount column": {"amount": '{ column = "amount2", unit = "major" }'},
    "unit": {"amount": '{ column = "whole", unit = "minor" }'},
    "currency": {
        "currency": '{ value = "JPY" }',
        "amount": '{ column = "whole", unit = "major" }',
    },
    "payer and amount": {
        "amount": '{ column = "amount2", unit = "major" }',
        "customer": '{ value = "cust_test_another" }',
    },
}
# those by which a charge of another night is told from no sale of a known payer
OF_RECIPIENTS = ["lookup", "constant"]


def row(number: int, **changes: str) -> dict[str, str]:
    """One sale of a shop, with more than one number in it that could be its amount."""
    more = {"recipient": f"S{number}", "amount": f"{100 + number}.00"}
    return sale(
        number, **{**more, "amount2": f"{200 + number}.00", "whole": "5000", **changes}
    )


def shops(market: Market, to: int) -> None:
    """Which recipient each shop has: all are new where `to` is another."""
    lines = [
        f"S{number},recp_test_sandbox{(number + to) % 7}\n" for number in range(10)
    ]
    (market.folder / "shops.csv").write_text("shop,id\n" + "".join(lines), "utf-8")


def edit(market: Market, what: str, column: str = A, **changes: str) -> None:
    """The job as somebody edits it; `changes`: what else it says since before."""
    shops(market, 1 if what == "lookup" else 0)
    job(market, column, **{"destination": SHOPS, **EDITS[what], **changes})


def begun(market: Market, **files: list[dict[str, str]]) -> None:
    """The first night, before anything is edited."""
    shops(market, 0)
    job(market, destination=SHOPS)
    inbox(market, **files)
    assert night(market) == 0


def lose_metadata(market: Market) -> None:
    """Nothing at the gateway says any more whose a charge is."""
    for ledger in market.sandbox.store.ledgers.values():
        for charge in ledger.shelves["charge"].values():
            charge.metadata = {}


FIRST = [row(1), row(2)]


def under_other_ids(market: Market) -> dict[str, str]:
    """The ids of the whole export are made of another column since, and rows wait for a word."""
    begun(market, a=FIRST)
    job(market, R, destination=SHOPS)
    inbox(market, a=None, b=[*FIRST, row(3)])
    assert night(market) == 11
    return {"column": R}


def by_an_id_that_another_row_had(market: Market) -> dict[str, str]:
    """A file tells that a row of an id of today had the id of a charge, and the file of that charge
    is away.
    """
    again = [row(1), row(3)]
    begun(market, a=FIRST)
    inbox(market, b=again)
    assert night(market) == 0
    job(market, R, destination=SHOPS)
    inbox(market, a=None, b=None, c=[row(1), row(4)])
    assert night(market) == 11
    inbox(market, b=again)
    assert night(market) == 11
    inbox(market, b=None)
    assert night(market) == 11
    assert "had the id of order" in rows(market)["INV-1"]["reason"]
    return {"column": R}


def by_its_likeness(market: Market) -> dict[str, str]:
    """A file under new ids is refused."""
    begun(market, a=[*FIRST, row(3)])
    again = [row(n, order_id=f"N{n}") for n in (1, 2, 3)]
    inbox(market, a=None, b=again)
    assert night(market) == 65
    return {}


def beside_nameless_charges(market: Market) -> dict[str, str]:
    """The journal is lost, and charges lost their metadata."""
    begun(market, a=[*FIRST, row(3)])
    lose_metadata(market)
    shutil.rmtree(market.folder / "state")
    assert without_plan(market, adopt=True) == 11
    return {}


def by_dashes(market: Market) -> dict[str, str]:
    """A program wrote other dashes into ids."""
    begun(market, a=[row(n, order_id=f"A-{n}") for n in (1, 2, 3)])
    again = [row(n, order_id=f"A\u2013{n}") for n in (1, 2)]
    inbox(market, a=None, b=[*again, row(4), row(5), row(6), row(7)])
    assert night(market) == 10
    assert rows(market)["A\u20131"]["outcome"] == "conflict"
    return {}


def near_a_recent_order(market: Market) -> dict[str, str]:
    """The job holds what a recent order asked."""
    market.settings["more"] = '[controls]\nnear_duplicates = "hold"\n'
    begun(market, a=[*FIRST, row(3)])
    again = [row(n, order_id=f"N{n}") for n in (1, 2)]
    inbox(market, b=[*again, row(4), row(5), row(6), row(7)])
    assert night(market) == 11
    assert rows(market)["N1"]["outcome"] == "held"
    return {}


def beside_a_cancelled_order(market: Market) -> dict[str, str]:
    """A person cancelled an order under an id of another column."""
    shops(market, 0)
    job(market, destination=SHOPS)
    inbox(market, a=[row(1), row(2), row(3), row(8)])
    assert night(market, limit=3) == 11
    cancelling.cancel(load_job(market.folder / "job.toml"), "00008", "fraud")
    job(market, R, destination=SHOPS)
    inbox(market, a=None, b=[row(8)])
    assert night(market) == 11
    assert "a person cancelled" in rows(market)["INV-8"]["reason"]
    return {"column": R}


QUESTIONS: dict[str, Callable[[Market], dict[str, str]]] = {
    "ids of another column": under_other_ids,
    "an id that another row had": by_an_id_that_another_row_had,
    "likeness": by_its_likeness,
    "nameless charges": beside_nameless_charges,
    "dashes": by_dashes,
    "near": near_a_recent_order,
    "cancelled": beside_a_cancelled_order,
}


@pytest.mark.fault("J13", "J06")
@pytest.mark.parametrize(("question", "edited"), pairs([*QUESTIONS], [*EDITS], 2))
def test_an_edit_answers_no_question(
    market: Market, question: str, edited: str
) -> None:
    """What waits for a person's word waits for it, whatever the job makes of its rows since."""
    said = QUESTIONS[question](market)
    before = market.posts()
    edit(market, edited, **said)
    assert night(market) not in (0, 70)
    assert market.posts() == before


# of rows one by one
OF_ROWS = [
    "ids of another column",
    "an id that another row had",
    "nameless charges",
    "cancelled",
]


@pytest.mark.fault("J07", "J13", "I1")
@pytest.mark.parametrize(
    ("question", "edited"), pairs(OF_ROWS, ["", "amount column", "payer and amount"])
)
def test_the_next_file_answers_no_question_either(
    market: Market, question: str, edited: str
) -> None:
    """A person is asked about an order: it waits in the next file, too, whatever its cells or the
    job make of it there. What is new beside it goes; a word lets all go.
    """
    said = QUESTIONS[question](market)
    before = market.posts()
    if edited:
        edit(market, edited, **said)
    folder = market.folder / "inbox"
    names = sorted(path.stem for path in folder.glob("*.csv"))
    lines = [one for name in names for one in read(market, f"inbox/{name}.csv")]
    if not edited:
        lines = [{**one, "amount": "77.00"} for one in lines]
    waits = {r["order_id"] for r in market.results() if r["outcome"] == "held"}
    inbox(market, **dict.fromkeys(names), next=[*lines, row(9)])
    assert night(market) == 11
    assert market.posts() == before + 1
    if question != "nameless charges":  # about which a person says something else
        inbox(market, next=lines)
        night(market, yes=True)
        assert market.posts() == before + 1 + len(waits)


@pytest.mark.fault("J07", "J13", "I1")
def test_the_next_file_waits_where_ids_payers_and_amounts_were_edited_in_one_go(
    market: Market,
) -> None:
    """A row that had the id of a charge, and asked for another amount, waits; so does its order in
    the next file, of which nothing else tells that it may be the same sale.
    """
    begun(market, a=FIRST)
    inbox(market, a=None, b=[row(1, amount="150.00"), row(3)])
    assert night(market) == 10
    edit(market, "payer and amount", R)
    assert night(market) == 11
    assert "had the id of order" in rows(market)["INV-1"]["reason"]
    before = market.posts()
    inbox(market, b=None, c=[row(1, amount="150.00"), row(4)])
    assert night(market) == 11
    assert market.posts() == before + 1


@pytest.mark.fault("E04", "J07", "J13", "I1")
@pytest.mark.parametrize("edited", ["", "lookup", "amount column"])
@pytest.mark.parametrize("stays", [True, False])
def test_the_next_file_answers_no_question_about_one_that_was_refused(
    market: Market, edited: str, *, stays: bool
) -> None:
    """The ids of the refused file are asked about, whatever they ask for in the next one. A word
    lets them go; files without them are none of it.
    """
    by_its_likeness(market)
    if edited:
        edit(market, edited)
    if stays:
        assert night(market) == 65
    amount = {} if edited else {"amount": "77.00"}
    inbox(market, b=None, c=[row(n, order_id=f"N{n}", **amount) for n in (1, 2, 3, 9)])
    assert night(market) == 65
    (told,) = (one for one in market.reports() if one["batch"]["file"] == "c.csv")
    assert "3 of its 4 new orders were refused already" in told["batch"]["refusal"]
    inbox(market, c=None, d=[row(7), row(8)])
    assert night(market) == 11  # of the refused files
    assert market.posts() == 5
    inbox(market, d=None, c=[row(n, order_id=f"N{n}", **amount) for n in (1, 2, 3, 9)])
    night(market, yes=True)
    assert market.posts() == 9


@pytest.mark.fault("J06", "E13")
@pytest.mark.parametrize(
    ("edited", "told"),
    [*((name, True) for name in EDITS), *((name, False) for name in OF_RECIPIENTS)],
)
@pytest.mark.parametrize("lost", [True, False])
def test_a_renamed_job_whose_recipients_are_edited_charges_nothing_again(
    market: Market, edited: str, *, told: bool, lost: bool
) -> None:
    """Whether or not a night told of the other name before, and with its journal or none."""
    begun(market, a=FIRST)
    if lost:
        shutil.rmtree(market.folder / "state")
    if told:
        job(market, name="other", destination=SHOPS)
        assert night(market) == 78
    edit(market, edited, name="other")
    assert night(market) == 78
    once(market, 1, 2)


@pytest.mark.fault("J14", "A03", "A11")
def test_a_question_of_a_run_that_was_killed_before_it_told_of_it_is_still_open(
    market: Market,
) -> None:
    """The next file has the order with another amount, and the one that brought it up is away."""
    begun(market, a=FIRST)
    job(market, R, destination=SHOPS)
    inbox(market, a=None, b=[row(1), row(3)])
    under_way = market.sandbox.add_rule(
        method="POST", path="/charges", wait_before_s=20
    )
    with market.start("run", "job.toml") as process:
        while not under_way.applied:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    market.sandbox.clear_rules()
    inbox(market, b=None, c=[row(1, amount="101.50"), row(4)])
    for _ in range(2):
        assert night(market) == 11
    assert rows(market)["INV-1"]["outcome"] == "held"
    assert "INV-1" not in market.money()


@pytest.mark.fault("J13")
@pytest.mark.parametrize("edited", OF_RECIPIENTS)
def test_ids_and_recipients_that_are_edited_in_one_go_are_a_question(
    market: Market, edited: str
) -> None:
    """No night between: the payers and amounts tell. A person's word lets them go, and holds for
    whatever recipient somebody gives the shops later.
    """
    begun(market, a=FIRST)
    edit(market, edited, R)
    inbox(market, a=None, b=[*FIRST, row(3)])
    assert night(market) == 11
    once(market, 1, 2, 3)
    assert rows(market)["INV-1"]["outcome"] == "held"
    assert night(market, yes=True) == 0
    assert market.posts() == 5


@pytest.mark.fault("J13")
def test_charges_without_metadata_are_any_recipients(market: Market) -> None:
    """The journal is lost, and the lookup file edited before anything was asked. The words that the
    rows tell are taken.
    """
    begun(market, a=FIRST)
    ids = {c["metadata"]["order_id"]: c["id"] for c in market.own_charges()}
    lose_metadata(market)
    shutil.rmtree(market.folder / "state")
    edit(market, "lookup")
    assert without_plan(market, adopt=True) == 11
    assert market.posts() == 2
    assert "--cancel" in rows(market)["00001"]["reason"]
    path = market.folder / "job.toml"
    cancelling.cancel(load_job(path), "00001", "it is that one")
    resolving.not_ours(load_job(path), SecretKey(KEY), ids["00002"], "by hand")
    assert night(market) == 10
    assert market.posts() == 3


@pytest.mark.fault("J13")
def test_a_customer_may_buy_the_same_of_two_shops(market: Market) -> None:
    """Where ids tell, nobody is asked about the same money of one payer."""
    begun(market, a=FIRST)
    other = [row(n, order_id=f"B{n}", recipient=f"S{n + 2}") for n in (1, 2)]
    inbox(market, b=other)
    assert night(market) == 0
    assert market.posts() == 4
