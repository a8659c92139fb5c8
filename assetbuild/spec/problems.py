"""The problems found so far in the files of one spec, each with its place. It knows texts, lines and columns; it does not know
what is wrong.

A problem of a matrix comes once per row; it is told once, with the number of the others.
"""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable

from ..errors import Place, Problem, SpecError
from .gaps import Gaps
from .marks import Map, Mark

MANY, CLOSE = 300, 3  # names to compare with, and how far their lengths may be apart
SUGGESTIONS = 40  # did-you-mean is slow over many names: no run needs more of them


def suggest(name: str, known: Iterable[str]) -> str:
    """`; did you mean `poster`?`, or nothing when no known name is near."""
    names = list(known)
    if len(names) > MANY:  # comparing with thousands takes seconds
        names = [
            each for each in names if abs(len(each) - len(name)) <= CLOSE and (each[:2] == name[:2] or each[-3:] == name[-3:])
        ][:300]
    near = difflib.get_close_matches(name, names, 1, 0.6) or [each for each in names if each.casefold() == name.casefold()][:1]
    return f"; did you mean `{near[0]}`?" if near else ""


def _one_line(text: str) -> str:
    """A sentence with a user's name in it, in one line: a line break in the name becomes a space, what a terminal would act on
    becomes its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\n\r\t" else f"\\u{ord(c):04x}" for c in text)


class Problems:
    """Collects problems; `raise_if_any` ends the run with all of them. `texts` holds the text of each file read so far, by its
    path; `gaps` what was left out because of a problem."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.gaps = Gaps()
        self._found: dict[tuple[object, ...], tuple[Problem, int]] = {}
        self._lines: dict[str, list[str]] = {}
        self._starts: dict[str, list[int]] = {}
        self._suggested = 0

    def __len__(self) -> int:
        """How many places have a problem."""
        return len(self._found)

    def near(self, name: str, known: Iterable[str]) -> str:
        """Like `suggest`, until this run has had enough of them."""
        self._suggested += 1
        return suggest(name, known) if self._suggested <= SUGGESTIONS else ""

    def line(self, file: str, number: int) -> str | None:
        """The text of a line, counted from 1."""
        if file not in self._lines:
            self._lines[file] = self.texts.get(file, "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = self._lines[file]
        return lines[number - 1] if 0 < number <= len(lines) else None

    def add(self, place: Place | None, text: str, hint: str | None = None, *, kind: str = "") -> None:
        """One problem. Those of one kind (its text, if none is named) at one place are told once, with the number of other
        texts."""
        text, hint = _one_line(text), None if hint is None else _one_line(hint)
        key = (place, kind or text)
        if key in self._found:
            problem, count = self._found[key]
            if problem.text != text:
                self._found[key] = (problem, count + 1)
            return
        source = self.line(place.file, place.line) if place is not None and place.line else None
        self._found[key] = (Problem(text, place, source, hint), 1)

    def at(self, mark: Mark, text: str, hint: str | None = None, *, length: int = 0, kind: str = "") -> None:
        """A problem where a value or key starts; as long as `length`, or else as what stands there on its line."""
        self.add(self.place(mark, length), text, hint, kind=kind)

    def on(
        self, inside: Map, key: str, text: str, hint: str | None = None, *, on: str = "value", needle: str = "", kind: str = ""
    ) -> None:
        """A problem with an entry of a mapping: its value, its key, or (`needle`) the first such piece of its value's text."""
        mark = inside.mark(key, on)
        self.at(self.needle(mark, needle), text, hint, length=len(needle) or (len(key) if on == "key" else 0), kind=kind)

    def needle(self, mark: Mark, needle: str) -> Mark:
        """The mark of a piece of text that stands in the value at `mark`; `mark` itself when it can't be found."""
        found = self.texts.get(mark.name, "").find(needle, mark.index) if needle else -1
        return mark if found < 0 else self.within(mark.name, found)

    def within(self, file: str, index: int) -> Mark:
        """The mark of the character with this index in a file's text."""
        starts = self._starts.get(file)
        if starts is None:
            starts = self._starts[file] = [0, *(each.end() for each in re.finditer(r"\r\n|\r|\n", self.texts.get(file, "")))]
        line = bisect.bisect_right(starts, index) - 1
        return _Point(file, index, line, index - starts[line])

    def told(self, mark: Mark) -> bool:
        """Whether something on that line, at that character or beside it, has been told already."""
        here = self.place(mark, 1)
        near = {(here.file, here.line, here.column + way) for way in (-1, 0, 1)}
        return any(p.place is not None and p.place[:3] in near for p, _ in self._found.values())

    def place(self, mark: Mark, length: int = 0) -> Place:
        """A mark as a place to print."""
        exact = self.within(mark.name, mark.index)
        return Place(mark.name, exact.line + 1, exact.column + 1, length or self.extent(mark))

    def extent(self, mark: Mark) -> int:
        """How many characters on its line the value at a mark takes."""
        text = self.texts.get(mark.name, "")
        end = min((e for e in (text.find("\n", mark.index), text.find("\r", mark.index)) if e >= 0), default=len(text))
        rest = text[mark.index : end]
        if rest[:1] in ("'", '"'):
            close = rest.find(rest[0], 1)
            return close + 1 if close > 0 else len(rest)
        if rest[:1] in ("|", ">", "[", "{"):
            return 1
        for stop in (" #", ": ", ", ", "}", "]"):
            rest = rest.split(stop, 1)[0]
        return max(1, len(rest.rstrip(" \t:")))

    def all(self) -> list[Problem]:
        """Every problem, sorted by file and place."""
        told = []
        for problem, count in self._found.values():
            more = f" (and {count - 1} more like it)" if count > 1 else ""
            told.append(problem._replace(text=problem.text + more))
        return sorted(told, key=lambda p: ((p.place.file, p.place.line, p.place.column) if p.place else ("", 0, 0), p.text))

    def raise_if_any(self) -> None:
        """Raises SpecError with every problem."""
        if self._found:
            raise SpecError(self.all())


class _Point:
    """A mark made from an index."""

    __slots__ = ("column", "index", "line", "name")

    def __init__(self, name: str, index: int, line: int, column: int) -> None:
        self.name, self.index, self.line, self.column = name, index, line, column
