"""The shape of a spec: whether a value has the form that `schemas/assetbuild.schema.json` asks for.

Knows the schema file and plain Python values. It does not know YAML, lines and columns, which names exist, what a model can do,
or how a mistake is worded (`faults` does).

Two readers of one schema: `accepts` is closures compiled from it, a few microseconds for an asset; `explain` runs jsonschema,
imported only when there is something to explain. Tests hold them to the same answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple

Check = Callable[[object], bool]
Schema = dict[str, Any]
Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """One mistake of form. `path` leads from the explained value to the culprit; `on` says whether its key or its value is wrong.

    A missing field is a fault on the key of what lacks it. `text` is one line without a full stop, `hint` the way out.
    """

    path: Path
    on: Literal["key", "value"]
    text: str
    hint: str | None


@cache
def schema() -> Schema:
    """The schema as JSON. Raises FileNotFoundError when the installation lost it."""
    package = __file__.replace("\\", "/").rsplit("/", 2)[0]
    for folder in (f"{package}/schemas", f"{package}/../schemas"):  # in a wheel, in a checkout
        try:
            with open(f"{folder}/assetbuild.schema.json", encoding="utf-8") as file:
                found: Schema = json.load(file)
                return found
        except FileNotFoundError:
            continue
    raise FileNotFoundError("schemas/assetbuild.schema.json is missing: install assetbuild again")


def accepts(name: str, value: object, *, resolved: bool = False) -> bool:
    """Whether a value has the form of `$defs/name`. With `resolved`, a text with `${…}` no longer stands for another type.

    Subclasses of dict, list, str, int and float count as those; a bool is no number. Raises KeyError for a name the schema lacks.
    """
    return compiled(name, resolved)(value)


def explain(name: str, value: object, *, resolved: bool = False, called: str | None = None) -> list[Fault]:
    """Every mistake of form in a value, worded for its author; [] exactly when `accepts` is true.

    `called` is the user's name of the thing (`poster` for an asset), for the sentences. Slow (tens of ms the first time).
    """
    from .faults import faults

    return faults(name, value, resolved, called)


def meant(name: str, fault: Fault, value: object) -> Path | None:
    """The path of the field that an unknown one was meant to be, when that isn't there."""
    if fault.on != "key" or not fault.path:
        return None
    form, inside = name, value
    for step in fault.path[:-1]:
        inside = inside[step]  # type: ignore[index] # a path leads through mappings and lists
    if name in ("spec", "include") and len(fault.path) > 1:
        form = {("defaults", 2): "defaults", ("profiles", 3): "profile"}.get((str(fault.path[0]), len(fault.path)), "")
    elif len(fault.path) > 1:
        form = ""
    if not form or not isinstance(inside, dict):
        return None
    from .faults import meant as field_meant

    found = field_meant(form, str(fault.path[-1]), inside)
    return (*fault.path[:-1], found) if found and found not in inside else None


# ---- accepts: closures --------------------------------------------------------------------------------------------------------

ANNOTATIONS = frozenset(
    {"description", "markdownDescription", "markdownEnumDescriptions", "examples", "default", "title"}
    | {"defaultSnippets", "errorMessage", "patternErrorMessage"}  # what editors offer and say; `faults` says the same
    | {"x-example"}  # an example that is a mapping: editors would offer it as `[object Object]`
)


def _anything(value: object) -> bool:
    return True


def _nothing(value: object) -> bool:
    return False


@cache
def compiled(name: str, resolved: bool = False) -> Check:
    """The check of `$defs/name`. Raises KeyError for a name the schema lacks, ValueError for a keyword that isn't understood.

    A schema that refers to itself isn't supported (RecursionError), so no value can deepen the stack.
    """
    if resolved and name == "interpolated":
        return _nothing
    return _compile(schema()["$defs"][name], resolved)


def _compile(node: Schema | bool, resolved: bool) -> Check:
    if isinstance(node, bool):
        return _anything if node else _nothing
    keys = node.keys()
    unknown = keys - ANNOTATIONS - ASSERTIONS
    if unknown:
        raise ValueError(f"shape.py doesn't know the schema keyword `{sorted(unknown)[0]}`")
    checks = [check for names, make in _MAKERS if names & keys and (check := make(node, resolved)) is not _anything]
    if "type" in keys and not keys & (_SCALAR | _OF_TYPE.get(str(node["type"]), frozenset())):  # those look at it themselves
        checks.insert(0, _type(node["type"]))
    match checks:
        case []:
            return _anything
        case [only]:
            return only
        case [first, second]:
            return lambda value: first(value) and second(value)
    return lambda value: all(check(value) for check in checks)


def _type(kinds: str | list[str]) -> Check:
    if isinstance(kinds, str):
        return _TYPES[kinds]
    if {"string", "number", "boolean"} <= set(kinds) <= {"string", "number", "boolean", "object"}:
        classes = (str, int, float, dict) if "object" in kinds else (str, int, float)  # bool is an int: one look will do
        return lambda value: isinstance(value, classes)
    checks = [_TYPES[kind] for kind in kinds]
    return lambda value: any(check(value) for check in checks)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: dict[str, Check] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "number": _number,
    "integer": lambda value: _number(value) and (not isinstance(value, float) or value.is_integer()),
}


def _reference(node: Schema, resolved: bool) -> Check:
    prefix, _, name = node["$ref"].rpartition("/")
    if prefix != "#/$defs":
        raise ValueError(f"shape.py doesn't follow `{node['$ref']}`")
    return compiled(name, resolved)


def _choice(node: Schema, resolved: bool) -> Check:
    """`enum` and `const`, of texts and whole numbers: 1 and 1.0 are one value, `true` is none of them."""
    wanted = node["enum"] if "enum" in node else [node["const"]]
    if not all(isinstance(each, (str, int)) and not isinstance(each, bool) for each in wanted):
        raise ValueError("shape.py knows only texts and whole numbers in `enum` and `const`")
    allowed = frozenset(wanted)
    return lambda value: isinstance(value, (str, int, float)) and value in allowed and not isinstance(value, bool)


def _scalar(node: Schema, resolved: bool) -> Check:
    low, high, shortest = node.get("minimum"), node.get("maximum"), node.get("minLength", 0)
    above = node.get("exclusiveMinimum")
    search = re.compile(node["pattern"]).search if "pattern" in node else None
    typed = _type(node["type"]) if "type" in node else _anything
    texts = typed("")

    def check(value: object) -> bool:
        if isinstance(value, str):
            return texts and len(value) >= shortest and (search is None or search(value) is not None)
        if not typed(value):
            return False
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return not (
                (low is not None and value < low) or (high is not None and value > high) or (above is not None and value <= above)
            )
        return True

    return check


def _array(node: Schema, resolved: bool) -> Check:
    least: int = node.get("minItems", 0)
    each = _compile(node.get("items", True), resolved)
    others = "type" not in node

    def check(value: object) -> bool:
        if not isinstance(value, list):
            return others
        if len(value) < least:
            return False
        for item in value:  # noqa: SIM110 - a plain loop is twice as fast as all() here
            if not each(item):
                return False
        return True

    return check


def _object(node: Schema, resolved: bool) -> Check:
    find = {name: _compile(each, resolved) for name, each in node.get("properties", {}).items()}.get
    rest = _compile(node.get("additionalProperties", True), resolved)
    name_of = _compile(node.get("propertyNames", True), resolved)
    required: tuple[str, ...] = tuple(node.get("required", ()))
    least: int = node.get("minProperties", 0)
    others = "type" not in node
    walk = bool(node.keys() & {"properties", "additionalProperties", "propertyNames"})
    named = name_of is not _anything

    def check(value: object) -> bool:
        if not isinstance(value, dict):
            return others
        for name in required:
            if name not in value:
                return False
        if len(value) < least:
            return False
        if walk:
            for name, item in value.items():
                if not find(name, rest)(item) or (named and not name_of(name)):
                    return False
        return True

    return check


def _any(node: Schema, resolved: bool) -> Check:
    checks = [check for each in node["anyOf"] if (check := _compile(each, resolved)) is not _nothing]
    match checks:
        case [only]:
            return only
        case [first, second]:
            return lambda value: first(value) or second(value)
    return lambda value: any(check(value) for check in checks)


def _all(node: Schema, resolved: bool) -> Check:
    checks = [_compile(each, resolved) for each in node["allOf"]]
    return lambda value: all(check(value) for check in checks)


def _condition(node: Schema, resolved: bool) -> Check:
    test = _compile(node["if"], resolved)
    then, otherwise = _compile(node.get("then", True), resolved), _compile(node.get("else", True), resolved)
    return lambda value: then(value) if test(value) else otherwise(value)


_SCALAR = frozenset({"minimum", "maximum", "exclusiveMinimum", "minLength", "pattern"})
_ARRAY = frozenset({"items", "minItems"})
_OBJECT = frozenset({"properties", "additionalProperties", "propertyNames", "required", "minProperties"})
_OF_TYPE = {"array": _ARRAY, "object": _OBJECT}
_MAKERS: tuple[tuple[frozenset[str], Callable[[Schema, bool], Check]], ...] = (
    (frozenset({"$ref"}), _reference),
    (frozenset({"enum", "const"}), _choice),
    (_SCALAR, _scalar),
    (_ARRAY, _array),
    (_OBJECT, _object),
    (frozenset({"anyOf"}), _any),
    (frozenset({"allOf"}), _all),
    (frozenset({"if", "then", "else"}), _condition),
)
ASSERTIONS = frozenset({"type"}).union(*(names for names, _ in _MAKERS))
