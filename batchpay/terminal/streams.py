"""The three standard streams, as cron, a closed pipe, a full disk or a foreign locale may leave
them.

Nothing that happens to them may stop a run or change what becomes of money; a result that was asked
for and could not be printed is told by the exit code. What is printed is made visible and masked
here once more, whoever wrote it: the only line breaks that reach a terminal are ours.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, TextIO

from batchpay.domain.text import json_text, line

# the exit code of a command that did well, but whose result met a full disk
CANNOT_PRINT = 74

_lost: list[OSError] = []
_printed: list[bool] = []
_job: list[str] = []  # as who gave the command named it
_language: list[str] = ["en"]


def prepare() -> None:
    """Open what is closed, so that no journal becomes descriptor 1; print as escapes what the
    locale cannot.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # takes the lowest free number: this one
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or _standing_in(0, "r")
    sys.stdout = sys.stdout or _standing_in(1, "w")
    sys.stderr = sys.stderr or _standing_in(2, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def about(job_file: str) -> None:
    """What is printed from now on is about this job: the commands that it tells to run name it
    so.
    """
    _job[:] = [job_file]


def speak(language: str) -> None:
    """Why a command ends is told in this language from now on."""
    _language[:] = [language]


def language() -> str:
    """Of what is told of an end; English until a job says another."""
    return _language[0]


def named(told: Any) -> Any:
    """A text or a document with the commands in it as they are typed."""
    if not _job:
        return told
    from batchpay.messages.steps import addressed

    return addressed(told, _job[0])


def _standing_in(number: int, mode: str) -> TextIO:
    return open(
        number,
        mode,
        encoding="utf-8",
        errors="backslashreplace",
        closefd=False,
    )  # type: ignore[return-value]


def write(text: str, *, err: bool = False) -> None:
    """Print one line; whatever in it would break the line, act on the terminal or is secret stands
    as an escape.
    """
    raw(line(named(_few(text))), err=err)


LONG = 1000  # characters that a screen of eighty columns shows at a glance
FIRST = 2  # reasons that are told then, and the last, behind which what to do stands


def _few(text: str) -> str:
    """The same where it tells of some reasons of a stop; of very many, the first ones, the last one
    and how many there are between.
    """
    if len(text) <= LONG:
        return text
    from batchpay.messages import steps
    from batchpay.settlement.in_force import AND_ALSO

    reasons = text.split(AND_ALSO)
    more = len(reasons) - FIRST - 1
    if more < 2:
        return text
    rest = str(steps.MORE_REASONS(count=more))
    return AND_ALSO.join((*reasons[:FIRST], rest, reasons[-1]))


def write_lines(text: str, *, err: bool = False) -> None:
    """The same for a text of ours with several lines."""
    for one in text.split("\n"):
        write(one, err=err)


def write_json(document: Any) -> None:
    """Print a result for a program: the same document, with nothing invisible in it."""
    raw(json_text(named(document)))


def raw(text: str, *, err: bool = False) -> None:
    """Print what came through `batchpay.domain.text` already.

    A reader that has gone is nobody's trouble; any other failure of stdout is kept for `end`.
    """
    if err:
        stream = sys.stderr
    else:
        stream = sys.stdout
    if not err:
        _printed[:] = [True]
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except OSError as error:
        _to_nowhere(stream)
        if not err and error.errno not in (errno.EPIPE, errno.EIO):
            _lost.append(error)


def printed() -> bool:
    """Has anything been printed to stdout?"""
    return bool(_printed)


def _to_nowhere(stream: TextIO) -> None:
    """Later lines, and the interpreter's own flush at its end, go to /dev/null."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def end(code: int) -> int:
    """The exit code, which tells of a result that could not be printed only when there is nothing
    worse to tell.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _to_nowhere(stream)
    if not _lost:
        return code
    write(f"batchpay: the result cannot be printed: {_lost[0].strerror}", err=True)
    return code or CANNOT_PRINT
