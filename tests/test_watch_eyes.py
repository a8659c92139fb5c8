"""What a watch sees: every way in which editors save, folders that come and go, links, and git; and that it hears nothing else. With the system's hints and by
looking.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assetbuild.files import mount_type
from assetbuild.watch import eyes as room
from assetbuild.watch.eyes import Eyes, Seen
from assetbuild.watch.following import Following
from assetbuild.watch.gitview import dirs, look, moved
from assetbuild.watch.outlook import Follow

from .hooking import posix
from .watching import wait_for

pytestmark = posix


def plain(path: Path, text: str) -> None:
    path.write_text(text)


def through_a_temp_file(path: Path, text: str) -> None:
    other = path.with_name(path.name + ".tmp.1234")
    other.write_text(text)
    other.replace(path)


def vim(path: Path, text: str) -> None:
    probe = path.with_name("4913")
    probe.write_text("")
    probe.unlink()
    backup = path.with_name(path.name + "~")
    if path.exists():
        path.rename(backup)
    path.write_text(text)
    backup.unlink(missing_ok=True)


def vs_code(path: Path, text: str) -> None:
    with open(path, "r+") as file:
        file.truncate(0)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def jetbrains(path: Path, text: str) -> None:
    new, old = path.with_name(path.name + "___jb_tmp___"), path.with_name(path.name + "___jb_old___")
    new.write_text(text)
    path.rename(old)
    new.rename(path)
    old.unlink()


def from_another_folder(path: Path, text: str) -> None:
    folder = path.parents[1] / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / "x").write_text(text)
    (folder / "x").replace(path)


def deleted_and_made_again(path: Path, text: str) -> None:
    path.unlink()
    time.sleep(0.05)
    path.write_text(text)


def appended(path: Path, text: str) -> None:
    with open(path, "a") as file:
        file.write(text)


WAYS = [plain, through_a_temp_file, vim, vs_code, jetbrains, from_another_folder, deleted_and_made_again, appended]


class Looking:
    """Eyes over a small project, and what they told."""

    def __init__(self, root: Path, follow: Follow, *, poll: bool | None = False, git: bool = False) -> None:
        self.root, self.told = root, list[Seen]()
        self.said: list[str] = []
        self.eyes = Eyes(self.told.append, poll=poll, interval=0.05, said=self.said.append)
        self.following = Following.of(root, "assets.yaml", follow, dirs(root) if git else None)
        self.eyes.set(self.following)
        self.eyes.start()

    def hears(self, act: Callable[[], object], *names: str) -> None:
        """That after this act each of these files is told of."""
        self.told.clear()
        act()
        for name in names:
            wait_for(
                lambda name=name: any(str(self.root / name) in seen.paths for seen in list(self.told)),
                name,
                lambda: str(self.told),
            )  # type: ignore[misc]
        time.sleep(0.2)  # its last events
        self.told.clear()

    def silent(self, act: Callable[[], object]) -> None:
        """That this act is nobody's business."""
        self.told.clear()
        act()
        time.sleep(0.4)
        assert self.told == []


@pytest.fixture(params=[False, True], ids=["hints", "poll"])
def looking(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Looking]:
    root = tmp_path / "project"
    for folder in ("prompts", "art", ".assetbuild", "refs"):
        (root / folder).mkdir(parents=True)
    for name in ("assets.yaml", "prompts/a.txt", "refs/one.png", "art/out.png"):
        (root / name).write_text("first")
    follow = Follow(
        ("assets.yaml", "prompts/a.txt", "prompts/none.txt"),
        ("refs/one.png",),
        ("refs",),
        "assets.lock",
        ("art/out.png", "refs/made.png"),
    )
    one = Looking(root, follow, poll=request.param)
    yield one
    one.eyes.close()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_saving_is_heard(looking: Looking, way: Callable[[Path, str], None]) -> None:
    for text in ("second", "third!"):
        looking.hears(lambda text=text: way(looking.root / "prompts/a.txt", text), "prompts/a.txt")  # type: ignore[misc]


def test_what_comes_goes_and_comes_again(looking: Looking) -> None:
    root = looking.root
    looking.hears(lambda: (root / "prompts/none.txt").write_text("now it is"), "prompts/none.txt")
    looking.hears(
        lambda: (root / "refs/two.png").write_text("a new name where names matter"),
        *(["refs"] if looking.eyes.polls else ["refs/two.png"]),
    )
    looking.hears(lambda: (root / "prompts").rename(root / "other"), "prompts/a.txt")
    looking.hears(lambda: (root / "other").rename(root / "prompts"), "prompts/a.txt")
    looking.hears(lambda: (root / "prompts/a.txt").write_text("after the folder was another one"), "prompts/a.txt")

    def folder_again() -> None:
        for file in (root / "prompts").iterdir():
            file.unlink()
        (root / "prompts").rmdir()
        time.sleep(0.2)
        (root / "prompts").mkdir()
        (root / "prompts/a.txt").write_text("in a new folder")

    looking.hears(folder_again, "prompts/a.txt")
    looking.hears(lambda: (root / "prompts/a.txt").write_text("and once more"), "prompts/a.txt")


def test_reading_our_own_files_and_editors_leavings_are_not_heard(looking: Looking) -> None:
    root = looking.root
    looking.silent(
        lambda: [(root / "assets.yaml").read_bytes(), (root / "prompts/a.txt").read_bytes(), list((root / "refs").iterdir())]
    )
    looking.silent(lambda: (root / "art/out.png").write_text("an output"))
    looking.silent(lambda: (root / ".assetbuild/x").write_text("ours"))
    looking.silent(lambda: (root / "prompts/.a.txt.swp").write_text("vim's"))
    looking.silent(lambda: (root / "refs/made.png").write_text("ours, where names matter"))
    looking.silent(lambda: (root / "prompts/stranger.txt").write_text("of no spec"))


def test_a_file_that_is_a_link_is_followed_to_where_it_lies(tmp_path: Path) -> None:
    root, far = tmp_path / "project", tmp_path / "far"
    root.mkdir()
    far.mkdir()
    (far / "brand.txt").write_text("first")
    (far / "other.txt").write_text("other")
    (root / "assets.yaml").write_text("x")
    (root / "brand.txt").symlink_to(far / "brand.txt")
    one = Looking(root, Follow(("assets.yaml", "brand.txt")))
    try:
        one.hears(lambda: (far / "brand.txt").write_text("second"), "brand.txt")

        def swapped() -> None:
            (root / "new").symlink_to(far / "other.txt")
            (root / "new").replace(root / "brand.txt")

        one.hears(swapped, "brand.txt")
        one.hears(lambda: (far / "other.txt").write_text("now this one counts"), "brand.txt")
    finally:
        one.eyes.close()


def test_what_changed_before_it_was_followed_is_told(tmp_path: Path) -> None:
    (tmp_path / "assets.yaml").write_text("x")
    one = Looking(tmp_path, Follow(("assets.yaml",)))
    try:
        began = time.time()
        (tmp_path / "prompt.txt").write_text("changed while it was planned")
        one.eyes.set(Following.of(tmp_path, "assets.yaml", Follow(("assets.yaml", "prompt.txt")), None), began)
        wait_for(lambda: any(str(tmp_path / "prompt.txt") in seen.paths for seen in one.told), "what was missed")
    finally:
        one.eyes.close()


def test_ten_thousand_files_in_hundreds_of_folders_leave_nothing_behind(tmp_path: Path) -> None:
    names = [f"p{n % 300:03}/f{n}.txt" for n in range(10_000)]
    for n in range(300):
        (tmp_path / f"p{n:03}").mkdir()
    for name in names:
        (tmp_path / name).write_text("x")
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    one = Looking(tmp_path, Follow(("assets.yaml", *names)), poll=None)
    assert not one.eyes.polls or room._DEAF.fullmatch(mount_type(Path("/proc/self/mountinfo").read_text(), str(tmp_path)))
    one.hears(lambda: (tmp_path / names[7777]).write_text("y"), names[7777])
    one.eyes.close()
    wait_for(lambda: set(threading.enumerate()) <= threads, "threads")
    assert len(os.listdir("/proc/self/fd")) <= files


def test_folders_above_the_number_that_may_be_followed_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_WATCHES", 3)
    names = [f"p{n}/f.txt" for n in range(8)]
    for name in names:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    one = Looking(tmp_path, Follow(("assets.yaml", *names)))
    try:
        assert one.eyes.polls
        for name in names:
            one.hears(lambda name=name: (tmp_path / name).write_text("y"), name)  # type: ignore[misc]
    finally:
        one.eyes.close()


def test_a_system_that_lets_us_follow_no_more_is_told_of_and_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from watchdog.observers import Observer

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "schedule", full)
    (tmp_path / "assets.yaml").write_text("x")
    one = Looking(tmp_path, Follow(("assets.yaml",)))
    try:
        assert len(one.said) == 1
        assert "max_user_watches" in one.said[0]
        one.hears(lambda: (tmp_path / "assets.yaml").write_text("yy"), "assets.yaml")
    finally:
        one.eyes.close()


def test_lost_events_mean_that_everything_may_have_changed(tmp_path: Path) -> None:
    import logging

    (tmp_path / "assets.yaml").write_text("x")
    one = Looking(tmp_path, Follow(("assets.yaml",)))
    try:
        logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; filesystem events were lost")
        wait_for(lambda: any(seen.everything for seen in one.told), "the loss")
    finally:
        one.eyes.close()


MOUNTS = """\
22 1 0:20 / / rw - ext4 /dev/sda rw
30 22 0:30 / /mnt/c rw - 9p drvfs rw
31 22 0:31 / /share rw - nfs4 host:/x rw
32 22 0:32 / /sshfs rw - fuse.sshfs host rw
33 22 0:33 / /mac rw - virtiofs x rw
34 22 0:34 / /fast rw - btrfs x rw
"""


@pytest.mark.parametrize(
    ("path", "deaf"),
    [("/home/me", False), ("/mnt/c/me", True), ("/share/x", True), ("/sshfs/x", True), ("/mac/x", True), ("/fast/x", False)],
)
def test_disks_that_don_t_tell_are_known_by_their_type(path: str, deaf: bool) -> None:
    assert room._is_deaf(MOUNTS, path) is deaf


# ── git ──


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.email", "a@b")
    git(folder, "config", "user.name", "a")
    (folder / "assets.yaml").write_text("first\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    git(folder, "switch", "-qc", "print")
    (folder / "assets.yaml").write_text("print\n")
    git(folder, "commit", "-qam", "print")
    git(folder, "switch", "-q", "main")
    return folder


def git(folder: Path, *words: str, code: int | None = 0) -> None:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_EDITOR": "true"}
    ran = subprocess.run(["git", *words], cwd=folder, capture_output=True, env=env, check=False)
    assert code is None or ran.returncode == code, ran.stderr


def change(folder: Path, *steps: tuple[str, ...], code: int | None = 0) -> str:
    where = dirs(folder)
    assert where is not None
    before = look(*where)
    for words in steps:
        git(folder, *words, code=code)
    return moved(before, look(*where))


def test_what_git_did_is_told_in_words(repository: Path) -> None:
    assert change(repository, ("switch", "-q", "print")) == "the branch changed (main → print)"
    assert change(repository, ("switch", "-q", "main")) == "the branch changed (print → main)"
    (repository / "assets.yaml").write_text("edited\n")
    assert change(repository) == ""
    assert change(repository, ("add", "-A")) == "git changed its index"
    assert change(repository, ("stash",)) == "the stash changed"
    assert change(repository, ("stash", "pop")) == "the stash changed"
    assert change(repository, ("commit", "-qam", "x")) == "main moved to another commit"
    assert change(repository, ("rebase", "-q", "print"), code=1) == f"the branch changed (main → {_head(repository)})"
    assert change(repository) == "a rebase is under way"
    git(repository, "rebase", "--abort")
    assert change(repository, ("reset", "-q", "--hard", "HEAD~1")) == "main moved to another commit"
    (repository / "assets.yaml").write_text("edited\n")
    assert change(repository, ("checkout", "-q", "--", "assets.yaml")) == "git changed its index"
    assert change(repository, ("checkout", "-q", "--detach", "print")) == f"the branch changed (main → {_head(repository)})"


def _head(repository: Path) -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True).stdout[:8]


def test_a_worktree_has_its_own_place(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"), "print")
    tree = tmp_path / "tree"
    assert change(tree, ("checkout", "-q", "--detach")) == f"the branch changed (print → {_head(tree)})"
    where = dirs(repository)
    assert where is not None
    before = look(*where)
    git(tree, "checkout", "-q", "-b", "other")
    assert moved(before, look(*where)) == ""


def test_a_lock_is_seen_and_no_repository_is_none(repository: Path, tmp_path: Path) -> None:
    where = dirs(repository)
    assert where is not None
    assert not look(*where).locked
    (repository / ".git/index.lock").write_text("")
    assert look(*where).locked
    (tmp_path / "plain").mkdir()
    assert dirs(tmp_path / "plain") is None


def test_git_s_own_changes_are_heard_as_git_s(repository: Path) -> None:
    one = Looking(repository, Follow(("assets.yaml",)), git=True)
    try:
        git(repository, "commit", "-q", "--allow-empty", "-m", "nothing")
        wait_for(lambda: any(seen.git for seen in one.told), "git")
        assert not any(seen.paths for seen in one.told)
        one.hears(lambda: git(repository, "switch", "-q", "print"), "assets.yaml")
    finally:
        one.eyes.close()
