"""What happens to an asset: one pure function from facts to a decision, and the sentence that explains it.

`decide` is DESIGN §3's table, first match wins; plan, build, `--frozen`, show and (later) watch all use it. It knows no file, no store,
no clock and no vendor: `facts.py` gathers, `build.py` acts. Facts about the store cost something to learn, so `decide` answers LOOK
when it can't go on without them: an asset that is up to date never opens the store.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
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
    """One input. `digest` is None while unknown. `choice` is what a person still has to do: "", "choose" or "approve"; `takes` is how many there are to
    choose from, without the rejected ones (0: it is chosen). `recipe` is how it is made, if it is made here: what a key holds in place of the digest.
    """

    label: str
    seen: Seen
    digest: str | None = None
    at_hand: bool = True
    choice: str = ""
    takes: int = 0
    recipe: str | None = None

    @property
    def stands(self) -> str | None:
        """What stands for it in a key: its recipe, else its digest; None while neither is known."""
        return self.recipe or self.digest


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
    """What the lock line says. `chosen_for` is the key that `use` chose this picture for; `rejected` is the note of a rejection. `of` is how many takes of
    the key there were then, the rejected ones too (0: not counted), `chosen` a person's word for this one; `undecided`: there were several and nobody has
    said which. `approved`: this very picture.
    """

    key: str
    chosen_for: str | None = None
    by_hand: bool = False
    rejected: str | None = None
    take: int = 1
    of: int = 0
    chosen: bool = False
    undecided: bool = False
    approved: bool = False


class TakeFacts(NamedTuple):
    """One recorded take of this very key. `digests` follow the outputs' order; `by_hand`: a person's picture, accepted for this key then. `flaw` is what
    is wrong with it ("paid, 3 of 4 came"): such a take is never served unasked, and `digests` are what there is.
    """

    take: int
    digests: tuple[str, ...]
    at_hand: bool = True
    rejected: str | None = None
    by_hand: bool = False
    flaw: str = ""


class JobFacts(NamedTuple):
    """The last remote job of this key, while it isn't ended. `state` is the journal's word: INTENT (sent, and no answer came), SUBMITTED, IN_DOUBT;
    `replayable` while the provider's replay window is open, `findable` if it lists jobs.
    """

    state: str
    replayable: bool = False
    findable: bool = False


class StoreFacts(NamedTuple):
    """What only the store knows. `recorded`: a take of this key was made once, wherever its bytes are now. `paid` is how many takes were paid for, also
    those that never came.
    """

    takes: tuple[TakeFacts, ...] = ()
    recorded: bool = False
    job: JobFacts | None = None
    refused: str | None = None
    expired: str | None = None
    paid: int = 0


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
    `may_rebuy` says it of an earlier step, which is made again only if its picture is lost. `reroll`: one more take of this step was asked for.
    `takes` is how many the spec wants to choose from, `approve` whether it wants a person's approval. `shipped`: it has exports, and all
    of them are those of the locked picture.
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
    reroll: bool = False
    takes: int = 1
    approve: bool = False
    shipped: bool = False


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


def missing_takes(f: Facts) -> int:
    """How many takes are to be made yet so that there are as many to choose from as the spec wants; 0 as soon as a person has chosen or approved one,
    put in a picture of their own or pinned it. A rejected take counts: what it was replaced by is a matter of `reroll`. Without the facts of the store,
    as far as the lock line knows.
    """
    locked, store, known = f.locked, f.store, 0
    if f.takes <= 1 or not f.last or f.reproducible or (store is not None and store.refused is not None):
        return 0
    if locked is not None and accepted(f):
        if f.pinned or locked.chosen or locked.approved or locked.by_hand or locked.key != f.key:
            return 0
        known = max(locked.of, 1)
    if store is not None:
        known = max(known, store.paid, sum(1 for take in store.takes if not take.by_hand))
    return max(f.takes - known, 0)


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
            if one.stands is None:
                return Decision("3", Verb.SKIPPED, f"`{one.label}` is waiting for you")
    again = f.rebuy or f.reroll
    if ok and f.locked is not None and f.locked.rejected is not None and not again:  # 3a
        return _rejected(f, f.locked.rejected, ok)
    if ok and not again and _here(f) and not missing_takes(f):  # 4
        if f.store is None and f.locked is not None and f.locked.undecided and f.last and not f.pinned:
            return LOOK  # how many there are to choose from: without the rejected ones, as row 12 counts them
        return _settled(f)
    strange = [o for o in f.outputs if o.found is not None and o.found != o.locked]
    if f.store is None:
        return LOOK
    foreign = [o for o in strange if not o.ours]
    if foreign and not f.replace:  # 5
        return _foreign(f, foreign, ok)
    if f.reroll and not f.rebuy and (coming := _coming(f.store.job, ok)) is not None:  # 6: it is one more take
        return coming
    rest = _rebuy(f) if again else _from_store(f, f.store, ok, pinned)
    return rest if rest is not None else _make(f, ok)


def _coming(job: JobFacts | None, ok: bool) -> Decision | None:
    """What was asked for before and may still come."""
    if job is not None and job.state == "SUBMITTED":
        return Decision("6", Verb.RESUME, "already paid for; to be fetched", accepted=ok)
    if job is not None and job.state == "INTENT" and (job.replayable or job.findable):
        return Decision("6", Verb.RESUME, "asked for before, and no answer came; to be asked again, paid once", accepted=ok)
    return None


def _from_store(f: Facts, store: StoreFacts, ok: bool, pinned: bool) -> Decision | None:
    """Rows 6 to 11: what can be had without paying, and what must not be paid for again."""
    if store.job is not None and not pinned:  # 6
        return _coming(store.job, ok) or Decision(
            "6",
            Verb.HELD,
            "it may have been paid for, but nobody can say any more",
            f"`assetbuild build --rebuy {f.id}` pays again",
            accepted=ok,
        )
    wrong = [o for o in f.outputs if o.found != o.locked]
    fresh = [t for t in store.takes if t.at_hand and not t.flaw and not (t.by_hand and f.replace)]
    if (more := _more_takes(f, ok, fresh=bool(fresh))) is not None:
        return more
    if ok and all(o.at_hand for o in wrong):  # 7
        return Decision("7", Verb.RESTORE, "put back, free", accepted=True)
    if fresh and not pinned and not (ok and _waived(f)):  # 8
        here = tuple(o.found for o in f.outputs)
        chosen = next((t for t in fresh if t.digests == here), None)
        if chosen is None:
            chosen = max((t for t in fresh if t.rejected is None), key=lambda t: t.take, default=None)
        if chosen is None:
            return _rejected(f, max(fresh, key=lambda t: t.take).rejected or "", ok)
        # Invariant 5: a picture made by hand is replaced only when told, also by one that was bought before.
        if not _hand_made(f, chosen.digests) or f.replace:
            return Decision("8", Verb.RESTORE, "had before, free", take=chosen.take, accepted=False)
    flawed = max((t for t in store.takes if t.at_hand and t.flaw), key=lambda t: t.take, default=None)
    if flawed is not None and not fresh and not ok and not f.may_rebuy:  # 9: it was paid for, and isn't what was asked for
        whole = len(flawed.digests) >= len(f.outputs)
        does = "takes it as it is" if whole else "says where that lies"
        return Decision(
            "9",
            Verb.HELD,
            flawed.flaw,
            f"`assetbuild takes {f.id}` shows what came, `assetbuild use {f.id} {flawed.take}` {does}, "
            f"`assetbuild build --rebuy {f.id}` pays again",
        )
    if (ok or store.recorded or store.expired is not None) and not fresh and not f.may_rebuy and not _comes_again(f, ok):  # 9
        if not f.last and f.needed:
            return Decision(
                "9",
                Verb.HELD,
                "the picture of an earlier step is lost: the store hasn't it any more",
                f"`assetbuild use {f.id}` keeps what lies there, `assetbuild build --rebuy {f.id}` pays again",
                accepted=ok,
            )
        if store.expired is not None and not ok and not store.recorded:
            text = f"it was paid for and is lost: {store.expired}"
            return Decision("9", Verb.HELD, text, f"`assetbuild build --rebuy {f.id}` pays again")
        if f.needed or (not ok and any(o.found is not None for o in f.outputs)):
            return Decision(
                "9",
                Verb.HELD,
                "the picture is lost: it isn't in this folder nor in the store here",
                f"get it back (`git lfs pull`, a colleague's copy, a backup) or pay again with `assetbuild build --rebuy {f.id}`",
                accepted=ok,
            )
        return Decision("9", Verb.UP_TO_DATE, "not here, not needed", accepted=ok)
    lacking = any(not one.at_hand for one in f.inputs)
    if ok and not f.needed and _comes_again(f, ok) and (f.shipped or lacking):  # 9: what ships is there, or it couldn't be made
        return Decision("9", Verb.UP_TO_DATE, "not here, not needed", accepted=True)
    if f.locked is not None and f.locked.by_hand and not ok and not f.replace:  # 10
        return _made_by_hand(f)
    if store.refused is not None:  # 11
        return Decision(
            "11",
            Verb.FAILED,
            store.refused if store.refused.startswith("refused") else f"refused: {store.refused}",
            f"change the prompt or the pictures it is given; `assetbuild build --rebuy {f.id}` tries the same once more",
        )
    return None


def _made_by_hand(f: Facts) -> Decision:
    return Decision(
        "10",
        Verb.HELD,
        "made by hand for another text of the spec",
        f"`assetbuild use {f.id}` keeps it for the spec as it is now, `assetbuild build --replace {f.id}` makes it new",
    )


def _here(f: Facts) -> bool:
    """Every output has its locked digest."""
    return all(o.found == o.locked is not None for o in f.outputs)


def _settled(f: Facts) -> Decision:
    """Row 4, and what a person has still to do there."""
    if not f.last or f.locked is None or f.pinned:
        return Decision("4", Verb.UP_TO_DATE, accepted=True)
    several, unapproved = f.locked.undecided, f.approve and not f.locked.approved
    word = "approve" if f.approve else "use"
    if several:
        left = left_of(f.locked.of, f.store.takes if f.store is not None else ())
        text = f"{_takes(left)}, {'none' if left > 1 else 'not'} {'approved' if f.approve else 'chosen'}"
        does = "approves" if f.approve else "chooses"
        way = _ways(f.id, word, left) if left > 1 else f"`assetbuild {word} {f.id} {_last_left(f)}` {does} it"
        return Decision("4", Verb.UP_TO_DATE, text, way, accepted=True)
    if unapproved:
        return Decision("4", Verb.UP_TO_DATE, "not approved yet", f"`assetbuild approve {f.id}`", accepted=True)
    return Decision("4", Verb.UP_TO_DATE, accepted=True)


def candidates(takes: Iterable[TakeFacts]) -> int:
    """How many of these takes a person may choose from: bought or drawn, here, and not rejected."""
    return sum(1 for take in takes if take.at_hand and take.rejected is None and not take.by_hand)


def left_of(of: int, takes: Collection[TakeFacts]) -> int:
    """How many takes there are to choose from where a lock line says that its picture is one `of` so many: without those that were rejected."""
    rejected = sum(1 for take in takes if take.rejected is not None)
    return max(of - rejected, candidates(takes), 1)


def _last_left(f: Facts) -> int:
    """The number of the one take that isn't rejected."""
    takes = f.store.takes if f.store is not None else ()
    return next((take.take for take in takes if take.rejected is None and not take.by_hand), f.locked.take if f.locked else 1)


def _takes(count: int) -> str:
    return f"{count} takes" if count > 1 else "one take is left"


def _more_takes(f: Facts, ok: bool, *, fresh: bool) -> Decision | None:
    """There is a picture, and fewer takes than the spec wants: the others are made before it is put back, unless something is in the way. Not
    while it is lost (row 9), and never over a picture made by hand (row 10).
    """
    count = missing_takes(f)
    here = ok and _here(f)
    if not count or not (fresh or here) or (f.locked is not None and f.locked.by_hand and not f.replace):
        return None
    made = _make(f, ok)
    if made.verb is Verb.GENERATE:
        return made._replace(text=f"{count} more to choose from (`takes: {f.takes}`)", changes=())
    if here:
        return _settled(f) if made.verb is Verb.SKIPPED else made
    return None


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
        if one.choice:
            return _to_choose(one, ok)
    for one in f.inputs:  # 13
        if one.seen is Seen.HELD:
            return Decision("13", Verb.SKIPPED, f"`{one.label}` is waiting for you")
        if one.seen is Seen.POINTER:
            return Decision("13", Verb.SKIPPED, f"{one.label} is a Git LFS pointer here", "`git lfs pull` fetches the picture")
        if not one.at_hand:
            return Decision("13", Verb.SKIPPED, f"the picture of `{one.label}` isn't here")
    if not f.consent.given:  # 14
        return Decision("14", Verb.HELD, f.consent.why, f.consent.hint, accepted=ok)
    if f.reroll:
        return Decision("15", Verb.GENERATE, "one more take asked for", accepted=ok)
    if f.rebuy:
        return Decision("15", Verb.GENERATE, "asked for again", accepted=ok)
    if f.changes is None:
        count = missing_takes(f)
        return Decision("15", Verb.GENERATE, f"new, {count} takes to choose from" if count > 1 else "new")
    if ok or not f.changes:
        return Decision("15", Verb.GENERATE, "its picture isn't here; made again, free", accepted=ok)
    return Decision("15", Verb.GENERATE, "", changes=f.changes)


def _to_choose(one: InputFacts, ok: bool) -> Decision:
    """Row 12. A set is chosen whole."""
    name, several = one.label.partition("#")[0], one.takes > 0
    left = f" ({_takes(one.takes)})" if several else ""
    if one.choice == "approve":
        way = _ways(name, "approve", one.takes) if several else f"`assetbuild approve {name}`"
        return Decision("12", Verb.HELD, f"waiting for approval of `{one.label}`{left}", way, accepted=ok)
    return Decision("12", Verb.HELD, f"waiting for a choice of `{one.label}`{left}", _ways(name, "use", one.takes), accepted=ok)


def _ways(name: str, word: str, takes: int) -> str:
    """How one of several takes is chosen or approved."""
    which = "2" if takes > 1 else "N"
    does = "approves one" if word == "approve" else "chooses one"
    return f"`assetbuild takes {name}` lists them, `assetbuild {word} {name} {which}` {does}"


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


def _rejected(f: Facts, note: str, ok: bool) -> Decision:
    words = f"rejected: {note}" if note else "rejected"
    other = f"`assetbuild use {f.id} …` takes another picture, or change the prompt"
    way = other if f.reproducible else f"`assetbuild reroll {f.id}` makes one more, {other}"
    return Decision("3a", Verb.HELD, words, way, accepted=ok)


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
