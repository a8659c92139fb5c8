"""Looks at the jobs that are open at one vendor. Looks that fall due together are one list of what is done, where the vendor has one, and whatever it
tells of other open jobs reaches them at once. `polling.py` says when a look is due; this knows no journal and no money.

A job that isn't on the list goes on, or it has failed: only the job itself tells, and it is asked too when the list tells nothing for the third time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .providers.base import Pending, ProviderError, Ready
from .retrying import FREELY

GATHER = 0.01  # seconds in which looks that fall due come together
FEW = 3  # open jobs, up to which each is looked at alone
TRUSTED = 2  # looks in a row at which a job that isn't on the list is taken to go on

State = Pending | Ready


class Looks:
    """`module` and `http` are the vendor's; `freely` carries out a call that can't buy, patiently. When `stop` is set, nobody waits any more."""

    def __init__(
        self,
        module: Any,  # noqa: ANN401 - a provider
        http: Any,  # noqa: ANN401 - the contract's Http
        freely: Callable[[Callable[[], Awaitable[State]], float], Awaitable[State]],
        stop: asyncio.Event,
    ) -> None:
        self._module, self._http, self._freely, self._stop = module, http, freely, stop
        self._listing = getattr(module, "polls", None)
        self._news: dict[str, asyncio.Future[State | None]] = {}
        self._due: dict[str, asyncio.Future[State | None]] = {}
        self._unlisted: dict[str, int] = {}  # looks in a row at which the list told nothing
        self._round: asyncio.Task[None] | None = None
        self._stopped: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, remote: str) -> Iterator[None]:
        """While this job is open: to be held around `rest` and `look`."""
        self._news[remote] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            self._news.pop(remote, None)
            self._unlisted.pop(remote, None)
            if not self._news and self._stopped is not None:
                self._stopped.cancel()
                self._stopped = None

    async def rest(self, remote: str, seconds: float) -> Ready | None:
        """Waits so long, or until a listing tells that the job is done, or until the run is to stop."""
        if self._stopped is None:
            self._stopped = asyncio.ensure_future(self._wake())
        news = self._news[remote]
        if not self._stop.is_set():
            await asyncio.wait((news,), timeout=seconds)
        if not news.done():
            return None
        self._news[remote] = asyncio.get_running_loop().create_future()
        seen = news.result()
        return seen if isinstance(seen, Ready) else None

    async def look(self, remote: str, patience: float, *, alone: bool = False, trust: bool = True) -> State:
        """Where a job stands now; `alone`: by the job itself, whatever a list tells. `trust`: a list that doesn't name it may mean that it goes on, since it is
        young and will be looked at again; an older one may have slipped off the list. Raises ProviderError, as the provider's `poll`.
        """
        unlisted = self._unlisted.get(remote, 0)
        if not alone and self._listing is not None and len(self._news) > FEW:
            seen: asyncio.Future[State | None] = asyncio.get_running_loop().create_future()
            self._due[remote] = seen
            if self._round is None or self._round.done():
                self._round = asyncio.ensure_future(self._rounds())
            told = await seen
            if isinstance(told, Ready):
                return told
            if told is not None and trust and unlisted < TRUSTED:
                self._unlisted[remote] = unlisted + 1
                return told
        self._unlisted[remote] = 0
        return await self._freely(lambda: self._module.poll(remote, self._http), patience)

    async def _rounds(self) -> None:
        while self._due:
            await asyncio.sleep(GATHER)
            due, self._due = self._due, {}
            told: Mapping[str, Ready | None] = dict.fromkeys(due)
            try:
                if self._listing is not None:
                    told = await self._listing(self._news.keys() | due.keys(), len(due), self._http)
            except Exception as problem:  # a list is a favour: each job can still be asked for alone
                if not isinstance(problem, ProviderError) or problem.kind not in FREELY:
                    self._listing = None
            finally:
                for remote, seen in due.items():
                    if not seen.done():
                        seen.set_result(told.get(remote, Pending()))
            for remote, state in told.items():
                news = self._news.get(remote)
                if remote not in due and state is not None and news is not None and not news.done():
                    news.set_result(state)

    async def _wake(self) -> None:
        await self._stop.wait()
        for news in self._news.values():
            if not news.done():
                news.set_result(None)
