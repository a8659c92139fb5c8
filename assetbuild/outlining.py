"""Draws up the outline of a spec that a build found up to date. Knows spec, plans and lockfile; the file's form is `outline`'s.

Wherever it can't be shown that the spec is the sum of its blocks, there is no outline, and plans look at everything.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence

from . import blocks, outline
from .facts import AssetPlan, Planner
from .outline import Block, Entry, Head, Override
from .plan import Verb
from .project import Project
from .reader import DiskReader
from .spec.model import files_of

MOST_OVERRIDES = 1000  # each is parsed by itself here


def draw_up(project: Project, planner: Planner, plans: Sequence[AssetPlan]) -> str | None:
    """Writes the outline, given the plans of all assets in building order; its digest for the stamp table's head. None, and no outline,
    when one of them isn't up to date or the spec isn't written as blocks.

    The spec is read once more: the stamp table, written after this, counts only if the file wasn't touched since the build began.
    """
    table = str(project.stamps_path)
    found = _drawn(project, planner, plans)
    digest = None if found is None else outline.write(table, *found)
    if digest is None:
        outline.forget(table)
    return digest


def _drawn(
    project: Project, planner: Planner, plans: Sequence[AssetPlan]
) -> tuple[Head, list[Block], list[Override], bytes] | None:
    if not all(plan.settled and plan.steps[-1].decision.verb is Verb.UP_TO_DATE for plan in plans):
        return None
    return drawn(project, planner, plans)


def drawn(
    project: Project, planner: Planner, plans: Sequence[AssetPlan]
) -> tuple[Head, list[Block], list[Override], bytes] | None:
    """The parts of an outline, whatever is to be done with the assets. None when the spec isn't written as blocks."""
    spec = project.spec
    if len(plans) != len(spec.assets) or planner.resolved or planner.lock.doubles:
        return None
    try:
        reader = DiskReader(str(project.root))
        text = reader.read(spec.path)
        if not _plain_lock(reader.read(spec.lock), len(planner.lock.lines)) or _reads_itself(project, text, reader):
            return None
    except (OSError, ValueError, OverflowError):
        return None
    section = blocks.section(text, "assets")
    if section is None or blocks.odd(text):
        return None
    begins = blocks.starts(text, section.first, section.end, section.indent)
    if begins is None or blocks.key_of(text[begins[-1] : section.end], section.indent) is None:
        return None
    homes = _homes(project, text, begins, section.indent)
    if homes is None:
        return None
    made = _blocks(project, planner, plans, homes, [*begins, section.end])
    over, overrides = blocks.section(text, "overrides"), []
    if not all(map(blocks.closed, blocks.around(text, [section] if over is None else [section, over]))):
        return None
    if over is not None:
        found = _overrides(text, over, homes)
        if found is None:
            return None
        overrides = found
    unsettled = tuple(n for n, block in enumerate(made) if any(entry.row != "4" for entry in block.entries))
    head = Head(
        len(text),
        len(begins),
        len(made) > len(begins),
        len(plans),
        section,
        over,
        unsettled,
        spec.files,
        spec.pictures,
        spec.globs,
        spec.tree,
        spec.lock,
    )
    return head, made, overrides, text


def _plain_lock(text: bytes, count: int) -> bool:
    """Whether each asset has one line of its own in the lockfile, which begins with its id: then a line can be found without reading all."""
    header, *lines = [line for line in text.split(b"\n") if line.strip()]
    return header.startswith(b'{"assetbuild.lock"') and len(lines) == count and all(line.startswith(b'{"id":"') for line in lines)


def _reads_itself(project: Project, text: bytes, reader: DiskReader) -> bool:
    """Whether the spec may be one of its own tables, prompts or pictures: then any change of it can be a change of any asset."""
    spec = project.spec
    name = os.path.basename(spec.path).encode()
    others = {asset.place.file for asset in spec.assets} | {path for path in spec.files if path.endswith((".yaml", ".yml"))}
    if spec.path in spec.pictures or (name in text and re.search(rb"(?:file|from)[\"']?[ \t]*:[^\n]*" + re.escape(name), text)):
        return True
    return any(name in reader.read(path) for path in others if path != spec.path and reader.exists(path))


def _homes(project: Project, text: bytes, begins: list[int], indent: int) -> dict[str, int] | None:
    """The number of the block of each asset, included files' assets all in one more. None unless the entries that YAML saw begin exactly
    where the blocks do."""
    spec = project.spec
    lines, line, last = [], 1, 0
    for begin in begins:
        line += text.count(b"\n", last, begin)
        lines.append(line)
        last = begin
    number = -1
    homes: dict[str, int] = {}
    for asset in spec.assets:
        if asset.place.file != spec.path:
            number = len(begins)
        elif number >= 0 and number < len(begins) and asset.place.line == lines[number]:
            pass  # one more row of its matrix
        elif number + 1 < len(begins) and asset.place[1:3] == (lines[number + 1], indent + 1):
            number += 1
        else:
            return None
        homes[asset.id] = number
    return homes if number >= len(begins) - 1 else None


def _blocks(
    project: Project, planner: Planner, plans: Sequence[AssetPlan], homes: dict[str, int], bounds: list[int]
) -> list[Block]:
    graph, lines = project.graph, planner.lock.lines
    # What has a remark (`3 takes, none chosen`) is looked at each time, as if its row were another one, so that the remark is made each time.
    rows = {plan.asset.id: plan.steps[-1].decision for plan in plans}
    places = {name: (place, one.row if not one.text else f"{one.row}*") for place, (name, one) in enumerate(rows.items())}
    count = max(len(bounds) - 1, max(homes.values()) + 1)
    entries: list[list[Entry]] = [[] for _ in range(count)]
    bases: list[dict[int, None]] = [{} for _ in range(count)]
    users: list[dict[int, None]] = [{} for _ in range(count)]
    for asset in project.spec.assets:
        name = asset.id
        home = homes[name]
        place, row = places[name]
        below = graph.bases[name]
        entries[home].append(Entry(name, place, files_of(asset), below, row, name in lines))
        for base in below:
            other = homes[base]
            if other != home:
                bases[home][other] = None
                users[other][home] = None
    begins = [*itertools.pairwise(bounds), (bounds[-1], bounds[-1])]
    return [Block(*begins[n], tuple(entries[n]), tuple(bases[n]), tuple(users[n])) for n in range(count)]


def _overrides(text: bytes, section: blocks.Section, homes: dict[str, int]) -> list[Override] | None:
    begins = blocks.starts(text, section.first, section.end, section.indent)
    if begins is None or len(begins) > MOST_OVERRIDES:
        return None
    found = []
    for begin, end in zip(begins, [*begins[1:], section.end], strict=True):
        key = blocks.key_of(text[begin:end], section.indent)
        if key is None or key not in homes:
            return None
        found.append(Override(begin, end, homes[key]))
    return found
