"""A build that is killed at each step of the write order, then run again: nothing is made twice that was recorded, nothing is lost.

The child ends like a kill -9 at the N-th call of a function that changes the disk. `ASSETBUILD_CRASH_FULL=1` tries every N; otherwise every third.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace

SPEC = """\
version: 1
defaults: {provider: PROVIDER, output: "art/${id}.png"}
assets:
  poster:
    prompt: |
      A poster.
  poster-de:
    base: poster
    prompt: |
      Set the headline.
    then:
      - Make it bolder.
  story:
    set: [a, b]
    prompt: |
      Two panels.
    output: "art/story-${member}.png"
"""
STEPS = 4  # keys in the spec

# Each changes the disk: a kill just before the call is the hardest moment on either side of it.
POINTS = [
    "os.replace",
    "os.rename",
    "os.fsync",
    "os.open",
    "assetbuild.swap.take_free",
    "assetbuild.store.cas.Cas.put",
    "assetbuild.store.Store.record",
    "assetbuild.lockfile.merge",
]


def crash_points(space: TestSpace) -> list[str]:
    """The points that a whole build passes, with how often it passes them, thinned unless asked for all."""
    counted = space.run("build", env={"COUNT_CALLS": ",".join(POINTS), "COUNT_FILE": str(space.folder / "calls")})
    assert counted.code == 0, counted.text
    lines = (space.folder / "calls").read_text().split()
    step = 1 if os.environ.get("ASSETBUILD_CRASH_FULL") else 3
    points = []
    for line in lines:
        name, _, count = line.rpartition("=")
        stride = step if name != "os.open" else step * 8
        points += [f"{name}:{n}" for n in range(1, int(count) + 1, stride)]
    return points


def fresh(folder: Path, provider: str) -> TestSpace:
    """A new project with the spec."""
    space = TestSpace(folder)
    space.write("assets.yaml", SPEC.replace("PROVIDER", provider))
    return space


@pytest.mark.parametrize("provider", ["counting", "comp"])
def test_killed_at_every_step(tmp_path: Path, provider: str) -> None:
    """However it dies: the next build ends well, and only steps whose result wasn't recorded are made again."""
    points = crash_points(fresh(tmp_path / "count", provider))
    assert len(points) > 8, points
    crashed = 0
    for number, point in enumerate(points):
        space = fresh(tmp_path / f"n{number}", provider)
        died = space.run("build", env={"CRASH_AT": point})
        crashed += died.code == 137
        after = len(space.bills)
        recorded = recorded_keys(space)
        again = space.build()
        assert "waiting for you" not in again.err, f"{point}\n{again.err}"
        for key in recorded:
            assert sum(b["key"] == key for b in space.bills) <= 1, f"{point}: made again although it was recorded"
        if provider == "counting":
            assert len(space.bills) - after <= STEPS - len(recorded), point
        assert "3 up to date" in space.build().err
        assert not [p for p in space.root.rglob("*.tmp*") if ".assetbuild" not in p.parts], point
        lock = space.lock()
        for line in lock.values():
            for output in line["outputs"]:
                assert (space.root / output["path"]).stat().st_size == output["size"], point
        shutil.rmtree(space.folder, onerror=_writable)
    assert crashed >= len(points) * 2 // 3, f"only {crashed} of {len(points)} points were reached"


def recorded_keys(space: TestSpace) -> set[str]:
    """The keys of the results in the store."""
    import sqlite3

    database = space.root / ".assetbuild" / "store" / "store.db"
    if not database.exists():
        return set()
    with sqlite3.connect(database) as db:
        try:
            return {row[0] for row in db.execute("SELECT key FROM results")}
        except sqlite3.OperationalError:  # killed before the tables were made
            return set()


def _writable(function: object, path: str, _: object) -> None:
    os.chmod(os.path.dirname(path), 0o755)
    os.chmod(path, 0o755)
    os.unlink(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send one process a ^C or SIGTERM that it could hear")
def test_interrupted_keeps_what_was_made(space: TestSpace) -> None:
    """^C: nothing new is begun, what is being made is kept, exit 130; the next build makes only the rest."""
    import signal
    import time

    spec = "version: 1\ndefaults: {provider: counting}\nassets:\n" + "".join(
        f"  a{n}:\n    prompt: |\n      Number {n}. [slow]\n" for n in range(6)
    )
    space.write("assets.yaml", spec)
    child = space.start("build", "-j", "1")
    end = time.monotonic() + 30
    while not space.bills and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert 1 <= len(space.bills) < 6
    assert "stopped after" in err
    assert "the rest is as it was" in err
    space.build()
    assert len(space.bills) == 6


def test_a_build_in_a_thread_leaves_signals_alone(space: TestSpace) -> None:
    """A program that runs us beside its own work keeps its ^C."""
    space.write("assets.yaml", SPEC.replace("PROVIDER", "counting"))
    program = (
        "import signal, sys, threading\n"
        "from assetbuild.cli import main\n"
        "mine = lambda *_: None\n"
        "signal.signal(signal.SIGTERM, mine)\n"
        "sys.argv = ['assetbuild', 'build']\n"
        "codes = []\n"
        "one = threading.Thread(target=lambda: codes.append(main()))\n"
        "one.start()\n"
        "one.join()\n"
        "print(codes, signal.getsignal(signal.SIGTERM) is mine)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=space.root, env=space.env(), capture_output=True, text=True, check=False
    )
    assert done.stdout.endswith("[0] True\n"), done.stdout + done.stderr
