"""`provenance`: per file whether it is signed, as bought, what it says; which step dropped a signature."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from assetbuild.answers.provenance import Piece, judge
from assetbuild.files import sha256_file
from assetbuild.pictures.marking import EDITED, Mark, into_png, packet, sidecar
from assetbuild.report.ink import Ink
from assetbuild.report.vouched import provenance_lines, summary_lines
from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace
from assetbuild.verbs.starting import schemas

from .hooking import hook
from .saying import Story
from .test_pictures_marking import picture
from .test_pictures_reading import with_manifest

SPEC = """\
version: 1
project: fika
defaults: {provider: comp}
assets:
  poster:
    tags: [launch]
    prompt: |
      A poster.
  mark:
    prompt: |
      A mark.
  story:
    set: [bean, cup]
    output: "art/story-${member}.png"
    prompt: |
      Two panels.
"""


class Disk:
    """Files in a folder; blobs are those same files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def found(self, path: str) -> tuple[str | None, bool]:
        place = self.folder / path
        return (sha256_file(place)[0], path.startswith("lfs/")) if place.exists() else (None, False)

    def place(self, path: str) -> Path:
        return self.folder / path

    def blob(self, digest: str) -> Path | None:
        return next((p for p in self.folder.rglob("*") if p.is_file() and sha256_file(p)[0] == digest), None)

    def put(self, path: str, data: bytes) -> str:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return sha256_file(place)[0]


@pytest.fixture
def shipped(tmp_path: Path) -> list[dict[str, Any]]:
    """A bought, signed poster, what was made from it, and what others did to files."""
    disk = Disk(tmp_path)
    ai, part = packet(Mark("trainedAlgorithmicMedia", "poster")), packet(Mark(EDITED, "panel"))
    master = disk.put("art/poster.png", with_manifest("PNG"))
    vendor = "apiframe/gpt-image-2"
    spoilt = disk.put("cas/cover", with_manifest("PNG") + b"1")
    disk.put("art/cover.png", picture())
    comp = packet(Mark("algorithmicMedia", "mark", draft=True))
    disk.put("print/poster.tiff.xmp", sidecar(Mark("trainedAlgorithmicMedia", "poster")))
    rows = [
        Piece("poster", "art/poster.png", "output", "", master, None, "bought", vendor, "generate"),
        Piece(
            "poster",
            "web/poster.webp",
            "export",
            "web",
            disk.put("web/poster.webp", picture("WEBP", xmp=ai)),
            master,
            "here",
            "webp",
        ),
        Piece(
            "poster", "web/poster.jpg", "export", "web", disk.put("web/poster.jpg", with_manifest("JPEG")), master, "here", "jpeg"
        ),
        Piece(
            "poster",
            "print/poster.tiff",
            "export",
            "print",
            disk.put("print/poster.tiff", picture("TIFF")),
            master,
            "here",
            "tiff",
        ),
        Piece(
            "panel",
            "art/panel.png",
            "output",
            "",
            disk.put("art/panel.png", into_png(picture(), part)),
            master,
            "here",
            "local/compose",
            "compose",
        ),
        Piece(
            "panel",
            "web/panel.jpg",
            "export",
            "web",
            disk.put("web/panel.jpg", picture("JPEG", xmp=part)),
            disk.put("art/panel.png", into_png(picture(), part)),
            "here",
            "jpeg",
        ),
        Piece("cover", "art/cover.png", "output", "", spoilt, None, "bought", vendor, "generate"),
        Piece(
            "mark", "art/mark.png", "output", "", disk.put("art/mark.png", into_png(picture(), comp)), None, "comp", "comp/comp-1"
        ),
        Piece("photo", "art/photo.png", "output", "", disk.put("art/photo.png", picture()), None, "hand", vendor),
        Piece("gone", "art/gone.png", "output", "", "0" * 64, None, "bought", vendor),
        Piece("lfs", "lfs/a.png", "output", "", disk.put("lfs/a.png", b"version https://git-lfs"), None, "bought", vendor),
        Piece("new", "art/new.png", "output", "", None, None, "here", vendor),
    ]
    return list(judge(rows, disk))


def test_which_step_dropped_it(shipped: list[dict[str, Any]]) -> None:
    told = {one["path"]: one for one in shipped}
    assert {path: one["dropped_by"] for path, one in told.items() if one["dropped_by"]} == {
        "web/poster.webp": "export web",
        "print/poster.tiff": "export print",
        "art/panel.png": "compose",
        "art/cover.png": "another program",
    }
    assert {one["bytes"] for one in shipped} == {"intact", "changed", "missing", "not here", "not made"}
    assert told["art/cover.png"]["bytes"] == "changed"
    assert (told["print/poster.tiff"]["kind"], told["print/poster.tiff"]["said_in"]) == ("trainedAlgorithmicMedia", "sidecar")
    assert told["art/poster.png"]["said_in"] == "manifest"
    assert told["art/panel.png"]["kind"] == EDITED
    assert [one["path"] for one in shipped if one["draft"]] == ["art/mark.png"]
    assert told["art/photo.png"]["kind"] is None


def test_the_rows_have_their_shape(shipped: list[dict[str, Any]]) -> None:
    holds({"version": 1, "checked": True, "files": shipped})


@pytest.mark.parametrize("columns", [80, 50, 0])
def test_the_table(shipped: list[dict[str, Any]], columns: int) -> None:
    for one in shipped:  # as if the extra weren't there: these manifests are none
        one["signature"] = one["signature"] if one["signature"] == "none" else "unchecked"
    shipped[0].update(signature="valid", signer="OpenAI OpCo, LLC")
    lines = list(provenance_lines(shipped, Ink(on=False), columns))
    lines += ["", *summary_lines(shipped, Ink(on=False), columns, checked=False)]
    if columns:
        assert max(map(len, lines)) <= columns
    painted = list(provenance_lines(shipped, Ink(on=True), columns))
    assert [re.sub(r"\x1b\[[\d;]*m", "", line) for line in painted] == lines[: len(painted)]
    golden = Path(__file__).parent / "golden" / "cli" / f"provenance-{columns}.txt"
    text = "\n".join(lines) + "\n"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def holds(value: object) -> None:
    schema = json.loads(schemas()["provenance"].read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(value)


def test_of_a_project(space: TestSpace) -> None:
    """Drafts, a file that a person chose, one that was painted over, one that is gone, one that was never made."""
    story = Story(space, "provenance")
    space.write("assets.yaml", SPEC)
    story.run("provenance")
    space.build("poster", "story")
    story.run("provenance")
    space.write("art/poster.png", picture())
    (space.root / "art/story-bean.png").unlink()
    story.run("provenance")
    space.run("use", "poster")
    story.run("provenance", "tag:launch")
    story.run("provenance", "art/story-cup.png", "--exclude", "mark")
    story.run("provenance", "pster", code=2)
    story.check()
    before = space.files()
    told = space.run("provenance", "--json").json
    holds(told)
    assert [(one["path"], one["bytes"], one["by"]) for one in told["files"]] == [
        ("art/poster.png", "intact", "hand"),
        ("art/mark.png", "not made", "here"),
        ("art/story-bean.png", "missing", "comp"),
        ("art/story-cup.png", "intact", "comp"),
    ]
    assert space.files() == before
    space.write("art/mark.png", with_manifest("PNG"))
    told = space.run("provenance", "mark", "--json").json
    holds(told)
    assert (told["files"][0]["bytes"], told["files"][0]["kind"]) == ("not ours", "trainedAlgorithmicMedia")


def test_what_was_bought(space: TestSpace, emulator: Emulator) -> None:
    """As bought until one byte is another; the bytes themselves are what the vendor sent."""
    space.write("assets.yaml", SPEC.replace("provider: comp", "provider: apiframe, model: gpt-image-2"))
    space.build("poster", "--yes", env=emulator.env())
    (one,) = space.run("provenance", "poster", "--json").json["files"]
    assert (one["by"], one["bytes"], one["made_by"], one["draft"]) == ("bought", "intact", "apiframe/gpt-image-2", False)
    assert "as bought" in space.run("provenance", "poster").out
    space.write("art/poster.png", into_png(space.read("art/poster.png"), packet(Mark(None, "poster"))))
    (one,) = space.run("provenance", "poster", "--json").json["files"]
    assert (one["by"], one["bytes"], one["found"] == one["locked"]) == ("bought", "changed", False)


def test_without_the_extra(space: TestSpace) -> None:
    """A signature is seen, and said not to be judged."""
    space.write("assets.yaml", SPEC)
    space.write("art/poster.png", with_manifest("PNG"))
    space.run("use", "poster")
    hook(space, "import assetbuild.pictures.signing\nassetbuild.pictures.signing.can_sign = lambda: False\n")
    story = Story(space, "provenance-unchecked")
    story.run("provenance", "poster")
    story.check()
    told = space.run("provenance", "poster", "--json").json
    assert (told["checked"], told["files"][0]["signature"]) == (False, "unchecked")


def test_help(space: TestSpace) -> None:
    ran = space.run("provenance", "--help")
    assert max(map(len, ran.out.splitlines())) <= 100
    assert "provenance" in space.run("--help").out
