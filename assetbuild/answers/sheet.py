"""The takes of assets side by side in one PNG, each with its number and what was said of it. Reads pictures, writes one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..facts import Planner
from ..files import temp_for
from ..forms import form
from ..pictures.contact import Cell, Title
from ..project import Project
from ..report.measures import count_text, money_text
from ..report.shown import take_word
from .describing import picture_file

ACROSS = 4


def write_sheet(project: Project, planner: Planner, rows: Sequence[Mapping[str, Any]], path: Path) -> int:
    """Writes the takes of `rows` (as `takes --json` has them) to `path`; of a set's take the first picture is shown. Gives how many there are. Raises
    UsageError when there are none, OSError.
    """
    from ..pictures.printing import print_sheet  # Pillow is 40 ms

    cells = [_cell(project, planner, str(row["id"]), take) for row in rows for take in row["takes"]]
    if not cells:
        raise UsageError("there is no take to be shown", hint="`assetbuild build` makes them")
    title = Title(project.spec.project or project.root.name, count_text(len(cells), "take"))
    with temp_for(path, None, durable=False) as temp:
        print_sheet("png", title, cells, temp.write, columns=min(ACROSS, len(cells)))
        temp.become(path, durable=False)
    return len(cells)


def _cell(project: Project, planner: Planner, name: str, take: Mapping[str, Any]) -> Cell:
    file = picture_file(project, planner, take["digests"][0])
    shape = None if file is None else form(file)
    size = None if shape is None else (shape.width, shape.height)
    bad, good = take["rejected"] is not None, take["chosen"] or take["approved"]
    facts = ([f"{size[0]} × {size[1]}"] if size is not None else []) + [money_text(take["cost"])]
    state = take_word(dict(take)) or "to choose from"
    return Cell(
        f"{name}  {take['take']}",
        "  ·  ".join(facts),
        state if file is not None else f"not here, {state}",
        "bad" if bad else "good" if good else "calm",
        file=file,
        size=size,
        crossed=bad,
    )
