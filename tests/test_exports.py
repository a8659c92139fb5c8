"""`exports.decide` as a table, with its sentences in golden/exports.txt; recipes and geometry as pure values."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.exports import LOOK, ExportDecision, ExportFacts, decide, frozen_allows
from assetbuild.geometry import layout, resolution
from assetbuild.plan import Verb
from assetbuild.providers.table import builtin
from assetbuild.reader import DiskReader
from assetbuild.recipe import Recipe, canonical_options
from assetbuild.spec import load, measures
from assetbuild.spec.model import Asset, Export

GOLDEN = Path(__file__).parent / "golden" / "exports.txt"
MASTER, OTHER, MINE, HAND = "a" * 64, "b" * 64, "c" * 64, "d" * 64
OPTIONS = {"format": "webp", "width": 1200}


def facts(**given: Any) -> ExportFacts:
    """An export whose lock line fits and whose file is right, but for what is given."""
    usual: dict[str, Any] = {"locked": MINE, "locked_of": MASTER, "locked_options": OPTIONS, "found": MINE, "at_hand": True}
    return ExportFacts("poster", "web", "web/poster.webp", MASTER, OPTIONS)._replace(**{**usual, **given})


NEVER: dict[str, Any] = {"locked": None, "locked_of": None, "locked_options": None, "found": None, "looked": True}
CASES: list[tuple[str, ExportFacts, str, Verb]] = [
    ("as it was locked", facts(), "X1", Verb.UP_TO_DATE),
    ("as it was locked, asked for again", facts(again=True, looked=True, ours=True), "X10", Verb.GENERATE),
    ("its sidecar is gone", facts(bare=True, looked=True, ours=True, blob=True), "X7", Verb.RESTORE),
    ("the picture was rejected", facts(master=OTHER, refused="`poster` was rejected"), "X3", Verb.SKIPPED),
    ("the picture is still to be made", facts(master=None, coming=True), "X2", Verb.WAITING),
    ("the picture isn't known", facts(master=None), "X3", Verb.SKIPPED),
    ("no colour profile", facts(options=None, lacks="print/coated.icc"), "X4", Verb.HELD),
    ("ours by `written`", facts(found=OTHER, looked=True, ours=True, noted=True), "X5", Verb.UP_TO_DATE),
    ("edited by hand", facts(found=HAND, looked=True), "X6", Verb.HELD),
    ("there before", facts(**{**NEVER, "found": HAND}), "X6", Verb.HELD),
    ("edited by hand, to be replaced", facts(found=HAND, looked=True, replace=True, blob=True), "X7", Verb.RESTORE),
    ("gone, in the store", facts(found=None, looked=True, blob=True), "X7", Verb.RESTORE),
    ("gone, not in the store", facts(found=None, looked=True), "X10", Verb.GENERATE),
    ("gone, no picture", facts(found=None, looked=True, at_hand=False), "X8", Verb.SKIPPED),
    ("new", facts(**NEVER), "X10", Verb.GENERATE),
    ("another picture", facts(locked_of=OTHER, looked=True, ours=True), "X10", Verb.GENERATE),
    (
        "other options",
        facts(options={"format": "webp", "width": 1600, "quality": 80}, looked=True, ours=True),
        "X10",
        Verb.GENERATE,
    ),
    ("an option less", facts(options={"format": "webp"}, looked=True, ours=True), "X10", Verb.GENERATE),
    ("another profile", facts(options={**OPTIONS, "icc": HAND}, looked=True, ours=True), "X10", Verb.GENERATE),
    ("another focus", facts(options={**OPTIONS, "focus": [0.5, 0.3]}, looked=True, ours=True), "X10", Verb.GENERATE),
    ("too large", facts(**NEVER, scale=5.5, size=(1024, 1536)), "X9", Verb.FAILED),
    ("large", facts(**NEVER, scale=3.9, size=(1024, 1536)), "X10", Verb.GENERATE),
]


@pytest.mark.parametrize(("given", "row", "verb"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_row(given: ExportFacts, row: str, verb: Verb) -> None:
    decision = decide(given)
    assert isinstance(decision, ExportDecision)
    assert (decision.row, decision.verb) == (row, verb)


def test_what_is_said() -> None:
    told = []
    for name, case, *_ in CASES:
        decision = decide(case)
        assert isinstance(decision, ExportDecision)
        told.append(f"{name}: {decision.row} {decision.verb.value}{': ' * bool(decision.text)}{decision.text}")
        told += [f"  hint: {decision.hint}"] if decision.hint else []
    text = "\n".join(told) + "\n"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8", newline="\n")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_the_store_is_looked_into_only_when_it_must_be() -> None:
    assert decide(facts(found=HAND)) is LOOK
    assert decide(facts(found=None)) is LOOK
    assert decide(facts()) is not LOOK


def test_frozen() -> None:
    """Nothing that would change the lockfile."""

    def allowed(given: ExportFacts) -> bool:
        decision = decide(given)
        assert isinstance(decision, ExportDecision)
        return frozen_allows(given, decision)

    assert allowed(facts())
    assert allowed(facts(found=None, looked=True))
    assert allowed(facts(found=None, looked=True, blob=True))
    assert not allowed(facts(**NEVER))
    assert not allowed(facts(locked_of=OTHER, looked=True, ours=True))
    assert not allowed(facts(found=HAND, looked=True))


digests = st.sampled_from([None, MASTER, MINE, HAND])
flags = st.booleans()


@given(
    st.builds(
        ExportFacts,
        st.just("poster"),
        st.just("web"),
        st.just("web/poster.webp"),
        st.sampled_from([None, MASTER, OTHER]),
        st.sampled_from([OPTIONS, {"format": "png"}]),
        digests,
        st.sampled_from([None, MASTER, OTHER]),
        st.sampled_from([None, OPTIONS]),
        digests,
        coming=flags,
        again=flags,
        looked=st.just(True),
        ours=flags,
        noted=flags,
        blob=flags,
        at_hand=flags,
    )
)
def test_what_never_happens(given_facts: ExportFacts) -> None:
    """A file that isn't ours is never replaced unasked, and nothing is made from a picture that isn't here."""
    decision = decide(given_facts)
    assert isinstance(decision, ExportDecision)
    f = given_facts
    strange = f.found is not None and f.found != f.locked and not f.ours and not f.noted
    if decision.verb in (Verb.RESTORE, Verb.GENERATE):
        assert not strange
        assert f.master is not None
    if decision.verb is Verb.GENERATE:
        assert f.at_hand
    if decision.verb is Verb.RESTORE:
        assert f.blob
        assert f.fits


# ---- recipes and geometry ------------------------------------------------------------------------------------------------


def test_a_recipe_says_only_what_is_said() -> None:
    assert Recipe("webp").options == {"format": "webp"}
    assert Recipe("pdf", page=(500.0, 700.0), bleed=3.0).options == {"format": "pdf", "page": [500.0, 700.0], "bleed": 3.0}
    assert canonical_options({"width": 3, "format": "png"}) == '{"format":"png","width":3}'


@given(
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.sampled_from(["cover", "contain", "fill", "inside"]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_any_box(width: int, height: int, wide: int, high: int, fit: Any, focus: tuple[float, float]) -> None:
    plan = layout(width, height, Recipe("png", wide, high, fit=fit), focus)
    left, top, right, bottom = plan.source
    assert 0 <= left < right <= width + 1e-6
    assert 0 <= top < bottom <= height + 1e-6
    assert plan.drawn[0] <= plan.width
    assert plan.drawn[1] <= plan.height
    assert min(plan.drawn) >= 1
    if fit != "inside":
        assert (plan.width, plan.height) == (wide, high)
    if fit == "cover":
        assert abs((right - left) / (bottom - top) - wide / high) < 1e-6 * max(1, wide / high)


def test_resolution() -> None:
    assert resolution(1000, 1000, Recipe("pdf", page=(254.0, 254.0))) == pytest.approx(100)
    assert resolution(1000, 1000, Recipe("png", width=3)) == float("inf")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1200x630", (1200, 630, False)),
        ("1200 × 630 px", (1200, 630, False)),
        ("50x70cm", (500, 700, True)),
        ("4x6in", (101.6, 152.4, True)),
        ("A4", (210, 297, True)),
        ("a2 landscape", (594, 420, True)),
        ("A0", (841, 1189, True)),
        ("A10", (26, 37, True)),
        ("B5", (176, 250, True)),
        ("letter landscape", (279.4, 215.9, True)),
        ("10.5x20", None),
    ],
)
def test_measures(text: str, size: tuple[float, float, bool] | None) -> None:
    found = measures.size(text)
    assert found == size


def test_more_measures() -> None:
    assert measures.length("0.125in") == 3.175
    assert measures.focus("top left") == (0.0, 0.0)
    assert measures.focus("bottom") == (0.5, 1.0)
    assert measures.focus("101% 3%") is None
    assert measures.colour("#FA0") == "#ffaa00"
    assert measures.file_size("1.5 MB") == 1_500_000
    assert measures.file_size("200 KiB") == 204_800
    assert measures.file_size(512) == 512


# ---- from the spec ----------------------------------------------------------------------------------------------------------


def read(text: str, profile: str | None = None) -> dict[str, Asset]:
    with TemporaryDirectory() as folder:
        Path(folder, "assets.yaml").write_text(text, encoding="utf-8")
        spec = load("assets.yaml", DiskReader(folder), builtin(), profile=profile)
    return {asset.id: asset for asset in spec.assets}


def one(text: str, name: str, asset: str = "poster", profile: str | None = None) -> Export:
    return next(each for each in read(text, profile)[asset].exports if each.name == name)


LAYERS = """\
version: 1
presets:
  hero: {size: 1600x900, quality: 70, path: "hero/${id}.webp"}
  pair: {width: 100, path: "pair/${id}-${export}", files: {1x.webp: {}, 2x.webp: {scale: 2, quality: 40}}}
defaults:
  exports:
    web: {path: "web/${id}.webp", width: 1200, quality: 82}
    og: {path: "og/${id}.jpg", size: 1200x630}
profiles:
  draft: {provider: comp, exports: {og: false}}
assets:
  poster:
    prompt: x
    focus: 50% 30%
    exports:
      web: {width: 800}
      hero: {preset: hero, focus: attention}
      pair: {preset: pair, width: 50}
  plain:
    prompt: x
    exports: {web: false}
  row-${n}:
    matrix: {n: [1, 2]}
    prompt: x
    exports: {print: {path: "print/${n}-${export}.pdf", size: "${n}0x20cm", dpi: 150}}
overrides:
  row-2: {exports: {print: {path: "other/${id}.pdf", size: A4}}}
"""


def test_layers() -> None:
    poster = read(LAYERS)["poster"]
    assert [each.name for each in poster.exports] == ["web", "og", "hero", "pair-1x.webp", "pair-2x.webp"]
    assert one(LAYERS, "web").recipe == Recipe("webp", width=800, quality=82)
    assert one(LAYERS, "og").recipe == Recipe("jpeg", 1200, 630, focus=(0.5, 0.3))
    assert one(LAYERS, "hero").recipe == Recipe("webp", 1600, 900, quality=70, focus="attention")
    assert one(LAYERS, "pair-2x.webp").recipe == Recipe("webp", width=100, quality=40)
    assert one(LAYERS, "pair-1x.webp").path == "pair/poster-pair-1x.webp"
    assert one(LAYERS, "pair-1x.webp").group == "pair"
    assert [each.name for each in read(LAYERS)["plain"].exports] == ["og"]
    rows = read(LAYERS)
    assert one(LAYERS, "print", "row-1").path == "print/1-print.pdf"
    assert one(LAYERS, "print", "row-1").recipe.page == (100.0, 200.0)
    assert one(LAYERS, "print", "row-2").path == "other/row-2.pdf"
    assert [each.name for each in rows["row-2"].exports] == ["web", "og", "print"]


def test_a_profile_has_the_last_word() -> None:
    poster = read(LAYERS, "draft")["poster"]
    assert [each.name for each in poster.exports] == ["web", "hero", "pair-1x.webp", "pair-2x.webp"]
    assert poster.exports[0].path == ".assetbuild/draft/web/poster.webp"


def test_a_proof_never_lies_over_what_ships() -> None:
    """A profile with outputs of its own makes only those exports that it gives a place."""
    proof = LAYERS.replace("profiles:\n", 'profiles:\n  proof: {quality: low, output: "proofs/${id}.png"}\n')
    assert read(proof, "proof")["poster"].exports == ()
    own = proof.replace(
        '"proofs/${id}.png"}', '"proofs/${id}.png", exports: {web: {path: "proofs/web/${id}.webp"}, og: {width: 100}}}'
    )
    assert [each.path for each in read(own, "proof")["poster"].exports] == ["proofs/web/poster.webp"]


def test_exports_are_in_no_step() -> None:
    bare = LAYERS.replace("focus: 50% 30%", "description: x")
    assert read(bare)["poster"].steps == read(LAYERS)["poster"].steps


def test_what_is_cut_is_called_by_its_sheet() -> None:
    text = """\
version: 1
assets:
  icons:
    prompt: x
    cut: {columns: 2, rows: 1, names: [heart, coin]}
    exports: {small: {path: "web/${id}-${member}.webp", width: 64}, sheet: {path: "web/${id}.webp"}}
"""
    found = read(text)
    assert [each.path for each in found["icons"].exports] == ["web/icons.webp"]
    assert [each.path for each in found["icons#"].exports] == ["web/icons-heart.webp", "web/icons-coin.webp"]
    assert found["icons#"].outputs == ("art/icons-heart.png", "art/icons-coin.png")


def test_every_preset_can_be_used() -> None:
    from assetbuild.spec.presets import builtin as presets

    for name in presets():
        text = f"version: 1\nassets:\n  poster:\n    prompt: x\n    exports: {{it: {{preset: {name}}}}}\n"
        exports = read(text)["poster"].exports
        assert exports
        assert all(each.path.startswith(("exports/poster-it", "print/poster-it")) for each in exports)
        assert presets()[name]["about"]
