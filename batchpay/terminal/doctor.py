"""DOCTOR: what is in order and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchpay.domain.exits import NEXT_STEP, worst
from batchpay.domain.text import many
from batchpay.terminal.streams import write as say
from batchpay.terminal.streams import write_json

if TYPE_CHECKING:
    from batchpay.commands.doctor import Checkup


def doctor(found: list[Checkup], *, as_json: bool) -> int:
    """What was looked at, the worst last to be missed; returns the exit code."""
    code = worst(finding.exit_code for finding in found)
    if as_json:
        findings = [
            {
                "subject": f.subject,
                "state": f.state,
                "told": f.told,
                "exit_code": f.exit_code,
            }
            for f in found
        ]
        write_json({"findings": findings, "exit_code": code})
        return code
    for finding in found:
        say(f"{finding.state:8} {finding.subject}: {finding.told}")
    warnings = sum(finding.state == "warning" for finding in found)
    step = NEXT_STEP.get(code, "see the findings above")
    if code == 0 and warnings:
        step = f"nothing is wrong; {many(warnings, 'warning')} above to see to"
    say(f"exit {code}: {step}")
    return code
