"""A damaged file, a newer release, a disk that refuses: a store is never silently an empty one."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from assetbuild.errors import StoreError
from assetbuild.store import Store, database
from assetbuild.store.journal import has_open
from assetbuild.store.salvage import set_aside

from .disks import read_only
from .storing import digest, kept, run, same_words, send

KEY = digest("poster")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def _bytes(root: Path) -> bytes:
    return (root / "store.db").read_bytes()


def test_a_newer_store_is_left_as_it_is(root: Path) -> None:
    Store.open(root).close()
    db = sqlite3.connect(root / "store.db")
    db.execute("PRAGMA user_version = 7")
    db.close()
    before = _bytes(root)
    for create in (True, False):
        with pytest.raises(StoreError) as caught:
            Store.open(root, create=create)
    same_words("store-newer", caught.value, (root, "STORE"))
    assert caught.value.exit_code == 2
    assert _bytes(root) == before
    assert list((root / "claims").iterdir()) == []


def test_another_programs_database_is_left_as_it_is(root: Path) -> None:
    root.mkdir()
    db = sqlite3.connect(root / "store.db")
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = _bytes(root)
    with pytest.raises(StoreError) as caught:
        Store.open(root)
    same_words("store-foreign", caught.value, (root, "STORE"))
    assert _bytes(root) == before


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 300], ids=["empty", "garbage"])
def test_a_damaged_store_is_an_error_and_never_an_empty_one(root: Path, content: bytes) -> None:
    with Store.open(root) as store:
        store.record([kept(store, "poster", b"one")])
    (root / "store.db").write_bytes(content)
    for create in (True, False):
        with pytest.raises(StoreError) as caught:
            Store.open(root, create=create)
    same_words(f"store-damaged-{'empty' if not content else 'garbage'}", caught.value, (root, "STORE"))
    assert _bytes(root) == content
    # Set aside only when told; the pictures and the damaged file stay.
    salvage = set_aside(root)
    assert salvage.aside.read_bytes() == content
    with Store.open(root) as store:
        assert store.takes(KEY) == []
        assert store.cas.read(digest("one")) == b"one"
        assert [t.take for t in store.record([kept(store, "poster", b"one")])] == [1]


def test_what_can_be_read_of_a_damaged_store_is_kept(root: Path) -> None:
    with Store.open(root) as store:
        store.record([kept(store, f"poster-{n:04}", b"the same") for n in range(600)])
        send(store, KEY)
        store.register_tree("/p", ["assets.lock"])
    whole, found = _bytes(root), []
    with Store.open(root), pytest.raises(StoreError) as caught:
        set_aside(root)
    same_words("salvage-in-use", caught.value, (root, "STORE"), (os.getpid(), "PID"))
    pages = range(len(whole) // 4096)
    for page in pages[12::20]:  # behind the roots of the tables; each time another one is lost
        damaged = whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :]
        (root / "store.db").write_bytes(damaged)
        with Store.open(root) as store:
            assert store.verify().database != ()
        salvage = set_aside(root)
        assert salvage.aside.read_bytes() == damaged
        assert salvage.rows["jobs"] == 1
        found.append(salvage.rows["results"] + salvage.rows["result_blobs"])
        with Store.open(root) as store:
            assert store.verify().database == ()
            assert store.trees() == {"/p": ("assets.lock",)}
            assert has_open(store.database.db())
    assert min(found) >= 1200 - 60, "one page's rows of one table, no more"
    assert min(found) < 1200, "and the test did hit a table"
    assert len(list(root.glob("store.db.damaged-*"))) == len(found)


def test_what_a_killed_run_recorded_last_is_kept_too(root: Path) -> None:
    done = run(
        """
        import os, sys
        from pathlib import Path
        from assetbuild.store import Store
        from tests.storing import kept
        store = Store.open(Path(sys.argv[1]))
        store.record([kept(store, "poster", b"one")])
        os._exit(9)
        """,
        root,
    )
    assert done.returncode == 9, done.stderr
    assert (root / "store.db-wal").stat().st_size > 0, "the newest commits are still in sqlite's log"
    assert set_aside(root).rows["results"] == 1
    with Store.open(root) as store:
        assert [take.take for take in store.takes(KEY)] == [1]


def test_a_full_or_refusing_disk_while_recording_loses_nothing(root: Path) -> None:
    with Store.open(root) as store:
        store.record([kept(store, "poster", b"one")])
        db = store.database.db()
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")  # sqlite's own way to have a full disk
        takes = [kept(store, f"p{n}", b"x" * 10) for n in range(300)]
        with pytest.raises(StoreError, match="the disk is full"):
            store.record(takes)
        db.execute("PRAGMA max_page_count = 1000000")
        assert store.stats().results == 1
        assert len(store.record(takes)) == 300


def test_a_busy_store_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    with Store.open(root) as store:
        other = sqlite3.connect(root / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is busy: another run"):
            store.forget_tree("/p")
        other.execute("COMMIT")
        other.close()
        assert not store.forget_tree("/p")


def test_a_read_only_store_can_be_read(root: Path) -> None:
    with Store.open(root) as store:
        take = store.record([kept(store, "poster", b"one")])[0]
    with read_only(root), Store.open(root) as store:
        assert store.read_only
        assert store.takes(KEY) == [take]
        assert store.cas.read(digest("one")) == b"one"
        with pytest.raises(StoreError, match="can't be written here"):
            store.record([])


def test_a_shared_disk_gets_no_wal_and_says_its_type(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mode() -> str:
        db = sqlite3.connect(root / "store.db")
        found: str = db.execute("PRAGMA journal_mode").fetchone()[0]
        db.close()
        return found

    with Store.open(root) as store:
        store.record([kept(store, "poster", b"one")])
        assert store.network is None
    assert mode() == "wal"
    monkeypatch.setattr(database, "network_filesystem", lambda _: "nfs4")
    with Store.open(root) as store, Store.open(root) as second:
        assert store.network == "nfs4"
        assert not list(root.glob("store.db-*"))
        second.record([kept(store, "poster", b"two", take=2)])
        assert [t.take for t in store.takes(KEY)] == [1, 2]
    assert mode() == "delete"
    monkeypatch.undo()
    with Store.open(root) as store:
        assert len(store.takes(KEY)) == 2
    assert mode() == "wal"


def test_verify_finds_what_is_damaged_and_what_is_gone(root: Path) -> None:
    with Store.open(root) as store:
        good, bad, gone = (
            store.record([kept(store, name, name.encode())])[0].blobs[0].digest for name in ("good", "bad!", "gone")
        )
        store.cas.remove(gone)
        store.cas.path(bad).chmod(0o644)
        store.cas.path(bad).write_bytes(b"worse")
        report = store.verify()
        assert report == (1, 4, (bad,), (gone,), ())
        assert store.stats().damaged == 1
        assert store.cas.has(good)
        assert store.verify() == (1, 4, (), tuple(sorted((bad, gone))), ())
