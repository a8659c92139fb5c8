"""Files are whole or not there, whatever happens to the process or the disk; git and shared disks are found without asking
anybody.
"""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from assetbuild import files
from assetbuild.errors import StoreError

from .disks import remount, small
from .storing import die_at, digest, run, same_words


def temporary(folder: Path) -> list[str]:
    return [f.name for f in folder.rglob("*.tmp")]


def test_a_file_is_written_with_its_folders_and_the_usual_mode(tmp_path: Path) -> None:
    target = tmp_path / "art" / "deep" / "poster.png"
    old = os.umask(0o027)
    try:
        files.atomic_write(target, b"one", durable=True)
    finally:
        os.umask(old)
    assert target.read_bytes() == b"one"
    assert target.stat().st_mode & 0o777 == 0o640
    files.atomic_write(target, b"", durable=False)
    assert target.read_bytes() == b""
    assert temporary(tmp_path) == []


def test_bytes_are_synced_before_the_name_and_the_name_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def noted(name: str) -> None:
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, **k: (calls.append(name), real(*a, **k))[1])

    for name in ("fsync", "replace"):
        noted(name)
    files.atomic_write(tmp_path / "a", b"x", durable=True)
    assert calls == ["fsync", "replace", "fsync"]
    calls.clear()
    files.atomic_write(tmp_path / "new" / "b", b"x", durable=True)
    assert calls == ["fsync", "fsync", "replace", "fsync"], "the new folder's own name is synced too"
    calls.clear()
    files.atomic_write(tmp_path / "a", b"y", durable=False)
    assert calls == ["replace"]


@pytest.mark.parametrize("half", ["before", "half"])
def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one(tmp_path: Path, half: str) -> None:
    code = """
        from pathlib import Path
        from assetbuild.files import atomic_write
        arm()
        atomic_write(Path(sys.argv[3]), b"new" * 1000, durable=True)
    """
    target, step, seen = tmp_path / "poster.png", 1, set()
    while True:
        target.write_bytes(b"old")
        if not die_at(step, half, code, target):
            break
        seen.add(target.read_bytes())
        step += 1
    assert step >= 6
    assert target.read_bytes() == b"new" * 1000
    assert seen == {b"old", b"new" * 1000}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission"),
        (errno.EFBIG, "too-large"),
        (errno.EIO, "input-output"),
    ],
)
def test_a_disk_that_refuses_is_named_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, name: str
) -> None:
    target = tmp_path / "art" / "poster.png"
    files.atomic_write(target, b"old", durable=False)

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(StoreError) as caught:
        files.atomic_write(target, b"new", durable=True)
    monkeypatch.undo()
    same_words(f"disk-{name}", caught.value, (tmp_path, "PROJECT"))
    assert caught.value.exit_code == 2
    assert target.read_bytes() == b"old"
    assert temporary(tmp_path) == []


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    # A limit on the file size is the one full disk that needs no root: the kernel itself cuts the write short, then refuses.
    done = run(
        """
        import resource, sys
        from pathlib import Path
        from assetbuild.errors import StoreError
        from assetbuild.files import atomic_write
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            atomic_write(Path(sys.argv[1]), b"x" * 5000, durable=True)
        except StoreError as error:
            print(error.text)
        """,
        tmp_path / "poster.png",
    )
    assert "would be larger than this process or disk allows" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_tiny_disk_in_memory(tmp_path: Path) -> None:
    with small(tmp_path, "64k"):
        (tmp_path / "poster.png").write_bytes(b"old")
        with pytest.raises(StoreError, match="the disk is full"):
            files.atomic_write(tmp_path / "poster.png", b"x" * 200_000, durable=True)
        assert [(f.name, f.read_bytes()) for f in tmp_path.iterdir()] == [("poster.png", b"old")]
        remount(tmp_path, "ro")
        with pytest.raises(StoreError, match="this disk is read-only"):
            files.atomic_write(tmp_path / "new" / "poster.png", b"x", durable=True)


def test_something_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "art").write_text("a file")
    with pytest.raises(StoreError) as caught:
        files.atomic_write(tmp_path / "art" / "posters" / "a.png", b"x", durable=False)
    same_words("file-in-the-way", caught.value, (tmp_path, "PROJECT"))
    (tmp_path / "b.png").mkdir()
    with pytest.raises(StoreError) as caught:
        files.atomic_write(tmp_path / "b.png", b"x", durable=False)
    same_words("folder-in-the-way", caught.value, (tmp_path, "PROJECT"))
    with pytest.raises(StoreError, match="too long"):
        files.atomic_write(tmp_path / ("ü" * 200), b"x", durable=False)
    assert temporary(tmp_path) == []


def test_an_interrupted_write_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.atomic_write(tmp_path / "a", b"x", durable=False)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_is_its_own_file_and_replaces_a_link(tmp_path: Path) -> None:
    source, elsewhere, target = tmp_path / "blob", tmp_path / "elsewhere.png", tmp_path / "art" / "a.png"
    source.write_bytes(b"picture" * 400_000)
    source.chmod(0o444)
    elsewhere.write_bytes(b"not ours")
    target.parent.mkdir()
    target.symlink_to(elsewhere)
    files.atomic_copy(source, target, durable=True)
    assert elsewhere.read_bytes() == b"not ours"
    assert not target.is_symlink()
    assert target.stat().st_ino != source.stat().st_ino
    assert source.stat().st_nlink == 1
    assert target.stat().st_mode & 0o777 == 0o644 & ~_umask()
    target.write_bytes(b"edited")
    assert source.read_bytes() == b"picture" * 400_000
    with pytest.raises(FileNotFoundError):
        files.atomic_copy(tmp_path / "no", target, durable=False)
    assert files.sha256_file(source) == (digest(b"picture" * 400_000), 2_800_000)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def git(folder: Path, *words: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    who = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "protocol.file.allow=always",
        "-c",
        "init.defaultBranch=main",
    ]
    done = subprocess.run(["git", "-C", str(folder), *who, *words], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_git_is_found_as_git_finds_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main, other, sub = tmp_path / "main", tmp_path / "other", tmp_path / "main" / "vendor" / "sub"
    for folder in (main, other):
        folder.mkdir()
        git(folder, "init")
        git(folder, "commit", "--allow-empty", "-m", "x")
    git(main, "submodule", "add", str(other), "vendor/sub")
    git(main, "worktree", "add", str(tmp_path / "tree"), "-b", "side")
    inside = main / "brand" / "posters"
    inside.mkdir(parents=True)
    (main / "empty").mkdir()
    (main / "empty" / ".git").mkdir()  # git ignores an empty folder of that name
    (tmp_path / "link").symlink_to(inside)
    for place in (main, inside, sub, tmp_path / "tree", main / "empty", tmp_path / "link"):
        top = git(place, "rev-parse", "--show-toplevel")
        common = os.path.realpath(place / git(place, "rev-parse", "--git-common-dir"))
        assert files.git_dirs(place) == (Path(top), Path(common)), place
    assert files.git_dirs(tmp_path) is None
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert files.git_dirs(inside) == (main, main / ".git"), "a hook of another repository doesn't lead us there"
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / ".git").write_text("gitdir: /nowhere/.git/worktrees/x\n")
    assert files.git_dirs(tmp_path / "lost") is None
    (tmp_path / "lost" / ".git").write_bytes(b"\xff\xfe garbage")
    assert files.git_dirs(tmp_path / "lost") is None


def test_lfs_pointers() -> None:
    oid = digest(b"picture")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n".encode()
    assert files.lfs_oid(pointer) == oid
    assert files.lfs_oid(pointer.replace(b"\n", b"\r\n")) == oid
    extended = pointer.replace(b"oid ", b"ext-0-crypt sha256:" + b"0" * 64 + b"\noid ", 1)
    assert files.lfs_oid(extended) == oid
    for other in (
        b"",
        b"\x89PNG\r\n",
        pointer[:60],
        pointer + b"more",
        pointer.replace(b"sha256", b"md5"),
        pointer + b"\n" * 2000,
    ):
        assert files.lfs_oid(other) is None


MOUNTS = r"""22 27 0:20 / /sys rw,nosuid - sysfs sysfs rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 27 0:35 / /home rw,relatime shared:9 - nfs4 server:/home rw,vers=4.2
41 40 8:2 / /home/me/local\040disk rw - btrfs /dev/sdb1 rw
42 27 0:50 / /mnt/c rw,noatime - 9p drvfs rw
43 27 0:51 / /mnt/ssh rw - fuse.sshfs me@host: rw
44 27 0:52 / /mnt/crypt rw - fuse.gocryptfs /x rw
45 27 0:53 / /mnt/vm rw - fuse.vmhgfs-fuse vmhgfs-fuse rw
46 27 0:54 / /mnt/c rw - ext4 /dev/sdc1 rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/work/a", None),
        ("/home/me/a", "nfs4"),
        ("/homework", None),
        ("/home/me/local disk/x", None),
        ("/mnt/c/x", None),  # a later mount hides the 9p one
        ("/mnt/ssh", "fuse.sshfs"),
        ("/mnt/crypt/a", None),
        ("/mnt/vm/a", "fuse.vmhgfs-fuse"),
    ],
)
def test_shared_disks_are_told_by_their_mount(path: str, kind: str | None) -> None:
    assert files.shared_mount(MOUNTS, path) == kind


def test_this_disk_is_asked_and_a_path_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(files, "shared_mount", lambda *given: asked.append(given) or "nfs4")
    found = files.network_filesystem(tmp_path / "not" / "there")
    if Path("/proc/self/mountinfo").exists():
        assert found == "nfs4"
        assert [path for _, path in asked] == [os.path.realpath(tmp_path / "not" / "there")]
        assert asked[0][0].strip(), "the table of this machine"
    else:  # a system without that table has no answer
        assert found is None


def test_our_own_folder_carries_its_gitignore_and_is_never_a_link(tmp_path: Path) -> None:
    assert files.private_folder(tmp_path) == tmp_path / ".assetbuild"
    assert (tmp_path / ".assetbuild" / ".gitignore").read_text() == "*\n"
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / ".assetbuild").symlink_to("..")
    with pytest.raises(StoreError) as caught:
        files.private_folder(clone)
    same_words("private-folder-link", caught.value, (tmp_path, "PROJECT"))
    assert not (tmp_path / ".gitignore").exists()
