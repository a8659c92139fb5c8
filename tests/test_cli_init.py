"""`init`: a spec that builds at once; and an existing folder of pictures, taken over without a bill and without a touched
file.
"""

from __future__ import annotations

import io
import os
import unicodedata
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace

from .saying import Story
from .test_cli_use import picture


def test_the_first_minute(space: TestSpace) -> None:
    story = Story(space, "init")
    story.run()
    story.run("init")
    assert space.read(".gitattributes") == b"assets.lock text eol=lf merge=union\n"
    assert space.read(".prettierignore") == b"assets.lock\n"
    assert not (space.root / ".gitignore").exists()  # .assetbuild ignores itself, and nothing hides the lockfile
    story.run()
    ran = space.run("build")
    assert ran.code == 0, ran.text
    assert sorted(p.name for p in (space.root / "art").iterdir()) == [
        "panel-bean.png",
        "panel-cup.png",
        "panel-roast.png",
        "poster-de.png",
        "poster.png",
    ]
    story.run()
    story.run("build", "--frozen", told=False)
    story.run("init", code=2)
    assert 'project: "project"\n' in space.read("assets.yaml").decode()
    first = space.read("assets.yaml").decode().splitlines()[0]
    assert (space.root / first.partition("$schema=")[2]).read_bytes() == (
        Path(__file__).parent.parent / "schemas/assetbuild.schema.json"
    ).read_bytes()
    story.check()


def test_in_a_folder_of_its_own(space: TestSpace) -> None:
    ran = space.run("init", "brand/Straße & Söhne")
    assert ran.code == 0, ran.text
    assert 'project: "Straße & Söhne"' in space.read("brand/Straße & Söhne/assets.yaml").decode()
    assert space.run("build", cwd=space.root / "brand/Straße & Söhne").code == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"*.png binary\r\n*.jpg binary\r\n", b"*.png binary\r\n*.jpg binary\r\nassets.lock text eol=lf merge=union\r\n"),
        (b"*.png binary", b"*.png binary\nassets.lock text eol=lf merge=union\n"),
        (b"*.png\xff\n\n\n", b"*.png\xff\n\n\nassets.lock text eol=lf merge=union\n"),
        (b"  assets.lock\ttext  eol=lf merge=union  \nx y\n", b"  assets.lock\ttext  eol=lf merge=union  \nx y\n"),
        (b"\xef\xbb\xbfassets.lock text eol=lf merge=union\n", b"\xef\xbb\xbfassets.lock text eol=lf merge=union\n"),
        (b"", b"assets.lock text eol=lf merge=union\n"),
    ],
)
def test_lines_are_added_to_what_is_there(space: TestSpace, old: bytes, new: bytes) -> None:
    space.write(".gitattributes", old)
    assert space.run("init").code == 0
    assert space.read(".gitattributes") == new


def test_a_gitignore_that_hides_the_lockfile_gets_a_line(space: TestSpace) -> None:
    space.git("init", "-q")
    space.write(".gitignore", "*.lock\nart/\n")
    assert space.run("init").code == 0
    assert space.read(".gitignore") == b"*.lock\nart/\n!assets.lock\n"
    space.build()
    assert "assets.lock" in space.git("status", "--porcelain", "--untracked-files=all")


def jpeg(size: tuple[int, int], text: str) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = text
    Image.new("RGB", size, "blue").save(out, "JPEG", exif=exif)
    return out.getvalue()


def png(text: str) -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    out, words = io.BytesIO(), PngInfo()
    words.add_itxt("Description", text)
    Image.new("RGB", (7, 7)).save(out, "PNG", pnginfo=words)
    return out.getvalue()


def folder_of_pictures(space: TestSpace) -> None:
    space.write("pictures/hero.png", picture((20, 30)))
    space.write("pictures/team/Åsa Öberg (1).jpg", jpeg((16, 9), "Åsa at her desk: ${name} costs $5, 100%"))
    space.write("pictures/team/åsa öberg (1).webp", picture((90, 40), "WEBP"))
    space.write("pictures/yes.png", png("A button\n  with: a colon # and a hash\t and a tab\x07"))
    space.write("pictures/hero.jpg", picture((30, 20), "JPEG"))
    space.write("pictures/tall.png", picture((1, 40)))
    space.write("pictures/no-png.png", picture((20, 20), "JPEG"))
    space.write("pictures/${evil}.png", picture((31, 41)))
    space.write("pictures/logo.svg", "<svg/>")
    space.write("pictures/broken.png", "nothing")
    space.write("pictures/notes.txt", "hello")
    space.write("pictures/.thumbs/hero.png", picture())
    space.write("pictures/pointer.png", f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 100\n")


def test_a_picture_folder_is_taken_over_as_it_is(space: TestSpace) -> None:
    story = Story(space, "init-from")
    folder_of_pictures(space)
    before = {path: (space.root / path).stat().st_mtime_ns for path in space.files()}
    files = space.files()
    story.run("init", "--from", "pictures")
    ran = space.build()
    assert ran.err.startswith("8 up to date in "), ran.err
    assert space.build("--frozen").err.startswith("8 up to date in ")
    assert space.build("hero", "--frozen").code == 0
    assert {path: content for path, content in space.files().items() if path in files} == files
    assert {path: (space.root / path).stat().st_mtime_ns for path in files} == before
    assert set(space.files()) - set(files) == {"assets.yaml", "assets.lock", ".gitattributes", ".prettierignore"}
    story.run("list")
    story.told.append(space.read("assets.yaml").decode())
    story.check()


def test_filling_in_a_prompt_changes_nothing_and_taking_the_pin_away_waits(space: TestSpace) -> None:
    story = Story(space, "init-from-later")
    space.write("pictures/hero.png", picture((20, 30)))
    story.run("init", "--from", "pictures", told=False)
    text = space.read("assets.yaml").decode()
    space.write("assets.yaml", text.replace("(nobody has written down yet what this picture shows)", "A red rectangle."))
    story.note("the prompt is written")
    story.run("build", "--frozen")
    story.note("the pin is taken away, and the prompt changed")
    space.write(
        "assets.yaml",
        text.replace("(nobody has written down yet what this picture shows)", "A blue one.").replace("    pin: true\n", ""),
    )
    story.run("build", code=5)
    assert space.read("pictures/hero.png") == picture((20, 30))
    story.run("build", "--replace", "hero")
    story.run("use", "hero", "previous")
    assert space.read("pictures/hero.png") == picture((20, 30))
    story.check()


def test_what_cant_be_taken_over(space: TestSpace) -> None:
    story = Story(space, "init-from-problems")
    story.run("init", "--from", "nothing", code=2)
    space.write("texts/a.txt", "a")
    story.run("init", "--from", "texts", code=2)
    (space.folder / "elsewhere").mkdir()
    story.run("init", "--from", "../elsewhere", code=2)
    space.write("assets.yaml", "version: 1\nassets: {}\n")
    space.write("pictures/a.png", picture())
    story.run("init", "--from", "pictures", code=2)
    assert space.read("assets.yaml") == b"version: 1\nassets: {}\n"
    assert not (space.root / ".gitattributes").exists()
    story.check()


def test_the_project_itself_is_the_folder(space: TestSpace) -> None:
    space.write("a.png", picture())
    space.write("deep/er/b.webp", picture(kind="WEBP"))
    assert space.run("init", "--from", ".").code == 0
    assert set(space.lock()) == {"a", "deep/er/b"}
    assert space.build().err.startswith("2 up to date in ")


@pytest.mark.skipif(os.name == "nt", reason="it makes a link and names that Windows refuses, so there is nothing to leave out")
def test_names_that_not_every_disk_keeps_are_left_out(space: TestSpace) -> None:
    space.write(f"p/{unicodedata.normalize('NFD', 'é')}.png", picture())
    space.write("p/ok.png", picture((5, 5)))
    (space.root / "p/link.png").symlink_to(space.root / "p/ok.png")
    ran = space.run("init", "--from", "p")
    assert ran.code == 0, ran.text
    assert set(space.lock()) == {"ok"}
    assert "left out: p/link.png: it is a link" in ran.err


@pytest.mark.parametrize("at", ["os.replace:1", "os.replace:3", "os.replace:5", "os.fsync:4"])
def test_a_kill_while_taking_over_harms_no_picture(space: TestSpace, at: str) -> None:
    for number in range(3):
        space.write(f"p/{number}.png", picture((3 + number, 4)))
    before = {path: content for path, content in space.files().items() if path.startswith("p/")}
    assert space.run("init", "--from", "p", env={"CRASH_AT": at}).code in (0, 137)
    if (space.root / "assets.yaml").exists():
        space.run("build")
        assert space.run("use", "*").code == 0
    else:
        assert space.run("init", "--from", "p").code == 0
    assert space.build().err.startswith("3 up to date in ")
    assert {path: content for path, content in space.files().items() if path.startswith("p/")} == before
