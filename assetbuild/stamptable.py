"""The stamp table of a spec and the question asked of it: is everything still as the last build left it? Knows no spec, no store,
no asset.

This file is on the nothing-to-do path, so it costs imports nobody else pays for: only what Python has loaded already, or built
in. Writing a table and looking up single digests is `stamps`.

The table is blocks, each a line `kind count length sum` and then `length` bytes: one `head`, one `absent`, one `folders`, then
`names`, `stats`, `digests` for each run of 1,024 files, and an `end`. A `stats` line is `size mtime_ns ctime_ns inode`; a file
too young to be sure of has UNSURE instead, which no file agrees with, so it is hashed. `digests` has 65 bytes a file: a flag
(`p`: a Git LFS pointer whose oid it is) and the sha256 in hex. A table that is cut short or damaged raises ValueError here, and
means "look properly" to whoever asked.
"""

import os
import time
from _operator import attrgetter  # built in; `operator` itself is a file to load
from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:  # the real `typing` costs a third of the whole path
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

FIRST = b"assetbuild stamps 1\n"
SHARED_FROM = 4  # runs; below it a second process costs more than it saves
RUN = 1024  # files in one run: enough to be quick, few enough that memory doesn't grow with the spec
STARTED_NS = time.time_ns()
WIDTH = 65
_BLOCK_MOST = 1 << 28  # bytes; a damaged length must not ask for all the memory there is
_PRIME = 1073741789  # the largest below 2**30: one digit of Python's integers, so `%` is one quick pass and needs no zlib
_SECRET = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")

facts = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
hashed: dict[str, dict[bytes, tuple[str, bytes]]] = {}  # table → name → (stats line, digest) of what this process had to hash


def table_path(root: str, profile: str | None) -> str:
    """Where the table of a profile lies (None: no profile). Names that aren't plain are spelled out, so that no profile leads
    elsewhere."""
    if profile is None:
        return os.path.join(root, ".assetbuild", "stamps")
    plain = "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):x}" for c in profile)
    return os.path.join(root, ".assetbuild", "stamps-" + plain)


def header(*, tool: str, profile: str | None, spec: str, environ: "Mapping[str, str]") -> dict[str, str]:
    """What must be the same for a table to count: our version, the profile, the spec's path, and the ASSETBUILD_ variables but
    credentials."""
    own = sorted(f"{k}={v}" for k, v in environ.items() if k.startswith("ASSETBUILD_") and not k.endswith(_SECRET))
    return {"tool": tool, "profile": profile or "", "spec": spec, "environ": "\x1f".join(own)}


def closing_line(summary: str, seconds: float) -> str:
    """The one line that a build ends with: `12 up to date in 0.0 s`."""
    return f"{summary} in {seconds:.1f} s"


def check_sum(body: bytes) -> int:
    """A number below 2**30 that a torn or flipped block doesn't have."""
    return int.from_bytes(body, "little") % _PRIME


def _block_line(file: "BinaryIO", kind: bytes) -> tuple[int, int, int]:
    """Count, length and sum of the block that comes next. Raises ValueError when that isn't one of this kind."""
    line = file.readline(100)
    found, count, length, total = line.split()
    if found != kind or line[-1:] != b"\n" or not 0 <= int(length) <= _BLOCK_MOST:
        raise ValueError(kind)
    return int(count), int(length), int(total)


def read_block(file: "BinaryIO", kind: bytes) -> tuple[int, bytes]:
    """The next block, which has to be of this kind: its count and its bytes. Raises ValueError when it isn't whole."""
    count, length, total = _block_line(file, kind)
    body = file.read(length)
    if len(body) != length or check_sum(body) != total:
        raise ValueError(kind)
    return count, body


def skip_block(file: "BinaryIO", kind: bytes) -> None:
    """Step over the next block, which has to be of this kind."""
    file.seek(_block_line(file, kind)[1], 1)


def read_head(file: "BinaryIO") -> dict[str, str]:
    """The head of a table: what `header` gave, and summary, complete, since (ns), runs. Raises ValueError if it is none."""
    if file.readline(100) != FIRST:
        raise ValueError("first line")
    count, body = read_block(file, b"head")
    head = dict(entry.split("=", 1) for entry in body.decode("utf-8", "surrogateescape").split("\0"))
    if len(head) != count:
        raise ValueError("head")
    return head


def read_names(file: "BinaryIO", kind: bytes, above: bytes = b"") -> list[bytes]:
    """The next block as paths, each with `above` (b"" or a folder with its slash) before it."""
    count, body = read_block(file, kind)
    names = body.replace(b"\0", b"\0" + above).split(b"\0")[1:]
    if len(names) != count:
        raise ValueError(kind)
    return names


def stat_lines(paths: "Sequence[bytes]") -> bytes:
    """The `stats` block as the disk has it now. Raises OSError when a file is missing."""
    return (("%d %d %d %d\n" * len(paths)) % tuple(chain.from_iterable(map(facts, map(os.stat, paths))))).encode()


class Changed(Exception):
    """Something isn't as the last build left it, or the table is of another build. The argument says what."""


def unchanged(table: str, above: bytes, expected: "Mapping[str, str]", *, but: bytes | None = None) -> str:
    """The summary of the last build, if nothing it looked at has changed since. `above` leads from the working directory to the
    root.

    Files whose stat differs are hashed; if all of them are the same, the table is written again, so that the next run is quick.
    The file `but` may have changed (it may not be gone); then nothing is written.
    Raises Changed; OSError, ValueError and KeyError on any doubt: a missing or unreadable file, a damaged table.
    """
    with open(table, "rb") as file:
        head = read_head(file)
        if head["complete"] != "1" or any(head[k] != v for k, v in expected.items()):
            raise Changed("head")
        if int(head["since"]) > time.time_ns():  # the clock went back: stats can repeat themselves
            raise Changed("clock")
        absent = read_names(file, b"absent", above)
        if any(map(os.access, absent, [os.F_OK] * len(absent))):
            raise Changed("absent")
        listed = _listed(file, above)
        runs, first_run = int(head["runs"]), file.tell()
        kept = hashed.setdefault(os.path.abspath(table), {})
        if runs < SHARED_FROM or (helper := _start_helper(table, first_run, above, runs, but)) is None:
            healed = _compare(file, above, range(runs), runs, kept, but)
        else:
            try:
                healed = _compare(file, above, range(0, runs, 2), runs, kept, but)
                found = helper.wait()
            finally:
                helper.end()
            if found is None:  # it saw a change, or died: then we look at its half too
                file.seek(first_run)
                found = _compare(file, above, range(1, runs, 2), runs, kept, but)
            healed.update(found)
    if (healed or listed) and but is None:
        from .hashing import heal  # rare

        heal(table, healed, listed)
    return head["summary"]


def _compare(
    file: "BinaryIO", above: bytes, ours: range, runs: int, kept: dict[bytes, tuple[str, bytes]], but: bytes | None
) -> dict[int, bytes]:
    """Compares our share of the runs with the disk, from the first run to the end of the table.

    Returns the `stats` blocks of those that aren't as the table has them though the bytes are the same. Raises like `unchanged`.
    """
    healed = {}
    for run in range(runs):
        if run not in ours:
            for kind in (b"names", b"stats", b"digests"):
                skip_block(file, kind)
            continue
        paths = read_names(file, b"names", above)
        stats = read_block(file, b"stats")[1]
        now = stat_lines(paths)
        if now == stats:
            skip_block(file, b"digests")
            continue
        from .hashing import same_bytes  # rare

        lines = same_bytes(paths, now, stats, read_block(file, b"digests")[1], cut=len(above), kept=kept, but=but)
        if lines != stats:
            healed[run] = lines
    if read_block(file, b"end") != (0, b"") or file.read(1):
        raise ValueError("end")
    return healed


class _Helper:
    """A second process that compares every other run while we compare ours. Its word counts only if it found nothing changed."""

    def __init__(self, pid: int, pipe: int) -> None:
        """`pipe` gives its answer: `run length` and a healed block for each, then `done`."""
        self._pid, self._pipe = pid, pipe

    def wait(self) -> dict[int, bytes] | None:
        """What its half healed; None when it didn't get to its end."""
        with open(self._pipe, "rb", closefd=False) as file:
            healed = {}
            while (line := file.readline()) != b"done\n":
                if not line.endswith(b"\n"):
                    return None
                run, length = line.split()
                healed[int(run)] = file.read(int(length))
        return healed

    def end(self) -> None:
        """Whatever it is doing, it is over."""
        os.close(self._pipe)
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)


def _start_helper(table: str, first_run: int, above: bytes, runs: int, but: bytes | None) -> _Helper | None:
    """Forks the helper; None where there is no second processor, or no fork. We have one thread, no lock and nothing unwritten
    here."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) == 1:
        return None
    inode = os.stat(table).st_ino
    pipe, answer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(pipe)
        os.close(answer)
        return None
    if pid:
        os.close(answer)
        return _Helper(pid, pipe)
    try:
        with open(table, "rb") as file:  # a file of its own: the other one's place would be shared
            file.seek(first_run)
            if os.fstat(file.fileno()).st_ino == inode:
                healed = _compare(file, above, range(1, runs, 2), runs, {}, but)
                with open(answer, "wb") as out:
                    for run, block in healed.items():
                        out.write(b"%d %d\n%s" % (run, len(block), block))
                    out.write(b"done\n")
    finally:
        os._exit(0)  # also past every exception: only `done` says that all is well


def _listed(file: "BinaryIO", above: bytes) -> dict[int, int]:
    """Which folders had to be listed and can be believed by their mtime from now on (place in the table → ns). Raises Changed."""
    count, body = read_block(file, b"folders")
    entries = body.split(b"\0")[1:]
    if len(entries) != 3 * count:
        raise ValueError("folders")
    listed = {}
    for i in range(count):
        name, mtime, names = entries[3 * i : 3 * i + 3]
        if b"%d" % os.stat(above + name).st_mtime_ns != mtime:
            from .hashing import TICK_NS, listing  # rare

            found, now = listing(above + name)
            if now != names:
                raise Changed(os.fsdecode(above + name))
            if found <= STARTED_NS - TICK_NS:
                listed[i] = found
    return listed
