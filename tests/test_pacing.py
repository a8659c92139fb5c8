"""How often a vendor is asked, and when not."""

from __future__ import annotations

import asyncio

import pytest

from assetbuild.pacing import Bucket
from assetbuild.providers.base import Kind, ProviderError, retry_after
from assetbuild.wire import Wire

from .wiring import answers, headers, response, serving, settings, virtually

pytestmark = pytest.mark.usefixtures("no_proxy")

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
