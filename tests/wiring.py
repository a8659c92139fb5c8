"""A vendor and a CDN on loopback, byte by byte: what a real server never does twice the same way, done on purpose."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, NamedTuple

from assetbuild.settings import Settings

KEY = "afk_secret-key-of-a-test"


class Asked(NamedTuple):
    """One request as it came in. `nth` counts the requests of its connection from 1, `connection` the connections."""

    line: str
    headers: dict[str, str]
    body: bytes
    nth: int
    connection: int


Answering = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Gives each request to `answering`, which writes what it likes. `asked` is everything that came in."""

    def __init__(self, answering: Answering | None) -> None:
        self.answering, self.asked, self.connections, self.port = answering, list[Asked](), 0, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection, nth = self.connections, 0
        try:
            if self.answering is None:  # it closes at once
                reset(writer)
                return
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *rest = head.decode().split("\r\n")
                headers = {n.lower(): v.strip() for n, _, v in (each.partition(":") for each in rest if each)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                nth += 1
                self.asked.append(Asked(line, headers, body, nth, connection))
                await self.answering(self.asked[-1], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answering: Answering | None, **options: Any) -> AsyncIterator[Server]:
    server = Server(answering)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20, **options)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def response(body: bytes = b"{}", status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\ncontent-length: {size}\r\n{headers}\r\n".encode() + body


def answers(*bodies: bytes) -> Answering:
    """The same answers for everybody, one after the other; the last one for the rest."""
    left = list(bodies)

    async def answering(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return answering


def reset(writer: asyncio.StreamWriter) -> None:
    """Cut the connection with an RST, as a crashed process or a firewall does."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def settings(url: str, *, per_minute: int = 60_000, key: str | None = KEY) -> Settings:
    return Settings("apiframe", url, "loopback", 50, per_minute, 0.01, {}, key, "APIFRAME_API_KEY")


def headers(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


class _Skipping(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next thing to do, when nothing else is: hours pass in no time, and exactly."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = 1000.0
        select = self._selector.select  # type: ignore[attr-defined]

        def skip(timeout: float | None = None) -> Any:
            found = select(0)
            if not found and timeout is not None and timeout > 0:
                self._moment += timeout
            elif not found and timeout is None:
                return select(None)
            return found

        self._selector.select = skip  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._moment


def virtually(story: Awaitable[Any]) -> Any:
    """Run a story without real waits; it may use no socket and no thread."""

    async def run() -> Any:
        return await story

    with asyncio.Runner(loop_factory=_Skipping) as runner:
        return runner.run(run())
