"""manifest.json: what every report was made from, so that an auditor can make it again."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchpay import __version__
from batchpay.domain.errors import CannotWrite
from batchpay.job.job import Job
from batchpay.job.packaged import read_regular
from batchpay.reports.files import Directory
from batchpay.reports.table import Inputs

MAX_BYTES = 16 << 20  # of a manifest: a line a report file
STOP = ("reason", "order", "charge", "event")  # what a stop is told by
# reports of a job, by when their folders were written, that tell how far its journal had come
LATEST = 20
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # by which a batch's id begins
SHORT = 16  # digits of a digest by which a manifest names an event


@dataclass(frozen=True, slots=True)
class Head:
    """The journal's event that a report was made from."""

    path: Path
    journal_id: str
    seq: int
    digest: str
    at_ns: int  # when the manifest was written, by the file system's clock
    account: str = ""  # whose money it was; empty: it does not say
    url: str = ""  # the gateway's address, likewise
    batch: str = ""
    words: tuple[Said, ...] = ()
    # in force then: reason, order, charge; event, unless an earlier version told it
    stops: tuple[Mapping[str, str], ...] = ()
    # events of words and stops that are over, or were taken over from another manifest
    over: tuple[str, ...] = ()
    # Ids of its charges that were not proven to be what was asked, or taken as they are.
    unproven: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A person's word about an order, as a manifest tells it."""

    said: str  # cancelled, not-charged
    order_id: str  # empty: it is of these rows alone
    # All that its sale is known by: places of rows, and orders (places.by_order).
    keys: tuple[str, ...]
    reason: str
    attempt: int = 0  # of which it was said; 0: of the order
    # Sheet and row, where an earlier version told it; row 0: the keys tell it.
    place: tuple[str, int] = ("", 0)
    by: str = ""  # whose word it is; empty: an earlier version did not tell
    at: str = ""  # when it was said, UTC, ISO 8601; likewise
    event: str = ""  # by which it was said, where it may be over one day; likewise

    def to_json(self) -> dict[str, Any]:
        """As a manifest has it."""
        told: dict[str, Any] = {
            "as": self.said,
            "order_id": self.order_id,
            "keys": list(self.keys),
            "reason": self.reason,
            "by": self.by,
            "at": self.at,
        }
        if self.attempt:
            told["attempt"] = self.attempt
        if self.event:
            told["event"] = self.event
        return told


def every_head(directory: Path, job: str, mode: str) -> list[Head]:
    """What every report of this job in this mode was made from, as far as manifests are kept."""
    paths = sorted(directory.glob("*/manifest*.json"))
    return [head for path in paths if (head := _head(path, job, mode)) is not None]


def telling_heads(directory: Path, job: str, mode: str) -> list[Head]:
    """What the newest reports were made from, by when they were written, and by their names, which
    begin with a day: a folder that is copied anew is younger than what was written since.
    """
    heads = newest_heads(directory, job, mode, LATEST)
    folders: list[str] = []
    with suppress(OSError), os.scandir(directory) as found:
        folders = [one.path for one in found if one.name[:1].isdigit() and one.is_dir()]
    asked = {head.path for head in heads}
    for folder in itertools.islice(sorted(folders, reverse=True), LATEST):
        path = Path(folder, "manifest.json")
        if path not in asked and (head := _head(path, job, mode)) is not None:
            heads.append(head)
    return heads


def newest_heads(
    directory: Path,
    job: str,
    mode: str,
    most: int | None = LATEST,
) -> list[Head]:
    """What the newest reports of this job in this mode were made from, newest first; of other jobs'
    none.

    What cannot be read tells nothing.
    """
    newest: list[tuple[int, str]] = []
    with suppress(OSError), os.scandir(directory) as found:
        folders = [
            (entry.stat().st_mtime_ns, entry.path) for entry in found if entry.is_dir()
        ]
        newest = sorted(folders, reverse=True)
    heads = (_head(Path(folder, "manifest.json"), job, mode) for _, folder in newest)
    of_this_job = (head for head in heads if head is not None)
    return list(itertools.islice(of_this_job, most))


def head_in(folder: Path, job: str, mode: str) -> Head | None:
    """What the reports of one folder were made from; None where nothing of this job tells."""
    return _head(folder / "manifest.json", job, mode)


def other_jobs(directory: Path, job: str, inputs: Collection[str]) -> dict[str, str]:
    """SHA-256 of an input -> the other job whose report is about it. What cannot be read tells
    nothing.
    """
    found: dict[str, str] = {}
    if not inputs:
        return found
    for path in sorted(directory.glob("*/manifest.json")):
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            document = json.loads(read_regular(path, MAX_BYTES))
            other = document["job"]
            sha256 = document["input"]["sha256"]
            if other != job and sha256 in inputs:
                found[str(sha256)] = str(other)
    return found


def batch_told(directory: Path, job: str, mode: str, sha256: str, until: str) -> str:
    """The id of a file's batch as the first of its reports tells it; empty where none of this job
    in this mode does. `until`: the id that it would have if it came today: none is younger.
    """
    with suppress(OSError):
        for folder in sorted(directory.glob(f"*{until[-13:]}")):
            is_day = DAY.fullmatch(folder.name[:-13]) and folder.name <= until
            if is_day and _is_about(folder, job, mode, sha256):
                return folder.name
    return ""


def _is_about(folder: Path, job: str, mode: str, sha256: str) -> bool:
    """Are a folder's reports of this job and mode, and of the batch of this file?"""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        document = json.loads(read_regular(folder / "manifest.json", MAX_BYTES))
        about = document["job"], document["mode"], document["batch"]
        is_file = document["input"]["sha256"] == sha256
        return is_file and about == (job, mode, folder.name)
    return False


def mode_of(folder: Path, job: str) -> str:
    """In which mode of the gateway this job's report in a folder was made; empty where there is
    none that says so.
    """
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        document = json.loads(read_regular(folder / "manifest.json", MAX_BYTES))
        if document["job"] == job:
            return str(document["mode"])
    return ""


def _head(path: Path, job: str, mode: str) -> Head | None:
    """None for what cannot be read, and for a manifest of another job or mode."""
    try:
        document = json.loads(read_regular(path, MAX_BYTES))
        if (document["job"], document["mode"]) != (job, mode):
            return None
        journal = document["journal"]
        return Head(
            path,
            journal_id=str(journal["id"]),
            seq=int(journal["seq"]),
            digest=str(journal["digest"]),
            at_ns=path.stat().st_mtime_ns,
            account=str(document.get("account", "")),
            url=str(document.get("url", "")),
            batch=str(document.get("batch", "")),
            words=tuple(_words(document)),
            stops=tuple(map(_stop, document.get("stops", ()))),
            unproven=tuple(map(str, document.get("unproven", ()))),
            over=tuple(map(str, document.get("over", ()))),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _stop(told: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(told.get(name, "")) for name in STOP}


def _words(document: Mapping[str, Any]) -> Iterator[Said]:
    for one in document.get("words", ()):
        yield Said(
            said=str(one["as"]),
            order_id=str(one["order_id"]),
            keys=tuple(map(str, one["keys"])),
            reason=str(one["reason"]),
            attempt=int(one.get("attempt", 0)),
            by=str(one.get("by", "")),
            at=str(one.get("at", "")),
            event=str(one.get("event", "")),
        )
    # As earlier versions told it, of the rows of the batch alone.
    for one in document.get("cancelled", ()):
        place = str(one["sheet"]), int(one["row"])
        yield Said(
            "cancelled", str(one["order_id"]), (), str(one["reason"]), place=place
        )


def write_manifest(directory: Directory, inputs: Inputs) -> None:
    """Written last; the one it replaces is kept under the number of its own journal event."""
    batch = inputs.batch
    _write(
        directory,
        job=batch.job,
        mode=batch.mode,
        account=inputs.whose.get("account", ""),
        url=inputs.whose.get("url", ""),
        batch=batch.id,
        **inputs.said,
        input={
            "file": batch.file,
            "sha256": batch.sha256,
            "rows_read": batch.rows_read,
        },
        job_file_sha256=batch.job_sha256,
        schema_sha256=batch.schema_sha256,
        lookups_sha256=dict(batch.lookups),
        reports=directory.digests(),
        journal={
            "id": inputs.journal_id,
            "seq": inputs.head_seq,
            "digest": inputs.head_digest,
        },
        versions=dict(sorted(inputs.versions.items())),
    )


def write_manifest_beside(
    directory: Directory,
    job: Job,
    journal_id: str,
    head: tuple[int, str],
    whose: Mapping[str, Any],
    said: Mapping[str, Any],
) -> None:
    """The same for what is no batch's: an audit, adopted charges. `head`: number and digest of its
    journal event; `whose`: account and address, as far as the journal knew them then; `said`: what
    it tells of people's words.
    """
    _write(
        directory,
        job=job.name,
        mode=job.gateway.mode,
        account=str(whose.get("account", "")),
        url=str(whose.get("url", "")),
        batch=directory.path.name,
        **said,
        input={"file": "", "sha256": "", "rows_read": 0},
        job_file_sha256=job.sha256,
        schema_sha256=job.schema.sha256,
        reports=directory.digests(),
        journal={
            "id": journal_id,
            "seq": head[0],
            "digest": head[1],
        },
        versions={"batchpay": __version__},
    )


def digests_of(folder: Path, seq: int) -> tuple[Path | None, dict[str, str]]:
    """The manifest of a folder that is of a journal event, today's or one that was replaced, and
    SHA-256 of each of its files by name; None and nothing where it is not kept.
    """
    for path in sorted(folder.glob("manifest*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            document = json.loads(read_regular(path, MAX_BYTES))
            if int(document["journal"]["seq"]) == seq:
                reports = document["reports"]
                return path, {
                    str(name): str(digest) for name, digest in reports.items()
                }
    return None, {}


def head_of(directory: Directory, job: Job) -> Head | None:
    """What a folder's manifest was made from; None where it is of other files than have just been
    written.
    """
    path = directory.path / "manifest.json"
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        if json.loads(read_regular(path, MAX_BYTES))["reports"] == directory.digests():
            return _head(path, job.name, job.gateway.mode)
    return None


def is_made_from(
    folder: Path,
    journal_id: str,
    seq: int,
    digest: str,
) -> bool:
    """Does a folder hold all that its manifest names, and was that made from this event?"""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        document = json.loads(read_regular(folder / "manifest.json", MAX_BYTES))
        journal = document["journal"]
        if (journal["id"], journal["seq"], journal["digest"]) == (
            journal_id,
            seq,
            digest,
        ):
            return all((folder / name).is_file() for name in document["reports"])
    return False


def _write(directory: Directory, **document: object) -> None:
    text = json.dumps({"manifest_version": 1, **document}, ensure_ascii=False, indent=2)
    data = f"{text}\n".encode()
    _keep_old(directory, data)
    with directory.file("manifest.json") as file:
        file.write(data)


def _keep_old(directory: Directory, data: bytes) -> None:
    """A second name for the one that is about to be replaced, so that at no instant there is none
    under the first.
    """
    path = directory.path / "manifest.json"
    try:
        old = read_regular(path, MAX_BYTES)
        if old != data:
            _link(path, old, int(json.loads(old)["journal"]["seq"]))
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotWrite(
            f"{path}: the manifest it replaces cannot be kept: {_why(error)}; move it away and run"
            " again"
        ) from error


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"it is none of ours ({error})"


def _link(path: Path, old: bytes, seq: int) -> None:
    """`manifest-15.json`; others made from the same event, for other files, become
    `manifest-15-2.json` and on.
    """
    for number in itertools.count(1):
        name = f"manifest-{seq}-{number}.json"
        if number == 1:
            name = f"manifest-{seq}.json"
        kept = path.with_name(name)
        if not kept.exists():
            kept.hardlink_to(path)
            return
        if read_regular(kept, MAX_BYTES) == old:
            return
