"""SPEECH: what commands print, in the language of the job's reports, or the one that was asked for.

In English nothing is looked up, and outcomes are the words that programs have, too.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from batchpay.messages.message import Language, Message

if TYPE_CHECKING:
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
