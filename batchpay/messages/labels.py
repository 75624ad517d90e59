"""LABELS: the words of the reports that people open: headings, columns, outcomes, whole lines.

>>> str(HEADING_ACTION())
'Needs action'
"""

from __future__ import annotations

from batchpay.messages.message import Entry, Message, entry


def _label(code: str, text: str, means: str) -> Entry:
    """A word or a line that explains itself: its example is itself."""
    return entry(code, text, means=means, example=text)


def _counted(code: str, one: str, text: str, means: str, count: str = "count") -> Entry:
    return entry(code, text, one=one, count=count, means=means, example=text)


# --- outcomes, and what each of them means for whoever reads it

_OUTCOME = "The name of an outcome."
OUTCOMES = (
    _label("outcome.succeeded", "succeeded", _OUTCOME),
    _label("outcome.unproven", "unproven", _OUTCOME),
    _label("outcome.pending", "pending", _OUTCOME),
    _label("outcome.declined", "declined", _OUTCOME),
    _label("outcome.expired", "expired", _OUTCOME),
    _label("outcome.reversed", "reversed", _OUTCOME),
    _label("outcome.refused", "refused", _OUTCOME),
    _label("outcome.rejected", "rejected", _OUTCOME),
    _label("outcome.duplicate", "duplicate", _OUTCOME),
    _label("outcome.conflict", "conflict", _OUTCOME),
    _label("outcome.in_doubt", "in doubt", _OUTCOME),
    _label("outcome.held", "held", _OUTCOME),
)
_BY_OUTCOME = {one.code.partition(".")[2]: one for one in OUTCOMES}


def outcome(name: str) -> Message:
    """An outcome, to be named where it is shown."""
    return _BY_OUTCOME[name]()


_TOLD = "What an outcome means, in the legend of the reports."
OUTCOMES_TOLD = (
    _label("outcome-told.succeeded", "charged, as it was asked", _TOLD),
    _label(
        "outcome-told.unproven", "charged, but not proven to be what was asked", _TOLD
    ),
    _label("outcome-told.pending", "at the gateway, which has not decided yet", _TOLD),
    _label("outcome-told.declined", "the payer's bank said no: not charged", _TOLD),
    _label("outcome-told.expired", "the payer did not pay in time: not charged", _TOLD),
    _label(
        "outcome-told.reversed", "taken back before any money moved: not charged", _TOLD
    ),
    _label(
        "outcome-told.refused", "the gateway refused the request: not charged", _TOLD
    ),
    _label("outcome-told.rejected", "the row is not right: never sent", _TOLD),
    _label(
        "outcome-told.duplicate",
        "another row asks for this order: not sent again",
        _TOLD,
    ),
    _label(
        "outcome-told.conflict",
        "contradicts another row of its order: never sent",
        _TOLD,
    ),
    _label(
        "outcome-told.in_doubt", "sent, and nobody knows yet what became of it", _TOLD
    ),
    _label("outcome-told.held", "right, and not sent yet", _TOLD),
)

# --- who acts

_PARTY = "Who has to do something about a row."
PARTIES = (
    _label("party.a person", "a person in charge", _PARTY),
    _label("party.engineer", "engineer", _PARTY),
    _label("party.accountant", "accountant", _PARTY),
    _label("party.payer", "payer", _PARTY),
    _label("party.next run", "next run", _PARTY),
    _label("party.-", "nobody", _PARTY),
)

# --- where the recipients' shares are

_TRANSFER = "Where a transfer to a recipient is."
TRANSFERS = (
    _label("transfer-at.created", "will be sent by the gateway", _TRANSFER),
    _label("transfer-at.sent", "sent to the bank", _TRANSFER),
    _label("transfer-at.paid", "arrived", _TRANSFER),
    _label("transfer-at.failed", "FAILED", _TRANSFER),
    _label("transfer-at.deleted", "TAKEN BACK", _TRANSFER),
    _label("transfer-at.untold", "no transfer told yet", _TRANSFER),
)

# --- columns

_COLUMN = "The heading of a column."
COLUMNS = (
    _label("column.file", "File", _COLUMN),
    _label("column.row", "Row", _COLUMN),
    _label("column.sheet", "Sheet", _COLUMN),
    _label("column.order_id", "Order", _COLUMN),
    _label("column.outcome", "Outcome", _COLUMN),
    _label("column.amount", "Amount", _COLUMN),
    _label("column.currency", "Currency", _COLUMN),
    _label("column.destination", "Recipient", _COLUMN),
    _label("column.payment_method", "Payment method", _COLUMN),
    _label("column.charge_id", "Charge", _COLUMN),
    _label("column.chain_id", "Chain", _COLUMN),
    _label("column.transfer_id", "Transfer", _COLUMN),
    _label("column.fee", "Gateway fee", _COLUMN),
    _label("column.fee_vat", "VAT on fee", _COLUMN),
    _label("column.net", "Net of fees", _COLUMN),
    _label("column.interest", "Interest with VAT", _COLUMN),
    _label("column.platform_fee", "Commission", _COLUMN),
    _label("column.recipient_amount", "Recipient's share", _COLUMN),
    _label("column.failure_code", "Failure code", _COLUMN),
    _label("column.error_code", "Error code", _COLUMN),
    _label("column.reason", "Reason", _COLUMN),
    _label("column.who_acts", "Who acts", _COLUMN),
    _label("column.attempts", "Attempts", _COLUMN),
    _label("column.idempotency_key", "Idempotency key", _COLUMN),
    _label("column.sent_at", "Sent", _COLUMN),
    _label("column.settled_at", "Settled", _COLUMN),
    _label("column.batch_id", "Batch", _COLUMN),
    _label("column.run_id", "Run", _COLUMN),
    _label("column.asked", "Asked for", _COLUMN),
    _label("column.charged_amount", "Charged", _COLUMN),
    _label("column.fee_currency", "Fee currency", _COLUMN),
    _label("column.funding_amount", "Funding amount", _COLUMN),
    _label("column.funding_currency", "Funding currency", _COLUMN),
    _label("column.authorize_uri", "Link for the payer", _COLUMN),
    _label("column.warnings", "Warnings", _COLUMN),
    _label("column.settled_by", "Settled by", _COLUMN),
    _label("column.mode", "Mode", _COLUMN),
    _label("column.ours", "Ours", _COLUMN),
    _label("column.age", "How old", _COLUMN),
    _label("column.sends", "Requests sent", _COLUMN),
    _label("column.transfer_status", "Transfer stands", _COLUMN),
    _label("column.transfer_amount", "Transferred", _COLUMN),
    _label("column.transfer_fee", "Transfer fee", _COLUMN),
    _label("column.bank_amount", "Arrives at the bank", _COLUMN),
    _label("column.transfer_code", "Why the transfer failed", _COLUMN),
    _label("column.transfer_sent_at", "Transfer sent", _COLUMN),
    _label("column.transfer_paid_at", "Transfer arrived", _COLUMN),
    _label("column.refunded_amount", "Given back since", _COLUMN),
    _label("column.dispute", "Dispute", _COLUMN),
    _label("column.expires_at", "To be paid before", _COLUMN),
    _label("column.qr_uri", "QR code for the payer", _COLUMN),
    _label("column.iso20022_status", "ISO 20022 status", _COLUMN),
    _label("column.iso20022_reason", "ISO 20022 reason", _COLUMN),
    _label("column.corrects", "Corrects the row", _COLUMN),
    _label("column.changed", "What changed", _COLUMN),
    _label("column.dashboard", "See it in the dashboard", _COLUMN),
    _label("column.code", "Code", _COLUMN),
    _label("column.told", "In plain words", _COLUMN),
    _label("column.seller", "Recipient, as the file says", _COLUMN),
    _label("column.arrived", "Arrived, of all orders", _COLUMN),
    _label("column.stuck", "Failed or taken back", _COLUMN),
    _label("column.untold", "No transfer told yet", _COLUMN),
    _label("column.again", "Worth asking again?", _COLUMN),
    _label("column.rows", "Rows", _COLUMN),
    _label("column.orders", "Orders", _COLUMN),
    _label("column.sum", "Sum", _COLUMN),
    _label("column.of", "Charges in", _COLUMN),
    _label("column.command", "Command to type", _COLUMN),
    _label("column.check", "Check", _COLUMN),
    _label("column.left", "Left side", _COLUMN),
    _label("column.right", "Right side", _COLUMN),
    _label("column.size", "Size", _COLUMN),
    _label("column.use", "What for", _COLUMN),
    _label("column.meaning", "Meaning", _COLUMN),
    _label("column.recounted", "Counted a second time", _COLUMN),
)

# --- headings

_HEADING = "A heading in the reports."
HEADING_ACTION = _label("heading.action", "Needs action", _HEADING)
HEADING_RESULTS = _label("heading.results", "All rows", _HEADING)
HEADING_RECIPIENTS = _label("heading.recipients", "Money to recipients", _HEADING)
HEADING_CODES = _label("heading.codes", "Why rows were not charged", _HEADING)
HEADING_FEES = _label("heading.fees", "Fees and shares", _HEADING)
HEADING_EARNED = _label("heading.earned", "What we earned", _HEADING)
HEADING_EQUATIONS = _label("heading.equations", "Does it add up?", _HEADING)
HEADING_MONEY = _label("heading.money", "Where every row and its money went", _HEADING)
HEADING_AUDITS = _label(
    "heading.audits", "Audits: held against the gateway's own books", _HEADING
)
HEADING_LAST_RUN = _label(
    "heading.last-run", "The last run, over all of its files", _HEADING
)
HEADING_RUN = _label("heading.run", "The last run that changed this batch", _HEADING)
HEADING_EXITS = _label("heading.exits", "What exit codes say", _HEADING)
HEADING_SENDERS = _label(
    "heading.senders", "The runs that sent these charges", _HEADING
)
HEADING_TIME = _label("heading.time", "All charges of this batch over time", _HEADING)
HEADING_LATE = _label("heading.late", "Changes after the first night", _HEADING)
HEADING_TRANSFERS = _label(
    "heading.transfers", "Where the recipients' shares are", _HEADING
)
HEADING_NIGHTS = _label("heading.nights", "All nights", _HEADING)
HEADING_TREND = _label("heading.trend", "Rows by night", _HEADING)
HEADING_OPEN = _label(
    "heading.open", "Open", "Rows that wait for a run, a payer or a person."
)
HEADING_DECLINES = _label("heading.declines", "Share of declined charges", _HEADING)
HEADING_MISSED = _label("heading.missed", "Days without a run", _HEADING)
HEADING_FILES = _label("heading.files", "Files beside this page", _HEADING)
HEADING_SOURCE = _label("heading.source", "What this report was made from", _HEADING)
HEADING_STORIES = _label("heading.stories", "What happened to single orders", _HEADING)
HEADING_EVENTS = _label("heading.events", "What happened, and when", _HEADING)
HEADING_NOTES = _label("heading.notes", "Notes", _HEADING)

# --- names of single facts

_FACT = "The name of a fact about a batch or a run."
FACT_JOB = _label("fact.job", "Job", _FACT)
FACT_FILE = _label("fact.file", "Input file", _FACT)
FACT_BATCH = _label("fact.batch", "Batch", _FACT)
FACT_MODE = _label("fact.mode", "Mode", _FACT)
FACT_RECEIVED = _label("fact.received", "First received", _FACT)
FACT_RUN = _label("fact.run", "Run", _FACT)
FACT_COMMAND = _label("fact.command", "Started as", _FACT)
FACT_SETTINGS = _label("fact.settings", "Settings of the job", _FACT)
FACT_STARTED = _label("fact.started", "Started", _FACT)
FACT_ENDED = _label("fact.ended", "Ended", _FACT)
OF_BOTH = _label(
    "fact.of-both",
    "{own} of this file; {whole} in the whole run",
    "A number of a run, for one file and for all.",
)
FACT_REQUESTS = _label("fact.requests", "Requests to the gateway", _FACT)
REQUESTS = _label(
    "fact.requests-told",
    "{sent} in the whole run; answered with 429: {throttled}, with 5xx: {errors}",
    "How much a run asked of the gateway, and of these answers those that were trouble.",
)
FACT_SENT = _label("fact.sent", "Charges sent", _FACT)
FACT_CHARGED = _label("fact.charged", "Newly charged", _FACT)
FACT_LOOKED_UP = _label("fact.looked-up", "Looked up", _FACT)
FACT_ADOPTED = _label(
    "fact.adopted", "Found at the gateway, unknown to the journal", _FACT
)
FACT_HELD = _label("fact.held", "Why some were not sent", _FACT)
FACT_EXIT = _label("fact.exit", "Exit code", _FACT)
FACT_ACCOUNT = _label("fact.account", "Account at the gateway", _FACT)
FACT_GATEWAY = _label("fact.gateway", "The gateway's address", _FACT)
FACT_ZONE = _label("fact.zone", "Times are of", _FACT)
FACT_JOURNAL = _label("fact.journal", "Journal", _FACT)
FACT_EVENT = _label("fact.event", "Journal event", _FACT)
FACT_DIGEST = _label("fact.digest", "Digest of that event", _FACT)
FACT_SHA256 = _label("fact.sha256", "SHA-256 of the input", _FACT)
FACT_VERSION = _label("fact.version", "Version", _FACT)
FACT_SLOWEST = _label("fact.slowest", "Longest wait for an end", _FACT)
FACT_MEDIAN = _label("fact.median", "Half of all ended within", _FACT)
FACT_TOTAL = _label("fact.total", "Total", _FACT)
FACT_OK = _label("fact.ok", "OK", "A check that holds.")
FACT_DIFFERS = _label("fact.differs", "DIFFERS", "A check that does not hold.")
FACT_UNKNOWN = _label(
    "fact.unknown", "unknown", "Stands where a currency or a code is not known."
)

# --- equations

_EQUATION = "The name of an equation that must close."
EQUATIONS = (
    _label(
        "equation.rows",
        "rows read = rejected + duplicate + conflict + held + sent",
        _EQUATION,
    ),
    _label("equation.charged", "amounts asked = amounts charged", _EQUATION),
    _label(
        "equation.charged-but",
        "amounts asked = amounts charged + differences that a person knows of",
        _EQUATION,
    ),
    _label("equation.sums", "amounts read = amounts of the rows reported", _EQUATION),
    _label(
        "equation.sent",
        "rows with a send = sum of the outcomes of sent rows",
        _EQUATION,
    ),
    _label(
        "equation.since",
        "charged since the counts before this run = charged and adopted by it",
        _EQUATION,
    ),
    _label("equation.file", "rows in the file = rows reported", _EQUATION),
)

# --- whole lines

_VERDICT = "The first line of a report, by its exit code."
VERDICTS = (
    _label("verdict.0", "All is well. Nobody has anything to do.", _VERDICT),
    _label(
        "verdict.10",
        "Finished. Some rows need a correction or another payment.",
        _VERDICT,
    ),
    _label("verdict.11", "Not finished yet. A later run is needed.", _VERDICT),
    _label(
        "verdict.12", "Something does not add up. A person must look today.", _VERDICT
    ),
)
NOT_AS_ASKED = _label(
    "verdict.not-as-asked",
    "Something is not as it was asked for. A person must look today.",
    _VERDICT,
)
UNDER_A_STOP = _label(
    "verdict.stopped",
    "A stop is in force: a person must look today. Of this file itself: {own}",
    _VERDICT,
)

_LINE = "A line of the reports."
TEST = _label(
    "page.test", "TEST: no money of anybody moved", "Stands large in test mode."
)
CHARGED = _label("page.charged", "{money} charged", _LINE)
NOTHING_CHARGED = _label("page.nothing-charged", "Nothing was charged", _LINE)
ROWS = _counted("page.rows", "{count} row", "{count} rows", "A number of rows.")
SECONDS = _counted(
    "page.seconds", "{count} second", "{count} seconds", "A number of seconds."
)
SENT_ROWS = _label(
    "page.sent", "sent to the gateway", "The part of the rows that was sent."
)
ALL_ROWS = _label("page.all", "rows read", "All rows of a file.")
WORD_OF = entry(
    "page.word",
    "{by} on {at}: {reason}",
    means="A person's word: whose, when and why.",
    example="kim on 24 Nov 2026: asked the bank",
)
ROWS_READ = _counted(
    "page.read", "{count} row read", "{count} rows read", "All rows of a file."
)
REFUSED = _label(
    "page.refused", "The whole file is refused, nothing of it was sent.", _LINE
)
STOPPED = _label(
    "page.stopped",
    "STOP: nothing is sent before a person has looked.",
    "A stop is in force.",
)
NO_ACTION = _label(
    "page.no-action", "Nobody has anything to do about this batch.", _LINE
)
ONLY_THE_STOP = _label(
    "page.only-the-stop", "No row of this batch; but the stop is for a person.", _LINE
)
MORE_ROWS = _counted(
    "page.more",
    "{count} more row is not listed here: results.csv has it.",
    "{count} more rows are not listed here: results.csv has them.",
    "A list is longer than the page shows.",
)
STORY = _label(
    "page.story",
    "The whole story of one order: {command}",
    "How to see more of one order.",
)
VERIFY = _label(
    "page.verify",
    "manifest.json names the SHA-256 of each of these files, and the event of the journal that"
    " they were made from. {command} holds the files against it, and the journal against its own"
    " chain of digests; the page docs/journal.md of batchpay tells the bytes of that chain, and has"
    " a program of twenty lines that checks it without batchpay.",
    "Below the files of a report.",
)
SHEET_LIMITED = _label(
    "page.sheet-limited",
    "The file has {rows} rows, more than {most}: sheet Results lists the {listed} rows that did not"
    " simply succeed; results.csv and results.parquet have all of them.",
    "By which rule the workbook of a very large night leaves rows out.",
)
SHEET_CUT = _label(
    "page.sheet-cut",
    "Even these are more than {most}: sheet Results ends with the first {most} of them.",
    "A very large night of which very many rows did not succeed.",
)
PAGE_LIMITED = _label(
    "page.limited",
    "The file has {rows} rows, more than {most}: this page lists the first {listed} rows that did"
    " not simply succeed; results.csv has all rows.",
    "By which rule the page of a very large night leaves rows out.",
)
CHUNK = _label(
    "page.chunk",
    "Rows {first} to {last}",
    "A part of the rows that can be opened on the page.",
)
SEARCH = _label("page.search", "Search", "Beside the field for a search.")
SEARCH_HINT = _label(
    "page.search-hint",
    "order, recipient, charge, reason …",
    "What may be searched for.",
)
EVERY = _label("page.every", "all", "No filter is chosen.")
SHOWN = _label(
    "page.shown", "{found} of {rows} rows", "How many rows a search has found."
)
PREVIOUS = _label("page.previous", "Previous", "A button.")
NEXT = _label("page.next", "Next", "A button.")
SKIP = _label(
    "page.skip", "Skip to all rows", "A link for people who do not see the page."
)
SORT_HINT = _label(
    "page.sort-hint",
    "Click on a heading to sort.",
    "Says that the table can be sorted.",
)
NOT_REVIEWED = _label(
    "page.not-reviewed",
    "This language was translated without a native speaker's review. In doubt the English report"
    " holds.",
    "Stands in the reports of a language that no native speaker has read.",
)
SINCE_REPORT = _label(
    "page.since-report",
    "Since the report of {at} this changed:",
    "Above what a report has otherwise than the one before it.",
)
SAME_AS_BEFORE = _label(
    "page.same-as-before",
    "Since the report of {at} no row ended otherwise, and no sum changed.",
    _LINE,
)
CHANGED = _label(
    "page.changed", "{name}: {before} → {now}", "A count or a sum that changed."
)
REFUNDED_SUM = _label("page.refunded-sum", "Given back to payers", _LINE)
NOTHING_LATE = _label(
    "page.nothing-late",
    "No refund, no dispute and no failed transfer was heard of on a day after its charge.",
    _LINE,
)
CHARGED_ONCE = _label(
    "page.charged-once",
    "By this journal no order of this file took money more than once.",
    _LINE,
)
CHARGED_MORE = _counted(
    "page.charged-more",
    "1 order was charged more than once: its reason names each charge.",
    "{count} orders were charged more than once: their reasons name each charge.",
    "Orders of which the gateway has more than one charge that took money.",
    "count",
)
BOOKS = _label(
    "page.books",
    "This holds our journal against itself. Against the gateway's own ledger: {command}",
    "How the sums are held against the gateway.",
)
ATTEMPT = _label(
    "page.attempt", "Attempt {number}", "One try at a charge, in an order's story."
)
LATE = _label(
    "page.late",
    "{order}: {outcome} on {day}, sent on {sent}",
    "A row that ended on a later day.",
)
LATER = _label(
    "page.later", "{order}: {what}", "What happened to a charge after its run."
)
LIFTED = _label(
    "page.lifted",
    "{by} lifted a stop on {day}: {reason} (the stop: {stop})",
    "A stop was lifted.",
)
OURS = _label(
    "page.ours", "ours", "What the platform keeps: its commission less the fees."
)
GIVEN_BACK = _label(
    "page.given-back",
    "{money} of what was charged was given back to payers since; it is not taken off here.",
    "Beside what was earned.",
)
COSTS_LEFT_OUT = _counted(
    "page.costs-left-out",
    "Not in these sums: fee, VAT or net of {count} charge in {currency}, for the gateway tells"
    " none, or what it tells cannot be true or read: what is ours is told without them. The column"
    " of warnings has what it tells.",
    "Not in these sums: fee, VAT or net of {count} charges in {currency}, for the gateway tells"
    " none, or what it tells cannot be true or read: what is ours is told without them. The column"
    " of warnings has what it tells.",
    "Below what was earned, and what the gateway kept.",
)
ROWS_NOT_CHARGED = _counted(
    "page.rows-not-charged",
    "In all {count} row that was not charged, or not yet: each stands once, under its first"
    " reason.",
    "In all {count} rows that were not charged, or not yet: each stands once, under its first"
    " reason.",
    "Below why rows were not charged.",
)
IS_FINAL = _label(
    "page.final",
    "This is all of it: nothing of this file moves by itself any more.",
    _LINE,
)
NOT_FINAL = _label(
    "page.not-final", "This is not all of it yet. It waits for: {what}", _LINE
)
TRANSFERS_MOVING = _counted(
    "page.transfers-moving",
    "{count} transfer to a recipient",
    "{count} transfers to recipients",
    "What a batch waits for.",
)
RUN_FILES = _counted(
    "page.run-files",
    "The file that this run read or changed, as it stands now over all runs:",
    "The {count} files that this run read or changed, as they stand now over all runs:",
    "Above the sums of all files of a run.",
)
OF_ALL_BATCHES = _label(
    "page.of-all",
    "{code} over all files of that run and all that was open; this file alone: {own}",
    "Beside the exit code of a run.",
)
TALLEST = _label(
    "page.tallest",
    "The tallest bar: {most}; from {first} to {last}",
    "The scale of a chart over nights.",
)
BESIDE_TOTALS = _label(
    "page.beside-totals",
    "Beside it, and not in it: {sum} in total rows, which are no orders.",
    "Below the sum of what all rows ask for.",
)
WARNED = _counted(
    "page.warned",
    "{count} row has a warning: the column of warnings tells which.",
    "{count} rows have warnings: the column of warnings tells which.",
    _LINE,
)
NOTHING_OPEN = _label(
    "page.nothing-open",
    "No charge of any night waits: none is pending, in doubt, unproven or held.",
    _LINE,
)
NO_RUN = _label(
    "page.no-run",
    "No run: nothing was started, or the file was missing and not optional (exit 66)",
    "A day without a run, in the list of all nights.",
)
NO_END = _label(
    "page.no-end",
    "A run began and did not come to its end: no new file",
    "A day whose last run was killed.",
)
AUDITED = _label(
    "page.audited",
    "made {at}; differences: {differences}, of which nobody took note: {open}",
    "What an audit came to, behind its days.",
)
EXIT_PERSON = _label(
    "page.exit-12",
    "a person must look: something is not as it was asked for, is not proven, or does not agree"
    " with what was noted",
    "What the exit code 12 of a run says.",
)
RUN_NO_END = _label(
    "page.run-no-end",
    "did not end: it was killed, or its machine stopped",
    "Beside a run without an exit code.",
)
NO_NEW_FILE = _label(
    "page.no-new-file",
    "No new file; the run ended with {code}",
    "A day with a run and without a file that was new.",
)
CALENDAR = _label(
    "page.calendar",
    "Each day from the first run to the last on which no file first came has a row of its own. A"
    " weekday on which, of two or more, no run began on more than half is a day of rest: it has a"
    " row only when a run began.",
    "By which rule the list of all nights is made.",
)
AGE = _counted(
    "page.age", "within 1 day", "within {days} days", "How old open rows are.", "days"
)
AGE_MORE = _label(
    "page.age-more", "more than {days} days ago", "How old open rows are."
)
MORE_NIGHTS = _counted(
    "page.more-nights",
    "{count} older night is not listed here.",
    "{count} older nights are not listed here.",
    "The list of nights is longer than the page shows.",
)
TREND_ALT = _label(
    "page.trend-alt", "Bars: one for each night", "What a chart shows, in words."
)
CHART_ALT = _label(
    "page.chart-alt",
    "Bars: how many of the rows ended how",
    "What a chart shows, in words.",
)
TIME_ALT = _label(
    "page.time-alt",
    "Bars: charges sent in each part of the run",
    "What a chart shows, in words.",
)
NOT_CHARGED = _label(
    "page.not-charged", "not charged", "The part of the money that did not move."
)
ASKED = _label("page.asked", "asked for", "What all rows together ask for.")
RATE = _label(
    "page.rate",
    "Busiest: {most} charges within {seconds} s; a bar is {seconds} s wide",
    "The scale of the chart over time.",
)
ARRIVED = _label(
    "page.arrived",
    "{arrived} of {orders} arrived",
    "How many of a recipient's transfers arrived.",
)
UNTOLD = _counted(
    "page.untold",
    "beside it {money} of {count} order: no transfer told yet",
    "beside it {money} of {count} orders: no transfer told yet",
    "Below what arrives at a recipient's bank.",
)
FOLLOWED = _label(
    "page.followed",
    "As the gateway told when it was last asked about transfers, {at}. A share of which it told"
    " no transfer by then is asked about by later runs.",
    "Below the recipients and their money.",
)
AGREED = _label(
    "page.agreed",
    "Agreed: at most {rate}, look-ups among them.",
    "The job's rate, beside what was sent.",
)
TOLD_429 = _counted(
    "page.told-429",
    "The gateway answered {count} charge with 429, too many requests: {at}",
    "The gateway answered {count} charges with 429, too many requests: {at}",
    "Whether the gateway was asked too often.",
)
NEVER_429 = _label(
    "page.never-429",
    "The gateway answered no charge with 429.",
    "The gateway was not asked too often.",
)
CURRENCY_SUM = _label(
    "page.currency",
    "{currency}: {rows}, {sum} asked for",
    "Above a currency's picture.",
)

# --- the verdict on the terminal

_VERDICT_LINE = "A line of the verdict that run and settle end with on the terminal."
ORDERS = _counted(
    "verdict.orders", "{count} order", "{count} orders", "A number of orders."
)
THIS_RUN = _label(
    "verdict.this-run",
    "this run: sent {orders}{outcomes}, charged {money}",
    _VERDICT_LINE,
)
RUN_LOOKED_UP = _label("verdict.looked-up", "looked up {orders}", _VERDICT_LINE)
RUN_ADOPTED = _counted(
    "verdict.adopted",
    "adopted {count} charge that the journal did not know; those that took money: {money}",
    "adopted {count} charges that the journal did not know; those that took money: {money}",
    _VERDICT_LINE,
)
RUN_LOST = _label(
    "verdict.lost",
    "found the journal empty, which it had not been: it was lost",
    _VERDICT_LINE,
)
RUN_RESTORED = _label(
    "verdict.restored",
    "found the journal older than it had been: an older copy of it is back",
    _VERDICT_LINE,
)
WARNING = _label("verdict.warning", "warning: {text}", _VERDICT_LINE)
NEAR_WARNED = _counted(
    "verdict.near",
    "{count} order asks for the same payer, recipient and amount as another of the last ten days:"
    " the column warnings of results tells which",
    "{count} orders ask for the same payer, recipient and amount as another of the last ten days:"
    " the column warnings of results tells which",
    _VERDICT_LINE,
)
ODD = _counted(
    "verdict.odd",
    "{count} order has a warning of its own: the column warnings of results tells what",
    "{count} orders have warnings of their own: the column warnings of results tells what",
    _VERDICT_LINE,
)
NOT_EQUAL = _label(
    "verdict.not-equal", "DOES NOT ADD UP: {name}: {left} is not {right}", _VERDICT_LINE
)
STOP_LINE = _label("verdict.stop", "STOP: {stop}; {step}", _VERDICT_LINE)
HELD_THE_REST = _label("verdict.held", "held the rest: {why}", _VERDICT_LINE)
WENT_NO_FURTHER = _label("verdict.no-further", "went no further: {why}", _VERDICT_LINE)
OF_BATCH = _label(
    "verdict.batch", "{file} ({mode}batch {batch}): {rows}", _VERDICT_LINE
)
WHOLE_BATCH = _label(
    "verdict.whole", "the whole batch, over all runs: charged {money}", _VERDICT_LINE
)
REPORTS_IN = _label("verdict.reports", "reports in {directory}", _VERDICT_LINE)
REPORTS_LEFT = _label(
    "verdict.reports-left",
    "reports in {directory} are as they were: this run learned nothing new of this batch",
    _VERDICT_LINE,
)
TALLY = (
    _label("tally.this-run", "this run", "A heading of the table of `run --summary`."),
    _label(
        "tally.batch",
        "the batch, all runs",
        "A heading of the table of `run --summary`.",
    ),
)
TALLY_BATCHES = _label(
    "tally.batches",
    "{count} batches, all runs",
    "A heading of the table of `run --summary`.",
)
NOTE = _label("verdict.note", "note: {text}", _VERDICT_LINE)
ALSO_WRITTEN = _label("verdict.also", "also written: {path}", _VERDICT_LINE)
EXIT = _label("verdict.exit", "exit {code}: {step}", _VERDICT_LINE)
NOTHING_TO_DO = _label(
    "verdict.nothing", "{job}: no file and nothing open", _VERDICT_LINE
)

# --- files

_FILE = "What a report file is for."
FILES = (
    _label("use.results.csv", "every row once, for programs and imports", _FILE),
    _label("use.results.parquet", "the same, typed, for engineers", _FILE),
    _label("use.report.json", "sums and equations, for programs", _FILE),
    _label("use.report.xlsx", "the workbook, for accountants", _FILE),
    _label("use.rejects", "rows to correct and to send back as a new file", _FILE),
    _label("use.manifest.json", "SHA-256 of every file, for auditors", _FILE),
)

# --- why a payer's bank said no

_FAILURE = "What a failure code of the gateway means."
FAILURES = (
    _label(
        "failure.insufficient_fund",
        "not enough money, or the card's limit is reached",
        _FAILURE,
    ),
    _label(
        "failure.insufficient_balance",
        "not enough money in the wallet or account",
        _FAILURE,
    ),
    _label("failure.failed_processing", "the bank could not process it", _FAILURE),
    _label("failure.timeout", "the payer did not act in time", _FAILURE),
    _label("failure.payment_rejected", "the bank refused and gave no reason", _FAILURE),
    _label("failure.payment_cancelled", "the payer cancelled", _FAILURE),
    _label(
        "failure.confirmed_amount_mismatch",
        "another amount was confirmed than charged",
        _FAILURE,
    ),
    _label("failure.failed_fraud_check", "suspected fraud", _FAILURE),
    _label(
        "failure.stolen_or_lost_card", "the card is reported stolen or lost", _FAILURE
    ),
    _label("failure.invalid_security_code", "the security code is wrong", _FAILURE),
    _label("failure.invalid_account_number", "there is no such account", _FAILURE),
    _label("failure.invalid_account", "there is no such account", _FAILURE),
)
# what a shop may do about it; https://docs.omise.co/api-errors names the codes, not what to do
_AGAIN = "Whether a charge that failed with a code is worth asking for again."
AGAIN = (
    _label("again.insufficient_fund", "yes, later or with another card", _AGAIN),
    _label("again.insufficient_balance", "yes, once there is money in it", _AGAIN),
    _label("again.failed_processing", "yes, later", _AGAIN),
    _label("again.timeout", "yes, when the payer is there to act", _AGAIN),
    _label(
        "again.payment_rejected",
        "with another card; the payer asks the bank why",
        _AGAIN,
    ),
    _label("again.payment_cancelled", "only if the payer still wants it", _AGAIN),
    _label("again.confirmed_amount_mismatch", "no: ask the gateway first", _AGAIN),
    _label("again.failed_fraud_check", "no: find out who the payer is first", _AGAIN),
    _label("again.stolen_or_lost_card", "never with this card", _AGAIN),
    _label("again.invalid_security_code", "yes, with the right code", _AGAIN),
    _label("again.invalid_account_number", "with another card or account", _AGAIN),
    _label("again.invalid_account", "with another card or account", _AGAIN),
)

# --- the rows that are sent back

SAY_YES = _label(
    "rejects.say-yes",
    "once it is put right in this file, write yes in batchpay_retry",
    "Stands behind the reason of a row whose fault its cells do not show.",
)
