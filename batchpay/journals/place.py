"""Where a journal may lie: SQLite's locks and its shared memory mean nothing on a disk that several machines share
(sqlite.org/wal.html: "all processes using a database must be on the same host computer")."""

from __future__ import annotations

from pathlib import Path

from batchpay.errors import Misconfigured

MOUNTS = Path("/proc/self/mountinfo")
# Not those that a virtual machine or a container has its own disk on (9p, virtiofs, overlay): one machine uses them.
_SHARED = frozenset({
    "acfs", "afs", "afp", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs",
    *(f"fuse.{name}" for name in ("sshfs", "s3fs", "rclone", "glusterfs", "ceph", "davfs", "davfs2", "gcsfuse",
                                  "goofys", "blobfuse", "blobfuse2", "juicefs", "smbnetfs", "curlftpfs",
                                  "moosefs", "seaweedfs")),
})  # fmt: skip


def refuse_shared_disk(state_path: Path) -> None:
    """Raises Misconfigured when the state would lie on a network file system; elsewhere than on Linux nobody knows."""
    try:
        mounts = MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return
    kind = fs_type_of(state_path.absolute(), mounts)
    if is_shared(kind):
        raise Misconfigured(
            f"{state_path}: the state lies on a network file system ({kind}), where two machines could hold one "
            "lock at once; name a local disk in [state] url"
        )


def is_shared(fs_type: str) -> bool:
    """May a file system of this type be in use by another machine at the same time?"""
    return fs_type in _SHARED


def fs_type_of(path: Path, mounts: str) -> str:
    """The type of the file system that holds a path, by the text of /proc/self/mountinfo (proc(5)); "" when unknown."""
    real, found, longest = path.resolve(), "", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        place = Path(_plain(before.split()[4]))
        if real.is_relative_to(place) and len(place.parts) >= longest:  # a later mount covers an earlier one
            found, longest = after.split()[0], len(place.parts)
    return found


def _plain(place: str) -> str:
    r"""Blanks and backslashes stand as octal escapes: `\040`."""
    for escaped, meant in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        place = place.replace(escaped, meant)
    return place
