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

MOST_PIXELS = 300_000_000  # of what is made: A0 at 400 dpi
_TO_CMYK = ("jpeg", "tiff", "pdf")
_NO_GREY = ("webp", "avif", "ico")  # they hold three channels, which no profile of greys fits


def shaped(picture: Picture, want: Want) -> tuple[Picture, Plan]:
    """The picture in the recipe's size and colours; `info["icc_profile"]` is what goes into the file. Raises CantExport."""
    made, plan = drawn(picture, want.recipe)
    out, profile = finished(made, plan, want)
    if out is picture:
        out = picture.copy()
    out.info.clear()
    if profile is not None:
        out.info["icc_profile"] = profile
    return out, plan


def drawn(picture: Picture, recipe: Recipe) -> tuple[Picture, Plan]:
    """What is seen of the picture, in the size in which it is drawn, with its own colours and profile: what all formats of one shape have in common. It is
    the picture itself where nothing changes. Raises CantExport.
    """
    own = picture.info.get("icc_profile")
    if recipe.trim >= 0:
        from .cutting import trim

        picture = trim(picture, recipe.trim)
    plan = layout(*picture.size, recipe, focus_of(picture, recipe))
    if plan.width * plan.height > MOST_PIXELS:
        raise CantExport(
            f"{plan.width:,}×{plan.height:,} pixels are more than can be made here",
            hint="make width and height smaller, or `dpi`",
        )
    made = picture
    if plan.drawn != picture.size or plan.source != (0, 0, *picture.size):
        made = resized(picture, plan)
        if recipe.sharpen and plan.scale < 1:
            made = _sharper(made, round(recipe.sharpen))
    if made is not picture or recipe.trim >= 0:
        made.info.clear()
        if own is not None:
            made.info["icc_profile"] = own
    return made, plan


def finished(made: Picture, plan: Plan, want: Want) -> tuple[Picture, bytes | None]:
    """What was drawn, with its colours turned and on its ground, and the profile that goes into the file (None: sRGB, which needs none). The ground comes
    last: a matte is a colour of the export, not of the master. Raises CantExport.
    """
    from PIL import Image

    from .inks import matte  # it builds on this room

    recipe = want.recipe
    alpha = made.getchannel("A") if made.mode in ("RGBA", "LA") else None
    out, profile = coloured(made, want)
    solid = recipe.matte is not None or recipe.format == "jpeg" or out.mode == "CMYK"
    if plan.drawn == (plan.width, plan.height) and (alpha is None or not solid):
        return out, profile
    grey = profile is not None and channels_of(profile) == "GRAY"
    mode = out.mode if out.mode == "CMYK" else ("L" if grey else "RGB")
    place = (plan.width - plan.drawn[0]) // 2, (plan.height - plan.drawn[1]) // 2
    if solid:
        ground = matte(recipe.matte or "#ffffff", want, profile).convert(mode).resize((plan.width, plan.height))
        ground.paste(out.convert(mode), place, alpha)
    else:
        ground = Image.new(mode + "A", (plan.width, plan.height))
        ground.paste(out.convert(mode + "A"), place)
    return ground, profile


def resized(picture: Picture, plan: Plan) -> Picture:
    """One step from the master's pixels to the export's; transparency weighs, so that no dark fringe comes."""
    from PIL import Image

    clear = {"RGBA": "RGBa", "LA": "La"}.get(picture.mode)
    work = picture.convert(clear) if clear is not None else picture
    made = work.resize(plan.drawn, Image.Resampling.LANCZOS, box=(*plan.source,), reducing_gap=3.0)
    return made.convert(picture.mode) if clear is not None else made


def _sharper(made: Picture, percent: int) -> Picture:
    """Sharpened. What is transparent has no colour of its own, so it takes its neighbours' first: else its black would count as an edge."""
    from PIL import Image, ImageFilter

    mask = ImageFilter.UnsharpMask(radius=0.8, percent=percent, threshold=2)
    solid = {"RGBA": "RGB", "LA": "L"}.get(made.mode)
    if solid is None:
        return made.filter(mask)
    alpha = made.getchannel("A")
    near = made.convert({"RGBA": "RGBa", "LA": "La"}[made.mode]).filter(ImageFilter.GaussianBlur(2)).convert(made.mode)
    sharp = Image.composite(made.convert(solid), near.convert(solid), alpha).filter(mask)
    sharp.putalpha(alpha)
    return sharp


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
    from .attention import busiest

    return busiest(picture, wide / width, high / height)


# ---- colours ------------------------------------------------------------------------------------------------------------------


def coloured(picture: Picture, want: Want) -> tuple[Picture, bytes | None]:
    """The picture in the colours that are asked for, and the profile that goes into the file (None: sRGB, which needs none). Raises CantExport."""
    own = picture.info.get("icc_profile")
    recipe = want.recipe
    greyless = recipe.format in _NO_GREY or (recipe.format == "png" and (recipe.colors or recipe.max_bytes) is not None)
    if recipe.icc == "keep" and not (own is not None and greyless and channels_of(own) == "GRAY"):
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
    if kind == "GRAY" and greyless:
        what = "with a palette (`colors`, `max_bytes`) " if recipe.format == "png" else ""
        raise CantExport(f"a {recipe.format} {what}can't hold a profile for grey", hint="take a plain `.png`, `.jpg` or `.tiff`")
    return _turned(picture, own, want.icc), want.icc


def _turned(picture: Picture, own: bytes | None, wanted: bytes | None) -> Picture:
    """Colours from one profile into another (None: sRGB), transparency as it was; CMYK has none."""
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
    made.info.clear()  # lcms leaves its profile there, with the clock's time in it
    if alpha is not None and kind != "CMYK":
        made.putalpha(alpha)
    return made
