"""Binary files are parsed in a child process: what kills a parser, or makes it grow or hang, ends
there, with a reason.

The child gets the open file as its standard input and what to read as its one argument; no secret
is in its environment, and it has limits of memory and of CPU for each piece. Its answer is one
Arrow stream: what is known of the table stands in the schema's metadata, row numbers and problems
in each batch's. Cards are looked for by the parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from batchpay.domain.errors import BatchpayError, FileRefused, TryLater
from batchpay.domain.model import Problem
from batchpay.job.job import Input, Roles
from batchpay.messages import files
from batchpay.messages.message import Message, read
from batchpay.readers.pieces import Notes, Piece, raw_of
from batchpay.readers.snapshot import Snapshot, Unread
from batchpay.readers.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY = 4 * 1024**3  # bytes of address space
CPU_S = 120  # up to the first piece, and from each to the next
_SOURCE = str(Path(__file__).resolve().parents[2])
_ENVIRON = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
}
_TOLD = b"batchpay"
_LOOKS = b"looks"


def read_apart(
    snapshot: Snapshot,
    settings: Input,
    wanted: Sequence[str],
    roles: Roles,
) -> Table:
    """The table of a Parquet or Excel file. Raises FileRefused."""
    first = _Child(snapshot, settings, wanted, roles)
    waiting = [first]

    def pieces(notes: Notes) -> Iterator[Piece]:
        if waiting:
            child = waiting.pop()
        else:
            child = _Child(snapshot, settings, wanted, roles)
        try:
            yield from child.pieces(notes)
        finally:
            child.end()

    return Table(
        snapshot,
        first.columns,
        first.sheet,
        pieces,
        settings.not_cards,
        first.about,
        rounded=first.rounded,
    )


class _Child:
    """One child at work; it ends with this object at the latest."""

    def __init__(
        self,
        snapshot: Snapshot,
        settings: Input,
        wanted: Sequence[str],
        roles: Roles,
    ) -> None:
        import pyarrow as pa

        self._path = snapshot.path
        request = {
            "path": str(snapshot.path),
            "size": snapshot.size,
            "format": snapshot.format,
            "sheet": settings.sheet,
            "header_row": settings.header_row,
            "area": settings.area,
            "wanted": list(wanted),
            "aliases": settings.aliases,
            "struck_rows": settings.struck_rows,
            "formed": sorted(settings.formed),
            "money": list(roles.money),
            "needed": list(roles.needed),
            "currency": roles.currency,
            "currencies": list(roles.currencies),
            "ids": roles.ids,
        }
        code = f"from {__name__} import main; main()"
        try:
            self._process = subprocess.Popen(  # noqa: S603  (ourselves)
                [sys.executable, "-P", "-W", "ignore", "-c", code, json.dumps(request)],
                stdin=snapshot.fd,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environ(),
            )
        except OSError as error:
            wrong = files.NO_PROCESS(path=str(self._path), wrong=str(error.strerror))
            raise TryLater(wrong) from error
        self.end = weakref.finalize(self, _end, self._process)
        try:
            self._stream = pa.ipc.open_stream(self._process.stdout)
        except pa.ArrowInvalid:
            self._died()
        told = self._checked(self._stream.schema.metadata)
        self.columns = tuple(told["columns"])
        self.sheet = told["sheet"]
        self.about = list(map(read, told["about"]))
        self.rounded = tuple(told["rounded"])

    def pieces(self, notes: Notes) -> Iterator[Piece]:
        """All rows, then the notes that came with them."""
        import pyarrow as pa

        while True:
            try:
                batch, metadata = self._stream.read_next_batch_with_custom_metadata()
            except (StopIteration, pa.ArrowInvalid, OSError):
                self._died()
            told = self._checked(metadata)
            if "notes" in told:
                notes.others += map(read, told["notes"])
                return
            problems = {
                int(at): list(map(Problem.from_json, found))
                for at, found in told["problems"].items()
            }
            rows = range(told["row"], told["row"] + batch.num_rows)
            typed = {
                name: {int(at): kind for at, kind in kinds.items()}
                for name, kinds in told["typed"].items()
            }
            looks = metadata.get(_LOOKS, b"")
            yield Piece(batch, rows, raw_of(batch), problems, typed, looks)

    def _checked(self, metadata: Any) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(metadata[_TOLD])
        if "refused" in told:
            self.end()
            raise _KINDS.get(told["code"], FileRefused)(*map(read, told["refused"]))
        return told

    def _died(self) -> NoReturn:
        self._process.kill()  # of a child that has ended this is nothing
        code = self._process.wait()
        self.end()
        if code >= 0:
            why = "its parser ended early"
        else:
            why = f"its parser ended with {signal.Signals(-code).name}"
        if code == -signal.SIGXCPU:
            why = f"some thousand rows of it took more than {CPU_S} seconds"
        raise FileRefused(files.DAMAGED(path=str(self._path), wrong=why))


def _environ() -> dict[str, str]:
    """The environment of a child: without any secret, with the way to our own source."""
    environ = {}
    for name, value in os.environ.items():
        if not name.startswith("OMISE"):
            environ[name] = value
    paths = (_SOURCE, environ.get("PYTHONPATH"))
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environ | _ENVIRON


_KINDS = {kind.exit_code: kind for kind in (FileRefused, Unread)}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


# --- in the child


def main() -> None:
    """Answer the request in the first argument about the file that is standard input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # the parent decides; when it is gone, writing fails
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _more_time()
    request = json.loads(sys.argv[1])
    snapshot = Snapshot(
        Path(request["path"]), "", request["size"], request["format"], False, 0, 0
    )
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)  # whatever a library prints goes where nobody looks
        _answer(
            snapshot,
            _settings(request),
            request["wanted"],
            Roles(
                tuple(request["money"]),
                tuple(request["needed"]),
                request["currency"],
                tuple(request["currencies"]),
                tuple(request["ids"]),
            ),
            sink,
        )


def _settings(request: Mapping[str, Any]) -> Input:
    """What of the job's `[input]` a parser needs."""
    return Input(
        "",
        sheet=request["sheet"],
        header_row=request["header_row"],
        area=request["area"],
        aliases=tuple(map(tuple, request["aliases"])),
        struck_rows=request["struck_rows"],
        formed=frozenset(request["formed"]),
    )


def _more_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    used_s = int(used.ru_utime + used.ru_stime)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + CPU_S, most))


def _answer(
    snapshot: Snapshot,
    settings: Input,
    wanted: Sequence[str],
    roles: Roles,
    sink: Any,
) -> None:
    import pyarrow as pa

    writer = None
    try:
        table = _parsers()[snapshot.format](snapshot, settings, wanted, roles)
        told: dict[str, Any] = {"columns": table.columns, "sheet": table.sheet}
        told["about"] = [note.to_json() for note in table.about_header]
        told["rounded"] = table.rounded
        schema = pa.schema(
            [(name, pa.string()) for name in table.columns], _packed(told)
        )
        writer = pa.ipc.new_stream(sink, schema)
        notes = Notes()
        for piece in table.pieces(notes):
            problems = {}
            for at, found in piece.problems.items():
                problems[at] = [problem.to_json() for problem in found]
            about = {
                "row": piece.rows[0],
                "problems": problems,
                "typed": piece.typed,
            }
            writer.write_batch(
                piece.batch, custom_metadata=_packed(about) | {_LOOKS: piece.looks}
            )
            _more_time()
        _last(writer, schema, {"notes": [note.to_json() for note in notes.others]})
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more
    except BaseException as error:
        told = {
            "refused": [one.to_json() for one in _said(snapshot, error)],
            "code": getattr(error, "exit_code", FileRefused.exit_code),
        }
        if writer is None:
            schema = pa.schema([], _packed(told))
            writer = pa.ipc.new_stream(sink, schema)
        _last(writer, schema, told)


def _parsers() -> dict[str, Any]:
    from batchpay.readers.parquet import read_parquet
    from batchpay.readers.xlsx.reader import read_xlsx

    return {"parquet": read_parquet, "xlsx": read_xlsx}


def _said(snapshot: Snapshot, error: BaseException) -> tuple[Message, ...]:
    """Whatever a library says of a broken file in one message; Rust libraries panic outside of
    Exception.
    """
    if isinstance(error, BatchpayError):
        return error.said
    if isinstance(error, MemoryError):
        return (files.NEEDS_MEMORY(path=str(snapshot.path), gib=MEMORY >> 30),)
    said = " ".join(str(error).split())[:200]
    return (files.DAMAGED(path=str(snapshot.path), wrong=said),)


def _last(writer: Any, schema: pa.Schema, told: dict[str, Any]) -> None:
    import pyarrow as pa

    writer.write_batch(
        pa.RecordBatch.from_pylist([], schema), custom_metadata=_packed(told)
    )
    writer.close()


def _packed(told: dict[str, Any]) -> dict[bytes, bytes]:
    return {_TOLD: json.dumps(told).encode()}
