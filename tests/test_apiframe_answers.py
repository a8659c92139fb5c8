"""What Apiframe answers, as the core hears it: canned answers of every status and every shape of a result."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from assetbuild.providers import apiframe
from assetbuild.providers.apiframe.reading import when
from assetbuild.providers.base import Account, Answer, Kind, Payload, Pending, ProviderError, Ready, Sent, Submitted, Uploaded

from .apiframing import PNG, Canned, alternatives, contract, picture, said

GOLDEN = Path(__file__).parent / "golden" / "apiframe_refusals.txt"
ID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
OTHER = "b1b2c3d4-e5f6-7890-abcd-ef1234567890"
HTML = b"<html><body>502 Bad Gateway</body></html>"
ONE, TWO = "https://cdn2.apiframe.ai/images/1.png", "https://cdn2.apiframe.ai/images/2.png"
ORDER = Payload("/v2/images/generate", b'{"model":"gpt-image-2","prompt":"a fox"}')


def run(call: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(call)


def job(status: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    """A job as the vendor's documents show it."""
    return {
        "id": ID,
        "status": status,
        "model": "gpt-image-2",
        "progress": 0,
        "result": None,
        "error": None,
        "creditCost": 9,
        "webhookStatus": None,
        "createdAt": "2026-11-22T10:00:00.000Z",
        "completedAt": "2026-11-22T10:00:32.000Z" if status in ("COMPLETED", "FAILED", "CANCELLED") else None,
    } | changes


def polled(answer: Answer) -> Pending | Ready:
    http = Canned(answer)
    found: Pending | Ready = run(apiframe.poll(ID, http))
    assert http.asked == [("GET", f"/v2/jobs/{ID}", None, {}, {}, None)]
    return found


def refused(call: Coroutine[Any, Any, Any]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        run(call)
    return caught.value


# ── sending ──


@pytest.mark.parametrize("status", ["QUEUED", "PROCESSING", "COMPLETED", "FAILED", "SOMETHING"])
def test_accepted(status: str) -> None:
    """A replay may say that the job has ended: it was accepted all the same, and polling tells how it went."""
    http = Canned(said(202, {"jobId": ID, "status": status}))
    assert run(apiframe.send(ORDER, http, "k" * 64)) == Submitted(ID)
    assert http.asked == [("POST", ORDER.path, ORDER.body, {}, {"Idempotency-Key": "k" * 64}, None)]


@pytest.mark.parametrize(
    "answer",
    [
        said(202, {}),
        said(202, {"jobId": ""}),
        said(202, {"jobId": 7}),
        said(202, {"jobId": ".."}),
        said(202, {"jobId": "x" * 201}),
        said(202, {"jobId": "a\nb"}),
        said(202, [ID]),
        said(200, HTML),
        said(202, b""),
        said(202, b"[" * 100_000),
        said(500, {"error": "oops"}),
        said(502, HTML),
        said(504, HTML),
        said(520, HTML),
        said(503, HTML),  # a gateway's, not the API's own words
        said(408, {"error": "Request timeout"}),
    ],
)
def test_it_may_have_been_accepted(answer: Answer) -> None:
    error = refused(apiframe.send(ORDER, Canned(answer), "k"))
    assert error.kind is Kind.UNKNOWN_OUTCOME
    assert "html" not in error.text.lower()


def test_what_http_raises_on_a_submit_stands() -> None:
    for kind in (Kind.TEMPORARY, Kind.UNKNOWN_OUTCOME):
        assert refused(apiframe.send(ORDER, Canned(ProviderError(kind, "cut")), "k")).kind is kind


REFUSALS: list[tuple[str, Kind, Answer]] = [
    ("no key", Kind.AUTH, said(401, {"error": "API key is required"})),
    ("wrong key", Kind.AUTH, said(401, {"error": "Invalid API key"})),
    ("key in the text", Kind.AUTH, said(401, {"error": "Invalid API key: afk_live_0123456789abcdef"})),
    ("no money", Kind.NO_MONEY, said(402, {"error": "Insufficient credits", "creditsRequired": 23, "creditsAvailable": 4})),
    ("no money, no numbers", Kind.NO_MONEY, said(402, HTML)),
    ("inactive key", Kind.AUTH, said(403, {"error": "API key is inactive"})),
    ("modality", Kind.AUTH, said(403, {"error": "This modality is disabled for your team"})),
    ("blocked account", Kind.AUTH, said(403, {"error": "Account suspended: content policy violations, flagged by moderation"})),
    ("forbidden", Kind.AUTH, said(403, HTML)),
    (
        "bad request",
        Kind.INVALID,
        said(
            400,
            {
                "error": "Validation error",
                "details": {"gptImage2Params.quality": ["Invalid enum value. Expected 'low'"], "prompt": ["Too long"]},
            },
        ),
    ),
    (
        "bad request, no details",
        Kind.INVALID,
        said(400, {"error": "Could not probe the input image https://cdn2.apiframe.ai/u/1.png?sig=abc."}),
    ),
    ("bad request, nothing", Kind.INVALID, said(422, b"")),
    ("odd details", Kind.INVALID, said(400, {"details": {"fluxParams.input_images.0": "Invalid url", "": [1]}})),
    ("not there", Kind.INVALID, said(404, HTML)),
    ("redirect", Kind.INVALID, said(301, b"", location="https://elsewhere.example/?token=s3cret")),
    ("conflict", Kind.ACCEPTED_BEFORE, said(409, {"error": "Idempotency key reused with a different body"})),
    ("rate limit", Kind.RATE_LIMITED, said(429, {"error": "Rate limit exceeded"}, retry_after="7")),
    ("outage", Kind.TEMPORARY, said(503, {"error": "Service temporarily unavailable. "})),
    ("server error", Kind.UNKNOWN_OUTCOME, said(500, {"error": "Internal\x00 error\n\n at Object.<anonymous>" + " x" * 400})),
    ("gateway", Kind.UNKNOWN_OUTCOME, said(502, HTML)),
]


def test_refusals() -> None:
    """Kinds are what the core acts on; the texts stand in a golden file."""
    lines = []
    for name, kind, answer in REFUSALS:
        error = refused(apiframe.send(ORDER, Canned(answer), "k"))
        assert error.kind is kind, name
        text = error.render()
        for secret in ("afk_", "://", "sig=", "s3cret", "<html"):
            assert secret not in text, name
        assert all(len(line) < 420 and line.isprintable() for line in text.splitlines())
        assert not any(line.endswith(".") for line in text.splitlines()), name
        lines.append(f"[{name}] {error.kind.value}\n{text}\n")
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        GOLDEN.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    assert "\n".join(lines) == GOLDEN.read_text(encoding="utf-8")


def test_no_money_says_how_much() -> None:
    error = refused(apiframe.send(ORDER, Canned(REFUSALS[3][2]), "k"))
    assert (error.needed, error.left) == (23.0, 4.0)
    assert "19 credits are missing" in str(error.hint)
    assert refused(apiframe.send(ORDER, Canned(said(402, {"creditsRequired": "x"})), "k")).needed is None


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": " 0 "}, 0.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry_after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry_after": "Sun, 22 Nov 2020 09:00:00 GMT"}, 0.0),
        ({"retry_after": "9" * 400}, 86400.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "٣"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], after: float | None) -> None:
    for call in (
        apiframe.send(ORDER, Canned(said(429, {"error": "x"}, **headers)), "k"),
        apiframe.poll(ID, Canned(said(429, HTML, **headers))),
    ):
        error = refused(call)
        assert (error.kind, error.after) == (Kind.RATE_LIMITED, after)


# ── polling ──


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (job("QUEUED", progress=None), Pending(None)),
        (job("QUEUED"), Pending(0.0)),
        (job("PROCESSING", progress=65), Pending(0.65)),
        (job("processing", progress=300), Pending(1.0)),
        (job("PROCESSING", progress="x", creditCost=None), Pending(None)),
        (job("UPLOADING", progress=50), Pending(0.5)),  # a word of a later API
        (job("UPLOADING", completedAt="2026-11-22T10:00:32Z"), Pending(0.0)),
        (job("UPLOADING", result=ONE), Pending(0.0)),  # one picture is there, more may come
    ],
)
def test_pending(answer: dict[str, Any], found: Pending) -> None:
    assert polled(said(200, answer)) == found


@pytest.mark.parametrize(
    ("result", "urls"),
    [
        ({"images": [ONE, TWO]}, (ONE, TWO)),
        ({"images": [ONE, TWO], "gridUrl": "https://cdn2.apiframe.ai/grid.png"}, (ONE, TWO)),
        ({"images": [{"url": ONE}, {"imageUrl": TWO}]}, (ONE, TWO)),
        ({"images": ONE}, (ONE,)),
        ([ONE, TWO], (ONE, TWO)),
        ([{"url": ONE}, TWO], (ONE, TWO)),
        (ONE, (ONE,)),
        (f" {ONE}\n", (ONE,)),
        ({"imageUrl": ONE}, (ONE,)),
        ({"image_url": ONE}, (ONE,)),
        ({"image": ONE}, (ONE,)),
        ({"url": ONE}, (ONE,)),
        ({"urls": [ONE]}, (ONE,)),
        ({"output": [ONE]}, (ONE,)),
        ({"images": [], "url": ONE}, (ONE,)),
        ({"gridUrl": ONE}, (ONE,)),
        ({"images": [ONE, None, 7, ""]}, (ONE,)),
        ({}, ()),
        (None, ()),
        (7, ()),
    ],
)
def test_results(result: object, urls: tuple[str, ...]) -> None:
    found = polled(said(200, job(result=result)))
    assert isinstance(found, Ready)
    assert (found.urls, found.cost, found.expired) == (urls, 9.0, False)
    assert found.notes == {"creditCost": 9, "createdAt": "2026-11-22T10:00:00.000Z", "completedAt": "2026-11-22T10:00:32.000Z"}
    assert "://" not in repr(dict(found.notes))


@pytest.mark.parametrize(("cost", "known"), [(0, 0.0), (4, 4.0), (4.5, 4.5), (None, None), ("9", None), (True, None), (-1, None)])
def test_costs(cost: object, known: float | None) -> None:
    found = polled(said(200, job(result=ONE, creditCost=cost)))
    assert isinstance(found, Ready)
    assert found.cost == known
    for odd in ("NaN", "Infinity", "1" + "0" * 400):
        text = json.dumps(job(result=ONE)).replace('"creditCost": 9', f'"creditCost": {odd}')
        assert polled(said(200, text.encode())).cost is None  # type: ignore[union-attr]


def test_expired() -> None:
    """Whatever addresses it still gives."""
    assert polled(said(200, job(result={"images": [ONE]}, expired=True))).expired  # type: ignore[union-attr]
    assert polled(said(200, job(expired=True))) == Ready((), 9.0, True, polled(said(200, job())).notes, 32.0)  # type: ignore[union-attr]
    assert not polled(said(200, job(result=ONE, expired=False))).expired  # type: ignore[union-attr]


def test_a_word_of_a_later_api_that_has_ended() -> None:
    assert polled(said(200, job("ARCHIVED", result=ONE, completedAt="2026-11-22T10:00:32Z"))).urls == (ONE,)  # type: ignore[union-attr]
    assert polled(said(200, job("completed", result=ONE, completedAt=None))).urls == (ONE,)  # type: ignore[union-attr]
    assert refused(apiframe.poll(ID, Canned(said(200, job("BROKEN", error="no", completedAt="x"))))).kind is Kind.FAILED


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Provider returned an error: content policy violation", Kind.REFUSED),
        ("Your request was rejected by the safety system", Kind.REFUSED),
        ("Blocked by moderation", Kind.REFUSED),
        ("NSFW content detected", Kind.REFUSED),
        ("The prompt was flagged as sensitive", Kind.REFUSED),
        ("This violates our usage policies", Kind.REFUSED),
        ("Input image could not be downloaded", Kind.FAILED),
        ("Provider timed out", Kind.FAILED),
        ("safety_tolerance must be at most 6", Kind.FAILED),
        ("", Kind.FAILED),
        (None, Kind.FAILED),
        (7, Kind.FAILED),
    ],
)
def test_failed(text: object, kind: Kind) -> None:
    error = refused(apiframe.poll(ID, Canned(said(200, job("FAILED", error=text, creditCost=0)))))
    assert (error.kind, error.cost) == (kind, 0.0)
    assert error.hint
    assert (str(text) in error.text) == (isinstance(text, str))


def test_cancelled_is_an_end() -> None:
    error = refused(apiframe.poll(ID, Canned(said(200, job("CANCELLED", creditCost=None)))))
    assert (error.kind, error.cost, error.text) == (Kind.FAILED, None, "the job was cancelled at Apiframe")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(404, {"error": "Job not found"}), Kind.GONE),
        (said(400, {"error": "Invalid job id"}), Kind.GONE),
        (said(401, {"error": "Invalid API key"}), Kind.AUTH),
        (said(403, {"error": "API key is inactive"}), Kind.AUTH),
        (said(500, HTML), Kind.TEMPORARY),
        (said(502, HTML), Kind.TEMPORARY),
        (said(503, HTML), Kind.TEMPORARY),
        (said(408, b""), Kind.TEMPORARY),
        (said(302, b""), Kind.INVALID),
        (said(200, HTML), Kind.TEMPORARY),
        (said(200, {"id": ID}), Kind.TEMPORARY),
        (said(200, [job()]), Kind.TEMPORARY),
    ],
)
def test_polls_that_say_no(answer: Answer, kind: Kind) -> None:
    assert refused(apiframe.poll(ID, Canned(answer))).kind is kind


def test_a_poll_that_is_cut_can_be_made_again() -> None:
    assert (
        refused(apiframe.poll(ID, Canned(ProviderError(Kind.UNKNOWN_OUTCOME, "the connection was cut")))).kind is Kind.TEMPORARY
    )
    assert refused(apiframe.poll(ID, Canned(ProviderError(Kind.AUTH, "x")))).kind is Kind.AUTH


def test_an_odd_id_stays_in_its_place() -> None:
    http = Canned(said(404, {}))
    refused(apiframe.poll("../me?x=1", http))
    assert http.asked[0][1] == "/v2/jobs/..%2Fme%3Fx%3D1"


# ── uploads ──


@pytest.mark.parametrize(
    ("start", "media"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a" + bytes(9), "image/gif"),
    ],
)
def test_uploads(tmp_path: Path, start: bytes, media: str) -> None:
    path = tmp_path / "blob"
    path.write_bytes(start)
    http = Canned(said(201, {"id": ID, "url": ONE, "kind": "image", "expiresAt": "2026-11-22T11:00:00.000Z"}))
    assert run(apiframe.upload(picture(1, path=path), http)) == Uploaded(ONE, 1795345200.0)
    assert http.asked == [("POST", "/v2/uploads", None, {}, {}, ("file", path, media))]


def test_an_upload_of_unknown_life_is_not_used_again(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(PNG)
    for until in (None, "soon", 7):
        assert run(apiframe.upload(picture(1, path=path), Canned(said(201, {"url": ONE, "expiresAt": until})))).expires_at == 0.0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(400, {"error": "Unsupported file type"}), Kind.INVALID),
        (said(401, {"error": "Invalid API key"}), Kind.AUTH),
        (said(409, {"error": "Conflict"}), Kind.INVALID),  # an upload has no idempotency key
        (said(429, b""), Kind.RATE_LIMITED),
        (said(502, {"error": "Upstream CDN upload failed"}), Kind.TEMPORARY),
        (said(201, {"id": ID}), Kind.TEMPORARY),
        (said(201, HTML), Kind.TEMPORARY),
        (ProviderError(Kind.UNKNOWN_OUTCOME, "cut"), Kind.TEMPORARY),
    ],
)
def test_uploads_that_say_no(tmp_path: Path, answer: Answer | Exception, kind: Kind) -> None:
    """An upload buys nothing, so one that may have arrived is made again."""
    path = tmp_path / "blob"
    path.write_bytes(PNG)
    assert refused(apiframe.upload(picture(1, path=path), Canned(answer))).kind is kind


@pytest.mark.parametrize("start", [b"%PDF-1.7", b"RIFF\0\0\0\0WAVEfmt ", b""])
def test_what_is_no_picture_is_not_uploaded(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "blob"
    path.write_bytes(start)
    error = refused(apiframe.upload(picture(1, path=path, shown="brand/logo.pdf"), Canned()))
    assert error.kind is Kind.INVALID
    assert "`brand/logo.pdf`" in error.text


# ── looking for a job whose number never came ──

BODY = {
    "model": "gpt-image-2",
    "prompt": "a fox",
    "gptImage2Params": {"quality": "high", "number_of_images": 1, "input_images": ["https://cdn2.apiframe.ai/u/1.png"]},
}
SENT = Sent(Payload("/v2/images/generate", json.dumps(BODY).encode()), "gpt-image-2", 1795341600.0)  # 10:00:00


def entry(number: int, minute: int, given: object = None, **changes: Any) -> dict[str, Any]:
    """A job of a listing, some minutes after ten (before it, below 0)."""
    clock = f"10:{minute:02}" if minute >= 0 else f"09:{60 + minute:02}"
    return job(id=f"{number:08}-e5f6-7890-abcd-ef1234567890", createdAt=f"2026-11-22T{clock}:00.000Z", input=given, **changes)


def page(*jobs: dict[str, Any], cursor: str | None = None) -> Answer:
    return said(200, {"jobs": list(jobs), "nextCursor": cursor, "hasMore": cursor is not None})


def look(*given: Answer, known: frozenset[str] = frozenset()) -> tuple[str | None, Canned]:
    http = Canned(*given)
    found: str | None = run(apiframe.find(SENT._replace(known=known), http))
    assert not http.given, "it didn't look at all of them"
    return (None if found is None else found[:8]), http


FLAT = {"prompt": "a fox", "quality": "high", "number_of_images": 1, "input_images": ["https://cdn2.apiframe.ai/u/1.png"]}


@pytest.mark.parametrize(
    ("given", "it"),
    [
        (BODY, True),
        (FLAT, True),
        (
            FLAT
            | {"seed": None, "style_reference_images": [], "webhookUrl": "https://ci.example/hook", "webhookEvents": ["failed"]},
            True,
        ),
        ({"prompt": "a fox", "params": {k: v for k, v in FLAT.items() if k != "prompt"}}, True),
        (FLAT | {"quality": "low"}, False),
        (FLAT | {"prompt": "a fox."}, False),
        (FLAT | {"moderation": "low"}, False),
        (FLAT | {"input_images": ["https://cdn2.apiframe.ai/u/2.png"]}, False),
        ({k: v for k, v in FLAT.items() if k != "quality"}, False),
        ({}, False),
    ],
)
def test_find_by_what_was_asked(given: dict[str, Any], it: bool) -> None:
    found, http = look(page(entry(1, 1, given)))
    assert found == ("00000001" if it else None)
    assert http.asked == [("GET", "/v2/jobs", None, {"limit": "100", "model": "gpt-image-2"}, {}, None)]


def test_find_asks_for_each_job_when_the_listing_doesn_t_say() -> None:
    """The vendor's listings have no `input`, its single jobs may have one."""
    found, http = look(page(entry(1, 1), entry(2, 0)), said(200, entry(1, 1, {})), said(200, entry(2, 0, BODY)))
    assert found == "00000002"
    assert [asked[1][:12] for asked in http.asked] == ["/v2/jobs", "/v2/jobs/000", "/v2/jobs/000"]
    assert look(page(entry(1, 1)), said(200, entry(1, 1)))[0] is None  # it doesn't say there either
    assert look(page(entry(1, 1)), said(404, {}))[0] is None


def test_find_takes_the_oldest_that_is_nobody_else_s() -> None:
    jobs = (entry(3, 3, BODY), entry(2, 2, BODY), entry(1, 1, BODY))
    assert look(page(*jobs))[0] == "00000001"
    assert look(page(*jobs), known=frozenset({jobs[2]["id"], jobs[0]["id"]}))[0] == "00000002"
    assert look(page(*jobs), known=frozenset(each["id"] for each in jobs))[0] is None


def test_find_looks_back_as_far_as_clocks_may_differ() -> None:
    assert look(page(entry(1, -5, BODY)))[0] == "00000001"
    assert look(page(entry(1, 1, BODY), entry(2, -6, BODY), cursor="more"))[0] == "00000001"  # and no page further


def test_find_goes_through_the_pages() -> None:
    found, http = look(page(entry(2, 2, {}), cursor="c1"), page(entry(1, 1, BODY)))
    assert found == "00000001"
    assert http.asked[1][3] == {"limit": "100", "model": "gpt-image-2", "cursor": "c1"}
    assert look(page(entry(2, 2, {}), cursor="c1"), page(entry(1, 1, {}), cursor="c1"))[0] is None  # a circle of cursors
    assert look(said(200, {"jobs": [], "nextCursor": "c1", "hasMore": False}))[0] is None


def test_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time without a zone is UTC, wherever this machine stands."""
    if hasattr(time, "tzset"):
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
    same = ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00+01:00", "2026-11-22T10:00:00")
    assert [when(each) for each in same] == [1795341600.0] * 4
    assert [when(each) for each in ("", "x", None, 7, "99999-01-01")] == [None] * 5
    if hasattr(time, "tzset"):
        monkeypatch.undo()
        time.tzset()


def test_find_says_when_it_can_t_look() -> None:
    for answer, kind in (
        (said(503, HTML), Kind.TEMPORARY),
        (said(200, {"jobs": None}), Kind.TEMPORARY),
        (said(401, {}), Kind.AUTH),
    ):
        assert refused(apiframe.find(SENT, Canned(answer))).kind is kind
    assert refused(apiframe.find(SENT, Canned(page(entry(1, 1)), said(502, HTML)))).kind is Kind.TEMPORARY


def test_another_model_s_job_is_not_ours() -> None:
    assert look(page(entry(1, 1, BODY, model="gpt-image-1.5")))[0] is None


def test_jobs() -> None:
    http = Canned(page(entry(2, 2), entry(1, 1, model="midjourney", status="FAILED"), entry(3, -1)))
    assert run(apiframe.jobs(http, 1795341600.0)) == [
        (entry(2, 2)["id"], "COMPLETED", "gpt-image-2", 1795341720.0),
        (entry(1, 1)["id"], "FAILED", "midjourney", 1795341660.0),
    ]


# ── account and prices ──


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            {"user": {"email": "ada@fika.example"}, "team": {"name": "Fika", "credits": 812}, "apiKey": None},
            Account("Fika", 812.0),
        ),
        ({"user": {"email": "ada@fika.example"}, "team": None}, Account("ada@fika.example", None)),
        ({"team": {"name": None, "credits": "x"}}, Account("your team", None)),
        ({}, Account("", None)),
    ],
)
def test_account(body: dict[str, Any], found: Account) -> None:
    assert run(apiframe.account(Canned(said(200, body)))) == found


def test_catalogue() -> None:
    models = [
        {"id": "gpt-image-2", "label": "GPT", "modality": "image", "costMin": 4, "costMax": 23},
        {"id": "flux-2-pro", "label": "Flux", "modality": "image", "costMax": 3.5},
        {"id": "free", "label": "?", "modality": "image"},
        {"id": "odd", "costMax": "7"},
        "odd",
    ]
    http = Canned(said(200, {"models": models}))
    assert run(apiframe.catalogue(http)) == {"gpt-image-2": 23.0, "flux-2-pro": 3.5}
    assert http.asked == [("GET", "/v2/models", None, {"modality": "image"}, {}, None)]
    for call in (apiframe.catalogue(Canned(said(200, []))), apiframe.account(Canned(said(200, HTML)))):
        assert refused(call).kind is Kind.TEMPORARY


def test_what_every_request_carries() -> None:
    assert apiframe.headers("afk_x") == {"X-API-Key": "afk_x", "Accept": "application/json"}
    assert (apiframe.base_url, apiframe.key_variable) == ("https://api.apiframe.ai", "APIFRAME_API_KEY")
    assert (apiframe.replay_window, apiframe.reproducible, apiframe.free) == (82800.0, False, False)


def test_our_canned_jobs_are_the_vendor_s() -> None:
    """What these tests answer with is what the vendor's schema says."""
    from jsonschema import Draft202012Validator

    schemas = contract()["components"]["schemas"]
    assert alternatives()
    for name, bodies in {
        "Job": [job(), job("QUEUED", progress=None), entry(1, 1, BODY)],
        "JobAccepted": [{"jobId": ID, "status": "QUEUED"}],
        "JobList": [{"jobs": [entry(1, 1, expired=False)], "nextCursor": None, "hasMore": False}],
        "InsufficientCredits": [json.loads(REFUSALS[3][2].body)],
        "ValidationError": [json.loads(REFUSALS[9][2].body)],
    }.items():
        for body in bodies:
            assert not [
                e.message
                for e in Draft202012Validator({**schemas[name], "components": contract()["components"]}).iter_errors(body)
            ], name
