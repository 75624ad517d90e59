"""A journal full of finished rows, made by the true program: memory, resume and reports share it
within one command.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.market import Gateway, Market, gateway, market, write_orders
from benchmarks.measure import Cost

LEFT = 1000  # rows of the file that are not sent yet

_STACK = ExitStack()


@dataclass(frozen=True, slots=True)
class Finished:
    """A batch of which all but the last rows were charged, and what that took."""

    place: Market
    quick: Gateway
    rows: int
    cost: Cost


@lru_cache(maxsize=1)
def finished(rows: int) -> Finished:
    """Charge `rows` orders of a file that has some more; gone with `clean_up`."""
    place, quick = _STACK.enter_context(market()), _STACK.enter_context(gateway())
    write_orders(place.folder / "orders.csv", rows + LEFT)
    place.job(quick.url, formats=("csv", "parquet", "json"))
    cost = place.program("run", "job.toml", "--limit", str(rows), expect=(11,))
    return Finished(place, quick, rows, cost)


def clean_up() -> None:
    """Stop its gateway, remove its folder."""
    finished.cache_clear()
    _STACK.close()
