"""`python -m benchmarks [FIGURE ...] [--rows N] [--runs N] [--quick] [--full]`: one table, bar
beside figure, no verdict.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time

from benchmarks.finished import clean_up
from benchmarks.measure import Figure, Size

FIGURES = (
    "startup",
    "validate",
    "check",
    "charge",
    "cpu",
    "pacing",
    "memory",
    "resume",
    "reports",
    "pages",
    "night",
)
WIDTHS = (3, 58, 15, 26)


def _line(*cells: str) -> str:
    return "  ".join(
        [
            *(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)),
            *cells[len(WIDTHS) :],
        ]
    )


def main() -> None:
    """Take the figures asked for, one after another; each line is printed as soon as it is
    known.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "figures",
        nargs="*",
        metavar="FIGURE",
        help=f"of {', '.join(FIGURES)}; default: all",
    )
    parser.add_argument(
        "--rows", type=int, help="rows for every figure, instead of its own number"
    )
    parser.add_argument(
        "--runs", type=int, help="how often each process runs; the median counts"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes, one run: a look, not a figure",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="a million rows where a figure is about many: hours, 3 GB of disk",
    )
    asked = parser.parse_args()
    if unknown := set(asked.figures) - set(FIGURES):
        parser.error(
            f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}"
        )
    size = Size(
        asked.rows, asked.runs or (1 if asked.quick else 3), asked.quick, asked.full
    )
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, median"
        f" of {size.runs}"
    )
    print(_line("", "figure", "bar", "found", "taken with"), flush=True)
    start = time.monotonic()
    try:
        for name in asked.figures or FIGURES:
            for figure in importlib.import_module(f"benchmarks.{name}").measure(size):
                _print(figure)
    finally:
        clean_up()
    print(f"{time.monotonic() - start:.0f} s in all", file=sys.stderr)


def _print(figure: Figure) -> None:
    print(
        _line(figure.bar_id, figure.what, figure.bar, figure.value, figure.note),
        flush=True,
    )


if __name__ == "__main__":
    main()
