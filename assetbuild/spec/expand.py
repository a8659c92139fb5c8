"""From the files of a spec to drafts: every asset of every matrix row, before assets are linked to each other. Knows shapes, rows
and overrides; steps and outputs are others' work.
"""

from __future__ import annotations

from typing import Any

from . import shape
from .compose import Style
from .drafts import Draft, Home, merged
from .interpolate import Bad, Scope, has_reference, render, words
from .marks import Map, Mark, Seq
from .matrix import labels, rows
from .names import resolve, tell_at
from .outputs import ID_HINT, fold, id_fault
from .scalars import Value, scalar
from .sources import Document, Files, plain_text, tell_faults
from .steps import Steps
from .tables import Tables

_LATE = frozenset(("prompt", "then", "output", "references", "matrix", "vars"))  # fields that need more names than the row's
_PLAIN = frozenset(("prompt", "base", "style", "variant", "description"))  # fields that are any text with something in it
_TYPED = ("seed", "set", "pin")  # fields whose cell of a CSV may stand for a number or a truth


class Expansion:
    """Makes drafts. `drafts` by id, in order; `unsure` when some assets couldn't be expanded, so that a missing id may be no
    mistake."""

    def __init__(self, documents: list[Document], files: Files, profile: Map | None) -> None:
        self.documents, self.files, self.problems = documents, files, files.problems
        self.profile = profile if profile is not None else documents[0].root.__class__()
        self.tables, self.steps = Tables(files), Steps(files)
        self.drafts: dict[str, Draft] = {}
        self.folded: dict[str, str] = {}
        self.unsure = False
        self.overrides: dict[str, tuple[Map, Mark]] = {}
        self.overridden: set[str] = set()
        self.homes: list[Home] = []

    def expand(self) -> None:
        """Every asset of every file."""
        root = self.documents[0]
        names = resolve(root.part("vars"), root.folder, (), self.tables)
        styles = self._styles(root, {})
        defaults = root.part("defaults")
        for document in self.documents:
            if document.main:
                home = Home(document, names, styles, self.profile, defaults)
            else:
                own = resolve(document.part("vars"), document.folder, (names,), self.tables) if "vars" in document.root else {}
                home = Home(document, {**names, **own}, self._styles(document, styles), self.profile, defaults)
            self.homes.append(home)
            self._overrides(document)
        for home in self.homes:
            self._assets(home)
        if not self.unsure:
            for id, (_, mark) in self.overrides.items():
                if id not in self.overridden:
                    near = self.problems.near(id, self.drafts)
                    self.problems.at(
                        mark,
                        f"no asset is called `{id}`{near}",
                        "an override names one picture, after its matrix",
                        length=len(id),
                    )

    def _styles(self, document: Document, outer: dict[str, Style]) -> dict[str, Style]:
        """The styles of a file over those of the root."""
        found = dict(outer)
        styles = document.part("styles")
        for name, value in styles.items():
            if isinstance(value, Map):
                references = value.get("references")
                found[name] = Style(
                    name, value, "text" if "text" in value else "", references if isinstance(references, Seq) else None
                )
            else:
                found[name] = Style(name, styles, name, None)
        return found

    def _overrides(self, document: Document) -> None:
        overrides = document.part("overrides")
        for id, value in overrides.items():
            mark = overrides.mark(id, "key")
            if not shape.accepts("override", value):
                tell_faults("override", value, value, overrides.mark(id), self.problems)
                self.overridden.add(id)
            elif id in self.overrides:
                line = self.overrides[id][1].line + 1
                self.problems.at(
                    mark,
                    f"`{id}` is overridden twice, first in line {line} of `{self.overrides[id][1].name}`",
                    "keep one",
                    length=len(id),
                )
            else:
                self.overrides[id] = (value, mark)

    # ---- assets ---------------------------------------------------------------------------------------------------

    def _assets(self, home: Home) -> None:
        """The assets of one file. Most are plain: no matrix, no `${`; these take the short way."""
        document, problems, accepts = home.document, self.problems, shape.compiled("asset")
        assets = document.part("assets")
        text, at, scope = problems.texts[document.path], assets.at, (home.names,)
        dollars = "${" in text
        aliases = "*" in text and "&" in text  # then a `${` may come from elsewhere
        overrides, plain = self.overrides, _PLAIN
        place, last = 0, len(at) - 2
        for key, own in assets.items():
            mark = at[place]
            end = at[place + 2].index if place < last else len(text)
            place += 2
            good = own.__class__ is Map and bool(own)
            if good:
                for field, value in own.items():
                    wrong = field not in plain or value.__class__ is not str or not value or value.isspace()
                    if wrong and (field != "tags" or not _plain_tags(value)):
                        good = False
                        break
                else:
                    good = "prompt" in own
            if not good and not accepts(own):
                if "${" in key or id_fault(key) is not None:
                    self.unsure = True
                elif fold(key) not in self.folded:
                    self._draft(key, home, Map(), mark, key)  # so that those based on it aren't told off too
                tell_faults("asset", own, own, at[place - 1], problems)
                continue
            if (
                (dollars and (aliases or text.find("${", mark.index, end) >= 0) and ("${" in key or has_reference(own)))
                or "matrix" in own
                or "vars" in own
            ):
                self._templated(home, key, own, mark, scope)
            elif key in overrides:
                self._row(home, key, own, mark, scope=scope, row={}, axes=None)
            else:
                draft = self._draft(key, home, own, mark, key)
                if draft is not None:
                    self.steps.fill(draft, ({"id": draft.id}, home.names))

    def _templated(self, home: Home, key: str, own: Map, mark: Mark, scope: Scope) -> None:
        """An asset with a matrix or with texts to put in: once per row."""
        if "matrix" not in own:
            self._row(home, key, own, mark, scope=scope, row={}, axes=None)
            return
        outer: Scope = scope
        if "vars" in own:
            outer = ({name: value for name, value in own["vars"].items() if not has_reference(value)}, *scope)
        found = rows(own["matrix"], home.document.folder, outer, self.tables)
        if found is None:
            self.unsure = True
            return
        for row in found:
            self._row(home, key, own, mark, scope=scope, row=row, axes=labels(row))

    def _row(
        self, home: Home, key: str, own: Map, mark: Mark, *, scope: Scope, row: dict[str, Any], axes: dict[str, str] | None
    ) -> None:
        """One row of an asset: its id, its override, its fields with the row put in."""
        problems, before = self.problems, len(self.problems)
        scope = (row, *scope)
        if "vars" in own:
            scope = (row, resolve(own["vars"], home.document.folder, scope, self.tables), *scope[1:])
        id = key
        if "${" in key:
            try:
                id = words(render(key, scope))
            except Bad as e:
                self.unsure = True
                tell_at(problems, problems.needle(mark, e.needle), e)
                return
        draft = self._draft(id, home, own, mark, key)
        if draft is None:
            return
        row["id"] = id = draft.id
        draft.axes = axes
        if id in self.overrides:
            own = draft.own = merged(own, self.overrides[id][0])
            self.overridden.add(id)
            if not shape.accepts("asset", own):
                tell_faults("asset", own, own, self.overrides[id][1], problems)
                return
        early = Map((name, value) for name, value in own.items() if name not in _LATE)
        early.at = [each for name in early for each in (own.mark(name, "key"), own.mark(name))]
        early, good = self.steps.rendered(early, scope)
        if not good or len(problems) > before:
            return
        for name in _TYPED:
            if name in early and isinstance(early[name], str):
                early[name] = scalar(early[name])
        if isinstance(early.get("params"), Map):
            for name, value in early["params"].items():
                if isinstance(value, str) and has_reference(own.get("params", {}).get(name)):
                    early["params"][name] = scalar(value)
        if early and not shape.accepts("override", early, resolved=True):
            tell_faults("override", early, own, mark, problems, resolved=True)
            return
        for name in ("prompt", "then", "output", "references"):
            if name in own:
                early[name] = own[name]
                early.at += [own.mark(name, "key"), own.mark(name)]
        draft.own = early
        self.steps.fill(draft, scope)

    def _draft(self, id: str, home: Home, own: Map, mark: Mark, key: str) -> Draft | None:
        """A new draft under its id; None after a problem with the id."""
        fault = id_fault(id)
        if fault is not None:
            self.problems.at(mark, fault, ID_HINT, length=len(key), kind="id")
            return None
        if not id.isascii():
            id = plain_text(id)
        folded = fold(id)
        first = self.folded.get(folded)
        if first is not None:
            other = self.drafts[first]
            where = f"line {other.mark.line + 1}" + (f" of `{other.mark.name}`" if other.mark.name != mark.name else "")
            if first != id:
                text = f"`{id}` and `{first}` ({where}) are one id where upper and lower case are the same"
            elif other.mark is mark:
                text = f"two rows of this matrix are called `{id}`"
            else:
                text = f"an asset called `{id}` stands in {where} already"
            hint = "let the id name every axis that differs" if other.mark is mark else "call one of them otherwise"
            self.problems.at(mark, text, hint, length=len(key), kind="twice")
            return None
        self.folded[folded] = id
        draft = self.drafts[id] = Draft(id, home, own, mark, key)
        return draft


def _plain_tags(value: Value) -> bool:
    """Whether tags are nothing but texts: then the schema has nothing against them."""
    if value.__class__ is not Seq:
        return False
    for each in value:  # noqa: SIM110 - a plain loop is faster here
        if each.__class__ is not str or not each or each.isspace():
            return False
    return True
