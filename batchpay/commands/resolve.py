"""RESOLVE: a person's word about one order or about a stop, kept with its reason; never against the
evidence.
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from batchpay.batches.candidates import intent_of_row
from batchpay.batches.clock import iso
from batchpay.batches.counted import is_due, last_totals
from batchpay.batches.index import publish_index
from batchpay.batches.open_job import OpenJob
from batchpay.batches.orders import attempts_of
from batchpay.batches.publish import publish, publish_settled
from batchpay.batches.session import ask_the_gateway
from batchpay.batches.standings import findings_at, findings_of
from batchpay.domain import times
from batchpay.domain.errors import DoesNotAddUp, GatewaySilent, TryLater, Usage
from batchpay.domain.events import (
    Disowned,
    Lifted,
    OrderCancelled,
    RowsGivenUp,
    Word,
    line,
    of,
)
from batchpay.domain.events import Resolved as SaidOfAttempt
from batchpay.domain.model import (
    NO_MONEY,
    Batch,
    ChargeSeen,
    Finding,
    Intent,
    Outcome,
    Page,
    StoredChunk,
)
from batchpay.domain.ports import Gateway
from batchpay.domain.text import many
from batchpay.domain.text import told as shown
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.lifecycle.after import wants_a_word
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import (
    CHARGE_ID,
    Shown,
    could_be,
    flaws_of,
    has_unknown_status,
    key_in,
)
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.listing import Listing
from batchpay.lifecycle.paid import paid_apart
from batchpay.lifecycle.plan import by_order, may_pay, place_of
from batchpay.lifecycle.rows import Row, rows_of
from batchpay.messages import steps
from batchpay.reconciliation.findings import may_be_given_up
from batchpay.settlement import Case, Channel
from batchpay.settlement.by_id import ask_for
from batchpay.settlement.cases import case_among
from batchpay.settlement.doubts import doubt_rules
from batchpay.settlement.lists import Lists, charged_since, may_be


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was settled, in a sentence."""

    sentence: str
    exit_code: int = 0


def lift_stop(job: Job, reason: str) -> Resolved:
    """End the stop in force. Raises Usage when there is none."""
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        stop = opened.stop
        if not stop:
            raise Usage(f"{job.name}: no stop is in force; there is nothing to lift")
        opened.note(Lifted(reason=reason, by=who(), stop=stop))
        _publish_all(opened)
        return Resolved(f"lifted: {stop}. The next run sends again")


def cancel(job: Job, order_id: str, reason: str) -> Resolved:
    """A held order is never sent; with a batch's id, none of those that it has. One that ended
    without money, or that broke a rule, is never asked for again. Raises Usage for any other order.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        if (held := _held_of_batch(opened, order_id)) is not None:
            for one, of_one in held.items():
                _cancel(opened, one, reason, of_one)
            _publish_all(opened)
            return Resolved(
                f"{many(len(held), 'order')} of batch {order_id} cancelled: never sent, whatever"
                " asks again"
            )
        if (sale := _held(opened, order_id)) is None:
            _refuse_said_already(opened, order_id)
            attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
            if attempts:
                raise Usage(
                    f"order {order_id} is {attempts[-1].outcome.value}; only an order that waits to"
                    " be sent, paid or corrected can be cancelled"
                )
            raise Usage(
                f"order {order_id} is in no batch as a row that waits to be sent, paid or"
                " corrected; see results.csv for its id, which has no apostrophe before it"
            )
        _cancel(opened, order_id, reason, sale)
        _publish_all(opened)
        return Resolved(f"order {order_id} is cancelled: it will never be sent")


def cancel_rows(
    job: Job, batch_id: str, rows: Sequence[int], sheet: str | None, reason: str
) -> Resolved:
    """Rows that wait to be corrected, and may have no order id, are never sent, nor is what comes
    back to correct them. Raises Usage for any other row.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        batches = (one for one in opened.journal.batches() if one.id == batch_id)
        batch = next(batches, None)
        if batch is None:
            raise Usage(f"{batch_id}: no such batch; --row is of the batch named")
        places = [_place_in(opened, batch, row, sheet) for row in sorted({*rows})]
        for one in findings_at(opened.job, opened.journal, batch, places):
            _refuse_to_give_up(one)
        told = RowsGivenUp(
            reason=reason,
            by=who(),
            places=tuple(place_of(batch.id, *place) for place in places),
        )
        now_ns = opened.clock.now_ns()
        event = line(told, now_ns, opened.run_id, batch_id=batch.id)
        opened.journal.append([event])
        _publish_all(opened)
        named = ", ".join(str(row) for _, row in places)
        return Resolved(
            f"{many(len(places), 'row')} of batch {batch_id} cancelled ({named}): never sent, nor"
            " is what comes back to correct it"
        )


def _place_in(
    opened: OpenJob, batch: Batch, row: int, sheet: str | None
) -> tuple[str, int]:
    """The sheet of a row of a batch, and its number. Raises Usage where there is none, or one in
    several sheets.
    """
    found = []
    for number, one, first, last in opened.journal.spans(batch.id):
        if first <= row <= last and sheet in (None, one):
            chunk = opened.journal.chunk(batch.id, number)
            if chunk is not None and row in chunk.rows:
                found.append(one)
    if not found:
        where = "" if sheet is None else f" in sheet {shown(sheet)}"
        raise Usage(
            f"batch {batch.id} has no row {row}{where}; results.csv tells the row of each"
        )
    if len(found) > 1:
        sheets = ", ".join(map(shown, found))
        raise Usage(f"row {row} is in several sheets; --sheet says which: {sheets}")
    return found[0], row


def _refuse_to_give_up(finding: Finding) -> None:
    """Raises Usage for a row that waits for nobody's correction, or is over."""
    row = f"row {finding.row}"
    if finding.cancelled is not None:
        raise Usage(
            f"{row} was cancelled already, by {shown(finding.cancelled)}; it is never sent, and"
            " nothing is to do"
        )
    if finding.outcome is Outcome.HELD:
        step = steps.CANCEL_ORDER(order=finding.order_id)
        raise Usage(f"{row} is held, and is cancelled with its order: {step}")
    if not may_be_given_up(finding):
        raise Usage(
            f"{row} is {finding.outcome.value}; only a row that waits to be corrected or paid can"
            " be cancelled"
        )


def _refuse_said_already(opened: OpenJob, order_id: str) -> None:
    """Raises Usage for an order that a person has cancelled before: who, and when."""
    for event in opened.journal.histories([order_id]).get(order_id, ()):
        told = of(event)
        if isinstance(told, SaidOfAttempt) and told.said != "cancelled":
            continue
        if isinstance(told, OrderCancelled | SaidOfAttempt):
            at = times.local(iso(event.at_ns), opened.job.controls.time_zone)
            who_said = shown(told.by) or "a person"
            raise Usage(
                f"order {order_id} was cancelled already, by {who_said} on {at}:"
                f" {shown(told.reason)}; it is never sent, and nothing is to do"
            )


def not_ours(job: Job, key: SecretKey, charge_id: str, reason: str) -> Resolved:
    """A charge that nobody can tell by what it says, of which a person knows that it is none of
    this job's.

    Raises Usage for what is no charge id, or none that the gateway knows, DoesNotAddUp for a charge
    that is this job's by its key or by this journal.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        is_waited_for = opened.recorder.is_unreadable(charge_id)
        is_charge_id = CHARGE_ID.fullmatch(charge_id) is not None
        if not (is_charge_id or is_waited_for):
            raise Usage(f"{charge_id} is no charge id; one begins with chrg_")
        charge = None
        if is_charge_id:
            charge = asyncio.run(
                ask_the_gateway(opened, key, partial(_read, charge_id=charge_id))
            )
        if charge is None and not is_waited_for:
            raise _no_such_charge(charge_id, "nothing was settled")
        if charge is not None:
            _refuse_what_is_told(opened, charge)
        opened.note(Disowned(charge_id=charge_id, reason=reason, by=who()))
        return Resolved(
            f"{charge_id} is none of this job's: it stands in the way of no order any more. Run"
            " again"
        )


def _refuse_what_is_told(opened: OpenJob, charge: ChargeSeen) -> None:
    """A charge that can be read says itself whose it is, or this journal does. Raises
    DoesNotAddUp.
    """
    _refuse_what_was_said(opened, charge)
    if not opened.recorder.whose.is_unclaimed(charge):
        raise DoesNotAddUp(
            f"{charge.id} is no charge of which nobody can tell whose it is: its metadata or"
            " this journal say it; nothing was settled"
        )


def _refuse_what_was_said(opened: OpenJob, charge: ChargeSeen) -> None:
    """A charge is an order's since a person said so: another word about that order ends it. Raises
    DoesNotAddUp.
    """
    case = opened.recorder.cases.case_of(charge.id)
    if case is None or case.attempt is None or key_in(charge) == case.intent.key:
        return
    if charge.id not in case.attempt.twins:
        return
    others = sorted(case.attempt.twins - {charge.id})
    step = steps.OTHER_CHARGE(
        order=case.intent.order_id, charge=next(iter(others), "chrg_…")
    )
    raise DoesNotAddUp(
        f"{charge.id} is a charge of order {case.intent.order_id}, as a person said; nothing was"
        f" settled: {step}"
    )


def charged(
    job: Job,
    key: SecretKey,
    order_id: str,
    charge_id: str,
    reason: str,
) -> Resolved:
    """An order that is not settled was charged by this very charge, which the gateway shows and may
    be what was asked.

    One that is proven settles it. One that is its own and is not what was asked, or that is in a
    status that nobody knows, is unproven, and so is one that carries no key and fits by amount,
    currency, recipient, mode and time: then it is known who accepted it, and why.
    """
    if not CHARGE_ID.fullmatch(charge_id):
        raise Usage(f"{charge_id} is no charge id; one begins with chrg_")
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
        earlier = _said_uncharged(opened, attempts, charge_id)
        row = None
        if earlier is None and all(attempt.closed for attempt in attempts):
            row = _held_row(opened, order_id)
        if row is not None:
            number = max((one.intent.attempt for one in attempts), default=0) + 1
            return _claimed(opened, key, row, number, charge_id, reason)
        case = earlier or _unsettled(opened, order_id, charge_id)
        _refuse_anothers(opened, case.intent, charge_id)
        read = partial(_read_of, opened, case=case, charge_id=charge_id)
        charge, dated = asyncio.run(ask_the_gateway(opened, key, read))
        assert case.attempt is not None
        if charge is None and _is_gone(case.attempt, charge_id):
            return _left_as_told(opened, case, charge_id, reason)
        if charge is None and _is_told_of(case.attempt, charge_id):
            raise DoesNotAddUp(
                f"the gateway knows no charge {charge_id} any more; order {order_id} stays as it is"
            )
        if charge is None:
            raise _no_such_charge(charge_id, f"order {order_id} stays as it is")
        return _settled_by(opened, case, charge, reason, dated=dated)


def _settled_by(
    opened: OpenJob,
    case: Case,
    charge: ChargeSeen,
    reason: str,
    *,
    dated: bool,
) -> Resolved:
    """A person names the charge of an attempt, and the gateway shows it. Raises DoesNotAddUp for
    one that cannot be its own. `dated`: does the gateway tell its time (`lists.may_be`)?
    """
    attempt = case.attempt
    assert attempt is not None
    flaws = flaws_of(charge, case.intent, opened.job.gateway.mode == "live")
    if not flaws and charge.status == "successful" and charge.chain is None:
        flaws = ("no chain on a paid charge",)
    is_unsettled = attempt.outcome is not Outcome.SUCCEEDED
    if not flaws and is_unsettled and has_unknown_status(charge):
        flaws = (f"status: {shown(charge.status)}, which nobody knows",)
    is_known = _is_reported(attempt, charge.id)
    if is_known or charge.id in attempt.twins or key_in(charge) == case.intent.key:
        return _settled_by_its_own(opened, case, charge, flaws, reason)
    has_none = attempt.charge is None or attempt.anothers
    may_be_its_own = has_none and may_be(charge, attempt, opened.recorder, dated=dated)
    if not (may_be_its_own and _is_of_mode(charge, opened.job)):
        raise DoesNotAddUp(
            f"{charge.id} is not order {case.intent.order_id}'s charge: {'; '.join(flaws)}; it"
            " stays as it is"
        )
    asyncio.run(opened.recorder.resolve(case, "charged", reason, who(), charge, flaws))
    return _accepted(opened, case.intent.order_id, flaws)


def _proven(opened: OpenJob, case: Case, charge: ChargeSeen, reason: str) -> Resolved:
    """The charge that a person names is what was asked: it settles the order."""
    asyncio.run(opened.recorder.resolve(case, "charged", reason, who(), charge))
    _publish_all(opened)
    told = f"order {case.intent.order_id} is settled: {charge.id}, {charge.status}"
    return Resolved(_and_the_stop(opened, told))


def _claimed(
    opened: OpenJob,
    key: SecretKey,
    row: Row,
    number: int,
    charge_id: str,
    reason: str,
) -> Resolved:
    """A charge of which nothing tells whose it is, and that asks for what a row asks that waits to
    be sent, is its order's, as a person says: it is taken over as the attempt that would have been
    sent, and nothing is.
    """
    lineages = Lineages.of_job(opened.job, opened.journal)
    intent = intent_of_row(
        opened.job, opened.journal, row, number, opened.run_id, lineages
    )
    order_id = intent.order_id
    _refuse_anothers(opened, intent, charge_id)
    charge = asyncio.run(
        ask_the_gateway(opened, key, partial(_read, charge_id=charge_id))
    )
    if charge is None:
        raise _no_such_charge(charge_id, f"order {order_id} stays as it is")
    if not opened.recorder.whose.is_unclaimed(charge):
        raise DoesNotAddUp(
            f"{charge_id} is no charge of which nobody can tell whose it is; order {order_id} stays"
            " as it is"
        )
    fits = could_be(charge, intent) and may_pay(intent.payer, charge.payer or "")
    if not (fits and charge.takes_money and _is_of_mode(charge, opened.job)):
        flaws = flaws_of(charge, intent, opened.job.gateway.mode == "live")
        raise DoesNotAddUp(
            f"{charge_id} is not what order {order_id} asks for: {'; '.join(flaws)}; it stays as"
            " it is"
        )
    case = asyncio.run(
        opened.recorder.adopt(charge, number, intent, Word(by=who(), reason=reason))
    )
    assert case.attempt is not None
    return _accepted(opened, order_id, case.attempt.flaws)


def _settled_by_its_own(
    opened: OpenJob,
    case: Case,
    charge: ChargeSeen,
    flaws: tuple[str, ...],
    reason: str,
) -> Resolved:
    """A person names a charge of the attempt itself: what it says now is evidence, then the word is
    written down.
    """
    attempt = case.attempt
    assert attempt is not None
    is_open = attempt.outcome is not Outcome.SUCCEEDED
    if not flaws and is_open and len(attempt.twins | {charge.id}) == 1:
        return _proven(opened, case, charge, reason)
    asyncio.run(opened.recorder.found(case, charge, reread=True, by_id=True))
    attempt = case.attempt
    assert attempt is not None and attempt.charge is not None
    # one that waits so is made unproven by the word alone: what it says is no flaw
    if attempt.charge.id == charge.id and not attempt.waits_in_unknown_status:
        asyncio.run(opened.recorder.resolve(case, "accepted", reason, who()))
    else:
        _refuse_lighter(opened, case, charge)
        asyncio.run(
            opened.recorder.resolve(case, "charged", reason, who(), charge, flaws)
        )
    order_id = case.intent.order_id
    if attempt.outcome is not Outcome.SUCCEEDED or flaws:
        differs = flaws or ("the gateway has told otherwise of it",)
        return _accepted(opened, order_id, differs)
    _publish_all(opened)
    told = f"order {order_id} is charged by {charge.id}; {_beside(case, charge)}"
    return Resolved(_and_the_stop(opened, f"{told}; your word is kept"))


def _refuse_lighter(opened: OpenJob, case: Case, charge: ChargeSeen) -> None:
    """Of several charges of an attempt the one that took money is the order's, whatever is said.
    Raises DoesNotAddUp.
    """
    assert case.attempt is not None and case.attempt.charge is not None
    reported = case.attempt.charge
    if Shown(charge).weight[0] < Shown(reported).weight[0]:
        _publish_all(opened)
        raise DoesNotAddUp(
            f"order {case.intent.order_id} is charged by {reported.id}, {reported.status};"
            f" {charge.id} is {charge.status}: it stays as it is"
        )


def _beside(case: Case, charge: ChargeSeen) -> str:
    """Which other charges an order has."""
    assert case.attempt is not None
    others = [one.charge for one in case.others if one.charge is not None]
    ids = {one.id for one in others if one.took_money} | case.attempt.twins
    twins = ", ".join(sorted(ids - {charge.id}))
    if not twins:
        return "no other charge of it is known"
    return f"beside it there is {twins}, which batchpay audit lists"


def _is_gone(attempt: Attempt, charge_id: str) -> bool:
    """Is it the charge that took an attempt's money, and that the gateway knows no more?"""
    return attempt.vanished and _is_reported(attempt, charge_id)


def _is_reported(attempt: Attempt, charge_id: str) -> bool:
    """Is it the charge that an attempt is known by?"""
    return attempt.charge is not None and attempt.charge.id == charge_id


def _left_as_told(
    opened: OpenJob,
    case: Case,
    charge_id: str,
    reason: str,
) -> Resolved:
    """A person says that a charge took its money although the gateway knows it no more."""
    asyncio.run(opened.recorder.resolve(case, "accepted", reason, who()))
    _publish_all(opened)
    told = (
        f"order {case.intent.order_id} stays charged by {charge_id}, which the gateway knows no"
        " more; your word is kept"
    )
    return Resolved(_and_the_stop(opened, told))


def not_charged(
    job: Job,
    key: SecretKey,
    order_id: str,
    reason: str,
) -> Resolved:
    """An order that is not settled took no money: after its doubt period, when neither its id nor a
    complete list shows a charge that may have taken some.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        case = _unsettled(opened, order_id)
        attempt = case.attempt
        has_money = attempt is not None and attempt.outcome is Outcome.SUCCEEDED
        if attempt is not None and has_money and not attempt.vanished:
            raise Usage(f"order {order_id} is succeeded; there is nothing to settle")
        _refuse_too_early(opened, case)
        was_closed = case.attempt is not None and case.attempt.closed
        try:
            found = asyncio.run(
                ask_the_gateway(opened, key, partial(_look_up, opened, case=case))
            )
        except DoesNotAddUp:
            _publish_all(opened)  # what may be its charge is told by its row
            raise
        if found is not None:
            _publish_all(opened)
            if was_closed and not found.takes_money:
                return Resolved(
                    f"order {order_id}: the gateway knows {found.id} again, {found.status}; run"
                    " again"
                )
            if case.attempt is not None and case.attempt.closed:
                told = (
                    f"order {order_id} took no money: {found.id} is {found.status}, which is in the"
                    " journal now"
                )
                return Resolved(_and_the_stop(opened, told))
            told = (
                f"order {order_id} was charged: {found.id}, {found.status}; that is in the"
                " journal now"
            )
            if has_unknown_status(found):
                told += f"; {steps.ACCEPT(order=order_id, charge=found.id)}"
            raise DoesNotAddUp(told)
        asyncio.run(opened.recorder.resolve(case, "not-charged", reason, who()))
        _publish_all(opened)
        return Resolved(
            _and_the_stop(
                opened, f"order {order_id} is settled: not charged; {steps.ASK_AGAIN()}"
            )
        )


# --- parts


def _no_such_charge(charge_id: str, left: str) -> Usage:
    """What was typed is the id of no charge. `left`: what is as it was."""
    return Usage(
        f"the gateway knows no charge {charge_id}: {left}; {steps.CHARGE_ID()}"
    )


def _is_told_of(attempt: Attempt, charge_id: str) -> bool:
    """Does the journal know it as a charge of the attempt?"""
    is_its_own = _is_reported(attempt, charge_id) or charge_id in attempt.twins
    return is_its_own or charge_id == attempt.hinted


def _said_uncharged(
    opened: OpenJob,
    attempts: tuple[Attempt, ...],
    charge_id: str,
) -> Case | None:
    """The attempt that is said to have charged nothing, and that this charge may be of."""
    for attempt, one in opened.recorder.strays.maybe_charged_among(attempts):
        if one.charge_id == charge_id:
            return case_among(attempt, attempts)
    return None


def _unsettled(opened: OpenJob, order_id: str, charge_id: str = "") -> Case:
    """The order's attempt that a person may settle: in doubt, unproven, pending and unknown to the
    gateway or in a status that nobody knows, or refused beside a charge that may be its own; of an
    order that two attempts charged, the one of this charge.
    """
    attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
    if not attempts:
        raise Usage(
            f"order {order_id} was never sent by job {opened.job.name!r}; {steps.ORDER_ID()}"
        )
    for attempt in attempts:
        if _may_be_settled(opened, attempt):
            return case_among(attempt, attempts)
    told = _contested(attempts) or _paid_apart(attempts, charge_id)
    if told is None and charge_id:
        # a person takes what goes to its recipient as it is, or says that it was paid otherwise
        may_be = (one for one in attempts if one.share_differs or wants_a_word(one))
        told = next(may_be, None)
    if told is not None:
        return case_among(told, attempts)
    stands = attempts[-1].outcome
    if stands is Outcome.PENDING:
        raise Usage(
            f"order {order_id} is pending and the gateway knows it: the next run asks what became"
            " of it"
        )
    raise Usage(f"order {order_id} is {stands.value}; there is nothing to settle")


def _may_be_settled(opened: OpenJob, attempt: Attempt) -> bool:
    """Is it open as no gateway will end it, or may a charge that names no order be its own? A
    person tells.
    """
    if attempt.outcome in (Outcome.IN_DOUBT, Outcome.UNPROVEN):
        return True
    is_lost = attempt.outcome is Outcome.PENDING and bool(attempt.missing_ns)
    if is_lost or attempt.waits_in_unknown_status:
        return True
    if attempt.unaccounted or attempt.untold or attempt.vanished:
        return True
    is_said = attempt.said_uncharged and not attempt.by_hand
    if not (attempt.ready or is_said):
        return False
    return opened.recorder.strays.may_be_charged(attempt.intent) is not None


def _contested(attempts: tuple[Attempt, ...]) -> Attempt | None:
    """One whose row may ask for other terms, or that was charged twice: that a person accepts it,
    or says which of its charges is the order's, ends that.
    """
    unsaid = [
        one for one in attempts if one.outcome is Outcome.SUCCEEDED and not one.accepted
    ]
    adopted = next((one for one in unsaid if one.adopted), None)
    return adopted or next((one for one in unsaid if one.others), None)


def _paid_apart(attempts: tuple[Attempt, ...], charge_id: str) -> Attempt | None:
    """Of an order that several attempts charged, and of which nobody said so yet: the one of this
    charge, or the last.
    """
    apart = paid_apart(attempts)
    if not apart or any(attempt.accepted for attempt in apart):
        return None
    return next((one for one in apart if charge_id in one.twins), apart[-1])


def _refuse_anothers(opened: OpenJob, intent: Intent, charge_id: str) -> None:
    """A charge belongs to one order (H05, J11). Raises DoesNotAddUp."""
    known = opened.journal.order_of_charge(charge_id)
    mine = (opened.job.name, intent.order_id, intent.attempt)
    if known is not None and known != mine:
        raise DoesNotAddUp(
            f"{charge_id} is the charge of order {known[1]} (job {known[0]}, attempt {known[2]})"
        )


def _is_of_mode(charge: ChargeSeen, job: Job) -> bool:
    live = job.gateway.mode == "live"
    return charge.livemode is live and charge.id.startswith("chrg_test_") is not live


def _accepted(opened: OpenJob, order_id: str, flaws: tuple[str, ...]) -> Resolved:
    _publish_all(opened)
    told = (
        f"order {order_id} stays unproven ({'; '.join(flaws)}); that you accepted it, and why, is"
        " in the journal: it no longer counts as 12"
    )
    return Resolved(_and_the_stop(opened, told))


def _and_the_stop(opened: OpenJob, told: str) -> str:
    """What was settled may be what a stop is about: that is lifted by a word of its own."""
    if opened.stop:
        return f"{told}. A stop is still in force: {steps.LIFT_STOP()}"
    return told


def _refuse_too_early(opened: OpenJob, case: Case) -> None:
    clock = opened.clock
    rules = doubt_rules(opened.job.gateway, clock)
    if case.attempt:
        doubt = case.attempt.doubt
    else:
        doubt = None
    if doubt is None or (case.attempt and case.attempt.outcome is not Outcome.IN_DOUBT):
        return
    left_s = rules.due_s(doubt) - clock.elapsed_s()
    if left_s > 0 and not rules.absents(doubt):
        raise TryLater(
            f"order {case.intent.order_id} is inside its doubt period for {left_s:.0f} s: what was"
            " sent may yet arrive. Run `batchpay settle` first, which waits and looks, then say it"
            " again"
        )


async def _read_of(
    opened: OpenJob,
    gateway: Gateway,
    channel: Channel,
    case: Case,
    charge_id: str,
) -> tuple[ChargeSeen | None, bool]:
    """The same of a charge that may be an attempt's, and whether the gateway tells its time. That
    it no longer knows the one that the attempt reports as paid is written down (J27).
    """
    charge, is_gone = await _ask(gateway, channel, charge_id)
    assert case.attempt is not None
    has_money = case.attempt.outcome is Outcome.SUCCEEDED
    if is_gone and has_money and _is_reported(case.attempt, charge_id):
        await opened.recorder.missing(case, charge_id)
    return charge, channel.dated


async def _read(
    gateway: Gateway, channel: Channel, charge_id: str
) -> ChargeSeen | None:
    """A charge by its id; None where the gateway shows none. Raises GatewaySilent without an
    answer.
    """
    charge, _ = await _ask(gateway, channel, charge_id)
    return charge


async def _ask(
    gateway: Gateway, channel: Channel, charge_id: str
) -> tuple[ChargeSeen | None, bool]:
    """The same, and whether the gateway says by its own word that there is none."""
    reply = await ask_for(gateway, channel, charge_id)
    if not reply.answered:
        raise channel.fatal or GatewaySilent(
            "the gateway does not answer; nothing was settled"
        )
    if reply.charge is None and reply.status not in (200, 404):
        raise GatewaySilent(
            f"the gateway does not tell of {charge_id} ({reply.status}); nothing was settled"
        )
    return reply.charge, reply.charge is None and reply.is_unknown


async def _look_up(
    opened: OpenJob,
    gateway: Gateway,
    channel: Channel,
    case: Case,
) -> ChargeSeen | None:
    """A charge of this attempt that takes money or may, by its id and in a complete list, written
    down as it came; None when there is none. What the list shows of other orders is, too.

    Raises GatewaySilent when that cannot be known, DoesNotAddUp for a list that lacks what the
    journal has proof of.
    """
    attempt = case.attempt
    assert attempt is not None
    own = _own_id(opened, attempt)
    if CHARGE_ID.fullmatch(own):
        by_id = await _read(gateway, channel, own)
        if by_id is not None and _says_enough(by_id, attempt):
            await opened.recorder.found(case, by_id, by_id=True)
            return by_id
    lists = Lists(
        opened.job.gateway,
        gateway,
        channel,
        opened.recorder,
        opened.clock,
        lambda moved: None,
    )
    found: list[ChargeSeen] = []

    async def absorb(page: Page) -> None:
        mine = [one for one in page.charges if key_in(one) == case.intent.key]
        found.extend(mine)
        others = tuple(one for one in page.charges if one not in mine)
        await lists.absorb_known(replace(page, charges=others))

    since = charged_since([attempt], dated=channel.dated)
    opened.recorder.expected.remember(int(since.timestamp()) * 10**9)
    if attempt.charge is not None:
        # of this one it is asked whether it is there
        opened.recorder.expected.known.pop(own, None)
    listing = await lists.read(since, absorb)
    news = [charge for charge in found if charge.takes_money]
    if not news and not attempt.closed and attempt.outcome is not Outcome.UNPROVEN:
        news = found[:1]
    for charge in news:
        await opened.recorder.found(case, charge)
    if news:
        return news[0]
    await _refuse_beside_another(opened, lists, listing, case, own)
    if not found:  # else it is known to have taken none, and that is all that is asked
        of_a_charge = attempt.charge is not None
        await _refuse_unproving(opened, channel, lists, listing, of_a_charge)
    return None


def _own_id(opened: OpenJob, attempt: Attempt) -> str:
    """By what id its charge is known, if by any. What was told for this order and is another's is
    none: its own is looked for by its key (J11).
    """
    own = attempt.hinted
    if attempt.charge is not None:
        own = attempt.charge.id
    if own and opened.recorder.whose.is_anothers(own, attempt.intent):
        return ""
    return own


def _says_enough(by_id: ChargeSeen, attempt: Attempt) -> bool:
    """Does what the gateway says of its charge, asked for its id, say what became of it?"""
    told = attempt.charge is not None or key_in(by_id) == attempt.intent.key
    return told and (by_id.takes_money or attempt.outcome is not Outcome.UNPROVEN)


async def _refuse_beside_another(
    opened: OpenJob,
    lists: Lists,
    listing: Listing | None,
    case: Case,
    own: str,
) -> None:
    """Raises DoesNotAddUp beside a charge that may be the attempt's, and does not say so."""
    assert case.attempt is not None
    unclear = await lists.may_be_its(listing, case.attempt)
    if unclear in ("", own):
        return
    if case.attempt.outcome is Outcome.IN_DOUBT:
        await opened.recorder.unclear(case, unclear)
    step = steps.SETTLE_UNCLEAR(order=case.intent.order_id, charge=unclear)
    raise DoesNotAddUp(
        f"{unclear} may be the charge of order {case.intent.order_id}, and carries no key:"
        f" nothing was settled; {step}"
    )


async def _refuse_unproving(
    opened: OpenJob,
    channel: Channel,
    lists: Lists,
    listing: Listing | None,
    of_a_charge: bool,
) -> None:
    """Raises DoesNotAddUp for a list that lacks what there is, GatewaySilent for one that was not
    read whole: neither proves that a charge was not made.

    `of_a_charge`: the word is of a charge that is gone. Where several are, each waits for its own
    word, not for the others'.
    """
    if listing is not None and listing.complete:
        # one that is gone is a stop, which says what ends that
        await lists.still_lacking(listing)
    if of_a_charge:
        for charge_id in lists.gone:
            opened.recorder.expected.known.pop(charge_id, None)
    if listing is not None and (lacking := lists.lacking(listing)):
        raise DoesNotAddUp(_proves_nothing(opened, lacking[0], lists.gone))
    if not lists.proves_absence(listing):
        raise channel.fatal or GatewaySilent(
            "the gateway's list could not be read completely; nothing was settled"
        )


def _proves_nothing(opened: OpenJob, lacking: str, gone: Collection[str]) -> str:
    """Why a list that lacks a charge settles no order, and what ends that where the charge is gone
    for good. `gone`: charges that had not ended, and that the gateway does not know any more.
    """
    told = (
        f"the gateway's list lacks {lacking}, which this journal has proof of: such a list proves"
        " nothing, and nothing was settled"
    )
    case = opened.recorder.cases.case_of(lacking)
    if case is not None and lacking in gone:
        step = steps.SETTLE_GONE(order=case.intent.order_id, charge=lacking)
        return f"{told}; the gateway does not know it any more: {step}"
    if lacking not in opened.recorder.stopped_for:
        return told
    stop = f"that is a stop: {opened.recorder.stopped}"
    return f"{told}; {stop}; {steps.LIFT_STOP()}, then say this again"


@dataclass(frozen=True, slots=True)
class _Sale:
    """A held order, as its rows know it."""

    # their places, and the places and ids that they go back to: it is cancelled with these
    keys: tuple[str, ...] = ()
    # orders whose ids they had before, perhaps by a mistake
    had: tuple[str, ...] = ()

    def __or__(self, other: _Sale) -> _Sale:
        return _Sale((*self.keys, *other.keys), (*self.had, *other.had))


def _cancel(opened: OpenJob, order_id: str, reason: str, sale: _Sale) -> None:
    """`sale`: all that it is known by, so that it is cancelled whatever id it comes back under."""
    attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
    held = next((attempt for attempt in attempts if attempt.ready), None)
    if held is not None:
        asyncio.run(
            opened.recorder.resolve(
                case_among(held, attempts), "cancelled", reason, who()
            )
        )
        return
    told = OrderCancelled(
        reason=reason,
        by=who(),
        sale=sale.keys,
        had=sale.had,
    )
    event = line(told, opened.clock.now_ns(), opened.run_id, order_id=order_id)
    opened.journal.append([event])


def _held(opened: OpenJob, order_id: str) -> _Sale | None:
    """All that an order's sale is known by, where it has an attempt, or a batch a row of it, that
    waits to be sent, paid or corrected; None where it has not.
    """
    attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
    if any(attempt.ready for attempt in attempts):
        return _Sale()
    took_none = all(attempt.outcome in NO_MONEY for attempt in attempts)
    batches = (
        _held_in(opened, batch, given_up=took_none)
        for batch in reversed(opened.journal.batches())
    )
    return next((held[order_id] for held in batches if order_id in held), None)


def _held_row(opened: OpenJob, order_id: str) -> Row | None:
    """The row of an order that waits to be sent, of the youngest batch that has one."""
    for batch in reversed(opened.journal.batches()):
        repeats = opened.journal.repeats(batch.id)
        for chunk, findings in findings_of(opened.job, opened.journal, batch)():
            for at, one in enumerate(findings):
                if one.outcome is Outcome.HELD and one.order_id == order_id:
                    return rows_of(batch.id, chunk, repeats)[at]
    return None


def _held_of_batch(opened: OpenJob, batch_id: str) -> dict[str, _Sale] | None:
    """The held orders of the batch with this id; None when it is no batch's. Raises Usage when it
    holds none.
    """
    batch = next(
        (batch for batch in opened.journal.batches() if batch.id == batch_id), None
    )
    if batch is None:
        return None
    if not (held := _held_in(opened, batch)):
        raise Usage(
            f"batch {batch_id} has no order that is held; there is nothing to cancel"
        )
    return held


def _held_in(
    opened: OpenJob, batch: Batch, *, given_up: bool = False
) -> dict[str, _Sale]:
    """Held order -> its sale; `given_up`: and each that a person may give up."""
    held: dict[str, _Sale] = {}
    lineages = Lineages.of_job(opened.job, opened.journal)
    for chunk, findings in findings_of(opened.job, opened.journal, batch)():
        for at, one in enumerate(findings):
            gives_up = given_up and one.order_id and may_be_given_up(one)
            if one.outcome is Outcome.HELD or gives_up:
                held[one.order_id] = held.get(one.order_id, _Sale()) | _sale_of(
                    lineages, batch, chunk, at
                )
    return held


def _sale_of(
    lineages: Lineages,
    batch: Batch,
    chunk: StoredChunk,
    at: int,
) -> _Sale:
    corrects = chunk.corrects.get(at)
    earlier = chunk.earlier.get(at, ())
    place = place_of(batch.id, chunk.sheet, chunk.rows[at])
    if corrects:
        return _Sale((place, *lineages.of(corrects, earlier).keys))
    return _Sale((place,), tuple(map(by_order, earlier)))


def _publish_all(opened: OpenJob) -> None:
    """Every report in which something moved, or a row was settled by what moved, or that tells of a
    lifted stop.
    """
    latest = last_totals(opened.journal)
    for batch in opened.journal.batches():
        if is_due(opened.journal, batch.id, latest.get(batch.id), opened.stop):
            publish(opened, batch)
    publish_settled(opened)
    publish_index(opened)


def who() -> str:
    """Whose word it is: the name of the user of this process."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
