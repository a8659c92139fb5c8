"""Whatever stands in the files, there is a Spec or a SpecError with places that exist; never a traceback."""

from __future__ import annotations

import string
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild.errors import SpecError
from assetbuild.providers.table import builtin
from assetbuild.spec import load
from assetbuild.spec.csvfile import csv_rows, whole
from assetbuild.spec.interpolate import render
from assetbuild.spec.marks import Unreadable, parse
from assetbuild.spec.model import Spec
from assetbuild.spec.problems import Problems
from assetbuild.spec.scalars import WrittenFloat, WrittenInt, scalar
from assetbuild.spec.templates import Bad, template

CALM = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


class Memory:
    """Files in a dict, as a Reader."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes:
        if path.startswith(("..", "/")):
            raise ValueError(path)
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def exists(self, path: str) -> bool:
        if path.startswith(("..", "/")):
            raise ValueError(path)
        return path in self.files

    def glob(self, pattern: str) -> tuple[list[str], list[str]]:
        return sorted(path for path in self.files if path.endswith(".md")), ["."]

    def font_families(self, path: str) -> tuple[str, ...]:
        return ()

    def picture_size(self, path: str) -> tuple[int, int] | None:
        return (300, 200) if path in self.files else None


def load_any(spec: bytes, **files: bytes) -> Spec | None:
    """The Spec, None when it has problems; each of these can be shown and stands where a file has text."""
    reader = Memory({"assets.yaml": spec, **files})
    try:
        return load("assets.yaml", reader, builtin())
    except SpecError as e:
        error = e
    assert error.problems
    assert error.render()
    for problem in error.problems:
        assert problem.text
        assert "\n" not in problem.text
        assert not problem.text.endswith(".")
        if problem.place is not None and problem.place.line and problem.source is not None:
            assert 1 <= problem.place.column <= len(problem.source) + 1
            assert problem.place.length >= 1
    return None


@CALM
@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    load_any(content)
    load_any(b"version: 1\nassets:\n  a:\n    prompt: " + content)


PIECES = [
    *"\n\n\n  :-,#&*!|>'\"%@`?{}[]$.~<=\t\r\\/",
    *(
        "${",
        "}",
        ": ",
        "- ",
        "\n  ",
        "\n    ",
        "\n      ",
        " #",
        "<<: *a",
        "&a ",
        "*a",
        "---",
        "...",
        "!!str ",
        "? ",
        "no",
        "16:9",
        "1.10",
        "“x”",
    ),
    *(
        "version: 1",
        "assets:",
        "prompt: ",
        "base: ",
        "then:",
        "set: 2",
        "matrix: ",
        "{l: [a, b]}",
        "vars: ",
        "references: ",
        "{file: x.md}",
    ),
    *(
        "{asset: a}",
        "as: b",
        "hint: x",
        "output: ",
        "x.png",
        "style: ",
        "styles: ",
        "params: ",
        "seed: 3",
        "tags: [x]",
        "overrides:",
        "a",
        "b#1",
    ),
    *(
        "\x85",
        "\u2028",
        "\ufeff",
        "é",
        "e\u0301",
        "😀",
        "\x00",
        "\x07",
        "${image.b}",
        "${a[l]}",
        "$${",
        "from: t.csv",
        "include: [i.yaml]",
    ),
]
BASE = """version: 1
include: [i.yaml]
defaults: {quality: low, output: "art/${id}.png", style: s}
vars: {h: {en: Brewed, de: Gebrüht}, t: {from: t.csv, key: k}, w: "${h.en}!"}
styles: {s: {text: Flat., references: [{file: b.png, as: board, hint: look}]}}
profiles: {draft: {provider: comp}}
assets:
  poster: &p {prompt: {file: x.md}, tags: [launch], aspect_ratio: "2:3"}
  poster-${l}:
    matrix: {l: [en, de, fr], exclude: [{l: fr}]}
    base: poster
    prompt: |
      Set "${h[l]}" on ${image.base}, ${w} #1.
    references: [{file: l.png, as: logo, hint: "the logo"}, poster]
    then:
      - Darker.
      - {op: upscale, params: {scale: 4}}
  row/${r.k}: {matrix: {r: {from: t.csv, where: {v: y}}}, prompt: "${r.v}", seed: 4, variant: "${r.k}"}
  story: {set: [a, b], prompt: x, output: "s-${member}.png"}
  cut: {base: {file: b.png}, op: remove-background}
  copy: {<<: *p, prompt: y}
overrides:
  poster-de: {then: [Vertical.], params: {seed: 2}}
"""
OTHERS = {
    "t.csv": b"k;v\n1;y\n2;n\n",
    "x.md": b"A poster of ${id}\n",
    "i.yaml": b"assets: {inner: {base: 'story#a', prompt: z}}\n",
    "b.png": b"x",
}


def test_the_base_of_these_tests_is_good() -> None:
    spec = load_any(BASE.encode(), **OTHERS)
    assert spec is not None
    assert len(spec.assets) == 8


@CALM
@given(st.lists(st.tuples(st.integers(0, len(BASE)), st.integers(0, 12), st.sampled_from(PIECES)), min_size=1, max_size=4))
def test_a_damaged_spec(damage: list[tuple[int, int, str]]) -> None:
    """Pieces cut out of a good spec and others put in."""
    text = BASE
    for place, cut, piece in damage:
        text = text[:place] + piece + text[place + cut :]
    load_any(text.encode(), **OTHERS)


def test_a_name_of_many_lines_is_told_in_one() -> None:
    """Names come from the file as they are: with line breaks, with what a terminal would act on."""
    for spec in (
        'version: 1\nassets: {a: {base: {file: "${f\n\n  b}"}, prompt: x}}',
        'version: 1\nassets: {a: {"pro\\e[31mmpt": x}}',
    ):
        with pytest.raises(SpecError) as caught:
            load("assets.yaml", Memory({"assets.yaml": spec.encode()}), builtin())
        assert all(problem.text.isprintable() for problem in caught.value.problems)
        assert "\x1b" not in caught.value.render()


@CALM
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_pieces_of_yaml(pieces: list[str]) -> None:
    load_any(("version: 1\nassets:\n  a:\n    prompt: " + "".join(pieces)).encode(), **OTHERS)


@CALM
@given(st.sampled_from(sorted(OTHERS)), st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_damaged_other_files(name: str, content: bytes) -> None:
    load_any(BASE.encode(), **{**OTHERS, name: content})
    load_any(BASE.encode(), **{**OTHERS, name: OTHERS[name] + content})


def outcome(text: str, pure: bool) -> Any:
    try:
        found = parse(text, "x", pure=pure)
    except Unreadable as e:
        return e.kind if e.kind != "character" else "syntax"
    return found.value, [(o.kind, o.text, o.path) for o in found.oddities]


@CALM
@given(st.lists(st.sampled_from([piece for piece in PIECES if piece.isprintable() or piece[0] == "\n"]), max_size=30))
def test_the_slow_parser_gives_the_same(pieces: list[str]) -> None:
    """Where libyaml is missing, a spec means the same."""
    text = "a:\n  b: " + "".join(pieces)
    fast, slow = outcome(text, False), outcome(text, True)
    if "syntax" not in (fast, slow):  # they disagree about what is YAML in corners that no spec needs
        assert fast == slow


LETTERS = string.ascii_letters + string.digits + " -_.:#{}[]&*!|>'\"%@`é☕\n"
TEXTS = st.text(LETTERS, max_size=12).filter(lambda text: isinstance(scalar(text), str))  # YAML 1.1 writes `0E0` without quotes
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**12), 10**12), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@CALM
@given(VALUES, st.booleans())
def test_what_others_write_we_read(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    assert parse(text, "x").value == value


@CALM
@given(st.one_of(st.integers().map(str), FLOATS.map(repr), st.from_regex(r"[-+0-9._eEx]{1,12}", fullmatch=True)))
def test_numbers_print_as_written(text: str) -> None:
    value = scalar(text)
    assert (value.text if isinstance(value, (WrittenInt, WrittenFloat)) else str(value)) == text


@CALM
@given(st.text(max_size=60))
def test_text_without_references_stays(text: str) -> None:
    escaped = text.replace("${", "$${")
    if not escaped.startswith("$$${") and "$$${" not in escaped:
        assert render(escaped, ()) == text


@CALM
@given(st.lists(st.sampled_from(["${", "}", "a", ".", "[", "]", "$", " ", "b", "0", "\n", "$${", "}}"]), max_size=20))
def test_any_reference(pieces: list[str]) -> None:
    text = "".join(pieces)
    bad: Bad | None = None
    try:
        value = render(text, ({"a": {"b": "x", "a": ["y", "${a}"]}, "b": "b"},))
    except Bad as e:
        bad = e
    if bad is not None:
        assert bad.text
        assert bad.needle in text
    else:
        assert value is not None
        assert template(text) or text == ""


@CALM
@given(TEXTS, TEXTS)
def test_what_is_put_in_is_inert(before: str, value: str) -> None:
    assert render(before.replace("$", "") + "${a}${a}", ({"a": value + "${b}"},)) == before + 2 * (value + "${b}")


@pytest.mark.parametrize("count", [3, 2000])
def test_alias_bombs_and_deep_files_are_quick(count: int) -> None:
    """Neither memory nor the stack gives way."""
    chain = "vars:\n  a0: &a0 [x]\n" + "".join(f"  a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, count))
    deep = "vars: " + "{a: " * count + "x" + "}" * count
    wide = "vars:\n  a: &a [" + "x, " * count + "]\n  b: [" + "*a, " * count + "]\n"
    for text in (chain, deep, wide):
        load_any(("version: 1\nassets: {a: {prompt: x}}\n" + text).encode())


CELLS = st.sampled_from(
    ["a", "", " ", "x y", '"', '""', '"a', 'a"', '"a;b"', "\n", "\r\n", ";", ",", "\t", "|", "sep=;", "é", "\u2028"]
)


@given(st.lists(CELLS, max_size=30).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_csv_is_rows_or_told(text: str) -> None:
    """Each row that comes of a CSV has a cell for each column and stands in the line that it is said to stand in."""
    problems = Problems()
    problems.texts["t.csv"] = text
    rows = csv_rows("t.csv", text, problems)
    if rows is None or not whole(rows, problems):
        assert len(problems)
        assert all(p.place is not None and p.place.file == "t.csv" for p in problems.all())
        return
    assert not len(problems)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row in rows:
        assert set(row) == set(row.sheet.columns)
        first = next((cell for cell in row.values() if cell.strip()), "")
        assert first
        assert first.strip().split("\n")[0].replace('"', "")[:1] in "\n".join(lines[row.line - 1 :])
