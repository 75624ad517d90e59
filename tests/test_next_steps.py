"""Every next step that is printed is tried: the true program is brought into the state, what it
prints is read and done to the letter, and the state is over.

A trial says which steps it tries (`@tries`); `test_every_next_step_has_a_trial` holds them against
`messages.steps` and the tables of `domain.exits`. A printed command names the job; 'your reason'
in it is a reason, and all else is run as it stands.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import openpyxl
import pytest

from batchpay.domain import exits
from batchpay.domain.errors import CannotWrite
from batchpay.domain.lineage import NAMING
from batchpay.domain.text import many
from batchpay.lifecycle.keys import key_of
from batchpay.messages import steps
from batchpay.messages.message import Entry
from batchpay.reports.files import Directory
from batchpay.sandbox import SandboxServer
from tests import inside, ready
from tests.world import BY_CUSTOMER, HEADER, KEY, Market, order

STEPS = {one.code: one for one in vars(steps).values() if isinstance(one, Entry)}
WHY = "a person saw to it"
TRIED: set[str] = set()
COMMAND = re.compile(
    r"batchpay (resolve job\.toml (?:--[\w-]+(?: (?!--|'your)\S+)? )*--reason 'your reason'"
    r"(?: (?:-- )?(?:'[^']*'|[\w-]+))?)"
)


def tries(*ids: str) -> Callable[[Any], Any]:
    """The steps that a trial does."""
    TRIED.update(ids)
    return lambda trial: trial


def commands_in(text: str) -> list[list[str]]:
    """The words of every command that a text tells a person to run, ready to be run."""
    found = [shlex.split(match[1]) for match in COMMAND.finditer(text)]
    return [
        [WHY if word == "your reason" else word for word in words] for words in found
    ]


def program(market: Market, *words: str, **environ: str) -> ready.Ended:
    """The true command line with these words; what it prints can be typed."""
    done = inside.program(market, *words, **environ)
    # there, and only there, words stand for something
    typed = done.returncode == 64 or "--help" in words
    assert typed or not re.search(r"\bJOB\b|\bTEXT\b", done.stdout + done.stderr), (
        "nobody can type that"
    )
    return done


class Told(Market):
    """A market whose program is run in this process."""

    def program(self, *words: str, **environ: str) -> ready.Ended:
        """The command line to its end."""
        return program(self, *words, **environ)


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A folder and a gateway that does not know idempotency."""
    with SandboxServer() as sandbox:
        yield Told(tmp_path, sandbox)


def follow(market: Market, text: str, which: int = 0) -> str:
    """Run the command that a text tells; what it said. It must go well."""
    words = commands_in(text)[which]
    assert "…" not in " ".join(words), words
    done = program(market, *words)
    assert done.returncode == 0, (words, done)
    return done.stdout


def row(market: Market, order_id: str, file: str = "") -> dict[str, str]:
    """The one row of an order, of a file if it stands in several."""
    (found,) = [
        r
        for r in market.results()
        if r["order_id"] == order_id and file in ("", r["file"])
    ]
    return found


def over(market: Market, code: int, *flags: str) -> None:
    """A run ends so, sends nothing twice, and `status` lists nothing that waits for anybody."""
    done = market.run(*flags)
    assert done.returncode == code, (done.stdout, done.stderr)
    status = market.run(verb="status")
    # what a person accepted is 10 everywhere
    assert status.returncode in (0, code), status.stdout
    assert "STOP" not in status.stdout and "\n  order " not in status.stdout, (
        status.stdout
    )
    assert all(number == 1 for number in market.money().values())


def lift(market: Market) -> None:
    """Do what the STOP line of `status` says."""
    (line,) = [
        line
        for line in market.run(verb="status").stdout.splitlines()
        if line.startswith("STOP: ")
    ]
    assert "lifted" in follow(market, line, -1)


# what makes a row of a rejects file nobody's correction
CLEARED = dict.fromkeys(NAMING, "")


def rejected(market: Market) -> list[dict[str, str]]:
    """The rows of the newest rejects file."""
    path = max(
        (market.folder / "reports").glob("*/rejects.*"),
        key=lambda found: found.stat().st_mtime_ns,
    )
    if path.suffix == ".xlsx":
        lines = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
        cells = [[cell or "" for cell in line] for line in lines]
        # the sheet's own titles stand above its header, as they did
        at = next(at for at, line in enumerate(cells) if "batchpay_row" in line)
        head, *rows = cells[at:]
        return [dict(zip(head, row, strict=True)) for row in rows]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def sent_back(market: Market, lines: list[dict[str, str]], **changes: str) -> str:
    """A file of these rows with these cells; its name."""
    name = f"back{len(list(market.folder.glob('back*')))}.csv"
    write_csv(market.folder / name, [{**line, **changes} for line in lines])
    return name


def rejects(market: Market, **changes: str) -> str:
    """The newest rejects file, sent back with these cells; the name of the file."""
    return sent_back(market, rejected(market), **changes)


def write_csv(path: Path, lines: list[dict[str, str]]) -> None:
    """A file of these rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def edit(market: Market, old: str, new: str) -> None:
    """A person's edit of the job file."""
    path = market.folder / "job.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


# --- the inventory


@pytest.mark.fault("J13", "J27")
def test_every_next_step_has_a_trial() -> None:
    """Of a row, a stop or a night; beside an exit code; beside a party that must act."""
    printed = {
        *STEPS,
        *(f"exit-{code}" for code in exits.NEXT_STEP),
        *(f"party {name}" for name in exits.BY_NAME),
    }
    assert printed == TRIED


def test_a_command_names_an_order_as_a_shell_wants_it() -> None:
    """Blanks, quotes and a dash in front: one word of a command, and never a flag."""
    for name in ("00001", "A 1", "it's", "-5", "--cancel", "a;b", "$(x)", "ว่าง"):
        _, _, command = str(steps.ASK_EARLIER(order=name)).partition("then: ")
        assert shlex.split(command)[-1] == name
    assert commands_in(steps.addressed(str(steps.ASK_EARLIER(order="-5")), "job.toml"))[
        0
    ][-2:] == [
        "--",
        "-5",
    ]


def held_as_near(market: Market, order_id: str) -> None:
    """A night after which an order of this id is held, for it resembles one that was charged."""
    market.job(more='[controls]\nnear_duplicates = "hold"\n')
    edit(market, 'card        = "card"', 'customer    = "card"')
    market.orders([order(1, card="cust_test_sandbox1")])
    assert market.run().returncode == 0
    resembling = order(1, order_id=order_id, card="cust_test_sandbox1")
    market.orders([resembling, order(2, card="cust_test_sandbox2")])
    assert market.run().returncode == 11


def test_an_order_whose_id_is_no_plain_word_is_cancelled_as_printed(
    market: Market,
) -> None:
    """The command as it stands in the report, taken apart by a shell."""
    held_as_near(market, "-5 b")
    (reason,) = [
        found["reason"] for found in market.results() if found["outcome"] == "held"
    ]
    follow(market, reason)
    over(market, 10)


# --- charged, and not as asked


@pytest.mark.fault("B16", "H05", "L10")
@tries("accept", "lift-stop", "exit-12", "party a person")
def test_an_unproven_charge_is_taken_as_it_is(three: Market) -> None:
    """Without a later proof: it stays unproven, says who accepted it, and counts as 10; what names
    it, too.
    """
    three.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", drop=["destination"]
    )
    done = three.run()
    assert done.returncode == 12
    # two wait for the stop
    assert (
        "a person: 3 orders to look at" in done.stdout
        and exits.NEXT_STEP[12] in done.stdout
    )
    assert three.run("00001", verb="status").returncode == 12
    said = follow(three, row(three, "00001")["reason"])
    assert "stays unproven" in said
    assert "lifted" in follow(three, said)  # what it said is the next step
    over(three, 10)
    assert three.run("00001", verb="status").returncode == 10
    assert WHY in row(three, "00001")["reason"]
    assert exits.SEEN_TO in three.run("--summary").stdout
    three.orders([order(1), order(4)], "again.csv")
    over(three, 10, "--input", "again.csv")  # a duplicate of it counts like it
    three.orders([order(5)], "other.csv")
    # and so does every night, whichever file is there
    over(three, 10, "--input", "other.csv")


@pytest.mark.fault("B16", "L10", "H05")
def test_what_is_said_beside_12_is_true_without_a_stop(three: Market) -> None:
    """An order is not proven, and its stop was lifted: others are sent every night, and nothing
    says that they are not. While there is a stop, it is said, and true.
    """
    three.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", drop=["destination"]
    )
    assert exits.NEXT_STEP[12] in three.run().stdout
    lift(three)
    assert three.run().returncode == 12
    three.orders([order(4)], "other.csv")
    for verb, *flags in (
        ("plan", "--input", "other.csv"),
        ("run", "--input", "other.csv"),
    ):
        told = three.run(*flags, verb=verb)
        assert told.returncode == 12, told
        assert (
            "before anything is sent" not in told.stdout
            and "no stop is in force" in told.stdout
        )
    assert three.money()["00004"] == 1
    told = three.run(verb="status")
    assert told.returncode == 12 and "no stop is in force" in told.stdout
    follow(three, row(three, "00001")["reason"])
    over(three, 10)


@pytest.mark.fault("B16", "L10", "H05")
@tries("more-reasons")
def test_of_a_stop_with_many_reasons_a_screen_tells_the_first_and_where_the_rest_is(
    three: Market,
) -> None:
    """The gateway has forgotten everything: what to do stands behind the last reason."""
    three.orders([order(number) for number in range(1, 8)])
    assert three.run().returncode == 0
    hides = {"method": "GET", "order_id": "*"}
    three.sandbox.add_rule(**hides, path="/charges", action="missing")
    three.sandbox.add_rule(
        **hides, path="/charges/*", status=404, code="not_found", message="no"
    )
    time.sleep(1.2)
    for told in (three.run(), three.run(verb="status")):
        (line,) = re.findall("^STOP: .*$", told.stdout, re.MULTILINE)
        assert line.count("and no complete list") == 3 and len(told.stdout) < 9000, told
        assert "and also: 4 more" in line and "--lift-stop" in line, line
    (words,) = re.findall(r"more, which batchpay (.*?) lists", line)
    listed = program(three, *shlex.split(words)).stdout
    assert json.loads(listed)["stop"].count("and no complete list") == 7


@pytest.mark.fault("J11", "L10")
@tries("see-charge", "lift-stop")
def test_a_paid_charge_that_no_list_shows_is_looked_for(three: Market) -> None:
    """The stop names its order, and where to look. Its row stays as it was answered; what the
    gateway shows no more an audit lists, as the step says, also after the lift.
    """
    in_no_list(three)
    stopped = three.run(verb="status").stdout
    assert "STOP: order 00001: chrg_" in stopped and str(steps.SEE_CHARGE()) in stopped
    lift(three)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    listed = three.run("--from", day, "--to", day, verb="audit")
    (charge,) = [
        c["id"] for c in three.own_charges() if c["metadata"]["order_id"] == "00001"
    ]
    assert listed.returncode == 12 and charge in listed.stdout, listed
    stands = [
        found["outcome"] for found in three.results() if found["order_id"] == "00001"
    ]
    assert sorted(stands) == ["duplicate", "succeeded"]


@tries("audit-again")
def test_a_day_that_was_audited_is_audited_again_where_the_next_opens_otherwise(
    market: Market,
) -> None:
    """The account told another balance at the time."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    day = datetime.now(UTC).date()
    before = f"{day - timedelta(days=1)}"
    market.sandbox.add_rule(method="GET", path="/balance", change={"total": 1})
    market.run("--from", before, "--to", before, verb="audit")
    market.sandbox.clear_rules()
    today = ("--from", f"{day}", "--to", f"{day}")
    differs = market.run(*today, verb="audit")
    assert differs.returncode == 12, differs
    (words,) = set(
        re.findall(r"batchpay (audit job.toml [-0-9a-z ]+) once more", differs.stdout)
    )
    assert program(market, *shlex.split(words)).returncode == 0
    assert market.run(*today, verb="audit").returncode == 0


@pytest.mark.fault("J04", "J05", "E14")
@tries("look-since", "lift-stop")
@pytest.mark.parametrize("zone", ["Asia/Bangkok", "America/Los_Angeles"])
def test_what_an_audit_finds_of_a_day_long_ago_a_run_reads_once_more(
    market: Market, zone: str
) -> None:
    """A charge behind a refusal that lists showed late: the audit says from which day a run is to
    look, and after that both sides agree.
    """
    market.job(more=f'[controls]\ntime_zone = "{zone}"\n')
    # of a gateway that tells of no events
    market.sandbox.add_rule(
        method="GET", path="/events", status=404, body={"object": "error"}
    )
    market.sandbox.add_rule(
        order_id="00001", status=400, code="bad", hide_s=3600, times=1
    )
    market.orders([order(1), order(2)])
    assert market.run().returncode == 10
    for ledger in market.sandbox.store.ledgers.values():
        ledger.shown_at.clear()
        next(iter(ledger.shelves["charge"].values())).created -= 40 * 60
    today = datetime.now(ZoneInfo(zone))
    first = today - timedelta(days=2)
    audit = ("--from", f"{first:%Y-%m-%d}", "--to", f"{today:%Y-%m-%d}")
    assert market.run().returncode == 10
    differs = market.run(*audit, verb="audit")
    assert differs.returncode == 12, differs
    (words,) = set(
        re.findall(r"batchpay (run job.toml --since [0-9-]+)", differs.stdout)
    )
    assert program(market, *shlex.split(words)).returncode == 12
    lift(market)
    settled = market.run(*audit, verb="audit")
    assert settled.returncode == 0, settled
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("J03", "H05")
@tries("settle-gone", "lift-stop")
def test_a_charge_that_a_wrong_key_did_not_show_is_said_to_be_there_while_a_stop_asks(
    three: Market,
) -> None:
    """Nobody tells whose a key is. With the right one the charges are there again, and what the
    stop still asks for may be said.
    """
    three.sandbox.add_rule(
        method="GET", path="/account", status=403, code="forbidden", commit="never"
    )
    three.run()
    time.sleep(1.2)
    assert three.run(OMISE_SECRET_KEY="skey_test_another0account").returncode == 12
    assert three.run().returncode == 12
    (stop,) = [
        line
        for line in three.run(verb="status").stdout.splitlines()
        if line.startswith("STOP: ")
    ]
    assert "as you say" in follow(three, stop)
    lift(three)
    over(three, 0)
    assert set(three.money().values()) == {1}


@pytest.mark.fault("J11", "J27", "L10")
@tries("settle-gone", "lift-stop")
@pytest.mark.parametrize("which", [0, 1])
def test_a_paid_charge_that_the_gateway_knows_no_more_is_settled(
    three: Market, which: int
) -> None:
    """Whichever of its two words is typed: it took the money, or none. No night asks again."""
    three.run()
    hides = {"method": "GET", "order_id": "00001"}
    three.sandbox.add_rule(**hides, path="/charges", action="missing")
    three.sandbox.add_rule(
        **hides, path="/charges/*", status=404, code="not_found", message="no"
    )
    time.sleep(1.2)
    assert three.run().returncode == 12
    follow(three, row(three, "00001")["reason"], which)
    lift(three)
    over(three, 10)
    assert row(three, "00001")["outcome"] == ("succeeded", "refused")[which]


@pytest.mark.fault("H05")
@tries("charge-id", "accept")
def test_a_charge_that_was_mistyped_is_said_again(three: Market) -> None:
    """64, and nothing changes; copied from the gateway it is taken."""
    three.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", drop=["destination"]
    )
    assert three.run().returncode == 12
    for words in (
        ("00001", "--as", "charged:chrg_test_xxx"),
        ("--not-ours", "chrg_test_xxx"),
    ):
        typed = three.run(*words, "--reason", WHY, verb="resolve")
        assert typed.returncode == 64 and str(steps.CHARGE_ID()) in typed.stderr, typed
    (copied,) = [
        c["id"] for c in three.own_charges() if c["metadata"]["order_id"] == "00001"
    ]
    done = three.run(
        "00001", "--as", f"charged:{copied}", "--reason", WHY, verb="resolve"
    )
    assert done.returncode == 0
    lift(three)
    over(three, 10)


@pytest.mark.fault("H05", "J13")
@tries("order-id")
def test_an_order_that_was_mistyped_is_said_again(three: Market) -> None:
    """The same code and the same step, whoever is asked about it."""
    three.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", drop=["destination"]
    )
    assert three.run().returncode == 12
    words = ("--as", "not-charged", "--reason", WHY)
    for verb, *more in (("resolve", *words), ("status",)):
        typed = three.run("1", *more, verb=verb)
        step = steps.addressed(str(steps.ORDER_ID()), "job.toml")
        assert typed.returncode == 64 and step in typed.stderr, typed
        assert "knows no order" in typed.stderr or "was never sent" in typed.stderr
    named = three.results()[0]["order_id"]
    assert three.run(named, verb="status").returncode == 12
    follow(three, row(three, named)["reason"])
    lift(three)
    over(three, 10)


@pytest.mark.fault("B31", "I14")
@tries("give-back", "lift-stop")
def test_an_order_charged_twice_is_left_so(three: Market) -> None:
    """Its row says what to do before the stop is lifted and after it; then nobody must act."""
    doubled(three)
    lift(three)
    assert "a person: 1 order to look at" in three.run("--summary").stdout
    follow(three, row(three, "00001")["reason"])
    assert WHY in row(three, "00001")["reason"]
    assert exits.SEEN_TO in three.run("--summary").stdout


@pytest.mark.fault("B31", "J04", "J31", "L10")
@tries("give-back", "lift-stop", "party a person")
@pytest.mark.parametrize("how", ["given back", "left so"])
def test_two_attempts_that_both_took_money_are_a_persons_until_one_is_given_back_or_left_so(
    three: Market, how: str
) -> None:
    """A declined charge came alive after its order was charged again: the lift of the stop gives
    nothing back.
    """
    three.orders([order(1, card="tokn_test_sandbox000010011"), order(2)])
    assert three.run().returncode == 10
    back = rejects(three, card="tokn_test_sandboxnew4242")
    assert three.run("--input", back).returncode == 0
    first, second = (
        c["id"] for c in three.own_charges() if c["metadata"]["order_id"] == "00001"
    )
    three.sandbox.turn(charge_id=first, becomes="successful")
    (three.folder / "orders.csv").unlink()
    three.job(input="optional = true", file="none.csv")
    three.run("--since", "2020-01-01", "--input", back)
    assert three.run(verb="status").returncode == 12
    lift(three)
    done = three.run("--summary")
    assert done.returncode == 10 and "a person: 1 order to look at" in done.stdout, (
        done.stdout
    )
    told = json.loads(three.run("--json", verb="status").stdout)
    assert (told["exit_code"], told["who_acts"]) == (10, {"a person": 1})
    for file, charge in (("orders.csv", first), (back, second)):
        found = row(three, "00001", file)
        assert found["who_acts"] == "a person" and found["charge_id"] == charge
        assert all(
            one in found["reason"]
            for one in (first, second, "2 attempts of this order took money")
        )
    if how == "left so":
        follow(three, row(three, "00001", back)["reason"])
        assert all(
            WHY in row(three, "00001", file)["reason"] for file in ("orders.csv", back)
        )
        assert exits.SEEN_TO in three.run("--summary").stdout
    else:
        charge = next(c for c in three.own_charges() if c["id"] == first)
        with httpx.Client(auth=(KEY, ""), trust_env=False) as person:
            url = f"{three.sandbox.url}/charges/{first}/refunds"
            person.post(url, data={"amount": charge["amount"]}).raise_for_status()
        assert three.run().returncode == 0
        assert (
            f"{first} of attempt 1, given back" in row(three, "00001", back)["reason"]
        )
    code = 10 if how == "left so" else 0
    for verb in ("run", "report", "status"):
        assert three.run(verb=verb).returncode == code, verb
    told = json.loads(three.run("--json", verb="status").stdout)
    assert told["who_acts"] == {}
    assert {found["who_acts"] for found in three.results()} == {"-"}


@pytest.mark.fault("L7", "H05")
@tries("accept-share")
def test_a_transfer_that_is_not_the_share_is_taken_as_it_is(market: Market) -> None:
    """Its order stays succeeded, its row says who left it so, and it is no 12 any more."""
    market.job()
    market.orders([order(1)])
    market.sends_another_share()
    assert market.run().returncode == 12
    for path in ("/transfers", "/transfers/*"):
        market.sandbox.add_rule(
            method="GET", path=path, status=404, body={"object": "error"}
        )
    archived = (market.folder / "orders.csv").rename(market.folder / "archived.csv")
    market.orders([order(1), order(1)], "next.csv")
    for verb, *flags in (
        ("run", "--input", "next.csv"),
        ("settle",),
        ("report",),
        ("status",),
    ):
        # its file is gone, and nobody has said a word
        later = market.run(*flags, verb=verb)
        assert (
            later.returncode == 12 and "a person: 1 order to look at" in later.stdout
        ), verb
    archived.rename(market.folder / "orders.csv")
    (market.folder / "next.csv").unlink()
    said = follow(market, row(market, "00001", "orders.csv")["reason"])
    assert "your word is kept" in said
    told = row(market, "00001", "orders.csv")
    assert (told["outcome"], told["who_acts"]) == ("succeeded", "-")
    assert (
        WHY in told["reason"] and "101.24 THB, the share 101.25 THB" in told["reason"]
    )
    assert market.run(verb="status").returncode == 0
    words = ("00001", "--as", f"charged:{told['charge_id']}", "--reason", WHY)
    # there is nothing left of it
    assert market.run(*words, verb="resolve").returncode == 64
    over(market, 0)


@pytest.mark.fault("L7", "H05", "J27")
@tries("accept-share")
def test_a_transfer_that_is_not_the_share_of_a_charge_that_is_gone_is_taken_as_it_is(
    market: Market,
) -> None:
    """The gateway knows that charge no more, and a person looked: no 12 any more, and told."""
    market.job()
    market.orders([order(1)])
    market.sends_another_share()
    assert market.run().returncode == 12
    reason = row(market, "00001")["reason"]
    market.sandbox.add_rule(
        method="GET", path="/charges/*", status=404, code="not_found", message="x"
    )
    assert "knows no more; your word is kept" in follow(market, reason)
    told = row(market, "00001")
    assert (told["outcome"], told["who_acts"]) == ("succeeded", "-")
    over(market, 0)


@pytest.mark.fault("J13", "I14")
@tries("paid-otherwise")
@pytest.mark.parametrize("becomes", [{"deleted": True}, {"failure_code": "closed"}])
def test_a_share_that_does_not_arrive_and_was_paid_otherwise_is_said_to_be(
    market: Market, becomes: dict[str, Any]
) -> None:
    """Its order stays succeeded and its row says who said so; what fails anew, after the bank had
    it once more, is the accountant's again.
    """
    market.job()
    market.orders([order(1), order(2)])
    over(market, 0)

    def turn(**shown: Any) -> None:
        """What its own id tells of the transfer from now on; no list does."""
        market.sandbox.clear_rules()
        path = f"/transfers/{row(market, '00001')['transfer_id']}"
        market.sandbox.add_rule(method="GET", path=path, change=shown)
        market.sandbox.add_rule(
            method="GET", path="/transfers", status=404, body={"object": "error"}
        )

    turn(**becomes)
    for verb in ("settle", "run", "status"):
        later = market.run(verb=verb)
        assert later.returncode == 10, (verb, later)
        assert "the accountant: 1 order" in later.stdout, (verb, later)
    assert "your word is kept" in follow(market, row(market, "00001")["reason"])
    told = row(market, "00001")
    assert (told["outcome"], told["who_acts"]) == ("succeeded", "-")
    assert WHY in told["reason"] and "paid otherwise: batchpay" not in told["reason"]
    over(market, 0)
    if "failure_code" in becomes:
        for again, code in (({"sent": True}, 0), (becomes, 10)):
            turn(**again)
            assert market.run(verb="settle").returncode == code, again
        assert row(market, "00001")["who_acts"] == "accountant"
        follow(market, row(market, "00001")["reason"])
        over(market, 0)


@pytest.mark.fault("B16", "H05")
@tries("accept")
@pytest.mark.parametrize("paid", [True, False])
def test_a_charge_in_a_status_that_nobody_knows_is_ended_by_a_person(
    market: Market, paid: bool
) -> None:
    """It waited for ever. That none was charged is a word against the evidence, as long as the
    gateway knows it; that it is taken as it is, is none.
    """
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(
        method="*",
        path="/charges*",
        order_id="*",
        change={"status": "in_review", "paid": paid},
    )
    assert market.run().returncode == 11
    told = row(market, "00001")
    assert told["outcome"] == "pending" and "in_review" in told["reason"]
    assert ("charged:" in told["reason"]) is paid
    words = ("00001", "--reason", WHY, "--as")
    refused = market.run(*words, "not-charged", verb="resolve")
    assert refused.returncode == 12, refused
    assert "status: in_review" in follow(market, refused.stderr)
    told = row(market, "00001")
    assert (told["outcome"], told["who_acts"]) == ("unproven", "-")
    over(market, 10)


@pytest.mark.fault("H05", "L10", "B31")
def test_what_a_look_up_shows_of_other_orders_and_of_a_second_charge_is_told_at_once(
    market: Market,
) -> None:
    """A person asks about one order, and the list that answers shows that another one, which was
    declined, was charged: a stop now, not one run later. Of two charges of the order itself both
    are told.
    """
    market.orders([order(1, card="tokn_test_sandbox000020011"), order(2)])
    market.job()
    about = {"method": "POST", "path": "/charges", "order_id": "00002"}
    market.sandbox.add_rule(**about, commit="twice", reply="reset", times=1)
    market.sandbox.add_rule(
        **about, action="error_before", status=400, code="used_token", message="used"
    )
    market.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="00002"
    )
    assert market.run().returncode == 11
    assert market.outcomes() == {"declined": 1, "in_doubt": 1}
    market.sandbox.clear_rules()
    market.sandbox.turn("successful", order_id="00001")
    words = ("00002", "--as", "not-charged", "--reason", WHY)
    refused = market.run(*words, verb="resolve")
    assert refused.returncode == 12 and "was charged" in refused.stderr, refused
    assert market.outcomes() == {"succeeded": 2}
    (stop,) = re.findall("STOP: .*", market.run(verb="status").stdout)
    assert "order 00001: was declined, is now succeeded" in stop
    for charge in market.own_charges():
        is_named = charge["id"] in stop
        assert is_named is (charge["metadata"]["order_id"] == "00002")


@pytest.mark.fault("B16", "H05")
@tries("accept", "lift-stop")
def test_an_unproven_charge_that_is_proven_later_is_settled(three: Market) -> None:
    """The gateway shows it whole by now: succeeded, and nothing is left of it."""
    three.sandbox.add_rule(order_id="00001", drop=["destination"])
    assert three.run().returncode == 12
    said = follow(three, row(three, "00001")["reason"])
    assert "is settled" in said
    follow(three, said)
    over(three, 0)
    three.agree()


def doubled(market: Market) -> None:
    """The gateway makes two charges for one request."""
    market.sandbox.add_rule(action="double", order_id="00001")
    market.run()


def of_another(market: Market) -> None:
    """One charge's id is answered for two orders."""
    market.sandbox.add_rule(id_of="00001", order_id="00002")
    market.run()


def in_no_list(market: Market) -> None:
    """A charge was answered and is in no list."""
    market.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="00001"
    )
    market.run()
    market.orders([order(number) for number in range(1, 5)])
    time.sleep(1.2)
    market.run()


def charge_by_hand(market: Market, order_id: str, key: str) -> None:
    """A charge that carries this job's name, and that no run of this journal made."""
    form = {
        "amount": "50000",
        "currency": "thb",
        "destination": "recp_test_sandbox1",
        "card": "tokn_test_sandboxbyhand4242",
        "metadata[order_id]": order_id,
        "metadata[batchpay_key]": key,
        "metadata[batchpay_job]": "night",
    }
    httpx.post(
        f"{market.sandbox.url}/charges", data=form, auth=(KEY, ""), trust_env=False
    ).raise_for_status()


def of_no_key(market: Market) -> None:
    """A charge of this job with a key that this job would not make."""
    market.run("--limit", "1")
    charge_by_hand(market, "00009", "00000000-0000-4000-8000-000000000000")
    market.run()


def of_another_run(market: Market) -> None:
    """A charge of this job appears while it runs, made with another journal."""
    market.run("--limit", "1")
    market.sandbox.add_rule(action="hidden", hide_s=2.0, order_id="00009")
    market.sandbox.add_rule(
        action="delay_before", wait_before_s=1.5, order_id="0000[23]"
    )
    charge_by_hand(market, "00009", key_of("night", "00009", 1))
    market.run()


def alive_again(market: Market) -> None:
    """A charge that had failed takes money after all."""
    market.orders([order(1, card="tokn_test_sandbox000010011"), order(2), order(3)])
    market.run()
    market.sandbox.turn(order_id="00001", becomes="successful")
    market.run()


def reused_key(market: Market) -> None:
    """The gateway says that it knows a key with another body: 70, and a stop."""
    market.sandbox.add_rule(
        order_id="00001",
        commit="never",
        status=409,
        code="idempotency_error",
        message="key reused with other body",
    )
    done = market.run()
    assert done.returncode == 70 and exits.NEXT_STEP[70] in done.stdout


CAUSES = (
    doubled,
    of_another,
    in_no_list,
    of_no_key,
    of_another_run,
    alive_again,
    reused_key,
)


@pytest.mark.fault("B31", "B24", "J11", "L10", "D14")
@tries("lift-stop", "exit-70")
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_a_stop_of_any_cause_is_lifted_for_good(
    three: Market, cause: Callable[[Market], None]
) -> None:
    """Until then every run is 12 and sends nothing; afterwards none is, and all is sent."""
    cause(three)
    posts = three.posts()
    stopped = three.run()
    assert stopped.returncode == 12, stopped
    assert three.posts() == posts
    assert three.run(verb="status").returncode == 12
    three.sandbox.clear_rules()
    lift(three)
    left = {"a person": 1} if cause is doubled else {}  # the lift gives no money back
    code = 10 if left else 0
    assert three.run().returncode == code
    status = three.run(verb="status")
    assert status.returncode == code and "STOP" not in status.stdout, status.stdout
    assert {"00001", "00002", "00003"} <= set(three.money())
    report = json.loads(three.run("--json", verb="status").stdout)
    assert report["who_acts"] == left


@pytest.mark.fault("J07", "D10")
@tries("settle-adopted", "adopt", "exit-78")
def test_an_adopted_charge_with_other_terms_is_taken_as_it_is(three: Market) -> None:
    """The journal was lost and the job was edited since: --adopt, then which of the two is
    right.
    """
    three.orders([order(1)])
    assert three.run().returncode == 0
    shutil.rmtree(three.folder / "state")
    edit(three, '"recipient"', '{ value = "recp_test_sandbox6" }')
    lost = three.run()
    assert (
        lost.returncode == 78
        and "--adopt" in lost.stderr
        and "estore" not in lost.stderr
    )
    done = three.run("--adopt")
    assert done.returncode == 12, done
    follow(three, done.stderr)
    lift(three)
    over(three, 10)
    three.orders([order(4)], "other.csv")
    # what a person accepted is told every night
    over(three, 10, "--input", "other.csv")


@pytest.mark.fault("J01", "D10")
@tries("adopt")
def test_an_empty_journal_beside_charges_adopts_them(three: Market) -> None:
    """Once, with --adopt; and where [state] url only named another file, that is named again."""
    assert three.run().returncode == 0
    (three.folder / "state").rename(three.folder / "old")
    assert three.run().returncode == 78
    edit(three, "[gateway]", '[state]\nurl = "sqlite:///old/batchpay.db"\n[gateway]')
    over(three, 0)
    edit(three, '[state]\nurl = "sqlite:///old/batchpay.db"\n', "")
    over(three, 0, "--adopt")
    over(three, 0)
    assert three.posts() == 3


# --- unanswered, or lost


@pytest.mark.fault("J27", "H05")
@tries("settle-gone", "ask-again")
def test_a_pending_charge_that_the_gateway_forgot_is_closed_and_may_come_back(
    three: Market,
) -> None:
    """Closed by a person; its row, sent back, is charged, whatever the gateway says of the first
    one's id.
    """
    three.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    assert three.run().returncode == 11
    three.sandbox.turn(order_id="00001", becomes="forgotten")
    done = three.run()
    assert done.returncode == 11 and "a person: 1 order to look at" in done.stdout
    said = follow(three, row(three, "00001")["reason"], 1)
    assert str(steps.ASK_AGAIN()) in said
    over(three, 10)
    over(three, 0, "--input", rejects(three, card="tokn_test_sandboxnew4242"))
    over(three, 0)
    assert row(three, "00001", "orders.csv")["settled_by"]
    three.agree()


@pytest.mark.fault("J27", "L10", "I2")
@tries("settle-gone")
def test_a_pending_charge_that_the_gateway_forgot_was_paid_as_a_person_says(
    three: Market,
) -> None:
    """The dashboard shows it paid: it is unproven, in the sums, and 10; nothing of its order goes
    again, and no list must show it.
    """
    three.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    assert three.run().returncode == 11
    three.sandbox.turn(order_id="00001", becomes="forgotten")
    assert three.run().returncode == 11
    gone = row(three, "00001")["charge_id"]
    assert "stays unproven" in follow(three, row(three, "00001")["reason"], 0)
    told = row(three, "00001")
    assert (told["outcome"], told["who_acts"]) == ("unproven", "-"), told
    assert f"{WHY}" in told["reason"] and told["charge_id"] == gone
    assert "it was pending when it was told last" in told["reason"]
    report = json.loads(
        next((three.folder / "reports").glob("20*/report.json")).read_text()
    )
    assert report["currencies"][0]["charged_minor"] == 10125 + 10225 + 10325
    three.orders([order(1, card="tokn_test_sandboxnew4242"), order(4)], "again.csv")
    assert three.run("--input", "again.csv").returncode == 10
    assert row(three, "00001", "again.csv")["outcome"] == "conflict"
    assert row(three, "00004")["outcome"] == "succeeded"


@pytest.mark.fault("B13", "L10")
@tries("settle-doubt")
def test_an_answer_with_a_charge_that_has_no_id_is_settled_as_not_charged(
    three: Market,
) -> None:
    """No charge was made: the step that says so is printed, after a look at the dashboard."""
    body = {"object": "charge"}
    about = {"method": "POST", "path": "/charges", "order_id": "00001"}
    three.sandbox.add_rule(
        {**about, "action": "error_before", "status": 200, "body": body, "times": 1}
    )
    assert three.run().returncode == 12
    reason = row(three, "00001")["reason"]
    assert "if it has no charge for this order" in reason
    said = follow(three, reason)
    assert "lifted" in follow(three, said, -1)
    over(three, 10)
    over(three, 0, "--input", rejects(three, card="tokn_test_sandboxnew4242"))


@pytest.mark.fault("J27")
def test_a_pending_charge_that_is_known_again_is_pending_again(three: Market) -> None:
    """What the gateway once did not know and now shows needs no person."""
    three.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    assert three.run().returncode == 11
    hides = {"method": "GET", "path": "/charges*", "order_id": "00001"}
    three.sandbox.add_rule(
        {
            **hides,
            "path": "/charges/*",
            "status": 404,
            "code": "not_found",
            "message": "no",
        }
    )
    three.sandbox.add_rule({**hides, "path": "/charges", "action": "missing"})
    assert three.run().returncode == 11
    assert row(three, "00001")["who_acts"] == "a person"
    three.sandbox.clear_rules()
    assert three.run().returncode == 11
    assert row(three, "00001")["who_acts"] != "a person"


@pytest.mark.fault("B25", "H05")
@tries("settle-doubt", "ask-again")
def test_an_order_in_doubt_that_nobody_can_answer_is_closed_and_may_come_back(
    three: Market,
) -> None:
    """No answer, then used_token: a person looked; sent back with another token it is charged."""
    in_doubt(three)
    assert str(steps.ASK_AGAIN()) in follow(three, row(three, "00002")["reason"])
    over(three, 10)
    over(three, 0, "--input", rejects(three, card="tokn_test_sandboxnew4242"))
    over(three, 0)
    three.agree()


def in_doubt(three: Market) -> None:
    """A night after which nobody can tell of order 00002."""
    about = {"method": "POST", "path": "/charges", "order_id": "00002"}
    used = {
        "object": "error",
        "code": "used_token",
        "message": "token was already used",
    }
    three.sandbox.add_rule({**about, "action": "reset_before", "times": 1})
    three.sandbox.add_rule(
        {**about, "action": "error_before", "status": 400, "body": used}
    )
    assert three.run().returncode == 11
    three.sandbox.clear_rules()


@pytest.mark.fault("J27", "B25", "H05")
def test_a_charge_that_a_person_said_is_gone_stands_in_no_other_orders_way(
    three: Market,
) -> None:
    """One pending charge was forgotten and closed by hand; the doubt of another order ends by the
    printed step, too.
    """
    three.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
    in_doubt(three)
    three.sandbox.turn(order_id="00001", becomes="forgotten")
    assert three.run().returncode == 11
    follow(three, row(three, "00001")["reason"])
    assert str(steps.ASK_AGAIN()) in follow(three, row(three, "00002")["reason"])
    over(three, 10)


@pytest.mark.fault("J04", "H05")
@tries("settle-first")
def test_an_audit_says_that_an_order_is_in_doubt_and_settle_ends_that(
    three: Market,
) -> None:
    """The gateway has the charge, and the run was killed before its answer: no look at the day
    once more is asked for, nothing is sent, and both sides agree.
    """
    three.orders([order(2)])
    hangs = three.sandbox.add_rule(action="hang_after", order_id="00002")
    with three.start("run", "job.toml") as process:
        while not hangs.applied:
            time.sleep(0.01)
        time.sleep(0.3)
        process.kill()
    three.sandbox.clear_rules()
    today = datetime.now(UTC)
    days = (f"{today - timedelta(days=1):%Y-%m-%d}", f"{today:%Y-%m-%d}")
    audit = ("--from", days[0], "--to", days[1])
    differs = three.run(*audit, verb="audit")
    assert differs.returncode == 12, differs
    assert "the journal has this order in doubt" in differs.stdout, differs.stdout
    assert "--since" not in differs.stdout
    (words,) = set(re.findall(r"batchpay (settle job\.toml) asks", differs.stdout))
    posts = three.posts()
    assert program(three, *shlex.split(words)).returncode == 0
    assert three.posts() == posts
    assert three.run(*audit, verb="audit").returncode == 0
    over(three, 0)


@pytest.mark.fault("B25", "H05", "J11")
@tries("settle-unclear")
def test_a_charge_without_a_key_that_may_be_an_orders_is_said_to_be_it(
    three: Market,
) -> None:
    """Nothing but a person can tell: it is taken as it is, unproven and accepted, and no run asks
    for ever.
    """
    lost = ["metadata.batchpay_key", "metadata.batchpay_job"]
    three.sandbox.add_rule(action="reset_after", order_id="00002")
    three.sandbox.add_rule(method="GET", path="/charges*", order_id="00002", drop=lost)
    done = three.run()
    assert done.returncode == 11 and "a person: 1 order to look at" in done.stdout
    events = len(three.run("00002", verb="status").stdout.splitlines())
    assert three.run().returncode == 11
    # told once
    assert len(three.run("00002", verb="status").stdout.splitlines()) == events
    assert "stays unproven" in follow(three, row(three, "00002")["reason"])
    over(three, 10)
    assert three.money()["00002"] == 1


@pytest.mark.fault("J02", "J27", "L11")
@tries("not-ours")
def test_a_charge_that_a_new_journal_cannot_tell_is_said_to_be_anothers(
    three: Market,
) -> None:
    """Nothing is sent beside it, and every night says why; then a person does, and the orders
    go.
    """
    form = {
        "amount": "50000",
        "currency": "thb",
        "destination": "recp_test_sandbox1",
        "card": "tokn_test_sandboxz4242",
        "metadata[order_id]": "another's",
    }
    httpx.post(
        f"{three.sandbox.url}/charges", data=form, auth=(KEY, ""), trust_env=False
    ).raise_for_status()
    three.sandbox.add_rule(
        method="GET", path="/charges*", order_id="another's", drop=["metadata"]
    )
    for _ in range(2):
        done = three.run()
        assert done.returncode == 11 and "--not-ours" in done.stdout + done.stderr, done
    assert three.posts() == 1
    follow(three, row(three, "00001")["reason"])
    over(three, 0)
    assert three.posts() == 4


@pytest.mark.fault("J02", "J27", "L11", "D10")
@tries("not-ours")
def test_a_charge_that_a_new_journal_cannot_tell_is_said_to_be_an_orders(
    three: Market,
) -> None:
    """The journal was lost, and the gateway shows nothing of what the charge is for: it is 00002's,
    and stays so.
    """
    assert three.run().returncode == 0
    charge_id = row(three, "00002")["charge_id"]
    three.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00002", null=["metadata"]
    )
    shutil.rmtree(three.folder / "state")
    three.orders([order(1), order(2), order(3), order(4)])
    for _ in range(2):
        done = three.run("--adopt")
        assert (
            done.returncode == 11
            and "--not-ours" in done.stdout + done.stderr
            and three.posts() == 3
        ), done
    words = commands_in(row(three, "00004")["reason"])[1]
    wrong = program(three, *words, "00004")
    assert (
        wrong.returncode == 12 and "is not what order 00004 asks for" in wrong.stderr
    ), wrong
    assert (
        charge_id in " ".join(words) and program(three, *words, "00002").returncode == 0
    )
    assert three.run().returncode == 10 and all(
        number == 1 for number in three.money().values()
    )
    (told,) = [one for one in three.results() if one["outcome"] == "unproven"]
    assert (told["order_id"], told["charge_id"], told["charged_amount"]) == (
        "00002",
        charge_id,
        "10225",
    )
    assert three.posts() == 4 and three.run().returncode == 10


@pytest.mark.fault("D09", "L11", "H05")
@tries("say-again", "older-copy")
def test_a_word_that_a_copy_put_back_does_not_know_is_said_again(three: Market) -> None:
    """The lock knows of the loss, and no report is left that tells of the cancelled order."""
    assert three.run("--limit", "1").returncode == 11
    database = three.folder / "state" / "batchpay.db"
    shutil.copy(database, three.folder / "copy")
    say = ("resolve", "job.toml", "00002", "--cancel", "--reason", "wrong shop")
    assert program(three, *say).returncode == 0
    shutil.copy(three.folder / "copy", database)
    shutil.rmtree(three.folder / "reports")
    for verb in ("plan", "status"):
        told = three.run(verb=verb)
        assert "an older copy than others know" in told.stdout + told.stderr, told
    told = three.run("--limit", "0", "--summary")
    for verb in ("plan", "status"):
        assert "an older copy than" not in str(three.run(verb=verb))
    assert (
        str(steps.SAY_AGAIN()) in told.stdout
        and str(steps.SAY_AGAIN()) in three.run(verb="status").stdout
    )
    assert program(three, *say).returncode == 0
    over(three, 10)
    assert three.money() == {"00001": 1, "00003": 1}


def forget(market: Market, order_id: str) -> None:
    """The gateway's charge of an order says nothing any more."""
    for ledger in market.sandbox.store.ledgers.values():
        for charge in ledger.shelves["charge"].values():
            if charge.metadata.get("order_id") == order_id:
                charge.metadata = {}


@pytest.mark.fault("J02", "D10", "L11", "I19")
@tries("nameless")
@pytest.mark.parametrize("its_own", [True, False])
def test_an_order_beside_a_charge_that_names_nobody_is_its_own_or_sent(
    three: Market, *, its_own: bool
) -> None:
    """The journal was lost, and the charge has the very terms: a person tells, and no night asks
    again. What is its own stands in its row, with its money, and in no other order's way.
    """
    three.run()
    charge_id = row(three, "00002")["charge_id"]
    forget(three, "00002")
    shutil.rmtree(three.folder / "state")
    shutil.rmtree(three.folder / "reports")
    done = three.run("--adopt")
    assert done.returncode == 11 and three.posts() == 3, done.stdout
    follow(three, row(three, "00002")["reason"], 0 if its_own else 1)
    # sent, its token turns out to be used: the gateway has charged it, for whomever
    over(three, 10)
    assert three.posts() == (3 if its_own else 4)
    if its_own:
        told = row(three, "00002")
        assert (told["outcome"], told["charge_id"]) == (
            "unproven",
            charge_id,
        ) and "accepted by" in told["reason"]
        three.orders(
            [order(5, amount=order(2)["amount"], card="tokn_test_sandbox54242")],
            "other.csv",
        )
        over(three, 10, "--input", "other.csv")
        assert three.posts() == 4
        for report in three.reports():
            assert all(equation["closes"] for equation in report["equations"]), report[
                "equations"
            ]


@pytest.mark.fault("J02", "D09", "L11", "I19")
@tries("nameless-before")
@pytest.mark.parametrize("its_own", [True, False])
def test_a_charge_that_names_nobody_is_held_against_what_its_sale_asked_for_before(
    market: Market, *, its_own: bool
) -> None:
    """The row was contested, came back, and was charged; the journal was put back, the gateway's
    charge names nobody any more, and the row comes back with another amount.
    """
    market.job(**BY_CUSTOMER)
    one, two = (order(number, card="cust_test_sandbox4242") for number in (1, 2))
    market.orders([one, two, {**two, "amount": "77.00"}])
    assert market.run().returncode == 10
    shutil.copytree(market.folder / "state", market.folder / "before")
    (reject, _) = rejected(market)
    assert market.run("--input", sent_back(market, [reject])).returncode == 0
    assert market.money()["00002"] == 1
    forget(market, "00002")
    shutil.rmtree(market.folder / "state")
    shutil.copytree(market.folder / "before", market.folder / "state")
    flags = ("--input", sent_back(market, [reject], amount="88.00"))
    posts = market.posts()
    assert market.run(*flags).returncode == 11 and market.posts() == posts
    (held,) = [one for one in market.results() if one["outcome"] == "held"]
    follow(market, held["reason"], 0 if its_own else 1)
    over(market, 10 if its_own else 0, *flags)
    assert market.posts() == posts + (not its_own)


@pytest.mark.fault("H05", "J02", "B31")
@tries("other-charge")
def test_a_charge_that_a_person_named_is_given_up_for_the_orders_own(
    market: Market,
) -> None:
    """`--not-ours` of it has no effect, so it is refused, and says which word has."""
    market.orders([order(1)])
    market.job(timeout="1s", doubt="30s")
    lost = market.sandbox.add_rule(action="reset_after", order_id="00001")
    market.sandbox.add_rule(
        method="GET", path="/charges", action="missing", order_id="00001"
    )
    with market.start("run", "job.toml", "--grace", "0") as process:
        while not lost.applied:
            time.sleep(0.01)
        process.terminate()
    by_hand = {
        "amount": "10125",
        "currency": "thb",
        "card": "tokn_test_sandboxbyhand4242",
        "destination": "recp_test_sandbox1",
    }
    made = httpx.post(
        f"{market.sandbox.url}/charges", data=by_hand, auth=(KEY, ""), trust_env=False
    ).json()["id"]
    said = ("--reason", WHY)
    assert (
        market.run("00001", "--as", f"charged:{made}", *said, verb="resolve").returncode
        == 0
    )
    early = market.run("--not-ours", made, *said, verb="resolve")
    assert early.returncode == 12 and "as a person said" in early.stderr
    market.sandbox.clear_rules()
    assert market.run().returncode == 12
    refused = market.run("--not-ours", made, *said, verb="resolve")
    assert refused.returncode == 12 and "nothing was settled" in refused.stderr
    follow(market, refused.stderr)
    assert market.run("--lift-stop", *said, verb="resolve").returncode == 0
    over(market, 10)
    own = next(one["id"] for one in market.own_charges())
    assert row(market, "00001")["charge_id"] == own


@pytest.mark.fault("B22", "L6", "I19")
@pytest.mark.parametrize("its_own", [True, False])
def test_a_refused_order_beside_a_charge_that_names_nobody_is_told_of(
    three: Market, *, its_own: bool
) -> None:
    """400, and a list shows a charge with its terms: it was charged all the same, or the charge is
    another's.
    """
    three.sandbox.add_rule(status=400, code="bad_request", order_id="00002", times=1)
    lost = ["metadata.batchpay_key", "metadata.batchpay_job"]
    three.sandbox.add_rule(method="GET", path="/charges*", order_id="00002", drop=lost)
    assert three.run().returncode == 10
    assert row(three, "00002")["who_acts"] == "a person"
    follow(three, row(three, "00002")["reason"], 0 if its_own else 1)
    over(three, 10)
    assert row(three, "00002")["outcome"] == ("unproven" if its_own else "refused")


@pytest.mark.fault("J04", "J27", "J13")
@tries("settle-earlier")
@pytest.mark.parametrize(
    ("known_again", "listed"), [(False, True), (False, False), (True, True)]
)
def test_an_order_whose_declined_charge_the_gateway_forgot_comes_back(
    three: Market, *, known_again: bool, listed: bool
) -> None:
    """What proved that the first attempt took nothing is gone: a person looks, then the next run
    sends.
    """
    three.orders([order(1, card="tokn_test_sandbox000010011"), order(2)])
    assert three.run().returncode == 10
    gone = {
        "method": "GET",
        "path": "/charges/*",
        "order_id": "00001",
        "status": 404,
        "code": "not_found",
        "message": "x",
    }
    three.sandbox.add_rule(gone)
    if listed is False:
        three.sandbox.add_rule(
            method="GET", path="/charges", action="missing", order_id="00001"
        )
    back = rejects(three, card="tokn_test_sandboxnew4242")
    time.sleep(1.2)
    if not listed:  # which is a stop of its own
        assert three.run("--input", back).returncode == 12
        lift(three)
    assert three.run("--input", back).returncode == 11
    found = row(three, "00001", back)
    assert (found["outcome"], found["who_acts"]) == ("held", "a person")
    # a list that does not show the next charge either would be a stop
    three.sandbox.clear_rules()
    if not known_again:
        three.sandbox.add_rule(gone)
    follow(three, found["reason"])
    over(three, 0, "--input", back)
    # it is known again, as what it was: that contradicts nobody
    three.sandbox.clear_rules()
    over(three, 0)


@pytest.mark.fault("J04", "J13", "J14")
@tries("ask-earlier")
def test_an_order_whose_declined_charge_the_gateway_does_not_show_comes_back(
    three: Market,
) -> None:
    """It answers for its id, and with nothing: the next run asks again, or a person looks."""
    three.orders([order(1, card="tokn_test_sandbox000010011"), order(2)])
    assert three.run().returncode == 10
    three.sandbox.add_rule(
        method="GET", path="/charges/*", order_id="00001", body="null"
    )
    back = rejects(three, card="tokn_test_sandboxnew4242")
    assert three.run("--input", back).returncode == 11
    follow(three, row(three, "00001", back)["reason"])
    over(three, 0, "--input", back)


@pytest.mark.fault("J04", "J13", "H05")
def test_a_charge_that_came_to_light_after_a_person_said_there_was_none_holds_nobody_up(
    three: Market,
) -> None:
    """It took no money, and names its key alone: it is known by that, and its order goes."""
    about = {"method": "POST", "path": "/charges", "order_id": "00002"}
    used = {
        "object": "error",
        "code": "used_token",
        "message": "token was already used",
    }
    three.sandbox.add_rule(
        {**about, "action": "reset_after", "becomes": "failed", "times": 1}
    )
    three.sandbox.add_rule(
        {**about, "action": "error_before", "status": 400, "body": used}
    )
    three.sandbox.add_rule(
        method="GET", path="/charges*", action="missing", order_id="00002"
    )
    assert three.run().returncode == 11
    follow(three, row(three, "00002")["reason"])
    three.sandbox.clear_rules()
    names = ["metadata.order_id", "metadata.batchpay_job"]
    three.sandbox.add_rule(method="GET", path="/charges", order_id="00002", drop=names)
    back = rejects(three, card="tokn_test_sandboxnew4242")
    over(three, 0, "--input", back)
    (found,) = [
        one
        for one in three.sandbox.charges()
        if one["metadata"].get("order_id") == "00002" and one["paid"]
    ]
    assert row(three, "00002", back)["charge_id"] == found["id"]


@pytest.mark.fault("J11", "H05")
@tries("settle-anothers")
def test_an_order_that_was_answered_with_another_orders_charge_is_settled(
    three: Market,
) -> None:
    """A person looked: the gateway has none for it; it may come back."""
    assert three.run("--limit", "1").returncode == 11
    url = f"{three.sandbox.url}/charges/{three.sandbox.charges()[0]['id']}"
    first = httpx.get(url, auth=(KEY, ""), trust_env=False).json()
    three.sandbox.add_rule(order_id="00002", commit="never", body=first)
    assert three.run().returncode == 12
    three.sandbox.clear_rules()
    time.sleep(1.2)
    follow(three, row(three, "00002")["reason"])
    lift(three)
    over(three, 10)


# --- held


@pytest.mark.fault("H04")
@tries("exit-11", "party next run", "exit-0")
def test_what_a_limit_held_the_next_run_sends(three: Market) -> None:
    """The sentence says: start the run again."""
    done = three.run("--limit", "1")
    assert (
        done.returncode == 11
        and "the next run: 2 orders to ask about or to send: start the run again later"
        in done.stdout
    )
    done = three.run("--summary")
    assert done.returncode == 0 and f"exit 0: {exits.NEXT_STEP[0]}" in done.stdout
    over(three, 0)


def after_a_canary(market: Market) -> None:
    """The first order was declined."""
    market.orders([order(1, card="tokn_test_sandbox000010011"), order(2), order(3)])
    market.run("--canary", "1")


def near_the_deadline(market: Market) -> None:
    """It is too near for another request; the next run begins after it."""
    soon = datetime.now(UTC) + timedelta(minutes=1)
    market.job(timeout="70s", more=f'[controls]\ndeadline = "{soon:%H:%M}"\n')
    market.run()
    market.job(more=f'[controls]\ndeadline = "{soon - timedelta(minutes=2):%H:%M}"\n')


def behind_a_breaker(market: Market) -> None:
    """The gateway is silent, and then is not."""
    market.sandbox.add_rule(commit="never", reply="reset", status=503, body="x")
    market.run()
    market.sandbox.clear_rules()


def after_failures(market: Market) -> None:
    """More of the first twenty took no money than agreed."""
    market.job(more="[controls]\nmax_failures = 0\n")
    declined = [
        order(number, card=f"tokn_test_sandbox{number:05d}0011")
        for number in range(1, 21)
    ]
    market.orders([*declined, *(order(number) for number in range(21, 30))])
    market.run()


@pytest.mark.fault("H04", "B35")
@tries("exit-11", "party next run")
@pytest.mark.parametrize(
    "cause", [after_a_canary, near_the_deadline, behind_a_breaker, after_failures]
)
def test_what_was_held_for_a_while_the_next_run_sends(
    three: Market, cause: Callable[[Market], None]
) -> None:
    """Whatever held it in the last one."""
    cause(three)
    assert three.run(verb="status").returncode == 11
    assert {one["who_acts"] for one in three.results() if one["outcome"] == "held"} <= {
        "next run"
    }
    deadline = time.monotonic() + 60
    while (code := three.run().returncode) == 11 and time.monotonic() < deadline:
        pass
    over(three, code)
    assert code in (0, 10)


@pytest.mark.fault("J23")
@tries("asked-again", "party engineer")
def test_whom_the_gateway_does_not_tell_of_waits_where_it_tells_of_others(
    three: Market,
) -> None:
    """Asked twice, then held, the engineer acts; also on nights when nobody else is asked about.
    When the gateway tells of it, the next run sends.
    """
    rule = {"method": "GET", "path": "/recipients/recp_test_sandbox1", "status": 500}
    three.sandbox.add_rule({**rule, "body": ""})
    for _ in range(2):
        assert three.run().returncode == 11
        outcomes = [one["outcome"] for one in three.results()]
        assert outcomes == ["held", "succeeded", "succeeded"]
        assert row(three, "00001")["who_acts"] == "engineer"
        assert str(steps.ASKED_AGAIN()) in row(three, "00001")["reason"]
        assert three.posts() == 2
    three.sandbox.clear_rules()
    over(three, 0)
    assert three.posts() == 3


@pytest.mark.fault("J23", "J13")
@tries("no-recipient", "other-recipient", "party engineer")
@pytest.mark.parametrize("kind", ["unknown", "deleted"])
def test_an_order_for_a_recipient_that_is_not_there_is_corrected(
    three: Market, kind: str
) -> None:
    """In a new file, whose rows are the same but for that one: the old one's row is settled by
    it.
    """
    name = f"recp_test_sandbox{kind}1"
    if kind == "deleted":
        with httpx.Client(auth=(KEY, ""), trust_env=False) as person:
            person.delete(f"{three.sandbox.url}/recipients/{name}").raise_for_status()
    three.orders([order(1, recipient=name), order(2)])
    done = three.run()
    assert (
        done.returncode == 11
        and "the engineer: 1 order whose setting or account" in done.stdout
    )
    wanted = (
        str(steps.NO_RECIPIENT()) if kind == "unknown" else str(steps.OTHER_RECIPIENT())
    )
    assert wanted in row(three, "00001")["reason"]
    three.orders([order(1, recipient="recp_test_sandbox2"), order(2)])
    over(three, 0)
    three.orders([order(1, recipient=name), order(2)])
    over(three, 0)  # the old file again: settled elsewhere


@pytest.mark.fault("J23", "J13")
@tries("no-recipient")
def test_a_lookup_file_that_names_nobody_is_corrected(three: Market) -> None:
    """The same file again, its rows judged afresh."""
    shops = three.folder / "shops.csv"
    shops.write_text(
        "shop,rid\n"
        + "".join(
            f"recp_test_sandbox{n},recp_test_sandboxunknown\n" for n in range(1, 4)
        )
    )
    edit(
        three,
        '"recipient"',
        '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "rid" }',
    )
    assert three.run().returncode == 11
    assert (
        "correct the recipient where its row takes it from"
        in row(three, "00001")["reason"]
    )
    shops.write_text(
        "shop,rid\n"
        + "".join(f"recp_test_sandbox{n},recp_test_sandbox{n}\n" for n in range(1, 4))
    )
    over(three, 0)


@pytest.mark.fault("J23")
@tries("verify", "activate")
@pytest.mark.parametrize(
    ("field", "step"), [("verified", "verify"), ("active", "activate")]
)
def test_an_order_for_a_recipient_that_cannot_be_paid_yet_goes_when_it_can(
    three: Market, field: str, step: str
) -> None:
    """The next run asks the gateway again."""
    three.sandbox.add_rule(
        method="GET", path="/recipients/recp_test_sandbox1", change={field: False}
    )
    assert three.run().returncode == 11
    assert str(STEPS[step]()) in row(three, "00001")["reason"]
    three.sandbox.clear_rules()
    over(three, 0)


@pytest.mark.fault("J29")
@tries("send-small")
def test_a_share_below_the_smallest_transfer_is_sent_when_the_job_says_so(
    three: Market,
) -> None:
    """The line is taken from the reason as it stands."""
    three.sandbox.add_rule(
        method="GET", path="/capability", change={"limits.transfer_amount.min": 10150}
    )
    assert three.run().returncode == 11
    (line,) = re.findall(r'min_share = "\w+"', row(three, "00001")["reason"])
    three.job(more=f"[controls]\n{line}\n")
    over(three, 0)


@pytest.mark.fault("E04")
@tries("near")
@pytest.mark.parametrize("send", [True, False])
def test_a_near_duplicate_is_sent_or_cancelled(market: Market, *, send: bool) -> None:
    """Each by what its reason says."""
    held_as_near(market, "B")
    reason = row(market, "B")["reason"]
    if send:
        (line,) = re.findall(r'near_duplicates = "\w+"', reason)
        edit(market, 'near_duplicates = "hold"', line)
        over(market, 0)
    else:
        follow(market, reason)
        over(market, 10)
    assert market.money()["B"] == send


@pytest.mark.fault("E03", "X12")
@tries("new-token")
def test_a_token_that_paid_an_earlier_order_is_told_before_it_is_sent(
    market: Market,
) -> None:
    """The row is rejected by every command and goes with a new token; nothing is sent for it."""
    market.job()
    token = "tokn_test_sandbox000014242"
    market.orders([order(1, card=token)])
    assert market.run().returncode == 0
    market.orders([order(2, card=token), order(3)])
    checked = json.loads(market.run("--json", verb="check").stdout)
    (told,) = checked["problems"]
    assert (told["row"], told["rule"]) == (
        2,
        "rejected",
    ) and "paid order 00001" in told["remedy"]
    assert checked["files"][0]["may_be_sent"]["THB"]["count"] == 1
    planned = json.loads(market.run("--json", verb="plan").stdout)
    assert planned["to_send"]["THB"]["count"] == 1
    before = market.posts()
    assert market.run().returncode == 10
    assert market.posts() == before + 1
    found = row(market, "00002")
    assert (found["outcome"], found["who_acts"]) == ("rejected", "accountant")
    assert "have the payer enter the" in found["reason"]
    market.orders([order(2, card="tokn_test_sandbox990024242")])
    over(market, 0)
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}


def _sale(number: int, amount: str, card: str = "cust_test_sandbox1") -> dict[str, str]:
    """An order of one recipient, paid by a customer."""
    return order(number, amount=amount, recipient="recp_test_sandbox1", card=card)


@pytest.mark.fault("X09")
@tries("history")
@pytest.mark.parametrize("send", [True, False])
def test_an_amount_far_outside_of_the_past_waits_where_the_job_says_so(
    market: Market, *, send: bool
) -> None:
    """It is sent, or never, each by what its reason says; check, plan and run agree before."""
    market.job(**BY_CUSTOMER, more='[controls]\nhistory = "hold"\n')
    market.orders([_sale(1, "500.00")])
    assert market.run().returncode == 0
    market.orders([_sale(2, "50000.00"), _sale(3, "700.00", card="cust_test_sandbox2")])
    planned = json.loads(market.run("--json", verb="plan").stdout)
    assert planned["to_send"]["THB"]["count"] == 1 and planned["exit_code"] == 11
    assert market.run().returncode == 11
    assert market.money() == {"00001": 1, "00003": 1}
    reason = row(market, "00002")["reason"]
    assert "100 times what order 00001" in reason
    if send:
        (line,) = re.findall(r'history = "\w+"', reason)
        edit(market, 'history = "hold"', line)
        over(market, 0)
    else:
        follow(market, reason)
        over(market, 10)
    assert market.money()["00002"] == send


@pytest.mark.fault("H01")
@tries("limit")
@pytest.mark.parametrize("send", [True, False])
def test_an_order_above_the_limit_of_a_day_is_sent_or_cancelled(
    market: Market, *, send: bool
) -> None:
    """With a higher limit, or never, by what its reason says."""
    market.job(more='[controls]\nmax_day = { THB = "250.00" }\n')
    market.orders([order(number) for number in range(1, 4)])
    assert market.run().returncode == 11
    reason = row(market, "00003")["reason"]
    assert "max_day" in reason and market.money() == {"00001": 1, "00002": 1}
    if send:
        edit(market, '"250.00"', '"350.00"')
        over(market, 0)
    else:
        follow(market, reason)
        over(market, 10)
    assert market.money()["00003"] == send


@pytest.mark.fault("B32", "J12", "J19")
@tries("ask-gateway")
def test_an_entry_of_a_list_that_is_no_charge_is_named_by_its_place(
    market: Market,
) -> None:
    """Nothing goes beside it; once the gateway has mended it everything does."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    market.orders([order(1), order(2)])
    rule = {
        "method": "GET",
        "path": "/charges",
        "order_id": "00001",
        "change": {"id": " "},
    }
    market.sandbox.add_rule(rule)
    assert market.run().returncode == 11
    reason = row(market, "00002")["reason"]
    assert "entry 1 cannot be read as a charge: object charge, id" in reason, reason
    assert "ask the gateway to mend that entry" in reason
    assert market.money() == {"00001": 1}
    market.sandbox.clear_rules()
    over(market, 0)


@pytest.mark.fault("B32", "J27", "L11")
@tries("odd-entry")
@pytest.mark.parametrize("odd_id", ["chrg_test_zz9", "schd_test_7"])
def test_an_entry_with_an_id_that_is_no_charge_is_said_to_be_anothers(
    market: Market, odd_id: str
) -> None:
    """Nothing goes beside it, on any night, until a person says that it is none of this job's."""
    market.job()
    market.orders([order(1)])
    form = {
        "amount": "50000",
        "currency": "thb",
        "destination": "recp_test_sandbox1",
        "card": "tokn_test_sandboxz4242",
        "metadata[order_id]": "till",
    }
    charges = f"{market.sandbox.url}/charges"
    httpx.post(charges, data=form, auth=(KEY, ""), trust_env=False).raise_for_status()
    odd = {"object": "odd", "id": odd_id}
    market.sandbox.add_rule(method="GET", path="/charges", order_id="till", change=odd)
    for _ in range(2):
        assert market.run().returncode == 11
        told = row(market, "00001")
        assert (told["outcome"], told["who_acts"]) == ("held", "a person"), told
        assert (
            f"cannot be read as a charge: object odd, id {odd_id}" in told["reason"]
        ), told
    assert (
        market.run(
            "--not-ours", "schd_test_8", "--reason", WHY, verb="resolve"
        ).returncode
        == 64
    )
    follow(market, told["reason"])
    over(market, 0)
    assert market.money()["00001"] == 1


@pytest.mark.fault("B32", "J27", "L11")
@pytest.mark.parametrize("by_id", [True, False])
def test_an_entry_that_cannot_be_read_is_asked_for_by_its_id(
    market: Market, *, by_id: bool
) -> None:
    """The gateway shows it so, or this journal knows it already: nothing waits for it."""
    market.job()
    market.orders([order(1)])
    rule = {"method": "GET", "order_id": "00001", "change": {"object": "odd"}}
    if by_id:
        market.sandbox.add_rule({**rule, "path": "/charges"})
        market.sandbox.add_rule(action="reset_after", order_id="00001")
    else:
        market.sandbox.add_rule({**rule, "path": "/charges*"})
    assert market.run().returncode == 0
    market.orders([order(1), order(2)])
    assert market.run().returncode == 0
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("J14", "E04")
@tries("run-first")
def test_a_plan_says_that_a_word_is_taken_once_a_run_has_read_the_file(
    market: Market,
) -> None:
    """Before that no command about its rows works; of files that a run has read it says nothing."""
    market.job(more='[controls]\nnear_duplicates = "hold"\n')
    edit(market, 'card        = "card"', 'customer    = "card"')
    market.orders(
        [order(1, order_id=name, card="cust_test_sandbox1") for name in ("A", "B")]
    )
    told = json.loads(market.run("--json", verb="plan").stdout)
    ((reason, codes),) = [(one["reason"], one["codes"]) for one in told["not_sent"]]
    assert "--cancel" in reason and "near" in codes, codes
    assert any("no run has read orders.csv yet" in one for one in told["warnings"])
    assert market.run("B", "--cancel", "--reason", "x", verb="resolve").returncode == 64
    assert market.run().returncode == 11
    told = json.loads(market.run("--json", verb="plan").stdout)
    assert not any("no run has read" in one for one in told["warnings"])
    follow(market, row(market, "B")["reason"])
    over(market, 10)


@pytest.mark.fault("B20", "H03", "J14")
@pytest.mark.parametrize("code", [77, 78])
def test_status_says_first_what_the_last_run_could_not_go_on_for(
    market: Market, code: int
) -> None:
    """A later run ends the same way before somebody has mended that."""
    market.job()
    market.orders([order(1)])
    if code == 77:
        market.sandbox.add_rule(
            path="/charges*", status=401, code="authentication_failure"
        )
    else:
        market.sandbox.add_rule(method="*", path="*", date_offset_s=3600)
    assert market.run().returncode == code
    told = market.run(verb="status")
    assert told.returncode == 11
    assert (
        f"exit 11: the last run ended with {code}: {exits.NEXT_STEP[code]};"
        in told.stdout
    )
    market.sandbox.clear_rules()
    assert market.run().returncode == 0
    assert market.run(verb="status").returncode == 0


@pytest.mark.fault("E04", "J14")
@pytest.mark.parametrize("files", [1, 2])
def test_of_two_new_orders_that_ask_for_the_same_the_later_one_is_held(
    market: Market, files: int
) -> None:
    """In one file or in two of one run, in the plan and ever after; a word sends or cancels it."""
    market.job(file="in-*.csv", more='[controls]\nnear_duplicates = "hold"\n')
    edit(market, 'card        = "card"', 'customer    = "card"')
    rows = [order(1, order_id=name, card="cust_test_sandbox1") for name in ("A", "B")]
    if files == 1:
        market.orders([*rows, order(2, card="cust_test_sandbox2")], "in-1.csv")
    else:
        market.orders([rows[0], order(2, card="cust_test_sandbox2")], "in-1.csv")
        market.orders(rows[1:], "in-2.csv")
    told = json.loads(market.run("--json", verb="plan").stdout)
    assert told["to_send"]["THB"]["count"] == 2
    for _ in range(2):
        assert market.run().returncode == 11
        assert market.money() == {"A": 1, "00002": 1}
    reason = row(market, "B")["reason"]
    assert reason.startswith("order A ")
    follow(market, reason)
    over(market, 10)


@pytest.mark.fault("J13", "E08")
@tries("put-back")
@pytest.mark.parametrize("how", ["back", "order", "file"])
@pytest.mark.parametrize("optional", [True, False])
def test_a_held_order_whose_file_is_gone_is_put_back_or_cancelled(
    three: Market, how: str, *, optional: bool
) -> None:
    """The next run alone never ends it, so that is not what it says."""
    if optional:
        three.job(input="optional = true")
    assert three.run("--limit", "1").returncode == 11
    (three.folder / "orders.csv").rename(three.folder / "away")
    if not optional:
        three.orders([order(7)], "orders.csv")
    done = three.run()
    assert done.returncode == 11 and "the accountant: 2 orders" in done.stdout
    held = _line_of_held(three)
    assert "2 orders (00002, 00003) are held" in held
    assert "give orders.csv to a run again" in held
    if how == "back":
        (three.folder / "away").rename(three.folder / "orders.csv")
    elif how == "order":
        follow(three, held, 0)
        follow(three, _line_of_held(three), 0)
    else:
        follow(three, held, 1)
    over(three, 0)
    assert len([name for name in three.money() if name != "00007"]) == (
        3 if how == "back" else 1
    )


def _line_of_held(market: Market) -> str:
    """What `status` says of the orders that wait: one line for all that wait for the same."""
    status = market.run(verb="status").stdout
    (line,) = [line for line in status.splitlines() if " held, of a file " in line]
    return line


@pytest.mark.fault("J13", "J27")
def test_a_later_run_is_named_only_where_it_would_do_something(three: Market) -> None:
    """What is too small to be shared, or of a file that is refused or gone, waits for the
    accountant alone.
    """
    three.orders([order(1, amount="25.00"), order(2)])
    for verb in ("run", "status", "plan"):
        told = three.run(verb=verb)
        assert told.returncode == 11 and "start the run again" not in told.stdout, (
            told.stdout
        )
        assert "exit 11: the accountant: 1 order" in told.stdout, told.stdout
    assert 'min_share = "send"' in row(three, "00001")["reason"]
    three.job(more='[controls]\nmin_share = "send"\n')
    over(three, 0)


@pytest.mark.fault("J13", "J27")
def test_a_file_that_was_refused_waits_for_a_word_and_for_no_later_run(
    three: Market,
) -> None:
    """The same orders under new ids: the exit line asks for the word, and says nothing of later."""
    edit(three, 'card        = "card"', 'customer    = "card"')
    cards = [f"cust_test_sandbox{number}" for number in range(1, 4)]
    three.orders([order(at, card=card) for at, card in enumerate(cards, 1)])
    assert three.run().returncode == 0
    three.orders(
        [order(at, order_id=f"N-{at}", card=card) for at, card in enumerate(cards, 1)]
    )
    done = three.run()
    status = three.run(verb="status")
    assert (done.returncode, status.returncode) == (65, 11), (done, status)
    for told in (done.stdout, status.stdout):
        assert "again later" not in told and "the accountant: 3 orders" in told, told


@pytest.mark.fault("J13", "J27")
def test_what_is_held_of_a_file_that_was_given_goes_when_it_is_given_again(
    three: Market,
) -> None:
    """A run of the job alone does not read it, so the exit line names the file and --input."""
    assert three.run().returncode == 0
    three.orders([order(number) for number in range(11, 15)], "more.csv")
    done = three.run("--input", "more.csv", "--limit", "1")
    named = "more.csv is not the job's own file: what is held of it goes in a run with --input"
    assert done.returncode == 11 and named in done.stdout, done.stdout
    assert named in three.run(verb="status").stdout
    assert "the next run: 3 orders" in done.stdout
    over(three, 0, "--input", "more.csv")
    assert len(three.money()) == 7


@pytest.mark.fault("J13")
def test_status_names_the_accountant_where_nothing_is_open(three: Market) -> None:
    """Its code is 0, for no later run is needed; its last line says who has something to do."""
    three.orders([order(1, amount="1,2,3"), order(2)])
    assert three.run().returncode == 10
    told = three.run(verb="status")
    last = told.stdout.splitlines()[-1]
    assert (told.returncode, last.startswith("exit 0: nothing is open")) == (0, True), (
        told.stdout
    )
    assert "the accountant: 1 order" in last
    document = json.loads(three.run("--json", verb="status").stdout)
    assert (document["exit_code"], document["next_step"]) == (
        0,
        last.removeprefix("exit 0: "),
    )


# --- rows that come back


@pytest.mark.fault("J13")
def test_a_rejects_file_has_the_rows_that_are_left_to_correct_and_no_others(
    three: Market,
) -> None:
    """What was settled by its correction is not sent back again; with nothing left it goes away."""
    three.orders([order(1, amount="1,2,3"), order(2, amount="none"), order(3)])
    assert three.run().returncode == 10
    first, second = rejected(three)
    folder = three.folder / "reports" / first["batchpay_batch"]
    done = three.run("--input", sent_back(three, [first], amount="210.25"))
    assert done.returncode == 0, done.stdout
    assert "the accountant: 1 order to see to" in three.run(verb="status").stdout
    with (folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line["order_id"] for line in csv.DictReader(file)] == ["00002"]
    over(three, 0, "--input", sent_back(three, [second], amount="210.25"))
    assert not (folder / "rejects.csv").exists()
    assert three.run(verb="verify").returncode == 0


@pytest.mark.fault("J13")
def test_a_total_row_that_a_person_took_note_of_is_nobodys(three: Market) -> None:
    """It stays rejected, in this file and in later ones; nobody is asked to correct it."""
    total = {**dict.fromkeys(HEADER, ""), "order_id": "รวม", "amount": "1,000.00"}
    three.orders([order(1), total])
    done = three.run()
    assert done.returncode == 10 and "the accountant: 1 order" in done.stdout
    words = (
        "resolve",
        "job.toml",
        "รวม",
        "--cancel",
        "--reason",
        "the sum of the sheet",
    )
    assert program(three, *words).returncode == 0
    assert "cancelled already" in program(three, *words).stderr
    assert "accountant" not in three.run(verb="status").stdout
    three.orders([order(2), total], "next.csv")
    done = three.run("--input", "next.csv")
    assert done.returncode == 10 and exits.SEEN_TO in done.stdout, done.stdout
    checked = three.run("--input", "next.csv", verb="check")
    assert ", 1 rejected, 0 repeated" in checked.stdout, checked.stdout
    assert three.run(verb="verify").returncode == 0


@pytest.mark.fault("J13", "J14")
def test_what_nobody_pays_or_corrects_any_more_a_person_says_so(three: Market) -> None:
    """Declined, refused, rejected or contradicted for good: the row stays what it is, names nobody,
    and is never sent; neither in its own file nor in a later one, nor by a journal that was lost.
    """
    three.sandbox.add_rule(action="refuse", order_id="00002", times=1)
    waits = [
        order(1, card="tokn_test_sandbox000010011"),
        order(2),
        order(3, amount="-300.00"),
        order(4, order_id="5"),
    ]
    three.orders([order(5), *waits])
    three.orders([order(6)], "first.csv")
    over(three, 0, "--input", "first.csv")
    assert three.run().returncode == 10
    outcomes = {one["order_id"]: one["outcome"] for one in three.results()}
    assert [outcomes[one] for one in ("00001", "00002", "00003")] == [
        "declined",
        "refused",
        "rejected",
    ], outcomes
    assert outcomes["5"] == outcomes["00005"] == "conflict"
    again = rejects(three, batchpay_retry="yes")
    for order_id in ("00001", "00002", "00003", "5", "00005"):
        words = ("resolve", "job.toml", order_id, "--cancel", "--reason", "no more")
        assert program(three, *words).returncode == 0
        assert "cancelled already" in program(three, *words).stderr
    paid = ("resolve", "job.toml", "00006", "--cancel", "--reason", "no more")
    assert "00006 is succeeded" in program(three, *paid).stderr
    status = three.run(verb="status").stdout
    assert "accountant" not in status and "payer" not in status, status
    for name in ("orders.csv", again):
        plan = three.run("--input", name, verb="plan")
        done = three.run("--input", name)
        for told in (plan, done):
            assert told.returncode == 10 and exits.SEEN_TO in told.stdout, told.stdout
        (counted,) = re.findall(r": (.* repeated)", plan.stdout)
        check = three.run("--input", name, verb="check").stdout
        assert f": {counted};" in check, (counted, check)
    told = row(three, "00001", "orders.csv")
    assert (told["outcome"], told["who_acts"]) == ("declined", "-")
    assert "no more" in told["reason"] and "insufficient_fund" in told["reason"]
    told = row(three, "00003", "orders.csv")
    assert "amount-not-positive" in told["reason"] and "no more" in told["reason"]
    assert three.run(verb="verify").returncode == 0
    shutil.rmtree(three.folder / "state")
    done = three.run("--adopt", "--input", again)
    assert len(three.money()) == 1 and "accountant" not in done.stdout, done.stdout


def give_up(three: Market, batch: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """A person gives up a row by its place."""
    return three.run(batch, "--cancel", "--reason", "no more", *flags, verb="resolve")


@tries("cancel-order")
@pytest.mark.fault("J13", "J14", "J02")
def test_a_row_is_given_up_by_its_place_where_its_order_cannot_be(
    three: Market,
) -> None:
    """One without an id, and those that contradict an order which was charged: what else
    the order is stays. Neither the row nor what comes back to correct it, however often, is ever
    sent, nor by a journal that was lost.
    """
    three.orders([order(1), order(9)], "first.csv")
    over(three, 0, "--input", "first.csv")
    without_id = order(2, order_id="")
    dearer = order(4, amount="700.00"), order(9, amount="800.00")
    three.orders(
        [without_id, order(1, amount="900.00"), *map(order, (3, 4, 9)), *dearer]
    )
    assert three.run("--limit", "0").returncode == 11
    (batch,) = {one["batch_id"] for one in three.results() if one["row"] == "8"}
    back = [{**line, "order_id": line["order_id"] or "A7"} for line in rejected(three)]
    told = three.run("00001", "--cancel", *("--reason", "no more"), verb="resolve")
    assert told.returncode == 64 and "00001 is succeeded" in told.stderr
    for flags, why in (
        (("--row", "4"), "row 4 is held, and is cancelled with its order: batchpay"),
        (("--row", "99"), "has no row 99"),
        (("--row", "2", "--sheet", "x"), "has no row 2 in sheet x"),
    ):
        told = give_up(three, batch, *flags)
        assert told.returncode == 64 and why in told.stderr, told
    (first,) = {one["batch_id"] for one in three.results()} - {batch}
    told = give_up(three, first, "--row", "2")
    assert "row 2 is succeeded; only a row that waits" in told.stderr, told
    follow(three, give_up(three, batch, "--row", "4").stderr)
    said = give_up(three, batch, "--row", "2", "--row", "3", "--row", "6", "--row", "8")
    assert said.returncode == 0 and "4 rows of batch" in said.stdout, said
    assert "cancelled already" in give_up(three, batch, "--row", "3").stderr
    said = three.run("00004", "--cancel", "--reason", "no more", verb="resolve")
    assert said.returncode == 0, said
    status = three.run(verb="status").stdout
    assert "accountant" not in status, status
    rows = {one["row"]: one for one in three.results() if one["batch_id"] == batch}
    for number in ("2", "3", "6", "8"):
        one = rows[number]
        assert one["who_acts"] == "-" and "no more" in one["reason"], one
    again = sent_back(three, back)
    for name in ("orders.csv", again):
        plan = three.run("--input", name, verb="plan")
        done = three.run("--input", name)
        for told in (plan, done):
            assert told.returncode == 10 and exits.SEEN_TO in told.stdout, told.stdout
    # corrected once more, the correction itself
    twice = [dict(line, order_id="A9") for line in rejected(three)[:1]]
    assert twice[0]["batchpay_row"] == "2" and twice[0]["batchpay_batch"] != batch
    assert three.run("--input", sent_back(three, twice)).returncode == 10
    assert three.money() == {"00001": 1, "00009": 1}
    assert three.run(verb="verify").returncode == 0
    shutil.rmtree(three.folder / "state")
    done = three.run("--adopt", "--input", again, "--summary")
    assert "4 rows cancelled since, kept so" in done.stdout, done.stdout
    assert three.money() == {"00001": 1, "00009": 1}


@pytest.mark.fault("J13", "E11")
def test_a_file_that_comes_again_without_its_total_row_is_settled_as_the_first_one_was(
    three: Market,
) -> None:
    """Its rows were corrected and charged: rejected ones, one with a date for an id, a pair that
    contradicted each other. The rejects file sent back as it was is settled by them, too.
    """
    rows = [
        order(1, amount="1,2,3"),
        order(2, order_id="3-Mar"),
        order(3),
        order(4),
        order(4, amount="300.00"),
    ]
    total = {**dict.fromkeys(HEADER, ""), "order_id": "รวม", "amount": "1,000.00"}
    three.orders([*rows, total])
    assert three.run().returncode == 10
    first, damaged, right, wrong, sum_row = rejected(three)
    assert sum_row["order_id"] == "รวม"
    untouched = [first, damaged, right, wrong]
    mended = [
        {**first, "amount": "210.25"},
        {**damaged, "order_id": "X-3"},
        {**right, "card": "tokn_test_sandboxnew4242"},
    ]
    over(three, 0, "--input", sent_back(three, mended))
    assert len(three.money()) == 4
    assert "the accountant: 1 order to see to" in three.run(verb="status").stdout
    three.orders(rows)
    plan = three.run(verb="plan")
    done = three.run()
    assert (plan.returncode, done.returncode) == (0, 0), (plan.stdout, done.stdout)
    done = three.run("--input", sent_back(three, untouched))
    assert done.returncode == 0, done.stdout
    assert len(three.money()) == 4 and all(one == 1 for one in three.money().values())
    three.orders([order(1, amount="1,2,4"), *rows[2:]])
    assert three.run().returncode == 10  # another text in a cell is another row


@pytest.mark.fault("J13")
@tries("exit-10", "party accountant")
def test_a_rejected_row_that_was_corrected_is_settled(three: Market) -> None:
    """In the rejects file, sent back as a new file: the first batch is no longer 10."""
    three.orders([order(1, amount="1,2,3"), order(2)])
    done = three.run()
    assert (
        done.returncode == 10
        and "the accountant: 1 order" in done.stdout
        and "rejects file" in done.stdout
    )
    over(three, 0, "--input", rejects(three, amount="210.25"))
    over(three, 0)
    assert row(three, "00001", "orders.csv")["settled_by"]
    assert (
        "; settled by order 00001 of batch " in three.run("00001", verb="status").stdout
    )


def ended(market: Market, how: str) -> None:
    """Order 00001 ends without money."""
    if how == "declined":
        market.orders([order(1, card="tokn_test_sandbox000010011"), order(2)])
        market.run()
    elif how == "refused":
        market.sandbox.add_rule(action="refuse", order_id="00001", times=1)
        market.run()
    else:
        market.sandbox.add_rule(becomes="pending", order_id="00001", times=1)
        market.run()
        market.sandbox.turn(order_id="00001", becomes=how)
        market.run()


@pytest.mark.fault("J13", "J14")
@tries("exit-10", "party payer", "ask-again", "pay-again", "correct-row")
@pytest.mark.parametrize("how", ["declined", "refused", "expired", "reversed"])
@pytest.mark.parametrize("unchanged", [True, False])
def test_an_order_that_took_no_money_comes_back_from_the_rejects_file(
    three: Market, how: str, *, unchanged: bool
) -> None:
    """Changed, or with batchpay_retry = yes; a plain copy of it is a duplicate that says so, and
    who must act.
    """
    edit(three, 'card        = "card"', 'customer    = "card"')
    three.orders(
        [order(1, card="cust_test_sandbox1"), order(2, card="cust_test_sandbox2")]
    )
    if how == "declined":
        three.sandbox.add_rule(becomes="failed", order_id="00001", times=1)
        three.run()
    else:
        ended(three, how)
    done = three.run()
    party = "accountant" if how == "refused" else "payer"
    assert (
        done.returncode == 10
        and str(exits.FROM_REJECTS[party](orders=1)) in done.stdout
    ), done.stdout
    copy = rejects(three)
    done = three.run("--input", copy)
    assert done.returncode == 10 and f"the {party}: 1 order" in done.stdout
    found = row(three, "00001", copy)
    assert found["outcome"] == "duplicate" and str(steps.ASK_AGAIN()) in found["reason"]
    step = steps.CORRECT if how == "refused" else steps.PAY_AGAIN
    assert str(step()) in row(three, "00001", "orders.csv")["reason"]
    changes = (
        {"batchpay_retry": "yes"} if unchanged else {"card": "cust_test_sandboxother"}
    )
    over(three, 0, "--input", rejects(three, **changes))
    over(three, 0)
    assert row(three, "00001", "orders.csv")["settled_by"]


@pytest.mark.fault("B33", "B34")
@tries("party payer", "exit-11", "authorise")
def test_a_charge_that_waits_for_its_payer_is_authorised_and_the_next_run_finds_it(
    three: Market,
) -> None:
    """The sentence names the payer and, because a payer tells nobody, the next run."""
    three.orders([order(1, card="tokn_test_sandbox3ds00001"), order(2)])
    done = three.run()
    last = done.stdout.splitlines()[-1]
    assert (
        done.returncode == 11
        and "the payer: 1 order to authorise" in last
        and exits.NEXT_STEP[11] in last
    )
    assert (
        row(three, "00001")["authorize_uri"]
        and str(steps.AUTHORISE()) in row(three, "00001")["reason"]
    )
    assert "rejects file" not in done.stdout
    three.sandbox.turn(order_id="00001", becomes="successful")
    over(three, 0)


@pytest.mark.fault("B34", "J13")
@tries("pay-token", "pay-source", "scan", "party payer")
@pytest.mark.parametrize("kind", ["token", "source"])
def test_what_pays_once_is_paid_by_a_new_one(three: Market, kind: str) -> None:
    """A used token, or a QR code that expired, is no payer: the reason asks for a new one, and that
    is charged.
    """
    if kind == "token":
        three.orders([order(1, card="tokn_test_sandbox000010011"), order(2)])
        three.run()
        step, new = steps.PAY_TOKEN, "tokn_test_sandboxnew4242"
    else:
        edit(three, 'card        = "card"', 'source      = "card"')
        three.orders([order(1, card="src_test_sandbox1")])
        assert three.run().returncode == 11
        assert str(steps.SCAN()) in row(three, "00001")["reason"]
        three.sandbox.turn(order_id="00001", becomes="expired")
        three.run()
        step, new = steps.PAY_SOURCE, "src_test_sandbox2"
    assert str(step()) in row(three, "00001")["reason"]
    assert "the payer: 1 order to pay again" in three.run("--summary").stdout
    found = row(three, "00001")
    told = three.run("00001", verb="status").stdout
    assert (
        f"is {found['outcome']}: {found['charge_id']}; {found['reason']} (who acts: payer)"
        in told
    ), told
    assert "101.25 THB (10125 in the smallest unit)" in told
    copy = rejects(three)
    assert three.run("--input", copy).returncode == 10
    # a plain copy says the same
    assert str(step()) in row(three, "00001", copy)["reason"]
    back = rejects(three, card=new)
    code = three.run("--input", back).returncode
    if kind == "source":
        assert code == 11 and str(steps.SCAN()) in row(three, "00001", back)["reason"]
        (waits,) = [
            charge["id"]
            for charge in three.own_charges()
            if charge["status"] == "pending"
        ]
        three.sandbox.turn(charge_id=waits, becomes="successful")
    over(three, 0)
    assert three.money()["00001"] == 1


@pytest.mark.fault("X11", "J29")
@tries("too-small")
@pytest.mark.parametrize("how", ["more", "cancel"])
def test_an_order_below_the_smallest_charge_is_rejected_and_comes_back_with_more(
    three: Market, how: str
) -> None:
    """No setting and no later run sends it: it is not held. It comes back with more, or is
    cancelled; `check` says so as well, once the gateway has told its limits.
    """
    three.orders([order(1, amount="5.00"), order(2)])
    assert three.run(verb="plan").returncode in (0, 10)
    assert three.run().returncode == 10
    found = row(three, "00001")
    assert (found["outcome"], found["who_acts"]) == ("rejected", "accountant")
    assert "min_share" not in found["reason"] and "smallest charge" in found["reason"]
    for verb in ("run", "plan", "check"):
        told = three.run(verb=verb)
        assert told.returncode == 10, told.stdout
    assert "smallest charge" in told.stdout, told.stdout
    if how == "cancel":
        follow(three, found["reason"])
        over(three, 10)
    else:
        over(three, 0, "--input", rejects(three, amount="55.00"))
        assert three.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("X11", "J29")
@tries("too-large")
def test_an_order_above_the_largest_charge_is_told_before_it_is_sent(
    three: Market,
) -> None:
    """A plan that asks, and the run, say the same: nothing of it leaves. It is cancelled."""
    three.orders([order(1, amount="5000000000.01"), order(2, amount="5000000000.00")])
    planned = three.run("--preflight", verb="plan")
    assert planned.returncode == 10 and "would charge 1 order" in planned.stdout, (
        planned.stdout
    )
    assert "the gateway's largest charge is 5000000000.00" in planned.stdout, (
        planned.stdout
    )
    assert three.run().returncode == 10
    rejected = row(three, "00001")
    assert (rejected["outcome"], rejected["who_acts"]) == ("rejected", "accountant")
    follow(three, rejected["reason"])
    over(three, 10)
    assert three.posts() == 1


@pytest.mark.fault("J07", "J08")
@tries("write-id")
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_ids_that_only_look_alike_are_written_out_or_told_apart(
    three: Market, *, same: bool, together: bool
) -> None:
    """In one file, or against what was charged before; a repeat of such a row is contested as it
    is.
    """
    edit(three, 'card        = "card"', 'customer    = "card"')
    first = order(1, card="cust_test_sandbox1")
    three.orders(
        [
            first,
            *(order(number, card=f"cust_test_sandbox{number}") for number in (2, 3)),
        ]
    )
    damaged = {
        **first,
        "order_id": "1",
        **({} if same else {"card": "cust_test_sandboxother"}),
    }
    if together:
        three.orders([first, damaged])
    else:
        assert three.run().returncode == 0
        three.orders([damaged, damaged])
    done = three.run()
    assert done.returncode == 10, done.stdout
    reason = next(
        found["reason"] for found in three.results() if found["order_id"] == "1"
    )
    if same:
        (wanted,) = re.findall(r"write (\w+)", reason)
        three.orders([{**damaged, "order_id": wanted}])
    else:
        (line,) = re.findall(r'alike_ids = "\w+"', reason)
        edit(three, "[columns]", f"{line}\n[columns]")
    over(three, 0)
    assert three.money()["1"] == (not same)


@pytest.mark.fault("J07", "J08")
@tries("write-id-there")
@pytest.mark.parametrize(
    ("ids", "whole"),
    [(("0012", "12"), "0012"), (("12", "0012"), "0012"), (("1002.0", "1002"), "1002")],
)
def test_rows_of_look_alike_ids_are_all_told_the_same_one(
    three: Market, ids: tuple[str, str], whole: str
) -> None:
    """Doing what both rows say at once does not swap their ids: the file then has one order."""
    edit(three, 'card        = "card"', 'customer    = "card"')
    rows = [order(1, order_id=one, card="cust_test_sandbox1") for one in ids]
    three.orders(rows)
    assert three.run().returncode == 10
    reasons = [row(three, one)["reason"] for one in ids]
    wanted = [re.findall(r"write (\w+)", reason) for reason in reasons]
    assert wanted == [[whole], [whole]]
    assert sum("there too" in reason for reason in reasons) == 1
    three.orders([{**one, "order_id": whole} for one in rows])
    over(three, 0)
    assert three.money() == {whole: 1}


@pytest.mark.fault("J07", "J08")
@tries("write-id", "write-damaged-id")
@pytest.mark.parametrize(
    ("sent", "came"),
    [("0012", "12"), ("12", "0012"), ("8E5", "800000"), ("800000", "8E5")],
)
def test_the_id_of_a_look_alike_is_written_in_the_rejects_file(
    three: Market, sent: str, came: str
) -> None:
    """What a person writes there is not taken for damage; where it could be, the reason says how to
    tell the two.
    """
    three.orders([order(1, order_id=sent), order(2)])
    assert three.run().returncode == 0
    three.orders([order(1, order_id=came), order(2)])
    assert three.run().returncode == 10
    reason = row(three, came)["reason"]
    (wanted,) = re.findall(r"write (\w+)", reason)
    step = steps.WRITE_DAMAGED_ID if "clear" in reason else steps.WRITE_ID
    assert wanted == sent and str(step(other=sent)) in reason
    cleared = CLEARED if step is steps.WRITE_DAMAGED_ID else {}
    over(three, 0, "--input", rejects(three, order_id=wanted, **cleared))
    assert three.money() == {sent: 1, "00002": 1}


@pytest.mark.fault("J07", "J08", "J13")
def test_a_look_alike_whose_id_was_written_out_is_settled_by_the_order_that_it_is(
    market: Market,
) -> None:
    """Its correction is a duplicate of an order that was charged before: the first row is over,
    too, and stays so.
    """
    market.job()
    edit(market, 'card        = "card"', 'customer    = "card"')
    first, second, third = (
        order(number, card=f"cust_test_sandbox{number}") for number in (1, 2, 3)
    )
    market.orders([first, second], "a.csv")
    assert market.run("--input", "a.csv").returncode == 0
    market.orders([{**first, "order_id": "1"}, third], "b.csv")
    assert market.run("--input", "b.csv").returncode == 10
    assert "write 00001" in row(market, "1")["reason"]
    over(market, 0, "--input", rejects(market, order_id="00001"))
    found = row(market, "1")
    assert (
        found["outcome"] == "duplicate" and "order 00001 of batch" in found["reason"]
    ), found
    assert found["who_acts"] == "-"
    for verb in ("run", "plan"):
        assert market.run("--input", "b.csv", verb=verb).returncode == 0, verb
    for verb in ("report", "status", "verify"):
        assert market.run(verb=verb).returncode == 0, verb
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}


@pytest.mark.fault("E05")
@tries("other-content")
@pytest.mark.parametrize("another", [True, False])
def test_an_order_id_that_asks_for_something_else_is_corrected(
    three: Market, *, another: bool
) -> None:
    """Another id when it is another sale, else the row is left out."""
    assert three.run().returncode == 0
    changed = order(1, amount="300.00", card="tokn_test_sandboxother4242")
    three.orders([changed, order(4)])
    assert three.run().returncode == 10
    assert any(
        str(steps.OTHER_CONTENT()) in one["reason"]
        for one in three.results()
        if one["outcome"] == "conflict"
    )
    asks = "this row asks for 300.00 THB instead of 101.25 THB, another way to pay;"
    assert any(asks in one["reason"] for one in three.results())
    told = [line for line in rejected(three) if line["batchpay_outcome"] == "conflict"]
    three.orders([{**changed, "order_id": "X-1"}, order(4)] if another else [order(4)])
    over(three, 0)
    assert three.money()["X-1"] == another
    if not another:  # the same in the rejects file
        over(three, 0, "--input", sent_back(three, told, order_id="X-2", **CLEARED))
        assert three.money()["X-2"] == 1


@pytest.mark.fault("J07")
@tries("another-sale")
def test_a_row_that_corrects_a_sale_with_other_terms_is_sent_as_another(
    three: Market,
) -> None:
    """Under an id that was never used; the id that was typed stays the corrected sale's."""
    three.orders([order(1, amount="x"), order(2)])
    assert three.run().returncode == 10
    told = rejected(three)
    over(three, 0, "--input", sent_back(three, told, amount="210.25"))
    first = {
        "amount": "999.00",
        "order_id": "B-1",
        "card": "tokn_test_sandboxother4242",
    }
    three.run("--input", other := sent_back(three, told, **first))
    assert str(steps.ANOTHER_SALE()) in row(three, "B-1", other)["reason"]
    third = sent_back(three, told, **{**first, "order_id": "B-2"}, **CLEARED)
    over(three, 0, "--input", third, "--yes")
    assert (three.money()["B-1"], three.money()["B-2"]) == (0, 1)
    three.run("--input", other := sent_back(three, told, **first, **CLEARED))
    assert "under an id that was never used" in row(three, "B-1", other)["reason"]
    assert three.money()["B-1"] == 0


@pytest.mark.fault("J07", "J08")
@tries("own-id")
def test_a_row_that_was_filled_down_is_sent_again_under_its_own_id(
    three: Market,
) -> None:
    """In the rejects file that it came from."""
    edit(three, 'card        = "card"', 'customer    = "card"')
    payers = [f"cust_test_sandbox{number}" for number in (1, 2, 3)]
    first = order(1, card=payers[0])
    three.orders([first, order(2, card=""), order(3, card=payers[2])])
    assert three.run().returncode == 10
    told = rejected(three)
    assert three.run("--input", sent_back(three, told, **first)).returncode == 10
    (back,) = [one for one in three.results() if one["outcome"] == "conflict"]
    assert str(steps.OWN_ID()) in back["reason"]
    assert not row(three, "00002")["settled_by"]
    over(three, 0, "--input", sent_back(three, told, card=payers[1]))
    assert row(three, "00002", "orders.csv")["settled_by"]
    assert three.money() == {"00001": 1, "00002": 1, "00003": 1}


@pytest.mark.fault("E03")
@tries("leave-one")
def test_of_rows_that_contradict_each_other_one_is_left(three: Market) -> None:
    """The right one, says the reason."""
    three.orders([order(1), order(1, amount="7.00"), order(2)])
    assert three.run().returncode == 10
    assert all(
        str(steps.LEAVE_ONE()) in one["reason"]
        for one in three.results()
        if one["outcome"] == "conflict"
    )
    three.orders([order(1), order(2)])
    over(three, 0)


@pytest.mark.fault("E03", "J13")
@tries("leave-one-file")
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("how", ["delete", "take away", "sum"])
def test_of_rows_of_two_files_that_contradict_each_other_one_is_left_where_it_stands(
    market: Market, *, how: str, back: bool
) -> None:
    """What is sent back beside them ends nothing, and the step says so; each way that it names
    does.
    """
    inbox = moved_to_inbox(market)
    edit(market, 'card        = "card"', 'customer    = "card"')
    cards = [f"cust_test_sandbox{number}" for number in range(4)]
    one, less = (order(1, card=cards[1], amount=many) for many in ("120.00", "100.00"))
    market.orders([one, order(2, card=cards[2])], "inbox/a.csv")
    market.orders([less, order(3, card=cards[3])], "inbox/b.csv")
    if back:
        assert market.run().returncode == 10
        (market.folder / rejects(market, amount="130.00")).rename(inbox / "c.csv")
    done = market.run()
    assert done.returncode == 10, done.stdout
    for file, other in (("a.csv", "b.csv"), ("b.csv", "a.csv")):
        reason = row(market, "00001", file)["reason"]
        assert str(steps.LEAVE_ONE_FILE()) in reason and f"row 2 of {other}" in reason
    assert market.money() == {"00002": 1, "00003": 1}
    (inbox / "c.csv").unlink(missing_ok=True)
    if how == "sum":
        market.orders([{**one, "amount": "220.00"}], "inbox/a.csv")
    if how == "take away":
        (inbox / "b.csv").unlink()
    else:
        market.orders([order(3, card=cards[3])], "inbox/b.csv")
    over(market, 0)
    assert market.money() == {"00001": 1, "00002": 1, "00003": 1}
    assert row(market, "00001", "b.csv")["settled_by"]


@pytest.mark.fault("J07", "J08", "J13")
@tries("leave-id-file")
@pytest.mark.parametrize("which", ["delete", "take away", "distinct"])
@pytest.mark.parametrize("back", [False, True])
def test_of_one_export_in_two_files_the_row_with_the_whole_id_is_left_where_it_stands(
    market: Market, *, which: str, back: bool
) -> None:
    """Nobody is asked whether its orders are new: nothing of the other file was sent."""
    inbox = moved_to_inbox(market)
    market.job(file="inbox/*")
    edit(market, 'card        = "card"', 'customer    = "card"')
    cards = [f"cust_test_sandbox{number}" for number in range(3)]
    whole = [order(number, card=cards[number]) for number in (1, 2)]
    cut = [{**one, "order_id": one["order_id"].lstrip("0")} for one in whole]
    market.orders(whole, "inbox/a.csv")
    book = openpyxl.Workbook()
    for line in (HEADER, *([one[name] for name in HEADER] for one in cut)):
        book.active.append(line)
    book.save(inbox / "b.xlsx")
    assert market.run().returncode == 10
    if back:
        path = next((market.folder / "reports").glob("*/rejects.csv"))
        shutil.copy(path, inbox / "c.csv")
        assert market.run().returncode == 10
        (inbox / "c.csv").unlink()
        assert market.run().returncode == 10
    assert market.posts() == 0
    for file, one in (("a.csv", "00001"), ("b.xlsx", "1")):
        reason = row(market, one, file)["reason"]
        step = steps.addressed(str(steps.LEAVE_ID_FILE(order="00001")), "job.toml")
        assert step in reason, reason
    if which == "distinct":
        edit(market, "[columns]", 'alike_ids = "distinct"\n[columns]')
        over(market, 0, "--yes")
        assert set(market.money().values()) == {1} and len(market.money()) == 4
        return
    if which == "delete":
        book.active.delete_rows(2, 2)
        book.active.append([order(3, card=cards[0])[name] for name in HEADER])
        book.save(inbox / "b.xlsx")
    else:
        (inbox / "b.xlsx").unlink()
    over(market, 0)
    more = {"00003": 1} if which == "delete" else {}
    assert market.money() == {"00001": 1, "00002": 1, **more}


@pytest.mark.fault("J13")
@tries("new-id")
def test_a_cancelled_order_that_is_wanted_after_all_is_sent_as_another_one(
    three: Market,
) -> None:
    """Until then it is nobody's to act on, and says so; its look-alike is cancelled too."""
    assert three.run("--limit", "2").returncode == 11
    program(three, "resolve", "job.toml", "00003", "--cancel", "--reason", "wrong shop")
    done = three.run()
    assert done.returncode == 10 and exits.SEEN_TO in done.stdout
    three.orders([order(3, order_id="3")], "alike.csv")
    three.run("--input", "alike.csv")
    assert str(steps.NEW_ID()) in row(three, "3")["reason"]
    assert str(steps.NEW_ID()) in row(three, "00003")["reason"]
    (batch,) = {
        one["batch_id"] for one in three.results() if one["order_id"] == "00003"
    }
    with (three.folder / "reports" / batch / "rejects.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        lines = [{**line, "order_id": "C-3"} for line in csv.DictReader(file)]
    write_csv(three.folder / "back.csv", lines)
    # it is the cancelled sale still
    assert three.run("--input", "back.csv", "--yes").returncode == 10
    own = [
        {name: cell for name, cell in line.items() if not name.startswith("batchpay_")}
        for line in lines
    ]
    # so it is without them, under an id that was typed for it: no yes about a file frees it
    write_csv(three.folder / "typed.csv", own)
    assert three.run("--input", "typed.csv", "--yes").returncode == 10
    assert three.posts() == 2
    write_csv(three.folder / "wanted.csv", [{**one, "order_id": "D-4"} for one in own])
    over(three, 0, "--input", "wanted.csv", "--yes")
    over(three, 10)
    assert three.money()["D-4"] == 1


@pytest.mark.fault("J13")
def test_an_order_that_was_cancelled_before_is_told_by_whom_and_when(
    three: Market,
) -> None:
    """Whether it was never sent, or sent and never charged."""
    assert three.run("--limit", "2").returncode == 11
    words = ("resolve", "job.toml", "00003", "--cancel", "--reason", "wrong shop")
    assert program(three, *words).returncode == 0
    again = program(three, *words)
    assert again.returncode == 64
    assert "order 00003 was cancelled already, by " in again.stderr, again.stderr
    assert ": wrong shop" in again.stderr


@pytest.mark.fault("J08")
def test_an_id_is_known_with_the_apostrophe_of_the_report(three: Market) -> None:
    """A cell of results.csv that a spreadsheet would calculate has one; it is no part of the id."""
    three.orders([order(1, order_id="-5"), order(2, order_id="3-Mar")])
    assert three.run().returncode == 10
    (shown,) = [
        one["order_id"] for one in three.results() if one["outcome"] == "succeeded"
    ]
    assert shown == "'-5"
    told = program(three, "status", "job.toml", "--", shown)
    assert told.returncode == 0 and "order -5: " in told.stdout, told
    unknown = three.run("3-Mar", verb="status")
    assert (
        unknown.returncode == 64 and "whose id was rejected has none" in unknown.stderr
    )


@pytest.mark.fault("J07")
def test_check_and_plan_name_the_orders_that_resemble_recent_ones(
    three: Market,
) -> None:
    """An order under another id that asks for what a charged one asked is told before it goes."""
    edit(three, 'card        = "card"', 'customer    = "card"')
    rows = [order(number, card=f"cust_test_sandbox{number}") for number in range(1, 4)]
    three.orders(rows)
    assert three.run().returncode == 0
    three.orders(
        [{**rows[0], "order_id": "A-9"}, *rows[1:], order(4, card="cust_test_sandbox4")]
    )
    checked, planned = three.run(verb="check"), three.run(verb="plan")
    assert checked.returncode == 0
    assert "row 2, order A-9: order 00001 of batch " in checked.stderr, checked.stderr
    assert "A-9: order 00001 of batch " in planned.stderr, planned.stderr


@pytest.mark.fault("E03")
def test_what_stands_in_a_file_as_no_program_wants_it_says_what_to_do(
    three: Market,
) -> None:
    """An empty cell of the one way to pay, a title above the header, a key in other letters."""
    edit(three, 'card        = "card"', 'customer    = "card"')
    shops = "shop,rid\nBlue Elephant,recp_test_sandbox1\n"
    (three.folder / "shops.csv").write_text(shops, "utf-8")
    lookup = (
        '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "rid" }'
    )
    edit(three, '"recipient"', lookup)
    near = order(2, card="cust_test_sandbox2", recipient="blue elephant ")
    three.orders([order(1, card="", recipient="Blue Elephant"), near])
    told = three.run(verb="check").stdout
    assert "card: is empty (payment-group); fill it in" in told, told
    assert (
        "found 'blue elephant␠' (lookup-missing); shops.csv has 'Blue Elephant'" in told
    ), told
    file = three.folder / "orders.csv"
    file.write_text("Orders November,,\n\n" + file.read_text("utf-8"), "utf-8")
    refused = three.run(verb="check")
    assert refused.returncode == 65 and "say header_row = 3" in refused.stderr, refused
    edit(three, "[columns]", "header_row = 3\n[columns]")
    assert three.run(verb="check").returncode == 10


def moved_to_inbox(market: Market) -> Path:
    """A job that reads every file of a folder."""
    market.job(file="inbox/*.csv")
    (market.folder / "inbox").mkdir(exist_ok=True)
    return market.folder / "inbox"


@pytest.mark.fault("J13", "I14")
def test_an_order_that_waits_for_somebody_is_counted_once_over_all_its_files(
    market: Market,
) -> None:
    """Rejected, corrected and declined: one matter, the payer's; declined again, still one, whoever
    counts it.
    """
    inbox = moved_to_inbox(market)
    edit(market, 'card        = "card"', 'customer    = "card"')
    paying = {"card": "cust_test_sandbox1"}
    market.orders(
        [order(1, amount="1,2,3", **paying), order(2, card="cust_test_sandbox2")],
        "inbox/a.csv",
    )
    assert "the accountant: 1 order " in market.run().stdout
    market.sandbox.add_rule(becomes="failed", order_id="00001")
    (market.folder / rejects(market, amount="101.25")).rename(inbox / "b.csv")
    done = market.run()
    assert done.returncode == 10 and "the accountant" not in done.stdout, done.stdout
    assert "the payer: 1 order " in done.stdout
    (market.folder / rejects(market, batchpay_retry="yes")).rename(inbox / "c.csv")
    done = market.run()
    assert (
        "the payer: 1 order " in done.stdout and "the accountant" not in done.stdout
    ), done.stdout
    for verb in ("run", "report", "status", "plan"):
        assert json.loads(market.run("--json", verb=verb).stdout)["who_acts"] == {
            "payer": 1
        }, verb
    market.sandbox.clear_rules()
    (market.folder / rejects(market, batchpay_retry="yes")).rename(inbox / "d.csv")
    over(market, 0)
    assert json.loads(market.run("--json", verb="status").stdout)["who_acts"] == {}


@pytest.mark.fault("X07", "J13")
def test_a_total_row_is_called_one_and_deleted(market: Market) -> None:
    """What a spreadsheet adds below the orders is no order: `check` and the report say so, and what
    to do.
    """
    market.job()
    for word in ("Total", "รวม", "grand total:"):
        total = {**dict.fromkeys(HEADER, ""), "order_id": word, "amount": "203.50"}
        market.orders([order(1), order(2), total])
        told = market.run(verb="check").stdout
        assert "orders.csv:4: order_id" in told and "looks like a total row" in told, (
            told
        )
    assert market.run().returncode == 10
    assert "delete it from the export" in row(market, "grand total:")["reason"]
    market.orders([order(1), order(2)])
    over(market, 0)


@pytest.mark.fault("E03", "E08")
def test_a_check_sums_what_breaks_no_rule_and_of_that_what_may_be_sent(
    market: Market,
) -> None:
    """A rejected row is in neither sum; a repeat, and what was charged already, in the first one
    only.
    """
    market.job()
    market.orders([order(1), order(2), order(2), order(3, amount="x")])
    told = market.run(verb="check").stdout.splitlines()[-1]
    assert (
        told
        == "orders.csv: 4 rows, 1 rejected, 1 repeated; 3 rows, 305.75 THB that break no"
        " rule, of which may be sent: 2 orders, 203.50 THB"
    )
    market.run("--limit", "1")
    told = market.run(verb="check").stdout.splitlines()[-1]
    assert told.endswith("of which may be sent: 1 order, 102.25 THB"), told
    (file,) = json.loads(market.run("--json", verb="check").stdout)["files"]
    assert (file["valid"]["THB"]["count"], file["may_be_sent"]["THB"]["sum"]) == (
        3,
        "102.25",
    )


@contextmanager
def another_server(
    status: int, body: bytes, **headers: str
) -> Iterator[tuple[str, list[str]]]:
    """A web server that is no gateway: its address, and what it was asked."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path.partition('?')[0]}")
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.fault("B21", "B26", "B29")
@tries("gateway-url")
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, b"<h1>Not found</h1>", 78),
        (405, b"", 78),
        (200, b"<html>It works!</html>", 69),
        (200, b'{"status": "ok"}', 69),
        (200, b"[]", 69),
        (302, b"", 69),
    ],
)
def test_a_web_server_that_is_no_gateway_is_told_before_anything_is_sent(
    three: Market, status: int, body: bytes, code: int
) -> None:
    """No order is in doubt: the address is wrong, or something stands before the gateway; with the
    right one all go.
    """
    with another_server(status, body, Location="http://127.0.0.1:9/") as (url, asked):
        three.job(url=url)
        done = three.run()
        assert done.returncode == code, done
        assert (
            "is not the gateway" in done.stderr
            and str(steps.GATEWAY_URL()) in done.stderr
        ), done.stderr
        assert {found["outcome"] for found in three.results()} == {"held"}
        assert "is not the gateway" in row(three, "00001")["reason"]
        assert "is not the gateway" in three.run(verb="doctor").stdout
        assert not [one for one in asked if one.startswith("POST")]
    three.job()
    over(three, 0)


@pytest.mark.fault("J22")
def test_the_journal_alone_tells_without_the_files_that_only_new_rows_need(
    three: Market,
) -> None:
    """A lookup file and a schema that are gone keep nobody from what was charged; `run` still says
    what it lacks.
    """
    shops = three.folder / "shops.csv"
    shops.write_text(
        "shop,rid\n"
        + "".join(f"recp_test_sandbox{n},recp_test_sandbox{n}\n" for n in range(1, 4))
    )
    edit(
        three,
        '"recipient"',
        '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "rid" }',
    )
    assert three.run("--limit", "2").returncode == 11
    shops.unlink()
    assert three.run(verb="status").returncode == 11
    assert three.run("00001", verb="status").returncode == 0
    assert three.run("00003", verb="status").returncode == 11  # it is held
    for verb in ("report", "settle"):
        assert three.run(verb=verb).returncode == 11, verb
    assert three.run(verb="verify").returncode == 0
    assert (
        three.run("00003", "--cancel", "--reason", "x", verb="resolve").returncode == 0
    )
    for verb in ("run", "plan", "check"):
        done = three.run(verb=verb)
        assert done.returncode == 78 and "shops.csv" in done.stderr, verb


@pytest.mark.fault("D10", "J06")
def test_a_doctor_sees_a_lost_journal_and_a_renamed_job_and_counts_its_warnings(
    three: Market,
) -> None:
    """What a run would end with, or what only a person can tell; and "nothing to do" only where
    that is so.
    """
    *found, last = three.run(verb="doctor").stdout.splitlines()
    # of this machine's surroundings, if any
    warnings = sum(line.startswith("warning ") for line in found)
    assert warnings or last == f"exit 0: {exits.NEXT_STEP[0]}"
    assert three.run("--limit", "1").returncode == 11
    edit(three, 'name = "night"', 'name = "nightly"')
    edit(three, "[gateway]", '[state]\nurl = "sqlite:///other/batchpay.db"\n[gateway]')
    done = three.run(verb="doctor")
    assert done.returncode == 0 and str(steps.OLD_NAME(job="night")) in done.stdout, (
        done.stdout
    )
    assert (
        f"{many(warnings + 1, 'warning')} above to see to"
        in done.stdout.splitlines()[-1]
    )
    three.job()
    assert str(steps.OLD_NAME(job="night")) not in three.run(verb="doctor").stdout
    shutil.rmtree(three.folder / "state")
    done = three.run(verb="doctor")
    assert (
        done.returncode == 78
        and "the journal is empty and was not always" in done.stdout
    ), done.stdout
    assert str(steps.ADOPT()) in done.stdout


@pytest.mark.fault("D10", "J03")
@pytest.mark.parametrize("verb", ["report", "status", "verify", "plan"])
def test_a_lost_journal_takes_the_place_of_no_report(three: Market, verb: str) -> None:
    """Whoever asks it is told that it was lost, and what there was of reports stays."""
    three.job(more='[report]\nformats = ["csv", "json", "html"]\n')
    assert three.run().returncode == 0
    index = three.folder / "reports" / "index.html"
    before = index.read_bytes()
    shutil.rmtree(three.folder / "state")
    for _ in range(2):
        done = three.run(verb=verb)
        assert done.returncode == 78, done
        assert "--adopt" in done.stderr, done.stderr
    assert index.read_bytes() == before
    assert three.run("--adopt").returncode == 0
    assert three.run(verb=verb).returncode == 0


@pytest.mark.fault("J22")
@pytest.mark.parametrize("file", ["", "key.txt"])
def test_a_key_is_asked_for_where_it_was_given(three: Market, file: str) -> None:
    """Whether in the environment or in a file: the sentence names what there is."""
    path = three.folder / "key.txt"
    given = (
        {"OMISE_SECRET_KEY": "", "OMISE_SECRET_KEY_FILE": str(path)}
        if file
        else {"OMISE_SECRET_KEY": "x"}
    )
    path.write_text("pkey_test_1\n")
    done = three.run(**given)
    assert done.returncode == 78
    assert (
        "OMISE_SECRET_KEY_FILE names" if file else "OMISE_SECRET_KEY holds"
    ) in done.stderr, done.stderr
    path.write_text(f"{KEY}\n")
    three.sandbox.add_rule(
        method="GET", path="/charges", status=401, code="authentication_failure"
    )
    done = three.run(**(given if file else {}))
    assert done.returncode == 77
    assert steps.KEY_SOURCES in done.stderr and steps.KEY_SOURCES in done.stdout


@pytest.mark.fault("D02", "D04")
def test_a_report_folder_that_takes_no_file_is_told_with_what_to_do(
    tmp_path: Path,
) -> None:
    """Its place, what the system says, whom to give which right, and how the reports are written
    then.
    """
    for number, wanted in (
        (errno.EACCES, "give this user the right to write in "),
        (errno.ENOSPC, "make room there"),
    ):
        directory = Directory(tmp_path / "reports" / "one")

        def fails(*_: Any, number: int = number) -> int:
            raise OSError(number, os.strerror(number))

        with pytest.MonkeyPatch.context() as patch, pytest.raises(CannotWrite) as told:
            patch.setattr("batchpay.reports.files.os.open", fails)
            with directory.file("report.json"):
                """It never opens."""
        said = str(told.value)
        assert (
            str(directory.path / "report.json") in said
            and os.strerror(number) in said
            and wanted in said
        )
        assert "batchpay report JOB" in said


@pytest.mark.fault("E08", "J13")
def test_rows_of_one_order_are_one_matter_in_their_own_report(three: Market) -> None:
    """Two that contradict each other are one thing to see to; each of them says so in its row."""
    three.orders([order(1), order(1, amount="7.00"), order(2)])
    assert "the accountant: 1 order " in three.run().stdout
    (report,) = three.reports()
    assert report["who_acts"] == {"accountant": 1}
    assert [one["who_acts"] for one in three.results()].count("accountant") == 2


# --- files and nights as a whole


def same_sales(market: Market) -> None:
    """A second file under other ids for the same payers, recipients and amounts, sent where nobody
    has answered.
    """
    edit(market, 'card        = "card"', 'customer    = "card"')
    market.orders([order(n, card=f"cust_test_sandbox{n}") for n in (1, 2)])
    assert market.run().returncode == 0
    market.orders(
        [order(n, order_id=f"B{n}", card=f"cust_test_sandbox{n}") for n in (1, 2)]
    )


@pytest.mark.fault("E04")
@tries("new-orders", "exit-65")
@pytest.mark.parametrize("new", [True, False])
def test_a_file_that_repeats_a_recent_one_is_told_to_be_new_or_taken_away(
    three: Market, *, new: bool
) -> None:
    """Either answer ends it."""
    same_sales(three)
    done = three.run()
    assert done.returncode == 65 and exits.NEXT_STEP[65] in done.stdout
    if new:
        assert "run again with --yes" in done.stderr
        over(three, 0, "--yes")
    else:
        three.orders([order(9, card="cust_test_sandbox9")])
        follow(three, done.stderr)
        over(three, 0)
    assert three.money()["B1"] == new
    assert three.run().returncode == 0


@pytest.mark.fault("E04")
def test_the_question_is_asked_only_where_something_would_be_sent(
    three: Market,
) -> None:
    """Of a batch whose rows are all cancelled, or no order at all, nothing is left to ask; plan and
    run alike.
    """
    same_sales(three)
    done = three.run()
    assert done.returncode == 65
    follow(three, done.stderr)
    assert three.run(verb="plan").returncode == 10
    assert three.run().returncode == 10
    # look-alikes of the first
    three.orders(
        [order(n, order_id=str(n), card=f"cust_test_sandbox{n}") for n in (1, 2)]
    )
    assert three.run(verb="plan").returncode == 10
    assert three.run().returncode == 10
    assert len(three.money()) == 2


@pytest.mark.fault("J13", "E11")
@tries("new-sale")
@pytest.mark.parametrize("new", [True, False])
def test_an_order_that_an_edited_column_may_hide_is_told_to_be_new_or_left_out(
    market: Market, *, new: bool
) -> None:
    """A charge of the same terms stands under an id of the column of before."""
    market.job()
    edit(market, 'card        = "card"', 'customer    = "card"')
    market.orders([order(1, card="cust_test_sandbox1")])
    assert market.run().returncode == 0
    edit(market, 'order_id    = "order_id"', 'order_id    = "invoice"')
    same, other = (
        order(1, card="cust_test_sandbox1", invoice="B-1"),
        order(2, card="cust_test_sandbox2", invoice="B-2"),
    )
    market.orders([same, other])
    assert market.run().returncode == 11
    reason = row(market, "B-1")["reason"]
    (batch,) = {
        one["batch_id"] for one in market.results() if one["order_id"] == "00001"
    }
    step = steps.addressed(str(steps.NEW_SALE(batch=batch, order="B-1")), "job.toml")
    assert step in reason and row(market, "B-1")["who_acts"] == "accountant"
    if new:
        assert "--yes" in reason
        over(market, 0, "--yes")
        over(market, 0)
    else:
        follow(market, reason)
        over(market, 10)
    assert market.money()["B-1"] == new


@pytest.mark.fault("J06", "E13")
@tries("old-name", "exit-78")
def test_a_renamed_job_gets_its_old_name_again(three: Market) -> None:
    """As the sentence has it."""
    assert three.run().returncode == 0
    edit(three, 'name = "night"', 'name = "renamed"')
    done = three.run()
    assert done.returncode == 78 and exits.NEXT_STEP[78] in done.stdout
    (line,) = set(re.findall(r'name = "\w+"', done.stderr))
    edit(three, 'name = "renamed"', line)
    over(three, 0)
    assert three.posts() == 3


@pytest.mark.fault("J06", "H05")
@tries("charged-elsewhere")
def test_an_order_that_another_job_charged_is_cancelled_here(market: Market) -> None:
    """And the rest of this job's orders goes on."""
    market.job()
    market.orders([order(1)])
    assert market.run().returncode == 0
    edit(market, 'name = "night"', 'name = "other"')
    market.orders([order(1), order(2)])
    done = market.run()
    assert done.returncode == 78 and market.posts() == 1
    told = next(row["reason"] for row in market.results() if row["outcome"] == "held")
    assert "cancelled" in follow(market, told)
    done = market.run()
    assert done.returncode in (0, 10), done.stdout
    assert market.money() == {"00001": 1, "00002": 1}


@pytest.mark.fault("J03")
@tries("other-key", "say-mode", "other-url")
@pytest.mark.parametrize("what", ["key", "mode", "url"])
@pytest.mark.parametrize("state", [True, False])
def test_another_account_mode_or_address_is_named_or_gets_its_own_state(
    three: Market, what: str, *, state: bool
) -> None:
    """Both ways that the sentence offers lead on."""
    assert three.run().returncode == 0
    environ: dict[str, str] = {}
    if what == "key":
        environ = {"OMISE_SECRET_KEY": "skey_test_another0account"}
    elif what == "mode":
        edit(three, "[gateway]", '[gateway]\nmode = "live"')
        edit(three, 'doubt_period = "0.6s"', 'doubt_period = "90s"')
        environ = {"OMISE_SECRET_KEY": "skey_0123456789abcdef01"}
    else:
        edit(three, "http://127.0.0.1:", "http://localhost:")
    done = three.run(**environ)
    assert done.returncode == 78
    told = {
        "key": str(steps.OTHER_KEY()),
        "mode": str(steps.OTHER_MODE(mode="test")),
        "url": str(steps.OTHER_URL()),
    }
    assert told[what] in done.stderr
    if state:
        assert "another name, [state] url and [report] directory" in done.stderr
        edit(three, 'name = "night"', 'name = "another"')
        own = '[state]\nurl = "sqlite:///state/other.db"\n[report]\ndirectory = "others"\n[gateway]'
        edit(three, "[gateway]", own)
        done = three.run(**environ)
        # tokens that are spent; no live key here; the same gateway under another address: the job
        # was renamed (J06)
        assert done.returncode == {"key": 10, "mode": 77, "url": 78}[what], done.stderr
        assert "belongs to" not in done.stderr
        return
    if what == "mode":
        (line,) = re.findall(r'mode = "\w+"', done.stderr)
        edit(three, 'mode = "live"', line)
    elif what == "url":
        edit(three, "http://localhost:", "http://127.0.0.1:")
    over(three, 0)


@pytest.mark.fault("J03")
@tries("say-account")
def test_an_account_whose_charges_are_gone_is_said_to_be_the_journal_s(
    market: Market,
) -> None:
    """Nobody told it when they were made, and the gateway has forgotten them since: the printed
    word leads on.
    """
    market.job()
    market.orders([order(1)])
    market.sandbox.add_rule(method="GET", path="/account", status=404, commit="never")
    assert market.run().returncode == 0
    market.sandbox.clear_rules()
    for ledger in market.sandbox.store.ledgers.values():
        ledger.shelves["charge"].clear()
    refused = market.run()
    assert refused.returncode == 78
    found = re.search(r"resolve job\.toml --account (\S+)", refused.stderr)
    assert found is not None, refused.stderr
    assert (
        str(steps.SAY_ACCOUNT(account=found[1])).partition("JOB")[0] in refused.stderr
    )
    said = market.run("--account", found[1], "--reason", "wiped", verb="resolve")
    assert said.returncode == 0, said.stderr
    # what is gone is told of its order now, as in any account that is known
    assert "belongs to account" not in market.run().stderr


@tries("key", "exit-77")
@pytest.mark.fault("B20")
def test_a_key_that_is_refused_is_checked(three: Market) -> None:
    """Nothing that was sent is forgotten."""
    three.sandbox.accept_keys(KEY)
    done = three.run(OMISE_SECRET_KEY="skey_test_wrong0123456789")
    assert done.returncode == 77, done
    assert str(steps.KEY()) in done.stderr and exits.NEXT_STEP[77] in done.stdout
    over(three, 0)


@tries("clock")
@pytest.mark.fault("C04")
def test_a_clock_that_is_wrong_is_set(three: Market) -> None:
    """Here it is the gateway's that is mended."""
    three.sandbox.add_rule(action="clock_skew")
    done = three.run()
    assert done.returncode == 78 and str(steps.CLOCK()) in done.stderr
    three.sandbox.clear_rules()
    over(three, 0)


@tries("gateway-url", "exit-78")
@pytest.mark.fault("B21")
def test_an_address_that_takes_no_charges_is_checked(three: Market) -> None:
    """Three answers that are no gateway's."""
    three.sandbox.add_rule(commit="never", status=405, body="no")
    three.orders([order(number) for number in range(1, 6)])
    done = three.run()
    assert done.returncode == 78 and str(steps.GATEWAY_URL()) in done.stderr, done
    three.sandbox.clear_rules()
    over(three, 0)


@tries("exit-69")
@pytest.mark.fault("B02")
def test_a_gateway_that_is_silent_is_looked_for(three: Market) -> None:
    """The network, or [gateway] url."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    right = three.sandbox.url
    three.job(url=f"http://127.0.0.1:{port}")
    done = three.run()
    assert done.returncode == 69 and exits.NEXT_STEP[69] in done.stdout
    three.job(url=right)
    over(three, 0)


@tries("exit-64")
def test_usage_is_looked_up(three: Market) -> None:
    """With --help, which goes well."""
    done = three.run("--limits", "1")
    assert done.returncode == 64
    (words,) = re.findall(r"\(see (batchpay run --help)\)", done.stderr)
    assert program(three, *words.split()[1:]).returncode == 0
    over(three, 0)


@tries("exit-65")
def test_a_file_that_is_refused_is_corrected(three: Market) -> None:
    """And run again: nothing of it was sent, and no row of the first one waits."""
    three.job(input='on_reject = "stop"')
    three.orders([order(1), order(2, amount="x")])
    done = three.run()
    assert done.returncode == 65 and exits.NEXT_STEP[65] in done.stdout
    three.orders([order(1), order(2)])
    over(three, 0)


@tries("exit-66")
def test_an_input_that_is_missing_is_put_in_place(three: Market) -> None:
    """Where [input] file says."""
    (three.folder / "orders.csv").rename(three.folder / "elsewhere.csv")
    done = three.run()
    assert done.returncode == 66 and "orders.csv" in done.stderr
    (three.folder / "elsewhere.csv").rename(three.folder / "orders.csv")
    over(three, 0)


@tries("exit-73")
@pytest.mark.fault("D04")
def test_what_cannot_be_written_is_made_room_for(three: Market) -> None:
    """Something else has the name of the folder of reports."""
    (three.folder / "reports").write_text("mine")
    done = three.run()
    assert done.returncode == 73 and "reports" in done.stderr, done
    (three.folder / "reports").unlink()
    over(three, 0)
    assert three.posts() == 3


@tries("exit-74")
@pytest.mark.fault("D09")
def test_a_damaged_journal_is_put_back_from_its_last_good_copy(three: Market) -> None:
    """Charges made since are found at the gateway and adopted: it waits, and nothing is charged
    again.
    """
    assert three.run("--limit", "1").returncode == 11
    shutil.copytree(three.folder / "state", three.folder / "good")
    assert three.run().returncode == 0
    (three.folder / "state" / "batchpay.db").write_bytes(b"not a journal" * 500)
    for beside in ("-wal", "-shm"):
        (three.folder / "state" / f"batchpay.db{beside}").unlink(missing_ok=True)
    done = three.run()
    assert done.returncode == 74 and "restore the last good copy" in done.stderr, done
    shutil.rmtree(three.folder / "state")
    (three.folder / "good").rename(three.folder / "state")
    over(three, 0)
    assert three.posts() == 3


@tries("exit-75")
@pytest.mark.fault("E01")
def test_a_job_that_is_locked_is_waited_for(three: Market) -> None:
    """It names the holder; with --wait it goes on by itself, and later it simply goes."""
    three.sandbox.add_rule(action="delay_after", wait_after_s=1.5)
    with three.start("run", "job.toml") as first:
        while not three.posts():
            time.sleep(0.01)
        done = three.run()
        assert (
            done.returncode == 75
            and f"pid {first.pid}" in done.stderr
            and "--wait" in done.stderr
        )
        assert three.run("--wait").returncode == 0
    last = json.loads(three.run("--json", verb="status").stdout)["last_run"]
    # it began to wait then
    assert last["run"].startswith(last["started"].replace(":", "")), last
    three.sandbox.clear_rules()
    over(three, 0)
    assert three.posts() == 3


# --- everybody who must act is named


@pytest.mark.fault("J13")
def test_every_party_is_named_with_its_rows_wherever_an_exit_code_stands(
    market: Market,
) -> None:
    """`run`, `status`, `plan`, report.json: the same parties, counted from the rows, whatever is
    worst.
    """
    market.job(more='[controls]\nnear_duplicates = "hold"\n')
    market.orders(
        [
            order(1, card="tokn_test_sandbox000010011"),
            order(2, amount="x"),
            order(3, recipient="recp_test_sandboxunknown"),
            order(4),
            order(5, card="tokn_test_sandbox3ds00005"),
            order(6),
            order(7),
            order(6),
        ]
    )
    market.sandbox.add_rule(order_id="00004", drop=["destination"])
    market.sandbox.add_rule(action="reset_before", order_id="00007")
    done = market.run("--grace", "0")
    assert done.returncode == 12
    wanted: dict[str, int] = {}
    for found in market.results():
        if found["who_acts"] != "-":
            wanted[found["who_acts"]] = wanted.get(found["who_acts"], 0) + 1
    assert {"a person", "engineer", "accountant", "payer"} <= set(
        wanted
    ) or "a person" in wanted
    (report,) = market.reports()
    assert report["who_acts"] == wanted
    told = json.loads(market.run("--json", verb="status").stdout)
    assert told["who_acts"] == wanted
    last = done.stdout.splitlines()[-1]
    for party, rows in wanted.items():
        assert f"{party}: {rows} order" in last, (party, last)
    planned = json.loads(market.run("--json", verb="plan").stdout)
    assert planned["exit_code"] == 12 and planned["who_acts"] == wanted
    said = market.run(verb="plan").stdout
    assert commands_in(said) and planned["next_step"] in said


@pytest.mark.fault("J32")
def test_a_charge_that_no_file_asked_for_names_its_party_too(three: Market) -> None:
    """Adopted and pending: 11, and who must act is told."""
    three.orders([order(1, card="tokn_test_sandbox3ds00001")])
    assert three.run().returncode == 11
    shutil.rmtree(three.folder / "state")
    three.orders([order(2)])
    done = three.run("--adopt")
    assert done.returncode == 11 and "the payer: 1 order" in done.stdout, done.stdout
    assert "the payer: 1 order" in three.run(verb="status").stdout


# --- of several files


@pytest.mark.fault("J14", "E03")
@pytest.mark.parametrize("again", ["declined", "charged"])
@pytest.mark.parametrize("first_is_there", [True, False])
def test_of_several_files_that_ask_again_one_goes(
    market: Market, again: str, *, first_is_there: bool
) -> None:
    """Rows with batchpay_retry = yes of one order: exactly one is the next attempt and the others
    are its duplicates, in this run, in its reports and for ever; the plan says so before and after.
    """
    market.job(file="in-*.csv")
    edit(market, 'card        = "card"', 'customer    = "card"')
    rows = [order(1, card="cust_test_sandbox1"), order(2, card="cust_test_sandbox2")]
    market.orders(rows, "in-0.csv")
    market.sandbox.add_rule(
        becomes="failed", order_id="00001", times=2 if again == "declined" else 1
    )
    assert market.run().returncode == 10
    back = rejects(market, batchpay_retry="yes")
    for number in (1, 2, 3):
        text = (market.folder / back).read_text("utf-8")
        (market.folder / f"in-{number}.csv").write_text(
            text + "\r\n" * (number - 1), "utf-8"
        )
    if not first_is_there:
        (market.folder / "in-0.csv").unlink()
    planned = json.loads(market.run("--json", verb="plan").stdout)
    assert planned["to_send"]["THB"]["count"] == 1
    code = 10 if again == "declined" else 0
    for _ in range(3):
        assert market.run().returncode == code
        told = {
            one["file"]: one["outcome"]
            for one in market.results()
            if one["order_id"] == "00001"
        }
        assert (
            sorted(told.values()).count("duplicate") == 2
            and "held" not in told.values()
        ), told
        planned = json.loads(market.run("--json", verb="plan").stdout)
        assert planned["to_send"] == {} and planned["exit_code"] == code
    posts = market.sandbox.requests("POST", "/charges")
    assert sum(post.order_id == "00001" for post in posts) == 2
    assert market.money()["00001"] == (again == "charged")


# --- what people really sent

NOBODY = 65534


def as_nobody(market: Market, verb: str) -> tuple[int, str]:
    """What another user of this machine is told, and with which code."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        said = "99\t"
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            done = market.run(verb=verb)
            said = f"{done.returncode}\t{done.stdout}{done.stderr}"
        except BaseException as error:
            said += repr(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        code, _, told = answer.read().partition("\t")
    return int(code), told


@pytest.mark.fault("J22")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    "verb", ["plan", "status", "doctor", "verify", "report", "run"]
)
def test_another_user_is_told_whose_the_journal_is(verb: str) -> None:
    """A private journal in a folder that everybody may enter: 78, whose it is, and the step leads
    on.
    """
    with tempfile.TemporaryDirectory() as name, SandboxServer() as sandbox:
        market = Told(Path(name), sandbox)
        market.folder.chmod(0o755)
        market.job()
        market.orders([order(1), order(2)])
        assert market.run().returncode == 0
        (market.folder / "state").chmod(0o755)
        # which has read all modules that the other user may not
        assert market.run(verb=verb).returncode == 0
        code, said = as_nobody(market, verb)
        assert code == 78, said
        assert (
            "belongs to user root" in said
            and "run batchpay as root" in said
            and "bug" not in said
        )
        assert market.run(verb=verb).returncode == 0
        over(market, 0)


@pytest.mark.fault("X17", "J08")
@pytest.mark.parametrize("older", [True, False])
def test_the_rejects_of_a_workbook_whose_header_is_lower_are_read_by_its_job(
    market: Market, *, older: bool
) -> None:
    """`header_row = 3`: the header of what we wrote is in row 1, and the same job takes it; of an
    earlier version too, which told neither batch nor id.
    """
    book = openpyxl.Workbook()
    declined = order(1, card="tokn_test_sandbox000010011")
    for cells in [
        ["Orders of the night"],
        [],
        list(HEADER),
        *(list(one.values()) for one in (declined, order(2))),
    ]:
        book.active.append(cells)
    book.save(market.folder / "orders.xlsx")
    market.job(file="orders.xlsx", input="header_row = 3")
    assert market.run().returncode == 10
    name = rejects(market, card="tokn_test_sandboxnew4242")
    if older:
        told = (
            "batchpay_row",
            "batchpay_outcome",
            "batchpay_reason",
            "batchpay_retry",
            "batchpay_defused",
        )
        with (market.folder / name).open(encoding="utf-8", newline="") as file:
            (cells_of,) = csv.DictReader(file)
        write_csv(
            market.folder / name,
            [{n: c for n, c in cells_of.items() if n in HEADER or n in told}],
        )
    over(market, 0, "--input", name)
    over(market, 0)


@tries("accept")
@pytest.mark.fault("J32", "D10", "J27")
@pytest.mark.parametrize("where", ["status", "adopted.json"])
def test_an_unproven_charge_that_no_row_shows_is_settled_as_printed(
    market: Market, where: str
) -> None:
    """Its journal was lost, and its file does not come again."""
    market.job()
    market.orders([order(1), order(2)])
    for method in ("POST", "GET"):
        market.sandbox.add_rule(
            method=method, path="/charges*", order_id="00001", drop=["destination"]
        )
    assert market.run().returncode == 12
    shutil.rmtree(market.folder / "state")
    shutil.rmtree(market.folder / "reports")
    market.orders([order(9)])
    assert market.run("--adopt").returncode == 12
    program(market, "resolve", "job.toml", "--lift-stop", "--reason", WHY)
    said = market.run(verb="status").stdout
    kept = json.loads((market.folder / "reports/adopted/adopted.json").read_text())
    (mine,) = (one for one in kept["charges"] if one["order"] == "00001")
    assert mine["open"] and mine["outcome"] == "unproven"
    if where == "adopted.json":
        said = mine["reason"]
    follow(market, said)
    assert market.run().returncode == 10
    now = market.run(verb="status")
    assert now.returncode == 10 and "accepted by" in now.stdout
    assert not commands_in(now.stdout)


@pytest.mark.fault("D09", "J24", "J02", "L9")
@tries("catch-up")
@pytest.mark.parametrize(
    "words",
    [
        ("resolve", "job.toml", "00002", "--cancel", "--reason", WHY),
        ("resolve", "job.toml", "BATCH", "--cancel", "--reason", WHY),
        ("report", "job.toml"),
        ("archive", "job.toml", "--before", "TODAY"),
    ],
)
def test_nothing_is_said_or_written_of_an_older_copy_before_a_run_has_dealt_with_it(
    three: Market, words: tuple[str, ...]
) -> None:
    """The order was charged, and the good reports say so: a word that it is never sent would be
    untrue, and a report of the copy would take their place.
    """
    assert three.run("--limit", "1").returncode == 11
    database = three.folder / "state" / "batchpay.db"
    shutil.copy(database, three.folder / "copy")
    assert three.run().returncode == 0
    paid = three.money()
    shutil.copy(three.folder / "copy", database)
    good = _files_in(three.folder / "reports")
    today = datetime.now(UTC).date().isoformat()
    (batch,) = {one["batch_id"] for one in three.results()}
    said = [{"BATCH": batch, "TODAY": today}.get(word, word) for word in words]
    for _ in range(2):
        refused = program(three, *said)
        assert refused.returncode == 78, refused
        assert "an older copy than others know" in refused.stderr
        assert _files_in(three.folder / "reports") == good
        verified = program(three, "verify", "job.toml")
        assert verified.returncode == 12, verified
        assert "batchpay run job.toml asks" in verified.stdout.splitlines()[-1]
    assert three.run().returncode == 0
    assert program(three, "verify", "job.toml").returncode == 0
    again = program(three, *said)
    assert again.returncode == (64 if words[0] == "resolve" else 0), again
    assert three.money() == paid and set(paid.values()) == {1}


@pytest.mark.fault("D09", "J24")
def test_a_stop_is_lifted_beside_an_older_copy_and_the_good_reports_stay(
    three: Market,
) -> None:
    """A lift says that somebody looked; what the copy lacks, nobody knows yet."""
    three.sandbox.add_rule(order_id="00001", drop=["destination"])
    three.sandbox.add_rule(
        method="GET", path="/charges*", order_id="00001", drop=["destination"]
    )
    assert three.run("--limit", "1").returncode == 12
    database = three.folder / "state" / "batchpay.db"
    shutil.copy(database, three.folder / "copy")
    lift(three)
    assert three.run().returncode == 12
    shutil.copy(three.folder / "copy", database)
    good = _files_in(three.folder / "reports")
    lift(three)
    assert _files_in(three.folder / "reports") == good
    assert three.run().returncode == 12
    assert all(number == 1 for number in three.money().values())


def _files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.fault("D09", "L10", "I19")
def test_a_charge_against_a_persons_word_is_a_stop_and_says_whose_word_it_was(
    three: Market,
) -> None:
    """An older copy is back of which nothing tells, an order is cancelled that was charged since,
    and the gateway's list shows its charge.
    """
    assert three.run("--limit", "1").returncode == 11
    state = three.folder / "state"
    shutil.copy(state / "batchpay.db", three.folder / "copy")
    assert three.run().returncode == 0
    charge_id = row(three, "00002")["charge_id"]
    shutil.rmtree(state)
    shutil.rmtree(three.folder / "reports")
    state.mkdir()
    shutil.copy(three.folder / "copy", state / "batchpay.db")
    cancel = ("resolve", "job.toml", "00002", "--cancel", "--reason", "wrong shop")
    assert program(three, *cancel).returncode == 0
    stopped = three.run()
    assert stopped.returncode == 12, stopped
    said = stopped.stdout + stopped.stderr
    assert charge_id in said and "never to be sent" in said and "wrong shop" in said
    shown = program(three, "status", "job.toml", "00002")
    assert shown.returncode == 12, shown
    lift(three)
    assert three.run().returncode == 0
    mine = row(three, "00002")
    assert (mine["outcome"], mine["charge_id"]) == ("succeeded", charge_id)
    assert "wrong shop" in mine["reason"] and "give the money back" in mine["reason"]
    assert program(three, "status", "job.toml", "00002").returncode == 0
    assert all(number == 1 for number in three.money().values())


@pytest.mark.fault("B34", "L10", "I19", "J04")
def test_what_becomes_of_a_cancelled_order_says_that_it_was_cancelled(
    market: Market,
) -> None:
    """Declined and cancelled, it asks nobody to pay; paid after all, it is a stop, and its row says
    so when that is over.
    """
    market.job()
    market.orders([order(1, card="tokn_test_sandbox000010011"), order(2)])
    assert market.run().returncode == 10
    cancel = ("resolve", "job.toml", "00001", "--cancel", "--reason", "wrong shop")
    assert program(market, *cancel).returncode == 0
    declined = row(market, "00001")
    assert declined["outcome"] == "declined" and "wrong shop" in declined["reason"]
    assert "batchpay_retry" not in declined["reason"] and declined["who_acts"] == "-"
    market.sandbox.turn(order_id="00001", becomes="successful")
    assert market.run().returncode == 12
    lift(market)
    assert market.run().returncode == 0
    paid = row(market, "00001")
    assert paid["outcome"] == "succeeded"
    assert "wrong shop" in paid["reason"] and "give the money back" in paid["reason"]


@pytest.mark.fault("L5", "I19")
def test_a_cancelled_order_that_was_proven_absent_asks_nobody_to_send_it_again(
    market: Market,
) -> None:
    """What leads to another attempt would be refused."""
    market.job(doubt="300ms", file="a.csv")
    market.orders([order(1), order(2)], "a.csv")
    market.sandbox.add_rule(action="reset_before", order_id="00002")
    assert market.run("--grace", "0", "--limit", "2").returncode == 11
    (market.folder / "a.csv").unlink()
    market.orders([order(3)], "b.csv")
    market.run("--input", "b.csv")
    assert row(market, "00002")["outcome"] == "held"
    cancel = ("resolve", "job.toml", "00002", "--cancel", "--reason", "wrong shop")
    assert program(market, *cancel).returncode == 0
    mine = row(market, "00002")
    assert mine["who_acts"] == "-" and "wrong shop" in mine["reason"]
    assert (
        "batchpay_retry" not in mine["reason"]
        and "an order id that was never used" in mine["reason"]
    )


@tries("cancel-order")
@pytest.mark.fault("H05", "E05")
def test_a_held_order_that_was_never_sent_is_ended_as_its_refusal_says(
    three: Market,
) -> None:
    """Nobody is told that there is no such order: results.csv has it."""
    assert three.run("--limit", "1").returncode == 11
    asked = ("resolve", "job.toml", "00002", "--as", "not-charged", "--reason", WHY)
    refused = program(three, *asked)
    assert refused.returncode == 64 and "is held" in refused.stderr, refused
    follow(three, refused.stderr)
    assert three.run().returncode == 10
    assert three.money() == {"00001": 1, "00003": 1}
