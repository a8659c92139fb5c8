"""Which part of a picture stays when it has to be cut and nobody said: the busiest. Looks at a small copy of one picture, so it is quick, and the same
everywhere; knows no recipe and no faces.

What is busy: edges, colours that are rare in the picture, tones of skin, and whatever isn't transparent.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

STRONG = 80  # of 255: an edge counts up to this, so that a coarse pattern isn't worth more than a face
GRID = 96  # pixels of the longer side of the small copy
EDGE, RARE, SKIN = 3, 1, 600  # what counts how much: of 255 each, skin as such
MOST_SKIN = 0.25  # of a picture: where more has its tone it is wood, sand or a face that fills it, and counts nothing
QUIET = 0.25  # of the most that is busy: below it is ground
ENOUGH = 0.97  # of the most that fits into a window: among those the one with its subject in the middle


def busiest(picture: Picture, across: float, down: float) -> tuple[float, float]:
    """The middle of the window of this size (fractions of the picture's sides) that holds the most, as fractions from the left and the top."""
    small, alpha = _small(picture)
    wide, high = small.size
    energy = _energy(small, alpha)
    window = min(wide, max(1, round(across * wide))), min(high, max(1, round(down * high)))
    # Energy, and energy times its place: three tables of sums give a window's total and its middle of gravity.
    tables = [
        _integral([value * weight for value, weight in zip(energy, weights, strict=True)], wide, high)
        for weights in (
            [1] * len(energy),
            [i % wide for i in range(len(energy))],
            [i // wide for i in range(len(energy))],
        )
    ]
    totals = {
        (left, top): _inside(tables[0], left, top, window)
        for top in range(high - window[1] + 1)
        for left in range(wide - window[0] + 1)
    }
    most = max(totals.values())
    if most == 0:
        return (0.5, 0.5)

    def rank(place: tuple[int, int]) -> tuple[float, float, int, int]:
        """How far the subject is from the window's middle; of equal ones the window nearest to the picture's middle, the topmost, the leftmost."""
        left, top = place
        x, y = (_inside(table, left, top, window) / totals[place] for table in tables[1:])
        mid_x, mid_y = left + (window[0] - 1) / 2, top + (window[1] - 1) / 2
        off = ((x - mid_x) / window[0]) ** 2 + ((y - mid_y) / window[1]) ** 2
        away = ((mid_x + 0.5) / wide - 0.5) ** 2 + ((mid_y + 0.5) / high - 0.5) ** 2
        return round(off, 6), round(away, 6), top, left

    left, top = min((place for place, total in totals.items() if total >= most * ENOUGH), key=rank)
    return (left + window[0] / 2) / wide, (top + window[1] / 2) / high


def _small(picture: Picture) -> tuple[Picture, Picture | None]:
    """A small copy on grey, and its transparency (None: it has none)."""
    from PIL import Image

    scale = GRID / max(picture.size)
    size = max(2, round(picture.width * scale)), max(2, round(picture.height * scale))
    clear = {"RGBA": "RGBa", "LA": "La"}.get(picture.mode)
    if clear is None:
        return picture.resize(size, Image.Resampling.BOX).convert("RGB"), None
    small = picture.convert(clear).resize(size, Image.Resampling.BOX).convert(picture.mode).convert("RGBA")
    alpha = small.getchannel("A")
    ground = Image.new("RGB", size, (128, 128, 128))
    ground.paste(small.convert("RGB"), mask=alpha)
    return ground, alpha if alpha.getextrema()[0] < 255 else None  # type: ignore[operator] # noqa: PLR2004 - one band, of a byte


def _energy(small: Picture, alpha: Picture | None) -> list[int]:
    """How busy each pixel is. The ground of a photo is never quite still, and there is a lot of it: what is under a part of the most counts nothing."""
    from PIL import Image, ImageChops, ImageFilter, ImageStat

    wide, high = small.size
    mean = tuple(round(value) for value in ImageStat.Stat(small).mean)
    rare = ImageChops.difference(small.filter(ImageFilter.GaussianBlur(1)), Image.new("RGB", small.size, mean)).tobytes()
    edges = small.convert("L").filter(ImageFilter.FIND_EDGES).tobytes()
    colours = small.tobytes()
    solid = alpha.tobytes() if alpha is not None else b""
    skin = [_skin(*colours[3 * i : 3 * i + 3]) for i in range(wide * high)]
    worth = round(SKIN * max(0.0, 1 - sum(skin) / (len(skin) * MOST_SKIN)))
    found = []
    for i in range(wide * high):
        # The filter leaves the outermost pixels as they are.
        inner = 0 < i % wide < wide - 1 and wide <= i < wide * (high - 1)
        value = EDGE * min(edges[i], STRONG) if inner else 0
        value += RARE * max(rare[3 * i : 3 * i + 3]) + worth * skin[i]
        found.append((value + 255) * solid[i] // 255 if solid else value)
    least = round(max(found) * QUIET)
    return [max(0, value - least) for value in found]


def _skin(red: int, green: int, blue: int) -> bool:
    """Whether skin of any shade has this tone (Kovac, Peer and Solina 2003, without its limits for daylight's brightness)."""
    return red > 60 and red > green > blue and 1.1 < red / green < 2.2 and red - blue > 25 and red - blue < 0.65 * red + 10  # noqa: PLR2004


def _integral(values: list[int], wide: int, high: int) -> list[list[int]]:
    """Sums of all values above and to the left."""
    sums = [[0] * (wide + 1)]
    for y in range(high):
        line = accumulate(values[y * wide : (y + 1) * wide], initial=0)
        sums.append([above + value for above, value in zip(sums[-1], line, strict=True)])
    return sums


def _inside(sums: list[list[int]], left: int, top: int, window: tuple[int, int]) -> int:
    right, bottom = left + window[0], top + window[1]
    return sums[bottom][right] - sums[top][right] - sums[bottom][left] + sums[top][left]
