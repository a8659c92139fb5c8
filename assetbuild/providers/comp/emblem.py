"""A sign for what `comp` has no pictogram of: a few plain shapes, one in the other, that follow from the action, so that two prompts
get two signs. Knows chance and the pictograms' field (100 x 100); no prompt, no layout.
"""

from __future__ import annotations

from .seed import Seed

# points of the unit circle in steps of 15 degrees, in thousandths: no platform's sine moves a digit
_SINES = (0, 259, 500, 707, 866, 966, 1000)


def _point(step: int, radius: int) -> tuple[float, float]:
    """A point `step` * 15 degrees right of the top, `radius` from the middle of the field."""
    quarter, rest = divmod(step % 24, 6)
    across, up = _SINES[rest], _SINES[6 - rest]
    x, y = ((across, -up), (up, across), (-across, up), (-up, -across))[quarter]
    return round(50 + x * radius / 1000, 1), round(50 + y * radius / 1000, 1)


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "z"


def _polygon(kind: str, corners: int, radius: int, turn: int = 0) -> str:
    return f'<path class="{kind}" d="{_path([_point(24 // corners * n + turn, radius) for n in range(corners)])}"/>'


def _star(kind: str, tips: int, radius: int, waist: int) -> str:
    step = 12 // tips
    return f'<path class="{kind}" d="{_path([_point(step * n, waist if n % 2 else radius) for n in range(2 * tips)])}"/>'


def _ring(kind: str, count: int, radius: int, size: int, turn: int = 0) -> str:
    places = [_point(24 // count * n + turn, radius) for n in range(count)]
    return f'<g class="{kind}">' + "".join(f'<circle cx="{x:g}" cy="{y:g}" r="{size}"/>' for x, y in places) + "</g>"


def _petals(kind: str, count: int, radius: int, wide: int) -> str:
    half, top = radius // 2, 50 - radius
    left, right = (
        f"C{50 - wide} {50 - half} {50 - wide // 2} {top} 50 {top}",
        f"C{50 + wide // 2} {top} {50 + wide} {50 - half} 50 50z",
    )
    one = f"M50 50{left}{right}"
    turned = "".join(f'<path transform="rotate({360 // count * n} 50 50)" d="{one}"/>' for n in range(count))
    return f'<g class="{kind}">{turned}</g>'


def _disc(kind: str, radius: int) -> str:
    return f'<circle class="{kind}" cx="50" cy="50" r="{radius}"/>'


def emblem(own: Seed) -> str:
    """SVG content of a 100 x 100 field, in the classes of the pictograms (k, a, b, p)."""

    def pick(below: int, use: str) -> int:
        return own.number(below, f"emblem {use}")

    field, figure, middle = (("k", "a", "p"), ("a", "k", "b"), ("k", "b", "a"), ("a", "p", "k"), ("b", "k", "p"))[
        pick(5, "kinds")
    ]
    behind = (
        _disc(field, 44),
        _polygon(field, 6, 47, 2 * pick(2, "turn")),
        _polygon(field, 8, 47, 0),
        _polygon(field, 4, 48),
        f'<rect class="{field}" x="9" y="9" width="82" height="82" rx="{(6, 18, 30)[pick(3, "round")]}"/>',
        _star(field, 12, 47, 41),
        _ring(field, 8, 33, 14) + _disc(field, 36),
        _polygon(field, 12, 46),
    )[pick(8, "field")]
    over = (
        lambda: _star(figure, (3, 4, 6)[pick(3, "tips")], 31, (10, 13, 16)[pick(3, "waist")]),
        lambda: _petals(figure, (3, 4, 5, 6, 8)[pick(5, "petals")], 31, (9, 13, 17)[pick(3, "wide")]),
        lambda: _ring(figure, (3, 4, 6, 8)[pick(4, "count")], 20, (6, 8, 10)[pick(3, "size")]),
        lambda: _polygon(figure, (3, 4, 6)[pick(3, "corners")], 29, (0, 2)[pick(2, "turned")]),
        lambda: _disc(figure, 29) + _polygon(field, (3, 4, 6)[pick(3, "corners")], 24),
        lambda: _star(figure, 4, 33, 12) + _ring(figure, 4, 25, 4, 3),
    )[pick(6, "figure")]()  # fmt: skip
    inner = (
        lambda: "",
        lambda: _disc(middle, (6, 8, 11)[pick(3, "dot")]),
        lambda: _polygon(middle, (3, 4, 6)[pick(3, "gem")], 11),
        lambda: _disc(middle, 11) + _disc(figure, 5),
        lambda: _star(middle, 4, 13, 5),
    )[pick(5, "middle")]()  # fmt: skip
    return behind + over + inner
