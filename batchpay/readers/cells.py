"""All cells of a chunk as compressed bytes, and back: a report needs no input file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow


_LOOKS = b"batchpay.looks"
# less takes longer to pack, a column at a time, than it takes to keep
_WORTH_PACKING_BYTES = 8192


def between(form: str, stated: str) -> str:
    """What stands between the cells of a file: tabs in a .tsv, unless the job says another
    character than the usual comma.
    """
    if form == "tsv" and stated == ",":
        return "\t"
    return stated


class Cells(NamedTuple):
    """The rows of one chunk as they were read: text columns beside their row numbers."""

    rows: list[int]
    columns: tuple[str, ...]
    batch: pyarrow.RecordBatch
    looks: bytes = b""  # how they stood in the file (looks.py), packed

    def texts(self, column: str) -> list[str]:
        """The cells of one column. Raises KeyError."""
        if column not in self.columns:
            raise KeyError(column)
        return texts_of(self.batch.column(self.columns.index(column)))


def texts_of(column: pyarrow.Array) -> list[str]:
    """A text column as Python texts; an absent cell is the empty text."""
    # six times faster than to_pylist
    texts: list[str] = column.to_numpy(zero_copy_only=False).tolist()
    if column.null_count:
        return [text or "" for text in texts]
    return texts


def encode_cells(
    rows: Sequence[int], batch: pyarrow.RecordBatch, looks: bytes = b""
) -> bytes:
    """An Arrow stream: the row numbers first, then every column under its own name; zstd inside
    where there is enough to pack.
    """
    import pyarrow as pa

    numbers = pa.array(rows, pa.int64())
    whole = pa.RecordBatch.from_arrays(
        [numbers, *batch.columns], names=["", *batch.schema.names]
    )
    if looks:
        whole = whole.replace_schema_metadata({_LOOKS: looks})
    sink = pa.BufferOutputStream()
    packing = "zstd" if whole.nbytes > _WORTH_PACKING_BYTES else None
    options = pa.ipc.IpcWriteOptions(compression=packing, use_threads=False)
    with pa.ipc.new_stream(sink, whole.schema, options=options) as writer:
        writer.write_batch(whole)
    return bytes(sink.getvalue().to_pybytes())


def decode_cells(data: bytes) -> Cells:
    """What `encode_cells` was given."""
    import pyarrow as pa

    # a chunk is small: to hand its columns to threads costs more than it saves
    with pa.ipc.open_stream(
        data, options=pa.ipc.IpcReadOptions(use_threads=False)
    ) as reader:
        whole = reader.read_next_batch()
        looks = (reader.schema.metadata or {}).get(_LOOKS, b"")
    names = tuple(whole.schema.names[1:])
    batch = pa.RecordBatch.from_arrays(whole.columns[1:], names=list(names))
    return Cells(whole.column(0).to_pylist(), names, batch, looks)
