"""One exchange: answers in JSON, the faults that befall it, and the list of calls. Knows aiohttp; no route and no job."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from aiohttp import web

from .faults import Fault
from .vendor import Vendor

_HTML = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"

Act = Callable[[], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Cut(Exception):
    """The connection is closed without an answer."""


def answer(status: int, told: Any, headers: dict[str, str] | None = None) -> web.Response:  # noqa: ANN401 - a JSON value
    """JSON, in ASCII: a prompt may hold half of a character, which UTF-8 has no bytes for."""
    body = json.dumps(told, separators=(",", ":")).encode("ascii")
    return web.Response(status=status, body=body, content_type="application/json", charset="utf-8", headers=headers)


def wrong(status: int, text: str, **more: Any) -> web.Response:  # noqa: ANN401 - JSON values
    """An error as Apiframe words its shape."""
    return answer(status, {"error": text, **more})


def watched(vendor: Vendor) -> Any:  # noqa: ANN401 - aiohttp's own type of a middleware
    """Writes every call down; a connection that was cut, by us or by who asked, has status 0."""

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        status = 0
        try:
            try:
                response = await handler(request)
            except web.HTTPException as problem:
                response = wrong(problem.status, problem.reason or "Not found")
            except (Cut, ConnectionError):
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            status = response.status
            return response
        finally:
            vendor.calls.append((request.method, request.path, status))

    return watch


async def struck(faults: list[Fault], act: Act) -> web.StreamResponse:
    """An exchange with its faults: the first that keeps the answer back or changes it decides; slowness adds up."""
    for fault in faults:
        if fault.name == "slow":
            continue
        match fault.name:
            case "rate-limit":
                after = {} if fault.arg == "none" else {"Retry-After": fault.arg}
                return answer(429, {"error": "Rate limit exceeded"}, after)
            case "rate-limit-date":
                # The header has whole seconds and is read by the clock on the wall, not by ours.
                at = formatdate(time.time() + float(fault.arg), usegmt=True)
                return answer(429, {"error": "Rate limit exceeded"}, {"Retry-After": at})
            case "unavailable":
                return wrong(503, "Service temporarily unavailable")
            case "blocked":
                return wrong(403, "Your account has been suspended")
            case "bad-gateway":
                return web.Response(status=502, text=_HTML, content_type="text/html")
            case "bad-gateway-after":
                await act()
                return web.Response(status=502, text=_HTML, content_type="text/html")
            case "cut-before":
                raise Cut
            case "cut-after":
                await act()
                raise Cut
            case "conflict-after":
                await act()
        return wrong(409, "Idempotency key was already used with a different request body")
    response = await act()
    for fault in faults:  # accepted at once, told late
        await asyncio.sleep(float(fault.arg))
    return response
