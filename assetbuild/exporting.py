"""Makes the exports of a run: one decode of a picture for all that is made from it, in worker threads; then bytes into the store → `written` row → file →
lock line, in an order that survives a kill. Decides nothing: what is to be made, `exports.decide` says.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .digest import sha256
from .errors import AssetbuildError
from .events import Exported, Failed, Held, Said
from .files import atomic_write
from .leaves import ExportPlan
from .lockfile import Line, LockedExport
from .natures import mark
from .placing import OutputChanged
from .plan import Verb
from .providers.base import Request
from .spec.model import HERE, Asset
from .store import Written
from .store.cas import CorruptBlob

if TYPE_CHECKING:
    from .build import Build
    from .pictures.signing import Action
    from .pictures.wanted import Want

CERTIFICATE, KEY = "ASSETBUILD_C2PA_CERT", "ASSETBUILD_C2PA_KEY"  # files: a chain of certificates and its key (PEM)
TRIES = 4  # a decision that the world overtakes is made again, not for ever


class Encoded(NamedTuple):
    """One export with its bytes in the store, or why it couldn't be made."""

    plan: ExportPlan
    digest: str
    size: int
    problem: AssetbuildError | None = None
    notes: tuple[str, ...] = ()


class Exporter:
    """The exports of one run."""

    def __init__(self, run: Build) -> None:
        self.run, self.project, self.planner = run, run.project, run.planner
        self.made = self.restored = 0
        self.paths: set[str] = set()

    async def make(self, asset: Asset) -> None:
        """Puts every export of an asset in its place that can be, and says what can't."""
        began, done = time.monotonic(), list[str]()
        for _ in range(TRIES):
            plan = self.planner.decide_exports(asset.id)
            todo = [one for one in plan.to_export if one.decision.verb is not Verb.WAITING]
            if not todo or self.run.stopping:
                break
            try:
                done += await self._once(asset, todo)
                self.planner.leaves.again.discard(asset.id)
            except (OutputChanged, CorruptBlob) as problem:
                self.run.maker.met(problem)
                self.planner.leaves.reread()
        plan = self.planner.decide_exports(asset.id)
        self.paths.update(done)
        if done:
            self.run.say(Exported(asset.id, tuple(done), time.monotonic() - began))
        for one in plan.exports:
            self._end(asset, one)

    def _end(self, asset: Asset, one: ExportPlan) -> None:
        label, decision = one.label, one.decision
        if decision.verb is Verb.HELD:
            self.run.held[label] = decision.text
            self.run.say(Held(label, decision.text, decision.hint))
        elif decision.verb is Verb.FAILED:
            self.run.failed[label] = decision.text
            self.run.say(Failed(label, decision.text, decision.hint))
            if self.run.options.fail_fast:
                self.run.stopping = True

    async def _once(self, asset: Asset, todo: Sequence[ExportPlan]) -> list[str]:
        """One go at these exports; gives the paths that were made or put back. Raises OutputChanged, CorruptBlob."""
        loop, files = self.run.loop, self.run.files
        ready = [Encoded(one, one.facts.locked or "", 0) for one in todo if one.decision.verb is Verb.RESTORE]
        self.restored += len(ready)
        by_master: dict[str, list[ExportPlan]] = {}
        for one in todo:
            if one.decision.verb is Verb.GENERATE and one.facts.master is not None:
                by_master.setdefault(one.facts.master, []).append(one)
        for master, group in by_master.items():
            async with self.run.slots:
                if self.run.stopping:
                    break
                found = await loop.run_in_executor(self.run.draw, self._encoded, asset, master, group)
            for done in found:
                if done.problem is not None:
                    name = (asset.id, done.plan.export.name, done.plan.export.member)
                    self.planner.leaves.failed[name] = done.problem.text, done.problem.hint or ""
                for note in done.notes:
                    self.run.say(Said(f"{done.plan.export.path}: {note}"))
            good = [done for done in found if done.problem is None]
            self.made += len(good)
            ready += good
        if ready:
            tree = str(self.project.root)
            rows = [Written(tree, each.plan.export.path, each.digest, each.plan.key) for each in ready]
            await self.run.ledger.record(None, rows, durable=False)
            for each in ready:
                await loop.run_in_executor(files, self._put, each)
        self._note(asset, ready, [one for one in todo if one.to_note])
        self.planner.leaves.reread()
        return [each.plan.export.path for each in ready]

    def _put(self, one: Encoded) -> None:
        """In a worker thread. What somebody made there goes into the store first, if it is replaced as told."""
        facts, placer = one.plan.facts, self.run.placer
        if facts.found not in (None, facts.locked, one.digest) and not facts.ours:
            placer.keep_file(one.plan.export.path, facts.found)
        placer.put(one.plan.export.path, one.digest, facts.found, False)
        if one.plan.export.recipe.provenance == "sidecar":
            self._put_beside(one.plan)

    def _encoded(self, asset: Asset, master: str, group: Sequence[ExportPlan]) -> list[Encoded]:
        """In a worker thread: all that is made from one picture. Raises CorruptBlob, OutputChanged."""
        from .pictures.encoding import make
        from .pictures.wanted import CantExport

        cas = self.run.placer.cas
        if cas.has(master) and not cas.intact(master):
            raise CorruptBlob(master, missing=False)
        path = self.planner.leaves.file(master)
        if path is None:
            raise OutputChanged
        wants = [self._want(asset, one) for one in group]
        done: list[Encoded] = []
        for one, made in zip(group, make(path, wants, shown=group[0].picture), strict=True):
            if isinstance(made, AssetbuildError):
                done.append(Encoded(one, "", 0, made))
            else:
                try:
                    data = self._signed(made.data, one, asset, path)
                except CantExport as problem:
                    done.append(Encoded(one, "", 0, problem))
                    continue
                done.append(Encoded(one, cas.put(data, durable=False), len(data), None, made.notes))
        return done

    def _want(self, asset: Asset, one: ExportPlan) -> Want:
        from .pictures.marking import packet
        from .pictures.wanted import Want

        profile: bytes | None = None
        if one.export.icc is not None:
            profile = (self.project.root / one.export.icc.path).read_bytes()
        kept = one.export.recipe.provenance == "keep"
        words = packet(mark(self.run.placer.told(asset), asset, one.export.member)) if kept else None
        return Want(one.export.recipe, profile, words, self._vector(asset, one))

    def _vector(self, asset: Asset, one: ExportPlan) -> bytes | None:
        """A composed picture as a page of vectors, for a PDF; None for any other, and where what it is made from isn't here."""
        number = len(asset.steps) - 1
        step, plan = asset.steps[number], self.planner.steps.get((asset.id, number))
        composed = step.provider == HERE and step.op == "compose"
        if one.export.recipe.format != "pdf" or not composed or plan is None or plan.action is None:
            return None
        line = self.planner.lock.lines.get(asset.id)
        if line is None or line.by_hand or line.key != plan.action.key:
            return None  # it is another picture than its recipe gives
        try:
            pictures = self.run.placer.inputs(plan)
        except (OutputChanged, CorruptBlob, AssertionError):
            return None
        if step.params.get("trim") is not None:
            return None
        request = Request(plan.action.key, step.op, step.model, None, step.params, pictures)
        found: bytes = getattr(self.project.provider(HERE), "vector")(request)  # noqa: B009 - the contract doesn't ask for it
        return found

    def _put_beside(self, one: ExportPlan) -> None:
        """The file beside an export that says where it comes from. One that somebody wrote or changed stays."""
        from .pictures.marking import sidecar, sidecar_path

        name = sidecar_path(one.export.path)
        asset, tree = self.project.assets[one.facts.id], str(self.project.root)
        words = sidecar(mark(self.run.placer.told(asset), asset, one.export.member))
        found = self.project.digests.look(name)
        if found is not None and found.digest != self.project.store.written(tree).get(name):
            return
        self.project.store.note_written([Written(tree, name, sha256(words), None)], durable=False)
        atomic_write(self.project.root / name, words, durable=False)

    def _signed(self, data: bytes, one: ExportPlan, asset: Asset, master: Path) -> bytes:
        """With the certificate that the environment names; as it is when it names none. Raises CantSign."""
        chain, key = (self.project.env.environ.get(name) for name in (CERTIFICATE, KEY))
        recipe = one.export.recipe
        if not chain or not key or recipe.provenance != "keep" or recipe.strip:
            return data
        from .pictures.signing import MEDIA, signed

        if recipe.format not in MEDIA:
            return data
        cut = recipe.fit == "cover" and (recipe.page or (recipe.width and recipe.height))
        actions: list[Action] = ["c2pa.cropped"] if cut else []
        actions += ["c2pa.resized", "c2pa.converted"] if recipe.width or recipe.height or recipe.page else ["c2pa.converted"]
        return signed(
            data,
            recipe.format,
            parent=master,
            certificate=Path(chain),
            key=Path(key),
            actions=actions,
            nature=self.run.placer.told(asset).nature,
            title=one.picture,
        )

    def _note(self, asset: Asset, ready: Sequence[Encoded], right: Sequence[ExportPlan]) -> None:
        """The lock line says what its exports are now."""
        line = self.planner.lock.lines.get(asset.id)
        if line is None or not (ready or right):
            return
        new = [_locked(one.plan, one.digest, one.size or self._size(one.plan, one.digest)) for one in ready]
        new += [_locked(one, one.facts.found or "", self._size(one, one.facts.found or "")) for one in right]
        self.run.ledger.own(with_exports(line, asset, new))

    def _size(self, one: ExportPlan, digest: str) -> int:
        return self.run.placer.size(digest, one.export.path)


def _locked(one: ExportPlan, digest: str, size: int) -> LockedExport:
    export, facts = one.export, one.facts
    assert facts.master is not None  # noqa: S101 - it was made from it
    return LockedExport(export.name, export.member, export.path, digest, size, facts.master, dict(facts.options or {}))


def with_exports(line: Line, asset: Asset, new: Sequence[LockedExport]) -> Line:
    """The line with these exports over those it has, in the order of the spec; what left the spec comes last."""
    found = {(one.name, one.member): one for one in (*line.exports, *new)}
    order = [(one.name, one.member) for one in asset.exports]
    first = [found.pop(name) for name in order if name in found]
    return line._replace(exports=(*first, *(found[name] for name in sorted(found))))
