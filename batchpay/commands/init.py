"""INIT: a commented job, its schemas and some orders to start from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from batchpay.commands.writing import write_whole
from batchpay.domain.errors import CannotWrite, Usage
from batchpay.job.packaged import data_path

FILES = {
    "job.toml": "samples/start/job.toml",
    # editors know by it what may stand in job.toml
    "job.schema.json": "schemas/job.schema.json",
    "order.schema.json": "schemas/order.schema.json",
    "orders.csv": "samples/start/orders.csv",
}


def start(directory: Path) -> list[Path]:
    """Write the files into a folder, all or none. Raises Usage when one of them is there, and
    CannotWrite.
    """
    require_free(directory, FILES)
    return put(
        directory, {name: data_path(at).read_bytes() for name, at in FILES.items()}
    )


def require_free(directory: Path, names: Iterable[str]) -> None:
    """Raises Usage when something in a folder has one of the names."""
    there = [name for name in names if os.path.lexists(directory / name)]
    if there:
        stay = "is there already and is left alone"
        if len(there) > 1:
            stay = "are there already and are left alone"
        raise Usage(f"{directory}: {', '.join(there)} {stay}; name another folder")


def put(directory: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which is made where there is none; all or none. Raises
    CannotWrite.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"{directory}: cannot make the folder: {error.strerror}; name another one"
        ) from error
    written: list[Path] = []
    try:
        for name, data in files.items():
            write_whole(directory / name, data)
            written.append(directory / name)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written
