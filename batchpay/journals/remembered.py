"""What a journal in memory is asked about all its events, and the rows of its batches.

The same questions that the one on disk answers by its indexes, here by walking through the list:
for tests and simulations, which tests/contract holds to the same answers.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from batchpay.domain.events import (
    BEGINNINGS,
    Answered,
    BatchPlanned,
    Intended,
    OrderCancelled,
    RunStarted,
    TotalsCounted,
    TransferSeen,
    asked_in,
    begins,
    charge_in,
    state_of,
)
from batchpay.domain.model import (
    Batch,
    ChargedAtOnce,
    Done,
    Event,
    Judged,
    OnItsWay,
    Outcome,
    Repeat,
    StoredChunk,
    Wrote,
    tail_in,
)
from batchpay.journals.asked import Asked, asked, by_row, grouped
from batchpay.journals.came_to import came_of
from batchpay.journals.guard import Open
from batchpay.journals.naming import id_of_row
from batchpay.lifecycle.after import OVER
from batchpay.lifecycle.attempt import created_ns
from batchpay.lifecycle.sale_terms import are_like

BEFORE_ALL = "0" * 64


@dataclass(slots=True)
class _Planned:
    """A batch as last planned."""

    batch: Batch
    chunks: list[StoredChunk]
    digest: str
    repeats: dict[tuple[str, int], Repeat]


class Remembered:
    """Over the list of events that MemoryJournal writes."""

    def __init__(self, job: str) -> None:
        self.job = job
        self._events: list[Event] = []
        self._open: dict[str, Open] = {}
        self._staged: dict[str, list[StoredChunk]] = {}
        self._planned: dict[str, _Planned] = {}

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append all or none. Raises Taken."""
        raise NotImplementedError

    # --- the events

    def head(self) -> tuple[int, str]:
        """Sequence number and digest of the last event."""
        seq = len(self._events)
        return seq, self.digest_of(seq) or BEFORE_ALL

    def digest_of(self, seq: int) -> str:
        """The digest of one event; empty for one that is not there."""
        if not 1 <= seq <= len(self._events):
            return ""
        digest = BEFORE_ALL
        for event in self._events[:seq]:
            line = json.dumps([digest, asdict(event)], sort_keys=True)
            digest = hashlib.sha256(line.encode()).hexdigest()
        return digest

    def verify(self) -> None:
        """Memory does not rot."""

    def verify_new(self) -> None:
        """Nor what is new in it."""

    def reread(self) -> None:
        """Nothing was kept."""

    def close(self) -> None:
        """There is nothing to let go of."""

    def last_run_of(self, batch_id: str) -> str:
        """The last run that wrote about a batch more than where its rows stand."""
        started = {
            event.run_id
            for event in self._events
            if event.kind == RunStarted.kind and not event.order_id
        }
        for event in reversed(self._of_batch(batch_id)):
            if event.kind != TotalsCounted.kind and event.run_id in started:
                return event.run_id
        return ""

    def wrote_in(
        self, run_id: str, after: int, before: int | None, apart: Collection[str] = ()
    ) -> Wrote:
        """What a run wrote about orders, added up."""
        every: dict[str, list[Done]] = {}
        for done in self._done_in(run_id, after, before):
            every.setdefault(done.order_id, []).append(done)
        charged: dict[tuple[str, str], ChargedAtOnce] = {}
        others = []
        for order_id, told in every.items():
            paid = _charged_at_once(told)
            if paid is None or order_id in apart:
                if any(done.kind != TransferSeen.kind for done in told):
                    others.append(order_id)
                continue
            at = (paid.batch_id, paid.currency)
            known = charged.get(at, ChargedAtOnce(*at, 0, []))
            ids = [*known.order_ids, order_id]
            charged[at] = ChargedAtOnce(*at, known.minor + paid.amount, ids)
        batches = {done.batch_id for told in every.values() for done in told}
        return Wrote(list(charged.values()), others, frozenset(batches))

    def done_in(
        self, run_id: str, after: int, before: int | None, order_ids: Sequence[str]
    ) -> Iterator[Done]:
        """What a run wrote about some orders, between two numbers of events."""
        wanted = set(order_ids)
        for done in self._done_in(run_id, after, before):
            if done.order_id in wanted:
                yield done

    def _done_in(self, run_id: str, after: int, before: int | None) -> Iterator[Done]:
        last = len(self._events) + 1
        if before is not None:
            last = before
        for event in self._events:
            if event.run_id == run_id and event.order_id and after < event.seq < last:
                yield _done(event)

    # --- orders

    def knows_orders(self) -> bool:
        """Did any order ever have an attempt?"""
        return any(True for _ in self._asked())

    def orders_of(self, batch_id: str) -> list[str]:
        """Order ids with an attempt that a row of this batch caused."""
        return list(dict.fromkeys(event.order_id for event in self._caused(batch_id)))

    def orders_of_row(self, batch_id: str, sheet: str, row: int) -> list[str]:
        """Order ids with an attempt that this row of a batch caused, oldest first."""
        caused = self._caused(batch_id)
        of_row = [one for one in caused if (one.sheet, one.row) == (sheet, row)]
        return list(dict.fromkeys(event.order_id for event in of_row))

    def orders_since(self, at_ns: int) -> list[str]:
        """Order ids with any event since then."""
        return sorted(
            {
                event.order_id
                for event in self._events
                if event.order_id and event.at_ns >= at_ns
            }
        )

    def last_of_orders(self) -> int:
        """Number of the last event about an order; 0 when there is none."""
        return max((event.seq for event in self._events if event.order_id), default=0)

    def cancelled(self) -> list[Event]:
        """Every word of a person that an order without an attempt is never to be sent."""
        return [event for event in self._events if event.kind == OrderCancelled.kind]

    def adopted(self) -> list[tuple[str, str]]:
        """Batch id and order id of every charge that was adopted, oldest first."""
        return [
            (event.batch_id, event.order_id)
            for event in self._events
            if event.kind in BEGINNINGS and event.send == 0
        ]

    # --- who asked the same

    def asked_terms(
        self, beginnings: Sequence[str], since_ns: int
    ) -> dict[str, list[tuple[str, str, int, str]]]:
        """What terms begin with -> order id, batch id and time of every attempt whose terms begin
        so since then, with these.
        """
        return grouped(
            (beginning, (row.order_id, row.batch_id, row.at_ns, row.terms))
            for _, row in self._asked()
            for beginning in dict.fromkeys(beginnings)
            if row.terms.startswith(beginning) and row.at_ns >= since_ns
        )

    def asked_under(
        self, beginnings: Sequence[str], but: str | None, *, corrections: bool = False
    ) -> dict[str, list[tuple[str, str, int, str, str]]]:
        """What terms are like -> the same of whatever age, with what its id was made of, and the
        kind of the event.
        """
        found: dict[str, list[tuple[str, str, int, str, str]]] = {}
        for event, row in self._asked():
            made_of = str(asked_in(event.data).get("ids_from") or "")
            wanted = made_of != but or (corrections and row.corrects)
            for beginning in dict.fromkeys(beginnings):
                if wanted and are_like(row.terms, beginning):
                    told = (row.order_id, row.batch_id, row.at_ns, made_of, event.kind)
                    found.setdefault(beginning, []).append(told)
        return found

    def corrected(
        self, keys: Collection[str] | None = None, since_ns: int = 0
    ) -> dict[str, list[str]]:
        """A row's place, or its order -> the ids of orders whose attempt came to correct it."""
        pairs: dict[tuple[str, str], None] = {}
        for event, row in self._asked():
            if row.corrects and event.at_ns >= since_ns:
                sale = asked_in(event.data).get("sale") or ()
                names = [row.corrects, *(one for one in sale if isinstance(one, str))]
                pairs |= dict.fromkeys((name, row.order_id) for name in names)
        return grouped(pair for pair in pairs if keys is None or pair[0] in keys)

    def _asked(self) -> Iterator[tuple[Event, Asked]]:
        """Every event that began an attempt, with what it asked for."""
        for event in self._events:
            if event.order_id and begins(event.kind, event.send):
                row = asked(
                    event.seq,
                    self.job,
                    event.kind,
                    event.at_ns,
                    event.run_id,
                    event.batch_id,
                    event.sheet,
                    event.row,
                    event.order_id,
                    event.attempt,
                    event.data,
                )
                yield event, row

    # --- batches and their rows

    def stage(self, batch_id: str, chunks: Iterable[Judged]) -> str:
        """Keep the rows of a batch beside those planned before."""
        generation = uuid.uuid4().hex
        kept = [_stored(number, judged) for number, judged in enumerate(chunks)]
        self._staged[generation] = kept
        return f"{generation}:{_digest(kept)}"

    def plan(
        self,
        event: Event,
        batch: Batch,
        staged: str,
        repeats: Mapping[tuple[str, int], Repeat],
    ) -> None:
        """Make the staged rows the batch's rows. The same plan again leaves the journal as it
        is.
        """
        generation, _, digest = staged.partition(":")
        known = self._planned.get(batch.id)
        new = _Planned(batch, self._staged.pop(generation), digest, dict(repeats))
        if known is None or (known.batch, known.digest, known.repeats) != (
            new.batch,
            new.digest,
            new.repeats,
        ):
            self._decided(event, batch)
            self._planned[batch.id] = new

    def judge(self, event: Event, batch: Batch) -> None:
        """The rows of a batch stay as they are, and another decision was made about it as a
        whole.
        """
        known = self._planned.get(batch.id)
        if known is not None:
            self._decided(event, batch)
            known.batch = batch

    def _decided(self, event: Event, batch: Batch) -> None:
        data = {"batch": asdict(batch)}
        self.append(
            [
                replace(
                    event,
                    kind=BatchPlanned.kind,
                    batch_id=batch.id,
                    data=data,
                )
            ]
        )

    def batches(self) -> list[Batch]:
        """Every batch as last planned, by first receipt."""
        return [planned.batch for planned in self._planned.values()]

    def repeats(self, batch_id: str) -> dict[tuple[str, int], Repeat]:
        """The rows of a batch that its own batch, or another of the same run, already asks for."""
        planned = self._planned.get(batch_id)
        if planned is None:
            return {}
        return dict(planned.repeats)

    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]:
        """Number, sheet, first and last row of each chunk of a batch."""
        return [
            (chunk.number, chunk.sheet, chunk.rows[0], chunk.rows[-1])
            for chunk in self.chunks(batch_id)
        ]

    def chunk(self, batch_id: str, number: int) -> StoredChunk | None:
        """One chunk of a batch as last planned."""
        return next(
            (chunk for chunk in self.chunks(batch_id) if chunk.number == number), None
        )

    def chunks(self, batch_id: str, staged: str = "") -> Iterator[StoredChunk]:
        """The rows of a batch as last planned, or as `stage` kept them just now."""
        if staged:
            return iter(self._staged[staged.partition(":")[0]])
        planned = self._planned.get(batch_id)
        if planned is None:
            return iter(())
        return iter(planned.chunks)

    def owned(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> dict[int, tuple[str, ...]]:
        """Row number -> every order that a row of a batch caused, that of the youngest attempt
        last.
        """
        return by_row(
            (event.row, event.order_id)
            for event in self._caused(batch_id)
            if event.sheet == sheet and first_row <= event.row <= last_row
        )

    def settled_rows(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> frozenset[int]:
        """The rows of a batch whose own attempt succeeded; not those of an adopted charge."""
        return frozenset(
            event.row
            for event in self._caused(batch_id)
            if event.kind == Intended.kind
            and event.sheet == sheet
            and first_row <= event.row <= last_row
            and self._open.get(event.order_id)
            == Open(event.attempt, Outcome.SUCCEEDED.value)
        )

    def unplaced(self, batch_id: str) -> list[str]:
        """Order ids of adopted charges of a file that did not tell of which of its rows they are,
        whatever day their batch is of.
        """
        same = {
            event.batch_id
            for event in self._events
            if tail_in(event.batch_id) == tail_in(batch_id)
        }
        caused = [event for one in sorted(same) for event in self._caused(one)]
        return list(dict.fromkeys(event.order_id for event in caused if event.row == 0))

    def moved(self, batch_id: str) -> bool:
        """Did anything happen to a batch since its totals were last written down?"""
        of_batch = self._of_batch(batch_id)
        return bool(of_batch) and of_batch[-1].kind != TotalsCounted.kind

    def changed(self, batch_id: str, after: int) -> bool:
        """Did anything happen to an order of a batch after an event?"""
        return any(
            event.order_id and event.seq > after for event in self._of_batch(batch_id)
        )

    def on_their_way(
        self,
        since_ns: int,
        also: Collection[str],
        after: str,
        until: str,
        at_most: int,
    ) -> list[OnItsWay]:
        """Attempts that took money with a chain and whose transfer is not over, of these orders and
        of those that changed since then, by order id and attempt.
        """
        orders = sorted({*also, *self.orders_since(since_ns)})
        found: list[OnItsWay] = []
        for order_id in orders:
            if order_id <= after or (until and order_id > until):
                continue
            if len(found) >= at_most:
                break
            found += self._ways_of(order_id)
        return found

    def _ways_of(self, order_id: str) -> Iterator[OnItsWay]:
        events = [event for event in self._events if event.order_id == order_id]
        begun = {event.seq: (event, row) for event, row in self._asked()}
        for came in came_of(events):
            event, row = begun[came.seq]
            is_over = came.transfer_status in OVER
            if came.amount is None or not came.chain or is_over:
                continue
            begun_ns = row.at_ns
            if row.adopted:
                created_at = charge_in(event).get("created_at")
                begun_ns = created_ns(str(created_at or ""), came.settled_ns)
            yield OnItsWay(order_id, row.attempt, begun_ns, came.chain, came.transfer)

    def happened(self, after: int, *, but: Collection[str]) -> bool:
        """Did anything happen after an event but what is of some kinds?"""
        return any(event.kind not in but for event in self._events[after:])

    def open_places(self, batch_id: str) -> list[tuple[str, int]]:
        """Sheet and row of a batch's rows of which an attempt did not end yet."""
        return sorted(
            (event.sheet, event.row)
            for event in self._caused(batch_id)
            if (now := self._open.get(event.order_id))
            and now.attempt == event.attempt
            and now.state != Outcome.SUCCEEDED
        )

    def id_of_row(self, job: str, batch_id: str, sheet: str, row: int) -> str:
        """The order id that this job's row of a file has which another job knows as this batch."""
        return id_of_row(self, job, batch_id, sheet, row)

    def _of_batch(self, batch_id: str) -> list[Event]:
        return [event for event in self._events if event.batch_id == batch_id]

    def _caused(self, batch_id: str) -> list[Event]:
        """The events by which attempts began that rows of a batch caused."""
        return [
            event
            for event in self._of_batch(batch_id)
            if event.kind in BEGINNINGS and event.send <= 1
        ]


def _done(event: Event) -> Done:
    charge = charge_in(event)
    return Done(
        event.kind,
        event.batch_id,
        event.order_id,
        event.attempt,
        event.send,
        state_of(event),
        charge.get("amount") or 0,
        charge.get("currency") or "",
    )


def _charged_at_once(told: Sequence[Done]) -> Done | None:
    """The answer to the first send of an order, where these are the two, and it was charged."""
    said = [done for done in told if done.kind != TransferSeen.kind]
    if [(done.kind, done.attempt, done.send) for done in said] != _ONCE:
        return None
    intent, answer = said
    is_whole = bool(answer.amount and answer.currency)
    if answer.state != Outcome.SUCCEEDED.value or not is_whole:
        return None
    if intent.batch_id != answer.batch_id:
        return None
    return answer


_ONCE = [(Intended.kind, 1, 1), (Answered.kind, 1, 1)]


def _stored(number: int, judged: Judged) -> StoredChunk:
    return StoredChunk(
        number=number,
        sheet=judged.chunk.sheet,
        rows=list(judged.chunk.rows),
        documents=json.loads(json.dumps(list(judged.documents))),
        problems=dict(judged.problems),
        comeback=judged.comeback,
        cells=judged.chunk.cells(),
        corrects=dict(judged.corrects),
        earlier=dict(judged.earlier),
        asked=dict(judged.asked),
    )


def _digest(chunks: Sequence[StoredChunk]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(repr(replace(chunk, cells=b"")).encode("utf-8", "surrogatepass"))
        digest.update(chunk.cells)
    return digest.hexdigest()
