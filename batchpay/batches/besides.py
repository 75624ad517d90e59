"""BESIDES: rows that were asked for before, beside a charge that the gateway no longer knows: no
later run sends them before a person has said what became of that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchpay.batches.orders import attempts_of
from batchpay.domain.events import Missing, told_in
from batchpay.domain.exits import A_PERSON
from batchpay.domain.model import Finding, Outcome
from batchpay.domain.times import ONCE_OFF_S
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.attempt import Attempt
from batchpay.messages import standing as said
from batchpay.reconciliation.findings import WHO_ACTS


class Besides:
    """Charges that are gone, and that took no money as far as anybody knew: while it is so, no list
    proves that what was asked for around then was not charged. One that took money is a stop.
    """

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        orders = dict.fromkeys(event.order_id for event, _ in told_in(journal, Missing))
        self._gone = [
            attempt
            for attempts in attempts_of(journal, list(orders)).values()
            for attempt in attempts
            if attempt.hides_from_lists
        ]

    def of(self, findings: list[Finding]) -> list[Finding]:
        """The same findings; a row that waits beside such a charge says what ends that."""
        if not self._gone:
            return findings
        ids = [one.order_id for one in findings if _waits_for_a_run(one)]
        orders = attempts_of(self._journal, list(dict.fromkeys(ids)))
        return [self._told(one, orders.get(one.order_id, ())) for one in findings]

    def _told(self, finding: Finding, attempts: Sequence[Attempt]) -> Finding:
        if not _waits_for_a_run(finding):
            return finding
        for one in attempts:
            for gone in self._gone:
                if one.wants_a_list and gone.charge and _may_lie_beside(gone, one):
                    order = gone.intent.order_id
                    why = said.HELD_BESIDE_MISSING(charge=gone.charge.id, order=order)
                    reasons = (*finding.reasons, why)
                    return replace(finding, reasons=reasons, who_acts=A_PERSON)
        return finding


def _waits_for_a_run(finding: Finding) -> bool:
    is_held = finding.outcome is Outcome.HELD
    return is_held and finding.who_acts == WHO_ACTS[Outcome.HELD]


def _may_lie_beside(gone: Attempt, asked: Attempt) -> bool:
    """May a list of when one was asked for be expected to show the other?"""
    off_ns = ONCE_OFF_S * 10**9
    return asked.sent_ns - off_ns <= gone.sent_ns <= asked.went_ns + off_ns
