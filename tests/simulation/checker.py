"""The invariants of docs/laws.md, counted again from the gateway's log and the journal's own
events.

Nothing here asks the program what it thinks: states, keys and doubts are derived anew.
"""

from __future__ import annotations

import itertools
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from batchpay.batches.standings import findings_of
from batchpay.batches.strays import unshown
from batchpay.domain.errors import BatchpayError
from batchpay.domain.model import Event, Finding, Outcome
from batchpay.journals.sqlite.lines import COLUMNS, event_of
from batchpay.reconciliation.totals import Totals
from tests.checker import EXPONENT
from tests.columns import drifted
from tests.simulation.ledger import MONEY, Request
from tests.simulation.process import JOB, Commit, Machine, World
from tests.simulation.weather import LIES

if TYPE_CHECKING:
    from tests.simulation.story import Story

NOT_CHARGED = {401, 403, 404, 405, 429}  # told so, the same key may go again at once
AFTER = {  # docs/laws.md, I8
    "in_doubt": {
        "succeeded",
        "unproven",
        "pending",
        "declined",
        "expired",
        "reversed",
        "refused",
        "held",
    },
    "held": {
        "in_doubt",
        "succeeded",
        "unproven",
        "pending",
        "declined",
        "expired",
        "reversed",
        "withdrawn",
    },
    "withdrawn": {
        "succeeded",
        "unproven",
        "pending",
        "declined",
        "expired",
        "reversed",
    },
    "pending": {"succeeded", "unproven", "declined", "expired", "reversed"},
    "unproven": {"succeeded", "reversed"},
    "succeeded": {"reversed"},
}
ENDED = {"declined", "expired", "reversed", "refused", "withdrawn", "held"}
ENDED_AT_GATEWAY = {"failed", "expired", "reversed"}
EPSILON_S = 1e-6
HOUR_S = 3600.0


def check_journal(machine: Machine) -> list[str]:
    """I9, D13: the chain verifies, and every event that was ever acknowledged is still there, in
    its order.
    """
    try:
        journal = machine.copy()
        journal.verify()
        query = f"SELECT job, {COLUMNS} FROM events ORDER BY seq"
        events = [(event_of(line), str(job)) for job, *line in journal._rows(query)]
    except BatchpayError as error:
        return [f"I9: the journal cannot be read: {error}"]
    acknowledged = set(machine.acknowledged)
    there = [(event.seq, event.digest) for event, _ in events]
    if [place for place in there if place in acknowledged] != machine.acknowledged:
        lost = len(acknowledged - set(there))
        return [
            f"I9: {lost} of {len(acknowledged)} acknowledged events are not in the journal"
        ]
    _take_in_unacknowledged(machine, events)
    return []


def _take_in_unacknowledged(machine: Machine, events: list[tuple[Event, str]]) -> None:
    """A commit that nobody was told of, because the process died in it, may have become durable all
    the same.
    """
    world = machine.world
    there = {(event.seq, event.digest) for event, _ in events}
    known = {
        (c.event.seq, c.event.digest): c
        for c in world.commits
        if c.machine == machine.name
    }
    for place, commit in known.items():
        if place not in there:
            commit.forgotten_tick = min(commit.forgotten_tick, world.tick())
    for event, job in events:
        if (event.seq, event.digest) not in known:
            world.commits.append(
                Commit(world.tick(), world.loop.time(), machine.name, event, job=job)
            )


def note_lift(machine: Machine, event: Event) -> None:
    """A person's command wrote this."""
    world = machine.world
    machine.acknowledged.append((event.seq, event.digest))
    world.commits.append(Commit(world.tick(), world.loop.time(), machine.name, event))


def excused(world: World) -> set[str]:
    """Orders about which the gateway lied or contradicted itself, or which it charged twice of its
    own accord.
    """
    lied = {r.order_id for r in world.ledger.requests if r.fate.startswith("lie ")}
    odd = set()
    for charge in world.ledger.charges:
        if charge.get("_behind"):
            odd.add(charge["_behind"]["order_id"])
        chainless = charge["paid"] and not charge["chain"]
        unlisted = charge["_visible_s"] == float("inf")
        if (
            _key(charge) in world.ledger.twins
            or chainless
            or unlisted
            or charge.get("_changed")
        ):
            odd.add(charge["metadata"].get("order_id", ""))
        if charge["status"] == "forgotten":
            odd.add(charge["metadata"].get("order_id", ""))
    return lied | odd


OTHER_OF_PAIR = "cust_test_40b"  # who pays the second of two sales under one id
PAIR_ID = "40"  # of these two, as `sale_of` has it
OTHER_IDS = 5000  # those of the other column begin here


def ref_of(order_id: str) -> str:
    """The other id of a sale, damaged in the same way: 0003 -> 05003, 3.0 -> 5003.0."""
    bare = order_id.removesuffix(".0")
    return f"{'0' * (bare != str(int(bare)))}{int(bare) + OTHER_IDS}{order_id[len(bare) :]}"


def sale_of(order_id: str) -> str:
    """The sale behind an id of either column that a spreadsheet may have damaged."""
    return str(int(order_id.removesuffix(".0")) % OTHER_IDS)


def check_story(story: Story) -> list[str]:
    """Everything that can be said at the end of a seed."""
    world = story.world
    found = [
        *_one_charge_an_order(story),
        *_posts(world),
        *_attempts(world),
        *_states(world),
        *_rate(world),
    ]
    found += [*_stops(world), *_lies_are_stopped(world), *_twins_are_stopped(story)]
    found += [*_looks_first(world), *_refused_key(world)]
    found += _other_account(world)
    found += [*_behind_an_answer(story), *_pair_went(story)]
    found += [*_shares(story), *_limits(story)]
    if not (story.at_once or story.undetectable):
        found += [*_after_money(world), *_sums(story), *_columns(story)]
    return found


# --- the gateway's side


def _one_charge_an_order(story: Story) -> Iterator[str]:
    """I1: per sale, over every id that was made of its own, every name of the job and every
    account.
    """
    world = story.world
    taken: dict[str, list[dict[str, object]]] = defaultdict(list)
    for charge in (*world.ledger.charges, *world.other.charges):
        metadata = charge["metadata"]
        # of one that no list shows nobody can know
        listed = charge["_visible_s"] != float("inf")
        ours = "batchpay_job" in metadata and listed
        if charge.get("_behind"):
            continue  # `_behind_an_answer` tells of those
        if (
            ours
            and charge["status"] in MONEY
            and _key(charge) not in world.ledger.twins
        ):
            taken[sale_of(metadata["order_id"])].append(charge)
            if charge["customer"] == OTHER_OF_PAIR:
                taken[f"of {OTHER_OF_PAIR}"].append(charge)
    for sale, of_sale in taken.items():
        charges = [
            c
            for c in of_sale
            if any(_is_one_order(c, d) for d in of_sale if d is not c)
        ]
        if not charges or _came_alive_later(charges):
            continue
        if not (story.at_once or story.undetectable):
            yield f"I1: sale {sale} was charged {len(charges)} times: {[c['id'] for c in charges]}"
        elif not all(_stopped(world, machine) for machine in story.machines):
            yield (
                f"E12: sale {sale} was charged {len(charges)} times, and not every journal has"
                " stopped"
            )


def _is_one_order(charge: dict[str, Any], other: dict[str, Any]) -> bool:
    """Under another job's name an id with another amount, or of another customer, is another order
    (never-twice.md): two files of a story may ask so, and the job be renamed between them. A
    charge by a card does not say who pays.
    """
    if charge["metadata"]["batchpay_job"] == other["metadata"]["batchpay_job"]:
        return True
    customers = {charge["customer"], other["customer"]} - {None}
    return charge["amount"] == other["amount"] and len(customers) < 2


def _behind_an_answer(story: Story) -> Iterator[str]:
    """B19, L6: where an answer said that nothing was charged and a charge lies behind it, nothing
    more of its sale is sent by a run that begins once lists show it; and where that was too late,
    and the charge kept its name, somebody notices.
    """
    world = story.world
    lost = (
        world.weather.injected["journal restored"]
        + world.weather.injected["journal lost"]
    )
    if lost or len(story.machines) > 1 or story.renamed:
        return
    begins: dict[str, float] = {}
    for request in world.ledger.requests:
        begins.setdefault(request.run_id, request.at_s)
    for charge in world.ledger.charges:
        if (
            not charge.get("_behind")
            or charge["status"] not in MONEY
            or charge.get("_changed")
        ):
            continue
        order_id = charge["_behind"]["order_id"]
        sale = sale_of(order_id)
        both = [
            c
            for c in world.ledger.charges
            if _key(c) == _key(charge) and c["status"] in MONEY
        ]
        stops = (c.event.data for c in world.commits if c.event.kind == "stop")
        # lists of the same night show it, or it is looked for half a day after what went last
        looks_s = charge["_visible_s"]
        if looks_s > charge["_at_s"] + HOUR_S:
            looks_s = max(looks_s, *(c["_at_s"] + 12 * HOUR_S for c in both))
        if (
            len(both) > 1
            and charge["metadata"]
            and max(begins.values()) > looks_s
            and not any(order_id in str(s) for s in stops)
        ):
            yield f"B19: order {order_id} has {len(both)} charges under one key and no stop"
        for request in _posted(world):
            is_later = begins[request.run_id] > charge["_visible_s"] + EPSILON_S
            if is_later and sale_of(request.order_id) == sale:
                yield (
                    f"B19: order {request.order_id} was sent beside {charge['id']}, which lies"
                    f" behind an answer and was shown (run {request.run_id})"
                )


def _came_alive_later(charges: list[dict[str, object]]) -> bool:
    """Had all but one ended without money when that one was made? Nobody could know."""
    made = [float(str(charge["_at_s"])) for charge in charges]
    alive = [
        float(str(charge["_changed"])) for charge in charges if charge.get("_changed")
    ]
    return len(alive) >= len(charges) - 1 and min(alive) > min(made)


# what is told of a row that asks for something else now, or did
OTHER_TERMS = (
    "same order id, other content",
    "it asked for its order otherwise than another row; its order was charged since",
)


def _pair_went(story: Story) -> Iterator[str]:
    """E03: two sales under one id, of which a person gave one an id of its own, are no conflict of
    each other.
    """
    injected = story.world.weather.injected
    told = (
        "journal restored",
        "journal lost",
        "id column edited",
        "lookup edited",
    )
    if any(injected[what] for what in told) or story.renamed or len(story.machines) > 1:
        return
    # where one that was charged before asks for something else now, that is told
    is_edited = any(what.endswith(" column edited") for what in injected)
    sent_back = {path.name for path in story.sent_back}
    both = {row.order_id for row in findings(story) if row.file in sent_back}
    for row in findings(story):
        if is_edited and str(row.reason).startswith(OTHER_TERMS):
            continue
        if row.file in sent_back and len(both) > 1 and row.outcome is Outcome.CONFLICT:
            place = f"{row.file} row {row.row}"
            yield f"E03: order {row.order_id} of {place} is a conflict: {row.reason}"


def _other_account(world: World) -> Iterator[str]:
    """J03: not one charge is asked of an account that the journal does not belong to."""
    for request in world.other.requests:
        if request.what == "POST":
            yield (
                f"J03: order {request.order_id} was asked of another account (run {request.run_id})"
            )


def _posts(world: World) -> Iterator[str]:
    """I4, I5, I6 and laws L1, L2, L5: each POST against the intents and evidence that were durable
    before it.
    """
    by_key: dict[str, list[Request]] = defaultdict(list)
    keys = _keys(world)
    for request in _posted(world):
        by_key[request.key].append(request)
    for key, requests in by_key.items():
        commits = [
            c
            for c in world.commits
            if keys.get((c.job, c.event.order_id, c.event.attempt)) == key
        ]
        for number, request in enumerate(requests, 1):
            before = [c for c in commits if c.tick < request.tick]
            # a cloned machine tells of them twice
            intents = list(
                {
                    (c.event.attempt, c.event.send, c.event.digest): c
                    for c in before
                    if c.event.kind == "intent"
                }.values()
            )
            voided = len({c.event.digest for c in before if c.event.kind == "voided"})
            if len(intents) - voided < number:
                yield (
                    f"I4/I5: POST {number} of order {request.order_id} had {len(intents)} intents,"
                    f" {voided} voided"
                )
            if intents and request.sha256 not in {
                c.event.data["sha256"] for c in intents
            }:  # of either machine
                yield f"I4: order {request.order_id} was sent with another body than its intent's"
            own = [c for c in intents if c.machine == request.machine]
            if (
                own
                and request.at_s - own[-1].at_s
                > world.settings.send_window_s + EPSILON_S
            ):
                yield (
                    f"L2: order {request.order_id} left {request.at_s - own[-1].at_s:.1f} s after"
                    " its intent"
                )
        for first, second in itertools.pairwise(requests):
            yield from _doubt_respected(world, first, second, commits)


def _doubt_respected(
    world: World, first: Request, second: Request, commits: list[Commit]
) -> Iterator[str]:
    """I6, law L5: not again before the doubt period and two complete lists, unless the gateway had
    said no.
    """
    if first.told in NOT_CHARGED and first.told_tick < second.tick:
        return
    if first.machine != second.machine:
        return  # another journal: law L11 speaks about it
    settings = world.settings
    if any(c.event.kind == "adopted" for c in commits):
        return
    if _nothing_told(world, first, second, commits):
        # never-twice.md: a whole state folder put back, and a request on its way
        return
    waited_s = second.at_s - first.at_s
    if waited_s < settings.doubt_period_s - settings.send_window_s:
        yield f"I6: order {first.order_id} was sent again after {waited_s:.1f} s of doubt"
    if any(c.forgotten_tick < second.tick for c in commits):
        return  # its journal was restored or lost in between
    absents = [
        c
        for c in commits
        if c.event.kind == "absent"
        and c.machine == first.machine
        and first.tick < c.tick < second.tick
    ]
    lists = [
        r
        for r in world.ledger.requests
        if r.what == "LIST" and r.told == 200 and first.tick < r.tick < second.tick
    ]
    absents = [
        c
        for c in absents
        if c.event.data["boot_id"] == absents[-1].event.data["boot_id"]
    ]
    if len(absents) < 2 or len(lists) < 2:
        yield (
            f"L5: order {first.order_id} was sent again after {len(absents)} look-ups without a"
            " trace"
        )
    elif (
        apart_s := absents[-1].event.data["boot_s"] - absents[-2].event.data["boot_s"]
    ) < settings.lookup_gap_s - EPSILON_S:
        yield f"L5: order {first.order_id}: two look-ups {apart_s:.2f} s apart"


def _nothing_told(
    world: World, first: Request, second: Request, commits: list[Commit]
) -> bool:
    """Was the whole machine put back to before the first one's intent, and did no run since then
    look at a list that shows a charge which it does not know?
    """
    intents = [
        c for c in commits if c.event.kind == "intent" and c.machine == first.machine
    ]
    intent = max(
        (c for c in intents if c.tick < first.tick), key=lambda c: c.tick, default=None
    )
    if intent is None or intent.untold_tick > second.tick:
        return False
    looks: dict[str, Request] = {}  # the first list of each run
    for request in world.ledger.requests:
        is_list = request.what == "LIST" and request.told == 200
        since_then = intent.untold_tick < request.tick < second.tick
        if is_list and since_then and request.machine == first.machine:
            looks.setdefault(request.run_id, request)
    return not any(_shows_unknown(world, look) for look in looks.values())


def _shows_unknown(world: World, look: Request) -> bool:
    """Does a list show a charge of the job of which the journal of that time has no intent?"""
    keys = _keys(world)
    known = {
        keys.get((c.job, c.event.order_id, c.event.attempt))
        for c in world.commits
        if c.machine == look.machine and c.tick < look.tick < c.forgotten_tick
    }
    return any(
        _key(charge) not in known
        for charge in world.ledger.of_job(JOB)
        if charge["_visible_s"] <= look.at_s and charge["status"] != "forgotten"
    )


def _after_money(world: World) -> Iterator[str]:
    """I6: no POST for an order after it took money."""
    unlisted = {
        c["metadata"].get("order_id")
        for c in world.ledger.charges
        if c["_visible_s"] == float("inf")
    }
    for request in _posted(world):
        asked = _asked(request)
        again = any(_is_one_order(charge, asked) for charge in request.taken_before)
        if again and request.order_id not in unlisted:
            yield (
                f"I6: order {request.order_id} was sent after it had taken money (run"
                f" {request.run_id})"
            )


def _asked(request: Request) -> dict[str, Any]:
    """The charge that a request asks for, as far as it tells whose order it is."""
    fields = {name: values[0] for name, values in parse_qs(request.body).items()}
    return {
        "amount": int(fields["amount"]),
        "customer": fields.get("customer"),
        "metadata": {"batchpay_job": fields["metadata[batchpay_job]"]},
    }


def _rate(world: World) -> Iterator[str]:
    """I11: requests of any kind in any rolling window, per machine, across its runs."""
    settings = world.settings
    jobs = {process.run_id: process.job.name for process in world.processes}
    # and by job: each has a rate of its own
    by_machine: dict[str, list[float]] = defaultdict(list)
    for request in (*world.ledger.requests, *world.other.requests):
        by_machine[f"{request.machine}, job {jobs[request.run_id]}"].append(
            request.at_s
        )
    for machine, unsorted in by_machine.items():
        times, first = sorted(unsorted), 0
        for last, at_s in enumerate(times):
            while at_s - times[first] >= settings.rate_window_s:
                first += 1
            if last - first + 1 > settings.rate:
                yield (
                    f"I11: {last - first + 1} requests of machine {machine} within"
                    f" {settings.rate_window_s} s"
                )
                break


def _looks_first(world: World) -> Iterator[str]:
    """L11: no run sends before it has listed the gateway's charges."""
    seen: set[str] = set()
    for request in _posted(world):
        if request.run_id in seen:
            continue
        seen.add(request.run_id)
        listed = any(
            c.event.kind == "listing"
            and c.event.run_id.endswith(request.run_id)
            and c.tick < request.tick
            for c in world.commits
        )
        asked = any(
            r.what == "LIST"
            and r.told == 200
            and r.run_id == request.run_id
            and r.tick < request.tick
            for r in world.ledger.requests
        )
        if not (listed and asked):
            yield f"L11: {request.run_id} sent before it had listed"


def _refused_key(world: World) -> Iterator[str]:
    """B20: after a refused key, at most as many more requests as were under way."""
    for process in world.processes:
        requests = [r for r in world.ledger.requests if r.run_id == process.run_id]
        refused = [
            r.told_tick for r in requests if r.told in (401, 403) and r.what != "READ"
        ]
        later = [
            r
            for r in requests
            if refused and r.tick > min(refused) and r.what == "POST"
        ]
        if len(later) > world.settings.concurrency:
            yield f"B20: {len(later)} POSTs of {process.run_id} after the key was refused"


# --- the journal's side


def _attempts(world: World) -> Iterator[str]:
    """I7, law L3: attempt n + 1 only after proof that attempt n took no money."""
    ended: set[tuple[str, str, str, int]] = set()
    for commit in world.commits:
        event = commit.event
        if not event.order_id:
            continue
        if event.kind == "intent" and event.send == 1 and event.attempt > 1:
            proven = (commit.machine, commit.job, event.order_id, event.attempt - 1)
            if proven not in ended:
                yield (
                    f"I7: attempt {event.attempt} of order {event.order_id} began while the one"
                    " before was open"
                )
        refused = event.kind == "answer" and event.data.get("verdict") == "refused"
        # a person's word that it took no money, or is never to be sent
        refused |= event.kind == "resolved" and event.data.get("state") == "refused"
        charge = event.data.get("charge") or {}
        where = (commit.machine, commit.job, event.order_id, event.attempt)
        if (
            refused
            or event.kind == "withdrawn"
            or charge.get("status") in ("failed", "expired", "reversed")
        ):
            ended.add(where)
        elif charge.get("status") in MONEY:
            ended.discard(where)


def _states(world: World) -> Iterator[str]:
    """I8: outcomes move only as the table says; what the gateway contradicts itself about is a
    stop.
    """
    for machine in {c.machine for c in world.commits}:
        states: dict[tuple[str, str, int], str] = {}
        # of which a person said that they took no money: a charge that ended says so, too
        by_hand: set[tuple[str, str, int]] = set()
        commits = [
            c
            for c in world.commits
            if c.machine == machine and c.forgotten_tick == float("inf")
        ]
        for commit, following in zip(commits, [*commits[1:], None], strict=True):
            event = commit.event
            after = event.data.get("state")
            if after is None:
                continue
            before = states.get((commit.job, event.order_id, event.attempt), "held")
            states[commit.job, event.order_id, event.attempt] = after
            stopped = following is not None and following.event.kind == "stop"
            said = event.kind == "resolved"  # a person's word, with what they named
            which = (commit.job, event.order_id, event.attempt)
            if said and after == "refused":
                by_hand.add(which)
            said |= which in by_hand and after in ("declined", "expired", "reversed")
            if (
                after != before
                and after not in AFTER.get(before, set())
                and not (stopped or said)
            ):
                yield f"I8: order {event.order_id} went from {before} to {after}"


def _stops(world: World) -> Iterator[str]:
    """L10: nothing is sent between a stop and its end."""
    jobs = {process.run_id: process.job.name for process in world.processes}
    for request in _posted(world):
        stop = ""
        for c in world.commits:
            of_the_run = c.machine == request.machine and c.job == jobs[request.run_id]
            if of_the_run and c.tick < request.tick < c.forgotten_tick:
                stop = (
                    c.event.data["reason"]
                    if c.event.kind == "stop"
                    else ""
                    if c.event.kind == "lifted"
                    else stop
                )
        if stop:
            yield f"L10: order {request.order_id} was sent under a stop: {stop}"


def _stopped(world: World, machine: Machine) -> bool:
    return any(
        c.machine == machine.name and c.event.kind == "stop" for c in world.commits
    )


def _took_nothing(world: World, request: Request) -> bool:
    """Was it told that this request was declined, or has expired? What else was told of a charge
    without money is nobody's money.
    """
    told = (
        c.event
        for c in world.commits
        if c.event.kind == "answer" and c.event.order_id == request.order_id
    )
    ended = [
        e.data["charge"].get("status")
        for e in told
        if e.data.get("charge") and e.run_id.endswith(request.run_id)
    ]
    return not {"failed", "expired"}.isdisjoint(ended)


def _is_its_own(world: World, request: Request) -> bool:
    """Is the id that was told that of another charge of the same key, as asked like this one? Then
    nothing of the answer tells the two apart: lists do, if they show both (B31).
    """
    told = {
        c.event.data["charge"]["id"]
        for c in world.commits
        if c.event.kind == "answer"
        and c.event.order_id == request.order_id
        and c.event.run_id.endswith(request.run_id)
        and c.event.data.get("charge")
    }
    own = {c["id"] for c in world.ledger.charges if _key(c) == request.key}
    return request.fate == "lie stolen id" and bool(told) and told <= own


def _lies_are_stopped(world: World) -> Iterator[str]:
    """L7: a success that is not what was asked is a stop, unless the run ended before it could say
    so.
    """
    whole = {p.run_id for p in world.processes if not p.died and not p.trouble}
    for request in _posted(world):
        lied = request.fate in {
            f"lie {kind}" for kind in LIES if kind not in ("swapped", "twin")
        }
        if (
            lied
            and request.told == 200
            and request.run_id in whole
            and not _took_nothing(world, request)
            and not _is_its_own(world, request)
        ):
            stops = [
                c
                for c in world.commits
                if c.event.kind == "stop" and c.tick > request.tick
            ]
            if not any(request.order_id in str(c.event.data) for c in stops):
                yield (
                    f"L7: order {request.order_id} was answered with a {request.fate}, and nobody"
                    " stopped"
                )


def _twins_are_stopped(story: Story) -> Iterator[str]:
    """B31: the gateway charged one key twice: somebody must have noticed."""
    for charge in unnoticed_twins(story.world):
        order_id = charge["metadata"]["order_id"]
        yield f"L10: order {order_id} has two charges under one key and no stop was ever written"


def unnoticed_twins(world: World) -> Iterator[dict[str, Any]]:
    """The first charge of each key that was charged twice, as lists show it, and that no stop tells
    of.
    """
    for key in world.ledger.twins:
        of_key = [
            c for c in world.ledger.charges if _key(c) == key and c["status"] in MONEY
        ]
        charges = [c for c in of_key if c["_visible_s"] != float("inf")]
        order_id = charges[0]["metadata"]["order_id"] if charges else ""
        noticed = any(
            c.event.kind == "stop" and order_id in str(c.event.data)
            for c in world.commits
        )
        if len(charges) > 1 and not noticed:
            yield charges[0]


def _shares(story: Story) -> Iterator[str]:
    """What is told of a transfer is of the charge's own chain, was so at the gateway by then, and
    what is not the recipient's share is told as a flaw.
    """
    world, shares = story.world, story.world.ledger.shares
    seen = [c for c in world.commits if c.event.kind == "transfer"]
    if shares is None:
        yield from (f"a transfer of order {c.event.order_id} was made up" for c in seen)
        return
    chain_of = {name: chain for chain, name in shares.of_chain.items()}
    owners = {
        c["chain"]: c["metadata"].get("order_id")
        for c in world.ledger.charges
        if c["chain"]
    }
    lied = excused(world)
    for commit in seen:
        told, order_id = commit.event.data, commit.event.order_id
        world.weather.injected[f"a share was told as {told['stands']}"] += 1
        if order_id in lied:
            continue
        transfer = shares.transfers.get(told["id"])
        if transfer is None or owners.get(chain_of.get(told["id"], "")) != order_id:
            yield f"order {order_id}: {told['id']} is not the transfer of its chain"
            continue
        stood = [
            where for at_s, where in shares.moved[told["id"]] if at_s <= commit.at_s
        ]
        if told["stands"] not in stood:
            yield f"order {order_id}: its share is told as {told['stands']}, it was {stood}"
        if told["amount"] != transfer["amount"]:
            yield f"order {order_id}: {told['amount']} of its share is told, it is {transfer}"
        if bool(told.get("flaws")) is not (told["id"] in shares.others):
            yield f"order {order_id}: flaws of its share: {told.get('flaws')}, {transfer}"


def ended_and_known(story: Story) -> list[dict[str, Any]]:
    """The charges of which the journal has proof and that ended, about which the gateway has said
    nothing odd.
    """
    world = story.world
    proven = {
        str(charge["id"])
        for commit in world.commits
        if isinstance(charge := commit.event.data.get("charge"), dict)
    }
    odd = excused(world)
    return [
        charge
        for charge in world.ledger.of_job(JOB)
        if charge["id"] in proven
        and charge["status"] not in ("pending", "forgotten")
        and charge["metadata"]["order_id"] not in odd
        # what was reversed is over
        and charge["status"] != "reversed"
    ]


def told_of(story: Story, changed: Sequence[dict[str, Any]]) -> Iterator[str]:
    """J04, I8: charges that changed nights after they ended are what they are by now, in the
    journal and in the report of their own night; what is money for one order twice is a stop.
    """
    wanted = {"successful": "succeeded", "reversed": "reversed"}
    # an order that was answered with another's charge shows it, too, and proves nothing
    rows = {
        row.charge_id: row
        for row in sorted(
            findings(story), key=lambda row: row.outcome is not Outcome.UNPROVEN
        )
        if row.charge_id
    }
    for charge in changed:
        known = [
            told["status"]
            for commit in story.world.commits
            if isinstance(told := commit.event.data.get("charge"), dict)
            and told["id"] == charge["id"]
        ]
        if known[-1] != charge["status"]:
            yield f"J04: {charge['id']} is {charge['status']} by now, told as {known[-1]}"
        row = rows.get(str(charge["id"]))
        if row is not None and row.outcome != wanted[str(charge["status"])]:
            yield f"I8: order {row.order_id}, {charge['id']}: {row.outcome}, not {charge['status']}"
    came_alive = any(one["status"] == "successful" for one in changed)
    if came_alive and not _stopped(story.world, story.machines[0]):
        yield "J04: a charge that had ended was paid after all, and nothing stopped"


def _limits(story: Story) -> Iterator[str]:
    """Nothing is asked for beyond what the job allows of a day, of all or of one recipient."""
    injected = story.world.weather.injected
    gone = injected["journal restored"] + injected["journal lost"]
    if "max_" not in story.controls or gone or len(story.machines) > 1 or story.renamed:
        return
    limits = tomllib.loads(story.controls)["controls"]
    asked_of: dict[tuple[str, int], dict[str, Any]] = {}
    open_now: dict[tuple[str, int], tuple[str, str, str, int]] = {}
    for commit in story.world.commits:
        event = commit.event
        where = (event.order_id, event.attempt)
        charge = event.data.get("charge")
        ended = isinstance(charge, dict) and charge.get("status") in ENDED_AT_GATEWAY
        if event.data.get("state") in ENDED or ended:
            open_now.pop(where, None)
        if event.kind != "intent":
            continue
        asked = asked_of[where] = event.data.get("intent") or asked_of[where]
        day = datetime.fromtimestamp(event.at_ns // 10**9, UTC).date().isoformat()
        currency = asked["currency"].upper()
        open_now[where] = (day, currency, asked["destination"], asked["amount"])
        of_day = [one for one in open_now.values() if one[:2] == (day, currency)]
        of_recipient = [one for one in of_day if one[2] == asked["destination"]]
        for name, some in (("max_day", of_day), ("max_recipient", of_recipient)):
            exponent = EXPONENT.get(currency, 2)
            most = limits.get(name, {}).get(currency)
            total = sum(one[3] for one in some)
            if most is not None and total > Decimal(most).scaleb(exponent):
                yield (
                    f"{name}: with order {event.order_id} {total} {currency} are asked for on"
                    f" {day}, {most} are allowed"
                )


# --- both sides


def findings(story: Story) -> list[Finding]:
    """What the reports would show: every row of every file that is an input now."""
    journal = story.machines[0].copy()
    seen = (journal, story.job, len(story.files))
    if story.found is None or story.found[0] != seen:
        rows: list[Finding] = []
        batches = {batch.file: batch for batch in journal.batches()}
        for file in story.files:
            for _, some in findings_of(story.job, journal, batches[file.path.name])():
                rows += some
        story.found = (seen, rows)
    return story.found[1]


def _columns(story: Story) -> Iterator[str]:
    """I9: what reports are shown from is what the events add up to."""
    journal = story.machines[0].copy()
    yield from (f"I9: {told}" for told in drifted(story.job, journal))


def _sums(story: Story) -> Iterator[str]:
    """I2, I3, I17, I19: the report and the gateway tell of the same money."""
    rows, world = findings(story), story.world
    wanted = [
        (file.path.name, row)
        for file in story.files
        for row in range(2, 2 + len(file.rows))
    ]
    if [(row.file, row.row) for row in rows] != wanted:
        yield "I3: not every row stands exactly once in the report"
    totals = Totals()
    for row in rows:
        totals.add(row)
        is_over = row.settled_by or row.accepted or row.cancelled is not None
        if row.outcome not in ("succeeded", "duplicate") and not (
            row.reason and (row.who_acts != "-" or is_over)
        ):
            yield f"I19: order {row.order_id} is {row.outcome} without a reason or somebody to act"
    lied = excused(world)
    for equation in totals.equations(len(wanted)):
        if not equation.closes and not lied:
            yield f"I3: {equation.name}: {equation.left} and {equation.right}"
    shown = {
        r.charge_id: r.charged_amount
        for r in rows
        if r.outcome in ("succeeded", "unproven")
    }
    # those that no row shows stand in adopted.json
    for stray in unshown(story.job, story.machines[0].copy()):
        if stray.charge is not None and stray.money and stray.money.taken:
            shown.setdefault(stray.charge.id, stray.money.taken)
    moved = {
        c["id"]: c["amount"]
        for c in world.ledger.of_job(JOB)
        if c["status"] in ("successful", "reversed")
    }
    stays = {c["id"] for c in world.ledger.of_job(JOB) if c["status"] == "successful"}
    doubtful = {
        c["id"] for c in world.ledger.of_job(JOB) if c["metadata"]["order_id"] in lied
    }
    doubtful |= {row.charge_id for row in rows if row.order_id in lied}
    if wrong := [
        i
        for i in {*shown, *stays} - doubtful
        if (i in stays and i not in shown) or shown.get(i) != moved.get(i)
    ]:
        yield f"I2: {sorted(wrong)}: the report has {shown}, the gateway {moved}"
    chainless = {
        c["id"]
        for c in world.ledger.of_job(JOB)
        if c["status"] == "successful" and not c["chain"]
    }
    if unproven := [
        row.order_id
        for row in rows
        if row.charge_id in chainless and row.outcome == "succeeded"
    ]:
        yield f"L7: {unproven} are shown as succeeded, and nothing proves their split"
    for charge in world.ledger.of_job(JOB):
        if charge["amount"] not in story.every_amount:
            yield f"I17: {charge['amount']} was charged and nobody asked for it"


def check_liveness(story: Story) -> list[str]:
    """I15: what the gateway can answer is answered, and what may be sent is sent."""
    lied = excused(story.world)
    # until a person says what became of such a charge, no list proves an absence, and what was
    # asked for before does not go again
    is_one_gone = any(c["status"] == "forgotten" for c in story.world.ledger.charges)
    asked = {sale_of(request.order_id) for request in _posted(story.world)}
    # or may have been: a run died between its intent and its request
    intents = (c.event for c in story.world.commits if c.event.kind == "intent")
    asked |= {sale_of(event.order_id) for event in intents}
    stuck = []
    for row in findings(story):
        waits_for_proof = row.outcome == "in_doubt" or sale_of(row.order_id) in asked
        if is_one_gone and waits_for_proof and row.outcome != "pending":
            continue
        a_persons = row.who_acts != "next run" and row.outcome != "pending"
        if (
            row.outcome in ("in_doubt", "held", "pending")
            and row.order_id not in lied
            and not a_persons
        ):
            stuck.append(
                f"I15: order {row.order_id} is still {row.outcome}: {row.reason}"
            )
    return stuck


# --- helpers


def _posted(world: World) -> Iterator[Request]:
    return (request for request in world.ledger.requests if request.what == "POST")


def _keys(world: World) -> dict[tuple[str, str, int], str]:
    """(job, order, attempt) -> key, as the first intents say."""
    return {
        (c.job, c.event.order_id, c.event.attempt): c.event.data["intent"]["key"]
        for c in world.commits
        if "intent" in c.event.data
    }


def _key(charge: dict[str, object]) -> str:
    metadata = charge["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata.get("batchpay_key", ""))
