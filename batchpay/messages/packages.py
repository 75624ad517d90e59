"""PACKAGES: what keeps the zip inside an .xlsx from being opened."""

from __future__ import annotations

from batchpay.messages.message import entry

_ANEW = "open it in a spreadsheet program, save it as a new Excel workbook (.xlsx), and send that"
_REMEDY = (
    "Open it in a spreadsheet program and save it as .xlsx. Where that fails, or the orders come"
    " from a program, have them exported again, as .xlsx or .csv."
)
_SAFE = "No spreadsheet program writes that; programs that mean ill do."
NO_WORKBOOK = entry(
    "workbook",
    f"{{path}}: its parts name no workbook among them: {_ANEW}",
    means="An .xlsx is a zip of parts, of which one is the workbook. This one has none.",
    example="a zip of other parts with the name orders.xlsx",
    remedy=_REMEDY,
)
PART_MISSING = entry(
    "workbook.part",
    "{path}: its part {part} is missing: it was cut, or written wrongly; open it in a spreadsheet"
    " program, see that all orders are there, save it as .xlsx, or have it exported again",
    means="A workbook names a part, a sheet say, that is not in it.",
    example="an .xlsx without xl/worksheets/sheet1.xml",
    remedy=_REMEDY,
)
ODD_PARTS = entry(
    "workbook.names",
    f"{{path}}: is large, and calls its parts otherwise than spreadsheet programs do: {_ANEW}",
    means="Parts of a workbook may have any names; those of a large one must have the usual ones.",
    example="an .xlsx of 100 MB with backslashes in the names of its parts",
    remedy=_REMEDY,
)
TOO_MANY_PARTS = entry(
    "workbook.parts",
    f"{{path}}: holds thousands of parts, or two of one name: {_ANEW}",
    means=_SAFE,
    example="an .xlsx with two parts called xl/workbook.xml",
    remedy=_REMEDY,
)
UNPACKS_TO_TOO_MUCH = entry(
    "workbook.size",
    "{path}: unpacks to {size:d} bytes, at most {limit:d}: split it, or send it as CSV",
    means="The workbook is larger than anything that is read at once.",
    example="an .xlsx with three million rows and pictures",
    remedy="Split it into several files, or save the sheet as CSV.",
)
ENCRYPTED_PART = entry(
    "workbook.encrypted",
    "{path}: is a zip with a password, which nobody gives to batchpay: save it without one",
    means="A part of the workbook is encrypted.",
    example="an .xlsx that was packed again with a password",
    remedy="Open it in a spreadsheet program, and save it as .xlsx without a password.",
)
PART_OUTSIDE = entry(
    "workbook.outside",
    f"{{path}}: holds a part with a path out of the workbook: {_ANEW}",
    means=_SAFE,
    example="an .xlsx with a part called ../orders.xml",
    remedy=_REMEDY,
)
TOO_ALIKE_PART = entry(
    "workbook.bomb",
    "{path}: a part unpacks to more than {times:d} times its size and looks like a zip bomb: if it"
    " really is the same over and over, save the sheet as CSV",
    means="So little packed as so much is hardly a sheet of orders, and may fill up the machine.",
    example="an .xlsx with a gigabyte of blanks in it",
    remedy="Have the orders exported again, or save the sheet as CSV.",
)
DECLARATION = entry(
    "workbook.declaration",
    f"{{path}}: declares a document type or entities: {_ANEW}",
    means=_SAFE,
    example="an .xlsx with <!DOCTYPE in a sheet",
    remedy=_REMEDY,
)
NOT_UTF8 = entry(
    "workbook.encoding",
    f"{{path}}: holds XML that is not UTF-8: {_ANEW}",
    means="Parts of a workbook are read in UTF-8 only, which every spreadsheet program writes.",
    example="an .xlsx whose sheet is UTF-16",
    remedy=_REMEDY,
)
