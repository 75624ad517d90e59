"""MEANS: what every part of a run works with."""

from __future__ import annotations

from dataclasses import dataclass

from batchpay.domain.ports import Clock, Gateway
from batchpay.job.job import GatewaySettings
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
