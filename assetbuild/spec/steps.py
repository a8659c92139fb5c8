"""The steps of one asset: its op and set, its styles, its `then`, with their inputs and prompts. Knows the rules of ops and sets;
it does not know models, rows, or which assets there are.
"""

from __future__ import annotations

from . import shape
from .compose import Composed, Composer, Style, asset_input
from .destinations import place_outputs
from .drafts import Draft, Home, Sketch
from .interpolate import Bad, Scope, has_reference, inert, render_all, words
from .marks import Map, Mark, Seq
from .model import Input, Op, Source, StepInput
from .names import tell
from .outputs import fold, id_fault
from .scalars import Value, scalar
from .sources import Files, plain_text, tell_faults


class Steps:
    """Fills drafts with their steps. `composer` collects the pictures of the user's that are inputs."""

    def __init__(self, files: Files) -> None:
        self.problems, self.composer = files.problems, Composer(files)
        self.clean: dict[str, str] = {}  # tags as they are kept, by how they are written

    def rendered(self, value: Value, scope: Scope) -> tuple[Value, bool]:
        """A value with all its texts put in, and whether all of them could be."""
        failed: list[Bad] = []

        def hear(inside: Value, key: Value, e: Bad) -> None:
            failed.append(e)
            tell(self.problems, inside, key, e)

        return render_all(value, scope, hear), not failed

    def fill(self, draft: Draft, named: Scope) -> None:
        """Steps, outputs and remarks of a draft; it stays without outputs after a problem. `named` is the scope with the asset's
        `id`."""
        own = draft.own
        base: Source | None = None
        if "base" in own:
            held = own["base"]
            if isinstance(held, dict) and not isinstance(held, Map):  # it came from a table
                held = own["base"] = inert(held, own.mark("base"))
            base = asset_input(held) if held.__class__ is str else self.composer.source(own, "base", named)
            if base is None:
                return
        style = self._style_names(draft, base is not None)
        sketch = self._step(own, draft, base, style, scope=named, text=(own, "prompt"), mark=draft.mark)
        if sketch is None:
            return
        if "set" in own and not self._set(draft, sketch):
            return
        if "variant" in own:
            sketch.variant = plain_text(words(own["variant"]))
        self._tags(draft, named)
        if "pin" in own:
            draft.pin = bool(own["pin"])
        if "description" in own:
            draft.description = plain_text(words(own["description"]))
        draft.sketches.append(sketch)
        if "then" in own:
            self._then(draft, named)
        place_outputs(draft, named, self.problems)

    def _style_names(self, draft: Draft, based: bool) -> Value:
        """The styles of an asset: the profile's, its own, its file's or the root's; with a base only its own."""
        layer = draft.strongest("style") if not based else draft.own if "style" in draft.own else None
        return () if layer is None else self._named_styles(layer, draft.home)

    def _named_styles(self, layer: Map, home: Home) -> list[Style]:
        """The styles that a `style` field names."""
        value = layer["style"]
        found: list[Style] = []
        for name in [words(each).strip() for each in (value if isinstance(value, list) else [value])]:
            style = home.styles.get(name)
            if style is None:
                near = self.problems.near(name, home.styles)
                some = ", ".join(f"`{each}`" for each in list(home.styles)[:12])
                hint = f"known: {some}" if some else "write it under `styles:`"
                self.problems.on(layer, "style", f"no style is called `{name}`{near}", hint, needle=name, kind=name)
            else:
                found.append(style)
        return found

    def _step(
        self, own: Map, draft: Draft, base: Source | None, styles: Value, *, scope: Scope, text: Value, mark: Mark
    ) -> Sketch | None:
        """One step with its op's rules."""
        holder, key = text
        said = holder.get(key) if isinstance(holder, Map) else holder[key]
        op: Op = own.get("op", "edit" if base is not None else "generate")
        wants = op in ("generate", "edit")
        fits = op == ("edit" if base is not None else "generate")
        if fits and said.__class__ is str and "${" not in said and not styles and "references" not in own:  # most steps
            prompt = plain_text(said)
            inputs = () if base is None else (Input(base, "base"),)
            return Sketch(op, own, mark, base, Composed(inputs, prompt, (("prompt", len(prompt)),)))
        problems, name = self.problems, f"`{draft.id}`"
        if op != "generate" and base is None:
            problems.on(
                own,
                "op",
                f"{name} has nothing to work on: op `{op}` needs a `base`",
                "name it with `base: ID` or `base: {file: PATH}`",
                kind="op",
            )
            return None
        if op == "generate" and base is not None:
            problems.on(
                own,
                "op",
                f"{name} has a `base`, so its op is `edit`",
                "leave `op` out; a picture it only looks at goes to `references`",
                kind="op",
            )
            return None
        if not wants:
            for field in ("prompt", "references", "style", "set"):
                if field in own:
                    problems.on(
                        own,
                        field,
                        f"op `{op}` takes no `{field}`",
                        "put it on a step of its own, under `then:`",
                        on="key",
                        kind=field + op,
                    )
                    return None
        elif said is None:
            hint = (
                "say what changes, or name an `op` like `upscale`"
                if base is not None
                else "write it as a block after `prompt: |`"
            )
            problems.at(mark, f"{name} has no prompt", hint, length=len(draft.key) if mark is draft.mark else 0, kind="prompt")
            return None
        composed = self.composer.compose(own, base, styles if wants else [], scope, wants_prompt=wants, text=text)
        return None if composed is None else Sketch(op, own, mark, base, composed)

    def _then(self, draft: Draft, scope: Scope) -> None:
        """The further steps of an asset, each an edit of the one before unless it says otherwise."""
        problems, own = self.problems, draft.own
        steps = self.composer.value(own, "then", scope)
        if steps is None:
            return
        if isinstance(own["then"], str) and not shape.accepts("then", steps, resolved=True):
            tell_faults("override", {"then": steps}, own, draft.mark, problems, resolved=True)
            return
        if isinstance(own["then"], str):
            steps = inert(steps, own.mark("then"))
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
            mark = steps.at[index]
            step: Map = item if isinstance(item, Map) else Map()
            if not isinstance(item, Map):
                step.at = []
            text = (step, "prompt") if isinstance(item, Map) else (steps, index)
            if isinstance(item, Map) and has_reference(
                {name: value for name, value in item.items() if name not in ("prompt", "references")}
            ):
                before = len(problems)
                late = {name: item[name] for name in ("prompt", "references") if name in item}
                step = Map((name, value) for name, value in item.items() if name not in late)
                step.at = [each for name in step for each in (item.mark(name, "key"), item.mark(name))]
                step, good = self.rendered(step, scope)
                if not good:
                    return
                if isinstance(step.get("seed"), str):
                    step["seed"] = scalar(step["seed"])
                whole = {**step, **({"prompt": "x"} if "prompt" in late else {})}
                if len(problems) == before and not shape.accepts("step", whole, resolved=True):
                    tell_faults("step", whole, item, mark, problems, resolved=True)
                if len(problems) > before:
                    return
                for name, value in late.items():
                    step[name] = value
                    step.at += [item.mark(name, "key"), item.mark(name)]
                text = (step, "prompt")
            styles = self._named_styles(step, draft.home) if "style" in step else []
            sketch = self._step(step, draft, StepInput(), styles, scope=scope, text=text, mark=mark)
            if sketch is None:
                return
            draft.sketches.append(sketch)

    def _set(self, draft: Draft, sketch: Sketch) -> bool:
        """The members of a set: names, or 1 to n. False after a problem."""
        own, value = draft.own, draft.own["set"]
        if not isinstance(value, list):
            sketch.members = tuple(str(number) for number in range(1, int(value) + 1))
            return True
        members = tuple(plain_text(words(each)).strip() for each in value)
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
                self.problems.at(
                    mark, text, "a member has letters and digits of any script, `.`, `_`, `-` and `@`", kind="member"
                )
                return False
        sketch.members = members
        return True

    def _tags(self, draft: Draft, scope: Scope) -> None:
        layer = draft.strongest("tags")
        if layer is None:
            return
        value = layer["tags"]
        if layer is not draft.own and has_reference(value):
            value, good = self.rendered(value, scope)
            if not good:
                return
        clean = self.clean
        for each in value if isinstance(value, list) else [value]:
            if each.__class__ is not str or each not in clean:
                clean[words(each)] = plain_text(words(each))
        draft.tags = tuple([clean[words(each)] for each in (value if isinstance(value, list) else [value])])
