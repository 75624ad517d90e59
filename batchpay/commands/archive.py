"""ARCHIVE: write finished batches into one verified file each, and pack what the journal keeps of
them.

The file comes first: written, synced and read back. Then one commit of the journal notes it and
packs the events of the batch. Killed anywhere between, the same command again goes on: a file that
is there already is read, and counts if it is the batch's archive. No event leaves the journal, and
each reads as it did (journals/sqlite/packed.py): nothing that is decided later can differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from batchpay import __version__
from batchpay.batches.finished import MayFinish, candidates_of
from batchpay.batches.open_job import WORLD, Edges, OpenJob
from batchpay.domain.errors import DoesNotAddUp
from batchpay.domain.events import Archived, line
from batchpay.domain.model import Batch
from batchpay.domain.times import first_instant
from batchpay.job.job import Job
from batchpay.job.packaged import open_regular
from batchpay.journals.archive import ARCHIVES, Content, Written, keep
from batchpay.journals.lock import OtherRuns
from batchpay.messages import archives as said
from batchpay.messages.message import Message
from batchpay.reports.manifest import digests_of


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch that stays as it is."""

    batch: Batch
    why: Message


@dataclass(frozen=True, slots=True)
class Archives:
    """What was done, or, with `only_listed`, what would be."""

    folder: Path
    before: date
    chosen: tuple[MayFinish, ...]
    written: tuple[Written, ...]
    stay: tuple[Kept, ...]
    bytes_before: int  # of the journal's file
    bytes_after: int
    # False: another program was at work with the file, or the disk too full to write it anew
    is_shrunk: bool
    only_listed: bool

    exit_code = 0


def archive(
    job: Job,
    before: date,
    to: Path | None = None,
    *,
    only_list: bool = False,
    edges: Edges = WORLD,
) -> Archives:
    """Archive every finished batch that did not change since a day began, in the job's time zone.

    Raises DoesNotAddUp while a stop is in force, TryLater while a run of this journal is at work,
    CannotWrite and InputOutput for a file that cannot be written or read back.
    """
    folder = to or job.state_path.parent / ARCHIVES
    written: list[Written] = []
    chosen: list[MayFinish] = []
    stay: list[Kept] = []
    with ExitStack() as stack:
        opened = OpenJob(job, stack, whole=True, edges=edges)
        if not only_list:
            stack.enter_context(OtherRuns(job.state_path, job.name)).refuse(
                said.AT_WORK
            )
        if stop := opened.stop:
            raise DoesNotAddUp(said.STOPPED(why=stop))
        size = job.state_path.stat().st_size
        for one in _candidates(opened, before):
            why = one.why_not or _why_reports_differ(job, one)
            if why is not None:
                stay.append(Kept(one.batch, why))
                continue
            chosen.append(one)
            if not only_list:
                written.append(_archive(opened, folder, one))
        is_shrunk = only_list or opened.journal.shrink()
    return Archives(
        folder=folder,
        before=before,
        chosen=tuple(chosen),
        written=tuple(written),
        stay=tuple(stay),
        bytes_before=size,
        bytes_after=job.state_path.stat().st_size,
        is_shrunk=is_shrunk,
        only_listed=only_list,
    )


def _candidates(opened: OpenJob, before: date) -> tuple[MayFinish, ...]:
    begins = first_instant(before, opened.job.controls.time_zone)
    before_ns = int(begins.timestamp()) * 10**9
    found = candidates_of(opened.job, opened.journal, before_ns, opened.started_ns)
    return tuple(found)


def _archive(opened: OpenJob, folder: Path, one: MayFinish) -> Written:
    """The file, whole and read back; then, in one commit, the note of it and what it allows."""
    job = opened.job
    journal = opened.journal
    batch = one.batch
    content = Content(
        job=job.name,
        journal=journal.id,
        batch=batch,
        last=one.last,
        version=__version__,
        lines=partial(journal.lines_of, batch.id),
        chunks=partial(journal.chunks, batch.id),
        reports=_reports(job.report.directory / batch.id, one.counted),
    )
    written = keep(folder, content)
    told = Archived(
        batch=batch.id,
        file=written.path.name,
        sha256=written.sha256,
        bytes=written.size,
        events=written.events,
        last=one.last,
    )
    event = line(told, opened.clock.now_ns(), opened.run_id)
    journal.archive(event, batch.id)
    return written


def _reports(folder: Path, seq: int) -> Mapping[str, Path]:
    """The files of the report that was made from an event, and every manifest."""
    _, digests = digests_of(folder, seq)
    manifests = [path.name for path in folder.glob("manifest*.json")]
    return {name: folder / name for name in (*digests, *manifests)}


def _why_reports_differ(job: Job, one: MayFinish) -> Message | None:
    folder = job.report.directory / one.batch.id
    manifest, digests = digests_of(folder, one.counted)
    if manifest is None:
        path = folder / "manifest.json"
        return said.REPORTS_DIFFER(path=str(path), batch=one.batch.id)
    for name, sha256 in digests.items():
        path = folder / name
        if Path(name).name != name or _digest(path) != sha256:
            return said.REPORTS_DIFFER(path=str(path), batch=one.batch.id)
    return None


def _digest(path: Path) -> str:
    """Empty where it cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""
