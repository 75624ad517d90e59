"""One job file and the environment become one frozen Job, or one sentence for each thing that is
wrong with them.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import ipaddress
import os
import re
import select
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from batchpay.domain.calendars import DateForm, UnclearDate, date_form_of
from batchpay.domain.encodings import codec_name, meant
from batchpay.domain.errors import Misconfigured, TryLater
from batchpay.domain.figures import NumberForm, Unclear, form_of
from batchpay.domain.money import EXPONENTS, NotMoney, to_minor
from batchpay.domain.oserrors import of_system
from batchpay.domain.secrets import KEY_PATTERN, scrubbed
from batchpay.job.job import (
    DEFAULTED,
    Columns,
    Controls,
    Fee,
    FromColumn,
    FromLookup,
    FromSum,
    FromTemplate,
    FromValue,
    GatewaySettings,
    Input,
    Job,
    Limit,
    ReportSettings,
    Schema,
    Source,
)
from batchpay.job.packaged import data_path
from batchpay.job.schema import load_schema
from batchpay.messages.settings import FORM_WHOLE, NEGATIVE
from batchpay.readers.snapshot import kind_of
from batchpay.readers.xlsx.area import Area

MAX_JOB_BYTES = 256 << 10
MAX_KEY_PARTS = 16  # of a dotted key: reading one costs the square of them
MAX_VALUES = 2000  # keys and values of a job file, all told
MAX_BITS = 63  # of a whole number, without its sign
MAX_TOLD = 20  # sentences about one job file: more help nobody
MAX_NAME_BYTES = 255  # of a file or folder, and ...
MAX_PATH_BYTES = 4000  # ... of a whole path: what file systems take
MAX_HOST = 253  # characters of a name that DNS can hold
MAX_KEY_BYTES = 4096
PIPE_WAIT_S = 10  # for the one who writes the key into a pipe
MAX_LOOKUP_BYTES = 64 << 20
LIVE_MARGIN_S = (
    80  # the longest the gateway may still work on a request, and 20 s (fault-matrix L5)
)
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "min": Decimal(60),
    "h": Decimal(3600),
}

_LATER = (
    (
        ("controls", "approval"),
        ("required",),
        'approvals come with a later version; use approval = "none"',
    ),
)


class SecretKey:
    """The gateway's secret key; it never shows itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The key, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "SecretKey(***)"


def secret_key(environ: Mapping[str, str], gateway: GatewaySettings) -> SecretKey:
    """From OMISE_SECRET_KEY or the file OMISE_SECRET_KEY_FILE names. Raises Misconfigured."""
    direct = environ.get("OMISE_SECRET_KEY", "")
    file = environ.get("OMISE_SECRET_KEY_FILE", "")
    if direct and file:
        raise Misconfigured("OMISE_SECRET_KEY and OMISE_SECRET_KEY_FILE are both set; keep one")
    if file:
        try:
            direct = _start_of(file).decode("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise Misconfigured(
                f"OMISE_SECRET_KEY_FILE names {file}, which cannot be read: {error}"
            ) from error
    if file and not direct:
        raise Misconfigured(
            f"OMISE_SECRET_KEY_FILE names {file}, which holds nothing: write the secret key into it"
        )
    if not direct:
        raise Misconfigured(
            "no secret key: set OMISE_SECRET_KEY, or OMISE_SECRET_KEY_FILE to a file that holds it"
        )
    if not re.fullmatch(r"(skey|ckey)_[0-9A-Za-z_]+|chain_[0-9A-Za-z_]+", direct, re.ASCII):
        if direct.startswith("pkey_"):
            kind = "a public key"
        else:
            kind = "no secret key"
        if file:
            where = f"OMISE_SECRET_KEY_FILE names {file}, which"
        else:
            where = "OMISE_SECRET_KEY"
        raise Misconfigured(f"{where} holds {kind}; it must be one that begins with skey_")
    if ("_test_" in direct) != (gateway.mode == "test"):
        if "_test_" in direct:
            mode = "test"
        else:
            mode = "live"
        raise Misconfigured(
            f'the secret key is a {mode} key, the job says mode = "{gateway.mode}"; change one of'
            " them"
        )
    return SecretKey(direct)


def _start_of(file: str) -> bytes:
    """The first bytes of a file or of a pipe, as many as a key is long at most; waits for a pipe,
    but not for ever.
    """
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    found = b""
    try:
        while len(found) < MAX_KEY_BYTES and select.select([handle], [], [], PIPE_WAIT_S)[0]:
            if not (block := os.read(handle, MAX_KEY_BYTES - len(found))):
                break
            found += block
        else:
            if not found:
                raise OSError(f"nothing came of it within {PIPE_WAIT_S} s")
        return found
    finally:
        os.close(handle)


def load_job(path: Path, *, input_override: str | None = None, judges: bool = True) -> Job:
    """Read and check a job file. Raises Misconfigured with everything that is wrong, each with its
    line.

    `judges`: will rows of a file be judged by it? Else it does not need its lookup files and its
    schema: what the journal keeps was judged when it was read.
    """
    raw = _bytes_of(path)
    text = _text_of(path, raw)
    told = _toml_of(path, text)
    wrong = list(
        dict.fromkeys(islice(chain(_against_schema(told, text), _later(told, text)), MAX_TOLD + 1))
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


def _bytes_of(path: Path) -> bytes:
    try:
        found = path.stat()
        if kind := kind_of(found.st_mode):
            raise Misconfigured(f"{path}: is {kind}; name the job's TOML file")
        if found.st_size > MAX_JOB_BYTES:
            raise Misconfigured(
                f"{path}: larger than {MAX_JOB_BYTES >> 10} KiB; this is no job file"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Misconfigured(
            f"{path}: there is no such job file; batchpay init writes one to start from"
        ) from error
    except OSError as error:
        if isinstance(trouble := of_system(error), TryLater):
            raise trouble from error
        raise Misconfigured(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Misconfigured(f"{path!r}: is no path: {error}") from error


def _text_of(path: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Misconfigured(
            f"{path}: byte {error.start} is not UTF-8; save the job file as UTF-8"
        ) from error
    if text.startswith("\ufeff"):
        raise Misconfigured(f"{path}: begins with a byte order mark; save it as UTF-8 without one")
    if found := re.search(KEY_PATTERN, text):
        line = text.count("\n", 0, found.start()) + 1
        raise Misconfigured(
            f"{path}: line {line} holds what looks like a key ({found[0][:5]}...); remove it, make"
            " that key void, and give it in OMISE_SECRET_KEY, or in a file that"
            " OMISE_SECRET_KEY_FILE names"
        )
    return text.replace("\r\n", "\n")


_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\n]*+)
    | (?P<text>\"{3}(?:[^"\\]|\\.|"(?!""))*+\"{3} | '{3}(?:[^']|'(?!''))*+'{3})
    | (?P<part>[A-Za-z0-9_-]++ | "(?:[^"\\\n]|\\.)*+" | '[^'\n]*+')
    | (?P<point>[ \t]*+\.[ \t]*+)
    | (?P<blank>[ \t]++)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def _toml_of(path: Path, text: str) -> dict[str, Any]:
    """What the text says. Raises Misconfigured for what is no TOML, and for what would take long to
    find out.
    """
    if line := _line_of_endless_key(text):
        raise Misconfigured(
            f"{path}: line {line}: a key of more than {MAX_KEY_PARTS} parts; no job file has one"
        )
    try:
        told = tomllib.loads(text)
        count = _count(told)
    except tomllib.TOMLDecodeError as error:
        if path.suffix == ".toml":
            hint = ""
        else:
            hint = "; a job file is TOML and nothing else"
        raise Misconfigured(f"{path}: not TOML: {error}{hint}") from error
    except ValueError as error:  # a number of thousands of digits
        raise Misconfigured(f"{path}: holds a value that nobody can mean: {error}") from error
    except RecursionError as error:
        raise Misconfigured(f"{path}: nested too deeply for a job file") from error
    if count > MAX_VALUES:
        raise Misconfigured(
            f"{path}: holds {count} keys and values, at most {MAX_VALUES}; this is no job file"
        )
    return told


def _line_of_endless_key(text: str) -> int:
    """The line of a dotted key of very many parts; 0 when there is none."""
    parts = 0
    after_point = False
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "part":
            if after_point:
                parts = parts + 1
            else:
                parts = 1
            if parts > MAX_KEY_PARTS:
                return text.count("\n", 0, token.start()) + 1
        after_point = token.lastgroup == "point"
    return 0


def _count(value: Any) -> int:
    """How many values there are in a value, itself included. Raises ValueError for a number that
    TOML has not.
    """
    if type(value) is int and value.bit_length() > MAX_BITS:
        raise ValueError(f"a whole number of more than {MAX_BITS + 1} bits")
    inside: Iterable[Any] = ()
    if isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, list):
        inside = value
    return 1 + sum(map(_count, inside))


# --- what the schema holds against it


def _against_schema(told: Mapping[str, Any], text: str) -> Iterator[str]:
    import json

    import jsonschema

    schema = json.loads(data_path("schemas/job.schema.json").read_text("utf-8"))
    plain = jsonschema.Draft202012Validator
    # 1.0 is not 1 here
    strict = plain.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    rules = {"uniqueItems": _each_once}
    extended = jsonschema.validators.extend(plain, rules, type_checker=strict)  # type: ignore[no-untyped-call]
    validator = extended(schema)
    errors = islice(validator.iter_errors(told), MAX_TOLD * 5)
    in_order = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    for error in in_order:
        yield from _worded(error, text, schema["properties"])


def _each_once(
    _validator: Any,
    wanted: bool,
    value: Any,
    _schema: Any,
) -> Iterator[Any]:
    """As `uniqueItems`, in linear time whatever stands in the list."""
    import jsonschema

    if wanted and isinstance(value, list) and len({repr(item) for item in value}) < len(value):
        yield jsonschema.ValidationError("one of them stands there twice")


def _worded(error: Any, text: str, tables: Mapping[str, Any]) -> Iterator[str]:
    where = [str(part) for part in error.absolute_path]
    place = ".".join(where) or "the job file"
    known = _known_keys(error)
    if unknown := [key for key in error.instance if key not in known] if known else []:
        for key in unknown:
            table = ""
            if where:
                table = f" in [{'.'.join(where)}]"
            near = _nearest(key, known, tables)
            yield (
                f"{_line(text, [*where, key])}unknown key {key!r}{table}; the nearest known key is"
                f" {near}"
            )
        return
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield f"{_line(text, where)}{place} lacks {', '.join(missing)}"
        return
    if "propertyNames" in error.absolute_schema_path:
        if where[0] == "controls":
            expected = "a currency such as THB"
        else:
            expected = "letters, digits, . _ -; order_id and "
        if where[0] == "controls":
            expected += ""
        else:
            expected += "batchpay_* are reserved"
        yield (
            f"{_line(text, [*where, error.instance])}{place}: the key {_shown(error.instance)};"
            f" expected {expected}"
        )
        return
    yield f"{_line(text, where)}{place}: found {_shown(error.instance)}; {_said(error)}"


def _nearest(key: str, known: Sequence[str], tables: Mapping[str, Any]) -> str:
    """The known key that an unknown one may be: the same in another table, or one like it."""
    homes = [f"[{name}]" for name, one in tables.items() if key in one.get("properties", ())]
    if homes:
        return f"{key!r} in {' or '.join(homes)}"
    near = difflib.get_close_matches(key, known, 1, 0.0)
    return repr(near[0])


def _known_keys(error: Any) -> list[str]:
    """The keys a table may have, where the error may be about one it may not have; all forms of a
    column's table.
    """
    if error.validator == "additionalProperties":
        return list(error.schema.get("properties", ()))
    if error.validator == "oneOf" and isinstance(error.instance, dict):
        return list(
            {key: None for form in error.validator_value for key in form.get("properties", ())}
        )
    return []


def _said(error: Any) -> str:
    """What was expected, in the words of the schema's own description where it has one."""
    if isinstance(error.schema, dict):
        described = error.schema.get("description")
    else:
        described = None
    if described:
        return f"expected: {described}"
    return str(error.message)[:200]


def _shown(value: Any) -> str:
    text = repr(value)
    if len(text) <= 60:
        return text
    return f"{text[:57]}..."


def _line(text: str, where: Sequence[str]) -> str:
    """`line 7: ` of the last key of a path, as near as a scan can tell; empty when it cannot."""
    lines = text.split("\n")
    start = 0
    for depth, key in enumerate(where):
        quoted = rf"[\"']?{re.escape(key)}[\"']?"
        dotted = r"\.".join(rf"[\"']?{re.escape(part)}[\"']?" for part in where[: depth + 1])
        header = re.compile(rf"\s*\[\s*{dotted}\s*[\].]")
        assignment = re.compile(rf"(^|[\s{{,.\[]){quoted}\s*(=|\.|\])")
        found = next((n for n, line in enumerate(lines) if header.match(line)), None)
        if found is None:
            found = next(
                (n for n in range(start, len(lines)) if assignment.search(lines[n].split("#")[0])),
                None,
            )
        if found is None:
            break
        start = found
    else:
        if where:
            return f"line {start + 1}: "
        return ""
    if start:
        return f"line {start + 1}: "
    return ""


def _later(told: Mapping[str, Any], text: str) -> Iterator[str]:
    """Keys whose feature a later version brings, and guesses that nobody confirmed: refused, never
    ignored.
    """
    if guesses := told.get("to_confirm"):
        yield (
            f"{_line(text, ['to_confirm'])}to_confirm: {', '.join(map(_shown, guesses))}: guesses;"
            " look at each, correct it where it is wrong, and take it out of the list"
        )
    for (table, key), values, sentence in _LATER:
        if isinstance(told.get(table), dict):
            value = told.get(table, {}).get(key)
        else:
            value = None
        if value is not None and (values is None or value in values):
            yield f"{_line(text, [table, key])}{table}.{key}: {sentence}"
    if str(told.get("state", {}).get("url", "")).startswith("postgresql:"):
        yield (
            f"{_line(text, ['state', 'url'])}state.url: PostgreSQL comes with a later version; use"
            " sqlite:///state/batchpay.db"
        )


# --- building


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
        self._path = _resolved(path)
        self._base = self._path.parent
        self._told = told
        self._text = text
        self._override = input_override
        self._judges = judges
        self.wrong: list[str] = []

    def job(self, sha256: str) -> Job:
        """The job; only to be used when `wrong` stays empty."""
        told = self._told
        columns = self._columns(told["columns"])
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
            state_path=self._state(told.get("state", {}).get("url", "sqlite:///state/batchpay.db")),
            fee=self._fee(told.get("fee")),
        )

    def _say(self, where: Sequence[str], sentence: str) -> None:
        self.wrong.append(f"{_line(self._text, where)}{'.'.join(where)}: {sentence}")

    def _input(self, told: Mapping[str, Any], columns: Columns) -> Input:
        pattern = str(
            _absolute(self._override)
            if self._override
            else self._file(["input", "file"], told["file"]) or ""
        )
        named_by_job = ""
        if self._override:
            named_by_job = str(told["file"])
        encoding = told.get("encoding", "utf-8")
        if not _is_text_encoding(encoding):
            self._say(
                ["input", "encoding"],
                _no_encoding(encoding),
            )
        delimiter = told.get(
            "delimiter", "\t" if re.search(r"\.tsv(\.gz)?$", pattern.lower()) else ","
        )
        if delimiter in '\r\n"':
            self._say(["input", "delimiter"], "cannot be a quote or a line end")
        area = self._area(told)
        names = (
            "sheet",
            "header_row",
            "on_reject",
            "optional",
            "odd_ids",
            "alike_ids",
            "total_rows",
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
            self._say(["input", "range"], f"{told['range']!r} is no part of a sheet: {error}")
            return ""
        if told.get("header_row", area.first_row) != area.first_row:
            self._say(
                ["input", "range"],
                f"its first row, {area.first_row}, is the header: leave header_row out",
            )
        return str(area)

    def _columns(self, told: Mapping[str, Any]) -> Columns:
        fields = {
            name: self._source(["columns", name], source)
            for name, source in told.items()
            if name != "metadata"
        }
        metadata = {
            key: self._source(["columns", "metadata", key], v)
            for key, v in told.get("metadata", {}).items()
        }
        columns = Columns(
            {name: source for name, source in fields.items() if source},
            {key: source for key, source in metadata.items() if source},
        )
        self._require_one_home(columns.aliases())
        return columns

    def _require_one_home(self, groups: Sequence[tuple[str, ...]]) -> None:
        """A name stands for one column: two lists may be the same, or have nothing in common."""
        homes: dict[str, frozenset[str]] = {}
        for group in groups:
            for name in group:
                if homes.setdefault(name, frozenset(group)) != frozenset(group):
                    self._say(
                        ["columns"],
                        f"{name!r} is a name of two columns, {', '.join(sorted(homes[name]))} and"
                        f" {', '.join(sorted(group))}; write the same list twice, or two lists"
                        " without it",
                    )
                    return

    def _source(self, where: list[str], told: Any) -> Source | None:
        is_amount = where[-1] == "amount" and len(where) == 2
        unit: Literal["major", "minor"] | None = None
        if is_amount:
            unit = "major"
        if isinstance(told, str):
            return FromColumn(told, unit)
        self._require_default(where, told)
        if "lookup" in told:
            return self._looked_up(where, told)
        if "template" in told:
            return self._template(where, told["template"])
        unit = told.get("unit", unit)
        form = self._form(where, told, unit)
        if "sum" in told:
            # an amount: the schema has looked at it
            assert unit is not None and not isinstance(form, DateForm)
            return FromSum(tuple(told["sum"]), unit, told.get("default", ""), form)
        if "column" in told:
            column, *others = _names(told["column"])
            return FromColumn(column, unit, tuple(others), told.get("default", ""), form)
        return FromValue(told["value"], unit)

    def _require_default(self, where: Sequence[str], told: Mapping[str, Any]) -> None:
        """An empty cell may leave some fields to a default, but not what an order is."""
        if "default" in told and where[1] not in DEFAULTED and "sum" not in told:
            self._say(
                where,
                "an empty cell has no default here: what an order is, what it asks for, who pays"
                " and who is paid stands in its row; fill the cells in, or give every row the same"
                ' with { value = "…" }',
            )

    def _form(
        self,
        where: Sequence[str],
        told: Mapping[str, Any],
        unit: Literal["major", "minor"] | None,
    ) -> NumberForm | DateForm | None:
        """How the cells are written, by its example."""
        if "format" not in told:
            return None
        example = told["format"]
        try:
            if unit is None:
                return date_form_of(example)
            form = form_of(example)
            if unit == "minor" and form.point:
                raise Unclear(FORM_WHOLE())
            return form
        except (Unclear, UnclearDate) as error:
            self._say([*where, "format"], f"{_shown(example)}: {error.said}")
            return None

    def _looked_up(self, where: list[str], told: Mapping[str, Any]) -> FromLookup | None:
        """A lookup; where no rows are judged, its file may be missing."""
        known = len(self.wrong)
        found = self._lookup(where, told)
        if found is not None or self._judges:
            return found
        del self.wrong[known:]
        column, *others = _names(told["column"])
        path = self._base / told["lookup"]
        return FromLookup(column, path, told["key"], told["value"], {}, others=tuple(others))

    def _template(self, where: list[str], template: str) -> FromTemplate | None:
        """`Order {Order No}`; `{{` and `}}` are braces. What stands between braces is a column's
        name, literally.
        """
        parts = []
        literal = ""
        at = 0
        while at < len(template):
            if template[at : at + 2] in ("{{", "}}"):
                literal += template[at]
                at += 2
            elif template[at] == "{":
                end = template.find("}", at)
                if end > 0:
                    name = template[at + 1 : end]
                else:
                    name = ""
                if not name or "{" in name:
                    self._say(where, "every { needs a column's name and a }; write {{ for a brace")
                    return None
                parts += [literal, name]
                literal = ""
                at = end + 1
            elif template[at] == "}":
                self._say(where, "a } without its {; write }} for a brace")
                return None
            else:
                literal += template[at]
                at += 1
        return FromTemplate((*parts, literal))

    def _file(self, where: list[str], name: str) -> Path | None:
        """A path beside the job; None for what no file system takes, which is told."""
        path = self._base / name
        if "\0" in name:
            self._say(where, f"{_shown(name)} holds a NUL character, which no path has")
        elif (
            max(map(len, map(_encoded, path.parts))) > MAX_NAME_BYTES
            or len(_encoded(str(path))) > MAX_PATH_BYTES
        ):
            self._say(where, f"{_shown(name)} is longer than a path can be")
        else:
            return path
        return None

    def _lookup(self, where: list[str], told: Mapping[str, Any]) -> FromLookup | None:
        path = self._file(where, told["lookup"])
        if path is None:
            return None
        try:
            if not path.is_file() or path.stat().st_size > MAX_LOOKUP_BYTES:
                self._say(
                    where,
                    f"the lookup file {path} is missing, no file, or larger than"
                    f" {MAX_LOOKUP_BYTES >> 20} MiB",
                )
                return None
            raw = path.read_bytes()
            rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self._say(
                where, f"the lookup file {path} cannot be read as a CSV file in UTF-8: {error}"
            )
            return None
        if any(scrubbed(cell) != cell for row in rows for cell in row):
            remedy = "remove it; pay by token, customer or source"
            self._say(where, f"the lookup file {path} holds a card number, or a key: {remedy}")
            return None
        if rows:
            header = rows[0]
        else:
            header = []
        missing = [name for name in (told["key"], told["value"]) if header.count(name) != 1]
        if missing:
            self._say(
                where,
                f"the lookup file {path} must have one column {missing[0]!r}; it has"
                f" {', '.join(header)}",
            )
            return None
        key = header.index(told["key"])
        value = header.index(told["value"])
        table: dict[str, str] = {}
        twice = set()
        for row in rows[1:]:
            if len(row) > max(key, value) and row[key]:
                twice |= {row[key]} & table.keys()
                table[row[key]] = row[value]
        column, *others = _names(told["column"])
        return FromLookup(
            column,
            path,
            told["key"],
            told["value"],
            table,
            frozenset(twice),
            hashlib.sha256(raw).hexdigest(),
            tuple(others),
        )

    def _schema(self, name: str | None) -> Schema:
        if name is None:
            return load_schema(
                data_path("schemas/order.schema.json"), "order.schema.json (packaged)"
            )
        known = len(self.wrong)
        try:
            if path := self._schema_path(name):
                return load_schema(path, name)
        except Misconfigured:
            if self._judges:
                raise
        if not self._judges:
            del self.wrong[known:]
            return Schema(name, {})
        return load_schema(data_path("schemas/order.schema.json"))

    def _schema_path(self, name: str) -> Path | None:
        """Where the job's own schema lies; None when that is told to be wrong."""
        path = self._file(["schema"], name)
        if path is None:
            return None
        try:
            path = path.resolve()
        except (OSError, RuntimeError):
            self._say(["schema"], f"{path} cannot be followed: its links lead in a circle")
            return None
        if not path.is_relative_to(self._base):
            self._say(["schema"], "the schema must lie in the job's folder or below")
        elif not path.is_file():
            self._say(["schema"], f"there is no file {path}")
        else:
            return path
        return None

    def _gateway(self, told: Mapping[str, Any]) -> GatewaySettings:
        durations = ("timeout", "send_window", "doubt_period", "lookup_gap", "pause")
        seconds = {
            f"{name}_s": self._seconds(name, told[name]) for name in durations if name in told
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
            self._say(
                ["gateway", "burst"], f"{settings.burst} is more than the rate of {rate} allows"
            )
        if settings.rate > 100_000:
            self._say(["gateway", "rate"], "at most 100000")
        if wrong := _wrong_with(url):
            self._say(["gateway", "url"], wrong)
        least_s = settings.send_window_s + settings.timeout_s + LIVE_MARGIN_S
        if settings.mode == "live" and settings.doubt_period_s < least_s:
            self._say(
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
            self._say(["gateway", name], f"{text!r} must be more than nothing and at most a day")
        return float(seconds)

    def _controls(self, told: Mapping[str, Any]) -> Controls:
        zone = told.get("time_zone", "UTC")
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            self._say(
                ["controls", "time_zone"], f"{_shown(zone)} is no time zone; Asia/Bangkok, say"
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
                self._say(["controls", name], f"{currency} = {_shown(text)}: {error.said}")
        return found

    def _report(self, told: Mapping[str, Any]) -> ReportSettings:
        named = told.get("directory", "reports")
        directory = self._file(["report", "directory"], named) or self._base
        formats = tuple(told.get("formats", ("csv", "json")))
        mode = int(told.get("mode", "0600"), 8)
        return ReportSettings(directory, formats, mode, told.get("language", "en"))

    def _state(self, url: str) -> Path:
        return self._file(["state", "url"], url.removeprefix("sqlite:///")) or self._base

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
                self._say(["fee", "fixed"], remedy)
            fixed = {only: fixed}
        elif only and fixed and only not in fixed:
            self._say(
                ["fee", "fixed"],
                f"it has none for {only}, the job's currency; write {only} = and a whole number",
            )
        if unknown := [code for code in fixed if code and code not in EXPONENTS]:
            self._say(
                ["fee", "fixed"],
                f"{', '.join(unknown)}: unknown; use some of {', '.join(EXPONENTS)}",
            )
        return Fee(fixed, told.get("percentage"))


def _names(told: str | Sequence[str]) -> list[str]:
    """The names that a column may have; each file has one of them."""
    if isinstance(told, str):
        return [told]
    return list(told)


def _limit(told: int | str | None) -> Limit | None:
    if told is None:
        return None
    text = str(told)
    if text.endswith("%"):
        percent = Decimal(text[:-1])
        return Limit(per_10000=int(percent * 100))
    return Limit(count=int(text))


_NO_ENCODINGS = {
    "utf-7",
    "idna",
    "punycode",
    "unicode_escape",
    "unicode-escape",
    "raw_unicode_escape",
    "raw-unicode-escape",
}


def _is_text_encoding(name: str) -> bool:
    codec = codec_name(name)
    try:
        keeps_text = "a".encode(codec).decode(codec) == "a"
        return keeps_text and codec not in _NO_ENCODINGS
    except (LookupError, ValueError, TypeError):
        return False


def _no_encoding(name: str) -> str:
    """What an encoding has against it, with what may be meant."""
    if near := meant(name):
        return f"{name!r} is no text encoding; did you mean {' or '.join(near)}?"
    return f"{name!r} is no text encoding; utf-8, cp932, cp874 or utf-16, say"


_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?", re.ASCII)


def _wrong_with(url: str) -> str:
    """What a gateway's address has against it, in a sentence; empty for a good one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError as error:
        return f"{_shown(url)} is no address ({error}); a port is a number from 1 to 65535"
    if port == 0 or not host:
        return (
            f"{_shown(url)} names no host, or a port that is none; a port is a number from 1 to"
            " 65535"
        )
    if "[" not in url and not (_HOST.fullmatch(host) and len(host) <= MAX_HOST):
        return (
            f"{_shown(host)} is no host: letters, digits, dashes and points (a name of other"
            " letters as xn--...)"
        )
    if parts.scheme == "https" or host == "localhost":
        return ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if loopback:
        return ""
    return "http:// is for this machine only (127.0.0.1, localhost); use https://"


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise Misconfigured(
            f"{path}: its folder cannot be found from here: {error}; name it by its full path"
        ) from error


def _absolute(name: str) -> Path:
    """A path from the command line, from where the command was given."""
    try:
        return Path(name).absolute()
    except OSError as error:
        raise Misconfigured(
            f"{name}: the folder that this command runs in is gone; change to another one"
        ) from error


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
