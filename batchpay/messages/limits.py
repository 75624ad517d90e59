"""LIMITS: what the gateway would not take of a file by its own word."""

from __future__ import annotations

from batchpay.messages.message import entry

_NOTE = "Nothing, unless it surprises you."
_LIMITS = "By GET /capability and GET /account the gateway would refuse these orders as they are."
LIMITS = entry(
    "limits",
    "a charge may be {least} to {most}",
    means="What the gateway takes by its own word.",
    example="a charge may be 20.00 to 150,000.00 THB",
    remedy=_NOTE,
)
LIMITS_TRANSFER = entry(
    "limits.transfer",
    "a charge may be {least} to {most}, a transfer {smallest} or more",
    means="What the gateway takes by its own word.",
    example="a charge may be 20.00 to 150,000.00 THB, a transfer 30.00 THB or more",
    remedy=_NOTE,
)
ORDERS_IN = entry(
    "orders-in",
    "{orders} orders (rows {rows})",
    one="{orders} order (row {rows})",
    count="orders",
    means="How many orders a sentence is about, and where they stand.",
    example="3 orders (rows 2, 5, 9)",
    remedy=_NOTE,
)
ORDERS_IN_MORE = entry(
    "orders-in.more",
    "{orders} orders (rows {rows} and {more} more)",
    means="The same, of more rows than a sentence names.",
    example="9 orders (rows 2, 3, 4, 5, 6 and 4 more)",
    remedy=_NOTE,
)
NOT_TAKEN_CURRENCY = entry(
    "not-taken.currency",
    "{orders}: in {currency}, which the account does not take: they would be refused",
    means=_LIMITS,
    example="an order in CHF with an account that takes THB only",
    remedy="Ask for another currency, or have it enabled at the gateway.",
)
NOT_TAKEN_SMALL = entry(
    "not-taken.small",
    "{orders}: below the least charge, {least}: they would be refused",
    means=_LIMITS,
    example="an order of 1.00 THB",
    remedy="Ask for more.",
)
NOT_TAKEN_LARGE = entry(
    "not-taken.large",
    "{orders}: above the largest charge, {most}: they would be refused",
    means=_LIMITS,
    example="an order of 200,000.00 THB",
    remedy="Ask for less, in several orders.",
)
NO_SHARE_HELD = entry(
    "not-taken.share-held",
    "{orders}: the recipient's share is below the smallest transfer, {smallest}: a run holds them,"
    ' unless min_share = "send" in [controls]',
    means="What the commission leaves of an order is too little to be transferred.",
    example="an order of 40.00 THB with a commission of 15.00 THB",
    remedy="Ask for more, or have the commission changed.",
)
NO_SHARE_SENT = entry(
    "not-taken.share-sent",
    "{orders}: the recipient's share is below the smallest transfer, {smallest}: min_share ="
    ' "send" charges them all the same, and nobody can be paid out of them',
    means="What the commission leaves of an order is too little to be transferred.",
    example='the same in a job with min_share = "send"',
    remedy="Ask for more, or have the commission changed.",
)
COUNTED_IN = entry(
    "counted-in",
    "{orders} orders in {currency}",
    one="{orders} order in {currency}",
    count="orders",
    means="How many orders are in a currency.",
    example="3 orders in JPY",
    remedy=_NOTE,
)
NOT_COMPARED = entry(
    "not-compared",
    "{counted}: not held against these limits, the gateway converts to {currency} first",
    means="The gateway's limits are in the account's own currency; the rate is known to it alone.",
    example="an order in JPY with a Thai account",
    remedy=_NOTE,
)
