"""The right of one process to make one action key now. Knows the store's claim rows and presence files; knows no asset and no
job.

A claim row names the locked file of the process that holds it. The operating system frees that lock when the process dies,
however it dies, so a row whose file can be locked is dead and anyone may take it over. Nothing waits here: who meets a busy
claim looks again later.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ..oslock import alive
from . import Store
from .journal import chunks, marks


class Claims:
    """This process's claims in one store. After a fork the child has none; it makes a file of its own with its first claim."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, key: str) -> bool:
        """Take the right to make `key`. False if anyone has it, this process included. Raises StoreError."""
        return key in self.claim_all([key])

    def claim_all(self, keys: Iterable[str]) -> set[str]:
        """Claim many at once; gives those that are ours now and weren't before."""
        mine, got, dead = self._store.presence(), set(), set()
        # Look and take in one transaction: of many processes that find a dead claim, one takes it over. Not synced: after a
        # power cut every process is dead and so is every claim.
        with self._store.transaction(durable=False) as db:
            for some in chunks(dict.fromkeys(keys)):
                held = _rows(db, some)
                for key in some:
                    file = held.get(key)
                    if file == mine.name:
                        continue
                    if file is not None and file not in dead:
                        if alive(mine.path.with_name(file)):
                            continue
                        dead.add(file)
                    got.add(key)
            db.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?)", [(key, mine.name) for key in got])
        return got

    def release(self, *keys: str) -> None:
        """Give claims up; those that aren't ours stay as they are."""
        mine = self._store.presence().name
        with self._store.transaction(durable=False) as db:
            for some in chunks(keys):
                db.execute(f"DELETE FROM claims WHERE file = ? AND key IN ({marks(some)})", (mine, *some))  # noqa: S608

    def holder(self, key: str) -> int | None:
        """The process id that makes `key` now, None if nobody does."""
        with self._store.reading() as db:
            file = _rows(db, [key]).get(key)
        mine = self._store.presence()
        if file is None or (file != mine.name and not alive(mine.path.with_name(file))):
            return None
        return int(file.split("-")[0])

    def close(self) -> None:
        """Give all claims up."""
        mine = self._store.presence().name
        with self._store.transaction(durable=False) as db:
            db.execute("DELETE FROM claims WHERE file = ?", (mine,))


def _rows(db: sqlite3.Connection, keys: list[str]) -> dict[str, str]:
    return dict(db.execute(f"SELECT key, file FROM claims WHERE key IN ({marks(keys)})", keys).fetchall())  # noqa: S608
