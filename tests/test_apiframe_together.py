"""The provider against the emulator, over the real wire: every model is sent, polled and counted; what is lost on the way is found again."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild.providers import apiframe
from assetbuild.providers.base import Http, Kind, Pending, ProviderError, Ready, Sent, Submitted
from assetbuild.providers.table import builtin
from assetbuild.settings import settings
from assetbuild.spec.model import Service
from assetbuild.testing.emulator import Emulator
from assetbuild.wire import Wire

from .apiframing import picture, request, rows
from .emulating import emulator


def over(running: Emulator, call: Callable[[Http], Awaitable[Any]]) -> Any:
    """A call over the wire, with the emulator's key."""

    async def talk() -> Any:
        found = settings("apiframe", apiframe, Service(requests_per_minute=60000), running.env())
        async with Wire() as wire:
            return await call(wire.api(found, apiframe.headers))

    return asyncio.run(talk())


async def ended(remote: str, http: Http) -> Ready:
    for _ in range(200):
        found = await apiframe.poll(remote, http)
        if isinstance(found, Ready):
            return found
        assert isinstance(found, Pending)
        await asyncio.sleep(0.02)
    raise AssertionError("it never ends")


def png(path: Path) -> Path:
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(data, "PNG")
    path.write_bytes(data.getvalue())
    return path


def test_every_model(tmp_path: Path) -> None:
    """Each is accepted with an uploaded input where it takes one, and gives as many pictures as were asked for."""
    table, path = builtin(), png(tmp_path / "blob")

    async def all_of_them(http: Http) -> int:
        count = 0
        uploads = {}
        for number in range(2):
            given = await apiframe.upload(picture(number, path=path), http)
            assert given.expires_at > time.time() + 600
            uploads[f"{number:064x}"] = given.url
        for model, op in rows():
            inputs = (picture(0, "base", path),) if op != "generate" else ()
            changes = {"inputs": inputs} if inputs else {}
            asked = request(model, op, images=table.limits("apiframe", model, op)["takes"], **changes)
            asked = asked._replace(inputs=tuple(each._replace(path=path) for each in asked.inputs))
            assert apiframe.check(asked) == []
            sent = await apiframe.send(apiframe.prepare(asked, uploads), http, f"{model} {op}")
            assert isinstance(sent, Submitted)
            ready = await ended(sent.remote_id, http)
            assert not ready.expired
            assert (
                len(ready.urls) == asked.images or model == "midjourney"
            )  # it isn't told how many: always four, says the vendor
            assert ready.cost is not None
            count += 1
        return count

    with emulator(credits=100_000) as running:
        assert over(running, all_of_them) == len(running.bills) == len(list(rows()))
        assert not running.leaks


def test_a_mask(tmp_path: Path) -> None:
    path = png(tmp_path / "blob")

    async def edit(http: Http) -> Ready:
        inputs = (picture(0, "base", path), picture(1, "mask", path))
        uploads = {each.digest: (await apiframe.upload(each, http)).url for each in inputs}
        asked = request("flux-fill-pro", "edit")._replace(inputs=inputs, params={"seed": None, "output_format": "png"})
        return await ended((await apiframe.send(apiframe.prepare(asked, uploads), http, "k")).remote_id, http)

    with emulator() as running:
        assert len(over(running, edit).urls) == 1


def test_an_answer_that_never_came_is_found() -> None:
    """Accepted, and the connection cut: the job is found by what it was asked, and the same key gives the same job."""
    payload = apiframe.prepare(request(prompt="a fox"), {})

    async def lose(http: Http) -> None:
        since = time.time()
        other = await apiframe.send(payload, http, "first")
        running.fault("cut-after")
        with pytest.raises(ProviderError) as caught:
            await apiframe.send(payload, http, "second")
        assert caught.value.kind is Kind.UNKNOWN_OUTCOME
        running.no_faults()
        sent = Sent(payload, "gpt-image-2", since, frozenset({other.remote_id}))
        found = await apiframe.find(sent, http)
        assert found is not None
        assert found != other.remote_id
        assert await apiframe.send(payload, http, "second") == Submitted(found)
        assert {each[0] for each in await apiframe.jobs(http, since - 60)} == {found, other.remote_id}
        assert await apiframe.find(sent._replace(payload=apiframe.prepare(request(prompt="a cat"), {})), http) is None
        with pytest.raises(ProviderError) as caught:
            await apiframe.send(apiframe.prepare(request(prompt="a cat"), {}), http, "second")
        assert caught.value.kind is Kind.ACCEPTED_BEFORE

    with emulator() as running:
        over(running, lose)
        assert len(running.bills) == 2


def test_account_and_prices() -> None:
    async def look(http: Http) -> Any:
        return await apiframe.account(http), await apiframe.catalogue(http)

    with emulator(credits=812) as running:
        account, prices = over(running, look)
    assert account.balance == 812.0
    assert prices["gpt-image-2"] >= 23


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate-limit", Kind.RATE_LIMITED),
        ("rate-limit-date", Kind.RATE_LIMITED),
        ("unavailable", Kind.TEMPORARY),
        ("bad-gateway", Kind.UNKNOWN_OUTCOME),
        ("blocked", Kind.AUTH),
        ("conflict", Kind.ACCEPTED_BEFORE),
    ],
)
def test_faults_of_a_submit(fault: str, kind: Kind) -> None:
    with emulator(faults=(fault,)) as running, pytest.raises(ProviderError) as caught:
        over(running, lambda http: apiframe.send(apiframe.prepare(request(), {}), http, "k"))
    assert caught.value.kind is kind
    assert (caught.value.after is not None) == (kind is Kind.RATE_LIMITED)


@pytest.mark.parametrize(
    ("fault", "kind"), [("fail", Kind.FAILED), ("cancel", Kind.FAILED), ("refuse", Kind.REFUSED), ("lost", Kind.GONE)]
)
def test_faults_of_a_job(fault: str, kind: Kind) -> None:
    async def buy(http: Http) -> Ready:
        return await ended((await apiframe.send(apiframe.prepare(request(), {}), http, "k")).remote_id, http)

    with emulator(faults=(fault,)) as running:
        with pytest.raises(ProviderError) as caught:
            over(running, buy)
        assert caught.value.kind is kind
        assert caught.value.cost == (None if kind is Kind.GONE else 0.0)
