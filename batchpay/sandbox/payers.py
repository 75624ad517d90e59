"""Who pays: tokens, customers with their cards, sources; and which of them a charge takes
(docs/gateway.md, 2.1 and 9).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from batchpay.sandbox import cards, names, params
from batchpay.sandbox.call import Call
from batchpay.sandbox.ledger import Ledger, Thing
from batchpay.sandbox.objects import embedded, instant
from batchpay.sandbox.problems import Problem, bad_request, not_found


class Payer(NamedTuple):
    """What a charge will take the money from, and how that will end."""

    outcome: str
    card: str | None = None
    customer: str | None = None
    source: str | None = None
    token: Thing | None = None


def create_token(ledger: Ledger, call: Call) -> Thing:
    """POST /tokens, with the public key."""
    fields = params.mapping(call.params, "card")
    number = params.required(fields, "number").replace(" ", "").replace("-", "")
    month = params.whole(fields, "expiration_month")
    year = params.whole(fields, "expiration_year")
    if (
        not cards.is_number(number)
        or month is None
        or not 1 <= month <= 12
        or year is None
    ):
        raise Problem(400, "invalid_card", "number or expiration date is invalid")
    card = cards.shape(
        call.livemode,
        ledger.mint("card", call.livemode),
        number,
        params.required(fields, "name"),
        month,
        year,
    )
    outcome = names.outcome_of_number(number)
    card |= {"created_at": instant(call.now), "outcome": outcome}
    card["security_code_check"] = outcome != "invalid_security_code"
    token = _thing(call, "token", ledger.mint("tokn", call.livemode)) | {
        "used": False,
        "card": card["id"],
    }
    ledger.commit(things=[("card", card), ("token", token)])
    return token_json(ledger, token)


def retrieve_token(ledger: Ledger, call: Call) -> Thing:
    """GET /tokens/:id."""
    return token_json(ledger, _token(ledger, call.ids[0], call.livemode))


def create_customer(ledger: Ledger, call: Call) -> Thing:
    """POST /customers, with a token to attach its card at once."""
    customer = _thing(call, "customer", ledger.mint("cust", call.livemode)) | {
        "cards": [],
        "default_card": None,
    }
    return _updated(
        ledger,
        call,
        customer | {"email": None, "description": None, "metadata": {}},
        "customer.create",
    )


def retrieve_customer(ledger: Ledger, call: Call) -> Thing:
    """GET /customers/:id."""
    return customer_json(ledger, _customer(ledger, call.ids[0], call.livemode))


def update_customer(ledger: Ledger, call: Call) -> Thing:
    """PATCH /customers/:id; `card` attaches one more card."""
    customer = _customer(ledger, call.ids[0], call.livemode)
    return _updated(ledger, call, dict(customer), "customer.update")


def delete_customer(ledger: Ledger, call: Call) -> Thing:
    """DELETE /customers/:id."""
    customer = _customer(ledger, call.ids[0], call.livemode) | {"deleted": True}
    ledger.commit(things=[("customer", customer)], news="customer.destroy")
    told = ("object", "id", "livemode", "deleted")
    return {name: customer[name] for name in told}


def retrieve_card(ledger: Ledger, call: Call) -> Thing:
    """GET /customers/:id/cards/:card."""
    customer = _customer(ledger, call.ids[0], call.livemode)
    if call.ids[1] not in customer["cards"]:
        raise not_found("card", call.ids[1])
    found = cards.shown(ledger, call.ids[1], call.livemode)
    assert found is not None
    return found


def create_source(ledger: Ledger, call: Call) -> Thing:
    """POST /sources, with the public key or the secret one."""
    amount = params.whole(call.params, "amount")
    currency = params.required(call.params, "currency")
    if amount is None or amount <= 0:
        raise bad_request("amount is required")
    source = _source(
        call.livemode,
        ledger.mint("src", call.livemode),
        params.required(call.params, "type"),
    )
    source |= {
        "amount": amount,
        "currency": currency.upper(),
        "created_at": instant(call.now),
    }
    ledger.commit(things=[("source", source)])
    return source


def retrieve_source(ledger: Ledger, call: Call) -> Thing:
    """GET /sources/:id."""
    source = source_json(ledger, call.ids[0], call.livemode)
    if source is None:
        raise not_found("source", call.ids[0])
    return source


def chosen(ledger: Ledger, call: Call) -> Payer:
    """The one payment method a charge names; raises Problem for none, two, a spent token or an
    unknown id.
    """
    card = params.text(call.params, "card")
    customer = params.text(call.params, "customer")
    source = call.params.get("source") or None
    if source is not None:
        if card or customer:
            raise bad_request("give one of card, customer and source")
        return _with_source(ledger, call, source)
    if customer:
        return _with_customer(ledger, call.livemode, customer, card)
    if not card:
        raise bad_request("one of card, customer and source is required")
    if not card.startswith("tokn_"):
        raise bad_request("a card needs the customer it belongs to")
    token = _token(ledger, card, call.livemode)
    if token["used"]:
        raise Problem(400, "used_token", "token was already used")
    return Payer(_outcome(ledger, token["card"]), card=token["card"], token=token)


def spent(payer: Payer) -> list[tuple[str, Thing]]:
    """The token's new state, to be committed together with the charge that used it."""
    token = payer.token
    if token is None:
        return []
    if token["id"].endswith(f"_{names.SAMPLE}"):
        return []
    return [("token", token | {"used": True})]


# --- JSON


def source_json(ledger: Ledger, name: str | None, livemode: bool) -> Thing | None:
    """A source as charges embed it."""
    if name is None:
        return None
    found: Thing | None = ledger.find("source", name)
    if found is not None:
        if found["livemode"] == livemode:
            return found
        return None
    if names.ready_made(name, "src", livemode):
        return _source(livemode, name, "promptpay")
    return None


def token_json(ledger: Ledger, token: Thing) -> Thing:
    """A token; its location is absolute, on the vault's host (docs/gateway.md, 1.1)."""
    return token | {
        "location": f"https://vault.omise.co/tokens/{token['id']}",
        "card": cards.shown(ledger, token["card"], token["livemode"]),
        "charge_status": "unknown",
    }


def customer_json(ledger: Ledger, customer: Thing) -> Thing:
    """A customer with the list of its cards."""
    own = [
        cards.shown(ledger, name, customer["livemode"]) for name in customer["cards"]
    ]
    location = f"/customers/{customer['id']}"
    listed = embedded(f"{location}/cards", customer["created_at"], own)
    return customer | {
        "location": location,
        "cards": listed,
        "schedule": None,
        "linked_accounts": [],
    }


# --- inside


def _updated(ledger: Ledger, call: Call, customer: Thing, news: str) -> Thing:
    for name in ("email", "description"):
        customer[name] = params.text(call.params, name) or customer[name]
    customer["metadata"] = (
        params.mapping(call.params, "metadata") or customer["metadata"]
    )
    things = []
    token_name = params.text(call.params, "card")
    if token_name:
        token = _token(ledger, token_name, call.livemode)
        if token["used"]:
            raise Problem(400, "used_token", "token was already used")
        things.append(("token", token | {"used": True}))
        customer["cards"] = [*customer["cards"], token["card"]]
        customer["default_card"] = customer["default_card"] or token["card"]
    default = params.text(call.params, "default_card")
    if default:
        if default not in customer["cards"]:
            raise not_found("card", default)
        customer["default_card"] = default
    ledger.commit(things=[("customer", customer), *things], news=news)
    return customer_json(ledger, customer)


def _with_source(ledger: Ledger, call: Call, source: Any) -> Payer:
    if isinstance(source, dict):  # given inline: made on the way (docs/gateway.md, 2.1)
        given = {
            "amount": call.params.get("amount"),
            "currency": call.params.get("currency"),
        }
        made = create_source(ledger, call.with_params(given | source))
        return Payer(names.PENDING, source=made["id"])
    if (
        not isinstance(source, str)
        or source_json(ledger, source, call.livemode) is None
    ):
        raise not_found("source", str(source))
    return Payer(names.PENDING, source=source)


def _with_customer(
    ledger: Ledger,
    livemode: bool,
    name: str,
    card: str | None,
) -> Payer:
    if card and card.startswith("tokn_"):
        raise bad_request("a token cannot be combined with a customer")
    customer = ledger.find("customer", name)
    if customer is None and names.ready_made(name, "cust", livemode):
        if card and not names.ready_made(card, "card", livemode):
            raise not_found("card", card)
        own = card or name.replace("cust", "card", 1)
        return Payer(names.outcome_of_id(own), card=own, customer=name)
    customer = _customer(ledger, name, livemode)
    own = card or customer["default_card"]
    if own is None:
        raise Problem(400, "missing_card", "the customer has no card")
    if own not in customer["cards"]:
        raise not_found("card", own)
    return Payer(_outcome(ledger, own), card=own, customer=name)


def _outcome(ledger: Ledger, card: str) -> str:
    found = ledger.find("card", card)
    if found:
        return str(found["outcome"])
    return names.outcome_of_id(card)


def _token(ledger: Ledger, name: str, livemode: bool) -> Thing:
    token: Thing | None = ledger.find("token", name)
    if token is not None and token["livemode"] == livemode:
        return token
    if token is None and names.ready_made(name, "tokn", livemode):
        card = name.replace("tokn", "card", 1)
        return {
            "object": "token",
            "id": name,
            "livemode": livemode,
            "created_at": None,
            "used": False,
            "card": card,
        }
    raise not_found("token", name)


def _customer(ledger: Ledger, name: str, livemode: bool) -> Thing:
    customer: Thing | None = ledger.find("customer", name)
    if (
        customer is not None
        and customer["livemode"] == livemode
        and not customer["deleted"]
    ):
        return customer
    if customer is None and names.ready_made(name, "cust", livemode):
        card = name.replace("cust", "card", 1)
        return {
            "object": "customer",
            "id": name,
            "livemode": livemode,
            "deleted": False,
            "created_at": instant(0),
            "cards": [card],
            "default_card": card,
            "email": None,
            "description": None,
            "metadata": {},
        }
    raise not_found("customer", name)


def _thing(call: Call, kind: str, name: str) -> Thing:
    return {
        "object": kind,
        "id": name,
        "livemode": call.livemode,
        "deleted": False,
        "created_at": instant(call.now),
    }


def _source(livemode: bool, name: str, kind: str) -> Thing:
    return {
        "object": "source",
        "id": name,
        "livemode": livemode,
        "location": f"/sources/{name}",
        "amount": None,
        "currency": None,
        "created_at": instant(0),
        "flow": "offline" if kind == "promptpay" else "redirect",
        "type": kind,
        "charge_status": "unknown",
        "scannable_code": None,
        "references": None,
    }
