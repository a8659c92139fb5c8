"""Many builds at once, of one spec, of two trees with one store, under one budget: each picture is paid for once, and never a micro-dollar too much."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from itertools import zip_longest
from pathlib import Path

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import Ran, TestSpace

from .emulating import emulator as running
from .hooking import hook, posix
from .killing import CREDIT, POINTS, Shop, balanced, no_secrets, rows
from .test_money_kills import SPEC, TAKES
from .test_scenarios import wait_for

pytestmark = posix

MANY = 8
FULL = bool(os.environ.get("ASSETBUILD_FULL"))


def numbered(count: int, head: str = "", first: int = 0) -> str:
    """A spec of so many posters at $0.09."""
    some = "".join(f"  a{n}:\n    prompt: |\n      Number {n}.\n" for n in range(first, first + count))
    return f"version: 1\nproject: fika\ndefaults: {{provider: apiframe, model: gpt-image-2}}\n{head}assets:\n{some}"


def ended(children: list[subprocess.Popen[str]]) -> list[Ran]:
    """All of them, to their end."""
    told = [child.communicate(timeout=300) for child in children]
    runs = [Ran(child.returncode, *texts) for child, texts in zip(children, told, strict=True)]
    for ran in runs:
        assert "a bug of assetbuild" not in ran.text, ran.text  # ^C in the first milliseconds is Python's to tell
    return runs


# ── one spec ──


def test_eight_builds_of_one_spec(tmp_path: Path) -> None:
    """Bases, edits, a set, a chain and takes: each is bought by one of them, and all of them end well."""
    with running(latency="0.05-0.2") as apiframe:
        shop = Shop(tmp_path, apiframe, SPEC)
        runs = ended([shop.space.start("build", "--yes", env=shop.env()) for _ in range(MANY)])
        assert [ran.code for ran in runs] == [0] * MANY, "\n".join(ran.text for ran in runs)
        shop.said += [ran.text for ran in runs]
        assert len(apiframe.bills) == 5
        shop.settled(TAKES)
        assert "4 up to date" in shop.build().err


def test_eight_builds_of_which_some_die(tmp_path: Path) -> None:
    """The others take over what the dead ones had begun, and don't pay for it again."""
    chance = random.Random(5)  # noqa: S311 - moments
    with running(latency="0.05-0.3", seed=5) as apiframe:
        shop = Shop(tmp_path, apiframe, SPEC)
        points = ["after commit of reserve", "after POST /v2/images/generate", "after commit of submitted", "after fetch"]
        children = [
            shop.space.start("build", "--yes", env=shop.env(f"{point} #{chance.randint(1, 2)}"))
            for point in (chance.choice(points) for _ in range(MANY - 2))
        ]
        children += [shop.space.start("build", "--yes", env=shop.env()) for _ in range(2)]
        runs = ended(children)
        assert [ran.code for ran in runs[-2:]] == [0, 0], "\n".join(ran.text for ran in runs)
        assert {ran.code for ran in runs} <= {0, -signal.SIGKILL}
        shop.build()
        assert len(apiframe.bills) == 5
        shop.settled(TAKES)


def test_a_build_that_waits_takes_over_from_one_that_dies(tmp_path: Path) -> None:
    """It waits for the other's claim, sees it freed by the death, and goes on with the other's job."""
    with running(faults=["stuck"]) as apiframe:
        shop = Shop(tmp_path, apiframe, numbered(1))
        first = shop.space.start("build", "--yes", env=shop.env())
        wait_for(lambda: shop.states() == ["submitted"])
        second = shop.space.start("build", "--yes", env=shop.env())
        assert second.stderr is not None
        assert "a0" in next(line for line in second.stderr if "another run" in line or "already" in line)
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
        for job in apiframe.jobs:
            job.faults = {}
        assert ended([second])[0].code == 0
        assert len(apiframe.bills) == 1
        shop.settled(1)


# ── one store ──


def worktrees(space: TestSpace) -> tuple[Path, Path]:
    """The project in git, and a worktree of it: they share the store in the git folder."""
    space.git("init", "-q")
    space.git("add", "assets.yaml")
    space.git("commit", "-qm", "spec")
    other = space.folder / "worktree"
    space.git("worktree", "add", "-q", str(other))
    return space.root, other


@pytest.mark.parametrize(
    ("kind", "same"), [("worktrees", True), ("clones", False), *([("worktrees", False), ("clones", True)] if FULL else [])]
)
def test_two_trees_share_a_store(tmp_path: Path, kind: str, same: bool) -> None:
    """What one of them buys, the other has; both end with their own files and lines, also when they build at once."""
    with running(latency="0.05-0.2") as apiframe:
        space = TestSpace(tmp_path)
        hook(space, POINTS)
        space.write("assets.yaml", numbered(4))
        one, two = worktrees(space)
        env = apiframe.env()
        store = one / ".git" / "assetbuild" / "v1"
        if kind == "clones":
            two = tmp_path / "clone"
            space.git("clone", "-q", str(one), str(two))
            store = tmp_path / "shared-store"
            env["ASSETBUILD_STORE"] = str(store)
        if not same:
            (two / "assets.yaml").write_text(numbered(4, first=2))
        runs = ended([space.start("build", "--yes", env=env, cwd=tree) for tree in (one, two)])
        assert [ran.code for ran in runs] == [0, 0], "\n".join(ran.text for ran in runs)
        count = 4 if same else 6
        balanced(store, apiframe, count)
        assert len(apiframe.bills) == count
        shared = [f"art/a{n}.png" for n in (range(4) if same else (2, 3))]
        assert all((one / path).read_bytes() == (two / path).read_bytes() for path in shared)
        for tree in (one, two):
            assert len((tree / "assets.lock").read_text().splitlines()) >= 4
            assert "4 up to date" in space.run("build", env=env, cwd=tree).err
        no_secrets(apiframe, tmp_path, *(ran.text for ran in runs))


def test_a_tree_fetches_what_the_other_left_behind(tmp_path: Path) -> None:
    """Killed in one worktree; the next build in the other one collects the job, whether it wants the picture or not."""
    with running() as apiframe:
        space = TestSpace(tmp_path)
        hook(space, POINTS)
        space.write("assets.yaml", numbered(1))
        one, two = worktrees(space)
        died = space.run("build", "--yes", env={**apiframe.env(), "KILL_AT": "after commit of submitted #1"})
        assert died.code == -9
        (two / "assets.yaml").write_text(numbered(1, first=7))
        ran = space.run("build", "--yes", env=apiframe.env(), cwd=two)
        assert ran.code == 0, ran.text
        assert "fetched   a0: paid for by an earlier run" in ran.err
        assert "restored" in space.run("build", env=apiframe.env(), cwd=one).err
        balanced(one / ".git/assetbuild/v1", apiframe, 2)


# ── one budget ──

FIVE = 5 * 9 * CREDIT


# Everybody plans, and is agreed with, before anybody buys: only the reservation can say no then.
GATE = """
import os, time
if os.environ.get("GATE"):
    import assetbuild.cli.consenting as _consenting
    _agree = _consenting.agree
    def _agreed(*args, **kwargs):
        given = _agree(*args, **kwargs)
        open(os.environ["GATE"] + f"/{os.getpid()}", "w").close()
        while not os.path.exists(os.environ["GATE"] + "/go"):
            time.sleep(0.01)
        return given
    _consenting.agree = _agreed
"""


def together(shop: Shop, commands: list[tuple[str | None, list[str]]]) -> list[Ran]:
    """Builds that all have their plan before the first of them buys: where each dies, if it does, and what it is asked for."""
    gate = shop.space.folder / "gate"
    gate.mkdir()
    hook(shop.space, GATE)
    children = [shop.space.start("build", *args, env=shop.env(at, GATE=str(gate))) for at, args in commands]
    wait_for(lambda: len(list(gate.iterdir())) == len(commands), 60)
    (gate / "go").touch()
    return ended(children)


def over_time(shop: Shop) -> int:
    """The most that the journal ever counted: no row is ever taken back, so it is what it counts now."""
    jobs = rows(shop.store, "SELECT * FROM jobs")
    return sum(job["reserved"] if job["cost"] is None else job["cost"] for job in jobs)


@pytest.mark.parametrize("dies", [False, True], ids=["all live", "some die"])
def test_eight_builds_and_a_budget_for_five(tmp_path: Path, dies: bool) -> None:
    """`per_day` is one for all of them: five of twenty are bought, whoever asks, and whoever dies."""
    with running(latency="0.02-0.1") as apiframe:
        shop = Shop(tmp_path, apiframe, numbered(20, "budget: {per_day: 0.49}\n"))
        at = ["after commit of reserve #1", "after POST /v2/images/generate #1", "after commit of submitted #1"] if dies else []
        wanted = [
            ["--yes", *(f"a{n}" for n in range(first, 20, MANY))] for first in range(MANY)
        ]  # each plan fits, all of them don't
        runs = together(shop, list(zip_longest(at, wanted)))
        assert {ran.code for ran in runs} <= {0, 5, -signal.SIGKILL}, "\n".join(ran.text for ran in runs)
        assert 5 in {ran.code for ran in runs}
        assert over_time(shop) == FIVE, "a reservation that outlives its run counts too"
        shop.build(code=5)
        assert len(apiframe.bills) == 5
        assert apiframe.spent * CREDIT == FIVE == over_time(shop)
        assert set(shop.states()) == {"done"}
        held = shop.build(code=5)
        assert "over the budget of $0.49 for 24 hours: $0.09 is needed, $0.04 is left" in held.err
        assert "5 up to date, 15 waiting for you" in held.err
        assert len(apiframe.bills) == 5
        shop.clean()


def test_max_cost_is_each_builds_own(tmp_path: Path) -> None:
    """Eight builds that may spend $0.20 each: two pictures each, never a third, sixteen in all."""
    with running(latency="0.02-0.1") as apiframe:
        shop = Shop(tmp_path, apiframe, numbered(20))
        runs = together(shop, [(None, ["--max-cost", "0.20"])] * MANY)
        assert {ran.code for ran in runs} <= {0, 5}, "\n".join(ran.text for ran in runs)
        spent: dict[str, int] = {}
        for job in shop.jobs():
            spent[job["run"]] = spent.get(job["run"], 0) + job["cost"]
        assert max(spent.values()) <= 200_000
        assert len(spent) <= MANY
        assert len(apiframe.bills) == len(shop.jobs()) <= 2 * MANY
        assert set(shop.states()) == {"done"}
        balanced(shop.store, apiframe, len(apiframe.bills))
        shop.clean()


def test_two_projects_have_two_budgets_in_one_store(tmp_path: Path, emulator: Emulator) -> None:
    """A day's budget is one project's, though the store knows both; a picture that both want is paid for by one."""
    env = {**emulator.env(), "ASSETBUILD_STORE": str(tmp_path / "shared-store")}
    spaces = []
    for name, first in (("one", 0), ("two", 2)):
        space = TestSpace(tmp_path / name)
        hook(space, POINTS)
        space.write("assets.yaml", numbered(3, "budget: {per_day: 0.18}\n", first).replace("fika", name))
        spaces.append(space)
    runs = ended([space.start("build", "--yes", env=env) for space in spaces])
    assert {ran.code for ran in runs} <= {0, 5}, "\n".join(ran.text for ran in runs)
    jobs = rows(tmp_path / "shared-store", "SELECT * FROM jobs")
    for name in ("one", "two"):
        assert sum(job["cost"] for job in jobs if job["project"] == name) <= 180_000
    assert len(emulator.bills) == len(jobs) == len({job["key"] for job in jobs}) == 4


# ── everything at once ──

STORM = [
    *("submit/cut-after@15%", "submit/cut-before@10%", "submit/bad-gateway-after@10%", "submit/conflict-after@8%"),
    *("submit/unavailable@10%", "submit/rate-limit:0@10%", "poll/cut-before@10%", "poll/bad-gateway@10%", "list/unavailable@20%"),
    *("upload/cut-after@15%", "me/unavailable@20%", "truncated@15%", "cut-body@10%", "download/unavailable@10%"),
]


@pytest.mark.parametrize("seed", range(1, 41 if FULL else 2))
def test_a_storm(tmp_path: Path, seed: int) -> None:
    """Several builds at once over a line that breaks all the time, killed and interrupted, and again: five bills, seven takes."""
    chance = random.Random(seed)  # noqa: S311 - moments
    with running(latency="0.02-0.3", seed=seed, faults=STORM) as apiframe:
        shop = Shop(tmp_path, apiframe, SPEC)
        for _ in range(6 if FULL else 2):
            commands = [chance.choice([["build", "--yes"], ["build", "--yes"], ["resume"]]) for _ in range(chance.randint(1, 3))]
            children = [shop.space.start(*command, env=shop.env()) for command in commands]
            for child in children:
                if chance.random() < 0.6:
                    time.sleep(chance.uniform(0, 1.2))  # the moment itself: it waits for nothing
                    os.killpg(child.pid, chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM]))
            shop.said += [ran.text for ran in ended(children)]
        apiframe.no_faults()
        for left in (2, 1, 0):
            ran = shop.run("build", "--yes")
            if ran.code == 0:
                break
            assert left, ran.text
        done = [job for job in shop.jobs() if job["state"] == "done"]
        assert {job["state"] for job in shop.jobs()} <= {"done", "failed"}  # failed: ^C while nothing was accepted
        assert sorted(bill["job"] for bill in apiframe.bills) == sorted(job["remote_id"] for job in done)
        assert len(done) == 5
        assert sum(job["count"] for job in done) == TAKES
        assert sum(job["cost"] for job in shop.jobs()) == apiframe.spent * CREDIT
        shop.clean()
