"""HTTP for the page: its own files, small pictures, what has changed (server-sent events), and what its buttons ask for. A thread with a loop of its own.

Knows a `Room` and the guard; listens on 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from ..errors import UsageError
from . import guard
from .room import Room
from .thumbs import SIZES, Thumbs

HOST = "127.0.0.1"
LARGEST = 100_000  # bytes of a request
BREATH = 0.1  # seconds between two messages
ALIVE = 15.0  # seconds after which something is sent, so that both sides know that the other is there
_FILES = {"": "index.html", "page.css": "page.css", "page.js": "page.js", "icon.svg": "icon.svg"}
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


class Served:
    """The page while it is served. `url` is for the person at the terminal: it carries the session's token. Raises UsageError when the port is taken."""

    def __init__(self, room: Room, cache: Path, *, port: int = 0) -> None:
        self.room, self.port = room, port
        self.token = secrets.token_urlsafe(32)
        self.thumbs = Thumbs(cache)
        self._problems: list[OSError] = []
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._problems:
            self._thread.join()
            self.thumbs.close()
            raise UsageError(
                f"the page can't be served at port {port}: {self._problems[0].strerror}", hint="`--port 0` takes one that is free"
            )

    @property
    def url(self) -> str:
        """What to open."""
        return f"http://{HOST}:{self.port}/#t={self.token}"

    def close(self) -> None:
        """Ends it, with all who listen."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self.thumbs.close()

    # ── the thread ──

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            asyncio.run(self._serve())
        self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(middlewares=[self._guarded], client_max_size=LARGEST)
        for path in _FILES:
            app.router.add_get(f"/{path}", self._file)
        app.router.add_get("/state", self._state)
        app.router.add_get("/events", self._events)
        app.router.add_get("/asset", self._detail)
        app.router.add_get("/picture/{digest}", self._picture)
        app.router.add_get("/thumb/{digest}", self._thumb)
        app.router.add_post("/do/{name}", self._do)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handle_signals=False)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, self.port)
            await site.start()
            self.port = runner.addresses[0][1]
        except OSError as problem:
            self._problems.append(problem)
            await runner.cleanup()
            return
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's own
        why = guard.refusal(request.method, request.headers, self.port, self.token)
        if why:
            return web.json_response({"done": False, "text": why}, status=403, headers=guard.HEADERS)
        try:
            answer: web.StreamResponse = await handler(request)
        except web.HTTPException as problem:
            problem.headers.update(guard.HEADERS)
            raise
        if not answer.prepared:
            answer.headers.update(guard.HEADERS)
        return answer

    # ── what is asked for ──

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = _FILES[request.path.lstrip("/")]
        text = (Path(__file__).parent / "page" / name).read_text("utf-8")
        return web.Response(
            text=text, content_type=_KINDS[name.rpartition(".")[2]], charset="utf-8", headers={"Cache-Control": "no-cache"}
        )

    async def _state(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.room.snapshot(), headers={"Cache-Control": "no-store"})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """First everything, then what differs."""
        assert self._loop is not None  # noqa: S101 - it runs
        assert self._stop is not None  # noqa: S101
        loop, changed, stop = self._loop, asyncio.Event(), self._stop
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", **guard.HEADERS})
        await answer.prepare(request)

        def hear() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)

        leave = self.room.subscribe(hear)
        try:
            known = dict(self.room.snapshot())
            await _send(answer, "all", known)
            while not stop.is_set():
                await _either(changed, stop, ALIVE)
                if stop.is_set():
                    break
                if not changed.is_set():
                    await answer.write(b": still here\n\n")
                    continue
                changed.clear()
                now = dict(self.room.snapshot())
                if (news := difference(known, now)) is not None:
                    await _send(answer, "news", news)
                known = now
                await asyncio.sleep(BREATH)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the page was closed
        finally:
            leave()
        return answer

    async def _detail(self, request: web.Request) -> web.StreamResponse:
        try:
            found = await asyncio.to_thread(self.room.detail, request.query.get("id", ""))
        except KeyError:
            raise web.HTTPNotFound(text="there is no such asset") from None
        return web.json_response(found, headers={"Cache-Control": "no-store"})

    def _file_of(self, request: web.Request) -> Path:
        digest = request.match_info["digest"]
        path = self.room.picture(digest) if _DIGEST.fullmatch(digest) else None
        if path is None:
            raise web.HTTPNotFound(text="there is no such picture")
        return path

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        path = await asyncio.to_thread(self._file_of, request)
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError:
            raise web.HTTPNotFound(text="there is no such picture") from None
        kind = next((kind for begin, kind in _SIGNATURES if content.startswith(begin)), "")
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            kind = "image/webp"
        elif content[4:12] in (b"ftypavif", b"ftypavis"):
            kind = "image/avif"
        if not kind:  # nothing that a browser would run
            raise web.HTTPUnsupportedMediaType(text="that is no picture for a browser")
        return web.Response(body=content, content_type=kind, headers={"Cache-Control": "private, max-age=31536000, immutable"})

    async def _thumb(self, request: web.Request) -> web.StreamResponse:
        path = await asyncio.to_thread(self._file_of, request)
        size = SIZES[1] if request.query.get("s") == str(SIZES[1]) else SIZES[0]
        made = await asyncio.to_thread(self.thumbs.made, request.match_info["digest"], path, size)
        if made is None:
            raise web.HTTPUnsupportedMediaType(text="that picture can't be opened")
        return web.Response(
            body=made, content_type="image/webp", headers={"Cache-Control": "private, max-age=31536000, immutable"}
        )

    async def _do(self, request: web.Request) -> web.StreamResponse:
        try:
            args = json.loads(await request.read())
        except (ValueError, RecursionError):
            args = None
        if not isinstance(args, dict):
            raise web.HTTPBadRequest(text="that is no JSON object")
        done, text = await asyncio.to_thread(self.room.act, request.match_info["name"], args)
        return web.json_response({"done": done, "text": text}, headers={"Cache-Control": "no-store"})


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a page that knows `before` has to be told: cards by id (None: gone), the order if it changed, and every other field that did. None: nothing."""
    old = {card["id"]: card for card in before["assets"]}
    new = {card["id"]: card for card in now["assets"]}
    told: dict[str, Any] = {name: value for name, value in now.items() if name != "assets" and before.get(name) != value}
    cards: dict[str, Any] = {name: card for name, card in new.items() if old.get(name) != card}
    cards |= dict.fromkeys(old.keys() - new.keys())
    if cards:
        told["cards"] = cards
    if list(old) != list(new):
        told["order"] = list(new)
    return told if told.keys() - {"rev", "now"} else None


async def _send(answer: web.StreamResponse, kind: str, what: Mapping[str, Any]) -> None:
    text = json.dumps(what, ensure_ascii=True, separators=(",", ":"))
    await answer.write(f"event: {kind}\ndata: {text}\n\n".encode())


async def _either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.ensure_future(each.wait()) for each in (one, other)]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
