"""`rename`: another id, the same picture, no bill."""

from __future__ import annotations

import pytest

from assetbuild.testing.space import TestSpace

from .saying import Story

SPEC = """\
version: 1
defaults: {{provider: counting}}
assets:
  {one}:
    prompt: |
      A poster.
  {two}:
    base: {one}
    prompt: |
      In German.
  {three}:
    base: {one}
    prompt: |
      In Japanese.
"""


def write(space: TestSpace, one: str = "poster", two: str = "poster-de", three: str = "poster-ja") -> None:
    space.write("assets.yaml", SPEC.format(one=one, two=two, three=three))


def test_rename_first_then_the_spec(space: TestSpace) -> None:
    story = Story(space, "rename-first")
    write(space)
    space.build()
    before = space.files()
    story.run("rename", "poster", "affiche")
    write(space, one="affiche")
    story.note("the spec says `affiche` now")
    story.run("build")
    after = space.files()
    assert after["art/affiche.png"] == before["art/poster.png"]
    assert "art/poster.png" not in after
    assert set(space.lock()) == {"affiche", "poster-de", "poster-ja"}
    assert len(space.bills) == 3
    story.check()


def test_the_spec_first_then_rename(space: TestSpace) -> None:
    story = Story(space, "rename-after")
    write(space)
    space.build()
    write(space, two="german/poster")
    story.run("rename", "poster-de", "german/poster")
    story.run("build", "--frozen")
    assert (space.root / "art/german/poster.png").exists()
    assert not (space.root / "art/poster-de.png").exists()
    assert len(space.bills) == 3
    story.check()


def test_patterns(space: TestSpace) -> None:
    story = Story(space, "rename-patterns")
    write(space)
    space.build()
    story.run("rename", "poster-*", "poster/*")
    write(space, two="poster/de", three="poster/ja")
    story.run("build", "--frozen")
    assert set(space.lock()) == {"poster", "poster/de", "poster/ja"}
    assert len(space.bills) == 3
    story.check()


def test_what_is_in_the_way_stays(space: TestSpace) -> None:
    story = Story(space, "rename-left")
    write(space)
    space.build()
    space.write("art/affiche.png", "mine")
    edited = space.read("art/poster-de.png") + b"edited"
    space.write("art/poster-de.png", edited)
    story.run("rename", "poster", "affiche")
    assert space.read("art/affiche.png") == b"mine"
    story.run("rename", "poster-de", "deutsch")
    assert space.read("art/poster-de.png") == edited
    write(space, one="affiche", two="deutsch")
    story.run("build", code=5)
    assert space.read("art/affiche.png") == b"mine"
    assert len(space.bills) == 3
    story.check()


def test_what_cant_be(space: TestSpace) -> None:
    story = Story(space, "rename-problems")
    write(space)
    story.run("rename", "poster", "affiche", code=2)
    space.build()
    lock = space.read("assets.lock")
    story.run("rename", "pster", "affiche", code=2)
    story.run("rename", "poster", "poster-de", code=2)
    story.run("rename", "poster", "poster", code=2)
    story.run("rename", "poster", "my poster", code=2)
    story.run("rename", "poster-*", "poster", code=2)
    story.run("rename", "box-*", "box/*", code=2)
    story.run("rename", "*", "x*", told=False)
    story.run("rename", "x*", "*", told=False)
    assert space.read("assets.lock") == lock
    story.note("both ids are in the spec")
    space.write("assets.yaml", space.read("assets.yaml") + b"  extra: {prompt: Extra}\n")
    story.run("rename", "poster", "extra", code=2)
    assert space.read("assets.lock") == lock
    story.check()


@pytest.mark.parametrize("at", ["os.replace:1", "os.rename:1", "os.replace:2", "os.fsync:1", "os.fsync:3"])
def test_a_kill_at_any_step_costs_nothing(space: TestSpace, at: str) -> None:
    write(space)
    space.build()
    picture = space.read("art/poster.png")
    assert space.run("rename", "poster", "affiche", env={"CRASH_AT": at}).code in (0, 137)
    write(space, one="affiche")
    space.build()
    assert space.read("art/affiche.png") == picture
    assert len(space.bills) == 3
