"""The gateway's rate limit: so many requests in any window, 429 beyond (docs/gateway.md, 6)."""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass

from batchpay.domain.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Rate:
    """`limit` requests per `window_s`; how a refusal looks is chosen: nothing documents it."""

    limit: int
    window_s: float = 1.0
    retry_after: str | None = "1"  # the header's value; None: no header
    headers: bool = True  # X-RateLimit-* on every answer
    html: bool = False  # an HTML page instead of the error object

    @classmethod
    def parse(cls, text: str) -> Rate:
        """ "8/s", "900/min" or "20/5s"."""
        match = re.fullmatch(r"([1-9][0-9]{0,8})/([0-9]{0,6})(s|min)", text)
        if match is None:
            raise Misconfigured(f"rate {text!r}: write 8/s, 900/min or 20/5s")
        window_s = int(match[2] or 1)
        if match[3] == "min":
            window_s *= 60
        return cls(int(match[1]), float(window_s))


class Throttle:
    """Counts what was let in; what it turns away does not count."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._stamps: deque[float] = deque()

    def admit(self) -> bool:
        """Whether one more request fits into the window that ends now."""
        now = time.monotonic()
        while self._stamps and self._stamps[0] <= now - self.rate.window_s:
            self._stamps.popleft()
        if len(self._stamps) >= self.rate.limit:
            return False
        self._stamps.append(now)
        return True

    def headers(self, clock_s: float) -> dict[str, str]:
        """What every answer says about the limit; the reset is when the whole of it is free, by the
        gateway's clock.
        """
        if not self.rate.headers:
            return {}
        return {
            "X-RateLimit-Limit": str(self.rate.limit),
            "X-RateLimit-Remaining": str(max(0, self.rate.limit - len(self._stamps))),
            "X-RateLimit-Reset": str(int(clock_s + self.rate.window_s) + 1),
        }
