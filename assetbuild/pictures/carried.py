"""What a picture file carries besides its pixels: its XMP packet and its C2PA manifest, as bytes. Reads heads and tables, never pixels, and a bounded
part of any file; a hostile or broken one gives less, never an error. Knows nothing of what stands in them.

Where a manifest lies: C2PA specification, "Embedding manifests into assets". Where a packet lies: XMP specification part 3 (ISO 16684-1).
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

READ_MOST = 24 << 20  # bytes of one file, whatever its size
PACKET_MOST = 1 << 20
MANIFEST_MOST = 4 << 20
PARTS_MOST = 20_000  # chunks, segments, boxes
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"
_TIFF_XMP, _TIFF_C2PA = 700, 52545


class Carried(NamedTuple):
    """`media` is what the file is by its first bytes: "png", "jpeg", "webp", "avif", "heif", "tiff", "pdf", "xmp" (a sidecar), or "". `signed`: a manifest
    is there; `manifest` its bytes, as far as they are looked at. `whole` False: the file ends early, can't be read, or has more parts than we look at.
    """

    media: str = ""
    packet: bytes = b""
    manifest: bytes = b""
    signed: bool = False
    whole: bool = True


class _End(Exception):
    """Nothing more is read: the file is over, or enough was."""


class _Source:
    """A file that is read here and there, up to `READ_MOST` bytes in all."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.left, self.parts = stream, READ_MOST, PARTS_MOST
        self.size = stream.seek(0, io.SEEK_END)

    def at(self, place: int, length: int) -> bytes:
        """So many bytes from a place; _End if they aren't all there."""
        if place < 0 or length < 0 or place + length > self.size or length > self.left:
            raise _End
        self.left -= length
        self.stream.seek(place)
        found = self.stream.read(length)
        if len(found) != length:
            raise _End
        return found

    def part(self) -> None:
        """One chunk more."""
        self.parts -= 1
        if self.parts < 0:
            raise _End


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.packet, self.manifest, self.signed = b"", b"", False


def carried(source: Path | bytes) -> Carried:
    """What a file carries. Never raises."""
    try:
        if isinstance(source, bytes):
            return _look(io.BytesIO(source))
        if not stat.S_ISREG(source.stat().st_mode):
            return Carried(whole=False)  # a pipe would make us wait
        with open(source, "rb") as stream:
            return _look(stream)
    except OSError:
        return Carried(whole=False)


def _look(stream: BinaryIO) -> Carried:
    found, media, whole = _Found(), "", True
    try:
        source = _Source(stream)
        media, walk = _media(source.at(0, min(16, source.size)))
        walk(source, found)
    except (_End, struct.error):
        whole = False
    return Carried(media or ("xmp" if found.packet else ""), found.packet, found.manifest, found.signed, whole)


def _media(head: bytes) -> tuple[str, Callable[[_Source, _Found], None]]:
    """What a file is by its first bytes, and how its parts are walked through."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", _png
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg", _jpeg
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp", _webp
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff", _tiff
    if head[4:8] == b"ftyp":
        return ("avif" if head[8:12] in (b"avif", b"avis") else "heif"), _boxes
    return ("pdf" if head.startswith(b"%PDF-") else ""), _scan


def _png(source: _Source, found: _Found) -> None:
    at = 8
    while True:
        source.part()
        length, name = struct.unpack(">I4s", source.at(at, 8))
        if name == b"caBX":
            found.signed = True
            found.manifest += source.at(at + 8, min(length, MANIFEST_MOST))
        elif name == b"iTXt" and not found.packet and length < PACKET_MOST:
            found.packet = _itxt(source.at(at + 8, length))
        at += 12 + length
        if name == b"IEND":
            return


def _itxt(text: bytes) -> bytes:
    """The packet in an iTXt chunk: keyword, compressed or not, method, language, translated keyword, text."""
    if not text.startswith(_XMP_KEYWORD):
        return b""
    rest = text[len(_XMP_KEYWORD) :]
    parts = rest[2:].split(b"\0", 2)
    if len(parts) < 3:  # noqa: PLR2004 - language, keyword, text
        return b""
    if rest[:1] == b"\0":
        return parts[2]
    try:
        return zlib.decompressobj().decompress(parts[2], PACKET_MOST)
    except zlib.error:
        return b""


def _jpeg(source: _Source, found: _Found) -> None:
    at = 2
    while True:
        source.part()
        mark, code = source.at(at, 2)
        if mark != 0xFF:  # noqa: PLR2004 - every marker begins so
            raise _End
        if code == 0xFF:  # noqa: PLR2004 - filling
            at += 1
            continue
        if code in (0xDA, 0xD9):  # the pixels; the end
            return
        if code == 0x01 or 0xD0 <= code <= 0xD8:  # noqa: PLR2004 - markers without a length
            at += 2
            continue
        (length,) = struct.unpack(">H", source.at(at + 2, 2))
        if length < 2:  # noqa: PLR2004 - it counts itself
            raise _End
        body = source.at(at + 4, length - 2) if code in (0xE1, 0xEB) else b""
        if code == 0xE1 and body.startswith(_XMP_SEGMENT) and not found.packet:  # noqa: PLR2004 - APP1
            found.packet = body[len(_XMP_SEGMENT) :]
        elif code == 0xEB and body.startswith(b"JP"):  # noqa: PLR2004 - APP11: JPEG XT box, number, sequence, then a JUMBF box
            found.signed = found.signed or b"c2pa" in body[8:80]
            if found.signed and len(found.manifest) < MANIFEST_MOST:
                found.manifest += body[16:] if found.manifest else body[8:]
        at += 2 + length


def _webp(source: _Source, found: _Found) -> None:
    (size,) = struct.unpack("<I", source.at(4, 4))
    at, end = 12, 8 + size
    while at + 8 <= end:
        source.part()
        name, length = struct.unpack("<4sI", source.at(at, 8))
        if name == b"XMP " and not found.packet and length < PACKET_MOST:
            found.packet = source.at(at + 8, length)
        elif name == b"C2PA":
            found.signed = True
            found.manifest += source.at(at + 8, min(length, MANIFEST_MOST))
        at += 8 + length + length % 2
    if at > source.size + 1:
        raise _End


def _boxes(source: _Source, found: _Found) -> None:
    """The boxes of an AVIF or HEIF. Its packet is an item whose place is in a table: the text is looked for instead, as the XMP specification allows."""
    at = 0
    while at + 8 <= source.size:
        source.part()
        length, name = struct.unpack(">I4s", source.at(at, 8))
        head = 8
        if length == 1:
            (length,), head = struct.unpack(">Q", source.at(at + 8, 8)), 16
        elif length == 0:
            length = source.size - at
        if length < head:
            raise _End
        if name == b"uuid":
            which = source.at(at + head, 16)
            if which == _C2PA_BOX:
                found.signed = True
                found.manifest += source.at(at + head + 16, max(0, min(length - head - 16, MANIFEST_MOST)))
            elif which == _XMP_BOX and length < PACKET_MOST:
                found.packet = source.at(at + head + 16, max(0, length - head - 16))
        at += length
    if not found.packet:
        _scan(source, found)
    if at > source.size:
        raise _End


def _tiff(source: _Source, found: _Found) -> None:
    order = "<" if source.at(0, 1) == b"I" else ">"
    big = source.at(2, 2) in (b"+\0", b"\0+")
    (table,) = struct.unpack(order + ("Q" if big else "I"), source.at(8, 8) if big else source.at(4, 4))
    count_size, entry, form = (8, 20, "HHQ") if big else (2, 12, "HHI")
    (count,) = struct.unpack(order + ("Q" if big else "H"), source.at(table, count_size))
    source.parts -= min(count, PARTS_MOST)
    for number in range(min(count, PARTS_MOST)):
        line = source.at(table + count_size + number * entry, entry)
        tag, kind, length = struct.unpack_from(order + form, line)
        if tag not in (_TIFF_XMP, _TIFF_C2PA) or kind not in (1, 7) or length <= (8 if big else 4):
            continue
        (place,) = struct.unpack_from(order + ("Q" if big else "I"), line, 12 if big else 8)
        if tag == _TIFF_C2PA:
            found.signed = True
            found.manifest = source.at(place, min(length, MANIFEST_MOST))
        elif length < PACKET_MOST:
            found.packet = source.at(place, length)


def _scan(source: _Source, found: _Found) -> None:
    """Looks for the packet by its text, in the beginning and the end of the file; in a PDF also for the mark of an attached manifest."""
    half = source.left // 3
    pieces = [source.at(0, min(half, source.size))]
    if source.size > half:
        rest = min(half, source.size - half)
        pieces.append(source.at(source.size - rest, rest))
    for piece in pieces:
        found.signed = found.signed or b"/C2PA_Manifest" in piece
        start = piece.find(b"<x:xmpmeta")
        end = piece.find(b"</x:xmpmeta>", start, start + PACKET_MOST) if start >= 0 else -1
        if end >= 0 and not found.packet:
            found.packet = piece[start : end + 12]
