"""How a person's word could be lost: a picture they made, chose or pinned is replaced unasked, or another stands for it. None of it may happen.

Lines are doubled as a union merge of two branches leaves them; a purchase is held at a gate while the person speaks.
"""

from __future__ import annotations

import itertools

from assetbuild.testing.space import TestSpace
from tests.storing import digest
from tests.test_losses_bytes import ONE, gated, kept, retouch
from tests.test_scenarios import change, commit, paid, png, wait_for


def line(space: TestSpace) -> str:
    """The lock line of the only asset."""
    return space.read("assets.lock").decode().splitlines()[1]


def lock(space: TestSpace, *lines: str) -> None:
    """The lockfile holds these lines."""
    header = space.read("assets.lock").decode().splitlines()[0]
    space.write("assets.lock", "\n".join([header, *lines, ""]))


def use_file(space: TestSpace, ident: str = "poster") -> bytes:
    """A picture made by hand is chosen; its file is gone afterwards."""
    hand = retouch(space, "hand.png")
    ran = space.run("use", ident, "hand.png")
    assert ran.code == 0, ran.text
    (space.root / "hand.png").unlink()
    return hand


def kept_and_bought(space: TestSpace) -> tuple[str, bytes, str, bytes]:
    """Two branches and one new text: one kept the old picture with `use`, the other bought a new one. Lines and pictures, in this order."""
    paid(space, ONE)
    first, old = line(space), space.read("art/poster.png")
    change(space, "one", "two")
    assert space.run("use", "poster").code == 0
    waiver = line(space)
    assert '"chosen_for"' in waiver
    lock(space, first)
    space.build()
    return waiver, old, line(space), space.read("art/poster.png")


# ── made by hand ──


def test_a_picture_by_hand_after_its_prompt_went_and_came(space: TestSpace) -> None:
    """Replaced as told, brought back by `use`, it isn't taken for a bought one and replaced by the next change of the prompt."""
    paid(space, ONE)
    bought = space.read("art/poster.png")
    hand = use_file(space)
    assert space.lock()["poster"]["by_hand"] is True
    change(space, "one", "two")
    space.build(code=5)
    space.build("--replace", "poster")
    assert kept(space, hand)
    change(space, "two", "one")
    space.build()
    assert space.read("art/poster.png") == bought
    assert "by_hand" not in space.lock()["poster"]
    assert space.run("use", "poster", digest(hand)[:8]).code == 0
    assert space.lock()["poster"]["by_hand"] is True
    change(space, "one", "three")
    space.build(code=5)
    assert space.read("art/poster.png") == hand


def test_a_picture_by_hand_is_not_given_to_a_twin(space: TestSpace) -> None:
    """Two assets with one manifest: what a person made for one doesn't become the other's."""
    prompt = "".join(f"  {name}:\n    prompt: |\n      ${{text}}\n" for name in "ab")
    paid(space, ONE.partition("assets:")[0] + "vars: {text: Same one}\nassets:\n" + prompt)
    bought = space.read("art/b.png")
    use_file(space, "a")
    change(space, "Same one", "Same two")
    space.build("--replace", "a")
    space.build()
    change(space, "Same two", "Same one")
    space.build()
    assert space.read("art/b.png") == bought


def test_a_picture_by_hand_and_a_lockfile_set_back(space: TestSpace) -> None:
    """`git checkout assets.lock`, pictures ignored by git: the file of a person isn't ours because we once put it there."""
    space.write(".gitignore", "art/\n")
    commit(paid(space, ONE))
    hand = use_file(space)
    space.git("checkout", "-q", "--", "assets.lock")
    space.build(code=5)
    assert space.read("art/poster.png") == hand


def test_a_picture_by_hand_and_an_output_that_moves(space: TestSpace) -> None:
    """Output and prompt go elsewhere in one edit and the output comes back: neither the decision nor the file is replaced unasked."""
    paid(space, ONE)
    change(space, "one", "two")
    space.build()
    hand = use_file(space)
    change(space, "art/", "pictures/")
    change(space, "two", "one")
    space.build(code=5)
    assert space.lock()["poster"]["by_hand"] is True
    change(space, "pictures/", "art/")
    space.build(code=5)
    assert space.read("art/poster.png") == hand


def test_a_picture_by_hand_and_a_merge(space: TestSpace) -> None:
    """One branch's line says bought, the other's by hand; with a new prompt the file isn't replaced, whichever line comes first."""
    paid(space, ONE)
    bought = line(space)
    hand = retouch(space, "art/poster.png")
    assert space.run("use", "poster").code == 0
    by_hand = line(space)
    change(space, "one", "two")
    for lines in ((bought, by_hand), (by_hand, bought)):
        lock(space, *lines)
        space.build(code=5)
        assert space.read("art/poster.png") == hand
    assert len(space.bills) == 1


def test_a_step_added_to_a_retouched_picture(space: TestSpace) -> None:
    """The correction isn't bought of the picture before the retouching."""
    paid(space, ONE)
    hand = retouch(space, "art/poster.png")
    assert space.run("use", "poster").code == 0
    space.write("assets.yaml", ONE + "    then:\n      - Fix the hand.\n")
    space.build(code=5)
    assert len(space.bills) == 1
    space.build("--replace", "poster")
    assert len(space.bills) == 2
    assert space.bills[-1]["inputs"] == [digest(hand)]


# ── chosen ──


def test_a_step_added_after_a_choice(space: TestSpace) -> None:
    """The correction isn't made on the take that wasn't chosen."""
    paid(space, ONE)
    first = space.read("art/poster.png")
    space.build("--rebuy", "poster")
    assert space.run("use", "poster", "1").code == 0
    space.write("assets.yaml", ONE + "    then:\n      - Fix the hand.\n")
    space.build()
    assert len(space.bills) == 3
    assert space.bills[-1]["inputs"] == [digest(first)]


def test_previous_twice(space: TestSpace) -> None:
    """The way back of `use ID previous` isn't a way into nowhere: said again, it brings the picture that it replaced."""
    paid(space, ONE)
    pictures = []
    for old, new in itertools.pairwise(("one", "two", "three")):
        change(space, old, new)
        space.build()
        pictures.append(space.read("art/poster.png"))
    for picture in pictures:
        assert space.run("use", "poster", "previous").code == 0
        assert space.read("art/poster.png") == picture
    space.build()
    assert len(space.bills) == 3


def test_a_choice_during_a_purchase(space: TestSpace) -> None:
    """The old picture is chosen for the new text while the new one is bought: it isn't replaced."""
    paid(space, ONE)
    old = space.read("art/poster.png")
    change(space, "one", "two")
    go_on = gated(space, "two")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 2)
    assert space.run("use", "poster").code == 0
    chosen = space.lock()
    go_on("two")
    child.communicate(timeout=60)
    assert space.read("art/poster.png") == old
    assert space.lock() == chosen


def test_a_choice_just_after_the_purchase(space: TestSpace) -> None:
    """A picture is placed and its line not written yet: the choice made in this second isn't undone by that line."""
    space.write("assets.yaml", ONE.replace("poster:", "a:") + "  b:\n    prompt: |\n      The back.\n")
    hand = png()
    space.write("hand.png", hand)
    go_on = gated(space, "back")
    child = space.start("build", "-j", "2")
    wait_for((space.root / "art/a.png").exists)
    assert space.run("use", "a", "hand.png").code == 0
    go_on("back")
    child.communicate(timeout=60)
    space.run("build")
    assert space.read("art/a.png") == hand
    assert space.lock()["a"]["by_hand"] is True


def test_another_branch_is_checked_out_during_a_purchase(space: TestSpace) -> None:
    """A branch whose lockfile keeps the old picture for this very text comes while the new one is bought: nothing there is changed."""
    commit(paid(space, ONE))
    old = space.read("art/poster.png")
    change(space, "one", "two")
    commit(space, "the text")
    space.git("checkout", "-q", "-b", "keep")
    assert space.run("use", "poster").code == 0
    commit(space, "the old picture")
    chosen = space.lock()
    space.git("checkout", "-q", "-")
    go_on = gated(space, "two")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 2)
    space.git("checkout", "-q", "keep")
    go_on("two")
    child.communicate(timeout=60)
    assert space.lock() == chosen
    assert space.read("art/poster.png") == old


# ── two lines for one asset ──


def test_two_machines_have_a_first_take_and_the_id_changes(space: TestSpace) -> None:
    """The committed picture isn't replaced by this machine's own first take, which was thrown away."""
    space.write("assets.yaml", ONE.replace("${id}", "it"))
    commit(space)
    other = space.clone("clone")
    other.build()
    committed = other.read("art/it.png")
    commit(other)
    space.build()
    for path in ("assets.lock", "art/it.png"):
        (space.root / path).unlink()
    space.git("pull", "-q", "--ff-only", str(other.root), "HEAD")
    assert space.plan()["poster"]["row"] == "4"
    change(space, "  poster:", "  hero:")
    space.run("build")
    assert space.read("art/it.png") == committed


def test_two_lines_of_a_pinned_asset(space: TestSpace) -> None:
    """The pinned picture on disk isn't replaced by the other branch's."""
    paid(space, ONE)
    first = line(space)
    change(space, "one", "two")
    space.build()
    second, picture = line(space), space.read("art/poster.png")
    space.write("assets.yaml", space.read("assets.yaml") + b"    pin: true\n")
    for lines in ((first, second), (second, first)):
        lock(space, *lines)
        space.build()
        assert space.read("art/poster.png") == picture


def test_two_lines_one_of_a_choice(space: TestSpace) -> None:
    """Kept there, bought here: the picture that lies on disk isn't replaced by the other, whichever line comes first."""
    waiver, old, bought, new = kept_and_bought(space)
    for lines, picture in itertools.product(((waiver, bought), (bought, waiver)), (new, old)):
        space.write("art/poster.png", picture)
        lock(space, *lines)
        space.run("build")
        assert space.read("art/poster.png") == picture
    assert len(space.bills) == 2
