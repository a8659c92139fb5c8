"""A page on paper or on a screen: its boxes, where the picture lies on it, its crop marks, as numbers and as drawing orders of a PDF. Pure arithmetic; knows no
picture and no file.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..geometry import Box, layout
from ..recipe import MM, Recipe

POINTS = 72.0  # in an inch
MICRONS = 25_400.0  # in an inch: what a page is laid out in, so that no box is rounded to pixels
LARGEST = 14_400.0  # units of a side (PDF 32000-1, annex C); what is larger counts in larger units
HAIRLINE = 0.25  # pt
SMALL = 0.01  # below it a number is a scale, which needs more digits
NEAREST, BESIDE = 3.0, 1.0  # mm: a crop mark starts this far from the trim at least, and this far from the bleed
MARK, EDGE = 5.0, 1.0  # mm: how long a crop mark is, and what is left beyond it


class Area(NamedTuple):
    """A rectangle on the page as PDF has it: from the lower left, upwards, in the page's units."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """In the page's units."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """In the page's units."""
        return self.top - self.bottom

    @property
    def path(self) -> str:
        """The order that draws it."""
        return f"{said(self.left, self.bottom, self.width, self.height)} re"


class Page(NamedTuple):
    """`media`, `bleed`, `trim`: the boxes; `drawn`: where the picture lies. All in units of `unit` points. `source`: which part of the master that is, in its
    pixels; `pixels`: how many it becomes (None: the master's own).
    """

    media: Area
    bleed: Area
    trim: Area
    drawn: Area
    unit: int
    source: Box
    pixels: tuple[int, int] | None


def page(width: int, height: int, recipe: Recipe, focus: tuple[float, float]) -> Page:
    """The page for a master of this size in pixels, which covers the bleed, or is contained in the trim. Without `page` in the recipe a pixel is 1/`dpi`
    inch, or a point if no `dpi` is said.
    """
    if recipe.page is None:
        onto, plan = recipe, layout(width, height, recipe, focus)
        scale, bleed = POINTS / (recipe.dpi or POINTS), 0.0
        wide, high = plan.width * scale, plan.height * scale
        pixels = plan.drawn
    else:
        # What shows all of itself still does when the bleed is cut off; the paper is as large as it is.
        onto = recipe._replace(fit="contain", bleed=0.0) if recipe.fit in ("contain", "inside") else recipe
        plan = layout(width, height, onto._replace(dpi=MICRONS), focus)
        scale, bleed = POINTS / MICRONS, recipe.bleed / MM * POINTS
        wide, high = ((side + 2 * recipe.bleed) / MM * POINTS for side in recipe.page)
        pixels = layout(width, height, onto, focus).drawn
    inset = 2 * (recipe.bleed - onto.bleed) / MM * POINTS
    across = wide - inset if plan.drawn[0] == plan.width else plan.drawn[0] * scale
    down = high - inset if plan.drawn[1] == plan.height else plan.drawn[1] * scale
    room = 0.0
    if recipe.marks:
        room = (max(recipe.bleed + BESIDE, NEAREST) - recipe.bleed + MARK + EDGE) / MM * POINTS
    unit = max(1, math.ceil((max(wide, high) + 2 * room) / LARGEST))

    def area(left: float, bottom: float, wide: float, high: float) -> Area:
        return Area(left / unit, bottom / unit, (left + wide) / unit, (bottom + high) / unit)

    return Page(
        media=area(0, 0, wide + 2 * room, high + 2 * room),
        bleed=area(room, room, wide, high),
        trim=area(room + bleed, room + bleed, wide - 2 * bleed, high - 2 * bleed),
        drawn=area(room + (wide - across) / 2, room + (high - down) / 2, across, down),
        unit=unit,
        source=plan.source,
        pixels=pixels if recipe.dpi is not None else None,
    )


def placed(page: Page, part: Box) -> Area:
    """Where a part of the master lies (it may be larger than what is seen of it): the part's edges are in the master's pixels."""
    seen, drawn = page.source, page.drawn
    across, down = drawn.width / (seen.right - seen.left), drawn.height / (seen.bottom - seen.top)
    left, top = drawn.left + (part.left - seen.left) * across, drawn.top - (part.top - seen.top) * down
    return Area(left, top - (part.bottom - part.top) * down, left + (part.right - part.left) * across, top)


def crop_marks(page: Page) -> str:
    """Two hairlines at each corner of the trim, outside the bleed, in the colour space `/Marks`."""
    bleed, trim, media = page.bleed, page.trim, page.media
    edge, length = EDGE / MM * POINTS / page.unit, MARK / MM * POINTS / page.unit
    orders = [f"q /Marks CS 1 SCN 0 J {said(HAIRLINE / page.unit)} w"]
    for x in (trim.left, trim.right):
        orders += [_line(x, edge, x, edge + length), _line(x, media.top - edge, x, media.top - edge - length)]
    for y in (trim.bottom, trim.top):
        orders += [_line(edge, y, edge + length, y), _line(media.right - edge, y, media.right - edge - length, y)]
    assert edge + length < bleed.left  # noqa: S101 - so was the room reckoned
    return "\n".join([*orders, "Q"])


def said(*numbers: float) -> str:
    """Numbers as a PDF has them: no exponent, no more digits than count."""
    return " ".join(_plain(number) for number in numbers)


def _plain(number: float) -> str:
    text = f"{number:.{6 if abs(number) >= SMALL else 12}f}"
    return text.rstrip("0").rstrip(".") if float(text) else "0"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"{said(x1, y1)} m {said(x2, y2)} l S"
