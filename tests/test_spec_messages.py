"""Every message that a spec can earn: each stands in tests/golden/spec, beside the spec that earns it.

ASSETBUILD_UPDATE_GOLDEN=1 rewrites the texts; read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assetbuild.errors import SpecError
from assetbuild.providers.table import builtin
from assetbuild.reader import DiskReader
from assetbuild.spec import load

GOLDEN = Path(__file__).parent / "golden" / "spec"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


def message(folder: Path, profile: str | None = None) -> str:
    with pytest.raises(SpecError) as caught:
        load("assets.yaml", DiskReader(str(folder)), builtin(), profile=profile)
    assert caught.value.exit_code == 2
    return caught.value.render() + "\n"


def agree(name: str, text: str) -> None:
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8", newline="\n")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_one_file(name: str, tmp_path: Path) -> None:
    """A spec with mistakes in one file, and all that its author is told."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "assets.yaml").write_bytes((GOLDEN / f"{name}.yaml").read_bytes())
    agree(name, message(tmp_path))


ONE = "version: 1\nassets:\n  poster: {prompt: A poster}\n"
FILES: dict[str, dict[str, str | bytes]] = {
    "file-utf16": {"assets.yaml": ONE.encode("utf-16")},
    "file-utf16-without-bom": {"assets.yaml": ONE.encode("utf-16-le")},
    "file-utf32": {"assets.yaml": ONE.encode("utf-32")},
    "file-latin1": {"assets.yaml": "version: 1\nassets:\n  plakat: {prompt: Café für zwei}\n".encode("latin-1")},
    "file-nul": {"assets.yaml": ONE.replace("A p", "A\0p")},
    "file-none": {},
    "include-files": {
        "assets.yaml": "version: 1\n"
        "include: [none.yaml, packaging/*.yaml, packaging, ../../out.yaml, '../../*.yaml', bad.yaml, list.yaml, w.yaml]\n"
        "assets:\n  poster: {prompt: A poster}\n  a: {base: box, prompt: x}\n",
        "packaging/readme.txt": "",
        "bad.yaml": "assets:\n  box: {prompt: @home}\n  bag: {prompt: fine, tags: {}}\n",
        "list.yaml": "- a\n",
        "w.yaml": ONE.encode("utf-16"),
    },
    "include-circle": {
        "assets.yaml": "version: 1\ninclude: [a.yaml]\nassets: {p: {prompt: x}}\n",
        "a.yaml": "include: [sub/b.yaml]\nassets: {q: {prompt: x}}\n",
        "sub/b.yaml": "include: [../a.yaml]\nassets: {r: {prompt: x}}\n",
    },
    "include-twice-one-id": {
        "assets.yaml": "version: 1\ninclude: ['p/*.yaml']\nassets: {box: {prompt: x}}\noverrides: {box: {quality: low}}\n",
        "p/a.yaml": "assets:\n  box: {prompt: x}\noverrides: {box: {quality: high}}\n",
        "p/b.yaml": "profiles: {a: {quality: low}}\n",
    },
    "include-place": {
        "assets.yaml": "version: 1\ninclude: [p/a.yaml]\ndefaults: {quality: auto}\n",
        "p/a.yaml": "defaults: {aspect_ratio: '30:1'}\nassets:\n  box: {prompt: {file: box.md}, quality: low}\n"
        "  bag: {prompt: '${nme}'}\n",
    },
    "include-deep": {
        "assets.yaml": "version: 1\ninclude: [i0.yaml]\nassets: {p: {prompt: x}}\n",
        **{f"i{n}.yaml": f"include: [i{n + 1}.yaml]\n" for n in range(60)},
    },
    "prompt-files": {
        "assets.yaml": "version: 1\nassets:\n  a: {prompt: {file: empty.md}}\n  b: {prompt: {file: name.md}}\n"
        "  c: {prompt: {file: wide.md}}\n"
        "  d: {prompt: {file: wide.md}}\n  e: {prompt: {file: folder}}\n  f: {prompt: {file: '${x}.md'}}\n"
        "  g: {prompt: {file: open.md}}\n",
        "empty.md": " \n",
        "name.md": "A poster\nfor ${idd}.\n",
        "wide.md": "A poster".encode("utf-16"),
        "open.md": "A poster ${\n",
        "folder/x": "",
    },
    "tables": {
        "assets.yaml": "version: 1\nvars:\n"
        + "".join(
            f"  {name}: {{from: {path}{more}}}\n"
            for name, path, more in (
                ("twice", "twice.csv", ""),
                ("unnamed", "unnamed.csv", ""),
                ("long", "long.csv", ""),
                ("blank", "blank.csv", ""),
                ("open", "open.csv", ""),
                ("json", "bad.json", ""),
                ("nan", "nan.json", ""),
                ("deep", "deep.json", ""),
                ("yaml", "bad.yaml", ""),
                ("front", "front.md", ""),
                ("list", "list.md", ""),
                ("picture", "logo.png", ""),
                ("none", "none.csv", ", key: a"),
                ("nokey", "good.csv", ", key: skuu"),
                ("samekey", "good.csv", ", key: live"),
                ("emptykey", "good.csv", ", key: note"),
                ("where", "good.csv", ", where: {liev: y}"),
                ("texts", "one.json", ", key: a"),
                ("mapping", "map.json", ", key: a"),
                ("pattern", '"*.csv"', ", key: sku"),
                ("nothing", '"posts/*.md"', ", key: sku"),
                ("outside", "../../x.csv", ""),
                ("outside2", '"../../*.md"', ""),
            )
        )
        + "assets:\n  a-${s.sku}:\n    matrix: {s: {from: none.csv}}\n    prompt: x\n  b: {prompt: '${none.x.y}'}\n"
        "  c-${m}: {matrix: {m: {from: map.json}}, prompt: x}\n",
        "twice.csv": "sku;name;sku\n1;2;3\n",
        "unnamed.csv": "sku,,name\n",
        "long.csv": "sku,name\n1,Fika, dark\n",
        "blank.csv": "\n",
        "open.csv": 'sku,name\n1,"' + "x" * 140_000 + "\n",
        "bad.json": '[{"a": 1},\n {"a" 2}]\n',
        "nan.json": "[NaN]",
        "deep.json": "[" * 100_000,
        "bad.yaml": "- a: 1\n  a: 2\n- no: @x\n",
        "front.md": "---\ntitle: x\n",
        "list.md": "---\n- a\n---\n",
        "logo.png": b"\x89PNG",
        "good.csv": "sku,live,note\nA,y,\nB,y,x\n",
        "one.json": '["a"]',
        "map.json": '{"a": 1}',
    },
    "output-is-an-input": {
        "assets.yaml": "version: 1\nassets:\n  a: {prompt: x, output: assets.png}\n  b: {prompt: {file: prompts/b.PNG}}\n"
        "  c: {prompt: x, output: prompts/B.png}\n",
        "prompts/b.PNG": "text",
    },
    "picture-outside": {
        "assets.yaml": "version: 1\nassets:\n  a: {base: {file: ../../x.png}, prompt: x}\n"
        "  b: {prompt: x, references: [{file: /etc/x.png}]}\n"
    },
    "overrides-two-files": {
        "assets.yaml": "version: 1\ninclude: [a.yaml]\nassets: {a: {prompt: x}}\noverrides: {a: {quality: high}}\n",
        "a.yaml": "overrides: {a: {quality: low}}\n",
    },
    "table-latin1": {
        "assets.yaml": "version: 1\nassets:\n  lampe-${l.sku}:\n    matrix: {l: {from: lampen.csv}}\n    prompt: ${l.name}\n"
        "    style: nope\n  wide-${l.sku}: {matrix: {l: {from: wide.csv}}, prompt: x}\n  a: {base: lampe-7, prompt: x}\n",
        "lampen.csv": "sku;name\n7;Stehlampe für zwei\n".encode("latin-1"),
        "wide.csv": "sku;name\n7;Stehlampe\n".encode("utf-16"),
    },
    "include-broken": {
        "assets.yaml": "version: 1\ninclude: [a.yaml, b.yaml]\nassets:\n  x: {base: maybe-in-a, prompt: x, style: nope}\n"
        "overrides: {maybe-in-a: {quality: low}}\n",
        "a.yaml": 'assets:\n  a: {prompt: "never closed\n',
        "b.yaml": "styles: {own: {txt: x}}\nassets:\n  b: {prompt: @x, style: own, base: x, quality: hgih}\n",
    },
    "csv-cells": {
        "assets.yaml": "version: 1\nvars: {short: {from: short.csv}, spared: {from: short.csv, defaults: {artist: Klee}}}\nassets:\n"
        '  sign-${w.nr}:\n    matrix: {w: {from: data/works.csv}}\n    prompt: A sign "${w.title}" by ${w.artist} in ${w.city}.\n'
        "  long-${w.nr}: {matrix: {w: {from: long.csv}}, prompt: x}\n"
        "  tabs-${w.nr}: {matrix: {w: {from: tabs.tsv, defaults: {title: x}}}, prompt: x}\n",
        "data/works.csv": "sep=;\r\nnr;title;artist;city\r\n1;Moon;Klee;Bern\r\n\r\n2;short\r\n;;;\r\n3;Cloud;Arp\r\n",
        "short.csv": "nr,title,artist,city\n1,Moon,,\n2,Sun,Klee\n",
        "long.csv": "nr;title\n1;a;b\n2;Moon;\n3;a;b;c\n",
        "tabs.tsv": "nr\ttitle\tcity\tartist\tstyle\tmood\n1\n",
    },
    "csv-quotes": {
        "assets.yaml": "version: 1\nvars:\n"
        + "".join(f"  {name}: {{from: {name}.csv}}\n" for name in ("open", "inner", "later", "takes", "header", "long", "pipe")),
        "open.csv": 'nr;title;city\n1;"Moon";Bern\n2;"short;Bern\n3;Cloud;Bern\n',
        "inner.csv": 'nr;title;city\n1;"Under the "moon" again";Bern\n2;"Sun;Bern\n',
        "later.csv": 'nr;title;city\n1;"Moon;Bern\n2;"Cloud";Bern\n',
        "takes.csv": 'nr;title;city\n1;"Moon;Bern\n2";Cloud;Bern;x\n3;"Sun;\nBern"\n',
        "header.csv": 'nr;"title\n1;Moon\n',
        "long.csv": "nr;title\n1;" + '"a" b' * 30 + "\n",
        "pipe.csv": "nr|title\n1|Moon\n",
    },
    "table-empty-cells": {
        "assets.yaml": "version: 1\nvars: {legal: {from: legal.csv, key: country}}\n"
        "styles: {mood: {text: 'In a ${w.mood} mood'}}\nassets:\n"
        "  sign-${w.nr}:\n    matrix: {w: {from: data/works.csv, defaults: {city: nowhere}}}\n"
        '    prompt: A sign "${w.title}" by ${w.artist} in ${w.city}.\n    style: mood\n    base: ${w.base}\n'
        "    references: [{file: '${w.photo}', as: '${w.photo}'}, '${w.base}']\n    output: art/${w.out}.png\n"
        "    then: ['${w.fix}', {prompt: '${w.fix}', aspect_ratio: '3:2-${w.mood}'}]\n"
        "  law-${m}: {matrix: {m: [de, fr]}, vars: {line: '${legal[m].text}'}, prompt: 'See ${line}'}\n"
        "  name-${w.title}: {matrix: {w: {from: data/works.csv}}, prompt: x}\n"
        "  axis-${l}: {matrix: {l: ['${legal.fr.text}', x]}, prompt: x}\n",
        "data/works.csv": "nr;title;artist;city;mood;base;photo;out;fix\n1;Moon;Klee;;calm;hero;a.png;1;x\n2;Sun;;;;;;;\n"
        "3;Cloud; ;Bern;calm;hero;a.png;3;x\n4;;;Bern;calm;hero;a.png;4;x\n",
        "legal.csv": "country,text\nde,Pfand\nfr,\n",
    },
    "table-rows-named": {
        "assets.yaml": "version: 1\nassets:\n"
        "  json-${p.sku}:\n    matrix: {p: {from: p.json}}\n    aspect_ratio: ${p.ratio}\n    prompt: ${p.name}, ${p.mood}\n"
        "  yaml-${p.sku}: {matrix: {p: {from: p.yaml}}, base: '${p.base}', prompt: '${p.name}'}\n"
        "  post-${p.slug}: {matrix: {p: {from: 'posts/*.md'}}, prompt: 'A card ${p.title}'}\n"
        "  one-${p.sku}: {matrix: {p: {from: p.json}}, prompt: x, style: '${p.style}', quality: hgih}\n"
        "  own-${p.n}: {matrix: {p: [{n: 1, q: low}, {n: 2, q: lwo}]}, prompt: x, quality: '${p.q}'}\n"
        "  same-${p.sku}: {matrix: {p: {from: p.yaml}, q: {from: p.json}}, prompt: x, output: 'art/same-${q.sku}.png'}\n"
        "  pair-${p.sku}-${q.sku}: {matrix: {p: {from: p.yaml}, q: {from: p.json}}, prompt: x, quality: '${q.ratio}'}\n",
        "p.json": '[\n {"sku": "a", "name": "A", "ratio": "1:1", "mood": "calm", "style": "no"},\n'
        ' {"sku": "b", "name": null, "ratio": "16x9", "mood": "calm", "style": "flat"},\n'
        ' {"sku": "c", "name": "C", "ratio": "2:3", "style": "x"},\n\n'
        ' {"sku": "d", "name": "", "ratio": "banner", "mood": "calm", "style": "y"}\n]\n',
        "p.yaml": "- {sku: a, name: A, base: json-a}\n- {sku: b, name: B, base: json-aa}\n- sku: c\n  base: json-a\n",
        "posts/a.md": "---\nslug: a\ntitle: A\n---\n",
        "posts/readme.md": "# What these files are\n",
        "posts/b.md": "---\nslug: b c\ntitle: B\n---\n",
    },
    "table-ids": {
        "assets.yaml": "version: 1\nassets:\n"
        "  number-${p.sku}: {matrix: {p: {from: p.csv}}, prompt: x}\n"
        "  axis: {matrix: {p: {from: p.csv}}, prompt: x}\n"
        "  list-${l}: {matrix: {l: [en, de, en]}, prompt: x}\n"
        "  lists-${l}-${m}: {matrix: {l: [en, en], m: [a, b]}, prompt: x}\n"
        "  two-${p.name}: {matrix: {p: {from: good.csv}, l: [en, de]}, prompt: x}\n"
        "  whole-${p.sku}: {matrix: {p: {from: whole.csv}}, prompt: x}\n"
        "  bad-${p.name}: {matrix: {p: {from: bad.csv}}, prompt: x}\n"
        "  bad-${l}: {matrix: {l: [a b, c]}, prompt: x}\n"
        "  long-${p.text}: {matrix: {p: {from: bad.csv}}, prompt: x}\n"
        "  brace-{l}: {matrix: {l: [a, b]}, prompt: x}\n  dollar-$l: {matrix: {l: [a]}, prompt: x}\n"
        "  space ${l}: {matrix: {l: [a]}, prompt: x}\n  number-a: {prompt: x}\n",
        "p.csv": "sku,name\nA,one\na,two\nB,three\nB,four\nB,five\n",
        "good.csv": "name\none\ntwo\n",
        "whole.csv": "sku,name\nA,one\nA,one\n",
        "bad.csv": f"name,text\none,{'x' * 300}\nMoon & cloud,{'y' * 300}\na*,z\n",
    },
    "table-keys": {
        "assets.yaml": "version: 1\nvars:\n  list: {from: p.csv}\n  none: {from: none.csv}\n  keyed: {from: p.csv, key: sku}\n"
        "assets:\n  a: {prompt: '${list.A.name} ${list.0.name} ${list.7} ${keyed.A.nmae} ${keyed.C} ${keyed}'}\n"
        "  b-${p.SKU}: {matrix: {p: {from: p.csv}}, prompt: x}\n"
        "  c-${p.sku}: {matrix: {p: {from: p.csv, where: {live: yep}}}, prompt: x}\n"
        "  d-${p.sku}: {matrix: {p: {from: p.csv, where: {sku: [A, B], name: [two, one], live: ''}}}, prompt: x}\n"
        "  e-${p.sku}: {matrix: {p: {from: p.csv, where: {sku: A, name: two}}}, prompt: x}\n"
        "  f-${p.sku}: {matrix: {p: {from: header.csv}}, prompt: x}\n",
        "p.csv": "sku,name,live\nA,one,yes\nB,two,no\n",
        "header.csv": "sku,name\n",
        "nine.csv": "sku\n",
    },
    "files-of-no-kind": {
        "assets.yaml": "version: 1\ninclude: [packaging/box.yml, https://x.example/a.yaml]\nassets:\n"
        "  a-${p.sku}: {matrix: {p: {from: data.xlsx}}, prompt: x}\n"
        "  b-${p.sku}: {matrix: {p: {from: 'https://x.example/a.csv'}}, prompt: x}\n"
        "  c: {prompt: {file: prompts/psoter.md}, references: [{file: 'https://x.example/a.png'}, {file: 'brand/*.png'}]}\n"
        "  d: {prompt: x, references: [{file: ~/logo.png}]}\n  e: {prompt: {file: 'prompts/*.md'}}\n",
        "data.xlsx": "x",
        "prompts/poster.md": "A poster",
        "packaging/box.yaml": "project: x\nprofiles: {}\nbudget: {}\nassets: {b: {prompt: x}}\n",
    },
    "styles-named-for-whom": {
        "assets.yaml": "version: 1\ndefaults: {output: 'art/${s.sku}.png'}\n"
        "styles: {brand: {text: 'In the mood of ${s.mood}, like ${image.bord}'}}\n"
        "assets:\n  a: {prompt: x, style: brand}\n  b-${s.sku}: {matrix: {s: {from: s.csv}}, prompt: x, style: brand}\n",
        "s.csv": "sku,mood\n1,calm\n2,\n",
    },
    "table-forms": {
        "assets.yaml": "version: 1\ninclude: [packaging/box.yaml]\nvars: {keyed: {from: rows.json, key: tags}}\nassets:\n"
        "  a-${p.sku}: {matrix: {p: {from: object.json}}, prompt: x}\n"
        "  b-${p.sku}: {matrix: {p: {from: tab.csv}}, prompt: '${p.nmae}'}\n"
        "  c-${p.sku}: {matrix: {p: {from: rows.json}}, prompt: {file: 'prompts/${p.sku}.md'}}\n"
        "  d-${p.sku}: {matrix: {p: {from: rows.json}}, prompt: x, output: 'art/${p.out}.png'}\n"
        "  e-${p.sku}: {matrix: {p: {from: rows.json}}, prompt: x, base: 'a-${p.sku}', set: '${p.tags}'}\n"
        "  f-${p.sku}: {matrix: {p: {from: title.csv}}, prompt: x}\n"
        "  g-${p.stem}: {matrix: {p: {from: 'posts/*.md'}}, prompt: '${p.title}'}\n",
        "object.json": '{"rows": [{"sku": 1}]}',
        "tab.csv": "sku\tname, short\n1\tMoon, new\n",
        "rows.json": '[{"sku": "a", "tags": ["x"], "out": "one"},\n {"sku": "b", "tags": "x, y", "out": "one"},\n'
        ' {"sku": "c", "tags": ["x"], "out": "c d "}]\n',
        "title.csv": "Prices 2027;;\nsku;name;x\n1;A;x\n",
        "prompts/a.md": "For ${p.sku} ${p.who}\n",
        "posts/a.md": "title: A\n---\n",
        "posts/b.md": "+++\ntitle = 'B'\n+++\n",
        "posts/c.md": "---\ntitle: C\n---\n",
        "packaging/box.yaml": "assets:\n  h-${p.sku}: {matrix: {p: {from: packaging/t.csv}}, prompt: {file: packaging/p.md}}\n",
        "packaging/t.csv": "sku\n1\n",
        "packaging/p.md": "x\n",
    },
    "several-files": {
        "assets.yaml": "version: 1\ninclude: [b.yaml, a.yaml]\nassets:\n  z: {promt: x}\n  y: {base: nobody, prompt: x}\n",
        "a.yaml": "assets: {a: {prompt: x, quality: hgih}}\n",
        "b.yaml": "assets:\n  b:\n    prompt: x #fff\n",
    },
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_several_files(name: str, tmp_path: Path) -> None:
    """Mistakes between files, and in files that are no YAML."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    for path, content in FILES[name].items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    agree(name, message(root))


PROFILES = "version: 1\nprofiles:\n  draft: {provider: comp}\n  bad: {provider: cmp}\n  wrong: {model: gpt-9}\n"
PROFILES += "  ratio: {quality: auto}\n"
PROFILES += "assets:\n  a: {prompt: x}\n  b: {base: a, prompt: x, params: {moderation: low}}\n"


@pytest.mark.parametrize("profile", ["daft", "bad", "wrong", "ratio", "draft"])
def test_profiles(profile: str, tmp_path: Path) -> None:
    """A profile that isn't there, one with mistakes of its own, and a mistake that only shows without the profile."""
    (tmp_path / "assets.yaml").write_text(PROFILES)
    agree(f"profile-{profile}", message(tmp_path, profile))


BUYS = "version: 1\ndefaults: {provider: apiframe}\nprofiles:\n  proof: {quality: low}\n  finals: {quality: high, output: 'final/${id}.jpg'}\n"
BUYS += "assets:\n  a: {prompt: x}\n  b: {base: a, op: remove-background, params: {scale: 2}}\n"


@pytest.mark.parametrize("profile", ["proof", "finals"])
def test_profiles_that_buy(profile: str, tmp_path: Path) -> None:
    """One without a place for what it buys, and one whose place asks for what a model can't."""
    (tmp_path / "assets.yaml").write_text(BUYS)
    agree(f"profile-{profile}", message(tmp_path, profile))


def test_large_file(tmp_path: Path) -> None:
    """A file above 64 MiB isn't even read."""
    with (tmp_path / "assets.yaml").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    agree("file-large", message(tmp_path))


def test_more_mistakes_than_anyone_reads(tmp_path: Path) -> None:
    (tmp_path / "assets.yaml").write_text("version: 1\nassets:\n" + "  a: {prompt: x}\n" * 3000)
    with pytest.raises(SpecError) as caught:
        load("assets.yaml", DiskReader(str(tmp_path)), builtin())
    assert len(caught.value.problems) == 1001
    agree("yaml-many", caught.value.problems[-1].render() + "\n")


class Broken(DiskReader):
    """A disk that gives up on some files."""

    def read(self, path: str) -> bytes:
        if path == "denied.md":
            raise PermissionError(13, "Permission denied", path)
        if path == "broken.md":
            raise OSError(5, "Input/output error", path)
        return super().read(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "assets.yaml").write_text(
        "version: 1\nassets:\n  a: {prompt: {file: denied.md}}\n  b: {prompt: {file: broken.md}}\n"
    )
    with pytest.raises(SpecError) as caught:
        load("assets.yaml", Broken(str(tmp_path)), builtin())
    agree("file-unreadable", caught.value.render() + "\n")


def test_every_golden_text_has_its_test() -> None:
    """No text stays behind when its test goes."""
    others = {
        "file-large",
        "file-unreadable",
        "file-links",
        "yaml-many",
        *(f"profile-{name}" for name in ("daft", "bad", "wrong", "ratio", "draft", "proof", "finals")),
    }
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*NAMES, *FILES, *others}


def test_links_that_lead_outside(tmp_path: Path) -> None:
    """A link in the project to a prompt, a picture and a spec beside it."""
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    for name in ("p.md", "b.png", "i.yaml"):
        (outside / name).write_text("version: 1\n")
        (root / name).symlink_to(outside / name)
    (root / "assets.yaml").write_text(
        "version: 1\ninclude: [i.yaml]\nassets:\n  a: {prompt: {file: p.md}}\n  b: {base: {file: b.png}, prompt: x}\n"
    )
    agree("file-links", message(root))
