"""Whose picture a strange file is: one that another branch made is told from one that somebody edited."""

from __future__ import annotations

from assetbuild.testing.space import TestSpace
from tests.hooking import hook
from tests.saying import Story
from tests.test_losses_bytes import ONE, retouch
from tests.test_scenarios import change, commit, lose_store, paid


def test_a_picture_of_another_branch(space: TestSpace) -> None:
    """Left by a checkout that ignores pictures: it is told whose it is, by plan, build and show, with one look at the refs."""
    space.write(".gitignore", "art/\n")
    commit(paid(space, ONE))
    space.git("checkout", "-q", "-b", "print")
    change(space, "one", "two")
    space.build()
    commit(space, "two")
    picture = space.read("art/poster.png")
    space.git("checkout", "-q", "main")
    lose_store(space)
    tale = Story(space, "branch")
    tale.note("the picture of branch print lies there yet")
    tale.run("plan", "poster")
    tale.run("build", code=5)
    tale.run("show", "poster")
    assert space.read("art/poster.png") == picture
    space.git("checkout", "-q", "--detach")
    space.git("tag", "proofs", "print")
    space.git("branch", "-qD", "print")
    tale.note("the branch is gone, a tag has it")
    tale.run("plan", "poster")
    retouch(space, "art/poster.png")
    tale.note("somebody retouches it: no branch knows that")
    tale.run("plan", "poster")
    tale.check()


def test_many_branches_are_read_once(space: TestSpace) -> None:
    """However many files and refs: git is asked three times, and each lockfile that differs is read once."""
    space.write(".gitignore", "art/\n")
    names = "abcdefgh"
    commit(paid(space, ONE.partition("  poster")[0] + "".join(f"  {n}:\n    prompt: |\n      One {n}.\n" for n in names)))
    for number in range(40):
        space.git("branch", f"b{number}")
    for name in names:
        retouch(space, f"art/{name}.png")
    calls = space.folder / "git-calls"
    hook(
        space,
        f"""
import subprocess
_run = subprocess.run
def _counted(call, *args, **kwargs):
    with open({str(calls)!r}, "ab") as file:
        file.write(" ".join(call).encode() + b"\\n" + (kwargs.get("input") or b"") + b"---\\n")
    return _run(call, *args, **kwargs)
subprocess.run = _counted
""",
    )
    assert space.build("-v", code=5).err.count("was edited by hand") == len(names)
    asked = calls.read_text().split("---\n")[:-1]
    assert len(asked) == 3
    assert len(asked[2].splitlines()) == 2, "one lockfile"
    calls.unlink()
    for name in names:
        space.run("use", name)
    calls.unlink(missing_ok=True)
    change(space, "One a", "Two a")
    space.run("plan")
    assert not calls.exists(), "nothing strange is about to be held"


def test_a_strange_file_without_git(space: TestSpace) -> None:
    """A repository that git can't read isn't a crash."""
    commit(paid(space, ONE))
    retouch(space, "art/poster.png")
    (space.root / ".git/packed-refs").write_text("not refs\n")
    assert "edited by hand" in space.build(code=5).err
    assert "edited by hand" in space.build(code=5, env={"PATH": "/nowhere"}).err
