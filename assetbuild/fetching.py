"""Fetches a bought picture: from its address to a file that is known to be a whole picture, hashed on its way. Knows addresses, bytes
and pictures; knows no job, no store and no price.

Nothing about the bytes is trusted: not their number, not their declared type, not that they decode. What isn't a picture is
`Spoiled`, and can be fetched again; what isn't there any more is `Expired`. The file lies in the folder that was given, under the name
of a temporary one, so that whatever sweeps that folder finds what a kill has left. Syncing it to disk is left to who keeps it.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import struct
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from .errors import AssetbuildError
from .files import Temp, disk_error
from .hosts import is_local
from .providers.base import Kind, ProviderError
from .retrying import FREELY, POLL_PATIENCE, rest, retried

if TYPE_CHECKING:
    from .settings import Settings
    from .wire import Download, Wire

MOST = 64 << 20  # bytes of one picture
PIXELS_MOST = 178_956_970  # where Pillow calls it a decompression bomb; the largest upscales are 4K, a twentieth of it
BIG = 32 << 20  # pixels; two of these aren't decoded at a time
LATE = (0.5, 1.5, 4.0)  # seconds: a vendor may say "done" a moment before its CDN has the picture
HELD = 256 << 10  # bytes that are held in memory before they are written
_HEAD, _TAIL = 32, 64 << 10  # bytes
_MEDIA = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


class Fetched(NamedTuple):
    """A whole picture in a file of its own: `digest` is the sha256 of its bytes, hex; `size` in bytes, `width` and `height` in pixels."""

    path: Path
    digest: str
    size: int
    media: str  # "image/png", "image/jpeg", "image/webp"
    width: int
    height: int


class Spoiled(AssetbuildError):
    """What came isn't a whole picture. Fetched again, it may be."""

    exit_code = 1


class Expired(AssetbuildError):
    """The picture isn't at its address any more."""

    exit_code = 1


async def fetch(
    wire: Wire,
    settings: Settings,
    url: str,
    folder: Path,
    *,
    keep: Callable[[Temp, str], None] | None = None,
    most: int = MOST,
    patience: float = POLL_PATIENCE,
    stop: asyncio.Event | None = None,
) -> Fetched:
    """Fetch a picture into a new file in `folder`, which is the caller's to keep or to remove, or `keep`'s, which gets it
    in the worker thread with its digest. What is temporary is tried again for
    `patience` seconds; `stop` ends that.

    Raises Spoiled, Expired, ProviderError (INVALID for an address that can't be a picture's, else why it can't be reached), StoreError
    when the disk refuses, and what `keep` raises. No file is left then, and no message holds the address.
    """
    local = settings.base_url is not None and is_local(settings.base_url)
    for late in (*LATE, None):
        try:
            return await retried(
                lambda: _once(wire, url, folder, most=most, local=local, keep=keep), again=FREELY, patience=patience, stop=stop
            )
        except _Missing as missing:
            if late is None or missing.for_good or await rest(late, stop):
                raise Expired(missing.text) from None
    raise AssertionError("the last round returns or raises")


class _Missing(AssetbuildError):
    def __init__(self, host: str, *, for_good: bool) -> None:
        super().__init__(f"the picture isn't at {host} any more")
        self.for_good = for_good


async def _once(
    wire: Wire, url: str, folder: Path, *, most: int, local: bool, keep: Callable[[Temp, str], None] | None
) -> Fetched:
    landing, loop = _Landing(folder), asyncio.get_running_loop()
    try:
        async with wire.stream(url, local=local) as download:
            _answered(download, most)
            held = await _received(download, landing, most)
        # The connection is free for another one now.
        return await loop.run_in_executor(_decoders(), landing.whole, held, download.host, keep)
    finally:
        if not landing.kept:  # in its thread: it may be at work there, when we are cancelled
            await asyncio.shield(loop.run_in_executor(_decoders(), landing.drop))


class _Landing:
    """A picture on its way to the disk. Of a large one the bytes are written as they come, so that few of them are in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kept = folder, False
        self._lock = threading.Lock()
        self._temp: Temp | None = None
        self._digest, self._size = hashlib.sha256(), 0
        self._dropped = False

    def add(self, pieces: Sequence[bytes]) -> None:
        """Writes and hashes them. Raises StoreError."""
        try:
            if self._temp is None:
                try:
                    self._temp = Temp(self.folder, mode=0o444)
                except FileNotFoundError:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    self._temp = Temp(self.folder, mode=0o444)
            for piece in pieces:
                self._digest.update(piece)
                self._size += len(piece)
                self._temp.write(piece)
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def whole(self, rest: Sequence[bytes], host: str, keep: Callable[[Temp, str], None] | None) -> Fetched:
        """The last bytes; looks whether it is a picture. Raises Spoiled and StoreError."""
        with self._lock:
            if self._dropped:
                raise Spoiled(f"the picture from {host} wasn't wanted any more")
            alone = b"".join(rest) if self._temp is None else None  # a small one needn't be read again
            if alone is not None:
                media, width, height = _decoded(io.BytesIO(alone), len(alone), host)
            self.add(rest)
            assert self._temp is not None  # noqa: S101 - just made
            if alone is None:
                with open(self._temp.path, "rb") as file:
                    media, width, height = _decoded(file, self._size, host)
            digest, path = self._digest.hexdigest(), self._temp.path
            if keep is None:
                self._temp.keep()
            else:
                with self._temp:
                    keep(self._temp, digest)
            self.kept = True
            return Fetched(path, digest, self._size, media, width, height)

    def drop(self) -> None:
        """Nothing of it is left."""
        with self._lock:
            self._dropped = True
            if self._temp is not None and not self.kept:
                with self._temp:
                    pass


def _answered(download: Download, most: int) -> None:
    """Raises for any answer but a picture's."""
    host, status = download.host, download.status
    match status:
        case HTTPStatus.OK:
            if download.length is not None and download.length > most:
                raise Spoiled(_too_large(host, most))
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            raise _Missing(host, for_good=status == HTTPStatus.GONE)
        case HTTPStatus.TOO_MANY_REQUESTS | 500 | 502 | 503 | 504:
            kind = Kind.TEMPORARY if download.after is None else Kind.RATE_LIMITED
            raise ProviderError(kind, f"{host} can't give the picture now ({status})", after=download.after)
        case 301 | 302 | 303 | 307 | 308:
            raise ProviderError(Kind.INVALID, f"{host} sends us on to another address for the picture, which isn't followed")
        case _:  # 403 too: a signed address that is too old, or a proxy in between; the vendor may still have it
            raise Spoiled(f"{host} didn't give the picture ({status})")


async def _received(download: Download, landing: _Landing, most: int) -> list[bytes]:
    """What came and isn't written yet: all of a small picture, the end of a large one."""
    held: list[bytes] = []
    size = waiting = 0
    try:
        async for piece in download.chunks():
            size += len(piece)
            waiting += len(piece)
            if size > most:
                raise Spoiled(_too_large(download.host, most))
            held.append(piece)
            if waiting >= HELD:
                full, held, waiting = held, [], 0
                landing.add(full)
    except ProviderError as broken:
        raise Spoiled(f"the picture from {download.host} broke off after {size:,} bytes", hint=broken.hint) from None
    return held


def _too_large(host: str, most: int) -> str:
    return f"the picture from {host} is larger than {most >> 20} MiB"


# ── in a worker thread ──

_pool: list[ThreadPoolExecutor] = []
_big = threading.Lock()


def _decoders() -> ThreadPoolExecutor:
    """Threads of their own, as many as there are processors: each holds one picture in memory, however many are on their way."""
    if not _pool:
        from PIL import Image  # 40 ms

        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # half of what is refused here; nothing to tell a user
        _pool.append(ThreadPoolExecutor(max_workers=max(1, min(4, os.cpu_count() or 1)), thread_name_prefix="decode"))
    return _pool[0]


def _decoded(file: BinaryIO, size: int, host: str) -> tuple[str, int, int]:
    """Media type, width and height of a picture that was decoded to its last pixel. Raises Spoiled."""
    from PIL import Image

    kind = _kind(file.read(_HEAD), host)
    if not _ended(file, kind, size):
        raise Spoiled(f"the picture from {host} ends too early")
    file.seek(0)
    try:
        with Image.open(file, formats=[kind]) as picture:
            width, height = picture.size
            with _big if width * height > BIG else nullcontext():
                picture.load()
    except Image.DecompressionBombError:
        raise Spoiled(f"the picture from {host} has more than {PIXELS_MOST // 1_000_000} million pixels") from None
    except Exception:  # decoders raise whatever they like on bytes that were made to hurt them
        raise Spoiled(f"the picture from {host} is damaged: it can't be decoded") from None
    return _MEDIA[kind], width, height


def _kind(head: bytes, host: str) -> str:
    """Pillow's name of the format, by its first bytes: of those that image models deliver. Raises Spoiled."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    match head:
        case b"":
            what = "nothing"
        case _ if head.lstrip().startswith(b"<"):
            what = "a web page"
        case _ if head.lstrip()[:1] in (b"{", b"["):
            what = "JSON"
        case _ if head.startswith(b"GIF8"):
            what = "a GIF"
        case _ if head[4:12] in (b"ftypavif", b"ftypavis", b"ftypheic", b"ftypmif1"):
            what = "an AVIF or HEIC file"
        case _:
            what = "something else"
    raise Spoiled(f"{what} came from {host} instead of a PNG, JPEG or WebP picture")


def _ended(file: BinaryIO, kind: str, size: int) -> bool:
    """Whether a file has its end: the last chunk of a PNG, the end marker of a JPEG. Pillow draws what lacks only that; of WebP it sees it."""
    if kind == "WEBP":
        return True
    if kind == "JPEG":  # a marker that the pixels can't contain
        file.seek(max(0, size - _TAIL))
        return b"\xff\xd9" in file.read()
    place = 8
    while place + 12 <= size:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        place += 12 + length
        if name == b"IEND":
            return True
    return False
