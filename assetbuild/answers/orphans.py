"""Pictures of ours that no asset puts anywhere any more: lock lines whose id left the spec, and files that we wrote where now no
asset has an output. Finds and names them; deletes nothing, ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..files import PRIVATE
from ..lockfile import Line, Lock, former
from ..pictures.marking import sidecar_path
from ..project import Project
from ..spec.model import files_of


class Orphan(NamedTuple):
    """One picture. `id` is whose it was (None: nobody knows any more), `locked` its digest and `size` its bytes as far as known;
    `found` is the digest of what lies at `path` now (None: nothing does).
    """

    id: str | None
    path: str
    member: str
    locked: str
    size: int | None
    found: str | None
    in_store: bool


def orphans(project: Project, lock: Lock | None = None) -> list[Orphan]:
    """All of them: first those with a lock line, by id, then files by path. `lock`: the lockfile as a run knows it. Raises SpecError,
    StoreError, OSError.
    """
    lock = lock or project.lock
    outputs = {path: asset.id for asset in project.assets.values() for path in files_of(asset)}
    outputs |= {
        sidecar_path(one.path): asset.id
        for asset in project.assets.values()
        for one in asset.exports
        if one.recipe.provenance == "sidecar"
    }
    return [*_lines(project, lock, outputs), *_exports(project, lock, outputs), *_files(project, lock, outputs)]


def sentence(count: int) -> str:
    """`2 pictures belong to no asset any more: …`, the one line that other commands say."""
    words = "1 picture belongs" if count == 1 else f"{count:,} pictures belong"
    return f"{words} to no asset any more: `assetbuild list --orphans`"


def just_left(project: Project) -> set[str]:
    """Ids with a lock line that left the spec after the last build of the whole spec here. To be asked before that build looks at
    anything.
    """
    gone = [line for name, line in project.lock.lines.items() if name not in project.assets]
    return {line.id for line in gone if any(project.digests.listed(o.path) for o in line.outputs)}


def line_of(project: Project, what: str) -> Line | None:
    """The lock line of an id that left the spec, by that id or by the path of its picture."""
    line = project.lock.lines.get(what.partition("#")[0]) or project.lock.lines.get(what)
    if line is not None:
        return None if line.id in project.assets else line
    gone = (line for name, line in project.lock.lines.items() if name not in project.assets)
    return next((line for line in gone if any(o.path == what for o in line.outputs)), None)


def _lines(project: Project, lock: Lock, outputs: dict[str, str]) -> Iterator[Orphan]:
    gone = [lock.lines[name] for name in sorted(lock.lines) if name not in project.assets]
    if not gone:
        return
    wanted = {o.digest for name, line in lock.lines.items() if name in project.assets for o in line.outputs}
    for line in gone:
        for output in line.outputs:
            owner = lock.lines.get(outputs.get(output.path, ""))
            found = _found(project, output.path) if output.path not in outputs else None
            if output.digest in wanted and (found is None or owner is not None):
                continue  # another asset has this very picture: it was given another id in the spec
            yield Orphan(line.id, output.path, output.member, output.digest, output.size, found, _kept(project, output.digest))


def _exports(project: Project, lock: Lock, outputs: dict[str, str]) -> Iterator[Orphan]:
    """What was made from a picture, lies there as it was made, and isn't in the spec any more."""
    for name in sorted(lock.lines):
        for one in lock.lines[name].exports:
            if one.path not in outputs and _found(project, one.path) == one.digest:
                yield Orphan(name, one.path, one.member, one.digest, one.size, one.digest, _kept(project, one.digest))


def _files(project: Project, lock: Lock, outputs: dict[str, str]) -> Iterator[Orphan]:
    """What `written` says that we put somewhere, and that still lies there as it was."""
    store = project.look_store()
    if store is None:
        return
    tree = project.spec.tree + "/" if project.spec.tree else ""
    named = {o.path for line in lock.lines.values() for o in line.files}
    left = {
        path: digest
        for path, digest in store.written(str(project.root)).items()
        if path not in outputs
        and path not in named
        and (path.startswith(tree) if tree else not path.startswith(PRIVATE + "/"))
        and _found(project, path) == digest
    }
    if not left:
        return
    elsewhere = _named_elsewhere(project)
    had = {(o.path, o.digest): f.line.id for f in former.everything(project.root, project.spec.lock) for o in f.line.outputs}
    by_digest = {o.digest: line.id for line in lock.lines.values() for o in line.outputs}
    for path in sorted(left):
        if path not in elsewhere:
            digest = left[path]
            look = project.digests.look(path)
            whose = had.get((path, digest)) or by_digest.get(digest)
            yield Orphan(whose, path, "", digest, None if look is None else look.size, digest, _kept(project, digest))


def _named_elsewhere(project: Project) -> set[str]:
    """The paths in the lockfiles of other profiles: theirs to judge."""
    from .origin import locks  # most runs have nothing left

    others = (lines for _, name, lines in locks(project) if name != project.spec.lock)
    return {one.path for lines in others for line in lines.values() for one in line.files}


def _found(project: Project, path: str) -> str | None:
    look = project.digests.look(path)
    return None if look is None else look.digest


def _kept(project: Project, digest: str) -> bool:
    store = project.look_store()
    return store is not None and store.cas.has(digest)
