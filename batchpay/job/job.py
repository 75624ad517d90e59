"""The job: what one TOML file, the environment and the flags add up to, frozen.

`load` builds it; everything else takes it, or a part of it, as plain values. Times are seconds,
money is whole smallest units per upper-case currency, paths are absolute.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Literal

from batchpay.domain.calendars import DateForm
from batchpay.domain.figures import NumberForm

# an order's tries, each with a key of its own (law L11: keys are recomputable up to here)
MAX_ATTEMPTS = 20
# order fields that are sent beside the money; metadata is the third of them
EXTRAS = ("description", "return_uri")
PAYERS = ("card", "customer", "source")  # order fields that say who pays
SENDS_PER_RUN = 3  # sends of one order in one run (docs/never-twice.md, "Doubt")


# Order fields that an empty cell may leave to a default. What an order is, what it asks for, who
# pays and who is paid stands in its row.
DEFAULTED = ("currency", "description", "return_uri", "metadata")


@dataclass(frozen=True, slots=True)
class FromColumn:
    """An order field that is one cell of the row."""

    column: str
    unit: Literal["major", "minor"] | None = None  # amount only
    # names that the column has in other files, instead of `column`
    others: tuple[str, ...] = ()
    default: str = ""  # for an empty cell
    # How the cells are written, where that is declared: numbers of an amount, dates of other texts.
    form: NumberForm | DateForm | None = None


@dataclass(frozen=True, slots=True)
class FromSum:
    """An amount that is the sum of several cells of the row."""

    columns: tuple[str, ...]
    unit: Literal["major", "minor"]
    default: str = ""  # for an empty cell beside a filled one: "0", or nothing
    form: NumberForm | None = None


@dataclass(frozen=True, slots=True)
class FromValue:
    """An order field that is the same text in every row."""

    value: str
    unit: Literal["major", "minor"] | None = None  # amount only


@dataclass(frozen=True, slots=True)
class FromTemplate:
    """An order field built from cells: `Order {Order No} for {Shop}`."""

    # literal, column, literal, column, ..., literal: odd places name columns
    parts: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it needs."""
        return self.parts[1::2]


@dataclass(frozen=True, slots=True)
class FromLookup:
    """An order field found in a second file by the value of a cell."""

    column: str
    path: Path
    key: str
    value: str
    table: Mapping[str, str] = field(repr=False)  # key text -> value text, exact
    # keys that stand on more than one line
    ambiguous: frozenset[str] = field(default=frozenset(), repr=False)
    sha256: str = ""  # digest of the lookup file's bytes
    others: tuple[str, ...] = ()  # as those of FromColumn
    # value text -> what people call it, where the file has a column for that
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    # value text -> the first line of the file that has it
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)


Source = FromColumn | FromValue | FromTemplate | FromLookup | FromSum


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of rows, or a percentage of them."""

    count: int | None = None
    per_10000: int | None = None  # 5% is 500

    def exceeded_by(self, part: int, whole: int) -> bool:
        """Is `part` of `whole` more than this limit allows?"""
        if self.count is not None:
            return part > self.count
        assert self.per_10000 is not None
        return part * 10_000 > whole * self.per_10000

    @property
    def text(self) -> str:
        """As a job file has it: 12, or 2.5%."""
        if self.count is not None:
            return str(self.count)
        whole, rest = divmod(self.per_10000 or 0, 100)
        return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


@dataclass(frozen=True, slots=True)
class Input:
    """Where the rows come from and how the file is written."""

    pattern: str  # absolute path, may be a glob
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str | None = None
    header_row: int = 1
    # the part of a sheet that is meant: A4:H, or A4:H20; empty: all of it
    area: str = ""
    on_reject: Literal["continue", "stop"] = "continue"
    max_rejects: Limit | None = None
    optional: bool = False
    not_cards: frozenset[str] = frozenset()
    # error words, nan, 8.85E+12, ="..." and dates as order ids
    odd_ids: Literal["reject", "accept"] = "reject"
    # ids equal but for what programs do to ids
    alike_ids: Literal["conflict", "distinct"] = "conflict"
    # Rows that are sums of those above; accept: what has all that an order needs is one.
    total_rows: Literal["reject", "skip", "accept"] = "reject"
    # Rows of a sheet that are struck through; accept: as if they were not.
    struck_rows: Literal["reject", "accept"] = "reject"
    # What the job file itself names, where another file was given in its place; else empty.
    named_by_job: str = ""
    # names of which a file has one (Columns.aliases)
    aliases: tuple[tuple[str, ...], ...] = ()
    # Columns whose texts have a declared form, which says nothing of cells that hold numbers: the
    # readers of typed formats tell which those are.
    formed: frozenset[str] = frozenset()

    @property
    def distinct_ids(self) -> bool:
        """Does this source really have ids that are equal but for what programs do to ids?"""
        return self.alike_ids == "distinct"

    def is_own(self, file: str) -> bool:
        """Is a file of this name one that the job file itself names? Folders are not compared."""
        name = PurePath(self.named_by_job or self.pattern).name
        return file == name or fnmatchcase(file, name)


@dataclass(frozen=True, slots=True)
class Roles:
    """What some columns are for."""

    # amounts are made of them, and nothing that says who and for what
    money: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()  # without them no row is an order
    currency: str = ""  # upper-case, where all amounts are of one that the job names
    currencies: tuple[str, ...] = ()  # the column that says it otherwise, by its names
    ids: tuple[str, ...] = ()  # order ids are made of them


@dataclass(frozen=True, slots=True)
class Columns:
    """How one row becomes one order document."""

    # order field -> where it comes from; always order_id, amount, currency, destination
    fields: Mapping[str, Source]
    metadata: Mapping[str, Source]

    @property
    def ids_from(self) -> str:
        """Which cells order ids are made of, as 8 hex digits: another text where the job was edited
        to take others.
        """
        return _digest(_named(self.fields["order_id"]))

    def used(self) -> tuple[str, ...]:
        """Every input column that some field reads, once, in the order of the job file."""
        names: dict[str, None] = {}
        for source in self._sources():
            match source:
                case FromColumn(column=column, others=others):
                    names.update(dict.fromkeys((column, *others)))
                case FromLookup(column=column, others=others):
                    names.update(dict.fromkeys((column, *others)))
                case FromTemplate() | FromSum():
                    names.update(dict.fromkeys(source.columns))
                case FromValue():
                    pass
        return tuple(names)

    def of(self, *fields: str) -> tuple[str, ...]:
        """The columns that some fields of an order are made of, under all their names."""
        found: dict[str, None] = {}
        for name in fields:
            if name in self.fields:
                found.update(dict.fromkeys(_columns_of(self.fields[name])))
        return tuple(found)

    def sellers(self) -> tuple[str, ...]:
        """The columns that call recipients what the file calls them, where a table makes ids of
        that, under all their names.
        """
        source = self.fields["destination"]
        if isinstance(source, FromLookup):
            return (source.column, *source.others)
        return ()

    def called(self) -> Mapping[str, str]:
        """Recipient -> its name for people, as far as a table has it."""
        source = self.fields["destination"]
        if isinstance(source, FromLookup):
            return source.names
        return {}

    def roles(self) -> Roles:
        """What a reader must know of the columns: whose cells it may not leave to chance."""
        amounts = _columns_of(self.fields["amount"])
        others: set[str] = set()
        needed = dict.fromkeys(amounts)
        payers = [name for name in PAYERS if name in self.fields]
        for name, source in self.fields.items():
            if name not in ("amount", "description"):
                others.update(_columns_of(source))
            if name in ("order_id", "currency", "destination") or payers == [name]:
                needed.update(dict.fromkeys(_columns_of(source)))
        for source in self.metadata.values():
            others.update(_columns_of(source))
        money = tuple(name for name in amounts if name not in others)
        source = self.fields["currency"]
        currency = source.value.upper() if isinstance(source, FromValue) else ""
        told = _columns_of(source) if isinstance(source, FromColumn) else ()
        ids = tuple(_columns_of(self.fields["order_id"]))
        return Roles(money, tuple(needed), currency, told, ids)

    def aliases(self) -> tuple[tuple[str, ...], ...]:
        """The names of each column that has several, of which a file has exactly one."""
        groups = []
        for source in self._sources():
            if isinstance(source, FromColumn | FromLookup) and source.others:
                groups.append((source.column, *source.others))
        return tuple(dict.fromkeys(groups))

    def formed(self) -> frozenset[str]:
        """Columns whose texts have a declared form."""
        names: set[str] = set()
        for source in self._sources():
            if isinstance(source, FromColumn) and source.form:
                names.update((source.column, *source.others))
            elif isinstance(source, FromSum) and source.form:
                names.update(source.columns)
        return frozenset(names)

    def found_in(self, header: Collection[str]) -> Columns:
        """The same for one file: of the names of a column the one that its header has, wherever the
        job names that column.
        """
        present: dict[str, str] = {}
        for group in self.aliases():
            there = [name for name in group if name in header]
            present.update(dict.fromkeys(group, there[0] if there else group[0]))
        if not present:
            return self
        return Columns(
            {name: _renamed(source, present) for name, source in self.fields.items()},
            {name: _renamed(source, present) for name, source in self.metadata.items()},
        )

    def _sources(self) -> tuple[Source, ...]:
        return (*self.fields.values(), *self.metadata.values())


def _columns_of(source: Source) -> tuple[str, ...]:
    """The columns that a source is made of, under all their names."""
    match source:
        case (
            FromColumn(column=column, others=others)
            | FromLookup(column=column, others=others)
        ):
            return (column, *others)
        case FromTemplate() | FromSum():
            return source.columns
    return ()  # a fixed value


def _renamed(source: Source, present: Mapping[str, str]) -> Source:
    """A source whose columns have the names that they have in one file."""
    match source:
        case FromColumn() | FromLookup():
            return replace(
                source, column=present.get(source.column, source.column), others=()
            )
        case FromSum():
            return replace(
                source,
                columns=tuple(present.get(name, name) for name in source.columns),
            )
        case FromTemplate():
            parts = list(source.parts)
            parts[1::2] = [present.get(name, name) for name in source.columns]
            return FromTemplate(tuple(parts))
    return source


def _named(source: Source) -> tuple[str, ...]:
    """What a source takes, as the job file says it; what earlier versions had not, only where it is
    there.
    """
    match source:
        case FromLookup(path=path, key=key, value=value):
            return ("lookup", *_one_of(source), path.name, key, value)
        case FromTemplate(parts=parts):
            return ("template", *parts)
        case FromSum(columns=columns):
            return ("sum", *columns)
        case FromColumn():
            return ("FromColumn", *_one_of(source), *_declared(source))
        case FromValue(value=text):
            return ("FromValue", text)


def _one_of(source: FromColumn | FromLookup) -> tuple[str, ...]:
    """The names of a column, in whatever order the job file has them."""
    return tuple(sorted((source.column, *source.others)))


def _declared(source: FromColumn) -> tuple[str, ...]:
    """What a column makes of its cells beside taking them as they stand."""
    named: tuple[str, ...] = ()
    if source.default:
        named += ("default", source.default)
    if source.form:
        named += ("format", source.form.example)
    return named


@lru_cache(maxsize=64)  # asked for with each row, and the same for all of them
def _digest(named: tuple[object, ...]) -> str:
    return hashlib.blake2b(json.dumps(named).encode(), digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class Fee:
    """The platform's commission, sent as platform_fee."""

    # upper-case currency -> smallest unit
    fixed: Mapping[str, int] = field(default_factory=dict)
    percentage: str | None = None  # exact decimal text

    def fixed_in(self, currency: str) -> int | None:
        """The fixed part of an order in this currency, smallest unit; None when there is none."""
        return self.fixed.get(currency.upper())

    def of(self, amount_minor: int, currency: str) -> Decimal:
        """The whole commission of an order, exact, in smallest units."""
        share = amount_minor * Decimal(self.percentage or 0) / 100
        return share + (self.fixed_in(currency) or 0)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where charges go and how fast."""

    kind: Literal["omise"] = "omise"  # which gateway it is (gateways.KINDS)
    url: str = "https://api.omise.co"
    mode: Literal["test", "live"] = "test"
    version: str = "2019-05-29"
    rate: int = 8  # requests of any kind ...
    rate_window_s: int = 1  # ... in any rolling window of this length
    burst: int = 1
    concurrency: int = 8
    timeout_s: float = 65.0
    send_window_s: float = 5.0
    doubt_period_s: float = 150.0
    lookup_gap_s: float = 10.0
    pause_s: float = 30.0
    # requests that a run may spend on what became of earlier charges; 0: none
    follow: int = 400


@dataclass(frozen=True, slots=True)
class Controls:
    """What the sender declares and what nobody may exceed. Money by upper-case currency, smallest
    units.
    """

    count: int | None = None
    total: Mapping[str, int] | None = None
    max_amount: Mapping[str, int] | None = None
    max_total: Mapping[str, int] | None = None
    max_day: Mapping[str, int] | None = None  # of one day of `time_zone`
    max_recipient: Mapping[str, int] | None = None  # the same of each recipient
    time_zone: str = "UTC"
    deadline: str = ""  # HH:MM in `time_zone`
    max_failures: Limit | None = None
    # a share below the gateway's smallest transfer
    min_share: Literal["hold", "send"] = "hold"
    # an amount far outside its recipient's past
    history: Literal["warn", "hold"] = "warn"
    # another recent order of this payer, recipient, amount, currency
    near_duplicates: Literal["warn", "hold"] = "warn"


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """Where reports go and in which forms."""

    directory: Path
    formats: tuple[str, ...] = ("csv", "json")
    mode: int = 0o600  # of the files; folders accordingly
    language: str = "en"  # of what people open: en, ja or th


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON Schema every order document must satisfy."""

    # for people: the path as the job file has it, or "order.schema.json (packaged)"
    name: str
    document: Mapping[str, object] = field(repr=False)
    sha256: str = ""
    notes: tuple[str, ...] = ()  # what of it may not be meant so, as sentences


@dataclass(frozen=True, slots=True)
class Job:
    """One job file, read, checked and complete."""

    name: str
    path: Path
    sha256: str
    input: Input
    columns: Columns
    schema: Schema
    gateway: GatewaySettings
    controls: Controls
    report: ReportSettings
    state_path: Path
    fee: Fee | None = None

    def lookups(self) -> tuple[tuple[str, str], ...]:
        """Each lookup file, by its path from the job file's folder where it is in it, and its
        SHA-256.
        """
        found: dict[str, str] = {}
        for source in (*self.columns.fields.values(), *self.columns.metadata.values()):
            if isinstance(source, FromLookup):
                path, here = source.path, self.path.parent
                if path.is_relative_to(here):
                    path = path.relative_to(here)
                found[str(path)] = source.sha256
        return tuple(sorted(found.items()))

    def own_files(self) -> tuple[tuple[Path, str], ...]:
        """The files that the job is made of, and what each is to it."""
        found = [
            (self.path, "the job file"),
            (self.path.parent / self.schema.name, "the schema"),
        ]
        for source in (*self.columns.fields.values(), *self.columns.metadata.values()):
            if isinstance(source, FromLookup):
                found.append((source.path, "a lookup file"))
        return tuple(dict.fromkeys(found))

    @property
    def extras_from(self) -> str:
        """By which part of the job a row gets what is sent beside the money (description, metadata,
        return_uri), as 8 hex digits: another text where that part, or a lookup file of it, was
        edited.
        """
        fields = self.columns.fields
        sources = {name: fields[name] for name in EXTRAS if name in fields}
        for name, source in self.columns.metadata.items():
            sources[f"metadata.{name}"] = source
        named: list[tuple[str, ...]] = [("encoding", self.input.encoding)]
        for name, source in sorted(sources.items()):
            table = ""
            if isinstance(source, FromLookup):
                table = source.sha256
            named.append((name, *_named(source), table))
        return _digest(tuple(named))
