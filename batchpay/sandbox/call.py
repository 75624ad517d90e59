"""One request as the handlers see it, and what a handler is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from batchpay.sandbox.faults import NO_RULE, Rule
from batchpay.sandbox.ledger import Ledger, Thing


@dataclass(frozen=True, slots=True)
class Call:
    """Authenticated and parsed; `ids` are the variable parts of the path, `rule` what goes wrong
    with it.
    """

    method: str
    path: str
    params: dict[str, Any]
    now: int
    livemode: bool = False
    ids: tuple[str, ...] = ()
    rule: Rule = NO_RULE

    def with_params(self, params: dict[str, Any]) -> Call:
        """The same request with other parameters."""
        return replace(self, params=params)


Handler = Callable[[Ledger, Call], Thing]
