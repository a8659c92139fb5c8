"""The last moment before a name changes hands: what somebody saves there is never lost."""

from __future__ import annotations

import sys

import pytest

from assetbuild.testing.space import TestSpace
from tests.hooking import hook, save_at_the_last_moment
from tests.test_losses_bytes import ONE, blob, kept
from tests.test_scenarios import PAID, change, paid, png


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux exchanges two names at once; the way without it: test_a_disk_that_cannot_exchange"
)
@pytest.mark.parametrize("how", ["atomic", "in place"])
def test_a_save_at_the_last_moment(space: TestSpace, how: str) -> None:
    """Between the last look and the rename somebody saves: their file stays and is told, the bought one is in the store."""
    paid(space, ONE)
    change(space, "one", "two")
    hand = save_at_the_last_moment(space, "art/poster.png", how)
    ran = space.build(code=5)
    assert "edited by hand" in ran.err
    assert space.read("art/poster.png") == hand
    space.build("--replace", "poster")
    assert space.read("art/poster.png") != hand
    assert kept(space, hand)
    assert len(space.bills) == 2


def test_a_file_appears_at_the_last_moment(space: TestSpace) -> None:
    """Where nothing lay, somebody's file appears right before ours gets its name."""
    space.write("assets.yaml", ONE)
    hand = save_at_the_last_moment(space, "art/poster.png")
    ran = space.build(code=5)
    assert "was there before and isn't ours" in ran.err
    assert space.read("art/poster.png") == hand
    assert len(space.bills) == 1


def test_use_and_a_save_at_the_last_moment(space: TestSpace) -> None:
    """`use` of another picture doesn't drop what is saved there in this very moment."""
    paid(space, ONE)
    space.write("other.png", png())
    before = space.lock()
    hand = save_at_the_last_moment(space, "art/poster.png")
    assert "a file changed" in space.run("use", "poster", "other.png").err
    assert space.read("art/poster.png") == hand
    assert space.lock() == before


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux exchanges two names at once; the way without it: test_a_disk_that_cannot_exchange"
)
def test_two_saves_at_the_last_moment(space: TestSpace) -> None:
    """A second save, right before the first is put back: the newest lies there, the other is in the store."""
    paid(space, ONE)
    change(space, "one", "two")
    first, second = save_at_the_last_moment(space, "art/poster.png"), png()
    space.write("second.png", second)
    hook(
        space,
        f"""
import assetbuild.swap
_exchange, _count = assetbuild.swap.exchange, [0]
def _again(one, other):
    import os
    _count[0] += 1
    if _count[0] == 2:
        os.replace({str(space.root / "second.png")!r}, other)
    return _exchange(one, other)
assetbuild.swap.exchange = _again
""",
    )
    space.build(code=5)
    assert space.read("art/poster.png") == second
    assert kept(space, first)
    assert len(space.bills) == 2


@pytest.mark.parametrize("refusal", ["ENOSYS", "EINVAL", "EXDEV"])
def test_a_disk_that_cannot_exchange(space: TestSpace, refusal: str) -> None:
    """Without the call, files are replaced as ever."""
    paid(space, PAID)
    change(space, "coffee", "tea")
    hook(
        space,
        f"""
import assetbuild.swap, errno
def _refused(one, other):
    raise OSError(errno.{refusal}, "refused")
assetbuild.swap.exchange = assetbuild.swap.take_free = _refused
""",
    )
    before = space.read("art/poster.png")
    space.build()
    assert space.read("art/poster.png") != before
    (space.root / "art/poster.png").unlink()
    space.build()
    assert len(space.bills) == 4
    assert not list((space.root / "art").glob(".*"))


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux exchanges two names at once; the way without it: test_a_disk_that_cannot_exchange"
)
def test_a_kill_while_two_files_change_names(space: TestSpace) -> None:
    """What somebody saved in that moment lies in our folder then, and goes into the store a day later, not into the bin."""
    paid(space, ONE)
    change(space, "one", "two")
    hand = save_at_the_last_moment(space, "art/poster.png")
    assert space.run("build", env={"CRASH_AT": "assetbuild.swap._give_back:1"}).code == 137
    assert kept(space, hand)
    hook(space, "import os, time\nif 'TOMORROW' in os.environ:\n    _now = time.time\n    time.time = lambda: _now() + 90_000\n")
    change(space, "two", "three")
    space.build(env={"TOMORROW": "1"})
    assert blob(space, hand).read_bytes() == hand
    assert not list((space.root / ".assetbuild/tmp").iterdir())


def test_rename_and_a_file_that_appears(space: TestSpace) -> None:
    """`rename` doesn't replace what appears at the new path while it moves a file."""
    paid(space, ONE)
    theirs = png()
    hook(
        space,
        f"""
import assetbuild.verbs.renaming
_make = assetbuild.verbs.renaming.make_folders
def _meanwhile(folder, **kwargs):
    _make(folder, **kwargs)
    (folder / "hero.png").write_bytes({theirs!r})
assetbuild.verbs.renaming.make_folders = _meanwhile
""",
    )
    ran = space.run("rename", "poster", "hero")
    assert "art/poster.png stays where it is: art/hero.png is taken" in ran.err
    assert space.read("art/hero.png") == theirs
    assert (space.root / "art/poster.png").is_file()


def test_a_picture_without_its_line_and_a_new_text(space: TestSpace) -> None:
    """Killed between output and lock line, then the text changes: the picture that lies there is still ours, and is replaced."""
    paid(space, ONE)
    change(space, "one", "two")
    assert space.run("build", env={"CRASH_AT": "assetbuild.lockfile.merge:1"}).code == 137
    before = space.read("art/poster.png")
    change(space, "two", "three")
    space.build()
    assert space.read("art/poster.png") != before
    assert len(space.bills) == 3
