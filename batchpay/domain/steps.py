"""NEXT STEPS: what a person does about a row, a stop or a night that did not end well; each
sentence stands here once.

    >>> CANCEL(order="A 1")
    "batchpay resolve JOB 'A 1' --cancel --reason TEXT"

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

from batchpay.domain.text import told

LONGEST_ID = 300  # characters of an order id that a command repeats; longer ones no gateway takes


@dataclass(frozen=True, slots=True)
class Step:
    """One next step. Called with its fields it is a sentence, or the end of one."""

    id: str
    text: str

    def __call__(self, **fields: str) -> str:
        """With order and batch ids quoted as a shell wants them."""
        words = {
            name: _word(text) if name in ("order", "batch") else text
            for name, text in fields.items()
        }
        return self.text.format(**words)


def _word(text: str) -> str:
    """One word of a command: quoted where a shell would take it apart, and never taken for a
    flag.
    """
    quoted = shlex.quote(told(text, LONGEST_ID))
    if text.startswith("-"):
        return f"-- {quoted}"
    return quoted


_COMMAND = re.compile(r"\bbatchpay ([a-z]+) JOB\b")


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
KEY_SOURCES = "the secret key (OMISE_SECRET_KEY, or the file that OMISE_SECRET_KEY_FILE names)"
BY_ID: dict[str, Step] = {}


def _step(name: str, text: str) -> Step:
    step = BY_ID[name] = Step(name, text)
    return step


# --- a person's word: `batchpay resolve`

LIFT_STOP = _step("lift-stop", "see to it, then: batchpay resolve JOB --lift-stop --reason TEXT")
CANCEL = _step("cancel", "batchpay resolve JOB --cancel --reason TEXT {order}")
IS_CANCEL = "batchpay resolve JOB --cancel"  # what all steps hold that cancel
RUN_FIRST = _step(
    "run-first",
    "no run has read {files} yet: batchpay resolve JOB --cancel works once one has, which sends"
    " nothing of what is held or refused; or leave the row out of the file",
)
ACCEPT = _step(
    "accept",
    "see the gateway's dashboard, then: batchpay resolve JOB --as charged:{charge} --reason TEXT"
    " {order}",
)
GIVE_BACK = _step(
    "give-back",
    "give the one too many back at the gateway, which the next run sees; or, to leave it so: "
    "batchpay resolve JOB --as charged:{charge} --reason TEXT {order}",
)
SETTLE_LOST = _step(
    "settle-lost",
    "see its dashboard; if it has none for this order: batchpay resolve JOB --as not-charged"
    " --reason TEXT {order}",
)
SETTLE_DOUBT = _step(
    "settle-doubt",
    "see the gateway's dashboard; if it has no charge for this order: batchpay resolve JOB --as"
    " not-charged --reason TEXT {order}; if it has one, with --as charged:chrg_…",
)
SETTLE_UNCLEAR = _step(
    "settle-unclear",
    "see the gateway's dashboard; if that is it: batchpay resolve JOB --as charged:{charge}"
    " --reason TEXT {order}; if it is none of this job's: batchpay resolve JOB --not-ours {charge}"
    " --reason TEXT, then run again",
)
NOT_OURS = _step(
    "not-ours",
    "see the gateway's dashboard; if it is none of this job's: batchpay resolve JOB --not-ours"
    " {charge} --reason TEXT, then run again; if it is an order's, say so with the order's id:"
    " batchpay resolve JOB --as charged:{charge} --reason TEXT …",
)
NAMELESS = _step(
    "nameless",
    "see the gateway's dashboard; if it is this order's: batchpay resolve JOB --as charged:{charge}"
    " --reason TEXT {order}; if it is none of this job's: batchpay resolve JOB --not-ours {charge}"
    " --reason TEXT, then run again",
)
SETTLE_ADOPTED = _step(
    "settle-adopted",
    "see which is right; to take the charge as it is: "
    "batchpay resolve JOB --as charged:{charge} --reason TEXT {order}, then lift the stop",
)
SETTLE_EARLIER = _step(
    "settle-earlier",
    "see its dashboard; if it has none: batchpay resolve JOB --as not-charged --reason TEXT"
    " {order}, then the next run sends",
)
SETTLE_ANOTHERS = _step(
    "settle-anothers",
    "see the gateway's dashboard; if it has none for this order: "
    "batchpay resolve JOB --as not-charged --reason TEXT {order}",
)
ASK_EARLIER = _step(
    "ask-earlier",
    "the next run asks again; if it stays so, see the gateway's dashboard, then: "
    "batchpay resolve JOB --as not-charged --reason TEXT {order}",
)
SAY_AGAIN = _step(
    "say-again",
    "what people told the journal that is not in it any more is gone too, but for what the reports"
    " tell: cancelled orders, lifted stops, orders settled by hand, charges that are none of this"
    " job's. Whoever said it says it again",
)
ASK_AGAIN = _step(
    "ask-again",
    "to charge it after all, send its row in a new file, corrected or with batchpay_retry = yes",
)

# --- the payer's

_ITS_ROW = "in its row of the rejects file, sent back as a new file"
PAY_TOKEN = _step(
    "pay-token", f"a one-time token pays once: the payer pays with a new one, {_ITS_ROW}"
)
PAY_SOURCE = _step(
    "pay-source", f"a source (a QR code, an app) pays once: the payer pays by a new one, {_ITS_ROW}"
)
PAY_AGAIN = _step(
    "pay-again",
    f"the payer has another card charged, or the same again: {_ITS_ROW}, changed or with"
    " batchpay_retry = yes",
)
AUTHORISE = _step(
    "authorise", "the payer authorises it at its authorize_uri, then the next run finds it"
)
SCAN = _step(
    "scan",
    "the payer pays it by its QR code or app (authorize_uri, if it has one), then the next run"
    " finds it",
)

# --- the accountant's: rows and files

PUT_BACK = _step(
    "put-back",
    "give {file} to a run again, where [input] file says or with --input, or never send it: "
    "batchpay resolve JOB --cancel --reason TEXT {order}; or the whole file: "
    "batchpay resolve JOB --cancel --reason TEXT {batch}",
)
NEW_ID = _step(
    "new-id",
    "if it is wanted after all, send it in another file, without the batchpay_ columns, under"
    " another order id",
)
OTHER_CONTENT = _step(
    "other-content",
    "if it is another sale, send it in a file of its own under another order id, without the"
    " batchpay_ columns; else leave it out",
)
WRITE_ID = _step(
    "write-id",
    'if it is that order, write {other}; if both are right, say alike_ids = "distinct" in [input]',
)
WRITE_DAMAGED_ID = _step(
    "write-damaged-id",
    "if it is that order, write {other} and clear the row's batchpay_ columns, if it has any; if"
    ' both are right, say alike_ids = "distinct" in [input]',
)
OWN_ID = _step(
    "own-id",
    "send it again under its own order id, in the rejects file that it came from, or, if there it"
    " had none, under one that was never used",
)
LEAVE_ONE = _step("leave-one", "leave only the right one")
ANOTHER_SALE = _step(
    "another-sale", "if this is another sale, send it without the batchpay_ columns"
)
NEAR = _step(
    "near",
    'say near_duplicates = "warn" in [controls] to send it, or never send it: '
    "batchpay resolve JOB --cancel --reason TEXT {order}",
)
NEW_SALE = _step(
    "new-sale",
    "see whether this is that sale; if it is another one, run again with --yes; if it is the same,"
    " put the file of batch {batch} beside this one, or: batchpay resolve JOB --cancel --reason"
    " TEXT {order}",
)
NEW_ORDERS = _step(
    "new-orders",
    "if these are new orders, run again with --yes; if not, take the file away, or do not give it"
    " again, and: batchpay resolve JOB --cancel --reason TEXT {batch}",
)
TOO_SMALL = _step(
    "too-small",
    "no setting sends it; ask for more in a new file, or never send it: "
    "batchpay resolve JOB --cancel --reason TEXT {order}",
)
SEND_SMALL = _step("send-small", 'min_share = "send" in [controls] sends it')

# --- whoever looks after recipients, the job and the machine

NO_RECIPIENT = _step("no-recipient", "correct the order, or the lookup file")
OTHER_RECIPIENT = _step("other-recipient", "give the order another recipient")
VERIFY = _step("verify", "a later run sends when it is")
ACTIVATE = _step("activate", "have it activated, then the next run sends")
OLD_NAME = _step(
    "old-name",
    'If this job was renamed, give it its old name again: name = "{job}"; if these are other orders'
    " than those of that job, give them other ids",
)
ADOPT = _step(
    "adopt",
    "if [state] url names another file than it did, name the old one; if the journal was lost, run"
    " once with --adopt to take these charges over",
)
_OWN_JOB = (
    "orders that were never charged there go in a job of their own, with another name, [state] url"
    " and [report] directory"
)
OTHER_KEY = _step("other-key", f"Give the other key; {_OWN_JOB}")
OTHER_MODE = _step("other-mode", f'Say mode = "{{mode}}"; {_OWN_JOB}')
OTHER_URL = _step("other-url", f"Give the job its old [gateway] url; {_OWN_JOB}")
KEY = _step("key", f"check {KEY_SOURCES} and run again: nothing that was sent is forgotten")
CLOCK = _step("clock", "set the clock (NTP) and run again: nothing more is sent")
ASK_GATEWAY = _step(
    "ask-gateway",
    "nothing is sent beside it, for it may be any order's: ask the gateway to mend that entry, then"
    " run again",
)
GATEWAY_URL = _step(
    "gateway-url", "check [gateway] url in the job file, and what stands between: a proxy, a portal"
)
