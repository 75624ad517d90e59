"""Where the packaged files are: in an installed wheel beside the code, in a checkout at its top."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "_data"
_CHECKOUT = Path(__file__).parent.parent


def data_path(name: str) -> Path:
    """`schemas/order.schema.json` or `samples/job.toml` as a path on this machine."""
    return (_INSTALLED if _INSTALLED.is_dir() else _CHECKOUT) / name
