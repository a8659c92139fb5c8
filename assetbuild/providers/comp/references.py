"""What a reference picture is for, by its hint, its name and what the prompt says of "image N": the hero picture, something on
the wall, a logo in a corner, or just to look at. Knows no picture and no drawing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..base import Picture, Request
from .reading import FAR, HINT, QUOTES
from .spots import Wish, wish

_LOGO = re.compile(r"\b(?:logo|logotype|wordmark|brand mark|emblem|seal|stamp|badge)\b", re.IGNORECASE)
_WALL = re.compile(r"\b(?:on (?:the|a) wall|hang(?:s|ing)?|framed|an der wand|på väggen)\b", re.IGNORECASE)
_HERO = re.compile(
    r"\b(?:hero|backdrop|background|at the top|full[- ]bleed|picture|photo|photograph|main image|cover image|header|bild)\b",
    re.IGNORECASE,
)
_HERO_IN_PROMPT = re.compile(
    r"\b(?:hero|backdrop|background)\b"
    r"|\bimage \d+ (?:is|as|fills)\b[^.]{0,24}\b(?:picture|photo|photograph|image|cover|header)\b",
    re.IGNORECASE,
)
_BACK = re.compile(r"\b(?:backdrop|background|full[- ]bleed|hintergrund|bakgrund)\b", re.IGNORECASE)
_LOOK = re.compile(r"\b(?:colou?rs?|palette|line weight|style|mood|light|look|like|farben|stil)\b", re.IGNORECASE)


class Use(NamedTuple):
    """`role` is hero, wall, back (fills everything), logo or print."""

    role: str
    place: Wish


def use(request: Request, picture: Picture) -> Use:
    """What a reference of a request is for."""
    number = request.inputs.index(picture) + 1
    text = QUOTES.sub(" ", HINT.sub("", (request.prompt or "")[:FAR]))
    about = " ".join(re.findall(rf"[^.\n;]*\bimage {number}\b[^.\n;]*", text)[:3])
    hint = picture.hint or ""
    place = wish(hint) if wish(hint) != (None, None) else wish(about)
    if _LOGO.search(hint) or (not hint and (_LOGO.search(about) or _LOGO.search(picture.name or ""))):
        return Use("logo", place)
    if _WALL.search(hint) or _WALL.search(about):
        return Use("wall", place)
    if _LOOK.search(hint):
        return Use("print", place)
    if _HERO.search(hint) or _HERO_IN_PROMPT.search(about):
        return Use("back" if _BACK.search(hint) or _BACK.search(about) else "hero", place)
    return Use("print", place)
