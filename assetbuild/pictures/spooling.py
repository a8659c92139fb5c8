"""Large sheets as files, written piece by piece: PNG strip by strip and PDF page by page, JPEG and WebP in one as long as they can hold it. Knows pixels and
file formats; not what is drawn.
"""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable
from typing import IO

from PIL import Image, ImageChops

from .wanted import CantExport

Write = Callable[[bytes], object]
SIDES = {"jpeg": 65_500, "webp": 16_383, "png": 2**31 - 1}  # pixels: libjpeg's, WebP's and PNG's own limits
WHOLE = 150_000_000  # pixels that are held at once
CHUNK = 1 << 20  # bytes
PDF_QUALITY, QUALITY = 90, 90
PNG_LEVEL = 6
POINTS = 72  # to the inch


def write_png(size: tuple[int, int], strips: Iterable[Image.Image], write: Write) -> None:
    """RGB strips, from top to bottom, as one PNG of `size`. Only one of them is held at a time (PNG 1.2, filter type 1 for each row)."""
    write(b"\x89PNG\r\n\x1a\n")
    write(_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)))
    write(_chunk(b"sRGB", b"\0"))
    packed = zlib.compressobj(PNG_LEVEL)
    for strip in strips:
        before = Image.new("RGB", strip.size, 0)
        before.paste(strip, (1, 0))
        rows, step = ImageChops.subtract_modulo(strip, before).tobytes(), strip.width * 3
        lines = b"".join(b"\1" + rows[at : at + step] for at in range(0, len(rows), step))
        if found := packed.compress(lines):
            write(_chunk(b"IDAT", found))
    write(_chunk(b"IDAT", packed.flush()))
    write(_chunk(b"IEND", b""))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write_whole(kind: str, size: tuple[int, int], strips: Iterable[Image.Image], write: Write) -> None:
    """RGB strips as one JPEG or WebP. Raises CantExport where that is larger than the format, or than what can be held at once."""
    check_size(kind, size)
    whole, top = Image.new("RGB", size), 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    with tempfile.TemporaryFile() as file:
        whole.save(file, kind.upper(), quality=QUALITY, **({"subsampling": 0} if kind == "jpeg" else {"method": 4}))
        _copy(file, write)


def check_size(kind: str, size: tuple[int, int]) -> None:
    """Raises CantExport if a picture of this size can't be such a file."""
    wide, high = size
    shown = {"jpeg": "JPEG", "webp": "WebP", "png": "PNG"}[kind]
    hint = "write a .pdf, which has pages, or show fewer assets" + ("" if kind == "png" else "; a .png may be larger")
    if max(size) > SIDES[kind]:
        raise CantExport(f"the sheet has {wide:,} × {high:,} pixels, and a {shown} at most {SIDES[kind]:,} on a side", hint=hint)
    if kind != "png" and wide * high > WHOLE:
        raise CantExport(f"the sheet has {wide:,} × {high:,} pixels, too many for one {shown}", hint=hint)


def write_pdf(pages: Iterable[Image.Image], dpi: float, title: str, write: Write) -> None:
    """RGB pages as a PDF without a date (PDF 1.4, each page one JPEG). Only one of them is held at a time, and the file is written once: what knows
    all pages stands at its end.
    """
    catalogue, tree, said, first = 1, 2, 3, 4
    places: dict[int, int] = {}
    done = 0

    def put(content: bytes) -> None:
        nonlocal done
        write(content)
        done += len(content)

    def thing(number: int, content: bytes) -> None:
        places[number] = done
        put(b"%d 0 obj\n%b\nendobj\n" % (number, content))

    def stream(number: int, head: bytes, content: bytes) -> None:
        thing(number, b"<<%b/Length %d>>\nstream\n%b\nendstream" % (head, len(content), content))

    put(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    kids: list[int] = []
    for page in pages:
        number = first + 3 * len(kids)
        kids.append(number)
        wide, high = (b"%.2f" % (side * POINTS / dpi) for side in page.size)
        packed = io.BytesIO()
        page.save(packed, "JPEG", quality=PDF_QUALITY, subsampling=0)
        size = b"/Width %d/Height %d" % page.size
        stream(
            number + 2,
            b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode" + size,
            packed.getvalue(),
        )
        stream(number + 1, b"", b"q %b 0 0 %b 0 0 cm /P Do Q" % (wide, high))
        used = b"/Resources<</XObject<</P %d 0 R>>>>" % (number + 2)
        thing(
            number,
            b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %b %b]%b/Contents %d 0 R>>" % (tree, wide, high, used, number + 1),
        )
    thing(tree, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids)))
    thing(catalogue, b"<</Type/Catalog/Pages %d 0 R>>" % tree)
    thing(said, b"<</Title<%b>/Producer(assetbuild)>>" % ("\ufeff" + title).encode("utf-16-be").hex().encode())
    start, count = done, len(places) + 1
    put(b"xref\n0 %d\n0000000000 65535 f \n" % count + b"".join(b"%010d 00000 n \n" % places[n] for n in range(1, count)))
    put(b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, catalogue, said, start))


def _copy(file: IO[bytes], write: Write) -> None:
    file.seek(0)
    while some := file.read(CHUNK):
        write(some)
