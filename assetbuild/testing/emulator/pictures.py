"""The pictures that come back: comps, small ones made in microseconds, or large ones of noise; and those that are none. Knows files'
bytes and the comp provider; no HTTP, no money.

`mark` (32 characters) makes one picture unlike every other: in a comp it is the take, and it stands in each file. The same mark gives
the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .shapes import Asked

MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
KINDS = ("comps", "tiny", "2mb")
_TINY = 64  # pixels of the longer side
_NOISE = 836  # pixels of each side: 2 MB of red, green and blue
_PNG_END = 12  # bytes of the last chunk of a PNG
_HINT = re.compile(r"^Image (\d+): (.+)$", re.MULTILINE)
_LOOK = re.compile(r"\b(colou?rs?|palette|style)\b", re.IGNORECASE)
_RATIO = re.compile(r"(\d+):(\d+)")


class Input(NamedTuple):
    """An input picture on this disk: the field it came in, its digest."""

    field: str
    digest: str
    path: Path


def picture(kind: str, asked: Asked, form: str, mark: str) -> bytes:
    """A tiny or a large one."""
    if kind == "2mb":
        return _stamped(_noise(form), mark)
    return _stamped(_plain(form, *_sides(asked), "" if form == "png" else mark[:1]), mark)


def comp(asked: Asked, form: str, marks: Sequence[str], inputs: Sequence[Input]) -> list[bytes]:
    """One comp for each mark. Takes 20 to 100 ms a picture. Raises ProviderError (INVALID) when an input can't be read."""
    from ...providers import comp as drawing
    from ...providers.base import Picture, Request

    op = {"/v2/images/upscale": "upscale", "/v2/images/background-remove": "remove-background"}.get(asked.model.path, "")
    given = [one for one in inputs if one.field != "mask"]
    hints = {int(number): hint for number, hint in _HINT.findall(asked.prompt)}
    # Nothing in the request says which picture is to be changed: the first, unless the prompt has a word for it.
    looked_at = 1 in hints or "image 1" in asked.prompt
    op = op or ("edit" if given and not looked_at else "generate")
    pictures = tuple(
        Picture(one.digest, one.path, _role(n, hints.get(n), op), None, hints.get(n), f"input {n}")
        for n, one in enumerate(given, 1)
    )
    params = {"output_format": form, "quality": asked.params.get("quality", "medium")}
    if params["quality"] == "auto":
        params["quality"] = "high"
    if op in ("generate", "edit"):
        params["aspect_ratio"] = _ratio(asked)
        params["background"] = asked.params.get("background", "auto")
    if op == "upscale":
        factor = asked.params.get("upscale_factor", asked.params.get("scale_factor", 2))
        params = {"output_format": form, "scale": 2 if factor <= 2 else 4}  # noqa: PLR2004 - all that comp enlarges by
    key = hashlib.sha256(f"{asked.model.name} {asked.prompt}".encode()).hexdigest()
    made = []
    for mark in marks:
        request = Request(key, op, drawing.MODELS[-1], asked.prompt, params, pictures, take=int(mark[:8], 16))
        made.append(_stamped(drawing.done(request).images[0].data, mark))
    return made


def _role(number: int, hint: str | None, op: str) -> str:
    """As a spec would say it."""
    if number == 1 and op != "generate":
        return "base"
    return "style" if hint is not None and _LOOK.search(hint) else "reference"


def _ratio(asked: Asked) -> str:
    """The ratio that is asked for, as W:H within what can be drawn; square when none is said, or in words."""
    across, down = asked.params.get("width"), asked.params.get("height")
    found = _RATIO.fullmatch(f"{across}:{down}" if across and down else str(asked.params.get("aspect_ratio", "")))
    w, h = (int(found[1]), int(found[2])) if found else (1, 1)
    return f"{w}:{h}" if w and h and max(w, h) <= 8 * min(w, h) else "1:1"


def _sides(asked: Asked) -> tuple[int, int]:
    w, h = (int(part) for part in _ratio(asked).split(":"))
    return max(1, round(_TINY * w / max(w, h))), max(1, round(_TINY * h / max(w, h)))


@functools.lru_cache(maxsize=256)
def _plain(form: str, w: int, h: int, hue: str) -> bytes:
    """A plain picture of one colour. A PNG's colour is set by `_stamped`, in its palette."""
    if form == "png":
        rows = zlib.compress((b"\0" + b"\0" * w) * h)
        head = struct.pack(">IIBBBBB", w, h, 8, 3, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", head)
            + _chunk(b"PLTE", b"\0\0\0")
            + _chunk(b"IDAT", rows)
            + _chunk(b"IEND", b"")
        )
    from PIL import Image

    kept = io.BytesIO()
    Image.new("RGB", (w, h), (int(hue, 16) * 16, 128, 255 - int(hue, 16) * 16)).save(kept, form.upper())
    return kept.getvalue()


@functools.lru_cache(maxsize=3)
def _noise(form: str) -> bytes:
    """About 2 MB that can't be pressed together."""
    raw = hashlib.shake_256(b"assetbuild emulator").digest(_NOISE * _NOISE * 3)
    if form == "png":
        row = _NOISE * 3
        rows = zlib.compress(b"".join(b"\0" + raw[n * row : (n + 1) * row] for n in range(_NOISE)), 0)
        head = struct.pack(">IIBBBBB", _NOISE, _NOISE, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    from PIL import Image

    kept = io.BytesIO()
    noise = Image.frombytes("RGB", (_NOISE, _NOISE), raw)
    if form == "jpeg":
        noise.save(kept, "JPEG", quality=100, subsampling=0)
    else:
        noise.save(kept, "WEBP", lossless=True, quality=0, method=0)
    return kept.getvalue()


def _stamped(data: bytes, mark: str) -> bytes:
    """The same picture as another file: with the mark in a text chunk (PNG), a comment (JPEG) or a chunk of its own (WebP)."""
    told = b"emulator\0" + mark.encode("ascii")
    if data.startswith(b"\x89PNG"):
        return _coloured(data[:-_PNG_END], mark) + _chunk(b"tEXt", told) + data[-_PNG_END:]
    if data.startswith(b"\xff\xd8"):
        return data[:2] + b"\xff\xfe" + struct.pack(">H", len(told) + 2) + told + data[2:]
    chunks = data[12:] + struct.pack("<4sI", b"EMUL", len(told)) + told + b"\0" * (len(told) % 2)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _coloured(png: bytes, mark: str) -> bytes:
    """A plain picture in a colour of its own; any other one as it is. The palette of a plain one stands right behind the head."""
    at = 33
    if png[at + 4 : at + 8] != b"PLTE" or png[at : at + 4] != b"\0\0\0\3":
        return png
    return png[:at] + _chunk(b"PLTE", bytes.fromhex(mark[:6])) + png[at + 15 :]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def plain() -> bytes:
    """A tiny PNG, always the same."""
    return _plain("png", _TINY, _TINY, "")


@functools.cache
def bomb() -> bytes:
    """A PNG of 50 kB with 20,000 x 20,000 pixels of one bit."""
    side = 20_000
    press = zlib.compressobj(9)
    row = b"\0" * (1 + side // 8)
    rows = b"".join([*(press.compress(row) for _ in range(side)), press.flush()])
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def sniff(head: bytes) -> tuple[str, str] | None:
    """(image, video or audio; media type) of a file that may be uploaded, by its first 12 bytes; None for any other."""
    for magic, kind, media in (
        (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
        (b"\xff\xd8\xff", "image", "image/jpeg"),
        (b"GIF87a", "image", "image/gif"),
        (b"GIF89a", "image", "image/gif"),
        (b"\x1aE\xdf\xa3", "video", "video/webm"),
        (b"ID3", "audio", "audio/mpeg"),
        (b"\xff\xfb", "audio", "audio/mpeg"),
        (b"OggS", "audio", "audio/ogg"),
    ):
        if head.startswith(magic):
            return kind, media
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"WAVE"):
        return ("image", "image/webp") if head[8:12] == b"WEBP" else ("audio", "audio/wav")
    if head[4:8] == b"ftyp":
        brands = {b"qt  ": ("video", "video/quicktime"), b"M4A ": ("audio", "audio/mp4")}
        return brands.get(head[8:12], ("video", "video/mp4"))
    return None
