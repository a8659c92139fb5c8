"""Exchanges with a vendor and a CDN over real sockets: what is sent, how fast, and what each kind of failure means for money."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from assetbuild import __version__, wire
from assetbuild.errors import ProviderSetupError
from assetbuild.providers.base import Answer, Kind, ProviderError
from assetbuild.wire import Wire

from .breaking import (
    bomb,
    calling,
    close,
    closed_port,
    cut_off,
    endless,
    failing,
    garbage,
    half_a_body,
    half_a_body_and_reset,
    half_a_chunk,
    half_a_head,
    names,
    say_nothing_secret,
    silent,
    silent_in_the_middle,
)
from .wiring import KEY, Asked, answers, headers, response, serving, settings

pytestmark = pytest.mark.usefixtures("no_proxy")

# ── what is sent ──


def test_a_request_carries_the_key_and_who_we_are() -> None:
    async def story() -> None:
        async with (
            serving(answers(response(b'{"a": 1}', headers="X-Request-Id: r1\r\n"))) as server,
            calling(server.url + "/gw/") as api,
        ):
            answer = await api.request("POST", "/v2/x", body=b'{"p":1}', headers={"Idempotency-Key": "k"})
            assert answer == Answer(200, {"content-length": "8", "x-request-id": "r1"}, b'{"a": 1}')
            await api.request("GET", "/v2/jobs", params={"search": "a b&c"})
            post, get = server.asked
        assert post.line == "POST /gw/v2/x HTTP/1.1"
        assert post.body == b'{"p":1}'
        assert get.line == "GET /gw/v2/jobs?search=a+b%26c HTTP/1.1"
        assert post.headers | {"host": ""} == {
            "host": "",
            "user-agent": f"assetbuild/{__version__}",
            "accept": "application/json",
            "accept-encoding": "identity",
            "x-api-key": KEY,
            "idempotency-key": "k",
            "content-type": "application/json",
            "content-length": "7",
        }

    asyncio.run(story())


def test_an_upload_is_a_form_without_the_users_file_name(tmp_path: Path) -> None:
    async def story() -> None:
        picture = tmp_path / "secret-campaign.png"
        picture.write_bytes(b"x" * 300_000)
        async with serving(answers(response(status="201 Created"))) as server, calling(server.url) as api:
            assert (await api.request("POST", "/v2/uploads", file=("file", picture, "image/png"))).status == 201
            (asked,) = server.asked
        assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert "transfer-encoding" not in asked.headers
        assert b'name="file"; filename="picture.png"\r\nContent-Type: image/png\r\n\r\nxxx' in asked.body
        assert asked.body.count(b"x") >= 300_000
        assert b"secret" not in asked.body

    asyncio.run(story())


@pytest.mark.parametrize(
    "status", ["201 Created", "302 Found", "400 Bad Request", "402 Payment Required", "404 No", "409 No", "502 Bad Gateway"]
)
def test_any_status_is_an_answer_and_no_redirect_is_followed(status: str) -> None:
    async def story() -> None:
        async with serving(answers(response())) as elsewhere:
            page = response(b"<html>", status, f"Location: {elsewhere.url}/x\r\nSet-Cookie: a=b\r\n")
            async with serving(answers(page)) as server, calling(server.url) as api:
                for _ in range(2):
                    answer = await api.request("POST", "/v2/x", body=b"{}")
                    assert (answer.status, answer.body) == (int(status[:3]), b"<html>")
            assert elsewhere.asked == []
            assert all("cookie" not in asked.headers for asked in server.asked)

    asyncio.run(story())


def test_a_key_that_no_header_can_have_is_not_printed() -> None:
    async def story() -> None:
        for key in ("afk_”secret”", "afk\nsecret", "afk_secret\u200b"):
            async with Wire() as line:
                with pytest.raises(ProviderSetupError) as raised:
                    line.api(settings("https://api.example", key=key), headers)
                assert raised.value.text == "APIFRAME_API_KEY can't be a key: it holds a character that isn't plain ASCII"
                say_nothing_secret(raised.value)
        async with calling("https://api.example") as api:
            assert KEY not in repr(api)

    asyncio.run(story())


def test_without_a_key_none_is_sent() -> None:
    async def story() -> None:
        async with serving(answers(response())) as server, calling(server.url, key=None) as api:
            await api.request("GET", "/v2/models")
        assert "x-api-key" not in server.asked[0].headers

    asyncio.run(story())


def test_a_path_cant_lead_to_another_host() -> None:
    async def story() -> None:
        async with calling("https://api.example") as api:
            with pytest.raises(ValueError, match="begins with"):
                await api.request("GET", "@evil.example/x")

    asyncio.run(story())


def test_many_at_once_but_not_too_many() -> None:
    """64 exchanges, whoever asks; a place is free again when an exchange failed."""

    async def story() -> None:
        most = now = 0

        async def answering(asked: Asked, writer: asyncio.StreamWriter) -> None:
            nonlocal most, now
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.02)
            now -= 1
            if int(asked.headers["n"]) % 3:
                writer.write(response())
            else:
                writer.close()

        async with serving(answering, backlog=500) as server, calling(server.url) as api:

            async def one(n: int) -> None:
                with contextlib.suppress(ProviderError):
                    await api.request("POST", "/v2/x", body=b"{}", headers={"n": str(n)})

            await asyncio.gather(*(one(n) for n in range(300)))
            assert len(server.asked) == 300
        assert most == 64

    asyncio.run(story())


# ── what a failure means ──


BROKE = "the connection to 127.0.0.1 broke before its answer was complete"
SILENT = "127.0.0.1 was silent for too long, its answer didn't come"
LARGE = "the answer of 127.0.0.1 is larger than 8 MiB"
AFTER = [
    (None, BROKE),
    (close, BROKE),
    (cut_off, BROKE),
    (half_a_head, BROKE),
    (half_a_body, BROKE),
    (half_a_body_and_reset, BROKE),
    (half_a_chunk, BROKE),
    (silent, SILENT),
    (silent_in_the_middle, SILENT),
    (garbage, "127.0.0.1 answered with something that isn't HTTP"),
    (endless, LARGE),
    (bomb, LARGE),
]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(("answering", "text"), AFTER, ids=lambda p: getattr(p, "__name__", None))
def test_after_something_may_have_left(
    answering: Any, text: str, method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that buys may have been accepted, whatever went wrong; one that only looks has bought nothing."""
    monkeypatch.setitem(wire._LIMITS, "timeout", {"connect": 1, "read": 0.2, "write": 1, "pool": 1})
    caplog.set_level(logging.DEBUG)

    async def story() -> ProviderError:
        async with serving(answering) as server:
            error = await failing(server.url, method)
            if method == "POST":  # not sent again behind our back
                assert len(server.asked) == (0 if answering is None else 1)
            return error

    error = asyncio.run(story())
    assert error.kind is (Kind.UNKNOWN_OUTCOME if method == "POST" else Kind.TEMPORARY)
    assert error.text == text
    say_nothing_secret(error, *(record.getMessage() for record in caplog.records if record.name != "asyncio"))


def test_a_closed_port() -> None:
    async def story() -> ProviderError:
        return await failing(await closed_port())

    error = asyncio.run(story())
    assert (error.kind, error.text) == (Kind.TEMPORARY, "can't reach 127.0.0.1: connection refused")
    say_nothing_secret(error)


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, api_example=None)
    error = asyncio.run(failing("https://api.example"))
    assert (error.kind, error.text) == (Kind.TEMPORARY, "can't reach api.example: its name isn't known here")
    assert error.hint == "is this machine online?"
    say_nothing_secret(error)


def test_a_host_that_doesnt_accept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is full: no connection comes about, nothing was sent."""
    monkeypatch.setitem(wire._LIMITS, "timeout", {"connect": 0.2, "read": 5, "write": 5, "pool": 5})
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        port = sock.getsockname()[1]
        full = [socket.socket() for _ in range(4)]
        for each in full:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        error = asyncio.run(failing(f"http://127.0.0.1:{port}"))
        for each in full:
            each.close()
    assert (error.kind, error.text) == (Kind.TEMPORARY, "can't reach 127.0.0.1: no connection within 10 s")


def test_https_to_a_host_that_speaks_none() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1 << 16))
        writer.write(response(b"", "400 Bad Request"))
        writer.close()

    async def story() -> ProviderError:
        listener = await asyncio.start_server(plain, "127.0.0.1", 0)
        async with listener:
            return await failing(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")

    seen: list[bytes] = []
    error = asyncio.run(story())
    assert (error.kind, error.text) == (Kind.TEMPORARY, "can't reach 127.0.0.1: no secure connection came about")
    assert KEY.encode() not in b"".join(seen)
    say_nothing_secret(error)


def test_a_connection_that_the_vendor_closed_meanwhile_isnt_used() -> None:
    """It closed an idle connection and we know: another one is opened, nothing is in doubt."""

    async def story() -> None:
        async def answering(_: Asked, writer: asyncio.StreamWriter) -> None:
            writer.write(response())
            await writer.drain()
            writer.close()

        async with serving(answering) as server, calling(server.url) as api:
            for _ in range(5):
                assert (await api.request("POST", "/v2/x", body=b"{}")).status == 200
                await asyncio.sleep(0.02)
            assert (len(server.asked), server.connections) == (5, 5)

    asyncio.run(story())


@pytest.mark.parametrize("end", [close, cut_off])
def test_a_kept_connection_that_breaks_under_a_submit(end: Any) -> None:
    """The classic: the vendor gives up an idle connection in the moment in which we use it. Did the submit arrive? Here it did."""

    async def story() -> None:
        async def answering(asked: Asked, writer: asyncio.StreamWriter) -> None:
            if asked.nth == 1:
                writer.write(response())
            else:
                await end(asked, writer)

        async with serving(answering) as server, calling(server.url) as api:
            await api.request("POST", "/v2/x", body=b"1")
            with pytest.raises(ProviderError) as raised:
                await api.request("POST", "/v2/x", body=b"2")
            assert raised.value.kind is Kind.UNKNOWN_OUTCOME
            assert [asked.body for asked in server.asked] == [b"1", b"2"], "never sent again by a library"
            assert server.connections == 1
            assert (await api.request("GET", "/v2/x")).status == 200, "looking is free: the library may ask again by itself"

    asyncio.run(story())


def test_the_whole_exchange_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that always sends a byte in time, and never an end."""
    monkeypatch.setattr(wire, "WHOLE", 0.3)

    async def dripping(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", length=1000))
        while not writer.transport.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)

    async def story() -> ProviderError:
        async with serving(dripping) as server:
            return await failing(server.url)

    error = asyncio.run(story())
    assert (error.kind, error.text) == (Kind.UNKNOWN_OUTCOME, SILENT)
