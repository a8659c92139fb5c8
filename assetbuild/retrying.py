"""What is tried again, when, and for how long. Reads `ProviderError.kind` and nothing else of a failure; knows no vendor, no HTTP, no
job.

Not tenacity: a wait here ends at once when the run is to stop, and a `Retry-After` is the vendor's word and no strategy of ours.
"""

from __future__ import annotations

import asyncio
import random as chance
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from .providers.base import Kind, ProviderError

Result = TypeVar("Result")

FREELY = frozenset(
    {Kind.RATE_LIMITED, Kind.TEMPORARY, Kind.UNKNOWN_OUTCOME}
)  # for what buys nothing: polls, downloads, lists, uploads
POLL_PATIENCE = 600.0  # seconds, for all tries together
SUBMIT_PATIENCE = 300.0
FIRST, MOST = 0.5, 30.0  # seconds: the waits double between these, and each is a random part of that ("full jitter")
SPREAD = 0.1  # of what the vendor asked for, at most a second: those who were told together don't come back together


def submit_again(kind: Kind, *, replayable: bool) -> bool:
    """Whether a submit may be sent again: if nothing was accepted; or, when that isn't known, as a replay under the same key, while the vendor
    keeps it (`replayable`).
    """
    return kind in (Kind.RATE_LIMITED, Kind.TEMPORARY) or (kind is Kind.UNKNOWN_OUTCOME and replayable)


async def rest(seconds: float, stop: asyncio.Event | None) -> bool:
    """Wait so long, or until the run is to end (`stop`); True if it is."""
    if stop is None:
        await asyncio.sleep(seconds)
        return False
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()


async def retried(
    call: Callable[[], Awaitable[Result]],
    *,
    again: Callable[[ProviderError], bool] | frozenset[Kind],
    patience: float,
    stop: asyncio.Event | None = None,
    told: Callable[[ProviderError, float], None] | None = None,
    sleep: Callable[[float, asyncio.Event | None], Awaitable[bool]] = rest,
    now: Callable[[], float] = time.monotonic,
    random: Callable[[], float] = chance.random,
) -> Result:
    """The first result of `call`, tried again while `again` says so and `patience` seconds aren't over. A vendor's "not before" is kept to the
    second. `told` hears of each wait before it begins: why, and how many seconds.

    Raises the last ProviderError, with how often and how long it was tried in its text: when patience ends, when the vendor asks for more of
    it than there is, or when the run is to end (`stop`).
    """
    began, tries = now(), 0
    while True:
        try:
            return await call()
        except ProviderError as error:
            tries += 1
            if not (error.kind in again if isinstance(again, frozenset) else again(error)):
                raise
            failure = error
        wait = _wait(failure, tries, random())
        spent = now() - began
        if spent + wait > patience:
            raise _tired(failure, tries, spent) from None
        if told is not None:
            told(failure, wait)
        if await sleep(wait, stop):
            raise _tired(failure, tries, now() - began) from None


def _wait(failure: ProviderError, tries: int, part: float) -> float:
    """Seconds before the next try. `part` is 0 to 1."""
    if failure.kind is Kind.RATE_LIMITED and failure.after is not None:
        return failure.after + part * min(1.0, SPREAD * failure.after)
    return part * min(MOST, FIRST * 2.0 ** min(tries - 1, 16))


def _tired(failure: ProviderError, tries: int, seconds: float) -> ProviderError:
    """The failure, with how often it was tried. Of the same class and with all it knows."""
    if tries == 1:
        return failure
    copy = type(failure).__new__(type(failure))
    copy.__dict__.update(failure.__dict__)
    copy.text = f"{failure.text} (tried {tries} times in {seconds:.0f} s)"
    copy.args = (copy.text,)
    return copy
