"""Keys and limits: the wrong mode, too much money, and what may be written where."""

from __future__ import annotations

import csv
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.adversary import Adversary, Fate, error
from tests.faults.stage import Stage
from tests.machine import settles, wait_for
from tests.world import KEY, Market, order

CARD = "4242424242424242"


@pytest.mark.fault("H03")
@pytest.mark.parametrize(
    ("mode", "key"), [("test", "skey_0123456789abcdef"), ("live", KEY)]
)
def test_a_key_of_the_other_mode_is_78_before_the_first_request(
    market: Market, mode: str, key: str
) -> None:
    """Not one request leaves, and the key is not in the message."""
    market.orders([order(1)])
    path = market.job(doubt="200s")
    path.write_text(
        path.read_text().replace("[gateway]", f'[gateway]\nmode = "{mode}"')
    )
    refused = market.run(OMISE_SECRET_KEY=key)
    assert refused.returncode == 78, refused
    assert key not in refused.stderr + refused.stdout
    assert market.sandbox.requests() == []


@pytest.mark.fault("H04")
def test_more_than_allowed_is_rejected_or_held(market: Market) -> None:
    """Above max_amount: the row is rejected, the others go. Above max_total: the plan is refused
    whole.
    """
    rows = [order(1), order(2, amount="5000.00"), order(3)]
    market.orders(rows)
    market.job(
        more='[controls]\nmax_total = { THB = "200.00" }\nmax_amount = { THB = "1000.00" }'
    )
    refused = market.run()
    assert (
        refused.returncode == 65
        and "max_total" in refused.stderr
        and market.posts() == 0
    )
    market.job(more='[controls]\nmax_amount = { THB = "1000.00" }')
    assert market.run().returncode == 10
    assert {row["order_id"]: row["outcome"] for row in market.results()} == {
        "00001": "succeeded",
        "00002": "rejected",
        "00003": "succeeded",
    }
    assert market.money() == {"00001": 1, "00003": 1}


@pytest.mark.fault("H06", "I12")
def test_no_key_token_or_card_number_where_it_must_not_be(market: Market) -> None:
    """Every file, every output, every process title. Tokens: the input, the journal and reject
    cells only. A card number: the input only. The key: nowhere.
    """
    rows = [
        order(1),
        order(2, card="tokn_test_sandbox000020011"),
        order(3, invoice=CARD),
        order(4),
    ]
    market.orders(rows)
    market.job(rate="10/s")
    market.sandbox.add_rule(wait_after_s=1, order_id="00004")
    words, how = market.command("run", "job.toml", "--summary")
    titles = b""
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how
    ) as process:
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
    for broken in (
        market.run(BATCHPAY_DEBUG="1"),
        market.run("--input", "nothing.csv"),
        market.run("--limit", "x"),
    ):
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
        assert refused.returncode == code and "OMISE_SECRET_KEY" in refused.stderr, (
            refused
        )
        assert key not in refused.stderr + refused.stdout
        assert all(
            key.encode() not in path.read_bytes()
            for path in market.folder.rglob("*")
            if path.is_file()
        )
    market.sandbox.accept_keys(KEY)
    settles(market, [order(1)])


# --- by side ways

TOKEN = "tokn_test_5xuy4w91xqz7d1w9u0t"
SECRETS = {
    "points": "4242.4242.4242.4242",
    "slashes": "4242/4242/4242/4242",
    "low lines": "4242_4242_4242_4242",
    "colons": "4242:4242:4242:4242",
    "stars": "4242*4242*4242*4242",
    "letters": "4242x4242x4242x4242",
    "line breaks": "4242\n4242\n4242\n4242",
    "broken": "4242424242\n424242",
    "secret key": "skey_test_5xuy4w91xqz7d1w9u0t",
    "public key": "pkey_test_5xuy4w91xqz7d1w9u0t",
    "chain key": "ckey_test_5xuy4w91xqz7d1w9u0t",
    "live chain key": "chain_5xuy4w91xqz7d1w9u0t",
    "basic": "c2tleV90ZXN0XzV4dXk0dzkxeHF6N2QxdzkwdA==",
}
EVERYTHING = '[report]\nformats = ["csv", "json", "parquet", "xlsx", "html"]'


def traces(secret: str) -> list[bytes]:
    """The secret as it is, and as a file that escapes its line ends may have it."""
    return [secret.encode(), json.dumps(secret)[1:-1].encode()]


def everything_said(market: Market) -> bytes:
    """What every verb prints, some for people and some for programs."""
    said = b""
    for at, verb in enumerate(
        ("check", "plan", "run", "status", "report", "verify", "status", "check")
    ):
        done = market.run(*(["--json"] if at % 2 else []), verb=verb)
        said += done.stdout.encode() + done.stderr.encode()
    return said


def nowhere(
    market: Market, secret: str, said: bytes, *, but: tuple[str, ...] = ()
) -> None:
    """Not in what was said, and in no file but the input and those named."""
    for trace in traces(secret):
        assert trace not in said
        for path in market.folder.rglob("*"):
            allowed = path.name == "orders.csv" or path.name.startswith(
                but or "orders.csv"
            )
            if path.is_file() and not allowed:
                assert trace not in held_by(path), path


def held_by(path: Path) -> bytes:
    """All that a file holds; of a workbook its unpacked parts."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        return b"".join(packed.read(name) for name in packed.namelist())


def with_columns(market: Market, rows: list[dict[str, str]]) -> None:
    """An input file that has more columns than the job reads."""
    with (market.folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.fault("J21", "I12", "X26", "H06")
@pytest.mark.parametrize("column", ["invoice", "Note"])
def test_a_secret_by_a_side_way_rejects_its_row(market: Market, column: str) -> None:
    """In a column that becomes metadata, or in one that nothing reads: masked at the reader, and
    nowhere afterwards.
    """
    rows = [
        {**order(at), "Note": "", column: secret}
        for at, secret in enumerate(SECRETS.values())
    ]
    with_columns(market, [*rows, {**order(99), "Note": ""}])
    market.job(more=EVERYTHING)
    said = everything_said(market)
    outcomes = {row["order_id"]: row for row in market.results()}
    assert outcomes.pop("00099")["outcome"] == "succeeded"
    assert {row["outcome"] for row in outcomes.values()} == {"rejected"}
    for row in outcomes.values():
        assert "card-number" in row["reason"] or "secret-key" in row["reason"]
    for secret in SECRETS.values():
        nowhere(market, secret, said)


@pytest.mark.fault("J21", "I12")
@pytest.mark.parametrize("where", ["metadata", "description", "template", "order_id"])
def test_a_token_stays_in_the_column_that_pays(market: Market, where: str) -> None:
    """Mapped to anything else its rows are rejected: it would stand in reports, and at the gateway
    for all to see.
    """
    market.orders([order(1, card=TOKEN), order(2, card=TOKEN)])
    text = market.job(more=EVERYTHING).read_text()
    mapped = {
        "metadata": text.replace('invoice = "invoice"', 'invoice = "card"'),
        "description": (
            text.replace("[gateway]", "[gateway]").replace(
                '"card"', '"card"\ndescription = "card"'
            )
        ),
        "template": text.replace(
            '"card"', '"card"\ndescription = { template = "paid with {card}, thanks" }'
        ),
        "order_id": text.replace(
            'order_id    = "order_id"',
            'order_id    = { template = "{order_id}-{card}" }',
        ),
    }
    (market.folder / "job.toml").write_text(mapped[where])
    said = everything_said(market)
    assert market.outcomes() == {"rejected": 2}
    assert market.posts() == 0
    nowhere(market, TOKEN, said, but=("batchpay.db", "rejects"))


@pytest.mark.fault("J21", "I12")
def test_a_token_in_a_column_that_nothing_reads_is_shown_by_its_end(
    market: Market,
) -> None:
    """The row goes; results, plan and messages have the last four characters."""
    with_columns(
        market,
        [{**order(1), "Old token": TOKEN, "Stored": "card_test_5xuy4w91xqz7d1w9aaa"}],
    )
    market.job(more=EVERYTHING)
    said = everything_said(market)
    (row,) = market.results()
    assert (row["outcome"], row["Old token"], row["Stored"]) == (
        "succeeded",
        "tokn_test_…9u0t",
        "card_test_…9aaa",
    )
    nowhere(market, TOKEN, said, but=("batchpay.db", "rejects"))


@pytest.mark.fault("J21", "I12")
def test_a_reason_holds_no_secret(market: Market) -> None:
    """The journal keeps a person's word for ever: it is refused (64), and not repeated."""
    market.orders([order(1)])
    market.job()
    market.run("--limit", "0")
    words = (("00001", "--cancel"), ("00001", "--as", "not-charged"), ("--lift-stop",))
    for at, secret in enumerate((*SECRETS.values(), TOKEN)):
        done = market.run(
            *words[at % 3], "--reason", f"the payer said {secret}", verb="resolve"
        )
        assert done.returncode == 64 and "say it without" in done.stderr, done
        nowhere(market, secret, done.stdout.encode() + done.stderr.encode())
    assert (
        market.run(
            "00001", "--cancel", "--reason", "asked twice", verb="resolve"
        ).returncode
        == 0
    )


@pytest.mark.fault("J21", "I12")
def test_a_secret_on_the_command_line_is_not_repeated(market: Market) -> None:
    """As an order, a batch, a charge, a file or a number."""
    market.orders([order(1)])
    market.job()
    every = " ---- ".join(
        secret.replace("/", "_") for secret in (*SECRETS.values(), TOKEN)
    )
    said = b""
    for verb, *words in (
        ("resolve", every, "--as", "not-charged", "--reason", "x"),
        ("resolve", "1", "--as", every, "--reason", "x"),
        ("report", every),
        ("verify", every),
        ("run", "--limit", SECRETS["points"]),
        ("run", "--since", TOKEN),
        ("run", "--grace", SECRETS["secret key"]),
        ("plan", "--out", f"no/{every}"),
        ("run", "--input", f"{every[-100:]}.csv"),
    ):
        done = market.run(*words, verb=verb)
        assert done.returncode in (64, 66, 73), done
        said += done.stdout.encode() + done.stderr.encode()
    for secret in (*SECRETS.values(), TOKEN):
        nowhere(market, secret.replace("/", "_"), said)


@pytest.mark.fault("J21", "I12", "B22")
def test_keys_that_the_gateway_echoes_are_masked(
    night: Stage, gateway: Adversary
) -> None:
    """Chain and public keys, in messages, in fields and in pages that are no answer at all."""
    night.job(more=EVERYTHING)
    night.orders([order(number) for number in range(1, 7)])
    echo = " ---- ".join((*SECRETS.values(), TOKEN))
    gateway.on("00001", error(400, "invalid_card", echo))
    gateway.on(
        "00002",
        Fate(
            becomes={"status": "failed", "failure_code": "x", "failure_message": echo}
        ),
    )
    gateway.on("00003", error(500, "backend_error", echo))
    gateway.on("00004", Fate(status=502, body=echo.encode()))
    gateway.on("00005", error(400, SECRETS["live chain key"], "no"))
    night.run("--summary")
    night.run("--summary")
    said = everything_said(night)
    for secret in (*SECRETS.values(), TOKEN):
        nowhere(night, secret, said, but=("gateway.jsonl",))


@pytest.mark.fault("J21", "X26")
def test_numbers_that_are_no_cards_go(market: Market) -> None:
    """Telephone numbers, sums, tax ids, article numbers, moments and ids, each in its own row: all
    are charged.
    """
    from tests.test_cards import NOT_CARDS

    texts = [
        text
        for text in NOT_CARDS.values()
        if "\n" not in text and not text.startswith("tokn_")
    ]
    market.orders([order(number, invoice=text) for number, text in enumerate(texts)])
    market.job()
    assert market.run().returncode == 0, market.run(verb="check").stdout
    assert market.outcomes() == {"succeeded": len(texts)}


@pytest.mark.fault("J21", "X26")
def test_a_column_of_no_cards_is_shown_as_it_is(market: Market) -> None:
    """`not_cards` is the job's word; keys are looked for even there."""
    market.orders([order(1, invoice=CARD), order(2, invoice=SECRETS["secret key"])])
    market.job(input='not_cards = ["invoice"]')
    assert market.run().returncode == 10
    rows = {row["order_id"]: row for row in market.results()}
    assert (
        rows["00001"]["outcome"] == "succeeded"
        and rows["00001"]["metadata[invoice]"] == CARD
    )
    assert (
        rows["00002"]["outcome"] == "rejected"
        and "secret-key" in rows["00002"]["reason"]
    )
