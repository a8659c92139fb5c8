"""What of a spec is wrong, was told and is left out: as little as possible, so that all else can be looked at; and remembered, so
that what hangs on it isn't told off too.

Knows mappings, marks and paths. It words nothing, and does not know what a field means.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator, Set

from .marks import Map, Mark, Parsed, Seq
from .outputs import fold
from .scalars import Value
from .shape import Path

ALL = "*"  # a gap: whatever isn't there may be missing
HOLE = "\0hole"  # stands in a list for an item that was left out, so that the others keep their numbers
PATTERNS = 200  # an id is compared with no more keys that hold a `${…}`
_NONE: frozenset[str] = frozenset()
_NAMED = ("assets", "overrides", "profiles", "providers")  # parts whose entries have fields
_ENTRIES = ("vars", "styles", "defaults", "budget")  # parts whose entries are left out one by one
_PARTED = (
    "then",
    "references",
    "tags",
    "vars",
    "params",
    "matrix",
    "prices",
    "exports",
)  # fields of which a part can be left out
_KEY = re.compile(r"(?m)^[ \t]*([^\s#:'\"{\[-][^#:\n]*?)[ \t]*:(?=\s|$)")


class Gaps:
    """What was left out. `unsure` when there may be assets that nobody can name."""

    def __init__(self) -> None:
        self.unsure = False
        self._of: dict[int, set[str]] = {}
        self._kept: list[Map] = []  # alive, so that no other mapping gets its number
        self._lost: set[str] = set()
        self._patterns: dict[str, re.Pattern[str]] = {}

    @property
    def any(self) -> bool:
        """Whether anything was left out so far."""
        return bool(self._of)

    def of(self, inside: Map) -> Set[str]:
        """The names that a mapping would have, were they written right."""
        return self._of.get(id(inside), _NONE) if self._of else _NONE

    def add(self, inside: Map, *names: str) -> None:
        """Remembers names that a mapping lacks."""
        if id(inside) not in self._of:
            self._of[id(inside)] = set()
            self._kept.append(inside)
        self._of[id(inside)].update(names)

    # ---- assets ---------------------------------------------------------------------------------------------------

    def lose(self, key: str) -> None:
        """An asset whose ids aren't known: any that fits its key may be one."""
        if "${" not in key:
            self._lost.add(fold(key))
        elif len(self._patterns) >= PATTERNS:
            self.unsure = True
        elif key not in self._patterns:
            parts = re.split(r"\$\{[^}]*\}?", key)
            self._patterns[key] = re.compile(".+".join(re.escape(fold(part)) for part in parts), re.DOTALL)

    def may_be(self, id: str) -> bool:
        """Whether an id that no asset has may be one that got lost."""
        folded = fold(id)
        return self.unsure or folded in self._lost or any(each.fullmatch(folded) for each in self._patterns.values())

    # ---- leaving out ----------------------------------------------------------------------------------------------

    def leave_out(self, fields: Map, paths: Iterable[Path]) -> None:
        """Takes what stands at these paths out of the fields of an asset, profile or the like."""
        units = {path[: 2 if path[0] in _PARTED else 1] for path in paths if path}
        for unit in units:
            name, part = str(unit[0]), unit[1] if unit[1:] else None
            held = fields.get(name)
            if isinstance(held, Seq) and isinstance(part, int):
                held[part] = HOLE
            elif isinstance(held, Map) and part is not None and part in held and unit != ("matrix", "from"):
                held.drop(str(part))
                self.add(held, str(part))
                if name == "vars":
                    continue
            elif name in fields:
                fields.drop(name)
            self.add(fields, name.rstrip("\0"))

    def leave_out_of_spec(self, root: Map, path: Path) -> None:
        """Takes what stands at a path out of a spec: a field of an asset, a var, a style, an include."""
        part, name, inner = str(path[0]), "".join(map(str, path[1:2])), path[2:]
        held = root.get(part)
        if part in _NAMED and isinstance(held, Map) and name in held:
            if isinstance(held[name], Map) and inner:
                self.leave_out(held[name], [inner])
            elif part == "assets":
                held[name] = self.hollow()
            else:
                held.drop(name)
                self.add(held, name)
        elif part in _ENTRIES and isinstance(held, Map) and name:
            if name in held:
                held.drop(name)
            self.add(held, name.rstrip("\0"))
        elif part == "include" and isinstance(held, Seq) and name:
            held[int(name)] = HOLE
            self.unsure = True
        else:
            if part in root:
                root.drop(part)
            self.miss(root, part)

    def miss(self, root: Map, part: str) -> None:
        """A part of a spec isn't there, or not as it was meant."""
        self.add(root, part)
        self.unsure = self.unsure or part in ("assets", "include")

    def hollow(self) -> Map:
        """An asset of which nothing is known."""
        made = Map()
        made.at = []
        self.add(made, ALL)
        return made

    # ---- YAML that was mended -------------------------------------------------------------------------------------

    def mend(self, root: Map, parsed: Parsed, text: str) -> list[tuple[Path, Mark]]:
        """Takes out of a spec what its YAML had to be mended for; gives the paths of what is gone, and where the last key of each
        stands."""
        if not parsed.torn and not parsed.gone:
            return []
        marks = sorted({mark.index for mark in _marks(root)})
        torn = {_before(marks, index) for index in parsed.torn}
        places = list(_places(root, torn, ()))
        lost = [each for path, _, on_key in places if not on_key for each in self._keys(root, path)]
        for path, mark, on_key in places:
            if on_key and path[0] == "assets" and path[1:] and not path[2:]:
                if str(path[1]).endswith("\0"):
                    continue  # the second of its name
                self.lose(text[mark.index :].split(":", 1)[0].strip())
                if path[1] in root.get("assets", ()):
                    root["assets"].drop(str(path[1]))
            else:
                self.leave_out_of_spec(root, path)
        for start, stop in parsed.gone:
            for path, _, _ in list(_places(root, {_before(marks, start)}, ())):
                self._hurt(root, path)
            for name in _KEY.findall(text[start:stop]):
                self.lose(name)
                if name in (*_NAMED, *_ENTRIES, "include") and name not in root:
                    self.miss(root, name)
        return lost

    def _keys(self, root: Map, path: Path) -> list[tuple[Path, Mark]]:
        """The field of an asset, profile, defaults or the spec that a path leads through, and where its name stands."""
        depth = 3 if path[0] in _NAMED else 2 if path[0] in ("defaults", "budget") else 1
        if len(path) < depth:
            return []
        inside: Value = root
        for step in path[: depth - 1]:
            inside = inside[step]
        name = str(path[depth - 1])
        if not isinstance(inside, Map) or inside[name] is None:  # None: the rest of a text that was cut at a comma
            return []
        return [(path[:depth], inside.mark(name, "key"))]

    def _hurt(self, root: Map, path: Path) -> None:
        """Lines are gone behind what stands at a path."""
        part = str(path[0])
        held = root.get(part)
        if part in _ENTRIES and isinstance(held, Map):
            self.add(held, ALL)
            return
        if part in _NAMED and isinstance(held, Map) and path[1:]:
            fields = held.get(str(path[1]))
            if isinstance(fields, Map):
                self.add(fields, ALL)
                return
        self.leave_out_of_spec(root, path[: 2 if part in _NAMED else 1])


def _before(marks: list[int], index: int) -> int:
    """The last of these that isn't behind an index."""
    return marks[max(0, bisect.bisect_right(marks, index) - 1)] if marks else -1


def _marks(root: Value) -> Iterator[Mark]:
    """All marks below a value, those of what aliases share once."""
    todo, seen = [root], set()
    while todo:
        each = todo.pop()
        if isinstance(each, (Map, Seq)) and id(each) not in seen:
            seen.add(id(each))
            yield from each.at
            todo += each.values() if isinstance(each, Map) else each


def _places(value: Value, wanted: set[int], above: Path) -> Iterator[tuple[Path, Mark, bool]]:
    """Where something stands at one of these indices, and whether it is a key; of several with one mark the innermost. No deeper
    than a text may be."""
    if isinstance(value, Map):
        entries: list[tuple[str | int, Value, Mark | None, Mark]] = [
            (key, each, value.at[2 * n], value.at[2 * n + 1]) for n, (key, each) in enumerate(value.items())
        ]
    else:
        entries = [(n, each, None, value.at[n]) for n, each in enumerate(value)]
    for step, each, key, mark in entries:
        path = (*above, step)
        if key is not None and key.index in wanted:
            yield path, key, True
            continue
        inner = list(_places(each, wanted, path)) if isinstance(each, (Map, Seq)) else []
        if inner:
            yield from inner
        elif mark.index in wanted:
            yield path, mark, False
