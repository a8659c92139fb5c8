"""Makes the files that ship from one picture: one decode for all of them, one resize for those of one shape, then each encoder with its frozen defaults. Knows
Pillow's encoders and their traps; it writes no file.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AssetbuildError
from ..geometry import Plan
from ..recipe import DPI, Recipe
from .opening import opened
from .shaping import drawn, finished, focus_of, shaped
from .wanted import CantExport, Made, Want

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# What isn't said. Quality: where a photo at its size shows no difference that anybody looks for, and is a third to a tenth of a png; the same
# numbers as sharp has them (80, 80, 50), a little higher for jpeg and avif, whose artefacts show first in flat illustrations.
QUALITY = {"jpeg": 82, "webp": 80, "avif": 60}
EFFORT = {"webp": 6, "avif": 4, "png": 6}  # of 10
LEAST_QUALITY = 20  # below it `max_bytes` is said to be too small
ICO_SIZES = (16, 32, 48)
ICO_MOST = 256
LIMITS = {"webp": 16_383, "jpeg": 65_500, "avif": 65_536}  # pixels of a side
FIRST_ONLY = "made from the first picture of the file, which has several"
FINE = 90  # from this quality on a jpeg keeps all of its colours (4:4:4)
_SHAPE = ("width", "height", "page", "dpi", "bleed", "fit", "focus", "sharpen", "trim")


def make(master: Path, wants: Sequence[Want], *, shown: str) -> list[Made | AssetbuildError]:
    """A file for each want, or why it can't be made, in their order. `shown` is what messages call the picture. Safe in several threads at once."""
    try:
        picture = opened(master, shown=shown)
    except CantExport as problem:
        return [problem] * len(wants)
    several = picture.info.pop("several", False)
    shapes: dict[tuple[object, ...], tuple[Picture, Plan]] = {}
    done: list[Made | AssetbuildError] = []
    for want in wants:
        try:
            made = _one(picture, want, shapes, shown)
            done.append(made._replace(notes=(*made.notes, FIRST_ONLY)) if several else made)
        except AssetbuildError as problem:
            done.append(problem)
        except (OSError, ValueError, MemoryError) as problem:
            done.append(
                CantExport(f"the encoder can't make this {want.recipe.format} ({problem})", hint="another size or format may do")
            )
    return done


def _one(picture: Picture, want: Want, shapes: dict[tuple[object, ...], tuple[Picture, Plan]], shown: str) -> Made:
    recipe = want.recipe
    if recipe.format == "pdf":
        from .pdf import pdf

        return pdf(picture, want, focus=focus_of(picture, recipe), title=shown)
    if recipe.format == "ico":
        return _ico(picture, recipe)
    key = tuple(getattr(recipe, name) for name in _SHAPE)
    if key not in shapes:
        shapes[key] = drawn(picture, recipe)
    part, plan = shapes[key]
    most = LIMITS.get(recipe.format)
    if most is not None and max(plan.width, plan.height) > most:
        text = f"a {recipe.format} has at most {most:,} pixels a side, and this would have {plan.width:,}×{plan.height:,}"
        raise CantExport(text, hint="make it smaller, or take png or tiff")
    out, profile = finished(part, plan, want)
    data, note = _encoded(out, recipe, want.xmp, profile)
    notes = [note] if note else []
    if recipe.icc == "keep" and profile is None and "icc_profile" in part.info:
        notes.append(f"a {recipe.format} like this can't keep a profile for grey: its colours are sRGB")
    return Made(data, plan.width, plan.height, tuple(notes))


def _encoded(picture: Picture, recipe: Recipe, xmp: bytes | None, profile: bytes | None) -> tuple[bytes, str]:
    """The bytes, and what is worth saying of them. Raises CantExport when they can't be small enough."""
    most = recipe.max_bytes
    first = encode(picture, recipe, xmp=xmp, icc=profile)
    if most is None or len(first) <= most:
        return first, ""
    if recipe.format == "png" or recipe.lossless:
        return _fewer_colours(picture, recipe, xmp, profile, len(first))
    usual = recipe.quality or QUALITY.get(recipe.format, 0)
    if usual <= LEAST_QUALITY:
        raise _too_large(most, len(first), f"at quality {usual}" if usual else f"as {recipe.format}")

    def at(quality: int) -> bytes:
        return encode(picture, recipe._replace(quality=quality), xmp=xmp, icc=profile)

    low, high = LEAST_QUALITY, usual - 1
    best: tuple[int, bytes] | None = None
    while low <= high:
        middle = (low + high) // 2
        data = at(middle)
        if len(data) <= most:
            best, low = (middle, data), middle + 1
        else:
            high = middle - 1
    if best is None:
        least = len(at(LEAST_QUALITY))
        raise _too_large(most, least, f"at quality {LEAST_QUALITY}")
    return best[1], f"quality lowered to {best[0]}, so that it is at most {most:,} bytes"


def _fewer_colours(picture: Picture, recipe: Recipe, xmp: bytes | None, profile: bytes | None, whole: int) -> tuple[bytes, str]:
    """A png becomes smaller by a palette."""
    most = recipe.max_bytes or 0
    if recipe.format != "png":
        raise _too_large(most, whole, "without loss")
    data = b""
    for colors in (256, 128, 64, 32):
        if recipe.colors is not None and colors >= recipe.colors:
            continue
        data = encode(picture, recipe._replace(colors=colors), xmp=xmp, icc=profile)
        if len(data) <= most:
            return data, f"brought to {colors} colours, so that it is at most {most:,} bytes"
    raise _too_large(most, len(data) or whole, "with 32 colours")


def _too_large(most: int, least: int, how: str) -> CantExport:
    return CantExport(
        f"`max_bytes: {most}` can't be reached: {how} it still has {least:,} bytes",
        hint="make width and height smaller, take webp or avif, or raise `max_bytes`",
    )


# ---- the encoders ------------------------------------------------------------------------------------------------------------


def encode(picture: Picture, recipe: Recipe, *, xmp: bytes | None = None, icc: bytes | None = None) -> bytes:
    """The bytes of a file in the recipe's format. `icc` and `xmp` go into it unless the recipe strips; nothing that a clock or chance decides."""
    options = _OPTIONS[recipe.format](picture, recipe)
    picture = options.pop("picture", picture)
    if not recipe.strip:
        if icc is not None:
            options["icc_profile"] = icc
        if xmp is not None:
            options |= _with_xmp(recipe.format, xmp)
    if recipe.dpi is not None or recipe.page is not None:
        options |= _with_dpi(recipe.format, recipe.dpi or DPI)
    out = io.BytesIO()
    if picture.info:  # an encoder writes whatever it finds there; other files are made of the same picture
        picture = picture.copy()
        picture.info.clear()
    picture.save(out, recipe.format.upper(), **options)
    return out.getvalue()


def _with_xmp(kind: str, xmp: bytes) -> dict[str, Any]:
    if kind == "png":
        from PIL.PngImagePlugin import PngInfo

        words = PngInfo()
        words.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return {"pnginfo": words}
    if kind == "tiff":
        return {"tiffinfo": {700: xmp}}  # Pillow takes `xmp=` here without a word and writes nothing
    return {"xmp": xmp}


def _with_dpi(kind: str, dpi: float) -> dict[str, Any]:
    return {"dpi": (dpi, dpi)} if kind in ("png", "jpeg", "tiff") else {}


def _png(picture: Picture, recipe: Recipe) -> dict[str, Any]:
    effort = EFFORT["png"] if recipe.effort is None else recipe.effort
    options: dict[str, Any] = {"compress_level": min(9, max(1, effort)), "optimize": effort >= 9}  # noqa: PLR2004
    if recipe.colors is not None:
        options["picture"] = _palette(picture, recipe.colors)
    return options


def _palette(picture: Picture, colors: int) -> Picture:
    from PIL import Image

    if picture.mode in ("RGBA", "LA"):
        return picture.convert("RGBA").quantize(colors, Image.Quantize.FASTOCTREE, dither=Image.Dither.FLOYDSTEINBERG)
    solid = picture.convert("RGB")
    chosen = solid.quantize(colors, Image.Quantize.MEDIANCUT)
    return solid.quantize(palette=chosen, dither=Image.Dither.FLOYDSTEINBERG)


def _jpeg(picture: Picture, recipe: Recipe) -> dict[str, Any]:
    quality = recipe.quality or QUALITY["jpeg"]
    sampling = 0 if quality >= FINE or picture.mode == "CMYK" else 2
    return {"quality": quality, "subsampling": sampling, "progressive": True, "optimize": True}


def _webp(picture: Picture, recipe: Recipe) -> dict[str, Any]:
    effort = EFFORT["webp"] if recipe.effort is None else recipe.effort
    method = min(6, round(effort * 0.6))
    options: dict[str, Any] = {"picture": _colour(picture), "method": method, "lossless": bool(recipe.lossless)}
    return options | {"quality": recipe.quality or (100 if recipe.lossless else QUALITY["webp"]), "exact": bool(recipe.lossless)}


def _avif(picture: Picture, recipe: Recipe) -> dict[str, Any]:
    if recipe.lossless:
        raise CantExport(
            "an avif without loss can't be made here: its colours are always turned",
            hint="take `.webp` with `lossless: true`, or `.png`",
        )
    effort = EFFORT["avif"] if recipe.effort is None else recipe.effort
    quality = recipe.quality or QUALITY["avif"]
    sampling = "4:4:4" if quality >= FINE else "4:2:0"
    # One thread: exports of several pictures are made at once, each in a thread of ours.
    speed = 10 - min(10, effort)
    return {"picture": _colour(picture), "quality": quality, "speed": speed, "subsampling": sampling, "max_threads": 1}


def _tiff(_: Picture, recipe: Recipe) -> dict[str, Any]:
    return {"compression": "tiff_adobe_deflate"}


def _colour(picture: Picture) -> Picture:
    """These formats know no grey."""
    return picture if picture.mode in ("RGB", "RGBA") else picture.convert("RGBA" if picture.mode == "LA" else "RGB")


_OPTIONS: dict[str, Callable[[Picture, Recipe], dict[str, Any]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "avif": _avif,
    "tiff": _tiff,
}


def _ico(picture: Picture, recipe: Recipe) -> Made:
    """Squares of several sizes, each from the master's own pixels, in one file."""
    sizes = sorted(set(recipe.sizes or ICO_SIZES))
    if sizes[-1] > ICO_MOST:
        raise CantExport(f"an ico has at most {ICO_MOST} pixels a side", hint=f"leave {sizes[-1]} out of `sizes`")
    squares = [
        shaped(picture, Want(Recipe("png", side, side, fit="contain", matte=recipe.matte, trim=recipe.trim)))[0].convert("RGBA")
        for side in sizes
    ]
    for square in squares:
        square.info.clear()
    out = io.BytesIO()
    squares[-1].save(out, "ICO", sizes=[(side, side) for side in sizes], append_images=squares[:-1])
    data = out.getvalue()
    if recipe.max_bytes is not None and len(data) > recipe.max_bytes:
        raise CantExport(
            f"`max_bytes: {recipe.max_bytes}` can't be reached: as ico it has {len(data):,} bytes",
            hint="leave out the largest of `sizes`",
        )
    return Made(data, sizes[-1], sizes[-1])
