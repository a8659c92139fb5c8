"""`${name.key[other]}` as it is written: finding it in texts and reading it. Knows signs and names; what a name stands for, nobody
has told it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from .cells import Record
from .scalars import Value

NESTING = 8  # `${a[b[c]]}`, levels of brackets


class Ref(NamedTuple):
    """One `${…}`: a name, then keys (text) and looked-up keys (Ref). `source` is how it is written, with `${` and `}`."""

    name: str
    steps: tuple[str | Ref, ...]
    source: str


Template = tuple[str | Ref, ...]


class Bad(Exception):
    """A `${…}` that can't be put in. `needle` is the piece of text to point at, `before` the number of `${` in front of it where that
    piece stands more than once; `name` and `known` are for a suggestion; `record` is the row of a table whose fault it is."""

    def __init__(
        self,
        text: str,
        needle: str,
        hint: str | None = None,
        *,
        name: str = "",
        known: tuple[str, ...] = (),
        before: int = 0,
        record: Record | None = None,
    ) -> None:
        super().__init__(text)
        self.text, self.needle, self.hint, self.name, self.known = text, needle, hint, name, known
        self.before, self.record = before, record
        self.more: list[Bad] = []  # the others of the same text


class Quiet(Bad):
    """It names something that has a problem of its own, already told."""


@lru_cache(maxsize=4096)
def template(text: str) -> Template:
    """The parts of a text: texts and Refs in turn. `$${` is a literal `${`. Raises Bad."""
    parts: list[str | Ref] = []
    literal, place = "", 0
    while True:
        start = text.find("${", place)
        if start < 0:
            literal += text[place:]
            break
        if start > 0 and text[start - 1] == "$" and start - 1 >= place:
            literal += text[place : start - 1] + "${"
            place = start + 2
            continue
        literal += text[place:start]
        ref, place = reference(text, start)
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(ref)
    if literal:
        parts.append(literal)
    return tuple(parts)


def reference(text: str, start: int) -> tuple[Ref, int]:
    """The reference that begins at `start`, and where the text goes on."""
    end = text.find("}", start)
    line = text.find("\n", start)
    inner = text.find("${", start + 2)
    if end < 0 or (0 <= line < end) or (0 <= inner < end and "[" not in text[start:inner]):
        raise Bad(
            "this `${` is never closed",
            "${",
            "close it with `}`, or write `$${` for a literal `${`",
            before=text.count("${", 0, start),
        )
    whole = text[start : end + 1]
    ref, rest = _path(whole, 2, 0)
    if rest != len(whole) - 1:
        raise Bad(f"`{whole}` can't be read", whole, "write `${name}`, `${name.key}` or `${name[other]}`")
    return ref._replace(source=whole), end + 1


def _path(whole: str, place: int, level: int) -> tuple[Ref, int]:
    """A name and its steps, from `place` up to the `}` or `]` that ends it. Nesting is limited, so this recursion is too."""
    if level > NESTING:
        raise Bad(f"`[` is nested more than {NESTING} deep", whole, "use a var for the inner part")
    pieces: list[str | Ref] = []
    word = ""
    expects = True
    while place < len(whole) and whole[place] not in "}]":
        char = whole[place]
        if char in ".[":
            if expects:
                if not word.strip():
                    raise Bad(f"`{whole}` lacks a name", whole, "write `${name}`, `${name.key}` or `${name[other]}`")
                pieces.append(word.strip())
            elif word.strip():
                break
            word, expects = "", char == "."
            if char == "[":
                inner, place = _path(whole, place + 1, level + 1)
                if whole[place : place + 1] != "]":
                    raise Bad(f"`{whole}` lacks a `]`", whole, "write `${name[other]}`")
                pieces.append(inner)
        elif char in "{$\"'`":
            raise Bad(
                f"`{whole}` can't hold `{char}`",
                whole,
                "write `${name}`, `${name.key}` or `${name[other]}`; "
                + ("quotes aren't needed" if char in "\"'" else "there is no logic"),
            )
        else:
            word += char
        place += 1
    if expects or word.strip():
        if not expects or not word.strip():
            raise Bad(f"`{whole}` lacks a name", whole, "write `${name}`, `${name.key}` or `${name[other]}`")
        pieces.append(word.strip())
    return Ref(str(pieces[0]), tuple(pieces[1:]), whole), place


def has_reference(value: Value) -> bool:
    """Whether a `${` stands in any text of a value (values of a spec are at most 100 deep)."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str):
            if "${" in each:
                return True
        elif isinstance(each, dict):
            todo += each.values()
        elif isinstance(each, list):
            todo += each
    return False


def names_in(value: Value) -> dict[str, None]:
    """The first names of all references in a value's texts, unreadable ones left out."""
    found: dict[str, None] = {}
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str):
            if "${" in each:
                try:
                    refs: list[Any] = list(template(each))
                except Bad:
                    continue
                while refs:
                    ref = refs.pop()
                    if isinstance(ref, Ref):
                        found[ref.name] = None
                        refs += ref.steps
        elif isinstance(each, dict):
            todo += reversed(each.values())
        elif isinstance(each, list):
            todo += reversed(each)
    return found
