"""What was spent, on what, and what of it came to nothing. The journal is the only source of money; lockfiles and results only say which
of the bought pictures are in use. Changes nothing and asks no vendor.

A purchase counts with its bill, else with what was set aside for it. What is running or in doubt is told apart: it isn't spent yet, and
no budget has it back. What an emulator billed is no money: it is shown only to those who talk to one.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from .. import lockfile
from ..errors import AssetbuildError, UsageError
from ..facts import Planner
from ..lockfile import Line
from ..pricing import believed, share
from ..project import Project
from ..store import Store, Take
from ..store.journal import OPEN, REHEARSAL, Job, State, all_jobs
from .origin import locks

BY = ("asset", "model", "day", "tag")
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Row(NamedTuple):
    """One line of a table. `name` None: without a tag, or without that axis. `cost` in micro-USD."""

    name: str | None
    pictures: int
    purchases: int
    cost: int


class Waste(NamedTuple):
    """What was paid and isn't used. `kind` is "superseded" or "rejected" (`count` takes), "refused", "failed" or "lost" (purchases)."""

    kind: str
    count: int  # type: ignore[assignment]  # instead of the tuple's own, which nobody asks for
    cost: int


class Waiting(NamedTuple):
    """What was paid and is no waste yet. `kind` is "not chosen" (takes of which a person has chosen none) or "not placed" (takes of what the spec
    wants now, which no build has put in their places).
    """

    kind: str
    count: int  # type: ignore[assignment]  # instead of the tuple's own, which nobody asks for
    cost: int


class Pending(NamedTuple):
    """What isn't settled. `kind` is "running" or "in doubt"; `reserved` in micro-USD; of `unknown` of them the price isn't known."""

    kind: str
    count: int  # type: ignore[assignment]  # instead of the tuple's own, which nobody asks for
    reserved: int
    unknown: int


class Spend(NamedTuple):
    """The whole answer. `project` None: all projects of this store. `since` in seconds since the epoch. `credits` are the vendors' own
    numbers, None when one is missing. `assumed` purchases count as planned, since nobody said what they cost; `unknown` ones count nothing.
    `unread` are lockfiles that couldn't be read: what only they use looks unused. `apart` is how many pictures the other ledger has: an
    emulator's, or (`rehearsal`) the real one.
    """

    project: str | None
    by: str
    since: float | None
    zone: str
    rehearsal: bool
    rows: tuple[Row, ...]
    total: Row
    credits: Fraction | None
    assumed: int
    unknown: int
    waste: tuple[Waste, ...]
    waiting: tuple[Waiting, ...]
    pending: tuple[Pending, ...]
    unread: tuple[str, ...]
    apart: int


def since_of(text: str, now: float) -> float:
    """A local day (`2026-11-01`, from its first minute) or a number of days (`30d`) as seconds since the epoch. Raises UsageError."""
    if found := _DAYS.fullmatch(text):
        return max(0.0, now - int(found[1]) * 86400)
    if _DATE.fullmatch(text):
        try:
            return time.mktime(time.strptime(text, "%Y-%m-%d"))
        except (ValueError, OverflowError):
            pass
    raise UsageError(f"`--since {text}` is no day", hint="write it as `2026-11-01`, or as a number of days: `30d`")


def spend(project: Project, by: str = "asset", since: float | None = None, *, everywhere: bool = False) -> Spend:
    """Sums up the journal. `by` is one of `BY` or a matrix axis; `everywhere`: all projects of the store. Raises UsageError, StoreError."""
    store = project.look_store()
    jobs: list[Job] = []
    if store is not None:
        with store.reading() as db:
            jobs = all_jobs(db, project=None if everywhere else project.spec.project, since=since)
    names = _namer(project, by, jobs)
    rehearsal = _rehearses(project, {job.provider for job in jobs})
    ours = [job for job in jobs if (job.host == REHEARSAL) == rehearsal]
    apart = sum(job.images for job in jobs if (job.host == REHEARSAL) != rehearsal and job.state is State.DONE)
    settled = [job for job in ours if job.state not in (*OPEN, State.IN_DOUBT)]
    used = _Used(project, store, everywhere=everywhere)
    waste, waiting = _unused(settled, used)
    return Spend(
        None if everywhere else project.spec.project,
        by,
        since,
        time.strftime("%Z", time.localtime(project.env.now())),
        rehearsal,
        tuple(_rows(settled, names, in_time=by == "day")),
        _sum(None, settled),
        _credits(settled),
        sum(job.cost is None and job.reserved is not None for job in settled),
        sum(job.cost is None and job.reserved is None for job in settled),
        waste,
        waiting,
        tuple(_pending(ours)),
        tuple(used.unread),
        apart,
    )


def _namer(project: Project, by: str, jobs: Iterable[Job]) -> Callable[[Job], tuple[str | None, ...]]:
    """Under which names a job stands in the table."""
    if by == "asset":
        return lambda job: (job.asset,)
    if by == "model":
        return lambda job: (f"{job.provider}/{job.model}",)
    if by == "day":
        return lambda job: (time.strftime("%Y-%m-%d", time.localtime(job.intent_at)),)
    if by == "tag":
        return lambda job: job.tags or (None,)
    axes = {axis for job in jobs for axis in job.axes} | {axis for asset in project.assets.values() for axis in asset.axes}
    if by not in axes:
        import difflib  # only for a mistake

        words = (*BY, *sorted(axes - {*BY}))
        near = difflib.get_close_matches(by, words, n=1)
        asked = f"; did you mean `{near[0]}`?" if near else ""
        raise UsageError(f"no picture has an axis `{by}`{asked}", hint=f"`--by` takes {', '.join(words)}")
    return lambda job: (job.axes.get(by),)


def _rehearses(project: Project, providers: Iterable[str]) -> bool:
    """Whether this project talks to an emulator now."""
    for name in sorted({*providers, *project.spec.services}):
        try:
            if project.settings(name).host == REHEARSAL:
                return True
        except AssetbuildError:
            continue  # it was bought from, and isn't installed any more
    return False


def _rows(jobs: Iterable[Job], names: Callable[[Job], tuple[str | None, ...]], *, in_time: bool) -> list[Row]:
    groups: dict[str | None, list[Job]] = {}
    for job in jobs:
        for name in names(job):
            groups.setdefault(name, []).append(job)
    rows = [_sum(name, some) for name, some in groups.items()]
    if in_time:
        return sorted(rows, key=lambda row: row.name or "")
    return sorted(rows, key=lambda row: (row.name is None, -row.cost, row.name or ""))


def _sum(name: str | None, jobs: list[Job]) -> Row:
    pictures = sum(job.images for job in jobs if job.state is State.DONE)
    return Row(name, pictures, len(jobs), sum(job.counts for job in jobs))


def _credits(jobs: list[Job]) -> Fraction | None:
    said = [believed(job.credits) for job in jobs if job.counts]
    return None if None in said else sum((one for one in said if one is not None), Fraction(0))


def _unused(jobs: Iterable[Job], used: _Used) -> tuple[tuple[Waste, ...], tuple[Waiting, ...]]:
    """What came to nothing, and what may still come to something."""
    count, cost = Counter[str](), Counter[str]()

    def add(kind: str, some: int) -> None:
        count[kind] += 1
        cost[kind] += some

    for job in jobs:
        if job.state is State.REFUSED:
            add("refused", job.counts)
        elif job.state is State.EXPIRED:
            add("lost", job.counts)
        elif job.state is State.FAILED:
            if job.counts:
                add("failed", job.counts)
        else:
            for number, part in zip(job.takes, share(job.counts, job.count), strict=True):
                if kind := used.fate(job, number):
                    add(kind, part)
    waste = ("superseded", "rejected", "refused", "failed", "lost")
    return (
        tuple(Waste(kind, count[kind], cost[kind]) for kind in waste if count[kind]),
        tuple(Waiting(kind, count[kind], cost[kind]) for kind in ("not chosen", "not placed") if count[kind]),
    )


def _pending(jobs: Iterable[Job]) -> Iterator[Pending]:
    groups: dict[str, list[Job]] = {"running": [], "in doubt": []}
    for job in jobs:
        if job.state in OPEN:
            groups["running"].append(job)
        elif job.state is State.IN_DOUBT:
            groups["in doubt"].append(job)
    for kind, some in groups.items():
        if some:
            yield Pending(kind, len(some), sum(job.counts for job in some), sum(job.reserved is None for job in some))


class _Used:
    """Which pictures the lockfiles name: this tree's, of every profile; or those of all projects that use the store."""

    def __init__(self, project: Project, store: Store | None, *, everywhere: bool) -> None:
        self.unread: list[str] = []
        self._project, self._store = project, store
        self._planner: Planner | None = None
        self._wanted: dict[str, frozenset[str]] = {}
        self._takes: dict[str, dict[int, Take]] = {}
        self._digests: set[str] = set()
        self._open: set[str] = set()  # keys of which nobody has chosen a take yet
        self._rejected: set[tuple[str, int]] = set()
        for _, _, lines in locks(project):
            self._add(lines)
        if everywhere and store is not None:
            self._add_others(project, store.trees())

    def _add_others(self, project: Project, trees: Mapping[str, tuple[str, ...]]) -> None:
        for tree, names in sorted(trees.items()):
            if Path(tree) == project.root:
                continue
            for name in names:
                path = Path(tree) / name
                try:
                    if not Path(tree).is_dir():
                        raise FileNotFoundError(tree)
                    self._add(lockfile.read(path).lines)
                except (AssetbuildError, OSError):
                    self.unread.append(str(path))

    def _add(self, lines: Mapping[str, Line]) -> None:
        for line in lines.values():
            self._digests.update(output.digest for output in line.outputs)
            for step in line.steps:
                self._digests.update(step.digests)
            # What an edit was made from is in use, also when its own line has gone on to another picture.
            self._digests.update(str(one.get("digest")) for one in line.manifest.get("inputs") or ())
            if line.undecided:
                self._open.add(line.key)
            if line.rejected is not None:
                self._rejected.add((line.key, line.take))

    def fate(self, job: Job, number: int) -> str:
        """Of one take that was bought: "rejected", "superseded", "not chosen", "not placed", or "" while it is in use."""
        take = self._take(job.key, number)
        if (job.key, number) in self._rejected or (take is not None and take.rejected is not None):
            return "rejected"
        pictures = {blob.digest for blob in take.blobs} if take is not None else {one.digest for one in job.landed}
        if job.key in self._open:
            return "not chosen"
        if not pictures.isdisjoint(self._digests):
            return ""
        return "not placed" if job.key in self._wanted_by(job.asset) else "superseded"

    def _wanted_by(self, name: str) -> frozenset[str]:
        """The keys that an asset of this tree wants by the spec of now, without those for which it has a picture already."""
        if name not in self._wanted:
            self._wanted[name] = self._ask(name)
        return self._wanted[name]

    def _ask(self, name: str) -> frozenset[str]:
        if name not in self._project.assets:
            return frozenset()
        if self._planner is None:
            self._planner = Planner(self._project)
        try:
            (plan,) = self._planner.plan([name])
        except AssetbuildError:  # its provider isn't installed any more, say
            return frozenset()
        had = set[str]()
        if (line := self._planner.lock.lines.get(name)) is not None:
            had = {line.key, line.chosen_for or "", *(step.key for step in line.steps)}
        return frozenset(one.action.key for one in plan.steps if one.action is not None and one.action.key not in had)

    def _take(self, key: str, number: int) -> Take | None:
        if key not in self._takes and self._store is not None:
            self._takes[key] = {take.take: take for take in self._store.takes(key)}
        return self._takes.get(key, {}).get(number)
