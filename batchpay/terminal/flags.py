"""What may stand behind a flag: each kind refused (64) with a sentence where it makes no sense."""

from __future__ import annotations

import re
from typing import Any

import click

from batchpay.domain.text import told

MOST_ORDERS = 10**9  # more rows than any file may have
LONGEST_WAIT_S = 86_400
LONGEST_REASON = 1000  # characters


class Orders(click.ParamType):  # type: ignore[type-arg]
    """A number of orders in plain digits, from `least` on."""

    name = "number"

    def __init__(self, least: int) -> None:
        self._least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Text to int; fails for anything but digits, and outside its bounds."""
        text = str(value)
        if re.fullmatch("[0-9]{1,12}", text):
            number = int(text)
        else:
            number = -1
        if not self._least <= number <= MOST_ORDERS:
            self.fail(
                f"{told(text)}: expected a whole number from {self._least} to {MOST_ORDERS}",
                param,
                ctx,
            )
        return number


class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A time to wait: `20` or `0.5`, at most a day."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Text to seconds; fails for nan, inf, exponents and what lies outside its bounds."""
        from decimal import Decimal  # help counts nothing

        text = str(value)
        if (
            not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text)
            or Decimal(text) > LONGEST_WAIT_S
        ):
            self.fail(
                f"{told(text)}: expected seconds from 0 to {LONGEST_WAIT_S}, as 20 or 0.5",
                param,
                ctx,
            )
        return float(text)


class Words(click.ParamType):  # type: ignore[type-arg]
    """A text: an order id, a batch, a name."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Fails for bytes that are no UTF-8, which no journal can hold."""
        text = str(value)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            self.fail(f"{told(text)}: is not UTF-8", param, ctx)
        if "\0" in text:
            self.fail(f"{told(text)}: holds a NUL character", param, ctx)
        return text


class Reason(Words):
    """What a person says for the journal, which keeps it for ever: no secret may be in it."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Fails for nothing but blanks, endless text, and a text with a key, a token or a card
        number in it.
        """
        from batchpay.domain.secrets import secret_in

        text = super().convert(value, param, ctx)
        if not text.strip():
            self.fail("is blank: say why", param, ctx)
        if len(text) > LONGEST_REASON:
            self.fail(
                f"has {len(text)} characters: at most {LONGEST_REASON} are kept",
                param,
                ctx,
            )
        if found := secret_in(text):
            self.fail(
                f"holds what looks like {found}; the journal keeps a reason for ever: say it"
                " without",
                param,
                ctx,
            )
        return text
