"""Runs typst: measures texts, draws items, makes a page. The only room that runs it. Texts travel as JSON in `sys.inputs` and are never part of the source; no
system fonts, no clock, no packages, and no file but those that are handed to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base import Kind, ProviderError

_DRAWING = Path(__file__).resolve().parent / "drawing"
_SOURCE = "/overlay.typ"


class Press:
    """One set of fonts, ready to print. `root` is the only folder that typst can read (None: one with nothing but the drawing)."""

    def __init__(self, fonts: Any, files: Mapping[str, str] | None = None, root: Path | None = None) -> None:  # noqa: ANN401 - typst's
        """`files`: SVG sources by name, as they are named in items."""
        self._fonts, self._root = fonts, root or _DRAWING
        self._files = dict(files or {})

    def measure(self, questions: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
        """Width and height in pixels of each text (`text`, `size`, `room`)."""
        code = '#import "overlay.typ": measured\n#context [#metadata(measured(json(bytes(sys.inputs.asked)))) <found>]'
        compiler = self._compiler(code, {"asked": _json(questions)})
        found = json.loads(_run(lambda: compiler.query("<found>", field="value", one=True)))
        return [(float(width), float(height)) for width, height in found]

    def patches(self, items: Sequence[Mapping[str, Any]]) -> list[bytes]:
        """Each item as a PNG, 72 pixels an inch: a point is a pixel."""
        code = '#import "overlay.typ": patches\n#patches(json(bytes(sys.inputs.items)))'
        made = self._compiled(code, {"items": _json(items)}, "png", ppi=72)
        return list(made) if isinstance(made, list) else [made]

    def sheet(self, picture: str, size: tuple[int, int], items: Sequence[Mapping[str, Any]]) -> bytes:
        """All of it on one page of a PDF, over `picture`, a file in the root."""
        code = '#import "overlay.typ": sheet\n#sheet(..json(bytes(sys.inputs.sheet)))'
        made: bytes = self._compiled(code, {"sheet": _json([picture, *size, items])}, "pdf", pdf_tags=False)
        return made

    def _compiler(self, code: str, inputs: Mapping[str, str]) -> Any:  # noqa: ANN401 - typst's
        import typst  # 20 ms

        return typst.Compiler(
            self._sources(code), root=str(self._root), font_paths=self._fonts, ignore_system_fonts=True, sys_inputs=dict(inputs)
        )

    def _compiled(self, code: str, inputs: Mapping[str, str], form: str, **more: Any) -> Any:  # noqa: ANN401 - typst's
        compiler = self._compiler(code, inputs)
        return _run(
            lambda: compiler.compile(
                self._sources(code), format=form, sys_inputs=dict(inputs), root=str(self._root), timestamp=0, **more
            )
        )

    def _sources(self, code: str) -> dict[str, Any]:
        drawing = (_DRAWING / "overlay.typ").read_bytes()
        return {"main": code.encode(), "overlay.typ": drawing, **{name: text.encode() for name, text in self._files.items()}}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _run(work: Any) -> Any:  # noqa: ANN401 - typst's
    try:
        return work()
    except RuntimeError as problem:  # TypstError is one
        text = getattr(problem, "message", None) or str(problem)
        raise ProviderError(Kind.INVALID, f"the overlay couldn't be drawn: {text}") from problem
