"""SVG drawings of strangers, made safe before typst sees them: no other file, no network, no entities from elsewhere, nothing that takes for ever. What a
drawing would show elsewhere and not here is an error, never left out. Knows XML; draws nothing.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import NamedTuple
from xml.etree import ElementTree as ET

from ..base import Kind, ProviderError

MOST_BYTES = 10_000_000
MOST_ELEMENTS = 200_000  # with every `use` written out
MOST_DEPTH = 200
MOST_EMBEDDED = 50_000_000  # pixels of one embedded picture
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_LENGTH = re.compile(r"\s*\+?([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*(px|pt|pc|mm|cm|in|em|ex|Q)?\s*").fullmatch
_UNITS = {
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "mm": 96 / 25.4,
    "cm": 96 / 2.54,
    "in": 96.0,
    "em": 16.0,
    "ex": 8.0,
    "Q": 96 / 101.6,
}
_ELSEWHERE = re.compile(r"""url\(\s*['"]?\s*(?!#|['"]?\s*data:)([^'")\s]*)|@import""", re.IGNORECASE)
_NOT_SHOWN = {
    "text": ("letters as text, which need a font", "turn them into paths in the drawing program, or set them with `text:`"),
    "foreignObject": ("a piece of a web page", "draw that piece, or take it out"),
    "animate": ("an animation", "save it as it is to stand still"),
    "animateTransform": ("an animation", "save it as it is to stand still"),
}
_DROPPED = ("script", "metadata", "title", "desc")


class Drawing(NamedTuple):
    """A drawing: its source, safe to draw, and its size in pixels of its own (96 an inch)."""

    source: str
    width: float
    height: float


def looks_like(data: bytes) -> bool:
    """Whether these bytes are meant to be an SVG."""
    return re.search(rb"<(?:[\w-]+:)?svg[\s>/]", data[:200_000]) is not None or data[:2] == b"\x1f\x8b"


def drawing(data: bytes, shown: str, opacity: float = 1.0) -> Drawing:
    """A drawing from the bytes of a file that its owner calls `shown`. Raises ProviderError (INVALID)."""
    if data[:2] == b"\x1f\x8b":
        raise _bad(shown, "is a packed drawing (.svgz)", "save it as plain SVG")
    if len(data) > MOST_BYTES:
        raise _bad(shown, f"is a drawing of {len(data) / 1e6:.0f} MB", "simplify its paths, or save it as PNG")
    try:
        root = ET.fromstring(data)  # noqa: S314 - expat reads nothing from elsewhere and stops entities that multiply
    except (ET.ParseError, ValueError, LookupError, RecursionError) as problem:
        hint = "save it as plain SVG in the drawing program"
        raise _bad(shown, f"can't be read as a drawing ({problem})", hint) from problem
    if _name(root) != "svg":
        raise _bad(shown, "is no SVG drawing", "save it as SVG or PNG")
    _look(root, shown)
    width, height = _size(root, shown)
    for parent in root.iter():
        for child in [child for child in parent if _name(child) in _DROPPED]:
            tail = child.tail
            parent.remove(child)
            if tail and tail.strip() and len(parent):
                parent[-1].tail = (parent[-1].tail or "") + tail
    ET.register_namespace("", _SVG)
    if "viewBox" not in root.attrib:
        root.set("viewBox", f"0 0 {width:.6g} {height:.6g}")
    root.set("width", f"{width:.6g}")
    root.set("height", f"{height:.6g}")
    if opacity < 1:
        outer = ET.Element(
            f"{{{_SVG}}}svg", {"width": f"{width:.6g}", "height": f"{height:.6g}", "viewBox": f"0 0 {width:.6g} {height:.6g}"}
        )
        ET.SubElement(outer, f"{{{_SVG}}}g", {"opacity": f"{opacity:g}"}).append(root)
        root = outer
    return Drawing(ET.tostring(root, encoding="unicode"), width, height)


def _bad(shown: str, what: str, hint: str) -> ProviderError:
    return ProviderError(Kind.INVALID, f"`{shown}` {what}", hint=hint)


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _size(root: ET.Element, shown: str) -> tuple[float, float]:
    """Its own size in pixels: as it says, else by its view box."""
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    view: tuple[float, float] | None = None
    try:
        if len(box) == 4:  # noqa: PLR2004 - x y width height
            view = float(box[2]), float(box[3])
    except ValueError:
        view = None
    found = [_LENGTH(root.get(name, "")) for name in ("width", "height")]
    sides = [float(one[1]) * _UNITS[one[2] or "px"] if one else None for one in found]
    if sides[0] is not None and sides[1] is not None:
        width, height = sides[0], sides[1]
    elif view is not None and view[0] > 0 and view[1] > 0:
        width, height = view
        if sides[0] is not None:
            width, height = sides[0], sides[0] * view[1] / view[0]
        elif sides[1] is not None:
            width, height = sides[1] * view[0] / view[1], sides[1]
    else:
        raise _bad(shown, "doesn't say how large it is", "give its <svg> a `viewBox`, or `width` and `height`")
    if not (1e-3 < width < 1e6 and 1e-3 < height < 1e6 and 1e-3 < width / height < 1e3):  # noqa: PLR2004
        raise _bad(shown, f"has a size of {width:g}×{height:g}", "give it a size that a picture can have")
    return width, height


def _look(root: ET.Element, shown: str) -> None:
    """Everything in the drawing, once. Raises ProviderError for what would reach out of it, or wouldn't be drawn."""
    by_id: dict[str, ET.Element] = {}
    waiting = [(root, 1)]
    count = 0
    while waiting:
        element, depth = waiting.pop()
        count += 1
        if depth > MOST_DEPTH or count > MOST_ELEMENTS:
            raise _bad(shown, "is too deep or too large a drawing", "simplify it, or save it as PNG")
        by_id.setdefault(element.get("id", ""), element)
        name = _name(element)
        if name in _NOT_SHOWN and "".join(element.itertext() if name == "text" else "x").strip():
            what, hint = _NOT_SHOWN[name]
            raise _bad(shown, f"has {what}", hint)
        for attribute in ("href", _XLINK):
            if attribute in element.attrib and name != "a":
                _check_link(element.attrib[attribute].strip(), name, shown)
        texts = [*element.attrib.values(), element.text or "" if name == "style" else ""]
        for text in texts:
            if (reached := _ELSEWHERE.search(text)) is not None:
                raise _elsewhere(shown, reached[1] or "@import")
        waiting += [(child, depth + 1) for child in element]
    _weigh(root, by_id, shown)


def _elsewhere(shown: str, link: str) -> ProviderError:
    return _bad(
        shown, f"shows something from another place (`{link[:60]}`)", "embed it when you save the drawing: nothing else is opened"
    )


def _check_link(link: str, name: str, shown: str) -> None:
    if link.startswith("#") or not link:
        return
    head, _, body = link.partition(",")
    if not re.match(r"data:image/(png|jpe?g|gif|webp)\s*;\s*base64$", head.strip(), re.IGNORECASE) or name != "image":
        raise _elsewhere(shown, link)
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(base64.b64decode(re.sub(r"\s+", "", body))), formats=("PNG", "JPEG", "GIF", "WEBP"))
        width, height = picture.size
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise _bad(shown, "has a picture in it that is damaged", "embed it anew") from problem
    if width * height > MOST_EMBEDDED:
        raise _bad(shown, f"has a picture of {width:,}×{height:,} pixels in it", "embed a smaller one")


def _weigh(root: ET.Element, by_id: dict[str, ET.Element], shown: str) -> None:
    """How many elements are drawn when every `use` is written out; a `use` of itself and one that multiplies are errors."""
    weights: dict[int, int] = {}
    open_: set[int] = set()
    too_large = _bad(shown, "repeats itself without end", "write out its <use> elements, or save it as PNG")

    def weight(element: ET.Element, depth: int) -> int:
        key = id(element)
        if key in weights:
            return weights[key]
        if key in open_ or depth > 4 * MOST_DEPTH:
            raise too_large
        open_.add(key)
        total = 1 + sum(weight(child, depth + 1) for child in element)
        if _name(element) == "use":
            link = (element.get("href") or element.get(_XLINK) or "").strip()
            target = by_id.get(link[1:])
            total += weight(target, depth + 1) if target is not None and link.startswith("#") else 0
        open_.discard(key)
        if total > MOST_ELEMENTS:
            raise too_large
        weights[key] = total
        return total

    weight(root, 0)
