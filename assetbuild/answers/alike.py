"""Which pictures of the project a file looks like: for copies that were saved again or made smaller, whose bytes nobody knows. Says what is likely, never
what is so.

Hashes of all pictures at hand are compared, then the nearest pictures themselves (`pictures.likeness`). Hashes are kept by digest among the things that may
vanish: the first question looks at every picture of the file's ratio, the next ones only at new ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from ..facts import Planner
from ..files import PRIVATE, private_folder
from ..forms import form
from ..lockfile import former
from ..pictures.likeness import NEAR, differences, distance, hashes, is_copy, same_ratio
from ..pictures.wanted import CantExport
from ..project import Project
from ..spec.model import FileInput
from ..vanish import Vanishing
from .origin import locks

KEPT = "likeness 1"  # in the cache; another hash is another number
MANY = 100  # pictures to be looked at of which something is said
CLOSE = 200  # that are held against the file, those of the nearest hashes
SHOWN = 3  # that are named
APART = 6  # levels that a second one may be further away than the nearest
_HASH = re.compile(r"[0-9a-f]{16}").fullmatch
_SIZED = 3  # width, height, hashes

Hashed = tuple[int, int, tuple[str, ...]]


class Alike(NamedTuple):
    """A picture that a file looks like. `what` it is: "picture", "export", "take", "step" or "before" of the asset `id`, or "input", a file of the user's
    own; `number` of the take or step. `path` is where it belongs, "" when that isn't known.

    `distance`: bits of 64 that the hashes differ by; `light` and `tint`: see `likeness.Difference`.
    """

    what: str
    id: str
    member: str
    number: int
    path: str
    profile: str | None
    digest: str
    distance: int = 0
    light: int = 0
    tint: int = 0


def alike(project: Project, planner: Planner, path: Path, say: Callable[[str], None] | None = None) -> list[Alike]:
    """What the file is likely a re-encoded or resized copy of, the nearest first, at most three; [] when it is like nothing here, isn't made of pixels or
    can't be opened. `say` is told when it takes long.
    """
    try:
        own = hashes(path)
    except (CantExport, OSError):
        return []
    if own is None:
        return []
    named: dict[str, Alike] = {}
    for one in _named(project, planner):
        named.setdefault(one.digest, one)
    files = {digest: file for digest, one in named.items() if (file := _file(project, one)) is not None}
    near = []
    for digest, (_, _, theirs) in _hashed(project, files, own[:2], say).items():
        least = min(distance(mine, other) for mine in own[2] for other in theirs)
        if least <= NEAR:
            near.append((least, digest))
    near = sorted(near)[:CLOSE]
    found = [
        named[digest]._replace(distance=bits, light=how.light, tint=how.tint)
        for (bits, digest), how in zip(near, differences(path, [files[digest] for _, digest in near]), strict=True)
        if how is not None and is_copy(how)
    ]
    found.sort(key=lambda one: (one.light, one.tint, one.distance, one.id, one.digest))
    return [one for one in found if one.light <= found[0].light + APART][:SHOWN]


def _named(project: Project, planner: Planner) -> Iterator[Alike]:
    """Every picture that has a name here, what is best known by first: what lies there, other takes, steps, what was there before, the user's own."""
    lines = planner.lock.lines
    for profile, _, others in locks(project):
        for line in others.values():
            for output in line.outputs:
                yield Alike("picture", line.id, output.member, line.take, output.path, profile, output.digest)
    for line in lines.values():
        for one in line.exports:
            yield Alike("export", line.id, one.member, 0, one.path, project.profile, one.digest)
    store = project.look_store()
    if store is not None:
        ids = {line.key: line.id for line in lines.values()}
        for key, takes in store.takes_many(ids).items():
            for take in takes:
                for blob in take.blobs:
                    yield Alike("take", ids[key], blob.member, take.take, "", project.profile, blob.digest)
    for line in lines.values():
        for number, step in enumerate(line.steps, 1):
            for digest in step.digests:
                yield Alike("step", line.id, "", number, "", project.profile, digest)
    for was in reversed(former.everything(project.root, project.spec.lock)):
        for output in was.line.outputs:
            yield Alike("before", was.line.id, output.member, was.line.take, "", project.profile, output.digest)
    sources = {
        each.source.path: asset.id
        for asset in project.assets.values()
        for step in asset.steps
        for each in step.inputs
        if type(each.source) is FileInput
    }
    for path, name in sources.items():
        with suppress(OSError):
            look = project.digests.look(path)
            if look is not None and not look.pointer:
                yield Alike("input", name, "", 0, path, project.profile, look.digest)


def _file(project: Project, one: Alike) -> Path | None:
    """A file that has the picture's bytes, None when they aren't here."""
    store = project.look_store()
    if store is not None and store.cas.has(one.digest):
        return store.cas.path(one.digest)
    if one.path:
        with suppress(OSError):
            look = project.digests.look(one.path)
            if look is not None and look.digest == one.digest and not look.pointer:
                return project.root / one.path
    return None


def _hashed(
    project: Project, files: dict[str, Path], size: tuple[int, int], say: Callable[[str], None] | None
) -> dict[str, Hashed]:
    """Size and hashes of each picture that has the ratio of `size`."""
    cache = Vanishing(project.root / PRIVATE / "cache")
    found: dict[str, Hashed] = {}
    new: dict[str, Path] = {}
    for digest, file in files.items():
        kept = _read(cache.get(KEPT, digest))
        if kept is not None:
            found[digest] = kept
        elif (shape := form(file)) is not None and _any_ratio(size, (shape.width, shape.height)):
            new[digest] = file
    if len(new) >= MANY and say is not None:
        say(f"looking at {len(new):,} pictures, which is done once")
    if new:
        with suppress(StoreError):
            private_folder(project.root)
    with ThreadPoolExecutor(project.env.cpus) as pool:  # Pillow gives the GIL back while it decodes
        for digest, one in zip(new, pool.map(_of, new.values()), strict=True):
            if one is not None:
                found[digest] = one
                cache.put(KEPT, digest, json.dumps(one))
    cache.close()
    return {digest: one for digest, one in found.items() if same_ratio(size, one[:2])}


def _any_ratio(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether the ratios are one, also when the other one is yet to be turned upright."""
    return same_ratio(size, other) or same_ratio(size, other[::-1])


def _of(file: Path) -> Hashed | None:
    try:
        return hashes(file)
    except (CantExport, OSError):
        return None  # damaged: `cache verify` says so


def _read(text: str | bytes | None) -> Hashed | None:
    """What the cache has, None when it isn't what we put there."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list) or len(value) != _SIZED:
        return None
    width, height, texts = value
    if type(width) is not int or type(height) is not int or width < 1 or height < 1 or not isinstance(texts, list) or not texts:
        return None
    return (width, height, tuple(texts)) if all(type(one) is str and _HASH(one) for one in texts) else None
