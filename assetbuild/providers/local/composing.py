"""Lays texts, files and barcodes over a picture, to the pixel: what isn't covered keeps its bytes. Leads: `typesetting` sets texts, `drawings` makes SVG safe,
`barcodes` builds bars, `places` says where, `press` draws. Knows requests and pictures.
"""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import AssetbuildError
from ..base import Kind, Picture, ProviderError, Request
from . import barcodes, drawings, places
from .fonts import Face, Shelf, shelf
from .press import Press
from .typesetting import Typesetter, chosen, described, faded, runs_left
from .usual import USUAL

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

_TURNED_BACK = {90: 4, 180: 3, 270: 2}  # PIL.Image.Transpose: ROTATE_270, ROTATE_180, ROTATE_90, which turn the other way
_FULL = 255


class Stood(NamedTuple):
    """One item at its place. `item` is what the press draws (None: `pixels` are laid over as they are); `x`, `y` the corner of its box after its turn,
    `w`, `h` the box before it, in pixels. `bleed` is drawn around the box.
    """

    item: dict[str, Any] | None
    pixels: Pixels | None
    x: int
    y: int
    w: int
    h: int
    turn: int
    bleed: int = 0


def problems(request: Request) -> list[ProviderError]:
    """What can't be composed, as far as the inputs are there."""
    found: list[ProviderError] = []
    try:
        base = _base(request) if any(one.role == "base" and one.path.exists() for one in request.inputs) else None
    except ProviderError as problem:
        return [problem]
    composition = Composition(request, None if base is None else base.size)
    for item in _items(request):
        try:
            composition.stand(item)
        except ProviderError as problem:
            found.append(problem)
    return found


def composed(request: Request) -> Pixels:
    """The picture with everything laid over it: RGB or RGBA as its base, of the same size. Raises ProviderError (INVALID)."""
    base = opened_base(request)
    composition = Composition(request, base.size)
    stood = [one for item in _items(request) if (one := composition.stand(item)) is not None]
    patches = iter(composition.press().patches([{**one.item, "bleed": one.bleed} for one in stood if one.item is not None]))
    profile = base.info.get("icc_profile")
    for one in stood:
        if one.pixels is not None:
            patch, bleed = one.pixels, 0
        else:
            patch, bleed = _decoded(next(patches)), one.bleed
        if one.turn:
            patch = patch.transpose(_TURNED_BACK[one.turn])  # type: ignore[arg-type] # an IntEnum
        _lay_over(base, _in_profile(patch, profile), one.x - bleed, one.y - bleed)
    return base


def page(request: Request) -> bytes:
    """The same as one page of a PDF: a pixel of the base is a point, texts and drawings are vectors. Raises ProviderError (INVALID)."""
    base = opened_base(request)
    with tempfile.TemporaryDirectory(prefix="assetbuild-page-") as folder:
        root = Path(folder)
        base.save(root / "base.png", compress_level=1, icc_profile=base.info.get("icc_profile"))
        composition = Composition(request, base.size, root)
        stood = [one for item in _items(request) if (one := composition.stand(item)) is not None]
        items = [{**one.item, "x": one.x, "y": one.y, "turn": one.turn} for one in stood if one.item is not None]
        return composition.press().sheet("/base.png", base.size, items)


def _items(request: Request) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = request.params.get("overlay") or ()
    return found


def opened_base(request: Request) -> Pixels:
    """The base's pixels, RGB or RGBA. Raises ProviderError (INVALID)."""
    found = _base(request)
    if found is None:
        raise ProviderError(Kind.INVALID, f"`{request.op}` needs a base picture", hint="name one with `base:`")
    return found


def _base(request: Request) -> Pixels | None:
    """The base's pixels, RGB or RGBA; None when there is none yet."""
    from ...pictures.opening import opened

    picture = next((one for one in request.inputs if one.role == "base"), None)
    if picture is None:
        return None
    pixels = _opened(opened, picture)
    return pixels.convert({"L": "RGB", "LA": "RGBA"}.get(pixels.mode, pixels.mode))


def _opened(opened: Any, picture: Picture) -> Pixels:  # noqa: ANN401 - the room of pictures is imported late
    try:
        found: Pixels = opened(picture.path, shown=picture.shown or picture.digest[:12])
    except AssetbuildError as problem:
        raise ProviderError(Kind.INVALID, problem.text, hint=problem.hint) from problem
    if found.mode in ("L", "LA"):
        found.info.pop("icc_profile", None)  # it is for grey
    return found


def _decoded(data: bytes) -> Pixels:
    from PIL import Image

    return Image.open(io.BytesIO(data), formats=("PNG",)).convert("RGBA")


def _in_profile(patch: Pixels, profile: bytes | None) -> Pixels:
    """A patch in sRGB as it looks the same under the base's profile."""
    if not profile:
        return patch
    from PIL import Image, ImageCms

    alpha = patch.getchannel("A")
    try:
        there = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(patch.convert("RGB"), ImageCms.createProfile("sRGB"), there, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return patch
    return patch if turned is None else Image.merge("RGBA", (*turned.split(), alpha))


def _lay_over(base: Pixels, patch: Pixels, x: int, y: int) -> None:
    """In place. Where the patch is clear the base keeps its values; what stands outside of the base is cut off."""
    left, top = max(0, -x), max(0, -y)
    right, bottom = min(patch.width, base.width - x), min(patch.height, base.height - y)
    if right <= left or bottom <= top:
        return
    patch = patch.crop((left, top, right, bottom))
    if base.mode == "RGBA":
        base.alpha_composite(patch, (x + left, y + top))
    else:
        base.paste(patch.convert("RGB"), (x + left, y + top), patch.getchannel("A"))


class Composition:
    """The items of one request. `size` is the base's, None while it isn't known: then nothing is placed, only looked at."""

    def __init__(self, request: Request, size: tuple[int, int] | None, root: Path | None = None) -> None:
        """`root`: a folder to lay pictures in for a page of vectors; None: pixels are wanted."""
        self.request, self.size, self.root = request, size, root
        self._shelf: Shelf | None = None
        self._faces: list[Face] = []
        self._drawings: dict[str, str] = {}
        self._laid = 0
        first = next((item for item in _items(request) if "text" in item), None)
        self._leftward = first is not None and runs_left(first)

    def shelf(self) -> Shelf:
        """The project's fonts and ours."""
        if self._shelf is None:
            own = tuple((one.digest, one.path, one.shown) for one in self.request.inputs if one.role == "font")
            self._shelf = shelf(own)
        return self._shelf

    def setter(self, faces: Sequence[Face]) -> Typesetter:
        """Sets texts in these faces."""
        fonts, called = self.shelf().book(faces)
        return Typesetter(self.shelf(), fonts, called)

    def press(self) -> Press:
        """Draws the items that stand."""
        fonts, _ = self.shelf().book(self._faces)
        return Press(fonts, self._drawings, self.root)

    def stand(self, item: Mapping[str, Any]) -> Stood | None:
        """One item at its place; None while the base isn't known. Raises ProviderError (INVALID)."""
        if "text" in item:
            return self._text(item)
        if "barcode" in item:
            return self._code(item)
        return self._file(item)

    def _text(self, item: Mapping[str, Any]) -> Stood | None:
        faces = chosen(item, self.shelf())
        self._faces.extend(faces)
        if self.size is None:
            return None
        setting = self.setter(faces).set(item, faces, self.size)
        text, size = setting.text, setting.size
        ground = item.get("background")
        pad_y, pad_x = (side * size for side in USUAL["padding"]) if ground else (0.0, 0.0)
        block_w, block_h = setting.block
        w, h = math.ceil(block_w + 2 * pad_x), math.ceil(block_h + 2 * pad_y)
        margin, rtl = places.margins(item, *self.size), runs_left(item)
        side = places.sides(item, rtl=rtl)
        if ground and item.get("width") == "100%":  # a band
            w = max(w, math.floor(places.room(item, self.size, margin, side)[0]))
        spare = setting.room - block_w
        free = w - 2 * pad_x - block_w
        shift = {"left": 0.0, "center": 0.5, "right": 1.0}[text["align"]]
        above, below = (max(0.0, faces[0].ascender - text["top"]) * size, max(0.0, faces[0].descender - text["bottom"]) * size)
        over = places.Over(0.0, max(0.0, above - pad_y), 0.0, max(0.0, below - pad_y))
        drawn = {
            "kind": "text",
            "text": text,
            "size": size,
            "room": setting.room + 0.01,
            "dx": pad_x + free * shift - spare * shift,
            "dy": (h - block_h) / 2 if ground else 0.0,
            "ground": None if ground is None else faded(ground, float(item.get("opacity", USUAL["opacity"]))),
            "w": w,
            "h": h,
        }
        return self._stood(item, drawn, None, (w, h), side, margin, over, bleed=math.ceil(size) + 2)

    def _code(self, item: Mapping[str, Any]) -> Stood | None:
        if self.size is None:
            return None
        kind = str(item["barcode"])
        margin, side = places.margins(item, *self.size), places.sides(item, rtl=runs_left(item, self._leftward))
        asked = {"width": USUAL["code_width"][kind], **item}
        most = places.room(asked, self.size, margin, side)
        made = barcodes.code(item, *most)
        figures = []
        colour = item.get("color", USUAL["color"])
        if made.figures:
            face = self.shelf().named("Noto Sans")
            upright = [one for one in face if not one.italic][:1]
            setter = self.setter(upright)
            for one in made.figures:
                text = described({"text": one.text, "color": colour, "direction": "ltr"}, upright, setter.called, "center")
                figures.append({"text": text, "x": one.x, "y": one.y, "w": one.w, "size": one.size})
        drawn = {
            "kind": "code",
            "bars": made.bars,
            "color": colour,
            "digits": figures,
            "ground": item.get("background", USUAL["code_background"]),
            "w": made.w,
            "h": made.h,
        }
        return self._stood(item, drawn, None, (made.w, made.h), side, margin, places.Over())

    def _file(self, item: Mapping[str, Any]) -> Stood | None:
        place = int(item["file"])
        picture = self.request.inputs[place] if place < len(self.request.inputs) else None
        if picture is None or picture.role != "overlay":
            raise ProviderError(
                Kind.INVALID, "a file that is laid over the picture is missing", hint="look at the `file` of the item"
            )
        shown = picture.shown or picture.digest[:12]
        opacity = float(item.get("opacity", USUAL["opacity"]))
        data = _bytes(picture.path)
        if data is None:
            return None  # it isn't made yet
        if drawings.looks_like(data):
            vector = drawings.drawing(data, shown, opacity)
            own, pixels = (vector.width, vector.height), None
        else:
            vector, pixels = None, self._pixels(picture)
            own = (float(pixels.width), float(pixels.height))
        if self.size is None:
            return None
        margin, side = places.margins(item, *self.size), places.sides(item, rtl=runs_left(item, self._leftward))
        asked = item if "width" in item or "height" in item else {"width": USUAL["file_width"], **item}
        most = places.room(asked, self.size, margin, side)
        scale = min(most[0] / own[0], most[1] / own[1])
        w, h = (max(1, math.floor(length * scale + 0.5)) for length in own)
        drawn: dict[str, Any] | None = {"kind": "file", "ground": item.get("background"), "w": w, "h": h}
        if drawn is not None and vector is not None:
            name = f"drawing-{len(self._drawings)}.svg"
            self._drawings[name] = vector.source
            drawn |= {"source": f"/{name}", "format": "svg"}
        elif pixels is not None and self.root is not None and drawn is not None:
            name = f"picture-{self._laid}.png"
            self._laid += 1
            _faint(pixels, opacity).save(self.root / name, compress_level=1)
            drawn |= {"source": f"/{name}", "format": "png"}
        elif pixels is not None:
            pixels, drawn = _faint(_resized(pixels, w, h), opacity), None
            if "background" in item:
                from PIL import Image, ImageColor

                ground = Image.new("RGBA", (w, h), ImageColor.getrgb(item["background"]))
                ground.alpha_composite(pixels)
                pixels = ground
        return self._stood(item, drawn, pixels if drawn is None else None, (w, h), side, margin, places.Over())

    @staticmethod
    def _pixels(picture: Picture) -> Pixels:
        from ...pictures.opening import opened

        return _to_screen(_opened(opened, picture)).convert("RGBA")

    def _stood(
        self,
        item: Mapping[str, Any],
        drawn: dict[str, Any] | None,
        pixels: Pixels | None,
        box: tuple[int, int],
        side: tuple[int, int],
        margin: tuple[float, float],
        over: places.Over,
        bleed: int = 0,
    ) -> Stood:
        size = self.size or (1, 1)
        turn = int(item.get("rotate", USUAL["rotate"]))
        turned = box if turn in places.UPRIGHT else (box[1], box[0])
        x, y = places.position(side, turned, size, margin, over.turned(turn))
        return Stood(drawn, pixels, x, y, *box, turn, bleed)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _to_screen(picture: Pixels) -> Pixels:
    """A picture's colours in sRGB, by the profile that it carries."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA"):
        return picture
    from PIL import ImageCms

    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    try:
        there = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(picture.convert("RGB"), there, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    if turned is None:
        return picture
    if alpha is not None:
        turned.putalpha(alpha)
    return turned


def _resized(pixels: Pixels, w: int, h: int) -> Pixels:
    """At a size, without the colour of what is clear bleeding into its edges."""
    from PIL import Image

    if pixels.size == (w, h):
        return pixels
    small = pixels.convert("RGBa").resize((w, h), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small.convert("RGBA")


def _faint(pixels: Pixels, opacity: float) -> Pixels:
    if opacity >= 1:
        return pixels
    found = pixels.copy()
    found.putalpha(found.getchannel("A").point([math.floor(value * opacity + 0.5) for value in range(_FULL + 1)]))
    return found


def png(pixels: Pixels) -> bytes:
    """A picture as the bytes of a PNG, with its colour profile and nothing else."""
    out = io.BytesIO()
    profile = pixels.info.get("icc_profile")
    pixels.info = {}
    pixels.save(out, "PNG", compress_level=6, icc_profile=profile)
    return out.getvalue()
