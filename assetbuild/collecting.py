"""Fetches what earlier runs have paid for, before anything is decided: every accepted job of the store whose claim is free, whatever asset, selection
or profile it was for. Its pictures become results; nothing is put in place here, and nothing is ever bought.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .build import ONE_PRESS
from .buying import Buyer
from .errors import AssetbuildError
from .facts import Planner
from .placing import Ledger, Placer, Threads
from .project import Project
from .providers.base import Kind, ProviderError
from .receiving import Bought, GoesOn, Wait
from .store import journal, spending
from .store.journal import Job, State


class Collected(NamedTuple):
    """What became of the jobs: whose pictures are recorded now, whose go on, and what is wrong with the others: Wait for those that need a person's
    word, else the failure. `setup` is the sentence when a key is missing or wrong.
    """

    came: tuple[tuple[Job, Bought], ...] = ()
    goes_on: tuple[Job, ...] = ()
    told: tuple[tuple[Job, AssetbuildError], ...] = ()
    setup: str = ""
    interrupted: bool = False


def collect(
    project: Project,
    say: Callable[[str], None],
    *,
    wait: bool = False,
    doubtful: bool = False,
    begun: Callable[[Sequence[Job]], None] = lambda _: None,
) -> Collected:
    """`wait` for those that aren't finished; `doubtful`: look also for what was asked for and never answered (never asked again here). `begun` is told
    which jobs are looked for, before any is.
    """
    store = project.look_store()
    if store is None or store.read_only:
        return Collected()
    with store.reading() as db:
        jobs = journal.owed(db) + ([job for job in journal.doubtful(db) if job.remote_id is None] if doubtful else [])
    jobs = [job for job in jobs if _may(project, job, doubtful)]
    if jobs:
        begun(jobs)
    if not jobs:
        return Collected()
    found = asyncio.run(_collect(project, jobs, say, wait))
    if doubtful:
        return found
    return found._replace(
        told=tuple(one for one in found.told if one[0].state is not State.IN_DOUBT),
        goes_on=tuple(one for one in found.goes_on if one.state is not State.IN_DOUBT),
    )


def _may(project: Project, job: Job, doubtful: bool) -> bool:
    """Whether this project talks to the job's host, and something can be done about it without paying."""
    from .errors import ProviderSetupError

    try:
        module, host = project.provider(job.provider), project.settings(job.provider).host
    except ProviderSetupError:  # a provider that isn't installed here
        return False
    if host != job.host:
        return False
    if job.state is State.SUBMITTED or job.remote_id is not None:
        return True
    # Inside the window `build` asks again, if it is still wanted.
    return doubtful or not job.young(module.replay_window, project.env.now())


async def _collect(project: Project, jobs: Sequence[Job], say: Callable[[str], None], wait: bool) -> Collected:
    loop = asyncio.get_running_loop()
    with Threads(2, "file") as files:
        placer = Placer(project, Planner(project))
        ledger = Ledger(project, loop, files, placer)
        buyer = Buyer(project, ledger, spending.Caps(), say)
        stopped = _listening(loop, buyer, say)
        try:
            found = await asyncio.gather(*(_one(ledger, buyer, job, wait) for job in jobs))
        finally:
            for name in stopped:
                loop.remove_signal_handler(name)
            await buyer.close()
            await ledger.close()
    setup = next((problem.render() for _, problem in found if isinstance(problem, ProviderError) and _is_setup(problem)), "")
    return Collected(
        tuple((job, came) for job, came in found if isinstance(came, Bought)),
        tuple(job for job, came in found if isinstance(came, GoesOn)),
        tuple((job, p) for job, p in found if isinstance(p, AssetbuildError) and not _is_setup(p)),
        setup,
        buyer.stop.is_set(),
    )


def _listening(loop: asyncio.AbstractEventLoop, buyer: Buyer, say: Callable[[str], None]) -> tuple[int, ...]:
    """From now on ^C and SIGTERM end the waiting: what is on its way comes and is kept. For the second time they end it all. Gives the signals."""
    import signal  # only on this path

    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():  # see `Build._run`
        return ()
    pressed: list[float] = []

    def interrupt() -> None:
        pressed.append(loop.time())
        if len(pressed) == 1:
            buyer.stop.set()
            say("stopping: what is being fetched now is kept (^C again ends at once)")
        elif pressed[-1] - pressed[0] > ONE_PRESS:
            raise KeyboardInterrupt

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, interrupt)
    return signal.SIGINT, signal.SIGTERM


def _is_setup(problem: AssetbuildError) -> bool:
    return isinstance(problem, ProviderError) and problem.kind in (Kind.AUTH, Kind.NO_MONEY)


async def _one(ledger: Ledger, buyer: Buyer, job: Job, wait: bool) -> tuple[Job, Bought | AssetbuildError | GoesOn | None]:
    if not await ledger.claim(job.key):  # whoever has it fetches it
        return job, None
    try:
        async with await buyer.turn(job.provider):
            if buyer.stop.is_set():
                return job, GoesOn()
            with ledger.project.store.reading() as db:
                job = journal.job_of(db, job.id)  # another run may have been here since it was listed
            if job.state not in (*journal.OPEN, State.IN_DOUBT):
                return job, None
            if job.state is State.SUBMITTED:
                return job, await buyer.resume(job, wait=wait)
            return job, await buyer.look_for(job, wait=wait)
    except (Wait, AssetbuildError, GoesOn) as problem:
        return job, problem
    finally:
        await ledger.release(job.key)
