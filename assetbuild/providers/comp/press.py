"""Runs typst: JSON in, PNG bytes out. The only room that knows typst. Knows nothing of prompts.

One compiler per thread and set of fonts, since a compiler is no value to share; typst lets go of the interpreter's lock while
it draws. User text travels as JSON in `sys.inputs` and is never part of the source. No system fonts, no clock, no packages.
"""

from __future__ import annotations

import functools
import json
import threading
from pathlib import Path
from typing import Any

from ..base import Kind, ProviderError
from .scripts import Fonts

DRAWING = Path(__file__).parent / "drawing"
# what a kind of page is drawn with: typst parses its source anew for each picture (10 ms for all of it)
_PACK = ("kit", "art", "poster", "pack")
_ROOMS = {
    **dict.fromkeys(("poster",), ("kit", "art", "poster")),
    **dict.fromkeys(("box", "pouch", "label", "product"), _PACK),
    **dict.fromkeys(("phone", "browser"), (*_PACK, "screen")),
    **dict.fromkeys(("icons", "icon", "logo", "panel", "book", "character", "pattern"), (*_PACK, "sheet")),
    **dict.fromkeys(("change", "enlarged"), ("kit", "poster", "pack", "change")),
}
_ORDER = ("kit", "art", "poster", "pack", "screen", "sheet", "change")
_threads = threading.local()


@functools.cache
def _room(name: str) -> str:
    return (DRAWING / f"{name}.typ").read_text("utf-8")


@functools.cache
def source(kinds: tuple[str, ...], insets: bool) -> bytes:
    """The drawing as one typst source, with the rooms that pages of these kinds need. `insets`: references are shown on them."""
    needed = {room for kind in kinds for room in _ROOMS[kind]} | ({"kit", "poster", "pack", "change"} if insets else set())
    table = "#let kinds = (" + "".join(f"{kind}: {'box-front' if kind == 'box' else kind}, " for kind in kinds) + ")\n"
    return "\n".join([*(_room(name) for name in _ORDER if name in needed), table + _room("main")]).encode()


@functools.lru_cache(maxsize=2)
def _book(folders: tuple[Path, ...]) -> Any:  # noqa: ANN401 - typst is imported late
    import typst  # 20 ms, and only for a picture that is really drawn

    return typst.Fonts(include_system_fonts=False, font_paths=list(folders))


def _compiler(fonts: Fonts) -> Any:  # noqa: ANN401 - typst is imported late
    import typst

    compilers: dict[Fonts, Any] = _threads.__dict__.setdefault("compilers", {})
    if fonts not in compilers:
        folders = tuple(folder for folder in fonts if folder is not None)
        compilers[fonts] = typst.Compiler(font_paths=_book(folders), ignore_system_fonts=True)
    return compilers[fonts]


def pages(request: dict[str, Any], fonts: Fonts, root: Path | None = None) -> list[bytes]:
    """One PNG for each page of `request`, 72 pixels an inch: a point is a pixel; and one more, a row in which the drawing tells
    what words stand where (`record.row`). Pictures are named relative to `root` ("/a.png").

    Raises ProviderError (INVALID) when a picture can't be read.
    """
    import typst

    code = source(
        tuple(sorted({page["kind"] for page in request["pages"]})),
        any(page["insets"] or page["logos"] for page in request["pages"]),
    )
    told = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
    try:
        made = _compiler(fonts).compile(
            code, format="png", ppi=72, sys_inputs={"request": told}, root=str(root or DRAWING), timestamp=0
        )
    except typst.TypstError as error:
        raise ProviderError(Kind.INVALID, f"the comp couldn't be drawn: {error.message}") from error
    return list(made)
