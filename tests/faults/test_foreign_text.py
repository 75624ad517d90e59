"""Text that somebody else wrote acts on nobody's terminal, makes no line of its own and no
formula.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path

import pytest

from batchpay.domain.text import FORMULA_STARTS, visible
from tests.adversary import Adversary, Fate, error
from tests.faults.stage import Stage
from tests.world import Market, order

FORGED = "batchpay: all is well"
HOSTILE = (
    "=1\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\u200b\u2028\ufeff"
    f"\r\n{FORGED}\n\t+1\x00\x7f"
)
SHORT = f"\x1b[2J\u202e\n{FORGED}"
VERBS = (
    "check",
    "plan",
    "status",
    "status",
    "report",
    "check",
    "settle",
    "verify",
    "run",
    "report",
)


def harmless(text: str) -> None:
    """Lines in which nothing is invisible, and none that somebody else began."""
    for line in text.split("\n"):
        assert visible(line) == line, line
        assert not line.startswith(FORGED), text


def all_said(market: Market, *verbs: str) -> str:
    """Everything the program prints about a night, for people and for programs."""
    said = ""
    for at, verb in enumerate(verbs or VERBS):
        done = market.run(*(["--json"] if at % 2 else []), verb=verb)
        assert done.returncode in (0, 10, 11, 12, 65, 78), done.stderr
        assert "Traceback" not in done.stderr
        if at % 2 and done.stdout:
            json.loads(done.stdout)
        said += done.stdout + done.stderr
    harmless(said)
    return said


def harmless_cells(path: Path) -> None:
    """A CSV file without formulas, line breaks and invisible characters in its cells; header cells
    too.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            for cell in row:
                assert visible(cell) == cell, cell
                assert not cell.startswith(FORMULA_STARTS) or cell == "-", cell


@pytest.mark.fault("J20", "X05")
def test_what_the_gateway_writes_is_shown_and_nothing_more(
    night: Stage, gateway: Adversary
) -> None:
    """Codes, messages, ids and addresses with escape sequences, line ends and formulas in them."""
    night.job(more='[report]\nformats = ["csv", "json", "parquet", "xlsx", "html"]')
    night.orders([order(number) for number in range(1, 9)])
    gateway.on("00001", error(400, "invalid_card", HOSTILE))
    gateway.on("00002", error(400, HOSTILE, "no"))
    gateway.on(
        "00003",
        Fate(
            becomes={
                "status": "failed",
                "failure_code": HOSTILE,
                "failure_message": HOSTILE,
            }
        ),
    )
    gateway.on(
        "00004",
        Fate(becomes={"status": "pending", "paid": False, "authorize_uri": HOSTILE}),
    )
    gateway.on("00005", error(500, HOSTILE, HOSTILE))
    gateway.on("00006", Fate(status=502, body=HOSTILE.encode()))
    gateway.on("00007", Fate(change={"chain": HOSTILE, "transfer": HOSTILE}))
    night.run("--summary")
    night.run("--summary")
    said = all_said(night)
    assert "\\x1b" in said or "\\x1b" in (night.folder / "reports").rglob(
        "results.csv"
    ).__next__().read_text("utf-8-sig")
    for path in night.folder.glob("reports/*/results.csv"):
        harmless_cells(path)
    for path in night.folder.glob("reports/*/*.json"):
        json.loads(path.read_text("utf-8"))
    for path in night.folder.glob("reports/*/report.html"):
        harmless_page(path)
    for path in night.folder.glob("reports/*/report.xlsx"):
        harmless_sheets(path)


def harmless_page(path: Path) -> None:
    """Nothing invisible, and no element or link but ours."""
    text = path.read_text("utf-8")
    for line in text.splitlines():
        assert visible(line) == line, line
    assert text.count("<script>") == 1 and "javascript:" not in text


def harmless_sheets(path: Path) -> None:
    """Nothing invisible, and no formula but ours."""
    import openpyxl

    for sheet in openpyxl.load_workbook(path):
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if cell.data_type == "f":
                assert cell.value.startswith(
                    ("=IF(", "=SUM(", "=SUMIFS(", "=COUNTIFS(")
                ), cell
            elif isinstance(cell.value, str):
                assert all(visible(line) == line for line in cell.value.split("\n")), (
                    cell
                )


@pytest.mark.fault("J20", "J22")
def test_what_the_gateway_lists_and_lacks_is_shown_too(
    night: Stage, gateway: Adversary
) -> None:
    """A list that cannot be read, an account that says nothing clear, a recipient that is barred
    for odd reasons.
    """
    night.orders([order(1)])
    for fate in (
        error(403, HOSTILE, HOSTILE),
        Fate(status=200, body=HOSTILE.encode()),
        error(500, "x", HOSTILE),
    ):
        gateway.lists(*[fate] * 9)
        done = night.run("--summary")
        harmless(done.stdout + done.stderr)
        assert done.returncode in (0, 11, 69, 75, 77, 78), done
    done = night.run(verb="doctor")
    harmless(done.stdout + done.stderr)


@pytest.mark.fault("J20", "X05", "X20")
def test_names_of_files_and_columns_are_shown(market: Market) -> None:
    """A file name that forges a line, headers that are formulas or turn the writing round."""
    name = f"{SHORT.replace('/', '')}.csv"
    header = [
        "order_id",
        "amount",
        "currency",
        "recipient",
        "card",
        "invoice",
        "=cmd()",
        "+1\nline",
        "-\u202ex",
        "@\tz",
    ]
    rows = [order(1), order(2, amount="x"), order(3, card="tokn_test_sandbox000020011")]
    with (market.folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for one in rows:
            writer.writerow(
                [
                    *(one[key] for key in header[:6]),
                    "=1+1",
                    "two\nlines",
                    "\u202eturned",
                    "\u200b",
                ]
            )
    market.job(file="*.csv")
    assert market.run("--summary").returncode == 10
    said = all_said(market)
    assert "\\x1b[2J\\u202e\\nbatchpay: all is well.csv" in said
    (results,) = market.folder.glob("reports/*/results.csv")
    harmless_cells(results)
    cells = market.results()[0]
    assert cells["file"] == "\\x1b[2J\\u202e\\nbatchpay: all is well.csv"
    assert cells["'=cmd()"] == "'=1+1" and cells["'+1\\nline"] == "two\\nlines"


@pytest.mark.fault("J20", "X05")
def test_a_rejects_file_with_defused_headers_is_read_by_its_job(market: Market) -> None:
    """A used column may be called as a formula; its rejects say so safely, and come back as they
    were.
    """
    head = '"=id",amount,currency,"+to",card,"-note"\n'
    (market.folder / "orders.csv").write_text(
        f"{head}1,x,THB,recp_test_sandbox1,tokn_test_sandbox000014242,=1+1\n"
    )
    job = (
        market.job()
        .read_text()
        .replace('"order_id"', '"=id"')
        .replace('"recipient"', '"+to"')
    )
    (market.folder / "job.toml").write_text(
        job.replace('metadata    = { invoice = "invoice" }\n', "")
    )
    assert market.run().returncode == 10
    (rejects,) = market.folder.glob("reports/*/rejects.csv")
    harmless_cells(rejects)
    mended = rejects.read_text("utf-8-sig").replace(",x,THB", ",120.25,THB")
    (market.folder / "orders.csv").write_text(mended, "utf-8")
    assert market.run().returncode == 0, market.run(verb="check").stdout
    assert market.money() == {"1": 1}


@pytest.mark.fault("J20", "X03")
def test_a_workbook_with_hostile_names(market: Market) -> None:
    """Sheet and column names of a spreadsheet, and ids that the gateway would be asked about."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "S\u202enoitcurtsni\u200b"
    hidden = "\u202e\u200b\nx"
    sheet.append([*order(1), "\u202eturned"])
    sheet.append([*order(1).values(), hidden])
    sheet.append([*order(2, recipient=hidden).values(), "x"])
    book.save(market.folder / "orders.xlsx")
    market.job(file="orders.xlsx")
    assert market.run("--summary").returncode == 10
    all_said(market)
    harmless_cells(next(market.folder.glob("reports/*/results.csv")))


@pytest.mark.fault("J20")
@pytest.mark.parametrize(
    "words",
    [
        ("run", SHORT),
        ("run", "job.toml", "--input", SHORT),
        ("run", "job.toml", "--limit", SHORT),
        ("run", "job.toml", f"--{SHORT}"),
        (SHORT,),
        ("report", "job.toml", SHORT),
        ("verify", "job.toml", SHORT),
        ("resolve", "job.toml", SHORT, "--as", "not-charged", "--reason", "x"),
        ("resolve", "job.toml", "1", "--as", SHORT, "--reason", "x"),
        ("run", "job.toml", "--since", SHORT),
        ("plan", "job.toml", "--out", f"no/{SHORT}"),
        ("init", f"job.toml/{SHORT}"),
        ("audit", "job.toml", "--from", SHORT),
    ],
)
def test_what_a_person_types_is_shown_in_one_line(
    market: Market, words: tuple[str, ...]
) -> None:
    """Every word of a command line may be somebody else's: each complaint is one line that says
    batchpay said it.
    """
    market.orders([order(1)])
    market.job()
    for flags in ((), ("--json",)):
        command, how = market.command(*words, *flags)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, **how
        )
        assert done.returncode in (64, 66, 73, 78), done
        harmless(done.stdout + done.stderr)
        assert len(re.findall("^batchpay: ", done.stderr, re.MULTILINE)) == 1, (
            done.stderr
        )


@pytest.mark.fault("J20", "J22")
def test_a_job_that_is_wrong_in_hostile_words(market: Market) -> None:
    """Values, keys and paths of a job file are somebody's words as well."""
    path = market.job()
    text = path.read_text()
    escaped = json.dumps(SHORT)
    for wrong in (
        text.replace('"night"', escaped),
        text.replace('file = "orders.csv"', f"file = {escaped}"),
        text.replace("[gateway]", f"[gateway]\n{escaped} = 1"),
        f"{text}\n[report]\ndirectory = {escaped}",
        text.replace('"200/s"', escaped),
        f"{text}\n[controls]\ntime_zone = {escaped}",
        text.replace(
            '"card"',
            f'{{ column = "card", lookup = {escaped}, key = "a", value = "b" }}',
        ),
    ):
        path.write_text(wrong)
        for verb in ("check", "run"):
            done = market.run(verb=verb)
            assert done.returncode in (0, 66, 78), done
            harmless(done.stdout + done.stderr)
