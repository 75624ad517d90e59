"""The demo as a stranger runs it: a process of its own in an empty folder, without account, key or
network.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from batchpay.job.packaged import data_path
from batchpay.sandbox import SandboxServer
from tests import ready
from tests.world import on_terminal

BARE = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "140"}


def demo(folder: Path, *flags: str) -> ready.Ended:
    """Run it to its end; 120 s is a bound against hanging, not a promise."""
    return ready.run(["demo", *flags], folder, BARE, timeout_s=120)


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, ready.Ended]:
    """One demo for all who read what it left."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder)


def results(folder: Path, file: str) -> dict[str, dict[str, str]]:
    """Order id -> its first row of the report of one input file."""
    for path in (folder / "demo" / "reports").glob("*/results.csv"):
        with path.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        if rows[0]["file"] == file:
            return {row["order_id"]: row for row in reversed(rows)}
    raise AssertionError(f"no report of {file}")


def test_it_ends_well_and_names_files_that_are_there(
    done: tuple[Path, ready.Ended],
) -> None:
    """0, nothing on stderr, every report file by name, and each sentence is one."""
    folder, result = done
    assert (result.returncode, result.stderr) == (0, "")
    named = [
        line.strip()
        for line in result.stdout.splitlines()
        if line.strip().startswith("/")
    ]
    assert [Path(name).name for name in named] == [
        "report.html",
        "report.xlsx",
        "results.csv",
        "report.json",
        "rejects.csv",
        "rejects.xlsx",
        "manifest.json",
    ]
    assert all(
        Path(name).is_file() and Path(name).is_relative_to(folder) for name in named
    )
    assert "0 of them twice" in result.stdout
    assert (
        result.stdout.count(
            "0 requests to charge left this machine, and that is the point"
        )
        == 2
    )
    assert "Under cron it would exit with 11" in result.stdout
    for who in ("engineer", "accountant", "payer"):
        assert f" the {who}: " in result.stdout.split("Under cron")[1], result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 160


@pytest.mark.fault("B07", "B19", "B33", "E04")
def test_every_promised_trouble_is_in_its_report(
    done: tuple[Path, ready.Ended],
) -> None:
    """Broken rows, an unverified recipient, declined cards, a QR payment, a 429, answers lost and
    looked up.
    """
    rows = results(done[0], "orders.csv")
    rejected = " ".join(
        row["reason"] for row in rows.values() if row["outcome"] == "rejected"
    )
    for rule in (
        "number-format",
        "too-many-decimals",
        "lookup-missing",
        "payment-group",
        "unknown-currency",
        "card-number",
    ):
        assert f"({rule})" in rejected
    assert {rows[n]["outcome"] for n in ("0000070", "0000071")} == {"held"}
    assert "not verified" in rows["0000070"]["reason"]
    codes = {
        row["failure_code"] for row in rows.values() if row["outcome"] == "declined"
    }
    assert codes == {
        "insufficient_fund",
        "stolen_or_lost_card",
        "payment_rejected",
        "failed_fraud_check",
    }
    assert rows["0000120"]["outcome"] == "pending" and rows["0000120"][
        "authorize_uri"
    ].startswith("https://")
    assert (
        rows["0000027"]["reason"] == "its answer was lost; a look-up found the charge"
    )
    assert (
        "look-ups found no charge; the same request was sent again, 2 in all"
        in rows["0000061"]["reason"]
    )
    assert {rows[n]["outcome"] for n in ("0000027", "0000061", "0000090")} == {
        "succeeded"
    }
    assert {rows[n]["outcome"] for n in ("0000013",)} == {"conflict"}
    told = done[1].stdout
    assert "Order 0000090 was turned away by the rate limit (429)" in told
    pages = (done[0] / "demo" / "reports").glob("*/report.html")
    stories = [page.read_text("utf-8") for page in pages]
    led_to = r'href="#order-\d+">0000090<'
    assert sum(len(re.findall(led_to, page)) for page in stories) == 1
    assert "Order 0000027" in told and "1 sent, 1 charge" in told


def test_the_other_files_send_nothing_and_name_the_owner(
    done: tuple[Path, ready.Ended],
) -> None:
    """Batch, row, outcome and charge of the owner, in the report of each file."""
    owners = results(done[0], "orders.csv")
    for file in ("orders.parquet", "orders.xlsx"):
        rows = results(done[0], file)
        for number in ("0000001", "0000120", "0000082"):
            owner = owners[number]
            assert rows[number]["outcome"] == "duplicate"
            stands = (
                f"batch {owner['batch_id']} row {owner['row']}, {owner['outcome']},"
                f" {owner['charge_id']}"
            )
            assert stands in rows[number]["reason"]


def test_what_its_reports_tell_to_type_works_once_its_gateway_is_started_again(
    done: tuple[Path, ready.Ended],
) -> None:
    """The printed command starts it on what it kept, the key is the one that is printed, and the
    audit that the page names finds the same charges on both sides.
    """
    folder, ended = done
    found = re.search(
        r"batchpay sandbox --port (\d+) --ledger (\S+)", ended.stdout.replace("'", "")
    )
    key = re.search(r"OMISE_SECRET_KEY=(\S+)", ended.stdout)
    assert found is not None and key is not None
    pages = (folder / "demo" / "reports").glob("*/report.html")
    told = "".join(page.read_text("utf-8") for page in pages)
    step = re.search(r"batchpay (audit job\.toml [^<]+)", told)
    assert step is not None
    ledger = folder / found[2]
    with SandboxServer(port=int(found[1]), ledger_path=ledger):
        audited = ready.run(
            shlex.split(step[1]),
            folder / "demo",
            {**ready.given(os.environ), "OMISE_SECRET_KEY": key[1].replace('"', "")},
            timeout_s=120,
        )
    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert "0 charges of the account beside this job's" in audited.stdout


def test_again_on_a_terminal_in_json(
    done: tuple[Path, ready.Ended],
) -> None:
    """A second demo replaces the first; the terminal shows a bar, what is done of how much and how
    it went.
    """
    folder, _ = done
    with (folder / "printed").open("w") as printed:
        words, out = ["demo", "--json"], printed.fileno()
        shown, code = on_terminal(words, folder, BARE, out=out)
    assert code == 0
    assert "bangkok-nightly: charging" in shown and "━" in shown
    assert " of 190: " in shown and " succeeded" in shown
    told: dict[str, Any] = json.loads((folder / "printed").read_text())
    assert [night["posts"] > 0 for night in told["nights"]] == [True, False, False]
    assert [night["exit_code"] for night in told["nights"]] == [11, 11, 11]
    assert all(
        Path(path).is_file() for night in told["nights"] for path in night["reports"]
    )


@pytest.mark.fault("F02")
def test_ctrl_c_ends_it_with_a_sentence(tmp_path: Path) -> None:
    """75 and no bug; a file of somebody's own in the folder outlives the next demo too."""
    with ready.Heard(["demo"], tmp_path, BARE) as process:
        ledger, end = tmp_path / "demo" / "sandbox-ledger.jsonl", time.monotonic() + 60
        while time.monotonic() < end and not (
            ledger.exists() and ledger.stat().st_size > 40_000
        ):
            time.sleep(0.02)
        (tmp_path / "demo" / "mine.txt").write_text("mine")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(60)
    assert process.returncode == 75, err
    assert err.count("\n") == 1 and "interrupted by SIGINT" in err
    from batchpay.commands.demo import _prepared

    _prepared(tmp_path / "demo")
    assert not ledger.exists() and not (tmp_path / "demo" / "state").exists()
    assert (tmp_path / "demo" / "mine.txt").read_text() == "mine"


def test_what_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    """64, and a folder with other things in it stays as it was."""
    (tmp_path / "mine.txt").write_text("mine")
    refused = demo(tmp_path, "--directory", ".")
    assert refused.returncode == 64 and "--directory" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_samples_hold_the_same_rows() -> None:
    """Text, Parquet and Excel: one set of orders, as text to the last zero; the script makes the
    CSV as it is.
    """
    import openpyxl
    import pyarrow.parquet as pq

    with data_path("samples/orders.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    columns = pq.read_table(data_path("samples/orders.parquet"))
    assert [
        columns.column_names,
        *map(list, zip(*columns.to_pydict().values(), strict=True)),
    ] == rows
    sheet = openpyxl.load_workbook(data_path("samples/orders.xlsx")).active
    assert sheet is not None
    assert [
        [cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)
    ] == rows
    made: dict[str, Any] = {
        "__name__": "made",
        "__file__": str(data_path("samples/make.py")),
    }
    exec(
        compile(data_path("samples/make.py").read_text("utf-8"), "make.py", "exec"),
        made,
    )
    assert [made["HEADER"], *made["orders"]()] == rows
