"""`use`: the picture that a person wants, without a bill, and every way back."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace

from .saying import Story

SPEC = """\
version: 1
project: fika
defaults: {{provider: {provider}}}
assets:
  poster:
    tags: [launch]
    prompt: |
      {poster}
  poster-de:
    base: poster
    tags: [launch]
    prompt: |
      {edit}
  story:
    set: [bean, cup]
    output: "art/story-${{member}}.png"
    prompt: |
      Two panels.
"""


def write(space: TestSpace, poster: str = "A poster.", edit: str = "In German.", provider: str = "counting") -> None:
    space.write("assets.yaml", SPEC.format(poster=poster, edit=edit, provider=provider))


def picture(size: tuple[int, int] = (8, 8), kind: str = "PNG", colour: str = "red") -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def test_an_old_picture_is_kept_for_a_new_text_and_taken_back(space: TestSpace) -> None:
    story = Story(space, "use-waiver")
    write(space)
    story.run("build", told=False)
    first = space.read("art/poster.png")
    story.note("the prompt of `poster` changes")
    write(space, "A better poster.")
    story.run("use", "poster")
    assert space.lock()["poster"]["chosen_for"] != space.lock()["poster"]["key"]
    assert "by_hand" not in space.lock()["poster"]
    story.run("build")
    assert space.read("art/poster.png") == first
    assert len(space.bills) == 3
    story.run("show", "poster")
    story.run("use", "poster")
    story.note("the prompt changes again: the waiver ends with it")
    write(space, "The best poster.")
    story.run("plan", "poster")
    story.run("build", "poster", told=False)
    assert len(space.bills) == 4
    second = space.read("art/poster.png")
    story.run("use", "poster", "previous")
    assert space.read("art/poster.png") == first
    story.run("use", "poster", "previous")
    assert space.read("art/poster.png") == second
    assert "chosen_for" not in space.lock()["poster"]  # it is this text's own take: no waiver
    story.run("use", "poster", "1")
    story.run("plan", "poster", "--exit-code")
    assert len(space.bills) == 4
    story.check()


def test_a_retouched_file_is_accepted_and_both_pictures_stay_in_reach(space: TestSpace) -> None:
    story = Story(space, "use-retouched")
    write(space)
    space.build()
    drawn, mine = space.read("art/poster.png"), picture((9, 12))
    space.write("art/poster.png", mine)
    story.note("somebody retouches art/poster.png")
    story.run("build", "poster", code=5)
    story.run("show", "poster")
    story.run("use", "poster", "previous")
    assert space.read("art/poster.png") == drawn
    story.run("use", "poster", "previous")
    assert space.read("art/poster.png") == mine
    assert space.lock()["poster"]["by_hand"] is True
    story.run("show", "poster")
    story.note("the prompt changes: what was made by hand isn't replaced unasked")
    write(space, "A better poster.")
    story.run("build", "poster", code=5)
    assert space.read("art/poster.png") == mine
    story.run("build", "--replace", "poster", told=False)
    assert space.read("art/poster.png") not in (mine, drawn)
    story.run("use", "poster", "previous")
    assert space.read("art/poster.png") == mine
    story.check()


def test_what_lies_there_is_accepted(space: TestSpace) -> None:
    story = Story(space, "use-here")
    write(space)
    space.build()
    space.write("art/poster.png", picture())
    bills = len(space.bills)
    story.run("use", "poster")
    story.run("use", "poster")
    story.run("plan", "poster", "--exit-code")
    story.note("the edit hangs on these bytes now")
    story.run("plan", "poster-de")
    (space.root / "art/poster.png").unlink()
    story.note("it is deleted, and comes back from the store")
    story.run("build", "poster", told=False)
    assert space.read("art/poster.png") == picture()
    (space.root / "art/poster.png").unlink()
    story.run("use", "poster", code=2)
    space.write("art/poster.png", b"not a picture")
    story.run("use", "poster", code=2)
    space.write("art/poster.png", f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 100\n")
    story.run("use", "poster", code=2)
    assert len(space.bills) == bills
    story.check()


def test_a_file_of_another_form_is_taken_as_it_is_and_the_difference_said(space: TestSpace) -> None:
    story = Story(space, "use-file")
    write(space)
    space.build()
    space.write("from-mara/final.jpg", picture((30, 20), "JPEG"))
    story.run("use", "poster", "from-mara/final.jpg")
    assert space.read("art/poster.png") == picture((30, 20), "JPEG")
    story.run("build", "poster", "--frozen")
    story.run("use", "poster", "from-mara/other.jpg", code=2)
    space.write("notes.txt", "hello")
    story.run("use", "poster", "notes.txt", code=2)
    story.run("use", "story", "from-mara/final.jpg", code=2)
    story.run("use", "tag:launch", "from-mara/final.jpg", code=2)
    story.run("use", "story#cup", "from-mara/final.jpg")
    assert space.read("art/story-cup.png") == picture((30, 20), "JPEG")
    story.run("build", "story", "--frozen")
    story.note("a copy of the bought picture, under another name, is known for what it is")
    digest = space.lock()["poster-de"]["outputs"][0]["digest"]
    other = space.root / ".assetbuild/store/cas" / digest[:2] / digest[2:]
    space.write("copy.png", other.read_bytes())
    story.run("use", "poster-de", "copy.png")
    story.check()


def test_takes_by_number_and_by_letters(space: TestSpace) -> None:
    story = Story(space, "use-takes")
    write(space)
    space.build()
    first = space.lock()["poster"]["outputs"][0]["digest"]
    space.build("--rebuy", "poster")
    second = space.lock()["poster"]["outputs"][0]["digest"]
    assert first != second
    story.run("show", "poster")
    story.run("use", "poster", "1")
    assert space.lock()["poster"]["outputs"][0]["digest"] == first
    assert space.lock()["poster"]["take"] == 1
    ran = story.run("use", "poster", second[:9], told=False)
    assert "chosen" in ran.err
    assert space.lock()["poster"]["outputs"][0]["digest"] == second
    assert "chosen_for" not in space.lock()["poster"]
    story.run("use", "poster", "5", code=2)
    story.run("use", "poster", "00000000aa", code=2)
    story.run("use", "poster", "nonsense", code=2)
    story.run("use", "pster", code=2)
    story.run("use", "poster", "1", "--from", "draft", code=2)
    assert len(space.bills) == 4
    story.check()


def test_an_edit_whose_base_isnt_known_names_pin(space: TestSpace) -> None:
    story = Story(space, "use-waiting")
    write(space)
    space.build()
    write(space, "A better poster.")
    story.note("the base is to be made again")
    story.run("use", "poster-de", code=2)
    story.note("both at once: the base's old picture first, then its edit")
    story.run("use", "tag:launch")
    story.run("plan", "tag:launch", "--exit-code")
    assert len(space.bills) == 3
    story.check()


def test_pin_takes_a_picture_whatever_its_base_becomes(space: TestSpace) -> None:
    write(space)
    space.write(
        "assets.yaml", space.read("assets.yaml").decode().replace("    base: poster\n", "    base: poster\n    pin: true\n")
    )
    space.write("mine.png", picture())
    ran = space.run("use", "poster-de", "mine.png")
    assert ran.code == 0, ran.text
    assert space.read("art/poster-de.png") == picture()
    space.build("poster-de")
    assert [b["prompt"] for b in space.bills] == ["A poster."]  # the base is made, the pinned edit isn't
    assert space.build("poster-de", "--frozen").code == 0


def test_many_problems_are_told_at_once_and_nothing_is_changed(space: TestSpace) -> None:
    story = Story(space, "use-problems")
    write(space)
    space.build()
    (space.root / "art/poster.png").unlink()
    (space.root / "art/story-cup.png").unlink()
    before = space.read("assets.lock")
    space.write("art/poster-de.png", picture())
    story.run("use", "*", code=2)
    assert space.read("assets.lock") == before
    story.check()


def test_the_picture_of_a_profile(space: TestSpace) -> None:
    story = Story(space, "use-profile")
    write(space)
    text = (
        space.read("assets.yaml").decode()
        + 'profiles:\n  draft: {provider: comp}\n  proof: {output: "proofs/${id}-${member}.png"}\n'
    )
    space.write(
        "assets.yaml",
        text.replace('-${member}.png"}\n', '.png"}\n').replace(
            '  story:\n    set: [bean, cup]\n    output: "art/story-${member}.png"\n    prompt: |\n      Two panels.\n', ""
        ),
    )
    space.build()
    story.run("use", "poster", "--from", "draft", code=2)
    space.build("--profile", "draft")
    story.run("use", "poster", "--from", "draft")
    assert space.read("art/poster.png") == space.read(".assetbuild/draft/art/poster.png")
    assert space.lock()["poster"]["manifest"]["provider"] == "comp"
    story.run("build", "poster", "--frozen")
    story.run("use", "poster", "--from", "nonsense", code=2)
    story.run("use", "poster", "previous")
    story.run("build", "poster", "--frozen")
    story.check()


def test_previous_is_found_in_git_when_this_machine_has_forgotten(space: TestSpace) -> None:
    write(space)
    space.git("init", "-q")
    space.write(".gitignore", "art/\n")
    space.build()
    first = space.read("art/poster.png")
    space.git("add", ".")
    space.git("commit", "-qm", "one")
    write(space, "A better poster.")
    space.build()
    for file in (space.root / ".assetbuild").glob("former*"):
        file.unlink()
    ran = space.run("use", "poster", "previous")
    assert ran.code == 0, ran.text
    assert space.read("art/poster.png") == first


@pytest.mark.parametrize(
    "at", ["os.replace:1", "os.replace:2", "os.replace:3", "os.replace:4", "os.fsync:2", "os.fsync:5", "os.fsync:8"]
)
def test_a_kill_at_any_step_loses_no_picture(space: TestSpace, at: str, tmp_path: Path) -> None:
    write(space)
    space.build()
    mine, drawn = picture((9, 12)), space.read("art/poster.png")
    space.write("art/poster.png", mine)
    space.write("other.png", picture((5, 5)))
    ran = space.run("use", "poster", "other.png", env={"CRASH_AT": at})
    assert ran.code in (0, 137)
    digests = space.lock()["poster"]["outputs"][0]["digest"]
    assert space.run("cache", "verify").code == 0
    store = {file.read_bytes() for file in (space.root / ".assetbuild/store/cas").glob("??/*")}
    there = space.read("art/poster.png")
    assert drawn in store
    assert mine in store or there == mine
    assert there in (mine, picture((5, 5)))
    assert digests
    assert space.run("use", "poster", "other.png").code == 0  # and once more, to its end
    assert space.read("art/poster.png") == picture((5, 5))
    assert space.run("build", "poster", "--frozen").code == 0
