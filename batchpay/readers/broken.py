"""Whatever a library says of a broken binary file becomes one sentence about the file, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batchpay.errors import BatchpayError, FileRefused
from batchpay.readers.snapshot import Snapshot


@contextmanager
def parsing(snapshot: Snapshot) -> Iterator[None]:
    """Raises FileRefused for any trouble but our own; Rust libraries panic outside of Exception."""
    try:
        yield
    except (BatchpayError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except MemoryError as error:
        raise FileRefused(f"{snapshot.path}: needs more memory than there is: split the file") from error
    except BaseException as error:
        said = " ".join(str(error).split())[:200]
        raise FileRefused(f"{snapshot.path}: is cut or damaged ({said}); send it again") from error
