"""The kinds of trouble that nights must bring, and a few nights that bring nearly all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.simulation.outside import EDITED
from tests.simulation.story import Told
from tests.simulation.weather import BEHIND, ENDS, LIES, LOOK, POST

KINDS = (
    {f"POST {kind}" for kind in (*POST, *ENDS, *BEHIND)}
    | {f"POST lie {kind}" for kind in LIES}
    | {f"GET {kind}" for kind in LOOK}
    | {
        "kill -9",
        "power cut",
        "journal restored",
        "journal lost",
        "disk full",
        "disk writes lost",
        "job edited",
        "two sales under one id",
        "a pair sent back",
        "sent back, typed",
        "limits in the job",
        "upgrade in mid-life",
        "a share was told as paid",
        "a share was told as failed",
        "a share was told as deleted",
        "a charge that changed nights later",
        "id column edited",
        "another export under other ids",
        "a file is back after nights",
        "the same is sold again",
        "an order cancelled",
        "settled by a person as charged",
        "settled by a person as not charged",
        "a stop lifted in between",
        "a batch archived",
        "many nights without a run",
        "job renamed",
        "job renamed, another night",
        "another account's key",
        "a live key, and a live job",
        "lookup edited",
    }
    | {f"{column} column edited" for column in EDITED}
)


def missing(nights: Sequence[Told]) -> set[str]:
    """The kinds that befell none of them."""
    befell = sum((told.injected for told in nights), Counter[str]())
    return {kind for kind in KINDS if not befell[kind]}


def few(nights: Sequence[Told], count: int) -> list[int]:
    """Seeds of so many of them: half as they come, and half for what those lack, the rarest most of
    all.
    """
    chosen, rest = list(nights[: count // 2]), list(nights[count // 2 :])
    while rest and len(chosen) < count:
        befell = sum((told.injected for told in chosen), Counter[str]())
        best = max(rest, key=lambda told: _worth(told, befell))
        chosen.append(best)
        rest.remove(best)
    return sorted(told.seed for told in chosen)


def _worth(told: Told, befell: Counter[str]) -> int:
    return sum(max(0, 3 - befell[kind]) ** 3 for kind in KINDS & told.injected.keys())
