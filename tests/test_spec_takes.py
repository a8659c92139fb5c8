"""Several takes of one picture, a person's approval, and the part of a picture that may change: from the spec to the asset."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from assetbuild.digest import action
from assetbuild.providers.table import Table, builtin
from assetbuild.spec.model import Asset, AssetInput, FileInput, Input, StepInput

from .reading import OTHER, by_id, picture, read, told, write


def shop() -> Table:
    """The shop with a model that takes masks, and one that takes a mask for nothing else than upscaling."""
    tree: dict[str, Any] = copy.deepcopy(OTHER)
    models = tree["shop"]["models"]
    models["fill-1"] = copy.deepcopy({"ops": {"edit": models["fine-2"]["ops"]["edit"]}})
    models["fill-1"]["ops"]["edit"]["sends"] = {"mask": "mask"}
    models["fill-1"]["ops"]["edit"]["limits"] = {"prompt": 200, "inputs": 1}
    models["fill-2"] = models["fill-1"]
    models["big-1"]["ops"]["upscale"]["sends"] = {"mask": "mask"}
    return Table(tree)


def takes(assets: tuple[Asset, ...]) -> dict[str, tuple[int, bool]]:
    return {asset.id: (asset.takes, asset.approve) for asset in assets}


WORDS = """
defaults: {provider: shop, takes: 2}
profiles:
  draft: {provider: comp}
  proof: {takes: 1, quality: low, output: "proof/${id}.png"}
assets:
  a: {prompt: x}
  b: {prompt: x, takes: 3.0, approve: required}
  c-${p.n}:
    matrix: {p: [{n: 1, t: 4, a: required}, {n: 2, t: 5, a: required}]}
    prompt: x
    takes: ${p.t}
    approve: ${p.a}
  s: {set: [l, r], prompt: x, takes: 2, output: "art/s-${member}.png"}
overrides:
  c-2: {takes: 1}
"""


def test_whose_word_counts(tmp_path: Path) -> None:
    """The profile's, the override's, the asset's, the defaults'."""
    spec = read(tmp_path, WORDS, table=shop())
    assert takes(spec.assets) == {"a": (2, False), "b": (3, True), "c-1": (4, True), "c-2": (1, True), "s": (2, False)}
    assert all(isinstance(asset.takes, int) for asset in spec.assets)
    assert not any(asset.notes for asset in spec.assets)
    proof = read(tmp_path, WORDS, "proof", shop())
    assert {asset.takes for asset in proof.assets} == {1}
    assert by_id(proof)["b"].approve, "what is bought is approved in each tree by itself"


def test_an_included_file_has_its_own(tmp_path: Path) -> None:
    files = {"box.yaml": "defaults: {takes: 3}\nassets: {box: {prompt: x}, bag: {prompt: x, takes: 1}}\n"}
    spec = read(
        tmp_path, "include: [box.yaml]\ndefaults: {provider: shop, takes: 2}\nassets: {a: {prompt: x}}\n", None, shop(), files
    )
    assert {asset.id: asset.takes for asset in spec.assets} == {"a": 2, "box": 3, "bag": 1}


def test_cells_of_a_table(tmp_path: Path) -> None:
    """A cell is text; an empty one is as if nothing were said."""
    spec = read(
        tmp_path,
        "defaults: {provider: shop, takes: 2}\n"
        "assets:\n  a-${p.n}: {matrix: {p: {from: p.csv}}, prompt: x, takes: '${p.t}', approve: '${p.a}'}\n",
        table=shop(),
        files={"p.csv": "n,t,a\n1,3,required\n2,,\n"},
    )
    assert takes(spec.assets) == {"a-1": (3, True), "a-2": (2, False)}


def test_defaults_with_a_name_in_them(tmp_path: Path) -> None:
    spec = "vars: {many: 3, word: '4', none: [1]}\ndefaults: {provider: shop, takes: '${%s}'}\nassets: {a: {prompt: x}, b: {prompt: x, takes: 1}}\n"
    assert [asset.takes for asset in read(tmp_path, spec % "many", table=shop()).assets] == [3, 1]
    assert [asset.takes for asset in read(tmp_path, spec % "word", table=shop()).assets] == [4, 1]
    text = told(tmp_path, spec % "none", table=shop())
    assert "assets.yaml:3:35: `takes` in asset `a` must be a whole number, not a list" in text
    assert text.count("must be") == 1


def test_a_draft_has_one_take_and_waits_for_nobody(tmp_path: Path) -> None:
    """The same spec works under `--profile draft`: comp draws the same each time, and approval is asked for before money is spent."""
    spec = read(tmp_path, WORDS, "draft", shop())
    assert set(takes(spec.assets).values()) == {(1, False)}
    assert by_id(spec)["b"].notes == ("`takes: 3` is left out: comp draws the same picture each time",)
    assert by_id(spec)["c-2"].notes == ()


def test_comp_without_a_profile_has_one_take_and_may_be_approved(tmp_path: Path) -> None:
    spec = read(tmp_path, "assets: {a: {prompt: x, takes: 2, approve: required}}\n")
    assert takes(spec.assets) == {"a": (1, True)}
    assert spec.assets[0].notes == ("`takes: 2` is left out: comp draws the same picture each time",)


def test_the_last_step_is_what_is_chosen_from(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "defaults: {provider: shop}\nassets:\n  a: {prompt: x, takes: 2, then: [{prompt: y, provider: comp}]}\n"
        "  b: {prompt: x, takes: 2, provider: comp, then: [{prompt: y, provider: shop}]}\n",
        table=shop(),
    )
    assert takes(spec.assets) == {"a": (1, False), "b": (2, False)}


def keys(assets: tuple[Asset, ...]) -> dict[str, list[str]]:
    return {asset.id: [action(step, ["d" * 64] * len(step.inputs)).key for step in asset.steps] for asset in assets}


def test_what_is_in_no_key(tmp_path: Path) -> None:
    """A wish for another take or a person's word, a budget or a price must not cost a new picture."""
    plain = "assets:\n  a: {prompt: x}\n  b: {base: a, prompt: y}\n"
    more = plain.replace("prompt: x", "prompt: x, takes: 9, approve: required").replace("prompt: y", "prompt: y, takes: 2")
    bought = "defaults: {provider: apiframe}\n"
    terms = "budget: {per_run: 1}\nproviders: {apiframe: {base_url: 'http://[::1]:1', credit_usd: 1, prices: {gpt-image-2: 1}}}\n"
    assert keys(read(tmp_path, bought + plain).assets) == keys(read(tmp_path, terms + bought + more).assets)


MASKED = """
defaults: {provider: shop, model: fine-2, style: s}
styles: {s: {text: Flat., references: [{file: board.png, as: board}]}}
profiles:
  draft: {provider: comp}
  proof: {quality: low, model: fine-2, output: "proof/${id}.png"}
assets:
  photo: {prompt: A kitchen}
  before: {base: photo, prompt: x}
  window: {base: photo, prompt: "Rain in ${image.base}", mask: {file: masks/window.png}}
  fixed:
    prompt: A face
    model: fine-2
    then:
      - {prompt: Six fingers to five, mask: {file: masks/hand.png}}
      - Warmer.
  named: {base: photo, prompt: x, model: fill-2, mask: {file: "masks/${id}.png"}}
"""


def test_a_mask_is_an_input_after_the_base(tmp_path: Path) -> None:
    """It is no `image 2`, and the model that `defaults` name for other pictures gives way to one that takes masks."""
    spec = read(tmp_path, MASKED, table=shop())
    found = by_id(spec)
    assert found["window"].steps[0].inputs == (
        Input(AssetInput("photo"), "base"),
        Input(FileInput("masks/window.png"), "mask"),
    )
    assert found["window"].steps[0].prompt == "Rain in image 1"
    assert [step.model for step in found["fixed"].steps] == ["fine-2", "fill-1", "fine-2"]
    assert found["fixed"].steps[1].inputs == (Input(StepInput(), "base"), Input(FileInput("masks/hand.png"), "mask"))
    assert found["fixed"].steps[2].inputs == (Input(StepInput(), "base"),)
    assert found["named"].steps[0].model == "fill-2"
    assert found["before"].steps[0].model == "fine-2"
    assert {"masks/window.png", "masks/hand.png", "masks/named.png"} <= set(spec.pictures)
    proof = by_id(read(tmp_path, MASKED, "proof", shop()))
    assert [proof[id].steps[0].model for id in ("photo", "window", "named")] == ["fine-2", "fill-1", "fill-2"]


def test_references_keep_their_numbers_beside_a_mask(tmp_path: Path) -> None:
    tree = shop()
    tree._of("shop")["models"]["fill-1"]["ops"]["edit"]["limits"]["inputs"] = 3
    spec = read(
        tmp_path,
        "defaults: {provider: shop}\nassets:\n  a: {prompt: x}\n"
        "  b: {base: a, prompt: 'as ${image.c}', mask: {file: m.png}, references: [{asset: a, as: c, hint: it}, {file: d.png}]}\n",
        table=tree,
    )
    (step,) = by_id(spec)["b"].steps
    assert step.prompt == "Image 2: it\nas image 2"
    assert [each.role for each in step.inputs] == ["base", "mask", "reference", "reference"]


def test_a_mask_is_in_the_key(tmp_path: Path) -> None:
    """Its bytes and its place; and the same picture as a reference is another key."""
    (step,) = by_id(read(tmp_path, MASKED, table=shop()))["window"].steps
    key = action(step, ["a" * 64, "b" * 64])
    assert key.manifest["inputs"] == [{"digest": "a" * 64, "role": "base"}, {"digest": "b" * 64, "role": "mask"}]
    assert key.key != action(step, ["a" * 64, "c" * 64]).key
    seen = step._replace(inputs=(step.inputs[0], step.inputs[1]._replace(role="reference")))
    assert key.key != action(seen, ["a" * 64, "b" * 64]).key


def test_a_draft_is_drawn_without_the_mask(tmp_path: Path) -> None:
    """It is in no key of comp then, and no missing mask holds a draft."""
    spec = read(tmp_path, MASKED, "draft", shop())
    roles = [each.role for asset in spec.assets for step in asset.steps for each in step.inputs]
    assert "mask" not in roles
    assert by_id(spec)["window"].notes == ("comp draws without a mask",)
    alone = read(tmp_path, "assets:\n  a: {prompt: x}\n  b: {base: a, prompt: y, mask: {file: m.png}}\n")
    assert alone.assets[1].steps[0].inputs == (Input(AssetInput("a"), "base"),)


def test_a_mask_counts_beside_the_pictures(tmp_path: Path) -> None:
    text = told(
        tmp_path,
        "defaults: {provider: shop}\nassets:\n  a: {prompt: x}\n"
        "  b: {base: a, prompt: x, mask: {file: m.png}}\n  c: {base: a, prompt: x, mask: {file: m.png}, references: [a]}\n",
        table=shop(),
    )
    assert text.count("sends") == 1
    assert "`c` sends 2 pictures; fill-1 on shop takes 1" in text


def test_a_mask_has_the_size_of_its_picture(tmp_path: Path) -> None:
    """Seen where both are files that are there; else the vendor says so."""
    spec = "defaults: {provider: shop}\nassets:\n"
    for name, mask in (("a", "small"), ("b", "same"), ("c", "missing")):
        spec += f"  {name}: {{base: {{file: photo.png}}, prompt: x, mask: {{file: {mask}.png}}}}\n"
    files = {"photo.png": picture(30, 20), "same.png": picture(30, 20), "small.png": picture(15, 10)}
    write(tmp_path, files)
    text = told(tmp_path, spec, table=shop())
    assert text.count("assets.yaml:") == 1
    assert "assets.yaml:4:43: the mask `small.png` has 15 × 10 pixels, its picture `photo.png` 30 × 20" in text


@pytest.mark.parametrize(
    ("provider", "said", "way"),
    [
        ("shop, model: fine-2", "`fine-2` on shop takes no mask", "leave `model` out: then it is `fill-1`"),
        ("plain", "no model of plain takes a mask", "name one that does: `provider: shop` with `model: fill-1`"),
    ],
)
def test_who_takes_masks_is_named(tmp_path: Path, provider: str, said: str, way: str) -> None:
    tree = shop()
    tree._tree["plain"] = copy.deepcopy(OTHER["shop"])
    text = told(
        tmp_path,
        f"assets:\n  a: {{prompt: x}}\n  b: {{base: a, prompt: x, provider: {provider}, mask: {{file: m.png}}}}\n",
        table=tree,
    )
    assert text.count("assets.yaml:") == 1
    assert said in text
    assert way in text


def test_nobody_takes_masks(tmp_path: Path) -> None:
    text = told(
        tmp_path,
        "assets:\n  a: {prompt: x}\n  b: {base: a, prompt: x, provider: shop, mask: {file: m.png}}\n",
        table=Table(OTHER),
    )
    assert "hint: take the mask out, and say in the prompt what must stay" in text


def test_the_real_table(tmp_path: Path) -> None:
    """A masked edit on Apiframe is flux-fill-pro's, and the model's own choice of quality is said to be dear."""
    spec = read(
        tmp_path,
        "defaults: {provider: apiframe, model: gpt-image-2}\nassets:\n  a: {prompt: x, quality: auto}\n"
        "  b: {base: a, prompt: x, mask: {file: m.png}}\n  c: {prompt: x, quality: high}\n",
    )
    found = by_id(spec)
    assert [asset.steps[0].model for asset in spec.assets] == ["gpt-image-2", "flux-fill-pro", "gpt-image-2"]
    assert any("`quality: auto` costs as much as `high`" in note for note in found["a"].notes)
    assert found["c"].notes == ()
    assert builtin().mask("apiframe", "flux-fill-pro", "edit")
