"""The job file: every key of its schema parses, everything wrong is said at once, nothing is
guessed.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.job.job import (
    Controls,
    Fee,
    FromColumn,
    FromLookup,
    FromTemplate,
    FromValue,
    GatewaySettings,
    Input,
    Limit,
)
from batchpay.job.key import SecretKey, secret_key
from batchpay.job.load import load_job
from batchpay.job.packaged import data_path
from tests.jobs import job_text

SMALLEST = job_text("bangkok-nightly", customer='"customer"')

FULL = """
name = "bangkok-nightly"
schema = "order.schema.json"

[input]
file      = "inbox/orders-*.csv"
encoding  = "cp874"
delimiter = ";"
sheet     = "Orders"
header_row = 2
on_reject = "stop"
max_rejects = "5%"
optional  = true
not_cards = ["Tax ID"]

[columns]
order_id    = "Order No"
amount      = { column = "Amount", unit = "minor" }
currency    = { value = "THB" }
destination = { column = "Shop", lookup = "recipients.csv", key = "shop", value = "id", name = "n" }
customer    = "Customer"
card        = "Card"
source      = "Source"
description = { template = "Order {Order No} for {Shop} {{x}}" }
metadata    = { invoice = "Invoice No" }
return_uri  = { value = "https://example.com/back" }

[fee]
fixed      = 500
percentage = "10.5"

[gateway]
url         = "https://api.omise.co"
mode        = "live"
version     = "2019-05-29"
rate        = "900/min"
burst       = 3
concurrency = 4
timeout     = "65s"
send_window = "5s"
doubt_period = "150s"
lookup_gap  = "500ms"
pause       = "2min"

[controls]
count      = 1200
total      = { THB = "1234500.00" }
max_amount = { THB = "50,000.00" }
max_total  = { THB = "2000000.00", JPY = "500" }
time_zone  = "Asia/Bangkok"
approval   = "none"

[report]
directory = "out"
formats   = ["csv", "json", "parquet"]
language  = "en"

[state]
url = "sqlite:///state/other.db"
"""


def job_file(folder: Path, text: str) -> Path:
    path = folder / "job.toml"
    path.write_text(text, "utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        load_job(job_file(folder, text))
    assert caught.value.exit_code == 78
    return str(caught.value)


def test_the_smallest_job_has_the_defaults_that_are_told(tmp_path: Path) -> None:
    """Those of schemas/job.schema.json, which says each of them in words."""
    job = load_job(job_file(tmp_path, SMALLEST))
    assert job.input == Input(pattern=str(tmp_path / "orders.csv"))
    assert job.gateway == GatewaySettings(
        url="https://api.omise.co",
        mode="test",
        version="2019-05-29",
        rate=8,
        rate_window_s=1,
        burst=1,
        concurrency=8,
        timeout_s=65,
        send_window_s=5,
        doubt_period_s=150,
        lookup_gap_s=10,
        pause_s=30,
    )
    assert job.controls == Controls()
    assert job.report.directory == tmp_path / "reports" and job.report.formats == (
        "csv",
        "json",
    )
    assert job.state_path == tmp_path / "state" / "batchpay.db"
    assert job.fee is None
    assert job.schema.name == "order.schema.json (packaged)"


def test_the_full_job_is_read_whole(tmp_path: Path) -> None:
    """Every key that is served today."""
    (tmp_path / "order.schema.json").write_bytes(
        data_path("schemas/order.schema.json").read_bytes()
    )
    (tmp_path / "recipients.csv").write_text(
        "\ufeffshop,id,n\nA,recp_1,Ari Audio\nB,recp_2,\nB,recp_3\n",
        "utf-8",
    )
    job = load_job(job_file(tmp_path, FULL))
    lookup = job.columns.fields["destination"]
    assert isinstance(lookup, FromLookup)
    assert lookup.table["A"] == "recp_1" and lookup.ambiguous == {"B"}
    assert job.columns.called() == {"recp_1": "Ari Audio", "recp_2": ""}
    assert job.columns.fields["amount"] == FromColumn("Amount", "minor")
    assert job.columns.fields["currency"] == FromValue("THB")
    assert job.columns.fields["description"] == FromTemplate(
        ("Order ", "Order No", " for ", "Shop", " {x}")
    )
    assert job.columns.metadata == {"invoice": FromColumn("Invoice No")}
    assert job.fee == Fee({"THB": 500}, "10.5")
    assert (job.gateway.rate, job.gateway.rate_window_s, job.gateway.burst) == (
        900,
        60,
        3,
    )
    assert (job.gateway.lookup_gap_s, job.gateway.pause_s) == (0.5, 120)
    assert job.controls.total == {"THB": 123450000} and job.controls.max_amount == {
        "THB": 5000000
    }
    assert job.controls.max_total == {"THB": 200000000, "JPY": 500}
    assert job.input.max_rejects == Limit(per_10000=500)
    assert job.input.pattern == str(tmp_path / "inbox/orders-*.csv")
    assert job.state_path == tmp_path / "state" / "other.db"


@pytest.mark.parametrize(
    "table, line, word",
    [
        ("controls", 'approval = "required"', "approvals come with a later version"),
        (
            "state",
            'url = "postgresql://db/batchpay"',
            "PostgreSQL comes with a later version",
        ),
    ],
)
def test_what_a_later_version_serves_is_refused_with_a_sentence(
    tmp_path: Path, table: str, line: str, word: str
) -> None:
    """Never silently ignored."""
    message = refused(tmp_path, f"{SMALLEST}\n[{table}]\n{line}\n")
    assert word in message and "line 12" in message


@pytest.mark.fault("X21", "X25", "X27")
@pytest.mark.parametrize(
    "change, words",
    [
        (
            ("[input]", "[inputs]"),
            ["'inputs'", "nearest known key is 'input'", "lacks input"],
        ),
        (
            ("[input]", '[approval]\nby = "two"\n[input]'),
            ["unknown key 'approval'", "nearest known key is 'approval' in [controls]"],
        ),
        (
            ('file = "orders.csv"', 'file = "orders.csv"\nformats = ["csv"]'),
            [
                "unknown key 'formats' in [input]",
                "nearest known key is 'formats' in [report]",
            ],
        ),
        (
            ('file = "orders.csv"', 'file = "orders.csv"\nencodng = "utf-8"'),
            ["line 4", "'encodng'", "'encoding'"],
        ),
        (
            ('currency    = "currency"', 'currency    = "currency"\ncurency = "c"'),
            ["'curency'", "'currency'"],
        ),
        (
            ('name = "bangkok-nightly"', 'name = "../escape"'),
            ["line 1", "name", "Letters"],
        ),
        (
            ('file = "orders.csv"', 'file = "orders.xls"'),
            ["input.file", "'orders.xls'"],
        ),
        (
            ('file = "orders.csv"', 'file = "orders.csv"\nmax_rejects = "500%"'),
            ["max_rejects"],
        ),
        (
            ('file = "orders.csv"', 'file = "orders.csv"\nencoding = "klingon"'),
            ["klingon", "no text encoding"],
        ),
        (
            ('file = "orders.csv"', 'file = "orders.csv"\ndelimiter = "ab"'),
            ["delimiter"],
        ),
        (('destination = "recipient"', ""), ["lacks destination"]),
        (('unit = "major"', 'unit = "satang"'), ["columns.amount"]),
        (
            ('customer    = "customer"', 'customer = { column = "a", value = "b" }'),
            ["columns.customer"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\ndescription = { template = "x {a" }',
            ),
            ["every {"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\nmetadata = { order_id = "x" }',
            ),
            ["reserved"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\nmetadata = { batchpay_key = "x" }',
            ),
            ["reserved"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[gateway]\nrate = "0/s"'),
            ["gateway.rate", "'0/s'"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[gateway]\nrate = "-8/s"'),
            ["gateway.rate"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[gateway]\nrate = "8/hour"'),
            ["gateway.rate"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[gateway]\nburst = 9'),
            ["more than the rate"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[gateway]\ntimeout = "inf"'),
            ["gateway.timeout"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[gateway]\ntimeout = "0s"'),
            ["more than nothing"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[gateway]\ntimeout = 65'),
            ["gateway.timeout", "65"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\n[gateway]\nurl = "http://example.com"',
            ),
            ["this machine only"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\n[gateway]\nurl = "https://u:p@example.com"',
            ),
            ["gateway.url"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\n[gateway]\nmode = "live"\ndoubt_period = "149s"',
            ),
            ["150s"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[fee]\npercentage = 10.5'),
            ["fee.percentage", "10.5"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[fee]\nfixed = -1'),
            ["fee.fixed"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\n[controls]\nmax_total = { THB = "1.005" }',
            ),
            ["2 decimals"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\n[controls]\nmax_total = { BTC = "1" }',
            ),
            ["BTC"],
        ),
        (
            (
                'customer    = "customer"',
                'customer = "c"\n[controls]\ntime_zone = "Mars/Olympus"',
            ),
            ["no time zone"],
        ),
        (
            (
                'customer    = "customer"',
                (
                    'customer = "c"\nmetadata = { a = { column = "x", lookup = "gone.csv", '
                    'key = "k", value = "v" } }'
                ),
            ),
            ["gone.csv", "missing"],
        ),
        (
            ('name = "bangkok-nightly"', 'name = "a"\nschema = "../evil.json"'),
            ["the job's folder"],
        ),
        (
            ('name = "bangkok-nightly"', 'name = "a"\nname = "b"'),
            ["not TOML", "a key stands there twice"],
        ),
        (
            ('file = "orders.csv"', 'file = "orders.csv'),
            ["not TOML", "a quote is opened and not closed (at line"],
        ),
        (
            ('currency    = "currency"', 'currency = { value = "BAHT" }'),
            ["columns.currency", "value = 'BAHT' is no currency", "use one of", "THB"],
        ),
        (
            (
                'currency    = "currency"',
                'currency = { column = "c", default = "RM" }',
            ),
            ["default = 'RM' is no currency"],
        ),
        (
            ('customer    = "customer"', 'customer = "c"\n[input.x]\ny = true'),
            ["unknown key 'x'"],
        ),
        (
            ('name = "bangkok-nightly"', 'name = { a = [true, 2026-01-02], b = "c" }'),
            ["name: found { a = [true, 2026-01-02], b = 'c' }"],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, change: tuple[str, str], words: list[str]
) -> None:
    """Place, what was found, what was expected."""
    assert change[0] in SMALLEST
    message = refused(tmp_path, SMALLEST.replace(change[0], change[1], 1))
    for word in words:
        assert word in message, message
    assert "Traceback" not in message


@pytest.mark.fault("X21")
def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """One run of the editor, not five."""
    message = refused(
        tmp_path,
        SMALLEST
        + '\n[gateway]\nrate = "0/s"\nspeed = 1\n[report]\nformats = ["pdf"]\n',
    )
    assert message.count("job.toml: ") == 3


@pytest.mark.fault("X21")
@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbfname = 1",
        "name = 'ü'".encode("utf-16"),
        b"a" * (2 << 20),
        b"a = " + b"[" * 100_000,
        b"name: yaml\n",
        b"{}",
        b"",
        b"a." * 20_000 + b"a = 1",
    ],
)
def test_what_is_no_job_file_is_refused_without_a_crash(
    tmp_path: Path, raw: bytes
) -> None:
    """Other syntaxes are refused, not guessed; bombs do not go off."""
    path = tmp_path / "job.toml"
    path.write_bytes(raw)
    with pytest.raises(Misconfigured):
        load_job(path)


@pytest.mark.fault("X21", "H06")
@pytest.mark.parametrize(
    "place",
    [
        "# skey_test_5xyz1234567890",
        'x = "skey_5xyz1234567890abc"',
        "# pkey_test_5xyz12345678",
    ],
)
def test_a_key_in_a_job_file_is_refused_and_not_repeated(
    tmp_path: Path, place: str
) -> None:
    """Secrets come from the environment only."""
    message = refused(tmp_path, f"{SMALLEST}\n{place}\n")
    assert "OMISE_SECRET_KEY" in message and "5xyz" not in message


def test_a_missing_job_file_is_78(tmp_path: Path) -> None:
    """66 is for a missing input."""
    with pytest.raises(Misconfigured, match="no such job file"):
        load_job(tmp_path / "gone.toml")


TEST, LIVE = GatewaySettings(), GatewaySettings(mode="live")


@pytest.mark.fault("H03", "H06")
@pytest.mark.parametrize(
    "environ, gateway, said",
    [
        ({}, TEST, "no secret key"),
        ({"OMISE_SECRET_KEY": "pkey_test_1"}, TEST, "a public key"),
        ({"OMISE_SECRET_KEY": "hello"}, TEST, "no secret key"),
        ({"OMISE_SECRET_KEY": "skey_test_1"}, LIVE, "a test key"),
        ({"OMISE_SECRET_KEY": "skey_1"}, TEST, "a live key"),
        (
            {"OMISE_SECRET_KEY": "skey_test_1", "OMISE_SECRET_KEY_FILE": "x"},
            TEST,
            "both set",
        ),
        ({"OMISE_SECRET_KEY_FILE": "/nowhere/key"}, TEST, "cannot be read"),
    ],
)
def test_a_key_that_does_not_fit_is_78(
    environ: dict[str, str], gateway: GatewaySettings, said: str
) -> None:
    """Before the first request."""
    with pytest.raises(Misconfigured, match=said):
        secret_key(environ, gateway)


def test_a_key_never_shows_itself(tmp_path: Path) -> None:
    """Not in a repr, a message or a traceback's locals."""
    (tmp_path / "key").write_text("skey_test_secret\n")
    key = secret_key({"OMISE_SECRET_KEY_FILE": str(tmp_path / "key")}, TEST)
    assert key.reveal() == "skey_test_secret"
    assert "secret" not in f"{key} {key!r} {[key]}".replace("SecretKey", "")
    assert isinstance(secret_key({"OMISE_SECRET_KEY": "skey_live_1"}, LIVE), SecretKey)


def test_schema_and_code_know_the_same_keys() -> None:
    """Every key of the schema is named in the code that reads it."""
    readers = (
        Path("batchpay/job") / name
        for name in ("load.py", "columns.py", "lookup.py", "wording.py")
    )
    source = "".join(path.read_text("utf-8") for path in readers)
    schema = json.loads(data_path("schemas/job.schema.json").read_text("utf-8"))

    def names(node: Any) -> set[str]:
        found = set(node.get("properties", {}))
        return found.union(
            *(names(child) for child in node.get("properties", {}).values())
        )

    fields = {
        "order_id",
        "amount",
        "currency",
        "destination",
        "card",
        "customer",
        "source",
        "description",
        "return_uri",
    }
    missing = {name for name in names(schema) - fields if f'"{name}"' not in source}
    assert missing == set()
    for name, child in schema["properties"].items():
        assert child.get("description"), name
        for key, grandchild in child.get("properties", {}).items():
            assert grandchild.get("description") or "$ref" in grandchild, key


@pytest.mark.fault("X15", "X21")
@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("input", "header_row = 1.0"),
        ("input", "max_rejects = 5.0"),
        ("gateway", "burst = 1.0"),
        ("gateway", "concurrency = 8.0"),
        ("controls", "count = 3.0"),
        ("fee", "fixed = 500.0"),
    ],
)
def test_a_whole_number_is_written_as_one(
    tmp_path: Path, table: str, line: str
) -> None:
    """1.0 is not 1, least of all where it is money: one sentence with the line, not a crash
    later.
    """
    text = (
        SMALLEST.replace("[columns]", f"{line}\n[columns]")
        if table == "input"
        else f"{SMALLEST}[{table}]\n{line}\n"
    )
    key, _, value = line.partition(" = ")
    said = refused(tmp_path, text)
    assert f"{table}.{key}: found {value}" in said
    assert f"line {text.split(line)[0].count(chr(10)) + 1}: " in said


@pytest.mark.fault("X21")
@pytest.mark.parametrize(
    ("column", "key", "near"),
    [
        ('amount = { column = "amount", units = "major" }', "units", "unit"),
        ('order_id = { colum = "order_id" }', "colum", "column"),
        (
            'destination = { column = "a", lookup = "r.csv", key = "b", vaule = "c" }',
            "vaule",
            "value",
        ),
    ],
)
def test_an_unknown_key_of_a_columns_table_is_named_too(
    tmp_path: Path, column: str, key: str, near: str
) -> None:
    """With the nearest known key and the line, as everywhere."""
    field = column.split(" ", maxsplit=1)[0]
    lines = [
        column if line.startswith(f"{field} ") else line
        for line in SMALLEST.split("\n")
    ]
    said = refused(tmp_path, "\n".join(lines))
    assert (
        f"line {lines.index(column) + 1}: unknown key '{key}' in [columns.{field}]"
        in said
    )
    assert f"nearest known key is '{near}'" in said


def test_only_a_recipient_has_a_name_for_people(tmp_path: Path) -> None:
    """Elsewhere the key would do nothing, and that is said."""
    (tmp_path / "r.csv").write_text("k,v,n\na,cust_1,Ari\n")
    looked = '{ column = "c", lookup = "r.csv", key = "k", value = "v", name = "n" }'
    text = SMALLEST.replace('"customer"', looked)
    assert text != SMALLEST
    assert "columns.customer.name: only a recipient has a name" in refused(
        tmp_path, text
    )


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (b"k;v\na;cust_1\n", "kept apart by semicolons: save it with commas"),
        (b"k\tv\na\tcust_1\n", "kept apart by tabs: save it with commas"),
        (
            "k,v\nร้าน,cust_1\n".encode("cp874"),
            "from its byte 4 on: save it as CSV UTF-8",
        ),
        (
            "k,v\na,cust_1\n".encode("utf-16"),
            "from its byte 0 on: save it as CSV UTF-8",
        ),
        (b"PK\x03\x04\xff", "is an Excel workbook, whatever its name says: save it as"),
        (b"", "it has nothing at all"),
        (
            b"k ,v\na,cust_1\n",
            "'k ' is that name but for a blank at its beginning or end: type it again",
        ),
        (
            "K,\u200bv\na,cust_1\n".encode(),
            r"it has 'K', '\u200bv'; 'K' is that name but for capital and small letters",
        ),
        (b"sep=,\nk,v\na,cust_1\n", "row 2 holds the names: delete what stands above"),
        (b"Payers\n\nk,v\na,b\n", "row 3 holds the names: delete what stands above"),
    ],
)
def test_a_lookup_file_as_a_spreadsheet_saved_it_is_told_what_to_do(
    tmp_path: Path, data: bytes, remedy: str
) -> None:
    """People keep it in a spreadsheet, too."""
    (tmp_path / "r.csv").write_bytes(data)
    looked = '{ column = "c", lookup = "r.csv", key = "k", value = "v" }'
    assert remedy in refused(tmp_path, SMALLEST.replace('"customer"', looked))


def test_what_was_expected_is_said_in_words(tmp_path: Path) -> None:
    """Not in the words of a validator."""
    said = refused(
        tmp_path,
        f'{SMALLEST}[gateway]\ntimeout = 65\nmode = "prod"\n[controls]\ntotal = {{ THB = 12.5 }}\n',
    )
    assert 'timeout: found 65; expected: A duration as text, such as "65s"' in said
    assert "mode: found 'prod'; expected: test (default) or live" in said
    assert "total.THB: found 12.5; expected: Decimal text in main units" in said


@pytest.mark.parametrize(
    "file",
    ["ORDERS.CSV", "Orders.Tsv", "in/*.XLSX", "a.Parquet", "o.csv.GZ", "in/orders-*"],
)
def test_a_files_name_may_be_in_capitals(tmp_path: Path, file: str) -> None:
    """As old programs write them; a tab is the default of any .tsv."""
    job = load_job(job_file(tmp_path, SMALLEST.replace("orders.csv", file)))
    assert job.input.delimiter == ("\t" if "tsv" in file.lower() else ",")
    assert "expected: One file or a glob" in refused(
        tmp_path, SMALLEST.replace("orders.csv", "orders.txt")
    )


# --- keys of their own


def test_every_choice_that_people_have_is_read(tmp_path: Path) -> None:
    """odd_ids, alike_ids, min_share, near_duplicates and the mode of report files."""
    text = SMALLEST.replace(
        "[columns]", 'odd_ids = "accept"\nalike_ids = "distinct"\n[columns]'
    )
    text += '[controls]\nmin_share = "send"\nnear_duplicates = "hold"\n[report]\nmode = "0640"\n'
    job = load_job(job_file(tmp_path, text))
    assert (job.input.odd_ids, job.input.alike_ids) == ("accept", "distinct")
    assert (job.controls.min_share, job.controls.near_duplicates) == ("send", "hold")
    assert job.report.mode == 0o640
    assert (
        load_job(job_file(tmp_path, text.replace("0640", "0644"))).report.mode == 0o644
    )
    for right, wrong in (
        ("0640", "0666"),
        ('"hold"', '"stop"'),
        ('"send"', "true"),
        ('"accept"', '"Accept"'),
    ):
        assert "expected: " in refused(tmp_path, text.replace(right, wrong))


@pytest.mark.parametrize(
    "amount", ['"amount"', '{ column = "amount" }', '{ value = "20.00" }']
)
def test_an_amount_says_its_unit(tmp_path: Path, amount: str) -> None:
    """Baht or satang is a factor of a hundred: it has no default."""
    said = refused(
        tmp_path, SMALLEST.replace('{ column = "amount", unit = "major" }', amount)
    )
    assert "columns.amount" in said
    assert "unit, which has no default" in said


@pytest.mark.fault("J28")
@pytest.mark.parametrize(
    ("currency", "fixed", "said"),
    [
        ('"currency"', "500", "a plain number needs one fixed currency"),
        ('{ column = "currency" }', "0", "a plain number needs one fixed currency"),
        ('{ value = "THB" }', "{ JPY = 30 }", "it has none for THB"),
        ('{ value = "thb" }', "{ JPY = 30 }", "it has none for THB"),
        ('"currency"', "{ THB = 500, XYZ = 1 }", "XYZ: unknown"),
        ('{ value = "XYZ" }', "500", "XYZ: unknown"),
        ('"currency"', "{ THB = 5.00 }", "fee.fixed: found { THB = 5.0 }"),
        ('"currency"', "{ THB = -1 }", "fee.fixed: found { THB = -1 }"),
        ('"currency"', "{ thb = 1 }", "fee.fixed: found { thb = 1 }"),
        ('"currency"', "{}", "fee.fixed: found {}"),
        ('"currency"', '"500"', "fee.fixed: found '500'"),
    ],
)
def test_a_commission_has_a_currency(
    tmp_path: Path, currency: str, fixed: str, said: str
) -> None:
    """500 is five baht, five dollars or five hundred yen: 78, with the place."""
    text = SMALLEST.replace('currency    = "currency"', f"currency = {currency}")
    assert said in refused(tmp_path, f"{text}[fee]\nfixed = {fixed}\n")


@pytest.mark.fault("J28")
def test_commissions_that_are_clear(tmp_path: Path) -> None:
    """One number for one currency, a table for several, a percentage for all."""

    def fee(currency: str, lines: str) -> Fee | None:
        text = SMALLEST.replace('currency    = "currency"', f"currency = {currency}")
        return load_job(job_file(tmp_path, f"{text}[fee]\n{lines}\n")).fee

    assert fee('{ value = "thb" }', "fixed = 500") == Fee({"THB": 500})
    assert fee(
        '"currency"', 'fixed = { THB = 500, JPY = 0 }\npercentage = "3.5"'
    ) == Fee({"THB": 500, "JPY": 0}, "3.5")
    assert fee('"currency"', 'percentage = "3.5"') == Fee({}, "3.5")


# --- what nobody means

LONG = "x" * 5000


@pytest.mark.fault("J22", "X20", "X21")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "",
            '[gateway]\nurl = "http://127.0.0.1:99999"',
            "gateway.url: 'http://127.0.0.1:99999' is no address",
        ),
        (
            "",
            '[gateway]\nurl = "https://pay.example:0"',
            "a port is a number from 1 to 65535",
        ),
        ("", '[gateway]\nurl = "https://pay.example:8e3"', "is no address"),
        ("", '[gateway]\nurl = "http://[::1"', "is no address"),
        ("", '[gateway]\nurl = "https://:443"', "names no host"),
        (
            "",
            '[report]\ndirectory = "a\\u0000b"',
            "report.directory: 'a\\x00b' holds a NUL character",
        ),
        ("", f'[report]\ndirectory = "{LONG}"', "is longer than a path can be"),
        ("", f'[report]\ndirectory = "{"x/" * 3000}"', "is longer than a path can be"),
        (
            "",
            '[state]\nurl = "sqlite:///a\\u0000b"',
            "state.url: 'a\\x00b' holds a NUL character",
        ),
        ("", f'[state]\nurl = "sqlite:///{LONG}"', "is longer than a path can be"),
        (
            "orders.csv",
            "a\\u0000.csv",
            "input.file: 'a\\x00.csv' holds a NUL character",
        ),
        ("orders.csv", f"{LONG}.csv", "is longer than a path can be"),
        (
            'name = "bangkok',
            'schema = "a\\u0000"\nname = "bangkok',
            "schema: 'a\\x00' holds a NUL character",
        ),
        (
            'name = "bangkok',
            f'schema = "{LONG}"\nname = "bangkok',
            "is longer than a path can be",
        ),
        ('name = "bangkok', 'schema = "circle"\nname = "bangkok', "circle"),
        (
            '"recipient"',
            '{ column = "a", lookup = "a\\u0000", key = "k", value = "v" }',
            "holds a NUL character",
        ),
        (
            '"recipient"',
            '{ column = "a", lookup = ".", key = "k", value = "v" }',
            "is missing, no file",
        ),
        (
            "",
            "[controls]\ncount = 1" + "0" * 5000,
            "holds a value that nobody can mean",
        ),
        (
            "",
            "[controls]\ncount = 0x1" + "f" * 5000,
            "a whole number of more than 64 bits",
        ),
        ("", "[controls]\ncount = 1000000000", "controls.count"),
        ("", f'[controls]\ntime_zone = "{LONG}"', "is no time zone"),
        ("", "[controls]\ncount = 9999-99-99", "not TOML"),
    ],
)
def test_what_no_machine_can_do_is_said(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """Ports, paths, numbers and dates out of range: a sentence with the place, and no bug of
    ours.
    """
    (tmp_path / "circle").symlink_to("circle")
    text = SMALLEST.replace(old, new, 1) if old else f"{SMALLEST}{new}\n"
    assert said in refused(tmp_path, text)


@pytest.mark.fault("J22", "X21")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a." * 20_000 + "a = 1", "line 1: a key of more than 16 parts"),
        (
            SMALLEST + "[" + "a . " * 20_000 + "a]",
            "line 10: a key of more than 16 parts",
        ),
        (
            SMALLEST + "x = { y = 1, " + '"a".' * 20_000 + "'a' = 1 }",
            "line 10: a key of more than 16 parts",
        ),
        (
            SMALLEST + "".join(f"k{number} = 1\n" for number in range(1900)),
            "more is wrong; correct this first",
        ),
        (
            SMALLEST + "".join(f"k{number} = 1\n" for number in range(20_000)),
            "keys and values, at most 2000",
        ),
        (
            SMALLEST
            + "metadata = {"
            + ", ".join(f"k{number} = 1" for number in range(1900))
            + "}",
            "more is wrong",
        ),
        (SMALLEST + "[report]\nformats = [" + '1, "a", ' * 900 + "]", "more is wrong"),
        (
            SMALLEST + "[report]\nformats = [" + "{ a = 1 }, " * 600 + "]",
            "more is wrong",
        ),
        (SMALLEST + "x = " + "{ a = " * 900 + "1" + " }" * 900, "nested too deeply"),
        (SMALLEST + "x = '''" + "'" * 200_000, "not TOML"),
        (SMALLEST + "x = " + " " * 200_000 + "1", "unknown key 'x'"),
        (SMALLEST + "x = 1" + "\t" * 200_000, "unknown key 'x'"),
        (SMALLEST + "a. " + " " * 200_000 + ".b = 1", "not TOML"),
        (SMALLEST + 'x = "' + "\\" * 200_000, "not TOML"),
        (
            SMALLEST + "# " + "a." * 20_000 + "\n# " + "x" * 300_000,
            "larger than 256 KiB",
        ),
    ],
)
def test_no_job_file_burns_time(tmp_path: Path, text: str, said: str) -> None:
    """Refused in under a second, whatever costs the square of its length somewhere."""
    started = time.monotonic()
    assert said in refused(tmp_path, text)
    # a second, on a machine that does nothing else
    assert time.monotonic() - started < 3


def test_long_texts_with_points_are_no_keys(tmp_path: Path) -> None:
    """Strings, comments and texts of several lines may hold as many as they like."""
    points = "a." * 40
    text = (
        f"# {points}\n{SMALLEST}description = {{ template = '''{points}\n{points}''' }}\nsource ="
        f' "{points}"\n'
    )
    assert load_job(job_file(tmp_path, text)).columns.fields["source"] == FromColumn(
        points
    )


@pytest.mark.fault("J22")
def test_a_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one a command is given in, when a path from it is needed."""
    path = job_file(tmp_path, SMALLEST)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load_job(path).input.pattern == str(tmp_path / "orders.csv")
    with pytest.raises(
        Misconfigured, match="the folder that this command runs in is gone"
    ):
        load_job(path, input_override="orders.csv")
    for name in ("job.toml", "x" * 5000, "x/" * 5000):
        with pytest.raises(Misconfigured):
            load_job(Path(name))
