"""The emulator's API as a client meets it: every endpoint, replay, refunds, expiry, leaks. Plain httpx, a real socket."""

from __future__ import annotations

import hashlib
import io
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from PIL import Image

from assetbuild.errors import UsageError
from assetbuild.testing.emulator import Emulator

from .apiframing import contract
from .emulating import emulator as run

DAY = 24 * 3600
GENERATE = "/v2/images/generate"
ENDS = ("COMPLETED", "FAILED", "CANCELLED")


def body(prompt: str = "A poster for Fika", model: str = "gpt-image-2", **params: Any) -> dict[str, Any]:
    key = {"gpt-image-2": "gptImage2Params", "flux-2-pro": "fluxParams"}[model]
    return {
        "model": model,
        "prompt": prompt,
        key: {"quality": "low", "output_format": "png", **params} if model[0] == "g" else params,
    }


class Client:
    """A client with a key."""

    def __init__(self, emulator: Emulator, key: str = "") -> None:
        self.emulator = emulator
        self.http = httpx.Client(base_url=emulator.url, headers={"X-API-Key": key or emulator.key}, timeout=20)

    def buy(self, asked: dict[str, Any] | None = None, key: str | None = None, path: str = GENERATE) -> httpx.Response:
        return self.http.post(path, json=asked or body(), headers={"Idempotency-Key": key} if key else {})

    def bought(self, asked: dict[str, Any] | None = None, path: str = GENERATE) -> dict[str, Any]:
        """A job, at its end."""
        answer = self.buy(asked, path=path)
        assert answer.status_code == 202, answer.text
        return self.ended(answer.json()["jobId"])

    def job(self, ident: str) -> dict[str, Any]:
        answer = self.http.get(f"/v2/jobs/{ident}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, ident: str) -> dict[str, Any]:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            job = self.job(ident)
            if job["status"] in ENDS:
                return job
            time.sleep(0.02)
        raise AssertionError(f"{ident} doesn't end")

    def pictures(self, job: dict[str, Any]) -> list[bytes]:
        found = [httpx.get(url) for url in job["result"]["images"]]
        assert [one.status_code for one in found] == [200] * len(found)
        return [one.content for one in found]

    def upload(self, content: bytes) -> httpx.Response:
        return self.http.post("/v2/uploads", files={"file": ("a.bin", content, "application/octet-stream")})


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    it = Client(emulator)
    yield it
    it.http.close()


def png(colour: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, colour).save(kept, "PNG")
    return kept.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


# ── keys ──


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", GENERATE),
        ("GET", "/v2/jobs"),
        ("GET", "/v2/jobs/6f1c1ac4-9a53-4c39-8a3e-3f0d3f3b9d11"),
        ("POST", "/v2/uploads"),
        ("GET", "/v2/me"),
    ],
)
def test_without_a_right_key_nothing_is_told(method: str, path: str) -> None:
    with run(inactive=["afk_old"]) as emulator:
        for headers, status, words in (
            ({}, 401, "API key is required"),
            ({"X-API-Key": "afk_wrong"}, 401, "Invalid API key"),
            ({"X-API-Key": "afk_old"}, 403, "API key is inactive"),
        ):
            answer = httpx.request(method, emulator.url + path, headers=headers, json=body() if path == GENERATE else None)
            assert (answer.status_code, answer.json()) == (status, {"error": words})
        assert emulator.bills == []


def test_the_account_tells_whose_money_it_is(client: Client) -> None:
    client.buy()
    me = client.http.get("/v2/me").json()
    assert me["team"]["credits"] == 996
    assert me["apiKey"]["prefix"] == client.emulator.key[:8]
    assert client.emulator.key not in json.dumps(me)


def test_anybody_may_see_the_models(emulator: Emulator) -> None:
    found = {one["id"]: one for one in httpx.get(f"{emulator.url}/v2/models?modality=image").json()["models"]}
    assert len(found) == 56
    assert (found["gpt-image-2"]["costMin"], found["gpt-image-2"]["costMax"], found["gpt-image-2"]["pricingMode"]) == (
        4,
        23,
        "per-output",
    )
    assert httpx.get(f"{emulator.url}/v2/models?modality=video").json() == {"models": []}
    assert httpx.get(f"{emulator.url}/v2/models?modality=cake").json()["details"].keys() == {"modality"}


# ── buying ──


@pytest.mark.parametrize(("quality", "credits"), [("low", 4), ("medium", 9), ("high", 23), ("auto", 23), (None, 23)])
def test_what_a_picture_costs(client: Client, quality: str | None, credits: int) -> None:
    params = {"number_of_images": 3} | ({"quality": quality} if quality else {})
    job = client.bought({"model": "gpt-image-2", "prompt": "x", "gptImage2Params": params})
    assert (job["creditCost"], job["progress"], len(job["result"]["images"])) == (3 * credits, 100, 3)
    assert client.emulator.spent == 3 * credits


def test_a_bill_for_each_accepted_job(client: Client) -> None:
    sent = json.dumps(body("Åsa's poster")).encode()
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    job = client.http.post(GENERATE, content=sent, headers=headers).json()["jobId"]
    (bill,) = client.emulator.bills
    assert bill.pop("at").endswith("Z")
    assert bill == {
        "job": job,
        "model": "gpt-image-2",
        "prompt": "Åsa's poster",
        "images": 1,
        "credits": 4,
        "key": client.emulator.key[:8],
        "idempotency_key": "k1",
        "body": hashlib.sha256(sent).hexdigest(),
    }
    assert httpx.get(f"{client.emulator.url}/emulator/bills").json()["bills"][0]["job"] == job


def test_a_job_walks_from_queued_to_completed() -> None:
    with run(latency=1000) as emulator:
        client = Client(emulator)
        answer = client.buy()
        assert answer.json()["status"] == "QUEUED"
        ident = answer.json()["jobId"]
        seen = []
        for _ in range(4):
            job = client.job(ident)
            seen.append((job["status"], job["progress"] // 10, job["creditCost"], job["completedAt"] is None))
            emulator.advance(405)
        assert seen == [
            ("QUEUED", 0, None, True),
            ("PROCESSING", 4, None, True),
            ("PROCESSING", 8, None, True),
            ("COMPLETED", 10, 4, False),
        ]


def test_latency_is_a_range_and_follows_the_seed() -> None:
    taken = []
    for _ in range(2):
        with run(latency="1-4", seed=7) as emulator:
            client = Client(emulator)
            for _ in range(5):
                client.buy()
            taken.append([round(job.ends_at - job.at, 6) for job in emulator.jobs])
    assert taken[0] == taken[1]
    assert len(set(taken[0])) == 5
    assert all(1 <= seconds <= 4 for seconds in taken[0])
    with pytest.raises(UsageError, match="no latency"):
        Emulator(latency="4-1")


def test_no_money(client: Client) -> None:
    client.emulator.pay(7)
    assert client.buy().status_code == 202
    answer = client.buy()
    assert answer.status_code == 402
    assert answer.json() == {"error": "Insufficient credits", "creditsRequired": 4, "creditsAvailable": 3}
    assert len(client.emulator.bills) == 1
    client.emulator.pay(4)
    assert client.buy().status_code == 202
    assert client.http.get("/v2/me").json()["team"]["credits"] == 0


def test_a_request_that_is_not_valid_names_the_field(client: Client) -> None:
    for asked, details in (
        (body(size="1024x1024"), {"gptImage2Params.size"}),
        (body(quality="best", number_of_images=11), {"gptImage2Params.quality", "gptImage2Params.number_of_images"}),
        (body("x" * 2001), {"prompt"}),
        ({**body(), "webhook_url": "https://example.org"}, {"webhook_url"}),
        ({**body(), "model": "gpt-image-9"}, {"model"}),
        ({"prompt": "x"}, {"model"}),
        ([], {""}),
        (body(input_images=["nonsense"]), {"gptImage2Params.input_images.0"}),
        ({"model": "flux-lora", "prompt": "x"}, {"fluxLoraParams"}),
        (body("a [fault:nothing]"), {"prompt"}),
    ):
        answer = client.http.post(GENERATE, json=asked)
        assert (answer.status_code, answer.json()["details"].keys()) == (400, details), asked
    assert client.http.post(GENERATE, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert client.buy(key="k" * 256).json()["details"].keys() == {"Idempotency-Key"}
    assert client.emulator.bills == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b'{"model": "gpt-image-2", "prompt": "half a \\ud83d character"}', 202),
        (b'{"model": "flux-2-pro", "prompt": "x", "fluxParams": {"seed": 1' + b"0" * 400 + b"}}", 202),
        (b'{"model": "flux-2-pro", "prompt": "x", "fluxParams": {"width": 1' + b"0" * 400 + b"}}", 400),
        (b'{"model": "flux-2-pro", "prompt": "x", "fluxParams": {"guidance": NaN}}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b"", 400),
    ],
)
def test_an_odd_body_is_no_accident(tmp_path: Path, sent: bytes, status: int) -> None:
    with run(bills=tmp_path / "bills", pictures="comps") as emulator:
        client = Client(emulator)
        answer = client.http.post(GENERATE, content=sent, headers={"Content-Type": "application/json"})
        assert answer.status_code == status
        if status == 202:
            assert client.ended(answer.json()["jobId"])["status"] in ENDS
            assert client.http.get("/v2/jobs").status_code == 200
        assert len((tmp_path / "bills").read_text("utf-8").splitlines() if status == 202 else []) == len(emulator.bills)


# ── replay ──


def test_the_same_key_gives_the_same_job_and_its_status_now() -> None:
    with run(latency=10) as emulator:
        client = Client(emulator)
        first = client.buy(key="k").json()
        emulator.advance(5)
        assert client.buy(key="k").json() == {"jobId": first["jobId"], "status": "PROCESSING"}
        emulator.advance(6)
        assert client.buy(key="k").json() == {"jobId": first["jobId"], "status": "COMPLETED"}
        assert (len(emulator.bills), emulator.spent) == (1, 4)
        assert client.buy(key="other").json()["jobId"] != first["jobId"]


def test_another_body_under_the_same_key_is_a_conflict(client: Client) -> None:
    client.buy(key="k")
    answer = client.buy(body("Another"), key="k")
    assert answer.status_code == 409
    assert "Idempotency key" in answer.json()["error"]
    assert len(client.emulator.bills) == 1


def test_a_key_is_forgotten_after_a_day(client: Client) -> None:
    first = client.buy(key="k").json()["jobId"]
    client.emulator.advance(DAY - 60)
    assert client.buy(key="k").json()["jobId"] == first
    client.emulator.advance(120)
    assert client.buy(key="k").json()["jobId"] != first
    assert len(client.emulator.bills) == 2


def test_two_accounts_know_nothing_of_each_other() -> None:
    with run(keys=["afk_second"]) as emulator:
        one, two = Client(emulator), Client(emulator, "afk_second")
        ident = one.buy(key="k").json()["jobId"]
        assert two.buy(key="k").json()["jobId"] != ident
        assert two.http.get(f"/v2/jobs/{ident}").status_code == 404
        assert [job["id"] for job in one.http.get("/v2/jobs").json()["jobs"]] == [ident]
        assert two.http.get("/v2/me").json()["team"]["credits"] == 996


# ── jobs ──


def test_a_job_that_is_not_there(client: Client) -> None:
    assert client.http.get("/v2/jobs/nonsense").status_code == 400
    assert client.http.get(f"/v2/jobs/{uuid.uuid4()}").status_code == 404
    ident = client.buy().json()["jobId"]
    assert client.job(ident.upper())["id"] == ident


def test_jobs_are_listed_newest_first_page_by_page(client: Client) -> None:
    bought = [client.buy(body(f"{n}") if n % 2 else body(f"{n}", "flux-2-pro")).json()["jobId"] for n in range(5)]
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = client.http.get("/v2/jobs", params=query).json()
        seen += [job["id"] for job in page["jobs"]]
        assert page["hasMore"] is (page["nextCursor"] is not None)
        if not page["hasMore"]:
            break
        query["cursor"] = page["nextCursor"]
    assert seen == bought[::-1]

    def ids(**params: str) -> list[str]:
        return [job["id"] for job in client.http.get("/v2/jobs", params=params).json()["jobs"]]

    assert ids(model="flux-2-pro") == bought[4::-2]
    assert ids(search=bought[3]) == [bought[3]]
    assert ids(status="COMPLETED", scope="team") == bought[::-1]
    assert ids(status="FAILED") == []
    assert client.http.get("/v2/jobs?include_models=true").json()["models"] == ["flux-2-pro", "gpt-image-2"]
    for wrong in ("limit=0", "limit=101", "limit=x", "status=DONE", "scope=all", "search=x", "cursor=x", "include_models=yes"):
        answer = client.http.get(f"/v2/jobs?{wrong}")
        assert (answer.status_code, list(answer.json()["details"])) == (400, [wrong.partition("=")[0]])


def test_credits_come_back_when_a_job_fails() -> None:
    with run(latency=10, faults=["fail@1", "cancel@2"]) as emulator:
        client = Client(emulator)
        jobs = [client.buy().json()["jobId"] for _ in range(3)]
        assert client.http.get("/v2/me").json()["team"]["credits"] == 988
        emulator.advance(11)
        assert [(client.job(ident)["status"], client.job(ident)["creditCost"]) for ident in jobs] == [
            ("FAILED", 0),
            ("CANCELLED", 0),
            ("COMPLETED", 4),
        ]
        assert client.http.get("/v2/me").json()["team"]["credits"] == 996
        assert (emulator.spent, len(emulator.bills)) == (4, 3)


# ── uploads ──


def test_an_upload_is_there_for_an_hour(client: Client) -> None:
    answer = client.upload(png())
    assert answer.status_code == 201
    told = answer.json()
    assert (told["kind"], told["contentType"], told["byteSize"]) == ("image", "image/png", len(png()))
    assert not told["url"].startswith(client.emulator.url)
    assert httpx.get(told["url"]).content == png()
    assert client.bought(body(input_images=[told["url"]]))["status"] == "COMPLETED"
    client.emulator.advance(3601)
    assert httpx.get(told["url"]).status_code == 404
    job = client.bought(body(input_images=[told["url"]]))
    assert (job["status"], job["creditCost"]) == ("FAILED", 0)
    assert "could not fetch" in job["error"]


def test_what_cannot_be_uploaded(client: Client) -> None:
    for content in (b"", b"not a picture", b"<svg/>", png() + bytes(25_000_000)):
        answer = client.upload(content)
        assert (answer.status_code, list(answer.json()["details"])) == (400, ["file"])
    assert client.http.post("/v2/uploads", files={"image": ("a.png", png())}).status_code == 400
    assert client.http.post("/v2/uploads", content=png()).status_code == 400


@pytest.mark.parametrize(
    "url", ["https://example.org/a.png", "data:image/png;base64,AAAA", "CDN/u/nothing.png", "CDN/r/nothing/0.png"]
)
def test_an_input_that_is_not_there_fails_the_job(client: Client, url: str) -> None:
    job = client.bought(body(input_images=[url.replace("CDN", client.emulator.cdn)]))
    assert (job["status"], job["creditCost"]) == ("FAILED", 0)


def test_the_other_operations(client: Client) -> None:
    url = client.upload(png()).json()["url"]
    result = client.bought(body())["result"]["images"][0]
    for path, asked in (
        (
            "/v2/images/edit",
            {"model": "flux-fill-pro", "fluxFillParams": {"image": url, "mask": url, "prompt": "a hat", "mode": "inpaint"}},
        ),
        ("/v2/images/upscale", {"model": "topaz-image-upscale", "topazUpscaleParams": {"image": result, "upscale_factor": 4}}),
        ("/v2/images/upscale", {"model": "clarity-upscale", "clarityUpscaleParams": {"image": url}}),
        ("/v2/images/background-remove", {"model": "bria-bg-remove", "briaBgRemoveParams": {"image": url}}),
        ("/v2/images/background-remove", {"model": "851-bg-remove", "lab851BgRemoveParams": {"image": url, "format": "png"}}),
    ):
        job = client.bought(asked, path)
        assert job["status"] == "COMPLETED"
        assert opened(client.pictures(job)[0]).format == "PNG"
    assert [bill["prompt"] for bill in client.emulator.bills][1] == "a hat"
    wrong = client.buy({"model": "gpt-image-2", "prompt": "x"}, path="/v2/images/edit")
    assert (wrong.status_code, list(wrong.json()["details"])) == (400, ["model"])
    bare = client.buy(
        {"model": "flux-fill-pro", "fluxFillParams": {"image": url, "prompt": "a", "mode": "inpaint"}}, path="/v2/images/edit"
    )
    assert (bare.status_code, list(bare.json()["details"])) == (400, ["fluxFillParams.mask"])
    gone = {"model": "clarity-upscale", "clarityUpscaleParams": {"image": f"{client.emulator.cdn}/u/no.png"}}
    assert client.buy(gone, path="/v2/images/upscale").status_code == 400
    assert len(client.emulator.bills) == 6


# ── results ──


def test_a_picture_is_gone_after_a_day(client: Client) -> None:
    job = client.bought()
    assert job["expired"] is False
    client.emulator.advance(DAY + 1)
    again = client.job(job["id"])
    assert (again["status"], again["expired"], again["creditCost"]) == ("COMPLETED", True, 4)
    assert httpx.get(job["result"]["images"][0]).status_code == 404


def test_the_cdn_is_another_origin_and_takes_no_key(client: Client) -> None:
    url = client.bought()["result"]["images"][0]
    assert url.startswith(f"{client.emulator.cdn}/r/")
    assert client.emulator.cdn != client.emulator.url
    assert httpx.get(url).status_code == 200
    assert client.emulator.leaks == []
    assert httpx.get(url, headers={"X-API-Key": client.emulator.key}).status_code == 400
    assert httpx.get(url, headers={"Authorization": "Bearer x"}).status_code == 400
    assert [(leak["header"], leak["path"]) for leak in client.emulator.leaks] == [
        ("X-API-Key", httpx.URL(url).path),
        ("Authorization", httpx.URL(url).path),
    ]
    assert client.emulator.key not in json.dumps(httpx.get(f"{client.emulator.url}/emulator/leaks").json())
    for near in ("/r/guess/0.png", url.replace("/0.png", "/1.png"), url.replace("/0.png", "/-1.png"), "/r/"):
        assert httpx.get(httpx.URL(client.emulator.cdn).join(near)).status_code == 404


def test_a_picture_is_not_there_before_its_job_is_done() -> None:
    with run(latency=10) as emulator:
        client = Client(emulator)
        ident = client.buy().json()["jobId"]
        url = f"{emulator.cdn}/r/{emulator.job(ident).token}/0.png"
        assert httpx.get(url).status_code == 404
        emulator.advance(11)
        assert client.job(ident)["result"]["images"] == [url]
        assert httpx.get(url).status_code == 200


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("kind", ["tiny", "2mb", "comps"])
def test_the_same_request_never_gives_the_same_picture(kind: str, form: str) -> None:
    with run(pictures=kind) as emulator:
        client = Client(emulator)
        url = client.upload(png()).json()["url"]
        for inputs in ([], [url]):
            asked = body("A poster for Fika", output_format=form, aspect_ratio="3:2", number_of_images=2, input_images=inputs)
            found = [picture for _ in range(2) for picture in client.pictures(client.bought(asked))]
            assert len({hashlib.sha256(one).hexdigest() for one in found}) == 4
            for one in found:
                picture = opened(one)
                assert picture.format == form.upper()
                assert (picture.width > picture.height) is (kind != "2mb")
                assert (len(one) > 1_500_000) is (kind == "2mb")
        assert client.pictures(client.job(emulator.bills[-1]["job"])) == found[2:], "but one picture stays what it is"


@pytest.mark.parametrize("kind", ["tiny", "comps"])
def test_deterministic_gives_the_same_bytes_for_the_same_request(kind: str) -> None:
    seen = []
    for _ in range(2):
        with run(pictures=kind, deterministic=True) as emulator:
            client = Client(emulator)
            for _ in range(2):
                url = client.upload(png()).json()["url"]  # another address each time
                (one,) = client.pictures(client.bought(body(input_images=[url])))
                seen.append(one)
            (other,) = client.pictures(client.bought(body("Another")))
            assert other not in seen
    assert len(set(seen)) == 1


def test_comps_look_like_what_is_asked(tmp_path: Path) -> None:
    """Sized by ratio and quality, drawn from the input, larger and without ground where that is asked."""
    with run(pictures="comps") as emulator:
        client = Client(emulator)
        asked = body('A poster with the words "Brewed slowly"', aspect_ratio="2:3", quality="medium")
        base = opened(client.pictures(client.bought(asked))[0])
        assert base.size == (683, 1024)
        assert len(base.convert("RGB").getcolors(1 << 24) or []) > 3
        kept = io.BytesIO()
        base.convert("RGB").resize((100, 150)).save(kept, "PNG")
        url = client.upload(kept.getvalue()).json()["url"]
        up = {"model": "topaz-image-upscale", "topazUpscaleParams": {"image": url, "upscale_factor": 2}}
        assert opened(client.pictures(client.bought(up, "/v2/images/upscale"))[0]).size == (200, 300)
        cut = {"model": "bria-bg-remove", "briaBgRemoveParams": {"image": url}}
        assert opened(client.pictures(client.bought(cut, "/v2/images/background-remove"))[0]).mode == "RGBA"
        # what the magic bytes don't show, the drawing does
        torn = client.upload(png()[:40]).json()["url"]
        job = client.bought(body(input_images=[torn]))
        assert (job["status"], job["creditCost"]) == ("FAILED", 0)
        assert emulator.spent == 9 + 8 + 2


# ── the emulator's own API ──


@pytest.mark.parametrize(
    ("prompt", "op", "roles"),
    [
        ("Make the sky red.", "edit", ["base", "reference"]),
        ("Image 2: the logo, bottom right\n\nSet the headline.", "edit", ["base", "reference"]),
        ("Image 1: take colours from it\nImage 2: the hero\n\nA poster.", "generate", ["style", "reference"]),
        ("Image 2: take the style from it\n\nA page: image 1 carries a cup.", "generate", ["reference", "style"]),
    ],
)
def test_only_a_picture_that_the_prompt_has_no_word_for_is_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prompt: str, op: str, roles: list[str]
) -> None:
    """Nothing in a request of gpt-image-2 says which picture is the base: a style's board was drawn over, and every poster looked like it."""
    from assetbuild.providers import comp
    from assetbuild.testing.emulator import pictures, shapes

    seen = []
    monkeypatch.setattr(comp, "done", seen.append)
    model = shapes.table()["gpt-image-2"]
    inputs = [pictures.Input("input_images", letter * 64, tmp_path / letter) for letter in "ab"]
    with pytest.raises(AttributeError):  # nothing was drawn
        pictures.comp(shapes.Asked(model, prompt, {}, 1, 9, (), "png", webhook=False), "png", ["0" * 32], inputs)
    (request,) = seen
    assert request.op == op
    assert [picture.role for picture in request.inputs] == roles


def test_it_can_be_told_what_to_do(client: Client) -> None:
    own = httpx.Client(base_url=f"{client.emulator.url}/emulator")
    assert own.post("/faults", json={"fault": "unavailable@1"}).json() == {"faults": ["unavailable@1"]}
    assert client.buy().status_code == 503
    assert client.buy().status_code == 202
    assert own.get("/faults").json() == {"faults": ["unavailable@1"]}
    assert own.delete("/faults").json() == {"faults": []}
    before = own.get("/clock").json()["now"]
    assert own.post("/clock", json={"advance": DAY}).json()["now"] >= before + DAY
    own.post("/credits", json={"credits": 5})
    state = httpx.get(f"{client.emulator.url}/emulator").json()
    assert (state["credits"], state["bills"], state["spent"]) == ({client.emulator.key[:8]: 5}, 1, 4)
    assert ["POST", GENERATE, 503] in own.get("/calls").json()["calls"]
    own.post("/reset", json={})
    assert (client.emulator.bills, client.emulator.leaks) == ([], [])
    assert client.http.get("/v2/me").json()["team"]["credits"] == 1000
    for path, sent in (
        ("/faults", {"fault": "nonsense"}),
        ("/faults", {}),
        ("/clock", {"advance": "x"}),
        ("/credits", {"credits": -1}),
    ):
        assert own.post(path, json=sent).status_code == 400
    assert own.get("/nothing").status_code == 404
    assert own.post("/nothing", json={}).status_code == 404


def test_calls_are_written_down_the_cdns_too(client: Client) -> None:
    job = client.bought()
    client.pictures(job)
    token = client.emulator.job(job["id"]).token
    assert client.emulator.calls == [
        ("POST", GENERATE, 202),
        ("GET", f"/v2/jobs/{job['id']}", 200),
        ("GET", f"/r/{token}/0.png", 200),
    ]
    assert client.http.get("/v2/videos").status_code == 404
    assert client.emulator.calls[-1] == ("GET", "/v2/videos", 404)


def test_bills_are_in_the_file_before_the_answer_comes(tmp_path: Path) -> None:
    file = tmp_path / "bills.jsonl"
    with run(bills=file, faults=["cut-after"]) as emulator:
        client = Client(emulator)
        with pytest.raises(httpx.RemoteProtocolError):
            client.buy(body("Grüße"))
        (line,) = file.read_text("utf-8").splitlines()
        assert json.loads(line) == emulator.bills[0]
        assert "Grüße" in line


# ── the vendor's word ──


def test_answers_have_the_vendors_shape() -> None:
    schemas = contract()["components"]["schemas"]

    def holds(name: str, value: object) -> None:
        whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(value)

    faults = [
        "fail@2",
        "cancel@3",
        "expired@4",
        "no-cost@5",
        "stuck@6",
        "string-result@7",
        "list-result@8",
        "fewer@9",
        "cost:7@10",
    ]
    with run(latency=10, faults=faults, inactive=["afk_old"]) as emulator:
        client = Client(emulator)
        url = client.upload(png())
        holds("Upload", url.json())
        idents = []
        for n in range(11):
            asked = body(input_images=[url.json()["url"]]) if n % 2 else {**body(), "webhookUrl": "https://example.org/h"}
            answer = client.buy(asked, key=f"k{n}")
            holds("JobAccepted", answer.json())
            idents.append(answer.json()["jobId"])
        for _ in range(3):
            for n, ident in enumerate(idents):
                holds("Job", client.job(ident))
                holds(
                    "JobAccepted",
                    client.buy(
                        body(input_images=[url.json()["url"]]) if n % 2 else {**body(), "webhookUrl": "https://example.org/h"},
                        key=f"k{n}",
                    ).json(),
                )
            holds("JobList", client.http.get("/v2/jobs?include_models=true&limit=3").json())
            emulator.advance(6)
        holds("Me", client.http.get("/v2/me").json())
        holds("ModelCatalog", client.http.get("/v2/models").json())
        holds("ValidationError", client.buy({"model": "x"}).json())
        holds("ErrorResponse", client.http.get("/v2/jobs/x").json())
        holds("ErrorResponse", client.buy(body("other"), key="k0").json())
        emulator.pay(3)
        holds("InsufficientCredits", client.buy().json())
        assert {client.job(ident)["status"] for ident in idents} == {"COMPLETED", "FAILED", "CANCELLED", "PROCESSING"}
