"""INIT: a commented job, a schema and some orders to start from."""

from __future__ import annotations

from pathlib import Path

from batchpay.data import data_path
from batchpay.errors import CannotWrite, Usage

FILES = {
    "job.toml": "samples/start/job.toml",
    "order.schema.json": "schemas/order.schema.json",
    "orders.csv": "samples/start/orders.csv",
}


def start(directory: Path) -> list[Path]:
    """Write the files into a folder, all or none. Raises Usage when one of them is there, and CannotWrite."""
    there = [name for name in FILES if (directory / name).exists()]
    if there:
        raise Usage(f"{directory}: {', '.join(there)} is there already and is left alone; name another folder")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, source in FILES.items():
            with (directory / name).open("xb") as file:
                file.write(data_path(source).read_bytes())
    except OSError as error:
        raise CannotWrite(f"{directory}: cannot write: {error.strerror}") from error
    return [directory / name for name in FILES]
