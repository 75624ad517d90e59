"""INIT --from FILE: a job that may fit a real file, each guess marked with its evidence.

The file is looked at as a run would read it, binary formats in a process of their own; nothing of
its cells gets into the job but the names of columns. The job is refused until a person has taken
each guess out of `to_confirm`.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from batchpay.commands.init import put, require_free
from batchpay.domain.encodings import codec_name
from batchpay.domain.errors import FileRefused, InputMissing
from batchpay.intake import guessing
from batchpay.intake.guessing import Guess, Lookup, quoted
from batchpay.job.job import Input
from batchpay.job.packaged import data_path, read_regular
from batchpay.readers import open_snapshot, read
from batchpay.readers.delimited.fitting import fitting
from batchpay.readers.delimited.records import records_of
from batchpay.readers.delimited.text import SAMPLE, beginning
from batchpay.readers.header import are_data, is_of_header, no_names
from batchpay.readers.snapshot import Snapshot

SAMPLE_ROWS = 5000
HEADER_ROWS = 15  # rows of a text among which the header is looked for
SHEET_ROWS = 8  # the same of a sheet, which is read anew for each of them
KNOWN = 3  # names that make a row a header
MAX_LOOKUP_BYTES = 4 << 20
MOST_LOOKUPS = 20  # files beside the input that are looked at
_BETWEEN = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Looked:
    """How a file is to be read, and why it is thought so."""

    settings: Input
    why: dict[str, str]  # setting -> evidence


def propose(directory: Path, source: Path, sheet: str | None) -> list[Path]:
    """Write a job for a file, its schemas, and a lookup file to fill in where one is needed; all or
    none. Raises Usage when one of them is there, and what reading the file raises.
    """
    names = ("job.toml", "job.schema.json", "order.schema.json")
    require_free(directory, names)
    if not source.exists():
        raise InputMissing(
            f"{source}: there is no such file; name the one that you were sent"
        )
    with open_snapshot(source) as snapshot:
        looked = _look(snapshot, Input(str(source), sheet=sheet))
        columns = read(snapshot, looked.settings, ()).columns
        _require_names(source, looked.settings.header_row, columns)
        wanted, twice = _names(columns)
        cells, numbers = _sampled(snapshot, looked.settings, wanted)
    guesses = guessing.guesses_of(cells, numbers, _lookups(source, directory), twice)
    files = {name: data_path(f"schemas/{name}").read_bytes() for name in names[1:]}
    destination = guesses["destination"]
    if destination.to_fill_in:
        require_free(directory, ("recipients.csv",))
        files["recipients.csv"] = _to_fill_in(cells[destination.column])
    if words := guesses["currency"].words:
        require_free(directory, ("currencies.csv",))
        files["currencies.csv"] = _as_csv([("word", "code"), *words])
    shown = Path(os.path.relpath(source, directory)).as_posix()
    dates = guessing.dates_in(cells, [guess.column for guess in guesses.values()])
    text = "\n".join(_job(shown, source, looked, guesses, cells, dates))
    return put(directory, {"job.toml": f"{text}\n".encode(), **files})


def _require_names(source: Path, row: int, columns: Sequence[str]) -> None:
    """Raises FileRefused where the best row to be a header is one of orders."""
    if guessing.known_names(columns) < KNOWN and are_data(columns):
        raise FileRefused(no_names(str(source), row, columns, _EXAMPLES))


_EXAMPLES = ("order_id", "amount", "currency", "recipient", "customer")


def _names(columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns that a field may read: those whose name is in the header, and there once; and the
    names that are there more than once.
    """
    made = [re.fullmatch(r"(.*) \(\d+\)", name) for name in columns]
    twice = {match[1] for match in made if match and match[1] in columns}
    once = [
        name
        for name in columns
        if not re.fullmatch(r"\(column \d+\).*", name)
        and name not in twice
        and re.sub(r" \(\d+\)$", "", name) not in twice
    ]
    return once, sorted(twice)


# --- how the file is read


def _look(snapshot: Snapshot, settings: Input) -> Looked:
    if snapshot.format in ("csv", "tsv"):
        return _look_at_text(snapshot, settings)
    if snapshot.format == "xlsx":
        return _look_at_sheet(snapshot, settings)
    return Looked(settings, {})


def _look_at_text(snapshot: Snapshot, settings: Input) -> Looked:
    data = beginning(snapshot)
    if len(data) == SAMPLE:
        data = data[: data.rfind(b"\n") + 1]
    encoding = _encoding(data, snapshot)
    text = data.decode(codec_name(encoding), "replace").removeprefix("\ufeff")
    best = (0, 0, ",", 1)
    for delimiter in _BETWEEN:
        if snapshot.format == "tsv" and delimiter == ",":
            continue
        rows = [
            record.cells for record in records_of(text, delimiter, HEADER_ROWS).records
        ]
        for number, cells in enumerate(rows, 1):
            rank = (guessing.known_names(cells), sum(map(bool, cells)))
            if rank > best[:2] and len(cells) > 1:
                best = (*rank, delimiter, number)
    known, _, delimiter, row = best
    settings = replace(settings, encoding=encoding, delimiter=delimiter, header_row=row)
    why = {"encoding": "the beginning of the file is such text"}
    if encoding == "utf-8":
        why = {"encoding": "every byte of its beginning is UTF-8"}
    why["delimiter"] = "it stands between the cells of the header"
    why["header_row"] = f"{known} of its cells are names that people give such columns"
    return Looked(settings, why)


def _encoding(data: bytes, snapshot: Snapshot) -> str:
    wide = _wide(data)
    if wide:
        return wide
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        fits = fitting(data, "utf-8", ())
        if fits:
            return fits
        raise FileRefused(
            f"{snapshot.path}: is no UTF-8, and no other encoding makes text of it; have it"
            " exported as UTF-8"
        ) from None
    return "utf-8"


def _wide(data: bytes) -> str:
    """UTF-16 without the mark that says so: every other byte of its letters is 0."""
    halves = (data[1::2], data[::2])
    for half, name in zip(halves, ("utf-16-le", "utf-16-be"), strict=True):
        if 2 * half.count(0) > len(half):
            return name
    return ""


def _look_at_sheet(snapshot: Snapshot, settings: Input) -> Looked:
    """Row by row until one is a header; a sheet's title rows are few."""
    best = (0, settings)
    for row in range(1, SHEET_ROWS + 1):
        tried = replace(settings, header_row=row)
        try:
            table = read(snapshot, tried, ())
        except FileRefused as refused:
            if not is_of_header(refused) and settings.sheet is None:
                raise FileRefused(
                    f"{refused}; where a sheet is to be named, it is: init --sheet NAME"
                ) from None
            continue
        known = guessing.known_names(table.columns)
        if known > best[0]:
            best = (known, replace(tried, sheet=table.sheet))
        if known >= KNOWN:
            break
    why = "the sheet that was asked for"
    if settings.sheet is None:
        why = "the only one with data; leave it out where each file calls its one otherwise"
    known, settings = best
    if not known:
        settings = replace(settings, sheet=read(snapshot, settings, ()).sheet)
    return Looked(
        settings,
        {
            "sheet": why,
            "header_row": f"{known} of its cells are names that people give such columns",
        },
    )


def _sampled(
    snapshot: Snapshot,
    settings: Input,
    wanted: Sequence[str],
) -> tuple[dict[str, list[str]], dict[str, frozenset[int]]]:
    """The cells of the first rows, and where of them numbers stand, by column."""
    settings = replace(settings, formed=frozenset(wanted))
    table = read(snapshot, settings, wanted)
    cells: dict[str, list[str]] = {name: [] for name in wanted}
    numbers: dict[str, set[int]] = {name: set() for name in wanted}
    rows = 0
    for chunk in table.chunks():
        for name in wanted:
            cells[name] += islice(chunk.texts(name), SAMPLE_ROWS - rows)
            kinds = chunk.typed.get(name, {})
            numbers[name] |= {
                rows + at for at, kind in kinds.items() if kind == "number"
            }
        rows += len(chunk.rows)
        if rows >= SAMPLE_ROWS:
            break
    return cells, {name: frozenset(places) for name, places in numbers.items()}


# --- files beside it


def _lookups(source: Path, directory: Path) -> list[Lookup]:
    """CSV files beside the input that have the gateway's recipients in a column, by their paths
    from the job's folder.
    """
    found: list[Lookup] = []
    for path in islice(sorted(source.parent.glob("*.csv")), MOST_LOOKUPS):
        if path.name == source.name:
            continue
        try:
            text = read_regular(path, MAX_LOOKUP_BYTES).decode("utf-8-sig")
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except (OSError, ValueError, csv.Error):
            continue
        found += _lookups_in(Path(os.path.relpath(path, directory)).as_posix(), rows)
    return found


def _lookups_in(name: str, rows: Sequence[Sequence[str]]) -> Iterator[Lookup]:
    """Each column of a file beside the one that holds recipients."""
    if len(rows) < 2:
        return
    header = rows[0]
    whole = [row for row in rows[1:] if len(row) == len(header)]
    ids = [at for at in range(len(header)) if whole and _are_recipients(whole, at)]
    for value in ids[:1]:
        for key in range(len(header)):
            if key != value and header.count(header[key]) == 1:
                keys = frozenset(row[key] for row in whole)
                yield Lookup(name, header[key], header[value], keys)


def _are_recipients(rows: Sequence[Sequence[str]], at: int) -> bool:
    return all(not row[at] or row[at].startswith("recp_") for row in rows)


def _to_fill_in(shops: Sequence[str]) -> bytes:
    """A lookup file with every name of a column, whose recipients a person writes beside."""
    names = dict.fromkeys(filter(None, shops))
    return _as_csv([("shop", "recipient_id"), *((shop, "") for shop in names)])


def _as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue().encode()


# --- the job


def _job(
    shown: str,
    source: Path,
    looked: Looked,
    guesses: dict[str, Guess],
    cells: guessing.Cells,
    dates: dict[str, str],
) -> Iterator[str]:
    """The lines of the job file."""
    settings = looked.settings
    told = {
        "encoding": quoted(settings.encoding),
        "delimiter": quoted(settings.delimiter).replace("\\U00000009", "\\t"),
        "sheet": quoted(settings.sheet or ""),
        "header_row": str(settings.header_row),
    }
    open_guesses = ["name", *looked.why, *guesses]
    listed = ", ".join(map(quoted, open_guesses))
    rows = len(next(iter(cells.values()), ()))
    yield "#:schema ./job.schema.json"
    yield f"# Guessed from {_commented(source.name)} by its first {rows} rows. Look at each guess,"
    yield "# correct it where it is wrong, and take it out of the list: until it is empty, every"
    yield "# command refuses the job."
    yield f"to_confirm = [{listed}]"
    yield ""
    name = quoted(_name_of(source))
    yield f"name   = {name}  # the name space of order ids: choose it once, never change it"
    yield 'schema = "order.schema.json"'
    yield ""
    yield "[input]"
    yield f"file = {quoted(shown)}  # or a glob, where each night brings another file"
    for name, why in looked.why.items():
        yield f"{name} = {told[name]}  # {why}"
    yield ""
    yield "[columns]"
    for guess in guesses.values():
        yield f"{guess.field} = {guess.toml}  # {_commented(guess.why)}"
    if not {"card", "customer", "source"} & guesses.keys():
        yield '# customer = "…"  # no column holds who pays (cust_…, tokn_…, src_…): name one'
    yield from _metadata(guesses, cells, dates)
    yield from _REST


def _metadata(
    guesses: dict[str, Guess], cells: guessing.Cells, dates: dict[str, str]
) -> Iterator[str]:
    """The columns that no field reads, as comments."""
    for number, (column, example) in enumerate(dates.items(), 1):
        source = f"{{ column = {quoted(column)}, format = {quoted(example)} }}"
        yield f"# metadata.date{number} = {source}  # every cell is such a date"
    used = {guess.column for guess in guesses.values()} | dates.keys()
    left = [quoted(name) for name in cells if name not in used]
    if left:
        yield f"# no field reads {', '.join(left)}: metadata may keep them with the charge"


_REST = (
    "",
    "[gateway]",
    'mode = "test"  # "live" charges real people; it must agree with the key',
    'rate = "8/s"',
    "",
    "[controls]",
    '# max_amount = { THB = "50000.00" }  # no single order above this',
    "# count = 1200                        # what the sender says the file holds",
)


def _name_of(source: Path) -> str:
    """A job's name from a file's: what a name may hold, at most 64 characters."""
    stem = source.name.partition(".")[0]
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:64]
    return plain or "orders"


def _commented(text: str) -> str:
    """A text that ends no comment."""
    return "".join(character if character.isprintable() else "?" for character in text)
