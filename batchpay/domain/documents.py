"""DOCUMENTS: the orders of one chunk, a column for each field; one has an object of its own only
where somebody looks at it alone.

>>> some = Documents(2, {"order_id": ["1", "2"], "card": ["", "tokn_1"]}, {"note": ["", "x"]})
>>> list(some)
[{'order_id': '1'}, {'order_id': '2', 'card': 'tokn_1', 'metadata': {'note': 'x'}}]
>>> some.column("order_id"), some.without({0}) == [some[1]]
(['1', '2'], True)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, overload

from batchpay.domain.model import Document, Judged, StoredChunk

Column = Sequence[Any]
"""A value for each document; None or the empty text where it has none."""


class Documents(Sequence[Document]):
    """What its columns say; nobody may change it, or a document of it."""

    def __init__(
        self,
        count: int,
        fields: Mapping[str, Column],
        metadata: Mapping[str, Column],
    ) -> None:
        """`fields` and `metadata`: in the order that each document has them in."""
        self._count = count
        self._fields = fields
        self._metadata = metadata
        self._made: list[Document] | None = None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Document]:
        return iter(self._all())

    @overload
    def __getitem__(self, at: int) -> Document: ...

    @overload
    def __getitem__(self, at: slice) -> list[Document]: ...

    def __getitem__(self, at: int | slice) -> Document | list[Document]:
        if self._made is not None or isinstance(at, slice):
            return self._all()[at]
        return self._document(range(self._count)[at])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Documents | list):
            return self._all() == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all())

    def column(self, name: str) -> Column:
        """A field of every document, but `metadata`."""
        if name in self._fields:
            return self._fields[name]
        return [None] * self._count

    def columns(self) -> Iterator[tuple[tuple[str, ...], Column]]:
        """Each field under its name, and what is in `metadata` under that and its key."""
        for name, column in self._fields.items():
            yield (name,), column
        for key, texts in self._metadata.items():
            yield ("metadata", key), texts

    def without(self, places: Collection[int]) -> Documents:
        """The same but for the documents at some places."""
        if not places:
            return self
        gone = sorted(places, reverse=True)
        fields = {name: _left(column, gone) for name, column in self._fields.items()}
        metadata = {key: _left(texts, gone) for key, texts in self._metadata.items()}
        left = Documents(self._count - len(gone), fields, metadata)
        if self._made is not None:
            left._made = _left(self._made, gone)
        return left

    def _document(self, at: int) -> Document:
        document = {name: column[at] for name, column in self._fields.items()}
        document = {name: value for name, value in document.items() if value}
        metadata = {key: texts[at] for key, texts in self._metadata.items()}
        metadata = {key: text for key, text in metadata.items() if text}
        if metadata:
            document["metadata"] = metadata
        return document

    def _all(self) -> list[Document]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> list[Document]:
        """A step for each column costs less than one for each document."""
        documents: list[Document] = [{} for _ in range(self._count)]
        for name, column in self._fields.items():
            for document, value in zip(documents, column, strict=True):
                if value:
                    document[name] = value
        for key, texts in self._metadata.items():
            for document, text in zip(documents, texts, strict=True):
                if text:
                    document.setdefault("metadata", {})[key] = text
        return documents


def _left(column: Sequence[Any], gone: Sequence[int]) -> list[Any]:
    left = list(column)
    for at in gone:
        del left[at]
    return left


def values_of(documents: Sequence[Document], name: str) -> Column:
    """A field of every document; None or the empty text where one has none."""
    if isinstance(documents, Documents):
        return documents.column(name)
    return [document.get(name) for document in documents]


def orders_of(chunk: Judged | StoredChunk) -> Sequence[Document]:
    """The documents of a chunk that broke no rule."""
    if not chunk.problems:
        return chunk.documents
    if isinstance(chunk.documents, Documents):
        return chunk.documents.without(chunk.problems)
    return [
        document
        for at, document in enumerate(chunk.documents)
        if at not in chunk.problems
    ]
