"""How a picture file is: its type and size in pixels, and in what two of them differ. Reads heads of files, decides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Form(NamedTuple):
    """File type (`png`, `jpeg`, …), width and height in pixels."""

    kind: str
    width: int
    height: int


def form(path: Path) -> Form | None:
    """How a picture file is, None when it can't be opened as one. Reads its head only."""
    from PIL import Image  # 40 ms

    try:
        with Image.open(path) as picture:
            return Form((picture.format or "").lower(), *picture.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def differences(path: str, new: Form | None, old: Form | None) -> list[str]:
    """What is worth saying when a picture of this form comes to `path`, where one of the form `old` was."""
    if new is None:
        return []
    notes = []
    if new.kind != path.rpartition(".")[2].lower().replace("jpg", "jpeg"):
        notes.append(f"{path} is a {new.kind} file now, whatever its name says; nothing was converted")
    if old is not None and (old.width, old.height) != (new.width, new.height):
        notes.append(f"{path} is {new.width}×{new.height} now, it was {old.width}×{old.height}")
    return notes
