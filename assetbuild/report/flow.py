"""Words laid out in lines that fit a terminal: hanging indents, painted words, wide letters; and like sentences summed up. Pure;
knows no plan and no event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .ink import Ink
from .measures import width

ALIKE = 3  # assets that wait for one reason and are shown; the rest are summed up
LEAST = 24  # columns that a text gets at least, however far it is indented
_PATHS = re.compile(r"[^\s`]*[/.][^\s`]*\w(?: and [\d,]+ more)?")


def flow(head: str, taken: int, parts: Iterable[tuple[str, str]], ink: Ink, columns: int, indent: int) -> Iterator[str]:
    """Lines of at most `columns` cells (0: one line, however long). `head` is painted already and takes `taken` cells; `parts`
    are style and text; what doesn't fit goes on below, `indent` cells from the left. A long word stays whole, and so does what
    stands in backticks: a command can be pasted.
    """
    indent = min(indent, max(0, columns - LEAST)) if columns else indent
    start, at = head, taken
    runs: list[tuple[str, str]] = []  # style and words of the line
    for style, text in parts:
        for word in _words(text):
            cells = width(word)
            if columns and at + cells + (1 if runs else 0) > columns and (runs or at > indent):
                yield _painted(start, runs, ink)
                start, at, runs = " " * indent, indent, []
            at += cells + (1 if runs else 0)
            if runs and runs[-1][0] == style:
                runs[-1] = (style, f"{runs[-1][1]} {word}")
            else:
                runs.append((style, word))
    yield _painted(start, runs, ink)


def _words(text: str) -> list[str]:
    """The words; what stands in backticks is one."""
    words = text.split(" ")
    if "`" not in text:
        return words
    out: list[str] = []
    inside = False
    for word in words:
        if inside:
            out[-1] += f" {word}"
        else:
            out.append(word)
        inside ^= word.count("`") % 2 == 1
    return out if not inside else words


def _painted(start: str, runs: Iterable[tuple[str, str]], ink: Ink) -> str:
    return (start + " ".join(ink(style, text) if style else text for style, text in runs)).rstrip()


def row(
    name: str, column: int, after: Iterable[tuple[str, str]], ink: Ink, columns: int, before: str = "", left: int = 0
) -> Iterator[str]:
    """A line of a list: `before` (painted, `left` cells), the name in a column of so many cells, two spaces, the rest. A name that
    is wider gets a line of its own where lines are wrapped.
    """
    start, indent = before + ink("bold", name), left + column + 2
    if width(name) > column and columns:
        yield start
        yield from flow(" " * indent, indent, after, ink, columns, indent)
        return
    gap = " " * max(2, column + 2 - width(name))
    yield from flow(start + gap, left + width(name) + len(gap), after, ink, columns, indent)


def name_column(names: Iterable[str], columns: int) -> int:
    """How wide a column of names is: as the widest, but a third of the terminal at most."""
    return min(max((width(name) for name in names), default=0), max(20, (columns or 100) // 3))


def nameless(text: str) -> str:
    """A sentence with `…` for each name in it."""
    return "`…`".join(text.split("`")[::2])


def likeness(text: str) -> str:
    """A sentence without the names and paths in it, by which like ones are summed up."""
    return re.sub(r"…(?: …)+", "…", _PATHS.sub("…", nameless(text)))


def for_all(hint: str, name: str, *, every: bool) -> str:
    """The way out of one asset as that of many: of every one (`'*'`), or of each by its id."""
    told = re.sub(rf"(?<![\w./-]){re.escape(name)}(?![\w/-]|\.\w)", "'*'" if every else "ID", hint)
    return told.replace("keeps it", "keeps them").replace("(yours is ", "(yours are ") if every else told
