"""The emulator is exactly as strict as the vendor's schema: the same bodies are right and wrong for both. Bodies are made from the vendor's
file, so that a field or a limit that our table lacks is noticed.
"""

from __future__ import annotations

import copy
import json
import random
import re
import urllib.parse
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from assetbuild.testing.emulator.shapes import Invalid, read, table

from .apiframing import alternatives, contract

REQUESTS = {
    "/v2/images/generate": "GenerateImageRequest",
    "/v2/images/edit": "ImageEditRequest",
    "/v2/images/upscale": "ImageUpscaleRequest",
    "/v2/images/background-remove": "ImageBackgroundRemoveRequest",
}
UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
OF_ANY_TYPE = [
    None,
    True,
    0,
    3,
    3.0,
    2.5,
    -1,
    10**12,
    "",
    "x",
    "16:9",
    "1x1",
    "png",
    UUID,
    "https://example.org/a.png",
    [],
    ["x"],
    ["https://e.org"] * 15,
    {},
]

formats = jsonschema.FormatChecker(formats=["uuid"])


@formats.checks("uri")
def _uri(value: object) -> bool:
    """RFC 3986: a scheme, a colon, no white space."""
    if not isinstance(value, str):
        return True
    parts = urllib.parse.urlsplit(value)
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and not re.search(r"\s", value)


@cache
def vendors(path: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(contract()["components"]["schemas"][REQUESTS[path]], format_checker=formats)


def ours(path: str, body: object) -> bool:
    """Whether it is right; a refusal that doesn't say why counts as none."""
    try:
        read(path, body)
    except Invalid as problem:
        return any(not text for texts in problem.details.values() for text in texts) or not problem.details
    return True


def example(schema: dict[str, Any], chance: random.Random) -> Any:
    """A value that a schema allows, often one at a limit."""
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if "anyOf" in schema:
        return example(chance.choice(schema["anyOf"]), chance)
    kind = schema["type"]
    if isinstance(kind, list):
        kind = chance.choice(kind)
    low, high = schema.get("minimum", -(2**40)), schema.get("maximum", 2**40)
    match kind:
        case "object":
            fields = schema["properties"].items()
            needed = schema.get("required", ())
            return {name: example(one, chance) for name, one in fields if name in needed or chance.random() < 0.5}
        case "array":
            least, most = schema.get("minItems", 0), schema.get("maxItems", 20)
            return [example(schema["items"], chance) for _ in range(chance.choice([least, least + 1, most]))]
        case "integer":
            return chance.choice([low, high, chance.randint(low, high)])
        case "number":
            return chance.choice([low, high, chance.uniform(low, high)])
        case "boolean":
            return chance.random() < 0.5
        case "null":
            return None
    form = schema.get("format")
    if form or "pattern" in schema:
        return {"uri": "https://example.org/a.png", "uuid": UUID}.get(form or "", "16:9")
    least, most = schema.get("minLength", 0), schema.get("maxLength", 3000)
    return chance.choice("aß😀") * chance.choice([least, most, chance.randint(least, most)])


def mutants(schema: dict[str, Any], body: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    """Bodies that differ from a right one in one thing: mostly wrong, some still right."""

    def at(places: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        whole = copy.deepcopy(body)
        inner = whole
        for place in places:
            inner = inner.setdefault(place, {})
        return whole, inner

    inner_key = next(name for name in schema["properties"] if name.endswith("Params"))
    for places, known in (([], schema["properties"]), ([inner_key], schema["properties"][inner_key]["properties"])):
        for name, one in known.items():
            values = chance.sample(OF_ANY_TYPE, 2)
            step = 1 if one.get("type") == "integer" else 0.01
            values += [one[limit] + way * step for limit in ("minimum", "maximum") if limit in one for way in (-1, 0, 1)]
            if "anyOf" in one:  # one of some numbers: a bool is none of them
                values += [True, 1.0, 3, "2"]
            if "maxLength" in one:
                values += ["x" * one["maxLength"], "x" * (one["maxLength"] + 1)]
            if "maxItems" in one:
                values += [["https://e.org/a"] * (one["maxItems"] + 1)]
            for value in values:
                whole, inner = at(places)
                inner[name] = value
                yield whole
            whole, inner = at(places)
            inner.pop(name, None)
            yield whole
        whole, inner = at(places)
        inner[chance.choice(["webhook_url", "seed", "size", "n", "quality", "image_urls"])] = chance.choice([1, "1024x1024"])
        yield whole


def test_both_know_the_same_models() -> None:
    assert set(alternatives()) == {(model.path, name) for name, model in table().items()}


def test_right_and_wrong_bodies_are_the_same_for_both() -> None:
    chance = random.Random(3)  # noqa: S311 - the same bodies in every run
    right = wrong = 0
    for (path, model), schema in alternatives().items():
        theirs_alone = jsonschema.Draft202012Validator(
            schema, format_checker=formats
        )  # of 51 alternatives only one has this model
        for _ in range(2):
            body = example(schema, chance)
            for one in (body, *mutants(schema, body, chance)):
                sent = json.loads(json.dumps(one))
                theirs = theirs_alone.is_valid(sent) if sent.get("model") == model else vendors(path).is_valid(sent)
                assert ours(path, sent) == theirs, f"{path}: the vendor says {theirs}\n{json.dumps(sent)[:3000]}"
                right, wrong = right + theirs, wrong + (not theirs)
    assert right > 300
    assert wrong > 300


@pytest.mark.parametrize("path", REQUESTS)
def test_what_is_no_request_at_all(path: str) -> None:
    for body in (None, 1, "x", [], {}, {"model": None}, {"model": ["gpt-image-2"]}, {"model": "nothing"}):
        assert not vendors(path).is_valid(body)
        assert not ours(path, body)


def test_each_model_has_a_price() -> None:
    for name, model in table().items():
        assert all(isinstance(price, int) and price > 0 for price in model.credits.values()), name
        known = model.shape.fields.get(model.by or "", [])
        assert set(model.credits) - {""} <= set(known), name


def test_what_a_request_asks_for() -> None:
    asked = read(
        "/v2/images/generate",
        {"model": "gpt-image-2", "prompt": "x", "gptImage2Params": {"number_of_images": 4, "quality": "medium"}},
    )
    assert (asked.images, asked.credits, asked.form, asked.inputs, asked.webhook) == (4, 36, "webp", (), False)
    fill = {"image": "https://e.org/a", "mask": "https://e.org/b", "prompt": "a hat", "mode": "inpaint", "output_format": "jpg"}
    asked = read("/v2/images/edit", {"model": "flux-fill-pro", "fluxFillParams": fill, "webhookUrl": "https://e.org"})
    assert (asked.prompt, asked.images, asked.form, asked.webhook) == ("a hat", 1, "jpeg", True)
    assert asked.inputs == (("image", "https://e.org/a"), ("mask", "https://e.org/b"))
    asked = read(
        "/v2/images/generate", {"model": "nano-banana", "prompt": "x", "nanoBananaParams": {"image_input": ["a:1", "a:2"]}}
    )
    assert asked.inputs == (("image_input", "a:1"), ("image_input", "a:2"))
