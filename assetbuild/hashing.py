"""Hashing: digests of files and listings of folders, and a stamp table written again once they were found the same.

Where the nothing-to-do path goes when a stat differs. Knows paths and the table, nothing of assets. Like `stamptable` it imports
next to nothing: after a checkout every file is hashed, and that should cost little more than the hashing.
"""

import _thread
import hashlib
import os
from stat import S_ISREG

from .stamptable import FIRST, STARTED_NS, WIDTH, Changed, check_sum, facts, read_block, read_head

TYPE_CHECKING = False
if TYPE_CHECKING:  # costs more than hashing a thousand pictures
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    Hashed = tuple[tuple[int, int, int, int], bytes]  # stat; flag and digest

UNSURE = "-1 0 0 0\n"
TICK_NS = 2_000_000_000  # coarsest clock of a file system (FAT): a younger file can change and keep its stat
POINTER_MOST = 1024  # bytes; a Git LFS pointer is smaller (git-lfs docs/spec.md)
_PIECE = 1 << 20  # bytes read at once
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a FIFO in a picture's place must not stop us


def line_of(stat: tuple[int, int, int, int], since_ns: int) -> str:
    """The `stats` line for a file hashed at `since_ns` or later; UNSURE if a later write could have left the same stat."""
    size, mtime, ctime, inode = stat
    sure_before = since_ns - TICK_NS
    return f"{size} {mtime} {ctime} {inode}\n" if mtime <= sure_before and ctime <= sure_before else UNSURE


def listing(folder: bytes) -> tuple[int, bytes]:
    """A folder's mtime in ns, and a sha256 in hex over its names and which of them are folders. Raises OSError."""
    mtime = os.stat(folder).st_mtime_ns
    with os.scandir(folder) as entries:
        names = sorted(entry.name + (b"/" if entry.is_dir() else b"") for entry in entries)
    return mtime, hashlib.sha256(b"\0".join(names), usedforsecurity=False).hexdigest().encode()


def pointer_in(text: bytes) -> tuple[bytes, int] | None:
    """The sha256 (hex) and size in bytes that a Git LFS pointer stands for; None when this is none (git-lfs docs/spec.md)."""
    if len(text) >= POINTER_MOST or not text.startswith(b"version https://git-lfs"):
        return None
    fields = dict(line.split(b" ", 1) for line in text.splitlines() if b" " in line)
    oid, size = fields.get(b"oid", b""), fields.get(b"size", b"")
    digits = oid[7:]
    if not oid.startswith(b"sha256:") or len(digits) != WIDTH - 1 or digits.strip(b"0123456789abcdef") or not size.isdigit():
        return None
    return digits, int(size)


def hash_file(path: bytes) -> "Hashed":
    """The stat and the 65 bytes (flag, digest) of a file, taken from one open file that didn't change meanwhile.

    Raises OSError when it can't be read; BlockingIOError when it is no regular file or doesn't hold still.
    """
    for _ in range(3):
        fd = os.open(path, _OPEN)
        try:
            before = os.fstat(fd)
            if not S_ISREG(before.st_mode):
                break
            first = piece = os.read(fd, min(before.st_size, _PIECE))
            total, length = hashlib.sha256(piece, usedforsecurity=False), len(piece)
            while piece and length < before.st_size:
                piece = os.read(fd, _PIECE)
                total.update(piece)
                length += len(piece)
            after = os.fstat(fd)
        finally:
            os.close(fd)
        if length == before.st_size and facts(before) == facts(after):
            pointer = pointer_in(first) if before.st_size < POINTER_MOST else None
            return facts(before), b"p" + pointer[0] if pointer else b" " + total.hexdigest().encode()
    raise BlockingIOError(0, "no regular file, or it doesn't hold still", os.fsdecode(path))


def hash_files(paths: "Sequence[bytes]") -> "Iterable[Hashed]":
    """`hash_file` of each, in order. Large files are hashed on two threads; small ones aren't worth handing over the GIL for."""
    first = paths[:16]
    if sum(os.stat(path).st_size for path in first) < 16 * 65536:
        return map(hash_file, paths)
    return hash_in_threads(paths)


def hash_in_threads(paths: "Sequence[bytes]", threads: int = 0) -> "Iterator[Hashed]":
    """`hash_file` of each, in order; `threads` at once (0: one a processor, up to 4). Raises the first OSError."""
    threads = threads or min(4, os.cpu_count() or 1)
    done: list[Hashed | OSError | None] = [None] * len(paths)

    def work(first: int, release: "Callable[[], None]") -> None:
        try:
            for i in range(first, len(paths), threads):
                try:
                    done[i] = hash_file(paths[i])
                except OSError as error:
                    done[i] = error
                    return
        finally:
            release()

    finished = [_thread.allocate_lock() for _ in range(threads)]
    for first, lock in enumerate(finished):
        lock.acquire()
        _thread.start_new_thread(work, (first, lock.release))
    for lock in finished:
        lock.acquire()
    for one in done:
        if not isinstance(one, tuple):
            raise one or MemoryError("a thread that hashes died")
        yield one


def same_bytes(
    paths: "Sequence[bytes]",
    now: bytes,
    stats: bytes,
    digests: bytes,
    *,
    cut: int,
    kept: dict[bytes, tuple[str, bytes]],
    but: bytes | None = None,
) -> bytes:
    """Hashes the files of a run whose line `now` isn't the one in `stats`; returns the `stats` block to believe from now on.

    What was hashed goes into `kept`, by its path without the first `cut` bytes. Raises Changed at the first other digest,
    except that of the file `but`, whose line stays as it is.
    """
    was, lines = stats.decode().splitlines(True), now.decode().splitlines(True)
    if not len(paths) == len(was) == len(digests) // WIDTH:
        raise ValueError("counts")
    differ = [i for i in range(len(paths)) if lines[i] != was[i]]
    for some in (differ[:8], differ[8:]):  # what changes most, spec and texts, comes first: learn it before hashing the rest
        for i, (stat, digest) in zip(some, hash_files([paths[i] for i in some]), strict=True):
            lines[i] = line_of(stat, STARTED_NS)
            kept[paths[i][cut:]] = lines[i], digest
            if digest != digests[WIDTH * i : WIDTH * (i + 1)]:
                if paths[i][cut:] == but:
                    lines[i] = was[i]
                    continue
                raise Changed(os.fsdecode(paths[i]))
    return "".join(lines).encode()


def heal(table: str, stats: "Mapping[int, bytes]", folders: "Mapping[int, int]") -> None:
    """Write a table again with other stats for some runs, and other mtimes for some folders, as nothing else has changed. Never
    raises OSError."""
    try:
        with open(table, "rb") as old:
            head = read_head(old)
            head["since"] = str(STARTED_NS)

            def put(file: "BinaryIO") -> None:
                put_block(file, b"absent", *read_block(old, b"absent"))
                count, body = read_block(old, b"folders")
                parts = body.split(b"\0")
                for i, mtime in folders.items():
                    parts[3 * i + 2] = b"%d" % mtime
                put_block(file, b"folders", count, b"\0".join(parts))
                for run in range(int(head["runs"])):
                    put_block(file, b"names", *read_block(old, b"names"))
                    count, lines = read_block(old, b"stats")
                    put_block(file, b"stats", count, stats.get(run, lines))
                    put_block(file, b"digests", *read_block(old, b"digests"))

            replace_table(table, head, put)
    except (OSError, ValueError):
        return  # the next run hashes again, which is slower and as right


def put_block(file: "BinaryIO", kind: bytes, count: int, body: bytes) -> None:
    """Write one block."""
    file.write(b"%s %d %d %d\n" % (kind, count, len(body), check_sum(body)))
    file.write(body)


def replace_table(table: str, head: "Mapping[str, str]", put: "Callable[[BinaryIO], None]") -> bool:
    """Write a whole table beside the old one and swap them. Survives a kill at any point: the old table stays, or the new one is
    whole."""
    folder = os.path.dirname(table)
    ignore, temp = os.path.join(folder, ".gitignore"), f"{table}.{os.getpid()}.tmp"
    body = "\0".join(f"{k}={v}".replace("\0", " ") for k, v in head.items()).encode("utf-8", "surrogateescape")
    try:
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="ascii") as file:
                file.write("*\n")
        with open(temp, "wb") as out:
            out.write(FIRST)
            put_block(out, b"head", len(head), body)
            put(out)
            put_block(out, b"end", 0, b"")
        os.replace(temp, table)
    except (OSError, ValueError):
        try:  # noqa: SIM105 - contextlib would be one more import
            os.unlink(temp)
        except OSError:
            pass
        return False
    return True
