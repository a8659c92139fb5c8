"""What of a picture is object and what is ground: by its transparency, else by the colour of its border. Looks at one picture; knows no grid and no spec.

A ground of a colour is rarely one colour: JPEG leaves noise in it, image models a slight gradient. So the ground is drawn from the colours at the four
corners, the noise at the border says how far a pixel may be from it, and single odd pixels don't count unless they are very odd.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageChops, ImageFilter

CLEAR = 8  # alpha up to this can't be seen
LEAST, MOST = 8, 40  # how far from the ground's colour a pixel of the ground may be, by the noise at the border, of 255
PLAIN = 56  # a pixel this far off is object even if it stands alone
CORNER = 48  # a corner this far from the rest has something in it
SAMPLES = 256  # points along each side that are looked at
Colour = tuple[float, ...]


class Ground(NamedTuple):
    """What lies around the object. `colour` is what a larger picture is filled up with, in the picture's own mode; `objects` is a picture of mode L that
    is 255 where something stands and 0 elsewhere.
    """

    colour: tuple[int, ...]
    objects: Image.Image


def plain_mode(picture: Image.Image) -> Image.Image:
    """The picture in a mode whose pixels stand for themselves: palettes and colours that count as transparent are written out. Nothing is lost."""
    if picture.mode in ("RGBA", "LA"):
        return picture
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGB") if picture.mode == "P" else picture


def ground_of(picture: Image.Image) -> Ground | None:
    """The ground of a picture that `plain_mode` gave; None where there is none: the border has no colour that it shares."""
    if picture.mode in ("RGBA", "LA"):
        alpha = picture.getchannel("A")
        if alpha.getextrema()[0] <= CLEAR:  # type: ignore[operator]  # one band
            return Ground((0,) * len(picture.mode), alpha.point([0 if a <= CLEAR else 255 for a in range(256)]))
    seen = _seen(picture)
    width, height = seen.size
    across, down = _places(width), _places(height)
    sides = [
        [(x, 0) for x in across],
        [(width - 1, y) for y in down],
        [(x, height - 1) for x in across],
        [(0, y) for y in down],
    ]
    points = [point for side in sides for point in side]
    found = {point: _colour(seen, point) for point in points}
    whole = _median([found[point] for point in points])
    near_x, near_y = max(1, len(across) // 7), max(1, len(down) // 7)
    corners = [
        _median([found[p] for p in (*sides[flat][ends_x], *sides[tall][ends_y])])
        for flat, tall, ends_x, ends_y in (
            (0, 3, slice(None, near_x), slice(None, near_y)),
            (0, 1, slice(-near_x, None), slice(None, near_y)),
            (2, 3, slice(None, near_x), slice(-near_y, None)),
            (2, 1, slice(-near_x, None), slice(-near_y, None)),
        )
    ]
    corners = [corner if _far(corner, whole) <= CORNER else whole for corner in corners]
    drawn = _drawn(seen.size, corners)
    off = sorted(_far(found[point], _colour(drawn, point)) for point in points)
    calm = [value for value in off if value <= MOST]
    if len(calm) * 2 < len(off):
        return None
    tolerance = min(LEAST + 3 * calm[len(calm) * 9 // 10], MOST)
    distance = _distance(seen, drawn)
    odd = distance.point([255 if value > tolerance else 0 for value in range(256)]).filter(ImageFilter.MedianFilter(3))
    very = distance.point([255 if value > max(PLAIN, tolerance) else 0 for value in range(256)])
    own = [_colour(picture, point) for point in points if _far(found[point], whole) <= MOST]
    return Ground(
        tuple(int(value) for value in _median(own or [_colour(picture, point) for point in points])),
        ImageChops.lighter(odd, very),
    )


def _seen(picture: Image.Image) -> Image.Image:
    """The picture in RGB or L, as eyes see it; 16 bits become 8."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture if picture.mode in ("RGB", "L") else picture.convert("L" if picture.mode in ("LA", "F") else "RGB")


def _places(length: int) -> list[int]:
    """Where along a side it is looked."""
    return sorted({round(at * (length - 1) / (SAMPLES - 1)) for at in range(SAMPLES)})


def _colour(picture: Image.Image, point: tuple[int, int]) -> Colour:
    value = picture.getpixel(point)
    return value if isinstance(value, tuple) else (value or 0,)


def _median(colours: Sequence[Colour]) -> Colour:
    return tuple(sorted(band)[len(band) // 2] for band in zip(*colours, strict=True))


def _far(one: Colour, other: Colour) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _drawn(size: tuple[int, int], corners: Sequence[Colour]) -> Image.Image:
    """The ground alone, from the colours of its corners: top left, top right, bottom left, bottom right."""
    values = [tuple(int(band) for band in corner) for corner in corners]
    mode = "RGB" if len(values[0]) > 1 else "L"
    small = Image.new(mode, (2, 2))
    for place, value in enumerate(values):
        small.putpixel((place % 2, place // 2), value)
    return small.resize(size, Image.Resampling.BILINEAR, box=(0.5, 0.5, 1.5, 1.5))


def _distance(one: Image.Image, other: Image.Image) -> Image.Image:
    """How far the pixels are apart, in the band where they are farthest."""
    bands = ImageChops.difference(one, other).split()
    farthest = bands[0]
    for band in bands[1:]:
        farthest = ImageChops.lighter(farthest, band)
    return farthest
