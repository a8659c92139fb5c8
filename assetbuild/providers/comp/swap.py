"""New words in the place of old ones, on a base that tells where its words stand (`record`). Knows records and pages in pixels; no
typst, and it doesn't look at pictures: that is `spots`, for bases that tell nothing.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

from typing import Any, NamedTuple

from .change import Change
from .reading import Quoted
from .record import Record, Stand

# how far letters reach beyond their box, in em: accents on capitals, what goes below the line, overhang at the sides
_ABOVE, _BELOW, _BESIDE, _BLUR = 0.36, 0.27, 0.12, 0.06
_LEVEL = frozenset("ABCDEFGHIKLMNOPRSTUVWXYZabcdefhiklmnorstuvwxz0123456789 .:!?-–—&+%'’")  # what stays between the lines


_FLAT = _LEVEL | frozenset("gjpqyQJ,;()[]/çŞşäöüëïáéíóúàèìòùâêîôûñåæøœßı")  # and what only goes below, or is no capital


class Box(NamedTuple):
    """A place in pixels of a page."""

    x: float
    y: float
    w: float
    h: float


def moved(told: Record | None, at: Box, page: tuple[int, int]) -> tuple[Stand, ...]:
    """A base's words on a page that shows it at `at`; those that the page cuts off are left out."""
    if told is None:
        return ()
    kx, ky = at.w / page[0], at.h / page[1]
    dx, dy = at.x / page[0], at.y / page[1]

    def there(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        x, y, w, h = box
        return round(dx + x * kx, 6), round(dy + y * ky, 6), round(w * kx, 6), round(h * ky, 6)

    found = [
        one._replace(box=there(one.box), field=there(one.field), size=round(one.size * kx, 6), cap=round(one.cap * kx, 6))
        for one in told.words
    ]
    return tuple(one for one in found if one.box[0] > -0.01 and one.box[1] > -0.01 and one.box[0] < 1 and one.box[1] < 1)


def news(told: Record | None, words: tuple[Quoted, ...]) -> tuple[Quoted, ...]:
    """Those of an edit's words that don't stand on its base yet; the first of them leads."""
    there = {one.text.casefold() for one in told.words} if told else set()
    new = tuple(quoted for quoted in words if quoted.text.casefold() not in there)
    return new if not new or new[0] == words[0] else (new[0]._replace(role="head"), *new[1:])


def old(stands: tuple[Stand, ...], asked: Change, said: tuple[str, ...], count: int) -> tuple[Stand, ...]:
    """The words whose place `count` new ones take; () where they are only added. `said` are all that the prompt quotes."""
    quoted = {text.casefold() for text in said}
    named = [one for one in stands if one.text.casefold() in quoted]
    heads = [one for one in stands if one.role == "head"] or [one for one in stands if one.role == "added"]
    subs = [one for one in stands if one.role in ("sub", "body")]
    if named and asked.changes:
        lead: Stand | None = named[0]
    elif asked.replaces == "second":
        lead = next(iter(subs), None)
    else:
        lead = max(heads, key=lambda one: one.size) if heads and asked.replaces else None
    if lead is None:
        return ()
    more = [one for one in subs if one is not lead and _under(one, lead)]
    return (lead, *more[: count - 1])


def _under(one: Stand, lead: Stand) -> bool:
    """Whether words stand below others, in one column."""
    level = one.field[0] < lead.field[0] + lead.field[2] and lead.field[0] < one.field[0] + one.field[2]
    return level and one.box[1] >= lead.box[1] + lead.box[3] * 0.5


def cover(gone: tuple[Stand, ...], stands: tuple[Stand, ...], page: tuple[int, int], count: int) -> dict[str, Any]:
    """What is painted over and where `count` new words go, in pixels, for the drawing. Words that stay keep their distance."""
    w, h = page
    lead = gone[0]
    boxes = [_pixels(one.box, w, h) for one in gone]
    x0, y0 = min(box.x for box in boxes), min(box.y for box in boxes)
    x1, y1 = max(box.x + box.w for box in boxes), max(box.y + box.h for box in boxes)
    room = _pixels(lead.field, w, h)
    left, right = min(room.x, x0), max(room.x + room.w, x1)
    top, low = min(room.y, y0), max(room.y + room.h, y1)
    followed = led = False
    for one in stands:
        its, em = _pixels(one.box, w, h), one.size * w
        if one in gone or its.x > right or its.x + its.w < left or its.y > low or its.y + its.h < top:
            continue
        if its.y >= y1 - 0.1 * em:
            low, followed = min(low, its.y - _ABOVE * 0.8 * em), True
        elif its.y + its.h <= y0 + 0.1 * em:
            top, led = max(top, its.y + its.h + _BELOW * em), True
        elif its.x >= x1:
            right = min(right, its.x - 0.4 * em)
        elif its.x + its.w <= x0:
            left = max(left, its.x + its.w + 0.4 * em)
    em, last = lead.size * w, gone[-1].size * w
    tall = max(one.tall for one in gone)
    above = _ABOVE * tall if rises(gone[0].text) else _BLUR
    below = _BELOW if hangs(gone[-1].text) else _BLUR
    over = (
        x0 - _BESIDE * em,
        max(top, y0 - above * em) if led else y0 - above * em,
        x1 + _BESIDE * em,
        min(low, y1 + below * last) if followed or tall > 1.1 else y1 + below * last,  # high scripts have it in their box
    )
    return {
        "over": _told(over),
        "field": _told((left, top, right, max(low, y1))),
        "side": lead.side,
        "face": lead.face,
        "middle": round((y0 + y1) / 2, 2),
        "top": round(y0, 2),
        "low": round(y1, 2),
        "cap": round(lead.cap * w, 2),
        "anchor": "bottom" if followed and not led else "top" if led and not followed else lead.anchor,
        "role": lead.role if count == 1 else "",
    }


def hangs(text: str) -> bool:
    """Whether letters may go below the line."""
    return not _LEVEL.issuperset(text)


def rises(text: str) -> bool:
    """Whether letters may reach higher than Latin capitals."""
    return not _FLAT.issuperset(text)


def _pixels(box: tuple[float, float, float, float], w: int, h: int) -> Box:
    return Box(box[0] * w, box[1] * h, box[2] * w, box[3] * h)


def _told(ends: tuple[float, float, float, float]) -> dict[str, float]:
    x0, y0, x1, y1 = ends
    return {"x": round(x0, 2), "y": round(y0, 2), "w": round(x1 - x0, 2), "h": round(y1 - y0, 2)}
