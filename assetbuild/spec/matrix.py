"""The rows of a matrix: axes multiplied, combinations left out. Knows lists and tables; it does not know what an asset makes of a
row."""

from __future__ import annotations

import itertools
import math
from typing import Any

from .interpolate import RESERVED, Scope, render, words
from .marks import Map, Seq
from .names import filled, rendered, tell
from .problems import Problems
from .tables import Tables, matches
from .templates import Bad, has_reference

MOST = 500_000  # rows of one asset

Row = dict[str, Any]


def rows(matrix: Map, scope: Scope, tables: Tables) -> list[Row] | None:
    """Every combination, the last axis fastest, in the order of lists and files; None after a problem (an empty matrix is
    one)."""
    problems = tables.problems
    before = len(problems)
    complete = not problems.gaps.of(matrix)
    axes: dict[str, list[Any]] = {}
    for name in matrix:
        if name == "exclude":
            continue
        if name in RESERVED:
            problems.on(matrix, name, f"an axis can't be called `{name}`: it is a built-in name", "choose another name", on="key")
            continue
        values = _axis(matrix, name, scope, tables)
        if values is None:
            complete = False
            continue
        if not values:
            problems.on(
                matrix,
                name,
                f"the axis `{name}` is empty, so this asset has no pictures",
                "its table has a header and no row" if isinstance(matrix[name], Map) else "add a value",
                on="key",
            )
        axes[name] = values
    if not complete:
        return None
    if not axes and len(problems) == before:
        problems.on(matrix, "exclude", "the matrix has no axis", "write `name: [value, …]`", on="key")
    count = math.prod(len(values) for values in axes.values())
    if count > MOST:
        name = next(iter(axes))
        problems.on(
            matrix,
            name,
            f"the axes multiply to {count:,} pictures; at most {MOST:,}",
            "use one table with the rows you need",
            on="key",
        )
    if len(problems) > before:
        return None
    names = tuple(axes)
    found = [dict(zip(names, values, strict=True)) for values in itertools.product(*axes.values())]
    exclude = matrix.get("exclude")
    if isinstance(exclude, Seq):
        for condition in exclude:
            _check(condition, axes, problems)
        if len(problems) > before:
            return None
        found = [row for row in found if not any(_excluded(row, condition) for condition in exclude)]
        if not found:
            problems.on(matrix, "exclude", "`exclude` leaves no pictures of this asset", "remove a condition", on="key")
            return None
    return found


def _axis(matrix: Map, name: str, scope: Scope, tables: Tables) -> list[Any] | None:
    """The values of one axis."""
    problems, value = tables.problems, matrix[name]
    if has_reference(value):
        if isinstance(value, str):
            try:
                value = render(value, scope)
            except Bad as e:
                tell(problems, matrix, name, e)
                return None
        else:
            value, good = rendered(value, scope, problems)
            if not filled(value, problems) or not good:
                return None
    if isinstance(value, Map) and "from" in value:
        return tables.rows(value)
    if isinstance(value, dict):
        return list(value)  # `${headline}`: its keys
    if not isinstance(value, list):
        problems.on(matrix, name, f"the axis `{name}` is no list", "write `[value, …]` or `{from: FILE}`")
        return None
    return list(value)


def _check(condition: Map, axes: dict[str, list[Any]], problems: Problems) -> None:
    """Whether every name of a condition is an axis, or a column of one."""
    for name, wanted in condition.items():
        axis, _, column = name.partition(".")
        if axis in axes and not column and not any(isinstance(value, dict) for value in axes[axis]):
            for each in wanted if isinstance(wanted, list) else [wanted]:
                if not any(matches(value, each) for value in axes[axis]):
                    known = [words(value) for value in axes[axis] if not isinstance(value, list) and value is not None]
                    some = ", ".join(f"`{value}`" for value in known[:12])
                    text = f"the axis `{axis}` has no `{words(each)}` to exclude{problems.near(words(each), known)}"
                    problems.on(condition, name, text, f"it has {some}")
        if axis not in axes:
            near = problems.near(axis, axes)
            problems.on(
                condition, name, f"the matrix has no axis `{axis}`{near}", "it has " + ", ".join(f"`{a}`" for a in axes), on="key"
            )
        elif any(isinstance(value, dict) for value in axes[axis]):
            columns = {key: None for value in axes[axis] if isinstance(value, dict) for key in value}
            if column not in columns:
                some = ", ".join(f"`{axis}.{each}`" for each in list(columns)[:12])
                problems.on(condition, name, f"`{name}` names no column of the axis `{axis}`", f"write one of {some}", on="key")


def _excluded(row: Row, condition: Map) -> bool:
    for name, wanted in condition.items():
        axis, _, column = name.partition(".")
        value = row[axis]
        cell = value.get(column) if isinstance(value, dict) else value
        if not matches(cell, wanted):
            return False
    return True


def labels(row: Row) -> dict[str, str]:
    """A row as text, for selection: `locale` → "ja", and `s.sku` for the plain cells of a table's row."""
    found: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            for column, cell in value.items():
                if cell is not None and not isinstance(cell, (dict, list)):
                    found[f"{name}.{column}"] = words(cell)
        elif value is not None and not isinstance(value, list):
            found[name] = words(value)
    return found
