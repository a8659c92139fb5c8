"""What a prompt asks a designer for: kind of picture, quoted words and their roles, things, colours. Knows no layout, no
typst, no disk.

A pure function of the prompt's text. Everything here is linear in the length of the prompt, whatever stands in it.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import functools
import re
import unicodedata
from typing import NamedTuple

from .lexicon import COLOURS, DULL, FAINT, KINDS, SUBJECTS

MOST_WORDS = 8
LONGEST = 220  # characters of one quoted text that are set; the rest is an ellipsis
FAR = 12_000  # characters of a prompt that are looked at for kind, things and colours; quoted words are looked for in all of it


class Quoted(NamedTuple):
    """Words that the prompt quotes, cleaned. `role` is head, brand, sub, body, cta or price."""

    text: str
    role: str


class Reading(NamedTuple):
    """A prompt, understood. `frame` is the kind of thing that the prompt asks to put a picture on ("as a phone mockup", "on a
    box").
    """

    kind: str
    words: tuple[Quoted, ...]
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
_HEX = re.compile(r"#([0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?![0-9a-zA-Z])")
HINT = re.compile(r"^Image \d+: .*$", re.MULTILINE)
_ROLES = (
    (
        "head",
        re.compile(r"(headline|heading|title|titel|rubrik|überschrift|h1|name|schriftzug)\W*(?:\w+\W+){0,2}$", re.IGNORECASE),
    ),
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
        re.compile(r"(brand|logo|marke|märke|wordmark|company|shop called|café called|label)\W*(?:\w+\W+){0,2}$", re.IGNORECASE),
    ),
    ("price", re.compile(r"(price|preis|pris|costs?)\W*(?:\w+\W+){0,2}$", re.IGNORECASE)),
)
_MONEY = re.compile(r"^\W{0,2}(?:€|\$|£|¥|kr|CHF|EUR|USD|SEK)?\s?\d[\d.,]*\s?(?:€|\$|£|¥|kr|:-|CHF|EUR|USD|SEK)?$")
_FRAME = re.compile(
    r"\b(?:on|onto|as|into|in|for|inside|auf|in|på)\s+(?:an?|one|einer?|einem|einen|en|ett)\s+(?:[\w'#-]+\s+){0,4}$",
    re.IGNORECASE,
)
_ADD = re.compile(
    r"\b(?:add|adds|put|place|with|plus|insert|include)\s+(?:an?|some|one|two|three|small|the)?\s*((?:[\w'-]+\s+){0,3}[\w'-]+)",
    re.IGNORECASE,
)


def _finder(table: dict[str, str]) -> tuple[re.Pattern[str], dict[str, str]]:
    """One pattern for a whole table, longest words first, and the word → entry map."""
    owner: dict[str, str] = {}
    for entry, words in table.items():
        for word in words.split("|"):
            owner.setdefault(word, entry)
    body = "|".join(re.escape(word) for word in sorted(owner, key=lambda word: (-len(word), word)))
    return re.compile(rf"(?<![\w-])({body})(?:s|es)?(?![\w-])"), owner


@functools.cache
def _finders() -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    names = {name: name for name in COLOURS}
    return _finder(KINDS), _finder(SUBJECTS), _finder(names)


def read(prompt: str | None, *, bare: str = "") -> Reading:
    """Reads a prompt. `bare` is what the title is made from when there is no prompt (an op's name)."""
    lines = HINT.sub("", (prompt or "").replace("\r\n", "\n"))
    text = "\n".join(
        " ".join(paragraph.split()) for paragraph in re.split(r"\n[ \t]*\n", lines)
    )  # a quote may run over a line's end
    words = _quoted(text)
    plain = QUOTES.sub(" ", text)
    near = plain[:FAR].casefold()
    (kinds, kind_of), (things, thing_of), (names, _) = _finders()
    first = kinds.search(near)
    kind = kind_of[first[1]] if first else ""
    frame = next((kind_of[hit[1]] for hit in kinds.finditer(near) if _is_frame(near, hit)), "")
    rest = near if first is None else f"{near[: first.start()]} {near[first.end() :]}"  # the box isn't what is on the box
    hits = [hit[1] for hit in things.finditer(rest)]
    for quoted in words:  # "Beeswax Candle": the last noun of a name is what it is
        hits += [hit[1] for hit in things.finditer(quoted.text.casefold())][::-1]
    found = [thing_of[word] for word in sorted(hits, key=lambda word: word in FAINT)]
    colours = _colours(text[:FAR], names)
    asked = [thing_of[hit[1]] for phrase in _ADD.finditer(near) for hit in things.finditer(phrase[1])]
    return Reading(
        kind=kind,
        words=words,
        title=_title(plain) or bare,
        things=tuple(dict.fromkeys(found)),
        colours=colours,
        tint=_tint(text[:FAR], names, colours),
        frame=frame,
        asked=tuple(dict.fromkeys(asked))[:3],
        pattern=" ".join(re.sub(r"[\d\W_]+", " ", plain.casefold()).split())[:4000],
    )


def _is_frame(near: str, hit: re.Match[str]) -> bool:
    """Whether a kind's name stands there as a thing to put a picture on: "on a matte pouch", "as a phone mockup"; not "on the
    box".
    """
    named = f"{hit[1]}{near[hit.end() : hit.end() + 12]}"
    return bool(_FRAME.search(near[max(0, hit.start() - 60) : hit.start()])) or "mockup" in named


def _quoted(text: str) -> tuple[Quoted, ...]:
    """The quoted texts with roles: what the prompt says before them decides, else length: the longest that isn't running text
    leads.
    """
    found: list[Quoted] = []
    seen: set[str] = set()
    last = 0
    for hit in QUOTES.finditer(text):
        words = clean(next(group for group in hit.groups() if group is not None))
        if len(words) > LONGEST:
            words = words[: LONGEST - 1].rstrip() + "…"
        if not words or words in seen or not any(char.isalnum() or ord(char) > 0x2000 for char in words):
            continue
        seen.add(words)
        before, last = text[max(last, hit.start() - 48) : hit.start()], hit.end()
        role = next((name for name, pattern in _ROLES if pattern.search(before)), "")
        found.append(Quoted(words, role or ("price" if _MONEY.match(words) else "")))
        if len(found) == MOST_WORDS:
            break
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


def _colours(text: str, names: re.Pattern[str]) -> tuple[str, ...]:
    """Hex colours and colour names in the order of the text."""
    hits = [(hit.start(), _hex(hit[1])) for hit in _HEX.finditer(text)]
    quiet = QUOTES.sub(lambda hit: " " * len(hit[0]), text).casefold()
    if len(hits) < 3:  # a named palette beside hex colours is prose ("no black outlines")
        hits += [
            (hit.start(), COLOURS[hit[1]])
            for hit in names.finditer(quiet)
            if not quiet[max(0, hit.start() - 8) : hit.start()].endswith(("no ", "not ", "without "))
        ]
    return tuple(dict.fromkeys(value for _, value in sorted(hits)))[:6]


_IN = re.compile(
    r"\b(?:in|to|into|of|all|i|auf|zu|till|coloured|colored|painted)\s+(?:an?\s+|the\s+)?(?:[\w-]+\s+){0,2}$", re.IGNORECASE
)


def _tint(text: str, names: re.Pattern[str], colours: tuple[str, ...]) -> str:
    """The colour that a prompt asks for by "in", or right before the name of a kind of thing; else the only one that it names."""
    quiet = QUOTES.sub(lambda hit: " " * len(hit[0]), text).casefold()
    (kinds, _), *_ = _finders()
    hits = [(hit.start(), hit.end(), _hex(hit[1])) for hit in _HEX.finditer(text)]
    hits += [(hit.start(), hit.end(), COLOURS[hit[1]]) for hit in names.finditer(quiet)]
    for start, end, value in sorted(hits):
        if value in colours or len(colours) >= 3:
            after = kinds.search(quiet, end, end + 28)
            if _IN.search(quiet[max(0, start - 40) : start]) or (after and quiet[end : after.start()].count(" ") <= 2):
                return value
    return colours[0] if len(colours) == 1 else ""


def _hex(digits: str) -> str:
    digits = digits[:6] if len(digits) > 3 else "".join(d * 2 for d in digits)
    return f"#{digits.upper()}"
