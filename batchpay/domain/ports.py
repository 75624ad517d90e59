"""PORTS: where the loop meets the world: Gateway, Journal, and the small ones: Clock, Rates, Lock.

Each is whole: what stands here is all that anybody asks of it, so that another one can be built.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from batchpay.domain.books import (
    Account,
    Balance,
    Booked,
    Capability,
    ChainLink,
    Customer,
    Happened,
    PageOf,
    Recipient,
    Refund,
    Span,
    Transaction,
    Transfer,
)
from batchpay.domain.model import (
    Answer,
    Batch,
    ChargeSeen,
    ChargeWithoutId,
    Done,
    Event,
    Intent,
    Judged,
    OnItsWay,
    Page,
    Repeat,
    StoredChunk,
    UnreadablePage,
    Witnessed,
    Wrote,
)
from batchpay.domain.times import NEVER_NS


class Clock(Protocol):
    """Time as the loop sees it: immune to a wall clock that jumps, counting suspension."""

    boot_id: str

    def now_ns(self) -> int:
        """Wall clock at process start plus what has elapsed since; UTC nanoseconds."""

    def elapsed_s(self) -> float:
        """Seconds of CLOCK_BOOTTIME: comparable within one boot only."""


class Gateway(Protocol):
    """One call each: no retry, no pacing, no decision inside. None of them raises for what the
    world does, and no document of the gateway's leaves it: what an answer `said` is typed, and None
    where it is not what was asked for.

    `may_leave` is asked right before a request's first byte; False leaves it unsent (out = False).
    """

    async def charge(
        self, intent: Intent, may_leave: Callable[[], bool]
    ) -> Answer[ChargeSeen | ChargeWithoutId]:
        """Make one charge, by the intent's own key and body."""

    async def get(
        self, charge_id: str, may_leave: Callable[[], bool]
    ) -> Answer[ChargeSeen]:
        """One charge by its id; status 404: the gateway knows none."""

    async def page(
        self,
        since: str,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = 100,
    ) -> Answer[Page | UnreadablePage]:
        """One page of at most `limit` charges, oldest first, from `since` (ISO 8601 UTC) on, with
        the end left open (law L5).
        """

    async def newest(self, since: str, may_leave: Callable[[], bool]) -> Answer[str]:
        """The id of the youngest charge from `since` (ISO 8601 UTC) on; empty when there is none,
        or it cannot be read.
        """

    # --- who may be charged, and paid

    async def account(self, may_leave: Callable[[], bool]) -> Answer[Account]:
        """Whose account the key is of."""

    async def capability(self, may_leave: Callable[[], bool]) -> Answer[Capability]:
        """The least and the most of a charge, and the smallest transfer."""

    async def recipient(
        self, recipient_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Recipient]:
        """Can this recipient be paid?"""

    async def recipients(
        self, may_leave: Callable[[], bool]
    ) -> Answer[tuple[Recipient, ...]]:
        """Some recipients of the account."""

    async def customers(
        self, may_leave: Callable[[], bool]
    ) -> Answer[tuple[Customer, ...]]:
        """Some customers of the account."""

    # --- the account's own ledger, page by page, oldest first

    async def booked(
        self, charge_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Booked]:
        """One charge by its id, with its dispute and its refunds."""

    async def charges(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = 100,
    ) -> Answer[PageOf[Booked]]:
        """Charges, and what else stands in their list."""

    async def transactions(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = 100,
    ) -> Answer[PageOf[Transaction]]:
        """Credits and debits."""

    async def transfers(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = 100,
    ) -> Answer[PageOf[Transfer]]:
        """Transfers to recipients."""

    async def refunds(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = 100,
    ) -> Answer[PageOf[Refund | None]]:
        """Refunds, by the day they were made; None stands for what is none."""

    async def disputed(
        self, dispute_id: str, may_leave: Callable[[], bool]
    ) -> Answer[str]:
        """The id of the charge that a dispute is of."""

    async def balance(self, may_leave: Callable[[], bool]) -> Answer[Balance]:
        """What the account has."""

    # --- where a recipient's share is, and what happened since

    async def chains(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = 100,
    ) -> Answer[PageOf[ChainLink]]:
        """What ties charges to their transfers."""

    async def chained(
        self, chain_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Transfer]:
        """The transfer at the end of a chain."""

    async def transfer(
        self, transfer_id: str, may_leave: Callable[[], bool]
    ) -> Answer[Transfer]:
        """One transfer by its id."""

    async def happened(
        self,
        span: Span,
        offset: int,
        may_leave: Callable[[], bool],
        limit: int = 100,
    ) -> Answer[PageOf[Happened]]:
        """What happened to anything of the account."""

    async def aclose(self) -> None:
        """Drop every connection."""


class Rates(Protocol):
    """When the last requests of a job left, across processes: its rate limit holds over a kill."""

    def ages_s(self) -> Sequence[float]:
        """How long ago each of them left; the future counts as now."""

    def stamp(self) -> None:
        """A request leaves now."""


class Lock(Rates, Protocol):
    """One run of a job at a time: held from its making until `close`, or the end of the process."""

    @property
    def witnessed(self) -> Witnessed:
        """The last event that any run of this job knew to be durable."""

    def witness(self, journal_id: str, seq: int, digest: str) -> None:
        """The journal is durable up to this event."""

    def close(self) -> None:
        """Let go."""


class Journal(Protocol):
    """One job's journal, append-only and durable when a call returns; several jobs may share one.

    Two journals that are told the same answer the same: tests/contract runs over each of them. What
    cannot be read any more raises InputOutput, whatever is asked.
    """

    id: str  # the same for as long as it lives
    job: str

    # --- writing: all or none of the events of one call

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append, durably. Raises errors.Taken for an intent, an adoption or a withdrawal that may
        not be written (law L3, journals/guard.py), CannotWrite, InputOutput or TryLater.
        """

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same for the loop: shares one durable commit with whatever else is waiting."""

    def close(self) -> None:
        """Write what waits, then let go."""

    # --- the events

    def events(self, kinds: Iterable[str] = (), after: int = 0) -> Iterator[Event]:
        """This job's events in order, or those of some kinds, after a sequence number."""

    def head(self) -> tuple[int, str]:
        """Sequence number and digest of the last event of any job; (0, the digest before all) of
        an empty one.
        """

    def digest_of(self, seq: int) -> str:
        """The digest of one event of any job; empty for one that is not there."""

    def verify(self) -> None:
        """Is all as it was written? Raises InputOutput at the first thing that is not."""

    def verify_new(self) -> None:
        """The same of all that was written since a run last kept how far it had come, and of every
        order that is not settled; of what is older, whatever is read is held against the chain.
        """

    def reread(self) -> None:
        """Keep how far the journal is known to be right, and read a part of what is older again: in
        some weeks of nights all of it. Raises what `verify` raises.
        """

    def accounts(self) -> Iterator[Event]:
        """The `account` events of every job in the same journal, this job's last (J03)."""

    def last_run_of(self, batch_id: str) -> str:
        """The last run that wrote about a batch more than where its rows stand; empty when none
        did.
        """

    def wrote_in(
        self, run_id: str, after: int, before: int | None, apart: Collection[str] = ()
    ) -> Wrote:
        """What a run wrote about orders, between two numbers of events, neither included; None: up
        to the last. `apart`: orders that are to be told of one by one.
        """

    def done_in(
        self, run_id: str, after: int, before: int | None, order_ids: Sequence[str]
    ) -> Iterator[Done]:
        """The same about some orders, event by event; the events of each in their order."""

    # --- orders and their attempts

    def histories(self, order_ids: Sequence[str]) -> Mapping[str, list[Event]]:
        """The events of some orders, oldest first."""

    def begun(self) -> Iterator[tuple[str, int]]:
        """Order id and number of every attempt of this job that was ever sent, or adopted."""

    def on_their_way(
        self,
        since_ns: int,
        also: Collection[str],
        after: str,
        until: str,
        at_most: int,
    ) -> list[OnItsWay]:
        """Attempts that took money with a chain and whose transfer is not over, of these orders and
        of those that were sent, settled or changed otherwise since then, by order id and attempt.

        Those behind an order (`after`) and up to another (`until`; empty: to the end): so many, and
        the rest of the last one's order.
        """

    def knows_orders(self) -> bool:
        """Is there one?"""

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end: in doubt, pending, unproven, unsent."""

    def orders_of(self, batch_id: str) -> list[str]:
        """Order ids with an attempt that a row of this batch caused."""

    def orders_of_row(self, batch_id: str, sheet: str, row: int) -> list[str]:
        """Order ids with an attempt that this row of a batch caused, oldest first: more than one
        where the job gave it another.
        """

    def orders_since(self, at_ns: int) -> list[str]:
        """Order ids with any event since then, by our wall clock (UTC nanoseconds)."""

    def last_of_orders(self) -> int:
        """Number of the last event about an order of this job; 0 when there is none."""

    def uncharged_since(self, since_ns: int) -> list[str]:
        """Order ids of attempts of this job of which an answer, or a look-up, said since then that
        nothing was charged, by our wall clock (UTC nanoseconds).
        """

    def went_again_since(self, since_ns: int) -> list[str]:
        """Order ids of this job of which a further request was meant to go since then, under the
        same key or the next one, by our wall clock (UTC nanoseconds).
        """

    def cancelled(self) -> list[Event]:
        """Every word of a person that an order without an attempt is never to be sent."""

    # --- who asked the same

    def look_alikes(self, forms: Sequence[str]) -> Mapping[str, list[str]]:
        """Look-alike form of an order id (`alike`) -> the ids of this job's orders that were
        sent, or adopted, under that form, oldest first. Forms that nobody has are left out.
        """

    def asked_terms(
        self, beginnings: Sequence[str], since_ns: int
    ) -> Mapping[str, list[tuple[str, str, int, str]]]:
        """What terms (`sale_terms`) begin with -> order id, batch id and wall-clock time (ns) of
        every attempt whose terms begin so since then, with its terms, oldest first.
        """

    def asked_under(
        self, beginnings: Sequence[str], but: str | None, *, corrections: bool = False
    ) -> Mapping[str, list[tuple[str, str, int, str, str]]]:
        """What terms are like (`fitting_terms`) -> the same of whatever age, with the cells
        that the order id was made of (job.Columns.ids_from), empty where unknown, and the kind of
        the event; `but`: not those made of these, unless they came to correct a row, and
        `corrections` asks for them.
        """

    def corrected(
        self, keys: Collection[str] | None = None, since_ns: int = 0
    ) -> Mapping[str, list[str]]:
        """A row's place (places.place_of), or its order (places.by_order) -> the ids of orders
        whose attempt came to correct that row, by any of the names that it went by then. `keys`:
        only these. `since_ns`: only attempts that began since then, by our wall clock (UTC
        nanoseconds).
        """

    # --- charges

    def order_of_charge(self, charge_id: str) -> tuple[str, str, int] | None:
        """Job, order id and attempt of the first event, of any job in the same journal, that tells
        of a charge; or, of that job, of the one whose key it carried: when it was looked up last,
        or else in the first answer that says so.
        """

    def charges_known(
        self, since_ns: int, before_ns: int = NEVER_NS
    ) -> Mapping[str, str]:
        """Charge id -> `created_at` as the gateway told it ("" when it did not) of every charge
        that an answer, a look-up or an adoption of this job told of since then, by our wall clock
        (UTC nanoseconds), and before another time.
        """

    def youngest_charges(self, since_ns: int) -> Mapping[str, str]:
        """The same of the youngest of these by what the gateway told of them: of all that were made
        in that second, and of none of which it did not tell when.
        """

    def adopted(self) -> list[tuple[str, str]]:
        """Batch id, as its charge told it, and order id of every adopted charge, oldest first."""

    # --- other jobs in the same journal

    def elsewhere(
        self, order_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[str, list[Event]]]]:
        """Order id -> other jobs in the same journal, each with its events of that order id, or of
        one that corrects it, oldest first.
        """

    def id_of_row(self, job: str, batch_id: str, sheet: str, row: int) -> str:
        """The order id that this job's row of a file has which another job knows as this batch;
        empty where none.
        """

    def job_of_batch(self, batch_id: str) -> str:
        """The name of another job in the same journal that knows the batch of this digest (the last
        12 digits of its id); empty where none does.
        """

    # --- batches and their rows

    def stage(self, batch_id: str, chunks: Iterable[Judged]) -> str:
        """Keep the rows of a batch beside those planned before. Returns what `plan` and `chunks`
        know them by.
        """

    def plan(
        self,
        event: Event,
        batch: Batch,
        staged: str,
        repeats: Mapping[tuple[str, int], Repeat],
    ) -> None:
        """Make the staged rows the batch's rows: a `batch.planned` event. The same plan again
        leaves the journal as it is.
        """

    def judge(self, event: Event, batch: Batch) -> None:
        """The rows of a batch stay as they are, under another decision about the whole."""

    def batches(self) -> list[Batch]:
        """Every batch as last planned, by first receipt."""

    def batch_named(self, batch_id: str) -> str:
        """The id under which this journal knows the batch of the same digest (its last 12 digits),
        whatever the day; the very id that is asked for where it knows none.
        """

    def repeats(self, batch_id: str) -> Mapping[tuple[str, int], Repeat]:
        """The rows of a batch that its own batch, or another of the same run, already asks for."""

    def spans(self, batch_id: str) -> list[tuple[int, str, int, int]]:
        """Number, sheet, first and last row of each chunk of a batch as last planned, in the file's
        order.
        """

    def chunk(self, batch_id: str, number: int) -> StoredChunk | None:
        """One chunk of a batch as last planned."""

    def chunks(self, batch_id: str, staged: str = "") -> Iterator[StoredChunk]:
        """The rows of a batch as last planned, or as `stage` kept them just now. Raises
        errors.InputOutput when they are not the ones that were kept.
        """

    def owned(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> Mapping[int, tuple[str, ...]]:
        """Row number -> every order that a row of a batch caused, that of the youngest attempt
        last: an edited job gives a row another id, and what it caused under the former one turns
        up.
        """

    def settled_rows(
        self,
        batch_id: str,
        sheet: str,
        first_row: int,
        last_row: int,
    ) -> frozenset[int]:
        """The rows of a batch whose own attempt succeeded: whatever else is known, they are never
        sent again. Those of an adopted charge are not among them: it may be that they ask for other
        terms.
        """

    def unplaced(self, batch_id: str) -> list[str]:
        """Order ids of adopted charges of a file that did not tell of which of its rows they are,
        whatever day their batch is of.
        """

    def moved(self, batch_id: str) -> bool:
        """Did anything happen to a batch since its totals were last written down?"""

    def changed(self, batch_id: str, after: int) -> bool:
        """Did anything happen to an order of a batch after an event?"""

    def happened(self, after: int, *, but: Collection[str]) -> bool:
        """Did anything happen after an event but what is of some kinds?"""

    def open_places(self, batch_id: str) -> list[tuple[str, int]]:
        """Sheet and row of a batch's rows of which an attempt did not end yet, by their numbers."""
