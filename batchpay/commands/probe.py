"""DOCTOR --PROBE: learn, in test mode, what no page proves: does `destination` split, is the key
honoured?

Three test charges of the least amount: one with a destination; the same again under the same key;
another under the same key. They carry no job's name, so that no run takes them for its own. What
was learnt is kept in the journal.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

from batchpay.batches.open_job import OpenJob
from batchpay.batches.session import ask_the_gateway
from batchpay.commands.doctor import Checkup
from batchpay.domain.books import Account, Capability
from batchpay.domain.errors import (
    BatchpayError,
    DoesNotAddUp,
    GatewaySilent,
    Misconfigured,
)
from batchpay.domain.events import Probed, ProbeStarted
from batchpay.domain.model import Answer, ChargeSeen, ChargeWithoutId, Intent
from batchpay.domain.ports import Gateway
from batchpay.job.job import Job
from batchpay.job.key import SecretKey
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.request import form_encoded
from batchpay.messages import steps
from batchpay.settlement import Channel
from batchpay.settlement.channel import Request

LEAST_MINOR = 2000  # where the gateway does not tell its own (docs/gateway.md, 2.3)
CHAIN_AFTER_S = 5.0

T = TypeVar("T")
Charged = Answer[ChargeSeen | ChargeWithoutId]


def probe(
    job: Job,
    key: SecretKey,
    recipient: str | None,
    customer: str | None,
) -> list[Checkup]:
    """Make the charges and tell what they show. Raises Misconfigured in live mode or without
    anybody to charge.
    """
    if job.gateway.mode != "test":
        raise Misconfigured(
            'doctor --probe makes charges: it runs in test mode only; use a job with mode = "test"'
        )
    with ExitStack() as stack:
        opened = OpenJob(job, stack)
        if opened.stop:
            raise DoesNotAddUp(
                f"no test charge is made while a stop is in force: {opened.stop};"
                f" {steps.LIFT_STOP()}"
            )
        found = asyncio.run(
            ask_the_gateway(opened, key, _Probe(opened, recipient, customer).run)
        )
        opened.note(
            Probed(findings={finding.subject: finding.told for finding in found})
        )
        return found


def findings(
    job: Job | None,
    key: SecretKey | None,
    recipient: str | None,
    customer: str | None,
) -> list[Checkup]:
    """The same for `doctor --probe`, as findings whatever became of it."""
    if job is None or key is None:
        return [Checkup("probe", "unseen", "not made: that needs the job and the key")]
    try:
        return probe(job, key, recipient, customer)
    except BatchpayError as error:
        return [Checkup("probe", "wrong", str(error), error.exit_code)]


class _Probe:
    """One probe: its line to the gateway, whom it charges, and for whom."""

    def __init__(
        self, opened: OpenJob, recipient: str | None, customer: str | None
    ) -> None:
        self._opened = opened
        self._recipient = recipient or ""
        self._customer = customer or ""

    async def run(self, gateway: Gateway, channel: Channel) -> list[Checkup]:
        """All three charges, by a key that is of the journal's account and mode."""
        self._gateway = gateway
        self._channel = channel
        self._recipient = self._recipient or await self._first_recipient()
        self._customer = self._customer or await self._first_customer()
        self._opened.note(ProbeStarted())
        amount, currency = await self._least()
        first = self._intent(amount, currency, "first")
        charge = self._charge_of(await self._send(first))
        return [
            await self._split(charge),
            self._same(charge, await self._send(first)),
            self._other(
                charge, await self._send(self._intent(amount, currency, "other"))
            ),
        ]

    # --- whom and how much

    async def _first_recipient(self) -> str:
        for recipient in await self._read(self._gateway.recipients) or ():
            if recipient.verified and recipient.active:
                return recipient.id
        raise _nobody("default recipient that is verified", "--recipient")

    async def _first_customer(self) -> str:
        for customer in await self._read(self._gateway.customers) or ():
            if customer.has_card:
                return customer.id
        raise _nobody("customer with a card", "--customer")

    async def _least(self) -> tuple[int, str]:
        account = await self._read(self._gateway.account) or Account()
        capability = await self._read(self._gateway.capability) or Capability()
        least = capability.least_charge
        if least is None:
            least = LEAST_MINOR
        return least, (account.currency or "thb").lower()

    async def _read(self, request: Request[T]) -> T | None:
        """What the gateway tells; None when that is not what was asked for. Raises GatewaySilent,
        or what closed the line.
        """
        answer = await self._channel.ask(request)
        if answer is None:
            raise self._channel.fatal or GatewaySilent(
                f"{self._opened.job.gateway.url} does not answer"
            )
        return answer.said

    # --- the charges

    def _intent(self, amount: int, currency: str, which: str) -> Intent:
        document = {
            "amount": amount,
            "currency": currency,
            "destination": self._recipient,
            "customer": self._customer,
            "description": f"batchpay doctor --probe ({which})",
        }
        key = key_of(f"{self._opened.job.name} probe", self._opened.run_id, 1)
        body = form_encoded(document, {"batchpay_probe": self._opened.run_id}, None)
        return Intent(
            order_id="probe",
            attempt=1,
            key=key,
            body=body,
            body_sha256=hashlib.sha256(body.encode()).hexdigest(),
            content="",
            amount=amount,
            currency=currency,
            destination=self._recipient,
            payer=self._customer,
            batch_id="",
            sheet="",
            row=0,
            run_id=self._opened.run_id,
            alike="probe",
        )

    async def _send(self, intent: Intent) -> Charged:
        if not await self._channel.permit():
            raise self._channel.fatal or GatewaySilent(self._channel.closed)
        return await self._channel.send(partial(self._gateway.charge, intent))

    def _charge_of(self, answer: Charged) -> ChargeSeen:
        charge = _seen(answer)
        if charge is None:
            raise Misconfigured(
                f"the probe's charge was not made: {answer.status} {answer.code}"
                f" {answer.message or answer.trouble}"
            )
        return charge

    # --- what they show

    async def _split(self, charge: ChargeSeen) -> Checkup:
        if charge.chain is None:
            await self._channel.rest(CHAIN_AFTER_S)
            charge = await self._read(partial(self._gateway.get, charge.id)) or charge
        if charge.destination == self._recipient and charge.chain is not None:
            return Checkup(
                "destination", "well", f"splits: {charge.id} has chain {charge.chain}"
            )
        told = (
            f"does not split: {charge.id} came back with destination {charge.destination}, chain"
            f" {charge.chain}"
        )
        return Checkup(
            "destination",
            "wrong",
            f"{told}. Every charge of a job would stop as unproven",
            12,
        )

    def _same(self, charge: ChargeSeen, answer: Charged) -> Checkup:
        again = _seen(answer)
        if again is not None and again.id == charge.id:
            return Checkup(
                "idempotency key",
                "well",
                f"is honoured: the same request gave {charge.id} again",
            )
        if again is not None:
            told = (
                f"is not honoured: the same request made a second charge, {again.id}. batchpay does"
                " not depend on it"
            )
            return Checkup("idempotency key", "warning", told)
        return Checkup(
            "idempotency key", "warning", f"the same request again gave {_said(answer)}"
        )

    def _other(self, charge: ChargeSeen, answer: Charged) -> Checkup:
        other = _seen(answer)
        subject = "idempotency key, other body"
        if other is None:
            return Checkup(subject, "well", f"is refused: {_said(answer)}")
        if other.id == charge.id:
            return Checkup(
                subject,
                "warning",
                f"gives the first answer again, {charge.id}, whatever was asked",
            )
        return Checkup(subject, "warning", f"makes another charge, {other.id}")


def _seen(answer: Charged) -> ChargeSeen | None:
    """The charge that an answer shows, if it can be told by its id."""
    if isinstance(answer.said, ChargeSeen):
        return answer.said
    return None


def _said(answer: Charged) -> str:
    told = answer.message or answer.trouble
    return f"{answer.status} {answer.code} {told}".strip()


def _nobody(what: str, flag: str) -> Misconfigured:
    return Misconfigured(
        f"the test account has no {what}; make one, or name it with {flag}"
    )
