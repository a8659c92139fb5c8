"""An edit's page: how its base lies on it, and where on it, in pixels, the new words, stickers, tag and references go. Knows no
typst; `lines` and `spots` look at the base, this room turns their cells into pixels.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import math
from typing import Any, NamedTuple

from .change import Change
from .lines import Block, bare, blocks, serif
from .palette import Palette, contrast, ground, light
from .pictures import Seen, unseen
from .reading import Quoted
from .seats import em
from .spots import Box, Ground, Spot, Wish

INSET = 0.15  # side of a reference's print, as a share of the page's shorter side


class Mount(NamedTuple):
    """The base on the page, pixels: its whole picture's box, and `over` when it covers the page (else it lies on a ground)."""

    x: float
    y: float
    w: float
    h: float
    over: bool


def mount(w: int, h: int, page: tuple[int, int], strip: float, base_strip: float) -> Mount:
    """Lays a picture of w x h pixels on a page with a slug line of `strip` pixels; of one that has a slug line itself that is
    covered, or cut off.
    """
    ratio, field = w / h, page[0] / page[1]
    if max(ratio, field) / min(ratio, field) < 1.13:
        k = max(page[0] / w, page[1] / h)
        return Mount((page[0] - w * k) / 2, page[1] - h * k, w * k, h * k, True)
    high = page[1] - strip
    k = min(page[0] * 0.88 / w, high * 0.88 / h)
    return Mount((page[0] - w * k) / 2, (high - h * k * (1 - base_strip)) / 2, w * k, h * k, False)


class Table:
    """A base on its page as cells to put things on, with what is on it already."""

    def __init__(self, base: Seen, page: tuple[int, int], strip: float, base_strip: float) -> None:
        sight = base.sight or unseen(base.w, base.h)
        self.page, self.at = page, mount(base.w, base.h, page, strip, base_strip)
        self.kx, self.ky = self.at.w / sight.w, self.at.h / sight.h
        foot = min(sight.h * (1 - base_strip), (page[1] - strip - self.at.y) / self.ky)
        self.ground = Ground(sight, blocks(sight), max(8, int(foot)))

    def cells(self, w: float, h: float) -> tuple[int, int]:
        """A size in pixels as cells, rounded up."""
        return math.ceil(w / self.kx), math.ceil(h / self.ky)

    def pixels(self, box: Box) -> dict[str, float]:
        """A box of cells in pixels of the page."""
        x, y = self.at.x + box.x0 * self.kx, self.at.y + box.y0 * self.ky
        return {
            "x": round(x, 2),
            "y": round(y, 2),
            "w": round((box.x1 - box.x0) * self.kx, 2),
            "h": round((box.y1 - box.y0) * self.ky, 2),
        }

    def take(self, box: dict[str, float]) -> None:
        """Takes a place in pixels."""
        x, y = (box["x"] - self.at.x) / self.kx, (box["y"] - self.at.y) / self.ky
        self.ground.taken.append(Box(int(x), int(y), math.ceil(x + box["w"] / self.kx), math.ceil(y + box["h"] / self.ky)))

    def put(self, spot: Spot) -> dict[str, float]:
        """Takes a place."""
        self.ground.taken.append(spot.box)
        return self.pixels(spot.box)


def words(table: Table, asked: Change, quoted: tuple[Quoted, ...], five: Palette, tint: str, jitter: int) -> dict[str, Any]:
    """Where an edit's words go: `cover` (in the place of old ones) or `spot`, and the grounds of both."""
    grounds: dict[str, Any] = {}
    cover = _cover(table, asked, quoted, five, tint, grounds) if asked.replaces else None
    if cover is not None:
        return {"cover": cover, "spot": None, "grounds": grounds}
    w, h = table.page
    head, extra = quoted[0].text, len(quoted) - 1
    sizes = _sizes(head, extra, (w, h), asked.scale)
    margin = table.cells(min(w, h) * 0.045, min(w, h) * 0.045)[0]
    cells = [table.cells(wide, tall) for wide, tall, _ in sizes]
    small = asked.scale == "small"
    place = asked.place
    line = _line_under(table, head) if asked.under and not extra else None
    if line is not None:
        spot, size = line
        grounds["spot"] = inked(ground(spot.tone, five), tint)
        set_like = "serif" if serif(table.ground.sight, table.ground.blocks[0]) else "sans"
        under = {"look": "bare", "ground": "spot", "cap": round(size, 2), "side": "start", "face": set_like}
        return {"cover": None, "spot": {**table.put(spot), **under}, "grounds": grounds}
    if asked.under and table.ground.blocks:  # as near to the foot of the headline as there is room
        first = table.ground.blocks[0]
        place = (None, min(1.0, (first.y1 + 0.6 * first.line) / table.ground.foot))
    spot = table.ground.find(cells, place, jitter=jitter, margin=margin, flush=not small)
    if spot.bare and not small:  # only a plate may lie at the edge
        spot = table.ground.find(cells, place, jitter=jitter, margin=margin)
    caps = [size for _, _, size in sizes]
    found = spot.box.x1 - spot.box.x0, spot.box.y1 - spot.box.y0
    size = caps[cells.index(found)] if found in cells else caps[-1]
    if spot.bare:
        grounds["spot"] = inked(ground(spot.tone, five), tint)
        name = "spot"
    elif tint:
        grounds["tint"], name = ground(tint, five), "tint"
    else:
        name = max(
            ("ink", "paper", "a"),
            key=lambda one: (contrast(getattr(five, one), spot.tone) + (8 if one == "a" else 0), one),
        )
    across = asked.place[0]
    middle = (spot.box.x0 + spot.box.x1) / 2 / table.ground.sight.w
    side = (
        "center" if across == 0.5 else "right" if (middle > 0.62 if across is None else across == 1.0) and spot.bare else "start"
    )
    look = "bare" if spot.bare else "small" if small else "plate"
    return {
        "cover": None,
        "spot": {**table.put(spot), "look": look, "ground": name, "cap": round(size, 2), "side": side},
        "grounds": grounds,
    }


def _line_under(table: Table, words: str) -> tuple[Spot, float] | None:
    """A place for one line right below the headline, at its left edge, as large as the room there lets it be; None: no room."""
    if not table.ground.blocks:
        return None
    w, h = table.page
    first = table.ground.blocks[0]
    for share in (0.05, 0.042, 0.034, 0.028, 0.023):
        size = share * min(w, h) ** 0.75 * max(w, h) ** 0.25
        wide, tall = table.cells(em(words) * size + 0.24 * size, 1.12 * size)
        for gap in range(max(2, first.line // 4), 1, -1):
            box = Box(first.x0, first.y1 + gap, first.x0 + wide, first.y1 + gap + tall)
            if box.x1 > 0.94 * table.ground.sight.w or box.y1 > table.ground.foot:
                continue
            if bare(table.ground.sight, first.mask, box.x0 - 1, box.y0 - 1, box.x1 + 1, box.y1 + 1):
                return Spot(box, True, first.ground), size
    return None


def inked(on: dict[str, str], tint: str) -> dict[str, str]:
    """A ground whose words have a colour that was asked for, if it can be read there."""
    return {**on, "fg": tint, "dim": tint} if tint and contrast(tint, on["bg"]) >= 20 else on


def _cover(
    table: Table, asked: Change, quoted: tuple[Quoted, ...], five: Palette, tint: str, grounds: dict[str, Any]
) -> dict[str, Any] | None:
    found = [block for block in table.ground.blocks if block.line * table.ky >= 0.02 * min(table.page)]
    cover = None
    face = "sans"
    for head in sorted(found, key=lambda block: -block.line * (2 if _below(block, table.ground.blocks) else 1))[:3]:
        second = _below(head, table.ground.blocks)
        if asked.replaces == "second":
            cover = table.ground.cover(second, None) if second else None
        else:
            cover = table.ground.cover(head, second if len(quoted) > 1 else None)
        if cover is not None:
            face = "serif" if serif(table.ground.sight, second if second and asked.replaces == "second" else head) else "sans"
            break
    if cover is None:
        return None
    old = ground(cover.ground, five)
    ink = cover.ink if contrast(cover.ink, cover.ground) >= 18 else old["fg"]
    grounds["cover"] = inked({**old, "fg": ink}, tint)
    table.ground.taken.append(cover.over)
    table.ground.taken.append(cover.field)
    field = table.pixels(cover.field)
    return {
        "over": table.pixels(cover.over),
        "field": field,
        "side": cover.side,
        "face": face,
        "middle": round(table.at.y + cover.middle * table.ky, 2),
        "anchor": "middle",
        "role": "",
        "cap": round(cover.size * table.ky / 0.74 * 1.06, 2),
    }


def _below(head: Block, all_blocks: tuple[Block, ...]) -> Block | None:
    """The next words below the headline, on the same ground."""
    under = [
        one
        for one in all_blocks
        if one.mask == head.mask
        and one.y0 >= head.y1 - 1
        and one.y0 - head.y1 < 3 * head.line
        and min(one.x1, head.x1) > max(one.x0, head.x0)
    ]
    return min(under, key=lambda one: one.y0, default=None)


def _sizes(head: str, extra: int, page: tuple[int, int], scale: str) -> list[tuple[float, float, float]]:
    """Sizes of a plate (w, h) and its letters, in pixels, the best first."""
    w, h = page
    wide_em, longest = em(head), max((em(word) for word in head.split()), default=1.0)
    shares = {"small": (0.05, 0.042, 0.034, 0.028), "big": (0.16, 0.12, 0.09)}.get(scale, (0.1, 0.078, 0.058, 0.042))
    found: list[tuple[float, float, float]] = []
    most = 1 if scale == "small" and wide_em < 24 else 8
    for share in shares:
        size = share * min(w, h) ** 0.75 * max(w, h) ** 0.25
        pad = size * (0.35 if scale == "small" else 0.75)
        for n in range(1, most + 1):
            wide = max(wide_em / n * (1.0 if n == 1 else 1.12), longest) * size + 2 * pad
            tall = (0.8 + 1.04 * (n - 1)) * size + extra * size * 0.8 + 2 * pad
            if wide <= (0.66 if n < 3 and " " in head else 0.9) * w and tall < 0.5 * h:
                found.append((wide, tall, size))
                if n > 1 or wide_em > 12:
                    break
    return found or [(0.9 * w, 0.24 * h, 0.05 * min(w, h))]


def tag(table: Table, note: str, place: Wish, tint: str, five: Palette, jitter: int) -> dict[str, Any]:
    """Where the tag with an edit's note goes, and its ground."""
    w, h = table.page
    size = min(w, h) * 0.03
    wide = em(note) * size * 1.04 + size * 3.6
    tall = size * 2.0
    if wide > 0.62 * w:
        wide, tall = max(wide / 2 + size * 3.4, 0.3 * w), size * 3.2
    spot = table.ground.find(
        [table.cells(min(wide, 0.9 * w), tall)], place, jitter=jitter, margin=table.cells(w * 0.04, w * 0.04)[0]
    )
    grounds = {"tint": ground(tint, five)} if tint else {}
    name = "tint" if tint else max(("ink", "paper"), key=lambda one: (contrast(getattr(five, one), spot.tone), one))
    return {
        "spot": {**table.put(spot), "look": "tag", "ground": name, "cap": round(size, 2), "side": "start"},
        "grounds": grounds,
    }


def stickers(table: Table, count: int, place: Wish, jitter: int) -> list[dict[str, float]]:
    """Places for things that are to be added."""
    found = []
    for n in range(count):
        side = min(table.page) * (0.24 - 0.03 * n)
        spot = table.ground.find([table.cells(side, side)], place if n == 0 else (None, None), jitter=jitter + n, margin=4)
        found.append(table.put(spot))
    return found


def logo(table: Table | None, seen: Seen, place: Wish, page: tuple[int, int], strip: float) -> dict[str, Any]:
    """Where a logo goes: into its corner, on a chip where the ground isn't bare or doesn't set it off."""
    w, h = page[0], page[1] - strip
    ratio = seen.w / seen.h
    sizes = []
    for share in (0.3, 0.25, 0.2, 0.16):
        wide = min(w * share, h * share * 0.62 * ratio)
        sizes.append((wide, wide / ratio))
    x = 1.0 if place[0] is None else place[0]
    y = 1.0 if place[1] is None else place[1]
    m = min(w, h) * 0.05
    dark = any(light(colour) > 600 for colour in seen.colours[:1])  # a bright logo wants a dark chip
    if table is None:
        wide, tall = sizes[1]
        return {
            "x": m + x * (w - wide - 2 * m),
            "y": m + y * (h - tall - 2 * m),
            "w": wide,
            "h": tall,
            "chip": True,
            "dark": dark,
        }
    pad = m * 0.3
    cells = [table.cells(wide + 2 * pad, tall + 2 * pad) for wide, tall in sizes]
    spot = table.ground.find(cells, (x, y), margin=table.cells(m - pad, m - pad)[0])
    box = table.put(spot)
    k = min((box["w"] - 2 * pad) / seen.w, (box["h"] - 2 * pad) / seen.h)
    wide, tall = seen.w * k, seen.h * k
    chip = not spot.bare or any(abs(light(colour) - light(spot.tone)) < 120 for colour in seen.colours[:1])
    return {
        "x": round(box["x"] + pad + x * (box["w"] - 2 * pad - wide), 2),
        "y": round(box["y"] + pad + y * (box["h"] - 2 * pad - tall), 2),
        "w": round(wide, 2),
        "h": round(tall, 2),
        "chip": chip,
        "dark": dark,
    }


def seal(base: Seen) -> dict[str, float]:
    """The middle of a seal on a print, as shares of its width and height: in the corner where it hides least."""
    sight = base.sight or unseen(base.w, base.h)
    ground = Ground(sight, (), sight.h)
    side = 0.36 * sight.w
    high = min(side, 0.5 * sight.h)
    corners = [(x, y) for y in (0, 1) for x in (1, 0)]

    def hidden(corner: tuple[int, int]) -> int:
        x, y = corner[0] * (sight.w - side), corner[1] * (0.96 * sight.h - high)
        return ground.edges(int(x), int(y), int(x + side), int(y + high))

    x, y = min(corners, key=lambda corner: (hidden(corner), corners.index(corner)))
    return {"x": (0.206, 0.794)[x], "y": float(y)}


def prints(table: Table | None, count: int, page: tuple[int, int], strip: float, place: Wish) -> dict[str, float]:
    """Where the row of references' prints begins: its left top, in pixels."""
    w, h = page[0], page[1] - strip
    side = min(w, h) * INSET
    m = min(w, h) * 0.035
    wide = min(count, 5) * side + (min(count, 5) - 1) * m * 0.5
    tall = side * 1.13
    if table is None:
        x, y = (1.0 if place[0] is None else place[0]), (1.0 if place[1] is None else place[1])
        return {"x": round(m + x * (w - wide - 2 * m), 2), "y": round(m + y * (h - tall - 2 * m), 2)}
    spot = table.ground.find([table.cells(wide + m, tall + m)], place if place != (None, None) else (1.0, None), margin=2)
    box = table.put(spot)
    return {"x": round(box["x"] + m * 0.5, 2), "y": round(box["y"] + m * 0.5, 2)}
