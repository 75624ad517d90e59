"""EARNED: what the platform keeps of what was charged, by currency: its commission less what the
gateway took of the same charges: fee, VAT, and interest where there is any. Pure; smallest units.

>>> totals = Totals()
>>> totals.charged["THB"], totals.shares["THB", "platform"] = 100000, 10000
>>> totals.shares["THB", "recipient"] = 90000
>>> totals.fees["THB", "THB", "fee"], totals.fees["THB", "THB", "vat"] = 3650, 256
>>> (one,) = earned_of(totals)
>>> one.ours, one.whole, one.untold
({'THB': 6094}, 100000, 0)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from batchpay.reconciliation.totals import INTEREST, REFUNDED, Totals


@dataclass(frozen=True, slots=True)
class Taken:
    """What the gateway took of the charges in one currency, as it counts it."""

    currency: str
    fee: int
    vat: int
    interest: int = 0  # of instalments that the merchant bears, with VAT

    @property
    def whole(self) -> int:
        """All of it."""
        return self.fee + self.vat + self.interest


@dataclass(frozen=True, slots=True)
class Earned:
    """Of the charges in one currency."""

    currency: str
    charged: int
    shares: int  # the recipients'
    commission: int
    taken: tuple[Taken, ...]
    refunded: int  # to payers since, out of all of the above: `ours` is before it

    @property
    def ours(self) -> dict[str, int]:
        """Currency -> commission less fees; what is counted in two currencies stays two sums."""
        sums = {self.currency: self.commission}
        for one in self.taken:
            sums[one.currency] = sums.get(one.currency, 0) - one.whole
        return sums

    @property
    def untold(self) -> int:
        """Charged, and the gateway does not tell how it is split."""
        return self.charged - self.shares - self.commission

    @property
    def whole(self) -> int | None:
        """Shares, fees, what is untold and what is ours, added up: what was charged. None where
        the gateway counts its fees in another currency.
        """
        if set(self.ours) != {self.currency}:
            return None
        fees = sum(one.whole for one in self.taken)
        return self.shares + self.untold + fees + self.ours[self.currency]


def earned_of(totals: Totals) -> Iterator[Earned]:
    """By currency of the charges, of what was charged at all."""
    for currency in sorted(totals.charged):
        if not totals.charged[currency]:
            continue
        counted_in = sorted({code for of, code, _ in totals.fees if of == currency})
        taken = (
            Taken(
                code,
                totals.fees[currency, code, "fee"],
                totals.fees[currency, code, "vat"],
                totals.fees[currency, code, INTEREST],
            )
            for code in counted_in
        )
        yield Earned(
            currency=currency,
            charged=totals.charged[currency],
            shares=totals.shares[currency, "recipient"],
            commission=totals.shares[currency, "platform"],
            taken=tuple(one for one in taken if one.fee or one.vat or one.interest),
            refunded=totals.later[currency, REFUNDED],
        )
