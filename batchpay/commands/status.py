"""STATUS: what a job's journal knows, of every batch or of one order; from the journal alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from batchpay.batches.clock import SystemClock
from batchpay.batches.counted import given_files, last_totals
from batchpay.batches.ending import opens_an_equation
from batchpay.batches.last import last_inputs, last_loss, last_run_json
from batchpay.batches.lifts import lifts
from batchpay.batches.runs import Runs
from batchpay.batches.stories import story_of
from batchpay.batches.strays import adopted_json, stray_totals, strays_of
from batchpay.batches.waiting import Work, status_of
from batchpay.batches.wholeness import loss_of, older_copy, refuse_lost
from batchpay.batches.words import said_in
from batchpay.domain.errors import Usage
from batchpay.domain.events import STOPS
from batchpay.domain.exits import Acts
from batchpay.domain.model import Batch
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.journals.lock import running, witnessed
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.messages import screens, steps
from batchpay.reconciliation.totals import Totals, exit_code, must_act
from batchpay.settlement.in_force import stop_in_force


@dataclass(frozen=True, slots=True)
class Status:
    """Every batch of a job, and what a later run or a person must settle."""

    exit_code: int
    batches: tuple[Mapping[str, Any], ...]  # each as `status --json` shows it
    stop: str = ""
    last_run: Mapping[str, Any] | None = None  # run, started, ended, exit_code
    # host, pid, started, run of the process that is at work now
    running: Mapping[str, str] | None = None
    # charges that no row of a report shows
    adopted: Mapping[str, Any] = field(default_factory=dict)
    acts: Acts = field(default_factory=Acts)
    # every stop that a person ended: at, by, reason, stop
    lifted: tuple[Mapping[str, str], ...] = ()
    # of events, in the last ten days: at, empty, cancelled
    loss: Mapping[str, Any] | None = None
    # every order that is not to be sent because a person said so: as, order_id, reason, by, at
    words: tuple[Mapping[str, Any], ...] = ()
    # that an older copy was put back, and no run has dealt with it; empty where none was
    older: str = ""


def status(job: Job) -> Status:
    """Every batch and where its rows stand; 11 or 12 while anything is open. Raises what opening
    the journal raises, and Misconfigured for one that was lost.
    """
    known_to_be = witnessed(job.state_path, job.name)
    with closing(SqliteJournal(job.state_path, job.name, read_only=True)) as journal:
        journal.verify_shown()
        loss = loss_of(job, journal, known_to_be)
        if not journal.knows_orders():
            refuse_lost(loss)
        return replace(_status(job, journal), older=older_copy(loss))


def _status(job: Job, journal: SqliteJournal) -> Status:
    at_work = running(job.state_path, job.name)
    work = _work_of(journal, at_work)
    now_ns = SystemClock().now_ns()
    latest = last_totals(journal)
    batches: list[Mapping[str, Any]] = []
    counted: list[tuple[Batch, Totals]] = []
    for batch in journal.batches():
        told, totals = status_of(
            job, journal, batch, latest.get(batch.id), now_ns, work
        )
        batches.append(told)
        counted.append((batch, totals))
    stop = stop_in_force(journal.events(STOPS))
    strays = strays_of(job, journal)
    apart = stray_totals(one.finding for one in strays)
    every = [*(totals for _, totals in counted), apart]
    open_equation = opens_an_equation(counted)
    given = given_files(job, counted)
    return Status(
        exit_code=exit_code(
            every, stopped=bool(stop), open_equation=open_equation, ended=False
        ),
        batches=tuple(batches),
        stop=stop,
        last_run=last_run_json(journal),
        running=at_work,
        adopted=adopted_json(strays),
        acts=must_act(every, given, stopped=bool(stop)),
        lifted=tuple(lift.to_json() for lift in lifts(journal)),
        loss=last_loss(journal, now_ns),
        words=tuple(word.to_json() for word in said_in(journal)),
    )


def _work_of(journal: SqliteJournal, at_work: Mapping[str, str] | None) -> Work:
    if at_work is None:
        return Work()
    in_hand = Runs(journal).in_hand(at_work["run"])
    return Work(in_hand, frozenset(last_inputs(journal) or ()))


def story(job: Job, order_id: str, *, spoken: bool = False) -> dict[str, Any]:
    """One order: every row that asks for it, and every event of it. Raises Usage for one that no
    row and no event knows. `spoken`: what happened as messages, to be worded where it is shown.
    """
    with closing(SqliteJournal(job.state_path, job.name, read_only=True)) as journal:
        journal.verify_new()
        told = story_of(job, journal, order_id, spoken=spoken)
        # results.csv puts one before what is no formula
        bare = order_id.removeprefix("'")
        if _is_nothing(told) and bare != order_id:
            told = story_of(job, journal, bare, spoken=spoken)
    if _is_nothing(told):
        told_order = shown(order_id)
        raise Usage(screens.UNKNOWN_ORDER(order=told_order, step=steps.ORDER_ID()))
    return told


def _is_nothing(told: Mapping[str, Any]) -> bool:
    return not told["rows"] and not told["events"]
