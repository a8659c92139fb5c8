"""The store: what was paid for, and who may make what now. Owns the rows of `store.db` and the blobs beside it; knows keys and
digests, no spec and no asset.

Results are never replaced and nothing is deleted unasked (invariant 7, `gc.py`). A commit that names something paid for is
synced.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ..files import PRIVATE, atomic_write, disk_error, git_dirs, make_folders
from ..oslock import Presence, alive, locked
from . import trees
from .cas import Cas
from .database import Database, make_database
from .journal import chunks, marks, values_of

README = b"""This folder is assetbuild's store: the pictures that were made or bought for the projects
that use it, and the record of what was paid.

Deleting it means paying again for every picture that isn't committed somewhere, and losing
track of jobs that are still running.

cas/       the pictures, each under the sha256 of its bytes
store.db   which action gave which picture, what it cost, what is still owed (sqlite)

`assetbuild cache stats` says what is in here. `assetbuild cache gc` lists what nothing needs
any more, and what it cost, before anything is deleted.
"""


class Blob(NamedTuple):
    """One picture of a result. `member` is "" unless it is a set. `size` in bytes; `media` like "image/png"."""

    member: str
    digest: str
    size: int
    media: str


class Take(NamedTuple):
    """One result of an action. `made_by` is "provider/model"; `host` is None for the vendor's own; `cost` in micro-USD, None if
    unknown.

    `made_at` in seconds since the epoch; `rejected` is the note of who rejected it; `by_hand`: a person's file, accepted for
    this key.
    """

    key: str
    take: int
    key_version: int
    blobs: tuple[Blob, ...]
    made_by: str
    host: str | None
    cost: int | None
    made_at: float
    notes: dict[str, Any]
    rejected: str | None = None
    by_hand: bool = False


class Written(NamedTuple):
    """What we last put at a path. `tree` is the project root, absolute; `path` is relative to it with `/`."""

    tree: str
    path: str
    digest: str
    key: str | None


class Stats(NamedTuple):
    """What a store holds. `size` in bytes; `cost` in micro-USD, of results whose cost is known."""

    blobs: int
    size: int
    results: int
    cost: int
    open_jobs: int
    trees: int
    damaged: int


class Report(NamedTuple):
    """What `verify` found. `corrupt` were set aside now; `missing` are named by results and aren't there; `database` are
    sqlite's complaints.
    """

    blobs: int
    size: int
    corrupt: tuple[str, ...]
    missing: tuple[str, ...]
    database: tuple[str, ...]


def store_root(project: Path, *, spec_store: str | None, environ: Mapping[str, str]) -> Path:
    """Where the store of a project is: ASSETBUILD_STORE, else `store:` of the spec, else in the git dir, else
    `.assetbuild/store`.

    Relative paths count from the project, `~` is the home folder. After `git init`, `.assetbuild/store` is moved into the git
    dir (nothing is lost if that is cut off: the next run goes on); while another run uses the old one, it stays where it is.
    Raises StoreError.
    """
    if named := environ.get("ASSETBUILD_STORE") or spec_store:
        return Path(os.path.abspath(project / Path(named).expanduser()))
    old = project.absolute() / PRIVATE / "store"
    git = git_dirs(project)
    if git is None:
        return old
    new = git[1] / "assetbuild" / "v1"
    if (old / "store.db").exists():
        from .moving import move_in  # once in a project's life

        return move_in(old, new)
    return new


class Store:
    """An open store. Usable from several threads; a forked child gets connections of its own. Use `Store.open`.

    `network` is the type of the disk if other machines share it (then nothing may be bought), `read_only` means that nothing
    can be recorded.
    """

    def __init__(self, database: Database) -> None:
        self.root, self.database = database.root, database
        self.network, self.read_only = database.network, database.read_only
        self.cas = Cas(self.root / "cas")
        self.reading, self.transaction = database.reading, database.transaction
        self._presences: dict[int, Presence] = {}  # by process
        self._mutex = threading.Lock()

    @classmethod
    def open(cls, root: Path, *, create: bool = True) -> Store:
        """Open a store, making it if need be. With `create=False` a missing one is an empty store that can't be written.

        Raises StoreError: another program's or a newer version's database, a damaged one, a disk that refuses. Nothing is
        changed then.
        """
        there = (root / "store.db").exists()
        if not there and not create:
            return cls(Database(root, read_only=True, empty=True))
        store = cls(Database(root, read_only=there and not os.access(root, os.W_OK)))
        if store.read_only:
            store.database.db()
            return store
        try:
            make_folders(root / "claims", durable=True)
        except OSError as error:
            raise disk_error(error, root) from error
        # Look, take the gate, look again: of many first runs one makes the database.
        with store.gate():
            if not (root / "store.db").exists():
                atomic_write(root / "README", README, durable=False)
                make_database(root)
            for file in (root / "claims").iterdir():
                if not alive(file):
                    file.unlink(missing_ok=True)
            store._presences[os.getpid()] = Presence(root / "claims")
        try:
            store.database.db()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the database and give up all claims."""
        if presence := self._presences.pop(os.getpid(), None):
            presence.close()
        self.database.close()

    def __enter__(self) -> Store:
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Held while a process joins the store, and through anything during which none may join (gc, moving). Raises StoreError
        after 20 s.
        """
        with locked(self.root / "gate", wait=20.0, busy=f"the store `{self.root}` is being cleaned or moved by another run"):
            yield

    def presence(self) -> Presence:
        """This process's locked file in `claims/`."""
        with self._mutex:
            mine = self._presences.get(os.getpid())
            if mine is None:  # a forked child
                with self.gate():
                    mine = self._presences[os.getpid()] = Presence(self.root / "claims")
            return mine

    def others(self) -> list[int]:
        """The process ids of the other runs that have this store open."""
        return living(self.root, but=self.presence().name)

    # ── results ──

    def takes(self, key: str) -> list[Take]:
        """All results of an action key, by take number. Their blobs may be lost or damaged: ask `cas.intact` before serving
        one.
        """
        return self.takes_many([key]).get(key, [])

    def takes_many(self, keys: Iterable[str]) -> dict[str, list[Take]]:
        """`takes` for many keys; a key without results is left out."""
        found: dict[str, list[Take]] = {}
        with self.reading() as db:
            for some in chunks(dict.fromkeys(keys)):
                for take in select_takes(db, f"key IN ({marks(some)})", some):
                    found.setdefault(take.key, []).append(take)
        return found

    def by_digest(self, digest: str) -> list[Take]:
        """The results that contain these bytes, oldest first."""
        with self.reading() as db:
            where = "(key, take) IN (SELECT key, take FROM result_blobs WHERE digest = ?)"
            return sorted(select_takes(db, where, [digest]), key=lambda take: take.made_at)

    def record(self, takes: Sequence[Take], written: Sequence[Written] = (), *, durable: bool = True) -> list[Take]:
        """Add results, and what is about to be put where, in one transaction; gives the takes as they are recorded now.

        A result is never replaced. The same (key, take) with the same blobs is the one that is there; with other blobs it gets
        the next free take number (or is the take that has these blobs already). Raises ValueError when a blob isn't in the CAS,
        StoreError when the disk refuses.
        """
        with self.transaction(durable=durable) as db:
            return self.record_in(db, takes, written)

    def record_in(self, db: sqlite3.Connection, takes: Sequence[Take], written: Sequence[Written] = ()) -> list[Take]:
        """`record` inside a transaction of the caller's, so that a job becomes DONE with its result (invariant 4)."""
        _note(db, written)
        for take in takes:  # invariant 2: a result names only blobs in the CAS
            for blob in take.blobs:
                if self.cas.size(blob.digest) != blob.size:
                    raise ValueError(
                        f"blob {blob.digest} ({blob.size} bytes) of result {take.key}/{take.take} isn't in the store"
                    )
        return insert_takes(db, takes)

    def reject(self, key: str, take: int, note: str | None) -> None:
        """Mark a result as rejected with a note, or take the mark away (None). Unknown results are left alone."""
        with self.transaction() as db:
            db.execute("UPDATE results SET rejected = ? WHERE key = ? AND take = ?", (note, key, take))

    # ── what we put where ──

    def written(self, tree: str) -> dict[str, str]:
        """Path → digest that we last put there, for a whole tree."""
        with self.reading() as db:
            return dict(db.execute("SELECT path, digest FROM written WHERE tree = ?", (tree,)).fetchall())

    def written_keys(self, tree: str) -> dict[str, tuple[str, str | None]]:
        """Path → digest that we last put there, and the key that it was made under, for a whole tree."""
        with self.reading() as db:
            rows = db.execute("SELECT path, digest, key FROM written WHERE tree = ?", (tree,)).fetchall()
        return {path: (digest, key) for path, digest, key in rows}

    def note_written(self, rows: Sequence[Written], *, durable: bool = True) -> None:
        """Committed *before* the files are replaced: after a kill between the two, the new bytes are known as ours."""
        with self.transaction(durable=durable) as db:
            _note(db, rows)

    # ── trees ──

    def register_tree(self, path: str, locks: Sequence[str]) -> None:
        """Say that the project at `path` (absolute) lives from this store, so that gc reads its lockfiles (relative paths).
        Locks add up. See `trees.register` for projects that moved.
        """
        with self.reading() as db:
            if trees.known(db, path, locks):
                return
        with self.transaction() as db:
            trees.register(db, path, locks)

    def trees(self) -> dict[str, tuple[str, ...]]:
        """Project root → its lockfiles, of every project that uses this store."""
        with self.reading() as db:
            return {path: tree.locks for path, tree in trees.trees(db).items()}

    def forget_tree(self, path: str) -> bool:
        """The project is gone: gc may delete what only it names. False if it wasn't known."""
        with self.transaction() as db:
            db.execute("DELETE FROM written WHERE tree = ?", (path,))
            return db.execute("DELETE FROM trees WHERE path = ?", (path,)).rowcount > 0

    # ── what is here ──

    def stats(self) -> Stats:
        """Counts and sums; looks at every blob's size, reads none."""
        sizes = [self.cas.size(digest) or 0 for digest in self.cas.digests()]
        with self.reading() as db:
            results, cost = db.execute("SELECT count(*), coalesce(sum(cost), 0) FROM results").fetchone()
            jobs = db.execute("SELECT count(*) FROM jobs WHERE state IN ('intent', 'submitted')").fetchone()[0]
        damaged = len(list((self.cas.root / "corrupt").glob("*")))
        return Stats(len(sizes), sum(sizes), results, cost, jobs, len(self.trees()), damaged)

    def verify(self) -> Report:
        """Read and hash every blob, set damaged ones aside, and check the database."""
        count, size, corrupt, complaints = 0, 0, list[str](), list[str]()
        for digest in list(self.cas.digests()):
            bytes_here = self.cas.size(digest) or 0
            if self.cas.intact(digest):
                count, size = count + 1, size + bytes_here
            else:
                corrupt.append(digest)
        named: list[str] = []
        with self.reading() as db:
            try:
                complaints = [row[0] for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
                named = [row[0] for row in db.execute("SELECT DISTINCT digest FROM result_blobs ORDER BY digest")]
            except sqlite3.DatabaseError as error:
                complaints = [*complaints, str(error)]
        missing = tuple(digest for digest in named if not self.cas.has(digest) and digest not in corrupt)
        return Report(count, size, tuple(corrupt), missing, tuple(complaints))


def living(root: Path, *, but: str = "") -> list[int]:
    """The process ids of all runs that have the store at `root` open, except the one whose presence file is `but`."""
    return sorted(int(file.name.split("-")[0]) for file in (root / "claims").glob("*-*") if file.name != but and alive(file))


def select_takes(db: sqlite3.Connection, where: str, values: Sequence[str]) -> list[Take]:
    """The results that meet a condition, by key and take."""
    sql = f"""SELECT key, take, key_version, made_by, host, cost, made_at, notes, rejected, by_hand, member, digest, size, media
        FROM results LEFT JOIN result_blobs USING (key, take) WHERE {where} ORDER BY key, take, place"""  # noqa: S608 - our own text
    found: list[Take] = []
    last: tuple[str, int] | None = None
    blobs: list[Blob] = []
    for row in db.execute(sql, values):
        key, take, version, made_by, host, cost, made_at, notes, rejected, by_hand, *blob = row
        if (key, take) != last:
            last, blobs = (key, take), []
            found.append(Take(key, take, version, (), made_by, host, cost, made_at, json.loads(notes), rejected, bool(by_hand)))
        if blob[1] is not None:
            blobs.append(Blob(*blob))
            found[-1] = found[-1]._replace(blobs=tuple(blobs))
    return found


def insert_takes(db: sqlite3.Connection, takes: Sequence[Take]) -> list[Take]:
    """Add result rows without looking for their blobs; gives them as they are recorded now (see `Store.record`)."""
    there: dict[str, dict[int, Take]] = {}
    for some in chunks(dict.fromkeys(take.key for take in takes)):
        for old in select_takes(db, f"key IN ({marks(some)})", some):
            there.setdefault(old.key, {})[old.take] = old
    given, new = list[Take](), list[Take]()
    for take in takes:
        recorded = _as_recorded(db, take, there.setdefault(take.key, {}))
        given.append(recorded)
        if recorded.take not in there[take.key]:
            there[take.key][recorded.take] = recorded
            new.append(recorded)
    for results in chunks(new, 50):
        rows = [
            (t.key, t.take, t.key_version, t.made_by, t.host, t.cost, t.made_at, _notes(t), t.rejected, t.by_hand)
            for t in results
        ]
        db.execute(f"INSERT INTO results VALUES {values_of(rows)}", [*chain.from_iterable(rows)])  # noqa: S608
    for blobs in chunks(((t.key, t.take, place, *blob) for t in new for place, blob in enumerate(t.blobs)), 100):
        db.execute(f"INSERT INTO result_blobs VALUES {values_of(blobs)}", [*chain.from_iterable(blobs)])  # noqa: S608
    return given


def _as_recorded(db: sqlite3.Connection, take: Take, there: Mapping[int, Take]) -> Take:
    """The take that is there with these blobs, or this one under a number that is free."""
    if take.take not in there:
        return take
    same = {(blob.member, blob.digest) for blob in take.blobs}
    for old in (there[take.take], *there.values()):
        if {(blob.member, blob.digest) for blob in old.blobs} == same:
            return old
    promised = db.execute("SELECT coalesce(max(take + count - 1), 0) FROM jobs WHERE key = ?", (take.key,)).fetchone()[0]
    return take._replace(take=max(*there, promised) + 1)  # never a number that a job was sent for


def _notes(take: Take) -> str:
    """As they are kept."""
    return json.dumps(take.notes, sort_keys=True, ensure_ascii=False)


def _note(db: sqlite3.Connection, rows: Sequence[Written]) -> None:
    for some in chunks(rows, 200):
        db.execute(f"INSERT OR REPLACE INTO written VALUES {values_of(some)}", [*chain.from_iterable(some)])  # noqa: S608
