"""The faults of a value that hasn't the schema's form: jsonschema's errors, said in the words of somebody who writes specs.

Knows the schema, its `examples` and its `errorMessage`s (editors show the same ones). It does not know lines and columns, or
which names exist. Imported only when there is something to word.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from .phrases import NAMED, either, example, flow, label, named, shown, wanted
from .shape import Fault, Path, Schema, schema

# Where a thing with a name stands.
STANDS_IN = {one: many for many, one in NAMED.items()} | {"rows": "matrix"}
# The forms that have fields, for "`quality` belongs in …".
PLACES = {
    "spec": "the top level",
    "defaults": "`defaults`",
    "budget": "`budget`",
    "service": "a provider under `providers`",
    "profile": "a profile",
    "asset": "an asset",
    "step": "a step of `then`",
    "style_fields": "a style",
    "reference_fields": "a reference",
    "export_fields": "an export",
    "preset": "a preset",
    "overlay_item": "an item of `overlay`",
    "cut": "`cut`",
    "rows": "an axis that reads a table",
    "table": "a var that reads a table",
    "matrix": "`matrix`",
}
# What neighbouring tools call our fields.
SYNONYMS = {
    "text": "prompt",
    "size": "aspect_ratio",
    "ratio": "aspect_ratio",
    "ar": "aspect_ratio",
    "image": "base",
    "input": "base",
    "source": "base",
    "parent": "base",
    "images": "references",
    "refs": "references",
    "inputs": "references",
    "path": "output",
    "filename": "output",
    "steps": "then",
    "edits": "then",
    "operation": "op",
    "engine": "provider",
    "variables": "vars",
    "pinned": "pin",
    "note": "description",
    "comment": "description",
    "name": "as",
    "pictures": "assets",
    "candidates": "takes",
    "samples": "takes",
    "tries": "takes",
    "approval": "approve",
    "review": "approve",
    "budgets": "budget",
    "limits": "budget",
    "services": "providers",
    "url": "base_url",
    "endpoint": "base_url",
    "host": "base_url",
    "jobs": "concurrency",
    "parallel": "concurrency",
    "rate_limit": "requests_per_minute",
    "per_minute": "requests_per_minute",
    "credit": "credit_usd",
    "price": "prices",
    "run": "per_run",
    "max_cost": "per_run",
    "day": "per_day",
    "daily": "per_day",
    "month": "per_month",
    "monthly": "per_month",
}
# The same in references and tables.
INNER = {
    **dict.fromkeys(("path", "src", "source", "url", "image", "picture", "filename"), "file"),
    **dict.fromkeys(("id", "ref"), "asset"),
    "asset": "file",  # of a mask or a prompt
    **dict.fromkeys(("label", "alias"), "as"),
    **dict.fromkeys(("text", "description", "note", "prompt"), "hint"),
    **dict.fromkeys(("file", "csv", "table", "load"), "from"),
    **dict.fromkeys(("filter", "select", "only", "if"), "where"),
    **dict.fromkeys(("default", "fallback"), "defaults"),
}
# What people call the key of a provider; below it further names.
KEYS = frozenset(("api_key", "apikey", "x_api_key", "api_token", "apiframe_api_key"))
KEYS_THERE = KEYS | {"key", "token", "secret", "password", "authorization"}
LONGEST_NAME = 60  # characters between two commas: more is a sentence, no name


class Case(NamedTuple):
    """One error of jsonschema, with what is needed to word it.

    `node` is the schema that failed and `keyword` what in it did (None: it is `false`); `trail` are all schemas that speak about
    this value, outermost first; `around` is the schema just around `node`; `stands` is where the explained value itself stands.
    """

    path: Path
    value: Any
    keyword: str | None
    node: Schema
    trail: list[Schema]
    around: Schema
    stands: Path

    @property
    def label(self) -> str:
        """The value in the user's words."""
        return label(self.stands + self.path)

    def fault(self, text: str, hint: str | None = None) -> Fault:
        """A fault of the value as a whole."""
        return Fault(self.path, "value", f"{self.label} {text}", hint)


def faults(name: str, value: object, resolved: bool, called: str | None) -> list[Fault]:
    """Every mistake of form in a value of `$defs/name`, each once, in the order of the file; `called` is its name in the file."""
    stands = _stands(name, resolved, called)
    leaves = [leaf for error in _validator(name, resolved).iter_errors(value) for leaf in _leaves(error)]
    found: dict[Fault, None] = {}
    cases = []
    for case in (_case(leaf, name, stands) for leaf in leaves):
        nameless = _nameless(case, name, value) or _values_by_name(case)
        if nameless is not None:
            found[nameless] = None
        else:
            cases.append(case)
    meant: set[tuple[Path, str]] = set()  # a misspelt field isn't reported a second time as a missing one
    for case in cases:
        if case.keyword == "additionalProperties":
            for fault, field in _unknown(case):
                meant.add((case.path, field))
                found[fault] = None
    for case in cases:
        if case.keyword == "required":
            found |= dict.fromkeys(_missing(case, meant))
        elif case.keyword != "additionalProperties":
            found[_WORDED.get(case.keyword, _empty)(case)] = None
    return sorted(found, key=lambda fault: _position(fault.path, value))


def _stands(name: str, resolved: bool, called: str | None) -> Path:
    """Where a value that is explained on its own stands in a spec, as a path for `label`."""
    if name in ("spec", "include"):
        return ()
    if name in ("defaults", "vars", "matrix", "budget"):
        return (name,)
    if resolved and name == "override":  # with its texts put in, it is an asset's fields
        return ("assets", called or "")
    if name == "step" and called:
        return ("assets", called, "this step")
    return (STANDS_IN[name], called or "") if name in STANDS_IN else (f"this {name}",)


def _position(path: Path, value: Any) -> tuple[int, ...]:  # noqa: ANN401 - a value of any type
    """Where a path stands in the order of the file."""
    found: list[int] = []
    for step in path:
        if isinstance(value, list):
            found.append(int(step))
        elif step in value:
            found.append(list(value).index(step))
        value = value[step]
    return tuple(found)


@cache
def _validator(name: str, resolved: bool) -> Draft202012Validator:
    defs = schema()["$defs"]
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": {**defs, "interpolated": False} if resolved else defs})


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """An `anyOf` is judged by the one form that the value's type fits; it stands for itself when none does."""
    closest = _closest(error)
    if not closest:
        yield error
    for each in closest:
        yield from _leaves(each)


def _closest(error: ValidationError) -> list[ValidationError]:
    branches: dict[Any, list[ValidationError]] = {}
    for each in error.context or ():
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    forms: Any = error.validator_value
    fits = [
        errors
        for index, errors in branches.items()
        if forms[index] != {"$ref": "#/$defs/interpolated"} and not any(_misfits(each) for each in errors)
    ]
    return min(fits, key=len, default=[])


def _misfits(error: ValidationError) -> bool:
    """Whether a form's error is that the value as a whole has another type."""
    return not error.relative_path and (error.validator == "type" or (error.validator == "anyOf" and not _closest(error)))


def _case(error: ValidationError, name: str, stands: Path) -> Case:
    """Follows the error's way through the schema. jsonschema leaves `$ref` and `if` out of it."""
    defs = schema()["$defs"]
    keyword: Any = error.validator
    steps: list[Any] = list(error.absolute_schema_path)
    if keyword is None and steps[-2:-1] == ["properties"]:  # whether the way ends with the field itself differs by version
        steps.pop()
    last = steps.pop()
    node = around = defs[name]
    trail = [node]

    def follow(step: str) -> None:
        nonlocal node
        while step not in node and "$ref" in node:
            node = defs[node["$ref"].rpartition("/")[2]]
            trail.append(node)

    while steps:
        step = steps.pop(0)
        follow(step)
        around, node = node, node[step]
        if step in ("properties", "anyOf", "allOf"):
            node = node[steps.pop(0)]
        if step in ("properties", "items", "additionalProperties", "propertyNames"):
            trail.clear()
        trail.append(node)
    follow(last)
    if "propertyNames" in error.absolute_schema_path:
        keyword = "propertyNames"
    return Case(tuple(error.absolute_path), error.instance, keyword, node, trail, around, stands)


def meant(name: str, key: str, value: Schema) -> str:
    """The field that an unknown one of a `$defs/name` was meant to be, "" when there is no telling."""
    node = schema()["$defs"][name]
    return "" if key in node["properties"] else _meant(key, value, node)[0]


# ---- one sentence for each keyword ---------------------------------------------------------------------------------------------


def _unknown(case: Case) -> Iterator[tuple[Fault, str]]:
    where = f"in {case.label}" if case.stands + case.path else "at the top level"
    for key in case.value:
        if key not in case.node["properties"]:
            field, way = _meant(str(key), case.value, case.node)
            ask = f"; did you mean `{field}`?" if field else ""
            defs = schema()["$defs"]
            at_provider = case.node is defs["service"]
            if str(key).lower().replace("-", "_") in (KEYS_THERE if at_provider else KEYS):
                name = str((*case.stands, *case.path)[-1]) if at_provider else "apiframe"
                variable = f"`{name.upper().replace('-', '_')}_API_KEY`"
                way = f"set {variable} in the environment instead; a key that was ever pushed is worth replacing"
                yield Fault((*case.path, key), "key", "a key doesn't belong in the spec, which others read", way), ""
                continue
            if case.node is defs["include"] and key in defs["spec"]["properties"]:
                yield Fault((*case.path, key), "key", f"`{key}` can't stand in an included file", "write it in the root spec"), ""
                continue
            yield Fault((*case.path, key), "key", f"unknown field `{named(key)}` {where}{ask}", way), field


def _meant(key: str, value: Schema, node: Schema) -> tuple[str, str | None]:
    """The field that an unknown one was meant to be ("" when there is no telling), and then the way out."""
    fields = list(node["properties"])
    folded = key.lower().replace("-", "_")
    for candidates in ([each for each in fields if each not in value], fields):
        near = difflib.get_close_matches(folded, candidates, 1, 0.75)
        if near:
            return near[0], None
    for synonyms in (SYNONYMS, INNER):
        if synonyms.get(folded) in fields and synonyms[folded] not in value:
            return synonyms[folded], None
    elsewhere = {each: schema()["$defs"][each]["properties"] for each in PLACES}
    near = difflib.get_close_matches(folded, sorted({each for known in elsewhere.values() for each in known}), 1, 0.85)
    if near:
        return "", f"`{near[0]}` belongs in {either([PLACES[each] for each, known in elsewhere.items() if near[0] in known])}"
    more = "; what only one model has goes into `params`" if "params" in fields else ""
    return "", "known here: " + ", ".join(f"`{each}`" for each in fields) + more


_TABLE = ("from", "where", "defaults")


def _values_by_name(case: Case) -> Fault | None:
    """The one fault of an axis that is a mapping from its values to something else, when the case is a part of it."""
    if case.node is not schema()["$defs"]["rows"] or not isinstance(case.value, dict) or not case.value:
        return None
    if any(_meant(str(key), {}, case.node)[0] or key in _TABLE for key in case.value):
        return None
    names = ", ".join(flow(str(key)) for key in list(case.value)[:4])
    way = f"write `{case.path[-1] if case.path else 'locale'}: [{names}]`; what belongs to each of them goes into `vars`"
    return case.fault("must be a list of values or a table `{from: …}`, not a mapping of them", way)


def _nameless(case: Case, name: str, value: Any) -> Fault | None:  # noqa: ANN401 - a value of any type
    """The fault of a matrix that is written as if it were the table of its one axis, when the case is a part of it."""
    above = {"asset": 0, "spec": 2, "include": 2}.get(name, 99)
    if case.path[above : above + 1] != ("matrix",) or case.path[above + 1 : above + 2] not in [(each,) for each in _TABLE]:
        return None
    matrix = value
    for step in case.path[: above + 1]:
        matrix = matrix[step]
    source = matrix.get("from")
    if not isinstance(source, str) or "${" in source:
        return None
    rest = "".join(f", {each}: …" for each in _TABLE[1:] if each in matrix)
    way = f"write `matrix: {{row: {{from: {flow(source)}{rest}}}}}`, then `${{row.COLUMN}}`"
    return Fault((*case.path[: above + 1], "from"), "key", "a table needs a name in the matrix", way)


def _missing(case: Case, meant: set[tuple[Path, str]]) -> Iterator[Fault]:
    other = case.around["if"].get("required", ()) if case.around.get("else") is case.node else ()
    for key in case.node["required"]:
        if key not in case.value and not meant & {(case.path, each) for each in (key, *other)}:
            lacks = f"has neither `{key}` nor `{other[0]}`" if other else f"has no `{key}`"
            way = case.node.get("errorMessage") or example(key, [case.node.get("properties", {}).get(key, {})])
            yield Fault(case.path, "key", f"{case.label} {lacks}", way)


def _misnamed(case: Case) -> Fault:
    name = case.value
    text = f"`{named(name)}` can't be a name in {case.label}" if name != "" else f"{case.label} has an entry without a name"
    way = case.node.get("patternErrorMessage") if isinstance(name, str) else f'write `"{named(name)}":`, with quotes'
    return Fault((*case.path, name), "key", text, way)


def _misplaced(case: Case) -> Fault:
    """A field that doesn't go with another one: its schema is `false`. jsonschema's path may end before it."""
    key = next(key for key, each in case.node["properties"].items() if each is False)
    path = case.path if case.path[-1:] == (key,) else (*case.path, key)
    return Fault(path, "key", f"{label(case.stands + path)} can't stand here", case.node.get("errorMessage"))


def _unlisted(case: Case) -> Fault:
    choices = [str(each) for each in case.node.get("enum", [case.node.get("const")])]
    known = either([f"`{each}`" for each in choices])
    if case.value is None:
        return case.fault("is empty", case.node.get("errorMessage") or f"write {known}, or take the line out")
    if str(case.value) in choices:  # `version: "1"`
        return case.fault(f"must be {known}, not a text", f"write `{case.path[-1]}: {case.value}`, without quotes")
    near = difflib.get_close_matches(str(case.value).lower(), choices, 1, 0.5) if len(choices) > 1 else []
    ask = f"; did you mean `{near[0]}`?" if near else ""
    return case.fault(f"must be {known}, not {shown(case.value)}{ask}", case.node.get("errorMessage"))


def _unfit(case: Case) -> Fault:
    if not case.value.strip():
        return case.fault("is empty", case.node.get("patternErrorMessage"))
    return case.fault(f"can't be {shown(case.value)}", case.node.get("patternErrorMessage"))


def _out_of_bounds(case: Case) -> Fault:
    bounds = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
    }
    bound = bounds[str(case.keyword)].format(case.node[str(case.keyword)])
    return case.fault(f"must be {bound}, not {shown(case.value)}")


def _empty(case: Case) -> Fault:
    return case.fault("is empty", example(case.path[-1] if case.path else None, case.trail, ", or take the line out"))


def _as_list(value: object) -> str:
    """A text that was written where a list belongs: names with commas (or `;`, or on lines of their own) between them."""
    if not isinstance(value, str):
        return f"[{flow(value)}]"
    parts = [each.strip(" -\t") for each in re.split(r"[,;\n]", value)]
    names = [each for each in parts if each]
    several = len(names) > 1 and all(len(each) <= LONGEST_NAME for each in names)
    return "[" + ", ".join(flow(each) for each in (names if several else [value])) + "]"


def _mistyped(case: Case) -> Fault:
    value, form = case.value, wanted(case.node)
    if value is None:
        return _empty(case)
    key = case.path[-1] if case.path else None
    before = f"{named(key)}: " if isinstance(key, str) else ""
    way = example(key, case.trail)
    if isinstance(value, str) and form.endswith("a whole number") and value.isascii() and value.strip().isdigit():
        way = f"write `{before}{value.strip()}`, without quotes"
    elif isinstance(value, str) and _FILE.search(value) and ("a table" in form or key == "matrix"):
        way = f"write `{before}{{from: {flow(value)}}}`"
        if key == "matrix":
            way = f"write `matrix: {{row: {{from: {flow(value)}}}}}`, then `${{row.COLUMN}}`"
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) and form == "a text":
        way = f"write `{before}{flow(value[0])}`"
    elif isinstance(value, dict) and value and form in ("a list of references", "a list of steps", "a list of mappings"):
        way = f"write `{before}[{flow(value)}]`"
    elif form.startswith("a list of") and isinstance(value, (str, int, float)) and "${" not in str(value):
        way = f"write `{before}{_as_list(value)}`"
    elif isinstance(value, str) and re.fullmatch(_QUOTED.get(form, "(?!)"), value):
        way = f"write `{before}{value}`, without quotes"
    elif isinstance(value, str) and form == "a number" and (money := _MONEY.fullmatch(value)):
        way = f"write `{before}{money[1].replace(',', '.')}`: it is in USD"
    elif isinstance(value, str) and form == "`{file: …}`":
        way = f"write `{before}{{file: {flow(value)}}}`"
    elif isinstance(value, str) and "prompt" in case.node.get("properties", ()):
        way = f"write `{before}{{prompt: {flow(value)}}}`"
    elif isinstance(value, bool) and "text" in form:
        way = f'write `{before}"{flow(value)}"`, with quotes'
    return case.fault(f"must be {form}, not {'a text' if isinstance(value, str) else shown(value)}", way)


_MONEY = re.compile(r"\s*(?:\$|US\$|USD)?\s*([0-9]+(?:[.,][0-9]{1,4})?)\s*(?:\$|USD)?\s*", re.IGNORECASE)
_FILE = re.compile(r"\.(csv|tsv|json|ya?ml|md)$")
_QUOTED = {"a whole number": "[0-9]+", "a number": r"[0-9]+(\.[0-9]+)?", "`true` or `false`": "true|false"}
_WORDED: dict[str | None, Callable[[Case], Fault]] = {
    "propertyNames": _misnamed,
    None: _misplaced,
    "enum": _unlisted,
    "const": _unlisted,
    "pattern": _unfit,
    "minimum": _out_of_bounds,
    "maximum": _out_of_bounds,
    "exclusiveMinimum": _out_of_bounds,
    "type": _mistyped,
    "anyOf": _mistyped,
}
