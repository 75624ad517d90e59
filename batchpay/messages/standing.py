"""STANDING: why a row is not sent: whose duplicate it is, what it contradicts, what holds it back.

    >>> other = ORDER_AT(order="1", place=BATCH_AT(batch="b", row=7), outcome="succeeded")
    >>> str(DUPLICATE(other=other))
    'duplicate of order 1 of batch b row 7, succeeded'

The part of a code before the first dot is what kind of standing it is.
"""

from __future__ import annotations

from batchpay.messages.message import entry

# --- the attempt that a row is told to be beside

ORDER_AT = entry(
    "order-at",
    "order {order} of {place}, {outcome}",
    means="Another attempt that a sentence is about: its order, its row, and where it stands.",
    example="order 0001 of batch 2026-11-24-0123456789ab row 7, in_doubt",
    remedy="Look at that row in the reports of its batch, or: batchpay status JOB ORDER_ID",
)
ORDER_CHARGED_AT = entry(
    "order-at.charge",
    "order {order} of {place}, {outcome}, {charge}",
    means="The same, with the charge that the gateway has of it.",
    example="order 0001 of batch 2026-11-24-0123456789ab row 7, succeeded, chrg_test_1",
    remedy="Look at that row in the reports of its batch, or at the charge at the gateway.",
)
_PLACE = "Where a row is, or was: the batch of its file, its sheet and its row number."
_LOOK = "The folder of that name has the batch's reports."
BATCH = entry(
    "at-batch",
    "batch {batch}",
    means="The batch of a charge that tells no row: an earlier version made it.",
    example="batch 2026-11-24-0123456789ab",
    remedy=_LOOK,
)
BATCH_SHEET = entry(
    "at-batch.sheet",
    "batch {batch} sheet {sheet}",
    means="The same, of a file with sheets.",
    example="batch 2026-11-24-0123456789ab sheet Orders",
    remedy=_LOOK,
)
BATCH_AT = entry(
    "at-batch.row",
    "batch {batch} row {row:d}",
    means=_PLACE,
    example="batch 2026-11-24-0123456789ab row 7",
    remedy=_LOOK,
)
BATCH_SHEET_AT = entry(
    "at-batch.sheet-row",
    "batch {batch} sheet {sheet} row {row:d}",
    means=_PLACE,
    example="batch 2026-11-24-0123456789ab sheet Orders row 7",
    remedy=_LOOK,
)

# --- duplicates

_ONCE = "Nothing: the order that is named is the one that counts."
_GOES_FIRST = (
    "Nothing: the other row is sent, and this one then shows what became of it."
)
DUPLICATE = entry(
    "duplicate",
    "duplicate of {other}",
    means="Another row asks for the same order with the same content, and owns it.",
    example="the same file came again the next night",
    remedy=_ONCE,
)
DUPLICATE_EARLIER_ASKED = entry(
    "duplicate.asked-before",
    "asked for under an earlier id, duplicate of {other}",
    means="The row asked for the same under another id, and that ended without money.",
    example="order_id was made of another column when it was declined",
    remedy="To charge it after all, send it in a new file with batchpay_retry = yes.",
)
DUPLICATE_CORRECTS = entry(
    "duplicate.corrects",
    "it corrects a row that was charged, duplicate of {other}",
    means="The row came back for one that was charged in the meantime, and asks for the same.",
    example="a rejects file is sent after the first file was sent again",
    remedy=_ONCE,
)
DUPLICATE_CORRECTS_FIRST = entry(
    "duplicate.corrects-first",
    "it corrects a row that goes first, duplicate of {other}",
    means="The row came back for one that is to be sent in this run, and asks for the same.",
    example="the first file and its rejects file are inputs of one run",
    remedy=_GOES_FIRST,
)
DUPLICATE_CORRECTED = entry(
    "duplicate.corrected",
    "its corrected row was charged, duplicate of {other}",
    means="The row came back in a rejects file, and was charged from there.",
    example="the first file comes again after its corrections were sent",
    remedy=_ONCE,
)
DUPLICATE_CORRECTED_FIRST = entry(
    "duplicate.corrected-first",
    "its corrected row goes first, duplicate of {other}",
    means="The row came back in a rejects file, which is an input of this run.",
    example="the first file and its rejects file are inputs of one run",
    remedy=_GOES_FIRST,
)
DUPLICATE_ORDER_CORRECTED = entry(
    "duplicate.order-corrected",
    "the corrected row of its order was charged, duplicate of {other}",
    means="Another row with this order id came back in a rejects file, and was charged from there.",
    example="a cumulative export after its corrections were sent",
    remedy=_ONCE,
)
DUPLICATE_ORDER_CORRECTED_FIRST = entry(
    "duplicate.order-corrected-first",
    "the corrected row of its order goes first, duplicate of {other}",
    means="Another row with this order id came back in a rejects file, an input of this run.",
    example="a cumulative export beside the rejects file of an earlier one",
    remedy=_GOES_FIRST,
)
DUPLICATE_EARLIER_ID = entry(
    "duplicate.earlier-id",
    "an earlier id of this order was charged, duplicate of {other}",
    means="The row had another order id before, under which the same was charged.",
    example="the lookup file of order_id was edited after the first night",
    remedy=_ONCE,
)
DUPLICATE_EARLIER_ID_FIRST = entry(
    "duplicate.earlier-id-first",
    "an earlier id of this order goes first, duplicate of {other}",
    means="The row had another order id before, and the order of that id goes in this run.",
    example="two exports of one night, one of them with edited ids",
    remedy=_GOES_FIRST,
)
NOT_SENT_YET = entry(
    "held.not-sent-yet",
    "not sent yet",
    means="The row may be sent, and no run has come to it.",
    example="a run that was interrupted",
    remedy="Run again.",
)

# --- conflicts

_OTHER_SALE = (
    "If it is another sale, send it in a file of its own under another order id; else leave it"
    " out."
)
CONFLICT_CONTENT = entry(
    "conflict.other-content",
    "same order id, other content: {other}",
    means="The order took money, or still may, and this row asks for something else.",
    example="order 0001 of 12.00 THB was charged; now it is 13.00 THB",
    remedy=_OTHER_SALE,
)
DIFFERS = entry(
    "differs",
    "this row asks for {what}",
    means="How a row that is in conflict differs from the order that it is in conflict with.",
    example="order 0001 of 12.00 THB was charged; now it is 13.00 THB",
    remedy=_OTHER_SALE,
)
DIFFERS_AMOUNT = entry(
    "differs.amount",
    "{mine} instead of {theirs}",
    means="Amount or currency are others.",
    example="13.00 THB instead of 12.00 THB",
    remedy=_OTHER_SALE,
)
DIFFERS_RECIPIENT = entry(
    "differs.recipient",
    "recipient {mine} instead of {theirs}",
    means="The recipient is another one.",
    example="the lookup file of recipients was edited after the first night",
    remedy=_OTHER_SALE,
)
DIFFERS_PAYER = entry(
    "differs.payer",
    "another way to pay",
    means="The card, customer or source is another one.",
    example="the payer gave a new card after the first night",
    remedy=_OTHER_SALE,
)
DIFFERS_REST = entry(
    "differs.rest",
    "the same money from the same payer for the same recipient, with another description or"
    " metadata",
    means="Only what describes the order is another text.",
    example="the invoice number was corrected after the first night",
    remedy=_OTHER_SALE,
)
DIFFERS_CELLS = entry(
    "differs.cells",
    "cells that differ: {cells}",
    means="In which cells a row that is in conflict differs from the row that its reason names.",
    example="amount: 12.00 there, 13.00 here",
    remedy=_OTHER_SALE,
)
DIFFERS_CELL = entry(
    "differs.cell",
    "{column}: '{theirs}' there, '{mine}' here",
    means="One cell of two rows that ask for one order.",
    example="amount: '12.00' there, '13.00' here",
    remedy=_OTHER_SALE,
)
CONFLICT_OWN_BATCH = entry(
    "conflict.own-batch",
    "its own batch already asked for it: {other}",
    means="A row of the same file caused an attempt of this order, with other content.",
    example="the job's columns were edited between two runs of one file",
    remedy=_OTHER_SALE,
)
CONFLICT_PAID = entry(
    "conflict.paid",
    "not sent: another attempt has the money: {other}",
    means="The row's own attempt was never charged, and another one of its order has its money.",
    example="the gateway's list showed a charge that the journal had lost",
    remedy=_OTHER_SALE,
)
CONFLICT_ATTEMPTS = entry(
    "conflict.attempts",
    "{attempts} attempts were made; give the order a new id: {other}",
    means="An order that failed so often is not sent again under its id.",
    example="the tenth correction of one row",
    remedy="Send it under an order id that was never used.",
)
CONFLICT_ALIKE = entry(
    "conflict.look-alike",
    "{alike}: {other}",
    means="Its id is an earlier order's but for leading zeros, a .0, blanks, case, width or the"
    " digits of a script; or it asks for what an order of the last ten days asked, and its id may"
    " be that one's but for digits that programs drop, dates, dashes, or letters that are drawn"
    " alike.",
    example="order 17 beside order 0017",
    remedy="Write the id that the sentence names, or another one if it is another order.",
)
CONFLICT_CANCELLED_ALIKE = entry(
    "conflict.cancelled-look-alike",
    "its id is order {order}'s, which a person cancelled, but for what programs do to ids: {step}",
    means="A person said that an order is never sent, and this id is the same but for its form.",
    example="order 17, after order 0017 was cancelled",
    remedy="If it is wanted after all, send it in another file under another order id.",
)
CONFLICT_UNPLACED = entry(
    "conflict.unplaced",
    "the gateway has a charge of this very file under an order id that none of its rows has now: it"
    " may be this row's. Give the column or lookup file of order_id what it had when that was"
    " charged; if this is another sale, send it in a file of its own: {other}",
    means="A charge of this file was found at the gateway, and no row of it has its order id.",
    example="the journal was restored, and the lookup file of order_id was edited",
    remedy="Give order_id the cells that it had then, or send another sale in a file of its own.",
)
CONFLICT_CORRECTS = entry(
    "conflict.corrects",
    "it corrects a row of a sale that was asked for with other terms; {step}: {other}",
    means="The row came back for one whose sale took or may take money, and asks for other terms.",
    example="a corrected amount, after the first row was charged",
    remedy="If it is another sale, send it without the batchpay_ columns.",
)
CONFLICT_CORRECTED = entry(
    "conflict.corrected",
    "a row with this order id came back as another, which was charged, and this one asks for other"
    " terms: {step}: {other}",
    means="A row of this order id was corrected and charged; this one asks for something else.",
    example="a cumulative export with the uncorrected amount",
    remedy="If it is wanted after all, send it in another file under another order id.",
)
CONFLICT_CORRECTED_FIRST = entry(
    "conflict.corrected-first",
    "a row with this order id came back as another, which goes first, and this one asks for other"
    " terms: {step}: {other}",
    means="A row of this order id was corrected, and goes in this run; this one asks for other.",
    example="a cumulative export beside the rejects file of an earlier one",
    remedy="If it is wanted after all, send it in another file under another order id.",
)
CONFLICT_EARLIER_ID = entry(
    "conflict.earlier-id",
    "this row, or another of its id, had another order id before, under which other terms were"
    " asked for; if this is another sale, send it in a file of its own under an id that was never"
    " used: {other}",
    means="What was asked for under an earlier id took or may take money, with other terms.",
    example="ids that moved by one row in a lookup file",
    remedy="If it is another sale, send it in a file of its own under an id that was never used.",
)
CONFLICT_ANOTHERS = entry(
    "conflict.anothers",
    "the row that this one came back for asked for something else than order {order}: {step}:"
    " {other}",
    means="A row came back as a copy of an order that it never was.",
    example="a fill handle went over the rejects file",
    remedy="Send it again under its own order id, in the rejects file that it came from.",
)

# --- words of people

CANCELLED = entry(
    "cancelled",
    "cancelled by {word}; {step}",
    means="A person said that this order is never to be sent.",
    example="batchpay resolve JOB --cancel --reason 'wrong shop' 0001",
    remedy="If it is wanted after all, send it in another file under another order id.",
)

CHARGED_ALTHOUGH = entry(
    "cancelled.charged",
    "a person had said that it is never to be sent ({word}), and the gateway has a charge of it all"
    " the same: give the money back there, or leave it so",
    means="An order was cancelled, and a charge of it came to light or took its money later.",
    example="an answer that was lost, an order that was cancelled then, and a list that shows its"
    " charge a day later",
    remedy="Look at the charge on the gateway's dashboard, and give it back if it is not wanted.",
)

# --- what holds a row back

HELD_RENAMED = entry(
    "held.renamed",
    'job "{job}" charged this very order ({charge}). {step}',
    means="Another job in this account charged the same order with the same terms.",
    example="the job was renamed, or its journal moved",
    remedy="Give the job its old name again, or cancel the order here: it is charged already.",
)
HELD_UNNAMED = entry(
    "held.unnamed",
    "order {order} of batch {batch} asked the same payer for the same money, for the same"
    " recipient, as far as it tells, when order ids were made of another column or lookup file, and"
    " which id it has now is not known{also}: {step}",
    means="It may be the same sale under an id that the job does not make any more.",
    example="[columns] order_id names another column than last week",
    remedy="See whether it is that sale; run again with --yes if it is another one.",
)
HELD_UPROOTED = entry(
    "held.uprooted",
    "order {order} asked the same payer for the same money, for the same recipient, as far as it"
    " tells; this row came back for one of batch {batch}, and which id that has now, since order"
    " ids are made of another column or lookup file, is not known{also}: {step}",
    means="The sale that it corrects may be charged already, under the id that it has now.",
    example="a rejects file of before [columns] order_id named another column",
    remedy="See whether it is that sale; run again with --yes if it is another one.",
)
HELD_MAYBE_ASKED = entry(
    "held.maybe-asked",
    "this row, or another of its id, had the id of order {order} before, which batch {batch} asked"
    " for, and which id that has now is not known{also}: {step}",
    means="Two rows exchanged ids, perhaps, and the file that could tell is not here.",
    example="a lookup file that was edited between two nights",
    remedy="Put that file beside this one, or run again with --yes if it is another sale.",
)
HELD_MAYBE_CANCELLED = entry(
    "held.maybe-cancelled",
    "this row, or another of its id, had the id of order {order}, or that had its id, and a person"
    " cancelled that ({reason}){also}: {step}",
    means="A person's word may be of this row, and the file that could tell is not here.",
    example="an order was cancelled, then the lookup file of order_id was edited",
    remedy="Put that file beside this one, or run again with --yes if it is another sale.",
)
HELD_CANCELLED_UNNAMED = entry(
    "held.cancelled-unnamed",
    "order {order}, which a person cancelled ({reason}), asked the same payer for the same money,"
    " for the same recipient, when order ids were made of another column or lookup file{also}:"
    " {step}",
    means="It may be the sale of a cancelled order under an id that the job did not make then.",
    example="an order was cancelled, then [columns] order_id named another column",
    remedy="Put its file beside this one, or run again with --yes if it is another sale.",
)
OR_OTHERS = entry(
    "held.or-others",
    " (it may as well be {orders}, for the same money: --yes says that each of them is new)",
    means="Several new orders stand against one charge, which can be one of them at most.",
    example="two new orders with the payer, recipient and amount of an older charge",
    remedy="See which of them it is; run again with --yes if it is none of them.",
)
HELD_RECIPIENT = entry(
    "held.recipient",
    "recipient {recipient} {why}",
    means="The gateway said before the run that this recipient cannot be paid.",
    example="recipient recp_1 is not verified",
    remedy="Have the recipient verified at the gateway; the next run sends.",
)
_BARRED = "What the gateway said of the recipient."
_BARRED_REMEDY = "Have it mended at the gateway, or correct the recipient."
IS_UNKNOWN = entry(
    "barred.unknown",
    "does not exist at the gateway: {step}",
    means=_BARRED,
    example="an id of another account",
    remedy=_BARRED_REMEDY,
)
IS_DELETED = entry(
    "barred.deleted",
    "is deleted at the gateway: {step}",
    means=_BARRED,
    example="a seller who left",
    remedy=_BARRED_REMEDY,
)
IS_UNVERIFIED = entry(
    "barred.unverified",
    "is not verified by the gateway: {step}",
    means=_BARRED,
    example="a seller who is new",
    remedy=_BARRED_REMEDY,
)
FAILED_VERIFICATION = entry(
    "barred.unverified.code",
    "is not verified by the gateway ({code}): {step}",
    means=_BARRED,
    example="name_mismatch: the account's name is another one",
    remedy=_BARRED_REMEDY,
)
IS_INACTIVE = entry(
    "barred.inactive",
    "is not active at the gateway: {step}",
    means=_BARRED,
    example="a seller whose papers are looked at",
    remedy=_BARRED_REMEDY,
)
IS_UNTOLD = entry(
    "barred.untold",
    "is one the gateway did not tell of when asked, though it told of others: {step}",
    means="Whether a recipient can be paid was asked twice, and not answered.",
    example="a gateway that answers 500 for one recipient",
    remedy="The next run asks again; if it stays so, have the gateway say why.",
)
CHARGE_TOO_SMALL = entry(
    "charge-too-small",
    "it asks for {amount} {currency}, the gateway's smallest charge is {least}: {step}",
    means="The gateway takes no charge of so little.",
    example="10.00 THB, where 20.00 is the least",
    remedy="Ask for more in the rejects file, or never send it.",
)
CHARGE_TOO_LARGE = entry(
    "charge-too-large",
    "it asks for {amount} {currency}, the gateway's largest charge is {most}: {step}",
    means="The gateway takes no charge of so much.",
    example="6,000,000,000.00 THB, where 5,000,000,000.00 is the most",
    remedy="Ask for it in parts, in a new file, or never send it.",
)
HELD_SHARE_TOO_SMALL = entry(
    "held.share-too-small",
    "the recipient's share would be {share} {currency}, the gateway's smallest transfer is"
    " {least}: {step}",
    means="The charge would be made, and its share could not be transferred by itself.",
    example="a share of 25.00 THB, where 30.00 is the least",
    remedy='min_share = "send" in [controls] sends it.',
)
HELD_NO_SHARE = entry(
    "held.no-share",
    "the recipient's share would be {share} {currency}, which no transfer is made of: {step}",
    means="The commission is all of the order, and nothing would be left for its recipient. Where"
    " the gateway tells its smallest transfer in this currency, held.share-too-small says that.",
    example="an order of 30 JPY with a commission of 30 JPY",
    remedy='min_share = "send" in [controls] sends it.',
)
HELD_FILE_GONE = entry(
    "held.file-gone",
    "its file was no input of the last run: {step}",
    means="Rows are sent only while their file is an input of the run.",
    example="the file was moved away before all of it was sent",
    remedy="Give the file to a run again, or cancel its orders.",
)
HELD_STOP = entry(
    "held.stop",
    "a stop is in force: {stop}",
    means="Something did not add up, and nothing is sent until a person has looked.",
    example="a charge of another amount than was asked",
    remedy="See to it, then: batchpay resolve JOB --lift-stop --reason TEXT",
)
HELD_NAMELESS = entry(
    "held.nameless",
    "{charge} in the gateway's list asks for the same and names no order: it may be this one's",
    means="A charge without metadata has this row's terms; nobody can tell whose it is.",
    example="somebody made a charge by hand at the dashboard",
    remedy="See the dashboard, and say whose it is: batchpay resolve, as the sentence tells.",
)
HELD_NAMELESS_BEFORE = entry(
    "held.nameless-before",
    "{charge} in the gateway's list asks for what this order asked for before, and names no order:"
    " it may be this one's",
    means="A charge without metadata has the terms that this row, or one that it corrects, had"
    " before; nobody can tell whose it is.",
    example="a declined row that was sent back with another amount to a journal that was put back",
    remedy="See the dashboard, and say whose it is: batchpay resolve, as the sentence tells.",
)
HELD_EARLIER_GONE = entry(
    "held.earlier-gone",
    "the gateway no longer knows {charge} of its attempt {attempt}, which took no money: {step}",
    means="An earlier attempt failed, and the gateway does not show its charge any more.",
    example="a look-up of a declined charge is answered with 404",
    remedy="See the dashboard, and say so: batchpay resolve JOB --as not-charged.",
)
HELD_EARLIER_CHARGE_GONE = entry(
    "held.earlier-gone.unknown",
    "the gateway no longer knows of its attempt {attempt}, which took no money: {step}",
    means="The same, of an attempt whose charge has no id that is known.",
    example="a look-up by its key finds nothing any more",
    remedy="See the dashboard, and say so: batchpay resolve JOB --as not-charged.",
)
HELD_EARLIER_UNCLEAR = entry(
    "held.earlier-unclear",
    "its attempt {attempt} was refused, yet {charge} in the gateway's list, which names no order,"
    " asks for the same: it may be its charge",
    means="A refused attempt may have been charged after all.",
    example="a 400, and a charge of the same terms without metadata",
    remedy="See the dashboard, and say whose it is: batchpay resolve, as the sentence tells.",
)
HELD_EARLIER_UNSHOWN = entry(
    "held.earlier-not-shown",
    "the gateway, asked again, did not show {charge} of its attempt {attempt}, which took no money:"
    " {step}",
    means="Before a next attempt goes, the earlier charge is looked at, and it could not be seen.",
    example="a look-up that was not answered",
    remedy="The next run asks again.",
)

HELD_BESIDE_MISSING = entry(
    "held.beside-missing",
    "it was asked for before, and nothing proves that it was not charged while the gateway does not"
    " show {charge} of order {order}: a person sees to order {order} first, as its own reason says;"
    " the next run after that sends this one",
    means="A list that does not show a charge that was made proves nothing of others either.",
    example="an order that was answered with a 429 beside a pending charge that is gone",
    remedy="See to the order that is named, as its own reason says; then run again.",
)

TOKEN_SPENT = entry(
    "token-spent",
    "its one-time token paid order {order} of batch {batch} already: {step}",
    means="A token pays once, and an earlier file has used it: the gateway would refuse it.",
    example="yesterday's tokens beside today's orders",
    remedy="See whether it is the same sale; if not, have the payer enter the card again, and send"
    " the row with the new token.",
)

TOKEN_GOES = entry(
    "token-goes",
    "its one-time token pays order {order} of batch {batch}, which goes before it in this run:"
    " {step}",
    means="A token pays once, and an earlier order that is still to be sent has it.",
    example="the token of an order that was told to wait, in the row of another order",
    remedy="See whether it is the same sale; if not, have the payer enter the card again, and send"
    " the row with the new token.",
)

# --- warnings

OVER_RECIPIENT = entry(
    "limit.recipient",
    "it asks for {amount}, and orders of this recipient for {before} before it this day: more than"
    " {limit} ([controls] max_recipient); {step}",
    means="The orders of one recipient ask for more than the job allows for a day.",
    example='[controls] max_recipient = { THB = "500000.00" } and orders of 600,000.00 THB',
    remedy="Nothing: it goes on another day. Else have the limit raised, or cancel the order.",
)
OVER_DAY = entry(
    "limit.day",
    "it asks for {amount}, and orders before it this day for {before}: more than {limit}"
    " ([controls] max_day); {step}",
    means="The orders of a day ask for more than the job allows.",
    example='[controls] max_day = { THB = "5000000.00" } and orders of 6,000,000.00 THB',
    remedy="Nothing: it goes on another day. Else have the limit raised, or cancel the order.",
)
HUNDREDFOLD = entry(
    "history.hundredfold",
    "it asks for {amount}, 100 times what order {order} of batch {batch} asked for the same payer"
    " and recipient",
    means="An amount is exactly 100 times one of before: perhaps satang were taken for baht, or yen"
    " were given times 100.",
    example="an order of 50,000.00 THB after one of 500.00 THB",
    remedy="See whether the amount is meant so; correct it in a new file if it is not.",
)
FAR_ABOVE = entry(
    "history.above",
    "it asks for {amount}; {orders} orders of this recipient before asked for {most} at most",
    means="An amount is more than 10 times the most that a recipient's orders asked for so far.",
    example="an order of 100,000.00 THB after many of at most 900.00 THB",
    remedy="See whether the amount is meant so; correct it in a new file if it is not.",
)
FAR_BELOW = entry(
    "history.below",
    "it asks for {amount}; {orders} orders of this recipient before asked for {least} at least",
    means="An amount is less than a tenth of the least that a recipient's orders asked for so far.",
    example="an order of 25.00 THB after many of at least 900.00 THB",
    remedy="See whether the amount is meant so; correct it in a new file if it is not.",
)
NEAR_ONE = entry(
    "near-order",
    "order {order} of batch {batch} asked for the same payer, recipient and amount within ten days",
    means="Another order with the same terms was sent lately: perhaps one sale under two ids.",
    example="order 0009 of last week's file",
    remedy="See whether it is a sale of its own; cancel it if it is not.",
)
NEAR_MORE = entry(
    "near-order.more",
    "order {order} of batch {batch} and {more:d} more asked for the same payer, recipient and"
    " amount within ten days",
    means="The same, of several orders.",
    example="a subscription that is charged every week",
    remedy="See whether it is a sale of its own; cancel it if it is not.",
)
NEAR_IN_RUN = entry(
    "near-order.in-run",
    "order {order} of this run asks for the same payer, recipient and amount",
    means="Two new orders of one run have the same terms, and the job holds the later one.",
    example='near_duplicates = "hold", and one sale under two ids in one file',
    remedy="See whether it is a sale of its own; cancel it if it is not.",
)
