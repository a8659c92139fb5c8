"""`rename`: an asset gets another id, and keeps its picture. Moves lock lines and, where nothing is in the way, files; the
spec is its author's.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple, TypeVar

from .. import lockfile, swap
from ..errors import Place, UsageError
from ..files import make_folders
from ..lockfile import Line, LockedExport, Output
from ..project import Project
from ..spec.model import PIECES
from ..spec.outputs import ID_HINT, id_fault

File = TypeVar("File", Output, LockedExport)


class Renamed(NamedTuple):
    """One asset that has another id. `moves` are files (from, to), `left` says why others stayed.

    `place` is where the spec still has the old id (None: it has it no more), `users` where what is made from it stands.
    """

    old: str
    new: str
    moves: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    place: Place | None
    users: tuple[Place, ...]


def rename(project: Project, old: str, new: str) -> list[Renamed]:
    """Renames `old` to `new`; both may be patterns with the same number of `*`. Raises UsageError before anything is changed."""
    pairs = _pairs(project, old, new)
    _check(project, pairs)
    path = project.root / project.spec.lock
    # The line gets its new id while it still names the old path, then the file moves, then the line names the new path. A
    # kill between any two leaves a line that knows where the bytes are: the next build puts them in place, free.
    lockfile.rename(path, pairs)
    lock = project.read_lock()  # somebody may have chosen since it was looked at
    done = []
    own: dict[str, Line | None] = {}
    based: dict[str, Line | None] = {}
    for before, after in pairs.items():
        line = lock.lines[after]
        wanted = _wanted(project, line, before, after)
        moves: list[tuple[str, str]] = []
        left: list[str] = []
        outputs = tuple(_moved(project, each, target, moves, left) for each, target in zip(line.outputs, wanted, strict=True))
        targets = _exports_wanted(project, line, before, after)
        exports = tuple(_moved(project, each, target, moves, left) for each, target in zip(line.exports, targets, strict=True))
        if moves:
            own[after] = line._replace(outputs=outputs, exports=exports)
            based[after] = line
        done.append(Renamed(before, after, tuple(moves), tuple(left), *_places(project, before)))
    if own:
        lockfile.merge(path, own, based)
    return done


def _pairs(project: Project, old: str, new: str) -> dict[str, str]:
    known = dict.fromkeys([*project.lock.lines, *project.assets])
    whole, hash_, member = old.partition("#")
    if hash_ and whole in known:
        asset = project.assets.get(whole)
        at = f" ({asset.place.file}:{asset.place.line})" if asset is not None else ""
        raise UsageError(
            f"`{member}` is a picture of the set `{whole}`: members are renamed in its `set:`{at}, nowhere else",
            hint="write the new name where the old one stood; members that keep their names keep their pictures, and the new "
            "name gets the picture whose name is gone",
        )
    stars = old.count("*")
    if stars != new.count("*"):
        raise UsageError(
            f"`{old}` and `{new}` don't have the same number of `*`",
            hint="each `*` of the first is put into the second: 'poster-*' 'poster/*'",
        )
    if stars:
        match = re.compile("(.+)".join(re.escape(part) for part in old.split("*"))).fullmatch
        pairs = {name: _filled(new, found.groups()) for name in known if (found := match(name)) and name in project.lock.lines}
        if not pairs:
            raise UsageError(f"no asset with a picture is called like `{old}`", hint="`assetbuild list` shows what there is")
        return pairs
    if old not in known:
        import difflib

        near = difflib.get_close_matches(old, list(known), n=1, cutoff=0.5)
        raise UsageError(
            f"nothing is called `{old}`", hint=f"did you mean `{near[0]}`?" if near else "`assetbuild list` shows what there is"
        )
    if old not in project.lock.lines:
        place = project.assets[old].place
        raise UsageError(
            f"`{old}` has no picture yet, so there is nothing to move",
            hint=f"give it its new id in the spec: {place.file}:{place.line}",
        )
    pieces = {old + PIECES: new + PIECES} if old + PIECES in project.lock.lines else {}  # what is cut from it goes along
    return {old: new, **pieces}


def _filled(pattern: str, parts: tuple[str, ...]) -> str:
    rest = iter(parts)
    return "".join(next(rest) if piece == "*" else piece for piece in re.split(r"(\*)", pattern))


def _check(project: Project, pairs: dict[str, str]) -> None:
    problems: list[tuple[str, str | None]] = []
    for old, new in pairs.items():
        fault = id_fault(new.removesuffix(PIECES))
        if old == new:
            problems.append((f"`{old}` is called so already", None))
        elif fault:
            problems.append((fault, ID_HINT))
        elif new in project.lock.lines and new not in pairs:
            problems.append((f"`{new}` has a picture already", "choose another id"))
        elif old in project.assets and new in project.assets:
            place = project.assets[old].place
            problems.append(
                (
                    f"`{old}` and `{new}` are both in the spec, and each needs a picture",
                    f"take `{old}` out first: {place.file}:{place.line}",
                )
            )
    if len(set(pairs.values())) < len(pairs):
        problems.append(("two assets would get the same id", "choose a pattern that keeps them apart"))
    if problems:
        text, hint = problems[0]
        more = f" (and {len(problems) - 1} more like this)" if len(problems) > 1 else ""
        raise UsageError(text + more, hint=hint)


def _wanted(project: Project, line: Line, old: str, new: str) -> list[str]:
    """Where the files belong under the new id: as the spec says, or, while the spec has the old id, the old path with the new
    id in it.
    """
    if new in project.assets:
        asset = project.assets[new]
        by_member = dict(zip(asset.steps[-1].members or ("",), asset.outputs, strict=True))
        return [by_member.get(output.member, output.path) for output in line.outputs]
    return [_predicted(output.path, old, new) for output in line.outputs]


def _exports_wanted(project: Project, line: Line, old: str, new: str) -> list[str]:
    """The same for what was made from the pictures."""
    asset = project.assets.get(new)
    if asset is None:
        return [_predicted(one.path, old, new) for one in line.exports]
    by_name = {(one.name, one.member): one.path for one in asset.exports}
    return [by_name.get((one.name, one.member), one.path) for one in line.exports]


def _moved(project: Project, one: File, target: str, moves: list[tuple[str, str]], left: list[str]) -> File:
    """Moves one file that a lock line names, and gives how the line names it then."""
    why = _move(project, one.path, one.digest, target)
    if why is None:
        moves.append((one.path, target))
        return one._replace(path=target)
    left += [why] if why else []
    return one


def _predicted(path: str, old: str, new: str) -> str:
    found = list(re.finditer(rf"(?<!\w){re.escape(old)}(?!\w)", path))
    if not found:
        return path  # the spec gives it a path of its own
    last = found[-1]
    return path[: last.start()] + new + path[last.end() :]


def _move(project: Project, path: str, digest: str, target: str) -> str | None:
    """Moves one file. None when it was moved; else why it wasn't, "" when there is nothing to say."""
    if path == target:
        return ""
    look = project.digests.look(path)
    source, goal = project.root / path, project.root / target
    if look is None:
        return ""  # it isn't here; a build puts it to its new place
    if look.digest != digest:
        return f"{path} was edited by hand and stays where it is"
    if os.path.lexists(goal):
        return f"{path} stays where it is: {target} is taken"
    if source.is_symlink():
        return f"{path} is a link and stays where it is"
    try:
        make_folders(goal.parent, durable=False)
        swap.take_free(source, goal)
    except FileExistsError:  # it appeared between the look and this
        return f"{path} stays where it is: {target} is taken"
    except OSError as problem:  # another disk, or one without links: the line has its new id already, and a build needs no more
        return f"{path} stays where it is: it can't be moved to {target} ({problem.strerror})"
    return None


def _places(project: Project, old: str) -> tuple[Place | None, tuple[Place, ...]]:
    """Where the spec still has the old id: the asset itself, and those that are made from it."""
    if old not in project.assets:
        return None, ()
    return project.assets[old].place, tuple(project.assets[name].place for name in project.graph.users.get(old, ()))
