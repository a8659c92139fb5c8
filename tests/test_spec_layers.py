"""Layers of a spec: whose word counts among includes, overrides and profiles."""

from __future__ import annotations

from pathlib import Path

from assetbuild.providers.table import builtin
from assetbuild.spec.model import FileInput

from .reading import PROFILES, by_id, prompts, read, table, told


def test_an_include_has_its_own_defaults_vars_and_styles(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
include: ["pack/*.yaml", pack/box.yaml]
defaults: {quality: low, output: "art/${id}.webp", tags: [root]}
vars: {brand: Fika, colour: red}
styles: {s: Root style}
assets:
  poster: {prompt: "${brand} ${colour}", style: s}
""",
        files={
            "pack/box.yaml": "defaults: {quality: high, aspect_ratio: '3:2'}\n"
            "vars: {colour: blue, both: '${brand}-${colour}'}\nstyles: {s: Own style}\n"
            "assets:\n  box: {prompt: '${both}', style: s, references: [{file: l.png}, {file: ../r.png}], then: [darker]}\n"
            "  bag: {prompt: {file: p.md}}\noverrides: {poster: {tags: [over], references: [{file: o.png}]}}\n",
            "pack/p.md": "A bag of ${colour}",
        },
    )
    found = by_id(spec)
    assert list(found) == ["poster", "box", "bag"]
    assert prompts(spec) == {"poster": "Fika red\n\nRoot style", "box": "Fika-blue\n\nOwn style", "bag": "A bag of blue"}
    assert [found[id].steps[0].params["quality"] for id in found] == ["low", "high", "high"]
    assert found["box"].steps[0].params["aspect_ratio"] == "3:2"
    assert found["box"].outputs == ("art/box.webp",)
    assert [i.source for i in found["box"].steps[0].inputs] == [FileInput("pack/l.png"), FileInput("r.png")]
    assert found["poster"].steps[0].inputs[0].source == FileInput("pack/o.png")
    assert (found["poster"].tags, found["bag"].tags) == (("over",), ("root",))
    assert found["box"].place.file == "pack/box.yaml"
    assert (spec.files, spec.globs) == (("assets.yaml", "pack/box.yaml", "pack/p.md"), ("pack",))


def test_overrides_are_a_layer_over_one_row(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
assets:
  a-${l}: {matrix: {l: [en, ja]}, prompt: "Say ${l}", params: {seed: 3, quality: low}, then: [one], tags: [x]}
  plain: {prompt: x}
overrides:
  a-ja: {then: ["Vertical for ${l}.", {op: upscale}], params: {quality: high}, output: "${id}.webp"}
  plain: {prompt: y}
""",
    )
    en, ja, plain = spec.assets
    assert [s.prompt for s in en.steps] == ["Say en", "one"]
    assert [s.prompt for s in ja.steps] == ["Say ja", "Vertical for ja.", None]
    assert (ja.steps[0].params["seed"], ja.steps[0].params["quality"], ja.outputs) == (3, "high", ("a-ja.webp",))
    assert plain.steps[0].prompt == "y"


def test_vars_of_an_override_are_that_pictures(tmp_path: Path) -> None:
    """They stand over the asset's, one by one; a table that one of them names lies beside the file that names it."""
    spec = read(
        tmp_path,
        """
include: [pack/more.yaml]
assets:
  a-${l}:
    matrix: {l: [en, ja]}
    vars: {big: "Say ${l}", loud: "${big}!"}
    prompt: ${loud}
  plain: {prompt: Say it}
overrides:
  a-ja: {vars: {big: "Write ${l} in ${ink}", ink: red}}
""",
        files={
            "pack/more.yaml": "overrides:\n  plain: {prompt: 'Say ${t[0].word}', vars: {t: {from: t.csv}}}\n",
            "pack/t.csv": "word\nhello\n",
        },
    )
    assert prompts(spec) == {"a-en": "Say en!", "a-ja": "Write ja in red!", "plain": "Say hello"}


def test_a_free_profile_has_a_tree_of_its_own(tmp_path: Path) -> None:
    spec = read(tmp_path, PROFILES, "draft", table())
    assert (spec.tree, spec.lock) == (".assetbuild/draft", ".assetbuild/draft/assets.lock")
    assert {step.provider for asset in spec.assets for step in asset.steps} == {"comp"}
    assert spec.assets[0].outputs == (".assetbuild/draft/art/a.png",)
    assert spec.assets[0].steps[0].params["quality"] == "medium", "`auto` was meant for the shop"
    assert spec.profiles == ("draft", "proof", "buys", "styled")
    assert spec.profile == "draft"


def test_a_profile_with_an_output(tmp_path: Path) -> None:
    spec = read(tmp_path, PROFILES, "proof", table())
    assert (spec.tree, spec.lock) == ("", "assets.proof.lock")
    assert [asset.outputs for asset in spec.assets] == [
        ("proofs/a.png",),
        ("proofs/b.png",),
        ("proofs/s-l.png", "proofs/s-r.png"),
    ]
    assert [asset.steps[0].params["quality"] for asset in spec.assets] == ["low", "low", "low"]
    spec = read(tmp_path, PROFILES, "styled", table())
    assert [asset.steps[0].prompt for asset in spec.assets] == ["x\n\nLOUD", "y", "x\n\nLOUD"]
    assert spec.assets[0].tags == ("t",)


def test_a_profile_that_can_buy_names_an_output(tmp_path: Path) -> None:
    assert "the profile `buys` can buy from shop and names no `output`" in told(tmp_path, PROFILES, "buys", table())


def test_a_draft_is_checked_against_the_real_provider(tmp_path: Path) -> None:
    """What will be refused later is said while drafting; what isn't known yet is not."""
    spec = PROFILES.replace("moderation: low", "moderation: loww").replace(
        "x, quality: auto", "'%s', quality: auto" % ("x" * 201)
    )
    text = told(tmp_path, spec, "draft", table())
    assert "`moderation: loww` is no choice on `fine-2` (shop); did you mean `low`?" in text
    text = told(tmp_path, spec.replace("loww", "low"), "draft", table())
    assert "prompt 201 (1 too many for fine-2 on shop)" in text
    assert read(tmp_path, spec, "draft", builtin()).assets[0].steps[0].provider == "comp", "nobody knows a shop here"


def test_names_in_what_many_share(tmp_path: Path) -> None:
    """Tags of `defaults` have them put in for each asset; a parameter would be sent with the `${…}` in it, so it is refused."""
    spec = read(
        tmp_path, "vars: {t: [a, b], u: c}\ndefaults: {tags: '${t}'}\nassets: {a: {prompt: x}, b: {prompt: x, tags: ['${u}']}}\n"
    )
    assert [asset.tags for asset in spec.assets] == [("a", "b"), ("c",)]
    for where in (
        "defaults: {provider: shop, params: {moderation: '${t}'}}",
        "profiles: {p: {params: {moderation: '${t}'}, output: p.png}}",
    ):
        text = told(
            tmp_path,
            f"vars: {{t: low}}\n{where}\nassets: {{a: {{prompt: x, provider: shop}}}}\n",
            "p" if "p:" in where else None,
            table(),
        )
        assert "`${…}` isn't put in here, so `moderation` would be sent with it" in text
