"""Where something new goes on a base picture: calm places, so that what earlier edits put there stays in sight. Knows no
drawing.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .palette import contrast
from .pictures import GRID, Seen
from .reading import clean

if TYPE_CHECKING:
    from .layout import Seed


def note(prompt: str) -> str:
    """The first sentence of an edit's prompt, short enough for a tag."""
    first = re.split(r"(?<=[.;!?])\s|\n\s*\n", re.sub(r"(?m)^Image \d+: .*$", "", prompt[:2000]).strip(), maxsplit=1)[0]
    words = clean(first).rstrip(".;")
    return words if len(words) <= 64 else words[:63].rsplit(" ", 1)[0] + "…"


_SIDES = (
    ("top", 1, -1),
    ("above", 1, -1),
    ("header", 1, -1),
    ("bottom", 1, 1),
    ("below", 1, 1),
    ("footer", 1, 1),
    ("left", 0, -1),
    ("right", 0, 1),
)


def spots(
    base: Seen, prompt: str, own: Seed, grounds: dict[str, dict[str, str]], wh: tuple[float, float]
) -> list[dict[str, Any]]:
    """Places of a size (shares of the picture) for something new, best first: calm ones, so that what an earlier edit put
    there stays in sight; nearer to where the prompt says.
    """
    near = prompt[:2000].casefold()
    w, h = wh
    found = []
    for step in range(int((0.94 - h) / 0.085) + 1):
        y = 0.045 + step * 0.085
        for x, side in ((0.0, -1), (1 - w, 1)):
            cells = _cells(x, y, w, h)
            busy = sum(base.detail[n] for n in cells) * 8 // len(cells) + max(base.detail[n] for n in cells) if base.detail else 0
            wish = sum(
                16 if (way * (y + h / 2 - 0.5) > 0.15 if axis else side == way) else -16
                for word, axis, way in _SIDES
                if word in near
            )
            tone = base.tones[cells[len(cells) // 2]] if base.tones else "#808080"
            best = max(
                ("ink", "paper", "a"), key=lambda name: (contrast(grounds[name]["bg"], tone) + (8 if name == "a" else 0), name)
            )
            found.append((busy - wish + own.number(9, f"spot{x}{y}"), {"x": x, "y": y, "w": w, "h": h, "ground": best}))
    found.sort(key=lambda item: item[0])
    return [spot for _, spot in found]


def free(spots: list[dict[str, Any]], taken: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spots that touch neither what is taken nor each other, best first; all, if none is free."""
    kept: list[dict[str, Any]] = []
    for one in spots:
        if not any(
            one["x"] < t["x"] + t["w"]
            and t["x"] < one["x"] + one["w"]
            and one["y"] < t["y"] + t["h"]
            and t["y"] < one["y"] + one["h"]
            for t in taken + kept
        ):
            kept.append(one)
    return kept or spots


def _cells(x: float, y: float, w: float, h: float) -> list[int]:
    columns = range(int(x * GRID), min(GRID, int((x + w) * GRID + 0.5)))
    return [row * GRID + column for row in range(int(y * GRID), min(GRID, int((y + h) * GRID + 0.5))) for column in columns]


def corner(base: Seen | None, taken: list[dict[str, Any]]) -> dict[str, float]:
    """Where the row of references begins, as shares of the picture: the calmest place along head and foot that the plate
    leaves free.
    """
    best = {"x": 0.78, "y": 0.8}
    if not base or not base.detail:
        return best

    def busy(place: dict[str, float]) -> int:
        cells = _cells(place["x"], place["y"], 0.22, 0.16)
        under = any(
            place["x"] < t["x"] + t["w"]
            and t["x"] < place["x"] + 0.22
            and place["y"] < t["y"] + t["h"]
            and t["y"] < place["y"] + 0.2
            for t in taken
        )
        return sum(base.detail[n] for n in cells) // len(cells) + max(base.detail[n] for n in cells) + (400 if under else 0)

    return min((best, *({"x": x, "y": y} for y in (0.8, 0.0) for x in (0.0, 0.52, 0.26, 0.78))), key=busy)
