"""PROBLEMS: what is wrong with a cell or a row.

The code, up to a dot, is the rule that reports show and people search for; after a dot stands which
of its sentences it is.
"""

from __future__ import annotations

from batchpay.messages.message import entry

YES_OR_NO = entry(
    "yes-or-no",
    "write yes, no or nothing",
    means="The column batchpay_retry says whether a row is to be charged again.",
    example="batchpay_retry = maybe",
    remedy="Write yes to have it charged again; write no, or clear the cell, if not.",
)
SURROUNDING_BLANKS = entry(
    "surrounding-blanks",
    "remove the blanks before and after it",
    means="An identifier begins or ends with a blank, so that it is not the id that it looks like.",
    example="order_id = 'A1 '",
    remedy="Type the cell again without the blanks, which the message shows as ␠.",
)
TOTAL_ROW = entry(
    "total-row",
    "it looks like a total row, which is no order: delete it from the export",
    means="One cell of a rejected row says that the row is a sum: Total, รวม, 合計.",
    example="order_id = Total",
    remedy="Delete the row below the orders, or have it left out of the export.",
)
