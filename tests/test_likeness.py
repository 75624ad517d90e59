"""Two files are held against each other by a sample, then order by order."""

from __future__ import annotations

import random
from typing import Any

import pytest

from batchpay.intake.likeness import SAMPLE, Comparison, Features, suspicious
from batchpay.lifecycle.order_ids import form_in


def orders(numbers: Any, ids: str = "a") -> list[dict[str, Any]]:
    return [
        {
            "order_id": f"{ids}{n}",
            "customer": f"cust_{n}",
            "destination": "recp_1",
            "amount": n,
            "currency": "thb",
        }
        for n in numbers
    ]


def features(numbers: Any) -> Features:
    found = Features()
    for order in orders(numbers):
        found.add([order])
    return found


def test_the_same_orders_in_any_order_and_any_pieces_are_the_same() -> None:
    """Twice is not once, and the sample is bounded."""
    numbers = list(range(1000))
    mixed = random.Random(1).sample(numbers, 1000)
    assert features(numbers) == features(mixed)
    assert features([1, 1]).fingerprint != features([1]).fingerprint
    assert (
        len(features(numbers).sample) == SAMPLE and len(features(range(3)).sample) == 3
    )


@pytest.mark.parametrize("size", [10, 1000, 5000])
def test_a_sample_tells_half_a_file_from_another_one(size: int) -> None:
    """Whatever the size; nothing is not like nothing."""
    file = features(range(size)).sample
    assert suspicious(file, features(range(size // 2, size * 3 // 2)).sample)
    assert not suspicious(file, features(range(size, size * 2)).sample)
    assert not suspicious(Features().sample, Features().sample)


@pytest.mark.fault("E04")
@pytest.mark.parametrize(
    "mine, sent, told",
    [
        (orders([1, 2], "b"), (), (2, 2, 0, True)),
        (orders([1, 9], "b"), (), (2, 1, 0, False)),
        (orders([1, 2, 8, 9], "b"), (), (4, 2, 0, True)),
        (orders([1, 2, 7, 8, 9], "b"), (), (5, 2, 0, False)),
        (orders([1, 2], "b"), ("b1",), (1, 1, 1, False)),
        (orders([1, 2, 3]), ("a1", "a2", "a3"), (0, 0, 3, False)),
        # its very ids: the same orders once more
        (orders([1, 2, 3]), (), (3, 0, 0, False)),
        (
            orders([1], "b") + orders([1], "c"),
            (),
            (2, 1, 0, False),
        ),  # one order of the other file answers for one
    ],
)
def test_half_of_the_new_orders_make_a_warning(
    mine: Any, sent: Any, told: tuple[int, int, int, bool]
) -> None:
    """Of those that are known already the journal speaks."""
    comparison = Comparison()
    comparison.remember(orders([1, 2, 3]))
    comparison.compare(mine, sent)
    assert (
        comparison.new,
        comparison.alike,
        comparison.known,
        comparison.warns,
    ) == told


@pytest.mark.fault("E04", "J08")
def test_an_order_resembles_none_of_a_file_that_has_its_id_as_the_source_reads_ids() -> (
    None
):
    """One export in two formats, one of which lost the zeros: the look-alikes are judged row by
    row; unless the source really has both.
    """
    for form, repeated in (
        (form_in(distinct=False), []),
        (form_in(distinct=True), [""]),
    ):
        comparison = Comparison(form)
        comparison.remember(orders([1, 2], "00"))
        comparison.compare(orders([1, 2], ""), ())
        assert (comparison.new, comparison.repeated) == (2, repeated)
    comparison = Comparison()
    comparison.remember(orders([1, 2], "b"))
    comparison.remember_open("01", orders([1]))
    comparison.compare(orders([1], ""), ())
    assert comparison.asked == 1
