"""ISO 20022: where a row stands, in the words of a payment status report (pain.002), for the
programs of a bank or an auditor. docs/reports.md has the table.

The codes are those of the external code sets `ExternalPaymentTransactionStatus1Code` and
`ExternalStatusReason1Code`. ISO 20022 has no word for a charge whose answer was lost: it is PDNG,
as what waits is, and its own reason says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from batchpay.domain.model import Finding, Outcome
from batchpay.lifecycle.after import Stands


class Status(NamedTuple):
    """A transaction's status, and why; an empty reason needs none."""

    code: str
    reason: str = ""


ACCC = "ACCC"  # settled, and on the creditor's account
ACSC = "ACSC"  # settled on the debtor's account
CANC = "CANC"  # cancelled before it was settled
PDNG = "PDNG"  # checks or a person are waited for
RCVD = "RCVD"  # received, and not sent yet
RJCT = "RJCT"
NARRATIVE = "NARR"  # the reason in words beside it
PART = "PART"  # of a group: some accepted, some not

OF_OUTCOME: Mapping[Outcome, Status] = {
    Outcome.SUCCEEDED: Status(ACSC),
    Outcome.UNPROVEN: Status(PDNG, NARRATIVE),
    Outcome.PENDING: Status(PDNG),
    Outcome.DECLINED: Status(RJCT, "MS03"),
    Outcome.EXPIRED: Status(RJCT, "TM01"),
    Outcome.REVERSED: Status(CANC, "MS03"),
    Outcome.REFUSED: Status(RJCT, "MS03"),
    Outcome.REJECTED: Status(RJCT, NARRATIVE),
    Outcome.DUPLICATE: Status(RJCT, "AM05"),
    Outcome.CONFLICT: Status(RJCT, "AM05"),
    Outcome.IN_DOUBT: Status(PDNG, NARRATIVE),
    Outcome.HELD: Status(RCVD, NARRATIVE),
}
# The gateway's word for a failure or a refusal (docs/gateway.md, 3.3 and 4.3) -> the reason; MS03,
# not specified, for any other.
OF_CODE: Mapping[str, str] = {
    "insufficient_fund": "AM04",
    "insufficient_balance": "AM04",
    "invalid_account": "AC01",
    "invalid_account_number": "AC01",
    "stolen_or_lost_card": "AC06",
    "failed_fraud_check": "FR01",
    "payment_cancelled": "CUST",
    "invalid_amount": "AM09",
    "confirmed_amount_mismatch": "AM09",
    "amount_mismatch": "AM09",
    "invalid_recipient": "BE06",
    "recipient_not_verified": "BE06",
}


def status_of(finding: Finding) -> Status:
    """A row's status. One that a person cancelled is so, whatever it was before."""
    if finding.cancelled is not None:
        return Status(CANC, "CUST")
    if finding.outcome is Outcome.SUCCEEDED:
        return status_of_plain(finding.transfer_status)
    status = OF_OUTCOME[finding.outcome]
    code = finding.failure_code or finding.error_code
    if status.code == RJCT and code in OF_CODE:
        return Status(RJCT, OF_CODE[code])
    return status


def status_of_plain(transfer_status: str) -> Status:
    """Of a row that succeeded, by where its recipient's share is."""
    if transfer_status == Stands.PAID:
        return Status(ACCC)
    return OF_OUTCOME[Outcome.SUCCEEDED]


def group_status(statuses: Mapping[str, int]) -> str:
    """Of a whole batch, by how many of its rows have which: that of all, or PART."""
    there = [code for code, rows in statuses.items() if rows]
    if len(there) == 1:
        return there[0]
    if not there:
        return RCVD
    if set(there) == {ACCC, ACSC}:
        return ACSC
    return PART
