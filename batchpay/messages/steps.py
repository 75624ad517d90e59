"""NEXT STEPS: what a person does about a row, a stop or a night that did not end well.

    >>> str(CANCEL(order="A 1"))
    "batchpay resolve JOB --cancel --reason TEXT 'A 1'"

JOB stands for the job file and TEXT for a reason in a person's words, here and in the journal,
which outlives the place where a job lies. Whoever prints or writes one of these commands names the
job: `domain.steps.addressed` puts it there. Doing what a step says ends the state that it was
printed about: tests/test_next_steps.py does every one of them, and a step without a trial fails
there. What an exit code and each party come to stands in `exits`.
"""

from __future__ import annotations

from batchpay.messages.message import entry

KEY_SOURCES = "the secret key (OMISE_SECRET_KEY, or the file that OMISE_SECRET_KEY_FILE names)"

# --- a person's word: `batchpay resolve`

LIFT_STOP = entry("lift-stop", "see to it, then: batchpay resolve JOB --lift-stop --reason TEXT")
CANCEL = entry("cancel", "batchpay resolve JOB --cancel --reason TEXT {order:word}")
ACCEPT = entry(
    "accept",
    "see the gateway's dashboard, then: batchpay resolve JOB --as charged:{charge} --reason TEXT"
    " {order:word}",
)
GIVE_BACK = entry(
    "give-back",
    "give the one too many back at the gateway, which the next run sees; or, to leave it so: "
    "batchpay resolve JOB --as charged:{charge} --reason TEXT {order:word}",
)
SETTLE_LOST = entry(
    "settle-lost",
    "see its dashboard; if it has none for this order: batchpay resolve JOB --as not-charged"
    " --reason TEXT {order:word}",
)
SETTLE_DOUBT = entry(
    "settle-doubt",
    "see the gateway's dashboard; if it has no charge for this order: batchpay resolve JOB --as"
    " not-charged --reason TEXT {order:word}; if it has one, with --as charged:chrg_…",
)
SETTLE_UNCLEAR = entry(
    "settle-unclear",
    "see the gateway's dashboard; if that is it: batchpay resolve JOB --as charged:{charge}"
    " --reason TEXT {order:word}; if it is none of this job's: batchpay resolve JOB --not-ours"
    " {charge} --reason TEXT, then run again",
)
NOT_OURS = entry(
    "not-ours",
    "see the gateway's dashboard; if it is none of this job's: batchpay resolve JOB --not-ours"
    " {charge} --reason TEXT, then run again; if it is an order's, say so with the order's id:"
    " batchpay resolve JOB --as charged:{charge} --reason TEXT …",
)
NAMELESS = entry(
    "nameless",
    "see the gateway's dashboard; if it is this order's: batchpay resolve JOB --as charged:{charge}"
    " --reason TEXT {order:word}; if it is none of this job's: batchpay resolve JOB --not-ours"
    " {charge} --reason TEXT, then run again",
)
SETTLE_ADOPTED = entry(
    "settle-adopted",
    "see which is right; to take the charge as it is: "
    "batchpay resolve JOB --as charged:{charge} --reason TEXT {order:word}, then lift the stop",
)
SETTLE_EARLIER = entry(
    "settle-earlier",
    "see its dashboard; if it has none: batchpay resolve JOB --as not-charged --reason TEXT"
    " {order:word}, then the next run sends",
)
SETTLE_ANOTHERS = entry(
    "settle-anothers",
    "see the gateway's dashboard; if it has none for this order: "
    "batchpay resolve JOB --as not-charged --reason TEXT {order:word}",
)
ASK_EARLIER = entry(
    "ask-earlier",
    "the next run asks again; if it stays so, see the gateway's dashboard, then: "
    "batchpay resolve JOB --as not-charged --reason TEXT {order:word}",
)
SAY_AGAIN = entry(
    "say-again",
    "what people told the journal that is not in it any more is gone too, but for what the reports"
    " tell: cancelled orders, lifted stops, orders settled by hand, charges that are none of this"
    " job's. Whoever said it says it again",
)
ASK_AGAIN = entry(
    "ask-again",
    "to charge it after all, send its row in a new file, corrected or with batchpay_retry = yes",
)

# --- the payer's

_ITS_ROW = "in its row of the rejects file, sent back as a new file"
PAY_TOKEN = entry(
    "pay-token", f"a one-time token pays once: the payer pays with a new one, {_ITS_ROW}"
)
PAY_SOURCE = entry(
    "pay-source", f"a source (a QR code, an app) pays once: the payer pays by a new one, {_ITS_ROW}"
)
PAY_AGAIN = entry(
    "pay-again",
    f"the payer has another card charged, or the same again: {_ITS_ROW}, changed or with"
    " batchpay_retry = yes",
)
AUTHORISE = entry(
    "authorise", "the payer authorises it at its authorize_uri, then the next run finds it"
)
SCAN = entry(
    "scan",
    "the payer pays it by its QR code or app (authorize_uri, if it has one), then the next run"
    " finds it",
)

# --- the accountant's: rows and files

PUT_BACK = entry(
    "put-back",
    "give {file} to a run again, where [input] file says or with --input, or never send it: "
    "batchpay resolve JOB --cancel --reason TEXT {order:word}; or the whole file: "
    "batchpay resolve JOB --cancel --reason TEXT {batch:word}",
)
NEW_ID = entry(
    "new-id",
    "if it is wanted after all, send it in another file, without the batchpay_ columns, under"
    " another order id",
)
OTHER_CONTENT = entry(
    "other-content",
    "if it is another sale, send it in a file of its own under another order id, without the"
    " batchpay_ columns; else leave it out",
)
WRITE_ID = entry(
    "write-id",
    'if it is that order, write {other}; if both are right, say alike_ids = "distinct" in [input]',
)
WRITE_DAMAGED_ID = entry(
    "write-damaged-id",
    "if it is that order, write {other} and clear the row's batchpay_ columns, if it has any; if"
    ' both are right, say alike_ids = "distinct" in [input]',
)
OWN_ID = entry(
    "own-id",
    "send it again under its own order id, in the rejects file that it came from, or, if there it"
    " had none, under one that was never used",
)
LEAVE_ONE = entry("leave-one", "leave only the right one")
ANOTHER_SALE = entry(
    "another-sale", "if this is another sale, send it without the batchpay_ columns"
)
NEAR = entry(
    "near",
    'say near_duplicates = "warn" in [controls] to send it, or never send it: '
    "batchpay resolve JOB --cancel --reason TEXT {order:word}",
)
NEW_SALE = entry(
    "new-sale",
    "see whether this is that sale; if it is another one, run again with --yes; if it is the same,"
    " put the file of batch {batch:word} beside this one, or: batchpay resolve JOB --cancel"
    " --reason TEXT {order:word}",
)
NEW_ORDERS = entry(
    "new-orders",
    "if these are new orders, run again with --yes; if not, take the file away, or do not give it"
    " again, and: batchpay resolve JOB --cancel --reason TEXT {batch:word}",
)
TOO_SMALL = entry(
    "too-small",
    "no setting sends it; ask for more in a new file, or never send it: "
    "batchpay resolve JOB --cancel --reason TEXT {order:word}",
)
SEND_SMALL = entry("send-small", 'min_share = "send" in [controls] sends it')

# --- whoever looks after recipients, the job and the machine
# -----------------------------------------------------

NO_RECIPIENT = entry("no-recipient", "correct the order, or the lookup file")
OTHER_RECIPIENT = entry("other-recipient", "give the order another recipient")
VERIFY = entry("verify", "a later run sends when it is")
ACTIVATE = entry("activate", "have it activated, then the next run sends")
OLD_NAME = entry(
    "old-name",
    'If this job was renamed, give it its old name again: name = "{job}"; if these are other orders'
    " than those of that job, give them other ids",
)
ADOPT = entry(
    "adopt",
    "if [state] url names another file than it did, name the old one; if the journal was lost, run"
    " once with --adopt to take these charges over",
)
_OWN_JOB = (
    "orders that were never charged there go in a job of their own, with another name, [state] url"
    " and [report] directory"
)
OTHER_KEY = entry("other-key", f"Give the other key; {_OWN_JOB}")
OTHER_MODE = entry("say-mode", f'Say mode = "{{mode}}"; {_OWN_JOB}')
OTHER_URL = entry("other-url", f"Give the job its old [gateway] url; {_OWN_JOB}")
KEY = entry("key", f"check {KEY_SOURCES} and run again: nothing that was sent is forgotten")
CLOCK = entry("clock", "set the clock (NTP) and run again: nothing more is sent")
GATEWAY_URL = entry(
    "gateway-url", "check [gateway] url in the job file, and what stands between: a proxy, a portal"
)
