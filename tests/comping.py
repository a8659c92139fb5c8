"""What the tests of the comp provider share: requests as the core makes them, pictures in a store, and how they are looked at.

ASSETBUILD_UPDATE_GOLDEN=1 rewrites tests/golden/comp.json; read the diff.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from PIL import ImageChops

from assetbuild.providers import comp
from assetbuild.providers.base import Picture, Request
from assetbuild.providers.comp import pictures, sizes

GOLDEN = Path(__file__).parent / "golden" / "comp.json"
BRAND = "\n\nFlat vector shapes, palette #2B2D42 #EF8354 #F7F4EA, generous margins."


def asked(
    prompt: str | None, op: str = "generate", *, inputs: tuple[Picture, ...] = (), members: tuple[str, ...] = (), **params: Any
) -> Request:
    """A request as the core makes it, parameters normalised."""
    known: dict[str, Any] = {"upscale": {"scale": 2}, "remove-background": {}}.get(
        op, {"aspect_ratio": "2:3", "quality": "low", "background": "auto", "seed": None}
    )
    return Request("k" * 64, op, "comp-1", prompt, {**known, "output_format": "png", **params}, inputs, members)


def stored(folder: Path, data: bytes, role: str = "base", name: str | None = None) -> Picture:
    """A picture as it lies in the store: named by its digest, without an extension."""
    digest = hashlib.sha256(data).hexdigest()
    path = folder / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Picture(digest, path, role, name, None)


def drawn(request: Request) -> bytes:
    (image,) = comp.draw(request)
    return image.data


def pixels(data: bytes) -> Pillow.Image:
    return Pillow.open(io.BytesIO(data)).convert("RGBA")


def slug(data: bytes) -> Pillow.Image:
    """The strip at the foot that says DRAFT."""
    whole = pixels(data)
    return whole.crop((0, whole.height - int(sizes.strip(*whole.size)), *whole.size))


def tally(picture: Pillow.Image) -> Counter[tuple[int, int, int]]:
    """How many pixels there are of each colour."""
    raw = picture.convert("RGB").tobytes()
    return Counter(zip(raw[::3], raw[1::3], raw[2::3], strict=True))


def clear(picture: Pillow.Image, *places: tuple[int, int]) -> list[int]:
    """Alpha at some places."""
    raw = picture.getchannel("A").tobytes()
    return [raw[y * picture.width + x] for x, y in places]


def spoken(strip: Pillow.Image) -> float:
    """The share of a strip that isn't its ground: letters and swatches."""
    counts = tally(strip)
    return 1 - counts.most_common(1)[0][1] / (strip.width * strip.height)


def unlike(one: Pillow.Image, other: Pillow.Image) -> float:
    """The share of pixels in which two pictures of one size differ."""
    difference = (
        ImageChops.difference(one.convert("RGB"), other.convert("RGB")).convert("L").point(lambda v: 255 if v > 12 else 0)
    )
    return difference.histogram()[255] / (one.width * one.height)


POSTER = asked('A launch poster for the coffee brand "fika". The headline says "Brewed slowly". A cup.' + BRAND)

KINDS = {
    "poster": 'A poster: "Brewed slowly" and "250 g". A cup.',
    "box": 'A coffee box: brand "fika", product "Brewed slowly".',
    "pouch": 'A stand-up pouch for beans: "fika" "Ethiopia Guji"',
    "label": 'A label for a bottle of "Lemon Cordial"',
    "phone": 'A phone mockup: "Your morning, sorted", button "Order now"',
    "browser": 'A landing page: "Coffee that takes its time", button "Subscribe", logo "fika"',
    "icons": "An icon sheet: heart, coin, bell, cup",
    "icon": "An app icon with a fox",
    "logo": 'Logo "fika" with a bean',
    "character": 'Character sheet of a boy, title "Otto"',
    "book": 'Picture book page: "The lake was still asleep."',
    "product": 'Packshot of "Oat Soap", price "€7.90"',
    "pattern": "A seamless pattern of lemons and bees",
    "panel": "A calm mountain lake at dawn",
}


def looked(picture: Picture) -> Any:
    """A picture as the drawing sees it."""
    return pictures.look(picture, closely=True)


def golden(part: str, value: dict[str, Any]) -> None:
    kept = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps({**kept, part: value}, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
        return
    assert value == kept[part], {name: one for name, one in value.items() if one != kept[part].get(name)}
