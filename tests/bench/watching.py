"""How long a save takes until its plan stands on the screen of `assetbuild watch`, what the watch itself holds in memory, and what it costs while nothing
happens.

    python -m tests.bench.watching [ASSETS …]

A spec of so many drawn assets in one file, and one that is to be bought, whose quality is edited again and again: its price on the screen is the sign.
Told is what the save took beyond the quiet period of 250 ms, the median of the edits, with two bounds from the same run: `plan` as a process of its own,
and a bare watchdog that reads the file when it hears of it.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assetbuild.testing.space import TestSpace
from tests import emulating
from tests.watching import Watching

QUIET = 0.25
EDITS = 11
IDLE = 20.0  # seconds


def spec(count: int, quality: str) -> str:
    """`count` drawn assets, a fifth of them edits of another, and one to be bought in the middle."""
    lines = ["version: 1", "project: big", "defaults: {output: 'art/${id}.png'}", "assets:"]
    for n in range(count):
        lines.append(f"  pic-{n:05}:")
        if n % 5 == 4:
            lines.append(f"    base: pic-{n - 1:05}")
        lines.append(f"    prompt: A bean number {n}. Flat vector shapes, generous margins, and a headline that says coffee.")
        if n == count // 2:
            lines += [
                "  poster:",
                "    provider: apiframe",
                "    model: gpt-image-2",
                f"    params: {{quality: {quality}}}",
                "    prompt: A poster.",
            ]
    return "\n".join(lines) + "\n"


class Timed(Watching):
    """A watch whose output is kept with the time at which it came."""

    def _read(self) -> None:
        self.came: list[tuple[float, bytes]] = []
        while True:
            try:
                some = os.read(self._ours, 65536)
            except OSError:
                return
            if not some:
                return
            self.came.append((time.perf_counter(), some))
            with self._lock:
                self._stream.feed(some)

    def when(self, words: bytes, since: float) -> float:
        """The time at which these words came."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for at, some in self.came[-50:]:
                if at > since and words in some:
                    return at
            time.sleep(0.002)
        raise AssertionError(self.text[-3000:])


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare(folder: Path) -> float:
    """watchdog alone: from a save to its bytes read."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    path = folder / "assets.yaml"
    heard: list[float] = []

    class Ear(FileSystemEventHandler):
        def on_modified(self, event: FileSystemEvent) -> None:
            if not event.is_directory:
                path.read_bytes()
                heard.append(time.perf_counter())

    observer = Observer()
    observer.schedule(Ear(), str(folder), recursive=False)
    observer.start()
    took = []
    for _ in range(EDITS):
        heard.clear()
        text = path.read_bytes()
        began = time.perf_counter()
        path.write_bytes(text)
        while not heard:
            time.sleep(0.0005)
        took.append(heard[0] - began)
        time.sleep(0.05)
    observer.stop()
    observer.join()
    return statistics.median(took)


def measured(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, emulating.emulator() as apiframe:
        space = TestSpace(Path(folder))
        path = space.write("assets.yaml", spec(count, "high"))
        space.git("init", "-q")
        env = apiframe.env()
        ran = subprocess.run(
            [sys.executable, "-m", "assetbuild", "build", "pic-*"],
            cwd=space.root,
            env=space.env(env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        began = time.perf_counter()
        space.run("plan", env=env)
        whole = time.perf_counter() - began
        with Timed(space, "--no-drafts", env=env) as watch:
            watch.sees("poster")
            watch.settled()
            prices = {}
            took = []
            for n in range(EDITS + 2):
                quality = ("low", "high")[n % 2]
                text = spec(count, quality).encode()
                began = time.perf_counter()
                path.write_bytes(text)
                written = time.perf_counter()
                if quality not in prices:
                    time.sleep(3)
                    prices[quality] = re.search(r"poster +(\$[\d.]+)", watch.below)[1].encode()  # type: ignore[index]
                    continue
                took.append(watch.when(prices[quality], began) - written - QUIET)
                time.sleep(0.6)
            pid = watch.child.pid
            memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
            before = cpu(pid)
            time.sleep(IDLE)
            idle = (cpu(pid) - before) / IDLE
        alone = bare(space.root)
    print(
        f"{count:6,} assets: save → plan on screen: quiet period + {statistics.median(took) * 1000:.0f} ms "
        f"(worst {max(took) * 1000:.0f}); `plan` alone {whole * 1000:.0f} ms, bare watchdog {alone * 1000:.1f} ms; "
        f"watch itself {memory:.0f} MiB, idle {idle * 100:.2f} % CPU"
    )


if __name__ == "__main__":
    for each in sys.argv[1:] or ("1000", "10000"):
        measured(int(each))
