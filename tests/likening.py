"""Pictures that tests of likeness draw: each number is another picture, the same on every machine."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont


def drawn(number: int, size: tuple[int, int] = (384, 256)) -> Image.Image:
    """A flat, busy, written or noisy picture."""
    chance = random.Random(number)  # noqa: S311 - of no secret
    width, height = size

    def colour() -> tuple[int, int, int]:
        return chance.randrange(256), chance.randrange(256), chance.randrange(256)

    picture = Image.new("RGB", size, colour() if chance.random() < 0.6 else (chance.randrange(225, 256),) * 3)
    if chance.random() < 0.4:
        ramp = Image.linear_gradient("L").resize(size)
        picture = Image.composite(Image.new("RGB", size, colour()), picture, ramp)
    draw = ImageDraw.Draw(picture)
    for _ in range(chance.choice([1, 2, 3, 6, 20, 60])):
        x, y, side = chance.randrange(width), chance.randrange(height), chance.randrange(10, width // chance.choice([1, 2, 4]))
        match chance.randrange(3):
            case 0:
                draw.ellipse((x - side, y - side, x + side, y + side), colour())
            case 1:
                draw.rectangle((x, y, x + side, y + chance.randrange(5, 200)), colour())
            case _:
                places = [(x + chance.randrange(-side, side), y + chance.randrange(-side, side)) for _ in range(5)]
                draw.polygon(places, colour())
    for _ in range(chance.choice([0, 0, 1, 5])):
        text = "".join(chance.choice("abcdefg hij KLM") for _ in range(chance.randrange(3, 20)))
        draw.text(
            (chance.randrange(width // 2), chance.randrange(height)),
            text,
            colour(),
            ImageFont.load_default(chance.randrange(10, 45)),
        )
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    picture.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def copies(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    """What people make of a picture: other sizes, other encoders, little quality."""
    width, height = picture.size
    for scale in (2.0, 0.5, 0.4, 0.25):
        size = round(width * scale), round(height * scale)
        yield f"png at {scale}", encoded(picture.resize(size, Image.Resampling.LANCZOS))
    for quality in (30, 60, 90):
        yield f"webp {quality}", encoded(picture, "WEBP", quality=quality)
        yield f"jpeg {quality}", encoded(picture, "JPEG", quality=quality)
    half = picture.resize((width // 2, height // 2))
    yield "jpeg 70 at half", encoded(half, "JPEG", quality=70)
    yield "webp 50 at half", encoded(half, "WEBP", quality=50)
