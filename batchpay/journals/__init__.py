"""The durable, append-only record of intents and answers: the Journal port's implementations."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchpay.domain.ports import Journal, Lock
    from batchpay.journals.lock import RunLock
    from batchpay.journals.memory import MemoryJournal
    from batchpay.journals.sqlite.store import SqliteJournal

    def _are_journals(
        memory: MemoryJournal, sqlite: SqliteJournal
    ) -> tuple[Journal, Journal]:
        """Proven by mypy: each has all that the port asks for."""
        return memory, sqlite

    def _is_a_lock(lock: RunLock) -> Lock:
        """The same."""
        return lock
