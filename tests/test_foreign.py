"""What people open, and the lines with which a run ends, are in one language: after nights of every
kind in Japanese and in Thai no English sentence is left in them, but for words that are others'.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest

from batchpay.reports.words import LANGUAGES
from batchpay.sandbox import SandboxServer
from tests.doses import pairs
from tests.test_next_steps import Told
from tests.world import Market, order

OTHERS = tuple(name for name in LANGUAGES if name != "en")
FORMS = '[report]\nformats = ["html", "xlsx", "csv", "json"]\nlanguage = "{}"\n'
SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z']+[,;:.]? +){2,}[A-Za-z][a-z']+\b")
# what is typed, and what stands in a page for its looks
COMMAND = re.compile(
    r"batchpay [a-z]+ \S+(?: --[\w-]+(?: (?:'[^']*'|\S+))?)*(?: (?:'[^']*'|[\w-]+))?"
)
CODE = re.compile(r"(?s)<(style|script)>.*?</\1>")
SAID = re.compile(r'(?:title|aria-label|data-\w+|placeholder|alt)="([^"]*)"')
# the gateway's own words, the network's, and how a charge is not what was asked
OTHERS_WORDS = (
    "insufficient funds in the account or the card has reached the credit limit",
    "the connection was lost",
    "Connection reset by peer",
    "too many requests",
    "the recipient's bank did not take it",
    "co for incidents",
    "an inner error",
)
WHY = ("--reason", "理由")


def left_in(text: str) -> Iterator[str]:
    """The English sentences of a text that are ours."""
    for found in SENTENCE.findall(COMMAND.sub(" § ", text)):
        if not any(found in words or words in found for words in OTHERS_WORDS):
            yield found


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything that a person reads in the pages and workbooks of a folder."""
    for path in sorted(folder.rglob("*.html")):
        page = CODE.sub(" ", path.read_text("utf-8"))
        for said in SAID.findall(page):
            yield path.name, html.unescape(said)
        yield path.name, html.unescape(re.sub(r"<[^>]+>", " | ", page))
    for path in sorted(folder.rglob("*.xlsx")):
        for sheet in openpyxl.load_workbook(path):
            for cell in (one for line in sheet.iter_rows() for one in line):
                where = f"{path.name}, {sheet.title} {cell.coordinate}"
                if isinstance(cell.value, str) and not cell.value.startswith("="):
                    yield where, cell.value
                if cell.comment is not None:
                    yield where, cell.comment.text


# --- the nights

Say = Callable[..., None]


def rejected(market: Market, say: Say) -> None:
    """Rows that are wrong in every way, answers that are lost, a refusal; then people's words."""
    for order_id, action in (
        ("00003", "reset_after"),
        ("00004", "reset_before"),
        ("00005", "rate_limited"),
        ("00006", "refuse"),
    ):
        market.sandbox.add_rule(
            method="POST", path="/charges", order_id=order_id, action=action, times=1
        )
    total = {**dict.fromkeys(order(1), ""), "order_id": "Total", "amount": "1000"}
    market.orders(
        [
            *map(order, range(1, 7)),
            order(2, order_id="D1", card="tokn_test_sandbox000010011"),
            order(7, amount="-3"),
            order(8, recipient=""),
            order(9, currency="XXX"),
            order(10),
            order(10, amount="5.00"),
            order(11),
            order(11),
            total,
            order(12, order_id=""),
            order(13, amount="0.01"),
            order(14, card="4111111111111111"),
            order(15, amount="1,23"),
        ]
    )
    say("run", "--summary")
    say("settle", "--summary")
    market.run("00007", "--cancel", *WHY, verb="resolve")
    say("run")


def stopped(market: Market, say: Say) -> None:
    """A charge without its recipient."""
    market.sandbox.add_rule(
        method="*", path="/charges*", order_id="00001", drop=["destination"]
    )
    market.orders([order(1), order(2), order(3)])
    say("run", "--summary")
    say("run")
    say("settle")


def put_back(market: Market, say: Say) -> None:
    """An older copy of the journal."""
    market.orders([order(1), order(2), order(3)])
    say("run", "--summary", "--limit", "1")
    shutil.copytree(market.folder / "state", market.folder / "good")
    market.run("00003", "--cancel", *WHY, verb="resolve")
    say("run", "--summary")
    shutil.rmtree(market.folder / "state")
    (market.folder / "good").rename(market.folder / "state")
    say("run", "--summary")


def lost(market: Market, say: Say) -> None:
    """No journal any more."""
    market.orders([order(1), order(2), order(3)])
    say("run", "--limit", "2")
    market.run("00003", "--cancel", *WHY, verb="resolve")
    shutil.rmtree(market.folder / "state")
    say("run", "--summary")
    say("run", "--summary", "--adopt")


def limited(market: Market, say: Say) -> None:
    """Limits, a canary, a file under new ids, one that is not there."""
    path = market.folder / "job.toml"
    limits = 'max_day = { THB = "150.00" }\nnear_duplicates = "hold"\n'
    path.write_text(f"{path.read_text('utf-8')}[controls]\n{limits}", "utf-8")
    market.orders([order(1), order(2), order(200), order(1, order_id="A")])
    say("run", "--summary")
    say("run", "--summary", "--limit", "0")
    say("run", "--canary", "1")
    market.orders([order(1, order_id="X1"), order(2, order_id="X2")], "again.csv")
    say("run", "--input", "again.csv")
    say("run", "--input", "nothing.csv")


def refused(market: Market, say: Say) -> None:
    """Whole files."""
    path = market.orders([order(1), order(2)])
    path.write_text(path.read_text("utf-8").replace("order_id", "Order"), "utf-8")
    say("run", "--summary")
    market.orders([order(1, amount="x"), order(2, amount="y"), order(3)])
    for setting in ('max_rejects = "5%"\n', 'on_reject = "stop"\n'):
        market.job(input=setting)
        say("run", "--summary")
    market.job()
    path.write_bytes(b"order_id,amount\xff\xfe\n")
    say("run", "--summary")
    path.write_bytes(b"")
    say("run", "--summary")
    path.unlink()
    say("run", "--summary")
    market.job(input="optional = true\n")
    say("run", "--summary")


def silent(market: Market, say: Say) -> None:
    """A gateway that is ill in three ways, and one that does not know the key."""
    market.job(timeout="1s")
    market.orders([order(1), order(2)])
    for rule in (
        {"path": "/*", "action": "reset_before"},
        {"method": "POST", "path": "/charges", "action": "error_before"},
        {"path": "/*", "status": 401, "code": "authentication_failure"},
    ):
        market.sandbox.add_rule(**{"method": "*", **rule})
        say("run", "--summary")
        market.sandbox.clear_rules()


def afterwards(market: Market, say: Say) -> None:
    """What becomes of charges after their night."""
    market.orders([order(number) for number in (1, 2, 3, 4)])
    market.sandbox.add_rule(becomes="pending", order_id="00004", times=1)
    say("run", "--summary")
    for order_id, becomes in (
        ("00001", "transfer_failed"),
        ("00002", "disputed"),
        ("00003", "refunded"),
        ("00004", "forgotten"),
    ):
        market.sandbox.turn(order_id=order_id, becomes=becomes)
    say("settle", "--summary")
    say("run", "--summary")


def twice(market: Market, say: Say) -> None:
    """Two charges for one request; then the stop is lifted."""
    market.orders([order(1), order(2)])
    market.sandbox.add_rule(action="double", order_id="00001")
    say("run", "--summary")
    market.run("--lift-stop", *WHY, verb="resolve")
    say("run", "--summary")


NIGHTS = (
    twice,
    rejected,
    stopped,
    put_back,
    lost,
    limited,
    refused,
    silent,
    afterwards,
)


@pytest.mark.parametrize(("night", "language"), pairs(NIGHTS, OTHERS))
def test_no_english_sentence_is_left(
    tmp_path: Path, night: Callable[[Market, Say], None], language: str
) -> None:
    """On the terminal, in the pages, in the workbooks."""
    left = []

    def look(where: str, text: str) -> None:
        left.extend(f"{where}: {one}" for one in left_in(text))

    with SandboxServer() as sandbox:
        market = Told(tmp_path, sandbox, {"more": FORMS.format(language)})

        def say(verb: str, *flags: str) -> None:
            done = market.run(*flags, verb=verb)
            look(f"{verb} {' '.join(flags)}", f"{done.stdout}\n{done.stderr}")

        market.job()
        night(market, say)
    for where, text in texts_of(tmp_path / "reports"):
        look(where, text)
    assert left == []


def test_an_english_sentence_would_be_seen() -> None:
    """And none of what is typed."""
    assert list(left_in("注記: the gateway does not answer")) == [
        "the gateway does not answer"
    ]
    typed = "その後: batchpay resolve job.toml --cancel --reason 'your reason' 00001"
    assert list(left_in(typed)) == []
