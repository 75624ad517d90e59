"""Parquet: a few thousand rows at a time, every type as exact text; the first row below the column names is row 2."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from batchpay.errors import FileRefused
from batchpay.job import Input
from batchpay.readers import numbers
from batchpay.readers.header import check_header
from batchpay.readers.pieces import Notes, Piece, raw_of
from batchpay.readers.snapshot import Snapshot
from batchpay.readers.table import CHUNK_ROWS, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

GROUP_LIMIT = 1024**3  # unpacked bytes of one row group, as its footer declares them
_FIRST_ROW = 2


def read_parquet(snapshot: Snapshot, settings: Input, wanted: Sequence[str]) -> Table:
    """The table of a Parquet file. Raises FileRefused."""
    import pyarrow as pa

    with _opened(snapshot) as file:
        schema = file.schema_arrow
        _check_size(snapshot, file.metadata)
    names, about = check_header(snapshot.path, schema.names, wanted, row=1)
    for field in schema:
        if field.name in wanted and not _has_text(_plain_type(field.type)):
            raise FileRefused(
                f"{snapshot.path}: column '{field.name}' is of type {field.type}; a field needs text, a number, a date "
                "or true/false: write that column as text"
            )

    rounded = tuple(field.name for field in schema if pa.types.is_floating(_plain_type(field.type)))

    def pieces(notes: Notes) -> Iterator[Piece]:
        return _pieces(snapshot, names, set(wanted))

    return Table(snapshot, names, "", pieces, settings.not_cards, about, rounded=rounded)


def _pieces(snapshot: Snapshot, names: Sequence[str], wanted: Collection[str]) -> Iterator[Piece]:
    row = _FIRST_ROW
    with _opened(snapshot) as file:
        for batch in file.iter_batches(batch_size=CHUNK_ROWS, use_threads=False):
            batch.validate(full=True)
            yield _piece(batch, names, wanted, row)
            row += batch.num_rows
        if row - _FIRST_ROW != file.metadata.num_rows:
            raise FileRefused(
                f"{snapshot.path}: its footer declares {file.metadata.num_rows} rows, it holds {row - _FIRST_ROW}"
            )


@contextmanager
def _opened(snapshot: Snapshot) -> Iterator[parquet.ParquetFile]:
    from pyarrow import parquet

    with (
        snapshot.stream() as stream,
        parquet.ParquetFile(
            stream, page_checksum_verification=True, pre_buffer=False, buffer_size=1024 * 1024,
            coerce_int96_timestamp_unit="us",
        ) as file,
    ):  # fmt: skip
        yield file


def _check_size(snapshot: Snapshot, metadata: parquet.FileMetaData) -> None:
    for number in range(metadata.num_row_groups):
        if (size := metadata.row_group(number).total_byte_size) > GROUP_LIMIT:
            raise FileRefused(
                f"{snapshot.path}: row group {number + 1} unpacks to {size} bytes, at most {GROUP_LIMIT}: "
                "write smaller row groups"
            )


def _piece(batch: pa.RecordBatch, names: Sequence[str], wanted: Collection[str], row: int) -> Piece:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [_text(column) for column in batch.columns]
    texts = pa.RecordBatch.from_arrays(columns, names=list(names))
    piece = Piece(texts, range(row, row + batch.num_rows), raw_of(texts))
    for name, column, text in zip(names, batch.columns, columns, strict=True):
        if name in wanted and pa.types.is_floating(column.type):
            digits = {16: numbers.HALF_DIGITS, 32: numbers.SINGLE_DIGITS}.get(
                column.type.bit_width, numbers.DOUBLE_DIGITS
            )
            for at, (number, shown) in enumerate(zip(column.to_pylist(), text.to_pylist(), strict=True)):
                if number is not None and (problem := numbers.inexact(name, number, shown, digits)):
                    piece.blame(at, problem)
        if name in wanted and (kind := _kind(_plain_type(column.type))):
            piece.typed[name] = dict.fromkeys(pc.indices_nonzero(column.is_valid()).to_pylist(), kind)
    return piece


# --- types ------------------------------------------------------------------------------------------------------


def _plain_type(of: pa.DataType) -> pa.DataType:
    """The type of the values, without dictionary or extension around it."""
    import pyarrow as pa

    if isinstance(of, pa.BaseExtensionType):
        return _plain_type(of.storage_type)
    return _plain_type(of.value_type) if pa.types.is_dictionary(of) else of


def _kind(of: pa.DataType) -> str:
    """What values of a type are when neither text nor number."""
    from pyarrow import types

    if types.is_temporal(of):
        return "date"
    return "boolean" if types.is_boolean(of) else ""


def _has_text(of: pa.DataType) -> bool:
    """May a field be made of this type?"""
    return _maker(of) is not _json and _maker(of) is not _nothing


def _text(column: pa.Array) -> pa.Array:
    """A column of any type as text."""
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return _maker(column.type)(column)


def _maker(of: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    """How values of a type become text."""
    from pyarrow import types

    if types.is_string(of) or types.is_large_string(of) or types.is_string_view(of):
        return _cast
    if types.is_integer(of) or types.is_boolean(of) or types.is_date32(of) or types.is_null(of):
        return _cast
    if types.is_decimal(of):
        return _decimals
    if types.is_floating(of):
        return _floats
    if types.is_timestamp(of) or types.is_date64(of) or types.is_time(of):
        return _times
    return _json if types.is_nested(of) else _nothing


def _cast(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    return column.cast(pa.string())


def _decimals(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    texts = [None if value is None else numbers.plain_decimal(str(value)) for value in column.to_pylist()]
    return pa.array(texts, pa.string())


def _floats(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    narrow = column.type.bit_width < 64
    shortest = [str(value) for value in column.to_numpy(zero_copy_only=False)] if narrow else [""] * len(column)
    values = zip(column.to_pylist(), shortest, strict=True)
    return pa.array([None if v is None else numbers.float_text(float(v), s) for v, s in values], pa.string())


def _times(column: pa.Array) -> pa.Array:
    """ISO 8601; fractions of a second only where there are any; instants in UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    of = column.type
    if pa.types.is_date64(of):
        return column.cast(pa.date32()).cast(pa.string())
    if pa.types.is_time(of):
        return pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    zone = "" if of.tz is None else "Z"
    texts = column.cast(pa.timestamp(of.unit)).cast(pa.string())
    texts = pc.replace_substring(texts, " ", "T")
    texts = pc.replace_substring_regex(texts, r"\.0+$", "")
    return pc.binary_join_element_wise(texts, zone, "") if zone else texts


def _json(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    texts = [None if value is None else _dumped(value) for value in column.to_pylist()]
    return pa.array(texts, pa.string())


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _nothing(column: pa.Array) -> pa.Array:
    """Bytes and durations have no text that a person would know: the cell is empty."""
    import pyarrow as pa

    return pa.nulls(len(column), pa.string())
