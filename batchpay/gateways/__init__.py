"""Where charges go: one place opens a gateway, by its kind. The port is `Gateway` in domain/ports.

A second gateway is a room beside omise/ and an entry in `KINDS`. Its own documents end in its room:
what leaves it is typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batchpay.domain.ports import Gateway
from batchpay.gateways.omise.client import Client
from batchpay.gateways.omise.gateway import Omise
from batchpay.job.job import GatewaySettings


def _omise(settings: GatewaySettings, secret_key: str) -> Gateway:
    return Omise(Client(settings, secret_key))


KINDS: Mapping[str, Callable[[GatewaySettings, str], Gateway]] = {"omise": _omise}


def open(settings: GatewaySettings, secret_key: str) -> Gateway:
    """The gateway of a job; nothing is asked of it yet. Whoever opened it lets it go: `aclose`."""
    return KINDS[settings.kind](settings, secret_key)
