"""`use` of one member of a set, and of a pinned picture: a word about one picture is a word about no other."""

from __future__ import annotations

from assetbuild.testing.space import TestSpace
from tests.saying import Story
from tests.storing import digest
from tests.test_losses_bytes import TWO_STEPS, retouch, story
from tests.test_scenarios import change, paid, png


def test_a_member_is_chosen_beside_an_edited_one(space: TestSpace) -> None:
    """`use 'story#a' FILE` says nothing of `b`: the file that somebody edited there isn't accepted in silence, it is named."""
    paid(space, story("a", "b"))
    space.write("mine.png", png())
    hand = retouch(space, "art/story-b.png")
    before = space.files()
    tale = Story(space, "use-member")
    tale.note("somebody retouches art/story-b.png")
    tale.run("use", "story#a", "mine.png", code=2)
    assert space.files() == before
    tale.run("use", "story")
    tale.run("use", "story#a", "mine.png")
    assert space.read("art/story-a.png") == space.read("mine.png")
    assert space.read("art/story-b.png") == hand
    tale.note("art/story-b.png is deleted; its picture is in the store")
    (space.root / "art/story-b.png").unlink()
    other = retouch(space, "other.png")
    tale.run("use", "story#a", "other.png")
    assert space.read("art/story-a.png") == other
    assert space.read("art/story-b.png") == hand
    assert len(space.bills) == 1
    tale.check()


def test_a_member_is_chosen_before_there_is_a_set(space: TestSpace) -> None:
    """The other member has no picture yet."""
    space.write("assets.yaml", story("a", "b"))
    space.write("mine.png", png())
    tale = Story(space, "use-member-first")
    tale.run("use", "story#a", "mine.png", code=2)
    assert not (space.root / "assets.lock").exists()
    tale.check()


def test_a_pinned_picture_and_use(space: TestSpace) -> None:
    """`use` moves a pin: the file follows, the next build leaves it, and without the pin it is the picture of the spec as it was chosen for."""
    paid(space)
    first = space.read("art/poster-de.png")
    space.build("--rebuy", "poster-de")
    second = space.read("art/poster-de.png")
    unpinned = space.read("assets.yaml")
    change(space, "    base: poster\n", "    pin: true\n    base: poster\n")
    tale = Story(space, "use-pinned")
    tale.run("use", "poster-de", "1")
    assert space.read("art/poster-de.png") == first
    line = space.lock()["poster-de"]
    assert line["take"] == 1
    assert "chosen_for" not in line
    tale.run("build")
    assert space.read("art/poster-de.png") == first
    hand = retouch(space, "mine.png")
    tale.run("use", "poster-de", "mine.png")
    tale.run("build")
    assert space.read("art/poster-de.png") == hand
    tale.run("use", "poster-de", "2")
    assert space.read("art/poster-de.png") == second
    tale.run("use", "poster-de", digest(hand)[:8], told=False)
    assert space.read("art/poster-de.png") == hand
    (space.root / "art/poster-de.png").unlink()
    tale.run("build")
    assert space.read("art/poster-de.png") == hand
    space.write("assets.yaml", unpinned)
    tale.note("the pin is taken out: the picture was chosen for just this text and base")
    tale.run("plan")
    assert len(space.bills) == 3
    tale.check()


def test_a_pinned_chain_and_use(space: TestSpace) -> None:
    """Of a chain, too; its earlier step stays what it was."""
    paid(space, TWO_STEPS)
    first = space.read("art/poster.png")
    space.build("--rebuy", "poster")
    space.write("assets.yaml", TWO_STEPS + "    pin: true\n")
    before = space.lock()["poster"]["steps"]
    bills = len(space.bills)
    assert space.run("use", "poster", "1").code == 0
    assert space.read("art/poster.png") == first
    space.build()
    assert space.read("art/poster.png") == first
    assert space.lock()["poster"]["steps"] == before
    space.write("assets.yaml", TWO_STEPS)
    assert space.plan()["poster"]["row"] == "4"
    assert len(space.bills) == bills
