"""The situations of a project's life, through the real command line, counting bills. Numbers are those of the list of scenarios: one noun, a
scenario a test.

`counting` is a provider that never gives the same bytes twice and writes a line for each call; `comp` draws here, free.
"""

from __future__ import annotations

import copy
import hashlib
import io
import os
import shutil
import time
import unicodedata

import pytest
from PIL import Image

from assetbuild.digest import action
from assetbuild.providers.table import Table, builtin
from assetbuild.reader import DiskReader
from assetbuild.spec import load
from assetbuild.testing import counting
from assetbuild.testing.space import TestSpace

PAID = """\
version: 1
project: fika
defaults: {provider: counting, output: "art/${id}.png"}
assets:
  poster:
    prompt: |
      A poster for coffee.
  poster-de:
    base: poster
    prompt: |
      Set the headline to "Langsam".
"""


def png() -> bytes:
    """A small picture unlike any other."""
    return counting._png(os.urandom(8).hex())


RETOUCHED = png()


def paid(space: TestSpace, spec: str = PAID) -> TestSpace:
    """The project, built once."""
    space.write("assets.yaml", spec)
    space.build()
    return space


def change(space: TestSpace, old: str, new: str) -> None:
    """Edits the spec."""
    text = space.read("assets.yaml").decode()
    assert old in text
    space.write("assets.yaml", text.replace(old, new))


def lose_store(space: TestSpace) -> None:
    """The store and everything else of ours in the tree are gone."""
    for folder in (space.root / ".assetbuild", space.root / ".git" / "assetbuild"):
        if folder.exists():
            for path in folder.rglob("*"):
                os.chmod(path, 0o755 if path.is_dir() else 0o644)
            shutil.rmtree(folder)


def commit(space: TestSpace, message: str = "x") -> None:
    """Everything is committed."""
    if not (space.root / ".git").exists():
        space.git("init", "-q")
        space.write(".gitattributes", "assets.lock text eol=lf merge=union\n")
    space.git("add", "-A")
    space.git("commit", "-q", "-m", message)


def test_01_first_build(space: TestSpace) -> None:
    """Bases are made, edits wait for them; then nothing is to be done."""
    space.write("assets.yaml", PAID)
    plan = space.plan()
    assert (plan["poster"]["row"], plan["poster-de"]["row"]) == ("15", "2")
    assert "unknown until `poster` is built" in plan["poster-de"]["reason"]
    assert not (space.root / "art").exists()
    ran = space.build()
    assert len(space.bills) == 2
    assert space.bills[1]["inputs"] == [space.lock()["poster"]["outputs"][0]["digest"]]
    assert "2 drawn" in ran.err or "2 bought" in ran.err
    again = space.build()
    assert again.out == ""
    assert again.err.splitlines()[-1].startswith("2 up to date in ")
    assert len(again.err.splitlines()) == 1
    assert len(space.bills) == 2


def test_02_clone_with_outputs_and_no_store(space: TestSpace) -> None:
    """A fresh clone is up to date, and `--frozen` is green."""
    commit(paid(space))
    other = space.clone("clone")
    assert {p["row"] for p in other.plan().values()} == {"4"}
    other.build("--frozen")
    other.build()
    assert len(space.bills) == 2
    assert not (other.root / ".git" / "assetbuild").exists()  # the store isn't even opened


def test_03_clone_with_a_store_from_a_cache(space: TestSpace) -> None:
    """Outputs that aren't committed come back from a store that somebody brought."""
    space.git("init", "-q")
    paid(space)
    commit(space)
    (space.root / ".gitignore").write_text("art/\n")
    space.git("rm", "-rq", "--cached", "art")
    commit(space, "ignore")
    other = space.clone("clone")
    shutil.copytree(space.root / ".git" / "assetbuild", other.root / ".git" / "assetbuild")
    assert {p["row"] for p in other.plan().values()} == {"7"}
    other.build("--frozen")
    assert other.read("art/poster.png") == space.read("art/poster.png")
    assert len(space.bills) == 2


def test_04_clone_without_outputs_or_store(space: TestSpace) -> None:
    """Pictures that were paid for and are nowhere are never silently bought again."""
    space.write(".gitignore", "art/\n")
    paid(space)
    commit(space)
    other = space.clone("clone")
    plan = other.plan()
    assert plan["poster-de"]["row"] == "9"
    assert "lost" in plan["poster-de"]["reason"]
    assert "--rebuy poster-de" in plan["poster-de"]["hint"]
    assert plan["poster"]["decision"] == "up to date"  # nothing needs the base
    other.build(code=5)
    other.build("--frozen", code=3)
    assert len(space.bills) == 2


def test_05_the_same_with_comps(space: TestSpace) -> None:
    """What is drawn here is drawn again, free, and is the same."""
    space.write(".gitignore", "art/\n")
    paid(space, PAID.replace("counting", "comp"))
    commit(space)
    other = space.clone("clone")
    assert {p["row"] for p in other.plan().values()} == {"15"}
    other.build()
    assert other.files() == space.files()


def test_06_clone_commits_finals_and_ignores_bases(space: TestSpace) -> None:
    """A base that nothing needs is no trouble; it is asked for when an edit must be made from it."""
    space.write(".gitignore", "art/poster.png\n")
    paid(space)
    commit(space)
    other = space.clone("clone")
    assert {n: p["row"] for n, p in other.plan().items()} == {"poster": "9", "poster-de": "4"}
    ran = other.build("--frozen")
    assert "1 up to date, 1 not here, not needed" in ran.err
    other.build()
    again = other.build()
    assert "1 up to date, 1 not here, not needed" in again.err
    change(other, "Langsam", "Sanft")
    plan = other.plan()
    assert (plan["poster"]["row"], plan["poster"]["decision"]) == ("9", "waiting for you")
    assert plan["poster-de"]["decision"] == "skipped"
    other.build(code=5)
    assert len(space.bills) == 2


def test_07_prompt_away_and_back(space: TestSpace) -> None:
    """The way back costs nothing."""
    paid(space)
    first = space.files()
    change(space, "for coffee", "for tea")
    assert space.plan()["poster"]["reason"] == "prompt changed"
    space.build()
    assert len(space.bills) == 4
    change(space, "for tea", "for coffee")
    assert space.plan()["poster"]["row"] == "8"
    space.build()
    assert len(space.bills) == 4
    assert {k: v for k, v in space.files().items() if k.startswith("art")} == {
        k: v for k, v in first.items() if k.startswith("art")
    }


def test_08_away_and_back_in_a_clone_without_a_store(space: TestSpace) -> None:
    """Old bytes and lock line go into the store when they are replaced."""
    commit(paid(space))
    other = space.clone("clone")
    first = other.read("art/poster-de.png")
    change(other, "Langsam", "Sanft")
    other.build()
    assert len(space.bills) == 3
    change(other, "Sanft", "Langsam")
    other.build()
    assert other.read("art/poster-de.png") == first
    assert len(space.bills) == 3


def test_09_the_newest_take_comes_back(space: TestSpace) -> None:
    """Which take comes back with the prompt isn't a matter of what was chosen then: the newest that isn't rejected."""
    paid(space)
    first = space.read("art/poster-de.png")
    space.build("--rebuy", "poster-de")
    second = space.read("art/poster-de.png")
    assert space.run("use", "poster-de", "1").code == 0
    assert space.read("art/poster-de.png") == first
    assert space.plan()["poster-de"]["row"] == "4"
    change(space, "Langsam", "Sanft")
    space.build()
    change(space, "Sanft", "Langsam")
    space.build()
    assert space.read("art/poster-de.png") == second
    assert len(space.bills) == 4


def test_10_base_changed_and_early_cutoff(space: TestSpace) -> None:
    """An edit waits for its base, and stays if the base comes back with the same bytes."""
    paid(space)
    change(space, "for coffee", "for tea")
    assert {n: p["row"] for n, p in space.plan().items()} == {"poster": "15", "poster-de": "2"}
    comps = TestSpace(space.folder / "comps")
    paid(comps, PAID.replace("counting", "comp"))
    before = comps.read("art/poster-de.png")
    (comps.root / "art/poster.png").unlink()
    lose_store(comps)
    ran = comps.build()
    assert "1 up to date, 1 drawn" in ran.err
    assert comps.read("art/poster-de.png") == before


def test_11_base_edited_by_hand(space: TestSpace) -> None:
    """Nothing is overwritten; finished edits are fine, changed ones wait."""
    paid(space)
    space.write("art/poster.png", RETOUCHED)
    assert {n: p["row"] for n, p in space.plan().items()} == {"poster": "5", "poster-de": "4"}
    change(space, "Langsam", "Sanft")
    assert {n: p["row"] for n, p in space.plan().items()} == {"poster": "5", "poster-de": "13"}
    ran = space.build(code=5)
    assert "art/poster.png was edited by hand" in ran.err
    assert space.read("art/poster.png") == RETOUCHED
    assert len(space.bills) == 2


def test_12_retouched_used_then_prompt_changed(space: TestSpace) -> None:
    """A picture made by hand is kept until the user says otherwise."""
    paid(space)
    space.write("art/poster-de.png", RETOUCHED)
    assert space.run("use", "poster-de").code == 0
    space.build()
    change(space, "Langsam", "Sanft")
    assert space.plan()["poster-de"]["row"] == "10"
    space.build(code=5)
    assert space.read("art/poster-de.png") == RETOUCHED
    space.build("--replace", "poster-de")
    assert len(space.bills) == 3
    assert space.read("art/poster-de.png") != RETOUCHED
    assert space.run("use", "poster-de", "previous").code == 0
    assert space.read("art/poster-de.png") == RETOUCHED


def test_12b_a_retouched_picture_comes_back_as_one(space: TestSpace) -> None:
    """Replaced when told, restored with its prompt, it is still a person's picture and isn't replaced untold."""
    paid(space)
    space.write("art/poster-de.png", RETOUCHED)
    assert space.run("use", "poster-de").code == 0
    change(space, "Langsam", "Sanft")
    space.build("--replace", "poster-de")
    change(space, "Sanft", "Langsam")
    space.build()
    back = space.read("art/poster-de.png")
    change(space, "Langsam", "Leise")
    assert space.plan()["poster-de"]["row"] == ("10" if back == RETOUCHED else "15")
    assert space.lock()["poster-de"].get("by_hand", False) is (back == RETOUCHED)


def test_12c_a_retouched_file_replaced_as_told_is_kept(space: TestSpace) -> None:
    """Its bytes have a name on screen, `use ID previous` brings them back, and no gc takes them."""
    paid(space)
    space.write("art/poster-de.png", RETOUCHED)
    ran = space.build("--replace", "poster-de")
    assert space.read("art/poster-de.png") != RETOUCHED
    assert "your file is in the store: `assetbuild use poster-de" in ran.err
    assert space.run("cache", "gc", "--delete").code == 0
    assert space.run("use", "poster-de", "previous").code == 0
    assert space.read("art/poster-de.png") == RETOUCHED
    ran = space.build("--replace", "poster-de")  # takes `use` back
    assert space.read("art/poster-de.png") != RETOUCHED
    assert len(space.bills) == 2


def test_12d_no_step_is_made_for_a_picture_that_must_wait(space: TestSpace) -> None:
    """A retouched picture of a chain: its first step isn't bought before the person was asked."""
    text = '    base: poster\n    prompt: |\n      Set the headline to "Langsam".\n'
    paid(space, PAID.replace(text, text + "    then:\n      - Make it bolder.\n"))
    assert len(space.bills) == 3
    space.write("art/poster-de.png", RETOUCHED)
    change(space, "Langsam", "Sanft")
    plan = space.plan()["poster-de"]
    assert (plan["row"], plan["step"]) == ("5", 1)
    space.build(code=5)
    assert len(space.bills) == 3
    space.run("use", "poster-de")
    assert space.run("plan").code == 0
    space.build("--replace", "poster-de")
    assert len(space.bills) == 5


def test_reasons_of_chains(space: TestSpace) -> None:
    """The reason is the line that differs, also for an earlier step, with or without the store."""
    text = '    base: poster\n    prompt: |\n      Set the headline to "Langsam".\n'
    paid(space, PAID.replace(text, text + "    then:\n      - Make it bolder.\n"))
    change(space, "Langsam", "Sanft")
    assert space.plan()["poster-de"]["reason"] == "prompt changed"
    assert '[-"Langsam".-] {+"Sanft".+}' in space.run("plan").out
    change(space, "Sanft", "Langsam")
    change(space, "      - Make it bolder.\n", "      - Make it bolder.\n      - Make it blue.\n")
    assert space.plan()["poster-de"]["reason"] == "a step was added"


def test_two_builds_share_the_work_of_drawing(space: TestSpace) -> None:
    """What is free is drawn once, too."""
    spec = "version: 1\nassets:\n" + "".join(f"  a{n}:\n    prompt: |\n      Number {n}.\n" for n in range(12))
    space.write("assets.yaml", spec)
    both = [space.start("build") for _ in range(2)]
    drawn = 0
    for child in both:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
        drawn += err.count("drawn     ")
        assert err.count("another run") <= 1
    assert drawn == 12


def test_13_another_assets_bytes(space: TestSpace) -> None:
    """The message says whose picture lies there."""
    paid(space)
    space.write("art/poster-de.png", space.read("art/poster.png"))
    plan = space.plan()["poster-de"]
    assert plan["row"] == "5"
    assert "the picture of `poster`" in plan["reason"]


def test_14_to_16_pinned(space: TestSpace) -> None:
    """A pinned picture doesn't look at its inputs; it comes back when deleted and is never overwritten."""
    paid(space)
    change(
        space,
        '    prompt: |\n      Set the headline to "Langsam".',
        '    pin: true\n    prompt: |\n      Set the headline to "Sanft".',
    )
    change(space, "for coffee", "for tea")
    assert {n: p["row"] for n, p in space.plan().items()} == {"poster": "15", "poster-de": "4"}
    before = space.read("art/poster-de.png")
    space.build()
    (space.root / "art/poster-de.png").unlink()
    assert space.plan()["poster-de"]["row"] == "7"
    space.build()
    assert space.read("art/poster-de.png") == before
    space.write("art/poster-de.png", b"mine")
    assert space.plan()["poster-de"]["row"] == "5"
    assert len(space.bills) == 3


def test_17_a_waiver_ends_with_the_next_change(space: TestSpace) -> None:
    """`use` keeps the old picture for the spec as it is; the reason after that is against the locked manifest."""
    paid(space)
    change(space, "Langsam", "Sanft")
    assert space.run("use", "poster-de").code == 0
    assert space.plan()["poster-de"]["row"] == "4"
    (space.root / "art/poster-de.png").unlink()
    assert space.plan()["poster-de"]["row"] == "7"
    space.build()
    change(space, "Sanft", "Leise")
    plan = space.plan()["poster-de"]
    assert (plan["row"], plan["reason"]) == ("15", "prompt changed")
    assert len(space.bills) == 2


def test_18_use_while_the_base_is_waiting(space: TestSpace) -> None:
    """There is no key to choose the picture for; `pin` is the way."""
    paid(space)
    change(space, "for coffee", "for tea")
    ran = space.run("use", "poster-de")
    assert ran.code == 2
    assert "pin" in ran.err


def branches(space: TestSpace, spec: str, ours: tuple[str, str], theirs: tuple[str, str]) -> None:
    """Two branches, each with a change and a build."""
    commit(paid(space, spec))
    space.git("checkout", "-q", "-b", "other")
    change(space, *theirs)
    space.build()
    commit(space, "theirs")
    space.git("checkout", "-q", "-")
    change(space, *ours)
    space.build()
    commit(space, "ours")


def test_19_two_branches_change_different_assets(space: TestSpace) -> None:
    """Both lines stand after a union merge."""
    spec = PAID + "  back:\n    prompt: |\n      The back.\n  side:\n    prompt: |\n      The side.\n"
    branches(space, spec, ("The back", "Our back"), ("The side", "Their side"))
    space.git("merge", "-q", "other", "-m", "merged")
    assert {p["row"] for p in space.plan().values()} == {"4"}
    bills = len(space.bills)
    space.build("--frozen")
    space.build()
    assert len(space.bills) == bills


def test_20_and_59_two_purchases_of_one_key(space: TestSpace) -> None:
    """The one on disk is the picture; the other stays reachable by `use`."""
    commit(paid(space))
    other = space.clone("clone")
    other.bills_file = other.folder / "bills"  # days later: the vendor doesn't know any more that it was asked for before
    for one in (space, other):
        change(one, "Langsam", "Sanft")
        one.build()
        commit(one, "sanft")
    theirs = other.read("art/poster-de.png")
    mine = space.read("art/poster-de.png")
    assert theirs != mine
    space.git("pull", "-q", "--no-edit", "--no-rebase", "-X", "ours", str(other.root), "HEAD")
    assert space.plan()["poster-de"]["row"] == "4"
    space.build()
    assert space.read("art/poster-de.png") == mine
    assert (len(space.bills), len(other.bills)) == (3, 1)


def test_22_and_23_output_path_moved(space: TestSpace) -> None:
    """With or without a store, the picture comes from where it was."""
    paid(space)
    change(space, 'output: "art/${id}.png"', 'output: "pictures/${id}.png"')
    assert {p["row"] for p in space.plan().values()} == {"7"}
    space.build()
    assert space.read("pictures/poster.png") == space.read("art/poster.png")
    lose_store(space)
    change(space, "pictures/", "images/")
    assert {p["row"] for p in space.plan().values()} == {"7"}
    space.build()
    assert len(space.bills) == 2
    assert space.lock()["poster"]["outputs"][0]["path"] == "images/poster.png"


def test_24_id_renamed_without_rename(space: TestSpace) -> None:
    """The orphaned line lends its bytes."""
    paid(space)
    lose_store(space)
    change(space, "  poster-de:", "  plakat:")
    assert space.plan()["plakat"]["row"] == "8"
    space.build()
    assert space.read("art/plakat.png") == space.read("art/poster-de.png")
    assert "poster-de" in space.lock()  # `build` never removes a line
    assert len(space.bills) == 2


def test_25_profiles_have_their_own_trees(space: TestSpace) -> None:
    """final → draft → final buys nothing, and a draft never touches a final."""
    spec = PAID.replace("assets:\n", "profiles:\n  draft: {provider: comp}\nassets:\n")
    paid(space, spec)
    finals = space.files()
    space.build("--profile", "draft")
    assert (space.root / ".assetbuild/draft/art/poster-de.png").is_file()
    assert space.files() == finals
    again = space.build()
    assert "2 up to date" in again.err
    assert len(space.bills) == 2


def test_39_lockfile_deleted(space: TestSpace) -> None:
    """The results know the pictures; a hand-made one isn't ours without its line."""
    paid(space)
    space.write("art/poster-de.png", RETOUCHED)
    assert space.run("use", "poster-de").code == 0
    (space.root / "assets.lock").unlink()
    assert {n: p["row"] for n, p in space.plan().items()} == {"poster": "8", "poster-de": "5"}
    space.build(code=5)
    assert space.read("art/poster-de.png") == RETOUCHED
    assert len(space.bills) == 2


def test_40_store_lost(space: TestSpace) -> None:
    """Lock and outputs are enough; `--rebuy` buys the next take."""
    paid(space)
    lose_store(space)
    assert {p["row"] for p in space.plan().values()} == {"4"}
    space.build()
    assert len(space.bills) == 2
    old = space.read("art/poster-de.png")
    space.build("--rebuy", "poster-de")
    assert len(space.bills) == 3
    assert space.lock()["poster-de"]["take"] == 2
    assert space.read("art/poster-de.png") != old
    assert space.run("use", "poster-de", "1").code == 0
    assert space.read("art/poster-de.png") == old


def test_41_corrupt_blob(space: TestSpace) -> None:
    """A damaged blob is never served: what was paid for and is nowhere else is lost, and said so."""
    paid(space)
    digest = space.lock()["poster-de"]["outputs"][0]["digest"]
    blob = next((space.root / ".assetbuild").rglob(digest[2:]))
    os.chmod(blob, 0o644)
    blob.write_bytes(b"\0" * blob.stat().st_size)
    (space.root / "art/poster-de.png").unlink()
    ran = space.build(code=5)
    assert "lost" in ran.err
    assert not (space.root / "art/poster-de.png").exists()
    assert space.build(code=5).code == 5
    assert len(space.bills) == 2


def test_42_branch_switch_with_ignored_outputs(space: TestSpace) -> None:
    """The other branch's picture comes from the store."""
    space.write(".gitignore", "art/\n")
    commit(paid(space))
    space.git("checkout", "-q", "-b", "tea")
    change(space, "for coffee", "for tea")
    space.build()
    commit(space, "tea")
    space.git("checkout", "-q", "-")
    assert {n: p["row"] for n, p in space.plan().items()} == {"poster": "7", "poster-de": "7"}
    space.build()
    assert len(space.bills) == 4


def test_43_spec_changed_during_a_job(space: TestSpace) -> None:
    """What was made for a spec that isn't any more is kept, not placed."""
    space.write("assets.yaml", PAID)
    gate = space.folder / "gate"
    child = space.start("build", "poster", env={"COUNTING_GATE": str(gate)})
    wait_for(lambda: len(space.bills) == 1)
    change(space, "for coffee", "for tea")
    gate.write_text("open")
    _, err = child.communicate(timeout=60)
    assert "kept" in err
    assert not (space.root / "art/poster.png").exists()
    change(space, "for tea", "for coffee")
    space.build("poster")
    assert len(space.bills) == 1


def test_44_twins(space: TestSpace) -> None:
    """Paths and ids that a file system may take for one are a mistake of the spec."""
    space.write("assets.yaml", PAID + "  Poster:\n    prompt: |\n      x\n")
    assert space.run("plan").code == 2
    nfd = unicodedata.normalize("NFD", "café")
    space.write("assets.yaml", PAID + f"  café:\n    prompt: |\n      x\n  {nfd}:\n    prompt: |\n      y\n")
    assert space.run("plan").code == 2


def test_45_changes_that_hide(space: TestSpace) -> None:
    """Same size and same mtime are not enough to be the same file."""
    paid(space)
    space.build()
    path = space.root / "art/poster.png"
    stat = path.stat()
    space.write("art/poster.png", b"\1" * stat.st_size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    space.build(code=5)


def test_46_a_checkout_touches_every_mtime(space: TestSpace) -> None:
    """Hashed again, then up to date."""
    paid(space)
    space.build()
    for path in [*space.root.glob("art/*"), space.root / "assets.yaml"]:
        path.touch()
    assert "2 up to date" in space.build().err
    assert len(space.bills) == 2


def test_49_frozen_takes_no_take_of_another_day(space: TestSpace) -> None:
    """Row 8 is stale under `--frozen`."""
    paid(space)
    change(space, "for coffee", "for tea")
    space.build()
    change(space, "for tea", "for coffee")
    assert space.plan()["poster"]["row"] == "8"
    before = space.files()
    ran = space.build("--frozen", code=3)
    assert "poster" in ran.text
    assert space.files() == before


def test_50_two_clones_share_a_store(space: TestSpace) -> None:
    """What one clone's gc may delete is never what the other one's lockfile names."""
    store = {"ASSETBUILD_STORE": str(space.folder / "shared-store")}
    space.write("assets.yaml", PAID)
    space.build(env=store)
    commit(space)
    other = space.clone("clone")
    change(other, "Langsam", "Sanft")
    other.build(env=store)
    change(other, "Sanft", "Leise")
    other.build(env=store)
    ran = space.run("cache", "gc", "--delete", env=store)
    assert ran.code == 0, ran.text
    (other.root / "art/poster-de.png").unlink()
    (space.root / "art/poster-de.png").unlink()
    other.build(env=store)
    space.build(env=store)
    assert len(space.bills) == 4


def test_51_a_release_learns_a_parameter(space: TestSpace) -> None:
    """New limits and a parameter without a default: no key changes."""
    space.write("assets.yaml", PAID.replace("counting", "comp"))
    tree = copy.deepcopy(builtin()._tree)
    for op in tree["comp"]["models"]["comp-1"]["ops"].values():
        op["params"]["grain"] = {"integer": [0, 9]}
        op["limits"] = {**op["limits"], "inputs": 7}
    keys = []
    for table in (builtin(), Table(tree)):
        spec = load("assets.yaml", DiskReader(str(space.root)), table)
        keys.append([action(a.steps[0], ["a" * 64] * len(a.steps[0].inputs)).key for a in spec.assets])
    assert keys[0] == keys[1]


def test_52_git_lfs_pointers(space: TestSpace) -> None:
    """A pointer stands for its bytes; nothing can be made from it."""
    image = io.BytesIO()
    Image.new("RGB", (90, 40), "red").save(image, "PNG")  # its ratio can't be seen in a pointer
    spec = PAID + "  photo:\n    base: {file: photos/1.png}\n    prompt: |\n      Brighter.\n"
    spec += "  card:\n    base: photo\n    prompt: |\n      On a card.\n"
    space.write("photos/1.png", image.getvalue())
    paid(space, spec)
    for path in ("art/poster.png", "photos/1.png"):
        content = space.read(path)
        oid = hashlib.sha256(content).hexdigest()
        space.write(path, f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n")
    lose_store(space)
    assert {p["row"] for p in space.plan().values()} == {"4"}
    space.build("--frozen")
    change(space, "Brighter", "Darker")
    change(space, "Langsam", "Sanft")
    plan = space.plan()
    assert plan["photo"]["row"] == "13"
    assert "Git LFS pointer" in plan["photo"]["reason"]
    assert plan["poster-de"]["decision"] == "skipped"
    space.build(code=5)
    assert len(space.bills) == 4


def test_55_reflow(space: TestSpace) -> None:
    """Prettier on a prompt file, `|` to `>-`, CRLF, NFD: nothing changes."""
    spec = PAID.replace("    prompt: |\n      A poster for coffee.\n", "    prompt: {file: prompts/poster.md}\n")
    space.write("prompts/poster.md", "A poster for café,\nwith generous margins.\n\nFlat shapes.\n")
    paid(space, spec)
    space.write(
        "prompts/poster.md",
        unicodedata.normalize("NFD", "A poster for café, with generous\r\nmargins.   \r\n\r\n\r\nFlat shapes."),
    )
    change(
        space, 'prompt: |\n      Set the headline to "Langsam".', 'prompt: >-\n      Set the\n      headline to\n      "Langsam".'
    )
    assert {p["row"] for p in space.plan().values()} == {"4"}
    space.write("assets.yaml", b"\xef\xbb\xbf" + space.read("assets.yaml").replace(b"\n", b"\r\n"))
    assert {p["row"] for p in space.plan().values()} == {"4"}
    space.build("--frozen")


def test_57_one_missing_photo_of_many(space: TestSpace) -> None:
    """It holds its own asset only."""
    rows = "".join(f"{n},photos/{n:04}.png\n" for n in range(12))
    space.write("products.csv", "sku,photo\n" + rows)
    for n in range(12):
        if n != 7:
            space.write(f"photos/{n:04}.png", png())
    spec = 'version: 1\ndefaults: {provider: counting}\nassets:\n  "cut/${p.sku}":\n    matrix: {p: {from: products.csv}}\n'
    spec += '    base: {file: "${p.photo}"}\n    prompt: |\n      On white.\n'
    space.write("assets.yaml", spec)
    ran = space.build(code=5)
    assert "waiting for photos/0007.png" in ran.err
    assert len(space.bills) == 11
    space.write("photos/0007.png", png())
    space.build()
    assert len(space.bills) == 12


def test_58_a_step_is_added(space: TestSpace) -> None:
    """Earlier steps aren't made again, with or without a store."""
    paid(space)
    text = '    base: poster\n    prompt: |\n      Set the headline to "Langsam".\n'
    change(space, text, text + "    then:\n      - Make it bolder.\n")
    space.build()
    assert len(space.bills) == 3
    lose_store(space)
    change(space, "      - Make it bolder.\n", "      - Make it bolder.\n      - Make it blue.\n")
    assert space.plan()["poster-de"]["step"] == 3
    space.build()
    assert len(space.bills) == 4
    assert len(space.lock()["poster-de"]["steps"]) == 2
    commit(space)
    assert {p["row"] for p in space.clone("clone").plan().values()} == {"4"}
    change(space, "      - Make it blue.\n", "")
    space.build()
    assert len(space.bills) == 4


def test_60_a_profile_that_buys_in_a_colleagues_clone(space: TestSpace) -> None:
    """Its lock and outputs are committed: nothing is to be done."""
    spec = PAID.replace("assets:\n", 'profiles:\n  proof: {quality: low, output: "proofs/${id}.png"}\nassets:\n')
    space.write("assets.yaml", spec)
    space.build("--profile", "proof")
    assert (space.root / "assets.proof.lock").is_file()
    commit(space)
    other = space.clone("clone")
    ran = other.build("--profile", "proof")
    assert "2 up to date" in ran.err
    assert len(space.bills) == 2


def test_same_picture_twice_is_made_once(space: TestSpace) -> None:
    """Ten assets with one manifest share one take, and are told so."""
    spec = "version: 1\ndefaults: {provider: counting}\nassets:\n" + "".join(
        f"  same-{n}:\n    prompt: |\n      One.\n" for n in range(4)
    )
    space.write("assets.yaml", spec)
    ran = space.build()
    assert len(space.bills) == 1
    assert "are the same picture" in ran.err
    assert len({space.read(f"art/same-{n}.png") for n in range(4)}) == 1


def test_a_failure_stops_only_what_hangs_on_it(space: TestSpace) -> None:
    """The rest goes on; exit 1."""
    spec = PAID.replace("A poster for coffee.", "A poster. [fail]") + "  back:\n    prompt: |\n      The back.\n"
    space.write("assets.yaml", spec)
    ran = space.build(code=1)
    assert "the provider said no" in ran.err
    assert (space.root / "art/back.png").is_file()
    assert "1 skipped, 1 failed" in ran.err


@pytest.mark.parametrize("count", [2, 8])
def test_many_builds_at_once(space: TestSpace, count: int) -> None:
    """Each key is made once, by whoever has the claim."""
    spec = "version: 1\ndefaults: {provider: counting}\nassets:\n" + "".join(
        f"  a{n}:\n    prompt: |\n      Number {n}.\n  b{n}:\n    base: a{n}\n    prompt: |\n      Bluer.\n" for n in range(4)
    )
    space.write("assets.yaml", spec)
    children = [space.start("build") for _ in range(count)]
    for child in children:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
    assert len(space.bills) == 8
    assert len({b["key"] for b in space.bills}) == 8
    assert len(space.lock()) == 8
    assert "8 up to date" in space.build().err


def wait_for(there: object, seconds: float = 30) -> None:
    """Until something is true."""
    end = time.monotonic() + seconds
    while not there():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
