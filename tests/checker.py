"""The outside judge: did anybody pay twice, was anything lost, do all books say the same?

    python -m tests.checker FOLDER ...

It reads what `tests.evidence` reads - the gateway's own log, the journal, the reports, the inputs -
and holds it against the invariants I1 to I20 of docs/laws.md. Each is one function that returns
sentences, so that a caller sees all of them. The life of every charge is derived again in
`tests.lives`; no verdict of the product is trusted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.evidence import (
    Evidence,
    Facts,
    Row,
    form,
    input_rows,
    rate,
    read,
    seconds,
    sha256,
)
from tests.lives import (
    ATTEMPTS,
    CLOSED,
    MONEY,
    NEXT,
    Attempt,
    Send,
    attempts,
    flaws,
    key_of,
    orphans,
)

OUTCOMES = (
    "succeeded",
    "unproven",
    "pending",
    "declined",
    "expired",
    "reversed",
    "refused",
    "in_doubt",
    "rejected",
    "duplicate",
    "conflict",
    "held",
)
SENT = frozenset(OUTCOMES[:8])
EXPONENT = {"JPY": 0, "KRW": 0, "VND": 0}  # others have two decimals
GENESIS = "0" * 64
LARGEST_KB, MOST_FILES = 600_000, 256
CARD = re.compile(r"(?<![0-9A-Za-z._-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![0-9A-Za-z_])")
# fields of an event, or of a manifest, that hold hashes of 64 bits: one in 2000 has decimal digits
# only
HASHES = re.compile(
    r'"(?:fingerprint|sample|heads|event|over)":\s*'
    r'(?:"[0-9a-f]{16}"|\[\s*(?:"[0-9a-f]{16}"(?:,\s*)?)*\s*\])'
)
# of a run's beginning: words of the job file, by its keys
SETTINGS = "settings"
MONEY_FIELDS = frozenset(
    {"amount", "fee", "fee_vat", "net", "platform_fee", "sum_minor", "charged_minor"}
)


@dataclass(frozen=True)
class Finding:
    """One sentence about one broken invariant."""

    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


Rule = Callable[[Evidence], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Enter a function under its own name."""
    RULES[function.__name__.upper()] = function
    return function


def judge(folder: Path, facts: Facts | None = None) -> list[Finding]:
    """Everything that is wrong in a folder."""
    evidence = read(folder, facts)
    return [
        Finding(name, text) for name, check in RULES.items() for text in check(evidence)
    ]


# --- the gateway and the journal


@rule
def i1(e: Evidence) -> Iterator[str]:
    """At most one money-taking charge per order; a pending one may take it yet."""
    taken = defaultdict(list)
    for charge in e.ours:
        if charge["status"] in ("successful", "pending"):
            taken[charge["metadata"]["order_id"]].append(charge["id"])
    for order_id, ids in taken.items():
        if len(ids) > 1:
            yield f"order {order_id} is charged {len(ids)} times: {', '.join(ids)}"


@rule
def i2(e: Evidence) -> Iterator[str]:
    """Gateway, journal, results.csv, results.parquet, report.json, report.xlsx and report.html show
    the same money, charge by charge.
    """
    lives = attempts(e)
    waiting = {
        o for o, some in lives.items() if some[-1].outcome in ("in_doubt", "pending")
    }
    gateway = {
        c["id"]: (c["currency"].upper(), c["amount"])
        for c in e.ours
        if c["status"] == "successful" and c["metadata"]["order_id"] not in waiting
    }
    journal = {
        str(a.charge["id"]): (
            str(a.charge.get("currency", "")).upper(),
            a.charge["amount"],
        )
        for some in lives.values()
        for a in some
        if a.outcome in MONEY and a.charge
    }
    results = {
        r["charge_id"]: (r["currency"], _charged(r))
        for r in e.results
        if r["outcome"] in MONEY
    }
    yield from _compared("the gateway", gateway, "the journal", journal)
    if e.reports:
        yield from _compared("the journal", journal, "results.csv", results)
    sums: Counter[str] = Counter()
    for row in e.results:
        if row["outcome"] in MONEY:
            sums[row["currency"]] += _charged(row)
    told: Counter[str] = Counter()
    for report in e.reports:
        for item in report["currencies"]:
            told[item["currency"]] += item["charged_minor"]
    if e.reports and +sums != +told:
        yield f"results.csv charges {dict(sums)}, report.json {dict(told)}"
    yield from _typed(e)
    yield from _workbooks(e)
    yield from _ledgers(e)
    yield from _pages(e)


def _charged(row: Row) -> int:
    return int(row.get("charged_amount") or row["amount"])


def _compared(
    one: str, left: Mapping[str, Any], other: str, right: Mapping[str, Any]
) -> Iterator[str]:
    for charge_id in sorted({**left, **right}):
        if left.get(charge_id) != right.get(charge_id):
            yield (
                f"{charge_id}: {one} has {left.get(charge_id)}, {other} has {right.get(charge_id)}"
            )


_IN_BOTH = (
    "order_id",
    "outcome",
    "charge_id",
    "currency",
    "charged_amount",
    "fee_currency",
    "fee",
    "fee_vat",
    "net",
    "platform_fee",
    "recipient_amount",
    "refunded_amount",
)


def _typed(e: Evidence) -> Iterator[str]:
    """results.parquet has the rows of results.csv, with the same money."""
    for path in sorted(e.report_folder.glob("*/results.parquet")):
        import pyarrow.parquet as pq

        batch = path.parent.name
        try:
            table = pq.read_table(path, columns=["row", "sheet", *_IN_BOTH])
        except (ValueError, OSError) as error:
            yield f"{batch}/results.parquet cannot be read: {error}"
            continue
        told = {(one["sheet"] or "", str(one["row"])): one for one in table.to_pylist()}
        for row in e.results:
            if row["batch_id"] != batch:
                continue
            one = told.pop((row["sheet"], row["row"]), {})
            differs = [
                name
                for name in _IN_BOTH
                if _undefused(row[name]) != _text(one.get(name))
            ]
            if differs:
                yield f"{batch}/results.parquet: row {row['row']} differs in {differs}"
        if told:
            yield f"{batch}/results.parquet: {len(told)} rows that results.csv has not"


def _undefused(text: str) -> str:
    """Without the apostrophe that a spreadsheet needs."""
    return text.removeprefix("'")


def _text(value: Any) -> str:
    return "" if value is None else str(value).removeprefix("'")


def _ledgers(e: Evidence) -> Iterator[str]:
    """The sheet Ledger lists every charge that moved money, with the amount of results.csv."""
    for path in sorted(e.report_folder.glob("*/report.xlsx")):
        import openpyxl

        book = openpyxl.load_workbook(path, read_only=True)
        lines = []
        if "Ledger" in book.sheetnames:
            lines = list(book["Ledger"].iter_rows(min_row=2, values_only=True))
        book.close()
        told = {
            str(line[2]): (str(line[3]), Decimal(str(line[4])))
            for line in lines
            if line[2]
        }
        batch = path.parent.name
        rows = {
            row["charge_id"]: (row["currency"], _major(row))
            for row in e.results
            if row["batch_id"] == batch and row["outcome"] == "succeeded"
        }
        of_them = {one: told[one] for one in told if one in rows}
        yield from _compared("results.csv", rows, f"{batch}/report.xlsx", of_them)


def _major(row: Row) -> Decimal:
    return Decimal(_charged(row)) / 10 ** EXPONENT.get(row["currency"], 2)


def _pages(e: Evidence) -> Iterator[str]:
    """report.html has every currency's charged total, and every row once, as results.csv has it."""
    for path in sorted(e.report_folder.glob("*/report.html")):
        text = path.read_text("utf-8")
        report = json.loads(path.with_name("report.json").read_text("utf-8"))
        for item in report["currencies"]:
            whole, point, fraction = str(item["charged"]).partition(".")
            shown = f"{int(whole):,}{point}{fraction} {item['currency']}"
            if item["charged_minor"] and shown not in text:
                yield f"{path.parent.name}/report.html does not show {shown}"
        told = Counter(re.findall(r'<tr data-o="(\w+)"', text))
        counted = Counter(report["outcomes"])
        if told != counted:
            yield f"{path.parent.name}/report.html lists {dict(told)}, report.json {dict(counted)}"


def _workbooks(e: Evidence) -> Iterator[str]:
    """The Summary sheet shows every currency's charged total, as a number or as text."""
    for path in sorted(e.report_folder.glob("*/report.xlsx")):
        import openpyxl

        book = openpyxl.load_workbook(path, read_only=True)
        cells = {
            str(cell)
            for line in book["Summary"].iter_rows(values_only=True)
            for cell in line
            if cell is not None
        }
        numbers = {text.replace(",", "").rstrip("0").rstrip(".") for text in cells}
        book.close()
        report = json.loads(path.with_name("report.json").read_text("utf-8"))
        for item in report["currencies"]:
            wanted = str(item["charged"]).replace(",", "")
            short = wanted.rstrip("0").rstrip(".") if "." in wanted else wanted
            if item["charged_minor"] and short not in numbers and wanted not in cells:
                yield (
                    f"{path.parent.name}/report.xlsx: Summary does not show {item['charged']}"
                    f" {item['currency']}"
                )


@rule
def i3(e: Evidence) -> Iterator[str]:
    """Every row of every batch's file stands in its results exactly once; the equations close."""
    by_digest = {sha256(path): path for path in e.input_files}
    rows_of = defaultdict(list)
    for row in e.results:
        rows_of[row["batch_id"]].append(row)
    for report in e.reports:
        batch, rows = report["batch"], rows_of.pop(report["batch"]["id"], [])
        if path := by_digest.get(batch["sha256"]):
            wanted = Counter(
                (path.name, sheet, str(number)) for sheet, number, _ in input_rows(path)
            )
            wanted = Counter(
                {
                    (batch["file"], sheet, number): n
                    for (_, sheet, number), n in wanted.items()
                }
            )
            shown = Counter((row["file"], row["sheet"], row["row"]) for row in rows)
            for place in sorted({*wanted, *shown}):
                if wanted[place] != shown[place]:
                    yield (
                        f"row {place} stands {wanted[place]} times in the file, {shown[place]}"
                        " times in results"
                    )
        yield from _equations(report, rows)
    for batch_id in rows_of:
        yield f"batch {batch_id} has results and no report.json"
    yield from _unreported(e)


def _equations(report: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    name, counts = report["batch"]["id"], Counter(row["outcome"] for row in rows)
    if unknown := set(counts) - set(OUTCOMES):
        yield f"batch {name}: no such outcome: {sorted(unknown)}"
    if +counts != Counter(report["outcomes"]):
        yield f"batch {name}: results.csv counts {dict(counts)}, report.json {report['outcomes']}"
    if report["batch"]["rows_read"] != len(rows):
        yield f"batch {name}: {report['batch']['rows_read']} rows read, {len(rows)} reported"
    sent = sum(
        bool(row["sent_at"] or row["idempotency_key"]) and row["outcome"] != "held"
        for row in rows
    )
    if sent != sum(counts[outcome] for outcome in SENT):
        yield (
            f"batch {name}: {sent} rows have a send, {sum(counts[o] for o in SENT)} ended as sent"
            " rows do"
        )
    for equation in report["equations"]:
        if not equation["closes"] or equation["left"] != equation["right"]:
            yield f"batch {name}: {equation['name']}: {equation['left']} is not {equation['right']}"


def _unreported(e: Evidence) -> Iterator[str]:
    """A batch that was planned before a run ended has its reports."""
    finished = max(
        (event.seq for event in e.events if event.kind == "run.finished"), default=0
    )
    told = {report["batch"]["id"] for report in e.reports}
    for event in e.events:
        if (
            event.kind == "batch.planned"
            and event.seq < finished
            and event.batch_id not in told
        ):
            yield f"batch {event.batch_id} was planned and has no report"
            told.add(event.batch_id)


@rule
def i4(e: Evidence) -> Iterator[str]:
    """Every POST has an intent with its key and body, committed before it arrived."""
    intents = {
        a.asked["key"]: a for some in attempts(e).values() for a in some if a.sends
    }
    nth: Counter[str] = Counter()
    for post in e.posts:
        body, key = (
            form(post["body"]),
            dict(map(tuple, post["headers"])).get("idempotency-key", ""),
        )
        nth[key] += 1
        order_id, where = body.get("metadata[order_id]", ""), f"POST {post['number']}"
        if body.get("metadata[batchpay_key]") != key:
            yield (
                f"{where}: the header says key {key}, the body {body.get('metadata[batchpay_key]')}"
            )
        if all(key != key_of(e.name, order_id, n) for n in range(1, ATTEMPTS + 1)):
            yield f"{where}: {key} is no key of order {order_id}"
        attempt = intents.get(key)
        if attempt is None:
            yield f"{where}: order {order_id} was asked for and the journal has no intent"
            continue
        digest = hashlib.sha256(post["body"].encode("latin-1")).hexdigest()
        if (
            attempt.asked["body"] != post["body"]
            or digest != attempt.asked["body_sha256"]
        ):
            yield f"{where}: its body is not the one of order {order_id}'s intent"
        if any(send.event.data["sha256"] != digest for send in attempt.sends):
            yield f"{where}: the sends of order {order_id} do not carry one digest"
        if attempt.sends[0].event.at_ns > post["wall_ns"]:
            yield f"{where}: it arrived before the intent of order {order_id}"
        if post["known"] is not None and post["known"] < nth[key]:
            yield (
                f"{where}: number {nth[key]} for its key, and the journal knew {post['known']}"
                " intents then"
            )


@rule
def i5(e: Evidence) -> Iterator[str]:
    """No POST that is not a send of the journal: nobody repeats below us."""
    lives = {a.asked["key"]: a for some in attempts(e).values() for a in some}
    for key, count in Counter(_key(post) for post in e.posts).items():
        sends = (
            sum(send.end != "voided" for send in lives[key].sends)
            if key in lives
            else 0
        )
        if count > sends:
            yield f"key {key}: {count} POSTs arrived, the journal has {sends} sends"


def _key(post: Mapping[str, Any]) -> str:
    return str(dict(map(tuple, post["headers"])).get("idempotency-key", ""))


@rule
def i6(e: Evidence) -> Iterator[str]:
    """No POST inside a doubt period, after its order took money, or for a voided intent."""
    born = defaultdict(list)
    for charge in e.ours:
        if charge["status"] in ("successful", "pending"):
            born[charge["metadata"]["order_id"]].append(charge)
    lives = {a.asked["key"]: a for some in attempts(e).values() for a in some}
    for post in e.posts:
        order_id = form(post["body"]).get("metadata[order_id]", "")
        for charge in born[order_id]:
            if e.born[charge["id"]] < post["at"]:
                yield (
                    f"POST {post['number']}: order {order_id} had taken money already by"
                    f" {charge['id']}"
                )
        if attempt := lives.get(_key(post)):
            yield from _in_period(e, attempt, post)
    for some in lives.values():
        for send in some.sends:
            for earlier in send.unanswered:
                yield (
                    f"order {some.order_id}: send {send.event.send} was intended while send"
                    f" {earlier} was in doubt"
                )


def _in_period(e: Evidence, attempt: Attempt, post: Mapping[str, Any]) -> Iterator[str]:
    sends = [send for send in attempt.sends if send.event.at_ns <= post["wall_ns"]]
    if not sends:
        return
    mine, where = sends[-1], f"POST {post['number']}: order {attempt.order_id}"
    if mine.end == "voided":
        yield f"{where}: send {mine.event.send} was voided and arrived"
    for earlier in sends[:-1]:
        if (
            earlier.end == "absent"
            and earlier.event.data["boot_id"] == mine.event.data["boot_id"]
        ):
            yield from (
                f"{where}: {why}" for why in _too_soon(e, attempt, earlier, post)
            )


def _too_soon(
    e: Evidence, attempt: Attempt, earlier: Send, post: Mapping[str, Any]
) -> Iterator[str]:
    period_s, gap_s = (
        seconds(e.setting("doubt_period", "150s")),
        seconds(e.setting("lookup_gap", "10s")),
    )
    may_s = earlier.left_s + period_s
    if post["boot_s"] < may_s:
        yield (
            f"sent again {post['boot_s'] - earlier.left_s:.3f} s after a send nobody answered,"
            f" period {period_s} s"
        )
    looks = sorted(
        at_s for number, at_s in attempt.absents if number == earlier.event.send
    )
    if len(looks) < 2 or looks[0] < may_s or looks[-1] - looks[0] < gap_s - 0.001:
        yield (
            f"absence rests on look-ups at {looks}, not on two, {gap_s} s apart, after {may_s:.3f}"
        )
    lists = [
        r
        for r in e.requests
        if r["target"].startswith("/charges?")
        and may_s <= r["boot_s"] <= post["boot_s"]
    ]
    if len(lists) < 2:
        yield f"the gateway was asked for {len(lists)} lists after the doubt period, not for two"


@rule
def i7(e: Evidence) -> Iterator[str]:
    """One open attempt an order; the next follows a proof that the one before took no money."""
    paid = {
        c["metadata"].get("batchpay_key"): c["id"]
        for c in e.ours
        if c["status"] in ("successful", "pending")
    }
    for event in orphans(e):
        yield (
            f"order {event.order_id}: event {event.seq} ({event.kind}) comes before its attempt's"
            " intent"
        )
    answers = defaultdict(set)
    for post in e.posts:
        answers[_key(post)].add(post["status"])
    for order_id, some in attempts(e).items():
        for before, attempt in pairwise(some):
            began = attempt.path[0][0].seq
            stood = [outcome for event, outcome in before.path if event.seq < began][
                -1:
            ]
            if not set(stood) <= CLOSED or not stood:
                yield (
                    f"order {order_id}: attempt {attempt.number} began while {before.number} was"
                    f" {stood}"
                )
        if not some[0].adopted and [a.number for a in some] != list(
            range(1, len(some) + 1)
        ):
            yield f"order {order_id}: attempts {[a.number for a in some]}"
        for attempt in some:
            key = attempt.asked["key"]
            if attempt.outcome in CLOSED and key in paid:
                yield (
                    f"order {order_id}: {attempt.outcome} in the journal, and {paid[key]} took"
                    " money"
                )
            if (
                attempt.outcome == "refused"
                and not attempt.settled
                and not any(400 <= status <= 499 for status in answers[key])
            ):
                yield f"order {order_id}: refused, and the gateway answered {sorted(answers[key])}"


@rule
def i8(e: Evidence) -> Iterator[str]:
    """Outcomes move as they may, and each event says the state that the evidence gives."""
    stops = [event.seq for event in e.events if event.kind == "stop"]
    for order_id, some in attempts(e).items():
        for attempt in some:
            was = "held"
            for event, outcome in attempt.path:
                stopped = any(seq > event.seq for seq in stops)
                if (
                    outcome != was
                    and outcome not in NEXT.get(was, (*OUTCOMES, "withdrawn"))
                    and not stopped
                ):
                    yield f"order {order_id}: event {event.seq} turns {was} into {outcome}"
                if event.data.get("state") != outcome:
                    yield (
                        f"order {order_id}: event {event.seq} says {event.data.get('state')},"
                        f" evidence {outcome}"
                    )
                was = outcome
            if (
                attempt.charge
                and flaws(attempt.charge, attempt.asked)
                and attempt.outcome != "unproven"
            ):
                yield (
                    f"order {order_id}: {attempt.outcome} by {flaws(attempt.charge, attempt.asked)}"
                )
    yield from _rows_agree(e)


def _rows_agree(e: Evidence) -> Iterator[str]:
    """A row that owns an attempt shows what the attempt's events add up to, unless a run died
    before its report.
    """
    started = max(
        (event.seq for event in e.events if event.kind == "run.started"), default=0
    )
    if started > max(
        (event.seq for event in e.events if event.kind == "run.finished"), default=0
    ):
        return
    by_key = {a.asked["key"]: a for some in attempts(e).values() for a in some}
    for row in e.results:
        attempt = by_key.get(row["idempotency_key"])
        if attempt and row["outcome"] != attempt.outcome:
            yield (
                f"row {row['row']}: results say {row['outcome']}, the journal adds up to"
                f" {attempt.outcome}"
            )
    owned = {row["idempotency_key"] for row in e.results}
    shown = {row["batch_id"] for row in e.results}
    otherwise = {
        (r["batch_id"], int(r["row"]), terms_shown(r))
        for r in e.results
        if r["outcome"] == "held" and not r["idempotency_key"]
    }
    waits = {(batch_id, row) for batch_id, row, _ in otherwise}
    for key, attempt in by_key.items():
        # its row shows the attempt after it, or waits to ask for something else
        batch_id, _, row_number = attempt.row
        is_otherwise = (batch_id, row_number) in waits and (
            (batch_id, row_number, terms_asked(attempt.asked)) not in otherwise
        )
        planned_anew = attempt.outcome == "withdrawn" or (
            attempt.outcome == "held" and is_otherwise
        )
        if (
            attempt.row[0] in shown
            and not attempt.adopted
            and key not in owned
            and not planned_anew
        ):
            yield (
                f"order {attempt.order_id}: {attempt.outcome} in the journal and in no row of"
                f" {attempt.row[0]}"
            )


def terms_shown(row: Mapping[str, str]) -> tuple[str, ...]:
    """What a row of results.csv asks for."""
    return row["amount"], row["currency"].lower(), row["destination"]


def terms_asked(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The same of an attempt."""
    return str(asked["amount"]), asked["currency"], asked["destination"]


@rule
def i9(e: Evidence) -> Iterator[str]:
    """The chain verifies; every head that was ever told is in it."""
    digest, heads = GENESIS, {0: GENESIS}
    for number, event in enumerate(e.events, start=1):
        line = [
            event.seq,
            event.job,
            event.kind,
            event.at_ns,
            event.run_id,
            event.batch_id,
            event.sheet,
            event.row,
            event.order_id,
            event.attempt,
            event.send,
            event.text,
        ]
        digest = hashlib.sha256(
            (digest + json.dumps(line, ensure_ascii=False)).encode()
        ).hexdigest()
        if event.seq != number or event.digest != digest:
            yield f"event {event.seq} does not fit the chain"
            return
        heads[number] = digest
    told = [
        (str(path), m["journal"]["seq"], m["journal"]["digest"])
        for path, m in e.manifests
    ]
    told += [("an earlier head", seq, head) for seq, head in e.facts.heads]
    for where, seq, head in told:
        if heads.get(seq) != head:
            yield f"{where}: event {seq} was {head[:12]}, is {heads.get(seq, 'gone')[:12]}"


# --- files


@rule
def i10(e: Evidence) -> Iterator[str]:
    """Every report is the one its manifest speaks of; writing it again gives the same bytes."""
    for path, manifest in e.manifests:
        if path.name != "manifest.json":
            continue
        for name, digest in manifest["reports"].items():
            file = path.with_name(name)
            if not file.exists() or sha256(file) != digest:
                yield f"{path.parent.name}/{name} is not what the manifest says"
    for name, digest in (e.facts.reports_before or {}).items():
        if not Path(name).exists() or sha256(Path(name)) != digest:
            yield f"{name} has other bytes when it is written again"


@rule
def i11(e: Evidence) -> Iterator[str]:
    """Never more requests than agreed in any rolling window, look-ups and earlier runs included."""
    most, window_s = rate(e.setting("rate", "8/s"))
    times = sorted(request["at"] for request in e.requests)
    for first, last in zip(times, times[most:], strict=False):
        if last - first < window_s:
            yield (
                f"{most + 1} requests within {last - first:.4f} s, agreed are {most} in"
                f" {window_s:g} s"
            )


@rule
def i12(e: Evidence) -> Iterator[str]:
    """No secret key anywhere, no whole token outside input, journal and rejects, no card number at
    all.
    """
    keys = {secret for request in e.requests for secret in _secrets(request)} | set(
        e.facts.secrets
    )
    tokens = {
        cell
        for path in e.input_files
        for _, _, row in input_rows(path)
        for cell in row.values()
        if cell.startswith("tokn_") and len(cell) > 12
    }
    for name, text, kind in _texts(e):
        for key in keys:
            if key in text:
                yield f"{name} holds the secret key ({key[:9]}...)"
        if kind == "report":
            for token in sorted(tokens):
                if token in text:
                    yield f"{name} holds the whole token {token[:10]}..."
        has_hashes = kind == "event" or name.startswith("manifest")
        shown = HASHES.sub("", text) if has_hashes else text
        if kind == "event":  # a body is a form: its %22 are no digits
            shown = unquote(shown)
        for match in CARD.finditer(shown) if kind != "raw" else ():
            if luhn(match.group()):
                yield f"{name} holds a card number (...{match.group()[-4:]})"


def _secrets(request: Mapping[str, Any]) -> list[str]:
    given = str(
        dict(map(tuple, request["headers"])).get("authorization", "")
    ).removeprefix("Basic ")
    return (
        [given, base64.b64decode(given).decode("latin-1").removesuffix(":")]
        if given
        else []
    )


def _texts(e: Evidence) -> Iterator[tuple[str, str, str]]:
    """Name, text and kind of everything that was written, compressed parts of the journal
    unpacked.
    """
    inputs = {"gateway.jsonl", "job.toml", *(path.name for path in e.input_files)}
    for path in sorted(e.folder.rglob("*")):
        inside = path.is_relative_to(e.report_folder) or path.is_relative_to(
            e.state.parent
        )
        if not path.is_file() or (path.name in inputs and not inside):
            continue
        state = path.is_relative_to(e.state.parent)
        kind = (
            "state"
            if state
            else "rejects"
            if path.name.startswith("rejects.")
            else "report"
        )
        data = path.read_bytes()
        if not state:
            yield path.name, data.decode("utf-8", "replace"), kind
        elif not path.name.endswith("-shm"):
            # what numbers stand side by side there, nobody wrote so
            yield (
                path.name,
                data.decode("latin-1"),
                "raw",
            )
    yield "what was printed", e.facts.output, "report"
    for event in e.events:
        yield f"event {event.seq}", event.text, "event"
    yield from _blobs(e)


def _blobs(e: Evidence) -> Iterator[tuple[str, str, str]]:
    import sqlite3

    if not e.state.exists():
        return
    connection = sqlite3.connect(
        f"{e.state.absolute().as_uri()}?mode=ro", uri=True, timeout=5
    )
    for judged, cells in connection.execute("SELECT judged, cells FROM row_chunks"):
        yield (
            "a row that is kept",
            zlib.decompress(judged).decode("utf-8", "replace"),
            "state",
        )
        for text in _cells(cells):
            yield "a cell that is kept", text, "state"
    connection.close()


def _cells(blob: bytes) -> Iterator[str]:
    """Every text of the input, as the state keeps it: an Arrow stream."""
    import pyarrow as pa

    with pa.ipc.open_stream(blob) as stream:
        for batch in stream:
            for column in batch.columns:
                yield "\n".join(str(cell) for cell in column.to_pylist())


def luhn(text: str) -> bool:
    """Does the check digit fit?"""
    digits = [int(c) for c in text if c.isdigit()][::-1]
    return (
        13 <= len(digits) <= 19
        and sum(
            d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)
        )
        % 10
        == 0
    )


@rule
def i13(e: Evidence) -> Iterator[str]:
    """Inputs are as they were."""
    for name, digest in (e.facts.inputs_before or {}).items():
        path = e.folder / name
        if not path.exists() or sha256(path) != digest:
            yield f"{name} was changed"


@rule
def i14(e: Evidence) -> Iterator[str]:
    """The exit code is a function of outcomes."""
    code, wanted = e.facts.exit_code, derived_exit_code(e)
    if code is None:
        return
    if code in (0, 10, 11, 12) and code != wanted:
        yield f"exit code {code}, outcomes say {wanted}"
    elif wanted == 12 and code != 70 and code != 12:
        yield f"exit code {code} hides that something does not add up"


def derived_exit_code(e: Evidence) -> int:
    """12, 11, 10 or 0 (README.md, "Exit codes")."""
    owners = {
        row["order_id"]: row["outcome"] for row in e.results if row["idempotency_key"]
    }
    shown: dict[str, set[str]] = defaultdict(set)
    for row in e.results:
        owner = owners.get(row["order_id"], "held")
        shown[row["batch_id"]].add(
            owner if row["outcome"] == "duplicate" else row["outcome"]
        )
    mine = {
        row["batch_id"]
        for row in e.results
        if not e.facts.files or row["file"] in e.facts.files
    }
    unsettled = {"pending", "in_doubt", "unproven", "held"}
    stands = {
        o
        for batch, found in shown.items()
        if batch in mine or found & unsettled
        for o in found
    }
    stop = [event.kind for event in e.events if event.kind in ("stop", "lifted")][-1:]
    if stop == ["stop"] or "unproven" in stands:
        return 12
    if any(
        not equation["closes"]
        for report in e.reports
        for equation in report["equations"]
    ):
        return 12
    if stands & unsettled:
        return 11
    return 0 if stands <= {"succeeded"} else 10


@rule
def i15(e: Evidence) -> Iterator[str]:
    """When faults stop, two runs settle everything and a third sends nothing."""
    if (since := e.facts.quiet_since) is None:
        return
    for post in e.posts:
        if post["at"] >= since:
            yield (
                f"POST {post['number']} for order {form(post['body']).get('metadata[order_id]')} in"
                " the quiet"
            )
    for row in e.results:
        if row["outcome"] == "in_doubt" and row["who_acts"] != "a person":
            yield f"row {row['row']}, order {row['order_id']} is still in doubt: {row['reason']}"


@rule
def i16(e: Evidence) -> Iterator[str]:
    """Nothing is left lying about; memory and descriptors were bounded."""
    name = re.escape(e.state.name)
    state = re.compile(rf"{name}(-wal|-shm|\.[0-9a-f]{{8}}\.lock)?")
    report = re.compile(
        r"results\.(csv|parquet)|report\.(xlsx|html|json)|rejects\.\w+|adopted\.json|manifest(-\d+){0,2}\.json"
        r"|index(-[\w-]+)?\.html|run(-[\w-]+)?\.json"
    )
    for folder, known in ((e.state.parent, state), (e.report_folder, report)):
        for path in sorted(folder.rglob("*")) if folder.exists() else ():
            if path.is_file() and not known.fullmatch(path.name):
                yield f"{path.relative_to(e.folder)} was left behind"
    if (e.facts.peak_kb or 0) > LARGEST_KB:
        yield f"a run took {e.facts.peak_kb} kB of memory"
    if (e.facts.most_files or 0) > MOST_FILES:
        yield f"a run had {e.facts.most_files} descriptors open"


# --- money and words


@rule
def i17(e: Evidence) -> Iterator[str]:
    """Money is whole numbers everywhere, and exactly what the cell says."""
    for post in e.posts:
        if not re.fullmatch(r"[1-9]\d*", form(post["body"]).get("amount", "")):
            yield f"POST {post['number']}: amount {form(post['body']).get('amount')!r}"
    for event in e.events:
        told = {name: one for name, one in event.data.items() if name != SETTINGS}
        for name, value in _leaves(told):
            if name in MONEY_FIELDS and value is not None and type(value) is not int:
                yield f"event {event.seq}: {name} is {value!r}"
    for report in e.reports:
        for name, value in _leaves(report):
            if type(value) is float:
                yield f"report.json: {name} is {value!r}"
    for row in e.results:
        for name in (
            "amount",
            "fee",
            "fee_vat",
            "net",
            "platform_fee",
            "recipient_amount",
        ):
            if row[name] and not re.fullmatch(r"-?\d+", row[name]):
                yield f"row {row['row']}: {name} is {row[name]!r}"
    yield from _exact(e)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value


def _exact(e: Evidence) -> Iterator[str]:
    """Each amount on the wire is a cell of the order's own row, by decimal arithmetic."""
    columns = e.job["columns"]
    amount = columns["amount"]
    if (
        not isinstance(columns["order_id"], str)
        or not isinstance(amount, dict)
        or "column" not in amount
    ):
        return
    asked = defaultdict(set)
    for path in e.input_files:
        for _, _, row in input_rows(path):
            currency = columns["currency"]
            code = (
                row.get(currency, "")
                if isinstance(currency, str)
                else currency.get("value", "")
            )
            factor = (
                Decimal(1)
                if amount.get("unit") == "minor"
                else Decimal(10) ** EXPONENT.get(code.upper(), 2)
            )
            text = row.get(amount["column"], "").replace(",", "")
            if re.fullmatch(r"\d+(\.\d+)?", text):
                asked[row.get(columns["order_id"], "")].add(
                    (Decimal(text) * factor, code.lower())
                )
    for post in e.posts:
        body = form(post["body"])
        order_id = body.get("metadata[order_id]", "")
        sent = (Decimal(body["amount"]), body["currency"])
        if order_id in asked and sent not in asked[order_id]:
            yield (
                f"POST {post['number']}: order {order_id} asks {sent}, its rows say"
                f" {asked[order_id]}"
            )


@rule
def i18(e: Evidence) -> Iterator[str]:
    """Amount = recipient's share + platform fee, and the gateway's figures are shown as it gave
    them.
    """
    by_id = {charge["id"]: charge for charge in e.charges}
    for row in e.results:
        if row["outcome"] != "succeeded":
            continue
        charge = by_id.get(row["charge_id"])
        if row["platform_fee"] and int(row["amount"]) != int(
            row["recipient_amount"]
        ) + int(row["platform_fee"]):
            yield (
                f"row {row['row']}: {row['amount']} is not {row['recipient_amount']} +"
                f" {row['platform_fee']}"
            )
        if charge is None:
            continue
        fee = charge.get("platform_fee") or {}
        for name, value in (
            ("fee", charge.get("fee")),
            ("fee_vat", charge.get("fee_vat")),
            ("net", charge.get("net")),
            ("platform_fee", fee.get("amount")),
            ("destination", charge["destination"]),
            ("chain_id", charge["chain"]),
        ):
            if value is not None and row[name] != str(value):
                yield f"row {row['row']}: {name} is {row[name]!r}, the gateway says {value!r}"


@rule
def i19(e: Evidence) -> Iterator[str]:
    """Whatever did not succeed has a reason and says who acts, unless a person cancelled it."""
    for row in e.results:
        if row["outcome"] in ("succeeded", "duplicate"):
            continue
        if not row["reason"].strip():
            yield f"row {row['row']}: {row['outcome']} without a reason"
        is_over = row.get("settled_by") or row.get("iso20022_status") == "CANC"
        if row["who_acts"].strip() in ("", "-") and not is_over:
            yield f"row {row['row']}: {row['outcome']} and nobody acts"


@rule
def i20(e: Evidence) -> Iterator[str]:
    """Who was replaced sends nothing: no intent of an older run or epoch after a newer one
    began.
    """
    latest, epochs = "", Counter[str]()
    for event in e.events:
        if event.job != e.name:
            continue
        if event.kind == "run.started":
            latest = event.run_id
        shard, epoch = str(event.data.get("shard", "")), event.data.get("epoch")
        if event.kind == "intent":
            if epoch is None and event.run_id != latest:
                yield f"event {event.seq}: run {event.run_id} sends after run {latest} began"
            if epoch is not None and epoch < epochs[shard]:
                yield (
                    f"event {event.seq}: epoch {epoch} of shard {shard!r} sends after epoch"
                    f" {epochs[shard]}"
                )
        epochs[shard] = max(epochs[shard], epoch or 0)


def told(findings: Iterable[Finding]) -> str:
    """All of them, a line each."""
    return "\n".join(map(str, findings))


def main(folders: Sequence[str]) -> int:
    """Judge each folder; 1 when anything is wrong."""
    worst = 0
    for name in folders:
        findings = judge(Path(name))
        print(
            f"{name}: "
            + (
                "nothing is wrong"
                if not findings
                else f"{len(findings)} findings\n{told(findings)}"
            )
        )
        worst = max(worst, bool(findings))
    return worst


if __name__ == "__main__":
    sys.exit(
        main(sys.argv[1:])
        if sys.argv[1:]
        else "usage: python -m tests.checker FOLDER ..."
    )
