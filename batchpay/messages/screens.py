"""SCREENS: what check, plan, status and resolve print around what other families say."""

from __future__ import annotations

from batchpay.messages.message import Entry, entry


def _line(code: str, text: str, means: str) -> Entry:
    """A line that explains itself: its example is itself."""
    return entry(code, text, means=means, example=text)


def _counted(code: str, one: str, text: str, means: str) -> Entry:
    return entry(code, text, one=one, count="count", means=means, example=text)


# --- status

_STATUS = "A line of batchpay status."
NO_BATCH = _line("screen.no-batch", "{job}: no batch yet", _STATUS)
RUNNING = _line(
    "screen.running", "running now: pid {pid} on {host} since {at}", _STATUS
)
LAST_RUN = _line(
    "screen.last-run",
    "last run ({run}): began {began}, ended {ended} with exit code {code}",
    _STATUS,
)
LAST_RUN_KILLED = _line(
    "screen.last-run-killed",
    "last run ({run}): began {began} and did not end: it was killed, its disk was full, or the"
    " machine went down; run again to go on; what it left is in no report before that, or before"
    " batchpay report JOB",
    _STATUS,
)
OPEN_ONE = _line(
    "screen.open-one", "order {order} ({place}) is {stands}: {why}", _STATUS
)
OPEN_SEVERAL = _counted(
    "screen.open-several",
    "{count} order ({ids}) is {stands}; of the first ({place}): {why}",
    "{count} orders ({ids}) are {stands}; of the first ({place}): {why}",
    _STATUS,
)
IDS_AND_MORE = _line("screen.ids", "{ids} and {more} more", _STATUS)
STANDS_SINCE = _line("screen.since", "{outcome} since {at}, {age}", _STATUS)
STANDS_CAME = _line(
    "screen.came", "{outcome}, of a file that came {at}, {age}", _STATUS
)
MORE_IN_RESULTS = _line("screen.more-rows", "and {more} more: see results.csv", _STATUS)
MORE_IN_REPORT = _line(
    "screen.more-to-report",
    "and {more} more: batchpay report JOB writes a report that has them",
    _STATUS,
)
IN_WORK = _counted(
    "screen.in-work",
    "{count} row in work: the run that is under way has them in hand",
    "{count} rows in work: the run that is under way has them in hand",
    _STATUS,
)
IN_NO_ROW = _counted(
    "screen.in-no-row",
    "in no row of a report: {count} charge, charged {sums}",
    "in no row of a report: {count} charges, charged {sums}",
    _STATUS,
)
CHARGE_IN_NO_ROW = _line(
    "screen.charge-in-no-row",
    "order {order}: {charge}, {outcome}, {money} for {recipient}",
    _STATUS,
)
MORE_IN_JSON = _line("screen.more-json", "and {more} more (--json shows them)", _STATUS)
FOUND_OLDER = _line(
    "screen.found-older",
    "the journal was found older than it had been on {at}: {step}",
    _STATUS,
)
FOUND_EMPTY = _line(
    "screen.found-empty", "the journal was found empty on {at}: {step}", _STATUS
)
KEPT_CANCELLED = _line("screen.kept", "Kept as cancelled: {orders}", _STATUS)

# --- the story of one order

_STORY = "A line of batchpay status JOB ORDER_ID."
NO_ROW = _line(
    "screen.story-no-row", "order {order}: {mode}no row of a file asks for it", _STORY
)
ORDER_STANDS = _line(
    "screen.story-row",
    "order {order}: {mode}{file} {place} (batch {batch}) is {outcome}",
    _STORY,
)
SETTLED_BY = _line("screen.story-settled", "settled by {by}", _STORY)
WHO_ACTS = _line("screen.story-acts", "(who acts: {party})", _STORY)
ASKED = _line(
    "screen.story-attempt",
    "attempt {number}: {asked} for {recipient}, {sends}",
    _STORY,
)
ASKED_FROM = _line(
    "screen.story-attempt-from",
    "attempt {number}: {asked} from {payer} for {recipient}, {sends}",
    _STORY,
)
WAS_ADOPTED = _line(
    "screen.story-adopted", "adopted: the journal did not make it", _STORY
)
SENT = _counted("screen.story-sent", "sent once", "sent {count} times", _STORY)
BY_RUN = _line("screen.story-run", "{day} ({zone}), run {run}", _STORY)
OF_ATTEMPT = _line("screen.story-of-attempt", "attempt {number}: {told}", _STORY)
GIVEN_BACK = _line(
    "screen.story-given-back", "{money} given back at the gateway", _STORY
)
DISPUTED = _line(
    "screen.story-disputed", "disputed by its payer's bank: {status}", _STORY
)

# names of lines and of amounts in it
KEY = _line("screen.story-key", "key", _STORY)
CHARGE = _line("screen.story-charge", "charge", _STORY)
TRANSFER = _line("screen.story-transfer", "transfer", _STORY)
SINCE = _line("screen.story-since", "since", _STORY)
PAY_AT = _line("screen.story-pay-at", "pay at", _STORY)
SCAN = _line("screen.story-scan", "scan", _STORY)
UNTIL = _line("screen.story-until", "{uri} until {at}", _STORY)
FEE = _line("screen.story-fee", "fee {money}", _STORY)
VAT = _line("screen.story-vat", "VAT {money}", _STORY)
NET = _line("screen.story-net", "net {money}", _STORY)
COMMISSION = _line("screen.story-commission", "commission {money}", _STORY)
BANK_GETS = _line("screen.story-bank-gets", "the bank gets {money}", _STORY)
BY_PERSON = _line("screen.story-by", "{told} (by {who})", _STORY)

# --- check and plan

_CHECK = "A line of batchpay check, or of batchpay plan."
COUNTED = _line(
    "screen.counted",
    "{file}: {rows}, {rejected} rejected, {repeated} repeated",
    _CHECK,
)
COUNTED_HELD = _line(
    "screen.counted-held",
    "{file}: {rows}, {rejected} rejected, {repeated} repeated, {held} held",
    _CHECK,
)
NO_ORDER = _line("screen.no-order", "no order", _CHECK)
# what the rows of one fault, or that wait for one thing, have in common
HEAD_ROWS = _line("screen.head-rows", "rows", _CHECK)
HEAD_COLUMN = _line("screen.head-column", "column", _CHECK)
HEAD_WRONG = _line("screen.head-wrong", "what is wrong, and what to do", _CHECK)
HEAD_HELD = _line("screen.head-held", "why, and what to do", _CHECK)
WHOLE_ROW = _line("screen.whole-row", "(row)", _CHECK)
ROW_WITH = _line("screen.row-with", "row {row} '{value}'", _CHECK)
FIRST_IN = _line("screen.first-in", "the first in {named}", _CHECK)
CELLS = _line("screen.cells", "{number} different cells: {named}", _CHECK)
ORDERS = _line("screen.orders", "{number} orders: {named}", _CHECK)
MANY_CELLS = _line(
    "screen.cells-many", "more than {number} different cells: {named}", _CHECK
)
MANY_ORDERS = _line("screen.orders-many", "more than {number} orders: {named}", _CHECK)
RIGHT_AND_SENT = _line(
    "screen.right",
    "{right} that break no rule, of which may be sent: {sums}",
    _CHECK,
)
REFUSED = _line("screen.refused", "refused: {text}", _CHECK)
HELD_ROWS = _line("screen.held", "{file}: held, not sent by the next run", _CHECK)
WOULD_CHARGE = _line("screen.would-charge", "would charge {sum}", _CHECK)
SHARED = _line(
    "screen.shared", "{commission} commission, {shares} to recipients", _CHECK
)
WOULD_CHARGE_NOTHING = _line(
    "screen.would-charge-nothing", "would charge nothing", _CHECK
)
MORE_RECIPIENTS = _counted(
    "screen.more-recipients",
    "and {count} more recipient (--json shows them)",
    "and {count} more recipients (--json shows them)",
    _CHECK,
)
NOT_SENT = _line("screen.not-sent", "not sent, {rows} {outcome}", _CHECK)
NOT_SENT_WHY = _line("screen.not-sent-why", "not sent, {rows} {outcome}: {why}", _CHECK)
MORE_REASONS = _line(
    "screen.more-reasons", "and {more} reasons more (--json shows them)", _CHECK
)

# --- what a person's word did

_RESOLVE = "What batchpay resolve prints when it is done."
BATCH_CANCELLED = _counted(
    "screen.batch-cancelled",
    "{count} order of batch {batch} cancelled: never sent, whatever asks again",
    "{count} orders of batch {batch} cancelled: never sent, whatever asks again",
    _RESOLVE,
)
ORDER_CANCELLED = _line(
    "screen.order-cancelled",
    "order {order} is cancelled: it will never be sent",
    _RESOLVE,
)
ROWS_CANCELLED = _counted(
    "screen.rows-cancelled",
    "{count} row of batch {batch} cancelled ({rows}): never sent, nor is what comes back to"
    " correct it",
    "{count} rows of batch {batch} cancelled ({rows}): never sent, nor is what comes back to"
    " correct it",
    _RESOLVE,
)
LIFTED = _line("screen.lifted", "lifted: {stop}. The next run sends again", _RESOLVE)
OF_ACCOUNT = _line(
    "screen.of-account", "the journal belongs to account {account}", _RESOLVE
)
OF_ACCOUNT_NOW = _line(
    "screen.of-account-now",
    "the journal belongs to account {account} now, and no more to {before}; what was in doubt"
    " meanwhile no look-up settles: that is for a person",
    _RESOLVE,
)
NOT_OURS = _line(
    "screen.not-ours",
    "{charge} is none of this job's: it stands in the way of no order any more. Run again",
    _RESOLVE,
)
ORDER_SETTLED = _line(
    "screen.settled", "order {order} is settled: {charge}, {status}", _RESOLVE
)
NOT_CHARGED = _line(
    "screen.not-charged", "order {order} is settled: not charged; {step}", _RESOLVE
)
STAYS_CHARGED = _line(
    "screen.stays-charged",
    "order {order} stays charged by {charge}, which the gateway knows no more; your word is kept",
    _RESOLVE,
)
CHARGED_ALREADY = _line(
    "screen.charged-already",
    "order {order} is charged by {charge}, as you say, and nothing is left to settle",
    _RESOLVE,
)
KNOWN_AGAIN = _line(
    "screen.known-again",
    "order {order}: the gateway knows {charge} again, {status}; run again",
    _RESOLVE,
)
TOOK_NONE = _line(
    "screen.took-none",
    "order {order} took no money: {charge} is {status}, which is in the journal now",
    _RESOLVE,
)
STAYS_UNPROVEN = _line(
    "screen.stays-unproven",
    "order {order} stays unproven ({flaws}); that you accepted it, and why, is in the journal: it"
    " no longer counts as 12",
    _RESOLVE,
)
KEPT_BY = _line(
    "screen.kept-by",
    "order {order} is charged by {charge}; no other charge of it is known; your word is kept",
    _RESOLVE,
)
KEPT_BESIDE = _line(
    "screen.kept-beside",
    "order {order} is charged by {charge}; beside it there is {others}, which batchpay audit lists;"
    " your word is kept",
    _RESOLVE,
)
STILL_A_STOP = _line(
    "screen.still-a-stop", "{told}. A stop is still in force: {step}", _RESOLVE
)

# --- why a person's word is not taken

_REFUSED = "Why batchpay resolve, or batchpay status JOB ORDER_ID, did not do it."
NO_STOP = _line(
    "screen.no-stop", "{job}: no stop is in force; there is nothing to lift", _REFUSED
)
NO_CHARGE_ID = _line(
    "screen.no-charge-id", "{charge} is no charge id; one begins with chrg_", _REFUSED
)
NO_SUCH_CHARGE = _line(
    "screen.no-such-charge",
    "the gateway knows no charge {charge}: nothing was settled; {step}",
    _REFUSED,
)
NO_SUCH_CHARGE_OF = _line(
    "screen.no-such-charge-of",
    "the gateway knows no charge {charge}: order {order} stays as it is; {step}",
    _REFUSED,
)
CHARGE_GONE = _line(
    "screen.charge-gone",
    "the gateway knows no charge {charge} any more; order {order} stays as it is",
    _REFUSED,
)
CHARGE_TELLS = _line(
    "screen.charge-tells",
    "{charge} is no charge of which nobody can tell whose it is: its metadata or this journal"
    " say it; nothing was settled",
    _REFUSED,
)
CHARGE_TELLS_OF = _line(
    "screen.charge-tells-of",
    "{charge} is no charge of which nobody can tell whose it is; order {order} stays as it is",
    _REFUSED,
)
SAID_OTHERWISE = _line(
    "screen.said-otherwise",
    "{charge} is a charge of order {order}, as a person said; nothing was settled: {step}",
    _REFUSED,
)
NOT_ITS_CHARGE = _line(
    "screen.not-its-charge",
    "{charge} is not order {order}'s charge: {flaws}; it stays as it is",
    _REFUSED,
)
NOT_WHAT_IT_ASKS = _line(
    "screen.not-what-it-asks",
    "{charge} is not what order {order} asks for: {flaws}; it stays as it is",
    _REFUSED,
)
CHARGED_BY_ANOTHER = _line(
    "screen.charged-by-another",
    "order {order} is charged by {other}, {stands}; {charge} is {status}: it stays as it is",
    _REFUSED,
)
OF_ANOTHER_ORDER = _line(
    "screen.of-another-order",
    "{charge} is the charge of order {order} (job {job}, attempt {attempt})",
    _REFUSED,
)
WAS_CHARGED = _line(
    "screen.was-charged",
    "order {order} was charged: {charge}, {status}; that is in the journal now",
    _REFUSED,
)
WAS_CHARGED_STEP = _line(
    "screen.was-charged-step",
    "order {order} was charged: {charge}, {status}; that is in the journal now; {step}",
    _REFUSED,
)
NEVER_SENT = _line(
    "screen.never-sent", "order {order} was never sent by job '{job}'; {step}", _REFUSED
)
HELD_UNSENT = _line(
    "screen.held-unsent",
    "order {order} is held and was never sent: nothing is to be settled; a run sends it, or to end"
    " it: {step}",
    _REFUSED,
)
KNOWN_PENDING = _line(
    "screen.known-pending",
    "order {order} is pending and the gateway knows it: the next run asks what became of it",
    _REFUSED,
)
NOTHING_TO_SETTLE = _line(
    "screen.nothing-to-settle",
    "order {order} is {outcome}; there is nothing to settle",
    _REFUSED,
)
IN_DOUBT_PERIOD = _line(
    "screen.in-doubt-period",
    "order {order} is inside its doubt period for {seconds} s: what was sent may yet arrive. Run"
    " `batchpay settle` first, which waits and looks, then say it again",
    _REFUSED,
)
MAY_BE_ITS_CHARGE = _line(
    "screen.may-be-its-charge",
    "{charge} may be the charge of order {order}, and carries no key: nothing was settled; {step}",
    _REFUSED,
)
LIST_LACKS = _line(
    "screen.list-lacks",
    "the gateway's list lacks {charge}, which this journal has proof of: such a list proves"
    " nothing, and nothing was settled",
    _REFUSED,
)
LIST_LACKS_GONE = _line(
    "screen.list-lacks-gone",
    "the gateway's list lacks {charge}, which this journal has proof of: such a list proves"
    " nothing, and nothing was settled; the gateway does not know it any more: {step}",
    _REFUSED,
)
LIST_LACKS_STOP = _line(
    "screen.list-lacks-stop",
    "the gateway's list lacks {charge}, which this journal has proof of: such a list proves"
    " nothing, and nothing was settled; that is a stop: {stop}; {step}, then say this again",
    _REFUSED,
)
LIST_NOT_READ = _line(
    "screen.list-not-read",
    "the gateway's list could not be read completely; nothing was settled",
    _REFUSED,
)
NOT_TO_CANCEL = _line(
    "screen.not-to-cancel",
    "order {order} is {outcome}; only an order that waits to be sent, paid or corrected can be"
    " cancelled",
    _REFUSED,
)
IN_NO_BATCH = _line(
    "screen.in-no-batch",
    "order {order} is in no batch as a row that waits to be sent, paid or corrected; see"
    " results.csv for its id, which has no apostrophe before it",
    _REFUSED,
)
NO_SUCH_BATCH = _line(
    "screen.no-such-batch",
    "{batch}: no such batch; --row is of the batch named",
    _REFUSED,
)
NO_SUCH_ROW = _line(
    "screen.no-such-row",
    "batch {batch} has no row {row}; results.csv tells the row of each",
    _REFUSED,
)
NO_SUCH_ROW_IN = _line(
    "screen.no-such-row-in",
    "batch {batch} has no row {row} in sheet {sheet}; results.csv tells the row of each",
    _REFUSED,
)
ROW_OF_SEVERAL = _line(
    "screen.row-of-several",
    "row {row} is in several sheets; --sheet says which: {sheets}",
    _REFUSED,
)
ROW_CANCELLED_ALREADY = _line(
    "screen.row-cancelled-already",
    "row {row} was cancelled already, by {word}; it is never sent, and nothing is to do",
    _REFUSED,
)
ROW_HELD = _line(
    "screen.row-held",
    "row {row} is held, and is cancelled with its order: {step}",
    _REFUSED,
)
ROW_NOT_TO_CANCEL = _line(
    "screen.row-not-to-cancel",
    "row {row} is {outcome}; only a row that waits to be corrected or paid can be cancelled",
    _REFUSED,
)
CANCELLED_ALREADY = _line(
    "screen.cancelled-already",
    "order {order} was cancelled already, by {who} on {at}: {reason}; it is never sent, and nothing"
    " is to do",
    _REFUSED,
)
NONE_HELD = _line(
    "screen.none-held",
    "batch {batch} has no order that is held; there is nothing to cancel",
    _REFUSED,
)
UNKNOWN_ORDER = _line(
    "screen.unknown-order", "the journal knows no order {order}; {step}", _REFUSED
)

# --- a page of batchpay explain

_EXPLAIN = "What stands before a line of batchpay explain."
SAYS = _line("screen.explain-says", "says", _EXPLAIN)
MEANS = _line("screen.explain-means", "means", _EXPLAIN)
EXAMPLE = _line("screen.explain-example", "example", _EXPLAIN)
REMEDY = _line("screen.explain-remedy", "remedy", _EXPLAIN)
