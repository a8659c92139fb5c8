"""The manifest of a project, the file that code reads: gathers what the lockfile and the files say, and writes it where it differs. How it is put into words is
`manifesting`'s business.

A picture is looked at once: what the manifest that lies there says of the same bytes is believed, so that a clone without masters keeps it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from .errors import ActionFailed
from .facts import Planner
from .files import atomic_write
from .forms import form
from .lockfile import Line, LockedExport
from .manifesting import Entry, Exported, File, Picture, known, media, rendered
from .pictures.likeness import Traits, traits
from .pictures.wanted import CantExport
from .project import Project
from .spec.model import Asset

_DIGEST = re.compile(rb'"digest": "sha256-[0-9a-f]{64}"')
_FLAT = ("pdf", "ico")  # have no size in pixels that code could use


class Inventory(NamedTuple):
    """The manifest as it should be. `now` is what lies there (None: nothing), `ours` whether that is a manifest of ours."""

    path: str
    wanted: bytes
    now: bytes | None
    ours: bool

    @property
    def right(self) -> bool:
        """Whether nothing is to be written."""
        return self.now == self.wanted


def inventory(project: Project, planner: Planner) -> Inventory | None:
    """The manifest for what the lockfile says; None when the spec wants none. Raises OSError, CantExport."""
    path = project.spec.manifest
    if path is None:
        return None
    try:
        now: bytes | None = (project.root / path).read_bytes()
    except FileNotFoundError:
        now = None
    before = {} if now is None else known(now, path)
    lines = planner.lock.lines
    assets = [(asset, lines[asset.id]) for asset in project.assets.values() if asset.id in lines]
    digests = {o.digest: o.path for _, line in assets for o in line.outputs}
    looks = _looks(planner, {digest: there for digest, there in digests.items() if digest not in before}, project.env.cpus)
    entries = [_entry(project, planner, asset, line, before | looks) for asset, line in assets]
    ours = now is None or not now.strip() or _is_ours(now)
    return Inventory(path, rendered(entries, path, project.spec.manifest_base), now, ours)


def _is_ours(text: bytes) -> bool:
    """Whether a file is a manifest of ours, also one of no assets, or of pictures that can't be opened."""
    if text.startswith(b"// Made by assetbuild"):
        return True
    try:
        found = json.loads(text)
    except ValueError:
        return False
    # Exactly our two fields: a file with one more holds something of somebody's.
    if not isinstance(found, dict) or found.keys() != {"version", "assets"} or found["version"] != 1:
        return False
    assets = found["assets"]
    return isinstance(assets, dict) and (not assets or _DIGEST.search(text) is not None)


def write(project: Project, found: Inventory) -> None:
    """Puts it there. Raises ActionFailed when somebody else's file lies there, StoreError when the disk refuses."""
    if not found.ours:
        raise ActionFailed(
            f"{found.path} was there before and isn't a manifest of ours",
            hint="give `manifest` another path, or move the file away",
        )
    atomic_write(project.root / found.path, found.wanted, durable=False)


def _looks(planner: Planner, digests: dict[str, str], cpus: int) -> dict[str, Traits]:
    """How pictures look that no manifest knows; those that aren't here are left out."""
    places: dict[str, Path] = {}
    for digest in digests:
        place = planner.leaves.file(digest)
        if place is not None:
            places[digest] = place
    if not places:
        return {}
    look: Callable[[Path], Traits | None] = _look
    with ThreadPoolExecutor(cpus) as threads:
        found = dict(zip(places, threads.map(look, places.values()), strict=True))
    return {digest: one for digest, one in found.items() if one is not None}


def _look(path: Path) -> Traits | None:
    try:
        return traits(path)
    except (CantExport, OSError):  # what is no picture has no looks
        return None


def _entry(project: Project, planner: Planner, asset: Asset, line: Line, looks: dict[str, Traits]) -> Entry:
    members = asset.steps[-1].members or ("",)
    by_member = {o.member: o for o in line.outputs}
    pictures: dict[str, Picture] = {}
    for member, path in zip(members, asset.outputs, strict=True):
        output = by_member.get(member)
        if output is None:
            continue
        look = looks.get(output.digest)
        file = File(path, look.width if look else None, look.height if look else None, output.size, output.digest, media(path))
        pictures[member] = Picture(file, look, _exports(project, planner, asset, line, member, looks))
    return Entry(asset.id, pictures, asset.tags, asset.axes, asset.description)


def _exports(
    project: Project, planner: Planner, asset: Asset, line: Line, member: str, looks: dict[str, Traits]
) -> tuple[Exported, ...]:
    made = {(one.name, one.member): one for one in line.exports}
    found = []
    for export in asset.exports:
        one = made.get((export.name, member))
        if export.member == member and one is not None and one.path == export.path:
            width, height = _size(planner, one, looks)
            file = File(export.path, width, height, one.size, one.digest, media(export.path))
            found.append(Exported(export.name, file, export.group or None))
    return tuple(found)


def _size(planner: Planner, one: LockedExport, looks: dict[str, Traits]) -> tuple[int | None, int | None]:
    """Pixels of an export: from its head, or as the manifest that lies there has it."""
    if one.path.rpartition(".")[2].lower() in _FLAT:
        return None, None
    if one.digest in looks:
        return looks[one.digest].width, looks[one.digest].height
    place = planner.leaves.file(one.digest) or planner.project.root / one.path
    size = form(place)
    return (None, None) if size is None else (size.width, size.height)
