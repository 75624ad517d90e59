"""A script's file: how the sandbox is set up, in a table [sandbox], and what goes wrong, in
[[rule]] tables.

    [sandbox]
    # at most so many requests; 8/s, 900/min or 20/5s
    rate = "900/min"
    # X-RateLimit-* on every answer
    rate_headers = true
    # the 429's Retry-After; "" for none
    rate_retry_after = "1"
    # the 429 as an HTML page
    rate_html = false
    # or "on": honour the Idempotency-Key header
    idempotency = "off"
    # the only good ones; without it any skey_test_... is
    secret_keys = ["skey_test_a"]
    # keys of one account; any other key has its own
    accounts = { shop = ["skey_test_b", "skey_test_c"] }
    # how far the gateway's clock is ahead of this machine's
    clock_offset_s = 0
    # limits of GET /capability, in satang; charge_max, transfer_min, transfer_max likewise
    charge_min = 2000
    # true: a charge without destination is 400 bad_request
    chained_only = false

JSON has the same shape, or is a plain list of rules.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox.faults import Rule, fits
from batchpay.sandbox.terms import Terms
from batchpay.sandbox.throttle import Rate

SETTINGS: dict[str, Any] = {
    "rate": str,
    "rate_headers": bool,
    "rate_retry_after": str,
    "rate_html": bool,
    "idempotency": str,
    "secret_keys": list[str],
    "accounts": dict[str, Any],
    "clock_offset_s": float,
    "charge_min": int,
    "charge_max": int,
    "transfer_min": int,
    "transfer_max": int,
    "chained_only": bool,
    "transfer_sent_s": int,
    "transfer_paid_s": int,
}
_TERMS = tuple(one.name for one in fields(Terms))


@dataclass(frozen=True)
class Script:
    """What a file said; what it left out is as without a script."""

    rules: list[Rule] = field(default_factory=list)
    rate: Rate | None = None
    idempotency: str = "off"
    secret_keys: list[str] | None = None
    clock_offset_s: float = 0.0
    accounts: dict[str, list[str]] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)


def read_script(path: Path) -> Script:
    """The script in a file, TOML or JSON; raises Misconfigured with the place of what is wrong."""
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".toml":
            document = tomllib.loads(text)
        else:
            document = json.loads(text)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"sandbox script {path}: {error}") from error
    if isinstance(document, list):
        document = {"rule": document}
    if not isinstance(document, dict) or set(document) - {"rule", "sandbox"}:
        raise Misconfigured(
            f"sandbox script {path}: expected [[rule]] tables and one table [sandbox], nothing else"
        )
    listed = document.get("rule", [])
    settings = document.get("sandbox", {})
    if not fits(listed, list[dict[str, Any]]) or not isinstance(settings, dict):
        raise Misconfigured(
            f"sandbox script {path}: expected [[rule]] tables and one table [sandbox]"
        )
    rules = []
    for number, one in enumerate(listed, 1):
        try:
            rules.append(Rule.parse(one))
        except Misconfigured as error:
            raise Misconfigured(
                f"sandbox script {path}, rule {number}: {error}"
            ) from error
    try:
        return _set_up(rules, settings)
    except Misconfigured as error:
        raise Misconfigured(f"sandbox script {path}, [sandbox]: {error}") from error


def _set_up(rules: list[Rule], settings: dict[str, Any]) -> Script:
    for name, value in settings.items():
        if name not in SETTINGS:
            raise Misconfigured(
                f"no setting {name}; settings are {', '.join(SETTINGS)}"
            )
        if not fits(value, SETTINGS[name]):
            raise Misconfigured(f"{name} = {value!r} is of the wrong kind")
    if settings.get("idempotency", "off") not in ("off", "on"):
        raise Misconfigured(
            f"idempotency is off or on, not {settings['idempotency']!r}"
        )
    look = [name for name in settings if name.startswith("rate_")]
    if look and "rate" not in settings:
        raise Misconfigured(f"{look[0]} says how a rate looks; give rate too")
    rate = None
    if "rate" in settings:
        asked = Rate.parse(settings["rate"])
        rate = Rate(
            asked.limit,
            asked.window_s,
            settings.get("rate_retry_after", "1") or None,
            settings.get("rate_headers", True),
            settings.get("rate_html", False),
        )
    accounts = settings.get("accounts", {})
    for name, keys in accounts.items():
        if not fits(keys, list[str]):
            raise Misconfigured(f"accounts.{name} is a list of secret keys")
    return Script(
        rules,
        rate,
        settings.get("idempotency", "off"),
        settings.get("secret_keys"),
        float(settings.get("clock_offset_s", 0)),
        accounts,
        Terms(**{name: value for name, value in settings.items() if name in _TERMS}),
    )
