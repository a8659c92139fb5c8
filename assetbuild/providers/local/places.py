"""Where an item of an overlay stands: sizes and places in whole pixels of the picture. Pure arithmetic; knows no text and no picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from .usual import USUAL

UPRIGHT = (0, 180)


class Over(NamedTuple):
    """How far something hangs over its box, in pixels: accents above, descenders below."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0

    def turned(self, degrees: int) -> Over:
        """The same after a turn, clockwise."""
        sides = [self.left, self.top, self.right, self.bottom]
        by = degrees // 90
        return Over(*(sides[(place - by) % 4] for place in range(4)))


def pixels(measure: str, whole: float) -> float:
    """`5%` of a length, or `24px`, in pixels."""
    return float(measure[:-1]) * whole / 100 if measure.endswith("%") else float(measure[:-2])


def margins(item: Mapping[str, Any], width: int, height: int) -> tuple[float, float]:
    """The distance from the edges: left and right, above and below."""
    said = item.get("margin", USUAL["margin"])
    down, across = (said, said) if isinstance(said, str) else (said[0], said[-1])
    short = min(width, height)
    return pixels(across, short), pixels(down, short)


def sides(item: Mapping[str, Any], *, rtl: bool) -> tuple[int, int]:
    """Where across (-1 left, 0 middle, 1 right) and where down (-1 top …)."""
    words = str(item.get("at", USUAL["at"])).split()
    start = 1 if rtl else -1
    across = {"left": -1, "right": 1, "start": start, "end": -start}
    down = {"top": -1, "bottom": 1}
    return (next((across[word] for word in words if word in across), 0), next((down[word] for word in words if word in down), 0))


def position(
    side: tuple[int, int], size: tuple[float, float], picture: tuple[int, int], margin: tuple[float, float], over: Over
) -> tuple[int, int]:
    """The box's corner, left and top. Whatever the margin, what hangs over stays in the picture if there is room for it."""
    hangs = ((over.left, over.right), (over.top, over.bottom))
    found = []
    for where, length, whole, edge, (before, behind) in zip(side, size, picture, margin, hangs, strict=True):
        at = {-1: edge, 0: (whole - length) / 2, 1: whole - edge - length}[where]
        low, high = min(before, max(0.0, whole - length)), max(0.0, whole - length - behind)
        if low <= high:
            at = min(max(at, low), high)
        found.append(math.floor(at + 0.5))
    return found[0], found[1]


def room(
    item: Mapping[str, Any], picture: tuple[int, int], margin: tuple[float, float], side: tuple[int, int]
) -> tuple[float, float]:
    """The most that an item may take, width and height in its own directions, before it is turned. A `width` in percent is that of the picture."""
    sideways = int(item.get("rotate", 0)) not in UPRIGHT  # its width goes down the picture
    most = []
    for axis, name in enumerate(("width", "height")):
        along = 1 - axis if sideways else axis
        said = pixels(item[name], picture[axis]) if name in item else None
        middle = said is not None and side[along] == 0
        free = float(picture[along]) if middle else max(0.0, picture[along] - 2 * margin[along])
        most.append(free if said is None else min(said, free))
    return most[0], most[1]
