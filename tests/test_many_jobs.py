"""What many jobs say in one moment is written in few statements, and means what it would mean said one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from assetbuild.store import Blob, Store, Take, Written, journal
from assetbuild.store.journal import Ended, Landed
from assetbuild.store.spending import DAY, Caps, Wish, reserve, reserve_all

from .storing import digest
from .test_journal import wish

NOW = 1_800_000_000.0
KEYS = [digest(f"key {n}") for n in range(6)]

wishes = some.lists(
    some.builds(
        lambda key, take, count, reserved, at, host, run: wish(
            key, take=take, count=count, reserved=reserved, at=at, host=host, run=run
        ),
        some.sampled_from(KEYS),
        some.integers(1, 2),
        some.integers(1, 2),
        some.sampled_from([None, 0, 10, 100]),
        some.sampled_from([1000.0, 1000.5, 900.0]),
        some.sampled_from([None, None, None, "loopback"]),
        some.sampled_from(["run-1", "run-1", "run-1", "run-2"]),
    ),
    min_size=1,
    max_size=30,
)
limits = some.sampled_from([Caps(per_run=None, unpriced=True), Caps(per_run=250), Caps(per_run=None, per_day=320, unpriced=True)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One for all: what is tried in it is undone."""
    with Store.open(tmp_path_factory.mktemp("many") / "store") as opened:
        yield opened


class Undo(Exception):
    pass


def everything(db: Any) -> list[Any]:
    return [
        db.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()  # noqa: S608
        for table in ("jobs", "results", "result_blobs", "written")
    ]


def both(
    store: Store, one: Callable[[Any, Any], Any], all_of: Callable[[Any, list[Any]], Any], told: Sequence[Any], before: Any = None
) -> Any:
    """The same said one after the other, and at once; gives what was answered, once."""
    answers, left = [], []
    for singly in (True, False):
        with suppress(Undo), store.transaction(durable=False) as db:
            if before is not None:
                before(db)
            answers.append([one(db, each) for each in told] if singly else all_of(db, list(told)))
            left.append(everything(db))
            raise Undo
    assert left[0] == left[1]
    assert answers[0] == answers[1]
    return answers[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wishes, limits)
def test_reservations(store: Store, wanted: list[Wish], caps: Caps) -> None:
    """The caps hold for the last of them as if the others had been made before it."""
    both(store, lambda db, one: reserve(db, one, caps), lambda db, many: reserve_all(db, many, caps), wanted)


def test_a_clock_that_is_set_between_two_of_them(store: Store) -> None:
    """The second would count as of forty days ahead, where nothing was spent yet."""

    def before(db: Any) -> None:
        reserve(db, wish(digest("before"), reserved=150, at=NOW), Caps(per_run=None))

    caps = Caps(per_run=None, per_day=200)
    wanted = [wish(digest("ahead"), reserved=100, at=NOW + 40 * DAY), wish(digest("right"), reserved=100, at=NOW + 1)]
    got = both(store, lambda db, one: reserve(db, one, caps), lambda db, many: reserve_all(db, many, caps), wanted, before)
    assert [type(one).__name__ for one in got] == ["Reserved", "Over"]


def test_more_reservations_than_one_statement_takes(store: Store) -> None:
    wanted = [wish(digest(f"{n}"), reserved=10) for n in range(130)]
    caps = Caps(per_run=1205)
    got = both(store, lambda db, one: reserve(db, one, caps), lambda db, many: reserve_all(db, many, caps), wanted)
    assert [getattr(one, "id", 0) for one in got] == [*range(1, 121), *[0] * 10]


def bought(count: int) -> Callable[[Any], None]:
    """So many jobs; of the second and each fourth after it nobody knows anything."""

    def fill(db: Any) -> None:
        for n in range(count):
            reserve(db, wish(digest(f"{n}"), reserved=100), Caps(per_run=None))
        for n in range(2, count + 1, 4):
            journal.in_doubt(db, n, "no answer", 1.0)

    return fill


def accepted(count: int) -> Callable[[Any], None]:
    def fill(db: Any) -> None:
        bought(count)(db)
        for n in range(1, count + 1):
            journal.submitted(db, n, f"job-{n}", 1000.25 + n)

    return fill


@pytest.mark.parametrize("count", [1, 2, 120])
def test_accepted(store: Store, count: int) -> None:
    told = [(n, f"job-{n}", 1000.1 * n) for n in range(1, count + 1)]
    both(store, lambda db, one: journal.submitted(db, *one), journal.submitted_all, told, bought(count))
    both(store, lambda db, one: journal.submitted(db, *one), journal.submitted_all, [*told, told[0]], bought(count))


@pytest.mark.parametrize("count", [1, 2, 120])
def test_ready(store: Store, count: int) -> None:
    told = [(n, 1010.3 + n, (None, 4.0, 0.1)[n % 3], n % 5) for n in range(1, count + 1)]
    both(store, lambda db, one: journal.ready(db, *one), journal.ready_all, told, accepted(count))
    both(
        store, lambda db, one: journal.ready(db, *one), journal.ready_all, told, bought(count)
    )  # too early for all: nothing is kept


def test_landed(store: Store) -> None:
    told = [(n, Landed(p, "ä\"'" * p, digest(f"{n} {p}"), p, "image/png")) for n in (1, 2, 3) for p in (0, 11, 2)]
    both(store, lambda db, one: journal.landed(db, *one), journal.landed_all, told, accepted(3))
    with pytest.raises(KeyError):
        both(store, lambda db, one: None, journal.landed_all, [told[0], (77, told[0][1])], accepted(3))


@pytest.mark.parametrize("count", [1, 2, 120])
def test_done(store: Store, count: int) -> None:
    told = [Ended(n, (None, 80, 100, 101)[n % 4], 1020.7, (None, 4.0)[n % 2], (None, "paid")[n % 2]) for n in range(1, count + 1)]
    overs = both(
        store,
        lambda db, one: journal.done(db, one.id, one.cost, one.at, credits=one.credits, note=one.note),
        journal.done_all,
        told,
        accepted(count),
    )
    assert [over is not None for over in overs] == [n % 4 == 3 for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (journal.submitted_all, [(1, "job-1", 5.0), (2, "another", 5.0)]),
        (journal.done_all, [Ended(1, 0, 5.0, None, None), Ended(3, 0, 5.0, None, None)]),
    ],
)
def test_one_that_isnt_as_it_must_be_raises(store: Store, act: Callable[[Any, Any], Any], told: Any) -> None:
    def before(db: Any) -> None:
        accepted(3)(db)
        journal.failed(db, 3, "no", 0, 2.0)

    with pytest.raises(ValueError, match="can't become"):
        both(store, lambda db, one: None, act, told, before)


def test_results_and_what_is_put_where(store: Store) -> None:
    """Also two of one key, of which the second has other pictures under the same number, and one that is there already."""

    def of(key: int, number: int, *pictures: str) -> Take:
        blobs = tuple(Blob(f"m{n}", digest(one), len(one), "image/png") for n, one in enumerate(pictures))
        return Take(KEYS[key], number, 1, blobs, "apiframe/gpt-image-2", None, 7, 3.5, {"ü": 1}, None, False)

    for n in range(200):
        store.cas.put(f"{n}".encode(), durable=False)
    takes = [of(0, 1, "10"), of(1, 1, "1"), of(2, 1, "3"), of(3, 1, "4", "5"), of(3, 1, "6"), of(3, 1, "4", "5"), of(3, 7, "8")]
    takes += [of(4, n, f"{n}") for n in range(20, 190)]
    given = both(
        store,
        lambda db, take: store.record_in(db, [take])[0],
        store.record_in,
        takes,
        lambda db: store.record_in(db, [of(1, 1, "1"), of(2, 1, "2")]),
    )
    assert [take.take for take in given[:7]] == [1, 1, 2, 1, 2, 1, 7]
    put = [Written("/tree", f"{n}.png", digest(f"{n}"), KEYS[0]) for n in range(500)]
    put.append(Written("/tree", "7.png", digest("8"), None))
    both(store, lambda db, row: store.record_in(db, [], [row]), lambda db, rows: [store.record_in(db, [], rows)] * len(rows), put)


def test_many_are_few_statements(tmp_path: Path) -> None:
    said: list[str] = []
    with Store.open(tmp_path / "store") as store:
        with store.transaction() as db:
            db.set_trace_callback(said.append)
            caps = Caps(per_run=None)
            reserve_all(db, [wish(digest(f"{n}")) for n in range(100)], caps)
            journal.submitted_all(db, [(n, f"job-{n}", 1001.0) for n in range(1, 101)])
            journal.ready_all(db, [(n, 1011.0, 4.0, 1) for n in range(1, 101)])
            journal.landed_all(db, [(n, Landed(0, "", digest("a"), 1, "image/png")) for n in range(1, 101)])
            journal.done_all(db, [Ended(n, 90_000, 1012.0, 4.0, None) for n in range(1, 101)])
            db.set_trace_callback(None)
        with store.reading() as db:
            assert {one.state for one in journal.all_jobs(db)} == {journal.State.DONE}
    assert len(said) < 25, "five for each hundred jobs"
