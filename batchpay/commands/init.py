"""INIT: a commented job, its schemas and some orders to start from."""

from __future__ import annotations

import os
from pathlib import Path

from batchpay.commands.writing import write_whole
from batchpay.domain.errors import CannotWrite, Usage
from batchpay.job.packaged import data_path

FILES = {
    "job.toml": "samples/start/job.toml",
    "job.schema.json": "schemas/job.schema.json",  # editors know by it what may stand in job.toml
    "order.schema.json": "schemas/order.schema.json",
    "orders.csv": "samples/start/orders.csv",
}


def start(directory: Path) -> list[Path]:
    """Write the files into a folder, all or none. Raises Usage when one of them is there, and
    CannotWrite.
    """
    there = [name for name in FILES if os.path.lexists(directory / name)]
    if there:
        raise Usage(
            f"{directory}: {', '.join(there)} is there already and is left alone; name another"
            " folder"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"{directory}: cannot make the folder: {error.strerror}; name another one"
        ) from error
    written: list[Path] = []
    try:
        for name, source in FILES.items():
            write_whole(directory / name, data_path(source).read_bytes())
            written.append(directory / name)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written
