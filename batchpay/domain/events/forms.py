"""FORMS: how a class becomes the `data` of a line, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self, TypeVar
from urllib.parse import parse_qs

from batchpay.domain.model import ChargeSeen, Event, Intent

_EMPTY = (None, "", (), False)


class _Kept(NamedTuple):
    """How one field of a class stands in `data`."""

    name: str
    key: str
    left_out: tuple[Any, ...]
    write: Callable[[Any], Any] | None


class _Form(NamedTuple):
    """How a class stands in `data`; made once, for every event ever written is read at each run."""

    kept: tuple[_Kept, ...]
    names: Mapping[str, str]  # key -> field
    # fields that are not kept as is
    reads: tuple[tuple[str, Callable[[Any, Event], Any]], ...]


# `left_out`: values for which a field has no key; `key`: its name where it is not the field's own;
# `write`, `read`: its form in JSON
OPTIONAL: dict[str, Any] = {"left_out": _EMPTY}
UNLESS_NONE: dict[str, Any] = {"left_out": (None,)}


def _texts(value: Any, _: Event) -> tuple[str, ...]:
    return tuple(map(str, value))


def _pairs(value: Any, _: Event) -> tuple[tuple[str, str], ...]:
    return tuple((str(one), str(other)) for one, other in value)


def _pairs_json(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [list(pair) for pair in pairs]


def _dicts(value: Any, _: Event) -> tuple[Mapping[str, Any], ...]:
    return tuple(value)


def charge_json(charge: ChargeSeen | None) -> dict[str, Any] | None:
    if charge is None:
        return None
    return charge.to_json()


def _charge_back(value: Any, _: Event) -> ChargeSeen | None:
    if not value:
        return None
    return ChargeSeen.from_json(value)


def stray_back(value: Any, _: Event) -> ChargeSeen:
    return ChargeSeen.from_json(value)


def _number(value: Any, _: Event) -> float:
    return float(value)


FLOAT: dict[str, Any] = {"read": _number}
LIST: dict[str, Any] = {"write": list, "read": _texts}
PAIRS: dict[str, Any] = {"write": _pairs_json, "read": _pairs}
DICTS: dict[str, Any] = {"write": list, "read": _dicts}
DICT: dict[str, Any] = {"write": dict}
CHARGE: dict[str, Any] = {"write": charge_json, "read": _charge_back} | OPTIONAL


_FORMS: dict[type[Told], _Form] = {}


def kept_form(cls: type[Told]) -> _Form:
    form = _FORMS.get(cls)
    if form is None:
        form = _FORMS[cls] = _made_of(fields(cls))
    return form


def _made_of(of_class: Iterable[Field[Any]]) -> _Form:
    kept = []
    reads = []
    for one in of_class:
        how = one.metadata
        key = how.get("key", one.name)
        kept.append(_Kept(one.name, key, how.get("left_out", ()), how.get("write")))
        if "read" in how:
            reads.append((one.name, how["read"]))
    return _Form(tuple(kept), {one.key: one.name for one in kept}, tuple(reads))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one event tells. A class of it is a kind of event."""

    kind: ClassVar[str] = ""

    def data(self) -> dict[str, Any]:
        """As the journal keeps it."""
        kept = {}
        for one in kept_form(type(self)).kept:
            value = getattr(self, one.name)
            if value in one.left_out:
                continue
            if one.write is not None:
                value = one.write(value)
            kept[one.key] = value
        return kept

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back. Raises TypeError for a line that lacks what its kind always has."""
        _, names, reads = kept_form(cls)
        values = {
            names[key]: value for key, value in event.data.items() if key in names
        }
        for name, read in reads:
            if name in values:
                values[name] = read(values[name], event)
        return cls(**values)


T = TypeVar("T", bound=Told)


# --- what an attempt asks for

# columns of their own in the journal
_COLUMNS = ("order_id", "attempt", "batch_id", "sheet", "row")
_INTENT_FIELDS = frozenset(one.name for one in fields(Intent))
_ASKED = tuple(one.name for one in fields(Intent) if one.name not in _COLUMNS)


def _intent_json(intent: Intent) -> dict[str, Any]:
    kept = {name: getattr(intent, name) for name in _ASKED}
    if not intent.extras_from:
        del kept["extras_from"]
    return kept


def _intent_back(value: Any, event: Event) -> Intent:
    kept: dict[str, Any] = dict(value)
    if "mode" not in kept:  # written before commissions were kept apart from the body
        kept |= _fee_in(str(kept.get("body", "")))
    known = {name: one for name, one in kept.items() if name in _INTENT_FIELDS}
    if "sale" in known:
        known["sale"] = tuple(known["sale"])
    for column in _COLUMNS:
        known[column] = getattr(event, column)
    return Intent(**known)


INTENT: dict[str, Any] = {"write": _intent_json, "read": _intent_back}


def _fee_in(body: str) -> dict[str, Any]:
    """The commission that a request body asks for."""
    asked = parse_qs(body)
    fixed = asked.get("platform_fee[fixed]")
    percentage = asked.get("platform_fee[percentage]")
    fee: dict[str, Any] = {"fee_fixed": None, "fee_percentage": None}
    if fixed:
        fee["fee_fixed"] = int(fixed[0])
    if percentage:
        fee["fee_percentage"] = percentage[0]
    return fee
