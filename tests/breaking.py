"""Vendors on loopback that break in every way, and calls that meet them: what is left of an exchange, and that nothing secret is told of it."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from assetbuild.providers.base import ProviderError
from assetbuild.wire import Api, Wire

from .wiring import Asked, headers, reset, response, settings

ASKED = "/v2/secret-path"


@asynccontextmanager
async def calling(url: str, **options: Any) -> AsyncIterator[Api]:
    async with Wire() as line:
        yield line.api(settings(url, **options), headers)


def names(monkeypatch: pytest.MonkeyPatch, **hosts: str | list[str] | None) -> list[str]:
    """What the name server says: addresses by name (`_` for `.`), None for a name that nobody knows. Gives the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        key = str(name).replace(".", "_")
        if key not in hosts:
            return real(host, port, *args, **kwargs)
        asked.append(name)
        there = hosts[key]
        if there is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        each = [there] if isinstance(there, str) else there
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in each]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


async def closed_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


async def garbage(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01 no HTTP at all\r\n\r\n")
    writer.close()


async def silent(_: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def close(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def cut_off(_: Asked, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def half_a_head(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-le")
    writer.close()


async def half_a_body(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(b'{"jobId": "secr', "202 Accepted", length=60))
    writer.close()


async def half_a_body_and_reset(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(b'{"jobId": "secr', "202 Accepted", length=60))
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def half_a_chunk(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{")
    writer.close()


async def silent_in_the_middle(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(b"{", length=60))
    await asyncio.sleep(5)


async def endless(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    while not writer.transport.is_closing():
        writer.write(piece)
        await writer.drain()


async def bomb(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(gzip.compress(b"0" * (20 << 20)), headers="content-encoding: gzip\r\n"))
    await writer.drain()


async def failing(url: str, method: str = "POST") -> ProviderError:
    async with calling(url) as api:
        with pytest.raises(ProviderError) as raised:
            await api.request(method, ASKED, body=b'{"secret": 1}' if method == "POST" else None, params={"q": "secret"})
    return raised.value


def say_nothing_secret(error: BaseException, *logs: str) -> None:
    """Neither the message nor a crash report, nor a log, shows a key, an address or a body."""
    for text in (str(error), repr(error), getattr(error, "render", str)(), *logs):
        assert "secret" not in text
        assert "http" not in text.lower().replace("isn't http", "").replace("https_proxy", "")
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


async def fetched(line: Wire, url: str, *, local: bool = True) -> tuple[int, bytes]:
    async with line.stream(url, local=local) as download:
        return download.status, b"".join([piece async for piece in download.chunks()])
