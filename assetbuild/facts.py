"""Looks at disk, lock and store, and gives `plan.decide` its facts, step by step, bases first. Writes nothing.

One `Planner` is the truth of a run: map (asset, step) → what was last decided; `build` asks it again for a step after each thing that happened.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from . import lockfile
from .digest import Action, Actions, Change, changes, recipe, sealed
from .errors import AssetbuildError, SpecError, StoreError
from .files import Stamp
from .known import Known, by_member, pairs_of
from .leaves import ExportPlan, Leaves
from .lockfile import Line, Lock
from .lockfile.branches import Branches
from .overlaps import Overlaps
from .plan import (
    LOOK,
    Consent,
    Decision,
    Facts,
    InputFacts,
    LockedFacts,
    OutputFacts,
    Seen,
    StoreFacts,
    TakeFacts,
    Verb,
    candidates,
    decide,
    left_of,
)
from .project import Project
from .providers.base import Picture, Request
from .spec.model import HERE, Asset, AssetInput, FileInput, Input, Step, called, files_of
from .store.journal import Job


class StepPlan(NamedTuple):
    """One step as it was last decided. `digests` are its pictures' (one per member) as far as they are known, which those built on it see.

    `action` is None while the key isn't known. `chosen` are the digests that a RESTORE places.
    """

    asset: Asset
    number: int  # from 0
    facts: Facts
    decision: Decision
    action: Action | None
    digests: tuple[str, ...] | None

    @property
    def step(self) -> Step:
        """The step of the spec."""
        return self.asset.steps[self.number]

    @property
    def last(self) -> bool:
        """Whether this step's picture is the asset's."""
        return self.number == len(self.asset.steps) - 1


class AssetPlan(NamedTuple):
    """One asset: its steps in order."""

    asset: Asset
    steps: tuple[StepPlan, ...]
    leading: StepPlan  # the step to speak of: the first at which something is to be done or said, else the last
    verb: Verb  # what is to be done with the asset
    exports: tuple[ExportPlan, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing is to be done: the picture and all its exports are up to date."""
        return self.verb is Verb.UP_TO_DATE and all(one.decision.verb is Verb.UP_TO_DATE for one in self.exports)

    @property
    def to_export(self) -> tuple[ExportPlan, ...]:
        """The exports that are to be put there or made, and those whose lock line is to be written."""
        return tuple(one for one in self.exports if one.decision.verb in _MAKES or one.to_note)

    @property
    def purchases(self) -> int:
        """Steps to be made for certain in this run."""
        return sum(1 for one in self.steps if one.decision.verb is Verb.GENERATE)


_MAKES = (Verb.RESTORE, Verb.GENERATE, Verb.WAITING)


def _asset_plan(asset: Asset, steps: list[StepPlan]) -> AssetPlan:
    leading = steps[-1]
    for one in steps[:-1]:
        if one.decision.verb is not Verb.UP_TO_DATE and one.decision.verb is not Verb.RESTORE:
            leading = one
            break
    return AssetPlan(asset, tuple(steps), leading, leading.decision.verb)


_BUSY = (Verb.GENERATE, Verb.RESUME)


class Planner:
    """Decides assets in building order. `rebuy` and `replace` are ids; `consent` is asked for each step that would be paid."""

    def __init__(self, project: Project, *, rebuy: Collection[str] = (), replace: Collection[str] = ()) -> None:
        self.project = project
        self.rebuy, self.replace = set(rebuy), set(replace)
        self.asked_again = frozenset(rebuy)  # also when it is done
        self.reroll: set[tuple[str, int]] = set()  # steps of which one more take was asked for
        self._one_more: dict[
            tuple[str, int], tuple[LockedFacts, tuple[str, ...]]
        ] = {}  # earlier steps that got it: what the next is made from
        self.known = Known(project, project.lock)
        self.plans: dict[str, AssetPlan] = {}
        self.steps: dict[tuple[str, int], StepPlan] = {}
        self.needed: set[tuple[str, int]] = set()  # whose bytes a child is to be made from
        self.failed: dict[str, str] = {}  # ids that failed in this run, with the sentence
        self._actions = Actions()
        self._made: dict[tuple[str, int], tuple[Step, tuple[str, ...], Action]] = {}  # decided several times, hashed once
        self._lock_stamp = project.lock_stamp()
        self.own: dict[str, Line] = {}  # lines of this run that aren't in the file yet
        self.wrote = False  # whether this run had any
        self.resolved: dict[str, tuple[Line, ...]] = {}  # ids whose line was doubled → the lines that don't count
        self._written: dict[str, str] | None = None
        self._written_first: dict[str, str] | None = None  # before this run's own rows: what lies there yet may be one of those
        self.consent: Callable[[Asset, int, str | None], Consent] = lambda *_: Consent()  # asked for what costs money
        self.put_off: dict[str, Decision] = {}  # by key: what this run has found out, and that needs a person's word
        self._not_fetched: dict[str, Decision] = {}  # by key: what is wrong with a job that this run has looked at
        self._branches: Branches | None = None
        self.leaves = Leaves(self)

    @property
    def lock(self) -> Lock:
        """The lockfile, with own lines that aren't in the file yet."""
        return self.known.lock

    # ── the whole ──

    def plan(self, ids: Sequence[str]) -> list[AssetPlan]:
        """Decides these assets and everything they are made from; gives the plans of `ids`, in order."""
        graph = self.project.graph
        wanted = graph.with_bases(ids)
        order = [name for name in graph.order if name in wanted]
        for name in order:
            self.decide_asset(name)
        # A child that is to be made needs its bases' bytes here: decide those again, and whatever that changes (row 9, row 13).
        for _ in range(len(order)):
            lacking = {
                key
                for plan in (self.plans[name] for name in order)
                for one in plan.steps
                if one.decision.row in ("13", "15")
                for key in self._lacking(one)
            }
            if not lacking - self.needed:
                break
            self.needed |= lacking
            dirty = graph.with_users({name for name, _ in lacking})
            for name in order:
                if name in dirty:
                    self.decide_asset(name)
        return [self.plans[name] for name in ids]

    def check_disk(self, ids: Sequence[str]) -> None:
        """Raises SpecError when outputs of these assets, or what these are made from, can't be what the spec takes them for on this disk."""

        def locked(asset: Asset, place: int) -> str | None:
            line = self.lock.lines.get(asset.id)
            path = files_of(asset)[place]
            return next((o.digest for o in line.files if o.path == path), None) if line is not None else None

        assets = self.project.assets
        wanted = self.project.graph.with_bases(ids)
        overlaps = Overlaps(self.project.root, list(assets.values()), locked)
        if found := list(overlaps.problems([asset for name, asset in assets.items() if name in wanted])):
            raise SpecError(found)

    def decide_asset(self, name: str) -> AssetPlan:
        """Decides all steps of one asset anew; its bases must have been decided."""
        asset = self.project.assets[name]
        if name in self.lock.doubles:
            self._resolve(asset)
        line = self.lock.lines.get(name)
        count = len(asset.steps)
        first = count - 1 if asset.pin and line is not None else 0  # a pinned asset's inputs and earlier steps aren't looked at
        found = []
        for number in range(first, count):
            plan = self.decide_step(asset, number, line)
            found.append(plan)
        self.plans[name] = result = _asset_plan(asset, found)
        return self.decide_exports(name) if asset.exports else result

    def decide_exports(self, name: str) -> AssetPlan:
        """Decides the exports of an asset anew, whose own picture stays as it was decided."""
        plan = self.plans[name]
        exports = self.leaves.decided(plan.asset, plan.steps[-1], self.lock.lines.get(name), failed=name in self.failed)
        self.plans[name] = plan = plan._replace(exports=exports)
        return plan

    def _resolve(self, asset: Asset) -> None:
        """Two branches bought this asset's picture and their lines were merged by union: one line counts from now on."""
        name, found = asset.id, self.lock.doubles.pop(asset.id)
        wanted: str | None = None
        for line in found:
            self.lock.lines[name] = line
            last = self.decide_asset(name).steps[-1]
            if last.decision.accepted:
                wanted = last.facts.key if not asset.pin else None
                break
        chosen = lockfile.resolve(
            Lock({}, {name: found}),
            spec_key=lambda _: wanted,
            digest_on_disk=lambda path: None if (seen := self.project.digests.look(path)) is None else seen.digest,
            at_hand=self.known.at_hand,
        )[name]
        self.lock.lines[name] = chosen
        self.resolved[name] = tuple(line for line in found if line != chosen)

    # ── one step ──

    def decide_step(self, asset: Asset, number: int, line: Line | None = None) -> StepPlan:
        """Gathers and decides one step; the store is looked into only if `decide` asks for it."""
        line = line if line is not None else self.lock.lines.get(asset.id)
        facts, act = self._gather(asset, number, line)
        decision = decide(facts)
        if decision is LOOK:
            facts = self._with_store(asset, number, line, facts, act)
            decision = decide(facts)
        assert isinstance(decision, Decision)  # noqa: S101 - LOOK is answered once
        if decision.row == "5" and self.project.git is not None:
            facts = self._with_branches(facts)
            decision = decide(facts)
            assert isinstance(decision, Decision)  # noqa: S101 - the store was looked into
        if asset.id in self.failed and (decision.verb in _BUSY or decision.row == "14"):
            decision = Decision("15", Verb.FAILED, self.failed[asset.id])
        elif act is not None and act.key in self.put_off and (decision.verb in _BUSY or decision.row == "6"):
            decision = self.put_off[act.key]
        elif decision.row == "6" and act is not None and act.key in self._not_fetched:
            decision = self._not_fetched[act.key]._replace(accepted=decision.accepted)
        elif (
            (decision.verb is Verb.GENERATE and act is not None)
            or (decision.verb is Verb.WAITING and asset.steps[number].provider == HERE)
        ) and (fault := self._fault(asset, number, facts, act)):
            decision = Decision("15", Verb.FAILED, fault)
        members = asset.steps[number].members
        if decision.verb is Verb.RESTORE and members and line is not None and (renamed := _renamed(line, members)):
            decision = decision._replace(text=f"{decision.text}; {renamed}")
        plan = StepPlan(asset, number, facts, decision, act, self._result_digests(facts, decision))
        self.steps[asset.id, number] = plan
        return plan

    def _fault(self, asset: Asset, number: int, facts: Facts, act: Action | None) -> str:
        """Why the provider would refuse this request, as far as that can be known before money moves."""
        step = asset.steps[number]
        here = step.provider == HERE
        if self.project.table.free(step.provider) and not here:
            return ""
        pictures = []
        for one, fact in zip(step.inputs, facts.inputs, strict=False):
            if fact.digest is None and here:  # its base is still to be made; what is laid over it is known
                pictures.append(Picture("", self.project.root / ".assetbuild" / "none", one.role, one.name, one.hint, fact.label))
                continue
            if fact.digest is None:
                return ""
            path = one.source.path if type(one.source) is FileInput else self.known.file_with(fact.digest)
            where = (
                self.project.store_path / "cas" / fact.digest[:2] / fact.digest[2:] if path is None else self.project.root / path
            )
            pictures.append(Picture(fact.digest, where, one.role, one.name, one.hint, fact.label))
        request = Request(
            act.key if act is not None else "",
            step.op,
            step.model,
            step.prompt,
            step.params,
            tuple(pictures),
            step.members,
            step.variant,
        )
        return "; ".join(self.project.provider(step.provider).check(request))

    def _gather(self, asset: Asset, number: int, line: Line | None) -> tuple[Facts, Action | None]:
        step = asset.steps[number]
        last = number == len(asset.steps) - 1
        pinned = asset.pin and line is not None
        inputs = () if pinned else tuple(self._input(asset, number, one) for one in step.inputs)
        act: Action | None = None
        digests: list[str | None] = []
        if not pinned or not step.inputs:
            digests = [one.stands for one in inputs]
            if None not in digests:
                act = self._action(asset.id, number, step, tuple(digests))  # type: ignore[arg-type]
        locked, locked_digests = _locked(line, number, last, step.members)
        newer = self._one_more.get((asset.id, number))
        if newer is not None and act is not None and act.key == newer[0].key:
            locked, locked_digests = newer
        if step.guessed and act is not None and line is not None and locked is not None:
            act = self._with_locked_ratio(step, line, locked, digests, act)
        outputs = self._outputs(asset, last, locked_digests, (asset.id, number))
        key = act.key if act else None
        differs: tuple[Change, ...] | None = None
        if locked is not None:
            differs = ()
            if act is not None and line is not None and not pinned and key not in (locked.key, locked.chosen_for):
                differs = self._differs(line, locked, number, last, act)
        elif line is not None:
            differs = (Change("then", None, number + 1),)
        needed = self._is_needed(asset, number, last)
        facts = Facts(
            asset.id,
            key,
            outputs,
            inputs,
            locked,
            None,
            pinned,
            last,
            needed,
            self.project.table.reproducible(step.provider),
            differs,
            Consent() if self.project.table.free(step.provider) else self.consent(asset, number, key),
            asset.id in self.replace,
            last and asset.id in self.rebuy,
            may_rebuy=asset.id in self.rebuy,
            reroll=(asset.id, number) in self.reroll,
            takes=asset.takes,
            approve=asset.approve,
            shipped=last and bool(asset.exports) and not needed,
        )
        return facts, act

    def _action(self, name: str, number: int, step: Step, digests: tuple[str, ...]) -> Action:
        kept = self._made.get((name, number))
        if kept is None or kept[0] is not step or kept[1] != digests:
            kept = self._made[name, number] = step, digests, self._actions.action(step, digests)
        return kept[2]

    def _differs(self, line: Line, locked: LockedFacts, number: int, last: bool, act: Action) -> tuple[Change, ...]:
        """The manifest lines that differ from what this step's picture was made from."""
        if last and number != len(line.steps):
            return (Change("then", len(line.steps) + 1, number + 1),)
        if last:
            return changes(line.manifest, sealed(act.manifest))
        store = self.project.look_store()  # an earlier step's manifest is in no lock line
        if store is not None and store.cas.has(locked.key):
            with contextlib.suppress(StoreError, ValueError):
                return changes(sealed(json.loads(store.cas.read(locked.key))), sealed(act.manifest))
        return (Change("step", number + 1, number + 1),)

    def _with_locked_ratio(
        self, step: Step, line: Line, locked: LockedFacts, digests: Sequence[str | None], act: Action
    ) -> Action:
        """A clone that has a Git LFS pointer for a photo can't see its ratio; if everything else is as it was, the locked one is right."""
        ratio = line.manifest.get("params", {}).get("aspect_ratio")
        if ratio is None or act.key in (locked.key, locked.chosen_for):
            return act
        other = self._actions.action(step._replace(params={**step.params, "aspect_ratio": ratio}), digests)  # type: ignore[arg-type]
        return other if other.key in (locked.key, locked.chosen_for) else act

    def _is_needed(self, asset: Asset, number: int, last: bool) -> bool:
        if (asset.id, number) in self.needed:
            return True
        if not last:
            return False
        if asset.exports:  # they are what ships
            return not self.leaves.right(asset, self.lock.lines.get(asset.id))
        return not self.project.graph.users.get(asset.id)

    def _input(self, asset: Asset, number: int, one: Input) -> InputFacts:
        source = one.source
        if type(source) is FileInput:
            found = self.project.digests.look(source.path)
            if found is None:
                return InputFacts(source.path, Seen.MISSING)
            return InputFacts(source.path, Seen.POINTER if found.pointer else Seen.READY, found.digest, not found.pointer)
        if type(source) is AssetInput:
            other = self.project.assets[source.asset]
            base = self.plans[source.asset].steps[-1]
            place = base.step.members.index(source.member) if source.member else 0
            label = called(source)
            return self._to_choose(other, self._seen(label, base, place, failed=other.id in self.failed))
        return self._seen(f"{asset.id} step {number}", self.steps[asset.id, number - 1], 0)

    def _seen(self, label: str, base: StepPlan, place: int, *, failed: bool = False) -> InputFacts:
        verb = base.decision.verb
        digest = base.digests[place] if base.digests is not None else None
        if failed or verb in (Verb.FAILED, Verb.SKIPPED):
            return InputFacts(label, Seen.FAILED)
        if verb is Verb.HELD:
            return InputFacts(label, Seen.HELD, digest, recipe=self._recipe(base, place) if digest is not None else None)
        recipe = self._recipe(base, place)
        if digest is None and recipe is None:
            return InputFacts(label, Seen.WAITING)
        return InputFacts(
            label, Seen.READY, digest, recipe=recipe
        )  # whether it is at hand is asked only if something is to be made from it

    def _recipe(self, base: StepPlan, place: int) -> str | None:
        """How a picture is made that is made here, if it is what its recipe says; None for any other, and for what somebody put in its place."""
        if base.step.provider != HERE:
            return None
        act, locked = base.action, base.facts.locked
        if act is None or (locked is not None and (locked.by_hand or (base.decision.accepted and locked.key != act.key))):
            return None
        return recipe(act, place if base.step.op == "cut" else None)

    def _to_choose(self, asset: Asset, fact: InputFacts) -> InputFacts:
        """What a person has still to do before this asset's picture may be used: row 12 asks, and only if something is to be made from it."""
        if fact.seen not in (Seen.READY, Seen.POINTER):
            return fact
        takes = self._undecided(asset)
        line = self.lock.lines.get(asset.id)
        digests = self.plans[asset.id].steps[-1].digests
        approved = line is not None and line.is_approved and digests == _digests_of(line, self.plans[asset.id])
        choice = "approve" if asset.approve and not approved else "choose" if takes else ""
        return fact._replace(choice=choice, takes=takes)

    def _undecided(self, asset: Asset) -> int:
        """How many takes there are to choose from, without the rejected ones; 0 if it is chosen, or there was only one."""
        last, line = self.plans[asset.id].steps[-1], self.lock.lines.get(asset.id)
        if (asset.pin and line is not None) or last.facts.reproducible:
            return 0
        if last.decision.row == "8" and last.facts.store is not None:  # it is put there for want of a choice
            known = last.facts.store.takes
            return max(candidates(known), 1) if _at_hand(known) > 1 else 0
        if line is None or not line.undecided or not last.decision.accepted:
            return 0
        return left_of(line.of, self.known.takes(asset.steps[last.number], line.key))

    def got_one_more(self, plan: StepPlan, take: int, digests: tuple[str, ...]) -> None:
        """One more take of this step was asked for and is recorded. The step after an earlier one is made from it, whatever the lock line says."""
        self.reroll.discard((plan.asset.id, plan.number))
        if plan.facts.reroll and not plan.last and plan.action is not None:
            self._one_more[plan.asset.id, plan.number] = LockedFacts(plan.action.key, take=take), digests

    def just_made(self, plan: StepPlan, take: int, digests: tuple[str, ...]) -> StepPlan | None:
        """A step of which this take was recorded a moment ago, for an asset that had no picture and has none now: what more there is to know needs no
        look into the store. None when anything else lies there, or the step isn't what it was; then it is decided anew.
        """
        asset, store = plan.asset, plan.facts.store
        if store is None or plan.action is None or asset.id in self.lock.lines or asset.id in self.lock.doubles:
            return None
        facts, act = self._gather(asset, plan.number, None)
        if act is None or act.key != plan.action.key or any(one.found is not None for one in facts.outputs):
            return None
        known = store._replace(takes=(*store.takes, TakeFacts(take, digests)), recorded=True)
        facts = facts._replace(store=known, inputs=plan.facts.inputs, outputs=plan.facts.outputs)
        return plan._replace(facts=facts, digests=digests)

    def to_choose_from(self, plan: StepPlan) -> int:
        """Of how many takes a picture is put in its place for want of a choice; 0 if there is nothing to choose. `--rebuy` of an asset that wants one
        take is a choice: of the new one.
        """
        asset, act = plan.asset, plan.action
        if act is None or plan.facts.reproducible or (asset.takes <= 1 and asset.id in self.asked_again):
            return 0
        store = plan.facts.store
        takes = self.known.takes(asset.steps[plan.number], act.key) if store is None else store.takes
        count = sum(1 for take in takes if not take.by_hand)
        return count if count > 1 and (asset.takes > 1 or _at_hand(takes) > 1) else 0

    def _at_hand_too(self, asset: Asset, number: int, one: Input, fact: InputFacts) -> InputFacts:
        if fact.stands is None or type(one.source) is FileInput or fact.seen is not Seen.READY:
            return fact
        source = one.source
        base = self.plans[source.asset].steps[-1] if type(source) is AssetInput else self.steps[asset.id, number - 1]
        coming = base.decision.verb in (Verb.RESTORE, Verb.GENERATE)
        return fact._replace(at_hand=coming or (fact.digest is not None and self.known.at_hand(fact.digest)))

    def _lacking(self, one: StepPlan) -> Iterable[tuple[str, int]]:
        """The steps of whose pictures this one would be made, and whose bytes aren't here."""
        for fact, source in zip(one.facts.inputs, one.step.inputs, strict=False):
            if fact.at_hand or fact.digest is None:
                continue
            if type(source.source) is AssetInput:
                other = self.project.assets[source.source.asset]
                yield other.id, len(other.steps) - 1
            elif type(source.source) is not FileInput:
                yield one.asset.id, one.number - 1

    def missed(self, one: StepPlan) -> list[str]:
        """In the middle of a run, bytes that the plan counted on are gone: whose they are, if that wasn't known yet. These are to be decided anew."""
        lacking = set(self._lacking(one)) - self.needed
        self.needed |= lacking
        return [name for name in self.project.graph.order if name in {n for n, _ in lacking}]

    def _outputs(self, asset: Asset, last: bool, locked: Sequence[str | None], me: tuple[str, int]) -> tuple[OutputFacts, ...]:
        if not last:  # an earlier step's picture lies in no folder; it is there when its bytes can be had, and missed only by who needs them
            digest = locked[0] if locked else None
            here = digest is not None and (me not in self.needed or self.known.at_hand(digest))
            return (OutputFacts("", digest if here else None, digest, here),)
        look = self.project.digests.look
        out = []
        for place, path in enumerate(asset.outputs):
            found = look(path)
            digest = locked[place] if place < len(locked) else None
            if (
                found is not None
                and found.pointer
                and me in self.needed
                and found.digest == digest
                and not self.known.at_hand(digest)
            ):
                out.append(OutputFacts(path, None, digest))  # a pointer is enough to be up to date, not to make an edit from
            else:
                out.append(OutputFacts(path, None if found is None else found.digest, digest))
        return tuple(out)

    # ── what only the store knows ──

    def _with_store(self, asset: Asset, number: int, line: Line | None, facts: Facts, act: Action | None) -> Facts:
        takes = self.known.takes(asset.steps[number], act.key if act else (facts.locked.key if facts.locked else None))
        outputs = [self._judged(asset, one, line, takes, place) for place, one in enumerate(facts.outputs)]
        if not facts.last:
            locked = _locked(line, len(asset.steps) - 1, True)[1]
            ends = self._outputs(asset, True, locked, (asset.id, len(asset.steps) - 1))
            facts = facts._replace(
                ends=tuple(self._judged(asset, one, line, (), place) for place, one in enumerate(ends)),
                end_by_hand=line is not None and line.by_hand,
            )
        store = StoreFacts(tuple(takes), recorded=bool(takes))
        if act is not None:
            store = self.known.with_jobs(act.key, asset.steps[number].provider, store)
        inputs = tuple(
            self._at_hand_too(asset, number, *pair) for pair in zip(asset.steps[number].inputs, facts.inputs, strict=False)
        )
        return facts._replace(outputs=tuple(outputs), inputs=inputs, store=store)

    def _judged(self, asset: Asset, one: OutputFacts, line: Line | None, takes: Sequence[TakeFacts], place: int) -> OutputFacts:
        ours = self._ours(asset, one, line, takes, place)
        return one._replace(
            at_hand=one.locked is not None and self.known.at_hand(one.locked),
            ours=ours,
            whose="" if ours or one.found is None or one.found == one.locked else self.known.whose(asset.id, one.found),
        )

    def not_fetched(self, job: Job, problem: AssetbuildError, *, waits: bool) -> None:
        """What was paid for can't be had just now (`waits`: it needs a person's word): that is told, and not tried again in this run."""
        self._not_fetched[job.key] = Decision("6", Verb.HELD if waits else Verb.FAILED, problem.text, problem.hint or "")

    def _ours(self, asset: Asset, one: OutputFacts, line: Line | None, takes: Sequence[TakeFacts], place: int) -> bool:
        if one.found is None or one.found == one.locked:
            return True
        if any(place < len(t.digests) and t.digests[place] == one.found for t in takes):
            return True
        if line is None:
            return False  # `written` counts only while the asset has a lock line
        if self._written is None:
            store = self.project.look_store()
            self._written = store.written(str(self.project.root)) if store is not None else {}
            self._written_first = self._written if self._written_first is None else self._written_first
        return one.found in (self._written.get(one.path), (self._written_first or {}).get(one.path))

    def action_of(self, plan: StepPlan) -> Action | None:
        """The action of the spec and inputs of now, also of a pinned asset, whose own plan doesn't look at them. None while it isn't known."""
        asset, number = plan.asset, plan.number
        if plan.action is not None or not asset.pin:
            return plan.action
        line = self.lock.lines.get(asset.id)
        digests: list[str] = []
        for one in plan.step.inputs:
            if type(one.source) in (FileInput, AssetInput):
                digest = self._input(asset, number, one).stands
            else:  # the step before, as it was when the picture was made
                digest = line.steps[number - 1].digests[0] if line is not None and len(line.steps) == number else None
            if digest is None:
                return None
            digests.append(digest)
        return self._actions.action(plan.step, digests)

    def ours(self, plan: StepPlan, place: int) -> bool:
        """Whether what lies at one of the asset's outputs is known to be ours (DESIGN §3)."""
        asset, key = plan.asset, plan.action.key if plan.action else (plan.facts.locked.key if plan.facts.locked else None)
        takes = self.known.takes(asset.steps[plan.number], key)
        return self._ours(asset, plan.facts.outputs[place], self.lock.lines.get(asset.id), takes, place)

    def _with_branches(self, facts: Facts) -> Facts:
        """What is about to be held may be the picture of another branch, left here by a checkout; only then are their lockfiles read."""
        assert self.project.git is not None  # noqa: S101 - asked only then
        if self._branches is None:
            lock = (self.project.root / self.project.spec.lock).resolve()
            top = self.project.git[0]
            self._branches = Branches(top, lock.relative_to(top).as_posix() if top in lock.parents else self.project.spec.lock)

        def told(one: OutputFacts) -> OutputFacts:
            strange = one.found is not None and one.found != one.locked and not one.ours and not one.whose
            return one._replace(whose=self._branches.whose(one.found)) if strange and one.found and self._branches else one

        return facts._replace(outputs=tuple(map(told, facts.outputs)), ends=tuple(map(told, facts.ends)))

    def _result_digests(self, facts: Facts, decision: Decision) -> tuple[str, ...] | None:
        """What those built on this step see of it."""
        locked = tuple(o.locked for o in facts.outputs)
        if decision.verb is Verb.RESTORE and decision.row == "8" and facts.store is not None:
            return next((t.digests for t in facts.store.takes if t.take == decision.take and t.at_hand), None)
        if None in locked:
            return None
        known = tuple(d for d in locked if d is not None)
        if decision.verb in (Verb.UP_TO_DATE, Verb.RESTORE):
            return known
        if decision.verb is Verb.HELD and decision.accepted:
            return known
        if decision.verb is Verb.GENERATE and decision.accepted and facts.reproducible and not facts.rebuy:
            return known  # it will be the same bytes; if not, those built on it are decided again
        return None

    def learned_line(self, line: Line) -> None:
        """A lock line of ours is new: it counts from now on."""
        self.wrote = True
        self.own[line.id] = line
        self.known.learned(line)

    def merged(self, before: Stamp | None, after: Stamp | None) -> None:
        """Own lines went into a lockfile that was, before that, as it was read here: it needn't be read again."""
        if before == self._lock_stamp:
            self._lock_stamp = after

    def reread(self) -> None:
        """Another run wrote: lockfile and `written` rows are looked up anew; own lines may not be merged yet."""
        self._written = None
        self.leaves.reread()
        stamp = self.project.lock_stamp()
        if stamp == self._lock_stamp:
            return
        self._lock_stamp = stamp
        lock = self.project.read_lock()
        lock.lines.update(self.own)  # those that aren't merged yet
        self.known = Known(self.project, lock)


def _at_hand(takes: Iterable[TakeFacts]) -> int:
    """How many of them are here, also rejected ones: where one of two was rejected, the other is still to be chosen by a person."""
    return sum(1 for take in takes if take.at_hand and not take.by_hand)


def _digests_of(line: Line, plan: AssetPlan) -> tuple[str | None, ...]:
    return by_member(pairs_of(line), plan.steps[-1].step.members)


def _renamed(line: Line, members: Sequence[str]) -> str:
    """Which members of a set have another name now than the picture had when it was made; "" when none has."""
    names = {o.digest: o.member for o in line.outputs}
    found = zip(members, by_member(pairs_of(line), members), strict=True)
    pairs = [(new, names[d]) for new, d in found if d is not None and names[d] and d in names and new not in names.values()]
    return ", ".join(f"`{new}` is the picture that was `{old}`" for new, old in pairs)


def _locked(
    line: Line | None, number: int, last: bool, members: Sequence[str] = ()
) -> tuple[LockedFacts | None, tuple[str | None, ...]]:
    """What the lock line says of one step of the chain."""
    if line is None:
        return None, ()
    if last:
        said = (line.of, line.chosen, line.undecided, line.is_approved)
        facts = LockedFacts(line.key, line.chosen_for, line.by_hand, line.rejected, line.take, *said)
        return facts, by_member(pairs_of(line), members)
    if number < len(line.steps):
        step = line.steps[number]
        return LockedFacts(step.key, take=step.take), step.digests
    if number == len(line.steps) and line.outputs:  # a step was added after it: the asset's picture of until now is this step's
        return LockedFacts(line.key, line.chosen_for, line.by_hand, line.rejected, line.take), tuple(
            o.digest for o in line.outputs
        )
    return None, ()
