"""Before anything is decided: what earlier runs have paid for gets here, from the vendor and from where it was laid aside. Buys nothing, decides nothing
about assets, and knows no command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .errors import StoreError
from .facts import Planner
from .project import Project


class Fetched(NamedTuple):
    """`setup` is the sentence when a key is missing; `interrupted`: somebody doesn't want to wait for the rest."""

    setup: str = ""
    interrupted: bool = False


def fetch_paid(project: Project, planner: Planner, say: Callable[[str], None]) -> Fetched:
    """What earlier runs have paid for and is done by now gets into the store. The planner hears what is wrong with what can't be fetched, and tells it of its
    assets.
    """
    store = project.look_store()
    if store is None:
        return Fetched()
    from .store.journal import owed

    with store.reading() as db:
        if not owed(db):
            return Fetched()
    from .collecting import collect
    from .receiving import Wait

    found = collect(project, say)
    for job, came in found.came:
        say(f"fetched   {job.asset}: paid for by an earlier run" + (f"; {came.flaw}" if came.flaw else ""))
    for job, problem in found.told:
        planner.not_fetched(job, problem, waits=isinstance(problem, Wait))
        if job.asset not in project.assets:
            say(problem.render().replace(problem.text, f"{job.asset}: {problem.text}", 1))
    if found.interrupted and found.goes_on:
        from .build import elsewhere

        say(elsewhere({job.asset: job.provider for job in found.goes_on}))
    return Fetched(found.setup, found.interrupted)


def bring_in(project: Project, say: Callable[[str], None]) -> None:
    """What an earlier run paid for and couldn't put into the store gets there now. Raises StoreError."""
    from .store import rescue

    left = rescue.waiting(project.root, project.env.environ)
    if not left:
        return
    try:
        done = rescue.bring_in(project.root, project.env.environ, project.store)
    except rescue.UnreadableRecord:
        raise
    except (OSError, StoreError) as problem:
        why = problem.text if isinstance(problem, StoreError) else f"{problem.filename}: {problem.strerror}"
        raise StoreError(
            f"what was paid for in {left[0].parent} can't be brought into the store yet, so nothing was bought: {why}",
            hint="make room, then run it again",
        ) from problem
    for name, take in done:
        if isinstance(take, list):
            there = f" but for {', '.join(short(project, file) for file in take)}" if take else ""
            say(f"`{name}`: what was paid for when the store was full isn't there any more{there}")
        else:
            say(f"`{name}`: what was paid for when the store was full is in it now")


def short(project: Project, file: Path) -> str:
    """A file's path as it is told: seen from the project, if it lies in it."""
    return os.path.relpath(file, project.root) if project.root in file.parents else str(file)
