"""RESOLVE: a person's word about one order or about a stop, kept with its reason; never against the
evidence.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial

from batchpay.batches.candidates import intent_of_row
from batchpay.batches.open_job import OpenJob
from batchpay.batches.orders import attempts_of
from batchpay.batches.session import ask_the_gateway, say_account
from batchpay.batches.standings import findings_of
from batchpay.commands.looking import is_reported, look_up, read, read_of
from batchpay.commands.word import Settled, and_the_stop, publish_all, who
from batchpay.domain.errors import DoesNotAddUp, TryLater, Usage
from batchpay.domain.events import (
    Disowned,
    Lifted,
    Word,
)
from batchpay.domain.model import (
    ChargeSeen,
    Intent,
    Outcome,
)
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
from batchpay.lifecycle.paid import paid_apart
from batchpay.lifecycle.rows import Row, rows_of
from batchpay.messages import labels, screens, steps
from batchpay.settlement import Case
from batchpay.settlement.cases import case_among
from batchpay.settlement.doubts import doubt_rules
from batchpay.settlement.may_be import may_be


def lift_stop(job: Job, reason: str) -> Settled:
    """End the stop in force. Raises Usage when there is none."""
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        stop = opened.stop
        if not stop:
            raise Usage(screens.NO_STOP(job=job.name))
        opened.note(Lifted(reason=reason, by=who(), stop=stop))
        publish_all(opened)
        return Settled(str(screens.LIFTED(stop=stop)))


def of_account(job: Job, key: SecretKey, account_id: str, reason: str) -> Settled:
    """The journal is of this account, as a person says whose key it is. See `take_account` for what
    is raised.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        before = asyncio.run(say_account(opened, key, account_id, who(), reason))
        publish_all(opened)
        done = screens.OF_ACCOUNT(account=account_id)
        if before:
            done = screens.OF_ACCOUNT_NOW(account=account_id, before=before)
        return Settled(and_the_stop(opened, str(done)))


def not_ours(job: Job, key: SecretKey, charge_id: str, reason: str) -> Settled:
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
            raise Usage(screens.NO_CHARGE_ID(charge=charge_id))
        charge = None
        if is_charge_id:
            charge = asyncio.run(
                ask_the_gateway(opened, key, partial(read, charge_id=charge_id))
            )
        if charge is None and not is_waited_for:
            told = screens.NO_SUCH_CHARGE(charge=charge_id, step=steps.CHARGE_ID())
            raise Usage(told)
        if charge is not None:
            _refuse_what_is_told(opened, charge)
        opened.note(Disowned(charge_id=charge_id, reason=reason, by=who()))
        return Settled(str(screens.NOT_OURS(charge=charge_id)))


def _refuse_what_is_told(opened: OpenJob, charge: ChargeSeen) -> None:
    """A charge that can be read says itself whose it is, or this journal does. Raises
    DoesNotAddUp.
    """
    _refuse_what_was_said(opened, charge)
    if not opened.recorder.whose.is_unclaimed(charge):
        raise DoesNotAddUp(screens.CHARGE_TELLS(charge=charge.id))


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
    order_id = case.intent.order_id
    told = screens.SAID_OTHERWISE(charge=charge.id, order=order_id, step=step)
    raise DoesNotAddUp(told)


def charged(
    job: Job,
    key: SecretKey,
    order_id: str,
    charge_id: str,
    reason: str,
) -> Settled:
    """An order that is not settled was charged by this very charge, which the gateway shows and may
    be what was asked.

    One that is proven settles it. One that is its own and is not what was asked, or that is in a
    status that nobody knows, is unproven, and so is one that carries no key and fits by amount,
    currency, recipient, mode and time: then it is known who accepted it, and why.
    """
    if not CHARGE_ID.fullmatch(charge_id):
        raise Usage(screens.NO_CHARGE_ID(charge=charge_id))
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        # a later word ends the one that it is none of this job's
        opened.recorder.strays.disowned.discard(charge_id)
        attempts = attempts_of(opened.journal, [order_id]).get(order_id, ())
        earlier = _said_uncharged(opened, attempts, charge_id)
        row = None
        if earlier is None and all(attempt.closed for attempt in attempts):
            row = _held_row(opened, order_id)
        if row is not None:
            number = max((one.intent.attempt for one in attempts), default=0) + 1
            return _claimed(opened, key, row, number, charge_id, reason)
        if earlier is None and _is_asked_for_still(opened, attempts, charge_id):
            done = screens.CHARGED_ALREADY(order=order_id, charge=charge_id)
            return Settled(and_the_stop(opened, str(done)))
        case = earlier or _unsettled(opened, order_id, charge_id)
        _refuse_anothers(opened, case.intent, charge_id)
        read = partial(read_of, opened, case=case, charge_id=charge_id)
        charge, dated = asyncio.run(ask_the_gateway(opened, key, read))
        assert case.attempt is not None
        if charge is None and _is_gone(case.attempt, charge_id):
            return _left_as_told(opened, case, charge_id, reason)
        if charge is None and _is_told_of(case.attempt, charge_id):
            raise DoesNotAddUp(screens.CHARGE_GONE(charge=charge_id, order=order_id))
        if charge is None:
            raise _no_such_charge(charge_id, order_id)
        return _settled_by(opened, case, charge, reason, dated=dated)


def _settled_by(
    opened: OpenJob,
    case: Case,
    charge: ChargeSeen,
    reason: str,
    *,
    dated: bool,
) -> Settled:
    """A person names the charge of an attempt, and the gateway shows it. Raises DoesNotAddUp for
    one that cannot be its own. `dated`: does the gateway tell its time (`may_be.may_be`)?
    """
    attempt = case.attempt
    assert attempt is not None
    flaws = flaws_of(charge, case.intent, opened.job.gateway.mode == "live")
    if not flaws and charge.status == "successful" and charge.chain is None:
        flaws = ("no chain on a paid charge",)
    is_unsettled = attempt.outcome is not Outcome.SUCCEEDED
    if not flaws and is_unsettled and has_unknown_status(charge):
        flaws = (f"status: {shown(charge.status)}, which nobody knows",)
    is_known = is_reported(attempt, charge.id)
    if is_known or charge.id in attempt.twins or key_in(charge) == case.intent.key:
        return _settled_by_its_own(opened, case, charge, flaws, reason)
    has_none = attempt.charge is None or attempt.anothers
    may_be_its_own = has_none and may_be(charge, attempt, opened.recorder, dated=dated)
    if not (may_be_its_own and _is_of_mode(charge, opened.job)):
        order_id = case.intent.order_id
        told = screens.NOT_ITS_CHARGE(
            charge=charge.id, order=order_id, flaws="; ".join(flaws)
        )
        raise DoesNotAddUp(told)
    asyncio.run(opened.recorder.resolve(case, "charged", reason, who(), charge, flaws))
    return _accepted(opened, case.intent.order_id, flaws)


def _proven(opened: OpenJob, case: Case, charge: ChargeSeen, reason: str) -> Settled:
    """The charge that a person names is what was asked: it settles the order."""
    asyncio.run(opened.recorder.resolve(case, "charged", reason, who(), charge))
    publish_all(opened)
    done = screens.ORDER_SETTLED(
        order=case.intent.order_id, charge=charge.id, status=charge.status
    )
    return Settled(and_the_stop(opened, str(done)))


def _claimed(
    opened: OpenJob,
    key: SecretKey,
    row: Row,
    number: int,
    charge_id: str,
    reason: str,
) -> Settled:
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
        ask_the_gateway(opened, key, partial(read, charge_id=charge_id))
    )
    if charge is None:
        raise _no_such_charge(charge_id, order_id)
    if not opened.recorder.whose.is_unclaimed(charge):
        raise DoesNotAddUp(screens.CHARGE_TELLS_OF(charge=charge_id, order=order_id))
    fits = could_be(charge, intent) and charge.takes_money
    if not (fits and _is_of_mode(charge, opened.job)):
        flaws = flaws_of(charge, intent, opened.job.gateway.mode == "live")
        told = screens.NOT_WHAT_IT_ASKS(
            charge=charge_id, order=order_id, flaws="; ".join(flaws)
        )
        raise DoesNotAddUp(told)
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
) -> Settled:
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
    publish_all(opened)
    done = screens.KEPT_BY(order=order_id, charge=charge.id)
    if others := _beside(case, charge):
        done = screens.KEPT_BESIDE(order=order_id, charge=charge.id, others=others)
    return Settled(and_the_stop(opened, str(done)))


def _refuse_lighter(opened: OpenJob, case: Case, charge: ChargeSeen) -> None:
    """Of several charges of an attempt the one that took money is the order's, whatever is said.
    Raises DoesNotAddUp.
    """
    assert case.attempt is not None and case.attempt.charge is not None
    reported = case.attempt.charge
    if Shown(charge).weight[0] < Shown(reported).weight[0]:
        publish_all(opened)
        told = screens.CHARGED_BY_ANOTHER(
            order=case.intent.order_id,
            other=reported.id,
            stands=reported.status,
            charge=charge.id,
            status=charge.status,
        )
        raise DoesNotAddUp(told)


def _beside(case: Case, charge: ChargeSeen) -> str:
    """Which other charges an order has, as far as is known."""
    assert case.attempt is not None
    others = [one.charge for one in case.others if one.charge is not None]
    ids = {one.id for one in others if one.took_money} | case.attempt.twins
    return ", ".join(sorted(ids - {charge.id}))


def _is_gone(attempt: Attempt, charge_id: str) -> bool:
    """Is it the charge that took an attempt's money, or may have, and that the gateway knows no
    more?
    """
    is_open = attempt.vanished or attempt.lost
    return is_open and charge_id in {one.id for one in attempt.gone}


def _left_as_told(
    opened: OpenJob,
    case: Case,
    charge_id: str,
    reason: str,
) -> Settled:
    """A person says that a charge took its money although the gateway knows it no more."""
    asyncio.run(opened.recorder.resolve(case, "accepted", reason, who()))
    assert case.attempt is not None
    if case.attempt.flaws:
        return _accepted(opened, case.intent.order_id, case.attempt.flaws)
    publish_all(opened)
    done = screens.STAYS_CHARGED(order=case.intent.order_id, charge=charge_id)
    return Settled(and_the_stop(opened, str(done)))


def not_charged(
    job: Job,
    key: SecretKey,
    order_id: str,
    reason: str,
) -> Settled:
    """An order that is not settled took no money: after its doubt period, when neither its id nor a
    complete list shows a charge that may have taken some.
    """
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        case = _unsettled(opened, order_id)
        attempt = case.attempt
        has_money = attempt is not None and attempt.outcome is Outcome.SUCCEEDED
        if attempt is not None and has_money and not attempt.vanished:
            raise _nothing_to_settle(order_id, attempt.outcome)
        _refuse_too_early(opened, case)
        was_closed = case.attempt is not None and case.attempt.closed
        try:
            found = asyncio.run(
                ask_the_gateway(opened, key, partial(look_up, opened, case=case))
            )
        except DoesNotAddUp:
            publish_all(opened)  # what may be its charge is told by its row
            raise
        if found is not None:
            publish_all(opened)
            if was_closed and not found.takes_money:
                done = screens.KNOWN_AGAIN(
                    order=order_id, charge=found.id, status=found.status
                )
                return Settled(str(done))
            if case.attempt is not None and case.attempt.closed:
                done = screens.TOOK_NONE(
                    order=order_id, charge=found.id, status=found.status
                )
                return Settled(and_the_stop(opened, str(done)))
            raise _was_charged(order_id, found)
        asyncio.run(opened.recorder.resolve(case, "not-charged", reason, who()))
        publish_all(opened)
        done = screens.NOT_CHARGED(order=order_id, step=steps.ASK_AGAIN())
        return Settled(and_the_stop(opened, str(done)))


def _was_charged(order_id: str, found: ChargeSeen) -> DoesNotAddUp:
    """What the look-up found is the order's."""
    told = {"order": order_id, "charge": found.id, "status": found.status}
    if has_unknown_status(found):
        step = steps.ACCEPT(order=order_id, charge=found.id)
        return DoesNotAddUp(screens.WAS_CHARGED_STEP(**told, step=step))
    return DoesNotAddUp(screens.WAS_CHARGED(**told))


def _no_such_charge(charge_id: str, order_id: str) -> Usage:
    """What was typed is the id of no charge."""
    step = steps.CHARGE_ID()
    told = screens.NO_SUCH_CHARGE_OF(charge=charge_id, order=order_id, step=step)
    return Usage(told)


def _nothing_to_settle(order_id: str, stands: Outcome) -> Usage:
    told = screens.NOTHING_TO_SETTLE(order=order_id, outcome=labels.outcome(stands))
    return Usage(told)


def _is_told_of(attempt: Attempt, charge_id: str) -> bool:
    """Does the journal know it as a charge of the attempt?"""
    is_its_own = is_reported(attempt, charge_id) or charge_id in attempt.twins
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
    if not attempts and _held_row(opened, order_id) is not None:
        step = steps.CANCEL_ORDER(order=order_id)
        raise Usage(screens.HELD_UNSENT(order=order_id, step=step))
    if not attempts:
        job_name = opened.job.name
        told = screens.NEVER_SENT(order=order_id, job=job_name, step=steps.ORDER_ID())
        raise Usage(told)
    of = _settleable(opened, attempts, charge_id)
    if of is not None:
        return case_among(of, attempts)
    stands = attempts[-1].outcome
    if stands is Outcome.PENDING:
        raise Usage(screens.KNOWN_PENDING(order=order_id))
    raise _nothing_to_settle(order_id, stands)


def _settleable(
    opened: OpenJob, attempts: tuple[Attempt, ...], charge_id: str
) -> Attempt | None:
    """The attempt of these that a person may settle; `charge_id`: by the word that this charge is
    the order's.
    """
    for attempt in attempts:
        if _may_be_settled(opened, attempt):
            return attempt
    of = _contested(attempts) or _paid_apart(attempts, charge_id)
    if of is None and charge_id:
        # a person takes what goes to its recipient as it is, or says that it was paid otherwise
        may_be = (one for one in attempts if one.share_differs or wants_a_word(one))
        of = next(may_be, None)
    return of


def _is_asked_for_still(
    opened: OpenJob, attempts: tuple[Attempt, ...], charge_id: str
) -> bool:
    """Does a stop in force name this charge, which was not to be seen then, though its order is
    charged by it and nothing else is to be said of that?
    """
    names_it = charge_id in str(opened.stop)
    if not names_it or _settleable(opened, attempts, charge_id) is not None:
        return False
    return any(
        one.outcome is Outcome.SUCCEEDED and is_reported(one, charge_id)
        for one in attempts
    )


def _may_be_settled(opened: OpenJob, attempt: Attempt) -> bool:
    """Is it open as no gateway will end it, or may a charge that names no order be its own? A
    person tells.
    """
    if attempt.outcome in (Outcome.IN_DOUBT, Outcome.UNPROVEN):
        return True
    if attempt.lost or attempt.waits_in_unknown_status:
        return True
    if attempt.unaccounted or attempt.untold or attempt.shaken:
        return True
    if not (attempt.ready or attempt.unconfirmed):
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
        told = screens.OF_ANOTHER_ORDER(
            charge=charge_id, order=known[1], job=known[0], attempt=str(known[2])
        )
        raise DoesNotAddUp(told)


def _is_of_mode(charge: ChargeSeen, job: Job) -> bool:
    live = job.gateway.mode == "live"
    return charge.livemode is live and charge.id.startswith("chrg_test_") is not live


def _accepted(opened: OpenJob, order_id: str, flaws: tuple[str, ...]) -> Settled:
    publish_all(opened)
    done = screens.STAYS_UNPROVEN(order=order_id, flaws="; ".join(flaws))
    return Settled(and_the_stop(opened, str(done)))


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
        order_id = case.intent.order_id
        told = screens.IN_DOUBT_PERIOD(order=order_id, seconds=f"{left_s:.0f}")
        raise TryLater(told)


def _held_row(opened: OpenJob, order_id: str) -> Row | None:
    """The row of an order that waits to be sent, of the youngest batch that has one."""
    for batch in reversed(opened.journal.batches()):
        repeats = opened.journal.repeats(batch.id)
        for chunk, findings in findings_of(opened.job, opened.journal, batch)():
            for at, one in enumerate(findings):
                if one.outcome is Outcome.HELD and one.order_id == order_id:
                    return rows_of(batch.id, chunk, repeats)[at]
    return None
