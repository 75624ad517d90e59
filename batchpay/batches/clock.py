"""Time: a wall clock that cannot jump within a run, and one that counts suspension."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """Clock protocol: wall time is read once and carried on by CLOCK_BOOTTIME (clock_gettime(2),
    Linux).
    """

    def __init__(self) -> None:
        self._wall_ns = time.time_ns()
        self._start_s = self.elapsed_s()
        self.boot_id = _boot_id()

    def now_ns(self) -> int:
        """UTC nanoseconds; never goes back, whatever is done to the machine's clock meanwhile."""
        return self._wall_ns + int((self.elapsed_s() - self._start_s) * 1e9)

    def today(self) -> datetime:
        """The instant as a UTC date and time."""
        return datetime.fromtimestamp(self.now_ns() / 1e9, UTC)

    def elapsed_s(self) -> float:
        """Seconds since boot, suspension included; elsewhere than on Linux the monotonic clock."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def run_began(run_id: str, at_ns: int) -> str:
    """When a run began, as its id says: it waited for another one, perhaps, and read its journal
    before it wrote down, at `at_ns`, that it had. ISO 8601 UTC.
    """
    told = _RUN_ID.match(run_id)
    if told is None:
        return iso(at_ns)
    return f"{told[1]}T{told[2]}:{told[3]}:{told[4]}Z"


_RUN_ID = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z-", re.ASCII)


def iso(at_ns: int) -> str:
    """`2026-11-24T13:45:39Z`; the empty text for no time."""
    if at_ns:
        return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
    return ""


def ns_of(text: str) -> int:
    """The reverse of `iso`, to the second."""
    return (
        int(
            datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
            .replace(tzinfo=UTC)
            .timestamp()
        )
        * 1_000_000_000
    )


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        # unknown: every run counts its periods from its own start
        return uuid.uuid4().hex
