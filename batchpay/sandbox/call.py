"""One request as the handlers see it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """Authenticated and parsed; `ids` are the variable parts of the path, `lag_s` hides younger charges in lists."""

    method: str
    path: str
    params: dict[str, Any]
    now: int
    livemode: bool = False
    ids: tuple[str, ...] = field(default=())
    lag_s: float = 0.0

    def with_params(self, params: dict[str, Any]) -> Call:
        """The same request with other parameters."""
        return replace(self, params=params)
