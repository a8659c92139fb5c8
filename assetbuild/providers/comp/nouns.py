"""The things and kinds of pictures that a prompt names: whole words and phrases out of the tables of `lexicon`, in the singular or
the plural. Knows prompts and those tables; no layout.

What a prompt doesn't want ("no people, cups or logos"), what only belongs to somebody in it ("holding a phone"), what is a colour
("forest green") and what is done rather than shown ("present it") names nothing.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from .hues import Hue
from .lexicon import DOING, FAINT_KINDS, FALSE_FRIENDS, HUES, KINDS, SUBJECTS, TELLTALE

_WORD = re.compile(r"[^\W_][\w'’-]*")
_TWO = r"[\w'’-]+(?:\s(?!in\b|on\b|at\b)[\w'’-]+)?"  # a word, or two of one name
_NOT = re.compile(
    rf"\b(?:no|without|avoid|never|don't (?:show|use|add)|do not (?:show|use|add)|ohne|utan)\s+(?:any\s+|an?\s+|the\s+)?{_TWO}"
    rf"(?:(?:,\s*(?:no\s+)?[\w'’-]+(?:\s[\w'’-]+)?){{0,5}},?\s+(?:or|and|nor|oder|und)\s+(?:no\s+)?{_TWO})?"
    r"|\b(?:not|instead of|rather than)\s+(?:an?\s+|the\s+)?[\w'’-]+"
)
_ASIDE = re.compile(
    r"\b(?:hold(?:s|ing)?|carr(?:y|ies|ying)|us(?:es|ing)|looking at|reads?|reading|beside|next to|near|behind|under|inside|out of|from"
    r"|wears|wearing|his|her|their|our|your|my)\s+(?:(?:an?|the|one|his|her|their)\s+)?(?:[\w'-]+\s+){0,1}$"
)
_ENGLISH = frozenset(("the", "of", "a", "an", "with", "and", "in", "on", "for", "to", "from", "is", "at", "by"))


class Hit(NamedTuple):
    """A word or phrase of a table in a text: from where to where, what it is in the table, its singular."""

    start: int
    end: int
    entry: str
    word: str


def tongue(text: str) -> str:
    """The language of a prompt as far as its small words tell: en, de, sv …"""
    said = re.findall(r"[^\W\d_]+", text[:4000].casefold())
    counts = {lang: sum(word in words for word in said) for lang, words in {**TELLTALE, "en": _ENGLISH}.items()}
    best = max(counts, key=lambda lang: (counts[lang], lang == "en", lang))
    return best if counts[best] else "en"


def wanted(quiet: str) -> str:
    """A case-folded prompt with spaces in place of what it doesn't want."""
    return _NOT.sub(lambda hit: " " * len(hit[0]), quiet)


def kinds(near: str, lang: str = "en") -> tuple[Hit, ...]:
    """The kinds of pictures that a text names, in its order."""
    return tuple(hit for hit in _hits(near, _tables()[0], lang) if not _ASIDE.search(near[max(0, hit.start - 48) : hit.start]))


def leading(found: tuple[Hit, ...]) -> Hit | None:
    """The one that says what the picture is: the first whose word says nothing else, or the first."""
    return next((hit for hit in found if hit.word not in FAINT_KINDS), found[0] if found else None)


def things(near: str, colours: tuple[Hue, ...] = (), lang: str = "en") -> tuple[Hit, ...]:
    """The things that a text names, in its order. `colours` are the text's: their words name no things."""
    found = []
    for hit in _hits(near, _tables()[1], lang):
        after = re.match(r"[ -]([\w-]+)(?: ([\w-]+))?", near[hit.end : hit.end + 40])
        told, then = (after[1] or "", after[2] or "") if after else ("", "")
        if hit.word in DOING and told in ("the", "a", "an", "it", "them", "this", "that", "these", "your", "our", "us"):
            continue
        if told in HUES and then not in ("and", "or") and near[hit.start : hit.end] == hit.word:
            continue  # "forest green"
        if any(hue.start < hit.end and hit.start < hue.end for hue in colours):
            continue
        found.append(hit)
    return tuple(found)


def _forms(word: str) -> tuple[str, ...]:
    """A word and its English plural."""
    if re.search(r"(?:[sxz]|ch|sh)$", word):
        return word, f"{word}es"
    if re.search(r"[^aeiou]y$", word):
        return word, f"{word[:-1]}ies"
    if word.endswith("o"):
        return word, f"{word}s", f"{word}es"
    return (word, f"{word}s", f"{word[:-1]}ves") if word.endswith(("af", "lf")) else (word, f"{word}s")


Table = dict[str, tuple[str, str]]


@functools.cache
def _tables() -> tuple[tuple[Table, dict[str, int]], tuple[Table, dict[str, int]]]:
    """For kinds and things: form → (entry, singular), and the first word of a form → the most words of a phrase."""
    made = []
    for entries in (KINDS, SUBJECTS):
        table: Table = {}
        for plural in (False, True):  # what is in the table itself comes before a plural that looks like it
            for entry, words in entries.items():
                for word in words.split("|"):
                    for form in _forms(word.casefold())[1:] if plural else (word.casefold(),):
                        table.setdefault(form, (entry, word.casefold()))
        most: dict[str, int] = {}
        for form in table:
            first = form.split(" ")[0]
            most[first] = max(most.get(first, 0), form.count(" ") + 1)
        made.append((table, most))
    return made[0], made[1]


def _hits(near: str, tables: tuple[Table, dict[str, int]], lang: str) -> list[Hit]:
    """The longest phrases of a table, from left to right."""
    table, most = tables
    tokens = list(_WORD.finditer(near))
    strange = FALSE_FRIENDS.get(lang, frozenset())
    found = []
    n = 0
    while n < len(tokens):
        word = re.sub(r"['’]s$", "", tokens[n][0])
        known = max(most.get(word, 0), most.get(tokens[n][0], 0))
        taken = 1
        for count in range(min(known, len(tokens) - n), 0, -1):
            phrase = near[tokens[n].start() : tokens[n + count - 1].end()]
            whole = table.get(phrase) or table.get(re.sub(r"['’]s$", "", phrase))
            if whole is not None:
                taken = count
                if whole[0] and whole[1] not in strange:
                    found.append(Hit(tokens[n].start(), tokens[n + count - 1].end(), *whole))
                break
        n += taken
    return found
