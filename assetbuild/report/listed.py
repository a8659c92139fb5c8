"""`list` as lines: one asset each, or one picture each that belongs to no asset any more. Knows no store and no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .flow import name_column, row
from .ink import Ink
from .measures import cut, pad, width
from .shown import Record, kept_word, lies_word, state_style, state_word


def orphan_lines(rows: Sequence[Record], ink: Ink, columns: int) -> Iterator[str]:
    """The pictures that belong to no asset any more, a line each. `columns` 0: no terminal, nothing is wrapped."""
    names = [f"{one['id'].rstrip('#')}#{one['member']}" if one["member"] else one["id"] or "(no id)" for one in rows]
    column = name_column(names, columns)
    for name, one in zip(names, rows, strict=True):
        facts = f"({lies_word(one['locked'], one['found'])}, {kept_word(one['in_store'])})"
        yield from row(name, column, [("", one["path"]), ("dim", facts)], ink, columns)


def list_lines(rows: Sequence[tuple[str, str, str, str]], ink: Ink, columns: int) -> Iterator[str]:
    """`list`: id, state, place and tags of each asset. `columns` 0: no terminal, so that nothing is cut or wrapped."""
    column = name_column((name for name, *_ in rows), columns)
    second = max((len(state_word(state)) for _, state, _, _ in rows), default=0)
    left = columns - column - second - 4
    third = max((width(where) for _, _, where, tags in rows if tags), default=0)
    third = min(third, max(20, left * 2 // 3) if columns else 40)
    for name, state, where, tags in rows:
        place = cut(where, max(20, left)) if columns else where
        room = left - max(third, width(place)) - 2
        shown = cut(tags, room) if columns and room > 3 else "" if columns else tags  # noqa: PLR2004 - room for a word
        head = ink("bold", name) + " " * (column - width(name))
        if width(name) > column and columns:
            yield ink("bold", name)
            head = " " * column
        text = f"{head}  {ink(state_style(state), pad(state_word(state), second))}  "
        yield (text + (f"{pad(place, third)}  {ink('dim', shown)}" if shown else place)).rstrip()
