"""Exports through the whole command: made once, kept, put back, made again for the right reasons; never a bill, never over what somebody made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild.testing.space import TestSpace

SPEC = """\
version: 1
defaults: {provider: PROVIDER, output: "art/${id}.png"}
assets:
  poster:
    prompt: |
      A poster.
    exports:
      web: {path: "web/${id}.webp", width: 12}
      og: {path: "web/${id}-og.jpg", size: 16x8}
  front:
    base: poster
    prompt: |
      Nearer.
"""


def spec(space: TestSpace, text: str = SPEC, *, provider: str = "counting") -> None:
    space.write("assets.yaml", text.replace("PROVIDER", provider))


@pytest.fixture
def built(space: TestSpace) -> TestSpace:
    spec(space)
    space.build()
    return space


def exports(space: TestSpace, name: str = "poster") -> dict[str, dict[str, Any]]:
    """The exports of a plan, by name."""
    return {one["name"]: one for one in space.plan()[name].get("exports", [])}


def decisions(space: TestSpace, name: str = "poster") -> dict[str, str]:
    return {key: one["decision"] for key, one in exports(space, name).items()}


def size(space: TestSpace, path: str) -> tuple[int, int]:
    with Image.open(space.root / path) as picture:
        return picture.size


def wiped(space: TestSpace) -> None:
    """As in a clone: no stamps, no store."""
    shutil.rmtree(space.root / ".assetbuild", ignore_errors=True)


# ---- making ------------------------------------------------------------------------------------------------------------------


def test_they_are_made_with_the_picture_and_cost_nothing(built: TestSpace) -> None:
    assert len(built.bills) == 2
    assert size(built, "web/poster.webp")[0] == 12
    assert size(built, "web/poster-og.jpg") == (16, 8)
    line = built.lock()["poster"]
    assert [one["name"] for one in line["exports"]] == ["web", "og"]
    assert all(one["of"] == line["outputs"][0]["digest"] for one in line["exports"])
    assert line["exports"][1]["as"] == {"format": "jpeg", "width": 16, "height": 8}
    assert "exports" not in built.lock()["front"]


def test_nothing_to_do(built: TestSpace) -> None:
    before = built.files()
    again = built.build()
    assert "exported" not in again.text
    assert built.files() == before
    assert built.run("plan", "--exit-code").code == 0


def test_an_export_is_in_no_key(built: TestSpace) -> None:
    spec(built, SPEC.replace("width: 12", "width: 13, quality: 50").replace("size: 16x8", "size: 18x9"))
    assert decisions(built) == {"web": "generate", "og": "generate"}
    assert exports(built)["web"]["reason"] == "width 12 → 13, quality 50"
    assert "3 up to date" not in built.build().text
    assert len(built.bills) == 2
    assert size(built, "web/poster.webp")[0] == 13


def test_another_picture_gives_other_exports(built: TestSpace) -> None:
    spec(built, SPEC.replace("A poster.", "Another poster."))
    assert decisions(built) == {"web": "waiting", "og": "waiting"}
    before = built.read("web/poster.webp")
    built.build()
    assert built.read("web/poster.webp") != before
    line = built.lock()["poster"]
    assert {one["of"] for one in line["exports"]} == {line["outputs"][0]["digest"]}


def test_edits_do_not_wait_for_exports(space: TestSpace) -> None:
    """An export that can't be made stops nothing."""
    spec(space, SPEC.replace("size: 16x8", "size: 600x300"))
    ran = space.build(code=1)
    assert "enlarge" in ran.text
    assert "then:\n" in ran.text
    assert (space.root / "art/front.png").exists()
    assert (space.root / "web/poster.webp").exists()
    assert not (space.root / "web/poster-og.jpg").exists()


def test_what_is_gone_is_put_back(built: TestSpace) -> None:
    before = built.read("web/poster.webp")
    (built.root / "web/poster.webp").unlink()
    assert decisions(built) == {"web": "restore", "og": "up to date"}
    built.build()
    assert built.read("web/poster.webp") == before


def test_without_a_store_it_is_made_again(built: TestSpace) -> None:
    (built.root / "web/poster.webp").unlink()
    wiped(built)
    assert decisions(built) == {"web": "generate", "og": "up to date"}
    assert exports(built)["web"]["reason"] == "missing"
    built.build()
    assert size(built, "web/poster.webp")[0] == 12
    assert len(built.bills) == 2


def test_re_export(built: TestSpace) -> None:
    ran = built.build("--re-export", "poster@web")
    assert "1 exported" in ran.text
    assert "2 exported" in built.build("--re-export").text
    assert "exported" not in built.build().text


def test_one_export_alone(built: TestSpace) -> None:
    for path in ("web/poster.webp", "web/poster-og.jpg"):
        (built.root / path).unlink()
    built.build("poster@og")
    assert not (built.root / "web/poster.webp").exists()
    built.build("web/poster.webp")
    assert (built.root / "web/poster.webp").exists()
    assert "no export `nope`" in built.run("build", "poster@nope").text


def test_a_set_has_exports_of_each_member(space: TestSpace) -> None:
    spec(
        space,
        """\
version: 1
defaults: {provider: PROVIDER, exports: {web: {path: "web/${id}.webp", width: 10}}}
assets:
  story:
    set: [a, b]
    output: "art/${member}.png"
    prompt: |
      Two panels.
""",
    )
    space.build()
    assert {path for path in space.files() if path.startswith("web/")} == {"web/story-a.webp", "web/story-b.webp"}
    assert [one["member"] for one in space.lock()["story"]["exports"]] == ["a", "b"]


# ---- what somebody made --------------------------------------------------------------------------------------------------


def test_an_edited_export_is_kept(built: TestSpace) -> None:
    built.write("web/poster.webp", b"mine")
    assert decisions(built)["web"] == "waiting for you"
    ran = built.build(code=5)
    assert "web/poster.webp was edited by hand" in ran.text
    assert built.read("web/poster.webp") == b"mine"
    ran = built.build("--replace", "poster")
    assert size(built, "web/poster.webp")[0] == 12
    kept = [blob for blob in (built.root / ".assetbuild/store/cas").rglob("*") if blob.is_file() and blob.read_bytes() == b"mine"]
    assert kept


def test_a_file_that_was_there_before_is_kept(space: TestSpace) -> None:
    spec(space)
    space.write("web/poster.webp", b"mine")
    ran = space.build(code=5)
    assert "was there before and isn't ours" in ran.text
    assert space.read("web/poster.webp") == b"mine"
    assert (space.root / "art/front.png").exists()


def test_a_changed_export_after_an_edit_is_kept_too(built: TestSpace) -> None:
    """Also when it is to be made anew: the old file isn't ours any more."""
    built.write("web/poster.webp", b"mine")
    spec(built, SPEC.replace("width: 12", "width: 10"))
    built.build(code=5)
    assert built.read("web/poster.webp") == b"mine"


# ---- takes, clones, frozen ---------------------------------------------------------------------------------------------


def test_another_take_is_exported(space: TestSpace) -> None:
    """SCENARIOS 47."""
    spec(space, SPEC.replace("    exports:", "    takes: 2\n    exports:"))
    space.build(code=5)
    first = space.read("web/poster.webp")
    assert space.run("use", "poster", "1").code == 0
    space.build()
    other = space.read("web/poster.webp")
    assert space.run("use", "poster", "2").code == 0
    assert decisions(space)["web"] == "generate"
    assert exports(space)["web"]["reason"] == "another picture"
    space.build()
    assert {first, other, space.read("web/poster.webp")} == {first, other}
    assert len(space.bills) == 4  # two takes, and the edit of each


def commit(space: TestSpace, *paths: str) -> None:
    space.git("init", "-q")
    space.git("add", "-f", "assets.yaml", "assets.lock", *paths)
    space.git("commit", "-qm", "x")


def test_a_clone_that_commits_what_ships_is_green(built: TestSpace) -> None:
    """SCENARIOS 6: masters are ignored."""
    commit(built, "web", "art/front.png")
    clone = built.clone("clone")
    assert clone.build("--frozen").code == 0
    assert not (clone.root / "art/poster.png").exists()
    assert clone.build().code == 0
    assert len(built.bills) == 2


def test_a_clone_that_lacks_both_says_what_is_lost(built: TestSpace) -> None:
    commit(built, "art/front.png")
    clone = built.clone("clone")
    before = (clone.root / "assets.lock").read_bytes()
    ran = clone.build(code=5)
    assert "the picture is lost" in ran.text
    assert clone.run("build", "--frozen").code == 3
    assert (clone.root / "assets.lock").read_bytes() == before


def test_frozen_makes_exports_from_bytes_at_hand(built: TestSpace) -> None:
    """SCENARIOS 48."""
    commit(built, "art")
    clone = built.clone("clone")
    before = (clone.root / "assets.lock").read_bytes()
    clone.build("--frozen")
    assert size(clone, "web/poster-og.jpg") == (16, 8)
    assert (clone.root / "assets.lock").read_bytes() == before
    clone.build("--frozen")


def test_frozen_is_stale_where_the_lockfile_would_change(built: TestSpace) -> None:
    spec(built, SPEC.replace("width: 12", "width: 10"))
    ran = built.run("build", "--frozen")
    assert ran.code == 3
    assert "width 12 → 10" in ran.text
    assert size(built, "web/poster.webp")[0] == 12


def test_whatever_encoder_made_it(built: TestSpace) -> None:
    """The lock line's digest is what counts: other bytes that a colleague's encoder made, and committed, are right."""
    with Image.open(built.root / "web/poster.webp") as picture:
        picture.save(built.root / "web/poster.webp", quality=1)
    import hashlib

    raw = (built.root / "assets.lock").read_text("utf-8")
    old = built.lock()["poster"]["exports"][0]
    new = hashlib.sha256(built.read("web/poster.webp")).hexdigest()
    size_now = len(built.read("web/poster.webp"))
    raw = raw.replace(old["digest"], new).replace(f'"size":{old["size"]},"of"', f'"size":{size_now},"of"')
    built.write("assets.lock", raw)
    wiped(built)
    assert decisions(built) == {"web": "up to date", "og": "up to date"}
    assert built.run("build", "--frozen").code == 0


def test_what_another_branch_made_is_no_edit(built: TestSpace) -> None:
    """A merge leaves one branch's file beside the other's line."""
    before = built.read("web/poster.webp")
    spec(built, SPEC.replace("width: 12", "width: 10"))
    built.build()
    built.write("web/poster.webp", before)
    built.build()
    assert size(built, "web/poster.webp")[0] == 10


# ---- names that change ---------------------------------------------------------------------------------------------------


def test_rename_takes_the_exports_along(built: TestSpace) -> None:
    before = built.read("web/poster.webp")
    spec(built, SPEC.replace("  poster:", "  plakat:").replace("base: poster", "base: plakat"))
    assert built.run("rename", "poster", "plakat").code == 0
    assert built.read("web/plakat.webp") == before
    assert not (built.root / "web/poster.webp").exists()
    assert "exported" not in built.build().text
    assert len(built.bills) == 2


def test_an_export_that_left_the_spec_is_an_orphan(built: TestSpace) -> None:
    spec(built, SPEC.replace('      og: {path: "web/${id}-og.jpg", size: 16x8}\n', ""))
    built.build()
    assert "web/poster-og.jpg" in built.run("list", "--orphans").text
    assert (built.root / "web/poster-og.jpg").exists()


# ---- kills -----------------------------------------------------------------------------------------------------------------

POINTS = ["os.replace", "os.rename", "assetbuild.swap.take_free", "assetbuild.store.cas.Cas.put", "assetbuild.lockfile.merge"]
POINTS += ["assetbuild.store.cas.Cas.copy_out", "assetbuild.placing.Placer.put"]


def test_killed_anywhere_it_is_finished_by_the_next_build(space: TestSpace) -> None:
    """SCENARIOS 32: at every step of the write order, also between lock and exports."""
    spec(space, provider="comp")
    counted = space.run("build", env={"COUNT_CALLS": ",".join(POINTS), "COUNT_FILE": str(space.folder / "calls")})
    assert counted.code == 0, counted.text
    right = space.files()
    points = []
    for line in (space.folder / "calls").read_text().split():
        name, _, count = line.rpartition("=")
        step = 1 if os.environ.get("ASSETBUILD_CRASH_FULL") else 3
        points += [f"{name}:{n}" for n in range(1, int(count) + 1, step)]
    assert len(points) > 10
    for point in points:
        for path in right:
            if path != "assets.yaml":
                (space.root / path).unlink(missing_ok=True)
        shutil.rmtree(space.root / ".assetbuild")
        assert space.run("build", env={"CRASH_AT": point}).code in (0, 137), point
        ran = space.run("build")
        assert ran.code == 0, (point, ran.text)
        assert space.files() == right, point
        assert "exported" not in space.run("build").text


def test_paths_that_collide(space: TestSpace) -> None:
    spec(space, SPEC.replace("web/${id}-og.jpg", "web/${id}.webp"))
    ran = space.run("plan")
    assert ran.code == 2
    assert "one file" in ran.text
    spec(space, SPEC.replace("web/${id}-og.jpg", "art/front.PNG"))
    assert space.run("plan").code == 2


def test_two_exports_are_one_file_on_this_disk(space: TestSpace) -> None:
    spec(space, SPEC.replace("web/${id}-og.jpg", "ship/${id}.webp"))
    Path(space.root, "web").mkdir()
    (space.root / "ship").symlink_to(space.root / "web", target_is_directory=True)
    ran = space.run("build")
    assert ran.code == 2
    assert "one file" in ran.text
