"""report.html: one file that holds all of itself, says what the other files say, and shows what
somebody else wrote without doing it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import markupsafe
import openpyxl
import pytest

from batchpay.domain.model import Outcome, Problem, RunBegun
from batchpay.domain.money import money_told
from batchpay.messages import labels, outcomes
from batchpay.messages.message import plain
from batchpay.messages.problems import TOTAL_ROW
from batchpay.reports import page as form
from batchpay.reports import pictures, write_reports
from tests.nights_told import (
    CELLS,
    CHARGED,
    DECLINED,
    IN_YEN,
    PENDING,
    REJECTED,
    ROWS,
    RUN,
    STORY,
    night,
)

VOID = {"meta", "input", "br", "link", "img"}
MAY_BE_OPEN = {"td", "tr"}  # HTML closes them by itself


class Read(HTMLParser):
    """A page as a reader takes it: elements in their nesting, attributes, text by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.rows: list[list[str]] = []
        self.trouble: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [] and self.trouble == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in MAY_BE_OPEN:
            while self.open[-1] == "td" or self.open[-1] == tag:
                self.open.pop()
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] in MAY_BE_OPEN and self.open[-1] != tag:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.trouble.append(f"{tag} at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def written(folder: Path, **changes: Any) -> tuple[str, Read]:
    write_reports(folder, night(**changes))
    text = (folder / "report.html").read_text("utf-8")
    return text, Read(text)


def listed(read: Read) -> list[list[str]]:
    """The cells of the rows of the file, as the page lists them."""
    return [
        [cell.strip() for cell in row]
        for row in read.rows
        if len(row) == 8 and row[0] != "Row"
    ]


def test_it_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    """Its policy forbids it, and allows its own style and script by their hashes alone."""
    text, read = written(tmp_path)
    policy = next(
        one["content"]
        for one in read.all("meta")
        if one.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None and policy.startswith("default-src 'none'; ")
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        (own,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    for tag, attributes in read.elements:
        assert not {"style", "src", "srcset", "action"} & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert "url(" not in text and "@import" not in text


def test_every_row_stands_once_and_is_read_without_script(tmp_path: Path) -> None:
    """Row, order, outcome, amount, recipient, charge, reason, who acts."""
    _, read = written(tmp_path)
    rows = listed(read)
    assert [row[0] for row in rows] == [str(one.row) for one in ROWS]
    assert rows[0][:6] == [
        "2",
        "0001",
        "succeeded",
        "1,234.50 THB",
        CHARGED.destination,
        "chrg_test_1",
    ]
    plain = (
        "not enough money, or the card's limit is reached; insufficient_fund: no money"
    )
    assert rows[2][6].startswith(plain) and rows[2][7] == "payer"
    (found,) = [one for one in read.all("form") if one.get("id") == "controls"]
    assert "hidden" in found


def test_it_says_what_the_other_files_say(tmp_path: Path) -> None:
    """What was charged, in the verdict; every outcome with its rows and sum; every row."""
    text, read = written(tmp_path)
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    for one in report["currencies"]:
        assert money_told(one["charged_minor"], one["currency"]) in text
        for outcome, told in one["outcomes"].items():
            name = outcome.replace("_", " ")
            sum_told = money_told(told["sum_minor"], one["currency"])
            meaning = next(
                str(entry())
                for entry in labels.OUTCOMES_TOLD
                if entry.code.endswith(outcome)
            )
            assert [name, meaning, str(told["count"]), sum_told] in read.rows
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    wanted = Counter((one["row"], one["outcome"].replace("_", " ")) for one in lines)
    assert Counter((row[0], row[2]) for row in listed(read)) == wanted


@pytest.mark.fault("X05")
def test_what_somebody_else_wrote_is_shown_and_never_done(tmp_path: Path) -> None:
    """Whatever stands in an id, a reason, a file's name or the gateway's words."""
    bad = "<script>alert(1)</script>\"'&\u202e"
    rows = [
        replace(
            PENDING, order_id=bad, destination=bad, authorize_uri="javascript:alert(1)"
        )
    ]
    made = night(rows, [["1", "", ""]], stop=bad)
    made = replace(
        made, batch=replace(made.batch, file=bad, notes=(bad,), likeness=bad)
    )
    write_reports(tmp_path, made)
    text = (tmp_path / "report.html").read_text("utf-8")
    read = Read(text)
    assert len(read.all("script")) == 1 and "\u202e" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not [one for one in read.all("a") if "javascript" in str(one.get("href"))]


def test_who_must_act_has_the_reason_the_link_and_the_command(tmp_path: Path) -> None:
    """By party, a person in charge first."""
    text, read = written(tmp_path)
    assert read.texts["h3"][:4] == [
        "a person in charge",
        "accountant",
        "payer",
        "next run",
    ]
    command = "batchpay resolve night.toml --as not-charged --reason 'your reason' =1+1"
    assert read.texts["code"] == [command]
    links = [
        one["href"] for one in read.all("a") if str(one["href"]).startswith("https:")
    ]
    assert links == [PENDING.authorize_uri]
    assert "batchpay status night.toml ORDER_ID" in text


def test_it_is_made_for_everybody(tmp_path: Path) -> None:
    """A language, a title, one first heading, names for tables, fields and pictures, a way past."""
    text, read = written(tmp_path)
    assert read.all("html") == [{"lang": "en"}]
    assert text.startswith("<!doctype html>")
    assert len(read.all("h1")) == 1 and str(labels.TEST()) in text
    assert all(
        one.get("aria-label") for one in read.all("svg") if one.get("role") == "img"
    )
    assert all(one.get("scope") for one in read.all("th"))
    moved = [one for one in read.all("div") if "wide" in (one.get("class") or "")]
    named = {one.get("id") for tag in ("h2", "h3") for one in read.all(tag)}
    assert len(moved) > 8, moved
    # who has no mouse moves a wide table by the keyboard, and hears which it is
    assert all(
        one["tabindex"] == "0" and one["aria-labelledby"] in named for one in moved
    )
    fields = sum(len(read.all(tag)) for tag in ("input", "select"))
    assert fields == len(read.all("label")) == 3
    assert {"class": "skip", "href": "#rows"} in read.all("a")


def test_the_same_journal_gives_the_same_page(tmp_path: Path) -> None:
    """Byte for byte."""
    for folder in ("one", "two"):
        write_reports(tmp_path / folder, night())
    pages = {
        (tmp_path / folder / "report.html").read_bytes() for folder in ("one", "two")
    }
    assert len(pages) == 1


def test_it_names_the_files_beside_it_and_the_manifest_names_it(tmp_path: Path) -> None:
    """All that are there, and none that is not."""
    _, read = written(tmp_path)
    named = {one["href"] for one in read.all("a") if "." in str(one["href"])}
    named = {name for name in named if not str(name).startswith("https:")}
    there = {path.name for path in tmp_path.iterdir()}
    assert named == there - {"report.html"}
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert set(manifest["reports"]) == there - {"manifest.json"}
    write_reports(tmp_path, night(formats=("csv",)))
    assert not (tmp_path / "report.html").exists()


def test_a_large_night_stands_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a very large one without the rows that simply succeeded, by a rule that it says."""
    monkeypatch.setattr(form, "CHUNK", 3)
    text, read = written(tmp_path)
    assert [told.strip() for told in read.texts["summary"]] == [
        "Rows 2 to 4",
        "Rows 5 to 7",
        "Rows 8 to 9",
    ]
    assert "open" in read.all("details")[0] and "open" not in read.all("details")[1]
    monkeypatch.setattr(form, "LISTED", 4)
    text, read = written(tmp_path)
    assert [row[0] for row in listed(read)] == ["3", "4", "5", "6"]
    assert str(labels.PAGE_LIMITED(rows=8, most=4, listed=4)) in text


def test_long_lists_end_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of who must act, and of recipients."""
    monkeypatch.setattr(form, "ACTED", 1)
    rows = [replace(PENDING, row=at, order_id=f"{at}") for at in (2, 3, 4)]
    rows += [replace(CHARGED, row=at, destination=f"recp_{at}") for at in (5, 6)]
    text, _ = written(tmp_path, rows=rows, cells=[["", "", ""]] * 5)
    assert (
        str(labels.MORE_ROWS(count=2)) in text
        and str(labels.MORE_ROWS(count=1)) in text
    )


def test_an_equation_that_does_not_close_is_seen(tmp_path: Path) -> None:
    """As is a sum that the pivots have otherwise."""
    made = night()
    wrong = replace(made.equations[0], right=made.equations[0].left + 1)
    made.totals.sums["THB", "succeeded"] += 1
    write_reports(tmp_path, replace(made, equations=(wrong, *made.equations[1:])))
    read = Read((tmp_path / "report.html").read_text("utf-8"))
    wrong_rows = [row for row in read.rows if row[0] == "✗ DIFFERS"]
    assert len(wrong_rows) == 2 and wrong_rows[1][1].startswith("Amount THB")


def test_one_row_is_one_row(tmp_path: Path) -> None:
    """`1 row read`, and `2 rows read`."""
    for number, told in ((1, ["1 row read"]), (2, ["2 rows read"])):
        _, read = written(tmp_path, rows=ROWS[:number], cells=CELLS[:number])
        assert [one for one in read.texts["strong"] if one.endswith(" read")] == told


def test_a_row_without_an_id_has_a_heading(tmp_path: Path) -> None:
    """A dash: an empty one is read to nobody."""
    text, _ = written(tmp_path, rows=[replace(REJECTED, order_id="")], cells=CELLS[:1])
    assert '<th scope="row">–</th>' in text and '<th scope="row"></th>' not in text


def test_an_empty_batch_has_a_page(tmp_path: Path) -> None:
    """Nothing charged, nobody to act."""
    text, _ = written(tmp_path, rows=[], cells=[], exit_code=0, run=None)
    assert str(labels.NO_ACTION()) in text and str(labels.NOTHING_CHARGED()) in text


# --- pictures


def test_a_bar_is_whole_and_shows_what_is_little() -> None:
    """Its parts are its width together; what is not nothing has some."""
    made = pictures.bar({"a": 999_999, "b": 1, "c": 0})
    assert [part.name for part in made.parts] == ["a", "b"]
    assert sum(part.width for part in made.parts) == made.width == 1000
    assert (
        made.parts[1].width >= pictures.LEAST and made.parts[1].x == made.parts[0].width
    )
    many = pictures.bar({str(at): 1 for at in range(400)})
    assert sum(part.width for part in many.parts) == 1000
    assert pictures.bar({"a": 0}).parts == ()


def test_money_that_waits_is_not_called_not_charged(tmp_path: Path) -> None:
    """What is pending, or in doubt, may be charged yet."""
    doubt = replace(PENDING, row=4, order_id="0004", outcome=Outcome.IN_DOUBT)
    refused = replace(PENDING, row=5, order_id="0005", outcome=Outcome.REFUSED)
    rows = [CHARGED, PENDING, doubt, refused]
    text, _ = written(tmp_path, rows=rows, cells=[["0001", "a", "n"]] * 4)
    chips = dict(re.findall(r'<span class="chip (\w+)">([\d.,]+) [A-Z]{3} ', text))
    assert chips["pending"] == chips["in_doubt"] == chips["not_charged"]


def test_what_a_total_row_says_is_not_money_that_was_not_charged(
    tmp_path: Path,
) -> None:
    """It says the sum of the file once more: it stands apart from what the orders ask for."""
    is_total = (Problem("Order", "Total", TOTAL_ROW()),)
    total = replace(
        REJECTED,
        row=4,
        order_id="Total",
        problems=is_total,
        amount=123450,
        currency="THB",
    )
    cells = [["0001", "a chair", "n"], ["Total", "", ""]]
    text, _ = written(tmp_path, rows=[CHARGED, total], cells=cells)
    chips = re.findall(r'<span class="chip (\w+)">([\d.,]+) THB ', text)
    assert "not_charged" not in dict(chips)
    assert "<strong>1,234.50 THB</strong> asked for =" in text
    assert "not in it: 1,234.50 THB in total rows" in text


def test_it_says_what_was_earned_and_whether_this_is_all_of_it(tmp_path: Path) -> None:
    """Commission less fees, adding up to what was charged; two currencies stay two sums; what a
    row waits for, and which row settled it.
    """
    settled = replace(DECLINED, settled_by="order 0004 of batch b row 2, succeeded")
    refunded = replace(CHARGED, refunded_amount=5000)
    rows = [refunded, settled, PENDING, replace(IN_YEN, fee_currency="THB")]
    text, _ = written(tmp_path, rows=rows, cells=[["", "", ""]] * 4)
    told = " ".join(re.sub("<[^>]*>", " ", text).split())
    assert (
        "81.41 THB ours = 129.62 THB Commission − 45.06 THB Gateway fee − 3.15 THB VAT"
        in told
    )
    assert (
        "3.15 THB VAT on fee + 81.41 THB ours 50.00 THB of what was charged was given"
        in told
    )
    assert "525 JPY − 0.49 THB ours = 525 JPY Commission" in told
    assert (
        "not all of it yet. It waits for: 1 pending, 2 transfers to recipients" in told
    )
    assert "Settled by: order 0004 of batch b row 2, succeeded" in told
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    earned = [one["sum"] for money in report["currencies"] for one in money["earned"]]
    assert earned == ["525", "-0.49", "81.41"]


def test_it_tells_names_what_arrives_429s_and_the_story_of_an_order(
    tmp_path: Path,
) -> None:
    """What the file calls a recipient stands beside its id, in the workbook too; an event that
    somebody else worded is escaped.
    """
    paid = replace(CHARGED, transfer_status="paid", bank_amount=107488)
    text, _ = written(
        tmp_path,
        rows=[paid, replace(DECLINED, row=3, order_id="<17>")],
        cells=[["0001", "A & B", ""], ["<17>", "A & B", ""]],
        sellers=("Item", "of another file"),
        called={CHARGED.destination: "Ari <1>"},
        told_429=lambda: iter([("2026-11-24T17:00:00Z", CHARGED.order_id)] * 7),
        stories=lambda ids: dict.fromkeys(ids, STORY),
    )
    told = " ".join(re.sub("<[^>]*>", " ", text).split())
    assert f"Ari &lt;1&gt;, A &amp; B {CHARGED.destination} 1 1,234.50 THB" in told
    assert "1,074.88 THB 1 of 1 arrived" in told
    assert (
        "Agreed: at most 8/s, look-ups among them. The gateway answered 7 charges with"
        in told
    )
    assert told.count("25 Nov 2026, 00:00:00, ") == 5
    assert (
        "Order &lt;17&gt; Row Outcome Amount Reason Who acts 3 declined 1,234.50 THB"
        in told
    )
    assert (
        "Recipient Ari &lt;1&gt;, A &amp; B · recp_test_1 Payment method card …4242"
        in told
    )
    assert "batchpay audit night.toml --from 2026-11-24 --to 2026-11-24" in told
    for entry in (labels.CHARGED_ONCE, labels.NOTHING_LATE):
        assert str(entry()) in told
    story = (
        "25 Nov 2026 · Run run-1 00:00:00 &lt;b&gt;said; its answer was lost; a look-up"
        " found the charge; sent 25 Nov 2026, 00:00:09 → declined (mai)"
    )
    assert story in told
    assert text.count('<a href="#order-1">&lt;17&gt;</a>') == 2
    assert text.count('id="order-1"') == 1
    book = openpyxl.load_workbook(tmp_path / "report.xlsx", read_only=True)
    (_, row, *_) = book["By recipient"].iter_rows(values_only=True)
    assert row[6:10] == (1074.88, 1, 0, "Ari <1>, A & B")


def test_shares_without_a_transfer_and_recipients_without_a_charge_are_told(
    tmp_path: Path,
) -> None:
    """What arrives, what nobody has told yet, as of when: the parts add up. Who has nothing stands
    there with why.
    """
    paid = replace(CHARGED, transfer_status="paid", bank_amount=107488)
    untold = replace(CHARGED, row=3, order_id="0003")
    why = (plain("the night was over"),)
    held = replace(
        CHARGED,
        row=4,
        order_id="0004",
        outcome=Outcome.HELD,
        destination="recp_test_2",
        charged_amount=None,
        recipient_amount=None,
        reasons=why,
    )
    rows = [replace(held, row=5, destination=CHARGED.destination), paid, untold, held]
    made = night(rows, [["", "", ""]] * 4, followed_at="2026-11-24T19:00:00Z")
    write_reports(tmp_path, made)
    text = (tmp_path / "report.html").read_text("utf-8")
    told = " ".join(re.sub("<[^>]*>", " ", text).split())
    share = "1,104.88 THB of 1 order: no transfer told yet"
    assert f"1,074.88 THB 1 of 2 arrived beside it {share}" in told
    assert "no transfer told yet THB 1 1,104.88 THB – –" in told
    assert "recp_test_2 0 1 held: the night was over As the gateway told when" in told
    assert "about transfers, 25 Nov 2026, 02:00:00" in told
    assert "1 transfer to a recipient" in told
    moving = made.totals.payouts["THB", "untold", "rows"]
    assert moving == made.totals.waits_for()["transfers"] == 1
    book = openpyxl.load_workbook(tmp_path / "report.xlsx", read_only=True)
    (_, first, second, *_) = book["By recipient"].iter_rows(values_only=True)
    assert (first[10], first[11]) == (1104.88, None)
    assert (second[0], second[2], second[11]) == (
        "recp_test_2",
        0,
        "1 held: the night was over",
    )


def test_it_says_how_its_files_and_the_journal_are_verified(tmp_path: Path) -> None:
    """By which command, and where the chain's bytes are told to who does not trust it."""
    text, _ = written(tmp_path)
    assert "batchpay verify night.toml holds the files against it" in text
    page = Path(__file__).parent.parent / "docs" / "journal.md"
    assert "docs/journal.md of batchpay" in text and page.exists()
    assert "a program of twenty lines" in page.read_text("utf-8")


def test_why_some_were_not_sent_is_told_of_a_file_with_rows_that_were_not(
    tmp_path: Path,
) -> None:
    """Not of another that the same run rewrote."""
    why = str(labels.FACT_HELD())
    run = replace(RUN, held="the gateway was silent")
    text, _ = written(tmp_path, run=run)
    assert why in text and "<dd>the gateway was silent</dd>" in text
    text, _ = written(tmp_path, rows=[CHARGED], cells=[["", "", ""]], run=run)
    assert why not in text


def test_exit_codes_are_told_in_words_and_a_run_without_one_did_not_end(
    tmp_path: Path,
) -> None:
    """Beside each run, and once for all codes that stand there or that a finished run has."""
    begun = [
        RunBegun("run-1", "2026-11-24T16:00:00Z", None, "run", ()),
        RunBegun("run-2", "2026-11-24T16:30:00Z", 75, "run", ("--wait",)),
    ]
    rows = [replace(CHARGED, run_id=name) for name in ("run-1", "run-2")]
    _, read = written(
        tmp_path, rows=rows, cells=[["", "", ""]] * 2, runs=lambda ids: begun
    )
    by_run = {row[0]: row[3] for row in read.rows if row[0].startswith("run-")}
    assert by_run == {
        "run-1": "did not end: it was killed, or its machine stopped",
        "run-2": "75run the same command again",
    }
    said = [one for one in read.texts["li"] if re.match(r"\d+ – ", one)]
    assert [one.split()[0] for one in said] == ["0", "10", "11", "12", "75"]
    assert said[2].startswith("11 – start the run again later: it asks")


def test_an_order_in_doubt_says_what_comes_of_it_and_what_to_type(
    tmp_path: Path,
) -> None:
    """Beside why it is: where somebody must act, in its story and in the workbook; of one that
    only a person can end, what that person does alone.
    """
    doubt = replace(
        PENDING,
        row=4,
        order_id="0004",
        outcome=Outcome.IN_DOUBT,
        reasons=(outcomes.IN_DOUBT_UNTOLD(),),
        who_acts="next run",
        authorize_uri="",
        attempts=1,
    )
    text, _ = written(
        tmp_path,
        rows=[CHARGED, doubt],
        cells=[["", "", ""]] * 2,
        doubt_s="90",
        stories=lambda ids: dict.fromkeys(ids, STORY),
    )
    comes = "the next run, or batchpay settle night.toml, which charges nothing"
    assert text.count(comes) == 2  # needs action, and its story
    assert text.count("([gateway] doubt_period, 90 s)") == 2
    assert "--as not-charged --reason &#39;your reason&#39; 0004; if it has" in text
    assert "<code>batchpay resolve" not in text
    book = openpyxl.load_workbook(tmp_path / "report.xlsx", read_only=True)
    (_, row, *_) = book["Needs action"].iter_rows(values_only=True)
    assert any(comes in str(cell) for cell in row)
    alone = [replace(doubt, who_acts="a person")]
    text, _ = written(tmp_path, rows=alone, cells=[["", "", ""]])
    assert "batchpay settle night.toml" not in text


def test_a_share_that_failed_is_told_where_people_look_for_it(tmp_path: Path) -> None:
    """With the recipient's name, beside the recipient's sums, and what was given back of the same
    charge.
    """
    stuck = replace(
        CHARGED,
        transfer_status="failed",
        bank_amount=None,
        who_acts="accountant",
        reasons=(outcomes.TRANSFER_FAILED(transfer="t", recipient="r", code="c"),),
        warnings=(outcomes.REFUNDED(amount="10.00 THB"),),
        refunded_amount=1000,
    )
    names = {CHARGED.destination: "Ari"}
    text, _ = written(
        tmp_path,
        rows=[stuck],
        cells=[["", "", ""]],
        called=names,
        whose={"url": "https://api.omise.co"},
        sellers=("Item",),
    )
    told = " ".join(re.sub("<[^>]*>", " ", text).split())
    why = str(stuck.reasons[0])
    assert "have it send the share again" in why
    shown = str(markupsafe.escape(why))
    assert f"1,234.50 THB Ari {shown}" in told
    assert "0 of 1 arrived 1 FAILED" in told
    assert f"0001: {shown} | 10.00 THB of it was given back since" in told
    book = openpyxl.load_workbook(tmp_path / "report.xlsx", read_only=True)
    for sheet in ("Needs action", "Ledger"):
        (_, row, *_) = book[sheet].iter_rows(values_only=True)
        assert "Ari" in row
    page = f"https://dashboard.omise.co/test/charges/{CHARGED.charge_id}"
    assert f'<a href="{page}" rel=' in text and "See it in the dashboard" in told
    (_, row, *_) = book["Needs action"].iter_rows(values_only=True)
    assert row[-1] == page


def test_a_chart_over_time_counts_every_charge_once() -> None:
    """In bars of a width that people know, sixty at most."""
    sent = {f"2026-11-24T00:{at // 60:02}:{at % 60:02}Z": 1 for at in range(0, 600, 2)}
    made = pictures.timeline(sent, {1: 2, 5: 1, 9: 4})
    assert made is not None
    assert sum(column.count for column in made.columns) == 300
    assert made.seconds == 10 and len(made.columns) == 60
    assert max(column.height for column in made.columns) == 100
    assert (made.slowest_s, made.median_s) == (9, 9)
    alone = pictures.timeline({"2026-11-24T00:00:00Z": 3}, {})
    assert alone is not None and (alone.most, alone.slowest_s, alone.median_s) == (
        3,
        0,
        0,
    )
    assert pictures.timeline({}, {}) is None
