"""What models can do, offline: the rules of models.yaml, and that what is in keys is frozen."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from assetbuild.providers import table as room
from assetbuild.providers.table import Table, builtin

GOLDEN = Path(__file__).parent / "golden" / "spec"


def tree() -> dict[str, Any]:
    """The providers of `models.yaml` itself; those with a file of their own have tests of their own."""
    found: dict[str, Any] = yaml.safe_load((Path(room.__file__).parent / "models.yaml").read_text(encoding="utf-8"))
    return {name: each for name, each in found["providers"].items() if not isinstance(each, str)}


def test_defaults_are_frozen() -> None:
    """Defaults are in action keys: a changed one makes every picture of the model stale, which is a bill. New ones may come."""
    now = {
        f"{provider}/{model}/{op}": facts["defaults"]
        for provider, models in tree().items()
        for model, each in models["models"].items()
        for op, facts in each["ops"].items()
    }
    golden = GOLDEN / "defaults.json"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        golden.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    frozen = json.loads(golden.read_text(encoding="utf-8"))
    assert {name: now.get(name) for name in frozen} == frozen


def test_every_model_is_whole() -> None:
    """Each op has a format, each default is a value its own rule allows, each default model has its op."""
    models = builtin()
    for provider in tree():
        for op in ("generate", "edit", "upscale", "remove-background"):
            default = models.default_model(provider, op)
            assert default is None or models.names(provider, default, op)
        for model in models.models(provider):
            for op, facts in tree()[provider]["models"][model]["ops"].items():
                assert "output_format" in models.names(provider, model, op)
                done, faults, notes = models.normalise(provider, model, op, dict(facts["defaults"]))
                assert (done, faults, notes) == (facts["defaults"], [], [])


RULES = {
    "quality": {"enum": ["low", "high", 4]},
    "output_format": {"enum": ["png", "jpeg"], "tokens": {"jpg": "jpeg"}},
    "aspect_ratio": {"ratio": ["1:1", "3:2", "2:3"]},
    "free_ratio": {"ratio": {"from": "1:8", "to": "8:1"}},
    "steps": {"integer": [1, 50]},
    "seed": {"integer": [0, 2147483647], "nullable": True},
    "guidance": {"number": [1.5, 10]},
    "raw": {"boolean": True},
    "negative": {"text": 5},
    "words": {"texts": 2},
}
TABLE = Table(
    {
        "v": {
            "default": {"generate": "m"},
            "models": {"m": {"ops": {"generate": {"params": RULES, "defaults": {"quality": "low"}, "limits": {"members": 2}}}}},
        }
    }
)


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("output_format", "jpg", "jpeg"),
        ("quality", 4.0, 4),
        ("steps", 3.0, 3),
        ("seed", None, None),
        ("guidance", 2, 2),
        ("guidance", 2.50, 2.5),
        ("raw", False, False),
        ("negative", "tree", "tree"),
        ("words", ["a", "b"], ("a", "b")),
        ("aspect_ratio", "6:4", "3:2"),
        ("aspect_ratio", "1.5:1", "3:2"),
        ("free_ratio", "16:8", "2:1"),
        ("free_ratio", "1.91:1", "191:100"),
        ("aspect_ratio", "~16:9", "3:2"),
        ("free_ratio", "~100:1", "8:1"),
        ("aspect_ratio", "~3:2", "3:2"),
    ],
)
def test_values_that_are_taken(name: str, value: Any, made: Any) -> None:
    done, faults, notes = TABLE.normalise("v", "m", "generate", {name: value})
    assert not faults
    assert done == {"quality": "low", name: made}
    assert type(done[name]) is type(made)
    assert bool(notes) == (value in ("~16:9", "~100:1"))


REFUSED: list[tuple[str, Any]] = [
    *[("quality", value) for value in ("loww", True, None, 5)],
    *[("aspect_ratio", value) for value in ("16:9", "x", "1:0", "0:1", "-1:2", "1e999:1", "1:" + "9" * 50)],
    ("free_ratio", "9:1"),
    *[("steps", value) for value in (0, 1.5, "3", True)],
    *[("guidance", value) for value in (1, "x")],
    *[("raw", value) for value in (1, "true")],
    *[("negative", value) for value in ("trees!", 3)],
    *[("words", value) for value in (["a", "b", "c"], "a", [1])],
    *[("stepps", value) for value in (1,)],
    ("zzz", 1),
]


def test_values_that_are_refused() -> None:
    lines = []
    for name, value in REFUSED:
        _, faults, _ = TABLE.normalise("v", "m", "generate", {name: value})
        assert len(faults) == 1
        assert faults[0][0] == name
        lines.append(f"{name}: {str(value)[:20]!r}\n  {faults[0][1]}\n  hint: {faults[0][2]}\n")
    _, faults, _ = TABLE.normalise("v", "m", "generate", {}, members=3)
    lines.append(f"{faults[0][1]}\n  hint: {faults[0][2]}\n")
    golden = GOLDEN / "table-messages"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        golden.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    assert "\n".join(lines) == golden.read_text(encoding="utf-8")


def test_what_is_not_known() -> None:
    assert TABLE.models("w") == ()
    assert TABLE.default_model("v", "upscale") is None
    assert TABLE.names("v", "m", "edit") == ()
    assert TABLE.limits("v", "x", "generate") == {}
    assert (TABLE.free("v"), builtin().free("comp"), builtin().reproducible("comp"), TABLE.reproducible("w")) == (
        False,
        True,
        True,
        False,
    )
    assert (TABLE.knows("v"), TABLE.knows("w"), TABLE.providers()) == (True, False, ("v",))


def test_a_parameter_learnt_later_is_there_only_when_set() -> None:
    done, _, _ = TABLE.normalise("v", "m", "generate", {})
    assert done == {"quality": "low"}
