"""What a picture looks like, in few bytes: size, colour, placeholder, and a hash that survives another size and another encoder. Knows files of pictures;
knows no asset and no store.

Likeness is asked in two steps. Hashes are compared first (`distance`): cheap, and what is far apart is another picture. Of those that are near, the pictures
themselves are (`differences`): drafts of one layout have hashes as near as a picture has to its own JPEG. What was measured is in tests/test_likeness.py.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from functools import cache
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .dominant import dominant
from .thumbhash import MOST as THUMB
from .thumbhash import thumbhash
from .wanted import CantExport

if TYPE_CHECKING:
    from PIL.Image import Image

NEAR = 8  # bits of 64 that may differ between a picture and a copy of it
LIGHT = 24  # levels of 255 that the brightness of a copy may differ by in any part: another headline is a change of one spot
TINT = 24  # and its colour, in any larger part: encoders keep less of colours
LEAN = 0.02  # of the ratio of the sides: more is another cut of the picture
WAVES, CELLS = 8, 32  # of the hash, each way
PARTS, LARGER = 48, 12  # parts that are compared, each way: of brightness, of colour
DEAD = 32.0  # a wave that is no more than this above the middle one is noise: about 1 level over a thirtieth of the picture
GREY, WHITE = (128, 128, 128), (255, 255, 255)
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "ICO", "BMP")
PIXELS = 178_956_970  # as many as Pillow opens at all


class Traits(NamedTuple):
    """What a picture looks like. `width` and `height` in pixels, as it is shown; `color` is "#rrggbb" (None: nothing of it can be seen); `thumbhash` is
    base64 (see `thumbhash.thumbhash`); `hash` is 16 hex digits, over grey, to be compared with `distance`, "" when it isn't known.
    """

    width: int
    height: int
    color: str | None
    thumbhash: str
    hash: str = ""


class Difference(NamedTuple):
    """The most that two pictures differ by in one part of them, in levels of 255: in brightness and in colour."""

    light: int
    tint: int


def traits(path: Path) -> Traits | None:
    """What the picture in a file looks like; of several frames the first. None for what isn't made of pixels (SVG, PDF). Raises CantExport when the file
    isn't a picture, is damaged or is too large to be opened, OSError when it can't be read.
    """
    picture = _opened(path)
    if picture is None:
        return None
    from PIL import Image  # 40 ms

    small = picture.copy()
    small.thumbnail((THUMB, THUMB), Image.Resampling.BOX, reducing_gap=None)
    placeholder = base64.b64encode(thumbhash(*small.size, small.tobytes())).decode()
    return Traits(*picture.size, dominant(small), placeholder, _hash(picture, GREY))


def hashes(path: Path) -> tuple[int, int, tuple[str, ...]] | None:
    """Width, height and the hashes of a picture: over grey and, if it has transparent parts, over white too, as which it is often saved. None and errors as
    of `traits`.
    """
    picture = _opened(path)
    if picture is None:
        return None
    return *picture.size, tuple(_hash(picture, ground) for ground in _grounds(picture))


def distance(a: str, b: str) -> int:
    """How many of the 64 bits of two hashes differ. Raises ValueError for what isn't one."""
    if len(a) != 16 or len(b) != 16:  # noqa: PLR2004 - hex digits of 64 bits
        raise ValueError(f"not two hashes: {a!r}, {b!r}")
    return (int(a, 16) ^ int(b, 16)).bit_count()


def same_ratio(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a picture of this size can be the whole of one of that size, smaller or larger; half a pixel of rounding is nothing."""
    lean = LEAN + 1 / min(*one, *other)
    return abs(math.log(one[0] * other[1] / (one[1] * other[0]))) <= lean


def differences(copy: Path, pictures: Iterable[Path]) -> list[Difference | None]:
    """How a copy differs from each of these pictures, both brought to the smaller one's size. None where one of them isn't made of pixels or the picture can't
    be opened; errors as of `traits` when it is the copy that can't.
    """
    one = _opened(copy)
    found: list[Difference | None] = []
    for path in pictures:
        try:
            other = _opened(path)
        except (CantExport, OSError):
            other = None
        if one is None or other is None:
            found.append(None)
        else:
            found.append(min(_differing(one, other, ground) for ground in sorted({*_grounds(one), *_grounds(other)})))
    return found


def is_copy(found: Difference | None) -> bool:
    """Whether so much of a difference is what another size and another encoder make."""
    return found is not None and found.light <= LIGHT and found.tint <= TINT


def _differing(one: Image, other: Image, ground: tuple[int, int, int]) -> Difference:
    from PIL import Image, ImageChops  # 40 ms

    flat = [_flat(picture, ground) for picture in (one, other)]
    size = min((picture.size for picture in flat), key=lambda size: size[0] * size[1])
    flat = [picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS) for picture in flat]

    def most(parts: int) -> list[int]:
        """The most that brightness, blue and red differ by in one of so many parts each way."""
        small = [picture.resize((parts, parts), Image.Resampling.BOX).convert("YCbCr") for picture in flat]
        counts = ImageChops.difference(*small).histogram()
        return [max(level for level in range(256) if counts[256 * band + level]) for band in range(3)]

    return Difference(most(PARTS)[0], max(most(LARGER)[1:]))


def _hash(picture: Image, ground: tuple[int, int, int]) -> str:
    """A perceptual hash by the cosine transform: whether each of the 64 longest waves of brightness is stronger than the middle one. A wave that is hardly
    there counts as weaker: in a flat picture such waves are the encoder's.
    """
    from PIL import Image

    small = _flat(picture, ground).convert("L").resize((CELLS, CELLS), Image.Resampling.BOX).tobytes()
    rows = [small[start : start + CELLS] for start in range(0, CELLS * CELLS, CELLS)]
    columns = [[_wave(row, x) for row in rows] for x in range(WAVES)]
    waves = [_wave(columns[x], y) for y in range(WAVES) for x in range(WAVES)]
    middle = sorted(waves[1:])[len(waves) // 2 - 1] + DEAD
    bits = 0
    for wave in waves:
        bits = bits << 1 | (wave > middle)
    return f"{bits:016x}"


def _wave(values: Sequence[float], wave: int) -> float:
    return math.fsum(map(mul, values, _cosines(wave)))


@cache
def _cosines(wave: int) -> tuple[float, ...]:
    return tuple(math.cos(math.pi / CELLS * wave * (at + 0.5)) for at in range(CELLS))


def _flat(picture: Image, ground: tuple[int, int, int]) -> Image:
    """The picture on a ground of one colour."""
    from PIL import Image

    below = Image.new("RGBA", picture.size, (*ground, 255))
    below.alpha_composite(picture)
    return below.convert("RGB")


def _grounds(picture: Image) -> tuple[tuple[int, int, int], ...]:
    seen_through = picture.getchannel("A").histogram()[255] < picture.width * picture.height
    return (GREY, WHITE) if seen_through else (GREY,)


def _opened(path: Path) -> Image | None:
    """The picture as it is shown: upright, RGBA, sRGB, its first frame. None for SVG and PDF."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    with open(path, "rb") as file:
        head = file.read(1024)
        file.seek(0)
        if _vector(head):
            return None
        try:
            with Image.open(file, formats=FORMATS) as picture:
                if picture.width * picture.height > PIXELS:
                    raise CantExport(f"{path.name} is too large to be opened: {picture.width}×{picture.height}")
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                return _srgb(upright)
        except UnidentifiedImageError as error:
            raise CantExport(f"{path.name} isn't a picture that can be read", hint=f"these are: {', '.join(FORMATS)}") from error
        except Image.DecompressionBombError as error:
            raise CantExport(f"{path.name} is too large to be opened") from error
        except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, OverflowError) as error:
            raise CantExport(f"{path.name} is damaged: {error}") from error


def _vector(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"%PDF-") or (text.startswith((b"<svg", b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in head)


def _srgb(picture: Image) -> Image:
    """8-bit RGBA. 16 bits are brought to 8, other colours to sRGB by the picture's own profile if it has one that can be used."""
    import io

    from PIL import ImageCms

    if picture.mode.startswith("I"):
        return (
            picture.convert("I").point(lambda level: level * (1 / 257)).convert("L").convert("RGBA")
        )  # what Pillow opens so has 16 bits
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "RGBA", "CMYK"):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
            turned = ImageCms.profileToProfile(
                picture.convert("RGB") if alpha is not None else picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if turned is not None:
                whole = turned.convert("RGBA")
                if alpha is not None:
                    whole.putalpha(alpha)
                return whole
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that can't be used: as if there were none
    return picture.convert("RGBA")
