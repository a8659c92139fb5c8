"""Plans by looking only at what can have changed since a build found everything up to date: the blocks of the spec that differ, and what
hangs on them. All other files are vouched for by the stamp table.

Every decision is the ordinary planner's, on a spec of only those blocks. It answers only where its answer is that of a whole look; at
any doubt it gives None, and whoever asked looks at everything, which also words every mistake. It writes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from . import __version__, blocks, lockfile, outline, stamptable
from .errors import Place
from .facts import AssetPlan, Planner, StepPlan
from .known import Known
from .lockfile import Lock
from .outline import Entry, Head, Outline
from .plan import Decision, Facts, TakeFacts, Verb
from .project import Project
from .reader import DiskReader
from .spec.model import Asset, Spec, Step, files_of
from .stamps import FileDigests

MOST_CHANGED = 50  # blocks; above it a whole look isn't much slower
MOST_ASSETS = 500  # to be looked at
BY_TABLE = 20  # assets to be looked at above which reading all stamps is quicker than hashing


class Doubt(Exception):
    """It can't be shown that the answer would be that of a whole look. The argument says why, for tests."""


def plans(project: Project) -> tuple[list[AssetPlan], Project] | None:
    """The plans of all assets in building order, as `Planner.plan` would give them, and the project to report them with (to be closed too).

    An asset that wasn't looked at has a plan without steps that says that it is up to date. None when a whole look is needed.
    """
    try:
        return looked(project)
    except Exception:  # any doubt, damage or mistake of the spec: the ordinary way says it properly
        return None


def looked(project: Project) -> tuple[list[AssetPlan], Project]:
    """See `plans`. Raises Doubt, or whatever was met on the way."""
    table = str(project.stamps_path)
    digest, content = outline.read(table)
    text = DiskReader(str(project.root)).read(project.spec_name)
    header = stamptable.header(tool=__version__, profile=project.profile, spec=project.spec_name, environ=project.env.environ)
    above = os.fsencode(os.path.join(str(project.root), ""))
    stamptable.unchanged(table, above, {**header, outline.DIGEST: digest}, but=os.fsencode(project.spec_name))
    # All but the spec is as it was when each asset was up to date. From here on the spec is what was read above.
    old = outline.understood(content)
    fresh, changed = fresh_blocks(old, text)
    hanging = reach(changed | set(old.head.unsettled), old, users=True)
    wanted = reach(hanging | ({old.head.own} if old.head.included else set()), old, users=False)
    if not wanted:
        return [_SETTLED] * old.head.total, Part(project, b"", 0)
    entries = [entry for number in sorted(wanted) for entry in old.block(number).entries]
    part = Part(project, reduced(old, fresh, wanted), len(entries))
    try:
        if part.spec.manifest is not None:
            raise Doubt("the manifest holds all assets")
        same_frame(part.spec, old.head)
        same_assets(part, entries)
        return _planned(part, old, entries, {entry.id for number in hanging for entry in old.block(number).entries}), part
    except BaseException:
        part.close()
        raise


# ── which blocks ──


def fresh_blocks(old: Outline, text: bytes) -> tuple[dict[int, bytes], set[int]]:
    """The blocks whose text is another now, by where they start in the old text, and the numbers of the blocks that they are about.
    Raises Doubt when anything else has changed."""
    was = old.text
    begins, ends = blocks.differing(was, text)
    if begins == len(was) == len(text):
        return {}, set()
    for section in (old.head.assets, old.head.overrides):
        if section is not None and section.first < begins and ends <= section.end:
            break
    else:
        raise Doubt("outside of the blocks")
    first, last = old.number_at(section, begins - 1), old.number_at(section, ends)
    bounds = old.bounds(section, first, last)
    end = bounds[-1] + len(text) - len(was)
    if end < len(text) and text[end - 1 : end] != b"\n":
        raise Doubt("the last line goes on")
    now = blocks.starts(text, bounds[0], end, section.indent)
    if now is None or len(now) != len(bounds) - 1 or now[0] != bounds[0]:
        raise Doubt("other blocks")
    fresh, places = {}, []
    for n, begin in enumerate(now):
        block = text[begin : now[n + 1] if n + 1 < len(now) else end]
        before = was[bounds[n] : bounds[n + 1]]
        if block == before:
            continue
        key = blocks.key_of(block, section.indent)
        if key is None or blocks.odd(block) or key != blocks.key_of(before, section.indent):
            raise Doubt("another block")
        fresh[bounds[n]] = block
        places.append(first + n)
        if len(fresh) > MOST_CHANGED:
            raise Doubt("many blocks")
    if section is old.head.assets:
        return fresh, set(places)
    overrides = old.overrides()
    return fresh, {overrides[place].block for place in places}


def reach(numbers: set[int], old: Outline, *, users: bool) -> set[int]:
    """These blocks and all that hang on them, or all that they are made from. Raises Doubt when these are too many assets."""
    found, todo, assets = set(numbers), list(numbers), 0
    while todo:
        block = old.block(todo.pop())
        assets += len(block.entries)
        if assets > MOST_ASSETS:
            raise Doubt("many assets")
        for other in block.users if users else block.bases:
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def reduced(old: Outline, fresh: Mapping[int, bytes], wanted: set[int]) -> bytes:
    """The text of the spec with no other blocks than these, and their overrides."""
    head, was = old.head, old.text
    spans = {head.assets: [old.block(number)[:2] for number in sorted(wanted) if number < head.own]}
    if head.overrides is not None:
        spans[head.overrides] = [each[:2] for each in old.overrides() if each.block in wanted]
    parts, last = [], 0
    for section in sorted(spans):
        if spans[section]:
            parts.append(was[last : section.first])
            parts += [fresh.get(start, was[start:end]) for start, end in spans[section]]
        else:
            parts.append(was[last : section.line])
        last = section.end
    return b"".join([*parts, was[last:]])


# ── what they say ──


class _Given(DiskReader):
    """The disk, but for one file whose bytes are given."""

    def __init__(self, part: Project, path: str, content: bytes) -> None:
        super().__init__(str(part.root), part.sizes)
        self._path, self._content = path, content

    def read(self, path: str) -> bytes:
        """The bytes of a file, see `DiskReader.read`."""
        return self._content if path == self._path else super().read(path)


class Part(Project):
    """A project whose spec is a part of the real one, of so many assets."""

    def __init__(self, whole: Project, text: bytes, count: int) -> None:
        super().__init__(whole.env, whole.root / whole.spec_name, whole.profile)
        self._text, self._count = text, count

    def load_spec(self) -> Spec:
        """The part's spec. Raises SpecError."""
        from .spec import load

        return load(self.spec_name, _Given(self, self.spec_name, self._text), self.table, profile=self.profile)

    @cached_property
    def digests(self) -> FileDigests:
        """Digests of files; few are quicker hashed than looked up."""
        return super().digests if self._count > BY_TABLE else FileDigests(str(self.root), None)


def same_frame(spec: Spec, head: Head) -> None:
    """Raises Doubt when the part has a file, picture, folder, tree or lockfile that the whole hadn't: it may be another's output."""
    if (spec.tree, spec.lock) != (head.tree, head.lock):
        raise Doubt("tree or lockfile")
    for now, before in ((spec.files, head.files), (spec.pictures, head.pictures), (spec.globs, head.globs)):
        if not set(now) <= set(before):
            raise Doubt("a file that wasn't there")


def same_assets(part: Project, entries: Sequence[Entry]) -> None:
    """Raises Doubt unless the part has these assets, with these outputs, made from these: then no other asset is touched by what changed."""
    graph = part.graph
    if [(each.id, files_of(each), graph.bases[each.id]) for each in part.spec.assets] != [
        entry[:1] + entry[2:4] for entry in entries
    ]:
        raise Doubt("other assets, outputs or bases")


# ── what is to be done with them ──


class Looker(Known):
    """Reads only the lines of the lockfile that it needs: its assets', and those with a key or digest it asks about."""

    def __init__(self, part: Project, text: bytes, ids: Iterable[str]) -> None:
        self._text, self._asked = text, set[str]()
        self._lines: dict[int, bytes] = {}  # by where they start
        for name in ids:
            start = b'\n{"id":' + json.dumps(name, ensure_ascii=False).encode() + b","
            if text.count(start) != 1:
                raise Doubt("lockfile")
            self._keep(text.index(start) + 1)
        part.lock = self._read()
        super().__init__(part, part.lock)

    def _keep(self, start: int) -> int:
        end = self._text.find(b"\n", start)
        end = len(self._text) if end < 0 else end
        self._lines[start] = self._text[start:end]
        return end

    def _read(self) -> Lock:
        lines = [self._lines[start] for start in sorted(self._lines)]
        lock = lockfile.parse(b"\n".join([lockfile.HEADER.encode(), *lines]).decode("utf-8"))
        if lock.doubles or len(lock.lines) != len(lines):
            raise Doubt("two lines of one asset")
        return lock

    def _ask(self, hexed: str) -> None:
        """Every line that holds a key or digest is read."""
        if hexed in self._asked:
            return
        self._asked.add(hexed)
        count, wanted = len(self._lines), hexed.encode()
        place = self._text.find(wanted)
        while place >= 0:
            place = self._text.find(wanted, self._keep(self._text.rfind(b"\n", 0, place) + 1))
        if len(self._lines) > count:
            self.lock = self._read()
            if any(line.by_hand and name not in self.project.assets for name, line in self.lock.lines.items()):
                raise Doubt("made by hand")  # such a line counts only if its id has left the spec
            for view in ("_by_digest", "_by_key"):
                self.__dict__.pop(view, None)

    def takes(self, step: Step, key: str | None) -> list[TakeFacts]:
        """See `Known.takes`."""
        if key is not None:
            self._ask(key)
        return super().takes(step, key)

    def file_with(self, digest: str) -> str | None:
        """See `Known.file_with`."""
        self._ask(digest)
        return super().file_with(digest)

    def whose(self, name: str, digest: str) -> str:
        """See `Known.whose`."""
        self._ask(digest)
        return super().whose(name, digest)


def _planned(part: Project, old: Outline, entries: Sequence[Entry], hanging: set[str]) -> list[AssetPlan]:
    """All plans. Raises Doubt when one that doesn't hang on what changed isn't up to date: then others may not be."""
    known = Looker(part, (part.root / old.head.lock).read_bytes(), [entry.id for entry in entries if entry.locked])
    planner = Planner(part)
    planner.known = known
    planner.plan([name for name in part.graph.order if name in hanging])
    found = [_SETTLED] * old.head.total
    for entry in entries:
        plan = planner.plans.get(entry.id)
        if entry.id in hanging:
            found[entry.place] = planner.plans[entry.id]
        elif plan is not None and (not plan.settled or plan.steps[-1].decision.row != "4"):
            raise Doubt("a base isn't up to date")
    return found


_NOBODY = Asset("", (), (), Place(""))
_SETTLED = AssetPlan(
    _NOBODY, (), StepPlan(_NOBODY, 0, Facts("", None, ()), Decision("4", Verb.UP_TO_DATE), None, None), Verb.UP_TO_DATE
)
