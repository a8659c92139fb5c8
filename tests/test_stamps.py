"""The stamp table: whatever happens to a file, a folder or the table itself, "up to date" is only said when it is true."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from assetbuild import hashing, stamps, stamptable
from assetbuild.stamps import FileDigests, Found

SECOND = 1_000_000_000
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 123456\n"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Tree:
    """A project with a spec, a prompt, two pictures and a folder of posts.

    Its clock can be put forward, since no test can put a file's ctime back.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Makes the files; the clock is 10 s after them."""
        self.root, self.table, self._patch = root, str(root / ".assetbuild" / "stamps"), monkeypatch
        self.hashed: list[str] = []
        self.children: list[int] = []
        for path, content in {
            "assets.yaml": b"version: 1\n",
            "prompts/poster.md": b"A poster\n",
            "art/poster.png": b"P" * 3000,
            "art/box.png": b"B" * 3000,
            "posts/one.md": b"# One\n",
        }.items():
            self.put(path, content)
        inner = hashing.hash_file

        def counted(path: bytes) -> stamps.Hashed:
            self.hashed.append(os.path.relpath(os.fsdecode(path), root).replace(os.sep, "/"))
            return inner(path)

        monkeypatch.setattr(hashing, "hash_file", counted)
        monkeypatch.setattr(stamps, "hash_file", counted)
        monkeypatch.setattr(stamptable, "hashed", {})
        self.clock(10)

    def clock(self, seconds: float) -> None:
        """A new process starts `seconds` after the real now."""
        self.now = time.time_ns() + int(seconds * SECOND)
        self._patch.setattr(stamptable, "STARTED_NS", self.now)
        self._patch.setattr(hashing, "STARTED_NS", self.now)
        self._patch.setattr(stamptable, "time", SimpleNamespace(time_ns=lambda: self.now))
        stamptable.hashed.clear()
        self.hashed.clear()

    def put(self, path: str, content: bytes) -> None:
        """Writes a file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    def files(self) -> list[str | tuple[str, str]]:
        """What a build would name, with digests."""
        names = ["assets.yaml", "prompts/poster.md", "posts/one.md", "art/poster.png", "art/box.png"]
        return [(name, sha((self.root / name).read_bytes())) for name in names]

    def write(
        self,
        files: Iterable[str | tuple[str, str]] | None = None,
        *,
        folders: Iterable[str] = ("posts",),
        complete: bool = True,
        tool: str = "1.0",
    ) -> bool:
        """Writes the table as a build at this moment would."""
        header = {**self.header(tool=tool), "summary": "2 up to date"}
        return stamps.write(
            self.table,
            str(self.root),
            header=header,
            files=self.files() if files is None else files,
            absent=["photos/late.png"],
            folders=folders,
            complete=complete,
            since_ns=self.now,
        )

    def header(self, tool: str = "1.0", profile: str | None = None, environ: dict[str, str] | None = None) -> dict[str, str]:
        """What has to agree."""
        return stamptable.header(tool=tool, profile=profile, spec="assets.yaml", environ=environ or {})

    def ask(self, **header: object) -> str:
        """Whether there is something to do, as a new process asks it."""
        self.hashed.clear()
        above = os.path.join(os.fsencode(self.root), b"")
        return stamptable.unchanged(self.table, above, self.header(**header))  # type: ignore[arg-type]

    def digests(self) -> FileDigests:
        """The slow path's view."""
        return FileDigests(str(self.root), self.table)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(tmp_path, monkeypatch)


def same_size_same_mtime(root: Path) -> None:
    before = (root / "art/box.png").stat()
    (root / "art/box.png").write_bytes(b"b" * 3000)
    os.utime(root / "art/box.png", ns=(before.st_atime_ns, before.st_mtime_ns))


def moved_over(root: Path) -> None:
    before = (root / "art/box.png").stat()
    (root / "other").write_bytes(b"b" * 3000)
    os.utime(root / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(root / "other", root / "art/box.png")


def swapped(root: Path) -> None:
    os.rename(root / "art/box.png", root / "art/t")
    os.rename(root / "art/poster.png", root / "art/box.png")
    os.rename(root / "art/t", root / "art/poster.png")


def to_folder(root: Path) -> None:
    (root / "art/box.png").unlink()
    (root / "art/box.png").mkdir()


def to_fifo(root: Path) -> None:
    (root / "art/box.png").unlink()
    os.mkfifo(root / "art/box.png")


def to_dangling_link(root: Path) -> None:
    (root / "art/box.png").unlink()
    (root / "art/box.png").symlink_to("nowhere.png")


def file_to_folder_of_that_name(root: Path) -> None:
    (root / "posts/two.md").rmdir()
    (root / "posts/two.md").write_text("# Two")


def photo_came(root: Path) -> None:
    (root / "photos").mkdir()
    (root / "photos/late.png").write_bytes(b"x")


CHANGES: dict[str, Callable[[Path], object]] = {
    "other bytes": lambda root: (root / "art/box.png").write_bytes(b"edited"),
    "same size, same mtime": same_size_same_mtime,
    "another file moved over it": moved_over,
    "two pictures swapped": swapped,
    "deleted": lambda root: (root / "art/box.png").unlink(),
    "renamed": lambda root: os.rename(root / "art/box.png", root / "art/Box2.png"),
    "emptied": lambda root: (root / "art/box.png").write_bytes(b""),
    "one byte longer": lambda root: (root / "art/box.png").write_bytes(b"B" * 3001),
    "now a folder": to_folder,
    "now a FIFO": to_fifo,
    "now a dangling link": to_dangling_link,
    "now a Git LFS pointer": lambda root: (root / "art/box.png").write_bytes(POINTER % sha(b"x").encode()),
    "now a pointer to the same bytes": lambda root: (root / "art/box.png").write_bytes(POINTER % sha(b"B" * 3000).encode()),
    "the spec": lambda root: (root / "assets.yaml").write_bytes(b"version: 2\n"),
    "the missing photo came": photo_came,
    "a new post": lambda root: (root / "posts/three.md").write_bytes(b"x"),
    "a post renamed": lambda root: os.rename(root / "posts/one.md", root / "posts/uno.md"),
    "a folder became a post": file_to_folder_of_that_name,
    "the folder is gone": lambda root: os.rename(root / "posts", root / "old"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(tree: Tree, change: str) -> None:
    (tree.root / "posts/two.md").mkdir()
    assert tree.write()
    assert tree.ask() == "2 up to date"
    assert tree.hashed == []
    CHANGES[change](tree.root)
    with pytest.raises((stamptable.Changed, OSError)):
        tree.ask()


def copied_over_itself(root: Path) -> None:
    (root / "art/t").write_bytes((root / "art/box.png").read_bytes())
    os.replace(root / "art/t", root / "art/box.png")


def checked_out_again(root: Path) -> None:
    for path in list(root.rglob("*")):
        if path.is_file() and ".assetbuild" not in path.parts:
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content)


def editor_came_and_went(root: Path) -> None:
    (root / "posts/.one.md.swp").write_bytes(b"x")
    (root / "posts/.one.md.swp").unlink()


HARMLESS: dict[str, tuple[Callable[[Path], object], int]] = {
    "touch": (lambda root: os.utime(root / "art/box.png"), 1),
    "chmod": (lambda root: (root / "art/box.png").chmod(0o600), 1),
    "a copy of itself": (copied_over_itself, 1),
    "a fresh checkout": (checked_out_again, 5),
    "an editor came and went": (editor_came_and_went, 0),
    "a file nobody asked for": (lambda root: (root / "art/notes.txt").write_bytes(b"x"), 0),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_the_same_bytes_are_hashed_once_and_then_believed(tree: Tree, change: str) -> None:
    tree.write()
    act, hashed = HARMLESS[change]
    act(tree.root)
    tree.clock(10)
    assert tree.ask() == "2 up to date"
    assert len(tree.hashed) == hashed
    assert tree.ask() == "2 up to date"
    assert tree.hashed == []


def test_a_table_nobody_can_write_is_right_and_slow(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write()
    os.utime(tree.root / "art/box.png")

    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", read_only)
    for _ in range(2):
        assert tree.ask() == "2 up to date"
        assert tree.hashed == ["art/box.png"]
    assert not tree.write()
    assert sorted(p.name for p in (tree.root / ".assetbuild").iterdir()) == [".gitignore", "stamps"]


def test_a_file_where_the_folder_should_be(tree: Tree) -> None:
    tree.put(".assetbuild", b"")
    assert not tree.write()


def test_a_picture_of_this_second_is_hashed_although_its_stat_agrees(tree: Tree) -> None:
    tree.clock(0)
    tree.write(folders=())  # each digest is known, so the table is complete; but each file could still change within its tick
    assert tree.ask() == "2 up to date"
    assert len(tree.hashed) == 5
    tree.clock(1)
    tree.ask()
    assert len(tree.hashed) == 5
    tree.clock(3)
    tree.ask()
    tree.ask()
    assert tree.hashed == []


def test_a_change_in_the_same_tick_is_seen(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.clock(0)
    tree.write(folders=())
    stat, lines = os.stat, {os.fsencode(tree.root / name): os.stat(tree.root / name) for name in ("art/box.png",)}
    (tree.root / "art/box.png").write_bytes(b"b" * 3000)
    monkeypatch.setattr(os, "stat", lambda path, **kw: lines.get(path) or stat(path, **kw))  # a clock that stood still
    with pytest.raises(stamptable.Changed, match=r"box\.png"):
        tree.ask()


def test_a_future_mtime_is_always_hashed(tree: Tree) -> None:
    day = time.time() + 86_400
    os.utime(tree.root / "art/box.png", (day, day))
    tree.write()
    for _ in range(2):
        tree.ask()
        assert tree.hashed == ["art/box.png"]
    tree.clock(86_500)
    tree.ask()
    tree.ask()
    assert tree.hashed == []


def test_a_clock_that_went_back_means_look(tree: Tree) -> None:
    tree.write()
    tree.clock(0)
    with pytest.raises(stamptable.Changed, match="clock"):
        tree.ask()


@pytest.mark.parametrize(
    "other", [{"tool": "1.1"}, {"profile": "draft"}, {"environ": {"ASSETBUILD_STORE": "/s"}}, {"environ": {"ASSETBUILD_X": ""}}]
)
def test_another_version_profile_or_environment_means_look(tree: Tree, other: dict[str, object]) -> None:
    tree.write()
    with pytest.raises(stamptable.Changed, match="head"):
        tree.ask(**other)


def test_credentials_are_neither_compared_nor_written(tree: Tree) -> None:
    header = tree.header(environ={"ASSETBUILD_VENDOR_API_KEY": "s3cret", "HOME": "/h"})
    assert header == tree.header()


def test_a_build_that_is_not_complete_never_answers_but_lends_its_digests(tree: Tree) -> None:
    tree.write(complete=False)
    with pytest.raises(stamptable.Changed):
        tree.ask()
    assert tree.digests().look("art/box.png") == Found(sha(b"B" * 3000), 3000, False)
    assert tree.hashed == []


def test_a_table_cut_short_anywhere_is_no_answer(tree: Tree) -> None:
    tree.write()
    whole = Path(tree.table).read_bytes()
    for length in range(len(whole)):
        Path(tree.table).write_bytes(whole[:length])
        with pytest.raises((ValueError, KeyError)):
            tree.ask()
    Path(tree.table).write_bytes(whole + b"\0")
    with pytest.raises(ValueError, match="end"):
        tree.ask()


def test_a_flipped_byte_anywhere_never_hides_a_change(tree: Tree) -> None:
    tree.write()
    whole = bytearray(Path(tree.table).read_bytes())
    (tree.root / "art/box.png").write_bytes(b"b" * 3000)
    (tree.root / "posts/three.md").write_bytes(b"x")
    for i in range(len(whole)):
        for flip in (1, 64, 255):
            whole[i] ^= flip
            Path(tree.table).write_bytes(whole)
            whole[i] ^= flip
            with pytest.raises((stamptable.Changed, ValueError, KeyError, OSError)):
                tree.ask()


def test_a_flipped_byte_never_gives_another_answer_or_digest(tree: Tree) -> None:
    tree.write()
    whole = bytearray(Path(tree.table).read_bytes())
    for i in range(len(whole)):
        whole[i] ^= 5
        Path(tree.table).write_bytes(whole)
        whole[i] ^= 5
        with contextlib.suppress(stamptable.Changed, ValueError, KeyError, OSError):
            assert tree.ask() == "2 up to date"
        assert tree.digests().look("art/box.png") == Found(sha(b"B" * 3000), 3000, False)


@pytest.mark.parametrize(
    "garbage", [b"", b"\0" * 5000, b"assetbuild stamps 2\n", b"assetbuild stamps 1\nhead 1 99999999999 0\n", b"\xff" * 300]
)
def test_garbage_is_no_answer(tree: Tree, garbage: bytes) -> None:
    tree.put(".assetbuild/stamps", garbage)
    with pytest.raises(ValueError):  # noqa: PT011 - its text is nobody's
        tree.ask()
    assert tree.digests().look("art/box.png") == Found(sha(b"B" * 3000), 3000, False)


def test_a_file_that_may_differ_from_what_the_build_read_makes_no_complete_table(tree: Tree) -> None:
    tree.clock(0)
    tree.write(["assets.yaml"], folders=())  # without the digest of what was read, and touched this very second
    with pytest.raises(stamptable.Changed):
        tree.ask()
    tree.clock(10)
    tree.write(["assets.yaml"], folders=())
    assert tree.ask() == "2 up to date"


def test_a_text_edited_while_the_build_ran_makes_no_complete_table(tree: Tree) -> None:
    tree.write([("assets.yaml", sha(b"as it was read")), ("art/box.png", sha(b"B" * 3000))])
    with pytest.raises(stamptable.Changed):
        tree.ask()


def test_a_picture_edited_while_the_build_ran_is_seen_by_the_next(tree: Tree) -> None:
    tree.clock(0)
    files = tree.files()
    same_size_same_mtime(tree.root)
    tree.write(files, folders=())
    tree.clock(10)
    with pytest.raises(stamptable.Changed, match=r"box\.png"):
        tree.ask()


def test_a_folder_listed_this_very_second_makes_no_complete_table(tree: Tree) -> None:
    tree.clock(0)
    tree.write(folders=["posts"])
    with pytest.raises(stamptable.Changed, match="head"):
        tree.ask()


def test_a_missing_file_makes_no_complete_table_and_a_missing_folder_must_stay_away(tree: Tree) -> None:
    tree.write(["art/none.png"])
    with pytest.raises(stamptable.Changed):
        tree.ask()
    tree.write(folders=["drafts"])
    assert tree.ask() == "2 up to date"
    (tree.root / "drafts").mkdir()
    with pytest.raises(stamptable.Changed, match="absent"):
        tree.ask()


def test_a_thousand_files_more_than_one_run(tree: Tree) -> None:
    names = [f"many/{i:04}.png" for i in range(2 * stamptable.RUN + 7)]
    for name in names:
        tree.put(name, name.encode() * 200)
    tree.write(names, folders=())
    assert tree.ask() == "2 up to date"
    os.utime(tree.root / names[-1])
    os.utime(tree.root / names[5])
    tree.clock(10)
    assert tree.ask() == "2 up to date"
    assert tree.hashed == [names[5], names[-1]]
    assert tree.ask() == "2 up to date"
    assert tree.hashed == []
    (tree.root / names[stamptable.RUN]).write_bytes(b"x")
    with pytest.raises(stamptable.Changed, match=rf"{stamptable.RUN}\.png"):
        tree.ask()


@pytest.fixture
def shared(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> tuple[Tree, list[str]]:
    """A table of ten runs of two, which two processes look at together where there are two processors."""
    monkeypatch.setattr(stamps, "RUN", 2)
    names = [f"many/{i:02}.png" for i in range(20)]
    for name in names:
        tree.put(name, name.encode() * 200)
    tree.write(names, folders=())
    fork = os.fork

    def counted() -> int:
        tree.children.append(fork())
        return tree.children[-1]

    monkeypatch.setattr(os, "fork", counted)
    return tree, names


def ended(pids: list[int]) -> bool:
    """Whether these children are gone, and waited for."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            return False
    return True


@pytest.mark.skipif(not hasattr(os, "fork"), reason="one process does it all here")
@pytest.mark.parametrize("changed", range(20))
def test_two_processes_see_a_change_in_either_half(shared: tuple[Tree, list[str]], changed: int) -> None:
    tree, names = shared
    assert tree.ask() == "2 up to date"
    (tree.root / names[changed]).write_bytes(b"x")
    with pytest.raises(stamptable.Changed, match=names[changed]):
        tree.ask()
    assert ended(tree.children)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="one process does it all here")
@pytest.mark.parametrize("failing", ["", "fork", "helper"])
def test_two_processes_heal_both_halves(shared: tuple[Tree, list[str]], failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tree, names = shared
    for name in names:
        os.utime(tree.root / name)
    tree.clock(10)
    with monkeypatch.context() as broken:
        if failing == "fork":
            broken.setattr(os, "fork", lambda: (_ for _ in ()).throw(BlockingIOError(11, "no process to be had")))
        if failing == "helper":
            ours, compare = os.getpid(), stamptable._compare
            broken.setattr(stamptable, "_compare", lambda *a: compare(*a) if os.getpid() == ours else os.kill(os.getpid(), 9))
        assert tree.ask() == "2 up to date"
    assert ended(tree.children)
    assert tree.ask() == "2 up to date"
    assert tree.hashed == []
    assert [tree.digests().look(name) for name in names] == [Found(sha(n.encode() * 200), 2200, False) for n in names]
    assert tree.hashed == []


def test_names_of_any_script_and_bytes(tree: Tree) -> None:
    names = ["art/übung ゆっくり.png", "art/new\nline=.png"]
    if os.name == "posix":
        names.append(os.fsdecode(b"art/latin-\xe9.png"))
    for name in names:
        tree.put(name, b"x" * 2000)
    tree.write([(name, sha(b"x" * 2000)) for name in names])
    assert tree.ask() == "2 up to date"
    assert [tree.digests().look(name) for name in names] == [Found(sha(b"x" * 2000), 2000, False)] * len(names)
    assert tree.hashed == []


def test_the_folder_carries_its_own_gitignore(tree: Tree) -> None:
    tree.write()
    assert (tree.root / ".assetbuild/.gitignore").read_text() == "*\n"


def test_profiles_have_tables_of_their_own_and_lead_nowhere_else() -> None:
    assert stamptable.table_path("", "draft") == os.path.join(".assetbuild", "stamps-draft")
    names = [stamptable.table_path("", name) for name in (None, "a/b", "a\\b", "..", "a%2fb", "a.b", "ü")]
    assert len(set(names)) == len(names)
    assert all(os.path.dirname(name) == ".assetbuild" and "." not in os.path.basename(name) for name in names)
