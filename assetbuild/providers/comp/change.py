"""What an edit's prompt asks to do with the picture: put words in the place of old ones, or somewhere; how large, in which
colour. Knows prompts only: no picture, no drawing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .reading import FAR, HINT, QUOTES, Quoted
from .spots import Wish, wish

_VERB = (
    r"\b(?:set|replace|change|swap|turn|translate|rewrite|update|exchange|correct|setze?|ersetze?|ändere?|tausche?|byt|ändra)\b"
)
_OLD = r"\b(?:headline|heading|title|name|words?|wording|text|lettering|titel|rubrik|überschrift|schriftzug|namen?)\b"
_SECOND = r"\b(?:subtitle|sub-?head(?:line|ing)?|tagline|slogan|claim|caption|strapline|second line|small line|untertitel)\b"
_REPLACES = re.compile(rf"{_VERB}[^.\n]{{0,50}}{_OLD}", re.IGNORECASE)
_REPLACES_SECOND = re.compile(rf"{_VERB}[^.\n]{{0,50}}{_SECOND}", re.IGNORECASE)
_SMALL = re.compile(r"\b(?:small|smaller|tiny|little|discreet(?:ly)?|fine print|klein|liten|litet)\b", re.IGNORECASE)
_BIG = re.compile(r"\b(?:big|bigger|large|larger|huge|giant|enormous|groß|stor|stort)\b", re.IGNORECASE)
_UNDER = re.compile(rf"\b(?:below|under|beneath|unter|under)\s+(?:the|der|dem|die)?\s*{_OLD}", re.IGNORECASE)
_ADDS = re.compile(r"\b(?:add|insert|put|place|write|schreibe?|füge?|skriv)\b", re.IGNORECASE)
_MARK = "\x00"


class Change(NamedTuple):
    """`replaces` is head (the largest words), second (the line below), or "" where words are only added. `scale` is small, big
    or "".
    """

    replaces: str
    scale: str
    place: Wish
    under: bool  # below the headline
    changes: bool  # words that stand there: a verb says so, whatever it calls them
    adds: bool


def change(prompt: str | None, words: tuple[Quoted, ...]) -> Change:
    """Reads an edit's prompt: only the sentences that quote words, where there are any."""
    text = QUOTES.sub(_MARK, HINT.sub("", (prompt or "")[:FAR]))
    sentences = re.split(r"(?<=[.;!?])\s+|\n\s*\n", text)
    told = " ".join(" ".join(sentence.split()) for sentence in sentences if _MARK in sentence) if words else ""
    told = told or " ".join(sentences[0].split())
    place = wish(told)
    adds = _ADDS.search(told) is not None
    replaces = ""
    if words and not adds:
        second, head = _REPLACES_SECOND.search(told), _REPLACES.search(told)
        both = head is not None and len(words) > 1 and (second is None or head.end() <= second.end())
        replaces = "head" if both else "second" if second else "head" if head else ""
    under = _UNDER.search(told) is not None
    scale = "big" if _BIG.search(told) else "small" if under or _SMALL.search(told) else ""
    changes = not adds and re.search(_VERB, told, re.IGNORECASE) is not None
    return Change(replaces, scale, (None, None) if under else place, under, changes, adds)
