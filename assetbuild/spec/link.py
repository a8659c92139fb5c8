"""From drafts to steps: who is based on whom, in which ratio, with which model and parameters, within which limits. Knows drafts
and the model table; it reads no file but the sizes of pictures.
"""

from __future__ import annotations

from typing import Any

from ..errors import Place
from .drafts import LINKED, OPEN, WAITING, Draft, Sketch
from .expand import Expansion
from .layers import Layer, Settled, Wrong, drafts_only, settle
from .marks import Map, Mark, Seq
from .model import HERE, PIECES, AssetInput, FileInput, ModelTable, Source, Step
from .outputs import FORMATS, fold

SHOWN = 12  # names of a circle
_OWN = frozenset(("provider", "model", "quality", "aspect_ratio", "background", "seed", "params"))
_GAPS = _OWN | {"mask"}


class Link:
    """Links the drafts of an expansion. `used` collects the providers that the steps have."""

    def __init__(self, expansion: Expansion, table: ModelTable) -> None:
        self.expansion, self.table = expansion, table
        self.problems, self.drafts = expansion.problems, expansion.drafts
        self.profile, self.root = expansion.profile, expansion.documents[0].part("defaults")
        self.used: set[str] = set()
        self._settled: dict[Any, tuple[Settled, Settled | None]] = {}
        self._limits: dict[tuple[str, str, str], dict[str, int]] = {}
        self._sizes: dict[str, str | None] = {}

    def link(self) -> None:
        """Steps for every draft, bases first, however long the chain; problems for what names nothing and for circles."""
        self._pieces()
        for draft in (*self.drafts.values(), *self.expansion.ghosts):
            if draft.state:
                continue
            needs = self._needs(draft)
            if needs is None:
                self._finish(draft)
                continue
            stack = [(draft, needs)]
            draft.state = OPEN
            while stack:
                current, rest = stack[-1]
                if not rest:
                    stack.pop()
                    self._finish(current)
                    continue
                other, mark = rest.pop()
                if other.state == WAITING:
                    other.state = OPEN
                    stack.append((other, self._needs(other) or []))
                elif other.state == OPEN:
                    self._circle([each for each, _ in stack], other, mark)

    def _pieces(self) -> None:
        """`icons#heart` is a piece of what is cut from `icons`."""
        cut = {name for name in self.drafts if name.endswith(PIECES)}
        if not cut:
            return
        for draft in (*self.drafts.values(), *self.expansion.ghosts):
            for sketch in draft.sketches:
                sketch.base = _piece(sketch.base, cut)
                sketch.inputs = tuple([one._replace(source=_piece(one.source, cut) or one.source) for one in sketch.inputs])

    def _needs(self, draft: Draft) -> list[tuple[Draft, Mark]] | None:
        """The unfinished drafts that a draft needs; None when there are none."""
        found: list[tuple[Draft, Mark]] | None = None
        self.problems.row, self.problems.among = draft.row, draft.among
        for sketch in draft.sketches:
            for entry in sketch.inputs:
                source = entry.source
                if isinstance(source, AssetInput):
                    other = self.drafts.get(source.asset)
                    if other is None or other.state < LINKED or source.member or (other.sketches and other.sketches[-1].members):
                        other = self._checked(source, sketch, entry.role)
                        if other is not None and other.state < LINKED:
                            found = found if found is not None else []
                            found.append((other, self._where(source, sketch, entry.role)))
        if found:
            found.reverse()
        return found

    def _where(self, source: AssetInput, sketch: Sketch, role: str) -> Mark:
        """Where a step names another asset."""
        own, name = sketch.own, source.asset + (f"#{source.member}" if source.member else "")
        if role == "base":
            base = own.get("base")
            return base.mark("asset") if isinstance(base, Map) else own.mark("base")
        held = own.get("references")
        references = held if isinstance(held, Seq) else Seq()
        for index, each in enumerate(references):
            if each == name:
                return references.at[index]
            if isinstance(each, Map) and each.get("asset") == name:
                return each.mark("asset")
        for field in ("references", "style"):
            if field in own:
                return own.mark(field)
        return sketch.mark

    def _checked(self, source: AssetInput, sketch: Sketch, role: str) -> Draft | None:
        """The draft that an input names; None after a problem."""
        problems, name = self.problems, source.asset
        other = self.drafts.get(name)
        if other is None:
            if self.expansion.gaps.may_be(name):
                return None
            place = self._where(source, sketch, role)
            twin = self.expansion.folded.get(fold(name))
            if twin is not None:
                problems.at(
                    place,
                    f"no asset is called `{name}`; did you mean `{twin}`?",
                    "upper and lower case count",
                    kind="unknown",
                )
                return None
            near = problems.near(name, self.drafts)
            hint = None
            ending = name.rpartition(".")[2].lower()
            if ending in FORMATS or ("/" in name and ending in ("gif", "svg", "tif", "tiff", "psd", "pdf")):
                hint = f"for a file of yours write `{{file: {name}}}`"
            elif not near:
                hint = "name an asset of this spec, or write `{file: PATH}`"
            problems.at(place, f"no asset is called `{name}`{near}", hint, kind="unknown")
            return None
        if not other.sketches or (other.gaps and other.unknown("set")):
            return other  # it has a problem of its own
        members = other.sketches[-1].members
        if members and source.member not in members:
            place = self._where(source, sketch, role)
            some = ", ".join(f"`{name.rstrip(PIECES)}#{each}`" for each in members[:8])
            if source.member:
                near = problems.near(source.member, members).replace("`", f"`{name.rstrip(PIECES)}#", 1)
                problems.at(place, f"the set `{name.rstrip(PIECES)}` has no `{source.member}`{near}", f"it has {some}")
            else:
                problems.at(place, f"`{name}` is a set of {len(members)} pictures; name one of them", f"write {some}")
            return None
        if source.member and not members and ("cut" in other.own or "cut" in other.gaps):
            return other  # what is wrong with its cut was told
        if source.member and not members:
            place = self._where(source, sketch, role)
            problems.at(place, f"`{name}` is one picture, no set", f"write `{name}`")
            return None
        return other

    def _circle(self, way: list[Draft], again: Draft, mark: Mark) -> None:
        names = [draft.id for draft in way[way.index(again) :]] + [again.id]
        if len(names) > SHOWN:
            names = [*names[:6], "…", *names[-5:]]
        path = " → ".join(name if name == "…" else f"`{name}`" for name in names)
        self.problems.at(mark, f"{path} runs in a circle: no picture can be first", "base one of them on a file, or on nothing")

    # ---- models and parameters ------------------------------------------------------------------------------------

    def _finish(self, draft: Draft) -> None:
        """Model, parameters and limits of each step of a draft whose bases are done."""
        draft.state = LINKED
        self.problems.row, self.problems.among = draft.row, draft.among
        steps: list[Step] = []
        notes: tuple[str, ...] = ()
        last = len(draft.sketches) - 1
        mark = draft.mark
        place = Place(mark.name, mark.line + 1, mark.column + 1, len(draft.key))
        ratio: str | None = None
        unseen = False  # the ratio is that of a file whose pixels aren't here
        for index, sketch in enumerate(draft.sketches):
            if index == 0:
                base = sketch.base
                if _masked(sketch):
                    self._check_mask(sketch)
                if isinstance(base, AssetInput):
                    other = self.drafts.get(base.asset)
                    ratio = other.ratio if other is not None else None
                    unseen = other is not None and other.unseen
                elif isinstance(base, FileInput):
                    ratio = self._size(base.path)
                    unseen = ratio is None
            if sketch.vague:
                continue
            if sketch.params is not None:
                steps.append(self._here(draft, sketch, place))
                continue
            ending = "png" if index < last or not draft.outputs else draft.outputs[0].rpartition(".")[2].lower()
            settled, bare = self._settle(draft, sketch, index, ratio, FORMATS.get(ending, "png"))
            if settled.wrong or (bare is not None and bare.wrong):
                for wrong in (*settled.wrong, *(bare.wrong if bare is not None else ())):
                    self._tell(wrong, draft, sketch)
                if bare is not None and not bare.model:
                    bare = None
            if not settled.model:
                continue
            ratio = settled.ratio or ratio
            unseen = unseen and "aspect_ratio" not in sketch.own
            if sketch.prompt is not None or len(sketch.inputs) > 1:
                self._check_limits(draft, sketch, settled)
                if bare is not None:
                    self._check_limits(draft, sketch, bare)
            if settled.notes:
                notes += settled.notes
            if index:
                mark = sketch.mark
                place = Place(mark.name, mark.line + 1, mark.column + 1, 1)
            steps.append(
                Step(
                    sketch.op,
                    settled.provider,
                    settled.model,
                    sketch.prompt,
                    tuple([each for each in sketch.inputs if each.role != "mask"]) if settled.bare else sketch.inputs,
                    settled.params,
                    sketch.members,
                    sketch.variant,
                    place,
                    unseen and "aspect_ratio" in settled.params,
                )
            )
        draft.ratio = ratio
        draft.unseen = unseen
        if draft.takes > 1 and steps and drafts_only(self.table, steps[-1].provider):
            notes += (f"`takes: {draft.takes}` is left out: {steps[-1].provider} draws the same picture each time",)
            draft.takes = 1
        draft.steps = (tuple(steps), tuple(dict.fromkeys(notes)) if len(notes) > 1 else notes)

    def _here(self, draft: Draft, sketch: Sketch, place: Place) -> Step:
        """A step that is made here."""
        fault = next((path for path in draft.outputs if not path.lower().endswith(".png")), None)
        if fault is not None and sketch.op == "compose" and draft.output is not None:
            ending = fault.rpartition(".")[2]
            text = f"what is composed here is a png, and `{fault}` isn't called so"
            self.problems.at(
                draft.output, text, f"end it with `.png`; a {ending} of it is an export: `exports: {{web: {{path: …}}}}`"
            )
        params = sketch.params or {}
        return Step(sketch.op, HERE, f"{sketch.op}-1", None, sketch.inputs, params, sketch.members, None, place)

    def _check_mask(self, sketch: Sketch) -> None:
        """A mask has the size of its picture, as makers of models ask (docs.bfl.ai, FLUX.1 Fill); seen here when both are files."""
        files = [each.source.path for each in sketch.inputs[:2] if isinstance(each.source, FileInput)]
        sizes = [self.expansion.files.reader.picture_size(path) for path in files]
        if len(sizes) > 1 and None not in sizes and sizes[0] != sizes[1]:
            base, mask = (f"{size[0]} × {size[1]}" for size in sizes if size is not None)
            text = f"the mask `{files[1]}` has {mask} pixels, its picture `{files[0]}` {base}"
            self.problems.on(sketch.own, "mask", text, "draw the mask in the size of the picture", on="key", kind="mask size")

    def _size(self, path: str) -> str | None:
        """The ratio of a picture of the user's, None when it isn't there."""
        if path not in self._sizes:
            size = self.expansion.files.reader.picture_size(path)
            self._sizes[path] = f"{size[0]}:{size[1]}" if size is not None and min(size) > 0 else None
        return self._sizes[path]

    def _settle(self, draft: Draft, sketch: Sketch, index: int, ratio: str | None, ending: str) -> tuple[Settled, Settled | None]:
        """The settings of a step, from the cache where another step had the same; beside them, see `_decide`."""
        own, asset = sketch.own, draft.own
        home = draft.home.document.path
        gaps = draft.gaps & _GAPS if draft.gaps else None
        if gaps:
            key: Any = draft, index  # the draft itself: two ghosts may have one id
        elif own.keys().isdisjoint(_OWN) and (index == 0 or asset.keys().isdisjoint(_OWN)):
            key = (home, sketch.op, ratio, ending, len(sketch.members), index > 0, _masked(sketch))
        else:
            said = tuple((name, repr(own[name])) for name in own if name in _OWN)
            inherited = tuple((name, repr(asset[name])) for name in asset if name in _OWN) if index else ()
            key = (home, sketch.op, ratio, ending, len(sketch.members), index > 0, _masked(sketch), said, inherited)
        found = self._settled.get(key)
        if found is None:
            found = self._settled[key] = self._decide(draft, sketch, index, ratio, ending)
        return found

    def _decide(self, draft: Draft, sketch: Sketch, index: int, ratio: str | None, ending: str) -> tuple[Settled, Settled | None]:
        """The settings of a step; and, under a profile that changes the provider, those without it, when that provider is
        known."""
        layers = [Layer("step" if index else "asset", sketch.own, True)]
        if index:
            inherited = {name: value for name, value in draft.own.items() if name in _OWN and name != "aspect_ratio"}
            layers.append(Layer("asset", inherited))
        if not draft.home.document.main:
            layers.append(Layer("file", draft.home.defaults))
        layers.append(Layer("root", self.root))
        gaps = draft.gaps & _OWN if draft.gaps else ()
        if gaps:  # what the asset says in a wrong way isn't said by others instead
            layers[1:] = [Layer(role, {k: v for k, v in values.items() if k not in gaps}) for role, values, _ in layers[1:]]
        members, masked = len(sketch.members), _masked(sketch)
        if sketch.base is not None and ratio is None and "aspect_ratio" not in sketch.own:
            ratio = "1:1"  # the base isn't there yet, so nothing is made now
        alone: Settled | None = None
        if not self.profile:
            settled = settle(self.table, sketch.op, tuple(layers), ratio=ratio, ending=ending, members=members, masked=masked)
        else:
            swaps = "provider" in self.profile
            whole = (Layer("profile", self.profile), *layers)
            settled = settle(
                self.table, sketch.op, whole, ratio=ratio, ending=ending, members=members, masked=masked, lenient=swaps
            )
            if swaps and not settled.wrong:
                bare = settle(self.table, sketch.op, tuple(layers), ratio=ratio, ending=ending, members=members, masked=masked)
                if self.table.knows(bare.provider):
                    alone = bare
        if settled.provider:
            self.used.add(settled.provider)
        return settled, alone

    def _tell(self, wrong: Wrong, draft: Draft, sketch: Sketch) -> None:
        """Puts a mistake of a layer where it is written."""
        where: dict[str, Map] = {
            "profile": self.profile,
            "file": draft.home.defaults,
            "root": self.root,
            "asset": draft.own,
            "step": sketch.own,
        }
        inside = where[wrong.role]
        if wrong.field == "output" and draft.output is not None:
            self.problems.at(draft.output, wrong.text, wrong.hint, length=len(draft.key) if draft.output is draft.mark else 0)
            return
        if wrong.param is not None and isinstance(inside.get("params"), Map) and wrong.param in inside["params"]:
            self.problems.on(inside["params"], wrong.param, wrong.text, wrong.hint, on="key")
        elif wrong.field in inside:
            self.problems.on(inside, wrong.field, wrong.text, wrong.hint, on=wrong.on)
        else:
            self.problems.at(sketch.mark, wrong.text, wrong.hint, length=len(draft.key) if sketch.mark is draft.mark else 0)

    def _check_limits(self, draft: Draft, sketch: Sketch, settled: Settled) -> None:
        """Characters of the prompt and number of pictures."""
        key = (settled.provider, settled.model, sketch.op)
        limits = self._limits.get(key)
        if limits is None:
            limits = self._limits[key] = self.table.limits(*key)
        most = limits.get("prompt")
        if most is not None and sketch.prompt is not None and len(sketch.prompt) > most:
            parts = " + ".join(f"{name} {count:,}" for name, count in sketch.parts if count)
            total = len(sketch.prompt)
            sum_of = f"{parts} = {total:,}" if parts.count(" + ") else parts
            text = f"{sum_of} ({total - most:,} too many for {settled.model} on {settled.provider})"
            self._at_prompt(sketch, text, f"it takes {most:,} characters; shorten one of the parts")
        most = limits.get("inputs")
        sent = len(sketch.inputs) - ("mask" in sketch.own)
        if most is not None and sent > most:
            text = f"`{draft.id}` sends {sent} pictures; {settled.model} on {settled.provider} takes {most}"
            self._at_prompt(sketch, text, "base, references and the styles' references count together")

    def _at_prompt(self, sketch: Sketch, text: str, hint: str) -> None:
        if "prompt" in sketch.own:
            self.problems.on(sketch.own, "prompt", text, hint, on="key")
        else:
            self.problems.at(sketch.mark, text, hint)


def _piece(source: Source | None, cut: set[str]) -> Source | None:
    if isinstance(source, AssetInput) and source.member and source.asset + PIECES in cut:
        return AssetInput(source.asset + PIECES, source.member)
    return source


def _masked(sketch: Sketch) -> bool:
    """Whether a step has a mask (on another op than `edit` it is a mistake, already told)."""
    return sketch.op == "edit" and "mask" in sketch.own
