"""NIGHTS: why a run sent nothing more, what stopped it, and what it noted beside the outcomes.

The journal keeps these in English; in another language they are found again by their form.
"""

from __future__ import annotations

from batchpay.messages.message import entry

STATUS_PAGE = "https://status.omise.co"  # where the gateway tells of its incidents
_GOES_ON = "Nothing: a later run goes on."
_LOOK = "Look at it at the gateway, then lift the stop."

# --- why nothing more is sent

LIMITED = entry(
    "night.limited",
    "this run was limited to {count} orders (--limit)",
    one="this run was limited to 1 order (--limit)",
    count="count",
    means="A run was told to send so many orders and no more.",
    example="batchpay run job.toml --limit 10",
    remedy=_GOES_ON,
)
CANARY_FIRST = entry(
    "night.canary-first",
    "--canary 1: the first order did not succeed",
    means="The one order that was to go before all others took no money, or nobody knows yet.",
    example="batchpay run job.toml --canary 1, and a declined card",
    remedy="See why, then run again.",
)
CANARY = entry(
    "night.canary",
    "--canary {wanted:d}: not all of the first {orders:d} orders succeeded",
    means="Of the orders that were to go before all others, some took no money, or nobody knows.",
    example="batchpay run job.toml --canary 3, and a declined card among the three",
    remedy="See why, then run again.",
)
FAILURES = entry(
    "night.failures",
    "[controls] max_failures: {failed:d} of the first {sent:d} orders took no money",
    means="More orders of a run took no money than the job allows.",
    example='max_failures = "20%", and a bank that declines every card',
    remedy="See why so many fail, then run again.",
)
DEADLINE = entry(
    "night.deadline",
    "the deadline {deadline} is too near for another request",
    means="The job says until when a run may send.",
    example='deadline = "06:00" and a long night',
    remedy=_GOES_ON,
)
INTERRUPTED = entry(
    "night.interrupted",
    "interrupted by {signal}",
    means="Somebody, or the machine as it went down, ended the run.",
    example="Ctrl-C",
    remedy="Run the same command again.",
)
SILENT = entry(
    "night.silent",
    "the gateway does not answer",
    means="Several requests in a row were not answered, also after pauses.",
    example="a gateway that is down",
    remedy=_GOES_ON,
)
ILL = entry(
    "night.ill",
    f"the gateway answers with {{status:d}}: {STATUS_PAGE} tells of incidents",
    means="Several requests in a row ended with an error of the gateway's own.",
    example="status 503 for minutes",
    remedy=_GOES_ON,
)
THROTTLED = entry(
    "night.throttled",
    "the gateway answers nothing but 429, too many requests, for minutes: run again later",
    means="For three minutes no question was answered with anything else; then a run, or an audit,"
    " asks no more.",
    example="a limit that another program of the account uses up",
    remedy=_GOES_ON,
)
KEY_REFUSED = entry(
    "night.key-refused",
    "the gateway refused the secret key ({said})",
    means="The gateway does not take the key.",
    example="401 authentication_failure",
    remedy="Give the right key and run again.",
)
BEFORE_IT = entry(
    "night.before-it",
    "not the gateway, but something before it, refused the request (status {status:d} without the"
    " gateway's error object, but: {excerpt})",
    means="A proxy or a portal answered in the gateway's place.",
    example="a page of a proxy with status 403",
    remedy="Have the way to the gateway opened.",
)
CLOCK_AHEAD = entry(
    "night.clock-ahead",
    "this machine's clock is {seconds} s ahead of the gateway's",
    means="Look-ups by time prove nothing with a wrong clock.",
    example="a clock that nobody sets",
    remedy="Set the clock (NTP) and run again.",
)
CLOCK_BEHIND = entry(
    "night.clock-behind",
    "this machine's clock is {seconds} s behind the gateway's",
    means="Look-ups by time prove nothing with a wrong clock.",
    example="a clock that nobody sets",
    remedy="Set the clock (NTP) and run again.",
)
LIST_INCOMPLETE = entry(
    "night.list",
    "the gateway's list of charges could not be read completely",
    means="Nothing is sent before the gateway has shown which charges there are.",
    example="a list that breaks off",
    remedy=_GOES_ON,
)
LIST_BROKEN = entry(
    "night.list-broken",
    "the gateway's list of charges could not be read completely: {why}",
    means="Nothing is sent before the gateway has shown which charges there are.",
    example="a list that breaks off",
    remedy=_GOES_ON,
)
NOT_ONE = entry(
    "night.not-one",
    "{url} gave not one answer{why}; nothing was charged that is not in the journal",
    means="The gateway answered no request of the run.",
    example="a gateway that is down",
    remedy="Look whether it is reached from here at all; a later run goes on.",
)
INCIDENTS = entry(
    "night.incidents",
    f"{STATUS_PAGE} tells of incidents",
    means="Where the gateway says what is wrong with it.",
    example="https://status.omise.co",
    remedy="Look there.",
)

# --- what it noted

NO_FILE = entry(
    "night.no-file",
    "there was no file tonight, and the job says that this is well",
    means="A night without orders, of a job whose file is optional.",
    example="optional = true in [input]",
    remedy="Nothing.",
)
AS_BEFORE = entry(
    "night.as-before",
    "nothing is sent, as before: {why}",
    means="What kept the last run from sending is still so.",
    example="a list of the gateway's that cannot be read",
    remedy="See to what is named.",
)
LEARNED_NOTHING = entry(
    "night.learned-nothing",
    "nothing was learned of what is open: {why}",
    means="A command that only asks could not look at the gateway, which was so before.",
    example="batchpay settle while the gateway answers with 503",
    remedy="See to what is named, and run the same command again.",
)
NOT_LOOKED = entry(
    "night.not-looked",
    "the gateway's charges could not be listed, so nothing is known of what became of them since:"
    " {why}; run the same command again",
    means="The run had nothing to send, and could not look at the gateway either.",
    example="a list of the gateway's that cannot be read",
    remedy="See to what is named, and run the same command again.",
)
ERRORS = entry(
    "night.errors",
    f"the gateway answered {{count}} requests with a 5xx, at last {{status:d}}: {STATUS_PAGE} tells"
    " of incidents",
    one=f"the gateway answered 1 request with a 5xx, at last {{status:d}}: {STATUS_PAGE} tells of"
    " incidents",
    count="count",
    means="Orders are in doubt or held because of errors of the gateway's own.",
    example="status 502 to a charge",
    remedy=_GOES_ON,
)
GONE = entry(
    "night.gone",
    "the gateway no longer knows {charge}: until a person says what became of order {order},"
    " nothing is believed not to be charged because a list does not show it",
    means="A charge that the gateway had told of is there no more.",
    example="a pending charge that was deleted",
    remedy="Do what the row of that order says.",
)
PASSED_OVER = entry(
    "night.passed-over",
    "a charge in the gateway's list is longer than 1 MiB and was passed over: such a list settles"
    " no doubt",
    means="A charge is too long to be read.",
    example="a charge with very long metadata",
    remedy="Look at it at the gateway.",
)
NOT_REACHED = entry(
    "night.not-reached",
    "{why}: what was asked for from {since} to {until} does not go again in this run",
    means="What was asked for before goes again only after a list of that time, which could not be"
    " had.",
    example="an order that was refused, sent back, and a list of its night that breaks off",
    remedy=_GOES_ON,
)
NOT_READ_AGAIN = entry(
    "night.not-read-again",
    "{why}: whether anything from {since} to {until} was charged twice is looked at in the next"
    " run",
    means="What was sent again some nights ago is looked for once more in a list of then, which"
    " could not be had.",
    example="an order that was sent again, and nights later a list of its night that breaks off",
    remedy=_GOES_ON,
)
NOT_ASKED_AGAIN = entry(
    "night.not-asked-again",
    "the gateway does not tell of {charge}, of which a person said what became ({count} in all):"
    " the next run asks again",
    means="Charges of which a person said what became are asked for once more some nights later,"
    " and one was not told of.",
    example="a charge that was settled by hand and that the gateway answers with 500",
    remedy=_GOES_ON,
)
UNCLEAR = entry(
    "night.unclear",
    "order {order} stays in doubt: {charge} may be its charge, and says no order",
    means="A charge without a key may be an order's; only a person can tell.",
    example="a charge whose metadata was cleared",
    remedy="Do what the row of that order says.",
)
UNTOLD_RECIPIENTS = entry(
    "night.recipients",
    "the gateway does not tell of {count} recipients, such as {recipient}",
    one="the gateway does not tell of 1 recipient, such as {recipient}",
    count="count",
    means="Whether recipients can be paid was asked, and answered for none of them.",
    example="a gateway that answers 500 for every recipient",
    remedy="Nothing: their orders go on; batchpay doctor asks again.",
)
NO_ACCOUNT = entry(
    "night.no-account",
    "the gateway does not tell whose account the key is of: only mode and address are held",
    means="Whether the key is of the account that was charged before cannot be seen.",
    example="a gateway that does not serve GET /account",
    remedy="Make sure that the key is of the right account.",
)

# --- what stopped it

STOP_UNPROVEN = entry(
    "stop.unproven",
    "order {order}: {charge} is not proven to be what was asked: {why}",
    means="A charge is not what was asked, or nothing shows that it is.",
    example="a charge for another recipient",
    remedy=_LOOK,
)
STOP_ONE_KEY = entry(
    "stop.one-key",
    "order {order}: two charges carry one key: {charges}",
    means="The gateway has two charges of one attempt.",
    example="a gateway that forgot the Idempotency-Key",
    remedy="Give one of them back at the gateway, then lift the stop.",
)
STOP_BOTH_PAID = entry(
    "stop.both-paid",
    "order {order}: two charges of one key took money: {charges}",
    means="An order was charged twice.",
    example="a gateway that forgot the Idempotency-Key",
    remedy="Give one of them back at the gateway, then lift the stop.",
)
STOP_TURNED = entry(
    "stop.turned",
    "order {order}: was {before}, is now {now}",
    means="The gateway says otherwise of a charge than it did.",
    example="a declined charge that is successful now",
    remedy=_LOOK,
)
STOP_CANCELLED = entry(
    "stop.cancelled",
    "order {order}: {charge} was charged, and a person had said that it is never to be sent:"
    " {word}",
    means="A charge came to light of an order that a person had cancelled.",
    example="an older copy of the journal, and a word about an order that was charged since",
    remedy=_LOOK,
)
STOP_ODD = entry(
    "stop.odd",
    "order {order}: {charge} succeeded, and the gateway now says of it: {odd}",
    means="The gateway says of a paid charge what no paid charge is.",
    example="a paid charge whose status is pending",
    remedy=_LOOK,
)
STOP_TWO_ATTEMPTS = entry(
    "stop.two-attempts",
    "order {order}: two attempts took money: {charges}",
    means="An order was charged twice.",
    example="a failed charge that became successful after the order came back",
    remedy="Give one of them back at the gateway, then lift the stop.",
)
STOP_OTHER_RUN = entry(
    "stop.other-run",
    "{charge} was made for this job by another run, with another journal",
    means="Two machines run the same job with a journal each.",
    example="a cloned machine",
    remedy="Run the job with one journal only, then lift the stop.",
)
STOP_FOREIGN_KEY = entry(
    "stop.foreign-key",
    "{charge} carries this job's name and a key this job would not make",
    means="Something else charges in this job's name.",
    example="a charge that was copied by hand",
    remedy=_LOOK,
)
STOP_IN_NO_LIST = entry(
    "stop.in-no-list",
    "{charge} is in the journal, and no complete list of the gateway shows it",
    means="A charge that the gateway had told of is in none of its lists.",
    example="a gateway that lost a charge",
    remedy=_LOOK,
)
STOP_IN_NO_LIST_OF = entry(
    "stop.in-no-list-of",
    "order {order}: {charge} is in the journal, and no complete list of the gateway shows it",
    means="A charge that the gateway had told of is in none of its lists.",
    example="a gateway that lost a charge",
    remedy=_LOOK,
)
STOP_UNKNOWN = entry(
    "stop.unknown",
    "order {order}: {charge} is in the journal, and no complete list of the gateway shows it, nor"
    " does it know one of this id",
    means="A charge that the gateway had told of is there no more.",
    example="a gateway that lost a charge",
    remedy="Do what the row of that order says, then lift the stop.",
)

AND_ALSO = entry(
    "stop.and-also",
    "and also: {reason}",
    means="A stop has several reasons.",
    example="two charges that are not what was asked",
    remedy=_LOOK,
)

# --- what people had said, after a loss

_KEPT = "Nothing: it is so again, as it was before the loss."
KEPT_NONE = entry(
    "kept.none",
    "No report tells of an order that was cancelled since",
    means="A journal was lost or put back, and its reports tell of no word that it lacks.",
    example="a journal from a copy of last week",
    remedy="Whoever cancelled an order since says it again.",
)
KEPT_CANCELLED = entry(
    "kept.cancelled",
    "{count} orders cancelled since, kept so, as the reports tell: {orders}",
    one="1 order cancelled since, kept so, as the reports tell: {orders}",
    count="count",
    means="What a person said, and a journal that was lost or put back lacks.",
    example="a journal from a copy of last week",
    remedy=_KEPT,
)
KEPT_ROWS = entry(
    "kept.rows",
    "{count} rows cancelled since, kept so, as the reports tell",
    one="1 row cancelled since, kept so, as the reports tell",
    count="count",
    means="What a person said, and a journal that was lost or put back lacks.",
    example="a journal from a copy of last week",
    remedy=_KEPT,
)
KEPT_UNCHARGED = entry(
    "kept.uncharged",
    "{count} orders settled as not charged since, kept back, as the reports tell: {orders}",
    one="1 order settled as not charged since, kept back, as the reports tell: {orders}",
    count="count",
    means="What a person said, and a journal that was lost or put back lacks.",
    example="a journal from a copy of last week",
    remedy=_KEPT,
)
KEPT_STOP = entry(
    "kept.stop",
    "a stop that nobody lifted is in force again, as the reports tell",
    means="A stop that a journal which was lost or put back lacks.",
    example="a journal from a copy of last week",
    remedy=_LOOK,
)
LOST = entry(
    "kept.lost",
    "the journal is empty and was not always: {evidence}. What it knew may have been charged:"
    " {step}",
    means="Reports of this job were made from a journal that is not there any more.",
    example="a state folder that was cleared away",
    remedy="Put the journal back; if it is lost, run once with --adopt.",
)
BEHIND = entry(
    "kept.behind",
    "the journal is an older copy than others know: {evidence}. What was sent since is not in it,"
    " and nothing is said or written of it until that is known: {step}",
    means="A backup was put back, and no run has asked the gateway yet what it lacks.",
    example="batchpay report beside a state folder from a copy of last week",
    remedy="Run the job: it asks the gateway first, and takes over what the copy lacks.",
)
MADE_FROM = entry(
    "kept.made-from",
    "{path} was made from event {seq:d} of journal {journal}; it has {has:d}",
    means="What shows that a journal lost events.",
    example="reports/…/manifest.json was made from event 15 of journal 24b3921252a4; it has 0",
    remedy="Do what the message around it says.",
)
HAS_SEEN = entry(
    "kept.seen",
    "{path} has seen {seq:d} events; it has {has:d}",
    means="What shows that a journal lost events.",
    example="state/batchpay.db.night.lock has seen 15 events; it has 0",
    remedy="Do what the message around it says.",
)
HAS_SEEN_OTHER = entry(
    "kept.seen-other",
    "{path} has seen event {seq:d} of journal {journal}, which is not in it",
    means="What shows that a journal lost events, although it has as many.",
    example="….lock has seen event 15 of journal 24b3921252a4, which is not in it",
    remedy="Do what the message around it says.",
)
WHOSE = entry(
    "kept.whose",
    "{by} at {at}, which {report} tells and this journal took over",
    means="Whose word it was that a journal took over from a report after a loss.",
    example="kim at 2026-11-26T07:50:42Z, which the report … tells and this journal took over",
    remedy=_KEPT,
)
REPORT_BEFORE = entry(
    "kept.report",
    "the report {report} of before a loss of the journal",
    means="What told a journal again what a person had said.",
    example="the report 2026-11-26-a3edcdb9f29c of before a loss of the journal",
    remedy=_KEPT,
)

CHARGED_UNREAD = entry(
    "charged.unread",
    "in no sum, for nobody can read how much they took: {count} charges in {currency}",
    one="in no sum, for nobody can read how much it took: 1 charge in {currency}",
    count="count",
    means="Where the amount of a charge stands the gateway tells something else than a whole"
    " number.",
    example='an amount of "12345", as a text',
    remedy="See the charge in the gateway's dashboard; its row says what the gateway told.",
)

# --- charged twice

CHARGED_TWICE = entry(
    "twice.charged",
    "charged twice: {count} orders, {money} more at the gateway ({charges})",
    one="charged twice: 1 order, {money} more at the gateway ({charges})",
    count="count",
    means="The gateway has more than one charge of an order that took money.",
    example="a gateway that forgot the Idempotency-Key",
    remedy="Do what the rows of these orders say.",
)
CHARGE_GIVEN_BACK = entry(
    "twice.given-back",
    "{charge} (given back)",
    means="A charge too many, and its money went back.",
    example="chrg_test_2 (given back)",
    remedy="Nothing.",
)
CHARGE_NOTED = entry(
    "twice.noted",
    "{charge} (a person took note of it)",
    means="A charge too many that a person left as it is.",
    example="chrg_test_2 (a person took note of it)",
    remedy="Nothing.",
)
CHARGE_KEPT = entry(
    "twice.kept",
    "{charge} (what was too much was given back)",
    means="One of several charges: what they took too much in all went back.",
    example="chrg_test_2 (what was too much was given back)",
    remedy="Nothing.",
)
AND_MORE = entry(
    "twice.more",
    "and {more} more",
    means="A list that is longer than a screen shows.",
    example="and 7 more",
    remedy="report.json has all.",
)
