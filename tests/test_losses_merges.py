"""The lockfile and other people's lines in it: a merge that fails in the middle of a build, and what lets git join two branches' lines."""

from __future__ import annotations

import time

from assetbuild.testing.space import TestSpace
from tests.hooking import hook
from tests.saying import Story
from tests.test_losses_bytes import ONE, gated
from tests.test_losses_choices import use_file
from tests.test_scenarios import change, paid, wait_for


def test_a_merge_that_fails_keeps_what_its_lines_were_made_from(space: TestSpace) -> None:
    """Conflict markers come into the lockfile during a build and go with a line that somebody chose: the retry leaves that one alone."""
    paid(space, ONE.replace("poster:", "a:"))
    before, bought = space.read("assets.lock"), space.read("art/a.png")
    use_file(space, "a")
    theirs = space.read("assets.lock")
    space.write("assets.lock", before)
    space.write("art/a.png", bought)
    change(space, "one.\n", "two.\n  b:\n    prompt: |\n      The back.\n")
    hook(space, "import assetbuild.placing\nassetbuild.placing.LOCK_SECONDS = 2\n")
    go_on = gated(space, "two", "back")
    child = space.start("build", "-j", "2")
    wait_for(lambda: len(space.bills) == 3)
    go_on("two")
    wait_for(lambda: space.read("art/a.png") != bought)
    space.write("assets.lock", before + b"<<<<<<< HEAD\n")
    time.sleep(2.5)  # a merge fails
    space.write("assets.lock", theirs)
    go_on("back")
    _, err = child.communicate(timeout=60)
    assert "another picture was chosen for it meanwhile" in err
    assert space.lock()["a"]["by_hand"] is True
    assert "b" in space.lock()


def test_git_attributes_without_init(space: TestSpace) -> None:
    """Who never ran `init` is told once, when the lockfile is made, what keeps two branches' lines from a conflict."""
    space.git("init", "-q")
    space.write("assets.yaml", ONE)
    tale = Story(space, "no-attributes")
    tale.run("build")
    change(space, "one", "two")
    tale.run("build")
    tale.check()
    other = TestSpace(space.folder / "other")
    other.bills_file = space.bills_file
    other.git("init", "-q")
    other.write("sub/assets.yaml", ONE)
    other.write(".gitattributes", "*.lock text eol=lf merge=union\n")
    assert "gitattributes" not in other.run("build", cwd=other.root / "sub").err
    third = TestSpace(space.folder / "third")
    third.write("assets.yaml", ONE)
    assert "gitattributes" not in third.build().err, "no git, no hint"
