"""One job file and the environment become one frozen Job, or one sentence for each thing that is
wrong with them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from batchpay.domain.errors import Misconfigured, Usage
from batchpay.domain.money import CODES, EXPONENTS, NotMoney, to_minor
from batchpay.job.address import wrong_with
from batchpay.job.columns import ColumnsReader
from batchpay.job.encoding import is_text_encoding, no_encoding
from batchpay.job.job import (
    Columns,
    Controls,
    Fee,
    GatewaySettings,
    Input,
    Job,
    Limit,
    ReportSettings,
    Schema,
)
from batchpay.job.packaged import data_path
from batchpay.job.paths import absolute, resolved
from batchpay.job.schema import load_schema
from batchpay.job.telling import Telling
from batchpay.job.toml import bytes_of, text_of, toml_of
from batchpay.job.wording import MAX_TOLD, against_schema, later, shown
from batchpay.messages.settings import NEGATIVE
from batchpay.readers.xlsx.area import Area

LIVE_MARGIN_S = (
    # a bank's longest answer, and 20 s (law L5; docs/gateway.md, 1.6)
    80
)
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "min": Decimal(60),
    "h": Decimal(3600),
}


def load_job(
    path: Path, *, input_override: str | None = None, judges: bool = True
) -> Job:
    """Read and check a job file. Raises Misconfigured with everything that is wrong, each with its
    line, and Usage for an input without a name.

    `judges`: will rows of a file be judged by it? Else it does not need its lookup files and its
    schema: what the journal keeps was judged when it was read.
    """
    if input_override == "":
        # an unset variable of a shell's, say: the job's own file is not what was meant
        raise Usage("--input names no file: name one, or leave it out")
    raw = bytes_of(path)
    text = text_of(path, raw)
    told = toml_of(path, text)
    wrong = list(
        dict.fromkeys(
            islice(chain(against_schema(told, text), later(told, text)), MAX_TOLD + 1)
        )
    )
    if len(wrong) > MAX_TOLD:
        wrong[MAX_TOLD:] = ["more is wrong; correct this first"]
    if not wrong:
        built = _Builder(path, told, text, input_override, judges=judges)
        job = built.job(hashlib.sha256(raw).hexdigest())
        if not built.wrong:
            return job
        wrong = built.wrong
    raise Misconfigured(*(f"{path}: {one}" for one in wrong))


class _Builder:
    """Turns checked TOML into a Job; collects what the schema cannot say."""

    def __init__(
        self,
        path: Path,
        told: Mapping[str, Any],
        text: str,
        input_override: str | None,
        *,
        judges: bool,
    ) -> None:
        self._path = resolved(path)
        self._at = Telling(self._path, text)
        self._told = told
        self._override = input_override
        self._judges = judges

    @property
    def wrong(self) -> list[str]:
        """All that was told while it was built."""
        return self._at.wrong

    def job(self, sha256: str) -> Job:
        """The job; only to be used when `wrong` stays empty."""
        told = self._told
        columns = ColumnsReader(self._at, judges=self._judges).columns(told["columns"])
        self._refuse_unknown_currency(told["columns"]["currency"])
        return Job(
            name=told["name"],
            path=self._path,
            sha256=sha256,
            input=self._input(told["input"], columns),
            columns=columns,
            schema=self._schema(told.get("schema")),
            gateway=self._gateway(told.get("gateway", {})),
            controls=self._controls(told.get("controls", {})),
            report=self._report(told.get("report", {})),
            state_path=self._state(
                told.get("state", {}).get("url", "sqlite:///state/batchpay.db")
            ),
            fee=self._fee(told.get("fee")),
        )

    def _refuse_unknown_currency(self, told: str | Mapping[str, Any]) -> None:
        """One that the job itself writes into its rows would reject them all."""
        if not isinstance(told, Mapping):
            return
        for name in ("value", "default"):
            if name == "value" and "lookup" in told:
                continue  # there it names a column
            code = told.get(name)
            if code is not None and code.upper() not in EXPONENTS:
                self._at.say(
                    ["columns", "currency"],
                    f"{name} = {shown(code)} is no currency here; use one of {CODES}",
                )

    def _input(self, told: Mapping[str, Any], columns: Columns) -> Input:
        pattern = str(
            absolute(self._override)
            if self._override
            else self._at.file(["input", "file"], told["file"]) or ""
        )
        named_by_job = ""
        if self._override:
            named_by_job = str(told["file"])
        encoding = told.get("encoding", "utf-8")
        if not is_text_encoding(encoding):
            self._at.say(
                ["input", "encoding"],
                no_encoding(encoding),
            )
        delimiter = told.get(
            "delimiter", "\t" if re.search(r"\.tsv(\.gz)?$", pattern.lower()) else ","
        )
        if delimiter in '\r\n"':
            self._at.say(["input", "delimiter"], "cannot be a quote or a line end")
        area = self._area(told)
        names = (
            "sheet",
            "header_row",
            "on_reject",
            "optional",
            "odd_ids",
            "alike_ids",
            "total_rows",
            "struck_rows",
        )
        kept = {name: told[name] for name in names if name in told}
        return Input(
            pattern=pattern,
            encoding=encoding,
            delimiter=delimiter,
            not_cards=frozenset(told.get("not_cards", ())),
            max_rejects=_limit(told.get("max_rejects")),
            named_by_job=named_by_job,
            area=area,
            aliases=columns.aliases(),
            formed=columns.formed(),
            **kept,
        )

    def _area(self, told: Mapping[str, Any]) -> str:
        """The part of a sheet that is meant, as it is written; empty for all of it."""
        if "range" not in told:
            return ""
        try:
            area = Area.of(told["range"])
        except ValueError as error:
            self._at.say(
                ["input", "range"], f"{told['range']!r} is no part of a sheet: {error}"
            )
            return ""
        if told.get("header_row", area.first_row) != area.first_row:
            self._at.say(
                ["input", "range"],
                f"its first row, {area.first_row}, is the header: leave header_row out",
            )
        return str(area)

    def _schema(self, name: str | None) -> Schema:
        if name is None:
            return load_schema(
                data_path("schemas/order.schema.json"), "order.schema.json (packaged)"
            )
        known = len(self._at.wrong)
        try:
            if path := self._schema_path(name):
                return load_schema(path, name)
        except Misconfigured:
            if self._judges:
                raise
        if not self._judges:
            del self._at.wrong[known:]
            return Schema(name, {})
        return load_schema(data_path("schemas/order.schema.json"))

    def _schema_path(self, name: str) -> Path | None:
        """Where the job's own schema lies; None when that is told to be wrong."""
        path = self._at.file(["schema"], name)
        if path is None:
            return None
        try:
            path = path.resolve()
        except (OSError, RuntimeError):
            self._at.say(
                ["schema"], f"{path} cannot be followed: its links lead in a circle"
            )
            return None
        if not path.is_relative_to(self._at.base):
            self._at.say(["schema"], "the schema must lie in the job's folder or below")
        elif not path.is_file():
            self._at.say(["schema"], f"there is no file {path}")
        else:
            return path
        return None

    def _gateway(self, told: Mapping[str, Any]) -> GatewaySettings:
        durations = ("timeout", "send_window", "doubt_period", "lookup_gap", "pause")
        seconds = {
            f"{name}_s": self._seconds(name, told[name])
            for name in durations
            if name in told
        }
        rate, per = str(told.get("rate", "8/s")).split("/")
        if per == "s":
            window_s = 1
        else:
            window_s = 60
        names = ("kind", "mode", "version", "burst", "concurrency", "follow")
        plain = {name: told[name] for name in names if name in told}
        url = str(told.get("url", "https://api.omise.co")).rstrip("/")
        given: dict[str, Any] = {**plain, **seconds}
        settings = GatewaySettings(
            url=url,
            rate=int(rate),
            rate_window_s=window_s,
            **given,
        )
        if settings.burst > settings.rate:
            self._at.say(
                ["gateway", "burst"],
                f"{settings.burst} is more than the rate of {rate} allows",
            )
        if settings.rate > 100_000:
            self._at.say(["gateway", "rate"], "at most 100000")
        if wrong := wrong_with(url):
            self._at.say(["gateway", "url"], wrong)
        least_s = settings.send_window_s + settings.timeout_s + LIVE_MARGIN_S
        if settings.mode == "live" and settings.doubt_period_s < least_s:
            self._at.say(
                ["gateway", "doubt_period"],
                f"live: at least send_window + timeout + 80s = {least_s:g}s",
            )
        return settings

    def _seconds(self, name: str, text: str) -> float:
        parts = re.fullmatch(r"([0-9.]+)([a-z]+)", text)
        assert parts is not None  # the schema has looked at it
        number, unit = parts.groups()
        seconds = Decimal(number) * _SECONDS[unit]
        if seconds <= 0 or seconds > 86_400:
            self._at.say(
                ["gateway", name],
                f"{text!r} must be more than nothing and at most a day",
            )
        return float(seconds)

    def _controls(self, told: Mapping[str, Any]) -> Controls:
        zone = told.get("time_zone", "UTC")
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            self._at.say(
                ["controls", "time_zone"],
                f"{shown(zone)} is no time zone; Asia/Bangkok, say",
            )
        kept: dict[str, Any] = {}
        for name in ("count", "deadline", "min_share", "near_duplicates", "history"):
            if name in told:
                kept[name] = told[name]
        for name in ("total", "max_amount", "max_total", "max_day", "max_recipient"):
            if name in told:
                kept[name] = self._money(name, told[name])
        max_failures = _limit(told.get("max_failures"))
        return Controls(time_zone=zone, max_failures=max_failures, **kept)

    def _money(self, name: str, told: Mapping[str, str]) -> dict[str, int]:
        found = {}
        for currency, text in told.items():
            try:
                found[currency] = to_minor(text, currency)
                if found[currency] < 0:
                    raise NotMoney(NEGATIVE())
            except NotMoney as error:
                self._at.say(
                    ["controls", name], f"{currency} = {shown(text)}: {error.said}"
                )
        return found

    def _report(self, told: Mapping[str, Any]) -> ReportSettings:
        named = told.get("directory", "reports")
        directory = self._at.file(["report", "directory"], named) or self._at.base
        formats = tuple(told.get("formats", ("csv", "json")))
        mode = int(told.get("mode", "0600"), 8)
        return ReportSettings(directory, formats, mode, told.get("language", "en"))

    def _state(self, url: str) -> Path:
        return (
            self._at.file(["state", "url"], url.removeprefix("sqlite:///"))
            or self._at.base
        )

    def _fee(self, told: Mapping[str, Any] | None) -> Fee | None:
        if not told:
            return None
        currency = self._told["columns"]["currency"]
        if isinstance(currency, Mapping) and "value" in currency:
            only = currency["value"].upper()
        else:
            only = ""
        fixed = told.get("fixed", {})
        if isinstance(fixed, int):
            if not only:
                remedy = (
                    "a plain number needs one fixed currency; write a table, like fixed = { THB ="
                    " 500, JPY = 30 }"
                )
                self._at.say(["fee", "fixed"], remedy)
            fixed = {only: fixed}
        elif only and fixed and only not in fixed:
            self._at.say(
                ["fee", "fixed"],
                f"it has none for {only}, the job's currency; write {only} = and a whole number",
            )
        if unknown := [code for code in fixed if code and code not in EXPONENTS]:
            self._at.say(
                ["fee", "fixed"],
                f"{', '.join(unknown)}: unknown; use some of {', '.join(EXPONENTS)}",
            )
        return Fee(fixed, told.get("percentage"))


def _limit(told: int | str | None) -> Limit | None:
    if told is None:
        return None
    text = str(told)
    if text.endswith("%"):
        percent = Decimal(text[:-1])
        return Limit(per_10000=int(percent * 100))
    return Limit(count=int(text))
