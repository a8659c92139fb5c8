"""Exchanges with a vendor and a CDN over real sockets: what is sent, how fast, and what each kind of failure means for money."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from assetbuild import __version__, wire
from assetbuild.errors import ProviderSetupError
from assetbuild.pacing import Bucket
from assetbuild.providers.base import Answer, Kind, ProviderError, retry_after
from assetbuild.wire import NO_PICTURE, Api, Wire

from .wiring import KEY, Asked, answers, headers, reset, response, serving, settings, virtually

ASKED = "/v2/secret-path"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def calling(url: str, **options: Any) -> AsyncIterator[Api]:
    async with Wire() as line:
        yield line.api(settings(url, **options), headers)


def names(monkeypatch: pytest.MonkeyPatch, **hosts: str | list[str] | None) -> list[str]:
    """What the name server says: addresses by name (`_` for `.`), None for a name that nobody knows. Gives the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        key = str(name).replace(".", "_")
        if key not in hosts:
            return real(host, port, *args, **kwargs)
        asked.append(name)
        there = hosts[key]
        if there is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        each = [there] if isinstance(there, str) else there
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in each]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


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


async def _closed_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


async def _garbage(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01 no HTTP at all\r\n\r\n")
    writer.close()


async def _silent(_: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def _close(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _reset(_: Asked, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def _half_a_head(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-le")
    writer.close()


async def _half_a_body(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(b'{"jobId": "secr', "202 Accepted", length=60))
    writer.close()


async def _half_a_body_and_reset(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(b'{"jobId": "secr', "202 Accepted", length=60))
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def _half_a_chunk(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{")
    writer.close()


async def _silent_in_the_middle(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(b"{", length=60))
    await asyncio.sleep(5)


async def _endless(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    while not writer.transport.is_closing():
        writer.write(piece)
        await writer.drain()


async def _bomb(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(response(gzip.compress(b"0" * (20 << 20)), headers="content-encoding: gzip\r\n"))
    await writer.drain()


BROKE = "the connection to 127.0.0.1 broke before its answer was complete"
SILENT = "127.0.0.1 was silent for too long, its answer didn't come"
LARGE = "the answer of 127.0.0.1 is larger than 8 MiB"
AFTER = [
    (None, BROKE),
    (_close, BROKE),
    (_reset, BROKE),
    (_half_a_head, BROKE),
    (_half_a_body, BROKE),
    (_half_a_body_and_reset, BROKE),
    (_half_a_chunk, BROKE),
    (_silent, SILENT),
    (_silent_in_the_middle, SILENT),
    (_garbage, "127.0.0.1 answered with something that isn't HTTP"),
    (_endless, LARGE),
    (_bomb, LARGE),
]


async def failing(url: str, method: str = "POST") -> ProviderError:
    async with calling(url) as api:
        with pytest.raises(ProviderError) as raised:
            await api.request(method, ASKED, body=b'{"secret": 1}' if method == "POST" else None, params={"q": "secret"})
    return raised.value


def say_nothing_secret(error: BaseException, *logs: str) -> None:
    """Neither the message nor a crash report, nor a log, shows a key, an address or a body."""
    for text in (str(error), repr(error), getattr(error, "render", str)(), *logs):
        assert "secret" not in text
        assert "http" not in text.lower().replace("isn't http", "").replace("https_proxy", "")
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


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
        return await failing(await _closed_port())

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


@pytest.mark.parametrize("end", [_close, _reset])
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


# ── how often ──


def test_a_hundred_at_once_then_five_a_second() -> None:
    async def story() -> list[float]:
        loop = asyncio.get_running_loop()
        bucket, began, turns = Bucket("vendor", 300, 100), loop.time(), list[float]()

        async def one() -> None:
            await bucket.turn()
            turns.append(loop.time() - began)

        await asyncio.gather(*(one() for _ in range(150)))
        await asyncio.sleep(3600)
        began = loop.time()
        await asyncio.gather(*(one() for _ in range(101)))
        return turns

    turns = virtually(story())
    assert turns[:100] == [0.0] * 100
    assert turns[100:150] == [pytest.approx(0.2 * n) for n in range(1, 51)]
    assert turns[150:250] == [0.0] * 100, "an hour later it is full again, and no fuller"
    assert turns[250] == pytest.approx(0.2)


def test_a_pause_holds_everybody_and_they_dont_come_back_at_once() -> None:
    async def story() -> list[tuple[float, bool]]:
        loop = asyncio.get_running_loop()
        bucket, began, seen = Bucket("vendor", 300, 100), loop.time(), list[tuple[float, bool]]()

        async def one() -> None:
            while True:
                try:
                    await bucket.turn()
                except ProviderError as held:
                    seen.append((round(loop.time() - began, 3), False))
                    await asyncio.sleep(held.after or 0)
                else:
                    seen.append((round(loop.time() - began, 3), True))
                    return

        tasks = [asyncio.create_task(one()) for _ in range(105)]  # five of them wait for their turn
        await asyncio.sleep(0.1)
        bucket.pause(60)
        bucket.pause(10)  # a shorter one doesn't cut it
        tasks += [asyncio.create_task(one()) for _ in range(20)]
        await asyncio.gather(*tasks)
        return seen

    seen = virtually(story())
    passed = [moment for moment, free in seen if free]
    assert passed[:100] == [0.0] * 100
    assert passed[100:] == [pytest.approx(60.1 + 0.2 * n) for n in range(25)]
    assert sum(not free for _, free in seen) == 25


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_not_before(status: str) -> None:
    """One answer with Retry-After, and nobody asks this vendor before; another one isn't held."""

    async def story() -> None:
        async with serving(answers(response(b"{}", status, "Retry-After: 30\r\n"), response())) as server, Wire() as line:
            api, other = line.api(settings(server.url), headers), line.api(settings(server.url), headers)
            assert (await api.request("POST", "/v2/x", body=b"{}")).status == int(status[:3])
            for method in ("POST", "GET"):
                with pytest.raises(ProviderError) as raised:
                    await api.request(method, "/v2/x")
                assert raised.value.kind is Kind.RATE_LIMITED
                assert raised.value.after == pytest.approx(30, abs=1)
                assert raised.value.text == "127.0.0.1 gets more requests than it allows"
            assert len(server.asked) == 1
            assert (await other.request("GET", "/v2/x")).status == 200

    asyncio.run(story())


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 21:00:30 GMT", "date": "Sun, 22 Nov 2026 21:00:00 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 20:00:30 GMT", "date": "Sun, 22 Nov 2026 21:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 22 Nov 1970 21:00:30 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(given: dict[str, str], seconds: float | None) -> None:
    assert retry_after(given) == seconds


def test_the_end_of_a_run_ends_the_wait_for_a_turn() -> None:
    async def story() -> None:
        stop = asyncio.Event()
        async with serving(answers(response())) as server, Wire(stop) as line:
            api = line.api(settings(server.url, per_minute=3), headers)
            await api.request("GET", "/v2/x")
            waiting = asyncio.create_task(api.request("POST", "/v2/x", body=b"{}"))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            stop.set()
            with pytest.raises(ProviderError) as raised:
                await asyncio.wait_for(waiting, 1)
            assert raised.value.kind is Kind.TEMPORARY
            assert len(server.asked) == 1

    asyncio.run(story())


# ── results ──


async def fetched(line: Wire, url: str, *, local: bool = True) -> tuple[int, bytes]:
    async with line.stream(url, local=local) as download:
        return download.status, b"".join([piece async for piece in download.chunks()])


def test_a_result_is_asked_for_without_key_or_cookie_exactly_as_given() -> None:
    async def story() -> None:
        page = response(b"bytes", headers="Set-Cookie: a=b; Path=/\r\n")
        async with serving(answers(page)) as server, Wire() as line:
            await line.api(settings(server.url), headers).request("GET", "/v2/me")
            signed = "/a%2Fb~%7e/p.png?X-Sig=abc%2Fde%3D+%20&b=%C3%A9&a=1"
            for _ in range(2):
                assert await fetched(line, server.url + signed) == (200, b"bytes")
            _, first, second = server.asked
        assert first.line == second.line == f"GET {signed} HTTP/1.1"
        assert set(first.headers) == set(second.headers) == {"host", "user-agent", "accept", "accept-encoding"}
        assert KEY not in str(first)

    asyncio.run(story())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_result_that_leads_on_isnt_followed(status: int) -> None:
    async def story() -> None:
        async with serving(answers(response())) as elsewhere:
            async with (
                serving(answers(response(b"", f"{status} Go", f"Location: {elsewhere.url}/x\r\n"))) as server,
                Wire() as line,
            ):
                assert (await fetched(line, server.url + "/p.png"))[0] == status
            assert elsewhere.asked == []

    asyncio.run(story())


FORMS = [
    "file:///etc/passwd", "http://127.0.0.1:{port}/p", "https://127.0.0.1:{port}/p", "https://localhost:{port}/p", "https://LOCALHOST.:{port}/p",
    "https://[::1]:{port}/p", "https://[::ffff:127.0.0.1]:{port}/p", "https://[::ffff:7f00:1]:{port}/p", "https://2130706433:{port}/p",
    "https://0x7f000001:{port}/p", "https://0177.0.0.1:{port}/p", "https://127.1:{port}/p", "https://0:{port}/p", "https://0.0.0.0:{port}/p",
    "https://127。0。0。1:{port}/p", "https://①②⑦.0.0.1:{port}/p", "https://%31%32%37.0.0.1:{port}/p", "https://rebound.example:{port}/p",
    "https://both.example:{port}/p", "https://user@rebound.example:{port}/p", "https://10.0.0.1:{port}/p", "https://169.254.169.254:{port}/p",
    "https://192.168.0.1/p", "https://[fe80::1%25lo]:{port}/p", "https://[fd00::1]/p", "https://224.0.0.1/p", "https://example.com\\@127.0.0.1:{port}/p",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_an_address_that_isnt_public_is_refused(
    form: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever its spelling, and whatever its name says: no connection is made, and the address isn't told."""
    caplog.set_level(logging.DEBUG)
    names(monkeypatch, rebound_example="127.0.0.1", both_example=["127.0.0.1", "10.0.0.1"])

    async def story() -> ProviderError:
        async with serving(answers(response(b"secret"))) as server, Wire() as line:
            with pytest.raises(ProviderError) as raised:
                await fetched(line, form.format(port=server.port), local=False)
            assert server.connections == 0
            return raised.value

    error = asyncio.run(story())
    assert (error.kind, error.text) == (Kind.INVALID, NO_PICTURE)
    assert not any("127" in record.getMessage() for record in caplog.records if record.name != "asyncio")


@pytest.mark.parametrize(
    "form", ["file:///etc/passwd", "ftp://127.0.0.1:{port}/p", "http://user:word@127.0.0.1:{port}/p", "/p", ""]
)
def test_a_local_vendor_may_name_local_addresses_but_no_others_than_http(form: str) -> None:
    async def story() -> None:
        async with serving(answers(response(b"bytes"))) as server, Wire() as line:
            with pytest.raises(ProviderError, match=NO_PICTURE):
                await fetched(line, form.format(port=server.port))
            assert server.connections == 0
            for host in ("127.0.0.1", "localhost"):
                assert await fetched(line, f"http://{host}:{server.port}/p") == (200, b"bytes")

    asyncio.run(story())


def test_a_connection_to_a_local_vendor_isnt_lent_to_another_one() -> None:
    async def story() -> None:
        async with serving(answers(response(b"bytes"))) as server, Wire() as line:
            await fetched(line, server.url + "/p")
            with pytest.raises(ProviderError, match=NO_PICTURE):
                await fetched(line, server.url + "/p", local=False)
            assert len(server.asked) == 1

    asyncio.run(story())


def test_a_public_address_is_let_through() -> None:
    for family, address in ((socket.AF_INET, ("1.1.1.1", 443)), (socket.AF_INET6, ("2606:4700::1111", 443, 0, 0))):
        with contextlib.suppress(OSError), wire._public_socket((family, socket.SOCK_STREAM, 6, "", address)) as sock:
            assert sock.family is family
    with pytest.raises(OSError, match="not a public address"):
        wire._public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)))


@pytest.mark.parametrize("answering", [_close, _reset, _silent, _garbage, _half_a_body, _half_a_body_and_reset, _half_a_chunk])
def test_a_download_that_breaks(answering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_TIMEOUT", wire.aiohttp.ClientTimeout(total=None, connect=1, sock_connect=1, sock_read=0.2))

    async def story() -> ProviderError:
        async with serving(answering) as server, Wire() as line:
            with pytest.raises(ProviderError) as raised:
                await fetched(line, server.url + "/secret.png?sig=secret")
            return raised.value

    error = asyncio.run(story())
    assert error.kind is Kind.TEMPORARY
    assert error.text in (
        "the connection to 127.0.0.1 broke before the picture was complete",
        "the connection to 127.0.0.1 broke before its answer was complete",
        "127.0.0.1 was silent for too long, its answer didn't come",
        "127.0.0.1 answered with something that isn't HTTP",
    )
    say_nothing_secret(error)


def test_thirty_two_downloads_at_once() -> None:
    async def story() -> None:
        most = now = 0

        async def answering(_: Asked, writer: asyncio.StreamWriter) -> None:
            nonlocal most, now
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.02)
            now -= 1
            writer.write(response(b"bytes"))

        async with serving(answering, backlog=500) as server, Wire() as line:
            await asyncio.gather(*(fetched(line, server.url) for _ in range(100)))
        assert most == 32

    asyncio.run(story())


# ── proxies and certificates ──


@contextmanager
def certificate(folder: Path, *hosts: str) -> Iterator[ssl.SSLContext]:
    """A server's certificate for these names, signed by itself; the file is `folder/cert.pem`."""
    if which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    alternatives = ",".join(f"DNS:{host}" for host in hosts)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
         "-addext", f"subjectAltName={alternatives}", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    yield context


def test_a_certificate_that_isnt_trusted_and_then_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(context: ssl.SSLContext) -> None:
        async with serving(answers(response()), ssl=context) as server:
            url = f"https://localhost:{server.port}"
            error = await failing(url)
            assert error.kind is Kind.TEMPORARY
            assert error.text.startswith("can't reach localhost: its certificate isn't trusted (self")
            assert error.hint == "behind a company proxy, put its certificate into a file and name that in SSL_CERT_FILE"
            assert server.asked == [], "no key went there"
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
            async with calling(url) as api:
                assert (await api.request("GET", "/v2/x")).status == 200

    with certificate(tmp_path, "localhost") as context:
        asyncio.run(story(context))


async def _tunnel(asked: Asked, writer: asyncio.StreamWriter, port: int) -> None:
    """What a proxy does after CONNECT; one exchange's worth."""
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    reader = writer._protocol._stream_reader  # type: ignore[attr-defined]

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(65536):
                target.write(piece)
        target.close()

    await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))


def test_through_the_users_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vendor and CDN are asked through it; this machine never is; the proxy sees no key."""

    async def story(context: ssl.SSLContext) -> None:
        async with serving(answers(response(b"bytes")), ssl=context) as server, serving(answers(response(b"here"))) as here:

            async def answering(asked: Asked, writer: asyncio.StreamWriter) -> None:
                await _tunnel(asked, writer, server.port)

            async with serving(answering) as proxy:
                monkeypatch.setenv("HTTPS_PROXY", f"http://me:word@127.0.0.1:{proxy.port}")
                monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
                monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
                names(monkeypatch, cdn_example="1.1.1.1", home_example="10.0.0.1", unknown_example=None)
                async with Wire() as line:
                    answer = await line.api(settings("https://api.example"), headers).request("POST", "/v2/x", body=b"{}")
                    assert answer.body == b"bytes"
                    assert await fetched(line, "https://cdn.example/p.png", local=False) == (200, b"bytes")
                    assert await fetched(line, "https://unknown.example/p.png", local=False) == (200, b"bytes")
                    for refused in ("https://home.example/p.png", "https://10.0.0.1/p.png", "https://127.0.0.1/p.png"):
                        with pytest.raises(ProviderError, match=NO_PICTURE):
                            await fetched(line, refused, local=False)
                    assert (await line.api(settings(here.url), headers).request("GET", "/v2/x")).body == b"here"
                    assert await fetched(line, here.url) == (200, b"here")
            assert [asked.line for asked in proxy.asked] == [
                f"CONNECT {host}:443 HTTP/1.1" for host in ("api.example", "cdn.example", "unknown.example")
            ]
            assert all("x-api-key" not in asked.headers for asked in proxy.asked)
            assert all(asked.headers["proxy-authorization"].startswith("Basic ") for asked in proxy.asked)
            assert server.asked[0].headers["x-api-key"] == KEY
            assert "x-api-key" not in server.asked[1].headers

    with certificate(tmp_path, "api.example", "cdn.example", "unknown.example") as context:
        asyncio.run(story(context))


@pytest.mark.parametrize(
    ("answering", "text"),
    [
        (answers(response(b"", "407 Proxy Authentication Required")), "can't reach api.example: the proxy answered 407"),
        (_close, "can't reach api.example: no connection came about"),
    ],
)
def test_a_proxy_that_refuses(answering: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> ProviderError:
        async with serving(answering) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{proxy.port}")
            return await failing("https://api.example")

    error = asyncio.run(story())
    assert (error.kind, error.text) == (Kind.TEMPORARY, text)
    say_nothing_secret(error)


def test_a_proxy_that_isnt_there_or_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setenv("HTTPS_PROXY", (await _closed_port()).replace("http://", "http://me:secret@"))
        error = await failing("https://api.example")
        assert (error.kind, error.text) == (Kind.TEMPORARY, "can't reach api.example: the proxy can't be reached")
        say_nothing_secret(error)
        monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@127.0.0.1:1080")
        async with calling("https://api.example") as api:
            with pytest.raises(ProviderSetupError) as raised:
                await api.request("GET", "/v2/x")
        assert raised.value.text == "the proxy of HTTPS_PROXY isn't of a kind that can be used"
        assert raised.value.hint == "use one that begins with `http://`, or name `api.example` in NO_PROXY"
        monkeypatch.setenv("NO_PROXY", "api.example")
        names(monkeypatch, api_example=None)
        assert (await failing("https://api.example")).text == "can't reach api.example: its name isn't known here"

    asyncio.run(story())
