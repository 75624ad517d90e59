"""The types that a Parquet file's columns had, for the rows of it that are sent back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from batchpay.readers.looks import BOOLEAN, DATE, NUMBER, TEXT
from batchpay.readers.parquet import text_column

if TYPE_CHECKING:
    import pyarrow as pa


def kinds_of(schema: pa.Schema | None, columns: Sequence[str]) -> str:
    """A letter for each column; empty where no types are known."""
    if schema is None:
        return ""
    return "".join(_kind_of(schema.field(name).type) for name in columns)


def _kind_of(of: pa.DataType) -> str:
    from pyarrow import types

    if types.is_integer(of) or types.is_floating(of) or types.is_decimal(of):
        return NUMBER
    if types.is_boolean(of):
        return BOOLEAN
    if types.is_date(of) or (types.is_timestamp(of) and of.tz is None):
        return DATE
    return TEXT


def typed_column(texts: Sequence[str], of: pa.DataType) -> pa.Array | None:
    """Texts as values of the type that they were read from; None where one of them is no such
    value, or would be read as another text.
    """
    import pyarrow as pa

    given = pa.array([text or None for text in texts], pa.string())
    try:
        typed = _cast(given, of)
        again = text_column(typed)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ArithmeticError, ValueError):
        return None
    if again.to_pylist() == given.to_pylist():
        return typed
    return None


def _cast(texts: pa.Array, of: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_decimal(of):
        values = [None if text is None else Decimal(text) for text in texts.to_pylist()]
        return pa.array(values, of)
    if pa.types.is_timestamp(of) and of.tz is not None:
        return texts.cast(pa.timestamp(of.unit, "UTC")).cast(of)
    if pa.types.is_date64(of):
        return texts.cast(pa.date32()).cast(of)
    if pa.types.is_floating(of):
        return texts.cast(pa.float64()).cast(of)
    return texts.cast(of)
