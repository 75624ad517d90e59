"""The true program against the sandbox over real HTTP: what README.md promises, from outside; in
this process where a process is not the subject.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests import ready
from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside


@pytest.mark.fault("E03", "I15")
def test_the_same_file_again_shows_the_same_and_sends_nothing(market: Market) -> None:
    """Same outcomes, same bytes, same exit code, 0 POST; silent under cron."""
    market = Market(market.folder, market.sandbox)  # a process for each run
    rows = [order(number) for number in range(12)]
    market.orders(rows)
    market.job()
    first = market.run()
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    before = {
        path: path.read_bytes() for path in (market.folder / "reports").glob("2*/*.*")
    }
    second = market.run()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert market.posts() == 12
    assert {
        path: path.read_bytes() for path in (market.folder / "reports").glob("2*/*.*")
    } == before
    market.agree(rows)


def test_what_is_sent_is_what_the_row_asked(market: Market) -> None:
    """Every field of every charge (docs/gateway.md, 2.1)."""
    market.orders([order(7, invoice="ใบแจ้งหนี้ & 7")])
    market.job(more='[fee]\nfixed = { THB = 500 }\npercentage = "10.5"')
    assert market.run().returncode == 0
    (charge,) = market.sandbox.charges()
    assert (charge["amount"], charge["currency"], charge["destination"]) == (
        10725,
        "THB",
        "recp_test_sandbox0",
    )
    metadata = charge["metadata"]
    assert metadata["order_id"] == "00007" and metadata["invoice"] == "ใบแจ้งหนี้ & 7"
    assert set(metadata) == {
        "order_id",
        "invoice",
        "batchpay_key",
        "batchpay_batch",
        "batchpay_row",
        "batchpay_ids",
        "batchpay_job",
        "batchpay_run",
        "batchpay_journal",
    }
    (entry,) = market.sandbox.requests("POST", "/charges")
    assert entry.key == metadata["batchpay_key"]
    assert charge["platform_fee"]["fixed"] == 500
    (row,) = market.results()
    assert (
        int(row["platform_fee"]) == 500 + 1126
        and int(row["recipient_amount"]) == 10725 - 1626
    )


@pytest.mark.fault("J15", "B15")
def test_the_commission_is_held_against_what_was_asked(market: Market) -> None:
    """An answer with another amount: that is what is wrong with it, and nothing is said to have
    been asked that was not.
    """
    market.orders([order(7)])
    market.job(more='[fee]\nfixed = { THB = 500 }\npercentage = "10.5"')
    market.sandbox.add_rule(order_id="00007", change={"amount": 1001})
    assert market.run().returncode == 12
    (report,) = market.reports()
    assert (
        "amount: asked 107.25 THB, got 10.01 THB" in report["stop"]
        and "platform_fee" not in report["stop"]
    ), report["stop"]


@pytest.mark.fault("J14", "E08")
def test_a_row_that_says_an_order_again_is_nothing_to_correct(market: Market) -> None:
    """It is told, and the codes of check, plan and run are those of a night that ends well; one
    that contradicts it is the accountant's for all three.
    """
    market.job()
    market.orders([order(1), order(1), order(2)])
    checked = market.run(verb="check")
    assert "orders.csv:3: duplicate: " in checked.stdout
    assert "0 rejected, 1 repeated" in checked.stdout
    assert checked.returncode == market.run(verb="plan").returncode == 0
    market.orders([order(1), order(1, amount="9.00"), order(2)])
    assert market.run(verb="check").returncode == 10
    assert market.run(verb="plan").returncode == 10


@pytest.mark.fault("J14", "H04")
def test_a_plan_tells_that_a_run_would_come_too_late_now(market: Market) -> None:
    """What may not be answered by the deadline is not sent: a plan of that hour holds it, in the
    words of the run, and ends with the same code.
    """
    market.orders([order(1)])
    market.job(timeout="24h", more='[controls]\ndeadline = "06:00"')
    planned = market.run("--json", verb="plan")
    assert planned.returncode == market.run().returncode == 11
    told = json.loads(planned.stdout)
    assert (told["to_send"], told["outcomes"]) == ({}, {"held": 1})
    (row,) = market.results()
    assert "deadline 06:00 UTC is too near" in row["reason"]
    assert told["not_sent"][0]["reason"] == row["reason"]
    market.job(more='[controls]\ndeadline = "06:00"\ntime_zone = "UTC"', timeout="1s")
    planned = market.run(verb="plan")
    assert (planned.returncode, "would charge 1 order" in planned.stdout) == (0, True)


@pytest.mark.fault("J14", "A11")
def test_a_plan_ends_as_a_run_does_over_older_files_too(market: Market) -> None:
    """One of which a run was killed before it counted anything, too."""
    market.job(doubt="1s", input="optional = true")
    market.orders([order(1)], "first.csv")
    under_way = market.sandbox.add_rule(action="reset_before", order_id="00001")
    with market.start("run", "job.toml", "--input", "first.csv") as process:
        while not under_way.applied:
            time.sleep(0.01)
        process.kill()
    planned = market.run(verb="plan")
    assert planned.returncode == market.run().returncode == 11
    planned = market.run("--json", verb="plan")
    told = json.loads(planned.stdout)["next_step"]
    ran = market.run("--summary")
    assert planned.returncode == ran.returncode == 11
    assert told and told in ran.stdout


def test_of_more_than_a_screen_shows_it_is_told_where_the_rest_is(
    market: Market,
) -> None:
    """Also where a run was killed before it wrote a report: as is printed, one is written."""
    market.job()
    market.orders([order(number) for number in range(1, 104)])
    under_way = market.sandbox.add_rule(action="reset_before", order_id="00001")
    with market.start("run", "job.toml") as process:
        while not under_way.applied:
            time.sleep(0.01)
        process.kill()
    told = market.run(verb="status").stdout
    assert "more: batchpay report job.toml writes a report that has them" in told
    assert market.run(verb="report").returncode == 11
    assert len(market.results()) == 103
    assert "more: see results.csv" in market.run(verb="status").stdout


@pytest.mark.fault("J14")
def test_a_plan_without_a_file_tells_of_the_stop_as_a_run_does(market: Market) -> None:
    """Both end with 12, and with 66 where nothing comes before that."""
    market.job()
    for verb in ("plan", "run"):
        assert market.run(verb=verb).returncode == 66
    rows = market.orders([order(1)])
    market.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", drop=["destination"]
    )
    assert market.run().returncode == 12
    rows.unlink()
    for verb in ("plan", "run"):
        told = market.run(verb=verb)
        assert (told.returncode, "orders.csv" in told.stderr) == (12, True)


@pytest.mark.fault("J28")
def test_a_plan_tells_who_gets_what_of_it(market: Market) -> None:
    """Commission and shares, in each currency that has any; a job without says nothing of them."""
    rows = [order(1, amount="1,234.50"), order(2, amount="3000", currency="JPY")]
    market.orders(rows)
    market.job(more='[fee]\nfixed = { THB = 500, JPY = 0 }\npercentage = "10.5"')
    told = market.run(verb="plan").stdout
    assert ", 1,234.50 THB: 134.62 commission, 1,099.88 to recipients" in told, told
    assert ", 3,000 JPY: 315 commission, 2,685 to recipients" in told, told
    market.job()
    assert "commission" not in market.run(verb="plan").stdout


@pytest.mark.fault("E04", "E05", "E07")
def test_other_bytes_with_the_same_rows_are_duplicates(market: Market) -> None:
    """Reordered, renamed, other line ends: nothing is sent; lost zeros and changed amounts
    conflict; new rows go.
    """
    rows = [order(number) for number in range(6)]
    market.orders(rows)
    market.job()
    market.run()
    changed = [
        order(9),
        {**rows[0], "amount": "99.00"},
        {**rows[1], "order_id": "1"},
        *reversed(rows[2:5]),
    ]
    market.orders(changed, "again.csv")
    result = market.run("--input", "again.csv")
    assert result.returncode == 10, result.stdout
    assert market.posts() == 7
    again = [row for row in market.results() if row["file"] == "again.csv"]
    assert [row["outcome"] for row in again] == [
        "succeeded",
        "conflict",
        "conflict",
        *["duplicate"] * 3,
    ]
    assert "row 6, succeeded, chrg_test_" in again[3]["reason"]
    market.agree()


def test_a_declined_order_comes_back_changed_or_when_asked_to(market: Market) -> None:
    """Inside its batch a closed attempt is final; in another batch it is the next attempt."""
    declined = [order(n, card=f"tokn_test_sandbox{n:05d}0011") for n in (1, 2, 3)]
    market.orders(declined)
    market.job()
    assert market.run().returncode == 10
    assert market.run().returncode == 10
    assert market.posts() == 3
    header = "order_id,amount,currency,recipient,card,invoice,batchpay_retry\n"
    rows = [
        {**declined[0], "card": "tokn_test_sandbox900014242"},
        declined[1],
        declined[2],
    ]
    lines = [
        ",".join(row.values()) + ("," + retry)
        for row, retry in zip(rows, ("", "", "yes"), strict=True)
    ]
    (market.folder / "corrected.csv").write_text(header + "\n".join(lines) + "\n")
    assert market.run("--input", "corrected.csv").returncode == 10
    again = {
        row["order_id"]: row
        for row in market.results()
        if row["file"] == "corrected.csv"
    }
    assert (again["00001"]["outcome"], again["00001"]["attempts"]) == ("succeeded", "2")
    assert again["00002"]["outcome"] == "duplicate"
    assert again["00003"]["attempts"] == "2"
    keys = [entry.key for entry in market.sandbox.requests("POST", "/charges")]
    assert len(keys) == len(set(keys)) == 5
    market.agree()


@pytest.mark.fault("B15", "B16", "B31")
@pytest.mark.parametrize(
    "rule",
    [
        {"action": "change", "change": {"amount": 1}},
        {"drop": ["chain"]},
        {"change": {"destination": "recp_test_sandbox9"}},
        {"action": "double"},
    ],
)
def test_a_stop_stays_until_a_person_lifts_it(
    market: Market, rule: dict[str, object]
) -> None:
    """12 now, 12 in the next run, and nothing is sent in between."""
    market.orders([order(number) for number in range(8)])
    market.job(rate="20/s")
    every = {"method": "GET", "path": "/charges/*", "order_id": "00002"}
    market.sandbox.add_rule(
        {**rule, "method": "POST", "path": "/charges", "order_id": "00002"}
    )
    if "drop" in rule:
        market.sandbox.add_rule(
            {"drop": ["chain"], "method": every["method"], "path": every["path"]}
        )
    assert market.run().returncode == 12
    posts = market.posts()
    result = market.run()
    assert result.returncode == 12
    assert market.posts() == posts
    assert "STOP" in result.stdout


@pytest.mark.fault("D09", "D10", "D07")
def test_a_lost_journal_charges_nothing_again(market: Market) -> None:
    """78 until --adopt; a copy from before the night adopts without being told."""
    rows = [order(number) for number in range(5)]
    market.orders(rows[:2])
    market.job()
    market.run()
    state = market.folder / "state"
    old = {path.name: path.read_bytes() for path in state.iterdir()}
    market.orders(rows, "more.csv")
    assert market.run("--input", "more.csv").returncode == 0
    for path in state.iterdir():
        path.unlink()
    for name, data in old.items():
        (state / name).write_bytes(data)
    assert market.run("--input", "more.csv").returncode == 0
    assert market.posts() == 5
    for path in state.iterdir():
        path.unlink()
    lost = market.run("--input", "more.csv")
    assert lost.returncode == 78 and "--adopt" in lost.stderr
    told = market.run(verb="status")
    assert (
        told.returncode == 78
        and "--adopt" in told.stderr
        and "no batch" not in told.stdout
    )
    assert market.run("--input", "more.csv", "--adopt").returncode == 0
    assert market.posts() == 5
    assert all(count == 1 for count in market.money().values())


@pytest.mark.fault("E01")
def test_a_second_run_ends_at_once_and_names_the_first(market: Market) -> None:
    """75, host, pid and start; not one request more."""
    market.orders([order(number) for number in range(30)])
    market.job(rate="10/s")
    with market.heard("run", "job.toml") as first:
        while not market.posts():
            time.sleep(0.01)
        second = market.run()
        assert second.returncode == 75
        assert f"pid {first.pid}" in second.stderr
        out, err = first.communicate(60)
        assert (first.returncode, out, err) == (0, "", "")
    assert market.posts() == 30


@pytest.mark.fault("F01", "F02")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_run_well(market: Market, number: signal.Signals) -> None:
    """75, reports written; the next run goes on."""
    rows = [order(n) for n in range(30)]
    market.orders(rows)
    market.job(rate="20/s")
    with market.heard("run", "job.toml") as process:
        while market.posts() < 3:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(30)
    assert process.returncode == 75, (out, err)
    assert number.name in err
    assert market.outcomes()["held"] > 0
    assert market.run().returncode == 0
    assert market.posts() == 30
    market.agree(rows)


@pytest.mark.fault("B02", "B35", "B20")
def test_no_answer_is_69_and_a_refused_key_77(market: Market) -> None:
    """Rows are held, and the next run sends them."""
    rows = [order(number) for number in range(4)]
    market.orders(rows)
    market.job(url="http://127.0.0.1:9")
    silent = market.run()
    assert silent.returncode == 69 and "not one answer" in silent.stderr
    assert market.outcomes() == {"held": 4}
    market.sandbox.accept_keys("skey_test_another000000")
    market.job()
    refused = market.run()
    assert refused.returncode == 77 and "OMISE_SECRET_KEY" in refused.stderr
    market.sandbox.accept_keys(KEY)
    assert market.run().returncode == 0
    market.agree(rows)


@pytest.mark.fault("B33", "B34")
def test_a_pending_charge_is_settled_by_a_later_run(market: Market) -> None:
    """`settle` asks too, and sends nothing."""
    header = "order_id,amount,currency,recipient,source,invoice\n"
    (market.folder / "orders.csv").write_text(
        header + "q1,50.00,THB,recp_test_sandbox1,src_test_sandbox1,i\n"
    )
    path = market.job()
    path.write_text(
        path.read_text().replace('card        = "card"', 'source      = "source"')
    )
    pending = market.run()
    assert pending.returncode == 11
    (charge,) = market.sandbox.charges()
    import httpx

    httpx.post(
        f"{market.sandbox.url}/charges/{charge['id']}/mark_as_paid",
        auth=(KEY, ""),
        trust_env=False,
    )
    settled = market.run(verb="settle")
    assert settled.returncode == 0, settled.stdout
    assert market.outcomes() == {"succeeded": 1}
    assert market.posts() == 1


def test_limits_hold_the_rest(market: Market) -> None:
    """--limit, then the rest; max_total refuses the plan whole; a canary goes first."""
    rows = [order(number) for number in range(6)]
    market.orders(rows)
    market.job()
    assert market.run("--limit", "2").returncode == 11
    assert market.outcomes() == {"succeeded": 2, "held": 4}
    assert market.run("--canary", "1").returncode == 0
    market.orders([order(n) for n in range(50, 53)], "large.csv")
    market.job(more='[controls]\nmax_total = { THB = "100.00" }')
    refused = market.run("--input", "large.csv")
    assert refused.returncode == 65 and "max_total" in refused.stderr
    assert market.posts() == 6


@pytest.mark.fault("H01", "H04")
def test_controls_refuse_a_batch_before_anything_moves(market: Market) -> None:
    """Count, total and rejects; the report says why."""
    market.orders([order(1), order(2, amount="x")])
    for controls in ("count = 3", 'total = { THB = "1.00" }'):
        market.job(more=f"[controls]\n{controls}")
        assert market.run().returncode == 65
    market.job(input='on_reject = "stop"')
    assert market.run().returncode == 65
    assert market.posts() == 0
    assert market.outcomes() == {"held": 1, "rejected": 1}
    assert "refused" in market.reports()[0]["verdict"]


@pytest.mark.fault("E08", "E10")
def test_repeats_within_a_file(market: Market) -> None:
    """Same content: the second is a duplicate; other content: both conflict; one token twice: both
    rejected.
    """
    market.orders(
        [
            order(1),
            order(1),
            order(2),
            order(2, amount="9.99"),
            order(3),
            order(4, card=order(3)["card"]),
        ]
    )
    market.job()
    assert market.run().returncode == 10
    outcomes = [row["outcome"] for row in market.results()]
    assert outcomes == [
        "succeeded",
        "duplicate",
        "conflict",
        "conflict",
        "rejected",
        "rejected",
    ]
    market.agree()


def test_a_repeated_night_under_new_ids_is_asked_about(market: Market) -> None:
    """65 unless --yes."""
    header = "order_id,amount,currency,recipient,customer,invoice\n"
    body = (
        "{}1,50.00,THB,recp_test_sandbox1,cust_test_sandbox1,i\n"
        "{}2,60.00,THB,recp_test_sandbox1,cust_test_sandbox2,i\n"
    )
    for name in "ab":
        (market.folder / f"{name}.csv").write_text(header + body.format(name, name))
    path = market.job()
    path.write_text(
        path.read_text().replace('card        = "card"', 'customer    = "customer"')
    )
    assert market.run("--input", "a.csv").returncode == 0
    refused = market.run("--input", "b.csv")
    assert refused.returncode == 65 and "--yes" in refused.stderr
    assert market.posts() == 2
    assert market.run("--input", "b.csv", "--yes").returncode == 0
    assert market.posts() == 4


@pytest.mark.fault("E04", "E03")
def test_a_file_that_half_resembles_a_recent_one_is_warned_of(market: Market) -> None:
    """Half of its new orders ask for what another file asked under other ids: sent, but said, by
    plan and by report, the same each time; orders that are known, or alike by chance, are nobody's
    business.
    """
    paid_by = [order(number, card=f"cust_test_sandbox{number}") for number in range(12)]
    again = [{**row, "order_id": f"new-{row['order_id']}"} for row in paid_by[:4]]
    others = [
        order(number, card=f"cust_test_sandbox{number}") for number in range(50, 54)
    ]
    path = market.job()
    path.write_text(
        path.read_text().replace('card        = "card"', 'customer    = "card"')
    )
    market.orders(paid_by, "first.csv")
    market.orders([*again, *others], "half.csv")
    market.orders(
        [*paid_by, *others[:3], {**paid_by[5], "order_id": "one-more"}], "grown.csv"
    )
    assert market.run("--input", "first.csv").returncode == 0
    told = "4 of its 8 new orders ask for the same payer, recipient and amount"
    assert told in market.run("--input", "half.csv", verb="plan").stderr
    for _ in range(2):
        sent = market.run("--input", "half.csv")
        assert sent.returncode == 0 and told in sent.stdout
        (batch,) = [
            report["batch"]
            for report in market.reports()
            if report["batch"]["file"] == "half.csv"
        ]
        assert [note for note in batch["notes"] if told in note and "first.csv" in note]
    assert (
        "new orders ask" not in market.run("--input", "grown.csv", verb="plan").stderr
    )
    assert market.posts() == 20


@pytest.mark.fault("E09", "E11")
def test_a_glob_reads_all_files_before_anything_is_sent(market: Market) -> None:
    """One batch each; a link to a file, or a copy of it, is the same batch."""
    market.orders([order(1), order(2)], "orders-1.csv")
    market.orders([order(2), order(3)], "orders-2.csv")
    (market.folder / "orders-3.csv").symlink_to("orders-1.csv")
    (market.folder / "orders-4.csv").write_bytes(
        (market.folder / "orders-1.csv").read_bytes()
    )
    market.job(file="orders-*.csv")
    assert market.run().returncode == 0
    assert len(market.reports()) == 2
    assert market.outcomes() == {"succeeded": 3, "duplicate": 1}
    assert market.posts() == 3
    market.agree()


@pytest.mark.fault("E09", "E10")
def test_a_row_of_another_file_is_named_by_its_file(market: Market) -> None:
    """What `check` calls a batch nobody has seen yet."""
    market.orders([order(1), order(2)], "orders-1.csv")
    market.orders([order(3), order(2, amount="300.00")], "orders-2.csv")
    market.job(file="orders-*.csv")
    told = market.run(verb="check").stdout
    assert "other content stands in row 3 of orders-2.csv;" in told, told
    assert "other content stands in row 3 of orders-1.csv;" in told, told
    assert market.run().returncode == 10
    assert any("row 3 of orders-2.csv" in one["reason"] for one in market.results())


def test_no_file_tonight(market: Market) -> None:
    """66, or 0 and silence when the job says that this is fine."""
    market.job()
    assert market.run().returncode == 66
    market.job(input="optional = true")
    quiet = market.run()
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


@pytest.mark.parametrize("verb", ["check", "plan", "run", "doctor"])
def test_an_input_without_a_name_is_not_the_jobs_own(market: Market, verb: str) -> None:
    """As of a variable of a shell's that is not set."""
    market.orders([order(1)])
    market.job()
    ended = market.run("--input", "", verb=verb)
    told = ended.stdout + ended.stderr
    assert (ended.returncode, "--input names no file" in told) == (64, True)
    assert market.posts() == 0


@pytest.mark.fault("I11", "G09")
def test_the_rate_holds_across_runs_and_for_every_request(market: Market) -> None:
    """POST and GET together, in any rolling second at the gateway, through a kill."""
    market.orders([order(number) for number in range(60)])
    market.job(rate="20/s")
    for _ in range(3):
        with market.start("run", "job.toml") as process:
            time.sleep(1.2)
            process.kill()
    assert market.run().returncode == 0
    times = sorted(entry.at for entry in market.sandbox.requests())
    worst = max(sum(1 for other in times if at <= other < at + 1.0) for at in times)
    assert worst <= 20


def test_report_and_status_need_the_journal_only(market: Market) -> None:
    """No input file, no gateway; the same bytes."""
    market.orders([order(1), order(2, amount="x")])
    market.job()
    market.run()
    (market.folder / "orders.csv").unlink()
    before = {
        path.name: path.read_bytes() for path in (market.folder / "reports").glob("*/*")
    }
    market.job(url="http://127.0.0.1:9")
    assert market.run(verb="report").returncode == 10
    assert {
        path.name: path.read_bytes() for path in (market.folder / "reports").glob("*/*")
    } == before
    status = json.loads(market.run("--json", verb="status").stdout)
    assert status["batches"][0]["outcomes"] == {"succeeded": 1, "rejected": 1}


@pytest.mark.fault("H06", "I12")
def test_no_key_is_ever_written(market: Market) -> None:
    """Not in the state, a report, a message."""
    market = Market(market.folder, market.sandbox)  # a process for each run
    market.orders([order(1), order(2, card="tokn_test_nobody")])
    market.job()
    result = market.run("--summary")
    written = b"".join(
        path.read_bytes() for path in market.folder.rglob("*") if path.is_file()
    )
    assert KEY.encode() not in written + result.stdout.encode() + result.stderr.encode()
    assert (
        order(1)["card"]
        not in (market.folder / "reports").glob("*/results.csv").__next__().read_text()
    )


@pytest.mark.fault("F04", "F09")
def test_started_by_cron_with_next_to_nothing(market: Market) -> None:
    """No HOME, no locale, closed stdin, a reader that went away: the same money."""
    market.orders([order(number) for number in range(5)])
    market.job()
    words, how = market.command("run", "job.toml", "--summary")
    how["env"] = {"OMISE_SECRET_KEY": KEY}
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **how,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(60)
    assert market.posts() == 5
    for path in (market.folder / "state").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_row_that_breaks_two_rules_is_counted_once(market: Market) -> None:
    """A cancelled order whose row is rejected by now as well: by check as by run."""
    market.orders([order(1), order(2), order(3, amount="1,5")])
    market.job()
    assert market.run("--limit", "0").returncode == 11
    assert (
        market.run("00002", "--cancel", "--reason", "x", verb="resolve").returncode == 0
    )
    # 00002 asks for more
    market.job(more='[controls]\nmax_amount = { THB = "101.50" }\n')
    checked = json.loads(market.run("--json", verb="check").stdout)
    assert market.run().returncode == 10
    assert market.outcomes() == {"succeeded": 1, "rejected": 2}
    assert checked["rejected"] == 2, checked


def test_check_and_plan_write_nothing_and_agree_with_run(market: Market) -> None:
    """The same code path as run; no state, no request."""
    market.orders([order(1), order(2), order(3, amount="1,5")])
    market.job()
    checked = market.run("--json", verb="check")
    assert checked.returncode == 10
    (problem,) = json.loads(checked.stdout)["problems"]
    assert (problem["row"], problem["column"], problem["rule"]) == (
        4,
        "amount",
        "number-format",
    )
    planned = json.loads(market.run("--json", verb="plan").stdout)
    assert planned["to_send"]["THB"] == {
        "count": 2,
        "sum_minor": 20350,
        "sum": "203.50",
    }
    assert (
        not (market.folder / "state").exists()
        and not (market.folder / "reports").exists()
    )
    assert market.posts() == 0
    market.run()
    assert sum(c["amount"] for c in market.sandbox.charges()) == 20350
    again = json.loads(market.run("--json", verb="plan").stdout)
    assert again["to_send"] == {} and again["plan_hash"] != planned["plan_hash"]


def test_a_form_body_is_what_the_journal_promised(market: Market) -> None:
    """Fault-matrix I4: every POST has an intent with the same key and body hash."""
    market.orders([order(number) for number in range(3)])
    market.job()
    market.run()
    import hashlib
    import sqlite3

    raw = sqlite3.connect(market.folder / "state" / "batchpay.db")
    intents = {}
    for (data,) in raw.execute("SELECT data FROM plain_events WHERE kind = 'intent'"):
        kept = json.loads(data)["intent"]
        intents[kept["key"]] = kept["body_sha256"]
        assert hashlib.sha256(kept["body"].encode()).hexdigest() == kept["body_sha256"]
        assert dict(parse_qsl(kept["body"]))["metadata[batchpay_key]"] == kept["key"]
    raw.close()
    assert {
        e.key: e.body_sha256 for e in market.sandbox.requests("POST", "/charges")
    } == intents


def test_a_job_from_another_folder_keeps_its_own_paths(
    market: Market, tmp_path: Path
) -> None:
    """Relative paths are relative to the job file, --input to where one stands."""
    market.orders([order(1)])
    market.job()
    words, how = ["run", str(market.folder / "job.toml")], market.command()[1]
    assert ready.run(words, Path("/"), how["env"], timeout_s=60).returncode == 0
    assert (market.folder / "reports").is_dir() and (tmp_path / "state").is_dir()


def test_no_file_tonight_is_no_alarm(market: Market) -> None:
    """66; with `optional` 0 and silent, even while the gateway is down: there is nothing to ask
    it.
    """
    market.job(url="http://127.0.0.1:9")
    assert market.run().returncode == 66
    market.job(url="http://127.0.0.1:9", input="optional = true")
    assert [
        (r.returncode, r.stdout, r.stderr)
        for r in (market.run(), market.run(verb="check"))
    ] == [(0, "", "")] * 2
    told = json.loads(market.run("--json").stdout)
    assert (told["exit_code"], told["batches"]) == (0, [])
    assert "no file and nothing open" in market.run("--summary").stdout


def test_status_tells_what_waits_and_how_long(market: Market) -> None:
    """A held order is listed with its age, 11; when all ended, 0; `report` of another batch says
    the same.
    """
    market.orders([order(1)])
    market.job()
    assert market.run(verb="status").returncode == 0
    assert market.run().returncode == 0
    assert market.run(verb="status").returncode == 0
    (first,) = (path.name for path in (market.folder / "reports").glob("2*"))
    market.orders([order(number) for number in range(2, 5)], "more.csv")
    assert market.run("--input", "more.csv", "--limit", "1").returncode == 11
    plain = market.run(verb="status")
    assert plain.returncode == 11
    assert (
        "  2 orders (00003, 00004) are held, of a file that came " in plain.stdout
        and " s; of the first (row 3): this run was limited to 1 order" in plain.stdout
    )
    told = json.loads(market.run("--json", verb="status").stdout)
    assert [batch["open_count"] for batch in told["batches"]] == [0, 2]
    assert [
        (o["order"], o["row"], o["outcome"]) for o in told["batches"][1]["open"]
    ] == [
        ("00003", 3, "held"),
        ("00004", 4, "held"),
    ]
    assert all(o["age_s"] >= 0 for o in told["batches"][1]["open"])
    assert market.run(first, verb="report").returncode == 11
    assert market.run("--input", "more.csv").returncode == 0
    assert market.run(verb="status").returncode == 0
    assert market.run(first, verb="report").returncode == 0


@pytest.mark.fault("E04")
def test_a_plan_refuses_what_a_run_would(market: Market) -> None:
    """A recent night under new ids: 65 for both, with the same sentence; --yes is for the run."""
    market.orders([order(number) for number in range(3)])
    market.job()
    assert market.run().returncode == 0
    market.orders(
        [order(number, order_id=f"new-{number}") for number in range(3)], "new.csv"
    )
    planned = market.run("--input", "new.csv", verb="plan")
    ran = market.run("--input", "new.csv")
    assert (planned.returncode, ran.returncode) == (65, 65)
    assert "would charge nothing" in planned.stdout
    assert (
        "No order id of this file is known" in planned.stderr
        and "No order id of this file is known" in ran.stderr
    )
    assert market.posts() == 3
    market.orders(
        [order(0), *(order(number, order_id=f"new-{number}") for number in (1, 2))],
        "mixed.csv",
    )
    # one is known: of the others it was asked already
    planned = market.run("--input", "mixed.csv", verb="plan")
    assert (
        planned.returncode == 65
        and "2 of its 2 new orders were refused already" in planned.stderr
    )
    assert market.run("--input", "mixed.csv").returncode == 65
    market.orders(
        [
            order(0),
            *(
                order(n, order_id=f"other-{n}", card=f"tokn_test_sandboxother{n}4242")
                for n in (1, 2)
            ),
        ],
        "mixed.csv",
    )
    # those of the refused file never go: their tokens are spent
    planned = market.run("--input", "mixed.csv", verb="plan")
    assert planned.returncode == 0 and "would charge 2 orders" in planned.stdout
    assert market.run("--input", "mixed.csv").returncode == 0
    assert market.posts() == 5


def test_check_and_plan_warn_of_the_same(market: Market) -> None:
    """Ids that are equal to the eye are told by both, though a plan reads the file more than
    once.
    """
    market.orders([order(1, order_id="caf\u00e9"), order(2, order_id="cafe\u0301")])
    market.job()
    for verb in ("check", "plan"):
        assert (
            market.run(verb=verb).stderr.count(
                "order ids equal only after Unicode normalisation"
            )
            == 1
        ), verb


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", "job.toml"), 66),
        (("check", "job.toml"), 66),
        (("plan", "job.toml"), 66),
        (("status", "no.toml"), 78),
        (("run", "job.toml", "--limit", "x"), 64),
        (("report", "job.toml", "2026-01-01-000000000000"), 66),
    ],
)
def test_who_asks_for_json_gets_trouble_as_json(
    market: Market, words: tuple[str, ...], code: int
) -> None:
    """One document on stdout whatever happens, the sentence on stderr."""
    market.job()
    done = market.program(*words, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == told["exit_code"] == code
    assert done.stderr == f"batchpay: {told['trouble'][0]['message']}\n"
