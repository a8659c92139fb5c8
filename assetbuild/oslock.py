"""Locks that the operating system frees when a process dies: a lock on a file for a moment, a locked file for a process's life.

Knows no store, no key and no lockfile. Locks are between processes and between open files of one process.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import StoreError
from .files import disk_error

_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_FAR = 1 << 30  # Windows: the locked byte can't be read by others, so it is one far behind the text


def try_lock(fd: int) -> bool:
    """Lock an open file if nobody else has. Closing it, or dying, frees it. Raises OSError where the disk has no locks."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


@contextmanager
def locked(path: Path, *, wait: float, busy: str) -> Iterator[None]:
    """Hold the lock on a file (made if missing, in a folder that is there) inside the `with`.

    Waits up to `wait` seconds, then raises StoreError with the sentence `busy`. The file stays.
    """
    until, fd = time.monotonic() + wait, -1
    try:
        while True:
            try:
                fd = os.open(path, _FLAGS | os.O_CREAT, 0o644)
                got = try_lock(fd)
                # The file may have been removed and made again while we waited: then ours is a lock on a file without a name.
                if got and os.path.samestat(os.fstat(fd), os.stat(path)):
                    break
            except FileNotFoundError:
                if not path.parent.is_dir():
                    raise
            except OSError as error:
                if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                    hint = "keep the store on a local disk: set ASSETBUILD_STORE or `store:` to a folder there"
                    raise StoreError(f"the disk that holds `{path.parent}` has no file locks", hint=hint) from error
                if error.errno != errno.EINTR:
                    raise
            if fd >= 0:
                os.close(fd)
                fd = -1
            if time.monotonic() > until:
                raise StoreError(busy, hint=f"wait for the other run to end, or end it, then try again (it holds `{path}`)")
            time.sleep(0.01)
    except OSError as error:
        if fd >= 0:
            os.close(fd)
        raise disk_error(error, path) from error
    try:
        yield
    finally:
        os.close(fd)


_LIVING: weakref.WeakSet[Presence] = weakref.WeakSet()


class Presence:
    """A process's own locked file in a folder: while it lives, nobody else can lock that file. Make it while holding the
    folder's gate.

    A forked child drops it (it is the parent's) and makes one of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{os.getpid()}-{os.urandom(6).hex()}"
        try:
            self._fd = os.open(self.path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o644)
            os.write(self._fd, str(os.getpid()).encode())
            try_lock(self._fd)
        except OSError as error:
            raise disk_error(error, self.path) from error
        _LIVING.add(self)

    @property
    def name(self) -> str:
        """The file's name in its folder."""
        return self.path.name

    def drop(self) -> None:
        """Close the file without removing it: after a fork, it is the parent's."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def close(self) -> None:
        """Free the lock and remove the file."""
        mine = self._fd >= 0
        if sys.platform == "win32":
            self.drop()
        if mine:
            with suppress(OSError):  # a file that nobody holds is swept by the next run
                os.unlink(self.path)
        self.drop()


def _after_fork() -> None:
    # A child that keeps the file open would keep the lock alive after its parent's death.
    for presence in list(_LIVING):
        presence.drop()
    _LIVING.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def alive(file: Path) -> bool:
    """Whether a process still holds this presence file. For an instant the asking itself holds it; who asks twice gets the
    truth.
    """
    try:
        fd = os.open(file, _FLAGS)
    except OSError as error:
        # Can't be asked: believe that it lives, which costs a wait and never a second bill.
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    try:
        return not try_lock(fd)
    except OSError:
        return True
    finally:
        os.close(fd)
