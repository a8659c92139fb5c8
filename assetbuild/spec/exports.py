"""The exports of one asset: which files are made from its pictures, by which recipe, and where they go. Knows layers, presets and measures; it looks at no
picture, and whether two files are one is asked elsewhere.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import Place
from ..recipe import FORMATS, Recipe
from . import measures, shape
from .compose import Composer
from .drafts import Draft
from .interpolate import BROKEN, Scope, render, words
from .marks import Map, Mark
from .model import PIECES, Export, FileInput
from .names import rendered, tell_at
from .outputs import output_fault, tidy
from .presets import builtin
from .scalars import Value, scalar
from .sources import plain_text, tell_faults
from .templates import Bad, has_reference, names_in, template

_RASTER = frozenset(("png", "jpeg", "webp", "avif", "tiff"))
# Which types have a field; a field that isn't here belongs to all.
_HAVE: dict[str, frozenset[str]] = {
    "quality": frozenset(("jpeg", "webp", "avif", "pdf")),
    "lossless": frozenset(("webp", "avif", "pdf")),
    "effort": frozenset(("png", "webp", "avif")),
    "max_bytes": frozenset(("png", "jpeg", "webp", "avif")),
    "colors": frozenset(("png",)),
    "sizes": frozenset(("ico",)),
    "marks": frozenset(("pdf",)),
    **dict.fromkeys(("width", "height", "scale", "size", "dpi", "bleed", "fit", "icc", "sharpen"), _RASTER | {"pdf"}),
}
_TYPED = frozenset(
    ("width", "height", "scale", "dpi", "quality", "lossless", "effort", "max_bytes", "sharpen", "colors", "marks", "strip")
)
_NOT_RECIPE = frozenset(("path", "preset", "files", "about"))
MOST_PIXELS = 65_500  # of a side: what a JPEG can have

Fields = Mapping[str, Any]


class Said(NamedTuple):
    """A field's value and the mapping it is written in (a plain dict when that comes with assetbuild)."""

    value: Any
    holder: Fields


class Wrong(Exception):
    """What is wrong with a field's value, and the way out."""

    def __init__(self, field: str, text: str, hint: str) -> None:
        super().__init__(text)
        self.field, self.text, self.hint = field, text, hint


class Exporter:
    """Gives drafts their exports. `presets` are the project's own."""

    def __init__(self, composer: Composer, presets: Map) -> None:
        self.composer, self.problems, self.presets = composer, composer.problems, presets
        self._recipes: dict[tuple[object, ...], tuple[Recipe, FileInput | None] | None] = {}
        self._kept: list[Fields] = []  # alive, so that no other mapping gets its number
        self.own: dict[str, Map | None] = {}

    def place(self, draft: Draft, scope: Scope) -> None:
        """All exports of a draft whose members are known."""
        layers = [layer["exports"] for layer in _layers(draft) if isinstance(layer.get("exports"), Map)]
        if not layers or draft.ghost or not draft.sketches:
            return
        names = list(dict.fromkeys(name for layer in reversed(layers) for name in layer))
        members = draft.sketches[-1].members or ("",)
        found: list[Export] = []
        for name in names:
            chain: list[Fields] = []
            for layer in layers:
                if name in layer:
                    if layer[name] is False:
                        break
                    if isinstance(layer[name], Map):
                        chain.append(layer[name])
            if chain and _has_its_place(draft, name):
                found += self._entry(draft, scope, name, chain, members, next(layer for layer in layers if name in layer))
        draft.exports = tuple(found)

    def _entry(
        self, draft: Draft, scope: Scope, name: str, chain: list[Fields], members: Sequence[str], inside: Map
    ) -> list[Export]:
        """One name under `exports`: a file for each member and each file of its preset."""
        mark = inside.mark(name, "key")
        preset = _find(chain, "preset")
        files: Mapping[str, Any] = {"": {}}
        if preset is not None:
            if isinstance(preset.value, str) and "${" in preset.value:
                preset = preset._replace(value=self._text(preset, "preset", scope, draft))
                if preset.value is None:
                    return []
            known = self.presets.get(str(preset.value)) or builtin().get(str(preset.value))
            if known is None:
                every = list(dict.fromkeys([*self.presets, *builtin()]))
                some = ", ".join(f"`{each}`" for each in every)
                text = f"no preset is called `{preset.value}`{self.problems.near(str(preset.value), every)}"
                self._tell(preset, "preset", mark, text, f"known: {some}")
                return []
            files = known.get("files") or files
            chain = [*chain, known]
        path = _find(chain, "path")
        if path is None:
            text = f"the export `{name}` of `{draft.id}` has no `path`"
            hint = f"write `path: web/${{id}}.webp` into it{'' if preset is not None else ', or name a `preset`'}"
            self.problems.at(mark, text, hint, length=len(name), kind=f"path {name}")
            return []
        written = words(path.value)
        try:
            template(written)
            needs = names_in(written)
        except Bad as e:
            tell_at(self.problems, self._mark(path, "path", mark), e)
            return []
        if ("cut" in draft.own or "cut" in draft.gaps) and ("member" in needs) != (draft.sketches[-1].op == "cut"):
            return []  # of a sheet, or of what is cut from it
        own = path.holder is draft.own.get("exports", {}).get(name)
        if len(members) > 1 and "member" not in needs:
            stem, ending = posixpath.splitext(written)
            if own:
                text = f"`{draft.id}` is a set of {len(members)} pictures; the path of export `{name}` must hold `${{member}}`"
                self._tell(path, "path", mark, text, f'write `path: "{stem}-${{member}}{ending}"`')
                return []
            written = stem + "-${member}" + ending
        if len(files) > 1 and "export" not in needs:
            stem, _ = posixpath.splitext(written)
            text = f"the preset `{preset.value if preset else ''}` makes {len(files)} files; its path must hold `${{export}}`"
            self._tell(path, "path", mark, text, f'write `path: "{stem}-${{export}}"`')
            return []
        made: list[Export] = []
        group = name if len(files) > 1 else ""
        for ending, special in files.items():
            full = f"{name}-{ending}" if ending else name
            made += self._file(
                draft, scope, full, group, [*chain[:-1], special, chain[-1]] if ending else chain, members, written, mark
            )
        return made

    def _file(
        self,
        draft: Draft,
        scope: Scope,
        full: str,
        group: str,
        chain: list[Fields],
        members: Sequence[str],
        written: str,
        mark: Mark,
    ) -> list[Export]:
        """One file of each member. `full` is the export's name; its ending, if it has one, is that of the path."""
        stem, wanted = posixpath.splitext(full) if group else (full, "")
        path = _find(chain, "path")
        made: list[Export] = []
        for member in members:
            names: dict[str, Any] = {"id": draft.id.removesuffix(PIECES), "export": stem}
            if draft.sketches[-1].members:
                names["member"] = member
            try:
                where = tidy(plain_text(words(render(written, (names, *scope)))).strip())
            except Bad as e:
                tell_at(self.problems, self._mark(path, "path", mark), e, draft.id)
                return []
            ending = posixpath.splitext(where)[1].lower()
            if wanted and FORMATS.get(ending[1:]) != FORMATS.get(wanted[1:].lower()):
                if FORMATS.get(ending[1:]) is not None:
                    text = f"the path of export `{group}` ends in `{ending}`, and its file `{full}` in `{wanted}`"
                    self._tell(path, "path", mark, text, "leave the ending out of the path: each file brings its own", "ending")
                    return []
                where, ending = where + wanted, wanted.lower()
            fault = output_fault(where, FORMATS, "export")
            if fault is not None:
                self._tell(path, "path", mark, *fault)
                return []
            found = self._recipe(draft, scope, full, FORMATS[ending[1:]], chain, mark)
            if found is None:
                return []
            at = self._mark(path, "path", mark)
            place = Place(at.name, at.line + 1, at.column + 1)
            made.append(Export(full, member, where, found[0], place, found[1], group))
        return made

    # ---- the recipe ---------------------------------------------------------------------------------------------------

    def _recipe(
        self, draft: Draft, scope: Scope, name: str, kind: str, chain: list[Fields], mark: Mark
    ) -> tuple[Recipe, FileInput | None] | None:
        """The recipe and the colour profile's file; None after a problem. Shared by all assets that say the same."""
        focus = draft.own.get("focus")
        marking = draft.strongest("provenance")
        said = None if marking is None else marking["provenance"]
        dynamic = any(has_reference({k: v for k, v in each.items() if k not in _NOT_RECIPE}) for each in chain) or has_reference(
            said
        )
        key = (kind, focus, said, *map(id, chain))
        if not dynamic and key in self._recipes:
            return self._recipes[key]
        whole: dict[str, Said] = {}
        for each in reversed(chain):
            for field, value in each.items():
                if field not in _NOT_RECIPE:
                    whole[field] = Said(value, each)
        if focus is not None and ("focus" not in whole or whole["focus"].holder is not draft.own.get("exports", {}).get(name)):
            whole["focus"] = Said(focus, draft.own)
        if marking is not None and "provenance" not in whole:
            whole["provenance"] = Said(said, marking)
        found = self._read(draft, scope, name, kind, whole, mark)
        if not dynamic:
            self._recipes[key] = found
            self._kept += chain
        return found

    def _read(
        self, draft: Draft, scope: Scope, name: str, kind: str, whole: dict[str, Said], mark: Mark
    ) -> tuple[Recipe, FileInput | None] | None:
        values: dict[str, Any] = {}
        for field, said in whole.items():
            value = said.value
            if isinstance(said.holder, Map) and field != "icc" and has_reference(value):
                made, good = rendered(said.holder.only((field,)), scope, self.problems)
                if not good:
                    return None
                value = made[field]
                if field in _TYPED and isinstance(value, str):
                    value = scalar(value)
                if not shape.accepts("export_fields", {field: value}, resolved=True):
                    tell_faults(
                        "export_fields",
                        {field: value},
                        said.holder.only((field,)),
                        mark,
                        self.problems,
                        resolved=True,
                        called=name,
                    )
                    return None
            if value is None or value is BROKEN:
                return None
            have = _HAVE.get(field)
            if have is not None and kind not in have:
                if self._strict(draft, said, whole):
                    text = f"a {kind} has no `{field}`"
                    hint = f"take it out; {_some(have)} {'have' if len(have) > 1 else 'has'} it"
                    self._tell(said, field, mark, text, hint)
                    return None
                continue
            values[field] = value
        icc: FileInput | None = None
        profile = values.get("icc")
        if isinstance(profile, Map):
            icc = self.composer.file(profile, scope)
            if icc is None:
                return None
        try:
            return _made(kind, values), icc
        except Wrong as wrong:
            said = whole.get(wrong.field, next(iter(whole.values())))
            self._tell(said, wrong.field, mark, f"{wrong.text} (export `{name}` of `{draft.id}`)", wrong.hint)
            return None

    def _strict(self, draft: Draft, said: Said, whole: dict[str, Said]) -> bool:
        """Whether a field that the type hasn't is a mistake: it is written for this very file, not for whatever a path of elsewhere says."""
        own = draft.own.get("exports")
        return isinstance(said.holder, Map) and (
            (isinstance(own, Map) and any(said.holder is each for each in own.values())) or "path" in said.holder
        )

    # ---- places -------------------------------------------------------------------------------------------------------

    def _text(self, said: Said, field: str, scope: Scope, draft: Draft) -> str | None:
        return self.composer.text(said.holder, field, scope, draft.id) if isinstance(said.holder, Map) else str(said.value)

    def _mark(self, said: Said | None, field: str, other: Mark) -> Mark:
        return said.holder.mark(field) if said is not None and isinstance(said.holder, Map) and field in said.holder else other

    def _tell(self, said: Said | None, field: str, mark: Mark, text: str, hint: str, kind: str = "") -> None:
        if said is not None and isinstance(said.holder, Map) and field in said.holder:
            self.problems.on(said.holder, field, text, hint, kind=kind)
        else:
            self.problems.at(mark, text, hint, kind=text)


def _layers(draft: Draft) -> list[Map]:
    """The layers that may have exports, the strongest first: the profile, the asset, its file's defaults, the root's."""
    return [*draft.home.above, draft.own, *draft.home.below]


def _has_its_place(draft: Draft, name: str) -> bool:
    """Under a profile with outputs of its own (proofs), what ships of the finals must stay: such an export is made only where the profile says where."""
    for layer in draft.home.above:
        if "output" in layer:
            said = layer.get("exports")
            entry = said.get(name) if isinstance(said, Map) else None
            return isinstance(entry, Map) and "path" in entry
    return True


def _find(chain: Sequence[Fields], field: str) -> Said | None:
    for each in chain:
        if field in each:
            return Said(each[field], each)
    return None


def _some(kinds: frozenset[str]) -> str:
    names = sorted(kinds)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


_READ: dict[str, Callable[[Any], Value]] = {
    "matte": measures.colour,
    "max_bytes": measures.file_size,
    "bleed": measures.length,
    "trim": measures.percent,
    "fit": str,
    "provenance": str,
    "quality": int,
    "effort": int,
    "colors": int,
    "lossless": bool,
    "marks": bool,
    "strip": bool,
    "dpi": float,
    "sharpen": float,
    "sizes": lambda value: tuple(sorted({int(each) for each in value})),
    "icc": lambda value: "keep" if value == "keep" else "",
}


def _made(kind: str, values: dict[str, Any]) -> Recipe:
    """The recipe of values whose form is right. Raises Wrong for what doesn't go together."""
    found: dict[str, Any] = {name: _READ[name](value) for name, value in values.items() if name in _READ}
    scale = float(values.get("scale", 1))
    if "size" in values:
        for side in ("width", "height"):
            if side in values:
                raise Wrong("size", f"`size` and `{side}` say the same thing twice", "take one of them out: `size` is both sides")
        size = measures.size(str(values["size"]))
        if size is None:
            raise Wrong("size", f"`{values['size']}` is no size in whole pixels", "write `1200x630`, or a unit: `50x70cm`")
        if size.paper:
            if scale != 1:
                raise Wrong("scale", "`scale` is for pixels; a size on paper has none", "say `dpi` instead")
            found["page"] = (size.width, size.height)
        else:
            values = {**values, "width": size.width, "height": size.height}
    for side in ("width", "height"):
        if side in values:
            found[side] = max(1, round(float(values[side]) * scale))
            if found[side] > MOST_PIXELS:
                raise Wrong(side, f"{found[side]:,} pixels are more than the {MOST_PIXELS:,} of any format", "make it smaller")
    if "scale" in values and "width" not in found and "height" not in found and "page" not in found:
        raise Wrong("scale", "`scale` needs a `width` or `height` to be a multiple of", "write one beside it")
    for field in ("bleed", "marks"):
        if found.get(field) and "page" not in found:
            raise Wrong(field, f"`{field}` needs a size on paper", "write `size: 50x70cm` or `size: A2` beside it")
    if "focus" in values:
        focus = measures.focus(str(values["focus"]))
        if focus is None:
            raise Wrong("focus", f"`{values['focus']}` lies outside the picture", "percentages go from 0% to 100%")
        if found.get("fit", "cover") == "cover" and ("page" in found or ("width" in found and "height" in found)):
            found["focus"] = focus  # else nothing is cut
    return Recipe(kind, **found)  # type: ignore[arg-type] # one of FORMATS
