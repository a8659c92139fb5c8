"""What is asked of the rooms that make files from pictures, and what they give: records only."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import AssetbuildError
from ..recipe import Recipe


class CantExport(AssetbuildError):
    """A picture that can't be opened safely, or a recipe that can't be done with it. `text` says which and why, `hint` the way out."""

    exit_code = 1


class Want(NamedTuple):
    """One file to be made. `icc` are the bytes of the profile that the recipe names; `xmp` is the packet that goes into the file (None: none);
    `vector` is the whole picture as a one-page PDF whose texts and drawings are vectors, for a recipe of format pdf.
    """

    recipe: Recipe
    icc: bytes | None = None
    xmp: bytes | None = None
    vector: bytes | None = None


class Made(NamedTuple):
    """A file that was made: its bytes, its size in pixels (of a PDF: of the picture in it), and what is worth saying of it."""

    data: bytes
    width: int
    height: int
    notes: tuple[str, ...] = ()
