"""Many small wishes of one event loop, carried out as few calls in a worker thread: what is asked for while a call runs goes
together into the next one. It knows nothing of what the calls do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


class Gathered(Generic[Wish, Answer]):
    """`work` takes the wishes of one round and gives an answer to each, in their order; it does all of them or none.

    What it raises of the kind `for_all` (the disk refuses, say) is raised to all of them. Anything else is the fault of one wish, and
    nobody else's: then each is carried out alone.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        threads: Executor,
        work: Callable[[list[Wish]], Sequence[Answer]],
        for_all: type[Exception],
    ) -> None:
        self._loop, self._threads, self._work, self._for_all = loop, threads, work, for_all
        self._waiting: list[tuple[Wish, asyncio.Future[Answer]]] = []
        self._round: asyncio.Task[None] | None = None

    async def ask(self, wish: Wish) -> Answer:
        """The answer, once a round has been made with this wish in it."""
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting.append((wish, answer))
        if self._round is None or self._round.done():
            self._round = asyncio.ensure_future(self._rounds())
        return await answer

    async def close(self) -> None:
        """Waits until nothing is under way."""
        if self._round is not None:
            await asyncio.gather(self._round, return_exceptions=True)

    async def _rounds(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            await self._carry_out(asked)

    async def _carry_out(self, asked: list[tuple[Wish, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._loop.run_in_executor(self._threads, self._work, [wish for wish, _ in asked])
        except BaseException as problem:
            if len(asked) > 1 and isinstance(problem, Exception) and not isinstance(problem, self._for_all):
                for one in asked:
                    await self._carry_out([one])
                return
            for _, future in asked:
                if not future.done():
                    future.set_exception(problem)
            if isinstance(problem, asyncio.CancelledError):
                raise
            return
        for (_, future), answer in zip(asked, answers, strict=True):
            if not future.done():  # whoever asked may have been cancelled meanwhile
                future.set_result(answer)
