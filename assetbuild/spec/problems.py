"""The problems found so far in the files of one spec, each with its place. It knows texts, lines and columns; it does not know
what is wrong.

A problem of a matrix comes once per row; it is told once, with the places of the rows of tables that it comes from.
"""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import Place, Problem, SpecError
from .cells import listed, origin
from .gaps import Gaps
from .marks import Map, Mark

# What may be a key or password: what stands behind such a name, what looks like a provider's key, and in an address what stands before
# an `@` or behind a `?`.
_SECRETS = [
    re.compile(each, re.IGNORECASE)
    for each in (
        r"""(?<![\w.$-])(?:x[-_])?(?:api[-_]?key|api[-_]?token|token|secret|password|authorization)["']?\s*:\s*["']?([^\s"',}]+)""",
        r"""(?<![\w.$-])key["']?\s*:\s*["']?([\w-]{20,})""",
        r"\b(afk_[\w-]+)",
        r"""://([^\s/@"']+)@""",
        r"""://[^\s"'?]+\?([^\s"'},]+)""",
    )
]
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


def veiled(text: str) -> str:
    """A text with asterisks in place of what may be a key or password: a spec may hold one by mistake, and messages get copied into
    tickets."""
    if ":" in text or "afk_" in text:
        for secret in _SECRETS:
            text = secret.sub(_stars, text)
    return text


def _stars(found: re.Match[str]) -> str:
    start, end = found.start(1) - found.start(), found.end(1) - found.start()
    return found[0][:start] + "*" * (end - start) + found[0][end:]


def _one_line(text: str) -> str:
    """A sentence with a user's name in it, in one line: a line break in the name becomes a space, what a terminal would act on
    becomes its escape."""
    text = veiled(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\n\r\t" else f"\\u{ord(c):04x}" for c in text)


class _Told:
    """A problem, how often it came with other words, and the rows that it came from. `named`: it names the first row itself;
    `among` are all rows of that matrix; `elsewhere`: it came from something without a row too."""

    __slots__ = ("among", "count", "elsewhere", "named", "problem", "rows", "same")

    def __init__(self, problem: Problem, named: bool, among: Sequence[Mapping[str, Any]]) -> None:
        self.problem, self.named, self.among = problem, named, among
        self.count, self.same, self.elsewhere = 1, True, False
        self.rows: dict[tuple[Place, ...], None] = {}


class Problems:
    """Collects problems; `raise_if_any` ends the run with all of them. `texts` holds the text of each file read so far, by its
    path; `gaps` what was left out because of a problem; `row` is the row of a matrix that is being looked at, one of those `among`."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.gaps = Gaps()
        self.row: Mapping[str, Any] | None = None
        self.among: Sequence[Mapping[str, Any]] = ()
        self._found: dict[tuple[object, ...], _Told] = {}
        self._points: set[tuple[str, int, int]] = set()  # where one of them is: file, line, column
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
        """The text of a line, counted from 1, without what may be a key."""
        if file not in self._lines:
            self._lines[file] = self.texts.get(file, "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = self._lines[file]
        return veiled(lines[number - 1]) if 0 < number <= len(lines) else None

    def add(
        self, place: Place | None, text: str, hint: str | None = None, *, kind: str = "", rows: tuple[Place, ...] | None = None
    ) -> None:
        """One problem. Those of one kind (its text, if none is named) at one place are told once, with the number of other
        texts. `rows` are the places of rows that the text names (() = it has to do with none); without it, it is about `row`."""
        text, hint = _one_line(text), None if hint is None else _one_line(hint)
        key = (place, kind or text)
        told = self._found.get(key)
        if told is None:
            source = self.line(place.file, place.line) if place is not None and place.line else None
            told = self._found[key] = _Told(Problem(text, place, source, hint), rows is not None, self.among)
            if place is not None:
                self._points.add(place[:3])
        elif told.problem.text != text:
            told.count, told.same = told.count + 1, False
        if rows is None and self.row is not None:
            rows = self.rows_now()
        if rows:
            told.rows[rows] = None
        else:
            told.elsewhere = True

    def at(
        self,
        mark: Mark,
        text: str,
        hint: str | None = None,
        *,
        length: int = 0,
        kind: str = "",
        rows: tuple[Place, ...] | None = None,
    ) -> None:
        """A problem where a value or key starts; as long as `length`, or else as what stands there on its line."""
        self.add(self.place(mark, length), text, hint, kind=kind, rows=rows)

    def on(
        self,
        inside: Map,
        key: str,
        text: str,
        hint: str | None = None,
        *,
        on: str = "value",
        needle: str = "",
        kind: str = "",
        rows: tuple[Place, ...] | None = None,
    ) -> None:
        """A problem with an entry of a mapping: its value, its key, or (`needle`) the first such piece of its value's text."""
        mark = inside.mark(key, on)
        length = len(needle) or (len(key) if on == "key" else 0)
        point = self.needle(mark, needle)
        if needle and isinstance(inside[key], str):
            written = self.texts.get(mark.name, "")[mark.index : mark.index + self.extent(mark)]
            if needle not in written or "${" in written:  # it comes from a row or var
                point, length = mark, 0
        self.at(point, text, hint, length=length, kind=kind, rows=rows)

    def needle(self, mark: Mark, needle: str, before: int = 0) -> Mark:
        """The mark of a piece of text that stands in the value at `mark`, behind `before` others of its kind; `mark` itself when it
        can't be found."""
        text = self.texts.get(mark.name, "")
        found = text.find(needle, mark.index) if needle else -1
        for _ in range(before):
            found = text.find(needle, found + 1) if found >= 0 else -1
        return mark if found < 0 else self.within(mark.name, found)

    def within(self, file: str, index: int) -> Mark:
        """The mark of the character with this index in a file's text."""
        starts = self._starts.get(file)
        if starts is None:
            starts = self._starts[file] = [0, *(each.end() for each in re.finditer(r"\r\n|\r|\n", self.texts.get(file, "")))]
        line = bisect.bisect_right(starts, index) - 1
        return _Point(file, index, line, index - starts[line])

    def told(self, mark: Mark, length: int = 0, kind: str = "") -> bool:
        """Whether something on that line, at that character or beside it, has been told already: something else than problems of
        this `kind`."""
        if kind and (self.place(mark, length), kind) in self._found:
            return False
        here = self.place(mark, 1)
        return any((here.file, here.line, here.column + way) in self._points for way in (-1, 0, 1))

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
        before = text[text.rfind("\n", 0, mark.index) + 1 : mark.index]
        inside = before.count("{") + before.count("[") > before.count("}") + before.count("]")
        for stop in (" #", ": ", ", ", "}", "]") if inside else (" #", ": "):
            rest = rest.split(stop, 1)[0]
        return max(1, len(rest.rstrip(" \t:")))

    def all(self) -> list[Problem]:
        """Every problem, sorted by file and place."""
        told = [each.problem._replace(text=each.problem.text + self._more(each)) for each in self._found.values()]
        return sorted(told, key=lambda p: ((p.place.file, p.place.line, p.place.column) if p.place else ("", 0, 0), p.text))

    def rows_now(self) -> tuple[Place, ...]:
        """Where the rows of tables stand that are being looked at."""
        return origin(self.row, self.texts) if self.row is not None else ()

    def _more(self, told: _Told) -> str:
        """What is said behind a problem's text: the rows that it comes from, and of others like it."""
        rows = list(told.rows) if not told.elsewhere else []
        others = len(rows) - 1 if rows else told.count - 1
        if not rows or (told.named and not others):
            return f" (and {others} more like it)" if others > 0 and not rows else ""
        if told.same and not told.named:
            every = told.among and all(origin(each, self.texts) in told.rows for each in told.among)
            return "" if every else f" ({listed(rows)})"
        more = f"{others} more like it: {listed(rows[1:])}" if others else ""
        return f" (and {more})" if told.named else f" ({listed(rows[:1])}{'; and ' if more else ''}{more})"

    def raise_if_any(self) -> None:
        """Raises SpecError with every problem."""
        if self._found:
            raise SpecError(self.all())


class _Point:
    """A mark made from an index."""

    __slots__ = ("column", "index", "line", "name")

    def __init__(self, name: str, index: int, line: int, column: int) -> None:
        self.name, self.index, self.line, self.column = name, index, line, column
