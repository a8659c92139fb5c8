"""Apiframe v2 (apiframe.ai): over fifty image models behind one API. One job is one call, accepted first and fetched later.

Knows the vendor and its model table; when to send again, what it may cost and where pictures go is the core's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from urllib.parse import quote

from ..base import (
    Account,
    Answer,
    Http,
    Kind,
    Payload,
    Pending,
    Picture,
    ProviderError,
    Ready,
    Request,
    Sent,
    Submitted,
    Uploaded,
)
from . import answers, body
from .reading import when

replay_window: float | None = (
    82800.0  # 23 h of the 24 h that an idempotency key is remembered (openapi.json, parameters.IdempotencyKey)
)
reproducible = False
free = False
base_url: str | None = "https://api.apiframe.ai"
key_variable: str | None = "APIFRAME_API_KEY"

SKEW = 300.0  # seconds by which the vendor's clock may be behind ours
PAGE = 100  # jobs; the most that one listing gives


def headers(key: str) -> Mapping[str, str]:
    """What every request carries."""
    return {"X-API-Key": key, "Accept": "application/json"}


def check(request: Request) -> list[str]:
    """Problems that can be known offline, each one line with the way out."""
    return body.problems(request)


def prepare(request: Request, urls: Mapping[str, str]) -> Payload:
    """The request as JSON: sorted keys, no spaces, UTF-8. `urls` are the inputs' addresses by digest."""
    return body.payload(request, urls)


async def send(payload: Payload, http: Http, idempotency_key: str) -> Submitted:
    """Send it, once. Raises ProviderError."""
    return answers.submitted(
        await http.request("POST", payload.path, body=payload.body, headers={"Idempotency-Key": idempotency_key})
    )


async def poll(remote_id: str, http: Http) -> Pending | Ready:
    """Look once. Raises ProviderError: FAILED, REFUSED, GONE, or what the exchange raised."""
    return answers.state(await _job(remote_id, http))


async def polls(open_: Collection[str], due: int, http: Http) -> Mapping[str, Ready | None]:
    """Which of the `open_` jobs are done, by the list of the account's newest finished ones; pages are turned while they tell of some, and `due` aren't
    told yet. None for one whose pictures aren't in the list (the vendor's schema promises no results there) or have expired: the job itself says
    that best. Raises ProviderError.
    """
    seen: dict[str, Ready | None] = {}
    cursor: str | None = None
    while True:
        page, cursor = answers.listed(await _ask(http, "GET", "/v2/jobs", params=_page(cursor) | {"status": "COMPLETED"}))
        ours = [each for each in page if each["id"] in open_ and each["id"] not in seen]
        for each in ours:
            state = answers.state(each) if each.get("status") == "COMPLETED" else None
            seen[each["id"]] = state if isinstance(state, Ready) and state.urls and not state.expired else None
        if not ours or cursor is None or len(seen) >= due:
            return seen


async def upload(picture: Picture, http: Http) -> Uploaded:
    """Give the vendor an input picture; it is there for an hour or two. Raises ProviderError."""
    with picture.path.open("rb") as file:
        media = body.media(file.read(16))
    if media is None:
        raise ProviderError(Kind.INVALID, body.of_file(picture)[0])
    return answers.uploaded(await _ask(http, "POST", "/v2/uploads", file=("file", picture.path, media)))


async def find(sent: Sent, http: Http) -> str | None:
    """The oldest job whose input is exactly this request's, not one of `known`; None when there is none, or when it can't be told."""
    wanted = _leaves(json.loads(sent.payload.body))
    found: str | None = None
    async for each in _listed(http, sent.since - SKEW, model=sent.model):
        if each["id"] in sent.known or each.get("model", sent.model) != sent.model:
            continue
        given = each.get("input")
        if given is None:  # listings leave it out
            try:
                given = (await _job(each["id"], http)).get("input")
            except ProviderError as error:
                if error.kind is not Kind.GONE:
                    raise
        if isinstance(given, dict) and _leaves(given) == wanted:
            found = each["id"]
    return found


async def jobs(http: Http, since: float) -> list[tuple[str, str, str, float]]:
    """The account's jobs since then, newest first: id, status, model, when (seconds since the epoch). Raises ProviderError."""
    return [
        (each["id"], str(each.get("status", "")), str(each.get("model", "")), when(each.get("createdAt")) or 0.0)
        async for each in _listed(http, since)
    ]


async def account(http: Http) -> Account:
    """The team's name and its credits. Raises ProviderError."""
    return answers.account(await _ask(http, "GET", "/v2/me"))


async def catalogue(http: Http) -> Mapping[str, float]:
    """The most credits that one picture of each model costs. Raises ProviderError."""
    return answers.catalogue(await _ask(http, "GET", "/v2/models", params={"modality": "image"}))


async def _ask(
    http: Http, method: str, path: str, *, params: Mapping[str, str] | None = None, file: tuple[str, Any, str] | None = None
) -> Answer:
    """An exchange that buys nothing: one whose end isn't known can simply be made again."""
    try:
        return await http.request(method, path, params=params, file=file)
    except ProviderError as error:
        if error.kind is not Kind.UNKNOWN_OUTCOME:
            raise
        raise ProviderError(Kind.TEMPORARY, error.text, after=error.after, hint=error.hint) from error


async def _job(remote_id: str, http: Http) -> dict[str, Any]:
    return answers.job(await _ask(http, "GET", f"/v2/jobs/{quote(remote_id, safe='')}"))


async def _listed(http: Http, since: float, model: str | None = None) -> AsyncIterator[dict[str, Any]]:
    """Jobs made since then, newest first, page by page. One without a readable time is among them."""
    cursor: str | None = None
    seen: set[str] = set()
    while True:
        asked = _page(cursor) | ({"model": model} if model else {})
        page, cursor = answers.listed(await _ask(http, "GET", "/v2/jobs", params=asked))
        for each in page:
            made = when(each.get("createdAt"))
            if made is not None and made < since:
                return
            yield each
        if cursor is None or cursor in seen:
            return
        seen.add(cursor)


def _page(cursor: str | None) -> dict[str, str]:
    return {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})


def _leaves(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says, by name, wherever it stands: the vendor doesn't document how a job's `input` is laid out. Model and webhooks left out, and
    what isn't set.
    """
    flat: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            flat |= _leaves(value)
        elif value is not None and value != [] and name not in ("model", "webhookUrl", "webhookEvents"):
            flat[name] = value
    return flat
