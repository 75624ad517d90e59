"""DEMO: the main job, whole, against the gateway's imitation on this machine."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from batchpay.batches.session import Options
from batchpay.commands import run as verb
from batchpay.domain.errors import Bug, CannotWrite, Usage
from batchpay.domain.exits import messages
from batchpay.domain.model import Outcome
from batchpay.domain.money import grouped_text
from batchpay.domain.text import many, visible
from batchpay.job.key import SecretKey
from batchpay.job.load import load_job
from batchpay.job.packaged import data_path, open_regular, read_regular
from batchpay.reconciliation.totals import Totals, must_act
from batchpay.terminal import bars, streams

MARK = ".made-by-batchpay-demo"
MAX_MARK_BYTES = 1 << 20
LEDGER = "sandbox-ledger.jsonl"
KEY = SecretKey("skey_test_demo00000000000")
# What goes wrong at the gateway tonight (sandbox/faults.py): the demo's own script, the same each
# time.
FAULTS: tuple[dict[str, Any], ...] = (
    {
        "action": "reset_after",
        "order_id": "0000027",
        "times": 1,
    },
    {
        "action": "reset_before",
        "order_id": "0000061",
        "times": 1,
    },
    {
        "action": "rate_limited",
        "order_id": "0000090",
        "times": 1,
        "retry_after": "1",
    },
)
STORIES = (
    "was charged, but its answer was lost: in doubt, until a look-up found the charge",
    (
        "was not charged, and no answer came: in doubt, until two look-ups found nothing; then sent"
        " again"
    ),
    "was turned away by the rate limit (429): everybody slowed down; then it was sent again",
)
NIGHTS = (
    ("orders.csv", "The night's orders, a CSV file with every kind of trouble in it."),
    (
        "orders.parquet",
        "The same orders again, as Parquet: somebody exported them twice.",
    ),
    (
        "orders.xlsx",
        "And again, as an Excel workbook: somebody opened and re-saved them.",
    ),
)
FILES = ("job.toml", "recipients.csv", *(file for file, _ in NIGHTS))
MEANING = {
    Outcome.SUCCEEDED: "charged once, the split proven",
    Outcome.PENDING: "a QR code nobody has scanned yet: the next run asks again",
    Outcome.DECLINED: "the bank said no: the payer must act",
    Outcome.REJECTED: (
        "broke a rule and was never sent: the accountant corrects them in the rejects file"
    ),
    Outcome.DUPLICATE: (
        "asks for an order that has its owner: nothing is sent, the owner's charge is named"
    ),
    Outcome.CONFLICT: "one order id, two different amounts: nobody guesses, neither is sent",
    Outcome.HELD: "the recipient is not verified yet: sent by the first run after it is",
}
INTRODUCTION = """\
A marketplace's night in Bangkok: orders of eleven shops, in baht and yen, against a gateway that
runs on this machine. The gateway does not know idempotency keys, loses answers and slows us down.
Nothing but batchpay keeps a payer from being charged twice. Periods are short here: a doubt lasts
4 s, in a real job 150 s."""
USES = {
    "report.html": "one page for everybody: the verdict, where the money went, who must act; opens"
    " in a browser",
    "report.xlsx": "the workbook for accountants: every row and every sum, checked",
    "results.csv": "every row of the file once: where it ended, its charge, fees, why, who acts",
    "report.json": "the totals and the equations that must close, for programs",
    "rejects.csv": "only the rows somebody must correct, ready to be sent back",
    "rejects.xlsx": "the same rows as a workbook",
    "manifest.json": "SHA-256 of all of it and the head of the journal, for auditors",
}
PROMISE = """\
Three files, one charge an order: by the gateway's own ledger {charges} orders were paid,
{twice} of them twice. To feed a file again is always safe: what is done is not done again, and
what was left open is settled."""
AGAIN = """\
The gateway of this night has ended. For the commands that the reports tell to type (status needs
none) start it again on what it kept, in another terminal:

  batchpay sandbox --port {port} --ledger {ledger}

and then here:

  cd {folder} && export OMISE_SECRET_KEY={key}"""


def _silent(text: str) -> None:
    """With `--json` nothing is said in words."""


def demo(directory: Path | None, *, as_json: bool) -> int:
    """Run it; returns 0 when everything went as such a night must."""
    from batchpay.sandbox import SandboxServer

    where = _prepared(directory or Path("demo"))
    told: list[dict[str, Any]] = []
    begun = time.monotonic()
    say: Callable[[str], None] = streams.write_lines
    if as_json:
        say = _silent
    say(INTRODUCTION)
    with SandboxServer(rules=FAULTS, ledger_path=where / LEDGER) as sandbox:
        for number, (file, story) in enumerate(NIGHTS, 1):
            say(f"\n{number}. {story}\n")
            told.append(_night(where, file, sandbox, say))
        paid = [one for one in sandbox.charges() if one["status"] == "successful"]
    money = Counter(charge["metadata"]["order_id"] for charge in paid)
    seconds = time.monotonic() - begun
    _check(told, money)
    if as_json:
        streams.write_json({"nights": told, "seconds": round(seconds, 1)})
        return 0
    twice = sum(number > 1 for number in money.values())
    say("")
    say(PROMISE.format(charges=len(money), twice=twice))
    say(f"\nDone in {seconds:.0f} s. The reports of the first file, for you to open:\n")
    written = {Path(path).name: path for path in told[0]["reports"]}
    for name, use in USES.items():
        say(f"  {visible(written[name])}\n    {use}")
    say(f"\n{_again(where, sandbox.port)}")
    return 0


def _again(where: Path, port: int) -> str:
    """How what the reports tell to type is tried: their gateway ended with the demo."""
    folder = shlex.quote(str(where))
    ledger = shlex.quote(str(where / LEDGER))
    # of no account, and in quotes no screen takes it for a key that it must hide
    kind, _, rest = KEY.reveal().rpartition("_")
    key = f'{kind}_"{rest}"'
    return AGAIN.format(folder=folder, ledger=ledger, port=port, key=key)


def _prepared(where: Path) -> Path:
    """A fresh folder with the samples; what an old demo made is removed, anything else is left
    alone.
    """
    try:
        if where.exists() and any(where.iterdir()):
            if not (where / MARK).exists():
                raise Usage(
                    f"{where} is not empty and not an old demo; name another folder with"
                    " --directory"
                )
            _refuse_changed(where)
            for name in ("reports", "state"):
                shutil.rmtree(where / name, ignore_errors=True)
            (where / LEDGER).unlink(missing_ok=True)
        where.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(data_path(f"samples/{name}"), where / name)
        _mark(where)
    except OSError as error:
        raise CannotWrite(
            f"{where}: cannot make the demo's folder: {error.strerror}"
        ) from error
    return where


def _mark(where: Path) -> None:
    """Remember what the demo wrote, so that the next one overwrites nothing else."""
    (where / MARK).write_text(json.dumps(_digests(where)), "utf-8")


def _refuse_changed(where: Path) -> None:
    """Somebody who has made the demo's job his own keeps it, and its journal."""
    try:
        written = json.loads(read_regular(where / MARK, MAX_MARK_BYTES))
    except (ValueError, RecursionError):
        written = None
    changed = [
        name
        for name, digest in _digests(where).items()
        if not written or written.get(name) != digest
    ]
    if changed or any(
        (where / name).is_symlink() for name in (*FILES, "reports", "state")
    ):
        what = ", ".join(changed) or "a link"
        raise Usage(
            f"{where}: {what} was changed since a demo wrote it; name another folder with"
            " --directory"
        )


def _digests(where: Path) -> dict[str, str]:
    return {name: _digest(where / name) for name in FILES if (where / name).exists()}


def _digest(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _night(where: Path, file: str, sandbox: Any, say: Any) -> dict[str, Any]:
    job_file = where / "job.toml"
    sample = data_path("samples/job.toml").read_text("utf-8")
    job_file.write_text(sample.replace("http://127.0.0.1:8787", sandbox.url), "utf-8")
    _mark(where)
    job = load_job(job_file, input_override=str(where / file))
    before = len(sandbox.requests("POST", "/charges"))
    with bars.progress(job.name) as progress:
        result = verb.run(job, KEY, Options(), progress)
    if result.trouble:
        # Ctrl-C, a full disk: the demo ends here, as a run would
        raise result.trouble[0]
    posts = Counter(
        entry.order_id for entry in sandbox.requests("POST", "/charges")[before:]
    )
    mine = next(
        published for published in result.published if published.batch.file == file
    )
    for line in _verdict(mine.totals, posts, result.exit_code):
        say(f"   {line}")
    return {
        "file": file,
        "outcomes": mine.totals.outcomes(),
        "posts": posts.total(),
        "exit_code": result.exit_code,
        "reports": [str(path) for path in mine.files],
    }


def _verdict(totals: Totals, posts: Counter[str], exit_code: int) -> Iterator[str]:
    """What a person wants to know of a night: the money, the rows, what happened at the gateway,
    what is next.
    """
    sums = totals.money_moved().items()
    moved = " and ".join(f"{grouped_text(minor, code)} {code}" for code, minor in sums)
    yield f"{moved or 'Nothing'} charged. {many(totals.rows_read, 'row')} ="
    for name, number in totals.outcomes().items():
        yield f"{number:7} {name:10} {MEANING.get(Outcome(name), '')}"
    if not posts:
        yield (
            "0 requests to charge left this machine, and that is the point: the first file settled"
            " these orders."
        )
        return
    yield f"{posts.total()} requests to charge left this machine."
    for rule, story in zip(FAULTS, STORIES, strict=True):
        yield f"  Order {rule['order_id']} {story}."
        yield f"    {posts[rule['order_id']]} sent, 1 charge."
    yield f"Under cron it would exit with {exit_code} and say:"
    for step in messages(exit_code, must_act([totals])):
        yield f"  {step}"


def _check(told: list[dict[str, Any]], money: Counter[str]) -> None:
    """The demo is a promise too: it must not end well when the night did not."""
    first, *again = told
    outcomes = first["outcomes"]
    charged = outcomes.get(Outcome.SUCCEEDED.value, 0) > 150
    settled = Outcome.IN_DOUBT.value not in outcomes
    once = set(money.values()) == {1} and all(
        rule["order_id"] in money for rule in FAULTS
    )
    sent_again = any(night["posts"] for night in again)
    if not (charged and settled and once) or sent_again:
        raise Bug(f"the demo did not end as it must: {json.dumps(told)}")
