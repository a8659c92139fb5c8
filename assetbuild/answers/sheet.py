"""A contact sheet: the takes of assets side by side in one PNG, each with its number and what was said of it. Reads pictures, writes one file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..facts import Planner
from ..files import atomic_write
from ..project import Project
from ..report.shown import take_word
from .describing import picture_file

CELL, GAP, TEXT = 360, 24, 44  # pixels: the longer side of a picture, the space between two, the room for words below one
ACROSS = 4
PAPER, INK, DIM, BAD, GOOD = "#f4f4f2", "#1c1c1c", "#6b6b6b", "#b3261e", "#1b7f4b"


def write_sheet(project: Project, planner: Planner, rows: Sequence[Mapping[str, Any]], path: Path) -> int:
    """Writes the takes of `rows` (as `takes --json` has them) to `path`; of a set's take the first picture is shown. Gives how many there are. Raises
    UsageError when there are none, OSError.
    """
    from PIL import Image, ImageDraw, ImageFont  # 40 ms

    cells = [(str(row["id"]), take) for row in rows for take in row["takes"]]
    if not cells:
        raise UsageError("there is no take to be shown", hint="`assetbuild build` makes them")
    across = min(ACROSS, len(cells))
    down = -(-len(cells) // across)
    size = across * (CELL + GAP) + GAP, down * (CELL + TEXT + GAP) + GAP
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(20), ImageFont.load_default(15)
    for place, (name, take) in enumerate(cells):
        left, top = GAP + place % across * (CELL + GAP), GAP + place // across * (CELL + TEXT + GAP)
        file = picture_file(project, planner, take["digests"][0])
        if file is not None:
            try:
                with Image.open(file) as picture:
                    shown = picture.convert("RGBA")
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                shown = Image.new("RGBA", (CELL, CELL), DIM)
            scale = CELL / max(shown.size)
            shown = shown.resize((max(1, round(shown.width * scale)), max(1, round(shown.height * scale))))
            sheet.paste(shown, (left + (CELL - shown.width) // 2, top + (CELL - shown.height) // 2), shown)
        draw.text((left, top + CELL + 4), f"{name}  {take['take']}", INK, large)
        word = take_word(take)
        colour = BAD if take["rejected"] is not None else GOOD if take["chosen"] or take["approved"] else DIM
        draw.text((left, top + CELL + 28), word or "to choose from", colour, small)
        if take["rejected"] is not None:
            draw.line((left, top, left + CELL, top + CELL), BAD, 3)
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, out.getvalue(), durable=False)
    return len(cells)
