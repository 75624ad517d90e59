"""SETTINGS: what is wrong with the job file, the order schema or the environment."""

from __future__ import annotations

from batchpay.messages.message import entry

NEGATIVE = entry(
    "negative",
    "it cannot be negative",
    means="A limit or a total of [controls] is below 0.",
    example='[controls]\nmax_amount = { THB = "-1.00" }',
    remedy="Write a number of 0 or more.",
)
