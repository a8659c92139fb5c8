"""Steps of a spec: their models, parameters and ratios, chains of them, and sets."""

from __future__ import annotations

import re
from pathlib import Path

from assetbuild.spec.model import AssetInput, Input, StepInput

from .reading import by_id, picture, read, table, told


def test_an_edit_has_the_ratio_of_its_base(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
defaults: {aspect_ratio: "16:9"}
assets:
  d: {base: c, prompt: x}
  a: {prompt: x, aspect_ratio: "4:6"}
  b: {base: a, prompt: x}
  c: {base: b, prompt: x, then: [y, {op: upscale}, {prompt: z, aspect_ratio: "1.5:1"}, last]}
  e: {base: {file: wide.png}, prompt: x}
  f: {base: g, prompt: x}
  g: {base: a, op: upscale}
  h: {base: a, prompt: x, aspect_ratio: "1:2"}
  i: {prompt: x}
  j: {base: {file: long.png}, prompt: x}
""",
        files={"wide.png": picture(300, 100), "long.png": picture(10, 200)},
    )
    ratios = {id: [step.params.get("aspect_ratio") for step in asset.steps] for id, asset in by_id(spec).items()}
    assert ratios == {
        "d": ["3:2"],
        "a": ["2:3"],
        "b": ["2:3"],
        "c": ["2:3", "2:3", None, "3:2", "3:2"],
        "e": ["3:1"],
        "f": ["2:3"],
        "g": [None],
        "h": ["1:2"],
        "i": ["16:9"],
        "j": ["1:8"],
    }
    assert by_id(spec)["j"].notes == ("10:200 isn't a ratio of comp-1; the nearest is 1:8",)


def test_provider_and_model_are_found_together(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
defaults: {provider: shop, model: old-1, quality: high, seed: 3}
assets:
  a: {prompt: x}
  b: {base: a, prompt: x}
  c: {prompt: x, provider: comp}
  d: {prompt: x, model: fine-2, params: {moderation: low, late: 3.0}}
  e: {prompt: x, model: fine-2, output: e.webp, then: [y, {op: upscale}, {prompt: z, provider: comp, quality: low}]}
""",
        table=table(),
    )
    found = {id: [(s.provider, s.model, s.params) for s in asset.steps] for id, asset in by_id(spec).items()}
    fine = {"quality": "high", "aspect_ratio": "1:1", "output_format": "png", "moderation": "auto"}
    assert found["a"] == [("shop", "old-1", {"output_format": "png"})]
    assert found["b"] == [("shop", "fine-2", fine)]
    assert found["c"][0][:2] == ("comp", "comp-1")
    assert found["c"][0][2]["seed"] == 3
    assert found["d"] == [("shop", "fine-2", {**fine, "moderation": "low", "late": 3})]
    assert [step[:2] for step in found["e"]] == [("shop", "fine-2"), ("shop", "fine-2"), ("shop", "big-1"), ("comp", "comp-1")]
    assert [step[2]["output_format"] for step in found["e"]] == ["png", "png", "png", "webp"]
    assert [step[2].get("quality") for step in found["e"]] == ["high", "high", None, "low"]


def test_what_a_model_lacks(tmp_path: Path) -> None:
    text = told(
        tmp_path,
        """
defaults: {provider: shop}
assets:
  a: {prompt: x, seed: 3}
  b: {base: a, op: remove-background}
  c: {base: a, prompt: x, model: old-1}
  d: {prompt: x, aspect_ratio: "16:9"}
  e: {prompt: x, params: {late: 10}}
  f: {prompt: x, params: {late: 1.5}}
  g: {prompt: x, output: g.jpg}
  h: {prompt: x, references: [{file: 1.png}, {file: 2.png}, {file: 3.png}, {file: 4.png}]}
  i: {prompt: x, provider: comp, model: fine-2}
""",
        table=table(),
    )
    assert re.findall(r"assets.yaml:\d+:\d+: (.*)", text) == [
        "`fine-2` on shop has no `seed` for op generate",
        "`shop` can't remove a background",
        "`old-1` on shop can't edit a picture",
        "16:9 isn't a ratio of `fine-2` on shop",
        "`late: 10` is out of range on `fine-2` (shop)",
        "`late` must be a whole number on `fine-2` (shop), not `1.5`",
        "`fine-2` on shop can't draw from a prompt as jpeg",
        "`h` sends 4 pictures; fine-2 on shop takes 3",
        "`comp` has no model `fine-2`",
    ]


def test_a_step_of_then(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "assets:\n  otto: {prompt: x}\n  p:\n    prompt: x\n    quality: high\n    then:\n      - Fix the hand.\n"
        "      - {prompt: 'As ${image.o} not ${image.base}', references: [{asset: otto, as: o, hint: him}], quality: "
        "low}\n      - {op: remove-background}\n",
    )
    steps = by_id(spec)["p"].steps
    assert [(s.op, s.prompt, s.params.get("quality")) for s in steps] == [
        ("generate", "x", "high"),
        ("edit", "Fix the hand.", "high"),
        ("edit", "Image 2: him\nAs image 2 not image 1", "low"),
        ("remove-background", None, None),
    ]
    assert [s.inputs[0].source for s in steps[1:]] == [StepInput()] * 3
    assert steps[2].inputs[1] == Input(AssetInput("otto"), "reference", "o", "him")
    assert steps[1].place is not None
    assert steps[1].place.line == 8


def test_sets(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
assets:
  cup: {base: "story#cup", prompt: bigger}
  story: {set: [bean, cup], prompt: x, output: "art/s-${member}.png"}
  four: {set: 4, prompt: x, output: "art/four/${member}.png", references: [{asset: "story#bean", as: b}]}
  one: {set: [only], prompt: x}
""",
    )
    found = by_id(spec)
    assert found["story"].steps[0].members == ("bean", "cup")
    assert found["story"].outputs == ("art/s-bean.png", "art/s-cup.png")
    assert found["four"].outputs == tuple(f"art/four/{n}.png" for n in (1, 2, 3, 4))
    assert found["cup"].steps[0].inputs == (Input(AssetInput("story", "cup"), "base"),)
    assert found["one"].outputs == ("art/one.png",)


def test_ten_thousand_edits_in_a_chain(tmp_path: Path) -> None:
    """Each asset is based on the one after it, so that all must wait for the last."""
    chain = "".join(f"  a{n}: {{base: a{n + 1}, prompt: x}}\n" for n in range(10_000))
    spec = read(tmp_path, f"assets:\n{chain}  a10000: {{prompt: x, aspect_ratio: '2:3'}}\n")
    assert len(spec.assets) == 10_001
    assert spec.assets[0].steps[0].params["aspect_ratio"] == "2:3"
