"""How bytes could be lost, overwritten or wrong: damaged blobs, odd things at an output's path, saves in the middle of a build.

Each story was once a suspicion, many were true; none may happen. What the stories about money and choices share stands here too: a small
spec, damage to the store, and a provider that a test changes. Knows the command line, the folder of blobs and the bills, nothing inside.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace
from tests.storing import digest
from tests.test_scenarios import PAID, change, commit, paid, png, wait_for

ONE = """\
version: 1
defaults: {provider: counting, output: "art/${id}.png"}
assets:
  poster:
    prompt: |
      A poster one.
"""
TWO_STEPS = ONE + "    then:\n      - Make it bold.\n"

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")


def story(*members: str) -> str:
    """A spec of one set."""
    return ONE.replace("  poster:\n", f"  story:\n    set: [{', '.join(members)}]\n    output: art/story-${{member}}.png\n")


def lfs(content: bytes) -> str:
    """The Git LFS pointer of a file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest(content)}\nsize {len(content)}\n"


def retouch(space: TestSpace, path: str) -> bytes:
    """A person saves a picture of their own there."""
    picture = png()
    space.write(path, picture)
    return picture


def kept(space: TestSpace, content: bytes) -> bool:
    """These bytes are a file somewhere: in the tree, in the store, beside the project."""
    files = (p for p in space.folder.rglob("*") if p.is_file() and p.stat().st_size == len(content))
    return any(p.read_bytes() == content for p in files)


def blob(space: TestSpace, content: bytes | str) -> Path:
    """Where the store keeps these bytes, or the bytes of this digest."""
    name = content if isinstance(content, str) else digest(content)
    path = next(p for p in space.root.rglob(name[2:]) if p.parent.name == name[:2])
    path.chmod(0o644)
    return path


def damage(space: TestSpace, content: bytes | str) -> None:
    """One bit of the blob is wrong."""
    path = blob(space, content)
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def provider(space: TestSpace, code: str, name: str = "counting") -> None:
    """The provider of that name is `counting` with this code behind it; `real` in the code is `counting` itself."""
    site = space.folder / "site"
    head = "import copy, hashlib, json, random\nfrom assetbuild.testing import counting as real\nfrom assetbuild.testing.counting import *\n"
    (site / f"changed_{name}.py").write_text(head + code)
    points = site / "counting-1.0.dist-info" / "entry_points.txt"
    points.write_text(f"[assetbuild.providers]\n{name} = changed_{name}\n")


def gated(space: TestSpace, *words: str) -> Callable[[str], object]:
    """A call whose prompt holds one of the words is billed and waits until the gate of that word is opened by what this gives."""
    gates = {word: str(space.folder / f"gate-{number}") for number, word in enumerate(words)}
    code = f"""
async def send(payload, http, idempotency_key):
    done = await real.send(payload, http, idempotency_key)
    prompt = json.loads(payload.body)["prompt"]
    if "[bug]" in prompt:
        raise KeyError("image")
    for word, gate in {gates!r}.items():
        while word in prompt and not os.path.exists(gate):
            await asyncio.sleep(0.02)
    return done
"""
    provider(space, code)
    return lambda word: Path(gates[word]).touch()


HONEST = """
def prepare(request, urls):
    for picture in request.inputs:
        if hashlib.sha256(picture.path.read_bytes()).hexdigest() != picture.digest:
            raise ProviderError(Kind.INVALID, "other bytes than the key says")
    return real.prepare(request, urls)
"""


# ── damage ──


def test_a_damaged_blob_and_the_good_file(space: TestSpace) -> None:
    """A good file isn't replaced in the belief that the store has its bytes, while its blob is damaged."""
    paid(space, ONE)
    good = space.read("art/poster.png")
    damage(space, good)
    change(space, "one", "two")
    space.build()
    assert kept(space, good)
    change(space, "two", "one")
    space.build()
    assert space.read("art/poster.png") == good
    assert len(space.bills) == 2


def test_a_damaged_blob_of_a_retouched_file(space: TestSpace) -> None:
    """`use` of another take doesn't drop a retouched file whose blob is damaged."""
    paid(space, ONE)
    hand = retouch(space, "art/poster.png")
    assert space.run("use", "poster").code == 0
    damage(space, hand)
    assert space.run("use", "poster", "1").code == 0
    assert space.read("art/poster.png") != hand
    assert kept(space, hand)


def test_a_damaged_blob_of_a_base(space: TestSpace) -> None:
    """No edit is bought from damaged bytes while the base's good file lies in the tree."""
    paid(space)
    base = space.read("art/poster.png")
    damage(space, base)
    provider(space, HONEST)
    change(space, "Langsam", "Schnell")
    space.build()
    assert space.bills[-1]["inputs"] == [digest(base)]


def test_a_damaged_blob_of_a_step(space: TestSpace) -> None:
    """No step is bought from a damaged one, and the earlier one isn't bought again unasked."""
    paid(space, TWO_STEPS)
    damage(space, space.lock()["poster"]["steps"][0]["digests"][0])
    provider(space, HONEST)
    change(space, "Make it bold.", "Make it thin.")
    before = space.read("art/poster.png")
    space.build(code=5)
    assert len(space.bills) == 2
    assert space.read("art/poster.png") == before


def test_a_lost_step_is_paid_again_only_when_told(space: TestSpace) -> None:
    """A step whose bytes are gone doesn't block its asset for good: the hint names `--rebuy`, and that works."""
    paid(space, TWO_STEPS)
    blob(space, space.lock()["poster"]["steps"][0]["digests"][0]).unlink()
    change(space, "Make it bold.", "Make it thin.")
    assert "--rebuy poster" in space.build(code=5).err
    assert len(space.bills) == 2
    space.build("--rebuy", "poster")
    assert len(space.bills) == 4


def test_the_wanted_picture_is_lost_and_an_older_one_lies_there(space: TestSpace) -> None:
    """It isn't called up to date: the spec wants tea, coffee lies there."""
    paid(space)
    change(space, "for coffee", "for tea")
    space.build()
    tea = space.read("art/poster.png")
    change(space, "for tea", "for coffee")
    space.build()
    coffee = space.read("art/poster.png")
    blob(space, tea).unlink()
    change(space, "for coffee", "for tea")
    for _ in range(2):
        assert "the picture is lost" in space.build(code=5).err
    assert space.read("art/poster.png") == coffee
    assert len(space.bills) == 4


# ── odd things at an output's path ──


def test_a_folder_appears_at_the_output(space: TestSpace) -> None:
    """What was paid for isn't paid for again at each build since a folder came in its way during the purchase."""
    space.write("assets.yaml", ONE)
    go_on = gated(space, "one")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 1)
    space.write("art/poster.png/mine.txt", "mine")
    go_on("one")
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "a folder of that name stands there" in err
    assert "is a folder" in space.build(code=2).err
    shutil.rmtree(space.root / "art/poster.png")
    space.build()
    assert len(space.bills) == 1


@posix
def test_a_link_at_the_output(space: TestSpace) -> None:
    """A picture is never written through a link into a file of somebody else's."""
    space.write("assets.yaml", ONE)
    target = space.write("shared/x.png", png())
    before = target.read_bytes()
    (space.root / "art").mkdir()
    (space.root / "art/poster.png").symlink_to("../shared/x.png")
    space.build(code=5)
    assert target.read_bytes() == before
    space.build("--replace", "poster")
    assert target.read_bytes() == before
    assert space.read("art/poster.png") != before


@posix
def test_two_outputs_become_one_file_through_a_linked_folder(space: TestSpace) -> None:
    """While they are bought: they don't replace each other at each build, and neither picture is lost or bought again."""
    pair = (("a", "x"), ("b", "y"))
    rows = (f"  {name}:\n    output: {folder}/p.png\n    prompt: |\n      The {name}.\n" for name, folder in pair)
    space.write("assets.yaml", "version: 1\ndefaults: {provider: counting}\nassets:\n" + "".join(rows))
    (space.root / "x").mkdir()
    go_on = gated(space, "The")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 2)
    (space.root / "y").symlink_to("x")
    go_on("The")
    child.communicate(timeout=60)
    before = space.read("x/p.png")
    for _ in range(2):
        assert "leads there by a link" in space.build(code=2).err
        assert space.read("x/p.png") == before
    (space.root / "y").unlink()
    space.build("--replace", "a", "--replace", "b")
    assert space.read("x/p.png") != space.read("y/p.png")
    assert len(space.bills) == 2


@posix
def test_a_pipe_appears_at_the_output(space: TestSpace) -> None:
    """Nobody waits for ever for its writer, and the picture isn't paid for again."""
    space.write("assets.yaml", ONE)
    (space.root / "art").mkdir()
    go_on = gated(space, "one")
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 1)
    os.mkfifo(space.root / "art/poster.png")
    go_on("one")
    child.communicate(timeout=30)
    (space.root / "art/poster.png").unlink()
    space.build()
    assert len(space.bills) == 1


def test_a_git_lfs_pointer_whose_prompt_changes(space: TestSpace) -> None:
    """A pointer is neither taken for a picture nor for somebody's work: the new picture stands there."""
    commit(paid(space, ONE))
    pointer = lfs(space.read("art/poster.png"))
    other = space.clone("clone")
    other.write("art/poster.png", pointer)
    assert other.plan()["poster"]["row"] == "4"
    change(other, "one", "two")
    other.build()
    assert other.read("art/poster.png").startswith(b"\x89PNG")
    other.build()
    assert len(space.bills) == 2


def test_a_git_lfs_pointer_of_a_drawn_base(space: TestSpace) -> None:
    """An edit isn't bought from a pointer, nor held for one: a base that is drawn here is drawn again."""
    commit(paid(space, PAID.replace("  poster:\n", "  poster:\n    provider: comp\n")))
    base = space.read("art/poster.png")
    other = space.clone("clone")
    other.write("art/poster.png", lfs(base))
    change(other, "Langsam", "Schnell")
    other.build()
    assert len(space.bills) == 2
    assert space.bills[-1]["inputs"] == [digest(base)]


def test_a_profile_without_an_output_of_its_own(space: TestSpace) -> None:
    """Its pictures don't land on the finals."""
    paid(space, ONE.replace("assets:", "profiles:\n  proof: {quality: low}\nassets:"))
    final = space.read("art/poster.png")
    space.run("build", "--profile", "proof")
    assert space.read("art/poster.png") == final
    space.build()
    assert space.read("art/poster.png") == final


def test_members_of_a_set_change_places(space: TestSpace) -> None:
    """Other names for the same pictures don't swap two finished files."""
    paid(space, story("a", "b"))
    before = space.files()
    change(space, "[a, b]", "[b, a]")
    space.run("build")
    for name in "ab":
        assert space.read(f"art/story-{name}.png") == before[f"art/story-{name}.png"]
    assert len(space.bills) == 1


def test_frozen_and_an_edited_file(space: TestSpace) -> None:
    """`--frozen` changes no byte of a tree that isn't as locked."""
    commit(paid(space))
    other = space.clone("clone")
    retouch(other, "art/poster.png")
    before = other.files()
    other.build("--frozen", code=3)
    assert other.files() == before


# ── in the middle of a build ──


def test_a_save_while_the_replacement_is_bought(space: TestSpace) -> None:
    """`--replace` names what lay there when it was said, not what is saved there during the purchase."""
    paid(space, ONE)
    retouch(space, "art/poster.png")
    change(space, "one", "two")
    go_on = gated(space, "two")
    child = space.start("build", "--replace", "poster")
    wait_for(lambda: len(space.bills) == 2)
    second = retouch(space, "art/poster.png")
    go_on("two")
    child.communicate(timeout=60)
    assert kept(space, second)


def test_a_replacement_that_is_killed(space: TestSpace) -> None:
    """However `--replace` dies, the retouched file is in the tree or in the store, and the next one ends well."""
    paid(space, story("a", "b"))
    hand = retouch(space, "art/story-b.png")

    def copy(name: str) -> TestSpace:
        other = TestSpace(space.folder / name.replace(":", "-"))
        shutil.copytree(space.root, other.root, dirs_exist_ok=True)
        return other

    counted = copy("count")
    calls = counted.folder / "calls"
    counted.build(
        "--replace",
        "story",
        env={"COUNT_CALLS": "os.replace,os.fsync,assetbuild.swap.exchange,assetbuild.swap.seen", "COUNT_FILE": str(calls)},
    )
    points = []
    for row in calls.read_text().split():
        name, _, count = row.rpartition("=")
        points += [f"{name}:{n}" for n in range(1, int(count) + 1, 1 + int(count) // 4)]
    assert len(points) > 3, points
    for point in points:
        other = copy(point)
        assert other.run("build", "--replace", "story", env={"CRASH_AT": point}).code == 137, point
        assert kept(other, hand), point
        other.build("--replace", "story")
        assert kept(other, hand), point
        assert other.read("art/story-b.png") != hand, point


def test_the_lockfile_cannot_be_merged_for_a_while(space: TestSpace) -> None:
    """A line that meets conflict markers isn't dropped in silence: it is written once they are gone."""
    paid(space, ONE.replace("poster:", "a:"))
    before = space.read("art/a.png")
    change(space, "one.\n", "two.\n  b:\n    prompt: |\n      The back.\n")
    go_on = gated(space, "back")
    child = space.start("build", "-j", "2")
    wait_for(lambda: len(space.bills) == 3 and space.read("art/a.png") != before)
    lock = space.read("assets.lock")
    space.write("assets.lock", lock + b"<<<<<<< HEAD\n")
    time.sleep(1.5)  # a build writes its lines each second
    space.write("assets.lock", lock)
    go_on("back")
    _, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert space.lock()["a"]["outputs"][0]["digest"] == digest(space.read("art/a.png"))


def test_stash_and_a_file_that_may_not_be_written(space: TestSpace) -> None:
    """Neither `git stash` nor a read-only output costs a picture."""
    commit(paid(space))
    change(space, "coffee", "tea")
    space.build()
    tea = space.read("art/poster.png")
    space.git("stash", "-q")
    space.build()
    assert space.read("art/poster.png") != tea
    (space.root / "art/poster.png").chmod(0o444)
    space.git("stash", "pop", "-q")
    space.build()
    assert space.read("art/poster.png") == tea
    assert len(space.bills) == 4
