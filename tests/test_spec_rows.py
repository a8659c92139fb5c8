"""Rows of a spec: axes that multiply, tables of every kind, and cells that hold nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reading import by_id, prompts, read, told, write


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
