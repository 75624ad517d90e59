"""Where the packaged files are: in an installed wheel beside the code, in a checkout at its top.

And how a small file is read whose name anybody may have given to something else: a pipe, a device,
a folder.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_INSTALLED = Path(__file__).parent.parent / "_data"
_CHECKOUT = Path(__file__).parent.parent.parent


def data_path(name: str) -> Path:
    """`schemas/order.schema.json` or `samples/job.toml` as a path on this machine."""
    if _INSTALLED.is_dir():
        return _INSTALLED / name
    return _CHECKOUT / name


def open_regular(path: Path) -> BufferedReader:
    """A regular file, open to read. Raises OSError, at once, for whatever would be waited for or
    never end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return os.fdopen(handle, "rb")


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file. Raises OSError, also when there are more than `most`."""
    with open_regular(path) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"is larger than {most >> 10} KiB", str(path))
    return found
