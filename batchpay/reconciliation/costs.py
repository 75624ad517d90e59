"""COSTS: can what the gateway says it kept of a charge be true? What cannot is in no sum
(docs/gateway.md, 3.4). Pure; smallest units.

>>> cannot_be((413, 29, 10883), whole=11325), cannot_be((10**9, 29, 10883), whole=11325)
(False, True)
>>> cannot_be((413, -29, None), whole=None), cannot_be((None, None, None), whole=11325)
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable


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
    """Is any part of it below zero, or are they more than all of it? Less may be: a part of a sale
    by instalments is interest.
    """
    told = [part for part in parts if part is not None]
    if not told:
        return False
    if min(told) < 0:
        return True
    return whole is not None and sum(told) > whole
