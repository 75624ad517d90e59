"""ATTEMPT: one try at a charge as a value, and what it says: where it stands, what money is its
own, whether it may go again.

What an answer proves is in `proof`, what each event makes of an attempt in `folding`. Nothing here
knows a clock, a disk or a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from batchpay.domain.events import TransferSeen, Withdrawn
from batchpay.domain.model import (
    MONEY_MOVED,
    NO_MONEY,
    ChargeSeen,
    Intent,
    Outcome,
    tail_in,
)
from batchpay.domain.times import ONCE_OFF_S, instant_ns
from batchpay.lifecycle.charge import Shown, has_unknown_status, outcome_of
from batchpay.lifecycle.doubt import Doubt

# what a person may say that closes one
CANCELLED = "cancelled"
DENIED = "not-charged"
# what may be said of a charge that succeeded, once that was proven: the gateway has yet to decide
WAITS_AGAIN = "status 'pending'"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a charge: the sum of its events."""

    intent: Intent
    adopted: bool  # found at the gateway, not made by this journal
    # wall clock of the first event that tells of it
    known_ns: int = 0
    sends: int = 0
    never_left: int = 0  # of these, those of which not a byte left this machine
    sent_in: str = ""  # the run of its last send
    sent_ns: int = 0  # wall clock of the first send's intent
    went_ns: int = 0  # ... and of the last one's
    settled_ns: int = 0  # wall clock of the evidence that decided it
    unproven_sends: frozenset[int] = frozenset()  # sends without proof
    doubt: Doubt | None = None
    doubted: bool = False
    spent: bool = False
    # the gateway knows its key with another body: this one never goes again
    reused: bool = False
    charge: ChargeSeen | None = None
    flaws: tuple[str, ...] = ()
    reread: bool = False  # the charge was read again because its chain was missing
    code: str = ""  # why it was refused
    message: str = ""
    refused: bool = False
    # what the gateway said of its charge, once that was proven, and no outcome names
    odd: str = ""
    # a charge that an answer spoke of without proving it: to be asked for by its id
    hinted: str = ""
    # a 429 said that a send of it charged nothing, and no list has shown that since
    throttled: bool = False
    # proven not charged, and never to be sent: its order was planned anew (J13)
    withdrawn: bool = False
    # who took note of an unproven charge, or of a second one, when, and why
    accepted: str = ""
    # Who said of its recipient's share, which did not arrive, that it is seen to.
    share_left: str = ""
    by_hand: str = ""  # who said what became of it, when, and why
    # by what word of a person it was closed, cancelled or not-charged, and why in that person's own
    closed_as: str = ""
    closed_why: str = ""
    # a person said never to send its order: who, when and why, and that person's own words. No
    # answer takes that back
    called_off: str = ""
    called_off_why: str = ""
    # a person said, after a look-up, that it took no money; no answer takes that word back
    denied: bool = False
    # id of a listed charge that carries no key and may be this attempt's
    may_be: str = ""
    # wall clock of the first time that the gateway no longer knew its charge; 0: it knows it
    missing_ns: int = 0
    # ids that were told for it, and of which the gateway, asked, knows no charge
    unknown: frozenset[str] = frozenset()
    twins: frozenset[str] = frozenset()  # every charge id ever seen for this key
    others: tuple[Shown, ...] = ()  # those of them that are not `charge`
    # `charge` is another order's, told for this one: no money of this order (J11)
    anothers: bool = False
    # ids of all charges of other orders that were ever told for this one
    strangers: frozenset[str] = frozenset()
    # id of its charge that the gateway, asked again, did not show: no next attempt until it does
    untold: str = ""
    # the account, told after it was sent, that shows nothing of that time: no look-up in it proves
    # anything (J03)
    unshown_in: str = ""
    # its recipient's share on the way; None: nobody asked, or the gateway does not tell
    transfer: TransferSeen | None = None

    # --- where it stands

    @property
    def outcome(self) -> Outcome:
        """Where it stands now."""
        if self.charge is not None or self.flaws:
            return self._charged()
        if self.unproven_sends:
            return Outcome.IN_DOUBT
        if self.refused:
            return Outcome.REFUSED
        return Outcome.HELD

    def _charged(self) -> Outcome:
        if self.flaws or self.charge is None:
            return Outcome.UNPROVEN
        outcome = outcome_of(self.charge)
        if outcome is Outcome.SUCCEEDED and self.charge.chain is None:
            if self.reread:
                return Outcome.UNPROVEN
            return Outcome.PENDING
        return outcome

    @property
    def state(self) -> str:
        """What the journal keeps of it beside each event: its outcome, or that it was withdrawn."""
        if self.set_aside:
            return Withdrawn.kind
        return self.outcome.value

    @property
    def closed(self) -> bool:
        """Proven that it took no money, and no twin of it that was seen did or may: another attempt
        may follow (law L3).
        """
        return (self.set_aside or self.outcome in NO_MONEY) and not any(
            s.charge.takes_money for s in self.others
        )

    @property
    def set_aside(self) -> bool:
        """Withdrawn, and nothing that was seen since says that it was charged after all."""
        return self.withdrawn and self.outcome is Outcome.HELD

    @property
    def stands(self) -> bool:
        """Did it take money, or may it yet? It is neither over nor free to be sent anew."""
        return not (self.closed or self.ready)

    # --- may its request go (again)?

    @property
    def ready(self) -> bool:
        """Proven that nothing was charged and nothing is on its way."""
        return self.outcome is Outcome.HELD and not self.withdrawn

    @property
    def resends(self) -> bool:
        """May the same key and body go (again) now? Not where the gateway knows the key with
        another body: it refuses this one every time, and the next attempt has another key.
        """
        return self.ready and not self.reused

    @property
    def may_go_again(self) -> bool:
        """Not charged, or not known to be: with its row present it may be sent again once that is
        proven.

        Never where a token was used up: that may have been by the very request that nobody
        answered; nor where its key was (`resends`).
        """
        is_used_up = self.spent or self.reused
        return self.resends or (self.outcome is Outcome.IN_DOUBT and not is_used_up)

    @property
    def charged_since_ns(self) -> int:
        """UTC nanoseconds, by the gateway's clock: what was made before is no charge of its. A day
        before it was sent first, by ours: nobody knows any more how far that was off then. 0: its
        key was used before, and when is not known.
        """
        if self.reused:
            return 0
        return max(0, self.sent_ns // 10**9 - ONCE_OFF_S) * 10**9

    # --- its money

    @property
    def money(self) -> ChargeSeen | None:
        """The charge that took this order's money, if one did: what it says of amounts and fees is
        money.

        An unproven one whose status nobody can read is taken to have done so; one that waits or
        failed is not.
        """
        charge = self.charge
        if charge is None or self.anothers or self.outcome not in MONEY_MOVED:
            return None
        waits = charge.ended_without_money or (
            charge.status == "pending" and not charge.paid
        )
        if waits:
            return None
        return charge

    @property
    def further(self) -> tuple[ChargeSeen, ...]:
        """Every other charge of it that took money (B31): its row is about one charge, and no sum
        there has these.
        """
        return tuple(one.charge for one in self.others if one.charge.took_money)

    # --- its split

    @property
    def wants_chain(self) -> bool:
        """Paid, but the split is not proven and has not been asked for a second time."""
        charge = self.charge
        return (
            bool(charge and not self.flaws and not self.reread)
            and self._split_missing()
        )

    def _split_missing(self) -> bool:
        return bool(
            self.charge
            and outcome_of(self.charge) is Outcome.SUCCEEDED
            and self.charge.chain is None
        )

    @property
    def why_unproven(self) -> str:
        """The flaws as one phrase."""
        if self.flaws:
            return "; ".join(self.flaws)
        return "no chain on a paid charge: nothing proves that the recipient gets the share"

    # --- what was said of it: by answers, by lists, by a person

    @property
    def is_told_429(self) -> bool:
        """Is a 429 all that says that nothing was charged?"""
        return self.throttled and self.outcome is Outcome.HELD

    @property
    def said_uncharged(self) -> bool:
        """Did it leave, and is it said, by an answer or by lists, that nothing was charged?

        Whatever said so (a refusal, a 429, a look-up), and whatever the attempt is now (to go
        again, withdrawn, over): a charge that names nobody may be its own after all, and beside
        that nothing more of its order is sent.
        """
        went = self.outcome is Outcome.HELD and self.sends > self.never_left
        return self.refused or went

    @property
    def unconfirmed(self) -> bool:
        """Is that said, and did no person say since what became of it? Then what lists show that
        names nobody is held against it.
        """
        return self.said_uncharged and not self.by_hand

    @property
    def asked_in_vain(self) -> bool:
        """Was somebody asked for it, and was no money taken, as far as anybody was told?"""
        ended = self.closed and not self.set_aside
        return ended or self.said_uncharged

    @property
    def sends_without_charge(self) -> int:
        """How many of its requests left, and are explained by no charge that was ever seen: whoever
        said of them that nothing was charged, a list may show one yet.
        """
        return max(0, self.sends - self.never_left - len(self.twins))

    @property
    def wants_a_list(self) -> bool:
        """Must a list show what became of it before anything of its order goes again? One in doubt
        waits for that anyway.
        """
        return self.sends_without_charge > 0 and self.outcome is not Outcome.IN_DOUBT

    @property
    def gone(self) -> tuple[ChargeSeen, ...]:
        """Those of its charges of which the gateway, asked for their ids, knows none."""
        gone = [one.charge for one in self.others if one.charge.id in self.unknown]
        if self.charge is not None and self.missing_ns:
            gone.insert(0, self.charge)
        return tuple(gone)

    @property
    def _lacks_money(self) -> bool:
        """Is one of them gone that took money, or may have?"""
        return any(charge.takes_money for charge in self.gone)

    @property
    def unaccounted(self) -> bool:
        """Did it end without money, and does the gateway no longer know the charge that says so?
        Then a person must.
        """
        return self.outcome in NO_MONEY and bool(self.missing_ns) and not self.denied

    @property
    def waits_in_unknown_status(self) -> bool:
        """Does it wait, as far as anybody can tell, in a status that no document names? No later
        answer may ever end that: a person may.
        """
        if self.charge is None or self.outcome is not Outcome.PENDING:
            return False
        return has_unknown_status(self.charge)

    def is_no_witness(self, charge_id: str) -> bool:
        """Did a person look for this charge of it since, and say what became of it? Or was its id a
        false one, under whose key the gateway has another charge? That it is not there tells
        nothing of a list.
        """
        is_false = self.charge is not None and charge_id not in (
            self.charge.id,
            *self.twins,
        )
        if charge_id in self.unknown and (is_false or self.accepted):
            return True
        return self.denied and self.closed

    @property
    def hides_from_lists(self) -> bool:
        """Is its charge gone, that took no money as far as anybody knew? While lists should show it
        (`is_no_witness`), none proves what was not charged beside it.
        """
        if self.charge is None or not self.missing_ns or self.money is not None:
            return False
        return not self.is_no_witness(self.charge.id)

    @property
    def lost(self) -> bool:
        """Was its charge pending, and does the gateway know no such charge any more? A person says
        what became of it.
        """
        is_open = self.outcome is Outcome.PENDING and not self.accepted
        return is_open and self._lacks_money

    @property
    def vanished(self) -> bool:
        """Did its charge succeed, and does the gateway know no such charge any more, or not the one
        beside it? A person says what is so.
        """
        is_open = self.outcome is Outcome.SUCCEEDED and not self.accepted
        return is_open and self._lacks_money

    @property
    def waits_again(self) -> bool:
        """Did its charge succeed, and does the gateway say that it has yet to decide?"""
        return self.outcome is Outcome.SUCCEEDED and self.odd == WAITS_AGAIN

    @property
    def shaken(self) -> bool:
        """Did it succeed, and does the gateway not bear that out any more: it knows no such charge,
        or has yet to decide about it? It is asked again, until it does or a person took note.
        """
        return self.vanished or (self.waits_again and not self.accepted)

    @property
    def share_differs(self) -> bool:
        """Did it succeed, is what its recipient gets not the share, and did nobody take it so?"""
        told = self.transfer
        is_other = told is not None and bool(told.flaws)
        return self.outcome is Outcome.SUCCEEDED and is_other and not self.accepted

    @property
    def cancelled(self) -> str | None:
        """Why a person said never to send its order; None: nobody did, or it has its money after
        all. A gateway that refuses with this very code says nothing of the kind.
        """
        if self.called_off and self.closed:
            return self.called_off_why
        return None

    # --- whose it is

    @property
    def placed(self) -> bool:
        """Is it known which row caused it? Charges of earlier versions did not tell theirs."""
        return self.intent.row > 0

    def owned_by(self, batch_id: str, sheet: str, row: int) -> bool:
        """Did this row cause the attempt? An adopted charge knows its batch by its digest; its row,
        if it told that.
        """
        if self.set_aside:
            return False  # as if it had never been
        if self.adopted:
            its_row = not self.placed or (self.intent.sheet, self.intent.row) == (
                sheet,
                row,
            )
            return its_row and tail_in(self.intent.batch_id) == tail_in(batch_id)
        mine = (self.intent.batch_id, self.intent.sheet, self.intent.row)
        return mine == (batch_id, sheet, row)

    def is_known_as_anothers(self, charge_id: str) -> bool:
        """Was it told, as what is wrong with this attempt, that this charge is another order's?"""
        is_shown = self.charge is not None and self.charge.id == charge_id
        return is_shown and bool(self.flaws) and charge_id in self.strangers


def word_of(by: str, reason: str, at_ns: int) -> str:
    """A person's word: whose, when and why."""
    at = datetime.fromtimestamp(at_ns // 10**9, UTC)
    return f"{by or 'a person'} on {at:%Y-%m-%dT%H:%M:%SZ}: {reason}"


# --- when it was made


def begun_ns(attempt: Attempt) -> int:
    """When it was made, UTC nanoseconds: when it was sent, or, of a charge that this journal did
    not make, when the gateway says that it was; else when it was taken over.
    """
    created_at = ""
    if attempt.charge is not None:
        created_at = attempt.charge.created_at
    return attempt.sent_ns or created_ns(created_at, attempt.settled_ns)


def created_ns(created_at: str, taken_ns: int) -> int:
    """The same of a charge that this journal did not make; `taken_ns`: when it was taken over."""
    made_ns = instant_ns(created_at)
    if made_ns is None:
        return taken_ns
    return made_ns


def may_be_made_since(attempt: Attempt, at_ns: int) -> bool:
    """Was it made after a moment of our wall clock? One that this journal did not make may have
    been, if the journal did not know it then: the gateway tells the time of that, and its clock
    and ours may have been a day apart.
    """
    if attempt.sent_ns:
        return attempt.sent_ns > at_ns
    made_ns = begun_ns(attempt) + ONCE_OFF_S * 10**9
    return attempt.known_ns > at_ns and made_ns > at_ns


# --- what may become of it

# Which outcome may follow which (docs/laws.md, I8); evidence that says otherwise is recorded, and a
# stop.
NEXT: Mapping[Outcome, frozenset[Outcome]] = {
    Outcome.HELD: frozenset(Outcome),
    Outcome.IN_DOUBT: frozenset(Outcome),
    Outcome.PENDING: frozenset(
        {
            Outcome.SUCCEEDED,
            Outcome.UNPROVEN,
            Outcome.DECLINED,
            Outcome.EXPIRED,
            Outcome.REVERSED,
        }
    ),
    Outcome.UNPROVEN: frozenset({Outcome.SUCCEEDED, Outcome.REVERSED}),
    Outcome.SUCCEEDED: frozenset({Outcome.REVERSED}),
    Outcome.DECLINED: frozenset(),
    Outcome.EXPIRED: frozenset(),
    Outcome.REVERSED: frozenset(),
    Outcome.REFUSED: frozenset(),
}


def impossible(before: Outcome, after: Outcome) -> bool:
    """Does new evidence contradict what was proven before?"""
    return after is not before and after not in NEXT[before]
