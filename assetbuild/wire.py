"""The one room that knows HTTP: connections, time limits, proxies, the rate at which a vendor is asked, and what a failure means for
money. Knows no vendor, no job and no retry; an answer of any status is an answer.

Two faces. `Wire.api` talks to a vendor's API, with the key, at the vendor's rate. `Wire.stream` fetches a result from wherever the
vendor's answer says, and trusts nothing about that address: no key, no cookie, no redirect, no address but a public one.

What a failure means hangs on one fact: could the request have left? `_Connector` notes the moment in which a connection is given
to a request. A failure before it is certainly not accepted; after it, a request that buys may have been. The exceptions themselves
don't tell: httpx-aiohttp makes a `ConnectTimeout` of a connection that broke after everything was sent.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import aiohttp
import certifi

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # its command line, which it can do without: rich and pygments, 80 ms
import httpx
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from . import __version__
from .errors import ProviderSetupError
from .hosts import Base, base, fetchable, loopback, public
from .pacing import Bucket
from .providers.base import Answer, Kind, ProviderError, retry_after
from .settings import Settings

EXCHANGES = 64  # with APIs, at once; httpx alone collapses above that, and no vendor wants more
DOWNLOADS = 32  # at once
CONNECT, REACH, READ, WHOLE = 10.0, 30.0, 60.0, 300.0  # seconds: one address, a connection, until bytes come, one exchange
ANSWER_MOST = 8 << 20  # bytes
OVERSLEPT = 1800.0  # seconds by the clock on the wall that a request may wait for its turn
BURST = 3  # a third of a minute's requests at once: 100 of 300
NO_PICTURE = "the provider's answer names an address that can't be a picture"
_HARMLESS = frozenset({"GET", "HEAD"})  # methods that buy nothing
_AGENT = f"assetbuild/{__version__}"


class _Attempt:
    """One exchange. `begun`: a connection was given to it, so bytes may have left. `refused`: an address it was led to isn't public."""

    __slots__ = ("begun", "refused")

    def __init__(self) -> None:
        self.begun = self.refused = False


_attempt: ContextVar[_Attempt | None] = ContextVar("_attempt", default=None)


class _Connector(aiohttp.TCPConnector):
    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        connection = await super().connect(req, traces, timeout)
        attempt = _attempt.get()
        if attempt is not None:
            attempt.begun = True
        return connection


def _public_socket(found: tuple[Any, ...]) -> socket.socket:
    """A socket for the very address that is going to be connected to: a name that led to a public address a moment ago may lead home now."""
    family, kind, protocol, _, address = found
    if not public(address[0]):
        attempt = _attempt.get()
        if attempt is not None:
            attempt.refused = True
        raise OSError("not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)


class Download:
    """A result on its way. `length` in bytes and `after`, how many seconds it is to be left alone, are None when the sender doesn't say."""

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        self._response, self.host = response, host
        self.status = response.status
        self.length = response.content_length
        self.after = retry_after({name.lower(): value for name, value in response.headers.items()})

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they come. Raises ProviderError (TEMPORARY) when they stop before the end."""
        failure = None
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except _FAILURES as error:
            failure = _failure(error, self.host, maybe=False, what="the picture")
        if failure is not None:
            raise failure


class Api:
    """One vendor's API: the contract's `Http`."""

    def __init__(self, wire: Wire, there: Base, headers: Mapping[str, str], per_minute: int) -> None:
        self._wire, self._there, self._headers = wire, there, headers
        self._bucket = Bucket(there.host, per_minute, max(1, per_minute // BURST), wire.stop)
        self.local = there.local

    def __repr__(self) -> str:
        """Without the key."""
        return f"Api({self._there.host})"

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        file: tuple[str, Path, str] | None = None,
    ) -> Answer:
        """One exchange, when it is its turn; see `providers.base.Http`. When the vendor says "not before" (429 or 503 with `Retry-After`), nobody
        asks this API before. Raises ProviderError: TEMPORARY when nothing was sent, or nothing that could buy; RATE_LIMITED while the vendor
        is to be left alone; else UNKNOWN_OUTCOME. Raises OSError when `file` can't be opened.
        """
        if not path.startswith("/"):
            raise ValueError("a path begins with `/`")
        asked_at = time.time()
        await self._bucket.turn()
        async with self._wire.exchanges:
            self._bucket.check()  # a pause may have come while we waited for a place
            if time.time() - asked_at > OVERSLEPT:  # who asks may not want it any more: a replay can come too late
                raise ProviderError(Kind.TEMPORARY, f"{self._there.host} wasn't asked in time; this machine may have slept")
            with ExitStack() as stack:
                all_headers = dict(self._headers) | dict(headers or {})
                parts: dict[str, Any] = {}
                if body is not None:
                    parts["content"] = body
                    all_headers.setdefault("content-type", "application/json")
                elif file is not None:
                    field, source, media = file
                    name = f"picture.{media.rpartition('/')[2]}"  # not the user's name for it
                    parts["files"] = {field: (name, stack.enter_context(open(source, "rb")), media)}
                url = self._there.url + path
                request = httpx.Request(method, url, params=params, headers=all_headers, extensions=_LIMITS, **parts)
                answer = await self._wire.exchange(request, self._there.host)
        if answer.status in _WAITS and (after := retry_after(answer.headers)) is not None:
            self._bucket.pause(after)
        return answer


class Wire:
    """All connections of a run, for all providers; `async with`, or `close` in the end. When `stop` is set, nobody waits for his turn any
    more; what is on its way goes on.
    """

    def __init__(self, stop: asyncio.Event | None = None) -> None:
        self.stop = stop
        self.exchanges = asyncio.Semaphore(EXCHANGES)
        self._downloads = asyncio.Semaphore(DOWNLOADS)
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}
        self._transports: dict[tuple[_Proxy | None, bool], AiohttpTransport] = {}
        self._context: ssl.SSLContext | None = None
        self._proxies = urllib.request.getproxies()

    async def __aenter__(self) -> Wire:
        """Itself."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close every connection."""
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

    def api(self, settings: Settings, headers: Callable[[str], Mapping[str, str]]) -> Api:
        """The API that these settings name; `headers` are the provider's, for its key. Raises ProviderSetupError for a base URL that can't be
        used, or a key with characters that no header can have.
        """
        if settings.base_url is None:
            raise ValueError(f"{settings.provider} has no base URL")
        there = base(settings.base_url)
        own = {"user-agent": _AGENT, "accept": "application/json", "accept-encoding": "identity"}
        if settings.key is not None:
            if not (settings.key.isascii() and settings.key.isprintable()):  # the libraries' own errors would print it
                raise ProviderSetupError(
                    f"{settings.key_variable} can't be a key: it holds a character that isn't plain ASCII",
                    hint="copy the key again, without quotes and line breaks",
                )
            own |= {name.lower(): value for name, value in headers(settings.key).items()}
        return Api(self, there, own, settings.per_minute)

    async def exchange(self, request: httpx.Request, host: str) -> Answer:
        """Send a request and read its whole answer. Raises ProviderError."""
        maybe = request.method not in _HARMLESS
        proxy = self._proxy(request.url.scheme, host)
        transport = self._transport(proxy, secure=_secure(request.url.scheme, proxy))
        failure = None
        with _attempting() as attempt:
            try:
                async with asyncio.timeout(WHOLE):
                    response = await transport.handle_async_request(request)
                    try:
                        content = await _whole(response, host, maybe=maybe)
                    finally:
                        await response.aclose()
                return Answer(response.status_code, {n.lower(): v for n, v in response.headers.items()}, content)
            except _FAILURES as error:
                failure = _failure(error, host, maybe=maybe and attempt.begun, begun=attempt.begun)
        raise failure  # here, so that no traceback shows the library's exception, which holds the address

    @asynccontextmanager
    async def stream(self, url: str, *, local: bool = False) -> AsyncIterator[Download]:
        """Fetch a result. `local`: the vendor is on this machine (`Api.local`), and so may be its results. Raises ProviderError: INVALID for an
        address that can't be a picture's, TEMPORARY when it can't be reached.
        """
        host = fetchable(url, local=local)
        address = _exactly(url) if host else None
        if host is None or address is None:
            raise ProviderError(Kind.INVALID, NO_PICTURE)
        proxy = self._proxy(address.scheme, host)
        if proxy is not None and not local and not await _leads_out(host):
            raise ProviderError(Kind.INVALID, NO_PICTURE)
        session = self._session(checked=not local and proxy is None, secure=_secure(address.scheme, proxy))
        failure: ProviderError | None = None
        async with self._downloads:
            with _attempting() as attempt:
                try:
                    response = await session.get(
                        address,
                        headers={"user-agent": _AGENT, "accept": "image/*", "accept-encoding": "identity"},
                        allow_redirects=False,
                        proxy=proxy.url if proxy else None,
                        proxy_headers=proxy.headers if proxy else None,
                        timeout=_TIMEOUT,
                    )
                except _FAILURES as error:
                    refused = not attempt.begun and (attempt.refused or isinstance(error, aiohttp.InvalidURL))
                    failure = _failure(error, host, maybe=False, begun=attempt.begun)
                    failure = ProviderError(Kind.INVALID, NO_PICTURE) if refused else failure
            if failure is not None:
                raise failure
            try:
                yield Download(response, host)
            finally:
                response.close()

    def _session(self, *, checked: bool, secure: bool) -> aiohttp.ClientSession:
        """Connections to whatever is asked for, or (`checked`) to public addresses only."""
        if (checked, secure) not in self._sessions:
            connector = _Connector(
                limit=0,  # the semaphores are the limit: nobody waits in the pool, where a time limit would count
                ssl=self._tls(secure=secure),
                resolver=aiohttp.ThreadedResolver(),  # the system's own: hosts files and company names count
                socket_factory=_public_socket if checked else None,
            )
            self._sessions[checked, secure] = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._sessions[checked, secure]

    def _transport(self, proxy: _Proxy | None, *, secure: bool) -> AiohttpTransport:
        if (proxy, secure) not in self._transports:
            through = None if proxy is None else httpx.Proxy(proxy.url, headers=proxy.headers)
            self._transports[proxy, secure] = AiohttpTransport(
                verify=self._tls(secure=secure), client=lambda: self._session(checked=False, secure=secure), proxy=through
            )
        return self._transports[proxy, secure]

    def _tls(self, *, secure: bool) -> ssl.SSLContext:
        """What certificates are trusted: SSL_CERT_FILE or SSL_CERT_DIR if set (OpenSSL's variables); else the system's, where companies put
        their own, and certifi's, for a Python without any. That takes 40 ms to read; connections that need no certificates (not `secure`) trust none.
        """
        if not secure:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._context is None:
            self._context = ssl.create_default_context()
            if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
                self._context.load_verify_locations(certifi.where())
        return self._context

    def _proxy(self, scheme: str, host: str) -> _Proxy | None:
        """The user's proxy for a host (HTTPS_PROXY, NO_PROXY, or the system's settings); never for this machine. Raises ProviderSetupError."""
        found = self._proxies.get(scheme) or self._proxies.get("all")
        if not found or loopback(host) or urllib.request.proxy_bypass(host):
            return None
        try:
            there = URL(found if "://" in found else f"http://{found}")
        except ValueError:
            there = URL()
        if there.scheme not in ("http", "https") or not there.host:
            raise ProviderSetupError(
                f"the proxy of {scheme.upper()}_PROXY isn't of a kind that can be used",
                hint=f"use one that begins with `http://`, or name `{host}` in NO_PROXY",
            )
        user = f"{there.user or ''}:{there.password or ''}" if there.user or there.password else None
        return _Proxy(str(there.with_user(None)), user)


class _Proxy(NamedTuple):
    """Where it is, and `user:password` if it wants one."""

    url: str
    user: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.user is None else {"proxy-authorization": f"Basic {b64encode(self.user.encode()).decode()}"}


def _secure(scheme: str, proxy: _Proxy | None) -> bool:
    """Whether certificates are looked at on the way."""
    return scheme == "https" or (proxy is not None and proxy.url.startswith("https:"))


_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=REACH, sock_connect=CONNECT, sock_read=READ)
_LIMITS = {"timeout": {"connect": CONNECT, "read": READ, "write": READ, "pool": REACH}}  # "pool" is aiohttp's `connect`
_WAITS = (429, 503)  # answers whose `Retry-After` is for everybody (RFC 6585, 4; RFC 9110, 15.6.4)
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, TimeoutError)


@contextmanager
def _attempting() -> Iterator[_Attempt]:
    attempt = _Attempt()
    token = _attempt.set(attempt)
    try:
        yield attempt
    finally:
        _attempt.reset(token)


async def _whole(response: httpx.Response, host: str, *, maybe: bool) -> bytes:
    pieces, size = [], 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > ANSWER_MOST:
            raise ProviderError(
                Kind.UNKNOWN_OUTCOME if maybe else Kind.TEMPORARY, f"the answer of {host} is larger than {ANSWER_MOST >> 20} MiB"
            )
        pieces.append(piece)
    return b"".join(pieces)


def _exactly(url: str) -> URL | None:
    """The address as the vendor gave it: a signed one doesn't survive a nicer spelling. None for what can't be asked for."""
    try:
        address = URL(url.strip(), encoded=url.isascii())
    except ValueError:
        return None
    return address if address.host and address.user is None and address.password is None else None


async def _leads_out(host: str) -> bool:
    """Whether a host isn't known here to be on this machine or a private network. Behind a proxy that is all we can look at: the connection
    is the proxy's, and names are often known to it only.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return True
    return all(public(str(address[0])) for *_, address in found)


def _failure(error: BaseException, host: str, *, maybe: bool, begun: bool = True, what: str = "its answer") -> ProviderError:
    """What to tell. `maybe`: it may have been accepted. Host names only: the libraries' own words hold addresses."""
    kind = Kind.UNKNOWN_OUTCOME if maybe else Kind.TEMPORARY
    chain = list(_chain(error))
    if not begun:
        text, hint = _unreached(chain)
        return ProviderError(kind, f"can't reach {host}: {text}", hint=hint)
    if any(isinstance(each, TimeoutError) for each in chain):
        return ProviderError(kind, f"{host} was silent for too long, {what} didn't come")
    if any(isinstance(each, aiohttp.ClientResponseError) for each in chain):
        return ProviderError(kind, f"{host} answered with something that isn't HTTP")
    return ProviderError(kind, f"the connection to {host} broke before {what} was complete")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _unreached(chain: list[BaseException]) -> tuple[str, str | None]:
    """Why no connection came about, and the way out if there is one."""
    for error in chain:
        match error:
            case aiohttp.ClientProxyConnectionError():
                return "the proxy can't be reached", "look at HTTPS_PROXY and NO_PROXY"
            case aiohttp.ClientHttpProxyError():
                return f"the proxy answered {error.status}", "look at HTTPS_PROXY and NO_PROXY"
            case aiohttp.ClientConnectorDNSError():
                return "its name isn't known here", "is this machine online?"
            case aiohttp.ClientConnectorCertificateError():
                why = getattr(error.certificate_error, "verify_message", "") or "it can't be verified"
                return (
                    f"its certificate isn't trusted ({why})",
                    "behind a company proxy, put its certificate into a file and name that in SSL_CERT_FILE",
                )
            case aiohttp.ClientSSLError():
                return "no secure connection came about", None
            case TimeoutError():
                return f"no connection within {CONNECT:.0f} s", "is this machine online?"
            case aiohttp.ClientConnectorError() if error.os_error.errno:
                return os.strerror(error.os_error.errno).lower(), None
    return "no connection came about", None
