"""`${name.key[other]}` in texts: finding it, looking it up, putting it in. Knows names and values; it does not know what an asset
is.

What was put in is never looked at again, so text from tables and vars is inert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .marks import Map, Mark, Seq
from .scalars import Value, WrittenFloat, WrittenInt

NESTING = 8  # `${a[b[c]]}`, levels of brackets
RESERVED = frozenset(("id", "member", "export", "image"))  # built-in names
BROKEN = object()  # the value of a var that has a problem already: what uses it is not told


class Ref(NamedTuple):
    """One `${…}`: a name, then keys (text) and looked-up keys (Ref). `source` is how it is written, with `${` and `}`."""

    name: str
    steps: tuple[str | Ref, ...]
    source: str


Template = tuple[str | Ref, ...]
Scope = Sequence[Mapping[str, Any]]


class Bad(Exception):
    """A `${…}` that can't be put in. `needle` is the piece of text to point at; `name` and `known` are for a suggestion."""

    def __init__(self, text: str, needle: str, hint: str | None = None, *, name: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.text, self.needle, self.hint, self.name, self.known = text, needle, hint, name, known
        self.more: list[Bad] = []  # the others of the same text


class Quiet(Bad):
    """It names something that has a problem of its own, already told."""


class Vague(dict[str, Any]):
    """Names of which some got lost with a problem: every name is there, the value of a lost one BROKEN."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> object:
        return BROKEN


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
        ref, place = _reference(text, start)
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(ref)
    if literal:
        parts.append(literal)
    return tuple(parts)


def _reference(text: str, start: int) -> tuple[Ref, int]:
    """The reference that begins at `start`, and where the text goes on."""
    end = text.find("}", start)
    line = text.find("\n", start)
    if end < 0 or (0 <= line < end):
        raise Bad("this `${` is never closed", text[start : start + 2], "close it with `}`, or write `$${` for a literal `${`")
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
                f"`{whole}` can't hold `{char}`", whole, "write `${name}`, `${name.key}` or `${name[other]}`; there is no logic"
            )
        else:
            word += char
        place += 1
    if expects or word.strip():
        if not expects or not word.strip():
            raise Bad(f"`{whole}` lacks a name", whole, "write `${name}`, `${name.key}` or `${name[other]}`")
        pieces.append(word.strip())
    return Ref(str(pieces[0]), tuple(pieces[1:]), whole), place


def lookup(ref: Ref, scope: Scope) -> Value:
    """What a reference names. Raises Bad with what would have been there."""
    for names in scope:
        if ref.name in names:
            value = names[ref.name]
            break
    else:
        if ref.name.isdigit() and not ref.steps:
            return ref.name  # `${list[0]}`
        known = tuple(dict.fromkeys(name for names in scope for name, each in names.items() if each != {}))
        hint = "known here: " + ", ".join(f"`{name}`" for name in known[:12]) if known else "no names are known here"
        if ref.name == "export":
            raise Bad("`${export}` has a meaning only in an export's path", ref.source)
        if ref.name == "member":
            raise Bad(
                "`${member}` has a meaning only in the `output` of a set", ref.source, "the members of a set share one prompt"
            )
        if ref.name == "image":
            raise Bad("`${image.…}` has a meaning only in prompts, styles and hints", ref.source)
        raise Bad(f"nothing is called `{ref.name}`", ref.source, hint, name=ref.name, known=known)
    way = ref.name
    for step in ref.steps:
        if value is BROKEN:
            raise Quiet("", ref.source)
        key = step if isinstance(step, str) else words(lookup(step, scope), step)
        if isinstance(value, Mapping):
            if key not in value:
                known = tuple(str(each) for each in value)
                some = ", ".join(f"`{each}`" for each in known[:12])
                raise Bad(
                    f"`{way}` has no `{key}`", ref.source, f"it has {some}" if known else "it is empty", name=key, known=known
                )
            value = value[key]
        elif isinstance(value, (list, tuple)):
            if not key.isdigit() or int(key) >= len(value):
                raise Bad(f"`{way}` is a list of {len(value)}; it has no `{key}`", ref.source, "count from 0, as in `${name[0]}`")
            value = value[int(key)]
        else:
            raise Bad(f"`{way}` is a text; it has no `{key}`", ref.source, f"write `${{{way}}}`")
        way = f"{way}.{key}"
    if value is BROKEN:
        raise Quiet("", ref.source)
    return value


def words(value: Value, ref: Ref | None = None) -> str:
    """A value as it stands in a text: numbers as they were written. Raises Bad for lists, mappings and nothing."""
    if isinstance(value, str):
        return value
    source = ref.source if ref is not None else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (WrittenInt, WrittenFloat)):
        return value.text
    if isinstance(value, (int, float)):
        return str(value)
    if value is None:
        raise Bad(f"`{source[2:-1]}` has no value", source, "give it one, or a default with `defaults:` of the axis")
    kind = "a mapping" if isinstance(value, Mapping) else "a list"
    raise Bad(f"`{source[2:-1]}` is {kind}; it can't stand inside a text", source, "name one of its parts, as in `${name.key}`")


def render(text: str, scope: Scope) -> Value:
    """A text with everything put in; the value itself, of its own type, when the text is exactly one `${…}`. Raises Bad, which
    holds those of all its `${…}`."""
    try:
        parts = template(text)
        if len(parts) == 1 and isinstance(parts[0], Ref):
            return lookup(parts[0], scope)
        return "".join([part if isinstance(part, str) else words(lookup(part, scope), part) for part in parts])
    except Bad as e:
        e.more = [each for each in _all_bad(text, scope) if each.needle != e.needle]
        raise


def _all_bad(text: str, scope: Scope) -> list[Bad]:
    """What is wrong with each `${…}` of a text, in their order."""
    found: list[Bad] = []
    start = text.find("${")
    while start >= 0:
        end = start + 2
        if not start or text[start - 1] != "$":
            try:
                ref, end = _reference(text, start)
                value = lookup(ref, scope)
                if ref.source != text:
                    words(value, ref)
            except Bad as e:
                found.append(e)
        start = text.find("${", end)
    return found


def inert(value: Value, mark: Mark) -> Value:
    """A value that was put in, fit to be rendered once more without a change: each `${` in it is escaped. What has no marks
    stands at `mark`."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        made = Map((str(key), inert(each, mark)) for key, each in value.items())
        made.at = value.at if isinstance(value, Map) else [mark, mark] * len(value)
        return made
    if isinstance(value, (list, tuple)):
        items = Seq(inert(each, mark) for each in value)
        items.at = value.at if isinstance(value, Seq) else [mark] * len(value)
        return items
    return value


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


def render_all(value: Value, scope: Scope, failed: Value) -> Value:
    """A value with every text in it rendered. Marks are kept. `failed(container, key, Bad)` hears of each text that can't be; it
    stays as it is."""
    if isinstance(value, Map):
        made = Map()
        made.at = value.at
        for key, each in value.items():
            made[key] = _rendered(value, key, each, scope, failed)
        return made
    if isinstance(value, Seq):
        items = Seq(_rendered(value, index, each, scope, failed) for index, each in enumerate(value))
        items.at = value.at
        return items
    return value


def _rendered(inside: Value, key: Value, value: Value, scope: Scope, failed: Value) -> Value:
    if isinstance(value, str):
        if "${" in value:
            try:
                return render(value, scope)
            except Bad as e:
                failed(inside, key, e)
        return value
    return render_all(value, scope, failed) if isinstance(value, (Map, Seq)) else value
