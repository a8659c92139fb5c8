"""A first build of comps beside what typst alone needs for the same pictures on as many threads.

python -m tests.bench.comps [--size 1000] [--threads 2]

Target (issue 2 §8): 1,000 comps on two cores in 1.3 x the time of typst alone. The build is the whole process with spec, keys,
store, lockfile and outputs; typst's time is that of its `compile` calls only, with the very requests the provider makes, fonts
already loaded. The spec has no edits here, so that every request can be made before its picture is drawn.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from . import ground
from .measure import machine


class Recorded(Exception):
    """A request was written down instead of drawn."""


def requests(root: Path) -> list[tuple[Any, ...]]:
    """What the provider would ask typst to draw, picture by picture: the arguments of `press.pages`."""
    from assetbuild import digest
    from assetbuild.providers import comp
    from assetbuild.providers.base import Request
    from assetbuild.providers.comp import press

    asked: list[tuple[Any, ...]] = []

    def record(*arguments: Any) -> list[bytes]:
        asked.append(arguments)
        raise Recorded

    draw = press.pages
    press.pages = record  # type: ignore[assignment]
    try:
        for asset in ground.project(root).spec.assets:
            step = asset.steps[0]
            request = Request(digest.action(step, []).key, step.op, step.model, step.prompt, step.params, ())
            try:
                comp.draw(request)
            except Recorded:
                continue
            raise SystemExit(f"{asset.id} was drawn without `press.pages`: this bench has to learn the provider's new way")
    finally:
        press.pages = draw
    return asked


def typst_alone(root: Path, threads: int) -> float:
    """Seconds that typst needs for all pictures of the spec, shared among threads that have drawn one picture each before."""
    from assetbuild.providers.comp import press

    asked = requests(root)
    ready = threading.Barrier(threads + 1)

    def work(first: int) -> None:
        press.pages(*asked[first])
        ready.wait()
        for i in range(first, len(asked), threads):
            press.pages(*asked[i])

    workers = [threading.Thread(target=work, args=(first,)) for first in range(threads)]
    for worker in workers:
        worker.start()
    ready.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print: the two in turn, twice, since each takes long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default=1000, type=int)
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("--alone", metavar="FOLDER", help="only typst, for the spec in this folder: prints seconds")
    given = parser.parse_args()
    if given.alone:
        print(typst_alone(Path(given.alone), given.threads))
        return
    print(machine())
    with tempfile.TemporaryDirectory(prefix="assetbuild-bench-") as folder:
        installed = ground.Installed(Path(folder) / "env")
        print(f"{given.size} comps on {given.threads} threads")
        for turn in (1, 2):
            root = Path(folder) / str(turn)
            root.mkdir()
            (root / "assets.yaml").write_text(ground.spec(given.size, edits=False), encoding="utf-8")
            began = time.perf_counter()
            build = [installed.assetbuild, "build", "--jobs", str(given.threads)]
            done = subprocess.run(build, cwd=root, env=ground.clean_environ(), capture_output=True, text=True, check=False)
            took = time.perf_counter() - began
            if done.returncode:
                raise SystemExit(f"`{' '.join(build)}` ended with {done.returncode}: {done.stderr[-500:]}")
            again = [sys.executable, "-m", "tests.bench.comps", "--alone", str(root), "--threads", str(given.threads)]
            alone = float(subprocess.run(again, capture_output=True, text=True, check=True).stdout)
            print(f"turn {turn}: build {took / alone:.2f} x typst alone on {given.threads} threads ({took:.1f} s, {alone:.1f} s)")


if __name__ == "__main__":
    main()
