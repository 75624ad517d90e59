"""REPEATS: orders that the files of one run ask for twice, or contradict."""

from __future__ import annotations

from batchpay.messages.message import entry

# --- places

_PLACE = "Where another row stands, told from the row that a message is about."
_PLACE_LOOK = "Look at that row: the header is row 1, and blank lines count."
ROW = entry(
    "row",
    "row {row:d}",
    means=_PLACE,
    example="row 7",
    remedy=_PLACE_LOOK,
)
ROW_OF_SHEET = entry(
    "row.sheet",
    "row {row:d} of sheet {sheet}",
    means=_PLACE,
    example="row 7 of sheet Orders",
    remedy=_PLACE_LOOK,
)
ROW_OF_BATCH = entry(
    "row.batch",
    "row {row:d} of batch {batch}",
    means=_PLACE,
    example="row 7 of batch 2026-11-24-0123456789ab",
    remedy=_PLACE_LOOK,
)
ROW_OF_BOTH = entry(
    "row.sheet-batch",
    "row {row:d} of sheet {sheet} of batch {batch}",
    means=_PLACE,
    example="row 7 of sheet Orders of batch 2026-11-24-0123456789ab",
    remedy=_PLACE_LOOK,
)
ROW_OF_FILE = entry(
    "row.file",
    "row {row:d} of {file}",
    means=_PLACE,
    example="row 7 of orders-2.csv",
    remedy=_PLACE_LOOK,
)
ROW_OF_SHEET_OF_FILE = entry(
    "row.sheet-file",
    "row {row:d} of sheet {sheet} of {file}",
    means=_PLACE,
    example="row 7 of sheet Orders of orders-2.xlsx",
    remedy=_PLACE_LOOK,
)
ORDER_IN = entry(
    "row.order",
    "{place} (order {order})",
    means="The same, with the order id that stands there.",
    example="row 7 (order 0017)",
    remedy=_PLACE_LOOK,
)
AND_MORE = entry(
    "row.more",
    "{places} and {more:d} more",
    means="Some rows, and how many there are beside them.",
    example="row 2, row 3, row 4, row 5, row 6 and 17 more",
    remedy="Sort the file by order id to see them all.",
)
AND_MORE_LIKE_THEM = entry(
    "row.more-like-them",
    "{places} and {more:d} more like them",
    means="The rows of one order, and how many orders there are like it.",
    example="row 2, row 3 and 4 more like them",
    remedy="Look at the reasons of the rows in results.csv.",
)

# --- what a row is

SAME_ORDER = entry(
    "repeat.order",
    "asks for the same order as {place}; it is charged once",
    means="Two rows have the same order id and the same content.",
    example="the same row twice",
    remedy="Nothing: the order is charged once.",
)
OTHER_CONTENT = entry(
    "repeat.content",
    "the same order id with other content stands in {places}; {step}, or, where these are lines"
    " of one order, one row with the sum of all its lines",
    means="Two rows have the same order id and ask for different things; none of them is sent. A"
    " row is an order: lines of articles are not added up.",
    example="order 1 with 100.00 THB in row 2 and with 200.00 THB in row 3",
    remedy="Leave only the right row, and send the file again. Where each row is a line of an"
    " order, have orders exported and not their lines, or leave one row with the sum.",
)
SAME_LETTERS = entry(
    "repeat.letters",
    "an order id that is written alike, in other characters (Unicode NFC), stands in {places};"
    " {step}",
    means="Two order ids look the same and are made of other characters; none of them is sent.",
    example="caf\u00e9 in row 2, with an accent of its own in row 3",
    remedy="Write the id alike in both, or leave only the right row.",
)
SAME_TOKEN = entry(
    "repeat.token",
    "the same one-time token pays another order in {places} (token-twice); {step}",
    means="A one-time token pays once; which of the orders it is for is the sender's to say.",
    example="orders 1 and 2 with the same tokn_…",
    remedy="Leave the token in the right row only.",
)
SAME_SALE = entry(
    "repeat.sale",
    "asks under another order id for the same sale as {places}: one corrects the other, or both"
    " correct one row; {step}. If they are different sales, clear all batchpay_ columns of the row"
    " that came back, and give it an order id that was never used",
    means="A row and its correction, or two corrections of one row, have different order ids.",
    example="a row of a rejects file sent back twice, under two ids",
    remedy="Leave only the right one, or clear the batchpay_ columns of the other sale.",
)
ALIKE = entry(
    "repeat.alike",
    "its id is order {order}'s but for what programs do to ids: {step}",
    means="An order id is another order's but for leading zeros, a .0, blanks, case,"
    " width or the digits of a script.",
    example="order 17, when 0017 was charged last night",
    remedy="Write the id that the sentence names; if both are right, the job can say so.",
)
ALIKE_IN = entry(
    "repeat.alike-in",
    "its id is order {order}'s of {place} but for what programs do to ids: {step}",
    means="The order ids of two rows are one but for leading zeros, a .0, blanks, case,"
    " width or the digits of a script.",
    example="order 17 in row 2 and 0017 in row 3",
    remedy="Write the id that the sentence names; if both are right, the job can say so.",
)

# --- about the files as a whole

COMPOSED = entry(
    "composed-ids",
    "{places}: order ids equal only after Unicode normalisation (NFC); not sent",
    means="A file has order ids that look the same and are made of other characters.",
    example="caf\u00e9 in row 2, with an accent of its own in row 3",
    remedy="Have the source write them alike; no source has both on purpose.",
)

# --- files that ask for what a recent one asked

_LIKE_MEANS = "A file asks, under ids that nobody knows, for what a recent file asked."
_LIKE_EXAMPLE = "last night's orders with the ids numbered anew"
_LIKE_REMEDY = (
    "Look whether they are the same sales; what to do in each case stands behind it."
)
RECENT_FILE = entry(
    "recent-file",
    "batch {batch} ({file}, received {at})",
    means="Which earlier file a file is like.",
    example="batch 2026-11-24-0123456789ab (orders.csv, received 2026-11-24T02:00:00Z)",
    remedy="Look at that file, or at its reports.",
)
FILE_REPEATED = entry(
    "file-repeated",
    "No order id of this file is known, but its payers, recipients and amounts are those of"
    " {other}: {ask}.",
    means=_LIKE_MEANS,
    example=_LIKE_EXAMPLE,
    remedy=_LIKE_REMEDY,
)
FILE_REPEATED_BESIDE = entry(
    "file-repeated.beside",
    "No order id of this file is known, but its payers, recipients and amounts are those of"
    " {other}, beside {more:d} more: {ask}.",
    means=_LIKE_MEANS,
    example=_LIKE_EXAMPLE,
    remedy=_LIKE_REMEDY,
)
FILE_STILL_ASKED = entry(
    "file-repeated.refused",
    "{asked:d} of its {new:d} new orders were refused already, because they ask for the same payer,"
    " recipient and amount as others, such as those of {other}: {ask}.",
    means="A file holds orders of one that was refused as alike; nobody said that they are new.",
    example="a refused file, saved under another name",
    remedy=_LIKE_REMEDY,
)
FILE_ALIKE = entry(
    "file-alike",
    "{alike:d} of its {new:d} new orders ask for the same payer, recipient and amount as orders of"
    " {other}: see that they are not the same sales under other ids",
    means="Some orders of a file resemble those of a recent one.",
    example="subscriptions, which are the same each week",
    remedy="See that they are not the same sales under other ids; nothing is held for it.",
)
FILE_ALIKE_OTHERS = entry(
    "file-alike.others",
    "{alike:d} of its {new:d} new orders ask for the same payer, recipient and amount as orders of"
    " {other}, {others:d} as those of others: see that they are not the same sales under other ids",
    means="Some orders of a file resemble those of several recent ones.",
    example="subscriptions, which are the same each week",
    remedy="See that they are not the same sales under other ids; nothing is held for it.",
)
FILE_LIKE_CHARGES = entry(
    "file-repeated.charges",
    "{alike:d} of its {new:d} new orders ask for the payer, recipient and amount of charges that"
    " were found at the gateway when the journal had been lost or put back, and that no row shows,"
    " such as {charge}: they may be the same sales under other ids; {ask}.",
    means="A file asks for what charges took which no row of any report shows.",
    example="a lost journal, and the export of that night under other ids",
    remedy=_LIKE_REMEDY,
)
