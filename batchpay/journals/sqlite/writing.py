"""WRITING: one commit for all that waits, on the disk before a call returns.

`synchronous=FULL` with a write-ahead log: a commit that returned survives a power cut
(sqlite.org/pragma.html, "synchronous"). Whatever waits while one commit is under way shares the
next one; nothing lingers.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

from batchpay.domain.errors import BatchpayError, Bug, InputOutput, Taken
from batchpay.domain.model import Event
from batchpay.journals.attempts import Changed, keep_asked, keep_came_to, keep_open
from batchpay.journals.guard import follow
from batchpay.journals.sqlite import many, tally
from batchpay.journals.sqlite.file import JournalFile
from batchpay.journals.sqlite.lines import line_of, stored
from batchpay.journals.sqlite.opening import moved_aside, open_beside
from batchpay.journals.sqlite.soundness import chained


class Writing(JournalFile):
    """Events, and the tables beside them that are made of events."""

    _writer: threading.Thread | None = None
    _waiting: queue.SimpleQueue[_Submission | None]  # for the writer

    def append(self, events: Sequence[Event]) -> list[Event]:
        """Append, durably, all or none. Raises Taken, CannotWrite, InputOutput or TryLater."""
        with self._lock, self._transaction():
            return self._insert(events)

    def as_if_told(self, events: Sequence[Event]) -> None:
        """Of a journal that is only read: let it answer as if it had been told these events, too.
        They stand in a temporary copy; the file stays as it is. Raises as `append`.
        """
        if not self._reading:
            raise Bug(
                f"{self.path}: what is told to a journal that is written is written"
            )
        with self._lock, self._translated():
            self._connection = moved_aside(self._connection)
        self.append(events)

    async def write(self, events: Sequence[Event]) -> list[Event]:
        """The same from the loop; what arrives together shares one commit."""
        if self._writer is None:
            with self._translated():
                self._beside = open_beside(self.path, self._locked_wait_s)
            self._waiting = queue.SimpleQueue()
            self._writer = threading.Thread(
                target=self._write_groups,
                name="journal",
                daemon=True,
            )
            self._writer.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Event]] = loop.create_future()
        self._waiting.put(_Submission(events, loop, done))
        return await done

    def _write_groups(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            while not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._commit_group(group)
                    return
                group.append(following)
            self._commit_group(group)

    def _commit_group(self, group: list[_Submission]) -> None:
        try:
            with self._lock, self._transaction():
                written = iter(
                    self._insert([one for some in group for one in some.events])
                )
            results = [list(islice(written, len(some.events))) for some in group]
        except BatchpayError as error:
            if len(group) == 1 or not isinstance(error, Taken):
                _tell(group, [error] * len(group))
                return
            # one of them breaks a rule: the others must not suffer for it
            for submission in group:
                self._commit_group([submission])
            return
        # a bug or no memory: whoever waits must hear of it
        except BaseException as error:
            _tell(
                group,
                [InputOutput(f"{self.path}: the journal's thread failed: {error!r}")]
                * len(group),
            )
            return
        _tell(group, results)

    def _insert(self, events: Sequence[Event]) -> list[Event]:
        """All of them, by a few statements in all: one for each event would wait as often for the
        loop to let go of the interpreter.
        """
        seq, digest = self._at
        lines = []
        written = []
        for event in events:
            seq += 1
            try:
                line = line_of(seq, self.job, event)
                digest = chained(digest, line)
            except (ValueError, TypeError) as error:
                raise self._unwritable([event], error) from error
            line[4] = self._shortening.run(event, seq)
            line[-1] = self._shortening.short(self._connection, event, line[-1])
            lines.append((*line, bytes.fromhex(digest)))
            written.append(stored(event, seq, digest))
        of_orders = [event for event in written if event.order_id]
        opened = self._guard(of_orders)
        try:
            many.insert(self._connection, "events", lines)
        except (ValueError, OverflowError, TypeError) as error:
            raise self._unwritable(events, error) from error
        began = keep_asked(self._connection, self.job, of_orders)
        keep_came_to(self._connection, self.job, of_orders)
        news = tally.news_of(self.job, written, began, opened)
        tally.follow(self._connection, self._at, (seq, digest), news)
        self._at = (seq, digest)
        return written

    def _guard(self, events: Sequence[Event]) -> Changed:
        """Keep the table of open attempts in step: entering twice is a conflict, not a second
        payment.
        """
        return keep_open(self._connection, follow, self.job, events)

    def _unwritable(self, events: Sequence[Event], error: Exception) -> Bug:
        """No disk and no damage: it is not the journal's."""
        kinds = ", ".join(sorted({event.kind for event in events}))
        return Bug(
            f"{self.path}: an event of kind {kinds} cannot be written: {error!r}"
        )

    def close(self) -> None:
        """Write what waits, then let go of the file."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join()
            self._writer = None
        if self._beside is not None:
            self._beside.close()
            self._beside = None
        self._connection.close()


class _Submission:
    __slots__ = ("done", "events", "loop")

    def __init__(
        self,
        events: Sequence[Event],
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[list[Event]],
    ) -> None:
        self.events = events
        self.loop = loop
        self.done = done


def _tell(
    group: list[_Submission], results: Sequence[list[Event] | BatchpayError]
) -> None:
    """Tell the loop, in one wake-up, how its submissions ended."""

    def settle() -> None:
        for submission, result in zip(group, results, strict=True):
            if submission.done.done():
                continue
            if isinstance(result, BatchpayError):
                submission.done.set_exception(result)
            else:
                submission.done.set_result(result)

    # the run has failed and its loop is closed: what it handed over is written all the same
    with suppress(RuntimeError):
        group[0].loop.call_soon_threadsafe(settle)
