"""Sets a damaged `store.db` aside and keeps the rows of it that can still be read. Done only when a person says so; deletes
nothing.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from ..files import atomic_copy
from ..oslock import locked
from . import living
from .database import make_database
from .journal import marks

TABLES = ("jobs", "results", "result_blobs", "written", "trees")  # claims die with their processes


class Salvage(NamedTuple):
    """Where the damaged file is now, and how many rows of each table could be read."""

    aside: Path
    rows: dict[str, int]


def set_aside(root: Path) -> Salvage:
    """Replace `store.db` by a new one with all rows that can be read; the damaged file stays beside it under another name.

    Raises StoreError: another run uses the store, or the disk refuses; then the damaged file is where it was.
    """
    database = root / "store.db"
    with locked(root / "gate", wait=20.0, busy=f"the store `{root}` is being cleaned or moved by another run"):
        if pids := living(root):
            raise StoreError(
                f"the store `{root}` is in use by process {', '.join(map(str, pids))}", hint="end that run, then try again"
            )
        number = 1
        while (aside := root / f"store.db.damaged-{number}").exists():
            number += 1
        # The copy is complete before the name is taken over: a kill leaves the damaged file in place, and perhaps a copy too
        # many.
        work = root / f"work-{os.urandom(4).hex()}.db"
        try:
            for end in ("-wal", ""):  # sqlite's log holds the newest commits and belongs to the file of its name
                if (root / f"store.db{end}").exists():
                    atomic_copy(root / f"store.db{end}", Path(f"{aside}{end}"), durable=True)
                    atomic_copy(root / f"store.db{end}", Path(f"{work}{end}"), durable=False)
            rows: dict[str, int] = {}
            make_database(root, lambda new: rows.update(_rescue(work, new)))
        except FileNotFoundError as error:
            raise StoreError(f"there is no `{database}`", hint="the next build makes a new store") from error
        finally:
            for left in root.glob(work.name + "*"):
                left.unlink(missing_ok=True)
    return Salvage(aside, rows)


def _rescue(damaged: Path, new: sqlite3.Connection) -> dict[str, int]:
    rows = dict.fromkeys(TABLES, 0)
    for table in TABLES:
        columns = _columns(damaged, new, table)
        keys = [row[1] for row in sorted(new.execute(f"PRAGMA table_info({table})"), key=lambda row: int(row[5])) if row[5]]
        # From both ends towards the damage. Each way needs a connection that hasn't met it yet.
        for way in ("ASC", "DESC"):
            order = ", ".join(f"{key} {way}" for key in keys)
            old = None
            try:
                old = sqlite3.connect(damaged, isolation_level=None)
                for row in old.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"):  # noqa: S608 - our own names
                    new.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks(row)})", row)  # noqa: S608
            except sqlite3.DatabaseError:
                pass  # this is as far as it can be read
            finally:
                if old is not None:
                    old.close()
        rows[table] = new.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    return rows


def _columns(damaged: Path, new: sqlite3.Connection, table: str) -> list[str]:
    """The columns that both have: an older version's table has fewer. All of the new one's where the damage is such that nobody can say."""
    columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
    old = sqlite3.connect(damaged, isolation_level=None)
    try:
        there = {row[1] for row in old.execute(f"PRAGMA table_info({table})")}
    except sqlite3.DatabaseError:
        there = set()
    finally:
        old.close()
    return [name for name in columns if name in there] or columns
