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


# ── several takes ──

THREE = ONE.replace("  poster:\n", "  poster:\n    takes: 3\n")
EDIT = """\
  poster-de:
    base: poster
    prompt: |
      In German.
"""


def bound(space: TestSpace, ident: str = "poster") -> str:
    """The digest that the lock line names."""
    return str(space.lock()[ident]["outputs"][0]["digest"])


def test_takes_to_choose_from_and_a_clone_without_a_store(space: TestSpace) -> None:
    """A clone knows by its lockfile that three were bought, chosen or not: it buys none, and its edits wait for the choice as well."""
    space.write("assets.yaml", THREE + EDIT)
    space.build(code=5)
    commit(space)
    other = space.clone("clone")
    other.build(code=5)
    assert other.plan()["poster"]["reason"] == "3 takes, none chosen"
    assert "3 takes" in other.plan()["poster-de"]["reason"]
    assert len(space.bills) == 3
    assert space.run("use", "poster", "1").code == 0
    commit(space, "the first")
    third = space.clone("third")
    third.build()
    assert [b["inputs"] for b in space.bills[3:]] == [[bound(space)]]


def test_a_choice_and_no_choice_of_the_same_picture_merge(space: TestSpace) -> None:
    """One branch chose and approved what lies there, the other touched its line: the union of the two lines keeps the choice."""
    space.write("assets.yaml", THREE.replace("takes: 3", "takes: 3\n    approve: required") + EDIT)
    space.build(code=5)
    undecided = line(space)
    assert space.run("approve", "poster", "3", "--note", "Mara").code == 0
    approved = line(space)
    for lines in ((undecided, approved), (approved, undecided)):
        lock(space, *lines)
        plan = space.plan()
        assert plan["poster"]["reason"] == ""
        assert plan["poster-de"]["row"] == "15"
    space.build()
    assert space.run("show", "poster", "--json").json["asset"]["made"]["note"] == "Mara"
    assert len(space.bills) == 4


def test_an_approval_isnt_replaced_by_that_of_another_picture(space: TestSpace) -> None:
    """Two lines of one picture, one with an approval of it, one with that of an older picture: this one's counts, whichever is greater."""
    space.write("assets.yaml", ONE.replace("  poster:\n", "  poster:\n    approve: required\n") + EDIT)
    space.build(code=5)
    assert space.run("approve", "poster").code == 0
    mine = line(space)
    for old in ("0" * 64, "f" * 64):
        lock(space, mine.replace(f'"approved":"{bound(space)}"', f'"approved":"{old}"'), mine)
        assert space.plan()["poster"]["reason"] == ""


def test_an_approval_comes_back_with_its_picture(space: TestSpace) -> None:
    """Prompt away and back: the approved picture is approved; the one between wasn't, and its edit waited."""
    space.write("assets.yaml", ONE.replace("  poster:\n", "  poster:\n    approve: required\n") + EDIT)
    space.build(code=5)
    assert space.run("approve", "poster").code == 0
    space.build()
    change(space, "one", "two")
    space.build(code=5)
    assert space.plan()["poster"]["reason"] == "not approved yet"
    change(space, "two", "one")
    space.build()
    assert [(p["row"], p["reason"]) for p in space.plan().values()] == [("4", "")] * 2
    assert len(space.bills) == 3


def test_an_approval_stays_when_the_picture_does(space: TestSpace) -> None:
    """Renamed, moved, its tags changed, deleted and put back: the picture is the same, and approved."""
    space.write("assets.yaml", ONE.replace("  poster:\n", "  poster:\n    approve: required\n"))
    space.build()
    assert space.run("approve", "poster").code == 0
    assert space.run("rename", "poster", "hero").code == 0
    change(space, "  poster:", "  hero:\n    tags: [launch]")
    change(space, "art/", "pictures/")
    space.build()
    (space.root / "pictures/hero.png").unlink()
    space.build()
    assert space.plan()["hero"]["reason"] == ""
    assert space.lock()["hero"]["approved"] == bound(space, "hero")


def test_a_set_is_approved_whole(space: TestSpace) -> None:
    """The approval of a set is of all its pictures; one that is replaced ends it."""
    space.write(
        "assets.yaml",
        ONE.replace("  poster:\n", "  story:\n    approve: required\n    set: [a, b]\n").replace("${id}", "${member}"),
    )
    space.build()
    assert space.run("approve", "story").code == 0
    assert space.plan()["story"]["reason"] == ""
    hand = retouch(space, "hand.png")
    assert space.run("use", "story#b", "hand.png").code == 0
    assert space.read("art/b.png") == hand
    assert space.plan()["story"]["reason"] == "not approved yet"


def test_a_take_that_was_not_chosen_comes_back_and_no_edit_is_bought(space: TestSpace) -> None:
    """Take 1 was chosen, the prompt went away and came back: the newest take lies there, and what is made from it waits for a person."""
    paid(space, ONE)
    first = space.read("art/poster.png")
    assert space.run("reroll", "poster").code == 0
    second = space.read("art/poster.png")
    assert space.run("use", "poster", "1").code == 0
    change(space, "one", "two")
    space.build()
    change(space, "two", "one")
    space.write("assets.yaml", space.read("assets.yaml") + EDIT.encode())
    assert space.plan()["poster-de"]["row"] == "12"
    space.build(code=5)
    assert space.read("art/poster.png") == second != first
    assert space.plan()["poster-de"]["row"] == "12"
    assert len(space.bills) == 3


def test_more_takes_are_wanted_later(space: TestSpace) -> None:
    """`takes: 3` at a picture that is there: two more are bought; at one that was chosen: none."""
    paid(space, ONE)
    space.write("assets.yaml", THREE)
    assert space.plan()["poster"]["reason"] == "2 more to choose from (`takes: 3`)"
    space.build()
    assert [b["take"] for b in space.bills] == [1, 2, 3]
    assert space.run("use", "poster", "1").code == 0
    change(space, "takes: 3", "takes: 5")
    assert space.plan()["poster"]["row"] == "4"
    assert space.run("cache", "verify").code == 0
    assert len(space.bills) == 3


# ── rejected ──


def test_a_rejected_picture_and_its_edits(space: TestSpace) -> None:
    """54: it waits, finished edits stay, new ones wait for it; a rejected take is never put back, in this clone or a colleague's."""
    space.write("assets.yaml", ONE + EDIT)
    space.build()
    assert space.run("reject", "poster", "--note", "six fingers").code == 0
    commit(space)
    rows = {name: plan["row"] for name, plan in space.plan().items()}
    assert rows == {"poster": "3a", "poster-de": "4"}
    change(space, "In German.", "In English.")
    rows = {name: plan["row"] for name, plan in space.plan().items()}
    assert rows == {"poster": "3a", "poster-de": "13"}
    change(space, "In English.", "In German.")
    change(space, "one", "two")
    space.build()
    change(space, "two", "one")
    space.build(code=5)
    assert space.plan()["poster"]["row"] == "3a"
    assert len(space.bills) == 4


def test_a_rejection_by_somebody_who_has_another_store(space: TestSpace) -> None:
    """It came with the lockfile: the store here learns of it when the picture is replaced, and doesn't serve it when the prompt comes back."""
    commit(paid(space, ONE))
    other = space.clone("clone")
    assert other.run("reject", "poster", "--note", "dull").code == 0
    commit(other, "no")
    space.git("pull", "-q", "--ff-only", str(other.root), "HEAD")
    assert space.plan()["poster"]["reason"] == "rejected: dull"
    change(space, "one", "two")
    space.build()
    new = space.read("art/poster.png")
    change(space, "two", "one")
    space.build(code=5)
    assert space.read("art/poster.png") == new
    assert space.plan()["poster"]["reason"] == "rejected: dull"


def test_a_rejection_during_a_purchase(space: TestSpace) -> None:
    """The old picture is rejected while that of the new text is bought: the new one gets its place, and isn't rejected."""
    paid(space, ONE)
    change(space, "one", "two")
    go_on = gated(space, "two")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 2)
    assert space.run("reject", "poster", "1").code == 2  # it is a take of another text
    go_on("two")
    child.communicate(timeout=60)
    assert space.plan()["poster"]["row"] == "4"


def test_an_approval_during_a_purchase(space: TestSpace) -> None:
    """One more take is on its way while the old one is approved: the new one gets its place, to be chosen, and the old one's approval isn't lost."""
    paid(space, ONE)
    old = space.read("art/poster.png")
    go_on = gated(space, "one")
    child = space.start("reroll", "poster")
    wait_for(lambda: len(space.bills) == 2)
    assert space.run("approve", "poster").code == 0
    go_on("one")
    child.communicate(timeout=60)
    assert space.lock()["poster"]["approved"] == digest(old)
    assert space.plan()["poster"]["reason"] == "2 takes, none chosen"
    assert {t["take"] for t in space.run("takes", "--json", "poster").json["assets"][0]["takes"]} == {1, 2}


def test_a_rejected_take_is_chosen_again(space: TestSpace) -> None:
    """`use` takes the word back, in the lockfile and in the store."""
    space.write("assets.yaml", THREE)
    space.build()
    for take in "123":
        assert space.run("reject", "poster", take).code == 0
    space.build(code=5)
    assert space.run("use", "poster", "2").code == 0
    takes = space.run("takes", "--json", "poster").json["assets"][0]["takes"]
    assert [t["rejected"] for t in takes] == ["", None, ""]
    change(space, "one", "two")
    change(space, "takes: 3", "takes: 1")
    space.build()
    change(space, "two", "one")
    space.build()
    assert digest(space.read("art/poster.png")) == takes[1]["digests"][0]
    assert len(space.bills) == 4
