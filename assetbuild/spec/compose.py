"""One step's inputs and prompt: pictures in the order they are sent, hint lines, prompt, styles' texts. Knows references and
styles; it does not know models, outputs, or which assets there are.
"""

from __future__ import annotations

import posixpath
import unicodedata
from typing import Any, NamedTuple

from . import shape
from .cells import Empty
from .gaps import HOLE
from .interpolate import Scope, Vague, inert, render, words
from .marks import Map, Seq
from .model import AssetInput, FileInput, Input, Source
from .names import tell, tell_at
from .scalars import Value
from .sources import Files, joined, no_file, plain_text, tell_faults
from .templates import Bad


class Style(NamedTuple):
    """A named prompt part, as it is written. `inside` and `key` hold its text (key "" = it has none). A broken one has a mistake,
    so that nothing else is known of it."""

    name: str
    inside: Map
    key: str
    references: Seq | None
    broken: bool = False


class Composed(NamedTuple):
    """What a step sends besides its settings. `parts` are the prompt's parts and their lengths in characters, which add up to the
    whole."""

    inputs: tuple[Input, ...]
    prompt: str | None
    parts: tuple[tuple[str, int], ...]


class Composer:
    """Composes steps. `pictures` collects each file that is an input, in order."""

    def __init__(self, files: Files) -> None:
        self.files, self.problems = files, files.problems
        self.pictures: dict[str, None] = {}

    def text(self, inside: Map | Seq, key: Value, scope: Scope, asset: str = "") -> str | None:
        """An entry as a text with everything put in, None after a problem, which names the `asset` if that isn't written there."""
        value = inside[key]
        try:
            if isinstance(value, str):
                if "${" not in value:
                    return value
                value = render(value, scope)
            return words(value)
        except Bad as e:
            tell(self.problems, inside, key, e, asset)
            return None

    def value(self, inside: Map, key: str, scope: Scope) -> Value:
        """An entry with its `${…}` put in when it is a text; None after a problem."""
        value = inside[key]
        if isinstance(value, str) and "${" in value:
            try:
                return render(value, scope)
            except Bad as e:
                tell(self.problems, inside, key, e)
                return None
        return value

    def file(self, inside: Map, scope: Scope) -> FileInput | None:
        """`{file: …}`, relative to the file it is written in."""
        path = self.text(inside, "file", scope)
        if path is None:
            return None
        mark = inside.mark("file")
        whole = joined(posixpath.dirname(mark.name), path.strip())
        if whole not in self.pictures:
            try:
                if whole.startswith(("/", "~/")):
                    raise ValueError(whole)
                there = self.files.reader.exists(whole)
                fault = None if there else no_file(path.strip(), "picture")
                if fault is not None:
                    self.problems.at(mark, *fault)
                    return None
            except ValueError:
                self.problems.at(
                    mark, f"the picture `{path}` lies outside the project and its git work tree", "copy it into the project"
                )
                return None
            self.pictures[whole] = None
        return FileInput(whole)

    def source(self, inside: Map | Seq, key: Value, scope: Scope) -> Source | None:
        """A base or reference in any of its forms: an asset's id, `{asset: …}`, `{file: …}`."""
        value = inside[key]
        if isinstance(value, Map):
            if "file" in value:
                return self.file(value, scope)
            inside, key = value, "asset"
        name = self.text(inside, key, scope)
        return None if name is None else asset_input(name)

    def references(self, own: Map, scope: Scope) -> Seq | None:
        """The references of a step, a `${…}` that stands for the whole list put in; None after a problem."""
        value = self.value(own, "references", scope)
        if value is None:
            return None
        if value.__class__ is Empty:
            none = Seq()
            none.at = []
            return none
        if isinstance(own["references"], str):
            if not shape.accepts("references", value, resolved=True):
                mark, called = own.mark("references"), _name(scope)
                tell_faults("override", {"references": value}, own, mark, self.problems, resolved=True, called=called)
                return None
            value = inert(value, own.mark("references"))
        return value if isinstance(value, Seq) else None

    def compose(
        self,
        own: Map,
        base: Source | None,
        styles: list[Style],
        scope: Scope,
        names: set[str] | None,
        *,
        text: tuple[Any, Any] | None,
    ) -> Composed:
        """Inputs and prompt of a step, as far as they can be known. `names` are further ones that pictures may have (None: any);
        `text` is what holds the prompt and its key there. A mask comes after the base and has no number, since vendors take it apart."""
        found: list[tuple[Source, Any, str | None, Map | None]] = []  # source, role, name, what holds the hint
        image: dict[str, str] = {} if names is not None else Vague()
        if base is not None:
            held = own.get("base")
            found.append((base, "base", "base", held if isinstance(held, Map) and "hint" in held else None))
            image["base"] = "image 1"
        groups: list[tuple[Seq, str]] = []
        if "references" in own and text is not None:
            written = self.references(own, scope)
            if written is not None:
                groups.append((written, "reference"))
            else:
                image = Vague(image)
        for style in styles:
            if style.references:
                groups.append((style.references, "style"))
        for group, role in groups:
            for index, each in enumerate(group):
                if each is HOLE:
                    continue
                source = self.source(each, "asset", scope) if isinstance(each, Map) and "asset" in each else None
                if isinstance(each, Map) and "file" in each:
                    source = self.file(each, scope)
                elif not isinstance(each, Map):
                    source = self.source(group, index, scope)
                name = None
                if isinstance(each, Map) and "as" in each:
                    name = self.text(each, "as", scope)
                    if name is not None and dict.__contains__(image, name):
                        self.problems.on(
                            each, "as", f"two pictures of this step are called `{name}`", "call one of them otherwise", kind="as"
                        )
                if source is not None:
                    found.append((source, role, name, each if isinstance(each, Map) and "hint" in each else None))
                if name is not None:
                    image[name] = f"image {len(found)}"
        for name in names or ():
            image.setdefault(name, "")
        scope = ({"image": image}, *scope)
        inputs: list[Input] = []
        hints = ""
        for number, (source, role, name, holder) in enumerate(found, 1):
            hint = self.value(holder, "hint", scope) if holder is not None else None
            if hint.__class__ is Empty:
                hint = None
            elif not isinstance(hint, str) and holder is not None and hint is not None:
                hint = self.text(holder, "hint", scope)
            if hint is not None:
                hint = plain_text(" ".join(hint.split()))
                hints += f"Image {number}: {hint}\n"
            inputs.append(Input(source, role, None if role == "base" else name, hint or None))
        if "mask" in own and base is not None and text is not None:
            mask = self.file(own["mask"], scope)
            if mask is not None:
                inputs.insert(1, Input(mask, "mask"))
        prompt: str | None = None
        parts: list[tuple[str, int]] = []
        if text is not None:
            said = self.prompt(*text, scope) if not isinstance(text[0], Map) or text[1] in text[0] else None
            prompt = hints + (said or "")
            parts = [("prompt", len(said or ""))]
            for style in styles:
                if style.key:
                    more = self.text(style.inside, style.key, scope, _name(scope))
                    if more is not None and (more := plain_text(more)):
                        prompt += "\n\n" + more
                        parts.append((f"style {style.name}", len(more) + 2))
            parts.append(("hints", len(hints)))
        return Composed(tuple(inputs), prompt, tuple(parts))

    def prompt(self, inside: Value, key: Value, scope: Scope) -> str | None:
        """A prompt, written in the spec or in a file of its own; None after a problem."""
        value = inside[key]
        if not isinstance(value, Map):
            said = self.text(inside, key, scope)
            said = None if said is None else plain_text(said)
            if said == "":
                mark = inside.mark(key) if isinstance(inside, Map) else inside.at[key]
                self.problems.at(mark, "the prompt is empty", "say what the picture shows")
                return None
            return said
        path = self.text(value, "file", scope)
        if path is None:
            return None
        mark = value.mark("file")
        path = joined(posixpath.dirname(mark.name), path.strip())
        written = self.files.text(path, mark, "prompt file")
        if written is None:
            return None
        try:
            said = plain_text(str(render(written, scope)) if "${" in written else written)
        except Bad as e:
            tell_at(self.problems, self.problems.within(path, 0), e, _name(scope))
            return None
        if not said:
            self.problems.at(mark, f"the prompt file `{path}` is empty", "say what the picture shows")
            return None
        return said


def _name(scope: Scope) -> str:
    """The id of the asset whose scope this is, "" when it has none."""
    id = next((names["id"] for names in scope if "id" in names), "")
    return id if isinstance(id, str) else ""


def asset_input(name: str) -> AssetInput:
    """`story#bean` as an input. A text without `#` names the whole asset."""
    name = name.strip()
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if "#" in name:
        asset, _, member = name.partition("#")
        return AssetInput(asset, member)
    return AssetInput(name)
