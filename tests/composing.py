"""What the tests of composed pictures share: requests, drawn inputs, fonts made on the spot."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image

from assetbuild.providers import local
from assetbuild.providers.base import Picture, Request
from assetbuild.spec import overlays

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><rect width="200" height="100" fill="#ff0000"/></svg>'


class Studio:
    """A folder with inputs, and the requests that are made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def file(self, data: bytes | str) -> Path:
        """A file as it lies in the store: a name without ending."""
        self._made += 1
        path = self.folder / f"blob{self._made}"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def base(self, size: tuple[int, int] = (400, 600), mode: str = "RGB", **more: Any) -> Path:
        """A picture with something different in each pixel."""
        noise = [Image.effect_noise(size, 60 + 20 * n) for n in range(len(mode))]
        out = io.BytesIO()
        (noise[0] if len(noise) == 1 else Image.merge(mode, noise)).save(out, "PNG", **more)
        return self.file(out.getvalue())

    def plain(self, size: tuple[int, int] = (400, 600), color: str = "#ffffff") -> Path:
        """A bare ground."""
        out = io.BytesIO()
        Image.new("RGB", size, color).save(out, "PNG")
        return self.file(out.getvalue())

    def request(
        self, base: Path | None, *items: dict[str, Any], files: tuple[Path, ...] = (), fonts: tuple[Path, ...] = (), **more: Any
    ) -> Request:
        """A request as the spec makes it: what is said is checked and canonical."""
        assert overlays.faults(items) == []
        named = [(base, "base"), *((path, "overlay") for path in files), *((path, "font") for path in fonts)]
        inputs = tuple(
            Picture(hashlib.sha256(path.read_bytes()).hexdigest(), path, role, None, None, f"brand/{path.name}")
            for path, role in named
            if path is not None
        )
        params: dict[str, Any] = {"overlay": overlays.items(items)} if items else {}
        return Request("0" * 64, "compose", "compose-1", None, {**params, **more}, inputs)

    def composed(self, base: Path, *items: dict[str, Any], **more: Any) -> Image.Image:
        """The composed picture."""
        made = local.done(self.request(base, *items, **more)).images
        assert [(one.media, one.member) for one in made] == [("image/png", "")]
        return Image.open(io.BytesIO(made[0].data))

    def ink(self, *items: dict[str, Any], size: tuple[int, int] = (400, 600), **more: Any) -> tuple[int, int, int, int]:
        """Where something stands on a white ground: left, top, right, bottom."""
        found = self.composed(self.plain(size), *items, **more)
        inverted = found.convert("L").point(lambda value: 255 if value < 200 else 0)
        box = inverted.getbbox()
        assert box is not None, "nothing is drawn"
        return box


def font(family: str, letters: str, *, weight: int = 400, italic: bool = False, width: int = 600) -> bytes:
    """A TrueType font whose every letter is a black box: 700 high, on the base line, `width` - 100 wide; 1000 units an em."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    builder = FontBuilder(1000, isTTF=True)
    names = [".notdef", "space", *(f"u{ord(char):04X}" for char in letters)]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(" "): "space"} | {ord(char): f"u{ord(char):04X}" for char in letters})
    glyphs = {}
    for name in names:
        pen = TTGlyphPen(None)
        if name != "space":
            pen.moveTo((50, 0))
            for point in ((50, 700), (width - 50, 700), (width - 50, 0)):
                pen.lineTo(point)
            pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(names, (width, 50)))
    builder.setupHorizontalHeader(ascent=900, descent=-200)
    style = "Italic" if italic else "Regular"
    builder.setupNameTable({"familyName": family, "styleName": style, "psName": f"{family}-{style}-{weight}".replace(" ", "")})
    builder.setupOS2(
        usWeightClass=weight, sCapHeight=700, sTypoAscender=900, sTypoDescender=-200, fsSelection=1 if italic else 64
    )
    builder.setupPost()
    builder.font["head"].macStyle = 2 if italic else 0
    builder.font["head"].created = builder.font["head"].modified = 3_600_000_000
    builder.font.recalcTimestamp = False
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()
