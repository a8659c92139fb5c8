"""`${name.key[other]}` in texts: looking it up, putting it in. Knows names and values; it does not know what an asset is.

What was put in is never looked at again, so text from tables and vars is inert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .cells import Empty, Record, blank, empty
from .marks import Map, Mark, Seq
from .scalars import Value, WrittenFloat, WrittenInt
from .templates import Bad, Quiet, Ref, reference, template

RESERVED = frozenset(("id", "member", "export", "image"))  # built-in names
BROKEN = object()  # the value of a var that has a problem already: what uses it is not told

Scope = Sequence[Mapping[str, Any]]


class Vague(dict[str, Any]):
    """Names of which some got lost with a problem: every name is there, the value of a lost one BROKEN."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> object:
        return BROKEN


def lookup(ref: Ref, scope: Scope) -> Value:
    """What a reference names. Raises Bad with what would have been there."""
    for names in scope:
        if ref.name in names:
            value = names[ref.name]
            break
    else:
        if ref.name.isdigit() and not ref.steps:
            return ref.name  # `${list[0]}`
        known = tuple(dict.fromkeys(name for names in scope for name, each in names.items() if each != {}))
        hint = "known here: " + ", ".join(f"`{name}`" for name in known[:12]) if known else "no names are known here"
        if ref.name == "export":
            raise Bad("`${export}` has a meaning only in an export's path", ref.source)
        if ref.name == "member":
            raise Bad(
                "`${member}` has a meaning only in the `output` of a set", ref.source, "the members of a set share one prompt"
            )
        if ref.name == "image":
            raise Bad("`${image.…}` has a meaning only in prompts, styles and hints", ref.source)
        if any(ref.name in names.get("image", ()) for names in scope if "image" in known) and not ref.steps:
            raise Bad(f"nothing is called `{ref.name}`", ref.source, f"a picture is named by `${{image.{ref.name}}}`")
        raise Bad(f"nothing is called `{ref.name}`", ref.source, hint, name=ref.name, known=known)
    way = ref.name
    inside: Any = None
    for step in ref.steps:
        if value is BROKEN:
            raise Quiet("", ref.source)
        key = step if isinstance(step, str) else _looked_up(step, scope, way, value)
        if isinstance(value, Mapping):
            if key not in value:
                raise _lacking(ref, way, key, value, scope if isinstance(step, str) else ())
            inside, value = value, value[key]
        elif isinstance(value, (list, tuple)):
            if not key.isdigit() or int(key) >= len(value):
                hint = "count from 0, as in `${name[0]}`"
                if value and not key.isdigit() and isinstance(value[0], Record):
                    hint = "name the column that its rows are found by: `{from: …, key: COLUMN}`"
                raise Bad(f"`{way}` is a list of {len(value)}; it has no `{key}`", ref.source, hint)
            inside, value = value, value[int(key)]
        else:
            raise Bad(f"`{way}` is a text; it has no `{key}`", ref.source, f"write `${{{way}}}`")
        way = f"{way}.{key}"
    if value is BROKEN:
        raise Quiet("", ref.source)
    if inside.__class__ is Record and blank(value) and key not in inside.sheet.spared:
        return empty(inside, key, ref.source)
    return value


def _looked_up(step: Ref, scope: Scope, way: str, inside: Value) -> str:
    """The key that stands in brackets, as in `[locale]`."""
    try:
        return words(lookup(step, scope), step)
    except Bad as e:
        if isinstance(inside, Mapping) and step.name in inside and not step.steps and e.name == step.name:
            hint = f"for the entry called `{step.name}` write `${{{way}.{step.name}}}`"
            raise Bad(e.text, e.needle, hint) from None
        raise


def _lacking(ref: Ref, way: str, key: str, inside: Mapping[str, Any], scope: Scope) -> Bad:
    """Why a mapping has nothing under a key: a row that lacks what other rows of its table have is told as that row's fault."""
    columns = inside.sheet.columns if isinstance(inside, Record) else inside
    known = tuple(str(each) for each in columns)
    if isinstance(inside, Record) and key in columns:
        hint = f"write `{key}: …` into it, or `defaults: {{{key}: …}}` beside the `from` of `{ref.name}`"
        return Bad(f"`{way}` has no `{key}`", ref.source, hint, record=inside)
    hint = "it has " + ", ".join(f"`{each}`" for each in known[:12]) if known else "it is empty"
    if way == "image" and set(known) <= {"base"}:
        hint = "it has `base`; name another" if known else "name a picture"
        hint += " with `as`: `references: [{file: brand/board.png, as: board}]`"
    elif isinstance(inside, Record) and inside.sheet.separator:
        hint = f"the first line of `{inside.file}` names " + hint.removeprefix("it has ")
    elif any(isinstance(names.get(key), str) and names[key] in inside for names in scope):
        hint += f"; for the entry that `{key}` names write `${{{way}[{key}]}}`"
    return Bad(f"`{way}` has no `{key}`", ref.source, hint, name=key, known=known)


def no_words(cell: Empty, ref: Ref | None = None) -> Bad:
    """Why an empty cell can't stand in a text."""
    name = cell.source[2:-1].split(".")[0].split("[")[0]
    hint = f"fill it in, or write `defaults: {{{cell.column}: …}}` beside the `from` of `{name}`"
    return Bad(f"`{cell.source}` is empty", cell.source if ref is None else ref.source, hint, record=cell.record)


def words(value: Value, ref: Ref | None = None) -> str:
    """A value as it stands in a text: numbers as they were written. Raises Bad for lists, mappings and nothing."""
    if isinstance(value, str):
        if value.__class__ is Empty:
            raise no_words(value, ref)
        return value
    source = ref.source if ref is not None else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (WrittenInt, WrittenFloat)):
        return value.text
    if isinstance(value, (int, float)):
        return str(value)
    if value is None:
        raise Bad(f"`{source[2:-1]}` has no value", source, "give it one, or a default with `defaults:` of the axis")
    kind = "a mapping" if isinstance(value, Mapping) else "a list"
    parts = [str(each) for each in value] if isinstance(value, Mapping) else list(map(str, range(len(value))))
    part = f"${{{source[2:-1]}.{parts[0]}}}" if parts else "${name.key}"
    raise Bad(f"`{source[2:-1]}` is {kind}; it can't stand inside a text", source, f"name one of its parts, as in `{part}`")


def render(text: str, scope: Scope) -> Value:
    """A text with everything put in; the value itself, of its own type, when the text is exactly one `${…}`. Raises Bad, which
    holds those of all its `${…}`."""
    try:
        parts = template(text)
        if len(parts) == 1 and isinstance(parts[0], Ref):
            return lookup(parts[0], scope)
        return "".join([part if isinstance(part, str) else words(lookup(part, scope), part) for part in parts])
    except Bad as e:
        e.more = [each for each in _all_bad(text, scope) if (each.needle, each.before) != (e.needle, e.before)]
        raise


def _all_bad(text: str, scope: Scope) -> list[Bad]:
    """What is wrong with each `${…}` of a text, in their order."""
    found: list[Bad] = []
    start = text.find("${")
    while start >= 0:
        end = start + 2
        if not start or text[start - 1] != "$":
            try:
                ref, end = reference(text, start)
                value = lookup(ref, scope)
                if ref.source != text:
                    words(value, ref)
            except Bad as e:
                found.append(e)
        start = text.find("${", end)
    return found


def inert(value: Value, mark: Mark) -> Value:
    """A value that was put in, fit to be rendered once more without a change: each `${` in it is escaped. What has no marks
    stands at `mark`."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        made = Map((str(key), inert(each, mark)) for key, each in value.items())
        made.at = value.at if isinstance(value, Map) else [mark, mark] * len(value)
        return made
    if isinstance(value, (list, tuple)):
        items = Seq(inert(each, mark) for each in value)
        items.at = value.at if isinstance(value, Seq) else [mark] * len(value)
        return items
    return value


def empties(value: Value) -> list[tuple[Value, Value, Empty]]:
    """The empty cells in a value, each with what holds it and its key or index there."""
    found: list[tuple[Value, Value, Empty]] = []
    todo = [value]
    while todo:
        inside = todo.pop()
        for key, each in inside.items() if isinstance(inside, dict) else enumerate(inside):
            if each.__class__ is Empty:
                found.append((inside, key, each))
            elif each.__class__ is Map or each.__class__ is Seq:
                todo.append(each)
    return found


def render_all(value: Value, scope: Scope, failed: Value) -> Value:
    """A value with every text in it rendered. Marks are kept. `failed(container, key, Bad)` hears of each text that can't be; it
    stays as it is."""
    if isinstance(value, Map):
        made = Map()
        made.at = value.at
        for key, each in value.items():
            made[key] = _rendered(value, key, each, scope, failed)
        return made
    if isinstance(value, Seq):
        items = Seq(_rendered(value, index, each, scope, failed) for index, each in enumerate(value))
        items.at = value.at
        return items
    return value


def _rendered(inside: Value, key: Value, value: Value, scope: Scope, failed: Value) -> Value:
    if isinstance(value, str):
        if "${" in value:
            try:
                return render(value, scope)
            except Bad as e:
                failed(inside, key, e)
        return value
    return render_all(value, scope, failed) if isinstance(value, (Map, Seq)) else value
