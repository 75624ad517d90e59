"""NEXT STEPS: what a person does about a row, a stop or a night that did not end well.

    >>> str(ASK_EARLIER(order="A 1")).partition("then: ")[2]
    "batchpay resolve JOB --as not-charged --reason TEXT 'A 1'"

JOB stands for the job file and TEXT for a reason in a person's words, here and in the journal,
which outlives the place where a job lies. Whoever prints or writes one of these commands names the
job: `addressed` puts it there. Doing what a step says ends the state that it was
printed about: tests/test_next_steps.py does every one of them, and a step without a trial fails
there. What an exit code and each party come to stands in `exits`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from batchpay.messages.message import entry

YOUR_REASON = "'your reason'"
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


KEY_SOURCES = (
    "the secret key (OMISE_SECRET_KEY, or the file that OMISE_SECRET_KEY_FILE names)"
)

# --- a person's word: `batchpay resolve`

LIFT_STOP = entry(
    "lift-stop",
    "see to it, then: batchpay resolve JOB --lift-stop --reason TEXT",
    means="A stop holds everything: nothing is sent until a person has looked and lifts it.",
    example="a charge that does not prove what was asked",
)
IS_CANCEL = "batchpay resolve JOB --cancel"  # what all steps hold that cancel
RUN_FIRST = entry(
    "run-first",
    "no run has read {files} yet: batchpay resolve JOB --cancel works once one has, which sends"
    " nothing of what is held or refused; or leave the row out of the file",
    means="A word about an order is taken once a run has read its file into the journal.",
    example="batchpay plan on a file that is to come tonight",
)
ACCEPT = entry(
    "accept",
    "see the gateway's dashboard, then: batchpay resolve JOB --as charged:{charge} --reason TEXT"
    " {order:word}",
    means="A charge exists that is not as it was asked; a person may take it as it is.",
    example="a charge whose recipient is another than the row's",
)
ACCEPT_SHARE = entry(
    "accept-share",
    "hold the charge and its transfer against each other at the gateway, and ask it why; to leave"
    " it so: batchpay resolve JOB --as charged:{charge} --reason TEXT {order:word}",
    means="What goes to a recipient is not the charge less the commission.",
    example="a transfer of 900.00 for a share of 950.00",
)
PAID_OTHERWISE = entry(
    "paid-otherwise",
    "once it is paid otherwise: batchpay resolve JOB --as charged:{charge} --reason TEXT"
    " {order:word}",
    means="A recipient's share was deleted, or failed: a person says that it was paid otherwise.",
    example="a share that was paid from the shop's own bank account",
)
GIVE_BACK = entry(
    "give-back",
    "give {money} back at the gateway, which the next run sees; or, to leave it so: "
    "batchpay resolve JOB --as charged:{charge} --reason TEXT {order:word}",
    means="An order was charged twice: what is too much goes back, of whichever charge, or a person"
    " says that it stays.",
    example="an order that was charged at the gateway by hand too",
)
SETTLE_DOUBT = entry(
    "settle-doubt",
    "see the gateway's dashboard; if it has no charge for this order: batchpay resolve JOB --as"
    " not-charged --reason TEXT {order:word}; if it has one, with --as charged:chrg_…",
    means="Nobody can tell what became of a request; a person looks at the dashboard and says it.",
    example="an answer that was lost, and a list that nobody can read",
)
SETTLE_UNCLEAR = entry(
    "settle-unclear",
    "see the gateway's dashboard; if that is it: batchpay resolve JOB --as charged:{charge}"
    " --reason TEXT {order:word}; if it is none of this job's: batchpay resolve JOB --not-ours"
    " {charge} --reason TEXT, then run again",
    means="A charge may be an order's, and nothing proves it; a person says whose it is.",
    example="a charge of the same amount without our metadata",
)
NOT_OURS = entry(
    "not-ours",
    "see the gateway's dashboard; if it is none of this job's: batchpay resolve JOB --not-ours"
    " {charge} --reason TEXT, then run again; if it is an order's, say so with the order's id:"
    " batchpay resolve JOB --as charged:{charge} --reason TEXT …",
    means="A charge says that it is this job's, and no order of it is known.",
    example="a charge of a restored journal's gap",
)
OTHER_CHARGE = entry(
    "other-charge",
    "a word is taken back by another: if {order} was charged by another charge, batchpay resolve"
    " JOB --as charged:{charge} --reason TEXT {order:word}",
    means="A person said of a charge that it is an order's, and now that it is none of this job's.",
    example="a charge made by hand that was taken for one that came later",
)
NAMELESS = entry(
    "nameless",
    "see the gateway's dashboard; if it is this order's: batchpay resolve JOB --as charged:{charge}"
    " --reason TEXT {order:word}; if it is none of this job's: batchpay resolve JOB --not-ours"
    " {charge} --reason TEXT, then run again",
    means="A charge that names no order may be an order's in doubt.",
    example="a charge without metadata beside an answer that was lost",
)
NAMELESS_BEFORE = entry(
    "nameless-before",
    "see the gateway's dashboard; if it is this order's: batchpay resolve JOB --cancel --reason"
    " TEXT {order:word} keeps that from being charged again; if it is none of this job's: batchpay"
    " resolve JOB --not-ours {charge} --reason TEXT, then run again",
    means="A charge that names no order has the terms that an order had before.",
    example="a charge without metadata beside a corrected row",
)
SETTLE_ADOPTED = entry(
    "settle-adopted",
    "see which is right; to take the charge as it is: "
    "batchpay resolve JOB --as charged:{charge} --reason TEXT {order:word}, then lift the stop",
    means="A charge was taken over that is not as its row asks.",
    example="an adopted charge of another amount than the row's",
)
SETTLE_GONE = entry(
    "settle-gone",
    "see the gateway's dashboard, and ask the gateway; if it took the money: batchpay resolve JOB"
    " --as charged:{charge} --reason TEXT {order:word}; if it took none: batchpay resolve JOB --as"
    " not-charged --reason TEXT {order:word}",
    means="A charge was told, and the gateway knows no charge of its id any more.",
    example="a paid charge that is in no list, and that a look-up answers with 404",
)
SETTLE_EARLIER = entry(
    "settle-earlier",
    "see its dashboard; if it has none: batchpay resolve JOB --as not-charged --reason TEXT"
    " {order:word}, then the next run sends",
    means="An earlier attempt of the same order is not settled; until it is, nothing more is sent.",
    example="an attempt in doubt of an order that comes back",
)
SETTLE_ANOTHERS = entry(
    "settle-anothers",
    "see the gateway's dashboard; if it has none for this order: "
    "batchpay resolve JOB --as not-charged --reason TEXT {order:word}",
    means="Another order of the same sale is in doubt; until that is settled this one is not sent.",
    example="a corrected row, while what it corrects is in doubt",
)
ASK_EARLIER = entry(
    "ask-earlier",
    "the next run asks again; if it stays so, see the gateway's dashboard, then: "
    "batchpay resolve JOB --as not-charged --reason TEXT {order:word}",
    means="An earlier attempt of the same order is still asked about.",
    example="an order that comes back while its first charge is pending",
)
SAY_AGAIN = entry(
    "say-again",
    "what people told the journal that is not in it any more is gone too, but for what the reports"
    " tell: cancelled orders, lifted stops, orders settled by hand, charges that are none of this"
    " job's. Whoever said it says it again",
    means="The journal was lost or restored: what people had said is not in it any more.",
    example="a journal from a copy of last week",
)
MORE_REASONS = entry(
    "more-reasons",
    "{count} more, which batchpay status JOB --json lists",
    means="A stop has more reasons than a screen shows.",
    example="a gateway that forgot all its charges",
)
OLDER_COPY = entry(
    "older-copy",
    "the journal is an older copy than others know: {evidence}. What was sent since is not in it:"
    " the next run asks the gateway, and takes it over before it sends anything",
    means="A backup was put back, and no run has dealt with that yet.",
    example="a state folder from a copy of last week",
)
CATCH_UP = entry(
    "catch-up",
    "batchpay run JOB asks the gateway and takes it over; then say this again",
    means="A backup was put back, and a word or a report of it would be about what is over.",
    example="batchpay resolve JOB --cancel beside a state folder from a copy of last week",
)
SEE_CHARGE = entry(
    "see-charge",
    "look for it on the gateway's dashboard, and ask the gateway where it is not: its row stays as"
    " it was answered, and an audit lists it",
    means="The gateway answered with a charge once and does not show it any more.",
    example="a paid charge that is in no list of the gateway",
)
CHARGE_ID = entry(
    "charge-id",
    "copy its id from the gateway's dashboard (chrg_…) and say it again",
    means="A person named a charge that the gateway does not know.",
    example="an id with a letter too few",
)
CANCEL_ORDER = entry(
    "cancel-order",
    "batchpay resolve JOB --cancel --reason TEXT {order:word}",
    means="A held order waits to be sent: the whole of it is cancelled, by its id.",
    example="resolve JOB BATCH --cancel --row 7 of a row that is held",
)
ORDER_ID = entry(
    "order-id",
    "ids are told as they stand in the file: copy it from results.csv and say it again; a row whose"
    " id was rejected has none, and is told by its row there: "
    "batchpay resolve JOB --cancel --reason TEXT BATCH --row N",
    means="A person named an order that the journal does not know.",
    example="an id without its zeros in front",
)
ASK_AGAIN = entry(
    "ask-again",
    "to charge it after all, send its row in a new file, corrected or with batchpay_retry = yes",
    means="An order was cancelled, or settled as not charged, and its row comes again unchanged.",
    example="the same file once more, after a cancellation",
)

_ITS_ROW = "in its row of the rejects file, sent back as a new file"
CORRECT = entry(
    "correct-row",
    f"correct it {_ITS_ROW}, or, where nothing of it was wrong, write batchpay_retry = yes there",
    means="The gateway refused the request for a row, and charged nothing.",
    example="a card that the gateway does not know",
)

# --- the payer's

PAY_TOKEN = entry(
    "pay-token",
    f"a one-time token pays once: the payer pays with a new one, {_ITS_ROW}",
    means="A one-time token was spent by a charge that failed.",
    example="a declined charge of a tokn_…",
)
PAY_SOURCE = entry(
    "pay-source",
    f"a source (a QR code, an app) pays once: the payer pays by a new one, {_ITS_ROW}",
    means="A payment source was spent by a charge that failed or expired.",
    example="a QR code that nobody paid in time",
)
PAY_AGAIN = entry(
    "pay-again",
    f"the payer has another card charged, or the same again: {_ITS_ROW}, changed or with"
    " batchpay_retry = yes",
    means="A stored card was declined.",
    example="a declined charge of a customer's card",
)
AUTHORISE = entry(
    "authorise",
    "the payer authorises it at its authorize_uri, then the next run finds it",
    means="The payer's bank wants the payer's word (3-D Secure).",
    example="a pending charge with an authorize_uri",
)
SCAN = entry(
    "scan",
    "the payer pays it by its QR code or app (authorize_uri, if it has one), then the next run"
    " finds it",
    means="The payer has a QR code or an app to pay by, and has not done so yet.",
    example="a pending charge of a PromptPay source",
)

# --- the accountant's: rows and files

PUT_BACK = entry(
    "put-back",
    "give {file} to a run again, where [input] file says or with --input, or never send it: "
    "batchpay resolve JOB --cancel --reason TEXT {order:word}; or the whole file: "
    "batchpay resolve JOB --cancel --reason TEXT {batch:word}",
    means="An order is open whose file is not among those of this run.",
    example="a file that was moved away while an order of it was held",
)
NEW_ID = entry(
    "new-id",
    "if it is wanted after all, send it in another file, without the batchpay_ columns, under an"
    " order id that was never used",
    means="An order was ended for good under its id.",
    example="a row again whose order was given back",
)
OTHER_CONTENT = entry(
    "other-content",
    "if it is another sale, send it in a file of its own under another order id, without the"
    " batchpay_ columns; else leave it out: what was charged stays as it is, and if that was wrong,"
    " give it back at the gateway, or ask for what is missing under an id of its own",
    means="An order id that was charged comes with other content.",
    example="the same order id with another amount",
)
WRITE_ID = entry(
    "write-id",
    'if it is that order, write {other}; if both are right, say alike_ids = "distinct" in [input]',
    means="Two order ids are one but for what programs do to ids.",
    example="0001 in one row, 1 in another",
)
WRITE_ID_THERE = entry(
    "write-id-there",
    "if both are one order, write {order} there too and leave only the right row; if both are"
    ' right, say alike_ids = "distinct" in [input]',
    means="Two order ids of a file are one but for what programs do to ids, and this one is whole.",
    example="0001 in this row, 1 in another",
)
WRITE_DAMAGED_ID = entry(
    "write-damaged-id",
    "if it is that order, write {other} and clear the row's batchpay_ columns, if it has any; if"
    ' both are right, say alike_ids = "distinct" in [input]',
    means="The order id is what a program made of another one, of which a rejects file told.",
    example="00012 in the journal, 12 in a row",
)
OWN_ID = entry(
    "own-id",
    "send it again under its own order id, in the rejects file that it came from, or, if there it"
    " had none, under one that was never used",
    means="A row came back under an id that is another order's.",
    example="a row of a rejects file with the order id of its neighbour",
)
LEAVE_ONE = entry(
    "leave-one",
    "leave only the right one",
    means="Several rows contradict each other: the program does not choose.",
    example="one order id with two amounts",
)
LEAVE_ONE_FILE = entry(
    "leave-one-file",
    "leave only the right one, in the files themselves: delete the others where they stand, or take"
    " their files away (what is sent back beside them changes nothing)",
    means="Rows of several files contradict each other: the program does not choose.",
    example="one order id with two amounts, in two files of one night",
)
LEAVE_ID_FILE = entry(
    "leave-id-file",
    "if both are one order, leave only the right row, with the id {order}, in the files themselves:"
    " delete the other one where it stands, or take its file away (what is sent back beside them"
    ' changes nothing); if both are right, say alike_ids = "distinct" in [input]',
    means="Two order ids in two files are one but for what programs do to ids.",
    example="one export as CSV, with 0001, and as XLSX, with 1",
)
ANOTHER_SALE = entry(
    "another-sale",
    "if this is another sale, send it in another file, without the batchpay_ columns, under an"
    " order id that was never used",
    means="A row names, by its batchpay_ columns, a row that it does not correct.",
    example="a copied row of a rejects file, with another payer",
)
NEAR = entry(
    "near",
    'say near_duplicates = "warn" in [controls] to send it, or never send it: '
    "batchpay resolve JOB --cancel --reason TEXT {order:word}",
    means="An order asks for what another one asked shortly before; the job holds such.",
    example="the same payer, recipient and amount twice in a day",
)
HISTORY = entry(
    "history",
    'see whether the amount is meant so; if it is, say history = "warn" in [controls] to send it;'
    " if not, never send it, and correct it in a new file under another order id: batchpay resolve"
    " JOB --cancel --reason TEXT {order:word}",
    means="An order asks for much more, or less, than its recipient's orders; the job holds such.",
    example="an amount in satang where baht were meant",
)
LIMIT = entry(
    "limit",
    "a run of another day sends it if that leaves room for it; to send it today, raise the limit;"
    " or never send it: batchpay resolve JOB --cancel --reason TEXT {order:word}",
    means="An order would be more than the job allows for a day.",
    example="a limit for each recipient, and a large order behind many others",
)
NEW_TOKEN = entry(
    "new-token",
    "if this is that very sale, leave this row out; if it is another one, have the payer enter the"
    " card again, and send this row with the new token",
    means="A one-time token was used up by another order.",
    example="yesterday's tokens beside today's orders",
)
NEW_SALE = entry(
    "new-sale",
    "see whether this is that sale; if it is another one, run again with --yes; if it is the same,"
    " put the file of batch {batch:word} beside this one, or: batchpay resolve JOB --cancel"
    " --reason TEXT {order:word}",
    means="An order asks for what an order asked that was lost with the journal.",
    example="a restored journal, and the same sale under another id",
)
NEW_ORDERS = entry(
    "new-orders",
    "if these are new orders, run again with --yes; if not, take the file away, or do not give it"
    " again, and: batchpay resolve JOB --cancel --reason TEXT {batch:word}",
    means="A file asks, under ids that nobody knows, for what a recent file asked.",
    example="last night's orders with the ids numbered anew",
)
TOO_SMALL = entry(
    "too-small",
    "ask for more in the rejects file or in a new one, or never send it:"
    " batchpay resolve JOB --cancel --reason TEXT {order:word}",
    means="An order is below the least charge, or its share below the least transfer.",
    example="an order of 1.00 THB",
)
TOO_LARGE = entry(
    "too-large",
    "ask for it in parts in a new file, or never send it:"
    " batchpay resolve JOB --cancel --reason TEXT {order:word}",
    means="An order is above the gateway's largest charge.",
    example="an order of 6,000,000,000.00 THB",
)
SEND_SMALL = entry(
    "send-small",
    'min_share = "send" in [controls] sends it',
    means="What is left for the recipient is below the smallest transfer: nobody could be paid.",
    example="an order of 20.00 THB with a commission of 19.00 THB",
)

# --- whoever looks after recipients, the job and the machine
# -----------------------------------------------------

NO_RECIPIENT = entry(
    "no-recipient",
    "correct the recipient where its row takes it from",
    means="The gateway does not know the recipient.",
    example="a recp_… that was deleted",
)
OTHER_RECIPIENT = entry(
    "other-recipient",
    "give the order another recipient",
    means="The gateway will not pay this recipient.",
    example="a recipient that was deleted",
)
VERIFY = entry(
    "verify",
    "a later run sends when it is",
    means="The recipient is not verified yet.",
    example="a new seller",
)
ACTIVATE = entry(
    "activate",
    "have it activated, then the next run sends",
    means="The recipient is not active.",
    example="a seller whose account was closed at the gateway",
)
ASKED_AGAIN = entry(
    "asked-again",
    "the next run asks again; if it stays so, ask the gateway's support about it",
    means="The gateway did not tell of a recipient.",
    example="a gateway that answers 500 for one recipient",
)
OLD_NAME = entry(
    "old-name",
    'If this job was renamed, give it its old name again: name = "{job}"; if these are other orders'
    " than those of that job, give them other ids",
    means="Charges of the same orders exist under another job's name.",
    example="a job whose name was changed",
)
CHARGED_ELSEWHERE = entry(
    "charged-elsewhere",
    'If this job was renamed, give it its old name again: name = "{job}"; if that charge is what'
    " this order asks for, then batchpay resolve JOB --cancel --reason TEXT {order:word} keeps it"
    " from being sent; only if it is another order than that job's, give it another id",
    means="Another job charged what this order asks for.",
    example="a corrected row that was laid into another job's folder",
)
SETTLE_FIRST = entry(
    "settle-first",
    "batchpay settle JOB asks the gateway about it, and charges nothing",
    means="An order is in doubt in the journal, and an audit finds its charge at the gateway.",
    example="an audit while the answer of a request is still unknown",
)
LOOK_SINCE = entry(
    "look-since",
    "batchpay run JOB --since {day} reads the gateway's list of then once more",
    means="A charge is, or became, other than the journal was told, on a day that runs look at no"
    " more.",
    example="an audit that finds a charge of an order that was refused",
)
AUDIT_AGAIN = entry(
    "audit-again",
    "batchpay audit JOB --from {first} --to {last} once more shows in ledger.csv what those days"
    " have by now, and closes with it",
    means="The account's ledger has other entries of days that were audited than it had then.",
    example="an entry that the gateway booked later into a day before",
)
ADOPT = entry(
    "adopt",
    "if [state] url names another file than it did, name the old one; if the journal was lost, run"
    " once with --adopt to take these charges over",
    means="The gateway has charges of this job that the journal does not know.",
    example="a lost journal, or another [state] url",
)
_OWN_JOB = (
    "orders that were never charged there go in a job of their own, with another name, [state] url"
    " and [report] directory"
)
OTHER_KEY = entry(
    "other-key",
    f"Give the other key; {_OWN_JOB}",
    means="The journal was written with the key of another account.",
    example="the key of another shop in OMISE_SECRET_KEY",
)
SAY_ACCOUNT = entry(
    "say-account",
    "if its charges are in account {account} all the same, say so: batchpay resolve JOB --account"
    " {account} --reason TEXT",
    means="The journal is said to be of another account than its charges are in.",
    example="a first night by which nobody told the account, and a second one with a wrong key",
)
OTHER_MODE = entry(
    "say-mode",
    f'Say mode = "{{mode}}"; {_OWN_JOB}',
    means="The journal was written in the gateway's other mode.",
    example="a test journal and a live key",
)
OTHER_URL = entry(
    "other-url",
    f"Give the job its old [gateway] url; {_OWN_JOB}",
    means="The journal was written at another gateway.",
    example="a job that was moved from the sandbox",
)
KEY = entry(
    "key",
    f"check {KEY_SOURCES} and run again: nothing that was sent is forgotten",
    means="The gateway refuses the key.",
    example="a key that was made void",
)
CLOCK = entry(
    "clock",
    "set the clock (NTP) and run again: nothing more is sent",
    means="This machine's clock is not the gateway's.",
    example="a clock that is an hour behind",
)
ASK_GATEWAY = entry(
    "ask-gateway",
    "nothing is sent beside it, for it may be any order's: ask the gateway to mend that entry, then"
    " run again",
    means="The gateway's list has an entry that is no charge, as far as it can be read.",
    example="an entry of GET /charges without an id",
)
ODD_ENTRY = entry(
    "odd-entry",
    "nothing is sent beside it, for it may be any order's: see the gateway's dashboard; if it is"
    " none of this job's: batchpay resolve JOB --not-ours {charge:word} --reason TEXT, then run"
    " again; else ask the gateway to mend that entry",
    means="The gateway's list has an entry with an id that is no charge, as far as it can be read.",
    example="an entry of GET /charges whose object is not charge",
)
GATEWAY_URL = entry(
    "gateway-url",
    "check [gateway] url in the job file, and what stands between: a proxy, a portal",
    means="What answers is not the gateway.",
    example="a portal of the network, or a wrong [gateway] url",
)
