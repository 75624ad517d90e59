"""What must be true after a night, told from the gateway's own books and the journal's events alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from batchpay.model import Outcome
from tests.simulation.gateway import CLEAR
from tests.simulation.world import SETTINGS, Night


def findings(night: Night) -> list[str]:
    """Every invariant that does not hold, as a sentence; empty when all do."""
    return [
        *_never_twice(night),
        *_one_key(night),
        *_intents(night),
        *_doubt(night),
        *_rate(night),
        *_never_lost(night),
    ]


def _never_twice(night: Night) -> Iterator[str]:
    """I1."""
    for order_id, count in night.money().items():
        if count > 1:
            yield f"I1: order {order_id} has {count} charges that took money"


def _one_key(night: Night) -> Iterator[str]:
    """I5, I7: one key and one body an attempt; a second attempt only after proof."""
    keys: dict[str, set[str]] = defaultdict(set)
    bodies: dict[str, set[str]] = defaultdict(set)
    for post in night.gateway.posts:
        keys[post.order_id].add(post.key)
        bodies[post.key].add(post.body)
    for order_id, found in keys.items():
        if len(found) > 1:
            yield f"I7: order {order_id} was sent under {len(found)} keys"
    for key, some in bodies.items():
        if len(some) > 1:
            told = {body.partition("batchpay_run")[0] for body in some}
            if len(told) > 1:
                yield f"L3: key {key} was sent with {len(some)} bodies"


def _intents(night: Night) -> Iterator[str]:
    """I4, I5: no POST without an intent of its own, as far as the journal that is left can tell."""
    sends: dict[str, int] = defaultdict(int)
    for event in night.journal.events(["intent"]):
        sends[event.order_id] += 1
    posts: dict[str, int] = defaultdict(int)
    for post in night.gateway.posts:
        posts[post.order_id] += 1
    if night.restored:
        return
    for order_id, count in posts.items():
        if count > sends[order_id]:
            yield f"I5: order {order_id} has {count} POSTs and {sends[order_id]} intents"


def _doubt(night: Night) -> Iterator[str]:
    """I6: nothing again inside the doubt period, nothing after the order took money."""
    by_order: dict[str, list[int]] = defaultdict(list)
    posts = night.gateway.posts
    for at, post in enumerate(posts):
        by_order[post.order_id].append(at)
    made = {
        charge["metadata"]["order_id"]: charge["_at_s"]
        for charge in night.gateway.charges
        if charge["status"] in ("successful", "pending")
    }
    for order_id, places in by_order.items():
        for before, after in pairwise(places):
            gap_s = posts[after].at_s - posts[before].at_s
            if posts[before].fate not in CLEAR and gap_s < SETTINGS.doubt_period_s:
                yield f"I6: order {order_id} again after {gap_s:.1f} s, the send before was '{posts[before].fate}'"
        if order_id in made and posts[places[-1]].at_s > made[order_id]:
            yield f"I6: order {order_id} was sent after it took money"


def _rate(night: Night) -> Iterator[str]:
    """I11."""
    times = sorted(night.gateway.times)
    for at, start_s in enumerate(times):
        if at + SETTINGS.rate < len(times) and times[at + SETTINGS.rate] < start_s + 1.0:
            yield f"I11: more than {SETTINGS.rate} requests in the second from {start_s:.3f}"
            return


def _never_lost(night: Night) -> Iterator[str]:
    """I2, I15: nothing is left in doubt, and journal and gateway say the same of every order."""
    money, outcomes = night.money(), night.outcomes()
    states = {c["metadata"]["order_id"]: c["status"] for c in night.gateway.charges}
    for order_id, outcome in outcomes.items():
        if outcome in (Outcome.IN_DOUBT, Outcome.HELD, Outcome.UNPROVEN):
            yield f"I15: order {order_id} is {outcome.value} although all is calm"
        elif (outcome in (Outcome.SUCCEEDED, Outcome.PENDING)) != bool(money[order_id]):
            yield f"I2: order {order_id} is {outcome.value}, the gateway has it {states.get(order_id)}"
    if night.more_posts:
        yield f"I15: {night.more_posts} POSTs in a run after all was quiet"
    for event in night.journal.events(["stop"]):
        yield f"L10: a stop without a cause: {event.data['reason']}"
