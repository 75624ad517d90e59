"""AUDIT: our journal against the gateway's ledger."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from batchpay.batches.clock import iso
from batchpay.domain import times
from batchpay.domain.money import both_units, money_told
from batchpay.domain.text import many
from batchpay.terminal.phrases import mode_told
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json

if TYPE_CHECKING:
    from batchpay.commands.audit import Audit
    from batchpay.reconciliation.matching import Difference
    from batchpay.reconciliation.noting import Note


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
    yield f"{mode_told(made.mode, then=': ')}audit of {period.told}"
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
    if note.told != one.told:
        was = f"{was}, {note.told}"
    again = "; it has changed since"
    if not one.over:
        again += ", look again"
    return f"{noted}, of an earlier state, {was}{again}: {note.reason}"


def _audit_sentence(made: Audit) -> str:
    """What stands beside an audit's exit code."""
    beside = ""
    if made.noted:
        beside = f"; {many(made.noted, 'difference')} noted by a person"
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
