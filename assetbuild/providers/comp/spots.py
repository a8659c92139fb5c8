"""Where something new goes on a base picture: in the place of old words, or where it is bare or calm, so that no letter and no
shape is cut and what earlier edits put there stays in sight. Knows no drawing.

Boxes are cells of the map in `pictures.Sight`.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import re
from itertools import accumulate
from operator import add
from typing import NamedTuple

from .lines import Block, bare, pixel
from .pictures import Sight
from .reading import clean

_HIDES = 200  # the cost of hiding words; cutting them costs twice that, lying on what is new three times
Wish = tuple[float | None, float | None]


class Box(NamedTuple):
    """A place in cells; x1 and y1 are outside."""

    x0: int
    y0: int
    x1: int
    y1: int


class Cover(NamedTuple):
    """Old words that new ones replace: what is painted over, the field for the new ones, how they stand there, and `size`, the
    height of the old lines' letters in cells.
    """

    over: Box
    field: Box
    side: str  # start or center or right
    middle: float  # where the old lines' middle was, in cells from the top
    size: int
    ground: str
    ink: str


class Spot(NamedTuple):
    """A place that was found. `bare`: nothing is drawn there, on a ground of that colour."""

    box: Box
    bare: bool
    tone: str


def note(prompt: str) -> str:
    """The first sentence of an edit's prompt, short enough for a tag."""
    first = re.split(r"(?<=[.;!?])\s|\n\s*\n", re.sub(r"(?m)^Image \d+: .*$", "", prompt[:2000]).strip(), maxsplit=1)[0]
    words = clean(first).rstrip(".;")
    return words if len(words) <= 64 else words[:63].rsplit(" ", 1)[0] + "…"


_ACROSS = re.compile(r"\b(?:(left|links|vänster)|(right|rechts|höger))\b", re.IGNORECASE)
_DOWN = re.compile(r"\b(?:(top|upper|above|header|oben|upptill)|(bottom|lower|below|footer|foot|unten|nedtill))\b", re.IGNORECASE)
_MIDDLE = re.compile(r"\b(?:cent(?:re|er)(?:ed|d)?|middle|mitte|mitten)\b", re.IGNORECASE)


def wish(text: str) -> Wish:
    """The place that a text names, as shares of the picture from the left and the top: "bottom right corner" is (1, 1)."""
    across, down = _ACROSS.search(text), _DOWN.search(text)
    middle = 0.5 if _MIDDLE.search(text) else None
    return (
        middle if across is None else 0.0 if across[1] else 1.0,
        middle if down is None else 0.0 if down[1] else 1.0,
    )


class Ground:
    """A base picture as a place to put things on. `foot` is the first row of its slug line; `taken` grows with what is put."""

    def __init__(self, sight: Sight, blocks: tuple[Block, ...], foot: int) -> None:
        self.sight, self.blocks, self.foot = sight, blocks, foot
        self.taken: list[Box] = []
        self._sums: list[list[int]] = []

    def edges(self, x0: int, y0: int, x1: int, y1: int) -> int:
        """How many cells of a box have a change of colour."""
        if not self._sums:
            w = self.sight.w
            above = [0] * (w + 1)
            self._sums = [above]
            for y in range(self.sight.h):
                above = list(map(add, above, [0, *accumulate(self.sight.edges[y * w : (y + 1) * w])]))
                self._sums.append(above)
        top, low = self._sums[max(0, y0)], self._sums[max(0, min(self.sight.h, y1))]
        x0, x1 = max(0, x0), max(0, min(self.sight.w, x1))
        return low[x1] - low[x0] - top[x1] + top[x0]

    def cost(self, box: Box, wished: Wish, limit: float = 1e9) -> float:
        """How bad a place is: far from where it is wished, words cut or hidden, edges cut by its border, edges hidden. What is
        worse than the limit isn't looked at further.
        """
        x0, y0, x1, y1 = box
        w, h = self.sight.w, self.foot
        bad = 0.0
        if wished[0] is not None:
            bad += 140 * abs(wished[0] - (x0 + x1) / 2 / w)
        if wished[1] is not None:
            bad += 140 * abs(wished[1] - (y0 + y1) / 2 / h)
        for other in self.taken:
            if x0 < other.x1 and other.x0 < x1 and y0 < other.y1 and other.y0 < y1:
                bad += 3 * _HIDES
        for block in self.blocks:
            if x0 < block.x1 + 2 and block.x0 - 2 < x1 and y0 < block.y1 + 2 and block.y0 - 2 < y1:
                whole = x0 <= block.x0 and block.x1 <= x1 and y0 <= block.y0 and block.y1 <= y1
                bad += _HIDES if whole else 2 * _HIDES
        if bad >= limit:
            return bad
        hidden = self.edges(x0 - 1, y0 - 1, x1 + 1, y1 + 1)
        if not hidden:
            return bad
        bad += 6 + 140 * hidden / ((x1 - x0) * (y1 - y0))
        around = cut = 0
        for side, length, there in (
            ((x0 - 1, y0, x0 + 2, y1), y1 - y0, x0 > 0),
            ((x1 - 2, y0, x1 + 1, y1), y1 - y0, x1 < w),
            ((x0, y0 - 1, x1, y0 + 2), x1 - x0, y0 > 0),
            ((x0, y1 - 2, x1, y1 + 1), x1 - x0, y1 < h),
        ):
            if there and bad < limit:
                around += length
                cut += self.edges(*side)
        return bad + 60 * min(1.0, cut / max(1, around))

    def find(self, sizes: list[tuple[int, int]], wished: Wish, *, jitter: int = 0, margin: int = 0, flush: bool = False) -> Spot:
        """The best place for one of some sizes (cells), the first ones preferred. `margin` is the distance that is kept to the
        picture's edges; `flush`: a place may also begin at an edge.
        """
        bad, box = self._best(sizes, wished, jitter, (margin, flush), 0.3)
        if bad >= _HIDES:  # there are words where it is wished
            bad, box = min((bad, box), self._best(sizes, wished, jitter, (margin, flush), 1.0))
        empty = not self.edges(box.x0 - 1, box.y0 - 1, box.x1 + 1, box.y1 + 1)
        clear = not any(box.x0 < t.x1 and t.x0 < box.x1 and box.y0 < t.y1 and t.y0 < box.y1 for t in self.taken)
        return Spot(box, empty and clear, pixel(self.sight, (box.x0 + box.x1) // 2, (box.y0 + box.y1) // 2))

    def _best(
        self, sizes: list[tuple[int, int]], wished: Wish, jitter: int, steps: tuple[int, bool], reach: float
    ) -> tuple[float, Box]:
        """The best place within reach of the wished one (a share of the picture), and how bad it is."""
        w, h = self.sight.w, self.foot
        best = (1e9, Box(0, 0, 4, 4))
        for n, size in enumerate(sizes):
            wide, tall = max(4, min(w, size[0])), max(4, min(h, size[1]))
            across = _near(_steps(w, wide, *steps), (w, wide), wished[0], reach)
            for y in _near(_steps(h, tall, *steps), (h, tall), wished[1], reach):
                for x in across:
                    box = Box(x, y, x + wide, y + tall)
                    own = 3 * n + (x * 7 + y * 13 + jitter) % 5
                    bad = own + self.cost(box, wished, best[0] - own)
                    if bad < best[0]:
                        best = (bad, box)
        return best

    def cover(self, block: Block, below: Block | None) -> Cover | None:
        """How a block of words (and the one below it) is painted over and where new words go. None: it doesn't stand free."""
        sight, mask, line = self.sight, block.mask, block.line
        x0, y0, x1, y1 = block.x0, block.y0, block.x1, block.y1
        rows = block.rows
        if below is not None:
            x0, x1, y1, rows = min(x0, below.x0), max(x1, below.x1), below.y1, rows + below.rows
        if not _ring(sight, mask, x0 - 1, y0 - 1, x1 + 1, y1 + 1):
            return None
        pad = max(1, line // 4)
        over = self._grown(mask, Box(x0 - 1, y0 - 1, x1 + 1, y1 + 1), (pad, pad, pad, pad))
        wide = self._grown(mask, over, (sight.w, 0, sight.w, 0))
        field = self._grown(mask, wide, (0, max(2 * line, sight.h // 8), 0, max(2 * line, sight.h // 8)))
        left, right = x0 - wide.x0, wide.x1 - x1
        side = _side(rows, wide, [other for other in self.blocks if other.mask == mask and other is not block], sight.w)
        # the field keeps the distance from other things that the old words kept
        keep = (
            max(2, min(left, right, max(left, right) // 2 + 2, line))
            if side == "center"
            else max(2, min(left, right, line // 2 + sight.w // 40))
        )
        fx0, fx1 = wide.x0 + keep, wide.x1 - keep
        if side == "start":
            # large letters stand a little further in than small ones: the small ones' edge is the column's
            ends = [row[0] for other in self.blocks if other.mask == mask for row in other.rows]
            fx0 = min([x0, *(end for end in ends if 0 <= x0 - end <= max(3, sight.w // 40))])
        elif side == "right":
            fx1 = x1
        else:
            half = min((x0 + x1) / 2 - fx0, fx1 - (x0 + x1) / 2)
            fx0, fx1 = int((x0 + x1) / 2 - half), int((x0 + x1) / 2 + half)
        gap = max(2, line // 3)
        fy0 = y0 if field.y0 + gap > y0 else field.y0 + gap
        fy1 = max(y1, min(self.foot, field.y1) - gap)
        return Cover(
            over,
            Box(min(x0, fx0), fy0, max(x1, fx1), fy1),
            side,
            (y0 + y1) / 2,
            line,
            block.ground,
            block.ink,
        )

    def _grown(self, mask: int, box: Box, most: tuple[int, int, int, int]) -> Box:
        """A box with bare rows and columns added at its left, top, right and foot, up to so many each."""
        sight = self.sight
        x0, y0, x1, y1 = box
        left, top, right, low = x0 - most[0], y0 - most[1], x1 + most[2], y1 + most[3]
        while x0 > max(0, left) and bare(sight, mask, x0 - 1, y0, x0, y1):
            x0 -= 1
        while x1 < min(sight.w, right) and bare(sight, mask, x1, y0, x1 + 1, y1):
            x1 += 1
        while y0 > max(0, top) and bare(sight, mask, x0, y0 - 1, x1, y0):
            y0 -= 1
        while y1 < min(self.foot, low) and bare(sight, mask, x0, y1, x1, y1 + 1):
            y1 += 1
        return Box(x0, y0, x1, y1)


def _ring(sight: Sight, mask: int, x0: int, y0: int, x1: int, y1: int) -> bool:
    return (
        bare(sight, mask, x0, y0, x1, y0 + 1)
        and bare(sight, mask, x0, y1 - 1, x1, y1)
        and bare(sight, mask, x0, y0, x0 + 1, y1)
        and bare(sight, mask, x1 - 1, y0, x1, y1)
    )


def _side(rows: tuple[tuple[int, int], ...], wide: Box, others: list[Block], w: int) -> str:
    """How lines are aligned: by what their ends have in common, with each other, with other lines, with the ground."""
    near = max(3, w // 50)
    lines = [*rows, *(row for other in others for row in other.rows if other.x0 >= wide.x0 and other.x1 <= wide.x1)]
    if len(lines) > 1:
        left = sum(abs(a - lines[0][0]) <= near for a, _ in lines[1:])
        middle = sum(abs(a + b - lines[0][0] - lines[0][1]) <= 2 * near for a, b in lines[1:])
        right = sum(abs(b - lines[0][1]) <= near for _, b in lines[1:])
        if max(left, middle, right):
            return "start" if left >= max(middle, right) else "center" if middle >= right else "right"
    a, b = lines[0][0] - wide.x0, wide.x1 - lines[0][1]
    return "center" if abs(a - b) <= 2 * near and min(a, b) > w // 12 else "start" if a <= b + near else "right"


def _steps(whole: int, part: int, margin: int, flush: bool) -> list[int]:
    """Beginnings of a part along a whole, at even steps between the margins, and at the edges."""
    low, high = margin, whole - part - margin
    if high <= low:
        return [max(0, (whole - part) // 2)]
    count = 12
    found = [low + (high - low) * n // count for n in range(count + 1)]
    return sorted({*found, *((0, whole - part) if flush else ())})


def _near(begins: list[int], size: tuple[int, int], wished: float | None, reach: float) -> list[int]:
    """Those that lie where they are wished; the nearest, if none does."""
    if wished is None:
        return begins
    whole, part = size
    far = [abs(begin - wished * (whole - part)) for begin in begins]
    most = max(min(far), reach * whole)
    return [begin for begin, off in zip(begins, far, strict=True) if off <= most]
