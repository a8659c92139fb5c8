"""`decide` as a truth table: each row of DESIGN §3, its neighbours, and what must never happen. The sentences stand in golden/decide.txt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.digest import Change
from assetbuild.plan import (
    LOOK,
    Consent,
    Decision,
    Facts,
    InputFacts,
    JobFacts,
    LockedFacts,
    OutputFacts,
    Seen,
    StoreFacts,
    TakeFacts,
    Verb,
    decide,
    missing_takes,
)

GOLDEN = Path(__file__).parent / "golden" / "decide.txt"
NOTHING = StoreFacts()
MINE, OTHER, HAND = "a" * 64, "b" * 64, "c" * 64


def out(
    found: str | None, locked: str | None = None, *, at_hand: bool = False, ours: bool = False, whose: str = ""
) -> OutputFacts:
    """One output file."""
    return OutputFacts("art/poster.png", found, locked, at_hand, ours, whose)


def facts(**given: object) -> Facts:
    """A first build of `poster`, but for what is given."""
    base = Facts("poster", "k1", (out(None),), store=NOTHING)
    return base._replace(**given)  # type: ignore[arg-type]


LOCKED = LockedFacts("k1")
STALE = LockedFacts("k0")
HERE = (out(MINE, MINE),)
GONE = (out(None, MINE),)
GONE_AT_HAND = (out(None, MINE, at_hand=True),)
EDITED = (out(HAND, MINE),)
TAKE = TakeFacts(1, (OTHER,))
CHANGED = (Change("prompt", "x", "y"),)

TABLE: list[tuple[str, Facts, str, Verb]] = [
    ("first build", facts(), "15", Verb.GENERATE),
    ("first build, store not looked into", facts(store=None), "", Verb.GENERATE),
    (
        "pinned, up to date, key unknown",
        facts(pinned=True, key=None, locked=LOCKED, outputs=HERE, store=None),
        "4",
        Verb.UP_TO_DATE,
    ),
    ("pinned, output deleted, at hand", facts(pinned=True, key=None, locked=LOCKED, outputs=GONE_AT_HAND), "7", Verb.RESTORE),
    ("pinned, edited by hand", facts(pinned=True, key=None, locked=LOCKED, outputs=EDITED), "5", Verb.HELD),
    ("pinned, lost", facts(pinned=True, key=None, locked=LOCKED, outputs=GONE), "9", Verb.HELD),
    (
        "pinned, lost, drawn here, other key now",
        facts(pinned=True, key=None, locked=STALE, outputs=GONE, reproducible=True),
        "9",
        Verb.HELD,
    ),
    (
        "pinned, base rebuilding",
        facts(pinned=True, locked=LOCKED, outputs=HERE, inputs=(InputFacts("base", Seen.WAITING),)),
        "4",
        Verb.UP_TO_DATE,
    ),
    ("pinned but never made", facts(pinned=True), "15", Verb.GENERATE),
    ("an input isn't built yet", facts(key=None, inputs=(InputFacts("base", Seen.WAITING),), store=None), "2", Verb.WAITING),
    ("a file is missing", facts(key=None, inputs=(InputFacts("photos/0007.png", Seen.MISSING),), store=None), "3", Verb.HELD),
    ("an input failed", facts(key=None, inputs=(InputFacts("base", Seen.FAILED),), store=None), "3", Verb.SKIPPED),
    (
        "an input is held and not accepted",
        facts(key=None, inputs=(InputFacts("base", Seen.HELD),), store=None),
        "3",
        Verb.SKIPPED,
    ),
    ("rejected", facts(locked=LOCKED._replace(rejected="six fingers"), outputs=HERE), "3a", Verb.HELD),
    (
        "rejected, prompt changed",
        facts(key="k2", locked=LOCKED._replace(rejected="six fingers"), outputs=HERE, changes=CHANGED),
        "15",
        Verb.GENERATE,
    ),
    ("up to date, store not looked into", facts(locked=LOCKED, outputs=HERE, store=None), "4", Verb.UP_TO_DATE),
    ("up to date by `use`", facts(locked=LockedFacts("k0", chosen_for="k1"), outputs=HERE, store=None), "4", Verb.UP_TO_DATE),
    ("edited by hand", facts(locked=LOCKED, outputs=EDITED), "5", Verb.HELD),
    (
        "edited by hand, told to replace",
        facts(locked=LOCKED, outputs=(out(HAND, MINE, at_hand=True),), replace=True),
        "7",
        Verb.RESTORE,
    ),
    ("another asset's picture", facts(locked=LOCKED, outputs=(out(OTHER, MINE, whose="the picture of `back`"),)), "5", Verb.HELD),
    ("a file was there before", facts(outputs=(out(HAND),)), "5", Verb.HELD),
    ("job sent", facts(store=StoreFacts(job=JobFacts("SUBMITTED"))), "6", Verb.RESUME),
    ("intent inside the window", facts(store=StoreFacts(job=JobFacts("INTENT", replayable=True))), "6", Verb.RESUME),
    ("intent, vendor can list", facts(store=StoreFacts(job=JobFacts("INTENT", findable=True))), "6", Verb.RESUME),
    ("intent in doubt", facts(store=StoreFacts(job=JobFacts("INTENT"))), "6", Verb.HELD),
    ("deleted, at hand", facts(locked=LOCKED, outputs=GONE_AT_HAND), "7", Verb.RESTORE),
    (
        "an older one of ours lies there",
        facts(locked=LOCKED, outputs=(out(OTHER, MINE, at_hand=True, ours=True),)),
        "7",
        Verb.RESTORE,
    ),
    ("had before", facts(locked=STALE, outputs=HERE, store=StoreFacts((TAKE,), True)), "8", Verb.RESTORE),
    (
        "had before, rejected then",
        facts(locked=STALE, outputs=HERE, store=StoreFacts((TAKE._replace(rejected="dull"),), True)),
        "3a",
        Verb.HELD,
    ),
    (
        "killed between output and lock",
        facts(outputs=(out(OTHER, ours=True),), store=StoreFacts((TAKE,), True)),
        "8",
        Verb.RESTORE,
    ),
    (
        "had before, but a hand-made one lies there",
        facts(locked=LockedFacts("k0", by_hand=True), outputs=HERE, store=StoreFacts((TAKE,), True)),
        "10",
        Verb.HELD,
    ),
    ("lost and needed", facts(locked=LOCKED, outputs=GONE), "9", Verb.HELD),
    ("lost, not needed", facts(locked=LOCKED, outputs=GONE, needed=False), "9", Verb.UP_TO_DATE),
    ("lost, drawn here", facts(locked=LOCKED, outputs=GONE, reproducible=True, changes=()), "15", Verb.GENERATE),
    (
        "made by hand for a drawing, lost",
        facts(locked=LOCKED._replace(by_hand=True), outputs=GONE, reproducible=True),
        "9",
        Verb.HELD,
    ),
    (
        "chosen for a drawing of now, lost",
        facts(locked=LockedFacts("k0", chosen_for="k1"), outputs=GONE, reproducible=True),
        "9",
        Verb.HELD,
    ),
    ("recorded once, bytes nowhere", facts(store=StoreFacts((TAKE._replace(at_hand=False),), True)), "9", Verb.HELD),
    ("expired", facts(store=StoreFacts(expired="apiframe had deleted it")), "9", Verb.HELD),
    ("asked for again", facts(locked=LOCKED, outputs=GONE, rebuy=True), "15", Verb.GENERATE),
    ("asked for again, edited by hand", facts(locked=LOCKED, outputs=EDITED, rebuy=True), "5", Verb.HELD),
    (
        "made by hand, prompt changed",
        facts(locked=LockedFacts("k0", by_hand=True), outputs=HERE, changes=CHANGED),
        "10",
        Verb.HELD,
    ),
    (
        "made by hand, told to replace",
        facts(locked=LockedFacts("k0", by_hand=True), outputs=HERE, changes=CHANGED, replace=True),
        "15",
        Verb.GENERATE,
    ),
    ("refused", facts(store=StoreFacts(refused="moderation")), "11", Verb.FAILED),
    ("refused, asked for again", facts(store=StoreFacts(refused="moderation"), rebuy=True), "15", Verb.GENERATE),
    ("a base has three takes", facts(inputs=(InputFacts("base", Seen.READY, MINE, choice="choose", takes=3),)), "12", Verb.HELD),
    ("a base needs approval", facts(inputs=(InputFacts("base", Seen.READY, MINE, choice="approve"),)), "12", Verb.HELD),
    ("a base is held", facts(inputs=(InputFacts("base", Seen.HELD, MINE),)), "13", Verb.SKIPPED),
    (
        "a base is held, edit finished",
        facts(locked=LOCKED, outputs=HERE, inputs=(InputFacts("base", Seen.HELD, MINE),), store=None),
        "4",
        Verb.UP_TO_DATE,
    ),
    ("a base's picture isn't here", facts(inputs=(InputFacts("base", Seen.READY, MINE, at_hand=False),)), "13", Verb.SKIPPED),
    ("a file is a pointer", facts(inputs=(InputFacts("photos/1.png", Seen.POINTER, MINE, at_hand=False),)), "13", Verb.SKIPPED),
    ("over budget", facts(consent=Consent(False, "over the budget of $5.00 a run", "`--max-cost`")), "14", Verb.HELD),
    ("prompt changed", facts(key="k2", locked=LOCKED, outputs=HERE, changes=CHANGED), "15", Verb.GENERATE),
    ("set: one foreign beats one lost", facts(locked=LOCKED, outputs=(out(None, MINE), out(HAND, OTHER))), "5", Verb.HELD),
    (
        "set: one lost beats one missing",
        facts(locked=LOCKED, outputs=(out(None, MINE), out(None, OTHER, at_hand=True))),
        "9",
        Verb.HELD,
    ),
    ("three wanted, nothing yet", facts(takes=3), "15", Verb.GENERATE),
    ("three wanted, one is there", facts(takes=3, locked=LOCKED, outputs=HERE, changes=()), "15", Verb.GENERATE),
    (
        "three wanted, one is there, store not looked into",
        facts(takes=3, locked=LOCKED, outputs=HERE, store=None),
        "",
        Verb.GENERATE,
    ),
    ("three wanted, one is at hand", facts(takes=3, store=StoreFacts((TAKE,), True)), "15", Verb.GENERATE),
    (
        "three wanted, one is at hand, no consent",
        facts(takes=3, store=StoreFacts((TAKE,), True), consent=Consent(False, "over the budget of $5.00 a run")),
        "8",
        Verb.RESTORE,
    ),
    (
        "three wanted, one is there, no consent",
        facts(takes=3, locked=LOCKED, outputs=HERE, changes=(), consent=Consent(False, "over the budget of $5.00 a run")),
        "14",
        Verb.HELD,
    ),
    (
        "three wanted, one is there, a base is held",
        facts(takes=3, locked=LOCKED, outputs=HERE, changes=(), inputs=(InputFacts("base", Seen.HELD, MINE),)),
        "4",
        Verb.UP_TO_DATE,
    ),
    ("three wanted, one is lost", facts(takes=3, locked=LOCKED, outputs=GONE), "9", Verb.HELD),
    (
        "three wanted, one drawn here",
        facts(takes=3, locked=LOCKED, outputs=HERE, reproducible=True, store=None),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "three wanted, one made by hand",
        facts(takes=3, locked=LOCKED._replace(by_hand=True), outputs=HERE, store=None),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "three wanted, an old one kept",
        facts(takes=3, locked=LockedFacts("k0", "k1"), outputs=HERE, store=None),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "three wanted, made by hand for another text",
        facts(takes=3, locked=LockedFacts("k0", by_hand=True), outputs=HERE, changes=CHANGED, store=StoreFacts((TAKE,), True)),
        "10",
        Verb.HELD,
    ),
    (
        "three wanted, the text was refused",
        facts(takes=3, locked=LOCKED, outputs=HERE, store=StoreFacts(refused="no")),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "three there, none chosen, store not looked into",
        facts(takes=3, locked=LOCKED._replace(of=3, undecided=True), outputs=HERE, store=None),
        "",
        Verb.UP_TO_DATE,
    ),
    (
        "three there, none chosen",
        facts(takes=3, locked=LOCKED._replace(of=3, undecided=True), outputs=HERE),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "three there, one rejected, none chosen",
        facts(
            takes=3,
            locked=LOCKED._replace(of=3, undecided=True),
            outputs=HERE,
            store=StoreFacts((TAKE._replace(rejected="dull"), TakeFacts(2, (HAND,)), TakeFacts(3, (MINE,))), True),
        ),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "three there, two rejected",
        facts(
            takes=3,
            locked=LOCKED._replace(of=3, undecided=True),
            outputs=HERE,
            store=StoreFacts((TAKE._replace(rejected=""), TakeFacts(2, (HAND,), rejected=""), TakeFacts(3, (MINE,))), True),
        ),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "three there, none chosen, approval wanted",
        facts(takes=3, approve=True, locked=LOCKED._replace(of=3, undecided=True), outputs=HERE),
        "4",
        Verb.UP_TO_DATE,
    ),
    ("one there, approval wanted", facts(approve=True, locked=LOCKED, outputs=HERE, store=None), "4", Verb.UP_TO_DATE),
    ("approved", facts(approve=True, locked=LOCKED._replace(approved=True), outputs=HERE, store=None), "4", Verb.UP_TO_DATE),
    ("one more take asked for", facts(locked=LOCKED, outputs=HERE, reroll=True), "15", Verb.GENERATE),
    (
        "one more take of a rejected one",
        facts(locked=LOCKED._replace(rejected="dull"), outputs=HERE, reroll=True),
        "15",
        Verb.GENERATE,
    ),
    ("one more take, made by hand", facts(locked=LOCKED._replace(by_hand=True), outputs=HERE, reroll=True), "10", Verb.HELD),
    ("one more take, edited by hand", facts(locked=LOCKED, outputs=EDITED, reroll=True), "5", Verb.HELD),
    (
        "a base has one take left",
        facts(inputs=(InputFacts("base", Seen.READY, MINE, choice="choose", takes=1),)),
        "12",
        Verb.HELD,
    ),
    (
        "a base has three takes and needs approval",
        facts(inputs=(InputFacts("story#cup", Seen.READY, MINE, choice="approve", takes=3),)),
        "12",
        Verb.HELD,
    ),
    (
        "a base has three takes, edit finished",
        facts(locked=LOCKED, outputs=HERE, inputs=(InputFacts("base", Seen.READY, MINE, choice="choose", takes=3),), store=None),
        "4",
        Verb.UP_TO_DATE,
    ),
    (
        "a base has three takes, edit was had before",
        facts(inputs=(InputFacts("base", Seen.READY, MINE, choice="choose", takes=3),), store=StoreFacts((TAKE,), True)),
        "8",
        Verb.RESTORE,
    ),
    ("rejected, drawn here", facts(locked=LOCKED._replace(rejected=""), outputs=HERE, reproducible=True), "3a", Verb.HELD),
    ("set: one missing", facts(locked=LOCKED, outputs=(out(MINE, MINE), out(None, OTHER, at_hand=True))), "7", Verb.RESTORE),
]


@pytest.mark.parametrize(("name", "case", "row", "verb"), TABLE, ids=[t[0] for t in TABLE])
def test_table(name: str, case: Facts, row: str, verb: Verb) -> None:
    """First match wins."""
    decision = decide(case)
    if not row:
        assert decision is LOOK
        return
    assert isinstance(decision, Decision)
    assert (decision.row, decision.verb) == (row, verb)


THREE = (TAKE, TAKE._replace(take=2), TAKE._replace(take=3, at_hand=False))


@pytest.mark.parametrize(
    ("case", "count"),
    [
        (facts(), 0),
        (facts(takes=3), 3),
        (facts(takes=3, store=None), 3),
        (facts(takes=3, reproducible=True), 0),
        (facts(takes=3, last=False), 0),
        (facts(takes=3, store=StoreFacts(THREE[:1], True)), 2),
        (facts(takes=3, store=StoreFacts((THREE[0]._replace(rejected="dull"),), True)), 2),  # a rejected one counts
        (facts(takes=3, store=StoreFacts((THREE[0]._replace(by_hand=True),), True)), 3),
        (facts(takes=3, store=StoreFacts(THREE, True)), 0),  # also one whose bytes are elsewhere
        (facts(takes=2, store=StoreFacts(THREE, True)), 0),
        (facts(takes=3, store=StoreFacts(refused="no")), 0),
        (facts(takes=3, locked=LOCKED, outputs=HERE), 2),
        (facts(takes=3, locked=LOCKED._replace(of=3), outputs=HERE, store=NOTHING), 0),  # a clone without a store
        (facts(takes=5, locked=LOCKED._replace(of=3), outputs=HERE, store=NOTHING), 2),
        (facts(takes=3, locked=LOCKED._replace(chosen=True), outputs=HERE), 0),
        (facts(takes=3, locked=LOCKED._replace(approved=True), outputs=HERE), 0),
        (facts(takes=3, locked=LOCKED._replace(by_hand=True), outputs=HERE), 0),
        (facts(takes=3, locked=LockedFacts("k0", "k1"), outputs=HERE), 0),
        (facts(takes=3, locked=LOCKED, outputs=HERE, pinned=True), 0),
        (facts(takes=3, locked=STALE._replace(chosen=True, of=3), outputs=HERE), 3),  # chosen for another text
    ],
)
def test_takes_that_are_missing(case: Facts, count: int) -> None:
    """Nothing is bought to choose from once somebody has chosen, nor what is known to be there."""
    assert missing_takes(case) == count


def test_every_sentence_is_golden() -> None:
    """What people read; no word of the store's own stands in it."""
    lines = []
    for name, case, row, _ in TABLE:
        if not row:
            continue
        decision = decide(case)
        assert isinstance(decision, Decision)
        text = f"{name}\n    row {decision.row}: {decision.verb.value}: {decision.text}"
        lines.append(text + (f"\n    hint: {decision.hint}" if decision.hint else ""))
        for word in ("digest", "CAS", "claim", "INTENT", "key", "blob"):
            assert word not in f"{decision.text} {decision.hint}".split()
        assert not decision.text.endswith(".")
    have = "\n".join(lines) + "\n"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        GOLDEN.write_text(have, "utf-8")
    assert have == GOLDEN.read_text("utf-8")


DIGEST = st.sampled_from([MINE, OTHER, HAND])
OUTPUT = st.builds(
    OutputFacts, st.just("a.png"), st.none() | DIGEST, st.none() | DIGEST, st.booleans(), st.booleans(), st.just("")
)
INPUT = st.builds(
    InputFacts,
    st.just("base"),
    st.sampled_from(Seen),
    st.none() | DIGEST,
    st.booleans(),
    st.sampled_from(["", "choose", "approve"]),
)
KEY = st.none() | st.sampled_from(["k0", "k1", "k2"])


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Facts of every kind, also ones that can't be."""
    outputs = tuple(draw(st.lists(OUTPUT, min_size=1, max_size=3)))
    take = st.builds(
        TakeFacts, st.integers(1, 3), st.just(tuple(draw(DIGEST) for _ in outputs)), st.booleans(), st.none() | st.just("no")
    )
    said = (st.just(1), st.integers(0, 3), st.booleans(), st.booleans(), st.booleans())
    locked = st.none() | st.builds(
        LockedFacts, st.sampled_from(["k0", "k1"]), KEY, st.booleans(), st.none() | st.just("no"), *said
    )
    store = st.builds(
        StoreFacts, st.lists(take, max_size=3).map(tuple), st.booleans(), st.none(), st.none() | st.just("no"), st.booleans()
    )
    return Facts(
        "poster",
        draw(KEY),
        outputs,
        tuple(draw(st.lists(INPUT, max_size=2))),
        draw(locked),
        draw(store),
        *(draw(st.booleans()) for _ in range(4)),
        draw(st.none() | st.just(CHANGED)),
        Consent(draw(st.booleans())),
        draw(st.booleans()),
        draw(st.booleans()),
        reroll=draw(st.booleans()),
        takes=draw(st.integers(1, 3)),
        approve=draw(st.booleans()),
    )


@given(any_facts())
def test_money_and_bytes_are_safe(f: Facts) -> None:
    """Whatever the facts: nothing foreign is replaced untold, nothing at hand is made again untold, nothing hand-made is replaced untold."""
    decision = decide(f)
    assert isinstance(decision, Decision)
    acts = decision.verb in (Verb.GENERATE, Verb.RESTORE)
    if acts and not f.replace:
        assert all(o.found in (None, o.locked) or o.ours for o in f.outputs)
    assert f.store is not None
    if decision.verb is Verb.GENERATE and not f.rebuy and not f.reroll:
        if f.key is not None and not decision.accepted and not missing_takes(f):
            usable = [t for t in f.store.takes if t.at_hand]
            assert not usable or (f.locked is not None and f.locked.by_hand)
        assert f.consent.given
        assert f.store.refused is None
    if acts and f.locked is not None and f.locked.by_hand and not f.replace:  # a picture made by hand is replaced only when told
        assert decision.verb is Verb.RESTORE or not any(o.found is not None for o in f.outputs if o.found == o.locked)
        for place, one in enumerate(f.outputs):
            if decision.row == "8" and one.found is not None and one.found == one.locked:
                assert any(t.take == decision.take and t.digests[place] == one.found for t in f.store.takes)
    if decision.verb is Verb.UP_TO_DATE and decision.row == "4":
        assert all(o.found is not None and o.found == o.locked for o in f.outputs)
    if decision.verb in (Verb.HELD, Verb.FAILED) and decision.row != "14":
        assert decision.text
