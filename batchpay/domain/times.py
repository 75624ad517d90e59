"""Days as people say them: of the job's time zone; instants as we keep them: UTC.

>>> first_instant(date(2026, 11, 24), "Asia/Bangkok").isoformat()
'2026-11-23T17:00:00+00:00'
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from batchpay.domain.errors import Usage
from batchpay.domain.text import told

EARLIEST = date(2010, 1, 1)  # no charge is older
LATEST = date(2100, 1, 1)  # no program runs longer
# How far our clock may be from the gateway's: one that is further off makes look-ups and audits
# worthless (docs/faults.md, C04).
SKEW_S = 300
# How far ours may have been from it when something was sent, for all that anybody knows later: the
# gateway may have told no time then, and a person has set the clock since.
ONCE_OFF_S = 86_400
# later than any time, in nanoseconds
NEVER_NS = 2**63 - 1
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BUDDHIST = 543  # years that the Thai calendar is ahead


def day(flag: str, text: str) -> date:
    """`2026-11-24` as a day. Raises Usage, which names the flag, for anything else and for days of
    another age.
    """
    found = _DAY.fullmatch(text)
    try:
        if found:
            said = date(*map(int, found.groups()))
        else:
            said = None
    except ValueError:
        said = None
    if said is None:
        raise Usage(
            f"{flag} {told(text)}: expected a day of the calendar, as 2026-11-24"
        )
    if EARLIEST <= said < LATEST:
        return said
    meant = said.year - _BUDDHIST
    if EARLIEST.year <= meant < LATEST.year:
        hint = f"; did you mean {meant}{said:-%m-%d}?"
    else:
        hint = ""
    raise Usage(
        f"{flag} {said}: expected a day from {EARLIEST} to {LATEST - timedelta(days=1)}{hint}"
    )


def first_instant(day: date, zone: str) -> datetime:
    """When a day of a time zone begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def last_instant(day: date, zone: str) -> datetime:
    """The last whole second of a day of a time zone, in UTC."""
    return first_instant(day + timedelta(days=1), zone) - timedelta(seconds=1)


def day_of(instant: datetime, zone: str) -> date:
    """The day of a time zone in which an instant lies."""
    return instant.astimezone(ZoneInfo(zone)).date()


def since(text: str, zone: str, now: datetime) -> datetime:
    """How far back `--since` looks: the first instant of a day, UTC. Raises Usage, also for a day
    that is to come.
    """
    said = day("--since", text)
    refuse_to_come("--since", said, zone, now)
    return first_instant(said, zone)


def refuse_to_come(flag: str, said: date, zone: str, now: datetime) -> None:
    """Raises Usage for a day that has not begun yet in its time zone."""
    if first_instant(said, zone) > now:
        today = day_of(now, zone)
        raise Usage(
            f"{flag} {said}: lies in the future ({zone}, where it is {today}); the last day to look"
            " at is today"
        )


def local(at: str, zone: str) -> str:
    """An instant for a person: `2026-11-24T17:00:00Z` -> `2026-11-25 00:00:00 Asia/Bangkok`."""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"


def is_instant(text: str) -> bool:
    """`2026-11-24T13:45:39Z`, and a day that there is."""
    return len(text) == 20 and _is_instant(text)


def day_told(at: str, zone: str) -> str:
    """The day of a time zone in which an instant of the gateway's lies; "" where it is none."""
    if is_instant(at):
        return day_of(datetime.fromisoformat(at), zone).isoformat()
    return ""


def instant_ns(text: str) -> int | None:
    """The same as UTC nanoseconds; None for anything else."""
    if not is_instant(text):
        return None
    return int(datetime.fromisoformat(text).timestamp()) * 10**9


@lru_cache(maxsize=4096)  # charges of one second tell the same one
def _is_instant(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return False
