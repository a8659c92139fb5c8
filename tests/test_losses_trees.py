"""Several trees that share a store: a cleaning in one of them forgets none of the others."""

from __future__ import annotations

import re
import shutil

from assetbuild.testing.space import TestSpace
from tests.hooking import shared
from tests.saying import Story
from tests.test_losses_bytes import ONE, kept
from tests.test_scenarios import change, commit


def test_a_clone_that_only_planned_and_a_cleaning(space: TestSpace) -> None:
    """Its lockfile counts as soon as a plan has looked into the store for it; the plan makes no store."""
    store = shared(space)
    space.write(".gitignore", "art/\n")
    space.write("assets.yaml", ONE)
    space.build(env=store)
    commit(space)
    picture = space.read("art/poster.png")
    other = space.clone("clone")
    assert other.run("plan").code == 0
    assert not (other.root / ".git/assetbuild").exists()
    assert "restore" in other.run("plan", env=store).out
    change(space, "one", "two")
    space.build(env=store)
    space.git("commit", "-qam", "two")
    for path in (space.root / ".git/logs", space.root / ".git/ORIG_HEAD"):
        shutil.rmtree(path, ignore_errors=True)
    space.git("checkout", "-q", "--orphan", "only")
    space.git("commit", "-qm", "the only one")
    space.git("branch", "-qD", "main")
    assert space.run("cache", "gc", "--delete", env=store).code == 0
    other.build(env=store)
    assert other.read("art/poster.png") == picture
    assert len(space.bills) == 2


def test_a_project_moved_away_and_another_has_its_place(space: TestSpace) -> None:
    """A cleaning by the newcomer stops instead of deleting what the first project needs; run where that is now, it is found again."""
    store = shared(space)
    space.write("assets.yaml", ONE)
    space.build(env=store)
    picture = space.read("art/poster.png")
    away = TestSpace(space.folder / "away")
    away.root.rmdir()
    away.bills_file = space.bills_file
    space.root.rename(away.root)
    space.root.mkdir()
    space.write("assets.yaml", ONE.replace("one", "quite another"))
    space.build(env=store)
    tale = Story(space, "gc-moved-away")
    tale.run("cache", "gc", "--delete", env=store, code=2)
    assert kept(space, picture)
    assert away.run("cache", "stats", env=store).code == 0
    tale.note("`cache stats` was run where it is now")
    tale.run("cache", "gc", "--delete", env=store)
    tale.told[:] = [re.sub(r"\d+:(\d+|<hex>)\)", "<folder>)", text) for text in tale.told]
    tale.check()
    (away.root / "art/poster.png").unlink()
    away.build(env=store)
    assert away.read("art/poster.png") == picture
    assert len(space.bills) == 2


def test_a_fresh_clone_at_the_old_path_is_the_same_project(space: TestSpace) -> None:
    """Nobody has to forget anything, as often as a machine clones again."""
    store = shared(space)
    space.write("assets.yaml", ONE)
    space.build(env=store)
    commit(space)
    bare = space.folder / "origin.git"
    space.git("clone", "-q", "--bare", str(space.root), str(bare))
    for _ in range(2):
        space.root.rename(space.root.with_name("old"))
        space.git("clone", "-q", str(bare), str(space.root), cwd=space.folder)
        (space.root / "art/poster.png").unlink()
        space.build(env=store)
        shutil.rmtree(space.root.with_name("old"))
        assert space.run("cache", "gc", "--delete", env=store).code == 0
    assert len(space.bills) == 1
