"""Texts of a spec: prompts, styles, hints and vars as they are sent, and what YAML makes of them."""

from __future__ import annotations

from pathlib import Path

from assetbuild.providers.table import builtin
from assetbuild.reader import DiskReader
from assetbuild.spec import load
from assetbuild.spec.model import AssetInput, FileInput, Input

from .reading import by_id, prompts, read


def test_texts_are_nfc_with_lf(tmp_path: Path) -> None:
    spec = read(tmp_path, "assets:\r\n  café:\r\n    prompt: |\r\n      Café\r\n      noir\r\n".replace("é", "e\u0301"))
    assert prompts(spec) == {"caf\u00e9": "Caf\u00e9\nnoir"}
    assert spec.assets[0].outputs == ("art/caf\u00e9.png",)


def test_a_bom_is_skipped(tmp_path: Path) -> None:
    spec = read(tmp_path, "version: 1\nassets: {a: {prompt: {file: p.md}}}", files={"p.md": b"\xef\xbb\xbfA\r\n\r\nB  \r\n"})
    assert prompts(spec) == {"a": "A\n\nB"}
    (tmp_path / "assets.yaml").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "assets.yaml").read_bytes())
    again = load("assets.yaml", DiskReader(str(tmp_path)), builtin())
    assert again.assets == spec.assets


def test_inputs_hints_and_styles_in_their_order(tmp_path: Path) -> None:
    """Base, references, then the styles' references; hint lines first, styles' texts last; names become numbers."""
    spec = read(
        tmp_path,
        """
styles:
  brand: {text: "Flat, like ${image.board}.", references: [{file: brand/board.png, as: board, hint: "take   colours\\n from it"}]}
  bare: Warm paper.
  only: {references: [logo-asset]}
assets:
  logo-asset: {prompt: x}
  poster: {prompt: x}
  page:
    base: poster
    prompt: |
      Put ${image.logo} on ${image.base}. $${this} stays.
    style: [brand, bare, only]
    references: [logo-asset, {file: brand/logo.png, as: logo, hint: the logo}, {asset: poster}]
""",
    )
    (step,) = by_id(spec)["page"].steps
    assert step.inputs == (
        Input(AssetInput("poster"), "base"),
        Input(AssetInput("logo-asset"), "reference"),
        Input(FileInput("brand/logo.png"), "reference", "logo", "the logo"),
        Input(AssetInput("poster"), "reference"),
        Input(FileInput("brand/board.png"), "style", "board", "take colours from it"),
        Input(AssetInput("logo-asset"), "style"),
    )
    assert step.prompt == (
        "Image 3: the logo\nImage 5: take colours from it\n"
        "Put image 3 on image 1. ${this} stays.\n\nFlat, like image 5.\n\nWarm paper."
    )
    assert spec.pictures == ("brand/logo.png", "brand/board.png")


def test_a_default_style_does_not_reach_an_edit(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "defaults: {style: s}\nstyles: {s: Flat.}\nassets:\n  a: {prompt: A}\n  b: {base: a, prompt: B}\n"
        "  c: {base: a, prompt: C, style: s}\n  d: {prompt: D, style: []}\n  e: {prompt: E, then: [F, {prompt: G, style: s}]}\n",
    )
    assert prompts(spec) == {"a": "A\n\nFlat.", "b": "B", "c": "C\n\nFlat.", "d": "D", "e": "E\n\nFlat."}
    assert [step.prompt for step in by_id(spec)["e"].steps] == ["E\n\nFlat.", "F", "G\n\nFlat."]


def test_numbers_and_dates_print_as_written(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
vars: {price: 1.10, code: 0401, day: 2027-01-12, hex: 0x10, big: 1_000, exp: 1e3, yes_no: true, whole: 12, half: 0.5}
assets:
  a: {prompt: "${price} ${code} ${day} ${hex} ${big} ${exp} ${yes_no} ${whole} ${half}"}
  404: {prompt: 1.10}
""",
    )
    assert prompts(spec) == {"a": "1.10 0401 2027-01-12 0x10 1_000 1e3 true 12 0.5", "404": "1.10"}


def test_a_whole_reference_keeps_its_type(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
vars: {t: [launch, print], r: "3:2", n: 7, refs: [{file: x.png, as: x, hint: look}, poster], p: {seed: 3}
  , steps: [darker, {op: upscale}]}
assets:
  poster: {prompt: x}
  a: {prompt: "${image.x}", tags: "${t}", aspect_ratio: "${r}", seed: "${n}", references: "${refs}", then: "${steps}"}
  b: {prompt: x, params: "${p}", tags: ["${t[1]}", "no-${n}"]}
""",
    )
    a, b = by_id(spec)["a"], by_id(spec)["b"]
    assert (a.tags, b.tags) == (("launch", "print"), ("print", "no-7"))
    assert a.steps[0].params["aspect_ratio"] == "3:2"
    assert (a.steps[0].params["seed"], b.steps[0].params["seed"]) == (7, 3)
    assert [(i.source, i.name) for i in a.steps[0].inputs] == [(FileInput("x.png"), "x"), (AssetInput("poster"), None)]
    assert [step.op for step in a.steps] == ["generate", "edit", "upscale"]
    assert a.steps[0].prompt == "Image 1: look\nimage 1"


def test_text_from_rows_and_vars_is_inert(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "assets:\n  a-${r.id}:\n    matrix: {r: {from: r.csv}}\n    prompt: Say ${r.text}\n",
        files={"r.csv": "id,text\n1,${secret} $${x} {b}\n"},
    )
    assert prompts(spec) == {"a-1": "Say ${secret} $${x} {b}"}


def test_values_from_tables_are_inert_too(tmp_path: Path) -> None:
    """Lists and mappings that stand for a whole field are taken as they are, and are checked like written ones."""
    rows = """[{"k": "a", "base": {"file": "${x}.png"}, "then": ["Say ${y}", {"prompt": "$${z}"}], "tags": ["${t}"],
      "refs": [{"file": "r.png", "as": "r", "hint": "${h}"}, "b-a"], "params": {"seed": 3}, "style": ["s"], "set": null}]"""
    spec = read(
        tmp_path,
        """
styles: {s: "Flat ${image.r}."}
assets:
  b-${r.k}: {matrix: {r: {from: r.json}}, prompt: x}
  c-${r.k}:
    matrix: {r: {from: r.json}}
    base: ${r.base}
    prompt: "${image.r}"
    then: ${r.then}
    references: ${r.refs}
    params: ${r.params}
    tags: ${r.tags}
    style: ${r.style}
""",
        files={"r.json": rows},
    )
    asset = by_id(spec)["c-a"]
    assert [step.prompt for step in asset.steps] == ["Image 2: ${h}\nimage 2\n\nFlat image 2.", "Say ${y}", "$${z}"]
    assert [i.source for i in asset.steps[0].inputs] == [FileInput("${x}.png"), FileInput("r.png"), AssetInput("b-a")]
    assert (asset.tags, asset.steps[0].params["seed"]) == (("${t}",), 3)


def test_vars_use_vars_tables_and_rows(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
vars:
  line: "${name} since ${year}"
  name: Fika
  year: 1998
  legal: {from: legal.csv, key: country}
  all: {from: all.json}
  block: |
    Brewed slowly
assets:
  a-${m}:
    matrix: {m: [de, fr]}
    vars: {own: "${line} in ${m}", up: "${own}!"}
    prompt: "${up} ${legal[m].text} ${all.x[1]} [${block}]"
""",
        files={"legal.csv": "country;text\nde;Pfand\nfr;Consigne\n", "all.json": '{"x": [1, 2]}'},
    )
    assert prompts(spec) == {
        "a-de": "Fika since 1998 in de! Pfand 2 [Brewed slowly]",
        "a-fr": "Fika since 1998 in fr! Consigne 2 [Brewed slowly]",
    }
    assert spec.files == ("assets.yaml", "legal.csv", "all.json")


def test_a_long_chain_of_vars(tmp_path: Path) -> None:
    chain = "".join(f'  v{n}: "${{v{n + 1}}}"\n' for n in range(5000))
    spec = read(tmp_path, f"vars:\n{chain}  v5000: end\nassets: {{a: {{prompt: '${{v0}}'}}}}\n")
    assert prompts(spec) == {"a": "end"}


def test_anchors_aliases_and_merges(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
assets:
  a: &a {prompt: &p A poster, quality: low, tags: [x]}
  b: {<<: *a, quality: high}
  c: {<<: [{tags: [y]}, *a], prompt: *p}
""",
    )
    assert {id: (a.steps[0].prompt, a.steps[0].params["quality"], a.tags) for id, a in by_id(spec).items()} == {
        "a": ("A poster", "low", ("x",)),
        "b": ("A poster", "high", ("x",)),
        "c": ("A poster", "low", ("y",)),
    }


def test_comments_where_they_do_no_harm(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """# yaml-language-server: $schema=x
project: fika # the brand
assets: # all of them
  a: # one
    prompt: "Blue #2B2D42" # quoted
    quality: low # cheap
    tags: [a, b] # two
    set: 2 # pictures
    output: "${member}.png" # both
""",
    )
    assert spec.assets[0].steps[0].prompt == "Blue #2B2D42"
