"""RENAMING: which order ids are names of one sale, because a row had one of them first and another
one now.

An edited job or lookup file gives rows other order ids. A row keeps every id that it ever had
(`Lineages.earlier`), and what its ids tell of each other is written down for every other row that
has one of them, in this file or a later one:

    the old id was asked for by this row, or to correct it                          the same sale
      (`Names.same`)
    the old id was never asked for, or by a row that this one may repeat            this row had it
      (`Names.had`)
    the old id was asked for by another payer, for other money                      a mistake, which
      tells nothing
    another order corrects the row, and knows it by no id, or by another            the same sale

Any of it may have been a mistake that was mended since: whether what is written down holds for a
row is judged each time by what the row that was charged is called today (`standing`).

A row that came back to correct another has the id that a person typed. It is the sale that it came
back from where it asks for the very terms of that one, or of the order that it names now, whose
duplicate it is, for good (`Names.said`); but not where the row that it came back for asked for
something else than that order. An id that nothing had before is a name of the sale for good,
whatever terms it came with (`Names.back`): also for a row of a later file that came back for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product, starmap

from batchpay.batches.kin import document_named
from batchpay.batches.orders import attempts_of
from batchpay.domain.model import Batch, Document, StoredChunk, tail_in
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.ancestry import Ancestry, goes_back_to
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.kinship import Lineages
from batchpay.lifecycle.names import Names
from batchpay.lifecycle.places import place_of
from batchpay.lifecycle.sales import is_known_by
from batchpay.lifecycle.terms import contradicts, is_a_strangers, same_terms


def may_tell_names(batch: Batch, lineages: Lineages, *, had_other_ids: bool) -> bool:
    """May any row of a batch tell of other names of its order? False is certain."""
    return had_other_ids or any(
        place.startswith(tail_in(batch.id)) for place in lineages.rows.corrections
    )


def new_names(
    journal: SqliteJournal,
    lineages: Lineages,
    batch: Batch,
    chunks: Iterable[StoredChunk],
) -> Names:
    """What the rows of a batch, as they are planned now, tell of order ids and the journal does not
    know yet.
    """
    found = Names()
    typed = Names()
    for chunk in chunks:
        found |= Names(today=_today(batch, chunk))
        typed |= _typed_in(journal, batch, chunk, lineages)
        rows = list(_rows_with_others(journal, batch, chunk, lineages))
        ids: list[str] = []
        for row in rows:
            ids += row.ids
            if row.is_typed:
                ids.append(row.order_id)
        attempts = attempts_of(journal, ids)
        for row in rows:
            found |= _told_by(row, attempts, lineages)
    return found | typed


def _typed_in(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    lineages: Lineages,
) -> Names:
    """New ids that a person typed in rows that came back: each is its sale's for good, whatever it
    asks for. An id that is another's as well is none: a fill handle went over it.
    """
    # order id -> sale -> what it goes back to
    came: dict[str, dict[str, Ancestry]] = {}
    places: dict[str, list[str]] = {}
    for at, corrected in chunk.corrects.items():
        order_id = str(chunk.documents[at].get("order_id") or "")
        ancestry = lineages.of(corrected, chunk.earlier.get(at, ()))
        if order_id:
            came.setdefault(order_id, {})[ancestry.identity] = ancestry
            places.setdefault(order_id, []).append(
                place_of(batch.id, chunk.sheet, chunk.rows[at])
            )
    attempts = attempts_of(journal, list(came))
    back = {}
    for order_id, sales in came.items():
        ancestry, *others = sales.values()
        had_it = lineages.form(order_id) in map(lineages.form, ancestry.order_ids)
        if others or had_it or lineages.names.is_typed_for(order_id, ancestry.keys):
            continue
        own = (*places[order_id], *ancestry.keys)
        asked = [one for one in attempts.get(order_id, ()) if not one.set_aside]
        if all(is_known_by(own, one) for one in asked):
            back[order_id] = ancestry.keys
    return Names(back=back)


def _today(batch: Batch, chunk: StoredChunk) -> dict[str, str]:
    """Place -> the order id that a row has now, of those that had others."""
    today = {}
    for at in chunk.earlier:
        place = place_of(batch.id, chunk.sheet, chunk.rows[at])
        today[place] = str(chunk.documents[at].get("order_id") or "")
    return today


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that has or had other ids, or that another order corrects."""

    place: tuple[str, str, int]
    document: Document
    had: tuple[str, ...]  # its other ids, and the names of these
    corrected_by: tuple[str, ...]  # orders that came to correct it
    # what the row asked for that it came back for, where that never had its id
    named: Document | None
    corrects: str  # places.place_of the row that it came back for
    # what else it asked for, when the job read it otherwise
    asked: tuple[Document, ...] = ()

    @property
    def is_typed(self) -> bool:
        """Did it come back to correct another? Then its id is a person's word, not an edited
        job's.
        """
        return bool(self.corrects)

    def is_anothers(self, attempt: Attempt) -> bool:
        """Did the row that it came back for ask for something else than this attempt, which did not
        come for it?
        """
        kin = goes_back_to(attempt.intent, [self.corrects])
        return self.named is not None and not kin and contradicts(self.named, attempt)

    @property
    def order_id(self) -> str:
        """The id that it has now."""
        return str(self.document["order_id"])

    @property
    def ids(self) -> tuple[str, ...]:
        """Every other order that it may be."""
        every = dict.fromkeys((*self.had, *self.corrected_by))
        return tuple(one for one in every if one != self.order_id)

    def caused(self, attempt: Attempt) -> bool:
        """Is this attempt the row's, or a correction of it, or, where a person typed its id, what
        it asks for?
        """
        if attempt.owned_by(*self.place) or goes_back_to(
            attempt.intent, [place_of(*self.place)]
        ):
            return True
        return self.is_typed and same_terms(self.document, attempt)

    def may_repeat(self, attempts: Iterable[Attempt]) -> bool:
        """May it be what these asked for, by its payer or by its money, whatever an edit of the
        job makes of it?
        """
        pairs = product((self.document, *self.asked), attempts)
        return not self.is_typed and not all(starmap(is_a_strangers, pairs))


def _rows_with_others(
    journal: SqliteJournal,
    batch: Batch,
    chunk: StoredChunk,
    lineages: Lineages,
) -> Iterator[_Row]:
    owned: dict[int, tuple[str, ...]] = {}
    if chunk.rows:
        owned = journal.owned(batch.id, chunk.sheet, chunk.rows[0], chunk.rows[-1])
    corrections = lineages.rows.corrections
    if not (chunk.earlier or owned or corrections):
        return
    for at, document in enumerate(chunk.documents):
        new = document.get("order_id")
        row = chunk.rows[at]
        place = (batch.id, chunk.sheet, row)
        ever = (*chunk.earlier.get(at, ()), *owned.get(row, ()))
        had = [one for one in ever if one and one != new]
        correcting: Sequence[str] = ()
        if corrections:
            correcting = corrections.get(place_of(*place), ())
        if not new or not (had or correcting):
            continue
        names = list(had)
        for one in had:
            names += lineages.names.other_names(one)
        yield _Row(
            place=place,
            document=document,
            had=tuple(dict.fromkeys(names)),
            corrected_by=tuple(correcting),
            named=document_named(chunk, at, lineages),
            corrects=chunk.corrects.get(at, ""),
            asked=chunk.asked.get(at, ()),
        )


def _told_by(
    row: _Row, attempts: Mapping[str, Sequence[Attempt]], lineages: Lineages
) -> Names:
    """What a row tells that is not known."""
    same = []
    had = []
    for old in row.ids:
        asked = [attempt for attempt in attempts.get(old, ()) if not attempt.set_aside]
        if any(map(row.caused, asked)):
            same.append(old)
        elif not row.is_typed and (not asked or row.may_repeat(asked)):
            had.append(old)
    new = row.order_id
    its_own: list[Attempt] = []
    if row.is_typed:
        of_new = [one for one in attempts.get(new, ()) if not one.set_aside]
        its_own = [one for one in of_new if row.caused(one)]
    if any(map(row.is_anothers, its_own)):
        return Names()
    if its_own:
        unasked = [old for old in row.had if not attempts.get(old)]
        back = [old for old in unasked if not lineages.names.is_same(old, new)]
        return Names(said=dict.fromkeys(back, (new,)) | _names_of(new, same))
    same = [old for old in same if not lineages.names.is_same(new, old)]
    if row.is_typed:
        return Names(said=_names_of(new, same))
    had = [old for old in had if not lineages.names.is_named(new, old)]
    return Names(_names_of(new, same), _names_of(new, had))


def _names_of(order_id: str, others: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Nothing where there are none."""
    if not others:
        return {}
    return {order_id: tuple(others)}
