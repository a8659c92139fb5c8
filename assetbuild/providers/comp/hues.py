"""The colours that a prompt names: where each stands and what it is. Knows prompts and the table of names; no layout.

A run of words is one colour: "navy blue", "dark sage green", "rose gold". A word that is a thing as well (mint, salmon, gold) is
a colour only where the prompt uses it as one: "in mint", "mint and navy", "mint tones"; not in "mint tea".
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

from .lexicon import BOTH, COLOURS, HUES, NO_COLOUR, SELDOM, SHADES
from .palette import mix

_HEX = re.compile(r"#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-z])")
_WORD = re.compile(r"[^\W_]+")
_NAMES = {name.casefold().replace("-", " "): value for name, value in COLOURS.items()}
_NAMES |= {f"{hue}s": _NAMES[hue] for hue in HUES if hue != "orange"}  # "the reds"; oranges are fruit
_MOST = 1 + max(name.count(" ") for name in [*_NAMES, *NO_COLOUR])
_FIRST = frozenset(name.split(" ")[0] for name in [*_NAMES, *NO_COLOUR]) | SHADES.keys()
_MOST_SHADES = 3  # before one colour: "a soft warm light grey"
_TELLING = frozenset(
    ("pale", "deep", "dusty", "muted", "pastel", "faded", "burnt", "bright", "neon", "vivid")
)  # "dark chocolate" is food
_NOUNS = (
    r"(?:colou?r\w*|ton(?:e|es|ed|al)|hues?|tint\w*|background|backdrop|ground|palette|type|lettering|letters?|text|ink|accents?|walls?"
    r"|stripes?|gradient|paper|foil|frame|border|outlines?|lines?|shapes?|details?|pouch|box|bag|label|card|jacket|coat|dress|hat|scarf)\b"
)
_AFTER = re.compile(rf"[ -]{_NOUNS}")
_BEFORE = re.compile(
    r"\b(?:(?:colou?r\w*|palette)[ :=]+(?:is |are |of )?|(?:tones?|shades?|hues?) of |(?:painted|tinted|dyed) )(?:an? )?$"
)
_IN = re.compile(r"\b(?:in|on|to)(?: an?| the| all)? $")
_ENDS = re.compile(
    r"\s*(?:$|[^\w\s-]|(?:and|or|with|on|for|und|och|mit|of|as|at|only|throughout|instead)\b)"
)  # not "in olive oil"
_LINK = re.compile(r"(?:\s*[,/+&|]\s*(?:and |or |with )?|\s+(?:and|or|with|on|und|och|mit|plus|over|against)\s+)(?:an? |the )?")


class Hue(NamedTuple):
    """A colour in a text: from where to where, "#RRGGBB", and whether the text gives it in hex."""

    start: int
    end: int
    value: str
    exact: bool = False


def hues(quiet: str, *, trusting: bool = False) -> tuple[Hue, ...]:
    """The colours in a case-folded text, in its order. `trusting`: words that are things as well are always colours (of what
    somebody wears).
    """
    found = [(Hue(hit.start(), hit.end(), _in_full(hit[1]), True), True) for hit in _HEX.finditer(quiet)]
    tokens = list(_WORD.finditer(quiet))
    n = 0
    while n < len(tokens):
        run = _run(quiet, tokens, n) if tokens[n][0] in _FIRST else None
        if run is None:
            n += 1
            continue
        start, stop = tokens[n].start(), tokens[run[0] - 1].end()
        n, value, sure = run
        joined = quiet[max(0, start - 1) : start] in ("#", "-") or re.match(r"-(?!colou?red|ton)\w", quiet[stop : stop + 9])
        if value and not joined:  # "red-haired", "lemon-shaped" say something else
            found.append((Hue(start, stop, value), sure or trusting or _as_colour(quiet, start, stop)))
    found.sort()
    known = [sure for _, sure in found]
    for step, order in ((-1, range(1, len(found))), (1, range(len(found) - 2, -1, -1))):  # a list: each is what its neighbour is
        for k in order:
            one, other = sorted((found[k][0], found[k + step][0]))
            likely = known[k + step] or quiet[one.start : one.end] in SELDOM or quiet[other.start : other.end] in SELDOM
            known[k] = known[k] or (likely and _LINK.fullmatch(quiet, one.end, other.start) is not None)
    return tuple(hue for (hue, _), sure in zip(found, known, strict=True) if sure)


def _run(quiet: str, tokens: list[re.Match[str]], n: int) -> tuple[int, str, bool] | None:
    """The colour that begins at a word: the word after it, its value ("" for a phrase that only sounds like one), is it sure."""
    if (end := _longest(quiet, tokens, n, NO_COLOUR)) > n:
        return end, "", False
    shades: list[str] = []
    at = n
    while (end := _longest(quiet, tokens, at, _NAMES)) == at:
        if len(shades) == _MOST_SHADES or tokens[at][0] not in SHADES or at + 1 == len(tokens) or not _beside(quiet, tokens, at):
            return None
        shades.append(tokens[at][0])
        at += 1
        if (end := _longest(quiet, tokens, at, NO_COLOUR)) > at:
            return end, "", False
    name = " ".join(token[0] for token in tokens[at:end])
    sure = name not in BOTH or not _TELLING.isdisjoint(shades)
    if end < len(tokens) and name not in HUES and tokens[end][0] in HUES and _beside(quiet, tokens, end - 1):
        end, sure = end + 1, True  # "navy blue": the first word says which blue
    value = _NAMES[name]
    for shade in reversed(shades):
        value = mix(value, *SHADES[shade])
    return end, value, sure


def _beside(quiet: str, tokens: list[re.Match[str]], n: int) -> bool:
    return quiet[tokens[n].end() : tokens[n + 1].start()] in (" ", "-")


def _longest(quiet: str, tokens: list[re.Match[str]], n: int, table: Container[str]) -> int:
    """The word after the longest phrase of a table that begins at a word; that word where there is none."""
    last = n
    while last - n + 1 < _MOST and last + 1 < len(tokens) and _beside(quiet, tokens, last):
        last += 1
    while last >= n and " ".join(token[0] for token in tokens[n : last + 1]) not in table:
        last -= 1
    return last + 1


def _as_colour(quiet: str, start: int, stop: int) -> bool:
    """Whether the words around say that a colour is meant."""
    before, after = quiet[max(0, start - 40) : start], quiet[stop : stop + 24]
    return bool(_AFTER.match(after) or _BEFORE.search(before) or (_IN.search(before) and _ENDS.match(after)))


def _in_full(digits: str) -> str:
    """Hex digits (3, 6 or 8) as "#RRGGBB"."""
    digits = digits[:6] if len(digits) > 3 else "".join(d * 2 for d in digits)  # noqa: PLR2004 - #abc
    return f"#{digits.upper()}"
