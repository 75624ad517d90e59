"""One run of a job at a time on one machine, and the memory of when its last requests left.

The lock is the kernel's (flock): it goes with the process, however it dies. The file beside the
journal says who holds it. In shared memory it keeps the time of the last requests, so that the rate
limit also holds across a kill, and which event the journal had come to, so that one that was lost
or restored is noticed. It also says whose money the journal was about.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import json
import mmap
import os
import re
import socket
import stat
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from batchpay.domain.errors import Misconfigured, TryLater
from batchpay.domain.model import Witnessed
from batchpay.journals.place import why_closed
from batchpay.messages.archives import OTHER_VERSION
from batchpay.messages.message import Entry

_LOCK_NAME = re.compile(r"(.+)\.[0-9a-f]{8}\.lock", re.DOTALL)  # lock_path
_STAMP = struct.Struct("<q")
# number, digest and journal of the last event that was known to be durable, and a sum over them:
# what is torn, or an earlier version's blanks, tells nothing
_EVENT = struct.Struct("<q32s16s")
_SUM = struct.Struct("<L")
_EVENT_BYTES = _EVENT.size + _SUM.size
_HOLDER_BYTES = 1024 - _EVENT_BYTES
_EVENT_AT = _HOLDER_BYTES
# its number once more, where an earlier version has nothing else
_SEQ_AT = 1024
_STAMPS_AT = _SEQ_AT + _STAMP.size


class RunLock:
    """Held from construction until `close`."""

    def __init__(
        self,
        state_path: Path,
        job: str,
        rate: int,
        holder: dict[str, Any],
        *,
        wait: bool = False,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Take the lock or raise TryLater naming the holder; with `wait`, wait for it."""
        self.path = lock_path(state_path, job)
        self._slots = rate
        self._wall_ns = wall_ns
        self._next = 0
        size = _STAMPS_AT + _STAMP.size * rate
        try:
            self.path.parent.mkdir(
                mode=0o700,
                parents=True,
                exist_ok=True,
            )
            self._handle = _opened(self.path, os.O_RDWR | os.O_CREAT)
        except (OSError, ValueError) as error:
            raise why_closed(self.path, error, "the lock") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            text = _holder_text(os.pread(self._handle, _HOLDER_BYTES, 0))
            os.close(self._handle)
            raise TryLater(
                f"job {job!r} is running already: {text}; wait for it, as"
                " run --wait and settle --wait do"
            ) from error
        try:
            there = os.fstat(self._handle).st_size
            # written, not truncated to it: on a full disk a hole in mapped memory kills (SIGBUS)
            if there < size:
                written = os.pwrite(self._handle, bytes(size - there), there)
                if written < size - there:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._memory = mmap.mmap(self._handle, size)
        except OSError as error:
            os.close(self._handle)
            raise why_closed(self.path, error, "the lock") from error
        self._about = {"host": socket.gethostname(), "pid": os.getpid(), **holder}
        self.whose = _whose_in(self._memory[:_HOLDER_BYTES])
        self._tell(self.whose)
        self._next = self._oldest()

    def ages_s(self) -> list[float]:
        """How long ago each of the last requests left, as far as a wall clock can tell; the future
        counts as now.
        """
        now_ns = self._wall_ns()
        stamps = self._stamps()
        return [max(0.0, (now_ns - stamp) / 1e9) for stamp in stamps if stamp]

    def stamp(self) -> None:
        """A request leaves now."""
        _STAMP.pack_into(
            self._memory, _STAMPS_AT + _STAMP.size * self._next, self._wall_ns()
        )
        self._next = (self._next + 1) % self._slots

    def belongs(self, whose: Mapping[str, str]) -> None:
        """The journal belongs to this account, mode and address: who finds another one in its place
        is told.
        """
        self.whose = dict(whose)
        self._tell(self.whose)

    def _tell(self, whose: Mapping[str, str]) -> None:
        about = json.dumps({**self._about, "whose": whose}).encode()
        # a very long address: then nothing is told of it
        if len(about) > _HOLDER_BYTES:
            about = json.dumps(self._about).encode()[:_HOLDER_BYTES]
        self._memory[:_HOLDER_BYTES] = about.ljust(_HOLDER_BYTES)

    def witness(self, journal_id: str, seq: int, digest: str) -> None:
        """The journal is durable up to this event."""
        event = _EVENT.pack(seq, bytes.fromhex(digest), bytes.fromhex(journal_id))
        told = event + _SUM.pack(zlib.crc32(event)) + _STAMP.pack(seq)
        self._memory[_EVENT_AT:_STAMPS_AT] = told

    @property
    def witnessed(self) -> Witnessed:
        """The last event that any run of this job knew to be durable."""
        return _witnessed_in(self._memory[:_STAMPS_AT])

    def close(self) -> None:
        """Let go."""
        self._memory.close()
        os.close(self._handle)

    def _stamps(self) -> list[int]:
        """When each of the last requests left, slot by slot; 0: none did."""
        return list(struct.unpack_from(f"<{self._slots}q", self._memory, _STAMPS_AT))

    def _oldest(self) -> int:
        stamps = self._stamps()
        return stamps.index(min(stamps))


class OtherRuns:
    """The locks of all other jobs of a state, taken one by one and held until the end of the
    block.
    """

    def __init__(self, state_path: Path, job: str) -> None:
        self._state_path = state_path
        self._own = lock_path(state_path, job)
        self._held: dict[Path, int] = {}

    def __enter__(self) -> OtherRuns:
        return self

    def refuse(self, said: Entry = OTHER_VERSION) -> None:
        """Take those that are not held yet. Raises TryLater, naming the holder of the first that is
        taken: so it is `said`.
        """
        pattern = f"{glob.escape(self._state_path.name)}.*.lock"
        for path in sorted(self._state_path.parent.glob(pattern)):
            if path != self._own and path not in self._held:
                self._take(path, said)

    def _take(self, path: Path, said: Entry) -> None:
        try:
            handle = _opened(path, os.O_RDWR)
        except OSError as error:
            raise why_closed(path, error, "the lock of another job") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            text = _holder_text(os.pread(handle, _HOLDER_BYTES, 0))
            os.close(handle)
            told = said(path=str(self._state_path), holder=text)
            raise TryLater(told) from error
        self._held[path] = handle

    def __exit__(self, *_: object) -> None:
        for handle in self._held.values():
            os.close(handle)


def _opened(path: Path, flags: int) -> int:
    """The file itself, whatever its name leads to; a pipe is not waited for. Raises Misconfigured
    for what is none.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise Misconfigured(
                f"{path}: not a regular file, which a lock must be; move it away and run again"
            )
    except FileNotFoundError:
        pass
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def lock_path(state_path: Path, job: str) -> Path:
    """`batchpay.db.<8 hex of the job>.lock`: jobs that share a journal run side by side."""
    return state_path.with_name(
        f"{state_path.name}.{hashlib.sha256(job.encode()).hexdigest()[:8]}.lock"
    )


def state_of_lock(name: str) -> str:
    """The name of the state whose lock has this name; empty for what is named otherwise."""
    if found := _LOCK_NAME.fullmatch(name):
        return found[1]
    return ""


def witnessed(state_path: Path, job: str) -> Witnessed:
    """What the lock of a job has witnessed, without touching it; nothing where there is none, or
    none that can be read.
    """
    try:
        # which waits for no pipe
        handle = _opened(lock_path(state_path, job), os.O_RDONLY)
        try:
            return _witnessed_in(os.pread(handle, _STAMPS_AT, 0))
        finally:
            os.close(handle)
    except (OSError, ValueError, struct.error, Misconfigured):
        return Witnessed()


def _witnessed_in(raw: bytes) -> Witnessed:
    """Raises struct.error for a file that is too short."""
    (last,) = _STAMP.unpack_from(raw, _SEQ_AT)
    seq, digest, journal_id = _EVENT.unpack_from(raw, _EVENT_AT)
    (total,) = _SUM.unpack_from(raw, _EVENT_AT + _EVENT.size)
    if seq != last or total != zlib.crc32(raw[_EVENT_AT : _EVENT_AT + _EVENT.size]):
        return Witnessed(int(last))
    return Witnessed(int(last), journal_id.hex(), digest.hex())


LOCKS = Path("/proc/locks")  # proc_locks(5)


def running(state_path: Path, job: str) -> dict[str, str] | None:
    """Host, pid, start and run of the process that holds a job's lock now, without touching the
    lock; else None.

    The kernel lists who holds what. Where it does not, the process is looked for by its number, on
    its own machine.
    """
    path = lock_path(state_path, job)
    try:
        handle = _opened(path, os.O_RDONLY)
        try:
            about = json.loads(os.pread(handle, _HOLDER_BYTES, 0).rstrip(b" \0"))
            inode = os.fstat(handle).st_ino
        finally:
            os.close(handle)
        told = {
            name: str(about.get(name, "")) for name in ("host", "pid", "started", "run")
        }
    except (OSError, ValueError, AttributeError, Misconfigured):
        return None
    if _is_held(inode, told):
        return told
    return None


def _is_held(inode: int, told: dict[str, str]) -> bool:
    try:
        lines = [line.split() for line in LOCKS.read_text("ascii").splitlines()]
    except (OSError, ValueError):
        return told["host"] == socket.gethostname() and _is_alive(told["pid"])
    # `->` in its place: it waits
    held = [line for line in lines if len(line) > 5 and line[1] == "FLOCK"]
    return any(
        line[5].rpartition(":")[2] == str(inode) and line[4] == told["pid"]
        for line in held
    )


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _whose_in(raw: bytes) -> dict[str, str]:
    """Account, mode and address that a lock was told of; empty where it was not."""
    try:
        told = json.loads(raw.rstrip(b" \0"))["whose"]
        return {name: str(told[name]) for name in ("account", "mode", "url")}
    except (ValueError, KeyError, TypeError):
        return {}


def _holder_text(raw: bytes) -> str:
    try:
        about = json.loads(raw.rstrip(b" \0"))
        return f"host {about['host']}, pid {about['pid']}, since {about['started']}"
    except (ValueError, KeyError, TypeError):
        return "another process holds its lock"
