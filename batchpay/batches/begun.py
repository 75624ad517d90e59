"""BEGUN: what a run is told to do, as the journal keeps it: its verb, its flags, and how its job
is set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchpay.batches.open_job import OpenJob
from batchpay.batches.session import Options
from batchpay.domain.events import RunStarted
from batchpay.domain.money import money_told
from batchpay.domain.times import day_of
from batchpay.job.job import Fee, Job


def begun(opened: OpenJob, options: Options, *, charges: bool) -> RunStarted:
    """`charges` False: it is a `settle`."""
    verb = "settle"
    if charges:
        verb = "run"
    return RunStarted(
        boot_id=opened.clock.boot_id,
        verb=verb,
        flags=tuple(_flags(options, opened.job.controls.time_zone)),
        settings=settings_of(opened.job),
    )


def settings_of(job: Job) -> dict[str, str]:
    """By the key of the job file: how fast a run may ask, what it may not exceed, and the
    commission.
    """
    controls = job.controls
    told = {"rate": _rate(job)}
    money = {
        "max_amount": controls.max_amount,
        "max_total": controls.max_total,
        "max_day": controls.max_day,
        "max_recipient": controls.max_recipient,
    }
    for name, sums in money.items():
        if sums is not None:
            told[name] = _sums(sums)
    if controls.max_failures is not None:
        told["max_failures"] = controls.max_failures.text
    if controls.deadline:
        told["deadline"] = f"{controls.deadline} {controls.time_zone}"
    if job.fee is not None:
        told["fee"] = _fee(job.fee)
    return told


def _fee(fee: Fee) -> str:
    parts = []
    if fee.fixed:
        parts.append(_sums(fee.fixed))
    if fee.percentage is not None:
        parts.append(f"{fee.percentage}%")
    return " + ".join(parts)


def _sums(sums: Mapping[str, int]) -> str:
    return ", ".join(money_told(minor, currency) for currency, minor in sums.items())


def _rate(job: Job) -> str:
    window_s = job.gateway.rate_window_s
    window = {1: "s", 60: "min"}.get(window_s, f"{window_s}s")
    return f"{job.gateway.rate}/{window}"


def _flags(options: Options, zone: str) -> Iterator[str]:
    """As they are typed; what only tells how to wait for others is none of them."""
    if options.limit is not None:
        yield f"--limit {options.limit}"
    if options.canary is not None:
        yield f"--canary {options.canary}"
    if options.yes:
        yield "--yes"
    if options.adopt:
        yield "--adopt"
    if options.since is not None:
        yield f"--since {day_of(options.since, zone)}"
    if options.grace_s is not None:
        yield f"--grace {options.grace_s:g}"
