"""Which projects live from a store: rows of `trees`, so that `gc` reads their lockfiles. Knows folders and rows; of a lockfile only that it
names digests.

A path says little: a project may move away and another take its place. So a row also has the folder itself (device and inode, which a move on
one disk keeps) and some of the digests that its lockfiles named, by which a fresh clone at the old path is known for the same project.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

MOVED = " (moved away, "  # in the row of a project whose path another one has now
_MARKS = 16  # digests of a lockfile that are remembered
_LOOK = 1 << 16  # bytes of it that are looked through for them
_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class Tree(NamedTuple):
    """A project: its lockfiles, relative to its root. `folder` is "device:inode", "" if unknown; `marks` are digests that it named."""

    locks: tuple[str, ...]
    folder: str = ""
    marks: tuple[str, ...] = ()


def trees(db: sqlite3.Connection) -> dict[str, Tree]:
    """Project root → what is known of it."""
    return {path: _read(text) for path, text in db.execute("SELECT path, locks FROM trees ORDER BY path")}


def known(db: sqlite3.Connection, path: str, locks: Iterable[str]) -> bool:
    """Whether this very project is registered with these lockfiles."""
    row = db.execute("SELECT locks FROM trees WHERE path = ?", (path,)).fetchone()
    tree = _read(row[0]) if row is not None else None
    return tree is not None and set(locks) <= set(tree.locks) and tree.folder == folder_of(path)


def register(db: sqlite3.Connection, path: str, locks: Iterable[str]) -> None:
    """Writes the row of the project at `path`, inside a transaction of the caller's. Locks add up.

    A row of another project with this path stays, under a name that no path has; a row of this one with a path where it isn't any
    more goes.
    """
    here, all_trees = folder_of(path), trees(db)
    old = all_trees.pop(path, None)
    wanted = sorted({*locks, *(old.locks if old is not None else ())})
    if old is not None and old.folder and here and old.folder != here and _another(db, path, old, wanted):
        away = f"{path}{MOVED}{old.folder})"
        db.execute("UPDATE OR REPLACE trees SET path = ? WHERE path = ?", (away, path))
        db.execute("UPDATE OR REPLACE written SET tree = ? WHERE tree = ?", (away, path))
        wanted = sorted(set(locks))
    for other, tree in all_trees.items():
        gone = bool(here) and tree.folder == here and folder_of(other) != here
        if gone and not _another(db, other, tree, tree.locks, at=path):  # it was moved here
            wanted = sorted({*wanted, *tree.locks})
            db.execute("UPDATE OR IGNORE written SET tree = ? WHERE tree = ?", (path, other))
            db.execute("DELETE FROM written WHERE tree = ?", (other,))
            db.execute("DELETE FROM trees WHERE path = ?", (other,))
    marks = sorted(_named(path, wanted, most=_LOOK))[:_MARKS] or (list(old.marks) if old is not None else [])
    text = json.dumps({"locks": wanted, "folder": here, "marks": marks})
    db.execute("INSERT OR REPLACE INTO trees VALUES (?, ?)", (path, text))


def folder_of(path: str) -> str:
    """A folder by what stays when it is moved on its disk; "" if there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{found.st_dev}:{found.st_ino}"


def _another(db: sqlite3.Connection, path: str, old: Tree, locks: Sequence[str], at: str = "") -> bool:
    """Whether nothing there (or `at` another path) is what the row of `path` knows: neither a digest that its lockfiles named, nor one that
    we put there. The number of a folder that is gone is soon another one's.
    """
    marks = {row[0] for row in db.execute("SELECT digest FROM written WHERE tree = ?", (path,))} | set(old.marks)
    return bool(marks) and marks.isdisjoint(_named(at or path, locks))


def _named(path: str, locks: Iterable[str], *, most: int = -1) -> set[str]:
    found: set[str] = set()
    for lock in locks:
        try:
            with open(Path(path, lock), "rb") as file:
                found.update(each.decode() for each in _DIGEST.findall(file.read(most)))
        except OSError:
            continue
    return found


def _read(text: str) -> Tree:
    fields = json.loads(text)
    if isinstance(fields, list):  # as it was written before folders were known
        return Tree(tuple(fields))
    return Tree(tuple(fields["locks"]), fields["folder"], tuple(fields["marks"]))
