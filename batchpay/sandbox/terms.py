"""What the gateway lets its accounts do: the limits that GET /capability tells, and which charges
it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

# of a recorded test account (docs/gateway.md, 2.3)
CHARGE_MIN = 2000
CHARGE_MAX = 500_000_000_000
TRANSFER_MIN = 3000
TRANSFER_MAX = 100_000_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """Smallest units of the account's currency, to which other currencies are converted
    (docs/gateway.md, 2.3).
    """

    charge_min: int = CHARGE_MIN
    charge_max: int = CHARGE_MAX
    transfer_min: int = TRANSFER_MIN
    transfer_max: int = TRANSFER_MAX
    # a charge without `destination` is refused, as the page of chained charges has it
    chained_only: bool = False
    # seconds after which a transfer is sent, and paid; None: it stays where it is
    transfer_sent_s: int | None = None
    transfer_paid_s: int | None = None
