"""Controls: what the sender declared and what nobody may exceed."""

from __future__ import annotations

import doctest
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain import strictjson
from batchpay.domain.errors import FileRefused, Misconfigured
from batchpay.domain.model import Judged, Problem
from batchpay.domain.money import major_text
from batchpay.intake import controls
from batchpay.intake.controls import (
    Tally,
    fee_check,
    max_amount_check,
    mode_check,
    next_deadline,
    parse_totals,
    refusal_of,
    require_fixed_fee,
    run_refusal,
)
from batchpay.job.job import Columns, Controls, Fee, FromColumn, Input, Limit
from batchpay.messages.message import plain

BAD = (Problem("x", "", plain("x"), "x"),)
COLUMNS = Columns(
    {
        "order_id": FromColumn("No"),
        "amount": FromColumn("Amount", "major"),
        "currency": FromColumn("Cur"),
        "destination": FromColumn("Shop"),
        "card": FromColumn("Card"),
        "customer": FromColumn("Customer"),
    },
    {},
)


@dataclass
class Rows:
    """A chunk without cells."""

    rows: range
    sheet: str = ""


def paid(amount, currency="thb"):
    """What of a document counts here."""
    return {"order_id": "A", "amount": amount, "currency": currency}


def tally(*documents, bad=(), start=2):
    """The tally of one chunk; `bad` positions are rejected."""
    total = Tally()
    rows = Rows(range(start, start + len(documents)))
    total.add(Judged(rows, list(documents), dict.fromkeys(bad, BAD)))
    return total


def refused(counted, rules=None, /, **declared):
    """The sentence for a tally under some controls."""
    return " ".join(
        map(str, refusal_of(counted, Controls(**declared), rules or Input("x")))
    )


@pytest.mark.parametrize("module", [controls, strictjson])
def test_the_examples_of_the_modules_hold(module):
    """What the docstrings show is what happens."""
    assert doctest.testmod(module).failed == 0


# --- sums

documents = st.lists(
    st.tuples(
        st.sampled_from(["thb", "jpy", "usd"]),
        st.one_of(st.none(), st.integers(1, 10**12)),
        st.booleans(),
    )
)


@given(documents, st.integers(1, 4))
def test_a_tally_adds_up(rows, size):
    """Whatever the chunks: all = valid + rejected, per currency, and nothing is counted twice."""
    total = Tally()
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        made = [
            paid(amount, code) if amount else {"order_id": "A"}
            for code, amount, _ in part
        ]
        bad = {
            at: BAD for at, (_, amount, wrong) in enumerate(part) if wrong or not amount
        }
        total.add(Judged(Rows(range(start + 2, start + 2 + len(part))), made, bad))
    assert total.read == len(rows)
    assert total.rejected == sum(1 for _, amount, wrong in rows if wrong or not amount)
    assert total.unread == sum(1 for _, amount, _ in rows if not amount)
    for code in ("thb", "jpy", "usd"):
        valid = [
            amount
            for currency, amount, wrong in rows
            if currency == code and amount and not wrong
        ]
        assert total.total[code.upper()] == sum(
            amount for currency, amount, _ in rows if currency == code and amount
        )
        assert (total.valid[code.upper()], total.orders[code.upper()]) == (
            sum(valid),
            len(valid),
        )


# --- control totals


@pytest.mark.fault("H01")
def test_right_totals_refuse_nothing():
    """Count and sums of all rows, those that are rejected included; no controls, no refusal."""
    total = tally(paid(100), paid(250), paid(7, "jpy"), bad=[1])
    assert refused(total, count=3, total={"THB": 350, "JPY": 7}) == ""
    assert refused(total) == ""


@pytest.mark.fault("H01")
@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"count": 2}, ["3 rows", "declared 2"]),
        ({"count": 1200}, ["3 rows", "declared 1200"]),
        ({"total": {"THB": 349, "JPY": 7}}, ["3.50 THB", "3.49 THB"]),
        ({"total": {"THB": 350}}, ["7 JPY", "no total in JPY"]),
        ({"total": {"USD": 350}}, ["no total in THB", "0.00 USD", "3.50 USD"]),
        ({"total": {"THB": 350, "JPY": 7, "USD": 1}}, ["0.00 USD", "0.01 USD"]),
        ({"count": 4, "total": {"THB": 1, "JPY": 7}}, ["declared 4", "0.01 THB"]),
    ],
)
def test_wrong_totals_refuse_the_batch(declared, told):
    """The sentence names what was found and what was expected, for every difference."""
    sentence = refused(tally(paid(100), paid(250), paid(7, "jpy")), **declared)
    assert [part for part in told if part not in sentence] == []


@pytest.mark.fault("H01")
def test_a_row_that_cannot_be_read_proves_nothing():
    """Even when the rest happens to add up; the row is named."""
    total = tally(paid(350), {"order_id": "B"}, {"amount": 1}, bad=[1, 2])
    sentence = refused(total, total={"THB": 350})
    assert "row 3 and 1 more" in sentence
    assert refused(total, count=3) == ""


@pytest.mark.parametrize(
    ("rules", "refuses"),
    [
        (Input("x"), False),
        (Input("x", on_reject="stop"), True),
        (Input("x", max_rejects=Limit(count=1)), False),
        (Input("x", max_rejects=Limit(count=0)), True),
        (Input("x", max_rejects=Limit(per_10000=2500)), False),
        (Input("x", max_rejects=Limit(per_10000=2499)), True),
    ],
)
def test_too_many_rejects(rules, refuses):
    """One of four rows: 25 % exactly is not more than 25 %."""
    sentence = refused(tally(*[paid(1)] * 4, bad=[2]), rules)
    assert ("1 of 4 rows" in sentence) is refuses
    if rules.max_rejects and refuses:
        assert ("0:" if rules.max_rejects.count == 0 else "24.99%") in sentence


def test_stop_needs_a_reject():
    """A clean file goes, however strict the job."""
    assert (
        refused(
            tally(paid(1)), Input("x", on_reject="stop", max_rejects=Limit(count=0))
        )
        == ""
    )
    assert refused(Tally(), Input("x", max_rejects=Limit(per_10000=0))) == ""


# --- limits


@pytest.mark.fault("H04")
def test_orders_above_the_limit():
    """Above is rejected, equal is not; a currency without a limit has none; unreadable rows are
    left alone.
    """
    check = max_amount_check({"THB": 5_000_000, "JPY": 10}, COLUMNS)
    found = check(
        [
            paid(5_000_000),
            paid(5_000_001),
            paid(11, "jpy"),
            paid(10**12, "usd"),
            {},
            {"amount": 1},
        ]
    )
    assert found.keys() == {1, 2}
    sentence = found[1][0].sentence()
    assert sentence.startswith(
        "Amount: found '50,000.01 THB' (above-max-amount); at most 50,000.00 THB"
    )


@pytest.mark.fault("H04")
def test_a_plan_above_the_limit():
    """The whole run is refused, naming plan and limit."""
    assert run_refusal({"THB": 100, "USD": 10**9}, {"THB": 100}) == ()
    assert run_refusal({"THB": 100}, None) == ()
    (sentence,) = map(str, run_refusal({"THB": 101}, {"THB": 100}))
    assert "1.01 THB" in sentence
    assert "1.00 THB" in sentence


@pytest.mark.fault("X28")
@pytest.mark.parametrize(
    ("mode", "recipient", "wrong"),
    [
        ("test", "recp_test_1", 0),
        ("test", "recp_1", 1),
        ("live", "recp_1", 0),
        ("live", "recp_test_1", 1),
    ],
)
def test_ids_of_the_other_mode(mode, recipient, wrong):
    """A test recipient in a live job and the reverse; each field on its own; other texts are the
    schema's affair.
    """
    check = mode_check(mode, COLUMNS)
    found = check([{"destination": recipient}, {"destination": "nonsense"}, {}])
    assert len(found.get(0, ())) == wrong
    assert found.keys() <= {0}
    if wrong:
        assert (found[0][0].column, found[0][0].rule) == ("Shop", "other-mode")
    both = check([{"destination": "recp_test_1", "customer": "cust_test_1"}]).get(0, ())
    assert [problem.column for problem in both] == (
        ["Shop", "Customer"] if mode == "live" else []
    )


# --- the totals file


@given(
    st.integers(0, 10**9),
    st.dictionaries(st.sampled_from(["THB", "JPY"]), st.integers(0, 10**12)),
)
def test_totals_file(count, totals):
    """What is written is what is read."""
    pairs = ", ".join(
        f'"{code}": "{major_text(minor, code)}"' for code, minor in totals.items()
    )
    assert parse_totals(f'{{"count": {count}, "total": {{{pairs}}}}}'.encode()) == (
        count,
        totals,
    )


def test_half_a_totals_file():
    """Either one alone is a control."""
    assert parse_totals(b'{"count": 3}') == (3, None)
    assert parse_totals(b'\xef\xbb\xbf{"total": {"thb": "1,000.50"}}') == (
        None,
        {"THB": 100050},
    )


@pytest.mark.fault("H01", "X16")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"count": true}',
        b'{"count": 1.0}',
        b'{"count": "3"}',
        b'{"count": -1}',
        b'{"count": null}',
        b'{"count": 3, "count": 3}',
        b'{"count": NaN}',
        b'{"counts": 3}',
        b'{"total": "1.00"}',
        b'{"total": {"THB": 1.00}}',
        b'{"total": {"THB": 100}}',
        b'{"total": {"THB": "1.005"}}',
        b'{"total": {"THB": "1.234,50"}}',
        b'{"total": {"KWD": "1.000"}}',
        b'{"total": {"THB": "-1.00"}}',
        b'{"total": {"THB": "1.00", "thb": "1.00"}}',
        b'{"total": null}',
        b"[" * 100_000,
        b"\xff",
        b'{"count": ' + b"9" * 5000 + b"}",
    ],
)
def test_doubtful_totals_files(data):
    """65, naming the file; no number is guessed."""
    with pytest.raises(FileRefused, match=r"orders\.csv\.totals\.json") as caught:
        parse_totals(data, "orders.csv.totals.json")
    assert caught.value.exit_code == 65


@pytest.mark.fault("C03", "C07")
@pytest.mark.parametrize(
    "clock, zone, started, expected",
    [
        ("06:00", "Asia/Bangkok", "2026-11-24T19:00:00", "2026-11-24T23:00:00"),
        ("06:00", "Asia/Bangkok", "2026-11-24T23:00:00", "2026-11-25T23:00:00"),
        (
            "02:30",
            "Europe/Berlin",
            "2026-03-28T23:00:00",
            "2026-03-29T00:30:00",
        ),  # skipped: the earlier of the two readings
        (
            "02:30",
            "Europe/Berlin",
            "2026-10-24T23:30:00",
            "2026-10-25T00:30:00",
        ),  # twice: the first
        (
            "02:30",
            "Europe/Berlin",
            "2026-10-25T00:45:00",
            "2026-10-25T01:30:00",
        ),  # ... and the second
        ("00:00", "Australia/Sydney", "2028-02-28T12:00:00", "2028-02-28T13:00:00"),
    ],
)
def test_the_next_deadline_is_found_in_its_time_zone(
    clock: str, zone: str, started: str, expected: str
) -> None:
    """Also on the days when a clock jumps."""
    found = next_deadline(
        clock, zone, datetime.fromisoformat(started).replace(tzinfo=UTC)
    )
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


# --- commissions


@pytest.mark.fault("J28")
@pytest.mark.parametrize(
    ("fee", "amount", "currency", "told"),
    [
        (Fee({"JPY": 600}), 500, "jpy", "600 JPY"),
        (Fee({"THB": 500}), 499, "thb", "5.00 THB"),
        (Fee({"THB": 1}, "100"), 1000, "thb", "10.01 THB"),
        (Fee({"THB": 500}, "0.000001"), 500, "thb", "5.01 THB"),
        (Fee({"THB": 500}), 500, "thb", ""),
        (Fee({}, "100"), 1000, "thb", ""),
        (Fee({"THB": 500}), 1, "jpy", ""),
        (Fee({"THB": 0}, "0"), 1, "thb", ""),
    ],
)
def test_a_commission_above_the_order_is_rejected(
    fee: Fee, amount: int, currency: str, told: str
) -> None:
    """Exactly reckoned; all of it is not above it, and a share of 0 is what min_share is about."""
    check = fee_check(fee, COLUMNS)
    found = check(
        [
            {"amount": amount, "currency": currency},
            {"amount": amount},
            {"currency": currency},
            {},
        ]
    )
    assert set(found) == ({0} if told else set())
    for (problem,) in found.values():
        assert (problem.column, problem.rule) == ("Amount", "commission-above-amount")
        assert told in problem.remedy


@pytest.mark.fault("J28")
def test_a_currency_without_a_commission_of_its_own_is_78() -> None:
    """Named with file, row and remedy; rejected rows ask for none, and a job without fixed ones is
    content.
    """
    rows = [
        {"amount": 1, "currency": "thb"},
        {"amount": 1, "currency": "eur"},
        {"amount": 1},
    ]
    problem = Problem("x", "", plain("remedy"), "rule")
    chunk = Rows(range(2, 5), "Orders")
    told = r"no commission for EUR, which row 3 of sheet Orders of a\.xlsx is in: .*EUR = 0"
    with pytest.raises(Misconfigured, match=told):
        require_fixed_fee(
            Judged(chunk, rows, {2: (problem,)}), Fee({"THB": 500}), "a.xlsx"
        )
    require_fixed_fee(
        Judged(chunk, rows, {1: (problem,), 2: (problem,)}), Fee({"THB": 500}), "a.xlsx"
    )
    require_fixed_fee(Judged(chunk, rows, {}), Fee({}, "5"), "a.xlsx")
