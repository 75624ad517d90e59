"""NOTICED: what is told of a file that is read."""

from __future__ import annotations

from batchpay.messages.message import entry

_NOTE = "Nothing, unless it surprises you."
SHORT_ROWS = entry(
    "note.short-rows",
    "{rows} rows end before the last column, the first of them row {first:d}: the cells that are"
    " missing are read as empty",
    one="row {first:d} ends before the last column: the cells that are missing are read as empty",
    count="rows",
    means="A spreadsheet program leaves empty cells at the end of some rows out.",
    example="a CSV file of 40 rows whose last column is mostly empty",
    remedy=_NOTE,
)
SURPLUS_CELLS = entry(
    "note.surplus-cells",
    "{rows} rows go on behind the last column with empty cells, the first of them row {first:d}:"
    " those are no data",
    one="row {first:d} goes on behind the last column with empty cells: those are no data",
    count="rows",
    means="A program ends each row with the character that stands between cells.",
    example="A1,100.00,THB, below a header of three columns",
    remedy=_NOTE,
)
FIFTEEN_DIGITS = entry(
    "note.fifteen-digits",
    "{cells} amounts are read to the 15 digits that a spreadsheet keeps: in row {row:d}, column"
    " '{column}', {read} for {was}",
    one="an amount is read to the 15 digits that a spreadsheet keeps: in row {row:d}, column"
    " '{column}', {read} for {was}",
    count="cells",
    means="A sum of amounts ends in the noise of binary fractions, which no spreadsheet shows.",
    example="30.299999999999997, which is 10.1 + 20.2",
    remedy=_NOTE,
)
UNENDED_PACKED = entry(
    "note.unended-packed",
    "the last line has no line end; the packed file is whole by its own check sum, so it is read",
    means="A .csv.gz says in its last bytes how long it is and what its check sum is.",
    example="a .csv.gz whose text does not end with a line end",
    remedy=_NOTE,
)
UNENDED_PROVEN = entry(
    "note.unended-proven",
    "the last line has no line end; the sender's count and total agree with what was read, so it is"
    " read",
    means="Control totals prove that no row is missing.",
    example="orders.csv without its last line end beside a right orders.csv.totals.json",
    remedy=_NOTE,
)
BLANK_ROWS = entry(
    "note.blank-rows",
    "{rows:d} blank rows skipped",
    one="{rows:d} blank row skipped",
    count="rows",
    means="Rows without any text are no rows; they count where rows are numbered.",
    example="a blank line between two orders",
    remedy=_NOTE,
)
COMMENT_ROWS = entry(
    "note.comment-rows",
    "{rows} rows of nothing but a comment skipped",
    one="{rows} row of nothing but a comment skipped",
    count="rows",
    means="A row with one cell, which begins with # or the like, is no row, as a blank one is.",
    example="# exported by the shop",
    remedy=_NOTE,
)
REPEATED_HEADERS = entry(
    "note.repeated-headers",
    "{rows} rows that repeat the header skipped: {named}",
    one="{rows} row that repeats the header skipped: {named}",
    count="rows",
    means="The header stands at the top of each page of an export.",
    example="order_id,amount,… between two orders",
    remedy=_NOTE,
)
TOTALS_SKIPPED = entry(
    "note.totals-skipped",
    "{rows} total rows skipped, as the job says: {named}",
    one="{rows} total row skipped, as the job says: {named}",
    count="rows",
    means='Rows that are sums are no rows where total_rows = "skip".',
    example="Total below the orders",
    remedy=_NOTE,
)
TOTAL_AGREES = entry(
    "note.total-agrees",
    "row {row:d} is a total row: its {sum} is what the rows above it come to",
    means="A sum that the sheet has was held against what was read.",
    example="Total 4,700.00 below orders of 4,700.00",
    remedy=_NOTE,
)
TOTAL_DIFFERS = entry(
    "note.total-differs",
    "row {row:d} is a total row: it says {sum}, the rows above it come to {ours}",
    means="A sum that the sheet has is another than what was read: rows are missing, or too many,"
    " or the sum is of something else.",
    example="Total 4,800.00 below orders of 4,700.00",
    remedy="Look which is right before the orders go.",
)
LIKE_A_TOTAL = entry(
    "note.like-a-total",
    "the amount of the last row, {row:d}, is the sum of all above it, {sum}: is it a total row?",
    means="The last row has all that an order needs, and what the column above comes to.",
    example="a last row with an id, and the sum of the others",
    remedy="Delete the row if it is no order; it goes only where the job says total_rows ="
    ' "accept".',
)
HUNDREDFOLD = entry(
    "note.hundredfold",
    "each of the {orders:d} amounts of {currency} is a whole hundred, and half of them are"
    " {limit} or more: is row {row:d} really {amount} {currency}, and not {less}? If it is, say"
    ' max_amount = {{ {currency} = "…" }} in [controls], and this is asked no more; if not, have'
    " the file written in {currency}, or say in [columns] which unit it is in",
    means="All amounts may be a hundred times what was meant: a program that knows no currency"
    " without decimals wrote the yen, or the amounts are satang and the job says unit ="
    ' "major". Nothing is changed, and nothing is held.',
    example="ten orders of yen: 300000, 1280000, 98000000, …, by a shop that sells for 3,000",
    remedy="Look at one order. If it is right, declare the largest amount that an order may have:"
    ' [controls] max_amount. If not, have the export corrected, or write unit = "minor" in'
    " [columns] where the file has satang.",
)
NO_ROWS = entry(
    "note.no-rows",
    "no rows below the header",
    means="The file has a header and no order.",
    example="a file with a header only",
    remedy="Ask whether that is right.",
)
CAME_BACK = entry(
    "note.rejects-file",
    "rows of an earlier file that came back: read as that file of rejects was written",
    means="The file is a rejects file of ours, whatever the job says of delimiter and header row.",
    example="rejects.csv, corrected",
    remedy=_NOTE,
)
NO_NAME = entry(
    "note.column-name",
    "column {column:d} has no name",
    means="The header has an empty cell; no field reads that column.",
    example="a header like order_id,,amount",
    remedy=_NOTE,
)
NAME_TWICE = entry(
    "note.column-twice",
    "column '{column}' stands there more than once; copy {copy:d} is kept as '{name}'",
    means="Two columns that no field reads have the same name.",
    example="a header with two columns called note",
    remedy=_NOTE,
)
MARKED_ELSEWHERE = entry(
    "note.errors-elsewhere",
    "{cells} cells with an error or without a value, in columns no field uses",
    one="{cells} cell with an error or without a value, in columns no field uses",
    count="cells",
    means="Cells that no order is made of could not be calculated.",
    example="#REF! in a column that the job does not read",
    remedy=_NOTE,
)
WITH_ZEROS = entry(
    "note.zeros",
    "column '{column}': numbers are read as the sheet shows them, with their zeros: {example}",
    means="Cells of an id hold numbers, and the sheet shows them with zeros in front.",
    example="the number 1 in the format 0000000",
    remedy=_NOTE,
)
SHOWN_FOR = entry(
    "shown-for",
    "{shown} for the number {number}",
    means="What a sheet shows for a number.",
    example="0000001 for the number 1",
    remedy=_NOTE,
)
HIDDEN_SHEET = entry(
    "note.hidden",
    "sheet '{sheet}' is hidden",
    means="The job names a sheet that the workbook hides; it is read.",
    example="[input] sheet names a hidden sheet",
    remedy=_NOTE,
)
HIDDEN_SHEETS = entry(
    "note.hidden-sheets",
    "hidden sheets not read: {names}",
    means="The workbook has hidden sheets beside the one that is read.",
    example="a workbook with a hidden sheet of notes",
    remedy=_NOTE,
)
HIDDEN_ROWS = entry(
    "note.hidden-rows",
    "{rows:d} hidden rows are read like any other: {named}",
    one="{rows:d} hidden row is read like any other: {named}",
    count="rows",
    means="A filter hides rows of the sheet; they are orders as any other.",
    example="a filtered sheet",
    remedy="Delete the rows that are not to be charged: hiding them is not enough.",
)
HIDDEN_COLUMNS = entry(
    "note.hidden-columns",
    "hidden columns are read like any other: {named}",
    means="A column that orders are made of is hidden in the sheet.",
    example="a sheet whose column with the recipients is hidden",
    remedy="Look whether its cells are what they should be: nobody sees them.",
)
FROM_1904 = entry(
    "note.from-1904",
    "dates of this workbook count from 1904, as on old Macintoshes; they are read so",
    means="The same number is another date in such a workbook.",
    example="a workbook that was begun on a Macintosh",
    remedy=_NOTE,
)
TEXT_NUMBERS = entry(
    "note.text-numbers",
    "column '{column}': {cells} numbers are stored as text, beside others that are numbers:"
    " {named}; they are read as they stand",
    one="column '{column}': a number is stored as text, beside others that are numbers: {named}; it"
    " is read as it stands",
    count="cells",
    means="Some cells of a column hold text that looks like a number: a spreadsheet adds none of"
    " them up.",
    example="an amount that was pasted, with a green corner",
    remedy="Nothing; that a sum in the sheet leaves them out is what to look at.",
)
SHOWN_WITH = entry(
    "note.shown-with",
    "column '{column}': its numbers are shown with {sign}, and the job says that they are"
    " {currency}: only the number is read, so look whether they are",
    means="The cells of a column of amounts have a number format with the sign of another currency"
    " than the one that the job names for all rows.",
    example='a sheet of ¥1,200 in a job with currency = { value = "THB" }',
    remedy="Correct the currency in [columns], or the format of the cells.",
)
SHOWN_AS = entry(
    "note.shown-as",
    "column '{column}': numbers in it are shown with '{word}', which stands in no cell: they are"
    " charged as they stand; look whether that is meant",
    means="The number format of amounts has a word in it that makes thousands of them, or says that"
    " they are not to be paid. Only the number is read.",
    example="500 that a sheet shows as 500 พันบาท, charged as 500 baht",
    remedy="Write the amounts out, or take such rows out; then format the cells as numbers.",
)
SHOWN_BESIDE = entry(
    "note.shown-beside",
    "{cells} amounts are shown with the sign of another currency than their row's: {named}; only"
    " the number is read, so look which is right",
    one="an amount is shown with the sign of another currency than its row's: {named}; only the"
    " number is read, so look which is right",
    count="cells",
    means="The number format of an amount has the sign of one currency, the row's own cell says"
    " another one, and that is what is charged.",
    example="$120.00 in a row whose currency is THB",
    remedy="Correct the row's currency, or the format of its amount.",
)
MERGED_CELLS = entry(
    "note.merged",
    "{ranges:d} merged ranges: only the first cell of each has a value: {named}",
    one="{ranges:d} merged range: only its first cell has a value: {named}",
    count="ranges",
    means="Cells of the sheet are merged; the others of a range are empty.",
    example="a shop's name merged over all its orders",
    remedy="Unmerge the cells, and fill each of them in.",
)
OWN_FILES = entry(
    "note.own-files",
    "not read as orders: {names}, which [input] file fits, too: the job is made of them, or wrote"
    " them",
    means="A wildcard fits a lookup file, the schema or reports of the job beside the files of"
    " orders.",
    example='[input] file = "*.csv" beside recipients.csv, the lookup file',
    remedy='Nothing; with a folder of their own for orders, file = "inbox/*.csv", it is not said.',
)
STRUCK_CELLS = entry(
    "note.struck-cells",
    "{cells} cells that are struck through are read like any other: {named}",
    one="{cells} cell that is struck through is read like any other: {named}",
    count="cells",
    means="A sheet strikes cells through without which a row is an order all the same, or the job"
    ' says struck_rows = "accept".',
    example="a description that somebody struck through",
    remedy="Look whether its order is to go; delete its row if not.",
)
COMMENTED = entry(
    "note.comments",
    "{cells} cells have a comment, which is not read: {named}",
    one="{cells} cell has a comment, which is not read: {named}",
    count="cells",
    means="Somebody wrote a comment on a cell of which an order is made; its order goes as any"
    " other.",
    example="an amount with the comment: do not charge yet",
    remedy="Read the comments; delete the rows that are not to go.",
)
MACROS = entry(
    "note.macros",
    "holds macros, which are not run",
    means="The workbook holds programs, which nobody runs here.",
    example="an .xlsm that was saved as .xlsx",
    remedy=_NOTE,
)
ROW_BY_ROW = entry(
    "note.large",
    "large: read row by row, which is slower",
    means="The sheet is too large to be held in memory at once.",
    example="a sheet with 400,000 rows",
    remedy=_NOTE,
)
ROUNDED_IDS = entry(
    "note.double-ids",
    "column '{column}' is of type double: order ids are read without a point, 1003 for 1003.0",
    means="A dataframe makes decimals of a column of whole numbers as soon as one is missing.",
    example="a .parquet file with order ids 1003.0 and null",
    remedy="Write the column as text, so that ids stay as they are.",
)
RESTORED_ID = entry(
    "note.restored-id",
    "row {row:d}: the order id came back damaged by a program; batchpay_id says what it was, and"
    " that is used: who wrote another id on purpose clears all batchpay_ columns of its row",
    means="A row of a rejects file came back with an id that a program changed on the way.",
    example="0017 in the rejects file, 17 in the file that came back",
    remedy=_NOTE,
)
RESTORED_IDS = entry(
    "note.restored-ids",
    "rows {rows}: the order ids came back damaged by a program; batchpay_id says what it was, and"
    " that is used: who wrote another id on purpose clears all batchpay_ columns of its row",
    means="Rows of a rejects file came back with ids that a program changed on the way.",
    example="a rejects file that was opened and saved in a spreadsheet program",
    remedy=_NOTE,
)
RESTORED_MORE = entry(
    "note.restored-many",
    "rows {rows} and {more:d} more: the order ids came back damaged by a program; batchpay_id says"
    " what it was, and that is used: who wrote another id on purpose clears all batchpay_ columns"
    " of its row",
    means="The same, of more rows than a sentence names.",
    example="a rejects file of 100 rows that was saved in a spreadsheet program",
    remedy=_NOTE,
)
WORDS_REREAD = entry(
    "note.words-reread",
    "{rows} rows, the first of them row {first:d}, came back with a description or metadata that a"
    " program changed (zeros in front, the form of a date): what stood there before is used; who"
    " means the new text clears the batchpay_ columns of its row",
    one="row {first:d} came back with a description or metadata that a program changed (zeros in"
    " front, the form of a date): what stood there before is used; who means the new text clears"
    " the batchpay_ columns of its row",
    count="rows",
    means="Rows of a rejects file came back with texts that a spreadsheet program changed.",
    example="metadata 007 in rejects.csv, 7 in the file that came back",
    remedy=_NOTE,
)
HEADING_CURRENCY = entry(
    "note.heading-currency",
    "column '{column}': its name says {said}, and {orders} orders, the first of them in row"
    " {row:d}, are in {currency}: they are charged so; look which is right",
    one="column '{column}': its name says {said}, and the order in row {row:d} is in {currency}: it"
    " is charged so; look which is right",
    count="orders",
    means="The name of a column of amounts has a currency in it, and rows are charged in another.",
    example='Amount (JPY) beside a Currency of THB, or in a job with currency = { value = "THB" }',
    remedy="Correct the currency, in the rows or in [columns], or the name of the column.",
)
HEADING_SCALE = entry(
    "note.heading-scale",
    "column '{column}': its name says '{word}', and its amounts are charged as they stand, row"
    " {row:d} with {amount}: look whether that is meant",
    means="The name of a column of amounts says that they are thousands, or the smallest unit, and"
    " they are read as whole units.",
    example="金額（千円） above 500, which is charged as 500 yen",
    remedy='Have the amounts written out; or say unit = "minor" in [columns] where they are in the'
    " smallest unit.",
)
UNREAD_CURRENCY = entry(
    "note.unread-currency",
    "column '{column}', which no field uses, says {word} in {rows} rows: {named}; they are charged"
    " in {currency}, as the job says of all: look which is right",
    one="column '{column}', which no field uses, says {word} in row {named}; it is charged in"
    " {currency}, as the job says of all: look which is right",
    count="rows",
    means="The job names one currency for all rows, and a column that it does not read says another"
    " one of some.",
    example='a column Currency with JPY and THB, in a job with currency = { value = "JPY" }',
    remedy='Read the column: currency = "Currency" in [columns], with a lookup where it has words.',
)
SAYS_CALLED_OFF = entry(
    "note.called-off",
    "column '{column}', which no field uses, says '{word}' in {rows} rows: {named}; they are"
    " charged as they stand: take out what is not to be charged",
    one="column '{column}', which no field uses, says '{word}' in row {named}; it is charged as it"
    " stands: take it out if it is not to be charged",
    count="rows",
    means="A cell of a row says that its order was cancelled, refunded or charged back, and the job"
    " makes nothing of its column.",
    example="an export of all orders, with Cancelled in its column Status",
    remedy="Have the export written without such orders, or take the rows out.",
)
NAMED_CALLED_OFF = entry(
    "note.called-off.name",
    "column '{column}', which no field uses, is filled in {rows} rows: {named}; they are charged as"
    " they stand: take out what is not to be charged",
    one="column '{column}', which no field uses, is filled in row {named}; it is charged as it"
    " stands: take it out if it is not to be charged",
    count="rows",
    means="A column is called after what is cancelled, refunded or charged back, some rows have"
    " something in it, and the job makes nothing of it.",
    example="an export of all orders, with a day in its column Cancelled on",
    remedy="Have the export written without such orders, or take the rows out.",
)
TITLED_CALLED_OFF = entry(
    "note.called-off.title",
    "row {row:d} says '{word}' and nothing else: the orders below it are charged as they stand;"
    " take out what is not to be charged",
    means="A row with one cell says that what stands below it was cancelled, refunded or charged"
    " back.",
    example="a sheet with the title Cancelled above its last orders",
    remedy="Take the orders below it out, or delete the row if they are to be charged.",
)
UNUSED_COLUMNS = entry(
    "note.unused-columns",
    "columns no field uses: {names}",
    means="The file has columns of which [columns] makes nothing.",
    example="an export with a column of remarks",
    remedy="Nothing, unless an order lacks what stands in one of them: then name it in [columns].",
)
NO_TOTALS = entry(
    "note.no-totals",
    "no control totals: a file cut at the end of a line would look whole; declare count and total"
    " in [controls], or beside the file as {name}.totals.json",
    means="Nobody said how many rows the file has and what they come to.",
    example="an export that was cut after row 120 of 200, at the end of a line",
    remedy="Have the sender give count and total with the file.",
)
