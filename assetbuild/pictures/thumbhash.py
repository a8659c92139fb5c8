"""ThumbHash: what a picture looks like from far away, in 25 bytes, for a placeholder while it loads. Knows pixels only.

Written from Evan Wallace's algorithm (https://evanw.github.io/thumbhash/): the same bytes as his JavaScript for the same pixels, with two exceptions that
nobody sees. A value that lies in the middle of two steps may take the other one. A channel that doesn't vary is written as one that doesn't vary: his has the
rounding noise of the cosines there, which no decoder shows and which is another one on another machine. `thumbhash` on PyPI (0.1.2) raises TypeError for
every picture with transparency and rounds halves to even.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from operator import mul
from typing import NamedTuple

MOST = 100  # pixels of the longer side
_NOISE = 1e-9  # a channel that varies by less doesn't vary


class _Channel(NamedTuple):
    """A channel's mean, what varies (each 0 to 1, in the order of the format) and by how much at most."""

    mean: float
    waves: list[float]
    scale: float


def thumbhash(width: int, height: int, rgba: bytes) -> bytes:
    """The ThumbHash of a picture of at most 100 × 100 pixels: `rgba` row by row, four bytes each, not premultiplied. Raises ValueError for a larger one or
    another number of bytes.
    """
    if not (0 < width <= MOST and 0 < height <= MOST) or len(rgba) != width * height * 4:
        raise ValueError(f"not a picture of at most {MOST}×{MOST}: {width}×{height}, {len(rgba)} bytes")
    red, green, blue, alpha = ([value / 255 for value in rgba[part::4]] for part in range(4))
    opaque = sum(alpha)
    mean = [math.fsum(map(mul, one, alpha)) / opaque if opaque else 0.0 for one in (red, green, blue)]
    transparent = min(rgba[3::4]) < 255  # noqa: PLR2004 - a byte
    if transparent:  # what can be seen through shows the mean colour
        red, green, blue = (
            [m * (1 - a) + a * v for v, a in zip(one, alpha, strict=True)]
            for one, m in zip((red, green, blue), mean, strict=True)
        )
    light = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]
    yellow = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]
    reds = [r - g for r, g in zip(red, green, strict=True)]
    most = 5 if transparent else 7
    across = max(1, _round(most * width / max(width, height)))
    down = max(1, _round(most * height / max(width, height)))
    lights = _encoded(light, width, height, max(3, across), max(3, down))
    yellows, reddish = _encoded(yellow, width, height, 3, 3), _encoded(reds, width, height, 3, 3)
    wide = width > height
    head = _round(63 * lights.mean) | _round(31.5 + 31.5 * yellows.mean) << 6 | _round(31.5 + 31.5 * reddish.mean) << 12
    head |= _round(31 * lights.scale) << 18 | transparent << 23
    tail = (down if wide else across) | _round(63 * yellows.scale) << 3 | _round(63 * reddish.scale) << 9 | wide << 15
    waves = lights.waves + yellows.waves + reddish.waves
    found = bytearray(head.to_bytes(3, "little") + tail.to_bytes(2, "little"))
    if transparent:
        cover = _encoded(alpha, width, height, 5, 5)
        found.append(_round(15 * cover.mean) | _round(15 * cover.scale) << 4)
        waves += cover.waves
    nibbles = [_round(15 * wave) for wave in waves]
    nibbles += [0] * (len(nibbles) % 2)
    found += bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return bytes(found)


def _encoded(channel: Sequence[float], width: int, height: int, across: int, down: int) -> _Channel:
    """The channel as cosine waves, those of a triangle `across` by `down`."""
    rows = [channel[start : start + width] for start in range(0, width * height, width)]
    sums = [[math.fsum(map(mul, row, _cosines(width, x))) for row in rows] for x in range(across)]
    mean, waves = 0.0, []
    for y in range(down):
        for x in range(across):
            if x * down >= across * (down - y):
                break
            wave = math.fsum(map(mul, sums[x], _cosines(height, y))) / (width * height)
            if x or y:
                waves.append(wave)
            else:
                mean = wave
    scale = max(map(abs, waves))
    if scale < _NOISE:
        return _Channel(mean, [0.0] * len(waves), 0.0)
    return _Channel(mean, [0.5 + 0.5 / scale * wave for wave in waves], scale)


@cache
def _cosines(length: int, wave: int) -> tuple[float, ...]:
    return tuple(math.cos(math.pi / length * wave * (at + 0.5)) for at in range(length))


def _round(value: float) -> int:
    """As JavaScript does it: halves go up."""
    return math.floor(value + 0.5)
