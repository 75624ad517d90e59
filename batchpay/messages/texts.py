"""TEXTS: what is wrong with the text of a file: its encoding, its lines, its quotes."""

from __future__ import annotations

from batchpay.messages.message import entry

_ANEW = "Have the file written anew, and send it again."
_ENCODING = (
    "Say in [input] encoding how the file is written, or have it written in UTF-8."
)
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
QUOTE_LOST = entry(
    "quote-open.text",
    "{path}: a quote opened at line {line:d} is not closed properly: text follows the next quote,"
    " at line {last:d}; close it, or write quotes inside a cell twice",
    means="A quote has swallowed lines that may be rows.",
    example='a cell like "12" pizza" over two lines',
    remedy="Close the quote, or write quotes inside a cell twice.",
)
QUOTE_ROWS = entry(
    "quote-open.rows",
    "{path}: the quotes in lines {line:d} to {last:d} make one row of what looks like several: each"
    " of these lines has all cells of a row; write quotes inside a cell twice, or, if it really is"
    " one cell, take the line break out of it",
    means="A quote that opens in one row and one that closes in another have swallowed the rows"
    " between them.",
    example='a cell "5 ft pole in one row, and 6 ft pole" in the next',
    remedy="Write quotes inside a cell twice.",
)
QUOTE_OPEN = entry(
    "quote-open",
    "{path}: the quote opened at line {line:d} is never closed; close it, or write quotes inside a"
    " cell twice; if the file was cut, send it again",
    means="A quote opens and none closes it until the file ends.",
    example='a line like 1,"100.00,THB',
    remedy="Close it, or send the file again if it was cut.",
)
