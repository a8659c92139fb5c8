"""The colour that a person would name if asked for a picture's colour. Knows pixels only.

Area decides, and strong colours count more than paper: an orange poster with a cream foot is orange, a page with a red dot is white. A flat colour comes out
as it is in the picture, so that it can be held against a palette.

Nearness is measured in Oklab (Björn Ottosson, https://bottosson.github.io/posts/oklab/), where equal distances look equal.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 64  # pixels that are looked at, of the longer side
NEAR = 0.09  # in Oklab: of one family of colours; what can just be told apart is 0.02
STRENGTH = 6.0  # how much more a colour of chroma 1 counts than grey; the strongest of sRGB has 0.32
FLAT = 0.25  # of a family: a colour that so many pixels have exactly is the family's own
SOLID = 128  # of 255: what is more transparent isn't the picture's colour, if there is anything else

Colour = tuple[int, int, int]
Lab = tuple[float, float, float]


class _Family(NamedTuple):
    """Colours that are near each other, with how many pixels have them."""

    centre: Lab
    weight: int
    colours: list[tuple[Colour, int]]


def dominant(picture: Image) -> str | None:
    """The colour of an RGBA picture as "#rrggbb"; None when nothing of it can be seen. The same pixels give the same colour."""
    from PIL import Image  # 40 ms

    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=None)
    counted = _counted(small.tobytes())
    if not counted:
        return None
    families = _families(counted)
    whole = sum(family.weight for family in families)
    best = max(families, key=lambda family: (round(_score(family, whole), 9), family.colours[0][0]))
    most, count = best.colours[0]
    found = most if count >= FLAT * best.weight else _srgb(best.centre)
    return "#{:02x}{:02x}{:02x}".format(*found)


def _counted(rgba: bytes) -> list[tuple[Colour, int]]:
    """The colours that are seen, those of most pixels first."""
    found: Counter[Colour] = Counter()
    pixels = list(zip(rgba[0::4], rgba[1::4], rgba[2::4], rgba[3::4], strict=True))
    solid = any(alpha >= SOLID for *_, alpha in pixels)
    for red, green, blue, alpha in pixels:
        if alpha >= SOLID or (alpha and not solid):
            found[red, green, blue] += 1 if solid else alpha
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))


def _families(counted: list[tuple[Colour, int]]) -> list[_Family]:
    """Colours in families: the most common one founds the first, what is near to none founds another. Then each goes to the nearest, twice."""
    labs = {colour: _oklab(colour) for colour, _ in counted}
    cells: dict[Colour, list[tuple[Colour, int]]] = {}  # of 8 levels; a noisy picture has thousands of colours
    for colour, count in counted:
        cells.setdefault((colour[0] >> 3, colour[1] >> 3, colour[2] >> 3), []).append((colour, count))
    members = sorted(cells.values(), key=lambda cell: (-sum(n for _, n in cell), cell[0][0]))
    places = [_mean(cell, labs) for cell in members]
    centres: list[Lab] = []
    for place in places:
        if all(math.dist(place, centre) >= NEAR for centre in centres):
            centres.append(place)
    groups: list[list[tuple[Colour, int]]] = []
    for _ in range(3):
        groups = [[] for _ in centres]
        for cell, place in zip(members, places, strict=True):
            groups[min(range(len(centres)), key=lambda n: (round(math.dist(place, centres[n]), 9), n))] += cell
        groups = [group for group in groups if group]
        centres = [_mean(group, labs) for group in groups]
    return [
        _Family(centre, sum(n for _, n in group), sorted(group, key=lambda one: (-one[1], one[0])))
        for centre, group in zip(centres, groups, strict=True)
    ]


def _score(family: _Family, whole: int) -> float:
    _, green_red, blue_yellow = family.centre
    return family.weight / whole * (1 + STRENGTH * math.hypot(green_red, blue_yellow))


def _mean(colours: list[tuple[Colour, int]], labs: dict[Colour, Lab]) -> Lab:
    weight = sum(n for _, n in colours)
    light, a, b = (math.fsum(labs[colour][axis] * n for colour, n in colours) / weight for axis in range(3))
    return light, a, b


def _oklab(colour: Colour) -> Lab:
    r, g, b = (value / 3294.6 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour)  # noqa: PLR2004 - sRGB
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _srgb(lab: Lab) -> Colour:
    light, a, b = lab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    red, green, blue = (
        round(255 * (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))  # noqa: PLR2004 - sRGB
        for value in (min(max(part, 0.0), 1.0) for part in linear)
    )
    return red, green, blue
