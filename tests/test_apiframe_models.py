"""Apiframe's models: that all the vendor has is in our table, and that all we'd send is valid by the vendor's own schema."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assetbuild.providers import apiframe
from assetbuild.providers.base import Request
from assetbuild.providers.table import builtin

from .apiframing import NEEDED, URLS, alternatives, picture, request, rows

GOLDEN = Path(__file__).parent / "golden" / "apiframe_defaults.json"
TABLE = builtin()
ROWS = list(rows())

# What the vendor has and we never send, and why. By field of the parameter object, or by model and field.
LEFT_OUT = {
    "webhookUrl": "polled instead: a build has no address of its own",
    "webhookEvents": "polled instead",
    "width": "flux: only with `aspect_ratio: custom`, which the vendor's own pattern refuses; seedream: the shape is `aspect_ratio`, always sent",
    "height": "as width",
    "ideogram:resolution": "overrides `aspect_ratio`, so the picture would have another shape than the spec says",
    "ideogram:image": "only for inpainting, with `mask`",
    "ideogram:mask": "black is what changes there, white is it everywhere else: one mask would mean two things; flux-fill-pro takes masks",
    "ideogram:character_reference_image": "without the character's model, `ideogram-character`, it is another price",
    "seedream-3:image_input": "the vendor's pages say that it draws from text only: pictures would be paid for and not looked at",
    "flux-1:input_images": "the vendor's pages give that model `image_prompt`",
    "flux-2:image_prompt": "the vendor's pages give those models `input_images`",
    "flux-2:image_prompt_strength": "as image_prompt",
}
# Values that can't be asked for, and why.
LEFT_OUT_VALUES = {("qwen-image", "image_size", "square"): "the small one of two squares"}


def left_out(model: str, field: str) -> str | None:
    """The entry of LEFT_OUT that a field of a model falls under."""
    if model == "ideogram-character" and field == "character_reference_image":
        return None
    family = next(
        (f for f in ("ideogram", "seedream-3", "flux-1", "flux-2") if model.startswith(f) and f"{f}:{field}" in LEFT_OUT), None
    )
    return f"{family}:{field}" if family else field if field in LEFT_OUT else None


def each_value(rule: dict[str, Any]) -> list[Any]:
    """Values of a parameter: all of a choice, both ends of a range."""
    if "enum" in rule:
        return list(rule["enum"])
    if "ratio" in rule:
        return [rule["ratio"]["from"], "16:9", rule["ratio"]["to"]] if isinstance(rule["ratio"], dict) else list(rule["ratio"])
    if "boolean" in rule:
        return [True, False]
    return list(rule.get("integer") or rule.get("number") or ["x" * min(rule["text"], 2000)])


def requests(model: str, op: str) -> Iterator[Request]:
    """Plain, with as many pictures and as many inputs as it takes, with a mask, and each parameter with each of its values."""
    plain = request(model, op)
    yield plain
    limits = TABLE.limits("apiframe", model, op)
    yield plain._replace(prompt=plain.prompt and "x" * limits["prompt"])
    yield plain._replace(images=limits["takes"])
    yield plain._replace(members=tuple(f"m{n}" for n in range(limits["members"])))
    most = limits.get("inputs", 20)
    for count in {1, most} if most else ():
        yield plain._replace(inputs=tuple(picture(n, "base" if n == 0 and op == "edit" else "reference") for n in range(count)))
    if TABLE.mask("apiframe", model, op):
        params, faults, _ = TABLE.normalise("apiframe", model, op, {})
        assert not faults
        yield plain._replace(params=params, inputs=(picture(0, "base"), picture(1, "mask")))
    for name, rule in _rules(model, op).items():
        if name not in NEEDED.get(model, {}) or name == "outpaint":
            for value in each_value(rule):
                yield request(model, op, params={name: value})


def _rules(model: str, op: str) -> dict[str, Any]:
    found: dict[str, Any] = TABLE._op("apiframe", model, op)["params"]
    return found


@pytest.mark.parametrize(("model", "op"), ROWS)
def test_what_we_send_is_valid(model: str, op: str) -> None:
    from jsonschema import Draft202012Validator

    known = alternatives()
    path = TABLE.sends("apiframe", model, op)["path"]
    validator = Draft202012Validator(known[path, model])
    count = 0
    for each in requests(model, op):
        payload = apiframe.prepare(each, URLS)
        assert payload.path == path
        body = json.loads(payload.body)
        faults = [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(body)]
        assert not faults, (each.params, faults)
        assert apiframe.check(each) == []
        count += 1
    assert count > 4


def test_every_model_of_the_vendor_is_in_the_table() -> None:
    known = {(TABLE.sends("apiframe", model, op)["path"], model) for model, op in ROWS}
    assert set(alternatives()) == known
    assert len(known) == 56


def test_everything_the_vendor_takes_can_be_asked_for() -> None:
    """Each field, each choice and each end of a range of the vendor's, but for what is named and justified above."""
    used: set[str] = set()
    values_used = set()
    for (path, model), schema in alternatives().items():
        sent: dict[str, list[Any]] = {}
        for op in (op for other, op in ROWS if other == model):
            for each in requests(model, op):
                body = json.loads(apiframe.prepare(each, URLS).body)
                assert TABLE.sends("apiframe", model, op)["path"] == path
                inside = body.pop(TABLE.sends("apiframe", model, op)["to"])
                for name, value in {**body, **inside}.items():
                    sent.setdefault(name, []).append(value)
        for holder in (schema, *(p for p in schema["properties"].values() if p.get("type") == "object")):
            for field, rule in holder["properties"].items():
                why = left_out(model, field)
                if why is not None:
                    used.add(why)
                    assert field not in sent, f"{model} sends {field}, which is left out"
                    continue
                if rule.get("type") == "object":
                    continue
                assert field in sent, f"{model} has {field}: put it into the table, or say why not"
                said = sent[field]
                choices = rule.get("enum") or [v for one in rule.get("anyOf", ()) for v in one["enum"]]
                for choice in choices:
                    if (model, field, choice) in LEFT_OUT_VALUES:
                        values_used.add((model, field, choice))
                        assert choice not in said
                    else:
                        assert choice in said, f"{model}: {field} can't be {choice}"
                for end in ("minimum", "maximum"):
                    if end in rule:
                        assert rule[end] in said, f"{model}: {field} can't be {rule[end]}"
                if "maxLength" in rule and field != "negative_prompt":
                    assert max(map(len, said)) == rule["maxLength"], f"{model}: {field}"
                if (
                    "maxItems" in rule and model != "flux-2-pro" and not model.startswith("seedream-4")
                ):  # 8 and 10, by the vendor's pages
                    assert max(map(len, said)) == rule["maxItems"], f"{model}: {field}"
    assert used == set(LEFT_OUT), "what is left out is there"
    assert values_used == set(LEFT_OUT_VALUES)


def test_defaults_are_frozen() -> None:
    """Defaults are in action keys: a changed one makes every picture of the model stale, which is a bill. New models may come."""
    now = {f"{model}/{op}": TABLE._op("apiframe", model, op)["defaults"] for model, op in ROWS}
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    frozen = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert {name: now.get(name) for name in frozen} == frozen
    assert set(now) == set(frozen), "a new model: write the golden file anew"


@pytest.mark.parametrize(("model", "op"), ROWS)
def test_every_row_is_whole(model: str, op: str) -> None:
    """A format and a shape are always said, each default is a value its own rule allows, and nothing stands in two ways."""
    names, facts = TABLE.names("apiframe", model, op), TABLE._op("apiframe", model, op)
    assert "output_format" in names
    for common in ("quality", "aspect_ratio", "output_format", "background", "seed"):
        assert (common in names) == (common in facts["defaults"]), f"{common} has a default, so that it is sent each time"
    params, faults, _ = TABLE.normalise("apiframe", model, op, {**facts["defaults"], **NEEDED.get(model, {})})
    assert not faults
    assert {name: params[name] for name in facts["defaults"]} == facts["defaults"]
    assert ("asked" in facts["params"]["output_format"]) == ("format" not in facts["sends"])
    assert facts["limits"]["takes"] == facts["limits"]["members"]
    if "count" not in facts["sends"]:
        assert facts["limits"]["takes"] == (4 if model == "midjourney" else 1)
    assert ("inputs" in facts["sends"]) == (facts["limits"].get("inputs") != 0)
    assert ("mask" in facts["sends"]) == ("masked" in facts["sends"]) == ("unmasked" in facts["sends"])


def test_default_models() -> None:
    assert [TABLE.default_model("apiframe", op) for op in ("generate", "edit", "upscale", "remove-background")] == [
        "gpt-image-2",
        "gpt-image-2",
        "topaz-image-upscale",
        "bria-bg-remove",
    ]
    assert [model for model, op in ROWS if TABLE.mask("apiframe", model, op)] == ["flux-fill-pro"]
    assert not TABLE.mask("comp", "comp-1", "edit")
    assert not TABLE.free("apiframe")
    assert not TABLE.reproducible("apiframe")


def test_prices_are_whole() -> None:
    """A price says where it is from, and has a number for each value of what decides."""
    priced = [model for model in TABLE.models("apiframe") if TABLE.prices("apiframe", model)]
    assert {"gpt-image-2", "gpt-image-1.5"} <= set(priced)
    for model in priced:
        found = TABLE.prices("apiframe", model)
        assert found is not None
        assert (found["unit"], found["date"]) == ("credits", "2026-11-22")
        assert found["source"]
        each = found["each"]
        if "by" in found:
            for op in (op for other, op in ROWS if other == model):
                rule = _rules(model, op)[found["by"]]
                assert set(each) == set(rule["enum"])
                assert found["by"] in TABLE._op("apiframe", model, op)["defaults"], "without it, the price isn't known"
        for number in each.values() if "by" in found else [each]:
            assert number > 0
    assert TABLE.prices("apiframe", "gpt-image-2")["each"] == {"low": 4, "medium": 9, "high": 23, "auto": 23}  # type: ignore[index]
    assert TABLE.prices("apiframe", "flux-2-pro") is None
    assert TABLE.prices("comp", "comp-1") is None


def test_ends() -> None:
    assert TABLE.ends("apiframe", "gpt-image-1.5") == ("2026-12-01", "OpenAI's deprecations page")
    assert {model for model in TABLE.models("apiframe") if TABLE.ends("apiframe", model)} == {
        "gpt-image-1.5",
        "dall-e-2",
        "dall-e-3",
    }


@pytest.mark.parametrize(
    ("model", "params", "words"),
    [
        ("gpt-image-2", {"quality": "auto"}, ["`quality: auto` costs as much as `high`"]),
        ("gpt-image-2", {"quality": "high"}, []),
        ("gpt-image-1.5", {}, []),  # that it ends is said once in a plan, not of each picture
        ("ideogram-v3-turbo", {"output_format": "webp"}, ["chooses the file type itself: if it isn't webp"]),
        ("gpt-image-2", {"aspect_ratio": "~16:9"}, ["16:9 isn't a ratio of gpt-image-2; the nearest is 3:2"]),
    ],
)
def test_notes(model: str, params: dict[str, Any], words: list[str]) -> None:
    _, faults, notes = TABLE.normalise("apiframe", model, "generate", params)
    assert not faults
    assert len(notes) == len(words)
    for note, word in zip(notes, words, strict=True):
        assert word in note


@pytest.mark.parametrize(
    ("model", "params", "members", "text", "hint"),
    [
        ("gpt-image-2", {"background": "transparent"}, 0, "`background: transparent` is no choice", "op: remove-background"),
        ("gpt-image-2", {"background": "green"}, 0, "`background: green` is no choice", "it has `auto`, `opaque`"),
        ("gpt-image-2", {"seed": 1}, 0, "`gpt-image-2` on apiframe has no `seed`", "it has `aspect_ratio`"),
        ("flux-lora", {}, 0, "`flux-lora` on apiframe can't do without `loraId`", "write `params: {loraId: …}`"),
        ("gpt-image-2", {}, 11, "makes at most 10 pictures in one call; the set has 11", "split the set"),
        ("imagen-4", {}, 2, "makes one picture in one call; the set has 2", "assets of their own"),
    ],
)
def test_faults(model: str, params: dict[str, Any], members: int, text: str, hint: str) -> None:
    _, faults, _ = TABLE.normalise("apiframe", model, "generate", params, members=members)
    assert len(faults) == 1
    assert text in faults[0][1]
    assert hint in (faults[0][2] or "")


def test_the_file_is_read_only_when_it_is_asked_for() -> None:
    """A spec that only drafts doesn't pay for reading fifty models."""
    import subprocess
    import sys

    code = """
from assetbuild.providers import table
asked = []
read = table._read
table._read = lambda path: (asked.append(path), read(path))[1]
known = table.builtin()
assert known.knows("apiframe") and "apiframe" in known.providers() and known.models("comp")
assert asked == ["models.yaml"], asked
assert known.default_model("apiframe", "generate") == "gpt-image-2" and known.models("apiframe")
assert asked == ["models.yaml", "apiframe/models.yaml"], asked
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
