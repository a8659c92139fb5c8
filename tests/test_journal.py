"""What may be owed is on disk before it is owed, goes on from there in one direction, and outlives releases, damage and moves."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from assetbuild.errors import StoreError
from assetbuild.spec.model import Budget
from assetbuild.store import Store, journal
from assetbuild.store.database import VERSION
from assetbuild.store.gc import named
from assetbuild.store.journal import Job, Landed, State
from assetbuild.store.salvage import set_aside
from assetbuild.store.spending import Caps, Reserved, Wish, caps, reserve

from .disks import read_only
from .storing import GOLDEN, digest, kept, run, start

KEY = digest("poster")
FREE = Caps(per_run=None, unpriced=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def wish(key: str = KEY, *, take: int = 1, reserved: int | None = 90_000, at: float = 1000.0, **fields: Any) -> Wish:
    body = b'{"prompt": "a fox", "images": ["https://uploads.example/abc"]}'
    return Wish(
        key, take, 1, "apiframe", "gpt-image-2", "fika", "poster", "/v2/images/generate", body, reserved, "run-1", at
    )._replace(**fields)


def buy(store: Store, wanted: Wish, limits: Caps = FREE) -> int:
    with store.transaction() as db:
        got = reserve(db, wanted, limits)
    assert isinstance(got, Reserved), got
    return got.id


def job(store: Store, ident: int) -> Job:
    with store.reading() as db:
        return journal.job_of(db, ident)


def test_a_job_from_its_reservation_to_its_result(root: Path) -> None:
    with Store.open(root) as store:
        wanted = wish(
            reserved=180_000, count=2, images=2, step=2, tags=("launch", "früh"), axes={"locale": "de"}, inputs=(digest("base"),)
        )
        ident = buy(store, wanted)
        with store.reading() as db:
            assert journal.payload_of(db, ident) == (wanted.path, wanted.body)
            assert journal.has_open(db)
        with store.transaction() as db:
            journal.submitted(db, ident, "job-7", 1002.0)
        with store.reading() as db:
            assert journal.payload_of(db, ident) == (wanted.path, b"")
            assert [(one.id, one.state) for one in journal.owed(db)] == [(ident, State.SUBMITTED)]
            assert journal.known_ids(db, "apiframe") == {"job-7"}
        takes = [kept(store, "poster", b"one"), kept(store, "poster", b"two")]
        with store.transaction() as db:
            journal.ready(db, ident, 1017.0, 18.0)
            journal.ready(db, ident, 1090.0, None)
            for place in (1, 0):
                journal.landed(db, ident, Landed(place, *takes[place].blobs[0]))
        now = job(store, ident)
        assert (now.ready_at, now.credits) == (1017.0, 18.0)
        assert [(one.place, one.digest) for one in now.landed] == [(0, digest("one")), (1, digest("two"))]
        assert {digest("one"), digest("two")} <= named(store), "what landed is nobody's garbage"
        with store.transaction() as db:
            recorded = store.record_in(db, [take._replace(take=n) for n, take in enumerate(takes, 1)])
            assert journal.done(db, ident, 180_000, 1018.0) is None
        assert [take.take for take in recorded] == [1, 2]
        end = job(store, ident)
        assert (end.state, end.cost, end.ended_at, list(end.takes)) == (State.DONE, 180_000, 1018.0, [1, 2])
        assert (end.asset, end.step, end.tags, end.axes, end.inputs) == (
            "poster", 2, ("launch", "früh"), {"locale": "de"}, (digest("base"),)
        )  # fmt: skip
        with store.reading() as db:
            assert not journal.has_open(db)


def test_a_take_that_a_job_was_sent_for_is_nobody_elses(root: Path) -> None:
    with Store.open(root) as store:
        store.record([kept(store, "poster", b"one")])
        buy(store, wish(take=2, count=3))
        assert [take.take for take in store.record([kept(store, "poster", b"other")])] == [5]


def test_a_job_ends_once_and_never_goes_back(root: Path) -> None:
    with Store.open(root) as store:
        ident = buy(store, wish())
        with store.transaction() as db:
            journal.submitted(db, ident, "job-1", 1001.0)
            journal.submitted(db, ident, "job-1", 1009.0)
        assert job(store, ident).submitted_at == 1001.0
        for act in (
            lambda db: journal.submitted(db, ident, "job-2", 1001.0),
            lambda db: journal.done(db, 77, 0, 1002.0),
        ):
            with pytest.raises(ValueError, match="can't become"), store.transaction() as db:
                act(db)
        with store.transaction() as db:
            journal.failed(db, ident, "no hands", 0, 1002.0)
        for act in (
            lambda db: journal.done(db, ident, 90_000, 1003.0),
            lambda db: journal.failed(db, ident, "", 0, 1003.0),
            lambda db: journal.refused(db, ident, "", 0, 1003.0),
            lambda db: journal.expired(db, ident, "", 0, 1003.0),
            lambda db: journal.in_doubt(db, ident, "", 1003.0),
            lambda db: journal.submitted(db, ident, "job-1", 1003.0),
        ):
            with pytest.raises(ValueError, match=f"job {ident} is failed and can't become"), store.transaction() as db:
                act(db)
        end = job(store, ident)
        assert (end.state, end.note, end.cost, end.remote_id) == (State.FAILED, "no hands", 0, "job-1")


def test_one_in_doubt_is_found_later(root: Path) -> None:
    with Store.open(root) as store:
        ident = buy(store, wish())
        with store.transaction() as db:
            journal.in_doubt(db, ident, "no answer came", 1100.0)
        with store.reading() as db:
            assert [one.id for one in journal.doubtful(db)] == [ident]
            assert not journal.has_open(db)
            assert journal.payload_of(db, ident)[1] == wish().body, "it is recognised by what was asked"
        with store.transaction() as db:
            journal.submitted(db, ident, "job-1", 1200.0)
        found = job(store, ident)
        assert (found.state, found.note, found.ended_at) == (State.SUBMITTED, None, None)


def test_an_intent_whose_price_isnt_known_reserves_nothing(root: Path) -> None:
    with Store.open(root) as store:
        ident = buy(store, wish(reserved=None))
        assert (job(store, ident).reserved, job(store, ident).counts) == (None, 0)
        with store.transaction() as db:
            journal.submitted(db, ident, "job-1", 1001.0)
            assert journal.done(db, ident, 5_000_000, 1002.0) is None, "there was nothing for it to be above of"
        assert job(store, ident).counts == 5_000_000


@pytest.mark.parametrize("end", [journal.failed, journal.refused])
def test_what_failed_counts_what_the_vendor_says_else_what_was_reserved(root: Path, end: Any) -> None:
    with Store.open(root) as store:
        counted = []
        for number, cost in enumerate((0, 40_000, None)):
            ident = buy(store, wish(digest(str(number))))
            with store.transaction() as db:
                assert end(db, ident, "no", cost, 1002.0) is None
            counted.append(job(store, ident).counts)
        assert counted == [0, 40_000, 90_000]


def test_a_bill_above_the_reservation_is_booked_in_full_and_told(root: Path) -> None:
    with Store.open(root) as store:
        ident = buy(store, wish(reserved=90_000))
        with store.transaction() as db:
            journal.submitted(db, ident, "job-1", 1001.0)
            over = journal.done(db, ident, 230_000, 1002.0)
        assert over is not None
        assert (over.job.id, over.job.model, over.reserved, over.cost) == (ident, "gpt-image-2", 90_000, 230_000)
        assert job(store, ident).counts == 230_000
        same = buy(store, wish(digest("same")))
        with store.transaction() as db:
            assert journal.done(db, same, 90_000, 1002.0) is None


def test_how_long_a_model_took_lately(root: Path) -> None:
    with Store.open(root) as store:
        for number in range(60):
            ident = buy(store, wish(digest(str(number))))
            with store.transaction() as db:
                journal.submitted(db, ident, f"job-{number}", 1000.0 + number)
                if number != 59:  # still running
                    back = -5.0 if number == 58 else float(number)  # the clock was set back
                    journal.ready(db, ident, 1000.0 + number + back, None)
        with store.reading() as db:
            assert journal.intervals(db, "apiframe", "gpt-image-2") == [float(n) for n in range(57, 7, -1)]
            assert journal.intervals(db, "apiframe", "gpt-image-1.5") == []


def test_the_ledger_by_project_and_time(root: Path) -> None:
    with Store.open(root) as store:
        for number, project in enumerate(("fika", "otto", "fika")):
            buy(store, wish(digest(str(number)), project=project, at=1000.0 + number))
        with store.reading() as db:
            assert [one.intent_at for one in journal.all_jobs(db)] == [1000.0, 1001.0, 1002.0]
            assert [one.intent_at for one in journal.all_jobs(db, project="fika")] == [1000.0, 1002.0]
            assert [one.intent_at for one in journal.all_jobs(db, project="fika", since=1002.0)] == [1002.0]


def test_nobody_else_can_read_what_was_sent_and_it_is_gone_from_the_disk_when_it_was_accepted(root: Path) -> None:
    secret = b"https://uploads.example/abc"
    with Store.open(root) as store:
        ident = buy(store, wish(body=b'{"image": "' + secret + b'"}' + b" " * 9000))  # more than a page
        assert secret in b"".join(file.read_bytes() for file in root.glob("store.db*"))
        assert [oct(file.stat().st_mode & 0o777) for file in root.glob("store.db*")] == ["0o600"] * 3
        with store.transaction() as db:
            journal.submitted(db, ident, "job-1", 1001.0)
    assert secret not in b"".join(file.read_bytes() for file in root.glob("store.db*"))


# ── stores of the release before ──


@pytest.fixture
def old(root: Path) -> Path:
    """A store as version 1 left it: one result, one tree, one path that was written."""
    with Store.open(root) as store:
        store.cas.put(b"one", durable=True)
    for file in root.glob("store.db*"):
        file.unlink()
    db = sqlite3.connect(root / "store.db")
    db.executescript((GOLDEN / "store-1.sql").read_text())
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    (root / "store.db").chmod(0o644)
    return root


def version(root: Path) -> int:
    db = sqlite3.connect(root / "store.db")
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def is_whole(store: Store) -> None:
    assert [take.blobs[0].digest for take in store.takes(KEY)] == [digest("one")]
    assert store.trees() == {"/p": ("assets.lock",)}
    assert store.written("/p") == {"art/poster.png": digest("one")}
    assert store.verify()[2:] == ((), (), ())
    assert store.stats().open_jobs == 0


def test_a_store_of_version_1_is_taken_over_with_all_it_has(old: Path) -> None:
    assert version(old) == 1
    for _ in range(2):
        with Store.open(old) as store:
            is_whole(store)
    assert version(old) == VERSION
    assert oct((old / "store.db").stat().st_mode & 0o777) == "0o600"
    with Store.open(old) as store:
        assert job(store, buy(store, wish())).state is State.INTENT


def owe(old: Path) -> None:
    """A row of version 1. No release could write one; but a debt is never dropped for that reason."""
    db = sqlite3.connect(old / "store.db")
    row = (9, KEY, 1, 0, 1, "submitted", "apiframe", "gpt-image-2", "fika", "poster", "idem", b"{}", 90_000, "job-9", 1000.0)
    names = "id, key, take, attempt, key_version, state, provider, model, project, asset, idempotency_key, body, reserved, remote_id, intent_at"
    db.execute(f"INSERT INTO jobs ({names}) VALUES ({journal.marks(row)})", row)  # noqa: S608
    db.commit()
    db.close()


def test_a_row_of_version_1_would_be_kept_too(old: Path) -> None:
    owe(old)
    with Store.open(old) as store:
        kept_job = job(store, 9)
        assert (kept_job.remote_id, kept_job.reserved, kept_job.count, kept_job.tags) == ("job-9", 90_000, 1, ())


def test_two_runs_at_once_take_a_store_of_version_1_over(old: Path) -> None:
    code = """
        import sys; from pathlib import Path
        from assetbuild.store import Store
        from tests.test_journal import buy, digest, wish
        print("ready", flush=True); sys.stdin.readline()
        with Store.open(Path(sys.argv[1])) as store:
            print(buy(store, wish(digest(sys.argv[2]))), flush=True)
    """
    children = [start(code, old, n) for n in range(4)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    done = [child.communicate("\n", timeout=60) for child in children]
    assert [child.returncode for child in children] == [0] * 4, [err for _, err in done]
    assert sorted(int(out) for out, _ in done) == [1, 2, 3, 4]
    with Store.open(old) as store:
        assert [take.take for take in store.takes(KEY)] == [1]


@pytest.mark.parametrize("when", ["BEGIN IMMEDIATE", "DROP TABLE jobs", "CREATE TABLE jobs", "PRAGMA user_version = ", "COMMIT"])
def test_a_kill_while_it_is_taken_over_leaves_either(old: Path, when: str) -> None:
    done = run(
        """
        import os, sqlite3, sys
        from pathlib import Path
        from assetbuild.store import Store
        real = sqlite3.connect
        def connect(*args, **kwargs):
            db = real(*args, **kwargs)
            db.set_trace_callback(lambda sql: os._exit(9) if sql.strip().startswith(sys.argv[2]) else None)
            return db
        sqlite3.connect = connect
        Store.open(Path(sys.argv[1]))
        """,
        old,
        when,
    )
    assert done.returncode == 9, done.stderr
    with Store.open(old) as store:
        is_whole(store)
        buy(store, wish())


def test_a_store_of_version_1_that_cant_be_written_still_answers(old: Path) -> None:
    content = (old / "store.db").read_bytes()
    with read_only(old), Store.open(old) as store:
        assert store.read_only
        is_whole(store)
        with store.reading() as db:
            assert journal.jobs_of(db, [KEY]) == {}
            assert journal.all_jobs(db) == []
            assert not journal.has_open(db)
        with pytest.raises(StoreError, match="can't be written"), store.transaction():
            pass
    assert (old / "store.db").read_bytes() == content


def test_a_damaged_store_of_version_1_is_repaired_into_one_of_today(old: Path) -> None:
    owe(old)
    whole = (old / "store.db").read_bytes()
    db = sqlite3.connect(old / "store.db")
    root_page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'jobs_time'").fetchone()[0]
    db.close()
    at = (root_page - 1) * 4096
    (old / "store.db").write_bytes(whole[:at] + b"\xa5" * 4096 + whole[at + 4096 :])
    salvage = set_aside(old)
    assert (salvage.rows["results"], salvage.rows["jobs"]) == (1, 1)
    assert version(old) == VERSION
    with Store.open(old) as store:
        assert [take.blobs[0].digest for take in store.takes(KEY)] == [digest("one")]
        assert store.verify()[2:] == ((), (), ())
        assert job(store, 9).remote_id == "job-9"


def test_a_repair_carries_every_debt_over(root: Path) -> None:
    with Store.open(root) as store:
        idents = [buy(store, wish(digest(str(n)), tags=("launch",), axes={"n": str(n)})) for n in range(40)]
        with store.transaction() as db:
            journal.submitted(db, idents[0], "job-0", 1001.0)
            journal.landed(db, idents[0], Landed(0, "", digest("one"), 3, "image/png"))
            before = journal.all_jobs(db)
            bodies = [journal.payload_of(db, ident) for ident in idents]
    copy = root.with_name("copy")
    shutil.copytree(root, copy)
    assert set_aside(copy).rows["jobs"] == 40
    with Store.open(copy) as store, store.reading() as db:
        assert journal.all_jobs(db) == before
        assert [journal.payload_of(db, ident) for ident in idents] == bodies


def test_the_budget_of_a_spec_that_says_nothing(root: Path) -> None:
    assert caps(Budget()) == Caps(per_run=5_000_000, unpriced=True)
    assert caps(Budget(), consent=1_140_000) == Caps(per_run=5_000_000, consent=1_140_000, unpriced=True)
    assert caps(Budget(), max_cost=2_000_000) == Caps(per_run=5_000_000, max_cost=2_000_000)
    assert caps(Budget(per_run=0, per_month=9)) == Caps(per_run=0, per_month=9)
    assert not caps(Budget(per_day=9)).unpriced
