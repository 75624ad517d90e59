"""ANCESTRY: the rows that a correction goes back to, and by what that sale is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from batchpay.domain.model import Intent
from batchpay.lifecycle.places import by_order


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The rows that a correction goes back to, nearest first."""

    places: tuple[str, ...] = ()  # places.place_of each
    # Of those of them whose order id could be read, all that they ever had.
    order_ids: tuple[str, ...] = ()
    first_id: str = ""  # order id of the first row of all; empty when it had none

    @property
    def identity(self) -> str:
        """What all corrections of the first row have in common: its order id if it has one, else
        its place.
        """
        if self.first_id:
            return by_order(self.first_id)
        if self.places:
            return self.places[-1]
        return ""

    @property
    def keys(self) -> tuple[str, ...]:
        """All that the sale is known by: the order ids and the places of the rows that it goes back
        to.
        """
        return (*map(by_order, self.order_ids), *self.places)

    def is_of_another(self, order_id: str) -> bool:
        """Does it go back to anything but rows of this very order?"""
        return bool(self.places) and (
            not self.first_id or set(self.order_ids) != {order_id}
        )


class Trace(Protocol):
    """Place of the row that a row came back for, and the other ids that the row itself had or tells
    -> its ancestry.
    """

    def __call__(self, place: str, told: Sequence[str] = (), /) -> Ancestry: ...


def only_named(place: str, told: Sequence[str] = ()) -> Ancestry:
    """The ancestry of a row when there is no journal to ask: the row that it names, by the id that
    it tells.
    """
    first_id = ""
    if told:
        first_id = told[-1]
    return Ancestry((place,), tuple(told), first_id)


def goes_back_to(intent: Intent, keys: Iterable[str]) -> bool:
    """Did an attempt come to correct a row that is known by any of these (places, and orders as
    `by_order`)?
    """
    goes_back = (intent.corrects, *intent.sale)
    return any(key in goes_back for key in keys)
