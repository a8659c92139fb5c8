"""`show`, `list`, `graph`: what there is, found by id or by bytes."""

from __future__ import annotations

import json

from assetbuild.testing.space import TestSpace

from .saying import Story

SPEC = """\
version: 1
project: fika
defaults: {provider: comp, style: brand}
styles:
  brand:
    text: |
      Flat shapes.
    references: [{file: brand/board.png, as: board, hint: take the colours from it}]
assets:
  poster:
    tags: [launch, print]
    description: the poster of the spring campaign
    prompt: |
      A poster, "Fika".
  poster-${l}:
    matrix: {l: [de, ja]}
    base: poster
    references: [{asset: mark, as: mark}]
    tags: [launch]
    prompt: |
      Set the headline to "${l}". ${image.mark} is the logo.
    then:
      - Make the sun bigger.
      - {op: upscale}
  mark:
    prompt: |
      A logo with "quotes" & <angles>.
  story:
    set: [bean, cup]
    output: "art/story-${member}.png"
    prompt: |
      Two panels.
"""


def fika(space: TestSpace) -> None:
    from .test_cli_use import picture

    space.write("assets.yaml", SPEC)
    space.write("brand/board.png", picture())
    space.build()


def test_one_asset(space: TestSpace) -> None:
    story = Story(space, "show-asset")
    space.write("assets.yaml", SPEC)
    story.run("show", "poster")
    story.run("show", "poster-de")
    fika(space)
    story.run("show", "poster")
    story.run("show", "poster-de")
    story.run("show", "art/poster.png")
    story.run("show", "story#cup")
    story.run("show", "pster", code=2)
    story.run("show", "poster-*", code=2)
    story.check()


def test_a_file_is_found_by_its_bytes(space: TestSpace) -> None:
    story = Story(space, "show-file")
    fika(space)
    outside = space.folder / "downloads"
    outside.mkdir()
    (outside / "whatever.png").write_bytes(space.read("art/story-cup.png"))
    story.run("show", str(outside / "whatever.png"))
    story.run("show", "brand/board.png")
    space.write("copy.png", space.read("art/poster.png"))
    old = space.read("art/poster.png")
    space.write("assets.yaml", SPEC.replace('"Fika"', '"Fika!"'))
    space.build()
    story.note("the poster has another prompt, and another picture")
    story.run("show", "copy.png")
    space.write("art/poster.png", old + b"edited")
    story.run("show", "poster", told=False)
    story.run("show", "brand/../art/poster.png")
    space.write("other.png", b"something")
    story.run("show", "other.png", code=1)
    story.run("show", "nothing.png", code=2)
    story.note("a step between: the picture that was made larger")
    digest = space.lock()["poster-de"]["steps"][0]["digests"][0]
    step = next((space.root / ".assetbuild/store/cas").glob(f"{digest[:2]}/{digest[2:]}"))
    space.write("between.png", step.read_bytes())
    story.run("show", "between.png")
    story.check()


def test_a_clone_without_a_store_still_knows(space: TestSpace) -> None:
    fika(space)
    space.git("init", "-q")
    space.git("add", ".")
    space.git("commit", "-qm", "one")
    other = space.clone("clone")
    ran = other.run("show", "art/poster.png", "--json")
    assert ran.code == 0, ran.text
    assert ran.json["asset"]["id"] == "poster"
    assert ran.json["asset"]["made"]["by"] == "comp/comp-1"
    (other.root / "x.png").write_bytes(other.read("art/poster.png"))
    ran = other.run("show", "x.png", "--json")
    assert ran.json["file"]["pictures"][0]["id"] == "poster"
    assert not (other.root / ".assetbuild/store").exists()


def test_list(space: TestSpace) -> None:
    story = Story(space, "list")
    fika(space)
    space.write("assets.yaml", SPEC.replace('"Fika"', '"Fika!"'))
    (space.root / "art/story-cup.png").write_bytes(b"mine")
    story.run("list")
    story.run("list", "tag:launch", "--exclude", "poster-ja")
    story.run("list", "+poster-de", "--ids")
    story.run("list", "l=ja")
    story.run("list", "nothing", code=2)
    assert space.run("list", "-0", "poster*").out == "poster\0poster-de\0poster-ja\0"
    assert space.run("list", "poster", "--json").json["assets"][0]["tags"] == ["launch", "print"]
    story.check()


def test_graph(space: TestSpace) -> None:
    story = Story(space, "graph")
    fika(space)
    story.run("graph")
    story.run("graph", "poster-de")
    story.check()


def test_graph_labels_are_inert(space: TestSpace) -> None:
    space.write(
        "assets.yaml",
        'version: 1\nassets:\n  a:\n    base: {file: "b/\\"x`<y>#.png"}\n'
        "    references: [{file: z.png, as: end, hint: h}]\n    prompt: |\n      Go.\n",
    )
    out = space.run("graph").out
    assert '(["b/#34;x#96;#60;y#62;#35;.png"])' in out
    assert '-.->|"end"|' in out


def test_show_before_the_first_build_asks_nothing_of_the_disk(space: TestSpace) -> None:
    space.write("assets.yaml", SPEC)
    before = sorted(p.name for p in space.root.rglob("*"))
    assert space.run("show", "poster").code == 0
    assert space.run("list").code == 0
    assert sorted(p.name for p in space.root.rglob("*")) == before


def test_json_is_one_document(space: TestSpace) -> None:
    fika(space)
    ran = space.run("show", "poster-de", "--json")
    asset = json.loads(ran.out)["asset"]
    assert [s["op"] for s in asset["steps"]] == ["edit", "edit", "upscale"]
    assert [i["label"] for i in asset["steps"][0]["inputs"]] == ["poster", "mark"]
    assert asset["steps"][1]["inputs"][0]["kind"] == "step"
    assert asset["used_by"] == []
    assert ran.err == ""
