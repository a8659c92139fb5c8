"""What ships beside the pictures: the manifest for code, and what files say of where they come from, through the whole command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild.pictures.reading import origins
from assetbuild.pictures.signing import can_sign
from assetbuild.testing.space import TestSpace

SPEC = """\
version: 1
defaults: {provider: comp, quality: low}
manifest: {path: web/assets.json}
assets:
  poster:
    description: The master
    tags: [launch]
    prompt: |
      A poster.
    exports:
      web: {preset: web, path: "web/${id}-${export}", width: 80}
      print: {path: "print/${id}.pdf", size: A6}
  photo:
    base: {file: photo.jpg}
    trim: 5%
    exports: {small: {path: "web/photo.webp", width: 10}}
"""


@pytest.fixture
def built(space: TestSpace) -> TestSpace:
    picture = Image.new("RGB", (40, 40), "#ffffff")
    picture.paste((200, 30, 30), (10, 10, 30, 30))
    exif = Image.Exif()
    exif[0x8298] = "Ada Lovelace"
    picture.save(space.root / "photo.jpg", exif=exif, quality=95)
    space.write("assets.yaml", SPEC)
    space.build()
    return space


def manifest(space: TestSpace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(space.read("web/assets.json"))
    return found["assets"]


# ---- the manifest -----------------------------------------------------------------------------------------------------------


def test_what_it_says(built: TestSpace) -> None:
    poster = manifest(built)["poster"]
    assert poster["path"] == "../art/poster.png"
    assert poster["tags"] == ["launch"]
    assert poster["description"] == "The master"
    web = poster["exports"]["web-2x.webp"]
    assert (web["path"], web["width"], web["bytes"]) == ("poster-web-2x.webp", 160, len(built.read("web/poster-web-2x.webp")))
    sources = poster["srcset"]["web"]["sources"]
    assert list(sources) == ["image/avif", "image/webp", "image/jpeg"]
    assert sources["image/webp"] == "poster-web-1x.webp 80w, poster-web-2x.webp 160w"
    assert poster["exports"]["print"]["width"] is None
    assert len(poster["thumbhash"]) > 20


def test_it_is_kept_true(built: TestSpace) -> None:
    before = built.read("web/assets.json")
    assert "wrote" not in built.build().text
    (built.root / "web/assets.json").unlink()
    assert built.run("plan", "--exit-code").code == 3
    assert "wrote" in built.build().text
    assert built.read("web/assets.json") == before
    built.write("assets.yaml", SPEC.replace("The master", "The master of all"))
    assert built.run("plan", "--exit-code").code == 3
    built.build()
    assert manifest(built)["poster"]["description"] == "The master of all"


@pytest.mark.parametrize(
    "mine",
    [
        '{"version": 1, "assets": {}, "mine": [1, 2, 3]}',
        '{"version": 1, "assets": {"x": {"digest": "sha256-abc", "hand": "written"}}}',
        '{"version": 2, "assets": {}}',
    ],
)
def test_what_only_looks_like_a_manifest_stays(built: TestSpace, mine: str) -> None:
    for path in ("assets.json", "web/assets.json"):
        if (built.root / path).exists():
            built.write(path, mine)
            built.run("build")
            assert built.read(path).decode() == mine
            return
    raise AssertionError("where is the manifest?")


def test_somebody_s_own_file_stays(built: TestSpace) -> None:
    for text in ("my notes", '{"assets": {"logo": "logo.svg"}}', '{"version": 1, "assets": {"logo": {"path": "x"}}}'):
        built.write("web/assets.json", text)
        ran = built.build(code=5)
        assert "isn't a manifest of ours" in ran.text
        assert built.read("web/assets.json") == text.encode()
        built.build(code=5)


def test_a_clone_without_masters_keeps_its_entries(built: TestSpace) -> None:
    built.git("init", "-q")
    built.git("add", "-f", "assets.yaml", "assets.lock", "web", "print", "photo.jpg")
    built.git("commit", "-qm", "x")
    clone = built.clone("clone")
    clone.build("--frozen")
    assert clone.read("web/assets.json") == built.read("web/assets.json")
    clone.write("assets.yaml", SPEC.replace("The master", "Another"))
    assert clone.run("build", "--frozen").code == 3


def test_a_typed_module(built: TestSpace) -> None:
    built.write("assets.yaml", SPEC.replace("path: web/assets.json", "path: src/assets.ts, base: /img/"))
    built.build()
    text = built.read("src/assets.ts").decode()
    assert "export type AssetId" in text
    assert "/img/" in text
    assert "up to date" in built.build().text


# ---- where files come from ------------------------------------------------------------------------------------------------


def test_exports_say_what_they_are(built: TestSpace) -> None:
    for path in ("web/poster-web-1x.webp", "web/poster-web-1x.avif", "web/poster-web-1x.jpg", "print/poster.pdf"):
        found = origins(built.root / path)
        assert (found.kind, found.draft, found.asset, found.tool) == ("algorithmicMedia", True, "poster", "assetbuild"), path
    photo = origins(built.root / "web/photo.webp")
    assert (photo.kind, photo.draft, photo.asset) == (None, False, "photo")


def test_it_can_be_left_out_or_written_beside(built: TestSpace) -> None:
    built.write("assets.yaml", SPEC.replace("    trim: 5%\n", "    trim: 5%\n    provenance: sidecar\n"))
    built.build()
    assert origins(built.root / "web/photo.webp").tool is None
    beside = built.root / "web/photo.webp.xmp"
    assert origins(beside).asset == "photo" or b"photo" in beside.read_bytes()
    beside.unlink()
    assert built.run("plan", "--exit-code").code == 3
    built.build()
    assert beside.exists()
    assert built.run("plan", "--exit-code").code == 0
    assert "every picture belongs to an asset" in built.run("list", "--orphans").text
    mine = beside.read_text("utf-8").replace("</rdf:RDF>", "<!-- Jane --></rdf:RDF>")
    beside.write_text(mine, "utf-8")
    built.build("--re-export")
    assert beside.read_text("utf-8") == mine
    built.write("assets.yaml", SPEC.replace("    trim: 5%\n", "    trim: 5%\n    provenance: strip\n"))
    built.build()
    assert origins(built.root / "web/photo.webp").tool is None


def test_the_command_knows_exports(built: TestSpace) -> None:
    rows = {row["path"]: row for row in json.loads(built.run("provenance", "--json").out)["files"]}
    assert rows["web/poster-web-1x.webp"]["role"] == "export"
    assert rows["web/poster-web-1x.webp"]["bytes"] == "intact"
    with open(built.root / "web/poster-web-1x.webp", "ab") as file:
        file.write(b"x")
    rows = {row["path"]: row for row in json.loads(built.run("provenance", "--json").out)["files"]}
    assert rows["web/poster-web-1x.webp"]["bytes"] == "changed"


@pytest.mark.skipif(not can_sign(), reason="the extra `c2pa` isn't installed (no wheel for this machine)")
def test_exports_are_signed_with_a_given_certificate(built: TestSpace, tmp_path: Path) -> None:
    from . import certifying

    chain, key = certifying.write_chain(tmp_path / "certificates")
    env = {"ASSETBUILD_C2PA_CERT": str(chain), "ASSETBUILD_C2PA_KEY": str(key)}
    built.build("--re-export", env=env)
    found = origins(built.root / "web/poster-web-1x.webp")
    assert found.manifest
    assert found.state == "valid"
    assert "up to date" in built.build().text
    ran = built.run("build", "--re-export", env={**env, "ASSETBUILD_C2PA_KEY": str(tmp_path / "none.pem")})
    assert ran.code == 1
    assert "none.pem" in ran.text
