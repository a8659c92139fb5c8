"""The content-addressed store: bytes under their own sha256, written once, read-only, checked whenever they leave. Knows files
and digests; knows no asset, key, result or lockfile.

A blob never changes (invariant 6); what goes out is a copy. A blob that doesn't match its name is moved to `corrupt/`, never
served and never deleted, and the next put of the same bytes repairs it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from .. import swap
from ..errors import StoreError
from ..files import Looked, Temp, disk_error, make_folders, sha256_file, sync_folder, temp_for

_DIGEST = re.compile(r"[0-9a-f]{64}")
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class CorruptBlob(StoreError):
    """A picture in the store is missing or isn't what its name says. `digest` says which; nothing was written."""

    exit_code = 1

    def __init__(self, digest: str, *, missing: bool) -> None:
        self.digest, self.missing = digest, missing
        what = "isn't in the store" if missing else "is damaged in the store and was set aside"
        super().__init__(
            f"the picture `{digest[:12]}` {what}", hint="`assetbuild plan` says what can be done for the asset it belongs to"
        )


class Cas:
    """Blobs under `root` as `ab/cdef…`. Making one touches no disk; folders appear with the first put."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._made = False
        self._sure: dict[str, swap.Seen] = {}  # blobs that this process has hashed as it wrote them, and how they were then

    def path(self, digest: str) -> Path:
        """Where a blob is, or would be. Raises ValueError for anything but 64 lowercase hex digits, so that no lockfile can
        lead us elsewhere.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"not a digest: {digest!r}")
        return self.root / f"{digest[:2]}/{digest[2:]}"

    def has(self, digest: str) -> bool:
        """Whether there is a file of that name; it may be damaged."""
        return self.path(digest).is_file()

    def size(self, digest: str) -> int | None:
        """Bytes of the file of that name, None if there is none."""
        try:
            return self.path(digest).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def put(self, content: bytes, *, durable: bool) -> str:
        """Keep these bytes; gives their digest.

        Bytes that are there already are hashed, which is
        cheaper than to write them, and repaired if damaged: the right ones are at hand now and may never be again.

        Raises StoreError when the disk refuses.
        """
        digest = hashlib.sha256(content).hexdigest()
        if self.has(digest) and self.intact(digest):
            self._settle(digest, durable=durable)
            return digest
        try:
            with self._temp(durable=durable) as temp:
                temp.write(content)
                self._place(temp, digest, durable=durable)
        except OSError as error:
            raise disk_error(error, self.path(digest)) from error
        return digest

    def put_file(self, path: Path, *, durable: bool) -> str:
        """Keep a file's bytes; gives their digest. If the file changes meanwhile, it is the digest of the bytes that were kept.

        Raises OSError when the file can't be read, StoreError when the store can't be written.
        """
        digest, _ = sha256_file(path)
        if self.has(digest) and self.intact(digest):
            self._settle(digest, durable=durable)
            return digest
        source = os.open(path, _READ)
        try:
            with self._temp(durable=durable) as temp:
                digest = temp.fill(source)
                self._place(temp, digest, durable=durable)
        except OSError as error:
            raise disk_error(error, self.root) from error
        finally:
            os.close(source)
        return digest

    def adopt(self, temp: Temp, digest: str) -> None:
        """Keep a file of ours on the store's disk whose bytes were hashed as they were written: it becomes the blob, without a copy.

        Raises StoreError when the disk refuses.
        """
        try:
            written = swap.of(os.fstat(temp.fd))
            if self.has(digest) and self.intact(digest):
                self._settle(digest, durable=True)
            else:
                self._place(temp, digest, durable=True)
            self._sure[digest] = written
        except OSError as error:
            raise disk_error(error, self.path(digest)) from error

    def intact(self, digest: str) -> bool:
        """Whether the blob is there and has the bytes its name says (reads all of it). A damaged one is set aside."""
        path = self.path(digest)
        try:
            found = sha256_file(path)[0]
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreError(
                f"can't read `{path}`: {error.strerror or error}", hint="check the disk; the store is left as it is"
            ) from error
        if found == digest:
            return True
        return self._set_aside(digest)

    def read(self, digest: str) -> bytes:
        """All bytes of a blob. Raises CorruptBlob."""
        try:
            content = self.path(digest).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise CorruptBlob(digest, missing=True) from None
        if hashlib.sha256(content).hexdigest() != digest:
            self._set_aside(digest)
            raise CorruptBlob(digest, missing=False)
        return content

    def copy_out(
        self,
        digest: str,
        target: Path,
        *,
        durable: bool,
        staging: Path | None = None,
        last_look: Callable[[], swap.Seen | None] | None = None,
        keep: Callable[[Path], None] | None = None,
    ) -> swap.Seen:
        """Put a copy at `target` (mode 0644 less the umask), whole or not at all; gives how the file was before it got that name. Raises CorruptBlob,
        StoreError when the disk refuses. `staging` is where the temporary file lies, if it can; `last_look` is called right before the name changes hands
        and gives what has it: should something else come out, that gets its name back, and swap.Changed is raised. `keep` is given a file
        of somebody's that can't have its name back; otherwise it becomes a blob.
        """
        try:
            source = os.open(self.path(digest), _READ)
        except (FileNotFoundError, NotADirectoryError):
            raise CorruptBlob(digest, missing=True) from None
        try:
            with temp_for(target, staging, durable=durable) as temp:
                if self._sure.get(digest) == swap.of(os.fstat(source)):  # nobody wrote to it since
                    temp.copy(source)
                elif temp.fill(source) != digest:
                    self._set_aside(digest)
                    raise CorruptBlob(digest, missing=False)
                looked = None if last_look is None else Looked(last_look(), keep or self._keep)
                written = swap.of(os.fstat(temp.fd))
                temp.become(target, durable=durable, looked=looked)
                return written
        except OSError as error:
            raise disk_error(error, target) from error
        finally:
            os.close(source)

    def _keep(self, path: Path) -> None:
        self.put_file(path, durable=True)

    def digests(self) -> Iterator[str]:
        """Every blob, by name, in order. Temporary files and damaged blobs aren't among them."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for name in sorted(os.listdir(folder)):
                if _DIGEST.fullmatch(folder.name + name):
                    yield folder.name + name

    def leftovers(self) -> list[Path]:
        """Temporary files. While the store is nobody's but ours, they are those of runs that were killed."""
        return sorted((self.root / "tmp").glob("*"))

    def remove(self, digest: str) -> None:
        """Delete a blob. Only `gc` does this, when told. Raises StoreError."""
        path = self.path(digest)
        try:
            if sys.platform == "win32":
                os.chmod(path, 0o644)
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise disk_error(error, path) from error

    def _temp(self, *, durable: bool) -> Temp:
        folder = self.root / "tmp"
        try:
            return Temp(folder, mode=0o444)
        except FileNotFoundError:
            make_folders(folder, durable=durable)
            return Temp(folder, mode=0o444)

    def _place(self, temp: Temp, digest: str, *, durable: bool) -> None:
        """Give the finished temporary file its name.

        Temp, fsync, rename: a kill before the rename leaves a file in `tmp/`, one after it the whole blob. Two processes with
        the same bytes both succeed: the second rename puts equal bytes over equal bytes.
        """
        path = self.path(digest)
        if durable:
            self._make_all()
        try:
            try:
                temp.become(path, durable=durable)
            except FileNotFoundError:
                make_folders(path.parent, durable=durable)
                temp.become(path, durable=durable)
        except PermissionError:
            if not self.intact(digest):  # Windows: a read-only file isn't replaced, but then the other process's blob is as good
                raise

    def _make_all(self) -> None:
        """The folders of all blobs, on disk: once a process, since one that a draft was put into has never been synced. A sync of its own for
        each of them would cost more than all of them at once.
        """
        if self._made:
            return
        make_folders(self.root, durable=True)
        for name in sorted({f"{number:02x}" for number in range(256)} - set(os.listdir(self.root))):
            with suppress(FileExistsError):
                os.mkdir(self.root / name)
        sync_folder(self.root)
        self._made = True

    def _settle(self, digest: str, *, durable: bool) -> None:
        """A blob that came as a draft (not synced) is going to be named by something durable: sync it now. Costs nothing if it
        is.
        """
        if not durable:
            return
        path = self.path(digest)
        try:
            self._make_all()
            fd = os.open(path, _READ)
            try:
                if sys.platform != "win32":
                    os.fsync(fd)
            finally:
                os.close(fd)
            sync_folder(path.parent)
        except OSError as error:
            raise disk_error(error, path) from error

    def _set_aside(self, digest: str) -> bool:
        """Move a damaged blob to `corrupt/`. True if it turned out to be good: another process had just repaired it."""
        path, folder = self.path(digest), self.root / "corrupt"
        aside = folder / f"{digest}-{os.urandom(4).hex()}"
        try:
            make_folders(folder, durable=False)
            os.replace(path, aside)
        except FileNotFoundError:
            return False
        except OSError:
            return False  # a read-only store: it stays, and isn't served
        # Look again: between hashing and moving another process may have put the right bytes there, and we would have moved
        # those.
        if sha256_file(aside)[0] != digest:
            return False
        os.replace(aside, path)
        return True
