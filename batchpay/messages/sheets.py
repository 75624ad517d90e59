"""SHEETS: which sheet or table of a file is meant, and what keeps it from being read."""

from __future__ import annotations

from batchpay.messages.message import entry

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
SHEET_NEARLY = entry(
    "sheet-unclear.nearly",
    "{path}: it has {names}, and none of them holds all columns that the job reads; row {at:d} of"
    " '{other}' is nearly their header: {absent}: correct [columns] in the job, or that header, and"
    " say {change} in [input]",
    means="Of several sheets, one holds most of the columns that the job reads.",
    example="a workbook with orders, where Amount is called Amont, and a summary",
    remedy="Correct the names that the message tells, and say in [input] which sheet is meant.",
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
    "{path}: in row {row:d} another table begins ('{cell}'): send the tables in"
    " files of their own, or delete that header if its rows are orders too",
    means="A file holds two tables, and nothing says which rows are orders.",
    example="refunds below the orders, with a header of their own",
    remedy="Send the tables in files of their own.",
)
SECOND_TABLE_IN_SHEET = entry(
    "second-table.sheet",
    "{path}: sheet '{sheet}': in row {row:d} another table begins ('{cell}'):"
    ' say range = "{range}" in [input] for the first of them, or delete that header if its rows are'
    " orders too",
    means="A sheet holds two tables, and nothing says which rows are orders.",
    example="refunds below the orders, with a header of their own",
    remedy="Say in [input] which part of the sheet is meant.",
)
HEADER_GOES_ON = entry(
    "second-table.header-goes-on",
    "{path}: row {row:d} goes on with the header, and the column '{column}' stands over several:"
    " {cells}. Write one row of names, each over its own column, and say in [columns] which of them"
    " is charged",
    means="The first row below the header holds names, of parts of the amount, say: which column is"
    " charged the job does not say.",
    example="Amount (THB) merged over three columns, and Goods, Shipping, Total below it",
    remedy="Write all names into one row and delete the other; then name the column that is charged"
    " in [columns].",
)
OTHER_HEADER = entry(
    "second-table.otherwise",
    "{path}: row {row:d} is another header, with '{cell}' where the first one has '{name}': the"
    " rows below it would be read by the wrong columns; send them in a file of their own, or put"
    " their cells below the names of the first header and delete that row",
    means="Two exports stand one below the other, and their columns are not in the same order.",
    example="Amount and Fee in one half of a file, Fee and Amount in the other",
    remedy="Send each of them in a file of its own.",
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
