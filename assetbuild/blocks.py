"""A spec's text as blocks: the lines of one key under `assets:` or `overrides:` each, and what stands around them. Pure; works on
bytes and offsets, and knows no file, no asset and no plan.

What these functions promise is what a plan that looks only at some blocks stands on: a text is the sum of its blocks exactly if
each of them can be read by itself. Whatever is unusual has no sections here, and is read whole by others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .spec.marks import Map, Unreadable, parse

_CONTENT = re.compile(rb"(?m)^([ \t]*)(?=[^ \t\r\n#])")  # a line with more than a comment
_OUTER = re.compile(rb"(?m)^(?=[^ \t\r\n#])")
_ANCHOR = re.compile(rb"&(?<![^\s\[{,:?\-]&)[^\s&]")
# NEL, LS, PS: line ends for YAML only; NUL: no text at all.
_RARE = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\0")
_BOM = b"\xef\xbb\xbf"


class Section(NamedTuple):
    """One of a spec's mappings whose entries stand below each other. Offsets in bytes: of its own line, of its first entry's line,
    and of what follows its last; `indent` is that of its entries, in spaces."""

    line: int
    first: int
    end: int
    indent: int


def section(text: bytes, name: str) -> Section | None:
    """The section `name:` of a text; None when it has none, or one written in another form than lines below each other."""
    lines = list(re.finditer(rb"(?m)^%s:(?:[ \t]+#[^\n]*|[ \t]*)\r?$" % name.encode(), text))
    if len(lines) != 1:
        return None
    content = _CONTENT.search(text, lines[0].end())
    if content is None or not content[1] or content[1].strip(b" "):
        return None
    end = _OUTER.search(text, content.end())
    return Section(lines[0].start(), content.start(), len(text) if end is None else end.start(), len(content[1]))


def starts(text: bytes, begin: int, end: int, indent: int) -> list[int] | None:
    """The offsets of the lines in `text[begin:end]` at which an entry with this indent starts; None when a line isn't indented
    enough to be part of one. `begin` is the start of a line."""
    if re.compile(rb"(?m)^ {0,%d}(?=[^ \t\r\n#])" % (indent - 1)).search(text, begin, end):
        return None
    return [found.start() for found in re.compile(rb"(?m)^ {%d}(?=[^ \t\r\n#])" % indent).finditer(text, begin, end)]


def odd(text: bytes) -> bool:
    """Whether a text may hold what reaches from one block into another (some innocent texts too): an anchor, a line end that not all
    take for one, a BOM inside."""
    if any(each in text for each in _RARE) or text.find(_BOM, 1) >= 0 or text.count(b"\r") != text.count(b"\r\n"):
        return True
    return _ANCHOR.search(text) is not None


def key_of(block: bytes, indent: int) -> str | None:
    """The key of a block, if it is one entry of a mapping that can be read by itself from its first line to its end; else None.

    Any number of such blocks below each other is a mapping of just these entries: nothing in one can be left open for the next.
    """
    try:
        parsed = parse(block.decode("utf-8"), "")
    except (UnicodeDecodeError, Unreadable):
        return None
    value = parsed.value
    if type(value) is not Map or len(value) != 1 or any(each.kind in ("several", "key", "merge") for each in parsed.oddities):
        return None
    mark = value.at[0]
    return next(iter(value)) if (mark.line, mark.column) == (0, indent) else None


def closed(text: bytes) -> bool:
    """Whether a piece of a text beside its sections can be read by itself: entries of the root's mapping, or nothing but comments."""
    try:
        parsed = parse(text.decode("utf-8-sig"), "")
    except (UnicodeDecodeError, Unreadable):
        return False
    return parsed.value is None or (type(parsed.value) is Map and not any(each.kind == "several" for each in parsed.oddities))


def differing(old: bytes, new: bytes) -> tuple[int, int]:
    """Where two texts begin to differ, and where in `old` they are the same again up to their ends."""
    same = _common(old, new)
    most = min(len(old), len(new)) - same
    low, high = 0, most  # the last `low` bytes are known to be the same
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return same, len(old) - low


def around(text: bytes, sections: Iterable[Section]) -> list[bytes]:
    """The pieces of a text before, between and after its sections."""
    pieces, last = [], 0
    for each in sorted(sections):
        pieces.append(text[last : each.line])
        last = each.end
    return [*pieces, text[last:]]


def _common(old: bytes, new: bytes) -> int:
    """How many bytes two texts begin with in common."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
