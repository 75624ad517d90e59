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
    " machine went down; run again to go on",
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
STILL_A_STOP = _line(
    "screen.still-a-stop", "{told}. A stop is still in force: {step}", _RESOLVE
)
