"""Brings a picture into the shape that a recipe asks for: cut to its object, cropped to what matters, resized in one step, its colours turned. Knows
pixels; files and formats are for others.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ..geometry import Plan, layout
from ..recipe import Recipe
from .opening import channels_of, srgb
from .wanted import CantExport, Want

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

GRID = 96  # pixels of the longer side of the copy in which the busiest part is looked for
_TO_CMYK = ("jpeg", "tiff", "pdf")


def shaped(picture: Picture, want: Want) -> tuple[Picture, Plan]:
    """The picture in the recipe's size, without turning its colours."""
    recipe = want.recipe
    if recipe.trim >= 0:
        from .cutting import trim

        kept = picture.info.get("icc_profile")
        picture = trim(picture, recipe.trim)
        if kept is not None:
            picture.info["icc_profile"] = kept
    plan = layout(*picture.size, recipe, focus_of(picture, recipe))
    if (plan.width, plan.height) == picture.size and plan.drawn == picture.size:
        return picture, plan
    made = resized(picture, plan)
    if recipe.sharpen and plan.scale < 1:
        from PIL import ImageFilter

        made = made.filter(ImageFilter.UnsharpMask(radius=0.8, percent=round(recipe.sharpen), threshold=2))
    if plan.drawn != (plan.width, plan.height):
        made = _on_ground(made, plan, recipe)
    made.info.clear()
    if "icc_profile" in picture.info:
        made.info["icc_profile"] = picture.info["icc_profile"]
    return made, plan


def resized(picture: Picture, plan: Plan) -> Picture:
    """One step from the master's pixels to the export's; transparency weighs, so that no dark fringe comes."""
    from PIL import Image

    clear = {"RGBA": "RGBa", "LA": "La"}.get(picture.mode)
    work = picture.convert(clear) if clear is not None else picture
    made = work.resize(plan.drawn, Image.Resampling.LANCZOS, box=(*plan.source,), reducing_gap=3.0)
    return made.convert(picture.mode) if clear is not None else made


def _on_ground(made: Picture, plan: Plan, recipe: Recipe) -> Picture:
    """A contained picture in the middle of its box: on the matte, else on nothing."""
    from PIL import Image

    mode = "RGB" if recipe.matte is not None else "RGBA"
    ground = Image.new(mode, (plan.width, plan.height), recipe.matte or (0, 0, 0, 0))
    place = ((plan.width - plan.drawn[0]) // 2, (plan.height - plan.drawn[1]) // 2)
    if mode == "RGB" and made.mode in ("RGBA", "LA"):
        ground.paste(made.convert("RGBA"), place, made.getchannel("A"))
    else:
        ground.paste(made.convert(mode), place)
    return ground


# ---- what stays -------------------------------------------------------------------------------------------------------------


def focus_of(picture: Picture, recipe: Recipe) -> tuple[float, float]:
    """The place that stays when something is cut, as fractions: the recipe's, or the middle of the busiest part that fits."""
    if recipe.focus != "attention":
        return recipe.focus
    plan = layout(*picture.size, recipe)
    wide, high = plan.source.right - plan.source.left, plan.source.bottom - plan.source.top
    width, height = picture.size
    if wide >= width and high >= height:
        return (0.5, 0.5)
    return _busiest(picture, wide / width, high / height)


def _busiest(picture: Picture, across: float, down: float) -> tuple[float, float]:
    """The middle of the window (as fractions of the picture) with the most edges and colour. Sums over a small copy, so it is the same everywhere."""
    from PIL import Image, ImageFilter

    scale = GRID / max(picture.size)
    size = max(2, round(picture.width * scale)), max(2, round(picture.height * scale))
    flat = Image.new("RGB", picture.size, (128, 128, 128))
    flat.paste(picture.convert("RGB"), mask=picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None)
    small = flat.resize(size, Image.Resampling.BOX)
    edges = small.convert("L").filter(ImageFilter.FIND_EDGES).tobytes()
    colours = small.convert("HSV").getchannel("S").tobytes()
    wide, high = size
    energy = [
        edges[i] * 3 + colours[i] if 0 < i % wide < wide - 1 and wide <= i < wide * (high - 1) else 0 for i in range(wide * high)
    ]
    sums = _integral(energy, wide, high)
    window = min(wide, max(1, round(across * wide))), min(high, max(1, round(down * high)))
    best, middle = -1.0, (0.5, 0.5)
    for top in range(high - window[1] + 1):
        for left in range(wide - window[0] + 1):
            right, bottom = left + window[0], top + window[1]
            total = sums[bottom][right] - sums[top][right] - sums[bottom][left] + sums[top][left]
            x, y = (left + right) / 2 / wide, (top + bottom) / 2 / high
            value = total * (1 - 0.05 * (abs(x - 0.5) + abs(y - 0.5)))  # of two that are as busy, the one nearer to the middle
            if value > best:
                best, middle = value, (x, y)
    return middle


def _integral(values: list[int], wide: int, high: int) -> list[list[int]]:
    """Sums of all values above and to the left."""
    sums = [[0] * (wide + 1)]
    for y in range(high):
        row, above, line = 0, sums[-1], [0]
        for x in range(wide):
            row += values[y * wide + x]
            line.append(above[x + 1] + row)
        sums.append(line)
    return sums


# ---- colours ------------------------------------------------------------------------------------------------------------------


def coloured(picture: Picture, want: Want) -> tuple[Picture, bytes | None]:
    """The picture in the colours that are asked for, and the profile that goes into the file (None: sRGB, which needs none). Raises CantExport."""
    own = picture.info.get("icc_profile")
    recipe = want.recipe
    if recipe.icc == "keep":
        return picture, own
    if want.icc is None:
        return (picture if own is None else _turned(picture, own, None)), None
    kind = channels_of(want.icc)
    if kind == "CMYK" and recipe.format not in _TO_CMYK:
        raise CantExport(
            f"a {recipe.format} can't hold CMYK", hint="end the path with `.tiff`, `.jpg` or `.pdf`, or name an RGB profile"
        )
    if kind not in ("RGB", "CMYK", "GRAY"):
        what = f"is for {kind}" if kind else "is no colour profile"
        raise CantExport(f"the file under `icc` {what}", hint="name an .icc file for RGB, CMYK or grey")
    return _turned(picture, own, want.icc), want.icc


def _turned(picture: Picture, own: bytes | None, wanted: bytes | None) -> Picture:
    """Colours from one profile into another (None: sRGB), transparency as it was."""
    from PIL import ImageCms

    alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None
    flat = picture.convert("L" if picture.mode in ("L", "LA") and own is not None and channels_of(own) == "GRAY" else "RGB")
    kind = "RGB" if wanted is None else {"CMYK": "CMYK", "GRAY": "L"}.get(channels_of(wanted), "RGB")
    source = srgb() if own is None else ImageCms.ImageCmsProfile(io.BytesIO(own))
    target = srgb() if wanted is None else ImageCms.ImageCmsProfile(io.BytesIO(wanted))
    try:
        made = ImageCms.profileToProfile(
            flat,
            source,
            target,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode=kind,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, ValueError) as problem:
        raise CantExport(
            f"the colours can't be turned into the profile under `icc` ({problem})", hint="try another profile"
        ) from problem
    assert made is not None  # noqa: S101 - it isn't done in place
    if alpha is not None and kind != "CMYK":
        made.putalpha(alpha)
    return made
