"""MEANS: what every part of a run works with."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from batchpay.domain.ports import Clock, Gateway
from batchpay.job.job import GatewaySettings
from batchpay.settlement.by_id import ById
from batchpay.settlement.channel import Channel
from batchpay.settlement.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Means:
    """One of each in a run."""

    settings: GatewaySettings
    gateway: Gateway
    channel: Channel
    recorder: Recorder
    clock: Clock

    def asked(self) -> AbstractContextManager[None]:
        """For so long the gateway can be asked before charges are called a double."""
        return self.recorder.still_paid.read_by(ById(self.gateway, self.channel).read)
