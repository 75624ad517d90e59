"""PATHS: where the files lie that a job names."""

from __future__ import annotations

from pathlib import Path

from batchpay.domain.errors import Misconfigured

MAX_NAME_BYTES = 255  # of a file or folder, and ...
MAX_PATH_BYTES = 4000  # ... of a whole path: what file systems take


def resolved(path: Path) -> Path:
    """A path in full, its links followed. Raises Misconfigured."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise Misconfigured(
            f"{path}: its folder cannot be found from here: {error}; name it by its full path"
        ) from error


def absolute(name: str) -> Path:
    """A path from the command line, from where the command was given."""
    try:
        return Path(name).absolute()
    except OSError as error:
        raise Misconfigured(
            f"{name}: the folder that this command runs in is gone; change to another one"
        ) from error


def encoded(text: str) -> bytes:
    """As the file system holds a name: its limits count bytes."""
    return text.encode("utf-8", "surrogateescape")
