"""Joins one store to another: the move of `.assetbuild/store` into the git dir after `git init`, and two projects' stores that
became one. Knows both stores, no spec.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from ..files import disk_error, make_folders, sync_folder
from ..oslock import locked
from . import Store, insert_takes, living, select_takes
from .cas import Cas
from .database import Database
from .journal import marks


def move_in(old: Path, new: Path) -> Path:
    """Move everything of the store `old` into the store `new` (made if missing) and give the one to be used now.

    That is `old` as long as another run has it open. Raises StoreError; then both are as they were, or the next call goes on.
    """
    with locked(old / "gate", wait=20.0, busy=f"the store `{old}` is being moved by another run"):
        if not (old / "store.db").exists():
            return new  # looked again: it was moved while we waited
        if living(old):
            return old
        source = Database(old, read_only=False)
        try:
            with Store.open(new) as store, source.reading() as rows:
                # Blobs, then rows, then the old record is removed. A kill before the last step leaves the old record, and all
                # of this is done again: blobs that moved are there, rows that are equal are the ones that are there.
                try:
                    _move_blobs(Cas(old / "cas"), store.cas)
                except OSError as error:
                    raise disk_error(error, new / "cas") from error
                _move_rows(rows, store)
        finally:
            source.close()
        try:
            for name in ("store.db", "store.db-wal", "store.db-shm"):
                (old / name).unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, old) from error
        shutil.rmtree(old, ignore_errors=True)  # what is left now are empty folders and temporary files
    return new


def _move_blobs(old: Cas, new: Cas) -> None:
    for digest in list(old.digests()):
        if new.has(digest) and new.intact(digest):
            continue
        make_folders(new.path(digest).parent, durable=True)
        try:
            os.replace(old.path(digest), new.path(digest))
        except OSError:  # another disk
            new.put_file(old.path(digest), durable=True)
    for damaged in (old.root / "corrupt").glob("*"):
        make_folders(new.root / "corrupt", durable=False)
        shutil.move(damaged, new.root / "corrupt" / damaged.name)
    for folder in {new.path(digest).parent for digest in new.digests()}:
        sync_folder(folder)


def _move_rows(old: sqlite3.Connection, store: Store) -> None:
    names = [row[1] for row in old.execute("PRAGMA table_info(jobs)") if row[1] != "id"]
    columns = ", ".join(names)
    at = {name: names.index(name) for name in ("key", "take", "attempt", "intent_at")}
    with store.transaction() as db:
        for take in select_takes(old, "1", []):  # also those whose blobs are lost: that they were paid for is worth knowing
            there = insert_takes(db, [take])[0]
            if take.rejected and not there.rejected:
                db.execute("UPDATE results SET rejected = ? WHERE key = ? AND take = ?", (take.rejected, there.key, there.take))
        for row in old.execute(f"SELECT {columns} FROM jobs ORDER BY id"):  # noqa: S608 - our own column names
            job = list(row)
            key, take, attempt, when = (row[at[name]] for name in ("key", "take", "attempt", "intent_at"))
            same = "SELECT 1 FROM jobs WHERE key = ? AND take = ? AND attempt = ? AND intent_at = ?"
            if db.execute(same, (key, take, attempt, when)).fetchone():
                continue
            last = db.execute("SELECT max(attempt) FROM jobs WHERE key = ? AND take = ?", (key, take)).fetchone()[0]
            job[at["attempt"]] = attempt if last is None else max(last + 1, attempt)
            db.execute(f"INSERT INTO jobs ({columns}) VALUES ({marks(job)})", job)  # noqa: S608 - our own column names
        for table in ("written", "trees"):
            for row in old.execute(f"SELECT * FROM {table}"):  # noqa: S608
                db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks(row)})", row)  # noqa: S608
