"""report.json: what a program, or a person in a hurry, wants to know of a batch
(schemas/report.schema.json).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from batchpay.domain.exits import A_PERSON
from batchpay.domain.model import Finding, Outcome, RunDone
from batchpay.domain.money import major_text, money_text
from batchpay.domain.text import many
from batchpay.lifecycle.after import Stands
from batchpay.messages import steps
from batchpay.reconciliation.earned import earned_of
from batchpay.reconciliation.iso20022 import group_status
from batchpay.reconciliation.lines import lines_of
from batchpay.reconciliation.totals import (
    CHARGED_UNREAD,
    INTEREST,
    ODD_COSTS,
    REFUNDED,
    Equation,
    Totals,
    further_json,
    further_lines,
    must_act,
    unknown,
    unread_told,
)
from batchpay.reports.files import Directory
from batchpay.reports.table import Inputs

LISTED = 100  # rows that are spelled out


def write_summary(directory: Directory, inputs: Inputs) -> None:
    """The file."""
    with directory.file("report.json") as file:
        document = summary_of(inputs)
        told = steps.addressed(document, inputs.job_file)
        text = json.dumps(told, ensure_ascii=False, indent=2)
        data = f"{text}\n".encode("utf-8", "replace")
        file.write(data)


def summary_of(inputs: Inputs) -> dict[str, Any]:
    """The document, always in the same order."""
    batch = inputs.batch
    totals = inputs.totals
    currencies = sorted(totals.rows | totals.charged)
    needs = {"count": totals.acts[A_PERSON], "rows": list(_attention(inputs))}
    return {
        "report_version": 1,
        "test_mode": batch.mode == "test",
        "mode": _mode(batch.mode),
        "job": batch.job,
        "batch": {
            "id": batch.id,
            "file": batch.file,
            "sha256": batch.sha256,
            "format": batch.format,
            "rows_read": batch.rows_read,
            "refusal": batch.refusal,
            "notes": _notes(inputs),
        },
        "verdict": verdict_of(inputs),
        "exit_code": inputs.exit_code,
        "stop": inputs.stop,
        "lifted": [dict(lift) for lift in inputs.lifted],
        "outcomes": totals.outcomes(),
        "who_acts": dict(must_act([totals]).orders),
        "run": run_json(inputs.run),
        "duplicates_of": {name: n for name, n in sorted(totals.named.items()) if n},
        "currencies": [currency_json(totals, currency) for currency in currencies],
        "further_charges": further_json(totals),
        "equations": [equation_json(equation) for equation in inputs.equations],
        "final": final_json(totals),
        "later": list(_later(inputs)),
        "came_back": {
            "count": totals.came_back.total(),
            "rows": list(_came_back(inputs)),
        },
        "iso20022": iso20022_json(totals),
        "recipients": by_recipient(totals),
        "codes": by_code(totals),
        "needs_a_person": needs,
        "journal": {
            "id": inputs.journal_id,
            "seq": inputs.head_seq,
            "digest": inputs.head_digest,
        },
    }


def _mode(mode: str) -> str:
    if mode == "test":
        return "TEST"
    return "live"


def equation_json(equation: Equation) -> dict[str, Any]:
    """Both sides, and whether they are the same."""
    return {
        "currency": equation.currency,
        "name": equation.name,
        "left": equation.left,
        "right": equation.right,
        "closes": equation.closes,
    }


def verdict_of(inputs: Inputs) -> str:
    """One line for a person."""
    batch = inputs.batch
    totals = inputs.totals
    test = ""
    if batch.mode == "test":
        test = "TEST: "
    if batch.refusal:
        return f"{test}the whole batch is refused, nothing was sent. {batch.refusal}"
    charged = f"{money_text(totals.money_moved())} charged"
    unread = map(str, unread_told(totals))
    money = "; ".join([charged, *unread, *further_lines(further_json(totals))])
    counts = ", ".join(f"{number} {name}" for name, number in totals.outcomes().items())
    return f"{test}{money}; {many(totals.rows_read, 'row')}: {counts or 'none'}."


def _notes(inputs: Inputs) -> list[str]:
    notes = [*inputs.batch.notes, *filter(None, [inputs.batch.likeness])]
    if inputs.totals.warned:
        warned = many(inputs.totals.warned.total(), "row")
        notes.append(
            f"{warned} with warnings: the column warnings of results tells which"
        )
    return notes


def currency_json(totals: Totals, currency: str) -> dict[str, Any]:
    """All sums of the rows in a currency."""
    asked = sum(total for (code, _), total in totals.sums.items() if code == currency)
    return {
        "currency": currency,
        "rows": totals.rows[currency],
        **_amount("asked", asked, currency),
        **_amount("charged", totals.charged[currency], currency),
        **_amount("platform_fee", totals.shares[currency, "platform"], currency),
        **_recipients_share(totals, currency),
        "charged_unknown": totals.shares[currency, CHARGED_UNREAD],
        "recipient_amount_unknown": totals.shares[currency, "unknown"],
        "fees": _fees(totals, currency),
        "costs_left_out": totals.shares[currency, ODD_COSTS],
        "earned": _earned(totals, currency),
        "transfers": _transfers(totals, currency),
        "refunded_minor": totals.later[currency, REFUNDED],
        "refunded": major_text(totals.later[currency, REFUNDED], currency),
        "outcomes": _outcomes(totals, currency),
    }


def _amount(name: str, minor: int, currency: str) -> dict[str, Any]:
    """In smallest units and as exact decimal text."""
    return {f"{name}_minor": minor, name: major_text(minor, currency)}


def _recipients_share(totals: Totals, currency: str) -> dict[str, Any]:
    unknown = totals.shares[currency, "unknown"]
    known = totals.shares[currency, "known"]
    if unknown and not known:
        # no zero: nobody knows
        return {"recipient_amount_minor": None, "recipient_amount": None}
    share = totals.shares[currency, "recipient"]
    return _amount("recipient_amount", share, currency)


def _outcomes(totals: Totals, currency: str) -> dict[str, Any]:
    outcomes = {}
    for outcome in Outcome:
        count = totals.count(outcome, currency)
        if count:
            total = totals.sums[currency, outcome.value]
            outcomes[outcome.value] = {
                "count": count,
                **_amount("sum", total, currency),
            }
    return outcomes


def _fees(totals: Totals, currency: str) -> list[dict[str, Any]]:
    """What the gateway kept of the charges in a currency, and what is left, in each currency that
    it counts them in.
    """
    counted_in = {
        fee_currency for code, fee_currency, _ in totals.fees if code == currency
    }
    found = []
    for fee_currency in sorted(counted_in):
        told: dict[str, Any] = {"fee_currency": fee_currency}
        for name, key in {"fee": "fee", "fee_vat": "vat", "net": "net"}.items():
            minor = totals.fees[currency, fee_currency, key]
            told |= _amount(name, minor, fee_currency)
        if interest := totals.fees[currency, fee_currency, INTEREST]:
            told |= _amount("interest", interest, fee_currency)
        found.append(told)
    return found


def _earned(totals: Totals, currency: str) -> list[dict[str, Any]]:
    """Commission less the gateway's fees, in each currency that either is counted in."""
    found = []
    for one in earned_of(totals):
        if one.currency == currency:
            for code, minor in one.ours.items():
                found.append({"currency": code, **_amount("sum", minor, code)})
    return found


def _transfers(totals: Totals, currency: str) -> list[dict[str, Any]]:
    """Where the recipients' shares are: how many, how much, what the gateway keeps of them, and
    what the banks get.
    """
    found = []
    for stands in Stands:
        rows = totals.payouts[currency, stands.value, "rows"]
        if not rows:
            continue
        told: dict[str, Any] = {"status": stands.value, "count": rows}
        for name in ("amount", "fee", "bank"):
            told |= _amount(
                name, totals.payouts[currency, stands.value, name], currency
            )
            if missing := totals.payouts[currency, stands.value, unknown(name)]:
                told[f"{name}_unknown"] = missing
        found.append(told)
    return found


def final_json(totals: Totals) -> dict[str, Any]:
    """Does nothing of the batch move by itself any more? And what does, if anything."""
    waits = totals.waits_for()
    return {"is_final": not waits, "waits_for": waits}


def iso20022_json(totals: Totals) -> dict[str, Any]:
    """The batch in the words of pain.002: the group, and how many transactions of each status."""
    statuses = {code: n for code, n in sorted(totals.iso20022.items()) if n}
    return {"group_status": group_status(statuses), "transactions": statuses}


def _later(inputs: Inputs) -> Iterator[dict[str, Any]]:
    """The first LISTED rows whose charge was given back or disputed, or whose share did not
    arrive: what happened after the run that made them.
    """
    if inputs.totals.has_later:
        yield from itertools.islice(_later_rows(inputs), LISTED)


def _later_rows(inputs: Inputs) -> Iterator[dict[str, Any]]:
    for finding in _apart(inputs):
        if finding.has_later:
            yield {
                "row": finding.row,
                "sheet": finding.sheet,
                "order_id": finding.order_id,
                "charge_id": finding.charge_id,
                "sent_in": finding.run_id,
                "refunded_minor": finding.refunded_amount or 0,
                "dispute": finding.dispute,
                "transfer_id": finding.transfer_id,
                "transfer_status": finding.transfer_status,
                "transfer_code": finding.transfer_code,
            }


def _came_back(inputs: Inputs) -> Iterator[dict[str, Any]]:
    """The first LISTED rows that came back for an earlier row, or after an earlier attempt, and
    what they ask for otherwise.
    """
    if inputs.totals.came_back:
        yield from itertools.islice(_came_back_rows(inputs), LISTED)


def _came_back_rows(inputs: Inputs) -> Iterator[dict[str, Any]]:
    for finding in _apart(inputs):
        if finding.corrects:
            yield {
                "row": finding.row,
                "sheet": finding.sheet,
                "order_id": finding.order_id,
                "outcome": finding.outcome.value,
                "attempts": finding.attempts,
                "corrects": finding.corrects,
                "changed": finding.changed,
            }


def run_json(run: RunDone | None) -> dict[str, Any] | None:
    """The last run that changed the batch, and what it did to it."""
    if run is None:
        return None
    return {
        "id": run.id,
        "started": run.started,
        "ended": run.ended,
        "exit_code": run.exit_code,
        "sent": run.sent,
        "outcomes": dict(run.outcomes),
        "charged": _sums(run.charged),
        "adopted": {"count": run.adopted, "charged": _sums(run.adopted_sums)},
        "looked_up": run.looked_up,
        "restored": run.restored,
        "lost": run.lost,
        "held": run.held,
        "verb": run.verb,
        "flags": list(run.flags),
        "settings": dict(run.settings),
    }


def _sums(sums: Mapping[str, int]) -> list[dict[str, Any]]:
    told = []
    for code, minor in sums.items():
        told.append({"currency": code, **_amount("sum", minor, code)})
    return told


def by_recipient(totals: Totals) -> list[dict[str, Any]]:
    """Charged per recipient and currency, the largest first."""
    records = []
    for (to, currency), minor in totals.recipients.items():
        row = {
            "destination": to,
            "currency": currency,
            "count": totals.recipient_counts[to, currency],
            "sum_minor": minor,
            "sum": major_text(minor, currency),
        }
        records.append(row)
    return sorted(records, key=_largest_first)


def _largest_first(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return row["currency"], -row["sum_minor"], row["destination"]


def by_code(totals: Totals) -> list[dict[str, Any]]:
    """Why rows failed, the most frequent first."""
    counted = sorted(totals.codes.items(), key=_most_frequent_first)
    return [
        {"outcome": outcome, "code": code, "count": count}
        for (outcome, code), count in counted
    ]


def _most_frequent_first(one: tuple[tuple[str, str], int]) -> tuple[int, str, str]:
    (outcome, code), count = one
    return -count, outcome, code


def _attention(inputs: Inputs) -> Iterator[dict[str, Any]]:
    """The first LISTED rows that are for a person."""
    if inputs.totals.acts[A_PERSON]:
        yield from itertools.islice(_for_a_person(inputs), LISTED)


def _for_a_person(inputs: Inputs) -> Iterator[dict[str, Any]]:
    for finding in _apart(inputs):
        if finding.who_acts == A_PERSON:
            yield _row(finding)


def _apart(inputs: Inputs) -> Iterator[Finding]:
    """The rows of which there is anything to tell."""
    for _, findings in inputs.findings():
        yield from lines_of(findings).apart.values()


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "row": finding.row,
        "sheet": finding.sheet,
        "order_id": finding.order_id,
        "outcome": finding.outcome.value,
        "charge_id": finding.charge_id,
        "reason": finding.reason,
        "who_acts": finding.who_acts,
        "reason_codes": list(finding.codes),
    }
