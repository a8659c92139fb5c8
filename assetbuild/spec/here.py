"""Steps that are made here, for nothing: a picture composed from its base and what is laid over it, and a sheet cut into its cells. Knows which fields belong
to them; how a text is set or a cell is found is the provider `local`'s business.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from . import measures, shape
from .compose import Composed, Composer
from .drafts import Draft, Sketch
from .interpolate import Scope, render, words
from .marks import Map, Mark, Seq
from .model import HERE, PIECES, AssetInput, FileInput, Input, Param, Source
from .names import rendered, tell_at
from .outputs import output_fault, tidy
from .problems import Problems
from .scalars import Value, scalar
from .sources import Document, joined, plain_text, tell_faults
from .templates import Bad, has_reference, names_in, template

__all__ = ["HERE", "Composing", "Shelf", "cut_of"]

_NOT_COMPOSED = ("prompt", "op", "set", "references", "mask", "style", "takes", "params", "seed", "variant", "then")
_FONTS = (".ttf", ".otf", ".ttc", ".otc")


class Shelf:
    """The project's own fonts: the files below `fonts:`, by the families that are in them. Looked at when a text is first set."""

    def __init__(self, composer: Composer, root: Document) -> None:
        self.files, self.problems, self._root = composer.files, composer.problems, root
        self._faces: dict[str, list[str]] | None = None

    def faces(self, family: str) -> Sequence[str]:
        """The files with faces of a family, in order; () when the project has none."""
        if self._faces is None:
            self._faces = self._read()
        return self._faces.get(" ".join(family.split()).casefold(), ())

    def _read(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        held = self._root.root.get("fonts")
        for index, entry in enumerate(held if isinstance(held, Seq) else ()):
            mark = held.at[index] if isinstance(held, Seq) else self._root.root.mark("fonts")
            path = joined(self._root.folder, words(entry).strip())
            for file in self._files(path, mark):
                for family in self.files.reader.font_families(file):
                    found.setdefault(family.casefold(), []).append(file)
        return found

    def _files(self, path: str, mark: Mark) -> list[str]:
        try:
            if posixpath.splitext(path)[1].lower() in _FONTS:
                there = [path] if self.files.reader.exists(path) else []
            else:
                listed, folders = self.files.reader.glob(f"{path}/*")
                self.files.folders.update(dict.fromkeys(folders))
                there = [each for each in listed if posixpath.splitext(each)[1].lower() in _FONTS]
        except ValueError:
            self.problems.at(mark, f"`{path}` lies outside the project and its git work tree", "copy the fonts into the project")
            return []
        if not there:
            self.problems.at(mark, f"`{path}` has no fonts", "name a folder with .ttf or .otf files, or one such file")
        return there


class Composing:
    """Makes the sketches of composed pictures."""

    def __init__(self, composer: Composer, shelf: Shelf) -> None:
        self.composer, self.problems, self.shelf = composer, composer.problems, shelf

    def sketch(self, draft: Draft, base: Source | None, scope: Scope) -> Sketch:
        """The one step of an asset with `overlay` or `trim`. What doesn't belong to it is told."""
        own = draft.own
        field = "overlay" if "overlay" in own else "trim"
        if base is None and field in own and "base" not in draft.gaps:
            text = f"`{draft.id}` has nothing that `{field}` could work on"
            self.problems.on(
                own, field, text, "name the picture with `base: ID` or `base: {file: PATH}`", on="key", kind="no base"
            )
        for other in _NOT_COMPOSED:
            if other in own:
                text = f"a picture with `{field}` is made here from its `base`, so it has no `{other}`"
                way = f"give what has a `{other}` an asset of its own, and name that as the `base`"
                if other == "then":
                    way = f"write those steps as an asset of their own, with `base: {draft.id}`"
                self.problems.on(own, other, text, way, on="key", kind=f"composed {other}")
        inputs = [] if base is None else [Input(base, "base")]
        params: dict[str, Param] = {}
        if "overlay" in own:
            params["overlay"] = tuple(self._items(own["overlay"], inputs, scope))
        if "trim" in own:
            params["trim"] = measures.percent(words(own["trim"]))
        sketch = Sketch("compose", own, draft.mark, base, Composed(tuple(inputs), None, ()))
        sketch.params = params
        return sketch

    def _items(self, held: Seq, inputs: list[Input], scope: Scope) -> list[dict[str, Param]]:
        """The items as the provider gets them: files as numbers of inputs, fonts behind them."""
        from .overlays import families, faults, items

        plain: list[dict[str, Any]] = []
        fonts: dict[str, None] = {}
        for each in held:
            item: dict[str, Any] = {name: _plain(value) for name, value in each.items()}
            if "file" in item and isinstance(each, Map):
                source = self.composer.file(each, scope)
                item["file"] = len(inputs)
                if source is not None:
                    inputs.append(Input(source, "overlay"))
            if "text" in item:
                item["text"] = plain_text(words(item["text"]))
                fonts |= dict.fromkeys(file for family in families(item.get("font", "")) for file in self.shelf.faces(family))
            plain.append(item)
        wrong = faults(plain)
        for path, text, hint in wrong:
            self._tell(held, path, text, hint)
        inputs += [Input(FileInput(file), "font") for file in fonts]
        for file in fonts:
            self.composer.pictures.setdefault(file, None)
        return [] if wrong else items(plain)

    def _tell(self, held: Seq, path: Sequence[str | int], text: str, hint: str) -> None:
        inside: Value = held
        for step in path[:-1]:
            inside = inside[step]
        last = path[-1] if path else 0
        if isinstance(inside, Map) and last in inside:
            self.problems.on(inside, str(last), text, hint)
        elif isinstance(inside, Seq) and isinstance(last, int) and last < len(inside.at):
            self.problems.at(inside.at[last], text, hint)
        else:
            self.problems.at(held.at[0], text, hint)


def _plain(value: Value) -> Any:  # noqa: ANN401 - a JSON value
    if isinstance(value, Map):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def cut_of(draft: Draft, scope: Scope, problems: Problems) -> Draft | None:
    """What is cut from a draft, as a draft of its own that is based on it; None when nothing is, or after a problem."""
    from .cutting import faults, normal

    own = draft.own
    held = own.get("cut")
    if not isinstance(held, Map) or draft.ghost or not draft.sketches:
        return None
    if draft.sketches[-1].members:
        problems.on(own, "cut", f"`{draft.id}` is a set already", "a sheet to be cut is one picture", on="key")
        return None
    value = _cut_fields(held, scope, problems, draft.id)
    if value is None:
        return None
    wrong = faults(value)
    for path, text, hint in wrong:
        key = str(path[0]) if path and path[0] in held else next(iter(held))
        problems.on(held, key, text, hint)
    if wrong:
        return None
    found = normal(value)
    members = tuple(found["names"])
    pieces = Draft(draft.id + PIECES, draft.home, own, draft.mark, draft.key)
    source = AssetInput(draft.id)
    sketch = Sketch("cut", own, draft.mark, source, Composed((Input(source, "base"),), None, ()))
    sketch.members = members
    params: dict[str, Param] = {"columns": int(found["columns"]), "rows": int(found["rows"])}
    for part, size in (("margin", found["margin"]), ("trim", found["trim"])):
        if size is not None:
            params[part] = size
    sketch.params = params
    pieces.sketches.append(sketch)
    pieces.gaps, pieces.tags, pieces.axes = draft.gaps, draft.tags, draft.axes
    pieces.row, pieces.among = draft.row, draft.among
    pieces.outputs, pieces.output = _places(draft, held, members, scope, problems)
    return pieces


def _cut_fields(held: Map, scope: Scope, problems: Problems, name: str) -> dict[str, Any] | None:
    """The fields of a cut with their texts put in, but for its output; None after a problem."""
    inner = held.only([key for key in held if key != "output"])
    if has_reference(inner):
        made, good = rendered(inner, scope, problems)
        if not good:
            return None
        for key in ("columns", "rows"):
            if isinstance(made.get(key), str):
                made[key] = scalar(made[key])
        if not shape.accepts("cut", dict(made), resolved=True):
            tell_faults("cut", dict(made), inner, inner.mark(next(iter(inner))), problems, resolved=True, called=name)
            return None
        inner = made
    return {key: _plain(each) for key, each in inner.items()}


def _places(draft: Draft, held: Map, members: Sequence[str], scope: Scope, problems: Problems) -> tuple[tuple[str, ...], Mark]:
    """Where the pieces go: `output` of the cut, else beside the sheet."""
    sheet = draft.outputs[0] if draft.outputs else f"art/{draft.id}.png"
    mark = held.mark("output") if "output" in held else draft.mark
    written = words(held["output"]) if "output" in held else f"{posixpath.splitext(sheet)[0]}-${{member}}.png"
    found: list[str] = []
    try:
        template(written)
        if len(members) > 1 and "member" not in names_in(written):
            stem, ending = posixpath.splitext(written)
            text = f"`{draft.id}` is cut into {len(members)} pieces; their output must hold `${{member}}`"
            problems.at(mark, text, f'write `output: "{stem}-${{member}}{ending}"`')
            return (), mark
        for member in members:
            names: Mapping[str, Any] = {"member": member, "id": draft.id}
            path = tidy(plain_text(words(render(written, (names, *scope)))).strip())
            fault = output_fault(path, ("png",))
            if fault is not None:
                problems.at(mark, *fault, kind="output")
            found.append(path)
    except Bad as e:
        tell_at(problems, mark, e)
    return tuple(found), mark
