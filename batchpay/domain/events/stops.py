"""What holds rows or a whole job back, and what no order is known of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batchpay.domain.events.forms import DICTS, OPTIONAL, Told, charge_json, stray_back
from batchpay.domain.model import ChargeSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Told):
    """Why the unsent rows of a batch were not sent."""

    kind = "held"

    reason: str
    stop: bool = field(default=False, metadata=OPTIONAL)  # a stop is why


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Told):
    """Nothing is sent any more, until a person lifts it (law L10)."""

    kind = "stop"

    reason: str = ""
    order: str = ""  # that it is about; empty: none
    # of another job or of nobody, that it is about
    charge: str = field(default="", metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted(Told):
    """A person's word that what was in force is over."""

    kind = "lifted"

    reason: str = ""
    by: str = ""
    stop: str = ""  # what was in force


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleDistrusted(Told):
    """A charge stood behind a 429: from now on a 429 proves nothing."""

    kind = "throttle.distrusted"

    order: str
    charge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable(Told):
    """A charge that may be any order's: nothing is sent before a person has told."""

    kind = "unreadable"

    charge_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disowned(Told):
    """A person's word that a charge is none of this job's."""

    kind = "disowned"

    charge_id: str
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray(Told):
    """A charge that kept its key and named no order: the order that makes this key is its own."""

    kind = "stray"

    key: str
    charge: ChargeSeen = field(metadata={"write": charge_json, "read": stray_back})


@dataclass(frozen=True, slots=True, kw_only=True)
class NamelessListed(Told):
    """Charges without a key that may be those of orders of the same terms."""

    kind = "nameless"

    charges: tuple[Mapping[str, Any], ...] = field(metadata=DICTS)  # unclaimed.Nameless
