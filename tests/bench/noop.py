"""Nothing to do: `assetbuild build` beside ninja, make and doit on the same graph, with as many files to look at.

python -m tests.bench.noop [--sizes 1000,10000,100000] [--runs 9] [--real 200]

Targets (issue 2 §8), whole processes: 1k ≤ 1.3 x an installed command whose `main` is empty; 10k ≤ 0.8 x ninja; 100k ≤ 0.5 x
ninja in 30 MB; all mtimes changed but no content ≤ 1.5 x a bare loop of open, read, sha256 over the outputs.

`--exports 3`: 10,000 assets with three exports each ≤ 0.8 x ninja with the same number of files (issue 4 §5).

Outputs and lockfile are made here, by the package's own rooms, since drawing 100,000 comps takes hours; `assetbuild build` then
has to find them up to date, and writes the stamp table. `--table-only` writes the table here too; `--real N` draws N assets.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from . import ground
from .measure import Contender, Took, in_turns, machine, table

BARE = """
import hashlib, os
for name in sorted(os.listdir("art")):
    with open("art/" + name, "rb") as file:
        hashlib.sha256(file.read()).hexdigest()
"""
DOIT_MOST = 2000  # assets; more takes it minutes


def made(root: Path, size: int) -> list[str]:
    """A project whose outputs and stamp table were made here; the lockfile is empty."""
    root.mkdir()
    (root / "assets.yaml").write_text(ground.spec(size))
    outputs = ground.pictures(root, size)
    ground.age(root, outputs)
    ground.stamp(root, outputs)
    return outputs


def drawn(root: Path, size: int, installed: ground.Installed) -> list[str]:
    """A project that `assetbuild build` built, twice, so that the second run finds everything up to date. Raises SystemExit when
    it can't."""
    root.mkdir()
    (root / "assets.yaml").write_text(ground.spec(size))
    for _ in range(2):
        done = subprocess.run(
            [installed.assetbuild, "build"], cwd=root, env=ground.clean_environ(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"`assetbuild build` ended with {done.returncode}: {done.stderr[-500:]}")
        time.sleep(2.2)
    return [f"art/{name}.png" for name in ground.names(size)]


def compare(root: Path, outputs: list[str], installed: ground.Installed, runs: int) -> dict[str, Took]:
    """Nothing to do, everybody in turn."""
    contenders = {"assetbuild": Contender([installed.assetbuild, "build"]), "empty main": Contender([installed.empty])}
    if ninja := ground.find("ninja"):
        ground.for_ninja(root, outputs, ninja)
        contenders["ninja"] = Contender([ninja])
    if make := ground.find("make"):
        ground.for_make(root, outputs)
        contenders["make"] = Contender([make])
    if (doit := ground.find("doit")) and len(outputs) <= DOIT_MOST:
        ground.for_doit(root, outputs, [doit])
        contenders["doit"] = Contender([doit])
    return in_turns(contenders, cwd=root, runs=runs, environ=ground.clean_environ())


def checked_out(root: Path, outputs: list[str], installed: ground.Installed, runs: int) -> dict[str, Took]:
    """All mtimes changed, no content: hashed and stamped anew, beside the bare loop."""

    def touch() -> None:
        for path in outputs:
            os.utime(root / path)
        time.sleep(2.2)  # else they would be too young to be believed, and the table were not written again

    contenders = {
        "assetbuild": Contender([installed.assetbuild, "build"], touch),
        "bare loop": Contender([installed.python, "-c", BARE]),
    }
    return in_turns(contenders, cwd=root, runs=runs, environ=ground.clean_environ())


def with_exports(root: Path, size: int, each: int, installed: ground.Installed, runs: int) -> dict[str, Took]:
    """Nothing to do where each asset has so many exports, beside ninja with the same files. Raises SystemExit without ninja."""
    ninja = ground.find("ninja")
    if ninja is None:
        raise SystemExit("ninja isn't installed")
    root.mkdir()
    fields = ", ".join(f'e{n}: {{path: "web/${{id}}-{n}.webp", width: {100 * (n + 1)}}}' for n in range(each))
    (root / "assets.yaml").write_text(ground.spec(size).replace("quality: low}", f"quality: low, exports: {{{fields}}}}}"))
    outputs = ground.pictures(root, size)
    (root / "web").mkdir()
    exports = [(path, f"web/{Path(path).stem}-{n}.webp") for path in outputs for n in range(each)]
    for nth, (_, path) in enumerate(exports):
        (root / path).write_bytes(b"%016d" % nth * (ground.PICTURE // 16))
    files = [*outputs, *(path for _, path in exports)]
    ground.settled(root, size, files, [installed.assetbuild, "build"])
    with open(root / "build.ninja", "w") as plan:
        plan.write("rule draw\n  command = : $out $prompt\nrule export\n  command = : $out $width\n")
        for nth, path in enumerate(outputs):
            base = outputs[nth - 1] if nth % 2 else ""
            plan.write(f"build {path}: draw {base}\n  prompt = 'A poster for a coffee brand {nth}. {ground.STYLE}'\n")
        plan.writelines(f"build {path}: export {master}\n  width = {path[-6]}\n" for master, path in exports)
    subprocess.run([ninja, "-j8"], cwd=root, check=True, capture_output=True)
    contenders = {"assetbuild": Contender([installed.assetbuild, "build"]), "ninja": Contender([ninja])}
    return in_turns(contenders, cwd=root, runs=runs, environ=ground.clean_environ())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--runs", default=9, type=int)
    parser.add_argument("--real", default=0, type=int, metavar="N", help="draw N assets with the real build")
    parser.add_argument(
        "--table-only", action="store_true", help="write the stamp table here instead of letting the real build do it"
    )
    parser.add_argument("--exports", default=0, type=int, metavar="N", help="only: N exports of each asset")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="assetbuild-bench-") as folder:
        installed = ground.Installed(Path(folder) / "env")
        for size in given.sizes if given.exports else ():
            print(f"\n{size} assets with {given.exports} exports each, nothing to do (median of {given.runs})")
            took = with_exports(Path(folder) / f"{size}-exports", size, given.exports, installed, given.runs)
            print(table(took, against="ninja"))
        if given.exports:
            return
        ways = [
            (size, "outputs made here, " + ("stamped here" if given.table_only else "stamped by a real build"))
            for size in given.sizes
        ]
        if given.real:
            ways.append((given.real, "drawn and stamped by a real build"))
        for size, way in ways:
            root = Path(folder) / f"{size}-{way[:5]}"
            if way.startswith("drawn"):
                outputs = drawn(root, size, installed)
            elif given.table_only:
                outputs = made(root, size)
            else:
                outputs = ground.built(root, size, [installed.assetbuild, "build"])
            print(f"\n{size} assets, nothing to do ({way}; median of {given.runs})")
            took = compare(root, outputs, installed, given.runs)
            print(table(took, against="ninja" if "ninja" in took else "empty main"))
            print(f"  assetbuild is {took['assetbuild'].seconds / took['empty main'].seconds:.2f} x an empty main")
            runs = min(given.runs, 3)
            print(f"{size} assets, all mtimes changed, no content (median of {runs})")
            print(table(checked_out(root, outputs, installed, runs), against="bare loop"))


if __name__ == "__main__":
    main()
