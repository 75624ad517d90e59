"""CHARGE + JOURNAL: where plan, gateway and journal meet.

run        the sequence of a run, step by step
channel    the paced and guarded way to the gateway: rate limit, 429, pauses, a refused key
recorder   what is known of each order, and how it is written down: the only writer of evidence
evidence   is what is told of an attempt news, and does it break a promise?
in_force   what holds a job back until a person has told, and whose its journal is
queue      who is sent next, and how far a run may go
preflight  may each recipient be paid at all?
lists      the gateway's own list of charges, held against the journal
books      the account's own ledger, whole or not at all
others     other jobs' charges of the same orders
following  where the shares of earlier charges are, refunds, disputes: last, and in nobody's way
doubts     what became of the sends that nobody answered
loop       the workers, the deadline, and when sending is over
pacing     rate and backoff, pure
"""

from batchpay.settlement.channel import Channel
from batchpay.settlement.following import Follows
from batchpay.settlement.lists import Look
from batchpay.settlement.loop import Settlement
from batchpay.settlement.preflight import Preflight, preflight
from batchpay.settlement.queue import Candidate, Limits
from batchpay.settlement.recorder import Case, Recorder
from batchpay.settlement.run import (
    Brought,
    Progress,
    Run,
    Sendable,
    account_of,
    at_gateway,
    enter,
    whose_is_untold,
)

__all__ = [
    "Brought",
    "Candidate",
    "Case",
    "Channel",
    "Follows",
    "Limits",
    "Look",
    "Preflight",
    "Progress",
    "Recorder",
    "Run",
    "Sendable",
    "Settlement",
    "account_of",
    "at_gateway",
    "enter",
    "preflight",
    "whose_is_untold",
]
