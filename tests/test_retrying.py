"""What is tried again, when, and for how long, by a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from assetbuild.providers.base import Kind, ProviderError
from assetbuild.retrying import FREELY, POLL_PATIENCE, SUBMIT_PATIENCE, rest, retried, submit_again

from .wiring import virtually


class Called:
    """Fails with each of `problems` in turn, the last one for ever if `lasting`, then gives "done". `at` are the seconds of each call."""

    def __init__(self, *problems: ProviderError, lasting: bool = False) -> None:
        self.problems, self.lasting, self.at = list(problems), lasting, list[float]()

    async def __call__(self) -> str:
        self.at.append(asyncio.get_running_loop().time() - 1000)
        if self.problems:
            raise self.problems[0] if self.lasting and len(self.problems) == 1 else self.problems.pop(0)
        return "done"


def problem(kind: Kind, after: float | None = None) -> ProviderError:
    return ProviderError(kind, "can't reach api.example: connection refused", after=after, hint="look", cost=1.0)


def story(call: Callable[[], Awaitable[Any]], *, chance: float = 1.0, patience: float = POLL_PATIENCE, **options: Any) -> Any:
    async def run() -> Any:
        loop = asyncio.get_running_loop()
        return await retried(
            call, again=options.pop("again", FREELY), patience=patience, now=loop.time, random=lambda: chance, **options
        )

    return virtually(run())


def test_the_waits_double_up_to_half_a_minute() -> None:
    called = Called(*[problem(Kind.TEMPORARY)] * 9)
    assert story(called) == "done"
    waits = [after - before for before, after in zip(called.at, called.at[1:], strict=False)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_each_wait_is_a_random_part(chance: float) -> None:
    """Full jitter: a thousand jobs that failed together don't come back together."""
    called = Called(*[problem(Kind.UNKNOWN_OUTCOME)] * 3)
    story(called, chance=chance)
    assert called.at == [pytest.approx(chance * moment) for moment in (0, 0.5, 1.5, 3.5)]


@pytest.mark.parametrize(("chance", "moment"), [(0.0, 7.0), (1.0, 7.7)])
def test_not_before_what_the_vendor_said(chance: float, moment: float) -> None:
    called = Called(problem(Kind.RATE_LIMITED, after=7.0))
    assert story(called, chance=chance) == "done"
    assert called.at == [0, pytest.approx(moment)]


def test_a_long_wait_is_spread_over_a_second_only() -> None:
    called = Called(problem(Kind.RATE_LIMITED, after=300.0), problem(Kind.RATE_LIMITED))
    assert story(called) == "done"
    assert called.at == [0, 301, 302], "a limit without a time is like any other wait"


def test_patience_ends() -> None:
    called = Called(problem(Kind.TEMPORARY), lasting=True)
    with pytest.raises(ProviderError) as raised:
        story(called, patience=SUBMIT_PATIENCE)
    assert len(called.at) == 15
    assert raised.value.text == "can't reach api.example: connection refused (tried 15 times in 272 s)"
    assert str(raised.value) == raised.value.text
    assert (raised.value.kind, raised.value.hint, raised.value.cost) == (Kind.TEMPORARY, "look", 1.0)
    assert called.at[-1] <= 300


def test_the_last_failure_is_the_one_that_is_told() -> None:
    called = Called(problem(Kind.TEMPORARY), ProviderError(Kind.AUTH, "the key is wrong"))
    with pytest.raises(ProviderError, match=r"^the key is wrong$"):
        story(called)


def test_a_vendor_that_wants_more_patience_than_there_is() -> None:
    """Nobody waits in vain."""
    called = Called(problem(Kind.RATE_LIMITED, after=3600.0))
    with pytest.raises(ProviderError, match=r"refused$") as raised:
        story(called)
    assert called.at == [0]
    assert raised.value.after == 3600.0


@pytest.mark.parametrize("kind", sorted(set(Kind) - FREELY, key=lambda kind: kind.value))
def test_the_rest_is_final(kind: Kind) -> None:
    called = Called(problem(kind))
    with pytest.raises(ProviderError, match=r"refused$"):
        story(called)
    assert called.at == [0]


def test_another_error_isnt_ours() -> None:
    async def broken() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        story(broken)


def test_a_subclass_keeps_its_class() -> None:
    class Mine(ProviderError):
        def __init__(self) -> None:
            super().__init__(Kind.TEMPORARY, "mine")
            self.more = 7

    with pytest.raises(Mine) as raised:
        story(Called(Mine(), lasting=True), patience=3)
    assert raised.value.more == 7
    assert raised.value.text.startswith("mine (tried ")


@pytest.mark.parametrize(
    ("kind", "fresh", "replayable"),
    [
        (Kind.RATE_LIMITED, True, True),
        (Kind.TEMPORARY, True, True),
        (Kind.UNKNOWN_OUTCOME, False, True),
        (Kind.AUTH, False, False),
        (Kind.INVALID, False, False),
        (Kind.REFUSED, False, False),
        (Kind.NO_MONEY, False, False),
        (Kind.ACCEPTED_BEFORE, False, False),
        (Kind.FAILED, False, False),
        (Kind.GONE, False, False),
    ],
)
def test_when_a_submit_is_sent_again(kind: Kind, fresh: bool, replayable: bool) -> None:
    assert submit_again(kind, replayable=False) is fresh
    assert submit_again(kind, replayable=True) is replayable


def test_every_kind_has_its_row() -> None:
    assert len(Kind) == len(test_when_a_submit_is_sent_again.pytestmark[0].args[1])


def test_a_rule_may_change_while_it_is_tried() -> None:
    """The replay window ends in the middle."""
    called = Called(*[problem(Kind.UNKNOWN_OUTCOME)] * 5)
    with pytest.raises(ProviderError):
        story(called, again=lambda error: submit_again(error.kind, replayable=len(called.at) < 3))
    assert len(called.at) == 3


def test_the_end_of_the_run_ends_the_wait() -> None:
    async def run() -> tuple[list[float], float]:
        stop, called, loop = (
            asyncio.Event(),
            Called(problem(Kind.RATE_LIMITED, after=60.0), lasting=True),
            asyncio.get_running_loop(),
        )
        loop.call_later(5, stop.set)
        with pytest.raises(ProviderError, match=r"refused$"):
            await retried(called, again=FREELY, patience=600, stop=stop, now=loop.time, random=lambda: 1.0)
        ended = loop.time() - 1000
        with pytest.raises(ProviderError):  # and nothing begins to wait any more
            await retried(called, again=FREELY, patience=600, stop=stop, now=loop.time)
        assert loop.time() - 1000 == ended
        return called.at, ended

    assert virtually(run()) == ([0, 5], 5)


def test_rest() -> None:
    async def run() -> list[tuple[bool, float]]:
        stop, loop, told = asyncio.Event(), asyncio.get_running_loop(), list[tuple[bool, float]]()
        for seconds, flag in ((3.0, None), (3.0, stop), (0.0, stop)):
            began = loop.time()
            told.append((await rest(seconds, flag), loop.time() - began))
        stop.set()
        told.append((await rest(9.0, stop), 0))
        return told

    assert virtually(run()) == [(False, 3), (False, 3), (False, 0), (True, 0)]


def test_who_waits_is_told_why_and_how_long() -> None:
    heard: list[tuple[str, float]] = []
    story(
        Called(problem(Kind.TEMPORARY), problem(Kind.RATE_LIMITED, 9.0)), chance=0.5, told=lambda e, s: heard.append((e.text, s))
    )
    assert heard == [("can't reach api.example: connection refused", 0.25), ("can't reach api.example: connection refused", 9.45)]
