"""The colours of a PDF: which profile its picture is in, the bytes of a picture as a PDF holds them, a single colour in the same space. Knows Pillow's encoders
and lcms; knows no page.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, NamedTuple

from .opening import channels_of, srgb
from .shaping import coloured
from .wanted import CantExport, Want

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

GRID = range(0, 256, 32)  # of each channel, where two profiles are compared
STEP = 1  # of 255: what a profile may differ by and still be sRGB
JPEG = 90  # quality on paper
JPEG_MOST = 65_500  # pixels of a side
EFFORT = 6
_MADE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # lcms writes the clock's time into a profile
_SPACES = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK"}


class Inks(NamedTuple):
    """What colours are written in: `profile` (None: `device` alone says it) with its number of channels."""

    device: str
    channels: int
    profile: bytes | None


class Coded(NamedTuple):
    """A picture as it stands in a PDF: its bytes, the entries that say how to read them."""

    data: bytes
    width: int
    height: int
    entries: dict[str, object]


def inked(picture: Picture, want: Want) -> tuple[Picture, Picture | None, Inks]:
    """The picture (L, RGB or CMYK) in the colours that are asked for, its transparency apart (None: opaque), and what they are written in. With `matte` it is
    flattened on it. Raises CantExport.

    RGB is tagged as sRGB: a press turns what it knows, and guesses what says only "RGB". Grey without a profile stays DeviceGray, so that it prints with
    black alone. With `strip` no profile is written.
    """
    recipe = want.recipe
    own = picture.info.get("icc_profile")
    if own is not None and own == want.icc:  # it is there already
        want = want._replace(recipe=recipe._replace(icc="keep"), icc=None)
    elif own is not None and want.icc is None and recipe.icc != "keep" and is_srgb(own):
        picture, own = picture.copy(), None
        picture.info.pop("icc_profile")
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    if alpha is not None and alpha.getextrema() == (255, 255):
        alpha = None
    solid = picture.convert({"LA": "L", "RGBA": "RGB"}[picture.mode]) if picture.mode in ("LA", "RGBA") else picture
    if own is not None:
        solid.info["icc_profile"] = own
    out, profile = coloured(solid, want)
    if alpha is not None and recipe.matte is not None:
        colour = matte(recipe.matte, want, own)
        if out.mode == "L" and colour.mode == "RGB" and len(set(colour.getpixel((0, 0)))) > 1:  # type: ignore[arg-type]
            out = out.convert("RGB")
        ground = colour.convert(out.mode).resize(out.size)
        ground.paste(out, mask=alpha)
        out, alpha = ground, None
    return out, alpha, inks_of(out.mode, profile, recipe.strip)


def inks_of(mode: str, profile: bytes | None, strip: bool) -> Inks:
    """What a picture of this mode is written in."""
    channels = {"L": 1, "RGB": 3, "CMYK": 4}[mode]
    if strip:
        profile = None
    elif profile is None and mode == "RGB":
        profile = srgb_profile()
    return Inks(_SPACES[mode], channels, profile)


def matte(colour: str, want: Want, own: bytes | None) -> Picture:
    """One pixel of an sRGB colour in the colours that are asked for; `own` is the master's profile, for a recipe that keeps it."""
    from PIL import Image

    dot = Image.new("RGB", (1, 1), colour)
    if want.recipe.icc == "keep" and own is not None:
        want = want._replace(recipe=want.recipe._replace(icc="own"), icc=own)
    return coloured(dot, want)[0]


def is_srgb(profile: bytes) -> bool:
    """Whether a profile says what sRGB says, whatever its bytes are: no pixel needs turning then."""
    from PIL import Image, ImageCms

    if channels_of(profile) != "RGB":
        return False
    samples = bytes(value for r in GRID for g in GRID for b in GRID for value in (r, g, b))
    before = Image.frombytes("RGB", (len(samples) // 3, 1), samples)
    try:
        after = ImageCms.profileToProfile(before, ImageCms.ImageCmsProfile(io.BytesIO(profile)), srgb())
    except (ImageCms.PyCMSError, ValueError):
        return False
    return after is not None and max(abs(a - b) for a, b in zip(samples, after.tobytes(), strict=True)) <= STEP


def srgb_profile() -> bytes:
    """sRGB as the same bytes at any time."""
    made = srgb().tobytes()
    return made[:24] + _MADE + made[36:]


def coded(picture: Picture, *, quality: int | None, effort: int | None) -> Coded:
    """The pixels as a PDF holds them: without loss by default (`quality` None), else as a JPEG with all of its colours. Raises CantExport."""
    width, height = picture.size
    if quality is None:
        colours = {"L": 1, "RGB": 3, "CMYK": 4}[picture.mode]
        how = {"/Predictor": 15, "/Colors": colours, "/BitsPerComponent": 8, "/Columns": width}
        return Coded(_filtered(picture, effort), width, height, {"/Filter": "/FlateDecode", "/DecodeParms": how})
    if max(width, height) > JPEG_MOST:
        raise CantExport(
            f"a jpeg has at most {JPEG_MOST:,} pixels a side, and the picture in this PDF would have {width:,}×{height:,}",
            hint="leave out `quality`: the picture is then embedded without loss",
        )
    out = io.BytesIO()
    plain = picture.copy()
    plain.info.clear()
    plain.save(out, "JPEG", quality=quality, subsampling=0, optimize=True)
    entries: dict[str, object] = {"/Filter": "/DCTDecode"}
    if picture.mode == "CMYK":
        entries["/Decode"] = [1, 0] * 4  # Pillow writes CMYK as Adobe does: upside down
    return Coded(out.getvalue(), width, height, entries)


def _filtered(picture: Picture, effort: int | None) -> bytes:
    """Deflated rows with PNG's predictors, which PDF reads as they are: the IDAT of a PNG. Four inks are written as if they were RGBA."""
    from PIL import Image

    plain = picture if picture.mode != "CMYK" else Image.frombytes("RGBA", picture.size, picture.tobytes())
    out = io.BytesIO()
    plain.save(out, "PNG", compress_level=min(9, max(1, EFFORT if effort is None else effort)))
    png, parts, at = out.getbuffer(), [], 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            parts.append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(parts)
