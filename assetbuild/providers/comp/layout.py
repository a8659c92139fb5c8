"""From an action to the pages that the press draws: sizes, palette, arrangement, words with their settings. Knows no typst
and no disk.

What looks alike must come from what is alike: the arrangement is seeded by the prompt without its quoted words and numbers,
so that the rows of a matrix share one layout; the colours' places and the small shapes are seeded by the whole prompt.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers, and a page of many things
from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..base import Request
from . import retouch, spots, wardrobe
from .change import change
from .lexicon import ICON_FILL
from .palette import Palette, apart, ground, light, palette
from .pictures import Seen
from .reading import Quoted, Reading, clean, read
from .references import Use
from .scripts import EXTRA, needs_extra, setting

Put = Callable[[str], dict[str, Any]]
SLUG = "DRAFT · no image model was called"
LONG_SIDE = {"low": 512, "medium": 1024, "high": 1536}
_COMP_SIDES = frozenset(side * scale for side in LONG_SIDE.values() for scale in (1, 2, 3, 4))
_SYMBOL = re.compile(r'^<symbol id="([^"]+)">(.*)</symbol>$')
_ARTS, _ARRANGEMENTS = 9, 6
_FRAMES = ("box", "pouch", "label", "phone", "browser")
_HEROES = ("phone", "browser", "book", "poster", "banner", "card", "")
_DRAWN_AS = {"": "poster", "banner": "poster", "card": "poster"}
_ALSO = {
    "icons": ICON_FILL,
    "phone": ("house", "search", "heart", "person"),
    "browser": ("lock",),
    "character": ("kid-front", "kid-side", "kid-back", "head0", "head1", "head2", "head3"),
}
# arrangement, art: pairs that were looked at and are good in an upright format
_GOOD = (
    (0, 0), (0, 4), (0, 6), (0, 3), (0, 7), (0, 2), (0, 1),
    (1, 0), (1, 1), (1, 4), (1, 5), (1, 7), (1, 8), (1, 2),
    (2, 1), (2, 2), (2, 4), (2, 7), (2, 8),
    (3, 0), (3, 5), (3, 8), (3, 4),
    (4, 0), (4, 3), (5, 1), (5, 4),
)  # fmt: skip


class Pages(NamedTuple):
    """What goes to the press, and what the core should know: `notes` for Done, `cjk` when the second font wheel is needed."""

    pages: list[dict[str, Any]]
    notes: dict[str, Any]
    cjk: bool


class Seed:
    """Numbers that follow from a text, the same on every machine: sha256 in counter mode."""

    def __init__(self, *parts: object) -> None:
        self._bytes = hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).digest()

    def number(self, below: int, use: str = "") -> int:
        """0 ≤ number < below."""
        return int.from_bytes(hashlib.sha256(self._bytes + use.encode()).digest()[:6], "big") % below

    def floats(self, count: int) -> list[float]:
        """`count` numbers from 0 to 0.996."""
        blocks = b"".join(hashlib.sha256(self._bytes + bytes([n])).digest() for n in range((count + 31) // 32))
        return [byte / 256 for byte in blocks[:count]]


@functools.cache
def symbols() -> dict[str, str]:
    """The pictograms: name → SVG content of a 100 x 100 field."""
    text = (Path(__file__).parent / "drawing" / "glyphs.svg").read_text("utf-8")
    return {hit[1]: hit[2] for line in text.splitlines() if (hit := _SYMBOL.match(line))}


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


def _strip(w: int, h: int) -> float:
    """Height of the slug line: a share of the format alone, so that an edit's strip lies exactly over its base's."""
    return 0.027 * max(w, h)


def seeds(request: Request, reading: Reading) -> tuple[Seed, Seed]:
    """One for what rows of a matrix share, one for this picture."""
    shared = (request.op, request.params.get("seed"), request.variant, request.take)
    return Seed("layout", *shared, reading.kind, reading.pattern), Seed(
        "picture", *shared, request.prompt, request.params.get("aspect_ratio")
    )


def pages(
    request: Request,
    *,
    cjk: bool,
    base: Seen | None = None,
    insets: tuple[tuple[Seen, str | None, Use], ...] = (),
    board: tuple[str, ...] = (),
) -> Pages:
    """The pages of an action. `base` and `insets` are its inputs as pictures.py saw them (paths as typst sees them); `board`
    are the colours of a style's board, used when the prompt names none. `cjk`: the second font wheel is installed.
    """
    if request.op == "generate" or base is None:
        base = None
    reading = read(request.prompt, bare=request.op)
    shared, own = seeds(request, reading)
    known = reading.colours if len(reading.colours) > 1 or not base else ()
    if reading.kind == "character" and "#" not in (request.prompt or ""):
        known = ()  # the colours of clothes and hair, not the page's
    five = palette(known or (base.colours if base else ()) or board, shared.number(1 << 30, "palette"))
    missing: list[str] = []
    used = False

    def put(words: str) -> dict[str, Any]:
        nonlocal used
        one = setting(words, cjk=cjk, near=request.prompt or "")
        if one.missing or one.lost:
            missing.append(words)
        used = used or any("CJK" in font for font in one.fonts)
        return one._asdict()

    common = _page(request, reading, put, five, shared, own, base, insets)
    made = []
    for n, member in enumerate(request.members or ("",)):
        made.append(common if not member else _member(common, put, member, n, len(request.members), own))
    notes: dict[str, Any] = {}
    if missing:
        texts = list(dict.fromkeys(missing))[:8]
        more = any(needs_extra(words) for words in texts)
        hint = f"`pip install '{EXTRA}'` draws Chinese, Japanese and Korean" if more else "comp has no font with these letters"
        notes["missing_fonts"] = {"texts": texts, "hint": hint}
    return Pages(made, notes, used)


def copy(request: Request, seen: Seen, wh: tuple[int, int], mark: str, *, transparent: bool = False) -> Pages:
    """One page that shows a picture as it is, `wh` pixels large: upscale and remove-background."""
    plain = request._replace(prompt=None, params={"aspect_ratio": "1:1", "background": "transparent" if transparent else "auto"})
    page = pages(plain, cjk=False, base=seen, board=seen.colours).pages[0]
    mark_set = setting(mark, cjk=False)._asdict() if mark else None
    return Pages(
        [{**page, "kind": "enlarged", "w": wh[0], "h": wh[1], "strip": round(_strip(*wh), 2), "mark": mark_set}],
        {},
        False,
    )


def strip_share(w: int, h: int) -> float:
    """The share of a picture's height that its slug line takes; 0 where the size is none that a comp has."""
    return round(_strip(w, h) / h, 5) if max(w, h) in _COMP_SIDES else 0.0


def _drawn(seen: Seen) -> dict[str, Any]:
    """A picture as the drawing wants it."""
    return {
        "path": f"/{seen.path.as_posix().lstrip('/')}",
        "w": seen.w,
        "h": seen.h,
        "format": seen.format,
        "strip": strip_share(seen.w, seen.h),
    }


def _page(
    request: Request,
    reading: Reading,
    put: Put,
    five: Palette,
    shared: Seed,
    own: Seed,
    base: Seen | None,
    insets: tuple[tuple[Seen, str | None, Use], ...],
) -> dict[str, Any]:
    wh = size(request)
    kind = reading.kind or ("panel" if not reading.words and request.op == "generate" else "poster")
    if base:
        kind = reading.frame if reading.frame in _FRAMES else "change"
    roles: dict[str, list[Quoted]] = {}
    for quoted in reading.words:
        roles.setdefault(quoted.role, []).append(quoted)
    head = roles["head"][0].text if "head" in roles else reading.title
    things = list(reading.things) or [f"abstract{own.number(6, 'thing')}"]
    if len(things) < 3:
        things += [f"abstract{(own.number(6, 'more') + n) % 6}" for n in range(3 - len(things))]
    needed = list(dict.fromkeys([*things, *_ALSO.get(kind, ())]))
    names = ("paper", "ink", "a", "b", "c")
    arrange, art = _GOOD[shared.number(len(_GOOD), "arrange")]
    first = ("paper", "paper", "a", "ink", "b", "c")[own.number(6, "ground")]
    second = [name for name in ("a", "b", "c", "ink", "paper") if name != first][own.number(4, "ground2")]
    if kind == "character":  # dark hair and trousers stand before it
        second = max(("a", "b", "c"), key=lambda name: (light(getattr(five, name)), name))
    grounds = {name: ground(getattr(five, name), five) for name in names}
    body = None
    if reading.tint and kind in ("box", "pouch", "label"):  # the thing itself has that colour, before a ground that sets it off
        body, grounds["body"] = "body", ground(reading.tint, five)
        far = [name for name in ("paper", "b", "c", "a", "ink") if apart(getattr(five, name), reading.tint) >= 150]
        first = first if first in far else (far or ["paper"])[0]
        second = second if base else "body"
    page: dict[str, Any] = {
        "kind": _DRAWN_AS.get(kind, kind),
        "w": wh[0],
        "h": wh[1],
        "strip": round(_strip(*wh), 2),
        "slug": put(SLUG),
        "mark": None,
        "grounds": grounds,
        "ground": first,
        "ground2": second,
        "body": [put(q.text) for q in roles.get("body", [])[:2]],
        "case": body,
        "face": ("sans", "sans", "serif")[shared.number(3, "face")],
        "arrange": arrange,
        "art": art,
        "rnd": own.floats(96),
        "head": put(head),
        "quoted": bool(reading.words),
        "brand": put(roles["brand"][0].text) if "brand" in roles else None,
        "subs": [put(q.text) for q in roles.get("sub", [])[:4]],
        "cta": put(roles["cta"][0].text) if "cta" in roles else None,
        "price": put(roles["price"][0].text) if "price" in roles else None,
        "things": things,
        "hero": None,
        "fill": ICON_FILL if kind == "icons" else (),
        "symbols": {name: symbols()[name] for name in needed},
        "transparent": request.params.get("background") == "transparent",
        "base": _drawn(base) if base else None,
        "asked": [name for name in reading.asked if base][:3],
        "note": None,
        "member": None,
    }
    table = None
    if kind == "change" and base:
        table = retouch.Table(base, wh, page["strip"], strip_share(base.w, base.h))
        page |= _changed(request, reading, table, put, five, own)
        page["grounds"] = grounds | page["grounds"]
    if kind == "character":
        page |= _figure(request, five, own, page["symbols"])
    return page | _referred(insets, kind, table, put, wh, page)


def _figure(request: Request, five: Palette, own: Seed, drawn: dict[str, str]) -> dict[str, Any]:
    """The figure of a character sheet, dressed."""
    figure = wardrobe.figure(request.prompt or "", five, own.number(1 << 30, "figure"))
    return {
        "figure": figure._asdict(),
        "symbols": drawn | {name: wardrobe.dressed(figure, name, drawn[name]) for name in _ALSO["character"]},
    }


def _changed(request: Request, reading: Reading, table: retouch.Table, put: Put, five: Palette, own: Seed) -> dict[str, Any]:
    """What an edit puts on its base, and where."""
    asked = change(request.prompt, reading.words)
    jitter = own.number(5, "spot")
    note = spots.note(request.prompt or request.op)
    on_it: dict[str, Any] = {"mount": table.at._asdict(), "cover": None, "note": None}
    if reading.words:
        on_it |= retouch.words(table, asked, reading.words, five, reading.tint, jitter)
    on_it["spots"] = retouch.stickers(table, len(reading.asked), asked.place, jitter)
    if not reading.words:
        place = (None, None) if reading.asked else asked.place
        on_it |= retouch.tag(table, note, place, reading.tint, five, jitter) | {"note": put(note)}
    return on_it


def _referred(
    insets: tuple[tuple[Seen, str | None, Use], ...],
    kind: str,
    table: retouch.Table | None,
    put: Put,
    wh: tuple[int, int],
    page: dict[str, Any],
) -> dict[str, Any]:
    """The references: one as the hero picture, logos in their corners, the others as small prints."""
    shown: dict[str, Any] = {"hero": None, "logos": [], "insets": [], "corner": None}
    small = []
    for seen, name, use in insets:
        if use.role == "logo" and len(shown["logos"]) < 3:
            shown["logos"].append(_drawn(seen) | retouch.logo(table, seen, use.place, wh, page["strip"]))
        elif use.role in ("hero", "wall", "back") and kind in _HEROES and page["base"] is None and shown["hero"] is None:
            shown["hero"] = _drawn(seen) | {"role": use.role}
            if use.role == "wall":
                shown["symbols"] = page["symbols"] | {"plant": symbols()["plant"]}
            if page["kind"] == "poster":
                shown["arrange"] = 3 if use.role == "back" else (0, 1, 2)[page["arrange"] % 3]
        else:
            small.append((seen, name, use))
    if small:
        shown["corner"] = retouch.prints(table, len(small), wh, page["strip"], small[0][2].place)
        shown["insets"] = [
            _drawn(seen) | {"name": put(clean(name)[:40]) if name and clean(name) else None} for seen, name, _ in small
        ]
    return shown


def _member(common: dict[str, Any], put: Put, member: str, n: int, of: int, own: Seed) -> dict[str, Any]:
    """One page of a set: the common palette and line, the member's own name, number and thing."""
    told = clean(re.sub(r"[-_]+", " ", member))
    its = read(told).things
    things = [*its, *common["things"]] if its else common["things"][n % len(common["things"]) :] + common["things"]
    needed = {name: symbols()[name] for name in dict.fromkeys(things)}
    return {
        **common,
        "kind": "panel",
        "things": things,
        "symbols": {**common["symbols"], **needed},
        "rnd": Seed("member", own.number(1 << 30, "set"), member).floats(96),
        "ground": ("a", "b", "paper", "c", "ink")[n % 5],
        "member": {"n": n, "of": of, "name": put(told[:1].upper() + told[1:] if told.islower() else told)},
    }
