"""From the files of a spec to drafts: every asset of every matrix row, before assets are linked to each other. Knows shapes, rows
and overrides; steps and outputs are others' work.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from . import shape
from .compose import Style
from .drafts import Draft, Home, merged
from .gaps import ALL
from .here import cut_of
from .ids import spoiled, twice
from .interpolate import BROKEN, Scope, Vague, render, words
from .marks import Map, Mark, Seq
from .matrix import labels, rows
from .names import resolve, tell_at
from .outputs import fold, id_fault
from .scalars import Value, scalar
from .sources import Document, Files, plain_text, tell_faults
from .steps import Steps
from .tables import Tables
from .templates import Bad, has_reference

_LATE = frozenset(
    ("prompt", "then", "output", "exports", "cut", "references", "matrix", "vars")
)  # fields that need more names than the row's
_PLAIN = frozenset(("prompt", "base", "style", "variant", "description"))  # fields that are any text with something in it
_TYPED = ("seed", "set", "pin", "takes")  # fields whose cell of a CSV may stand for a number or a truth


class Expansion:
    """Makes drafts. `drafts` by id, in order; `ghosts` are those that have none that they could be found by, made so that their
    other mistakes are told too."""

    def __init__(self, documents: list[Document], files: Files, profile: Map | None) -> None:
        self.documents, self.files, self.problems = documents, files, files.problems
        self.profile = profile if profile is not None else Map()
        self.tables, self.steps = Tables(files), Steps(files, documents[0])
        self.gaps = files.problems.gaps
        self.drafts: dict[str, Draft] = {}
        self.ghosts: list[Draft] = []
        self.folded: dict[str, str] = {}
        self.overrides: dict[str, tuple[Map, Mark]] = {}
        self.overridden: set[str] = set()
        self.homes: list[Home] = []

    def expand(self) -> None:
        """Every asset of every file."""
        root = self.documents[0]
        names = self._names(root, {})
        styles = self._styles(root, {})
        defaults = root.part("defaults")
        for document in self.documents:
            own, all_styles = self._common_gaps(document)
            if document.main:
                home = Home(document, names, styles, self.profile, defaults, own, all_styles)
            else:
                inner = self._names(document, names)
                home = Home(document, inner, self._styles(document, styles), self.profile, defaults, own, all_styles)
            self.homes.append(home)
            self._overrides(document)
        for home in self.homes:
            self._assets(home)
        for id, (_, mark) in self.overrides.items():
            if id not in self.overridden and not self.gaps.may_be(id):
                near = self.problems.near(id, self.drafts)
                one = next((f", such as `{draft.id}`" for draft in self.drafts.values() if draft.key == id), "")
                hint = f"an override names one picture, after its matrix{one}" + (
                    "; what is for all stands on the asset" * bool(one)
                )
                self.problems.at(mark, f"no asset is called `{id}`{near}", hint, length=len(id))

    def _names(self, document: Document, outer: dict[str, Any]) -> dict[str, Any]:
        """The vars of a file over those of the root."""
        own = resolve(document.part("vars"), (outer,), self.tables) if "vars" in document.root else {}
        whole = {**outer, **own}
        vague = isinstance(outer, Vague) or isinstance(own, Vague) or "vars" in self.gaps.of(document.root)
        return Vague(whole) if vague else whole

    def _common_gaps(self, document: Document) -> tuple[Set[str], bool]:
        """Which settings of a file, the root and the profile have mistakes, and whether all names of styles are known."""
        found: set[str] = set(self.gaps.of(self.profile))
        all_styles = True
        for each in (self.documents[0], document):
            parts = self.gaps.of(each.root)
            found |= self.gaps.of(each.part("defaults")) | ({ALL} if "defaults" in parts else set())
            all_styles = all_styles and "styles" not in parts and ALL not in self.gaps.of(each.part("styles"))
        return found, all_styles

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
        for name in self.gaps.of(styles) - styles.keys():
            found[name] = Style(name, styles, "", None, broken=True)
        return found

    def _overrides(self, document: Document) -> None:
        overrides = document.part("overrides")
        for id, value in overrides.items():
            mark = overrides.mark(id, "key")
            if not shape.accepts("override", value):
                paths = tell_faults("override", value, value, overrides.mark(id), self.problems, called=id)
                if not isinstance(value, Map):
                    self.gaps.add(overrides, id)
                    continue
                self.gaps.leave_out(value, paths)
            if id in self.overrides:
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
        for key, fields in assets.items():
            own, mark = fields, at[place]
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
                own = self._sound(own, "asset", at[place - 1], key.rstrip("\0"))
            if (
                (dollars and (aliases or text.find("${", mark.index, end) >= 0) and ("${" in key or has_reference(own)))
                or "matrix" in own
                or "vars" in own
                or self.gaps.of(own)
            ):
                self._templated(home, key, own, mark, scope)
            elif key in overrides:
                self._row(home, key, own, mark, scope=scope, row={}, axes=None)
            else:
                draft = self._draft(key, home, own, mark, key)
                self._fill(draft, ({"id": BROKEN if draft.ghost else draft.id}, home.names))

    def _sound(self, own: Value, form: str, mark: Mark, called: str) -> Map:
        """What is right of an asset's fields; the rest is told and left out."""
        paths = tell_faults(form, own, own, mark, self.problems, called=called)
        if not isinstance(own, Map):
            return self.gaps.hollow()
        self.gaps.leave_out(own, paths)
        if paths and () in paths:  # it lacks something
            self.gaps.add(own, "prompt", "base", "op")
        still = [] if shape.accepts(form, own) else [fault.path for fault in shape.explain(form, own) if fault.path]
        if still and not (still == [("matrix",)] and own["matrix"] == {}):
            return self.gaps.hollow()
        return own

    def _templated(self, home: Home, key: str, own: Map, mark: Mark, scope: Scope) -> None:
        """An asset with a matrix or with texts to put in: once per row."""
        gaps = self.gaps.of(own)
        if "matrix" not in own and "matrix" not in gaps and ALL not in gaps:
            self._row(home, key, own, mark, scope=scope, row={}, axes=None)
            return
        outer: Scope = scope
        if "vars" in own:
            outer = ({name: value for name, value in own["vars"].items() if not has_reference(value)}, *scope)
            outer = (dict.fromkeys(self.gaps.of(own["vars"]) - {ALL}, BROKEN), *outer)
        matrix = own.get("matrix")
        found = rows(matrix, outer, self.tables) if isinstance(matrix, Map) else None
        if found is None or "matrix" in gaps:  # one row, of which nobody knows more than its names
            unknown: dict[str, Any] = dict.fromkeys((name for name in matrix or () if name != "exclude"), BROKEN)
            if isinstance(matrix, Map):
                unknown |= dict.fromkeys(self.gaps.of(matrix), BROKEN)
            else:
                scope = (*scope, Vague())
            self.gaps.lose(key)
            self._row(home, key, own, mark, scope=scope, row=unknown, axes=None)
            return
        self.problems.among = found
        for row in found:
            self._row(home, key, own, mark, scope=scope, row=row, axes=labels(row))
        self.problems.row, self.problems.among = None, ()

    def _row(
        self, home: Home, key: str, own: Map, mark: Mark, *, scope: Scope, row: dict[str, Any], axes: dict[str, str] | None
    ) -> None:
        """One row of an asset: its id, its override, its fields with the row put in."""
        problems, gaps = self.problems, self.gaps
        problems.row = row
        outer: Scope = (row, *scope)
        scope = self._with_vars(own, outer)
        try:
            id = words(render(key, scope)) if "${" in key else key
        except Bad as e:
            tell_at(problems, mark, e)
            draft = self._ghost(key, home, own, mark, key)
        else:
            draft = self._draft(id, home, own, mark, key, scope)
        if axes is not None:
            draft.row, draft.among = row, problems.among
        row["id"] = BROKEN if draft.ghost else draft.id
        id = draft.id
        draft.axes = axes
        if id in self.overrides and not draft.ghost:
            over = self.overrides[id][0]
            self.overridden.add(id)
            own = merged(own, over, gaps)
            if not shape.accepts("asset", own):
                own = self._sound(own, "asset", self.overrides[id][1], id)
            draft.own, draft.gaps = own, gaps.of(own)
            if "vars" in over:
                scope = self._with_vars(own, outer)
        early, bad = self.steps.sound(own.only(own.keys() - _LATE), scope)
        if bad:
            draft.gaps = draft.gaps | bad
        for name in _TYPED:
            if name in early and isinstance(early[name], str):
                early[name] = scalar(early[name])
        if isinstance(early.get("params"), Map):
            for name, value in early["params"].items():
                if isinstance(value, str) and has_reference(own.get("params", {}).get(name)):
                    early["params"][name] = scalar(value)
        if early and not shape.accepts("override", early, resolved=True):
            gaps.leave_out(early, tell_faults("override", early, own, mark, problems, resolved=True, called=id))
            draft.gaps = draft.gaps | gaps.of(early)
        for name in ("prompt", "then", "output", "exports", "cut", "references"):
            if name in own:
                early.take(own, name)
        draft.own = early
        self._fill(draft, scope)

    def _fill(self, draft: Draft, scope: Scope) -> None:
        """Steps and files of a draft, and of what is cut from it."""
        self.steps.fill(draft, scope)
        if "cut" in draft.own:
            pieces = cut_of(draft, scope, self.problems)
            if pieces is not None:
                self.drafts[pieces.id] = pieces
                self.steps.exporter.place(pieces, scope)

    def _with_vars(self, own: Map, outer: Scope) -> Scope:
        """The names of a row with its asset's vars put behind those of the row, which is the first of `outer`."""
        missing = self.gaps.of(own)
        names = (outer[0], resolve(own["vars"], outer, self.tables), *outer[1:]) if "vars" in own else outer
        vague = "vars" in missing or (ALL in missing and "vars" not in own)
        return (*names, Vague()) if vague else names

    def _ghost(self, id: str, home: Home, own: Map, mark: Mark, key: str) -> Draft:
        """A draft that can't be found under its id."""
        draft = Draft(id, home, own, mark, key)
        draft.gaps, draft.ghost = self.gaps.of(own), True
        self.ghosts.append(draft)
        self.gaps.lose(id)
        return draft

    def _draft(self, id: str, home: Home, own: Map, mark: Mark, key: str, scope: Scope = ()) -> Draft:
        """A new draft under its id; a ghost after a problem with the id."""
        if id.endswith("\0"):  # the second of its name in one mapping, told already
            return self._ghost(id.rstrip("\0"), home, own, mark, key.rstrip("\0"))
        fault = id_fault(id)
        if fault is not None:
            text, hint, named = spoiled(key, fault, scope, self.problems.texts)
            self.problems.at(mark, text, hint, length=len(key), kind="id", rows=self.problems.rows_now() if named else None)
            return self._ghost(id, home, own, mark, key)
        if not id.isascii():
            id = plain_text(id)
        folded = fold(id)
        first = self.folded.get(folded)
        if first is not None:
            other = self.drafts[first]
            where = f"line {other.mark.line + 1}" + (f" of `{other.mark.name}`" if other.mark.name != mark.name else "")
            row, rows = self.problems.row, None
            if other.mark is mark and row is not None and other.row is not None:
                text, hint = twice(key, id, row, other.row, self.problems.texts)
                rows = self.problems.rows_now()
                if first != id:
                    text = text.replace(f"`{id}`", f"`{first}` and `{id}`, one id where upper and lower case are the same", 1)
            else:
                text, hint = f"an asset called `{id}` stands in {where} already", "call one of them otherwise"
                if first != id:
                    text = f"`{id}` and `{first}` ({where}) are one id where upper and lower case are the same"
            self.problems.at(mark, text, hint, length=len(key), kind="twice", rows=rows)
            return self._ghost(id, home, own, mark, key)
        self.folded[folded] = id
        draft = self.drafts[id] = Draft(id, home, own, mark, key)
        if self.gaps.any:
            draft.gaps = self.gaps.of(own)
        return draft


def _plain_tags(value: Value) -> bool:
    """Whether tags are nothing but texts: then the schema has nothing against them."""
    if value.__class__ is not Seq:
        return False
    for each in value:  # noqa: SIM110 - a plain loop is faster here
        if each.__class__ is not str or not each or each.isspace():
            return False
    return True
