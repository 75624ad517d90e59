"""A folder per case: what a person sends and what they must get. Adding a case is adding a folder.

    job.toml            any job; its gateway's address is replaced by a sandbox's
    1-name.csv, 2-...   input files of any kind, run one after another, each as `batchpay run
      job.toml --input FILE`
    anything else       lies beside them: a lookup file, 1-name.csv.totals.json
    expected/runs.csv       exit code and requests to charge of each run, and what it said about the
      files
    expected/results.csv    where each row ended after the last run, by batch and row
    expected/charges.csv    what the gateway was sent, charge by charge

`python -m tests.cases [NAME ...]` writes the expectations anew. Read what changed before you commit
it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from batchpay.batches.session import Options
from batchpay.commands import run as pipeline
from batchpay.commands.schema import schema
from batchpay.domain.errors import BatchpayError
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from batchpay.sandbox import SandboxServer
from batchpay.terminal.bars import Quiet

HERE = Path(__file__).parent
KEY = SecretKey("skey_test_cases0000000000")
RESULTS = (
    "file",
    "row",
    "sheet",
    "order_id",
    "outcome",
    "amount",
    "currency",
    "amount_major",
    "destination",
    "payment_method",
    "platform_fee",
    "recipient_amount",
    "failure_code",
    "error_code",
    "who_acts",
    "attempts",
    "reason",
    "warnings",
    "settled_by",
)
VOLATILE = (
    (
        re.compile(r"\b\d{4}-\d\d-\d\d-([0-9a-f]{12})\b"),
        r"BATCH-\1",
    ),  # the day of the first receipt
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\bchrg_test_\w+"), "CHARGE"),
)


def cases() -> list[Path]:
    """Every case's folder."""
    return sorted(path.parent for path in HERE.glob("*/job.toml"))


def outcome_of(case: Path) -> dict[str, str]:
    """Run a case from an empty state; the text of each of its expectations as they are now."""
    with (
        tempfile.TemporaryDirectory(prefix="batchpay-case-") as made,
        SandboxServer() as sandbox,
    ):
        folder = Path(made) / "case"
        shutil.copytree(case, folder, ignore=shutil.ignore_patterns("expected"))
        job = folder / "job.toml"
        job.write_text(
            job.read_text("utf-8").replace("http://127.0.0.1:8787", sandbox.url),
            "utf-8",
        )
        inputs = sorted(
            p for p in folder.glob("[0-9]-*") if not p.name.endswith(".totals.json")
        )
        runs = [_run(job, path, sandbox) for path in inputs]
        _hold_against_schema(folder / "reports")
        return {
            "runs.csv": _csv(("file", "exit_code", "posts", "said"), runs),
            "results.csv": _csv(RESULTS, _results(folder / "reports")),
            "charges.csv": _csv(
                (
                    "order_id",
                    "amount",
                    "currency",
                    "destination",
                    "status",
                    "description",
                    "metadata",
                    "platform_fee",
                ),
                _charges(sandbox),
            ),
        }


def _hold_against_schema(reports: Path) -> None:
    """Every report.json is what `batchpay schema report` says. Raises ValidationError."""
    validator = jsonschema.Draft202012Validator(json.loads(schema("report")))
    for path in reports.glob("*/report.json"):
        validator.validate(json.loads(path.read_text("utf-8")))


def _run(job_file: Path, path: Path, sandbox: SandboxServer) -> dict[str, Any]:
    before = len(sandbox.requests("POST", "/charges"))
    try:
        made = pipeline.run(
            load_job(job_file, input_override=str(path)), KEY, Options(), Quiet()
        )
        code, trouble = made.exit_code, made.trouble
    except BatchpayError as error:
        code, trouble = error.exit_code, [error]
    posts = len(sandbox.requests("POST", "/charges")) - before
    said = " | ".join(
        str(error).replace(f"{job_file.parent}/", "") for error in trouble
    )
    return {"file": path.name, "exit_code": code, "posts": posts, "said": _steady(said)}


def _results(reports: Path) -> Iterator[dict[str, str]]:
    found = []
    for path in reports.glob("*/results.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += list(csv.DictReader(file))
    for row in sorted(
        found, key=lambda row: (row["file"], row["sheet"], int(row["row"]))
    ):
        yield {name: _steady(row[name]) for name in RESULTS}


def _charges(sandbox: SandboxServer) -> Iterator[dict[str, Any]]:
    for charge in sorted(
        sandbox.charges(),
        key=lambda c: (c["metadata"]["order_id"], c["created_at"], c["id"]),
    ):
        own = {
            k: v
            for k, v in charge["metadata"].items()
            if not k.startswith("batchpay_") and k != "order_id"
        }
        names = ("amount", "currency", "destination", "status", "description")
        kept = {name: "" if charge[name] is None else charge[name] for name in names}
        yield {
            "order_id": charge["metadata"]["order_id"],
            **kept,
            "metadata": json.dumps(own, ensure_ascii=False),
            "platform_fee": json.dumps(charge["platform_fee"]),
        }


def _steady(text: str) -> str:
    """Without what differs from day to day."""
    for pattern, word in VOLATILE:
        text = pattern.sub(word, text)
    return text


def _csv(names: tuple[str, ...], rows: Any) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
