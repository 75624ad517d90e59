"""The sequence of a run at the gateway: one order of steps, over ports, for everybody.

    enter      whose money is it? not the journal's account, mode or address: the end       (J03)
    wait       a journal that lost events: until nothing of them can land any more     (L5, L11)
    look       list the gateway's charges, adopt what is ours, list again if the journal
               was restored                                                           (L11, J02)
    look back  around what was sent again some nights ago: was it charged twice?
    survey     what may be sent, by all that was found; another job's orders: the end       (J06)
    reach      a list back to the first request of whatever goes again; survey anew with
               what it shows
    recover    ask about every order that an earlier run left open
    preflight  may each recipient be paid, and is each share large enough?
    settle     send, and wait out every doubt
    compare    list once more
    follow     on a budget of its own: where the recipients' shares are, refunds, disputes

`batchpay run` and `batchpay settle`, the tests of the settlement and the simulator all call
`at_gateway`. A person's commands (resolve, audit) take its first step, `enter`, before they ask
anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from batchpay.domain.books import Account
from batchpay.domain.errors import (
    BatchpayError,
    DoesNotAddUp,
    GatewaySilent,
    Misconfigured,
    Usage,
)
from batchpay.domain.events import BelongsTo, Recovered
from batchpay.domain.ports import Gateway
from batchpay.domain.text import told as shown
from batchpay.job.job import GatewaySettings
from batchpay.lifecycle.attempt import Attempt
from batchpay.messages import nights as said
from batchpay.messages import steps
from batchpay.settlement.cases import Case
from batchpay.settlement.channel import Channel
from batchpay.settlement.first_look import Look
from batchpay.settlement.following import Follower, Follows, PendingRound
from batchpay.settlement.loop import Settlement
from batchpay.settlement.means import Means
from batchpay.settlement.preflight import NOTHING_ASKED, Preflight, preflight
from batchpay.settlement.queue import Candidate, Limits
from batchpay.settlement.reach import NO_LATE_LOOK, LateLook
from batchpay.settlement.recorder import Recorder
from batchpay.settlement.shown_before import ask_for_one


class Progress(Protocol):
    """Told of every step of a run, so that a person can watch it."""

    def phase(self, name: str, total: int | None = None) -> None:
        """A new step; so many orders may move in it."""

    def order(self, case: Case) -> None:
        """An order moved."""


NOTHING_FOLLOWED = Follows(None, 0)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a run may send, counted before the first is sent."""

    orders: int = 0
    recipients: Collection[str] = ()
    # attempts of these orders that may have been charged, whatever was said of them
    again: Sequence[Attempt] = ()


@dataclass(frozen=True, slots=True)
class Brought:
    """What a run brings to the gateway; of `settle` nothing may be sent.

    `survey` and `candidates` are asked after the look, when the journal knows all that the gateway
    knows: they read it. Both raise errors.Misconfigured or errors.DoesNotAddUp for what makes a run
    impossible.
    """

    look: Look
    started: datetime
    wait_s: float = 0.0  # until nothing can land any more of what the journal lost
    survey: Callable[[], Surveyed] = Surveyed
    candidates: Callable[[], Iterable[Candidate]] = tuple
    later: LateLook = NO_LATE_LOOK  # what is looked at once more
    kept_preflight: Preflight = NOTHING_ASKED  # what the journal says of the last one
    follows: Follows = NOTHING_FOLLOWED
    # the loss that a complete list, after the wait, makes good
    recovers: Recovered | None = None


class Run:
    """One run's parts, made once: whoever starts it may interrupt it, and asks it afterwards what
    held it back.
    """

    def __init__(self, means: Means, progress: Progress, limits: Limits) -> None:
        self.means = means
        self.channel = means.channel
        self.recorder = means.recorder
        self.progress = progress
        self.limits = limits
        self.loop = Settlement(means, limits=limits, progress=progress.order)
        self.notes: list[str] = []  # what a person should hear beside the outcomes
        self.whose_unknown = ""  # why it asked for nothing but the account
        self.blind = ""  # why its look before the first send came to nothing


async def at_gateway(run: Run, brought: Brought) -> None:
    """The steps in their order; the one place that knows it. Raises what makes going on
    impossible.
    """
    with run.means.asked():
        await _steps(run, brought)


async def _steps(run: Run, brought: Brought) -> None:
    channel = run.channel
    loop = run.loop
    progress = run.progress
    progress.phase("entering")
    entering: list[str] = []
    account = await enter(run.means, entering)
    if channel.closed:
        run.whose_unknown = ""
    else:
        run.whose_unknown = why_whose_unknown(run.recorder, account)
    if run.whose_unknown:
        loop.hold(run.whose_unknown)
        return
    if brought.wait_s and not channel.closed:
        progress.phase("waiting")
        await channel.rest(brought.wait_s)
    progress.phase("listing")
    pending = PendingRound(brought.follows, run.means.clock.now_ns())
    run.recorder.expected.remember(int(brought.look.since.timestamp()) * 10**9)
    looked = await loop.look(brought.look)
    if looked:  # who tells nothing at all is not said to keep one thing back
        run.notes += entering
    run.notes += loop.lists.notes
    if not looked:
        run.blind = loop.why_held
        if not channel.closed:
            # what is asked for by its id needs no list
            await loop.recover(pending.rest)
        return
    if brought.recovers is not None:
        await run.recorder.note(brought.recovers)
    await _belong(run.means, account)
    are_read = await loop.reach.read_again(brought.later.went_again, brought.later.lost)
    sendable, impossible = await _surveyed(run, brought)
    progress.phase("asking")
    await loop.recover(pending.rest)
    are_told = await loop.ask_after_words(brought.later.said_of)
    if done := brought.later.done_of(charges=are_read, words=are_told):
        await run.recorder.note(done)
    # nothing is sent; what is open is asked about all the same
    if impossible is not None:
        await loop.settle(iter(()))
        await loop.compare(brought.started)
        loop.hold(str(impossible))
        raise impossible
    if sendable.orders and not channel.closed:
        progress.phase("preflight")
        await _preflight(run, brought, sendable, account)
    progress.phase("charging", sendable.orders)
    await loop.settle(iter(brought.candidates()))
    progress.phase("comparing")
    await loop.compare(brought.started)
    run.notes += [note for note in loop.lists.notes if note not in run.notes]
    await _follow(run, brought.follows, pending)
    if loop.refused is not None:
        raise loop.refused


async def _follow(run: Run, follows: Follows, pending: PendingRound) -> None:
    if not follows.requests or run.channel.closed:
        return
    run.progress.phase("following")
    follower = Follower(run.means, follows, pending, run.limits.deadline_ns)
    await follower.follow()


async def _surveyed(
    run: Run, brought: Brought
) -> tuple[Surveyed, BatchpayError | None]:
    """What may be sent, once lists have reached back to the first request of all that is to go
    again: what they show is not sent.
    """
    sendable, impossible = _survey(brought)
    moved = run.loop.lists.moved
    if impossible is None and sendable.again:
        await run.loop.reach.read(sendable.again)
    if run.loop.lists.moved == moved:
        return sendable, impossible
    return _survey(brought)


def _survey(brought: Brought) -> tuple[Surveyed, BatchpayError | None]:
    """What may be sent, or why this run can send nothing: a renamed job, an adopted charge that
    contradicts its row.
    """
    try:
        return brought.survey(), None
    except (DoesNotAddUp, Misconfigured) as error:
        return Surveyed(), error


async def _preflight(
    run: Run,
    brought: Brought,
    sendable: Surveyed,
    account: Account,
) -> None:
    """Ask, and keep the answer where every later decision about a row reads it: in the journal."""
    asked = sendable.recipients
    kept = brought.kept_preflight
    means = run.means
    found = await preflight(
        asked,
        means.gateway,
        means.channel,
        account.currency,
        means.settings.concurrency,
    )
    if found.unknown:
        run.notes.append(
            str(
                said.UNTOLD_RECIPIENTS(
                    count=len(found.unknown), recipient=found.unknown[0]
                )
            )
        )
    told = found.beside(kept, asked)
    if told.as_told() != kept.as_told():
        await run.recorder.note(told.as_told())


# --- whose money is it


async def enter(means: Means, notes: list[str]) -> Account:
    """Hold the key's account, the mode and the address against the journal's; the first run writes
    them down.

    Raises Misconfigured for another one. A gateway that never told its account is no reason to
    stop: then mode and address alone are held, from the first complete list on. For one that told
    it before, see `why_whose_unknown`. A journal that has charges from before anybody told is bound
    to the account that shows one of them (`_shows_ours`).
    """
    settings = means.settings
    kept = means.recorder.belonging.belongs_to()
    refuse_other_place(settings, kept)
    account = await account_of(settings, means.gateway, means.channel)
    if not account.id:
        if not means.channel.closed and not kept.get("account"):
            notes.append(str(said.NO_ACCOUNT()))
        return account
    refuse_other_account(account, kept)
    if not kept.get("account") and not await _shows_ours(means, account):
        return replace(account, id="")
    await _belong(means, account)
    return account


async def _shows_ours(means: Means, account: Account) -> bool:
    """Is the account, which nobody told before, the one in which this journal's charges were made?
    One of which it has proof shows it; nothing is bound to an account that was not asked. Raises
    Misconfigured for one that knows none of them.
    """
    witnesses = means.recorder.belonging.witnesses(untold=True)
    if not witnesses:
        return True
    reply = await ask_for_one(witnesses, means.gateway, means.channel)
    if reply.is_unknown:
        raise Misconfigured(
            f"the key is of account {account.id}, which knows no charge {witnesses[0]}; this"
            " journal has proof of that, from before anybody told whose it is: nothing is sent."
            f" {steps.OTHER_KEY()}; {steps.SAY_ACCOUNT(account=account.id)}"
        )
    return reply.charge is not None


async def take_account(means: Means, account_id: str, by: str, reason: str) -> str:
    """A person's word that the journal is of this account; returns whose it was before.

    Raises Usage where it is already, DoesNotAddUp where the account knows none of the charges that
    this journal has proof of, and what nobody's word changes: another mode or address, the key of
    another account, reports that name another.
    """
    settings = means.settings
    belonging = means.recorder.belonging
    own = belonging.account()
    refuse_other_place(settings, belonging.belongs_to())
    account = await account_of(settings, means.gateway, means.channel)
    if means.channel.fatal:
        raise means.channel.fatal
    if not account.id:
        raise GatewaySilent("the gateway did not tell whose account the key is of")
    if account.id != account_id:
        raise Usage(f"the key is of account {account.id}, not {shown(account_id)}")
    before = str(own.get("account", ""))
    if before == account.id:
        raise Usage(f"this journal belongs to account {account.id} already")
    if not before:
        refuse_other_account(account, belonging.belongs_to())
    else:
        await _refuse_unshown(means, account)
    told = BelongsTo(
        account=account.id,
        mode=settings.mode,
        url=address_of(settings),
        by=by,
        reason=reason,
    )
    await belonging.belong(told)
    return before


async def _refuse_unshown(means: Means, account: Account) -> None:
    """A journal that is one account's is another's where that one shows a charge of it, or nobody
    has proof of any.
    """
    belonging = means.recorder.belonging
    witnesses = belonging.witnesses(untold=True) or belonging.witnesses(untold=False)
    reply = await ask_for_one(witnesses, means.gateway, means.channel)
    if witnesses and reply.is_unknown:
        raise DoesNotAddUp(
            f"account {account.id} knows no charge {witnesses[0]}, of which this journal has proof:"
            " it stays as it is"
        )
    if witnesses and reply.charge is None:
        raise GatewaySilent(f"the gateway did not tell of {witnesses[0]}")


def refuse_other_account(account: Account, kept: dict[str, Any]) -> None:
    """Raises Misconfigured when the key is of another account than the journal; empty `kept`: it is
    nobody's yet.
    """
    if account.id and kept.get("account", account.id) not in (account.id, ""):
        raise Misconfigured(
            f"the key is of account {account.id}; {_by(kept)} belongs to account {kept['account']}:"
            f" what one account was asked, another must not be asked again. {steps.OTHER_KEY()}"
            f"{_or_say(account, kept)}"
        )


def _or_say(account: Account, kept: Mapping[str, Any]) -> str:
    """The way back for a journal that is bound to the wrong account; what others tell of it no word
    changes.
    """
    if "by" in kept:
        return ""
    return f"; {steps.SAY_ACCOUNT(account=account.id)}"


def why_whose_unknown(recorder: Recorder, account: Account) -> str:
    """Why nothing may be sent or asked: the journal knows its account, and today nobody says whose
    the key is.

    What another account does not know would pass for proof that it never was (J03).
    """
    kept = recorder.belonging.belongs_to()
    known = kept.get("account", "")
    if account.id or not known:
        return ""
    return (
        f"the gateway did not tell whose account the key is of, and {_by(kept)} belongs to account"
        f" {known}: nothing is sent and nothing asked until it does; run again later"
    )


async def account_of(
    settings: GatewaySettings, gateway: Gateway, channel: Channel
) -> Account:
    """Whose account the key is of; without an id where the gateway does not tell. Raises
    Misconfigured for a key of the other mode. A key that nobody knows (401) closes the line; one
    that may not ask this (403) may charge.
    """
    answer = await channel.ask(gateway.account, learn=False)
    if answer is not None and answer.status == 401:
        channel.refused(answer)
    await close_to_no_gateway(settings, gateway, channel)
    if answer is None or answer.status != 200 or answer.said is None:
        return Account()
    refuse_other_mode(settings, answer.said)
    return answer.said


async def close_to_no_gateway(
    settings: GatewaySettings, gateway: Gateway, channel: Channel
) -> None:
    """What answered for /account may be no gateway: then it is asked for its charges, too, and if
    that is none either, this is not where charges are made (docs/faults.md, B21 and B29): the
    channel closes before anything is sent.
    """
    if channel.foreign is None or channel.spoke or channel.closed:
        return
    await channel.glance(partial(gateway.page, "1970-01-01T00:00:00Z", 0, limit=1))
    if (answer := channel.foreign) is None or channel.spoke or channel.closed:
        return
    what = f"status {answer.status}, and no document of the gateway's"
    if answer.excerpt:
        what += f", but: {shown(answer.excerpt)}"
    why = f"what answers at {settings.url} is not the gateway ({what})"
    told = f"{why}; nothing was sent; {steps.GATEWAY_URL()}"
    if answer.status in (404, 405, 410):
        channel.close(why, Misconfigured(told))
    else:
        channel.close(why, GatewaySilent(told))


async def _belong(means: Means, account: Account) -> None:
    """Write down whose the journal is, once a gateway has answered: an address where nobody is
    binds no journal.
    """
    settings = means.settings
    belonging = means.recorder.belonging
    told = BelongsTo(
        account=account.id or str(belonging.account().get("account", "")),
        mode=settings.mode,
        url=address_of(settings),
    )
    await belonging.belong(told)


def refuse_other_place(settings: GatewaySettings, kept: dict[str, Any]) -> None:
    """Raises Misconfigured when mode or address are not those of the journal; empty `kept`: it is
    nobody's yet.
    """
    if kept and kept["mode"] != settings.mode:
        raise Misconfigured(
            f"this journal belongs to {kept['mode']} mode, the job says {settings.mode}: a charge"
            f" of one is none of the other. {steps.OTHER_MODE(mode=kept['mode'])}"
        )
    if kept and kept["url"] and kept["url"] != address_of(settings):
        raise Misconfigured(
            f"{_by(kept)} belongs to {kept['url']}, the job says {address_of(settings)}: what one"
            f" gateway was asked, another does not know. {steps.OTHER_URL()}"
        )


def _by(kept: Mapping[str, Any]) -> str:
    return str(kept.get("by", "this journal"))


def address_of(settings: GatewaySettings) -> str:
    """The gateway's address in one form, whatever way it is written."""
    scheme, _, rest = settings.url.lower().rstrip("/").partition("://")
    default = {"https": ":443", "http": ":80"}.get(scheme, "")
    if default:
        return f"{scheme}://{rest.removesuffix(default)}"
    return f"{scheme}://{rest}"


def refuse_other_mode(settings: GatewaySettings, account: Account) -> None:
    """Raises Misconfigured for a key of the other mode than the job's."""
    if account.live is None or account.live is (settings.mode == "live"):
        return
    mode = "test"
    if account.live:
        mode = "live"
    raise Misconfigured(
        f"the key is of {mode} mode, the job says {settings.mode}: give the key of that mode"
    )
