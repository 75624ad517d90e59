"""`status JOB ORDER_ID`: the whole story of one order on one screen: which rows ask for it, what
each attempt asked, took and sent on, what happened when, in which run and by whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from batchpay.domain import times
from batchpay.domain.money import money_told
from batchpay.job.job import Job
from batchpay.messages import repeats, screens
from batchpay.terminal.speech import Speech

_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ARRIVES = ("created", "sent", "paid")  # transfers of which the bank gets something


def story_lines(job: Job, told: Mapping[str, Any]) -> Iterator[str]:
    """All of it as lines of text."""
    speech = Speech(job.report.language)
    if not told["rows"]:
        none = screens.NO_ROW(order=told["order"], mode=_mode(told["mode"]))
        yield speech.say(none)
    for row in told["rows"]:
        yield _row(told["order"], row, speech)
    for attempt in told["attempts"]:
        yield from _attempt(attempt, job.controls.time_zone, speech)
    yield from _events(job, told["events"], speech, alone=len(told["attempts"]) < 2)


def _mode(mode: str) -> str:
    if mode == "TEST":
        return "TEST, "
    return ""


def _row(order: str, row: Mapping[str, Any], speech: Speech) -> str:
    """Where a row of the order stands."""
    place = repeats.ROW(row=row["row"])
    if row["sheet"]:
        place = repeats.ROW_OF_SHEET(row=row["row"], sheet=row["sheet"])
    stands = speech.say(
        screens.ORDER_STANDS(
            order=order,
            mode=_mode(row["mode"]),
            file=row["file"],
            place=place,
            batch=row["batch"],
            outcome=speech.outcome(row["outcome"]),
        )
    )
    settled = ""
    if row["settled_by"]:
        settled = speech.say(screens.SETTLED_BY(by=row["settled_by"]))
    reason = speech.kept(row["reason"])
    why = "; ".join(filter(None, [row["charge"], reason, settled]))
    if why:
        stands = f"{stands}: {why}"
    if row["who_acts"] != "-":
        acts = screens.WHO_ACTS(party=speech.party(row["who_acts"]))
        stands = f"{stands} {speech.say(acts)}"
    return stands


# --- attempts


def _attempt(one: Mapping[str, Any], zone: str, speech: Speech) -> Iterator[str]:
    """What was asked, what was charged, where the share is; a line each."""
    sends = screens.SENT(count=one["sends"])
    if one["adopted"]:
        sends = screens.WAS_ADOPTED()
    asked = {
        "number": str(one["attempt"]),
        "asked": money_told(one["amount"], one["currency"]),
        "recipient": one["destination"],
        "sends": sends,
    }
    told = screens.ASKED(**asked)
    if one["payment_method"]:
        told = screens.ASKED_FROM(**asked, payer=one["payment_method"])
    yield f"  {speech.say(told)}"
    yield f"    key       {one['key']}"
    charge = one["charge"]
    if charge is not None:
        yield f"    charge    {_charge(charge)}"
        if charge["status"] == "pending":
            yield from _waits(charge, zone)
    if one["transfer"] is not None:
        yield f"    transfer  {_transfer(one['transfer'], one['currency'])}"
    if one["refunded"]:
        back = money_told(one["refunded"], one["currency"])
        yield f"    since     {speech.say(screens.GIVEN_BACK(money=back))}"
    if one["dispute"]:
        yield f"    since     {speech.say(screens.DISPUTED(status=one['dispute']))}"


def _charge(charge: Mapping[str, Any]) -> str:
    status = charge["status"]
    if charge["failure_code"]:
        status = f"{status} ({charge['failure_code']})"
    parts = [
        f"{charge['id']} {status}, {money_told(charge['amount'], charge['currency'])}"
    ]
    if charge["status"] == "successful":
        unit = charge["fee_currency"] or charge["currency"]
        for word, name in (("fee", "fee"), ("VAT", "fee_vat"), ("net", "net")):
            if charge[name] is not None:
                parts.append(f"{word} {money_told(charge[name], unit)}")
        if charge["platform_fee"]:
            parts.append(
                f"commission {money_told(charge['platform_fee'], charge['currency'])}"
            )
    return "; ".join(parts)


def _waits(charge: Mapping[str, Any], zone: str) -> Iterator[str]:
    """What its payer must do, and until when."""
    until = ""
    if charge["expires_at"]:
        until = f" until {times.local(charge['expires_at'], zone)}"
    for word, uri in (("pay at", charge["authorize_uri"]), ("scan", charge["qr_uri"])):
        if uri:
            yield f"    {word:<9} {uri}{until}"


def _transfer(transfer: Mapping[str, Any], currency: str) -> str:
    parts = [f"{transfer['id']} {transfer['stands']}"]
    if transfer.get("amount") is not None:
        parts[0] = f"{parts[0]}, {money_told(transfer['amount'], currency)}"
    if transfer.get("net") is not None and transfer["stands"] in ARRIVES:
        parts.append(f"the bank gets {money_told(transfer['net'], currency)}")
    failed = ", ".join(filter(None, [transfer.get("code"), transfer.get("message")]))
    return "; ".join([*parts, *filter(None, [failed]), *transfer["flaws"]])


# --- what happened


def _events(
    job: Job, events: list[Mapping[str, Any]], speech: Speech, *, alone: bool
) -> Iterator[str]:
    """By run and day, so that each line has its time and what happened alone. `alone`: there is one
    attempt at most, and no need to say which.
    """
    zone = job.controls.time_zone
    above = ("", "")
    for event in events:
        day, _, clock = times.local(event["at"], zone).partition(" ")
        here = (event["run"], day)
        if here != above:
            by_run = screens.BY_RUN(day=day, zone=zone, run=event["run"])
            yield f"  {speech.say(by_run)}"
            above = here
        told = _INSTANT.sub(
            partial(_by_our_clock, zone=zone), _event(event, speech, alone=alone)
        )
        yield f"    {clock.partition(' ')[0]}  {told}"


def _by_our_clock(found: re.Match[str], zone: str) -> str:
    day, _, clock = times.local(found[0], zone).partition(" ")
    return f"{day} {clock.partition(' ')[0]}"


def _event(event: Mapping[str, Any], speech: Speech, *, alone: bool) -> str:
    """What happened, to which attempt, and by whom."""
    told = speech.kept(str(event["told"]))
    if event["attempt"] and not alone:
        of = screens.OF_ATTEMPT(number=str(event["attempt"]), told=told)
        told = speech.say(of)
    if event["state"]:
        told = f"{told} -> {speech.outcome(event['state'])}"
    if event["who"]:
        told = f"{told} (by {event['who']})"
    return told
