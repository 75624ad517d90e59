"""STANDING: what a row of a file is, and what may become of it. The one decision about a row.

    row + what the journal knows + what holds rows back  ->  one of the kinds of Standing

Every command that tells of rows, and the run that sends them, ask here: they cannot disagree.
Nothing here knows a clock, a disk or a network. First what the row is by itself, and the first that
knows an answer has the word:

    its own attempt -> its problems, and the rows of its run that contest it
                    -> what took money for its sale, or goes first of it (sales) -> a person's word
                    -> what asked for the same, in vain, under an earlier id
                    -> its order's attempts, and the row it repeats

Whatever would be sent then passes the gates of `holds`: a first attempt, a later one, one that goes
on, and one that is taken over from a file that is not here. First `blocked`, then what a day may
take, then whether its one-time token is spent. What goes beside it in the same run is asked as the
rows are walked (`held_beside`).

What goes in and what comes out stands in `rows`; when two ask for the same, in `terms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchpay.domain.model import NO_MONEY, Outcome
from batchpay.job.job import MAX_ATTEMPTS
from batchpay.lifecycle.ancestry import goes_back_to
from batchpay.lifecycle.attempt import Attempt, may_be_made_since
from batchpay.lifecycle.contested import alike_conflict, contested, look_alike
from batchpay.lifecycle.going import over_limit
from batchpay.lifecycle.holds import blocked, kept_back
from batchpay.lifecycle.paid import beside
from batchpay.lifecycle.rows import (
    Cancelled,
    ConflictWith,
    DuplicateOf,
    Guards,
    History,
    MayGo,
    Owns,
    Rejected,
    RepeatOf,
    Row,
    Standing,
    conflict_with,
    duplicate_of,
    sendable_of,
)
from batchpay.lifecycle.sales import (
    asked_before,
    called_off,
    in_vain_by_terms,
    is_kin,
    keys_of,
    kin_of,
    kin_without_money,
    owner_of,
    why_cancelled,
)
from batchpay.lifecycle.terms import (
    asks_the_same,
    contradicts,
    differs,
    is_to_the_letter,
    same_terms,
)
from batchpay.lifecycle.unclaimed import may_be_charge_of
from batchpay.lifecycle.unusual import warnings_of
from batchpay.messages import standing as said
from batchpay.messages import steps
from batchpay.messages.message import Entry

# --- the decision


def stand(row: Row, history: History, guards: Guards) -> Standing:
    """What the row is now. Total: every row gets exactly one standing."""
    standing = _stand_now(row, history, guards)
    if isinstance(standing, ConflictWith):
        return replace(standing, given_up=why_cancelled(row, history, guards))
    return standing


def _stand_now(row: Row, history: History, guards: Guards) -> Standing:
    standing = _stand_by_itself(row, history, guards)
    sendable = sendable_of(standing)
    if sendable is None:
        return standing
    gate = blocked(row, sendable, history, guards) or over_limit(row, sendable, guards)
    if gate is not None:
        return kept_back(sendable, gate)
    return standing


def _stand_by_itself(row: Row, history: History, guards: Guards) -> Standing:
    """What it would be if nothing kept it back."""
    attempts = history.attempts.get(row.order_id, ())
    row = _known_by_its_id(row, attempts)
    owned = _own_attempt(row, history)
    if owned is not None and not _planned_anew(row, owned, guards):
        shown = _of_its_own(row, owned, history, guards)
        return _unless_given_up(shown, row, history, guards)
    flawed = _flawed(row, history, guards)
    if isinstance(flawed, Rejected):
        return replace(flawed, given_up=why_cancelled(row, history, guards))
    if flawed is not None:
        return _known_of_it(row, history, guards, owned) or flawed
    kin = kin_of(row, history, guards, owned)
    if kin is not None:
        return _of_one_sale(row, kin)
    reason = why_cancelled(row, history, guards)
    judged = _judged(row, attempts, history, guards)
    if reason and not _is_beside_money(judged, attempts):
        return Cancelled(reason)
    over = asked_before(row, history, guards)
    if over is not None:
        return duplicate_of(over, said.DUPLICATE_EARLIER_ASKED)
    if isinstance(judged, DuplicateOf):
        return _unless_anothers(row, judged, history)
    if isinstance(judged, RepeatOf):
        # As the row that it repeats: nobody waits for an owner that never comes.
        return contested(row, history, guards) or judged
    if isinstance(judged, MayGo):
        return _with_its_past(row, judged, owned, history, guards)
    return judged


def _is_beside_money(judged: Standing, attempts: Sequence[Attempt]) -> bool:
    """Does a row stand beside an attempt of its own id that has money, or may? A word that was said
    of the row under another id gives up nothing of that, and nobody is to ask for it anew.
    """
    is_beside = isinstance(judged, DuplicateOf | ConflictWith)
    return is_beside and any(one.stands for one in attempts)


def _known_by_its_id(row: Row, attempts: Sequence[Attempt]) -> Row:
    """Of two rows whose ids look alike, the one whose id the history knows does not give way."""
    if row.repeat is not None and row.repeat.looks_like and attempts:
        return replace(row, repeat=row.repeat.by_itself)
    return row


# --- its own attempt


def _own_attempt(row: Row, history: History) -> Attempt | None:
    """What the row caused; nothing where an adopted charge knows its batch and not its row, and
    several rows may be it.
    """
    owned = owner_of(history, row.batch_id, row.sheet, row.row, row.order_id)
    has_repeats = row.repeat is not None and not row.repeat.alone
    if owned is not None and not owned.placed and has_repeats:
        return None
    return owned


def _planned_anew(row: Row, owned: Attempt, guards: Guards) -> bool:
    """Was its own attempt never charged, and can it not be sent as the row asks, or at all? Then
    the row is judged afresh (J13).
    """
    if owned.adopted or not owned.ready:
        return False
    if owned.reused and guards.stop:
        return False  # it shows what it came to until a person has looked
    if row.problems or owned.reused:
        return True
    if row.repeat is not None and row.repeat.outcome is not Outcome.DUPLICATE:
        return True
    return not is_to_the_letter(row.document, owned)


def _of_its_own(
    row: Row,
    owned: Attempt,
    history: History,
    guards: Guards,
) -> Standing:
    """The row caused an attempt: it shows what became of it."""
    warnings = warnings_of(row, history, before_ns=owned.sent_ns)
    if _asks_for_other_terms(row, owned, guards):
        flaw = "terms: the row asks for other terms than the adopted charge has"
        # one that named the charge took its terms, too
        word = owned.accepted or owned.by_hand
        flawed = replace(owned, flaws=(*owned.flaws, flaw), accepted=word)
        return Owns(flawed, warnings=warnings, contradicts=not word)
    paid = beside(owned, history.attempts.get(owned.intent.order_id, ()))
    if owned.ready:
        if paid is not None:
            return conflict_with(paid, said.CONFLICT_PAID, steps.OTHER_CONTENT())
        reason = why_cancelled(row, history, guards)
        if reason:
            return Cancelled(reason)
    if owned.refused:
        owned = _may_be_charged(owned, guards)
    if not owned.may_go_again or row.problems or paid is not None:
        return Owns(owned, warnings=warnings)
    kin = kin_of(row, history, guards, owned)
    if kin is not None and owned.ready:
        return _of_one_sale(row, kin)
    if kin is not None:
        return Owns(owned, warnings=warnings)
    if not is_to_the_letter(row.document, owned):
        return Owns(owned, warnings=warnings)
    attempts = history.attempts.get(owned.intent.order_id, ())
    before = _but_for(owned, attempts, row, history, guards)
    return Owns(
        owned,
        resumes=True,
        warnings=warnings,
        before=before,
    )


def _unless_given_up(
    standing: Standing, row: Row, history: History, guards: Guards
) -> Standing:
    """With a person's word that nobody pays any more what ended without money; or that it was never
    to be sent, where it was charged all the same.
    """
    if not isinstance(standing, Owns):
        return standing
    if standing.attempt.outcome in NO_MONEY:
        return replace(standing, given_up=why_cancelled(row, history, guards))
    return replace(standing, given_up=called_off(row, standing.attempt, history))


def _may_be_charged(refused: Attempt, guards: Guards) -> Attempt:
    """A refused attempt, with the charge that names nobody and may be its own after all."""
    charges = may_be_charge_of(refused, guards.nameless, guards.job)
    charge = next(charges, None)
    if charge is None:
        return refused
    return replace(refused, may_be=charge.charge_id)


def _asks_for_other_terms(row: Row, owned: Attempt, guards: Guards) -> bool:
    """Is it an adopted charge, which may have taken money, of other terms than its row has? Of one
    that the gateway has not decided nobody can say anything yet.
    """
    is_checked = bool(row.document) and not row.problems
    is_open = owned.outcome is Outcome.PENDING
    if not owned.adopted or owned.closed or is_open or not is_checked:
        return False
    return not asks_the_same(row.document, owned, guards.extras_from)


def _known_of_it(
    row: Row,
    history: History,
    guards: Guards,
    owned: Attempt | None,
) -> DuplicateOf | ConflictWith | Cancelled | None:
    """What money or a person's word says of a row that others of its run contest: it comes before
    what they say of each other.
    """
    kin = kin_of(row, history, guards, owned)
    if kin is not None and kin.stands:
        return _of_one_sale(row, kin)
    reason = why_cancelled(row, history, guards)
    if reason:
        return Cancelled(reason)
    attempts = history.attempts.get(row.order_id, ())
    is_alone = row.repeat is not None and row.repeat.alone  # in its own file
    if is_alone and any(one.stands for one in attempts):
        judged = _judged(row, attempts, history, guards)
        if isinstance(judged, DuplicateOf):
            return _unless_anothers(row, judged, history)
    return None


# --- its problems and its repeats


def _flawed(
    row: Row, history: History, guards: Guards
) -> Rejected | ConflictWith | None:
    """What the row is by itself, and beside the other rows of its run, whatever the journal has."""
    if row.problems:
        return Rejected(row.problems)
    repeat = row.repeat
    if repeat is None:
        return None
    if repeat.outcome is Outcome.REJECTED:
        return Rejected(why=(repeat.reason,))
    if repeat.outcome is not Outcome.CONFLICT:
        return None
    if repeat.looks_like:
        twin = look_alike(row, history, guards)
        if twin is not None:
            return alike_conflict(row, twin)
    return ConflictWith((repeat.reason,))


# --- its sale


def _of_one_sale(row: Row, kin: Attempt) -> DuplicateOf | ConflictWith:
    """A row of a sale that another order asks for already.

    A row that corrects another may be told from it by what it asks for: then nobody but a person
    knows which it is.
    """
    is_same = same_terms(row.document, kin)
    if row.corrects:
        if is_same:
            return duplicate_of(kin, _as_it_goes(kin, said.DUPLICATE_CORRECTS))
        return conflict_with(kin, said.CONFLICT_CORRECTS, step=steps.ANOTHER_SALE())
    if goes_back_to(kin.intent, (row.place,)):
        return duplicate_of(kin, _as_it_goes(kin, said.DUPLICATE_CORRECTED))
    if goes_back_to(kin.intent, keys_of(row)):
        if is_same:
            return duplicate_of(kin, _as_it_goes(kin, said.DUPLICATE_ORDER_CORRECTED))
        return conflict_with(
            kin, _as_it_goes(kin, said.CONFLICT_CORRECTED), step=steps.NEW_ID()
        )
    if is_same:
        return duplicate_of(kin, _as_it_goes(kin, said.DUPLICATE_EARLIER_ID))
    return conflict_with(kin, said.CONFLICT_EARLIER_ID)


def _as_it_goes(kin: Attempt, sentence: Entry) -> Entry:
    """What is said of an order that was sent, or, where it was never charged, that goes first."""
    if kin.ready:
        return _GOES_FIRST[sentence]
    return sentence


_GOES_FIRST = {
    said.DUPLICATE_CORRECTS: said.DUPLICATE_CORRECTS_FIRST,
    said.DUPLICATE_CORRECTED: said.DUPLICATE_CORRECTED_FIRST,
    said.DUPLICATE_ORDER_CORRECTED: said.DUPLICATE_ORDER_CORRECTED_FIRST,
    said.DUPLICATE_EARLIER_ID: said.DUPLICATE_EARLIER_ID_FIRST,
    said.CONFLICT_CORRECTED: said.CONFLICT_CORRECTED_FIRST,
}


# --- its order's attempts


def _judged(
    row: Row,
    attempts: Sequence[Attempt],
    history: History,
    guards: Guards,
) -> Standing:
    """What its order's attempts make of a row that owns none of them (docs/never-twice.md, "The
    same again, or something else").
    """
    not_over = [attempt for attempt in attempts if not attempt.closed]
    if not_over:  # first what has money, or may: it lets no other go
        open_one = next((one for one in not_over if one.stands), not_over[0])
        return _beside_open(row, attempts, open_one, history, guards)
    if not attempts:
        return _first_here(row, 1)
    last = attempts[-1]
    made_by = guards.extras_from
    asked = [attempt for attempt in attempts if not attempt.set_aside]
    if any(attempt.intent.batch_id == row.batch_id for attempt in asked):
        if asks_the_same(row.document, last, made_by):
            return duplicate_of(last)
        return _in_conflict(row, last, said.CONFLICT_OWN_BATCH)
    same = [
        attempt for attempt in asked if asks_the_same(row.document, attempt, made_by)
    ]
    if same and (not row.comeback or _answers(same[-1], history)):
        return duplicate_of(same[-1])
    if last.intent.attempt >= MAX_ATTEMPTS:
        return conflict_with(last, said.CONFLICT_ATTEMPTS, attempts=MAX_ATTEMPTS)
    return _first_here(row, last.intent.attempt + 1, attempts)


def _beside_open(
    row: Row,
    attempts: Sequence[Attempt],
    last: Attempt,
    history: History,
    guards: Guards,
) -> Standing:
    """Its order has an attempt that is not over: one that was never charged goes on from here, or
    is planned anew.
    """
    of_this_batch = last.intent.batch_id == row.batch_id
    owner_is_here = of_this_batch or last.intent.batch_id in guards.present
    only_one = beside(last, attempts) is None
    goes_on_here = row.caused(last)  # else it would show it, and not be judged
    if last.reused and not owner_is_here:
        goes_on_here = True
    is_planned_anew = last.ready and goes_on_here
    if asks_the_same(row.document, last, guards.extras_from) and not is_planned_anew:
        if (
            not last.may_go_again
            or owner_is_here
            or not only_one
            or row.repeat is not None
        ):
            return duplicate_of(last)
        before = _but_for(last, attempts, row, history, guards)
        return duplicate_of(last, resumes=True, before=before)
    may_be_replaced = last.ready and only_one and last.intent.attempt < MAX_ATTEMPTS
    if may_be_replaced and (of_this_batch or not owner_is_here):
        return _first_here(row, last.intent.attempt + 1, attempts, withdraw=last)
    return _in_conflict(row, last, said.CONFLICT_CONTENT)


def _in_conflict(row: Row, attempt: Attempt, sentence: Entry) -> ConflictWith:
    """It asks for something else than an attempt of its order: for what, and what to do."""
    return conflict_with(
        attempt, sentence, differs(row.document, attempt), steps.OTHER_CONTENT()
    )


def _answers(attempt: Attempt, history: History) -> bool:
    """Was it made since the row's file came? `batchpay_retry` asks for one attempt more than there
    were then.

    Of several rows that ask for it, in however many files, one is that attempt and the others are
    its duplicates.
    """
    received_ns = history.received_ns
    return received_ns is not None and may_be_made_since(attempt, received_ns)


def _first_here(
    row: Row,
    number: int,
    before: Sequence[Attempt] = (),
    withdraw: Attempt | None = None,
) -> RepeatOf | MayGo:
    """The row may go, unless an earlier row of the same run asks for the same."""
    if row.repeat is not None:
        return RepeatOf(row.repeat)
    return MayGo(number, tuple(before), withdraw)


def _unless_anothers(
    row: Row, judged: DuplicateOf, history: History
) -> DuplicateOf | ConflictWith:
    """What a row was judged to be, unless it came back as a copy of an order that the row which it
    names never asked for: a fill handle went over it. What that row did not tell says nothing.
    """
    named = history.named.get(row.place)
    if named is None or not contradicts(named, judged.attempt):
        return judged
    asked = judged.attempt.intent
    keys = [key for key in (row.corrects, history.sale(row)) if key]
    if goes_back_to(asked, keys):
        return judged
    return conflict_with(
        judged.attempt,
        said.CONFLICT_ANOTHERS,
        order=asked.order_id,
        step=steps.OWN_ID(),
    )


# --- what was before


def _with_its_past(
    row: Row,
    may_go: MayGo,
    owned: Attempt | None,
    history: History,
    guards: Guards,
) -> MayGo:
    """With the attempts that took no money and are of its sale, or may be, and with its own, where
    that asked for another order when the row was first planned.
    """
    kin = tuple(kin_without_money(row, history, guards))
    by_terms = tuple(in_vain_by_terms(row, history, guards))
    unsure = (one for one in kin if is_kin(row, one, history, guards) is None)
    withdraw = may_go.withdraw
    if withdraw is None and owned is not None and not owned.closed:
        withdraw = owned
    warnings = warnings_of(row, history, before_ns=guards.began_ns)
    return replace(
        may_go,
        before=(*may_go.before, *kin, *by_terms),
        withdraw=withdraw,
        warnings=warnings,
        unsure=(*unsure, *by_terms),
    )


def _but_for(
    begun: Attempt,
    attempts: Sequence[Attempt],
    row: Row,
    history: History,
    guards: Guards,
) -> tuple[Attempt, ...]:
    """The same for an attempt that goes on: all but itself."""
    others = (one for one in attempts if one is not begun)
    return (
        *others,
        *kin_without_money(row, history, guards),
        *in_vain_by_terms(row, history, guards),
    )
