"""The judged rows of a file, kept beside a command that writes no state, so that the file is parsed
once.

Small files stay in memory. Of larger ones the rows lie in a file without a name, which goes with
the process. A disk without room costs time, not an answer: then the rows are judged anew.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import IO

from batchpay.domain.model import Judged, StoredChunk
from batchpay.intake.take_in import Rows, Source, stored

IN_MEMORY = 1 << 20  # bytes of one file's rows, before they go to a file


def keep_now(stack: ExitStack, source: Source, chunks: Iterator[Judged]) -> Rows:
    """Keep the rows as they are judged: they will be needed again (`take_in`'s `keep`)."""
    kept = KeptRows(stack, source.again)
    for _ in kept.keep(stored(number, judged) for number, judged in enumerate(chunks)):
        pass
    return kept.read


class KeptRows:
    """The rows of one file; kept from the first time on that they are read to their end."""

    def __init__(self, stack: ExitStack, again: Rows) -> None:
        """`again` judges them anew; `stack` lets go of what is kept."""
        self._again = again
        self._stack = stack
        self._file: IO[bytes] | None = None
        self._complete = False

    def read(self) -> Iterator[StoredChunk]:
        """The rows, in the file's order."""
        if self._complete and self._file is not None:
            yield from _read(self._file)
        else:
            yield from self.keep(self._again())

    def keep(self, chunks: Iterable[StoredChunk]) -> Iterator[StoredChunk]:
        """The same chunks, kept as they go by."""
        file = self._begin()
        for chunk in chunks:
            file = _written(file, chunk)
            yield chunk
        self._file = file
        self._complete = file is not None

    def _begin(self) -> IO[bytes] | None:
        with suppress(OSError):
            file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the stack closes it
            self._stack.callback(_close, file)
            return file
        return None


def _written(file: IO[bytes] | None, chunk: StoredChunk) -> IO[bytes] | None:
    """The file with one chunk more; None when there is no room for it."""
    if file is None:
        return None
    try:
        pickle.dump(chunk, file, pickle.HIGHEST_PROTOCOL)
    except OSError:
        _close(file)
        return None
    return file


def _read(file: IO[bytes]) -> Iterator[StoredChunk]:
    at = 0
    file.seek(0, 2)
    end = file.tell()
    while at < end:
        file.seek(at)  # somebody else may read between two chunks
        chunk: StoredChunk = pickle.load(file)  # noqa: S301 - nobody else can write a nameless file
        at = file.tell()
        yield chunk


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # closing writes what is left, on a disk that may be full
        file.close()
