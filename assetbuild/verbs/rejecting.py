"""`reject`: a person's word that a picture isn't to be used. Deletes nothing, makes nothing: the picture stays in its place and in the store, and
`use` takes the word back.

The locked picture's rejection stands in its lock line, so that every clone knows it, and in the store's results, so that a take is never put back by
itself; another take's in the results only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import UsageError
from ..facts import Planner, StepPlan
from ..lockfile import Line
from ..placing import Placer, merge_lines
from ..project import Project
from .picking import Picker, results_of


class Rejection(NamedTuple):
    """What is rejected for one asset. `locked`: it is the picture of the asset, else another take; `word` says which; `changes`: it wasn't so already."""

    id: str
    word: str
    note: str
    locked: bool
    changes: bool
    digests: tuple[str, ...]
    line: Line | None


def reject(project: Project, ids: Sequence[str], which: str | None, note: str) -> list[Rejection]:
    """Marks a picture of each asset as rejected: the locked one (None), or a take's number, a digest's first letters, `previous`.

    Raises UsageError before anything is changed.
    """
    planner = Planner(project)
    planner.plan(ids)
    found: list[Rejection] = []
    problems: list[UsageError] = []
    with Picker(project, planner) as picker:
        for name in ids:
            try:
                found.append(_meant(project, planner, picker, name, which, note))
            except UsageError as problem:
                problems.append(problem)
    if problems:
        if len(problems) == 1:
            raise problems[0]
        raise UsageError("nothing was changed:\n  " + "\n  ".join(p.text for p in problems[:10]), hint=problems[0].hint)
    _write(project, planner, [one for one in found if one.changes])
    return found


def _meant(project: Project, planner: Planner, picker: Picker, name: str, which: str | None, note: str) -> Rejection:
    plan: StepPlan = planner.plans[name].steps[-1]
    plan = plan._replace(action=planner.action_of(plan))
    line = planner.lock.lines.get(name)
    if which is None and line is None:
        raise UsageError(f"`{name}` has no picture yet", hint=f"`assetbuild build {name}` makes one")
    mine = () if line is None else tuple(o.digest for o in line.outputs)
    digests, word = mine, "its picture"
    if which is not None:
        pick = picker.pick(plan, which)
        if pick.key is None:
            raise UsageError(f"{pick.word} isn't a picture of ours", hint=f"`assetbuild takes {name}` lists what can be rejected")
        digests, word = tuple(one.digest for one in pick.pictures), pick.word
    locked = line is not None and sorted(digests) == sorted(mine)
    store = project.look_store()
    marks = [take.rejected for take in results_of(store, digests)] if store is not None else []
    old = line.rejected if locked and line is not None else next(iter(marks), None)
    note = note or old or ""
    if line is None or not locked:
        return Rejection(name, word, note, False, any(mark != note for mark in marks), digests, None)
    new = line._replace(rejected=note, chosen=False)
    if line.is_approved:
        new = new._replace(approved=None, note=None)
    return Rejection(name, word, note, True, new != line or any(mark != note for mark in marks), digests, new)


def _write(project: Project, planner: Planner, found: Sequence[Rejection]) -> None:
    """The results first, then the lock lines: a kill between the two leaves the picture where it is, and never served by itself again."""
    if not found:
        return
    placer = Placer(project, planner)
    for one in found:
        known = results_of(project.store, one.digests)
        for take in known:
            project.store.reject(take.key, take.take, one.note)
        if not known and one.line is not None and (take_there := placer.take_of(one.line)) is not None:
            project.store.record([take_there])
    merge_lines(project, {one.id: one.line for one in found if one.line is not None})
