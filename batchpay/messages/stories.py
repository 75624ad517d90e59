"""STORIES: what happened to one order, event by event, and by whom."""

from __future__ import annotations

from batchpay.messages.message import Entry, entry


def _told(code: str, text: str, means: str, example: str) -> Entry:
    """What happened needs no remedy of its own: where the order stands tells what to do."""
    return entry(
        f"story.{code}",
        text,
        means=means,
        example=example,
        remedy="Nothing: the reason of the row says what is to be done.",
    )


# --- requests

INTENDED = _told(
    "intended",
    "request {send:d} of attempt {attempt:d} written down, to be sent",
    "Before a byte leaves, the request stands in the journal.",
    "request 1 of attempt 1",
)
INTENDED_FOR = _told(
    "intended.row",
    "request {send:d} of attempt {attempt:d} written down, to be sent for row {row:d} of batch"
    " {batch}",
    "The same, with the row that asks for it.",
    "request 1 of attempt 1, for row 2",
)
KEY = _told("key", "key {key}", "The key that makes a request one.", "key 4f0c…")
SAME_AGAIN = _told(
    "again",
    "the same request again",
    "A request that may not have arrived is sent again, with the same key.",
    "request 2 of attempt 1",
)
VOIDED = _told(
    "voided",
    "request {send:d} was not sent after all: no byte left this machine",
    "What was written down was taken back before it left.",
    "a signal came just then",
)
ANSWERED = _told(
    "answered",
    "request {send:d} came to status {status:d}",
    "The gateway answered with this HTTP status.",
    "request 1 came to status 200",
)
UNANSWERED = _told(
    "answered.not",
    "request {send:d} came to no complete answer",
    "Nobody knows from the answer what became of it.",
    "the connection broke",
)
PROVES = _told(
    "proves",
    "which proves: {verdict}",
    "What an answer proves, in a word of a later version.",
    "which proves: charge",
)
_PROVES = "What an answer proves about its request."
PROVES_CHARGE = _told(
    "proves.charge",
    "which proves a charge as it was asked for",
    _PROVES,
    "a paid charge",
)
PROVES_UNPROVEN = _told(
    "proves.unproven",
    "which shows a charge that is not proven to be what was asked for: a person looks",
    _PROVES,
    "a charge for another recipient",
)
PROVES_REFUSED = _told(
    "proves.refused",
    "which proves that nothing was charged: the gateway refused it",
    _PROVES,
    "a card that the gateway does not know",
)
PROVES_THROTTLED = _told(
    "proves.throttled",
    "which says that nothing was charged: there were too many requests",
    _PROVES,
    "status 429",
)
PROVES_NOT_SENT = _told(
    "proves.not-sent",
    "which proves that nothing was charged: no byte left this machine",
    _PROVES,
    "a connection that was refused",
)
PROVES_NOT_HERE = _told(
    "proves.not-here",
    "which proves that nothing was charged: no charges are made at that address",
    _PROVES,
    "status 404 of a wrong [gateway] url",
)
PROVES_KEY_REFUSED = _told(
    "proves.key-refused",
    "which proves that nothing was charged: the secret key is refused",
    _PROVES,
    "status 401",
)
PROVES_KEY_REUSED = _told(
    "proves.key-reused",
    "which says that another request had its Idempotency-Key: a person looks",
    _PROVES,
    "status 409 for a key that was used with another amount",
)
PROVES_IN_DOUBT = _told(
    "proves.in-doubt",
    "which proves nothing: the order is in doubt until it is looked up",
    _PROVES,
    "status 502",
)
CHARGE_IS = _told(
    "charge",
    "{charge} is {status}, {money}",
    "The charge as the gateway showed it.",
    "chrg_1 is successful, 100.00 THB",
)
CHARGE_FAILED = _told(
    "charge.failed",
    "{charge} is {status} ({failure}), {money}",
    "The same, with the code that says why it failed.",
    "chrg_1 is failed (insufficient_fund), 100.00 THB",
)
BOTH_UNITS = _told(
    "money",
    "{money} ({minor:d} in the smallest unit)",
    "An amount, with the number that programs and the gateway know it by.",
    "101.25 THB (10125 in the smallest unit)",
)
A_CHARGE = _told(
    "charge.unnamed", "a charge", "A charge without an id.", "a damaged answer"
)

# --- look-ups

FOUND_BY_ID = _told(
    "found.id",
    "looked up, asked for by its id",
    "The gateway was asked for one charge.",
    "a charge that was pending the night before",
)
FOUND_IN_LIST = _told(
    "found.list",
    "looked up, found in a list",
    "The gateway's list of charges has it.",
    "an answer that was lost",
)
ABSENT_CLOSES = _told(
    "absent.closes",
    "looked up: a complete list after the doubt period does not show it; this proves that nothing"
    " was charged",
    "A whole list, late enough, without a charge of the order.",
    "a request that never arrived",
)
ABSENT = _told(
    "absent",
    "looked up: a complete list after the doubt period does not show it; one look-up alone proves"
    " nothing",
    "The same, where a second look is wanted.",
    "a request that never arrived",
)
UNCLEAR = _told(
    "unclear",
    "looked up: {charge} may be its charge, and carries no key",
    "A charge of the list asks for the same and names no order.",
    "a charge that somebody made by hand",
)
UNTOLD = _told(
    "untold",
    "asked again before the next attempt: the gateway did not show {charge}",
    "Every charge of earlier attempts is read again before the next one.",
    "a list that lacks a charge",
)
UNTOLD_ACCOUNT = _told(
    "untold.account",
    "account {account} shows nothing of the time before it was told: it proves nothing about this"
    " order",
    "The key was exchanged meanwhile.",
    "another account's key",
)
DISBELIEVED = _told(
    "disbelieved",
    "the gateway charged behind a 429 elsewhere: this one proves nothing any more",
    "A 429 is no proof that nothing was charged where it lied once.",
    "a 429 and a charge for another order",
)
MISSING = _told(
    "missing",
    "the gateway answered that it knows no charge {charge}",
    "Asked for a charge by its id, the gateway said 404.",
    "a charge that was there before",
)
MISSING_UNNAMED = _told(
    "missing.unnamed",
    "the gateway answered that it knows no charge of this id",
    "The same, of a charge whose id is not kept.",
    "a journal of an earlier version",
)

# --- what people and runs decided

RESOLVED = _told(
    "resolved",
    "a person settled it as {said}: {reason}",
    "Somebody said what became of the order.",
    "batchpay resolve JOB --as not-charged",
)
CANCELLED = _told(
    "cancelled",
    "a person cancelled it, it is never sent: {reason}",
    "Somebody said that the order is never to be sent.",
    "batchpay resolve JOB --cancel",
)
ADOPTED = _told(
    "adopted",
    "the gateway had a charge that this journal did not know: adopted",
    "A charge of this job that the journal did not make was taken over.",
    "a journal that was restored",
)
ADOPTED_BY_WORD = _told(
    "adopted.word",
    "a charge that names nobody is this order's, as a person said, {by}: {reason}",
    "Somebody said whose a charge is.",
    "batchpay resolve JOB --as charged:chrg_1",
)
WITHDRAWN = _told(
    "withdrawn",
    "never charged, and gives way to the next attempt",
    "It is proven that the attempt took no money.",
    "a row that came back corrected",
)
ELSEWHERE = _told(
    "elsewhere",
    "job {job} has a charge of this order id: {charge}",
    "Another job, of the same account, charged an order of this id.",
    "a job that was renamed",
)
STOPPED = _told(
    "stop",
    "STOP, nothing is sent until a person lifts it: {reason}",
    "The order caused a stop.",
    "two charges for one order",
)
LIFTED = _told(
    "lifted",
    "a person lifted the stop: {reason}",
    "Somebody looked, and ended the stop.",
    "batchpay resolve JOB --lift-stop",
)
NOTED = _told(
    "noted",
    "a person took note of the audit's difference {difference}: {reason}",
    "Somebody's word on a difference.",
    "batchpay audit JOB --note",
)

# --- after the charge

BOOKS = _told(
    "books",
    "the gateway's books have {told}",
    "The gateway's own ledger has money that went back.",
    "a refund of 40.00 THB",
)
REFUNDED = _told(
    "refunded",
    "the gateway's books have a refund of {back} so far, of charge {charge} over {charged}",
    "The gateway's own ledger has money that went back.",
    "the gateway's books have a refund of 40.00 THB so far, of charge chrg_1 over 100.00 THB",
)
DISPUTED = _told(
    "disputed",
    "its payer's bank disputes {charge}, {money}: {status}",
    "The payer's bank asks for the money back.",
    "a payer who does not know the charge",
)
TRANSFER_IS = _told(
    "transfer",
    "transfer {transfer} is {stands}",
    "Where the recipient's share is.",
    "transfer trsf_1 is sent",
)
TRANSFER_OF = _told(
    "transfer.of",
    "transfer {transfer} is {stands}, {money}",
    "The same, with its amount.",
    "transfer trsf_1 is sent, 89.50 THB",
)
BANK_GETS = _told(
    "transfer.net",
    "the bank gets {net}, after a fee of {fee}",
    "What arrives at the recipient's bank.",
    "the bank gets 59.50 THB, after a fee of 30.00 THB",
)
TRANSFER_SENT = _told(
    "transfer.sent", "sent {at}", "When the gateway sent it.", "sent 2026-11-25"
)
TRANSFER_PAID = _told(
    "transfer.paid", "paid {at}", "When it arrived.", "paid 2026-11-26"
)
