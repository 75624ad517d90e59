"""STATUS: what the journal knows of batches and of one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batchpay.domain import times
from batchpay.domain.exits import sentence_after
from batchpay.domain.money import money_text
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.messages import labels, repeats, screens, steps
from batchpay.messages.message import Message
from batchpay.reconciliation.totals import further_told
from batchpay.terminal.phrases import lift_told, mode_told, rows_told, stop_told
from batchpay.terminal.speech import Speech
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json
from batchpay.terminal.telling import story_lines

if TYPE_CHECKING:
    from batchpay.commands.status import Status

NAMED = 3  # orders that a line about several names


def status(job: Job, made: Status, *, as_json: bool) -> None:
    """Every batch and where its rows stand; every row that waits, with its age."""
    if as_json:
        write_json(_status_json(job, made))
        return
    for line in _status_lines(job, made):
        say(line)


def _status_json(job: Job, made: Status) -> dict[str, Any]:
    return {
        "job": job.name,
        "exit_code": made.exit_code,
        "stop": made.stop,
        "last_run": made.last_run,
        "running": made.running,
        "who_acts": dict(made.acts.orders),
        "next_step": _status_sentence(made),
        "batches": made.batches,
        "adopted_elsewhere": made.adopted,
        "lifted": made.lifted,
        "loss": made.loss,
        "older": made.older,
        "words": made.words,
    }


def _status_lines(job: Job, made: Status) -> Iterator[str]:
    speech = Speech(job.report.language)
    yield from _runs_lines(job, made, speech)
    if not made.batches:
        yield speech.say(screens.NO_BATCH(job=job.name))
    for batch in made.batches:
        rows = rows_told(batch["rows"], batch["outcomes"], speech)
        head = labels.OF_BATCH(
            file=batch["file"],
            mode=mode_told(batch["mode"]),
            batch=batch["batch"],
            rows=rows,
        )
        yield speech.say(head)
        for message in further_told(batch["further_charges"]):
            yield f"  {speech.say(message)}"
        for line in _open_lines(job, batch["open"], speech):
            yield f"  {line}"
        more = batch["open_count"] - len(batch["open"])
        if more > 0:
            told = screens.MORE_IN_REPORT
            if (job.report.directory / batch["batch"] / "results.csv").exists():
                told = screens.MORE_IN_RESULTS
            yield f"  {speech.say(told(more=str(more)))}"
        if batch["in_work"]:
            yield f"  {speech.say(screens.IN_WORK(count=batch['in_work']))}"
    yield from _adopted_lines(made.adopted, speech)
    yield from _past_lines(job, made, speech)
    if made.stop:
        yield stop_told(made.stop, speech)
    if made.exit_code or made.acts.orders:
        step = speech.kept(_status_sentence(made))
        yield speech.say(labels.EXIT(code=str(made.exit_code), step=step))


def _status_sentence(made: Status) -> str:
    """What stands beside the exit code of `status`, which is 0 while somebody has rows to correct
    and nothing is open.
    """
    last = (made.last_run or {}).get("exit_code")
    return sentence_after(last, made.exit_code, made.acts)


def _open_lines(
    job: Job, orders: Sequence[Mapping[str, Any]], speech: Speech
) -> Iterator[str]:
    """The rows that wait: those that wait for the same in one line."""
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for order in orders:
        but_its_id = order["reason"].replace(order["order"], "")
        alike.setdefault((order["outcome"], order["charge"], but_its_id), []).append(
            order
        )
    for some in alike.values():
        yield _open_line(job, some, speech)


def _open_line(job: Job, some: Sequence[Mapping[str, Any]], speech: Speech) -> str:
    """Rows that wait for the same: how many, since when, for what; the first of them speaks."""
    first = some[0]
    place = _place(first["row"], first["sheet"])
    why = _side_by_side(first["charge"], speech.kept(first["reason"]))
    oldest = max(some, key=lambda one: one["age_s"])
    stands = screens.STANDS_SINCE if oldest["sent"] else screens.STANDS_CAME
    told = stands(
        outcome=speech.outcome(first["outcome"]),
        at=times.local(oldest["since"], job.controls.time_zone),
        age=_age(oldest["age_s"]),
    )
    if len(some) == 1:
        order = first["order"]
        alone = screens.OPEN_ONE(order=order, place=place, stands=told, why=why)
        return speech.say(alone)
    ids = ", ".join(one["order"] for one in some[:NAMED])
    more = len(some) - NAMED
    if more > 0:
        ids = speech.say(screens.IDS_AND_MORE(ids=ids, more=str(more)))
    several = screens.OPEN_SEVERAL(
        count=len(some), ids=ids, stands=told, place=place, why=why
    )
    return speech.say(several)


def _past_lines(job: Job, made: Status, speech: Speech) -> Iterator[str]:
    """The last stop that a person lifted, and a loss of the last days."""
    if made.older:
        yield speech.kept(made.older)
    for lift in made.lifted[-1:]:
        yield lift_told(job, lift, speech)
    loss = made.loss
    if loss is None:
        return
    found = screens.FOUND_EMPTY if loss["empty"] else screens.FOUND_OLDER
    at = times.local(loss["at"], job.controls.time_zone)
    told = speech.say(found(at=at, step=steps.SAY_AGAIN()))
    if loss["cancelled"]:
        orders = ", ".join(map(shown, loss["cancelled"]))
        told = f"{told}. {speech.say(screens.KEPT_CANCELLED(orders=orders))}"
    yield told


def _runs_lines(job: Job, made: Status, speech: Speech) -> Iterator[str]:
    """Who is at work, and how the last run went."""
    zone = job.controls.time_zone
    now = made.running
    last = made.last_run
    if now is not None:
        at = times.local(now["started"], zone)
        running = screens.RUNNING(pid=str(now["pid"]), host=str(now["host"]), at=at)
        yield speech.say(running)
    if last is None:
        return
    if now is not None and now["run"] == last["run"]:
        return
    began = times.local(last["started"], zone)
    if not last["ended"]:
        yield speech.say(screens.LAST_RUN_KILLED(run=last["run"], began=began))
        return
    ended = screens.LAST_RUN(
        run=last["run"],
        began=began,
        ended=times.local(last["ended"], zone),
        code=str(last["exit_code"]),
    )
    yield speech.say(ended)


def _adopted_lines(adopted: Mapping[str, Any], speech: Speech) -> Iterator[str]:
    """Charges of this job that no row of a report shows."""
    if not adopted["count"]:
        return
    sums = money_text({one["currency"]: one["sum_minor"] for one in adopted["charged"]})
    yield speech.say(screens.IN_NO_ROW(count=adopted["count"], sums=sums))
    for one in adopted["charges"][:20]:
        told = screens.CHARGE_IN_NO_ROW(
            order=one["order"],
            charge=one["charge"],
            outcome=speech.outcome(one["outcome"]),
            money=money_text({one["currency"]: one["amount"]}),
            recipient=one["destination"],
        )
        yield f"  {speech.say(told)}"
        if one["open"]:
            yield f"    {speech.kept(one['reason'])}"
    more = adopted["count"] - 20
    if more > 0:
        yield f"  {speech.say(screens.MORE_IN_JSON(more=str(more)))}"


def story(job: Job, told: Mapping[str, Any], *, as_json: bool) -> None:
    """One order on one screen: its rows, its attempts, what happened to it and by whom."""
    if as_json:
        write_json(told)
        return
    for line in story_lines(job, told):
        say(line)


def _place(row: int, sheet: str) -> Message:
    if sheet:
        return repeats.ROW_OF_SHEET(row=row, sheet=sheet)
    return repeats.ROW(row=row)


def _side_by_side(*told: str) -> str:
    return "; ".join(one for one in told if one)


def _age(seconds: int) -> str:
    """`12 s`, `5 min`, `3 h 20 min`, `4 d 2 h`."""
    minutes = seconds // 60
    hours = seconds // 3600
    days = seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    if minutes:
        return f"{minutes} min"
    return f"{seconds} s"
