"""^C and SIGTERM while pictures are being bought: what goes on at the vendor is named, exit 130, the next build fetches it, no bill is added."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from assetbuild.build import ONE_PRESS
from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import Ran

from .hooking import posix
from .killing import Shop
from .saying import Story, plain
from .test_scenarios import wait_for

pytestmark = posix

SPEC = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2}
assets:
  poster:
    prompt: |
      A poster.
  poster-de:
    base: poster
    prompt: |
      Set the headline to "Langsam".
"""
FULL = bool(os.environ.get("ASSETBUILD_FULL"))
BOTH = pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
INT = pytest.mark.parametrize("sign", [signal.SIGINT, *([signal.SIGTERM] if FULL else [])])  # the other one by turns
TERM = pytest.mark.parametrize("sign", [signal.SIGTERM, *([signal.SIGINT] if FULL else [])])


@pytest.fixture
def shop(tmp_path: Path, emulator: Emulator) -> Shop:
    """A poster and an edit of it, not bought yet."""
    return Shop(tmp_path, emulator, SPEC)


def answered(shop: Shop, method: str, begin: str, count: int = 1) -> None:
    """Until the vendor has answered so many such requests."""
    wait_for(lambda: sum(m == method and path.startswith(begin) for m, path, _ in shop.apiframe.calls) >= count)


def asked(shop: Shop, *args: str) -> subprocess.Popen[str]:
    """A command that goes on."""
    return shop.space.start(*args, env=shop.env())


def pressed(shop: Shop, child: subprocess.Popen[str], sign: int, *, again: int | None = None, code: int = 130) -> Ran:
    """Sends a signal, and perhaps another one a while later; gives how it ended."""
    os.kill(child.pid, sign)
    heard = ""
    if again is not None:
        assert child.stderr is not None
        while "stopping" not in heard:
            line = child.stderr.readline()
            assert line, heard
            heard += line
        time.sleep(ONE_PRESS + 0.1)  # sooner it is the same press
        os.kill(child.pid, again)
    out, err = child.communicate(timeout=60)
    shop.said += [out, heard + err]
    assert child.returncode == code, heard + err
    assert "Traceback" not in heard + err
    return Ran(child.returncode, out, heard + err)


def told(shop: Shop, name: str, said: str) -> None:
    """Held to a golden file."""
    story = Story(shop.space, name)
    story.told.append(re.sub(r"in <time>|tried \d+ times in \d+ s", "<…>", plain(said, shop.space)))
    story.check()


def fetched_next(shop: Shop, bills: int) -> None:
    """The next build brings what was paid for, and buys only what was never asked for."""
    assert len(shop.apiframe.bills) == bills
    shop.apiframe.no_faults()
    for job in shop.apiframe.jobs:
        job.faults = {}
    shop.build()
    assert len(shop.apiframe.bills) == 2
    shop.settled(2)


# ── while it is sent ──


@BOTH
def test_while_it_is_sent(shop: Shop, sign: int) -> None:
    """The answer is waited for and its id written down; nothing new is sent."""
    shop.apiframe.fault("submit/slow:1")
    child = asked(shop, "build", "--yes")
    wait_for(lambda: len(shop.apiframe.bills) == 1)
    ran = pressed(shop, child, sign)
    told(shop, "money-interrupted-sending", ran.err)
    assert shop.states() == ["submitted"]
    fetched_next(shop, 1)


@TERM
def test_while_it_is_sent_and_again(shop: Shop, sign: int) -> None:
    """Nobody waits for the answer: it may have been accepted, so it is named; the next build asks again for the same job."""
    shop.apiframe.fault("submit/slow:60")
    child = asked(shop, "build", "--yes")
    wait_for(lambda: len(shop.apiframe.bills) == 1)
    ran = pressed(shop, child, sign, again=sign)
    told(shop, "money-interrupted-sending-twice", ran.err)
    assert shop.states() == ["intent"]
    fetched_next(shop, 1)


def test_while_it_is_sent_again_in_vain(shop: Shop) -> None:
    """It was cut off once and may have been accepted; then ^C: named as what may go on, and asked for by the next build."""
    shop.apiframe.fault("submit/cut-after@1")
    shop.apiframe.fault("submit/rate-limit:60@2+")
    child = asked(shop, "build", "--yes")
    answered(shop, "POST", "/v2/images/", 2)
    ran = pressed(shop, child, signal.SIGINT)
    told(shop, "money-interrupted-in-doubt", ran.err)
    assert shop.states() == ["intent"]
    fetched_next(shop, 1)


# ── while the vendor makes it ──


@INT
@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
def test_while_it_is_made(shop: Shop, sign: int, twice: bool) -> None:
    """It isn't waited for: it goes on and is paid for."""
    shop.apiframe.fault("stuck")
    child = asked(shop, "build", "--yes")
    answered(shop, "GET", "/v2/jobs/")
    ran = pressed(shop, child, sign)
    told(shop, "money-interrupted-polling", ran.err)
    assert shop.states() == ["submitted"]
    if twice:  # and the next build too
        child = asked(shop, "build", "--yes")
        answered(shop, "GET", "/v2/jobs/", 3)
        pressed(shop, child, sign)
        assert shop.states() == ["submitted"]
    fetched_next(shop, 1)


def test_while_the_vendor_is_to_be_left_alone(shop: Shop) -> None:
    """Polls are refused for a minute: the wait ends at once."""
    shop.apiframe.fault("poll/rate-limit:60")
    child = asked(shop, "build", "--yes")
    answered(shop, "GET", "/v2/jobs/")
    ran = pressed(shop, child, signal.SIGINT)
    assert "this goes on and is paid for: `poster`" in ran.err
    assert shop.states() == ["submitted"]
    fetched_next(shop, 1)


@TERM
def test_while_nothing_was_accepted(shop: Shop, sign: int) -> None:
    """429 for an answer: nothing goes on, nothing is owed, and the next build sends it anew."""
    shop.apiframe.fault("submit/rate-limit:60")
    child = asked(shop, "build", "--yes")
    answered(shop, "POST", "/v2/images/")
    ran = pressed(shop, child, sign)
    told(shop, "money-interrupted-refused", ran.err)
    assert [(job["state"], job["cost"]) for job in shop.jobs()] == [("failed", 0)]
    shop.apiframe.no_faults()
    shop.build()
    assert len(shop.apiframe.bills) == 2
    assert shop.apiframe.spent == 18
    assert len({job["idempotency_key"] for job in shop.jobs()}) == 3
    shop.clean()


def test_while_nothing_was_accepted_and_again(shop: Shop) -> None:
    """The second one comes while the first is still being obeyed: a request that waits for its turn is left as it is, and asked for again."""
    shop.apiframe.fault("submit/rate-limit:60")
    child = asked(shop, "build", "--yes")
    answered(shop, "POST", "/v2/images/")
    os.kill(child.pid, signal.SIGINT)
    os.kill(child.pid, signal.SIGTERM)  # one press that comes as two
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    shop.apiframe.no_faults()
    shop.build()
    assert len(shop.apiframe.bills) == 2
    shop.said += [out, err]
    shop.clean()


# ── while it is fetched ──


@INT
def test_while_it_is_fetched(shop: Shop, sign: int) -> None:
    """What is on its way comes and is put in its place."""
    shop.apiframe.fault("slow-body:1")
    child = asked(shop, "build", "--yes")
    wait_for(lambda: shop.jobs() and shop.jobs()[0]["ready_at"] is not None)
    ran = pressed(shop, child, sign)
    told(shop, "money-interrupted-fetching", ran.err)
    assert shop.states() == ["done"]
    assert list(shop.space.lock()) == ["poster"]
    fetched_next(shop, 1)


@TERM
def test_while_it_is_fetched_and_again(shop: Shop, sign: int) -> None:
    """Nobody waits: it is named, and fetched by the next build. No half of it is left anywhere but in the store's own folder."""
    shop.apiframe.fault("slow-body:60")
    child = asked(shop, "build", "--yes")
    wait_for(lambda: shop.jobs() and shop.jobs()[0]["ready_at"] is not None)
    ran = pressed(shop, child, sign, again=sign)
    told(shop, "money-interrupted-fetching-twice", ran.err)
    assert shop.states() == ["submitted"]
    assert not (shop.space.root / "art").exists()
    fetched_next(shop, 1)


def test_while_the_picture_isnt_there_yet(shop: Shop) -> None:
    """The CDN says "not now" again and again: that isn't waited for."""
    shop.apiframe.fault("download/unavailable")
    child = asked(shop, "build", "--yes")
    answered(shop, "GET", "/r/")
    ran = pressed(shop, child, signal.SIGINT)
    assert "this goes on and is paid for: `poster`" in ran.err
    assert shop.states() == ["submitted"]
    fetched_next(shop, 1)


# ── while others' are fetched ──


@BOTH
def test_resume_is_interrupted(shop: Shop, sign: int) -> None:
    """`resume` waits for what goes on; ^C ends that, and names it."""
    shop.apiframe.fault("stuck")
    shop.killed("after commit of submitted #1")
    child = asked(shop, "resume")
    answered(shop, "GET", "/v2/jobs/")
    ran = pressed(shop, child, sign)
    told(shop, "money-interrupted-resume", ran.err)
    assert shop.states() == ["submitted"]
    fetched_next(shop, 1)


@INT
def test_the_first_look_of_a_build_is_interrupted(shop: Shop, sign: int) -> None:
    """Before anything is decided, paid pictures are fetched: ^C there begins nothing."""
    shop.killed("after commit of submitted #1")
    shop.apiframe.fault("slow-body:1")
    child = asked(shop, "build", "--yes")
    wait_for(lambda: shop.jobs()[0]["ready_at"] is not None)
    ran = pressed(shop, child, sign)
    told(shop, "money-interrupted-first-look", ran.err)
    assert shop.states() == ["done"]
    assert shop.posts() == 1
    fetched_next(shop, 1)


def test_the_first_look_is_interrupted_again(shop: Shop) -> None:
    """Nothing is waited for then; it stays paid for, and is fetched by the next build."""
    shop.killed("after commit of submitted #1")
    shop.apiframe.fault("slow-body:60")
    child = asked(shop, "build", "--yes")
    wait_for(lambda: shop.jobs()[0]["ready_at"] is not None)
    pressed(shop, child, signal.SIGINT, again=signal.SIGTERM)
    assert shop.states() == ["submitted"]
    fetched_next(shop, 1)
