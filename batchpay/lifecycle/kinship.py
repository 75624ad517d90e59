"""KINSHIP: which rows are one sale, because one of them came back to correct another, or was asked
for under other ids.

    a row  <-  the row that corrects it  <-  the row that corrects that one ...

and every row with the order id of the first of them. A row names only the one that it came back
for; who came before that one stands in the journal, in the rows of its batch as they were last
planned.

A row of a file stays the sale that it was, whatever id an edited job or lookup file gives it: every
id that it ever had is kept beside it (`Lineages.earlier`), and what its ids tell of each other
holds for every other row that has one of them, too (`names`, the journal's `renamed` events, made
by `renaming`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, Self

from batchpay.domain.events import BEGINNINGS, RowsAnswered, told_by
from batchpay.domain.model import Document, Event, Judged
from batchpay.job.job import Job
from batchpay.lifecycle.ancestry import Ancestry
from batchpay.lifecycle.cancelled import Cancellations, WordsJournal
from batchpay.lifecycle.earlier import NOTHING, EarlierRows, RowsJournal
from batchpay.lifecycle.folding import fold
from batchpay.lifecycle.inplace import StoodBefore, rows_before
from batchpay.lifecycle.names import KnownNames, Names, NamesJournal
from batchpay.lifecycle.order_ids import form_in
from batchpay.lifecycle.sale_terms import has_terms
from batchpay.lifecycle.terms import terms_alone


class _Journal(RowsJournal, NamesJournal, WordsJournal, Protocol):
    def job_of_batch(self, batch_id: str) -> str: ...
    def batches_elsewhere(self, sha256: str) -> Sequence[tuple[str, str]]: ...
    def elsewhere(
        self, order_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[str, Sequence[Event]]]]: ...
    def owned(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> Mapping[int, tuple[str, ...]]: ...
    def histories(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[Event]]: ...


class Lineages:
    """Follows corrections back through a journal; `rows` are those that it keeps, `names` their
    other ids, `words` those of people about orders that are never sent.
    """

    def __init__(
        self,
        journal: _Journal,
        renamed: Names | None = None,
        *,
        distinct: bool = False,
        ids_from: str = "",
    ) -> None:
        """`of_job` makes it; reads nothing before it is asked. `renamed`: other names that the
        journal does not know yet; `distinct`: this source really has ids that only look alike
        (Input.distinct_ids); `ids_from`: of which cells ids are made now.
        """
        self.are_distinct = distinct
        self.form = form_in(distinct=distinct)
        self._journal = journal
        self.rows = EarlierRows(journal, self.form)
        # what tells nothing for the journal may yet tell what rows are called today
        told = Names() if renamed is None else renamed
        self.names = KnownNames(journal, told, self.form, ids_from)
        self.words = Cancellations(journal, self.rows, self.names, self.form)
        # last 12 digits of a batch id -> another job that knows the batch
        self._jobs: dict[str, str] = {}
        # digest of an input file -> other jobs that know it, and their batches
        self._batches: dict[str, Sequence[tuple[str, str]]] = {}
        self._answered: dict[str, tuple[str, ...]] | None = None  # place -> order ids

    def untold(self, line: Iterable[str]) -> str:
        """The batch of a row of which nobody knows which id it has now, since ids are made of other
        cells: of the last such one of a line of rows that go back to each other, which is the
        first that came; empty where there is none.
        """
        found = ""
        for place in line:
            known = self.rows.where(place)
            if known is not None and not self.names.is_told(place, known[0]):
                found = known[0]
        return found

    @classmethod
    def of_job(cls, job: Job, journal: _Journal, renamed: Names | None = None) -> Self:
        """As a job reads ids now: which of them are one, and of which cells they are made."""
        return cls(
            journal,
            renamed,
            distinct=job.input.distinct_ids,
            ids_from=job.columns.ids_from,
        )

    def of(self, place: str, told: Sequence[str] = (), /) -> Ancestry:
        """The ancestry of a row that came back for this place. Raises what reading the journal
        raises.

        `told`: the other ids of that row (`earlier`); the last is the id that it was told to have
        had. Of a place that the journal does not know, because it was lost or the job renamed, that
        is all there is.
        """
        places: list[str] = []
        order_ids = list(told)
        first_id = ""
        # nobody's own ancestor, whatever a file says
        while place and place not in places:
            places.append(place)
            row = self.rows.row(place)
            first_id = row.order_id
            if not first_id and told and self.rows.where(place) is None:
                first_id = told[-1]
            order_ids += [one for one in (row.order_id, *row.earlier) if one]
            place = row.corrects
            told = row.earlier
        return Ancestry(tuple(places), tuple(dict.fromkeys(order_ids)), first_id)

    def id_of(self, place: str) -> str:
        """The order id that the row of a place has, as far as anybody knows: in this run, or in the
        last one that read its file; empty when it has none.
        """
        if place in self.names.today:
            return self.names.today[place]
        return self.rows.row(place).order_id

    def was_asked(self, order_id: str) -> bool:
        """Did any row ask for this order before?"""
        events = self._journal.histories([order_id]).get(order_id, ())
        return any(event.kind in BEGINNINGS for event in events)

    def in_place(
        self,
        batch_id: str,
        file: str,
        sheet: str,
        ids: Mapping[int, str],
        questions: Collection[str],
    ) -> dict[str, StoodBefore]:
        """Order id -> its row in an earlier file (inplace.rows_before)."""
        if not ids:
            return {}
        return rows_before(
            self._journal, self.rows, batch_id, file, sheet, ids, questions
        )

    def standing(self, order_ids: Iterable[str]) -> set[str]:
        """Those of some orders that took money, may have taken some or may yet take some."""
        histories = self._journal.histories(list(dict.fromkeys(order_ids)))
        return {
            order_id
            for order_id, events in histories.items()
            if any(attempt.stands for attempt in fold(events))
        }

    def earlier(self, batch_id: str, judged: Judged) -> dict[int, tuple[str, ...]]:
        """Position -> every other order id that a row of a batch ever had: when it was planned
        before, when it was charged, and, last, as it says itself where it came back.
        """
        rows = judged.chunk.rows
        sheet = judged.chunk.sheet
        if not len(rows):
            return {}
        owned = self._journal.owned(batch_id, sheet, rows[0], rows[-1])
        before = self.rows.as_planned(batch_id, sheet, rows)
        found: dict[int, tuple[str, ...]] = {}
        if not (owned or before or judged.earlier):
            return found
        for at, row in enumerate(rows):
            was = before.get(row, NOTHING)
            told = judged.earlier.get(at, ())
            now = judged.documents[at].get("order_id")
            charged = owned.get(row, ())
            is_other = was.order_id not in ("", now) or charged not in ((), (now,))
            if not (told or was.earlier or is_other):
                continue
            ids = dict.fromkeys((was.order_id, *was.earlier, *charged))
            others = [one for one in ids if one and one != now and one not in told]
            if others or told:
                found[at] = (*others, *told)
        return found

    def asked(self, batch_id: str, judged: Judged) -> dict[int, tuple[Document, ...]]:
        """Position -> whatever else a row of a batch asked for when it was planned before: its
        cells are the same, the job was another.
        """
        rows = judged.chunk.rows
        if not len(rows):
            return {}
        before = self.rows.as_planned(batch_id, judged.chunk.sheet, rows)
        found: dict[int, tuple[Document, ...]] = {}
        if not before:
            return found
        for at, row in enumerate(rows):
            was = before.get(row, NOTHING)
            now = judged.documents[at]
            if was.document == now and not was.asked:
                continue
            mine = terms_alone(now)
            others: list[Document] = []
            for one in (terms_alone(was.document or {}), *was.asked):
                if has_terms(one) and one != mine and one not in others:
                    others.append(one)
            if others:
                found[at] = tuple(others)
        return found

    def answered(self, place: str) -> tuple[str, ...]:
        """The orders that rows which came back to correct the row of a place turned out to be
        duplicates of.
        """
        return self._all_answered().get(place, ())

    def may_answer(self, sale: Ancestry, order_id: str, others: Iterable[str]) -> bool:
        """May a duplicate of an order settle the rows of this sale? One charge pays for one sale:
        for that of its own id, and for one more that a person says it is. `others`: places for
        which it answers, beside those of before.
        """
        own = self.form(order_id)
        if own in map(self.form, sale.order_ids):
            return True
        answered = [
            place for place, ids in self._all_answered().items() if order_id in ids
        ]
        for place in (*others, *answered):
            other = self.of(place)
            is_its_own = own in map(self.form, other.order_ids)
            if not is_its_own and other.identity != sale.identity:
                return False
        return True

    def _all_answered(self) -> Mapping[str, tuple[str, ...]]:
        if self._answered is None:
            self._answered = {}
            for _, told in told_by(
                self._journal.events([RowsAnswered.kind]), RowsAnswered
            ):
                for one, order_id in told.rows.items():
                    self._answered[one] = (*self._answered.get(one, ()), order_id)
        return self._answered

    def job_of(self, place: str, ids: Sequence[str]) -> str:
        """The other job of this journal that a place is of; empty where it is this job's, or
        nobody's that is known. Where another job had one of these orders charged, that is what a
        row of it comes to (J06), wherever it came from.
        """
        if self.rows.where(place) is not None or self._is_charged_elsewhere(ids):
            return ""
        tail = place.partition("\t")[0]
        if tail not in self._jobs:
            self._jobs[tail] = self._journal.job_of_batch(tail)
        return self._jobs[tail]

    def batches_elsewhere(self, sha256: str) -> Sequence[tuple[str, str]]:
        """The other jobs of this journal that know the input file of a digest, and their batches of
        it.
        """
        if sha256 not in self._batches:
            self._batches[sha256] = self._journal.batches_elsewhere(sha256)
        return self._batches[sha256]

    def _is_charged_elsewhere(self, ids: Sequence[str]) -> bool:
        for of_jobs in self._journal.elsewhere(ids).values():
            for _, events in of_jobs:
                if any(attempt.stands for attempt in fold(events)):
                    return True
        return False
