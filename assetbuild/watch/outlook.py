"""What a plan says to whoever watches: one card an asset, what may be bought, what is free, what is to be followed. Plain records that cross the pipe
between the child that plans and the process that watches. Pure; knows no planner and no screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Part(NamedTuple):
    """One purchase that an asset needs: the step's number from 0, its action key (None while it isn't known), its price in micro-USD (None: not known), the
    pictures it asks for. `later`: only if what it is made from changes. `sign` is what the spec says of the step, in short.
    """

    number: int
    key: str | None
    micro: int | None
    later: bool
    images: int = 1
    sign: str = ""


class Offer(NamedTuple):
    """An asset of which something is to be bought. `needs` are all other offers without which it can't be made, in
    building order; `why_not` says why it can't be bought now."""

    id: str
    parts: tuple[Part, ...]
    needs: tuple[str, ...] = ()
    reason: str = ""
    why_not: str = ""
    way_out: str = ""
    place: int = 0  # in building order

    @property
    def marks(self) -> frozenset[str]:
        """By which a purchase is known while it is pending and under way."""
        return frozenset(mark(self.id, part) for part in self.parts)


def mark(name: str, part: Part) -> str:
    """The action key of a purchase; while that isn't known, the step it is for."""
    return part.key or f"{name}:{part.number}"


class Free(NamedTuple):
    """An asset with free work to be done. `sign` changes when there is another reason to do it."""

    id: str
    sign: str


class Follow(NamedTuple):
    """What belongs to a spec, as paths seen from the project: files it is made of, the user's pictures, folders whose listing matters, its lockfile;
    and what is ours."""

    files: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    lock: str = ""
    outputs: tuple[str, ...] = ()


class Money(NamedTuple):
    """What a session's purchases come to, in micro-USD: billed, and set aside for what goes on. `left` is what the budget still has room for (None: no
    limit)."""

    spent: int = 0
    reserved: int = 0
    rehearsal: bool = False
    left: int | None = None


class Outlook(NamedTuple):
    """One plan. `cards` by id, in the spec's order (the live page's cards, without what only the watching process knows); `offers` in building order; `fetch`
    are ids whose purchase is under way at a vendor; `keys` are the action keys by id of what isn't up
    to date; `setup` says which key is missing; `draft` is the profile that drafts are drawn in."""

    project: str
    profile: str | None
    cards: Mapping[str, Mapping[str, Any]]
    offers: tuple[Offer, ...] = ()
    free: tuple[Free, ...] = ()
    fetch: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    setup: str = ""
    draft: str | None = None
    follow: Follow = Follow()
    money: Money = Money()
    lines: tuple[str, ...] = ()
    store: str = ""  # where the store is
    room: int | None = None  # micro-USD that the spec's budget has for one more run

    def offer(self, name: str) -> Offer | None:
        """The offer of an asset."""
        return next((one for one in self.offers if one.id == name), None)


class Bill(NamedTuple):
    """What some offers come to, each purchase once: micro-USD for certain, and at most; how many purchases are certain and how many may follow; how many of
    them have no known price."""

    certain: int = 0
    most: int = 0
    sure: int = 0
    later: int = 0
    unknown: int = 0


def bill(offers: Iterable[Offer], without: frozenset[str] = frozenset()) -> Bill:
    """What these come to, but for what is known by these marks."""
    seen = set(without)
    certain = most = sure = later = unknown = 0
    for one in offers:
        for part in one.parts:
            name = mark(one.id, part)
            if name in seen:
                continue
            seen.add(name)
            sure, later = sure + (not part.later), later + part.later
            unknown += part.micro is None
            most += part.micro or 0
            certain += 0 if part.later else part.micro or 0
    return Bill(certain, most, sure, later, unknown)


def with_needs(offers: Iterable[Offer] | Mapping[str, Offer], names: Iterable[str]) -> list[Offer]:
    """These offers and those that they need, in building order."""
    every = offers if isinstance(offers, Mapping) else {one.id: one for one in offers}
    found: dict[str, Offer] = {}
    for name in names:
        if name in every:
            found |= {need: every[need] for need in every[name].needs if need in every}
            found[name] = every[name]
    return list(found.values())


def to_json(one: Outlook) -> dict[str, Any]:
    """As it goes through the pipe."""
    return one._asdict() | {"keys": dict(one.keys), "cards": list(one.cards.values())}


def from_json(raw: Mapping[str, Any]) -> Outlook:
    """What `to_json` gave, after the pipe."""
    offers = tuple(Offer(o[0], tuple(Part(*p) for p in o[1]), tuple(o[2]), *o[3:]) for o in raw["offers"])
    files, pictures, globs, lock, outputs = raw["follow"]
    follow = Follow(tuple(files), tuple(pictures), tuple(globs), lock, tuple(outputs))
    return Outlook(
        **dict(raw)
        | {
            "cards": {card["id"]: card for card in raw["cards"]},
            "offers": offers,
            "free": tuple(Free(*each) for each in raw["free"]),
            "fetch": tuple(raw["fetch"]),
            "keys": {name: tuple(keys) for name, keys in raw["keys"].items()},
            "follow": follow,
            "money": Money(*raw["money"]),
            "lines": tuple(raw["lines"]),
        }
    )
