"""Every command of the README is run, every YAML block of README, examples and design is loaded and built."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace
from tests.docs_check import set_up_commands

from . import emulating

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DESIGN = ROOT.parent / "shared" / "DESIGN.md"


def blocks(section: str) -> list[list[str]]:
    """The commands of a section of the README: the lines of each of its shell blocks."""
    text = README.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return [[line for line in block.splitlines() if line.strip()] for block in re.findall(r"```sh\n(.*?)```", text, re.S)]


def copy_example(space: TestSpace, name: str) -> None:
    """An example as it is committed."""
    shutil.copytree(
        ROOT / "examples" / name,
        space.root,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("art", ".assetbuild", "assets.lock"),
    )


def test_set_up_is_two_commands_and_ci_runs_the_second() -> None:
    """Word for word; `docs_check` runs the first one."""
    _, second = set_up_commands()
    assert second in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_every_command_of_the_tour(space: TestSpace) -> None:
    """In the example, in the order of the README; `init` in folders of their own."""
    copy_example(space, "fika")
    space.git("init", "-q")
    lines = [line for name in ("The first ten minutes", "A project of your own") for block in blocks(name) for line in block]
    ran = 0
    for line in lines:
        words = shlex.split(line, comments=True)
        assert words[0] == "assetbuild", line
        if words[1:2] == ["init"]:
            folder = space.folder / f"init{ran}"
            folder.mkdir()
            if "--from" in words:
                shutil.copytree(ROOT / "examples" / "fika" / "brand", folder / "photos")
            done = space.run(*words[1:], cwd=folder)
            assert done.code == 0, f"{line}\n{done.text}"
            assert space.run("build", cwd=folder).code == 0
        else:
            if words[1:] == ["plan"]:
                text = space.read("prompts/poster.md").decode()
                space.write("prompts/poster.md", text.replace("winter sun", "summer sun"))
            if words[1:3] == ["use", "poster"] and len(words) == 3:  # the README has it retouched before
                shutil.copy(space.root / "brand" / "board.png", space.root / "art" / "poster.png")
                assert space.run("build").code == 5
            done = space.run(*words[1:])
            assert done.code == 0, f"{line}\n{done.text}"
        ran += 1
    assert ran >= 12
    assert "up to date" in space.build().err


def test_every_command_of_the_first_purchase(space: TestSpace, emulator: Emulator) -> None:
    """As they stand, in a shell, against an emulator: six lines to the first picture, then choosing among three; each bill is counted."""
    first, then, emulated = blocks("Buy your first picture")
    assert len(first) == 6
    folder = space.folder / "shell"
    folder.mkdir()
    env = {**space.env(emulator.env()), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "EDITOR": "edit"}
    del env["APIFRAME_API_KEY"]
    scripts = {
        "assetbuild": f'exec "{sys.executable}" -m assetbuild "$@"',
        "edit": 'sed "s/provider: comp$/provider: apiframe/" "$1" > "$1.new" && mv "$1.new" "$1"',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    def run(lines: list[str]) -> str:
        text = "set -ex\n" + "\n".join(lines).replace("API_KEY=…", f"API_KEY={emulator.key}")
        done = subprocess.run(["sh", "-c", text], cwd=space.root, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = run(first)
    assert "1,000 credits left" in said
    assert [bill["images"] for bill in emulator.bills] == [1]
    assert space.read("art/poster.png")[:4] == b"\x89PNG"

    space.write(
        "assets.yaml", space.read("assets.yaml").replace(b"  poster:\n", b"  poster:\n    takes: 3\n    approve: required\n")
    )
    env["APIFRAME_API_KEY"] = emulator.key
    run(["assetbuild build poster --yes"])
    assert [bill["images"] for bill in emulator.bills] == [1, 2]
    said = run(then)
    assert "the cup has two handles" in said
    assert "nothing is to be fetched" in said
    assert [bill["images"] for bill in emulator.bills] == [1, 2, 1]

    (line,) = emulated
    with subprocess.Popen(
        [str(folder / "assetbuild"), *shlex.split(line)[1:], "--port", "0"], env=env, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("http://127.0.0.1:")
        assert "APIFRAME_API_KEY=" in child.stdout.readline()
        child.terminate()
    assert child.returncode == 0


def test_the_example_is_bought_by_changing_one_line(space: TestSpace) -> None:
    """fika against Apiframe: 21 purchases, 24 pictures, each paid for once; what is made here and what ships costs nothing."""
    copy_example(space, "fika")
    text = space.read("assets.yaml").decode()
    assert text.count("\n  provider: comp\n") == 1
    space.write("assets.yaml", text.replace("\n  provider: comp\n", "\n  provider: apiframe\n"))
    assert "of unknown price" in space.run("plan").out, "no vendor is asked by a plan"
    with emulating.emulator(pictures="comps") as emulator:
        space.build("--yes", env=emulator.env())
        assert len(list((space.root / "art").rglob("*.png"))) == 26
        assert (len(emulator.bills), emulator.leaks) == (21, [])
        assert len(list((space.root / "print").rglob("*.pdf"))) == 8
        assert "24 up to date" in space.build("--yes", env=emulator.env()).err
        assert len(emulator.bills) == 21


def test_every_command_of_the_table_exists(space: TestSpace) -> None:
    """`assetbuild X --help` for each X, and each option that is named has a line there."""
    rows = re.findall(r"^\| (`[^|]*`) \|(.*)\|$", README.split("## Commands", 1)[1].split("\n## ", 1)[0], re.M)
    assert len(rows) > 8
    for left, right in rows:
        for usage in re.findall(r"`([^`]+)`", left):
            words = usage.split()
            helped = space.run(words[0], *([words[1]] if words[0] == "cache" else []), "--help")
            assert helped.code == 0, usage
            for option in re.findall(r"--[a-z-]+", usage + " " + (right if words[0] in ("build", "plan") else "")):
                if option in (
                    "--replace",
                    "--rebuy",
                    "--frozen",
                    "--profile",
                    "--jobs",
                    "--json",
                    "--limit",
                    "--exclude",
                    "--fail-fast",
                    "--exit-code",
                    "--yes",
                    "--max-cost",
                ):
                    assert option in helped.out, f"{option} isn't an option of {words[0]}"


@pytest.mark.parametrize("number", range(len(re.findall(r"```yaml\n", README))))
def test_yaml_of_the_readme(space: TestSpace, number: int) -> None:
    """Each block builds as it stands."""
    block = re.findall(r"```yaml\n(.*?)```", README, re.S)[number]
    space.write("assets.yaml", block)
    space.build()
    assert "up to date" in space.build().err


def test_example_fika(space: TestSpace) -> None:
    """The main job of the README: everything is drawn, then nothing is to be done."""
    copy_example(space, "fika")
    space.build()
    assert len(list((space.root / "art").rglob("*.png"))) == 26
    assert "24 up to date" in space.build().err
    space.build("--frozen")
    space.build("--profile", "draft")


def test_example_catalogue(space: TestSpace) -> None:
    """500 products in two sizes; a changed price is two pictures."""
    copy_example(space, "catalogue")
    ran = space.run("build", timeout=600)
    assert ran.code == 0, ran.err[-2000:]
    assert "1,000 drawn" in ran.err
    rows = space.read("products.csv").decode()
    changed = rows.replace("349 kr", "350 kr", 1)
    assert changed != rows
    space.write("products.csv", changed)
    ran = space.build()
    assert "998 up to date, 2 drawn" in ran.err


# The design is no part of the project; the README's own specs, which are, have their tests above.
@pytest.mark.skipif(not DESIGN.exists(), reason="the design isn't beside this checkout")
def test_the_designs_example(space: TestSpace) -> None:
    """The whole example of the design, with `comp` as provider and the missing assets and files supplied."""
    import yaml

    text = DESIGN.read_text("utf-8")
    block = next(b for b in re.findall(r"```yaml\n(.*?)```", text, re.S) if "assets:" in b)
    spec = yaml.safe_load(block)
    spec.pop("budget")
    spec["defaults"]["provider"] = "comp"
    del spec["profiles"]["draft"]  # comp is the provider already
    for asset in spec["assets"].values():
        for item in asset.get("overlay", ()):
            item["font"] = "Noto Sans"  # Fraunces isn't ours to ship
    spec["assets"]["page-07"] = {"prompt": "A page."}
    spec["assets"]["otto"] = {"prompt": "Character sheet of Otto."}
    spec["assets"]["front/${s.sku}"] = {"matrix": {"s": {"from": "data/skus.csv"}}, "prompt": "The front of ${s.name}."}
    space.write("assets.yaml", yaml.safe_dump(spec, allow_unicode=True, sort_keys=False))
    space.write("data/legal.csv", "country,text\nde,Pfand\n")
    space.write("data/skus.csv", "sku,name,status\nA1,Morgon,live\nB2,Skog,dead\n")
    space.write("prompts/poster.md", 'A poster. The headline is "Fika".\n')
    space.write("prompts/icons.md", "Twelve icons.\n")
    for path in ("brand/board.png", "brand/logo.png"):
        space.write(path, (ROOT / "examples" / "fika" / path).read_bytes())
    space.build(code=5)
    assert space.run("approve", "poster").code == 0
    space.build()
    assert "up to date" in space.build().err
    shipped = space.read("web/poster.webp")
    space.build("--profile", "proof", code=5)
    assert space.read("web/poster.webp") == shipped
    assert (space.root / "proofs" / "poster.png").is_file()
