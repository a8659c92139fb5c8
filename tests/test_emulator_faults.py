"""Every fault, as a client meets it; when it strikes, and how it is asked for."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from assetbuild.errors import UsageError
from assetbuild.testing.emulator.faults import ALIASES, KNOWN, Faults, parse

from .emulating import emulator as run
from .storing import same_words
from .test_emulator import GENERATE, Client, body, opened, png


@pytest.fixture
def client() -> Iterator[Client]:
    with run(pictures="comps") as emulator:
        it = Client(emulator)
        yield it
        it.http.close()


def faulty(client: Client, written: str) -> Client:
    client.emulator.fault(written)
    return client


def cut(client: Client, asked: dict[str, Any] | None = None, key: str | None = None) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.buy(asked, key)


# ── the exchange ──


@pytest.mark.parametrize(
    ("written", "status", "accepted"),
    [
        ("rate-limit:3@1", 429, 0),
        ("rate-limit-date:60@1", 429, 0),
        ("unavailable@1", 503, 0),
        ("blocked@1", 403, 0),
        ("bad-gateway@1", 502, 0),
        ("bad-gateway-after@1", 502, 1),
        ("conflict@1", 409, 0),
        ("conflict-after@1", 409, 1),
        ("cut-before@1", 0, 0),
        ("cut-after@1", 0, 1),
    ],
)
def test_a_submit_that_goes_wrong(client: Client, written: str, status: int, accepted: int) -> None:
    """Then the same again, under the same key: one job, one bill, whatever was accepted the first time."""
    faulty(client, written)
    if status == 0:
        cut(client, key="k")
    else:
        answer = client.buy(key="k")
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html" if status == 502 else "application/json")
    assert client.emulator.calls[-1] == ("POST", GENERATE, status)
    assert len(client.emulator.bills) == accepted
    again = client.buy(key="k")
    assert again.status_code == 202
    assert [bill["job"] for bill in client.emulator.bills] == [again.json()["jobId"]]


def test_when_to_come_again(client: Client) -> None:
    assert "retry-after" not in faulty(client, "rate-limit:none@1").buy().headers
    assert faulty(client, "rate-limit:7@1").buy().headers["retry-after"] == "7"
    at = parsedate_to_datetime(faulty(client, "rate-limit-date:60@1").buy().headers["retry-after"]).timestamp()
    assert 50 < at - time.time() < 70


def test_a_slow_answer_is_accepted_at_once(client: Client) -> None:
    faulty(client, "slow:20@1")
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(GENERATE, json=body(), timeout=1.5)
    assert len(client.emulator.bills) == 1


def test_places_and_aliases(client: Client) -> None:
    ident = client.buy().json()["jobId"]
    faulty(client, "me-down")
    assert client.http.get("/v2/me").status_code == 503
    faulty(client, "drop-poll@1")
    with pytest.raises(httpx.RemoteProtocolError):
        client.job(ident)
    url = client.ended(ident)["result"]["images"][0]
    for place, ask in (
        ("list", lambda: client.http.get("/v2/jobs")),
        ("upload", lambda: client.upload(png())),
        ("models", lambda: client.http.get("/v2/models")),
        ("poll", lambda: client.http.get(f"/v2/jobs/{ident}")),
        ("download", lambda: httpx.get(url)),
        ("submit", client.buy),
    ):
        faulty(client, f"{place}/rate-limit:2")
        answer = ask()
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2"), place
        client.emulator.no_faults()
        assert ask().status_code in (200, 201, 202)
    faulty(client, "any/unavailable@2")
    assert [client.http.get("/v2/jobs").status_code, client.buy().status_code, client.buy().status_code] == [200, 503, 202]


# ── the job ──


def fault_of_a_job(client: Client, written: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    return faulty(client, written).bought(asked)


@pytest.mark.parametrize(
    ("written", "status", "words"),
    [
        ("fail", "FAILED", "Provider returned an error: internal error"),
        ("fail:GPU on fire", "FAILED", "GPU on fire"),
        ("refuse", "FAILED", "Provider returned an error: content policy violation"),
        ("cancel", "CANCELLED", "Job was cancelled"),
    ],
)
def test_a_job_that_ends_badly(client: Client, written: str, status: str, words: str) -> None:
    job = fault_of_a_job(client, written)
    assert (job["status"], job["error"], job["creditCost"]) == (status, words, 0)
    assert "result" not in job
    assert (client.emulator.spent, len(client.emulator.bills)) == (0, 1)


def test_a_job_that_never_ends(client: Client) -> None:
    ident = faulty(client, "stuck").buy().json()["jobId"]
    client.emulator.advance(100 * 24 * 3600)
    job = client.job(ident)
    assert (job["status"], job["completedAt"], job["creditCost"]) == ("PROCESSING", None, None)


def test_a_job_that_nobody_knows_any_more(client: Client) -> None:
    ident = faulty(client, "lost").buy().json()["jobId"]
    assert client.http.get(f"/v2/jobs/{ident}").status_code == 404
    assert client.http.get("/v2/jobs").json()["jobs"] == []
    assert client.emulator.spent == 4


def test_odd_results(client: Client) -> None:
    two = body(number_of_images=2)
    assert len(fault_of_a_job(client, "fewer@1", two)["result"]["images"]) == 1
    assert isinstance(fault_of_a_job(client, "string-result@1")["result"], str)
    listed = fault_of_a_job(client, "list-result@1", two)["result"]
    assert [httpx.get(url).status_code for url in listed] == [200, 200]
    assert fault_of_a_job(client, "file-url@1")["result"] == {"images": ["file:///etc/passwd"]}
    assert fault_of_a_job(client, "private-url@1")["result"]["images"][0].startswith("http://10.0.0.1/")
    assert [opened(one).format for one in client.pictures(fault_of_a_job(client, "wrong-format@1"))] == ["WEBP"]
    webp = fault_of_a_job(client, "wrong-format@1", body(output_format="webp"))
    assert [opened(one).format for one in client.pictures(webp)] == ["PNG"]


def test_odd_costs(client: Client) -> None:
    expired = fault_of_a_job(client, "expired@1")
    assert (expired["status"], expired["expired"], expired["creditCost"]) == ("COMPLETED", True, 4)
    assert httpx.get(expired["result"]["images"][0]).status_code == 404
    assert fault_of_a_job(client, "no-cost@1")["creditCost"] is None
    assert fault_of_a_job(client, "cost:50@1")["creditCost"] == 50
    assert [bill["credits"] for bill in client.emulator.bills] == [4, 4, 50]
    assert client.http.get("/v2/me").json()["team"]["credits"] == 1000 - 58


def test_an_input_that_is_gone_at_once(client: Client) -> None:
    url = faulty(client, "gone-input@1").upload(png()).json()["url"]
    assert client.bought(body(input_images=[url]))["status"] == "FAILED"
    assert client.bought(body(input_images=[client.upload(png()).json()["url"]]))["status"] == "COMPLETED"


# ── the download ──


def broken(client: Client, written: str) -> str:
    url: str = fault_of_a_job(client, written)["result"]["images"][0]
    return url


def whole(url: str) -> bytes:
    """The second time it comes as it is."""
    answer = httpx.get(url)
    opened(answer.content)
    return answer.content


def test_half_a_file_that_says_it_is_whole(client: Client) -> None:
    url = broken(client, "truncated@1")
    half = httpx.get(url)
    assert half.content == whole(url)[: len(half.content)]
    with pytest.raises(OSError, match="truncated"):
        opened(half.content)


def test_half_a_file(client: Client) -> None:
    url = broken(client, "cut-body@1")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)
    whole(url)


def test_no_picture(client: Client) -> None:
    url = broken(client, "garbage@1")
    answer = httpx.get(url)
    assert answer.headers["content-type"] == "image/png"
    assert len(answer.content) == len(whole(url))
    with pytest.raises(Image.UnidentifiedImageError):
        opened(answer.content)
    page = httpx.get(broken(client, "html-picture@1"))
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")


def test_a_file_without_end(client: Client) -> None:
    url = broken(client, "oversized@1")
    got = 0
    with httpx.stream("GET", url) as answer:
        assert "content-length" not in answer.headers
        for piece in answer.iter_bytes():
            got += len(piece)
            if got > 30_000_000:
                break
    assert got > 30_000_000
    whole(url)


def test_a_bomb(client: Client) -> None:
    content = httpx.get(broken(client, "bomb@1")).content
    assert len(content) < 200_000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(content))


def test_a_slow_file(client: Client) -> None:
    url = broken(client, "slow-body:0.6@1")
    began = time.monotonic()
    first = httpx.get(url)
    assert time.monotonic() - began > 0.5
    assert first.content == whole(url)
    assert first.headers["content-length"] == str(len(first.content))


def test_a_redirect_that_is_followed_with_a_key_is_a_leak(client: Client) -> None:
    answer = httpx.get(broken(client, "redirect@1"))
    assert (answer.status_code, answer.headers["location"]) == (302, f"{client.emulator.url}/emulator/elsewhere.png")
    opened(httpx.get(answer.headers["location"]).content)
    assert client.emulator.leaks == []
    assert client.http.get(answer.headers["location"]).status_code == 400
    assert [leak["path"] for leak in client.emulator.leaks] == ["/emulator/elsewhere.png"]


# ── how and when ──


def test_a_prompt_asks_for_its_own_faults(client: Client) -> None:
    marked = body("A poster [fault:cut-after@1] [fault:fewer]", number_of_images=3)
    cut(client, marked, key="k")
    job = client.ended(client.buy(marked, key="k").json()["jobId"])
    assert len(job["result"]["images"]) == 2
    assert len(client.emulator.bills) == 1
    assert client.bought(body("Another [fault:refuse]"))["status"] == "FAILED"
    assert client.bought(body("Another"))["status"] == "COMPLETED"
    torn = client.buy(body("Torn [fault:truncated@1] [fault:poll/unavailable@1]")).json()["jobId"]
    assert client.http.get(f"/v2/jobs/{torn}").status_code == 503
    url = client.ended(torn)["result"]["images"][0]
    assert len(httpx.get(url).content) < len(httpx.get(url).content)


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ("", "xxxxxx"),
        ("@1", "x....."),
        ("@3", "..x..."),
        ("@3+", "..xxxx"),
        ("@2-4", ".xxx.."),
        ("@odd", "x.x.x."),
        ("@even", ".x.x.x"),
        ("@0%", "......"),
        ("@100%", "xxxxxx"),
    ],
)
def test_when_it_strikes(when: str, struck: str) -> None:
    faults = Faults([f"fail{when}"], random.Random(1))  # noqa: S311
    assert "".join("x" if faults.at("job", "job") else "." for _ in struck) == struck
    assert faults.at("submit") == []


def test_each_fault_counts_for_itself() -> None:
    faults = Faults(["unavailable@1", "rate-limit@2", "any/blocked@3"], random.Random(1))  # noqa: S311
    assert [[one.name for one in faults.at("submit")] for _ in range(3)] == [["unavailable"], ["rate-limit"], ["blocked"]]
    seldom = Faults(["fail@30%"], random.Random(1))  # noqa: S311
    assert 200 < sum(bool(seldom.at("job", "job")) for _ in range(1000)) < 400


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("unknown", "rate-limits"),
        ("unlike", "§§§"),
        ("when", "fail@sometimes"),
        ("place", "download/fail"),
        ("no-place", "kitchen/slow"),
        ("argument", "cancel:3"),
        ("number", "slow:long"),
    ],
)
def test_a_fault_that_cannot_be(name: str, written: str) -> None:
    with pytest.raises(UsageError) as problem:
        parse(written)
    same_words(f"../emulator/fault-{name}", problem.value)


def test_every_fault_has_a_test_here() -> None:
    """Its name stands in a test above."""
    text = Path(__file__).read_text("utf-8")
    for name in [*KNOWN, *ALIASES]:
        assert f'"{name}' in text or f"[fault:{name}" in text, name
