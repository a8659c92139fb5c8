"""What a spec means: each test writes a small project and looks at the assets that come of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assetbuild.errors import SpecError
from assetbuild.providers.table import Table, builtin
from assetbuild.reader import DiskReader
from assetbuild.spec import load
from assetbuild.spec.model import Asset, AssetInput, FileInput, Input, Spec, StepInput

BOTH = {"enum": ["png", "webp"], "tokens": {"jpg": "jpeg"}}
OTHER = {
    "comp": builtin()._tree["comp"],
    "shop": {
        "default": {"generate": "fine-2", "edit": "fine-2", "upscale": "big-1"},
        "models": {
            "fine-2": {
                "ops": {
                    op: {
                        "limits": {"prompt": 200, "inputs": 3},
                        "params": {
                            "quality": {"enum": ["low", "medium", "high", "auto"]},
                            "aspect_ratio": {"ratio": ["1:1", "3:2", "2:3"]},
                            "output_format": BOTH,
                            "moderation": {"enum": ["auto", "low"]},
                            "late": {"integer": [0, 9]},
                        },
                        "defaults": {"quality": "medium", "aspect_ratio": "1:1", "output_format": "png", "moderation": "auto"},
                    }
                    for op in ("generate", "edit")
                }
            },
            "old-1": {"ops": {"generate": {"params": {"output_format": BOTH}, "defaults": {"output_format": "png"}}}},
            "big-1": {"ops": {"upscale": {"params": {"output_format": BOTH}, "defaults": {"output_format": "png"}}}},
        },
    },
}


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def read(
    folder: Path, spec: str, profile: str | None = None, table: Any = None, files: Mapping[str, str | bytes] | None = None
) -> Spec:
    write(folder, {"assets.yaml": spec if "version: 1" in spec else "version: 1\n" + spec, **(files or {})})
    return load("assets.yaml", DiskReader(str(folder)), table or builtin(), profile=profile)


def by_id(spec: Spec) -> dict[str, Asset]:
    return {asset.id: asset for asset in spec.assets}


def prompts(spec: Spec) -> dict[str, str | None]:
    return {asset.id: asset.steps[0].prompt for asset in spec.assets}


def told(folder: Path, spec: str, profile: str | None = None, table: Any = None) -> str:
    with pytest.raises(SpecError) as caught:
        read(folder, spec, profile, table)
    return caught.value.render()


# ---- prompts, styles, inputs ---------------------------------------------------------------------------------------


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


def test_without_libyaml_a_spec_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    with_it = read(tmp_path, PROFILES, table=table())
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert load("assets.yaml", DiskReader(str(tmp_path)), table()) == with_it


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


# ---- YAML ----------------------------------------------------------------------------------------------------------


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


# ---- matrix --------------------------------------------------------------------------------------------------------


def test_axes_multiply_and_exclude(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
assets:
  p-${l}-${s.n}:
    matrix:
      l: [en, de, 1.10]
      s: [{n: a, w: 1}, {n: b, w: 2}]
      exclude: [{l: de, s.n: b}, {l: ["1.10"]}]
    prompt: ${l} ${s.w}
""",
    )
    assert prompts(spec) == {"p-en-a": "en 1", "p-en-b": "en 2", "p-de-a": "de 1"}
    assert spec.assets[1].axes == {"l": "en", "s.n": "b", "s.w": "2"}


CSV = "sku,name,status,note\nA1,Fika,live,\nB2,Kaffee,dead,x\nC3,Te,live,y\n"


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode(),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").encode(),
        CSV.replace("\n", "\r").encode(),
        ("\n" + CSV.replace("Fika", '"Fika"') + "\n\n").encode(),
        b'"sku";"name";"status";"note"\nA1;Fika;live\nB2;Kaffee;dead;x\nC3;Te;live;y;\n',
        ("sep=;\n" + CSV.replace(",", ";")).replace("\n", "\r\n").encode() + b";;;\r\n ; ;;\r\n",
        b"\xef\xbb\xbfSEP=|\r\n" + CSV.replace(",", "|").encode(),
        ('"sep=\t"\n\n' + CSV.replace(",", "\t")).replace("\n\n", "\n").encode(),
        CSV.replace("Fika,live,", "Fika,live,  ").encode(),
    ],
)
def test_rows_of_a_csv(content: bytes, tmp_path: Path) -> None:
    """Excel's kinds of CSV are one table."""
    spec = read(
        tmp_path,
        "assets:\n  p/${s.sku}:\n    matrix: {s: {from: d/skus.csv, where: {status: live}, defaults: {note: none}}}\n"
        "    prompt: ${s.name} ${s.note}\n",
        files={"d/skus.csv": content},
    )
    assert prompts(spec) == {"p/A1": "Fika none", "p/C3": "Te y"}
    assert spec.assets[0].axes == {"s.sku": "A1", "s.name": "Fika", "s.status": "live", "s.note": "none"}
    assert spec.assets[0].outputs == ("art/p/A1.png",)


EMPTY = """
styles: {flat: Flat.}
assets:
  s-${w.nr}:
    matrix: {w: {from: FILE}}
    prompt: Sign
    style: ${w.style}
    tags: [a, "${w.tag}"]
    seed: ${w.seed}
    quality: ${w.quality}
    description: ${w.note}
    variant: ${w.note}
    params: {background: "${w.back}"}
    references: [{file: logo.png, hint: "${w.hint}"}]
    then: [{prompt: More, quality: "${w.quality}", style: ["${w.style}"]}]
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("w.csv", "nr,style,tag,seed,quality,note,back,hint\n1,flat,t,7,high,n,opaque,look\n2,,, ,,,,\n"),
        (
            "w.json",
            '[{"nr": 1, "style": "flat", "tag": "t", "seed": 7, "quality": "high", "note": "n", "back": "opaque", "hint": "look"},'
            ' {"nr": 2, "style": null, "tag": "", "seed": null, "quality": "", "note": "", "back": null, "hint": " "}]',
        ),
        (
            "w.yaml",
            "- {nr: 1, style: flat, tag: t, seed: 7, quality: high, note: n, back: opaque, hint: look}\n"
            "- nr: 2\n  style:\n  tag: ''\n  seed: ~\n  quality: null\n  note:\n  back: ''\n  hint:\n",
        ),
    ],
)
def test_an_empty_cell_leaves_out_what_may_be_left_out(name: str, content: str, tmp_path: Path) -> None:
    """A field that is exactly one `${…}` isn't there where the cell is empty: it is as if the line weren't written for that row."""
    spec = read(tmp_path, EMPTY.replace("FILE", name), files={name: content})
    full, bare = spec.assets
    assert [step.prompt for step in full.steps] == ["Image 1: look\nSign\n\nFlat.", "More\n\nFlat."]
    assert [step.prompt for step in bare.steps] == ["Sign", "More"]
    assert (full.tags, bare.tags) == (("a", "t"), ("a",))
    assert [full.steps[0].params[key] for key in ("seed", "quality", "background")] == [7, "high", "opaque"]
    assert [bare.steps[0].params[key] for key in ("seed", "quality", "background")] == [None, "medium", "auto"]
    assert (full.steps[0].variant, bare.steps[0].variant) == ("n", None)
    assert (full.description, bare.description) == ("n", None)
    assert bare.steps[1].params["quality"] == "medium"


def test_an_empty_cell_in_a_text_needs_a_word_for_it(tmp_path: Path) -> None:
    """A default stands for it, also an empty one: then somebody has said that nothing may stand there."""
    files = {"w.csv": "nr;title;by;city\n1;Moon;;\n2;Sun;Klee\n"}
    text = "assets:\n  s-${w.nr}:\n    matrix: {w: {from: w.csvDEFAULTS}}\n    prompt: '${w.title} by ${w.by}${w.city}'\n"
    spec = read(tmp_path, text.replace("DEFAULTS", ", defaults: {by: unknown, city: ''}"), files=files)
    assert prompts(spec) == {"s-1": "Moon by unknown", "s-2": "Sun by Klee"}
    assert "`${w.by}` is empty in w.csv:2" in told(tmp_path, text.replace("DEFAULTS", ", defaults: {city: x}"))
    assert "w.csv:3:1: this row has 3 cells, the header 4\n  3 | 2;Sun;Klee\n    | ~~~~~~~~~~\n  hint: it lacks `city`" in told(
        tmp_path, text.replace("DEFAULTS", ", defaults: {by: x}")
    )


def test_a_problem_of_every_row_names_none(tmp_path: Path) -> None:
    """What is the asset's own mistake isn't put down to the rows of its table."""
    write(tmp_path, {"w.csv": "nr,q\n1,low\n2,hihg\n3,low\n4,hihg\n"})
    text = "assets:\n  s-${w.nr}: {matrix: {w: {from: w.csv}}, prompt: x, QUALITY, base: nobody}\n"
    assert "nobody`\n" in told(tmp_path, text.replace("QUALITY", "quality: low"))
    assert "did you mean `high`? (w.csv:3; and 1 more like it: w.csv:5)\n" in told(
        tmp_path, text.replace("QUALITY", "quality: '${w.q}'")
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.json", '[{"sku": "A1", "n": 1, "deep": {"x": [1, 2]}}, {"sku": "B2", "n": 1.5, "deep": {"x": [3, 4]}}]'),
        ("s.yaml", "- {sku: A1, n: 1, deep: {x: [1, 2]}} # a comment\n- sku: B2\n  n: 1.5\n  deep: {x: [3, 4]}\n"),
    ],
)
def test_rows_of_json_and_yaml(name: str, content: str, tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        f"assets:\n  p-${{s.sku}}:\n    matrix: {{s: {{from: {name}}}}}\n    prompt: ${{s.n}} ${{s.deep.x[1]}}\n",
        files={name: content},
    )
    assert prompts(spec) == {"p-A1": "1 2", "p-B2": "1.5 4"}


def test_rows_of_front_matter(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
assets:
  post/${p.stem}:
    matrix: {p: {from: "posts/*.md", where: {cover: true}}}
    prompt: ${p.title} in ${p.dir}
    seed: ${p.seed}
""",
        files={
            "posts/b.md": "---\ntitle: Second # two\ncover: true\nseed: 4\n---\nText\n",
            "posts/a.md": "---\r\ntitle: First\r\ncover: true\r\nseed: 3\r\n---\r\n",
            "posts/c.md": "No front matter\n",
            "posts/.d.md": "---\ntitle: hidden\n---\n",
        },
    )
    assert prompts(spec) == {"post/a": "First in posts", "post/b": "Second in posts"}
    assert [asset.steps[0].params["seed"] for asset in spec.assets] == [3, 4]
    assert spec.globs == ("posts",)
    assert set(spec.files) == {"assets.yaml", "posts/a.md", "posts/b.md", "posts/c.md"}


def test_cells_that_stand_for_numbers(tmp_path: Path) -> None:
    """A CSV knows only texts; a seed, a pin and a vendor's number are taken from them."""
    spec = read(
        tmp_path,
        "assets:\n"
        "  p-${s.n}: {matrix: {s: {from: s.csv}}, prompt: x, seed: '${s.seed}', pin: '${s.pin}', output: '${id}${s.e}'}\n"
        "  u-${s.n}: {matrix: {s: {from: s.csv}}, base: 'p-${s.n}', op: upscale, params: {scale: '${s.scale}'}}\n",
        files={"s.csv": "n,seed,pin,scale,e\na,5,true,4,.jpg\nb,6,false,2,.webp\n"},
    )
    found = by_id(spec)
    assert (found["p-a"].pin, found["p-b"].pin) == (True, False)
    assert [found[id].steps[0].params.get("seed") for id in ("p-a", "p-b")] == [5, 6]
    assert [found[id].steps[0].params.get("scale") for id in ("u-a", "u-b")] == [4, 2]
    assert [found[id].steps[0].params["output_format"] for id in ("p-a", "p-b")] == ["jpeg", "webp"]


def test_a_matrix_from_vars(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "vars: {ls: [en, de], h: {en: a, de: b}}\nassets:\n  p-${l}: {matrix: {l: '${ls}'}, prompt: '${h[l]}'}\n"
        "  q-${l}: {matrix: {l: '${h}'}, prompt: x}\n",
    )
    assert list(prompts(spec)) == ["p-en", "p-de", "q-en", "q-de"]


def test_variant_is_in_the_step(tmp_path: Path) -> None:
    spec = read(tmp_path, "assets:\n  p-${v}: {matrix: {v: [1, 2, 3]}, prompt: x, variant: '${v}'}\n")
    assert [asset.steps[0].variant for asset in spec.assets] == ["1", "2", "3"]


def test_a_missing_picture_is_no_problem(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "assets:\n  p-${n}: {matrix: {n: [1, 2]}, base: {file: 'photos/${n}.jpg'}, prompt: x}\n",
        files={"photos/1.jpg": b"x"},
    )
    assert spec.pictures == ("photos/1.jpg", "photos/2.jpg")
    assert [asset.steps[0].params["aspect_ratio"] for asset in spec.assets] == ["1:1", "1:1"]


# ---- includes ------------------------------------------------------------------------------------------------------


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


# ---- models, ratios, steps -----------------------------------------------------------------------------------------


def table() -> Table:
    return Table(OTHER)


def picture(width: int, height: int) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, "PNG")
    return out.getvalue()


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


# ---- overrides and profiles ----------------------------------------------------------------------------------------


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


PROFILES = """
profiles:
  draft: {provider: comp}
  proof: {quality: low, output: "proofs/${id}.png"}
  buys: {provider: shop}
  styled: {style: loud, tags: [t], output: "styled/${id}.png"}
defaults: {provider: shop, model: fine-2, quality: high}
styles: {loud: LOUD}
assets:
  a: {prompt: x, quality: auto, params: {moderation: low}}
  b: {base: a, prompt: y, then: [{op: upscale}]}
  s: {set: [l, r], prompt: x, output: "art/s-${member}.png"}
"""


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


def test_another_name_of_the_spec(tmp_path: Path) -> None:
    write(tmp_path, {"print.yaml": "version: 1\nprofiles: {p: {output: 'p/${id}.png'}}\nassets: {a: {prompt: x}}"})
    assert load("print.yaml", DiskReader(str(tmp_path)), builtin()).lock == "print.lock"
    assert load("print.yaml", DiskReader(str(tmp_path)), builtin(), profile="p").lock == "print.p.lock"


def test_store_pin_tags_description(tmp_path: Path) -> None:
    spec = read(tmp_path, "store: ../store\nassets:\n  a: {prompt: x, pin: true, tags: [b, 2, true], description: The first}\n")
    assert spec.store == "../store"
    assert (spec.assets[0].pin, spec.assets[0].tags, spec.assets[0].description) == (True, ("b", "2", "true"), "The first")


# ---- DESIGN --------------------------------------------------------------------------------------------------------

LATER = re.compile(
    r"^budget:.*\n|^    (takes|approve|exports):.*\n(      .*\n)*|^  icons:.*\n|^  panel/.*\n(    .*\n)*", re.MULTILINE
)
MORE = """
  page-07: {prompt: A page.}
  otto: {prompt: A boy.}
"""


@pytest.mark.parametrize("profile", [None, "draft", "proof"])
def test_the_example_of_the_design(profile: str | None, tmp_path: Path) -> None:
    """The whole example, without the fields of later issues, drawn by comp."""
    design = next((p for p in (f / "shared" / "DESIGN.md" for f in Path(__file__).resolve().parents) if p.is_file()), None)
    if design is None:
        pytest.skip("the design isn't beside this checkout")
    example = re.search(r"```yaml\n(.*?)```", design.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    spec = (
        LATER.sub("", example[1])
        .replace("provider: apiframe, model: gpt-image-2", "provider: comp")
        .replace("\noverrides:", MORE + "\noverrides:")
    )
    found = read(
        tmp_path,
        spec,
        profile,
        files={"prompts/poster.md": "A poster.", "data/legal.csv": "country,text\nde,Pfand\n", "brand/logo.png": picture(4, 3)},
    )
    ids = [asset.id for asset in found.assets]
    assert ids == ["poster", "poster-en", "poster-de", "poster-ja", "page-08", "story", "logo-cutout", "page-07", "otto"]
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
