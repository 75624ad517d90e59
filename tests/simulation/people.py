"""What people say between the runs, by the true commands: never to send an order, what became of
one that nobody knows, that a stop has been seen.

A command has an event loop of its own; here that one shares the virtual time of all the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from batchpay.batches.open_job import OpenJob
from batchpay.batches.standings import findings_of
from batchpay.commands import archive, cancel, resolve
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Finding
from batchpay.job.key import SecretKey
from tests.simulation.checker import PAIR_ID, sale_of
from tests.simulation.process import Process, SimulatedLoop

if TYPE_CHECKING:
    from tests.simulation.story import Story

COMMANDS: tuple[Any, ...] = (cancel, resolve)
ASKED_ABOUT = ("in_doubt", "unproven")  # first of all


class _Desk(SimulatedLoop):
    """The loop of one command: its time is that of the loop which waits for it."""

    def __init__(self, outer: SimulatedLoop) -> None:
        self._outer = outer
        super().__init__(outer.time())

    @property
    def _now_s(self) -> float:  # type: ignore[override]
        return self._outer._now_s

    @_now_s.setter
    def _now_s(self, now_s: float) -> None:
        self._outer._now_s = now_s


class _Policy(asyncio.DefaultEventLoopPolicy):
    """Gives such loops."""

    def __init__(self, outer: SimulatedLoop) -> None:
        super().__init__()
        self._outer = outer

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """One for a command."""
        return _Desk(self._outer)


@contextmanager
def _at_a_desk(process: Process) -> Iterator[None]:
    """A person's command is run as one process of this machine, while nothing else runs."""
    outer = process.world.loop
    policy, task = asyncio.get_event_loop_policy(), asyncio.current_task()
    assert task is not None
    for command in COMMANDS:
        command.OpenJob = partial(OpenJob, edges=process.edges())
    asyncio.tasks._leave_task(outer, task)  # type: ignore[attr-defined]
    asyncio._set_running_loop(None)
    asyncio.set_event_loop_policy(_Policy(outer))
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(policy)
        asyncio._set_running_loop(outer)
        asyncio.tasks._enter_task(outer, task)  # type: ignore[attr-defined]
        for command in COMMANDS:
            command.OpenJob = OpenJob
        process.alive = False


def say(story: Story, command: Callable[..., Any], *words: Any) -> bool:
    """Was the word taken? One that is refused changes nothing."""
    process = story.process(story.machines[0])
    named = {"edges": process.edges()} if command is archive.archive else {}
    with _at_a_desk(process):
        try:
            command(process.job_here(), *words, **named)
        except BatchpayError as error:
            process.trouble.append(error)
    story._after(process)
    return not process.trouble


def perhaps_say(story: Story) -> None:
    """Somebody looks at the reports in the morning, and says something about an order or two."""
    dice, injected = story.people, story.world.weather.injected
    if dice.random() >= 0.3 or not story.machines[0].acknowledged:
        return
    rows = list(_rows(story))
    rows = [row for row in rows if row.outcome in ASKED_ABOUT] or rows
    for row in dice.sample(rows, min(2, len(rows))):
        _of_row(story, row)
    if dice.random() < 0.3:
        _archive(story)
    if story._stop(story.machines[0]) and dice.random() < 0.3:
        say(story, resolve.lift_stop, "looked")
        injected["a stop lifted in between"] += 1


def _archive(story: Story) -> None:
    """What is finished is packed."""
    machine = story.machines[0]
    machine.state_path.touch()  # of which the command tells the size
    now = datetime.fromtimestamp(machine.now_ns() // 10**9, UTC)
    folder = machine.folder / "archives"
    kept = set(folder.glob("*")) if folder.exists() else set()
    say(story, archive.archive, (now + timedelta(days=2)).date(), folder)
    if set(folder.glob("*")) - kept:
        story.world.weather.injected["a batch archived"] += 1


def _of_row(story: Story, row: Finding) -> None:
    injected = story.world.weather.injected
    key = SecretKey("skey_test_first")
    if row.outcome in ("held", "rejected", "declined", "refused", "expired"):
        if story.people.random() < 0.5 and say(
            story, cancel.cancel, row.order_id, "no more"
        ):
            injected["an order cancelled"] += 1
            story.cancelled[sale_of(row.order_id)] = story.world.tick()
    elif row.outcome in ("in_doubt", "unproven"):
        charges = [
            charge
            for charge in story.world.ledger.taken_by(row.order_id)
            if not charge.get("_behind")
        ]
        if charges:
            words = (resolve.charged, key, row.order_id, charges[-1]["id"], "seen")
            said = "charged"
        elif story.world.ledger.settle_down() > story.world.loop.time():
            return  # it may be under way
        else:
            words = (resolve.not_charged, key, row.order_id, "seen")
            said = "not charged"
        if say(story, *words):
            injected[f"settled by a person as {said}"] += 1


def _rows(story: Story) -> Iterator[Finding]:
    """Those that a person may say something about."""
    journal = story.machines[0].copy()
    for batch in journal.batches():
        for _, some in findings_of(story.job, journal, batch)():
            for row in some:
                waits = row.outcome not in ("succeeded", "duplicate", "pending")
                if waits and row.order_id and _is_one_sale(row.order_id):
                    yield row


def _is_one_sale(order_id: str) -> bool:
    try:
        return sale_of(order_id) != PAIR_ID
    except ValueError:
        return False


def check_cancelled(story: Story) -> Iterator[str]:
    """What a person said is never sent is not, under whatever id; of a word that a journal lost
    together with the reports nobody knows (never-twice.md).
    """
    injected = story.world.weather.injected
    lost = injected["journal restored"] + injected["journal lost"]
    if lost or len(story.machines) > 1 or story.renamed:
        return
    for request in story.world.ledger.requests:
        if request.what != "POST":
            continue
        said = story.cancelled.get(sale_of(request.order_id))
        if said is not None and request.tick > said:
            yield f"order {request.order_id} was sent, and a person had cancelled it"
