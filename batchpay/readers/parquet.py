"""Parquet: a few thousand rows at a time, every type as exact text; the first row below the column
names is row 2.

A few kilobytes can stand for gigabytes. What the footer declares is weighed first; the longest
value of each dictionary then says how many rows can be unfolded at a time; and all that was
unfolded is weighed on the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batchpay.domain.errors import FileRefused
from batchpay.domain.lineage import is_rejects_file
from batchpay.job.job import Input, Roles
from batchpay.messages import files, headers, sheets
from batchpay.readers import numbers
from batchpay.readers.header import check_header
from batchpay.readers.looks import Looks, pack
from batchpay.readers.pieces import Notes, Piece, raw_of
from batchpay.readers.snapshot import Snapshot
from batchpay.readers.table import CHUNK_ROWS, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

TEXT_LIMIT = 2 * 1024**3  # bytes of all cells as text, each cell one more
RATIO_LIMIT = 100  # of them to those of the file, ...
RATIO_FROM = 8 * 1024**2  # ... from here on
PIECE_BYTES = 16 * 1024**2  # of text that is unfolded at a time
# read at a time where the packing tells nothing of the size of what is packed
_FEW_ROWS = 64
_FIRST_ROW = 2


def read_parquet(
    snapshot: Snapshot,
    settings: Input,
    wanted: Sequence[str],
    roles: Roles,
) -> Table:
    """The table of a Parquet file. Raises FileRefused."""
    import pyarrow as pa

    with _opened(snapshot) as file:
        schema = file.schema_arrow
        _Scale(snapshot).weigh(_declared(file.metadata))
    if settings.area and not is_rejects_file(schema.names):
        raise FileRefused(sheets.RANGE_NO_SHEET(path=str(snapshot.path)))
    names, about = check_header(
        snapshot.path, schema.names, wanted, 1, settings.aliases
    )
    for field in schema:
        if field.name in wanted and not _has_text(_plain_type(field.type)):
            raise FileRefused(
                headers.COLUMN_TYPE(
                    path=str(snapshot.path),
                    column=field.name,
                    type=str(field.type),
                )
            )

    rounded = []
    for field in schema:
        if pa.types.is_floating(_plain_type(field.type)):
            rounded.append(field.name)

    def pieces(notes: Notes) -> Iterator[Piece]:
        looks = pack(Looks(schema=_schema_to_keep(names, schema)))
        for piece in _pieces(snapshot, names, set(wanted), settings.formed):
            piece.looks = looks
            yield piece

    return Table(
        snapshot,
        names,
        sheet="",
        pieces=pieces,
        not_cards=settings.not_cards,
        about_header=about,
        rounded=tuple(rounded),
    )


def _schema_to_keep(names: Sequence[str], schema: pa.Schema) -> pa.Schema:
    """The types of columns that can be made again of their texts."""
    import pyarrow as pa

    fields = []
    for name, column in zip(names, schema, strict=True):
        of = _plain_type(column.type)
        if not _has_text(of) or pa.types.is_null(of):
            of = pa.string()
        fields.append((name, of))
    return pa.schema(fields)


def _pieces(
    snapshot: Snapshot,
    names: Sequence[str],
    wanted: Collection[str],
    formed: Collection[str],
) -> Iterator[Piece]:
    row = _FIRST_ROW
    with _opened(snapshot) as file:
        weighed = _weighed(_batches(snapshot, file), _Scale(snapshot))
        for batch in _merged(weighed):
            yield _piece(batch, names, wanted, formed, row)
            row += batch.num_rows
        declared = file.metadata.num_rows
        found = row - _FIRST_ROW
        if found != declared:
            raise FileRefused(
                files.OTHER_ROWS(
                    path=str(snapshot.path),
                    declared=declared,
                    found=found,
                )
            )


def _declared(metadata: parquet.FileMetaData) -> int:
    """The bytes that a file unfolds to at the least, as its footer has them."""
    size = 0
    values = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        size += group.total_byte_size
        values += sum(column.num_values for column in _columns(group))
    cells = metadata.num_rows * metadata.num_columns
    return int(max(size, values, cells))


def _columns(group: Any) -> list[Any]:
    return [group.column(at) for at in range(group.num_columns)]


@dataclass(slots=True)
class _Scale:
    """What a file has unfolded to so far."""

    snapshot: Snapshot
    total: int = 0

    def weigh(self, size: int) -> None:
        """Add so many bytes. Raises FileRefused when it is too much, or too much for the file."""
        self.total += size
        path = str(self.snapshot.path)
        if self.total > TEXT_LIMIT:
            raise FileRefused(files.TOO_MUCH_TEXT(path=path, limit=TEXT_LIMIT))
        credible = max(RATIO_FROM, RATIO_LIMIT * self.snapshot.size)
        if self.total > credible:
            raise FileRefused(files.TOO_ALIKE(path=path, times=RATIO_LIMIT))


def _batches(snapshot: Snapshot, file: parquet.ParquetFile) -> Iterator[pa.RecordBatch]:
    """All rows, so many at a time as cannot unfold to more than some megabytes."""
    for number in range(file.metadata.num_row_groups):
        rows = _rows_at_a_time(snapshot, file.metadata, number)
        yield from file.iter_batches(
            batch_size=rows,
            row_groups=[number],
            use_threads=False,
        )


def _rows_at_a_time(
    snapshot: Snapshot, metadata: parquet.FileMetaData, number: int
) -> int:
    """By the longest values that the dictionaries of a row group hold."""
    import pyarrow as pa

    columns = _columns(metadata.row_group(number))
    texts = [column for column in columns if column.physical_type == "BYTE_ARRAY"]
    packed = [column.path_in_schema for column in texts if column.has_dictionary_page]
    described = [metadata.schema.column(at) for at in range(metadata.num_columns)]
    flat = {column.path for column in described if _is_flat(column)}
    if not flat.issuperset(packed):
        return _FEW_ROWS
    if any(_by_difference(column) for column in texts):
        return _FEW_ROWS
    if not packed:
        return CHUNK_ROWS
    with _opened(snapshot, packed) as file:
        batches = file.iter_batches(
            batch_size=1,
            row_groups=[number],
            columns=packed,
            use_threads=False,
        )
        first = next(batches, pa.RecordBatch.from_pylist([]))
    longest = 0
    for column in first.columns:
        if pa.types.is_dictionary(column.type):
            longest += _longest(column.dictionary)
    rows = PIECE_BYTES // max(1, longest)
    return min(CHUNK_ROWS, max(1, rows))


def _is_flat(column: parquet.ColumnSchema) -> bool:
    return bool(column.max_repetition_level == 0 and column.path == column.name)


def _by_difference(column: Any) -> bool:
    """Does it keep each text as what it has not in common with the one before?"""
    return any(name == "DELTA_BYTE_ARRAY" for name in column.encodings)


def _longest(values: pa.Array) -> int:
    """Bytes of the longest text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    of = values.type
    is_binary = pa.types.is_binary(of) or pa.types.is_large_binary(of)
    if not is_binary and not _is_text(of):
        return 0
    longest = pc.max(pc.binary_length(values)).as_py()
    return int(longest or 0)


def _weighed(
    batches: Iterable[pa.RecordBatch], scale: _Scale
) -> Iterator[pa.RecordBatch]:
    """The same without dictionaries, as far as the scale lets them pass."""
    import pyarrow as pa

    for batch in batches:
        batch.validate(full=True)
        columns = [_plain(column) for column in batch.columns]
        cells = batch.num_rows * batch.num_columns
        texts = sum(column.nbytes for column in columns if _is_long(column))
        scale.weigh(cells + texts)
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _is_long(column: pa.Array) -> bool:
    """May a cell of it be longer than a number?"""
    from pyarrow import types

    return not types.is_primitive(column.type)


def _is_text(of: pa.DataType) -> bool:
    from pyarrow import types

    return bool(
        types.is_string(of) or types.is_large_string(of) or types.is_string_view(of)
    )


def _plain(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    return column


def _merged(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Small ones together, up to a chunk of rows or a piece of bytes."""
    waiting: list[pa.RecordBatch] = []
    for part in parts:
        rows = part.num_rows + sum(p.num_rows for p in waiting)
        size = part.nbytes + sum(p.nbytes for p in waiting)
        is_full = rows > CHUNK_ROWS or size > PIECE_BYTES
        if waiting and is_full:
            yield _together(waiting)
            waiting = []
        waiting.append(part)
    if waiting:
        yield _together(waiting)


def _together(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    import pyarrow as pa

    if len(parts) == 1:
        return parts[0]
    by_column = zip(*(part.columns for part in parts), strict=True)
    columns = [pa.concat_arrays(arrays) for arrays in by_column]
    return pa.RecordBatch.from_arrays(columns, names=parts[0].schema.names)


@contextmanager
def _opened(
    snapshot: Snapshot, repeated: Sequence[str] = ()
) -> Iterator[parquet.ParquetFile]:
    from pyarrow import parquet

    with (
        snapshot.stream() as stream,
        parquet.ParquetFile(
            stream,
            page_checksum_verification=True,
            pre_buffer=False,
            buffer_size=1024 * 1024,
            coerce_int96_timestamp_unit="us",
            read_dictionary=list(repeated),
        ) as file,
    ):
        yield file


def _piece(
    batch: pa.RecordBatch,
    names: Sequence[str],
    wanted: Collection[str],
    formed: Collection[str],
    row: int,
) -> Piece:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [text_column(column) for column in batch.columns]
    texts = pa.RecordBatch.from_arrays(columns, names=list(names))
    piece = Piece(texts, range(row, row + batch.num_rows), raw_of(texts))
    for name, column, text in zip(names, batch.columns, columns, strict=True):
        if name not in wanted:
            continue
        if pa.types.is_floating(column.type):
            _blame_inexact(piece, name, column, text)
        of = _plain_type(column.type)
        if kind := _kind(of):
            filled = pc.indices_nonzero(column.is_valid()).to_pylist()
            piece.typed[name] = dict.fromkeys(filled, kind)
        elif not _is_text(of):
            piece.typed[name] = _told_numbers(text, formed=name in formed)
    return piece


def _told_numbers(texts: pa.Array, *, formed: bool) -> dict[int, str]:
    """Where a number stands that must be told to be one."""
    told_numbers = {}
    for at, text in enumerate(texts.to_pylist()):
        if text and numbers.is_told(text, formed=formed):
            told_numbers[at] = "number"
    return told_numbers


def _blame_inexact(
    piece: Piece,
    name: str,
    column: pa.Array,
    text: pa.Array,
) -> None:
    """Blame the rows whose number no order can be made of."""
    digits = _DIGITS.get(column.type.bit_width, numbers.DOUBLE_DIGITS)
    values = zip(column.to_pylist(), text.to_pylist(), strict=True)
    for at, (number, shown) in enumerate(values):
        if number is None:
            continue
        problem = numbers.inexact(name, number, shown, digits)
        if problem:
            piece.blame(at, problem)


# by the bits of a number
_DIGITS = {16: numbers.HALF_DIGITS, 32: numbers.SINGLE_DIGITS}


# --- types


def _plain_type(of: pa.DataType) -> pa.DataType:
    """The type of the values, without dictionary or extension around it."""
    import pyarrow as pa

    if isinstance(of, pa.BaseExtensionType):
        return _plain_type(of.storage_type)
    if pa.types.is_dictionary(of):
        return _plain_type(of.value_type)
    return of


def _kind(of: pa.DataType) -> str:
    """What values of a type are when neither text nor number."""
    from pyarrow import types

    if types.is_temporal(of):
        return "date"
    if types.is_boolean(of):
        return "boolean"
    return ""


def _has_text(of: pa.DataType) -> bool:
    """May a field be made of this type?"""
    return _maker(of) is not _json and _maker(of) is not _nothing


def text_column(column: pa.Array) -> pa.Array:
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

    if _is_text(of):
        return _cast
    if types.is_integer(of) or types.is_boolean(of):
        return _cast
    if types.is_date32(of) or types.is_null(of):
        return _cast
    if types.is_decimal(of):
        return _decimals
    if types.is_floating(of):
        return _floats
    if types.is_timestamp(of) or types.is_date64(of) or types.is_time(of):
        return _times
    if types.is_nested(of):
        return _json
    return _nothing


def _cast(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    return column.cast(pa.string())


def _decimals(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    texts: list[str | None] = []
    for value in column.to_pylist():
        if value is None:
            texts.append(None)
        else:
            texts.append(numbers.plain_decimal(str(value)))
    return pa.array(texts, pa.string())


def _floats(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    narrow = column.type.bit_width < 64
    if narrow:
        shortest = [str(value) for value in column.to_numpy(zero_copy_only=False)]
    else:
        shortest = [""] * len(column)
    texts: list[str | None] = []
    for value, short in zip(column.to_pylist(), shortest, strict=True):
        if value is None:
            texts.append(None)
        else:
            texts.append(numbers.float_text(float(value), short))
    return pa.array(texts, pa.string())


def _times(column: pa.Array) -> pa.Array:
    """ISO 8601; fractions of a second only where there are any; instants in UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    of = column.type
    if pa.types.is_date64(of):
        return column.cast(pa.date32()).cast(pa.string())
    if pa.types.is_time(of):
        return pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    if of.tz is None:
        zone = ""
    else:
        zone = "Z"
    texts = column.cast(pa.timestamp(of.unit)).cast(pa.string())
    texts = pc.replace_substring(texts, " ", "T")
    texts = pc.replace_substring_regex(texts, r"\.0+$", "")
    if zone:
        return pc.binary_join_element_wise(texts, zone, "")
    return texts


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
