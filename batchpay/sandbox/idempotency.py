"""`Idempotency-Key`, where the sandbox is told to honour it: the same answer again for a day
(docs/gateway.md, 5).
"""

from __future__ import annotations

import hashlib
from typing import Any

from batchpay.sandbox.ledger import Ledger
from batchpay.sandbox.problems import Problem

DAY_S = 86400


class Replays:
    """First answers by API key, method, path and idempotency key; kept in the ledger, API keys as
    digests only.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._in_flight: set[str] = set()

    def begin(
        self, scope: tuple[str, str, str, str], body: bytes
    ) -> tuple[str, str, dict[str, Any] | None]:
        """Its name, the body's digest and the stored answer, if any; raises 409 for a reused or
        busy key.
        """
        name = hashlib.sha256("\n".join(scope).encode()).hexdigest()
        digest = hashlib.sha256(body).hexdigest()
        if name in self._in_flight:
            raise Problem(
                409,
                "idempotency_in_progress",
                "a request with this idempotency key is in progress",
            )
        stored = self._ledger.find("idempotent", name)
        if stored is not None and self._ledger.now() - stored["at"] < DAY_S:
            if stored["body"] != digest:
                raise Problem(
                    409,
                    "idempotency_key_reused",
                    "this idempotency key came with another body before",
                )
            return name, digest, stored
        self._in_flight.add(name)
        return name, digest, None

    def end(
        self,
        name: str,
        digest: str,
        status: int,
        answer: dict[str, Any] | None,
    ) -> None:
        """Store a final answer; 401, 429 and 5xx are not final, nor is None."""
        self._in_flight.discard(name)
        if answer is not None and status < 500 and status not in (401, 429):
            stored = {
                "id": name,
                "at": self._ledger.now(),
                "body": digest,
                "status": status,
                "answer": answer,
            }
            self._ledger.commit(things=[("idempotent", stored)])
