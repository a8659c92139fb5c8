"""What `cut:` may say, and what is said to those who say otherwise."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from assetbuild.spec.cutting import faults, fraction, normal
from assetbuild.spec.scalars import scalar

GRID = {"columns": 4, "rows": 3}


def said(**more: Any) -> list[tuple[tuple[str | int, ...], str, str]]:
    return [tuple(each) for each in faults({**GRID, **more})]  # type: ignore[misc]


def test_what_is_said_as_plain_values() -> None:
    value = {**GRID, "names": ["heart", "coin"], "margin": "3%", "trim": "8 %"}
    assert faults(value) == []
    assert normal(value) == {"columns": 4, "rows": 3, "names": ("heart", "coin"), "margin": 0.03, "trim": 0.08}


def test_without_names_the_cells_are_numbered() -> None:
    assert normal({"columns": "2", "rows": 2}) == {
        "columns": 2,
        "rows": 2,
        "names": ("1", "2", "3", "4"),
        "margin": None,
        "trim": None,
    }
    assert normal({"columns": 2.0, "rows": 1})["names"] == ("1", "2")
    assert normal({**GRID, "names": None, "margin": None})["names"][-1] == "12"


def test_names_that_yaml_took_for_numbers_are_names() -> None:
    value = {**GRID, "names": [1, scalar("1.10"), "ハート", 2.5, "a@2x"]}
    assert faults(value) == []
    assert normal(value)["names"] == ("1", "1.10", "ハート", "2.5", "a@2x")


@pytest.mark.parametrize(
    ("value", "part"), [("3%", 0.03), ("12.5%", 0.125), (" 8 % ", 0.08), (0.25, 0.25), ("0.25", 0.25), (0, 0.0), ("100%", 1.0)]
)
def test_fractions(value: Any, part: float) -> None:
    assert fraction(value) == pytest.approx(part)


@pytest.mark.parametrize("value", ["3px", "%", "", "-3%", -0.1, "nan", "inf", "1e400%", True, "drei %"])
def test_no_fractions(value: Any) -> None:
    assert fraction(value) is None
    [(path, text, hint)] = said(margin=value)
    assert (path, text) == (("margin",), f"`margin` is a part of the cell; `{value}` is none")
    assert hint == "write it like `margin: 3%`"


def test_more_names_than_cells() -> None:
    [(path, text, hint)] = said(names=[f"n{n}" for n in range(13)])
    assert path == ("names", 12)
    assert text == "13 names for 12 cells (4 columns, 3 rows)"
    assert hint == "take names out, or give the sheet more `columns` or `rows`"


def test_names_follow_the_rules_of_members() -> None:
    assert said(names=["a/b", "", ".x", "a b", "ok"]) == [
        (("names", 0), "the name `a/b` holds a `/`", "a name has letters and digits of any script, `.`, `_`, `-` and `@`"),
        (("names", 1), "a name can't be empty", "a name has letters and digits of any script, `.`, `_`, `-` and `@`"),
        (
            ("names", 2),
            "the name `.x` has a part that starts with `.`",
            "a name has letters and digits of any script, `.`, `_`, `-` and `@`",
        ),
        (("names", 3), "the name `a b` holds a space", "a name has letters and digits of any script, `.`, `_`, `-` and `@`"),
    ]


def test_no_name_twice_on_any_disk() -> None:
    assert said(names=["a", "b", "a"]) == [
        (("names", 2), "two cells are called `a`", "take one of them out, or call it otherwise")
    ]
    composed, apart = "é", unicodedata.normalize("NFD", "É")
    for one, other in (("Coin", "coin"), (composed, apart), ("straße", "STRASSE")):
        [(path, text, hint)] = said(names=[one, other])
        assert (path, text) == (("names", 1), f"two cells are called `{unicodedata.normalize('NFC', other)}`")
        assert "upper and lower case" in hint


def test_margins_that_leave_nothing() -> None:
    assert said(margin="50%") == [
        (("margin",), "a margin of 50% on each side leaves nothing of a cell", "write less than 50%, like `margin: 3%`")
    ]
    assert said(margin=3) == [
        (("margin",), "a margin of 300% on each side leaves nothing of a cell", "`margin: 3%` is a part of a hundred")
    ]
    assert said(trim=8) == [(("trim",), "a margin of 800% is wider than the object itself", "`trim: 8%` is a part of a hundred")]
    assert said(margin="49.9%", trim="100%") == []


def test_all_mistakes_are_told_at_once_and_half_known_grids_too() -> None:
    found = faults({"margin": "x", "names": ["a", "a"], "columns": "${n}", "rows": 2})
    assert [each.path for each in found] == [("margin",), ("names", 1)]
