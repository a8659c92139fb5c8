"""Makes the PDF that goes to a print shop or a screen: one page with one picture, its boxes, its crop marks, its colours named. Knows no file and no store."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..geometry import Box
from ..recipe import Recipe
from .book import Book
from .inks import JPEG, inked, inks_of, matte
from .pages import POINTS, Area, Page, page, placed
from .shaping import focus_of
from .wanted import CantExport, Made, Want

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MOST_PIXELS = 300_000_000  # after resampling: A0 at 400 dpi
WHITE = "#ffffff"


def pdf(picture: Picture, want: Want, *, focus: tuple[float, float] = (0.5, 0.5), title: str = "") -> Made:
    """One page. `picture` is the whole master (L, LA, RGB, RGBA, its profile in `info`); `focus` is where to cut if the recipe says "attention".

    With `page` that is the trim size, and `bleed` comes on top; a contained picture lies on `matte`, else on white (a transparent one on nothing). Without
    `page` the page has the export's pixels at `dpi`, else a point for each pixel. Without `dpi` the master's own pixels are embedded, with it they are
    brought to exactly that in one step. Without loss, unless `lossless` is false or (`lossless` unsaid) `quality` is said.

    `want.vector` is placed instead of the pixels, which `dpi` and `quality` don't touch; where colours are to be turned into a profile or the picture is
    trimmed, pixels are taken all the same, and a note says so. Raises CantExport.
    """
    recipe = want.recipe
    _possible(recipe)
    coloured_grey = picture.mode in ("L", "LA") and not _neutral(recipe.matte)
    if recipe.icc == "keep" and (
        recipe.strip or coloured_grey
    ):  # read as sRGB without its profile; a profile of greys has no colour for the matte
        recipe = recipe._replace(icc="")
        want = want._replace(recipe=recipe)
    if recipe.trim >= 0:
        picture = _trimmed(picture, recipe)
        focus = focus_of(picture, recipe)  # the caller's was of the whole
    where = focus if recipe.focus == "attention" else recipe.focus
    sheet = page(*picture.size, recipe, where)
    notes: list[str] = []
    vector = want.vector
    if vector is not None and (want.icc is not None or recipe.trim >= 0):
        why = "turned into the profile under `icc`" if want.icc is not None else "trimmed"
        notes.append(f"its texts and drawings are pixels ({_density(sheet)} to the inch): only pixels can be {why}")
        vector = None
    book = Book(sheet, title="" if recipe.strip else title)
    if vector is not None:
        inks = inks_of("RGB", None, recipe.strip)
        ground = _ground(picture, sheet, want, None)
        size = round(sheet.source.right - sheet.source.left), round(sheet.source.bottom - sheet.source.top)
        whole = placed(sheet, Box(0.0, 0.0, float(picture.width), float(picture.height)))
        book.draw(book.form(vector), whole, ground, inks, blends=True)
    else:
        part, spot = _part(picture, sheet, recipe)
        size = part.size
        flat, alpha, inks = inked(part, want)
        if inks.device == "/DeviceGray" and inks.profile is None and not _neutral(recipe.matte):
            flat, inks = flat.convert("RGB"), inks_of("RGB", None, recipe.strip)  # beside a coloured matte grey is a colour too
        ground = _ground(picture, sheet, want, part.info.get("icc_profile"))
        if ground is not None:
            ground = ground.convert(flat.mode)
        lossy = recipe.lossless is False or (recipe.lossless is None and recipe.quality is not None)
        image = book.image(flat, inks, alpha, quality=(recipe.quality or JPEG) if lossy else None, effort=recipe.effort)
        book.draw(image, spot, ground, inks, blends=alpha is not None)
    if recipe.marks:
        book.mark()
    return Made(book.bound(None if recipe.strip else want.xmp), *size, tuple(notes))


def _possible(recipe: Recipe) -> None:
    if recipe.max_bytes is not None or recipe.colors is not None:
        name = "max_bytes" if recipe.max_bytes is not None else "colors"
        raise CantExport(f"a PDF can't be made with `{name}`", hint="`dpi` and `quality` make it smaller")
    if recipe.bleed and recipe.page is None:
        raise CantExport("`bleed` needs a size on paper", hint="say `size: 210x297mm`, or `size: A4`")


def _trimmed(picture: Picture, recipe: Recipe) -> Picture:
    from .cutting import trim

    kept = picture.info.get("icc_profile")
    made = trim(picture, recipe.trim)
    if kept is not None:
        made.info["icc_profile"] = kept
    return made


def _part(picture: Picture, sheet: Page, recipe: Recipe) -> tuple[Picture, Area]:
    """The pixels that are embedded, and where they lie: a little more than what is seen where the cut goes through a pixel."""
    from PIL import Image, ImageFilter

    seen, (width, height) = sheet.source, picture.size
    if sheet.pixels is not None and (sheet.pixels != picture.size or seen != (0, 0, width, height)):
        wide, high = sheet.pixels
        if wide * high > MOST_PIXELS:
            text = f"{wide:,}×{high:,} pixels are more than can be made here"
            raise CantExport(text, hint="lower `dpi`, or leave it out: the master's own pixels are embedded then")
        box = (max(0.0, seen.left), max(0.0, seen.top), min(width, seen.right), min(height, seen.bottom))
        made = picture.resize(sheet.pixels, Image.Resampling.LANCZOS, box=box)
        if recipe.sharpen and wide < seen.right - seen.left:
            made = made.filter(ImageFilter.UnsharpMask(radius=0.8, percent=round(recipe.sharpen), threshold=2))
        spot = sheet.drawn
    else:
        near = 1e-6
        left, top = math.floor(seen.left + near), math.floor(seen.top + near)
        right, bottom = max(left + 1, math.ceil(seen.right - near)), max(top + 1, math.ceil(seen.bottom - near))
        made = picture.crop((left, top, min(right, width), min(bottom, height)))
        spot = placed(sheet, Box(left, top, left + made.width, top + made.height))
    made.info.clear()
    if "icc_profile" in picture.info:
        made.info["icc_profile"] = picture.info["icc_profile"]
    return made, spot


def _ground(picture: Picture, sheet: Page, want: Want, own: bytes | None) -> Picture | None:
    """The colour below and beside the picture as one pixel; None where there is none."""
    colour = want.recipe.matte
    if colour is None:
        if sheet.drawn == sheet.bleed or picture.mode in ("LA", "RGBA"):
            return None
        colour = WHITE
    return matte(colour, want, own)


def _neutral(colour: str | None) -> bool:
    from PIL import ImageColor

    return colour is None or len(set(ImageColor.getrgb(colour)[:3])) == 1


def _density(sheet: Page) -> int:
    """Pixels to the inch, the fewer of both sides."""
    if sheet.pixels is not None:
        across, down = sheet.pixels
    else:
        across, down = round(sheet.source.right - sheet.source.left), round(sheet.source.bottom - sheet.source.top)
    inches = sheet.drawn.width * sheet.unit / POINTS, sheet.drawn.height * sheet.unit / POINTS
    return max(1, round(min(across / inches[0], down / inches[1])))
