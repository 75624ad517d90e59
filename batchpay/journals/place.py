"""Where a journal may lie, and whose it is.

SQLite's locks and its shared memory mean nothing on a disk that several machines share
(sqlite.org/wal.html: "all processes using a database must be on the same host computer").
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
from pathlib import Path

from batchpay.domain.errors import (
    NO_MORE,
    BatchpayError,
    CannotWrite,
    Misconfigured,
    TryLater,
)

MOUNTS = Path("/proc/self/mountinfo")
# Not those that a virtual machine or a container has its own disk on (9p, virtiofs, overlay): one
# machine uses them.
_SHARED = frozenset(
    {
        "acfs",
        "afs",
        "afp",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "pvfs2",
        "smb3",
        "smbfs",
        *(
            f"fuse.{name}"
            for name in (
                "sshfs",
                "s3fs",
                "rclone",
                "glusterfs",
                "ceph",
                "davfs",
                "davfs2",
                "gcsfuse",
                "goofys",
                "blobfuse",
                "blobfuse2",
                "juicefs",
                "smbnetfs",
                "curlftpfs",
                "moosefs",
                "seaweedfs",
            )
        ),
    }
)


def refuse_shared_disk(state_path: Path) -> None:
    """Raises Misconfigured when the state would lie on a network file system; elsewhere than on
    Linux nobody knows.
    """
    try:
        mounts = MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return
    kind = fs_type_of(state_path.absolute(), mounts)
    if is_shared(kind):
        raise Misconfigured(
            f"{state_path}: the state lies on a network file system ({kind}), where two machines"
            " could hold one lock at once; name a local disk in [state] url"
        )


def is_shared(fs_type: str) -> bool:
    """May a file system of this type be in use by another machine at the same time?"""
    return fs_type in _SHARED


def fs_type_of(path: Path, mounts: str) -> str:
    """The type of the file system that holds a path, by the text of /proc/self/mountinfo (proc(5));
    "" when unknown.
    """
    real = path.resolve()
    found = ""
    longest = -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        place = Path(_plain(before.split()[4]))
        # a later mount covers an earlier one
        if real.is_relative_to(place) and len(place.parts) >= longest:
            found = after.split()[0]
            longest = len(place.parts)
    return found


def _plain(place: str) -> str:
    r"""Blanks and backslashes stand as octal escapes: `\040`."""
    for escaped, meant in (
        (r"\040", " "),
        (r"\011", "\t"),
        (r"\012", "\n"),
        (r"\134", "\\"),
    ):
        place = place.replace(escaped, meant)
    return place


# --- whose it is


def _no_folder(path: Path) -> Path:
    """What stands in the way to a file: the first part of its path that is there and no folder."""
    for folder in reversed(path.parents):
        if os.path.lexists(folder) and not folder.is_dir():
            return folder
    return path


def why_closed(
    path: Path, error: OSError | ValueError, what: str = "the journal"
) -> BatchpayError:
    """Why the state, or what lies beside it, cannot be opened, and what to do."""
    if not isinstance(error, OSError):
        return Misconfigured(
            f"{str(path)!r}: no file can have this name ({error}); name another one in [state] url"
        )
    if isinstance(error, PermissionError) and (theirs := closed_to_us(path)):
        return theirs
    if isinstance(error, FileExistsError | NotADirectoryError):
        why = "a file, or a link to nothing, stands where a folder belongs"
        return Misconfigured(
            f"{_no_folder(path)}: {why}; move it away, or name another file in [state] url"
        )
    if isinstance(error, IsADirectoryError) or error.errno in _NO_SUCH_NAME:
        return Misconfigured(
            f"{path}: {os.strerror(error.errno or 0)}; name another file in [state] url"
        )
    if error.errno in NO_MORE:
        remedy = "raise the limit (ulimit) or end other programs and run again, nothing is lost"
        return TryLater(f"{path}: cannot open {what}: {error.strerror}; {remedy}")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotWrite(
            f"{path}: cannot open {what}: the disk is full; free some space and run again"
        )
    why = error.strerror or "this user may not read and write it"
    return CannotWrite(
        f"{path}: cannot open {what}: {why}; see that this user may write the file and its folder"
    )


_NO_SUCH_NAME = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EILSEQ})


def may_be_there(path: Path) -> bool:
    """Is there a journal, or something that hinders us from seeing whether there is?"""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # opening it says what it is
    return True


def closed_to_us(path: Path) -> Misconfigured | None:
    """Says whose a file or its folder is when it belongs to another user and that is why it cannot
    be used.
    """
    place = _barrier(path.absolute())
    try:
        if place:
            owner = place.stat().st_uid
        else:
            owner = os.geteuid()
    except OSError:
        return None
    if place is None or owner == os.geteuid():
        return None
    them = user_name(owner)
    us = user_name(os.geteuid())
    if place != path.absolute():
        what = "the folder of this job's state"
    else:
        what = "this file"
    return Misconfigured(
        f"{place}: {what} belongs to user {them} and is closed to user {us}: run batchpay as"
        f" {them}, who runs this job (a state of your own would know nothing of what that one has"
        " charged)"
    )


def _barrier(path: Path) -> Path | None:
    """What keeps us out: the first folder that we may not enter, the folder that we may not write,
    or the file.
    """
    for folder in reversed(path.parents):
        if not os.access(folder, os.X_OK):
            if folder.exists():
                return folder
            return None
    for place in (path, path.parent):
        if place.exists() and not os.access(place, os.R_OK | os.W_OK):
            return place
    if path.exists():
        return path
    return None


def user_name(uid: int) -> str:
    """A user's name; the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The same of a group."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def primary_group(uid: int) -> int:
    """The number of a user's own group; -1 for a user that this machine does not know."""
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return -1
