"""How often a vendor may be asked, and how many may be on their way. Knows a clock and limits; knows no request and no answer."""

from __future__ import annotations

import asyncio
from types import TracebackType

from .providers.base import Kind, ProviderError
from .retrying import rest


class Bucket:
    """How often a vendor may be asked: `burst` at once, `per_minute` in the long run, first come first served. While a pause is on it is
    nobody's turn, and after it the bucket is empty, so that they don't come back all at once (why it isn't aiolimiter's).
    """

    def __init__(self, host: str, per_minute: int, burst: int, stop: asyncio.Event | None = None) -> None:
        self._host, self._stop = host, stop
        self._gap = 60 / per_minute
        self._slack = (burst - 1) * self._gap
        self._full = (
            0.0  # when the bucket would be full again, by the loop's clock (the "theoretical arrival time" of ATM's GCRA)
        )
        self._until = 0.0  # the end of the pause

    async def turn(self) -> None:
        """Wait until it is the caller's turn. Raises ProviderError: RATE_LIMITED with the rest of a pause, so that who can stop and be told
        does the waiting; TEMPORARY when the run ends first.
        """
        self.check()
        loop = asyncio.get_running_loop()
        now = loop.time()
        moment = max(now, self._full - self._slack)
        self._full = max(self._full, moment) + self._gap
        if moment > now and await rest(moment - now, self._stop):
            raise ProviderError(Kind.TEMPORARY, f"{self._host} wasn't asked any more: the run ends")
        self.check()

    def check(self) -> None:
        """Raises ProviderError (RATE_LIMITED) while a pause is on."""
        left = self._until - asyncio.get_running_loop().time()
        if left > 0:
            raise ProviderError(Kind.RATE_LIMITED, f"{self._host} gets more requests than it allows", after=left)

    def pause(self, seconds: float) -> None:
        """Nobody's turn for so long."""
        until = asyncio.get_running_loop().time() + seconds
        if until > self._until:
            self._until = until
            self._full = until + self._slack


class Hall:
    """So many places; `empty` is set while nobody has one."""

    def __init__(self, places: int) -> None:
        self._places, self._here = asyncio.Semaphore(places), 0
        self.empty = asyncio.Event()
        self.empty.set()

    async def enter(self) -> None:
        """Waits for a place."""
        await self._places.acquire()
        self._here += 1
        self.empty.clear()

    def leave(self) -> None:
        """Gives one up."""
        self._places.release()
        self._here -= 1
        if not self._here:
            self.empty.set()


class Place:
    """A place in a hall; `async with`. Given up at the end, or sooner by who needs it no longer."""

    def __init__(self, hall: Hall) -> None:
        self._hall, self._held = hall, False

    async def __aenter__(self) -> Place:
        """Itself, once there is one."""
        await self._hall.enter()
        self._held = True
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Gives it up."""
        self.leave()

    def leave(self) -> None:
        """Somebody else may have it. Again is no harm."""
        if self._held:
            self._held = False
            self._hall.leave()
