"""One prompt changed in a single large file: `assetbuild plan` beside a process that only does `yaml.load(…, CSafeLoader)` of
that file.

python -m tests.bench.plan [--sizes 1000,10000,100000] [--runs 5]

Targets (issue 2 §8): at 10k assets 0.8 x the bare load, and 130 MB; growth from the smallest to the largest size with an exponent
of 1.1 at most (seconds above an empty command, ∝ size^exponent). Outputs, lockfile and stamps are as after a build, only the one
prompt is new.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

from . import ground
from .measure import Contender, Took, in_turns, machine, table

BARE = "import yaml; yaml.load(open('assets.yaml', encoding='utf-8'), Loader=yaml.CSafeLoader)"


def measure(root: Path, size: int, installed: ground.Installed, runs: int) -> dict[str, Took]:
    """Builds the project, changes one prompt, and times both."""
    ground.built(root, size, [installed.assetbuild, "build"])
    (root / "assets.yaml").write_text(ground.spec(size, changed=True), encoding="utf-8")
    contenders = {
        "assetbuild plan": Contender([installed.assetbuild, "plan"]),
        "bare yaml.load": Contender([installed.python, "-c", BARE]),
        "empty main": Contender([installed.empty]),
    }
    return in_turns(contenders, cwd=root, runs=runs, environ=ground.clean_environ())


def exponent(times: dict[int, float]) -> float:
    """How time grows from the smallest to the largest size: 1 is linear."""
    small, large = min(times), max(times)
    return math.log(times[large] / times[small]) / math.log(large / small)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--runs", default=5, type=int)
    given = parser.parse_args()
    print(machine())
    above: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="assetbuild-bench-") as folder:
        installed = ground.Installed(Path(folder) / "env")
        for size in given.sizes:
            took = measure(Path(folder) / str(size), size, installed, given.runs)
            above[size] = took["assetbuild plan"].seconds - took["empty main"].seconds
            print(f"\n{size} assets in one file, one prompt changed (outputs and lockfile made here; median of {given.runs})")
            print(table(took, against="bare yaml.load"))
    if len(above) > 1:
        print(f"\ngrowth from {min(above)} to {max(above)}: size^{exponent(above):.2f}")


if __name__ == "__main__":
    main()
