"""EXPECTED: what the gateway's lists must show, what they may show all the same, and what is no
news of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from batchpay.domain.events import Restored, told_in
from batchpay.domain.model import ChargeSeen, Outcome
from batchpay.domain.ports import Clock, Journal
from batchpay.domain.times import NEVER_NS, ONCE_OFF_S
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import can_be_asked_for
from batchpay.lifecycle.folding import fold
from batchpay.settlement.evidence import is_known_already, looks

# how far back a charge is looked for that lists must show
LONGEST_SILENCE_NS = 35 * 86_400 * 10**9
# when a charge of a time is told, at the latest, to be looked for in a list of that time
TOLD_WITHIN_NS = 86_400 * 10**9
# lists begin by the gateway's clock, what was sent is known by ours
UNCHARGED_BEFORE_NS = ONCE_OFF_S * 10**9


def met_before(journal: Journal) -> dict[str, str]:
    """Charges that gave a loss away, and that no attempt has yet -> when each was made: they were
    refused then, or the run that met them died.
    """
    return {
        charge_id: created_at
        for _, told in told_in(journal, Restored)
        for charge_id, created_at in told.shown.items()
        if journal.order_of_charge(charge_id) is None
    }


class Expected:
    """Charges with proof, and attempts that are said to have charged nothing."""

    def __init__(self, journal: Journal, clock: Clock, lifted: Collection[str]) -> None:
        """`lifted`: charges of which a person has lifted the stop: lists need not show them."""
        self._journal = journal
        self._clock = clock
        self._lifted = lifted
        # charge id -> created_at, and CLOCK_BOOTTIME of its proof, of those that lists should show
        self.known: dict[str, tuple[str, float]] = {}
        # by key: said to have charged nothing, where a list may say otherwise
        self._uncharged: dict[str, Attempt] = {}
        # wall clock (ns) from which on all charges with proof are among `known`
        self._known_from_ns = NEVER_NS
        # charge id -> how it looked when it proved an attempt in this run: see news_of
        self._looked: dict[str, int] = {}

    def remember(self, since_ns: int) -> None:
        """Charges that this journal has had proof of since then, and the last ones before: lists
        must show them. And what is said since then to have charged nothing, with a margin: lists
        may show that it was charged all the same.
        """
        ids = self._journal.uncharged_since(since_ns - UNCHARGED_BEFORE_NS)
        for start in range(0, len(ids), 500):
            for events in self._journal.histories(ids[start : start + 500]).values():
                for attempt in fold(events):
                    if attempt.unconfirmed:
                        self._uncharged.setdefault(attempt.intent.key, attempt)
        # what was told since may be of a charge of long ago, which a list shows that is from before
        # the last ones
        self._must_show(self._journal.youngest_charges(since_ns - LONGEST_SILENCE_NS))
        self._must_show(met_before(self._journal))
        self.witness(since_ns)

    def witness(self, since_ns: int, until_ns: int | None = None) -> None:
        """A list that begins then, or is of a time between two, is to prove what was not charged:
        it must show what this journal has had proof of in that time.
        """
        if since_ns >= self._known_from_ns:
            return
        before_ns = self._known_from_ns
        if until_ns is not None:
            before_ns = min(before_ns, until_ns + TOLD_WITHIN_NS)
        self._must_show(self._journal.charges_known(since_ns, before_ns))
        if until_ns is None:
            self._known_from_ns = since_ns

    def _must_show(self, charges: Mapping[str, str]) -> None:
        for charge_id, created_at in charges.items():
            if charge_id not in self._lifted and can_be_asked_for(charge_id):
                self.known.setdefault(charge_id, (created_at, float("-inf")))

    def prove(self, charge: ChargeSeen) -> None:
        """It was seen just now: lists that begin from here on must show it."""
        if charge.id not in self._lifted:
            self.known.setdefault(
                charge.id, (charge.created_at, self._clock.elapsed_s())
            )

    def is_of_this_run(self, charge_id: str) -> bool:
        """Was a charge seen for the first time in this run? Lists may show it as it was before."""
        _, proven_s = self.known.get(charge_id, ("", float("-inf")))
        return proven_s > float("-inf")

    def said_uncharged(self) -> list[Attempt]:
        """Attempts that somebody said had charged nothing, where a list may say otherwise: those
        sent since the last complete list, or not long before, and those that this run works on.
        """
        return list(self._uncharged.values())

    def news_of(self, charges: Iterable[ChargeSeen]) -> tuple[ChargeSeen, ...]:
        """Those of a list's page that say anything that this run did not write down itself: of the
        others, which are nearly all of them after a run, `match` and `found` would say so one by
        one, from the journal.
        """
        looked = self._looked
        return tuple(one for one in charges if looked.get(one.id) != looks(one))

    def uncharged(self, key: str) -> Attempt | None:
        """The attempt of a key, where it is one of these."""
        return self._uncharged.get(key)

    def doubt(self, attempt: Attempt | None) -> None:
        """An attempt of an earlier run that this one works on may be one of these."""
        if attempt is not None and attempt.unconfirmed:
            self._uncharged.setdefault(attempt.intent.key, attempt)

    def follow(self, after: Attempt) -> None:
        """What was written of an attempt is what this run knows of it."""
        key = after.intent.key
        self._uncharged.pop(key, None)
        if after.outcome in (Outcome.REFUSED, Outcome.HELD) and after.unconfirmed:
            self._uncharged[key] = after
        charge = after.charge
        for charge_id in after.twins:
            self._looked.pop(charge_id, None)
        if charge is not None and is_known_already(after, charge):
            self._looked[charge.id] = looks(charge)
