"""What a person reads on the terminal: progress while it works, a verdict at the end, a next step
in each.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchpay.batches.clock import iso
from batchpay.domain import times
from batchpay.domain.exits import NEXT_STEP, sentence, sentence_after, worst
from batchpay.domain.model import Outcome
from batchpay.domain.money import both_units, grouped_text, money_text, money_told
from batchpay.domain.text import many
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.messages import labels, repeats, screens, steps
from batchpay.messages.message import Message, plain
from batchpay.reconciliation.totals import further_json, further_told
from batchpay.terminal.checking import counted, sum_told
from batchpay.terminal.speech import ENGLISH, Speech
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json, write_lines
from batchpay.terminal.tally import table_lines
from batchpay.terminal.telling import story_lines

if TYPE_CHECKING:
    from batchpay.batches.night import Result
    from batchpay.batches.publish import Published
    from batchpay.commands.again import Again
    from batchpay.commands.archive import Archives
    from batchpay.commands.audit import Audit
    from batchpay.commands.doctor import Checkup
    from batchpay.commands.status import Status
    from batchpay.commands.verify import Verified
    from batchpay.commands.word import Settled
    from batchpay.domain.model import RunDone
    from batchpay.reconciliation.matching import Difference
    from batchpay.reconciliation.noting import Note
    from batchpay.reconciliation.totals import Equation
    from batchpay.reports.words import Words

NAMED = 3  # orders that a line about several names

# --- run, settle, report


def result(job: Job, made: Result, *, as_json: bool, loud: bool) -> None:
    """The verdict: every batch in one line, what is wrong, where the reports are, what to do
    next.
    """
    if as_json:
        write_json(_result_json(job, made))
    elif loud or sys.stdout.isatty() or _is_news(made):
        for line in result_lines(job, made, loud=loud):
            say(line)
    for error in made.trouble:
        told = str(error)
        if job.report.language != "en":
            told = _words(job).error(error.said)
        write_lines(f"batchpay: {told}", err=True)


def _is_news(made: Result) -> bool:
    """Is there something to say that nobody asked for?"""
    if made.exit_code != 0:
        return True
    return any(
        published.batch.likeness or any(_warned_now(made, published))
        for published in made.published
    )


def _warning_lines(job: Job, made: Result, published: Published) -> Iterator[str]:
    if published.batch.likeness:
        likeness = labels.WARNING(text=_kept(job, published.batch.likeness))
        yield f"  {_worded(job, likeness)}"
    warned, alike = _warned_now(made, published)
    for said, count in ((labels.NEAR_WARNED, alike), (labels.ODD, warned - alike)):
        if count:
            warning = labels.WARNING(text=said(count=count))
            yield f"  {_worded(job, warning)}"


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
    if not made.published and not made.trouble:
        yield _worded(job, labels.NOTHING_TO_DO(job=job.name))
    if made.run is not None:
        yield from _this_run(job, made.run)
        yield from _held_lines(job, made.run, made.published)
    for published in made.published:
        yield from _batch_lines(job, made, published)
    for path in made.beside:
        yield _worded(job, labels.ALSO_WRITTEN(path=str(path)))
    for note in made.notes:
        yield _worded(job, labels.NOTE(text=_kept(job, note)))
    if made.stop:
        stopped = labels.STOP_LINE(stop=_kept(job, made.stop), step=steps.LIFT_STOP())
        yield _worded(job, stopped)
    if loud:
        in_english = job.report.language == "en"
        yield from table_lines(made, None if in_english else _words(job))
    yield _worded(
        job, labels.EXIT(code=str(made.exit_code), step=_next_step(job, made))
    )


def _next_step(job: Job, made: Result) -> str:
    """What stands beside the exit code, in the language of the reports."""
    if job.report.language == "en":
        return sentence(made.exit_code, made.acts)
    from batchpay.domain.exits import messages

    return _words(job).sentence(messages(made.exit_code, made.acts))


def _words(job: Job) -> Words:
    """Another language than English, which needs no catalogue."""
    from batchpay.reports.words import Words

    return Words(job.report.language)


def _worded(job: Job, message: Message) -> str:
    """A line of the verdict, in the language of the reports."""
    if job.report.language == "en":
        return str(message)
    return _words(job).say(message)


def _kept(job: Job, text: str) -> str:
    """A sentence that the journal keeps, in the language of the reports where it can be."""
    if job.report.language == "en":
        return text
    return _words(job).again(text)


def _each(job: Job, counts: Mapping[str, int]) -> str:
    """`1 succeeded, 2 declined`; in English outcomes are the words that programs have, too."""
    if job.report.language == "en":
        return ", ".join(f"{number} {name}" for name, number in counts.items())
    words = _words(job)
    return ", ".join(
        f"{number:,} {words.outcome(name)}" for name, number in counts.items()
    )


def _money(job: Job, sums: Mapping[str, int]) -> str:
    """Sums by currency, side by side."""
    if job.report.language == "en":
        return money_text(sums)
    return (
        " + ".join(money_told(minor, code) for code, minor in sums.items() if minor)
        or "0"
    )


def _batch_lines(job: Job, made: Result, published: Published) -> Iterator[str]:
    """One batch: where its rows stand, what was charged, what is wrong, where the reports are."""
    batch = published.batch
    totals = published.totals
    rows = _rows(totals.rows_read, totals.outcomes())
    if job.report.language != "en":
        told = _words(job).say(labels.ROWS(count=totals.rows_read))
        rows = f"{told} = {_each(job, totals.outcomes()) or 0}"
    head = labels.OF_BATCH(
        file=batch.file, mode=_mode(batch.mode), batch=batch.id, rows=rows
    )
    yield _worded(job, head)
    charged = labels.WHOLE_BATCH(money=_money(job, totals.money_moved()))
    yield f"  {_worded(job, charged)}"
    for message in further_told(further_json(totals)):
        yield f"  {_worded(job, message)}"
    for lift in published.lifted:
        yield f"  {_lift(job, lift)}"
    yield from _warning_lines(job, made, published)
    for note in batch.notes:
        yield f"  {_worded(job, labels.NOTE(text=_kept(job, note)))}"
    for equation in published.equations:
        if not equation.closes:
            yield f"  {_worded(job, _unequal(job, equation))}"
    where = labels.REPORTS_LEFT
    if published.files:
        where = labels.REPORTS_IN
    yield f"  {_worded(job, where(directory=str(published.directory)))}"


def _unequal(job: Job, equation: Equation) -> Message:
    name = equation.name
    if job.report.language != "en":
        name = _words(job).equation(name)
    if equation.currency:
        name = f"{equation.currency}: {name}"
    return labels.NOT_EQUAL(
        name=name, left=str(equation.left), right=str(equation.right)
    )


def _this_run(job: Job, run: RunDone) -> Iterator[str]:
    """What this run did, apart from what the batches came to over all runs."""
    each = _each(job, run.outcomes)
    if each:
        each = f" ({each})"
    did = labels.THIS_RUN(
        orders=labels.ORDERS(count=run.sent),
        outcomes=each,
        money=_money(job, run.charged),
    )
    yield f"{_mode(job.gateway.mode, then=': ')}{_worded(job, did)}"
    yield f"  run {run.id}"
    if run.adopted:
        adopted = labels.RUN_ADOPTED(
            count=run.adopted, money=_money(job, run.adopted_sums)
        )
        yield f"  {_worded(job, adopted)}"
    if run.looked_up:
        looked_up = labels.RUN_LOOKED_UP(orders=labels.ORDERS(count=run.looked_up))
        yield f"  {_worded(job, looked_up)}"
    if run.lost:
        yield f"  {_worded(job, labels.RUN_LOST())}"
    elif run.restored:
        yield f"  {_worded(job, labels.RUN_RESTORED())}"


def _held_lines(
    job: Job, run: RunDone, published: Sequence[Published]
) -> Iterator[str]:
    """Why it did not go on, and whether that kept back any order."""
    if not run.held:
        return
    said = labels.WENT_NO_FURTHER
    if any(one.totals.count(Outcome.HELD) for one in published):
        said = labels.HELD_THE_REST
    yield f"  {_worded(job, said(why=_kept(job, run.held)))}"


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


def again(made: Again, *, as_json: bool) -> None:
    """Where an old report lies, and whether it is to the byte what it was."""
    same = made.kept is not None and not made.differs
    if as_json:
        told = {
            "batch": made.batch_id,
            "seq": made.seq,
            "files": [str(path) for path in made.files],
            "manifest": None,
            "same": same,
            "differs": list(made.differs),
            "exit_code": made.exit_code,
        }
        if made.kept is not None:
            told["manifest"] = str(made.kept)
        write_json(told)
        return
    say(f"batch {made.batch_id} as of event {made.seq}: {made.directory}")
    if made.kept is None:
        say("no manifest of then is kept: nothing says what the files were")
    elif same:
        say(f"every file is to the byte what {made.kept.name} says it was")
    else:
        names = ", ".join(made.differs)
        say(
            f"not what {made.kept.name} says: {names}. A job file or a program that was changed"
            " since writes otherwise: take those of then"
        )


def started(files: list[Path], *, as_json: bool) -> None:
    """What `init` wrote, and what to do next."""
    if as_json:
        write_json({"written": [str(path) for path in files]})
        return
    for path in files:
        say(f"written: {path}")
    say(f"next: put your own orders in place, then batchpay check {files[0]}")


def proposed(files: list[Path], *, as_json: bool) -> None:
    """What `init --from` wrote, and what to do next."""
    if as_json:
        write_json({"written": [str(path) for path in files]})
        return
    for path in files:
        say(f"written: {path}")
    for path in files:  # the lookup files
        if path.name == "recipients.csv":
            say(f"next: write the recipient (recp_…) of each shop into {path}")
        if path.name == "currencies.csv":
            say(f"next: look at the code (THB, JPY, …) of each word in {path}")
    say(
        f"next: look at each guess in {files[0]}, take it out of to_confirm, then batchpay check"
        f" {files[0]}"
    )


def doctor(found: list[Checkup], *, as_json: bool) -> int:
    """What was looked at, the worst last to be missed; returns the exit code."""
    code = worst(finding.exit_code for finding in found)
    if as_json:
        findings = [
            {
                "subject": f.subject,
                "state": f.state,
                "told": f.told,
                "exit_code": f.exit_code,
            }
            for f in found
        ]
        write_json({"findings": findings, "exit_code": code})
        return code
    for finding in found:
        say(f"{finding.state:8} {finding.subject}: {finding.told}")
    warnings = sum(finding.state == "warning" for finding in found)
    step = NEXT_STEP.get(code, "see the findings above")
    if code == 0 and warnings:
        step = f"nothing is wrong; {many(warnings, 'warning')} above to see to"
    say(f"exit {code}: {step}")
    return code


def audit(made: Audit, *, as_json: bool) -> None:
    """Both sides' sums, every difference and a person's word on it, where the files are."""
    if as_json:
        write_json({**made.document(), "files": [str(path) for path in made.files]})
        return
    for line in audit_lines(made):
        say(line)


def audit_lines(made: Audit) -> Iterator[str]:
    """The same as lines of text."""
    match = made.match
    period = made.period
    yield f"{_mode(made.mode, then=': ')}audit of {period.told}"
    yield f"journal: {_sums_told(match.ours, match.ours_count)}"
    yield f"gateway: {_sums_told(match.theirs, match.theirs_count)}"
    for code, one in made.totals.items():
        yield (
            f"{code}: charged in these days {money_told(one.gross, code)}, given back of that"
            f" {money_told(one.refunded, code)}, left {money_told(one.left, code)}; given back in"
            f" these days, of whichever charge, {money_told(one.made, code)}"
        )
    matched = many(match.matched, "charge")
    others = many(match.others, "charge")
    yield (
        f"{matched} alike on both sides, whatever became of them; {others} of the account beside"
        " this job's"
    )
    for difference in match.differences:
        note = made.notes.get(difference.id)
        yield _difference_line(difference, note)
        yield f"  id {difference.id}"
        if note is not None:
            yield _note_line(difference, note, period.zone)
    for told in match.notes:
        yield f"note: {told}"
    for path in made.files:
        yield f"written: {path}"
    yield f"exit {made.exit_code}: {_audit_sentence(made)}"


def _sums_told(sums: Mapping[str, int], counts: Mapping[str, int]) -> str:
    each = [
        f"{money_told(minor, code)} by {many(counts[code], 'charge')}"
        for code, minor in sorted(sums.items())
    ]
    return ", ".join(each) or "nothing charged"


def _difference_line(one: Difference, note: Note | None) -> str:
    """A difference, and whether a person took note of it as it is."""
    about = []
    if one.order_id:
        about.append(f"order {one.order_id}")
    if one.charge_id:
        about.append(one.charge_id)
    parts = [one.kind, one.told]
    if about:
        parts.insert(1, " ".join(about))
    told = ": ".join(parts)
    if note is not None and note.holds(one):
        return f"noted, {told}"
    return told


def _note_line(one: Difference, note: Note, zone: str) -> str:
    """A person's word: on what the difference is, or on what it was."""
    at = times.local(iso(note.at_ns), zone)
    noted = f"  noted {at} by {note.by}"
    if note.holds(one):
        return f"{noted}: {note.reason}"
    was = both_units(note.amount, note.currency)
    return f"{noted}, of an earlier state, {was}; it has changed since, look again: {note.reason}"


def _audit_sentence(made: Audit) -> str:
    """What stands beside an audit's exit code."""
    noted = len(made.match.differences) - len(made.open)
    beside = ""
    if noted:
        beside = f"; {many(noted, 'difference')} noted by a person"
    if not made.open:
        return f"nothing to do{beside}"
    days = f"--from {made.period.first} --to {made.period.last}"
    first = shlex.quote(made.open[0].id)
    more = ""
    if len(made.open) > 1:
        more = ", and so on, each by its own id"
    return (
        f"a person must look at {many(len(made.open), 'difference')}{beside}. One that is"
        f" understood and well is taken note of, and is 12 no longer: batchpay audit JOB {days}"
        f" --note {first} --reason TEXT{more}"
    )


def verified(made: Verified, *, as_json: bool) -> None:
    """What was looked at, every difference, what to do."""
    if as_json:
        write_json(_verified_json(made))
        return
    events = many(made.events, "event")
    say(f"{made.journal}: {events}, the hash chain verifies; its head is {made.digest}")
    manifests = many(len(made.manifests), "manifest")
    files = many(made.files, "file")
    say(f"{manifests} and {files} beside them looked at")
    for one in made.differences:
        say(f"different: {one.path}: {one.told}")
    for note in made.notes:
        say(f"note: {note}")
    step = NEXT_STEP[0]
    if made.differences and made.older:
        step = (
            "batchpay run JOB asks the gateway and takes over what the older copy lacks; verify"
            " again then, and look at what differs still"
        )
    elif made.differences:
        step = (
            "keep a copy of what you have and find out who changed it. batchpay report JOB writes"
            " the reports of batches again from the journal, batchpay audit its own; what differs"
            " after that, move out of the report folder"
        )
    say(f"exit {made.exit_code}: {step}")


def _verified_json(made: Verified) -> dict[str, Any]:
    return {
        "journal": {
            "path": str(made.journal),
            "events": made.events,
            "digest": made.digest,
        },
        "manifests": [str(path) for path in made.manifests],
        "files": made.files,
        "differences": [
            {"path": one.path, "told": one.told} for one in made.differences
        ],
        "notes": made.notes,
        "older": made.older,
        "exit_code": made.exit_code,
    }


def archived(made: Archives, *, as_json: bool) -> None:
    """What was archived, or would be, and what stays as it is and why."""
    if as_json:
        write_json(_archived_json(made))
        return
    what = "would be archived" if made.only_listed else "archived"
    for at, one in enumerate(made.chosen):
        batch = one.batch
        told = f"{what}: {batch.id} ({batch.file}, {many(batch.rows_read, 'row')})"
        if made.written:
            file = made.written[at]
            told += f": {file.path}, {many(file.events, 'event')}, {file.size:,} bytes"
        say(told)
    for kept in made.stay:
        say(f"stays: {kept.batch.id} ({kept.batch.file}): {kept.why}")
    if not made.chosen:
        say(f"no batch to archive before {made.before}")
    if made.written:
        say(
            f"the journal had {made.bytes_before:,} bytes, and has {made.bytes_after:,}"
        )
    if not made.is_shrunk:
        say(
            "note: the journal's file could not be written anew, because another program reads"
            " it or the disk is full: the next batchpay archive makes it smaller"
        )
    say(f"exit {made.exit_code}: {NEXT_STEP[made.exit_code]}")


def _archived_json(made: Archives) -> dict[str, Any]:
    files: list[dict[str, Any]] = [
        {
            "file": str(one.path),
            "sha256": one.sha256,
            "bytes": one.size,
            "events": one.events,
        }
        for one in made.written
    ]
    return {
        "before": made.before.isoformat(),
        "only_listed": made.only_listed,
        "folder": str(made.folder),
        "batches": [
            {"batch": one.batch.id, "file": one.batch.file, "rows": one.batch.rows_read}
            for one in made.chosen
        ],
        "files": files,
        "stay": [
            {"batch": one.batch.id, "code": one.why.code, "why": str(one.why)}
            for one in made.stay
        ],
        "journal_bytes": {"before": made.bytes_before, "after": made.bytes_after},
        "shrunk": made.is_shrunk,
        "exit_code": made.exit_code,
    }


def resolved(job: Job, made: Settled, *, as_json: bool) -> None:
    """What a person's word settled."""
    if as_json:
        write_json({"settled": made.sentence})
    else:
        say(Speech(job.report.language).kept(made.sentence))


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
        rows = _rows_told(batch["rows"], batch["outcomes"], speech)
        head = labels.OF_BATCH(
            file=batch["file"],
            mode=_mode(batch["mode"]),
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
        yield _stop(made.stop, speech)
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
        yield _lift(job, lift)
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


def _lift(job: Job, lift: Mapping[str, str]) -> str:
    at = times.local(lift["at"], job.controls.time_zone)
    if job.report.language != "en":
        lifted = labels.LIFTED(
            by=lift["by"],
            day=at,
            reason=lift["reason"],
            stop=plain(lift["stop"]),
        )
        return _worded(job, lifted)
    return f"a stop was lifted by {lift['by']} on {at}: {lift['reason']} (the stop: {lift['stop']})"


def _stop(stop: str, speech: Speech) -> str:
    told = labels.STOP_LINE(stop=speech.kept(stop), step=steps.LIFT_STOP())
    return speech.say(told)


def _mode(mode: str, then: str = ", ") -> str:
    if mode in ("test", "TEST"):
        return f"TEST{then}"
    return ""


def _place(row: int, sheet: str) -> Message:
    if sheet:
        return repeats.ROW_OF_SHEET(row=row, sheet=sheet)
    return repeats.ROW(row=row)


def _side_by_side(*told: str) -> str:
    return "; ".join(one for one in told if one)


def _rows(rows: int, outcomes: Mapping[str, int]) -> str:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    return f"{many(rows, 'row')} = {counts or 'nothing'}"


def _rows_told(rows: int, outcomes: Mapping[str, int], speech: Speech) -> str:
    """The same, outcomes by their names in the language."""
    if speech.language == ENGLISH:
        return _rows(rows, outcomes)
    each = [f"{number} {speech.outcome(name)}" for name, number in outcomes.items()]
    return f"{speech.say(labels.ROWS(count=rows))} = {', '.join(each) or 0}"


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


# --- plan


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
        say(_stop(made["stop"], speech))
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
