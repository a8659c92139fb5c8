"""The page's server over real sockets: who may ask, what is told, and that nothing but the pictures it names leaves the project."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild.review import guard
from assetbuild.review.server import Served, difference

from .reviewing import FakeRoom, card, priced
from .watching import wait_for

DIGEST = "a" * 64
HOSTILE = "b" * 64


@pytest.fixture
def room(tmp_path: Path) -> FakeRoom:
    Image.new("RGB", (900, 600), "tomato").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    return FakeRoom([card("poster", **priced(90_000)), card("cup")], {DIGEST: tmp_path / "a.png", HOSTILE: tmp_path / "b.png"})


@pytest.fixture
def served(room: FakeRoom, tmp_path: Path) -> Iterator[Served]:
    one = Served(room, tmp_path / "cache")
    yield one
    one.close()


def ask(served: Served, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """A request with exactly these headers; `_` in a name is `-`."""
    wire = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    wire.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    sent = {"Host": f"127.0.0.1:{served.port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body is not None:
        sent["Content-Length"] = str(len(body))
    for name, value in sent.items():
        wire.putheader(name, value)
    wire.endheaders(body.encode() if body is not None else None)
    answer = wire.getresponse()
    content = answer.read()
    wire.close()
    return answer.status, content, dict(answer.getheaders())


def post(served: Served, path: str = "/do/buy", body: str = "{}", **headers: str) -> int:
    right = {"Origin": f"http://127.0.0.1:{served.port}", guard.TOKEN: served.token}
    return ask(served, "POST", path, body, **{**{k.replace("-", "_"): v for k, v in right.items()}, **headers})[0]


def test_only_our_own_names_are_answered(served: Served) -> None:
    for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1", f"127.0.0.1:{served.port + 1}", ""):
        assert ask(served, "GET", "/state", Host=host)[0] == 403, host
    assert ask(served, "GET", "/state", Host=f"localhost:{served.port}")[0] == 200


def test_other_sites_may_not_read(served: Served) -> None:
    assert ask(served, "GET", "/state", Origin="http://evil.example")[0] == 403
    assert ask(served, "GET", "/state", Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(served, "GET", f"/picture/{DIGEST}", Sec_Fetch_Site="same-site")[0] == 403


def test_what_changes_something_needs_origin_and_token(served: Served, room: FakeRoom) -> None:
    assert post(served) == 200
    assert room.acts == [("buy", {})]
    assert post(served, X_Assetbuild_Token="") == 403
    assert post(served, X_Assetbuild_Token="é" * 40) == 403
    assert post(served, X_Assetbuild_Token=served.token[:-1]) == 403
    assert post(served, Origin="http://evil.example") == 403
    assert post(served, Origin="null") == 403
    assert ask(served, "POST", "/do/buy", "{}", X_Assetbuild_Token=served.token)[0] == 403
    assert ask(served, "GET", "/do/buy", X_Assetbuild_Token=served.token)[0] == 405
    assert len(room.acts) == 1


def test_odd_requests_change_nothing(served: Served, room: FakeRoom) -> None:
    assert post(served, body="[1]") == 400
    assert post(served, body="{" * 5000) == 400
    assert post(served, body="x" * 200_000) in (400, 413)
    assert room.acts == []


@pytest.mark.parametrize(
    "path",
    [
        "/picture/../../etc/passwd",
        "/picture/%2e%2e%2fassets.yaml",
        f"/picture/{'c' * 64}",
        "/thumb/x",
        "/page/index.html",
        "/../guard.py",
    ],
)
def test_nothing_but_the_pictures_that_are_named_is_given_out(served: Served, path: str) -> None:
    status, content, _ = ask(served, "GET", path)
    assert status == 404
    assert b"import" not in content


def test_pictures_and_thumbs(served: Served, room: FakeRoom) -> None:
    status, content, headers = ask(served, "GET", f"/picture/{DIGEST}")
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert content == room.pictures[DIGEST].read_bytes()
    assert "immutable" in headers["Cache-Control"]
    status, content, headers = ask(served, "GET", f"/thumb/{DIGEST}?s=320")
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    assert len(content) < 5000
    room.pictures[DIGEST].unlink()
    assert ask(served, "GET", f"/thumb/{DIGEST}?s=320")[:2] == (200, content)  # kept


def test_what_is_no_picture_is_given_out_as_none(served: Served) -> None:
    assert ask(served, "GET", f"/picture/{HOSTILE}")[0] == 415
    assert ask(served, "GET", f"/thumb/{HOSTILE}")[0] == 415


def test_every_answer_forbids_what_a_page_must_not_do(served: Served) -> None:
    for path in ("/", "/page.js", "/state", "/nowhere", f"/thumb/{DIGEST}"):
        headers = ask(served, "GET", path)[2]
        assert "script-src 'self'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert b"<script src" in ask(served, "GET", "/")[1]
    assert b"style=" not in ask(served, "GET", "/")[1]


def lines(served: Served, found: list[dict[str, Any]]) -> http.client.HTTPConnection:
    wire = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    wire.request("GET", "/events")
    answer = wire.getresponse()

    def read() -> None:
        kind = ""
        with contextlib.suppress(AttributeError, OSError, ValueError):  # it was closed while it was read
            listen(kind)

    def listen(kind: str) -> None:
        while line := answer.readline():
            if line.startswith(b"event: "):
                kind = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                found.append({"kind": kind, **json.loads(line[6:])})

    threading.Thread(target=read, daemon=True).start()
    return wire


def _hang_up(wire: http.client.HTTPConnection) -> None:
    """Ends a connection that another thread reads from."""
    with contextlib.suppress(OSError, AttributeError):
        wire.sock.shutdown(socket.SHUT_RDWR)
    wire.close()


def test_what_has_changed_is_told_and_nothing_else(served: Served, room: FakeRoom) -> None:
    found: list[dict[str, Any]] = []
    wire = lines(served, found)
    wait_for(lambda: len(found) == 1, "everything")
    assert [one["id"] for one in found[0]["assets"]] == ["poster", "cup"]
    room.change(cup={"reason": "prompt changed"})
    wait_for(lambda: len(found) == 2, "news")
    assert found[1]["kind"] == "news"
    assert list(found[1]["cards"]) == ["cup"]
    assert "money" not in found[1]
    _hang_up(wire)


def test_it_ends_with_listeners_and_leaves_nothing(room: FakeRoom, tmp_path: Path) -> None:
    before = threading.active_count()
    one = Served(room, tmp_path / "cache")
    found: list[dict[str, Any]] = []
    wire = lines(one, found)
    wait_for(lambda: len(found) == 1, "everything")
    ask(one, "GET", f"/thumb/{DIGEST}")
    one.close()
    _hang_up(wire)
    wait_for(lambda: threading.active_count() <= before, "threads of a page that was closed")


def test_differences_are_cards_order_and_the_rest() -> None:
    old = {"rev": 1, "money": 1, "assets": [card("a"), card("b")]}
    assert difference(old, {**old, "rev": 2}) is None
    assert difference(old, {**old, "rev": 2, "money": 2}) == {"rev": 2, "money": 2}
    told = difference(old, {"rev": 2, "money": 1, "assets": [card("b"), card("c")]})
    assert told == {"rev": 2, "cards": {"a": None, "c": card("c")}, "order": ["b", "c"]}
