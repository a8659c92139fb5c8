"""`use` and `approve`: a person's word about which picture is an asset's, and that it is right. Nothing here makes or buys one.

`choose` finds out what is meant and what the lock lines will say, and changes nothing; `carry_out` writes, in the order of
`placing.py`: old bytes and new ones into the store, rows, files, then the lock lines. What an asset had before is `former`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..digest import KEY_VERSION, Action, action, sealed
from ..errors import ActionFailed, UsageError
from ..facts import Planner, StepPlan
from ..known import Known
from ..lockfile import Line, LockedStep, Output, former
from ..placing import OutputChanged, Placer, merge_lines
from ..plan import Seen
from ..project import Project
from ..store import Take, Written
from .picking import Chosen, Pick, Picker, results_of


class Choice(NamedTuple):
    """What `use` does for one asset. `line` is the lock line as it will be, `old` as it was; `notes` are differences worth
    saying; `takes_back`: the picture was rejected until now.
    """

    plan: StepPlan
    pick: Pick
    line: Line
    old: Line | None
    notes: tuple[str, ...] = ()
    pointers: frozenset[str] = frozenset()  # the outputs at which a Git LFS pointer lies
    takes_back: bool = False

    @property
    def replaces(self) -> bool:
        """Whether a file that lies there is replaced, and comes back with `previous`."""
        pairs = zip(self.plan.facts.outputs, self.pick.pictures, strict=True)
        return not self.apart and any(o.found not in (None, one.digest) and o.path not in self.pointers for o, one in pairs)

    @property
    def apart(self) -> tuple[tuple[str, str], ...]:
        """The edited files of a set that isn't whole, by path and digest: they are kept, but were never one picture."""
        outputs = self.plan.facts.outputs
        if all(o.found is not None and o.path not in self.pointers for o in outputs):
            return ()
        old = {o.digest for o in self.old.outputs} if self.old is not None else set()
        pairs = zip(outputs, self.pick.pictures, strict=True)
        return tuple(
            (o.path, o.found)
            for o, one in pairs
            if o.found is not None and o.path not in self.pointers and o.found not in old and o.found != one.digest
        )

    @property
    def touched(self) -> tuple[str, ...]:
        """The paths at which something else lies afterwards."""
        three = zip(self.plan.asset.outputs, self.plan.facts.outputs, self.pick.pictures, strict=True)
        return tuple(path for path, output, one in three if output.found != one.digest)

    @property
    def changes(self) -> bool:
        """False when all of this is so already."""
        here = all(o.found == one.digest for o, one in zip(self.plan.facts.outputs, self.pick.pictures, strict=True))
        return not here or self.line != self.old

    @property
    def waives(self) -> bool:
        """Whether the picture was made for another text of the spec than the present one."""
        return self.pick.key is not None and not self.line.by_hand and self.line.chosen_for not in (None, self.line.key)


class Approval(NamedTuple):
    """A person says that the picture is right; `note` is what they say with it."""

    note: str | None = None


def use(
    project: Project,
    ids: Sequence[str],
    which: str | None = None,
    *,
    member: str = "",
    from_profile: str | None = None,
    approval: Approval | None = None,
) -> list[Choice]:
    """Makes a picture the one of each asset: a take's number, a digest's first letters, `previous`, a file, or (None) what
    lies there now. With `approval` it is approved, too. A rejected picture that is chosen isn't rejected any more.

    `ids` in building order. Raises UsageError with every asset's problem before anything is changed, ActionFailed when a file
    changed meanwhile.
    """
    choices = choose(project, ids, which, member=member, from_profile=from_profile, approval=approval)
    carry_out(project, [one for one in choices if one.changes])
    _not_rejected(project, choices)
    return [_with_apart(project, one) if one.changes else _given_back(project, one) for one in choices]


def _not_rejected(project: Project, choices: Sequence[Choice]) -> None:
    """Takes the marks of a rejection off the results that were chosen."""
    store = project.look_store()
    if store is None or store.read_only:
        return
    for one in choices:
        for take in results_of(store, [p.digest for p in one.pick.pictures]):
            if take.rejected is not None:
                store.reject(take.key, take.take, None)


def _with_apart(project: Project, one: Choice) -> Choice:
    """Says where those files are now that `previous` doesn't bring back."""
    cas = project.store.cas
    return one._replace(
        notes=(*one.notes, *(f"{path}, as it lay there, is kept: {cas.path(digest)}" for path, digest in one.apart))
    )


def _given_back(project: Project, one: Choice) -> Choice:
    """What was chosen is so already; but if the store has lost the bytes, this is how it gets them again."""
    store = project.look_store()
    if store is None or store.read_only:
        return one
    cas = store.cas
    lost = [picture for picture in one.pick.pictures if picture.file is not None and not cas.has(picture.digest)]
    for picture in lost:
        assert picture.file is not None  # noqa: S101 - chosen so
        cas.put_file(picture.file, durable=True)
    return one._replace(notes=("the store had lost it, and has it again",)) if lost else one


def choose(
    project: Project,
    ids: Sequence[str],
    which: str | None = None,
    *,
    member: str = "",
    from_profile: str | None = None,
    approval: Approval | None = None,
) -> list[Choice]:
    """Finds out what is meant. Changes nothing on disk; the project's lock is that of `carry_out` afterwards."""
    planner = Planner(project)
    planner.check_disk(ids)
    planner.plan(ids)
    found, problems = [], []
    with Picker(project, planner, from_profile) as picker:
        for name in ids:
            try:
                one = _choice(planner, picker, name, which, member, approval)
            except UsageError as problem:
                problems.append(problem)
                continue
            found.append(one)
            if one.changes:  # an edit that is chosen after its base is chosen for the base's picture of now
                planner.learned_line(one.line)
                _decide_users(planner, name)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        texts = [p.text for p in problems]
        shown = [*texts[:10], *([f"… and {len(texts) - 10} more"] if len(texts) > 10 else [])]  # noqa: PLR2004 - a screen
        raise UsageError("nothing was changed:\n  " + "\n  ".join(shown), hint=problems[0].hint)
    return found


def _decide_users(planner: Planner, name: str) -> None:
    graph = planner.project.graph
    if not graph.users.get(name):
        return
    dirty = graph.with_users([name])
    for other in graph.order:
        if other in dirty and other in planner.plans:
            planner.decide_asset(other)


def _choice(planner: Planner, picker: Picker, name: str, which: str | None, member: str, approval: Approval | None) -> Choice:
    plan = planner.plans[name].steps[-1]
    plan = plan._replace(action=planner.action_of(plan))
    act = _action(plan)
    pick = picker.pick(plan, which, member)
    old = planner.lock.lines.get(name)
    looks = {path: planner.project.digests.look(path) for path in plan.asset.outputs}
    pointers = frozenset(path for path, look in looks.items() if look is not None and look.pointer)
    line = _line(planner, plan, act, pick, old)
    if approval is not None:
        line = line._replace(approved=line.bound, note=approval.note or (line.note if line.is_approved else None))
    store = planner.project.look_store()
    marks = [take.rejected for take in results_of(store, [p.digest for p in pick.pictures])] if store is not None else []
    marks += [old.rejected] if old is not None and old.picture == line.picture else []
    takes_back = any(mark is not None for mark in marks)
    return Choice(plan, pick, line, old, picker.differences(plan, pick), pointers, takes_back)


def _action(plan: StepPlan) -> Action:
    """The action that the picture is chosen for. Raises UsageError when it can't be known."""
    if plan.action is not None:
        return plan.action
    if plan.asset.pin:
        # A pinned picture is right whatever its inputs are; while they aren't known, its key is one that no step ever has, since no digest
        # is empty.
        return action(plan.step, [fact.stands or "" for fact in plan.facts.inputs] or [""] * len(plan.step.inputs))
    name, place = plan.asset.id, plan.asset.place
    missing = next((i for i in plan.facts.inputs if i.seen is Seen.MISSING), None)
    if missing is not None:
        why, way = f"it is made from {missing.label}, which isn't there", "put the file there first"
    else:
        unknown = next((i for i in plan.facts.inputs if i.stands is None), None)
        base = unknown.label if unknown is not None else "its base"
        why, way = (
            f"it is made from `{base}`, whose picture isn't known yet",
            f"build `{name}` first" if " step " in base else f"build or choose `{base.split('#')[0]}` first",
        )
    raise UsageError(
        f"no picture can be chosen for `{name}` now: {why}",
        hint=f"{way}; or write `pin: true` at `{name}` ({place.file}:{place.line}), "
        "which keeps a picture whatever it is made from",
    )


def _line(planner: Planner, plan: StepPlan, act: Action, pick: Pick, old: Line | None) -> Line:
    asset, members = plan.asset, plan.step.members or ("",)
    outputs = tuple(
        Output(path, member, one.digest, one.size)
        for path, member, one in zip(asset.outputs, members, pick.pictures, strict=True)
    )
    steps = _earlier(planner, plan, old)
    # What was approved stays written, also of another picture: it counts again when that one comes back.
    approved, note = (old.approved, old.note) if old is not None else (None, None)
    if pick.key is None:
        by_hand = Line(asset.id, act.key, KEY_VERSION, sealed(act.manifest), outputs, 1, steps, act.key, True)
        return by_hand._replace(approved=approved, note=note, exports=old.exports if old is not None else ())
    mine = pick.key == act.key
    counted = old.of if old is not None and old.key == pick.key else 0
    of = max(counted, planner.to_choose_from(plan)) if mine and not pick.by_hand else 0
    line = Line(
        asset.id,
        pick.key,
        KEY_VERSION if mine else pick.key_version,
        sealed(act.manifest) if mine or pick.manifest is None else pick.manifest,
        outputs,
        pick.take,
        steps,
        None if mine and not pick.by_hand else act.key,
        pick.by_hand,
        None,
        approved,
        pick.host,
    )
    # There were several, or will be by the spec: this is the one, also where only the lockfile is known.
    chosen = mine and not pick.by_hand and (of > 1 or asset.takes > 1)
    return line._replace(note=note, of=of, chosen=chosen, exports=old.exports if old is not None else ())


def _earlier(planner: Planner, plan: StepPlan, old: Line | None) -> tuple[LockedStep, ...]:
    """The earlier steps of a chain as they are now; of a pinned asset they aren't looked at and stay as they were."""
    found = []
    for number in range(plan.number):
        one = planner.steps.get((plan.asset.id, number))
        if one is None or one.action is None or one.digests is None:
            return old.steps if old is not None else ()
        take = one.decision.take or (one.facts.locked.take if one.facts.locked is not None else 1)
        found.append(LockedStep(one.action.key, KEY_VERSION, one.digests, take))
    return tuple(found)


def carry_out(project: Project, choices: Sequence[Choice]) -> None:
    """Writes what was chosen. Raises ActionFailed when a file changed since it was looked at; then no lock line was written."""
    if not choices:
        return
    planner = Planner(project)
    planner.known = Known(project, project.read_lock())  # as it is on disk: `choose` has learned the new lines
    placer = Placer(project, planner)
    takes: list[Take] = []
    rows: list[Written] = []
    replaced: list[Line] = []
    try:
        # Every byte is in the store before anything is replaced (invariants 1 and 5). A kill in here leaves blobs that
        # nothing names.
        for one in choices:
            digests = [p.digest for p in one.pick.pictures]
            for picture in one.pick.pictures:
                _keep(placer, picture)
            take = placer.preserve(one.plan, digests)
            takes += [take] if take is not None else []
            mine = placer.hand_made(one.plan, digests)  # no gc drops it then
            takes += [mine[0]] if mine is not None else []
            rows += _rows(project, one, digests)
            replaced += _replaced(one)
        # One transaction. A kill after it and before the lock lines: the files are known as ours, and `use` hasn't happened.
        if takes or rows:
            project.store.record(takes, rows, durable=True)
        for one in choices:
            placer.put_in_place(one.plan, [p.digest for p in one.pick.pictures], durable=True)
    except OutputChanged:
        raise ActionFailed(
            "a file changed while it was looked at, so nothing was chosen", hint="run the same command again"
        ) from None
    former.note(project.root, project.spec.lock, replaced, project.env.now())
    merge_lines(project, {one.line.id: one.line for one in choices})


def _keep(placer: Placer, picture: Chosen) -> None:
    if picture.file is not None:
        if placer.cas.put_file(picture.file, durable=True) != picture.digest:
            raise OutputChanged
    elif not placer.cas.intact(picture.digest):
        raise ActionFailed(
            f"the picture `{picture.digest[:12]}` is damaged in the store", hint="`assetbuild cache verify` says more"
        )


def _rows(project: Project, one: Choice, digests: Sequence[str]) -> Iterator[Written]:
    for output, digest in zip(one.plan.facts.outputs, digests, strict=True):
        if output.found != digest and not one.line.by_hand:
            yield Written(str(project.root), output.path, digest, one.line.key)


def _replaced(one: Choice) -> Iterator[Line]:
    """What the asset had until now, for `previous`: its lock line, then the file that somebody had edited."""
    if one.old is not None and one.old.picture != one.line.picture:
        yield one.old
    found = [o.found for o in one.plan.facts.outputs]
    here = tuple(d for d in found if d is not None)
    if (
        not one.pointers
        and one.replaces
        and len(here) == len(found)
        and (one.old is None or here != tuple(o.digest for o in one.old.outputs))
    ):
        outputs = tuple(o._replace(digest=digest) for o, digest in zip(one.line.outputs, here, strict=True))
        yield Line(one.line.id, one.line.chosen_for or one.line.key, KEY_VERSION, one.line.manifest, outputs, by_hand=True)
