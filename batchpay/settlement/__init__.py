"""CHARGE + JOURNAL: the one loop where plan, gateway and journal meet.

line    the paced and guarded way to the gateway: rate limit, 429, pauses, a refused key
books   what is known of each order, and how it is written down: the only writer of evidence
loop    who is sent, asked or waited for, and when the run is over
"""

from batchpay.settlement.books import Books, Case
from batchpay.settlement.line import Line
from batchpay.settlement.loop import Candidate, Limits, Settlement, terms_of

__all__ = ["Books", "Candidate", "Case", "Limits", "Line", "Settlement", "terms_of"]
