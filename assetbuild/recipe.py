"""How a file that ships is made from a picture: the options of an export as one record, and as the JSON that a lock line keeps. Pure values; knows no
picture, no encoder and no file.

A recipe says what is wanted, never by which encoder: a new Pillow leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

RECIPE_VERSION = 1
MM = 25.4  # in an inch
DPI = 300.0  # of what has a size on paper, if nothing else is said

Format = Literal["png", "jpeg", "webp", "avif", "tiff", "ico", "pdf"]
Fit = Literal["cover", "contain", "fill", "inside"]
FORMATS: dict[str, Format] = {
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "webp": "webp",
    "avif": "avif",
    "tif": "tiff",
    "tiff": "tiff",
    "ico": "ico",
    "pdf": "pdf",
}  # by the ending of a path
FITS: tuple[str, ...] = get_args(Fit)


class Recipe(NamedTuple):
    """What is to come of a master. None, False, 0 or () is: not said.

    `width`, `height`: pixels, of which one may be missing (it follows from the master's ratio). `page`: the trim size on paper (width, height) in mm;
    `dpi` then gives the pixels (`DPI` if it isn't said; a PDF without `dpi` keeps the master's own pixels). `bleed` is in mm on each side, on top of
    `page`; `marks`: crop marks. `fit` as in CSS: `cover` fills the box and cuts, `contain` shows all and fills up with `matte`, `fill` distorts,
    `inside` shows all and is as large as fits. `focus`: what stays when something is cut, as fractions from the left and the top, or "attention": the
    busiest part. `matte`: the colour behind transparency and beside a contained picture, "#rrggbb".

    `quality` 1-100; `effort` 0-10 (slower and smaller); `max_bytes`: the quality is lowered until the file is that small. `icc`: "" for sRGB, "keep" for
    the master's own profile, else the digest of the profile's file, into which the colours are turned. `sharpen`: percent of an unsharp mask
    after making it smaller. `colors`: 2-256, a palette. `sizes`: the squares in an .ico, in pixels. `trim`: cut to the object first, with this margin as
    a fraction of its longer side; negative: not. `strip`: no profile, no comments in the file. `lossless`: None is what is usual for the
    format. `provenance`: "keep" (in the file), "sidecar", "strip".
    """

    format: Format
    width: int | None = None
    height: int | None = None
    page: tuple[float, float] | None = None
    dpi: float | None = None
    bleed: float = 0.0
    marks: bool = False
    fit: Fit = "cover"
    focus: tuple[float, float] | Literal["attention"] = (0.5, 0.5)
    matte: str | None = None
    quality: int | None = None
    lossless: bool | None = None
    effort: int | None = None
    max_bytes: int | None = None
    strip: bool = False
    icc: str = ""
    sharpen: float = 0.0
    colors: int | None = None
    sizes: tuple[int, ...] = ()
    trim: float = -1.0
    provenance: str = "keep"

    @property
    def options(self) -> dict[str, Any]:
        """What is said, as JSON values by name: without what is as usual."""
        usual = Recipe(self.format)
        found: dict[str, Any] = {"format": self.format}
        for name, value, default in zip(self._fields, self, usual, strict=True):
            if name != "format" and value != default:
                found[name] = list(value) if isinstance(value, tuple) else value
        if RECIPE_VERSION != 1:
            found["v"] = RECIPE_VERSION
        return found


def canonical_options(options: Mapping[str, Any]) -> str:
    """Options as RFC 8785 JSON: two recipes are one when these are."""
    import rfc8785  # 10 ms

    return rfc8785.dumps(dict(options)).decode()
