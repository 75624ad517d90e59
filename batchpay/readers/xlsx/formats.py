"""Number formats that show a whole number with zeros in front: what a person sees is the id, not
the number behind it.

>>> Zeros.of("0000000").shown(1), Zeros.of('"INV-"00000').shown(42), Zeros.of("00-00").shown(5551)
('0000001', 'INV-00042', '55-51')
>>> Zeros.of("0"), Zeros.of("0.00"), Zeros.of("#,##0"), Zeros.of("yyyy-mm-dd"), Zeros.of("00%")
(None, None, None, None, None)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from batchpay.domain.annotations import calls_off, scale_beside
from batchpay.domain.figures import SIGNS
from batchpay.readers.xlsx.package import Package

_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|_.|\*.|\[(?:\$[^\]]*|[A-Za-z]+[0-9]*)\]|([0#])|([-$+():!^&\'~{}<> ])|(;)|(.)',
    re.DOTALL,
)
_FEWEST = 2  # zeros: one alone says only that nothing is shown as 0


@dataclass(frozen=True, slots=True)
class Zeros:
    """A format of digits and literals: `0` always shows a digit, `#` only where there is one."""

    parts: tuple[str, ...]  # "0", "#", or a literal after a NUL
    only_positive: bool  # zero has a section of its own

    @classmethod
    def of(cls, code: str) -> Zeros | None:
        """The format that a code describes; None when it does anything else."""
        parts: list[str] = []
        sections = 0
        for quoted, escaped, digit, plain, end, other in _TOKEN.findall(code):
            sections += bool(end)
            if sections:
                continue
            if other:
                return None
            if digit or quoted or escaped or plain:
                parts.append(digit or f"\0{quoted or escaped or plain}")
        if parts.count("0") >= _FEWEST:
            return cls(tuple(parts), sections > 1)
        return None

    def shown(self, number: int) -> str:
        """A number as the sheet shows it; an empty text when another section of the format does
        that.
        """
        if number < 0 or (number == 0 and self.only_positive):
            return ""
        left = str(number)
        texts = []
        places = sum(not part.startswith("\0") for part in self.parts)
        for part in reversed(self.parts):
            if part.startswith("\0"):
                texts.append(part[1:])
                continue
            places -= 1
            if places == 0:
                digits = left
            else:
                digits = left[-1:]
            left = left[: len(left) - len(digits)]
            if not digits and part == "0":
                digits = "0"
            texts.append(digits)
        return "".join(reversed(texts)).strip()


@dataclass(frozen=True, slots=True)
class Unlike:
    """A format that shows a number as no id is written, with an exponent, as a fraction or as a
    percentage, or as another id than the number is: with words beside it.

    >>> Unlike.of("0.00E+00").kind, Unlike.of("# ?/?").kind
    ('exponent', 'fraction')
    >>> Unlike.of("0.00"), Unlike.of('"E-"0000')
    (None, None)
    >>> Unlike.of("0.0%").kind, Unlike.of('"No "0').kind, Unlike.of('0" %"')
    ('percent', 'labelled', None)
    >>> Unlike.of("[$฿-41E]#,##0;-0"), Unlike.of("-0"), Unlike.of('0"00"')
    (None, Unlike(kind='', rescales=True), Unlike(kind='labelled', rescales=True))
    """

    kind: str
    rescales: bool = False  # shows another amount than the number is (`rescales`)

    @classmethod
    def of(cls, code: str) -> Unlike | None:
        """The format that a code describes; None when it is none of these."""
        bare = re.sub(r'"[^"]*"|\\.', "", code)
        if re.search(r"[0#?][eE][+-]", bare):
            return cls("exponent")
        if re.search(r"[0#?] */ *[0-9#?]", bare):
            return cls("fraction")
        if "%" in bare:
            return cls("percent")
        kind = ""
        if Zeros.of(code) is None and _LABEL.search(code.partition(";")[0]):
            kind = "labelled"
        if kind or rescales(code):
            return cls(kind, rescales(code))
        return None

    @property
    def of_money(self) -> str:
        """What it is to an amount: words beside one are no fault."""
        if self.rescales:
            return "rescaled"
        if self.kind == "labelled":
            return ""
        return self.kind


# a letter or a digit that a format puts before or behind a number
_LABEL = re.compile(
    r'"[^"]*\w[^"]*"[^;]*(?:[0#?]|general)|(?:[0#?]|general)[^;]*"[^"]*\w[^"]*"',
    re.IGNORECASE,
)
_BUILT_IN = {
    "9": Unlike("percent"),
    "10": Unlike("percent"),
    "11": Unlike("exponent"),
    "48": Unlike("exponent"),
    "12": Unlike("fraction"),
    "13": Unlike("fraction"),
}


def struck_formats(package: Package) -> frozenset[int]:
    """The cell styles whose font is struck through."""
    root = package.styles()
    if root is None:
        return frozenset()
    struck: set[str] = set()
    found: set[int] = set()
    for element in root:
        kind = element.tag.rpartition("}")[2]
        if kind == "fonts":
            fonts = enumerate(element)
            struck.update(str(number) for number, font in fonts if _strikes(font))
        elif kind == "cellXfs":
            styles = enumerate(element)
            found.update(at for at, style in styles if style.get("fontId") in struck)
    return frozenset(found)


def _strikes(font: Element) -> bool:
    for element in font:
        if element.tag.rpartition("}")[2] == "strike":
            return element.get("val", "1") not in ("0", "false")
    return False


_SIGN = re.compile(r'\[\$([^\]-]+)[^\]]*\]|"([^"]*)"|\\(.)|([$\u00a3-\uffff])')


def sign_formats(package: Package) -> dict[int, str]:
    """Cell style -> the currency's sign that it shows beside a number, as `SIGNS` has it."""
    return _by_style(package, sign_of)


def word_formats(package: Package) -> dict[int, str]:
    """Cell style -> the words beside a number that make it thousands, or say that it is not to be
    paid.
    """
    return _by_style(package, word_of)


def _by_style(package: Package, told: Callable[[str], str]) -> dict[int, str]:
    """Cell style -> what its format's code tells, where it tells something."""
    root = package.styles()
    if root is None:
        return {}
    codes: dict[str, str] = {}
    found: dict[int, str] = {}
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind == "numFmt" and (text := told(element.get("formatCode", ""))):
            codes[element.get("numFmtId", "")] = text
        elif kind == "cellXfs":
            for number, style in enumerate(element):
                if shown := codes.get(style.get("numFmtId", "")):
                    found[number] = shown
    return found


def sign_of(code: str) -> str:
    """The sign in a format; empty where it has none that anybody knows.

    >>> sign_of('[$¥-411]#,##0'), sign_of('"฿"#,##0.00'), sign_of("$#,##0"), sign_of("0.00")
    ('¥', '฿', '$', '')
    """
    for pieces in _SIGN.findall(code):
        sign = "".join(pieces).strip().replace("￥", "¥")
        if sign in SIGNS:
            return sign
    return ""


_LITERAL = re.compile(r'"([^"]*)"')
_DIVIDED = re.compile(r"[0#?],+(?![0#?])")  # 1,500 is shown as 2, or 1.5
_PIECE = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]|(.)', re.DOTALL)
# a minus before or behind the number, brackets around it, or the signs of Japanese books: but for a
# dash that stands where the decimals would, 50.- or 50,-, or between an id and its letters
_NEGATIVE = re.compile(
    r"[▲△▼]|(?<![\w.,])[-−–—] *[0#?]|[0#?] ?[-−–—](?![\w0#?])|[(（][^()（）]*[0#?]"
)
_BESIDE = re.compile(r"9[0#?]|[0#?]9")  # a digit of the format's own
_OWN = str.maketrans("0123456789#?", "9999999999  ")


def rescales(code: str) -> bool:
    """Does a format show an amount as another one than the number is: of a thousandth, below zero,
    or with digits of its own beside it?

    >>> [rescales(one) for one in ("#,##0.00,", "(#,##0)", "-0.00", '"▲"0', '0"-"', '0"00"')]
    [True, True, True, True, True, True]
    >>> [rescales(one) for one in ("#,##0_);(#,##0)", '0,"K"', '0" (THB)"', "#,##0.-", "0;-0")]
    [False, False, False, False, False]
    """
    shown = code.partition(";")[0].replace("General", "0")
    literals = _LITERAL.findall(shown)
    if _DIVIDED.search(_LITERAL.sub("", shown)) and not any(
        map(scale_beside, literals)
    ):
        return True
    drawn = ""
    for quoted, escaped, plain in _PIECE.findall(shown):
        drawn += plain or (quoted or escaped).translate(_OWN)
    return bool(_NEGATIVE.search(drawn) or _BESIDE.search(drawn))


def word_of(code: str) -> str:
    """Such words in a format; empty where it has none, or divides the number by what they say.

    >>> word_of('#,##0.00" พันบาท"'), word_of('"ยกเลิก "#,##0.00'), word_of('0.0,"K"')
    ('พันบาท', 'ยกเลิก', '')
    """
    shown = code.partition(";")[0]
    for literal in _LITERAL.findall(shown):
        is_scale = scale_beside(literal) and not _DIVIDED.search(shown)
        if is_scale or calls_off(literal):
            return str(literal).strip()
    return ""


def zero_formats(package: Package) -> dict[int, Zeros | Unlike]:
    """Cell style -> how it shows numbers, for the styles of a workbook that add zeros or make an id
    unrecognisable.
    """
    root = package.styles()
    if root is None:
        return {}
    codes: dict[str, Zeros | Unlike] = dict(_BUILT_IN)
    found: dict[int, Zeros | Unlike] = {}
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        code = element.get("formatCode", "")
        if kind == "numFmt" and (shown := Unlike.of(code) or Zeros.of(code)):
            codes[element.get("numFmtId", "")] = shown
        elif kind == "cellXfs":
            for number, style in enumerate(element):
                if shown := codes.get(style.get("numFmtId", "")):
                    found[number] = shown
    return found
