"""The schema file and its two readers: what it promises editors, that `accepts` and jsonschema agree, and what `explain` says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assetbuild.spec import shape
from assetbuild.spec.faults import SYNONYMS
from assetbuild.spec.phrases import NAMED, NOUNS
from assetbuild.spec.shape import accepts, explain, schema

GOLDEN = Path(__file__).parent / "golden" / "shape"
DEFS: dict[str, Any] = schema()["$defs"]


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in the file, with its place."""
    if not isinstance(node, dict):
        return
    yield path, node
    for key, value in node.items():
        if key in ("properties", "$defs"):
            for name, each in value.items():
                yield from nodes(each, f"{path}/{key}/{name}")
        elif key in ("anyOf", "allOf"):
            for index, each in enumerate(value):
                yield from nodes(each, f"{path}/{key}/{index}")
        elif key in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
            yield from nodes(value, f"{path}/{key}")


def target(node: Any) -> dict[str, Any]:
    """The schema with what its `$ref` adds."""
    while isinstance(node, dict) and "$ref" in node:
        node = {**DEFS[node["$ref"].rpartition("/")[2]], **{key: value for key, value in node.items() if key != "$ref"}}
    return node if isinstance(node, dict) else {}


def oracle(name: str, resolved: bool = False) -> Draft202012Validator:
    """jsonschema's own reading of `$defs/name`."""
    defs = {**DEFS, "interpolated": False} if resolved else DEFS
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": defs})


# ---- the file ----------------------------------------------------------------------------------------------------------------


def test_it_is_valid_2020_12_without_oneof() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema()["$id"]
    assert [path for path, node in nodes(schema()) if "oneOf" in node] == []


def test_every_keyword_is_understood() -> None:
    known = shape.ASSERTIONS | shape.ANNOTATIONS
    assert [(path, set(node) - known) for path, node in nodes(DEFS) if path and set(node) - known] == []
    for name in DEFS:
        shape.compiled(name)
        shape.compiled(name, resolved=True)


def test_an_unknown_keyword_is_refused() -> None:
    refused: list[dict[str, Any]] = [{"oneOf": []}, {"maxItems": 3}, {"properties": {"a": {"format": "uri"}}}]
    for node in refused:
        with pytest.raises(ValueError, match="doesn't know the schema keyword"):
            shape._compile(node, False)
    with pytest.raises(ValueError, match="doesn't follow"):
        shape._compile({"$ref": "https://example.com/other.json"}, False)
    with pytest.raises(ValueError, match="only texts and whole numbers"):
        shape._compile({"enum": [None]}, False)


def test_every_field_says_what_it_is() -> None:
    """Within `if`, `then` and `else` a field is only named; there it has no words of its own."""
    fields = [
        (f"{path}/{name}", target(each))
        for path, node in nodes(schema())
        if not {"if", "then", "else"} & set(path.split("/"))
        for name, each in node.get("properties", {}).items()
    ]
    assert len(fields) > len(DEFS)
    assert [path for path, each in fields if " " not in each.get("description", "")] == []


def test_markdown_is_the_same_text() -> None:
    for path, node in nodes(DEFS):
        if "markdownDescription" in node:
            assert node["markdownDescription"] == node["description"], path
        elif "description" in node:
            assert "`" not in node["description"], path  # editors escape it: say it as markdown
        assert len(node.get("markdownEnumDescriptions", ())) in (0, len(node.get("enum", ()))), path


def test_objects_are_closed() -> None:
    """An object without `additionalProperties` accepts a typo: only these are open."""
    found = {
        path.removeprefix("/$defs/")
        for path, node in nodes(schema())
        if node.get("type") == "object" and "additionalProperties" not in node and "/if" not in path
    }
    assert found == {
        "params/anyOf/0",  # the vendor's own names
        "rows/properties/defaults",  # any column
        "table/properties/defaults",
    }


def test_examples_and_defaults_are_right() -> None:
    for path, node in nodes(schema()):
        check = oracle("text").evolve(schema={**target(node), "$defs": DEFS})
        for example in [*node.get("examples", ()), *(node[key] for key in ("x-example", "default") if key in node)]:
            if not (path.endswith("/variant") and isinstance(example, str)):
                assert check.is_valid(example), (path, example)
        for snippet in node.get("defaultSnippets", ()):
            assert check.is_valid(yaml.safe_load(snippet["bodyText"].replace("${1:text}", "text"))), path


def test_no_example_is_a_trap() -> None:
    """An editor writes examples and defaults into the spec as plain scalars: none may be one of the traps of YAML."""
    for path, node in nodes(schema()):
        for example in [*node.get("examples", ()), node.get("default")]:
            if isinstance(example, str):
                assert " #" not in example or "text" in path or "style" in path, (path, example)
                assert yaml.safe_load(example) == example or " #" in example, (path, example)
                assert not (example[0].isdigit() and ":" in example), (path, example)


def test_names_that_sentences_use_exist() -> None:
    fields = {name for _, node in nodes(schema()) for name in node.get("properties", {})}
    assert set(SYNONYMS.values()) <= fields
    assert not set(SYNONYMS) & set(DEFS["asset"]["properties"])
    assert set(NAMED) <= fields
    assert set(NOUNS) <= set(DEFS)


def test_the_forms_of_a_whole_spec() -> None:
    spec = yaml.safe_load((GOLDEN / "right.yaml").read_text(encoding="utf-8"))
    assert explain("spec", spec) == []
    assert accepts("spec", spec)
    for name, each in spec["assets"].items():
        assert accepts("asset", each), name
    included = {
        key: value
        for key, value in spec.items()
        if key not in ("project", "store", "profiles", "budget", "providers", "presets", "manifest")
    }
    assert accepts("include", included)
    assert not accepts("include", spec)


# ---- accepts -----------------------------------------------------------------------------------------------------------------


class Text(str):
    pass


class Whole(int):
    pass


class Mapping(dict[str, Any]):
    pass


class Sequence(list[Any]):
    pass


def test_subclasses_count_as_what_they_are() -> None:
    asset = Mapping(prompt=Text("A poster"), seed=Whole(7), tags=Sequence([Text("a")]), quality=Text("low"))
    assert accepts("asset", asset)
    assert not accepts("asset", Mapping(prompt=Text("A poster"), seed=Whole(-1)))


@pytest.mark.parametrize("value", [7, 7.0, "${s}"])
def test_a_whole_number(value: object) -> None:
    assert accepts("asset", {"prompt": "A poster", "seed": value})


@pytest.mark.parametrize("value", [True, 7.5, "7", None, float("nan"), float("inf"), -1, 10**400])
def test_no_whole_number(value: object) -> None:
    assert not accepts("asset", {"prompt": "A poster", "seed": value})


@pytest.mark.parametrize(("value", "right"), [(0, False), (-1, False), (1e-9, True), (10, True), (10.5, False), (True, False)])
def test_a_credit_costs_something(value: object, right: bool) -> None:
    assert accepts("service", {"credit_usd": value}) is right
    assert (explain("service", {"credit_usd": value}) == []) is right


def test_an_interpolation_stands_for_a_value_until_it_is_resolved() -> None:
    for field in ("seed", "quality", "op", "pin", "tags", "references", "then", "aspect_ratio", "params", "set", "background"):
        asset = {"prompt": "A poster", "base": "front", field: "${x}"}
        assert accepts("asset", asset), field
        assert not accepts("asset", asset, resolved=True), field
        assert [fault.path for fault in explain("asset", asset, resolved=True)] == [(field,)]
    assert accepts("asset", {"prompt": "costs $${x}", "output": "${id}.png"}, resolved=True)


def test_a_name_that_the_schema_lacks() -> None:
    with pytest.raises(KeyError):
        accepts("aset", {})


def test_a_right_spec_needs_no_jsonschema() -> None:
    """80 ms of imports are for wording a mistake only."""
    program = (
        "import sys; from assetbuild.spec.shape import accepts; "
        "assert accepts('asset', {'prompt': 'A poster'}) and not accepts('asset', {'promt': 'A poster'}); "
        "print(sorted({'jsonschema', 'referencing', 'difflib', 'os.path'} & set(sys.modules) - {'os.path'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.strip() == "[]"


def test_an_installed_package_finds_its_schema(tmp_path: Path) -> None:
    """In a wheel the folder lies inside the package, not beside it."""
    checkout, package = Path(shape.__file__).parents[2], tmp_path / "assetbuild"
    (package / "spec").mkdir(parents=True)
    for name in ("__init__.py", "spec/shape.py"):
        shutil.copy(checkout / "assetbuild" / name, package / name)
    (package / "spec" / "__init__.py").touch()
    program = [sys.executable, "-c", "from assetbuild.spec.shape import schema; print(schema()['$id'])"]
    missing = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "schemas/assetbuild.schema.json is missing: install assetbuild again" in missing.stderr
    shutil.copytree(checkout / "schemas", package / "schemas")
    found = subprocess.run(program, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stdout.strip() == schema()["$id"]


# ---- accepts and jsonschema agree --------------------------------------------------------------------------------------------

RIGHT: dict[str, list[Any]] = {}
for _name, _each in yaml.safe_load((GOLDEN / "right.yaml").read_text(encoding="utf-8")).items():
    RIGHT.setdefault("spec", []).append({"version": 1, _name: _each})
RIGHT["spec"] = [{"version": 1}, *RIGHT["spec"]]
RIGHT["asset"] = [each for spec in RIGHT["spec"] for each in spec.get("assets", {}).values()]
RIGHT["budget"] = [{"per_run": 5}, {"per_run": 0, "per_day": 1.5, "per_month": 1000000}]
RIGHT["service"] = [spec["providers"]["apiframe"] for spec in RIGHT["spec"] if "providers" in spec]
RIGHT["step"] = [{"op": "upscale"}, {"prompt": "Warmer", "quality": "high"}]
RIGHT["override"] = [{"then": ["Warmer"]}, {"prompt": "A poster", "base": {"asset": "front"}}]
RIGHT["style"] = ["Flat", {"text": "Flat", "references": [{"file": "a.png", "as": "board"}]}]
RIGHT["matrix"] = [each["matrix"] for each in RIGHT["asset"] if "matrix" in each]
RIGHT["vars"] = [{"a": [1], "b": {"c": None}, "d": {"from": "a.csv", "key": "k"}}]

WORDS = sorted({name for _, node in nodes(schema()) for name in node.get("properties", {})} | {"x", "a b", "", "a.b", "\n", "ü"})
SCALARS: list[Any] = [
    *(None, True, False, 0, 1, 1.0, 1.5, -1, 7, 101, 10**20, float("nan"), float("inf"), Whole(3), Text("low")),
    *("", " ", "\n", "x", "${x}", "$${x", "2:3", "0:1", "2.35:1", "1:1\n", "upscale", "generate", "edit", "low", "7", "ü", "a#b"),
]
JUNK = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=5,
)


@st.composite
def near_right(draw: st.DrawFn, name: str) -> Any:
    """A right value with up to three changes: a value replaced, a field taken out, renamed or added."""
    value = json.loads(json.dumps(draw(st.sampled_from(RIGHT[name]))))
    for _ in range(draw(st.integers(0, 3))):
        spots = list(_spots(value))
        if not spots:
            return draw(JUNK)
        place, key = draw(st.sampled_from(spots))
        if key not in (place if isinstance(place, dict) else range(len(place))):
            continue
        match draw(st.integers(0, 3)):
            case 0:
                place[key] = draw(JUNK)
            case 1:
                del place[key]
            case 2 if isinstance(place, dict):
                place[draw(st.sampled_from(WORDS))] = place.pop(key)
            case _ if isinstance(place, dict):
                place[draw(st.sampled_from(WORDS))] = draw(JUNK)
            case _:
                place.append(draw(JUNK))
    return value


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _spots(value[key])


@pytest.mark.parametrize("name", sorted(RIGHT))
@pytest.mark.parametrize("resolved", [False, True])
def test_both_readers_agree_and_every_mistake_is_explained(name: str, resolved: bool) -> None:
    check = oracle(name, resolved)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(near_right(name))
    def agree(value: Any) -> None:
        right = check.is_valid(value)
        assert accepts(name, value, resolved=resolved) == right
        found = explain(name, value, resolved=resolved)
        assert (found == []) == right
        for fault in found:
            inner = value
            for step in fault.path[:-1]:
                inner = inner[step]
            if fault.path and "can't stand here" not in fault.text:
                assert fault.path[-1] in (inner if isinstance(inner, dict) else range(len(inner)))
            sentence = f"{fault.text} {fault.hint}"
            assert not any(word in sentence for word in ("anyOf", "is not of type", "schema", "additionalProp", "does not match"))
            assert not fault.text.endswith(".")
            assert "\n" not in sentence

    agree()


@given(JUNK)
@settings(max_examples=200, deadline=None)
def test_any_value_gets_an_answer(value: Any) -> None:
    for name in ("spec", "asset", "axis", "reference", "vars"):
        assert accepts(name, value) == (explain(name, value) == [])


def test_keys_that_are_no_texts() -> None:
    """YAML has them: `7:`."""
    for value in (
        {"version": 1, "assets": {7: {"prompt": "A poster"}}},
        {"version": 1, "vars": {True: 1}},
        {"version": 1, None: 2},
    ):
        assert not accepts("spec", value)
        assert explain("spec", value)
    assert explain("spec", {"version": 1, "assets": {7: {"prompt": "A"}}})[0].hint == 'write `"7":`, with quotes'


def test_deep_values_need_no_deep_stack() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = {"a": [deep]}
    asset = {"prompt": "A poster", "params": deep, "vars": {"v": deep}, "promt": deep}
    assert not accepts("asset", asset)
    assert [fault.path for fault in explain("asset", asset)] == [("promt",)]
    for field in DEFS["asset"]["properties"]:
        assert accepts("asset", {"prompt": "A poster", field: deep}) == (
            explain("asset", {"prompt": "A poster", field: deep}) == []
        )


# ---- what is said ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["asset", "spec", "resolved"])
def test_what_is_said(name: str) -> None:
    """Each document of NAME.yaml is a mistake as somebody would make it; NAME.txt is what they read."""
    told: list[str] = []
    for document in (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8").split("\n---\n"):
        value = yaml.safe_load(document)
        kind = "spec" if name == "spec" else "asset"
        found = explain(kind, value, resolved=name == "resolved", called=None if kind == "spec" else "poster")
        told.append(document.strip())
        for fault in found:
            told.append(f"  {'.'.join(map(str, fault.path)) or '(all)'}, {fault.on}: {fault.text}")
            told += [f"    hint: {fault.hint}"] if fault.hint else []
        assert found, document
        told.append("")
    text = "\n".join(told)
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8", newline="\n")
    assert text == golden.read_text(encoding="utf-8")


def test_a_value_on_its_own() -> None:
    """`called` is its name; without it the sentence says `this`."""
    assert explain("step", {"promt": "x"})[0].text == "unknown field `promt` in this step; did you mean `prompt`?"
    assert explain("defaults", {"pin": True})[0].text == "unknown field `pin` in `defaults`"
    assert explain("profile", {"quality": 1}, called="draft")[0].text.startswith("`quality` in profile `draft` must be")
    assert explain("override", {"seed": "x"}, called="poster-ja")[0].text.startswith("`seed` in override `poster-ja` must be")
    assert explain("override", {"seed": "x"}, resolved=True, called="poster-ja")[0].text.startswith("`seed` in asset `poster-ja`")
    assert explain("vars", {"a b": 1})[0].text == "`a b` can't be a name in `vars`"
    assert explain("asset", {"promt": "A poster"})[0].text == "unknown field `promt` in this asset; did you mean `prompt`?"
    assert explain("asset", {"promt": "x"}, called="poster")[0] == shape.Fault(
        ("promt",), "key", "unknown field `promt` in asset `poster`; did you mean `prompt`?", None
    )
