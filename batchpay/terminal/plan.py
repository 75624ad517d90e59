"""PLAN: what a run would send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batchpay.domain.money import grouped_text
from batchpay.job.job import Job
from batchpay.messages import labels, screens
from batchpay.terminal.check import counted, sum_told
from batchpay.terminal.phrases import stop_told
from batchpay.terminal.speech import Speech
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json


def plan(job: Job, made: Mapping[str, Any], *, as_json: bool) -> None:
    """What would be sent."""
    if as_json:
        write_json(made)
        return
    speech = Speech(job.report.language)
    for told in made["files"]:
        say(counted(told, speech))
    for line in _would_charge(made, speech):
        say(line)
    for warning in made["warnings"]:
        say(speech.say(labels.WARNING(text=speech.kept(warning))), err=True)
    for line in _not_sent(made["not_sent"], speech):
        say(line)
    for refusal in made["refusals"]:
        say(speech.say(screens.REFUSED(text=speech.kept(refusal))), err=True)
    if made["stop"]:
        say(stop_told(made["stop"], speech))
    say(f"plan {made['plan_hash']}")
    if made["exit_code"]:
        step = speech.kept(made["next_step"])
        say(speech.say(labels.EXIT(code=str(made["exit_code"]), step=step)))


def _would_charge(made: Mapping[str, Any], speech: Speech) -> Iterator[str]:
    """Count and sum by currency, and by recipient."""
    for currency, sent in made["to_send"].items():
        told = screens.WOULD_CHARGE(sum=sum_told(sent, currency, speech))
        yield f"{speech.say(told)}{_shared(sent, currency, speech)}"
    if not made["to_send"]:
        yield speech.say(screens.WOULD_CHARGE_NOTHING())
    for share in made["recipients"][:20]:
        told_sum = sum_told(share, share["currency"], speech)
        yield f"  {share['destination']}: {told_sum}"
    others = len(made["recipients"]) - 20
    if others > 0:
        yield f"  {speech.say(screens.MORE_RECIPIENTS(count=others))}"


def _shared(sent: Mapping[str, Any], currency: str, speech: Speech) -> str:
    """Who gets what of a sum, where the job takes a commission."""
    if "commission" not in sent:
        return ""
    shared = screens.SHARED(
        commission=grouped_text(sent["commission_minor"], currency),
        shares=grouped_text(sent["shares_minor"], currency),
    )
    return f": {speech.say(shared)}"


def _not_sent(groups: Sequence[Mapping[str, Any]], speech: Speech) -> Iterator[str]:
    """The rows that would not be sent, by outcome and reason."""
    for held in groups[:20]:
        rows = labels.ROWS(count=held["count"])
        outcome = speech.outcome(held["outcome"])
        told = screens.NOT_SENT(rows=rows, outcome=outcome)
        if held["reason"]:
            why = speech.kept(held["reason"])
            told = screens.NOT_SENT_WHY(rows=rows, outcome=outcome, why=why)
        yield speech.say(told)
    more = len(groups) - 20
    if more > 0:
        yield f"  {speech.say(screens.MORE_REASONS(more=str(more)))}"
