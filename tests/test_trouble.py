"""What goes wrong around a project: damaged and newer files, full and read-only disks. A clear error or a repair that loses nothing, exit 2."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace
from tests.disks import read_only, remount, small
from tests.test_scenarios import PAID, change, commit, paid


def test_conflict_markers_in_the_lockfile(space: TestSpace) -> None:
    """Which line, and how to go on; nothing is changed."""
    paid(space)
    text = space.read("assets.lock").decode()
    space.write("assets.lock", text.replace("{", "<<<<<<< HEAD\n{", 1))
    before = space.files()
    ran = space.build(code=2)
    assert "assets.lock:1" in ran.err
    assert "hint:" in ran.err
    assert space.files() == before
    assert len(space.bills) == 2


def test_a_newer_lockfile(space: TestSpace) -> None:
    """It isn't an empty state."""
    paid(space)
    space.write("assets.lock", space.read("assets.lock").replace(b'"assetbuild.lock":1', b'"assetbuild.lock":99'))
    assert "99" in space.build(code=2).err
    assert len(space.bills) == 2


def test_a_truncated_lockfile(space: TestSpace) -> None:
    """Half a line is told, not skipped."""
    paid(space)
    space.write("assets.lock", space.read("assets.lock")[:-40])
    assert "assets.lock:" in space.build(code=2).err


def test_a_damaged_store_is_repaired_from_what_is_left(space: TestSpace) -> None:
    """`cache verify --repair` sets the database aside and saves what can be read; no picture is made again."""
    paid(space)
    database = space.root / ".assetbuild" / "store" / "store.db"
    for other in database.parent.glob("store.db-*"):
        other.unlink()
    content = bytearray(database.read_bytes())
    content[0:64] = b"\xff" * 64
    database.write_bytes(content)
    assert {p["row"] for p in space.plan().values()} == {"4"}  # the store isn't asked
    change(space, "for coffee", "for tea")
    ran = space.build(code=2)
    assert "--repair" in ran.err
    assert len(space.bills) == 2
    assert space.run("cache", "verify", "--repair").code in (0, 1)
    change(space, "for tea", "for coffee")
    space.build()
    assert len(space.bills) == 2
    assert (
        list(database.parent.glob("store.db.*"))
        or list(database.parent.glob("*damaged*"))
        or list(database.parent.rglob("store.db*"))
    )


def test_a_newer_store(space: TestSpace) -> None:
    """Refused, untouched."""
    paid(space)
    database = space.root / ".assetbuild" / "store" / "store.db"
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version = 99")
    change(space, "for coffee", "for tea")
    assert space.build(code=2).code == 2
    assert len(space.bills) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a process's files")
def test_a_file_may_not_grow(space: TestSpace) -> None:
    """A disk that refuses bytes in the middle of a picture: the asset fails, nothing half-written lies there, the next build goes on."""
    space.write("assets.yaml", PAID.replace("counting", "comp"))
    command = f"ulimit -f 8; exec {sys.executable} -m assetbuild build"
    done = subprocess.run(["bash", "-c", command], cwd=space.root, env=space.env(), capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert not list((space.root / "art").glob("*"))
    space.build()
    assert "2 up to date" in space.build().err


def test_a_full_disk(space: TestSpace) -> None:
    """On a real disk of 1 MB: a clear error, nothing lost, and it goes on once there is room."""
    with small(space.root, "1m"):
        spec = "version: 1\nassets:\n" + "".join(f'  p{n}:\n    prompt: |\n      Poster {n} "Word {n}"\n' for n in range(40))
        space.write("assets.yaml", spec)
        ran = space.run("build")
        assert ran.code in (1, 2), ran.err
        assert "Traceback" not in ran.err
        assert "full" in ran.err
        for path in (space.root / "art").glob("*"):
            assert path.read_bytes().startswith(b"\x89PNG")
        remount(space.root, "size=64m")
        space.build()
        assert "40 up to date" in space.build().err


def test_a_read_only_tree(space: TestSpace) -> None:
    """Nothing to do works without writing a byte; something to do is a clear error."""
    commit(paid(space))
    shutil.rmtree(space.root / ".assetbuild", ignore_errors=True)
    with read_only(space.root):
        assert "2 up to date" in space.build().err
        space.build("--frozen")
        assert space.run("plan").code == 0
    change(space, "for coffee", "for tea")
    with read_only(space.root):
        ran = space.run("build")
        assert ran.code in (1, 2)
        assert "Traceback" not in ran.err
        assert len(space.bills) == 2, "nothing is made that can't be kept"


def test_a_spec_that_is_no_spec(space: TestSpace, tmp_path: Path) -> None:
    """Nothing on disk changes, whatever the file is."""
    for content in (
        b"",
        b"\x00\x01",
        "version: 1\nassets: {}\n".encode("utf-16"),
        b"a: &a [*a]\n",
        b"[" * 5000,
        b"\xff\xfe\xfa",
        b"- 1\n- 2\n",
        b"version: 1\n",
    ):
        space.write("assets.yaml", content)
        before = space.files()
        ran = space.run("build")
        assert ran.code == 2, (content[:20], ran.text)
        assert "assets.yaml" in ran.err
        assert "Traceback" not in ran.err
        assert space.files() == before
        assert not (space.root / ".assetbuild").exists()


def test_100_megabytes(space: TestSpace) -> None:
    """Told at once, not parsed."""
    with open(space.root / "assets.yaml", "wb") as file:
        file.truncate(100 * 1024 * 1024)
    ran = space.run("plan", timeout=20)
    assert ran.code == 2
    assert "assets.yaml" in ran.err
