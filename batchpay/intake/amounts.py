"""AMOUNTS: cells become whole smallest units of their currency, or are refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from batchpay.domain.figures import (
    ANY_SIGN,
    Figure,
    NumberForm,
    declared_by,
    form_of,
    without_zeros,
)
from batchpay.domain.model import Chunk, Problem
from batchpay.domain.money import (
    EXPONENTS,
    MAX_MINOR,
    NotMoney,
    major_text,
    plain_minors,
    to_minor,
)
from batchpay.domain.text import told
from batchpay.intake.refusals import NOWHERE, Cells, Refusals, Values, quoted
from batchpay.intake.sources import blamed_for, cells_of
from batchpay.intake.takenback import is_credit
from batchpay.intake.unquoted import unquoted
from batchpay.job.job import FromColumn, FromSum, FromValue, Source
from batchpay.messages import problems
from batchpay.messages.message import Message


@dataclass(frozen=True, slots=True)
class _Money:
    """How the cells of a column are amounts."""

    column: str  # to blame
    unit: Literal["major", "minor"]
    form: NumberForm | None = None
    is_part: bool = False  # of a sum: it may be 0 or less
    dates: Collection[int] = ()  # positions of cells that are dates


def amounts_of(
    chunk: Chunk,
    source: Source,
    currencies: Values,
    found: Refusals,
) -> Values:
    """Whole smallest units of every row's amount."""
    if isinstance(source, FromSum):
        return _sums(chunk, source, currencies, found)
    column = blamed_for(source, "amount")
    texts = cells_of(chunk, source, "amount", NOWHERE, found)
    texts = _without_untrue(texts, chunk, column, found)
    texts = _without_unquoted(texts, chunk, column, found)
    form = None
    unit: Literal["major", "minor"] = "major"
    if isinstance(source, FromColumn | FromValue) and source.unit:
        unit = source.unit
    if isinstance(source, FromColumn) and isinstance(source.form, NumberForm):
        form = source.form
    numbers = _numbers(chunk, column)
    rule = _Money(column, unit, form, dates=_dates(chunk, column))
    return _minors(texts, numbers, currencies, rule, found)


def _numbers(chunk: Chunk, column: str) -> Collection[int]:
    """Positions of cells that are numbers, of which a form says nothing."""
    kinds = chunk.typed.get(column, {})
    return {at for at, kind in kinds.items() if kind not in ("date", "boolean")}


def _dates(chunk: Chunk, column: str) -> Collection[int]:
    """Positions of cells that are dates, which a sheet makes of 1-5, or of any number by the format
    of its cell.
    """
    kinds = chunk.typed.get(column, {})
    return {at for at, kind in kinds.items() if kind == "date"}


def _without_untrue(texts: Cells, chunk: Chunk, column: str, found: Refusals) -> Cells:
    """A cell that the sheet shows as 5% holds 0.05, one that it shows as 50 may hold 50000, and
    neither is an amount.
    """
    kinds = chunk.typed.get(column, {})
    shown = {at: kind for at, kind in kinds.items() if kind in _UNTRUE and texts[at]}
    if not shown:
        return texts
    kept = list(texts)
    for at, kind in shown.items():
        said = _UNTRUE[kind]()
        found.refuse(at, "amount", Problem(column, quoted(kept[at]), said))
        kept[at] = ""
    return kept


def _without_unquoted(
    texts: Cells, chunk: Chunk, column: str, found: Refusals
) -> Cells:
    """45 may be all that is left of 45,200.00."""
    names = chunk.columns
    if column not in names[:-1]:
        return texts
    behind = chunk.texts(names[names.index(column) + 1])
    apart = unquoted(texts, behind)
    if not apart:
        return texts
    kept = list(texts)
    for at in apart:
        whole = f"{kept[at]},{behind[at]}"
        said = problems.UNQUOTED_AMOUNT(rest=behind[at], whole=whole)
        found.refuse(at, "amount", Problem(column, quoted(kept[at]), said))
        kept[at] = ""
    return kept


# how a sheet shows a number as another amount than it is
_UNTRUE = {
    "percent": problems.PERCENT_AMOUNT,
    "rescaled": problems.RESCALED_AMOUNT,
}


def _sums(
    chunk: Chunk,
    source: FromSum,
    currencies: Values,
    found: Refusals,
) -> Values:
    """The parts of each amount added, all of them or none."""
    cells = []
    minors = []
    for column in source.columns:
        part = FromColumn(column, source.unit)
        texts = cells_of(chunk, part, "amount", NOWHERE, found)
        texts = _without_untrue(texts, chunk, column, found)
        dates = _dates(chunk, column)
        rule = _Money(column, source.unit, source.form, is_part=True, dates=dates)
        cells.append(texts)
        minors.append(_minors(texts, _numbers(chunk, column), currencies, rule, found))
    totals: list[int | None] = []
    rows = zip(zip(*cells, strict=True), zip(*minors, strict=True), strict=True)
    for at, (texts_of_row, parts) in enumerate(rows):
        currency = currencies[at] if currencies else None
        total = None
        if any(texts_of_row) and "amount" not in found.unmapped.get(at, ()):
            total = _total(at, source, texts_of_row, parts, currency, found)
        totals.append(total)
    return totals


def _total(
    at: int,
    source: FromSum,
    texts: Sequence[str],
    parts: Sequence[str | int | None],
    currency: str | int | None,
    found: Refusals,
) -> int | None:
    """One row's amount from its parts; None where it has none, which is told."""
    for column, text in zip(source.columns, texts, strict=True):
        if not text and not source.default:
            found.refuse(at, "amount", Problem(column, "", problems.PART_EMPTY()))
    if "amount" in found.unmapped.get(at, ()):
        return None
    total = sum(int(part or 0) for part in parts)
    if 0 < total <= MAX_MINOR:
        return total
    shown = major_text(total, str(currency or ""))
    if total <= 0:
        said = problems.AMOUNT_NOT_POSITIVE()
    else:
        said = problems.AMOUNT_TOO_LARGE(most=MAX_MINOR)
    found.refuse(at, "amount", Problem(" + ".join(source.columns), shown, said))
    return None


def _minors(
    cells: Cells,
    numbers: Collection[int],
    currencies: Values,
    rule: _Money,
    found: Refusals,
) -> Values:
    """Whole smallest units. Plain columns are converted at once, other cells one by one."""
    texts = cells
    if rule.form is not None:
        texts = _plain_numbers(cells, numbers, currencies, rule, found)
    amounts = _at_once(texts, currencies, rule.unit)
    if None not in amounts and 0 not in amounts:
        return amounts
    common = _common_form(texts, amounts, numbers, currencies, rule)
    for at in [at for at, amount in enumerate(amounts) if not amount]:
        text = texts[at]
        if not text:
            continue
        currency = None
        if currencies:
            currency = currencies[at]
        try:
            amounts[at] = _one_amount(text, currency, rule)
        except NotMoney as error:
            said = error.said
            if at in rule.dates:
                said = problems.DATE_AMOUNT()
            elif rule.form is None and at not in numbers:
                said = _or_declared(text, said, currency, rule, common)
            found.refuse(at, "amount", Problem(rule.column, quoted(cells[at]), said))
            amounts[at] = None
        if amounts[at] is None:
            found.unmapped.setdefault(at, set()).add("amount")
    if rule.form is None and rule.unit == "major" and None in amounts:
        _refuse_unclear(texts, amounts, numbers, currencies, rule, found)
    return amounts


_POINT = form_of("1,234.56")
_COMMA = form_of("1.234,56")


def _refuse_unclear(
    texts: Cells,
    amounts: list[int | None],
    numbers: Collection[int],
    currencies: Values,
    rule: _Money,
    found: Refusals,
) -> None:
    """1,500 beside 99,50, where nothing is declared: whoever writes decimals behind a comma means
    1.50, and 1,500 would be charged.
    """
    may_have_decimals = [
        at
        for at, text in enumerate(texts)
        if text and at not in numbers and not _is_whole(currencies, at)
    ]
    odd = [texts[at] for at in may_have_decimals if amounts[at] is None]
    proof = next((text for text in odd if _has_comma_decimals(text)), None)
    if proof is None:
        return
    for at in may_have_decimals:
        otherwise = _COMMA.read(texts[at])
        if amounts[at] is None or otherwise is None or "," not in texts[at]:
            continue
        said = problems.TWO_WAYS(
            number=texts[at].replace(",", ""),
            other=otherwise.number,
            written=told(proof),
            form=_COMMA.example,
        )
        found.refuse(at, "amount", Problem(rule.column, quoted(texts[at]), said))
        amounts[at] = None


def _has_comma_decimals(text: str) -> bool:
    return _POINT.read(text) is None and _COMMA.read(text) is not None


def _is_whole(currencies: Values, at: int) -> bool:
    """Has the currency of a row no decimals?"""
    currency = currencies[at] if currencies else None
    return EXPONENTS.get(str(currency or "").upper()) == 0


def _plain_numbers(
    cells: Cells,
    numbers: Collection[int],
    currencies: Values,
    rule: _Money,
    found: Refusals,
) -> Cells:
    """What a form makes of the cells; empty where one does not fit, or says another currency."""
    assert rule.form is not None
    declared = Figure("", rule.form.sign)
    texts = list(cells)
    for at, cell in enumerate(cells):
        currency = currencies[at] if currencies else None
        is_number = at in numbers
        if not cell or (is_number and (not currency or declared.is_of(str(currency)))):
            continue
        figure = Figure(cell) if is_number else rule.form.read(cell)
        if at in rule.dates:
            said = problems.DATE_AMOUNT()
        elif figure is None:
            said = _of_other_form(cell, currency, rule)
        elif currency and not figure.is_of(str(currency)):
            said = problems.OTHER_SIGN(sign=figure.sign, currency=str(currency).upper())
        elif currency and not declared.is_of(str(currency)):
            said = problems.OTHER_DECLARED(
                sign=declared.sign, currency=str(currency).upper()
            )
        else:
            texts[at] = figure.number
            continue
        texts[at] = ""
        found.refuse(at, "amount", Problem(rule.column, quoted(cell), said))
    return texts


# A refusal that a declaration could lift -> the same with that declaration.
_DECLARE = {
    "number-format": problems.NUMBER_FORMAT_OR,
    "too-many-decimals": problems.TOO_MANY_DECIMALS_OR,
    "not-whole": problems.NOT_WHOLE_OR,
}


def _or_declared(
    text: str,
    said: Message,
    currency: str | int | None,
    rule: _Money,
    common: NumberForm | None,
) -> Message:
    """A refusal with the declaration under which the cell were an amount, where there is one; of a
    negative amount, which no declaration makes one, that it is negative, and of one with the sign
    of another currency that it is of another. `common`: the form that reads all such cells.
    """
    if said.rule not in _DECLARE:
        return said
    if not rule.is_part and is_credit(text):
        return problems.CREDIT()
    declared = declared_by(text, whole=rule.unit == "minor")
    if declared is None:
        return _of_no_currency(text, currency) or said
    if not rule.is_part and _is_negative(text, currency, rule):
        return problems.NEGATIVE()
    sign = form_of(declared[0]).sign
    if currency and not Figure("", sign).is_of(str(currency)):
        return problems.OTHER_SIGN(sign=sign, currency=str(currency).upper())
    figure = common.read(text) if common else None
    if common and figure:
        declared = (common.example, figure.number)
    for form, number in (declared, *without_zeros(*declared)):
        with suppress(NotMoney):
            _one_amount(number, currency, rule)
            return _DECLARE[said.rule](wrong=said, number=number, form=form)
    return said


_CODE_BESIDE = re.compile(r"([A-Z]{3}) ?[0-9.,]+|[0-9.,]+ ?([A-Z]{3})")


def _of_no_currency(text: str, currency: str | int | None) -> Message | None:
    """Of an amount with a code beside it that nobody takes: the number alone is another amount."""
    beside = _CODE_BESIDE.fullmatch(text)
    if beside is None or not currency:
        return None
    code = beside[1] or beside[2]
    return problems.OTHER_SIGN(sign=code, currency=str(currency).upper())


_TRIED = 1000  # refused cells by which a form is looked for
_NUMBER = re.compile(r"\d.*\d")


def _common_form(
    texts: Cells,
    amounts: Sequence[int | None],
    numbers: Collection[int],
    currencies: Values,
    rule: _Money,
) -> NumberForm | None:
    """The one form that reads all cells of a column which a declaration could make amounts; None
    where there is none, or where one is declared.
    """
    if rule.form is not None:
        return None
    odd: list[str] = []
    examples: list[str] = []
    for at, text in enumerate(texts):
        if not text or amounts[at] or at in numbers or len(odd) == _TRIED:
            continue
        declared = declared_by(text, whole=rule.unit == "minor")
        if declared is None or _POINT.read(text) is not None:
            continue
        if declared[1].startswith("-") and not rule.is_part:
            continue  # no form makes it an amount
        currency = currencies[at] if currencies else None
        sign = Figure("", form_of(declared[0]).sign)
        is_of_it = not currency or sign.is_of(str(currency))
        if is_of_it:
            odd.append(text)
            examples.append(declared[0])
    kinds = list(dict.fromkeys(examples))
    if len(kinds) < 2:
        return None
    cores = [found[0] for found in map(_NUMBER.search, kinds) if found]
    any_sign = [
        f"{before}{core}{after}"
        for before, after in ((ANY_SIGN, ""), ("", ANY_SIGN), (ANY_SIGN, ANY_SIGN))
        for core in cores
    ]
    forms = map(form_of, dict.fromkeys((*kinds, *any_sign)))
    return next((form for form in forms if all(map(form.read, odd))), None)


def _is_negative(text: str, currency: str | int | None, rule: _Money) -> bool:
    """Does a cell say in any form what is less than 0?"""
    declared = declared_by(text, whole=rule.unit == "minor")
    if declared is None or text[-1:] in ("-", "\u2212"):
        return False  # "¥4,000-" is no negative to whoever writes so
    try:
        _one_amount(declared[1], currency, replace(rule, is_part=False))
    except NotMoney as error:
        return error.said.code == problems.AMOUNT_NOT_POSITIVE.code
    return False


def _of_other_form(text: str, currency: str | int | None, rule: _Money) -> Message:
    """What is wrong with a cell that does not fit the declared form."""
    assert rule.form is not None
    example = rule.form.example
    if not rule.is_part and is_credit(text):
        return problems.CREDIT()
    if not _is_negative(text, currency, rule):
        declared = declared_by(text, whole=rule.unit == "minor")
        sign = form_of(declared[0]).sign if declared else ""
        if currency and not Figure("", sign).is_of(str(currency)):
            return problems.OTHER_SIGN(sign=sign, currency=str(currency).upper())
        return _of_no_currency(text, currency) or problems.OTHER_FORM(form=example)
    if rule.is_part:
        return problems.OTHER_MINUS(form=f"-{example}")
    return problems.NEGATIVE()


def _at_once(texts: Cells, currencies: Values, unit: str) -> list[int | None]:
    """What plainly is an amount, by the decimals its currency has; None for every other cell."""
    if unit == "minor":
        return plain_minors(texts, 0)
    kinds = set(currencies)
    decimals = {EXPONENTS[str(code).upper()] for code in kinds if code}
    if len(decimals) == 1:
        plain = plain_minors(texts, decimals.pop())
        if None not in kinds:
            return plain
        pairs = zip(plain, currencies, strict=True)
        return [amount if code else None for amount, code in pairs]
    amounts: list[int | None] = [None] * len(texts)
    for code in kinds - {None}:
        exponent = EXPONENTS[str(code).upper()]
        places = [at for at, currency in enumerate(currencies) if currency == code]
        some = plain_minors([texts[at] for at in places], exponent)
        for at, amount in zip(places, some, strict=True):
            amounts[at] = amount
    return amounts


def _one_amount(text: str, currency: str | int | None, rule: _Money) -> int | None:
    """One cell with all its errors; None when only the currency is to blame."""
    try:
        minor = to_minor(text, str(currency or "THB"), rule.unit)
    except NotMoney as error:
        if currency or error.said.rule == problems.NUMBER_FORMAT.code:
            raise
        return None
    if minor <= 0 and not rule.is_part:
        raise NotMoney(problems.AMOUNT_NOT_POSITIVE())
    if currency or rule.unit == "minor":
        return minor
    return None
