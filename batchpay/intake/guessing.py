"""What the columns of a file may be for: guessed from their names and cells, each guess with its
evidence.

A guess is a proposal for a person, never taken by anything that charges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from batchpay.domain.calendars import date_form_of
from batchpay.domain.figures import (
    SIGNS,
    Figure,
    NumberForm,
    declared_by,
    form_of,
    swapped,
)
from batchpay.domain.money import EXPONENTS, NotMoney, to_minor
from batchpay.domain.text import folded, told

ENOUGH = 80  # of a hundred cells of a column that must look alike
_TRIED = 50  # odd cells by which a form is looked for

# What people call a column, in the writings of their exports.
WORDS: dict[str, tuple[str, ...]] = {
    "order_id": (
        *(
            "order id",
            "order no",
            "order number",
            "order",
            "reference",
            "注文番号",
            "注文id",
            "受注番号",
        ),
        *("เลขที่ใบสั่งซื้อ", "หมายเลขคำสั่งซื้อ", "เลขที่คำสั่งซื้อ", "รหัสคำสั่งซื้อ", "เลขออเดอร์"),
        *("Bestellnummer", "Bestell-Nr", "Bestellung", "Auftragsnummer", "Auftrag-Nr"),
        *("Auftrags-Nr", "Auftrag", "Belegnummer", "Vorgangsnummer", "Referenz"),
        *(
            "Numéro de commande",
            "N° de commande",
            "No commande",
            "commande",
            "référence",
        ),
        *("Número de pedido", "Nº de pedido", "pedido", "referencia"),
    ),
    "amount": (
        *(
            "amount",
            "grand total",
            "total amount",
            "total",
            "price",
            "amt",
            "金額",
            "合計金額",
            "合計",
            "代金",
        ),
        *("จำนวนเงิน", "ยอดเงิน", "ยอดชำระ", "ยอดรวม", "ราคา", "ยอด"),
        *("Betrag", "Gesamtbetrag", "Summe", "Gesamtsumme", "Gesamtpreis", "Preis"),
        *(
            "montant",
            "montant total",
            "prix",
            "importe",
            "importe total",
            "monto",
            "precio",
        ),
    ),
    "currency": (
        *("currency", "cur", "ccy", "通貨", "สกุลเงิน"),
        *("Währung", "Waehrung", "devise", "moneda", "divisa"),
    ),
    "destination": (
        *("recipient id", "recipient", "seller", "shop", "merchant", "store", "vendor"),
        *("受取人", "店舗名", "店舗", "販売者", "ร้านค้า", "ร้าน", "ผู้ขาย", "ผู้รับเงิน"),
        *("Empfänger", "Empfaenger", "Verkäufer", "Verkaeufer", "Händler", "Haendler"),
        *("bénéficiaire", "destinataire", "vendeur", "boutique", "magasin"),
        *("beneficiario", "destinatario", "vendedor", "tienda", "comercio"),
    ),
    "customer": (
        *("customer", "payer", "顧客", "ลูกค้า", "ผู้ซื้อ"),
        *("Kunde", "Käufer", "Kaeufer", "client", "acheteur", "cliente", "comprador"),
    ),
    "card": ("card", "token", "カード", "บัตร", "Karte", "carte", "tarjeta"),
    "source": ("source",),
    "description": (
        *(
            "description",
            "note",
            "memo",
            "item",
            "商品名",
            "備考",
            "รายละเอียด",
            "หมายเหตุ",
        ),
        *("Beschreibung", "Bemerkung", "Verwendungszweck", "Artikel", "Notiz"),
        *("libellé", "article", "remarque", "descripción", "concepto", "artículo"),
    ),
}
_IDS = {
    "destination": re.compile(r"recp_(test_)?\w+"),
    "customer": re.compile(r"cust_(test_)?\w+"),
    "card": re.compile(r"tokn_(test_)?\w+"),
    "source": re.compile(r"src_(test_)?\w+"),
}
_DATES = (
    *("2024-12-31", "31/12/2567", "31/12/2024", "31.12.2024"),
    *("令和6年12月31日", "31 ธ.ค. 2567"),
)
_SMALLEST = ("satang", "สตางค์", "minor", "cents")
# in the names of columns of money, whichever it is
_MONEY = re.compile(
    r"(?<![a-z])(?:amount|amt|total|subtotal|net|gross|due|paid|balance|price|cost|sum|sales|value|refunds?"
    r"|discount|fees?|tax|vat|gst|shipping|commission|payout|revenue|betrag|summe|netto|brutto|preis"
    r"|rabatt|steuer|montant|prix|importe|precio)(?![a-z])"
    r"|金額|合計|代金|価格|料|税|割引|返金|売上|ยอด|เงิน|ราคา|ค่า|ส่วนลด|ภาษี"
)
_AFTER_POINT = re.compile(r".*\d[.,]\d\d\D*")
_MOST_WORDS = 20  # by which a column says its currencies
_OWN_NAME = 50  # a column with less of a currency's name in its own is hardly one


@dataclass(frozen=True, slots=True)
class Guess:
    """What a field may be made of, as TOML, and why; no column and no TOML where nothing shows."""

    field: str
    column: str
    toml: str
    why: str
    to_fill_in: bool = False  # the lookup file that it names is still to be made
    # of a currency in words: each with its code, empty where nobody knows it
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """A file that may say whose a shop is."""

    name: str
    key: str
    value: str
    keys: frozenset[str]


Cells = Mapping[str, Sequence[str]]
"""Column -> the texts of its first rows."""


def known_names(header: Sequence[str]) -> int:
    """How many fields the cells of a row may be the names of: a header has several."""
    return sum(any(_likeness(cell, field) for cell in header) for field in WORDS)


def guesses_of(
    cells: Cells,
    numbers: Mapping[str, frozenset[int]],
    lookups: Sequence[Lookup] = (),
    twice: Sequence[str] = (),
) -> dict[str, Guess]:
    """By field. `numbers`: positions of cells that are numbers and no texts, by column; `twice`:
    names that several columns have, which no field can read.
    """
    found: dict[str, Guess] = {}
    taken: set[str] = set()
    for field in ("card", "customer", "source"):
        column = _of_ids(cells, field, taken)
        if column:
            taken.add(column)
            found[field] = _id_guess(cells, field, column)
    found["destination"] = _destination(cells, lookups, taken)
    taken.add(found["destination"].column)
    found["amount"] = _amount(cells, numbers, taken)
    taken.add(found["amount"].column)
    found["currency"] = _currency(cells, found["amount"], taken)
    taken.add(found["currency"].column)
    found["order_id"] = _order_id(cells, taken)
    taken.add(found["order_id"].column)
    column = _named(cells, "description", taken)
    if column:
        found["description"] = Guess(
            "description", column, quoted(column), "by its name"
        )
        taken.add(column)
    return {field: _beside_twice(guess, twice) for field, guess in found.items()}


def _beside_twice(guess: Guess, twice: Sequence[str]) -> Guess:
    """The same with what would be a better guess, if its name stood once in the header."""
    own = _likeness(guess.column, guess.field)
    better = [name for name in twice if _likeness(name, guess.field) > own]
    if not better:
        return guess
    listed = ", ".join(map(quoted, better))
    why = (
        f"{guess.why}; {listed} stands more than once in the header: rename all but one"
    )
    return replace(guess, why=told(why, 200))


def dates_in(cells: Cells, taken: Sequence[str]) -> dict[str, str]:
    """Column -> the form of its dates, of columns that no field reads."""
    found = {}
    for column, texts in cells.items():
        filled = [text for text in texts if text]
        for example in _DATES:
            if (
                column not in taken
                and filled
                and all(map(date_form_of(example).read, filled))
                and not _may_be_other_date(example, filled)
            ):
                found[column] = example
                break
    return found


def _may_be_other_date(example: str, texts: Sequence[str]) -> bool:
    """May all be the month before the day as well? Then nothing shows which it is."""
    other = example.replace("31/12", "12/31")
    return other != example and all(map(date_form_of(other).read, texts))


# --- one field each


def _id_guess(cells: Cells, field: str, column: str) -> Guess:
    fits, filled = _counts(cells[column], _IDS[field])
    return Guess(
        field, column, quoted(column), f"{fits} of {filled} cells are such ids"
    )


def _of_ids(cells: Cells, field: str, taken: set[str]) -> str:
    """The column whose cells are the gateway's ids of a kind."""
    for column, texts in cells.items():
        fits, filled = _counts(texts, _IDS[field])
        if column not in taken and filled and 100 * fits >= ENOUGH * filled:
            return column
    return ""


def _destination(cells: Cells, lookups: Sequence[Lookup], taken: set[str]) -> Guess:
    column = _of_ids(cells, "destination", taken)
    if column:
        return _id_guess(cells, "destination", column)
    best: tuple[int, str, Lookup] | None = None
    for column, texts in cells.items():
        shops = set(filter(None, texts))
        for lookup in lookups:
            known = len(shops & lookup.keys)
            is_most = 2 * known >= len(shops) > 0
            if column not in taken and is_most and (best is None or known > best[0]):
                best = (known, column, lookup)
    if best is not None:
        _, column, lookup = best
        shops = set(filter(None, cells[column]))
        why = f"{len(shops & lookup.keys)} of {len(shops)} different cells stand in {lookup.name}"
        return Guess(
            "destination", column, _lookup_toml(column, lookup), told(why, 200)
        )
    column = _named(cells, "destination", taken)
    if column:
        why = "by its name; its cells are no ids, so a second file must say whose they are"
        lookup = Lookup("recipients.csv", "shop", "recipient_id", frozenset())
        toml = _lookup_toml(column, lookup)
        return Guess("destination", column, toml, why, to_fill_in=True)
    return Guess(
        "destination", "", '{ value = "recp_…" }', "no column shows who is paid"
    )


def _amount(
    cells: Cells,
    numbers: Mapping[str, frozenset[int]],
    taken: set[str],
) -> Guess:
    column = _named(cells, "amount", taken)
    why = "by its name"
    if also := [name for name in _with_money(cells, taken) if name != column]:
        why += f"; also possible: {', '.join(map(quoted, also))}: which is charged?"
    if not column:
        column = _most_numbers(cells, taken)
        why = "most of its cells are amounts"
        others = [name for name in _with_amounts(cells, taken) if name != column]
        if others:
            listed = ", ".join(map(quoted, others))
            why += f" (so are those of {listed}: which is charged?)"
    if not column:
        return Guess(
            "amount", "", '{ column = "…", unit = "major" }', "no column shows amounts"
        )
    form, fits, filled, unclear = _form(cells[column], numbers.get(column, frozenset()))
    why = f"{why}; {fits} of {filled} cells are amounts so"
    if unclear:
        why += f"; {told(unclear)} reads two ways and no cell shows which: no format is proposed"
    unit = "major"
    if any(word in folded(column) for word in _SMALLEST):
        unit = "minor"
        why += "; its name says the smallest unit"
    elif not _is_of_yen(form) and not any(
        _has_decimals(text, form) for text in cells[column]
    ):
        why += '; none has decimals: if these are satang, say unit = "minor"'
    told_form = f", format = {quoted(form)}" if form else ""
    toml = f'{{ column = {quoted(column)}, unit = "{unit}"{told_form} }}'
    return Guess("amount", column, toml, why)


def _with_money(cells: Cells, taken: set[str]) -> list[str]:
    """The columns that say that they are money, and hold nothing else."""
    found = []
    for column, texts in cells.items():
        filled = list(filter(None, texts))
        fits = sum(map(_is_amount, filled))
        if (
            column not in taken
            and _is_money(column)
            and 100 * fits >= ENOUGH * len(filled)
        ):
            found.append(column)
    return found


def _is_money(column: str) -> bool:
    return _MONEY.search(folded(column)) is not None


def _most_numbers(cells: Cells, taken: set[str]) -> str:
    """The column with the most cells that are amounts with decimals, or could be declared so."""
    found = _with_amounts(cells, taken)
    return max(found, key=lambda name: found[name], default="")


def _with_amounts(cells: Cells, taken: set[str]) -> dict[str, int]:
    """How many cells of a column are such, of those that have any."""
    found = {}
    for column, texts in cells.items():
        fits = sum(1 for text in texts if re.search("[.,]", text) and _is_amount(text))
        if column not in taken and fits:
            found[column] = fits
    return found


def _is_amount(text: str) -> bool:
    return _is_plain(text) or declared_by(text) is not None


def _is_plain(text: str) -> bool:
    try:
        to_minor(text, "THB")
    except NotMoney:
        return False
    return True


def _form(texts: Sequence[str], numbers: frozenset[int]) -> tuple[str, int, int, str]:
    """The form under which most cells are amounts, empty where none is needed, or none is proven;
    how many of them are, of how many; and of a form that is not proven a cell that leaves it open.
    """
    filled = [(at, text) for at, text in enumerate(texts) if text]
    plain = sum(1 for at, text in filled if at in numbers or _is_plain(text))
    best, most, unclear = "", plain, ""
    written = [text for at, text in filled if at not in numbers]
    odd = [text for text in written if not _is_plain(text)]
    proposed = [declared_by(text) for text in odd[:_TRIED]]
    examples = [_of_yen(one[0], written) for one in proposed if one]
    for example in dict.fromkeys(examples):
        form = form_of(example)
        fits = sum(1 for at, text in filled if at in numbers or _fits(form, text))
        if fits > most:
            best, most, unclear = example, fits, _left_open(form, written)
    if unclear:
        return "", plain, len(filled), unclear
    return best, most, len(filled), ""


def _fits(form: NumberForm, text: str) -> Figure | None:
    """What a cell says under a form, where that is an amount of some currency."""
    figure = form.read(text)
    if figure is None or len(figure.number.partition(".")[2]) > max(EXPONENTS.values()):
        return None
    return figure


def _has_decimals(text: str, form: str) -> bool:
    """A number of a sheet is told with a point, whatever the form of its column's texts."""
    figure = form_of(form).read(text) if form else None
    return "." in (figure.number if figure else text)


def _of_yen(example: str, texts: Sequence[str]) -> str:
    """An example without decimals where its sign says that there are none, or may say so and no
    cell has some.
    """
    form = form_of(example)
    figures = filter(None, map(form.read, texts))
    has_decimals = any("." in figure.number for figure in figures)
    if _is_of_yen(example, surely=has_decimals):
        return example.replace(f"{form.point}56", "")
    return example


def _is_of_yen(example: str, *, surely: bool = False) -> bool:
    """Does the sign of an example say a currency without decimals, or may it say one?"""
    if not example:
        return False
    form = form_of(example)
    exponents = [EXPONENTS[code] for code in SIGNS.get(form.before or form.after, ())]
    return 0 in exponents and not (surely and any(exponents))


def _left_open(form: NumberForm, texts: Sequence[str]) -> str:
    """A cell that is another number where comma and point are the other way round, of a column in
    which none shows which way it is, or one shows the other (separators); empty: there is none.
    """
    other = swapped(form)
    if other is None:
        return ""
    pairs = [(text, _fits(form, text), other.read(text)) for text in texts]
    is_against = any(not one and two for _, one, two in pairs)
    if not is_against and any(one and not two for _, one, two in pairs):
        return ""
    both = (text for text, one, two in pairs if one and two and one != two)
    return next(both, "")


def _currency(cells: Cells, amount: Guess, taken: set[str]) -> Guess:
    for column, texts in cells.items():
        filled = [text for text in texts if text]
        codes = sum(text.upper() in EXPONENTS for text in filled)
        if column not in taken and filled and 100 * codes >= ENOUGH * len(filled):
            default = ""
            if len(filled) < len(texts):
                default = "; some are empty: fill them in, or give a default"
            why = f"{codes} of {len(filled)} cells are currencies{default}"
            return Guess("currency", column, quoted(column), why)
    column = _named(cells, "currency", taken)
    if column and _likeness(column, "currency") >= _OWN_NAME:
        words = dict.fromkeys(filter(None, cells[column]))
        if 0 < len(words) <= _MOST_WORDS and not re.search(r"\d", "".join(words)):
            return _in_words(column, tuple(words))
    texts = (amount.column, *map(_with_yen, cells.get(amount.column, ())))
    meant: set[str] = set()
    for sign, codes_of_sign in SIGNS.items():
        if any(sign in text for text in texts) and len(codes_of_sign) == 1:
            meant |= codes_of_sign
    why = "its name stands in the column of amounts"
    if any("¥" in text or "￥" in text for text in texts):
        meant.add("JPY")
        why = "¥ stands in the column of amounts: JPY, unless these are CNY"
    if len(meant) == 1:
        return Guess("currency", "", f'{{ value = "{meant.pop()}" }}', why)
    return Guess(
        "currency",
        "",
        '{ value = "…" }',
        "no column shows it: write its code, THB for baht",
    )


def _in_words(column: str, words: Sequence[str]) -> Guess:
    """A column that says the currency otherwise than by its code: a second file says which."""
    pairs = tuple((word, _code_of(word)) for word in words)
    lookup = Lookup("currencies.csv", "word", "code", frozenset())
    why = f"by its name; the code of each of its {len(pairs)} words stands in {lookup.name}"
    return Guess("currency", column, _lookup_toml(column, lookup), why, words=pairs)


def _code_of(word: str) -> str:
    """The currency that a word says, empty where it may be several.

    >>> _code_of("日本円"), _code_of("บาท (THB)"), _code_of("usd"), _code_of("$")
    ('JPY', 'THB', 'USD', '')
    """
    letters = "".join(one if one.isascii() and one.isalpha() else " " for one in word)
    said = {text for text in letters.upper().split() if text in EXPONENTS}
    for sign, codes in SIGNS.items():
        is_said = sign in word if not sign.isascii() else sign == word.casefold()
        if is_said and len(codes) == 1:
            said |= codes
    return "".join(said) if len(said) == 1 else ""


def _with_yen(text: str) -> str:
    """Japanese files have the yen sign where others have a backslash."""
    return text.replace("\\", "¥")


def _order_id(cells: Cells, taken: set[str]) -> Guess:
    column = _named(cells, "order_id", taken)
    why = "by its name"
    if not column:
        dates = dates_in(cells, list(taken))
        others = (name for name in cells if name not in taken and name not in dates)
        alone = [
            name
            for name in others
            if _all_differ(cells[name]) and not _may_be_money(name, cells[name])
        ]
        column = alone[0] if alone else ""
        why = "the first column whose cells all differ"
    if not column:
        return Guess("order_id", "", '"…"', "no column names orders")
    texts = cells[column]
    ids = set(filter(None, texts))
    why += f"; {len(ids)} different ids in {len(texts)} rows"
    return Guess("order_id", column, quoted(column), why)


def _may_be_money(column: str, texts: Sequence[str]) -> bool:
    """By its name, or its decimals: an amount is no id, though all differ."""
    fits, filled = _counts(texts, _AFTER_POINT)
    return _is_money(column) or 100 * fits >= ENOUGH * filled > 0


def _all_differ(texts: Sequence[str]) -> bool:
    return bool(texts) and all(texts) and len(set(texts)) == len(texts)


# --- names and cells


def _named(cells: Cells, field: str, taken: set[str]) -> str:
    """The column whose name is most like what people call a field."""
    best, most = "", 0
    for column in cells:
        likeness = _likeness(column, field)
        if column not in taken and likeness > most:
            best, most = column, likeness
    return best


def _likeness(name: str, field: str) -> int:
    """0: no likeness; the larger the more of the name is a word for the field."""
    plain = "".join(filter(str.isalnum, folded(name)))
    best = 0
    for word in WORDS[field]:
        bare = "".join(filter(str.isalnum, folded(word)))
        if plain == bare:
            return 1000
        if (len(bare) > 2 or not bare.isascii()) and bare in plain:
            best = max(best, 100 * len(bare) // len(plain))
    return best


def _counts(texts: Sequence[str], form: re.Pattern[str]) -> tuple[int, int]:
    """How many cells are of a form, of how many that are filled."""
    filled = [text for text in texts if text]
    return sum(1 for text in filled if form.fullmatch(text)), len(filled)


def _lookup_toml(column: str, lookup: Lookup) -> str:
    parts = (
        f"column = {quoted(column)}",
        f"lookup = {quoted(lookup.name)}",
        f"key = {quoted(lookup.key)}",
        f"value = {quoted(lookup.value)}",
    )
    return f"{{ {', '.join(parts)} }}"


def quoted(text: str) -> str:
    """As TOML and JSON write a text."""
    escaped = "".join(_escaped(character) for character in text)
    return f'"{escaped}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if not character.isprintable() and character != " ":
        return f"\\U{ord(character):08X}"
    return character
