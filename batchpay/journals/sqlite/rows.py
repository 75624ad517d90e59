"""ROWS: the judged rows of a batch as the table `row_chunks` holds them, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from batchpay.domain.model import Document, Judged, Problem, StoredChunk


def pack(judged: Judged) -> bytes:
    """Row numbers, documents, problems, come-backs and, where there are any, corrected places,
    earlier order ids, and what rows asked for otherwise, by position.
    """
    kept: list[Any] = [
        list(judged.chunk.rows),
        list(judged.documents),
        {str(at): _problems_json(found) for at, found in judged.problems.items()},
        sorted(judged.comeback),
    ]
    # without these the bytes, and so a plan's digest, are those of version 1
    if judged.corrects or judged.earlier or judged.asked:
        kept.append({str(at): place for at, place in sorted(judged.corrects.items())})
    if judged.earlier or judged.asked:
        kept.append({str(at): ids for at, ids in sorted(judged.earlier.items())})
    if judged.asked:
        kept.append({str(at): some for at, some in sorted(judged.asked.items())})
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpack(number: int, sheet: str, judged: bytes, cells: bytes) -> StoredChunk:
    """The chunk of a row of the table. Raises ValueError, KeyError or zlib.error for one that is
    damaged.
    """
    rows, documents, problems, comeback, *later = _list_of(zlib.decompress(judged))
    corrects: Mapping[str, str] = {}
    earlier: Mapping[str, Iterable[str]] = {}
    if later:
        corrects = later[0]
    if len(later) > 1:
        earlier = later[1]
    asked: Mapping[str, Iterable[Document]] = {}
    if len(later) > 2:
        asked = later[2]
    return StoredChunk(
        number=number,
        sheet=sheet,
        rows=rows,
        documents=documents,
        problems={int(at): _problems(found) for at, found in problems.items()},
        comeback=frozenset(comeback),
        cells=cells,
        corrects={int(at): place for at, place in corrects.items()},
        earlier={int(at): tuple(ids) for at, ids in earlier.items()},
        asked={int(at): tuple(some) for at, some in asked.items()},
    )


def _list_of(text: bytes) -> list[Any]:
    try:
        return _read(text)
    # half a surrogate pair, as it stands or as an escape, it does not read
    except (msgspec.MsgspecError, UnicodeDecodeError):
        kept: list[Any] = json.loads(text.decode("utf-8", "surrogatepass"))
        return kept


_read = msgspec.json.Decoder(list[Any]).decode


def _problems_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [problem.to_json() for problem in problems]


def _problems(kept: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(map(Problem.from_json, kept))
