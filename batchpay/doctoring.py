"""DOCTOR: is everything in place for tonight? Each finding says what was looked at, what was found and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from batchpay import accounts, steps
from batchpay.clock import SystemClock, iso
from batchpay.config import SecretKey
from batchpay.desk import refuse_another_place
from batchpay.errors import BatchpayError, InputMissing
from batchpay.gateways.omise import Omise
from batchpay.intake import Intake, take_in
from batchpay.job import Job
from batchpay.journals.place import may_be_there
from batchpay.journals.sqlite import SqliteJournal
from batchpay.lifecycle import error_of
from batchpay.money import grouped_text
from batchpay.planning import batch_id_of
from batchpay.session import errand
from batchpay.settlement import Line, preflight
from batchpay.settlement.books import stop_in_force
from batchpay.text import many

LEAST_FREE_BYTES = 256 << 20
STATE_FILES = ("-wal", "-shm", ".lock")  # beside the journal, beside the journal itself


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: Literal["well", "warning", "wrong"]
    told: str
    exit_code: int = 0


def _well(subject: str, told: str) -> Finding:
    return Finding(subject, "well", told)


def _warning(subject: str, told: str) -> Finding:
    return Finding(subject, "warning", told)


def examine(job: Job, key: SecretKey) -> list[Finding]:
    """Everything, in the order in which a run would stumble over it."""
    intakes, found = _input(job)
    found += [*_journal(job), *_disk(job)]
    recipients = frozenset[str]().union(*(intake.recipients for intake in intakes))
    with errand(job) as line:
        found += asyncio.run(_gateway(job, key, recipients, intakes, line))
    return found


# --- this machine ----------------------------------------------------------------------------------------------


def _input(job: Job) -> tuple[list[Intake], list[Finding]]:
    """The files that a run would read now."""

    def drain(intake: Intake, chunks: Iterator[Any]) -> None:
        for _ in chunks:
            pass

    with ExitStack() as stack:
        try:
            intakes = take_in(job, stack, lambda sha256: batch_id_of(SystemClock().today(), job.name, sha256), drain)
        except InputMissing as error:
            return [], [_warning("input", str(error))]
        except BatchpayError as error:
            return [], [Finding("input", "wrong", str(error), error.exit_code)]
    found = [Finding("input", "wrong", str(error), error.exit_code) for error in intakes.refused]
    for intake in intakes.files:
        told = f"{intake.snapshot.name}: {many(intake.tally.read, 'row')}, {intake.tally.rejected} rejected"
        found.append(Finding("input", "wrong", f"{told}. {intake.refusal}", 65) if intake.refusal else
                     (_warning if intake.tally.rejected else _well)("input", told))  # fmt: skip
    return intakes.files, found


def _journal(job: Job) -> Iterator[Finding]:
    """Does it verify, is it younger than what reports know, does a stop hold, what is open since when?"""
    if not may_be_there(job.state_path):
        yield _well("journal", f"{job.state_path}: not there yet; the first run makes it")
        return
    try:
        journal = SqliteJournal(job.state_path, job.name, read_only=True)
    except BatchpayError as error:
        yield Finding("journal", "wrong", str(error), error.exit_code)
        return
    try:
        journal.verify()
        seq, _ = journal.head()
        yield _well("journal", f"{job.state_path}: {many(seq, 'event')}, the hash chain verifies")
        refuse_another_place(job, journal)
        if stop := stop_in_force(journal.events(["stop", "lifted"])):
            yield Finding("stop", "wrong", f"{stop}; {steps.LIFT_STOP()}", 12)
        for attempts in accounts.attempts_of(journal, journal.open_orders()).values():
            last = attempts[-1]
            yield _warning("open order", f"{last.intent.order_id} is {last.outcome.value} since {iso(last.sent_ns)}")
    except BatchpayError as error:
        yield Finding("journal", "wrong", str(error), error.exit_code)
    finally:
        journal.close()


def _disk(job: Job) -> Iterator[Finding]:
    """Room, the right to write, and nothing in the state's folder that nobody put there."""
    for subject, folder in (("state", job.state_path.parent), ("reports", job.report.directory)):
        there = next(path for path in (folder, *folder.parents) if _is_there(path))
        free = shutil.disk_usage(there).free
        if not os.access(there, os.W_OK | os.X_OK):
            yield Finding(subject, "wrong", f"{there}: cannot be written by this user", 73)
        elif free < LEAST_FREE_BYTES:
            yield _warning(subject, f"{there}: {free >> 20} MiB free; {LEAST_FREE_BYTES >> 20} are wanted")
        else:
            yield _well(subject, f"{there}: {free >> 20} MiB free")
    strangers = sorted(path.name for path in _files(job.state_path.parent) if not _is_state(path, job))
    if strangers:
        yield _warning("state", f"files that batchpay did not make: {', '.join(strangers[:5])}")


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError:  # not there, or closed to this user, which is told above
        return []


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # inside a folder that is closed to this user
        return False


def _is_state(path: Path, job: Job) -> bool:
    return path.name == job.state_path.name or (
        path.name.startswith(job.state_path.name) and path.name.endswith(STATE_FILES)
    )


# --- the gateway -----------------------------------------------------------------------------------------------


async def _gateway(
    job: Job, key: SecretKey, recipients: frozenset[str], intakes: list[Intake], line: Line
) -> list[Finding]:
    settings, clock = job.gateway, SystemClock()
    gateway = Omise(settings, key.reveal())
    found: list[Finding] = []
    try:
        answer = await line.ask(partial(gateway.read, "/account", {}))
        if answer is None or line.closed:
            error = line.fatal
            code = error.exit_code if error else 69
            return [Finding("gateway", "wrong", str(error or f"{settings.url} does not answer"), code)]
        found += _account(job, answer.status, answer.document)
        found.append(_well("clock", f"agrees with the gateway's, {line.gateway_date}") if line.gateway_date else
                     _warning("clock", "the gateway gives no Date header to compare with"))  # fmt: skip
        listed = await line.ask(partial(gateway.page, iso(clock.now_ns()), 0))
        found.append(_permission(listed.status if listed else None, listed.document if listed else None))
        limits = await line.ask(partial(gateway.read, "/capability", {}))
        found += _limits(job, intakes, limits.document if limits else None)
        asked = await preflight(recipients, gateway, line, "", settings.concurrency)
        found += [_warning("recipient", f"{recipient} {why}") for recipient, why in sorted(asked.barred.items())]
        found += [_warning("recipient", f"{recipient}: the gateway does not tell of it") for recipient in asked.unknown]
        can = len(recipients) - len(asked.barred) - len(asked.unknown)
        found.append(_well("recipients", f"{can} of {len(recipients)} can be paid"))
    finally:
        await gateway.aclose()
    return found


def _account(job: Job, status: int | None, document: Any) -> Iterator[Finding]:
    """The key's own account (omise-api.md, 7.4), or why the gateway does not tell of it."""
    if not isinstance(document, dict) or document.get("object") != "account":
        code, message = error_of(document)
        yield _warning("key", f"the gateway does not tell of the account: {status} {code} {message}".rstrip())
        return
    wanted = job.gateway.mode == "live"
    if document.get("livemode") is not wanted:
        yield Finding("key", "wrong", f"the key's account says livemode = {document.get('livemode')}, the job says "
                      f'mode = "{job.gateway.mode}"', 78)  # fmt: skip
        return
    yield _well("key", f"account {document.get('id')}, mode {job.gateway.mode}")
    supported = {str(code).upper() for code in document.get("supported_currencies") or ()}
    limits = {*(job.controls.max_amount or ()), *(job.controls.max_total or ())}
    if supported and (unknown := sorted(code for code in limits if code.upper() not in supported)):
        yield _warning("currencies", f"the account does not take {', '.join(unknown)}")


def _permission(status: int | None, document: Any) -> Finding:
    if status == 200:
        return _well("permission", "the key may list charges: without that no run sends anything")
    code, message = error_of(document)
    return Finding("permission", "wrong", f"GET /charges gave {status} {code} {message}: no run can send", 78)


def _limits(job: Job, intakes: list[Intake], document: Any) -> Iterator[Finding]:
    """The least and the most of one charge (GET /capability, omise-api.md, 2.3), against the files and max_amount."""
    found = document.get("limits", {}).get("charge_amount", {}) if isinstance(document, dict) else {}
    least, most = (found.get("min"), found.get("max")) if isinstance(found, dict) else (None, None)
    if type(least) is not int or type(most) is not int:
        yield _warning("limits", "the gateway does not tell the least and the most of a charge")
        return
    yield _well("limits", f"a charge may be {least} to {most} in the account's smallest unit")
    for code, limit in (job.controls.max_amount or {}).items():
        if limit > most:
            yield _warning("limits", f"max_amount {grouped_text(limit, code)} {code} is above what the gateway takes")
