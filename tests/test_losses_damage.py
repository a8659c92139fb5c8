"""A picture that is damaged in the store while something hangs on it: what happened is told, and both ways out."""

from __future__ import annotations

from assetbuild.testing.space import TestSpace
from tests.saying import Story
from tests.test_losses_bytes import TWO_STEPS, damage
from tests.test_scenarios import change, paid


def test_a_damaged_step_says_what_to_do(space: TestSpace) -> None:
    """The very build that finds the damage says what happened and both ways out, as the ones after it do."""
    paid(space, TWO_STEPS)
    damage(space, space.lock()["poster"]["steps"][0]["digests"][0])
    change(space, "Make it bold.", "Make it thin.")
    tale = Story(space, "damaged-step")
    tale.note("a bit of the first step's picture flips in the store, and the prompt of the second changes")
    tale.run("build", code=5)
    tale.run("build", code=5)
    before = space.read("art/poster.png")
    tale.run("use", "poster")
    space.build()
    assert space.read("art/poster.png") == before
    assert len(space.bills) == 2
    change(space, "Make it thin.", "Make it red.")
    space.build("--rebuy", "poster")
    assert [bill["prompt"] for bill in space.bills[2:]] == ["A poster one.", "Make it red."]
    tale.check()


def test_a_damaged_base_says_what_to_do(space: TestSpace) -> None:
    """Its edit is skipped, and the base says that it lost its picture."""
    paid(space)
    damage(space, space.read("art/poster.png"))
    (space.root / "art/poster.png").unlink()
    change(space, "Langsam", "Schnell")
    tale = Story(space, "damaged-base")
    tale.note("the base's file is deleted, its picture in the store is damaged")
    tale.run("build", code=5)
    assert len(space.bills) == 2
    tale.check()
