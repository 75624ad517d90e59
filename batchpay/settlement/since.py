"""SINCE: from when a list begins, so that it shows what it must; and the gateway's times, as its
lists take and tell them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from batchpay.domain.ports import Clock
from batchpay.lifecycle.attempt import Attempt

# every listing begins this long before what it must cover
OVERLAP = timedelta(minutes=10)
# ... where the gateway does not tell its time, and ours may be wrong
EVERYTHING = datetime(1970, 1, 2, tzinfo=UTC)


def charged_since(attempts: Iterable[Attempt], *, dated: bool) -> datetime:
    """From when a list must show what some attempts charged, if it is to prove that they did not.
    `dated`: does the gateway tell its time, so that a clock of ours that is wrong is seen?
    """
    if not dated:
        return EVERYTHING
    since_ns = min(one.charged_since_ns for one in attempts)
    return max(EVERYTHING, datetime.fromtimestamp(since_ns // 10**9, UTC))


def now_of(clock: Clock) -> datetime:
    """Our own time, to the second."""
    return datetime.fromtimestamp(clock.now_ns() // 10**9, UTC)


def iso(at: datetime) -> str:
    """`2026-11-24T13:45:39Z`, as the gateway's lists take it (docs/gateway.md, 7.8)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> datetime | None:
    """The same back; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
