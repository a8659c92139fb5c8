"""What a watch does, and when: `step(state, event) -> (state, effects)`. Pure: no clock (events carry the time), no disk, no process, no screen.

    ┌──────┐ something changed ┌───────────┐ quiet for a while ┌────────┐ files changed  ┌─────────┐
    │ IDLE │ ────────────────► │ GATHERING │ ────────────────► │ ASKING │ ─────────────► │ LOOKING │
    └──────┘                   └───────────┘                   │  git   │                └─────────┘
       ▲ ▲                        ▲     ▲  index.lock is there └────────┘                  │  │  │
       │ │                        │     └──────────────────────────┘ │ only git changed    │  │  │
       │ └────────────────────────┼──────────────────────────────────┘                     │  │  │
       │                          └──── something changed: the look is called off ─────────┘  │  │
       │  the spec has a mistake: it is shown, with the last good plan below                  │  │
       ├──────────────────────────────────────────────────────────────────────────────────────┘  │
       └── the plan is shown; children are started for what may be done now ─────────────────────┘

Children ("hands") work beside all that, each a process: `free` (what costs nothing), `draft` (drafts of what waits for a key), `fetch` (what an earlier run has
paid for), `buy` (one press of a key each). A hand that ends is followed by a look. While ENDING nothing is started, and the last hand that ends ends the watch.

What holds at every step:
1. A `buy` hand is started by a key, a button, or `--auto`; never by `--auto` for what became stale in a burst in which git moved, or with more than `at_most`
   others, until a key was pressed for it.
2. The sums that running hands may spend, and what ended ones have spent and set aside, are together never above `--max-cost`.
3. A purchase (its action key) is in one hand at most.
4. What failed isn't tried again by itself, nor by `b`, while its action key is the same.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..pricing import usd
from .outlook import Bill, Money, Offer, Outlook, bill, mark, with_needs

SETTLE = (
    0.6  # seconds after a change of the list in which a key that buys isn't believed: it was meant for what stood there before
)
STUCK = 10.0  # seconds after which an index.lock is taken for one that a dead git has left
NUMBERS = 9
TYPED = 20_000_000  # micro-USD above which the amount is typed, as in `build`
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Phase(enum.Enum):
    """See the drawing."""

    IDLE = "idle"
    GATHERING = "gathering"
    ASKING = "asking git"
    LOOKING = "looking"
    ENDING = "ending"


class Settings(NamedTuple):
    """How a watch was started. `quiet` in seconds, `cap` (`--max-cost`) in micro-USD; `at_most` is how many assets one change may make stale before `--auto`
    waits for a key; `settle` see SETTLE."""

    quiet: float = 0.25
    auto: bool = False
    cap: int | None = None
    at_most: int = 10
    drafts: bool = True
    keys: bool = True
    settle: float = SETTLE


class Order(NamedTuple):
    """What one `buy` hand may buy: by action key, and where no key is known yet by step (id, number, what the spec says of it). `most` in micro-USD is what
    was agreed to, `max_cost` the limit that was stated (None: none was).
    """

    keys: tuple[str, ...]
    steps: tuple[tuple[str, int, str], ...]
    most: int
    max_cost: int | None


class Task(NamedTuple):
    """What a hand is to do: `kind` is free, draft, fetch or buy; `ids` None: everything; `run` is its name in the journal."""

    kind: str
    ids: tuple[str, ...] | None
    profile: str | None
    order: Order | None = None
    run: str = ""


class Hand(NamedTuple):
    """A child at work. `marks` are the purchases in it, `signs` the free work; `allotted` micro-USD of the cap are its own."""

    task: Task
    marks: frozenset[str] = frozenset()
    signs: frozenset[tuple[str, str]] = frozenset()
    allotted: int = 0
    withdrawn: frozenset[str] = frozenset()


class Under(NamedTuple):
    """An asset in the making now: the word for it and since when."""

    word: str
    since: float


# ── events ──


class Changed(NamedTuple):
    """Something that concerns us changed. `files` is False when only the repository's own files did."""

    at: float
    files: bool = True


class Ticked(NamedTuple):
    """Time has passed."""

    at: float


class GitSeen(NamedTuple):
    """The repository's state at the end of a burst. `moved` says what changed in it since the last look ("": nothing), `locked`: git is at work right now."""

    at: float
    moved: str = ""
    locked: bool = False


class Planned(NamedTuple):
    """A look came to an end."""

    at: float
    serial: int
    outlook: Outlook


class Broken(NamedTuple):
    """A look found a mistake in the spec, or failed."""

    at: float
    serial: int
    text: str


class Happened(NamedTuple):
    """Something happened to an asset in a hand: `kind` is the name of the event's class in `events.py`."""

    at: float
    hand: str
    kind: str
    id: str
    word: str = ""
    text: str = ""


class Ended(NamedTuple):
    """A hand's process is gone. `words` are the assets that got their picture; `crashed` is what is known when it didn't end well: then all that it might have
    spent counts as spent."""

    at: float
    hand: str
    words: Mapping[str, str] = NOTHING
    failed: Mapping[str, str] = NOTHING
    spent: int = 0
    reserved: int = 0
    drafts: Mapping[str, Mapping[str, Any]] = NOTHING
    setup: str = ""
    crashed: str = ""
    interrupted: bool = False
    held: Mapping[str, str] = NOTHING


class Pressed(NamedTuple):
    """A key."""

    at: float
    key: str


class Wished(NamedTuple):
    """The page's button: `ids` None means all; `most` is the price that the button showed; `shown` names the list that it was shown with."""

    at: float
    ids: tuple[str, ...] | None
    most: int
    shown: str
    reply: Any = None


class Paused(NamedTuple):
    """The page's pause."""

    at: float
    paused: bool


class Stopped(NamedTuple):
    """^C, a signal, or the terminal went away."""

    at: float


Event = Changed | Ticked | GitSeen | Planned | Broken | Happened | Ended | Pressed | Wished | Paused | Stopped


# ── effects ──


class AskGit(NamedTuple):
    """Look at the repository; comes back as GitSeen."""


class Look(NamedTuple):
    """Plan; comes back as Planned or Broken with this serial. `files`: what changed are files, all of them known by the shell."""

    serial: int


class CallOff(NamedTuple):
    """The look isn't wanted any more."""


class Start(NamedTuple):
    """A child; comes back as Ended."""

    hand: str
    task: Task


class Withdraw(NamedTuple):
    """These purchases of a hand aren't to be sent any more if they weren't."""

    hand: str
    marks: frozenset[str]


class Halt(NamedTuple):
    """^C for a child: what it has begun is finished or written down."""

    hand: str


class Say(NamedTuple):
    """A line that stays."""

    text: str


class Reply(NamedTuple):
    """The answer to a wish of the page."""

    to: Any
    done: bool
    text: str


class Finish(NamedTuple):
    """The watch is over."""


Effect = AskGit | Look | CallOff | Start | Withdraw | Halt | Say | Reply | Finish


# ── state ──


class State(NamedTuple):
    """Everything that a watch knows. Never changed, only followed by another one."""

    settings: Settings = Settings()
    session: str = "w"
    phase: Phase = Phase.LOOKING
    since: float = 0.0  # of the last change in a burst
    began: float = 0.0  # of the first
    touched: bool = False  # files of ours changed in this burst
    moved: str = ""  # what git did in this burst
    burst: bool = False  # the look under way follows a burst
    serial: int = 0
    outlook: Outlook | None = None
    planned_at: float = 0.0
    listed_at: float = 0.0  # when the list of what may be bought last changed
    broken: str = ""
    paused: bool = False
    everything: bool = False
    help: bool = False
    typed: str | None = None  # the amount that is being typed
    parked: frozenset[str] = frozenset()  # ids that `--auto` leaves for a key
    why_parked: str = ""
    over: str = ""  # why `--auto` buys nothing more
    failed: Mapping[str, str] = NOTHING  # mark → what went wrong
    stuck: frozenset[tuple[str, str]] = frozenset()  # free work that failed
    tried: frozenset[tuple[str, str]] = frozenset()  # free work that was begun since the last burst
    drafted: Mapping[str, frozenset[str]] = NOTHING
    drafts: Mapping[str, Mapping[str, Any]] = NOTHING
    numbers: Mapping[str, int] = NOTHING
    hands: Mapping[str, Hand] = NOTHING
    under: Mapping[str, Under] = NOTHING
    started: int = 0  # hands, so far
    spent: int = 0  # by hands that have ended, of this session
    reserved: int = 0
    setup: str = ""

    @property
    def busy(self) -> frozenset[str]:
        """The marks of what is being bought."""
        return frozenset(one for hand in self.hands.values() for one in hand.marks)

    @property
    def offers(self) -> list[Offer]:
        """What may be bought and isn't under way."""
        if self.outlook is None:
            return []
        busy = self.busy
        return [one for one in self.outlook.offers if not one.marks <= busy]

    @property
    def room(self) -> int | None:
        """What the cap has left for another hand, in micro-USD."""
        if self.settings.cap is None:
            return None
        return max(0, self.settings.cap - self.spent - self.reserved - sum(hand.allotted for hand in self.hands.values()))

    @property
    def shown(self) -> str:
        """Names the list that is shown: what is bought by a button must be what was on it."""
        said = [(one.id, sorted(one.marks), [part.micro for part in one.parts]) for one in self.offers]
        return f"{len(said)}-{_sum(repr(said))}"

    def bill(self, offers: Iterable[Offer] | None = None) -> Bill:
        """What these, or all that may be bought, come to."""
        return bill(self.offers if offers is None else offers, self.busy)

    def wrong(self, one: Offer) -> str:
        """Why an offer isn't tried again by itself."""
        return next((self.failed[name] for name in sorted(one.marks) if name in self.failed), "")


def begin(settings: Settings, session: str, at: float) -> tuple[State, list[Effect]]:
    """A watch that has just been started: it plans."""
    return State(settings, session, serial=1, since=at, began=at), [Look(1)]


def deadline(state: State) -> float | None:
    """When a Ticked is wanted; None: never."""
    return state.since + state.settings.quiet if state.phase is Phase.GATHERING else None


def step(state: State, event: Event) -> tuple[State, list[Effect]]:
    """What comes of an event."""
    match event:
        case Changed():
            return _changed(state, event)
        case Ticked(at):
            if state.phase is Phase.GATHERING and at >= state.since + state.settings.quiet:
                return state._replace(phase=Phase.ASKING), [AskGit()]
            return state, []
        case GitSeen():
            return _git_seen(state, event)
        case Planned():
            return _planned(state, event)
        case Broken(_, serial, text):
            if serial != state.serial or state.phase is not Phase.LOOKING:
                return state, []
            return state._replace(phase=Phase.IDLE, broken=text, burst=False, moved="", touched=False), []
        case Happened():
            return _happened(state, event), []
        case Ended():
            return _ended(state, event)
        case Pressed():
            return _pressed(state, event)
        case Wished():
            return _wished(state, event)
        case Paused(at, paused):
            return _pause(state, paused, at) if paused != state.paused else (state, [])
        case Stopped():
            return _stopped(state)


# ── a burst ──


def _changed(state: State, event: Changed) -> tuple[State, list[Effect]]:
    if state.phase is Phase.ENDING:
        return state, []
    effects: list[Effect] = [CallOff()] if state.phase is Phase.LOOKING else []
    new = state.phase is Phase.IDLE
    state = state._replace(
        phase=Phase.GATHERING,
        since=event.at,
        began=event.at if new else state.began,
        # A look that was called off has yet to be made.
        touched=event.files or state.touched or bool(effects),
        burst=state.burst or event.files,
    )
    return state, effects


def _git_seen(state: State, event: GitSeen) -> tuple[State, list[Effect]]:
    if state.phase is not Phase.ASKING:
        return state._replace(moved=event.moved or state.moved) if state.phase is Phase.GATHERING else state, []
    if event.locked and event.at - state.began < STUCK:
        moved = event.moved or state.moved or "git is at work"
        return state._replace(phase=Phase.GATHERING, since=event.at, moved=moved), []
    moved = event.moved or state.moved or ("git is at work (there is an index.lock)" if event.locked else "")
    if not state.touched:  # a commit, `git add`: no picture comes of it
        return state._replace(phase=Phase.IDLE, moved="", burst=False), []
    return _look(state._replace(moved=moved))


def _look(state: State) -> tuple[State, list[Effect]]:
    serial = state.serial + 1
    return state._replace(phase=Phase.LOOKING, serial=serial), [Look(serial)]


def _planned(state: State, event: Planned) -> tuple[State, list[Effect]]:
    if event.serial != state.serial or state.phase is not Phase.LOOKING:
        return state, []
    now, before = event.outlook, state.outlook
    effects: list[Effect] = []
    wanted = {one.id for one in now.offers}
    parked, why = state.parked & wanted, state.why_parked
    new = _newly_stale(before, now)
    if state.moved:
        if wanted:
            parked, why = frozenset(wanted), state.moved
    elif len(new) > state.settings.at_most:
        parked, why = parked | new, f"one change made {len(new):,} assets stale"
    marks = frozenset(name for one in now.offers for name in one.marks)
    state = state._replace(
        phase=Phase.IDLE,
        outlook=now,
        planned_at=event.at,
        broken="",
        setup=now.setup,
        parked=parked,
        why_parked=why if parked else "",
        over="",
        failed={name: text for name, text in state.failed.items() if name in marks},
        tried=frozenset() if state.burst else state.tried,
        drafts={name: one for name, one in state.drafts.items() if name in wanted},
        drafted={name: one for name, one in state.drafted.items() if name in wanted},
        numbers=_numbered(state.numbers, [one.id for one in now.offers]),
    )
    if before is None or [(o.id, o.parts) for o in before.offers] != [(o.id, o.parts) for o in now.offers]:
        state = state._replace(listed_at=event.at, typed=None)
    if state.burst:
        wanted_keys = {key for keys in now.keys.values() for key in keys}
        for name, hand in state.hands.items():
            gone = frozenset(one for one in hand.marks if one not in wanted_keys and ":" not in one) - hand.withdrawn
            if hand.task.kind == "buy" and gone:
                effects.append(Withdraw(name, gone))
                state = _with_hand(state, name, hand._replace(withdrawn=hand.withdrawn | gone))
            elif hand.task.kind in ("free", "draft"):
                effects.append(Halt(name))  # it goes by the spec as it was
    state = state._replace(burst=False, moved="", touched=False)
    state, more = _move_on(state)
    return state, effects + more


def _newly_stale(before: Outlook | None, now: Outlook) -> frozenset[str]:
    """Ids of which something is to be bought that wasn't before: another prompt counts, a base that has come doesn't."""
    known = {} if before is None else {one.id: one for one in before.offers}
    return frozenset(
        one.id
        for one in now.offers
        if one.id not in known
        or not (
            any(part.later for part in known[one.id].parts)
            or {part.key for part in one.parts if part.key} <= {part.key for part in known[one.id].parts}
        )
    )


def _numbered(before: Mapping[str, int], ids: list[str]) -> dict[str, int]:
    """A number stays with its asset while that waits; others take what is free."""
    kept = {name: number for name, number in before.items() if name in ids}
    free = [number for number in range(1, NUMBERS + 1) if number not in kept.values()]
    for name in ids:
        if name not in kept and free:
            kept[name] = free.pop(0)
    return kept


# ── what may be done now ──


def _move_on(state: State) -> tuple[State, list[Effect]]:
    """Starts what may be started."""
    effects: list[Effect] = []
    if state.phase is not Phase.IDLE or state.paused or state.broken or state.outlook is None:
        return state, effects
    now = state.outlook
    flying = {name for hand in state.hands.values() if hand.marks for name in hand.task.ids or ()}
    signs = frozenset((one.id, one.sign) for one in now.free if one.id not in flying) - state.tried - state.stuck
    if signs and "free" not in state.hands:
        state, more = _start(state, "free", Task("free", None, now.profile), signs=signs)
        state = state._replace(tried=state.tried | signs)
        effects += more
    owed = frozenset((name, "fetch") for name in now.fetch if name not in flying) - state.tried
    if owed:
        ids = tuple(name for name in now.fetch if (name, "fetch") in owed)
        state, more = _start(state, "", Task("fetch", ids, now.profile), signs=owed)
        state = state._replace(tried=state.tried | owed)
        effects += more
    if state.settings.drafts and now.draft is not None and "draft" not in state.hands:
        stale = {one.id: one.marks for one in state.offers if state.drafted.get(one.id) != one.marks}
        if stale:
            state, more = _start(state, "draft", Task("draft", tuple(stale), now.draft))
            state = state._replace(drafted={**state.drafted, **stale})
            effects += more
    if state.settings.auto:
        state, more = _by_itself(state)
        effects += more
    return state, effects


def _by_itself(state: State) -> tuple[State, list[Effect]]:
    """`--auto`: what may be bought and fits, in building order."""
    room, chosen, over = state.room, list[Offer](), ""
    if state.setup or room is None:
        return state, []
    may = {one.id for one in state.offers if one.id not in state.parked and not state.wrong(one) and not one.why_not}
    for one in state.offers:
        if one.id not in may:
            continue
        whole = with_needs(state.offers, [one.id])
        if any(each.id not in may for each in whole):
            continue  # what it is made from waits for a key
        if any(part.micro is None for each in whole for part in each.parts):
            over = over or f"the price of {one.id} isn't known"
            continue
        together = with_needs(state.offers, [each.id for each in (*chosen, *whole)])
        if state.bill(together).most > room:
            over = (
                over
                or f"{one.id} needs {usd(state.bill(whole).most)}, and {usd(room - state.bill(chosen).most)} of --max-cost is left"
            )
            continue
        chosen = together
    state = state._replace(over=over)
    return _buy(state, chosen) if chosen else (state, [])


def _buy(state: State, offers: list[Offer]) -> tuple[State, list[Effect]]:
    """A hand for these purchases, those left out that are in another one."""
    busy, sum_ = state.busy, state.bill(offers)
    parts = [(one.id, part) for one in offers for part in one.parts if mark(one.id, part) not in busy]
    order = Order(
        tuple(dict.fromkeys(part.key for _, part in parts if part.key is not None)),
        tuple((name, part.number, part.sign) for name, part in parts if part.key is None),
        sum_.most,
        None if state.settings.cap is None else sum_.most,
    )
    ids = tuple(one.id for one in offers)
    marks = frozenset(mark(name, part) for name, part in parts)
    profile = state.outlook.profile if state.outlook is not None else None
    state = state._replace(
        parked=state.parked - set(ids), failed={name: text for name, text in state.failed.items() if name not in marks}
    )
    if not state.parked:
        state = state._replace(why_parked="")
    return _start(state, "", Task("buy", ids, profile, order), marks=marks, allotted=sum_.most)


def _start(
    state: State,
    name: str,
    task: Task,
    *,
    marks: frozenset[str] = frozenset(),
    signs: frozenset[tuple[str, str]] = frozenset(),
    allotted: int = 0,
) -> tuple[State, list[Effect]]:
    count = state.started + 1
    name = name or f"{task.kind}-{count}"
    task = task._replace(run=f"{state.session}-{count}")
    state = _with_hand(state._replace(started=count), name, Hand(task, marks, signs, allotted))
    return state, [Start(name, task)]


def _with_hand(state: State, name: str, hand: Hand) -> State:
    return state._replace(hands={**state.hands, name: hand})


# ── hands ──


def _happened(state: State, event: Happened) -> State:
    under = dict(state.under)
    if event.kind == "Started":
        under[event.id] = Under(event.word, event.at)
    elif event.kind in ("Finished", "Failed", "Kept", "StepFinished", "Held", "Skipped"):
        under.pop(event.id, None)
    return state._replace(under=under)


def _ended(state: State, event: Ended) -> tuple[State, list[Effect]]:
    hand = state.hands.get(event.hand)
    if hand is None:
        return state, []
    hands = {name: one for name, one in state.hands.items() if name != event.hand}
    effects: list[Effect] = []
    spent = max(hand.allotted, event.spent + event.reserved) - event.reserved if event.crashed else event.spent
    failed = dict(state.failed)
    if state.outlook is not None and not event.interrupted:  # what is offered again after this wasn't got, for whatever reason
        for one in state.outlook.offers:
            text = event.failed.get(one.id) or event.held.get(one.id) or event.setup.split("\n", 1)[0] or "it wasn't bought"
            failed |= dict.fromkeys((one.marks & hand.marks) - hand.withdrawn, text)
    kept = {pair for pair in hand.signs if pair[0] in event.failed}
    done = {pair for pair in hand.signs if pair not in kept and (event.interrupted or pair[0] in event.words)}
    drafted = state.drafted
    if hand.task.kind == "draft" and event.interrupted:
        drafted = {name: marks for name, marks in drafted.items() if name not in (hand.task.ids or ())}
    drafts = {**state.drafts, **event.drafts} if hand.task.kind == "draft" else state.drafts
    ids = set(hand.task.ids) if hand.task.ids is not None else None
    state = state._replace(
        hands=hands,
        under={name: one for name, one in state.under.items() if hands and (ids is not None and name not in ids)},
        spent=state.spent + spent,
        reserved=state.reserved + event.reserved,
        failed=failed,
        stuck=state.stuck | kept,
        tried=state.tried - done,
        drafts=drafts,
        drafted=drafted,
    )
    if event.crashed:
        effects.append(Say(event.crashed))
    if event.setup:
        effects.append(Say(event.setup))
    if state.phase is Phase.ENDING:
        return state, [*effects, *([] if hands else [Finish()])]
    if hand.task.kind == "draft":
        state, more = _move_on(state)  # nothing of the plan depends on drafts
        return state, effects + more
    if state.phase in (Phase.GATHERING, Phase.ASKING):
        return state._replace(touched=True), effects
    if state.phase is Phase.LOOKING:
        effects.append(CallOff())
    state, more = _look(state)
    return state, effects + more


# ── keys ──


def _pressed(state: State, event: Pressed) -> tuple[State, list[Effect]]:
    key = event.key
    if state.typed is not None:
        return _typing(state, event)
    if key in ("q", "Q", "\x03"):
        return _stopped(state)
    if key == "?":
        return state._replace(help=not state.help), []
    if key == "a":
        return state._replace(everything=not state.everything), []
    if key == "p":
        return _pause(state, not state.paused, event.at)
    if key == "b":
        return _ask(state, on_b(state), event.at)
    if len(key) == 1 and key in "123456789":
        name = next((name for name, number in state.numbers.items() if number == int(key)), None)
        found = with_needs(state.offers, [name]) if name is not None else []
        if name is None or not any(one.id == name for one in found):
            return state, [Say(f"there is no {key} on the list")]
        return _ask(state, found, event.at, key)
    return state, []


def on_b(state: State) -> list[Offer]:
    """What `b` buys: all but what failed before or has no room in the budget, with what hangs on that."""
    offers = {one.id: one for one in state.offers}
    fine = {name for name, one in offers.items() if not state.wrong(one) and not one.why_not}
    return [one for name, one in offers.items() if name in fine and all(need.id in fine for need in with_needs(offers, [name]))]


def _ask(state: State, offers: list[Offer], at: float, key: str = "b") -> tuple[State, list[Effect]]:
    no = _refusal(state, offers)
    if not no and at - state.listed_at < state.settings.settle:
        no = f"the list has changed just now: press {key} again if you mean what stands there"
    if no:
        return state, [Say(no)]
    if state.bill(offers).most > TYPED and state.settings.keys:
        if key != "b":
            return state, [Say("that is more than $20.00: press b, and type the amount")]
        return state._replace(typed=""), []
    return _buy(state, offers)


def _refusal(state: State, offers: list[Offer]) -> str:
    """Why these can't be bought now; "" if they can."""
    if state.phase is Phase.ENDING:
        return "the watch is ending: nothing more is bought"
    if state.broken:
        return "the spec has a mistake: nothing is bought until it can be read"
    if not offers and (stopped := next((one for one in state.offers if one.why_not), None)) is not None:
        return f"{stopped.why_not}\n  hint: {stopped.way_out}"
    if not offers:
        return "there is nothing to buy" if not state.offers else "what is left failed before: its number tries it again"
    if state.setup:
        return state.setup
    if state.paused:
        return "the watch is paused: p goes on"
    room, sum_ = state.room, state.bill(offers)
    if room is not None and sum_.most > room:
        return f"over --max-cost {usd(state.settings.cap or 0)}: {usd(sum_.most)} is needed, {usd(room)} is left"
    out = [one for one in offers if one.why_not]
    if out and len(out) == len(offers):
        return f"{out[0].why_not}\n  hint: {out[0].way_out}"
    return ""


def _typing(state: State, event: Pressed) -> tuple[State, list[Effect]]:
    typed, key = state.typed or "", event.key
    if key in ("\x1b", "\x03", "q"):
        return state._replace(typed=None), [Say("nothing was bought")]
    if key in ("\x7f", "\b"):
        return state._replace(typed=typed[:-1]), []
    if key not in ("\r", "\n"):
        return state._replace(typed=(typed + key)[:12] if key in "0123456789.,$" else typed), []
    offers = on_b(state)
    state = state._replace(typed=None)
    amount = usd(state.bill(offers).most).lstrip("$").replace(",", "")
    if typed.strip().lstrip("$").replace(",", "") != amount:
        return state, [Say(f"that isn't {amount}: nothing was bought")]
    no = _refusal(state, offers)
    return (state, [Say(no)]) if no else _buy(state, offers)


def _wished(state: State, event: Wished) -> tuple[State, list[Effect]]:
    def answer(done: bool, text: str, effects: list[Effect] | None = None, then: State = state) -> tuple[State, list[Effect]]:
        return then, [*(effects or []), Reply(event.reply, done, text)]

    if event.shown != state.shown:
        return answer(False, "the list has changed: look at it again, nothing was bought")
    offers = on_b(state) if event.ids is None else with_needs(state.offers, event.ids)
    sum_ = state.bill(offers)
    if no := _refusal(state, offers):
        return answer(False, no)
    if event.most < sum_.most:
        return answer(False, f"it costs {usd(sum_.most)} now: nothing was bought")
    then, effects = _buy(state, offers)
    return answer(True, f"buying {sum_.sure + sum_.later:,} for {usd(sum_.most)} at most", effects, then)


def _pause(state: State, paused: bool, at: float) -> tuple[State, list[Effect]]:
    """While it is paused nothing is begun, and what wasn't sent yet isn't."""
    state = state._replace(paused=paused)
    if not paused:
        return _move_on(state._replace(tried=frozenset()))
    effects: list[Effect] = []
    for name, hand in state.hands.items():
        if hand.task.kind == "buy" and hand.marks - hand.withdrawn:
            effects.append(Withdraw(name, hand.marks - hand.withdrawn))
            state = _with_hand(state, name, hand._replace(withdrawn=hand.marks))
        elif hand.task.kind in ("free", "draft"):
            effects.append(Halt(name))
    return state, effects


def _stopped(state: State) -> tuple[State, list[Effect]]:
    effects: list[Effect] = [CallOff()] if state.phase is Phase.LOOKING else []
    if state.phase is not Phase.ENDING and any(hand.task.kind in ("buy", "fetch") for hand in state.hands.values()):
        effects.append(Say("stopping: nothing more is asked for (^C again ends at once)"))
    effects += [Halt(name) for name in state.hands]
    if not state.hands:
        effects.append(Finish())
    return state._replace(phase=Phase.ENDING), effects


def money(state: State) -> Money:
    """What this session has spent, as the journal said at the last look."""
    return state.outlook.money if state.outlook is not None else Money()


def _sum(text: str) -> int:
    """A short number that another text hardly has; the same in every process."""
    import zlib

    return zlib.crc32(text.encode())
