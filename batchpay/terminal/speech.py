"""SPEECH: what commands print, in the language of the job's reports, or the one that was asked for.

In English nothing is looked up, and outcomes are the words that programs have, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from batchpay.messages.message import Language, Message, worded

if TYPE_CHECKING:
    from batchpay.domain.errors import BatchpayError
    from batchpay.reports.words import Words

ENGLISH = "en"


class Speech:
    """One language."""

    def __init__(self, language: str) -> None:
        self.language = language

    @property
    def sentences(self) -> Language | None:
        """The catalogue of the language; None of English."""
        if self.language == ENGLISH:
            return None
        from batchpay.reports.words import language_of

        return language_of(self.language)

    @property
    def explained(self) -> Language | None:
        """What the catalogue says of its sentences, in the language; None of English."""
        if self.language == ENGLISH:
            return None
        from batchpay.reports.words import language_of

        return language_of(self.language, "explain-")

    @property
    def _words(self) -> Words:
        return _words_of(self.language)

    def say(self, message: Message) -> str:
        """A sentence of the catalogue."""
        if self.language == ENGLISH:
            return str(message)
        return self._words.say(message)

    def kept(self, text: str) -> str:
        """A sentence that is told in English: by a journal, or by a command."""
        if self.language == ENGLISH or not text:
            return text
        return self._words.again(text)

    def error(self, error: BatchpayError) -> str:
        """Why a command cannot go on."""
        if self.language == ENGLISH:
            return str(error)
        return self._words.error(error.said)

    def sentence(self, said: Sequence[Message]) -> str:
        """Several sentences that stand one after another."""
        if self.language == ENGLISH:
            return worded(said)
        return self._words.sentence(said)

    def label(self, name: str, english: str) -> str:
        """A word of the catalogue by its code; in English one that stands where it is asked for."""
        if self.language == ENGLISH:
            return english
        return self._words.label(name, english)

    def equation(self, name: str) -> str:
        """The name of an equation."""
        if self.language == ENGLISH:
            return name
        return self._words.equation(name)

    def outcome(self, name: str) -> str:
        """The name of an outcome."""
        if self.language == ENGLISH:
            return name
        return self._words.outcome(name)

    def transfer(self, name: str) -> str:
        """Where a transfer is."""
        if self.language == ENGLISH:
            return name
        return self._words.transfer(name)

    def party(self, name: str) -> str:
        """Who must act."""
        if self.language == ENGLISH:
            return name
        return self._words.party(name)


@cache
def _words_of(language: str) -> Words:
    from batchpay.reports.words import Words

    return Words(language)
