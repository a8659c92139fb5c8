"""The ground that benches run on: projects of N assets, the same graph for other build tools, and an installed copy of the
package.

Knows the form of the files, measures nothing.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path

import assetbuild
from assetbuild import digest, lockfile, stamps, stamptable
from assetbuild.project import Env, Project
from assetbuild.spec.model import AssetInput, Export

PICTURE = 2048  # bytes of an output file
STYLE = "Flat vector shapes, palette #2B2D42 #EF8354, generous margins."


def names(count: int) -> list[str]:
    """Ids of `count` assets in the order of the spec: a base and its edit in turns."""
    return [f"p{i // 2:06}" + ("-edit" if i % 2 else "") for i in range(count)]


def spec(count: int, *, changed: bool = False, edits: bool = True) -> str:
    """A spec of `count` assets in one file, half of them edits of another; `changed`: one prompt in the middle differs; without
    `edits` none hangs on another."""
    parts = ["version: 1\nproject: bench\ndefaults: {provider: comp, quality: low}\nassets:\n"]
    middle = count // 4 * 2
    for i, name in enumerate(names(count)):
        word = "Espresso" if changed and i == middle else "Coffee"
        if i % 2 and edits:
            base = name.removesuffix("-edit")
            body = f'    base: {base}\n    prompt: |\n      Set the headline to "Nº {i}".\n      Keep everything else exactly.\n'
        else:
            body = f'    prompt: |\n      A poster for a coffee brand, "{word} {i}".\n      {STYLE}\n      Grain, warm light.\n'
        parts.append(f"  {name}:\n{body}")
    return "".join(parts)


def pictures(root: Path, count: int) -> list[str]:
    """Makes the output files, no two the same; returns their paths relative to the root."""
    (root / "art").mkdir(parents=True, exist_ok=True)
    paths = [f"art/{name}.png" for name in names(count)]
    noise = os.urandom(PICTURE)
    for i, path in enumerate(paths):
        with open(root / path, "wb") as file:
            file.write(b"%016d" % i + noise[16:])
    return paths


def stamp(root: Path, outputs: list[str]) -> None:
    """Writes the stamp table as a build would that found everything up to date; the files have to be 2 s old."""
    (root / "assets.lock").touch()
    header = stamptable.header(tool=assetbuild.__version__, profile=None, spec="assets.yaml", environ={})
    summary = {"summary": f"{len(outputs)} up to date"}
    path = stamptable.table_path(str(root), None)
    files = ["assets.yaml", "assets.lock", *outputs]
    if not stamps.write(path, str(root), header=header | summary, files=files, complete=True, since_ns=time.time_ns()):
        raise SystemExit(f"can't write {path}")


def project(root: Path) -> Project:
    """The project in `root`, as the command line would open it."""
    return Project(Env(root, clean_environ(), sys.stdout, sys.stderr), root / "assets.yaml")


def lock(root: Path) -> None:
    """Writes `assets.lock` as a build would that had drawn the outputs: spec, graph, keys and lines by our own rooms."""
    opened = project(root)
    digests: dict[str, str] = {}
    lines = {}
    for name in opened.graph.order:
        asset = opened.assets[name]
        step = asset.steps[0]
        action = digest.action(step, [digests[x.source.asset] for x in step.inputs if isinstance(x.source, AssetInput)])
        content = (root / asset.outputs[0]).read_bytes()
        digests[name] = digest.sha256(content)
        output = lockfile.Output(asset.outputs[0], "", digests[name], len(content))
        line = lockfile.Line(name, action.key, digest.KEY_VERSION, digest.sealed(action.manifest), (output,))
        lines[name] = line._replace(exports=tuple(_locked(root, one, digests[name]) for one in asset.exports))
    (root / "assets.lock").write_text(lockfile.render(lines), encoding="utf-8", newline="\n")


def _locked(root: Path, one: Export, master: str) -> lockfile.LockedExport:
    content = (root / one.path).read_bytes()
    return lockfile.LockedExport(one.name, "", one.path, digest.sha256(content), len(content), master, one.recipe.options)


def settled(root: Path, size: int, files: list[str], command: list[str]) -> None:
    """The lockfile for what lies there, and a build that finds it up to date and stamps it. Raises SystemExit when it finds anything to do."""
    lock(root)
    age(root, files)
    done = subprocess.run(command, cwd=root, env=clean_environ(), capture_output=True, text=True, check=False)
    last = done.stderr.strip().rpartition("\n")[2]
    if done.returncode or not last.startswith(f"{size:,} up to date in"):
        raise SystemExit(f"`{' '.join(command)}` ended with {done.returncode}: {last}")


def built(root: Path, size: int, command: list[str]) -> list[str]:
    """A project whose outputs and lockfile were made here, and which the real build then finds up to date and stamps.

    Returns the outputs. Raises SystemExit when the build finds anything to do.
    """
    root.mkdir()
    (root / "assets.yaml").write_text(spec(size), encoding="utf-8")
    outputs = pictures(root, size)
    settled(root, size, outputs, command)
    return outputs


def for_ninja(root: Path, outputs: list[str], ninja: str) -> None:
    """`build.ninja` with the graph, run once so that its log knows every command.

    Each command carries its prompt, as it must for ninja to notice that one changed. The commands do nothing; starting 100,000 of
    them takes minutes.
    """
    with open(root / "build.ninja", "w") as plan:
        plan.write("rule draw\n  command = : $out $prompt\n")
        for i, path in enumerate(outputs):
            plan.write(
                f"build {path}: draw {outputs[i - 1] if i % 2 else ''}\n  prompt = 'A poster for a coffee brand {i}. {STYLE}'\n"
            )
    subprocess.run([ninja, "-j8"], cwd=root, check=True, capture_output=True)
    said = subprocess.run([ninja, "-n"], cwd=root, check=True, capture_output=True, text=True).stdout
    if "no work to do" not in said:
        raise SystemExit(f"ninja doesn't find everything built: {said[-300:]}")


def for_make(root: Path, outputs: list[str]) -> None:
    """A `Makefile` with the graph."""
    with open(root / "Makefile", "w") as file:
        file.write("all: " + " ".join(outputs) + "\n")
        for i, path in enumerate(outputs):
            file.write(f"{path}: {outputs[i - 1] if i % 2 else 'assets.yaml'}\n\tfalse\n")


def for_doit(root: Path, outputs: list[str], doit: list[str]) -> None:
    """A `dodo.py` with the graph, run once so that its database knows every file."""
    tasks = [(path, outputs[i - 1] if i % 2 else "assets.yaml") for i, path in enumerate(outputs)]
    (root / "tasks.json").write_text(json.dumps(tasks))
    (root / "dodo.py").write_text(
        "import json\ndef task_draw():\n    for path, dep in json.load(open('tasks.json')):\n"
        "        yield {'name': path, 'actions': [lambda: None], 'file_dep': [dep], 'targets': [path]}\n"
    )
    subprocess.run(doit, cwd=root, check=True, capture_output=True)


def age(root: Path, outputs: list[str]) -> None:
    """Gives each file a time after its inputs' and waits until all are older than the coarsest clock of a file system."""
    now = time.time_ns()
    for path in ("assets.yaml", *outputs):
        back = 20 if path.startswith("web/") else 30 if path.endswith("-edit.png") else 60 if path.startswith("art/") else 90
        os.utime(root / path, ns=(now, now - back * 1_000_000_000))
    time.sleep(2.2)


class Installed:
    """The package as pip would install it: an environment of its own with a console script, and beside it one whose `main` is
    empty."""

    def __init__(self, folder: Path) -> None:
        """Makes the environment in `folder`; dependencies come from the environment that runs the bench."""
        venv.create(folder, with_pip=False, symlinks=os.name == "posix")
        binaries = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = str(binaries / "python")
        scheme = {"base": str(folder), "platbase": str(folder)}
        site = Path(sysconfig.get_path("purelib", scheme="venv", vars=scheme))
        source = Path(assetbuild.__file__).parent
        shutil.copytree(source, site / "assetbuild", ignore=shutil.ignore_patterns("__pycache__"))
        schemas = source.parent / "schemas"
        if schemas.is_dir():
            shutil.copytree(schemas, site / "assetbuild" / "schemas", dirs_exist_ok=True)
        (site / "nothing").mkdir()
        (site / "nothing" / "__init__.py").write_text("")
        (site / "nothing" / "__main__.py").write_text("def main():\n    return 0\n")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        compileall.compile_dir(str(site), quiet=2)
        self.assetbuild = self._script(binaries / "assetbuild", "assetbuild", "run")
        self.empty = self._script(binaries / "empty", "nothing", "main")

    def _script(self, path: Path, package: str, entry: str) -> str:
        """A console script as pip ≥ 24 writes it (older ones import `re` too, which makes both sides slower)."""
        path.write_text(
            f"#!{self.python}\nimport sys\nfrom {package}.__main__ import {entry}\n"
            f"if __name__ == '__main__':\n    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit({entry}())\n"
        )
        path.chmod(0o755)
        return str(path)


def clean_environ() -> dict[str, str]:
    """The environment without what changes how Python or we start."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ASSETBUILD_"))}


def find(program: str) -> str | None:
    """A program beside this Python, or in PATH."""
    return shutil.which(program, path=os.path.dirname(sys.executable)) or shutil.which(program)
