"""The job files of the tests: one text, and what a test wants otherwise in it."""

from __future__ import annotations

import json
from collections.abc import Mapping

MAJOR = '{ column = "amount", unit = "major" }'
MINOR = '{ column = "amount", unit = "minor" }'
COLUMNS = {
    "order_id": '"order_id"',
    "amount": MAJOR,
    "currency": '"currency"',
    "destination": '"recipient"',
}
INVOICE = '{ invoice = "invoice" }'


def job_text(
    name: str = "night",
    *,
    file: str = "orders.csv",
    top: str = "",
    input: str = "",
    gateway: Mapping[str, str | int] | None = None,
    more: str = "",
    **columns: str,
) -> str:
    """A job file. `columns` says in TOML what each field is made of; empty, the field is left out.

    `top`, `input` and `more` are lines as they stand: before the first table, in `[input]`, and
    last, where they may go on with the table before them or begin others.
    """
    fields = COLUMNS | columns
    lines = [
        f"name = {_quoted(name)}",
        top,
        "[input]",
        f"file = {_quoted(file)}",
        input,
    ]
    lines.append("[columns]")
    lines += [f"{field:<11} = {source}" for field, source in fields.items() if source]
    if gateway is not None:
        lines.append("[gateway]")
        lines += [f"{key:<12} = {_quoted(value)}" for key, value in gateway.items()]
    lines.append(more)
    return "".join(f"{line}\n" for line in lines if line)


def _quoted(value: str | int) -> str:
    return json.dumps(value, ensure_ascii=False)
