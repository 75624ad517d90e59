"""When a list of charges is complete, and when it proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from batchpay.domain.model import Page
from batchpay.gateways.omise.objects import page_in
from batchpay.lifecycle.listing import Listing
from tests.test_lifecycle import charge

AT = "2026-11-24T00:00:{:02}Z"


def page(*numbers: int, total: int, **changes: Any) -> Any:
    made = [
        charge(id=f"chrg_test_{n}", created_at=AT.format(n), **changes) for n in numbers
    ]
    found = page_in({"object": "list", "data": made, "total": total})
    assert found is not None
    return found


@pytest.mark.fault("B12", "B13", "B32")
@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"object": "charge", "data": [], "total": 0},
        {"object": "list", "data": {}, "total": 0},
        {"object": "list", "data": [], "total": -1},
        {"object": "list", "data": [], "total": True},
        {"object": "list", "data": [], "total": "0"},
        {"object": "list", "data": [{"object": "refund"}], "total": 1},
    ],
)
def test_what_is_no_list_of_charges_is_no_page(document: Any) -> None:
    """It is as if there had been no answer."""
    assert not isinstance(page_in(document), Page)


@pytest.mark.fault("B32")
def test_pages_overlap_by_one_and_end_with_the_count() -> None:
    """Each charge comes out once; complete is who has read as many as there are."""
    listing = Listing()
    assert [c.id for c in listing.add(page(1, 2, total=3)).charges] == [
        "chrg_test_1",
        "chrg_test_2",
    ]
    assert (listing.complete, listing.offset) == (False, 1)
    assert [c.id for c in listing.add(page(2, 3, total=3)).charges] == ["chrg_test_3"]
    assert (listing.complete, listing.broken, listing.latest) == (
        True,
        "",
        AT.format(3),
    )
    empty = Listing()
    empty.add(page(total=0))
    assert (empty.complete, empty.offset, empty.latest) == (True, 0, "")


@pytest.mark.fault("B32", "I6")
@pytest.mark.parametrize(
    "second, why",
    [
        (page(3, 4, total=4), "shifted"),  # one before ours went away
        (page(total=3), "shifted"),  # an empty page
        (
            page(2, total=3),
            "2 objects were read where the gateway counts 3",
        ),  # nothing new, and not all read
        (page(2, 3, total=1), "3 objects were read where the gateway counts 1"),
    ],
)
def test_a_list_that_moves_while_it_is_read_proves_nothing(
    second: Any, why: str
) -> None:
    """It is broken, and stays so although its count fits later."""
    listing = Listing()
    listing.add(page(1, 2, total=3))
    listing.add(second)
    assert why in listing.broken and not listing.complete


@pytest.mark.fault("B32")
def test_a_list_ends_with_charges_younger_than_itself() -> None:
    """An account may grow faster than its list is read: all that there was has been read, and a
    page is younger.
    """
    listing = Listing(now=AT.format(5), size=3)
    listing.add(page(1, 2, 3, total=4))
    listing.add(page(3, 4, 6, total=9))
    assert not listing.complete  # one of them was there when it began
    listing.add(page(6, 7, 8, total=12))
    assert (listing.complete, listing.broken) == (True, "")
    for odd in ("2026-11-24", "9999-99-99T99:99:99Z"):
        listing = Listing(now=AT.format(5))
        found = page_in(
            {"object": "list", "data": [charge(created_at=odd)], "total": 2}
        )
        assert found is not None
        listing.add(found)
        assert (listing.complete, listing.latest) == (False, "")


@pytest.mark.fault("B32", "J05")
def test_a_list_of_the_past_ends_with_many_younger_charges() -> None:
    """Not with one that says it is of tomorrow; and it speaks of nothing behind its end."""
    listing = Listing(until=AT.format(10), size=7)
    listing.add(page(1, 2, 30, 3, 11, 12, 13, total=90))
    listing.add(page(13, 14, 15, 9, 11, 12, 16, total=90))
    assert not listing.complete  # one among them was of then
    listing.add(page(16, 17, 18, 19, 20, 21, 22, total=90))
    assert not listing.complete
    listing.add(page(22, 23, 24, 25, total=90))
    assert (listing.complete, listing.is_past, listing.broken) == (True, True, "")
    assert listing.reaches(AT.format(10)) and not listing.reaches(AT.format(11))
    short = Listing(until=AT.format(10), size=7)
    short.add(page(1, 30, total=2))
    assert (short.complete, short.is_past) == (True, False)


@pytest.mark.fault("B32", "J05")
@pytest.mark.parametrize(
    "order",
    [
        range(40, 0, -1),  # the youngest first
        [*range(20, 40), *range(1, 20)],  # its pages are
        [*([20] * 30), *range(1, 20)],  # all of one second
        [2, *([20] * 30), *range(1, 20)],
        [2, *(20 + number % 9 for number in range(30)), *range(3, 20)],
    ],
)
def test_a_list_without_an_order_has_no_past(order: Sequence[int]) -> None:
    """It is read to its end, whatever many of its charges say in a row."""
    names = [f"chrg_test_{place}" for place, _ in enumerate(order)]
    made = [
        charge(id=name, created_at=AT.format(at))
        for name, at in zip(names, order, strict=True)
    ]
    listing = Listing(until=AT.format(10), size=5)
    while not listing.complete:
        some = made[listing.offset : listing.offset + 5]
        found = page_in({"object": "list", "data": some, "total": len(made)})
        assert found is not None
        listing.add(found)
    assert (listing.is_past, listing.broken) == (False, "")
    assert all(map(listing.shows, names))


@pytest.mark.fault("B32", "J05")
@pytest.mark.parametrize("odd", [[6, 7], [9, 6], [7, 8]])
def test_no_charge_ends_a_list_by_the_time_that_it_tells(odd: list[int]) -> None:
    """Neither one that says it is of tomorrow, nor a clock that is off for all of them: the count
    says the end.
    """
    listing = Listing(now=AT.format(5), size=2)
    listing.add(page(*odd, total=3))
    assert not listing.complete
    listing.add(page(odd[-1], 3, total=3))
    assert not listing.complete  # a full page
    listing.add(page(3, total=3))
    assert listing.complete


@pytest.mark.fault("B32", "J05")
@pytest.mark.parametrize(("size", "told"), [(2, {}), (100, {"limit": 2})])
def test_a_full_page_is_never_the_last(size: int, told: dict[str, int]) -> None:
    """A count that is cut at the size of a page ends nothing, by whoever's size; one request more
    finds out.
    """
    made = [charge(id=f"chrg_test_{n}", created_at=AT.format(n)) for n in (1, 2, 3)]
    first, second = (
        page_in({"object": "list", "data": some, "total": 2, **told})
        for some in (made[:2], made[1:])
    )
    assert first is not None and second is not None
    listing = Listing(size=size)
    listing.add(first)
    assert (listing.complete, listing.broken, listing.offset) == (False, "", 1)
    listing.add(second)
    assert (
        not listing.complete
        and "3 objects were read where the gateway counts 2" in listing.broken
    )
    short = Listing(size=3)
    short.add(first if not told else page(1, 2, total=2))
    assert short.complete  # no request more than it takes


@pytest.mark.fault("J12", "B32")
def test_one_charge_that_is_too_long_to_be_read_is_passed_over() -> None:
    """Asked for by itself: behind the last one that was read, or the very first; what was passed
    over is counted.
    """
    listing = Listing()
    listing.add(page(1, 2, total=4))
    listing.step()
    assert listing.offset == 2
    listing.skip()
    assert (listing.offset, listing.skipped) == (3, 1)
    listing.add(page(4, total=4))
    assert listing.complete and not listing.broken
    first = Listing()
    first.step()
    assert first.offset == 0
    first.skip()
    first.add(page(2, total=2))
    assert first.complete and first.skipped == 1


@pytest.mark.fault("J05")
def test_what_a_list_shows_and_what_it_would_have_to_show() -> None:
    """Everything up to its own time, and up to the youngest charge in it; without a time,
    everything.
    """
    listing = Listing(now=AT.format(5))
    listing.add(page(1, 7, total=2))
    assert listing.shows("chrg_test_1") and not listing.shows("chrg_test_2")
    assert [listing.reaches(AT.format(second)) for second in (4, 5, 6, 7, 8)] == [
        True,
        True,
        True,
        True,
        False,
    ]
    assert Listing().reaches(AT.format(59))
