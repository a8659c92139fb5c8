"""Input pictures: what they are, their colours, where they are calm; cutting out and encoding. The only room that knows
Pillow. Knows no prompt.

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
_DAMAGED = "it is damaged or cut off"


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
    """What a picture is. Sizes in pixels, upright. `format` is typst's name of it; `convert`: typst can't read it as it is.

    `colours` are its main ones, `sight` is what it looks like; both only where it was looked at closely. `held` are bytes to
    take instead of the file's. `told` is the record of a comp.
    """

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


def _unreadable(picture: Picture, why: str) -> ProviderError:
    return ProviderError(
        Kind.INVALID, f"{_named(picture)} can't be read as a picture: {why}", hint="use a PNG, JPEG, WebP, GIF or SVG file"
    )


def _open(picture: Picture) -> Pixels:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bombs are judged below, by the size in the header
            opened = Image.open(picture.path)
    except UnidentifiedImageError as error:
        raise _unreadable(picture, "not a picture of a known format") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(picture, _DAMAGED) from error
    if opened.width * opened.height > MOST_PIXELS:
        raise _unreadable(picture, f"{opened.width} x {opened.height} pixels are more than {MOST_PIXELS // 1_000_000} million")
    return opened


def look(picture: Picture, *, closely: bool = False) -> Seen:
    """Size and format; `closely` also its colours and where it is calm. Raises ProviderError (INVALID)."""
    try:
        with picture.path.open("rb") as file:
            head = file.read(2048)
    except OSError as error:
        raise _unreadable(
            picture, "the file isn't there" if isinstance(error, FileNotFoundError) else "the file can't be opened"
        ) from error
    if re.match(rb"(\xef\xbb\xbf)?\s*<(\?xml|svg|!DOCTYPE svg|!--)", head) and b"<svg" in head:
        box = re.search(rb"viewBox\s*=\s*[\"']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)", head)
        w, h = (max(1, round(float(box[1]))), max(1, round(float(box[2])))) if box else (100, 100)
        return Seen(picture.path, w, h, "svg", False)
    opened = _open(picture)
    w, h = opened.size
    form = _TYPST_READS.get(opened.format or "", "")
    turned = opened.getexif().get(0x0112, 1) if form == "jpg" else 1
    if turned in (5, 6, 7, 8):
        w, h = h, w
    told = record.read(picture.path) if form in ("png", "jpg", "webp") else None
    seen = Seen(picture.path, w, h, form or "png", not form or turned not in (0, 1) or opened.mode in ("CMYK", "YCCK"), told=told)
    return _closely(picture, opened, seen) if closely else seen


def unseen(w: int, h: int) -> Sight:
    """The map of a picture that wasn't looked at (vectors): busy everywhere."""
    scale = MAP / max(w, h)
    wide, high = max(8, round(w * scale)), max(8, round(h * scale))
    return Sight(wide, high, b"\x80" * (3 * wide * high), b"\x01" * (wide * high), ())


def _closely(picture: Picture, opened: Pixels, seen: Seen) -> Seen:
    from PIL import Image, ImageChops, ImageOps

    try:
        opened.draft("RGB", (512, 512))
        whole = opened if opened.mode in ("RGB", "RGBA", "L") else opened.convert("RGBA")
        flat = whole.reduce(max(1, min(whole.size) // 300))  # the whole picture is never copied: that would double the time
        flat = ImageOps.exif_transpose(flat) if seen.format == "jpg" else flat
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(picture, _DAMAGED) from error
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
    """An upright RGB or RGBA PNG of a picture that typst can't read itself; typst encodes the final bytes anew."""
    from PIL import ImageOps

    opened = ImageOps.exif_transpose(_open(Picture("", seen.path, "reference", None, None)))
    kept = io.BytesIO()
    try:
        opened.convert("RGBA" if "A" in opened.mode or "transparency" in opened.info else "RGB").save(
            kept, "PNG", compress_level=1
        )
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(Picture("", seen.path, "reference", seen.path.name, None), _DAMAGED) from error
    return kept.getvalue()


def cut_out(picture: Picture, strip: float) -> tuple[bytes, int, int]:
    """The picture without its ground as a PNG, and its size. The ground is what is reached from the edges without crossing a
    change of colour.

    `strip` is the share at the foot that holds a comp's slug line: it goes too. Raises ProviderError (INVALID).
    """
    from PIL import ImageOps

    try:
        whole = ImageOps.exif_transpose(_open(picture)).convert("RGBA")
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(picture, _DAMAGED) from error
    told = record.read(picture.path)
    if told is None:
        _clear(whole, strip, 160)
    else:
        _clear_flat(whole, strip, told)
    kept = io.BytesIO()
    whole.save(kept, "PNG", compress_level=1)
    return kept.getvalue(), whole.width, whole.height


def cut_small(picture: Picture, seen: Seen, strip: float) -> Seen:
    """A logo without its ground, trimmed, small enough to be put into a corner. As it is where it can't be cut out (a photograph,
    a drawing in vectors).

    Raises ProviderError (INVALID).
    """
    from PIL import Image, ImageOps

    if seen.format == "svg":
        return seen
    try:
        opened = _open(picture)
        opened.draft("RGB", (512, 512))
        if max(opened.size) > 640 and opened.mode in ("RGB", "RGBA", "L"):  # first of all: the other steps take time by the pixel
            opened = opened.reduce(max(opened.size) // 320)
        whole = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(picture, _DAMAGED) from error
    whole = whole.crop((0, 0, whole.width, whole.height - round(whole.height * strip)))
    if b"\0" not in whole.getchannel("A").point([0] * 250 + [255] * 6).tobytes():
        corners = [whole.crop((x, y, x + 1, y + 1)).tobytes() for x in (0, whole.width - 1) for y in (0, whole.height - 1)]
        if min(whole.size) < 8 or any(abs(p - q) > FLAT for corner in corners for p, q in zip(corner, corners[0], strict=True)):
            return seen
        _clear(whole, 0, 72)
    box = whole.getchannel("A").point([0] * 40 + [255] * 216).getbbox()
    if box is None or (box[2] - box[0]) * (box[3] - box[1]) < 64:
        return seen
    whole = whole.crop(box)
    flat = whole.resize((60, 60), Image.Resampling.BOX)
    raw = flat.tobytes()
    solid = [n for n in range(0, len(raw), 4) if raw[n + 3] > 200] or [0]
    mean = [sum(raw[n + k] for n in solid) // len(solid) for k in range(3)]
    kept = io.BytesIO()
    whole.save(kept, "PNG", compress_level=1)
    colours = (f"#{mean[0]:02X}{mean[1]:02X}{mean[2]:02X}",)
    return seen._replace(w=whole.width, h=whole.height, format="png", convert=False, held=kept.getvalue(), colours=colours)


def _clear_flat(whole: Pixels, strip: float, told: record.Record) -> None:
    """Makes the ground of a comp transparent, in place. Its colours are flat: what is of the very colour of a corner, and reached
    from the edges or within words, goes; a pale dot stays as it is.
    """
    from PIL import Image, ImageChops, ImageFilter

    w, h = whole.size
    foot = h - round(h * strip)
    sharp = whole.crop((0, 0, w, foot))
    small, reached = _flooded(sharp, 160)
    sw, sh = small.size
    flood = (
        Image.frombytes("L", (sw, sh), bytes(reached))
        .filter(ImageFilter.MaxFilter(3))
        .resize((w, foot), Image.Resampling.NEAREST)
    )
    rgb = sharp.convert("RGB")
    corners = {rgb.crop((x, y, x + 1, y + 1)).tobytes() for x in (0, w - 1) for y in (0, foot - 1)}
    for one in told.words:
        if bytes.fromhex(one.ground[1:]) in corners:  # also what letters enclose
            x, y, wide, high, em = one.box[0] * w, one.box[1] * h, one.box[2] * w, one.box[3] * h, one.size * w
            flood.paste(255, (int(x), max(0, int(y - 0.3 * em)), int(x + wide), min(foot, int(y + high + 0.3 * em))))
    unlike = Image.new("L", (w, foot), 255)
    for corner in sorted(corners):
        red, green, blue = ImageChops.difference(rgb, Image.new("RGB", (w, foot), tuple(corner))).split()
        unlike = ImageChops.darker(unlike, ImageChops.lighter(ImageChops.lighter(red, green), blue))
    # at its edge a thing is as solid as it is unlike the ground there, of how unlike it is next to the edge; in steps
    most = unlike.filter(ImageFilter.MaxFilter(3))
    keep = Image.new("L", (w, foot), 0)
    for full in (3, 6, 10, 16, 26, 42, 68, 110, 170):
        share = unlike.point([min(255, v * 255 // full) for v in range(256)])
        keep.paste(share, (0, 0), most.point([255 if v >= full else 0 for v in range(256)]))
    keep = ImageChops.lighter(keep, ImageChops.invert(flood))
    alpha = Image.new("L", (w, h), 0)
    alpha.paste(ImageChops.multiply(sharp.getchannel("A"), keep), (0, 0))
    whole.putalpha(alpha)


def _flooded(sharp: Pixels, cells: int) -> tuple[Pixels, bytearray]:
    """A small copy, and 255 for each of its cells that is reached from the edges without crossing a change of colour (20 ms)."""
    from PIL import Image

    w, foot = sharp.size
    scale = max(1, max(w, foot) // cells)
    small = sharp.convert("RGB").resize((max(2, w // scale), max(2, foot // scale)), Image.Resampling.BOX)
    sw, sh = small.size
    raw = small.tobytes()
    near = 34 * 34
    reached = bytearray(sw * sh)
    todo = [n for n in range(sw * sh) if n % sw in (0, sw - 1) or n // sw in (0, sh - 1)]
    corners = [raw[3 * n : 3 * n + 3] for n in (0, sw - 1, sw * (sh - 1), sw * sh - 1)]
    todo = [
        n
        for n in todo
        if any(sum((p - q) ** 2 for p, q in zip(raw[3 * n : 3 * n + 3], corner, strict=True)) < near for corner in corners)
    ]
    for n in todo:
        reached[n] = 255
    while todo:
        n = todo.pop()
        r, g, b = raw[3 * n : 3 * n + 3]
        for m in (n - 1 if n % sw else -1, n + 1 if n % sw < sw - 1 else -1, n - sw, n + sw if n + sw < sw * sh else -1):
            if (
                m >= 0
                and not reached[m]
                and (raw[3 * m] - r) ** 2 + (raw[3 * m + 1] - g) ** 2 + (raw[3 * m + 2] - b) ** 2 < near // 4
            ):
                reached[m] = 255
                todo.append(m)
    return small, reached


def _clear(whole: Pixels, strip: float, cells: int) -> None:
    """Makes the ground of an RGBA picture transparent, in place. `cells`: the longer side of the map it is found on."""
    from PIL import Image, ImageChops

    w, h = whole.size
    foot = h - round(h * strip)
    sharp = whole.crop((0, 0, w, foot))
    small, reached = _flooded(sharp, cells)  # each full-size pixel is then judged by its own colour too
    sw, sh = small.size
    raw = small.tobytes()
    # two cells further than the flood came, the ground's colour goes on; there each pixel is judged by how unlike it is
    ground = bytearray(raw)
    for _ in range(2):
        edge = [n for n in range(sw * sh) if not reached[n]]
        for n in edge:
            for m in (n - 1 if n % sw else -1, n + 1 if n % sw < sw - 1 else -1, n - sw, n + sw if n + sw < sw * sh else -1):
                if m >= 0 and reached[m] == 255:
                    reached[n], ground[3 * n : 3 * n + 3] = 254, ground[3 * m : 3 * m + 3]
                    break
        reached = bytearray(255 if v else 0 for v in reached)
    flood = Image.frombytes("L", (sw, sh), bytes(reached)).resize((w, foot), Image.Resampling.NEAREST)
    beside = Image.frombytes("RGB", (sw, sh), bytes(ground)).resize((w, foot), Image.Resampling.NEAREST)
    red, green, blue = ImageChops.difference(sharp.convert("RGB"), beside).split()
    unlike = ImageChops.lighter(ImageChops.lighter(red, green), blue).point([min(255, max(0, (v - 12) * 5)) for v in range(256)])
    keep = ImageChops.lighter(unlike, ImageChops.invert(flood))
    alpha = Image.new("L", (w, h), 0)
    alpha.paste(ImageChops.multiply(sharp.getchannel("A"), keep), (0, 0))
    whole.putalpha(alpha)


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
