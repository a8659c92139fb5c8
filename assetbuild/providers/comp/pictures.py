"""Input pictures: what they are, their colours, where they are calm; encoding. With `cutting` the only room that knows Pillow.
Knows no prompt.

PNG bytes always come from typst, whose version is pinned; Pillow only looks, or encodes JPEG and WebP (those bytes follow
Pillow's version).
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..base import Kind, Picture, ProviderError
from . import record
from .palette import apart

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

MOST_PIXELS = 100_000_000
_TYPST_READS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif"}
MAP = 256  # cells of the longer side of the map that places are found on
FLAT = 20  # two values of a channel that differ less are one colour, to the eye
DAMAGED = "it is damaged or cut off"


class Sight(NamedTuple):
    """A picture as a map of w x h cells, row by row. `rgb` are its colours, three bytes a cell; `edges` is 1 where the colour
    changes, else 0; `masks` are, for each colour that takes much room, 255 where something stands on it and 0 where it is bare.
    """

    w: int
    h: int
    rgb: bytes
    edges: bytes
    masks: tuple[bytes, ...]


class Seen(NamedTuple):
    """What a picture is, and where it lies. Sizes in pixels, upright. `format` is typst's name of it; `convert`: typst can't read it
    as it is.

    `colours` are its main ones, `sight` is what it looks like; both only where it was looked at closely. `held` are bytes to
    take instead of the file's. `told` is the record of a comp.
    """

    picture: Picture
    path: Path
    w: int
    h: int
    format: str
    convert: bool
    colours: tuple[str, ...] = ()
    sight: Sight | None = None
    held: bytes = b""
    told: record.Record | None = None


def _named(picture: Picture) -> str:
    if picture.shown:
        return f"`{picture.shown}`" + (f" (as `{picture.name}`)" if picture.name else "")
    return f"`{picture.name}`" if picture.name else "the base picture" if picture.role == "base" else "an input picture"


def unreadable(picture: Picture, why: str) -> ProviderError:
    """What is said of an input that is no picture."""
    return ProviderError(
        Kind.INVALID, f"{_named(picture)} can't be read as a picture: {why}", hint="use a PNG, JPEG, WebP, GIF or SVG file"
    )


def open_picture(picture: Picture) -> Pixels:
    """An input, its pixels not read yet. Raises ProviderError (INVALID) when it is none, or of more than 100 million pixels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bombs are judged below, by the size in the header
            opened = Image.open(picture.path)
    except UnidentifiedImageError as error:
        raise unreadable(picture, "not a picture of a known format") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise unreadable(picture, DAMAGED) from error
    if opened.width * opened.height > MOST_PIXELS:
        raise unreadable(picture, f"{opened.width} x {opened.height} pixels are more than {MOST_PIXELS // 1_000_000} million")
    return opened


def look(picture: Picture, *, closely: bool = False) -> Seen:
    """Size and format; `closely` also its colours and where it is calm. Raises ProviderError (INVALID)."""
    try:
        with picture.path.open("rb") as file:
            head = file.read(2048)
    except OSError as error:
        raise unreadable(
            picture, "the file isn't there" if isinstance(error, FileNotFoundError) else "the file can't be opened"
        ) from error
    if re.match(rb"(\xef\xbb\xbf)?\s*<(\?xml|svg|!DOCTYPE svg|!--)", head) and b"<svg" in head:
        box = re.search(rb"viewBox\s*=\s*[\"']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)", head)
        w, h = (max(1, round(float(box[1]))), max(1, round(float(box[2])))) if box else (100, 100)
        return Seen(picture, picture.path, w, h, "svg", False)
    opened = open_picture(picture)
    w, h = opened.size
    form = _TYPST_READS.get(opened.format or "", "")
    turned = opened.getexif().get(0x0112, 1) if form == "jpg" else 1
    if turned in (5, 6, 7, 8):
        w, h = h, w
    told = record.read(picture.path) if form in ("png", "jpg", "webp") else None
    convert = not form or turned not in (0, 1) or opened.mode in ("CMYK", "YCCK")
    seen = Seen(picture, picture.path, w, h, form or "png", convert, told=told)
    return _closely(opened, seen) if closely else seen


def unseen(w: int, h: int) -> Sight:
    """The map of a picture that wasn't looked at (vectors): busy everywhere."""
    scale = MAP / max(w, h)
    wide, high = max(8, round(w * scale)), max(8, round(h * scale))
    return Sight(wide, high, b"\x80" * (3 * wide * high), b"\x01" * (wide * high), ())


def _closely(opened: Pixels, seen: Seen) -> Seen:
    from PIL import Image, ImageChops, ImageOps

    try:
        opened.draft("RGB", (512, 512))
        whole = opened if opened.mode in ("RGB", "RGBA", "L") else opened.convert("RGBA")
        flat = whole.reduce(max(1, min(whole.size) // 300))  # the whole picture is never copied: that would double the time
        flat = ImageOps.exif_transpose(flat) if seen.format == "jpg" else flat
    except (OSError, SyntaxError, ValueError) as error:
        raise unreadable(seen.picture, DAMAGED) from error
    if flat.mode == "RGBA":
        flat = Image.alpha_composite(Image.new("RGBA", flat.size, "#FFFFFF"), flat)
    scale = MAP / max(flat.size)
    wh = (max(8, min(MAP, round(flat.width * scale))), max(8, min(MAP, round(flat.height * scale))))
    small = flat.convert("RGB").resize(wh, Image.Resampling.BOX)
    # rows and columns that the neighbours' colours differ in, whatever the channel
    changes = ImageChops.lighter(
        ImageChops.difference(small, ImageChops.offset(small, 1, 0)), ImageChops.difference(small, ImageChops.offset(small, 0, 1))
    )
    changes.paste((0, 0, 0), (0, 0, 1, wh[1]))  # an offset comes in again at the other side
    changes.paste((0, 0, 0), (0, 0, wh[0], 1))
    colours, grounds = _main(small)
    masks = tuple(_strongest(ImageChops.difference(small, Image.new("RGB", wh, colour)), FLAT, 255) for colour in grounds)
    return seen._replace(colours=colours, sight=Sight(*wh, small.tobytes(), _strongest(changes, FLAT, 1), masks))


def _strongest(rgb: Pixels, above: int, value: int) -> bytes:
    """`value` where any channel is above a limit, else 0."""
    from PIL import ImageChops

    red, green, blue = rgb.split()
    strongest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return strongest.point([0] * (above + 1) + [value] * (255 - above)).tobytes()


def _main(small: Pixels) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Up to five colours that take most room and are told apart; and, exactly, those that take a twentieth or more."""
    from PIL import Image

    counts: dict[tuple[int, int, int], int] = {}
    exact: dict[bytes, int] = {}
    raw = small.resize((60, 60), Image.Resampling.NEAREST).tobytes()
    for n in range(0, len(raw), 3):
        key = (raw[n] & 0xF8, raw[n + 1] & 0xF8, raw[n + 2] & 0xF8)
        counts[key] = counts.get(key, 0) + 1
        one = raw[n : n + 3]
        exact[one] = exact.get(one, 0) + 1
    found: list[str] = []
    for (red, green, blue), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        colour = f"#{red | red >> 5:02X}{green | green >> 5:02X}{blue | blue >> 5:02X}"
        if count >= 8 and all(apart(colour, other) >= 80 for other in found):
            found.append(colour)
        if len(found) == 5:
            break
    grounds = [
        f"#{one.hex().upper()}" for one, count in sorted(exact.items(), key=lambda item: (-item[1], item[0])) if count >= 180
    ]
    return tuple(found), tuple(grounds[:4])


def as_png(seen: Seen) -> bytes:
    """An upright RGB or RGBA PNG of a picture that typst can't read itself; typst encodes the final bytes anew. Raises
    ProviderError (INVALID).
    """
    from PIL import ImageOps

    kept = io.BytesIO()
    try:
        opened = ImageOps.exif_transpose(open_picture(seen.picture))
        opened.convert("RGBA" if "A" in opened.mode or "transparency" in opened.info else "RGB").save(
            kept, "PNG", compress_level=1
        )
    except (OSError, SyntaxError, ValueError) as error:
        raise unreadable(seen.picture, DAMAGED) from error
    return kept.getvalue()


def encode(png: bytes, form: str) -> bytes:
    """JPEG (quality 90, transparent parts white) or WebP (lossless, quality 80) of a PNG."""
    from PIL import Image

    opened = Image.open(io.BytesIO(png))
    kept = io.BytesIO()
    if form == "jpeg":
        rgba = opened.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "#FFFFFF")
        Image.alpha_composite(white, rgba).convert("RGB").save(kept, "JPEG", quality=90, subsampling=0)
    else:
        opened.save(kept, "WEBP", quality=90, method=2)
    return kept.getvalue()
