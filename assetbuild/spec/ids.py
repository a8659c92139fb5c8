"""Whose fault an id is: which cell spoils it, which two rows share it, and what to do. Knows keys, rows and the rules of ids; it does
not know what stands under them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .cells import Record, at, listed, place
from .interpolate import Scope, lookup, words
from .outputs import ID_HINT, fold, id_fault
from .templates import Bad, Ref, template

LONG = 40  # characters of a cell that is shown whole

Combination = Mapping[str, Any]


def spoiled(key: str, fault: str, scope: Scope, texts: Mapping[str, str]) -> tuple[str, str, bool]:
    """What is wrong with an id that a key came to, the way out, and whether a row is named: the one whose cell spoils it."""
    for ref in _refs(key):
        try:
            text = words(lookup(ref, scope), ref)
        except Bad:
            continue
        if id_fault(f"x{text}x") is None or len(text) > LONG:
            continue
        name = ref.source[2:-1]
        where = place(_row_of(ref, scope), texts)
        said = f"{fault}: `{name}` is `{text}`" + (f" in {at(where)}" if where is not None else "")
        other = "change the cell, or let the id name another column" if where is not None else "change it"
        return said, f"{other}; {ID_HINT}", where is not None
    names = {name for each in scope for name in each}
    for found in re.finditer(r"\$?\{(\w+)\}|\$(\w+)|%(\w+)%|<(\w+)>", key):
        name = next(each for each in found.groups() if each)
        if name in names and not found[0].startswith("${"):
            return fault, f"a name is put in as `${{{name}}}`: `{key.replace(found[0], f'${{{name}}}')}`", False
    return fault, ID_HINT, False


def twice(key: str, id: str, row: Combination, first: Combination, texts: Mapping[str, str]) -> tuple[str, str]:
    """Why two combinations of one matrix have one id, and the way out."""
    refs = list(_refs(key))
    named = {ref.name for ref in refs}
    text = f"two rows of this matrix are called `{id}`"
    tables = [name for name in row if isinstance(row[name], Record) and row[name] is not first.get(name)]
    both = [(at_row,) for each in (first, row) for name in tables[:1] if (at_row := place(each[name], texts)) is not None]
    if both:
        text += f": {listed(both)}"
    for name in row:
        if name == "id" or name in named or (row[name] == first.get(name) and name not in tables):
            continue
        column = _column(row[name], first[name], "") if isinstance(row[name], dict) else ""
        return text, f"let the id name `{name}` too: `{key}-${{{name}{column and '.' + column}}}`"
    for name in tables:
        used = [ref.steps[0] for ref in refs if ref.name == name and len(ref.steps) == 1 and isinstance(ref.steps[0], str)]
        if row[name] == first[name]:
            return text, "both hold the same: take one of them out"
        other = _column(row[name], first[name], *used)
        also = f", or let the id name what differs: `{key}-${{{name}.{other}}}`" if other else ""
        if used:
            cells = " and ".join(f"`{each}`" for each in used)
            same = "the same" if all(row[name].get(each) == first[name].get(each) for each in used) else "nearly the same"
            return text, f"{same} {cells} stands in both rows: change one{also}"
        return text, "let the id name every axis that differs"
    axes = [name for name in row if name != "id" and not isinstance(row[name], dict)]
    if len(axes) == 1:
        return f"{text}: the axis `{axes[0]}` has `{words(row[axes[0]])}` twice", "take one of them out"
    return text, "an axis has one value twice: take one of them out"


def _refs(key: str) -> Iterator[Ref]:
    try:
        yield from (part for part in template(key) if isinstance(part, Ref))
    except Bad:
        return


def _row_of(ref: Ref, scope: Scope) -> object:
    """The row of a table that a reference looks into."""
    for count in range(len(ref.steps)):
        try:
            found = lookup(ref._replace(steps=ref.steps[:count]), scope)
        except Bad:
            return None
        if isinstance(found, Record):
            return found
    return None


def _column(row: Mapping[str, Any], first: Mapping[str, Any], *but: str) -> str:
    """A column in which two rows differ and that an id can hold, "" when there is none."""
    fits = [
        str(name)
        for name, cell in row.items()
        if name not in but and isinstance(cell, (str, int)) and isinstance(first.get(name), (str, int))
    ]
    for name in fits:
        mine, other = words(row[name]), words(first[name])
        if mine and other and fold(mine) != fold(other) and id_fault(mine) is None and id_fault(other) is None:
            return name
    return ""
