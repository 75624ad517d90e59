"""manifest.json: what every report was made from, so that an auditor can make it again and compare."""

from __future__ import annotations

import json

from batchpay.errors import CannotWrite
from batchpay.reports.files import Directory
from batchpay.reports.table import Inputs


def write_manifest(directory: Directory, inputs: Inputs) -> None:
    """Written last; the one it replaces is kept under the number of its own journal event."""
    batch = inputs.batch
    document = {
        "manifest_version": 1,
        "job": batch.job,
        "mode": batch.mode,
        "batch": batch.id,
        "input": {"file": batch.file, "sha256": batch.sha256, "rows_read": batch.rows_read},
        "job_file_sha256": batch.job_sha256,
        "schema_sha256": batch.schema_sha256,
        "reports": directory.digests(),
        "journal": {"id": inputs.journal_id, "seq": inputs.head_seq, "digest": inputs.head_digest},
        "versions": dict(sorted(inputs.versions.items())),
    }
    data = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
    _keep_old(directory, data)
    with directory.file("manifest.json") as file:
        file.write(data)


def _keep_old(directory: Directory, data: bytes) -> None:
    path = directory.path / "manifest.json"
    try:
        old = path.read_bytes()
        if old != data:
            seq = json.loads(old)["journal"]["seq"]
            kept = directory.path / f"manifest-{int(seq)}.json"
            if not kept.exists():
                path.rename(kept)
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotWrite(
            f"{path}: the manifest it replaces cannot be kept: {error}; move it away and run again"
        ) from error
