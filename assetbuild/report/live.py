"""A run on a terminal: finished things scroll by as lines, below them what is being made now and a bar. rich does the drawing."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, TextIO

from ..events import Event, Failed, Finished, Held, Kept, Skipped, Started, StepFinished, Summed
from .ink import Ink
from .lines import Lines
from .measures import cut, pad, width
from .words import seconds

ROWS = 6  # things in flight that are shown
_DOING = {"compose": "composing", "cut": "cutting"}
_WORD, _TIME = 9, 8  # columns of what is being done, and for how long


class Live:
    """A context: on entering the table appears, on leaving it is wiped, so that only lines stay."""

    def __init__(
        self,
        stream: TextIO,
        ink: Ink,
        count: int,
        *,
        verbose: bool = False,
        whole: bool = False,
        columns: int = 80,
        busy: int = 0,
    ) -> None:
        """`count` assets, of which `busy` aren't up to date (0: all); `whole` if that is all of the spec."""
        self.stream, self.ink, self.count, self.columns = stream, ink, busy or count, columns
        self.lines = Lines(self._print, ink, verbose=verbose, count=count if whole else 0, columns=columns)
        self.running: dict[str, tuple[float, Started]] = {}
        self.ended = 0
        self._live: Any = None

    def __enter__(self) -> Live:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.lines.flush()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: Event) -> None:
        """One event."""
        match event:
            case Started():
                self.lines.flush()
                self._start()
                self.running[event.id] = (time.monotonic(), event)
            case Finished() | Held() | Failed() | Kept() | Skipped():
                self.running.pop(event.id, None)
                self.ended += 1
                self.lines(event)
            case StepFinished():
                self.running.pop(event.id, None)
            case Summed():
                pass
            case _:
                self.lines(event)

    def _start(self) -> None:
        if self._live is not None:
            return
        from rich.console import Console  # 40 ms, on a terminal only
        from rich.live import Live as RichLive

        console = Console(file=self.stream, no_color=not self.ink.on, highlight=False, width=self.columns)
        console.on_broken_pipe = _reader_left  # type: ignore[method-assign]
        self._live = RichLive(get_renderable=self._table, console=console, refresh_per_second=8, transient=True)
        self._live.start()

    def _print(self, line: str) -> None:
        if self._live is None:
            self.stream.write(line + "\n")
            self.stream.flush()
            return
        from rich.text import Text

        self._live.refresh()  # rich draws the last table below the line again: it must be the one of now
        self._live.console.print(Text.from_ansi(line), soft_wrap=True)

    def _table(self) -> Any:  # noqa: ANN401 - a rich renderable
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        room = max(10, self.columns - _WORD - _TIME - 2)
        rows: list[Any] = []
        flying = list(self.running.items())
        for name, (began, event) in flying[:ROWS]:
            word = _DOING.get(event.word, event.word + "ing")
            step = f"  step {event.step} of {event.steps}" if event.steps > 1 else ""
            usual = f", about {event.usual:.0f} s" if event.usual >= 1 else ""
            where = (
                f"  {event.where}{usual}" if event.where and room - width(event.where + usual) >= width(name + step) + 2 else ""
            )
            shown = cut(name, room - width(step + where)) + step
            gap = " " * max(0, room - width(shown + where))
            parts = (
                (pad(word, _WORD), "cyan"),
                f" {shown}",
                (where, "dim"),
                f"{gap} ",
                (seconds(now - began).rjust(_TIME), "dim"),
            )
            rows.append(Text.assemble(*parts, no_wrap=True, overflow="crop"))
        if len(flying) > ROWS:
            rows.append(Text(f"{'':{_WORD}} and {len(flying) - ROWS} more", style="dim"))
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=max(1, self.count), completed=min(self.ended, self.count), width=30),
            Text(f"{self.ended} of {self.count}"),
        )
        return Group(*rows, bar)


def _reader_left() -> None:
    """rich would end the process with 1, as if an action had failed."""
    raise BrokenPipeError
