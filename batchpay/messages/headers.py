"""HEADERS: what is wrong with the names of columns, and with the columns."""

from __future__ import annotations

from batchpay.messages.message import Entry, entry

_HEADER = "Correct the header of the file, or [columns] of the job."
BAD_DELIMITER = entry(
    "delimiter",
    "[input] delimiter: {delimiter} must be one character, no quote, letter or digit",
    means="The job says something as delimiter that can be none.",
    example='[input] delimiter = "||"',
    remedy='Write the character that stands between the cells, such as ";".',
)
NO_HEADER = entry(
    "header-missing",
    "{path}: has no row {row:d}, where a header was expected",
    means="The file ends before the row that the job says its header is in.",
    example="[input] header_row = 5 and a file with three lines",
    remedy="Correct [input] header_row, or the file.",
)
BLANK_HEADER = entry(
    "header-missing.blank",
    "{path}: row {row:d} is blank, a header was expected; [input] header_row says where it is",
    means="The row in which the header is expected has nothing in it.",
    example="a file with a blank first line",
    remedy="Say in [input] header_row which row the header is.",
)
HEADER_CR = entry(
    "header-cr",
    "{path}: a lone CR in the header: lines must end with LF or CRLF, not as on an old Macintosh:"
    " save it anew, in Excel as CSV UTF-8",
    means="The lines of the file end with CR, where LF or CRLF ends a line today.",
    example="a CSV file of the kind Macintosh",
    remedy="Save it anew as CSV, but not of the kind Macintosh.",
)
HEADER_QUOTE = entry(
    "header-quote",
    "{path}: line {line:d}: text after a closing quote in the header",
    means="In the header, text follows a quote that closes a cell.",
    example='a header like order_id,"amount"x',
    remedy="Write quotes inside a cell twice.",
)
TOO_MANY_COLUMNS = entry(
    "header-columns",
    "{path}: row {row:d} has {columns:d} columns; at most {limit:d} are read",
    means="The header has more columns than any file of orders.",
    example="a sheet with 20,000 columns",
    remedy="Leave out what no field needs.",
)
HEADER_SECRET = entry(
    "header-secret",
    "{path}: row {row:d}, column {column:d}: {secret} in the header; if the file has no header,"
    " write a row with the names of its columns above the orders",
    means="The header holds a token, a key or a card number, as a row of orders would.",
    example="a file that begins with its first order",
    remedy="Put a row with the names of the columns above the orders.",
)
NO_NAMES = entry(
    "header-missing.names",
    "{path}: row {row:d} is no header but looks like an order: it is {found}; write a row with the"
    " names of its columns above it, {names} among them",
    means="Where the header is expected stand amounts or the gateway's ids, as in a row of orders.",
    example="a file that begins with its first order",
    remedy="Put a row with the names of the columns above the orders, in the export or by hand.",
)
HEADER_CONTROL = entry(
    "header-control",
    "{path}: row {row:d}, column {column:d}: a control character in the header '{cell}': type the"
    " name again without it",
    means="A name in the header holds a character that is no text.",
    example="a header with an escape character",
    remedy="Type the name again.",
)
COLUMN_TWICE = entry(
    "column-twice",
    "{path}: row {row:d}: more than one column is called {names}; keep one or rename the others",
    means="A field is read from a column whose name several columns have.",
    example="a header like order_id,amount,amount",
    remedy="Keep one of them, or rename the others.",
)
ALIASES_TWICE = entry(
    "column-twice.aliases",
    "{path}: row {row:d}: {names} are names of one column ([columns]), of which a file has one;"
    " take the others out of the file, or out of the job's list if they are something else",
    means="A file has several of the names that the job gives to one column.",
    example='column = ["Order No", "Order Number"] and a file that has both',
    remedy="Keep one of the columns, or take the name that is another column out of the list.",
)
HEADER_ELSEWHERE = entry(
    "column-missing.elsewhere",
    "{path}: row {row:d} is no header of orders: it is {found}; row {at:d} holds all of the columns"
    " that the job reads: say {change} in [input]",
    means="The columns that the job reads are there, in another row or between other characters.",
    example="a sheet with a title above its header",
    remedy="Say in [input] what the message says.",
)
HEADER_NEARLY = entry(
    "column-missing.nearly",
    "{path}: row {row:d} is no header of orders: it is {found}; row {at:d} is nearly one: say"
    " {change} in [input]; there {absent}: correct [columns] in the job, or the header",
    means="Most of the columns that the job reads are there, in another row or between other"
    " characters.",
    example="a sheet with a title above a header with one name in other words",
    remedy="Say in [input] what the message says, then correct the names that are left.",
)
HEADER_IN_TWO_ROWS = entry(
    "column-missing.two-rows",
    "{path}: rows {row:d} and {below:d} hold the names of columns together: write all of them into"
    " row {below:d}, without merged cells, and say {change} in [input]",
    means="Some names of columns stand in one row, the others in the next, as below merged cells.",
    example="a sheet with Money above Amount and Currency, and Order No beside it over both rows",
    remedy="Write all names into the lower of the two rows, and say in [input] which that is.",
)
SEP_LINE = entry(
    "column-missing.sep",
    "{path}: line 1 is '{line}', by which a program tells Excel what stands between the cells; the"
    " header is in row {at:d}: say {change} in [input]",
    means="Some programs write a line for Excel above the header. It is no header.",
    example="a file that begins with sep=;",
    remedy="Say in [input] what the message says.",
)
COLUMN_MISSING = entry(
    "column-missing",
    "{path}: row {row:d}: {absent}; found {found}. Correct [columns] in the job, or the header",
    means="The job reads a column that the file does not have.",
    example="a header with Amount where the job says amount",
    remedy=_HEADER,
)
NO_COLUMN_FOUND = entry(
    "column-missing.all",
    "{path}: row {row:d} is no header of orders: {absent}; found {found}. Where the header is in"
    " another row, below a title, say header_row = 3, or which it is, in [input]; else correct"
    " [columns] in the job, or the header",
    means="None of the columns that the job reads stands in the row where the header is expected.",
    example="a sheet with a title above its header",
    remedy="Say in [input] header_row in which row the header is, or correct the names.",
)
MARK_MISREAD = entry(
    "column-missing.mark",
    "{path}: row {row:d}: '{cell}' begins with the mark of UTF-8, read as another encoding: say"
    ' encoding = "utf-8" in [input]; where a program made a sheet of the text, open the text there'
    " anew, as UTF-8",
    means="A UTF-8 text was read as Windows or Macintosh text, by the job or by a spreadsheet.",
    example="a rejects.csv that a program opened without being told its encoding, saved as .xlsx",
    remedy='Say encoding = "utf-8" in the job, or open the text as UTF-8 and save it again.',
)
MISREAD = entry(
    "column-missing.misread",
    "{path}: row {row:d}: '{cell}' is '{name}', written in {written} and read as another encoding"
    " by the program that made this file: open the text there anew, as {written}, save it as an"
    " Excel workbook (.xlsx), and send that",
    means="A program opened a text without being told its encoding, and saved what it saw.",
    example="a header of ๆณจๆ–‡็•ชๅท or è±¡ in place of Japanese or Thai names",
    remedy="In Excel: Data, From Text/CSV, and choose the encoding; or send the text itself.",
)
SPACED = entry(
    "column-missing.spaced",
    "{path}: row {row:d}: a blank stands before each name but the first, and would before each"
    " cell: have it exported without blanks, or replace ', ' by ',' in a text editor",
    means="Between the cells stand a delimiter and a blank.",
    example="order_id, amount, currency",
    remedy="Have the file exported with nothing but the delimiter between its cells.",
)
SINGLE_QUOTES = entry(
    "column-missing.single-quotes",
    "{path}: row {row:d}: its cells stand in single quotes: have it exported with double quotes, or"
    " replace ' by \" in a text editor",
    means="A program wrote ' around each cell, where CSV has \".",
    example="'order_id','amount','currency'",
    remedy="Have the file exported with double quotes around its cells, or with none.",
)
CELLS_IN_SINGLE_QUOTES = entry(
    "single-quotes",
    "{path}: row {row:d}: all its cells stand in single quotes: have it exported with double"
    " quotes, or replace ' by \" in a text editor",
    means="The same below a header without quotes: each cell would be read with them.",
    example="'A1','100.00','THB' below a header of order_id,amount,currency",
    remedy="Have the file exported with double quotes around its cells, or with none.",
)
DRAWN_QUOTES = entry(
    "column-missing.drawn-quotes",
    "{path}: row {row:d}: its cells stand in curly quotes: have it exported with straight ones, or"
    ' replace “ and ” by " in a text editor',
    means="A program, or a word processor, drew quotes around the cells as a printer does.",
    example="“order_id”,“amount”,“currency”",
    remedy='Have the file exported with plain quotes (") around its cells, or with none.',
)
LINES_IN_QUOTES = entry(
    "column-missing.lines-in-quotes",
    "{path}: row {row:d}: each line stands in quotes as a whole, so that it is one cell: have it"
    ' exported without; or, in a text editor, take the first and the last " off each line, then'
    ' replace "" by "',
    means="A CSV was packed into the cells of another one, a line each.",
    example='"order_id,amount,currency"',
    remedy="Have the file exported again, without a second pair of quotes.",
)
FIXED_WIDTH = entry(
    "column-missing.fixed-width",
    "{path}: row {row:d}: only blanks keep its columns apart, as in a printed list: open it in a"
    " spreadsheet program as columns of fixed width, save it as an Excel workbook (.xlsx), and send"
    " that",
    means="The file is a list of columns of fixed width, not a CSV.",
    example="order_id    amount    currency",
    remedy="Have it exported as CSV, or make a workbook of it.",
)
ABSENT = entry(
    "absent",
    "no column '{name}'",
    means="A column that the job reads and the file does not have.",
    example="no column 'amount'",
    remedy=_HEADER,
)
ABSENT_ALIKE = entry(
    "absent.alike",
    "no column '{name}' (it has '{near}'; the difference: {differs})",
    means="The same, and a column that looks alike.",
    example="no column 'amount' (it has 'Amount'; the difference: capital and small letters)",
    remedy=_HEADER,
)
ABSENT_NEAR = entry(
    "absent.near",
    "no column '{name}' (did you mean '{near}'?)",
    means="The same, and a column with nearly that name.",
    example="no column 'amount' (did you mean 'Amount'?)",
    remedy=_HEADER,
)
_UNLIKE = "Two texts look alike and are not the same."


def _differs(code: str, text: str, example: str) -> Entry:
    return entry(
        f"differs.{code}",
        text,
        means=_UNLIKE,
        example=example,
        remedy="Copy the one over the other.",
    )


DIFFERS_UNSEEN = _differs(
    "unseen", "a character that leaves no mark", "a zero width space in a name"
)
DIFFERS_VOWEL = _differs(
    "vowel", "the vowel ำ as two characters or as one", "U+0E4D U+0E32 beside U+0E33"
)
DIFFERS_COMPOSED = _differs(
    "composed",
    "a letter and its mark as two characters or as one",
    "カ and ゛ beside ガ",
)
DIFFERS_BLANK_KIND = _differs(
    "blank-kind", "another kind of blank", "a no-break space beside a space"
)
DIFFERS_ENDS = _differs(
    "ends", "a blank at its beginning or end", "'Silom Silk ' with a blank"
)
DIFFERS_WIDTH = _differs(
    "width", "wide letters beside narrow ones", "ｼﾛﾑ beside シロム"
)
DIFFERS_DIGITS = _differs("digits", "the digits of another script", "๑๗ beside 17")
DIFFERS_BREAK = _differs(
    "break", "a line break in place of a blank", "a name on two lines of its cell"
)
DIFFERS_BROKEN = _differs(
    "broken",
    "a line break inside it",
    "a name that goes on in the next line of its cell",
)
DIFFERS_BLANKS = _differs(
    "blanks", "another number of blanks", "two blanks between words"
)
DIFFERS_CASE = _differs("case", "capital and small letters", "SILOM beside Silom")
DIFFERS_ZEROS = _differs(
    "zeros", "zeros in front, which spreadsheets take off numbers", "001 beside 1"
)
DIFFERS_OTHERWISE = _differs("otherwise", "a character of the same look", "− beside -")
COLUMN_TYPE = entry(
    "column-type",
    "{path}: column '{column}' is of type {type}; a field needs text, a number, a date or"
    " true/false: write that column as text",
    means="A column of a Parquet file holds something that is no cell, such as a list.",
    example="a .parquet file with a list of tokens a row",
    remedy="Write that column as text.",
)
