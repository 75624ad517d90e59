"""READING: what must be known of `data` whatever the kind of the event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batchpay.domain.events.attempts import Adopted, Intended
from batchpay.domain.model import Event


def begins(kind: str, send: int) -> bool:
    """Does an event begin an attempt?"""
    return kind == Adopted.kind or (kind == Intended.kind and send == 1)


def state_in(data: Mapping[str, Any]) -> str:
    """What an event says of where its attempt stands; "" for nothing."""
    state = data.get("state")
    if isinstance(state, str):
        return state
    return ""


def is_beside(data: Mapping[str, Any]) -> bool:
    """Was a charge adopted next to an attempt that is not over?"""
    return bool(data.get("beside"))


def asked_in(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an attempt asks for, by the names of `Intent`; empty where an event does not say."""
    kept = data.get("intent")
    if isinstance(kept, dict):
        return kept
    return {}


def charge_in(event: Event) -> Mapping[str, Any]:
    """The charge that an event tells of, by the names of `ChargeSeen`; empty for none."""
    kept = event.data.get("charge")
    if isinstance(kept, dict):
        return kept
    return {}


# keys of an answer that told of a charge, and of nothing else
_CHARGE_ALONE = frozenset({"charge", "left_s", "state", "status", "verdict"})


def charge_alone_in(event: Event, verdict: str) -> Mapping[str, Any]:
    """The same of an answer that proves just this (proof.Proof), and says nothing beside; empty
    for any other.
    """
    if event.data.get("verdict") != verdict or not _CHARGE_ALONE.issuperset(event.data):
        return {}
    return charge_in(event)


def charge_id_in(event: Event) -> str:
    """The id of the charge that an event is about, of whatever kind it is; "" for none."""
    kept = event.data.get("charge")
    if isinstance(kept, dict):
        return str(kept.get("id", ""))
    return str(kept or event.data.get("charge_id", ""))


def state_of(event: Event) -> str:
    """What is shown of where an attempt stands after an event of whatever kind."""
    return str(event.data.get("state", ""))


def who_said(event: Event) -> str:
    """The person on whose word an event of whatever kind rests; "" for none."""
    return str(event.data.get("by", ""))


def order_of(event: Event) -> str:
    """The order that an event is about which is none of its attempts; "" for none."""
    return str(event.data.get("order", ""))
