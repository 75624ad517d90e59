"""CHARGE + JOURNAL: where plan, gateway and journal meet.

means      what every part of a run works with
run        the sequence of a run, step by step
channel    the paced and guarded way to the gateway: rate limit, 429, pauses, a refused key
recorder   all that is written of intents and evidence, and nowhere else
weighing   what evidence is of an attempt, decided before it is written
cases      the orders of this run, and what the journal has of the earlier ones
whose      the order and attempt that a charge is of
strays     charges that nothing tells whose they are
expected   what the gateway's lists must show, and what is no news of them
belonging  whose account this journal is of
shown_before  does an account show a charge that this journal has proof of?
entries    the lines of a run that are not about one attempt
evidence   is what is told of an attempt news, and does it break a promise?
in_force   what holds a job back until a person has told, and whose its journal is
queue      who is sent next, and how far a run may go
reach      nothing goes again before a list has reached back to its first request
throttled  who was told 429 goes again after the gateway's list, not before
preflight  may each recipient be paid at all?
lists      all that reads the gateway's own list of charges, and holds it against the journal:
since      from when a list begins, so that it shows what it must
by_id      one charge, asked for by its id
witnesses  what a list must show; without that it proves no absence
may_be     is a charge of which nothing tells whose it is an attempt's own?
odd        what a list tells so that it cannot be read
reading    one list, to its end
absorbing  what a list shows of this job enters the journal
unshown    what becomes of a charge with proof that no list shows
bound      up to when a completed list speaks
first_look before a run sends anything it lists what there is, and takes over what is its own
watching   lists while orders are sent, and after them
paging     any list, page by page
ledger     the account's own ledger, whole or not at all
others     other jobs' charges of the same orders
following  where the shares of earlier charges are, refunds, disputes: last, and in nobody's way
doubts     what became of the sends that nobody answered
loop       the workers, the deadline, and when sending is over
slots      how many requests are under way at once
pacing     rate and backoff, pure
"""

from batchpay.settlement.cases import Case
from batchpay.settlement.channel import Channel
from batchpay.settlement.first_look import Look
from batchpay.settlement.following import Follows
from batchpay.settlement.loop import Settlement
from batchpay.settlement.means import Means
from batchpay.settlement.preflight import Preflight, preflight
from batchpay.settlement.queue import Candidate, Limits
from batchpay.settlement.recorder import Recorder
from batchpay.settlement.run import (
    Brought,
    Progress,
    Run,
    Surveyed,
    account_of,
    at_gateway,
    enter,
    take_account,
    why_whose_unknown,
)

__all__ = [
    "Brought",
    "Candidate",
    "Case",
    "Channel",
    "Follows",
    "Limits",
    "Look",
    "Means",
    "Preflight",
    "Progress",
    "Recorder",
    "Run",
    "Settlement",
    "Surveyed",
    "account_of",
    "at_gateway",
    "enter",
    "preflight",
    "take_account",
    "why_whose_unknown",
]
