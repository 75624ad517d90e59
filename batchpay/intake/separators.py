"""A column whose cells leave open what separates: is `1.234` a thousand, or a little more than one?

A declared example decides each cell by itself. Whether the file was written by it shows in other
cells only: `1.234,56` proves the comma before decimals, `99.50` that somebody wrote it the other
way. Where a cell reads both ways, and the file either proves nothing or says both, the amount may
be a thousand times what was meant: then nothing of the file is sent. Where nothing is declared,
`1,234.50` is the one form there is, and each row is judged by itself, but for a cell that reads
both ways beside one that proves the other (amounts, docs/faults.md, X09).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from batchpay.domain.documents import values_of
from batchpay.domain.figures import NumberForm, swapped
from batchpay.domain.model import Judged
from batchpay.domain.money import EXPONENTS
from batchpay.domain.text import told
from batchpay.intake.provenance import Held
from batchpay.job.job import Columns, FromColumn, FromSum
from batchpay.messages import controls as said
from batchpay.messages.message import Message

_NAMED = 5  # rows in a sentence


@dataclass(slots=True)
class _Column:
    """What the cells of one column told so far."""

    name: str
    form: NumberForm
    other: NumberForm  # with its separators exchanged
    open_cell: str = ""  # the first that reads both ways
    open_rows: list[int] = field(default_factory=list)  # where such cells stand
    proven: bool = False  # a cell reads by the form only
    # row and cell of the first that reads by the other only
    against: tuple[int, str] | None = None

    def look(
        self, judged: Judged, texts: Sequence[str], passed: Sequence[bool]
    ) -> None:
        """Cells of a chunk; `passed`: of which a separator says nothing."""
        rows = judged.chunk.rows
        group = self.form.group
        for at, text in enumerate(texts):
            if passed[at] or (self.proven and group not in text):
                continue
            if group in text or self.form.point in text:
                self._take(rows[at], text, may_go=at not in judged.problems)

    def _take(self, row: int, text: str, *, may_go: bool) -> None:
        declared = self.form.read(text)
        otherwise = self.other.read(text)
        if declared is None:
            if otherwise is not None and self.against is None:
                self.against = (row, text)
        elif otherwise is None:
            self.proven = True
        elif may_go and "." not in declared.number:  # by the other it has decimals
            self.open_cell = self.open_cell or text
            self.open_rows.append(row)

    def refusal(self) -> Iterator[Message]:
        """Why the file is refused for this column."""
        if not self.open_rows:
            return
        cell = self.open_cell
        reads, otherwise = self.form.read(cell), self.other.read(cell)
        assert reads is not None and otherwise is not None
        if self.against is not None:
            row, written = self.against
            yield said.SEPARATORS_MIXED(
                column=told(self.name),
                cell=told(cell),
                rows=_listed(self.open_rows),
                reads=reads.number,
                row=row,
                written=told(written),
                other=otherwise.number,
            )
        elif not (self.proven or self.form.may_be_whole):
            yield said.SEPARATORS_OPEN(
                column=told(self.name),
                cell=told(cell),
                rows=_listed(self.open_rows),
                form=self.form.example,
                reads=reads.number,
                other=otherwise.number,
                point=self.form.point,
                whole=f"1{self.form.group}234",
            )


class Separators:
    """The amounts of one file, as its rows go by."""

    def __init__(self, columns: Columns, read_right: Held) -> None:
        """`read_right`: place of a row (places.place_of) -> what it asked for, where its file
        proved how it was written, as far as anybody knows.
        """
        self._read_right = read_right
        source = columns.fields["amount"]
        self._columns: list[_Column] = []
        if not isinstance(source, FromColumn | FromSum) or source.unit == "minor":
            return  # no decimals: nothing could be a point
        form = source.form
        if not isinstance(form, NumberForm):
            return  # nothing is declared
        other = swapped(form)
        if other is None:
            return
        names = source.columns if isinstance(source, FromSum) else (source.column,)
        self._columns = [_Column(name, form, other) for name in names]

    def look(self, judged: Judged) -> None:
        """A chunk's rows."""
        same = self._as_before(judged)
        for column in self._columns:
            texts = judged.chunk.texts(column.name)
            passed = _passed(judged, column.name)
            for at in same:
                passed[at] = True
            column.look(judged, texts, passed)

    def _as_before(self, judged: Judged) -> list[int]:
        """The rows that came back with the amount that they had: the file in which they came
        decided how it is read.
        """
        if not self._columns:
            return []
        same = []
        for at, place in judged.corrects.items():
            was = self._read_right(place) or {}
            if "amount" in was and was["amount"] == judged.documents[at].get("amount"):
                same.append(at)
        return same

    def refusals(self) -> tuple[Message, ...]:
        """Why nothing of the file is sent, once it was read to its end."""
        return tuple(
            message for column in self._columns for message in column.refusal()
        )


def _passed(judged: Judged, name: str) -> list[bool]:
    """Which cells hold numbers, or amounts of a currency without decimals."""
    typed = judged.chunk.typed.get(name, {})
    passed = []
    for at, currency in enumerate(values_of(judged.documents, "currency")):
        code = str(currency or "").upper()
        passed.append(at in typed or EXPONENTS.get(code) == 0)
    return passed


def _listed(rows: Sequence[int]) -> str:
    listed = ", ".join(map(str, rows[:_NAMED]))
    if len(rows) > _NAMED:
        listed += ", …"
    return listed
