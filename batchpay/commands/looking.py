"""LOOKING: what the gateway knows of one order, before a person is believed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from batchpay.batches.open_job import OpenJob
from batchpay.domain.errors import DoesNotAddUp, GatewaySilent
from batchpay.domain.model import (
    ChargeSeen,
    Outcome,
    Page,
)
from batchpay.domain.ports import Gateway
from batchpay.lifecycle.attempt import Attempt
from batchpay.lifecycle.charge import (
    CHARGE_ID,
    key_in,
)
from batchpay.lifecycle.listing import Listing
from batchpay.lifecycle.paid import settle_gone
from batchpay.messages import screens, steps
from batchpay.messages.message import Message
from batchpay.settlement import Case, Channel, Means
from batchpay.settlement.by_id import ask_for
from batchpay.settlement.lists import Lists
from batchpay.settlement.since import charged_since


async def read_of(
    opened: OpenJob,
    gateway: Gateway,
    channel: Channel,
    case: Case,
    charge_id: str,
) -> tuple[ChargeSeen | None, bool]:
    """The same of a charge that may be an attempt's, and whether the gateway tells its time. That
    it no longer knows the one that the attempt reports as paid is written down (J27).
    """
    charge, is_gone = await _ask(gateway, channel, charge_id)
    assert case.attempt is not None
    has_money = case.attempt.outcome is Outcome.SUCCEEDED
    if is_gone and has_money and is_reported(case.attempt, charge_id):
        await opened.recorder.missing(case, charge_id)
    return charge, channel.dated


async def read(gateway: Gateway, channel: Channel, charge_id: str) -> ChargeSeen | None:
    """A charge by its id; None where the gateway shows none. Raises GatewaySilent without an
    answer.
    """
    charge, _ = await _ask(gateway, channel, charge_id)
    return charge


async def _ask(
    gateway: Gateway, channel: Channel, charge_id: str
) -> tuple[ChargeSeen | None, bool]:
    """The same, and whether the gateway says by its own word that there is none."""
    reply = await ask_for(gateway, channel, charge_id)
    if not reply.answered:
        raise channel.fatal or GatewaySilent(
            "the gateway does not answer; nothing was settled"
        )
    if reply.charge is None and reply.status not in (200, 404):
        raise GatewaySilent(
            f"the gateway does not tell of {charge_id} ({reply.status}); nothing was settled"
        )
    return reply.charge, reply.charge is None and reply.is_unknown


def is_reported(attempt: Attempt, charge_id: str) -> bool:
    """Is it the charge that an attempt is known by?"""
    return attempt.charge is not None and attempt.charge.id == charge_id


async def look_up(
    opened: OpenJob,
    gateway: Gateway,
    channel: Channel,
    case: Case,
) -> ChargeSeen | None:
    """A charge of this attempt that takes money or may, by its id and in a complete list, written
    down as it came; None when there is none. What the list shows of other orders is, too.

    Raises GatewaySilent when that cannot be known, DoesNotAddUp for a list that lacks what the
    journal has proof of.
    """
    attempt = case.attempt
    assert attempt is not None
    own = _own_id(opened, attempt)
    if CHARGE_ID.fullmatch(own):
        by_id = await read(gateway, channel, own)
        if by_id is not None and _says_enough(by_id, attempt):
            await opened.recorder.found(case, by_id, by_id=True)
            return by_id
    settings = opened.job.gateway
    means = Means(settings, gateway, channel, opened.recorder, opened.clock)
    lists = Lists(means, lambda moved: None)
    found: list[ChargeSeen] = []

    async def absorb(page: Page) -> None:
        mine = [one for one in page.charges if key_in(one) == case.intent.key]
        found.extend(mine)
        others = tuple(one for one in page.charges if one not in mine)
        await lists.absorbing.absorb_known(replace(page, charges=others))

    since = charged_since([attempt], dated=channel.dated)
    opened.recorder.expected.remember(int(since.timestamp()) * 10**9)
    if attempt.charge is not None:
        # of this one it is asked whether it is there
        opened.recorder.expected.known.pop(own, None)
    listing = await lists.reading.read(since, absorb)
    news = [charge for charge in found if charge.takes_money]
    if not news and not attempt.closed and attempt.outcome is not Outcome.UNPROVEN:
        news = found[:1]
    for charge in news:
        await opened.recorder.found(case, charge)
    if news:
        return news[0]
    await _refuse_beside_another(opened, lists, listing, case, own)
    if not found:  # else it is known to have taken none, and that is all that is asked
        of_a_charge = attempt.charge is not None
        await _refuse_unproving(opened, channel, lists, listing, of_a_charge)
    return None


def _own_id(opened: OpenJob, attempt: Attempt) -> str:
    """By what id its charge is known, if by any. What was told for this order and is another's is
    none: its own is looked for by its key (J11).
    """
    own = attempt.hinted
    if attempt.charge is not None:
        own = attempt.charge.id
    if own and opened.recorder.whose.is_anothers(own, attempt.intent):
        return ""
    return own


def _says_enough(by_id: ChargeSeen, attempt: Attempt) -> bool:
    """Does what the gateway says of its charge, asked for its id, say what became of it?"""
    told = attempt.charge is not None or key_in(by_id) == attempt.intent.key
    return told and (by_id.takes_money or attempt.outcome is not Outcome.UNPROVEN)


async def _refuse_beside_another(
    opened: OpenJob,
    lists: Lists,
    listing: Listing | None,
    case: Case,
    own: str,
) -> None:
    """Raises DoesNotAddUp beside a charge that may be the attempt's, and does not say so."""
    assert case.attempt is not None
    unclear = await lists.may_be.its(listing, case.attempt)
    if unclear in ("", own):
        return
    if case.attempt.outcome is Outcome.IN_DOUBT:
        await opened.recorder.unclear(case, unclear)
    order_id = case.intent.order_id
    step = steps.SETTLE_UNCLEAR(order=order_id, charge=unclear)
    told = screens.MAY_BE_ITS_CHARGE(charge=unclear, order=order_id, step=step)
    raise DoesNotAddUp(told)


async def _refuse_unproving(
    opened: OpenJob,
    channel: Channel,
    lists: Lists,
    listing: Listing | None,
    of_a_charge: bool,
) -> None:
    """Raises DoesNotAddUp for a list that lacks what there is, GatewaySilent for one that was not
    read whole: neither proves that a charge was not made.

    `of_a_charge`: the word is of a charge that is gone. Where several are, each waits for its own
    word, not for the others'.
    """
    if listing is not None and listing.complete:
        # one that is gone is a stop, which says what ends that
        await lists.unshown.still_lacking(listing)
    if of_a_charge:
        for charge_id in lists.unshown.gone:
            opened.recorder.expected.known.pop(charge_id, None)
    if listing is not None and (lacking := lists.witnesses.lacking(listing)):
        raise DoesNotAddUp(_proves_nothing(opened, lacking[0], lists.unshown.gone))
    if not lists.witnesses.proves_absence(listing):
        raise channel.fatal or GatewaySilent(str(screens.LIST_NOT_READ()))


def _proves_nothing(opened: OpenJob, lacking: str, gone: Collection[str]) -> Message:
    """Why a list that lacks a charge settles no order, and what ends that where the charge is gone
    for good. `gone`: charges that had not ended, and that the gateway does not know any more.
    """
    case = opened.recorder.cases.case_of(lacking)
    if case is not None and case.attempt is not None and lacking in gone:
        step = settle_gone(case.attempt, lacking)
        return screens.LIST_LACKS_GONE(charge=lacking, step=step)
    if lacking not in opened.recorder.stopped_for:
        return screens.LIST_LACKS(charge=lacking)
    stop = str(opened.recorder.stopped)
    return screens.LIST_LACKS_STOP(charge=lacking, stop=stop, step=steps.LIFT_STOP())
