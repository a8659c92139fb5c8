"""The rows of a user's table, each with the place it stands in; and the empty cell, which no text may hold unnoticed. Knows files
and lines; it does not know what a row is for, or how a table is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import Place
from .marks import Map

SHOWN = 4  # places of rows in one sentence


class Sheet(NamedTuple):
    """What the rows of one table share: every column that any of them has, those that have a default, be it an empty one; and of a CSV
    how many its header names, and what separates the cells."""

    columns: Mapping[str, None]
    spared: frozenset[str] = frozenset()
    header: int = 0
    separator: str = ""


class Record(dict[str, Any]):
    """A row of a table: its cells by column. It begins in `line` of `file`, counted from 1; below 0 it is that item of a JSON list,
    the first being -1. `width` is the number of cells that a CSV has there."""

    __slots__ = ("file", "line", "sheet", "width")
    file: str
    line: int
    sheet: Sheet
    width: int

    def over(self, cells: Mapping[str, Any], sheet: Sheet) -> Record:
        """The same row with further cells."""
        return record({**self, **cells}, self.file, self.line, sheet, self.width)


class Empty(str):
    """The text of a cell that holds nothing. It can stand for a whole field that may be left out, but not inside a text."""

    __slots__ = ("column", "record", "source")
    record: Record
    column: str
    source: str


def record(cells: Mapping[str, Any], file: str, line: int, sheet: Sheet, width: int = 0) -> Record:
    """A row that begins in a line of a file."""
    made = Record(cells)
    made.file, made.line, made.sheet, made.width = file, line, sheet, width
    return made


def blank(cell: object) -> bool:
    """Whether a cell holds nothing."""
    return cell is None or (isinstance(cell, str) and (not cell or cell.isspace()))


def empty(inside: Record, column: str, source: str) -> Empty:
    """The empty cell of a row; `source` is how the spec names it, with `${` and `}`."""
    made = Empty()
    made.record, made.column, made.source = inside, column, source
    return made


def place(row: object, texts: Mapping[str, str]) -> Place | None:
    """Where a row begins, None for what is no row; `texts` are the files that were read."""
    if isinstance(row, Record):
        if row.line >= 0:
            return Place(row.file, row.line)
        lines = _json_lines(texts.get(row.file, ""))
        return Place(row.file, lines[-row.line - 1] if -row.line <= len(lines) else 0)
    if isinstance(row, Map) and row.at:
        return Place(row.at[0].name, row.at[0].line + 1)
    return None


def origin(row: Mapping[str, Any], texts: Mapping[str, str]) -> tuple[Place, ...]:
    """Where the rows of tables stand that one combination of a matrix is made from; () when it is made from lists."""
    found = [place(each, texts) for each in row.values() if isinstance(each, dict)]
    return tuple(each for each in found if each is not None)


def listed(places: Iterable[Sequence[Place]]) -> str:
    """`data/works.csv:3, 5 and 9`; a combination of several tables' rows is `a.csv:3 with b.csv:2`."""
    known = list(places)
    words: list[str] = []
    before = ""
    for each in known[:SHOWN]:
        alone = len(each) == 1 and each[0].file == before and each[0].line
        words.append(str(each[0].line) if alone else " with ".join(map(at, each)))
        before = each[0].file if len(each) == 1 else ""
    if len(known) > SHOWN:
        words.append(f"{len(known) - SHOWN} more")
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def at(where: Place) -> str:
    """`data/works.csv:3`."""
    return f"{where.file}:{where.line}" if where.line else where.file


@lru_cache(maxsize=4)
def _json_lines(text: str) -> list[int]:
    """The line in which each item of a JSON list begins."""
    import json

    decode = json.JSONDecoder().raw_decode
    found: list[int] = []
    index, line, before = text.find("[") + 1, 1, 0
    try:
        while True:
            index = _solid(text, index)
            _, end = decode(text, index)
            line, before = line + text.count("\n", before, index), index
            found.append(line)
            index = _solid(text, end) + 1  # the comma
    except ValueError:
        return found


def _solid(text: str, index: int) -> int:
    """The index of the next sign that is no white space."""
    found = re.compile(r"\S").search(text, index)
    return len(text) if found is None else found.start()
