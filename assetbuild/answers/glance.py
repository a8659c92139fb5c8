"""What bare `assetbuild` says: where we are, how things stand, and the next command to type. Five lines at most, and never an
error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from .. import __version__, stamptable
from ..errors import AssetbuildError, SpecError, UsageError
from ..facts import Planner
from ..plan import Verb
from ..project import SPEC_NAME, Env, Project, find_spec
from ..report.ink import Ink
from ..report.measures import cut
from ..report.planned import plan_summary, reason
from .orphans import orphans, sentence

NAMED = 2  # assets that wait for somebody and are named


def glance(env: Env, ink: Ink, columns: int) -> Iterator[str]:
    """The lines. Opens as little as it can: the pictures of a spec that was built and hasn't changed aren't looked at."""
    profile = env.environ.get("ASSETBUILD_PROFILE") or None
    try:
        path = find_spec(env.cwd, env.environ.get("ASSETBUILD_SPEC"))
    except UsageError as problem:
        yield problem.text
        first, second = ink("bold", "assetbuild init"), ink("bold", "assetbuild --help")
        yield f"next: `{first}` writes one to begin with; `{second}` lists all"
        return
    yield _head(path, env, profile, ink)
    done = _unchanged(path, profile, env)
    project = Project(env, path, profile)
    try:
        if done is not None:
            yield done
            yield from _left(project)
            yield _nothing(ink)
        else:
            yield from _looked(project, ink, columns)
    except SpecError as problem:
        count = len(problem.problems)
        yield f"{count} problem{'s' if count > 1 else ''} in the spec, the first:"
        first = problem.problems[0].render().split("\n", 1)[0]
        yield cut(first, max(columns, 60))
        yield f"next: `{ink('bold', 'assetbuild plan')}` shows {'them all' if count > 1 else 'where, and the way out'}"
    except AssetbuildError as problem:
        yield problem.text
        if problem.hint:
            yield f"hint: {problem.hint}"
    finally:
        project.close()


def _head(path: Path, env: Env, profile: str | None, ink: Ink) -> str:
    """Project and spec; the project's name without reading the whole spec."""
    name = path.parent.name
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.search(r"^project:[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^#\n]*))", file.read(20_000), re.MULTILINE)
        if found:
            name = next((part.strip() for part in found.groups() if part), name)
    except OSError:
        pass
    shown = os.path.relpath(path, env.cwd)
    return f"{ink('bold', name)}  {shown}" + (f"  (profile {profile})" if profile else "")


def _unchanged(path: Path, profile: str | None, env: Env) -> str | None:
    """What the last build ended with, if nothing has changed since."""
    if path.name != SPEC_NAME:
        return None
    head = stamptable.header(tool=__version__, profile=profile, spec=path.name, environ=env.environ)
    try:
        return stamptable.unchanged(stamptable.table_path(str(path.parent), profile), os.fsencode(path.parent) + b"/", head)
    except (stamptable.Changed, OSError, ValueError):
        return None


def _looked(project: Project, ink: Ink, columns: int) -> Iterator[str]:
    plans = Planner(project).plan(project.graph.order)
    yield plan_summary(plans, project)
    waiting = [p for p in plans if p.verb in (Verb.HELD, Verb.FAILED)]
    exports = [one for p in plans for one in p.exports if one.decision.verb is not Verb.UP_TO_DATE]
    stuck = [one for one in exports if one.decision.verb in (Verb.HELD, Verb.FAILED)]
    left = list(_left(project))
    named = NAMED - len(left)
    for number, one in enumerate(waiting[:named], 1):
        more = f"  (and {len(waiting) - named:,} more)" if number == named and len(waiting) > named else ""
        yield cut(f"  {one.asset.id}: {reason(one.leading)}", max(columns, 60) - len(more)) + more
    if not waiting and stuck and named:
        more = f"  (and {len(stuck) - 1:,} more)" if len(stuck) > 1 else ""
        yield cut(f"  {stuck[0].label}: {stuck[0].decision.text}", max(columns, 60) - len(more)) + more
    yield from left
    busy = (Verb.GENERATE, Verb.WAITING)
    if any(s.decision.verb in busy and not project.table.free(s.step.provider) for p in plans for s in p.steps):
        plan, build = ink("bold", "assetbuild plan"), ink("bold", "assetbuild build")
        yield f"next: `{plan}` says what it costs; `{build}` asks first"
    elif any(p.verb in (*busy, Verb.RESTORE, Verb.RESUME) for p in plans) or len(exports) > len(stuck):
        yield f"next: `{ink('bold', 'assetbuild build')}` makes them; `{ink('bold', 'assetbuild plan')}` says why"
    elif waiting and waiting[0].leading.decision.row == "12":  # a choice or an approval
        yield f"next: {waiting[0].leading.decision.hint}"
    elif waiting:
        yield f"next: `{ink('bold', f'assetbuild show {waiting[0].asset.id}')}` says what it waits for"
    elif stuck:
        yield f"next: `{ink('bold', 'assetbuild plan')}` says what they wait for"
    elif not plans:
        yield f"next: write an asset into {project.spec_name}; `{ink('bold', 'assetbuild schema')}` prints what it may say"
    else:
        yield _nothing(ink)


def _left(project: Project) -> Iterator[str]:
    """How many pictures belong to no asset any more, if any do."""
    try:
        count = len(orphans(project))
    except OSError:  # a file that can't be read
        return
    if count:
        yield sentence(count)


def _nothing(ink: Ink) -> str:
    return f"next: nothing to do; `{ink('bold', 'assetbuild list')}` shows them"
