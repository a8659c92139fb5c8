"""What a hostile reading of the code found: cleanings that don't know what was laid aside, rounds that one wish spoils, waits without an end,
words that weren't true.

Each story failed once. Where it needs a moment that nobody can hit by hand, the child's Python is hooked at its start.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from assetbuild.oslock import locked
from assetbuild.testing.space import TestSpace
from tests.hooking import fills_up, hook, posix, rescued, save_at_the_last_moment, shared
from tests.saying import Story
from tests.test_losses_bytes import ONE, gated, kept, lfs, provider, retouch, story
from tests.test_losses_money import PAIR, same
from tests.test_scenarios import change, commit, paid, png, wait_for

# ── what was laid aside ──

# The disk is full when the second picture of a set comes, as long as there is a file `full`.
SECOND = """
import assetbuild.store.cas, assetbuild.files, errno, os
_put, _pictures = assetbuild.store.cas.Cas.put, [0]
def _second(self, content, *, durable):
    if content[:4] == b"\\x89PNG" and os.path.exists({full!r}):
        _pictures[0] += 1
        if _pictures[0] == 2:
            raise assetbuild.files.disk_error(OSError(errno.ENOSPC, "full"), self.root)
    return _put(self, content, durable=durable)
assetbuild.store.cas.Cas.put = _second
"""


def record(space: TestSpace) -> Path:
    """The record of what was laid aside."""
    (found,) = (space.root / ".assetbuild/rescued").glob("*.json")
    return found


def test_room_is_made_by_a_cleaning(space: TestSpace) -> None:
    """The pictures are in the store, only their record is laid aside; `cache gc --delete`, as whoever needs room would run it, leaves them."""
    fills_up(space, story("a", "b"), "record", "one")
    assert space.run("cache", "gc", "--delete").code == 0
    space.build()
    assert len(space.bills) == 1


def test_room_is_made_by_a_cleaning_and_half_a_set_is_in_the_store(space: TestSpace) -> None:
    """One picture is in the store, the other laid aside: they stay together."""
    full = space.folder / "full"
    full.touch()
    hook(space, SECOND.format(full=str(full)))
    space.write("assets.yaml", story("a", "b"))
    space.build(code=1)
    full.unlink()
    assert len(rescued(space)) == 1
    assert space.run("cache", "gc", "--delete").code == 0
    space.build()
    assert len(space.bills) == 1


def test_one_picture_of_a_laid_aside_set_is_gone(space: TestSpace) -> None:
    """The other isn't deleted with the record, and it is told where it lies."""
    fills_up(space, story("a", "b"), "cas", "one")
    first, second = rescued(space)
    first.unlink()
    tale = Story(space, "rescued-half")
    tale.run("plan")
    tale.note("one of the two is deleted")
    tale.run("build")
    assert second.exists()
    tale.check()


@pytest.mark.parametrize(
    "change_it",
    [
        {"assetbuild.rescued": 2},
        {"blobs": [["", "z" * 64, 5, "image/png"]]},
        {"blobs": [["", "A" * 64, 5, "image/png"]]},
        {"key": ["a"]},
        {"made_at": None},
        {"take": "one"},
        None,
    ],
)
def test_a_record_that_cannot_be_read(space: TestSpace, change_it: dict[str, Any] | None) -> None:
    """It stands for money: nothing is bought past it, and no traceback ends the build."""
    fills_up(space, ONE, "cas", "one")
    text, place = record(space).read_text(), record(space)
    place.write_text(text[:50] if change_it is None else json.dumps(json.loads(text) | change_it))
    tale = Story(space, "rescued-newer" if change_it and "assetbuild.rescued" in change_it else "rescued-damaged")
    tale.run("build", code=2)
    assert len(space.bills) == 1
    (picture,) = rescued(space)
    content = picture.read_bytes()
    assert space.run("use", "poster", str(picture.relative_to(space.root))).code == 0
    place.unlink()
    space.build()
    assert space.read("art/poster.png") == content
    assert len(space.bills) == 1
    tale.check()


def test_what_another_user_laid_aside(space: TestSpace) -> None:
    """A container ran as root, its owner goes on: the tree's own folder counts whoever owns it."""
    fills_up(space, ONE, "cas", "one")
    hook(space, "import os\nif hasattr(os, 'getuid'):\n    os.getuid = lambda: 4711\n")
    space.build()
    assert len(space.bills) == 1


# ── what a cleaning takes for garbage ──


def test_use_over_a_retouched_file_and_a_cleaning(space: TestSpace) -> None:
    """`use` says that what lay there is kept: it is, also through `cache gc --delete`."""
    paid(space, ONE)
    hand = retouch(space, "art/poster.png")
    space.write("other.png", png())
    assert "previous` brings it back" in space.run("use", "poster", "other.png").err
    assert space.run("cache", "gc", "--delete").code == 0
    assert kept(space, hand)
    assert space.run("use", "poster", "previous").code == 0
    assert space.read("art/poster.png") == hand


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux exchanges two names at once; the way without it: test_a_disk_that_cannot_exchange"
)
def test_a_save_that_was_swept_and_a_cleaning(space: TestSpace) -> None:
    """What a kill left of somebody's save is a person's work."""
    paid(space, ONE)
    change(space, "one", "two")
    hand = save_at_the_last_moment(space, "art/poster.png")
    assert space.run("build", env={"CRASH_AT": "assetbuild.swap._give_back:1"}).code == 137
    hook(space, "import os, time\nif 'TOMORROW' in os.environ:\n    _now = time.time\n    time.time = lambda: _now() + 90_000\n")
    change(space, "two", "three")
    space.build(env={"TOMORROW": "1"})
    assert not list((space.root / ".assetbuild/tmp").iterdir())
    assert space.run("cache", "gc", "--delete").code == 0
    assert kept(space, hand)


def test_the_number_of_a_folder_comes_back(space: TestSpace) -> None:
    """A project's disk isn't mounted, and a new folder has the number that the project's had: it isn't taken for it, a cleaning stops."""
    store = shared(space)
    space.write(".gitignore", "art/\n")
    space.write("assets.yaml", ONE)
    space.build(env=store)
    picture = space.read("art/poster.png")
    other = TestSpace(space.folder / "other")
    other.bills_file = space.bills_file
    other.write("assets.yaml", ONE.replace("one", "quite another"))
    shutil.move(space.root, space.folder / "unmounted")
    found = os.stat(other.root)
    database = sqlite3.connect(space.folder / "shared-store/store.db")
    with database as db:
        (text,) = db.execute("SELECT locks FROM trees").fetchone()
        tree = json.loads(text) | {"folder": f"{found.st_dev}:{found.st_ino}"}
        db.execute("UPDATE trees SET locks = ?", (json.dumps(tree),))
    database.close()
    other.build(env=store)
    assert "the folder isn't there" in other.run("cache", "gc", "--delete", env=store).err
    shutil.move(space.folder / "unmounted", space.root)
    shutil.rmtree(space.root / "art")
    space.build(env=store)
    assert space.read("art/poster.png") == picture
    assert len(space.bills) == 2


# ── rounds, waits, interrupts ──

SLOW_RECORD = """
import assetbuild.placing, time
_write = assetbuild.placing.Ledger._write
def _slowly(self, asked):
    time.sleep(0.5)
    return _write(self, asked)
assetbuild.placing.Ledger._write = _slowly
"""


SENDING = """
async def send(payload, http, idempotency_key):
    done = await real.send(payload, http, idempotency_key)
    prompt = json.loads(payload.body)["prompt"]
"""


@pytest.mark.parametrize("notes", ['{"x": b"y"}', '{1: 2, "a": 3}', '{"x": "\\udc80"}', '{("a",): 1}'])
def test_notes_that_no_json_can_say(space: TestSpace, notes: str) -> None:
    """A provider's slip costs neither its picture nor those that are recorded in the same round."""
    hook(space, SLOW_RECORD)
    code = f"    return done._replace(notes={notes}) if 'odd' in prompt else done\n"
    head = SENDING
    provider(space, head + code)
    rows = "".join(f"  {name}:\n    prompt: |\n      A {name} one.\n" for name in ("odd", "even", "good"))
    space.write("assets.yaml", ONE + rows)
    space.build("-j", "8")
    assert "4 up to date" in space.build().err
    assert len(space.bills) == 4


def test_one_wish_spoils_no_round(space: TestSpace) -> None:
    """One picture can't be recorded by a fault of its own; the others of its round are, and aren't paid again."""
    hook(space, SLOW_RECORD)
    fault = "_replace(images=tuple(image._replace(media=None) for image in done.images))"
    head = SENDING
    provider(space, head + f"    return done.{fault} if 'odd' in prompt else done\n")
    rows = "".join(f"  {name}:\n    prompt: |\n      A {name} one.\n" for name in ("odd", "even", "good"))
    space.write("assets.yaml", ONE + rows)
    space.build("-j", "8", code=70)
    space.build("even", "good", "poster")
    assert len(space.bills) == 4


def test_use_while_the_last_merge_waits(space: TestSpace) -> None:
    """A merge is under way when the build ends, and somebody chooses: that choice stays, as the build says."""
    paid(space, ONE.replace("poster:", "a:"))
    before, bought = space.read("assets.lock"), space.read("art/a.png")
    space.write("mine.png", png())
    assert space.run("use", "a", "mine.png").code == 0
    theirs = space.read("assets.lock")
    space.write("assets.lock", before)
    space.write("art/a.png", bought)
    change(space, "one.\n", "two.\n  b:\n    prompt: |\n      The back.\n")
    go_on = gated(space, "two", "back")
    child = space.start("build", "-j", "2")
    wait_for(lambda: len(space.bills) == 3)
    with locked(space.root / ".assetbuild/assets.lock.guard", wait=5, busy="the guard is held"):
        go_on("two")
        wait_for(lambda: space.read("art/a.png") != bought)
        time.sleep(1.5)  # a merge waits for the guard
        go_on("back")
        wait_for((space.root / "art/b.png").exists)
        time.sleep(0.5)
        space.write("assets.lock", theirs)
    _, err = child.communicate(timeout=60)
    assert "another picture was chosen for it meanwhile" in err
    assert space.lock()["a"]["by_hand"] is True
    assert "b" in space.lock()


def test_a_claim_that_cannot_be_given_back(space: TestSpace) -> None:
    """A disk that is full by then keeps nobody waiting: the twin gets the picture, the claim ends with the process."""
    space.write("assets.yaml", ONE + "  back:\n    prompt: |\n      A poster one.\n")
    code = "import assetbuild.store.claims\nfrom assetbuild.errors import StoreError\ndef _full(self, *keys):\n"
    hook(space, code + "    raise StoreError('the disk is full')\nassetbuild.store.claims.Claims.release = _full\n")
    assert space.run("build", timeout=30).code == 0
    assert len(space.bills) == 1
    assert "2 up to date" in space.build().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_second_interrupt_while_a_picture_is_kept(space: TestSpace) -> None:
    """It came from the provider and is paid for: ending at once still writes it down."""
    code = "import assetbuild.receiving, time, os\n_put = assetbuild.receiving.Receiver._put\ndef _slowly(self, *words):\n"
    came = space.folder / "came"
    code += f"    open({str(came)!r}, 'w').close()\n    time.sleep(1.5)\n    return _put(self, *words)\n"
    hook(space, code + "assetbuild.receiving.Receiver._put = _slowly\n")
    space.write("assets.yaml", ONE)
    child = space.start("build")
    wait_for(came.exists)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.5)
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert "ended at once" in err
    space.build()
    assert len(space.bills) == 1


@posix
def test_a_pipe_among_the_pictures_to_take_over(space: TestSpace) -> None:
    """`init --from` doesn't wait for it."""
    space.write("pics/a.png", png())
    os.mkfifo(space.root / "pics/b.png")
    ran = space.run("init", "--from", "pics", timeout=30)
    assert ran.code == 0, ran.text
    assert "it is no file" in ran.text


# ── words that weren't true ──


def test_use_over_a_set_that_is_not_whole(space: TestSpace) -> None:
    """`previous` can't bring back half a set: it is told where the retouched file is, and that works."""
    paid(space, story("a", "b"))
    hand = retouch(space, "art/story-a.png")
    (space.root / "art/story-b.png").unlink()
    tale = Story(space, "use-half")
    ran = tale.run("use", "story", "1")
    tale.told[-1] = tale.told[-1].replace("cas/" + ran.err.rpartition("cas/")[2][:2], "cas/<xx>")
    place = ran.err.rpartition(" ")[2].strip()
    assert Path(place).read_bytes() == hand
    assert space.run("cache", "gc", "--delete").code == 0
    assert space.run("use", "story#a", place).code == 0
    assert space.read("art/story-a.png") == hand
    tale.check()


def test_use_over_a_strange_git_lfs_pointer(space: TestSpace) -> None:
    """Its bytes were never here: nothing is said to be kept, and `previous` isn't it."""
    paid(space, ONE)
    space.write("art/poster.png", lfs(b"somebody else's picture"))
    assert "previous" not in space.run("use", "poster", "1").err
    assert "no earlier picture" in space.run("use", "poster", "previous").err


def test_a_damaged_line_on_another_branch(space: TestSpace) -> None:
    """Who asks whose a strange file is doesn't stumble over it."""
    commit(paid(space, ONE))
    space.git("checkout", "-q", "-b", "other")
    space.write("assets.lock", space.read("assets.lock") + b'{"id":"\\xzz"}\n{"id":"\xff\xfe"}\n{"id":"a')
    commit(space)
    space.git("checkout", "-q", "main")
    retouch(space, "art/poster.png")
    assert "edited by hand" in space.build(code=5).err


def test_rename_and_a_choice_of_this_moment(space: TestSpace) -> None:
    """The line that moves is the one of now, not the one that was read at the start."""
    paid(space, ONE)
    before = space.read("assets.lock")
    space.write("mine.png", png())
    assert space.run("use", "poster", "mine.png").code == 0
    theirs = space.folder / "theirs"
    theirs.write_bytes(space.read("assets.lock"))
    space.write("assets.lock", before)
    hook(
        space,
        f"""
import assetbuild.lockfile, shutil
_rename = assetbuild.lockfile.rename
def _chosen_meanwhile(path, pairs):
    shutil.copy({str(theirs)!r}, path)
    return _rename(path, pairs)
assetbuild.lockfile.rename = _chosen_meanwhile
""",
    )
    assert space.run("rename", "poster", "hero").code == 0
    assert space.lock()["hero"]["by_hand"] is True
    assert space.read("art/hero.png") == space.read("mine.png")


def test_rename_on_a_disk_that_moves_no_file(space: TestSpace) -> None:
    """The id has changed by then: it isn't an error, and the next build puts the picture where it belongs."""
    paid(space, ONE)
    before = space.read("art/poster.png")
    code = "import assetbuild.swap, errno, os\ndef _refused(*files):\n    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))\n"
    hook(
        space,
        "import os\nif 'REFUSED' in os.environ:\n"
        + "".join(f"    {line}\n" for line in (code + "assetbuild.swap.take_free = _refused\n").splitlines()),
    )
    tale = Story(space, "rename-refused")
    tale.run("rename", "poster", "hero", env={"REFUSED": "1"})
    change(space, "poster:", "hero:")
    space.build()
    assert space.read("art/hero.png") == before
    assert len(space.bills) == 1
    tale.check()


# ── moments ──


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux exchanges two names at once; the way without it: test_a_disk_that_cannot_exchange"
)
def test_a_save_that_cannot_go_back_nor_be_read(space: TestSpace) -> None:
    """Somebody's file came out, the disk fails when it is put back and when it is read: it isn't removed with our leavings."""
    paid(space, ONE)
    change(space, "one", "two")
    hand = save_at_the_last_moment(space, "art/poster.png")
    hook(
        space,
        """
import assetbuild.swap, assetbuild.store.cas, errno
_exchange, _put_file, _exchanges = assetbuild.swap.exchange, assetbuild.store.cas.Cas.put_file, []
def _once(one, other):
    _exchanges.append(one)
    if len(_exchanges) == 2:
        raise OSError(errno.EIO, "broken", str(one))
    return _exchange(one, other)
def _unread(self, path, *, durable):
    if path.suffix == ".swap":
        raise OSError(errno.EIO, "broken", str(path))
    return _put_file(self, path, durable=durable)
assetbuild.swap.exchange, assetbuild.store.cas.Cas.put_file = _once, _unread
""",
    )
    space.build(code=1)
    assert kept(space, hand)


def test_a_twin_is_saved_over_at_the_last_moment(space: TestSpace) -> None:
    """Two assets with one manifest are bought again, and somebody saves at the second: that one waits for them, the run doesn't break off."""
    paid(space, same(2, "Same."))
    hand = save_at_the_last_moment(space, "art/p1.png")
    assert "edited by hand" in space.build("--rebuy", "p0", "--rebuy", "p1", code=5).err
    assert space.read("art/p1.png") == hand
    assert len(space.bills) == 2


def test_a_choice_while_a_merge_waits(space: TestSpace) -> None:
    """A line comes while an earlier merge is under way, and then `use` speaks: the person's word stays, as without that merge."""
    paid(space, PAIR)
    change(space, "one", "two")
    change(space, "back", "rear")
    under_way, go = space.folder / "under way", space.folder / "go"
    hook(
        space,
        f"""
import assetbuild.placing, os, time
_note = assetbuild.placing.note
def _held_up(*words):
    _note(*words)
    if "HELD_UP" in os.environ and not os.path.exists({str(under_way)!r}):
        open({str(under_way)!r}, "w").close()
        while not os.path.exists({str(go)!r}):
            time.sleep(0.02)
assetbuild.placing.note = _held_up
""",
    )
    before = space.read("art/b.png")
    go_on = gated(space, "rear")
    child = space.start("build", "-j", "2", env={"HELD_UP": "1"})
    wait_for(under_way.exists)
    go_on("rear")
    wait_for(lambda: space.read("art/b.png") != before)
    time.sleep(0.5)  # its line waits for the next merge
    space.write("mine.png", png())
    assert space.run("use", "b", "mine.png").code == 0
    go.touch()
    _, err = child.communicate(timeout=60)
    assert "that choice stays" in err
    assert space.lock()["b"]["by_hand"] is True
    assert space.read("art/b.png") == space.read("mine.png")


def test_a_spec_that_is_saved_while_it_is_planned(space: TestSpace) -> None:
    """The text that was read isn't bought any more when another one stands there before the first purchase."""
    space.write("assets.yaml", ONE)
    hook(
        space,
        f"""
import assetbuild.facts
_plan = assetbuild.facts.Planner.plan
def _saved_meanwhile(self, ids):
    found = _plan(self, ids)
    with open({str(space.root / "assets.yaml")!r}, "w") as file:
        file.write({ONE.replace("one", "two")!r})
    return found
assetbuild.facts.Planner.plan = _saved_meanwhile
""",
    )
    assert "the spec changed meanwhile" in space.run("build").err
    assert not space.bills
    space.build()
    assert [bill["prompt"] for bill in space.bills] == ["A poster two."]


def test_former_pictures_of_an_older_release(space: TestSpace) -> None:
    """What this machine remembers of replaced pictures is read and continued from one release to the next."""
    paid(space, ONE)
    first = space.read("art/poster.png")
    change(space, "one", "two")
    space.build()
    (file,) = (space.root / ".assetbuild").glob("former-*")
    file.write_bytes(b'{"assetbuild.former":1}\n' + file.read_bytes().partition(b"\n")[2])
    assert space.run("use", "poster", "previous").code == 0
    assert space.read("art/poster.png") == first
