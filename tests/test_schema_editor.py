"""The schema in an editor: the real yaml-language-server over stdio, as VS Code, Neovim and Zed run it.

Runs where `yaml-language-server` (npm) is on PATH, or below the folder that ASSETBUILD_YAMLLS names; skipped elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assetbuild.spec.shape import schema

SCHEMA = Path(__file__).parents[1] / "schemas" / "assetbuild.schema.json"


def server() -> str | None:
    folder = os.environ.get("ASSETBUILD_YAMLLS")
    places = [folder, f"{folder}/node_modules/.bin"] if folder else []
    return shutil.which("yaml-language-server", path=os.pathsep.join(places) if folder else None)


pytestmark = pytest.mark.skipif(server() is None, reason="yaml-language-server (npm) isn't on PATH or below ASSETBUILD_YAMLLS")


class Editor:
    """An editor with one server process; speaks the language server protocol, as little of it as is needed."""

    def __init__(self, folder: Path) -> None:
        executable = server()
        assert executable
        self.folder, self.count, self.last = folder, 0, 0
        self.process = subprocess.Popen([executable, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        self.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": CAPABILITIES})
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": {"yaml": SETTINGS}})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.last and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def receive(self) -> dict[str, Any]:
        """The next message; answers what the server asks of an editor."""
        assert self.process.stdout
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert length, "yaml-language-server ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "id" in message and "method" in message:
            asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
            sections = {"yaml": SETTINGS}
            self.send({"id": message["id"], "result": [sections.get(each.get("section"), {}) for each in asked] or None})
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def open(self, text: str) -> tuple[str, int, int]:
        """Opens a spec; `|>` in it is where the cursor stands. Gives the URI and the cursor's line and column, from 0."""
        self.count += 1
        text = f"# yaml-language-server: $schema={SCHEMA.as_uri()}\n" + text
        before, _, after = text.partition("|>")
        uri = (self.folder / f"assets{self.count}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": before + after}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return uri, before.count("\n"), len(before) - before.rfind("\n") - 1

    def complete(self, text: str) -> dict[str, str]:
        """What is offered at the cursor: label → documentation."""
        uri, line, column = self.open(text)
        position = {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}
        found = self.ask("textDocument/completion", position)
        items = found["items"] if isinstance(found, dict) else found
        return {each["label"]: _prose(each.get("documentation")) for each in reversed(items)}  # the first of a label counts

    def hover(self, text: str) -> str:
        uri, line, column = self.open(text)
        position = {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}
        found = self.ask("textDocument/hover", position)
        return _prose(found["contents"]) if found else ""

    def problems(self, text: str) -> list[str]:
        uri, _, _ = self.open(text)
        while uri not in self.diagnostics:
            self.receive()
        return [each["message"] for each in self.diagnostics[uri]]


CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["markdown"], "snippetSupport": True}},
        "hover": {"contentFormat": ["markdown"]},
        "publishDiagnostics": {},
    },
    "workspace": {"configuration": True},
}
SETTINGS = {
    "validate": True,
    "completion": True,
    "hover": True,
    "schemaStore": {"enable": False},
    "kubernetesCRDStore": {"enable": False},
}


def _prose(documentation: Any) -> str:
    return documentation["value"] if isinstance(documentation, dict) else documentation or ""


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    opened = Editor(tmp_path_factory.mktemp("editor"))
    yield opened
    opened.process.kill()
    opened.process.wait()


def fields(name: str) -> set[str]:
    return set(schema()["$defs"][name]["properties"])


PLACES = {
    "top level": ("spec", {"version"}, "version: 1\n|>\n"),
    "defaults": ("defaults", set(), "version: 1\ndefaults:\n  |>\n"),
    "profile": ("profile", set(), "version: 1\nprofiles:\n  draft:\n    |>\n"),
    "asset": ("asset", set(), "version: 1\nassets:\n  poster:\n    |>\n"),
    "asset begun": ("asset", {"prompt"}, "version: 1\nassets:\n  poster:\n    prompt: A poster\n    |>\n"),
    "asset with a base": ("asset", {"base"}, "version: 1\nassets:\n  poster:\n    base: front\n    |>\n"),
    "override": ("override", set(), "version: 1\noverrides:\n  poster-ja:\n    |>\n"),
    "step": ("step", set(), "version: 1\nassets:\n  poster:\n    prompt: A poster\n    then:\n      - |>\n"),
    "step begun": ("step", {"prompt"}, "version: 1\nassets:\n  a:\n    prompt: A\n    then:\n      - prompt: B\n        |>\n"),
    "reference": ("reference_fields", set(), "version: 1\nassets:\n  a:\n    prompt: A\n    references:\n      - |>\n"),
    "reference to a file": (
        "reference_fields",
        {"file", "asset"},
        "version: 1\nassets:\n  a:\n    prompt: A\n    references:\n      - file: a.png\n        |>\n",
    ),
    "base": ("picture", set(), "version: 1\nassets:\n  a:\n    prompt: A\n    base:\n      |>\n"),
    "prompt": ("prompt_file", set(), "version: 1\nassets:\n  a:\n    prompt:\n      |>\n"),
    "mask": ("mask", set(), "version: 1\nassets:\n  a:\n    base: b\n    prompt: A\n    mask:\n      |>\n"),
    "budget": ("budget", set(), "version: 1\nbudget:\n  |>\n"),
    "budget begun": ("budget", {"per_run"}, "version: 1\nbudget:\n  per_run: 5\n  |>\n"),
    "provider": ("service", set(), "version: 1\nproviders:\n  apiframe:\n    |>\n"),
    "style": ("style_fields", set(), "version: 1\nstyles:\n  brand:\n    |>\n"),
    "axis": ("rows", set(), "version: 1\nassets:\n  a:\n    prompt: A\n    matrix:\n      s:\n        |>\n"),
    "axis begun": (
        "rows",
        {"from"},
        "version: 1\nassets:\n  a:\n    prompt: A\n    matrix:\n      s:\n        from: a.csv\n        |>\n",
    ),
    "table": ("table", {"from"}, "version: 1\nvars:\n  legal:\n    from: a.csv\n    |>\n"),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_field_is_offered_with_its_documentation(editor: Editor, place: str) -> None:
    name, written, text = PLACES[place]
    offered = editor.complete(text)
    assert fields(name) - written <= set(offered)
    assert [field for field in fields(name) - written if " " not in offered[field]] == []


CHOICES = {
    "quality": {"low", "medium", "high", "auto"},
    "op": {"generate", "edit", "upscale", "remove-background"},
    "background": {"auto", "opaque", "transparent"},
    "pin": {"true", "false"},
    "approve": {"required"},
    "takes": {"1", "3"},
    "aspect_ratio": {'"1:1"', '"2:3"', '"16:9"'},  # in quotes: without them the spec isn't accepted
    "prompt": {"| (a block of text)"},
    "output": {"art/${id}.png"},
    "provider": {"comp", "apiframe"},
}


@pytest.mark.parametrize("field", CHOICES)
def test_values_are_offered(editor: Editor, field: str) -> None:
    assert CHOICES[field] <= set(editor.complete(f"version: 1\nassets:\n  a:\n    prompt: A\n    {field}: |>\n"))


@pytest.mark.parametrize("name", ["spec", "defaults", "asset", "step", "reference_fields", "rows", "table", "style_fields"])
def test_no_value_is_offered_that_can_not_be_read(editor: Editor, name: str) -> None:
    _, _, text = next(each for each in reversed(PLACES.values()) if each[0] == name)
    labels = {label for field in fields(name) for label in editor.complete(text.replace("|>", f"{field}: |>"))}
    assert [label for label in labels if "object Object" in label] == []


HOVERS = {
    "assets": ("version: 1\nass|>ets:\n  a:\n    prompt: A\n", "each under its id"),
    "asset": ("version: 1\nassets:\n  post|>er:\n    prompt: A\n", "A picture that the product needs"),
    "prompt": ("version: 1\nassets:\n  a:\n    pro|>mpt: A\n", "What the picture shows"),
    "base": ("version: 1\nassets:\n  a:\n    ba|>se: b\n    prompt: A\n", "The picture that is changed"),
    "quality": ("version: 1\nassets:\n  a:\n    qual|>ity: low\n    prompt: A\n", "How much care the model takes"),
    "a choice": ("version: 1\nassets:\n  a:\n    quality: l|>ow\n    prompt: A\n", "a quick proof, the cheapest"),
    "references": ("version: 1\nassets:\n  a:\n    prompt: A\n    refe|>rences: [b]\n", "Further pictures the model looks at"),
    "hint": ("version: 1\nassets:\n  a:\n    prompt: A\n    references: [{asset: b, hi|>nt: c}]\n", "What to take from it"),
    "then": ("version: 1\nassets:\n  a:\n    prompt: A\n    the|>n: [b]\n", "each step is an edit of the picture before it"),
    "op of a step": ("version: 1\nassets:\n  a:\n    prompt: A\n    then: [{o|>p: upscale}]\n", "What this step does"),
    "matrix": ("version: 1\nassets:\n  a-${l}:\n    prompt: A\n    mat|>rix: {l: [b]}\n", "one asset per combination"),
    "output": ("version: 1\ndefaults: {out|>put: 'a/${id}.png'}\n", "Where the picture goes"),
    "set": ("version: 1\nassets:\n  a:\n    prompt: A\n    se|>t: [b, c]\n", "Several pictures that belong together"),
    "style": ("version: 1\nassets:\n  a:\n    prompt: A\n    sty|>le: brand\n", "Which named styles"),
    "takes": ("version: 1\nassets:\n  a:\n    prompt: A\n    ta|>kes: 3\n", "How many candidates"),
    "approve": ("version: 1\nassets:\n  a:\n    prompt: A\n    appr|>ove: required\n", "waits until a person has said"),
    "mask": (
        "version: 1\nassets:\n  a:\n    base: b\n    prompt: A\n    ma|>sk: {file: c.png}\n",
        "Which part of the base may change",
    ),
    "budget": ("version: 1\nbud|>get: {per_run: 5}\nassets:\n  a:\n    prompt: A\n", "The most that may be spent"),
    "per_day": ("version: 1\nbudget: {per_d|>ay: 5}\n", "any 24 hours"),
    "providers": ("version: 1\nprovid|>ers: {apiframe: {concurrency: 3}}\n", "Never a key"),
    "prices": ("version: 1\nproviders: {apiframe: {pri|>ces: {gpt-image-2: 9}}}\n", "What one picture costs, in credits"),
}


@pytest.mark.parametrize("place", HOVERS)
def test_hover_explains(editor: Editor, place: str) -> None:
    text, wanted = HOVERS[place]
    assert wanted in editor.hover(text)


MISTAKES = {
    "unknown field": ("version: 1\nassets:\n  a:\n    promt: A\n    prompt: A\n", "promt"),
    "unknown choice": ("version: 1\nassets:\n  a:\n    prompt: A\n    quality: hi\n", '"low", "medium", "high", "auto"'),
    "a text for a list": ("version: 1\nassets:\n  a:\n    prompt: A\n    tags: launch\n", "array"),
    "a ratio": ("version: 1\nassets:\n  a:\n    prompt: A\n    aspect_ratio: wide\n", "a ratio is width:height in quotes"),
    "nothing to draw": ("version: 1\nassets:\n  a:\n    tags: [b]\n", "an asset needs a `prompt`"),
    "a prompt for upscale": ("version: 1\nassets:\n  a:\n    base: b\n    op: upscale\n    prompt: A\n", "take no prompt"),
    "upscale of nothing": ("version: 1\nassets:\n  a:\n    op: upscale\n", "work on a picture"),
    "two pictures": ("version: 1\nassets:\n  a:\n    prompt: A\n    base: {file: a.png, asset: b}\n", "not both"),
    "takes": ("version: 1\nassets:\n  a:\n    prompt: A\n    takes: 11\n", "maximum of 10"),
    "a mask of nothing": (
        "version: 1\nassets:\n  a:\n    prompt: A\n    mask: {file: b.png}\n",
        "which part of a picture may change",
    ),
    "a mask for upscale": (
        "version: 1\nassets:\n  a:\n    base: b\n    op: upscale\n    mask: {file: b.png}\n",
        "work on the whole picture",
    ),
    "an approval": ("version: 1\nassets:\n  a:\n    prompt: A\n    approve: true\n", "approve: required"),
    "an amount": ("version: 1\nbudget: {per_run: -1}\n", "0"),
    "no money for nothing": ("version: 1\nproviders: {apiframe: {credit_usd: 0}}\n", "0"),
    "a key": ("version: 1\nproviders: {apiframe: {api_key: x}}\n", "api_key"),
    "no version": ("assets:\n  a:\n    prompt: A\n", "version"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_marked(editor: Editor, mistake: str) -> None:
    text, wanted = MISTAKES[mistake]
    found = editor.problems(text)
    assert len(found) == 1, found
    assert wanted in found[0]


def test_a_right_spec_has_no_marks(editor: Editor) -> None:
    example = (Path(__file__).parent / "golden" / "shape" / "right.yaml").read_text(encoding="utf-8")
    assert editor.problems(example) == []
