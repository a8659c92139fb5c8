"""When a job is looked at: few looks, little delay, and no drift, over hundreds of simulated jobs."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate, islice
from typing import NamedTuple

import pytest

from assetbuild.polling import LONGEST, SHORTEST, waits

Latency = Callable[[random.Random], float]


class Seen(NamedTuple):
    looks: int
    delay: float  # of the job's time
    interval: float  # seconds, submit to seen


def simulated(latency: Latency, *, jobs: int = 200, at_once: int = 1, exchange: float = 0.01) -> list[Seen]:
    """Jobs that begin when `at_once` others are done; each one's looks follow the intervals that were seen before. The first are left
    out until five are known. An exchange takes `exchange` seconds, which is in what is seen.
    """
    chance, intervals, told = random.Random(3), list[float](), list[Seen]()  # noqa: S311 - the same jobs in every run
    while len(told) < jobs:
        known, batch = list(intervals), list[Seen]()
        for nth in range(at_once):
            end = latency(chance)
            for looks, moment in enumerate(accumulate(waits(known, nth=len(intervals) + nth)), 1):
                if moment >= end:
                    batch.append(Seen(looks, (moment - end) / end, moment + exchange))
                    break
        intervals += [seen.interval for seen in batch]
        if len(known) >= 5:
            told += batch
    return told


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def moments(intervals: list[float], count: int, nth: int | None = None, elapsed: float = 0.0) -> list[float]:
    return [round(moment, 3) for moment in islice(accumulate(waits(intervals, elapsed, nth)), count)]


def test_nothing_is_known() -> None:
    assert moments([], 8) == [0.5, 1, 2, 4, 8, 11, 14, 17]
    assert moments([15.0] * 4, 8) == moments([], 8), "four past jobs are not enough"


def test_what_is_known() -> None:
    """A model that always takes the same time is looked at well before (somewhere else each time), just before, at, and just after it."""
    assert moments([10.0] * 5, 6, nth=0) == [7.5, 9.6, 10.0, 10.3, 11.33, 12.463]
    assert [moments([10.0] * 5, 1, nth)[0] for nth in range(5)] == [7.5, 9.0, 8.0, 9.3, 7.5]
    assert moments([99.0] * 20 + [10.0] * 20, 3) == [7.5, 9.6, 10.0], "the newest twenty count"


def test_jobs_that_take_different_times() -> None:
    """Evenly over the times in which most jobs ended; every third job is looked at before that."""
    known = [10.0, 8, 12, 9, 11]
    assert moments(known, 7, nth=1) == moments(known, 7, nth=2) == [8.0, 8.8, 9.6, 10.4, 11.2, 12.0, 12.8]
    assert moments(known, 3, nth=3) == [6.4, 8.0, 8.8]


@pytest.mark.parametrize("at_once", [1, 50])
@pytest.mark.parametrize("seconds", [0.5, 2.0, 7.9, 8.05, 10.0, 10.9, 15.0, 40.0, 95.0])
def test_constant_latency(seconds: float, at_once: int) -> None:
    """The goal of the design: ≤ 4 looks a job and ≤ 5 % delay once five intervals are known, one by one or fifty at once. Nothing creeps
    upward: the last jobs are seen as early as the model allows.
    """
    told = simulated(lambda _: seconds, at_once=at_once, jobs=200 if at_once == 1 else 400)
    assert mean([seen.looks for seen in told]) <= 4
    assert mean([seen.delay for seen in told]) <= 0.05
    last = told[-20:]
    assert mean([seen.delay for seen in last]) <= 0.045
    assert max(seen.interval for seen in last) <= 1.06 * seconds + 0.02


@pytest.mark.parametrize("seconds", [2.0, 10.0, 15.0])
def test_latency_that_varies_by_a_fifth(seconds: float) -> None:
    told = simulated(lambda chance: seconds * chance.uniform(0.8, 1.2), jobs=400)
    assert mean([seen.looks for seen in told]) <= 4
    assert mean([seen.delay for seen in told]) <= 0.05
    early, late = told[50:150], told[-100:]
    assert abs(mean([s.interval for s in late]) / mean([s.interval for s in early]) - 1) < 0.05, "it drifts"


def test_latency_that_varies_a_lot() -> None:
    """Many models: half of the jobs within ± 20 %, some three times as long."""
    told = simulated(lambda chance: 15 * chance.lognormvariate(0, 0.3), jobs=400, at_once=10)
    assert mean([seen.looks for seen in told]) <= 4
    assert mean([seen.delay for seen in told]) <= 0.15


def test_a_vendor_that_gets_faster_or_slower_is_followed() -> None:
    for before, after in ((15.0, 6.0), (6.0, 15.0)):
        served = iter([before] * 40 + [after] * 1000)
        told = simulated(lambda _, served=served: next(served), jobs=140)
        assert mean([seen.delay for seen in told[-50:]]) <= 0.05
        assert mean([seen.looks for seen in told[-50:]]) <= 4


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
