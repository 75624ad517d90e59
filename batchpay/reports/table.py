"""The columns of results: what every row shows, in one order for every form (contract, section
5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from batchpay.domain.model import Batch, Finding, RunDone, StoredChunk
from batchpay.domain.money import major_text
from batchpay.domain.text import mode_told, visible
from batchpay.messages.steps import addressed
from batchpay.readers.cells import decode_cells
from batchpay.reconciliation.iso20022 import status_of
from batchpay.reconciliation.totals import Equation, Totals

Found = Callable[[], Iterator[tuple[StoredChunk, list[Finding]]]]
Getter = Callable[[Finding], Any]


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
    stop: str = ""
    run: RunDone | None = None  # the last run that changed the batch
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
    rate: str = ""  # that the job agreed on, of all requests
    # of some orders; call it with their ids
    stories: Callable[[Sequence[str]], Mapping[str, Story]] = field(
        default=lambda order_ids: {}
    )
    # when the gateway answered that it is asked too often, UTC; call it to look
    told_429: Callable[[], Iterator[str]] = field(default=lambda: iter(()))


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
    "file": ("text", lambda f: f.file),
    "row": ("int", lambda f: f.row),
    "sheet": ("text", lambda f: f.sheet),
    "order_id": ("text", lambda f: f.order_id),
    "outcome": ("text", lambda f: f.outcome.value),
    "amount": ("int", lambda f: f.amount),
    "currency": ("text", lambda f: f.currency),
    "amount_major": ("text", _major),
    "destination": ("text", lambda f: f.destination),
    "payment_method": ("text", lambda f: f.payment_method),
    "charge_id": ("text", lambda f: f.charge_id),
    "chain_id": ("text", lambda f: f.chain_id),
    "transfer_id": ("text", lambda f: f.transfer_id),
    "fee": ("int", lambda f: f.fee),
    "fee_vat": ("int", lambda f: f.fee_vat),
    "net": ("int", lambda f: f.net),
    "platform_fee": ("int", lambda f: f.platform_fee),
    "recipient_amount": ("int", lambda f: f.recipient_amount),
    "failure_code": ("text", lambda f: f.failure_code),
    "error_code": ("text", lambda f: f.error_code),
    "reason": ("text", lambda f: f.reason),
    "who_acts": ("text", lambda f: f.who_acts),
    "attempts": ("int", lambda f: f.attempts),
    "idempotency_key": ("text", lambda f: f.idempotency_key),
    "sent_at": ("time", lambda f: f.sent_at),
    "settled_at": ("time", lambda f: f.settled_at),
    "batch_id": ("text", lambda f: f.batch_id),
    "run_id": ("text", lambda f: f.run_id),
}
LAST_COLUMNS: dict[str, tuple[str, Getter]] = {
    "charged_amount": ("int", lambda f: f.charged_amount),
    "fee_currency": ("text", lambda f: f.fee_currency),
    "funding_amount": ("int", lambda f: f.funding_amount),
    "funding_currency": ("text", lambda f: f.funding_currency),
    "authorize_uri": ("text", lambda f: f.authorize_uri),
    "warnings": ("text", _warnings),
    "settled_by": ("text", lambda f: f.settled_by),
    "mode": ("text", lambda f: mode_told(f.mode)),
    "transfer_status": ("text", lambda f: f.transfer_status),
    "transfer_amount": ("int", lambda f: f.transfer_amount),
    "transfer_fee": ("int", lambda f: f.transfer_fee),
    "bank_amount": ("int", lambda f: f.bank_amount),
    "transfer_code": ("text", lambda f: f.transfer_code),
    "transfer_sent_at": ("time", lambda f: f.transfer_sent_at),
    "transfer_paid_at": ("time", lambda f: f.transfer_paid_at),
    "refunded_amount": ("int", lambda f: f.refunded_amount),
    "dispute": ("text", lambda f: f.dispute),
    "expires_at": ("time", lambda f: f.expires_at),
    "qr_uri": ("text", lambda f: f.qr_uri),
    "iso20022_status": ("text", lambda f: status_of(f).code),
    "iso20022_reason": ("text", lambda f: status_of(f).reason),
    "corrects": ("text", lambda f: f.corrects),
    "changed": ("text", lambda f: f.changed),
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


def rows_of(inputs: Inputs) -> Iterator[list[list[Any]]]:
    """Chunk by chunk: one list of values a column, in the order of `header_of`."""
    first: dict[str, Getter] = {name: get for name, (_, get) in COLUMNS.items()}
    first["reason"] = partial(reason_of, inputs=inputs)
    last = [get for _, get in LAST_COLUMNS.values()]
    metadata: list[Getter] = [
        partial(_metadata, key=key) for key in inputs.batch.metadata
    ]
    for chunk, findings in inputs.findings():
        columns = []
        for get in first.values():
            columns.append(list(map(get, findings)))
        columns += _unused(inputs.batch, chunk)
        for get in (*metadata, *last):
            columns.append(list(map(get, findings)))
        yield columns


def _metadata(finding: Finding, key: str) -> str:
    return finding.metadata.get(key, "")


def _unused(batch: Batch, chunk: StoredChunk) -> list[list[str]]:
    if not batch.unused:
        return []
    cells = decode_cells(chunk.cells)
    return [cells.texts(name) for name in batch.unused]
