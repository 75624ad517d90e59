"""Numbers and dates by a declared example: what fits is read exactly, nothing else is."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchpay.domain.calendars import UnclearDate, date_form_of
from batchpay.domain.figures import ANY_SIGN, SIGNS, Unclear, declared_by, form_of
from batchpay.domain.money import EXPONENTS, to_minor


def written(minor: int, group: str, point: str, decimals: int = 2) -> str:
    """An amount in the smallest unit, written with these separators."""
    whole, rest = divmod(minor, 10**decimals)
    text = f"{whole:,}".replace(",", group)
    return f"{text}{point}{rest:0{decimals}d}" if decimals else text


SEPARATORS = [
    (",", "."),
    (".", ","),
    (" ", ","),
    ("'", "."),
    ("\u202f", ","),
    ("", ","),
]


@given(st.integers(0, 10**12), st.sampled_from(SEPARATORS))
def test_what_is_written_by_a_form_is_read_by_it(
    minor: int, separators: tuple[str, str]
) -> None:
    """To the last digit."""
    group, point = separators
    form = form_of(f"1{group}234{point}56")
    figure = form.read(written(minor, group, point))
    assert figure is not None and to_minor(figure.number, "THB") == minor


@given(st.integers(0, 10**12), st.sampled_from(["๐", "０", "٠"]))
def test_digits_of_the_declared_script_are_read(minor: int, zero: str) -> None:
    """And those of ASCII, but no mixture of both."""
    digits = {ord("0") + digit: chr(ord(zero) + digit) for digit in range(10)}
    form = form_of("1,234.56".translate(digits))
    text = written(minor, ",", ".")
    plain, other = form.read(text), form.read(text.translate(digits))
    assert plain is not None and plain == other
    assert to_minor(plain.number, "THB") == minor
    assert form.read(text[:-1] + text[-1].translate(digits)) is None


@pytest.mark.parametrize(
    ("form", "cell", "number"),
    [
        ("1.234,56", "1.234", "1234"),
        ("1,234.56", "1.234", "1.234"),
        ("1.234,56", "1234,5", "1234.5"),
        ("1.234", "1.234", "1234"),
        ("¥1,234", "¥1,234", "1234"),
        ("¥1,234", "￥1,234", "1234"),
        ("¥1,234", "\\1,234", "1234"),
        ("¥１，２３４", "￥５，０００", "5000"),
        ("1,234円", "1,234円", "1234"),
        ("฿1,234.56", "฿ 1,234.50", "1234.50"),
        ("฿1,234.56", "1,234.50", "1234.50"),
        ("฿๑,๒๓๔.๕๖", "฿๑๒.๕๐", "12.50"),
        ("1.234,56 €", "1.234,56\u00a0€", "1234.56"),
        ("THB 1,234.56", "thb 5", "5"),
        (f"{ANY_SIGN}1,234.56", "HK$5", "5"),
        ("(1,234.56)", "(5.00)", "-5.00"),
        (" $(1,234.56) ", " $(8.40)", "-8.40"),
        ("1,234.56-", "5.00-", "-5.00"),
        ("▲1,234", "△500", "-500"),
        ("1,234.56", "-5", "-5"),
        (" 1,234.56 ", " 5.00 ", "5.00"),
    ],
)
def test_a_cell_means_what_its_form_says(form: str, cell: str, number: str) -> None:
    """Also one that means something else under another form."""
    figure = form_of(form).read(cell)
    assert figure is not None and figure.number == number


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("1.234,56", "1,234.50"),
        ("1.234,56", "1.23"),
        ("1.234,56", "12.34,5"),
        ("1.234,56", "1.234.5"),
        ("1.234,56", ",50"),
        ("1.234,56", "1,"),
        ("1.234", "1,5"),
        ("1234.56", "1,234.56"),
        ("1,234.56", "12,34"),
        ("¥1,234", "$1,234"),
        ("¥1,234", "1,234¥"),
        ("¥1,234", "¥¥1,234"),
        ("(1,234.56)", "(5.00"),
        ("(1,234.56)", "5.00)"),
        ("(1,234.56)", "-(5.00)"),
        ("(1,234.56)", "((5.00))"),
        ("1,234.56", "(5.00)"),
        ("1,234.56", "5.00-"),
        ("1,234.56", " 5.00"),
        ("1,234.56", "+5"),
        ("1,234.56", "1e3"),
        ("1,234.56", "5²"),
        ("1,234.56", "５"),
        ("1,234.56", ""),
        ("1,234.56", "0" * 61),
        ("1 234,56", "1\u3000234,56"),
    ],
)
def test_what_does_not_fit_wholly_is_refused(form: str, cell: str) -> None:
    """Nothing is guessed."""
    assert form_of(form).read(cell) is None


@pytest.mark.parametrize(
    "example",
    [
        "",
        "abc",
        "1,23,45",
        "1.2.3",
        "1,234.56.7",
        "1x234",
        "about 5",
        "5 pieces",
        "1２",
        "½",
        "1,2345.6",
    ],
)
def test_an_example_that_says_nothing_is_refused(example: str) -> None:
    """With a sentence."""
    with pytest.raises(Unclear) as caught:
        form_of(example)
    assert str(caught.value)


def test_a_sign_is_held_against_the_currency() -> None:
    """One sign may be that of several."""
    yen = form_of("¥1,234").read("¥5")
    assert yen is not None
    assert [code for code in EXPONENTS if yen.is_of(code)] == ["CNY", "JPY"]
    assert all(meant <= EXPONENTS.keys() for meant in SIGNS.values())


@given(st.text(st.sampled_from("0123456789.,'  -−()¥฿€▲１２３๑๒THB円"), max_size=12))
def test_a_proposed_form_reads_the_cell_that_it_was_made_of(cell: str) -> None:
    """Doing what the message says leads to success."""
    for whole in (False, True):
        declared = declared_by(cell, whole=whole)
        if declared is not None:
            example, number = declared
            figure = form_of(example).read(cell)
            assert figure is not None and figure.number == number
            assert not (whole and form_of(example).point)


# --- dates


@given(st.dates(min_value=date(1926, 12, 25), max_value=date(2099, 12, 31)))
def test_every_day_is_read_in_each_calendar(day: date) -> None:
    """As the same ISO date."""
    iso = day.isoformat()
    buddhist = f"{day.day}/{day.month}/{day.year + 543}"
    assert date_form_of("31/12/2567").read(buddhist) == iso
    assert date_form_of("31/12/2567").read(f"{day.day}/{day.month}/{day.year}") is None
    assert (
        date_form_of("12/31/2024").read(f"{day.month:02}/{day.day:02}/{day.year}")
        == iso
    )
    assert date_form_of("2024-12-31").read(iso) == iso
    assert date_form_of("令和6年12月31日").read(_in_japanese(day)) == iso


def _in_japanese(day: date) -> str:
    """By the first days of the eras."""
    starts = [("令和", "2019-05-01"), ("平成", "1989-01-08"), ("昭和", "1926-12-25")]
    name, start = next(
        (name, start) for name, start in starts if day.isoformat() >= start
    )
    year = day.year - int(start[:4]) + 1
    return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


@pytest.mark.parametrize(
    ("form", "cell", "iso"),
    [
        ("31 ธ.ค. 2567", "5 ก.พ. 2568", "2025-02-05"),
        ("31 ธันวาคม 2567", "๕ กุมภาพันธ์ ๒๕๖๘", "2025-02-05"),
        ("31-Dec-2024", "1-feb-2024", "2024-02-01"),
        ("December 31, 2024", "February 1, 2024", "2024-02-01"),
        ("R6.12.31", "H31.4.30", "2019-04-30"),
        ("令和6年12月31日", "㋿6年1月2日", "2024-01-02"),
        ("令和6年12月31日", "令和６年１月２日", "2024-01-02"),
        ("31/12/2567", "29/2/2567", "2024-02-29"),
    ],
)
def test_a_date_is_read_by_its_form(form: str, cell: str, iso: str) -> None:
    """Digits of every script are digits."""
    assert date_form_of(form).read(cell) == iso


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("31/12/2567", "29/2/2568"),
        ("31/12/2567", "1/7/2024"),
        ("31/12/2024", "1/7/2567"),
        ("31/12/2567", "1/7/68"),
        ("31/12/2567", "1-7-2568"),
        ("31/12/2567", "1/7/2568 10:00"),
        ("令和6年12月31日", "令和元年4月30日"),
        ("令和6年12月31日", "平成31年5月1日"),
        ("令和6年12月31日", "R6年5月1日"),
        ("31-Dec-2024", "31-ธ.ค.-2024"),
        ("2024-12-31", "2024-13-01"),
        ("2024-12-31", ""),
    ],
)
def test_a_date_that_does_not_fit_is_refused(form: str, cell: str) -> None:
    """No day, another calendar, another order."""
    assert date_form_of(form).read(cell) is None


@pytest.mark.parametrize(
    "example",
    ["", "01/02/2024", "31/12/67", "31/12", "20241231", "31/12/1481", "R.12.31"],
)
def test_a_day_that_does_not_say_the_order_is_refused(example: str) -> None:
    """With a sentence."""
    with pytest.raises(UnclearDate) as caught:
        date_form_of(example)
    assert str(caught.value)
