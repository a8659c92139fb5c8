"""More ways in which bytes, money or a person's word could be lost: the last moment before a file is replaced, a store that takes no more
bytes, clones that a cleaning forgets, files that aren't what they seem.

Where a story needs a moment that nobody can hit by hand, the child's Python is hooked at its start, as `CRASH_AT` does it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace
from tests.saying import Story, plain
from tests.storing import digest
from tests.test_losses_bytes import ONE, TWO_STEPS, blob, damage, gated, kept, lfs, provider, retouch, story
from tests.test_losses_choices import use_file
from tests.test_scenarios import PAID, change, commit, lose_store, paid, png, wait_for

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")


def hook(space: TestSpace, code: str) -> None:
    """Python that each child of this space runs at its start."""
    with open(space.folder / "site" / "sitecustomize.py", "a", encoding="utf-8") as file:
        file.write(code)


# Somebody saves a file at an output when everything has been looked at and only the name is still to change hands.
LAST_MOMENT = """
import assetbuild.files
_become = assetbuild.files.Temp.become
def _saved_meanwhile(self, target, *args, **kwargs):
    import os, shutil
    if str(target).endswith({path!r}) and os.path.exists({picture!r}):
        if {how!r} == "atomic":
            os.replace({picture!r}, target)
        else:
            with open({picture!r}, "rb") as new, open(target, "wb") as old:
                shutil.copyfileobj(new, old)
            os.unlink({picture!r})
    return _become(self, target, *args, **kwargs)
assetbuild.files.Temp.become = _saved_meanwhile
"""


def save_at_the_last_moment(space: TestSpace, path: str, how: str = "atomic") -> bytes:
    """The picture that a person saves there, right before it is replaced; once."""
    picture = png()
    waiting = space.folder / "just saved.png"
    waiting.write_bytes(picture)
    hook(space, LAST_MOMENT.format(path=path, picture=str(waiting), how=how))
    return picture


# ── the last moment ──


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
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


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
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


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
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


# ── a store that takes no more bytes ──

# From the moment that a file `full` is there, the CAS refuses pictures as a full disk does, and so do the tree and the record, if it names them.
FULL = """
import assetbuild.store.cas, assetbuild.files, assetbuild.store, errno, os
def _refusing(module, name, word):
    real = getattr(module, name)
    def call(*args, **kwargs):
        if os.path.exists({full!r}) and word in open({full!r}).read().split():
            raise OSError(errno.ENOSPC, "No space left on device", "the disk")
        return real(*args, **kwargs)
    setattr(module, name, call)
_refusing(assetbuild.store.cas, "make_folders", "cas")
_make = assetbuild.files.make_folders
def _tree(folder, **kwargs):
    words = open({full!r}).read().split() if os.path.exists({full!r}) else []
    if ("temporary" if "assetbuild-rescued" in str(folder) else "tree") in words and "cas" not in folder.parts:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))
    return _make(folder, **kwargs)
assetbuild.files.make_folders = _tree
os.environ["TMPDIR"] = {temporary!r}
_real = assetbuild.store.insert_take
def _record(db, take):
    if os.path.exists({full!r}) and "record" in open({full!r}).read():
        import sqlite3
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error
    return _real(db, take)
assetbuild.store.insert_take = _record
"""


def fills_up(space: TestSpace, spec: str, what: str, *words: str, jobs: int = 4) -> str:
    """Builds, and while the pictures with these words are bought the disk fills up. Gives what was said."""
    full = space.folder / "full"
    hook(space, FULL.format(full=str(full), temporary=str(space.folder)))
    space.write("assets.yaml", spec)
    go_on = gated(space, *words)
    child = space.start("build", "-j", str(jobs))
    wait_for(lambda: len(space.bills) == len(words))
    full.write_text(what)
    for word in words:
        go_on(word)
    _, err = child.communicate(timeout=60)
    full.unlink()
    assert child.returncode == 1, err
    assert "Traceback" not in err
    return err


def rescued(space: TestSpace) -> list[Path]:
    """The pictures that found a place outside of the store."""
    return sorted(p for p in (space.root / ".assetbuild/rescued").glob("*") if p.suffix != ".json")


def told(space: TestSpace, name: str, **said: str) -> None:
    """What was said in each case, held to a golden file."""
    tale = Story(space, name)
    for case, text in said.items():
        tale.note(case.replace("_", " "))
        tale.told.append(re.sub(r"cas/[0-9a-f]{2}/", "cas/<hex>/", plain(text, space)))
    tale.check()


def test_the_store_is_full_when_the_picture_comes(space: TestSpace) -> None:
    """It is paid for: it lies in the tree, the message says where, nothing else is bought, and the next build brings it in."""
    spec = ONE + "".join(f"  p{n}:\n    prompt: |\n      Other {n}.\n" for n in range(3))
    err = fills_up(space, spec, "cas", "one", jobs=1)
    (picture,) = rescued(space)
    assert digest(picture.read_bytes()) == picture.name
    assert len(space.bills) == 1
    (space.folder / "full").write_text("cas")
    before = space.files()
    again = space.build(code=2)
    assert space.files() == before
    assert len(space.bills) == 1, "neither it nor anything else is bought while it lies there"
    (space.folder / "full").unlink()
    content = picture.read_bytes()
    last = space.build()
    assert space.read("art/poster.png") == content
    assert not picture.exists()
    assert len(space.bills) == 4
    first_line = last.err.partition("\n")[0] + "\n"
    told(space, "rescued", the_disk_fills_up_during_the_purchase=err, and_is_full_yet=again.err, there_is_room=first_line)


def test_a_rescued_picture_is_brought_in_by_hand(space: TestSpace) -> None:
    """The other way that the message names."""
    fills_up(space, ONE, "cas", "one")
    (picture,) = rescued(space)
    content = picture.read_bytes()
    assert space.run("use", "poster", str(picture.relative_to(space.root))).code == 0
    assert space.read("art/poster.png") == content
    space.build()
    assert space.read("art/poster.png") == content
    assert len(space.bills) == 1


def test_the_tree_is_full_too(space: TestSpace) -> None:
    """Then it lies with the system's temporary files, in a folder of our own, and is brought in from there; also a step's."""
    err = fills_up(space, TWO_STEPS, "cas tree", "one")
    (picture,) = (p for p in space.folder.glob("assetbuild-rescued-*/*") if p.suffix != ".json")
    assert picture.parent.stat().st_mode & 0o777 == 0o700
    content = picture.read_bytes()
    space.build()
    assert [bill["prompt"] for bill in space.bills] == ["A poster one.", "Make it bold."]
    assert space.bills[1]["inputs"] == [digest(content)]
    err = re.sub(r"rescued-\w+", "rescued-<hex>", err)
    told(space, "rescued-elsewhere", the_disk_of_store_and_project_fills_up_during_the_purchase_of_a_step=err)


def test_no_place_takes_the_picture(space: TestSpace) -> None:
    """That is said as what it is."""
    err = fills_up(space, ONE, "cas tree temporary", "one")
    told(space, "rescued-nowhere", every_disk_fills_up_during_the_purchase=err)


def test_the_record_is_full(space: TestSpace) -> None:
    """The pictures are in the store and nothing says what they are: that, too, isn't paid for again."""
    err = fills_up(space, story("a", "b"), "record", "one")
    assert not [p for p in rescued(space) if p.suffix != ".json"]
    space.build()
    assert len(space.bills) == 1
    assert (space.root / "art/story-a.png").is_file()
    told(space, "rescued-record", the_record_can_not_be_written=err)


def test_a_rescued_picture_that_is_deleted(space: TestSpace) -> None:
    """Said; then it is bought as any other that isn't there."""
    fills_up(space, ONE, "cas", "one")
    for picture in rescued(space):
        picture.unlink()
    assert "isn't there any more" in space.build().err
    assert len(space.bills) == 2


# ── what a cleaning forgets ──


def shared(space: TestSpace) -> dict[str, str]:
    """The environment of a store that several projects share."""
    return {"ASSETBUILD_STORE": str(space.folder / "shared-store")}


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
    tale.told[:] = [re.sub(r"\d+:\d+\)", "<folder>)", text) for text in tale.told]
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


# ── a word about one member of a set ──


def test_a_member_is_chosen_beside_an_edited_one(space: TestSpace) -> None:
    """`use 'story#a' FILE` says nothing of `b`: the file that somebody edited there isn't accepted in silence, it is named."""
    paid(space, story("a", "b"))
    space.write("mine.png", png())
    hand = retouch(space, "art/story-b.png")
    before = space.files()
    tale = Story(space, "use-member")
    tale.note("somebody retouches art/story-b.png")
    tale.run("use", "story#a", "mine.png", code=2)
    assert space.files() == before
    tale.run("use", "story")
    tale.run("use", "story#a", "mine.png")
    assert space.read("art/story-a.png") == space.read("mine.png")
    assert space.read("art/story-b.png") == hand
    tale.note("art/story-b.png is deleted; its picture is in the store")
    (space.root / "art/story-b.png").unlink()
    other = retouch(space, "other.png")
    tale.run("use", "story#a", "other.png")
    assert space.read("art/story-a.png") == other
    assert space.read("art/story-b.png") == hand
    assert len(space.bills) == 1
    tale.check()


def test_a_member_is_chosen_before_there_is_a_set(space: TestSpace) -> None:
    """The other member has no picture yet."""
    space.write("assets.yaml", story("a", "b"))
    space.write("mine.png", png())
    tale = Story(space, "use-member-first")
    tale.run("use", "story#a", "mine.png", code=2)
    assert not (space.root / "assets.lock").exists()
    tale.check()


# ── whose picture a strange file is ──


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


# ── outputs that aren't what the spec takes them for ──

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


# ── what is lost in the store ──


def test_a_damaged_step_says_what_to_do(space: TestSpace) -> None:
    """The very build that finds the damage says what happened and both ways out, as the ones after it do."""
    paid(space, TWO_STEPS)
    damage(space, space.lock()["poster"]["steps"][0]["digests"][0])
    change(space, "Make it bold.", "Make it thin.")
    tale = Story(space, "damaged-step")
    tale.note("a bit of the first step's picture flips in the store, and the prompt of the second changes")
    tale.run("build", code=5)
    tale.run("build", code=5)
    before = space.read("art/poster.png")
    tale.run("use", "poster")
    space.build()
    assert space.read("art/poster.png") == before
    assert len(space.bills) == 2
    change(space, "Make it thin.", "Make it red.")
    space.build("--rebuy", "poster")
    assert [bill["prompt"] for bill in space.bills[2:]] == ["A poster one.", "Make it red."]
    tale.check()


def test_a_damaged_base_says_what_to_do(space: TestSpace) -> None:
    """Its edit is skipped, and the base says that it lost its picture."""
    paid(space)
    damage(space, space.read("art/poster.png"))
    (space.root / "art/poster.png").unlink()
    change(space, "Langsam", "Schnell")
    tale = Story(space, "damaged-base")
    tale.note("the base's file is deleted, its picture in the store is damaged")
    tale.run("build", code=5)
    assert len(space.bills) == 2
    tale.check()


# ── mends that had no test ──


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


# ── small things that cost somebody a picture or an evening ──


def test_a_pinned_picture_and_use(space: TestSpace) -> None:
    """`use` moves a pin: the file follows, the next build leaves it, and without the pin it is the picture of the spec as it was chosen for."""
    paid(space)
    first = space.read("art/poster-de.png")
    space.build("--rebuy", "poster-de")
    second = space.read("art/poster-de.png")
    unpinned = space.read("assets.yaml")
    change(space, "    base: poster\n", "    pin: true\n    base: poster\n")
    tale = Story(space, "use-pinned")
    tale.run("use", "poster-de", "1")
    assert space.read("art/poster-de.png") == first
    line = space.lock()["poster-de"]
    assert line["take"] == 1
    assert "chosen_for" not in line
    tale.run("build")
    assert space.read("art/poster-de.png") == first
    hand = retouch(space, "mine.png")
    tale.run("use", "poster-de", "mine.png")
    tale.run("build")
    assert space.read("art/poster-de.png") == hand
    tale.run("use", "poster-de", "2")
    assert space.read("art/poster-de.png") == second
    tale.run("use", "poster-de", digest(hand)[:8], told=False)
    assert space.read("art/poster-de.png") == hand
    (space.root / "art/poster-de.png").unlink()
    tale.run("build")
    assert space.read("art/poster-de.png") == hand
    space.write("assets.yaml", unpinned)
    tale.note("the pin is taken out: the picture was chosen for just this text and base")
    tale.run("plan")
    assert len(space.bills) == 3
    tale.check()


def test_a_pinned_chain_and_use(space: TestSpace) -> None:
    """Of a chain, too; its earlier step stays what it was."""
    paid(space, TWO_STEPS)
    first = space.read("art/poster.png")
    space.build("--rebuy", "poster")
    space.write("assets.yaml", TWO_STEPS + "    pin: true\n")
    before = space.lock()["poster"]["steps"]
    bills = len(space.bills)
    assert space.run("use", "poster", "1").code == 0
    assert space.read("art/poster.png") == first
    space.build()
    assert space.read("art/poster.png") == first
    assert space.lock()["poster"]["steps"] == before
    space.write("assets.yaml", TWO_STEPS)
    assert space.plan()["poster"]["row"] == "4"
    assert len(space.bills) == bills


def drawn_line(text: str) -> str:
    """The line about what was finished, which may come before or after others."""
    return next(line for line in text.splitlines(keepends=True) if line.startswith("drawn"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_second_interrupt_ends_at_once(space: TestSpace) -> None:
    """The first waits for what is being bought; the second doesn't, and names what goes on elsewhere. What was finished is written down."""
    pair = ONE.replace("poster:", "a:") + "  b:\n    prompt: |\n      The back.\n"
    space.write("assets.yaml", pair)
    go_on = gated(space, "one", "back")
    child = space.start("build", "-j", "2")
    wait_for(lambda: len(space.bills) == 2)
    go_on("one")
    wait_for((space.root / "art/a.png").exists)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.6)
    assert child.poll() is None
    began = time.monotonic()
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert time.monotonic() - began < 15, "the other one waits for ever"
    assert child.returncode == 130
    assert list(space.lock()) == ["a"]
    told(space, "interrupted-twice", ctrl_C_is_pressed_twice=err.replace(drawn_line(err), ""))
    go_on("back")
    space.build()
    assert [bill["prompt"] for bill in space.bills].count("A poster one.") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_second_interrupt_while_a_thread_draws(space: TestSpace) -> None:
    """A provider that draws here for long isn't waited for either; one ^C that comes twice is one."""
    code = "def done(request):\n    open(os.environ['COUNTING_BILLS'], 'a').write('{}\\n')\n    import time\n    time.sleep(60)\n"
    provider(space, code)
    space.write("assets.yaml", ONE)
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 1)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.5)
    assert child.poll() is None
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=10)
    assert child.returncode == 130
    assert "nothing goes on elsewhere" in err
    assert "Traceback" not in err


def test_a_selection_that_means_nothing(space: TestSpace) -> None:
    """`locale=xx` says which values there are, and a wrong axis which axes."""
    rows = "  p-${locale}-${size}:\n    matrix: {locale: [en, de, ja], size: [s, m, l, xl]}\n    prompt: |\n      One ${locale} ${size}.\n"
    space.write("assets.yaml", ONE.partition("  poster")[0] + rows)
    for word, way in (("locale=xx", "en, de, ja"), ("lokale=de", "`locale=de`"), ("colour=red", "`size`")):
        ran = space.run("list", word)
        assert ran.code == 2
        assert way in ran.err, ran.err
    space.write("assets.yaml", ONE)
    assert "no asset has a matrix" in space.run("list", "locale=de").err


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
