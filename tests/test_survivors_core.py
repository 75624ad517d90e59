"""Where one small change of the pure modules once went unseen: currencies, ids, repeats, lists and
the audit.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from batchpay.domain.model import Outcome
from batchpay.domain.money import (
    EXPONENTS,
    MAX_MINOR,
    NotMoney,
    grouped_text,
    major_text,
    plain_minors,
    to_minor,
)
from batchpay.intake.repeats import Repeats
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.keys import explains_itself, key_of
from batchpay.lifecycle.listing import Listing
from batchpay.lifecycle.order_ids import alike
from tests.test_lifecycle import answer_event, event
from tests.test_listing import AT, page
from tests.test_matching import (
    CHARGE_ID,
    MADE,
    PENDING,
    attempt,
    credit,
    doubles,
    match_charges,
    match_credits,
    match_transfers,
    transfer,
)
from tests.test_repeats import chunks, order, outcomes, token

D, C, R = Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REJECTED

# --- money

ISO_4217 = {
    "AUD": 2,
    "CAD": 2,
    "CHF": 2,
    "CNY": 2,
    "DKK": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "IDR": 2,
    "JPY": 0,
    "MYR": 2,
    "SGD": 2,
    "THB": 2,
    "USD": 2,
}
"""Minor units of list one of ISO 4217, of every currency that the gateway takes."""


@pytest.mark.fault("X12", "I17")
@pytest.mark.parametrize("code", sorted(ISO_4217))
def test_each_currency_has_the_decimals_of_the_standard(code: str) -> None:
    """One whole unit is so many of the smallest, in text and back; one decimal more is refused."""
    decimals = ISO_4217[code]
    assert to_minor("1", code) == to_minor("1", code.lower()) == 10**decimals
    assert major_text(10**decimals, code) == (
        "1" if decimals == 0 else "1." + "0" * decimals
    )
    with pytest.raises(
        NotMoney, match=f"too-many-decimals: {code} has {decimals} decimals"
    ):
        to_minor("1." + "0" * (decimals + 1), code)


def test_no_currency_is_known_that_the_standard_table_lacks() -> None:
    """A new currency must enter both tables, which is the moment to look its decimals up; the
    remedy names them all.
    """
    assert EXPONENTS == ISO_4217
    with pytest.raises(NotMoney) as refused:
        to_minor("1", "XTS")
    assert refused.value.said.rule == "unknown-currency"
    assert all(code in str(refused.value.said) for code in ISO_4217)


@pytest.mark.fault("X11")
@pytest.mark.parametrize("sign", ["", "-"])
def test_the_largest_amount_is_the_largest_exact_one(sign: str) -> None:
    """The last whole number that every JSON reader keeps is money, the next is not."""
    assert abs(to_minor(f"{sign}{MAX_MINOR}", "JPY")) == MAX_MINOR == 2**53 - 1
    with pytest.raises(NotMoney, match="amount-too-large"):
        to_minor(f"{sign}{MAX_MINOR + 1}", "JPY")


@pytest.mark.fault("X11")
def test_forty_characters_are_a_number_and_one_more_is_none() -> None:
    """Zeros in front cost nothing, a cell full of them is no amount."""
    assert to_minor("7".rjust(40, "0"), "JPY") == 7
    with pytest.raises(NotMoney, match="number-format"):
        to_minor("7".rjust(41, "0"), "JPY")


@pytest.mark.parametrize(
    "text, remedy",
    [
        (" 7", "remove the blanks"),
        ("7 ", "remove the blanks"),
        ("7\u00a0", "remove the blanks"),
        ("1 000", "write 1234.50"),
        ("¹00", "use 0-9"),
        ("1½", "use 0-9"),
        ("๗", "use 0-9"),
    ],
)
def test_the_remedy_fits_what_was_written(text: str, remedy: str) -> None:
    """Blanks around a number, digits of other scripts, and everything else are told apart."""
    with pytest.raises(NotMoney) as refused:
        to_minor(text, "THB")
    assert str(refused.value.said).startswith(remedy)


@pytest.mark.parametrize("decimals, code", [(2, "THB"), (0, "JPY")])
@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["1"],
        ["1", "2.50"],
        ["1.25", "3.75"],
        ["1.25", ""],
        ["1\n2", "3"],
        ["1.25\n", "2"],
        ["12345678901234567"],
        ["1,000.00", "5.00"],
        ["1.2", "1.20"],
        ["999999999999999"],
        ["9999999999999.99", "0.01"],
    ],
)
def test_a_column_at_once_is_each_cell_by_itself(
    texts: list[str], decimals: int, code: str
) -> None:
    """The quick way says what the slow one says, or nothing; a line break in a cell moves no amount
    to another row.
    """
    found = plain_minors(texts, decimals)
    assert len(found) == len(texts)
    for text, minor in zip(texts, found, strict=True):
        if minor is not None:
            assert to_minor(text, code) == minor
    assert found == [plain_minors([text], decimals)[0] for text in texts]


@pytest.mark.parametrize(
    ("minor", "code", "told"),
    [
        (-5, "THB", "-0.05"),
        (5, "THB", "0.05"),
        (-123456789, "THB", "-1,234,567.89"),
        (-1234, "JPY", "-1,234"),
        (1234, "XTS", "1,234"),
        (0, "THB", "0.00"),
    ],
)
def test_amounts_for_people_keep_their_sign(minor: int, code: str, told: str) -> None:
    assert grouped_text(minor, code) == told


# --- ids


@pytest.mark.fault("X04", "X14", "J07")
@pytest.mark.parametrize(
    "one, other",
    [
        ("Ａ1", "ａ1"),
        ("Ａ1", "a1"),
        ("É7", "é7"),
        ("ÄB", "äb"),
        ("straße1", "STRASSE1"),
        ("Ω9", "ω9"),
        ("K1", "k1"),
    ],
)
def test_ids_that_differ_in_case_beyond_ascii_are_alike(one: str, other: str) -> None:
    """A full-width capital and a small letter are one order's, however the id was typed."""
    assert one != other
    assert alike(one) == alike(other)
    decomposed = unicodedata.normalize("NFD", other)
    assert alike(one) == alike(decomposed)


@pytest.mark.parametrize(
    "one, other",
    [("1003.0", "1003"), ("1003.00", "1003"), ("001003.0", "1003"), ("a.0", "A")],
)
def test_a_trailing_point_and_zeros_hide_no_id(one: str, other: str) -> None:
    """What a spreadsheet makes of a number that it took for one."""
    assert alike(one) == alike(other)
    assert alike(f"{one}5") != alike(other)


@pytest.mark.fault("B16", "J11")
@pytest.mark.parametrize(
    ("changes", "explains"),
    [
        ({}, True),
        ({"batchpay_job": "day"}, False),
        ({"order_id": "A2"}, False),
        ({"batchpay_key": "x"}, False),
        ({"batchpay_key": ""}, False),
    ],
)
def test_a_charge_explains_itself_by_a_key_of_the_job_and_order_that_it_names(
    changes: dict[str, str], *, explains: bool
) -> None:
    """Whichever they are."""
    key = key_of("night", "A1", 2)
    told = {"batchpay_job": "night", "order_id": "A1", "batchpay_key": key}
    assert explains_itself({**told, **changes}) is explains
    assert not explains_itself({})


# --- repeats between files


def between_files(
    old: list[Any], new: list[Any], sent: dict[str, dict[int, str]]
) -> dict[tuple[str, int], Outcome]:
    """The verdicts of a run with two files, of which some rows were sent by earlier runs."""
    named = [("old", list(chunks(old, 9, ()))), ("new", list(chunks(new, 9, ())))]
    repeats = Repeats()
    for name, judged in named:
        for chunk in judged:
            repeats.add(name, chunk)
    if not repeats.candidates():
        return {}
    return outcomes(repeats.resolve(named, lambda batch, *place: sent.get(batch, {})))


@pytest.mark.fault("E09", "J07")
def test_rows_that_were_not_sent_contest_each_other_beside_one_that_was() -> None:
    """That one file's row was sent is no leave for the other rows of both files to ask twice."""
    old, new = [order("A1"), order("B1"), order("B1", 7)], [order("A1"), order("B1")]
    found = between_files(old, new, {"old": {2: "A1"}})
    assert found == {("old", 3): C, ("old", 4): C, ("new", 3): C}


@pytest.mark.fault("E09", "J07")
def test_an_order_sent_by_one_file_and_asked_twice_in_another_goes_once() -> None:
    """The row that was sent is history; of the others the first stands for all, in whichever file
    it is.
    """
    found = between_files([order("A1"), order("A1")], [order("A1")], {"old": {2: "A1"}})
    assert found == {("old", 3): D, ("new", 2): D}
    found = between_files(
        [order("A1", 5), order("A1")], [order("A1")], {"old": {2: "A1"}}
    )
    assert found == {("old", 3): C, ("new", 2): D}


@pytest.mark.fault("E10", "J07")
def test_a_token_between_files_pays_one_order_although_a_row_was_sent() -> None:
    """Rows of both files that nobody sent quarrel over it; the one that was sent contests only its
    own file.
    """
    old = [token("A", "tokn_1"), token("B", "tokn_1")]
    found = between_files(old, [token("C", "tokn_1")], {"old": {2: "A"}})
    assert found == {("old", 3): R, ("new", 2): R}
    alone = between_files(
        [token("A", "tokn_1")], [token("C", "tokn_1")], {"old": {2: "A"}}
    )
    assert alone == {}


@pytest.mark.fault("E08")
@pytest.mark.parametrize(("count", "named", "more"), [(2, 1, 0), (6, 5, 0), (9, 5, 3)])
def test_a_contested_row_names_five_others_and_counts_the_rest(
    count: int, named: int, more: int
) -> None:
    """Never itself."""
    documents = [order("A1", 100 + number) for number in range(count)]
    repeats = Repeats()
    judged = list(chunks(documents, 9, ()))
    repeats.add("b", judged[0])
    verdicts = repeats.resolve([("b", judged)])
    assert len(verdicts) == count
    for (_, _, row), verdict in verdicts.items():
        told = str(verdict.reason).partition(" stands in ")[2].partition(";")[0]
        assert told.count("row ") == named and f"row {row}" not in told.split(", ")
        assert (f"{more} more" in told) is bool(more)


@pytest.mark.fault("X04")
@pytest.mark.parametrize(
    "groups, more", [(1, ""), (2, "1 more like them"), (3, "2 more like them")]
)
def test_a_sentence_counts_what_it_does_not_name(groups: int, more: str) -> None:
    """One group of spellings is named with its rows, and a number for the rest."""
    named = ("caf\u00e9", "th\u00e9", "fianc\u00e9")[:groups]
    documents = [
        order(unicodedata.normalize(form, name))
        for name in named
        for form in ("NFC", "NFD")
    ]
    batches = [("b", list(chunks(documents, 9, ())))]
    repeats = Repeats()
    repeats.add("b", batches[0][1][0])
    repeats.resolve(batches)
    (note,) = map(str, repeats.notes_on("b"))
    assert note.startswith("row 2, row 3")
    assert (more in note) if more else ("more like them" not in note)


# --- lists


@pytest.mark.fault("B32")
def test_the_youngest_charge_of_a_list_is_the_youngest_wherever_it_stands() -> None:
    """A list that is not in order hides nothing: from the youngest the next one goes on."""
    listing = Listing()
    listing.add(page(4, 2, total=9))
    assert listing.latest == AT.format(4)
    listing.add(page(2, 3, total=9))
    assert listing.latest == AT.format(4)


@pytest.mark.fault("B32")
@pytest.mark.parametrize("youngest, complete", [(5, False), (6, True)])
def test_a_list_ends_behind_its_own_time_and_not_at_it(
    youngest: int, complete: bool
) -> None:
    """A charge of the very second may have a neighbour that is not shown yet."""
    listing = Listing(now=AT.format(5), size=2)
    listing.add(page(1, 2, total=2))
    listing.add(page(2, youngest, total=9))
    assert listing.complete is complete


# --- the audit


def other(number: int, *more: Any) -> Attempt:
    """A success of another order."""
    return attempt(*(more or (answer_event(1, id=f"chrg_test_{number}"),)))


def test_an_order_that_did_not_succeed_ends_no_audit() -> None:
    """Credits and transfers of the orders behind it are looked at all the same."""
    mine = [attempt(PENDING), attempt(event("voided", 1)), attempt()]
    assert [d.charge_id for d in match_credits(mine, [MADE], [])] == [CHARGE_ID]
    assert [d.charge_id for d in match_transfers(mine, [])] == [CHARGE_ID]


def test_a_charge_of_another_period_ends_no_audit() -> None:
    """What is not in the period's list is passed over, and what follows is not."""
    mine = [other(2), attempt()]
    assert [d.kind for d in match_credits(mine, [MADE], [credit(amount=1)])] == [
        "credit-differs"
    ]


def test_as_many_transfers_as_were_earned() -> None:
    """Of two alike one is there: one of two is missing, and the last order is named for it."""
    mine = [attempt(), other(2)]
    assert match_transfers(mine, [transfer(), transfer()]) == []
    (missing,) = match_transfers(mine, [transfer()])
    assert (missing.kind, missing.charge_id) == ("transfer-missing", "chrg_test_2")
    whole = f"{grouped_text(MADE['amount'], 'THB')} THB ({MADE['amount']} in the smallest unit)"
    assert missing.told.startswith(
        f"1 of 2 transfers of {whole} to {MADE['destination']} is missing at the gateway"
    )
    assert (missing.amount, missing.currency) == (MADE["amount"], "THB")


def differences(
    attempts: list[Attempt], charges: list[Any]
) -> list[tuple[str, str, str, str]]:
    match = match_charges("night", attempts, charges, live=False)
    found = [*match.differences, *doubles(match)]
    return [(d.kind, d.order_id, d.charge_id, d.told) for d in found]


@pytest.mark.fault("E14", "I2")
@pytest.mark.parametrize(
    "mine, theirs, kind, told",
    [
        (
            [],
            MADE,
            "unknown-to-journal",
            "the gateway has it, successful; the journal does not: batchpay run JOB --since ",
        ),
        (
            [attempt(event("voided", 1))],
            MADE,
            "other-charge",
            "the journal says held for the same key",
        ),
        (
            [attempt()],
            {**MADE, "status": "failed", "paid": False},
            "false-success",
            "the journal says succeeded, the gateway failed",
        ),
        (
            [attempt(PENDING)],
            MADE,
            "status",
            "the journal says pending, the gateway successful: batchpay run JOB --since ",
        ),
        (
            [attempt()],
            {**MADE, "amount": 1},
            "amount",
            (
                "the journal was told 1,234.50 THB (123450 in the smallest unit), the gateway lists"
                " 0.01 THB (1 in"
            ),
        ),
        (
            [attempt()],
            {**MADE, "currency": "JPY"},
            "amount",
            (
                "the journal was told 1,234.50 THB (123450 in the smallest unit), the gateway lists"
                " 123,450 JPY"
            ),
        ),
        (
            [attempt()],
            {**MADE, "destination": "recp_test_9"},
            "terms",
            "destination: asked recp_test_1, got recp_test_9",
        ),
        (
            [attempt()],
            {**MADE, "dispute": {"object": "dispute"}},
            "disputed",
            "disputed by its payer's bank: its status is untold",
        ),
    ],
)
def test_a_difference_names_the_order_the_charge_and_what_differs(
    mine: list[Attempt], theirs: dict[str, Any], kind: str, told: str
) -> None:
    """In this order, and once."""
    found = [one for one in differences(mine, [theirs]) if one[0] == kind]
    assert [one[1:3] for one in found] == [("0001", CHARGE_ID)]
    assert found[0][3].startswith(told), found[0][3]


def test_a_charge_that_the_gateway_does_not_list_is_named_too() -> None:
    """A success is worse than a pending one, and each is told by what the journal says."""
    (lost,) = differences([attempt()], [])
    assert lost == (
        "false-success",
        "0001",
        CHARGE_ID,
        "the journal says succeeded; the gateway does not list it",
    )
    (open_,) = differences([attempt(PENDING)], [])
    assert open_[0] == "unknown-to-gateway" and open_[3].startswith(
        "the journal says pending;"
    )


def test_a_twin_that_took_nothing_is_a_difference_and_one_that_took_is_a_double() -> (
    None
):
    """The journal knows the second charge of its key: what matters is whether that has the
    money.
    """
    known = attempt(
        answer_event(1),
        event("found", charge=answer_event(1, id="chrg_test_2").data["charge"]),
    )
    second = {**MADE, "id": "chrg_test_2"}
    assert [one[:3] for one in differences([known], [MADE, second])] == [
        ("double", "0001", "chrg_test_2")
    ]
    failed = {**second, "status": "failed", "paid": False}
    assert [one[:3] for one in differences([known], [MADE, failed])] == [
        ("other-charge", "0001", "chrg_test_2")
    ]


def test_a_credit_and_a_transfer_are_told_with_their_numbers() -> None:
    """Which order, which charge, and the two amounts."""
    mine = [attempt()]
    (differs,) = match_credits(mine, [MADE], [credit(amount=1)])
    assert (differs.order_id, differs.charge_id) == ("0001", CHARGE_ID)
    net = "1,180.00 THB (118000 in the smallest unit)"
    assert (
        differs.told == f"credited 0.01 THB (1 in the smallest unit), its net is {net}"
    )
    (unread,) = match_credits(mine, [MADE], [credit(amount="1")])
    assert unread.told == f"credited nothing that can be read, its net is {net}"
    (twice,) = match_credits(mine, [MADE], [credit(), credit()])
    assert (twice.order_id, twice.charge_id, twice.told) == (
        "0001",
        CHARGE_ID,
        "2 credits in the account's ledger",
    )
    (none,) = match_credits(mine, [MADE], [credit(origin="chrg_test_9")])
    assert (none.order_id, none.charge_id) == ("0001", CHARGE_ID)
    (failed,) = match_transfers(mine, [transfer(failure_code="invalid_account")])
    whole = "1,234.50 THB (123450 in the smallest unit)"
    assert (
        failed.told
        == f"transfer trsf_test_1 of {whole} to {MADE['destination']} failed: invalid_account"
    )
    assert (failed.id, failed.amount, failed.currency) == (
        "transfer-failed:trsf_test_1",
        MADE["amount"],
        "THB",
    )


def test_a_share_is_the_amount_less_the_commission() -> None:
    """A transfer of the whole amount is none of a charge that paid a commission."""
    with_fee = attempt(answer_event(1, platform_fee={"amount": 450}))
    share = MADE["amount"] - 450
    assert match_transfers([with_fee], [transfer(amount=share)]) == []
    assert [d.kind for d in match_transfers([with_fee], [transfer()])] == [
        "transfer-missing"
    ]


def test_what_is_no_success_earns_no_transfer() -> None:
    """Neither asked for, nor missed when it is not there."""
    assert match_transfers([attempt(PENDING), attempt(event("voided", 1))], []) == []
    failed = transfer(failure_code="invalid_account")
    assert match_transfers([attempt(PENDING)], [failed]) == []


def test_sums_are_of_what_succeeded_on_either_side() -> None:
    """A pending charge is in neither; one that is unproven was charged all the same."""
    unproven = event(
        "answer",
        1,
        verdict="unproven",
        charge=answer_event(1).data["charge"],
        flaws=["amount"],
    )
    for mine, theirs, ours_sum, theirs_sum in (
        (attempt(PENDING), {**MADE, "status": "pending", "paid": False}, {}, {}),
        (attempt(unproven), MADE, {"THB": 123450}, {"THB": 123450}),
        (attempt(PENDING), MADE, {}, {"THB": 123450}),
        (attempt(), {**MADE, "status": "failed", "paid": False}, {"THB": 123450}, {}),
    ):
        match = match_charges("night", [mine], [theirs], live=False)
        assert (dict(match.ours), dict(match.theirs)) == (ours_sum, theirs_sum)


def test_what_is_of_another_job_or_no_charge_is_counted_and_not_compared() -> None:
    """Before, between and behind our own."""
    named = {
        "batchpay_job": "day",
        "batchpay_key": key_of("day", "0001", 1),
        "order_id": "0001",
    }
    foreign = {**MADE, "id": "chrg_test_7", "metadata": named}
    match = match_charges(
        "night", [attempt()], [foreign, {"object": "list"}, MADE, foreign], live=False
    )
    assert (match.others, match.matched, match.differences) == (3, 1, [])
