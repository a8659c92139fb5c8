"""A purchase that is killed: at every point of the write order, and at any moment. In the end every picture is there, and was paid for once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assetbuild.digest import sha256
from assetbuild.store import Store
from assetbuild.testing.space import Ran

from .emulating import emulator
from .hooking import posix
from .killing import Shop
from .test_scenarios import wait_for

pytestmark = posix

FULL = bool(os.environ.get("ASSETBUILD_FULL"))

SPEC = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2, aspect_ratio: "2:3"}
assets:
  poster:
    prompt: |
      A poster.
  poster-de:
    base: poster
    prompt: |
      Set the headline to "Langsam".
    then:
      - Make it bolder. Keep everything else exactly.
  story:
    set: 4
    prompt: |
      Four panels.
    output: "art/story-${member}.png"
  icon:
    takes: 3
    prompt: |
      An icon of a bean.
"""
TAKES = 7  # poster, two steps of poster-de, the set, three icons: in five jobs

# The order of writes, as DESIGN §5 tells it; whatever else is found on the way is a point too.
ORDER = [
    *(
        "claim",
        "Cas.put",
        "POST /v2/uploads",
        "commit of reserve",
        "POST /v2/images/generate",
        "commit of submitted",
        "GET /v2/jobs/ID",
    ),
    *("commit of ready", "fetch", "Cas.adopt", "commit of landed", "commit of done", "commit of record_in", "Cas.copy_out"),
    *("merge of the lock", "release"),
]


def points(folder: Path) -> list[str]:
    """Every point that a whole build passes, both sides of it."""
    with emulator() as apiframe:
        shop = Shop(folder, apiframe, SPEC)
        trace = folder / "trace"
        ran = shop.run("build", "--yes", KILL_TRACE=str(trace))
        assert ran.code == 0, ran.text
        shop.settled(TAKES)
        return trace.read_text().splitlines()


def sample(found: list[str]) -> list[str]:
    """All of them; or one side of each, the first or a later time, another one for each name."""
    if FULL:
        return found
    chosen: dict[str, list[str]] = {}
    for point in found:
        name = point.partition(" #")[0].partition(" ")[2]  # without its side
        chosen.setdefault(name, []).append(point)
    chance = random.Random(3)  # noqa: S311 - a sample
    return [chance.choice(some) for some in chosen.values()]


def build_to_the_end(shop: Shop) -> None:
    """`build --yes` as often as needed, at most three times; then there is nothing left to do, and the books agree."""
    for left in (2, 1, 0):
        ran = shop.run("build", "--yes")
        if ran.code == 0:
            break
        assert left, ran.text
    shop.settled(TAKES)
    bills = len(shop.apiframe.bills)
    assert "4 up to date" in shop.build().err
    assert len(shop.apiframe.bills) == bills


def survived(folder: Path, at: str) -> bool:
    """Killed there, then built to the end. False when the point wasn't met (what happens side by side isn't counted alike each time)."""
    with emulator() as apiframe:
        shop = Shop(folder, apiframe, SPEC)
        died = shop.run("build", "--yes", at=at)
        try:
            assert died.code in (-9, 0), died.text
            sent = {job["idempotency_key"] for job in shop.jobs()}
            assert {bill["idempotency_key"] for bill in apiframe.bills} <= sent, "a bill without an INTENT (invariant 3)"
            build_to_the_end(shop)
        except AssertionError as problem:
            raise AssertionError(f"killed {at}: {problem}") from problem
        shutil.rmtree(folder)
    return died.code == -9


def test_killed_at_each_point_of_the_write_order(tmp_path: Path) -> None:
    """Whatever a kill divides, the next build knows what to do, and nothing is paid for twice."""
    found = points(tmp_path / "whole")
    met = {point.partition(" #")[0] for point in found}
    assert {f"{side} {name}" for side in ("before", "after") for name in ORDER} <= met
    chosen = sample(found)
    with ThreadPoolExecutor(3) as several:
        died = list(several.map(survived, (tmp_path / str(n) for n in range(len(chosen))), chosen))
    assert sum(died) >= len(chosen) * 0.75, [point for point, one in zip(chosen, died, strict=True) if not one]


# ── at any moment ──

MOMENTS, LANES = (200, 4) if FULL else (12, 3)


def killed_at_random(folder: Path, seed: int, seconds: float) -> int:
    """Children of one project after another that are killed at moments nobody chose, at most `seconds` after their start; each project is built to its
    end. Gives how many were met alive.
    """
    chance, moments, died = random.Random(seed), MOMENTS // LANES, 0  # noqa: S311 - moments
    for number in range(moments):
        if died >= moments:
            break
        with emulator(latency="0.05-0.3", seed=seed + number) as apiframe:
            shop = Shop(folder / str(number), apiframe, SPEC)
            finished = False
            while died < moments and not finished:
                child = shop.space.start("build", "--yes", env=shop.env())
                time.sleep(chance.uniform(0, seconds))  # the moment itself: it waits for nothing
                os.killpg(child.pid, signal.SIGKILL)
                shop.said += child.communicate(timeout=60)
                finished = child.returncode == 0
                died += child.returncode == -signal.SIGKILL
                sent = {job["idempotency_key"] for job in shop.jobs()}
                assert {bill["idempotency_key"] for bill in apiframe.bills} <= sent, "a bill without an INTENT (invariant 3)"
            build_to_the_end(shop)
            shutil.rmtree(folder)
    return died


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """Again and again, until it comes through: bases, edits, a set, a chain and takes."""
    with emulator(latency="0.05-0.3") as apiframe:
        began = time.monotonic()
        Shop(tmp_path / "whole", apiframe, SPEC).build()
        seconds = time.monotonic() - began
    with ThreadPoolExecutor(LANES) as several:
        lanes = [several.submit(killed_at_random, tmp_path / str(n), 100 * n, seconds) for n in range(LANES)]
    assert sum(lane.result() for lane in lanes) >= MOMENTS // 2


# ── takes that are bought one by one, and takes bought again ──

ONE_BY_ONE = """\
version: 1
project: fika
defaults: {provider: apiframe, model: nano-banana}
providers: {apiframe: {prices: {nano-banana: 5}}}
assets:
  bean:
    takes: 3
    prompt: |
      A bean.
  bean-too:
    takes: 3
    prompt: |
      A bean.
"""


BETWEEN = [
    *("after POST /v2/images/generate #2", "after commit of reserve #2"),
    *("after commit of done #1", "after commit of submitted #3"),
]


@pytest.mark.parametrize("at", BETWEEN if FULL else BETWEEN[::2])
def test_killed_between_takes(tmp_path: Path, at: str) -> None:
    """A model that gives one picture a call: three calls for three takes, of two assets that are the same picture; never a fourth."""
    with emulator() as apiframe:
        shop = Shop(tmp_path, apiframe, ONE_BY_ONE)
        shop.killed(at)
        shop.build()
        shop.settled(3)
        assert len(apiframe.bills) == 3
        assert [job["take"] for job in shop.jobs()] == [1, 2, 3]
        assert "2 up to date" in shop.build().err


ONE = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2}
budget: {per_day: 0.10}
assets:
  poster:
    prompt: |
      A poster.
"""


def test_a_rebuy_that_may_not_be_made(tmp_path: Path) -> None:
    """`--rebuy` of what goes on at the vendor, and the budget says no: nothing was bought instead of it, so it is fetched like any other."""
    with emulator(faults=["stuck"]) as apiframe:
        shop = Shop(tmp_path, apiframe, ONE)
        shop.killed("after commit of submitted #1")
        assert "over the budget" in shop.build("--rebuy", "poster", code=5).err
        assert shop.states() == ["submitted"]
        for job in apiframe.jobs:
            job.faults = {}
        shop.build()
        shop.settled(1)


@pytest.mark.parametrize("at", ["before commit of reserve #1", "after commit of reserve #1"])
def test_a_rebuy_that_is_killed(tmp_path: Path, at: str) -> None:
    """The old job is given up in the moment in which the new one is written down."""
    with emulator(faults=["stuck"]) as apiframe:
        shop = Shop(tmp_path, apiframe, ONE.replace("0.10", "1"))
        shop.killed("after commit of submitted #1")
        shop.killed(at, "--rebuy", "poster")
        assert shop.states() == (["submitted"] if at.startswith("before") else ["in_doubt", "intent"])
        apiframe.no_faults()
        for job in apiframe.jobs:
            job.faults = {}
        shop.build()
        assert shop.run("resume").code == 0
        shop.settled(1 if at.startswith("before") else 2)


# ── a disk that is full from one moment on ──


FULL_MOMENTS = [
    ("before commit of submitted #1", ["intent"]),
    ("before commit of reserve #1", []),
    ("before commit of ready #1", ["submitted"]),
    ("before Cas.adopt #1", ["submitted"]),
    ("before commit of landed #1", ["submitted"]),
    ("before Cas.copy_out #1", ["done"]),
    ("before commit of done #1", ["submitted"]),
]


@pytest.mark.parametrize(("at", "state"), FULL_MOMENTS if FULL else FULL_MOMENTS[::3])
def test_the_disk_is_full(tmp_path: Path, at: str, state: list[str]) -> None:
    """What was sent is known, what was paid for stays at the vendor or in the store; with room, it is fetched and not bought again."""
    with emulator() as apiframe:
        shop = Shop(tmp_path, apiframe, ONE)
        failed = shop.run("build", "--yes", FULL_AT=at)
        assert failed.code == 1, failed.text
        assert "the disk is full" in failed.err
        assert shop.states() == state
        shop.build()
        assert len(apiframe.bills) == 1
        shop.settled(1)


@pytest.mark.parametrize(
    "at", ["after commit of reserve #1", "after POST /v2/images/generate #1", "after commit of submitted #1"]
)
def test_a_reroll_that_is_killed(tmp_path: Path, at: str) -> None:
    """Asked for again, it is the same one more take: what the vendor was asked for comes, and isn't bought beside it."""
    with emulator() as apiframe:
        shop = Shop(tmp_path, apiframe, ONE.replace("0.10", "1"))
        shop.build()
        apiframe.fault("stuck@1")
        died = shop.run("reroll", "poster", "--yes", at=at)
        assert died.code == -9, died.text
        before = shop.space.read("art/poster.png")
        apiframe.no_faults()
        ran = finishing(shop, lambda: shop.run("reroll", "poster", "--yes"))
        assert ran.code == 0, ran.text
        assert "fetched   poster" in ran.err
        assert len(apiframe.bills) == 2
        assert shop.space.read("art/poster.png") != before
        assert shop.space.lock()["poster"]["take"] == 2
        shop.settled(2)


def test_where_a_picture_will_lie_is_written_with_it_only_where_nothing_lies(tmp_path: Path) -> None:
    """Else the old picture must be in the store before: killed in between, the record still says what we put there."""
    spec = ONE.replace("0.10", "1")
    with emulator() as apiframe:
        shop = Shop(tmp_path, apiframe, spec)

        def written() -> str:
            with Store.open(shop.space.root / ".assetbuild" / "store") as store:
                return store.written(str(shop.space.root)).get("art/poster.png", "")

        env = apiframe.env()
        died = shop.space.run("build", "--yes", env={**env, "CRASH_AT": "assetbuild.placing.Placer.put_in_place:1"})
        assert died.code == 137
        first = written()
        assert first, "it is known as ours before it is there"
        shop.build()
        assert sha256(shop.space.read("art/poster.png")) == first
        shop.space.write(
            "assets.yaml", spec.replace("poster:\n    prompt: |\n      ", "poster:\n    prompt: |\n      Quite another ")
        )
        died = shop.space.run("build", "--yes", env={**env, "CRASH_AT": "assetbuild.placing.Placer.preserved:1"})
        assert died.code == 137
        assert written() == first
        shop.build()
        assert sha256(shop.space.read("art/poster.png")) == written() != first
        assert len(apiframe.bills) == 2


def finishing(shop: Shop, act: Callable[[], Ran]) -> Ran:
    """Does something, while the vendor finishes what was stuck as soon as it is looked at for the second time."""
    looks = len([path for _, path, _ in shop.apiframe.calls if path.startswith("/v2/jobs/")])

    def finish() -> None:
        wait_for(lambda: len([path for _, path, _ in shop.apiframe.calls if path.startswith("/v2/jobs/")]) > looks)
        for job in shop.apiframe.jobs:
            job.faults = {}

    with ThreadPoolExecutor(1) as beside:
        done = beside.submit(finish)
        ran = act()
        done.result()
    return ran
