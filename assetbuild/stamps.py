"""Stamps: which bytes a file had when it last had this stat. Writes the table that the nothing-to-do path reads, and answers for
single files.

Knows no spec and no lockfile, only paths and digests. The table's format is `stamptable`'s, the rule for files too
young to be sure of `hashing`'s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import BinaryIO, NamedTuple

from . import stamptable, swap
from .hashing import POINTER_MOST, TICK_NS, UNSURE, hash_file, hash_files, line_of, listing, pointer_in, put_block, replace_table
from .stamptable import RUN, WIDTH, facts
from .swap import Seen

Hashed = tuple[tuple[int, int, int, int], bytes]


class Found(NamedTuple):
    """A file as it is now. `digest` is the sha256 of its bytes in hex, `size` is in bytes.

    For a Git LFS pointer both are those of the picture that it stands for (its oid and size), and `pointer` is True.
    """

    digest: str
    size: int
    pointer: bool


class FileDigests:
    """Digests of files below one root, hashed only where their stat is not the one of the last table (or of this object's own
    last look).

    Every answer is as of the moment it is asked, by the rules of the stamp table: a file changed in the last 2 s is hashed each
    time. The table is read at the first question; a missing or damaged one means that everything is hashed. Safe to use from
    several threads.
    """

    def __init__(self, root: str, table_path: str | None) -> None:
        """`root` "" is the working directory; without a table everything is hashed at the first look."""
        self._above = os.path.join(os.fsencode(root), b"") if root else b""
        self._table = table_path
        self._known: dict[bytes, tuple[str, bytes]] | None = None  # name → (stats line, flag and digest)
        self._primed: dict[bytes, Hashed] = {}  # answers of `prime` that nobody has fetched yet
        self._placed: dict[bytes, Hashed] = {}  # what this process put there

    def look(self, path: str) -> Found | None:
        """What lies at `path` (relative to the root) now; None when there is no file. Raises OSError when it is there but can't
        be read."""
        name = os.fsencode(path)
        try:
            stat = facts(os.stat(self._above + name))
            digest = self._digest(name, stat)
            if digest is None:
                primed = self._primed.pop(name, None)
                placed = self._placed.get(name)
                if primed is not None and primed[0] == stat:
                    digest = primed[1]
                elif placed is not None and placed[0] == stat:
                    digest = placed[1]
                else:
                    stat, digest = self._hash(name)
            if digest[:1] == b"p":
                return self._pointer(name, digest)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except BlockingIOError:  # a FIFO, a device, a folder
            if os.path.isfile(self._above + name):
                raise
            return None
        return Found(digest[1:].decode(), stat[0], False)

    def placed(self, path: str, digest: str, written: Seen) -> None:
        """We have just put a file with this digest there, which was `written` before it got the name: this object needn't read it while its stat stays what
        it is, unless somebody was there in between. The table of stamps goes by its own rules: a file of this age is hashed by the next run.
        """
        name = os.fsencode(path)
        try:
            there = os.lstat(self._above + name)
        except OSError:
            return
        if there.st_size >= POINTER_MOST and swap.of(there) == written:
            self._placed[name] = facts(there), b" " + digest.encode()

    def listed(self, path: str) -> bool:
        """Whether the last table has this file, or this process has hashed it since."""
        if self._known is None:
            self._known = _load(self._table)
        return os.fsencode(path) in self._known

    def prime(self, paths: Iterable[str]) -> None:
        """Hash those whose digest isn't known, many at a time; the next `look` at each is then quick. Files that aren't there are
        passed over."""
        names = []
        for name in map(os.fsencode, paths):
            try:
                if self._digest(name, facts(os.stat(self._above + name))) is None and os.path.isfile(self._above + name):
                    names.append(name)
            except OSError:
                continue
        began = time.time_ns()
        try:
            for name, hashed in zip(names, hash_files([self._above + name for name in names]), strict=False):
                self._keep(name, hashed, began)
                self._primed[name] = hashed
        except OSError:
            return  # `look` meets it again, and says of which file

    def _digest(self, name: bytes, stat: tuple[int, int, int, int]) -> bytes | None:
        if self._known is None:
            self._known = _load(self._table)
        known = self._known.get(name)
        return known[1] if known is not None and known[0] == ("%d %d %d %d\n" % stat) else None  # noqa: UP031 - as the table has it

    def _hash(self, name: bytes) -> Hashed:
        began = time.time_ns()
        hashed = hash_file(self._above + name)
        self._keep(name, hashed, began)
        return hashed

    def _keep(self, name: bytes, hashed: Hashed, began_ns: int) -> None:
        if self._known is not None:
            self._known[name] = line_of(hashed[0], began_ns), hashed[1]

    def _pointer(self, name: bytes, digest: bytes) -> Found | None:
        with open(self._above + name, "rb") as file:
            pointer = pointer_in(file.read(POINTER_MOST))
        if pointer is None:  # it was filled in between our two looks
            if self._known:
                self._known.pop(name, None)
            return self.look(os.fsdecode(name))
        return Found(pointer[0].decode(), pointer[1], True)


def _load(table: str | None) -> dict[bytes, tuple[str, bytes]]:
    """Name → (stats line, digest) of a table, and of what this process hashed while it asked whether there is something to do."""
    known: dict[bytes, tuple[str, bytes]] = {}
    if table is None:
        return known
    try:
        with open(table, "rb") as file:
            runs = int(stamptable.read_head(file)["runs"])
            stamptable.skip_block(file, b"absent")
            stamptable.skip_block(file, b"folders")
            for _ in range(runs):
                names = stamptable.read_names(file, b"names")
                lines = stamptable.read_block(file, b"stats")[1].decode().splitlines(True)
                digests = stamptable.read_block(file, b"digests")[1]
                each = [digests[i : i + WIDTH] for i in range(0, len(digests), WIDTH)]
                known.update(zip(names, zip(lines, each, strict=True), strict=True))
    except (OSError, ValueError, KeyError):
        known.clear()
    known.update(stamptable.hashed.get(os.path.abspath(table), {}))
    return known


def write(
    table_path: str,
    root: str,
    *,
    header: Mapping[str, str],
    files: Iterable[str | tuple[str, str]],
    absent: Iterable[str] = (),
    folders: Iterable[str] = (),
    complete: bool,
    since_ns: int = stamptable.STARTED_NS,
) -> bool:
    """Write the table of a whole spec; paths are relative to `root`. Returns False, and raises nothing, when the disk doesn't let
    us.

    `header` is what `stamptable.header` gives, and `summary`: the closing line without its time ("12 up to date").
    `files`: what changes most first (spec, texts), outputs last; a path, or a path with the sha256 (hex) that the build went by.
    Give the digest where it is known: a file without one that was touched since `since_ns` may differ from what the build read,
    so the table is not complete.
    `absent`: paths that must stay absent. `folders`: those whose listing matters (one that isn't there must stay absent).
    `complete`: every asset is up to date and no job is open. `since_ns`: when the build began to look (epoch; default: when this
    process did).
    """
    above = os.path.join(os.fsencode(root), b"") if root else b""
    runs: list[tuple[list[bytes], bytes, bytes]] = []
    entries = iter(files)
    while some := list(islice(entries, RUN)):
        names, lines, digests, as_built = _run(some, above, since_ns)
        complete = complete and as_built
        runs.append((names, "".join(lines).encode(), b"".join(digests)))
    gone, listed = [os.fsencode(path) for path in absent], []
    for folder in dict.fromkeys(map(os.fsencode, folders)):
        try:
            mtime, names_digest = listing(above + folder)
        except FileNotFoundError:
            gone.append(folder)
            continue
        except OSError:
            complete = False
            continue
        if mtime > since_ns - TICK_NS:  # the build may have seen another listing
            complete, mtime = False, -1
        listed += [folder, b"%d" % mtime, names_digest]
    head = {**header, "complete": str(int(complete)), "since": str(since_ns), "runs": str(len(runs))}

    def put(file: BinaryIO) -> None:
        put_block(file, b"absent", len(gone), b"".join(b"\0" + name for name in gone))
        put_block(file, b"folders", len(listed) // 3, b"".join(b"\0" + part for part in listed))
        for names, stats, digests in runs:
            put_block(file, b"names", len(names), b"".join(b"\0" + name for name in names))
            put_block(file, b"stats", len(names), stats)
            put_block(file, b"digests", len(names), digests)

    return replace_table(table_path, head, put)


def _run(some: list[str | tuple[str, str]], above: bytes, since_ns: int) -> tuple[list[bytes], list[str], list[bytes], bool]:
    """Names, stats lines and digests of up to RUN files, and whether they can be what the build went by. Missing ones are left
    out."""
    names, lines, digests, as_built = [], [], [], True
    for entry in some:
        path, digest = (entry, None) if isinstance(entry, str) else entry
        name = os.fsencode(path)
        try:
            stat = facts(os.stat(above + name))
            if digest is None or stat[0] < POINTER_MOST:  # a small one may be a Git LFS pointer: only its bytes tell
                stat, flagged = hash_file(above + name)
                known_early = line_of(stat, since_ns) is not UNSURE
                as_built = as_built and (known_early if digest is None else flagged[1:] == digest.encode())
            else:
                flagged = b" " + digest.encode()
        except OSError:
            as_built = False
            continue
        names.append(name)
        lines.append(line_of(stat, since_ns))
        digests.append(flagged)
    return names, lines, digests, as_built
