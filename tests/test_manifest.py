"""The file for code: the same bytes for the same pictures, read by browsers, compilers and ourselves."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.manifesting import ENDINGS, Entry, Exported, File, Picture, known, media, rendered
from assetbuild.pictures.likeness import Traits
from assetbuild.verbs.starting import schemas

LOOK = Traits(1024, 1536, "#ef8354", "1QcSHQRnh493V4dIh4eXh1h4kJUI")
ODD = 'a "q" \\ \u2028 \u202e \ufeff `${x}` </script> 😀 שלום 中 é\ud800 "__proto__": ["__proto__"]:'
GOLDEN = Path(__file__).parent / "golden" / "manifest"


def file(path: str, width: int | None = 640, height: int | None = 960, digest: str = "ab") -> File:
    return File(path, width, height, 1234, (digest * 32)[:64], media(path))


def web(name: str, group: str = "web", **traits: Any) -> tuple[Exported, ...]:
    return tuple(
        Exported(f"{group}-{scale}x-{kind}", file(f"web/{name}-{scale}x.{kind}", 640 * scale, 960 * scale), group, **traits)
        for scale in (2, 1)
        for kind in ("jpg", "webp", "avif")
    )


def fika() -> list[Entry]:
    """Assets in the order of a spec."""
    poster = Picture(
        file("art/poster.png", 1024, 1536, "01"),
        LOOK,
        (
            *web("poster"),
            Exported("print", file("print/poster.pdf", None, None)),
            Exported("hero", file("web/hero.webp", 1600, 900)),
        ),
    )
    return [
        Entry("story", {"bean": Picture(file("art/story-bean.png"), LOOK), "10": Picture(file("art/story-10.png"))}),
        Entry("poster", {"": poster}, ("launch", "print"), {"locale": "de"}, "the poster"),
        Entry("mark", {"": Picture(file("art/mark.svg", None, None))}),
    ]


def odd() -> list[Entry]:
    return [
        Entry("__proto__", {"": Picture(file('art/it\'s 100% "a", b?.png'), LOOK, web("ünï, 1"))}, description=ODD),
        Entry("größe/@1-x", {"__proto__": Picture(file("art/ö.png"), LOOK), "constructor": Picture(file("art/c.png"))}),
        Entry("1", {"": Picture(file("art/1.png"), LOOK)}, (ODD,), {"__proto__": ODD}),
    ]


def read(entries: list[Entry], path: str = "assets.json", base: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rendered(entries, path, base))["assets"]
    return found


@pytest.mark.parametrize("ending", ["json", "ts", "mjs"])
def test_the_whole_file(ending: str) -> None:
    import os

    golden, text = GOLDEN / f"assets.{ending}.txt", rendered(fika(), f"src/assets.{ending}")
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(text)
    assert text == golden.read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_order_of_the_spec_changes_nothing(ending: str) -> None:
    path = f"a.{ending}"
    assert rendered(fika(), path) == rendered(fika()[::-1], path) == rendered(iter(fika()), path)
    text = rendered(fika(), path)
    assert text.endswith(b"\n")
    assert b"\r" not in text
    assert not any(line != line.rstrip() for line in text.decode().split("\n"))


def test_members_keep_their_order_and_ids_are_sorted() -> None:
    found = read(fika())
    assert list(found) == ["mark", "poster", "story"]
    assert list(found["story"]["members"]) == ["bean", "10"]


def test_a_new_asset_is_one_hunk() -> None:
    before = rendered(fika(), "a.json").decode().splitlines()
    after = rendered([*fika(), Entry("panel", {"": Picture(file("art/panel.png"))})], "a.json").decode().splitlines()
    same = next(n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    added = len(after) - len(before)
    assert before[:same] + after[same : same + added] + before[same:] == after


def test_a_picture_element_can_be_written_from_it() -> None:
    found = read(fika(), "assets.json", "/img/")["poster"]["srcset"]["web"]
    assert list(found["sources"]) == ["image/avif", "image/webp", "image/jpeg"]
    assert found["sources"]["image/webp"] == "/img/web/poster-1x.webp 640w, /img/web/poster-2x.webp 1280w"
    assert (found["src"], found["width"], found["height"]) == ("/img/web/poster-1x.jpg", 640, 960)
    assert found["thumbhash"] == LOOK.thumbhash


def test_the_plain_picture_is_the_middle_one() -> None:
    def src(*widths: int) -> str:
        exports = tuple(Exported(f"w{w}", file(f"w{w}.png", w, w), "w") for w in widths)
        return str(read([Entry("a", {"": Picture(file("a.png"), None, exports)})])["a"]["srcset"]["w"]["src"])

    assert src(640, 1280) == "w640.png"
    assert src(2560, 320, 1280, 640) == "w640.png"
    assert src(400, 1200, 800) == "w800.png"
    assert src(7) == "w7.png"


def test_what_no_browser_shows_is_in_no_srcset() -> None:
    exports = (Exported("a", file("a.pdf", 9, 9), "print"), Exported("b", file("b.tiff", 9, 9), "print"))
    found = read([Entry("a", {"": Picture(file("a.png"), None, exports)})])["a"]
    assert found["srcset"] == {}
    assert list(found["exports"]) == ["a", "b"]


def test_two_files_of_one_width_are_one_candidate() -> None:
    exports = (Exported("b", file("b.webp", 9, 9), "g"), Exported("a", file("a.webp", 9, 9), "g"))
    found = read([Entry("a", {"": Picture(file("a.png"), None, exports)})])["a"]["srcset"]["g"]["sources"]
    assert found == {"image/webp": "a.webp 9w"}


def test_urls_are_escaped_and_paths_are_not() -> None:
    found = read(odd())["__proto__"]
    assert found["path"] == 'art/it\'s 100% "a", b?.png'
    assert found["srcset"]["web"]["sources"]["image/avif"] == (
        "web/%C3%BCn%C3%AF%2C%201-1x.avif 640w, web/%C3%BCn%C3%AF%2C%201-2x.avif 1280w"
    )


@pytest.mark.parametrize(
    ("manifest", "path", "seen"),
    [
        ("assets.json", "art/a.png", "art/a.png"),
        ("src/assets.json", "art/a.png", "../art/a.png"),
        ("src/gen/assets.json", "src/art/a.png", "../art/a.png"),
        ("art/assets.json", "art/a.png", "a.png"),
        ("a/b/c.json", "d.png", "../../d.png"),
        ("art/a.png/x.json", "art/a.png", "../a.png"),
    ],
)
def test_paths_are_seen_from_the_manifests_folder(manifest: str, path: str, seen: str) -> None:
    assert read([Entry("a", {"": Picture(file(path))})], manifest)["a"]["path"] == seen


def test_an_export_of_another_ratio_has_no_borrowed_placeholder() -> None:
    exports = read(fika())["poster"]["exports"]
    assert exports["web-1x-avif"]["thumbhash"] == LOOK.thumbhash
    assert exports["hero"]["thumbhash"] is None
    assert exports["print"]["color"] is None
    own = Traits(1600, 900, "#2b2d42", "3OcRJYB4d3h/iIeHeEh3eIhw+j2w")
    hero = Exported("hero", file("web/hero.webp", 1600, 900), traits=own)
    found = read([Entry("a", {"": Picture(file("a.png"), LOOK, (hero,))})])["a"]["exports"]["hero"]
    assert (found["color"], found["thumbhash"]) == ("#2b2d42", own.thumbhash)


@pytest.mark.parametrize("entries", [[], fika(), odd()], ids=["none", "fika", "odd"])
def test_it_has_the_shape_of_its_schema(entries: list[Entry]) -> None:
    schema = json.loads(schemas()["manifest"].read_text("utf-8"))
    check = jsonschema.Draft202012Validator(schema)
    check.validate(json.loads(rendered(entries, "assets.json")))
    whole = json.loads(rendered(fika(), "assets.json"))
    del whole["assets"]["poster"]["digest"]
    with pytest.raises(jsonschema.ValidationError):
        check.validate(whole)


def test_nothing_invisible_stands_in_the_file() -> None:
    for ending in ENDINGS:
        text = rendered(odd(), f"a.{ending}").decode()
        assert not set("\u2028\u202e\ufeff\ud800") & set(text)
        assert "😀 שלום 中 é" in text
    found = read(odd())
    assert found["__proto__"]["description"] == found["1"]["tags"][0] == found["1"]["axes"]["__proto__"] == ODD


def test_another_ending_is_an_error() -> None:
    for path in ("assets.yaml", "assets", "a.json/b"):
        with pytest.raises(ValueError, match="json, ts"):
            rendered([], path)
    assert media("A.JPG") == "image/jpeg"
    assert media("a") == "application/octet-stream"


# ── read again ──


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_manifest_remembers_how_pictures_look(ending: str) -> None:
    path = f"assets.{ending}"
    text = rendered([*fika(), *odd()], path)
    found = known(text, path)
    assert found["01" * 32] == LOOK
    assert found == known(text.replace(b"\n", b"\r\n"), path)
    again = [
        e._replace(pictures={m: p._replace(traits=found.get(p.file.digest)) for m, p in e.pictures.items()})
        for e in [Entry("poster", {"": fika()[1].pictures[""]._replace(traits=None)}, *fika()[1][2:])]
    ]
    assert rendered(again, path) == rendered([fika()[1]], path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_isnt_ours_is_nothing(ending: str) -> None:
    path = f"assets.{ending}"
    text = rendered(fika(), path)
    for other in (
        b"",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"null",
        text[: len(text) // 2],
        text.replace(b'"version": 1', b'"version": 2').replace(b"manifest version 1", b"manifest version 2"),
        b"<<<<<<< HEAD\n" + text,
        text.replace(b"sha256-", b"sha1-"),
        text.replace(LOOK.thumbhash.encode(), b"<script>"),
        text.replace(b"#ef8354", b"red"),
        b"[" * 100_000,
        b'{"version": 1, "assets": ' + b"[" * 100_000,
        b'{"version": 1, "assets": [{"a": 1}]}',
    ):
        assert known(other, path) == {}
    assert known(text, "assets.yaml") == {}


def test_what_is_odd_in_one_place_is_left_out() -> None:
    whole = json.loads(rendered(fika(), "assets.json"))
    whole["assets"]["story"]["members"] = 3
    whole["assets"]["mark"] = None
    whole["assets"]["poster"]["exports"]["web-1x-avif"]["width"] = True
    assert "01" * 32 in known(json.dumps(whole).encode(), "assets.json")


@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)), st.text())
def test_reading_never_raises(value: object, text: str) -> None:
    assert known(json.dumps({"version": 1, "assets": value}).encode(), "a.json") == {}
    assert known(text.encode("utf-8", "replace"), "a.ts") == {}


@given(st.text(), st.text(min_size=1), st.sampled_from(ENDINGS))
def test_any_text_comes_back(text: str, name: str, ending: str) -> None:
    entry = Entry(name, {"": Picture(file("a.png"), LOOK)}, (text,), {name: text}, text)
    whole = rendered([entry], f"a.{ending}")
    assert known(whole, f"a.{ending}") == {file("a.png").digest: LOOK._replace(width=640, height=960)}
    if ending == "json":
        assert json.loads(whole)["assets"][name]["axes"] == {name: text}


# ── other people's programs ──


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_a_module_is_what_the_json_is(tmp_path: Path) -> None:
    for ending in ("json", "mjs"):
        (tmp_path / f"assets.{ending}").write_bytes(rendered([*fika(), *odd()], f"assets.{ending}"))
    (tmp_path / "same.mjs").write_text(
        "import assert from 'node:assert'; import fs from 'node:fs'; import some, { assets } from './assets.mjs'\n"
        "assert.deepStrictEqual(assets, JSON.parse(fs.readFileSync('assets.json', 'utf8')).assets); assert.equal(some, assets)\n"
        "assert.equal(Object.getPrototypeOf(assets), Object.prototype)\n"
    )
    done = subprocess.run(["node", "same.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


USE = """\
import assets, { type Asset, type AssetId, type AssetPicture, type PictureId, type SetId } from "./assets.js";

const id: AssetId = "poster";
const set: SetId = "story";
const width: 1024 = assets.poster.width;
const bean: string = assets.story.members.bean.path;
const avif: string = assets.poster.srcset.web.sources["image/avif"];
// @ts-expect-error not an id
const wrong: AssetId = "postr";
// @ts-expect-error a set isn't one picture
const several: PictureId = "story";
// @ts-expect-error no such export
assets.poster.exports.nothing;
// @ts-expect-error read-only
assets.poster.width = 3;
export function shown(name: PictureId): string {
  const one: AssetPicture = assets[name];
  const web = one.srcset["web"];
  return Object.entries(web?.sources ?? {}).map(([type, srcset]) => `${type} ${srcset}`).join() + (web?.src ?? one.path);
}
export function first(name: AssetId): AssetPicture | undefined {
  const asset: Asset = assets[name];
  return asset.members ? Object.values(asset.members)[0] : asset;
}
export { id, set, width, bean, avif, wrong, several };
"""


@pytest.mark.skipif(shutil.which("tsc") is None, reason="no TypeScript here")
@pytest.mark.parametrize("entries", [fika(), [*fika(), *odd()]], ids=["fika", "odd"])
def test_the_types_compile_and_know_the_ids(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "assets.ts").write_bytes(rendered(entries, "assets.ts"))
    (tmp_path / "use.ts").write_text(USE)
    strict = "--strict --noEmit --exactOptionalPropertyTypes --noUncheckedIndexedAccess --noPropertyAccessFromIndexSignature"
    strict += " --verbatimModuleSyntax --isolatedModules --erasableSyntaxOnly --noUnusedLocals --module esnext --target es2022"
    done = subprocess.run(
        ["tsc", *strict.split(), "--moduleResolution", "bundler", "use.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
