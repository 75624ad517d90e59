"""The columns of results: what every row shows, in one order for every form (docs/reports.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

from batchpay.domain.model import (
    Batch,
    Finding,
    Outcome,
    RunBegun,
    RunDone,
    StoredChunk,
)
from batchpay.domain.money import major_text, major_texts
from batchpay.domain.text import mode_told, visible
from batchpay.messages.steps import addressed
from batchpay.readers.cells import decode_cells
from batchpay.reconciliation.iso20022 import status_of, status_of_plain
from batchpay.reconciliation.lines import (
    Column,
    Lines,
    PlainLines,
    column_of,
    lines_of,
    mapped,
)
from batchpay.reconciliation.totals import Equation, Totals

Found = Callable[[], Iterator[tuple[StoredChunk, Sequence[Finding]]]]
Getter = Callable[[Finding], Any]
OfPlain = Callable[[PlainLines], Column]


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to one order: its attempts as they stand, and its events, oldest first, each
    with messages as `told`.
    """

    attempts: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a batch's reports are made of; all of it comes from the journal."""

    batch: Batch
    formats: tuple[str, ...]
    findings: Found  # call it to read all rows, again each time
    totals: Totals
    equations: tuple[Equation, ...]
    exit_code: int
    journal_id: str
    head_seq: int  # of the event that noted these totals
    head_digest: str
    # the totals of the report before this one, and when it was made, UTC; None: it is the first
    before: Totals | None = None
    before_at: str = ""
    # when all that was due was last asked about transfers before these totals, UTC; empty: never
    followed_at: str = ""
    doubt_s: str = ""  # the seconds of the job's doubt period
    stop: str = ""
    run: RunDone | None = None  # the last run that changed the batch
    whole: RunDone | None = None  # the same run, over all of its batches
    # how some runs were started, the oldest first; call it with their ids
    runs: Callable[[Collection[str]], Sequence[RunBegun]] = field(
        default=lambda run_ids: ()
    )
    # who lifted which stop that it told of: at, by, reason, stop
    lifted: Sequence[Mapping[str, str]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    # account and url (the gateway's address), as far as the journal knew them when these totals
    # were noted
    whose: Mapping[str, str] = field(default_factory=dict)
    # what its manifest tells of words that only the journal has (batches.words)
    said: Mapping[str, Any] = field(default_factory=dict)
    job_file: str = ""  # its name, in the commands that a report tells to run
    language: str = "en"  # of what people open: en, ja or th
    time_zone: str = "UTC"  # of the times that people read
    # the columns of the input that an order's id is made of, and those of what pays
    ids: tuple[str, ...] = ()
    payers: tuple[str, ...] = ()
    # the columns of the input that say the name of a recipient, where its id comes from a table
    sellers: tuple[str, ...] = ()
    # recipient -> its name for people, where that table has one
    called: Mapping[str, str] = field(default_factory=dict)
    # of some orders; call it with their ids
    stories: Callable[[Sequence[str]], Mapping[str, Story]] = field(
        default=lambda order_ids: {}
    )
    # when the gateway answered that it is asked too often, UTC, and about which order; call it to
    # look
    told_429: Callable[[], Iterator[tuple[str, str]]] = field(default=lambda: iter(()))


def _major(finding: Finding) -> str:
    if finding.amount is None or not finding.currency:
        return ""
    return major_text(finding.amount, finding.currency)


def reason_of(finding: Finding, inputs: Inputs) -> str:
    """Why a row is where it is, with the commands in it as they are typed beside the job file."""
    return str(addressed(finding.reason, inputs.job_file))


def _warnings(finding: Finding) -> str:
    return " | ".join(str(warning) for warning in finding.warnings)


# name -> (kind, how to get it); kinds: text, int (smallest units or a number), time (UTC)
COLUMNS: dict[str, tuple[str, Getter]] = {
    "file": ("text", attrgetter("file")),
    "row": ("int", attrgetter("row")),
    "sheet": ("text", attrgetter("sheet")),
    "order_id": ("text", attrgetter("order_id")),
    "outcome": ("text", lambda f: f.outcome.value),
    "amount": ("int", attrgetter("amount")),
    "currency": ("text", attrgetter("currency")),
    "amount_major": ("text", _major),
    "destination": ("text", attrgetter("destination")),
    "payment_method": ("text", attrgetter("payment_method")),
    "charge_id": ("text", attrgetter("charge_id")),
    "chain_id": ("text", attrgetter("chain_id")),
    "transfer_id": ("text", attrgetter("transfer_id")),
    "fee": ("int", attrgetter("fee")),
    "fee_vat": ("int", attrgetter("fee_vat")),
    "net": ("int", attrgetter("net")),
    "platform_fee": ("int", attrgetter("platform_fee")),
    "recipient_amount": ("int", attrgetter("recipient_amount")),
    "failure_code": ("text", attrgetter("failure_code")),
    "error_code": ("text", attrgetter("error_code")),
    "reason": ("text", attrgetter("reason")),
    "who_acts": ("text", attrgetter("who_acts")),
    "attempts": ("int", attrgetter("attempts")),
    "idempotency_key": ("text", attrgetter("idempotency_key")),
    "sent_at": ("time", attrgetter("sent_at")),
    "settled_at": ("time", attrgetter("settled_at")),
    "batch_id": ("text", attrgetter("batch_id")),
    "run_id": ("text", attrgetter("run_id")),
}
LAST_COLUMNS: dict[str, tuple[str, Getter]] = {
    "charged_amount": ("int", attrgetter("charged_amount")),
    "fee_currency": ("text", attrgetter("fee_currency")),
    "funding_amount": ("int", attrgetter("funding_amount")),
    "funding_currency": ("text", attrgetter("funding_currency")),
    "authorize_uri": ("text", attrgetter("authorize_uri")),
    "warnings": ("text", _warnings),
    "settled_by": ("text", attrgetter("settled_by")),
    "mode": ("text", lambda f: mode_told(f.mode)),
    "transfer_status": ("text", attrgetter("transfer_status")),
    "transfer_amount": ("int", attrgetter("transfer_amount")),
    "transfer_fee": ("int", attrgetter("transfer_fee")),
    "bank_amount": ("int", attrgetter("bank_amount")),
    "transfer_code": ("text", attrgetter("transfer_code")),
    "transfer_sent_at": ("time", attrgetter("transfer_sent_at")),
    "transfer_paid_at": ("time", attrgetter("transfer_paid_at")),
    "refunded_amount": ("int", attrgetter("refunded_amount")),
    "dispute": ("text", attrgetter("dispute")),
    "expires_at": ("time", attrgetter("expires_at")),
    "qr_uri": ("text", attrgetter("qr_uri")),
    "iso20022_status": ("text", lambda f: status_of(f).code),
    "iso20022_reason": ("text", lambda f: status_of(f).reason),
    "corrects": ("text", attrgetter("corrects")),
    "changed": ("text", attrgetter("changed")),
}


def header_of(batch: Batch) -> dict[str, str]:
    """Every column's name, as it may be shown, with its kind: ours, the input's unused ones,
    metadata, later ones.
    """
    header = {name: kind for name, (kind, _) in COLUMNS.items()}
    last = {name: kind for name, (kind, _) in LAST_COLUMNS.items()}
    metadata = [f"metadata[{key}]" for key in batch.metadata]
    for name in [*batch.unused, *metadata]:
        free = _free(visible(name), header | last)
        header[free] = "text"
    return header | last


def _free(name: str, taken: Mapping[str, str]) -> str:
    """A name of the input that is also ours becomes `input.name`."""
    while name in taken:
        name = f"input.{name}"
    return name


# of a row with nothing to tell: where a column is not one of its lines'
OF_PLAIN: dict[str, OfPlain] = {
    "outcome": lambda plain: plain.same(Outcome.SUCCEEDED.value),
    "amount_major": lambda plain: major_texts(
        plain.column("amount"), plain.column("currency")
    ),
    "reason": lambda plain: plain.same(""),
    "warnings": lambda plain: plain.same(""),
    "mode": lambda plain: mapped(mode_told, plain.column("mode")),
    "iso20022_status": lambda plain: mapped(
        lambda stands: status_of_plain(stands).code, plain.column("transfer_status")
    ),
    "iso20022_reason": lambda plain: mapped(
        lambda stands: status_of_plain(stands).reason, plain.column("transfer_status")
    ),
}


def rows_of(inputs: Inputs) -> Iterator[list[Column]]:
    """Chunk by chunk: one column of values each, in the order of `header_of`."""
    first: dict[str, Getter] = {name: get for name, (_, get) in COLUMNS.items()}
    first["reason"] = partial(reason_of, inputs=inputs)
    last = {name: get for name, (_, get) in LAST_COLUMNS.items()}
    for chunk, findings in inputs.findings():
        lines = lines_of(findings)
        columns = _columns(lines, first)
        columns += _unused(inputs.batch, chunk)
        columns += [_metadata(lines, key) for key in inputs.batch.metadata]
        yield columns + _columns(lines, last)


def _columns(lines: Lines, getters: Mapping[str, Getter]) -> list[Column]:
    columns: list[Column] = []
    findings = list(lines.apart.values())
    for name, get in getters.items():
        apart = list(map(get, findings))
        if lines.plain is None:
            columns.append(apart)
            continue
        if name in OF_PLAIN:
            plain = OF_PLAIN[name](lines.plain)
        else:
            plain = lines.plain.column(name)
        columns.append(lines.merged(plain, apart))
    return columns


def _metadata(lines: Lines, key: str) -> Column:
    apart = [finding.metadata.get(key, "") for finding in lines.apart.values()]
    if lines.plain is None:
        return apart
    plain = mapped(lambda told: told.get(key, ""), lines.plain.metadata)
    return lines.merged(plain, apart)


def _unused(batch: Batch, chunk: StoredChunk) -> list[Column]:
    if not batch.unused:
        return []
    cells = decode_cells(chunk.cells)
    return [column_of(cells.texts(name)) for name in batch.unused]
