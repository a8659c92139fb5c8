"""Opens a picture file safely, as pixels that can be worked on: whole, upright, 8 bits, grey or RGB with or without transparency. Knows Pillow's traps; what is
made of the pixels is for others.
"""

from __future__ import annotations

import io
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
_BYTE = 255
_WIDE = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")


def opened(path: Path, *, shown: str) -> Picture:
    """The picture, decoded to its end. Mode L, LA, RGB or RGBA; `info["icc_profile"]` only where it is one that fits. Of an animation or a file of several
    pages the first. Raises CantExport, which calls it `shown`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    # For the whole process, since `catch_warnings` isn't safe in threads: what is too large is asked for below, by number.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    try:
        picture: Picture = Image.open(path, formats=FORMATS)
        with picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise _too_large(f"{width:,}×{height:,} pixels", shown)
            picture.load()
            profile = _sound(picture.info.get("icc_profile"))
            picture = ImageOps.exif_transpose(picture)
            return _plain(picture, profile, shown)
    except CantExport:
        raise
    except Image.DecompressionBombError:
        raise _too_large("far more pixels than any picture", shown) from None
    except UnidentifiedImageError:
        raise CantExport(
            f"the picture of `{shown}` is no picture file that can be read here",
            hint="png, jpeg, webp, avif, tiff, gif and bmp can",
        ) from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        MemoryError,
        KeyError,
        TypeError,
    ) as problem:
        raise CantExport(
            f"the picture of `{shown}` is damaged or cut off ({problem})", hint="get the file again; nothing was made from it"
        ) from problem


def _too_large(what: str, shown: str) -> CantExport:
    text = f"the picture of `{shown}` has {what}, and more than {MOST_PIXELS:,} aren't opened"
    return CantExport(text, hint="make it smaller in an image program first")


def _plain(picture: Picture, profile: bytes | None, shown: str) -> Picture:
    """The same in one of the modes that are worked with; a palette, CMYK or 16 bits become what they look like."""
    mode = picture.mode
    if mode in ("CMYK", "LAB", "YCbCr"):
        picture = _to_rgb(picture, profile, shown)
        profile = None
    elif mode in _WIDE:
        picture = _eight_bits(picture)
    elif mode == "1":
        picture = picture.convert("L")
    elif mode == "P" or "transparency" in picture.info:
        clear = "transparency" in picture.info
        picture = picture.convert("RGBA" if clear else "RGB")
    elif mode == "PA" or mode in ("RGBa", "La"):
        picture = picture.convert("RGBA")
    elif mode not in WELL:
        picture = picture.convert("RGB")
    if profile is not None and _channels(profile) != ("GRAY" if picture.mode in ("L", "LA") else "RGB"):
        profile = None
    for name in list(picture.info):
        del picture.info[name]
    if profile is not None:
        picture.info["icc_profile"] = profile
    return picture


def _eight_bits(picture: Picture) -> Picture:
    """16 bits or numbers as grey of 8: scaled, never cut. Pillow's own conversion would clip at 255."""
    if picture.mode == "F":
        low, high = picture.getextrema()
        low, high = float(low), float(high)  # type: ignore[arg-type] # one channel
        span = high - low if high > 1.0 or low < 0.0 else 1.0
        low = low if high > 1.0 or low < 0.0 else 0.0
        return picture.point(lambda value: value * (255.0 / (span or 1.0)) - low * (255.0 / (span or 1.0))).convert("L")
    wide = picture.convert("I")
    _, most = wide.getextrema()
    small = picture.mode == "I" and int(most) <= _BYTE  # type: ignore[arg-type] # one channel
    return wide.point(lambda value: value * (1.0 if small else 1 / 257) + 0.5).convert("L")


def _to_rgb(picture: Picture, profile: bytes | None, shown: str) -> Picture:
    """CMYK as it looks in print, by the profile that the file carries."""
    from PIL import ImageCms

    if picture.mode != "CMYK":
        return picture.convert("RGB")
    if profile is None or _channels(profile) != "CMYK":
        raise CantExport(
            f"the picture of `{shown}` is CMYK without a colour profile, so nobody can say what its colours are",
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


def _sound(profile: object) -> bytes | None:
    """An embedded profile that can be read; a broken one counts as none."""
    if not isinstance(profile, bytes) or _channels(profile) == "":
        return None
    return profile


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
