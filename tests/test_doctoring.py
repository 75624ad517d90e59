"""doctor: what is wrong tonight is known before tonight."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from batchpay.commands import doctor
from batchpay.job.load import load_job
from batchpay.sandbox import SandboxServer
from tests.inside import Inside
from tests.world import KEY, Market, order

MARKET = Inside


def findings(
    market: Market, *flags: str, **environ: str
) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and the findings by subject: the last of each."""
    result = market.run(*flags, "--json", verb="doctor", **environ)
    if not result.stdout:
        return result.returncode, {"": ("wrong", result.stderr)}
    told = json.loads(result.stdout)
    if "findings" not in told:
        return result.returncode, {"": ("wrong", result.stdout)}
    return result.returncode, {
        f["subject"]: (f["state"], f["told"]) for f in told["findings"]
    }


def test_all_is_well(market: Market) -> None:
    """Before the first run and after it; not one charge is made, nothing is written."""
    market.orders([order(number) for number in range(3)])
    market.job()
    code, found = findings(market)
    assert code == 0, found
    assert (
        not (market.folder / "state" / "batchpay.db").exists() and market.posts() == 0
    )
    assert {
        "input",
        "journal",
        "state",
        "reports",
        "key",
        "clock",
        "permission",
        "limits",
        "recipients",
    } <= set(found)
    assert all(state == "well" for state, _ in found.values()), found
    market.run()
    code, found = findings(market)
    assert code == 0 and "hash chain verifies" in found["journal"][1]


@pytest.mark.fault("J17", "I16")
def test_another_journal_in_the_folder_is_no_stranger(market: Market) -> None:
    """Whoever deleted it as one would lose what was charged: a job of the same folder with a state
    of its own, its lock, what SQLite keeps beside it, a copy of a journal, and a lock that is left.
    A file of another program is one.
    """
    market.orders([order(1)])
    first = market.job().read_text("utf-8")
    assert market.run().returncode == 0
    state = market.folder / "state"
    market.job(more='[state]\nurl = "sqlite:///state/b.db"')
    assert market.run("--adopt").returncode == 0
    assert (state / "b.db").exists()
    keeps = sqlite3.connect(state / "b.db")
    assert keeps.execute("SELECT count(*) FROM events").fetchone()
    assert (state / "b.db-shm").exists()
    shutil.copy(state / "b.db", state / "kept.db")
    (state / "gone.db.0a1b2c3d.lock").write_text("")
    (market.folder / "job.toml").write_text(first, "utf-8")
    before = sorted(state.glob("*[!y].db*"))
    _, found = findings(market)
    assert found["state"] == ("well", "other journals beside it: b.db, kept.db"), found
    assert sorted(state.glob("*[!y].db*")) == before, "of the others nothing is made"
    keeps.close()
    foreign = sqlite3.connect(state / "foreign.db")
    foreign.execute("CREATE TABLE meta (name, value)")
    foreign.close()
    (state / "b.dbx").write_text("x")
    _, found = findings(market)
    strangers = "files that batchpay did not make: b.dbx, foreign.db"
    assert found["state"] == ("warning", strangers), found


def test_what_is_wrong_is_told_with_its_exit_code(market: Market) -> None:
    """A refused key, a recipient that cannot be paid, a stop, an open order, a stranger in the
    state's folder.
    """
    market.orders(
        [
            order(1),
            order(2, recipient="recp_test_sandboxunverified"),
            order(3, amount="x"),
        ]
    )
    market.job()
    code, found = findings(market)
    assert code == 0 and found["input"][0] == "warning"
    assert (
        "not verified" in found["recipient"][1] and "1 of 2" in found["recipients"][1]
    )
    market.sandbox.add_rule(
        {"method": "POST", "path": "/charges", "drop": ["destination"]}
    )
    assert market.run().returncode == 12
    (market.folder / "state" / "notes.txt").write_text("x")
    code, found = findings(market)
    assert code == 12 and "lift-stop" in found["stop"][1]
    assert "notes.txt" in found["state"][1] or "notes.txt" in str(found)
    market.sandbox.accept_keys("skey_test_another000000")
    assert findings(market)[0] == 12  # the stop weighs more
    code, found = findings(market, OMISE_SECRET_KEY="skey_live_0123456789")
    assert (
        code == 12 and found["key"][0] == "wrong" and found["recipients"][0] == "unseen"
    )


@pytest.mark.fault("B20")
def test_a_refused_key_is_77_and_a_silent_gateway_69(market: Market) -> None:
    """Told like a run would tell it."""
    market.orders([order(1)])
    market.job()
    market.sandbox.accept_keys("skey_test_another000000")
    code, found = findings(market)
    assert code == 77 and "refused the secret key (401" in found["gateway"][1]
    said = market.run(verb="doctor").stdout
    assert (
        "run again later" not in said and said.count("authentication_failure") == 1
    ), said
    market.job(url="http://127.0.0.1:9")
    code, found = findings(market)
    assert code == 69 and PAGE in found["gateway"][1]
    done = market.run()
    assert done.returncode == 69 and "whose account" not in done.stdout + done.stderr, (
        done
    )


PAGE = "https://status.omise.co tells of incidents"


@pytest.mark.fault("B17", "B35")
def test_a_gateway_that_is_ill_has_a_status_page(market: Market) -> None:
    """69 of doctor and run, rows that are held or in doubt: the sentence names it; a declined
    card's does not.
    """
    market.orders([order(number) for number in range(3)])
    market.job()
    assert market.run().returncode == 0
    market.sandbox.add_rule(
        {"method": "GET", "path": "*", "status": 503, "code": "service_unavailable"}
    )
    settled = market.run()
    assert settled.returncode == 69 and "held the rest" not in settled.stdout, settled
    market.orders([order(number) for number in range(9)])
    code, found = told(market)
    (gateway,) = [one for one in found if one["subject"] == "gateway"]
    assert code == 69 and PAGE in gateway["told"] and "status 503" in gateway["told"]
    for verb in ("run", "settle"):
        done = market.run(verb=verb)
        assert (
            done.returncode == 69
            and PAGE in done.stderr
            and "status 503" in done.stderr
        )
        assert "whether the gateway itself has an incident" in done.stdout + done.stderr
    market.sandbox.clear_rules()
    market.sandbox.add_rule(
        {
            "method": "POST",
            "path": "/charges",
            "status": 502,
            "commit": "never",
            "code": "x",
        }
    )
    done = market.run()
    assert done.returncode == 11 and market.outcomes()["held"]
    assert f"with a 5xx, at last 502: {PAGE}" in done.stdout
    market.sandbox.clear_rules()
    while market.run().returncode == 11:
        pass
    market.orders([order(90, card="tokn_test_sandbox900011")])
    done = market.run()
    assert done.returncode == 10 and PAGE not in done.stdout + done.stderr


@pytest.mark.fault("C04")
def test_a_wrong_clock_is_78(market: Market) -> None:
    """Look-ups and audits go by time."""
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(
        {
            "method": "GET",
            "path": "*",
            "headers": {"date": "Mon, 01 Jan 2024 00:00:00 GMT"},
        }
    )
    code, found = findings(market)
    assert code == 78 and found["clock"][0] == "wrong" and "gateway" not in found, found
    assert "unseen   clock" not in market.run(verb="doctor").stdout


def test_a_disk_without_room_is_73(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A little room is a warning; none is what ends a run."""
    market.orders([order(1)])
    market.job()
    job = load_job(market.folder / "job.toml")
    usage = shutil.disk_usage(market.folder)
    for free, state, code in ((4096, "wrong", 73), (100 << 20, "warning", 0)):
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _, free=free: usage._replace(free=free)
        )
        for finding in doctor._disk(job):
            assert (finding.state, finding.exit_code) == (state, code), finding


@pytest.mark.fault("E13")
def test_a_job_that_was_renamed_beside_its_journal_is_78(market: Market) -> None:
    """As its run would end; under its old name all is well again."""
    market.orders([order(1), order(2)])
    market.job()
    assert market.run().returncode == 0
    path = market.folder / "job.toml"
    path.write_text(path.read_text().replace('name = "night"', 'name = "nightly"'))
    code, found = findings(market)
    assert (
        code == 78 and 'give it its old name again: name = "night"' in found["job"][1]
    ), found
    assert market.run().returncode == 78
    market.job()
    assert findings(market)[0] == 0


@pytest.mark.fault("D14")
def test_a_journal_edited_by_hand_is_74(market: Market) -> None:
    """And the event is named."""

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
    assert (
        "Keep a copy of it as it is, find out who or what changed it"
        in found["journal"][1]
    )
    last = market.run(verb="doctor").stdout.splitlines()[-1]
    assert last.startswith("exit 74: do what is said about the journal"), last
    assert "Nothing was sent" not in market.run(verb="verify").stderr
    assert market.run().returncode == 74


def test_a_probe_learns_what_the_gateway_does(market: Market) -> None:
    """The sandbox splits and ignores keys; a run afterwards takes no probe for its own; live mode
    is refused.
    """
    market.orders([order(1)])
    market.job()
    people = ("--customer", "cust_test_sandbox00014242")
    code, found = findings(market, "--probe", *people)
    assert code == 0, found
    assert (
        found["destination"][0] == "well" and "chain acch_" in found["destination"][1]
    )
    assert "not honoured" in found["idempotency key"][1]
    assert market.posts() == 3
    assert market.run().returncode == 0
    assert market.outcomes() == {"succeeded": 1}
    path = market.folder / "job.toml"
    path.write_text(
        path.read_text().replace(
            'doubt_period = "0.6s"', 'doubt_period = "300s"\nmode = "live"'
        )
    )
    code, found = findings(
        market, "--probe", *people, OMISE_SECRET_KEY="skey_0123456789abcdef"
    )
    assert code == 78 and "test mode only" in str(found)
    assert market.posts() == 4


# --- as far as it can


def told(
    market: Market, *flags: str, **environ: str
) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and all findings, in their order."""
    result = market.run(*flags, "--json", verb="doctor", **environ)
    document = json.loads(result.stdout)
    assert (
        document["exit_code"] == result.returncode and "Traceback" not in result.stderr
    )
    return result.returncode, document["findings"]


UNSEEN = ["account", "permission", "clock", "limits", "recipients"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "no secret key"),
        ("pkey_test_0123456789", "a public key"),
        ("skey_0123456789abcdef", "is a live key"),
    ],
)
def test_without_a_key_all_but_the_gateway_is_looked_at(
    market: Market, key: str, says: str
) -> None:
    """78 at the end: what this machine tells comes first, and everything that was not looked at
    says why.
    """
    market.orders([order(1), order(2, amount="x")])
    market.job()
    code, found = told(market, OMISE_SECRET_KEY=key)
    subjects = [one["subject"] for one in found]
    assert code == 78
    assert subjects[: subjects.index("key")] == [
        "job",
        "schema",
        "input",
        "journal",
        "state",
        "reports",
        "clock",
    ]
    (missing,) = [one for one in found if one["subject"] == "key"]
    assert (missing["state"], missing["exit_code"]) == (
        "wrong",
        78,
    ) and says in missing["told"]
    assert [one["subject"] for one in found if one["state"] == "unseen"] == UNSEEN
    assert all(
        "that needs the key" in one["told"] for one in found if one["state"] == "unseen"
    )
    assert "2 rows, 1 rejected" in next(
        one["told"] for one in found if one["subject"] == "input"
    )
    assert market.sandbox.requests() == []


def test_what_is_wrong_is_told_beside_the_missing_key(market: Market) -> None:
    """A stop, a refused file, a damaged journal: 12 and 78 before 65, in the order of the exit
    codes.
    """
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(
        {"method": "POST", "path": "/charges", "drop": ["destination"]}
    )
    assert market.run().returncode == 12
    assert told(market, OMISE_SECRET_KEY="")[0] == 12
    (market.folder / "orders.csv").write_text("order_id\n1\n")
    code, found = told(market, OMISE_SECRET_KEY="", OMISE_SECRET_KEY_FILE="")
    assert code == 12 and {"input", "stop", "key"} <= {
        one["subject"] for one in found if one["state"] == "wrong"
    }
    (market.folder / "state" / "batchpay.db").write_bytes(b"x" * 5000)
    code, found = told(market, OMISE_SECRET_KEY="")
    assert code == 78
    assert {one["exit_code"] for one in found if one["state"] == "wrong"} >= {
        65,
        74,
        78,
    }


def test_a_wrong_job_file_keeps_nothing_else_from_view(market: Market) -> None:
    """Every fault of it on a line of its own; what needs the job is told as not looked at."""
    path = market.job()
    path.write_text(
        path.read_text().replace("rate ", "rat ").replace('file = "orders.csv"', "")
    )
    code, found = told(market)
    assert code == 78
    assert [one["state"] for one in found if one["subject"] == "job"] == [
        "wrong",
        "wrong",
    ]
    assert [one["subject"] for one in found if one["state"] == "unseen"] == [
        "input",
        "journal",
        "state",
        "reports",
        "key",
        *UNSEEN,
    ]
    code, found = told(market, OMISE_SECRET_KEY_FILE=str(market.folder))
    assert code == 78 and "job file" in str(found)


def test_a_run_under_way_hides_the_gateway_alone(market: Market) -> None:
    """75, and all that this machine tells."""
    market.orders([order(number) for number in range(3)])
    market.job()
    market.sandbox.add_rule({"method": "POST", "path": "/charges", "wait_before_s": 20})
    with market.start("run", "job.toml") as under_way:
        while not market.posts():
            time.sleep(0.05)
        code, found = told(market)
        under_way.kill()
    assert code == 75
    assert [one["subject"] for one in found if one["state"] == "unseen"] == UNSEEN
    assert "is running already" in next(
        one["told"] for one in found if one["subject"] == "gateway"
    )


def test_a_probe_that_comes_to_nothing_is_a_finding(market: Market) -> None:
    """What was looked at before it is told all the same; without a key it is not made."""
    market.orders([order(1)])
    market.job()
    code, found = told(market, "--probe", "--customer", "cust_test_nobody")
    assert code == 78 and [(one["subject"], one["state"]) for one in found][-1] == (
        "probe",
        "wrong",
    )
    code, found = told(market, "--probe", OMISE_SECRET_KEY="")
    assert code == 78 and [(one["subject"], one["state"]) for one in found][-1] == (
        "probe",
        "unseen",
    )


# --- the gateway's limits


def scripted(tmp_path: Path, lines: str) -> SandboxServer:
    """A gateway with terms of its own."""
    path = tmp_path / "terms.toml"
    path.write_text(f"[sandbox]\n{lines}\n")
    return SandboxServer.scripted(path)


@pytest.mark.fault("J29")
@pytest.mark.parametrize(
    ("share", "says"), [("hold", "a run holds them"), ("send", "nobody can be paid")]
)
def test_files_are_held_against_the_gateways_limits(
    tmp_path: Path, share: str, says: str
) -> None:
    """The least and the most of a charge, the smallest transfer, the currencies; of rows that are
    right themselves.
    """
    rows = [
        order(1, amount="19.99"),
        order(2, amount="20.00"),
        order(3, amount="1000.00"),
        order(4, amount="1000.01"),
        order(5, amount="49.99"),
        order(6, amount="1", currency="JPY"),
        order(7, amount="9", currency="CAD"),
        order(8, amount="x"),
    ]
    with scripted(
        tmp_path, "charge_min = 2000\ncharge_max = 100000\ntransfer_min = 4000"
    ) as sandbox:
        market = Market(tmp_path, sandbox)
        market.orders(rows)
        market.job(more=f'[fee]\npercentage = "20"\n[controls]\nmin_share = "{share}"')
        code, found = told(market)
    limits = [
        one["told"]
        for one in found
        if one["subject"] == "limits" and one["state"] == "warning"
    ]
    assert code == 0 and len(limits) == 4, limits
    assert "1 order (row 8): in CAD, which the account does not take" in limits[0]
    assert "1 order (row 2): below the least charge, 20.00 THB" in limits[1]
    assert "1 order (row 5): above the largest charge, 1,000.00 THB" in limits[2]
    assert (
        "2 orders (rows 3, 6): the recipient's share is below the smallest transfer, 40.00 THB"
        in limits[3]
    )
    assert says in limits[3]
    well = [
        one["told"]
        for one in found
        if one["subject"] == "limits" and one["state"] == "well"
    ]
    assert well == [
        "a charge may be 20.00 to 1,000.00 THB, a transfer 40.00 THB or more",
        (
            "orders.csv: 1 order in CAD, 1 order in JPY: not held against these limits, the gateway"
            " converts to THB first"
        ),
    ]


def test_many_orders_beyond_a_limit_are_counted(tmp_path: Path) -> None:
    """Five rows are named."""
    with scripted(tmp_path, "charge_max = 10000") as sandbox:
        market = Market(tmp_path, sandbox)
        market.orders([order(number) for number in range(1300)])
        market.job()
        found = told(market)[1]
    (limit,) = [
        one["told"]
        for one in found
        if one["subject"] == "limits" and one["state"] == "warning"
    ]
    assert (
        "1,300 orders (rows 2, 3, 4, 5, 6 and 1,295 more): above the largest charge, 100.00 THB"
        in limit
    )


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{}",
        '{"limits": {"charge_amount": {"min": "1", "max": null}}}',
        '{"limits": 1}',
    ],
)
def test_limits_that_the_gateway_does_not_tell(market: Market, body: str) -> None:
    """A warning; nothing is held against what nobody said."""
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(
        {"method": "GET", "path": "/capability", "status": 200, "body": body}
    )
    code, found = findings(market)
    assert code == 0 and found["limits"] == ("warning", found["limits"][1])
    assert "does not tell the least" in found["limits"][1]


# --- the key's file


@pytest.mark.parametrize(
    ("mode", "folder", "says"),
    [
        (0o600, 0o700, []),
        (0o640, 0o755, []),  # the owner's own group
        (0o644, 0o755, ["everybody may read the secret key (mode 0644)"]),
        (0o602, 0o700, ["everybody may change the secret key (mode 0602)"]),
        (0o600, 0o777, ["everybody may write in this folder"]),
        (0o600, 0o1777, []),  # sticky: nobody takes another's file away
        (
            0o666,
            0o722,
            ["may read", "may change", "everybody may write in this folder"],
        ),
    ],
)
def test_a_key_file_that_others_can_read_or_change(
    market: Market, mode: int, folder: int, says: list[str]
) -> None:
    """Warned of, by its mode and by that of the folders above it; it is read all the same."""
    market.orders([order(1)])
    market.job()
    place = market.folder / "secrets"
    place.mkdir()
    (place / "key").write_text(f"{KEY}\n")
    (place / "key").chmod(mode)
    place.chmod(folder)
    code, found = told(market, OMISE_SECRET_KEY="", OMISE_SECRET_KEY_FILE="secrets/key")
    warned = [one["told"] for one in found if one["subject"] == "key file"]
    assert code == 0 and len(warned) == len(says), warned
    assert all(said in one for said, one in zip(says, warned, strict=True))
    assert KEY not in str(found)


def test_a_group_that_may_read_the_key(market: Market) -> None:
    """Another than the owner's own is named."""
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    market.orders([order(1)])
    market.job()
    path = market.folder / "key"
    path.write_text(KEY)
    path.chmod(0o640)
    os.chown(path, 0, 54321)
    found = told(market, OMISE_SECRET_KEY="", OMISE_SECRET_KEY_FILE="key")[1]
    assert "group 54321 may read" in next(
        one["told"] for one in found if one["subject"] == "key file"
    )


def test_what_is_set_for_other_programs_is_said_to_be_ignored(market: Market) -> None:
    """Certificates and proxies of the environment."""
    market.orders([order(1)])
    market.job()
    found = findings(market, SSL_CERT_FILE="/x.pem", https_proxy="http://127.0.0.1:9")[
        1
    ]
    assert found["environment"] == ("warning", found["environment"][1])
    assert found["environment"][1].startswith(
        "SSL_CERT_FILE, https_proxy: set for other programs and not read here"
    )


def test_a_clock_behind_the_files_of_the_job(market: Market) -> None:
    """Told without the network."""
    market.orders([order(1)])
    ahead_s = time.time() + 4000
    os.utime(market.job(), (ahead_s, ahead_s))
    code, found = told(market, OMISE_SECRET_KEY="")
    clock = next(one for one in found if one["subject"] == "clock")
    assert (
        code == 78 and clock["state"] == "warning" and "set the clock" in clock["told"]
    )


def test_in_words(market: Market) -> None:
    """A line a finding, and the exit code with what to do."""
    market.orders([order(1)])
    market.job()
    result = market.run(verb="doctor", OMISE_SECRET_KEY="")
    lines = result.stdout.splitlines()
    assert result.returncode == 78 and result.stderr == ""
    assert "unseen   recipients: not looked at: that needs the key" in lines
    assert lines[-1].startswith("exit 78: ")


@pytest.mark.fault("J03", "J22")
def test_the_key_is_held_against_the_journal_as_a_run_holds_it(market: Market) -> None:
    """Another account than the journal's is wrong before the run says so, and a probe charges
    nothing by it.
    """
    market.orders([order(1)])
    market.job()
    assert market.run().returncode == 0
    other = {"object": "account", "id": "account_test_another", "currency": "THB"}
    market.sandbox.add_rule(method="GET", path="/account", body=other)
    code, found = findings(market)
    assert (
        code == 78
        and found["key"][0] == "wrong"
        and "account_test_another" in found["key"][1]
    )
    assert market.run().returncode == 78
    code, found = findings(market, "--probe", "--customer", "cust_test_sandbox00014242")
    assert code == 78 and found["probe"][0] == "wrong" and market.posts() == 1
    market.sandbox.clear_rules()
    market.sandbox.add_rule(method="GET", path="/account", drop=["livemode"])
    assert findings(market)[0] == 0 and market.run().returncode == 0


@pytest.mark.fault("L10")
def test_a_probe_makes_no_charge_under_a_stop(market: Market) -> None:
    """What must be looked at first is looked at first."""
    market.orders([order(1)])
    market.job()
    market.sandbox.add_rule(method="POST", path="/charges", drop=["destination"])
    assert market.run().returncode == 12
    market.sandbox.clear_rules()
    posts = market.posts()
    code, found = findings(market, "--probe", "--customer", "cust_test_sandbox00014242")
    assert code == 12 and "stop" in found["probe"][1] and market.posts() == posts


@pytest.mark.fault("J22")
def test_odd_documents_of_the_gateway_are_no_bug(market: Market) -> None:
    """Limits that are no object, lists of what is no object: a finding, never 70."""
    market.orders([order(1)])
    market.job()
    for limits in (
        None,
        5,
        [],
        {"charge_amount": None},
        {"charge_amount": {"min": "x"}},
    ):
        market.sandbox.clear_rules()
        market.sandbox.add_rule(
            method="GET",
            path="/capability",
            body={"object": "capability", "limits": limits},
        )
        code, found = findings(market)
        assert code == 0 and found["limits"][0] == "warning", found
    for data in ([1], 5, None, [{"id": 1}]):
        market.sandbox.clear_rules()
        market.sandbox.add_rule(
            method="GET", path="/recipients", body={"object": "list", "data": data}
        )
        code, found = findings(market, "--probe")
        assert code == 78 and "default recipient" in found["probe"][1], found
