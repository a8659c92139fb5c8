"""Opens a picture file safely, as pixels that can be worked on: whole, upright, 8 bits, grey or RGB with or without transparency. Knows Pillow's traps; what is
made of the pixels is for others.
"""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from .wanted import CantExport

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageCms import ImageCmsProfile

MOST_PIXELS = 170_000_000  # of one picture: above it a file is taken for a bomb (Pillow's own limit is a little higher)
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP")  # Pillow's other readers never see a stranger's bytes
WELL = ("L", "LA", "RGB", "RGBA")
_BYTE, _SHORT = 255, 65_535
_WIDE = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")


def opened(path: Path, *, shown: str) -> Picture:
    """The picture, decoded to its end. Mode L, LA, RGB or RGBA. `info` has "icc_profile" only where it is one that fits and works, and "several": True where
    this is the first picture of an animation or the first of several pages. Raises CantExport, which calls it `shown`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    # For the whole process, since `catch_warnings` isn't safe in threads. What is too large is asked for below, by number; what a reader grumbles about in
    # a TIFF's tags nobody can do anything about.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    try:
        file: Picture = Image.open(path, formats=FORMATS)
        with file:
            width, height = file.size
            if width * height > MOST_PIXELS:
                raise _too_large(f"{width:,}×{height:,} pixels", shown)
            file.load()
            profile = file.info.get("icc_profile")
            picture = ImageOps.exif_transpose(file)
            several = _several(file)
    except CantExport:
        raise
    except Image.DecompressionBombError:
        raise _too_large("far more pixels than any picture", shown) from None
    except UnidentifiedImageError:
        raise CantExport(
            f"the picture of `{shown}` is no picture file that can be read here",
            hint="png, jpeg, webp, avif, tiff, gif and bmp can",
        ) from None
    except Exception as problem:  # Pillow's readers raise whatever they stumble over in a stranger's bytes
        if isinstance(problem, OSError) and problem.errno is not None:
            text = f"the picture of `{shown}` can't be read ({problem.strerror})"
            raise CantExport(text, hint="look whether it is there and you may read it") from problem
        raise CantExport(
            f"the picture of `{shown}` is damaged or cut off ({problem})", hint="get the file again; nothing was made from it"
        ) from problem
    made = _plain(picture, profile if isinstance(profile, bytes) else None, shown)
    if several:
        made.info["several"] = True
    return made


def _several(file: Picture) -> bool:
    """Whether there is more in the file than its first picture. One that is cut off after it is whole enough."""
    try:
        return bool(getattr(file, "is_animated", False))
    except Exception:  # GIF looks for its second picture only now
        return True


def _too_large(what: str, shown: str) -> CantExport:
    text = f"the picture of `{shown}` has {what}, and more than {MOST_PIXELS:,} aren't opened"
    return CantExport(text, hint="make it smaller in an image program first")


def _plain(picture: Picture, profile: bytes | None, shown: str) -> Picture:
    """The same in one of the modes that are worked with; a palette, CMYK or 16 bits become what they look like."""
    mode, clear = picture.mode, picture.info.get("transparency")
    if mode in ("CMYK", "LAB", "YCbCr"):
        picture = _to_rgb(picture, profile, shown)
        profile = None
    elif mode in _WIDE:
        picture = _eight_bits(picture, clear, shown)
    elif mode == "P" or clear is not None:
        if isinstance(clear, tuple) and max(clear) > _BYTE:  # of 16 bits a channel, whose pixels have 8 now
            picture.info["transparency"] = tuple(value >> 8 for value in clear)
        picture = picture.convert("RGBA" if clear is not None else "RGB")
    elif mode == "1":
        picture = picture.convert("L")
    elif mode == "PA" or mode in ("RGBa", "La"):
        picture = picture.convert("RGBA")
    elif mode not in WELL:
        picture = picture.convert("RGB")
    picture.info.clear()
    if profile is not None and _works(profile, "L" if picture.mode in ("L", "LA") else "RGB"):
        picture.info["icc_profile"] = profile
    return picture


def _eight_bits(picture: Picture, clear: object, shown: str) -> Picture:
    """16 bits or numbers as grey of 8: scaled, never cut; Pillow's own conversion would clip at 255. Numbers whose white nobody knows (above 1.0, above 16
    bits, below zero) are stretched from the least to the most.
    """
    from PIL import Image

    numbers = picture if picture.mode == "F" else picture.convert("I")
    hole = None
    if picture.mode == "I;16" and isinstance(clear, int):
        hole = numbers.point([0 if value == clear else _BYTE for value in range(_SHORT + 1)], "L")
    low, high = (float(value) for value in numbers.getextrema())  # type: ignore[arg-type] # one channel
    if not (math.isfinite(low) and math.isfinite(high)):
        raise CantExport(f"the picture of `{shown}` has numbers in it that are no brightness", hint="save it with 8 or 16 bits")
    white = 1.0 if picture.mode == "F" else float(_BYTE if picture.mode == "I" and high <= _BYTE else _SHORT)
    if low >= 0.0 and high <= white:
        low, high = 0.0, white
    scale = _BYTE / ((high - low) or 1.0)
    grey = numbers.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")
    return grey if hole is None else Image.merge("LA", (grey, hole))


def _to_rgb(picture: Picture, profile: bytes | None, shown: str) -> Picture:
    """CMYK as it looks in print, by the profile that the file carries."""
    from PIL import ImageCms

    if picture.mode != "CMYK":
        return picture.convert("RGB")
    if profile is None or not _works(profile, "CMYK"):
        with_what = "without a colour profile" if profile is None else "with a broken colour profile"
        raise CantExport(
            f"the picture of `{shown}` is CMYK {with_what}, so nobody can say what its colours are",
            hint="save it as RGB, or with its profile embedded",
        )
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.profileToProfile(
        picture,
        source,
        srgb(),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert made is not None  # noqa: S101 - it isn't done in place
    return made


def srgb() -> ImageCmsProfile:
    """The profile of screens."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _works(profile: bytes, mode: str) -> bool:
    """Whether it is a profile for pictures of mode L, RGB or CMYK from which colours can be turned; a broken one counts as none."""
    from PIL import ImageCms

    if _channels(profile) != {"L": "GRAY"}.get(mode, mode):
        return False
    try:
        ImageCms.buildTransform(io.BytesIO(profile), srgb(), mode, "RGB")
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return False
    return True


def _channels(profile: bytes) -> str:
    """RGB, GRAY, CMYK; "" for what is no profile."""
    from PIL import ImageCms

    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return ""
    return str(found).strip()


def channels_of(profile: bytes) -> str:
    """What a colour profile is for: RGB, GRAY, CMYK …; "" for what is no profile."""
    return _channels(profile)
