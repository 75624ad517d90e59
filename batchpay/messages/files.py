"""FILES: why an input file cannot be read at all."""

from __future__ import annotations

from batchpay.messages.message import entry

_ANEW = "Have the file written anew, and send it again."
_SPLIT = "Split the file, and send the parts one by one."
NO_FILE = entry(
    "file-missing",
    "{path}: there is no such file",
    means="The input that the job or --input names is not there.",
    example="[input] file names a file that the export has not written yet",
    remedy="Put the file where the job says.",
)
NO_FILE_BUT = entry(
    "file-missing.near",
    "{path}: there is no such file; beside it is '{near}': if that is meant, name it",
    means="The input that --input names is not there, and one of a like name is.",
    example="--input inbox/ordres.csv beside inbox/orders.csv",
    remedy="Name the file as it is written.",
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
ONLY_OWN = entry(
    "file-missing.own",
    "{path}: only {names} is there, of which the job is made, or which it wrote, and no orders; put"
    " the orders there, or say optional = true in [input]",
    means="What fits the pattern is a lookup file, the schema or reports of the job, and no"
    " orders.",
    example='[input] file = "*.csv" and nothing but recipients.csv, the lookup file',
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
