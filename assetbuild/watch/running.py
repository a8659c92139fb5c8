"""Carries out what `state.step` says: one loop, fed by a queue. Holds the eyes, the children and the view together; decides nothing by itself.

Everything that happens (a file, a key, a line of a child, a button of the page) is put into the queue by whoever notices it, and is taken out by one thread.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..files import stamp
from . import state as machine
from .eyes import Eyes, Seen
from .following import Following
from .gitview import Signature, dirs, look, moved
from .hands import Child
from .near import Near
from .outlook import Follow, Outlook, from_json
from .state import (
    AskGit,
    Broken,
    CallOff,
    Changed,
    Ended,
    Event,
    Finish,
    GitSeen,
    Halt,
    Happened,
    Look,
    Paused,
    Phase,
    Planned,
    Pressed,
    Reply,
    Say,
    Settings,
    Start,
    State,
    Stopped,
    Ticked,
    Wished,
    Withdraw,
)

TICK = 1.0  # seconds between two pictures of something that takes time
LOG = 50


class View(Protocol):
    """Who shows what happens. Called from the loop's thread only."""

    moving: bool  # whether seconds are shown that count up

    def show(self, state: State) -> None:
        """The state is this now."""

    def happened(self, kind: str, fields: list[Any]) -> None:
        """An event of a child, see `events.py`."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def close(self) -> None:
        """Gives the terminal back."""


class Place(NamedTuple):
    """Which spec is watched."""

    root: Path
    spec: str
    profile: str | None
    environ: Mapping[str, str]


class Watch:
    """One watch, from its first plan to its end. `put` may be called from any thread; `run` runs in the main one."""

    def __init__(self, place: Place, settings: Settings, *, poll: bool | None = None) -> None:
        self.place, self.settings = place, settings
        self.session = f"watch-{os.getpid()}-{secrets.token_hex(4)}"
        self.queue: queue.SimpleQueue[Event | tuple[str, Any]] = queue.SimpleQueue()
        self.state = State()
        self.view: View | None = None
        self.hear_state: list[Callable[[State], None]] = []  # the page
        self.log: list[tuple[float, str]] = []
        self._children: dict[str, Child] = {}
        self._looker: Child | None = None
        self._ends: dict[str, dict[str, Any]] = {}
        self._runs: list[str] = []
        self._near = Near(place)
        self._signature: Signature | None = None
        self._git = dirs(place.root)
        self._eyes = Eyes(self._seen, poll=poll, said=lambda text: self.put(("say", text)))
        self._over = False
        self._lock, self._lock_after = "", None
        self._look_began = time.time()

    def put(self, event: Event | tuple[str, Any]) -> None:
        """Something happened."""
        self.queue.put(event)

    # ── the loop ──

    def run(self, view: View) -> int:
        """Until somebody ends it; gives the exit code."""
        self.view = view
        stopped = self._signals()
        try:
            if self._git is not None:
                self._signature = look(*self._git)
            self._eyes.set(self._following(Follow(files=(self.place.spec,))))
            self._eyes.start()
            self.state, effects = machine.begin(self.settings, self.session, time.monotonic())
            self._perform(effects)
            while not self._over:
                self._show()
                self._turn()
            return 130 if self._interrupted else 0
        finally:
            self._close()
            for name, before in stopped.items():
                signal.signal(name, before)

    _interrupted = False

    def _turn(self) -> None:
        """Waits for the next event, and takes all that are there."""
        now, due = time.monotonic(), machine.deadline(self.state)
        wait = None if due is None else max(0.0, due - now)
        if self.view is not None and self.view.moving:
            wait = TICK if wait is None else min(wait, TICK)
        with contextlib.suppress(queue.Empty):
            self._take(self.queue.get(timeout=wait))
            while not self._over:
                self._take(self.queue.get_nowait())
        due = machine.deadline(self.state)
        if due is not None and time.monotonic() >= due:
            self._take(Ticked(time.monotonic()))

    def _take(self, event: Event | tuple[str, Any]) -> None:
        if type(event) is tuple:
            self._aside(*event)
            return
        assert isinstance(event, Event)  # noqa: S101 - all else is a plain pair
        if isinstance(event, Stopped):
            self._interrupted = True
        self.state, effects = machine.step(self.state, event)
        self._perform(effects)

    def _aside(self, kind: str, what: Any) -> None:  # noqa: ANN401
        """What changes no state: lines, and what children say."""
        if kind == "say":
            self._say(what)
        elif kind == "call":
            what()
        elif kind == "later":  # once what has happened stands on the screen
            self._show()
            what()

    def _show(self) -> None:
        if self.view is not None:
            self.view.show(self.state)
        for hear in self.hear_state:
            hear(self.state)

    def _say(self, text: str) -> None:
        self.log = [*self.log[-LOG + 1 :], (time.time(), text)]
        if self.view is not None:
            self.view.say(text)

    # ── effects ──

    def _perform(self, effects: list[machine.Effect]) -> None:
        for effect in effects:
            match effect:
                case AskGit():
                    self._ask_git()
                case Look(serial):
                    self._look(serial)
                case CallOff():
                    self._call_off()
                case Start(name, task):
                    self._start(name, task)
                case Withdraw(name, marks):
                    if name in self._children:
                        self._children[name].tell({"withdraw": sorted(marks)})
                case Halt(name):
                    if name in self._children:
                        self._children[name].halt()
                case Say(text):
                    self._say(text)
                case Reply(to, done, text):
                    self._say(text)
                    if to is not None:
                        to(done, text)
                case Finish():
                    self._over = True

    def _ask_git(self) -> None:
        words, locked = "", False
        if self._git is not None:
            now = look(*self._git)
            if self._signature is not None:
                words = moved(self._signature, now)
            self._signature, locked = now, now.locked
        self.put(GitSeen(time.monotonic(), words, locked))

    def _look(self, serial: int) -> None:
        quick = self._near.outlook(self.state.outlook, self._runs, shown=bool(self.hear_state))
        if quick is not None:
            self.put(Planned(time.monotonic(), serial, quick))
            self.put(("later", _give_back))
            return
        request: dict[str, Any] = {
            "do": "look",
            "root": str(self.place.root),
            "spec": self.place.spec,
            "profile": self.place.profile,
        }
        request |= {"runs": self._runs, "shown": bool(self.hear_state)}
        answered: list[bool] = []

        def hear(kind: str, what: Any) -> None:  # noqa: ANN401
            if kind == "outlook":
                answered.append(True)
                self.put(("call", functools.partial(self._planned, serial, what)))
            elif kind in ("broken", "bug") or (kind == "gone" and not answered):
                answered.append(True)
                text = what or "the plan was ended from outside"
                self.put(Broken(time.monotonic(), serial, _bug(text) if kind != "broken" else text))

        self._near.begin()
        self._look_began = time.time()
        self._looker = Child(request, hear, self.place.environ, name=f"look {serial}")

    def _planned(self, serial: int, raw: Mapping[str, Any]) -> None:
        if serial != self.state.serial or self.state.phase is not Phase.LOOKING:
            return
        self._near.learn(raw.get("outline"))
        found = from_json({name: value for name, value in raw.items() if name != "outline"})
        following = self._following(found.follow)
        self._lock = os.path.normpath(os.path.join(following.root, found.follow.lock))
        self._eyes.set(following, self._look_began)
        self._take(Planned(time.monotonic(), serial, found))
        del raw
        self.put(("later", _give_back))

    def _call_off(self) -> None:
        if self._looker is not None:
            self._looker.kill()  # it only reads
            self._looker.join()
            self._looker = None

    def _start(self, name: str, task: machine.Task) -> None:
        request: dict[str, Any] = {"do": "make", "root": str(self.place.root), "spec": self.place.spec, "profile": task.profile}
        request |= {"kind": task.kind, "ids": task.ids, "run": task.run}
        if task.order is not None:
            request["order"] = task.order._asdict()
        if task.kind in ("buy", "fetch"):
            self._runs.append(task.run)
        self._ends[name] = {}

        def hear(kind: str, what: Any) -> None:  # noqa: ANN401
            self.put(("call", lambda: self._heard(name, kind, what)))

        try:
            self._children[name] = Child(request, hear, self.place.environ, name=name)
        except OSError as problem:
            self.put(Ended(time.monotonic(), name, crashed=f"no child could be started: {problem.strerror}"))

    def _heard(self, name: str, kind: str, what: Any) -> None:  # noqa: ANN401 - lines of JSON
        now = time.monotonic()
        if kind == "event":
            kind, fields = what
            if self.view is not None:
                self.view.happened(kind, fields)
            self._note(kind, fields)
            if kind not in ("Said", "Summed", "Exported"):
                word = fields[3] if kind in ("Started", "StepFinished") else fields[1]
                self._take(Happened(now, name, kind, fields[0], str(word)))
        elif kind == "said":
            self._say(what)
        elif kind == "end":
            self._ends[name] = what
        elif kind == "broken":
            self._ends[name] = {"crashed": what}
        elif kind == "bug":
            self._ends[name] = {"crashed": _bug(what)}
        elif kind == "gone":
            self._gone(name, what, now)

    def _gone(self, name: str, words: str, now: float) -> None:
        child = self._children.pop(name, None)
        end = self._ends.pop(name, {})
        if child is not None:
            child.join()
        if not end and not (child is not None and child.halted and not words):
            end = {"crashed": f"a child of the watch was ended from outside{': ' + words if words else ''}"}
        elif not end:
            end = {"crashed": "", "interrupted": True}
        known = {field: end[field] for field in Ended._fields if field in end}
        self._near.forget()
        if not self._children:
            self._lock_after = _lock_stamp(self._lock)
        self._take(Ended(now, name, **known))

    def _note(self, kind: str, fields: list[Any]) -> None:
        """For the page's log."""
        if kind == "Finished":
            text = f"{fields[1]} {fields[0]}"
        elif kind == "Failed":
            text = f"failed {fields[0]}: {fields[1]}"
        elif kind == "Said":
            text = str(fields[0])
        else:
            return
        self.log = [*self.log[-LOG + 1 :], (time.time(), text)]

    # ── senses ──

    def _following(self, follow: Follow) -> Following:
        return Following.of(self.place.root, self.place.spec, follow, self._git)

    def _seen(self, seen: Seen) -> None:
        now = time.monotonic()  # the quiet period counts from here, however long the loop is busy
        self.put(("call", lambda: self._changed(seen, now)))

    def _changed(self, seen: Seen, at: float) -> None:
        lock_only = bool(seen.paths) and not seen.everything and seen.paths <= {self._lock}
        if lock_only and (self._children or _lock_stamp(self._lock) == self._lock_after):
            return  # our own children wrote it; the look that follows them reads it
        if not seen.git:
            self._near.changed(seen.paths, everything=seen.everything)
        self._take(Changed(at, files=not seen.git))

    def _signals(self) -> dict[int, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        names = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
        before: dict[int, Any] = {name: signal.signal(name, lambda *_: self.put(Stopped(time.monotonic()))) for name in names}
        if hasattr(signal, "SIGWINCH"):  # the terminal has another size: it is drawn anew
            before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, lambda *_: self.put(("call", int)))
        return before

    def _close(self) -> None:
        self._eyes.close()
        self._call_off()
        for child in self._children.values():
            child.halt()
        for child in list(self._children.values()):
            child.join()
        if self.view is not None:
            self.view.close()


def pause(watch: Watch, paused: bool) -> None:
    """The page's pause."""
    watch.put(Paused(time.monotonic(), paused))


def press(watch: Watch, key: str) -> None:
    """A key of the terminal."""
    watch.put(Pressed(time.monotonic(), key))


def wish(watch: Watch, ids: tuple[str, ...] | None, most: int, shown: str, reply: Callable[[bool, str], None]) -> None:
    """The page's button."""
    watch.put(Wished(time.monotonic(), ids, most, shown, reply))


def _give_back() -> None:
    """Memory of what was read and let go of goes back to the system, where its library knows how: a watch is open all day."""
    import ctypes
    import gc

    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _lock_stamp(path: str) -> Any:  # noqa: ANN401 - compared only
    return stamp(Path(path)) if path else None


def _bug(trace: str) -> str:
    return f"this is a bug of assetbuild, not yours; nothing that was paid for is lost\n\n{trace.strip()}"


__all__ = ["Outlook", "Place", "View", "Watch", "pause", "press", "wish"]
