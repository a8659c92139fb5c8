"""`store.db`: how it is made, opened, checked for its version, and how sqlite's errors are told. Knows the tables' names; knows
no blob and no rule about what the rows mean.

sqlite in WAL mode; a durable commit is synced. On a disk that other machines share, WAL's shared memory can't work: there the
rollback journal is used, which is safe as long as that disk's locks are, and `network` says so, since buying isn't safe there.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import StoreError
from ..files import disk_error, network_filesystem, sync_folder
from . import journal

VERSION = 2  # of the schema, in PRAGMA user_version
APPLICATION = 0x41424C44  # "ABLD", in PRAGMA application_id
BUSY_SECONDS = 30.0

SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE results (
    key TEXT NOT NULL,
    take INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    host TEXT,
    cost INTEGER,
    made_at REAL NOT NULL,
    notes TEXT NOT NULL,
    rejected TEXT,
    by_hand INTEGER NOT NULL,
    PRIMARY KEY (key, take)
) WITHOUT ROWID;
CREATE TABLE result_blobs (
    key TEXT NOT NULL,
    take INTEGER NOT NULL,
    place INTEGER NOT NULL,
    member TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    media TEXT NOT NULL,
    PRIMARY KEY (key, take, place)
) WITHOUT ROWID;
CREATE INDEX result_blobs_digest ON result_blobs (digest);
CREATE TABLE written (
    tree TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    key TEXT,
    PRIMARY KEY (tree, path)
) WITHOUT ROWID;
CREATE TABLE trees (path TEXT PRIMARY KEY, locks TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE claims (key TEXT PRIMARY KEY, file TEXT NOT NULL) WITHOUT ROWID;
{journal.SCHEMA}
"""


class Database:
    """The connections of one store. Usable from several threads; a forked child gets a connection of its own.

    `root` is the store's folder. `empty`: there is no store and none may be made, so it is an empty one in memory.
    """

    def __init__(self, root: Path, *, read_only: bool, empty: bool = False) -> None:
        self.root, self.read_only, self.empty = root, read_only or empty, empty
        self.file = root / "store.db"
        self.network = None if empty else network_filesystem(root)
        self._mutex, self._reading = threading.RLock(), threading.RLock()
        self._durable: dict[int, bool] = {}  # by process: as its connection was last told
        self._writer = 0  # the thread that is in a transaction
        # By process: one that came over a fork must not even be closed.
        self._connections: dict[int, sqlite3.Connection] = {}
        self._readers: dict[int, sqlite3.Connection] = {}

    def close(self) -> None:
        """Close this process's connections."""
        with self._mutex, self._reading:
            self._durable.pop(os.getpid(), None)
            for connections in (self._readers, self._connections):
                if db := connections.pop(os.getpid(), None):
                    db.close()

    def db(self) -> sqlite3.Connection:
        """This process's connection, opened and checked at the first call. Raises StoreError."""
        with self._mutex:
            db = self._connections.get(os.getpid())
            if db is None:
                with self.reworded():
                    db = self._connections[os.getpid()] = self._connect()
            return db

    def reader(self) -> sqlite3.Connection:
        """A second connection, for queries: they don't wait while a thread's transaction is being synced. It sees what is committed."""
        with self._reading:
            db = self._readers.get(os.getpid())
            if db is None:
                if os.getpid() not in self._connections:
                    self.db()  # checked, and made anew if it is of an older version
                with self.reworded():
                    db = sqlite3.connect(
                        f"{self.file.absolute().as_uri()}?mode=rw",
                        uri=True,
                        timeout=BUSY_SECONDS,
                        isolation_level=None,
                        check_same_thread=False,
                    )
                    db.execute("PRAGMA query_only = ON")
                self._readers[os.getpid()] = db
            return db

    def _connect(self) -> sqlite3.Connection:
        if self.empty:
            db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            db.executescript(SCHEMA)
            return db
        name = self.file.absolute().as_uri()
        if self.read_only:
            wal = self.file.with_name("store.db-wal")
            if wal.exists() and wal.stat().st_size:
                hint = "copy the store to a disk that can be written and name it with ASSETBUILD_STORE"
                raise StoreError(
                    f"the store `{self.root}` is on a read-only disk and its last run wasn't ended properly", hint=hint
                )
            name += "?mode=ro&immutable=1"
        else:
            name += "?mode=rw"
        db = sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            version = self._check_version(db)
            if not self.read_only:
                _set_mode(db, "delete" if self.network else "wal")
                db.execute("PRAGMA secure_delete = ON")  # a request that is blanked is gone from the file too
            if version < VERSION:
                self._renew(db)
        except BaseException:
            db.close()
            raise
        return db

    def _renew(self, db: sqlite3.Connection) -> None:
        """From version 1, whose journal nothing could be bought with: its table gets the columns of today. One that can't be written keeps
        it, and an empty one in memory stands before it.
        """
        if self.read_only:
            db.execute("PRAGMA temp_store = MEMORY")
            db.execute(next(_statements(journal.SCHEMA)).replace("CREATE TABLE", "CREATE TEMP TABLE"))
            return
        with suppress(OSError):  # another user's
            self.file.chmod(0o600)  # requests may hold addresses of uploads
        # One transaction, and looked at again inside it: of two runs that find the old version one makes the new one. A kill leaves either.
        db.execute("BEGIN IMMEDIATE")
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                there = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
                names = ", ".join(name for name in there if name != "sent_at")  # which nobody ever filled
                rows = db.execute(f"SELECT {names} FROM jobs").fetchall()  # noqa: S608 - our own column names
                db.execute("DROP TABLE jobs")
                for statement in _statements(journal.SCHEMA):
                    db.execute(statement)
                db.executemany(f"INSERT INTO jobs ({names}) VALUES ({journal.marks(names.split(','))})", rows)  # noqa: S608
                db.execute("UPDATE jobs SET counted_at = intent_at")
                db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _check_version(self, db: sqlite3.Connection) -> int:
        version, application = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
        if application == APPLICATION and 0 < version <= VERSION:
            return int(version)
        if application == APPLICATION and version > VERSION:
            raise StoreError(
                f"the store was written by a newer assetbuild (its version is {version}, this one reads up to {VERSION})",
                facts=(("store", str(self.root)),),
                hint="upgrade with `pip install -U assetbuild`; the store is left as it is",
            )
        if application == APPLICATION or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            raise damaged(self.root, "it is empty")
        hint = "name another folder with ASSETBUILD_STORE or `store:`; the file is left as it is"
        raise StoreError(f"`{self.file}` is another program's database", hint=hint)

    @contextmanager
    def reworded(self) -> Iterator[None]:
        """Turns sqlite's errors into StoreError: damaged, busy, full, read-only."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise damaged(self.root, str(error)) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                hint = "wait for the other run to end, or end it, then try again"
                raise StoreError(
                    f"the store `{self.root}` is busy: another run has kept it for {BUSY_SECONDS:.0f} s", hint=hint
                ) from error
            if code == sqlite3.SQLITE_FULL:
                raise disk_error(OSError(errno.ENOSPC, "disk full"), self.file) from error
            if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
                hint = "check that the disk is there and has room, and who owns the folder; nothing was changed"
                raise StoreError(f"can't use `{self.file}`: {error}", hint=hint) from error
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries; inside a transaction of this thread's, its own. Raises StoreError."""
        if self.read_only or self.network or self._writer == threading.get_ident():
            with self._mutex, self.reworded():
                yield self.db()
        else:
            with self._reading, self.reworded():
                yield self.reader()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One `BEGIN IMMEDIATE … COMMIT`; rolled back when the body raises. `durable`: on disk, synced, when the `with` is left.

        A kill before COMMIT ends leaves nothing of it, one after it all of it. Raises StoreError.
        """
        if self.read_only:
            raise StoreError(
                f"the store `{self.root}` can't be written here", hint="name another with ASSETBUILD_STORE or `store:`"
            )
        with self._mutex, self.reworded():
            db = self.db()
            if self._durable.get(os.getpid()) is not durable:
                db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable[os.getpid()] = durable
            db.execute("BEGIN IMMEDIATE")
            self._writer = threading.get_ident()
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            finally:
                self._writer = 0


def make_database(root: Path, fill: Callable[[sqlite3.Connection], None] | None = None) -> None:
    """Make `store.db` in `root` (replacing one, if there is) and let `fill` put rows into it. Call it while holding the store's
    gate.

    It gets its name when it is complete and synced: a kill leaves no database, the old or the whole new one, never an empty
    one. Raises StoreError.
    """
    new = root / f"new-{os.urandom(4).hex()}.db"
    try:
        new.touch(0o600)  # requests may hold addresses of uploads; sqlite gives its log the same rights
        db = sqlite3.connect(new, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")
            if fill is not None:
                fill(db)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()
        for stale in ("store.db-wal", "store.db-shm"):  # of the one that is replaced; sqlite would read them into the new one
            (root / stale).unlink(missing_ok=True)
        os.replace(new, root / "store.db")
        sync_folder(root)
    except sqlite3.OperationalError as error:
        number = errno.ENOSPC if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL else errno.EIO
        raise disk_error(OSError(number, str(error)), root / "store.db") from error
    except OSError as error:
        raise disk_error(error, root / "store.db") from error
    finally:
        for left in root.glob(new.name + "*"):
            left.unlink(missing_ok=True)


def _statements(script: str) -> Iterator[str]:
    """One by one: `executescript` would end the transaction that they belong to."""
    return (part for part in script.split(";") if part.strip())


def _set_mode(db: sqlite3.Connection, mode: str) -> None:
    if db.execute("PRAGMA journal_mode").fetchone()[0] == mode:
        return
    if (
        mode == "delete"
    ):  # leaving WAL where its shared memory can't work: an exclusive connection keeps that part in its own memory
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA locking_mode = NORMAL")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the next read gives the lock back
        return
    # Others may have it open in the old mode, which is slower and as safe; then the next run tries again.
    with suppress(sqlite3.OperationalError):
        db.execute("PRAGMA journal_mode = WAL")


def damaged(root: Path, why: str) -> StoreError:
    """What to tell when `store.db` can't be trusted."""
    return StoreError(
        f"the store's record is damaged: {why}",
        facts=(("file", str(root / "store.db")), ("pictures", f"{root / 'cas'} (not touched)")),
        hint="`assetbuild cache verify --repair` sets the file aside, keeps what can be read of it, and deletes nothing",
    )
