"""What an asset is before it is linked to others: records of a file's common settings, of a step and of an asset. They know where
each thing is written; they decide nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from .compose import Composed, Style
from .gaps import ALL, Gaps
from .marks import Map, Mark
from .model import Export, Op, Param, Source
from .outputs import plain_output
from .sources import Document

WAITING, OPEN, LINKED = 0, 1, 2  # states of a draft
BUILTIN_OUTPUT = "art/${id}.png"
_SHARED = frozenset(
    (
        "provider",
        "model",
        "quality",
        "aspect_ratio",
        "background",
        "seed",
        "style",
        "takes",
        "output",
        "exports",
        "provenance",
        "tags",
        "params",
    )
)  # what defaults and profiles can have
_BY_ENTRY = ("params", "vars", "exports")  # fields of which an override says only what differs
_NONE: frozenset[str] = frozenset()


class Home:
    """What the assets of one file share: its vars with the root's, its styles over the root's, its defaults.

    `above` and `below` are the layers of settings that are stronger and weaker than an asset's own. `simple` holds the two halves
    of the weaker layers' output, where that is a good path with any plain id between them; `output` is where it is written.
    `gaps` are fields that defaults or the profile have with a mistake, so that their values aren't known; `all_styles` is False when there
    may be styles with other names.
    """

    __slots__ = ("above", "all_styles", "below", "defaults", "document", "gaps", "names", "output", "simple", "styles")

    def __init__(
        self,
        document: Document,
        names: dict[str, Any],
        styles: dict[str, Style],
        profile: Map,
        root: Map,
        gaps: Set[str] = _NONE,
        all_styles: bool = True,
    ) -> None:
        self.document, self.names, self.styles = document, names, styles
        self.defaults = document.part("defaults")
        self.above = (profile,) if profile else ()
        self.below = (root,) if document.main else (self.defaults, root)
        self.gaps = gaps | _SHARED if ALL in gaps else gaps
        self.all_styles = all_styles
        self.simple: tuple[str, str] | None = None
        weaker = self.default("output")
        self.output = None if weaker is None else weaker.mark("output")
        written = BUILTIN_OUTPUT if weaker is None else weaker["output"]
        if isinstance(written, str) and written.count("$") == 1 and "${id}" in written and not (profile and "output" in profile):
            before, _, after = written.partition("${id}")
            if (not before or before[-1] == "/") and plain_output(f"{before}x{after}") and after[:1] == ".":
                self.simple = (before, after)

    def default(self, field: str) -> Map | None:
        """The strongest of the weaker layers that has a field."""
        for layer in self.below:
            if field in layer:
                return layer
        return None


class Sketch:
    """One step before its model is known. `own` has its fields; `mark` is where it stands; `vague` when nobody can know its op,
    provider or model because of a mistake in them. `params` is for what is made here: all its settings."""

    __slots__ = ("base", "inputs", "mark", "members", "op", "own", "params", "parts", "prompt", "vague", "variant")

    def __init__(self, op: Op, own: Map, mark: Mark, base: Source | None, composed: Composed) -> None:
        self.op, self.own, self.mark, self.base = op, own, mark, base
        self.inputs, self.prompt, self.parts = composed
        self.members: tuple[str, ...] = ()
        self.variant: str | None = None
        self.vague = False
        self.params: dict[str, Param] | None = None  # of what is made here


class Draft:
    """An asset before it is linked. `mark` is its key in the file, `key` that key as written, `output` where its output is
    written. `row` is the row of its matrix, one of those `among`.

    `gaps` are its fields with a mistake, which `own` doesn't have; `ghost` when it has no id to be found by."""

    __slots__ = (
        "among",
        "approve",
        "axes",
        "description",
        "exports",
        "gaps",
        "ghost",
        "home",
        "id",
        "key",
        "mark",
        "output",
        "outputs",
        "own",
        "pin",
        "provenance",
        "ratio",
        "row",
        "sketches",
        "state",
        "steps",
        "tags",
        "takes",
        "unseen",
    )

    def __init__(self, id: str, home: Home, own: Map, mark: Mark, key: str) -> None:
        self.id, self.home, self.own, self.mark, self.key = id, home, own, mark, key
        self.sketches: list[Sketch] = []
        self.outputs: tuple[str, ...] = ()
        self.exports: tuple[Export, ...] = ()
        self.output: Mark | None = None
        self.tags: tuple[str, ...] = ()
        self.pin = False
        self.provenance = "keep"
        self.takes = 1
        self.approve = False
        self.axes: dict[str, str] | None = None
        self.row: Mapping[str, Any] | None = None
        self.among: Sequence[Mapping[str, Any]] = ()
        self.description: str | None = None
        self.ratio: str | None = None
        self.unseen = False
        self.gaps: Set[str] = _NONE
        self.ghost = False
        self.steps: Any = ()
        self.state = WAITING

    def unknown(self, field: str) -> bool:
        """Whether nobody can know a field's value, because where it is written (or would be) is a mistake, already told."""
        if field in self.gaps:
            return True
        return field not in self.own and (ALL in self.gaps or field in self.home.gaps)

    def strongest(self, field: str) -> Map | None:
        """The layer whose word counts for a field: the profile, the asset, its file's defaults, the root's."""
        home = self.home
        for layer in home.above:
            if field in layer:
                return layer
        return self.own if field in self.own else home.default(field)


def merged(own: Map, over: Map, gaps: Gaps) -> Map:
    """An asset's fields with an override's over them, and what both lack. `params`, `vars` and `exports` are merged by entry,
    all others replaced."""
    made = Map(own)
    made.at = list(own.at)
    for name, said in over.items():
        both = name in _BY_ENTRY and isinstance(said, Map) and isinstance(made.get(name), Map)
        value = merged(made[name], said, gaps) if both else said
        marks = [over.mark(name, "key"), over.mark(name)]
        if name in made:
            place = list(made).index(name) * 2
            made.at[place : place + 2] = marks
        else:
            made.at += marks
        made[name] = value
    lost = gaps.of(over) | {name for name in gaps.of(own) if name not in over or name in _BY_ENTRY}
    if lost:
        gaps.add(made, *lost)
    return made
