"""Many jobs are looked at in few exchanges, and what a listing can't tell is asked for alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assetbuild.looking import FEW, Looks
from assetbuild.providers import apiframe
from assetbuild.providers.base import Answer, Kind, Pending, ProviderError, Ready
from assetbuild.testing.space import TestSpace

from .apiframing import Canned, said
from .emulating import emulator

DONE = Ready(("https://cdn.example/1.png",), 4.0)


class Vendor:
    """Jobs by id, as a listing tells them and as each is told alone."""

    def __init__(self, listed: Mapping[str, Ready | None] | ProviderError, alone: Pending | Ready = DONE) -> None:
        self.listed, self.alone = listed, alone
        self.listings: list[tuple[set[str], int]] = []
        self.asked: list[str] = []

    async def polls(self, open_: Collection[str], due: int, http: Any) -> Mapping[str, Ready | None]:
        self.listings.append((set(open_), due))
        if isinstance(self.listed, ProviderError):
            raise self.listed
        return self.listed

    async def poll(self, remote: str, http: Any) -> Pending | Ready:
        self.asked.append(remote)
        return self.alone


async def freely(call: Callable[[], Awaitable[Pending | Ready]], patience: float) -> Pending | Ready:
    return await call()


def looked(vendor: Vendor, ids: list[str], *, open_too: tuple[str, ...] = ()) -> list[Any]:
    """All of `ids` looked at together, while others are open as well."""

    async def story() -> list[Any]:
        looks = Looks(vendor, None, freely, asyncio.Event())
        with ExitStack() as stack:
            for remote in (*ids, *open_too):
                stack.enter_context(looks.watching(remote))
            return await asyncio.gather(*(looks.look(remote, 1.0) for remote in ids), return_exceptions=True)

    return asyncio.run(story())


def test_one_listing_for_all_that_are_due() -> None:
    ids = [f"j{n}" for n in range(20)]
    vendor = Vendor({remote: DONE for n, remote in enumerate(ids) if n % 2})
    assert looked(vendor, ids, open_too=("other",)) == [DONE if n % 2 else Pending() for n in range(20)]
    assert vendor.listings == [({*ids, "other"}, 20)]
    assert vendor.asked == []


def test_what_it_cant_tell_is_asked_for_alone() -> None:
    ids = [f"j{n}" for n in range(6)]
    vendor = Vendor(dict.fromkeys(ids[1:]), alone=DONE)
    assert looked(vendor, ids) == [Pending(), *[DONE] * 5]
    assert sorted(vendor.asked) == ids[1:]


def test_a_job_that_is_never_listed_is_asked_too_at_each_third_look() -> None:
    """It may have failed."""

    async def story() -> None:
        vendor = Vendor({}, alone=Pending(0.5))
        looks = Looks(vendor, None, freely, asyncio.Event())
        with ExitStack() as stack:
            for remote in "abcde":
                stack.enter_context(looks.watching(remote))
            for _ in range(6):
                await looks.look("a", 1.0)
        assert (len(vendor.listings), vendor.asked) == (6, ["a", "a"])

    asyncio.run(story())


def test_few_are_asked_for_alone() -> None:
    vendor = Vendor({})
    assert looked(vendor, [f"j{n}" for n in range(FEW)]) == [DONE] * FEW
    assert vendor.listings == []


def test_alone_is_alone() -> None:
    """A listing may know a job that is done and lack its pictures: the job itself is asked then."""

    async def story() -> None:
        vendor = Vendor({})
        looks = Looks(vendor, None, freely, asyncio.Event())
        with ExitStack() as stack:
            for remote in "abcde":
                stack.enter_context(looks.watching(remote))
            assert await looks.look("a", 1.0, alone=True) == DONE
        assert vendor.listings == []

    asyncio.run(story())


def test_silence_about_an_older_job_means_nothing() -> None:
    """It may have been done long ago, and hundreds since."""

    async def story() -> None:
        vendor = Vendor({}, alone=DONE)
        looks = Looks(vendor, None, freely, asyncio.Event())
        with ExitStack() as stack:
            for remote in "abcde":
                stack.enter_context(looks.watching(remote))
            assert await looks.look("a", 1.0, trust=False) == DONE
        assert vendor.asked == ["a"]

    asyncio.run(story())


def test_a_listing_that_breaks_leaves_nobody_waiting() -> None:
    class Broken(Vendor):
        async def polls(self, open_: Collection[str], due: int, http: Any) -> Mapping[str, Ready | None]:
            await asyncio.sleep(0.02)
            raise RuntimeError("a provider's own mistake")

    async def story() -> None:
        looks = Looks(Broken({}), None, freely, asyncio.Event())
        with ExitStack() as stack:
            for remote in "abcde":
                stack.enter_context(looks.watching(remote))
            first = asyncio.ensure_future(looks.look("a", 1.0))
            await asyncio.sleep(0.02)
            assert await asyncio.wait_for(asyncio.gather(first, looks.look("b", 1.0)), 5) == [DONE, DONE]

    asyncio.run(story())


@pytest.mark.parametrize(("kind", "listings"), [(Kind.TEMPORARY, 2), (Kind.RATE_LIMITED, 2), (Kind.AUTH, 1), (Kind.INVALID, 1)])
def test_a_listing_that_fails_costs_nobody_his_look(kind: Kind, listings: int) -> None:
    """What is temporary is tried again with the next looks, a vendor that won't list is never asked again."""
    vendor, ids = Vendor(ProviderError(kind, "no")), [f"j{n}" for n in range(5)]

    async def story() -> None:
        looks = Looks(vendor, None, freely, asyncio.Event())
        with ExitStack() as stack:
            for remote in ids:
                stack.enter_context(looks.watching(remote))
            for _ in range(2):
                assert await asyncio.gather(*(looks.look(remote, 1.0) for remote in ids)) == [DONE] * 5

    asyncio.run(story())
    assert len(vendor.listings) == listings
    assert len(vendor.asked) == 10


def test_news_of_a_job_that_isnt_due_reach_it_at_once() -> None:
    ids = [f"j{n}" for n in range(5)]
    vendor = Vendor({"sleeps": DONE})

    async def story() -> Any:
        looks = Looks(vendor, None, freely, asyncio.Event())
        with ExitStack() as stack:
            for remote in (*ids, "sleeps"):
                stack.enter_context(looks.watching(remote))
            resting = asyncio.ensure_future(looks.rest("sleeps", 60.0))
            await asyncio.gather(*(looks.look(remote, 1.0) for remote in ids))
            return await asyncio.wait_for(resting, 5)

    assert asyncio.run(story()) == DONE


def test_the_end_of_a_run_wakes_everybody() -> None:
    async def story() -> None:
        stop = asyncio.Event()
        looks = Looks(Vendor({}), None, freely, stop)
        with looks.watching("a"), looks.watching("b"):
            resting = [asyncio.ensure_future(looks.rest(one, 60.0)) for one in "ab"]
            await asyncio.sleep(0.01)
            stop.set()
            assert await asyncio.wait_for(asyncio.gather(*resting), 5) == [None, None]
            assert await asyncio.wait_for(looks.rest("a", 60.0), 5) is None

    asyncio.run(story())


# ── Apiframe's listing ──


def told(number: int, status: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    result = {"result": {"images": [f"https://cdn.example/{number}.png"]}} if status == "COMPLETED" else {}
    return {"id": f"j{number}", "status": status, "progress": 0, "error": None, "creditCost": 4, **result, **changes}


def listing(*jobs: dict[str, Any], cursor: str | None = None) -> Answer:
    return said(200, {"jobs": list(jobs), "nextCursor": cursor, "hasMore": cursor is not None})


def test_a_listing_tells_those_that_are_done() -> None:
    http = Canned(listing(told(0), told(4), told(9)))
    seen = asyncio.run(apiframe.polls(["j0", "j1", "j4"], 2, http))
    assert set(seen) == {"j0", "j4"}, "not j9, which isn't ours"
    assert isinstance(seen["j0"], Ready)
    assert seen["j0"].urls == ("https://cdn.example/0.png",)
    assert [asked[3] for asked in http.asked] == [{"limit": "100", "status": "COMPLETED"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "FAILED", "error": "flagged by moderation"},
        {"status": "CANCELLED"},
        {"status": "PROCESSING"},
        {"status": "A_LATER_WORD"},
        {"status": None},
        {"expired": True},
        {"result": None},
        {"result": {"images": []}},
    ],
)
def test_what_isnt_plainly_done_is_the_jobs_own_to_tell(changes: dict[str, Any]) -> None:
    """Also where a vendor's filter doesn't filter, and where results aren't in the list: the vendor's schema doesn't promise them there."""
    seen = asyncio.run(apiframe.polls(["j0", "j1"], 2, Canned(listing(told(0) | changes, told(1)))))
    assert seen["j0"] is None
    assert isinstance(seen["j1"], Ready)


def test_pages_are_turned_while_they_tell_of_ours() -> None:
    http = Canned(listing(told(0), cursor="more"), listing(told(1), told(2), cursor="more of it"))
    assert set(asyncio.run(apiframe.polls(["j0", "j1", "j2", "j3"], 3, http))) == {"j0", "j1", "j2"}
    assert [asked[3].get("cursor") for asked in http.asked] == [None, "more"]
    other = Canned(listing(told(8), cursor="a"))
    assert asyncio.run(apiframe.polls(["j0", "j1", "j2"], 3, other)) == {}, (
        "and not for ever: other people's jobs may stand there"
    )
    circle = Canned(*[listing(told(0), cursor="a")] * 2)
    assert set(asyncio.run(apiframe.polls(["j0", "j1", "j2"], 3, circle))) == {"j0"}, "a vendor may go round in circles"


def test_sixty_pictures_are_few_exchanges(tmp_path: Path) -> None:
    """Over a real socket: in all, far less than one look a job."""
    rows = "".join(f"  a{n}:\n    prompt: |\n      Poster {n}.\n" for n in range(60))
    with emulator(latency=1.0) as vendor:
        space = TestSpace(tmp_path)
        space.write(
            "assets.yaml",
            f"version: 1\nbudget: {{per_run: 100}}\nproviders: {{apiframe: {{concurrency: 60}}}}\ndefaults: {{provider: apiframe}}\nassets:\n{rows}",
        )
        ran = space.run("build", "--yes", env=vendor.env())
        assert ran.code == 0, ran.err
        assert len(vendor.bills) == 60
        looks = [path for method, path, *_ in vendor.calls if method == "GET" and path.startswith("/v2/jobs")]
        assert len(looks) <= 30
