"""A set whose members are reordered, renamed, taken out and added: a name keeps its picture, nothing is bought for it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace

SPEC = """\
version: 1
defaults: {{provider: counting}}
assets:
  serie:
    set: {members}
    prompt: |
      A series.
    output: "art/${{member}}.png"
  nah:
    base: serie#wolke
    prompt: |
      Nearer.
"""


def spec(space: TestSpace, members: str) -> None:
    space.write("assets.yaml", SPEC.format(members=members))


def pictures(space: TestSpace) -> dict[str, str]:
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path(space.root, "art").glob("*.png")}


@pytest.fixture
def built(space: TestSpace) -> TestSpace:
    spec(space, "[mond, wolke, schaf]")
    assert space.run("build").code == 0
    return space


@pytest.mark.parametrize(
    ("members", "new"),
    [
        ("[schaf, wolke, mond]", {}),
        ("[stern, mond, wolke]", {"stern": "schaf"}),
        ("[lamm, wolke, mond]", {"lamm": "schaf"}),
        ("[a, wolke, b]", {"a": "mond", "b": "schaf"}),
    ],
)
def test_names_that_stay_keep_their_pictures(built: TestSpace, members: str, new: dict[str, str]) -> None:
    before, bills = pictures(built), built.bills
    spec(built, members)
    planned = built.run("plan")
    for name, was in new.items():
        assert f"`{name}` is the picture that was `{was}`" in planned.text.replace("\n", " ")
    assert built.run("build").code == 0
    now = pictures(built)
    for name in members.strip("[]").split(", "):
        assert now[name] == before[new.get(name, name)], name
    assert now["nah"] == before["nah"]
    assert built.bills == bills, "only names changed"
    assert built.run("build").code == 0
    assert pictures(built) == now


def test_a_clone_without_a_store_knows_them_by_name_too(built: TestSpace, tmp_path: Path) -> None:
    before = pictures(built)
    spec(built, "[wolke, mond, schaf]")
    (built.root / "art/mond.png").unlink()
    assert built.run("build", env={"ASSETBUILD_STORE": str(tmp_path / "another")}).code == 0  # "not here, not needed"
    now = pictures(built)
    assert now["wolke"] == before["wolke"]
    assert now["schaf"] == before["schaf"]
    assert "mond" not in now, "nothing else may lie there"


@pytest.mark.parametrize("members", ["[wolke, schaf]", "[schaf, mond, wolke, stern]", "[stern, wolke]"])
def test_a_set_of_another_size_is_made_anew_over_its_own_pictures(built: TestSpace, members: str) -> None:
    bills = len(built.bills)
    spec(built, members)
    ran = built.run("build")
    assert ran.code == 0, ran.text
    assert "by hand" not in ran.text
    assert len(built.bills) == bills + 2, "the set, and the edit of a member that is another picture now"
    assert built.run("build").text.count("up to date") == 1


def test_a_reordered_set_still_says_what_made_it(built: TestSpace) -> None:
    spec(built, "[schaf, wolke, mond]")
    assert built.run("build").code == 0
    shown = built.run("show", "serie").text
    assert "elsewhere" not in shown
    assert shown.count("take 1") <= 2
    assert built.run("show", "serie", "--json").json["asset"]["takes"][0]["chosen"] is True
