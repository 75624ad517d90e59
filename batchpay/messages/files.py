"""FILES: why an input file cannot be read, and what is told of one that can."""

from __future__ import annotations

from batchpay.messages.message import Entry, entry

_ANEW = "Have the file written anew, and send it again."
_SPLIT = "Split the file, and send the parts one by one."

# --- the file itself

NO_FILE = entry(
    "file-missing",
    "{path}: there is no such file",
    means="The input that the job or --input names is not there.",
    example="[input] file names a file that the export has not written yet",
    remedy="Put the file where the job says.",
)
NONE_FITS = entry(
    "file-missing.pattern",
    "{path}: there is no such file; put it there, or say optional = true in [input]",
    means="No file is there that [input] file names, or fits its pattern.",
    example='[input] file = "orders-*.csv" and no such file',
    remedy="Put the file there; where a night without one is well, say optional = true.",
)
ONLY_NO_INPUT = entry(
    "file-missing.no-input",
    "{path}: only {names} is there, which a program left and which is no input; put the file there,"
    " or say optional = true in [input]",
    means="What fits the pattern is nothing that holds orders: marks of open or finished files.",
    example='[input] file = "*.xlsx" and nothing but ~$orders.xlsx',
    remedy="Put the file there; where a night without one is well, say optional = true.",
)
IS_FOLDER = entry(
    "file-folder",
    "{path}: is a folder, [input] file must name files; it holds {files} {suffix} files: say file ="
    ' "{glob}" in [input]',
    one="{path}: is a folder, [input] file must name files; it holds {files} {suffix} file: say"
    ' file = "{glob}" in [input]',
    count="files",
    means="The job names a folder, as programs make of a Parquet file in parts.",
    example='[input] file = "orders.parquet" and orders.parquet/part-00000.parquet',
    remedy="Say in [input] file which files of the folder are meant.",
)
NOT_REGULAR = entry(
    "file-folder.other",
    "{path}: is {kind}; [input] file must name regular files",
    means="The job names what no file is, or a folder without a file of a known kind.",
    example="a named pipe",
    remedy="Name a file.",
)
OPEN_ELSEWHERE = entry(
    "note.open",
    "{name} has it open in a spreadsheet program: what is saved after this is another file",
    means="The mark that a spreadsheet program leaves beside an open workbook is there.",
    example="~$orders.xlsx beside orders.xlsx",
    remedy="Ask whether the workbook is finished; close it.",
)
NOT_OPENED = entry(
    "file-unreadable",
    "{path}: cannot be opened: {wrong}",
    means="The system does not let this user read the file.",
    example="a file with the rights 000",
    remedy="Give the user that runs the job the right to read it.",
)
READ_FAILED = entry(
    "file-unreadable.disk",
    "reading the input failed: {wrong}",
    means="The disk failed while the file was read.",
    example="an unplugged disk",
    remedy="Check the disk, then run again.",
)
TOTALS_UNREAD = entry(
    "file-unreadable.totals",
    "{path}: cannot read the control totals: {wrong}; correct that, or move it away",
    means="A file of totals stands beside the input, and cannot be read.",
    example="a folder that is called orders.csv.totals.json",
    remedy="Correct that, or move it away.",
)
NAME_NOT_TEXT = entry(
    "file-name",
    "{path}: the name of this file is not UTF-8: give it another name",
    means="A file's name is no text, so that no report could name the file.",
    example="a file from an old system, named in Latin-1",
    remedy="Give it another name.",
)
UNKNOWN_KIND = entry(
    "file-kind",
    "{path}: of no known kind by its name and its content; expected a name that ends in {known}",
    means="The end of a file's name says what kind of file it is, and says none that is read.",
    example="orders.dat with the bytes of a program",
    remedy="Save it as one of these kinds.",
)
EMPTY_FILE = entry(
    "file-empty",
    "{path}: is empty (0 bytes); expected a header and rows",
    means="The file has nothing in it.",
    example="an export that ran into a full disk",
    remedy="Have the file written again; where a night without orders is well, without a file.",
)
TOO_LARGE = entry(
    "file-too-large",
    "{path}: {size:d} bytes; at most {limit:d} are read: split the file",
    means="The file is larger than any that is read.",
    example="a file of 20 GB",
    remedy=_SPLIT,
)
UNPACKS_TOO_LARGE = entry(
    "file-too-large.unpacked",
    "{path}: unpacks to more than {limit:d} bytes: split the file",
    means="A packed file holds more than any that is read.",
    example="a .csv.gz of endless zeros",
    remedy=_SPLIT,
)
TOO_MUCH_TEXT = entry(
    "file-too-large.text",
    "{path}: unpacks to more than {limit:d} bytes of text: split the file",
    means="A Parquet file holds more text than any that is read.",
    example="a .parquet file with a text of a megabyte in every row",
    remedy=_SPLIT,
)
TOO_ALIKE = entry(
    "file-too-large.alike",
    "{path}: unpacks to more than {times:d} times its size: the same over and over is no file of"
    " orders",
    means="A file holds so much of the same that it can only be meant to do harm, or is a mistake.",
    example="a .parquet file with one text a million times",
    remedy=_ANEW,
)
DAMAGED = entry(
    "file-damaged",
    "{path}: is cut or damaged ({wrong}); send it again",
    means="The file breaks off, or its bytes are not those of its kind.",
    example="a .csv.gz of which the last megabyte is missing",
    remedy="Send it again, whole.",
)
OTHER_ROWS = entry(
    "file-damaged.rows",
    "{path}: its footer declares {declared} rows, it holds {found:d}",
    one="{path}: its footer declares {declared} row, it holds {found:d}",
    count="declared",
    means="A Parquet file contradicts itself.",
    example="a .parquet file that a broken program wrote",
    remedy=_ANEW,
)
NEEDS_MEMORY = entry(
    "file-memory",
    "{path}: needs more memory than {gib:d} GiB: split the file",
    means="The file could not be read with the memory that a parser gets.",
    example="an .xlsx file with a million rows of a hundred columns",
    remedy=_SPLIT,
)
NO_PROCESS = entry(
    "no-process",
    "{path}: no process can be started to read it: {wrong}",
    means="Binary files are read in a process of their own, and the system gives none.",
    example="a machine that is out of processes",
    remedy="Run the same command again later.",
)
# --- what it is by its content

_OTHER = "The file's name says one kind, its content is another."
SAVE_AS_XLSX = entry(
    "file-content.save-as",
    "{path}: is {kind}: open it in a spreadsheet program, save it as an Excel workbook (.xlsx), and"
    " send that",
    means=_OTHER,
    example="a web page with the name orders.xlsx, as many systems export it",
    remedy="Open it in a spreadsheet program, and save it as an Excel workbook (.xlsx).",
)
EXPORT_ORDERS = entry(
    "file-content.export",
    "{path}: is {kind}, which holds no table of orders that can be read: have the orders exported"
    " as .csv or .xlsx",
    means=_OTHER,
    example="a PDF with the name orders.csv",
    remedy="Ask for the orders as .csv or .xlsx.",
)
RENAME = entry(
    "file-content.rename",
    "{path}: is {kind}: give it the name {name}",
    means=_OTHER,
    example="a CSV file with the name orders.xlsx",
    remedy="Give it the name that fits, in [input] file too.",
)
RENAME_AND_SAY = entry(
    "file-content.rename-and-say",
    "{path}: is {kind}: give it the name {name}, and say {change} in [input]",
    means=_OTHER,
    example="a CSV file with semicolons and the name orders.xls",
    remedy="Give it the name that fits, and say what stands between its cells.",
)
UNPACK = entry(
    "file-content.packed",
    "{path}: is {kind}{names}: unpack it, and give the file inside to batchpay",
    means="The file is packed in a way that is not undone here.",
    example="a .zip with one .csv in it",
    remedy="Unpack it, and name the file inside in [input] file.",
)
LOCKED = entry(
    "file-content.office",
    "{path}: is a workbook with a password, which nobody gives to batchpay: open it, take the"
    " password off (in Excel: File, Info, Protect Workbook), and save it as .xlsx",
    means="The workbook can only be opened with its password.",
    example="an .xlsx with a password for opening",
    remedy="Open it in a spreadsheet program, and save it as .xlsx without a password.",
)
ENCRYPTED = entry(
    "file-content.encrypted",
    "{path}: is encrypted; batchpay has no key for it: write it unencrypted",
    means="A Parquet file is encrypted.",
    example="a .parquet file that begins with PARE",
    remedy="Write it unencrypted.",
)
CUT_ZIP = entry(
    "file-content.cut",
    "{path}: begins like a workbook and has no end: it was cut; send it again",
    means="A workbook breaks off, as when it was copied while it was written.",
    example="the first half of an .xlsx",
    remedy="Send it again, whole.",
)
IS_OTHER = entry(
    "file-content",
    "{path}: its name says {expected}, its content is none of the kinds that batchpay knows: have"
    " the orders exported again, as .csv or .xlsx",
    means=_OTHER,
    example="bytes of a program with the name orders.csv",
    remedy="Have the orders exported again.",
)
IS_OWNER_FILE = entry(
    "file-content.owner",
    "{path}: is not the workbook but the mark that a program leaves beside one that is open: say"
    " {name} in [input] file",
    means="While a workbook is open, a file whose name begins with ~$ or .~lock. lies beside it.",
    example='[input] file = "~$orders.xlsx"',
    remedy="Name the workbook itself.",
)
_KIND = "What a file is by its content."


def _kind(code: str, text: str, remedy: str = "Do what the sentence around it says.") -> Entry:
    return entry(f"kind.{code}", text, means=_KIND, example=text, remedy=remedy)


KIND_XLS = _kind("xls", "an old workbook (.xls, of Excel before 2007)")
KIND_OFFICE = _kind("office", "an old Office file, such as an .xls, or one with a password")
KIND_XLSB = _kind("xlsb", "a binary workbook (.xlsb)")
KIND_ODS = _kind("ods", "an OpenDocument spreadsheet (.ods)")
KIND_NUMBERS = _kind("numbers", "a document of Apple Numbers")
KIND_PAGE = _kind("page", "a web page (HTML)")
KIND_XML = _kind("xml", "an XML file, such as Excel 2003 wrote")
KIND_PDF = _kind("pdf", "a PDF")
KIND_DOCUMENT = _kind("document", "a document of a word processor")
KIND_PICTURE = _kind("picture", "a picture")
KIND_JSON = _kind("json", "JSON")
KIND_ARROW = _kind("arrow", "an Arrow file (Feather)")
KIND_DATABASE = _kind("database", "a database")
KIND_WORKBOOK = _kind("workbook", "an Excel workbook")
KIND_PARQUET = _kind("parquet", "a Parquet file")
KIND_GZIP = _kind("gzip", "a file packed with gzip")
KIND_ARCHIVE = _kind("archive", "a packed archive")
KIND_ZIP = _kind("zip", "a zip")
KIND_TEXT = entry(
    "kind.text",
    "a table of text, which begins '{line}'",
    means=_KIND,
    example="a table of text, which begins 'order_id;amount;currency'",
    remedy="Do what the sentence around it says.",
)

# --- its text

_ENCODING = "Say in [input] encoding how the file is written, or have it written in UTF-8."
UNKNOWN_ENCODING = entry(
    "encoding-unknown",
    "[input] encoding: {encoding} is no text encoding; utf-8, cp932, cp874 or utf-16, say",
    means="The job names an encoding that there is not.",
    example='[input] encoding = "klingon"',
    remedy="Write one of them.",
)
UNKNOWN_ENCODING_NEAR = entry(
    "encoding-unknown.near",
    "[input] encoding: {encoding} is no text encoding; did you mean {near}?",
    means="The same, and it is known what such a word is used for.",
    example='[input] encoding = "ansi"',
    remedy="Write one of those that the message names.",
)
NOT_ENCODED = entry(
    "encoding-wrong",
    "{path}: is not {encoding} ({wrong}); state the right [input] encoding",
    means="The file is not written as the job says.",
    example='a UTF-8 file in a job with encoding = "cp932"',
    remedy=_ENCODING,
)
NOT_ENCODED_AT = entry(
    "encoding-wrong.at",
    "{path}: line {line:d}, byte {byte:d}: {found} is not {encoding}, and no encoding that batchpay"
    " tries fits the file: have it written again as UTF-8, or say its true encoding in [input]",
    means="A byte of the file is no character in the encoding that the job says.",
    example="a file in UTF-8 into which a program pasted a line in another encoding",
    remedy="Have the file written in UTF-8.",
)
FITS = entry(
    "encoding-wrong.fits",
    "{path}: line {line:d}, byte {byte:d}: {found} is not {encoding}; in {fits} line {at:d} is"
    " '{text}': if that is right, say encoding = \"{fits}\" in [input]",
    means="A byte of the file is no character in the encoding that the job says, and all are in"
    " another one. What a line says in it is shown, because nothing is guessed.",
    example="a file in cp874 in a job that says nothing of it",
    remedy="Read the line that is shown; if it is right, say that encoding in [input].",
)
FITS_WHOLE = entry(
    "encoding-wrong.fits-whole",
    "{path}: is not {encoding} ({wrong}); in {fits} line {at:d} is '{text}': if that is right, say"
    ' encoding = "{fits}" in [input]',
    means="The file is not written as the job says, and could be written as the message says.",
    example='a UTF-8 file in a job with encoding = "utf-16"',
    remedy="Read the line that is shown; if it is right, say that encoding in [input].",
)
LOOKS_UTF_16 = entry(
    "encoding-wrong.looks-utf-16",
    '{path}: looks like UTF-16; if it is, say encoding = "utf-16-{end}" in [input]',
    means="Every other byte of the file is 0, as in UTF-16.",
    example="a Unicode text that a spreadsheet saved",
    remedy=_ENCODING,
)
MARKED_UTF_16 = entry(
    "encoding-wrong.utf-16",
    '{path}: starts with the mark of UTF-16, not UTF-8; say encoding = "utf-16" in [input]',
    means="The first bytes of the file say that it is UTF-16.",
    example="a Unicode text that a spreadsheet saved",
    remedy=_ENCODING,
)
HALF_CHARACTER = entry(
    "half-character",
    "{path}: holds half a character (a lone surrogate) near line {line:d}",
    means="A file in UTF-16 holds half of a character, which is no text.",
    example="a UTF-16 file that was cut in the middle of an emoji",
    remedy=_ANEW,
)
LONG_LINE = entry(
    "line-too-long",
    "{path}: has a line of more than {limit:d} bytes; is it a text file?",
    means="A line of the file is longer than any row of orders.",
    example="a picture with the name orders.csv",
    remedy="Look what the file is.",
)
NO_LINE_END = entry(
    "file-cut",
    "{path}: the last line, {line:d}, has no line end: the file may have been cut. Look at its end,"
    " '{end}': if that is whole, press Enter behind it and save; or put the sender's own count and"
    " total beside the file, as {name}.totals.json: where they agree it is read as it is",
    means="The last line does not end: nobody can tell whether more was to come.",
    example="a file that was copied while it was written",
    remedy="Send it again; if it is whole, end its last line, or declare its count and total.",
)
NO_LINE_END_HEADER = entry(
    "file-cut.header",
    "{path}: its header, line {line:d}, is the last line and has no line end: the file may have"
    " been cut; send it again; where a night without orders is well, end the line",
    means="The file breaks off in its header, or holds nothing else.",
    example="a file that was copied while it was written",
    remedy="Send it again; if it holds no orders, end its last line.",
)

# --- its header

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
    "{path}: a lone CR in the header: lines must end with LF or CRLF; save it anew as CSV",
    means="The lines of the file end as on an old Macintosh.",
    example="a CSV file of the kind Macintosh",
    remedy="Save it anew as CSV.",
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
    "{path}: row {row:d}, column {column:d}: {secret} in the header; is the header missing?",
    means="The header holds a token, a key or a card number, as a row of orders would.",
    example="a file that begins with its first order",
    remedy="Put the header above the rows.",
)
HEADER_CONTROL = entry(
    "header-control",
    "{path}: row {row:d}, column {column:d}: a control character in the header '{cell}'",
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
    "composed", "a letter and its mark as two characters or as one", "カ and ゛ beside ガ"
)
DIFFERS_BLANK_KIND = _differs(
    "blank-kind", "another kind of blank", "a no-break space beside a space"
)
DIFFERS_ENDS = _differs("ends", "a blank at its beginning or end", "'Silom Silk ' with a blank")
DIFFERS_WIDTH = _differs("width", "wide letters beside narrow ones", "ｼﾛﾑ beside シロム")
DIFFERS_BLANKS = _differs("blanks", "another number of blanks", "two blanks between words")
DIFFERS_CASE = _differs("case", "capital and small letters", "SILOM beside Silom")
DIFFERS_OTHERWISE = _differs("otherwise", "a character of the same look", "− beside -")
COLUMN_TYPE = entry(
    "column-type",
    "{path}: column '{column}' is of type {type}; a field needs text, a number, a date or"
    " true/false: write that column as text",
    means="A column of a Parquet file holds something that is no cell, such as a list.",
    example="a .parquet file with a list of tokens a row",
    remedy="Write that column as text.",
)

# --- its quotes

QUOTE_LOST = entry(
    "quote-open.text",
    "{path}: a quote opened at line {line:d} is not closed properly: text follows the next quote,"
    " at line {last:d}; close it, or write quotes inside a cell twice",
    means="A quote has swallowed lines that may be rows.",
    example='a cell like "12" pizza" over two lines',
    remedy="Close the quote, or write quotes inside a cell twice.",
)
QUOTE_OPEN = entry(
    "quote-open",
    "{path}: the quote opened at line {line:d} is never closed; close it, or write quotes inside a"
    " cell twice; if the file was cut, send it again",
    means="A quote opens and none closes it until the file ends.",
    example='a line like 1,"100.00,THB',
    remedy="Close it, or send the file again if it was cut.",
)

# --- its sheets

NO_SHEET = entry(
    "sheet-missing",
    "{path}: has no sheet '{sheet}'; it has {names}",
    means="The workbook does not have the sheet that the job names.",
    example='[input] sheet = "Orders" and a workbook with Sheet1',
    remedy="Correct [input] sheet, or the name of the sheet.",
)
NO_SHEET_NEAR = entry(
    "sheet-missing.near",
    "{path}: has no sheet '{sheet}' (did you mean '{near}'?); it has {names}",
    means="The same, and a sheet with nearly that name.",
    example='[input] sheet = "Orders" and a workbook with orders',
    remedy="Correct [input] sheet, or the name of the sheet.",
)
SHEET_ELSEWHERE = entry(
    "sheet-missing.elsewhere",
    "{path}: sheet '{sheet}' has none of the columns that the job reads; sheet '{other}' holds all"
    " of them, in row {at:d}: say {change} in [input]",
    means="The columns that the job reads are there, in another sheet.",
    example="a workbook whose first sheet is a cover",
    remedy="Say in [input] what the message says.",
)
NO_SHEET_HOLDS = entry(
    "sheet-missing.holds",
    "{path}: has no sheet '{sheet}'; it has {names}; '{other}' holds all columns that the job"
    " reads, in row {at:d}: say {change} in [input]",
    means="The sheet that the job names is not there, and another one holds what it reads.",
    example='[input] sheet = "Orders" and a workbook with Orders 2025',
    remedy="Say in [input] what the message says.",
)
SHEET_HOLDS = entry(
    "sheet-unclear.holds",
    "{path}: several visible sheets hold data; it has {names}; '{other}' holds all columns that the"
    " job reads, in row {at:d}: say {change} in [input]",
    means="Of several sheets, one holds the columns that the job reads.",
    example="a workbook with orders and a summary",
    remedy="Say in [input] what the message says.",
)
SIDE_BY_SIDE = entry(
    "column-twice.side-by-side",
    "{path}: sheet '{sheet}' holds tables side by side in row {row:d}, with the same columns: say"
    ' range = "{range}" in [input] for the first of them',
    means="A sheet holds two tables, kept apart by an empty column.",
    example="this month's orders beside last month's",
    remedy="Say in [input] which part of the sheet is meant.",
)
RANGE_NO_SHEET = entry(
    "range",
    "{path}: has no cells with addresses, so that [input] range says nothing of it: leave it out,"
    " and say in header_row where the header is",
    means="A range is a part of a sheet; a text or a Parquet file has none.",
    example='[input] range = "A4:H" and orders.csv',
    remedy="Take range out of the job, or send the workbook.",
)
SECOND_TABLE = entry(
    "second-table",
    "{path}: in row {row:d} another table begins, below a blank row ('{cell}'): send the tables in"
    " files of their own, or delete that header if its rows are orders too",
    means="A file holds two tables, and nothing says which rows are orders.",
    example="refunds below the orders, with a header of their own",
    remedy="Send the tables in files of their own.",
)
SECOND_TABLE_IN_SHEET = entry(
    "second-table.sheet",
    "{path}: sheet '{sheet}': in row {row:d} another table begins, below a blank row ('{cell}'):"
    ' say range = "{range}" in [input] for the first of them, or delete that header if its rows are'
    " orders too",
    means="A sheet holds two tables, and nothing says which rows are orders.",
    example="refunds below the orders, with a header of their own",
    remedy="Say in [input] which part of the sheet is meant.",
)
NO_DATA = entry(
    "sheet-unclear.none",
    '{path}: no visible sheet holds data; say sheet = "…" in [input]; it has {names}',
    means="Every sheet that is not hidden is empty.",
    example="a workbook whose orders are on a hidden sheet",
    remedy="Name the sheet in [input] sheet.",
)
SEVERAL_SHEETS = entry(
    "sheet-unclear",
    '{path}: {sheets:d} visible sheets hold data; say sheet = "…" in [input]; it has {names}',
    means="Several sheets could be the one with the orders.",
    example="a workbook with orders and a summary",
    remedy="Name the sheet in [input] sheet.",
)
CELL_TWICE = entry(
    "sheet-contradicts",
    "{path}: sheet '{sheet}' holds {what}: what stands there cannot be told; open it in a"
    " spreadsheet program, look, and save it",
    means="A sheet that a program wrote has one cell or row twice.",
    example="an .xlsx with the cell A2 twice",
    remedy="Open it in a spreadsheet program, look, and save it.",
)
TOO_MANY_ERRORS = entry(
    "sheet-errors",
    "{path}: sheet '{sheet}' holds too many errors or formulas without a value; open it in a"
    " spreadsheet program, let it calculate, and save it",
    means="Most cells of the sheet have no value.",
    example="a sheet of formulas that no spreadsheet program has ever opened",
    remedy="Open it in a spreadsheet program, let it calculate, and save it.",
)

# --- what is told of a file that is read

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
    remedy="Delete the row if it is no order.",
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
MERGED_CELLS = entry(
    "note.merged",
    "{ranges:d} merged ranges: only the first cell of each has a value: {named}",
    means="Cells of the sheet are merged; the others of a range are empty.",
    example="a shop's name merged over all its orders",
    remedy="Unmerge the cells, and fill each of them in.",
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

# --- what the gateway would not take of it

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
