"""After a build of a whole spec: what it looked at goes into the stamp table, so that the next one can answer without looking.

Knows plans and the table's form. A table that can't be written is no harm: the next build looks properly.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import __version__, lockfile, outline, stamptable
from .digest import sha256
from .facts import AssetPlan, Planner
from .outlining import draw_up
from .pictures.marking import sidecar_path
from .plan import Verb
from .project import BUILT_IN, Project
from .spec.model import FileInput


def remember(project: Project, planner: Planner, plans: Sequence[AssetPlan], summary: str, *, settled: bool = True) -> bool:
    """Writes the table; it says "nothing to do" only if every asset of the spec is up to date, and nothing else waits (`settled`). False when it couldn't be
    written.
    """
    from . import stamps

    project.sizes.save()

    complete = len(plans) == len(project.assets) and all(
        step.decision.verb is Verb.UP_TO_DATE for plan in plans for step in plan.steps if step.last
    )
    complete = complete and all(
        one.decision.verb is Verb.UP_TO_DATE and not one.to_note for plan in plans for one in plan.exports
    )
    complete = complete and settled and not _owed(project)
    absent: list[str] = []
    counts = [0, 0]
    for plan in plans:
        counts[plan.leading.decision.row == "9"] += 1
    words = [f"{counts[0]:,} up to date"] if counts[0] or not counts[1] else []
    if counts[1]:
        words.append(f"{counts[1]:,} not here, not needed")
    drawn_up = draw_up(project, planner, plans) if complete else None
    header = {
        **({} if drawn_up is None else {outline.DIGEST: drawn_up}),
        **stamptable.header(tool=__version__, profile=project.profile, spec=project.spec_name, environ=project.env.environ),
        "summary": ", ".join(words) if complete else summary,
    }
    return stamps.write(
        str(project.stamps_path),
        str(project.root),
        header=header,
        files=list(_files(project, planner, plans, absent)),
        absent=absent,
        folders=project.spec.globs,
        complete=complete,
    )


def _owed(project: Project) -> bool:
    """Whether something that was paid for is still to be fetched: then there is something to do, whatever the spec says."""
    store = project.look_store()
    if store is None:
        return False
    from .store.journal import has_open

    with store.reading() as db:
        return has_open(db)


def _files(project: Project, planner: Planner, plans: Sequence[AssetPlan], absent: list[str]) -> Iterator[str | tuple[str, str]]:
    """What changes most first: texts, then the user's pictures, then outputs. What isn't there goes to `absent`."""
    look = project.digests.look
    lock = project.spec.lock
    for path in dict.fromkeys((project.spec.path, *project.spec.files)):
        yield path
    for name in dict.fromkeys(step.provider for asset in project.assets.values() for step in asset.steps):
        if name not in BUILT_IN:  # its model table is in its module: another version of it may know other defaults
            module = getattr(project.provider(name), "__file__", None)
            if module:
                yield _below(module, project.root)
    if (project.root / lock).exists():
        digest = _lock_digest(project, planner) if planner.wrote else None
        yield lock if digest is None else (lock, digest)
    else:
        absent.append(lock)
    manifest = project.spec.manifest
    if manifest is not None and (project.root / manifest).exists():
        yield manifest
    elif manifest is not None:
        absent.append(manifest)
    used: dict[str, str | None] = {}
    for plan in plans:
        for step in plan.steps:
            for one, fact in zip(step.step.inputs, step.facts.inputs, strict=False):
                if type(one.source) is FileInput:
                    used[one.source.path] = fact.digest
    for path in project.spec.pictures:
        digest = used.get(path)
        if digest is not None:
            yield path, digest
        elif look(path) is None:
            absent.append(path)
        else:
            yield path
    for plan in plans:
        line = planner.lock.lines.get(plan.asset.id)
        known = {} if line is None else {o.path: o.digest for o in line.outputs}
        for path in plan.asset.outputs:
            found = look(path)
            if found is None:
                absent.append(path)
            elif path in known and known[path] == found.digest:
                yield path, found.digest
            else:
                yield path
        for made in plan.exports:
            if made.facts.found is None:
                absent.append(made.export.path)
            elif made.facts.fits and made.facts.found == made.facts.locked:
                yield made.export.path, made.facts.found
            else:
                yield made.export.path
            if made.export.recipe.provenance == "sidecar":
                beside = sidecar_path(made.export.path)
                if (project.root / beside).exists():
                    yield beside
                else:
                    absent.append(beside)


def _below(path: str, root: Path) -> str:
    try:
        return os.path.relpath(path, root)
    except ValueError:  # another drive of Windows: there is no such file below the root, so the table won't be complete
        return path


def _lock_digest(project: Project, planner: Planner) -> str | None:
    """The digest of a lockfile that this run wrote itself, if it says what this run goes by: no other run has changed it meanwhile."""
    content = (project.root / project.spec.lock).read_bytes()
    lock = lockfile.parse(content.decode("utf-8-sig"), project.spec.lock)
    ours = planner.lock.lines
    if lock.doubles or lock.lines.keys() != ours.keys():
        return None
    for name, line in lock.lines.items():  # a manifest follows from its key, and strangers' fields mean nothing to us
        if line._replace(manifest={}, extra={}) != ours[name]._replace(manifest={}, extra={}):
            return None
    return sha256(content)
