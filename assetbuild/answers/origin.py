"""What made a file, found by its bytes: lock lines of every profile, the store's results, pictures that assets had before.
Its name doesn't matter. Where no bytes are known, by its looks (`alike`), which is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .. import lockfile
from ..errors import AssetbuildError, UsageError
from ..facts import Planner
from ..files import PRIVATE, lfs_oid, sha256_file
from ..forms import form
from ..lockfile import Line, former
from ..project import Project
from ..report.measures import stamp_text
from ..spec.model import FileInput
from .describing import made_by, take_record

Record = dict[str, Any]
PARTS = ("pictures", "exports", "steps", "before", "inputs", "takes")  # where bytes may be known from


def origin(project: Project, planner: Planner, path: Path, shown: str, say: Callable[[str], None] | None = None) -> Record:
    """The file as `schemas/show.schema.json` has it under `file`; `known` is False when nothing here knows its bytes: then
    `alike` says which pictures it looks like.

    `shown` is the name it is called by; `say` is told when it takes long. Raises UsageError when there is no such file.
    """
    try:
        digest, size = sha256_file(path)
        with open(path, "rb") as opened:
            pointer = lfs_oid(opened.read(1024))
    except OSError as error:
        raise UsageError(f"can't read {shown}: {error.strerror or error}") from error
    digest = pointer or digest
    shape = None if pointer else form(path)
    store = project.look_store()
    takes = [take_record(project, take) for take in (store.by_digest(digest) if store is not None else ())]
    found: Record = {
        "path": shown,
        "digest": digest,
        "size": size,
        "pointer": pointer is not None,
        "width": None if shape is None else shape.width,
        "height": None if shape is None else shape.height,
        "kind": None if shape is None else shape.kind,
        "pictures": list(_pictures(project, planner, digest)),
        "exports": list(_exports(project, digest)),
        "steps": list(_steps(project, planner, digest)),
        "before": list(_before(project, digest)),
        "inputs": list(_inputs(project, digest)),
        "takes": takes,
        "in_store": store is not None and store.cas.has(digest),
    }
    found["known"] = bool(found["in_store"] or any(found[part] for part in PARTS))
    found["alike"] = [] if found["known"] or shape is None else _alike(project, planner, path, say)
    return found


def _alike(project: Project, planner: Planner, path: Path, say: Callable[[str], None] | None) -> list[Record]:
    from .alike import alike  # the last resort: it looks at pictures

    return [
        {**one._asdict(), "member": one.member or None, "number": one.number or None, "path": one.path or None}
        for one in alike(project, planner, path, say)
    ]


def locks(project: Project) -> Iterator[tuple[str | None, str, dict[str, Line]]]:
    """Profile (None: the present one, or none), lockfile and lines of each lockfile here."""
    yield project.profile, project.spec.lock, project.lock.lines
    root = project.root
    for path in sorted({*root.glob("*.lock"), *(root / PRIVATE).glob("*/*.lock")}):
        name = path.relative_to(root).as_posix()
        if name == project.spec.lock:
            continue
        try:
            lines = lockfile.read(path).lines
        except AssetbuildError:
            continue  # another program's, or damaged: `doctor` says so
        inner = name.split("/")
        profile = inner[1] if len(inner) > 1 else (name.split(".")[1] if name.count(".") > 1 else None)
        yield profile, name, lines


def _pictures(project: Project, planner: Planner, digest: str) -> Iterator[Record]:
    for profile, lock, lines in locks(project):
        for line in lines.values():
            for output in line.outputs:
                if output.digest == digest:
                    yield {
                        "id": line.id,
                        "member": output.member or None,
                        "path": output.path,
                        "profile": profile,
                        "lock": lock,
                        "in_spec": line.id in project.assets,
                        "by": "hand" if line.by_hand else made_by(line),
                        "take": line.take,
                        "key": line.key,
                    }


def _exports(project: Project, digest: str) -> Iterator[Record]:
    for profile, lock, lines in locks(project):
        for line in lines.values():
            asset = project.assets.get(line.id)
            named = set() if asset is None else {(one.name, one.member) for one in asset.exports}
            for one in line.exports:
                if one.digest == digest:
                    yield {
                        "id": line.id,
                        "member": one.member or None,
                        "name": one.name,
                        "path": one.path,
                        "profile": profile,
                        "lock": lock,
                        "in_spec": (one.name, one.member) in named,
                        "of": one.of,
                    }


def _steps(project: Project, planner: Planner, digest: str) -> Iterator[Record]:
    for line in planner.lock.lines.values():
        for number, step in enumerate(line.steps, 1):
            if digest in step.digests:
                yield {"id": line.id, "step": number, "key": step.key}


def _before(project: Project, digest: str) -> Iterator[Record]:
    for one in reversed(former.everything(project.root, project.spec.lock)):
        if any(o.digest == digest for o in one.line.outputs):
            yield {"id": one.line.id, "until": stamp_text(one.at), "by": "hand" if one.line.by_hand else made_by(one.line)}


def _inputs(project: Project, digest: str) -> Iterator[Record]:
    """The user's own pictures with these bytes, and what is made from them."""
    same: dict[str, bool] = {}
    users: dict[str, dict[str, None]] = {}
    for asset in project.assets.values():
        for step in asset.steps:
            for one in step.inputs:
                if type(one.source) is not FileInput:
                    continue
                path = one.source.path
                if path not in same:
                    look = project.digests.look(path)
                    same[path] = look is not None and look.digest == digest
                if same[path]:
                    users.setdefault(path, {})[asset.id] = None
    yield from ({"path": path, "used_by": list(ids)} for path, ids in users.items())
