"""The outline of a spec that was up to date: its text as it was, and of each block the assets, outputs and bases. A file in
`.assetbuild/` beside the stamp table, which names its digest, so that the two belong together or don't count.

Knows the file and its form; what is put into it and what follows from it is for `outlining` and `partial`. It may vanish or be
damaged at any time: then plans are made by looking at everything.

The file: a first line, a line of JSON (`Head`), a line of JSON for each block (`Block`; those of assets, then those of overrides), and
the text of the spec as it was.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .blocks import Section
from .errors import StoreError
from .files import atomic_write

FIRST = b"assetbuild outline 1\n"
DIGEST = "outline"  # the entry of the stamp table's head that holds the digest of the file
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Entry(NamedTuple):
    """One asset of a block. `place` is its place in building order, `bases` are the ids that it is made from, in their order; `row` is that
    of its decision ("4", or "9": not here, not needed); `locked`: it has a line in the lockfile."""

    id: str
    place: int
    outputs: tuple[str, ...]
    bases: tuple[str, ...]
    row: str
    locked: bool


class Block(NamedTuple):
    """One block under `assets:`; the last one may stand for all included files, and has no text. Offsets are in bytes of the text.

    `bases` and `users` are the numbers of other blocks, direct neighbours.
    """

    start: int
    end: int
    entries: tuple[Entry, ...]
    bases: tuple[int, ...]
    users: tuple[int, ...]


class Override(NamedTuple):
    """One block under `overrides:`, and the number of the block whose asset it is for."""

    start: int
    end: int
    block: int


class Head(NamedTuple):
    """What concerns the whole spec. `text` is its length in bytes, `own` the number of blocks in it, `included` whether there is one more for
    the assets of other files; `unsettled` are the numbers of the blocks that have an asset which isn't here and not needed.
    """

    text: int
    own: int
    included: bool
    total: int  # assets
    assets: Section
    overrides: Section | None
    unsettled: tuple[int, ...]
    files: tuple[str, ...]
    pictures: tuple[str, ...]
    globs: tuple[str, ...]
    tree: str
    lock: str


class Outline:
    """An outline as it was read. Blocks are decoded when they are asked for."""

    def __init__(self, head: Head, blocks: list[bytes], overrides: list[bytes], text: bytes) -> None:
        self.head, self.text = head, text
        self._blocks, self._own, self._overrides = blocks, blocks[: head.own], overrides
        self._known: dict[int, Block] = {}

    def block(self, number: int) -> Block:
        """One block under `assets:`."""
        found = self._known.get(number)
        if found is None:
            start, end, entries, bases, users = json.loads(self._blocks[number])
            each = tuple(Entry(i, p, tuple(o), tuple(b), r, bool(k)) for i, p, o, b, r, k in entries)
            found = self._known[number] = Block(start, end, each, tuple(bases), tuple(users))
        return found

    def overrides(self) -> list[Override]:
        """All blocks under `overrides:`."""
        return [Override(*json.loads(line)) for line in self._overrides]

    def number_at(self, section: Section, offset: int) -> int:
        """The number, within its section, of the block that holds a byte of the text; the last one's for what follows it."""
        return bisect.bisect_right(self._lines(section), offset, key=_start) - 1

    def bounds(self, section: Section, first: int, last: int) -> list[int]:
        """Where each of the blocks `first` to `last` of a section starts, and where the last of them ends."""
        lines = self._lines(section)
        after = [] if last + 1 < len(lines) else [section.end]
        return [*map(_start, lines[first : last + 2]), *after]

    def _lines(self, section: Section) -> list[bytes]:
        return self._own if section is self.head.assets else self._overrides


def _start(line: bytes) -> int:
    return int(line[1 : line.index(b",")])


def path_beside(table: str) -> str:
    """Where the outline lies that belongs to a stamp table."""
    folder, name = os.path.split(table)
    return os.path.join(folder, "outline" + name.removeprefix("stamps"))


def write(table: str, head: Head, blocks: Sequence[Block], overrides: Sequence[Override], text: bytes) -> str | None:
    """Writes the outline that belongs to a stamp table; gives its digest for the table's head, None when the disk doesn't let us.

    Written before the table: a kill in between leaves a table that names another digest, so the outline doesn't count.
    """
    content = put_together(head, blocks, overrides, text)
    try:
        atomic_write(Path(path_beside(table)), content, durable=False)
    except (StoreError, OSError):
        return None
    return hashlib.sha256(content, usedforsecurity=False).hexdigest()


def put_together(head: Head, blocks: Sequence[Block], overrides: Sequence[Override], text: bytes) -> bytes:
    """The file's content."""
    lines = [_encode(head), *map(_encode, blocks), *map(_encode, overrides), ""]
    return b"".join((FIRST, "\n".join(lines).encode(), text))


def forget(table: str) -> None:
    """There is no outline for this table any more."""
    try:
        os.unlink(path_beside(table))
    except OSError:
        return  # the new table doesn't name it


def read(table: str) -> tuple[str, bytes]:
    """Digest and bytes of the outline that belongs to a stamp table. Raises OSError."""
    with open(path_beside(table), "rb") as file:
        content = file.read()
    return hashlib.sha256(content, usedforsecurity=False).hexdigest(), content


def understood(content: bytes) -> Outline:
    """The outline in these bytes, whose digest the stamp table has. Raises ValueError, TypeError when it is of another form."""
    if not content.startswith(FIRST):
        raise ValueError("first line")
    end = content.index(b"\n", len(FIRST))
    raw = json.loads(content[len(FIRST) : end])
    assets, overrides = raw[4:6]
    parts: list[Any] = [tuple(each) if isinstance(each, list) else each for each in raw]
    parts[4:6] = Section(*assets), None if overrides is None else Section(*overrides)
    head = Head(*parts)
    begin = len(content) - head.text
    lines = content[end + 1 : begin].split(b"\n")[:-1]
    count = head.own + head.included
    return Outline(head, lines[:count], lines[count:], content[begin:])
