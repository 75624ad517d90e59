"""Lend an environment what a distribution in it asks for, extras too, from the environment that
this Python runs in: links, and nothing that nobody asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement


def asked_for(dist: Distribution, extras: set[str]) -> Iterator[Requirement]:
    """What it needs here."""
    for text in dist.requires or ():
        one = Requirement(text)
        marker = one.marker
        if marker is None or any(
            marker.evaluate({"extra": extra}) for extra in ("", *extras)
        ):
            yield one


def lend(dist: Distribution, place: Path) -> None:
    """Its files, by what stands at the top of the place of libraries."""
    tops = {file.parts[0] for file in dist.files or ()} - {"..", "__pycache__"}
    for top in tops:
        (place / top).symlink_to(Path(str(dist.locate_file(top))))


def main(place: Path, name: str, *extras: str) -> None:
    """All that it needs, and what that needs."""
    (own,) = distributions(name=name, path=[str(place)])
    todo, lent = [*asked_for(own, {*extras})], set[tuple[str, ...]]()
    there = {name}
    while todo:
        wanted = todo.pop()
        known = (wanted.name, *sorted(wanted.extras))
        if known in lent:
            continue
        lent.add(known)
        dist = distribution(wanted.name)
        if dist.name not in there:
            there.add(dist.name)
            lend(dist, place)
        todo += asked_for(dist, wanted.extras)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
