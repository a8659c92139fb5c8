"""The names that texts may use: vars, in the order they need each other. Knows vars and tables; it does not know assets."""

from __future__ import annotations

from typing import Any

from .cells import Empty, at, place
from .gaps import ALL
from .interpolate import BROKEN, RESERVED, Scope, Vague, empties, no_words, render, render_all
from .marks import Map, Mark
from .problems import Problems
from .scalars import Value
from .tables import Tables
from .templates import Bad, Quiet, names_in


def resolve(vars: Map, outer: Scope, tables: Tables) -> dict[str, Any]:
    """The vars of one mapping with all their texts put in; they may use each other and what `outer` has. A var with a problem is
    left as written."""
    problems = tables.problems
    gaps = problems.gaps.of(vars)
    done: dict[str, Any] = dict.fromkeys(gaps - {ALL} - vars.keys(), BROKEN)
    if ALL in gaps:
        outer = (*outer, Vague())
    for first in vars:
        if first in RESERVED:
            problems.on(vars, first, f"a var can't be called `{first}`: it is a built-in name", "choose another name", on="key")
        if first in done:
            continue
        way: dict[str, Any] = {first: iter(names_in(vars[first]))}  # an explicit stack: vars may form long chains
        while way:
            name = next(reversed(way))
            needed = next((n for n in way[name] if n in vars and n not in done), None)
            if needed is None:
                done[name] = _value(vars, name, (done, *outer), tables)
                del way[name]
            elif needed in way:
                names = list(way)
                loop = [*names[names.index(needed) :], needed]
                problems.on(
                    vars,
                    needed,
                    "vars run in a circle: " + " → ".join(f"`{n}`" for n in loop),
                    "let one of them stand for itself",
                    on="key",
                )
                done[name] = BROKEN
                del way[name]
            else:
                way[needed] = iter(names_in(vars[needed]))
    return Vague(done) if ALL in gaps else done


def tell(problems: Problems, inside: Value, key: Value, e: Bad, asset: str = "") -> None:
    """Says which `${…}` of an entry can't be put in; for which `asset`, if that isn't written there."""
    tell_at(problems, inside.mark(key) if isinstance(inside, Map) else inside.at[key], e, asset)


def tell_at(problems: Problems, mark: Mark, e: Bad, asset: str = "") -> None:
    """Says which `${…}` of the text at a mark can't be put in, each at its place; for which `asset`, if that isn't written there."""
    for each in (e, *e.more):
        if isinstance(each, Quiet):
            continue
        near = problems.near(each.name, each.known) if each.name else ""
        of = f" for `{asset}`" if asset and each.name else ""
        point, length = problems.needle(mark, each.needle, each.before), len(each.needle)
        where = None if each.record is None else place(each.record, problems.texts)
        if where is None:
            problems.at(point, each.text + of + near, each.hint, length=length, kind=each.text + near)
        else:
            problems.at(point, f"{each.text} in {at(where)}", each.hint, length=length, kind=each.text, rows=(where,))


def rendered(value: Value, scope: Scope, problems: Problems) -> tuple[Value, bool]:
    """A value with all its texts put in, and whether all of them could be; the others are told."""
    failed: list[Bad] = []

    def hear(inside: Value, key: Value, e: Bad) -> None:
        failed.append(e)
        tell(problems, inside, key, e)

    return render_all(value, scope, hear), not failed


def filled(value: Value, problems: Problems) -> bool:
    """Whether no cell in a value is empty; those that are, are told."""
    found = empties(value)
    for inside, key, cell in found:
        tell(problems, inside, key, no_words(cell))
    return not found


def _value(vars: Map, name: str, scope: Scope, tables: Tables) -> Value:
    value = vars[name]
    if isinstance(value, str):
        if "${" in value:
            try:
                value = render(value, scope)
            except Bad as e:
                tell(tables.problems, vars, name, e)
                return BROKEN
        if value.__class__ is Empty:
            return value  # told where it is used
        return value.rstrip("\n") if isinstance(value, str) else value  # a block's last line break isn't part of it
    value, good = rendered(value, scope, tables.problems)
    if not good:
        return BROKEN
    if isinstance(value, Map) and "from" in value:
        if not filled(value, tables.problems):
            return BROKEN
        found = tables.table(value)
        return BROKEN if found is None else found
    return value
