"""A watch on a terminal, and as plain lines. What stays scrolls by as lines; below them stands what waits, what is being made, and what the keys do.

Draws what the state says; decides nothing. The drawing itself (`picture`) is a function from a state to rows of painted text.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from .. import events
from ..pricing import usd
from ..report.ink import Ink
from ..report.lines import Lines
from ..report.measures import cut, pad, width
from ..report.words import seconds
from .outlook import Offer, with_needs
from .state import Phase, State, money, on_b

NARROW = 50  # columns below which nothing is painted, and lines are cut
ROWS = 9  # of the list, without `a`
_PAINT = re.compile(r"\x1b\[[0-9;]*m")
DOING = {"compose": "composing", "cut": "cutting", "buy": "buying", "draw": "drawing", "fetch": "fetching"}
HELP = (
    "b      buys everything on the list, for the price below it",
    "1-9    buys one, with what it is made from",
    "p      pauses: nothing is begun, and what wasn't sent yet isn't",
    "a      shows all that waits, and what a person has to decide",
    "q, ^C  ends; what is at a vendor goes on, and is fetched the next time",
)


def picture(state: State, ink: Ink, columns: int, rows: int, now: float, *, keys: bool = True) -> list[str]:
    """The part of the screen that doesn't scroll: at most `rows` lines of `columns` cells."""
    said: list[str] = [ink("dim", "─" * columns), *_trouble(state, ink, columns)]
    foot = [*_making(state, ink, columns, now), *_sum(state, ink, columns), *_keys(state, ink, columns, keys=keys)]
    room = max(3, rows - len(said) - len(foot) - 1)
    drawn = [*said, *_list(state, ink, columns, room if state.everything else min(room, ROWS)), *foot]
    return drawn if columns >= NARROW else [cut(_PAINT.sub("", row), columns) for row in drawn]


def _trouble(state: State, ink: Ink, columns: int) -> Iterator[str]:
    if not state.broken:
        return
    lines = state.broken.rstrip().split("\n")
    for number, line in enumerate(lines[:12]):
        yield ink("red" if number == 0 else "", _fit(line, columns))
    if len(lines) > 12:  # noqa: PLR2004 - a screen
        yield ink("dim", f"… and {len(lines) - 12} more lines: `assetbuild plan` shows them all")
    if state.outlook is not None:
        yield ink("dim", "the last plan that could be made:")


def _list(state: State, ink: Ink, columns: int, most: int) -> Iterator[str]:
    offers = state.offers
    if state.outlook is None:
        return
    names = [one.id for one in offers]
    column = min(max((width(name) for name in names), default=0), max(12, columns // 3))
    offers.sort(key=lambda one: state.numbers.get(one.id, 10))
    for one in offers[:most]:
        yield _row(state, one, ink, columns, column)
    if len(offers) > most:
        yield ink("dim", f"   … and {len(offers) - most:,} more (a shows all)")
    waiting = [line for line in state.outlook.lines if line.strip()]
    if waiting and state.everything:
        wrapped = [part for line in waiting for part in _wrapped(line, columns)]
        yield from wrapped[: max(0, most - len(offers))]
    elif waiting:
        states = [card["state"] for card in state.outlook.cards.values()]
        held, failed = states.count("held"), states.count("failed")
        told = [f"{_wait(held)} for a person"] * bool(held) + [f"{failed:,} failed"] * bool(failed)
        if told:
            yield ink("yellow", ", ".join(told)) + ink("dim", " (a shows them)")


def _row(state: State, one: Offer, ink: Ink, columns: int, column: int) -> str:
    number = state.numbers.get(one.id)
    own = state.bill([one])
    price = "price unknown" if own.unknown else usd(own.most)
    wrong = state.wrong(one)
    whole = state.bill(with_needs(state.offers, [one.id]))
    more = f" ({usd(whole.most)} with what it is made from)" if whole.most > own.most else ""
    why = f"failed: {wrong}" if wrong else one.why_not or one.reason
    head = f" {number or ' '}  "
    text = f"{pad(cut(one.id, column), column)}  {price:>7}  "
    room = columns - width(head + text)
    return ink("bold", head) + text + ink("red" if wrong else "dim", cut(f"{why}{more}", max(4, room)))


def _making(state: State, ink: Ink, columns: int, now: float) -> Iterator[str]:
    under = list(state.under.items())
    for name, one in under[:4]:
        word, took = DOING.get(one.word, one.word), seconds(now - one.since)
        yield ink("cyan", f"{word:9} ") + _fit(f"{name}  {took}", columns - 10)
    if len(under) > 4:  # noqa: PLR2004 - a screen
        yield ink("dim", f"          and {len(under) - 4} more")


def _sum(state: State, ink: Ink, columns: int) -> Iterator[str]:
    offers, parts = on_b(state), list[str]()
    if state.outlook is None:
        yield ink("dim", "there is no plan yet" if state.broken else "planning …")
        return
    if offers:
        found = state.bill(offers)
        if found.sure:
            parts.append(f"{found.sure:,} to buy {usd(found.certain)}")
        if found.later:
            parts.append(f"{found.later:,} may follow, at most {usd(found.most)}")
        if found.unknown:
            parts.append(f"{found.unknown} of unknown price")
    elif not state.offers and not state.broken and not state.busy:
        parts.append("nothing to buy")
    if state.busy:
        parts.append(f"{len(state.busy):,} on the way")
    told = money(state)
    parts.append(f"{usd(told.spent)} spent{' at an emulator' if told.rehearsal else ''}")
    if state.settings.cap is not None:
        parts.append(f"{usd(state.room or 0)} of --max-cost {usd(state.settings.cap)} left")
    elif told.left is not None:
        parts.append(f"{usd(told.left)} of the budget left")
    yield from (ink("bold", row) for row in _wrapped(" · ".join(parts), columns))
    if state.setup and offers:
        yield from (ink("yellow", row) for row in _wrapped(state.setup, columns))
    if state.paused:
        yield ink("yellow", "paused: p goes on")
    elif state.settings.auto and state.parked:
        yield ink("yellow", _fit(f"{state.why_parked}: {_wait(len(state.parked))} for a key, b buys", columns))
    elif state.settings.auto and state.over:
        yield ink("yellow", _fit(f"--auto waits: {state.over}", columns))


def _keys(state: State, ink: Ink, columns: int, *, keys: bool) -> Iterator[str]:
    if not keys:
        return
    if state.typed is not None:
        yield ink("yellow", f"That is {usd(state.bill(on_b(state)).most)}. Type the amount and Enter, or Esc: {state.typed}▏")
        return
    if state.help:
        yield from (_fit(line, columns) for line in HELP)
    at = (
        "planning …"
        if state.phase in (Phase.LOOKING, Phase.ASKING, Phase.GATHERING)
        else "ending …"
        if state.phase is Phase.ENDING
        else ""
    )
    words = "b buy all · 1-9 buy one · p pause · a all · ? help · q quit"
    if not state.offers:
        words = "p pause · a all · ? help · q quit"
    gap = columns - width(words) - width(at)
    yield ink("dim", words + " " * gap + at if at and gap > 1 else _fit(words, columns))


def _wait(count: int) -> str:
    return f"{count:,} wait{'s' * (count == 1)}"


def _wrapped(line: str, columns: int) -> list[str]:
    """A line of the plan in as many lines as it needs, below where its words begin."""
    import textwrap

    indent = 11 if line.startswith(" ") or len(line.split("  ", 1)[0]) < 11 else 0  # noqa: PLR2004 - the plan's first column
    plain = "".join(each if each.isprintable() else " " for each in line.expandtabs(4))
    return textwrap.wrap(plain, columns, subsequent_indent=" " * indent, drop_whitespace=True, replace_whitespace=False) or [""]


def _fit(text: str, columns: int) -> str:
    """One line of text: no control character of a user's file reaches the terminal."""
    return cut("".join(each if each.isprintable() else " " for each in text.expandtabs(4)), columns)


def event_of(kind: str, fields: list[Any]) -> events.Event:
    """The event that a child told of."""
    found = getattr(events, kind)(*(tuple(field) if isinstance(field, list) else field for field in fields))
    assert isinstance(found, events.Event)  # noqa: S101 - our own children speak
    return found


class Plain:
    """A watch without a terminal: lines only, no keys."""

    moving = False

    def __init__(self, stream: TextIO, ink: Ink, gone: Callable[[], None]) -> None:
        self.stream, self.ink, self.gone = stream, ink, gone
        self.lines = Lines(self._write, ink)
        self._told: tuple[Any, ...] = ()

    def _write(self, line: str) -> None:
        try:
            self.stream.write(line + "\n")
            self.stream.flush()
        except BrokenPipeError:  # nobody reads it any more: `watch | head`
            self.gone()

    def happened(self, kind: str, fields: list[Any]) -> None:
        """A line for what was made."""
        if kind != "Summed":
            self.lines(event_of(kind, fields))
            self.lines.flush()

    def say(self, text: str) -> None:
        """A line."""
        for line in text.split("\n"):
            self._write(line)

    def show(self, state: State) -> None:
        """Says what waits whenever that changes."""
        now = (state.broken, state.shown, state.why_parked, state.over, state.paused)
        if now == self._told or state.phase is not Phase.IDLE or (state.outlook is None and not state.broken):
            return
        before, self._told = self._told, now
        if state.broken:
            self.say(state.broken)
            return
        if before and before[0]:
            self.say("the spec can be read again")
        for one in state.offers:
            wrong = state.wrong(one)
            price = "price unknown" if state.bill([one]).unknown else usd(state.bill([one]).most)
            self._write(f"{'waiting':9} {one.id}  {price}  {f'failed: {wrong}' if wrong else one.why_not or one.reason}")
        for line in _sum(state, Ink(on=False), 1000):
            self._write(line)

    def close(self) -> None:
        """Nothing to give back."""


class Terminal:
    """A watch on a terminal, with keys. `press` hears each key, in a thread of its own."""

    def __init__(self, stream: TextIO, ink: Ink, press: Callable[[str], None], gone: Callable[[], None]) -> None:
        self.stream, self.ink, self.press, self.gone = stream, ink, press, gone
        self.lines = Lines(self._write, ink, columns=self._size()[0])
        self.moving = False
        self._height, self._columns = 0, 0
        self._drawn: list[str] = []
        self._above: list[str] = []
        self._before: Any = None
        self._done = threading.Event()
        self._wake: tuple[int, int] | None = None
        self._reader = threading.Thread(target=self._read, name="keys", daemon=True)

    def open(self) -> None:
        """Takes the terminal: keys come as they are pressed, the cursor is hidden."""
        if sys.platform != "win32":
            import termios
            import tty

            self._before = termios.tcgetattr(sys.stdin.fileno())
            tty.setcbreak(sys.stdin.fileno())
            self._wake = os.pipe()
        self.stream.write("\x1b[?25l")
        self.stream.flush()
        self._reader.start()

    def close(self) -> None:
        """Gives the terminal back; what stood below is wiped."""
        self._done.set()
        with contextlib.suppress(OSError, ValueError):
            self._wipe()
            self.stream.write("\x1b[?25h")
            self.stream.flush()
        if self._wake is not None:
            os.write(self._wake[1], b"x")
            self._reader.join(1)
            for end in self._wake:
                os.close(end)
        if self._before is not None and sys.platform != "win32":
            import termios

            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def happened(self, kind: str, fields: list[Any]) -> None:
        """A line for what was made."""
        if kind != "Summed":
            self.lines.columns = self._size()[0]
            self.lines(event_of(kind, fields))
            self.lines.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        for line in text.split("\n"):
            self._write(line)

    def _write(self, line: str) -> None:
        self._above.append(line)

    def show(self, state: State) -> None:
        """Draws what has changed."""
        self.moving = bool(state.under)
        columns, rows = self._size()
        drawn = picture(state, self.ink, columns - 1, max(6, rows - 2), time.monotonic(), keys=True)
        if drawn == self._drawn and not self._above and columns == self._columns:
            return
        if columns < self._columns:  # what stands there was broken into more lines by a terminal that became narrower
            self._height = sum(1 + max(0, width(_PAINT.sub("", line)) - 1) // columns for line in self._drawn)
        parts = [self._up(), *(f"{line}\x1b[K\n" for line in (*self._above, *drawn)), "\x1b[J"]
        with contextlib.suppress(OSError, ValueError):
            self.stream.write("".join(parts))
            self.stream.flush()
        self._above, self._drawn, self._height, self._columns = [], drawn, len(drawn), columns

    def _up(self) -> str:
        return f"\r\x1b[{self._height}A" if self._height else "\r"

    def _wipe(self) -> None:
        self.stream.write(self._up() + "\x1b[J" + "".join(f"{line}\n" for line in self._above))
        self._above, self._height = [], 0

    def _size(self) -> tuple[int, int]:
        try:
            found = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        return max(20, found.columns or 80), max(8, found.lines or 24)

    def _read(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            while not self._done.is_set():
                if msvcrt.kbhit():
                    self.press(msvcrt.getwch())
                else:
                    self._done.wait(0.05)
            return
        import select

        keyboard = sys.stdin.fileno()
        assert self._wake is not None  # noqa: S101 - `open` made it
        while not self._done.is_set():
            try:
                ready, _, _ = select.select([keyboard, self._wake[0]], [], [])
                some = os.read(keyboard, 64) if keyboard in ready else b"\0"
            except OSError:
                some = b""
            if not some:
                self.gone()
                return
            text = some.decode("utf-8", "ignore")
            if text.startswith("\x1b") and len(text) > 1:
                continue  # an arrow or another key that means nothing here
            for key in text:
                if key != "\0":
                    self.press(key)
