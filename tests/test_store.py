"""What was paid for is there after a kill and a second process; a result is never replaced."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from assetbuild.errors import StoreError
from assetbuild.store import Store, Written
from assetbuild.store.journal import State, has_open, jobs_of, open_jobs

from .storing import digest, kept, run, same_words, send, start

KEY = digest("poster")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


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
