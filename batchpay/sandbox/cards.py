"""Cards as the API shows them; the number itself is not kept (docs/gateway.md, 9)."""

from __future__ import annotations

from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.objects import instant

_HOLDER = "SANDBOX PAYER"
_BANK = "Sandbox Bank"


def shown(ledger: Ledger, name: str | None, livemode: bool) -> Thing | None:
    """A card as charges and customers embed it."""
    if name is None:
        return None
    card = ledger.find("card", name)
    if card is None:
        return shape(livemode, name, "4242424242424242", _HOLDER, 12, 2030)
    return {key: value for key, value in card.items() if key != "outcome"}


def words(ledger: Ledger, name: str | None) -> tuple[str, ...]:
    """What a search for words finds in a card: its holder and its bank."""
    if name is None:
        return ()
    card = ledger.find("card", name)
    if card is None:
        return (_HOLDER, _BANK)
    return (card["name"], card["bank"])


def shape(
    livemode: bool,
    name: str,
    number: str,
    holder: str,
    month: int,
    year: int,
) -> Thing:
    return {
        "object": "card",
        "id": name,
        "livemode": livemode,
        "location": None,
        "deleted": False,
        "street1": None,
        "street2": None,
        "city": None,
        "state": None,
        "phone_number": None,
        "postal_code": None,
        "country": "th",
        "financing": "credit",
        "bank": _BANK,
        "brand": _brand(number),
        "fingerprint": None,
        "first_digits": None,
        "last_digits": number[-4:],
        "name": holder,
        "expiration_month": month,
        "expiration_year": year,
        "security_code_check": True,
        "tokenization_method": None,
        "created_at": instant(0),
    }


def _brand(number: str) -> str:
    by_start = {
        "5": "MasterCard",
        "35": "JCB",
        "37": "American Express",
        "62": "UnionPay",
        "64": "Discover",
    }
    return by_start.get(number[:2]) or by_start.get(number[:1], "Visa")


def is_number(number: str) -> bool:
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    doubled = "0246813579"
    return (
        sum(
            int(doubled[int(d)]) if i % 2 else int(d)
            for i, d in enumerate(reversed(number))
        )
        % 10
        == 0
    )
