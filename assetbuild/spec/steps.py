"""The steps of one asset: its op and set, its styles, its `then`, with their inputs and prompts. Knows the rules of ops and sets;
it does not know models, rows, or which assets there are.
"""

from __future__ import annotations

from collections.abc import Set

from . import shape
from .cells import Empty
from .compose import Composed, Composer, Style, asset_input
from .destinations import place_outputs
from .drafts import Draft, Home, Sketch
from .exports import Exporter
from .gaps import ALL, HOLE
from .here import Composing, Shelf
from .interpolate import Scope, empties, inert, no_words, render_all, words
from .marks import Map, Mark, Seq
from .model import Input, Op, Source, StepInput
from .names import rendered, tell
from .outputs import fold, id_fault
from .scalars import Value, scalar
from .sources import Document, Files, plain_text, tell_faults
from .templates import has_reference

_NONE: frozenset[str] = frozenset()
_INHERITED = ("provider", "model")  # what further steps have from their asset
# Fields that may be left out: one that is exactly a `${…}` isn't there where that cell is empty.
_OPTIONAL = frozenset(
    [
        "style",
        "references",
        "tags",
        "op",
        "provider",
        "model",
        "quality",
        "aspect_ratio",
        "background",
        "seed",
        "set",
        "variant",
        "then",
    ]
)
_OPTIONAL |= {"pin", "takes", "approve", "params", "description"}
_ENTRIES = ("style", "tags", "params")  # of these an entry too
_VITAL = ("prompt", "base", "references", "op", *_INHERITED)  # what a step's other mistakes depend on


class Steps:
    """Fills drafts with their steps. `composer` collects the pictures of the user's that are inputs."""

    def __init__(self, files: Files, root: Document) -> None:
        self.problems, self.composer = files.problems, Composer(files)
        self.exporter = Exporter(self.composer, root.part("presets"))
        self.composing = Composing(self.composer, Shelf(self.composer, root))
        self.clean: dict[str, str] = {}  # tags as they are kept, by how they are written

    def sound(self, fields: Map, scope: Scope) -> tuple[Map, Set[str]]:
        """Fields with all their texts put in, but for those where that can't be done; and which these are."""
        made, good = rendered(fields, scope, self.problems)
        bad: set[str] = set()
        if not good:
            for name in fields:
                render_all(fields.only((name,)), scope, lambda _inside, _key, _e, name=name: bad.add(name))
        for name in list(made):
            if not self._filled(made, name):
                bad.add(name)
        for name in bad & made.keys():
            made.drop(name)
        return made, bad

    def _filled(self, fields: Map, name: str) -> bool:
        """Whether a field holds no empty cell, after what may be left out was left out; else that is told."""
        value: Value = fields[name]
        if value.__class__ is Empty:
            if name in _OPTIONAL:
                fields.drop(name)
            else:
                tell(self.problems, fields, name, no_words(value))
            return name in _OPTIONAL
        found = empties(value) if value.__class__ is Map or value.__class__ is Seq else []
        good = True
        for inside, key, cell in reversed(found):
            if inside is not value or name not in _ENTRIES:
                good = False
                tell(self.problems, inside, key, no_words(cell))
                continue
            value.at = list(value.at)  # the asset's own, for all rows
            if isinstance(value, Map):
                value.drop(key)
            else:
                del value[key], value.at[key]
        if found and good and not value:
            fields.drop(name)
        return good

    def fill(self, draft: Draft, named: Scope) -> None:
        """Steps, outputs and remarks of a draft, as far as they can be known. `named` is the scope with the asset's `id`."""
        own = draft.own
        base: Source | None = None
        if "base" in own:
            held = own["base"]
            if isinstance(held, dict) and not isinstance(held, Map):  # it came from a table
                held = own["base"] = inert(held, own.mark("base"))
            base = asset_input(held) if held.__class__ is str else self.composer.source(own, "base", named)
            base = base or StepInput()  # some picture; which one, nobody can know
        unknown = _NONE
        if draft.gaps or draft.home.gaps:
            unknown = frozenset(field for field in _VITAL if draft.unknown(field))
            if "base" in unknown and ALL not in draft.gaps:
                base = StepInput()
        if "overlay" in own or "trim" in own or not {"overlay", "trim"}.isdisjoint(draft.gaps):
            draft.sketches.append(self.composing.sketch(draft, base, named))
            self._rest(draft, named)
            return
        style, all_styles = self._style_names(draft, base is not None)
        text = (own, "prompt")
        sketch = self._step(
            own, draft, base, style, scope=named, text=text, mark=draft.mark, unknown=unknown, all_styles=all_styles
        )
        if "set" in own and "set" not in draft.gaps:
            self._set(draft, sketch)
        if "variant" in own:
            sketch.variant = plain_text(words(own["variant"]))
        self._takes(draft, named)
        draft.sketches.append(sketch)
        if "then" in own:
            self._then(draft, named)
        self._rest(draft, named)

    def _rest(self, draft: Draft, named: Scope) -> None:
        """What is no part of any step."""
        own = draft.own
        self._tags(draft, named)
        if "approve" in own:
            draft.approve = True  # there is only one word for it
        if "pin" in own:
            draft.pin = bool(own["pin"])
        if "description" in own:
            draft.description = plain_text(words(own["description"]))
        marking = draft.strongest("provenance")
        if marking is not None and isinstance(marking["provenance"], str):
            draft.provenance = marking["provenance"]
        place_outputs(draft, named, self.problems)
        self.exporter.place(draft, named)

    def _style_names(self, draft: Draft, based: bool) -> tuple[Value, bool]:
        """The styles of an asset, and whether they are all: the profile's, its own, its file's or the root's; with a base only its
        own."""
        if (draft.gaps or draft.home.gaps) and draft.unknown("style"):
            return (), False
        layer = draft.strongest("style") if not based else draft.own if "style" in draft.own else None
        return ((), True) if layer is None else self._named_styles(layer, draft.home)

    def _named_styles(self, layer: Map, home: Home) -> tuple[list[Style], bool]:
        """The styles that a `style` field names, and whether all of them are known."""
        value = layer["style"]
        found: list[Style] = []
        complete = True
        for name in [words(each).strip() for each in (value if isinstance(value, list) else [value])]:
            style = home.styles.get(name)
            complete = complete and style is not None and not style.broken
            if style is None and home.all_styles:
                near = self.problems.near(name, home.styles)
                some = ", ".join(f"`{each}`" for each in list(home.styles)[:12])
                hint = f"known: {some}" if some else "write it under `styles:`"
                parts = [each.strip() for each in name.split(",")]
                if len(parts) > 1 and all(each in home.styles for each in parts):
                    near, hint = "", f"write `style: [{', '.join(parts)}]`"
                elif name.casefold() in ("none", "no", "off", "null", "false"):
                    near, hint = "", "for no style write `style: []`"
                kind = name if isinstance(value, list) else "style"
                self.problems.on(layer, "style", f"no style is called `{name}`{near}", hint, needle=name, kind=kind)
            elif style is not None:
                found.append(style)
        return found, complete

    def _step(
        self,
        own: Map,
        draft: Draft,
        base: Source | None,
        styles: Value,
        *,
        scope: Scope,
        text: Value,
        mark: Mark,
        unknown: Set[str] = _NONE,
        all_styles: bool = True,
    ) -> Sketch:
        """One step with its op's rules. `unknown` are fields that have a mistake already."""
        holder, key = text
        said = holder.get(key) if isinstance(holder, Map) else holder[key]
        op: Op = own.get("op", "edit" if base is not None else "generate")
        wants = op in ("generate", "edit")
        fits = op == ("edit" if base is not None else "generate")
        plain = fits and said.__class__ is str and "${" not in said
        if plain and not styles and "references" not in own and "mask" not in own and not unknown:  # most steps
            prompt = plain_text(str(said))
            inputs = () if base is None else (Input(base, "base"),)
            return Sketch(op, own, mark, base, Composed(inputs, prompt, (("prompt", len(prompt)),)))
        problems, name = self.problems, f"`{draft.id}`"
        if op != "generate" and base is None and "base" not in unknown:
            problems.on(
                own,
                "op",
                f"{name} has nothing to work on: op `{op}` needs a `base`",
                "name it with `base: ID` or `base: {file: PATH}`",
                kind="op",
            )
        if op == "generate" and base is not None and "base" not in unknown:
            problems.on(
                own,
                "op",
                f"{name} has a `base`, so its op is `edit`",
                "leave `op` out; a picture it only looks at goes to `references`",
                kind="op",
            )
            op = "edit"
        if not wants:
            for field in ("prompt", "references", "style", "set", "mask"):
                if field in own:
                    problems.on(
                        own,
                        field,
                        f"op `{op}` takes no `{field}`",
                        "put it on an edit" if field == "mask" else "put it on a step of its own, under `then:`",
                        on="key",
                        kind=field + op,
                    )
                    if field == "set":
                        draft.gaps = draft.gaps | {field}
        elif said is None and unknown.isdisjoint(("prompt", "op")):
            hint = (
                "say what changes, or name an `op` like `upscale`"
                if base is not None
                else "write it as a block after `prompt: |`"
            )
            problems.at(mark, f"{name} has no prompt", hint, length=len(draft.key) if mark is draft.mark else 0, kind="prompt")
        names: set[str] | None = None  # that pictures may have beside the known ones: any
        if "references" not in unknown and all(not style.broken for style in styles):
            names = set() if all_styles else _picture_names(draft.home)
        composed = self.composer.compose(own, base, styles if wants else [], scope, names, text=text if wants else None)
        sketch = Sketch(op, own, mark, base, composed)
        sketch.vague = not unknown.isdisjoint(("op", "provider", "model"))
        return sketch

    def _then(self, draft: Draft, scope: Scope) -> None:
        """The further steps of an asset, each an edit of the one before unless it says otherwise."""
        problems, own = self.problems, draft.own
        steps = self.composer.value(own, "then", scope)
        if steps is None or steps.__class__ is Empty:
            return
        if isinstance(own["then"], str) and not shape.accepts("then", steps, resolved=True):
            tell_faults("override", {"then": steps}, own, draft.mark, problems, resolved=True, called=draft.id)
            return
        if isinstance(own["then"], str):
            steps = inert(steps, own.mark("then"))
        unknown = frozenset(field for field in _INHERITED if draft.unknown(field)) if draft.gaps or draft.home.gaps else _NONE
        if draft.sketches[0].members:
            problems.on(
                own,
                "then",
                "a set can't have `then`: it holds several pictures",
                f"make an asset of the picture to correct, with `base: {draft.id}#{draft.sketches[0].members[0]}`",
                on="key",
            )
            return
        for index, item in enumerate(steps):
            if item is HOLE:
                continue
            mark = steps.at[index]
            bad: Set[str] = _NONE
            step: Map = item if isinstance(item, Map) else Map()
            if not isinstance(item, Map):
                step.at = []
            text = (step, "prompt") if isinstance(item, Map) else (steps, index)
            if isinstance(item, Map) and has_reference(
                {name: value for name, value in item.items() if name not in ("prompt", "references")}
            ):
                late = [name for name in ("prompt", "references") if name in item]
                step, bad = self.sound(item.only(item.keys() - late), scope)
                if isinstance(step.get("seed"), str):
                    step["seed"] = scalar(step["seed"])
                whole = {**step, **({"prompt": "x"} if "prompt" in late else {})}
                if not bad and not shape.accepts("step", whole, resolved=True):
                    bad = {str(path[0]) for path in self._step_faults(draft, whole, item, mark) if path}
                    for name in bad & step.keys():
                        step.drop(name)
                for name in late:
                    step.take(item, name)
                text = (step, "prompt")
            styles, all_styles = self._named_styles(step, draft.home) if "style" in step else ([], "style" not in bad)
            lacking = (unknown - step.keys()) | bad if unknown or bad else _NONE
            base = StepInput()
            sketch = self._step(
                step, draft, base, styles, scope=scope, text=text, mark=mark, unknown=lacking, all_styles=all_styles
            )
            draft.sketches.append(sketch)

    def _step_faults(self, draft: Draft, step: dict[str, Value], item: Map, mark: Mark) -> list[shape.Path]:
        return tell_faults("step", step, item, mark, self.problems, resolved=True, called=draft.id)

    def _set(self, draft: Draft, sketch: Sketch) -> None:
        """The members of a set: names, or 1 to n."""
        own, value = draft.own, draft.own["set"]
        if not isinstance(value, list):
            sketch.members = tuple(str(number) for number in range(1, int(value) + 1))
            return
        members = tuple(plain_text(words(each)).strip() for each in value)
        sound: list[str] = []
        for index, member in enumerate(members):
            fault = id_fault(member) or (f"the member `{member}` holds a `/`" if "/" in member else None)
            twice = fold(member) in [fold(each) for each in members[:index]]
            if fault is not None or twice:
                text = (
                    f"two members are called `{member}`"
                    if twice
                    else (fault or "").replace("the id", "the member").replace("an id", "a member")
                )
                mark = value.at[index] if isinstance(value, Seq) and value.at else own.mark("set")
                hint = "a member has letters and digits of any script, `.`, `_`, `-` and `@`"
                if twice:
                    same = member in members[:index]
                    hint = (
                        "take one of them out, or call it otherwise"
                        if same
                        else "call one of them otherwise; upper and lower case make no difference"
                    )
                self.problems.at(mark, text, hint, kind=f"member {fault is None}")
                draft.gaps = draft.gaps | {"set"}
            else:
                sound.append(member)
        sketch.members = tuple(sound)

    def _takes(self, draft: Draft, scope: Scope) -> None:
        """How many candidates: the profile's word, its own, its file's, the root's."""
        layer = draft.strongest("takes")
        if layer is None or ((draft.gaps or draft.home.gaps) and draft.unknown("takes")):
            return
        value = layer["takes"]
        if layer is not draft.own and isinstance(value, str):  # the asset's own was put in before
            value = self.composer.value(layer, "takes", scope)
            if value is None or value.__class__ is Empty:
                return
            value = scalar(value) if isinstance(value, str) else value
            if not shape.accepts("takes", value, resolved=True):
                origin = layer.only(("takes",))
                tell_faults(
                    "override", {"takes": value}, origin, layer.mark("takes"), self.problems, resolved=True, called=draft.id
                )
                return
        draft.takes = int(value)

    def _tags(self, draft: Draft, scope: Scope) -> None:
        layer = draft.strongest("tags")
        if layer is None:
            return
        value = layer["tags"]
        if layer is not draft.own and isinstance(value, str):
            value = self.composer.value(layer, "tags", scope)
            if value is None or value.__class__ is Empty:
                return
        elif layer is not draft.own and has_reference(value):
            value, good = rendered(value, scope, self.problems)
            if not good:
                return
        clean = self.clean
        for each in value if isinstance(value, list) else [value]:
            if each.__class__ is not str or each not in clean:
                clean[words(each)] = plain_text(words(each))
        draft.tags = tuple([clean[words(each)] for each in (value if isinstance(value, list) else [value])])


def _picture_names(home: Home) -> set[str]:
    """What the references of all styles call their pictures."""
    held = [each for style in home.styles.values() for each in style.references or ()]
    return {words(each["as"]) for each in held if isinstance(each, Map) and each.get("as") is not None}
