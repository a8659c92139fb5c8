"""Who may ask what of the page's server. Pure: decides from texts.

A page on another site can send requests here from the same browser, also under a name of its own that leads to 127.0.0.1 (DNS rebinding). So the name
that was asked for has to be ours, whatever changes something has to come from our own page, and has to carry the token that only that page was given.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

TOKEN = "X-Assetbuild-Token"  # noqa: S105 - the name of a header
NAMES = ("127.0.0.1", "localhost", "[::1]")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def refusal(method: str, headers: Mapping[str, str], port: int, token: str) -> str:
    """Why a request isn't answered; "" if it is. `headers` finds names in any case."""
    hosts = {f"{name}:{port}" for name in NAMES}
    if headers.get("Host", "") not in hosts:
        return "this server answers only to 127.0.0.1"
    site = headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        return "another site may not ask"
    origin = headers.get("Origin")
    if origin is not None and origin not in {f"http://{host}" for host in hosts}:
        return "another site may not ask"
    if method in ("GET", "HEAD"):
        return ""
    if origin is None:
        return "only the page itself may ask for this"
    given = headers.get(TOKEN, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        return "this page has no right to change anything: open it with the address that the terminal shows"
    return ""
