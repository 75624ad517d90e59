"""STRAYS: charges that nothing tells whose they are, and that may be some order's all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from batchpay.domain.events import Stray
from batchpay.domain.model import ChargeSeen, Document, Intent
from batchpay.domain.ports import Journal
from batchpay.job.job import MAX_ATTEMPTS
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.unclaimed import (
    KINDS,
    Nameless,
    disowned_in,
    fits_sale,
    maybe_charged_among,
    nameless_of,
    nameless_told,
    unclaimed_in,
)
from batchpay.settlement.cases import Case
from batchpay.settlement.entries import Entries
from batchpay.settlement.evidence import is_claimed


class Strays:
    """Those that lists of this run or an earlier one showed: with a key that names no order, or
    with none.
    """

    def __init__(self, entries: Entries, journal: Journal, job: str) -> None:
        self._entries = entries
        self._journal = journal
        self._job = job
        told = list(journal.events(KINDS))
        # charges of which nobody can tell whose they are, but a person: they are not this job's
        self.disowned = disowned_in(told)
        # charges that nothing tells whose they are
        self._unclaimed = unclaimed_in(told)
        # charge id -> key and charge: strays not written down yet
        self._fresh: dict[str, tuple[str, ChargeSeen]] = {}

    def meet(self, key: str, charge: ChargeSeen) -> None:
        """A list shows one with a key; kept with the next `keep_strays`."""
        if charge.id not in self._unclaimed.strays.get(key, {}):
            self._fresh[charge.id] = key, charge
        self._unclaimed.add_stray(key, charge)

    def strays_of(self, order_id: str) -> list[tuple[int, ChargeSeen]]:
        """Attempt and charge: what carries a key of this order, named no order, and no event tells
        of as one's own.
        """
        strays = self._unclaimed.strays
        if not strays:
            return []
        found = []
        for number in range(1, MAX_ATTEMPTS + 1):
            for charge in strays.get(key_of(self._job, order_id, number), {}).values():
                if not is_claimed(self._journal, self._job, charge.id):
                    found.append((number, charge))
        return found

    async def keep_strays(self) -> None:
        """Those that lists showed just now, once each: their orders may come in a file of a later
        run.
        """
        fresh = self._fresh
        self._fresh = {}
        news = [
            self._entries.line(Stray(key=key, charge=charge))
            for key, charge in fresh.values()
        ]
        if news:
            await self._entries.write(news)

    async def keep_nameless(self, charges: Iterable[ChargeSeen]) -> None:
        """The same of charges with no key, or none that tells: any order of their terms may be
        theirs. One that tells neither recipient nor payer fits none.
        """
        news: dict[str, Nameless] = {}
        for charge in charges:
            if not (charge.destination or charge.payer) or not charge.takes_money:
                continue
            one = nameless_of(charge)
            if one.charge_id not in self.disowned and not self._unclaimed.has(one):
                news[one.charge_id] = one
        for one in news.values():
            self._unclaimed.add_nameless(one)
        some = list(news.values())
        for start in range(0, len(some), 500):
            await self._entries.note(nameless_told(some[start : start + 500]))

    def may_be_charged(self, intent: Intent) -> Nameless | None:
        """A charge that names nobody, and that may be what was asked for."""
        for one in self._fitting((), [intent]):
            if one.may_be_to(intent.destination):
                return one
        return None

    def _fitting(
        self, documents: Sequence[Document], intents: Sequence[Intent]
    ) -> Iterator[Nameless]:
        """Those that may be of what a sale ever asked for (`unclaimed.fits_sale`)."""
        nameless = self._unclaimed.nameless
        for one in fits_sale(nameless, documents, intents, self._job):
            if not is_claimed(self._journal, self._job, one.charge_id):
                yield one

    def is_maybe_charged(self, case: Case) -> bool:
        """Has any list shown a charge that names nobody, and that may be what a case is about to
        ask for, or what was asked for its sale before?
        """
        if not self._unclaimed.nameless:
            return False
        intents = [case.intent, *(other.intent for other in case.others)]
        if next(self._fitting(case.went_back, intents), None) is not None:
            return True
        return next(self.maybe_charged_among(case.others), None) is not None

    def maybe_charged_among(
        self, attempts: Iterable[Attempt]
    ) -> Iterator[tuple[Attempt, Nameless]]:
        """Those of some attempts that are said to have charged nothing, each with a charge that
        names nobody and may be its own.
        """
        for attempt, one in maybe_charged_among(
            attempts, self._unclaimed.nameless, self._job
        ):
            if not is_claimed(self._journal, self._job, one.charge_id):
                yield attempt, one
