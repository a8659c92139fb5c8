"""A sheet cut into its cells, and a picture cut to its object. Pixels are moved, never resampled. Knows pictures; no spec, no names and no files.

Image models draw no exact grids: things stray over the lines. So each line is looked for near its ideal place: where the ground runs through from side to
side, the cut goes down the middle of it. Between cells no pixel is lost or doubled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from PIL import Image

from .ground import Ground, ground_of, plain_mode
from .wanted import CantExport

NEAR = 0.25  # of a cell: how far from its ideal place a line is looked for
RULED = 0.9  # of a row must be covered for it to be a line that was drawn between cells
THIN = 0.03  # of a cell: the thickest line that was drawn
Box = tuple[int, int, int, int]


def cut(picture: Image.Image, params: Mapping[str, Any], count: int) -> list[Image.Image]:
    """The first `count` cells of a sheet in reading order. `params`: `columns`, `rows`; `margin`, the fraction of a cell that is taken off each of its
    sides; `trim`, each cell cut to its object with this margin (see `trim`). A cell that holds nothing comes as it is: `empty` says which.

    Raises CantExport where the sheet has fewer pixels than cells, ValueError for more cells than there are.
    """
    columns, rows = int(params["columns"]), int(params["rows"])
    if not 0 < count <= columns * rows:
        raise ValueError(f"{count} of {columns * rows} cells")
    margin, around = params.get("margin"), params.get("trim")
    cells = [picture.crop(_inner(box, float(margin or 0))) for box in boxes(picture, columns, rows)[:count]]
    return cells if around is None else [trim(cell, float(around)) for cell in cells]


def boxes(picture: Image.Image, columns: int, rows: int) -> list[Box]:
    """Where the cells of a sheet are, in reading order: left, top, right, bottom in pixels. Together they are the sheet. Raises CantExport."""
    width, height = picture.size
    if width < columns or height < rows:
        raise CantExport(
            f"a picture of {width} × {height} pixels can't be cut into {columns} columns and {rows} rows",
            hint="take a larger picture, or fewer `columns` and `rows`",
        )
    ground = ground_of(plain_mode(picture))
    if ground is None:
        across, down = _Side((), (), width, columns).lines(), _Side((), (), height, rows).lines()
        return [(x, y, right, below) for y, below in pairwise(down) for x, right in pairwise(across)]
    things, ruled_x, ruled_y = _unruled(ground.objects, columns, rows)
    over, along = things.getprojection()
    wide, high = _Side(over, ruled_x, width, columns), _Side(along, ruled_y, height, rows)
    if wide.clear() > high.clear():  # whichever way goes through: the other lines may step at it
        across = wide.lines()
        steps = [high.lines(things.crop((x, 0, right, height)).getprojection()[1]) for x, right in pairwise(across)]
        return [(across[c], steps[c][r], across[c + 1], steps[c][r + 1]) for r in range(rows) for c in range(columns)]
    down = high.lines()
    steps = [wide.lines(things.crop((0, y, width, below)).getprojection()[0]) for y, below in pairwise(down)]
    return [(steps[r][c], down[r], steps[r][c + 1], down[r + 1]) for r in range(rows) for c in range(columns)]


class _Side(NamedTuple):
    """One side of a sheet: where along it something stands anywhere across, which lines were drawn there, how long it is and into how many cells it is to be
    cut."""

    used: Sequence[int]
    ruled: Sequence[tuple[int, int]]
    length: int
    parts: int

    def lines(self, band: Sequence[int] = ()) -> list[int]:
        """Where it is cut, with both of its ends: where the whole sheet is clear, else where this band of it is, else at the ideal places."""
        placed = [0]
        for at in range(1, self.parts):
            place = self._clear_at(self.used, at)
            place = self._clear_at(band, at) if place is None else place
            place = round(self.length * at / self.parts) if place is None else place
            placed.append(min(max(place, placed[-1] + 1), self.length - self.parts + at))  # each cell has a pixel at least
        return [*placed, self.length]

    def clear(self) -> float:
        """Which part of the lines finds a clear way."""
        found = sum(self._clear_at(self.used, at) is not None for at in range(1, self.parts))
        return found / (self.parts - 1) if self.parts > 1 else 0.0

    def _clear_at(self, used: Sequence[int], at: int) -> int | None:
        """The line that was drawn near the ideal place of this cut; else the middle of the widest clear way there, of equal ones the nearest."""
        cell, ideal = self.length / self.parts, self.length * at / self.parts
        first, last = max(1, round(ideal - NEAR * cell)), min(self.length - 1, round(ideal + NEAR * cell))
        drawn = [run for run in self.ruled if first <= (run[0] + run[1]) // 2 <= last]
        if drawn:  # of two, as frames have them, between both
            return (drawn[0][0] + drawn[-1][1]) // 2
        best: tuple[int, float, int] | None = None
        for start, end in _runs([not value for value in used[first - 1 : last + 1]]):
            low, high = first - 1 + start, first - 1 + end
            left, right = low, high
            while start == 0 and left > 0 and not used[left - 1]:  # it may begin before, and end after
                left -= 1
            while high == last + 1 and right < self.length and not used[right]:
                right += 1
            middle = (left + right) // 2
            middle = middle if first <= middle <= last else min(max((low + high) // 2, first), last)
            rank = (low - high, abs(middle - ideal), middle)
            best = rank if best is None else min(best, rank)
        return None if best is None else best[2]


def _unruled(objects: Image.Image, columns: int, rows: int) -> tuple[Image.Image, list[tuple[int, int]], list[tuple[int, int]]]:
    """The things on a sheet without the lines that were drawn between them: each crosses all cells, so no way would be clear. And these lines, the upright
    and the level ones, as start and end."""
    width, height = objects.size
    plain = objects.copy()
    ruled: list[list[tuple[int, int]]] = []
    for side, length, parts in (((width, 1), width, columns), ((1, height), height, rows)):
        covered = [value >= RULED * 255 for value in objects.resize(side, Image.Resampling.BOX).tobytes()]
        thin = [run for run in _runs(covered) if run[1] - run[0] <= max(2, THIN * length / parts) < length / parts / 2]
        for start, end in thin:
            plain.paste(0, (start, 0, end, height) if side[1] == 1 else (0, start, width, end))
        ruled.append(thin)
    return plain, ruled[0], ruled[1]


def _runs(flags: Sequence[Any]) -> list[tuple[int, int]]:
    """Where flags are set in a row: start and end."""
    found = [(held, [place for place, _ in group]) for held, group in groupby(enumerate(flags), key=lambda each: bool(each[1]))]
    return [(places[0], places[-1] + 1) for held, places in found if held]


def _inner(box: Box, margin: float) -> Box:
    """A cell without its margin; at least one pixel of it stays."""
    left, top, right, bottom = box
    across = min(round(margin * (right - left)), (right - left - 1) // 2)
    down = min(round(margin * (bottom - top)), (bottom - top - 1) // 2)
    return left + across, top + down, right - across, bottom - down


def object_box(picture: Image.Image) -> Box | None:
    """Where the object of a picture stands: left, top, right, bottom in pixels, None in an empty picture. By its transparency if there is any, else
    against the colour of its border; a picture without a ground (a photograph) is all object.
    """
    ground = ground_of(plain_mode(picture))
    return (0, 0, *picture.size) if ground is None else ground.objects.getbbox()


def empty(picture: Image.Image) -> bool:
    """Whether nothing stands in a picture."""
    return object_box(picture) is None


def trim(picture: Image.Image, margin: float) -> Image.Image:
    """The picture cut to its object with an even margin: `margin` × the object's longer side, in whole pixels. Where that reaches over the edge it is
    filled with the ground: transparent, or the colour of the border. What has no object, or no ground, comes as it is.
    """
    plain = plain_mode(picture)
    ground = ground_of(plain)
    box = None if ground is None else ground.objects.getbbox()
    if ground is None or box is None:
        return picture
    return _framed(plain, ground, box, round(margin * max(box[2] - box[0], box[3] - box[1])))


def _framed(picture: Image.Image, ground: Ground, box: Box, margin: int) -> Image.Image:
    left, top, right, bottom = box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin
    if left >= 0 and top >= 0 and right <= picture.width and bottom <= picture.height:
        return picture.crop((left, top, right, bottom))
    framed = Image.new(picture.mode, (right - left, bottom - top), ground.colour if len(ground.colour) > 1 else ground.colour[0])
    inside = picture.crop((max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height)))
    framed.paste(inside, (max(-left, 0), max(-top, 0)))
    framed.info = dict(picture.info)  # the colour profile
    return framed
