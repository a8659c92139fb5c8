"""Lines of words in a picture: where they stand, on which ground, how large, in which colour. So that an edit can put new words
in the place of old ones, and never cuts through any. Knows a map of cells, no prompt and no drawing.

Letters are patches on one flat ground, of one colour, side by side, with one foot line and widths of their own; a row of
equal dots or bars is none. A photograph has no flat ground and gives no lines.
"""

# ruff: noqa: PLR1730, PLR2004 - a box is four numbers, and `min` takes twice the time of `if`
from __future__ import annotations

import re
from typing import NamedTuple

from .palette import apart, contrast
from .pictures import Sight

MOST_PATCHES = 900
_RUN = re.compile(rb"\xff+")


class Patch(NamedTuple):
    """Something that stands on a ground: its box in cells (x1, y1 outside), how many runs its rows have, its colour."""

    x0: int
    y0: int
    x1: int
    y1: int
    runs: int
    area: int
    colour: str


class Block(NamedTuple):
    """Lines of words of one size, in cells. `line` is the height of one; `ground` and `ink` are colours, `mask` is the ground's
    number; `rows` are the left and right ends of the lines.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    line: int
    mask: int
    ground: str
    ink: str
    rows: tuple[tuple[int, int], ...]
    stem: int = 0  # how thick its letters are, in quarters of a cell


def blocks(sight: Sight) -> tuple[Block, ...]:
    """The blocks of words, those with the largest letters first."""
    found = [block for n in range(len(sight.masks)) for block in _stacked(_lines(_patches(sight, n), sight, n))]
    return tuple(sorted(found, key=lambda one: (-one.line, one.y0, one.x0)))


def serif(sight: Sight, block: Block) -> bool:
    """Whether letters have hairlines: then most of what is crossed from top to foot is thin for their height. Only large ones
    can be told.
    """
    if block.line < 12:
        return False
    cells, w = sight.masks[block.mask], sight.w
    runs = []
    for x in range(block.x0, block.x1):
        column = cells[block.y0 * w + x : block.y1 * w + x : w]
        runs += [hit.end() - hit.start() for hit in _RUN.finditer(column)]
    runs.sort()
    return bool(runs) and runs[len(runs) // 4] <= 0.13 * block.line


def pixel(sight: Sight, x: int, y: int) -> str:
    """The colour of a cell."""
    at = 3 * (y * sight.w + x)
    return f"#{sight.rgb[at : at + 3].hex().upper()}"


def bare(sight: Sight, mask: int, x0: int, y0: int, x1: int, y1: int) -> bool:
    """Whether nothing stands on the ground in that box. Outside the picture there is nothing bare."""
    if x0 < 0 or y0 < 0 or x1 > sight.w or y1 > sight.h:
        return False
    cells, w = sight.masks[mask], sight.w
    return all(cells.find(b"\xff", y * w + x0, y * w + x1) < 0 for y in range(y0, y1))


def _patches(sight: Sight, mask: int) -> list[Patch]:
    """What stands on a ground, each piece that hangs together by itself."""
    cells, w = sight.masks[mask], sight.w
    owner: list[int] = []  # of a patch: itself, or the patch that it has grown together with
    boxes: list[list[int]] = []  # x0 y0 x1 y1 runs area
    above: list[tuple[int, int, int]] = []
    for y in range(sight.h):
        here: list[tuple[int, int, int]] = []
        first = 0
        for hit in _RUN.finditer(cells, y * w, (y + 1) * w):
            a, b = hit.start() - y * w, hit.end() - y * w
            while first < len(above) and above[first][1] <= a:
                first += 1
            mine, k = -1, first
            while k < len(above) and above[k][0] < b:
                other = above[k][2]
                while owner[other] != other:
                    other = owner[other]
                if mine < 0:
                    mine = other
                elif other != mine:
                    _join(boxes[mine], boxes[other])
                    owner[other] = mine
                k += 1
            if mine < 0:
                mine = len(boxes)
                owner.append(mine)
                boxes.append([a, y, b, y + 1, 1, b - a])
            else:
                box = boxes[mine]  # `_join` written out: this runs ten thousand times
                if a < box[0]:
                    box[0] = a
                if b > box[2]:
                    box[2] = b
                box[3] = y + 1
                box[4] += 1
                box[5] += b - a
            here.append((a, b, mine))
        above = here
        if len(boxes) > 20 * MOST_PATCHES:
            return []
    found = []
    for n, (x0, y0, x1, y1, runs, area) in enumerate(boxes):
        if owner[n] == n and 3 <= y1 - y0 <= 0.34 * sight.h and x0 > 0 and x1 < w and y0 > 0 and y1 < sight.h:
            found.append(Patch(x0, y0, x1, y1, runs, area, _ink(sight, mask, x0, y0, x1, y1)))
    return found if len(found) <= MOST_PATCHES else []


def _join(one: list[int], other: list[int]) -> None:
    one[0], one[1] = min(one[0], other[0]), min(one[1], other[1])
    one[2], one[3] = max(one[2], other[2]), max(one[3], other[3])
    one[4] += other[4]
    one[5] += other[5]


def _ink(sight: Sight, mask: int, x0: int, y0: int, x1: int, y1: int) -> str:
    """The colour of a patch: on three of its rows, the one that is least like the ground (the edges of letters are blurred)."""
    cells, w, rgb = sight.masks[mask], sight.w, sight.rgb
    row = (y0 + y1) // 2 * w
    at = 3 * max(row, cells.rfind(b"\0", row, row + x0))  # the next bare cell on its left
    red, green, blue = rgb[at], rgb[at + 1], rgb[at + 2]
    best, ink = -1, at
    for y in {(y0 + y1) // 2, (3 * y0 + y1) // 4, (y0 + 3 * y1) // 4}:
        for hit in _RUN.finditer(cells, y * w + x0, y * w + x1):
            a, b = hit.span()
            for n in range(a, b) if b - a < 8 else ((a + b) // 2,):
                off = abs(rgb[3 * n] - red) + abs(rgb[3 * n + 1] - green) + abs(rgb[3 * n + 2] - blue)
                if off > best or (off == best and n < ink // 3):
                    best, ink = off, 3 * n
    return f"#{rgb[ink : ink + 3].hex().upper()}"


def _lines(patches: list[Patch], sight: Sight, mask: int) -> list[Block]:
    """Patches side by side that look like letters, a line each."""
    rows: list[list[Patch]] = []
    for one in sorted(patches, key=lambda patch: (patch.x0, patch.y0)):
        w, h = one.x1 - one.x0, one.y1 - one.y0
        if w > 2.5 * h and one.area > 0.9 * w * h:
            continue  # a bar
        for row in rows:
            last = row[-1]
            tall = max(patch.y1 - patch.y0 for patch in row[-6:])
            near = one.x0 - max(patch.x1 for patch in row[-3:]) <= 0.75 * max(tall, h)
            level = min(one.y1, last.y1) - max(one.y0, last.y0) >= 0.5 * min(h, last.y1 - last.y0)
            if near and level and 0.38 <= h / tall <= 2.6 and apart(one.colour, last.colour) < (90 if h > 9 else 190):
                row.append(one)
                break
        else:
            rows.append([one])
    found = []
    for row in rows:
        x0, x1 = min(one.x0 for one in row), max(one.x1 for one in row)
        y0, y1 = min(one.y0 for one in row), max(one.y1 for one in row)
        tall = max(one.y1 - one.y0 for one in row)
        # dots, accents, points: what hovers over the line or stands between its letters
        small = [
            one
            for one in patches
            if x0 - tall // 4 <= one.x0
            and one.x1 <= x1 + tall // 3
            and y0 - 0.34 * tall <= one.y0
            and one.y1 <= y1 + 0.1 * tall
            and one.y1 - one.y0 < 0.5 * tall
        ]
        x0, x1 = min([x0, *(one.x0 for one in small)]), max([x1, *(one.x1 for one in small)])
        y0, y1 = min([y0, *(one.y0 for one in small)]), max([y1, *(one.y1 for one in small)])
        ground = pixel(sight, max(0, x0 - 2), (y0 + y1) // 2)
        if _worded(row, x1 - x0, tall) and contrast(row[0].colour, ground) >= 18:
            found.append(Block(x0, y0, x1, y1, tall, mask, ground, row[0].colour, ((x0, x1),), _stem(sight, mask, row)))
    return found


def _stem(sight: Sight, mask: int, row: list[Patch]) -> int:
    """How thick letters are, in quarters of a cell: the middle length of the runs in their rows."""
    cells, w = sight.masks[mask], sight.w
    runs = []
    for one in row[:12]:
        for y in range(one.y0, one.y1):
            runs += [hit.end() - hit.start() for hit in _RUN.finditer(cells, y * w + one.x0, y * w + one.x1)]
    runs.sort()
    part = runs[len(runs) * 3 // 10 : len(runs) * 7 // 10 + 1]
    return 4 * sum(part) // len(part) if part else 0


def _alike(line: Block, block: Block, within: bool) -> bool:
    """Whether two lines are of one size. Large letters tell it by their strokes: a line of "snow" is half as high as one of
    "Tyger", in the same letters.
    """
    if min(line.line, block.line) > 9 and min(line.stem, block.stem) >= 10:
        return 0.6 <= line.stem / block.stem <= 1.65 and 0.4 <= line.line / block.line <= 2.5
    return (0.5 if within else 0.66) <= line.line / block.line <= (2 if within else 1.5)


def _worded(row: list[Patch], wide: int, tall: int) -> bool:
    """Whether a row of patches may be letters."""
    if len(row) == 1:  # letters that touch, or a script that joins them
        return wide > 1.9 * tall and row[0].runs > 2.1 * (row[0].y1 - row[0].y0) and row[0].area < 0.82 * wide * tall
    widths = [one.x1 - one.x0 for one in row]
    heights = [one.y1 - one.y0 for one in row]
    equal = max(widths) - min(widths) <= 1 + max(widths) // 12 and max(heights) - min(heights) <= 1
    if wide < 1.1 * tall or (
        equal and ((len(row) == 2 and max(widths) < 1.5 * tall) or sum(one.runs for one in row) <= 1.3 * sum(heights))
    ):
        return False  # dots and bars; "sea" has letters of one size too, but with holes
    feet = sorted(one.y1 for one in row)
    deep = tall // 9 if len(row) > 3 else tall * 3 // 8  # few patches: one may hold a letter that goes below the line
    level = sum(abs(foot - feet[len(feet) // 2]) <= 1 + deep for foot in feet)
    tops = sorted(one.y0 for one in row)
    if len(row) > 2 and sum(one.runs for one in row) > 1.3 * sum(heights):  # "Tyger": its y hangs on its T, its g goes below
        level = max(level, sum(abs(top - tops[len(tops) // 2]) <= 1 for top in tops))
    return level * 10 >= 6 * len(row) and sum(one.area for one in row) < 0.85 * wide * tall


def _stacked(lines: list[Block]) -> list[Block]:
    """Lines of one size and colour that follow each other, as one block."""
    found: list[Block] = []
    for line in sorted(lines, key=lambda one: (one.y0, one.x0)):
        for n, block in enumerate(found):
            within = line.y0 < block.y1
            if (
                line.y0 - block.y1 <= 0.75 * max(line.line, block.line)
                and _alike(line, block, within)
                and min(line.x1, block.x1) > max(line.x0, block.x0) - (block.line * 5 // 4 if within else 0)
                and apart(line.ink, block.ink) < (120 if line.line > 9 else 190)
            ):
                found[n] = block._replace(
                    x0=min(block.x0, line.x0),
                    x1=max(block.x1, line.x1),
                    y0=min(block.y0, line.y0),
                    y1=max(block.y1, line.y1),
                    line=max(block.line, line.line),
                    rows=block.rows + line.rows,
                )
                break
        else:
            found.append(line)
    return found
