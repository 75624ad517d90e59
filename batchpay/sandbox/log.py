"""Every request that reached the sandbox, in order: what a test counts and measures."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 1_000_000  # the oldest entries go first


@dataclass(slots=True)
class Entry:
    """One request; `status` is 0 while it is unanswered and stays 0 when the answer was no HTTP
    answer.
    """

    at: float
    time: str
    method: str
    path: str
    query: str
    key: str
    body_sha256: str
    port: int
    order_id: str = ""
    batchpay_key: str = ""
    status: int = 0
    fault: str = ""
    account: str = ""  # whose key it came with; "" when nobody's


class Log:
    """Appended on arrival, completed when answered."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def enter(self, scope: Any, key: str, body: bytes) -> Entry:
        """Note an arrival."""
        now = time.time_ns()
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        entry = Entry(
            at=time.monotonic(),
            time=f"{second}.{now // 1000 % 10**6:06d}Z",
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            key=key,
            body_sha256=hashlib.sha256(body).hexdigest(),
            port=scope["client"][1] if scope.get("client") else 0,
        )
        self._entries.append(entry)
        return entry

    def entries(self) -> list[Entry]:
        """All that is kept, oldest first."""
        return list(self._entries)

    def documents(self) -> list[dict[str, Any]]:
        """The same as plain values."""
        return [asdict(entry) for entry in self.entries()]
