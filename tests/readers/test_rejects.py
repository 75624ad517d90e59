"""A corrected rejects file comes back as input: our columns are ignored, defused cells are what
they were.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batchpay.domain.errors import Misconfigured
from tests.readers.files import CARD, job, look, look_at, row, text_of
from tests.readers.test_parquet import packed
from tests.world import KEY, Market, order

MARKED = (
    "order_id",
    "amount",
    "currency",
    "recipient",
    "customer",
    "note",
    "invoice",
    "extra",
    "batchpay_row",
    "batchpay_retry",
    "batchpay_defused",
)


def marked(*rows: dict[str, str]) -> str:
    """A rejects file as the accountant sends it back."""
    return text_of(rows, MARKED)


@pytest.mark.fault("X05")
def test_the_apostrophe_we_put_is_taken_off_again(tmp_path: Path) -> None:
    """Only where we put one, and where it still stands; a cell that was corrected is taken as it
    is.
    """
    names = json.dumps(["order_id", "note", "amount"])
    looked = look(
        tmp_path,
        "rejects.csv",
        marked(
            row(1, order_id="'-A1", note="'+66 2", amount="10", batchpay_defused=names),
            row(2, order_id="'-A2", note="'+66 2"),
            row(3, order_id="A3", note="fine", batchpay_defused=""),
            row(4, note="''x", batchpay_defused='["note"]'),
            row(5, note="'x", batchpay_defused='["nobody"]'),
        ),
    )
    assert looked.problems == {}
    assert [document["order_id"] for document in looked.documents[:3]] == ["-A1", "'-A2", "A3"]
    assert [document["description"] for document in looked.documents] == [
        "+66 2",
        "'+66 2",
        "fine",
        "'x",
        "'x",
    ]
    assert looked.documents[0]["amount"] == 1000


@pytest.mark.fault("X05", "X16")
@pytest.mark.parametrize(
    "mark", ["order_id", "[1]", '{"a": 1}', '["order_id"', "[" * 50_000, "NaN", "'[]"]
)
def test_a_mark_that_cannot_be_read_rejects_its_row(tmp_path: Path, mark: str) -> None:
    """Whether an id begins with an apostrophe is not guessed."""
    looked = look(
        tmp_path, "rejects.csv", marked(row(1, order_id="'=A1", batchpay_defused=mark), row(2))
    )
    assert set(looked.problems) == {2}
    assert ("batchpay_defused", "not-a-mark") in looked.rules[2]


@pytest.mark.fault("X05", "X26")
def test_what_stands_behind_the_apostrophe_is_looked_at_like_any_cell(tmp_path: Path) -> None:
    """A card number, a control character."""
    looked = look(
        tmp_path, "rejects.csv", marked(row(1, note=f"'={CARD}", batchpay_defused='["note"]'))
    )
    assert ("note", "card-number") in looked.rules[2]
    assert CARD not in str(looked)


@pytest.mark.fault("X05", "X07", "X12", "H06")
@pytest.mark.parametrize("name", ["orders.csv", "orders.tsv", "orders.parquet"])
def test_rejected_rows_come_back_corrected_through_the_program(market: Market, name: str) -> None:
    """Three rows go wrong, one of them declined; the file that names them is corrected, sent back,
    and all is paid.
    """
    rows = [
        order(1),
        order(2, amount="100.255", invoice="=SUM(A1)"),
        order(3, recipient="acct_1", order_id="-3"),
        order(4, card="tokn_test_sandbox000040011"),
        order(5, invoice="plain"),
    ]
    _write(market.folder / name, rows)
    market.job(file=name)
    first = market.run()
    assert first.returncode == 10, first.stderr
    assert market.outcomes() == {"succeeded": 2, "rejected": 2, "declined": 1}
    (rejects,) = (market.folder / "reports").glob("*/rejects.*")
    back = _read(rejects)
    assert [cells["order_id"].lstrip("'") for cells in back] == ["00002", "-3", "00004"]
    if not name.endswith("parquet"):
        assert back[0]["invoice"] == "'=SUM(A1)"
        assert back[1]["order_id"] == "'-3"
    back[0]["amount"] = "100.25"
    back[1]["recipient"] = "recp_test_sandbox1"
    back[2]["card"] = "tokn_test_sandbox000044242"
    _write(market.folder / f"again-{rejects.name}", back)
    again = market.run("--input", f"again-{rejects.name}")
    assert (again.returncode, again.stderr) == (0, ""), again.stdout
    assert market.money() == dict.fromkeys(["00001", "00002", "-3", "00004", "00005"], 1)
    invoices = {
        c["metadata"]["order_id"]: c["metadata"]["invoice"] for c in market.sandbox.charges()
    }
    assert invoices["00002"] == "=SUM(A1)"
    once_more = market.run("--input", f"again-{rejects.name}")
    assert (once_more.returncode, market.posts()) == (0, 6)


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    if path.suffix == ".parquet":
        path.write_bytes(packed(pa.Table.from_pylist(rows)))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ","
        )
        writer.writeheader()
        writer.writerows(rows)


def _read(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    text = path.read_text("utf-8-sig")
    return list(
        csv.DictReader(
            io.StringIO(text, newline=""), delimiter="\t" if path.suffix == ".tsv" else ","
        )
    )


# --- nothing of a card stays


@pytest.mark.fault("X26", "I12", "H06")
@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_no_file_of_ours_ever_holds_a_card_number(market: Market, name: str) -> None:
    """Neither journal, report, manifest, log nor screen, whichever column it stood in; nor the
    key.
    """
    rows = [
        order(1),
        *(
            order(n, **{column: CARD})
            for n, column in enumerate(("invoice", "order_id", "card", "amount"), 2)
        ),
    ]
    rows.append(order(9, invoice="4242 4242 4242 4242"))
    _write(market.folder / name, rows)
    market.job(file=name)
    result = market.run("--summary")
    checked = market.run(verb="check")
    assert (result.returncode, checked.returncode) == (10, 10)
    assert market.money() == {"00001": 1}
    said = result.stdout + result.stderr + checked.stdout + checked.stderr
    files = {
        path.name: path.read_bytes()
        for path in market.folder.rglob("*")
        if path.is_file() and path.name != name
    }
    assert any(file.endswith(".db") for file in files)
    for what, data in {"screen": said.encode(), **files}.items():
        assert CARD.encode() not in data.replace(b" ", b""), what
        assert KEY.encode() not in data, what


# --- lookups

LOOKED_UP = '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'


@pytest.mark.fault("X28", "X13")
def test_lookup_files(tmp_path: Path) -> None:
    """A shop without a line, with two, without a recipient or with one of the other mode: its rows
    are rejected.
    """
    (tmp_path / "shops.csv").write_text(
        "shop,id\nNorth,recp_test_1\nTwice,recp_test_2\nTwice,recp_test_3\nBare,\nLive,recp_4\nร้าน,recp_test_5\nShort\n",
        "utf-8-sig",
    )
    shops = ("North", "Twice", "Bare", "Live", "ร้าน", "Nobody", "north", "Short")
    looked = look_at(
        tmp_path,
        *(row(number, recipient=shop) for number, shop in enumerate(shops)),
        destination=LOOKED_UP,
    )
    rules = [looked.rules.get(number, [("", "")])[0][1] for number in range(2, 10)]
    assert rules == [
        "",
        "lookup-ambiguous",
        "lookup-empty",
        "other-mode",
        "",
        "lookup-missing",
        "lookup-missing",
        "lookup-missing",
    ]
    assert looked.documents[4]["destination"] == "recp_test_5"


@pytest.mark.fault("X28", "X26")
@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"shop\nNorth\n",
        b"shop,id,id\n",
        b"shop,id\nN\xff,x\n",
        b'shop,id\n"N,x\n',
        f"shop,id\nNorth,{CARD}\n".encode(),
        f"shop,id\n{CARD},recp_test_1\n".encode(),
    ],
)
def test_lookup_files_that_cannot_be_trusted(tmp_path: Path, data: bytes | None) -> None:
    """Missing, empty, without the column, with two of it, no text, a quote that never closes, a
    card number: 78.
    """
    if data is not None:
        (tmp_path / "shops.csv").write_bytes(data)
    with pytest.raises(Misconfigured, match=r"shops\.csv") as caught:
        look_at(tmp_path, row(), destination=LOOKED_UP)
    assert CARD not in str(caught.value)


@pytest.mark.fault("X28")
def test_a_lookup_file_is_part_of_the_plan(market: Market) -> None:
    """Edited between `plan` and `run`: another hash, and the row goes where the file now says."""
    (market.folder / "shops.csv").write_text("shop,id\nA,recp_test_sandbox1\n")
    market.orders([order(1, recipient="A")])
    path = market.job()
    text = path.read_text().replace(
        '"recipient"', '{ column = "recipient", lookup = "shops.csv", key = "shop", value = "id" }'
    )
    path.write_text(text)
    first = json.loads(market.run("--json", verb="plan").stdout)["plan_hash"]
    assert json.loads(market.run("--json", verb="plan").stdout)["plan_hash"] == first
    (market.folder / "shops.csv").write_text("shop,id\nA,recp_test_sandbox2\n")
    assert json.loads(market.run("--json", verb="plan").stdout)["plan_hash"] != first
    assert market.run().returncode == 0
    assert market.sandbox.charges()[0]["destination"] == "recp_test_sandbox2"


# --- very many


@pytest.mark.fault("X29")
def test_fifty_thousand_bad_rows_are_all_told_in_bounded_memory(tmp_path: Path) -> None:
    """Five times as many take no more memory: nothing is kept of a row but its place in the
    report.
    """

    def peak(count: int) -> int:
        bad = "".join(f"A{n},1e{n},XXX,acct_{n},cust_{n},\x01,{CARD},x\n" for n in range(count))
        (tmp_path / "orders.csv").write_text(text_of([]) + bad)
        job(tmp_path, "orders.csv", input='max_rejects = "5%"')
        with (tmp_path / "said").open("w") as said:
            words = [sys.executable, "-m", "batchpay", "check", "job.toml", "--json"]
            process = subprocess.Popen(words, stdout=said, cwd=tmp_path)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 65
        told = (tmp_path / "said").read_text()
        for rule in ("control-character", "card-number", "unknown-currency"):
            assert told.count(f'"rule": "{rule}"') == count
        assert CARD not in told
        return usage.ru_maxrss

    assert peak(50_000) < peak(10_000) * 1.3


# --- schemas of the job


@pytest.mark.fault("X22", "X23")
@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "{url}/order.json"}, "only references inside the file"),
        (
            {"properties": {"amount": {"$ref": "file:///etc/hostname"}}},
            "only references inside the file",
        ),
        (
            {"properties": {"order_id": {"pattern": "^(?=a)(a+)+$"}}},
            "cannot be matched in linear time",
        ),
        ({"$schema": "{url}/mine.json"}, "only https://json-schema.org/draft/2020-12/schema"),
    ],
)
def test_a_schema_of_the_job_reaches_nobody(
    market: Market, schema: dict[str, object], told: str
) -> None:
    """78 through the program, and not one request has reached the address that it names."""
    market.orders([order(1)])
    path = market.job()
    path.write_text('schema = "mine.json"\n' + path.read_text())
    text = json.dumps(schema).replace("{url}", market.sandbox.url)
    (market.folder / "mine.json").write_text(text)
    result = market.run(verb="check")
    assert (result.returncode, result.stdout) == (78, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert market.sandbox.requests() == []
