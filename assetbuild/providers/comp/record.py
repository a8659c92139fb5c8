"""What a comp tells of itself in its own file: its five colours, and which words stand where on it. So that an edit of a comp puts
new words exactly in the place of old ones, instead of looking for letters. Knows the files' chunks; no layout, no typst, no Pillow.

It is JSON in a `tEXt` chunk (PNG, third edition, 11.3.3.2), a comment (JPEG) or a chunk of its own (WebP, RFC 9649, 2.7.1.6); its
numbers are shares of the picture's width and height. It holds for the pixels that it was written for only: who edits the picture
in another program, even one that keeps comments, makes it void. What isn't as we write it is no record.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_MAGIC = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"assetbuild-comp\0"
_WEBP = b"ABcr"  # our own chunk
_SEGMENT = 65_500  # bytes that a comment of a JPEG holds
_VERSION = 1
_MOST = 200_000  # bytes of a record that are read
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_FIVE = 5


class Stand(NamedTuple):
    """Words on a picture. `box` (x, y, w, h) is theirs, from the capitals' top to the last line's foot; `field` is the bare ground
    that words in their place may use; both are shares of the picture's width and height. `size` is an em, a share of the width;
    `cap` the largest that words in their place get; `tall` a factor for scripts with high letters. `role` is head, brand, sub,
    body, price, or added (by an edit).
    """

    role: str
    text: str
    box: tuple[float, float, float, float]
    field: tuple[float, float, float, float]
    size: float
    cap: float
    tall: float
    ground: str
    ink: str
    side: str
    face: str
    anchor: str  # what stays where it is when the words change: top, middle or bottom


class Record(NamedTuple):
    """A comp's five colours (paper, ink, three accents) and its words."""

    five: tuple[str, ...]
    words: tuple[Stand, ...]


def row(png: bytes) -> list[dict[str, Any]]:
    """What the drawing told in a PNG of one row: JSON in the red, green and blue of its pixels (8 bits, as typst writes it)."""
    width, _, _, colour = struct.unpack(">IIBB", png[16:26])
    step = {2: 3, 6: 4}[colour]
    lines = zlib.decompress(b"".join(png[at : at + size] for kind, at, size in _chunks(png) if kind == b"IDAT"))
    kind, raw = lines[0], bytearray(lines[1 : 1 + width * step])
    if kind in (1, 3, 4):  # in a first row Paeth is Sub, Average takes half of what is on the left, Up takes nothing
        for n in range(step, len(raw)):
            raw[n] = (raw[n] + (raw[n - step] >> (kind == 3))) & 0xFF  # noqa: PLR2004 - PNG's number of Average
    told: list[dict[str, Any]] = json.loads(bytes(raw[n] for n in range(len(raw)) if n % step < 3))  # noqa: PLR2004 - not alpha
    return told


def stands(told: Iterable[Mapping[str, Any]], page: int, wh: tuple[int, int]) -> tuple[Stand, ...]:
    """What was told of a page (from 1) of w x h pixels."""
    w, h = wh
    return tuple(
        Stand(
            one["role"],
            one["text"],
            _share(one["box"], w, h),
            _share(one["field"], w, h),
            round(one["size"] / w, 6),
            round(one["cap"] / w, 6),
            round(one["tall"], 3),
            one["ground"].upper()[:7],
            one["ink"].upper()[:7],
            one["side"],
            one["face"],
            one["anchor"],
        )
        for one in told
        if one["page"] == page
    )


def _share(box: Sequence[float], w: int, h: int) -> tuple[float, float, float, float]:
    x, y, wide, high = box
    return round(x / w, 6), round(y / h, 6), round(wide / w, 6), round(high / h, 6)


def write(picture: bytes, record: Record) -> bytes:
    """A PNG, JPEG or WebP that we encoded, with its record."""
    form = _form(picture[:16])
    told = {"v": _VERSION, "pixels": _sum(picture, form)} | record._asdict()
    body = _KEYWORD + json.dumps(told, separators=(",", ":")).encode("ascii")
    if form == "png":
        at = next(at + size + 4 for kind, at, size in _chunks(picture) if kind == b"IHDR")
        chunk = struct.pack(">I", len(body)) + b"tEXt" + body + struct.pack(">I", zlib.crc32(b"tEXt" + body))
        return picture[:at] + chunk + picture[at:]
    if form == "jpeg":
        fits = len(body) < _SEGMENT
        return picture[:2] + b"\xff\xfe" + struct.pack(">H", len(body) + 2) + body + picture[2:] if fits else picture
    chunks = picture[12:]
    if not chunks.startswith(b"VP8X"):  # only the extended form may hold what readers don't know
        w, h = _size_of_webp(chunks)
        chunks = struct.pack("<4sII", b"VP8X", 10, 0) + (w - 1).to_bytes(3, "little") + (h - 1).to_bytes(3, "little") + chunks
    chunks += struct.pack("<4sI", _WEBP, len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def read(path: Path) -> Record | None:
    """The record of a file; None where it has none, or one for other pixels. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(1024)
        form = _form(head)
        if not form or (form != "webp" and _KEYWORD not in head):
            return None  # nearly always: ours stands before the pixels
        if form == "webp":
            file.seek(-min(_MOST, path.stat().st_size), 2)
            if _KEYWORD not in file.read():
                return None
        file.seek(0)
        picture = file.read()
    try:
        told = json.loads(_body(picture, form))
        if told["v"] != _VERSION or told["pixels"] != _sum(picture, form):
            return None
        record = Record(tuple(told["five"]), tuple(_stand(one) for one in told["words"]))
    except (ValueError, TypeError, KeyError, RecursionError, struct.error):
        return None
    return record if len(record.five) == _FIVE and all(map(_is_colour, record.five)) else None


def _form(head: bytes) -> str:
    if head.startswith(_MAGIC):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return "webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else ""


def _body(picture: bytes, form: str) -> bytes:
    """The JSON of a file's record, b"" where there is none."""
    if form == "jpeg":
        size = struct.unpack_from(">H", picture, 4)[0] if picture[2:4] == b"\xff\xfe" else 2
        found = [picture[6 : 4 + size]]
    elif form == "png":
        found = [picture[at : at + size] for kind, at, size in _chunks(picture) if kind == b"tEXt" and size < _MOST]
    else:
        found = [picture[at : at + size] for kind, at, size in _chunks_of_webp(picture) if kind == _WEBP and size < _MOST]
    return next((body[len(_KEYWORD) :] for body in found if body.startswith(_KEYWORD)), b"")


def _sum(picture: bytes, form: str) -> str:
    """What tells the picture's pixels from others: of the chunks that hold them."""
    if form == "jpeg":
        mine = picture[2:4] == b"\xff\xfe" and picture[6:].startswith(_KEYWORD)
        start = 4 + struct.unpack_from(">H", picture, 4)[0] if mine else 2
        return f"{zlib.crc32(memoryview(picture)[start:]):08x}"
    if form == "png":
        parts = [(at, size) for kind, at, size in _chunks(picture) if kind == b"IDAT"]
    else:
        parts = [(at, size) for kind, at, size in _chunks_of_webp(picture) if kind in (b"VP8 ", b"VP8L", b"ALPH")]
    total = 0
    for at, size in parts:
        total = zlib.crc32(memoryview(picture)[at : at + size], total)
    return f"{total:08x}"


def _stand(one: list[Any]) -> Stand:
    """A line of a record, looked at closely. Raises ValueError or TypeError."""
    role, text, box, field, size, cap, tall, ground, ink, side, face, anchor = one
    stand = Stand(role, text, _box(box), _box(field), float(size), float(cap), float(tall), ground, ink, side, face, anchor)
    known = (
        role in ("head", "brand", "sub", "body", "price", "added")
        and isinstance(text, str)
        and _is_colour(ground)
        and _is_colour(ink)
        and 0 < stand.size < 2  # noqa: PLR2004 - of the width: a narrow picture may have higher letters
        and 0 < stand.cap < 2  # noqa: PLR2004
        and 0 < stand.tall < 4  # noqa: PLR2004 - the tallest script has 1.6
        and side in ("left", "start", "center", "right")
        and face in ("sans", "serif", "mono")
        and anchor in ("top", "middle", "bottom")
    )
    if not known:
        raise ValueError(role)
    return stand


def _box(numbers: list[float]) -> tuple[float, float, float, float]:
    x, y, w, h = (float(number) for number in numbers)
    if not all(-1 <= number <= 2 for number in (x, y, w, h)):  # noqa: PLR2004 - a word may begin outside, no further
        raise ValueError(numbers)
    return x, y, w, h


def _is_colour(text: object) -> bool:
    return isinstance(text, str) and _COLOUR.fullmatch(text) is not None


def _chunks(png: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and size of the chunks of a PNG, which may end anywhere."""
    at = len(_MAGIC)
    while at + 8 <= len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        yield kind, at + 8, size
        at += 12 + size


def _chunks_of_webp(webp: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    while at + 8 <= len(webp):
        kind, size = struct.unpack_from("<4sI", webp, at)
        yield kind, at + 8, size
        at += 8 + size + size % 2


def _size_of_webp(chunks: bytes) -> tuple[int, int]:
    """Width and height of a WebP of the simple, lossy form (RFC 6386, 9.1)."""
    w, h = struct.unpack_from("<HH", chunks, 14)
    return w & 0x3FFF, h & 0x3FFF
