"""Looks at the exports of an asset, at lock, disk and store, and gives `exports.decide` its facts. Writes nothing; what the asset's own pictures are, it is
told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .digest import sha256
from .exports import LOOK, ExportDecision, ExportFacts, decide
from .lockfile import Line, LockedExport
from .pictures.marking import sidecar_path
from .plan import Verb
from .recipe import canonical_options
from .spec.model import HERE, Asset, AssetInput, Export, called

if TYPE_CHECKING:
    from .facts import Planner, StepPlan


class ExportPlan(NamedTuple):
    """One export as it was last decided."""

    export: Export
    facts: ExportFacts
    decision: ExportDecision

    @property
    def picture(self) -> str:
        """What the picture is called that it is made from: `poster`, `story#bean`."""
        return called(AssetInput(self.facts.id, self.export.member))

    @property
    def label(self) -> str:
        """What the export is called: `poster@web`."""
        return f"{self.picture}@{self.export.name}"

    @property
    def key(self) -> str:
        """What this file is made from and how, in one digest: what `written` rows say of it."""
        assert self.facts.master is not None  # noqa: S101 - asked only of what can be made
        return export_key(self.facts.master, self.facts)

    @property
    def to_note(self) -> bool:
        """Whether the file is right and the lock line doesn't say so yet."""
        return self.decision.verb is Verb.UP_TO_DATE and not self.facts.fits


def export_key(master: str, facts: ExportFacts) -> str:
    """The digest of a master and the options."""
    return sha256(f"export\n{master}\n{canonical_options(facts.options or {})}".encode())


class Leaves:
    """Decides exports. `again` are ids whose exports are encoded anew; `only` says which exports of an asset were asked for."""

    def __init__(self, planner: Planner) -> None:
        self.planner, self.project = planner, planner.project
        self.again: set[str] = set()
        self.only: dict[str, set[str]] = {}
        self.failed: dict[tuple[str, str, str], tuple[str, str]] = {}  # (id, export, member) → why it couldn't be made
        self._written: dict[str, tuple[str, str | None]] | None = None

    def right(self, asset: Asset, line: Line | None) -> bool:
        """Whether every export is that of the locked picture, so that the picture itself isn't needed here."""
        if line is None:
            return False
        masters = {o.member: o.digest for o in line.outputs}
        known = _by_name(line)
        for export in asset.exports:
            facts = self._first(asset, export, masters.get(export.member), known.get((export.name, export.member)))
            if not (facts.fits and facts.found == facts.locked) or facts.bare:
                return False
        return True

    def decided(self, asset: Asset, last: StepPlan, line: Line | None, *, failed: bool) -> tuple[ExportPlan, ...]:
        """All exports of an asset whose last step was decided just now."""
        members = last.step.members or ("",)
        digests: Sequence[str | None] = last.digests or [None] * len(members)
        masters = dict(zip(members, digests, strict=False))
        known = {} if line is None else _by_name(line)
        coming = last.decision.verb in (Verb.WAITING, Verb.GENERATE, Verb.RESUME) and not failed
        refused = _refused(asset.id, last, failed=failed)
        found = []
        only = self.only.get(asset.id)
        for export in asset.exports:
            if only is not None and export.name not in only:
                continue
            locked = known.get((export.name, export.member))
            facts = self._first(asset, export, masters.get(export.member), locked)
            facts = facts._replace(
                coming=coming, refused=refused, again=asset.id in self.again, replace=asset.id in self.planner.replace
            )
            decision = decide(facts)
            if decision is LOOK:
                facts = self._with_store(export, facts, last)
                decision = decide(facts)
            assert isinstance(decision, ExportDecision)  # noqa: S101 - LOOK is answered once
            why = self.failed.get((asset.id, export.name, export.member))
            if why is not None:
                decision = ExportDecision("X10", Verb.FAILED, *why)
            found.append(ExportPlan(export, facts, decision))
        return tuple(found)

    def _first(self, asset: Asset, export: Export, master: str | None, locked: LockedExport | None) -> ExportFacts:
        options, lacks = export.recipe.options, ""
        if export.icc is not None:
            profile = self.project.digests.look(export.icc.path)
            if profile is None or profile.pointer:
                lacks = export.icc.path
            else:
                options = export.recipe._replace(icc=profile.digest).options
        found = self.project.digests.look(export.path)
        facts = ExportFacts(asset.id, export.name, export.path, master, options, lacks=lacks)
        bare = (
            export.recipe.provenance == "sidecar"
            and found is not None
            and self.project.digests.look(sidecar_path(export.path)) is None
        )
        facts = facts._replace(found=None if found is None else found.digest, bare=bare)
        if locked is None:
            return facts
        return facts._replace(locked=locked.digest, locked_of=locked.of, locked_options=locked.options)

    def _with_store(self, export: Export, facts: ExportFacts, last: StepPlan) -> ExportFacts:
        store, known = self.project.look_store(), self.planner.known
        if self._written is None:
            self._written = {} if store is None else store.written_keys(str(self.project.root))
        digest, key = self._written.get(export.path, (None, None))
        assert facts.master is not None  # noqa: S101 - decided before
        ours = facts.found is not None and (facts.found in (digest, facts.locked) or self._known(facts.found))
        noted = facts.found is not None and facts.found == digest and key == export_key(facts.master, facts)
        blob = facts.locked is not None and store is not None and store.cas.has(facts.locked)
        coming = last.decision.verb in (Verb.RESTORE, Verb.GENERATE)
        facts = facts._replace(looked=True, ours=ours, noted=noted, blob=blob, at_hand=coming or known.at_hand(facts.master))
        path = self.file(facts.master) if facts.master is not None else None
        if path is not None and not (noted or (facts.fits and blob)):
            facts = self._sized(last.asset, export, facts, path)
        return facts

    def _sized(self, asset: Asset, export: Export, facts: ExportFacts, path: Path) -> ExportFacts:
        from .forms import form
        from .geometry import layout

        size = None if self._drawn(asset) else form(path)
        if size is None or export.recipe.format == "ico" or (export.recipe.format == "pdf" and export.recipe.dpi is None):
            return facts
        scale = layout(size.width, size.height, export.recipe).scale
        return facts._replace(scale=scale, size=(size.width, size.height))

    def _known(self, digest: str) -> bool:
        """Whether these bytes are in the store and nobody made them by hand: an export of another branch, which a merge left here."""
        store = self.project.look_store()
        return store is not None and store.cas.has(digest) and not any(take.by_hand for take in store.by_digest(digest))

    def _drawn(self, asset: Asset) -> bool:
        """Whether the picture is a drawing of ours, or made here from one: how large it is says nothing of the one that will be bought."""
        table = self.project.table
        while asset.steps[-1].provider == HERE:
            source = asset.steps[-1].inputs[0].source
            if type(source) is not AssetInput:
                return False
            asset = self.project.assets[source.asset]
        provider = asset.steps[-1].provider
        return table.free(provider) and table.reproducible(provider)

    def file(self, digest: str) -> Path | None:
        """Where a picture's bytes lie here; None if nowhere."""
        store = self.project.look_store()
        if store is not None and store.cas.has(digest):
            return store.cas.path(digest)
        path = self.planner.known.file_with(digest)
        return None if path is None else self.project.root / path

    def reread(self) -> None:
        """What is written down may be another by now."""
        self._written = None


def _by_name(line: Line) -> dict[tuple[str, str], LockedExport]:
    return {(one.name, one.member): one for one in line.exports}


def _refused(name: str, last: StepPlan, *, failed: bool) -> str:
    """Why nothing is made from this picture now."""
    if last.decision.row == "3a":
        return f"`{name}` was rejected"
    if last.digests is not None and not failed:
        return ""
    if failed or last.decision.verb in (Verb.FAILED, Verb.SKIPPED):
        return f"`{name}` failed or was skipped"
    return f"`{name}` is waiting for you" if last.decision.verb is Verb.HELD else ""
