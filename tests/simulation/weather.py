"""Which fault befalls which request: a few kinds per seed, single or in bursts, and none at all in
calm seeds.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

# What may become of a POST. `before`: the gateway does not charge. `after`: it does. `late`: it
# does, later.
POST = (
    "unreachable",
    "stalled",
    "frozen",
    "frozen late",
    "lost before",
    "lost after",
    "lost late",
    "slow",
    "silent",
    "500 before",
    "503 after",
    "502 late",
    "408 before",
    "409 after",
    "499 after",
    "backend before",
    "backend after",
    "429",
    "302 before",
    "html before",
    "html after",
    "error in success",
    "html 400 before",
)
# Ends a run: in a seed of its own kind, so that others get far.
ENDS = ("401", "403", "405", "404 html", "404 recipient")
# A promise broken by the gateway: a stop, and a person.
LIES = (
    "amount",
    "currency",
    "destination",
    "no destination",
    "key",
    "livemode",
    "id",
    "swapped",
    "twin",
    "no fee",
    "stolen id",
    "null status",
    "empty currency",
)
# A charge behind an answer that says there is none; it may be hidden for a while, or a night, or
# lose its metadata.
BEHIND = (
    "400 after",
    "404 recipient after",
    "429 after",
)
LOOK = (
    "unreachable",
    "lost",
    "silent",
    "500",
    "503",
    "429",
    "html",
    "empty",
    "short",
    "shifted",
    "slow",
)


@dataclass
class Weather:
    """One for a seed. `post` and `look` name the fate of the next request."""

    dice: random.Random
    injected: Counter[str] = field(default_factory=Counter)
    calm: bool = False
    share: float = 0.0  # of requests that meet a fault of their own
    post_kinds: tuple[str, ...] = ()
    look_kinds: tuple[str, ...] = ()
    lie_share: float = 0.0
    behind_share: float = 0.0
    behind_dice: random.Random = field(default_factory=random.Random)
    _burst: str = ""
    _left: int = 0

    @classmethod
    def of(cls, dice: random.Random) -> Weather:
        """Swarm testing: each seed knows a few kinds of fault, so that rare combinations happen
        often.
        """
        if dice.random() < 0.1:
            return cls(dice, calm=True)
        kinds = [kind for kind in POST if dice.random() < 0.35]
        if dice.random() < 0.4:
            kinds += [kind for kind in ENDS if dice.random() < 0.4]
        looks = [kind for kind in LOOK if dice.random() < 0.3]
        lies = dice.choice([0.0, 0.0, 0.0, 0.0, 0.05, 0.2])
        share = dice.choice([0.0, 0.05, 0.15, 0.4])
        return cls(
            dice,
            share=share,
            post_kinds=tuple(kinds),
            look_kinds=tuple(looks),
            lie_share=lies,
        )

    def post(self) -> str:
        """The fate of a POST; "" is a good one."""
        if not self.calm and self.dice.random() < self.lie_share:
            return self._count("lie " + self.dice.choice(LIES), "POST")
        if not self.calm and self.behind_dice.random() < self.behind_share:
            return self._count(self.behind_dice.choice(BEHIND), "POST")
        return self._draw(self.post_kinds, "POST")

    def look(self) -> str:
        """The fate of a GET."""
        return self._draw(self.look_kinds, "GET")

    def _draw(self, kinds: tuple[str, ...], what: str) -> str:
        if self.calm or not kinds:
            return ""
        if self._left and self._burst in kinds:
            self._left -= 1
            return self._count(self._burst, what)
        if self.dice.random() >= self.share:
            return ""
        kind = self.dice.choice(kinds)
        if self.dice.random() < 0.25:
            self._burst, self._left = kind, self.dice.randint(1, 8)
        return self._count(kind, what)

    def _count(self, kind: str, what: str) -> str:
        self.injected[f"{what} {kind}"] += 1
        return kind
