"""How money could be lost: the same picture paid for twice, or a picture paid for that nobody wants any more. None of it may happen.

`counting` writes a bill for each call and never gives the same bytes twice, so each story ends with a count of bills.
"""

from __future__ import annotations

import sys
import time

from assetbuild.facts import Planner
from assetbuild.lockfile import Line
from assetbuild.project import Env, Project
from assetbuild.testing.space import TestSpace
from tests.storing import digest
from tests.test_losses_bytes import ONE, TWO_STEPS, gated, kept, provider, retouch, story
from tests.test_scenarios import PAID, change, commit, lose_store, paid, png, wait_for

PAIR = ONE.replace("poster:", "a:") + "  b:\n    prompt: |\n      The back.\n"


def same(count: int, prompt: str) -> str:
    """A spec of assets with one manifest."""
    head = ONE.partition("  poster:")[0]
    return head + "".join(f"  p{n}:\n    prompt: |\n      {prompt}\n" for n in range(count))


def prompts(space: TestSpace) -> list[str]:
    """What was paid for."""
    return [bill["prompt"] for bill in space.bills]


# ── paid twice ──


def test_an_input_vanishes_while_others_are_bought(space: TestSpace) -> None:
    """The build doesn't drop the purchases in flight, which would be paid for again."""
    space.write("photo.png", png())
    space.write("assets.yaml", PAIR + "  c:\n    base: {file: photo.png}\n    prompt: |\n      Edit it.\n")
    go_on = gated(space, "one", "back")
    child = space.start("build", "-j", "2")
    wait_for(lambda: len(space.bills) == 2)
    (space.root / "photo.png").unlink()
    go_on("back")
    wait_for((space.root / "art/b.png").exists)
    time.sleep(0.5)  # `c` looks for its photo
    go_on("one")
    _, err = child.communicate(timeout=60)
    assert child.returncode == 5, err
    space.write("photo.png", png())
    space.build()
    assert sorted(prompts(space)) == ["A poster one.", "Edit it.", "The back."]


def test_a_provider_has_a_bug_while_others_are_bought(space: TestSpace) -> None:
    """An error that no provider should raise doesn't drop the purchases in flight."""
    space.write("assets.yaml", PAIR.replace("The back.", "The back [bug]."))
    go_on = gated(space, "one")
    child = space.start("build", "-j", "2")
    wait_for(lambda: len(space.bills) == 2)
    time.sleep(0.5)  # the error goes its way
    go_on("one")
    child.communicate(timeout=60)
    assert child.returncode == 70
    space.write("assets.yaml", ONE.replace("poster:", "a:"))
    space.build()
    assert prompts(space).count("A poster one.") == 1


def test_one_manifest_is_refused_once(space: TestSpace) -> None:
    """Six assets with one manifest aren't six refusals to pay for."""
    space.write("assets.yaml", same(6, "Same [refuse]."))
    assert "6 failed" in space.build(code=1).err
    assert len(space.bills) == 1


def test_rebuy_of_twins(space: TestSpace) -> None:
    """Two assets with one manifest, both bought again in one run: one more take, not two."""
    paid(space, same(2, "Same."))
    space.build("--rebuy", "p0", "--rebuy", "p1")
    assert len(space.bills) == 2
    assert space.read("art/p0.png") == space.read("art/p1.png")


def test_rebuy_of_a_rejected_picture(space: TestSpace) -> None:
    """It isn't paid for and then left in the store, with the rejected one in its place."""
    paid(space, ONE)
    rejected = space.read("art/poster.png")
    space.write("assets.lock", space.read("assets.lock").replace(b'"take":1', b'"take":1,"rejected":"six fingers"'))
    assert space.plan()["poster"]["row"] == "3a"
    space.build("--rebuy", "poster")
    assert len(space.bills) == 2
    assert space.read("art/poster.png") != rejected


def test_rebuy_of_a_pinned_edit(space: TestSpace) -> None:
    """A pin isn't paid around: the picture stays lost until the pin is gone, and the message says so."""
    paid(space)
    space.write("assets.yaml", space.read("assets.yaml") + b"    pin: true\n")
    lose_store(space)
    (space.root / "art/poster-de.png").unlink()
    space.build(code=5)
    ran = space.build("--rebuy", "poster-de", code=2)
    assert "pin" in ran.err
    assert "hint:" in ran.err
    assert len(space.bills) == 2


def test_a_pinned_drawing_is_deleted(space: TestSpace) -> None:
    """Neither its file nor the store has it: that isn't a crash."""
    paid(space, PAID.replace("counting", "comp"))
    space.write("assets.yaml", space.read("assets.yaml") + b"    pin: true\n")
    lose_store(space)
    (space.root / "art/poster-de.png").unlink()
    ran = space.run("build")
    assert ran.code in (0, 5), ran.text


def test_replace_of_what_was_not_selected(space: TestSpace) -> None:
    """`--replace` isn't ignored in silence beside a selection: the retouched file is kept and ours stands there."""
    paid(space)
    ours = space.read("art/poster-de.png")
    hand = retouch(space, "art/poster-de.png")
    ran = space.build("poster", "--replace", "poster-de")
    assert "poster-de" in ran.err
    assert space.read("art/poster-de.png") == ours
    assert kept(space, hand)
    assert len(space.bills) == 2


def test_two_clones_build_with_one_store(space: TestSpace) -> None:
    """What two clones want at once is bought by one of them and given to both."""
    store = {"ASSETBUILD_STORE": str(space.folder / "shared-store")}
    space.write("assets.yaml", PAID.replace("coffee", "coffee [slow]"))
    commit(space)
    other = space.clone("clone")
    for child in [one.start("build", env=store) for one in (space, other)]:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
    assert len(space.bills) == 2
    assert space.read("art/poster.png") == other.read("art/poster.png")


def test_the_store_is_deleted_during_a_purchase(space: TestSpace) -> None:
    """What comes back is kept in a new one, not paid for again."""
    paid(space, ONE)
    change(space, "one", "two")
    go_on = gated(space, "two")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 2)
    lose_store(space)
    go_on("two")
    child.communicate(timeout=60)
    space.build()
    assert len(space.bills) == 2


# ── paid again on the way back ──


def test_path_and_prompt_away_and_back_in_a_clone(space: TestSpace) -> None:
    """A clone without a store doesn't buy what still lies at the old path, tracked by git."""
    commit(paid(space, ONE))
    other = space.clone("clone")
    old = other.read("art/poster.png")
    change(other, "art/", "pictures/")
    change(other, "one", "two")
    other.build()
    assert other.read("art/poster.png") == old
    change(other, "two", "one")
    other.build()
    assert other.read("pictures/poster.png") == old
    assert len(space.bills) == 2


def test_a_set_shrinks_and_grows_in_a_clone(space: TestSpace) -> None:
    """The old pictures, which lay there all the time, aren't bought again."""
    commit(paid(space, story("a", "b", "c")))
    other = space.clone("clone")
    before = other.files()
    change(other, "[a, b, c]", "[a, b]")
    other.build()
    change(other, "[a, b]", "[a, b, c]")
    other.build()
    assert len(space.bills) == 2
    for name in "abc":
        assert other.read(f"art/story-{name}.png") == before[f"art/story-{name}.png"]


def test_a_set_shrinks_and_grows_with_replace(space: TestSpace) -> None:
    """Told to replace, it still takes what is there before it buys."""
    commit(paid(space, story("a", "b", "c")))
    other = space.clone("clone")
    change(other, "[a, b, c]", "[a, b]")
    other.build()
    (other.root / "art/story-c.png").unlink()
    other.write("art/story-c.png", space.read("art/story-c.png"))  # `git checkout` of it
    change(other, "[a, b]", "[a, b, c]")
    other.build("--replace", "story")
    assert len(space.bills) == 2


def test_bytes_that_the_store_knows_only_as_an_input(space: TestSpace) -> None:
    """A base whose file was deleted isn't bought again: its bytes came into the store with an edit."""
    commit(paid(space))
    other = space.clone("clone")
    base = other.read("art/poster.png")
    change(other, "Langsam", "Schnell")
    other.build()
    (other.root / "art/poster.png").unlink()
    change(other, "for coffee", "for tea")
    other.build()
    bills = len(space.bills)
    change(other, "for tea", "for coffee")
    other.build()
    assert other.read("art/poster.png") == base
    assert len(space.bills) == bills


def test_the_other_line_of_a_merge_lends_its_bytes(space: TestSpace) -> None:
    """Two lines after a union merge: the one that lost isn't forgotten while its picture lies at its own path."""
    paid(space, ONE)
    header, old = space.read("assets.lock").decode().splitlines()
    change(space, "art/", "pictures/")
    change(space, "one", "two")
    space.build()
    new = space.read("assets.lock").decode().splitlines()[1]
    lose_store(space)
    space.write("assets.lock", f"{header}\n{old}\n{new}\n")
    space.build()
    change(space, "two", "one")
    space.build()
    assert space.read("pictures/poster.png") == space.read("art/poster.png")
    assert len(space.bills) == 2


def test_rows_change_places_and_ids_change_names(space: TestSpace) -> None:
    """Neither the order of a matrix nor its ids are a bill."""
    spec = ONE.replace("  poster:\n", "  p-${l}:\n    matrix: {l: [en, de, ja]}\n").replace("one", "${l}")
    paid(space, spec)
    before = space.files()
    change(space, "[en, de, ja]", "[ja, en, de]")
    space.build()
    change(space, "p-${l}", "q/${l}")
    space.build()
    assert len(space.bills) == 3
    for name in ("en", "de", "ja"):
        assert space.read(f"art/q/{name}.png") == before[f"art/p-{name}.png"]


def test_a_photo_changes_while_its_edit_is_bought(space: TestSpace) -> None:
    """The edit isn't placed beside another photo, nor paid for again when the first photo comes back."""
    first = space.write("photo.png", png()).read_bytes()
    space.write("assets.yaml", ONE.replace("    prompt", "    base: {file: photo.png}\n    prompt"))
    go_on = gated(space, "one")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 1)
    retouch(space, "photo.png")
    go_on("one")
    child.communicate(timeout=60)
    assert not (space.root / "art/poster.png").exists()
    space.build()
    assert [bill["inputs"] for bill in space.bills] == [[digest(first)], [digest(space.read("photo.png"))]]
    space.write("photo.png", first)
    space.build()
    assert len(space.bills) == 2


# ── paid for nothing ──


def test_a_base_changes_while_it_is_bought(space: TestSpace) -> None:
    """No edit is bought of a picture that the spec no longer wants."""
    space.write("assets.yaml", PAID)
    go_on = gated(space, "coffee")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 1)
    change(space, "for coffee", "for tea")
    go_on("coffee")
    child.communicate(timeout=60)
    assert len(space.bills) == 1


def test_a_step_changes_while_it_is_bought(space: TestSpace) -> None:
    """The next step isn't bought for a text that is gone."""
    space.write("assets.yaml", TWO_STEPS)
    go_on = gated(space, "one")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 1)
    change(space, "one", "two")
    go_on("one")
    child.communicate(timeout=60)
    assert len(space.bills) == 1


def test_an_asset_changes_while_it_waits_for_its_turn(space: TestSpace) -> None:
    """With `-j 1` its old text isn't bought after the spec stopped wanting it."""
    space.write("assets.yaml", PAIR)
    go_on = gated(space, "one")
    child = space.start("build", "-j", "1")
    wait_for(lambda: len(space.bills) == 1)
    change(space, "The back", "The new back")
    go_on("one")
    child.communicate(timeout=60)
    assert "The back." not in prompts(space)


def test_an_old_picture_is_chosen_while_its_asset_waits(space: TestSpace) -> None:
    """With `-j 1`, what `use` kept for the new text isn't bought all the same."""
    paid(space, PAIR)
    old = space.read("art/b.png")
    change(space, "one", "one more")
    change(space, "The back", "The new back")
    go_on = gated(space, "one")
    child = space.start("build", "-j", "1")
    wait_for(lambda: len(space.bills) == 3)
    assert space.run("use", "b").code == 0
    go_on("one")
    child.communicate(timeout=60)
    assert len(space.bills) == 3
    assert space.read("art/b.png") == old


def test_a_provider_learned_another_default(space: TestSpace) -> None:
    """`build` doesn't answer up to date from its table of files while `plan` knows that the key is another."""
    provider(space, "")
    paid(space, ONE)
    time.sleep(2.1)  # files are old enough to be believed without a look inside
    assert "1 up to date" in space.build().err
    ops = 'MODELS = copy.deepcopy(MODELS)\nMODELS["models"]["count-1"]["ops"]["generate"]["defaults"]["quality"] = "high"\n'
    provider(space, ops)
    assert space.plan()["poster"]["row"] == "15"
    space.build()
    assert len(space.bills) == 2


def test_a_file_is_saved_where_a_new_picture_is_being_bought(space: TestSpace) -> None:
    """The first of an asset that had none: the file stays, the picture is in the store and paid for once."""
    space.write("assets.yaml", ONE)
    go_on = gated(space, "one")
    child = space.start("build", "--yes")
    wait_for(lambda: len(space.bills) == 1)
    hand = png()
    space.write("art/poster.png", hand)
    go_on("one")
    _, err = child.communicate(timeout=60)
    assert child.returncode == 5, err
    assert space.read("art/poster.png") == hand
    space.run("build", "--replace", "poster")
    assert space.read("art/poster.png") != hand
    assert kept(space, hand)
    assert len(space.bills) == 1


def test_a_picture_that_was_just_made(space: TestSpace) -> None:
    """Without a look into the store only where nothing else can be true: no line, no file, the same recipe; and its take counts."""
    space.write("assets.yaml", ONE.replace("counting", "apiframe"))
    project = Project(Env(space.root, {}, sys.stdout, sys.stderr), space.root / "assets.yaml")
    planner = Planner(project)
    (plan,) = planner.plan(["poster"])
    step, digest = plan.steps[-1], "a" * 64
    known = planner.just_made(step, 1, (digest,))
    assert known is not None
    assert known.facts.store is not None
    assert [take.digests for take in known.facts.store.takes] == [(digest,)]
    assert step.action is not None
    assert planner.just_made(step._replace(action=step.action._replace(key="b" * 64)), 1, (digest,)) is None
    planner.lock.doubles["poster"] = ()
    assert planner.just_made(step, 1, (digest,)) is None
    del planner.lock.doubles["poster"]
    planner.lock.lines["poster"] = Line("poster", step.action.key, 1, {}, (), 1)
    assert planner.just_made(step, 1, (digest,)) is None
    del planner.lock.lines["poster"]
    space.write("art/poster.png", png())
    assert planner.just_made(step, 1, (digest,)) is None
    project.close()
