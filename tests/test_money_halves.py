"""What a fault leaves half done: some takes of many, the first steps of a chain, twins, a budget that is nearly spent. What is there stays, and only what
is missing is paid for.
"""

from __future__ import annotations

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace

from .faulting import IMPATIENT, MICRO, Told, asset, bills_of, holds, journal, locked, spec, states
from .hooking import hook


def test_the_second_of_three_takes_fails(space: TestSpace, emulator: Emulator) -> None:
    """A model that makes one picture a call: the first take is kept, the next build buys the other two and no more."""
    tale = Told(space, emulator, "second-take")
    space.write("assets.yaml", spec(asset("poster", "A poster. [fault:fail@2]", "model: flux-2-pro", "takes: 3")))
    tale.build(code=1)
    assert states(space, "poster") == [(1, 0, "done"), (2, 0, "failed")]
    holds(space, emulator)
    tale.build()
    assert states(space, "poster") == [(1, 0, "done"), (2, 0, "failed"), (2, 1, "done"), (3, 0, "done")]
    tale.run("takes", "poster")
    assert locked(space) == {"poster"}
    holds(space, emulator)
    tale.check()


def test_the_second_step_fails(space: TestSpace, emulator: Emulator) -> None:
    """The first one isn't bought again."""
    tale = Told(space, emulator, "second-step")
    steps = 'then: ["Five fingers. [fault:fail@1]", "Warmer light."]'
    space.write("assets.yaml", spec(asset("poster", "A poster.", steps)))
    tale.build(code=1)
    assert [bill["prompt"][:5] for bill in emulator.bills] == ["A pos", "Five "]
    assert not (space.root / "art/poster.png").exists()
    holds(space, emulator)
    tale.build()
    assert [bill["prompt"][:5] for bill in emulator.bills] == ["A pos", "Five ", "Five ", "Warme"]
    assert "1 up to date" in space.build(env=emulator.env()).err
    holds(space, emulator)
    tale.check()


def test_twins_fail_together(space: TestSpace, emulator: Emulator) -> None:
    """Two assets with one text are one purchase, also when it goes wrong, and when it comes."""
    tale = Told(space, emulator, "twins")
    text = "A poster. [fault:fail@1]"
    space.write("assets.yaml", spec(asset("front", text), asset("back", text), asset("cup", "A cup.")))
    tale.build("-j", "1", code=1)
    assert len(bills_of(emulator, "A poster.")) == 1
    assert locked(space) == {"cup"}
    tale.build("-j", "1")
    assert len(bills_of(emulator, "A poster.")) == 2
    assert space.read("art/front.png") == space.read("art/back.png")
    holds(space, emulator)
    tale.check()


def test_blocked_while_it_is_made(space: TestSpace, emulator: Emulator) -> None:
    """Accepted and then nobody is let in: exit 4, the job is kept, and fetched as soon as the account is open."""
    tale = Told(space, emulator, "blocked-meanwhile")
    space.write(
        "assets.yaml",
        spec(asset("sketch", "A sketch.", "provider: comp"), asset("poster", "A poster."), asset("de", "G.", "base: poster")),
    )
    emulator.fault("poll/blocked")
    tale.build(code=4)
    assert states(space, "poster") == [(1, 0, "submitted")]
    assert locked(space) == {"sketch"}
    tale.build(code=4)
    emulator.no_faults()
    tale.build()
    assert len(emulator.bills) == 2
    holds(space, emulator)
    tale.check()


def test_no_credit_for_what_was_asked_before(space: TestSpace, emulator: Emulator) -> None:
    """The answer was lost and the credit is gone: asked again under the same number, what was accepted is given, what wasn't waits."""
    tale = Told(space, emulator, "credit-and-doubt")
    space.write("assets.yaml", spec(asset("came", "One. [fault:cut-after@1-99]"), asset("not", "Two. [fault:cut-before@1-99]")))
    tale.build(code=1, ASSETBUILD_PATIENCE="0.5")
    assert {row.state for row in journal(space)} == {"intent"}
    assert len(emulator.bills) == 1
    emulator.pay(0)
    emulator.vendor.faults._marked.clear()
    emulator.vendor.faults._marked.update({bill: [] for bill in ("One. [fault:cut-after@1-99]", "Two. [fault:cut-before@1-99]")})
    tale.build("-j", "1", code=4)
    assert {row.asset: row.state for row in journal(space)} == {"came": "done", "not": "intent"}
    emulator.pay(100)
    tale.build()
    assert len(emulator.bills) == 2
    holds(space, emulator)
    tale.check()


def test_a_budget_among_faults(space: TestSpace, emulator: Emulator) -> None:
    """Whatever fails, is lost, comes damaged or is asked twice: no sum ever passes the day's budget, and what failed gives its money back."""
    hook(space, IMPATIENT)
    faults = (
        "fail@1",
        "cut-after@1-2",
        "lost@1",
        "truncated@1-9",
        "rate-limit:none@1",
        "cancel@1",
        "expired@1",
        "bad-gateway-after@1",
        "no-cost",
    )
    posters = [asset(f"p{n}", f"Poster {n}. [fault:{one}]") for n, one in enumerate(faults)]
    space.write("assets.yaml", spec(*posters, head="budget: {per_day: 0.24}\n"))
    for _ in range(4):
        ran = space.run("build", "--yes", env={**emulator.env(), "ASSETBUILD_PATIENCE": "5"})
        assert ran.code in (1, 5), ran.text
        counted = sum(row.cost if row.cost is not None else row.reserved or 0 for row in journal(space))
        assert counted <= 240_000
        assert emulator.spent * MICRO <= 240_000
    assert counted == 240_000, "it is used up"
    assert "over the budget of $0.24 for 24 hours" in ran.err
    holds(space, emulator)
