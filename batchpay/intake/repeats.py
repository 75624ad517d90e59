"""Orders that one run's own files ask for twice, or contradict, found without holding the rows.

Pass one keeps a 64-bit hash per order id, as look-alikes see it (docs/never-twice.md, "The same
again, or something else"), and per one-time token. Only when two are equal is a second pass needed,
and it looks at nothing but the rows behind them:

    repeats = Repeats()
    for judged in chunks: repeats.add(batch_id, judged)
    verdicts = repeats.resolve([(batch_id, chunks_again)]) if repeats.candidates() else {}
"""

from __future__ import annotations

import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from batchpay.domain.documents import orders_of, values_of
from batchpay.domain.model import (
    Document,
    Judged,
    Outcome,
    Repeat,
    StoredChunk,
    tail_in,
)
from batchpay.domain.text import told
from batchpay.intake.damage import is_damaged, numbers_abroad
from batchpay.intake.takenback import contradicting
from batchpay.lifecycle.ancestry import Ancestry, Trace, only_named
from batchpay.lifecycle.order_ids import alike, all_alike, same_text
from batchpay.lifecycle.payers import content_of, single_use_of, single_uses_of
from batchpay.lifecycle.places import by_order, place_of
from batchpay.lifecycle.rivals import Rivals, are_apart
from batchpay.lifecycle.sale_terms import terms_in
from batchpay.messages import repeats as said
from batchpay.messages import steps
from batchpay.messages.message import Entry, Field, Message

Place = tuple[str, str, int]
"""Batch, sheet and row number."""

Owned = Callable[[str, str, int, int], Collection[int]]
"""Batch, sheet, first and last row number -> the rows that caused an attempt already."""


def nobody(
    batch_id: str,
    sheet: str,
    first: int,
    last: int,
) -> Collection[int]:
    """No row did."""
    return ()


def no_rivals(place: str) -> Rivals | None:
    """No row that came before is known to have any."""
    return None


def no_word(line: Iterable[str]) -> str:
    """Nobody gave up a row."""
    return ""


NAMED = 5  # other rows a reason names
NO_FILES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class _Row:
    """What is kept of a row that may be a repeat."""

    place: Place
    order_id: str
    content: bytes
    terms: str  # sale_terms.terms_in
    token: str
    owner: bool  # it caused an attempt: what it is, its history says
    kin: Ancestry  # the rows that it corrects
    again: bool  # batchpay_retry = yes, of an order that was asked for before
    file: str  # its name; empty where nobody told it
    is_refused: bool = False  # it is never sent: it only contradicts

    @property
    def in_its_file(self) -> tuple[str, str]:
        """Its batch and its order id."""
        return self.place[0], self.order_id

    @property
    def line(self) -> tuple[str, ...]:
        """Its place, and those of the rows that it goes back to."""
        return (place_of(*self.place), *self.kin.places)

    @property
    def comes_last(self) -> tuple[bool, bool]:
        """Of rows that ask for one order alike, which is to be its owner? The lowest: one that asks
        for it again, then one that is of no other order, which may have been charged by now. Nobody
        waits for an owner that never goes.
        """
        if self.kin.places:
            of_another = self.kin.is_of_another(self.order_id)
        else:
            of_another = bool(self.kin.order_ids)
        return not self.again, of_another


class Repeats:
    """The order ids and one-time tokens of one run, as far as needed to see one come twice."""

    def __init__(
        self,
        *,
        distinct: bool = False,
        trace: Trace = only_named,
        rivals: Callable[[str], Rivals | None] = no_rivals,
        asked: Callable[[str], bool] = bool,
        given_up: Callable[[Iterable[str]], str] = no_word,
    ) -> None:
        """`distinct`: this source really has ids that only look alike (`[input] alike_ids`);
        `trace` follows a row that corrects another back to the first of them; `rivals` tells which
        rows of its file contradicted the row of a place; `asked` tells whether an order was asked
        for before: of any that may have been, if nobody knows; `given_up` who said of a row, by the
        places that it goes back to, that it is never sent: it stands in nobody's way.
        """
        self._rivals = rivals
        self._asked = asked
        self._given_up = given_up
        self._trace = trace
        # of rows that some row corrects under another order id
        self._places: set[str] = set()
        self._files: set[str] = set()  # last 12 digits of the batches
        self._corrected_files: set[str] = set()  # of those rows, in the same way
        # order ids of those rows, as look-alikes see them
        self._forms: set[str] = set()
        self._distinct = distinct
        self._ids = array("q")
        self._tokens = array("q")
        self._twice: tuple[Any, Any] | None = None
        self._notes = _Notes()

    def add(self, batch_id: str, chunk: Judged | StoredChunk) -> None:
        """Pass one: remember a chunk's valid rows. `batch_id` only mirrors the second pass."""
        documents = orders_of(chunk)
        _append(self._ids, _id_hashes(documents))
        self._ids.extend(self._shown_hashes(documents).values())
        _append(self._tokens, map(hash, filter(None, single_uses_of(documents))))
        self._ids.extend(hash(alike(order_id)) for _, order_id in contradicting(chunk))
        self._files.add(tail_in(batch_id))
        renamed = chunk.earlier.keys() - chunk.corrects.keys() - chunk.problems.keys()
        for at in renamed:
            forms = set(map(alike, chunk.earlier[at]))
            self._ids.extend(map(hash, forms))
        for _, ancestry in self._corrections(chunk):
            self._remember(ancestry)
        self._twice = None

    def _remember(self, ancestry: Ancestry) -> None:
        """The rows and the order ids that a correction stands for."""
        forms = set(map(alike, ancestry.order_ids))
        self._places.update(ancestry.places)
        self._forms.update(forms)
        self._ids.extend(map(hash, {*ancestry.places, *forms}))
        for place in ancestry.places:
            file, _, _ = place.partition("\t")
            self._corrected_files.add(file)

    def candidates(self) -> bool:
        """May there be a repeat at all? False is certain."""
        ids, tokens = self._repeated()
        if len(ids) > 0 or len(tokens) > 0:
            return True
        return not self._files.isdisjoint(self._corrected_files)

    def resolve(
        self,
        batches: Iterable[tuple[str, Iterable[Judged | StoredChunk]]],
        owned: Owned = nobody,
        files: Mapping[str, str] = NO_FILES,
    ) -> dict[Place, Repeat]:
        """Pass two, over the same chunks in the same order: what each repeated row is; the rest is
        left out. `files`: batch -> name of its file.
        """
        by_id: dict[str, list[_Row]] = defaultdict(list)
        by_token: dict[str, list[_Row]] = defaultdict(list)
        for row in self._suspects(batches, owned, files):
            by_id[alike(row.order_id)].append(row)
            if row.token:
                by_token[row.token].append(row)
        verdicts: dict[Place, Repeat] = {}
        suspects: list[_Row] = []
        refused: list[_Row] = []
        groups: list[tuple[list[_Row], _Rule]] = []
        for rows in by_id.values():
            suspects.extend(row for row in rows if not row.is_refused)
            refused.extend(row for row in rows if row.is_refused)
            groups.append((rows, self._same_order))
        for rows in self._shown(suspects):
            groups.append((rows, self._same_order))
        for rows in by_token.values():
            groups.append((rows, _same_token))
        for sale in self._sales(suspects):
            groups.append((sale, self._same_sale))
        given_way = _given_way(suspects, refused, groups)
        self._notes = _Notes()  # the rules were asked before
        for rows, rule in groups:
            verdicts.update(_among_batches(rows, rule, given_way))
        for row in refused:  # what is wrong with it says what becomes of it
            verdicts.pop(row.place, None)
        return _lonely_marked(verdicts, [*suspects, *refused])

    def notes_on(self, batch_id: str) -> list[Message]:
        """About a file as a whole, after `resolve`."""
        return self._notes.on(batch_id)

    def _same_order(self, rows: Sequence[_Row]) -> dict[Place, Repeat]:
        """Rows whose order ids are equal, or equal but for what programs do to ids."""
        by_id = _grouped(rows, lambda row: row.order_id)
        if len(by_id) == 1:
            return _same_id(by_id)
        if self._distinct:
            verdicts = _same_id(by_id)
        else:
            verdicts = _look_alikes(by_id)
        return verdicts | _composed(rows, self._notes)

    def _shown_hashes(self, documents: Sequence[Document]) -> dict[int, int]:
        """Position -> the hash of the number that an id is as sheets of other countries show it."""
        if self._distinct:
            return {}
        numbers = numbers_abroad(values_of(documents, "order_id"))
        return {at: hash(alike(number)) for at, number in numbers.items()}

    def _shown(self, rows: Iterable[_Row]) -> Iterator[list[_Row]]:
        """Rows of one file whose ids may be one number, as sheets of several countries show it, and
        some of which ask for the same: 1.004 beside 1004 may be a version else. What other files of
        the run ask for is held against it as they go (lifecycle.going).
        """
        if self._distinct:
            return
        groups = _grouped(rows, lambda row: (row.place[0], _number(row.order_id)))
        for same in groups.values():
            of_one_sale: set[str] = set()
            for some in _grouped(same, lambda row: row.terms).values():
                ids = {row.order_id for row in some}
                if len(set(map(alike, ids))) > 1:
                    of_one_sale |= ids
            if of_one_sale:
                yield [row for row in same if row.order_id in of_one_sale]

    def _corrections(
        self, chunk: Judged | StoredChunk
    ) -> Iterator[tuple[int, Ancestry]]:
        """Position and ancestry of the valid rows that correct a row of another order, or one
        without an order id.
        """
        for at, place in chunk.corrects.items():
            if at not in chunk.problems:
                ancestry = self._trace(place, chunk.earlier.get(at, ()))
                if ancestry.is_of_another(chunk.documents[at]["order_id"]):
                    yield at, ancestry

    def _sales(self, rows: Iterable[_Row]) -> Iterator[list[_Row]]:
        """Rows that are one sale because some of them correct others, or the order of others."""
        sales: dict[str, dict[Place, _Row]] = defaultdict(dict)
        for row in rows:
            own = place_of(*row.place)
            for key in {own, *row.kin.places} & self._places:
                sales[key][row.place] = row
            for order_id in (row.order_id, *row.kin.order_ids):
                form = alike(order_id)
                if form not in self._forms:
                    continue
                if self._distinct:
                    key = by_order(order_id)
                else:
                    key = by_order(form)
                sales[key][row.place] = row
        for sale in sales.values():
            if len(sale) > 1:
                yield list(sale.values())

    def _same_sale(self, rows: Sequence[_Row]) -> dict[Place, Repeat]:
        """A row and its corrections under other ids: which of them is right is not ours to say; but
        rows that go back to rivals are different sales.
        """
        if len({row.order_id for row in rows}) == 1:
            return {}
        named = dict.fromkeys(place for row in rows for place in row.kin.places)
        rivals = {
            id(found): found for found in map(self._rivals, named) if found is not None
        }
        told_apart = _ToldApart(rows, list(rivals.values()))
        verdicts = {}
        for row in rows:
            others = [
                one for one in told_apart.beside(row) if one.order_id != row.order_id
            ]
            if others:
                verdicts[row.place] = _kin_of(row, others)
        return verdicts

    def _repeated(self) -> tuple[Any, Any]:
        if self._twice is None:
            self._twice = (_repeated(self._ids), _repeated(self._tokens))
        return self._twice

    def _suspects(
        self,
        batches: Iterable[tuple[str, Iterable[Judged | StoredChunk]]],
        owned: Owned,
        files: Mapping[str, str],
    ) -> Iterator[_Row]:
        """The valid rows whose order id or token came more than once, and the rows that contradict
        an order of such an id.
        """
        ids, tokens = self._repeated()
        for batch_id, chunks in batches:
            for chunk in chunks:
                if isinstance(chunk, Judged):
                    sheet = chunk.chunk.sheet
                    rows = chunk.chunk.rows
                else:
                    sheet = chunk.sheet
                    rows = chunk.rows
                places = [
                    at for at in range(len(chunk.documents)) if at not in chunk.problems
                ]
                documents = orders_of(chunk)
                id_hashes = list(_id_hashes(documents))
                token_hashes = list(map(hash, single_uses_of(documents)))
                hit_ids = _among(id_hashes, ids)
                hit_tokens = _among(token_hashes, tokens)
                shown = self._shown_hashes(documents)
                hit_shown = map(
                    list(shown).__getitem__, _among(list(shown.values()), ids)
                )
                kin_of_others = self._kin_in(batch_id, chunk, sheet, rows, places)
                hits = sorted({*hit_ids, *hit_shown, *hit_tokens, *kin_of_others})
                owners: Collection[int] = ()
                if hits:
                    owners = owned(batch_id, sheet, rows[0], rows[-1])
                for number in hits:
                    at = places[number]
                    row = rows[at]
                    told_place = chunk.corrects.get(at)
                    earlier = chunk.earlier.get(at, ())
                    if told_place:
                        kin = self._trace(told_place, earlier)
                    else:
                        kin = Ancestry(order_ids=earlier)
                    if self._given_up((place_of(batch_id, sheet, row), *kin.places)):
                        continue
                    document = documents[number]
                    order_id = document["order_id"]
                    yield _Row(
                        place=(batch_id, sheet, row),
                        order_id=order_id,
                        content=bytes.fromhex(content_of(document)),
                        terms=terms_in(document),
                        token=single_use_of(document),
                        owner=row in owners,
                        kin=kin,
                        again=at in chunk.comeback and self._asked(order_id),
                        file=files.get(batch_id, ""),
                    )
                back = list(contradicting(chunk))
                for number in _among([hash(alike(one)) for _, one in back], ids):
                    at, order_id = back[number]
                    place = (batch_id, sheet, rows[at])
                    kin = Ancestry()
                    if at in chunk.corrects:
                        kin = self._trace(chunk.corrects[at])
                    refused = _refused(place, order_id, files.get(batch_id, ""), kin)
                    if not self._given_up(refused.line):
                        yield refused

    def _kin_in(
        self,
        batch_id: str,
        chunk: Judged | StoredChunk,
        sheet: str,
        rows: Sequence[int],
        places: Sequence[int],
    ) -> Iterator[int]:
        """Which of the valid rows correct a row, or are one that some row corrects under another
        order id, or had such an id before.
        """
        if not self._places:
            return
        corrected_here = tail_in(batch_id) in self._corrected_files
        for number, at in enumerate(places):
            forms = map(alike, chunk.earlier.get(at, ()))
            had = not self._forms.isdisjoint(forms)
            is_kin = at in chunk.corrects or had
            if not is_kin and corrected_here:
                is_kin = place_of(batch_id, sheet, rows[at]) in self._places
            if is_kin:
                yield number


def _refused(place: Place, order_id: str, file: str, kin: Ancestry) -> _Row:
    """A row that is rejected, and contradicts the others of its order id."""
    return _Row(
        place=place,
        order_id=order_id,
        content=b"",
        terms="",
        token="",
        owner=False,
        kin=kin,
        again=False,
        file=file,
        is_refused=True,
    )


def _append(hashes: array[int], more: Iterator[int]) -> None:
    """Twice as fast as `array.extend`."""
    import numpy as np

    hashes.frombytes(np.fromiter(more, np.int64).tobytes())


def _number(order_id: str) -> str:
    """An id as look-alikes see it, the number of one that sheets of other countries show so."""
    return alike(numbers_abroad([order_id]).get(0, order_id))


def _id_hashes(documents: Sequence[Document]) -> Iterator[int]:
    return map(hash, all_alike(values_of(documents, "order_id")))


_Rule = Callable[[list[_Row]], dict[Place, Repeat]]


def _given_way(
    rows: Sequence[_Row],
    refused: Sequence[_Row],
    groups: Sequence[tuple[list[_Row], _Rule]],
) -> dict[str, set[str]]:
    """Place -> the batches in which its row is no more in question, because one that came back in
    such a batch stands in its place: it was refused, or asked for something else under the same id;
    or other rows of its own file contest it. None of them is ever sent from there.
    """
    came: dict[str, set[str]] = defaultdict(set)
    replaced = {place_of(*row.place): row for row in refused}
    unsent = {place_of(*row.place): row for row in rows if not row.owner}
    for row in rows:
        for place in row.kin.places:
            came[place].add(row.place[0])
            named = unsent.get(place)
            if (
                named
                and row.order_id == named.order_id
                and row.content != named.content
            ):
                replaced[place] = named
    given_way: dict[str, set[str]] = defaultdict(set)
    if not came:
        return given_way
    for place, row in replaced.items():
        # a refused row is in each version of its file, and came back for all of them
        for one in row.line if row.is_refused else (place,):
            given_way[place] |= came.get(one, set()) - {row.place[0]}
    for some, rule in groups:
        for batch, own in _grouped(some, lambda row: row.place[0]).items():
            contested = _contested(rule(own))
            instead: set[str] = set()
            for place in contested:
                instead.update(came.get(place, ()))
            instead.discard(batch)
            if instead:
                for place in contested:
                    given_way[place] |= instead
    return given_way


def _contested(verdicts: Mapping[Place, Repeat]) -> list[str]:
    """The places of the rows that are no mere duplicates."""
    contested = []
    for at, repeat in verdicts.items():
        if repeat.outcome is not Outcome.DUPLICATE:
            contested.append(place_of(*at))
    return contested


def _among_batches(
    rows: list[_Row], rule: _Rule, given_way: Mapping[str, Collection[str]]
) -> dict[Place, Repeat]:
    """The verdicts of a rule. A row of another file that was sent already is held against nobody:
    it is history, which `standing.stand` knows, and by which a corrected row comes back beside the
    file that it corrects. Nor are the rows of other files that have given way to those of this one.
    """
    by_batch = _grouped(rows, lambda row: row.place[0])
    if len(by_batch) == 1:
        return rule(rows)
    if not any(row.owner or place_of(*row.place) in given_way for row in rows):
        return rule(rows)
    verdicts: dict[Place, Repeat] = {}
    for batch, own in by_batch.items():
        others = [row for row in rows if row.place[0] != batch and not row.owner]
        still = [
            row
            for row in others
            if batch not in given_way.get(place_of(*row.place), ())
        ]
        together = {row.place for row in (*own, *still)}
        concerned = [row for row in rows if row.place in together]
        some = rule(concerned)
        for row in own:
            if not row.owner and row.place in some:
                verdicts[row.place] = some[row.place]
    return verdicts


def _repeated(hashes: array[int]) -> Any:
    """The sorted hashes that are there more than once."""
    import numpy as np  # heavy: only where rows are judged

    ordered = np.sort(np.frombuffer(hashes, dtype=np.int64))
    later = ordered[1:]
    is_repeated = later == ordered[:-1]
    return np.unique(later[is_repeated])


def _among(hashes: Sequence[int], repeated: Any) -> list[int]:
    """The positions of hashes that are among the repeated ones."""
    import numpy as np

    if not len(repeated) or not hashes:
        return []
    wanted = np.asarray(hashes, dtype=np.int64)
    last = len(repeated) - 1
    nearest = np.minimum(np.searchsorted(repeated, wanted), last)
    is_hit = repeated[nearest] == wanted
    positions: list[int] = np.flatnonzero(is_hit).tolist()
    return positions


# --- verdicts


def _lonely_marked(
    verdicts: Mapping[Place, Repeat], rows: Sequence[_Row]
) -> dict[Place, Repeat]:
    """The same verdicts; those of rows whose very order id no other row of their file has say
    so.
    """
    often = Counter(row.in_its_file for row in rows)
    alone = {row.place for row in rows if often[row.in_its_file] == 1}
    marked = {}
    for place, repeat in verdicts.items():
        marked[place] = _marked(repeat, alone=place in alone)
    return marked


def _marked(repeat: Repeat, *, alone: bool) -> Repeat:
    if repeat.by_itself is None:
        return replace(repeat, alone=alone)
    by_itself = replace(repeat.by_itself, alone=alone)
    return replace(repeat, alone=alone, by_itself=by_itself)


def _same_id(by_id: Mapping[str, list[_Row]]) -> dict[Place, Repeat]:
    """Rows whose order ids are equal, character by character."""
    verdicts: dict[Place, Repeat] = {}
    for same in by_id.values():
        if len({row.content for row in same}) > 1:
            verdicts.update(_all(same, Outcome.CONFLICT, said.OTHER_CONTENT))
        else:
            first, *others = sorted(same, key=lambda row: row.comes_last)
            for row in others:
                verdicts[row.place] = _duplicate(row, first)
    return verdicts


def _duplicate(row: _Row, first: _Row) -> Repeat:
    reason = said.SAME_ORDER(place=_told(first, row))
    return Repeat(Outcome.DUPLICATE, reason, first.place[1], first.place[2])


def _look_alikes(by_id: Mapping[str, list[_Row]]) -> dict[Place, Repeat]:
    """Rows whose order ids are one but for what programs do to ids: none is sent, whatever they ask
    for.

    A repeat of such a row is contested too: nobody waits for an owner that never comes. Which of
    the ids is right, the order's history may know (`standing.stand`): then the rows with it are
    what they are among themselves.
    """
    by_itself = _same_id(by_id)
    whole = _least_damaged(by_id)
    verdicts = {}
    for order_id, same in by_id.items():
        other_id = whole
        if order_id == whole:
            other_id = next(one for one in by_id if one != whole)
        other = by_id[other_id][0]
        for row in same:
            place = _told(other, row)
            if other.place[0] != row.place[0]:
                step = steps.LEAVE_ID_FILE(order=told(whole))
                reason = said.ALIKE_IN(order=told(other_id), place=place, step=step)
            elif order_id == whole:
                step = steps.WRITE_ID_THERE(order=told(whole))
                reason = said.ALIKE_IN(order=told(other_id), place=place, step=step)
            else:
                reason = look_alike_reason(order_id, whole, place)
            verdicts[row.place] = Repeat(
                Outcome.CONFLICT,
                reason,
                looks_like=other_id,
                by_itself=by_itself.get(row.place),
            )
    return verdicts


def _least_damaged(order_ids: Iterable[str]) -> str:
    """The one id that all the rows are told to have, so that doing what each says ends well: the
    first that is not what programs make of another one.
    """
    ids = list(order_ids)
    whole = (one for one in ids if not any(is_damaged(one, other) for other in ids))
    return next(whole, ids[0])


def look_alike_reason(
    order_id: str, other: str, place: Message | None = None
) -> Message:
    """Why an order whose id looks like another one's is not sent, and what to do so that it ends
    well.

    Where the other id is what programs make of this one, a rejects file gives this one back: so its
    column is named.
    """
    name = told(other)
    if same_text(order_id, other):
        return said.SAME_LETTERS(places=place or name, step=steps.LEAVE_ONE())
    if is_damaged(other, order_id):
        step = steps.WRITE_DAMAGED_ID(other=name)
    else:
        step = steps.WRITE_ID(other=name)
    if place is None:
        return said.ALIKE(order=name, step=step)
    return said.ALIKE_IN(order=name, place=place, step=step)


def _composed(rows: Sequence[_Row], notes: _Notes) -> dict[Place, Repeat]:
    """Ids alike but for their characters' form; no source means both (docs/faults.md, X04)."""
    verdicts: dict[Place, Repeat] = {}
    by_letters = _grouped(rows, lambda row: unicodedata.normalize("NFC", row.order_id))
    for twins in by_letters.values():
        spellings = {row.order_id for row in twins}
        if len(spellings) > 1:
            notes.add_composed(twins)
            verdicts.update(_all(twins, Outcome.CONFLICT, said.SAME_LETTERS))
    return verdicts


class _ToldApart:
    """Rows of one sale, as it seems, some of which go back to rivals."""

    def __init__(self, rows: Sequence[_Row], rivals: Sequence[Rivals]) -> None:
        self._rows = rows
        self._which = {row.place: _which(row, rivals) for row in rows}

    def beside(self, row: _Row) -> list[_Row]:
        """Those that may be one sale with a row: all but other rivals that ask for other terms."""
        mine = self._which[row.place]
        if not any(mine):
            return list(self._rows)
        return [one for one in self._rows if not self._are_apart(row, mine, one)]

    def _are_apart(self, row: _Row, mine: Sequence[str], other: _Row) -> bool:
        if row.terms == other.terms:
            return False
        return any(map(are_apart, mine, self._which[other.place]))


def _which(row: _Row, rivals: Iterable[Rivals]) -> tuple[str, ...]:
    """To which of each rivals a row goes back."""
    return tuple(some.which(row.line, row.terms) for some in rivals)


def _kin_of(row: _Row, others: Sequence[_Row]) -> Repeat:
    named = []
    for other in others[:NAMED]:
        place = _told(other, row)
        named.append(said.ORDER_IN(place=place, order=told(other.order_id)))
    places = _some(named, len(others) - NAMED)
    reason = said.SAME_SALE(places=places, step=_leave_one(row, others))
    return Repeat(Outcome.CONFLICT, reason)


def _same_token(rows: Sequence[_Row]) -> dict[Place, Repeat]:
    """One-time tokens pay once: which of two orders it was meant for is the sender's to say."""
    if len({row.order_id for row in rows}) == 1:
        return {}
    return _all(rows, Outcome.REJECTED, said.SAME_TOKEN)


def _grouped(rows: Iterable[_Row], key: Callable[[_Row], Any]) -> dict[Any, list[_Row]]:
    groups: dict[Any, list[_Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _all(
    rows: Sequence[_Row], outcome: Outcome, sentence: Entry
) -> dict[Place, Repeat]:
    """One verdict for all, each naming some of the others."""
    verdicts = {}
    for row in rows:
        others = [other for other in rows[: NAMED + 1] if other is not row][:NAMED]
        named = [_told(other, row) for other in others]
        more = len(rows) - 1 - len(others)
        reason = sentence(places=_some(named, more), step=_leave_one(row, rows))
        verdicts[row.place] = Repeat(outcome, reason)
    return verdicts


def _leave_one(row: _Row, others: Iterable[_Row]) -> Message:
    """What ends it that rows contradict each other: a rejects file stands for the rows of its own
    file, and for those of no other.
    """
    if any(other.place[0] != row.place[0] for other in others):
        return steps.LEAVE_ONE_FILE()
    return steps.LEAVE_ONE()


# --- how rows are named


def _told(other: _Row, seen_from: _Row) -> Message:
    """`row 7`, with sheet and file, or batch, where they are others."""
    batch, sheet, row = other.place
    seen_batch, seen_sheet, _ = seen_from.place
    other_sheet = ""
    if sheet != seen_sheet:
        other_sheet = sheet
    if batch == seen_batch:
        if other_sheet:
            return said.ROW_OF_SHEET(row=row, sheet=sheet)
        return said.ROW(row=row)
    if other.file:
        return _told_of_file(row, other_sheet, told(other.file))
    if other_sheet:
        return said.ROW_OF_BOTH(row=row, sheet=sheet, batch=batch)
    return said.ROW_OF_BATCH(row=row, batch=batch)


def _told_of_file(row: int, sheet: str, file: str) -> Message:
    """A batch has no reports before its file was run; its name a person knows."""
    if sheet:
        return said.ROW_OF_SHEET_OF_FILE(row=row, sheet=sheet, file=file)
    return said.ROW_OF_FILE(row=row, file=file)


def _some(named: Sequence[Message], more: int) -> Field:
    """`row 2, row 7 and 3 more`."""
    if more <= 0:
        return tuple(named)
    return said.AND_MORE(places=tuple(named), more=more)


class _Notes:
    """What to say about the files as a whole."""

    def __init__(self) -> None:
        # places -> rows, for a rule may be asked of each file
        self._composed: dict[frozenset[Place], Sequence[_Row]] = {}

    def add_composed(self, twins: Sequence[_Row]) -> None:
        """Rows whose ids are one text in other characters."""
        self._composed[frozenset(row.place for row in twins)] = twins

    def on(self, batch_id: str) -> list[Message]:
        """Of a file, and of others where it has one of the rows."""
        composed = [
            twins
            for twins in self._composed.values()
            if any(row.place[0] == batch_id for row in twins)
        ]
        if not composed:
            return []
        first, *others = composed
        seen_from = next(row for row in first if row.place[0] == batch_id)
        places = tuple(_told(row, seen_from) for row in first[:NAMED])
        if not others:
            return [said.COMPOSED(places=places)]
        more = len(others)
        return [said.COMPOSED(places=said.AND_MORE_LIKE_THEM(places=places, more=more))]
