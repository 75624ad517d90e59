"""The same orders come in another export, whose ids are those of another column, while the files of
before are away: nothing links the two but who pays how much (never-twice.md, "A sale under other
ids"). Then somebody edits the job, and some nights later a file of before may be back.

Nobody says `--yes` in such a story: that would be a person's word that its orders are new.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchpay.batches.session import Options
from tests.simulation.checker import PAIR_ID, sale_of
from tests.simulation.outside import EDITED
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.story import Story

FRESH = 60  # the ids of new sales in such an export begin here
SOME_DAYS_S = (
    12 * 86_400.0
)  # a file that resembles one of so long ago is asked about by nobody


async def another_export(story: Story) -> None:
    """Some nights of it, where all that was there before is known under its ids."""
    dice, machine = story.people, story.machines[0]
    if not _is_plain(story) or not await _all_is_read(story):
        return
    await story._quiet()
    if dice.random() < 0.6:
        await asyncio.sleep(SOME_DAYS_S)
    old = [file.path for file in story.files]
    rows = _as_they_were(story)
    if not rows:
        return
    fresh = dice.choice([0, 1, len(rows) + 1])
    rows += [story._row(FRESH + number, dice) for number in range(fresh)]
    dice.shuffle(rows)
    if not story._add_file(rows):
        return
    story._ids = "ref"
    story.job = story._write_job()
    export = story.files[-1].path
    injected = story.world.weather.injected
    injected["id column edited"] += 1
    injected["another export under other ids"] += 1
    story.away = set(old)
    is_read = False
    for _ in range(dice.randint(2, 4)):
        if is_read and dice.random() < 0.7:
            _edit(story)
        files = [export]
        if is_read and dice.random() < 0.2:
            files.append(dice.choice(old))
            injected["a file is back after nights"] += 1
        process = story.process(machine, files, options=Options())
        is_read = await _run(story, process) or is_read
    if dice.random() < 0.5:
        story.away = set()


def _is_plain(story: Story) -> bool:
    """Does everything tell of everything, so that the program can know?"""
    injected = story.world.weather.injected
    edited = any(injected[f"{column} column edited"] for column in ("id", *EDITED))
    return not (edited or story.renamed) and len(story.machines) == 1


async def _all_is_read(story: Story) -> bool:
    """A run that reads every file to its end; False where none of three does."""
    for _ in range(3):
        story.world.ledger.copy_at_s = None
        process = story.process(story.machines[0], options=Options(adopt=True))
        if await _run(story, process):
            return True
    return False


async def _run(story: Story, process: Process) -> bool:
    """Did it read its files, and end by itself?"""
    if story.people.random() < 0.3:
        story._doom(process)
    await process.run()
    story._after(process)
    await story._pause(process.machine, process)
    broken_off = process.died or process.interrupted_after_s is not None
    return not broken_off and process.result is not None


def _as_they_were(story: Story) -> list[dict[str, Any]]:
    """A row of each sale, of which all rows so far asked for the same."""
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in story.files:
        for row in file.rows:
            asked[sale_of(row["order_id"])].append(row)
    return [
        {**some[0], "order_id": f"{int(sale):04d}", "batchpay_retry": ""}
        for sale, some in asked.items()
        if sale != PAIR_ID and len({_terms(row) for row in some}) == 1
    ]


def _terms(row: dict[str, Any]) -> tuple[str, ...]:
    names = ("amount", "currency", "customer", "card", "shop")
    return tuple(str(row.get(name) or "") for name in names)


def _edit(story: Story) -> None:
    """One of the columns that say who pays how much to whom becomes another."""
    story.edit_column(story.people.choice(EDITED))


def files_here(story: Story) -> list[Path]:
    """But for those that are away."""
    return [file.path for file in story.files if file.path not in story.away]
