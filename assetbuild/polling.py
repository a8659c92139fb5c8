"""When to look whether a job is done. Knows past latencies and nothing else: no clock, no vendor, no job.

Looks are placed where jobs of this model have ended before. Every look costs an exchange, and every second between the end of a
job and the next look is a second that the user waits: the goal is four looks a job and a twentieth of its time.

What is known of the past are the moments in which an end was *seen*, so each one is late by up to one step. A schedule around
their median (0.9, 1.0, 1.1 of it) holds on to that: a job of 10 s that was first seen at 11 s is looked at after 9.9 s and 11 s
ever after. So there is always a look just below the time that is expected, and one that wanders well below it; whatever is
seen there moves the expectation down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

ENOUGH = 5  # past jobs, before they are trusted
RECENT = 20  # how many of them count: a vendor gets faster and slower
UNKNOWN = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds after the submit, when nothing is known
STEADY = 3.0  # seconds from there on; what vendors advise for pictures
WANDERING = (0.75, 0.9, 0.8, 0.93)  # of the expected time: the first look, another part for each job
NEAR = 0.96  # of it: the second one
OUTPOST = 3  # where jobs take very different times, every third one is also looked at before that range
STEPS = 5  # looks from the tenth fastest job in a hundred to the ninetieth
FASTER = 3  # jobs at the lower end in a row
TIGHT = 0.03  # of the expected time: closer together no look pays
LATER = 0.1  # of the time since the submit: the steps of a job that takes longer than most
UNKNOWN_LATER = 0.05  # the same for a model that we know nothing of
SHORTEST, LONGEST = 0.01, 300.0  # seconds between two looks


def waits(intervals: Sequence[float], elapsed: float = 0.0, nth: int | None = None) -> Iterator[float]:
    """Seconds to wait before each look at a job, without end. `intervals` are the seconds from submit to seen of past jobs of the same model,
    oldest first. `elapsed` are the seconds since this one was submitted: a job of an earlier run is looked at at once. `nth` is another number
    for each job (how many there were before, if nothing is said), so that jobs of one kind learn from different looks.
    """
    known = [seconds for seconds in intervals[-RECENT:] if seconds > 0]
    moments = _expected(known, len(intervals) if nth is None else nth) if len(known) >= ENOUGH else _unknown()
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


def _expected(known: Sequence[float], nth: int) -> Iterator[float]:
    """The same from intervals, oldest first: evenly over the times in which most jobs ended. When these are nearly one, or the last jobs
    all ended at the lower end (the vendor has become faster, who knows how much), close around it. `nth` differs from job to job.
    """
    ordered = sorted(known)
    first, last = ordered[round((len(known) - 1) * 0.1)], ordered[round((len(known) - 1) * 0.9)]
    step = max((last - first) / STEPS, TIGHT * first)
    if last - first < 2 * step or max(known[-FASTER:]) <= first * (1 + TIGHT):
        yield WANDERING[nth % len(WANDERING)] * first
        yield NEAR * first
    elif nth % OUTPOST == 0:
        yield first - 2 * step
    yield first
    moment = first
    while moment < last + step:
        moment += step
        yield moment
    while True:
        moment *= 1 + LATER
        yield moment
