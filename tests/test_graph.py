"""The order of assets: bases first, no recursion, cycles as a path."""

from __future__ import annotations

import pytest

from assetbuild.errors import Place, SpecError
from assetbuild.graph import Graph
from assetbuild.spec.model import Asset, AssetInput, Input, Step


def asset(name: str, *bases: str) -> Asset:
    """An asset that hangs on these."""
    inputs = tuple(Input(AssetInput(b), "reference") for b in bases)
    return Asset(name, (Step("generate", "comp", "comp-1", "x", inputs, {}),), (f"art/{name}.png",), Place("assets.yaml", 1, 1))


def test_bases_come_first_and_the_file_order_stays() -> None:
    """Spec order where edges allow it."""
    graph = Graph([asset("d", "b", "c"), asset("a"), asset("b", "a"), asset("c", "a"), asset("e")])
    assert graph.order == ["a", "b", "c", "d", "e"]
    assert graph.with_bases(["b"]) == {"a", "b"}
    assert graph.with_users(["b"]) == {"b", "d"}


def test_a_chain_of_50000_edits() -> None:
    """No recursion limit, whichever way round the file is."""
    chain = [asset(f"x{n}", f"x{n + 1}") for n in range(50_000)] + [asset("x50000")]
    assert Graph(chain).order[0] == "x50000"
    assert Graph(chain[::-1]).order[-1] == "x0"
    assert len(Graph(chain).with_users(["x50000"])) == 50_001


def test_a_cycle_is_printed_as_a_path() -> None:
    """`a → b → a`; a long one is cut in the middle."""
    with pytest.raises(SpecError, match=r"a → b → c → a"):
        Graph([asset("z"), asset("a", "b"), asset("b", "c"), asset("c", "a")])
    with pytest.raises(SpecError, match=r"a → a"):
        Graph([asset("a", "a")])
    with pytest.raises(SpecError, match=r"x0 → .* more … → .* → x0"):
        Graph([asset(f"x{n}", f"x{(n + 1) % 900}") for n in range(900)])
