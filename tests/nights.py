"""Two nights of a recorder that write an event of almost every kind of an attempt.

`tests/old` keeps what they once wrote, to the byte.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from batchpay.domain.events import Stop
from batchpay.domain.model import Intent
from batchpay.gateways.omise.objects import charge_in
from batchpay.journals.sqlite.store import SqliteJournal
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.proof import Proof, Verdict
from batchpay.settlement import Case, Recorder
from tests.fakes import FakeClock, in_virtual_time
from tests.test_lifecycle import INTENT, charge

AT_S = 1000.0  # CLOCK_BOOTTIME of both


def intent_of(order_id: str, attempt: int = 1) -> Intent:
    """Of an order of the job `night`."""
    return replace(
        INTENT,
        order_id=order_id,
        attempt=attempt,
        key=key_of("night", order_id, attempt),
        alike=alike(order_id),
        row=int(order_id),
        sale=(f"order:{order_id}",),
    )


def shown(
    order_id: str, attempt: int = 1, *, job: str = "night", **changes: Any
) -> Any:
    """Its charge as the gateway shows it."""
    metadata = {
        "order_id": order_id,
        "batchpay_key": key_of(job, order_id, attempt),
        "batchpay_job": job,
    }
    charge_id = f"chrg_test_{job}{order_id}{attempt}"
    found = charge_in(charge(**{"id": charge_id, "metadata": metadata, **changes}))
    assert found is not None
    return found


async def first(recorder: Recorder) -> None:
    """What is answered, looked up and adopted."""
    paid, silent, held, failed = (Case(intent_of(f"000{n}")) for n in (1, 2, 3, 4))
    for case in (paid, silent, held, failed):
        await recorder.intend(case, AT_S)
    await recorder.void(held)
    verdict = Verdict(Proof.CHARGE, charge=shown("0001"))
    await recorder.answered(paid, verdict, 200, "", AT_S + 1)
    await recorder.answered(
        silent, Verdict(Proof.IN_DOUBT, message="reset"), None, "<p>", None
    )
    refused = Verdict(Proof.REFUSED, code="invalid_card", message="no such card")
    await recorder.answered(failed, refused, 400, "", AT_S + 2)
    await recorder.absent(silent, AT_S + 5000, closes=False)
    await recorder.unclear(silent, shown("0009").id)
    assert held.attempt is not None
    await recorder.withdraw(held.attempt)
    await recorder.adopt(shown("0005", chain=None), 1)
    await recorder.others.keep([shown("0001", job="day")])
    await recorder.unreadable("chrg_test_x", "its metadata is not an object")


async def second(recorder: Recorder) -> None:
    """What a later run finds of it, and what a person says."""
    silent = next(
        case for case in recorder.cases.open_cases() if case.intent.order_id == "0002"
    )
    await recorder.absent(silent, AT_S + 9000, closes=True)
    await recorder.intend(silent, AT_S)
    await recorder.found(silent, shown("0002", status="pending", paid=False))
    await recorder.found(silent, shown("0002", chain=None))
    await recorder.found(silent, shown("0002", chain=None), reread=True, by_id=True)
    await recorder.missing(silent)
    await recorder.resolve(silent, "accepted", "paid out by hand", "kim")
    told = Verdict(Proof.CHARGE, charge=shown("0001"))
    stranger = Case(intent_of("0006"))
    await recorder.intend(stranger, AT_S)
    await recorder.answered(stranger, told, 200, "", AT_S + 1)
    again = Case(intent_of("0004", 2))
    await recorder.intend(again, AT_S)
    await recorder.untold(again, "chrg_test_night00041")
    throttled = Verdict(
        Proof.IN_DOUBT, charge=shown("0004", 2), code="x", message="y" * 400
    )
    await recorder.answered(again, throttled, 429, "", AT_S + 1)
    await recorder.resolve(again, "not-charged", "asked them", "kim")
    await recorder.note(Stop(reason="look at it", order=again.intent.order_id))


def run(path: Path, night: Any) -> None:
    """One of them, upon what a journal holds."""
    journal = SqliteJournal(path, "night")
    recorder = Recorder(journal, FakeClock(), "night", "2026-11-24", live=False)
    in_virtual_time(night(recorder), AT_S)
    journal.close()
