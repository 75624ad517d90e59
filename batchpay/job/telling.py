"""TELLING: what a job file says that the schema cannot judge is told here, each with its line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batchpay.job.paths import MAX_NAME_BYTES, MAX_PATH_BYTES, encoded
from batchpay.job.wording import line_of, shown


class Telling:
    """A job file under way to a Job, and what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        """`path`: of the job file, absolute; `text`: all of it."""
        self.base = path.parent
        self.wrong: list[str] = []
        self._text = text

    def say(self, where: Sequence[str], sentence: str) -> None:
        """One more thing that is wrong, at this key."""
        self.wrong.append(f"{line_of(self._text, where)}{'.'.join(where)}: {sentence}")

    def file(self, where: list[str], name: str) -> Path | None:
        """A path beside the job; None for what no file system takes, which is told."""
        path = self.base / name
        if "\0" in name:
            self.say(where, f"{shown(name)} holds a NUL character, which no path has")
        elif (
            max(map(len, map(encoded, path.parts))) > MAX_NAME_BYTES
            or len(encoded(str(path))) > MAX_PATH_BYTES
        ):
            self.say(where, f"{shown(name)} is longer than a path can be")
        else:
            return path
        return None
