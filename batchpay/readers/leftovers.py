"""What programs leave beside files of orders, and what is no input: marks of open workbooks, of
finished folders, of Finder and Explorer.

>>> is_no_input("~$orders.xlsx"), is_no_input("_SUCCESS"), is_no_input("orders.xlsx")
(True, True, False)
>>> owned_by("~$orders.xlsx"), owned_by(".~lock.orders.csv#")
('orders.xlsx', 'orders.csv')
"""

from __future__ import annotations

import re
from pathlib import Path

_OWNER = re.compile(r"~\$(.+)|\.~lock\.(.+)#")
_NO_INPUT = re.compile(
    r"\._.*|_SUCCESS|_(committed|started)_.*|_metadata|_common_metadata|\.?_?.*\.crc"
    r"|\.DS_Store|Thumbs\.db|desktop\.ini|.*\.(part|crdownload|filepart)",
    re.IGNORECASE,
)
FOLDERS = frozenset({"__MACOSX", "_temporary", "_delta_log"})
_LONGEST = 4096  # bytes of an owner file that are read
# where the name in UTF-16 stands in an owner file of Excel, behind its length
_NAME_AT = 57


def is_no_input(name: str) -> bool:
    """Is a file of this name none that holds orders?"""
    return bool(_NO_INPUT.fullmatch(name) or _OWNER.fullmatch(name))


def owned_by(name: str) -> str:
    """The workbook of which an owner file tells that it is open; empty for any other name."""
    found = _OWNER.fullmatch(name)
    if found:
        return str(found[1] or found[2])
    return ""


def who_has_open(path: Path) -> str:
    """Who has a file open, by the marks of Excel and LibreOffice beside it; empty when nobody
    says so.
    """
    # Excel leaves two letters of a long name away in its mark
    for name in (f"~${path.name}", f"~${path.name[2:]}"):
        if mark := _read(path.with_name(name)):
            return _excel_name(mark) or "somebody"
    if mark := _read(path.with_name(f".~lock.{path.name}#")):
        # LibreOffice: its user's name, the system's user, the host, a date, a profile
        return mark.decode("utf-8", "replace").split(",")[0].strip() or "somebody"
    return ""


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except OSError:
        return b""


def _excel_name(mark: bytes) -> str:
    length = int.from_bytes(mark[_NAME_AT - 2 : _NAME_AT], "little")
    name = mark[_NAME_AT : _NAME_AT + 2 * length]
    if 0 < length < _NAME_AT and len(name) == 2 * length:
        return name.decode("utf-16-le", "replace").strip()
    return mark[1 : 1 + mark[0]].decode("ascii", "replace").strip()
