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
from batchpay.lifecycle.after import ARRIVES
from batchpay.messages import repeats, screens
from batchpay.messages.message import Entry
from batchpay.terminal.speech import Speech
from batchpay.terminal.tally import cell_len

_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# what is told of the costs of a charge, each with its name there
KEPT_OF_IT = (
    (screens.FEE, "fee"),
    (screens.VAT, "fee_vat"),
    (screens.NET, "net"),
)
NAME_WIDTH = 9  # of what stands before a line


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
    for name, text in _lines(one, zone, speech):
        yield f"    {_padded(speech.say(name()))} {text}"


def _padded(name: str) -> str:
    width = len(name) if name.isascii() else cell_len(name)
    return name + " " * (NAME_WIDTH - width)


def _lines(
    one: Mapping[str, Any], zone: str, speech: Speech
) -> Iterator[tuple[Entry, str]]:
    yield screens.KEY, one["key"]
    charge = one["charge"]
    if charge is not None:
        yield screens.CHARGE, _charge(charge, speech)
        if charge["status"] == "pending":
            yield from _waits(charge, zone, speech)
    if one["transfer"] is not None:
        yield screens.TRANSFER, _transfer(one["transfer"], one["currency"], speech)
    if one["refunded"]:
        back = money_told(one["refunded"], one["currency"])
        yield screens.SINCE, speech.say(screens.GIVEN_BACK(money=back))
    if one["dispute"]:
        yield screens.SINCE, speech.say(screens.DISPUTED(status=one["dispute"]))


def _charge(charge: Mapping[str, Any], speech: Speech) -> str:
    status = charge["status"]
    if charge["failure_code"]:
        status = f"{status} ({charge['failure_code']})"
    parts = [f"{charge['id']} {status}"]
    # None: nobody can read it, as is told of the attempt
    if charge["amount"] is not None:
        parts[0] += f", {money_told(charge['amount'], charge['currency'])}"
    if charge["status"] == "successful":
        unit = charge["fee_currency"] or charge["currency"]
        for entry, name in KEPT_OF_IT:
            if charge[name] is not None:
                money = money_told(charge[name], unit)
                parts.append(speech.say(entry(money=money)))
        if charge["platform_fee"]:
            ours = money_told(charge["platform_fee"], charge["currency"])
            parts.append(speech.say(screens.COMMISSION(money=ours)))
    return "; ".join(parts)


def _waits(
    charge: Mapping[str, Any], zone: str, speech: Speech
) -> Iterator[tuple[Entry, str]]:
    """What its payer must do, and until when."""
    for name, uri in (
        (screens.PAY_AT, charge["authorize_uri"]),
        (screens.SCAN, charge["qr_uri"]),
    ):
        if uri and charge["expires_at"]:
            at = times.local(charge["expires_at"], zone)
            yield name, speech.say(screens.UNTIL(uri=uri, at=at))
        elif uri:
            yield name, uri


def _transfer(transfer: Mapping[str, Any], currency: str, speech: Speech) -> str:
    parts = [f"{transfer['id']} {speech.transfer(transfer['stands'])}"]
    if transfer.get("amount") is not None:
        parts[0] = f"{parts[0]}, {money_told(transfer['amount'], currency)}"
    if transfer.get("net") is not None and transfer["stands"] in ARRIVES:
        net = money_told(transfer["net"], currency)
        parts.append(speech.say(screens.BANK_GETS(money=net)))
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
    told = "; ".join(map(speech.say, event["told"]))
    if event["attempt"] and not alone:
        of = screens.OF_ATTEMPT(number=str(event["attempt"]), told=told)
        told = speech.say(of)
    if event["state"]:
        told = f"{told} -> {speech.outcome(event['state'])}"
    if event["who"]:
        told = speech.say(screens.BY_PERSON(told=told, who=event["who"]))
    return told
