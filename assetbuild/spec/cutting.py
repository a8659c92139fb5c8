"""What `cut:` says: how many cells a sheet has, what they are called and what is taken off them. Knows one value whose form the schema has seen; no asset, no
picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from .interpolate import words
from .outputs import fold, id_fault
from .scalars import Value
from .sources import plain_text

HALF = 0.5  # of a cell: with a margin this wide nothing is left
PARTS = ("margin", "trim")
MEMBER_HINT = "a name has letters and digits of any script, `.`, `_`, `-` and `@`"
Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """One mistake: where in the value, one sentence without a full stop, the way out."""

    path: Path
    text: str
    hint: str


class Cut(TypedDict):
    """A sound `cut:`. `names` are those of the cells in reading order, as many as are kept; `margin` and `trim` are fractions, None: not said."""

    columns: int
    rows: int
    names: tuple[str, ...]
    margin: float | None
    trim: float | None


def faults(value: Mapping[str, Value]) -> list[Fault]:
    """Every mistake of a `cut:` as YAML gives it, in the order of the file."""
    found: list[Fault] = []
    for key in value:
        if key == "names" and value[key] is not None:
            found += _name_faults(_names(value), _cells(value), value)
        elif key in PARTS and value[key] is not None:
            found += _part_faults(key, value[key])
    return found


def normal(value: Mapping[str, Value]) -> Cut:
    """A `cut:` without faults as plain values."""
    columns, rows = _whole(value["columns"]), _whole(value["rows"])
    names = tuple(_names(value)) or tuple(str(number) for number in range(1, columns * rows + 1))
    margin, trim = (None if value.get(part) is None else fraction(value[part]) for part in PARTS)
    return Cut(columns=columns, rows=rows, names=names, margin=margin, trim=trim)


def fraction(value: Value) -> float | None:
    """`3%` or `3 %` or 0.03 as 0.03; None for what is neither."""
    text = str(value).strip()
    percent = text.endswith("%")
    try:
        number = float(text[:-1].strip() if percent else text)
    except ValueError:
        return None
    found = number / 100 if percent else number
    return found if 0 <= found < float("inf") else None


def _cells(value: Mapping[str, Value]) -> int | None:
    """How many cells there are, if that can be known."""
    try:
        return _whole(value["columns"]) * _whole(value["rows"])
    except (KeyError, ValueError):
        return None


def _whole(value: Value) -> int:
    return int(float(str(value)))  # 4.0 is a whole number too


def _names(value: Mapping[str, Value]) -> list[str]:
    names = value.get("names")
    return [] if names is None else [plain_text(words(name)).strip() for name in (names if isinstance(names, list) else [names])]


def _name_faults(names: list[str], cells: int | None, value: Mapping[str, Value]) -> list[Fault]:
    found: list[Fault] = []
    seen: dict[str, str] = {}
    for place, name in enumerate(names):
        path: Path = ("names", place)
        fault = id_fault(name) or (f"the name `{name}` holds a `/`" if "/" in name else None)
        if fault is not None:
            text = fault.replace("the id", "the name").replace("an id", "a name")
            found.append(Fault(path, text, MEMBER_HINT))
            continue
        same = seen.get(fold(name))
        if same is not None:
            hint = "take one of them out, or call it otherwise"
            if same != name:
                hint = "call one of them otherwise; upper and lower case make no difference"
            found.append(Fault(path, f"two cells are called `{name}`", hint))
        seen.setdefault(fold(name), name)
    if cells is not None and len(names) > cells:
        text = f"{len(names)} names for {cells} {'cell' if cells == 1 else 'cells'} ({value['columns']} columns, {value['rows']} rows)"
        found.append(Fault(("names", cells), text, "take names out, or give the sheet more `columns` or `rows`"))
    return found


def _part_faults(key: str, value: Value) -> list[Fault]:
    part = fraction(value)
    if part is None:
        return [Fault((key,), f"`{key}` is a part of {_of(key)}; `{value}` is none", f"write it like `{key}: 3%`")]
    if key == "margin" and part >= HALF:
        text = f"a margin of {_shown(part)} on each side leaves nothing of a cell"
        hint = (
            f"`{key}: {value}%` is a part of a hundred"
            if part >= 1 and "%" not in str(value)
            else "write less than 50%, like `margin: 3%`"
        )
        return [Fault((key,), text, hint)]
    if key == "trim" and part > 1:
        hint = f"`{key}: {value}%` is a part of a hundred" if "%" not in str(value) else "write at most 100%, like `trim: 8%`"
        return [Fault((key,), f"a margin of {_shown(part)} is wider than the object itself", hint)]
    return []


def _of(key: str) -> str:
    return "the cell" if key == "margin" else "the object's longer side"


def _shown(part: float) -> str:
    return f"{part * 100:g}%"
