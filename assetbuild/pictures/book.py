"""The PDF of one page while it is put together: its streams, its colour spaces, its one page, its id. Knows what a PDF is made of; what is on the page and
where is for others.

pypdf writes it: pure Python without dependencies (5 MB; pikepdf comes with lxml, 20 MB; reportlab can't place another PDF's page), BSD. The file is no PDF/X
and doesn't say so.
"""

from __future__ import annotations

import hashlib
import io
import math
import zlib
from typing import TYPE_CHECKING

from .inks import Inks, coded
from .pages import Area, Page, crop_marks, said
from .wanted import CantExport

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from pypdf import PdfWriter
    from pypdf.generic import ArrayObject, IndirectObject, PdfObject


OTHERWISE = "an export that ends with `.tiff` or `.png` needs no drawing"


class Book:
    """The PDF while it is put together. What goes into it also goes into its id, so that equal files have equal ids and no chance is needed."""

    def __init__(self, sheet: Page, *, title: str) -> None:
        from pypdf import PdfWriter

        self.sheet, self.title = sheet, title.encode("utf-8", "replace").decode()  # half a character can't be written
        self.writer: PdfWriter = PdfWriter()
        self.writer.pdf_header = "%PDF-1.7"
        self.orders: list[str] = []
        self.known = hashlib.sha256(repr((sheet, self.title)).encode())
        self.resources: dict[str, object] = {}
        self.profiles: dict[bytes, IndirectObject] = {}
        self.intent: Inks | None = None

    def image(
        self, picture: Picture, inks: Inks, alpha: Picture | None, *, quality: int | None, effort: int | None
    ) -> IndirectObject:
        """A picture as an object that can be drawn; its transparency is never lossy."""
        code = coded(picture, quality=quality, effort=effort)
        entries = {"/ColorSpace": self._space(inks), "/BitsPerComponent": 8, "/Width": code.width, "/Height": code.height}
        if alpha is not None:
            mask = coded(alpha, quality=None, effort=effort)
            veil = entries | mask.entries | {"/ColorSpace": "/DeviceGray"}
            entries["/SMask"] = self._stream(mask.data, {"/Type": "/XObject", "/Subtype": "/Image"} | veil)
        if inks.channels == 4:  # noqa: PLR2004
            self.intent = inks
        return self._stream(code.data, {"/Type": "/XObject", "/Subtype": "/Image"} | entries | code.entries)

    def form(self, vector: bytes) -> IndirectObject:
        """The one page of another PDF as an object that fills the unit square. Raises CantExport."""
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError

        try:
            pages = PdfReader(io.BytesIO(vector)).pages
            if len(pages) != 1:
                raise CantExport(f"the drawing of the picture has {len(pages)} pages instead of one", hint=OTHERWISE)
            other = pages[0]
            box, contents = other.mediabox, other.get_contents()
            wide, high = float(box.width), float(box.height)
            entries: dict[str, object] = {
                "/Type": "/XObject",
                "/Subtype": "/Form",
                "/BBox": [float(box.left), float(box.bottom), float(box.right), float(box.top)],
                "/Matrix": [1 / wide, 0, 0, 1 / high, -float(box.left) / wide, -float(box.bottom) / high],
                "/Filter": "/FlateDecode",
            }
            if "/Resources" in other:
                entries["/Resources"] = other["/Resources"].clone(self.writer)
            entries["/Group"] = {"/Type": "/Group", "/S": "/Transparency"}
            return self._stream(zlib.compress(contents.get_data() if contents is not None else b"", 9), entries, known=vector)
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, RecursionError) as problem:
            raise CantExport(f"the drawing of the picture can't be read ({problem})", hint=OTHERWISE) from problem

    def draw(self, thing: IndirectObject, spot: Area, ground: Picture | None, inks: Inks, *, blends: bool) -> None:
        """Puts it where it belongs, cut at the edge of what is seen, on the colour below it.

        What `blends` does so in its own colours, and in a form of its own: were the page such a group, all on it would be turned into those colours on the
        way to a press, and the marks would leave the plates.
        """
        sheet = self.sheet
        orders: list[str] = []
        resources: dict[str, object] = {"/XObject": {"/Picture": thing}}
        if ground is not None:
            resources["/ColorSpace"] = {"/Ground": self._space(inks)}
            # Rounded up: a viewer that cuts off what is behind the point shows it as the picture's own pixels.
            values = said(*(math.ceil(value / 255 * 1e6) / 1e6 for value in ground.tobytes()))
            orders.append(f"q /Ground cs {values} sc {sheet.bleed.path} f Q")
        # Cut even where it just fits: a viewer draws a picture over every pixel that it touches, and a colour beside it isn't drawn so.
        orders.append(
            f"q {sheet.drawn.path} W n {said(spot.width)} 0 0 {said(spot.height, spot.left, spot.bottom)} cm /Picture Do Q"
        )
        if blends:
            entries: dict[str, object] = {
                "/Type": "/XObject",
                "/Subtype": "/Form",
                "/BBox": [*sheet.bleed],
                "/Resources": resources,
            }
            entries["/Group"] = {"/Type": "/Group", "/S": "/Transparency", "/CS": self._space(inks), "/I": True}
            whole = self._stream("\n".join(orders).encode(), entries)
            orders, resources = ["/Blended Do"], {"/XObject": {"/Blended": whole}}
        self.orders += orders
        self.resources |= resources

    def mark(self) -> None:
        """Crop marks, in the colour that is on every plate."""
        tint = {"/FunctionType": 2, "/Domain": [0, 1], "/C0": [0, 0, 0, 0], "/C1": [1, 1, 1, 1], "/N": 1}
        spaces = self.resources.setdefault("/ColorSpace", {})
        assert isinstance(spaces, dict)  # noqa: S101
        spaces["/Marks"] = ["/Separation", "/All", "/DeviceCMYK", tint]
        self.orders.append(crop_marks(self.sheet))

    def bound(self, xmp: bytes | None) -> bytes:
        """The file."""
        from pypdf.generic import ArrayObject, ByteStringObject, NameObject

        sheet, writer = self.sheet, self.writer
        leaf = writer.add_blank_page(sheet.media.width, sheet.media.height)
        boxes = {"/MediaBox": sheet.media, "/CropBox": sheet.media, "/BleedBox": sheet.bleed, "/TrimBox": sheet.trim}
        entries: dict[str, object] = {name: [round(side, 4) for side in area] for name, area in boxes.items()}
        entries |= {"/Resources": self.resources, "/Contents": self._stream("\n".join(self.orders).encode(), {})}
        if sheet.unit > 1:
            entries["/UserUnit"] = sheet.unit
        for name, value in entries.items():
            leaf[NameObject(name)] = _object(value)
        root = writer.root_object
        if xmp is not None:
            root[NameObject("/Metadata")] = self._stream(xmp, {"/Type": "/Metadata", "/Subtype": "/XML"})
        if self.intent is not None and self.intent.profile is not None:
            root[NameObject("/OutputIntents")] = _object([self._output(self.intent.profile)])
        facts = {"/Producer": "assetbuild"}
        if self.title:
            facts["/Title"] = self.title
            root[NameObject("/ViewerPreferences")] = _object({"/DisplayDocTitle": True})
        writer.metadata = facts
        mine = ByteStringObject(self.known.digest()[:16])
        writer._ID = ArrayObject([mine, mine])  # pypdf's own way to an id throws dice
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    def _output(self, profile: bytes) -> dict[str, object]:
        """Which press the colours are for. The name is that of the specification's own kind of intent; nothing says that this is a PDF/X."""
        from PIL import ImageCms
        from pypdf.generic import TextStringObject

        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
        return {
            "/Type": "/OutputIntent",
            "/S": "/GTS_PDFX",
            "/OutputConditionIdentifier": TextStringObject("Custom"),
            "/Info": TextStringObject(name or "Custom"),
            "/DestOutputProfile": self._profile(profile, 4),
        }

    def _space(self, inks: Inks) -> object:
        return inks.device if inks.profile is None else ["/ICCBased", self._profile(inks.profile, inks.channels)]

    def _profile(self, profile: bytes, channels: int) -> IndirectObject:
        if profile not in self.profiles:
            alternate = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}[channels]
            entries = {"/N": channels, "/Alternate": alternate, "/Filter": "/FlateDecode"}
            self.profiles[profile] = self._stream(zlib.compress(profile, 9), entries)
        return self.profiles[profile]

    def _stream(self, data: bytes, entries: dict[str, object], *, known: bytes | None = None) -> IndirectObject:
        from pypdf.generic import DictionaryObject, NameObject, StreamObject

        self.known.update(data if known is None else known)
        self.known.update(repr(sorted(entries)).encode())
        made = DictionaryObject({NameObject(name): _object(value) for name, value in entries.items()})
        stream = StreamObject.initialize_from_dictionary({**made, "__streamdata__": data})
        return self.writer._add_object(stream)


def _object(value: object) -> PdfObject:
    """A PDF's object from Python's: a string that starts with `/` is a name."""
    from pypdf import generic as g

    if isinstance(value, g.PdfObject):
        return value
    if isinstance(value, bool):
        return g.BooleanObject(value)
    if isinstance(value, int):
        return g.NumberObject(value)
    if isinstance(value, float):
        return g.FloatObject(said(value))
    if isinstance(value, str):
        return g.NameObject(value)
    if isinstance(value, list | tuple):
        made: ArrayObject = g.ArrayObject([_object(one) for one in value])
        return made
    assert isinstance(value, dict)  # noqa: S101
    return g.DictionaryObject({g.NameObject(name): _object(one) for name, one in value.items()})
