"""One night with every kind of row, as the reports get it: for the tests of what people open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from batchpay.domain.model import Finding, Outcome, RunDone
from batchpay.messages import outcomes, standing, steps, stories
from batchpay.messages.message import plain
from batchpay.reports import Inputs
from batchpay.reports.table import Story
from tests.test_reconciliation import PAID, PROBLEM, one
from tests.test_reports import inputs

FORMATS = ("csv", "parquet", "json", "xlsx", "html")
CHARGED = replace(
    PAID,
    charge_id="chrg_test_1",
    charged_amount=123450,
    charged_currency="THB",
    fee=4506,
    fee_vat=315,
    net=118629,
    fee_currency="THB",
    platform_fee=12962,
    recipient_amount=110488,
    sent_at="2026-11-24T16:59:58Z",
    settled_at="2026-11-24T17:00:00Z",
    reasons=(),
)
YEN = {
    "amount": 5000,
    "currency": "JPY",
    "charged_amount": 5000,
    "charged_currency": "JPY",
    "platform_fee": 525,
    "recipient_amount": 4475,
    "read_currency": "JPY",
    "read_amount": 5000,
    "fee": 46,
    "fee_vat": 3,
    "net": 1200,
}
NO_MONEY = {
    "charged_amount": None,
    "charged_currency": "",
    "fee": None,
    "fee_vat": None,
    "net": None,
    "fee_currency": "",
    "platform_fee": None,
    "recipient_amount": None,
}


def _row(number: int, outcome: Outcome, **changes: Any) -> Finding:
    counts = {
        "outcome": outcome,
        "counts_as": outcome,
        "row": number,
        "order_id": f"{number:04}",
    }
    return replace(CHARGED, **{**counts, **NO_MONEY, **changes})


DECLINED = _row(
    4,
    Outcome.DECLINED,
    failure_code="insufficient_fund",
    reasons=(
        outcomes.DECLINED(failure="insufficient_fund", said="no money"),
        steps.PAY_AGAIN(),
    ),
    who_acts="payer",
)
PENDING = _row(
    5,
    Outcome.PENDING,
    reasons=(outcomes.PENDING(), steps.AUTHORISE()),
    who_acts="payer",
    authorize_uri="https://pay.example/authorize?a=1&b=<2>",
    settled_at="",
)
DOUBTED = _row(
    6,
    Outcome.IN_DOUBT,
    order_id="=1+1",
    reasons=(
        outcomes.IN_DOUBT_SPENT(error="used_token"),
        steps.SETTLE_DOUBT(order="=1+1"),
    ),
    who_acts="a person",
    charge_id="",
    settled_at="",
)
HELD = _row(
    7,
    Outcome.HELD,
    reasons=(standing.NOT_SENT_YET(),),
    who_acts="next run",
    idempotency_key="",
    charge_id="",
    sent_at="",
    settled_at="",
)
IN_YEN = replace(CHARGED, row=8, order_id="0008", charge_id="chrg_test_8", **YEN)
LATE = replace(
    CHARGED,
    row=9,
    order_id="0009",
    charge_id="chrg_test_9",
    destination="recp_test_other",
    settled_at="2026-11-26T03:00:00Z",
)
REJECTED = replace(one(problems=(PROBLEM,)), row=3, order_id="0003")
ROWS = [CHARGED, REJECTED, DECLINED, PENDING, DOUBTED, HELD, IN_YEN, LATE]
CELLS = [
    ["0001", "a chair", "n"],
    ["0003", "=cmd()", "<script>alert(1)</script>"],
    ["0004", "เก้าอี้\nไม้", ""],
    ["0005", "+66", "@x"],
    ["=1+1", "-5", ""],
    ["0007", "椅子", "a\x1b[31mb"],
    ["0008", "'quoted", "_x0041_"],
    ["0009", "x" * 40, "&amp;"],
]
STORY = Story(
    attempts=[
        {
            "attempt": 1,
            "sends": 1,
            "key": "key-1",
            "amount": 123450,
            "currency": "THB",
            "destination": "recp_test_1",
            "payment_method": "card …4242",
            "charge": None,
            "transfer": None,
            "refunded": 0,
            "dispute": "",
        }
    ],
    events=[
        {
            "at": "2026-11-24T17:00:00Z",
            "told": (
                plain("<b>said"),
                outcomes.FOUND_BY_LOOKUP(),
                stories.TRANSFER_SENT(at="2026-11-24T17:00:09Z"),
            ),
            "state": "declined",
            "who": "mai",
            "run": "run-1",
        }
    ],
)
RUN = RunDone(
    id="2026-11-24T165900Z-abc",
    started="2026-11-24T16:59:00Z",
    ended="2026-11-24T17:01:00Z",
    exit_code=12,
    sent=6,
    charged={"JPY": 5000, "THB": 246900},
    adopted=0,
    adopted_sums={},
    looked_up=1,
    restored=False,
    held="",
    verb="run",
    flags=("--limit 6",),
    settings={"rate": "8/s", "max_total": "2,000,000.00 THB"},
)


def night(
    rows: list[Finding] = ROWS, cells: list[list[str]] = CELLS, **changes: Any
) -> Inputs:
    """All of it; `changes` are of Inputs."""
    made = inputs(rows, cells)
    about = replace(made.batch, first_seen_ns=1_764_000_000 * 10**9, sha256="5" * 64)
    told = {
        "formats": FORMATS,
        "run": RUN,
        "time_zone": "Asia/Bangkok",
        "job_file": "night.toml",
    }
    return replace(made, batch=about, **{**told, **changes})
