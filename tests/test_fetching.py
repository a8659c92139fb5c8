"""Bought pictures on their way from a CDN to the store: whole ones arrive, anything else is told apart and leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild import fetching
from assetbuild.digest import sha256
from assetbuild.errors import AssetbuildError, StoreError
from assetbuild.fetching import Expired, Fetched, Spoiled, fetch
from assetbuild.files import Temp
from assetbuild.providers.base import Kind, ProviderError
from assetbuild.store.cas import Cas, CorruptBlob
from assetbuild.wire import NO_PICTURE, Wire

from .wiring import Answering, Asked, Server, answers, reset, response, serving, settings


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    noise = Image.frombytes("RGB", size, os.urandom(3 * size[0] * size[1]))
    stream = io.BytesIO()
    noise.save(stream, kind, **options)
    return stream.getvalue()


def png(width: int, height: int, *, pixels: bytes | None = None, more: bytes = b"") -> bytes:
    """A PNG by hand: whatever its head says."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 100) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"") + more


def fetched(
    answering: Answering, folder: Path, *, path: str = "/secret.png?sig=secret", **options: Any
) -> tuple[Fetched, Server]:
    """One fetch from a server that answers so."""

    async def story() -> tuple[Fetched, Server]:
        async with serving(answering) as server, Wire() as line:
            return await fetch(line, settings(server.url), server.url + path, folder, **options), server

    return asyncio.run(story())


def failed(answering: Answering, folder: Path, **options: Any) -> AssetbuildError:
    """One fetch that fails; nothing is left, and nothing secret is told."""
    with pytest.raises(AssetbuildError) as raised:
        fetched(answering, folder, **options)
    assert list(folder.iterdir()) == []
    for text in (raised.value.render(), repr(raised.value)):
        assert "secret" not in text
        assert "http:" not in text
    return raised.value


@pytest.mark.parametrize(("kind", "media"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_a_whole_picture(kind: str, media: str, tmp_path: Path) -> None:
    """Its type is what its bytes are, whatever the CDN says; the file is its bytes, untouched."""
    content = picture(kind, (700, 500))
    got, _ = fetched(answers(response(content, headers="Content-Type: text/html\r\n")), tmp_path)
    assert got == Fetched(got.path, hashlib.sha256(content).hexdigest(), len(content), media, 700, 500)
    assert got.path.read_bytes() == content
    assert [got.path] == list(tmp_path.iterdir())
    assert got.path.name.startswith(".assetbuild-")
    assert got.path.suffix == ".tmp", "whatever sweeps temporary files knows it"


def test_bytes_after_the_end_belong_to_it(tmp_path: Path) -> None:
    """Nothing that was bought is touched."""
    for content in (picture("PNG") + b"more", picture("JPEG") + b"\0" * 100, picture("WEBP") + b"\0"):
        got, _ = fetched(answers(response(content)), tmp_path)
        assert got.path.read_bytes() == content


def test_a_length_that_nobody_told(tmp_path: Path) -> None:
    content = picture()

    async def chunked(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for place in range(0, len(content), 999):
            piece = content[place : place + 999]
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        writer.write(b"0\r\n\r\n")

    async def until_closed(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + content)
        await writer.drain()
        writer.close()

    for answering in (chunked, until_closed):
        assert fetched(answering, tmp_path)[0].size == len(content)


async def _cut(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(picture()[:1000], length=5000))
    await writer.drain()
    writer.close()


async def _reset(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(picture()[:1000], length=5000))
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def _endless(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def _announced(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(b"", length=5 << 30))
    writer.close()


ONE = "the picture from 127.0.0.1"
INSTEAD = "came from 127.0.0.1 instead of a PNG, JPEG or WebP picture"
SPOILED = {
    "cut": (_cut, f"{ONE} broke off after 1,000 bytes"),
    "reset": (_reset, f"{ONE} broke off after 1,000 bytes"),
    "endless": (_endless, f"{ONE} is larger than 1 MiB"),
    "announced": (_announced, f"{ONE} is larger than 1 MiB"),
    "empty": (answers(response(b"")), f"nothing {INSTEAD}"),
    "page": (answers(response(b"\n<!DOCTYPE html><p>Sorry")), f"a web page {INSTEAD}"),
    "json": (answers(response(b'{"error": "secret"}')), f"JSON {INSTEAD}"),
    "gif": (answers(response(b"GIF89a" + b"\0" * 50)), f"a GIF {INSTEAD}"),
    "avif": (answers(response(b"\0\0\0\x20ftypavif" + b"\0" * 50)), f"an AVIF or HEIC file {INSTEAD}"),
    "noise": (answers(response(b"\x01\x02secret")), f"something else {INSTEAD}"),
    "bomb": (answers(response(png(60_000, 60_000))), f"{ONE} has more than 178 million pixels"),
    "wide": (answers(response(png(2_000_000_000, 1))), f"{ONE} has more than 178 million pixels"),
    "few pixels": (answers(response(png(500, 500))), f"{ONE} is damaged: it can't be decoded"),
    "no pixels": (answers(response(png(500, 500, pixels=b"no zlib"))), f"{ONE} is damaged: it can't be decoded"),
    "only a head": (answers(response(b"\x89PNG\r\n\x1a\n")), f"{ONE} ends too early"),
    "403": (answers(response(b"", "403 Forbidden")), "127.0.0.1 didn't give the picture (403)"),
    "206": (answers(response(picture()[:100], "206 Partial Content")), "127.0.0.1 didn't give the picture (206)"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_isnt_a_whole_picture(name: str, tmp_path: Path) -> None:
    answering, text = SPOILED[name]
    error = failed(answering, tmp_path, most=1 << 20)
    assert type(error) is Spoiled
    assert error.text == text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("missing", [1, 2, 12, 13, 500, 0.5])
def test_no_truncated_picture_passes_for_a_whole_one(kind: str, missing: float, tmp_path: Path) -> None:
    """Also one that lacks its last byte only, and that Pillow would draw; the connection ended as if it were whole."""
    content = picture(kind, (120, 80))
    cut = content[: -int(missing) if missing >= 1 else int(len(content) * missing)]
    error = failed(answers(response(cut)), tmp_path)
    assert type(error) is Spoiled
    assert error.text in (f"{ONE} ends too early", f"{ONE} is damaged: it can't be decoded")


@pytest.mark.parametrize(("kind", "missing"), [("PNG", 12), ("JPEG", 2)])
def test_an_end_that_pillow_doesnt_miss(kind: str, missing: int, tmp_path: Path) -> None:
    """Of JPEGs about one in thirty: it depends on where the last bits fall."""
    for _ in range(1000):
        cut = picture(kind, (120, 80))[:-missing]
        with suppress(OSError), Image.open(io.BytesIO(cut)) as drawn:
            drawn.load()
            break
    else:
        raise AssertionError("Pillow misses it now: this check isn't needed any more")
    assert failed(answers(response(cut)), tmp_path).text == f"{ONE} ends too early"


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_a_flipped_byte_in_a_png(place: float, tmp_path: Path) -> None:
    content = bytearray(picture("PNG", (120, 80)))
    content[int(len(content) * place)] ^= 0xFF
    assert type(failed(answers(response(bytes(content))), tmp_path)) is Spoiled


# ── what isn't there, and what may come later ──


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LATE", (0.01, 0.02))


def test_a_picture_that_comes_a_moment_late(tmp_path: Path) -> None:
    """The vendor says "done" before its CDN has it: not lost."""
    missing = response(b"no", "404 Not Found")
    got, server = fetched(answers(missing, missing, response(picture())), tmp_path)
    assert (got.width, len(server.asked)) == (40, 3)


@pytest.mark.parametrize(("status", "times"), [("404 Not Found", 3), ("410 Gone", 1)])
def test_a_picture_that_isnt_there_any_more(status: str, times: int, tmp_path: Path) -> None:
    asked: list[Asked] = []

    async def answering(one: Asked, writer: asyncio.StreamWriter) -> None:
        asked.append(one)
        writer.write(response(b"no", status))

    error = failed(answering, tmp_path)
    assert type(error) is Expired
    assert error.text == "the picture isn't at 127.0.0.1 any more"
    assert len(asked) == times


@pytest.mark.parametrize(
    "trouble", [response(b"", "503 Busy"), response(b"", "429 Slow", "Retry-After: 0\r\n"), b"garbage\r\n\r\n"]
)
def test_what_is_temporary_is_tried_again(trouble: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assetbuild.retrying.FIRST", 0.01)
    got, server = fetched(answers(trouble, response(picture())), tmp_path)
    assert got.width == 40
    assert len(server.asked) == 2


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assetbuild.retrying.FIRST", 0.01)
    error = failed(answers(response(b"", "502 Bad Gateway")), tmp_path, patience=0.2)
    assert isinstance(error, ProviderError)
    assert error.kind is Kind.TEMPORARY
    assert error.text.startswith("127.0.0.1 can't give the picture now (502) (tried ")


def test_the_end_of_the_run_ends_it(tmp_path: Path) -> None:
    async def story() -> None:
        stop = asyncio.Event()
        stop.set()
        async with serving(answers(response(b"", "503 Busy", "Retry-After: 500\r\n"))) as server, Wire() as line:
            with pytest.raises(ProviderError) as raised:
                await fetch(line, settings(server.url), server.url, tmp_path, stop=stop)
            assert (raised.value.kind, raised.value.after) == (Kind.RATE_LIMITED, 500)

    asyncio.run(story())


def test_an_address_that_leads_on_or_home(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(answers(response(b"", "302 Found", "Location: /other\r\n"))) as server, Wire() as line:
            with pytest.raises(ProviderError) as raised:
                await fetch(line, settings(server.url), server.url, tmp_path)
            assert raised.value.kind is Kind.INVALID
            assert raised.value.text == "127.0.0.1 sends us on to another address for the picture, which isn't followed"
            for base_url in ("https://api.apiframe.ai", "https://10.0.0.1"):
                with pytest.raises(ProviderError, match=NO_PICTURE):
                    await fetch(line, settings(base_url), server.url, tmp_path)
            assert len(server.asked) == 1
        assert list(tmp_path.iterdir()) == []

    asyncio.run(story())


# ── the disk, and the end of a task ──


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Any, __: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("assetbuild.files.Temp.write", full)
    error = failed(answers(response(picture())), tmp_path)
    assert type(error) is StoreError
    assert error.text.startswith("the disk is full")


def test_a_task_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    async def slow(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(response(os.urandom(fetching.HELD), length=2 * fetching.HELD))  # so much that it is on the disk
        await writer.drain()
        await asyncio.sleep(5)

    async def story() -> None:
        async with serving(slow) as server, Wire() as line:
            task = asyncio.create_task(fetch(line, settings(server.url), server.url, tmp_path))
            await asyncio.sleep(0.1)
            assert len(list(tmp_path.iterdir())) == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert list(tmp_path.iterdir()) == []

    asyncio.run(story())


# ── into the store, without a copy ──


def test_the_store_takes_the_file_itself(tmp_path: Path) -> None:
    cas, content = Cas(tmp_path / "cas"), picture()
    inode = 0

    def keep(temp: Temp, digest: str) -> None:
        nonlocal inode
        assert cas.leftovers() == [temp.path], "a kill here leaves what `cache gc` knows"
        inode = temp.path.stat().st_ino
        cas.adopt(temp, digest)

    got, _ = fetched(answers(response(content)), cas.root / "tmp", keep=keep)
    assert cas.read(got.digest) == content
    there = cas.path(got.digest).stat()
    assert (there.st_ino, there.st_mode & 0o777) == (inode, 0o444)
    assert cas.leftovers() == []


def test_the_store_has_it_already(tmp_path: Path) -> None:
    cas, content = Cas(tmp_path / "cas"), picture()
    digest = cas.put(content, durable=False)
    before = cas.path(digest).stat().st_ino
    fetched(answers(response(content)), cas.root / "tmp", keep=cas.adopt)
    assert cas.path(digest).stat().st_ino == before
    assert cas.leftovers() == []


def test_a_damaged_blob_is_repaired(tmp_path: Path) -> None:
    cas, content = Cas(tmp_path / "cas"), picture()
    digest = cas.put(content, durable=False)
    cas.path(digest).chmod(0o644)
    cas.path(digest).write_bytes(b"damaged")
    fetched(answers(response(content)), cas.root / "tmp", keep=cas.adopt)
    assert cas.read(digest) == content


@pytest.mark.parametrize("size", [152, 3_000_000])
def test_what_was_hashed_as_it_came_is_copied_as_it_is(tmp_path: Path, size: int) -> None:
    cas, target = Cas(tmp_path / "cas"), tmp_path / "art" / "a.png"
    content = picture() + b"\0" * max(0, size - len(picture()))
    temp = cas._temp(durable=True)
    with temp:
        temp.write(content)
        cas.adopt(temp, sha256(content))
    cas.copy_out(sha256(content), target, durable=True)
    assert target.read_bytes() == content
    assert target.stat().st_mode & 0o200


@pytest.mark.parametrize("change", [lambda one: b"x" + one[1:], lambda one: one[:-1]], ids=["altered", "cut off"])
def test_and_not_when_somebody_wrote_to_it_since(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    cas, target, content = Cas(tmp_path / "cas"), tmp_path / "a.png", picture() + b"\0" * 100_000
    with cas._temp(durable=True) as temp:
        temp.write(content)
        cas.adopt(temp, sha256(content))
    blob = cas.path(sha256(content))
    blob.chmod(0o644)
    blob.write_bytes(change(content))
    with pytest.raises(CorruptBlob):
        cas.copy_out(sha256(content), target, durable=True)
    assert not target.exists()


def test_a_blob_that_becomes_shorter_while_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cas, target, content = Cas(tmp_path / "cas"), tmp_path / "a.png", picture() + b"\0" * 300_000
    with cas._temp(durable=True) as temp:
        temp.write(content)
        cas.adopt(temp, sha256(content))
    blob, real = cas.path(sha256(content)), os.read

    def read(fd: int, count: int) -> bytes:
        blob.chmod(0o644)
        os.truncate(blob, 100_000)
        return real(fd, count)

    monkeypatch.delattr(os, "copy_file_range", raising=False)
    monkeypatch.setattr(os, "read", read)
    with pytest.raises(StoreError, match="shorter"):
        cas.copy_out(sha256(content), target, durable=True)
    assert not target.exists()


def test_a_file_that_cant_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    cas, content = Cas(tmp_path / "cas"), picture()
    (cas.root / "tmp").mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="the disk is full"):
        fetched(answers(response(content)), cas.root / "tmp", keep=cas.adopt)
    assert list(cas.digests()) == []
    assert cas.leftovers() == [], "the vendor has it yet"


# ── many at once ──


def test_memory_is_bounded_by_what_is_decoded_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are on their way, few are decoded at a time, and large ones one by one."""
    import threading

    lock, now, most = threading.Lock(), [0, 0], [0, 0]
    load = Image.Image.load

    def counted(self: Any) -> Any:
        large = int(self.size[0] > 300)
        with lock:
            now[large] += 1
            most[large] = max(most[large], now[large])
        found = load(self)
        threading.Event().wait(0.02)
        with lock:
            now[large] -= 1
        return found

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", counted, raising=False)
    monkeypatch.setattr(fetching, "BIG", 300 * 10)
    small, big = (
        response(png(300, 2, pixels=zlib.compress(b"\0" * 78))),
        response(png(301, 10, pixels=zlib.compress(b"\0" * 390))),
    )

    async def answering(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(big if "big" in asked.line else small)

    async def story() -> None:
        async with serving(answering) as server, Wire() as line:
            paths = [f"/{kind}{n}" for kind in ("big", "small") for n in range(12)]
            await asyncio.gather(*(fetch(line, settings(server.url), server.url + path, tmp_path) for path in paths))

    asyncio.run(story())
    assert len(list(tmp_path.iterdir())) == 24
    assert most[1] == 1
    assert most[0] <= max(1, min(4, os.cpu_count() or 1))
