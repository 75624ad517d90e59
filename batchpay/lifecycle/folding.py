"""FOLDING: what the events of an attempt add up to, one step a kind.

History goes in, state comes out; a charge that is seen may confirm, correct or contradict what is
known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

from batchpay.domain.events import (
    Absent,
    Adopted,
    Answered,
    Disbelieved,
    Evidence,
    Found,
    Intended,
    Missing,
    Resolved,
    Told,
    TransferSeen,
    Unclear,
    Untold,
    Voided,
    Withdrawn,
    kinds,
    of,
)
from batchpay.domain.model import NO_MONEY, ChargeSeen, Event, Outcome
from batchpay.lifecycle.after import is_stuck
from batchpay.lifecycle.attempt import (
    CANCELLED,
    DENIED,
    WAITS_AGAIN,
    Attempt,
    word_of,
)
from batchpay.lifecycle.charge import (
    KNOWN_STATUS,
    Shown,
    can_be_asked_for,
    key_in,
    outcome_of,
    took_nothing,
)
from batchpay.lifecycle.doubt import Doubt
from batchpay.lifecycle.proof import GOES_AGAIN, Proof


def fold(events: Iterable[Event]) -> tuple[Attempt, ...]:
    """All attempts of one order, first to last, from its events in the journal's order."""
    attempts: dict[int, Attempt] = {}
    for event in events:
        if event.kind in _KINDS:
            before = attempts.get(event.attempt)
            attempts[event.attempt] = advance(before, event)
    return tuple(attempts[number] for number in sorted(attempts))


def advance(attempt: Attempt | None, event: Event, told: Told | None = None) -> Attempt:
    """One more event of an attempt; its first event brings the intent. `told`: what the event
    tells, where that is at hand.
    """
    if told is None:
        told = of(event)
    if attempt is None:
        attempt = _begun(event, told)
    return _STEPS[type(told)](attempt, event, told)


def _begun(event: Event, told: Told) -> Attempt:
    """Raises KeyError for an event by which no attempt begins."""
    if not isinstance(told, Intended | Adopted) or told.intent is None:
        raise KeyError(f"attempt {event.attempt} of order {event.order_id} never began")
    is_adopted = isinstance(told, Adopted)
    return Attempt(told.intent, is_adopted, known_ns=event.at_ns)


def _intended(state: Attempt, event: Event, told: Intended) -> Attempt:
    return _but(
        state,
        sends=state.sends + 1,
        unproven_sends=state.unproven_sends | {event.send},
        doubt=Doubt(told.boot_id, told.boot_s),
        sent_ns=state.sent_ns or event.at_ns,
        went_ns=event.at_ns,
        sent_in=event.run_id,
    )


def _voided(state: Attempt, event: Event, _: Told) -> Attempt:
    return _but(
        state,
        unproven_sends=state.unproven_sends - {event.send},
        never_left=state.never_left + 1,
    )


def _answered(state: Attempt, event: Event, told: Answered) -> Attempt:
    proof = Proof(told.verdict)
    if proof in (Proof.CHARGE, Proof.UNPROVEN):
        return _evidence(state, event, told)
    if proof in GOES_AGAIN:
        return _but(
            state,
            unproven_sends=state.unproven_sends - {event.send},
            never_left=state.never_left + (proof is Proof.NOT_SENT),
            throttled=state.throttled or proof is Proof.THROTTLED,
            code=told.code,
            message=told.message,
        )
    if proof is Proof.REFUSED:
        return _but(
            state,
            unproven_sends=state.unproven_sends - {event.send},
            refused=True,
            settled_ns=event.at_ns,
            code=told.code,
            message=told.message,
        )
    doubt = state.doubt
    # later than the commit, so the safer start
    if doubt is not None and told.left_s is not None:
        doubt = replace(doubt, boot_s=max(doubt.boot_s, float(told.left_s)))
    hinted = state.hinted
    if told.charge is not None and (can_be_asked_for(told.charge.id) or not hinted):
        hinted = told.charge.id
    return _but(
        state,
        doubt=doubt,
        doubted=True,
        hinted=hinted,
        spent=state.spent or told.spent,
        reused=state.reused or proof is Proof.KEY_REUSED,
        code=told.code,
        message=told.message,
    )


def _evidence(state: Attempt, event: Event, told: Evidence) -> Attempt:
    """A charge was seen, by an answer or by a look-up: it ends every doubt about this attempt."""
    found = told.charge
    known = state.charge
    by_id = isinstance(told, Found) and told.by_id
    reread = isinstance(told, Found) and told.reread
    flaws = _flaws_that_count(state, told)
    if found and not flaws and (odd := _oddity(state, event, found, by_id=by_id)):
        return _as_told(state, event, odd)
    carries_its_key = found is not None and key_in(found) == state.intent.key
    seen_now = _seen_now(state, event, by_id=by_id)
    mine = not told.anothers and (carries_its_key or _is_by_hand(told))
    if found is not None and mine and can_be_asked_for(found.id):
        seen_now["twins"] = state.twins | {found.id}
    if found is not None and found.id in state.unknown:
        seen_now["unknown"] = state.unknown - {found.id}
    if found is not None and told.anothers:
        seen_now["strangers"] = state.strangers | {found.id}
    verdict_now = {
        "flaws": flaws,
        "anothers": told.anothers and (not carries_its_key or bool(told.theirs)),
        "reread": state.reread or reread,
    }
    if found is None or known is None:
        return _but(state, **seen_now, **verdict_now, charge=found or known)
    if told.anothers and not carries_its_key and found.id in state.twins:
        return _without(_but(state, **seen_now), found, verdict_now)
    if found.id != known.id:
        is_first = found.id not in state.twins and known.id in state.unknown
        if mine and is_first and _is_misnamed(state, known, found):
            seen_now["twins"] = (state.twins | {found.id}) - {known.id}
            seen_now["missing_ns"] = 0
            return _but(state, **seen_now, **verdict_now, charge=found, accepted="")
        if mine and (known.id in state.twins or _is_vouched_for(state)):
            if known.id in state.unknown:  # what is told of another one is not of it
                seen_now["missing_ns"] = state.missing_ns
            return _with_a_twin(_but(state, **seen_now), state, Shown(found, flaws))
        if _is_known_better(found, known):
            return _but(state, **seen_now)
        if not state.flaws:  # a charge of another order, told for this one: ours stays
            return _but(state, **seen_now)
        return _but(
            state,
            **seen_now,
            **verdict_now,
            charge=found,
            accepted="",
        )
    odd = _odd_still(state, found, by_id=by_id)
    if not flaws and not state.flaws and _is_staler(found, known, by_id=by_id):
        found = known  # a page from before the answer: it takes nothing back
    elif not (_is_taken_back(state, found) or _both_took_nothing(found, known)):
        # the gateway contradicts itself about one charge: that is for a person
        verdict_now["flaws"] = flaws or _flaws_that_stay(state, told)
    now = _but(state, **seen_now, **verdict_now, charge=found, odd=odd)
    if state.accepted and (now.closed or not _accepts(state, now)):
        now = _but(now, accepted="")
    return _weighed(now)


def _without(
    state: Attempt, found: ChargeSeen, verdict_now: Mapping[str, Any]
) -> Attempt:
    """A charge that carried its key when it was told is another order's, as a look-up shows. Of
    several under its key it was none; alone it stays told, as evidence of that.
    """
    assert state.charge is not None
    twins = state.twins - {found.id}
    shown = (Shown(state.charge, state.flaws), *state.others)
    stay = [one for one in shown if one.charge.id != found.id]
    if not stay:
        return _but(state, **verdict_now, twins=twins, charge=found, accepted="")
    first = max(stay, key=lambda one: one.weight)
    return _but(
        state,
        twins=twins,
        charge=first.charge,
        flaws=first.flaws,
        others=tuple(one for one in stay if one is not first),
    )


def _flaws_that_stay(state: Attempt, told: Evidence) -> tuple[str, ...]:
    """What was not as asked of its charge before, but for its being another order's, where it is
    told as its own now: that stands last (Evidence.as_anothers).
    """
    if state.anothers and not told.anothers:
        return state.flaws[:-1]
    return state.flaws


def _both_took_nothing(found: ChargeSeen, known: ChargeSeen) -> bool:
    return found.ended_without_money and known.ended_without_money


def _is_taken_back(state: Attempt, found: ChargeSeen) -> bool:
    """Was a charge that a person took as it is reversed since? Nothing is left to look at."""
    return (
        bool(state.accepted)
        and outcome_of(found) is Outcome.REVERSED
        and not found.paid
    )


def _is_known_better(found: ChargeSeen, known: ChargeSeen) -> bool:
    """Is it under an id that names no charge, and does what is known tell as much of the money?"""
    if can_be_asked_for(found.id):
        return False
    return (
        can_be_asked_for(known.id) or Shown(found).weight[0] <= Shown(known).weight[0]
    )


def _is_misnamed(state: Attempt, gone: ChargeSeen, shown: ChargeSeen) -> bool:
    """Is a charge that the gateway does not know one that it shows under another id? One request
    left, and all but the id is the same, to the letter: then an answer told a false one. Any other
    charge shows of no money that there was none: what was proven is left by a person's word only.
    """
    is_one = bool(gone.created_at) and replace(shown, id=gone.id) == gone
    is_asked_once = state.sends - state.never_left <= 1
    return is_one and is_asked_once and not _is_vouched_for(state)


def _is_vouched_for(state: Attempt) -> bool:
    """Did a person take its charge as the order's own?"""
    return bool(state.accepted) and not state.anothers


def _is_by_hand(told: Evidence) -> bool:
    """Does a person say whose the charge is?"""
    return isinstance(told, Resolved) or (
        isinstance(told, Adopted) and told.word is not None
    )


def _flaws_that_count(state: Attempt, told: Evidence) -> tuple[str, ...]:
    """What is not as asked of a charge without money is nobody's money."""
    found = told.charge
    known = state.charge
    if not told.flaws or found is None or told.anothers or _is_by_hand(told):
        return told.flaws
    settled = False
    if known is not None and known.id == found.id:
        settled = known.ended_without_money or bool(state.accepted)
    answered = isinstance(told, Answered) or settled
    if took_nothing(found, state.intent, answered=answered):
        return ()
    return told.flaws


def _seen_now(state: Attempt, event: Event, *, by_id: bool) -> dict[str, Any]:
    """What any charge that is shown makes of an attempt."""
    now: dict[str, Any] = {
        "unproven_sends": frozenset(),
        "settled_ns": event.at_ns,
        "refused": False,
        "closed_as": "",
        "closed_why": "",
        "code": "",
        "message": "",
        "may_be": "",
        "unshown_in": "",
    }
    if by_id:
        now["untold"] = ""
    # a list may be a copy from before: that a charge which took nothing is not known by its id any
    # more stays told
    if by_id or state.outcome not in NO_MONEY:
        now["missing_ns"] = 0
    if state.refused:
        now["by_hand"] = ""
    return now


def _with_a_twin(now: Attempt, before: Attempt, twin: Shown) -> Attempt:
    """A second charge under its key was shown."""
    more = _but(now, others=_with(now.others, twin))
    if not _takes_no_more(before, more):
        more = _but(more, accepted="")
    return _weighed(more)


def _with(others: tuple[Shown, ...], seen_now: Shown) -> tuple[Shown, ...]:
    """The same with what was seen of one of them now."""
    before = next((one for one in others if one.charge.id == seen_now.charge.id), None)
    if before is None:
        return (*others, seen_now)
    stale = not (before.flaws or seen_now.flaws) and _is_staler(
        seen_now.charge, before.charge, by_id=False
    )
    if stale:
        return others
    return tuple(seen_now if one is before else one for one in others)


def _weighed(state: Attempt) -> Attempt:
    """Of several charges under one key the one that took money, or else may, is the one that is
    reported, whichever was seen first; a twin of the same weight changes nothing.
    """
    if not state.others or state.charge is None:
        return state
    shown = (Shown(state.charge, state.flaws), *state.others)
    first = max(shown, key=lambda one: one.weight)  # the first of equals
    if first is shown[0]:
        return state
    return _but(
        state,
        charge=first.charge,
        flaws=first.flaws,
        others=tuple(one for one in shown if one is not first),
        reread=False,
        anothers=False,
        accepted="",
        missing_ns=_missing_since(state, first.charge),
    )


def _missing_since(state: Attempt, charge: ChargeSeen) -> int:
    """Since when it is missing, where one of its charges is reported from here on."""
    if charge.id not in state.unknown:
        return 0
    return state.missing_ns or state.settled_ns


_terms_of = attrgetter("id", "amount", "currency", "destination", "livemode")


def _accepts(before: Attempt, after: Attempt) -> bool:
    """Is what a person took note of still what it was? Acceptance is of one charge as it stood;
    that it was reversed since is less than that.
    """
    old = before.charge
    new = after.charge
    if old is None or new is None:
        return False
    if _terms_of(old) != _terms_of(new):
        return False
    if old.took_money != new.took_money and not _is_taken_back(before, new):
        return False
    return set(after.flaws) <= set(before.flaws)


def _takes_no_more(before: Attempt, after: Attempt) -> bool:
    """Did no charge beside the reported one take money since? A person took note of those that
    had.
    """
    return {charge.id for charge in after.further} <= {
        charge.id for charge in before.further
    }


def _oddity(state: Attempt, event: Event, found: ChargeSeen, *, by_id: bool) -> str:
    """What is said of a charge that took its money, and that no outcome names: it is told, and
    stays what it was.

    A list may be a copy from before the charge ended, or its chain was made; what is asked for by
    its id is not, but for a while after it was sent.
    """
    known = state.charge
    if known is None or found.id != known.id or state.outcome is not Outcome.SUCCEEDED:
        return ""
    if found.status not in KNOWN_STATUS:
        return f"status {found.status!r}"
    waits = outcome_of(found) is Outcome.PENDING
    if by_id and waits and event.run_id != state.sent_in:
        return WAITS_AGAIN
    if by_id and found.status == known.status and not found.chain:
        return "no chain any more"
    return ""


def _as_told(state: Attempt, event: Event, odd: str) -> Attempt:
    """What a person took note of is no word about money that may not come after all."""
    accepted = state.accepted
    if odd == WAITS_AGAIN != state.odd:
        accepted = ""
    return _but(state, odd=odd, settled_ns=event.at_ns, accepted=accepted)


def _odd_still(state: Attempt, found: ChargeSeen, *, by_id: bool) -> str:
    """What stays told of it: until it is shown as it was proven, or ends otherwise. A list may be a
    copy from before that was told.
    """
    shown = outcome_of(found)
    waits = shown is Outcome.PENDING
    if waits or (shown is Outcome.SUCCEEDED and not by_id):
        return state.odd
    return ""


def _is_staler(found: ChargeSeen, known: ChargeSeen, *, by_id: bool) -> bool:
    """Does it show a charge, the very one that is known, as it was before what is known already?

    A list may be a copy from before; what is asked for by its id is not, but for a charge that is
    known to be paid.
    """
    was = outcome_of(known)
    now = KNOWN_STATUS.get(found.status)
    if was is Outcome.SUCCEEDED and now is Outcome.SUCCEEDED:
        return bool(known.chain) and not found.chain
    if now is not Outcome.PENDING:
        return False
    return was is Outcome.SUCCEEDED or (was in NO_MONEY and not by_id)


def _absent(state: Attempt, _: Event, told: Absent) -> Attempt:
    """One more complete look-up after the doubt period did not show it. The one that closes, a gap
    after another, proves that the request never became a charge (law L5).
    """
    if state.doubt is None or not state.unproven_sends:
        return state
    look = (told.boot_id, told.boot_s)
    doubt = replace(state.doubt, absents=(*state.doubt.absents, look))
    if told.closes and not state.spent:
        return _but(
            state,
            doubt=doubt,
            doubted=True,
            throttled=False,
            unproven_sends=frozenset(),
            may_be="",
        )
    return _but(state, doubt=doubt, doubted=True)


def _withdrawn(state: Attempt, *_: object) -> Attempt:
    """Nothing was charged and nothing is on its way; its order was planned anew, so this request
    never goes again.
    """
    return _but(state, withdrawn=True)


def _unclear(state: Attempt, _: Event, told: Unclear) -> Attempt:
    """A list shows a charge that may be this one's, and nothing tells: no look-up will, so that is
    for a person.
    """
    return _but(state, may_be=told.charge_id)


def _disbelieved(state: Attempt, event: Event, _: Told) -> Attempt:
    """Its send is as one that nobody answered: looked up, and sent again by law L5 only."""
    if not state.is_told_429:
        return state
    return _but(
        state,
        unproven_sends=state.unproven_sends | {event.send},
        doubted=True,
        throttled=False,
    )


def _missing(state: Attempt, event: Event, told: Missing) -> Attempt:
    """The gateway answered for its charge's id that there is none: that is for a person, never a
    failure (J27). Where it shows the very one under another id, that one was none.
    """
    if state.charge is None:
        return _but(state, missing_ns=state.missing_ns or event.at_ns)
    gone = told.charge_id or state.charge.id
    unknown = state.unknown | {gone}
    shown = (Shown(state.charge, state.flaws), *state.others)
    lost = next((one.charge for one in shown if one.charge.id == gone), None)
    if lost is None:
        return _but(state, unknown=unknown)
    stay = [one for one in shown if one.charge is not lost]
    takes = [one.charge for one in stay if one.charge.takes_money]
    if not any(_is_misnamed(state, lost, one) for one in takes):
        now = _but(state, unknown=unknown)
        if takes and lost is not state.charge:
            return now
        return _but(now, missing_ns=state.missing_ns or event.at_ns)
    first = max(stay, key=lambda one: one.weight)
    return _but(
        state,
        unknown=unknown,
        twins=state.twins - {gone},
        charge=first.charge,
        flaws=first.flaws,
        others=tuple(one for one in stay if one is not first),
        reread=state.reread and first is shown[0],
    )


def _untold(state: Attempt, _: Event, told: Untold) -> Attempt:
    """Asked for its charge by its id before a next attempt, the gateway showed none: silence proves
    nothing (J04). Nor does a look-up in an account that was told after it was sent (J03).
    """
    if told.account:
        return _but(state, unshown_in=told.charge_id)
    return _but(state, untold=told.charge_id)


def _adopted(state: Attempt, event: Event, told: Adopted) -> Attempt:
    """A charge that this journal did not make; of one that names nobody a person said whose it is,
    and takes it so.
    """
    now = _evidence(state, event, told)
    if told.word is None:
        return now
    word = word_of(told.word.by, told.word.reason, event.at_ns)
    if now.flaws:
        return _but(now, accepted=word, by_hand=word)
    return _but(now, accepted="", by_hand=word)


def _resolved(state: Attempt, event: Event, told: Resolved) -> Attempt:
    """A person said what became of it, after a look-up that did not say otherwise."""
    word = word_of(told.by, told.reason, event.at_ns)
    if told.said == "accepted" and is_stuck(state.transfer):
        return _but(state, accepted=word, share_left=word)
    if told.said == "accepted" and state.lost and state.missing_ns:
        return _paid_as_said(state, event, word)
    if told.said == "accepted":
        return _but(state, accepted=word)
    if told.said == CANCELLED:
        state = _but(state, called_off=word, called_off_why=told.reason)
    if told.charge is not None:
        now = _evidence(_unnamed(state, told.charge.id), event, told)
        # else it is what was asked, and all that there is
        if told.flaws or now.further or now.gone:
            return _but(now, accepted=word, by_hand=word)
        return _but(now, accepted=state.accepted, by_hand=word)
    return _but(
        state,
        unproven_sends=frozenset(),
        refused=True,
        settled_ns=event.at_ns,
        code=told.said.replace("-", "_"),
        message=f"settled by hand: {told.reason}",
        closed_as=told.said,
        closed_why=told.reason,
        may_be="",
        denied=told.said == DENIED,
        by_hand=word,
        charge=None,
        flaws=(),
        anothers=False,
        untold="",
        unshown_in="",
    )


def _paid_as_said(state: Attempt, event: Event, word: str) -> Attempt:
    """A person saw that a charge was paid which the gateway knows no more and told as pending:
    money, of which nothing but that word is the proof.
    """
    assert state.charge is not None
    flaw = (
        f"it was {state.charge.status} when it was told last, and the gateway knows no such charge"
        " any more"
    )
    return _but(
        state,
        charge=replace(state.charge, status="successful", paid=True),
        flaws=(flaw,),
        accepted=word,
        by_hand=word,
        settled_ns=event.at_ns,
    )


def _unnamed(state: Attempt, charge_id: str) -> Attempt:
    """The attempt as it is but for the charge that a person is about to name; one of its own stays
    beside that.
    """
    known = state.charge
    others = tuple(one for one in state.others if one.charge.id != charge_id)
    if known is not None and known.id in state.twins and known.id != charge_id:
        others = (*others, Shown(known, state.flaws))
    return _but(
        state,
        charge=None,
        flaws=(),
        others=others,
        missing_ns=0,
    )


_ATTEMPT_FIELDS = tuple(f.name for f in fields(Attempt))
_values_of = attrgetter(*_ATTEMPT_FIELDS)
# field -> what sets it, frozen or not
_PUT = {name: getattr(Attempt, name).__set__ for name in _ATTEMPT_FIELDS}
_PUTS = tuple(_PUT.values())


def _transfer_seen(state: Attempt, _: Event, told: TransferSeen) -> Attempt:
    """A person who took a transfer as it is took it as it was told then."""
    before = state.transfer
    if before is not None and (before.id, before.stands) != (told.id, told.stands):
        state = _but(state, share_left="")
    was_other = before is not None and bool(before.flaws)
    is_news = before is not None and not set(told.flaws) <= set(before.flaws)
    alone = state.outcome is Outcome.SUCCEEDED and not state.others
    if alone and was_other and is_news:
        return _but(state, transfer=told, accepted="")
    return _but(state, transfer=told)


def _but(state: Attempt, **changes: Any) -> Attempt:
    """`dataclasses.replace` in a sixth of its time: this is what folding a million histories is
    made of. Nobody has the new one yet, so that filling it in breaks no promise.
    """
    new = object.__new__(Attempt)
    for put, value in zip(_PUTS, _values_of(state), strict=True):
        put(new, value)
    for name, value in changes.items():
        _PUT[name](new, value)
    return new


# each takes an event of its own class only
_STEPS: Mapping[type[Told], Callable[[Attempt, Event, Any], Attempt]] = {
    Intended: _intended,
    Voided: _voided,
    Answered: _answered,
    Found: _evidence,
    Adopted: _adopted,
    Absent: _absent,
    Resolved: _resolved,
    Withdrawn: _withdrawn,
    Missing: _missing,
    Unclear: _unclear,
    Untold: _untold,
    Disbelieved: _disbelieved,
    TransferSeen: _transfer_seen,
}
_KINDS = frozenset(kinds(*_STEPS))
