"""Where a result may be fetched from, and what it is told of us: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any

import pytest

from assetbuild import wire
from assetbuild.providers.base import Kind, ProviderError
from assetbuild.wire import NO_PICTURE, Wire

from .breaking import (
    close,
    cut_off,
    fetched,
    garbage,
    half_a_body,
    half_a_body_and_reset,
    half_a_chunk,
    names,
    say_nothing_secret,
    silent,
)
from .wiring import KEY, Asked, answers, headers, response, serving, settings

pytestmark = pytest.mark.usefixtures("no_proxy")

# ── results ──


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


@pytest.mark.parametrize("answering", [close, cut_off, silent, garbage, half_a_body, half_a_body_and_reset, half_a_chunk])
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
