"""Which part of a picture goes where when it is exported: sizes in pixels, from the master's size and the recipe. Pure arithmetic; knows no picture."""

from __future__ import annotations

import math
from typing import NamedTuple

from .recipe import DPI, MM, Recipe


class Box(NamedTuple):
    """A rectangle in pixels of the master, with fractions: left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float


class Plan(NamedTuple):
    """The export's size in pixels (`width`, `height`), which part of the master is used (`source`), and to which size that is brought (`drawn`), in the
    middle of the export; what is left around it is `matte` or transparent. `scale` is how much the master is enlarged (1: not at all), the larger of both
    sides.
    """

    width: int
    height: int
    source: Box
    drawn: tuple[int, int]
    scale: float


def pixels(recipe: Recipe) -> tuple[int | None, int | None]:
    """The box that is asked for, bleed included; None where the ratio decides. A PDF without `dpi` has no box of pixels of its own."""
    if recipe.page is None:
        return recipe.width, recipe.height
    dpi = recipe.dpi or DPI
    wide, high = ((side + 2 * recipe.bleed) / MM * dpi for side in recipe.page)
    return max(1, round(wide)), max(1, round(high))


def layout(width: int, height: int, recipe: Recipe, focus: tuple[float, float] = (0.5, 0.5)) -> Plan:
    """How a master of this size becomes the export. `focus` is the recipe's, or what "attention" was found to mean."""
    wide, high = pixels(recipe)
    whole = Box(0.0, 0.0, float(width), float(height))
    if wide is None and high is None:
        return Plan(width, height, whole, (width, height), 1.0)
    if wide is None or high is None:  # one side is said, the other follows
        scale = (wide / width) if wide is not None else (high or height) / height
        drawn = (wide or max(1, round(width * scale)), high or max(1, round(height * scale)))
        return Plan(*drawn, whole, drawn, scale)
    across, down = wide / width, high / height
    if recipe.fit == "fill":
        return Plan(wide, high, whole, (wide, high), max(across, down))
    if recipe.fit == "cover":
        scale = max(across, down)
        used = min(float(width), wide / scale), min(float(height), high / scale)
        left = _kept(focus[0] * width - used[0] / 2, width - used[0])
        top = _kept(focus[1] * height - used[1] / 2, height - used[1])
        return Plan(wide, high, Box(left, top, left + used[0], top + used[1]), (wide, high), scale)
    scale = min(across, down)
    drawn = (min(wide, max(1, round(width * scale))), min(high, max(1, round(height * scale))))
    if recipe.fit == "inside":
        return Plan(*drawn, whole, drawn, scale)
    return Plan(wide, high, whole, drawn, scale)


def _kept(value: float, most: float) -> float:
    return min(max(value, 0.0), max(most, 0.0))


def resolution(width: int, height: int, recipe: Recipe) -> float:
    """Pixels of the master per inch of paper, for what has a `page`; infinite for anything else."""
    if recipe.page is None:
        return math.inf
    wide, high = (side + 2 * recipe.bleed for side in recipe.page)
    ratios = (width / wide, height / high)
    return (min if recipe.fit == "cover" else max)(ratios) * MM
