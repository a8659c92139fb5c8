"""From an action to the pages that the press draws: palette, arrangement, words with their settings. Knows no typst and no disk."""

# ruff: noqa: PLR2004 - a drawing is made of numbers, and a page of many things
from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..base import Request
from . import lines, nouns, retouch, spots, swap, wardrobe
from .change import change
from .emblem import emblem
from .lexicon import ICON_FILL
from .palette import Palette, apart, ground, light, palette
from .pictures import Seen
from .reading import Quoted, Reading, clean, read
from .record import Stand
from .references import Use
from .scripts import EXTRA, needs_extra, setting
from .seats import Seats, captions, seats
from .seed import Seed, seeds
from .sizes import as_large, size, strip, strip_share

Put = Callable[[str], dict[str, Any]]
SLUG = "DRAFT · no image model was called"
_SYMBOL = re.compile(r'^<symbol id="([^"]+)">(.*)</symbol>$')
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
    """What goes to the press, and what the core should know: `notes` for Done, `cjk` when the second font wheel is needed. `kept`
    are the words of the base that stay.
    """

    pages: list[dict[str, Any]]
    notes: dict[str, Any]
    cjk: bool
    kept: tuple[Stand, ...] = ()


@functools.cache
def symbols() -> dict[str, str]:
    """The pictograms: name → SVG content of a 100 x 100 field."""
    text = (Path(__file__).parent / "drawing" / "glyphs.svg").read_text("utf-8")
    return {hit[1]: hit[2] for line in text.splitlines() if (hit := _SYMBOL.match(line))}


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
    reading = read(request.prompt, bare=request.op)
    shared, own = seeds(request, reading)
    known = reading.colours if len(reading.colours) > 1 or not base else ()
    if reading.kind == "character" and "#" not in (request.prompt or ""):
        known = ()  # the colours of clothes and hair, not the page's
    five = palette(known or (base.colours if base else ()) or board, shared.number(1 << 30, "palette"))
    if base and base.told and (not known or reading.frame not in _FRAMES):
        five = Palette(*base.told.five)  # a comp keeps its own, in their order
    missing: list[str] = []
    used = False

    def put(words: str) -> dict[str, Any]:
        nonlocal used
        one = setting(words, cjk=cjk, near=request.prompt or "")
        if one.missing or one.lost:
            missing.append(words)
        used = used or any("CJK" in font for font in one.fonts)
        return one._asdict()

    common, lost = _page(request, reading, put, five, shared, own, base, insets)
    kept = common.pop("kept")
    made = []
    told = captions(reading.order, request.members) or ("",) * len(request.members)
    for n, member in enumerate(request.members or ("",)):
        made.append(common if not member else _member(common, put, member, n, len(request.members), own, told[n]))
    notes: dict[str, Any] = {}
    if lost:
        notes["left_out"] = {"texts": list(lost[:8]), "more": max(0, len(lost) - 8), "hint": _way_out(common)}
    if missing:
        texts = list(dict.fromkeys(missing))[:8]
        more = any(needs_extra(words) for words in texts)
        hint = f"`pip install '{EXTRA}'` draws Chinese, Japanese and Korean" if more else "comp has no font with these letters"
        notes["missing_fonts"] = {"texts": texts, "hint": hint}
    return Pages(made, notes, used, kept)


def copy(request: Request, seen: Seen, wh: tuple[int, int], mark: str, *, transparent: bool = False) -> Pages:
    """One page that shows a picture as it is, `wh` pixels large: upscale and remove-background."""
    plain = request._replace(prompt=None, params={"aspect_ratio": "1:1", "background": "transparent" if transparent else "auto"})
    page = pages(plain, cjk=False, base=seen, board=seen.colours).pages[0]
    mark_set = setting(mark, cjk=False)._asdict() if mark else None
    return Pages(
        [{**page, "kind": "enlarged", "w": wh[0], "h": wh[1], "strip": round(strip(*wh), 2), "mark": mark_set}],
        {},
        False,
        seen.told.words if seen.told and not transparent else (),
    )


def _drawn(seen: Seen) -> dict[str, Any]:
    """A picture as the drawing wants it."""
    return {
        "path": f"/{seen.path.as_posix().lstrip('/')}",
        "w": seen.w,
        "h": seen.h,
        "format": seen.format,
        "strip": strip_share(seen.w, seen.h),
        "words": _middle(seen.told.words) if seen.told and seen.told.words else None,
    }


def _middle(words: tuple[Stand, ...]) -> dict[str, Any]:
    """Where a picture's words are, as shares of it, and the colour around them: they aren't to be cut off."""
    ends = [(x, y, x + w, y + h) for x, y, w, h in (one.box for one in words)]
    return {"ends": [f(end[k] for end in ends) for k, f in enumerate((min, min, max, max))], "ground": words[0].ground}


def _page(
    request: Request,
    reading: Reading,
    put: Put,
    five: Palette,
    shared: Seed,
    own: Seed,
    base: Seen | None,
    insets: tuple[tuple[Seen, str | None, Use], ...],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The page, and the words that have no room on it."""
    said = reading.words
    if base and reading.frame not in _FRAMES:
        reading = reading._replace(words=swap.news(base.told, reading.words))
    kind = reading.kind or ("panel" if not reading.words and request.op == "generate" else "poster")
    if base:
        kind = reading.frame if reading.frame in _FRAMES else "change"
    wh = as_large(size(request), base)
    bare = request.params.get("background") == "transparent"
    drawn_as = _DRAWN_AS.get(kind, kind)
    words = _seated(request, reading, drawn_as, wh, base is not None, bare)
    things = list(reading.things) or ["abstract-own"]
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
    tint = reading.tint or (base.colours[0] if base and base.colours else "")  # a print goes on in its own ground
    if tint and kind in ("box", "pouch", "label"):  # the thing itself has that colour, before a ground that sets it off
        body, grounds["body"] = "body", ground(tint, five)
        far = [name for name in ("paper", "b", "c", "a", "ink") if apart(getattr(five, name), tint) >= 150]
        first = first if first in far else (far or ["paper"])[0]
        second = second if base else "body"
    page: dict[str, Any] = {
        "kind": drawn_as,
        "w": wh[0],
        "h": wh[1],
        "strip": round(strip(*wh), 2),
        "slug": put(SLUG),
        "mark": None,
        "five": five,
        "kept": (),
        "grounds": grounds,
        "ground": first,
        "ground2": second,
        "body": [put(text) for text in words.body],
        "case": body,
        "face": ("sans", "sans", "serif")[shared.number(3, "face")],
        "arrange": arrange,
        "art": art,
        "rnd": own.floats(96),
        "head": put(words.head or reading.title),
        "high": swap.rises(words.head or reading.title),
        "low": swap.hangs(words.head or reading.title),
        "quoted": bool(words.head),
        "brand": put(words.brand) if words.brand else None,
        "subs": [put(text) for text in words.subs],
        "cta": put(words.cta) if words.cta else None,
        "price": put(words.price) if words.price else None,
        "rows": [put(text) for text in words.rows],
        "side": [put(text) for text in words.side],
        "rest": [put(text) for text in words.rest],
        "things": things,
        "hero": None,
        "seal": None,
        "fill": ICON_FILL if kind == "icons" else (),
        "symbols": {name: symbols().get(name) or emblem(own) for name in needed},
        "transparent": bare,
        "base": _drawn(base) if base else None,
        "asked": [name for name in reading.asked if base][:3],
        "note": None,
        "member": None,
    }
    table = None
    if base and kind == "change" and request.op == "edit":  # the other ops show it as it is
        table = retouch.Table(base, wh, page["strip"], strip_share(base.w, base.h))
        page |= _changed(request, reading, said, table, put, five, own, base)
        page["grounds"] = grounds | page["grounds"]
    if base and kind in ("box", "pouch", "label"):
        page["seal"] = retouch.seal(base)
        print_words = lines.blocks(base.sight) if base.sight else ()
        if base.sight and print_words:  # new words are set like those of the print
            page["face"] = "serif" if lines.serif(base.sight, print_words[0]) else "sans"
    if kind == "character":
        page |= _figure(request, five, own, page["symbols"])
    return page | _referred(insets, kind, table, put, wh, page), words.lost


def _way_out(page: dict[str, Any]) -> str:
    if page["transparent"]:
        return "a picture with a ground lists them at its foot: leave out `background: transparent`"
    if page["kind"] == "change":
        return "set them one after the other, each in a step of its own under `then:`"
    return "quote fewer texts in one prompt"


def _seated(request: Request, reading: Reading, kind: str, wh: tuple[int, int], based: bool, bare: bool) -> Seats:
    """Where the words go; in a set those that caption its members need no other place."""
    if captions(reading.order, request.members):
        reading = reading._replace(words=())
    named = {member.casefold() for member in request.members}
    if named:
        reading = reading._replace(words=tuple(quoted for quoted in reading.words if quoted.text.casefold() not in named))
    return seats(reading, kind, wh, based=based, bare=bare, set_of=len(request.members))


def _figure(request: Request, five: Palette, own: Seed, drawn: dict[str, str]) -> dict[str, Any]:
    """The figure of a character sheet, dressed."""
    figure = wardrobe.figure(request.prompt or "", five, own.number(1 << 30, "figure"))
    return {
        "figure": figure._asdict(),
        "symbols": drawn | {name: wardrobe.dressed(figure, name, drawn[name]) for name in _ALSO["character"]},
    }


def _changed(
    request: Request,
    reading: Reading,
    said: tuple[Quoted, ...],
    table: retouch.Table,
    put: Put,
    five: Palette,
    own: Seed,
    base: Seen,
) -> dict[str, Any]:
    """What an edit puts on its base, and where. `said` are all the words that it quotes, `reading` has the new ones."""
    asked = change(request.prompt, said)
    jitter = own.number(5, "spot")
    note = spots.note(request.prompt or request.op)
    stands = swap.moved(base.told, swap.Box(*table.at[:4]), table.page)
    gone = swap.old(stands, asked, tuple(quoted.text for quoted in said), len(reading.words)) if reading.words else ()
    kept = tuple(one for one in stands if one not in gone)
    on_it: dict[str, Any] = {"mount": table.at._asdict(), "cover": None, "note": None, "spot": None, "kept": kept, "grounds": {}}
    if gone:
        on_it["cover"] = swap.cover(gone, stands, table.page, len(reading.words))
        on_it["grounds"] = {"cover": retouch.inked({**ground(gone[0].ground, five), "fg": gone[0].ink}, reading.tint)}
        table.take(on_it["cover"]["field"])
    elif reading.words:
        on_it |= retouch.words(table, asked, reading.words, five, reading.tint, jitter)
    on_it["spots"] = retouch.stickers(table, len(reading.asked), asked.place, jitter)
    if not reading.words and not (said and (asked.adds or asked.replaces)):  # words that stand there already need no tag
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
        if kind == "book" and wh[0] > 1.2 * wh[1] and shown["corner"]["x"] > wh[0] / 2:  # on the page of the words
            shown["corner"]["x"] = round(shown["corner"]["x"] - wh[0] / 2, 2)
        shown["insets"] = [
            _drawn(seen) | {"name": put(clean(name)[:40]) if name and clean(name) else None} for seen, name, _ in small
        ]
    return shown


def _member(common: dict[str, Any], put: Put, member: str, n: int, of: int, own: Seed, caption: str) -> dict[str, Any]:
    """One page of a set: the common palette and line, the member's own name, number and thing."""
    told = clean(re.sub(r"[-_]+", " ", member))
    its = read(told).things or [hit.entry for hit in nouns.things(told.casefold(), (), "")]  # a name may be of any language
    shared = common["things"]
    things = [*its, *shared] if its or shared[0] == "abstract-own" else shared[n % len(shared) :] + shared
    things = list(dict.fromkeys(things))
    needed = {name: symbols().get(name) or emblem(Seed("member", own.number(1 << 30, "sign"), member)) for name in things}
    return {
        **common,
        "kind": "panel",
        "things": things,
        "symbols": {**common["symbols"], **needed},
        "rnd": Seed("member", own.number(1 << 30, "set"), member).floats(96),
        "ground": ("a", "b", "paper", "c", "ink")[n % 5],
        "member": {
            "n": n,
            "of": of,
            "name": put(told[:1].upper() + told[1:] if told.islower() else told),
            "caption": put(caption) if caption and caption.casefold() != member.casefold() else None,
        },
    }
