"""Which columns a table of a sheet has, and what for."""

from __future__ import annotations

from dataclasses import dataclass

from batchpay.readers.xlsx.sheet import column_name


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns there are, and what for."""

    names: tuple[str, ...]
    wanted: frozenset[str]
    formed: frozenset[str]
    money: frozenset[str]
    needed: frozenset[str]
    before: int  # columns of the sheet to the left of the first
    currency: str  # of all amounts; empty where each row says its own
    currencies: frozenset[str]  # the columns that say it then
    ids: frozenset[str]  # the columns of the order id

    def address(self, column: int, row: int) -> str:
        """Of a cell, as the sheet has it."""
        return f"{column_name(column + self.before)}{row}"
