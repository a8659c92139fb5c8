"""Which host an address is on, and whether that is this machine, a private network or the public one. Knows addresses as text; asks no
name server and opens no connection.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from .errors import ProviderSetupError

LOOPBACK = "loopback"  # the name of this machine, whatever its address and port
PORTS = {"https": 443, "http": 80}
# Networks whose addresses carry an IPv4 address in their last four bytes: what they reach is that one (RFC 6052; RFC 4291, 2.5.5.1).
_CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Base(NamedTuple):
    """A base URL, taken apart. `host` is lower case, an IPv6 address without brackets; `url` has no slash at the end."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        return loopback(self.host)


def base(url: str) -> Base:
    """A base URL as the user wrote it. Raises ProviderSetupError for what isn't one, and for `http://` to another machine: a key isn't sent
    in the clear. The message names the host only; a URL may hold a password.
    """
    parts = _split(url)
    host = _host(parts) if parts is not None else ""
    if parts is None or parts.scheme not in PORTS or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise ProviderSetupError(
            "the `base_url` can't be used" if not host else f"the `base_url` to `{host}` can't be used",
            hint="write it like `https://api.example.com/v2`, without a password, `?` or `#`",
        )
    if parts.scheme == "http" and not loopback(host):
        raise ProviderSetupError(
            f"the `base_url` to `{host}` begins with `http://`: the API key would travel in the clear",
            hint="use `https://`; `http://` is for this machine only, like `http://127.0.0.1:8080`",
        )
    return Base(url.strip().rstrip("/"), parts.scheme, host, parts.port or PORTS[parts.scheme])


def is_local(base_url: str) -> bool:
    """Whether a base URL is on this machine. Raises ProviderSetupError."""
    return base(base_url).local


def host_of(base_url: str) -> str:
    """The name that results of this base URL are recorded with: `loopback`, else the host in lower case, with its port unless that is the
    usual one. Raises ProviderSetupError.
    """
    there = base(base_url)
    if there.local:
        return LOOPBACK
    host = f"[{there.host}]" if ":" in there.host else there.host
    return host if there.port == PORTS[there.scheme] else f"{host}:{there.port}"


def fetchable(url: str, *, local: bool) -> str | None:
    """The host of a result's address if one may be asked for it at all: https, no user or password in it. `http://` only when the vendor
    itself is on this machine (`local`). None: refuse it. Where the host's name leads to is checked when the connection is made.
    """
    parts = _split(url)
    if parts is None or any(c in parts.netloc for c in "@%") or "\\" in url:
        return None
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        return None
    host = _host(parts)
    return host if host and (local or not loopback(host)) else None


@lru_cache(maxsize=256)
def loopback(host: str) -> bool:
    """Whether a host is this machine by its very name: `localhost`, 127.0.0.0/8, ::1."""
    if host.rstrip(".").lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and _reached(address).is_loopback


def public(address: str) -> bool:
    """Whether an IP address is one of the public network: not this machine's, a private network's, a link's, a group's or a reserved one;
    for an IPv6 address that carries an IPv4 one, that one counts. False for what is no IP address.
    """
    found = _address(address)
    if found is None:
        return False
    found = _reached(found)
    if isinstance(found, ipaddress.IPv6Address) and found.is_site_local:
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_loopback or found.is_link_local or found.is_unspecified
    )


def _split(url: str) -> SplitResult | None:
    if not (text := url.strip()).isprintable() or any(c.isspace() for c in text):
        return None
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises for what is no port
    except ValueError:
        return None
    return parts


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    address = _address(host)
    return host if address is None else str(address)


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])  # a zone (`fe80::1%eth0`) is a way, not another host
    except ValueError:
        return None


def _reached(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _CARRIERS) and int(address) > 1:  # :: and ::1 are themselves
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
