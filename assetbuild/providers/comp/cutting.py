"""Cutting a thing out of its ground, for `remove-background` and for logos. Knows Pillow, and the record of a comp; no prompt.

The ground is what is reached from the edges without crossing a change of colour. A comp's colours are flat and its words are
known, so there the cut is exact; of a photograph it is a guess.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import io
from typing import TYPE_CHECKING

from . import record
from .pictures import DAMAGED, FLAT, Seen, open_picture, unreadable

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels


def cut_out(seen: Seen, strip: float) -> tuple[bytes, int, int]:
    """The picture without its ground as a PNG, and its size. The ground is what is reached from the edges without crossing a
    change of colour.

    `strip` is the share at the foot that holds a comp's slug line: it goes too. Raises ProviderError (INVALID).
    """
    from PIL import ImageOps

    try:
        whole = ImageOps.exif_transpose(open_picture(seen.picture)).convert("RGBA")
    except (OSError, SyntaxError, ValueError) as error:
        raise unreadable(seen.picture, DAMAGED) from error
    if seen.told is None:
        _clear(whole, strip, 160)
    else:
        _clear_flat(whole, strip, seen.told)
    kept = io.BytesIO()
    whole.save(kept, "PNG", compress_level=1)
    return kept.getvalue(), whole.width, whole.height


def cut_small(seen: Seen, strip: float) -> Seen:
    """A logo without its ground, trimmed, small enough to be put into a corner. As it is where it can't be cut out (a photograph,
    a drawing in vectors).

    Raises ProviderError (INVALID).
    """
    from PIL import Image, ImageOps

    if seen.format == "svg":
        return seen
    try:
        opened = open_picture(seen.picture)
        opened.draft("RGB", (512, 512))
        if max(opened.size) > 640 and opened.mode in ("RGB", "RGBA", "L"):  # first of all: the other steps take time by the pixel
            opened = opened.reduce(max(opened.size) // 320)
        whole = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, SyntaxError, ValueError) as error:
        raise unreadable(seen.picture, DAMAGED) from error
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
