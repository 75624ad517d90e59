"""Names that moved: `masked` is batchpay.secrets.masked, `shown` is batchpay.text.told."""

from __future__ import annotations

from batchpay.secrets import masked
from batchpay.text import told as shown

__all__ = ["masked", "shown"]
