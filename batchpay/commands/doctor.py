"""DOCTOR: is everything in place for tonight? Each finding says what was looked at, what was found
and what to do.

It goes on as far as it can: what is wrong with one thing hides no other, and what could not be
looked at is told with its reason. The exit code is the worst of all findings, at the end.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from batchpay import gateways
from batchpay.batches.clock import SystemClock, iso
from batchpay.batches.open_job import refuse_another_place
from batchpay.batches.orders import attempts_of
from batchpay.batches.session import asking
from batchpay.batches.wholeness import loss_of, refuse_lost
from batchpay.domain import times
from batchpay.domain.books import Account
from batchpay.domain.errors import BatchpayError, GatewaySilent, InputMissing
from batchpay.domain.events import STOPS
from batchpay.domain.model import Answer
from batchpay.domain.money import grouped_text
from batchpay.domain.oserrors import translated
from batchpay.domain.ports import Gateway
from batchpay.domain.text import many
from batchpay.intake.bounds import AskedSums, Bounds, bounds_of, not_compared, not_taken
from batchpay.intake.take_in import Intake, Source, take_in
from batchpay.job.job import FromLookup, Job
from batchpay.job.key import SecretKey, secret_key
from batchpay.job.load import load_job
from batchpay.journals.lock import state_of_lock, witnessed
from batchpay.journals.place import (
    group_name,
    may_be_there,
    primary_group,
    refuse_shared_disk,
)
from batchpay.journals.sqlite.opening import BESIDE, is_journal
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.places import batch_id_of
from batchpay.messages import steps
from batchpay.reports.manifest import other_jobs
from batchpay.settlement import Channel, preflight
from batchpay.settlement.in_force import (
    UNREADABLE,
    stop_in_force,
    unreadable_in,
    whose_journal,
)
from batchpay.settlement.run import (
    close_to_no_gateway,
    refuse_other_account,
    refuse_other_mode,
)

LEAST_FREE_BYTES = 256 << 20
NO_ROOM_BYTES = 1 << 20  # less than this, and a run ends with 73
# a file of a time further ahead than this was not written by a clock like ours
AHEAD_S = 300
# what the gateway is asked about, in order
AT_GATEWAY = (
    "account",
    "permission",
    "clock",
    "limits",
    "recipients",
)
# what cannot be found without the job
ON_DISK = ("input", "journal", "state", "reports")
# what other programs heed: gateways/wire.py says why it does not
NOT_READ = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *(
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ),
)


@dataclass(frozen=True, slots=True)
class Checkup:
    """One thing that was looked at, or could not be."""

    subject: str
    state: Literal["well", "warning", "wrong", "unseen"]
    told: str
    exit_code: int = 0


@dataclass(slots=True)
class Seen:
    """All that was found; job and key as far as there are any."""

    found: list[Checkup] = field(default_factory=list)
    job: Job | None = None
    key: SecretKey | None = None


@dataclass(slots=True)
class _Files:
    """The files that a run would read now, and what their right rows ask for."""

    intakes: Sequence[Intake] = ()
    asked: dict[str, AskedSums] = field(default_factory=dict)  # by batch id
    # whose the journal is, if it is anybody's
    account: dict[str, Any] = field(default_factory=dict)

    @property
    def recipients(self) -> frozenset[str]:
        return frozenset[str]().union(*(intake.recipients for intake in self.intakes))


def _well(subject: str, told: str) -> Checkup:
    return Checkup(subject, "well", told)


def _warning(subject: str, told: str) -> Checkup:
    return Checkup(subject, "warning", told)


def _wrong(subject: str, error: BatchpayError) -> Iterator[Checkup]:
    for one in str(error).split("\n"):
        yield Checkup(subject, "wrong", one, error.exit_code)


def _unseen(subjects: Iterable[str], why: str) -> Iterator[Checkup]:
    for subject in subjects:
        yield Checkup(subject, "unseen", f"not looked at: {why}")


def _guarded(subject: str, look: Callable[[], Iterable[Checkup]]) -> Iterator[Checkup]:
    """What a look finds; what ends it is a finding too, unless it is a bug."""
    try:
        yield from look()
    except BatchpayError as error:
        yield from _wrong(subject, error)
    except Exception as error:
        if (trouble := translated(error)) is None:
            raise
        yield from _wrong(subject, trouble)


def examine(job_file: Path, input_file: str | None, environ: Mapping[str, str]) -> Seen:
    """Everything, in the order in which a run would stumble over it; a missing key keeps nothing
    else from view.
    """
    seen = Seen()
    files = _Files()
    seen.found += _guarded("job", partial(_job, seen, job_file, input_file))
    if (job := seen.job) is None:
        seen.found += _unseen(ON_DISK, "the job file must be right first")
    else:
        seen.found += _guarded("input", partial(_input, job, files))
        seen.found += _guarded("journal", partial(_journal, job, files))
        seen.found += _guarded("state", partial(_disk, job))
        seen.found += _guarded("clock", partial(_clock, job, files))
    seen.found += _guarded("key", partial(_environment, environ))
    seen.found += _guarded("key", partial(_key, seen, environ))
    if job is None or seen.key is None:
        if job is None:
            why = "the job file must be right first"
        else:
            why = "that needs the key"
        seen.found += _unseen(AT_GATEWAY, why)
    else:
        seen.found += _ask(job, seen.key, files)
    return seen


# --- this machine


def _job(seen: Seen, job_file: Path, input_file: str | None) -> Iterator[Checkup]:
    """The job file, its schema and its lookup files."""
    job = seen.job = load_job(job_file, input_override=input_file)
    yield _well(
        "job", f"{job.path}: {job.name}, {job.gateway.mode} mode at {job.gateway.url}"
    )
    yield _well("schema", job.schema.name)
    for note in job.schema.notes:
        yield _warning("schema", note)
    for source in (*job.columns.fields.values(), *job.columns.metadata.values()):
        if isinstance(source, FromLookup):
            told = f"{source.path}: {many(len(source.table), 'key')}"
            twice = ", ".join(sorted(source.ambiguous)[:5])
            yield (
                _warning("lookup", f"{told}, more than once: {twice}")
                if twice
                else _well("lookup", told)
            )


def _input(job: Job, files: _Files) -> Iterator[Checkup]:
    """The files that a run would read now."""

    def drain(source: Source, chunks: Iterator[Any]) -> None:
        asked = files.asked[source.batch_id] = AskedSums()
        for judged in chunks:
            asked.add(judged)

    with ExitStack() as stack:
        try:
            intakes = take_in(
                job,
                stack,
                lambda sha256: batch_id_of(SystemClock().today(), job.name, sha256),
                drain,
            )
        except InputMissing as error:
            yield _warning("input", str(error))
            return
    files.intakes = intakes.files
    for refused in intakes.refused:
        yield from _wrong("input", refused)
    for intake in intakes.files:
        told = (
            f"{intake.snapshot.name}: {many(intake.tally.read, 'row')}, {intake.tally.rejected}"
            " rejected"
        )
        yield (
            Checkup("input", "wrong", f"{told}. {intake.refusal}", 65)
            if intake.refusal
            else (_warning if intake.tally.rejected else _well)("input", told)
        )
    if not intakes.files and not intakes.refused:
        yield _well("input", "no file, which the job says is well")


def _journal(job: Job, files: _Files) -> Iterator[Checkup]:
    """Does it verify, is it younger than what reports know, does a stop hold, what is open since
    when?
    """
    refuse_shared_disk(job.state_path)
    known_to_be = witnessed(job.state_path, job.name)
    journal = SqliteJournal(job.state_path, job.name, read_only=True)
    try:
        yield from _renamed(job, journal, files)
        if not may_be_there(job.state_path):
            refuse_lost(loss_of(job, journal, known_to_be))
            yield _well(
                "journal", f"{job.state_path}: not there yet; the first run makes it"
            )
            return
        journal.verify()
        files.account = whose_journal(journal.accounts())
        seq, _ = journal.head()
        yield _well(
            "journal",
            f"{job.state_path}: {many(seq, 'event')}, the hash chain verifies",
        )
        if stop := stop_in_force(journal.events(STOPS)):
            yield Checkup("stop", "wrong", f"{stop}; {steps.LIFT_STOP()}", 12)
        if unreadable := unreadable_in(journal.events(UNREADABLE)):
            yield Checkup("charge", "wrong", unreadable, 11)
        for attempts in attempts_of(journal, journal.open_orders()).values():
            last = attempts[-1]
            since = times.local(iso(last.sent_ns), job.controls.time_zone)
            yield _warning(
                "open order",
                f"{last.intent.order_id} is {last.outcome.value} since {since}",
            )
        refuse_another_place(job, journal)
        refuse_lost(loss := loss_of(job, journal, known_to_be))
        if loss is not None:
            told = (
                f"an older copy is back: {loss.evidence}; the next run lists what the gateway has"
                " before it sends"
            )
            yield _warning("journal", told)
            for word in loss.told:
                yield _warning("journal", word)
    finally:
        journal.close()


def _renamed(job: Job, journal: SqliteJournal, files: _Files) -> Iterator[Checkup]:
    """Another job's reports over a file that this one reads and its journal does not know: was it
    renamed?
    """
    mine = {batch.sha256 for batch in journal.batches()}
    names = {intake.snapshot.sha256: intake.snapshot.name for intake in files.intakes}
    others = other_jobs(job.report.directory, job.name, names.keys() - mine)
    for sha256, other in sorted(others.items()):
        told = f'the reports of job "{other}" are about {names[sha256]}, which this job reads'
        if _sent_from_here(job, other, sha256):
            told = (
                f"{told}, and this very journal has sent orders of it under that name"
            )
            yield Checkup("job", "wrong", f"{told}. {steps.OLD_NAME(job=other)}", 78)
        else:
            yield _warning("job", f"{told}. {steps.OLD_NAME(job=other)}")


def _sent_from_here(job: Job, other: str, sha256: str) -> bool:
    """Does this job's journal know a file, and orders that were sent, under another job's name?"""
    with closing(SqliteJournal(job.state_path, other, read_only=True)) as journal:
        known = {batch.sha256 for batch in journal.batches()}
        return sha256 in known and journal.knows_orders()


def _disk(job: Job) -> Iterator[Checkup]:
    """Room, the right to write, and nothing in the state's folder that nobody put there."""
    yield _folder("state", job.state_path.parent)
    yield _folder("reports", job.report.directory)
    inside = _inside(job.state_path.parent)
    journals = _journals(inside) | {job.state_path.name}
    if others := sorted(journals - {job.state_path.name}):
        yield _well("state", f"other journals beside it: {', '.join(others[:5])}")
    names = (path.name for path in inside)
    strangers = sorted(name for name in names if not _is_state(name, journals))
    if strangers:
        yield _warning(
            "state", f"files that batchpay did not make: {', '.join(strangers[:5])}"
        )


def _folder(subject: str, folder: Path) -> Checkup:
    """The folder, or the next one above it that is there."""
    there = next(path for path in (folder, *folder.parents) if _is_there(path))
    free = shutil.disk_usage(there).free
    if not there.is_dir():
        told = f"{there}: a file, where a folder belongs; name another in the job"
        return Checkup(subject, "wrong", told, 78)
    if not os.access(there, os.W_OK | os.X_OK):
        return Checkup(subject, "wrong", f"{there}: cannot be written by this user", 73)
    told = f"{there}: {free >> 20} MiB free"
    if free < NO_ROOM_BYTES:
        return Checkup(
            subject, "wrong", f"{told}: nothing can be written there; make room", 73
        )
    if free < LEAST_FREE_BYTES:
        return _warning(subject, f"{told}; {LEAST_FREE_BYTES >> 20} are wanted")
    return _well(subject, told)


def _inside(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError:  # not there, or closed to this user, which is told above
        return []


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # inside a folder that is closed to this user
        return False


def _journals(inside: Iterable[Path]) -> set[str]:
    """The names of files that are journals, or that a lock beside them says to be one."""
    locked = {state_of_lock(path.name) for path in inside}
    return {path.name for path in inside if path.name in locked or is_journal(path)}


def _is_state(name: str, journals: Collection[str]) -> bool:
    """Is it one of these, what SQLite keeps beside one, or a lock?"""
    if name in journals or state_of_lock(name):
        return True
    return any(name == f"{journal}{end}" for journal in journals for end in BESIDE)


def _clock(job: Job, files: _Files) -> Iterator[Checkup]:
    """As far as this machine alone can tell: nothing that it wrote is younger than now."""
    now_ns = SystemClock().now_ns()
    for path in (
        job.path,
        job.state_path,
        *(intake.snapshot.path for intake in files.intakes),
    ):
        if _is_there(path):
            ahead_s = (path.stat().st_mtime_ns - now_ns) / 1e9
        else:
            ahead_s = 0.0
        if ahead_s > AHEAD_S:
            remedy = "set the clock (NTP) if it is this one that is wrong"
            yield _warning(
                "clock",
                f"{path} was written {ahead_s:.0f} s from now, by this machine's clock: {remedy}",
            )
            return
    yield _well(
        "clock", f"{iso(now_ns)} by this machine; no file of this job is younger"
    )


# --- the key


def _environment(environ: Mapping[str, str]) -> Iterator[Checkup]:
    """What is set for other programs and not heeded here; and who else may read or change the file
    of the key.
    """
    if named := [name for name in NOT_READ if environ.get(name)]:
        told = (
            "set for other programs and not read here: certificates are those of certifi, no proxy"
            " is used"
        )
        yield _warning("environment", f"{', '.join(named)}: {told}")
    if not (file := environ.get("OMISE_SECRET_KEY_FILE", "")):
        return
    path = Path(file).absolute().resolve()
    about = path.stat()
    mode = f"mode {stat.S_IMODE(about.st_mode):04o}"
    for bits, may in (
        ((stat.S_IROTH, stat.S_IRGRP), "read"),
        ((stat.S_IWOTH, stat.S_IWGRP), "change"),
    ):
        if who := _others(about, *bits):
            yield _warning(
                "key file",
                f"{path}: {who} may {may} the secret key ({mode}): chmod 600 it",
            )
    for folder in path.parents:
        about = folder.stat()
        who = _others(about, stat.S_IWOTH, stat.S_IWGRP)
        if who and not about.st_mode & stat.S_ISVTX:
            told = (
                f"{folder}: {who} may write in this folder, and so put another key in the place of"
                f" {path.name}"
            )
            yield _warning("key file", f"{told}: chmod go-w it")


def _others(about: os.stat_result, everybody: int, group: int) -> str:
    """Who beside the owner has a right to a file. No others: the owner's own group, and one by
    which we have it.
    """
    if about.st_mode & everybody:
        return "everybody"
    ours = about.st_uid != os.geteuid() and about.st_gid in (
        os.getegid(),
        *os.getgroups(),
    )
    if (
        about.st_mode & group
        and not ours
        and about.st_gid != primary_group(about.st_uid)
    ):
        return f"group {group_name(about.st_gid)}"
    return ""


def _key(seen: Seen, environ: Mapping[str, str]) -> Iterator[Checkup]:
    """Is there one, and of the job's mode? Of which account it is only the gateway knows."""
    if seen.job is None:
        yield from _unseen(["key"], "the job file says which mode it must be of")
        return
    seen.key = secret_key(environ, seen.job.gateway)
    yield from ()


# --- the gateway


def _ask(job: Job, key: SecretKey, files: _Files) -> Iterator[Checkup]:
    """What the gateway tells. A run that is under way has the job's rate: then nothing is asked."""

    async def collected(channel: Channel) -> list[Checkup]:
        gateway = gateways.open(job.gateway, key.reveal())
        try:
            return [finding async for finding in _gateway(job, gateway, files, channel)]
        finally:
            await gateway.aclose()

    try:
        with asking(job) as channel:
            yield from asyncio.run(collected(channel))
    except BatchpayError as error:
        yield from _wrong("gateway", error)
        yield from _unseen(AT_GATEWAY, "the gateway could not be asked")


async def _gateway(
    job: Job,
    gateway: Gateway,
    files: _Files,
    channel: Channel,
) -> AsyncIterator[Checkup]:
    account = await channel.ask(gateway.account, learn=False)
    # as a run takes it (settlement/run.py)
    if account is not None and account.status == 401:
        channel.refused(account)
    await close_to_no_gateway(job.gateway, gateway, channel)
    if account is None or channel.closed:
        for finding in _silent(job, channel, AT_GATEWAY):
            yield finding
        return
    for finding in _account(job, account, files.account):
        yield finding
    listed = await channel.ask(partial(gateway.page, iso(SystemClock().now_ns()), 0))
    if listed is None:
        for finding in _silent(job, channel, AT_GATEWAY[1:]):
            yield finding
        return
    yield _permission(listed)
    yield _gateway_clock(channel)
    answer = await channel.ask(gateway.capability)
    capability = None
    if answer is not None:
        capability = answer.said
    bounds = bounds_of(account.said, capability)
    for finding in _limits(job, files, bounds):
        yield finding
    for finding in await _recipients(job, gateway, files.recipients, channel):
        yield finding


def _gateway_clock(channel: Channel) -> Checkup:
    if channel.gateway_date:
        return _well("clock", f"agrees with the gateway's, {channel.gateway_date}")
    return _warning("clock", "the gateway gives no Date header to compare with")


def _silent(job: Job, channel: Channel, subjects: Iterable[str]) -> Iterator[Checkup]:
    """The gateway refused the key, differs by its clock, or gave no answer: nothing more is
    asked.
    """
    silent = f"{job.gateway.url} does not answer{channel.why}"
    error = channel.fatal or GatewaySilent(silent)
    subject = "gateway"
    if channel.skewed:
        subject = "clock"
    yield from _wrong(subject, error)
    left = [one for one in subjects if one != subject]
    yield from _unseen(left, "the gateway was not asked any more")


def _account(
    job: Job, answer: Answer[Account], kept: dict[str, Any]
) -> Iterator[Checkup]:
    """The key's own account (docs/gateway.md, 7.4) as a run holds it against job and journal, or
    why it is not told.
    """
    account = answer.said or Account()
    try:
        refuse_other_mode(job.gateway, account)
        refuse_other_account(account, kept)
    except BatchpayError as error:
        yield from _wrong("key", error)
        return
    if account.id:
        yield _well("key", f"account {account.id}, mode {job.gateway.mode}")
        return
    told = f"the gateway does not tell of the account: {_said_in(answer)}"
    if kept.get("account"):
        why = f"{told}; no run sends or asks before it does: run again later"
        yield Checkup("key", "wrong", why, 69)
    else:
        yield _warning("key", told)


def _permission(listed: Answer[object]) -> Checkup:
    if listed.status == 200:
        return _well(
            "permission", "the key may list charges: without that no run sends anything"
        )
    why = f"GET /charges gave {_said_in(listed)}: no run can send"
    return Checkup("permission", "wrong", why, 78)


def _said_in(answer: Answer[Any]) -> str:
    """The status of an answer and its words, each once."""
    words = dict.fromkeys((str(answer.status), answer.code, answer.message))
    return " ".join(filter(None, words))


def _limits(job: Job, files: _Files, bounds: Bounds) -> Iterator[Checkup]:
    """What the gateway takes, against the job's own limits and against every file."""
    controls = job.controls
    named = {*(controls.max_amount or ()), *(controls.max_total or ())}
    if bounds.currencies and (
        unknown := sorted(code for code in named if code not in bounds.currencies)
    ):
        yield _warning(
            "currencies",
            f"the account does not take {', '.join(unknown)}, which [controls] names",
        )
    for intake in files.intakes:
        for told in not_taken(
            files.asked[intake.batch_id], bounds, job.fee, controls.min_share
        ):
            yield _warning("limits", f"{intake.snapshot.name}: {told}")
    if not bounds.has_limits:
        yield _warning(
            "limits",
            "the gateway does not tell the least and the most of a charge in a currency we know",
        )
        return
    own = (controls.max_amount or {}).get(bounds.currency, 0)
    if own > (bounds.most or 0):
        yield _warning(
            "limits",
            f"max_amount {grouped_text(own, bounds.currency)} {bounds.currency} is above what the "
            "gateway takes",
        )
    yield _well("limits", str(bounds.told()))
    for intake in files.intakes:
        apart = not_compared(files.asked[intake.batch_id], bounds)
        if apart is not None:
            yield _well("limits", f"{intake.snapshot.name}: {apart}")


async def _recipients(
    job: Job,
    gateway: Gateway,
    recipients: frozenset[str],
    channel: Channel,
) -> list[Checkup]:
    asked = await preflight(recipients, gateway, channel, "", job.gateway.concurrency)
    found = []
    for recipient, why in sorted(asked.barred.items()):
        found.append(_warning("recipient", f"{recipient} {why}"))
    for recipient in asked.unknown:
        found.append(
            _warning("recipient", f"{recipient}: the gateway does not tell of it")
        )
    if channel.closed:
        return [*found, *_silent(job, channel, ["recipients"])]
    can = len(recipients) - len(asked.barred) - len(asked.unknown)
    return [*found, _well("recipients", f"{can} of {len(recipients)} can be paid")]
