"""COSTS: can what the gateway says it kept of a charge be true, and is all of it told? What is not
so is in no sum (docs/gateway.md, 3.4). Pure; smallest units.

>>> left_out((413, 29, 10883), whole=11325), left_out((10**9, 29, 10883), whole=11325)
(False, True)
>>> left_out((413, -29, 10883), whole=None), left_out((None, 29, 10883), whole=11325)
(True, True)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def whole_of(
    charged: int | None, currency: str, funding: int | None, funding_currency: str
) -> int | None:
    """Of what fee, VAT and net are parts: what was charged, or what that is in the currency of the
    account. None: nobody knows.
    """
    if funding_currency in ("", currency):
        return charged
    return funding


def cannot_be(parts: Iterable[int | None], whole: int | None) -> bool:
    """Is any part of it below zero, or are they more than all of it? Less may be."""
    told = [part for part in parts if part is not None]
    if any(part < 0 for part in told):
        return True
    return whole is not None and sum(told) > whole


def left_out(parts: Sequence[int | None], whole: int | None) -> bool:
    """The same, or is any part of it unknown?"""
    return None in parts or cannot_be(parts, whole)
