"""Files as the other rooms need them: written whole or not at all, hashed, found in git, told apart by disk. Knows no store, no
lockfile, no spec.

A file that was asked for is either the old one or the new one, never a half. `durable` files also survive a power cut.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import NamedTuple

from . import swap
from .errors import StoreError

CHUNK = 1 << 20
_SMALL = 64 << 10  # bytes; a smaller file is copied in fewer calls than it takes to share it and to read it again
PRIVATE = (
    ".assetbuild"  # the tool's own folder in a project; everything in it but `store` and `rescued` may be deleted at any time
)
SWAPPED = ".swap"  # the ending of a file of ours, or of somebody's, that a kill left while the two changed names
_MOUNT_POINT = 4  # the field of a line of mountinfo
_FICLONE = 0x40049409  # linux/fs.h: make two files share their bytes until one is written to
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_OURS, _NUMBERS = os.urandom(6).hex(), count()  # in the names of temporary files; a forked child has another process id
_POINTER_SIZE = 1024  # bytes; a pointer is smaller
_POINTER = re.compile(
    rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v1\r?\n"
    rb"(?:ext-\d-[^\n]*\n)*oid sha256:([0-9a-f]{64})\r?\nsize \d+\r?\n?"
)
# File systems that other machines (or the host of this virtual one) write to as well: locks and shared memory can't be trusted
# there.
_SHARED = re.compile(
    "nfs[34]?|cifs|smb[23]?|smbfs|ncpfs|9p|afs|ceph|lustre|gpfs|beegfs|orangefs|ocfs2|gfs2|glusterfs|virtiofs|vboxsf|vmhgfs|prl_fs"
    "|fakeowner|osxfs|grpcfuse|davfs2?|sshfs|s3fs|rclone|gcsfuse|goofys"
)


def disk_error(error: OSError, path: Path) -> StoreError:
    """What to tell a user whose disk refused to write `path`."""
    kept = "what was finished before is kept; free some space and run the same command again"
    match error.errno:
        case errno.ENOSPC:
            return StoreError(f"the disk is full: can't write `{path}`", hint=kept)
        case errno.EDQUOT:
            return StoreError(f"your disk quota is used up: can't write `{path}`", hint=kept)
        case errno.EFBIG:
            return StoreError(
                f"`{path}` would be larger than this process or disk allows", hint="look at `ulimit -f`, then run it again"
            )
        case errno.EROFS:
            return StoreError(
                f"can't write `{path}`: this disk is read-only",
                hint="run it where the folder can be written; the store may be elsewhere: set ASSETBUILD_STORE to a folder",
            )
        case errno.EACCES | errno.EPERM:
            return StoreError(
                f"no permission to write `{path}`",
                hint=f"somebody else owns `{path.parent}` (a run as root, a container?), or another program has the file open",
            )
        case errno.ENOTDIR | errno.EEXIST:
            there = next((p for p in (path, *path.parents) if p.exists() and not p.is_dir()), path.parent)
            return StoreError(
                f"can't write `{path}`: a folder is needed at `{there}`, a file stands there",
                hint=f"move the file `{there}` away",
            )
        case errno.EISDIR | errno.ENOTEMPTY:
            return StoreError(
                f"can't write `{path}`: a folder of that name stands there", hint="move the folder away, or choose another name"
            )
        case errno.ENAMETOOLONG:
            return StoreError(
                f"can't write `{path}`: the name is too long for this disk", hint="choose a shorter `output` or `id`"
            )
        case _:
            return StoreError(
                f"can't write `{path}`: {error.strerror or error}", hint="run it again; if it comes back, look at the disk"
            )


Stamp = tuple[int, int, int]  # size, mtime_ns, inode


def stamp(path: Path) -> Stamp | None:
    """Changes when the file does; None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def sha256_file(path: Path) -> tuple[str, int]:
    """Hex digest and size in bytes of a file, read in pieces of 1 MiB. Raises OSError."""
    digest, size, piece = hashlib.sha256(), 0, memoryview(bytearray(CHUNK))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(piece):
            digest.update(piece[:count])
            size += count
    return digest.hexdigest(), size


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut. Windows has no such call; its journal does it."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folders(folder: Path, *, durable: bool) -> None:
    """The folder and all above it. Raises OSError, also when a file stands in the way."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder.parent == folder:
            break
        folder = folder.parent
    for new in reversed(missing):
        try:
            os.mkdir(new)
        except FileExistsError:  # another process was faster, or it is a file
            if not new.is_dir():
                raise
        if durable:
            sync_folder(new.parent)


class Looked(NamedTuple):
    """What had a name when it was last looked at, and who keeps a file that can't have its name back."""

    before: swap.Seen | None
    keep: Callable[[Path], None]


class Temp:
    """A new file that is going to take another one's name, or vanish. Use with `with`: leaving without `become` removes it.
    Raises OSError.
    """

    def __init__(self, folder: Path, *, mode: int = 0o644) -> None:
        self.path = folder / f".assetbuild-{os.getpid()}-{_OURS}-{next(_NUMBERS)}.tmp"
        self.fd = os.open(self.path, _CREATE, mode)
        self._here = True

    def __enter__(self) -> Temp:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, and remove it unless it has become the other."""
        self.close()
        if self._here:
            self._here = False
            with suppress(OSError):  # the reason why we are here is the better message
                os.unlink(self.path)

    def close(self) -> None:
        """Nothing more is written."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def write(self, content: bytes | memoryview) -> None:
        """Add bytes at the end."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self.fd, rest[: 64 * CHUNK]) :]

    def copy(self, source: int) -> None:
        """Copy an open file without looking at its bytes. Raises OSError, also when it becomes shorter meanwhile."""
        left = os.fstat(source).st_size
        if left >= _SMALL and hasattr(os, "copy_file_range"):  # shared where the disk can, else copied by the kernel
            with suppress(OSError):  # a kind of disk that can't
                while left and (moved := os.copy_file_range(source, self.fd, left)):
                    left -= moved
        while left and (piece := os.read(source, CHUNK)):
            self.write(piece)
            left -= len(piece)
        if left:
            raise OSError(errno.EIO, "it became shorter while it was copied")

    def fill(self, source: int) -> str:
        """Copy an open file, sharing its bytes where the disk can; gives the sha256 of what *this* file holds then, hex."""
        digest = hashlib.sha256()
        piece = os.read(source, _SMALL)
        if len(piece) == _SMALL and _share(source, self.fd):
            with open(self.path, "rb", buffering=0) as shared:
                while piece := shared.read(CHUNK):
                    digest.update(piece)
        while piece:
            digest.update(piece)
            self.write(piece)
            piece = os.read(source, CHUNK)
        return digest.hexdigest()

    def keep(self) -> Path:
        """It stays, under its temporary name, for who gives it a better one; closed."""
        self.close()
        self._here = False
        return self.path

    def become(self, target: Path, *, durable: bool, looked: Looked | None = None) -> None:
        """Take the name. Bytes first, then the name, then the folder: a crash between any two leaves the old file or the whole
        new one.

        With `looked`, what was saved there since the look isn't replaced: raises swap.Changed then. A name that nothing had then is not
        synced: should a power cut take it away, the file is missing, as it was, and never half there. When it fails it may be
        called again: the bytes are on disk by then.
        """
        if durable and self.fd >= 0:
            os.fsync(self.fd)
        self.close()
        try:
            if looked is None:
                os.replace(self.path, target)
            else:
                self._swap(target, looked)
        except OSError as error:
            if error.errno != errno.EXDEV:  # two mounts of one disk (bind mounts, btrfs subvolumes): a copy beside the target
                raise
            self._beside(target, durable=durable, looked=looked)
        self._here = False
        if durable and (looked is None or looked.before is not None):
            sync_folder(target.parent)

    def _swap(self, target: Path, looked: Looked) -> None:
        """A kill while two files change names can leave somebody's in the place of ours: before that, ours gets a name that says so."""
        if looked.before is None:  # nothing comes out: whatever goes wrong, ours is ours
            swap.take_name(self.path, target, None, looked.keep)
            return
        named = self.path.with_suffix(SWAPPED)
        os.rename(self.path, named)
        self.path = named
        ours, self._here = swap.seen(self.path), False  # should it come to be somebody's, it isn't removed
        try:
            if swap.take_name(self.path, target, looked.before, looked.keep):
                with suppress(OSError):
                    os.unlink(self.path)
        except (OSError, swap.Changed):
            self._here = swap.same(swap.seen(self.path), ours)
            raise

    def _beside(self, target: Path, *, durable: bool, looked: Looked | None) -> None:
        with Temp(target.parent) as near, open(self.path, "rb", buffering=0) as source:
            near.fill(source.fileno())
            near.become(target, durable=durable, looked=looked)
        os.unlink(self.path)


def temp_for(target: Path, staging: Path | None, *, durable: bool) -> Temp:
    """A temporary file that can become `target`, whose folder is made if need be: in `staging` when that is on the same disk, so that a kill
    leaves nothing beside the user's files; else in the target's folder. Raises OSError.
    """
    try:
        disk = os.stat(target.parent).st_dev
    except (FileNotFoundError, NotADirectoryError):
        make_folders(target.parent, durable=durable)
        disk = os.stat(target.parent).st_dev
    if staging is not None:
        try:
            if _disk(staging) == disk:
                return Temp(staging)
        except OSError:
            pass  # no staging folder here (a read-only one, say): beside the target then
    return Temp(target.parent)


@lru_cache(maxsize=16)
def _disk(folder: Path) -> int:
    """On which disk a folder of ours is. Should it move to another one meanwhile, `become` copies."""
    return os.stat(folder).st_dev


def _share(source: int, target: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False  # ext4, another disk, a network: then the bytes are copied
    return True


def atomic_write(path: Path, content: bytes, *, durable: bool, staging: Path | None = None) -> None:
    """Write a whole file, mode 0644 less the umask; a link of that name is replaced, not followed. Makes parent folders.

    `staging` is where the temporary file lies, if it can.

    Survives a kill at any point: `path` holds the old bytes or the new ones. Raises StoreError when the disk refuses.
    """
    try:
        with temp_for(path, staging, durable=durable) as temp:
            temp.write(content)
            temp.become(path, durable=durable)
    except OSError as error:
        raise disk_error(error, path) from error


def atomic_copy(source: Path, target: Path, *, durable: bool) -> None:
    """Copy a file, sharing bytes where the disk can (never a hard link: the user may edit the copy).

    Same promises as `atomic_write`. Raises OSError when the source can't be opened, StoreError when the target can't be written.
    """
    fd = os.open(source, _READ)
    try:
        make_folders(target.parent, durable=durable)
        with Temp(target.parent) as temp:
            temp.fill(fd)
            temp.become(target, durable=durable)
    except OSError as error:
        raise disk_error(error, target) from error
    finally:
        os.close(fd)


def private_folder(project: Path) -> Path:
    """The project's `.assetbuild` folder, made with its own `.gitignore` if it isn't there.

    A link is refused: a cloned repository could send our files anywhere with it. Raises StoreError.
    """
    folder = project / PRIVATE
    if folder.is_symlink():
        raise StoreError(
            f"`{folder}` is a link, a folder is needed", hint="remove the link; to keep pictures on another disk, use `store:`"
        )
    ignore = folder / ".gitignore"
    if not ignore.exists():
        atomic_write(ignore, b"*\n", durable=False)
    return folder


def git_dirs(folder: Path) -> tuple[Path, Path] | None:
    """Git's top level above `folder` and the git dir that all its worktrees share, both absolute; None outside git. Starts no
    process.

    A submodule's is its own (`.git/modules/NAME`). GIT_DIR is ignored on purpose: hooks set it, also of another repository, and
    the same project must find the same store from a hook. So is who owns the folder: in a container it is often somebody else,
    and another store would mean paying again. A `.git` file that leads nowhere (a worktree whose repository isn't mounted) is
    no repository.
    """
    here = Path(os.path.realpath(folder))
    for top in (here, *here.parents):
        dot = top / ".git"
        try:
            if dot.is_dir():
                own = dot
            else:
                text = dot.read_text("utf-8", "surrogateescape")
                if not text.startswith("gitdir:"):
                    return None
                own = Path(os.path.realpath(top / text[7:].strip("\r\n").strip(" ")))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return None
        common = own
        with suppress(OSError):  # only worktrees have one
            common = Path(os.path.realpath(own / (own / "commondir").read_text("utf-8", "surrogateescape").rstrip("\r\n")))
        if os.path.lexists(own / "HEAD") and (common / "objects").is_dir():
            return top, Path(os.path.realpath(common))
        if own is not dot:
            return None
    return None


def git_call(top: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """The command line and environment that ask git about the repository at `top` and no other (a hook sets GIT_DIR). Hooks, monitors and
    lazy fetches stay off.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith("GIT_CONFIG")}
    environ |= {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    return ["git", "-C", str(top), "-c", "core.fsmonitor=false", *words], environ


def lfs_oid(first_bytes: bytes) -> str | None:
    """The sha256 (hex) that a Git LFS pointer stands for; None for any other content. Give it the whole file, or its first
    1,024 bytes.

    https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
    """
    if not first_bytes.startswith(b"version https://"):
        return None
    found = _POINTER.fullmatch(first_bytes) if len(first_bytes) < _POINTER_SIZE else None
    return found[1].decode() if found else None


def network_filesystem(path: Path) -> str | None:
    """The type (`nfs4`, `cifs`, `9p`, …) of the disk under `path` if other machines share it, else None. Linux only; None
    elsewhere.
    """
    try:
        table = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    return shared_mount(table, os.path.realpath(path))


def shared_mount(table: str, path: str) -> str | None:
    """`network_filesystem` of a mount table's text (proc(5), /proc/pid/mountinfo) for a resolved absolute path."""
    kind = mount_type(table, path)
    return kind if _SHARED.fullmatch(kind.removeprefix("fuse.").removesuffix("-fuse")) else None


def mount_type(table: str, path: str) -> str:
    """The type of the disk under a resolved absolute path, as a mount table's text says; "" if it doesn't."""
    best, kind = -1, ""
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) <= _MOUNT_POINT or not right:
            continue
        mount = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[_MOUNT_POINT])
        inside = mount in ("/", path) or path.startswith(mount + "/")
        if inside and len(mount) >= best:  # a later mount on the same folder hides the earlier one
            best, kind = len(mount), right.split(" ", 1)[0]
    return kind
