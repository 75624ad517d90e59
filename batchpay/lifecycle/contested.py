"""CONTESTED: whose money, or whose word, may be about a row under another name: an id that looks
like its own, one that a person cancelled, another job's charge, one that nobody can place.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from batchpay.intake.repeats import look_alike_reason
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.elsewhere import asked_for, asked_of, is_of_sale
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.rows import (
    ConflictWith,
    Elsewhere,
    Guards,
    History,
    Renamed,
    Row,
    conflict_with,
)
from batchpay.lifecycle.sales import (
    ids_for_sure,
    in_vain_by_terms,
    is_kin,
    kin_without_money,
)
from batchpay.lifecycle.terms import Asked
from batchpay.messages import standing as said
from batchpay.messages import steps


def contested(
    row: Row, history: History, guards: Guards
) -> ConflictWith | Renamed | None:
    """Whose money, or whose word, may be about this very row under another name."""
    twin = look_alike(row, history, guards)
    if twin is not None:
        return alike_conflict(row, twin)
    cancelled = _cancelled_alike(row, history, guards)
    if cancelled is not None:
        return cancelled
    other = _elsewhere(row, history, guards)
    if other is not None:
        return Renamed(other)
    unplaced = guards.unplaced
    if unplaced is not None and unplaced.intent.order_id not in history.ids(row):
        return conflict_with(unplaced, said.CONFLICT_UNPLACED)
    return None


def look_alike(row: Row, history: History, guards: Guards) -> Attempt | None:
    """An earlier order whose id is this one but for what programs do to ids; of one that asks for
    the same it is enough that it may be.
    """
    form = guards.form
    for attempt in history.look_alikes.get(alike(row.order_id), ()):
        other = attempt.intent.order_id
        if other != row.order_id and form(other) == form(row.order_id):
            return attempt
    if guards.distinct_ids:
        return None
    for attempt in history.taken_for.get(row.order_id, ()):
        if attempt.intent.order_id not in ids_for_sure(row, history, guards):
            return attempt
    return None


def alike_conflict(row: Row, twin: Attempt) -> ConflictWith:
    """What a row is whose id looks like that of an earlier order."""
    alike_ids = look_alike_reason(row.order_id, twin.intent.order_id)
    return conflict_with(twin, said.CONFLICT_ALIKE, alike=alike_ids)


def _cancelled_alike(row: Row, history: History, guards: Guards) -> ConflictWith | None:
    """A person's word that an order is never sent holds for what programs make of its id, too; of
    one that was to ask for the same it is enough that they may have made it.
    """
    alike_id = guards.cancelled.get(guards.form(row.order_id), row.order_id)
    likely = history.cancelled_for.get(row.order_id, ())
    for other in (alike_id, *likely):
        if other != row.order_id:
            why = said.CONFLICT_CANCELLED_ALIKE(order=other, step=steps.NEW_ID())
            return ConflictWith((why,))
    return None


def _elsewhere(row: Row, history: History, guards: Guards) -> Elsewhere | None:
    """Another job's charge for any order id of the same sale, of what that asks or ever asked for;
    where that job charged it more than once, each is named.
    """
    others: list[Elsewhere] = []
    for order_id in history.ids(row):
        others += history.elsewhere.get(order_id, ())
    if not others:
        return None
    asked = asked_for_sale(row, history, guards)
    found = [other for other in others if is_of_sale(asked_of(other), asked)]
    if not found:
        return None
    first = found[0]
    charge_ids = dict.fromkeys(
        other.charge_id for other in found if other.job == first.job
    )
    return replace(first, charge_id=", ".join(charge_ids))


def asked_for_sale(row: Row, history: History, guards: Guards) -> list[Asked]:
    """What a row asks for, and what was asked before for its sale, or in vain for what may be."""
    documents = (*history.ever_asked(row), *history.went_back.get(row.place, ()))
    own = history.attempts.get(row.order_id, ())
    kin = [one for one in history.kin(row) if is_kin(row, one, history, guards)]
    in_vain = chain(
        kin_without_money(row, history, guards), in_vain_by_terms(row, history, guards)
    )
    every = (*own, *kin, *in_vain)
    return list(asked_for(documents, (one.intent for one in every)))
