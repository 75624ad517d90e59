"""doctor: what is wrong tonight is known before tonight."""

from __future__ import annotations

import json

import pytest

from tests.world import Market, order


def findings(market: Market, *flags: str, **environ: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and the findings by subject: the last of each."""
    result = market.run(*flags, "--json", verb="doctor", **environ)
    if not result.stdout:
        return result.returncode, {"": ("wrong", result.stderr)}
    told = json.loads(result.stdout)
    if "findings" not in told:
        return result.returncode, {"": ("wrong", result.stdout)}
    return result.returncode, {f["subject"]: (f["state"], f["told"]) for f in told["findings"]}


def test_all_is_well(market: Market) -> None:
    """Before the first run and after it; not one charge is made, nothing is written."""
    market.orders([order(number) for number in range(3)])
    market.job()
    code, found = findings(market)
    assert code == 0, found
    assert not (market.folder / "state" / "batchpay.db").exists() and market.posts() == 0
    assert {"input", "journal", "state", "reports", "key", "clock", "permission", "limits", "recipients"} <= set(found)
    assert all(state == "well" for state, _ in found.values()), found
    market.run()
    code, found = findings(market)
    assert code == 0 and "hash chain verifies" in found["journal"][1]


def test_what_is_wrong_is_told_with_its_exit_code(market: Market) -> None:
    """A refused key, a recipient that cannot be paid, a stop, an open order, a stranger in the state's folder."""
    market.orders([order(1), order(2, recipient="recp_test_sandboxunverified"), order(3, amount="x")])
    market.job()
    code, found = findings(market)
    assert code == 0 and found["input"][0] == "warning"
    assert "not verified" in found["recipient"][1] and "1 of 2" in found["recipients"][1]
    market.sandbox.add_rule({"method": "POST", "path": "/charges", "drop": ["destination"]})
    assert market.run().returncode == 12
    (market.folder / "state" / "notes.txt").write_text("x")
    code, found = findings(market)
    assert code == 12 and "lift-stop" in found["stop"][1]
    assert "notes.txt" in found["state"][1] or "notes.txt" in str(found)
    market.sandbox.accept_keys("skey_test_another000000")
    assert findings(market)[0] == 12  # the stop weighs more
    assert findings(market, OMISE_SECRET_KEY="skey_live_0123456789")[0] == 78


@pytest.mark.fault("B20")
def test_a_refused_key_is_77_and_a_silent_gateway_69(market: Market) -> None:
    """Told like a run would tell it."""
    market.orders([order(1)])
    market.job()
    market.sandbox.accept_keys("skey_test_another000000")
    assert findings(market)[0] == 77
    market.job(url="http://127.0.0.1:9")
    assert findings(market)[0] == 69


@pytest.mark.fault("C04")
def test_a_wrong_clock_is_78(market: Market) -> None:
    """Look-ups and audits go by time."""
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule({"method": "GET", "path": "*", "headers": {"date": "Mon, 01 Jan 2024 00:00:00 GMT"}})
    code, found = findings(market)
    assert code == 78 and "clock" in str(found)


@pytest.mark.fault("D14")
def test_a_journal_edited_by_hand_is_74(market: Market) -> None:
    """And the event is named."""
    import sqlite3

    market.orders([order(1), order(2)])
    market.job()
    market.run()
    raw = sqlite3.connect(market.folder / "state" / "batchpay.db")
    raw.execute("DROP TRIGGER events_stay")
    raw.execute("UPDATE events SET at_ns = at_ns + 1 WHERE seq = 4")
    raw.commit()
    raw.close()
    code, found = findings(market)
    assert code == 74 and "event 4" in found["journal"][1]
    assert market.run().returncode == 74


def test_a_probe_learns_what_the_gateway_does(market: Market) -> None:
    """The sandbox splits and ignores keys; a run afterwards takes no probe for its own; live mode is refused."""
    market.orders([order(1)])
    market.job()
    people = ("--customer", "cust_test_sandbox00014242")
    code, found = findings(market, "--probe", *people)
    assert code == 0, found
    assert found["destination"][0] == "well" and "chain acch_" in found["destination"][1]
    assert "not honoured" in found["idempotency key"][1]
    assert market.posts() == 3
    assert market.run().returncode == 0
    assert market.outcomes() == {"succeeded": 1}
    path = market.folder / "job.toml"
    path.write_text(path.read_text().replace('doubt_period = "0.6s"', 'doubt_period = "300s"\nmode = "live"'))
    code, found = findings(market, "--probe", *people, OMISE_SECRET_KEY="skey_0123456789abcdef")
    assert code == 78 and "test mode only" in str(found)
    assert market.posts() == 4
