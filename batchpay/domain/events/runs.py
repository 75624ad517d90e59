"""What is told of a run, or of the journal itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from batchpay.domain.events.forms import DICT, LIST, OPTIONAL, UNLESS_NONE, Told
from batchpay.domain.model import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class BelongsTo(Told):
    """Which account, mode and address this journal belongs to."""

    kind = "account"

    account: str = ""  # empty: no gateway told it
    mode: str = ""
    url: str = ""
    # whose word it was, where no gateway's answer showed it, and why
    by: str = field(default="", metadata=OPTIONAL)
    reason: str = field(default="", metadata=OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Told):
    """A process begins to work on a job."""

    kind = "run.started"

    boot_id: str = ""
    verb: str = field(default="", metadata=OPTIONAL)  # run or settle
    flags: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)  # as typed
    # key of the job file -> how it is set there, as people read it: rate, limits, commission
    settings: Mapping[str, str] = field(
        default_factory=dict, metadata=DICT | {"left_out": ({},)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounted(Told):
    """The run's work is done and counted; its reports follow."""

    kind = "run.counted"

    exit_code: int
    # sent, 429, 5xx -> how many requests, and answers; empty: the run asked for nothing
    requests: Mapping[str, int] = field(
        default_factory=dict, metadata=DICT | {"left_out": ({},)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Told):
    """The run is over, its reports are written."""

    kind = "run.finished"

    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLoss(Told):
    """What a journal was found to have lost (batches/wholeness)."""

    empty: bool = False  # did it know no order?
    evidence: str = field(default="", metadata=OPTIONAL)  # who tells of it, and what
    # the last event that others know of
    had: int | None = field(default=None, metadata=UNLESS_NONE)
    # ... and its own last one
    has: int | None = field(default=None, metadata=UNLESS_NONE)
    # modification time of the youngest manifest that was looked at, where an earlier version told
    # no `heads`
    manifests_ns: int | None = field(default=None, metadata=UNLESS_NONE)
    # orders that reports tell to be cancelled; None: no report was asked
    cancelled: tuple[str, ...] | None = field(default=None, metadata=LIST | UNLESS_NONE)
    # charges that reports call so
    unproven: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(OfLoss):
    """The journal is older than it has been: what it lost is looked for at the gateway."""

    kind = "restored"

    # the charge in the gateway's list that gave it away
    met: str = field(default="", metadata=OPTIONAL)
    # ... and all that its page showed and the journal did not know -> when each was made
    shown: Mapping[str, str] = field(
        default_factory=dict, metadata=DICT | {"left_out": ({},)}
    )
    # events that it lacks and manifests were made from, by the beginnings of their digests: each is
    # dealt with once
    heads: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)
    # events of words and stops that were taken over from manifests, likewise
    taken: tuple[str, ...] = field(default=(), metadata=LIST | OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(OfLoss):
    """... and that was done: after the wait the list was complete."""

    kind = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Told):
    """The gateway's charges were listed completely, up to a bound (law L11)."""

    kind = "listing"

    bound: str  # ISO 8601 UTC, whole seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAgain(Told):
    """What fell due up to a time, by our wall clock (ns), was looked at once more to its end
    (batches/sentagain).
    """

    kind = "looked_again"

    # the hours around requests that were sent again: each was read
    charges_ns: int | None = field(default=None, metadata=UNLESS_NONE)
    # charges of which a person said what became: the gateway told of each
    words_ns: int | None = field(default=None, metadata=UNLESS_NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStarted(Told):
    """Test charges are made to learn what the gateway does."""

    kind = "probe.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed(Told):
    """... and what they showed."""

    kind = "probe"

    findings: Mapping[str, str]  # subject -> what it showed

    def data(self) -> dict[str, Any]:
        """The findings themselves."""
        return dict(self.findings)

    @classmethod
    def read(cls, event: Event) -> Self:
        """The same back."""
        return cls(findings=event.data)
