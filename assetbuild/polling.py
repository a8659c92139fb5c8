"""When to look whether a job is done. Knows past latencies and nothing else: no clock, no vendor, no job.

Looks are placed where jobs of this model have ended before. Every look costs an exchange, and every second between the end of a
job and the next look is a second that the user waits: the goal is four looks a job and a twentieth of its time.

A vendor may say how long a job took. From one that doesn't we only know when the end was *seen*, which is late by up to one step, and a
schedule around such times would hold on to them: a job of 10 s that was first seen at 11 s would be looked at after 11 s ever after.
So an end that the very first look sees is taken to have come a little before (`learned`): the schedule feels its way down until a look comes
too early, and goes up again by one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

ENOUGH = 5  # past jobs, before they are trusted
RECENT = 20  # how many of them count: a vendor gets faster and slower
UNKNOWN = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds after the submit, when nothing is known
STEADY = 3.0  # seconds from there on; what vendors advise for pictures
LAST = 3  # the newest ones: where jobs take nearly one time, these say which
STEPS = 4.5  # looks from the tenth fastest job in a hundred to the ninetieth
TIGHT = 0.03  # of the expected time: closer together no look pays
FEEL = (
    0.03,
    0.06,
    0.12,
    0.25,
)  # of the time at which the first look saw the end: as much earlier it may have been, for one job or the next
LATER = 0.1  # of the time since the submit: the steps of a job that takes longer than most
UNKNOWN_LATER = 0.05  # the same for a model that we know nothing of
SHORTEST, LONGEST = 0.01, 300.0  # seconds between two looks


def learned(seen: float, looks: int, nth: int) -> float:
    """How long the `nth` job took, in seconds, that was seen to be done `seen` seconds after its submit, at so many looks; for `waits`."""
    return seen * (1 - FEEL[nth % len(FEEL)]) if looks == 1 else seen


def waits(intervals: Sequence[float], elapsed: float = 0.0) -> Iterator[float]:
    """Seconds to wait before each look at a job, without end. `intervals` are the seconds that past jobs of the same model took, oldest first.
    `elapsed` are the seconds since this one was submitted: a job of an earlier run is looked at at once.
    """
    known = [seconds for seconds in intervals[-RECENT:] if seconds > 0]
    moments = _expected(known) if len(known) >= ENOUGH else _unknown()
    now = elapsed
    if elapsed > 0:
        yield 0.0
    for moment in moments:
        wait = min(moment - now, LONGEST)
        while wait >= SHORTEST:
            yield wait
            now += wait
            wait = min(moment - now, LONGEST)


def _unknown() -> Iterator[float]:
    """Moments in seconds after the submit."""
    yield from UNKNOWN
    moment = UNKNOWN[-1]
    while True:
        moment += max(STEADY, UNKNOWN_LATER * moment)
        yield moment


def _expected(known: Sequence[float]) -> Iterator[float]:
    """The same from intervals, oldest first: evenly over the times in which most jobs ended; once, where these are nearly one."""
    ordered = sorted(known)
    first, last = ordered[round((len(known) - 1) * 0.1)], ordered[round((len(known) - 1) * 0.9)]
    step = max((last - first) / STEPS, TIGHT * first)
    newest = max(known[-LAST:])
    narrow = last - first < 2 * step or newest <= first * (1 + TIGHT)  # or the vendor has become faster
    moment = min(newest, last) if narrow else first
    yield moment
    while moment < last + step:
        moment += step
        yield moment
    while True:
        moment *= 1 + LATER
        yield moment
