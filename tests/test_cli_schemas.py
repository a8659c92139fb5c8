"""Every `--json` has its shape in `schemas/`, and what is printed has that shape."""

from __future__ import annotations

import json

import jsonschema
import pytest

from assetbuild.testing.space import TestSpace
from assetbuild.verbs.starting import schemas

from .test_cli_show import SPEC, fika
from .test_cli_use import picture


def holds(name: str, value: object) -> None:
    """The value has the shape."""
    schema = json.loads(schemas()[name].read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize("name", [n for n in schemas() if n != "assetbuild"])
def test_a_schema_is_one_and_describes_each_field(name: str) -> None:
    schema = json.loads(schemas()[name].read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:assetbuild:{name}:1"
    assert schema["properties"]["version"]["const"] == 1

    def walk(node: object) -> None:
        if isinstance(node, dict):
            for field in (node.get("properties") or {}).values() if isinstance(node.get("properties"), dict) else ():
                assert "description" in field or "$ref" in field or "anyOf" in field, field
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(schema)


def test_the_shapes_of_a_whole_project(space: TestSpace) -> None:
    fika(space)
    space.write("assets.yaml", SPEC.replace('"Fika"', '"Fika!"'))
    space.write("art/story-cup.png", picture())
    (space.root / "art/mark.png").unlink()
    holds("plan", space.run("plan", "--json").json)
    holds("plan", space.run("build", "--frozen", "--json").json)
    holds("list", space.run("list", "--json").json)
    for name in ("poster", "poster-de", "mark", "story"):
        holds("show", space.run("show", name, "--json").json)
    ran = space.run("build", "--json")
    assert ran.code == 5
    holds("build", ran.json)
    assert {a["id"]: a["result"] for a in ran.json["assets"]} == {
        "poster": "drawn",
        "mark": "restored",
        "poster-de": "drawn",
        "poster-ja": "drawn",
        "story": "held",
    }
    space.run("use", "poster", "previous")
    for name in ("poster", "art/poster.png", "art/story-cup.png", "brand/board.png"):
        holds("show", space.run("show", name, "--json").json)
    holds("cache-stats", space.run("cache", "stats", "--json").json)
    holds("cache-verify", space.run("cache", "verify", "--json").json)
    holds("cache-gc", space.run("cache", "gc", "--json").json)
    holds("doctor", space.run("doctor", "--json").json)
    holds("providers", space.run("providers", "--json").json)


def test_schema_prints_them(space: TestSpace) -> None:
    names = space.run("schema", "--list").out.split()
    assert "assetbuild" in names
    assert {"build", "plan", "show", "list", "cache-stats", "cache-verify", "cache-gc", "doctor", "providers"} <= set(names)
    for name in names:
        assert json.loads(space.run("schema", name).out)["$id"] == f"urn:assetbuild:{name if name != 'assetbuild' else 'spec'}:1"
    assert space.run("schema").out == space.run("schema", "assetbuild").out
    ran = space.run("schema", "nothing")
    assert ran.code == 2
    assert "there is no schema `nothing`" in ran.err
