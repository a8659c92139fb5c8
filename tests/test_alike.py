"""`show FILE` of copies: renamed, saved again, made smaller, cut, flattened. Found by bytes or by looks, and which is said."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image, ImageDraw

from assetbuild.testing.space import Ran, TestSpace
from assetbuild.vanish import Vanishing

from .likening import drawn, encoded
from .saying import Story
from .test_cli_schemas import holds
from .test_cli_show import SPEC, fika


def copy(space: TestSpace, path: str, of: str, kind: str = "JPEG", scale: float = 0.5, **options: object) -> Path:
    with Image.open(io.BytesIO(space.read(of))) as picture:
        size = round(picture.width * scale), round(picture.height * scale)
        return space.write(path, encoded(picture.convert("RGB").resize(size), kind, **options))


def shown(space: TestSpace, path: str, code: int = 0) -> Ran:
    ran = space.run("show", path, "--json")
    assert ran.code == code, ran.text
    holds("show", ran.json)
    return ran


def test_a_copy_is_found_by_its_looks(space: TestSpace) -> None:
    story = Story(space, "show-alike")
    fika(space)
    space.write("downloads/IMG_1.png", space.read("art/poster.png"))
    story.note("renamed: found by its bytes")
    ran = story.run("show", "downloads/IMG_1.png")
    assert "looks" not in ran.out
    assert shown(space, "downloads/IMG_1.png").json["file"]["alike"] == []
    copy(space, "downloads/small.jpg", "art/story-cup.png", quality=70)
    story.note("half the size, JPEG 70: found by its looks")
    story.run("show", "downloads/small.jpg")
    file = shown(space, "downloads/small.jpg").json["file"]
    assert file["known"] is False
    first = file["alike"][0]
    assert (first["what"], first["id"], first["member"], first["path"]) == ("picture", "story", "cup", "art/story-cup.png")
    assert first["digest"] == next(o["digest"] for o in space.lock()["story"]["outputs"] if o["member"] == "cup")
    assert first["distance"] <= 6
    space.write("downloads/other.png", encoded(drawn(3, (512, 512))))
    story.note("another picture")
    story.run("show", "downloads/other.png", code=1)
    assert shown(space, "downloads/other.png", 1).json["file"]["alike"] == []
    story.check()


def test_the_nearest_of_pictures_that_are_alike_comes_first(space: TestSpace) -> None:
    fika(space)
    for name in ("poster", "poster-de", "poster-ja", "mark"):
        for kind, scale in (("WEBP", 1), ("JPEG", 0.5), ("JPEG", 0.3)):
            copy(space, "copy", f"art/{name}.png", kind, scale, quality=60)
            found = shown(space, "copy").json["file"]["alike"]
            assert found[0]["id"] == name, f"{kind} {scale} of {name} is taken for {found}"


def test_steps_former_pictures_and_inputs_are_found_too(space: TestSpace) -> None:
    fika(space)
    space.write("brand/board.png", encoded(drawn(2, (300, 300))))
    space.build()
    digest = space.lock()["poster-de"]["steps"][0]["digests"][0]
    step = (space.root / ".assetbuild/store/cas" / digest[:2] / digest[2:]).read_bytes()
    space.write("step.png", step)
    copy(space, "step.jpg", "step.png", quality=85)
    (space.root / "step.png").unlink()
    found = shown(space, "step.jpg").json["file"]["alike"][0]
    assert (found["what"], found["id"], found["number"]) == ("step", "poster-de", 1)
    copy(space, "old.jpg", "art/mark.png", quality=85)
    space.write("assets.yaml", SPEC.replace("A logo with", "Another big thing, a mountain and a lake, with"))
    space.build()
    found = shown(space, "old.jpg").json["file"]["alike"][0]
    assert (found["what"], found["id"]) == ("before", "mark")
    assert "a picture that `mark` had before" in space.run("show", "old.jpg").out
    copy(space, "board.webp", "brand/board.png", "WEBP", quality=50)
    found = shown(space, "board.webp").json["file"]["alike"][0]
    assert (found["what"], found["path"]) == ("input", "brand/board.png")
    assert "like your own brand/board.png" in space.run("show", "board.webp").out


def test_a_clone_without_a_store_finds_them_and_makes_none(space: TestSpace) -> None:
    fika(space)
    space.git("init", "-q")
    space.git("add", ".")
    space.git("commit", "-qm", "one")
    other = space.clone("clone")
    copy(other, "copy.jpg", "art/poster.png", quality=70)
    assert shown(other, "copy.jpg").json["file"]["alike"][0]["id"] == "poster"
    assert not (other.root / ".assetbuild/store").exists()
    assert other.git("status", "--short").split() == ["??", "copy.jpg"]


def test_what_isnt_a_picture_is_like_nothing(space: TestSpace) -> None:
    fika(space)
    whole = space.read("art/poster.png")
    for name, content in {
        "a.txt": b"a",
        "cut.png": whole[: len(whole) // 3],
        "a.svg": b"<svg/>",
        "empty": b"",
        "bomb.png": whole[:16] + (50000).to_bytes(4, "big") * 2 + whole[24:],
    }.items():
        space.write(name, content)
        assert shown(space, name, 1).json["file"]["alike"] == []


def test_hashes_are_kept_and_a_prepared_cache_finds_nothing_false(space: TestSpace) -> None:
    fika(space)
    copy(space, "copy.jpg", "art/poster.png", quality=70)
    first = shown(space, "copy.jpg").json["file"]["alike"]
    calls = {"COUNT_CALLS": "assetbuild.pictures.likeness._hash", "COUNT_FILE": str(space.folder / "calls")}
    assert space.run("show", "copy.jpg", "--json", env=calls).json["file"]["alike"] == first
    assert (space.folder / "calls").read_text().split() == ["assetbuild.pictures.likeness._hash=1"]
    lock = space.lock()
    cache = Vanishing(space.root / ".assetbuild/cache")
    own = json.loads(str(cache.get("likeness 1", lock["poster"]["outputs"][0]["digest"])))
    cache.put("likeness 1", lock["mark"]["outputs"][0]["digest"], json.dumps(own))  # as if the mark looked like the poster
    for odd in ("[]", "{", "[1, 2, [3]]", '[0, 2, ["0000000000000000"]]', '[1, 2, ["x"]]', "null"):
        cache.put("likeness 1", lock["story"]["outputs"][0]["digest"], odd)
        cache.close()
        assert shown(space, "copy.jpg").json["file"]["alike"] == first
    cache.put("likeness 1", lock["poster"]["outputs"][0]["digest"], b"\xff")
    cache.close()
    assert shown(space, "copy.jpg").json["file"]["alike"] == first


def test_a_cut_copy_isnt_claimed(space: TestSpace) -> None:
    fika(space)
    with Image.open(io.BytesIO(space.read("art/poster.png"))) as picture:
        width, height = picture.size
        space.write("cut.jpg", encoded(picture.convert("RGB").crop((0, 200, width, 200 + width * 9 // 16)), "JPEG"))
        shown_on = picture.convert("RGB")
    ImageDraw.Draw(shown_on).rectangle((0, 0, width, height // 2), "black")
    space.write("half.png", encoded(shown_on))
    assert shown(space, "cut.jpg", 1).json["file"]["alike"] == []
    assert shown(space, "half.png", 1).json["file"]["alike"] == []
