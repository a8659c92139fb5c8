"""When a job is looked at: few looks, little delay, and no drift, over hundreds of simulated jobs."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate, islice
from typing import NamedTuple

import pytest

from assetbuild.polling import LONGEST, SHORTEST, learned, waits

Latency = Callable[[random.Random], float]


class Seen(NamedTuple):
    looks: int
    delay: float  # of the job's time
    interval: float  # seconds, as it is remembered


def simulated(latency: Latency, *, jobs: int = 200, at_once: int = 1, exchange: float = 0.01, told: bool = False) -> list[Seen]:
    """Jobs that begin when `at_once` others are done; each one's looks follow the intervals that were learned before. The first are left
    out until five are known. An exchange takes `exchange` seconds, which is in what is seen. `told`: the vendor says how long each job took.
    """
    chance, intervals, seen = random.Random(3), list[float](), list[Seen]()  # noqa: S311 - the same jobs in every run
    while len(seen) < jobs:
        known, batch = list(intervals), list[Seen]()
        for nth in range(at_once):
            end = latency(chance)
            for looks, moment in enumerate(accumulate(waits(known)), 1):
                if moment >= end:
                    interval = end + exchange if told else learned(moment + exchange, looks, len(intervals) + nth)
                    batch.append(Seen(looks, (moment - end) / end, interval))
                    break
        intervals += [one.interval for one in batch]
        if len(known) >= 5:
            seen += batch
    return seen


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def moments(intervals: list[float], count: int, elapsed: float = 0.0) -> list[float]:
    return [round(moment, 3) for moment in islice(accumulate(waits(intervals, elapsed)), count)]


def test_nothing_is_known() -> None:
    assert moments([], 8) == [0.5, 1, 2, 4, 8, 11, 14, 17]
    assert moments([15.0] * 4, 8) == moments([], 8), "four past jobs are not enough"


def test_what_is_known() -> None:
    """A model that always takes the same time is looked at once, and again just after it."""
    assert moments([10.0] * 5, 4) == [10.0, 10.3, 11.33, 12.463]
    assert moments([99.0] * 20 + [10.0] * 20, 3) == [10.0, 10.3, 11.33], "the newest twenty count"
    assert moments([10.0, 10.1, 10.0, 10.2, 10.1, 900.0], 2) == [10.2, 10.5], "and one that was long in coming doesn't"


def test_jobs_that_take_different_times() -> None:
    """Evenly over the times in which most jobs ended."""
    assert moments([10.0, 8, 12, 9, 11], 7) == [8.0, 8.889, 9.778, 10.667, 11.556, 12.444, 13.333]


def test_an_end_that_the_first_look_sees_may_have_come_before_it() -> None:
    assert learned(10.0, 2, 7) == 10.0, "the look before said that it wasn't done"
    assert [round(learned(10.0, 1, nth), 2) for nth in range(5)] == [9.7, 9.4, 8.8, 7.5, 9.7]


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("at_once", [1, 50])
@pytest.mark.parametrize("seconds", [0.5, 2.0, 7.9, 8.05, 10.0, 10.9, 15.0, 40.0, 95.0])
def test_constant_latency(seconds: float, at_once: int, told: bool) -> None:
    """The goal of the design: ≤ 4 looks a job and ≤ 5 % delay once five intervals are known, one by one or fifty at once; at once, if the vendor
    tells what it took, else when fifty were seen. Nothing creeps upward.
    """
    seen = simulated(lambda _: seconds, at_once=at_once, jobs=200 if at_once == 1 else 450, told=told)
    if at_once > 1 and not told:
        seen = seen[50:]
    assert mean([one.looks for one in seen]) <= (1 if told else 4)
    assert mean([one.delay for one in seen]) <= (0.021 if told else 0.05)
    assert mean([one.delay for one in seen[-100:]]) <= 0.045
    assert max(one.interval for one in seen[-20:]) <= 1.06 * seconds + 0.02


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("seconds", [2.0, 10.0, 15.0])
def test_latency_that_varies_by_a_fifth(seconds: float, told: bool) -> None:
    seen = simulated(lambda chance: seconds * chance.uniform(0.8, 1.2), jobs=400, told=told)
    assert mean([one.looks for one in seen]) <= 4
    assert mean([one.delay for one in seen]) <= 0.05
    early, late = seen[50:150], seen[-100:]
    assert abs(mean([s.interval for s in late]) / mean([s.interval for s in early]) - 1) < 0.05, "it drifts"


@pytest.mark.parametrize("told", [False, True])
def test_latency_that_varies_a_lot(told: bool) -> None:
    """Many models: half of the jobs within ± 20 %, some three times as long."""
    seen = simulated(lambda chance: 15 * chance.lognormvariate(0, 0.3), jobs=400, at_once=10, told=told)
    assert mean([one.looks for one in seen]) <= 4
    assert mean([one.delay for one in seen]) <= 0.15


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize(("before", "after"), [(15.0, 6.0), (6.0, 15.0)])
def test_a_vendor_that_gets_faster_or_slower_is_followed(before: float, after: float, told: bool) -> None:
    served = iter([before] * 40 + [after] * 1000)
    seen = simulated(lambda _: next(served), jobs=140, told=told)
    assert mean([one.delay for one in seen[-50:]]) <= 0.05
    assert mean([one.looks for one in seen[-50:]]) <= 4


def test_a_job_that_never_ends_is_looked_at_less_and_less() -> None:
    for known in ([], [15.0] * 20, [0.01] * 20):
        gaps = list(islice(waits(known), 500))
        assert all(SHORTEST <= gap <= LONGEST for gap in gaps)
        hour = next(n for n, moment in enumerate(accumulate(gaps)) if moment > 3600)
        assert hour < 150, "an hour of waiting costs less than 150 looks"


def test_a_job_of_an_earlier_run_is_looked_at_at_once() -> None:
    assert moments([], 4, elapsed=3.0) == [0.0, 1.0, 5.0, 8.0]
    gaps = list(islice(waits([15.0] * 5, elapsed=86_400.0), 3))
    assert gaps[0] == 0.0
    assert all(SHORTEST <= gap <= LONGEST for gap in gaps[1:])
