"""PROBLEMS: what is wrong with a cell or a row.

The code, up to a dot, is the rule that reports show and people search for; after a dot stands which
of its sentences it is. What a rule of the order schema expects stands in `schemas`.

An example is TOML: what a cell of a right row is changed to, and, in a table, what the job says
beside. tests/test_messages.py gives each of them to `batchpay check`.
"""

from __future__ import annotations

from batchpay.messages.message import entry

# --- how a problem is told

FOUND = entry(
    "problem",
    "{column}: found '{value}' ({rule}); {remedy}",
    means="A cell of a row is wrong: its column, what stands there, the rule and what to do.",
    example='amount = "1.234,50"',
    remedy="Look the rule up with `batchpay explain RULE`, correct the cell, send it again.",
)
EMPTY = entry(
    "problem.empty",
    "{column}: is empty ({rule}); {remedy}",
    means="A cell of a row that must be filled is empty, or the row as a whole is wrong.",
    example='recipient = ""',
    remedy="Look the rule up with `batchpay explain RULE`, fill the cell in, send it again.",
)
WHOLE_ROW = entry(
    "problem.row",
    "{rule}: {remedy}",
    means="A row as a whole is not sent: what becomes of it, and why.",
    example="the same order id in two rows",
    remedy="Do what stands behind the colon.",
)

# --- what no cell may hold

CONTROL_CHARACTER = entry(
    "control-character",
    "remove the control character; a line break inside a cell is LF, in quotes",
    means="A cell holds a character that is no text: a bell, an escape, a lone CR.",
    example='description = "lunch\\u0007"',
    remedy="Remove the character, which the message shows as an escape such as \\x07.",
)
CELL_TOO_LONG = entry(
    "cell-too-long",
    "{length:d} characters; a cell holds at most {limit:d} bytes: shorten it",
    means="A cell is longer than anything that an order can use.",
    example='description = "x*65537"',
    remedy="Shorten the cell; often a quote that is not closed has swallowed what follows.",
)
SECRET_KEY = entry(
    "secret-key",
    "a key of the gateway may not stand in a file: remove it (masked here), and make that key void",
    means="A cell holds a key of the gateway, with which anybody can move money.",
    example='description = "skey_live_5xuy4w91xqz7d1w9u0t"',
    remedy="Remove it from the file, and void the key at the gateway: others have seen the file.",
)
CARD_NUMBER = entry(
    "card-number",
    "a card number may not stand in a file: remove it (masked here); pay by token, customer or"
    " source",
    means="A cell holds what is a card number by its digits and its check digit.",
    example='description = "4242 4242 4242 4242"',
    remedy="Remove it. A column of other numbers that only look so goes in [input] not_cards.",
)
SECRET = entry(
    "secret",
    "{secret} may not stand in {field}: take it from the column that pays only",
    means="A payment token stands in a field that is shown and stored.",
    example='description = "tokn_test_5xuy4w91xqz7d1w9u0t"',
    remedy="Remove the token from that cell; only the field that pays may hold it.",
)
NOT_TEXT = entry(
    "not-text",
    "it holds half a character: type it again",
    means="A cell holds half of a character (a lone surrogate), which is no text in any encoding.",
    example="half of an emoji, which no file that can be read holds",
    remedy="Type the cell again; a program has cut a character into halves.",
)

# --- rows of a file

RAGGED_LINE = entry(
    "ragged-row",
    "line {line:d}: {cells} cells where the header has {width:d}; quote cells that hold the"
    " delimiter, or take out one that is too many",
    one="line {line:d}: {cells} cell where the header has {width:d}; quote cells that hold the"
    " delimiter, or take out one that is too many",
    count="cells",
    means="A line has more or fewer cells than the header names, and cells may have slipped.",
    example='line = "A1,1,200.00,THB,recp_test_1,cust_test_1,,,"',
    remedy='Put a cell that holds the delimiter in quotes: "1,200.00".',
)
RAGGED_LINES = entry(
    "ragged-row.lines",
    "lines {line:d} to {last:d}: {cells} cells where the header has {width:d}; quote cells that"
    " hold the delimiter, and look for a quote that is not closed",
    one="lines {line:d} to {last:d}: {cells} cell where the header has {width:d}; quote cells that"
    " hold the delimiter, and look for a quote that is not closed",
    count="cells",
    means="A record over several lines has more or fewer cells than the header names.",
    example='line = "A1,\\"1\\n2\\""',
    remedy="Close the quote that opens on the first of these lines, or quote what holds commas.",
)
RAGGED_SHORT = entry(
    "ragged-row.short",
    "line {line:d}: {cells} cells where the header has {width:d}: from '{column}' on all are"
    " missing; if a cell before them lacks its delimiter, write it, else fill them in",
    one="line {line:d}: {cells} cell where the header has {width:d}: from '{column}' on all are"
    " missing; if it is a row of an order, fill them in",
    count="cells",
    means="A line ends before all the cells that an order needs.",
    example='line = "A1,100.00,THB"',
    remedy="Write the cells that are missing; if the file was cut, have it written again.",
)
RAGGED_BETWEEN = entry(
    "ragged-row.between",
    "line {line:d}: its cells are kept apart by {found}, those of the header by {expected}: write"
    " them alike",
    means="A line is written with another character between its cells than the header.",
    example='line = "A1;100.00;THB;recp_test_1;cust_test_1;;;"',
    remedy="Write the line with the character that stands between the cells of the header.",
)
BEYOND = entry(
    "ragged-row.beyond",
    "cell {cell} is to the right of the last column with a name: clear it, or name column"
    " {column}",
    means="A row of a sheet holds something where the header names no column.",
    example="an .xlsx row with a note to the right of its last column",
    remedy="Clear the cell, or give its column a name in the header row.",
)
QUOTE = entry(
    "quote",
    "line {line:d}: text after a closing quote; let one quote stand before a cell and one after it,"
    " and write those inside it twice",
    means="In a cell in quotes, text follows the quote that closes it.",
    example='line = "A1,\\"1\\"00,THB,recp_test_1,cust_test_1,,,"',
    remedy='Write "A1" or A1, not ""A1""; and a quote inside a cell twice: "a ""great"" dinner".',
)
TOTAL_ROW = entry(
    "total-row",
    "it looks like a total row, which is no order: delete it from the export, or have such rows"
    ' left out: total_rows = "skip" in [input]',
    means="One cell of a rejected row says that the row is a sum: Total, รวม, 合計.",
    example='order_id = "Total"\nrecipient = ""',
    remedy="Delete the row below the orders, or have it left out of the export, or say total_rows ="
    ' "skip" in [input]; to take note of'
    " it, so that nobody is asked to correct it: batchpay resolve JOB --cancel, with its id.",
)
TOTAL_ROW_SUM = entry(
    "total-row.sum",
    "it has no order id, and its amount is the sum of the rows above it, {sum}: it looks like a"
    " total row, which is no order: delete it from the export, or have such rows left out:"
    ' total_rows = "skip" in [input]',
    means="The last row of a table has no id, and what the column above comes to.",
    example="a row below the orders with nothing but their sum",
    remedy="Delete the row below the orders, or have it left out of the export; or say total_rows ="
    ' "skip" in [input].',
)
TOTAL_ROW_LAST = entry(
    "total-row.last",
    "it is the last amount of the file and the sum of all above it, {sum}: it looks like a total"
    " row, which is no order: delete it from the export; if it is an order, say total_rows ="
    ' "accept" in [input]',
    means="The last row of a file has all that an order needs, and its amount is exactly what three"
    " rows or more above it come to.",
    example="a last row with an id, a payer and a recipient, and the sum of the others",
    remedy="Delete the row if it is no order. If it is one, move it up, or say total_rows ="
    ' "accept" in [input] for this file.',
)
TOTAL_ROW_NAMED = entry(
    "total-row.named",
    "so people call a sum, and its amount is that of the rows above it, {sum}: it looks like a"
    " total row, which is no order: delete it from the export, or have such rows left out:"
    ' total_rows = "skip" in [input]; if it is an order, say total_rows = "accept"',
    means="A row with all that an order needs is called as sums are (Shop A Total, 小計 A店), and"
    " its amount is what the rows above come to, all of them or those since the last such row.",
    example="a row with the id Shop A Total, a payer, a recipient, and the sum of those above it",
    remedy="Delete the row if it is no order; never fill in who pays it. If it is an order, say"
    ' total_rows = "accept" in [input] for this file.',
)
FURTHER_LINE = entry(
    "further-line",
    "a further line of the order in row {row:d}, with nothing of its own to charge: leave such"
    " lines out of the export, or let them be",
    means="An export has several lines for an order, and the money stands in the first of them.",
    example="a line for each article of an order",
    remedy="Nothing, when the order's first line holds all its money; else write the sum there.",
)
ONLY_CELL = entry(
    "only-cell",
    "nothing else stands in this row: if it is no order, delete it; else fill in the others",
    means="A row holds one cell only, as a remark below the orders does.",
    example='order_id = "End of report"\namount = ""\ncurrency = ""\nrecipient = ""\n'
    'customer = ""\nshop = ""',
    remedy="Delete the row, or fill it in.",
)
NO_VALUE_AGAIN = entry(
    "formula-without-value.again",
    "it came back, and is still empty where a formula had no value: write the value, or yes in"
    " batchpay_retry if nothing is to stand there",
    means="A row of a rejects file comes back in which the value of a formula is still missing.",
    example="a row of rejects.xlsx that was rejected for a formula without a value, as it was",
    remedy="Write the value into the cell, or yes into batchpay_retry.",
)
STRUCK_AGAIN = entry(
    "struck-through.again",
    "it came back in a file that shows no strikes, and was struck through: write yes in"
    " batchpay_retry if the order is to go, else delete the row",
    means="A row of a rejects file that was struck through comes back as CSV or Parquet.",
    example="rejects.xlsx, saved as CSV",
    remedy="Write yes into batchpay_retry where the order is to go; delete the row where not.",
)
SAME_ID_AGAIN = entry(
    "same-id.again",
    "it came back as it was, where a program may have made it of another id: write the id as its"
    " source has it; or, if that is {shown}, write yes in batchpay_retry",
    means="The order id's cell was a number, a date or true or false, and the row comes back with"
    " the same in it.",
    example="a row of rejects.xlsx that was rejected as exponent-cell, with that number as text",
    remedy="Look the id up where the order comes from. Write it; or, if it stands there, write yes"
    " in batchpay_retry.",
)
UNSEEN_FAULT = entry(
    "unseen-fault",
    "it came back, and its cells do not show whether it was put right: see that each is in its"
    " column, then write yes in batchpay_retry",
    means="A row of a rejects file comes back that was rejected for something that cells do not"
    " show: its line had cells too many or too few, or it looked like a total row.",
    example="a row of rejects.csv that was rejected as ragged-row, as it was",
    remedy="Look at each cell of the row: 1 may be left of an amount of 1,200.00. Put all right,"
    " and write yes in batchpay_retry.",
)
NOT_A_MARK = entry(
    "not-a-mark",
    "it says which cells got an apostrophe: leave it as it was, or empty it and take the"
    " apostrophes off",
    means="The column batchpay_defused of a rejects file that came back was changed.",
    example='batchpay_defused = "yes"',
    remedy="Put back what stood there; or empty it, and take the apostrophes off the row's cells.",
)

# --- numbers of binary formats, and cells that a sheet could not fill

NO_NUMBER = entry(
    "not-a-number.number",
    "write the number itself",
    means="A cell of a binary format holds NaN or an infinity where a number is wanted.",
    example="a .parquet column of doubles with NaN in it",
    remedy="Write the number itself.",
)
NOT_EXACT = entry(
    "number-not-exact",
    "more than {digits:d} digits are rounded in this kind of cell: an amount needs =ROUND(…,2)"
    " around it, or to be an exact decimal; an id must be text",
    means="A number has more digits than its kind of cell keeps: it was rounded before it came.",
    example="an .xlsx cell with the number 12345678901234567",
    remedy="Write it as text; in Parquet also as decimal128 or int64.",
)
SHEET_ERROR_IN = entry(
    "error-cell.sheet",
    "the sheet could not calculate cell {cell}: correct it",
    means="A cell of a sheet holds an error, such as #REF! or #N/A.",
    example="an .xlsx cell with #REF!",
    remedy="Correct the formula, or write the value.",
)
STRUCK_THROUGH = entry(
    "struck-through",
    "struck through in {cells}: remove the strike if the order is to go, or delete the row; or say"
    ' struck_rows = "accept" in [input] if strikes of this source mean nothing',
    means="A row of a sheet is struck through, or a cell of it without which it is no order: its"
    " id, its amount, who pays, who is paid. It may have been cancelled or dealt with.",
    example="a row of an .xlsx that somebody struck through, and did not delete",
    remedy="Remove the strike where the order is to go; delete the row where not.",
)
MERGED_ID = entry(
    "merged-lines",
    "the id is merged over {cells}, and rows below have amounts of their own: lines of one order"
    " are not added up. Leave one row with the sum of all its lines, and delete the others; or,"
    " where each row is an order, write each its id into cells of their own",
    means="A sheet has one id merged over several rows, each with an amount: they are one order.",
    example="an .xlsx with the id merged over A2:A4, and 100.00, 50.00 and 25.00 beside it",
    remedy="Leave one row with the sum, and delete the others. A row that came back, and whose"
    " amount is right as it is, goes with yes in batchpay_retry.",
)
MERGED_AMOUNT = entry(
    "merged-lines.amount",
    "the amount is merged over {cells}, and rows below have ids of their own: it may be that of all"
    " of them together. Write each its amount into cells of their own",
    means="A sheet has one amount merged over rows that are several orders.",
    example="an .xlsx with orders 1 and 2, and 100.00 merged over B2:B3 beside them",
    remedy="Write each order's own amount. A row that came back, and whose amount is right as it"
    " is, goes with yes in batchpay_retry.",
)
MERGED_AGAIN = entry(
    "merged-lines.again",
    "it came back with the same amount, and its cell was merged over {cells}: write the sum of all"
    " lines of the order, and delete the others; or, if this amount is right, yes in"
    " batchpay_retry",
    means="A row whose id or amount was merged over several rows came back as it was.",
    example="the first row of a merged id in rejects.xlsx, as it was",
    remedy="Write the right amount, or yes into batchpay_retry where it is the order's own.",
)
NO_VALUE_IN = entry(
    "formula-without-value",
    "cell {cell} is a formula without a value: open the file in a spreadsheet and save it, or write"
    " the value",
    means="A sheet that no spreadsheet program has saved holds a formula and not what it comes to.",
    example="an .xlsx cell with a formula, written by a program",
    remedy="Open the file in a spreadsheet program and save it, or write the value.",
)

# --- order ids that programs made of something else

ERROR_CELL = entry(
    "error-cell",
    "an error of a spreadsheet, not an id: correct the cell,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id is the error word of a spreadsheet.",
    example='order_id = "#N/A"',
    remedy="Correct the cell in the sheet that it came from.",
)
NOT_A_NUMBER = entry(
    "not-a-number",
    "what a program writes where it has no number: write the id itself,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id is what programs write where a number is missing.",
    example='order_id = "nan"',
    remedy="Write the id itself.",
)
NO_ID = entry(
    "no-value",
    "what a program writes where it has no value: write the id itself,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id is what programs write where a value is missing.",
    example='order_id = "null"',
    remedy="Write the id itself.",
)
PLACEHOLDER = entry(
    "placeholder",
    "what people write where there is no id: write the id itself,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id is a dash, a question mark or a word for none.",
    example='order_id = "-"',
    remedy="Look the id up where the order comes from, and write it.",
)
EXPONENT_NUMBER = entry(
    "exponent-number",
    "a number in exponent form has lost digits: write the id itself, as text,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id is a number that a spreadsheet has shortened.",
    example='order_id = "8.85E+12"',
    remedy="Format the column as text, and write the id itself.",
)
FORMULA_TEXT = entry(
    "formula-text",
    "the text of a formula: write the id itself, as text,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id is a formula.",
    example="order_id = '=\"0008\"'",
    remedy="Write the id itself, as text.",
)
EXPONENT_CELL = entry(
    "exponent-cell",
    "a number shown with an exponent, which a spreadsheet makes of 8E5: write the id as text,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="The order id's cell is a number that the sheet shows in exponent form.",
    example="an .xlsx cell with the number 800000 in the format 0.00E+00",
    remedy="Format the column as text, and write the id itself.",
)
FRACTION_CELL = entry(
    "fraction-cell",
    "a number shown as a fraction, which a spreadsheet makes of 1/2: write the id as text,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="The order id's cell is a number that the sheet shows as a fraction.",
    example="an .xlsx cell with the number 0.5 in the format # ?/?",
    remedy="Format the column as text, and write the id itself.",
)
DATE_CELL = entry(
    "date-cell",
    "a date, which a spreadsheet makes of ids like 3-1: write the id itself, as text,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id has become a date.",
    example='order_id = "1-Mar"',
    remedy="Format the column as text, and write the id itself.",
)
BOOLEAN_CELL = entry(
    "boolean-cell",
    "true or false, not a text: write the id itself, as text,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="The order id's cell is true or false.",
    example="an .xlsx cell with TRUE",
    remedy="Format the column as text, and write the id itself.",
)
PERCENT_CELL = entry(
    "percent-cell",
    "a number shown as a percentage, which a spreadsheet makes of 5%: write the id as text,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="The order id's cell is a number that the sheet shows as a percentage.",
    example="an .xlsx cell with the number 0.05 in the format 0%",
    remedy="Format the column as text, and write the id itself.",
)
LABELLED_CELL = entry(
    "labelled-cell",
    "a number to which the format of its cell adds words, so that the sheet shows another id:"
    " format the column as text and write the ids as they are shown,"
    ' or say odd_ids = "accept" in [input] if the number alone is the id',
    means="The order id's cell is a number beside which the sheet shows words that are not in it.",
    example='an .xlsx cell with the number 7 in the format "No "0, which shows No 7',
    remedy="Format the column as text, and write each id as it was shown: a CSV of the same sheet"
    " has it so.",
)
SHOWN_NUMBER = entry(
    "shown-number",
    "a number as a sheet shows it, with a percent or currency sign, or as 1,234 or 1.234,00:"
    ' write the id itself, as text, or say odd_ids = "accept" in [input] if ids of this source'
    " really look so",
    means="An order id is a number with a sign or with separators, as the format of a cell writes"
    " it.",
    example='order_id = "5%"',
    remedy="Format the column as text, and write the id itself.",
)
QUOTED_ID = entry(
    "quoted-id",
    "the quotes are no part of an id: write it without them,"
    ' or say odd_ids = "accept" in [input] if ids of this source really look so',
    means="An order id stands in quotes, which a program wrote twice or drew as a printer does.",
    example='order_id = "\u201cA1\u201d"',
    remedy="Write the id without the quotes: with them it would be another order than without.",
)

# --- from cells to fields

TEMPLATE_TOO_LONG = entry(
    "template-too-long",
    "the text made of it is longer than {limit:d} characters: shorten the cells",
    means="A template of [columns] makes a text of a row that is longer than any field.",
    example='description = "x*1001"\n[columns]\ndescription = "for {description}"',
    remedy="Shorten the cells that the template takes.",
)
TEMPLATE_EMPTY = entry(
    "template-empty",
    "fill it in: {field} is made from it",
    means="An identifier is made from several cells, and one of them is empty.",
    example='note = ""\n[columns]\norder_id = "{order_id}-{note}"',
    remedy="Fill the cell in: with a gap the identifier could be another order's.",
)
LOOKUP_AMBIGUOUS = entry(
    "lookup-ambiguous",
    "it stands on more than one line of {file}: leave one",
    means="A lookup file has two lines for one key.",
    example='shop = "two"\n[columns]\ndestination = { column = "shop", lookup = "shops.csv",'
    ' key = "shop", value = "recipient" }',
    remedy="Leave only the right line in the lookup file.",
)
LOOKUP_MISSING = entry(
    "lookup-missing",
    "add a line for it to {file}, column '{key}', or correct the cell",
    means="A lookup file has no line for a cell.",
    example='shop = "three"\n[columns]\ndestination = { column = "shop", lookup = "shops.csv",'
    ' key = "shop", value = "recipient" }',
    remedy="Add the line, or correct the cell; keys are compared character by character.",
)
LOOKUP_ALIKE = entry(
    "lookup-missing.alike",
    "{file} has '{near}'; the difference: {differs}: write it so (copy it over), or, if it is"
    " another one, add a line for it, column '{key}'",
    means="A lookup file has no line for a cell, and one that looks alike.",
    example='shop = "ONE"\n[columns]\ndestination = { column = "shop", lookup = "shops.csv",'
    ' key = "shop", value = "recipient" }',
    remedy="Copy the name from the lookup file into the cell, or add a line for it.",
)
LOOKUP_EMPTY = entry(
    "lookup-empty",
    "fill in column '{column}' of its line in {file}",
    means="The line of a lookup file has the key and no value.",
    example='shop = "empty"\n[columns]\ndestination = { column = "shop", lookup = "shops.csv",'
    ' key = "shop", value = "recipient" }',
    remedy="Fill in the value in the lookup file.",
)
LOOKUP_VALUE = entry(
    "lookup-value",
    "it stands in line {line:d} of {file}, column '{column}', and is corrected there: {wrong}",
    means="What a lookup file has for a cell is not right: the file is wrong, not the orders.",
    example='shop = "spaced"\n[columns]\ndestination = { column = "shop", lookup = "shops.csv",'
    ' key = "shop", value = "recipient" }',
    remedy="Correct the cell of the lookup file.",
)
INVISIBLE_CHARACTER = entry(
    "invisible-character",
    "type it again without the characters shown as escapes",
    means="An identifier holds a character that leaves no mark on paper.",
    example='order_id = "A\\u200B1"',
    remedy="Type the cell again; copying it copies the character too.",
)
SURROUNDING_BLANKS = entry(
    "surrounding-blanks",
    "remove the blanks before and after it",
    means="An identifier begins or ends with a blank: it is not the id that it looks like.",
    example='order_id = "A1 "',
    remedy="Type the cell again without the blanks, which the message shows as ␠.",
)
YES_OR_NO = entry(
    "yes-or-no",
    "write yes, no or nothing",
    means="The column batchpay_retry says whether a row is to be charged again.",
    example='batchpay_retry = "maybe"',
    remedy="Write yes to have it charged again; write no, or clear the cell, if not.",
)

# --- money

NUMBER_FORMAT = entry(
    "number-format",
    "write 1234.50 or 1,234.50 with a point for decimals, and nothing else",
    means="An amount is not plainly a number; nothing is guessed about it.",
    example='amount = "1.234,50"',
    remedy="Write digits, a point for decimals and, if at all, commas between thousands.",
)
NUMBER_FORMAT_WHOLE = entry(
    "number-format.whole",
    "write 1234 or 1,234, a whole number, and nothing else",
    means="An amount of a currency or unit without decimals is not plainly a number.",
    example='amount = "1.200 JP"\ncurrency = "JPY"',
    remedy="Write digits and, if at all, commas between thousands.",
)
NUMBER_FORMAT_OR = entry(
    "number-format.or",
    '{wrong}; or, if it means {number}, say format = "{form}" beside its unit in [columns]',
    means="An amount is not plainly a number, but would be one if its column said so.",
    example='amount = "฿1.234,50"',
    remedy="Correct the cell; or, where the whole column is written so, write the format in the"
    " job, as the message has it.",
)
TWO_WAYS = entry(
    "number-format.two-ways",
    "{number}, or {other}, as {written} in the same column has decimals behind a comma: write it"
    ' without a comma; or say format = "{form}" beside the unit in [columns]',
    means="An amount has a comma between thousands, or before decimals: no format is declared, and"
    " another cell of the column can only be read with decimals behind a comma.",
    example="1,500 in a column of amounts where 99,50 stands",
    remedy="Declare the format in the job where the comma stands before decimals; else correct the"
    " other cell, and write this amount without a comma.",
)
OTHER_FORM = entry(
    "number-format.declared",
    "the job says that these numbers are written as {form} ([columns] format): write it so",
    means="An amount does not fit the format that the job declares for its column.",
    example='amount = "1,234.50"\n[columns]\namount = { column = "amount", unit = "major", format ='
    ' "1.234,56" }',
    remedy="Write the cell as the format says, or correct the format where the file has another.",
)
OTHER_MINUS = entry(
    "number-format.minus",
    "so people write what is less than 0, which this column writes as {form}: write it so",
    means="A part of an amount is negative, and does not fit the format that the job declares.",
    example='shipping = "(5,00)"\namount = "1.234,50"\n[columns]\namount = { sum = ["amount",'
    ' "shipping"], unit = "major", format = "1.234,56" }',
    remedy="Write the cell with a minus before it; or declare a format with brackets, (1.234,56).",
)
OTHER_SIGN = entry(
    "other-currency",
    "the amount is written in {sign}, the row's currency is {currency}: correct one of them",
    means="The sign beside an amount is not that of the row's currency.",
    example='amount = "$100.00"\n[columns]\namount = { column = "amount", unit = "major", format ='
    ' "$1,234.56" }',
    remedy="Correct the amount's sign or the row's currency.",
)
OTHER_DECLARED = entry(
    "other-currency.declared",
    "the format of the column says {sign}, the row's currency is {currency}: correct the row's"
    " currency, or write ¤ for {sign} in format where each amount is of its row's currency",
    means="The sign in the declared format of an amount is not that of the row's currency, and none"
    " stands beside the amount.",
    example='amount = "100.00"\n[columns]\namount = { column = "amount", unit = "major", format ='
    ' "$1,234.56" }',
    remedy="Correct the row's currency, or the sign in format; ¤ is the sign of any currency.",
)
DATE_AMOUNT = entry(
    "number-format.date",
    "the cell is a date, which a sheet makes of 1-5, or of any number by the format of the cell:"
    " format it as a number, then write the amount",
    means="The cell of an amount is a date, or is shown as one.",
    example="an .xlsx cell of an amount with the date 2026-01-05",
    remedy="Format the cell as a number (in Excel: Home, Number), then write the amount into it.",
)
PERCENT_AMOUNT = entry(
    "number-format.percent",
    "the cell is shown as a percentage: format it as a number, then write the amount",
    means="The cell of an amount is a number that the sheet shows as a percentage: 5% is 0.05.",
    example="an .xlsx cell of an amount with the number 0.05 in the format 0%",
    remedy="Format the cell as a number (in Excel: Home, Number), then write the amount into it.",
)
RESCALED_AMOUNT = entry(
    "number-format.rescaled",
    "the format of the cell shows another amount than this: of a thousandth, below zero, or with"
    " digits of its own: format it as a number, then write the amount that is meant",
    means="The cell of an amount is a number that the sheet shows as another one, by a comma at the"
    " end of its format, a minus or brackets around it, or digits in quotes.",
    example="an .xlsx cell of an amount with the number 50000 in the format #,##0.00, which shows"
    " 50.00",
    remedy="Format the cell as a number (in Excel: Home, Number), then write the amount into it.",
)
UNQUOTED_AMOUNT = entry(
    "number-format.unquoted",
    'with the next cell, {rest}, this may be one amount: if it is, put it in quotes, "{whole}", or'
    " leave out the comma; if not, write the amount with its decimals",
    means="The comma of an amount's thousands stands in no quotes, so that the rest of it fell into"
    " the next cell, where no other row has decimals.",
    example="A-1,45,200.00\nA-2,99.50,gift",
    remedy="Put the amount in quotes, or write it without a comma.",
)
PART_EMPTY = entry(
    "part-empty",
    'fill it in; or, if an empty cell adds nothing, say default = "0" beside sum in [columns]',
    means="An amount is a sum of cells, and one of them is empty.",
    example='shipping = ""\n[columns]\namount = { sum = ["amount", "shipping"], unit = "major" }',
    remedy='Fill the cell in, or say default = "0" in the job.',
)
DATE_FORMAT = entry(
    "date-format",
    "the job says that the 31st of December is written as {form} here ([columns] format): write it"
    " so",
    means="A date does not fit the format that the job declares for its column: it is written"
    " otherwise, of another calendar, or no day at all.",
    example='paid = "31/12/2024"\n[columns]\nmetadata = { paid = { column = "paid", format ='
    ' "31/12/2567" } }',
    remedy="Write the cell as the format says, or correct the format where the file has another.",
)
OTHER_DIGITS = entry(
    "number-format.digits",
    "use 0-9",
    means="An amount is written with other digits than 0 to 9.",
    example='amount = "๑๐๐"',
    remedy="Write it with the digits 0 to 9.",
)
BLANKS_AROUND = entry(
    "number-format.blanks",
    "remove the blanks before and after the number",
    means="Blanks stand before or behind an amount.",
    example='amount = " 100"',
    remedy="Remove them, which the message shows as ␠.",
)
NEGATIVE = entry(
    "number-format.negative",
    "so people write what is less than 0, and an order asks for more: correct it or remove the row",
    means="An amount stands in brackets or behind ▲, as books write negatives.",
    example='amount = "(100.00)"',
    remedy="Correct the amount, or remove the row: refunds are made at the gateway.",
)
CREDIT = entry(
    "number-format.credit",
    "so books write what is paid back, and an order asks for more than 0: if it is that, remove the"
    " row; only if it is a price, write the number alone",
    means="An amount has a minus behind it, or CR or a like word beside it.",
    example='amount = "80.00-"',
    remedy="Look what the row is. What is paid back is no order: remove the row, and make the"
    " refund at the gateway. A price that a minus ends is written without it.",
)
NOT_WHOLE = entry(
    "not-whole",
    'unit = "minor" takes whole numbers of the smallest unit',
    means="The job says that amounts are in satang or yen, and one has decimals.",
    example='amount = "100.50"\n[columns]\namount = { column = "amount", unit = "minor" }',
    remedy='Write whole numbers of the smallest unit, or say unit = "major" in [columns].',
)
TOO_MANY_DECIMALS = entry(
    "too-many-decimals",
    "{currency} has {decimals} decimals: write no more; in a sheet, put =ROUND(…,{decimals})"
    " around it",
    one="{currency} has {decimals} decimal: write no more; in a sheet, put =ROUND(…,{decimals})"
    " around it",
    count="decimals",
    means="An amount is finer than its currency.",
    example='amount = "100.505"',
    remedy="Ask for an amount that the currency has: two decimals, of JPY none. Where all amounts"
    ' have .00, also those of yen, say format = "1,234.00" in [columns].',
)
NOT_WHOLE_OR = entry(
    "not-whole.or",
    '{wrong}; or, if it means {number}, say format = "{form}" beside its unit in [columns]',
    means="An amount in the smallest unit has decimals, unless its point stands between thousands.",
    example='amount = "1.234"\n[columns]\namount = { column = "amount", unit = "minor" }',
    remedy="Correct the cell; or, where the whole column is written so, write the format in the"
    " job, as the message has it.",
)
TOO_MANY_DECIMALS_OR = entry(
    "too-many-decimals.or",
    '{wrong}; or, if it means {number}, say format = "{form}" beside its unit in [columns]',
    means="An amount is finer than its currency, unless its point stands between thousands.",
    example='amount = "1.234"',
    remedy="Correct the cell; or, where the whole column is written so, write the format in the"
    " job, as the message has it.",
)
AMOUNT_TOO_LARGE = entry(
    "amount-too-large",
    "at most {most:d} of the smallest unit",
    means="An amount is larger than programs on the way can tell exactly.",
    example='amount = "99999999999999.00"',
    remedy="Look at the cell: it is hardly an amount.",
)
AMOUNT_NOT_POSITIVE = entry(
    "amount-not-positive",
    "an order asks for more than 0: correct it or remove the row",
    means="An amount is 0 or less.",
    example='amount = "0.00"',
    remedy="Correct the amount, or remove the row: refunds are made at the gateway.",
)
UNKNOWN_CURRENCY = entry(
    "unknown-currency",
    "use one of {codes}",
    means="A currency is none that the gateway takes.",
    example='currency = "XYZ"',
    remedy="Write one of the codes, all in upper or all in lower case.",
)

# --- controls of the job

ABOVE_MAX_AMOUNT = entry(
    "above-max-amount",
    "at most {limit} an order ([controls] max_amount)",
    means="An order asks for more than the job allows for one order.",
    example='amount = "100.01"\n[controls]\nmax_amount = { THB = "100.00" }',
    remedy="Correct the amount, or have the limit changed by whoever is responsible for it.",
)
COMMISSION_ABOVE_AMOUNT = entry(
    "commission-above-amount",
    "the commission of {commission} ([fee]) is more than that: ask for more",
    means="The platform's commission is more than the whole order.",
    example='amount = "20.00"\n[fee]\nfixed = { THB = 3000, JPY = 30 }',
    remedy="Ask for more, or have the commission changed.",
)
OTHER_MODE = entry(
    "other-mode",
    "it is of {other} mode, but the job runs in {mode} mode",
    means="A row names something of the gateway's other mode: test and live do not mix.",
    example='customer = "cust_live_1"',
    remedy="Use the id of the mode that the job runs in, or change [gateway] mode and the key.",
)

# --- rows that came back

TORN_ROW = entry(
    "torn-row",
    "{columns} and {last} do not name the row any more that this one came back for: put back what"
    " they were told with, all of them; or, if this is another sale, clear all of them in this row",
    means="The batchpay_ columns of a row that came back were changed: it names no row.",
    example='batchpay_id = "A1"\nbatchpay_row = "2"',
    remedy="Put back what stood in them, or clear all of them.",
)
LOST_ID = entry(
    "lost-id",
    "the order id of this row was lost, and its other cells do not show that it is the row that the"
    " batchpay_ columns name: write the order id itself, as text, and clear all batchpay_ columns"
    " of this row",
    means="A row came back without an id that can be told, beside the columns of another row.",
    example="an emptied order_id in a rejects file that was sorted without its batchpay_ columns",
    remedy="Write the order id itself, as text, and clear all batchpay_ columns of this row.",
)
ANOTHER_ROW = entry(
    "another-row",
    "the other cells are not those of the row that the batchpay_ columns name, which may have been"
    " sorted without them: put them beside their row again; or, if this is another sale, clear all"
    " of them in this row",
    means="A row came back beside the batchpay_ columns of another one.",
    example="a rejects file of which all columns but the batchpay_ ones were sorted",
    remedy="Put the columns beside their row again, or clear all of them in this row.",
)
MOVED_CELLS = entry(
    "moved-cells",
    "in this column {count:d} rows that came back hold what others of them held before, as if it"
    " had been sorted or filled without the rest: put each cell back into its row, or see that each"
    " is meant as it stands; then write yes in batchpay_retry of these rows",
    means="Of several rows that came back one column holds each other's payers, recipients or"
    " amounts, and nobody had asked to change it.",
    example="a rejects file of which the column Amount alone was sorted",
    remedy="Put the cells back into their rows, and write yes into batchpay_retry of these rows.",
)
MOVED_IN_PLACE = entry(
    "moved-cells.in-place",
    "in this column {count:d} rows do not hold what they held in an earlier file, but others'"
    " cells, as if it had been sorted or filled without the rest: put each cell back into its row"
    " in this file; or, if this one is meant, write yes in batchpay_retry of this row in the"
    " rejects file",
    means="A file came again, and of its orders one column holds each other's payers, recipients or"
    " amounts.",
    example="a file in which three rows were corrected, and the column Amount alone was sorted",
    remedy="Put the cells back into their rows; or send the rows of the rejects file with yes in"
    " batchpay_retry.",
)
RESCALED_CELL = entry(
    "rescaled-amount",
    "the amount was {was} when this row was sent back, {now} is the same with its point moved, as a"
    " spreadsheet of another country does: write the amount as it was, or, if this one is meant,"
    " write yes in batchpay_retry of this row",
    means="The amount of a row that came back is 100 or 1000 times what it was, or such a part of"
    " it, and nobody had asked to change it.",
    example="45,500 in a rejects file that a German spreadsheet saved as 45.5",
    remedy="Write the amount as it was; or, if the new one is meant, yes into batchpay_retry.",
)
RESCALED_READ = entry(
    "rescaled-amount.read",
    "the amount could not be read when this row was sent back, and may be {was}: {now} is that with"
    " its point moved, as a spreadsheet of another country does. Write the amount that is meant;"
    " or, if it is this one, write yes in batchpay_retry of this row",
    means="The amount of a row that came back is 100 or 1000 times what its refused cell may have"
    " meant, or such a part of it.",
    example="10.005 THB, refused in a rejects file, that came back as 100.05",
    remedy="Write the amount that is meant; or, if it is this one, yes into batchpay_retry.",
)
CHANGED_CURRENCY = entry(
    "changed-currency",
    "the currency was {was} when this row was sent back, and is {now} now, which no reason asked"
    " for: write {was} again, or, if {now} is meant, write yes in batchpay_retry of this row",
    means="A row that came back asks for another currency than before, and nobody had asked to"
    " change it.",
    example="a rejects file of which the column Currency alone was filled down",
    remedy="Write the currency as it was; or, if the new one is meant, yes into batchpay_retry.",
)
LOST_LETTERS = entry(
    "lost-letters",
    "the text came back with ? where letters stood, as the file was saved in an encoding without"
    " them: save it as .xlsx, or as CSV UTF-8, with the text as it was",
    means="A rejects file came back from a program that wrote ? for letters it had no bytes for.",
    example="Thai in a rejects file that was saved as CSV on a machine with a Western encoding",
    remedy="Save the workbook as .xlsx, or as CSV UTF-8, and send that.",
)
OTHER_JOBS_ROW = entry(
    "other-jobs-row",
    'the batchpay_ columns name a row of job "{job}", which shares this journal: send this row back'
    ' to that job; if this job was renamed, give it its old name again: name = "{job}"; or, if this'
    " is another sale, clear all batchpay_ columns of this row",
    means="A row that another job rejected came back to this one.",
    example="a rejects file that was laid into another job's folder",
    remedy="Send the row back to the job that rejected it.",
)
