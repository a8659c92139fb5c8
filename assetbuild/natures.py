"""What the pictures of a project are, for the files that are made from them: a model's, a drawing of ours, a person's, or something of both. Follows assets to
what they are made from; reads the user's own files, and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

from .known import Known
from .pictures.marking import Mark, Nature, Op, users, which
from .pictures.reading import origins
from .project import Project
from .spec.model import HERE, Asset, AssetInput, FileInput, Step, called


class Told(NamedTuple):
    """What a picture is, and whose it was before anything was made of it."""

    nature: Nature
    creator: tuple[str, ...] = ()
    rights: str = ""


class Natures:
    """Answers for one run, each asset once."""

    def __init__(self, project: Project, known: Known) -> None:
        self.project, self.known = project, known
        self._told: dict[str, Told] = {}
        self._files: dict[str, Told] = {}

    def of(self, asset: Asset) -> Told:
        """What an asset's picture is. Without recursion: chains of edits may be long."""
        order = [asset.id]
        todo = [asset.id]
        while todo:  # everything below it that isn't known yet, bases after what needs them
            for name in self.project.graph.bases.get(todo.pop(), ()):
                if name not in self._told:
                    order.append(name)
                    todo.append(name)
        for name in reversed(order):
            if name not in self._told:
                self._told[name] = self._of(self.project.assets[name])
        return self._told[asset.id]

    def _of(self, asset: Asset) -> Told:
        line = self.known.lock.lines.get(asset.id)
        if line is not None and line.by_hand and line.outputs:
            return self._file(line.outputs[0].path)
        told = Told(Nature())
        for step in asset.steps:
            told = self.step(step, told)
        return told

    def before(self, asset: Asset, number: int) -> Told:
        """What the picture of an asset's step is, whatever lies at its output now."""
        told = Told(Nature())
        for step in asset.steps[: number + 1]:
            told = self.step(step, told)
        return told

    def step(self, step: Step, before: Told | None = None) -> Told:
        """What a step's picture is; `before` is that of the step before it."""
        sources: list[Told] = []
        for one in step.inputs:
            if one.role not in ("base", "overlay"):
                continue
            if isinstance(one.source, FileInput):
                sources.append(self._file(one.source.path))
            elif isinstance(one.source, AssetInput):
                sources.append(self._told.get(one.source.asset) or self.of(self.project.assets[one.source.asset]))
            else:
                sources.append(before or Told(Nature()))
        drawn = step.provider != HERE and self.project.table.free(step.provider)
        nature = which(_op(step), [one.nature for one in sources], drawn=drawn)
        base = sources[0] if sources and not drawn and step.op != "generate" else Told(nature)
        return Told(nature, base.creator, base.rights)

    def _file(self, path: str) -> Told:
        if path not in self._files:
            says = origins(self.project.root / path, check=False)
            self._files[path] = Told(users(says.says), says.creator, says.rights)
        return self._files[path]


def _op(step: Step) -> Op:
    return step.op


def mark(told: Told, asset: Asset | None, member: str = "") -> Mark:
    """What is written into a file that is made of a picture. Without an asset: for a picture that several may share."""
    name = "" if asset is None else called(AssetInput(asset.id, member))
    return Mark(told.nature.kind, name, told.nature.draft, creator=told.creator, rights=told.rights)
