"""Keys: what changes them and what must never change them. `tests/golden/keys.json` is the contract."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.digest import action, changes, fold, recipe, sealed
from assetbuild.spec.model import HERE, AssetInput, FileInput, Input, Step

GOLDEN = Path(__file__).parent / "golden" / "keys.json"
SPACE = [
    0x9,
    0xA,
    0xB,
    0xC,
    0xD,
    0x1C,
    0x1D,
    0x1E,
    0x1F,
    0x20,
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
]

PLAIN = Step("generate", "comp", "comp-1", "A poster.\n\nFlat shapes.", (), {"aspect_ratio": "2:3", "quality": "medium"})
BASE = Input(AssetInput("poster"), "base")
LOGO = Input(FileInput("brand/logo.png"), "reference", "logo", "the logo, bottom right corner")
MASK = Input(FileInput("masks/window.png"), "mask")
OVERLAY = {"overlay": ({"text": "Skog", "font": "Fraunces", "size": "30pt", "at": "top"}, {"file": 1, "at": "bottom end"})}
COMPOSED = Step("compose", HERE, "compose-1", None, (BASE, Input(FileInput("brand/logo.svg"), "overlay")), OVERLAY)
CUT = Step("cut", HERE, "cut-1", None, (BASE,), {"columns": 4, "rows": 3, "trim": 0.08}, ("heart", "coin"))
EDIT = Step("edit", "comp", "comp-1", "On a pouch.", (BASE,), {"quality": "low"})
CASES = {
    "plain": (PLAIN, []),
    "no prompt": (Step("upscale", "comp", "comp-1", None, (BASE,), {"scale": 2}), ["a" * 64]),
    "edit with a hint": (
        Step("edit", "comp", "comp-1", "Image 2: the logo\nSet it.", (BASE, LOGO), {"quality": "low"}),
        ["a" * 64, "b" * 64],
    ),
    "masked": (Step("edit", "apiframe", "flux-fill-pro", "Rain.", (BASE, MASK), {"seed": None}), ["a" * 64, "b" * 64]),
    "set": (PLAIN._replace(members=("bean", "cup")), []),
    "variant": (PLAIN._replace(variant="b"), []),
    "float": (PLAIN._replace(params={"guidance": 3.5, "seed": 7}), []),
    "composed": (COMPOSED, ["a" * 64, "b" * 64]),
    "cut": (CUT, ["a" * 64]),
    "edit of a composed picture": (EDIT, [recipe(action(COMPOSED, ["a" * 64, "b" * 64]))]),
    "edit of a piece": (EDIT._replace(inputs=(LOGO,)), [recipe(action(CUT, ["a" * 64]), 1)]),
    "unicode": (PLAIN._replace(prompt="ゆっくり淹れた é"), []),
}


def test_golden_keys() -> None:
    """Every key of the contract, as it was released."""
    have = {name: {"key": action(*case).key, "manifest": action(*case).text} for name, case in CASES.items()}
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(have, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    assert have == json.loads(GOLDEN.read_text("utf-8"))


def test_white_space_is_the_pinned_list() -> None:
    """A new Unicode in a new Python must not move a key."""
    assert [c for c in range(0x110000) if chr(c).isspace()] == SPACE


def test_reflow_keeps_the_key() -> None:
    """Reflow, CRLF, trailing space, NFD and indentation cost nothing; a paragraph and a word do."""
    same = [
        "A poster.\n\nFlat shapes.",
        "A\nposter.\n\n\nFlat   shapes. \n",
        "A poster. \r\n\r\nFlat\r\nshapes.\r\n",
        "\n  A poster.\n \t\n  Flat shapes.",
    ]
    assert {action(PLAIN._replace(prompt=p), []).key for p in same} == {action(PLAIN, []).key}
    assert action(PLAIN._replace(prompt="A poster. Flat shapes."), []).key != action(PLAIN, []).key
    for text in ("Café ゆっくり が", "Å ngström"):
        forms = {action(PLAIN._replace(prompt=unicodedata.normalize(f, text)), []).key for f in ("NFC", "NFD")}
        assert len(forms) == 1


def test_what_is_not_in_the_key() -> None:
    """Names of inputs, members' names and places in the file are not; hint, role, digest and order are."""
    step, digests = CASES["edit with a hint"]
    key = action(step, digests).key
    assert action(step._replace(inputs=(BASE, LOGO._replace(name="mark"))), digests).key == key
    assert action(step._replace(inputs=(Input(FileInput("x.png"), "base"), LOGO)), digests).key == key
    assert action(PLAIN._replace(members=("a", "b")), []).key == action(*CASES["set"]).key
    for other in (
        (step._replace(inputs=(BASE, LOGO._replace(hint="top left"))), digests),
        (step, digests[::-1]),
        (step._replace(inputs=(BASE, LOGO._replace(role="style"))), digests),
        (step._replace(params={"quality": "high"}), digests),
        (step._replace(model="comp-2"), digests),
        (step._replace(op="generate"), digests),
    ):
        assert action(*other).key != key


def test_the_recipe_of_a_piece_is_that_of_its_cell() -> None:
    """What the pieces are called and how many there are is none of it; the grid, the sheet and the place are."""
    cut = action(CUT, ["a" * 64])
    piece = recipe(cut, 1)
    assert recipe(action(CUT._replace(members=("love", "coin", "star")), ["a" * 64]), 1) == piece
    others = [
        recipe(cut, 0),
        recipe(action(CUT, ["b" * 64]), 1),
        recipe(action(CUT._replace(params={**CUT.params, "columns": 3}), ["a" * 64]), 1),
        recipe(action(CUT._replace(params={"columns": 4, "rows": 3}), ["a" * 64]), 1),
    ]
    assert piece not in others
    assert len(set(others)) == 4


def test_changes_names_the_lines() -> None:
    """A reason is the manifest lines that differ."""
    step, digests = CASES["edit with a hint"]
    old = sealed(action(step, digests).manifest)
    new = sealed(action(step._replace(prompt="Other", params={"quality": "high"}), ["c" * 64, "b" * 64]).manifest)
    assert [c.field for c in changes(old, new)] == ["prompt", "params.quality", "inputs.0"]
    assert "the logo" not in json.dumps(old)
    assert changes(old, old) == ()


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PARAMS = st.dictionaries(
    TEXT, st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT | st.floats(-1e15, 1e15, allow_nan=False)
)
INPUT = st.builds(
    Input, st.just(FileInput("a.png")), st.sampled_from(["base", "reference", "style"]), st.none(), st.none() | TEXT
)
STEP = st.builds(
    Step,
    st.sampled_from(["generate", "edit", "upscale", "remove-background"]),
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.lists(INPUT, max_size=3).map(tuple),
    PARAMS,
    st.lists(TEXT, max_size=3).map(tuple),
    st.none() | TEXT,
)


@given(STEP)
def test_the_manifest_is_rfc_8785(step: Step) -> None:
    """What is written out by hand is what the RFC's own serialiser gives for the same value, and nothing is lost in it."""
    act = action(step, (["a" * 64, "~" + "b" * 64] * 2)[: len(step.inputs)])
    assert rfc8785.dumps(act.manifest) == act.text.encode()
    want: dict[str, object] = {"v": 1, "op": step.op, "provider": step.provider, "model": step.model, "params": step.params}
    if step.prompt is not None:
        want["prompt"] = fold(step.prompt)
    if step.members:
        want["set"] = len(step.members)
    if step.variant is not None:
        want["variant"] = step.variant
    if step.inputs:
        want["inputs"] = [
            {
                "role": i.role,
                **({"recipe": "b" * 64} if place % 2 else {"digest": "a" * 64}),
                **({"hint": fold(i.hint)} if i.hint is not None else {}),
            }
            for place, i in enumerate(step.inputs)
        ]
    assert rfc8785.dumps(want) == act.text.encode()  # type: ignore[arg-type]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_fold_is_stable(text: str) -> None:
    """Folding twice is folding once, and the normal forms agree."""
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
