"""Names that moved: batchpay.cards finds card numbers, batchpay.secrets hides them, batchpay.text shows a cell."""

from __future__ import annotations

from batchpay.cards import find, is_card
from batchpay.secrets import masked
from batchpay.text import told

__all__ = ["find", "is_card", "masked", "told"]
