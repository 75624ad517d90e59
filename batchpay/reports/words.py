"""What reports say, in the language and the time zone of their job.

The catalogue of a language is `po/<language>.po`, read as it stands: the context of a sentence is
its code (batchpay.messages). What it does not have is said in English. Numbers, money and days are
written as that language writes them; a day is of the Gregorian calendar in every language, as in
the files beside it.

>>> Words("en", "Asia/Bangkok").instant("2026-11-24T17:00:00Z")
'25 Nov 2026, 00:00:00'
>>> Words("ja").money(123450, "THB"), Words("en").outcome("in_doubt")
('1,234.50 THB', 'in doubt')
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from batchpay.domain.model import Finding, Outcome
from batchpay.domain.money import money_told
from batchpay.domain.times import is_instant
from batchpay.job.packaged import data_path
from batchpay.messages import labels
from batchpay.messages.message import (
    BY_CODE,
    PLAIN,
    Entry,
    Language,
    Message,
    plain,
    worded,
)
from batchpay.messages.steps import addressed
from batchpay.reconciliation.totals import (
    ASKED_CHARGED,
    ASKED_CHARGED_BUT,
    IN_FILE,
    ROWS_READ,
    SENT_ENDED,
    SUMS_READ,
)
from batchpay.reports.rewording import found_again, outcome_told

# How days and times are written, by language; English as most of the world writes it.
_LOCALES = {"en": "en_GB", "ja": "ja_JP", "th": "th_TH"}
LANGUAGES = tuple(_LOCALES)
CHARGED_SINCE = "charged since the counts before this run = charged and adopted by it"
_EQUATIONS = {
    ROWS_READ: "equation.rows",
    ASKED_CHARGED: "equation.charged",
    ASKED_CHARGED_BUT: "equation.charged-but",
    SUMS_READ: "equation.sums",
    SENT_ENDED: "equation.sent",
    IN_FILE: "equation.file",
    CHARGED_SINCE: "equation.since",
}
BESIDE = "; "  # between sentences of one text
MOST_BESIDE = 12  # that are looked for one by one
# A person's word as the next steps of the catalogue have it: one reason, at most one order behind.
_WORD = r"(?:'(?:[^']|'\"'\"')*'|[^\s;,'])+"
_COMMAND = re.compile(
    rf"batchpay resolve {_WORD}(?: --(?:as|not-ours) {_WORD}| --cancel| --lift-stop)*"
    rf" --reason 'your reason'(?:(?: --)? {_WORD})?"
)
# attempt.word_of
_A_WORD = re.compile(
    r"(?P<by>.+) on (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ): (?P<reason>.*)",
    re.ASCII | re.DOTALL,
)
_FAMILIES = (
    labels.OUTCOMES,
    labels.OUTCOMES_TOLD,
    labels.PARTIES,
    labels.TRANSFERS,
    labels.COLUMNS,
    labels.EQUATIONS,
    labels.VERDICTS,
    labels.FAILURES,
    labels.AGAIN,
    labels.FILES,
    labels.TALLY,
    (labels.ALL_ROWS, labels.SENT_ROWS, labels.ASKED),
)
_LABELS = {one.code for family in _FAMILIES for one in family}


@lru_cache(maxsize=4)
def language_of(name: str, part: str = "") -> Language | None:
    """The sentences of a language; None for English, which the catalogue itself has. `part`: those
    of a file of their own, `explain-`.
    """
    path = data_path(f"po/{part}{name}.po")
    if name == "en" or not path.exists():
        return None
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale=name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@dataclass(frozen=True)
class Words:
    """A language and a time zone, and the job file's name in the commands that are told."""

    language: str = "en"
    zone: str = "UTC"
    job_file: str = ""

    @cached_property
    def _sentences(self) -> Language | None:
        return language_of(self.language)

    def say(self, said: Message) -> str:
        """One message, its commands as they are typed beside the job file."""
        told = self._found(said) if said.fields or said.code == PLAIN else said
        return str(addressed(told.worded(self._sentences), self.job_file))

    def label(self, name: str, or_else: str = "") -> str:
        """A word by its code, `column.amount`; `or_else` where the catalogue has none."""
        if name in _LABELS:
            return self.say(BY_CODE[name]())
        return or_else

    def word(self, entry: Entry) -> str:
        """A heading or the name of a fact."""
        return self.say(entry())

    def outcome(self, outcome: str) -> str:
        """The name of an outcome."""
        return self.label(f"outcome.{outcome}", outcome)

    def party(self, party: str) -> str:
        """Who acts."""
        return self.label(f"party.{party}", party)

    def column(self, name: str) -> str:
        """The heading of a column of results; of the input's own its name."""
        return self.label(f"column.{name}", name)

    def transfer(self, stands: str) -> str:
        """Where a transfer is."""
        return self.label(f"transfer-at.{stands}", stands)

    def equation(self, name: str) -> str:
        """The name of an equation."""
        return self.label(_EQUATIONS.get(name, ""), name)

    def reason(self, finding: Finding) -> str:
        """Why a row is where it is; every problem of a rejected one. A failure is told in words of
        the catalogue, the gateway's own beside them.
        """
        if finding.failure_code:
            plain = self.label(f"failure.{finding.failure_code}")
            told = self._side_by_side(finding.reasons, "; ")
            return "; ".join(filter(None, [plain, told]))
        if finding.reasons or finding.outcome is not Outcome.REJECTED:
            return self._side_by_side((*finding.reasons, *finding.cells), "; ")
        problems = [problem.message() for problem in finding.problems]
        return self._side_by_side(problems, " | ")

    def warnings(self, finding: Finding) -> str:
        """What a person should know beside the outcome."""
        return self._side_by_side(finding.warnings, " | ")

    def whole(self, finding: Finding) -> str:
        """The one beside the other."""
        told = (self.reason(finding), self.warnings(finding))
        return " | ".join(filter(None, told))

    def _side_by_side(self, said: Iterable[Message], between: str) -> str:
        told = between.join([self._found(one).worded(self._sentences) for one in said])
        return str(addressed(told, self.job_file))

    def _found(self, said: Message) -> Message:
        """The same, what of it a journal kept as an English sentence found again."""
        if self.language == "en":
            return said
        if said.code == PLAIN:
            return plain(_again(str(said), self.language))
        fields = dict(said.fields)
        for name, field in said.fields:
            if isinstance(field, Message):
                fields[name] = self._found(field)
            elif name == "word" and isinstance(field, str):
                fields[name] = self._word_of(field)
            elif name == "outcome" and isinstance(field, str):
                fields[name] = outcome_told(field)
        return replace(said, fields=tuple(fields.items()))

    def _word_of(self, word: str) -> str | Message:
        """A person's word, with the day as people of the language write it."""
        told = _A_WORD.fullmatch(word)
        if told is None:
            return word
        by = _again(told["by"], self.language)
        at = self.instant(told["at"])
        return labels.WORD_OF(by=by, at=at, reason=told["reason"])

    def commands(self, finding: Finding) -> list[str]:
        """What its reasons tell to type, each command once."""
        return list(
            dict.fromkeys(
                _COMMAND.findall(str(addressed(finding.reason, self.job_file)))
            )
        )

    def sentence(self, said: Iterable[Message]) -> str:
        """Several messages as one text, the instants in them by the job's time zone."""
        ours = (self._found(self._by_our_clock(one)) for one in said)
        told = worded(ours, self._sentences)
        return str(addressed(told, self.job_file))

    def _by_our_clock(self, said: Message) -> Message:
        fields = dict(said.fields)
        for name, field in said.fields:
            if isinstance(field, str) and is_instant(field):
                fields[name] = self.instant(field)
        return replace(said, fields=tuple(fields.items()))

    def again(self, kept: str) -> str:
        """A sentence that the journal keeps in English; what is no entry's, as it is."""
        told = kept
        if self.language != "en":
            told = _again(kept, self.language)
        return str(addressed(told, self.job_file))

    def error(self, said: Iterable[Message]) -> str:
        """Why a command cannot go on, as BatchpayError has it: one message a line."""
        told = [
            self.again(str(one)) if one.code == PLAIN else self.say(one) for one in said
        ]
        return "\n".join(told)

    # --- numbers, money, days

    def number(self, number: int) -> str:
        """A whole number, in groups of three."""
        from babel.numbers import format_decimal

        return str(format_decimal(number, locale=_LOCALES[self.language]))

    def money(self, minor: int, currency: str) -> str:
        """An amount with its currency, exact: all three languages group by commas. Of rows whose
        currency nobody can read there is none.
        """
        if not (minor or currency):
            return "–"
        return money_told(minor, currency)

    def instant(self, at: str) -> str:
        """A UTC time of the journal in the job's time zone; what is none, as it is."""
        return _instant(at, self.zone, _LOCALES[self.language])

    def clock(self, at: str) -> str:
        """The time of day of a UTC time in the job's time zone; what is none, as it is."""
        local = local_time(at, self.zone)
        return f"{local:%H:%M:%S}" if local else at

    def day(self, at: str) -> str:
        """The day of a UTC time in the job's time zone."""
        return _day(at, self.zone, _LOCALES[self.language])


@lru_cache(maxsize=1024)
def _again(kept: str, language: str) -> str:
    """A kept sentence in a language; several side by side, and one behind a name, are found one by
    one.
    """
    sentences = language_of(language)
    found = found_again(kept)
    if found is not None and not _has_swallowed(kept, found):
        before, colon, last = kept.rpartition(": ")
        said, place = found_again(before), found_again(last, within=True)
        if isinstance(dict(found.fields).get("step"), str) and said and place:
            return f"{said.worded(sentences)}{colon}{place.worded(sentences)}"
        return found.worded(sentences)
    parts = kept.split(BESIDE)
    several = 1 < len(parts) <= MOST_BESIDE
    for at in range(len(parts) - 1, 0, -1) if several else ():
        begun = BESIDE.join(parts[:at])
        found = found_again(begun)
        if found is not None and not _has_swallowed(begun, found):
            rest = _again(BESIDE.join(parts[at:]), language)
            return f"{found.worded(sentences)}{BESIDE}{rest}"
    name, colon, rest = kept.partition(": ")
    found = found_again(rest)
    if found is not None and not _has_swallowed(rest, found):
        return f"{name}{colon}{found.worded(sentences)}"
    if several:
        first = _again(parts[0], language)
        return f"{first}{BESIDE}{_again(BESIDE.join(parts[1:]), language)}"
    return kept


def _has_swallowed(kept: str, found: Message) -> bool:
    """Is what fills the first gap of it a sentence, and the beginning of what fills it?"""
    return any(
        isinstance(field, str)
        and BESIDE in field
        and kept.startswith(field)
        and found_again(field.partition(BESIDE)[0]) is not None
        for _, field in found.fields
    )


def local_time(at: str, zone: str) -> datetime | None:
    """A UTC time of the journal as a clock of a zone shows it, without the zone; None for none."""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return None
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@lru_cache(maxsize=4096)
def _instant(at: str, zone: str, locale: str) -> str:
    from babel.dates import format_datetime

    local = local_time(at, zone)
    if local is None:
        return at
    return str(format_datetime(local, "medium", locale=locale))


@lru_cache(maxsize=4096)
def _day(at: str, zone: str, locale: str) -> str:
    from babel.dates import format_date

    local = local_time(at, zone)
    if local is None:
        return at
    return str(format_date(local, "medium", locale=locale))
