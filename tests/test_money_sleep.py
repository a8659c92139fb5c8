"""A laptop that sleeps for 25 hours in the middle of a purchase: what was accepted is looked for, and never asked for again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.testing.emulator import Emulator

from .hooking import hook, posix
from .killing import Shop
from .test_money_clock import ONE

pytestmark = posix


@pytest.fixture
def shop(tmp_path: Path, emulator: Emulator) -> Shop:
    """One poster, not bought yet."""
    return Shop(tmp_path, emulator, ONE)


# The lid is closed while the answer is on its way, in the moment named; 25 h later it is opened. The vendor's clock goes with ours.
LID = """
import os, time
_clock, _slept = time.time, []
time.time = lambda: _clock() + (90000 if _slept else 0)
def _sleep():
    import urllib.request
    if not _slept:
        _slept.append(True)
        where = os.environ["APIFRAME_BASE_URL"] + "/emulator/clock"
        urllib.request.urlopen(urllib.request.Request(where, b'{"advance": 90000}', method="POST")).read()
import assetbuild.providers.apiframe as _apiframe
_send, _tries = _apiframe.send, []
async def _sent(*args):
    _tries.append(1)
    try:
        return await _send(*args)
    finally:
        if len(_tries) == MOMENT:
            _sleep()
_apiframe.send = _sent
"""


# The same, while the second request waits for its turn at the vendor.
TURN = """
import assetbuild.wire as _wire
_turn = _wire.Bucket.turn
async def _turned(self):
    await _turn(self)
    if len(_tries) == 2:
        _sleep()
_wire.Bucket.turn = _turned
"""


@pytest.fixture
def lid(shop: Shop) -> Callable[[int], None]:
    """Closes the lid in the moment of the n-th answer."""
    return lambda moment: hook(shop.space, LID.replace("MOMENT", str(moment)))


@pytest.mark.parametrize(
    ("faults", "moment"),
    [
        (["cut-after@1"], 1),  # no answer came, and nobody was awake to ask again in time
        (["cut-after@1", "unavailable@2"], 2),  # asked again, "not now" for an answer, and then it slept
        (["cut-after@1", "rate-limit:1@2"], 2),
    ],
    ids=["unanswered", "unavailable", "rate-limited"],
)
def test_it_sleeps_before_it_asks_again(shop: Shop, lid: Callable[[int], None], faults: list[str], moment: int) -> None:
    """The vendor has forgotten the key by then: asking again would be a second bill. It is looked for."""
    lid(moment)
    for fault in faults:
        shop.apiframe.fault(f"submit/{fault}")
    held = shop.build(code=5)
    assert len(shop.apiframe.bills) == 1
    assert shop.posts() == moment
    assert shop.states() == ["expired"]
    assert "it was paid for and is lost" in held.err
    shop.clean()


def test_it_sleeps_while_it_waits_for_its_turn(shop: Shop, lid: Callable[[int], None]) -> None:
    """It was to be asked again in time, and others were before it; then it slept, with the request in hand."""
    lid(-1)
    hook(shop.space, TURN)
    shop.apiframe.fault("submit/cut-after@1")
    held = shop.build(code=5)
    assert shop.posts() == len(shop.apiframe.bills) == 1
    assert "it was paid for and is lost" in held.err
    assert shop.states() == ["expired"]


def test_it_sleeps_and_nothing_was_accepted(shop: Shop, lid: Callable[[int], None]) -> None:
    """Every answer said so: it may be sent whenever."""
    lid(1)
    shop.apiframe.fault("submit/unavailable@1")
    shop.build()
    shop.settled(1)


def test_it_sleeps_while_a_job_runs(shop: Shop, lid: Callable[[int], None]) -> None:
    """Accepted and written down: 25 hours later its picture is deleted, which is told; it costs what it cost."""
    lid(1)
    held = shop.build(code=5)
    assert "it was paid for and is lost" in held.err
    assert shop.states() == ["expired"]
    assert shop.jobs()[0]["cost"] == 90_000
    assert len(shop.apiframe.bills) == 1
    assert shop.run("build", "--yes").code == 5
    assert len(shop.apiframe.bills) == 1
    shop.clean()
