"""Rows from a user's file: CSV, JSON, YAML, or the front matter of Markdown files. Knows those formats; it does not know what the
rows are for.

Cells of a CSV are text. Nothing in a row is ever interpolated.
"""

from __future__ import annotations

import posixpath
from typing import Any

from ..errors import Place
from .interpolate import words
from .marks import DEPTH, Map, Mark
from .problems import Problems
from .scalars import Value
from .sources import Files, joined, matching
from .traps import read_yaml

Rows = list[Any]


class Tables:
    """The tables of one run, each read once."""

    def __init__(self, files: Files) -> None:
        self.files, self.problems = files, files.problems
        self._read: dict[str, Any] = {}

    def rows(self, source: Map, folder: str) -> Rows | None:
        """The rows that `{from, where, defaults}` names, in the order of the file; None after a problem."""
        mark, path = source.mark("from"), joined(folder, words(source["from"]))
        found: Value = self._pattern(path, mark) if any(c in path for c in "*?[") else self._file(path, mark)
        if found is None:
            return None
        if not isinstance(found, list):
            self.problems.at(mark, f"`{path}` holds no list of rows", "a table is a list of mappings, or of texts")
            return None
        defaults, where = source.get("defaults"), source.get("where")
        if isinstance(defaults, dict):
            found = [_filled(row, defaults) if isinstance(row, dict) else row for row in found]
        if isinstance(where, Map):
            columns = {name: None for row in found if isinstance(row, dict) for name in row}
            for name in where:
                if name not in columns and found:
                    near = self.problems.near(name, columns)
                    some = ", ".join(f"`{each}`" for each in list(columns)[:12])
                    self.problems.on(where, name, f"`{path}` has no column `{name}`{near}", f"it has {some}", on="key")
                    return None
            kept = [row for row in found if isinstance(row, dict)]
            found = [row for row in kept if all(matches(row.get(name), wanted) for name, wanted in where.items())]
        return list(found)

    def table(self, source: Map, folder: str) -> Value:
        """What a var `{from, key}` names: rows by their key, or without a key what the file holds; None after a problem."""
        key = source.get("key")
        mark, path = source.mark("from"), joined(folder, words(source["from"]))
        if key is None and not (source.keys() & {"where", "defaults"}) and not any(c in path for c in "*?["):
            return self._file(path, mark)
        rows = self.rows(source, folder)
        if rows is None or key is None:
            return rows
        found: dict[str, Any] = {}
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict) or row.get(str(key)) in (None, ""):
                columns = [name for name in row if name != str(key)] if isinstance(row, dict) else []
                near = self.problems.near(str(key), columns)
                self.problems.on(
                    source, "key", f"row {number} of `{path}` has no `{key}`{near}", "each row needs its own", kind="key"
                )
                return None
            name = words(row[str(key)])
            if name in found:
                self.problems.on(source, "key", f"`{name}` stands twice under `{key}` in `{path}`", "a key names one row")
                return None
            found[name] = row
        return found

    def _file(self, path: str, mark: Mark) -> Value:
        if path not in self._read:
            self._read[path] = self._parse(path, mark)
        elif self._read[path] is None:
            self.files.text(path, mark, "table")
        return self._read[path]

    def _parse(self, path: str, mark: Mark) -> Value:
        ending = posixpath.splitext(path)[1].lower()
        if ending not in (".csv", ".tsv", ".json", ".yaml", ".yml", ".md", ".markdown"):
            self.problems.at(
                mark, f"`{path}` is no table", "a table is a .csv, .tsv, .json or .yaml file, or .md files with front matter"
            )
            return None
        text = self.files.text(path, mark, "table")
        if text is None:
            return None
        if ending in (".csv", ".tsv"):
            return csv_rows(path, text, self.problems)
        if ending == ".json":
            return json_value(path, text, self.problems)
        if ending in (".md", ".markdown"):
            row = front_matter(path, text, self.problems)
            return None if row is None else [row]
        parsed = read_yaml(text, path, self.problems, spec=False)
        return None if parsed is None else parsed.value

    def _pattern(self, pattern: str, mark: Mark) -> Rows | None:
        """One row per file: its front matter, and where it is."""
        names = matching(pattern, self.files, mark)
        if names is None:
            return None
        if not names:
            self.problems.at(mark, f"no file matches `{pattern}`", "a path is relative to the file it is written in")
            return None
        rows: Rows = []
        complete = True
        for name in names:
            if posixpath.splitext(name)[1].lower() not in (".md", ".markdown"):
                self.problems.at(
                    mark, f"a pattern takes the front matter of Markdown files; `{name}` is none", "end the pattern with `*.md`"
                )
                return None
            text = self.files.text(name, mark, "file")
            row = None if text is None else front_matter(name, text, self.problems)
            complete = complete and row is not None
            rows.append(row)
        return rows if complete else None


def matches(cell: Value, wanted: Value) -> bool:
    """Whether a cell is the wanted value, or one of a list of them; compared as text."""
    if isinstance(cell, (list, dict)):
        return False
    text = "" if cell is None else words(cell)
    return any(text == words(each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def _filled(row: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """A row with its missing and empty cells from the defaults."""
    filled = dict(row)
    for name, value in defaults.items():
        if filled.get(name) in (None, ""):
            filled[name] = value
    return filled


def csv_rows(path: str, text: str, problems: Problems) -> Rows | None:
    """The rows of a CSV with a header; comma, semicolon or tab, seen from the header."""
    import csv

    start = 0
    while text[start : start + 1] in ("\n", "\r"):
        start += 1
    header = text[start:].split("\n", 1)[0]
    outside = "".join(header.split('"')[::2])
    delimiter = max(",;\t", key=lambda each: (outside.count(each), each == ","))
    reader = csv.reader(text[start:].replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True), delimiter=delimiter)
    rows: Rows = []
    try:
        names = [name.strip() for name in next(reader, [])]
        if not names:
            problems.add(Place(path), f"`{path}` has no header", "its first line names the columns")
            return None
        for number, name in enumerate(names):
            if not name or name in names[:number]:
                what = f"has two columns `{name}`" if name else f"has no name for column {number + 1}"
                problems.add(
                    Place(path, 1, 1, len(header.rstrip("\r"))), f"the header of `{path}` {what}", "name each column once"
                )
                return None
        width = len(names)
        for cells in reader:
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                continue
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                line = reader.line_num
                problems.add(
                    Place(path, line, 1, len(problems.line(path, line) or " ")),
                    f"this row has {len(cells)} cells, the header {width}",
                    f"put a cell that holds `{delimiter if delimiter != chr(9) else 'a tab'}` in double quotes",
                )
                return None
            rows.append(dict(zip(names, cells + [""] * (width - len(cells)), strict=False)))
    except csv.Error as e:
        problems.add(Place(path, reader.line_num, 1), f"`{path}` is no CSV: {e}", "look for a quote that is never closed")
        return None
    return rows


def json_value(path: str, text: str, problems: Problems) -> Value:
    """What a JSON file holds."""
    import json

    try:
        value = json.loads(text, parse_constant=_refuse)
        if depth(value) > DEPTH:
            raise RecursionError
        return value
    except json.JSONDecodeError as e:
        problems.add(Place(path, e.lineno, e.colno), f"`{path}` is no JSON here", "look for a missing comma, quote or bracket")
    except RecursionError:
        problems.add(Place(path), f"`{path}` is nested too deep", "a table is a list of rows")
    except ValueError:
        problems.add(Place(path), f"`{path}` holds a number that JSON doesn't have", "write it as a text")
    return None


def depth(value: Value) -> int:
    """How many levels of lists and mappings a value has; 0 for a scalar."""
    found, level = 0, [value] if isinstance(value, (dict, list)) else []
    while level:
        found += 1
        level = [c for each in level for c in (each.values() if isinstance(each, dict) else each) if isinstance(c, (dict, list))]
    return found


def _refuse(word: str) -> None:
    raise ValueError(word)


def front_matter(path: str, text: str, problems: Problems) -> dict[str, Any] | None:
    """The mapping between the first two `---` lines of a Markdown file (none is an empty one), with `stem` and `dir` of the
    file."""
    row: dict[str, Any] = {}
    first = text.split("\n", 1)[0].rstrip()
    if first == "---":
        end = start = text.find("\n")
        while end >= 0 and text[end + 1 :].split("\n", 1)[0].rstrip() != "---":
            end = text.find("\n", end + 1)
        if end < 0 or start < 0:
            problems.add(Place(path, 1, 1, 3), f"the front matter of `{path}` is never closed", "end it with a line `---`")
            return None
        parsed = read_yaml(text[: end + 1], path, problems, spec=False)
        if parsed is None:
            return None
        if isinstance(parsed.value, dict):
            row.update(parsed.value)
        elif parsed.value is not None:
            problems.add(Place(path, 2, 1), f"the front matter of `{path}` is no mapping", "write `name: value` lines")
            return None
    folder, name = posixpath.split(path)
    return row | {"stem": posixpath.splitext(name)[0], "dir": folder or "."}
