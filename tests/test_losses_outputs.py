"""Outputs that aren't what the spec takes them for: two names of one file, pipes, folders, pointers of Git LFS."""

from __future__ import annotations

import os
import shutil
import socket

from assetbuild.testing.space import TestSpace
from tests.hooking import posix
from tests.saying import Story
from tests.test_losses_bytes import ONE, lfs
from tests.test_scenarios import change, paid, png

LINKED = """\
version: 1
defaults: {provider: counting, output: "art/${id}.png"}
assets:
  poster:
    prompt: |
      The poster.
  back:
    output: print/poster.png
    prompt: |
      The back.
  edit:
    base: {file: photo.png}
    prompt: |
      Edit it.
"""


def refused(space: TestSpace, name: str) -> Story:
    """`plan`, `build` and `use` end before any work; nothing is bought or changed."""
    before = {str(p) for p in space.root.rglob("*")}
    tale = Story(space, name)
    tale.run("build", code=2)
    for words in (("plan",), ("use", "*"), ("build", "--frozen")):
        assert space.run(*words).code == 2
    assert not space.bills
    assert {str(p) for p in space.root.rglob("*")} == before
    return tale


@posix
def test_outputs_and_inputs_that_are_one_file(space: TestSpace) -> None:
    """By a linked folder, a link, a hard link: all told in one run, with the way out; then all three are made."""
    space.write("assets.yaml", LINKED)
    (space.root / "art").mkdir()
    (space.root / "print").symlink_to("art")
    (space.root / "photo.png").symlink_to("art/poster.png")
    tale = refused(space, "overlaps")
    (space.root / "print").unlink()
    (space.root / "print").mkdir()
    space.write("art/poster.png", png())
    (space.root / "print/poster.png").symlink_to("../art/poster.png")
    tale.note("`print` is a folder now, with a link in it")
    tale.run("build", code=2)
    for path in ("print/poster.png", "photo.png"):
        (space.root / path).unlink()
        os.link(space.root / "art/poster.png", space.root / path)
    tale.note("hard links instead")
    tale.run("build", code=2)
    assert not space.bills
    for path in ("art/poster.png", "print/poster.png", "photo.png"):
        (space.root / path).unlink()
    space.write("photo.png", png())
    space.build()
    assert len(space.bills) == 3
    tale.check()


@posix
def test_twins_that_were_joined_to_save_room(space: TestSpace) -> None:
    """Two assets with one picture, made hard links by a tool: nothing to complain about, and a new picture is a file of its own."""
    spec = ONE.partition("  poster")[0] + "".join(
        f"  {n}:\n    prompt: |\n      {t}\n" for n, t in (("a", "Same."), ("b", "Same."))
    )
    paid(space, spec)
    (space.root / "art/b.png").unlink()
    os.link(space.root / "art/a.png", space.root / "art/b.png")
    before = space.read("art/a.png")
    space.build()
    change(space, "  b:\n    prompt: |\n      Same.", "  b:\n    prompt: |\n      Other.")
    space.build()
    assert space.read("art/a.png") == before
    assert space.read("art/b.png") != before


@posix
def test_pipes_sockets_devices_and_folders_at_outputs(space: TestSpace) -> None:
    """Nothing is paid for what couldn't be put there, nor waited for."""
    names = ["pipe", "socket", "device", "folder"]
    space.write("assets.yaml", ONE.partition("  poster")[0] + "".join(f"  {n}:\n    prompt: |\n      A {n}.\n" for n in names))
    (space.root / "art").mkdir()
    os.mkfifo(space.root / "art/pipe.png")
    here = os.getcwd()
    os.chdir(space.root / "art")  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket.png")
    os.chdir(here)
    (space.root / "art/device.png").symlink_to("/dev/null")
    space.write("art/folder.png/mine.txt", "mine")
    tale = refused(space, "odd-outputs")
    for name in names[:3]:
        (space.root / f"art/{name}.png").unlink()
    shutil.rmtree(space.root / "art/folder.png")
    space.build()
    assert len(space.bills) == 4
    tale.check()


def test_replace_over_a_strange_git_lfs_pointer(space: TestSpace) -> None:
    """A pointer to bytes that nobody here has isn't somebody's work: no `use ID previous` leads to it, and `--replace` doesn't end in an error."""
    paid(space, ONE)
    ours = space.read("art/poster.png")
    space.write("art/poster.png", lfs(b"somebody else's picture"))
    space.build(code=5)
    ran = space.build("--replace", "poster")
    assert "your file is in the store" not in ran.err
    assert space.read("art/poster.png") == ours
    assert "by hand" not in space.run("show", "poster").out
    assert space.run("cache", "verify").code == 0
    assert "no earlier picture" in space.run("use", "poster", "previous").err
    assert space.read("art/poster.png") == ours
