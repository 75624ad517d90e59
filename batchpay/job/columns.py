"""COLUMNS: from which column, sum, template, lookup or value each field of an order comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from batchpay.domain.calendars import DateForm, UnclearDate, date_form_of
from batchpay.domain.figures import NumberForm, Unclear, form_of, with_whole
from batchpay.job.job import (
    DEFAULTED,
    Columns,
    FromColumn,
    FromLookup,
    FromSum,
    FromTemplate,
    FromValue,
    Source,
)
from batchpay.job.lookup import lookup_of, names_of
from batchpay.job.telling import Telling
from batchpay.job.wording import shown
from batchpay.messages.settings import FORM_WHOLE


class ColumnsReader:
    """Reads [columns]; what is wrong with it is told."""

    def __init__(self, at: Telling, *, judges: bool) -> None:
        """`judges`: will rows be judged by it? Else a lookup file may be missing."""
        self._at = at
        self._judges = judges

    def columns(self, told: Mapping[str, Any]) -> Columns:
        """Every field's source; of one that is told to be wrong there is none."""
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
                    self._at.say(
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
            column, *others = names_of(told["column"])
            return FromColumn(
                column, unit, tuple(others), told.get("default", ""), form
            )
        return FromValue(told["value"], unit)

    def _require_default(self, where: Sequence[str], told: Mapping[str, Any]) -> None:
        """An empty cell may leave some fields to a default, but not what an order is."""
        if "default" in told and where[1] not in DEFAULTED and "sum" not in told:
            self._at.say(
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
        example, *wholes = names_of(told["format"])
        try:
            if unit is None:
                return date_form_of(example)
            form = form_of(example)
            if unit == "minor" and form.point:
                raise Unclear(FORM_WHOLE())
            for example in wholes:
                form = with_whole(form, example)
            return form
        except (Unclear, UnclearDate) as error:
            self._at.say([*where, "format"], f"{shown(example)}: {error.said}")
            return None

    def _looked_up(
        self, where: list[str], told: Mapping[str, Any]
    ) -> FromLookup | None:
        """A lookup; where no rows are judged, its file may be missing."""
        if "name" in told and where[1:] != ["destination"]:
            self._at.say(
                [*where, "name"],
                "only a recipient has a name beside its id, which reports show: write it under"
                " destination",
            )
        known = len(self._at.wrong)
        found = lookup_of(self._at, where, told)
        if found is not None or self._judges:
            return found
        del self._at.wrong[known:]
        column, *others = names_of(told["column"])
        path = self._at.base / told["lookup"]
        return FromLookup(
            column, path, told["key"], told["value"], {}, others=tuple(others)
        )

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
                    self._at.say(
                        where,
                        "every { needs a column's name and a }; write {{ for a brace",
                    )
                    return None
                parts += [literal, name]
                literal = ""
                at = end + 1
            elif template[at] == "}":
                self._at.say(where, "a } without its {; write }} for a brace")
                return None
            else:
                literal += template[at]
                at += 1
        return FromTemplate((*parts, literal))
