"""Which of a prompt's words a kind of picture sets, and where; the others stand in a list at its foot, and what has no room even
there is told. Knows readings and kinds; no layout, no typst.
"""

# ruff: noqa: PLR2004 - how much room there is are numbers
from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from .reading import Reading

SHORT = 30  # characters of words that may be a row of a list, the title of a card
FOOT_LINES = 4


class Room(NamedTuple):
    """How many texts of each role a kind sets; `rows` are short texts in a list or on cards."""

    subs: int = 0
    body: int = 0
    brand: int = 0
    cta: int = 0
    price: int = 0
    rows: int = 0
    side: int = 0


_COLUMN = Room(subs=4, body=2, brand=1, price=1)
_ROOMS = {
    "poster": _COLUMN._replace(cta=1),
    "box": _COLUMN._replace(subs=3, side=2),
    "pouch": _COLUMN._replace(subs=3),
    "label": _COLUMN._replace(subs=3),
    "product": _COLUMN._replace(subs=3),
    "book": _COLUMN,
    "phone": Room(subs=2, body=1, brand=1, cta=1, rows=6),
    "browser": Room(subs=2, body=1, brand=1, cta=1, price=1, rows=3),
    "logo": Room(subs=1),
    "character": Room(subs=2),
    "change": Room(subs=6, body=2, brand=1, cta=1, price=1),
}
_PRINTED = {"box": Room(side=3), "pouch": Room(subs=2), "label": Room()}  # what stands on a pack beside the print of its base


class Seats(NamedTuple):
    """The words by their places. `rest` goes into the list at the foot, `lost` nowhere."""

    head: str
    brand: str
    subs: tuple[str, ...]
    body: tuple[str, ...]
    cta: str
    price: str
    rows: tuple[str, ...]
    side: tuple[str, ...]
    rest: tuple[str, ...]
    lost: tuple[str, ...]


def seats(reading: Reading, kind: str, wh: tuple[int, int], *, based: bool = False, bare: bool = False, set_of: int = 0) -> Seats:
    """Where each of the quoted texts goes. `based`: a pack that has a base as its print. `bare`: the picture has no ground, so
    no list at its foot. `set_of`: how many members, none of which has a headline.
    """
    room = Room() if set_of else _PRINTED[kind] if based and kind in _PRINTED else _ROOMS.get(kind, Room())
    if kind == "logo" and wh[0] > 1.7 * wh[1]:
        room = Room()  # only the name beside its sign
    roles: dict[str, list[str]] = {}
    aside = [quoted for quoted in reading.words if quoted.text in reading.side and room.side]
    for quoted in reading.words:
        if quoted not in aside:
            roles.setdefault("body" if quoted.role == "sub" and len(quoted.text) > 70 and room.body else quoted.role, []).append(
                quoted.text
            )
    head = "" if set_of or (bare and kind in ("icon", "icons")) else roles.pop("head", [""])[0]
    subs = roles.get("sub", [])
    rows: list[str] = []
    listed = roles.pop("row", [])
    if room.rows and listed:
        rows = listed[: room.rows]
        roles["sub"] = subs = subs + listed[room.rows :]
    elif listed:
        roles["sub"] = subs = [quoted.text for quoted in reading.words if quoted.text in subs or quoted.text in listed]
    elif room.rows:
        short = [text for text in subs if len(text) <= SHORT]
        if kind == "phone":
            short += roles.pop("price", [])
        if len(short) >= min(3, room.rows):
            rows = short[-room.rows :] if kind == "browser" else short[: room.rows]
            roles["sub"] = subs = [text for text in subs if text not in rows]
    placed = {
        "sub": subs[: room.subs],
        "body": roles.get("body", [])[: room.body],
        "brand": roles.get("brand", [])[: room.brand],
        "cta": roles.get("cta", [])[: room.cta],
        "price": roles.get("price", [])[: room.price],
    }
    side = [quoted.text for quoted in aside][: room.side]
    kept = {head, *rows, *side, *(text for texts in placed.values() for text in texts)}
    over = [quoted.text for quoted in reading.words if quoted.text not in kept]
    foot = [] if bare or kind == "change" else over[: _fitting(over, wh)]
    return Seats(
        head,
        "".join(placed["brand"]),
        tuple(placed["sub"]),
        tuple(placed["body"]),
        "".join(placed["cta"]),
        "".join(placed["price"]),
        tuple(rows),
        tuple(side),
        tuple(foot),
        tuple(over[len(foot) :]),
    )


def captions(order: Sequence[str], members: Sequence[str]) -> tuple[str, ...]:
    """The words for the members of a set, one each, where the prompt quotes as many as there are members."""
    return tuple(order) if len(order) == len(members) else ()


def em(text: str) -> float:
    """About how wide a text is set, in em."""
    return sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.57 for char in text)


def _fitting(texts: list[str], wh: tuple[int, int]) -> int:
    """How many of some texts the list at the foot has room for."""
    w, h = wh
    size = min(0.0135 * max(w, h), w / 20)
    room = FOOT_LINES * 0.9 * (w - 0.06 * w) / size
    for n, text in enumerate(texts):
        room -= em(text) + 1.6
        if room < 0:
            return n
    return len(texts)
