"""What happens to an asset: one pure function from facts to a decision, and the sentence that explains it.

`decide` is DESIGN §3's table, first match wins; plan, build, `--frozen`, show and (later) watch all use it. It knows no file, no store,
no clock and no vendor: `facts.py` gathers, `build.py` acts. Facts about the store cost something to learn, so `decide` answers LOOK
when it can't go on without them: an asset that is up to date never opens the store.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from .digest import Change


class Verb(enum.Enum):
    """What is to be done. The value is the word that people read."""

    UP_TO_DATE = "up to date"
    RESTORE = "restore"
    RESUME = "resume"
    GENERATE = "generate"
    WAITING = "waiting"
    SKIPPED = "skipped"
    HELD = "waiting for you"
    FAILED = "failed"


class Seen(enum.Enum):
    """The state of an input, as the step that uses it sees it."""

    READY = "ready"
    WAITING = "waiting"  # its bytes aren't known until it is built
    FAILED = "failed"  # failed or skipped in this run
    HELD = "held"  # waits for a person; its digest counts while it is accepted
    MISSING = "missing"  # a file of the user's that isn't there
    POINTER = "pointer"  # a Git LFS pointer: the digest is known, the bytes aren't here


class InputFacts(NamedTuple):
    """One input. `digest` is None while unknown. `choice` is what a person still has to do: "", "choose" (of `takes`) or "approve"."""

    label: str
    seen: Seen
    digest: str | None = None
    at_hand: bool = True
    choice: str = ""
    takes: int = 0


class OutputFacts(NamedTuple):
    """One output file, or the unplaced picture of an earlier step (`path` is "").

    `found` is the digest of what lies there (None: nothing); `locked` the digest of the lock line for this member; `at_hand` whether the locked
    bytes can be had without paying; `ours` whether what lies there is known to be ours (only asked when it isn't the locked picture);
    `whose` says whose it is when a lock line knows it.
    """

    path: str
    found: str | None = None
    locked: str | None = None
    at_hand: bool = False
    ours: bool = False
    whose: str = ""


class LockedFacts(NamedTuple):
    """What the lock line says. `chosen_for` is the key that `use` chose this picture for; `rejected` is the note of a rejection."""

    key: str
    chosen_for: str | None = None
    by_hand: bool = False
    rejected: str | None = None
    take: int = 1


class TakeFacts(NamedTuple):
    """One recorded take of this very key. `digests` follow the outputs' order; `by_hand`: a person's picture, accepted for this key then."""

    take: int
    digests: tuple[str, ...]
    at_hand: bool = True
    rejected: str | None = None
    by_hand: bool = False


class JobFacts(NamedTuple):
    """A remote job of this key. `state` is the journal's word; `replayable` while the provider's replay window is open, `findable` if it lists jobs."""

    state: str
    replayable: bool = False
    findable: bool = False
    remote_id: str = ""


class StoreFacts(NamedTuple):
    """What only the store knows. `recorded`: a take of this key was made once, wherever its bytes are now."""

    takes: tuple[TakeFacts, ...] = ()
    recorded: bool = False
    job: JobFacts | None = None
    refused: str | None = None
    expired: bool = False


class Consent(NamedTuple):
    """Whether this step may spend. `why` is the sentence when it may not."""

    given: bool = True
    why: str = ""
    hint: str = ""


class Facts(NamedTuple):
    """Everything that `decide` may look at, for one step of one asset.

    `key` is None while an input's digest is unknown. `last` is False for the earlier steps of a `then` chain. `needed`: something needs the bytes here
    and now (DESIGN §3 row 9). `reproducible`: the provider gives the same bytes again for nothing. `changes` are the manifest lines that
    differ from the locked manifest (None: no lock line).
    `ends` and `end_by_hand` speak of the asset's own files, for an earlier step. `replace` and `rebuy` are the user's word, for this asset, in this run;
    `may_rebuy` says it of an earlier step, which is made again only if its picture is lost.
    """

    id: str
    key: str | None
    outputs: tuple[OutputFacts, ...]
    inputs: tuple[InputFacts, ...] = ()
    locked: LockedFacts | None = None
    store: StoreFacts | None = None
    pinned: bool = False
    last: bool = True
    needed: bool = True
    reproducible: bool = False
    changes: tuple[Change, ...] | None = None
    consent: Consent = Consent()
    replace: bool = False
    rebuy: bool = False
    ends: tuple[OutputFacts, ...] = ()
    may_rebuy: bool = False
    end_by_hand: bool = False


class Decision(NamedTuple):
    """What is to be done with one step, by which row of the table, and why. `text` is one sentence without a full stop, "" when there is nothing to say.

    `take` is the take that RESTORE places (0: the locked one). `accepted` is the table's word: the locked picture belongs to this key.
    """

    row: str
    verb: Verb
    text: str = ""
    hint: str = ""
    take: int = 0
    accepted: bool = False
    changes: tuple[Change, ...] = ()


class Look(NamedTuple):
    """`decide` can't go on without the facts of the store."""


LOOK = Look()


def accepted(facts: Facts) -> bool:
    """The locked picture belongs to this key, or was chosen for it, or is pinned."""
    locked = facts.locked
    if locked is None:
        return False
    return facts.pinned or (facts.key is not None and facts.key in (locked.key, locked.chosen_for))


def decide(f: Facts) -> Decision | Look:
    """DESIGN §3's table, in its order. Row numbers in the comments are the table's."""
    pinned = f.pinned and f.locked is not None  # 1: nothing to hold on to before the first picture
    ok = accepted(f) and not (f.replace and f.last and _waived(f))  # `--replace` takes back what `use` said
    if not pinned:
        for one in f.inputs:  # 2
            if one.seen is Seen.WAITING:
                return Decision("2", Verb.WAITING, f"unknown until `{one.label}` is built")
        for one in f.inputs:  # 3
            if one.seen is Seen.MISSING:
                return Decision("3", Verb.HELD, f"waiting for {one.label}", "put the file there, or take the asset out")
            if one.seen is Seen.FAILED:
                return Decision("3", Verb.SKIPPED, f"`{one.label}` failed or was skipped")
            if one.digest is None:
                return Decision("3", Verb.SKIPPED, f"`{one.label}` is waiting for you")
    if ok and f.locked is not None and f.locked.rejected is not None and not f.rebuy:  # 3a
        return _rejected(f, f.locked.rejected)
    if ok and not f.rebuy and all(o.found == o.locked is not None for o in f.outputs):  # 4
        return Decision("4", Verb.UP_TO_DATE, accepted=True)
    strange = [o for o in f.outputs if o.found is not None and o.found != o.locked]
    if f.store is None:
        return LOOK
    foreign = [o for o in strange if not o.ours]
    if foreign and not f.replace:  # 5
        return _foreign(f, foreign, ok)
    rest = _rebuy(f) if f.rebuy else _from_store(f, f.store, ok, pinned)
    return rest if rest is not None else _make(f, ok)


def _from_store(f: Facts, store: StoreFacts, ok: bool, pinned: bool) -> Decision | None:
    """Rows 6 to 11: what can be had without paying, and what must not be paid for again."""
    job = store.job
    if job is not None and not pinned:  # 6
        if job.state == "SUBMITTED" or job.replayable or job.findable:
            return Decision("6", Verb.RESUME, "already paid for; fetching it", accepted=ok)
        return Decision(
            "6",
            Verb.HELD,
            "it may have been paid for, but nobody can say any more",
            f"`assetbuild build --rebuy {f.id}` pays again",
            accepted=ok,
        )
    wrong = [o for o in f.outputs if o.found != o.locked]
    if ok and all(o.at_hand for o in wrong):  # 7
        return Decision("7", Verb.RESTORE, "put back, free", accepted=True)
    fresh = [t for t in store.takes if t.at_hand and not (t.by_hand and f.replace)]
    if fresh and not pinned and not (ok and _waived(f)):  # 8
        here = tuple(o.found for o in f.outputs)
        chosen = next((t for t in fresh if t.digests == here), None)
        if chosen is None:
            chosen = max((t for t in fresh if t.rejected is None), key=lambda t: t.take, default=None)
        if chosen is None:
            return _rejected(f, max(fresh, key=lambda t: t.take).rejected or "")
        # Invariant 5: a picture made by hand is replaced only when told, also by one that was bought before.
        if not _hand_made(f, chosen.digests) or f.replace:
            return Decision("8", Verb.RESTORE, "had before, free", take=chosen.take, accepted=False)
    if (ok or store.recorded or store.expired) and not fresh and not f.may_rebuy and not _comes_again(f, ok):  # 9
        if not f.last and f.needed:
            return Decision(
                "9",
                Verb.HELD,
                "the picture of an earlier step is lost: the store hasn't it any more",
                f"`assetbuild use {f.id}` keeps what lies there, `assetbuild build --rebuy {f.id}` pays again",
                accepted=ok,
            )
        if f.needed or (not ok and any(o.found is not None for o in f.outputs)):
            return Decision(
                "9",
                Verb.HELD,
                "the picture is lost: it isn't in this folder nor in the store here",
                f"get it back (`git lfs pull`, a colleague's copy, a backup) or pay again with `assetbuild build --rebuy {f.id}`",
                accepted=ok,
            )
        return Decision("9", Verb.UP_TO_DATE, "not here, not needed", accepted=ok)
    if f.locked is not None and f.locked.by_hand and not ok and not f.replace:  # 10
        return _made_by_hand(f)
    if store.refused is not None:  # 11
        return Decision(
            "11",
            Verb.FAILED,
            f"refused: {store.refused}",
            f"change the prompt, or try once more with `assetbuild build --rebuy {f.id}`",
        )
    return None


def _made_by_hand(f: Facts) -> Decision:
    return Decision(
        "10",
        Verb.HELD,
        "made by hand for another text of the spec",
        f"`assetbuild use {f.id}` keeps it for the spec as it is now, `assetbuild build --replace {f.id}` makes it new",
    )


def _rebuy(f: Facts) -> Decision | None:
    """`--rebuy` is the user's word that rows 4 and 6 to 11 don't count, but nothing made by hand is replaced by it."""
    if f.locked is not None and f.locked.by_hand and not f.replace and any(o.found is not None for o in f.outputs):
        return Decision("10", Verb.HELD, "made by hand", f"`assetbuild build --replace {f.id}` says that it may be replaced")
    return None


def _make(f: Facts, ok: bool) -> Decision:
    """Rows 12 to 15: may it be made, and why it is."""
    if not f.replace:  # an earlier step isn't made for a picture that couldn't be put in its place
        foreign = [o for o in f.ends if o.found is not None and o.found != o.locked and not o.ours]
        if foreign:
            return _foreign(f, foreign, ok)
        if f.end_by_hand:
            return _made_by_hand(f)
    for one in f.inputs:  # 12
        if one.choice == "choose":
            return Decision(
                "12", Verb.HELD, f"waiting for a choice of `{one.label}` ({one.takes} takes)", f"`assetbuild use {one.label} 1`"
            )
        if one.choice == "approve":
            return Decision("12", Verb.HELD, f"waiting for approval of `{one.label}`", f"`assetbuild approve {one.label}`")
    for one in f.inputs:  # 13
        if one.seen is Seen.HELD:
            return Decision("13", Verb.SKIPPED, f"`{one.label}` is waiting for you")
        if one.seen is Seen.POINTER:
            return Decision("13", Verb.SKIPPED, f"{one.label} is a Git LFS pointer here", "`git lfs pull` fetches the picture")
        if not one.at_hand:
            return Decision("13", Verb.SKIPPED, f"the picture of `{one.label}` isn't here")
    if not f.consent.given:  # 14
        return Decision("14", Verb.HELD, f.consent.why, f.consent.hint)
    if f.rebuy:
        return Decision("15", Verb.GENERATE, "asked for again", accepted=ok)
    if f.changes is None:
        return Decision("15", Verb.GENERATE, "new")
    if ok or not f.changes:
        return Decision("15", Verb.GENERATE, "its picture isn't here; made again, free", accepted=ok)
    return Decision("15", Verb.GENERATE, "", changes=f.changes)


def _waived(f: Facts) -> bool:
    """The locked picture was chosen by a person instead of what the spec's key gives."""
    return f.locked is not None and (f.locked.by_hand or (f.locked.chosen_for == f.key and f.locked.key != f.key))


def _comes_again(f: Facts, ok: bool) -> bool:
    """Whether making it again gives the locked picture: a drawing of this very key does, a person's picture or one of another key doesn't."""
    if not f.reproducible:
        return False
    return not ok or (f.locked is not None and f.locked.key == f.key and not f.locked.by_hand)


def _hand_made(f: Facts, wanted: tuple[str, ...]) -> bool:
    """Whether placing these would replace a picture that the lock says was made by hand."""
    if f.locked is None or not f.locked.by_hand:
        return False
    return any(o.locked is not None and o.locked != want for o, want in zip(f.outputs, wanted, strict=False))


def _rejected(f: Facts, note: str) -> Decision:
    words = f"rejected: {note}" if note else "rejected"
    return Decision(
        "3a",
        Verb.HELD,
        words,
        f"change the prompt, choose another with `assetbuild use {f.id} …`, or buy one more take",
        accepted=True,
    )


def _foreign(f: Facts, files: list[OutputFacts], ok: bool) -> Decision:
    first = files[0]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    if first.whose:
        text = f"{first.path}{more} is {first.whose}"
    elif f.locked is None:
        text = f"{first.path}{more} was there before and isn't ours"
    else:
        text = f"{first.path}{more} was edited by hand"
    return Decision(
        "5",
        Verb.HELD,
        text,
        f"`assetbuild use {f.id}` keeps it, `assetbuild build --replace {f.id}` puts ours there (yours is kept in the store)",
        accepted=ok,
    )


def frozen_allows(decision: Decision, *, pinned: bool) -> bool:
    """Under `--frozen`: UP TO DATE, and rows 1 and 7; a take of another day (row 8) is stale there."""
    if decision.verb is Verb.UP_TO_DATE:
        return True
    return decision.verb is Verb.RESTORE and (decision.row == "7" or pinned)
