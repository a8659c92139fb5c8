"""`cache`, `doctor`, `providers`, `completion` and bare `assetbuild`."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace

from .hooking import hook
from .saying import Story
from .test_cli_show import fika
from .test_cli_use import picture, write


def blobs(space: TestSpace) -> Path:
    return space.root / ".assetbuild/store/cas"


def blob(space: TestSpace, digest: str) -> Path:
    return blobs(space) / digest[:2] / digest[2:]


def test_cache(space: TestSpace) -> None:
    story = Story(space, "cache")
    write(space)
    story.run("cache", "stats", code=2)
    space.build()
    story.run("cache", "stats")
    story.run("cache", "verify")
    story.run("cache", "gc")
    story.note("two pictures are replaced, one of them by hand")
    write(space, "A better poster.")
    space.build()
    story.run("cache", "gc")
    before = {file.name for file in blobs(space).glob("??/*")}
    assert space.run("cache", "gc", "--json").json["results"]
    assert {file.name for file in blobs(space).glob("??/*")} == before  # only listed
    story.run("cache", "gc", "--delete")
    story.run("cache", "gc")
    story.run("build", "--frozen", told=False)
    story.run("use", "poster", "previous", code=2)
    story.check()


def test_gc_keeps_what_another_branch_names(space: TestSpace) -> None:
    write(space)
    space.git("init", "-q")
    space.build()
    space.git("add", ".")
    space.git("commit", "-qm", "one")
    first = space.read("art/poster.png")
    space.git("checkout", "-qb", "other")
    write(space, "A better poster.")
    space.build()
    assert space.run("cache", "gc", "--delete").code == 0
    assert space.run("use", "poster", "previous").code == 0
    assert space.read("art/poster.png") == first


def test_gc_stops_at_a_project_it_cant_read(space: TestSpace) -> None:
    story = Story(space, "cache-forget")
    write(space)
    store = space.folder / "shared"
    shared = {"ASSETBUILD_STORE": str(store)}
    space.build(env=shared)
    other = TestSpace(space.folder / "other")
    write(other, "Another poster.")
    other.bills_file = space.bills_file
    other.build(env=shared)
    for file in sorted(other.root.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    other.root.rmdir()
    story.run("cache", "gc", "--delete", env=shared, code=2)
    story.run("cache", "gc", "--forget", "../nothing", env=shared, code=2)
    story.run("cache", "gc", "--forget", ".", env=shared, code=2)
    story.run("cache", "gc", "--delete", "--forget", str(other.root), env=shared)
    story.run("build", "--frozen", env=shared, told=False)
    story.check()


def test_a_damaged_picture_is_found_and_given_back(space: TestSpace) -> None:
    story = Story(space, "cache-damaged")
    write(space)
    space.build()
    digest = space.lock()["poster"]["outputs"][0]["digest"]
    good = blob(space, digest).read_bytes()
    blob(space, digest).chmod(0o644)
    blob(space, digest).write_bytes(b"rotten")
    blob(space, space.lock()["poster-de"]["outputs"][0]["digest"]).unlink()
    story.run("cache", "verify", code=1)
    story.run("cache", "verify", code=1, told=False)
    story.run("doctor", told=False)
    space.write("backup.png", good)
    story.note("the picture is given back from a backup")
    story.run("use", "poster", "backup.png")
    story.run("use", "poster-de", told=False)
    story.run("cache", "verify")
    space.build("--frozen")
    story.check()


def test_a_damaged_record_is_repaired(space: TestSpace) -> None:
    story = Story(space, "cache-repair")
    write(space)
    space.build()
    story.run("cache", "verify", "--repair", told=False)
    db = space.root / ".assetbuild/store/store.db"
    with sqlite3.connect(db) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(db.read_bytes())
    content[:16] = b"no database here"
    db.write_bytes(content)
    story.run("cache", "stats", code=2)
    assert space.run("doctor").code == 1
    ran = story.run("cache", "verify", "--repair", told=False, code=0)
    assert "the damaged record is" in ran.err
    space.build("--frozen")
    story.check()


def test_doctor_is_content_with_a_project_in_order(space: TestSpace) -> None:
    space.git("init", "-q")
    assert space.run("init").code == 0
    space.build()
    ran = space.run("doctor", "--json")
    assert ran.code == 0, ran.text
    assert [f for f in ran.json["findings"] if f["level"] != "ok"] == []
    assert space.run("doctor").out.endswith("all is well\n")


def test_doctor_says_what_is_wrong_and_the_way_out(space: TestSpace) -> None:
    story = Story(space, "doctor")
    story.run("doctor", told=False)  # outside a project it looks at the machine

    def told(*names: str, code: int = 0) -> None:
        ran = space.run("doctor", "--json")
        assert ran.code == code, ran.text
        for one in ran.json["findings"]:
            if one["name"] in names:
                story.told.append(
                    f"{one['level']:5} {one['name']}: {one['text']}\n      hint: {one['hint']}\n".replace(
                        str(space.root), "PROJECT"
                    )
                )

    told("project")
    write(space, provider="comp")
    space.build()
    told("repository")
    space.git("init", "-q")
    told("repository")
    space.write(".gitignore", "*.lock\n")
    told("repository", code=1)
    (space.root / ".gitignore").unlink()
    lock = space.read("assets.lock")
    space.write("assets.lock", lock.replace(b"\n", b"\r\n"))
    told("lockfile")
    space.write("assets.lock", lock.replace(b'","', b'", "', 1))
    told("lockfile")
    space.write("assets.lock", lock + b"<<<<<<< ours\n")
    told("lockfile", code=1)
    line = lock.decode().splitlines()[-1]
    space.write("assets.lock", lock)
    digest = space.lock()["story"]["outputs"][0]["digest"]
    space.write("assets.lock", lock.decode() + line.replace(digest, "0" * 64) + "\n")
    told("lockfile")
    space.write("assets.lock", lock.replace(digest.encode(), b"nonsense"))
    told("lockfile", code=1)
    space.write("assets.lock", lock)
    space.write(
        "assets.yaml", "# yaml-language-server: $schema=.assetbuild/assetbuild.schema.json\n" + space.read("assets.yaml").decode()
    )
    told("editor")
    assert space.run("schema", "--install").code == 0
    told("editor")
    space.write("assets.yaml", "version: 1\nassets:\n  a: {promt: x}\n")
    told("spec", code=1)
    space.write("assets.yaml", "version: 1\ndefaults: {provider: nonsense}\nassets:\n  a: {prompt: x}\n")
    told("spec", code=1)
    story.check()


def test_glance(space: TestSpace) -> None:
    story = Story(space, "glance")
    write(space)
    story.run()
    space.build()
    story.run()
    (space.root / "art").joinpath("poster.png").write_bytes(picture())
    (space.root / "art").joinpath("story-cup.png").write_bytes(picture())
    story.run()
    write(space, "A better poster.")
    space.run("use", "poster")
    story.run()
    for folder in ("deep/er", "art"):
        (space.root / folder).mkdir(parents=True, exist_ok=True)
    story.run(cwd=space.root / "deep/er")
    space.write("assets.yaml", "version: 1\nassets:\n  a: {promt: x}\n  b: {promt: x}\n")
    story.run()
    space.write("assets.yaml", "version: 1\nassets: {}\n")
    story.run()
    space.write("assets.yaml", b"\xff\xfe\0\0")
    story.run()
    write(space)
    space.write("assets.lock", "nonsense\n")
    story.run()
    for ran in (line for line in story.told):
        assert len(ran.splitlines()) <= 6  # the command and five lines
    story.check()


def test_providers(space: TestSpace) -> None:
    hook(space, "import time\ntime.time = lambda: 1795348800.0\n")
    story = Story(space, "providers")
    ran = story.run("providers")  # on 2026-11-22
    assert "gpt-image-1.5                     generate, edit; 4 to 24 credits a picture; ends on 2026-12-01" in ran.out
    assert "dall-e-3                          generate; ended on 2026-05-12" in ran.out
    info = space.folder / "site" / "broken-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[assetbuild.providers]\nbroken = nowhere.at_all\n")
    story.run("providers")
    story.check()


def complete(space: TestSpace, *words: str) -> list[str]:
    env = {"_ASSETBUILD_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(("assetbuild", *words)), "COMP_CWORD": str(len(words))}
    ran = space.run(env=env)
    assert ran.code == 0, ran.text
    assert ran.err == ""
    return [line.partition(",")[2] for line in ran.out.splitlines()]


def test_completion(space: TestSpace) -> None:
    assert "build" in complete(space, "")
    assert complete(space, "build", "") == [""]  # no spec: files
    fika(space)
    assert complete(space, "build", "poster-") == ["poster-de", "poster-ja"]
    assert complete(space, "plan", "tag:l") == ["tag:launch"]
    assert complete(space, "show", "sto") == ["story"]
    assert complete(space, "use", "mark", "prev") == ["previous", "prev"]
    assert complete(space, "list", "--ex") == ["--exclude"]
    space.write("assets.yaml", "version: [")
    assert complete(space, "build", "pos") == ["pos"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(space: TestSpace, shell: str) -> None:
    ran = space.run("completion", shell)
    assert ran.code == 0
    assert "_ASSETBUILD_COMPLETE" in ran.out


def test_completion_in_a_real_bash(space: TestSpace) -> None:
    fika(space)
    import sys

    folder = space.folder / "bin"
    folder.mkdir()
    (folder / "assetbuild").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m assetbuild "$@"\n')
    (folder / "assetbuild").chmod(0o755)
    script = """eval "$(assetbuild completion bash)"; COMP_WORDS=(assetbuild build poster-d); COMP_CWORD=2
        _assetbuild_completion assetbuild; echo "${COMPREPLY[@]}" """
    env = {**space.env(), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=space.root, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "poster-de", done.stderr
    assert done.stderr == ""


def test_help_of_every_command_fits_and_names_itself(space: TestSpace) -> None:
    for words in (
        ["init"],
        ["use"],
        ["rename"],
        ["show"],
        ["list"],
        ["graph"],
        ["doctor"],
        ["providers"],
        ["schema"],
        ["completion"],
        ["cache"],
        ["cache", "gc"],
        ["cache", "verify"],
        ["cache", "stats"],
    ):
        ran = space.run(*words, "--help")
        assert ran.code == 0, ran.text
        assert f"Usage: assetbuild {' '.join(words)}" in ran.out
        assert max(len(line) for line in ran.out.splitlines()) <= 100
