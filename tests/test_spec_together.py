"""A mistake hides no other: whatever is wrong in one file is told in one run, and nothing that only follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.errors import SpecError
from assetbuild.providers.table import builtin
from assetbuild.reader import DiskReader
from assetbuild.spec import load

HEAD = """version: 1
vars: {claim: Langsam gebrüht}
styles: {brand: {text: Flat., references: [{file: brand/board.png, as: board}]}}
assets:
  hero: {prompt: A poster}
"""
# One asset with one mistake each, by the sentence that its author reads.
MISTAKES = {
    "a text can't start with `@`": "  trap:\n    base: hero\n    prompt: @bold\n    tags: [x]\n",
    "the text goes on after its closing quote": '  quote:\n    prompt: "Ein "Zitat" hier"\n    base: hero\n',
    "the text of `prompt` holds a `: `, which starts a new entry": "  colon:\n    prompt: Say: hello\n",
    "`${…}` inside `{…}` must be quoted": "  flow: {base: hero, prompt: x, output: art/${id}-f.png}\n",
    "inside `{…}` a text with `: `, a quote or a bracket must be quoted": "  inner: {prompt: Say: hello, base: hero}\n",
    "`#ff0000` is a comment": "  hex: {prompt: x, tags: [red, #ff0000]}\n",
    "a tab indents this line": "  tab:\n\tprompt: x\n\toutput: art/hero.png\n",
    "this line has no `: `": "  line:\n    prompt: x\n    base hero\n",
    "this line's indentation fits no line above": "  indent:\n    prompt: x\n   base: hero\n",
    "`hero` stands twice in one mapping, first in line 5": "  hero: {prompt: y}\n",
    "`prompt` stands twice in one mapping, first in line N": "  twice:\n    prompt: x\n    prompt: y\n",
    "`16:9` without quotes is a number of minutes to many YAML tools": "  minutes: {prompt: x, aspect_ratio: 16:9}\n",
    "“brand” is in typographic quotes, which would become part of the text": "  curly: {prompt: x, style: “brand”}\n",
    "`off` is text to some YAML tools and false to others": "  switch: {prompt: x, style: off}\n",
    "unknown field `bse` in asset `field`; did you mean `base`?": "  field: {bse: hero, op: upscale}\n",
    "asset `bare` has neither `prompt` nor `base`": "  bare: {tags: [x]}\n",
    "asset `alone` must be a mapping of fields, not a text": "  alone: A poster\n",
    "a table needs a name in the matrix": '  t-${row.sku}: {matrix: {from: t.csv, where: {live: ja}}, prompt: "${row.name}"}\n',
    "axis `l` of asset `m-${l}` is empty": '  m-${l}: {matrix: {l: []}, prompt: "${l}"}\n',
    "the table `none.csv` isn't there": '  n-${s.x}: {matrix: {s: {from: none.csv}}, prompt: "${s.y}"}\n',
    "the id `my poster` holds a space": "  my poster: {prompt: x}\n",
    "no asset is called `heroo`; did you mean `hero`?": "  unknown: {base: heroo, prompt: x}\n",
    "`hero` is one picture, no set": '  member: {base: "hero#a", prompt: x}\n',
    "no style is called `nope`": "  styled: {prompt: x, style: nope}\n",
    "nothing is called `nobody`": '  name: {prompt: "${nobody}"}\n',
    "`image` has no `foo`": "  image:\n    prompt: ${image.foo} on ${image.board}\n    style: brand\n",
    "`comp` has no model `gpt-image`": "  model: {prompt: x, model: gpt-image}\n",
    "no provider is called `cmop`; did you mean `comp`?": "  provider: {prompt: x, provider: cmop}\n",
    "the prompt file `none.md` isn't there": "  file: {prompt: {file: none.md}}\n",
    "30:1 isn't a ratio of `comp-1` on comp": '  ratio: {prompt: x, aspect_ratio: "30:1"}\n',
    "`same-a` and `same-b` are one file, `art/same.png`": "  same-a: {prompt: x, output: art/same.png}\n"
    "  same-b: {prompt: x, output: art/same.png}\n",
    "`egg` → `hen` → `egg` runs in a circle: no picture can be first": "  egg: {base: hen, prompt: x}\n"
    "  hen: {base: egg, prompt: x}\n",
    "`comp-1` on comp makes at most 16 pictures in one call; the set has 40": "  many:\n    set: 40\n    prompt: x\n"
    '    output: "art/many-${member}.png"\n',
    "two members are called `a`": '  set: {set: [a, b, a], prompt: x, output: "art/set-${member}.png"}\n',
    "`takes` in asset `takes` must be at most 10, not `11`": "  takes: {prompt: x, takes: 11}\n",
    "`approve` in asset `approve` must be `required`, not `true`": "  approve: {prompt: x, approve: true}\n",
    "`mask` in asset `mask` must be `{file: …}`, not a text": "  mask: {base: hero, prompt: x, mask: m.png}\n",
    "the picture `https://x/m.png` is an address, not a file": "  mask-url: {base: hero, prompt: x, mask: {file: 'https://x/m.png'}}\n",
    "op `upscale` takes no `set`": "  larger: {base: hero, op: upscale, set: 2}\n",
    "`op` in step 1 of asset `then` must be `edit`, `upscale` or `remove-background`, not `upscal`; did you mean `upscale`?": "  then:"
    " {prompt: x, then: [{op: upscal}]}\n",
    "the output `../out.png` lies outside the project": "  outside: {prompt: x, output: ../out.png}\n",
}
# Assets without a mistake that hang on those with one.
HANGING = """  hang-1: {base: trap, prompt: x}
  hang-2: {base: tab, prompt: x}
  hang-3: {base: m-en, prompt: x}
  hang-4: {base: alone, prompt: x}
  hang-5: {base: my poster, prompt: x}
  hang-6: {base: "set#a", prompt: x}
  hang-7: {base: t-17, prompt: x}
  hang-8: {base: styled, prompt: x}
"""


def told(folder: Path, text: str) -> list[str]:
    (folder / "assets.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load("assets.yaml", DiskReader(str(folder)), builtin())
    return [problem.text for problem in caught.value.problems]


def expected(sentence: str, text: str) -> str:
    """The sentence, with the line that it names."""
    lines = text.split("\n")
    return sentence.replace("line N", f"line {lines.index('  twice:') + 2 if '  twice:' in lines else 0}")


@pytest.mark.parametrize("sentence", MISTAKES)
def test_alone(sentence: str, tmp_path: Path) -> None:
    """One mistake earns one message: nothing that only follows from it is told."""
    text = HEAD + MISTAKES[sentence]
    assert told(tmp_path, text) == [expected(sentence, text)]


def test_all_at_once(tmp_path: Path) -> None:
    """Every mistake of all these assets is told in one run, and those that hang on them aren't blamed."""
    text = HEAD + "".join(MISTAKES.values()) + HANGING
    assert sorted(told(tmp_path, text)) == sorted(expected(sentence, text) for sentence in MISTAKES)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(sorted(MISTAKES)), min_size=2, max_size=6, unique=True))
def test_some_at_once(tmp_path_factory: pytest.TempPathFactory, sentences: list[str]) -> None:
    """In any order."""
    text = HEAD + "".join(MISTAKES[sentence] for sentence in sentences)
    assert sorted(told(tmp_path_factory.mktemp("some"), text)) == sorted(expected(sentence, text) for sentence in sentences)


def test_tabs_throughout(tmp_path: Path) -> None:
    """An editor that indents with tabs: that is told once, and the rest is read."""
    text = "version: 1\nassets:\n\tposter:\n\t\tprompt: x\n\t\tbase: nix\n\tother:\n\t\tprompt: x\n\t\tstyle: nope\n"
    assert told(tmp_path, text) == ["a tab indents this line", "no asset is called `nix`", "no style is called `nope`"]


def test_three_assets_of_one_name(tmp_path: Path) -> None:
    """Each is told of its own mistakes, by the name that its author wrote."""
    more = "  hero: {prompt: x, quality: hgih, provider: nope}\n  hero: {prompt: x, quality: hgih, model: gpt}\n"
    assert told(tmp_path, HEAD + more) == [
        "`hero` stands twice in one mapping, first in line 5",
        "`quality` in asset `hero` must be `low`, `medium`, `high` or `auto`, not `hgih`; did you mean `high`?",
        "no provider is called `nope`",
        "`hero` stands twice in one mapping, first in line 5",
        "`quality` in asset `hero` must be `low`, `medium`, `high` or `auto`, not `hgih`; did you mean `high`?",
        "`comp` has no model `gpt`",
    ]


def test_a_var_that_an_override_has_and_the_asset_has_wrong(tmp_path: Path) -> None:
    """What was wrong in the asset stays unknown under its override."""
    text = HEAD + '  a: {vars: {x: “q”, y: 1}, prompt: "${x} ${y} ${z}"}\noverrides: {a: {vars: {y: 2}}}\n'
    assert told(tmp_path, text) == [
        "“q” is in typographic quotes, which would become part of the text",
        "nothing is called `z`",
    ]


def test_all_names_of_one_text(tmp_path: Path) -> None:
    text = HEAD + '  a: {prompt: "${one} ${claim} ${two} ${} $${three} ${image.four}"}\n'
    assert told(tmp_path, text) == [
        "nothing is called `one`",
        "nothing is called `two`",
        "`${}` lacks a name",
        "`image` has no `four`",
    ]


def test_what_is_common_to_all_assets(tmp_path: Path) -> None:
    """Vars, styles, defaults and profiles with mistakes: these are told, not the assets that use them."""
    text = """version: 1
vars: {a b: x, bad: @x, t: {from: none.csv, kei: x}}
styles: {s: @x, u: {txt: x, references: [{file: b.png, as: board}]}}
defaults: {style: s, provider: “comp”, qualty: high}
profiles: {draft: {provider: @x}}
assets:
  a: {prompt: "${bad} ${t.x} ${nix}"}
  b: {prompt: "${image.board}", style: u, model: gpt}
  c: {prompt: x, style: v}
"""
    assert told(tmp_path, text) == [
        "`a b` can't be a name in `vars`",
        "a text can't start with `@`",
        "unknown field `kei` in var `t`",
        "a text can't start with `@`",
        "unknown field `txt` in style `u`; did you mean `text`?",
        "“comp” is in typographic quotes, which would become part of the text",
        "unknown field `qualty` in `defaults`; did you mean `quality`?",
        "a text can't start with `@`",
        "nothing is called `nix`",
        "no style is called `v`",
    ]


@pytest.mark.parametrize("cell", ['Salt, "fine"', "a: b #c", "${x} $${y}", "it's {x} @y", '"'])
def test_the_text_of_a_cell_is_inert(cell: str, tmp_path: Path) -> None:
    """Commas, quotes and signs of YAML in a cell are the user's text, also within quotes of the prompt."""
    quoted = '"' + cell.replace('"', '""') + '"'
    (tmp_path / "t.csv").write_text(f"sku,name\n7,{quoted}\n", encoding="utf-8")
    (tmp_path / "assets.yaml").write_text(
        'version: 1\nassets:\n  a-${r.sku}:\n    matrix: {r: {from: t.csv}}\n    prompt: |\n      Says "${r.name}".\n',
        encoding="utf-8",
    )
    spec = load("assets.yaml", DiskReader(str(tmp_path)), builtin())
    assert [asset.steps[0].prompt for asset in spec.assets] == [f'Says "{cell}".']
