"""A run as plain lines: for logs, pipes and CI, and above the live table. One line a thing that happened; many assets that wait
for one reason are summed up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import assert_never

from ..events import Event, Exported, Failed, Finished, Held, Kept, Said, Skipped, Started, StepFinished, Summed
from .flow import ALIKE, flow, for_all, likeness
from .ink import Ink
from .measures import width
from .words import seconds, summary

_WIDTH = 9


class Lines:
    """Writes each event as it happens; `write` gets whole lines. A context: what waits to be summed up is written on leaving.

    `count` is how many assets the run is about if that is all of them (else 0), `columns` the terminal's width (0: no terminal, nothing is wrapped).
    """

    def __init__(
        self, write: Callable[[str], None], ink: Ink, *, verbose: bool = False, count: int = 0, columns: int = 0
    ) -> None:
        self.write, self.ink, self.verbose = write, ink, verbose
        self.count, self.columns = count, columns
        self._waiting: list[Held | Skipped] = []  # most come in one go, before the work begins
        self._begun = False

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to wipe: lines stay."""
        self.flush()

    def __call__(self, event: Event) -> None:
        """One event."""
        if not isinstance(
            event, (Held, Skipped) if not self._begun else (Held, Skipped, Started, StepFinished, Finished, Exported)
        ):
            self.flush()  # what waits from here on is said together, at the end
        self._begun = self._begun or isinstance(event, Started)
        match event:
            case Started():
                if self.verbose:
                    self._line("dim", event.word, event.id, event.reason)
            case StepFinished():
                self._line("green", event.word, event.id, f"step {event.step} of {event.steps}")
            case Finished():
                where = event.outputs[0] if len(event.outputs) == 1 else f"{event.outputs[0]} and {len(event.outputs) - 1} more"
                self._line("green", event.word, event.id, f"{where} ", seconds(event.seconds))
            case Exported():
                where = event.paths[0] if len(event.paths) == 1 else f"{event.paths[0]} and {len(event.paths) - 1} more"
                self._line("green", "exported", event.id, f"{where} ", seconds(event.seconds))
            case Held() | Skipped():
                self._waiting.append(event)
            case Failed():
                self._line("red", "failed", event.id, event.text)
                self._hint(event.hint)
            case Kept():
                self._line("yellow", "kept", event.id, event.text)
            case Said():
                self.write(event.text)
            case Summed():
                self.write(summary(event))
            case _:
                assert_never(event)

    def flush(self) -> None:
        """Writes what waits or was left out so far, like reasons summed up."""
        waiting, self._waiting = self._waiting, []
        same = Counter(_sentence(event) for event in waiting) if not self.verbose else Counter[tuple[type, str, str]]()
        alone = [event for event in waiting if same[_sentence(event)] < 2]  # noqa: PLR2004 - the others share a line
        kinds = [(type(event), likeness(event.text)) for event in alone]
        counts = Counter(kinds)
        every = len(waiting) == self.count and sum(kind is Held for kind, _ in counts) == 1
        seen: Counter[tuple[type, str]] = Counter()
        told: set[tuple[type, str, str]] = set()
        for event in waiting:
            if (what := _sentence(event)) in same and same[what] > 1:
                if what not in told:
                    told.add(what)
                    self._together([one for one in waiting if _sentence(one) == what])
                continue
            kind = type(event), likeness(event.text)
            seen[kind] += 1
            folded = counts[kind] > ALIKE and not self.verbose
            if folded and seen[kind] > ALIKE:
                continue
            self._line(*_words(event), event.id, event.text)
            hint = _hint_of(event)
            if not folded:
                self._hint(hint)
            elif seen[kind] == ALIKE:
                self._line("dim", "", "", f"… and {counts[kind] - ALIKE:,} more: {kind[1]}")
                self._hint(for_all(hint, event.id, every=every))

    def _together(self, some: list[Held | Skipped]) -> None:
        """Assets of which the very same is to be said."""
        style, word = _words(some[0])
        more = f" and {len(some) - ALIKE:,} more" if len(some) > ALIKE else ""
        parts = [("bold", ", ".join(one.id for one in some[:ALIKE])), ("", f"{more}  {some[0].text}".removeprefix(" "))]
        start = _WIDTH + 1
        for line in flow(f"{self.ink(style, word.ljust(_WIDTH))} ", start, parts, self.ink, self.columns, start):
            self.write(line)
        self._hint(_hint_of(some[0]))

    def _line(self, style: str, word: str, name: str, rest: str, dim: str = "") -> None:
        start = _WIDTH + 1
        head, taken = f"{self.ink(style, word.ljust(_WIDTH))} ", start
        if name:
            head, taken = f"{head}{self.ink('bold', name)}  ", start + width(name) + 2
        for line in flow(head, taken, [("", rest), *([("dim", dim)] if dim else [])], self.ink, self.columns, start):
            self.write(line)

    def _hint(self, hint: str) -> None:
        if hint:
            first, *block = hint.split("\n")  # lines to be written into a spec keep their form
            parts = [("dim", "hint:"), ("", first)]
            for line in flow(" " * (_WIDTH + 1), _WIDTH + 1, parts, self.ink, self.columns, _WIDTH + 1):
                self.write(line)
            for line in block:
                self.write(" " * (_WIDTH + 3) + line)


def _hint_of(event: Held | Skipped) -> str:
    return event.hint if isinstance(event, Held) else ""


def _sentence(event: Held | Skipped) -> tuple[type, str, str]:
    """What is said of an asset."""
    return type(event), event.text, _hint_of(event)


def _words(event: Held | Skipped) -> tuple[str, str]:
    """Style and word."""
    return ("yellow", "waiting") if isinstance(event, Held) else ("dim", "skipped")
