"""The gateway's own list of charges, held against the journal: before, while and after a run (law L11)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from batchpay.errors import Misconfigured, Taken
from batchpay.listing import Listing, page_of
from batchpay.model import ChargeSeen, Intent, Page
from batchpay.protocols import Clock, Gateway
from batchpay.settlement.books import Books, Case
from batchpay.settlement.line import Line, instant
from batchpay.settlement.queue import Candidate

OVERLAP = timedelta(minutes=10)  # every listing begins this long before what it must cover
EVERYTHING = datetime(1970, 1, 2, tzinfo=UTC)  # ... where the gateway does not tell its time, and ours may be wrong
WATCH_OVERLAP = timedelta(seconds=10)  # ... and a repeated one this long before the youngest charge seen
YOUNGER = timedelta(seconds=5)  # what is so much younger than a listing's begin, by either clock, it need not cover
PAGES = 100_000  # of one listing; no account of a gateway that tells its time comes near
IN_VAIN = 8  # incomplete listings in a row before a run gives up on them

Absorb = Callable[[Page], Awaitable[None]]


class Lists:
    """Reads lists and takes what is of this job into the books. `told` is called with each order that moved."""

    def __init__(self, gateway: Gateway, line: Line, books: Books, clock: Clock, told: Callable[[Case], None]) -> None:
        self._gateway = gateway
        self._clock = clock
        self._line = line
        self._books = books
        self._told = told
        self._elsewhere: dict[int, str] = {}  # hash of an order's id and terms -> the other job that charged it

    async def look(self, since: datetime, *, adopt: bool, known_before: bool, gap_s: float) -> str:
        """List from `since` and adopt what is ours; returns why that could not be done, empty when it could.

        Raises Misconfigured for an empty journal (`known_before` False) beside charges of this job without `adopt`.
        """

        async def absorb(page: Page) -> None:
            matched = self._books.match(page.charges)
            if matched and not known_before and not adopt:
                raise Misconfigured(
                    f"the gateway has charges of this job (such as {matched[0][0].id}) but the journal is empty: it "
                    "was lost or is another one. Restore it, or run once with --adopt to take these charges over"
                )
            for charge, known in matched:
                await self._absorb(charge, known, adopting=True)
            if not known_before:
                self._note_elsewhere(page.charges)

        for _ in range(IN_VAIN):
            listing = await self.read(since - OVERLAP, absorb)
            if listing is not None and listing.complete:
                if known_before or self._line.dated or since == EVERYTHING:
                    await self._books.note("listing", {"bound": self._bound(listing) or iso(since)})
                    return ""
                since = EVERYTHING  # it was our clock that said where to begin
                continue
            if self._line.closed:
                break
            await self._line.rest(gap_s)
        return self._line.closed or "the gateway's list of charges could not be read completely"

    def refuse_renamed(self, candidates: Iterable[Candidate]) -> None:
        """A first run whose very orders were charged under another job's name: was the job renamed (E13)?

        Raises Misconfigured. Costs nothing when no other job charged anything.
        """
        for candidate in candidates if self._elsewhere else ():
            intent = candidate.intent
            job = self._elsewhere.get(_terms(intent.order_id, intent) if intent else 0)
            if intent is not None and job is not None:
                raise Misconfigured(
                    f'order {intent.order_id} was charged, for the same amount and recipient, by job "{job}"; this job '
                    f'has charged nothing yet. If it was renamed, give it its old name again: name = "{job}"; if '
                    "these are other orders, give them other ids"
                )

    async def compare(self, since: datetime) -> None:
        """List once more: whatever the gateway has of this job must be in the journal, once."""
        listing = await self.read(since - OVERLAP, self._absorb_all)
        if listing is not None and listing.complete and (bound := self._bound(listing)):
            await self._books.note("listing", {"bound": bound})

    async def watch(self, since: datetime) -> datetime | None:
        """The same while orders are sent; returns from where the next one goes on, None when it was not complete."""
        listing = await self.read(since, self._absorb_all)
        if listing is None or not listing.complete:
            return None
        youngest = time_of(listing.latest)
        return max(since, youngest - WATCH_OVERLAP) if youngest else since

    async def read(self, since: datetime, absorb: Absorb) -> Listing | None:
        """Read one listing to its end, page by page; None when the gateway gave no page at all."""
        listing = Listing()
        from_, pages = iso(since), 0
        while not (listing.complete or listing.broken):
            answer = await self._line.ask(partial(self._gateway.page, from_, listing.offset))
            page = page_of(answer.document) if answer and answer.status == 200 else None
            if page is None or pages >= PAGES:
                return listing if pages else None
            if not pages and answer is not None and (date := instant(answer.date)):
                listing.now = iso(max(date, self._now()) + YOUNGER)
            pages += 1
            await absorb(listing.add(page))
        return listing

    def _bound(self, listing: Listing) -> str:
        """Up to when a completed listing speaks: the gateway's clock, or else its youngest charge, if that has been.

        Empty when the gateway said no time at all: a clock that nobody checked says nothing either.
        """
        return self._line.gateway_date or (listing.latest and min(listing.latest, iso(self._now())))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ns() // 10**9, UTC)

    async def _absorb_all(self, page: Page) -> None:
        for charge, known in self._books.match(page.charges):
            await self._absorb(charge, known, adopting=False)

    async def _absorb(self, charge: ChargeSeen, known: Case | int | None, *, adopting: bool) -> None:
        """Take a charge of this job from a list into the journal; what cannot be explained is a stop."""
        if isinstance(known, Case):
            await self._books.found(known, charge)
            return
        if known is None:
            await self._books.stop(f"{charge.id} carries this job's name and a key this job would not make")
            return
        try:
            case = await self._books.adopt(charge, known)
        except Taken:  # it entered the journal at this moment: by a worker's intent, or from a list beside this one
            for _, by_now in self._books.match([charge]):
                if isinstance(by_now, Case):
                    await self._books.found(by_now, charge)
            return
        self._told(case)
        if not adopting:
            await self._books.stop(f"{charge.id} was made for this job by another run, with another journal", case)

    def _note_elsewhere(self, charges: Iterable[ChargeSeen]) -> None:
        for charge in charges:
            job, order_id = charge.metadata.get("batchpay_job", ""), charge.metadata.get("order_id", "")
            if job and order_id and charge.takes_money and not self._books.is_ours(charge):
                self._elsewhere[_terms(order_id, charge)] = job


def _terms(order_id: str, asked: ChargeSeen | Intent) -> int:
    return hash((order_id, asked.amount, asked.currency, asked.destination))


def iso(at: datetime) -> str:
    """`2026-11-24T13:45:39Z`, as the gateway's lists take it (omise-api.md, 7.8)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> datetime | None:
    """The same back; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
