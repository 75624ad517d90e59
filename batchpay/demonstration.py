"""`demo` and `sandbox`: the main job, whole, against the gateway's imitation on this machine."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from batchpay import pipeline, saying, streams
from batchpay.config import SecretKey, load_job
from batchpay.data import data_path
from batchpay.errors import Bug, CannotWrite, Usage
from batchpay.model import Outcome
from batchpay.money import grouped_text
from batchpay.session import Options

MARK = ".made-by-batchpay-demo"
KEY = SecretKey("skey_test_demo00000000000")
# What goes wrong at the gateway tonight (sandbox/faults.py): the demo's own script, the same each time.
FAULTS: tuple[dict[str, Any], ...] = (
    {"action": "reset_after", "order_id": "0000027", "times": 1},  # charged, and the answer is lost
    {"action": "reset_before", "order_id": "0000061", "times": 1},  # not charged, and no answer
    {"action": "rate_limited", "order_id": "0000090", "times": 1, "retry_after": "1"},
)
NIGHTS = (
    ("orders.csv", "The night's orders, from a CSV file with every kind of trouble in it."),
    ("orders.parquet", "The same orders again, from Parquet: somebody exported them twice."),
    ("orders.xlsx", "And again, from Excel: somebody re-saved them."),
)


def demo(directory: Path | None, *, as_json: bool) -> int:
    """Run it; returns 0 when everything went as such a night must."""
    from batchpay.sandbox import SandboxServer

    where = _prepared(directory or Path("demo"))
    told: list[dict[str, Any]] = []
    begun = time.monotonic()
    say = (lambda text: None) if as_json else streams.write
    say("A marketplace's night in Bangkok: 202 rows of ten shops, in baht and yen. The gateway is a sandbox on this")
    say("machine; it does not know idempotency keys. Periods are short: a doubt lasts 4 s here, 150 s in a real job.")
    with SandboxServer(rules=FAULTS, ledger_path=where / "sandbox-ledger.jsonl") as sandbox:
        for file, story in NIGHTS:
            say(f"\n{story}")
            told.append(_night(where, file, sandbox, say))
    seconds = time.monotonic() - begun
    _check(told)
    if as_json:
        streams.write(json.dumps({"nights": told, "seconds": round(seconds, 1)}, ensure_ascii=False, indent=2))
        return 0
    say("\nEvery order was charged once, by three files. Sent again, a charged order is a duplicate that names the and")
    say("row and the charge that own it; not one request to charge left this machine. That is the first promise.")
    say(f"\nDone in {seconds:.0f} s. The reports of the first file:")
    for path in told[0]["reports"]:
        say(f"  {path}")
    say("Open results.csv for every row, rejects.csv for what the accountant must correct, report.json for programs.")
    return 0


def _prepared(where: Path) -> Path:
    """A fresh folder with the samples; an old demo is removed, anything else is left alone."""
    try:
        if where.exists() and any(where.iterdir()):
            if not (where / MARK).exists():
                raise Usage(f"{where} is not empty and not an old demo; name another folder with --directory")
            shutil.rmtree(where)
        where.mkdir(parents=True, exist_ok=True)
        (where / MARK).touch()
        for name in ("job.toml", "recipients.csv", *(file for file, _ in NIGHTS)):
            shutil.copyfile(data_path(f"samples/{name}"), where / name)
    except OSError as error:
        raise CannotWrite(f"{where}: cannot make the demo's folder: {error.strerror}") from error
    return where


def _night(where: Path, file: str, sandbox: Any, say: Any) -> dict[str, Any]:
    job_file = where / "job.toml"
    sample = data_path("samples/job.toml").read_text("utf-8")
    job_file.write_text(sample.replace("http://127.0.0.1:8787", sandbox.url), "utf-8")
    job = load_job(job_file, input_override=str(where / file))
    posts = len(sandbox.requests("POST", "/charges"))
    with saying.talk(job.name) as talk:
        result = pipeline.run(job, KEY, Options(), talk)
    sent = len(sandbox.requests("POST", "/charges")) - posts
    mine = next(published for published in result.published if published.batch.file == file)
    outcomes = mine.totals.outcomes()
    say(f"  {mine.totals.rows_read} rows = " + ", ".join(f"{number} {name}" for name, number in outcomes.items()))
    for currency, minor in mine.totals.money_moved().items():
        say(f"  charged {grouped_text(minor, currency)} {currency}")
    say(f"  {sent} requests to charge left this machine")
    return {
        "file": file,
        "outcomes": outcomes,
        "posts": sent,
        "exit_code": result.exit_code,
        "reports": [str(path) for path in mine.files],
    }


def _check(told: list[dict[str, Any]]) -> None:
    """The demo is a promise too: it must not end well when the night did not."""
    first, *again = told
    well = first["outcomes"].get(Outcome.SUCCEEDED.value, 0) > 150 and Outcome.IN_DOUBT.value not in first["outcomes"]
    if not well or any(night["posts"] for night in again):
        raise Bug(f"the demo did not end as it must: {json.dumps(told)}")


def serve_sandbox(port: int, script: Path | None, ledger: Path | None, idempotency: str) -> None:
    """Serve until SIGINT or SIGTERM."""
    from batchpay.sandbox import serve

    serve(
        port, script=script, idempotency=idempotency, ledger_path=ledger,
        on_ready=lambda url: streams.write(f"{url} (Ctrl-C ends it; secret key: any skey_test_...)"),
    )  # fmt: skip
