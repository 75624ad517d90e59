"""TOML: the bytes of a job file become keys and values, within bounds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from batchpay.domain.errors import Misconfigured, TryLater
from batchpay.domain.oserrors import of_system
from batchpay.domain.secrets import KEY_PATTERN
from batchpay.readers.snapshot import kind_of

MAX_JOB_BYTES = 256 << 10
MAX_KEY_PARTS = 16  # of a dotted key: reading one costs the square of them
MAX_VALUES = 2000  # keys and values of a job file, all told
MAX_BITS = 63  # of a whole number, without its sign


def bytes_of(path: Path) -> bytes:
    """All of a job file. Raises Misconfigured."""
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


def text_of(path: Path, raw: bytes) -> str:
    """The same as text: UTF-8, no mark before it, no key in it. Raises Misconfigured."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Misconfigured(
            f"{path}: byte {error.start} is not UTF-8; save the job file as UTF-8"
        ) from error
    if text.startswith("\ufeff"):
        raise Misconfigured(
            f"{path}: begins with a byte order mark; save it as UTF-8 without one"
        )
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


# what the parser says, and what a person did
_MEANT = {
    "Cannot overwrite a value": "a key stands there twice",
    r"Illegal character '\n'": "a quote is opened and not closed",
}


def toml_of(path: Path, text: str) -> dict[str, Any]:
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
        why = str(error)
        for found, meant in _MEANT.items():
            why = why.replace(found, meant)
        raise Misconfigured(f"{path}: not TOML: {why}{hint}") from error
    except ValueError as error:  # a number of thousands of digits
        raise Misconfigured(
            f"{path}: holds a value that nobody can mean: {error}"
        ) from error
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
