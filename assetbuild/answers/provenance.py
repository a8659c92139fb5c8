"""Where the files that ship say they are from: per file whether its bytes are those that were recorded, whether it is signed, what it says of how it was
made, and which step of ours dropped a signature that the picture before it had. Reads; changes nothing.

`judge` knows only `Piece` and `Files`; `pieces` makes them from a project's lockfile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from ..lockfile import Line
from ..pictures.marking import KINDS, as_kind, sidecar_path
from ..pictures.reading import Origins, origins
from ..project import Project
from .describing import made_by

Record = dict[str, Any]
Role = Literal["output", "export"]
State = Literal["intact", "changed", "missing", "not here", "not made", "not ours"]
Signature = Literal["valid", "trusted", "expired", "invalid", "unchecked", "none"]
MADE_HERE = ("compose", "cut")  # ops of ours that write a picture anew


class Piece(NamedTuple):
    """One file to look at. `name` is the export's, or the member's of a set; `digest` is what the lockfile has for it (None: it was never made);
    `master` the digest of the picture that it was made from here (None: what a vendor or a person gave, as it came); `by` who made it: "bought",
    "comp" (a draft, drawn here), "hand", "here"; `made_by` is `provider/model` or, of an export, its format; `step` what made it, for messages.
    """

    asset: str
    path: str
    role: Role
    name: str
    digest: str | None
    master: str | None
    by: Literal["bought", "comp", "hand", "here"]
    made_by: str
    step: str = ""


class Files(Protocol):
    """The disk, as far as it is asked."""

    def found(self, path: str) -> tuple[str | None, bool]:
        """The digest of what lies at a path (None: nothing), and whether it is a Git LFS pointer with that digest."""

    def place(self, path: str) -> Path:
        """Where a path of the project is on disk."""

    def blob(self, digest: str) -> Path | None:
        """A file with these bytes, None when they aren't here."""


class _Disk:
    """The disk of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._named = {o.digest: o.path for line in project.lock.lines.values() for o in line.outputs}

    def found(self, path: str) -> tuple[str | None, bool]:
        look = self.project.digests.look(path)
        return (None, False) if look is None else (look.digest, look.pointer)

    def place(self, path: str) -> Path:
        return self.project.root / path

    def blob(self, digest: str) -> Path | None:
        store = self.project.look_store()
        if store is not None and store.cas.has(digest):
            return store.cas.path(digest)
        path = self._named.get(digest)
        return self.place(path) if path is not None and self.found(path) == (digest, False) else None


def provenance(project: Project, names: Sequence[str]) -> list[Record]:
    """The rows of `schemas/provenance.schema.json` for these assets, in their order. Raises StoreError, OSError."""
    return list(judge(pieces(project, names), _Disk(project)))


def pieces(project: Project, names: Sequence[str]) -> Iterator[Piece]:
    """The outputs and exports of assets, as the lockfile has them."""
    for name in names:
        asset, line = project.assets[name], project.lock.lines.get(name)
        last = asset.steps[-1]
        if line is None:
            for path, member in zip(asset.outputs, last.members or ("",), strict=True):
                yield Piece(name, path, "output", member, None, None, "here", f"{last.provider}/{last.model}")
            continue
        locked = {output.member: output.digest for output in line.outputs}
        by: Literal["bought", "comp", "hand", "here"] = _by(project, line)
        for path, member in zip(asset.outputs, last.members or ("",), strict=True):
            yield Piece(name, path, "output", member, locked.get(member), _master(line), by, made_by(line), _op(line))
        made = {(one.name, one.member): one for one in line.exports}
        for export in asset.exports:
            one = made.get((export.name, export.member))
            digest, master = (None, None) if one is None else (one.digest, one.of)
            yield Piece(name, export.path, "export", export.name, digest, master, "here", export.recipe.format)


def judge(found: Iterable[Piece], files: Files) -> Iterator[Record]:
    """A row for each piece."""
    seen: dict[str, Origins] = {}

    def before(digest: str | None) -> Origins:
        """What the picture with these bytes says; nothing if it isn't here."""
        if digest is None:
            return Origins()
        if digest not in seen:
            blob = files.blob(digest)
            seen[digest] = Origins() if blob is None else origins(blob, check=False)
        return seen[digest]

    for piece in found:
        digest, pointer = files.found(piece.path)
        state = _state(piece, digest, pointer)
        here = digest is not None and not pointer
        says = origins(files.place(piece.path)) if here else Origins()
        beside = _beside(files, piece.path) if here and not says.kind else None
        told = beside or says
        yield {
            "asset": piece.asset,
            "path": piece.path,
            "role": piece.role,
            "name": piece.name or None,
            "bytes": state,
            "by": piece.by,
            "made_by": piece.made_by,
            "locked": piece.digest,
            "found": digest,
            "of": piece.master,
            "signature": _signature(says),
            "signer": says.signer,
            "generator": says.generator,
            "kind": told.says or says.says,
            "called": _called(told.says or says.says),
            "said_in": "sidecar" if beside else "xmp" if says.kind else "manifest" if says.claimed else None,
            "tool": told.tool,
            "draft": told.draft or (piece.by == "comp" and state == "intact"),
            "marked_draft": told.draft,
            "dropped_by": _dropped(piece, state, says, before) if here else None,
            "whole": says.whole,
        }


def _state(piece: Piece, digest: str | None, pointer: bool) -> State:
    if piece.digest is None:
        return "not made" if digest is None else "not ours"
    if digest is None:
        return "missing"
    if digest != piece.digest:
        return "changed"
    return "not here" if pointer else "intact"


def _signature(says: Origins) -> Signature:
    return says.state or ("unchecked" if says.manifest else "none")


def _dropped(piece: Piece, state: State, says: Origins, before: Any) -> str | None:  # noqa: ANN401 - digest → Origins
    """The step after which a signature was gone, None when none is gone."""
    if says.manifest:
        return None
    if state == "changed" and before(piece.digest).manifest:
        return "another program"
    if not before(piece.master).manifest:
        return None
    return f"export {piece.name}" if piece.role == "export" else piece.step or "a step"


def _beside(files: Files, path: str) -> Origins | None:
    """What a sidecar says, if there is one that says anything."""
    place = files.place(sidecar_path(path))
    says = origins(place, check=False) if place.is_file() else Origins()
    return says if says.kind or says.draft else None


def _called(kind: str | None) -> str | None:
    known = as_kind(kind)
    return kind if known is None else KINDS[known]


def _op(line: Line) -> str:
    return str(line.manifest.get("op", ""))


def _master(line: Line) -> str | None:
    """The picture that a step of ours was made from; None for what came as it is."""
    if line.by_hand or _op(line) not in MADE_HERE:
        return None
    inputs = line.manifest.get("inputs") or ()
    digest = inputs[0].get("digest") if inputs else None
    return digest if isinstance(digest, str) else None


def _by(project: Project, line: Line) -> Literal["bought", "comp", "hand", "here"]:
    provider = str(line.manifest.get("provider", ""))
    if line.by_hand:
        return "hand"
    if _op(line) in MADE_HERE:
        return "here"
    return "comp" if project.table.knows(provider) and project.table.reproducible(provider) else "bought"
