"""VERIFY: is everything still what was written? The journal's chain, and each manifest against the files beside it.

Needs no key and no network. The journal says what happened (docs/journal.md tells how its chain is made); a manifest
says what every report of a batch was, and at which event of the chain it was made.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchpay.data import open_regular, read_regular
from batchpay.errors import InputMissing
from batchpay.job import Job
from batchpay.journals.place import may_be_there
from batchpay.journals.sqlite import SqliteJournal
from batchpay.reports.manifest import MAX_BYTES
from batchpay.text import told

NEWEST = "manifest.json"
_OLDER = re.compile(r"manifest-[0-9]+(-[0-9]+)?\.json")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was written."""

    path: str
    told: str


@dataclass(slots=True)
class Verified:
    """What was looked at and what was found."""

    journal: Path
    events: int = 0  # of every job in this file
    digest: str = ""  # of the last one
    manifests: list[Path] = field(default_factory=list)
    files: int = 0  # whose digest was compared
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """12 on any difference; a damaged journal is an exception."""
        return 12 if self.differences else 0


def verify(job: Job, batch_id: str | None = None) -> Verified:
    """Look at everything of a job, or of one batch. Raises InputMissing, and InputOutput for a damaged journal."""
    if not may_be_there(job.state_path):
        raise InputMissing(f"{job.state_path}: there is no journal yet; batchpay run makes one")
    with closing(SqliteJournal(job.state_path, job.name, read_only=True)) as journal:
        journal.verify()
        made = Verified(job.state_path, *journal.head())
        known = [batch.id for batch in journal.batches()]
        if batch_id is not None and batch_id not in known:
            raise InputMissing(f"the journal has no batch {batch_id}; it has {', '.join(known) or 'none'}")
        heads = {event.seq: event.digest for event in journal.events(["totals"])}
        journal_id = journal.id
    for name in known if batch_id is None else [batch_id]:
        folder = job.report.directory / name
        if (folder / NEWEST).is_file():
            made.differences += _folder(made, folder, journal_id, heads)
        else:
            made.notes.append(f"batch {name}: no manifest in {folder}; batchpay report writes one")
    return made


def _folder(made: Verified, folder: Path, journal_id: str, heads: dict[int, str]) -> Iterator[Difference]:
    """Every manifest of one batch, the newest also against the files beside it."""
    for path in sorted(folder.iterdir()):
        if path.name != NEWEST and not _OLDER.fullmatch(path.name):
            continue
        made.manifests.append(path)
        document = _read(path)
        if document is None:
            yield Difference(str(path), "is no manifest any more: it was damaged or edited")
            continue
        yield from _head(path, document["journal"], journal_id, heads)
        if path.name == NEWEST:
            made.files += len(document["reports"])
            yield from _files(folder, document["reports"])


def _read(path: Path) -> dict[str, Any] | None:
    """A manifest, when it has the form of one."""
    try:
        document = json.loads(read_regular(path, MAX_BYTES))
        journal, reports = document["journal"], document["reports"]
        int(journal["seq"]), str(journal["id"]), str(journal["digest"])
        return document if all(isinstance(item, str) for item in (*reports, *reports.values())) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _head(path: Path, head: dict[str, Any], journal_id: str, heads: dict[int, str]) -> Iterator[Difference]:
    """Was it made from an event of this very chain?"""
    if head["id"] != journal_id:
        yield Difference(str(path), f"was made from another journal, {told(head['id'])}")
    elif heads.get(head["seq"]) != head["digest"]:
        yield Difference(
            str(path),
            f"was made from event {head['seq']}, which is not in the journal as it was: an older copy is back",
        )


def _files(folder: Path, reports: dict[str, str]) -> Iterator[Difference]:
    for name, digest in sorted(reports.items()):
        path = folder / name
        if path.name != name:
            yield Difference(str(folder / NEWEST), f"names {told(name)}, which is no file's name")
            continue
        try:
            with open_regular(path) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield Difference(str(path), "is missing")
        except OSError as error:
            yield Difference(str(path), f"cannot be read: {error.strerror}")
        except ValueError:  # a name with a NUL, which no file has
            yield Difference(str(folder / NEWEST), f"names {told(name)}, which is no file's name")
        else:
            if found != digest:
                yield Difference(str(path), f"was changed: its SHA-256 is {found}, the manifest says {digest}")
