"""The phrases for a spec's parts: what a place, a form or a value is called in a sentence to its author.

Knows the schema's names and plain Python values. It does not know what is wrong with any of them.
"""

from __future__ import annotations

import json
import re

from .shape import Path, Schema, schema

# The containers whose entries are things with a name or a number of their own.
NAMED = {
    "assets": "asset",
    "styles": "style",
    "profiles": "profile",
    "providers": "provider",
    "overrides": "override",
    "exports": "export",
    "presets": "preset",
    "vars": "var",
    "matrix": "axis",
}
NUMBERED = {
    "references": "reference",
    "then": "step",
    "exclude": "exclusion",
    "tags": "tag",
    "include": "entry",
    "overlay": "item",
}
# What a form is called, one and many.
NOUNS = {
    "text": ("a text", "texts"),
    "asset_id": ("an asset's id", "asset ids"),
    "label": ("a text", "texts"),
    "reference": ("a reference", "references"),
    "then_item": ("a step", "steps"),
    "aspect_ratio": ('a ratio such as `"3:2"`', "ratios"),
    "prompt_file": ("`{file: …}`", "files"),
    "mask": ("`{file: …}`", "files"),
    "picture": ("`{file: …}` or `{asset: …}`", "pictures"),
    "style_fields": ("`{text: …, references: […]}`", "styles"),
    "export_fields": ("`{path: …}`", "exports"),
    "overlay_item": ("`{text: …}`, `{file: …}` or `{barcode: …}`", "texts, files or barcodes"),
    "profile_file": ("`{file: …}`", "files"),
    "rows": ("a table `{from: …}`", "tables"),
    "table": ("a table `{from: …}`", "tables"),
}
TYPES = {
    "string": ("a text", "texts"),
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "boolean": ("`true` or `false`", "`true` or `false`"),
    "object": ("a mapping", "mappings"),
}
LONGEST = 60  # characters of a user's text in a sentence
PLAIN = re.compile(r"[^\W\d_][\w ./#…*+-]*(\$\{[\w.]+\}[\w./-]*)*")  # needs no quotes in YAML


def wanted(node: Schema, many: bool = False) -> str:
    """What a schema asks for, as a phrase: `a list of texts`, `a whole number`."""
    defs = schema()["$defs"]
    name = next((name for name, each in defs.items() if each is node or node.get("$ref") == f"#/$defs/{name}"), "")
    if name in NOUNS:
        return NOUNS[name][many]
    match node:
        case {"$ref": _}:
            phrase = wanted(defs[name], many)
        case {"anyOf": forms}:
            phrase = either(list(dict.fromkeys(wanted(each) for each in forms if each != {"$ref": "#/$defs/interpolated"})))
        case {"enum": choices}:
            phrase = either([f"`{each}`" for each in choices])
        case {"type": "array", "items": items}:
            phrase = f"a list of {wanted(items, many=True)}"
        case {"type": "object", "additionalProperties": False}:
            phrase = "a mapping of fields"
        case _:
            phrase = TYPES.get(str(node["type"]), ("a value", "values"))[many]
    return phrase


def shown(value: object) -> str:
    """A value within a sentence: a short scalar as it is, anything else by its kind."""
    if isinstance(value, (str, int, float)):
        return f"`{flow(value)}`"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "nothing"


def named(key: object) -> str:
    """A user's key within a sentence: on one line, of bounded length."""
    text = str(key)
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)[1:-1]


def flow(value: object, depth: int = 2) -> str:
    """A value as short YAML on one line; long texts and deep values end in `…`."""
    if isinstance(value, dict):
        fields = [f"{named(key)}: {flow(item, depth - 1)}" for key, item in list(value.items())[:3]] if depth else ["…"]
        return "{" + ", ".join(fields) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([flow(item, depth - 1) for item in value[:4]] if depth else ["…"]) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return "null" if value is None else str(value)
    text = value.strip()
    if len(text) > LONGEST:
        text = text[: LONGEST - 1].rstrip() + "…"
    plain = PLAIN.fullmatch(text) and " #" not in text and text.lower() not in ("true", "false", "null", "yes", "no", "on", "off")
    return text if plain else json.dumps(text, ensure_ascii=False)


def example(key: str | int | None, trail: list[Schema], end: str = "") -> str | None:
    """The way out, from the examples of the innermost schema that has some (`trail` is outermost first)."""
    for node in reversed(trail):
        known = [*node.get("examples", ()), *(node[name] for name in ("x-example", "default") if name in node)]
        known += [snippet["label"].strip('"') for snippet in node.get("defaultSnippets", ())]  # the ratios
        if known:
            before = f"{named(key)}: " if isinstance(key, str) else "- " if isinstance(key, int) else ""
            return f"write `{before}{flow(known[0], 3)}`{end}"
    return None


def either(words: list[str]) -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def label(path: Path) -> str:
    """What stands at a path, in the user's words: "`hint` in reference 1 of asset `poster`"."""
    if not path:
        return "the spec"
    parts: list[str] = []
    rest = list(path)
    while rest:
        key = rest.pop(0)
        if key == "matrix" and rest[0:1] == ["exclude"] and len(rest) > 1:
            continue
        if key in NAMED and rest and rest[0] != "exclude":
            thing = rest.pop(0)
            parts.append(f"{NAMED[str(key)]} `{named(thing)}`" if thing != "" else f"this {NAMED[str(key)]}")
        elif key in NUMBERED and rest and isinstance(rest[0], int):
            parts.append(f"{NUMBERED[str(key)]} {int(rest.pop(0)) + 1}")
        elif str(key).startswith("this "):
            parts.append(str(key))
        else:
            parts.append(f"item {key + 1}" if isinstance(key, int) else f"`{named(key)}`")
    said = parts.pop()
    while parts:
        said += (" in " if said.rpartition(" in ")[2].startswith("`") else " of ") + parts.pop()
    return said
