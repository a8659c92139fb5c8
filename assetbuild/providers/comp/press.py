"""Runs typst: JSON in, PNG bytes out. The only room that knows typst. Knows nothing of prompts.

One compiler per thread and set of fonts, since a compiler is no value to share; typst lets go of the interpreter's lock while
it draws. User text travels as JSON in `sys.inputs` and is never part of the source. No system fonts, no clock, no packages.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

from ..base import Kind, ProviderError
from .scripts import Fonts

DRAWING = Path(__file__).resolve().parent / "drawing"
_threads = threading.local()


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


def home(*folders: Path) -> Path:
    """A folder that holds these and the drawing. Where there is none (Windows drives), the first, with the drawing copied into it."""
    try:
        return Path(os.path.commonpath([DRAWING, *folders]))
    except ValueError:
        for room in DRAWING.glob("*.typ"):
            shutil.copyfile(room, folders[0] / room.name)
        return folders[0]


def pages(request: dict[str, Any], fonts: Fonts, root: Path | None = None) -> list[bytes]:
    """One PNG for each page of `request`, 72 pixels an inch: a point is a pixel; and one more, a row in which the drawing tells
    what words stand where (`record.row`). Pictures are named relative to `root` ("/a.png"), which `home` gave.

    Raises ProviderError (INVALID) when a picture can't be read.
    """
    import typst

    # The drawing is files that typst reads and runs once; only this line is new for each picture (a third of the time saved).
    main = (DRAWING if root is None or DRAWING.is_relative_to(root) else root) / "main.typ"  # where `home` left it
    place = json.dumps("/" + main.relative_to(root or DRAWING).as_posix(), ensure_ascii=False)
    code = f"#import {place}: pages\n#pages(json(bytes(sys.inputs.request)))".encode()
    told = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
    try:
        made = _compiler(fonts).compile(
            code, format="png", ppi=72, sys_inputs={"request": told}, root=str(root or DRAWING), timestamp=0
        )
    except typst.TypstError as error:
        raise ProviderError(Kind.INVALID, f"the comp couldn't be drawn: {error.message}") from error
    return list(made)
