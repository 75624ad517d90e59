"""Keys and limits: the wrong mode, too much money, and what may be written where."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.machine import settles, wait_for
from tests.world import KEY, Market, order

CARD = "4242424242424242"


@pytest.mark.fault("H03")
@pytest.mark.parametrize(("mode", "key"), [("test", "skey_0123456789abcdef"), ("live", KEY)])
def test_a_key_of_the_other_mode_is_78_before_the_first_request(market: Market, mode: str, key: str) -> None:
    """Not one request leaves, and the key is not in the message."""
    market.orders([order(1)])
    path = market.job(doubt="200s")
    path.write_text(path.read_text().replace("[gateway]", f'[gateway]\nmode = "{mode}"'))
    refused = market.run(OMISE_SECRET_KEY=key)
    assert refused.returncode == 78, refused
    assert key not in refused.stderr + refused.stdout
    assert market.sandbox.requests() == []


@pytest.mark.fault("H04")
def test_more_than_allowed_is_rejected_or_held(market: Market) -> None:
    """Above max_amount: the row is rejected, the others go. Above max_total: the plan is refused whole."""
    rows = [order(1), order(2, amount="5000.00"), order(3)]
    market.orders(rows)
    market.job(more='[controls]\nmax_total = { THB = "200.00" }\nmax_amount = { THB = "1000.00" }')
    refused = market.run()
    assert refused.returncode == 65 and "max_total" in refused.stderr and market.posts() == 0
    market.job(more='[controls]\nmax_amount = { THB = "1000.00" }')
    assert market.run().returncode == 10
    assert {row["order_id"]: row["outcome"] for row in market.results()} == {
        "00001": "succeeded", "00002": "rejected", "00003": "succeeded",
    }  # fmt: skip
    assert market.money() == {"00001": 1, "00003": 1}


@pytest.mark.fault("H06", "I12")
def test_no_key_token_or_card_number_where_it_must_not_be(market: Market) -> None:
    """Every file, every output, every process title. Tokens: the input, the journal and reject cells only. A card
    number: the input only. The key: nowhere."""
    rows = [order(1), order(2, card="tokn_test_sandbox000020011"), order(3, invoice=CARD), order(4)]
    market.orders(rows)
    market.job(rate="10/s")
    market.sandbox.add_rule(wait_after_s=1, order_id="00004")
    words, how = market.command("run", "job.toml", "--summary")
    titles = b""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how) as process:
        wait_for(lambda: market.posts() >= 3)
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                titles += path.read_bytes() + path.with_name("comm").read_bytes()
            except OSError:
                continue  # it ended meanwhile
        out, err = process.communicate(timeout=60)
    assert process.returncode == 10, (out, err)
    said = out + err + titles
    for verb in ("check", "plan", "status", "report", "settle"):
        for flags in ((), ("--json",)):
            done = market.run(*flags, verb=verb)
            said += done.stdout.encode() + done.stderr.encode()
    for broken in (market.run(BATCHPAY_DEBUG="1"), market.run("--input", "nothing.csv"), market.run("--limit", "x")):
        said += broken.stdout.encode() + broken.stderr.encode()
    tokens = [row["card"].encode() for row in rows]
    assert KEY.encode() not in said and CARD.encode() not in said
    assert not [token for token in tokens if token in said]
    for path in market.folder.rglob("*"):
        if not path.is_file() or path.name == "orders.csv":
            continue
        data = path.read_bytes()
        assert KEY.encode() not in data and CARD.encode() not in data, path
        if path.parent.name != "state" and not path.name.startswith("rejects."):
            assert not [token for token in tokens if token in data], path
    assert market.money() == {"00001": 1, "00004": 1}


@pytest.mark.fault("H06", "I12")
def test_a_key_refused_by_the_gateway_is_not_repeated(market: Market) -> None:
    """77 names the variable, never its value; nor does the error of a key that is not one."""
    market.orders([order(1)])
    market.job()
    market.sandbox.accept_keys("skey_test_another000000")
    for key, code in ((KEY, 77), ("skey_test_with blank\u00e9", 78)):
        refused = market.run(OMISE_SECRET_KEY=key)
        assert refused.returncode == code and "OMISE_SECRET_KEY" in refused.stderr, refused
        assert key not in refused.stderr + refused.stdout
        assert all(key.encode() not in path.read_bytes() for path in market.folder.rglob("*") if path.is_file())
    market.sandbox.accept_keys(KEY)
    settles(market, [order(1)])
