"""Digests of files: by the table of stamps where it may be trusted, else by their bytes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from assetbuild import stamps, stamptable
from assetbuild.stamps import FileDigests, Found
from assetbuild.swap import seen
from tests.test_stamps import POINTER, Tree, same_size_same_mtime, sha, to_fifo


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(tmp_path, monkeypatch)


def test_look_says_what_is_there_now(tree: Tree) -> None:
    tree.write()
    tree.hashed.clear()
    digests = tree.digests()
    assert digests.look("art/box.png") == Found(sha(b"B" * 3000), 3000, False)
    assert digests.look("art/none.png") is None
    assert digests.look("assets.yaml/below") is None
    assert tree.hashed == []
    assert digests.look("art") is None
    same_size_same_mtime(tree.root)
    assert digests.look("art/box.png") == Found(sha(b"b" * 3000), 3000, False)
    to_fifo(tree.root)
    assert digests.look("art/box.png") is None


def test_look_hashes_a_young_file_each_time_and_an_old_one_once(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = FileDigests(str(tree.root), None)
    for _ in range(2):
        digests.look("art/box.png")
    assert tree.hashed == ["art/box.png"] * 2
    monkeypatch.setattr(stamps, "time", SimpleNamespace(time_ns=lambda: tree.now))
    for _ in range(3):
        digests.look("art/poster.png")
    assert tree.hashed.count("art/poster.png") == 1


def test_what_we_put_there_isnt_read_again_until_somebody_writes_there(tree: Tree) -> None:
    digests = FileDigests(str(tree.root), None)
    box = tree.root / "art" / "box.png"
    ours = seen(box)
    assert ours is not None
    digests.placed("art/box.png", sha(b"B" * 3000), ours)
    for _ in range(2):
        assert digests.look("art/box.png") == Found(sha(b"B" * 3000), 3000, False)
    assert tree.hashed == []
    same_size_same_mtime(tree.root)
    assert digests.look("art/box.png") == Found(sha(b"b" * 3000), 3000, False)
    digests.placed("art/none.png", sha(b"none"), ours)
    assert digests.look("art/none.png") is None


def test_somebody_saves_before_we_can_say_that_we_put_it_there(tree: Tree) -> None:
    digests = FileDigests(str(tree.root), None)
    box = tree.root / "art" / "box.png"
    ours = seen(box)
    assert ours is not None
    box.write_bytes(b"mine" * 750)
    digests.placed("art/box.png", sha(b"B" * 3000), ours)
    assert digests.look("art/box.png") == Found(sha(b"mine" * 750), 3000, False)


def test_a_git_lfs_pointer_is_the_picture_it_stands_for(tree: Tree) -> None:
    oid = sha(b"the real picture")
    tree.put("art/box.png", POINTER % oid.encode())
    pointed = Found(oid, 123456, True)
    assert tree.digests().look("art/box.png") == pointed
    tree.write([("art/box.png", oid)])
    assert tree.ask() == "2 up to date"
    assert tree.digests().look("art/box.png") == pointed
    tree.put("art/box.png", b"the real picture")  # git lfs pull: the build has to look, the digest is the same
    with pytest.raises(stamptable.Changed):
        tree.ask()
    assert tree.digests().look("art/box.png") == Found(oid, 16, False)


@pytest.mark.parametrize(
    "text",
    [
        b"version https://git-lfs.github.com/spec/v1\n",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n",
        POINTER % (b"Z" * 64),
        (POINTER % (b"a" * 64)).replace(b"123456", b"many"),
        (POINTER % (b"a" * 64)) + b"x" * 1024,
    ],
)
def test_what_only_looks_like_a_pointer_is_a_file(tree: Tree, text: bytes) -> None:
    tree.put("art/box.png", text)
    assert tree.digests().look("art/box.png") == Found(sha(text), len(text), False)


def test_prime_hashes_many_once(tree: Tree) -> None:
    names = [f"many/{i}.png" for i in range(40)]
    for i, name in enumerate(names):
        tree.put(name, bytes([i]) * 100_000)
    digests = FileDigests(str(tree.root), None)
    digests.prime([*names, "many/none.png", "many", "art/box.png"])
    assert [digests.look(name) for name in names] == [Found(sha(bytes([i]) * 100_000), 100_000, False) for i in range(40)]
    assert sorted(tree.hashed) == sorted([*names, "art/box.png"])
    (tree.root / "art/box.png").write_bytes(b"b" * 3000)
    assert digests.look("art/box.png") == Found(sha(b"b" * 3000), 3000, False)


def test_a_file_that_goes_while_it_is_primed_is_missing(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"many/{i}.png" for i in range(40)]
    for name in names:
        tree.put(name, b"x" * 100_000)
    isfile = os.path.isfile

    def and_gone(path: bytes) -> bool:
        there = isfile(path)
        (tree.root / names[20]).unlink(missing_ok=True)
        return there

    monkeypatch.setattr(os.path, "isfile", and_gone)
    digests = FileDigests(str(tree.root), None)
    digests.prime(names)
    monkeypatch.undo()
    assert digests.look(names[20]) is None
    assert digests.look(names[39]) == Found(sha(b"x" * 100_000), 100_000, False)


def test_what_the_quick_path_hashed_is_not_hashed_again(tree: Tree) -> None:
    tree.write()
    os.utime(tree.root / "art/poster.png")
    (tree.root / "art/box.png").write_bytes(b"b" * 3000)
    tree.clock(10)
    with pytest.raises(stamptable.Changed):
        tree.ask()
    assert tree.hashed == ["art/poster.png", "art/box.png"]
    tree.hashed.clear()
    digests = tree.digests()
    assert digests.look("art/poster.png") == Found(sha(b"P" * 3000), 3000, False)
    assert digests.look("art/box.png") == Found(sha(b"b" * 3000), 3000, False)
    assert tree.hashed == []


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Path]:
    path, stop = tmp_path / "growing.png", threading.Event()
    path.write_bytes(b"x")

    def grow() -> None:
        with open(path, "ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"x" * 50)

    thread = threading.Thread(target=grow)
    thread.start()
    yield path
    stop.set()
    thread.join()


def test_a_digest_always_belongs_to_the_size_beside_it(growing: Path) -> None:
    digests = FileDigests(str(growing.parent), None)
    for _ in range(50):
        try:
            found = digests.look(growing.name)
        except BlockingIOError:  # it never held still: said, not guessed
            continue
        assert found is not None
        assert found.digest == sha(b"x" * found.size)
