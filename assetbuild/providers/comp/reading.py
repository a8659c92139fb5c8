"""What a prompt asks a designer for: kind of picture, quoted words and their roles, things, colours. Knows no layout, no
typst, no disk.

A pure function of the prompt's text. Everything here is linear in the length of the prompt, whatever stands in it.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from . import nouns
from .hues import Hue, hues
from .lexicon import DULL, FAINT

MOST_WORDS = 200  # quoted texts that are looked at
FAR = 12_000  # characters of a prompt that are looked at for kind, things and colours; quoted words are looked for in all of it


class Quoted(NamedTuple):
    """Words that the prompt quotes, cleaned. `role` is head, brand, sub, row (of a list), body, cta or price."""

    text: str
    role: str


class Reading(NamedTuple):
    """A prompt, understood. `frame` is the kind of thing that the prompt asks to put a picture on ("as a phone mockup", "on a
    box").
    """

    kind: str
    words: tuple[Quoted, ...]  # the headline first
    order: tuple[str, ...]  # their texts as the prompt has them
    side: tuple[str, ...]  # those of them that are said to stand on the side (of a box)
    title: str
    things: tuple[str, ...]
    colours: tuple[str, ...]  # "#RRGGBB", in the order of the prompt, each once
    tint: str  # the one that the thing itself is to have ("a pouch in green", "the red box"), or ""
    frame: str
    asked: tuple[str, ...]  # things that are to be added ("add a bird")
    pattern: str  # the prompt without its quoted words and numbers: equal for the rows of one matrix


def clean(text: str) -> str:
    """Text that can be set: NFC, no control characters, no bidi overrides, no lone surrogates, white space as single spaces."""
    kept = []
    for char in text:
        code = ord(char)
        if 0xD800 <= code <= 0xDFFF or code in _BIDI or unicodedata.category(char) in ("Cc", "Co", "Cn"):
            kept.append(" " if char in "\t\n\r\x0b\x0c\x85" else "")
        else:
            kept.append(char)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


_BIDI = frozenset([0x200E, 0x200F, 0x061C, 0xFEFF, 0x00AD, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029])

QUOTES = re.compile(
    r"“([^“”\n]{1,400})”"
    r"|„([^„“”\n]{1,400})[“”]"
    r"|«([^«»\n]{1,400})»"
    r"|»([^«»\n]{1,400})«"
    r"|「([^「」\n]{1,400})」"
    r"|『([^『』\n]{1,400})』"
    r"|(?<![^\s(\[{:,;/>=–—-])\"(?=\S)([^\"\n]{1,400})\""
    r"|(?<![^\s(\[{:,;/>=–—-])‘([^‘’\n]{1,160})’(?!\w)"
    r"|(?<![^\s(\[{:,;/>=–—-])'(?=\S)([^'\n]{1,160})(?<=\S)'(?!\w)"
)
HINT = re.compile(r"^Image \d+: .*$", re.MULTILINE)
_ROLES = (
    (
        "head",
        re.compile(r"(headline|heading|title|titel|rubrik|überschrift|h1|name|schriftzug)\W*(?:\w+\W+){0,2}$", re.IGNORECASE),
    ),
    ("row", re.compile(r"\b(?:list|rows|items|entries|options|liste|lista)\b\W*(?:\w+\W+){0,2}$", re.IGNORECASE)),
    (
        "sub",
        re.compile(
            r"(subtitle|sub-?head(?:line|ing)?|tagline|slogan|claim|caption|strapline|below|under it)\W*(?:\w+\W+){0,2}$",
            re.IGNORECASE,
        ),
    ),
    ("cta", re.compile(r"(button|cta|call to action|knopf|link)\W*(?:\w+\W+){0,2}$", re.IGNORECASE)),
    (
        "brand",
        re.compile(r"(brand|logo|marke|märke|wordmark|company|shop called|café called)\W*(?:\w+\W+){0,2}$", re.IGNORECASE),
    ),
    ("price", re.compile(r"(price|preis|pris|costs?)\W*(?:\w+\W+){0,2}$", re.IGNORECASE)),
)
_AND = re.compile(r"[\"”»」』’'\s,;/·&-]*(?:and|und|och|or)?\s*[\"“„«「『‘']?")
_MONEY = re.compile(r"^\W{0,2}(?:€|\$|£|¥|kr|CHF|EUR|USD|SEK)?\s?\d[\d.,]*\s?(?:€|\$|£|¥|kr|:-|CHF|EUR|USD|SEK)?$")
_FRAME = re.compile(
    r"\b(?:on|onto|as|into|in|for|inside|auf|in|på)\s+(?:an?|one|einer?|einem|einen|en|ett)\s+(?:[\w'#-]+\s+){0,4}$",
    re.IGNORECASE,
)
_ADD = re.compile(
    r"\b(?:add|adds|put|place|with|plus|insert|include)\s+(?:an?|some|one|two|three|small|the)?\s*((?:[\w'-]+\s+){0,3}[\w'-]+)",
    re.IGNORECASE,
)


def read(prompt: str | None, *, bare: str = "") -> Reading:
    """Reads a prompt. `bare` is what the title is made from when there is no prompt (an op's name)."""
    lines = HINT.sub("", (prompt or "").replace("\r\n", "\n"))
    text = "\n".join(
        " ".join(paragraph.split()) for paragraph in re.split(r"\n[ \t]*\n", lines)
    )  # a quote may run over a line's end
    plain = QUOTES.sub(lambda hit: " " * len(hit[0]), text)
    lang = nouns.tongue(plain)
    near = nouns.wanted(plain[:FAR].casefold())
    named = hues(near)
    kinds = nouns.kinds(near, lang)
    first = nouns.leading(kinds)
    kind = first.entry if first else ""
    quotes, side = _quotes(text, kind)
    words = _cast(quotes, kind)
    frame = next((hit.entry for hit in kinds if _is_frame(near, hit)), "")
    # the box isn't what is on the box
    rest = near if first is None else f"{near[: first.start]}{' ' * (first.end - first.start)}{near[first.end :]}"
    hits = list(nouns.things(rest, named, lang))
    about = _OF.match(near, first.end) if first is not None and kind in ("icon", "logo") else None
    if about is not None:  # "a game shop icon of a sword": what comes before says whose, not what
        hits = [hit for hit in hits if hit.start >= about.end()]
    for quoted in words:  # "Beeswax Candle": the last noun of a name is what it is
        hits += nouns.things(quoted.text.casefold(), (), "" if kind == "icon" else lang)[::-1]  # its label may be in any language
    found = [hit.entry for hit in sorted(hits, key=lambda hit: hit.word in FAINT)]
    asked = [hit.entry for phrase in _ADD.finditer(near) for hit in nouns.things(phrase[1], (), lang)]
    colours = _colours(named)
    return Reading(
        kind=kind,
        words=words,
        order=tuple(quoted.text for quoted in quotes),
        side=side,
        title=_title(plain) or bare,
        things=tuple(dict.fromkeys(found)),
        colours=colours,
        tint=_tint(near, named, kinds, colours),
        frame=frame,
        asked=tuple(dict.fromkeys(asked))[:3],
        pattern=_pattern(near, named),
    )


_OF = re.compile(r"\s+(?:of|for|showing|with|mit|für|av|med)\b")
_SIDE = re.compile(r"\b(?:side|sides|seite|sidan)\b\W*(?:\w+\W+){0,2}$", re.IGNORECASE)


def _pattern(near: str, named: tuple[Hue, ...]) -> str:
    for hue in reversed(named):
        near = f"{near[: hue.start]} {near[hue.end :]}"
    return " ".join(re.sub(r"[\d\W_]+", " ", near).split())[:4000]


def _is_frame(near: str, hit: nouns.Hit) -> bool:
    """Whether a kind's name stands there as a thing to put a picture on: "on a matte pouch", "as a phone mockup"; not "on the
    box".
    """
    return bool(_FRAME.search(near[max(0, hit.start - 60) : hit.start])) or "mockup" in near[hit.start : hit.end + 12]


def _quotes(text: str, kind: str) -> tuple[list[Quoted], tuple[str, ...]]:
    """The quoted texts in their order, with the roles that the prompt gives them ("" for the others); and those on a side."""
    found: list[Quoted] = []
    side: list[str] = []
    seen: set[str] = set()
    last = 0
    for hit in QUOTES.finditer(text):
        words = clean(next(group for group in hit.groups() if group is not None))
        if not words or words in seen or not any(char.isalnum() or ord(char) > 0x2000 for char in words):
            continue
        seen.add(words)
        before, last = text[max(last, hit.start() - 48) : hit.start()], hit.end()
        role = next((name for name, pattern in _ROLES if pattern.search(before)), "")
        if not role and found and found[-1].role == "row" and _AND.fullmatch(before):
            role = "row"  # the list goes on
        role = "head" if kind == "logo" and role == "brand" else role
        found.append(Quoted(words, role or ("price" if _MONEY.match(words) else "")))
        if _SIDE.search(before):
            side.append(words)
        if len(found) == MOST_WORDS:
            break
    return found, tuple(side)


def _cast(found: list[Quoted], kind: str) -> tuple[Quoted, ...]:
    """Each with a role: where the prompt gives no headline, the longest text that isn't running text leads; on a pack one of the
    first two, since facts follow them; a character's name comes first.
    """
    if not found:
        return ()
    leads = [n for n, q in enumerate(found) if q.role == "head"]
    if not leads:
        short = [n for n, q in enumerate(found) if q.role in ("", "sub", "brand") and len(q.text) <= 32]
        short = short or [n for n, q in enumerate(found) if q.role in ("", "sub", "brand") and len(q.text) <= 80]
        pool = [n for n in short if found[n].role == ""] or short or list(range(len(found)))
        pool = [
            n for n in pool if not re.search(r"[\d,]", found[n].text)
        ] or pool  # "250 g", "washed, floral": facts, no headline
        pool = pool[: {"box": 2, "pouch": 2, "label": 2, "product": 2, "character": 1, "logo": 1}.get(kind, len(pool))]
        loud = [n for n in pool if found[n].text.isupper() and len(found[n].text) > 2]  # capitals are meant to be the largest
        leads = loud[:1] or [max(pool, key=lambda n: (len(found[n].text), -n))]
    lead = leads[0]
    done = []
    for n, (words, role) in enumerate(found):
        if n == lead:
            done.append(Quoted(words, "head"))
        elif role and role != "head":
            done.append(Quoted(words, role))
        elif len(words) > 70:
            done.append(Quoted(words, "body"))
        elif n < lead and len(words) <= 16 and not any(q.role == "brand" for q in found + done):
            done.append(Quoted(words, "brand"))
        else:
            done.append(Quoted(words, "sub"))
    return tuple(sorted(done, key=lambda q: q.role != "head"))


def _title(plain: str) -> str:
    """Up to three neighbouring words of the first sentence that has some: the prompt's own words as a working title."""
    for sentence in re.split(r"[.;:!?\n]+", plain[:2000]):
        run: list[str] = []
        for raw in re.findall(r"[^\s,()\[\]{}\"“”„«»]+|,", sentence):
            word = raw.strip("'’‘*_`#<>/|\\")
            if (
                not word
                or word.casefold() in DULL
                or any(char.isdigit() for char in word)
                or len(word) > 28
                or not word[0].isalpha()
            ):
                if run:
                    break
                continue
            run.append(word)
            if len(run) == 3:
                break
        if run:
            title = clean(" ".join(run))
            return title[:1].upper() + title[1:]
    return ""


def _colours(named: tuple[Hue, ...]) -> tuple[str, ...]:
    """The colours in the order of the text, each once. Names beside a palette in hex are prose ("black outlines")."""
    exact = tuple(hue.value for hue in named if hue.exact)
    return tuple(dict.fromkeys(exact if len(exact) >= 3 else (hue.value for hue in named)))[:6]


_IN = re.compile(
    r"\b(?:in|to|into|of|all|i|auf|zu|till|coloured|colored|painted)\s+(?:an?\s+|the\s+)?(?:[\w-]+\s+){0,2}$", re.IGNORECASE
)


def _tint(near: str, named: tuple[Hue, ...], kinds: tuple[nouns.Hit, ...], colours: tuple[str, ...]) -> str:
    """The colour that a prompt asks for by "in", or right before the name of a kind of thing; else the only one that it names."""
    for start, end, value, _ in named:
        if value in colours or len(colours) >= 3:
            after = next((hit.start for hit in kinds if end <= hit.start <= end + 24), None)
            if _IN.search(near[max(0, start - 40) : start]) or (after is not None and near[end:after].count(" ") <= 2):
                return value
    return colours[0] if len(colours) == 1 else ""
