"""A story handed to the outside judge: the gateway's log, the journal, the program's own reports
and its input files.

Every seed is judged; of a night whose journal was lost, or whose gateway lied, only by the rules
that hold even then.
"""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batchpay.job.job import GatewaySettings
from tests.checker import judge
from tests.evidence import Facts
from tests.jobs import MINOR, job_text
from tests.simulation.checker import excused, ref_of
from tests.simulation.ledger import Request

if TYPE_CHECKING:
    from tests.simulation.story import Story

COLUMNS = (
    "order_id",
    "ref",
    "amount",
    "amount2",
    "currency",
    "currency2",
    "shop",
    "shop2",
    "card",
    "customer",
    "customer2",
    "batchpay_retry",
)
EDITED = ("amount", "currency", "customer", "shop")  # columns
FURTHER = 3  # an amount in the other column
SHOPS = 3
SHOP = '{ column = "%s", lookup = "recipients.csv", key = "shop", value = "id" }'
# What a lost or restored journal cannot tell any more, and what a lying gateway breaks: the
# simulator looks itself.
OF_THE_JOURNAL = frozenset(
    {"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I11"}
)
OF_THE_GATEWAY = frozenset({"I1", "I2", "I3", "I8", "I14", "I18", "I19"})


def job_of(
    settings: GatewaySettings,
    name: str,
    fee: str,
    ids: str = "order_id",
    extras: Mapping[str, str] = MappingProxyType({}),
    controls: str = "",
    edited: Collection[str] = (),
) -> str:
    """The job file of a story. `ids`: the column that order ids come from; `extras`: what it adds
    to every row, in TOML; `controls`: a table of limits; `edited`: columns in whose place another
    one is read.
    """

    def of(column: str) -> str:
        return f"{column}2" if column in edited else column

    gateway = {
        "url": "http://127.0.0.1:1",
        "rate": f"{settings.rate}/{'s' if settings.rate_window_s == 1 else 'min'}",
        "timeout": f"{settings.timeout_s:.3f}s",
        "send_window": f"{settings.send_window_s:.3f}s",
        "doubt_period": f"{_floor(settings.doubt_period_s):.3f}s",
        "lookup_gap": f"{_floor(settings.lookup_gap_s):.3f}s",
    }
    return job_text(
        name,
        file="*.csv",
        input="optional = true",
        gateway=gateway,
        more="\n".join((*(("[fee]", fee) if fee else ()), controls)),
        order_id=f'"{ids}"',
        amount=MINOR.replace('"amount"', f'"{of("amount")}"'),
        currency=f'"{of("currency")}"',
        destination=SHOP % of("shop"),
        card='"card"',
        customer=f'"{of("customer")}"',
        **extras,
    )


def csv_of(rows: Sequence[dict[str, Any]]) -> bytes:
    """The file with these rows, each with an id and an amount in two columns."""
    text = io.StringIO(newline="")
    ours = dict.fromkeys(
        name for row in rows for name in row if name.startswith("batchpay_")
    )
    columns = dict.fromkeys((*COLUMNS, *ours))
    writer = csv.DictWriter(text, list(columns), restval="")
    writer.writeheader()
    for row in rows:
        twice = {
            "ref": ref_of(row["order_id"]),
            "amount2": int(row["amount"]) + FURTHER,
            "currency2": "JPY" if row["currency"] == "THB" else "THB",
            "shop2": f"shop{(int(row['shop'][-1]) + 1) % SHOPS}",
            "customer2": row.get("customer") and f"{row['customer']}x",
        }
        writer.writerow({**row, **twice})
    return text.getvalue().encode()


def dropped(story: Story) -> frozenset[str]:
    """The rules that this night cannot be held to."""
    injected = story.world.weather.injected
    lost = injected["journal restored"] + injected["journal lost"]
    rules: frozenset[str] = frozenset()
    if (
        lost
        or len(story.machines) > 1
        or story.renamed
        or injected["id column edited"]
        or not story.world.dated
    ):
        rules |= OF_THE_JOURNAL
    # the judge knows the last job alone
    if any(injected[f"{column} column edited"] for column in EDITED):
        rules |= {"I17"}
    # nobody acts on what a person ended: the simulator looks itself
    if injected["an order cancelled"] + injected["settled by a person as charged"]:
        rules |= {"I8", "I19"}
    if excused(story.world) or story.at_once or story.undetectable or story.renamed:
        rules |= OF_THE_GATEWAY
    charges = story.world.ledger.charges
    if any(charge.get("_behind") for charge in charges):
        rules |= OF_THE_GATEWAY | {"I6", "I7"}
    if any(
        c.get("_changed") or c["_visible_s"] == math.inf or c["status"] == "reversed"
        for c in charges
    ):
        rules |= OF_THE_GATEWAY | {"I6", "I7"}
    return rules


def can_judge(story: Story) -> bool:
    """It cannot read what an archived batch was packed into."""
    return not story.world.weather.injected["a batch archived"]


def findings(story: Story, folder: Path) -> list[str]:
    """What the judge says."""
    world, machine = story.world, story.machines[0]
    folder.mkdir()
    shutil.copy(story.folder / "job.toml", folder)
    shutil.copytree(machine.folder / "reports", folder / "reports")
    for file in story.files:
        shutil.copy(file.path, folder)
    (folder / "state").mkdir()
    for name, data in machine.disk.snapshot().items():
        (
            folder / "state" / f"batchpay.db{name.rpartition('journal.db')[2]}"
        ).write_bytes(data)
    with (folder / "gateway.jsonl").open("w") as log:
        for number, request in enumerate(world.ledger.requests):
            log.write(json.dumps({"request": _seen(request, number)}) + "\n")
        for charge in world.ledger.charges:
            shown = {
                name: value
                for name, value in charge.items()
                if not name.startswith("_")
            }
            log.write(json.dumps({"charge": shown, "born": charge["_at_s"]}) + "\n")
    but = dropped(story)
    facts = Facts(heads=[] if "I9" in but else machine.acknowledged[-1:])
    return [
        f"outside: {found}" for found in judge(folder, facts) if found.rule not in but
    ]


def _floor(seconds: float) -> float:
    """A job file knows milliseconds, the simulator does not round: the judge may ask for less, not
    for more.
    """
    return math.floor(seconds * 1000) / 1000


def _seen(request: Request, number: int) -> dict[str, Any]:
    targets = {
        "POST": "/charges",
        "LIST": "/charges?order=chronological",
        "GET": "/charges/one",
        "READ": "/account",
    }
    target = targets[request.what]
    return {
        "number": number,
        "at": request.at_s,
        "boot_s": request.boot_s,
        "wall_ns": request.wall_ns,
        "method": "POST" if request.what == "POST" else "GET",
        "target": target,
        "body": request.body,
        "headers": [["idempotency-key", request.key]] if request.key else [],
        "whole": True,
        "known": None,
        "status": request.told or 0,
    }
