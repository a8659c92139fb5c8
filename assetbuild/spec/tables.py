"""Rows from a user's file: CSV, JSON, YAML, or the front matter of Markdown files. Knows those formats; it does not know what the
rows are for.

Each row knows where it stands. Nothing in a row is ever interpolated.
"""

from __future__ import annotations

import posixpath
from typing import Any

from ..errors import Place
from .cells import Record, Sheet, at, blank, listed, place, record
from .csvfile import csv_rows, whole
from .interpolate import words
from .marks import DEPTH, Map, Mark, Seq
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

    def rows(self, source: Map) -> Rows | None:
        """The rows that `{from, where, defaults}` names, in the order of the file; None after a problem."""
        mark, path = _named(source)
        found: Value = self._pattern(path, mark) if any(c in path for c in "*?[") else self._file(path, mark)
        if found is None:
            return None
        if not isinstance(found, list):
            hint = "a table is a list of mappings, or of texts"
            held = next((name for name, each in found.items() if isinstance(each, list)), "") if isinstance(found, dict) else ""
            if held:
                hint = f'its rows stand under `{held}`: write `vars: {{table: {{from: {source["from"]}}}}}`, then `"${{table.{held}}}"` here'
            self.problems.at(mark, f"`{path}` holds no list of rows", hint)
            return None
        defaults, where = source.get("defaults"), source.get("where")
        if isinstance(defaults, dict):
            found = _filled(found, defaults)
        if not whole(found, self.problems):
            return None
        if isinstance(where, Map):
            columns = columns_of(found)
            for name in where:
                if name not in columns and found:
                    near = self.problems.near(name, columns)
                    some = ", ".join(f"`{each}`" for each in list(columns)[:12])
                    self.problems.on(where, name, f"`{path}` has no column `{name}`{near}", f"it has {some}", on="key")
                    return None
            kept = [row for row in found if isinstance(row, dict)]
            found = [row for row in kept if all(matches(row.get(name), wanted) for name, wanted in where.items())]
            if kept and not found:
                self._none(kept, where, path)
                return None
        return list(found)

    def _none(self, rows: list[dict[str, Any]], where: Map, path: str) -> None:
        """Says which condition no row meets."""
        for name, wanted in where.items():
            cells = {words(row[name]): None for row in rows if not isinstance(row.get(name), (list, dict, type(None)))}
            if any(matches(cell, wanted) for cell in cells):
                continue
            asked = [words(each) for each in (wanted if isinstance(wanted, list) else [wanted])]
            some = ", ".join(f"`{each}`" for each in list(cells)[:8] if each)
            text = f"no row of `{path}` has {' or '.join(f'`{each}`' for each in asked[:4])} as `{name}`"
            self.problems.on(where, name, text + self.problems.near(asked[0], cells), f"it is {some}" if some else "it is empty")
            return
        name = next(iter(where))
        self.problems.on(where, name, f"no row of `{path}` fits all of `where`", "take one of the conditions out", on="key")

    def table(self, source: Map) -> Value:
        """What a var `{from, key}` names: rows by their key, or without a key what the file holds; None after a problem."""
        key = source.get("key")
        mark, path = _named(source)
        if key is None and not (source.keys() & {"where", "defaults"}) and not any(c in path for c in "*?["):
            held = self._file(path, mark)
            return None if isinstance(held, list) and not whole(held, self.problems) else held
        rows = self.rows(source)
        if rows is None or key is None:
            return rows
        columns = columns_of(rows)
        if columns and str(key) not in columns:
            some = ", ".join(f"`{each}`" for each in list(columns)[:12])
            near = self.problems.near(str(key), columns)
            self.problems.on(source, "key", f"`{path}` has no column `{key}`{near}", f"it has {some}", kind="key")
            return None
        found: dict[str, Any] = {}
        for number, row in enumerate(rows, 1):
            cell = row.get(str(key)) if isinstance(row, dict) else None
            if blank(cell) or isinstance(cell, (dict, list)):
                where = place(row, self.problems.texts)
                row_name = f"row {number} of `{path}`" if where is None else f"the row in {at(where)}"
                rows_told = () if where is None else (where,)
                self.problems.on(
                    source,
                    "key",
                    f"{row_name} has no {'text as ' * (cell not in (None, ''))}`{key}`",
                    "each row needs its own",
                    kind="key",
                    rows=rows_told,
                )
                return None
            name = words(cell)
            if name in found:
                both = [place(found[name], self.problems.texts), place(row, self.problems.texts)]
                where_both = listed([(each,) for each in both if each is not None])
                which = f": {where_both}" if where_both else f" in `{path}`"
                self.problems.on(source, "key", f"`{name}` stands twice under `{key}`{which}", "a key names one row")
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
            hint = "a table is a .csv, .tsv, .json or .yaml file, or .md files with front matter"
            hint = "save it as `CSV UTF-8` and name that file" if ending in (".xlsx", ".xls", ".ods", ".numbers") else hint
            self.problems.at(mark, f"`{path}` is no table", hint)
            return None
        text = self.files.text(path, mark, "table")
        if text is None:
            return None
        if ending in (".csv", ".tsv"):
            return csv_rows(path, text, self.problems)
        if ending == ".json":
            found = json_value(path, text, self.problems)
            return located(found, path) if isinstance(found, list) else found
        if ending in (".md", ".markdown"):
            row = front_matter(path, text, self.problems)
            return None if row is None else located([row], path, line=1)
        parsed = read_yaml(text, path, self.problems, spec=False)
        if parsed is None or not isinstance(parsed.value, Seq):
            return None if parsed is None else parsed.value
        return located(parsed.value, path, marks=parsed.value.at)

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
        columns: dict[str, None] = {}
        sheet = Sheet(columns)
        for name in names:
            if posixpath.splitext(name)[1].lower() not in (".md", ".markdown"):
                self.problems.at(
                    mark, f"a pattern takes the front matter of Markdown files; `{name}` is none", "end the pattern with `*.md`"
                )
                return None
            text = self.files.text(name, mark, "file")
            row = None if text is None else front_matter(name, text, self.problems)
            complete = complete and row is not None
            if row is not None:
                columns |= dict.fromkeys(row)
                rows.append(record(row, name, 1, sheet))
        return rows if complete else None


def _named(source: Map) -> tuple[Mark, str]:
    """Where a table is named, and its path: relative to the file that names it."""
    mark = source.mark("from")
    return mark, joined(posixpath.dirname(mark.name), words(source["from"]))


def matches(cell: Value, wanted: Value) -> bool:
    """Whether a cell is the wanted value, or one of a list of them; compared as text."""
    if isinstance(cell, (list, dict)):
        return False
    text = "" if cell is None else words(cell)
    return any(text == words(each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def columns_of(rows: Rows) -> dict[str, None]:
    """Every column that any of the rows has."""
    return {str(name): None for row in rows if isinstance(row, dict) for name in row}


def located(rows: Rows, path: str, *, line: int = 0, marks: list[Mark] | None = None) -> Rows:
    """Items of a list of which the mappings know where they stand: all in one line, where their marks are, or else in their turn."""
    sheet = Sheet(columns_of(rows))
    found: Rows = []
    for number, row in enumerate(rows):
        stands = line or (marks[number].line + 1 if marks is not None else -number - 1)
        found.append(record(row, path, stands, sheet) if isinstance(row, dict) else row)
    return found


def _filled(rows: Rows, defaults: dict[str, Any]) -> Rows:
    """Rows with their missing and empty cells from the defaults."""
    shared = next((row.sheet for row in rows if isinstance(row, Record)), Sheet({}))
    sheet = shared._replace(columns={**shared.columns, **dict.fromkeys(defaults)}, spared=frozenset(defaults))
    return [
        row.over({name: value for name, value in defaults.items() if blank(row.get(name))}, sheet)
        if isinstance(row, Record)
        else row
        for row in rows
    ]


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
