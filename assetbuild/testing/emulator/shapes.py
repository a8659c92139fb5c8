"""What a request to Apiframe v2 must look like, and what one asks for: model, prompt, pictures, credits. As strict as the vendor's
schema: every object is closed. Knows `shapes.yaml`; no network, no job.

The vendor's own words for a mistake aren't known, only their form (`ValidationError`: `details`, by path). Lengths are in characters,
as JSON Schema counts them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RANGE = re.compile(r"(\S+?)?\.\.(\S+)")
_EVENTS = ("progress", "completed", "failed")
_FORMS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp"}
_FILE_TYPES = ("output_format", "format")

Say = Callable[[str, str], None]


class Shape(NamedTuple):
    """A params object: its name, the checks of its fields, which of them must be there, which take pictures."""

    key: str
    fields: Mapping[str, Any]
    needed: frozenset[str]
    pictures: tuple[str, ...]
    counted: str | None
    form: str


class Model(NamedTuple):
    """A model and what one picture of it costs: `credits`, or by the value of the field `by` ("" = none was sent)."""

    name: str
    label: str
    path: str
    shape: Shape
    by: str | None
    credits: Mapping[str, int]

    def price(self, params: Mapping[str, Any]) -> int:
        """Credits of one picture."""
        return self.credits.get(str(params.get(self.by)) if self.by else "", self.credits[""])


class Asked(NamedTuple):
    """A valid request. `inputs` are (field, address) in order; `form` is png, jpeg or webp; `credits` for all pictures; `webhook`: it
    wants to be called.
    """

    model: Model
    prompt: str
    params: Mapping[str, Any]
    images: int
    credits: int
    inputs: tuple[tuple[str, str], ...]
    form: str
    webhook: bool


class Invalid(Exception):
    """The request isn't valid; `details` has what is wrong, by path."""

    def __init__(self, details: dict[str, list[str]]) -> None:
        super().__init__("validation failed")
        self.details = details


@functools.cache
def table() -> dict[str, Model]:
    """Every image model by name."""
    raw = _written()
    shapes = {name: _shape(name, raw["shapes"]) for name in raw["shapes"]}
    found = {}
    for path, models in raw["models"].items():
        for name, (label, shape, price) in models.items():
            by = dict(price) if isinstance(price, dict) else {"else": price}
            field = by.pop("by", None)
            found[name] = Model(name, label, path, shapes[shape], field, {"": by.pop("else"), **by})
    return found


@functools.cache
def _written() -> dict[str, Any]:
    import yaml

    with (Path(__file__).parent / "shapes.yaml").open("rb") as file:
        raw: dict[str, Any] = yaml.safe_load(file)
    return raw


def _shape(name: str, raw: Mapping[str, Any]) -> Shape:
    one = raw[name]
    fields: dict[str, Any] = {}
    for written, kind in [*raw.get(one.get("like"), {"fields": {}})["fields"].items(), *one["fields"].items()]:
        fields.pop(written.rstrip("!"), None)  # a shape may ask for what the one it is like doesn't
        fields[written] = kind
    kinds = {written.rstrip("!"): kind for written, kind in fields.items()}
    pictures = tuple(n for n, kind in kinds.items() if isinstance(kind, str) and kind.startswith("uri"))
    needed = frozenset(n.rstrip("!") for n in fields if n.endswith("!"))
    return Shape(one["key"], kinds, needed, pictures, one.get("count"), one.get("format", "png"))


def read(path: str, body: Any) -> Asked:  # noqa: ANN401 - what JSON gives
    """What a body sent to this path asks for. Raises Invalid."""
    details: dict[str, list[str]] = {}

    def say(where: str, text: str) -> None:
        details.setdefault(where, []).append(text)

    if not isinstance(body, dict):
        raise Invalid({"": [f"Expected object, received {_kind(body)}"]})
    model = table().get(body["model"]) if isinstance(body.get("model"), str) else None
    if model is None or model.path != path:
        names = ", ".join(f"'{m.name}'" for m in table().values() if m.path == path)
        raise Invalid({"model": [f"Invalid discriminator value. Expected {names}" if "model" in body else "Required"]})
    shape = model.shape
    takes_prompt = path == "/v2/images/generate"
    fields: dict[str, Any] = {"model": "text", shape.key: None, "webhookUrl": "uri", "webhookEvents": "events"}
    needed = {shape.key} if shape.needed else set()
    if takes_prompt:
        prompts = _written()["prompts"]
        fields["prompt"] = f"text 1..{prompts.get(model.name, prompts['else'])}"
        needed.add("prompt")
    params = body.get(shape.key, {})
    _closed(body, fields, needed, "", say)
    if shape.key in body:
        if isinstance(params, dict):
            _closed(params, shape.fields, shape.needed, f"{shape.key}.", say)
        else:
            say(shape.key, f"Expected object, received {_kind(params)}")
    if details:
        raise Invalid(details)
    images = int(params.get(shape.counted, 1)) if shape.counted else 1
    inputs: list[tuple[str, str]] = []
    for name in shape.pictures:
        value = params.get(name)
        inputs += [(name, one) for one in (value if isinstance(value, list) else [value] if value else [])]
    form = next((_FORMS[params[name]] for name in _FILE_TYPES if name in params), shape.form)
    prompt = body["prompt"] if takes_prompt else params.get("prompt", "")
    return Asked(model, prompt, params, images, model.price(params) * images, tuple(inputs), form, "webhookUrl" in body)


def beyond(asked: Asked) -> dict[str, list[str]]:
    """What the vendor asks for in words, beyond its schema: `mode` says what else a masked edit needs."""
    needed = {"inpaint": "mask", "outpaint": "outpaint"}.get(asked.params.get("mode", ""))
    if asked.model.path != "/v2/images/edit" or needed is None or needed in asked.params:
        return {}
    return {f"{asked.model.shape.key}.{needed}": [f"Required when mode is {asked.params['mode']}"]}


def _closed(given: Mapping[str, Any], fields: Mapping[str, Any], needed: set[str] | frozenset[str], at: str, say: Say) -> None:
    """An object that has no other keys than these."""
    for name, value in given.items():
        if name not in fields:
            say(f"{at}{name}", "Unrecognized key")
        elif fields[name] is not None:
            _check(value, fields[name], f"{at}{name}", say)
    for name in sorted(needed - given.keys()):
        say(f"{at}{name}", "Required")


def _check(value: Any, kind: Any, at: str, say: Say) -> None:  # noqa: ANN401 - what JSON gives
    if isinstance(kind, list):
        if isinstance(value, bool) or value not in kind:
            say(at, "Invalid option: expected one of " + "|".join(str(one) for one in kind))
        return
    name, _, rest = kind.partition(" ")
    low, high = _bounds(rest)
    match name:
        case "text" | "w:h" | "uri" | "uuid":
            if not isinstance(value, str):
                say(at, f"Expected string, received {_kind(value)}")
            elif name == "text" and not _within(len(value), low, high):
                say(at, f"String must contain {_bounds_text(low, high)} character(s)")
            elif name == "w:h" and not re.fullmatch(r"[0-9]+:[0-9]+", value):
                say(at, "Invalid: must match W:H")
            elif name == "uri" and not _URI.fullmatch(value):
                say(at, "Invalid url")
            elif name == "uuid" and not _UUID.fullmatch(value):
                say(at, "Invalid uuid")
        case "integer" | "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                say(at, f"Expected {name}, received {_kind(value)}")
            elif name == "integer" and isinstance(value, float) and not value.is_integer():
                say(at, "Expected integer, received float")
            elif not _within(value, low, high):
                say(at, f"Number must be {_bounds_text(low, high)}")
        case "flag":
            if not isinstance(value, bool):
                say(at, f"Expected boolean, received {_kind(value)}")
        case "uris":
            if value is None and rest == "or null":
                return
            if not isinstance(value, list):
                say(at, f"Expected array, received {_kind(value)}")
                return
            if not _within(len(value), low, high):
                say(at, f"Array must contain {_bounds_text(low, high)} element(s)")
            for n, one in enumerate(value):
                _check(one, "uri", f"{at}.{n}", say)
        case _:  # "events"
            if not isinstance(value, list):
                say(at, f"Expected array, received {_kind(value)}")
            elif not value:
                say(at, "Array must contain at least 1 element(s)")
            else:
                for n, one in enumerate(value):
                    _check(one, list(_EVENTS), f"{at}.{n}", say)


def _bounds(written: str) -> tuple[float | None, float | None]:
    found = _RANGE.fullmatch(written)
    return (float(found[1]) if found[1] else None, float(found[2])) if found else (None, None)


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _bounds_text(low: float | None, high: float | None) -> str:
    said = (("at least", low), ("at most", high))
    return " and ".join(f"{words} {number:g}" for words, number in said if number is not None)


def _kind(value: Any) -> str:  # noqa: ANN401 - what JSON gives
    """JSON's name of what a value is."""
    for kinds, name in ((bool, "boolean"), (str, "string"), ((int, float), "number"), (list, "array"), (dict, "object")):
        if isinstance(value, kinds):
            return name
    return "null"
