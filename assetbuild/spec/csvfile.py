"""The rows of a CSV with a header: comma, semicolon or tab, seen from the header or named by Excel's `sep=;`. Knows how people and
spreadsheets spoil such files; it does not know what the rows are for.

Cells are text. Every mistake of a file is told in one run, at its own line.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..errors import Place
from .cells import Record, Sheet, record
from .problems import Problems

SHOWN = 3  # columns in one sentence
SHORT = 60  # characters of a cell that is shown whole
_NAMED = re.compile(r'"?sep=(.)"?[;,\t ]*', re.IGNORECASE)  # Excel's own first line


class Quote(NamedTuple):
    """A quote that isn't right: where it opens and, if it closes with text behind it, where it closes. Indices of a text."""

    opens: int
    closes: int


def csv_rows(path: str, text: str, problems: Problems) -> list[Record] | None:
    """The rows of a CSV's text; None after a problem. A row that is too short lacks the columns at its end, see `whole`."""
    import csv

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    start, separator = _beginning(text)
    before = text.count("\n", 0, start)  # lines in front of the header
    separator = separator or _separator(text[start:].split("\n", 1)[0])
    rows: list[Record] = []
    reader = csv.reader([each + "\n" for each in text[start:].split("\n")], delimiter=separator, strict=True)
    line = before + 1  # of the row that is read next
    good = True
    try:
        names = [name.strip() for name in next(reader, [])]
        if not _header(path, names, line, problems):
            return None
        width, sheet = len(names), Sheet(dict.fromkeys(names), header=len(names), separator=separator)
        line = before + reader.line_num + 1
        long: Place | None = None
        for cells in reader:
            if any(cells) and any(map(str.strip, cells)):
                rows.append(record(dict(zip(names, cells, strict=False)), path, line, sheet, len(cells)))
                if len(cells) > width and any(map(str.strip, cells[width:])):
                    long = long or _row(path, line, problems)
                    _uneven(rows[-1], long, problems)
                    good = False
            line = before + reader.line_num + 1
    except csv.Error:
        _bad_quote(path, text, line, separator, problems)
        good = False
    return rows if good else None


def whole(rows: list[Any], problems: Problems) -> bool:
    """Whether each row of a CSV has a cell, or a default, for each column; each that has not is told."""
    short: Place | None = None
    for row in rows:
        if row.__class__ is Record and row.sheet.separator and len(row) < len(row.sheet.columns):
            short = short or _row(row.file, row.line, problems)
            _uneven(row, short, problems)
    return short is None


def _row(path: str, line: int, problems: Problems) -> Place:
    """A whole row as a place."""
    return Place(path, line, 1, len(problems.line(path, line) or " "))


def _beginning(text: str) -> tuple[int, str]:
    """Where the header begins, and the separator that a line before it names."""
    start = len(text) - len(text.lstrip("\n"))
    end = text.find("\n", start)
    named = _NAMED.fullmatch(text[start : end if end >= 0 else len(text)])
    return (start, "") if named is None else (end + 1 if end >= 0 else len(text), named[1])


def _separator(header: str) -> str:
    outside = "".join(header.split('"')[::2])
    if not any(each in outside for each in ",;\t"):
        return ","
    return max(";\t,", key=outside.count)  # a comma may well be part of a name


def _header(path: str, names: list[str], line: int, problems: Problems) -> bool:
    """Whether each column has a name of its own."""
    if not names:
        problems.add(Place(path), f"`{path}` has no header", "its first line names the columns")
    for number, name in enumerate(names):
        if not name or name in names[:number]:
            what = f"has two columns `{name}`" if name else f"has no name for column {number + 1}"
            hint = "name each column once" if name else "name it, or delete that column; nothing may stand above the header"
            problems.add(_row(path, line, problems), f"the header of `{path}` {what}", hint)
            return False
    if len(names) == 1 and "|" in names[0]:
        hint = "put a line `sep=|` above the header: else it is a comma, a semicolon or a tab"
        problems.add(_row(path, line, problems), f"`|` doesn't separate the columns of `{path}`", hint)
        return False
    return bool(names)


def _uneven(row: Record, first: Place, problems: Problems) -> None:
    """Tells of a row that has not as many cells as the header, beside the first such row of its table."""
    columns, count = list(row.sheet.columns), row.width
    text = f"this row has {count} cell{'s' * (count != 1)}, the header {row.sheet.header}"
    lines = sum(cell.count("\n") for cell in row.values() if isinstance(cell, str))
    sign = "a tab" if row.sheet.separator == "\t" else f"`{row.sheet.separator}`"
    lacking = [name for name in columns if name not in row]
    if lines:
        hint = f"a quote in it closes only in line {row.line + lines}: close it where its cell ends"
    elif count > row.sheet.header:
        hint = f"put a cell that holds {sign} in double quotes"
    else:
        some = ", ".join(f"`{name}`" for name in lacking[:SHOWN])
        some += f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        hint = f"it lacks {some}: write {sign} before each, also where the cell is empty, or give the axis `defaults` for it"
    problems.add(first, text, hint, kind=f"cells {count > row.sheet.header}", rows=(Place(row.file, row.line),))


def _bad_quote(path: str, text: str, line: int, separator: str, problems: Problems) -> None:
    """A quote that is never closed, or that closes before its cell ends, in the row that begins in a line."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    quote = _quote(text, start, separator)
    if quote is None:
        problems.add(Place(path, line, 1), f"`{path}` can't be read from here on", "look for a cell without end")
        return
    first = text.rfind("\n", 0, quote.opens) + 1
    place = Place(path, text.count("\n", 0, quote.opens) + 1, quote.opens - first + 1, 1)
    if quote.closes < 0 or "\n" in text[quote.opens : quote.closes]:
        problems.add(
            place, "the quote that opens here is never closed", 'close it, or write `""` for a quote that belongs to the text'
        )
        return
    end = min(each for each in (text.find("\n", quote.closes), len(text)) if each >= 0)
    stop = text.find(separator, quote.closes, end)
    shown = place._replace(length=(stop if stop >= 0 else end) - quote.opens)
    inner = text[quote.opens : stop if stop >= 0 else end].rstrip()
    hint = "double each quote that belongs to the text, and quote the whole cell"
    if "\n" not in inner and len(inner) <= SHORT:
        doubled = inner.replace('"', '""')
        hint += f': `"{doubled}"`'
    problems.add(shown, "the text goes on after its closing quote", hint)


def _quote(text: str, start: int, separator: str) -> Quote | None:
    """The first quote from a row's start on that is wrong."""
    at, begins = start, True  # begins: a cell does
    while at < len(text):
        if not begins or text[at] != '"':
            if text[at] == "\n":
                return None
            begins = text[at] == separator
            at += 1
            continue
        opens = at
        close = text.find('"', at + 1)
        while close >= 0 and text[close + 1 : close + 2] == '"':
            close = text.find('"', close + 2)
        if close < 0:
            return Quote(opens, -1)
        if text[close + 1 : close + 2] not in (separator, "\n", ""):
            return Quote(opens, close)
        at, begins = close + 1, False
    return None
