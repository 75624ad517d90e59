"""What is told of one attempt of an order."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from batchpay.domain.events.forms import (
    CHARGE,
    FLOAT,
    INTENT,
    LIST,
    OPTIONAL,
    UNLESS_NONE,
    Told,
)
from batchpay.domain.model import ChargeSeen, Event, Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAttempt(Told):
    """An event of one attempt of an order."""

    # of the attempt after it (Attempt.state)
    state: str = field(default="", metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(OfAttempt):
    """An event that may show a charge of the attempt."""

    charge: ChargeSeen | None = field(default=None, metadata=CHARGE)
    # how it differs from what was asked
    flaws: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)
    # its id is of another order's charge (J11)
    anothers: bool = field(default=False, metadata=OPTIONAL)
    # did the first order that it was told for see it with its own key? None: it is not another's
    theirs: bool | None = field(default=None, metadata=UNLESS_NONE)

    def as_anothers(self, flaw: str, *, theirs: bool) -> Self:
        """The same of a charge that is another order's."""
        return replace(
            self,
            flaws=(*self.flaws, flaw),
            anothers=True,
            theirs=theirs,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended(OfAttempt):
    """A request will be sent: durable before its first byte (law L1)."""

    kind = "intent"

    boot_id: str
    boot_s: float = field(metadata=FLOAT)  # CLOCK_BOOTTIME of its commit
    sha256: str = ""  # of the body
    # None: a further send of the same request
    intent: Intent | None = field(default=None, metadata=INTENT | OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided(OfAttempt):
    """... and was not, because its intent had gone stale (law L2); no byte left."""

    kind = "voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Evidence):
    """What came back for a send, and what it proves."""

    kind = "answer"

    verdict: str = ""  # proof.Proof
    # None: no complete answer
    status: int | None = field(default=None, metadata=OPTIONAL)
    code: str = field(default="", metadata=OPTIONAL)
    message: str = field(default="", metadata=OPTIONAL)
    # the token is used up after a doubt
    spent: bool = field(default=False, metadata=OPTIONAL)
    # of a body nobody expected, masked
    excerpt: str = field(default="", metadata=OPTIONAL)
    # CLOCK_BOOTTIME when its first byte left
    left_s: float | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Evidence):
    """A look-up showed a charge of the attempt."""

    kind = "found"

    # read again because its chain was missing
    reread: bool = field(default=False, metadata=OPTIONAL)
    # asked for by its id, not listed
    by_id: bool = field(default=False, metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbelieved(OfAttempt):
    """A charge stood behind another 429 of this gateway: the one that this send was answered with
    proves nothing either.
    """

    kind = "disbelieved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent(OfAttempt):
    """A complete look-up after the doubt period did not show it."""

    kind = "absent"

    boot_id: str
    boot_s: float = field(metadata=FLOAT)  # CLOCK_BOOTTIME of the look-up
    closes: bool = False  # does it prove that nothing was charged?


@dataclass(frozen=True, slots=True)
class Word:
    """Who said something, and why."""

    by: str
    reason: str


def _word_back(value: Any, _: Event) -> Word:
    return Word(value["by"], value["reason"])


_WORD: dict[str, Any] = {"write": asdict, "read": _word_back} | OPTIONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted(Evidence):
    """A charge of this job that this journal did not make (law L11)."""

    kind = "adopted"

    intent: Intent | None = field(default=None, metadata=INTENT)
    flaws: tuple[str, ...] = field(default=(), metadata=LIST)
    # of the person who says that it is this order's; None: it says so itself
    word: Word | None = field(default=None, metadata=_WORD)
    # another attempt of the order is not over
    beside: bool = field(default=False, metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved(Evidence):
    """A person's word on an attempt, after a look-up."""

    kind = "resolved"

    # charged, accepted, not-charged or cancelled
    said: str = field(metadata={"key": "as"})
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(OfAttempt):
    """A held attempt that will never be sent; the next one may follow."""

    kind = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(OfAttempt):
    """The gateway, asked for a charge of the attempt by its id, knows none (J27)."""

    kind = "missing"

    # which; empty: the one that is reported
    charge_id: str = field(default="", metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear(OfAttempt):
    """A list shows a charge without a key that may be this attempt's."""

    kind = "unclear"

    charge_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold(OfAttempt):
    """The charge of an earlier attempt, asked for by its id, was not shown (J04)."""

    kind = "untold"

    charge_id: str  # or, where it is about the account, that one
    # sent before the account was told, which shows nothing of that time
    account: bool = field(default=False, metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSeen(OfAttempt):
    """Where the recipient's share of a charge is, when that was news. It says nothing of where the
    attempt stands.
    """

    kind = "transfer"

    id: str
    stands: str  # after.Stands
    amount: int | None = field(default=None, metadata=UNLESS_NONE)  # smallest unit
    currency: str = field(default="", metadata=OPTIONAL)  # upper case
    # what the gateway keeps of it with VAT, and what the bank gets, smallest unit
    fee: int | None = field(default=None, metadata=UNLESS_NONE)
    net: int | None = field(default=None, metadata=UNLESS_NONE)
    sent_at: str = field(default="", metadata=OPTIONAL)  # UTC, ISO 8601, by the gateway
    paid_at: str = field(default="", metadata=OPTIONAL)
    # why it failed, in the gateway's word
    code: str = field(default="", metadata=OPTIONAL)
    message: str = field(default="", metadata=OPTIONAL)
    # how it differs from the recipient's share
    flaws: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)
