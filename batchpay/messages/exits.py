"""EXITS: what stands beside an exit code: the next step, and who must act about how many orders."""

from __future__ import annotations

from batchpay.messages.message import entry
from batchpay.messages.steps import KEY_SOURCES

WELL = entry(
    "exit-0", "nothing to do", means="All is well.", example="every order was charged"
)
ROWS = entry(
    "exit-10",
    "the accountant: correct the rows in the rejects file and send it as a new file",
    means="Rows to correct: some rows need the accountant or the payer; all others are settled.",
    example="a row whose amount is 1.234,50",
)
LATER = entry(
    "exit-11",
    "start the run again later: it asks about what is pending or in doubt and sends what was held",
    means="A later run is needed.",
    example="a QR payment that nobody has paid yet",
)
NOT_ADDING_UP = entry(
    "exit-12",
    "a person must look before anything is sent again: each reason, and the STOP, says what to do",
    means="Something does not add up.",
    example="a charge of another amount than was asked",
)
NO_STOP = entry(
    "exit-12.no-stop",
    "a person must look: each reason says what to do; no stop is in force, other orders are sent",
    means="Something does not add up, and no stop keeps other orders from being sent.",
    example="a charge that is not proven, after its stop was lifted",
)
USAGE = entry(
    "exit-64",
    "look at the command with --help and say it again",
    means="The command line asks for something that makes no sense.",
    example="batchpay run job.toml --limit none",
)
REFUSED = entry(
    "exit-65",
    "do what is said about the file, then run again: nothing more of it is sent",
    means="The file is refused as a whole.",
    example="a file that was cut",
)
MISSING = entry(
    "exit-66",
    "put the file where [input] file, or --input, says",
    means="The input is missing.",
    example="a night without an export",
)
SILENT = entry(
    "exit-69",
    "check the network, [gateway] url and whether the gateway itself has an incident, then run"
    " again",
    means="The gateway gave not one answer.",
    example="a network that is down",
)
BUG = entry(
    "exit-70",
    "report it; nothing that was sent is lost",
    means="A bug: the program broke one of its own rules, and stopped.",
    example="none that is known",
)
NO_WRITING = entry(
    "exit-73",
    "make room, or give this user the right to write there, then run again",
    means="A file cannot be written.",
    example="a full disk",
)
DISK = entry(
    "exit-74",
    "do what is said about the journal, if it is that; else check the disk, then run again",
    means="Reading or writing failed, or the journal is damaged.",
    example="a bad block under the state",
)
AGAIN = entry(
    "exit-75",
    "run the same command again",
    means="Another run is at work, or this one was interrupted.",
    example="two runs of one job at the same time",
)
FORBIDDEN = entry(
    "exit-77",
    f"check {KEY_SOURCES}, then run again",
    means="The gateway refuses the key.",
    example="a key that was made void",
)
SET_UP = entry(
    "exit-78",
    "correct the job file or the environment, then run again",
    means="The job file, the environment or the journal is wrong.",
    example="a job file with a key that there is not",
)
UNKNOWN = entry(
    "exit",
    "see the message",
    means="An exit code that is not batchpay's own.",
    example="a process that was killed",
)
LAST_RUN = entry(
    "exit.last-run",
    "the last run ended with {code:d}: {step}",
    means="What kept the last run from going on keeps the next one, too.",
    example="a night that ended with 78",
)
NOTHING_OPEN = entry(
    "exit-0.nothing-open",
    "nothing is open: no later run is needed",
    means="Status tells of rows to correct, and of nothing that waits for a run.",
    example="a night with one rejected row",
)
SEEN_TO = entry(
    "exit-10.seen-to",
    "nothing to do: a person has cancelled, or taken as it is, what is not as it was asked",
    means="Some rows are not as they were asked, and a person has said that this is well.",
    example="a night with one cancelled order",
)

# --- who must act

A_PERSON = entry(
    "acts-person",
    "a person: {orders} orders to look at: the reason says what to do",
    one="a person: {orders} order to look at: the reason says what to do",
    count="orders",
    means="Orders of which nobody but a person can tell what is to be done.",
    example="a charge that does not prove what was asked",
)
ENGINEER = entry(
    "acts-engineer",
    "the engineer: {orders} orders whose setting or account needs mending, as the reason says",
    one="the engineer: {orders} order whose setting or account needs mending, as the reason says",
    count="orders",
    means="Orders that wait for the job, the account at the gateway or the machine.",
    example="a request that the gateway refused",
)
ACCOUNTANT = entry(
    "acts-accountant",
    "the accountant: {orders} orders to see to as the reason says",
    one="the accountant: {orders} order to see to as the reason says",
    count="orders",
    means="Orders that wait for whoever makes the file.",
    example="two rows that contradict each other in an earlier batch",
)
PAYER = entry(
    "acts-payer",
    "the payer: {orders} orders to authorise or to pay, as the reason says (authorize_uri)",
    one="the payer: {orders} order to authorise or to pay, as the reason says (authorize_uri)",
    count="orders",
    means="Orders that wait for the payer.",
    example="a charge that waits for 3-D Secure",
)
NEXT_RUN = entry(
    "acts-next-run",
    "the next run: {orders} orders to ask about or to send: start the run again later",
    one="the next run: {orders} order to ask about or to send: start the run again later",
    count="orders",
    means="Orders that the next run sees to by itself.",
    example="an answer that was lost a second ago",
)
GIVEN = entry(
    "acts-next-run.given",
    "{files} are not the job's own files: what is held of them goes in runs with --input and them",
    one="{files} is not the job's own file: what is held of it goes in a run with --input and it",
    count="number",
    means="Orders are held of a file that was given with --input: a run of the job alone does not"
    " read it.",
    example="a run with --input and --limit",
)
ACCOUNTANT_REJECTS = entry(
    "acts-accountant.rejects",
    "the accountant: {orders} orders to see to as the reason says, in the rejects file: what is"
    " corrected comes back as a new file",
    one="the accountant: {orders} order to see to as the reason says, in the rejects file: what is"
    " corrected comes back as a new file",
    count="orders",
    means="Rows of the rejects file that wait for whoever makes the file.",
    example="a row whose amount is 1.234,50",
)
PAYER_REJECTS = entry(
    "acts-payer.rejects",
    "the payer: {orders} orders to pay again, as the reason says, from the rejects file",
    one="the payer: {orders} order to pay again, as the reason says, from the rejects file",
    count="orders",
    means="Rows of the rejects file that wait for the payer.",
    example="a declined card",
)
ACCOUNTANT_BOTH = entry(
    "acts-accountant.both",
    "the accountant: {orders} orders to see to as the reason says, {back} of them in the rejects"
    " file: what is corrected comes back as a new file",
    means="Some orders of the accountant stand in the rejects file, and some do not.",
    example="a row to correct, and a held order of another night",
)
PAYER_BOTH = entry(
    "acts-payer.both",
    "the payer: {orders} orders, {own} to authorise or to pay, as the reason says (authorize_uri),"
    " {back} to pay again, as the reason says, from the rejects file",
    means="Some orders of the payer stand in the rejects file, and some do not.",
    example="a declined card, and a charge that waits for 3-D Secure",
)
