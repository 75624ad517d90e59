"""CONTROLS: why a file, or the plan of a run, is refused whole: what was declared, or allowed."""

from __future__ import annotations

from batchpay.messages.message import entry

_SEND_AGAIN = "Correct the rows that are named, and send the file again."
_ASK = (
    "Ask the sender which is right; then have the file, or the declaration, sent again."
)
REJECTED_STOP = entry(
    "refused.on-reject",
    '{rejected:d} of {rows} rows are rejected and on_reject is "stop": correct them and send the'
    " file again.",
    one='1 of {rows} rows is rejected and on_reject is "stop": correct them and send the file'
    " again.",
    count="rejected",
    means="The job wants a file whole or not at all, and rows of it are rejected.",
    example='a wrong row in a job with on_reject = "stop"',
    remedy=_SEND_AGAIN,
)
REJECTED_ONLY = entry(
    "refused.only-row",
    '1 of 1 row is rejected and on_reject is "stop": correct them and send the file again.',
    means="The same, of a file with one row.",
    example='a file with one row, which is wrong, in a job with on_reject = "stop"',
    remedy=_SEND_AGAIN,
)
TOO_MANY_REJECTS = entry(
    "refused.max-rejects",
    "{rejected:d} of {rows} rows are rejected, max_rejects allows {limit}: correct the file and"
    " send it again.",
    one="1 of {rows} rows is rejected, max_rejects allows {limit}: correct the file and send it"
    " again.",
    count="rejected",
    means="More rows of a file are rejected than the job allows.",
    example="3 wrong rows in a job with max_rejects = 2",
    remedy=_SEND_AGAIN,
)
TOO_MANY_ONLY = entry(
    "refused.max-rejects-only-row",
    "1 of 1 row is rejected, max_rejects allows {limit}: correct the file and send it again.",
    means="The same, of a file with one row.",
    example="a file with one row, which is wrong, in a job with max_rejects = 0",
    remedy=_SEND_AGAIN,
)
SEPARATORS_OPEN = entry(
    "refused.separators",
    "Column '{column}': by format = \"{form}\" '{cell}' is {reads}; where it was written by another"
    " machine it is {other}, and no cell of the file shows which, none has a '{point}' (rows"
    " {rows}). Look at what these orders cost. If it is {reads}, say format ="
    ' ["{form}", "{whole}"] in [columns]; if not, have the file written again with that format.',
    means="A declared number format has a sign between thousands, and every cell of a file that has"
    " it could have it before its decimals as well: amounts could be 1,000 times what was meant.",
    example='amount = "1.234" in every row, under format = "1.234,56"',
    remedy="Look at what the orders cost. If these are thousands, declare the second example, by"
    " which amounts may stand without decimals; if not, have the file written again.",
)
SEPARATORS_MIXED = entry(
    "refused.separators.mixed",
    "Column '{column}' has numbers of two kinds: '{written}' in row {row} has comma and point the"
    " other way round, and '{cell}' could be {reads} or {other} (rows {rows}). Write the cells of"
    " the column alike, and send the file again.",
    means="Some cells of a column have a comma before decimals and others a point, and a third kind"
    " could be read in both ways: amounts could be 1,000 times what was meant.",
    example='amounts of "1.234" and "99.50" under format = "1.234,56"',
    remedy="Write all amounts of the column in the way that the job declares; where parts of the"
    " file come from different machines, look at what their orders cost.",
)
SUBTOTALS = entry(
    "refused.subtotals",
    "Rows {rows}: the amount of each is the sum of the rows above it since the last such row, and"
    " so the whole file goes: they look like subtotals, which are no orders. Delete them, and send"
    ' the file again; if they are orders, say total_rows = "accept" in [input].',
    means="The rows of a file are groups, each closed by a row with its sum, which has all that an"
    " order needs: its orders would be charged twice.",
    example="orders of 100, 150 and 50, then a row of 300; orders of 70 and 30, then one of 100",
    remedy="Delete the rows with the sums, or have the export written without them. Where they are"
    ' orders, and each is that sum by chance, say total_rows = "accept" in [input].',
)
NAMED_SUBTOTALS = entry(
    "refused.subtotals-named",
    "Rows {rows}: the amount of each is the sum of the rows above it since the last such row, and"
    " its order id has no digit, as all of theirs have: they look like subtotals, which are no"
    ' orders. Delete them, and send the file again; if they are orders, say total_rows = "accept"'
    " in [input].",
    means="A row with a name in place of an order id closes others with their sum, and has all that"
    " an order needs: those orders would be charged twice.",
    example="orders A-1 of 100.50 and A-2 of 200.25, then a row Ratchada of 300.75",
    remedy="Delete the rows with the sums, or have the export written without them. Where they are"
    ' orders, and each is that sum by chance, say total_rows = "accept" in [input].',
)
WRONG_COUNT = entry(
    "refused.count",
    "The file has {rows} rows, its sender declared {declared:d}: ask for the whole file.",
    one="The file has {rows} row, its sender declared {declared:d}: ask for the whole file.",
    count="rows",
    means="The sender told how many rows the file has, and it has another number of them.",
    example="99 rows and a totals file with a count of 100",
    remedy="Ask the sender for the whole file.",
)
TOTAL_UNPROVEN = entry(
    "refused.unproven-total",
    "The declared total cannot be proven, the amount of {row} cannot be read: correct the file and"
    " send it again.",
    means="The sender told what the amounts add up to, and one of them cannot be read.",
    example="an amount of 1.234,50 beside a totals file",
    remedy=_SEND_AGAIN,
)
TOTAL_UNPROVEN_MORE = entry(
    "refused.unproven-totals",
    "The declared total cannot be proven, the amount of {row} and {more:d} more cannot be read:"
    " correct the file and send it again.",
    means="The sender told what the amounts add up to, and some of them cannot be read.",
    example="two amounts like 1.234,50 beside a totals file",
    remedy=_SEND_AGAIN,
)
TOTAL_UNDECLARED = entry(
    "refused.no-total",
    "The file holds {found}, its sender declared no total in {currency}: ask which is right.",
    means="The sender told the totals, and the file has a currency that is not among them.",
    example="a row in JPY beside a totals file with a total in THB only",
    remedy=_ASK,
)
WRONG_TOTAL = entry(
    "refused.total",
    "The rows add up to {found}, the sender declared {declared}: ask which is right.",
    means="The sender told what the amounts add up to, and they add up to something else.",
    example="a row that was deleted after the totals file was written",
    remedy=_ASK,
)
ABOVE_MAX_TOTAL = entry(
    "refused.max-total",
    "The plan would charge {total}, [controls] max_total allows {limit}: send less, or have the"
    " limit changed.",
    means="All that a run would charge is more than the job allows for one run.",
    example='a night of 600,000.00 THB with max_total = { THB = "500000.00" }',
    remedy="Send fewer orders, or have the limit changed by whoever is responsible for it.",
)
NO_FIXED_FEE = entry(
    "fee-without-currency",
    "[fee] fixed has no commission for {currency}, which {row} of {file} is in: add it to fixed, as"
    " {currency} = 0 if there is none",
    means="The job has a fixed commission for some currencies, and a row is in another one.",
    example="fixed = { THB = 500 } and a row in JPY",
    remedy="Add the currency to [fee] fixed, with 0 if there is no commission.",
)

# --- the totals file

_TOTALS = "The file of totals that stands beside the input is not what it must be."
_TOTALS_REMEDY = 'Write it like {"count": 2, "total": {"THB": "1234500.00"}}.'
TOTALS_NOT_JSON = entry(
    "totals.json",
    "{file} is not strict JSON: {wrong}; correct it and send it again with the file",
    means=_TOTALS,
    example="a totals file with a comma too many",
    remedy=_TOTALS_REMEDY,
)
TOTALS_SHAPE = entry(
    "totals.shape",
    "{file} must be an object with count, total or both, and nothing else; correct it and send it"
    " again with the file",
    means=_TOTALS,
    example='a totals file with {"rows": 2}',
    remedy=_TOTALS_REMEDY,
)
TOTALS_COUNT = entry(
    "totals.count",
    "{file} has the count {count}, not a whole number of rows; correct it and send it again with"
    " the file",
    means=_TOTALS,
    example='a totals file with {"count": 2.5}',
    remedy=_TOTALS_REMEDY,
)
TOTALS_TEXT = entry(
    "totals.text",
    '{file} must give the total as text per currency, like {{"THB": "1234500.00"}}; correct it and'
    " send it again with the file",
    means=_TOTALS,
    example='a totals file with {"total": {"THB": 1234500.0}}',
    remedy=_TOTALS_REMEDY,
)
TOTALS_AMOUNT = entry(
    "totals.amount",
    "{file} has the total {total} {currency}: {wrong}; correct it and send it again with the file",
    means=_TOTALS,
    example='a totals file with {"total": {"THB": "1.234.500,00"}}',
    remedy=_TOTALS_REMEDY,
)
TOTALS_TWICE = entry(
    "totals.twice",
    "{file} has two totals or a negative one for {currency}; correct it and send it again with the"
    " file",
    means=_TOTALS,
    example='a totals file with {"total": {"THB": "1.00", "thb": "2.00"}}',
    remedy=_TOTALS_REMEDY,
)
