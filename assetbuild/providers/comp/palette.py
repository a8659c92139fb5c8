"""Five colours that go together, and what can be set on each. Knows colours only: no prompt, no layout.

Integer arithmetic throughout, so that no platform's maths library can move a digit.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import functools
from typing import NamedTuple


class Palette(NamedTuple):
    """Five colours as "#RRGGBB": the lightest, the darkest, three accents."""

    paper: str
    ink: str
    a: str
    b: str
    c: str


_HOUSE = (
    Palette("#F7F4EA", "#2B2D42", "#EF8354", "#8FB9AA", "#F2C14E"),
    Palette("#FBF3E4", "#1D3557", "#E4523B", "#9CCBD0", "#F4A261"),
    Palette("#F4EFE6", "#264653", "#E76F51", "#2A9D8F", "#E9C46A"),
    Palette("#FFF4E0", "#3D2C2E", "#D1603D", "#7A9E7E", "#DDB967"),
    Palette("#F6F0EE", "#2A2440", "#D9776A", "#B9A7C4", "#F2CC8F"),
    Palette("#FDF6EC", "#0B3954", "#FF6F61", "#A9CBE3", "#FEC868"),
    Palette("#F6F1E7", "#1F3B2D", "#D98E4A", "#A9BF96", "#E8C9A0"),
    Palette("#FFF7F0", "#4A1942", "#E4572E", "#F3A6B7", "#F2B134"),
    Palette("#EFF3EC", "#14342B", "#FF8E4F", "#9CCBA4", "#F3D27A"),
    Palette("#FAF3DD", "#2D3047", "#DF6A70", "#8FB4BC", "#DDB13B"),
    Palette("#F5EFE0", "#1B2A41", "#CC5A3B", "#6C91A8", "#E4B363"),
    Palette("#FFF9EF", "#3A2E6E", "#F06C5A", "#8FCDBE", "#FFC75F"),
    Palette("#F4F1EC", "#26262B", "#E2583E", "#3E7CB1", "#D8CDB8"),
    Palette("#FBEFE6", "#5B2333", "#E26D5A", "#87A96B", "#F7C1A1"),
)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(red: int, green: int, blue: int) -> str:
    return f"#{red:02X}{green:02X}{blue:02X}"


@functools.lru_cache(maxsize=4096)
def mix(one: str, other: str, part: int) -> str:
    """`part` percent of `other` in `one`."""
    first, second = _rgb(one), _rgb(other)
    return _hex(*((p * (100 - part) + q * part + 50) // 100 for p, q in zip(first, second, strict=True)))


@functools.lru_cache(maxsize=4096)
def light(colour: str) -> int:
    """Relative luminance, 0 to 1000, with the square for the gamma curve."""
    red, green, blue = _rgb(colour)
    return (2126 * red * red + 7152 * green * green + 722 * blue * blue) // (10 * 65025)


def contrast(one: str, other: str) -> int:
    """Ten times the WCAG contrast ratio: 45 is readable, 210 is black on white."""
    dark, bright = sorted((light(one), light(other)))
    return 10 * (bright + 50) // (dark + 50)


@functools.lru_cache(maxsize=4096)
def apart(one: str, other: str) -> int:
    """How different two colours look, 0 to about 760 (redmean)."""
    (r1, g1, b1), (r2, g2, b2) = _rgb(one), _rgb(other)
    mean, dr, dg, db = (r1 + r2) // 2, r1 - r2, g1 - g2, b1 - b2
    square = (((512 + mean) * dr * dr) >> 8) + 4 * dg * dg + (((767 - mean) * db * db) >> 8)
    root = square
    while root * root > square:  # integer square root by Newton's rule
        root = (root + square // root) // 2
    return root


def palette(colours: tuple[str, ...], seed: int) -> Palette:
    """The colours that a prompt names, completed to five; without any, one of the house palettes by `seed`."""
    if not colours:
        return _HOUSE[seed % len(_HOUSE)]
    bright = [colour for colour in colours if light(colour) >= 640]
    dark = [colour for colour in colours if light(colour) <= 130]
    paper = max(bright, key=light) if bright else mix(colours[0], "#FFFBF2", 90)
    ink = min(dark, key=light) if dark else mix(colours[0], "#15151C", 82)
    rest = [colour for colour in colours if colour not in (paper, ink)]
    if not rest:
        rest = [mix(ink, paper, 48), mix(ink, paper, 74), mix(ink, paper, 24)] if len(colours) > 1 else []
        house = _HOUSE[seed % len(_HOUSE)]
        rest = rest or [house.a, house.b, house.c]
    a = rest[0]
    b = rest[1] if len(rest) > 1 else mix(a, paper, 52)
    c = rest[2] if len(rest) > 2 else mix(a, ink, 40) if len(rest) > 1 else mix(a, ink, 46)
    return Palette(paper, ink, a, b, c)


def ground(bg: str, colours: Palette) -> dict[str, str]:
    """What to draw with on `bg`: `fg` for words, `x y z` accents that stand out from it and from each other where the palette
    allows.
    """
    fg = max((colours.ink, colours.paper), key=lambda colour: contrast(colour, bg))
    if contrast(fg, bg) < 40:
        fg = max(("#14141A", "#FFFFFF"), key=lambda colour: contrast(colour, bg))
    pool = [
        colour
        for colour in (colours.a, colours.b, colours.c, colours.paper, colours.ink)
        if apart(colour, bg) >= 90 and colour != fg
    ]
    pool = [colour for n, colour in enumerate(pool) if all(apart(colour, other) >= 60 for other in pool[:n])]  # told apart at all
    pool += [mix(fg, bg, 45), mix(fg, bg, 65), mix(fg, bg, 25)]
    names = {value: name for name, value in reversed(colours._asdict().items())}
    return {
        "bg": bg,
        "fg": fg,
        "x": pool[0],
        "y": pool[1],
        "z": pool[2],
        "soft": mix(mix(bg, fg, 7), pool[0], 13),  # warm beside a warm palette, never plain grey
        "dim": mix(bg, fg, 62),
        "xname": names.get(pool[0], "paper"),  # the grounds that these accents are, for things that stand on them
        "yname": names.get(pool[1], "paper"),
    }
