"""What was paid for is there after a kill, a second process, a damaged file or a newer release; a store is never silently an
empty one.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from assetbuild.errors import StoreError
from assetbuild.store import Store, Written, database, store_root
from assetbuild.store.journal import State, has_open, jobs_of, open_jobs
from assetbuild.store.salvage import set_aside

from .disks import read_only
from .storing import digest, kept, run, same_words, start

KEY = digest("poster")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def send(store: Store, key: str, *, state: State = State.SUBMITTED, take: int = 1, attempt: int = 1, **fields: object) -> None:
    """A journal row, as buying will write it."""
    row: dict[str, object] = {
        "key": key,
        "take": take,
        "attempt": attempt,
        "key_version": 1,
        "state": state,
        "provider": "apiframe",
        "model": "gpt-image-2",
        "project": "fika",
        "asset": "poster",
        "idempotency_key": digest(f"{key}{take}{attempt}"),
        "body": b"{}",
        "reserved": 250_000,
        "intent_at": 1000.0,
    } | fields
    with store.transaction() as db:
        db.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))  # noqa: S608


def test_results_come_back_as_they_were(root: Path) -> None:
    with Store.open(root) as store:
        take = kept(store, "poster", b"one")._replace(host="127.0.0.1:9", notes={"seed": 4, "said": "früh"}, by_hand=True)
        unknown = kept(store, "sticker", b"three", cost=None)
        assert store.record([take, unknown], [Written("/p", "art/poster.png", digest("one"), take.key)]) == [take, unknown]
    with Store.open(root) as store:
        assert store.takes(take.key) == [take]
        assert store.takes_many([take.key, digest("no"), unknown.key]) == {take.key: [take], unknown.key: [unknown]}
        assert store.by_digest(digest("three")) == [unknown]
        assert store.written("/p") == {"art/poster.png": digest("one")}
        assert store.written("/q") == {}
        store.reject(take.key, 1, "six fingers")
        assert store.takes(take.key)[0].rejected == "six fingers"
        store.note_written([Written("/p", "art/poster.png", digest("two"), None)], durable=False)
        assert store.written("/p") == {"art/poster.png": digest("two")}
        assert store.stats()[:6] == (2, 8, 2, 40_000, 0, 0)
    assert (root / "README").read_text().startswith("This folder is assetbuild's store")


def test_a_set_keeps_its_members_in_order(root: Path) -> None:
    with Store.open(root) as store:
        take = kept(store, "story", b"roast", member="roast")
        take = take._replace(blobs=(*take.blobs, *kept(store, "story", b"bean", member="bean").blobs))
        store.record([take])
        assert [blob.member for blob in store.takes(take.key)[0].blobs] == ["roast", "bean"]


def test_a_result_names_only_blobs_that_are_in_the_cas(root: Path) -> None:
    with Store.open(root) as store:
        good, bad = kept(store, "a", b"one"), kept(store, "b", b"two")
        store.cas.remove(bad.blobs[0].digest)
        with pytest.raises(ValueError, match="isn't in the store"):
            store.record([good, bad], [Written("/p", "a", digest("one"), None)])
        assert store.takes(good.key) == []
        assert store.written("/p") == {}, "one transaction: none of it"
        store.cas.put(b"two", durable=True)
        store.cas.path(bad.blobs[0].digest).chmod(0o644)
        store.cas.path(bad.blobs[0].digest).write_bytes(b"t")
        with pytest.raises(ValueError, match="isn't in the store"):
            store.record([bad])


def test_a_result_is_never_replaced(root: Path) -> None:
    with Store.open(root) as store:
        first, other, third = (
            kept(store, "poster", b"one"),
            kept(store, "poster", b"two", cost=1),
            kept(store, "poster", b"three"),
        )
        assert [t.take for t in store.record([first, other, first, other])] == [1, 2, 1, 2]
        send(store, first.key, take=5)
        assert [t.take for t in store.record([third])] == [6], "a number that a job was sent for is never given away"
        assert [t.take for t in store.record([third._replace(take=5)])] == [5], "but it is that job's own"
        assert [(t.take, t.blobs[0].size) for t in store.takes(first.key)] == [(1, 3), (2, 3), (5, 5), (6, 5)]
        assert store.takes(first.key)[0] == first


def test_nobody_waits_for_a_transaction_to_look(root: Path) -> None:
    """While one thread's commit is on its way to the disk, others see what was there before; inside it, one sees what it has written."""
    with Store.open(root) as store:
        take = kept(store, "poster", b"bytes")
        seen: list[int] = []
        with store.transaction() as db:
            store.record_in(db, [take])
            assert store.takes(take.key) == [take]
            other = threading.Thread(target=lambda: seen.append(len(store.takes(take.key))))
            other.start()
            other.join(10)
            assert seen == [0]
        assert store.takes(take.key) == [take]


def test_ten_thousand_keys_are_a_few_queries(root: Path) -> None:
    with Store.open(root) as store:
        takes = [kept(store, f"poster-{n}", b"the same bytes", durable=False) for n in range(1200)]
        store.record(takes, durable=False)
        asked: list[str] = []
        store.database.reader().set_trace_callback(asked.append)
        assert store.takes_many(take.key for take in takes) == {take.key: [take] for take in takes}
        assert len(asked) == 3


def test_a_missing_store_is_empty_and_isnt_made_by_looking(root: Path) -> None:
    with Store.open(root, create=False) as store:
        assert (store.takes(KEY), store.written("/p"), store.trees(), store.cas.has(KEY)) == ([], {}, {}, False)
        with pytest.raises(StoreError) as caught:
            store.record([])
        same_words("store-read-only", caught.value, (root, "STORE"))
    assert not root.exists()


@pytest.mark.parametrize(
    "when", ["BEGIN IMMEDIATE", "INSERT INTO result_blobs", "INSERT OR REPLACE INTO written", "COMMIT", "after"]
)
def test_a_kill_inside_record_leaves_all_of_it_or_nothing(root: Path, when: str) -> None:
    done = run(
        """
        import os, sys
        from pathlib import Path
        from assetbuild.store import Store, Written
        from tests.storing import digest, kept
        store = Store.open(Path(sys.argv[1]))
        store.record([kept(store, "old", b"old")])
        takes = [kept(store, "poster", b"one"), kept(store, "poster", b"two")]
        store.database.db().set_trace_callback(lambda sql: os._exit(9) if sql.startswith(sys.argv[2]) else None)
        store.record(takes, [Written("/p", "a.png", digest("one"), None)])
        os._exit(9)
        """,
        root,
        when,
    )
    assert done.returncode == 9, done.stderr
    with Store.open(root) as store:
        assert len(store.takes(digest("old"))) == 1
        assert (len(store.takes(KEY)), len(store.written("/p"))) == ((2, 1) if when == "after" else (0, 0))
        assert store.verify().database == ()
        assert [t.take for t in store.record([kept(store, "poster", b"one"), kept(store, "poster", b"two")])] == [1, 2]


def test_a_kill_while_the_store_is_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    from .storing import die_at

    code = """
        from pathlib import Path
        from assetbuild.store import Store
        arm()
        Store.open(Path(sys.argv[3]))
    """
    step = 1
    while die_at(step, "before", code, tmp_path / str(step)):
        with Store.open(tmp_path / str(step)) as store:
            assert store.record([kept(store, "poster", b"one")])
            assert store.others() == []
        assert len(list((tmp_path / str(step) / "claims").iterdir())) == 0
        step += 1
    assert step >= 10


@pytest.mark.parametrize("count", [2, 8])
def test_processes_record_at_once(root: Path, count: int) -> None:
    code = """
        import sys
        from pathlib import Path
        from assetbuild.store import Store, Written
        from tests.storing import digest, kept
        print("ready", flush=True)
        sys.stdin.readline()
        store = Store.open(Path(sys.argv[1]))
        for n in range(15):
            store.record([kept(store, f"own {sys.argv[2]} {n}", b"x"), kept(store, f"shared {n}", sys.argv[2].encode())])
        store.close()
    """
    children = [start(code, root, number) for number in range(count)]
    for child in children:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        assert child.communicate(timeout=90)[1] == ""
    with Store.open(root) as store:
        assert store.stats().results == 15 * 2 * count
        for n in range(15):
            assert [t.take for t in store.takes(digest(f"shared {n}"))] == list(range(1, count + 1)), (
                "each take has its own number"
            )


def test_threads_share_a_store_and_a_fork_gets_its_own_connection(root: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Store.open(root) as store:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: store.record([kept(store, f"poster-{n}", b"x")], durable=False), range(40)))
        assert store.stats().results == 40
    done = run(
        """
        import os, sys
        from pathlib import Path
        from assetbuild.store import Store
        from tests.storing import kept
        store = Store.open(Path(sys.argv[1]))
        child = os.fork()
        if not child:
            store.record([kept(store, "child", b"c")])
            assert store.presence().path.exists() and store.others() == [os.getppid()]
            store.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        store.record([kept(store, "parent", b"p")])
        assert store.presence().path.exists()
        store.close()
        """,
        root,
    )
    assert done.returncode == 0, done.stderr
    with Store.open(root) as store:
        assert store.stats().results == 42
        assert store.verify().database == ()


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


def test_trees_are_remembered_with_all_their_lockfiles(root: Path) -> None:
    with Store.open(root) as store:
        store.register_tree("/p", ["assets.lock"])
        store.register_tree("/p", ["assets.proof.lock"])
        store.register_tree("/q", ["assets.lock"])
        before = store.database.db().total_changes
        store.register_tree("/p", ["assets.lock"])
        assert store.database.db().total_changes == before, "a build that adds nothing writes nothing"
        assert store.trees() == {"/p": ("assets.lock", "assets.proof.lock"), "/q": ("assets.lock",)}
        store.note_written([Written("/p", "a", KEY, None)])
        assert store.forget_tree("/p")
        assert store.written("/p") == {}
        assert list(store.trees()) == ["/q"]


def test_open_jobs_are_found_by_key(root: Path) -> None:
    with Store.open(root) as store:
        assert not has_open(store.database.db())
        send(store, KEY, state=State.FAILED)
        assert not has_open(store.database.db())
        send(store, KEY, attempt=2, remote_id="job-1")
        send(store, digest("b"), state=State.INTENT)
        with store.reading() as db:
            assert [(job.key, job.state, job.remote_id) for job in open_jobs(db)] == [
                (KEY, State.SUBMITTED, "job-1"),
                (digest("b"), State.INTENT, None),
            ]
            assert [job.state for job in jobs_of(db, [KEY, digest("c")])[KEY]] == [State.FAILED, State.SUBMITTED]
        with pytest.raises(sqlite3.IntegrityError):
            send(store, KEY, attempt=2)
        with pytest.raises(sqlite3.IntegrityError):
            send(store, KEY, attempt=3, state="paid")  # type: ignore[arg-type]


# ── where it is ──


def _repository(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def test_where_the_store_is(tmp_path: Path) -> None:
    plain, top = tmp_path / "plain", _repository(tmp_path / "repo")
    inner = top / "design"
    inner.mkdir()
    assert store_root(plain, spec_store=None, environ={}) == plain / ".assetbuild" / "store"
    assert store_root(inner, spec_store=None, environ={}) == top / ".git" / "assetbuild" / "v1"
    assert store_root(inner, spec_store="../shared", environ={"ASSETBUILD_STORE": ""}) == top / "shared"
    assert store_root(inner, spec_store="../shared", environ={"ASSETBUILD_STORE": "/mnt/store"}) == Path("/mnt/store")
    assert store_root(inner, spec_store="~/pictures", environ={}) == Path.home() / "pictures"
    assert not (top / ".git" / "assetbuild").exists(), "asking makes nothing"


def _bought(project: Path, content: bytes = b"bought") -> Path:
    root = store_root(project, spec_store=None, environ={})
    with Store.open(root) as store:
        store.record([kept(store, "poster", content)], [Written(str(project), "a.png", digest(content), KEY)])
        store.register_tree(str(project), ["assets.lock"])
        send(store, KEY, remote_id=content.decode(), intent_at=float(len(content)))
    return root


def test_the_store_moves_into_git_with_all_it_has(tmp_path: Path) -> None:
    project = tmp_path / "fika"
    project.mkdir()
    old = _bought(project)
    assert old == project / ".assetbuild" / "store"
    _repository(project)
    new = store_root(project, spec_store=None, environ={})
    assert new == project / ".git" / "assetbuild" / "v1"
    assert not (old / "store.db").exists()
    with Store.open(new) as store:
        assert [t.blobs[0].digest for t in store.takes(KEY)] == [digest("bought")]
        assert store.cas.read(digest("bought")) == b"bought"
        assert store.written(str(project)) == {"a.png": digest("bought")}
        assert list(store.trees()) == [str(project)]
        assert [job.remote_id for job in open_jobs(store.database.db())] == ["bought"]
    assert store_root(project, spec_store=None, environ={}) == new


def test_two_projects_stores_become_one_and_no_debt_is_lost(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for project, content in ((one, b"bought"), (two, b"bought too")):
        project.mkdir()
        _bought(project, content)
    _repository(tmp_path)
    roots = {store_root(project, spec_store=None, environ={}) for project in (one, two)}
    assert roots == {tmp_path / ".git" / "assetbuild" / "v1"}
    with Store.open(roots.pop()) as store:
        assert [(t.take, t.blobs[0].digest) for t in store.takes(KEY)] == [(1, digest("bought")), (2, digest("bought too"))]
        assert [(job.attempt, job.remote_id) for job in open_jobs(store.database.db())] == [(1, "bought"), (2, "bought too")]
        assert list(store.trees()) == [str(one), str(two)]


def test_a_store_in_use_isnt_moved_under_its_user(tmp_path: Path) -> None:
    old = _bought(tmp_path)
    child = start(
        "import sys; from pathlib import Path; from assetbuild.store import Store; s = Store.open(Path(sys.argv[1]));"
        "print('ready', flush=True); sys.stdin.readline()",
        old,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    _repository(tmp_path)
    assert store_root(tmp_path, spec_store=None, environ={}) == old
    child.kill()  # and a run that was killed is no user
    child.communicate()
    assert store_root(tmp_path, spec_store=None, environ={}) == tmp_path / ".git" / "assetbuild" / "v1"


def test_a_kill_while_moving_loses_nothing(tmp_path: Path) -> None:
    from .storing import die_at

    code = """
        import shutil
        from pathlib import Path
        from assetbuild.store import Store, store_root
        import assetbuild.store.moving
        arm()
        store_root(Path(sys.argv[3]), spec_store=None, environ={})
    """
    step = 1
    while True:
        project = tmp_path / str(step)
        project.mkdir()
        _bought(project)
        _repository(project)
        died = die_at(step, "half", code, project)
        with Store.open(store_root(project, spec_store=None, environ={})) as store:
            assert store.root == project / ".git" / "assetbuild" / "v1"
            assert [t.take for t in store.takes(KEY)] == [1]
            assert store.cas.read(digest("bought")) == b"bought"
            assert [job.attempt for job in open_jobs(store.database.db())] == [1]
        if not died:
            break
        step += 3
    assert step > 15
