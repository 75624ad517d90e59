"""HELPING: `--help` in the language of the terminal, where the catalogue has its first lines.

What is longer, and every flag, stays as it is written in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from batchpay.messages.message import Entry

# the locale of messages, the strongest first (POSIX)
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")
_ASKS = frozenset({"-h", "--help"})


def speak(cli: click.Group, words: list[str], environment: Mapping[str, str]) -> None:
    """The help that is asked for, in Japanese or Thai where the terminal is in one of these and can
    show it.
    """
    if words and not _ASKS & set(words):
        return
    locale = next(filter(None, map(environment.get, _LOCALES)), "")
    language = locale.partition("_")[0]
    if language not in ("ja", "th") or "utf" not in locale.lower():
        return
    from batchpay.messages import helping
    from batchpay.reports.words import Words

    said = Words(language)
    _begin_with(cli, helping.ALL, said.word(helping.ALL))
    for entry in helping.COMMANDS:
        command = cli.commands[entry.code.removeprefix("help.")]
        _begin_with(command, entry, said.word(entry))


def _begin_with(command: click.Command, entry: Entry, line: str) -> None:
    """The first line of its help, which its place in a list shows, too."""
    command.short_help = line
    command.help = (command.help or "").replace(entry.text, line, 1)
