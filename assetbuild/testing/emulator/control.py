"""The emulator's own API, under /emulator/: what it has seen, and what it shall do. No key, JSON in and out. Knows aiohttp.

GET    /emulator            address, credits, time, how much of everything
GET    /emulator/bills      {bills: [{job, model, prompt, images, credits, key, idempotency_key, body, at}]}
GET    /emulator/calls      {calls: [[method, path, status]]}, those of the CDN too; status 0 = the connection was cut
GET    /emulator/leaks      {leaks: [{header, method, path}]}: a key came where none belongs
GET    /emulator/faults     {faults: […]}
POST   /emulator/faults     {fault: "rate-limit:2@odd"} adds one
DELETE /emulator/faults     none any more
GET    /emulator/clock      {now}: seconds since the epoch
POST   /emulator/clock      {advance: seconds}
POST   /emulator/credits    {credits: 20}: of every key
POST   /emulator/reset      as new, with the faults of the start
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from ...errors import UsageError
from . import pictures
from .cdn import leaked
from .exchange import answer, wrong
from .vendor import Vendor


def add_control(app: web.Application, vendor: Vendor) -> None:
    """Adds the routes."""
    board = Board(vendor)
    app.router.add_get("/emulator", board.state)
    app.router.add_get("/emulator/elsewhere.png", board.elsewhere)
    app.router.add_get("/emulator/{what}", board.look)
    app.router.add_post("/emulator/{what}", board.change)
    app.router.add_delete("/emulator/faults", board.no_faults)


class Board:
    """The handlers of the control API."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor

    async def state(self, _: web.Request) -> web.StreamResponse:
        """GET /emulator"""
        vendor = self.vendor
        vendor.ledger.settle()
        told = {
            "url": vendor.url,
            "cdn": vendor.cdn,
            "now": vendor.clock.now(),
            "credits": {account.prefix: account.credits for account in vendor.ledger.accounts.values()},
            "spent": vendor.ledger.spent,
            "bills": len(vendor.ledger.bills),
            "calls": len(vendor.calls),
            "leaks": len(vendor.leaks),
            "faults": [one.written for one in vendor.faults.standing],
        }
        return answer(200, told)

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Where the fault `redirect` leads."""
        if refusal := leaked(self.vendor, request):
            return refusal
        return web.Response(body=pictures.plain(), content_type="image/png")

    async def look(self, request: web.Request) -> web.StreamResponse:
        """GET /emulator/…"""
        vendor = self.vendor
        match request.match_info["what"]:
            case "bills":
                return answer(200, {"bills": vendor.ledger.bills})
            case "calls":
                return answer(200, {"calls": vendor.calls})
            case "leaks":
                return answer(200, {"leaks": vendor.leaks})
            case "faults":
                return answer(200, {"faults": [one.written for one in vendor.faults.standing]})
            case "clock":
                return answer(200, {"now": vendor.clock.now()})
        return wrong(404, "Not found")

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST /emulator/…"""
        vendor, what = self.vendor, request.match_info["what"]
        if what == "reset":
            vendor.reset()
            return answer(200, {})
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        given: Any = body.get({"clock": "advance", "faults": "fault"}.get(what, what)) if isinstance(body, dict) else None
        number = isinstance(given, int | float) and not isinstance(given, bool)
        match what:
            case "faults" if isinstance(given, str):
                try:
                    vendor.faults.add(given)
                except UsageError as problem:
                    return wrong(400, problem.render())
                return answer(200, {"faults": [one.written for one in vendor.faults.standing]})
            case "clock" if number:
                vendor.clock.advance(given)
                return answer(200, {"now": vendor.clock.now()})
            case "credits" if number and given >= 0:
                for account in vendor.ledger.accounts.values():
                    account.credits = int(given)
                return answer(200, {"credits": int(given)})
            case "faults" | "clock" | "credits":
                shapes = {"faults": '{"fault": "NAME"}', "clock": '{"advance": seconds}', "credits": '{"credits": number}'}
                return wrong(400, f"send {shapes[what]}")
        return wrong(404, "Not found")

    async def no_faults(self, _: web.Request) -> web.StreamResponse:
        """DELETE /emulator/faults"""
        self.vendor.faults.clear()
        return answer(200, {"faults": []})
