"""No cap is ever exceeded, by a micro-dollar: not by many processes, not at the edge of a window, not by a clock that goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from assetbuild.spec.model import Budget
from assetbuild.store import Store, journal
from assetbuild.store.journal import State
from assetbuild.store.spending import (
    DAY,
    MONTH,
    Caps,
    Over,
    Reserved,
    Spent,
    Standing,
    Unpriced,
    Wish,
    caps,
    over,
    reserve,
    spent,
)

from .storing import digest, start
from .test_journal import wish

NONE = Caps(per_run=None)
NOW = 1_800_000_000.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


class Shop:
    """Purchases one after the other, each of another picture."""

    def __init__(self, root: Path) -> None:
        self.store = Store.open(root)
        self.number = 0

    def ask(self, limits: Caps, reserved: int | None = 100, **fields: Any) -> Any:
        self.number += 1
        with self.store.transaction() as db:
            return reserve(db, wish(digest(str(self.number)), **{"reserved": reserved, "at": NOW} | fields), limits)

    def buy(self, limits: Caps = NONE, reserved: int | None = 100, **fields: Any) -> int:
        got = self.ask(limits, reserved, **fields)
        assert isinstance(got, Reserved), got
        return got.id

    def do(self, act: Callable[..., Any], *words: Any) -> Any:
        with self.store.transaction() as db:
            return act(db, *words)

    def spent(self, now: float = NOW, run: str = "run-1", project: str = "fika", host: str | None = None) -> Spent:
        with self.store.reading() as db:
            return spent(db, project=project, run=run, now=now, host=host)


@pytest.fixture
def shop(root: Path) -> Any:
    one = Shop(root)
    yield one
    one.store.close()


@pytest.mark.parametrize(
    ("cap", "limits"),
    [
        ("per_run", Caps(per_run=250)),
        ("--max-cost", NONE._replace(max_cost=250)),
        ("consent", NONE._replace(consent=250)),
        ("per_day", NONE._replace(per_day=250)),
        ("per_month", NONE._replace(per_month=250)),
    ],
)
def test_each_cap_holds_to_the_micro_dollar(shop: Shop, cap: str, limits: Caps) -> None:
    shop.buy(limits)
    shop.buy(limits)
    assert shop.ask(limits, 51) == Over(cap, 250, 200, 51)
    shop.buy(limits, 50)
    assert shop.ask(limits, 1) == Over(cap, 250, 250, 1)
    assert isinstance(shop.ask(limits, 0), Reserved), "what costs nothing fits always"
    with shop.store.reading() as db:
        assert len(journal.all_jobs(db)) == 4, "what doesn't fit leaves no trace"


def test_what_binds_whom(shop: Shop) -> None:
    shop.buy(run="run-1", project="fika")
    shop.buy(run="run-1", project="otto")
    shop.buy(run="run-2", project="fika")
    assert shop.spent(run="run-1", project="fika") == Spent(run=200, priced=200, day=200, month=200)
    assert shop.spent(run="run-2", project="otto") == Spent(run=100, priced=100, day=100, month=100)
    assert shop.spent(run="run-3", project="none") == Spent()


@pytest.mark.parametrize(("length", "cap"), [(DAY, "per_day"), (MONTH, "per_month")])
def test_a_window_ends_exactly(shop: Shop, length: float, cap: str) -> None:
    limits = NONE._replace(**{cap: 100})
    shop.buy(limits, at=NOW)
    for late in (0.0, 1.0, length / 2, length - 0.001):
        assert shop.ask(limits, 1, at=NOW + late, run=f"run {late}") == Over(cap, 100, 100, 1)
    shop.buy(limits, at=NOW + length)
    assert shop.ask(limits, 1, at=NOW + length) == Over(cap, 100, 100, 1)


def test_a_clock_that_goes_back_opens_no_new_day(shop: Shop) -> None:
    limits = NONE._replace(per_day=200)
    shop.buy(limits, at=NOW)
    shop.buy(limits, at=NOW - 5 * DAY)  # the clock is wrong …
    assert shop.ask(limits, 1, at=NOW - 5 * DAY) == Over("per_day", 200, 200, 1)
    assert shop.ask(limits, 1, at=NOW + 60) == Over("per_day", 200, 200, 1), "… and right again"
    with shop.store.reading() as db:
        assert [one.intent_at for one in journal.all_jobs(db)] == [NOW - 5 * DAY, NOW], "the ledger keeps what the clock said"
    shop.buy(limits, at=NOW + DAY)


def test_a_clock_that_was_years_ahead_holds_nobody_up_and_hides_nothing(shop: Shop) -> None:
    limits = NONE._replace(per_day=300)
    shop.buy(limits, at=NOW + 400 * DAY)
    shop.buy(limits, at=NOW)
    shop.buy(limits, at=NOW)
    assert shop.ask(limits, 1, at=NOW) == Over("per_day", 300, 300, 1)
    shop.buy(limits, 200, at=NOW + DAY)


def test_nothing_but_the_vendors_word_frees_what_was_reserved(shop: Shop) -> None:
    limits = NONE._replace(per_day=500)
    intent, accepted, doubt, failed, refused = (shop.buy(limits) for _ in range(5))
    for ident in (accepted, doubt, failed, refused):
        shop.do(journal.submitted, ident, f"job-{ident}", NOW)
    shop.do(journal.in_doubt, doubt, "gone", NOW)
    shop.do(journal.failed, failed, "no", None, NOW)
    shop.do(journal.refused, refused, "no", None, NOW)
    assert shop.spent(NOW + 3600).day == 500, "no timeout and no death frees it"
    assert shop.ask(limits, 1) == Over("per_day", 500, 500, 1)
    shop.do(journal.submitted, doubt, "job-9", NOW)
    shop.do(journal.failed, doubt, "it had failed", 0, NOW)
    shop.do(journal.done, accepted, 30, NOW)
    shop.do(journal.failed, intent, "certainly not accepted", 0, NOW)
    assert shop.spent().day == 230
    shop.buy(limits, 270)
    assert shop.ask(limits, 1) == Over("per_day", 500, 500, 1)


def test_a_bill_above_the_reservation_counts_in_full_at_once(shop: Shop) -> None:
    limits = Caps(per_run=300)
    ident = shop.buy(limits)
    assert shop.do(journal.done, ident, 301, NOW).cost == 301
    assert shop.ask(limits, 1) == Over("per_run", 300, 301, 1)


def test_a_price_that_isnt_known_waits_under_a_stated_limit(shop: Shop) -> None:
    assert shop.ask(caps(Budget(per_day=10_000_000)), None) == Unpriced("budget")
    assert shop.ask(caps(Budget(), max_cost=10_000_000), None) == Unpriced("--max-cost")
    limits = caps(Budget(), consent=100)
    first, second = shop.buy(limits, None), shop.buy(limits, None)
    assert shop.spent() == Spent()
    assert shop.do(journal.done, first, 4_000_000, NOW) is None
    assert shop.spent() == Spent(run=4_000_000, priced=0, day=4_000_000, month=4_000_000)
    shop.buy(limits, 100)  # what was agreed to binds known prices only
    assert shop.ask(limits, 1) == Over("consent", 100, 100, 1)
    shop.do(journal.done, second, 999_900, NOW)
    assert shop.ask(limits, None) == Over("per_run", 5_000_000, 5_000_000, None), "nothing is left"


def test_the_same_key_isnt_bought_twice_at_once(shop: Shop) -> None:
    one = wish(take=2, count=3, reserved=100, at=NOW)
    with shop.store.transaction() as db:
        got = reserve(db, one, NONE)
        assert isinstance(got, Reserved)
    for other in (one, one._replace(take=1, count=1), one._replace(take=9)):
        with shop.store.transaction() as db:
            standing = reserve(db, other, NONE)
        assert isinstance(standing, Standing)
        assert standing.job.id == got.id
    shop.do(journal.in_doubt, got.id, "no answer came", NOW)
    with shop.store.transaction() as db:
        assert isinstance(reserve(db, one._replace(take=4, count=5), NONE), Standing), "it shares take 4"
        assert isinstance(reserve(db, one._replace(take=1, count=2), NONE), Standing), "it shares take 2"
        for free in (1, 5):
            got = reserve(db, one._replace(take=free, count=1), NONE)
            assert isinstance(got, Reserved), "paid for again, as told"
            journal.failed(db, got.id, "no", 0, NOW)


def test_each_attempt_has_an_idempotency_key_of_its_own_and_each_replay_the_same(shop: Shop) -> None:
    seen = []
    for cost in (0, 100):
        with shop.store.transaction() as db:
            got = reserve(db, wish(reserved=100, at=NOW), NONE)
        assert isinstance(got, Reserved)
        shop.do(journal.failed, got.id, "no", cost, NOW)
        with shop.store.reading() as db:
            job = journal.job_of(db, got.id)
        assert job.idempotency_key == got.idempotency_key
        seen.append((job.attempt, got.idempotency_key))
    key = wish().key
    assert seen == [(0, digest(f"{key} 1 0 1")), (1, digest(f"{key} 1 1 1"))]


def test_a_rehearsal_costs_no_money_and_has_attempts_of_its_own(shop: Shop) -> None:
    limits = NONE._replace(per_day=100)
    real, emulated = wish(reserved=100, at=NOW), wish(reserved=100, at=NOW, host="loopback", run="run-2")
    for one in (emulated, real):  # the first has failed, and the second is the first of its own
        with shop.store.transaction() as db:
            got = reserve(db, one, limits)
            assert isinstance(got, Reserved)
            assert journal.job_of(db, got.id).attempt == 0
            if one is emulated:
                journal.failed(db, got.id, "no", None, NOW)
                again = reserve(db, emulated, NONE)
                assert isinstance(again, Reserved)
                assert journal.job_of(db, again.id).attempt == 1
                journal.failed(db, again.id, "no", 0, NOW)
                assert isinstance(reserve(db, wish(digest("open"), reserved=0, at=NOW, host="loopback"), NONE), Reserved)
    assert shop.spent().day == shop.spent(host="loopback").day == 100
    assert shop.ask(limits, 1) == Over("per_day", 100, 100, 1)
    assert shop.ask(limits, 1, host="loopback", run="run-2") == Over("per_day", 100, 100, 1)
    assert shop.ask(limits, 1, host="proxy.example") == Over("per_day", 100, 100, 1), "another address is money all the same"


def test_the_look_and_the_row_belong_together(shop: Shop) -> None:
    with shop.store.reading() as db, pytest.raises(ValueError, match="one transaction"):
        reserve(db, wish(), NONE)


BUYER = """
    import json, random, sys
    from pathlib import Path
    from assetbuild.store import Store, journal
    from assetbuild.store.spending import Caps, Reserved, reserve
    from tests.storing import digest
    from tests.test_journal import wish
    root, me, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    limits = Caps(**json.loads(sys.argv[4]))
    chance = random.Random(f"{me}{seed}")
    print("ready", flush=True)
    sys.stdin.readline()
    with Store.open(root) as store:
        for n in range(40):
            at = 1e9 + chance.choice([0, -7200.0, 60.0])  # each process has a clock of its own
            price = chance.randrange(1, 9000)
            with store.transaction() as db:
                answer = reserve(db, wish(digest(f"{me} {n}"), reserved=price, at=at, run=me), limits)
            if not isinstance(answer, Reserved):
                continue
            end = chance.random()
            with store.transaction() as db:
                if end < 0.3:
                    journal.done(db, answer.id, chance.randrange(0, price + 1), at)
                elif end < 0.4:
                    journal.failed(db, answer.id, "no", 0, at)
                elif end < 0.5:
                    journal.in_doubt(db, answer.id, "no", at)
                if db.execute("SELECT sum(coalesce(cost, reserved, 0)) FROM jobs").fetchone()[0] > limits.per_day:
                    print("OVER", flush=True)
"""


def test_eight_processes_never_exceed_a_cap(root: Path) -> None:
    Store.open(root).close()
    limits = {"per_run": 26_000, "per_day": 200_000, "per_month": 190_000}
    children = [start(BUYER, root, f"run-{n}", 7, json.dumps(limits)) for n in range(8)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    ended = [child.communicate(timeout=300) for child in children]
    assert [child.returncode for child in children] == [0] * 8, ended
    assert not any("OVER" in out for out, _ in ended)
    with Store.open(root) as store, store.reading() as db:
        jobs = journal.all_jobs(db)
    assert sum(job.counts for job in jobs) <= 190_000
    by_run = {run: sum(job.counts for job in jobs if job.run == run) for run in {job.run for job in jobs}}
    assert max(by_run.values()) <= 26_000
    assert len(by_run) == 8, "all of them bought"
    assert sum(job.counts for job in jobs) > 190_000 - 9000, "and stopped at the limit, not before"
    assert {job.state for job in jobs} >= {State.INTENT, State.DONE, State.FAILED, State.IN_DOUBT}


moments = some.integers(min_value=0, max_value=40 * int(DAY)).map(float)
purchases = some.lists(
    some.tuples(
        some.one_of(some.none(), some.integers(0, 400)),
        moments,
        some.sampled_from(["run-1", "run-2"]),
        some.sampled_from(["done", "failed", "open", "doubt"]),
        some.integers(0, 100),
    ),
    max_size=25,
)
limit = some.one_of(some.none(), some.integers(0, 1000))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(purchases, some.builds(Caps, limit, limit, limit, limit, limit, some.booleans()))
def test_whatever_is_bought_whenever_no_cap_is_exceeded(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[Any], limits: Caps
) -> None:
    """Against a plain re-count in the order in which it happened; the clock jumps at will, by less than what is plainly wrong."""
    shop = Shop(tmp_path_factory.mktemp("caps") / "store")
    counted: list[tuple[str, float, int, bool]] = []  # run, true place in time, counts, price known
    latest = 0.0
    try:
        for reserved, at, run, end, part in wanted:
            latest = max(latest, at) if latest <= at + MONTH else at
            got = shop.ask(limits, reserved, at=at, run=run)
            need = 1 if reserved is None else reserved
            held = {
                "run": (sum(c for r, _, c, _ in counted if r == run), limits.per_run),
                "cost": (sum(c for r, _, c, _ in counted if r == run), limits.max_cost),
                "consent": (sum(c for r, _, c, k in counted if r == run and k), None if reserved is None else limits.consent),
                "day": (sum(c for _, t, c, _ in counted if t > latest - DAY), limits.per_day),
                "month": (sum(c for _, t, c, _ in counted if t > latest - MONTH), limits.per_month),
            }
            fits = all(most is None or used + need <= most for used, most in held.values())
            fits = fits and (reserved is not None or limits.unpriced)
            assert isinstance(got, Reserved) == fits, (got, held)
            if not isinstance(got, Reserved):
                continue
            cost = {"done": (reserved or 0) * part // 100, "failed": 0}.get(end)
            if end == "doubt":
                shop.do(journal.in_doubt, got.id, "no", at)
            elif cost is not None:
                words = ("no",) if end == "failed" else ()
                shop.do(getattr(journal, end), got.id, *words, cost, at)
            counted.append((run, latest, (reserved or 0) if cost is None else cost, reserved is not None))
            now = shop.spent(latest, run)
            for used, most in ((now.run, limits.per_run), (now.day, limits.per_day), (now.month, limits.per_month)):
                assert most is None or used <= most
    finally:
        shop.store.close()


@given(some.builds(Spent, *[some.integers(0, 99)] * 4), some.one_of(some.none(), some.integers(0, 99)))
def test_a_plan_asks_the_same_question(used: Spent, needed: int | None) -> None:
    limits = Caps(50, 60, 70, 80, 55, unpriced=True)
    assert (over(limits, used, needed) is None) == all(
        spent_so_far + (1 if needed is None else needed) <= most
        for spent_so_far, most in (
            (used.run, 50),
            (used.run, 60),
            (used.day, 70),
            (used.month, 80),
            *(() if needed is None else ((used.priced, 55),)),
        )
    )
    assert used.plus(5) == Spent(*(value + 5 for value in used))


def test_what_is_asked_before_each_purchase_is_answered_from_indexes_alone(shop: Shop) -> None:
    """Bodies are never read for it."""
    with shop.store.reading() as db:
        for sql in (
            "SELECT coalesce(sum(coalesce(cost, reserved, 0)), 0) FROM jobs WHERE project = 'fika' AND counted_at > 1 AND (host IS 'x') = 0",
            "SELECT coalesce(sum(coalesce(cost, reserved, 0)), 0) FROM jobs WHERE run = 'run-1'",
        ):
            plan = " ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {sql}"))
            assert "USING COVERING INDEX" in plan, plan


def test_how_long_a_day_and_a_month_are() -> None:
    assert (DAY, MONTH) == (86_400, 2_592_000)


def test_a_wish_says_all_that_the_ledger_needs() -> None:
    assert set(Wish._fields) - {"at"} <= set(journal.Job._fields) | {"path", "body"}


def test_bills_above_the_price_are_remembered(root: Path) -> None:
    """Of this vendor, this model and the last month, by what one picture was expected to cost; the last bill of each."""
    shop = Shop(root)

    def billed(cost: int, reserved: int = 100, **fields: Any) -> None:
        ident = shop.buy(reserved=reserved, **fields)
        with shop.store.transaction() as db:
            journal.done(db, ident, cost, NOW)

    billed(100)
    billed(90)
    billed(250, host="loopback")
    billed(250, model="another")
    billed(250, at=NOW - MONTH - 1)
    known = wish(digest("any"))

    def remembered(host: str | None = None) -> dict[int, int]:
        with shop.store.reading() as db:
            return journal.overbilled(db, known.provider, known.model, host, NOW - MONTH)

    assert remembered() == {}
    assert remembered("loopback") == {100: 250}
    billed(120)
    billed(130)
    billed(900, reserved=300, count=3, images=3)
    assert remembered() == {100: 300}
    billed(500, reserved=400)
    assert remembered() == {100: 300, 400: 500}
