"""How large a comp is, in pixels, and which part of it is its slug line. Knows parameters and sizes only."""

from __future__ import annotations

from ..base import Request
from .pictures import Seen

LONG_SIDE = {"low": 512, "medium": 1024, "high": 1536}
_COMP_SIDES = frozenset(side * scale for side in LONG_SIDE.values() for scale in (1, 2, 3, 4, 6, 8))
_SAME_RATIO = 0.01


def size(request: Request) -> tuple[int, int]:
    """Width and height in pixels: the long side follows `quality`, the ratio `aspect_ratio` ("W:H")."""
    long = LONG_SIDE.get(str(request.params.get("quality", "medium")), 1024)
    across, _, down = str(request.params.get("aspect_ratio") or "1:1").partition(":")
    try:
        w, h = float(across), float(down or across)
    except ValueError:
        w, h = 1.0, 1.0
    if not (w > 0 and h > 0):
        w, h = 1.0, 1.0
    short = max(64, round(long * min(w, h) / max(w, h)))
    return (long, short) if w >= h else (short, long)


def as_large(wh: tuple[int, int], base: Seen | None) -> tuple[int, int]:
    """The size of an edit: of a comp that was enlarged, as large as that."""
    if base is None or max(base.w, base.h) not in _COMP_SIDES or max(base.w, base.h) <= max(wh):
        return wh
    if base.w * wh[1] == base.h * wh[0] or abs(base.w / base.h - wh[0] / wh[1]) < _SAME_RATIO:
        return base.w, base.h
    k = max(base.w, base.h) / max(wh)
    return round(wh[0] * k), round(wh[1] * k)


def strip(w: int, h: int) -> float:
    """Height of the slug line: a share of the format alone, so that an edit's strip lies exactly over its base's."""
    return 0.027 * max(w, h)


def strip_share(w: int, h: int) -> float:
    """The share of a picture's height that its slug line takes; 0 where the size is none that a comp has."""
    return round(strip(w, h) / h, 5) if max(w, h) in _COMP_SIDES else 0.0
