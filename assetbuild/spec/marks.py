"""YAML text as plain Python values that know where they stand. It knows YAML's grammar and core types; it does not know what a
spec is.

Built straight on the events of the C parser (libyaml), a fifth of the time of `yaml.load`; without libyaml the slow parser gives
the same events. A mapping is a dict that keeps the marks of its keys and values, a sequence a list that keeps those of its items.
Keys are text as written. Plain scalars are typed as YAML 1.2 core says; what a number doesn't print back as written (`1.10`,
`1e3`) keeps its text. Nothing recurses, so no text can exhaust the stack; depth and aliases are limited.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, NamedTuple, Protocol

from .scalars import CONSTANTS, CURLY, ODD, OLD_BOOLEANS, RATIO, Value, scalar

DEPTH = 100  # levels of nesting; far more than a spec has, far less than Python's stack
ENOUGH = 1000  # oddities of one text
ROOM = 1_000_000  # characters that aliases may stand for, beside ten times the text itself


class Mark(Protocol):
    """A place in a text, as the parser gives it: `name` of the file, `index` in characters, `line` and `column` from 0."""

    name: str
    index: int
    line: int
    column: int


class Map(dict[str, Any]):
    """A mapping. `at` holds the marks of key and value in turn, in the order of the keys."""

    __slots__ = ("at",)
    at: list[Mark]

    def mark(self, key: str, on: str = "value") -> Mark:
        """The mark of a key (`on="key"`) or of what stands under it."""
        place = list(self).index(key) * 2
        return self.at[place if on == "key" else place + 1]

    def drop(self, key: str) -> None:
        """Takes an entry out, with its marks."""
        place = list(self).index(key) * 2
        del self[key], self.at[place : place + 2]

    def only(self, keys: Container[str]) -> Map:
        """Some of its entries, with their marks, in their order."""
        made = Map()
        made.at = []
        for index, (key, value) in enumerate(self.items()):
            if key in keys:
                made[key] = value
                made.at += self.at[index * 2 : index * 2 + 2]
        return made

    def take(self, other: Map, key: str) -> None:
        """An entry of another mapping, with its marks; this one has none of that name."""
        self[key] = other[key]
        self.at += [other.mark(key, "key"), other.mark(key)]


class Seq(list[Any]):
    """A sequence. `at` holds the mark of each item."""

    __slots__ = ("at",)
    at: list[Mark]


class Oddity(NamedTuple):
    """Something that YAML allows and an author hardly ever means, or that a spec can't use. `path` leads to it from the root.

    Kinds: duplicate, boolean, ratio, curly, comment, hidden, lone, tag, anchor, key, several, merge.
    """

    kind: str
    mark: Mark
    text: str
    path: tuple[str, ...]
    other: Mark | None = None


class Parsed(NamedTuple):
    """A text read to its end. `value` is None for a text without a value.

    Where it had to be mended to be readable, `torn` holds an index in each value (or key) that isn't what stands in the text, and
    `gone` the first index and the end of lines that are missing.
    """

    value: Any
    mark: Mark | None
    oddities: list[Oddity]
    torn: tuple[int, ...] = ()
    gone: tuple[tuple[int, int], ...] = ()


class Unreadable(Exception):
    """The text is no YAML. `kind` is "syntax" (then `context` and `problem` are the parser's words), "depth", "bomb", "loop" or
    "alias"."""

    def __init__(
        self,
        kind: str,
        mark: Mark | None,
        oddities: list[Oddity],
        *,
        problem: str = "",
        context: str = "",
        start: Mark | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind, self.mark, self.oddities = kind, mark, oddities
        self.problem, self.context, self.start = problem, context, start


class _Named:
    """A text as a stream with a name, so that each mark carries the name of its file."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name, self.place = text, name, 0

    def read(self, size: int = -1, /) -> str:
        part = self.text[self.place : self.place + size]
        self.place += size
        return part


def events(text: str, name: str, *, pure: bool = False) -> Callable[[], Any]:
    """The parser's `get_event` for a text: libyaml's, or the slow one where libyaml is missing (or asked for)."""
    import yaml  # 20 ms

    if not pure and yaml.__with_libyaml__:
        from yaml._yaml import CParser

        return CParser(_Named(text, name)).get_event

    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class Slow(Reader, Scanner, Parser):
        def __init__(self) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            self.name = name

    return Slow().get_event


def parse(text: str, name: str, *, pure: bool = False) -> Parsed:
    """The values of a text. `name` is what marks call the file. Raises Unreadable for what is no YAML, too deep, or an alias
    bomb.

    The text must hold no NUL; what is allowed and odd comes back in `oddities` for the caller to judge.
    """
    import yaml

    oddities: list[Oddity] = []
    try:
        return _Builder(text, events(text, name, pure=pure), oddities).document()
    except yaml.MarkedYAMLError as e:
        start = e.context_mark
        raise Unreadable(
            "syntax", e.problem_mark or start, oddities, problem=e.problem or "", context=e.context or "", start=start
        ) from None
    except yaml.reader.ReaderError as e:
        raise Unreadable("character", None, oddities, problem=str(e.reason)) from None


class _Builder:
    """One walk over the events of a text. `document` is the loop; the other methods are what it seldom needs."""

    def __init__(self, text: str, get: Callable[[], Any], oddities: list[Oddity]) -> None:
        self.text, self.get, self.oddities = text, get, oddities
        self.anchors: dict[str, Any] = {}
        self.opened: dict[
            int, tuple[str, Mark, int]
        ] = {}  # containers with an anchor, still open: name, mark, aliased characters before
        self.sizes: dict[int, int] = {}  # characters that an anchored container stands for, aliases included
        self.heights: dict[int, int] = {}
        self.loose: dict[str, tuple[Mark, tuple[str, ...]]] = {}  # anchors on texts that no alias has named yet
        self.aliased = 0
        self.seen: set[str] = set()
        self.stack: list[tuple[Any, list[Mark], bool, str]] = []

    def document(self) -> Parsed:
        """All values of the text. Raises Unreadable, yaml.YAMLError."""
        from yaml.events import (
            DocumentEndEvent,
            MappingEndEvent,
            MappingStartEvent,
            ScalarEvent,
            SequenceEndEvent,
            SequenceStartEvent,
            StreamEndEvent,
        )

        get, text, stack, constants, odd = self.get, self.text, self.stack, CONSTANTS, ODD
        comments = " #" in text or "\t#" in text
        dressed = "&" in text or "!" in text
        seen = self.seen  # odd keys that turned out to be plain ones: `tags` begins like `true`
        get()
        event = get()
        if event.__class__ is StreamEndEvent:
            return Parsed(None, None, self.oddities)
        root: list[Any] = []
        marks: list[Mark] = []
        at: list[Mark] = marks
        current: Any = root
        in_map, key = False, ""
        value: Any
        while True:
            event = get()
            kind = event.__class__
            if in_map:
                if kind is ScalarEvent:
                    key = event.value
                    if key in current or dressed or not key or (key[0] in odd and key not in seen):
                        key = self.key(event, current)
                    at.append(event.start_mark)
                    event = get()
                    kind = event.__class__
                elif kind is MappingEndEvent:
                    if "<<" in current:
                        self.merge(current)
                    if self.opened and id(current) in self.opened:
                        self.close(current, event)
                    current, at, in_map, key = stack.pop()
                    continue
                else:
                    key = self.strange_key(event, current)
                    at.append(event.start_mark)
                    event = get()
                    kind = event.__class__
            mark = event.start_mark
            if kind is ScalarEvent:
                value = event.value
                if not event.style:
                    if not value or value[0] in odd:
                        value = constants[value] if value in constants else self.plain(event, key, in_map)
                    if comments or value is None:
                        self.after(event, value, key, in_map)
                if dressed and (event.tag is not None or event.anchor is not None):
                    value = self.dressed(event, value, key, in_map)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                value = Map() if kind is MappingStartEvent else Seq()
                if dressed and (event.tag is not None or event.anchor is not None):
                    self.open(event, value, key, in_map)
                if len(stack) > DEPTH:
                    raise Unreadable("depth", mark, self.oddities)
                if in_map:
                    current[key] = value
                else:
                    current.append(value)
                at.append(mark)
                stack.append((current, at, in_map, key))
                current, in_map = value, kind is MappingStartEvent
                at = value.at = []
                continue
            elif kind is SequenceEndEvent:
                if self.opened and id(current) in self.opened:
                    self.close(current, event)
                current, at, in_map, key = stack.pop()
                continue
            elif kind is DocumentEndEvent:
                break
            else:
                value = self.alias(event)
            if in_map:
                current[key] = value
            else:
                current.append(value)
            at.append(mark)
        event = get()
        if event.__class__ is not StreamEndEvent:
            self.oddities.append(Oddity("several", event.start_mark, "", ()))
        self.oddities += [Oddity("anchor", mark, name, path) for name, (mark, path) in self.loose.items()]
        return Parsed(root[0], marks[0], self.oddities)

    def path(self, key: str, in_map: bool) -> tuple[str, ...]:
        """The way from the root to the entry being read; items of a sequence are `[]`."""
        keys = [k if inside else "[]" for _, _, inside, k in self.stack[1:]]
        return (*keys, key if in_map else "[]") if self.stack else ()

    def odd(self, kind: str, mark: Mark, text: str, key: str, in_map: bool, *, other: Mark | None = None) -> None:
        if len(self.oddities) >= ENOUGH:
            raise Unreadable("many", mark, self.oddities)
        self.oddities.append(Oddity(kind, mark, text, self.path(key, in_map), other))

    def key(self, event: Value, current: Map) -> str:
        """A key that needs a look: a second one of its name, a plain one that isn't text elsewhere, one with a tag or anchor."""
        key: str = event.value
        if event.tag is not None or event.anchor is not None:
            self.odd("tag" if event.tag is not None else "anchor", event.start_mark, event.tag or event.anchor, key, True)
        if not event.style:
            if key in OLD_BOOLEANS:
                self.odd("boolean", event.start_mark, key, key, True, other=event.start_mark)
            elif RATIO.fullmatch(key):
                self.odd("ratio", event.start_mark, key, key, True, other=event.start_mark)
            elif key == "":
                self.odd("key", event.start_mark, "", key, True)
            else:
                self.seen.add(key)
        if key in current:
            self.odd("duplicate", event.start_mark, key, key, True, other=current.mark(key, "key"))
            while key in current:  # keeps marks and keys in step; the spec is refused anyway
                key += "\0"
        return key

    def strange_key(self, event: Value, current: Map) -> str:
        """A key that is no text: an alias, a list, a mapping. Reads it to its end."""
        from yaml.events import CollectionEndEvent, CollectionStartEvent

        self.odd("key", event.start_mark, self.text[event.start_mark.index : event.start_mark.index + 2], "", True)
        depth = int(isinstance(event, CollectionStartEvent))
        while depth:
            event = self.get()
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        key = "\0"
        while key in current:
            key += "\0"
        return key

    def plain(self, event: Value, key: str, in_map: bool) -> Value:
        """The value of a plain scalar whose first character may mean more than text."""
        text: str = event.value
        if text in OLD_BOOLEANS:
            self.odd("boolean", event.start_mark, text, key, in_map)
        elif ":" in text and RATIO.fullmatch(text):
            self.odd("ratio", event.start_mark, text, key, in_map)
        elif text[0] in CURLY:
            inner = text[1:-1]
            if len(text) > 1 and text[-1] in CURLY[text[0]] and not any(c in inner for c in CURLY[text[0]] + text[0]):
                self.odd("curly", event.start_mark, text, key, in_map)
        else:
            return scalar(text)
        return text

    def after(self, event: Value, value: Value, key: str, in_map: bool) -> None:
        """What follows a plain scalar on its line: a comment that swallowed its rest, or nothing where a value should be."""
        end: int = event.end_mark.index
        text, place = self.text, end
        while text[place : place + 1] in (" ", "\t"):
            place += 1
        follows = text[place : place + 1]
        if follows == "#" and text[place - 1 : place] in (" ", "\t"):
            if value is not None:
                self.odd("comment", event.start_mark, text[event.start_mark.index : end], key, in_map, other=event.end_mark)
            elif text[place + 1 : place + 2].isalnum():
                self.odd("hidden", event.start_mark, text[place:].split("\n", 1)[0].rstrip(), key, in_map)
        elif value is None and not event.value and in_map and follows in (",", "}"):
            self.odd("lone", event.start_mark, key, key, in_map)

    def dressed(self, event: Value, value: Value, key: str, in_map: bool) -> Value:
        """A scalar with a tag (`!!str` and `!` make it text, others mean nothing here) or an anchor."""
        if event.tag in ("!", "tag:yaml.org,2002:str"):
            value = event.value
        elif event.tag is not None:
            self.odd("tag", event.start_mark, event.tag, key, in_map)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
            if not event.style:
                self.loose[event.anchor] = (event.start_mark, self.path(key, in_map))
        return value

    def open(self, event: Value, value: Map | Seq, key: str, in_map: bool) -> None:
        """A container with a tag or an anchor begins."""
        if event.tag is not None and event.tag not in ("!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self.odd("tag", event.start_mark, event.tag, key, in_map)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
            self.opened[id(value)] = (event.anchor, event.start_mark, self.aliased)

    def close(self, value: Map | Seq, event: Value) -> None:
        """A container with an anchor ends: its size and height are known now."""
        _, mark, before = self.opened.pop(id(value))
        self.sizes[id(value)] = max(1, event.end_mark.index - mark.index) + self.aliased - before
        height = 0
        level: list[Any] = [value]
        while level:
            height += 1
            below = [
                c for each in level for c in (each.values() if isinstance(each, dict) else each) if isinstance(c, (dict, list))
            ]
            known = [self.heights[id(c)] for c in below if id(c) in self.heights]
            level = [c for c in below if id(c) not in self.heights]
            self.heights[id(value)] = max(self.heights.get(id(value), 0), height + max(known, default=0), height)

    def alias(self, event: Value) -> Value:
        """What an alias stands for. Raises Unreadable for an unknown one, one inside itself, and for a bomb."""
        name = event.anchor
        if name not in self.anchors:
            raise Unreadable("alias", event.start_mark, self.oddities, problem=name)
        self.loose.pop(name, None)
        value = self.anchors[name]
        if isinstance(value, (dict, list)):
            if id(value) in self.opened:
                raise Unreadable("loop", event.start_mark, self.oddities, problem=name)
            self.aliased += self.sizes[id(value)]
            if self.aliased > ROOM + 10 * len(self.text):
                raise Unreadable("bomb", event.start_mark, self.oddities, problem=name)
            if len(self.stack) + self.heights[id(value)] > DEPTH:
                raise Unreadable("depth", event.start_mark, self.oddities)
        elif isinstance(value, str):
            self.aliased += len(value)
            if self.aliased > ROOM + 10 * len(self.text):
                raise Unreadable("bomb", event.start_mark, self.oddities, problem=name)
        return value

    def merge(self, current: Map) -> None:
        """`<<: *other`: takes the other mapping's entries, with their marks, where this one has none of its own."""
        place = list(current).index("<<")
        mark, sources = current.at[place * 2 + 1], current.pop("<<")
        del current.at[place * 2 : place * 2 + 2]
        for source in sources if isinstance(sources, list) else [sources]:
            if not isinstance(source, Map):
                self.oddities.append(Oddity("merge", mark, "", self.path("<<", True)))
                continue
            for index, (key, value) in enumerate(source.items()):
                if key not in current:
                    current[key] = value
                    current.at += source.at[index * 2 : index * 2 + 2]
