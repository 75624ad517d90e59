"""VERIFY: is everything still what was written? The journal's chain, and each manifest against the
files beside it.

Needs no key and no network. The journal says what happened (docs/journal.md tells how its chain is
made); a manifest says what every file of a folder was, and at which event of the chain it was made.
Of the report folder, every folder of this job is looked at, whichever journal its manifest names;
and the journal knows of which batches reports exist.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from batchpay.batches.counted import last_totals, unfinished
from batchpay.batches.wholeness import loss_of, older_copy, refuse_lost
from batchpay.domain.errors import InputMissing, Misconfigured
from batchpay.domain.events import Archived, BelongsTo, Restored, told_by, told_in
from batchpay.domain.model import Batch
from batchpay.domain.text import many, told
from batchpay.job.job import Job
from batchpay.job.packaged import open_regular, read_regular
from batchpay.journals.archive import ARCHIVES
from batchpay.journals.lock import running, witnessed
from batchpay.journals.place import may_be_there
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.messages import archives, steps
from batchpay.reports.manifest import MAX_BYTES, SHORT, newest_heads

NEWEST = "manifest.json"
_MANIFEST = re.compile(r"manifest(-[0-9]+(-[0-9]+)?)?\.json")
# files beside a manifest that name their job as well
_SAY_WHOSE = ("report.json", "audit.json", "adopted.json")
_LAST_SEQ = 2**63 - 1  # that SQLite can count to


@dataclass(frozen=True, slots=True)
class Differs:
    """One thing that is not as it was written."""

    path: str
    told: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at and what was found."""

    journal: Path
    events: int  # of every job in this file
    digest: str  # of the last one
    manifests: tuple[Path, ...]
    files: int  # whose digest was compared
    differences: tuple[Differs, ...]
    notes: tuple[str, ...]
    older: bool = False  # was an older copy put back that no run has dealt with?

    @property
    def exit_code(self) -> int:
        """12 on any difference; a damaged journal is an exception."""
        if self.differences:
            return 12
        return 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What the journal says about manifests."""

    job: str
    mode: str  # live or test: what is of the other one is another journal's
    journal_id: str
    digest_of: Callable[[int], str]  # of an event by its number; "" where there is none
    batches: Mapping[str, Batch]
    counted: Mapping[str, int]  # batch -> the event that its reports are written from
    # batches whose last reports a run counted and could not write, or was killed before
    unwritten: frozenset[str]
    accounts: tuple[str, ...]  # whose money it was said to be, the last word last
    lookups: Mapping[str, str]  # today's lookup files of the job: path -> SHA-256
    # losses it has noted: the last event that was left, the last that was known of
    lost: tuple[tuple[int, int], ...]
    # ... and from which of its events manifests were made, by the beginnings of their digests
    lost_heads: frozenset[str]

    def is_event(self, seq: int, digest: str) -> bool:
        """Is it an event of this very chain?"""
        return 0 < seq <= _LAST_SEQ and self.digest_of(seq) == digest

    def has_lost(self, seq: int, digest: str) -> bool:
        """Does the journal itself say that it lost this event, or those around its number?"""
        if digest[:SHORT] in self.lost_heads:
            return True
        return any(left < seq <= had for left, had in self.lost)


@dataclass(slots=True)
class _Seen:
    """What was found so far."""

    manifests: list[Path] = field(default_factory=list)
    files: int = 0
    differences: list[Differs] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(job: Job, batch_id: str | None = None) -> Verified:
    """Look at everything of a job, or of one batch. Raises InputMissing, and InputOutput for a
    damaged journal.
    """
    known_to_be = witnessed(job.state_path, job.name)
    if not may_be_there(job.state_path):
        _refuse_missing(job)
    seen = _Seen()
    with closing(SqliteJournal(job.state_path, job.name, read_only=True)) as journal:
        journal.verify()
        refuse_lost(loss := loss_of(job, journal, known_to_be))
        events, digest = journal.head()
        known = _known(job, journal)
        for name in _chosen(job, known, batch_id):
            folder = job.report.directory / name
            seen.differences += _folder(seen, folder, known)
        seen.differences += _archives(seen, job, journal, batch_id)
    if told_older := older_copy(loss):
        seen.notes.append(told_older)
    if seen.differences and running(job.state_path, job.name):
        seen.notes.append(
            "a run is at work, and may not have written yet what it has counted: verify again when"
            " it ended"
        )
    return Verified(
        journal=job.state_path,
        events=events,
        digest=digest,
        manifests=tuple(seen.manifests),
        files=seen.files,
        differences=tuple(seen.differences),
        notes=tuple(seen.notes),
        older=bool(told_older),
    )


def _archives(
    seen: _Seen, job: Job, journal: SqliteJournal, batch_id: str | None
) -> Iterator[Differs]:
    """The files of finished batches, where they lie in their folder."""
    folder = job.state_path.parent / ARCHIVES
    for _, one in told_in(journal, Archived):
        if batch_id not in (None, one.batch):
            continue
        path = folder / one.file
        try:
            with open_regular(path) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            missing = archives.MISSING(
                file=one.file, sha256=one.sha256, batch=one.batch, folder=str(folder)
            )
            seen.notes.append(str(missing))
        except OSError as error:
            yield Differs(str(path), f"cannot be read: {error.strerror}")
        else:
            seen.files += 1
            if found != one.sha256:
                changed = archives.CHANGED(found=found, sha256=one.sha256)
                yield Differs(str(path), str(changed))


def _refuse_missing(job: Job) -> NoReturn:
    """There is no journal; was there one?"""
    for head in newest_heads(job.report.directory, job.name, job.gateway.mode):
        raise Misconfigured(
            f"{job.state_path}: there is no journal, and {head.path} was made from one:"
            f" {steps.ADOPT()}"
        )
    raise InputMissing(
        f"{job.state_path}: there is no journal yet; batchpay run makes one"
    )


def _chosen(job: Job, known: _Known, batch_id: str | None) -> list[str]:
    """The folders to look at: all of the job's, or the one that was named."""
    folders = sorted({*known.batches, *_folders(job, known)})
    if batch_id is None:
        return folders
    if batch_id not in folders:
        raise InputMissing(
            f"neither the journal nor {job.report.directory} has {told(batch_id)}; they have"
            f" {', '.join(folders) or 'nothing'}"
        )
    return [batch_id]


def _known(job: Job, journal: SqliteJournal) -> _Known:
    counted = last_totals(journal)
    killed = unfinished(journal)
    losses = [loss for _, loss in told_in(journal, Restored)]
    return _Known(
        job=job.name,
        mode=job.gateway.mode,
        journal_id=journal.id,
        digest_of=journal.digest_of,
        batches={batch.id: batch for batch in journal.batches()},
        counted={name: event.seq for name, event in counted.items()},
        unwritten=frozenset(
            name for name, event in counted.items() if killed(event.run_id)
        ),
        accounts=tuple(
            one.account
            for _, one in told_by(journal.accounts(), BelongsTo)
            if one.account
        ),
        lookups=dict(job.lookups()),
        lost=tuple((loss.has or 0, loss.had or 0) for loss in losses),
        lost_heads=frozenset(name for loss in losses for name in loss.heads),
    )


def _folders(job: Job, known: _Known) -> Iterator[str]:
    """Names of folders that are this job's, in its mode, by what a file in them says; batches of
    the journal are known anyway.
    """
    with (
        suppress(FileNotFoundError, NotADirectoryError),
        os.scandir(job.report.directory) as found,
    ):
        for entry in found:
            is_new = entry.name not in known.batches and entry.is_dir()
            if is_new and _is_of(Path(entry.path), known):
                yield entry.name


def _is_of(folder: Path, known: _Known) -> bool:
    paths = (*_manifests(folder), *(folder / name for name in _SAY_WHOSE))
    return any(
        document.get("job") == known.job and not _is_of_other_mode(document, known)
        for document in map(_json, paths)
    )


def _is_of_other_mode(document: Mapping[str, Any], known: _Known) -> bool:
    """A job of the other mode has another journal, and may have the same name and folder."""
    mode = str(document.get("mode") or known.mode)  # an earlier version may not say
    return mode.lower() != known.mode


def _manifests(folder: Path) -> list[Path]:
    """The newest and those it replaced."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _MANIFEST.fullmatch(path.name))


def _folder(seen: _Seen, folder: Path, known: _Known) -> Iterator[Differs]:
    """Every manifest of one folder, the newest also against the files beside it."""
    others: Counter[str] = Counter()
    manifests = _manifests(folder)
    seen.manifests += manifests
    for path in manifests:
        document = _read(path)
        if document is None:
            yield Differs(
                str(path), "is no manifest any more: it was damaged or edited"
            )
            continue
        if folder.name not in known.batches and _is_of_other_mode(document, known):
            continue
        yield from _says(path, document, known)
        yield from _head(path, document["journal"], known, others)
        if path.name == NEWEST:
            seen.files += len(document["reports"])
            yield from _files(folder, document["reports"])
            seen.notes += _lookups(path, document, known)
    for origin, number in sorted(others.items()):
        seen.notes.append(f"{folder}: {many(number, 'manifest')} of {origin}")
    if folder / NEWEST not in manifests:
        yield from _missing(seen, folder, known)


def _missing(seen: _Seen, folder: Path, known: _Known) -> Iterator[Differs]:
    """A folder without its manifest: nothing says what its files were."""
    name = folder.name
    path = str(folder / NEWEST)
    if name in known.counted:
        how = (
            "is missing, and this batch was counted for its reports (event"
            f" {known.counted[name]}): batchpay report JOB {name} writes them again"
        )
        if name in known.unwritten:
            seen.notes.append(
                f"{path} {how}; the run that counted it did not come to write them"
            )
        else:
            yield Differs(path, how)
    elif name in known.batches:
        seen.notes.append(
            f"batch {name}: no manifest in {folder}: the run that would have written its reports"
            f" did not come to it; batchpay report JOB {name} writes them"
        )
    else:
        yield Differs(path, "is missing: nothing says what the files beside it were")


def _json(path: Path) -> dict[str, Any]:
    """An object that a file holds; an empty one for anything else."""
    try:
        document = json.loads(read_regular(path, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if isinstance(document, dict):
        return document
    return {}


def _read(path: Path) -> dict[str, Any] | None:
    """A manifest, when it has the form of one."""
    document = _json(path)
    try:
        journal = document["journal"]
        reports = document["reports"]
        taken = document["input"]
        texts = [journal["id"], journal["digest"], taken["sha256"]]
        texts += [document["job"], document["mode"], document["batch"]]
        texts += [*reports, *reports.values()]
        numbers = [journal["seq"], taken["rows_read"]]
    except (KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(text, str) for text in texts):
        return None
    if not all(type(number) is int for number in numbers):
        return None
    return document


def _says(path: Path, document: Mapping[str, Any], known: _Known) -> Iterator[Differs]:
    """What a manifest says about its batch, against what the journal says."""
    taken = document["input"]
    facts: list[tuple[str, object, object]] = [  # as it says, and as it is
        ("job", document["job"], known.job),
        ("batch", document["batch"], path.parent.name),
    ]
    if batch := known.batches.get(path.parent.name):
        facts.append(("mode", document["mode"], batch.mode))
        facts.append(("SHA-256 of the input", taken["sha256"], batch.sha256))
        # a job that reads the same bytes another way may count other rows
        if path.name == NEWEST:
            facts.append(("rows read", taken["rows_read"], batch.rows_read))
    # an earlier version did not say, nor who never knew
    account = document.get("account")
    if known.accounts and account and account not in known.accounts:
        facts.append(("account", account, known.accounts[-1]))
    for name, found, expected in facts:
        if found != expected:
            what = f"says {name} {told(str(found))}, which is {told(str(expected))}"
            yield Differs(str(path), what)


def _lookups(path: Path, document: Mapping[str, Any], known: _Known) -> Iterator[str]:
    """The lookup files of then that are others today: they may be edited, so that is no
    difference.
    """
    kept = document.get("lookups_sha256")
    if not isinstance(kept, dict):  # an earlier version did not say
        return
    for name, sha256 in sorted(kept.items()):
        today = known.lookups.get(name)
        if today == sha256:
            continue
        how = f"is another file today than {path} was made with (SHA-256 {sha256})"
        if today is None:
            how = f"is not used by the job any more; {path} was made with it (SHA-256 {sha256})"
        yield f"the lookup file {told(name)} {how}"


def _head(
    path: Path,
    head: Mapping[str, Any],
    known: _Known,
    others: Counter[str],
) -> Iterator[Differs]:
    """Was it made from an event of this very chain, and the newest of a batch from the last that
    counted it?
    """
    seq = head["seq"]
    is_mine = head["id"] == known.journal_id
    is_event = is_mine and known.is_event(seq, head["digest"])
    has_lost = known.has_lost(seq, head["digest"])
    if path.name == NEWEST:
        last = known.counted.get(path.parent.name)
    else:
        last = None
    if is_event and last in (None, seq):
        return
    if is_event:
        made = (
            f"was made from event {seq}, and the batch was counted anew by event {last}"
        )
    elif not is_mine:
        made = f"was made from another journal, {told(head['id'])}"
    else:
        made = (
            f"was made from event {seq}, which is not in the journal as it was: an older copy is"
            " back"
        )
    if is_mine and not is_event and not has_lost:
        how = "leave the folder there: batchpay run JOB finds at the gateway what it has lost"
        yield Differs(str(path), f"{made}: {how}")
    elif last is not None:
        how = f"batchpay report JOB {path.parent.name} writes the reports again"
        yield Differs(str(path), f"{made}: {how}")
    elif not is_mine:
        others[f"another journal, {told(head['id'])}: its chain was not looked at"] += 1
    elif has_lost:
        others[
            "this journal as it was before a loss that it has noted: those events were not"
            " looked at"
        ] += 1
    else:
        yield Differs(str(path), made)


def _files(folder: Path, reports: dict[str, str]) -> Iterator[Differs]:
    for name, digest in sorted(reports.items()):
        path = folder / name
        no_name = Differs(
            str(folder / NEWEST), f"names {told(name)}, which is no file's name"
        )
        if path.name != name:
            yield no_name
            continue
        try:
            with open_regular(path) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield Differs(str(path), "is missing")
        except OSError as error:
            yield Differs(str(path), f"cannot be read: {error.strerror}")
        except ValueError:  # a name with a NUL, which no file has
            yield no_name
        else:
            if found != digest:
                changed = (
                    f"was changed: its SHA-256 is {found}, the manifest says {digest}"
                )
                yield Differs(str(path), changed)
