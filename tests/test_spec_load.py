"""A whole spec, from its file to the assets that come of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from assetbuild.providers.table import builtin
from assetbuild.reader import DiskReader
from assetbuild.spec import load
from assetbuild.spec.model import HERE, Budget

from .reading import PROFILES, picture, read, table, write


def test_a_plain_asset(tmp_path: Path) -> None:
    spec = read(tmp_path, "project: fika\nassets:\n  poster:\n    prompt: |\n      A poster.  \n\n      Warm.\t\n\n")
    (poster,) = spec.assets
    (step,) = poster.steps
    assert (step.op, step.provider, step.model) == ("generate", "comp", "comp-1")
    assert step.prompt == "A poster.\n\nWarm."
    assert step.params == {"aspect_ratio": "1:1", "quality": "medium", "background": "auto", "seed": None, "output_format": "png"}
    assert poster.outputs == ("art/poster.png",)
    assert poster.place == ("assets.yaml", 4, 3, 6)
    assert (spec.project, spec.tree, spec.lock, spec.files) == ("fika", "", "assets.lock", ("assets.yaml",))


def test_without_libyaml_a_spec_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    with_it = read(tmp_path, PROFILES, table=table())
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert load("assets.yaml", DiskReader(str(tmp_path)), table()) == with_it


def test_another_name_of_the_spec(tmp_path: Path) -> None:
    write(tmp_path, {"print.yaml": "version: 1\nprofiles: {p: {output: 'p/${id}.png'}}\nassets: {a: {prompt: x}}"})
    assert load("print.yaml", DiskReader(str(tmp_path)), builtin()).lock == "print.lock"
    assert load("print.yaml", DiskReader(str(tmp_path)), builtin(), profile="p").lock == "print.p.lock"


def test_store_pin_tags_description(tmp_path: Path) -> None:
    spec = read(tmp_path, "store: ../store\nassets:\n  a: {prompt: x, pin: true, tags: [b, 2, true], description: The first}\n")
    assert spec.store == "../store"
    assert (spec.assets[0].pin, spec.assets[0].tags, spec.assets[0].description) == (True, ("b", "2", "true"), "The first")


FIKA = Path(__file__).parents[1] / "examples" / "fika"


@pytest.mark.parametrize("profile", [None, "draft"])
def test_the_example_brand_is_bought_by_changing_one_line(profile: str | None, tmp_path: Path) -> None:
    shutil.copytree(FIKA, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("art", ".assetbuild", "assets.lock"))
    text = (tmp_path / "assets.yaml").read_text("utf-8")
    assert text.count("\n  provider: comp\n") == 1
    spec = read(tmp_path, text.replace("\n  provider: comp\n", "\n  provider: apiframe\n"), profile)
    steps = [step for asset in spec.assets for step in asset.steps if step.provider != HERE]
    assert {step.provider for step in steps} == {"comp" if profile else "apiframe"}
    assert profile or {step.model for step in steps} == {"gpt-image-2", "topaz-image-upscale", "bria-bg-remove"}


MORE = """
  page-07: {prompt: A page.}
  otto: {prompt: A boy.}
  front/${s.sku}: {matrix: {s: {from: data/skus.csv}}, prompt: A front.}
"""


@pytest.mark.parametrize("profile", [None, "draft", "proof"])
def test_the_example_of_the_design(profile: str | None, tmp_path: Path) -> None:
    """The whole example; drafts are drawn by comp."""
    design = next((p for p in (f / "shared" / "DESIGN.md" for f in Path(__file__).resolve().parents) if p.is_file()), None)
    if design is None:
        pytest.skip("the design isn't beside this checkout")
    example = re.search(r"```yaml\n(.*?)```", design.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    spec = example[1].replace("\noverrides:", MORE + "\noverrides:")
    found = read(
        tmp_path,
        spec,
        profile,
        files={
            "prompts/poster.md": "A poster.",
            "prompts/icons.md": "Icons.",
            "data/legal.csv": "country,text\nde,Pfand\n",
            "data/skus.csv": "sku,name,status\nA1,Morgon,live\n",
            "brand/logo.png": picture(4, 3),
        },
    )
    ids = [asset.id for asset in found.assets]
    expected = "poster poster-en poster-de poster-ja page-08 panel/A1 story icons icons# logo-cutout page-07 otto front/A1"
    assert ids == expected.split()
    steps = {asset.id: asset.steps for asset in found.assets}
    assert steps["poster"][0].prompt == (
        "Image 1: take colours and line weight from it\nA poster.\n\n"
        "Flat vector shapes, palette #2B2D42 #EF8354 #F7F4EA, generous margins."
    )
    assert [step.op for step in steps["page-08"]] == ["edit", "edit", "upscale"]
    assert [step.prompt for step in steps["poster-ja"]] == [
        'Image 2: the logo, bottom right corner\nSet the headline to "ゆっくり淹れた". Keep everything else exactly.',
        "The headline is set vertically. Keep everything else exactly.",
    ]
    assert steps["story"][0].members == ("bean", "roast", "grind", "cup")
    assert all(step.params.get("aspect_ratio", "2:3") == "2:3" for each in steps.values() for step in each)
    assert [step.op for step in (*steps["panel/A1"], *steps["icons#"])] == ["compose", "cut"]
    assert len(found.assets[0].exports) == (0 if profile == "proof" else 2)
    poster, draft = found.assets[0], profile == "draft"
    assert (poster.takes, poster.approve) == ((1, False) if draft else (3, True))
    assert steps["poster"][0].model == ("comp-1" if draft else "gpt-image-2")
    assert found.budget == Budget(5_000_000, 20_000_000)
