"""OUTCOMES: where an attempt stands, and whose word that rests on.

>>> str(DECLINED(failure="insufficient_fund", said="not enough money"))
'insufficient_fund: not enough money'
"""

from __future__ import annotations

from batchpay.messages.message import entry

# --- it took money

FOUND_ADOPTED = entry(
    "succeeded.adopted",
    "found at the gateway: the journal had lost it",
    means="The gateway's list has a charge of this job that the journal did not know.",
    example="the journal was restored from last week's copy",
    remedy="Nothing: it counts as charged.",
)
FOUND_BY_LOOKUP = entry(
    "succeeded.looked-up",
    "its answer was lost; a look-up found the charge",
    means="The request was sent once; nobody answered, and the gateway has its charge.",
    example="the network failed after the request left",
    remedy="Nothing: it was charged once.",
)
FOUND_AFTER_RESEND = entry(
    "succeeded.sent-again",
    "an answer was lost and look-ups found no charge; the same request was sent again, {sends} in"
    " all",
    means="Nobody answered, the gateway proved to have no charge, and the same key went again.",
    example="the network failed before the request arrived",
    remedy="Nothing: it was charged once.",
)
FOUND_UNDER_OTHER_ID = entry(
    "succeeded.other-id",
    "the gateway has no charge {other}, as it was told; {charge} carries its key",
    means="An answer named an id of which the gateway, asked for it, knows no charge.",
    example="a proxy that exchanged an id",
    remedy="Nothing: it counts as charged once.",
)
SUCCEEDED_GONE = entry(
    "succeeded.gone",
    "charged, and the gateway knows no {charge} any more",
    means="The charge had succeeded; asked for its id, the gateway answers that there is none.",
    example="a look-up is answered with 404",
    remedy="See the dashboard and ask the gateway, then say with batchpay resolve what is so.",
)
SUCCEEDED_ODD = entry(
    "succeeded.odd",
    "charged, and the gateway now says of {charge}: {odd}",
    means="The gateway says of a paid charge what no paid charge is.",
    example="a paid charge whose status is pending",
    remedy="See the dashboard and ask the gateway, then say with batchpay resolve what is so.",
)
UNPROVEN = entry(
    "unproven",
    "charged, but not proven to be what was asked: {why}",
    means="Money moved, and the answer does not prove amount, currency, recipient, mode or split.",
    example="a charge of another amount than was asked",
    remedy="See the dashboard; take it as it is with batchpay resolve, then lift the stop.",
)
UNPROVEN_ANSWER = entry(
    "unproven.no-money",
    "answered with a charge, but not proven to be what was asked: {why}",
    means="The answer has a charge that took no money of this order, as far as it tells.",
    example="a charge that belongs to another order",
    remedy="See the dashboard, and say what it is with batchpay resolve.",
)
TWICE = entry(
    "charged-twice",
    "the gateway made more than one charge for it: {charges}",
    means="One key, and several charges at the gateway.",
    example="the gateway did not honour the Idempotency-Key",
    remedy="Give what is too much back at the gateway, which the next run sees.",
)
CHARGE_STATUS = entry(
    "charge-status",
    "{charge} is {status}",
    means="A charge, and what the gateway says of it.",
    example="chrg_test_2 is successful",
    remedy="Look at the charge at the gateway.",
)
CHARGE_GIVEN_BACK = entry(
    "charge-status.given-back",
    "{charge} is {status}, given back",
    means="The same, of a charge that was refunded or reversed.",
    example="chrg_test_2 is successful, given back",
    remedy="Nothing.",
)
PAID_APART = entry(
    "paid-apart",
    "{count} attempts of this order took money: {charges}",
    means="Two attempts of one order were charged.",
    example="a list that did not show a charge, which came alive later",
    remedy="Give one back at the gateway, which the next run sees.",
)
OF_ATTEMPT = entry(
    "of-attempt",
    "{charge} of attempt {attempt}",
    means="A charge, and which attempt of its order made it.",
    example="chrg_test_2 of attempt 2",
    remedy="Look at the charge at the gateway.",
)
OF_ATTEMPT_GIVEN_BACK = entry(
    "of-attempt.given-back",
    "{charge} of attempt {attempt}, given back",
    means="The same, of a charge that was refunded or reversed.",
    example="chrg_test_2 of attempt 2, given back",
    remedy="Nothing.",
)

# --- it waits

PENDING_CHAIN = entry(
    "pending.chain",
    "paid, but its chain is not there yet: the next run asks again",
    means="The charge is paid, and the gateway does not show yet how it is split.",
    example="the chain is made a moment after the charge",
    remedy="Run again.",
)
PENDING_GONE = entry(
    "pending.gone",
    "the gateway no longer knows {charge}: {step}",
    means="A charge that was pending is not at the gateway any more.",
    example="a look-up is answered with 404",
    remedy="See the dashboard, and say so: batchpay resolve JOB --as not-charged.",
)
PENDING = entry(
    "pending",
    "the gateway has it and will decide",
    means="The charge is at the gateway and has not ended.",
    example="a bank that takes its time",
    remedy="Run again later.",
)
PENDING_AS = entry(
    "pending.status",
    "the gateway has it and will decide ({status})",
    means="The same, with the state that the gateway tells.",
    example="a QR code that nobody scanned yet",
    remedy="Run again later.",
)

# --- it ended without money

DECLINED = entry(
    "declined",
    "{failure}: {said}",
    means="The gateway tried to charge, and the payer's bank said no.",
    example="insufficient_fund: insufficient funds in the account",
    remedy="The payer pays otherwise, in the row of the rejects file.",
)
DECLINED_UNTOLD = entry(
    "declined.untold",
    "{failure}: the charge failed",
    means="The same; the gateway tells no words about it.",
    example="failed_processing: the charge failed",
    remedy="The payer pays otherwise, in the row of the rejects file.",
)
EXPIRED = entry(
    "expired",
    "the charge expired without money",
    means="The payer did not pay in time.",
    example="a QR code that nobody scanned for a day",
    remedy="The payer pays otherwise, in the row of the rejects file.",
)
REVERSED = entry(
    "reversed",
    "the charge reversed without money",
    means="The charge was taken back before any money moved.",
    example="an authorisation that was reversed",
    remedy="The payer pays otherwise, in the row of the rejects file.",
)
REFUSED = entry(
    "refused",
    "{error}: {said}",
    means="The gateway refused the request: no charge was made.",
    example="invalid_card: number is invalid",
    remedy="Correct the row, and send the rejects file back.",
)
REFUSED_UNTOLD = entry(
    "refused.untold",
    "{error}: the gateway refused the request",
    means="The same; the gateway tells no words about it.",
    example="bad_request: the gateway refused the request",
    remedy="Correct the row, and send the rejects file back.",
)
REFUSED_UNKNOWN = entry(
    "refused.unknown",
    "the gateway refused the request",
    means="The same; the gateway tells neither a code nor words about it.",
    example="a 400 with an empty body",
    remedy="Correct the row, and send the rejects file back.",
)
REFUSED_BY_HAND = entry(
    "refused.by-hand",
    "{error}",
    means="A person said, after a look-up, that it was not charged.",
    example="batchpay resolve JOB --as not-charged --reason 'see the dashboard' 0001",
    remedy="To charge it after all, send its row in a new file.",
)
REFUSED_UNCLEAR = entry(
    "refused.unclear",
    "yet {charge} in its list, which names no order, asks for the same: it may be its charge:"
    " {step}",
    means="The request was refused, and the gateway has a charge of the same terms.",
    example="a 400, and a charge without metadata",
    remedy="See the dashboard, and say whose it is: batchpay resolve, as the sentence tells.",
)

# --- nobody knows, or nothing was sent

IN_DOUBT = entry(
    "in-doubt",
    "sent, no proof of what became of it ({said})",
    means="The request may have arrived, and no answer proves what became of it.",
    example="the connection broke after the request was sent",
    remedy="The next run asks the gateway.",
)
IN_DOUBT_NEXT = entry(
    "in-doubt-next",
    "the next run, or batchpay settle JOB, which charges nothing, asks the gateway: a charge that"
    " it tells is the end of this order; where no complete list has one after the doubt period"
    " ([gateway] doubt_period, {seconds} s), a run sends the same request again, under the same"
    " key. By hand, where no run finds out: {step}",
    means="What becomes of an order in doubt, beside why it is.",
    example="an answer that was lost, in the report and in batchpay status JOB ORDER_ID",
    remedy="Run batchpay settle, or the next run.",
)
IN_DOUBT_UNTOLD = entry(
    "in-doubt.untold",
    "sent, no proof of what became of it (no answer was recorded)",
    means="The same; the process ended before anything came back.",
    example="the machine lost power",
    remedy="The next run asks the gateway.",
)
IN_DOUBT_SPENT = entry(
    "in-doubt.spent",
    "sent without an answer, then {error}: the first request may have used the token",
    means="A one-time token was refused as used, and nobody answered the first request.",
    example="a lost answer, then used_token",
    remedy="See the dashboard, and say what became of it with batchpay resolve.",
)
IN_DOUBT_UNCLEAR = entry(
    "in-doubt.unclear",
    "sent, no proof of what became of it; {charge} may be its charge, and says no order: {step}",
    means="A charge without metadata has its terms.",
    example="the gateway's list shows a charge that names nobody",
    remedy="See the dashboard, and say whose it is: batchpay resolve, as the sentence tells.",
)
IN_DOUBT_ACCOUNT = entry(
    "in-doubt.account",
    "sent when nobody told whose account the key was of; it is of account {account} now, which"
    " shows nothing of that time: that may be another one",
    means="The account of the key was told later, and proves nothing about this order.",
    example="the key was changed before the gateway first told its account",
    remedy="See the dashboard, and say what became of it with batchpay resolve.",
)
HELD = entry(
    "held.not-charged",
    "nothing was charged yet ({said})",
    means="It was planned or sent, and the gateway said that it did not take it.",
    example="429 too many requests",
    remedy="Run again.",
)
HELD_NOT_SENT = entry(
    "held.not-charged.not-sent",
    "nothing was charged yet (it was not sent)",
    means="The attempt was planned, and the run ended before it went.",
    example="Ctrl-C between the plan and the request",
    remedy="Run again.",
)
HELD_NOT_ARRIVED = entry(
    "held.not-charged.not-arrived",
    "nothing was charged yet (what was sent did not arrive: the gateway has no charge of it)",
    means="Look-ups proved that the gateway has no charge of what was sent.",
    example="the network failed before the request arrived",
    remedy="Run again.",
)

# --- whose word

SETTLED_BY = entry(
    "settled-by",
    "settled by {word}",
    means="A person said what became of it, when and why.",
    example="batchpay resolve JOB --as not-charged --reason TEXT 0001",
    remedy="Nothing.",
)
ACCEPTED_BY = entry(
    "accepted-by",
    "accepted by {word}",
    means="A person took note of a charge that proves nothing, or of a second one.",
    example="batchpay resolve JOB --as charged:chrg_test_1 --reason TEXT 0001",
    remedy="Nothing.",
)
LEFT_BY = entry(
    "left-by",
    "left so by {word}",
    means="A person said that two charges of one order stay as they are.",
    example="batchpay resolve JOB --as charged:chrg_test_1 --reason TEXT 0001",
    remedy="Nothing.",
)

# --- what became of the recipient's share, and of the charge since

TRANSFER_FAILED = entry(
    "transfer.failed",
    "transfer {transfer} to {recipient} failed: {code}; mend the recipient's bank account in the"
    " gateway's dashboard, and have it send the share again there",
    means="The payer was charged; the recipient's bank did not take its share.",
    example="the recipient's bank account was closed",
    remedy="Mend the recipient's bank account at the gateway, and have it send the share again.",
)
TRANSFER_DELETED = entry(
    "transfer.deleted",
    "transfer {transfer} to {recipient} was deleted at the gateway before it was sent: ask who did"
    " it, and pay the recipient otherwise",
    means="The payer was charged, and somebody took the recipient's share back.",
    example="a transfer deleted in the dashboard",
    remedy="Ask who deleted it, and why; pay the recipient otherwise.",
)
TRANSFER_DIFFERS = entry(
    "transfer.differs",
    "transfer {transfer} is not the recipient's share: {why}",
    means="What is on its way to the recipient is not the charge less the commission.",
    example="a transfer of 900.00 for a share of 950.00",
    remedy="Hold the charge and its transfer against each other at the gateway, and ask it why.",
)
REFUNDED = entry(
    "later.refunded",
    "{amount} of it was given back since",
    means="Somebody refunded the charge at the gateway, in part or whole.",
    example="a payer who sent the goods back",
    remedy="Nothing here: the outcome stays, and audit lists the refund.",
)
SHARE_TOO_MUCH = entry(
    "later.share-too-much",
    "{left} of the charge is left, and transfer {transfer} of {share} to {recipient} is {stands}"
    " all the same: settle with the recipient what it gets too much",
    means="More was given back of a charge than its recipient left of it: the share went out, or"
    " goes.",
    example="a sale that was refunded in full after its seller was paid",
    remedy="Settle it with the recipient; ask the gateway whether a transfer that is not paid can"
    " be stopped.",
)
_OVER = "Nothing: the column settled_by names the row that was charged."
SETTLED = entry(
    "settled",
    "its order was charged since from another row: nothing is left to do",
    means="A row that was not charged, and whose sale was, by its correction or another file.",
    example="a rejected row whose corrected row was charged the next night",
    remedy=_OVER,
)
WAS_CONFLICT = entry(
    "settled.conflict",
    "it asked for its order otherwise than another row",
    means="Why a row was a conflict that is settled by now.",
    example="two rows of one order id, of which one was corrected and charged",
    remedy=_OVER,
)
WAS_REJECTED = entry(
    "settled.rejected",
    "it was not sent ({rule})",
    means="Which rule kept a row from being sent that is settled by now.",
    example="a row that lost a cell of ours on its way back, and came back again",
    remedy=_OVER,
)
WAS_FOUND = entry(
    "settled.found",
    "{column}: found '{value}' ({rule})",
    means="What was wrong with a cell of a row that was settled since.",
    example='amount = "1.234,50", in a file whose corrected row was charged',
    remedy=_OVER,
)
WAS_EMPTY = entry(
    "settled.empty",
    "{column}: is empty ({rule})",
    means="Which cell was empty in a row that was settled since.",
    example='recipient = "", in a file whose corrected row was charged',
    remedy=_OVER,
)
COSTS_CONTRADICTED = entry(
    "charge.costs-contradicted",
    "what the gateway tells of the costs of the charge cannot be true, or cannot be read, and is in"
    " no sum: {told}; batchpay audit holds it against the account's ledger",
    means="Fee, VAT or net is below zero, or untold, or they are more than was charged.",
    example="a fee of 10,000,000.00 THB of a charge of 113.01 THB",
    remedy="Run batchpay audit over the day of the charge; ask the gateway which is right.",
)
REFUND_CONTRADICTED = entry(
    "later.refund-contradicted",
    "the gateway tells of refunds that cannot be true beside its charge, and that are in no sum:"
    " {told}; see the gateway's dashboard; batchpay audit lists it, and its --note ends that",
    means="More was given back than was charged, or in another currency, as the gateway tells.",
    example="a refund of 10,000,000.00 THB of a charge of 113.01 THB",
    remedy="Ask the gateway which is right; take note of the difference with audit --note.",
)
DISPUTED = entry(
    "later.disputed",
    "its payer's bank disputes it ({status}): answer in the gateway's dashboard before the date"
    " that it names",
    means="The payer told the bank that the charge is wrong; the gateway waits for an answer.",
    example="a payer who does not know the charge",
    remedy="Answer in the gateway's dashboard, before the date that it names.",
)
