"""Where results and uploads are fetched: another origin than the API, without a key. Knows aiohttp and the faults of downloads.

A request that brings a key here is refused and remembered as a leak; its value isn't kept.
"""

from __future__ import annotations

import asyncio
import os

from aiohttp import web

from . import pictures
from .exchange import Cut, struck, watched, wrong
from .faults import Fault
from .vendor import Vendor

SECRETS = ("X-API-Key", "Authorization")
_PIECES = 20  # of a slow body
_CHUNK = 1 << 16  # bytes of an endless one


def leaked(vendor: Vendor, request: web.Request) -> web.Response | None:
    """The refusal of a request that carries a key where none belongs."""
    for name in SECRETS:
        if name in request.headers:
            vendor.leaks.append({"header": name, "method": request.method, "path": request.path})
            return wrong(400, f"{name} must not be sent here")
    return None


def cdn(vendor: Vendor) -> web.Application:
    """The CDN."""
    app = web.Application(middlewares=[watched(vendor)])
    shelf = Shelf(vendor)
    app.router.add_get("/r/{token}/{name}", shelf.result)
    app.router.add_get("/u/{name}", shelf.upload)
    app.router.add_route("*", "/{rest:.*}", shelf.nothing)
    return app


class Shelf:
    """The handlers of the CDN."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor

    async def nothing(self, request: web.Request) -> web.StreamResponse:
        """Any other address."""
        return leaked(self.vendor, request) or wrong(404, "Not found")

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """GET /u/TOKEN.png"""
        if refusal := leaked(self.vendor, request):
            return refusal
        upload = self.vendor.uploads.get(request.match_info["name"].partition(".")[0])
        if upload is None or self.vendor.clock.now() >= upload.expires_at:
            return wrong(404, "Not found")
        return web.Response(body=upload.path.read_bytes(), content_type=upload.media)

    async def result(self, request: web.Request) -> web.StreamResponse:
        """GET /r/TOKEN/0.png"""
        if refusal := leaked(self.vendor, request):
            return refusal
        token, name = request.match_info["token"], request.match_info["name"]
        found = self.vendor.fetched(token, name)
        if found is None:
            return wrong(404, "Not found")
        prompt = self.vendor.results[token].asked.prompt
        data, media = found[0], pictures.MEDIA[found[1]]
        faults = self.vendor.faults.at("download", "download", prompt)

        async def act() -> web.StreamResponse:
            for fault in faults:
                return await self._broken(fault, request, data, media)
            return web.Response(body=data, content_type=media)

        return await struck(self.vendor.faults.at("download", prompt=prompt), act)

    async def _broken(self, fault: Fault, request: web.Request, data: bytes, media: str) -> web.StreamResponse:
        match fault.name:
            case "truncated":
                return web.Response(body=data[: len(data) // 2], content_type=media)
            case "garbage":
                return web.Response(body=os.urandom(len(data)), content_type=media)
            case "html-picture":
                return web.Response(
                    text="<!doctype html>\n<title>Sign in</title>\n<p>Please sign in to continue", content_type="text/html"
                )
            case "bomb":
                return web.Response(body=pictures.bomb(), content_type="image/png")
            case "redirect":
                return web.Response(status=302, headers={"Location": f"{self.vendor.url}/emulator/elsewhere.png"})
        response = web.StreamResponse(headers={"Content-Type": media})
        if fault.name == "oversized":
            await response.prepare(request)
            await response.write(data)
            while True:  # until nobody listens any more
                await response.write(os.urandom(_CHUNK))
        response.content_length = len(data)
        await response.prepare(request)
        if fault.name == "cut-body":
            await response.write(data[: len(data) // 2])
            raise Cut
        piece = max(1, len(data) // _PIECES)
        for at in range(0, len(data), piece):  # slow-body
            await response.write(data[at : at + piece])
            await asyncio.sleep(float(fault.arg) / _PIECES)
        await response.write_eof()
        return response
