"""What YAML does to people who write texts in it, in words that name the way out. It knows what YAML allows and nobody means; of
a spec it knows only which fields are texts. What YAML refuses is worded by `syntax`.
"""

from __future__ import annotations

import re

from .marks import Oddity, Parsed, Unreadable, parse
from .problems import Problems
from .syntax import reword, way_out

SPAN = 200  # characters before a comma that are looked at
SHORT = 24  # characters of a comment that is shown whole
MENDS = 40  # lines mended in one file before we stop looking for more
MORE = "the file can't be read beyond this, so more may follow"
_TEXTS = frozenset(("prompt", "hint", "text", "variant"))
_FATAL = frozenset(("duplicate", "key", "several", "merge"))  # for a table
_UNKNOWN = frozenset(("boolean", "curly", "hidden", "lone", "tag", "anchor", "duplicate", "key"))  # who knows what is meant


def read_yaml(text: str, name: str, problems: Problems, *, spec: bool = True) -> Parsed | None:
    """The values of a YAML text, None when they can't be read. Every mistake of its YAML goes to `problems`.

    Those of a spec may have torn values and gone lines. `spec` is False for a table of the user's: then a comment after a text is
    no mistake, and any other mistake gives None.
    """
    problems.texts[name] = text
    whole = text
    torn: list[int] = []
    gone: list[tuple[int, int]] = []
    for left in reversed(range(MENDS)):
        try:
            parsed = parse(whole, name)
        except Unreadable as e:
            complaint = reword(whole, e)
            place = problems.within(name, min(complaint.where, len(text)))
            mended = complaint.mended if left else None  # of too many mistakes the rest comes another time
            if mended is None:  # else they are found again
                _odd([each for each in e.oddities if each.mark.line != place.line], problems, spec)
            told = complaint.comment and any(each.kind == "comment" and is_text(each.path) for each in e.oddities)
            if (
                mended is not None
                and mended.lines
                and any(start <= place.index <= _next_line(text, stop) for start, stop in gone)
            ):
                told = True
            if not told:
                hint = complaint.hint if mended is not None or not spec or e.kind == "many" else f"{complaint.hint}; {MORE}"
                problems.at(place, complaint.text, hint, length=complaint.length)
            if mended is None:
                return None
            if mended.lines:
                gone.append((mended.start, mended.stop))
            elif mended.stop > mended.start:
                torn.append(mended.start)
            whole = mended.text
            continue
        _odd([each for each in parsed.oddities if each.mark.index not in torn], problems, spec)
        if not spec:
            return None if whole is not text or any(each.kind in _FATAL for each in parsed.oddities) else parsed
        torn += [each.mark.index for each in parsed.oddities if each.kind in _UNKNOWN and not _as_written(each)]
        return parsed._replace(torn=tuple(torn), gone=tuple(gone))
    return None


def _next_line(text: str, index: int) -> int:
    """Where the line after the one that ends at an index ends: what hangs on a missing line is no news."""
    end = text.find("\n", index + 1)
    return len(text) if end < 0 else end


def _as_written(oddity: Oddity) -> bool:
    """Whether an odd key can stay: it is read as the text that it was meant to be."""
    return oddity.kind == "boolean" and oddity.other is not None


def _comma(text: str, index: int, word: str) -> str:
    """The way out for a word behind a comma inside `{…}`."""
    before = re.search(r"([\w-]+): *([^\s{}\[\],:\"'][^{}\[\],:\"'\n]*), *$", text[max(0, index - SPAN) : index])
    if before is None:
        return f"write `{word}: VALUE`; a text with a comma inside `{{…}}` must be quoted"
    key, value = before[1], before[2].strip()
    if key in _TEXTS:
        return f'quote the whole text: `{key}: "{value}, {word}"`'
    return f'write `{key}: [{value}, {word}]` for a list, `{key}: "{value}, {word}"` for a text'


def is_text(path: tuple[str, ...]) -> bool:
    """Whether the entry at this path is a prompt, style, hint, var or text."""
    if not path:
        return False
    if path[0] == "vars" or (path[0] in ("assets", "overrides") and path[2:3] == ("vars",) and path[3:]):
        return True
    if path[0] == "styles":
        return path[2:] == () or path[-1] in _TEXTS
    return path[-1] in _TEXTS or path[-2:] == ("then", "[]")


def _odd(oddities: list[Oddity], problems: Problems, spec: bool) -> None:
    """Words what YAML allows and nobody means."""
    for kind, mark, text, path, other in oddities:
        name = path[-1] if path else ""
        way = way_out(problems.texts[mark.name], mark.index)
        match kind:
            case "duplicate":
                line = other.line + 1 if other is not None else 0
                problems.at(
                    mark,
                    f"`{text}` stands twice in one mapping, first in line {line}",
                    "remove or rename one of them",
                    length=len(text),
                )
            case "boolean" if other is not None:
                problems.at(
                    mark, f"`{text}` as a key means true or false to many YAML tools", f'quote it: `"{text}":`', length=len(text)
                )
            case "boolean":
                word = "true" if text.lower() in ("yes", "on") else "false"
                problems.at(
                    mark,
                    f"`{text}` is text to some YAML tools and {word} to others",
                    f'write `"{text}"` for the text, or `{word}`',
                )
            case "ratio":
                problems.at(
                    mark,
                    f"`{text}` without quotes is a number of minutes to many YAML tools",
                    f'quote it: `"{text}"`',
                    length=len(text),
                )
            case "curly":
                problems.at(
                    mark,
                    f"{text} is in typographic quotes, which would become part of the text",
                    f'use straight quotes: `"{text[1:-1]}"`',
                    length=len(text),
                )
            case "comment" if spec and is_text(path) and other is not None:
                start = problems.texts[mark.name][other.index :].split("\n", 1)[0].rstrip()
                piece = start.strip() if len(start) <= SHORT else start.strip().split(" ", 1)[0]
                what = name if name in _TEXTS else "text"
                problems.at(other, f'the {what} ends at " {piece}"; what follows is a comment', way, length=len(start))
            case "hidden" if spec:
                place = problems.needle(mark, text)
                problems.at(
                    place, f"`{text.split()[0]}` is a comment, so there is no value", f'quote it: `"{text}"`', length=len(text)
                )
            case "lone" if not text.startswith("\0"):
                place = problems.within(mark.name, max(0, problems.texts[mark.name].rfind(text, 0, mark.index + 1)))
                problems.at(
                    place,
                    f"`{text}` has no value",
                    _comma(problems.texts[mark.name], place.index, text),
                    length=len(text),
                )
            case "tag":
                shown = text.replace("tag:yaml.org,2002:", "!!")
                problems.at(mark, f"`{shown}` is a YAML tag, not a text", f"{way}, if it is a text", length=len(shown))
            case "anchor":
                problems.at(
                    mark,
                    f"`&{text}` is a YAML anchor that nothing uses",
                    f"{way}, if it is a text",
                    length=len(text) + 1,
                )
            case "key" if problems.texts[mark.name][max(0, mark.index - 1) : mark.index + 1] == "{{":
                problems.at(mark, "`{{…}}` means nothing here", 'names are put in as `"${name}"`, in quotes', length=1)
            case "key":
                problems.at(mark, "a key must be a text", "quote a key that starts with `{`, `[`, `*` or `?`", length=1)
            case "several":
                problems.at(mark, "a second document starts here; a spec is one document", "remove the `---`", length=3)
            case "merge":
                problems.at(mark, "`<<` takes over a mapping, as in `<<: *name`", "name an anchor that stands before a mapping")
