"""Errors of the operating system as ours: by what went wrong, with the name it went wrong with and
what to do.
"""

from __future__ import annotations

import errno
import os

from batchpay.domain.errors import (
    NO_MORE,
    BatchpayError,
    CannotWrite,
    InputMissing,
    InputOutput,
    Misconfigured,
    TryLater,
)

# What they mean for who runs us; every other one is a failure of the disk.
_BY_ERRNO: dict[int, type[BatchpayError]] = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), InputMissing),
    **dict.fromkeys(
        (
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EROFS,
            errno.EFBIG,
            errno.EEXIST,
            errno.ENOTEMPTY,
            errno.ETXTBSY,
        ),
        CannotWrite,
    ),
    **dict.fromkeys(
        (
            errno.EACCES,
            errno.EPERM,
            errno.EISDIR,
            errno.ENAMETOOLONG,
            errno.ELOOP,
            errno.EINVAL,
            errno.EILSEQ,
        ),
        Misconfigured,
    ),
    **dict.fromkeys(
        (
            *NO_MORE,
            errno.EBUSY,
            errno.EINTR,
            errno.ETIMEDOUT,
            errno.ENOLCK,
        ),
        TryLater,
    ),
}
_REMEDIES: dict[type[BatchpayError], str] = {
    InputMissing: "put it there, or name another",
    CannotWrite: "make room there, or name another place",
    Misconfigured: "name another, or give this user the right to it",
    TryLater: "raise the limit (ulimit) or end other programs and run again, nothing is lost",
    InputOutput: "check the disk and run again; nothing that was sent is lost",
}


def translated(error: Exception) -> BatchpayError | None:
    """What the machine, a disk or a name did wrong, as one of ours; None for what only a bug
    does.
    """
    if isinstance(error, OSError | ValueError):
        return of_system(error)
    return of_runtime(error)


def of_system(error: OSError | ValueError) -> BatchpayError | None:
    """An error of the operating system, or of a name that it cannot take, as one of ours; None when
    it is neither.
    """
    if isinstance(error, OSError):
        return _of_errno(error)
    if isinstance(error, UnicodeError):
        return Misconfigured(
            f"a name or a text is not UTF-8: {error}; name it in UTF-8"
        )
    if "null" in str(error):  # os.stat and open: embedded null byte, or character
        return Misconfigured(
            "a path holds a NUL character, which no file's name can: correct it"
        )
    return None


# threading, and pyarrow, whose exception is of its own kind
_NO_THREAD = (
    "start new thread",
    "launch worker thread",
)


def of_runtime(error: Exception) -> BatchpayError | None:
    """A thread that the machine did not give, or a link to itself, which pathlib tells so; None for
    any other.
    """
    if any(words in str(error) for words in _NO_THREAD):
        return TryLater(f"no more threads; {_REMEDIES[TryLater]}")
    if "Symlink loop" in str(error):
        return Misconfigured(
            f"{error}: a link that leads to itself; {_REMEDIES[Misconfigured]}"
        )
    return None


def _of_errno(error: OSError) -> BatchpayError:
    if error.errno == errno.ENOENT and _here_is_gone():
        return Misconfigured(
            "the current folder is gone; change to one that is there and run again"
        )
    kind = _BY_ERRNO.get(error.errno or 0, InputOutput)
    names = [
        os.fsdecode(name)
        for name in (error.filename, error.filename2)
        if isinstance(name, str | bytes)
    ]
    return kind(": ".join((*names, f"{error.strerror or error}; {_REMEDIES[kind]}")))


def _here_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd is the same call behind two others
    except OSError:
        return True
    return False
