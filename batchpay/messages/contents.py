"""CONTENTS: what a file is by its content, whatever its name says."""

from __future__ import annotations

from batchpay.messages.message import Entry, entry

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


def _kind(
    code: str, text: str, remedy: str = "Do what the sentence around it says."
) -> Entry:
    return entry(f"kind.{code}", text, means=_KIND, example=text, remedy=remedy)


KIND_XLS = _kind("xls", "an old workbook (.xls, of Excel before 2007)")
KIND_OFFICE = _kind(
    "office", "an old Office file, such as an .xls, or one with a password"
)
KIND_XLSB = _kind("xlsb", "a binary workbook (.xlsb)")
KIND_ODS = _kind("ods", "an OpenDocument spreadsheet (.ods)")
KIND_NUMBERS = _kind("numbers", "a document of Apple Numbers")
KIND_PAGE = _kind("page", "a web page (HTML)")
KIND_XML = _kind("xml", "an XML file, such as Excel 2003 wrote")
KIND_SYLK = _kind("sylk", "a SYLK file (.slk)")
KIND_DIF = _kind("dif", "a DIF file")
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
