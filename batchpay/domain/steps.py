"""NEXT STEPS: what a person does about a row, a stop or a night that did not end well; each
sentence stands here once.

    >>> CANCEL(order="A 1")
    "batchpay resolve JOB --cancel --reason TEXT 'A 1'"

JOB stands for the job file and TEXT for a reason in a person's words, here and in the journal,
which outlives the place where a job lies. Whoever prints or writes one of these commands names the
job: `addressed` puts it there. Doing what a step says ends the state that it was printed about:
tests/test_next_steps.py does every one of them, and a step without a trial fails there. What an
exit code and each party come to stands in `exits`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batchpay.messages import message
from batchpay.messages import steps as catalogue

LONGEST_ID = message.LONGEST_ID


@dataclass(frozen=True, slots=True)
class Step:
    """One next step of the catalogue, worded at once for those who still glue sentences."""

    entry: message.Entry

    def __call__(self, **fields: str) -> str:
        """With order and batch ids quoted as a shell wants them."""
        return str(self.entry(**fields))


_COMMAND = re.compile(r"\bbatchpay ([a-z]+) JOB\b", re.ASCII)


def addressed(told: Any, job: str) -> Any:
    """A text, or every text of a document, with its commands as they are typed: for the job file
    `job`, as somebody named it, quoted for a shell. Without a name nothing changes.

    >>> addressed("batchpay resolve JOB --lift-stop --reason TEXT", "my jobs/night.toml")
    "batchpay resolve 'my jobs/night.toml' --lift-stop --reason 'your reason'"
    """
    if isinstance(told, str):
        if not job or "batchpay " not in told:
            return told
        word = shlex.quote(f"./{job}" if job.startswith("-") else job)
        named = _COMMAND.sub(lambda match: f"batchpay {match[1]} {word}", told)
        return named.replace("--reason TEXT", f"--reason {YOUR_REASON}")
    if isinstance(told, Mapping):
        return {name: addressed(value, job) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [addressed(value, job) for value in told]
    return told


YOUR_REASON = "'your reason'"
KEY_SOURCES = catalogue.KEY_SOURCES
BY_ID: dict[str, Step] = {}


def _step(entry: message.Entry) -> Step:
    step = BY_ID[entry.code] = Step(entry)
    return step


LIFT_STOP = _step(catalogue.LIFT_STOP)
CANCEL = _step(catalogue.CANCEL)
IS_CANCEL = catalogue.IS_CANCEL
RUN_FIRST = _step(catalogue.RUN_FIRST)
ACCEPT = _step(catalogue.ACCEPT)
GIVE_BACK = _step(catalogue.GIVE_BACK)
SETTLE_LOST = _step(catalogue.SETTLE_LOST)
SETTLE_DOUBT = _step(catalogue.SETTLE_DOUBT)
SETTLE_UNCLEAR = _step(catalogue.SETTLE_UNCLEAR)
NOT_OURS = _step(catalogue.NOT_OURS)
OTHER_CHARGE = _step(catalogue.OTHER_CHARGE)
NAMELESS = _step(catalogue.NAMELESS)
SETTLE_ADOPTED = _step(catalogue.SETTLE_ADOPTED)
SETTLE_GONE = _step(catalogue.SETTLE_GONE)
SETTLE_EARLIER = _step(catalogue.SETTLE_EARLIER)
SETTLE_ANOTHERS = _step(catalogue.SETTLE_ANOTHERS)
ASK_EARLIER = _step(catalogue.ASK_EARLIER)
SAY_AGAIN = _step(catalogue.SAY_AGAIN)
SEE_CHARGE = _step(catalogue.SEE_CHARGE)
CHARGE_ID = _step(catalogue.CHARGE_ID)
ORDER_ID = _step(catalogue.ORDER_ID)
ASK_AGAIN = _step(catalogue.ASK_AGAIN)
PAY_TOKEN = _step(catalogue.PAY_TOKEN)
PAY_SOURCE = _step(catalogue.PAY_SOURCE)
PAY_AGAIN = _step(catalogue.PAY_AGAIN)
AUTHORISE = _step(catalogue.AUTHORISE)
SCAN = _step(catalogue.SCAN)
PUT_BACK = _step(catalogue.PUT_BACK)
NEW_ID = _step(catalogue.NEW_ID)
OTHER_CONTENT = _step(catalogue.OTHER_CONTENT)
WRITE_ID = _step(catalogue.WRITE_ID)
WRITE_DAMAGED_ID = _step(catalogue.WRITE_DAMAGED_ID)
OWN_ID = _step(catalogue.OWN_ID)
LEAVE_ONE = _step(catalogue.LEAVE_ONE)
ANOTHER_SALE = _step(catalogue.ANOTHER_SALE)
NEAR = _step(catalogue.NEAR)
HISTORY = _step(catalogue.HISTORY)
LIMIT = _step(catalogue.LIMIT)
NEW_TOKEN = _step(catalogue.NEW_TOKEN)
NEW_SALE = _step(catalogue.NEW_SALE)
NEW_ORDERS = _step(catalogue.NEW_ORDERS)
TOO_SMALL = _step(catalogue.TOO_SMALL)
TOO_LARGE = _step(catalogue.TOO_LARGE)
SEND_SMALL = _step(catalogue.SEND_SMALL)
NO_RECIPIENT = _step(catalogue.NO_RECIPIENT)
OTHER_RECIPIENT = _step(catalogue.OTHER_RECIPIENT)
VERIFY = _step(catalogue.VERIFY)
ACTIVATE = _step(catalogue.ACTIVATE)
OLD_NAME = _step(catalogue.OLD_NAME)
CHARGED_ELSEWHERE = _step(catalogue.CHARGED_ELSEWHERE)
ADOPT = _step(catalogue.ADOPT)
OTHER_KEY = _step(catalogue.OTHER_KEY)
OTHER_MODE = _step(catalogue.OTHER_MODE)
OTHER_URL = _step(catalogue.OTHER_URL)
KEY = _step(catalogue.KEY)
CLOCK = _step(catalogue.CLOCK)
ASK_GATEWAY = _step(catalogue.ASK_GATEWAY)
ODD_ENTRY = _step(catalogue.ODD_ENTRY)
GATEWAY_URL = _step(catalogue.GATEWAY_URL)
