"""What was paid for and doesn't come as it should: every way in which a picture can arrive wrong, met by a whole build. One bill, whatever happens."""

from __future__ import annotations

import time

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace

from .emulating import emulator as slow
from .faulting import IMPATIENT, Told, asset, bills_of, holds, journal, locked, spec, states, three
from .hooking import hook

# As if the vendor weren't on this machine.
FAR = "\nimport assetbuild.fetching\nassetbuild.fetching.is_local = lambda url: False\n"


def fetches(emulator: Emulator) -> int:
    """How often a picture was asked for."""
    return sum(path.startswith("/r/") for _, path, _ in emulator.calls)


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        ("truncated", 3), ("garbage", 3), ("html-picture", 3), ("bomb", 3), ("cut-body", 3), ("oversized", 3), ("redirect", 1),
    ],
)  # fmt: skip
def test_a_picture_that_comes_damaged(space: TestSpace, emulator: Emulator, fault: str, times: int) -> None:
    """It is fetched again, then fails with the job kept, and stops only what hangs on it; the next build fetches it. No second bill."""
    hook(space, IMPATIENT)
    tale = Told(space, emulator, f"download-{fault}")
    space.write("assets.yaml", three(f"{fault}@1-{times}"))
    tale.build(code=1)
    assert states(space, "poster") == [(1, 0, "submitted")]
    assert locked(space) == {"cup"}
    assert fetches(emulator) == times + 1
    holds(space, emulator)
    assert not list((space.root / ".assetbuild").rglob("*.tmp"))
    tale.build()
    assert states(space, "poster") == [(1, 0, "done")]
    assert locked(space) == {"poster", "poster-de", "cup"}
    assert len(emulator.bills) == 3
    assert fetches(emulator) == times + 3
    holds(space, emulator)
    tale.check()


@pytest.mark.parametrize("fault", ["file-url", "private-url"])
def test_an_address_that_cant_be_a_pictures(space: TestSpace, emulator: Emulator, fault: str) -> None:
    """Nobody goes there; the job is kept, and told once in each run."""
    hook(space, FAR)
    tale = Told(space, emulator, f"download-{fault}")
    space.write("assets.yaml", spec(asset("poster", f"A poster. [fault:{fault}@1]"), asset("de", "German.", "base: poster")))
    tale.build(code=1)
    tale.build(code=1)
    assert states(space, "poster") == [(1, 0, "submitted")]
    assert locked(space) == set()
    assert len(emulator.bills) == 1
    assert fetches(emulator) == 0
    tale.build("--rebuy", "poster", code=1)  # this one's address is right, but on this machine
    assert states(space, "poster") == [(1, 0, "in_doubt"), (2, 0, "submitted")]
    holds(space, emulator)
    tale.check()


def test_a_picture_that_was_deleted(space: TestSpace, emulator: Emulator) -> None:
    """The vendor says so itself: booked, waits for a person, and is bought again when told."""
    tale = Told(space, emulator, "expired")
    space.write("assets.yaml", three("expired@1"))
    tale.build(code=5)
    assert states(space, "poster") == [(1, 0, "expired")]
    assert [row.cost for row in journal(space) if row.asset == "poster"] == [40_000]
    assert locked(space) == {"cup"}
    tale.build(code=5)
    tale.run("plan")
    assert len(bills_of(emulator, "A poster.")) == 1
    holds(space, emulator)
    tale.build("--rebuy", "poster")
    assert states(space, "poster") == [(1, 0, "expired"), (2, 0, "done")]
    holds(space, emulator)
    tale.check()


def test_a_picture_that_isnt_there_yet(space: TestSpace, emulator: Emulator) -> None:
    """404 at the CDN while the vendor says that it is there: it isn't given up, and fetched as soon as it is."""
    hook(space, IMPATIENT)
    tale = Told(space, emulator, "download-404")
    space.write("assets.yaml", three("truncated@1-3"))
    tale.build(code=1)
    held = dict(emulator.vendor.results)
    emulator.vendor.results.clear()
    tale.note("the CDN has lost it")
    tale.build(code=1)
    assert states(space, "poster") == [(1, 0, "submitted")]
    emulator.vendor.results.update(held)
    tale.note("and has it again")
    tale.build()
    assert states(space, "poster") == [(1, 0, "done")]
    assert len(emulator.bills) == 3
    holds(space, emulator)
    tale.check()


def test_a_day_later(space: TestSpace, emulator: Emulator) -> None:
    """What came damaged and wasn't fetched for a day is gone."""
    tale = Told(space, emulator, "expired-later")
    space.write("assets.yaml", three("truncated@1-3"))
    tale.build(code=1)
    emulator.advance(25 * 3600)
    tale.build(code=5)
    assert states(space, "poster") == [(1, 0, "expired")]
    assert len(emulator.bills) == 2
    holds(space, emulator)
    tale.check()


def test_another_format(space: TestSpace, emulator: Emulator) -> None:
    """It is recorded and waits for a person; `use` takes it as it is, free."""
    tale = Told(space, emulator, "other-format")
    space.write("assets.yaml", three("wrong-format@1"))
    tale.build(code=5)
    assert states(space, "poster") == [(1, 0, "done")]
    assert locked(space) == {"cup"}
    tale.build(code=5)
    tale.run("takes", "poster")
    tale.run("use", "poster", "1")
    assert space.read("art/poster.png")[8:12] == b"WEBP"
    tale.build()
    assert locked(space) == {"poster", "poster-de", "cup"}
    assert len(emulator.bills) == 3
    holds(space, emulator)
    tale.check()


def test_another_format_bought_again(space: TestSpace, emulator: Emulator) -> None:
    """When told."""
    space.write("assets.yaml", three("wrong-format@1"))
    space.build("--yes", env=emulator.env(), code=5)
    space.build("--yes", "--rebuy", "poster", env=emulator.env())
    assert states(space, "poster") == [(1, 0, "done"), (2, 0, "done")]
    assert space.read("art/poster.png").startswith(b"\x89PNG")
    holds(space, emulator)


SET = asset("story", "Three panels. [fault:{}]", "set: [a, b, c]", 'output: "art/story-${{member}}.png"')


def test_a_set_with_a_gap(space: TestSpace, emulator: Emulator) -> None:
    """Paid, two of three came: recorded as it is, waits, isn't bought again unasked."""
    tale = Told(space, emulator, "set-gap")
    space.write("assets.yaml", spec(SET.format("fewer@1"), asset("cup", "A cup.")))
    tale.build(code=5)
    assert states(space, "story") == [(1, 0, "done")]
    assert locked(space) == {"cup"}
    assert not (space.root / "art/story-a.png").exists()
    tale.build(code=5)
    tale.run("takes", "story")
    tale.run("use", "story", "1", code=2)
    assert len(bills_of(emulator, "Three panels.")) == 1
    holds(space, emulator)
    tale.build("--rebuy", "story")
    assert states(space, "story") == [(1, 0, "done"), (2, 0, "done")]
    holds(space, emulator)
    tale.check()


def test_a_set_that_comes_in_parts(space: TestSpace, emulator: Emulator) -> None:
    """What has landed isn't fetched again; the rest is, by the next build."""
    tale = Told(space, emulator, "set-in-parts")
    space.write("assets.yaml", spec(SET.format("truncated@2-7")))
    tale.build(code=1)
    assert fetches(emulator) == 7
    assert states(space, "story") == [(1, 0, "submitted")]
    assert not locked(space)
    tale.build()
    assert fetches(emulator) == 9
    assert len(emulator.bills) == 1
    assert locked(space) == {"story"}
    holds(space, emulator)
    tale.check()


def test_fewer_takes_than_asked(space: TestSpace, emulator: Emulator) -> None:
    """Two of three: there is something to choose from, and the third isn't bought unasked."""
    tale = Told(space, emulator, "fewer-takes")
    space.write("assets.yaml", spec(asset("poster", "A poster. [fault:fewer@1]", "takes: 3"), asset("cup", "A cup.")))
    tale.build()
    assert len(emulator.bills) == 2
    tale.build()
    tale.run("takes", "poster")
    assert len(emulator.bills) == 2
    assert locked(space) == {"poster", "cup"}
    holds(space, emulator)
    tale.check()


def test_no_picture_at_all(space: TestSpace, emulator: Emulator) -> None:
    """Done, and nothing came: the vendor is asked again, as long as it keeps what it made."""
    tale = Told(space, emulator, "no-picture")
    space.write("assets.yaml", three("fewer@1"))
    tale.build(code=1)
    assert states(space, "poster") == [(1, 0, "submitted")]
    tale.build(code=1)
    assert len(bills_of(emulator, "A poster.")) == 1
    holds(space, emulator)
    tale.check()


def test_the_vendor_is_gone_while_it_is_made(space: TestSpace, emulator: Emulator) -> None:
    """Accepted, then no answer to any look: it is told that it is paid for, other work goes on, and the next build fetches it."""
    tale = Told(space, emulator, "polls-fail")
    space.write("assets.yaml", spec(asset("sketch", "A sketch.", "provider: comp"), asset("poster", "A poster.")))
    emulator.fault("poll/cut-before")
    tale.build(code=1, ASSETBUILD_PATIENCE="1")
    assert states(space, "poster") == [(1, 0, "submitted")]
    assert locked(space) == {"sketch"}
    tale.build(code=1, ASSETBUILD_PATIENCE="1")
    emulator.no_faults()
    tale.build()
    assert len(emulator.bills) == 1
    holds(space, emulator)
    tale.check()


# A listing that knows of each job only the first picture, and is asked even for one job.
SHORT = """
import assetbuild.looking, assetbuild.providers.apiframe as vendor
assetbuild.looking.FEW = 0
from assetbuild.providers.base import Ready
_polls = vendor.polls
async def polls(open_, due, http):
    seen = await _polls(open_, due, http)
    return {key: one._replace(urls=one.urls[:1]) if isinstance(one, Ready) else one for key, one in seen.items()}
vendor.polls = polls
"""


def test_a_listing_that_lacks_pictures(space: TestSpace, emulator: Emulator) -> None:
    """The job itself is asked before anything is recorded as "paid, 1 of 4 came"."""
    hook(space, SHORT)
    rows = [asset(f"set{n}", f"Story {n}.", "set: [a, b, c, d]", f'output: "art/{n}-${{member}}.png"') for n in range(5)]
    space.write("assets.yaml", spec(*rows))
    ran = space.run("build", "--yes", env=emulator.env())
    assert ran.code == 0, ran.err
    assert len(list((space.root / "art").iterdir())) == 20
    assert {row.note for row in journal(space)} == {None}
    assert any(path.partition("?")[0] == "/v2/jobs" for _, path, _ in emulator.calls), "they were listed"
    holds(space, emulator)


# The list of finished jobs names none of ours: hundreds were finished since, or it is late.
SILENT = """
import assetbuild.providers.apiframe as vendor
async def polls(open_, due, http):
    return {}
vendor.polls = polls
"""


def test_what_an_earlier_run_bought_is_fetched_whatever_the_list_says(space: TestSpace) -> None:
    """A list that doesn't name a job says nothing of one that another run asked for: the job itself is asked, each of them, at once."""
    hook(space, SILENT)
    space.write("assets.yaml", spec(*(asset(f"p{n}", f"Poster {n}.") for n in range(8))))
    with slow(latency=1.0) as emulator:
        died = space.run("build", "--yes", env={**emulator.env(), "CRASH_AT": "assetbuild.fetching.fetch:1"})
        assert died.code == 137
        assert [row.state for row in journal(space)] == ["submitted"] * 8
        time.sleep(1.0)
        ran = space.run("build", "p0", "--yes", env=emulator.env())
        assert ran.code == 0, ran.err
        assert {row.state for row in journal(space)} == {"done"}
        assert len(emulator.bills) == 8
        holds(space, emulator)
