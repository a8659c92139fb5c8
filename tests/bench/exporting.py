"""Making exports: `assetbuild build --re-export`, and the room that encodes alone, beside a bare loop of the same encodes, in one run.

python -m tests.bench.exporting [--masters 100] [--runs 3] [--here]

Target (issue 4 §5): 100 masters of 1536×1024 × 4 exports (webp, avif, jpeg, png, each 1200 wide) ≤ 1.15 × bare encodes on two cores, with the encoders' own
threads set to one; memory ≤ 400 MB. The bare loop has two threads too, opens and resizes each master once, encodes with the same settings and writes the
files; it keeps no record. The room alone is `pictures.encoding.make` in two threads, which writes the same files.
`--here` measures the checkout instead of an installed copy.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from . import ground
from .measure import Contender, in_turns, machine, table

WIDTH, HEIGHT, EXPORT = 1536, 1024, 1200
BARE = f"""
import os, sys
from concurrent.futures import ThreadPoolExecutor
from PIL import Image

def one(name):
    picture = Image.open("art/" + name)
    picture.load()
    picture = picture.resize(({EXPORT}, {round(EXPORT * HEIGHT / WIDTH)}), Image.Resampling.LANCZOS, reducing_gap=3.0)
    stem = "bare/" + name[:-4]
    picture.save(stem + ".webp", quality=80, method=4)
    picture.save(stem + ".avif", quality=60, speed=6, subsampling="4:2:0", max_threads=1)
    picture.save(stem + ".jpg", quality=82, subsampling=2, progressive=True, optimize=True)
    picture.save(stem + ".png", compress_level=6)

os.makedirs("bare", exist_ok=True)
with ThreadPoolExecutor(2) as threads:
    list(threads.map(one, sorted(os.listdir("art"))))
"""

ROOM = f"""
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from assetbuild.pictures.encoding import make
from assetbuild.pictures.wanted import Want
from assetbuild.recipe import FORMATS, Recipe

ENDINGS = ("webp", "avif", "jpg", "png")
WANTS = [Want(Recipe(FORMATS[ending], width={EXPORT})) for ending in ENDINGS]

def one(name):
    for ending, made in zip(ENDINGS, make(Path("art", name), WANTS, shown=name), strict=True):
        Path("room", name[:-4] + "." + ending).write_bytes(made.data)

os.makedirs("room", exist_ok=True)
with ThreadPoolExecutor(2) as threads:
    list(threads.map(one, sorted(os.listdir("art"))))
"""


def master(path: Path, number: int) -> None:
    """A picture with soft light, shapes and a grain, as a painter's model gives it: neither flat nor noise."""
    from PIL import Image, ImageChops, ImageDraw, ImageFilter

    chance = random.Random(number)  # noqa: S311 - the same each time
    ground_ = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).rotate(chance.randrange(360), expand=False)
    tints = [[int(40 + v * chance_ * 0.8) for v in range(256)] for chance_ in (chance.uniform(0.5, 1.0) for _ in range(3))]
    picture = Image.merge("RGB", [ground_.point(tint) for tint in tints])
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y, r = chance.randrange(WIDTH), chance.randrange(HEIGHT), chance.randrange(10, 180)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(chance.randrange(256), chance.randrange(256), chance.randrange(256)))
    picture = picture.filter(ImageFilter.GaussianBlur(2))
    grain = Image.frombytes("L", (WIDTH // 2, HEIGHT // 2), chance.randbytes(WIDTH * HEIGHT // 4)).resize((WIDTH, HEIGHT))
    grain = grain.point(lambda v: 128 + (v - 128) // 16)
    picture = ImageChops.add(picture, Image.merge("RGB", [grain] * 3), offset=-128)
    picture.save(path, compress_level=1)


def spec(count: int) -> str:
    """So many assets, whose pictures lie there already."""
    exports = ", ".join(f'{kind}: {{path: "web/${{id}}.{kind}", width: {EXPORT}}}' for kind in ("webp", "avif", "jpg", "png"))
    rows = "".join(f"  m{i:03}:\n    prompt: |\n      Picture {i}.\n" for i in range(count))
    return f"version: 1\nproject: bench\ndefaults:\n  provider: comp\n  exports: {{{exports}}}\nassets:\n{rows}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--masters", default=100, type=int)
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--here", action="store_true", help="measure this checkout")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="assetbuild-bench-") as folder:
        environ = ground.clean_environ()
        if given.here:
            python, command = sys.executable, [sys.executable, "-m", "assetbuild"]
            environ = {**environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)}
        else:
            installed = ground.Installed(Path(folder) / "env")
            python, command = installed.python, [installed.assetbuild]
        root = Path(folder) / "project"
        (root / "art").mkdir(parents=True)
        (root / "assets.yaml").write_text(spec(given.masters))
        for i in range(given.masters):
            master(root / "art" / f"m{i:03}.png", i)
        for words in (["use", "*"], ["build"]):  # the pictures that lie there are the ones
            done = subprocess.run([*command, *words], cwd=root, env=environ, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"`{' '.join(words)}` ended with {done.returncode}: {done.stderr[-800:]}")
        contenders = {
            "assetbuild": Contender([*command, "build", "--re-export"]),
            "its room alone": Contender([python, "-c", ROOM]),
            "bare encodes": Contender([python, "-c", BARE]),
        }
        took = in_turns(contenders, cwd=root, runs=given.runs, environ=environ)
        print(f"\n{given.masters} masters of {WIDTH}×{HEIGHT}, 4 exports each (median of {given.runs})")
        print(table(took, against="bare encodes"))


if __name__ == "__main__":
    main()
