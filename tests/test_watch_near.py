"""A quick plan says what a whole one says, or gives way: held against a whole look after every edit of a random walk."""

from __future__ import annotations

import json
import os
import random
import sys
from typing import Any

import pytest

from assetbuild.project import Env, Project
from assetbuild.testing.space import TestSpace
from assetbuild.watch.near import Near
from assetbuild.watch.outlook import Outlook, from_json, to_json
from assetbuild.watch.running import Place
from assetbuild.watch.surveying import survey
from assetbuild.watch.worker import _outline

BLOCKS = {
    "a": "    prompt: {0} a bean\n",
    "a-de": "    base: a\n    prompt: {0} in German\n",
    "a-de-2": "    base: a-de\n    prompt: {0} at night\n",
    "b": "    provider: apiframe\n    model: gpt-image-2\n    prompt: {0} a cup\n",
    "b-fr": "    base: b\n    provider: apiframe\n    model: gpt-image-2\n    prompt: {0} in French\n",
    "c": "    prompt: {0} leaves\n    tags: [x]\n    exports:\n      small: {{path: 'web/c.webp', width: 200}}\n",
    "d-${n}": "    matrix: {{n: [1, 2]}}\n    prompt: {0} a plate ${{n}}\n",
}


def text(words: dict[str, str]) -> str:
    body = "".join(f"  {name}:\n" + block.format(words[name]) for name, block in BLOCKS.items())
    return "version: 1\nproject: p\ndefaults: {output: 'art/${id}.png'}\nassets:\n" + body


def place(space: TestSpace) -> Place:
    return Place(space.root, "assets.yaml", None, space.env())


def project(space: TestSpace) -> Project:
    return Project(Env(space.root, space.env(), sys.stderr, sys.stderr), space.root / "assets.yaml")


def whole(space: TestSpace) -> tuple[Outlook, str | None]:
    one = project(space)
    try:
        found, planner = survey(one)
        return from_json(json.loads(json.dumps(to_json(found)))), _outline(one, planner)
    finally:
        one.close()


def same(quick: Outlook, full: Outlook) -> None:
    def plain(one: Outlook) -> dict[str, Any]:
        rest = one._asdict() | {
            "cards": dict(one.cards),
            "free": sorted(one.free),
            "keys": {n: tuple(k) for n, k in one.keys.items()},
        }
        rest["offers"] = [offer._replace(place=0) for offer in one.offers]
        return json.loads(json.dumps(rest))  # type: ignore[no-any-return]

    assert plain(quick) == plain(full)


@pytest.mark.parametrize("seed", range(4))
def test_a_quick_plan_is_the_whole_one(space: TestSpace, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - dice
    words = dict.fromkeys(BLOCKS, "First")
    space.write("assets.yaml", text(words))
    space.run("build", "a*", "c", "d*")
    near = Near(place(space))
    near.begin()
    last, outline = whole(space)
    assert outline is not None
    near.learn(outline)
    quick = 0
    for _ in range(25):
        name = dice.choice(list(BLOCKS))
        words[name] = dice.choice(["First", "Second", "Third, red", "Fourth", "- broken: ["])
        space.write("assets.yaml", text(words))
        near.changed([os.path.join(str(space.root), "assets.yaml")], everything=False)
        found = near.outlook(last, [])
        if any("broken" in word for word in words.values()):
            assert found is None
            words[name] = "First"
            continue
        if found is not None:
            quick += 1
            same(found, whole(space)[0])
            last = found
    assert quick > 10


def test_it_gives_way_to_whatever_it_can_t_vouch_for(space: TestSpace) -> None:
    words = dict.fromkeys(BLOCKS, "First")
    space.write("assets.yaml", text(words))
    space.run("build", "a*", "c", "d*")
    last, outline = whole(space)
    spec = os.path.join(str(space.root), "assets.yaml")

    def fresh() -> Near:
        near = Near(place(space))
        near.begin()
        near.learn(outline)
        return near

    assert fresh().outlook(last, []) == last
    near = fresh()
    near.changed([spec, os.path.join(str(space.root), "prompt.txt")], everything=False)
    assert near.outlook(last, []) is None
    near = fresh()
    near.forget()
    assert near.outlook(last, []) is None
    near = fresh()
    near.changed([], everything=True)
    assert near.outlook(last, []) is None
    space.write("assets.yaml", text(words).replace("project: p", "project: q"))
    assert fresh().outlook(last, []) is None
    space.write("assets.yaml", text(words) + "  e:\n    prompt: new\n")
    assert fresh().outlook(last, []) is None
    space.write("assets.yaml", text(words).replace("prompt: First a cup", "prompt: First a cup\n    output: art/other.png"))
    assert fresh().outlook(last, []) is None
    near = fresh()
    near.learn(None)
    assert near.outlook(last, []) is None


def test_a_budget_is_shared_so_what_no_longer_fits_is_a_whole_look_s_to_say(space: TestSpace) -> None:
    words = dict.fromkeys(BLOCKS, "First")
    tight = text(words).replace("project: p", "project: p\nbudget: {per_run: 0.20}")
    space.write("assets.yaml", tight)
    space.run("build", "a*", "c", "d*")
    last, outline = whole(space)
    near = Near(place(space))
    near.begin()
    near.learn(outline)
    space.write("assets.yaml", tight.replace("First a cup", "Second a cup"))
    assert near.outlook(last, []) is not None
    space.write(
        "assets.yaml",
        tight.replace("model: gpt-image-2\n    prompt: First a cup", "model: gpt-image-2\n    takes: 4\n    prompt: First a cup"),
    )
    assert near.outlook(last, []) is None
