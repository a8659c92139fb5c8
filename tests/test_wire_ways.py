"""The ways out of this machine: certificates and proxies."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from assetbuild.errors import ProviderSetupError
from assetbuild.providers.base import Kind, ProviderError
from assetbuild.wire import NO_PICTURE, Wire

from .breaking import (
    calling,
    close,
    closed_port,
    failing,
    fetched,
    names,
    say_nothing_secret,
)
from .wiring import KEY, Asked, answers, headers, response, serving, settings

pytestmark = pytest.mark.usefixtures("no_proxy")

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
        (close, "can't reach api.example: no connection came about"),
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
        monkeypatch.setenv("HTTPS_PROXY", (await closed_port()).replace("http://", "http://me:secret@"))
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
