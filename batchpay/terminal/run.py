"""RUN, SETTLE, REPORT: every batch in one line, what is wrong, where the reports are, what to do
next.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batchpay.domain.exits import messages, sentence
from batchpay.domain.model import Outcome
from batchpay.domain.money import money_text, money_told
from batchpay.job.job import Job
from batchpay.messages import labels
from batchpay.messages.message import Message
from batchpay.reconciliation.totals import further_json, further_told, unread_told
from batchpay.terminal.phrases import (
    lift_told,
    mode_told,
    outcomes_told,
    rows_told,
    stop_told,
)
from batchpay.terminal.speech import ENGLISH, Speech
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json, write_lines
from batchpay.terminal.tally import table_lines

if TYPE_CHECKING:
    from batchpay.batches.night import Result
    from batchpay.batches.publish import Published
    from batchpay.domain.model import RunDone
    from batchpay.reconciliation.totals import Equation


def result(job: Job, made: Result, *, as_json: bool, loud: bool) -> None:
    """The verdict: every batch in one line, what is wrong, where the reports are, what to do
    next.
    """
    if as_json:
        write_json(_result_json(job, made))
    elif loud or sys.stdout.isatty() or _is_news(made):
        for line in result_lines(job, made, loud=loud):
            say(line)
    speech = Speech(job.report.language)
    for error in made.trouble:
        write_lines(f"batchpay: {speech.error(error)}", err=True)


def _is_news(made: Result) -> bool:
    """Is there something to say that nobody asked for?"""
    if made.exit_code != 0:
        return True
    return any(
        published.batch.likeness or any(_warned_now(made, published))
        for published in made.published
    )


def _warning_lines(made: Result, published: Published, speech: Speech) -> Iterator[str]:
    if published.batch.likeness:
        likeness = labels.WARNING(text=speech.kept(published.batch.likeness))
        yield f"  {speech.say(likeness)}"
    warned, alike = _warned_now(made, published)
    for said, count in ((labels.NEAR_WARNED, alike), (labels.ODD, warned - alike)):
        if count:
            warning = labels.WARNING(text=said(count=count))
            yield f"  {speech.say(warning)}"


def _warned_now(made: Result, published: Published) -> tuple[int, int]:
    """Orders with a warning that this very run sent, and those of them that resemble another."""
    if made.run is None:
        return 0, 0
    totals = published.totals
    return totals.warned[made.run.id], totals.alike[made.run.id]


def result_lines(job: Job, made: Result, *, loud: bool = False) -> Iterator[str]:
    """The same as lines of text: first what this run did. `loud`: with a table of counts and
    sums.
    """
    speech = Speech(job.report.language)
    if not made.published and not made.trouble:
        yield speech.say(labels.NOTHING_TO_DO(job=job.name))
    if made.run is not None:
        yield from _this_run(job, made.run, speech)
        yield from _held_lines(made.run, made.published, speech)
    for published in made.published:
        yield from _batch_lines(job, made, published, speech)
    for path in made.beside:
        yield speech.say(labels.ALSO_WRITTEN(path=str(path)))
    for note in made.notes:
        yield speech.say(labels.NOTE(text=speech.kept(note)))
    if made.stop:
        yield stop_told(made.stop, speech)
    if loud:
        yield from table_lines(made, speech)
    step = speech.sentence(messages(made.exit_code, made.acts))
    yield speech.say(labels.EXIT(code=str(made.exit_code), step=step))


def _money(sums: Mapping[str, int], speech: Speech) -> str:
    """Sums by currency, side by side."""
    if speech.language == ENGLISH:
        return money_text(sums)
    return (
        " + ".join(money_told(minor, code) for code, minor in sums.items() if minor)
        or "0"
    )


def _batch_lines(
    job: Job, made: Result, published: Published, speech: Speech
) -> Iterator[str]:
    """One batch: where its rows stand, what was charged, what is wrong, where the reports are."""
    batch = published.batch
    totals = published.totals
    rows = rows_told(totals.rows_read, totals.outcomes(), speech)
    head = labels.OF_BATCH(
        file=batch.file, mode=mode_told(batch.mode), batch=batch.id, rows=rows
    )
    yield speech.say(head)
    charged = labels.WHOLE_BATCH(money=_money(totals.money_moved(), speech))
    yield f"  {speech.say(charged)}"
    for message in (*unread_told(totals), *further_told(further_json(totals))):
        yield f"  {speech.say(message)}"
    for lift in published.lifted:
        yield f"  {lift_told(job, lift, speech)}"
    yield from _warning_lines(made, published, speech)
    for note in batch.notes:
        yield f"  {speech.say(labels.NOTE(text=speech.kept(note)))}"
    for equation in published.equations:
        if not equation.closes:
            yield f"  {speech.say(_unequal(equation, speech))}"
    where = labels.REPORTS_LEFT
    if published.files:
        where = labels.REPORTS_IN
    yield f"  {speech.say(where(directory=str(published.directory)))}"


def _unequal(equation: Equation, speech: Speech) -> Message:
    name = speech.equation(equation.name)
    if equation.currency:
        name = f"{equation.currency}: {name}"
    return labels.NOT_EQUAL(
        name=name, left=str(equation.left), right=str(equation.right)
    )


def _this_run(job: Job, run: RunDone, speech: Speech) -> Iterator[str]:
    """What this run did, apart from what the batches came to over all runs."""
    each = outcomes_told(run.outcomes, speech)
    if each:
        each = f" ({each})"
    did = labels.THIS_RUN(
        orders=labels.ORDERS(count=run.sent),
        outcomes=each,
        money=_money(run.charged, speech),
    )
    yield f"{mode_told(job.gateway.mode, then=': ')}{speech.say(did)}"
    yield f"  run {run.id}"
    if run.adopted:
        adopted = labels.RUN_ADOPTED(
            count=run.adopted, money=_money(run.adopted_sums, speech)
        )
        yield f"  {speech.say(adopted)}"
    if run.looked_up:
        looked_up = labels.RUN_LOOKED_UP(orders=labels.ORDERS(count=run.looked_up))
        yield f"  {speech.say(looked_up)}"
    if run.lost:
        yield f"  {speech.say(labels.RUN_LOST())}"
    elif run.restored:
        yield f"  {speech.say(labels.RUN_RESTORED())}"


def _held_lines(
    run: RunDone, published: Sequence[Published], speech: Speech
) -> Iterator[str]:
    """Why it did not go on, and whether that kept back any order."""
    if not run.held:
        return
    said = labels.WENT_NO_FURTHER
    if any(one.totals.count(Outcome.HELD) for one in published):
        said = labels.HELD_THE_REST
    yield f"  {speech.say(said(why=speech.kept(run.held)))}"


def _result_json(job: Job, made: Result) -> dict[str, Any]:
    from batchpay.reports.summary import run_json

    trouble = [
        {"exit_code": error.exit_code, "message": str(error)} for error in made.trouble
    ]
    return {
        "job": job.name,
        "mode": job.gateway.mode,
        "exit_code": made.exit_code,
        "next_step": sentence(made.exit_code, made.acts),
        "who_acts": dict(made.acts.orders),
        "run": run_json(made.run),
        "notes": list(made.notes),
        "beside": [str(path) for path in made.beside],
        "stop": made.stop,
        "trouble": trouble,
        "batches": [_batch_json(published) for published in made.published],
    }


def _batch_json(published: Published) -> dict[str, Any]:
    return {
        "batch": published.batch.id,
        "file": published.batch.file,
        "rows": published.totals.rows_read,
        "outcomes": published.totals.outcomes(),
        "further_charges": further_json(published.totals),
        "reports": [str(path) for path in published.files],
    }
