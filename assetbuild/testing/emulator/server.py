"""Apiframe v2 over HTTP: its routes, who may ask, and the shapes of its answers. Knows aiohttp; decides nothing about jobs or money.

Emulated: images (generate, edit, upscale, background-remove), jobs, uploads, me, models. Not: webhooks (a job says `pending` for ever),
Midjourney actions, LoRAs, assets, videos, music.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import uuid
from typing import Any

from aiohttp import web

from ...errors import UsageError
from .clock import stamp
from .exchange import answer, struck, watched, wrong
from .ledger import Account, Job, NoMoney, OtherBody
from .pictures import sniff
from .shapes import Invalid, Model, beyond, read, table
from .vendor import UPLOADS_LIVE, Vendor

LARGEST = 25_000_000  # bytes of an uploaded picture or sound
LARGEST_VIDEO = 50_000_000
LONGEST_KEY = 255  # characters of an idempotency key
STATUSES = ("QUEUED", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def api(vendor: Vendor) -> web.Application:
    """The vendor's own API."""
    app = web.Application(middlewares=[watched(vendor)], client_max_size=LARGEST_VIDEO + 1_000_000)
    desk = Desk(vendor)
    for path in sorted({model.path for model in table().values()}):
        app.router.add_post(path, desk.submit)
    app.router.add_get("/v2/jobs", desk.jobs)
    app.router.add_get("/v2/jobs/{id}", desk.job)
    app.router.add_post("/v2/uploads", desk.upload)
    app.router.add_get("/v2/me", desk.me)
    app.router.add_get("/v2/models", desk.models)
    return app


class Desk:
    """The handlers of the API."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor

    def _account(self, request: web.Request) -> Account | web.Response:
        """Who asks, or the refusal."""
        key = request.headers.get("X-API-Key", "")
        if not key:
            return wrong(401, "API key is required")
        account = self.vendor.ledger.accounts.get(key)
        if account is None:
            return wrong(401, "Invalid API key")
        return account if account.active else wrong(403, "API key is inactive")

    # ── buying ──

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """POST /v2/images/…"""
        account = self._account(request)
        if not isinstance(account, Account):
            return account
        content = await request.read()
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            return wrong(400, "Invalid JSON")
        try:
            faults = self.vendor.faults.at("submit", prompt=_prompt_of(body))
        except UsageError as problem:
            return wrong(400, "Validation failed", details={"prompt": [problem.render()]})

        async def act() -> web.StreamResponse:
            return self._accept(account, request, content, body)

        return await struck(faults, act)

    def _accept(self, account: Account, request: web.Request, content: bytes, body: Any) -> web.Response:  # noqa: ANN401 - JSON
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= LONGEST_KEY:
            return wrong(400, "Validation failed", details={"Idempotency-Key": ["must be 1 to 255 characters"]})
        try:
            asked = read(request.path, body)
        except Invalid as problem:
            return wrong(400, "Validation failed", details=problem.details)
        if details := beyond(asked):
            return wrong(400, "Validation failed", details=details)
        sent = hashlib.sha256(f"{request.path} {json.dumps(body, sort_keys=True)}".encode()).hexdigest()
        vendor = self.vendor
        vendor.ledger.settle()
        try:
            if key is not None and (job := vendor.ledger.replayed(account, key, sent)) is not None:
                status = job.status(vendor.clock.now())
                # the schema of this answer has no CANCELLED
                return answer(202, {"jobId": job.id, "status": "FAILED" if status == "CANCELLED" else status})
            if asked.model.path == "/v2/images/upscale" and vendor.input(*asked.inputs[0]) is None:
                # The vendor says: the input is looked at for the price, and a failure is a 400 before anything is charged.
                return wrong(400, "Could not read the input image")
            job = vendor.submit(account, asked, idempotency_key=key, sent=sent, body=hashlib.sha256(content).hexdigest())
        except OtherBody:
            return wrong(409, "Idempotency key was already used with a different request body")
        except NoMoney as problem:
            return wrong(402, "Insufficient credits", creditsRequired=problem.needed, creditsAvailable=problem.left)
        return answer(202, {"jobId": job.id, "status": "QUEUED"})

    # ── jobs ──

    async def job(self, request: web.Request) -> web.StreamResponse:
        """GET /v2/jobs/{id}"""
        account = self._account(request)
        if not isinstance(account, Account):
            return account
        ident = request.match_info["id"]
        found = self.vendor.job_of(account, ident.lower())

        async def act() -> web.StreamResponse:
            if not _UUID.fullmatch(ident):
                return wrong(400, "Invalid job ID")
            if found is None:
                return wrong(404, "Job not found")
            self.vendor.ledger.settle()
            return answer(200, self.vendor.ledger.told(found, self.vendor.cdn, whole=True))

        return await struck(self.vendor.faults.at("poll", prompt=found.asked.prompt if found else ""), act)

    async def jobs(self, request: web.Request) -> web.StreamResponse:
        """GET /v2/jobs, newest first."""
        account = self._account(request)
        if not isinstance(account, Account):
            return account

        async def act() -> web.StreamResponse:
            return self._list(account, request)

        return await struck(self.vendor.faults.at("list"), act)

    def _list(self, account: Account, request: web.Request) -> web.Response:
        query, details = request.query, {}
        limit = query.get("limit", "20")
        if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= 100:  # noqa: PLR2004 - the vendor's most
            details["limit"] = ["Expected an integer from 1 to 100"]
        if query.get("status", "QUEUED") not in STATUSES:
            details["status"] = ["Invalid option: expected one of " + "|".join(STATUSES)]
        if query.get("scope", "user") not in ("user", "team"):
            details["scope"] = ["Invalid option: expected one of user|team"]
        if query.get("include_models", "false") not in ("true", "false"):
            details["include_models"] = ["Invalid option: expected one of true|false"]
        if "search" in query and not _UUID.fullmatch(query["search"]):
            details["search"] = ["Invalid uuid"]
        before = len(self.vendor.ledger.order)
        if "cursor" in query:
            try:
                before = int(base64.urlsafe_b64decode(query["cursor"].encode()).decode("ascii").removeprefix("before "))
            except (ValueError, binascii.Error):
                details["cursor"] = ["Invalid cursor"]
        if details:
            return wrong(400, "Validation failed", details=details)
        ledger = self.vendor.ledger
        ledger.settle()
        now = self.vendor.clock.now()
        page: list[Job] = []
        for job in reversed(ledger.order[: max(0, before)]):
            if job.account is not account or "lost" in job.faults or ("search" in query and job.id != query["search"].lower()):
                continue
            if query.get("status") not in (None, job.status(now)) or query.get("model") not in (None, job.asked.model.name):
                continue
            page.append(job)
            if len(page) > int(limit):
                break
        more = len(page) > int(limit)
        page = page[: int(limit)]
        cursor = base64.urlsafe_b64encode(f"before {page[-1].number}".encode()).decode() if more else None
        told: dict[str, Any] = {
            "jobs": [ledger.told(job, self.vendor.cdn, whole=False) for job in page],
            "nextCursor": cursor,
            "hasMore": more,
        }
        if query.get("include_models") == "true":
            told["models"] = sorted(
                {job.asked.model.name for job in ledger.order if job.account is account and "lost" not in job.faults}
            )
        return answer(200, told)

    # ── uploads ──

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /v2/uploads"""
        account = self._account(request)
        if not isinstance(account, Account):
            return account
        content: bytes | None = None
        if request.content_type == "multipart/form-data":
            try:
                field = (await request.post()).get("file")
            except web.HTTPRequestEntityTooLarge:
                return wrong(400, "File too large", details={"file": ["File too large"]})
            except ValueError:
                field = None
            content = field.file.read() if isinstance(field, web.FileField) else None

        async def act() -> web.StreamResponse:
            return self._keep(content)

        return await struck(self.vendor.faults.at("upload"), act)

    def _keep(self, content: bytes | None) -> web.Response:
        if content is None:
            return wrong(400, "No file uploaded", details={"file": ["Required"]})
        kind = sniff(content[:12])
        if kind is None:
            return wrong(400, "Unsupported file type", details={"file": ["Unsupported file type"]})
        if len(content) > (LARGEST_VIDEO if kind[0] == "video" else LARGEST):
            return wrong(400, "File too large", details={"file": ["File too large"]})
        gone = self.vendor.faults.at("upload", "upload")
        upload = self.vendor.keep(content, *kind, lives=0 if gone else UPLOADS_LIVE)
        ending = upload.media.partition("/")[2]
        told = {
            "id": upload.id,
            "url": f"{self.vendor.cdn}/u/{upload.token}.{ending}",
            "kind": upload.kind,
            "contentType": upload.media,
            "byteSize": upload.size,
            "expiresAt": stamp(upload.expires_at),
        }
        return answer(201, told)

    # ── account and catalogue ──

    async def me(self, request: web.Request) -> web.StreamResponse:
        """GET /v2/me"""
        account = self._account(request)
        if not isinstance(account, Account):
            return account

        async def act() -> web.StreamResponse:
            self.vendor.ledger.settle()
            ident = uuid.UUID(account.ident)
            told = {
                "user": {"id": str(uuid.uuid5(ident, "user")), "email": "designer@example.org", "role": "OWNER"},
                "team": {
                    "id": str(uuid.uuid5(ident, "team")),
                    "name": "Emulated team",
                    "credits": account.credits,
                    "plan": "growth",
                    "customerId": None,
                },
                "apiKey": {"id": account.ident, "name": "Emulated key", "prefix": account.prefix},
            }
            return answer(200, told)

        return await struck(self.vendor.faults.at("me"), act)

    async def models(self, request: web.Request) -> web.StreamResponse:
        """GET /v2/models; anybody may."""

        async def act() -> web.StreamResponse:
            modality = request.query.get("modality", "image")
            if modality not in ("image", "video", "music"):
                details = {"modality": ["Invalid option: expected one of image|video|music"]}
                return wrong(400, "Validation failed", details=details)
            shown = [_entry(model) for model in table().values()] if modality == "image" else []
            return answer(200, {"models": shown})

        return await struck(self.vendor.faults.at("models"), act)


def _entry(model: Model) -> dict[str, Any]:
    return {
        "id": model.name,
        "label": model.label,
        "modality": "image",
        "description": "Credits are the emulator's own, but for GPT Image",
        "costMin": min(model.credits.values()),
        "costMax": max(model.credits.values()),
        "pricingMode": "per-output" if model.shape.counted else "flat",
    }


def _prompt_of(body: Any) -> str:  # noqa: ANN401 - what JSON gives
    """The prompt of a body that may be anything."""
    if not isinstance(body, dict):
        return ""
    for one in (body, *body.values()):
        if isinstance(one, dict) and isinstance(one.get("prompt"), str):
            return str(one["prompt"])
    return ""
