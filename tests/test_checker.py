"""The judge is judged: a true night has no findings, and each doctored one is flagged by the rule
it breaks.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from batchpay.readers.cells import encode_cells
from tests import checker
from tests.adversary import DECLINED, LOST_AFTER, LOST_BEFORE, PENDING, Adversary, error
from tests.checker import RULES, judge, told
from tests.evidence import Event, Evidence, Facts
from tests.faults.stage import stage
from tests.lives import attempts, key_of
from tests.world import KEY, order

Facts_ = Facts | None
MORE = (
    "[fee]\nfixed = { THB = 500 }\n"
    '[report]\nformats = ["csv", "json", "parquet", "xlsx", "html"]'
)


@pytest.fixture(scope="module")
def true_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after real runs: answers lost, a decline, a refusal, a reject, one pending."""
    folder = tmp_path_factory.mktemp("true") / "night"
    folder.mkdir()
    with Adversary() as gateway:
        made = stage(folder, gateway, more=MORE)
        made.orders([*(order(n) for n in range(12)), order(30, amount="x")])
        gateway.on("00003", LOST_AFTER)
        gateway.on("00005", LOST_BEFORE)
        gateway.on("00007", DECLINED)
        gateway.on("00008", PENDING)
        gateway.on("00009", error(400, "invalid_card", "no"))
        made.run()
        made.quietly()
        made.right()
        assert made.outcomes() == {
            "succeeded": 9,
            "pending": 1,
            "declined": 1,
            "refused": 1,
            "rejected": 1,
        }
    return folder


@pytest.fixture
def folder(true_night: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(true_night, tmp_path / "night"))


# --- how things are spoilt


@contextmanager
def gateway_log(folder: Path) -> Iterator[list[dict[str, Any]]]:
    """The lines of the gateway's log, to change."""
    path = folder / "gateway.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    yield lines
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@contextmanager
def journal(folder: Path, chained: bool = True) -> Iterator[list[list[Any]]]:
    """The lines of the journal, to change; then chained anew, as a clever forger would."""
    connection = sqlite3.connect(folder / "state" / "batchpay.db", isolation_level=None)
    lines = [
        list(line)
        for line in connection.execute("SELECT * FROM plain_events ORDER BY seq")
    ]
    yield lines
    connection.execute("BEGIN")
    for name, kind in connection.execute(
        "SELECT name, type FROM sqlite_master WHERE tbl_name = 'events'"
    ).fetchall():
        if kind == "trigger" or name in ("one_intent_a_send", "charges_told_of"):
            connection.execute(f"DROP {kind} {name}")
    connection.execute("DELETE FROM events")
    digest = checker.GENESIS
    for number, line in enumerate(lines, start=1):
        if chained:
            line[0] = number
            digest = hashlib.sha256(
                (digest + json.dumps(line[:12], ensure_ascii=False)).encode()
            ).hexdigest()
            line[12] = digest
        connection.execute(f"INSERT INTO events VALUES ({','.join('?' * 13)})", line)
    connection.execute("COMMIT")
    connection.close()


@contextmanager
def results(folder: Path) -> Iterator[list[dict[str, str]]]:
    """The rows of results.csv, to change; the manifest is made to fit."""
    (path,) = folder.glob("reports/*/results.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    header = list(rows[0])
    yield rows
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    _mend_manifest(path)


@contextmanager
def document(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """A JSON file of the reports, to change; the manifest is made to fit."""
    (path,) = folder.glob(f"reports/*/{name}")
    content = json.loads(path.read_text())
    yield content
    path.write_text(json.dumps(content))
    if name != "manifest.json":
        _mend_manifest(path)


def _mend_manifest(path: Path) -> None:
    manifest = path.with_name("manifest.json")
    content = json.loads(manifest.read_text())
    content["reports"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(content))


def post_of(lines: list[dict[str, Any]], order_id: str) -> dict[str, Any]:
    """The log's last POST for an order."""
    wanted = f"metadata%5Border_id%5D={order_id}&"
    return [
        line["request"]
        for line in lines
        if "request" in line and wanted in line["request"]["body"]
    ][-1]


def charge_of(lines: list[dict[str, Any]], order_id: str) -> dict[str, Any]:
    """The ledger's line for an order."""
    (found,) = [
        li
        for li in lines
        if "charge" in li and li["charge"]["metadata"].get("order_id") == order_id
    ]
    return found


def events_of(lines: list[list[Any]], order_id: str, kind: str) -> list[list[Any]]:
    """The journal's lines of a kind for an order."""
    return [line for line in lines if line[8] == order_id and line[2] == kind]


def changed(line: list[Any], **fields: Any) -> None:
    """Change the data of a line of the journal; None takes a field away."""
    data = {**json.loads(line[11]), **fields}
    data = {name: value for name, value in data.items() if value is not None}
    line[11] = json.dumps(
        data, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


# --- one way, or some, to break each invariant


def charged_twice(folder: Path) -> None:
    with gateway_log(folder) as lines:
        line = charge_of(lines, "00001")
        lines.append({**line, "charge": {**line["charge"], "id": "chrg_test_900000"}})


def another_sum_at_the_gateway(folder: Path) -> None:
    with gateway_log(folder) as lines:
        charge_of(lines, "00001")["charge"]["amount"] += 1


def a_charge_that_no_book_has(folder: Path) -> None:
    with gateway_log(folder) as lines:
        line = charge_of(lines, "00001")
        metadata = {
            **line["charge"]["metadata"],
            "order_id": "new",
            "batchpay_key": "k",
        }
        lines.append(
            {
                **line,
                "charge": {
                    **line["charge"],
                    "id": "chrg_test_900000",
                    "metadata": metadata,
                },
            }
        )


def another_sum_in_the_report(folder: Path) -> None:
    with document(folder, "report.json") as report:
        report["currencies"][0]["charged_minor"] += 1


def a_workbook_without_the_sum(folder: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Summary"
    book.active.append(["charged", "1.00", "THB"])
    book.save(next(folder.glob("reports/*/report.json")).parent / "report.xlsx")


def a_ledger_of_other_money(folder: Path) -> None:
    import openpyxl

    path = next(folder.glob("reports/*/report.xlsx"))
    book = openpyxl.load_workbook(path)
    book["Ledger"].cell(2, 5).value += 1
    book.save(path)


def a_typed_table_of_other_money(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = next(folder.glob("reports/*/results.parquet"))
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["fee"] += 1
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)


def a_page_without_a_row(folder: Path) -> None:
    page = next(folder.glob("reports/*/report.json")).with_name("report.html")
    page.write_text('<tr data-o="succeeded"><td>2', "utf-8")


def a_row_is_lost(folder: Path) -> None:
    with results(folder) as rows:
        del rows[4]


def a_row_stands_twice(folder: Path) -> None:
    with results(folder) as rows:
        rows.append(rows[4])


def an_outcome_nobody_knows(folder: Path) -> None:
    with results(folder) as rows:
        rows[12]["outcome"] = "processed"


def an_equation_is_open(folder: Path) -> None:
    with document(folder, "report.json") as report:
        report["equations"][0]["left"] += 1


def a_batch_without_a_report(folder: Path) -> None:
    shutil.rmtree(next(folder.glob("reports/*/report.json")).parent)


def another_body(folder: Path) -> None:
    with gateway_log(folder) as lines:
        post = post_of(lines, "00001")
        post["body"] = post["body"].replace("amount=10125", "amount=10126")


def no_intent(folder: Path) -> None:
    with journal(folder) as lines:
        lines[:] = [line for line in lines if line[8] != "00001"]


def a_key_of_another_order(folder: Path) -> None:
    with gateway_log(folder) as lines:
        post_of(lines, "00001")["headers"] = post_of(lines, "00002")["headers"]


def intent_after_arrival(folder: Path) -> None:
    with gateway_log(folder) as lines:
        post_of(lines, "00001")["wall_ns"] -= 10**10


def intent_unseen_at_arrival(folder: Path) -> None:
    with gateway_log(folder) as lines:
        post_of(lines, "00001")["known"] = 0


def a_hidden_retry(folder: Path) -> None:
    with gateway_log(folder) as lines:
        post = post_of(lines, "00005")
        lines.append({"request": {**post, "number": 900, "at": post["at"] + 5}})


def sent_after_it_took_money(folder: Path) -> None:
    with gateway_log(folder) as lines:
        charge_of(lines, "00001")["born"] = post_of(lines, "00001")["at"] - 0.001


def sent_inside_the_period(folder: Path) -> None:
    with gateway_log(folder) as lines:
        post_of(lines, "00005")["boot_s"] -= 0.6


def absence_without_two_lists(folder: Path) -> None:
    with gateway_log(folder) as lines:
        lines[:] = [
            line
            for line in lines
            if not line.get("request", {}).get("target", "").startswith("/charges?")
        ]


def absence_seen_once(folder: Path) -> None:
    with journal(folder) as lines:
        lines.remove(events_of(lines, "00005", "absent")[0])


def sent_while_in_doubt(folder: Path) -> None:
    with journal(folder) as lines:
        for line in events_of(lines, "00005", "absent"):
            lines.remove(line)


def a_voided_send_arrives(folder: Path) -> None:
    with journal(folder) as lines:
        (answer,) = events_of(lines, "00001", "answer")
        answer[2], answer[11] = "voided", '{"state":"held"}'


def a_second_attempt_beside_an_open_one(folder: Path) -> None:
    with journal(folder) as lines:
        (intent,) = events_of(lines, "00001", "intent")
        again = list(intent)
        again[9] = 2
        lines.append(again)


def an_attempt_is_skipped(folder: Path) -> None:
    with journal(folder) as lines:
        for line in lines:
            if line[8] == "00007":
                line[9] = 2


def an_answer_before_its_intent(folder: Path) -> None:
    with journal(folder) as lines:
        (intent,) = events_of(lines, "00001", "intent")
        lines.remove(intent)
        lines.append(intent)


def refused_without_a_refusal(folder: Path) -> None:
    with gateway_log(folder) as lines:
        post_of(lines, "00009")["status"] = 503


def declined_and_paid(folder: Path) -> None:
    with gateway_log(folder) as lines:
        charge_of(lines, "00007")["charge"]["status"] = "successful"


def a_success_becomes_a_decline(folder: Path) -> None:
    with journal(folder) as lines:
        (answer,) = events_of(lines, "00001", "answer")
        found = list(answer)
        found[2], found[10] = "found", 0
        changed(
            found,
            charge={**json.loads(answer[11])["charge"], "status": "failed"},
            state="declined",
        )
        lines.append(found)


def a_state_without_evidence(folder: Path) -> None:
    with journal(folder) as lines:
        changed(events_of(lines, "00001", "answer")[0], verdict="in_doubt", charge=None)


def success_with_another_amount(folder: Path) -> None:
    with journal(folder) as lines:
        (answer,) = events_of(lines, "00001", "answer")
        changed(answer, charge={**json.loads(answer[11])["charge"], "amount": 1})


def a_row_that_flatters(folder: Path) -> None:
    with results(folder) as rows:
        rows[8]["outcome"] = "succeeded"


def an_edited_line(folder: Path) -> None:
    with journal(folder, chained=False) as lines:
        changed(lines[5], extra=1)


def a_line_is_gone(folder: Path) -> None:
    with journal(folder, chained=False) as lines:
        del lines[5]


def a_manifest_of_another_chain(folder: Path) -> None:
    with document(folder, "manifest.json") as manifest:
        manifest["journal"]["digest"] = "0" * 64


def an_earlier_head(folder: Path) -> Facts:
    return Facts(heads=[(10_000, "f" * 64)])


def a_report_is_touched(folder: Path) -> None:
    next(folder.glob("reports/*/results.parquet")).write_bytes(b"PAR1")


def written_again_otherwise(folder: Path) -> Facts:
    return Facts(
        reports_before={str(next(folder.glob("reports/*/results.csv"))): "0" * 64}
    )


def faster_than_agreed(folder: Path) -> None:
    path = folder / "job.toml"
    path.write_text(path.read_text().replace("200/s", "5/s"))


def the_key_in_a_report(folder: Path) -> None:
    with results(folder) as rows:
        rows[8]["reason"] = f"the gateway does not like {KEY}"


def the_key_in_the_journal(folder: Path) -> None:
    with journal(folder) as lines:
        changed(lines[0], note=KEY)


def a_token_in_a_report(folder: Path) -> None:
    with results(folder) as rows:
        rows[8]["payment_method"] = order(8)["card"]


def a_token_is_printed(folder: Path) -> Facts:
    return Facts(output=f"sent {order(8)['card']}")


def a_card_number_in_a_reason(folder: Path) -> None:
    with results(folder) as rows:
        rows[8]["reason"] = "card 4242 4242 4242 4242 is not known"


def a_card_number_in_a_kept_row(folder: Path) -> None:
    connection = sqlite3.connect(folder / "state" / "batchpay.db")
    cells = pa.RecordBatch.from_arrays([pa.array(["4242424242424242"])], names=["note"])
    connection.execute("UPDATE row_chunks SET cells = ?", (encode_cells([2], cells),))
    connection.commit()
    connection.close()


def an_input_is_changed(folder: Path) -> Facts:
    return Facts(inputs_before={"orders.csv": "0" * 64})


def a_code_that_flatters(folder: Path) -> Facts:
    return Facts(exit_code=0)


def a_code_that_hides_a_stop(folder: Path) -> Facts:
    with journal(folder) as lines:
        lines.append([*lines[-1][:2], "stop", *lines[-1][3:]])
    return Facts(exit_code=75)


def still_in_doubt(folder: Path) -> Facts:
    with results(folder) as rows:
        rows[8]["outcome"], rows[8]["who_acts"] = "in_doubt", "next run"
    return Facts(quiet_since=1e12)


def a_send_in_the_quiet(folder: Path) -> Facts:
    return Facts(quiet_since=0.0)


def half_a_report_is_left(folder: Path) -> None:
    (
        next(folder.glob("reports/*/report.json")).parent / ".results.csv.part"
    ).write_text("x")


def a_spool_is_left(folder: Path) -> None:
    (folder / "state" / "answers.tmp").write_text("x")


def memory_without_bounds(folder: Path) -> Facts:
    return Facts(peak_kb=9_000_000)


def descriptors_without_bounds(folder: Path) -> Facts:
    return Facts(most_files=5000)


def a_float_in_the_report(folder: Path) -> None:
    with document(folder, "report.json") as report:
        report["currencies"][0]["outcomes"]["succeeded"]["sum_minor"] += 0.5


def a_float_in_the_journal(folder: Path) -> None:
    with journal(folder) as lines:
        (answer,) = events_of(lines, "00001", "answer")
        changed(answer, charge={**json.loads(answer[11])["charge"], "fee": 78.0})


def a_satang_more_than_the_cell(folder: Path) -> None:
    path = folder / "orders.csv"
    path.write_text(path.read_text().replace("101.25", "101.24"))


def another_fee_than_the_gateway_says(folder: Path) -> None:
    with results(folder) as rows:
        rows[1]["fee"] = "1"


def a_share_that_does_not_add_up(folder: Path) -> None:
    with results(folder) as rows:
        rows[1]["recipient_amount"] = "1"


def no_reason(folder: Path) -> None:
    with results(folder) as rows:
        rows[8]["reason"] = ""


def nobody_acts(folder: Path) -> None:
    with results(folder) as rows:
        rows[8]["who_acts"] = "-"


def a_replaced_run_sends(folder: Path) -> None:
    with journal(folder) as lines:
        (intent,) = events_of(lines, "00001", "intent")
        lines.insert(
            lines.index(intent),
            [*lines[0][:2], "run.started", lines[0][3], "another", *lines[0][5:]],
        )


def a_replaced_epoch_sends(folder: Path) -> None:
    with journal(folder) as lines:
        (intent,) = events_of(lines, "00001", "intent")
        changed(lines[0], epoch=2, shard="s")
        changed(intent, epoch=1, shard="s")


SPOILT: dict[str, list[Callable[[Path], Facts_]]] = {
    "I1": [charged_twice],
    "I2": [
        another_sum_at_the_gateway,
        a_charge_that_no_book_has,
        another_sum_in_the_report,
        a_workbook_without_the_sum,
        a_ledger_of_other_money,
        a_typed_table_of_other_money,
        a_page_without_a_row,
        a_row_is_lost,
        a_row_that_flatters,
    ],
    "I3": [
        a_row_is_lost,
        a_row_stands_twice,
        an_outcome_nobody_knows,
        an_equation_is_open,
        a_batch_without_a_report,
    ],
    "I4": [
        another_body,
        no_intent,
        a_key_of_another_order,
        intent_after_arrival,
        intent_unseen_at_arrival,
    ],
    "I5": [a_hidden_retry, no_intent],
    "I6": [
        sent_after_it_took_money,
        sent_inside_the_period,
        absence_without_two_lists,
        absence_seen_once,
        sent_while_in_doubt,
        a_voided_send_arrives,
        a_hidden_retry,
    ],
    "I7": [
        a_second_attempt_beside_an_open_one,
        an_attempt_is_skipped,
        an_answer_before_its_intent,
        refused_without_a_refusal,
        declined_and_paid,
    ],
    "I8": [
        a_success_becomes_a_decline,
        a_state_without_evidence,
        success_with_another_amount,
        a_row_that_flatters,
    ],
    "I9": [
        an_edited_line,
        a_line_is_gone,
        a_manifest_of_another_chain,
        an_earlier_head,
    ],
    "I10": [a_report_is_touched, written_again_otherwise],
    "I11": [faster_than_agreed],
    "I12": [
        the_key_in_a_report,
        the_key_in_the_journal,
        a_token_in_a_report,
        a_token_is_printed,
        a_card_number_in_a_reason,
        a_card_number_in_a_kept_row,
    ],
    "I13": [an_input_is_changed],
    "I14": [a_code_that_flatters, a_code_that_hides_a_stop],
    "I15": [still_in_doubt, a_send_in_the_quiet],
    "I16": [
        half_a_report_is_left,
        a_spool_is_left,
        memory_without_bounds,
        descriptors_without_bounds,
    ],
    "I17": [a_float_in_the_report, a_float_in_the_journal, a_satang_more_than_the_cell],
    "I18": [another_fee_than_the_gateway_says, a_share_that_does_not_add_up],
    "I19": [no_reason, nobody_acts],
    "I20": [a_replaced_run_sends, a_replaced_epoch_sends],
}


def test_every_rule_has_a_way_to_be_broken() -> None:
    """Twenty invariants, twenty rules, none without a doctored input."""
    assert list(RULES) == list(SPOILT) == [f"I{number}" for number in range(1, 21)]


def test_a_true_night_has_no_findings(true_night: Path) -> None:
    """As a program of its own, too."""
    assert judge(true_night) == []
    run = subprocess.run(
        [sys.executable, "-m", "tests.checker", str(true_night)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0 and "nothing is wrong" in run.stdout, run.stderr


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        pytest.param(name, spoil, id=f"{name}-{spoil.__name__}")
        for name, ways in SPOILT.items()
        for spoil in ways
    ],
)
def test_a_doctored_night_is_flagged(
    folder: Path, name: str, spoil: Callable[[Path], Facts_]
) -> None:
    """By the rule it breaks."""
    facts = spoil(folder)
    found = judge(folder, facts)
    assert name in {finding.rule for finding in found}, told(found)


WAITS, FAILED, PAID = ("pending", False), ("failed", False), ("successful", True)


@pytest.mark.fault("I7", "B16")
@pytest.mark.parametrize(
    ("shown", "outcome"),
    [
        ([("recp_test_2", WAITS), ("recp_test_1", WAITS)], "unproven"),
        ([("recp_test_2", WAITS), ("recp_test_1", PAID)], "unproven"),
        ([("recp_test_2", WAITS), ("recp_test_1", FAILED)], "unproven"),
        (
            [("recp_test_2", WAITS), ("recp_test_1", FAILED), ("recp_test_1", PAID)],
            "unproven",
        ),
        (
            [("recp_test_2", WAITS), ("recp_test_1", FAILED), ("recp_test_1", FAILED)],
            "declined",
        ),
        ([("recp_test_2", FAILED)], "declined"),
        ([("recp_test_2", PAID), ("recp_test_2", PAID)], "unproven"),
    ],
)
def test_a_charge_not_proven_is_closed_when_it_is_told_twice_that_nothing_was_taken(
    tmp_path: Path, shown: list[tuple[str, tuple[str, bool]]], outcome: str
) -> None:
    """What the gateway contradicts itself about may have taken money until then, and a second
    attempt beside it is flagged.
    """
    asked = {"key": key_of("night", "1", 1), "amount": 5, "currency": "thb"}
    lines = [
        (
            "intent",
            1,
            {"intent": {**asked, "destination": "recp_test_1"}, "boot_s": 1.0},
        )
    ]
    for destination, (status, paid) in shown:
        charge = {
            "id": "chrg_test_1",
            "amount": 5,
            "currency": "thb",
            "destination": destination,
        }
        charge |= {
            "status": status,
            "paid": paid,
            "metadata": {"batchpay_key": asked["key"]},
        }
        lines.append(("found", 1, {"charge": charge}))
    again = {"key": key_of("night", "1", 2)}
    lines.append(("intent", 2, {"intent": again, "boot_s": 2.0}))
    events = [
        Event(
            seq, "night", kind, 0, "", "", "", 2, "1", attempt, 1, json.dumps(data), ""
        )
        for seq, (kind, attempt, data) in enumerate(lines, start=1)
    ]
    evidence = Evidence(tmp_path, {"name": "night"}, events=events)
    first, _ = attempts(evidence)["1"]
    assert first.outcome == outcome
    assert bool(list(RULES["I7"](evidence))) is (outcome == "unproven")


@pytest.mark.parametrize(
    ("data", "is_card"),
    [
        ({"fingerprint": "4242424242424242"}, False),
        ({"sample": ["0123456789abcdef", "4242424242424242"]}, False),
        ({"fingerprint": "4242 4242 4242 4242"}, True),
        ({"sample": ["4242424242424242006"], "note": ""}, True),
        ({"sample": ["0123456789abcdef"], "note": "4242424242424242"}, True),
    ],
)
def test_a_hash_of_decimal_digits_is_no_card_number(
    folder: Path, data: dict[str, Any], is_card: bool
) -> None:
    """What a file is known by may look like anything; only the fields that hold it, and only its
    form.
    """
    with journal(folder) as lines:
        changed(lines[0], **data)
    assert any("card number" in finding.text for finding in judge(folder)) is is_card


def test_findings_end_the_program_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is a sentence on its own line."""
    charged_twice(folder)
    assert checker.main([str(folder)]) == 1
    assert "I1: order 00001 is charged 2 times" in capsys.readouterr().out
