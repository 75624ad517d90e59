"""A plan, held row by row against the run that follows it (docs/faults.md, J14).

    agreement = Agreement(job)
    agreement.plan(...)             # before the run
    ... the run ...
    agreement.differences(posts)    # what a person who read the plan would call untrue

A plan knows what the journal knows. What the run itself learnt from the gateway may change a row,
and nothing else may:

- an attempt that was in doubt, or pending, is found to have ended: its row, and every row that
names it, says so;
- a stop that the run made holds what was still to come;
- an order that was sent has rows that name it: they were `duplicate` of a row not sent yet, and are
of a charge now;
- a recipient, or a share, that the plan did not ask about is held.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from batchpay.batches.orders import attempts_of
from batchpay.commands import plan as planning
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Finding, Outcome
from batchpay.job.job import Job
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.places import by_order, place_of
from batchpay.messages import steps
from batchpay.reports.results import shown_cells
from batchpay.settlement import Preflight

Place = tuple[str, str, int]
ODD_RECIPIENTS = frozenset({"recp_test_unverified", "recp_test_nobody"})
MOVES = frozenset(
    {
        "intent",
        "voided",
        "answer",
        "found",
        "adopted",
        "absent",
        "withdrawn",
        "missing",
        "unclear",
        "untold",
        "disbelieved",
    }
)
# smallest units: what may be below the gateway's smallest transfer, in these tests
SMALL = 10_000


@dataclass(frozen=True)
class News:
    """What a run wrote down that its plan could not know."""

    moved: frozenset[str]  # orders that it sent, or learnt anything of
    found: frozenset[str]  # orders of which the gateway showed a charge
    stopped: bool
    barred: frozenset[str]  # recipients that it was told cannot be paid
    asked: bool  # did it ask the gateway about recipients, and hear something new?
    numbers: dict[str, set[int]]  # order id -> its attempts by now
    # what sales are known by -> orders that came back for them
    corrections: dict[str, set[str]]

    @classmethod
    def of(cls, journal: SqliteJournal, head: int) -> News:
        """Everything after that event."""
        events = list(journal.events(after=head))
        moved = {event.order_id for event in events if event.kind in MOVES}
        attempts = attempts_of(
            journal, sorted({e.order_id for e in journal.events() if e.order_id})
        )
        corrections: dict[str, set[str]] = {}
        for order_id, some in attempts.items():
            for attempt in some:
                for key in attempt.intent.sale:
                    corrections.setdefault(key, set()).add(order_id)
        preflights = [event.data for event in events if event.kind == "preflight"]
        return cls(
            moved=frozenset(moved),
            found=frozenset(
                event.order_id for event in events if event.kind in ("found", "adopted")
            ),
            stopped=any(event.kind == "stop" for event in events),
            barred=frozenset(name for data in preflights for name in data["barred"]),
            asked=bool(preflights),
            numbers={
                order_id: {attempt.intent.attempt for attempt in some}
                for order_id, some in attempts.items()
            },
            corrections=corrections,
        )

    def touches(self, finding: Finding) -> bool:
        """Did the run learn something of this row's order, or of one that its reason may name?"""
        place = place_of(finding.batch_id, finding.sheet, finding.row)
        own = by_order(finding.order_id)
        forms = {alike(order_id) for order_id in self.moved}
        named = any(
            f" order {order_id} of batch " in finding.reason for order_id in self.moved
        )
        came = {*self.corrections.get(place, ()), *self.corrections.get(own, ())}
        return named or alike(finding.order_id) in forms or bool(self.moved & came)


@dataclass
class Agreement:
    """One plan, and the run after it."""

    job: Job
    rows: list[tuple[Finding, bool]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    refused: int = 0  # the exit code of a plan that could not be made
    asked: bool = True
    _head: int = 0

    def plan(
        self, ask: Callable[[frozenset[str]], Preflight] | None, **how: Any
    ) -> None:
        """What the plan says of every row, and of the run."""
        self.asked = ask is not None
        with self._journal() as journal:
            self._head = journal.head()[0]
        try:
            made = planning.plan(
                self.job, ask, on_row=lambda *row: self.rows.append(row), **how
            )
            self.told = made.document()
        except BatchpayError as error:
            self.refused = error.exit_code

    def differences(self, posts: list[tuple[str, str]], exit_code: int) -> list[str]:
        """What it says otherwise than the run did. `posts`: order id and key of each request to
        charge, in order.
        """
        if self.refused:
            return [f"no plan ({self.refused}), but a run ({exit_code})"] * (
                self.refused != exit_code
            )
        with self._journal() as journal:
            news = News.of(journal, self._head)
        return [
            *self._sent(posts, news),
            *self._not_sent(news),
            *self._ended(exit_code, posts, news),
        ]

    def _journal(self) -> Any:
        return closing(
            SqliteJournal(self.job.state_path, self.job.name, read_only=True)
        )

    def _sent(self, posts: list[tuple[str, str]], news: News) -> Iterator[str]:
        """Who is told to be sent is sent, and nobody else, each order from one row only."""
        strangers = {order_id for order_id, _ in posts} - {
            finding.order_id for finding, _ in self.rows
        }
        yield from (
            f"{order_id} was sent, it is in no row of the plan"
            for order_id in sorted(strangers)
        )
        wanted = [finding.order_id for finding, sent in self.rows if sent]
        made = {order_id for order_id, _ in posts}
        yield from (
            f"{name} would be sent from {n} rows"
            for name, n in Counter(wanted).items()
            if n > 1
        )
        unasked = {
            finding.order_id for finding, _ in self.rows if self._unasked(finding)
        }
        known = {finding.order_id for finding, _ in self.rows} - unasked - set(wanted)
        yield from (
            f"{order_id} was sent, the plan did not say so"
            for order_id in sorted(made & known)
        )
        for finding, sent in self.rows:
            if (
                sent
                and finding.order_id not in made
                and not self._was_kept_back(finding, news)
            ):
                yield f"{finding.order_id} was not sent, the plan said that it would be"
        for order_id, key in posts:
            if key not in {
                key_of(self.job.name, order_id, number)
                for number in news.numbers[order_id]
            }:
                yield f"{order_id} was sent under a key that none of its attempts has"

    def _was_kept_back(self, finding: Finding, news: News) -> bool:
        return finding.order_id in news.found or news.stopped or self._unasked(finding)

    def _unasked(self, finding: Finding) -> bool:
        """Is it about a recipient, or a share, of which the run asked and the plan did not?"""
        odd = finding.destination in ODD_RECIPIENTS or (finding.amount or 0) < SMALL
        return odd and not self.asked

    def _not_sent(self, news: News) -> Iterator[str]:
        """Whoever is not sent stands in the report as the plan said, and for the reason it said."""
        shown = self._results()
        for finding, sent in self.rows:
            place = (finding.batch_id, finding.sheet, finding.row)
            row = shown.get(place, {"outcome": "in no report", "reason": ""})
            # a report names the job file in its commands
            told = steps.addressed(finding.reason, self.job.path.name)
            planned = (finding.outcome.value, shown_cells([told])[0])
            is_now = (row["outcome"], row["reason"])
            if (
                sent
                or planned == is_now
                or news.touches(finding)
                or self._unasked(finding)
            ):
                continue
            # by a limit, then: the stop came first; or beside an order that was not sent, after all
            beside = any(told.code == "near-order.in-run" for told in finding.reasons)
            is_held = finding.outcome is Outcome.HELD and row["outcome"] == "held"
            if not (is_held and (news.stopped or beside)):
                yield f"order {finding.order_id} of {place}: planned {planned}, is {is_now}"

    def _ended(
        self, exit_code: int, posts: list[tuple[str, str]], news: News
    ) -> Iterator[str]:
        """Where nothing was to be sent and nothing was learnt the run ends as the plan said."""
        quiet = not (
            posts
            or news.moved
            or news.stopped
            or news.asked
            or any(sent for _, sent in self.rows)
        )
        if quiet and self.told["exit_code"] != exit_code:
            yield f"planned exit code {self.told['exit_code']}, is {exit_code}"

    def _results(self) -> dict[Place, dict[str, str]]:
        """Every row of this run's reports."""
        rows: dict[Place, dict[str, str]] = {}
        for batch_id in {finding.batch_id for finding, _ in self.rows}:
            path = self.job.report.directory / batch_id / "results.csv"
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    rows[batch_id, row["sheet"], int(row["row"])] = row
        return rows
