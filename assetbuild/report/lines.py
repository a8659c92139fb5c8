"""A run as plain lines: for logs, pipes and CI, and above the live table. One line a thing that happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from ..events import Event, Failed, Finished, Held, Kept, Said, Skipped, Started, StepFinished, Summed
from .ink import Ink
from .words import seconds, summary

_WIDTH = 9


class Lines:
    """Writes each event as it happens; `write` gets whole lines. Skipped assets are counted, the first few are named."""

    def __init__(self, write: Callable[[str], None], ink: Ink, *, verbose: bool = False) -> None:
        self.write, self.ink, self.verbose = write, ink, verbose
        self._skipped = 0

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to wipe: lines stay."""

    def __call__(self, event: Event) -> None:
        """One event."""
        ink = self.ink
        match event:
            case Started():
                if self.verbose:
                    self._line("dim", event.word, event.id, event.reason)
            case StepFinished():
                self._line("green", event.word, event.id, f"step {event.step} of {event.steps}")
            case Finished():
                where = event.outputs[0] if len(event.outputs) == 1 else f"{event.outputs[0]} and {len(event.outputs) - 1} more"
                self._line("green", event.word, event.id, f"{where}  {ink('dim', seconds(event.seconds))}")
            case Held():
                self._line("yellow", "waiting", event.id, event.text)
                self._hint(event.hint)
            case Failed():
                self._line("red", "failed", event.id, event.text)
                self._hint(event.hint)
            case Kept():
                self._line("yellow", "kept", event.id, event.text)
            case Skipped():
                self._skipped += 1
                if self._skipped <= 10 or self.verbose:  # noqa: PLR2004 - a screen is for reading
                    self._line("dim", "skipped", event.id, event.text)
            case Said():
                self.write(event.text)
            case Summed():
                self.write(summary(event))
            case _:
                assert_never(event)

    def _line(self, style: str, word: str, name: str, rest: str) -> None:
        self.write(f"{self.ink(style, word.ljust(_WIDTH))} {self.ink('bold', name)}  {rest}")

    def _hint(self, hint: str) -> None:
        if hint:
            self.write(f"{' ' * _WIDTH} {self.ink('dim', 'hint:')} {hint}")
