"""Gives a new file a name that another file may have, and loses neither. Knows names and stats of files; no digest, store or project.

A look at a file and the rename over it are two moments, and somebody may save in between. So the two files change names, which is one
step in the kernel, and what came out is held against what the look saw; if it is something else, they change back. Linux has the call
(renameat2(2)); elsewhere, and on disks that refuse it, the file is replaced as ever.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

NOREPLACE, EXCHANGE = 1, 2  # linux/fs.h: flags of renameat2
_HERE = -100  # linux/fcntl.h: AT_FDCWD
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTTY)
_MOST = 8  # saves in a row that are put back


class Changed(Exception):
    """What has the name isn't what the last look saw. It has the name still; the new file hasn't."""


class Seen(NamedTuple):
    """What had a name at a look. `size` in bytes, `written` is the mtime in ns."""

    device: int
    inode: int
    size: int
    written: int


def seen(path: Path) -> Seen | None:
    """What has this name now (a link is itself, not what it leads to); None when nothing has it. Raises OSError."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return of(found)


def of(found: os.stat_result) -> Seen:
    """The same of a stat."""
    return Seen(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def take_name(new: Path, target: Path, before: Seen | None, keep: Callable[[Path], None]) -> bool:
    """Gives the file `new` the name `target`, which `before` had at the last look. Afterwards what had it has the name `new`: True; or nothing
    has: False.

    `keep` is given a file whose bytes must not be lost and that can't have its name back. Raises Changed, OSError and what `keep` raises: then
    `new` is gone, is itself, or is that file.
    """
    if before is None:
        _first(new, target)
        return False
    if _is_folder(target):  # they would change names as well
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    mine = seen(new)
    try:
        exchange(new, target)
    except FileNotFoundError:
        raise Changed from None
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        os.replace(new, target)
        return False
    came = seen(new)
    if came == before:
        return True
    _give_back(new, target, mine, came, keep)
    raise Changed


def _first(new: Path, target: Path) -> None:
    try:
        take_free(new, target)
    except FileExistsError:
        if _is_folder(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target)) from None
        raise Changed from None
    except OSError as error:
        if error.errno not in (*_CANNOT, errno.EPERM, errno.EMLINK):  # a disk without links says EPERM
            raise
        os.replace(new, target)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _give_back(new: Path, target: Path, mine: Seen | None, held: Seen | None, keep: Callable[[Path], None]) -> None:
    """`new` is what somebody saved, `target` is ours: they change back. What is saved meanwhile, over ours, comes back as well.

    A kill in here leaves the saved file under the name `new`, from where it is swept into the store.
    """
    placed = mine
    try:
        for _ in range(_MOST):
            exchange(new, target)
            was, placed, held = placed, held, seen(new)
            if same(held, was):  # nobody saved in between
                break
    except FileNotFoundError:  # nor is ours there any more
        take_free(new, target)
        return
    except OSError:
        held = None
    if not same(held, mine):
        keep(new)
    os.unlink(new)


def same(one: Seen | None, other: Seen | None) -> bool:
    """Whether they are one file, which may have been written to."""
    return one is not None and other is not None and one[:2] == other[:2]


def exchange(one: Path, other: Path) -> None:
    """The two files change names, at once. Raises OSError, ENOSYS where there is no such call."""
    _renameat2(one, other, EXCHANGE)


def take_free(new: Path, target: Path) -> None:
    """Renames a file to a name that nothing has. Raises FileExistsError, OSError."""
    if sys.platform == "win32":
        os.rename(new, target)  # refuses a name that is taken
        return
    try:
        _renameat2(new, target, NOREPLACE)
    except OSError as error:
        if error.errno not in _CANNOT or error.errno == errno.EXDEV:
            raise
        os.link(new, target)
        os.unlink(new)


def _renameat2(old: Path, new: Path, flags: int) -> None:
    call = _found()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(new))
    number = call(os.fsencode(old), os.fsencode(new), flags)
    if number:
        raise OSError(number, os.strerror(number), str(old), None, str(new))


@lru_cache(maxsize=1)
def _found() -> Callable[[bytes, bytes, int], int] | None:
    """The C library's call, which gives an errno, 0 when it was done; None where there is none."""
    if sys.platform != "linux":
        return None
    import ctypes  # 6 ms, once a picture is replaced

    try:
        library = ctypes.CDLL(None, use_errno=True)
        raw = library.renameat2
    except (OSError, AttributeError):  # an old C library
        return None
    raw.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    raw.restype = ctypes.c_int

    def call(old: bytes, new: bytes, flags: int) -> int:
        return 0 if raw(_HERE, old, _HERE, new, flags) == 0 else ctypes.get_errno()

    return call
